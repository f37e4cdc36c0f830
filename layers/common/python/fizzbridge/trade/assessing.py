"""What the trade makes of what the systems say. Pure; ``runtime.assess`` stores the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Invoice, Payment, Refund, Return, Shipment
from fizzbridge.model.entity import Kind
from fizzbridge.model.order import (
    AssessedLine,
    DocumentLine,
    Hold,
    HoldReason,
    LineType,
    OrderAssessment,
    OrderProcessing,
    OrderRequest,
)
from fizzbridge.model.states import OrderState, move
from fizzbridge.settings import Bridge, Condition, Connection
from fizzbridge.trade.classes import classify
from fizzbridge.trade.packs import Catalogue, Counted, by_line, count

COUNTED_TYPES = frozenset({LineType.GOODS, LineType.FREE_GOODS})


@dataclass(frozen=True)
class SkuMap:
    """A source's own codes for our items.

    Attributes:
        find: our code for the source's code; None where nobody said.
        cause: the cause key of a missing row.
    """

    find: Callable[[str], str | None]
    cause: Callable[[str], str]


@dataclass(frozen=True)
class OrderFacts:
    """All an order's assessment depends on.

    Attributes:
        request: what the buyer asked for; None where the shop deleted the order.
        processing: what the ERP did, where it said.
        previous: the assessment as it stands.
        customer: the account, where known.
        held_at_targets: open holds that name one target.
    """

    request: OrderRequest | None
    processing: OrderProcessing | None = None
    previous: OrderAssessment | None = None
    customer: Customer | None = None
    held_at_targets: tuple[Hold, ...] = ()


def assess_order(
    facts: OrderFacts, source: Connection, bridge: Bridge, catalogue: Catalogue, skus: SkuMap
) -> OrderAssessment | None:
    """Assess an order; None while nobody has said what was ordered."""
    request, previous = facts.request, facts.previous
    if request is None:
        return _cancelled(previous) if previous else None
    tax_point = (
        previous.tax_point
        if previous
        else request.placed_at.astimezone(ZoneInfo(bridge.company.time_zone)).date()
    )
    counted, holds = _count(request.lines, tax_point, catalogue, skus)
    order_class, reason = classify(request, facts.customer, counted.values(), bridge.limits)
    is_historical = request.placed_at < source.start_at
    # What was placed before the cut-over is exported nowhere: there is nothing to hold.
    holds = () if is_historical else holds + facts.held_at_targets
    return OrderAssessment(
        number=request.number,
        state=_state(facts, is_held=bool(holds)),
        order_class=order_class,
        class_reason=reason,
        channel=request.channel,
        ship_country=request.ship_country,
        currency=request.currency,
        tax_included=request.tax_included,
        lines=tuple(_assessed(line, counted.get(line.id)) for line in request.lines),
        totals=request.totals,
        tax_point=tax_point,
        placed_at=request.placed_at,
        is_historical=is_historical,
        holds=holds,
        skipped="test order" if request.is_test else "",
        content=request.fingerprint(),
    )


def _count(
    lines: Iterable[DocumentLine], day: date, catalogue: Catalogue, skus: SkuMap
) -> tuple[Mapping[str, Counted], tuple[Hold, ...]]:
    counted, holds = [], []
    for line in lines:
        if line.type not in COUNTED_TYPES or not line.is_stocked:
            continue
        sold = catalogue.find(line, skus.find(line.sku) if line.sku else None, day)
        if sold is None:
            holds.append(_unknown(line, catalogue, skus))
            continue
        try:
            counted.append(count(line, sold))
        except ValueError as error:
            cause = skus.cause(line.sku or "")
            holds.append(Hold(reason=HoldReason.MAPPING, message=str(error), cause=cause))
    return by_line(counted), tuple(holds)


def _unknown(line: DocumentLine, catalogue: Catalogue, skus: SkuMap) -> Hold:
    code = line.sku or f"line {line.id} without SKU"
    near = catalogue.suggest(line.sku) if line.sku else None
    proposal = f"; did you mean {near}?" if near else ""
    return Hold(
        reason=HoldReason.MAPPING,
        message=f"line {line.id}: SKU {code} is not in the catalogue{proposal}",
        cause=skus.cause(line.sku or line.id),
    )


def _assessed(line: DocumentLine, counted: Counted | None) -> AssessedLine:
    return AssessedLine(
        id=line.id,
        type=line.type,
        sku=counted.sold.item.sku if counted else None,
        quantity=counted.quantity if counted else None,
        amount=line.amount,
        tax=line.tax,
    )


def _state(facts: OrderFacts, *, is_held: bool) -> OrderState:
    before = facts.previous.state if facts.previous else OrderState.RECEIVED
    state = move(before, OrderState.HELD if is_held else OrderState.CONFIRMED)
    if facts.processing:
        if facts.processing.state is OrderState.CLOSED:
            # Told of the end alone, we know what lies before it, too.
            state = move(state, OrderState.RELEASED)
        state = move(state, facts.processing.state)
    if facts.request and facts.request.cancelled_at:
        state = move(state, OrderState.CANCELLED)
    return state


def _cancelled(previous: OrderAssessment) -> OrderAssessment:
    """The shop deleted the order: for everyone else it is cancelled."""
    state = move(previous.state, OrderState.CANCELLED)
    return previous.model_copy(update={"state": state, "content": ""})


def assess_record(record: Frozen, source: Connection) -> RecordAssessment:
    """Assess anything that is not an order: what the bus may say of it."""
    content = record.fingerprint()
    match record:
        case Payment() | Refund():
            return RecordAssessment(
                content=content,
                state=record.status,
                order=record.order,
                amount=record.amount,
                currency=record.currency,
                is_historical=record.at < source.start_at,
            )
        case Invoice():
            return RecordAssessment(
                content=content,
                state=record.state,
                order=record.order,
                amount=record.totals.gross,
                currency=record.currency,
            )
        case Shipment() | Return():
            return RecordAssessment(content=content, state=record.state, order=record.order)
        case _:
            return RecordAssessment(content=content)


_FIELDS: Mapping[Condition, str] = {
    "class": "order_class",
    "channel": "channel",
    "ship_country": "ship_country",
    "currency": "currency",
}


def route(kind: Kind, source: str, assessment: Frozen, bridge: Bridge) -> tuple[str, ...]:
    """The connections an entity goes to, in the order of the bridge file."""
    if isinstance(assessment, OrderAssessment) and assessment.skipped:
        return ()
    found = {
        target
        for route in bridge.routes
        if kind in route.kinds and source in route.sources
        for target in route.targets
        if _matches(route.where, assessment)
    }
    return tuple(c.name for c in bridge.connections if c.name in found)


def _matches(where: Mapping[Condition, tuple[str, ...]], assessment: Frozen) -> bool:
    return all(
        str(getattr(assessment, _FIELDS[name], None)) in values for name, values in where.items()
    )
