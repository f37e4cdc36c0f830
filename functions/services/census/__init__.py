"""Census: once an hour, whether what came in came out, and whether all links are where they may be.

Each finding is a log line with ids, and each connection gets its figures, noughts too: an alarm
that hears nothing would not know whether all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from fizzbridge.aws import aws_client
from fizzbridge.logs import group_of, logged
from fizzbridge.observability import (
    BRIDGE,
    Metric,
    Metrics,
    log,
    log_context,
    new_correlation_id,
)
from fizzbridge.runtime.census import Enumerator, Found
from fizzbridge.runtime.conservation import (
    MARGIN,
    Balance,
    Window,
    balance,
    gist,
    moment_of,
)
from fizzbridge.runtime.wiring import Ports, now, ports
from fizzbridge.settings import Bridge

READING_S = 150.0
"""How long entities are read, and after them the logs: the function has 300 seconds."""

LOGS_S = 100.0

LINES_AT_MOST = 200_000
"""Of one function: what the census has memory for. Of a connection that writes more in an hour, the
first part of the hour is judged."""

CALL_S = 20.0
"""Longest call for a page of a log: ten thousand lines."""

SHOWN = 20
"""Findings of one kind that are logged one by one; the figure counts them all."""

Lines = Callable[[str, datetime, datetime], Iterable[Mapping[str, Any]]]
"""Gives what a function of a connection has logged between two times, where it has any."""

HOUR = timedelta(hours=1)


def window(bridge: Bridge, until: datetime) -> Window:
    """The hour that ended with the last full one, and how long a spilled delivery may wait."""
    end = until.replace(minute=0, second=0, microsecond=0)
    return Window(end - HOUR, end, timedelta(seconds=bridge.timing.late_after))


def account(
    lines: Lines, connection: str, judged: Window, goes_on: Callable[[], bool]
) -> tuple[Balance, bool]:
    """The account of a connection, and whether it is of all that time.

    Args:
        lines: what functions have logged.
        connection: whose account.
        judged: of what time.
        goes_on: whether there is time left to read; what was not read is not judged.
    """
    since = judged.since - judged.patience - MARGIN
    found: list[Mapping[str, Any]] = []
    is_whole = True
    for line in lines(f"{connection}-webhook", since, judged.until + MARGIN):
        if len(found) >= LINES_AT_MOST or not goes_on():
            is_whole = False
            last = moment_of(found[-1]) if found else judged.since
            judged = replace(judged, until=max(judged.since, last - MARGIN))
            break
        found.append(gist(line))
    # A delivery spilled at the end of the hour may be finished at any time after it.
    until = judged.until + judged.patience + MARGIN
    found += map(gist, islice(lines(f"{connection}-pull", since, until), LINES_AT_MOST))
    return balance(found, judged).get(connection, Balance()), is_whole


def check(given: Ports, lines: Lines, metrics: Metrics, clock: Callable[[], datetime]) -> None:
    """Check both, and say what was found."""
    bridge = given.bridge
    judged = window(bridge, clock() - MARGIN)
    census = Enumerator.of(bridge, given.table, given.objects, clock).run(READING_S)
    _say("link late", census.late)
    _say("link unaccounted", census.unaccounted)
    late, unaccounted = census.counts("late"), census.counts("unaccounted")
    is_whole, ends = census.is_whole, clock() + timedelta(seconds=LOGS_S)
    for connection in (one.name for one in bridge.connections):
        of, is_all = account(lines, connection, judged, lambda: clock() < ends)
        is_whole &= is_all
        metrics.measure(Metric.IMBALANCE, connection, of.imbalance)
        metrics.measure(Metric.LATE_LINKS, connection, late[connection])
        metrics.measure(Metric.UNACCOUNTED_LINKS, connection, unaccounted[connection])
        if of.imbalance:
            wrong = {kind: list(ids[:SHOWN]) for kind, ids in of.wrong.items()}
            log.error("deliveries do not add up", extra={"connection": connection, **wrong})
    log.info("counted", extra={"entities": census.looked_at, "is_whole": is_whole})


def _say(what: str, found: list[Found]) -> None:
    for one in found[:SHOWN]:
        about = {"connection": one.connection, "entity": one.entity, "since": one.since}
        log.warning(what, extra=about | {"reason": one.why})


@cache
def _lines() -> Lines:
    client, stage = aws_client("logs", deadline_s=CALL_S), ports().settings.stage
    return lambda function, since, until: logged(client, group_of(stage, function), since, until)


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: a tick of the schedule."""
    del event, context
    with log_context(new_correlation_id(), connection=BRIDGE), Metrics() as metrics:
        check(ports(), _lines(), metrics, now)
