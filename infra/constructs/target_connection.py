"""The target side of a connection: hints come from the bus, the worker converges the platform."""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from fizzbridge.manifest import FunctionShape
from fizzbridge.model.entity import LEVEL_KINDS
from fizzbridge.model.events import DOCUMENT_TYPES, LEVEL_TYPES, DetailType
from infra.constructs import access
from infra.constructs.connection_parts import ConnectionParts
from infra.constructs.queues import RETENTION, work_queue
from infra.constructs.rules import rule_to_queue
from infra.constructs.source_connection import acknowledge_mapping

# Lambda's own minimum for a mapping's maximum concurrency.
_LEAST_CONCURRENCY = 2
_LEVELS_BATCH = 10


class TargetConnection(Construct):
    """Target function with a queue and a rule for documents, and another of each for levels."""

    def __init__(self, scope: Construct, parts: ConnectionParts, shape: FunctionShape) -> None:
        """Make the target side.

        Args:
            scope: The connection's stack.
            parts: What both sides share.
            shape: The target function's size in the manifest.
        """
        super().__init__(scope, "Target")
        self._parts = parts
        documents = self._queue("documents", DOCUMENT_TYPES)
        levels = self._queue("levels", LEVEL_TYPES)
        self._function(shape, documents, levels)

    def _queue(self, name: str, detail_types: Iterable[DetailType]) -> sqs.Queue:
        parts = self._parts
        queue = work_queue(
            self,
            f"{name.capitalize()}Queue",
            parts.name(name),
            parts.stage,
            dead_letters=parts.dead_letters,
            visibility_s=parts.timing.visibility,
        )
        rule_to_queue(
            self,
            f"{name.capitalize()}Rule",
            name=parts.name(name),
            bus=parts.shared.bus,
            detail_types=detail_types,
            queue=queue,
            undelivered=parts.shared.undelivered,
            target=parts.connection.name,
        )
        parts.alarms.work(name, queue, RETENTION)
        output = f"{name.capitalize()}QueueUrl"
        CfnOutput(self, output, value=queue.queue_url).override_logical_id(output)
        return queue

    def _function(self, shape: FunctionShape, documents: sqs.Queue, levels: sqs.Queue) -> None:
        parts = self._parts
        shared = parts.shared
        if parts.api_secret is None:
            raise ValueError(f"{parts.connection.name}: a target function without an API secret")
        made = parts.function(
            self,
            "target",
            shape,
            ceiling_s=parts.timing.target_timeout,
            environment={
                "FIZZBRIDGE_DLQ": parts.dead_letters.queue_url,
                "FIZZBRIDGE_API_SECRET": parts.secret_name("api"),
            },
            statements=[
                access.merge_state(shared.table),
                access.read_entities(shared.table),
                # What was just sold goes first, whichever message wakes the worker.
                *(
                    [access.query_index(shared.table, "behind")]
                    if LEVEL_KINDS & set(parts.manifest.entities.target)
                    else []
                ),
                *access.get_objects(shared.bucket_name),
                access.consume(documents, levels),
                access.send(parts.dead_letters, "Park"),
                access.read_secret(Stack.of(self), parts.secret_name("api"), "ReadApiKeys"),
            ],
        )
        # Documents first: levels overwrite themselves and get the least the service allows.
        wanted = max(_LEAST_CONCURRENCY, parts.connection.calls.parallel)
        # One converge may need the function's whole time; levels are overwritten together, and as
        # many as one batch takes without a wait.
        for name, queue, concurrency, batch in (
            ("Documents", documents, wanted, 1),
            ("Levels", levels, _LEAST_CONCURRENCY, _LEVELS_BATCH),
        ):
            lambda_.EventSourceMapping(
                made,
                f"{name}Mapping",
                target=made.function,
                event_source_arn=queue.queue_arn,
                batch_size=batch,
                report_batch_item_failures=True,
                max_concurrency=concurrency,
            )
        acknowledge_mapping(made)
        CfnOutput(self, "TargetFunction", value=made.function.function_name).override_logical_id(
            "TargetFunction"
        )
