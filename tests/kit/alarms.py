"""Alarms judged as CloudWatch judges them: period, statistic, comparison, dimensions, no data.

The emulator ignores dimensions, looks only when a figure is put, and never returns to OK by time; so
what is deployed there is judged here, from the figures that were put there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True)
class Figure:
    """What was put for a metric at one time."""

    of: Name
    at: datetime
    values: tuple[float, ...]

    @classmethod
    def put(cls, namespace: str, datum: Mapping[str, Any], now: datetime) -> Figure:
        """One entry of a call of PutMetricData; without a time it counts as of now."""
        values = datum["Values"] if "Values" in datum else [datum["Value"]]
        at = datum.get("Timestamp", now)
        return cls(name(namespace, datum["MetricName"], datum["Dimensions"]), at, tuple(values))


@dataclass(frozen=True)
class Alarm:
    """One alarm over one metric."""

    name: str
    of: Name
    statistic: str
    period: timedelta
    threshold: float
    comparison: str
    missing: str

    @classmethod
    def of_api(cls, found: Mapping[str, Any]) -> Alarm:
        """One entry of DescribeAlarms; the properties of a template have the same names."""
        assert found["EvaluationPeriods"] == 1, "more periods than one are not judged here"
        return cls(
            name=found["AlarmName"],
            of=name(found["Namespace"], found["MetricName"], found.get("Dimensions", [])),
            statistic=found["Statistic"],
            period=timedelta(seconds=found["Period"]),
            threshold=found["Threshold"],
            comparison=found["ComparisonOperator"],
            missing=found["TreatMissingData"],
        )

    def state(self, figures: Iterable[Figure], begin: datetime) -> str:
        """How it stands after the period that begins then."""
        end = begin + self.period
        values = [
            value
            for figure in figures
            if figure.of == self.of and begin <= figure.at < end
            for value in figure.values
        ]
        if not values:
            return ALARM if self.missing == "breaching" else OK
        value = _STATISTICS[self.statistic](values)
        return ALARM if _COMPARISONS[self.comparison](value, self.threshold) else OK


def name(namespace: str, metric: str, dimensions: Iterable[Mapping[str, Any]]) -> Name:
    """The name of a metric, its dimensions in any order."""
    return namespace, metric, frozenset((one["Name"], one["Value"]) for one in dimensions)
