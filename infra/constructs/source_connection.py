"""The source side of a connection: deliveries come in by webhook, the rest by poll."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from fizzbridge.manifest import FunctionShape
from fizzbridge.model.entity import Role
from infra.constructs import access
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.connection_parts import ConnectionParts
from infra.constructs.queues import RETENTION, work_queue
from infra.constructs.schedules import Schedules


class SourceConnection(Construct):
    """Webhook function with its route, pull function with its queue and schedules."""

    def __init__(
        self, scope: Construct, parts: ConnectionParts, polls: list[tuple[str, str]]
    ) -> None:
        """Make what the manifest says the platform has.

        Args:
            scope: The connection's stack.
            parts: What both sides share.
            polls: Each stream to poll, with its interval.
        """
        super().__init__(scope, "Source")
        self._parts = parts
        functions = parts.manifest.functions
        queue = self._pull_queue() if functions.pull else None
        if functions.pull and queue:
            self._pull(functions.pull, queue)
            self._schedules(queue, polls)
        if functions.webhook:
            self._webhook(functions.webhook, queue)

    def _pull_queue(self) -> sqs.Queue:
        parts = self._parts
        queue = work_queue(
            self,
            "PullQueue",
            parts.name("pull"),
            parts.stage,
            dead_letters=parts.dead_letters,
            visibility_s=parts.timing.visibility,
        )
        parts.alarms.work("pull", queue, RETENTION)
        CfnOutput(self, "PullQueueUrl", value=queue.queue_url).override_logical_id("PullQueueUrl")
        return queue

    def _pull(self, shape: FunctionShape, queue: sqs.Queue) -> None:
        parts = self._parts
        shared = parts.shared
        if parts.api_secret is None:
            raise ValueError(f"{parts.connection.name}: a pull function without an API secret")
        # Some platforms take the signing secret when a webhook is made: whoever mends one needs it.
        signing = parts.secret_name("signing") if parts.manifest.webhook.watched else ""
        made = parts.function(
            self,
            "pull",
            shape,
            ceiling_s=parts.timing.pull_timeout,
            environment={
                "FIZZBRIDGE_PULL_QUEUE": queue.queue_url,
                "FIZZBRIDGE_DLQ": parts.dead_letters.queue_url,
                "FIZZBRIDGE_API_SECRET": parts.secret_name("api"),
            }
            | ({"FIZZBRIDGE_SUBSCRIPTION_SECRET": signing} if signing else {}),
            statements=[
                access.merge_state(shared.table),
                *self._more_rights(
                    lists=bool(parts.manifest.rechecked or parts.manifest.webhook.farewell)
                ),
                *access.get_objects(shared.bucket_name),
                access.put_objects(shared.bucket_name),
                access.consume(queue),
                access.send(queue, "Continue"),
                access.send(parts.dead_letters, "Park"),
                access.read_secret(Stack.of(self), parts.secret_name("api"), "ReadApiKeys"),
                *(
                    [access.read_secret(Stack.of(self), signing, "ReadSubscriptionKeys")]
                    if signing
                    else []
                ),
            ],
        )
        lambda_.EventSourceMapping(
            made,
            "Mapping",
            target=made.function,
            event_source_arn=queue.queue_arn,
            # A run fetches a few pages and queues its own continuation: one message at a time.
            batch_size=1,
            report_batch_item_failures=True,
            # What an outage spilled makes no call and must not wait long for its turn; what makes
            # calls is held to the connection's limits by the limiter.
            max_concurrency=max(2 * parts.stage.service_workers, parts.connection.calls.parallel),
        )
        acknowledge_mapping(made)
        CfnOutput(self, "PullFunction", value=made.function.function_name).override_logical_id(
            "PullFunction"
        )

    def _more_rights(self, *, lists: bool) -> list[iam.PolicyStatement]:
        """What is needed of some platforms only.

        Args:
            lists: whether it lists orders or customers that are known.
        """
        parts, table = self._parts, self._parts.shared.table
        # A platform that holds orders for us speaks of them by its own ids and codes.
        is_target = parts.manifest.functions.target is not None
        names = is_target and Role.ORDER_REQUEST not in parts.connection.roles
        reads = [access.read_entities(table)] if lists or names else []
        return [*reads, *([access.check_rows(table)] if names else [])]

    def _schedules(self, queue: sqs.Queue, polls: list[tuple[str, str]]) -> None:
        watched = self._parts.manifest.webhook.watched
        rechecked = self._parts.manifest.rechecked
        if not polls and not watched and not rechecked:
            return
        schedules = Schedules(
            self,
            "Schedules",
            target_arn=queue.queue_arn,
            action="sqs:SendMessage",
            undelivered=self._parts.dead_letters,
        )
        for stream, interval in polls:
            schedules.every(
                stream,
                name=self._parts.name(stream),
                interval=interval,
                message={"type": "poll", "stream": stream},
            )
        if watched:
            schedules.every(
                "Watch",
                name=self._parts.name("watch"),
                interval=watched,
                message={"type": "watch", "streams": [stream for stream, _ in polls]},
            )
        if rechecked:
            schedules.every(
                "Recheck",
                name=self._parts.name("recheck"),
                interval=rechecked,
                message={"type": "recheck"},
            )

    def _webhook(self, shape: FunctionShape, queue: sqs.Queue | None) -> None:
        parts = self._parts
        shared = parts.shared
        if parts.signing_secret is None:
            raise ValueError(f"{parts.connection.name}: a webhook function without signing secret")
        environment = {"FIZZBRIDGE_SIGNING_SECRET": parts.secret_name("signing")}
        statements = [
            access.merge_state(shared.table),
            *self._more_rights(lists=False),
            access.put_objects(shared.bucket_name),
            access.read_secret(Stack.of(self), parts.secret_name("signing"), "ReadSigningKeys"),
        ]
        if queue:
            environment["FIZZBRIDGE_PULL_QUEUE"] = queue.queue_url
            statements.append(access.send(queue, "SpillOrHint"))
        made = parts.function(
            self,
            "webhook",
            shape,
            ceiling_s=parts.timing.webhook_timeout,
            environment=environment,
            statements=statements,
        )
        parts.alarms.deliveries(parts.connection.name)
        if parts.manifest.webhook.watched:
            parts.alarms.webhooks(parts.connection.name)
        path = f"/webhooks/{parts.connection.name}"
        route = apigateway.HttpRoute(
            self,
            "Route",
            http_api=shared.api,
            route_key=apigateway.HttpRouteKey.with_(
                path + "/{token}" if parts.manifest.webhook.path_token else path,
                apigateway.HttpMethod.POST,
            ),
            integration=integrations.HttpLambdaIntegration("Integration", made.function),
        )
        acknowledge(
            route,
            {
                "AwsSolutions-APIG4": "Vendors cannot sign in; the function checks each "
                "delivery's own signature or secret before it looks at the body.",
            },
        )
        CfnOutput(self, "WebhookUrl", value=f"{shared.api.api_endpoint}{path}").override_logical_id(
            "WebhookUrl"
        )
        CfnOutput(self, "WebhookFunction", value=made.function.function_name).override_logical_id(
            "WebhookFunction"
        )


def acknowledge_mapping(scope: Construct) -> None:
    """Accept that mappings of queues have no destination for failures of their own."""
    acknowledge(
        scope,
        {
            "Serverless-LambdaEventSourceMappingDestination": "A queue's failures go by its own "
            "redrive policy; the worker parks what is permanent.",
        },
    )
