"""Census: once an hour, whether what came in came out, and whether all links are where they may be.

Each finding is a log line with ids, and each connection gets its figures, noughts too: an alarm
that hears nothing would not know whether all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from fizzbridge.aws import aws_client
from fizzbridge.logs import group_of, logged
from fizzbridge.observability import Metric, Metrics, log
from fizzbridge.runtime.census import Enumerator, Found
from fizzbridge.runtime.conservation import MARGIN, Balance, Window, balance
from fizzbridge.runtime.wiring import AWS_CALL_S, Ports, now, ports
from fizzbridge.settings import Bridge

READING_S = 200.0
"""How long entities are read; the function has 300 seconds, and the logs take their part."""

SHOWN = 20
"""Findings of one kind that are logged one by one; the figure counts them all."""

Lines = Callable[[str, datetime, datetime], Iterable[Mapping[str, Any]]]
"""Gives what a function of a connection has logged between two times, where it has any."""

HOUR = timedelta(hours=1)


def window(bridge: Bridge, until: datetime) -> Window:
    """The hour that ended with the last full one, and how long a spilled delivery may wait."""
    end = until.replace(minute=0, second=0, microsecond=0)
    return Window(end - HOUR, end, timedelta(seconds=bridge.timing.late_after))


def read(lines: Lines, connection: str, judged: Window) -> Iterator[Mapping[str, Any]]:
    """What the functions of a connection have logged that a judgement of that time needs."""
    since = judged.since - judged.patience - MARGIN
    # A delivery spilled at the end of the hour may be finished at any time after it.
    yield from lines(f"{connection}-webhook", since, judged.until + MARGIN)
    yield from lines(f"{connection}-pull", since, judged.until + judged.patience + MARGIN)


def check(given: Ports, lines: Lines, metrics: Metrics, clock: Callable[[], datetime]) -> None:
    """Check both, and say what was found."""
    bridge = given.bridge
    judged = window(bridge, clock() - MARGIN)
    census = Enumerator.of(bridge, given.table, given.objects, clock).run(READING_S)
    _say("link late", census.late)
    _say("link unaccounted", census.unaccounted)
    late, unaccounted = census.counts("late"), census.counts("unaccounted")
    for connection in (one.name for one in bridge.connections):
        of = balance(read(lines, connection, judged), judged).get(connection, Balance())
        metrics.measure(Metric.IMBALANCE, connection, of.imbalance)
        metrics.measure(Metric.LATE_LINKS, connection, late[connection])
        metrics.measure(Metric.UNACCOUNTED_LINKS, connection, unaccounted[connection])
        if of.imbalance:
            wrong = {kind: list(ids[:SHOWN]) for kind, ids in of.wrong.items()}
            log.error("deliveries do not add up", extra={"connection": connection, **wrong})
    log.info("counted", extra={"entities": census.looked_at, "is_whole": census.is_whole})


def _say(what: str, found: list[Found]) -> None:
    for one in found[:SHOWN]:
        about = {"connection": one.connection, "entity": one.entity, "since": one.since}
        log.warning(what, extra=about | {"reason": one.why})


@cache
def _lines() -> Lines:
    client, stage = aws_client("logs", deadline_s=AWS_CALL_S), ports().settings.stage
    return lambda function, since, until: logged(client, group_of(stage, function), since, until)


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: a tick of the schedule."""
    del event, context
    with Metrics() as metrics:
        check(ports(), _lines(), metrics, now)
