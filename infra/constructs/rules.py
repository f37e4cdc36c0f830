"""Rules: from the bus to a queue, with retries and somewhere to go when the queue is not there."""

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from fizzbridge.model.events import SOURCE_PREFIX, DetailType
from infra.constructs.queues import allow_events

# EventBridge's own maximum; what still fails then is kept in the rule's dead-letter queue.
_RETRY = events.CfnRule.RetryPolicyProperty(
    maximum_event_age_in_seconds=86400, maximum_retry_attempts=185
)


def rule_to_queue(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    bus: events.IEventBus,
    detail_types: Iterable[DetailType],
    queue: sqs.Queue,
    undelivered: sqs.IQueue,
    target: str | None = None,
) -> events.CfnRule:
    """Send events of some detail-types to a queue.

    Args:
        scope: Where to make the rule.
        construct_id: Its id there.
        name: The rule's name; the undelivered queue's policy goes by its prefix.
        bus: The bus.
        detail_types: What to match.
        queue: Where to send.
        undelivered: Where EventBridge leaves what it could not deliver.
        target: A connection; only events that name it among their targets match. Without one the
            rule is for what records and tells, and a replay is no news to it.
    """
    pattern: dict[str, object] = {
        "source": [{"prefix": SOURCE_PREFIX}],
        "detail-type": sorted(detail_types),
    }
    if target:
        pattern["detail"] = {"targets": [target]}
    else:
        pattern["replay-name"] = [{"exists": False}]
    rule = events.CfnRule(
        scope,
        construct_id,
        name=name,
        event_bus_name=bus.event_bus_name,
        event_pattern=pattern,
        targets=[
            events.CfnRule.TargetProperty(
                id="queue",
                arn=queue.queue_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                    arn=undelivered.queue_arn
                ),
                retry_policy=_RETRY,
            )
        ],
    )
    # By name, not by reference: rule and queue policy would otherwise wait for each other.
    allow_events(
        queue,
        Stack.of(scope).format_arn(
            service="events", resource="rule", resource_name=f"{bus.event_bus_name}/{name}"
        ),
    )
    return rule
