"""Finds a deployed stack: its addresses and clients for them, on AWS and on this machine alike."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from fizzbridge.manifest import Manifest, load_registry
from fizzbridge.state import Table
from fizzbridge.state.dynamodb import DynamoTable
from fizzbridge.state.objects import Objects, S3Objects

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

PROJECT = Path(__file__).resolve().parents[1]
LOCAL = "local"
_PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 4})


class CommandError(Exception):
    """Something the user can put right: what is wrong, and what to do."""


def _no_other_table(name: str) -> Table:
    raise CommandError(f"There is no table {name} beside the stack's own.")


@dataclass(frozen=True)
class Stack:
    """One deployed bridge.

    Attributes:
        stage: its stage.
        core: outputs of the core stack.
        connections: outputs of each connection's stack, by the connection's name.
        table: the state table.
        objects: bodies too large for it.
        sqs: client for the queues.
        secrets: client for the secrets.
        sts: client that says who we are.
        manifests: the platforms this checkout knows.
        local: what the local stack says of itself; empty on AWS.
        events: client for the bus; None where a stack has none.
        table_named: another table of the account, as a restore makes one.
        queue_wait_s: how long to wait for a queue that seems empty: a short look asks only some of
            SQS's servers and may take a full queue for an empty one.
        logs: client for what the functions log.
    """

    stage: str
    core: Mapping[str, str]
    connections: Mapping[str, Mapping[str, str]]
    table: Table
    objects: Objects
    sqs: SQSClient
    secrets: SecretsManagerClient
    sts: STSClient
    manifests: Mapping[str, Manifest]
    local: Mapping[str, Any] = field(default_factory=dict)
    events: EventBridgeClient | None = None
    table_named: Callable[[str], Table] = _no_other_table
    queue_wait_s: int = 1
    logs: CloudWatchLogsClient | None = None

    def connection(self, name: str) -> Mapping[str, str]:
        """Outputs of a connection's stack.

        Raises:
            CommandError: there is none of that name.
        """
        if name not in self.connections:
            known = ", ".join(self.connections) or "none"
            raise CommandError(f"There is no connection '{name}' in {self.stage}. Known: {known}.")
        return self.connections[name]

    def target(self, name: str) -> Mapping[str, str]:
        """Outputs of the stack of a connection that things are written to.

        Raises:
            CommandError: there is none of that name, or nothing is written to it.
        """
        outputs = self.connection(name)
        if "DocumentsQueueUrl" not in outputs:
            raise CommandError(f"'{name}' is no target: nothing is written to it.")
        return outputs

    def caller(self) -> str:
        """Who runs the command, as AWS knows them."""
        return self.sts.get_caller_identity()["Arn"]

    def manifest(self, name: str) -> Manifest:
        """The manifest of a connection's platform."""
        return self.manifests[self.connection(name)["Platform"]]


Opener: TypeAlias = Callable[[str | None], Stack]


def open_stack(stage: str | None) -> Stack:
    """Find the stack of a stage; without one, the local stack where it is up.

    Raises:
        CommandError: no such stack.
    """
    local = _local_state()
    if stage is None and not local:
        raise CommandError("Which stack? Give --stage, set FIZZBRIDGE_STAGE, or run: make up")
    stage = stage or LOCAL
    if stage == LOCAL and not local:
        raise CommandError("The local stack is not up. Start it: make up")
    session, where = _session(local if stage == LOCAL else {})
    outputs = _outputs(session.client("cloudformation", config=_PATIENCE, **where), stage)
    if "core" not in outputs:
        raise CommandError(f"Nothing is deployed as fizzbridge-{stage}-core in this account.")
    core = outputs.pop("core")
    dynamodb = session.client("dynamodb", config=_PATIENCE, **where)
    return Stack(
        stage=stage,
        core=core,
        connections=outputs,
        table=DynamoTable(dynamodb, core["TableName"]),
        objects=S3Objects(session.client("s3", config=_PATIENCE, **where), core["BucketName"]),
        sqs=session.client("sqs", config=_PATIENCE, **where),
        secrets=session.client("secretsmanager", config=_PATIENCE, **where),
        sts=session.client("sts", config=_PATIENCE, **where),
        manifests=load_registry(PROJECT),
        local=local if stage == LOCAL else {},
        events=session.client("events", config=_PATIENCE, **where),
        table_named=lambda name: DynamoTable(dynamodb, name),
        logs=session.client("logs", config=_PATIENCE, **where),
    )


def _local_folder() -> Path:
    """Where the local stack keeps what it knows; tests move it."""
    return PROJECT / os.environ.get("FIZZBRIDGE_LOCAL", ".local")


def _local_state() -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((_local_folder() / "stack.json").read_text())
    except FileNotFoundError:
        return {}
    return state


def _session(local: Mapping[str, Any]) -> tuple[boto3.Session, dict[str, Any]]:
    if not local:
        return boto3.Session(), {}
    lines = (_local_folder() / "credentials.env").read_text().splitlines()
    given = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    session = boto3.Session(
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        region_name=local["region"],
    )
    return session, {"endpoint_url": local["endpoint"]}


def _outputs(cloudformation: CloudFormationClient, stage: str) -> dict[str, dict[str, str]]:
    prefix = f"fizzbridge-{stage}-"
    found: dict[str, dict[str, str]] = {}
    try:
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if stack["StackName"].startswith(prefix) and "DELETE" not in stack["StackStatus"]:
                    found[stack["StackName"].removeprefix(prefix)] = {
                        output["OutputKey"]: output["OutputValue"]
                        for output in stack.get("Outputs", [])
                    }
    except ClientError as error:
        reason = error.response["Error"].get("Message", "")
        raise CommandError(f"The stacks cannot be listed: {reason}") from error
    return dict(sorted(found.items()))
