"""Alarms: each says one thing, names its page in ``docs/runbooks``, and goes to the stage's topic.

The last words of an alarm's name are those of its page; one without a page ends the synth.
"""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from fizzbridge.model.entity import Role
from fizzbridge.model.order import HoldReason
from fizzbridge.observability import NAMESPACE, Metric
from fizzbridge.settings import Bridge, Connection
from infra.stage import Stage

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
# A quarter of the time a message has left: long before anything expires unseen.
OLDEST_SHARE = 0.25
# Forged or mis-signed deliveries below this share are the background noise of a public address.
REJECTED_SHARE = 0.2
REJECTED_AT_LEAST = 20
_PERIOD = Duration.minutes(5)
# Longer than between two ticks of the watch, so that a late one is no gap in what it writes.
_GAUGE_PERIOD = Duration.minutes(15)
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_AT_MOST = cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD


def bridge_metric(name: Metric, connection: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """Return a metric the functions write, of one connection."""
    return _metric(name, {"connection": connection}, statistic, _PERIOD)


def bridge_gauge(
    name: Metric, connection: str, statistic: str = "Maximum", **also: str
) -> cloudwatch.Metric:
    """Return a metric the watch writes at every tick, of one connection.

    Args:
        name: which.
        connection: of which connection.
        statistic: the worst in a period, as the alarm sees it.
        also: its further dimensions.
    """
    return _metric(name, {"connection": connection, **also}, statistic, _GAUGE_PERIOD)


def runbook(alarm: str) -> str:
    """The page of an alarm: of all pages the longest that its name ends with.

    Raises:
        LookupError: nobody has written one.
    """
    pages = [path.stem for path in RUNBOOKS.glob("*.md")]
    found = [page for page in pages if alarm == page or alarm.endswith(f"-{page}")]
    if not found:
        raise LookupError(f"the alarm {alarm} has no page in docs/runbooks")
    return max(found, key=len)


class Alarms(Construct):
    """The alarms of one stack."""

    def __init__(self, scope: Construct, topic: sns.ITopic, stage: Stage, bridge: Bridge) -> None:
        """Make none yet.

        Args:
            scope: The stack.
            topic: Where they go.
            stage: The stage.
            bridge: Says when somebody is woken.
        """
        super().__init__(scope, "Alarms")
        self._action = actions.SnsAction(topic)
        self._stage = stage
        self._bridge = bridge

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

    def connection(self, connection: Connection) -> None:
        """Watch whether a connection works at all, and what waits for a person there."""
        name = connection.name
        self._alarm(
            "unhealthy",
            bridge_metric(Metric.UNHEALTHY, name),
            1,
            "The vendor refuses the connection itself: credentials, scopes or consent.",
        )
        self._alarm(
            "expiring",
            bridge_gauge(Metric.DAYS_LEFT, name, "Minimum"),
            self._bridge.alarms.expiry_days,
            "A key or token of the connection ends soon; nothing works after that day.",
            compare=_AT_MOST,
        )
        if name in self._bridge.targets:
            self._alarm(
                "parked",
                bridge_gauge(Metric.PARKED_LINKS, name),
                1,
                "Entities were given up on at this target and wait for a person.",
            )
        if Role.ORDER_REQUEST in connection.roles:
            self._orders(name)

    def _orders(self, source: str) -> None:
        """Watch a shop: what of its orders is held, and whether any come at all."""
        policy = self._bridge.alarms
        for reason in HoldReason:
            self._alarm(
                f"{reason.lower().replace('_', '-')}-held",
                bridge_gauge(Metric.HELD_ORDERS, source, reason=str(reason)),
                policy.held_by_reason.get(reason, policy.held_orders),
                f"Many orders are held for the reason {reason}.",
            )
        for currency in self._bridge.watched_currencies:
            self._alarm(
                f"{currency.lower()}-held-value",
                bridge_gauge(Metric.HELD_VALUE, source, currency=currency),
                int(policy.held_value),
                f"Orders worth much are held, together, in {currency}.",
            )
        self._alarm(
            "silent",
            bridge_gauge(Metric.SILENT, source),
            1,
            "The last full hour brought far fewer orders than the same hour usually does.",
        )

    def webhooks(self, connection: str) -> None:
        """Watch whether a platform keeps our webhooks, where somebody looks."""
        self._alarm(
            "resubscribed",
            bridge_metric(Metric.RESUBSCRIBED, connection),
            1,
            "The platform had dropped our webhooks or switched them off; they are there again.",
        )
        self._alarm(
            "unwatched",
            bridge_gauge(Metric.UNWATCHED_HOURS, connection),
            self._bridge.alarms.unwatched_hours,
            "Nobody could see for long whether our webhooks are still in place.",
        )

    def deliveries(self, connection: str) -> None:
        """Watch what a source sends: forged or unreadable."""
        self._alarm(
            "quarantined",
            bridge_metric(Metric.QUARANTINED, connection),
            1,
            "A delivery had a good signature and a body nobody could read; it is kept for replay.",
        )
        self._alarm(
            "put-off",
            bridge_metric(Metric.PUT_OFF, connection),
            1,
            "Deliveries could not be kept and were answered 503: the vendor must send them again.",
        )
        if not self._stage.metric_math:
            return
        share = cloudwatch.MathExpression(
            expression=f"IF(rejected >= {REJECTED_AT_LEAST}, rejected / (rejected + received), 0)",
            using_metrics={
                "rejected": bridge_metric(Metric.REJECTED, connection),
                "received": bridge_metric(Metric.RECEIVED, connection),
            },
            period=_PERIOD,
        )
        self._alarm(
            "rejected-share",
            share,
            REJECTED_SHARE,
            "Many deliveries fail their signature: a rotated secret, or somebody guessing.",
        )

    def conservation(self, connection: str, *, is_source: bool) -> None:
        """Watch what the census finds of a connection, once an hour."""

        def hourly(name: Metric) -> cloudwatch.Metric:
            return bridge_metric(name, connection, "Maximum").with_(period=Duration.hours(1))

        self._alarm(
            "late",
            hourly(Metric.LATE_LINKS),
            1,
            "Links are behind for longer than they should be, and nothing says why they wait.",
        )
        self._alarm(
            "unaccounted",
            hourly(Metric.UNACCOUNTED_LINKS),
            1,
            "Links are not as they should be, and nothing would ever bring them back.",
        )
        if is_source:
            self._alarm(
                "imbalance",
                hourly(Metric.IMBALANCE),
                1,
                "Deliveries were accepted and came to nothing, or nobody said what became of them.",
            )

    def canary(self, connection: str) -> None:
        """Watch whether canary orders arrive; a minute is as soon as anybody looks."""
        self._alarm(
            "canary",
            bridge_metric(Metric.CANARY_MISSING, connection, "Maximum").with_(
                period=Duration.minutes(1)
            ),
            1,
            "An order of ours was sent to the front door and is not at its target in time.",
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        *,
        compare: cloudwatch.ComparisonOperator = _AT_LEAST,
    ) -> None:
        page = f"{self._bridge.alarms.runbooks}/{runbook(name)}.md"
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{Stack.of(self).stack_name}-{name}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=compare,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{description} {page}",
        )
        alarm.add_alarm_action(self._action)


def _metric(
    name: Metric, dimensions: Mapping[str, str], statistic: str, period: Duration
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=str(name),
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=period,
    )
