"""Logs and metrics: JSON lines that never hold a secret or anything personal.

Messages are fixed lower-case texts; what varies goes in keys: `log.info("merged", extra={"kind":
kind})`. The formatter hides keys that name secrets or persons, and of an exception it writes types
and places only, because its text may quote a body.

Metrics are written here and not by Powertools: one invocation counts for several connections, and
a dimension of Powertools' holds for the whole of its flush. Its import would cost nothing more.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import TracebackType
from typing import IO, Any, TypeAlias

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

HIDDEN = "(hidden)"
NAMESPACE = "fizzbridge"
BRIDGE = "bridge"
"""The connection named by what belongs to none: a tick of a schedule, a change of a map."""

_EMF_VALUES_LIMIT = 100
_TRACE_LIMIT_LINES = 200

_NEVER = re.compile(
    r"secret|passw|token$|authorization|api_?key|access_?key|signature|cookie|credential|private"
    r"|mail|phone|mobile|address|street|city|zip|postal|postcode|iban|birth"
    r"|^(first|last|full|given|family|customer|contact|recipient)_?name$"
    r"|^(name|note|notes|body|raw|headers|query|payload|content|detail|url|text|intent)$"
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


class Metric(StrEnum):
    """What is counted, per connection."""

    RECEIVED = "received"
    REJECTED = "rejected"
    MERGED = "merged"
    EQUAL = "equal"
    OLDER = "older"
    TIED = "tied"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    SPILLED = "spilled"
    PUT_OFF = "put_off"
    """Deliveries that could not be kept: the vendor was asked to send them again."""
    HINTED = "hinted"
    ANNOUNCED = "announced"
    ASSESSED = "assessed"
    CONVERGED = "converged"
    HELD = "held"
    PARKED = "parked"
    RETRIED = "retried"
    AGE_MS = "age_ms"
    """From the change at the source to the converge."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNHEALTHY = "unhealthy"
    """Looks of the sweeper at a connection whose breaker is not closed."""
    RESUBSCRIBED = "resubscribed"
    """Webhooks that were missing or switched off at the platform, and are there again."""
    IMBALANCE = "imbalance"
    """Deliveries and things told that went in and did not come out, of the last hour."""
    LATE_LINKS = "late_links"
    """Links that are behind for longer than ``late_after``, and not paused."""
    UNACCOUNTED_LINKS = "unaccounted_links"
    """Links that are not as they should be, and that nothing would ever bring back."""
    CANARY_AGE_MS = "canary_age_ms"
    """From a canary order's post to its target."""
    CANARY_MISSING = "canary_missing"
    """Canary orders that should have been at their target."""
    PARKED_LINKS = "parked_links"
    """Entities that are parked at a target now."""
    PARKED_VALUE = "parked_value"
    """Gross of the orders among them, by currency, in whole units."""
    HELD_ORDERS = "held_orders"
    """Orders of a source that are held now, by reason; one with two reasons counts in both."""
    HELD_VALUE = "held_value"
    """Gross of the held orders of a source, by currency, in whole units."""
    ORDERS_SEEN = "orders_seen"
    """Orders of a source placed in the last full hour."""
    ORDERS_EXPECTED = "orders_expected"
    """What the same hour of the week usually brings."""
    SILENT = "silent"
    """1 where a source brings far less than usual, else 0."""
    DAYS_LEFT = "days_left"
    """Until the first of a connection's keys or tokens ends, where that is known."""
    UNWATCHED_HOURS = "unwatched_hours"
    """Since a source's webhooks were last found in place at the platform."""


_UNITS = {
    Metric.AGE_MS: "Milliseconds",
    Metric.CANARY_AGE_MS: "Milliseconds",
    Metric.PARKED_VALUE: "None",
    Metric.HELD_VALUE: "None",
    Metric.DAYS_LEFT: "None",
    Metric.UNWATCHED_HOURS: "None",
}


_Dimensions: TypeAlias = tuple[tuple[str, str], ...]


class Metrics:
    """Counts of one invocation, written as embedded metrics when it ends.

    Used as a context manager around an invocation, it flushes on the way out, after errors too.
    """

    def __init__(
        self,
        write: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Makes an empty set of counts.

        Args:
            write: Takes a line; standard output, as it is at the flush, by default.
            clock: Seconds since the epoch.
        """
        self._write = write
        self._clock = clock
        self._values: dict[_Dimensions, dict[Metric, list[int]]] = {}
        self.correlation_id = ""
        """Of what the invocation is about, where that is one thing; it stands on the lines, and is
        no dimension."""

    def count(self, metric: Metric, connection: str, number: int = 1) -> None:
        """Adds to a count."""
        counts = self._of({"connection": connection}).setdefault(metric, [0])
        counts[0] += number

    def measure(self, metric: Metric, connection: str, value: int, **also: str) -> None:
        """Adds a measured value.

        Args:
            metric: which.
            connection: of which connection.
            value: a whole number: metrics are looked at, nothing is reckoned with them.
            also: further dimensions, for example the reason; few values each, every one is billed.
        """
        self._of({"connection": connection, **also}).setdefault(metric, []).append(value)

    def flush(self) -> None:
        """Writes what was gathered, one line per set of dimensions, and begins anew."""
        values, self._values = self._values, {}
        for dimensions, metrics in values.items():
            while metrics:
                # CloudWatch takes at most 100 values of a metric from one line.
                now = {metric: found[:_EMF_VALUES_LIMIT] for metric, found in metrics.items()}
                self._write_line(dict(dimensions), now)
                rest = {metric: found[_EMF_VALUES_LIMIT:] for metric, found in metrics.items()}
                metrics = {metric: found for metric, found in rest.items() if found}
        self.correlation_id = ""

    def __enter__(self) -> Metrics:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()

    def _of(self, dimensions: dict[str, str]) -> dict[Metric, list[int]]:
        return self._values.setdefault(tuple(dimensions.items()), {})

    def _write_line(self, dimensions: dict[str, str], metrics: dict[Metric, list[int]]) -> None:
        definitions = [
            {"Name": str(metric), "Unit": _UNITS.get(metric, "Count")} for metric in metrics
        ]
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": definitions,
        }
        line = json.dumps(
            {
                "_aws": {
                    "Timestamp": int(self._clock() * 1000),
                    "CloudWatchMetrics": [directive],
                },
                **dimensions,
                **({"correlation_id": self.correlation_id} if self.correlation_id else {}),
                **{str(metric): found for metric, found in metrics.items()},
            },
            separators=(",", ":"),
        )
        (self._write or sys.stdout.write)(line + "\n")


class SafeFormatter(LambdaPowertoolsFormatter):
    """JSON lines without secrets, personal data or texts of exceptions."""

    def serialize(self, log: dict[str, Any]) -> str:  # type: ignore[override]  # wider there
        """Writes a line, its keys checked however they came into it."""
        return str(super().serialize(_shown(log)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Tells the types and places of an exception and its causes, not their texts."""
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(lines) < _TRACE_LIMIT_LINES:
            lines.append(type(error).__name__)
            lines += [
                f"  {frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)


def make_logger(service: str, stream: IO[str] | None = None) -> Logger:
    """Makes a logger; its level comes from Powertools' environment variable.

    Args:
        service: On every line; loggers of one service are one.
        stream: Where the lines go; standard output by default.
    """
    return Logger(
        service=service,
        stream=stream,
        # The structured trace would quote the exception's text.
        logger_formatter=SafeFormatter(utc=True, serialize_stacktrace=False),
    )


log = make_logger(os.environ.get("POWERTOOLS_SERVICE_NAME", NAMESPACE))
"""The logger of all functions."""


@contextmanager
def log_context(correlation_id: str, **keys: str) -> Iterator[None]:
    """Puts the correlation id and other keys on every line logged within."""
    around = dict(log.get_current_keys())
    keys["correlation_id"] = correlation_id
    try:
        with log.append_context_keys(**keys):
            yield
    finally:
        # What was there before is there again.
        log.append_keys(**{name: around[name] for name in keys if name in around})


def new_correlation_id() -> str:
    """Makes an id for what begins here: a delivery, a poll, a command."""
    return uuid.uuid4().hex


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if _is_hidden(str(key)) else _shown(inner) for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_shown(inner) for inner in value]
    return value


def _is_hidden(key: str) -> bool:
    # accessToken, Access-Token and access_token are one.
    return _NEVER.search("_".join(_WORDS.split(key)).lower()) is not None
