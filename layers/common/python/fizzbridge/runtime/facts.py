"""Announce: what a change of a row means, as facts for the bus. Pure.

The table's stream is the outbox: every change comes through here, so there is no second write to
keep in step with the first. A fact's id depends on the row and its content alone, so a record of
the stream read twice gives the same event twice, and consumers drop the second. Ids of what people
are told of have no moment and no count of ours in them: they come out the same when a table that
was restored takes in once more what it knew.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

from fizzbridge.model.assessment import Comparison, RecordAssessment
from fizzbridge.model.documents import InvoiceState, ReturnState, SettlementStatus, ShipmentState
from fizzbridge.model.entity import CHILD_KINDS, EntityRef, Kind, Part
from fizzbridge.model.events import (
    CauseChanged,
    DetailType,
    DriftEvent,
    EntityEvent,
    EntityObserved,
    Event,
    LinkEvent,
    OrderEvent,
    OrderLineFact,
    synced,
)
from fizzbridge.model.order import AssessedLine, OrderAssessment
from fizzbridge.model.states import OrderState
from fizzbridge.runtime import rows
from fizzbridge.state.moments import from_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import Row

Fact: TypeAlias = tuple[DetailType, Event | CauseChanged]

EVENT_LIMIT_BYTES = 60_000
"""An order's lines are left out of an event that would be larger: 64 KB are billed as one event."""

_BOOKS = ("STOCK#", "ACCOUNT#", "EMPTIES#")
_ASSESS_LINK = rows.link_sk(rows.ASSESS)
_ASSESSMENT = rows.part_sk(Part.ASSESSMENT)
BY_STATE: dict[tuple[Kind, str], DetailType] = {
    (Kind.SHIPMENT, ShipmentState.DISPATCHED): DetailType.SHIPMENT_DISPATCHED,
    (Kind.SHIPMENT, ShipmentState.DELIVERED): DetailType.SHIPMENT_DELIVERED,
    (Kind.INVOICE, InvoiceState.ISSUED): DetailType.INVOICE_ISSUED,
    (Kind.INVOICE, InvoiceState.VOIDED): DetailType.INVOICE_VOIDED,
    (Kind.PAYMENT, SettlementStatus.SETTLED): DetailType.PAYMENT_RECEIVED,
    (Kind.REFUND, SettlementStatus.SETTLED): DetailType.REFUND_ISSUED,
    (Kind.RETURN, ReturnState.REQUESTED): DetailType.RETURN_REQUESTED,
    (Kind.RETURN, ReturnState.RECEIVED): DetailType.RETURN_RECEIVED,
}
"""What a document in a state is told as; in any other state it is not told."""

BY_KIND = {
    Kind.CUSTOMER: DetailType.CUSTOMER_CHANGED,
    Kind.PRODUCT: DetailType.PRODUCT_CHANGED,
    Kind.PRICE: DetailType.PRICE_CHANGED,
    Kind.STOCK_LEVEL: DetailType.STOCK_LEVEL_CHANGED,
}
"""What anything else but an order is told as."""


def facts(before: Row | None, after: Row | None, objects: Objects) -> Iterator[Fact]:
    """The facts a row change amounts to; none for a lease, a timeline line, a deletion.

    A row put back by a restore is no news either.
    """
    if after is None or (after.get(rows.RESTORED) and _moved(before, after, rows.RESTORED)):
        return
    pk, sk = rows.text(after, "pk"), rows.text(after, "sk")
    if pk.startswith("MAP#"):
        yield from _mapping(before, after)
    elif pk.startswith(_BOOKS):
        yield from _booked(before, after)
    elif sk == rows.BREAKER_SK:
        yield from _troubled(before, after)
    elif sk == rows.ENQUIRY_SK:
        yield from _enquired(before, after)
    elif sk == _ASSESS_LINK:
        yield from _observed(before, after)
    elif sk == _ASSESSMENT:
        yield from _assessed(before, after, objects)
    elif sk.startswith("LINK#"):
        yield from _linked(before, after)


def _moved(before: Row | None, after: Row, name: str) -> bool:
    return rows.text(before or {}, name) != rows.text(after, name)


def _event_id(after: Row, *of: str) -> str:
    return rows.token(rows.text(after, "pk"), rows.text(after, "sk"), *of)


def _mapping(before: Row | None, after: Row) -> Iterator[Fact]:
    if _moved(before, after, "mapped") or _moved(before, after, "updated_at"):
        cause = f"{rows.text(after, 'pk')}/{rows.text(after, 'sk')}"
        yield _cleared(cause, after, rows.text(after, "mapped"))


def _booked(before: Row | None, after: Row) -> Iterator[Fact]:
    """A row about an order's surroundings: what others were held for may be there now."""
    pk, sk = rows.text(after, "pk"), rows.text(after, "sk")
    if sk == rows.TURN_SK:
        return
    then = before or {}
    cause = ""
    if pk.startswith("STOCK#"):
        is_level = sk.startswith(rows.LEVEL) and _moved(before, after, "fingerprint")
        is_less = rows.number(after, "allotted") < rows.number(then, "allotted")
        is_freed = sk == rows.FREED_SK and _moved(before, after, "updated_at")
        cause = pk if is_level or is_less or is_freed else ""
    elif pk.startswith("EMPTIES#"):
        cause = f"{pk}/{sk.partition('#')[0]}"
    elif Decimal(rows.text(after, "open")) < Decimal(rows.text(then, "open") or "0"):
        cause = rows.credit_cause(EntityRef.parse(pk.removeprefix("ACCOUNT#")))
    if cause:
        unique = ("open", "allotted", "fingerprint", "shipped", "returned")
        yield _cleared(cause, after, *(str(after.get(name, "")) for name in unique))


def _cleared(cause: str, after: Row, *of: str) -> Fact:
    event = CauseChanged(
        event_id=_event_id(after, cause, *of, _at(after)),
        cause=cause,
        occurred_at=from_text(_at(after) or rows.text(after, "observed_at")),
    )
    return DetailType.CAUSE_CHANGED, event


def _troubled(before: Row | None, after: Row) -> Iterator[Fact]:
    """A breaker that has opened: said once, however many probes are in vain after that."""
    since = rows.text(after, "since")
    if since and _moved(before, after, "since"):
        name = rows.text(after, "pk").partition("#")[2]
        yield (
            DetailType.CONNECTION_TROUBLED,
            LinkEvent(
                event_id=_event_id(after, since),
                connection=name,
                kind=Kind.ORDER,
                key=f"{name}/-",
                occurred_at=from_text(since),
                reason=rows.text(after, "reason"),
            ),
        )


def _enquired(before: Row | None, after: Row) -> Iterator[Fact]:
    if "cause" not in after or not _moved(before, after, "asked_at"):
        return
    customer = EntityRef.parse(rows.text(after, "pk"))
    yield (
        DetailType.DATA_REQUESTED,
        EntityEvent(
            event_id=_event_id(after, rows.text(after, "asked_at")),
            connection=rows.text(after, "by"),
            kind=customer.kind,
            key=customer.key,
            occurred_at=from_text(rows.text(after, "asked_at")),
            correlation_id=rows.text(after, "correlation_id"),
        ),
    )


def _observed(before: Row | None, after: Row) -> Iterator[Fact]:
    if not _moved(before, after, "wanted"):
        return
    ref = EntityRef.parse(rows.text(after, "pk"))
    yield (
        DetailType.ENTITY_OBSERVED,
        EntityObserved(
            event_id=_event_id(after, rows.text(after, "wanted")),
            connection=ref.connection,
            kind=ref.kind,
            key=ref.key,
            occurred_at=from_text(_at(after)),
            correlation_id=rows.text(after, "correlation_id"),
        ),
    )


def _assessed(before: Row | None, after: Row, objects: Objects) -> Iterator[Fact]:
    if not _moved(before, after, "fingerprint"):
        return
    ref = EntityRef.parse(rows.text(after, "pk"))
    now = rows.stored_part(after, ref, objects).body
    if isinstance(now, OrderAssessment):
        then = rows.stored_part(before, ref, objects).body if before else None
        previous = then if isinstance(then, OrderAssessment) else None
        for detail_type in _order_types(previous, now):
            yield detail_type, _order_event(detail_type, ref, after, now)
    elif isinstance(now, RecordAssessment) and now.comparison:
        then = rows.stored_part(before, ref, objects).body if before else None
        compared = then.comparison if isinstance(then, RecordAssessment) else None
        yield from _drifted(ref, after, now.comparison, compared)
    elif isinstance(now, RecordAssessment):
        found = BY_STATE.get((ref.kind, now.state)) or BY_KIND.get(ref.kind)
        if found:
            yield found, _entity_event(found, ref, after, now)
        if now.standing:
            # Another limit, another balance: what was held for the account's credit may go on.
            yield _cleared(rows.credit_cause(ref), after, now.content)


def _drifted(
    ref: EntityRef, after: Row, now: Comparison, then: Comparison | None
) -> Iterator[Fact]:
    """A difference that is news; figures that go on differing are not."""
    known = {(one.field, one.is_unholdable) for one in then.differences} if then else set()
    known |= {(field, True) for field in then.unholdable} if then else set()
    if now.owner and {(one.field, one.is_unholdable) for one in now.differences} - known:
        yield (
            DetailType.DRIFT_FOUND,
            DriftEvent(
                event_id=_event_id(after, rows.text(after, "version"), _content(after)),
                connection=ref.connection,
                kind=ref.kind,
                key=now.owner.key,
                occurred_at=from_text(rows.text(after, "observed_at")),
                correlation_id=rows.text(after, "correlation_id"),
                told=ref.key,
                sku=now.sku,
                differences=now.differences,
            ),
        )


def _order_types(then: OrderAssessment | None, now: OrderAssessment) -> Iterator[DetailType]:
    if now.state is OrderState.CANCELLED:
        is_news = then is None or then.state is not OrderState.CANCELLED
        yield DetailType.ORDER_CANCELLED if is_news else DetailType.ORDER_CHANGED
        return
    if then is None:
        # What was placed before the cut-over is told as a change: nobody is to be notified of it.
        yield DetailType.ORDER_CHANGED if now.is_historical else DetailType.ORDER_PLACED
        if now.holds:
            yield DetailType.ORDER_HELD
        return
    opened = {hold.cause for hold in now.holds} - {hold.cause for hold in then.holds}
    if opened:
        yield DetailType.ORDER_HELD
    elif then.holds and not now.holds:
        yield DetailType.ORDER_RELEASED
    else:
        yield DetailType.ORDER_CHANGED


def _order_event(
    detail_type: DetailType, ref: EntityRef, after: Row, order: OrderAssessment
) -> OrderEvent:
    event = OrderEvent(
        event_id=_event_id(after, *_told_once(detail_type, after)),
        connection=ref.connection,
        targets=order.targets,
        kind=ref.kind,
        key=ref.key,
        occurred_at=from_text(rows.text(after, "observed_at")),
        correlation_id=rows.text(after, "correlation_id"),
        number=order.number,
        state=order.state,
        order_class=order.order_class,
        channel=order.channel,
        ship_country=order.ship_country,
        currency=order.currency,
        totals=order.totals,
        lines=tuple(map(_line, order.lines)),
        line_count=len(order.lines),
        tax_point=order.tax_point,
        is_historical=order.is_historical,
        holds=tuple(dict.fromkeys(hold.reason for hold in order.holds)),
    )
    is_small = len(event.model_dump_json().encode()) <= EVENT_LIMIT_BYTES
    return event if is_small else event.model_copy(update={"lines": ()})


def _told_once(detail_type: DetailType, after: Row) -> tuple[str, ...]:
    """What makes an order's event another one.

    It is placed once. Held again for the same reasons, or let go again, it is news again; but what
    was told as a release is not told once more as a change.
    """
    if detail_type is DetailType.ORDER_PLACED:
        return (detail_type,)
    if detail_type is DetailType.ORDER_CANCELLED:
        return (detail_type, _content(after))
    often = str(rows.number(after, rows.HELD))
    if detail_type in {DetailType.ORDER_CHANGED, DetailType.ORDER_RELEASED}:
        return (_content(after), often)
    return (detail_type, _content(after), often)


def _line(line: AssessedLine) -> OrderLineFact:
    return OrderLineFact(
        type=line.type,
        sku=line.sku,
        base_quantity=line.quantity.base if line.quantity else None,
        amount=line.amount,
        tax=line.tax,
    )


def _entity_event(
    detail_type: DetailType, ref: EntityRef, after: Row, record: RecordAssessment
) -> EntityEvent:
    # Where else a document goes is no news of the document; a figure that is back is one.
    figure = (rows.text(after, "version"), _content(after))
    unique = (record.content,) if ref.kind in CHILD_KINDS else figure
    return EntityEvent(
        event_id=_event_id(after, detail_type, *unique),
        connection=ref.connection,
        targets=record.targets,
        kind=ref.kind,
        key=ref.key,
        occurred_at=from_text(rows.text(after, "observed_at")),
        correlation_id=rows.text(after, "correlation_id"),
        order=record.order.key if record.order else "",
        state=record.state,
        amount=record.amount,
        currency=record.currency,
    )


def _linked(before: Row | None, after: Row) -> Iterator[Fact]:
    ref = EntityRef.parse(rows.text(after, "pk"))
    external_id, stamp = rows.text(after, "external_id"), rows.text(after, "stamp")
    if _moved(before, after, "external_id") and external_id:
        is_order = ref.kind is Kind.ORDER
        detail_type = DetailType.ORDER_BOOKED if is_order else synced(ref.kind)
        yield detail_type, _link_event(detail_type, ref, after, external_id)
    elif _moved(before, after, "stamp") and stamp:
        yield synced(ref.kind), _link_event(synced(ref.kind), ref, after, external_id, stamp)
    if rows.text(after, "status") == "parked" and _moved(before, after, "status"):
        # Parked again after somebody sent it back is news again.
        again = str(rows.number(after, "redriven"))
        why = (rows.text(after, "wanted"), rows.text(after, "reason"), again)
        yield DetailType.EXPORT_FAILED, _link_event(DetailType.EXPORT_FAILED, ref, after, *why)


def _link_event(detail_type: DetailType, ref: EntityRef, after: Row, *of: str) -> LinkEvent:
    external_id = rows.text(after, "external_id")
    generation = rows.number(after, "generation")
    # An id is saved before the row lets go of why the attempts before it failed.
    failed = detail_type is DetailType.EXPORT_FAILED
    return LinkEvent(
        event_id=_event_id(after, detail_type, str(generation), *of),
        connection=rows.text(after, "sk").removeprefix("LINK#"),
        kind=ref.kind,
        key=ref.key,
        occurred_at=from_text(_at(after)),
        correlation_id=rows.text(after, "correlation_id"),
        external_id=external_id,
        generation=generation,
        reason=rows.text(after, "reason") if failed else "",
        cause=rows.text(after, "cause") if failed else "",
    )


def _at(after: Row) -> str:
    return rows.text(after, "updated_at")


def _content(after: Row) -> str:
    return rows.text(after, "fingerprint")
