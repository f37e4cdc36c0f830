"""All that happened to an order, or to what belongs to it. Codes and ids, no personal data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli import orders
from cli.stack import Stack
from cli.tool import Tool, clock, command, grid
from fizzbridge.model.documents import (
    InvoiceState,
    Payment,
    Refund,
    SettlementStatus,
    Shipment,
    ShipmentState,
)
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.model.order import OrderAssessment
from fizzbridge.model.states import billing, fulfilment, settlement
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.view import View
from fizzbridge.state import Row

app = typer.Typer()

_PLUMBING = frozenset({"pk", "sk", "at", "what", "expires_at"})
_LINK_FACTS = ("external_id", "status", "generation", "attempts", "reason", "cause")
_LINK_COLUMNS = ("external_id", "generation", "attempts", "reason")
_OUT = frozenset({ShipmentState.DISPATCHED, ShipmentState.DELIVERED})


@dataclass(frozen=True)
class Happening:
    """One thing that happened."""

    at: str
    entity: str
    what: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """An order as it stands, and how it came to be so.

    Attributes:
        order: the order.
        facts: number, class, channel, totals: what the bus may say of it.
        axes: its four states.
        parts: version and owner of every part, the order's and its documents'.
        links: where it is, or why not.
        holds: why it waits.
        happenings: everything on record, oldest first.
    """

    order: str
    facts: Mapping[str, Any]
    axes: Mapping[str, str]
    parts: list[dict[str, str]]
    links: list[dict[str, Any]]
    holds: list[dict[str, str]]
    happenings: list[Happening]


def trace(stack: Stack, ref: EntityRef) -> Trace:
    """Everything on record about an order and its documents."""
    view = Loader(stack.table, stack.objects).view(ref)
    entities = [ref, *(child.ref for child in view.children)]
    found = {entity: stack.table.query(str(entity)) for entity in entities}
    happenings = {
        # Documents tell on their order's timeline too: one line for one thing.
        (happening.at, happening.entity, happening.what, *happening.details.values()): happening
        for entity, listed in found.items()
        for happening in _happenings(entity, listed)
    }
    return Trace(
        order=str(ref),
        facts=facts(view.assessment),
        axes=axes(view),
        parts=[
            {
                "entity": str(entity),
                "part": rows.text(row, "sk").removeprefix("PART#"),
                "owner": rows.text(row, "connection"),
                "version": rows.text(row, "version"),
                "observed_at": rows.text(row, "observed_at"),
                "state": "deleted" if row.get("deleted") else "",
            }
            for entity, row in _of(found, "PART#")
        ],
        links=[_link(entity, row) for entity, row in _of(found, "LINK#")],
        holds=[
            {
                "hold": rows.text(row, "sk").removeprefix("HOLD#"),
                "message": rows.text(row, "message"),
                "waits_for": rows.text(row, "cause"),
                "blocks": rows.text(row, "blocks"),
                "released_at": rows.text(row, "released_at"),
            }
            for _, row in _of(found, "HOLD#")
        ],
        happenings=sorted(happenings.values(), key=lambda one: one.at),
    )


def facts(assessment: OrderAssessment | None) -> dict[str, Any]:
    """What we make of the order; empty while it is not assessed."""
    if assessment is None:
        return {}
    return assessment.model_dump(
        mode="json",
        include={
            "number",
            "order_class",
            "class_reason",
            "channel",
            "ship_country",
            "currency",
            "totals",
            "tax_point",
            "is_historical",
            "targets",
            "skipped",
        },
    )


def axes(view: View) -> dict[str, str]:
    """The four states of an order: one is kept, three are folded from its documents."""
    if view.assessment is None:
        return {}
    gross = view.assessment.totals.gross
    documents = view.documents
    shipments = documents.shipments
    invoices = [one for one in documents.invoices if one.state is InvoiceState.ISSUED]
    request = view.request
    wanted = (
        {line.id: line.quantity for line in request.lines if line.is_stocked} if request else {}
    )
    return {
        "order": view.assessment.state,
        "fulfilment": fulfilment(
            wanted,
            [_shipped(one) for one in shipments if one.state in _OUT],
            [_shipped(one) for one in shipments if one.state is ShipmentState.DELIVERED],
        ),
        "billing": billing(
            gross,
            [one.totals.gross for one in invoices if not one.credits],
            [one.totals.gross for one in invoices if one.credits],
        ),
        "settlement": settlement(gross, _settled(documents.payments), _settled(documents.refunds)),
    }


def _shipped(shipment: Shipment) -> dict[str, int]:
    quantities: dict[str, int] = {}
    for line in shipment.lines:
        quantities[line.order_line_id] = quantities.get(line.order_line_id, 0) + line.quantity
    return quantities


def _settled(moved: Iterable[Payment | Refund]) -> list[Decimal]:
    return [one.amount for one in moved if one.status is SettlementStatus.SETTLED]


def _of(found: Mapping[EntityRef, list[Row]], prefix: str) -> Iterator[tuple[EntityRef, Row]]:
    for entity, listed in found.items():
        for row in listed:
            if rows.text(row, "sk").startswith(prefix):
                yield entity, row


def _link(entity: EntityRef, row: Row) -> dict[str, Any]:
    return {
        "entity": str(entity),
        "to": rows.text(row, "sk").removeprefix("LINK#"),
        "in_step": row.get("wanted") == row.get("synced"),
        **{name: row[name] for name in _LINK_FACTS if name in row},
    }


def _happenings(entity: EntityRef, listed: list[Row]) -> Iterator[Happening]:
    for row in listed:
        sk = rows.text(row, "sk")
        if sk.startswith("TIMELINE#"):
            details = {key: str(row[key]) for key in sorted(row.keys() - _PLUMBING) if row[key]}
            about = details.pop("entity", str(entity))
            yield Happening(rows.text(row, "at"), about, rows.text(row, "what"), details)
        elif sk.startswith("HOLD#"):
            yield from _hold(entity, sk.removeprefix("HOLD#"), row)


def _hold(entity: EntityRef, name: str, row: Row) -> Iterator[Happening]:
    details = {"hold": name, "message": rows.text(row, "message")}
    yield Happening(rows.text(row, "opened_at"), str(entity), "held", details)
    if released := rows.text(row, "released_at"):
        yield Happening(
            released, str(entity), "released", {"hold": name, "by": rows.text(row, "by")}
        )


@command(app, "trace")
def trace_command(
    tool: Tool,
    order: Annotated[
        str,
        typer.Argument(
            metavar="ORDER",
            help="Number (FZ1001) or key (shop-uk/5501); of anything else its kind and key.",
        ),
    ],
) -> None:
    """Show all that happened to one order, and where it stands."""
    found = trace(tool.stack, orders.find(tool.stack, order))

    def other(entity: str) -> str:
        return "" if entity == found.order else entity

    shown = [
        grid("", found.order, rows=_head(found)),
        grid(
            "when (UTC)",
            "of",
            "what",
            "details",
            title="What happened",
            rows=[
                (clock(one.at), other(one.entity), one.what, _details(one))
                for one in found.happenings
            ],
        ),
        grid(
            *("of", "target", "status", *(name.replace("_", " ") for name in _LINK_COLUMNS)),
            title="Where it is",
            rows=[
                (
                    *(other(link["entity"]), link["to"], link.get("status", "")),
                    *(link.get(name) or "" for name in _LINK_COLUMNS),
                )
                for link in found.links
                if link["to"] != rows.ASSESS or not link["in_step"]
            ],
        ),
    ]
    if found.holds:
        shown.append(
            grid(
                "why",
                "waits for",
                "released (UTC)",
                title="Holds",
                rows=[
                    (hold["message"], hold["waits_for"], clock(hold["released_at"]))
                    for hold in found.holds
                ],
            )
        )
    tool.answer(asdict(found), *shown)


def _head(found: Trace) -> list[tuple[str, str]]:
    if not found.order.startswith(Kind.ORDER):
        return []
    if not found.facts:
        return [("number", "not assessed yet")]
    facts = found.facts
    ids = (one.details.get("correlation_id") for one in reversed(found.happenings))
    return [
        ("number", facts["number"]),
        ("class", f"{facts['order_class']}: {facts['class_reason']}"),
        ("total", f"{facts['totals']['gross']} {facts['currency']}"),
        ("goes to", _goes_to(facts)),
        *found.axes.items(),
        ("last correlation id", next(filter(None, ids), "")),
    ]


def _goes_to(facts: Mapping[str, Any]) -> str:
    return ", ".join(facts["targets"]) or f"nowhere: {facts['skipped'] or 'no route takes it'}"


def _details(one: Happening) -> str:
    """What is said of a happening, in a line; the correlation id is for logs and in the JSON."""
    told = {name: value for name, value in one.details.items() if name != "correlation_id"}
    return " ".join(f"{name}={value}" for name, value in told.items())
