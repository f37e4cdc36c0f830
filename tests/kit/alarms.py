"""Alarms judged as CloudWatch judges them: period, statistic, comparison, dimensions, no data.

The emulator ignores dimensions, looks only when a figure is put, and never returns to OK by time:
what is deployed there is judged here, from the figures that were put there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Name = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions: what CloudWatch calls one metric."""

OK, ALARM = "OK", "ALARM"

_STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min}
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_DAY_S = 86_400


def name(namespace: str, metric: str, dimensions: Iterable[Mapping[str, str]]) -> Name:
    """The name of a metric, its dimensions in any order."""
    return namespace, metric, frozenset((one["Name"], one["Value"]) for one in dimensions)


@dataclass(frozen=True)
class Alarm:
    """One alarm over one metric, as DescribeAlarms tells it; a template has the same names."""

    name: str
    of: Name
    statistic: str
    period: timedelta
    threshold: float
    comparison: str
    missing: str
    text: str

    @classmethod
    def of_api(cls, found: Mapping[str, Any]) -> Alarm:
        """Read one, which must look at a single period."""
        assert found["EvaluationPeriods"] == 1
        return cls(
            name=found["AlarmName"],
            of=name(found["Namespace"], found["MetricName"], found.get("Dimensions", [])),
            statistic=found["Statistic"],
            period=timedelta(seconds=found["Period"]),
            threshold=float(found["Threshold"]),
            comparison=found["ComparisonOperator"],
            missing=found["TreatMissingData"],
            text=found["AlarmDescription"],
        )

    @property
    def page(self) -> str:
        """Its runbook."""
        return self.text.rsplit("/", 1)[1].removesuffix(".md")

    def judge(self, values: Sequence[float]) -> str:
        """How it stands after a period with these figures of its metric."""
        if not values:
            return ALARM if self.missing == "breaching" else OK
        value = _STATISTICS[self.statistic](values)
        return ALARM if _COMPARISONS[self.comparison](value, self.threshold) else OK


class CloudWatch:
    """Figures and alarms as they are in the emulator."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def alarms(self) -> list[Alarm]:
        """Every alarm that is deployed."""
        pages = self._client.get_paginator("describe_alarms").paginate()
        return [Alarm.of_api(found) for page in pages for found in page["MetricAlarms"]]

    def names(self) -> set[Name]:
        """Every metric of which there is a figure."""
        pages = self._client.get_paginator("list_metrics").paginate()
        return {
            name(found["Namespace"], found["MetricName"], found["Dimensions"])
            for page in pages
            for found in page["Metrics"]
        }

    def figures(self, alarm: Alarm, begin: datetime) -> list[float]:
        """What an alarm looks at in the period that begins then."""
        namespace, metric, dimensions = alarm.of
        found = self._client.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in sorted(dimensions)],
            StartTime=begin,
            EndTime=begin + alarm.period,
            Period=_DAY_S,
            Statistics=[alarm.statistic],
        )
        return [point[alarm.statistic] for point in found["Datapoints"]]

    def state(self, alarm: Alarm, begin: datetime) -> str:
        """How it stands after that period."""
        return alarm.judge(self.figures(alarm, begin))


def shown(body: Mapping[str, Any]) -> set[Name]:
    """Every metric a dashboard names, its body spelt out."""
    return {
        one for widget in body["widgets"] for one in _named(widget["properties"].get("metrics", []))
    }


def _named(lines: Iterable[Sequence[Any]]) -> Iterable[Name]:
    for line in lines:
        namespace, metric, *rest = [part for part in line if isinstance(part, str)]
        assert "." not in {namespace, metric}, "shorthand is not read here"
        yield namespace, metric, frozenset(zip(rest[::2], rest[1::2], strict=True))
