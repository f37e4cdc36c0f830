"""The services between sources and targets: announce, assess, record, sweep, watch."""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from fizzbridge.model.events import ASSESS_TYPES, RECORD_TYPES, DetailType
from infra.constructs import access
from infra.constructs.alarms import Alarms
from infra.constructs.connection_parts import Shared
from infra.constructs.function import BridgeFunction, FunctionFacts, Layers
from infra.constructs.queues import RETENTION, dead_letter_queue, work_queue
from infra.constructs.rules import rule_to_queue
from infra.constructs.schedules import Schedules
from infra.constructs.source_connection import acknowledge_mapping
from infra.deployment import Deployment

# Rows that say something to others. Leases, cursors and timelines do not.
_ANNOUNCED_SORTS = ("PART#", "LINK#", "HOLD#", "BREAKER")
_ANNOUNCED_PARTITIONS = ("MAP#", "STOCK#", "ACCOUNT#", "EMPTIES#")
_SERVICE_TIMEOUT_S = 60
# It reads entities for 200 seconds at the most, and an hour of logs.
_CENSUS_TIMEOUT_S = 300
_CENSUS_EVERY_S = 3600
# As soon as anybody looks; the bridge file says how often an order is placed.
_CANARY_EVERY_S = 60


class Services(Construct):
    """The functions of the core stack."""

    def __init__(
        self, scope: Construct, deployment: Deployment, shared: Shared, alarms: Alarms
    ) -> None:
        super().__init__(scope, "Services")
        self._deployment = deployment
        self._stage = deployment.stage
        self._shared = shared
        self._alarms = alarms
        self._layers = Layers(self, deployment.assets)
        self._announce()
        assess = self._assess()
        self._record()
        self._sweep(assess)
        self._census()
        self._watch()
        if deployment.bridge.canary:
            self._canary(deployment.bridge.canary.connection)

    def _announce(self) -> None:
        shared = self._shared
        dead_letters = self._dead_letters("announce")
        made = self._function(
            "announce",
            timeout_s=_SERVICE_TIMEOUT_S,
            statements=[
                *access.read_stream(shared.table),
                *access.get_objects(shared.bucket_name),
                access.put_events(shared.bus),
                access.send(dead_letters, "Unannounced"),
            ],
        )
        lambda_.EventSourceMapping(
            made,
            "Mapping",
            target=made.function,
            event_source_arn=shared.table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            parallelization_factor=self._stage.service_workers,
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            # An outage of the bus is waited out; a record that never passes must not hold its
            # shard for a day. What ends in the queue is swept up from the table all the same.
            retry_attempts=100,
            max_record_age=Duration.hours(2),
            on_failure=event_sources.SqsDlq(dead_letters),
            filters=[
                lambda_.FilterCriteria.filter(
                    {"dynamodb": {"Keys": {key: {"S": [{"prefix": p} for p in prefixes]}}}}
                )
                for key, prefixes in (("sk", _ANNOUNCED_SORTS), ("pk", _ANNOUNCED_PARTITIONS))
            ],
        )
        self._alarms.stream("announce", made.function)
        self._output("AnnounceFunction", made.function.function_name)

    def _assess(self) -> sqs.Queue:
        shared = self._shared
        queue = self._fed_by_rule("assess", ASSESS_TYPES)
        made = self._function(
            "assess",
            timeout_s=_SERVICE_TIMEOUT_S,
            statements=[
                access.merge_state(shared.table),
                access.read_entities(shared.table),
                access.query_index(shared.table, "cause"),
                access.delete_rows(shared.table),
                *access.get_objects(shared.bucket_name),
                access.put_objects(shared.bucket_name),
                access.consume(queue),
            ],
        )
        self._mapping(made, queue, batch_size=10)
        self._output("AssessFunction", made.function.function_name)
        return queue

    def _record(self) -> None:
        queue = self._fed_by_rule("record", RECORD_TYPES)
        made = self._function(
            "record",
            timeout_s=_SERVICE_TIMEOUT_S,
            statements=[access.put_rows(self._shared.table), access.consume(queue)],
        )
        self._mapping(made, queue, batch_size=10)

    def _sweep(self, assess_queue: sqs.Queue) -> None:
        shared = self._shared
        made = self._function(
            "sweep",
            timeout_s=_SERVICE_TIMEOUT_S,
            environment={"FIZZBRIDGE_ASSESS_QUEUE": assess_queue.queue_url},
            statements=[
                access.read_rows(shared.table),
                access.put_rows(shared.table),
                access.query_index(shared.table, "behind"),
                access.send_hints(Stack.of(self), self._stage.resource()),
                *access.switch_mappings(Stack.of(self), self._stage.resource()),
            ],
        )
        self._every("sweep", made, self._deployment.bridge.timing.sweep_every)
        self._output("SweepFunction", made.function.function_name)

    def _watch(self) -> None:
        shared = self._shared
        made = self._function(
            "watch",
            timeout_s=_SERVICE_TIMEOUT_S,
            statements=[
                access.read_rows(shared.table),
                access.put_rows(shared.table),
                access.read_entities(shared.table),
                access.query_index(shared.table, "cause"),
            ],
        )
        self._every("watch", made, self._deployment.bridge.timing.watch_every)
        self._output("WatchFunction", made.function.function_name)

    def _every(self, name: str, made: BridgeFunction, seconds: int) -> None:
        """Call a service on a schedule, every so many whole minutes."""
        minutes = max(1, round(seconds / 60))
        Schedules(
            self,
            f"{name.capitalize()}Schedule",
            target_arn=made.function.function_arn,
            action="lambda:InvokeFunction",
            undelivered=self._shared.undelivered,
        ).every(
            "Every",
            name=self._stage.resource(name),
            interval=f"{minutes} minute{'s' if minutes > 1 else ''}",
            message={},
        )

    def _census(self) -> None:
        shared = self._shared
        made = self._function(
            "census",
            timeout_s=_CENSUS_TIMEOUT_S,
            statements=[
                access.read_rows(shared.table),
                access.read_entities(shared.table),
                access.query_index(shared.table, "behind"),
                *access.get_objects(shared.bucket_name),
                access.read_logs(Stack.of(self), self._stage.resource()),
            ],
        )
        self._every("census", made, _CENSUS_EVERY_S)
        self._output("CensusFunction", made.function.function_name)

    def _canary(self, connection: str) -> None:
        shared, stack = self._shared, Stack.of(self)
        signing = self._stage.secret(connection, "signing")
        made = self._function(
            "canary",
            timeout_s=_SERVICE_TIMEOUT_S,
            environment={
                "FIZZBRIDGE_CONNECTION": connection,
                "FIZZBRIDGE_SIGNING_SECRET": signing,
                "FIZZBRIDGE_WEBHOOK_URL": f"{shared.api.api_endpoint}/webhooks/{connection}",
            },
            statements=[
                access.read_rows(shared.table),
                access.update_rows(shared.table),
                access.read_entities(shared.table),
                access.read_secret(stack, signing, "ReadSigningSecret"),
            ],
        )
        self._every("canary", made, _CANARY_EVERY_S)
        self._alarms.canary(connection)
        self._output("CanaryFunction", made.function.function_name)

    def _function(
        self,
        name: str,
        *,
        timeout_s: int,
        statements: list[iam.PolicyStatement],
        environment: dict[str, str] | None = None,
    ) -> BridgeFunction:
        return BridgeFunction(
            self,
            name.capitalize(),
            stage=self._stage,
            code=self._deployment.assets.code(f"services/{name}"),
            layers=self._layers,
            alarms=self._alarms,
            facts=FunctionFacts(
                name=name,
                handler=f"services.{name}.handler",
                memory_mb=512,
                timeout_s=timeout_s,
                environment={**self._shared.environment(), **(environment or {})},
                statements=statements,
            ),
        )

    def _fed_by_rule(self, name: str, detail_types: Iterable[DetailType]) -> sqs.Queue:
        queue = work_queue(
            self,
            f"{name.capitalize()}Queue",
            self._stage.resource(name),
            self._stage,
            dead_letters=self._dead_letters(name),
            visibility_s=max(self._deployment.bridge.timing.visibility, _SERVICE_TIMEOUT_S),
        )
        rule_to_queue(
            self,
            f"{name.capitalize()}Rule",
            name=self._stage.resource(name),
            bus=self._shared.bus,
            detail_types=detail_types,
            queue=queue,
            undelivered=self._shared.undelivered,
        )
        self._alarms.work(name, queue, RETENTION)
        self._output(f"{name.capitalize()}QueueUrl", queue.queue_url)
        return queue

    def _dead_letters(self, name: str) -> sqs.Queue:
        queue = dead_letter_queue(
            self, f"{name.capitalize()}DeadLetters", self._stage.resource(name, "dlq"), self._stage
        )
        self._alarms.dead_letters(f"{name}-dlq", queue)
        self._output(f"{name.capitalize()}DlqUrl", queue.queue_url)
        return queue

    def _mapping(self, made: BridgeFunction, queue: sqs.Queue, *, batch_size: int) -> None:
        lambda_.EventSourceMapping(
            made,
            "Mapping",
            target=made.function,
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            report_batch_item_failures=True,
            max_concurrency=self._stage.service_workers,
        )
        acknowledge_mapping(made)

    def _output(self, name: str, value: str) -> None:
        CfnOutput(self, name, value=value).override_logical_id(name)
