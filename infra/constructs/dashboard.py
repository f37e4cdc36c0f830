"""The dashboard: what came in, what went out, what waits, for each connection."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from fizzbridge.manifest import Manifest
from fizzbridge.settings import Connection
from infra.constructs.alarms import bridge_metric
from infra.stage import Stage

_FLOW = ("received", "rejected", "merged", "tied", "announced", "converged", "held", "parked")


class BridgeDashboard(Construct):
    """One dashboard for the stage; a row of graphs for each connection.

    Metrics are named, not referenced, so that the core stack does not wait for the connections.
    """

    def __init__(
        self,
        scope: Construct,
        stage: Stage,
        connections: Sequence[tuple[Connection, Manifest]],
    ) -> None:
        super().__init__(scope, "Dashboard")
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=stage.resource("dashboard").removesuffix("-dashboard"),
            widgets=[self._row(stage, *connection) for connection in connections],
        )

    def _row(
        self, stage: Stage, connection: Connection, manifest: Manifest
    ) -> list[cloudwatch.IWidget]:
        name = connection.name
        functions = manifest.functions
        queues = ["pull"] if functions.pull else []
        queues += ["documents", "levels"] if functions.target else []
        return [
            _graph(f"{name}: flow", [bridge_metric(metric, name) for metric in _FLOW]),
            _graph(
                f"{name}: age at the target (ms)",
                [bridge_metric("age_ms", name, statistic) for statistic in ("p50", "p99")],
            ),
            _graph(
                f"{name}: waiting",
                [
                    _queue_metric(stage.resource(name, queue), "ApproximateNumberOfMessagesVisible")
                    for queue in [*queues, "dlq"]
                ],
            ),
            _graph(
                f"{name}: oldest message (s)",
                [
                    _queue_metric(stage.resource(name, queue), "ApproximateAgeOfOldestMessage")
                    for queue in queues
                ],
            ),
        ]


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=6, height=6)


def _queue_metric(queue: str, metric: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=metric,
        dimensions_map={"QueueName": queue},
        statistic="Maximum",
        period=Duration.minutes(5),
    )
