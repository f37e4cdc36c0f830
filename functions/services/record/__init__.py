"""Record: what the bus says is written on the timeline of the entity it is about.

A line's key comes from the event's id and time, so an event that arrives twice is one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fizzbridge.model.entity import EntityRef
from fizzbridge.observability import log, log_context, new_correlation_id
from fizzbridge.runtime import rows
from fizzbridge.runtime.batch import Again, Message, process
from fizzbridge.runtime.wiring import ports, visibility
from fizzbridge.state.moments import from_text
from fizzbridge.state.table import Table, Value

SHOWN = ("connection", "state", "external_id", "reason", "sku", "told", "correlation_id")


def work(message: Message, table: Table) -> Again | None:
    """Write one event's line."""
    detail = message.body["detail"]
    ref = EntityRef(kind=detail["kind"], key=detail["key"])
    details: dict[str, Value] = {name: detail[name] for name in SHOWN if detail.get(name)}
    if detail.get("holds"):
        details["holds"] = list(detail["holds"])
    if detail.get("differences"):
        details["differences"] = list(map(_difference, detail["differences"]))
    name = detail.get("connection") or ref.connection
    correlation_id = detail.get("correlation_id") or new_correlation_id()
    with log_context(correlation_id, entity=str(ref), connection=name):
        table.write(
            rows.timeline(
                ref,
                from_text(detail["occurred_at"]),
                detail["event_id"][:12],
                message.body["detail-type"],
                details.items(),
            )
        )
        log.info("recorded", extra={"what": message.body["detail-type"]})
    return None


def _difference(found: Mapping[str, str]) -> str:
    return f"{found['field']}: {found['told']}, not {found['owner_says']}"


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of the record queue."""
    del context
    return process(event, lambda message: work(message, ports().table), visibility())
