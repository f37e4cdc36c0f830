"""Announce: the table's stream becomes facts on the bus.

The stream is the outbox. A record whose facts cannot be put is named in the answer, and Lambda
comes back from there; events are deterministic, so what went out before goes out the same again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fizzbridge.aws import aws_client
from fizzbridge.bus import Bus, BusUnavailableError, Entry, EventBridgeBus
from fizzbridge.model.events import SOURCE_PREFIX, Event
from fizzbridge.observability import Metric, Metrics, log
from fizzbridge.runtime.facts import Fact, facts
from fizzbridge.runtime.wiring import AWS_CALL_S, ports
from fizzbridge.state.dynamodb import from_image
from fizzbridge.state.objects import Objects

OURS = "bridge"
"""Connection named by what belongs to none: a change of a map."""


def entry(fact: Fact) -> Entry:
    """A fact as the bus takes it."""
    detail_type, event = fact
    connection = event.connection if isinstance(event, Event) else OURS
    return Entry(f"{SOURCE_PREFIX}{connection}", detail_type, event.model_dump_json())


def announce(
    records: list[Mapping[str, Any]], bus: Bus, objects: Objects, metrics: Metrics
) -> dict[str, Any]:
    """Put the facts of stream records on the bus; names the first record that must come again."""
    for record in records:
        change = record["dynamodb"]
        before, after = (
            from_image(change[name]) if change.get(name) else None
            for name in ("OldImage", "NewImage")
        )
        found = list(facts(before, after, objects))
        try:
            if found:
                bus.put([entry(fact) for fact in found])
        except BusUnavailableError as error:
            log.warning("facts not announced", extra={"reason": str(error)})
            failed = [{"itemIdentifier": change["SequenceNumber"]}]
            return {"batchItemFailures": failed}
        for _, event in found:
            name = event.connection if isinstance(event, Event) else OURS
            metrics.count(Metric.ANNOUNCED, name)
    return {"batchItemFailures": []}


@cache
def _bus() -> Bus:
    return EventBridgeBus(aws_client("events", deadline_s=AWS_CALL_S), ports().settings.bus)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of the table's stream."""
    del context
    with Metrics() as metrics:
        return announce(event["Records"], _bus(), ports().objects, metrics)
