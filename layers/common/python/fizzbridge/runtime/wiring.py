"""The ports of a function, made once in its init phase from the environment.

Making them connects to nothing and reads no secret, so a snapshot of the process stays valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from fizzbridge.aws import aws_client
from fizzbridge.queues import Queue, QueueUnavailableError, SqsQueue
from fizzbridge.secrets import SecretStore, SecretUnavailableError, secrets_manager
from fizzbridge.settings import Bridge, Connection, FunctionSettings, load_bridge
from fizzbridge.state.dynamodb import DynamoTable
from fizzbridge.state.objects import Objects, ObjectsUnavailableError, S3Objects
from fizzbridge.state.table import Table, TableUnavailableError

if TYPE_CHECKING:
    from fizzbridge.runtime.batch import Visibility

AWS_CALL_S = 5.0
"""Longest call to AWS outside the webhook path, which sets its own."""

DOWN = (
    TableUnavailableError,
    QueueUnavailableError,
    ObjectsUnavailableError,
    SecretUnavailableError,
)
"""What a port raises when a service of our own does not answer: nobody's failure, no attempt."""


@dataclass(frozen=True)
class Ports:
    """What a function works with."""

    settings: FunctionSettings
    bridge: Bridge
    table: Table
    objects: Objects
    queue: Queue
    secrets: SecretStore

    @property
    def connection(self) -> Connection:
        """The connection this function serves."""
        return self.bridge.connection(self.settings.connection or "")


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


@cache
def ports(call_s: float = AWS_CALL_S) -> Ports:
    """The ports of this function.

    Args:
        call_s: longest any call to AWS may take, one resend included.
    """
    settings = FunctionSettings.from_environment()
    return Ports(
        settings=settings,
        bridge=load_bridge(),
        table=DynamoTable(aws_client("dynamodb", deadline_s=call_s), settings.table),
        objects=S3Objects(aws_client("s3", deadline_s=call_s), settings.bucket),
        queue=SqsQueue(aws_client("sqs", deadline_s=call_s)),
        secrets=SecretStore(secrets_manager(aws_client("secretsmanager", deadline_s=call_s)), now),
    )


@cache
def visibility() -> Visibility:
    """Hides messages in the queues that feed this function."""
    client = aws_client("sqs", deadline_s=AWS_CALL_S)

    @cache
    def url(queue_arn: str) -> str:
        name = queue_arn.rpartition(":")[2]
        return client.get_queue_url(QueueName=name)["QueueUrl"]

    def hide(queue_arn: str, receipt: str, seconds: int) -> None:
        client.change_message_visibility(
            QueueUrl=url(queue_arn), ReceiptHandle=receipt, VisibilityTimeout=seconds
        )

    return hide
