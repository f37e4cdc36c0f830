"""The Lambda handler of a webhook function: AWS behind the receiver's ports."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from fizzbridge.aws import aws_client
from fizzbridge.observability import Metrics
from fizzbridge.queues import SqsQueue
from fizzbridge.runtime.observe import Observer
from fizzbridge.secrets import SecretStore, secrets_manager
from fizzbridge.settings import FunctionSettings, load_bridge
from fizzbridge.state.dynamodb import DynamoTable
from fizzbridge.state.objects import S3Objects
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.receive import Ports, Receiver, Response

CALL_S = 1.5
"""For each of the few calls beside the merge: secret, bucket, queue."""


class WebhookHandler:
    """Makes its clients once, in the init phase of a function, and calls nothing until invoked."""

    def __init__(self, adapter: WebhookAdapter) -> None:
        self.adapter = adapter
        self._metrics = Metrics()
        if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
            _ = self._receiver

    def __call__(self, event: Mapping[str, Any], context: object) -> Response:
        """Answer one HTTP API event."""
        del context
        with self._metrics:
            return self._receiver.receive(event)

    @cached_property
    def _receiver(self) -> Receiver:
        settings, bridge = FunctionSettings.from_environment(), load_bridge()
        if not (settings.connection and settings.pull_queue and settings.signing_secret):
            raise RuntimeError("a webhook function needs a connection, a pull queue and a secret")
        # A merge is a read and a write: each may take half of the time the merge has.
        table_s = bridge.timing.merge_deadline / 2
        objects = S3Objects(aws_client("s3", deadline_s=CALL_S), settings.bucket)
        table = DynamoTable(aws_client("dynamodb", deadline_s=table_s), settings.table)
        ports = Ports(
            observer=Observer(table, objects, bridge, _now),
            objects=objects,
            queue=SqsQueue(aws_client("sqs", deadline_s=CALL_S)),
            pull_queue=settings.pull_queue,
            secrets=SecretStore(
                secrets_manager(aws_client("secretsmanager", deadline_s=CALL_S)), _now
            ),
            signing_secret=settings.signing_secret,
            metrics=self._metrics,
            now=_now,
        )
        return Receiver(self.adapter, settings.connection, bridge, ports)


def webhook_handler(adapter: WebhookAdapter) -> Callable[[Mapping[str, Any], object], Response]:
    """The handler of a platform's webhook function."""
    return WebhookHandler(adapter)


def _now() -> datetime:
    return datetime.now(UTC)
