"""Assess: trade rules and routing, for every entity that moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from fizzbridge.model.entity import EntityRef
from fizzbridge.model.events import DetailType
from fizzbridge.observability import (
    BRIDGE,
    Metric,
    Metrics,
    log,
    log_context,
    new_correlation_id,
)
from fizzbridge.runtime.assess import Assessed, Assessor
from fizzbridge.runtime.batch import Again, Message, process
from fizzbridge.runtime.wiring import now, ports, visibility
from fizzbridge.settings import load_catalogue, load_prices, load_schemes
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Catalogue

INDEX_LAG = timedelta(seconds=5)
"""By then the index of holds has forgotten those that were just released."""


def work(message: Message, assessor: Assessor, metrics: Metrics) -> Again | None:
    """Assess what a message names; a busy entity is left to whoever is at it, and the sweeper."""
    detail, holder = message.body["detail"], f"{message.id}.{message.receives}"
    if message.body["detail-type"] == DetailType.CAUSE_CHANGED:
        with log_context(detail["event_id"], connection=BRIDGE):
            is_more = assessor.release_holds(detail["cause"], detail["event_id"], holder)
            log.info("cause looked after", extra={"cause": detail["cause"], "is_more": is_more})
        return Again(INDEX_LAG) if is_more else None
    ref = EntityRef(kind=detail["kind"], key=detail["key"])
    correlation_id = detail.get("correlation_id") or new_correlation_id()
    with log_context(correlation_id, entity=str(ref), connection=ref.connection):
        came = assessor.run(ref, holder)
        log.info("assessed", extra={"outcome": came})
        if came is Assessed.DONE:
            metrics.count(Metric.ASSESSED, ref.connection)
    return None


@cache
def _assessor() -> Assessor:
    given = ports()
    rules = Rules(given.bridge, Catalogue(load_catalogue()), load_schemes(), load_prices())
    return Assessor(given.table, given.objects, rules, now)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of the assess queue."""
    del context
    with Metrics() as metrics:
        return process(event, lambda message: work(message, _assessor(), metrics), visibility())
