"""Alarms: each says one thing, and goes to the stage's topic.

The last words of an alarm's name are those of its page in ``docs/runbooks``.
"""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stage import Stage

NAMESPACE = "fizzbridge"
# A quarter of the time a message has left: long before anything expires unseen.
OLDEST_SHARE = 0.25
# Forged or mis-signed deliveries below this share are the background noise of a public address.
REJECTED_SHARE = 0.2
REJECTED_AT_LEAST = 20
_PERIOD = Duration.minutes(5)


def bridge_metric(name: str, connection: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """Return a metric the functions write, of one connection."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"connection": connection},
        statistic=statistic,
        period=_PERIOD,
    )


class Alarms(Construct):
    """The alarms of one stack."""

    def __init__(self, scope: Construct, topic: sns.ITopic, stage: Stage) -> None:
        super().__init__(scope, "Alarms")
        self._action = actions.SnsAction(topic)
        self._stage = stage

    def function(self, name: str, function: lambda_.IFunction) -> None:
        """Watch a function: it failed, or it was not let run."""
        self._alarm(
            f"{name}-errors",
            function.metric_errors(period=_PERIOD),
            1,
            "The function raised, timed out or ran out of memory. See its log group.",
        )
        self._alarm(
            f"{name}-throttles",
            function.metric_throttles(period=_PERIOD),
            1,
            "Invocations were refused: the account's concurrency is used up.",
        )

    def stream(self, name: str, function: lambda_.IFunction) -> None:
        """Watch how far a stream's consumer is behind; the stream forgets after 24 hours."""
        self._alarm(
            f"{name}-behind",
            function.metric("IteratorAge", period=_PERIOD, statistic="Maximum"),
            Duration.minutes(10).to_milliseconds(),
            "Changes are announced more than ten minutes late.",
        )

    def work(self, name: str, queue: sqs.IQueue, retention: Duration) -> None:
        """Watch a work queue: messages must never come near their end unseen."""
        self._alarm(
            f"{name}-oldest",
            queue.metric_approximate_age_of_oldest_message(period=_PERIOD),
            int(retention.to_seconds() * OLDEST_SHARE),
            "The oldest message has waited a quarter of its life. Look for a paused connection.",
        )

    def dead_letters(self, name: str, queue: sqs.IQueue) -> None:
        """Watch a dead-letter queue: the depth, since a count of sends misses redrives."""
        self._alarm(
            f"{name}-not-empty",
            queue.metric_approximate_number_of_messages_visible(
                period=_PERIOD, statistic="Maximum"
            ),
            1,
            "Something was parked or could not be delivered. See the runbook for dead letters.",
        )

    def connection(self, name: str) -> None:
        """Watch whether a connection works at all: one alarm, however many messages wait."""
        self._alarm(
            "unhealthy",
            bridge_metric("unhealthy", name),
            1,
            "The vendor refuses the connection itself: credentials, scopes or consent.",
        )

    def deliveries(self, connection: str) -> None:
        """Watch what a source sends: forged or unreadable."""
        self._alarm(
            "quarantined",
            bridge_metric("quarantined", connection),
            1,
            "A delivery had a good signature and a body nobody could read; it is kept for replay.",
        )
        if not self._stage.metric_math:
            return
        share = cloudwatch.MathExpression(
            expression=f"IF(rejected >= {REJECTED_AT_LEAST}, rejected / (rejected + received), 0)",
            using_metrics={
                "rejected": bridge_metric("rejected", connection),
                "received": bridge_metric("received", connection),
            },
            period=_PERIOD,
        )
        self._alarm(
            "rejected-share",
            share,
            REJECTED_SHARE,
            "Many deliveries fail their signature: a rotated secret, or somebody guessing.",
        )

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, threshold: float, description: str
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{Stack.of(self).stack_name}-{name}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(self._action)

    def conservation(self, connection: str, *, is_source: bool) -> None:
        """Watch what the census finds of a connection, once an hour."""

        def hourly(name: str) -> cloudwatch.Metric:
            return bridge_metric(name, connection, "Maximum").with_(period=Duration.hours(1))

        self._alarm(
            "late",
            hourly("late_links"),
            1,
            "Links are behind for longer than they should be, and nothing says why they wait.",
        )
        self._alarm(
            "unaccounted",
            hourly("unaccounted_links"),
            1,
            "Links are not as they should be, and nothing would ever bring them back.",
        )
        if is_source:
            self._alarm(
                "imbalance",
                hourly("imbalance"),
                1,
                "Deliveries were accepted and came to nothing, or nobody said what became of them.",
            )

    def canary(self, connection: str) -> None:
        """Watch whether canary orders arrive; a minute is as soon as anybody looks."""
        self._alarm(
            "canary",
            bridge_metric("canary_missing", connection, "Maximum").with_(
                period=Duration.minutes(1)
            ),
            1,
            "An order of ours was sent to the front door and is not at its target in time.",
        )
