"""The dashboard: how all of it fares in one row, and a row for each connection below.

Together with the alarms it names every metric the functions write, and no other of ours; a test
compares them with what a run really writes.
"""

from collections.abc import Iterable, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from fizzbridge.manifest import Manifest
from fizzbridge.model.entity import Role
from fizzbridge.model.order import HoldReason
from fizzbridge.observability import BRIDGE, Metric
from fizzbridge.settings import Bridge, Connection
from infra.constructs.alarms import bridge_gauge, bridge_metric
from infra.stage import Stage

# What a delivery, a poll or a fetch comes to.
_DELIVERED = (Metric.RECEIVED, Metric.REJECTED, Metric.SPILLED, Metric.PUT_OFF)
_TOLD = (
    *(Metric.MERGED, Metric.EQUAL, Metric.OLDER, Metric.TIED),
    *(Metric.IGNORED, Metric.HINTED),
)
_PULLED = (Metric.QUARANTINED, Metric.PARKED, Metric.RETRIED, Metric.UNHEALTHY)
_OURS = (Metric.ANNOUNCED, Metric.ASSESSED)
_CONVERGED = (
    *(Metric.CONVERGED, Metric.HELD, Metric.PARKED, Metric.RETRIED),
    *(Metric.UNKNOWN_OUTCOME, Metric.UNHEALTHY),
)
_CORE_QUEUES = ("assess", "record")
_CORE_DEAD_LETTERS = ("announce-dlq", "assess-dlq", "record-dlq", "undelivered")
_WIDTH = 24
_PERIOD = Duration.minutes(5)


class BridgeDashboard(Construct):
    """One dashboard for the stage.

    Metrics are named, not referenced, so that the core stack does not wait for the connections.
    """

    def __init__(
        self,
        scope: Construct,
        stage: Stage,
        bridge: Bridge,
        connections: Sequence[tuple[Connection, Manifest]],
    ) -> None:
        super().__init__(scope, "Dashboard")
        self._stage = stage
        self._bridge = bridge
        self._connections = connections
        rows = [self._overview(), *(self._row(*connection) for connection in connections)]
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=stage.resource("dashboard").removesuffix("-dashboard"),
            widgets=[widget for row in rows for widget in row],
        )

    def _overview(self) -> list[list[cloudwatch.IWidget]]:
        bridge = self._bridge
        told = [one.name for one, manifest in self._connections if manifest.functions.pull]
        targets = [one.name for one, manifest in self._connections if manifest.functions.target]
        sources = [one.name for one in bridge.connections if Role.ORDER_REQUEST in one.roles]
        queues = [queue for one in self._connections for queue in self._queues(*one)]
        core = [self._stage.resource(name) for name in _CORE_QUEUES]
        return [
            [
                _graph("all: in", [bridge_metric(Metric.MERGED, name) for name in told]),
                _graph("all: out", [bridge_metric(Metric.CONVERGED, name) for name in targets]),
                _graph("all: waiting", [_depth(name) for name in (*core, *queues)]),
                _graph("all: oldest message (s)", [_oldest(name) for name in (*core, *queues)]),
            ],
            [
                _graph("all: age at the target (ms)", list(_ages(targets))),
                _graph(
                    "all: parked",
                    [bridge_gauge(Metric.PARKED_LINKS, name) for name in bridge.targets],
                    [
                        bridge_gauge(Metric.PARKED_VALUE, name, currency=currency)
                        for name in bridge.targets
                        for currency in bridge.watched_currencies
                    ],
                ),
                _graph(
                    "all: value of held orders",
                    [
                        bridge_gauge(Metric.HELD_VALUE, name, currency=currency)
                        for name in sources
                        for currency in bridge.watched_currencies
                    ],
                ),
                _graph(
                    "all: dead letters; causes announced",
                    [_depth(self._stage.resource(name)) for name in _CORE_DEAD_LETTERS],
                    [bridge_metric(Metric.ANNOUNCED, BRIDGE)],
                ),
            ],
        ]

    def _row(self, connection: Connection, manifest: Manifest) -> list[list[cloudwatch.IWidget]]:
        name = connection.name
        functions = manifest.functions
        flow = list(_OURS)
        flow += _TOLD if functions.pull or functions.webhook else ()
        flow += _DELIVERED if functions.webhook else ()
        flow += _PULLED if functions.pull else ()
        flow += _CONVERGED if functions.target else ()
        flow += [Metric.RESUBSCRIBED] if manifest.webhook.watched else ()
        queues = self._queues(connection, manifest)
        widgets = [
            _graph(f"{name}: flow", [bridge_metric(metric, name) for metric in dict.fromkeys(flow)])
        ]
        if self._bridge.canary and self._bridge.canary.connection == name:
            arrived = bridge_metric(Metric.CANARY_AGE_MS, name, "Maximum")
            missing = bridge_metric(Metric.CANARY_MISSING, name, "Maximum")
            widgets.append(_graph(f"{name}: arrived after (ms); missing", [arrived], [missing]))
        if functions.target:
            widgets.append(_graph(f"{name}: age at the target (ms)", list(_ages([name]))))
        dead_letters = self._stage.resource(name, "dlq")
        widgets += [
            _graph(f"{name}: waiting", [_depth(queue) for queue in (*queues, dead_letters)]),
            _graph(f"{name}: oldest message (s)", [_oldest(queue) for queue in queues]),
        ]
        kept = [bridge_gauge(Metric.DAYS_LEFT, name, "Minimum")]
        if manifest.webhook.watched:
            kept.append(bridge_gauge(Metric.UNWATCHED_HOURS, name))
        others = [_graph(f"{name}: keys and webhooks", kept)]
        if Role.ORDER_REQUEST in connection.roles:
            others += _orders(name)
        return [widgets, others]

    def _queues(self, connection: Connection, manifest: Manifest) -> list[str]:
        """Names of a connection's work queues."""
        functions = manifest.functions
        queues = ["pull"] if functions.pull else []
        queues += ["documents", "levels"] if functions.target else []
        return [self._stage.resource(connection.name, queue) for queue in queues]


def _orders(source: str) -> list[cloudwatch.IWidget]:
    return [
        _graph(
            f"{source}: held orders by reason",
            [bridge_gauge(Metric.HELD_ORDERS, source, reason=str(reason)) for reason in HoldReason],
        ),
        _graph(
            f"{source}: orders an hour",
            [
                bridge_gauge(metric, source)
                for metric in (Metric.ORDERS_SEEN, Metric.ORDERS_EXPECTED, Metric.SILENT)
            ],
        ),
    ]


def _ages(names: Iterable[str]) -> Iterable[cloudwatch.IMetric]:
    for name in names:
        for statistic in ("p50", "p99"):
            yield bridge_metric(Metric.AGE_MS, name, statistic)


def _graph(
    title: str,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(
        title=title, left=list(left), right=list(right), width=_WIDTH // 4, height=6
    )


def _depth(queue: str) -> cloudwatch.IMetric:
    return _queue_metric(queue, "ApproximateNumberOfMessagesVisible")


def _oldest(queue: str) -> cloudwatch.IMetric:
    return _queue_metric(queue, "ApproximateAgeOfOldestMessage")


def _queue_metric(queue: str, metric: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=metric,
        dimensions_map={"QueueName": queue},
        statistic="Maximum",
        period=_PERIOD,
    )
