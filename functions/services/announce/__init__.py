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
from fizzbridge.model.events import SOURCE_PREFIX, CauseChanged, Event
from fizzbridge.observability import (
    BRIDGE,
    Metric,
    Metrics,
    log,
    log_context,
    new_correlation_id,
)
from fizzbridge.runtime.facts import Fact, facts
from fizzbridge.runtime.wiring import AWS_CALL_S, ports
from fizzbridge.state.dynamodb import from_image
from fizzbridge.state.objects import Objects


def entry(fact: Fact) -> Entry:
    """A fact as the bus takes it."""
    detail_type, event = fact
    return Entry(f"{SOURCE_PREFIX}{_connection(event)}", detail_type, event.model_dump_json())


def _connection(event: Event | CauseChanged) -> str:
    return event.connection if isinstance(event, Event) else BRIDGE


def _said(fact: Fact, metrics: Metrics) -> None:
    """Count a fact and say it in the log, under the id of the delivery that it came of."""
    detail_type, event = fact
    name = _connection(event)
    metrics.count(Metric.ANNOUNCED, name)
    about = event if isinstance(event, Event) else None
    correlation_id = about.correlation_id if about else event.event_id
    with log_context(correlation_id or event.event_id, connection=name):
        entity = f"{about.kind}#{about.key}" if about else ""
        log.info("announced", extra={"detail_type": detail_type, "entity": entity})


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
        for fact in found:
            _said(fact, metrics)
    return {"batchItemFailures": []}


@cache
def _bus() -> Bus:
    return EventBridgeBus(aws_client("events", deadline_s=AWS_CALL_S), ports().settings.bus)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of the table's stream."""
    del context
    with log_context(new_correlation_id(), connection=BRIDGE), Metrics() as metrics:
        return announce(event["Records"], _bus(), ports().objects, metrics)
