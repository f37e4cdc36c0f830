"""What Business Central holds of our orders, in canonical terms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Return,
    ReturnState,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import DocumentLine, LineType, OrderProcessing, TaxShare, Totals
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.business_central.lines import code, is_comment
from platforms.business_central.wire import (
    Bill,
    BillLine,
    PostedShipment,
    SalesLine,
    SalesOrder,
    ShipmentLine,
)

_STATES = {"In Review": OrderState.HELD, "Open": OrderState.RELEASED}
_GOODS = frozenset({LineType.GOODS, LineType.FREE_GOODS})

Moved = Mapping[str, Decimal]
"""What the item ledger counts of a document, by item, in the item's base unit."""


def order(told: SalesOrder, connection: str) -> Seen:
    """How far an order is that is still one."""
    lines = [line for line in told.sales_order_lines if not is_comment(line)]
    state = _STATES.get(told.status, OrderState.CONFIRMED)
    if any(line.shipped_quantity for line in lines):
        state = OrderState.RELEASED
    if any(line.invoiced_quantity for line in lines) and all(map(_is_done, lines)):
        # What is billed together with other orders stays until somebody tidies up.
        state = OrderState.CLOSED
    return _progress(told.id, told.number, state, told.last_modified_date_time, connection)


def _is_done(line: SalesLine) -> bool:
    """Whether all of a line has left and is billed; what comes back is negative."""
    return min(abs(line.shipped_quantity), abs(line.invoiced_quantity)) >= abs(line.quantity)


def closed(told: Bill, order_id: str, connection: str) -> Seen:
    """The end of an order that is none any more, by an invoice of it."""
    changed = told.last_modified_date_time
    return _progress(order_id, told.order_number, OrderState.CLOSED, changed, connection)


def _progress(
    order_id: str, number: str, state: OrderState, changed: datetime, connection: str
) -> Seen:
    body = OrderProcessing(number=number, state=state, changed_at=changed)
    theirs = ref(Kind.ORDER, connection, order_id)
    return Seen(theirs, body, changed, Part.PROCESSING, refetch=Hint("order", order_id))


def shipment(told: PostedShipment, moved: Moved, order_id: str, connection: Connection) -> Seen:
    """A posted shipment; one that was undone line by line counts to nothing."""
    theirs = ref(Kind.ORDER, connection.name, order_id)
    goods = _goods(told.sales_shipment_lines, moved, connection)
    is_undone = bool(goods) and not any(goods.values())
    body = Shipment(
        order=theirs,
        number=told.number,
        state=ShipmentState.CANCELLED if is_undone else ShipmentState.DISPATCHED,
        lines=_shipped(goods),
        dispatched_at=_on(told.posting_date),
    )
    return Seen(
        ref(Kind.SHIPMENT, connection.name, told.id),
        body,
        told.last_modified_date_time,
        parent=theirs,
        refetch=Hint("shipment", told.id),
    )


def returned(told: Bill, moved: Moved, order_id: str, connection: Connection) -> Seen | None:
    """Goods that came back with a credit memo; None where it is about money only.

    One that cancels an invoice (``Corrective``) puts paper right: nobody brought anything.
    """
    lines = _shipped(_goods(told.lines, moved, connection))
    if told.status not in {"Open", "Paid"} or not lines:
        return None
    theirs = ref(Kind.ORDER, connection.name, order_id)
    body = Return(
        order=theirs,
        number=told.number,
        state=ReturnState.RECEIVED,
        lines=lines,
        received_at=_on(told.posting_date),
    )
    return Seen(
        ref(Kind.RETURN, connection.name, told.id),
        body,
        told.last_modified_date_time,
        parent=theirs,
        refetch=Hint("credit_note", told.id),
    )


def _on(day: date) -> datetime:
    """A day without a time, as its noon: that is the same day nearly everywhere."""
    return datetime.combine(day, time(12), UTC)


def is_packed(lines: Iterable[ShipmentLine], connection: Connection) -> bool:
    """Whether goods are counted in units other than our base unit.

    How large those are the API does not tell, but the item ledger counts in the item's base unit.
    """
    own = _base_unit(connection)
    return any(line.line_type == "Item" and line.unit_of_measure_code != own for line in lines)


def _base_unit(connection: Connection) -> str:
    return code(str(connection.settings.get("base_unit", "PCS")))


def _goods(
    lines: Iterable[ShipmentLine], moved: Moved, connection: Connection
) -> dict[str, Decimal]:
    """Items with their quantity in base units; what cannot be counted in them is left out."""
    kinds, own = _kinds(connection), _base_unit(connection)
    found: dict[str, Decimal] = {}
    for line in lines:
        item = line.line_object_number
        if line.line_type != "Item" or kinds.get(item, LineType.GOODS) not in _GOODS:
            continue
        if item in moved:
            found[item] = moved[item]
        elif line.unit_of_measure_code == own:
            found[item] = found.get(item, Decimal(0)) + line.quantity
    return found


def _shipped(goods: Mapping[str, Decimal]) -> tuple[ShippedLine, ...]:
    """Lines of what is at least a whole piece."""
    counted = {item: int(quantity) for item, quantity in goods.items() if quantity >= 1}
    return tuple(
        ShippedLine(order_line_id="", sku=item, quantity=count) for item, count in counted.items()
    )


def invoice(told: Bill, order_id: str, credited: str | None, connection: Connection) -> Seen:
    """A posted invoice, or a credit memo of the invoice ``credited``.

    An invoice that was cancelled stands: a credit memo, itself told, takes all of it back. Only
    such a memo can be cancelled.
    """
    theirs = ref(Kind.ORDER, connection.name, order_id)
    is_void = credited is not None and told.status == "Canceled"
    kinds = _kinds(connection)
    lines = tuple(_line(line, told, kinds) for line in told.lines if not is_comment(line))
    net, tax, gross = (
        to_minor_unit(amount, told.currency_code)
        for amount in (
            told.total_amount_excluding_tax,
            told.total_tax_amount,
            told.total_amount_including_tax,
        )
    )
    body = Invoice(
        order=theirs,
        number=told.number,
        state=InvoiceState.VOIDED if is_void else InvoiceState.ISSUED,
        credits=ref(Kind.INVOICE, connection.name, credited) if credited else None,
        issued_on=_day(told.issued_on),
        due_on=_day(told.due_date),
        currency=told.currency_code,
        tax_included=told.prices_include_tax,
        lines=lines,
        totals=Totals(
            net=net,
            tax=tax,
            gross=gross,
            discount=sum((line.discount for line in lines), Decimal(0)),
        ),
    )
    return Seen(
        ref(Kind.INVOICE, connection.name, told.id),
        body,
        told.last_modified_date_time,
        parent=theirs,
        refetch=Hint("credit_note" if credited else "invoice", told.id),
    )


def _day(day: date) -> date | None:
    """The first day of all stands for none."""
    return None if day == date.min else day


def _kinds(connection: Connection) -> dict[str, LineType]:
    """Our types of line by the items that stand for them."""
    named = {kind: connection.settings.get(f"{kind.lower()}_sku") for kind in LineType}
    return {code(str(item)): kind for kind, item in named.items() if item}


def _line(line: BillLine, of: Bill, kinds: Mapping[str, LineType]) -> DocumentLine:
    net, tax, gross, off = (
        to_minor_unit(amount, of.currency_code)
        for amount in (
            line.net_amount,
            line.net_tax_amount,
            line.net_amount_including_tax,
            line.discount_amount + line.invoice_discount_allocation,
        )
    )
    amount = gross if of.prices_include_tax else net
    is_item = line.line_type == "Item"
    kind = kinds.get(line.line_object_number, LineType.GOODS if is_item else LineType.FEE)
    if kind is not LineType.ROUNDING:  # which carries its own sign
        if amount and (amount < 0) != (kind.sign < 0):
            kind = LineType.DISCOUNT if amount < 0 else LineType.FEE
        amount, tax = abs(amount), tax * kind.sign
    # Hours come in parts as well: then it is one piece of the whole amount.
    is_whole = line.quantity == line.quantity.to_integral_value()
    return DocumentLine(
        id=line.id,
        type=kind,
        sku=line.line_object_number if is_item else None,
        title=line.description,
        quantity=abs(int(line.quantity)) if is_whole else 1,
        quantity_ordered=abs(int(line.quantity)) if is_whole else 1,
        unit_price=line.unit_price,
        discount=off,
        amount=amount,
        tax=tax,
        taxes=(TaxShare(title=line.tax_code, rate=line.tax_percent / 100, amount=tax),),
        is_stocked=is_item and kind in _GOODS,
    )
