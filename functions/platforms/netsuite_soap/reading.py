"""What NetSuite holds of our orders, in canonical terms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from fizzbridge.errors import MappingError
from fizzbridge.model.base import Frozen
from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Return,
    ReturnState,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import DocumentLine, LineType, OrderProcessing, TaxShare, Totals
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap.wire import Item, Lot, Row, Transaction, Uom

ORDER, INVOICE, CASH_SALE = "SalesOrder", "Invoice", "CashSale"
CREDITS = frozenset({"CreditMemo", "CashRefund"})
HINTS = {
    ORDER: ("order", Kind.ORDER),
    "ItemFulfillment": ("shipment", Kind.SHIPMENT),
    INVOICE: ("invoice", Kind.INVOICE),
    "CreditMemo": ("credit", Kind.INVOICE),
    CASH_SALE: ("cash_sale", Kind.INVOICE),
    "CashRefund": ("cash_refund", Kind.INVOICE),
    "ReturnAuthorization": ("return", Kind.RETURN),
}
"""By type of record, what hints call it, and what it is to us."""
_STATES = {
    "_pendingFulfillment": OrderState.CONFIRMED,
    "_partiallyFulfilled": OrderState.RELEASED,
    "_pendingBillingPartFulfilled": OrderState.RELEASED,
    "_pendingBilling": OrderState.RELEASED,
    "_fullyBilled": OrderState.CLOSED,
    "_cancelled": OrderState.CANCELLED,
}
_SHIPPED = {"_picked": ShipmentState.PLANNED, "_packed": ShipmentState.PLANNED}
_UNISSUED = frozenset({"1", "3"})
"""Approval statuses that are the same in every account: pending, and rejected."""


@dataclass(frozen=True)
class Known:
    """What transactions name by their ids.

    Attributes:
        transactions: those told, and what they were made from.
        items: items of their lines.
        units: the units of items that are counted, by units type.
        currencies: codes of currencies.
        invoices: the first invoice of orders whose credit memos name none.
    """

    transactions: Mapping[str, Transaction] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    units: Mapping[str, tuple[Uom, ...]] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    invoices: Mapping[str, str] = field(default_factory=dict)

    def source(self, one: Transaction, sort: str) -> str:
        """The id of the nearest transaction of a type that it was made from; empty for none."""
        for source in one.sources:
            found = self.transactions.get(source)
            if found and found.sort == sort:
                return source
            deeper = self.source(found, sort) if found else ""
            if deeper:
                return deeper
        return ""

    def order(self, one: Transaction | None) -> str:
        """The id of the order a transaction is of; empty for none."""
        return self.source(one, ORDER) if one else ""

    def credited(self, memo: Transaction) -> str:
        """The invoice or cash sale that is taken back from; empty for none."""
        made_from = self.source(memo, INVOICE) or self.source(memo, CASH_SALE)
        return made_from or self.invoices.get(self.source(memo, ORDER), "")


def tell(one: Transaction, known: Known, connection: Connection) -> Seen | None:
    """A transaction as it stands; None for what is of no order."""
    if one.sort == ORDER:
        return order(one, connection)
    of = known.source(one, ORDER)
    if not of or one.sort not in HINTS:
        return None
    theirs = ref(Kind.ORDER, connection.name, of)
    if one.sort == "ItemFulfillment":
        return _document(one, shipment(one, theirs, known, connection), theirs)
    if one.sort == "ReturnAuthorization":
        return _document(one, returned(one, theirs, known, connection), theirs)
    credited = known.credited(one) if one.sort in CREDITS else ""
    if one.sort in CREDITS and not credited:
        return None
    return _document(one, invoice(one, theirs, credited, known, connection), theirs)


def _document(one: Transaction, body: Frozen, theirs: EntityRef) -> Seen:
    what, kind = HINTS[one.sort]
    entity, again = ref(kind, theirs.connection, one.internal_id), Hint(what, one.internal_id)
    return Seen(entity, body, one.last_modified_date, parent=theirs, refetch=again)


def order(one: Transaction, connection: Connection) -> Seen:
    """How far an order is."""
    changed = one.last_modified_date
    body = OrderProcessing(number=one.tran_id, state=_state(one, connection), changed_at=changed)
    theirs = ref(Kind.ORDER, connection.name, one.internal_id)
    return Seen(theirs, body, changed, Part.PROCESSING, refetch=Hint("order", one.internal_id))


def _state(one: Transaction, connection: Connection) -> OrderState:
    if one.order_status == "_pendingApproval":
        # An order we approve ourselves waits for us; called held, it would wait for ever.
        is_ours = connection.settings.get("confirm") == "on_placed"
        return OrderState.RECEIVED if is_ours else OrderState.HELD
    if one.order_status == "_closed":
        has_left = any(row.quantity_fulfilled or row.quantity_billed for row in one.item_list)
        return OrderState.CLOSED if has_left else OrderState.CANCELLED
    return _STATES.get(one.order_status, OrderState.RECEIVED)


def shipment(one: Transaction, theirs: EntityRef, known: Known, connection: Connection) -> Shipment:
    """A fulfilment; without the feature of picking and packing there is no status."""
    state = _SHIPPED.get(one.ship_status, ShipmentState.DISPATCHED)
    goods = [(row, row.quantity) for row in one.item_list if row.item_receive]
    return Shipment(
        order=theirs,
        number=one.tran_id,
        state=state,
        lines=tuple(_goods(goods, known, connection)),
        carrier=one.ship_method,
        tracking_number=", ".join(one.tracking_numbers),
        dispatched_at=happened_at(one, connection) if state is ShipmentState.DISPATCHED else None,
    )


def happened_at(one: Transaction, connection: Connection) -> datetime | None:
    """NetSuite knows the day; when it was written down is the better time if it was on that day."""
    if one.created_date and day(one.created_date, connection) == day(one.tran_date, connection):
        return one.created_date
    return one.tran_date


def returned(one: Transaction, theirs: EntityRef, known: Known, connection: Connection) -> Return:
    """A return authorisation: what came back, or until then what is to."""
    rows = [row for row in one.item_list if _item(row, known).is_stocked]
    has_come = any(row.quantity_received for row in rows)
    is_over = one.order_status in {"_cancelled", "_closed"}
    waiting = ReturnState.CANCELLED if is_over else ReturnState.REQUESTED
    goods = [(row, row.quantity_received if has_come else row.quantity) for row in rows]
    return Return(
        order=theirs,
        number=one.tran_id,
        state=ReturnState.RECEIVED if has_come else waiting,
        lines=tuple(_goods(goods, known, connection)),
    )


def _goods(
    rows: list[tuple[Row, Decimal]], known: Known, connection: Connection
) -> Iterator[ShippedLine]:
    """Lines by lot, in the base unit. Parts of a piece do not count."""
    for row, count in rows:
        item = _item(row, known)
        base = count * _factor(row, item, known)
        lots = [lot for lot in row.inventory_detail if lot.quantity]
        assigned = sum((lot.quantity for lot in lots), Decimal(0))
        # In the unit of the line or in the base unit: the share of a lot is the same.
        shares = [(lot, int(base * lot.quantity / assigned)) for lot in lots]
        for lot, quantity in shares or [(Lot(), int(base))]:
            if quantity:
                yield ShippedLine(
                    order_line_id="",
                    sku=code(item, connection) or None,
                    quantity=quantity,
                    lot=lot.name,
                    best_before=day(lot.expiration_date, connection),
                )


def _factor(row: Row, item: Item, known: Known) -> Decimal:
    """How many base units the unit of a line holds."""
    if not item.units_type:
        return Decimal(1)
    for unit in known.units[item.units_type]:
        if row.units == unit.internal_id or (row.units_display and row.units_display in unit.names):
            return unit.conversion_rate
    said = row.units_display or row.units or "without a name"
    raise _unknown(f"item {item.item_id} has no unit {said}")


def _item(row: Row, known: Known) -> Item:
    if row.item not in known.items:
        raise _unknown(f"item {row.item} is hidden from the role")
    return known.items[row.item]


def _unknown(why: str) -> MappingError:
    return MappingError(why, cause="netsuite", platform="netsuite_soap")


def code(item: Item, connection: Connection) -> str:
    """An item as our maps name it: orders look for its external id first."""
    by_name = connection.settings.get("item_code") == "name"
    return item.item_id if by_name else item.external_id or item.item_id


def day(at: datetime | None, connection: Connection) -> date | None:
    """The day in the account, which is midnight there and may be told in another zone."""
    zone = connection.settings.get("time_zone")
    if at is None:
        return None
    return (at.astimezone(ZoneInfo(str(zone))) if zone else at).date()


def invoice(
    one: Transaction, theirs: EntityRef, credited: str, known: Known, connection: Connection
) -> Invoice:
    """An invoice, or a credit memo of the invoice ``credited``; totals are NetSuite's."""
    currency = currency_of(one, known)
    is_draft = one.approval_status in _UNISSUED
    state = InvoiceState.DRAFT if is_draft else InvoiceState.ISSUED
    gross, tax = (
        to_minor_unit(amount, currency) for amount in (one.total, one.tax_total + one.tax2_total)
    )
    return Invoice(
        order=theirs,
        number=one.tran_id,
        state=InvoiceState.VOIDED if one.status.casefold() == "voided" else state,
        credits=ref(Kind.INVOICE, connection.name, credited) if credited else None,
        issued_on=None if is_draft else day(one.tran_date, connection),
        due_on=day(one.due_date, connection),
        currency=currency,
        tax_included=False,
        lines=(*_lines(one, currency, known, connection), *_header_lines(one, currency)),
        totals=Totals(net=gross - tax, tax=tax, gross=gross),
    )


def currency_of(one: Transaction, known: Known) -> str:
    """Without the feature of several currencies a transaction names none."""
    only = next(iter(known.currencies.values())) if len(known.currencies) == 1 else ""
    found = known.currencies.get(one.currency, only)
    if not found:
        raise _unknown(f"{one.tran_id}: currency {one.currency} is hidden from the role")
    return found


def _lines(
    one: Transaction, currency: str, known: Known, connection: Connection
) -> Iterator[DocumentLine]:
    kinds = _kinds(connection)
    for place, row in enumerate(one.item_list, 1):
        # Subtotals, descriptions and the end of a group have ids that are no item's.
        if is_item(row) and (row.amount or row.quantity):
            item = _item(row, known)
            yield _line(row, item, row.line or str(place), currency, kinds, connection)


def is_item(row: Row) -> bool:
    """Whether a line is about an item."""
    return row.item.isdigit() and row.item != "0"


def _kinds(connection: Connection) -> dict[str, LineType]:
    """Our types of line by the items that stand for them."""
    settings = connection.settings
    named = {kind: settings.get(f"{kind.lower()}_sku") for kind in LineType}
    return {str(code): kind for kind, code in named.items() if code}


def _line(
    row: Row,
    item: Item,
    line_id: str,
    currency: str,
    kinds: Mapping[str, LineType],
    connection: Connection,
) -> DocumentLine:
    named = code(item, connection)
    amount, tax = (to_minor_unit(value, currency) for value in (row.amount, _tax(row)))
    usual = LineType.GOODS if item.is_stocked else LineType.FEE
    kind = kinds.get(named) or kinds.get(item.item_id, usual)
    if kind is not LineType.ROUNDING:  # which carries its own sign
        if amount and (amount < 0) != (kind.sign < 0):
            kind = LineType.DISCOUNT if amount < 0 else LineType.FEE
        amount, tax = abs(amount), tax * kind.sign
    # A discount has no quantity, and hours come in parts: then it is one piece of all of it.
    is_whole = row.quantity and row.quantity == row.quantity.to_integral_value()
    count = abs(int(row.quantity)) if is_whole else 1
    is_price = is_whole and row.rate and not row.rate.endswith("%")
    rate = Decimal(row.tax_rate1.rstrip("%") or "0") / 100
    return DocumentLine(
        id=line_id,
        type=kind,
        sku=named or None,
        title=row.description,
        quantity=count,
        quantity_ordered=count,
        unit_price=abs(Decimal(row.rate)) if is_price else amount / count,
        amount=amount,
        tax=tax,
        taxes=(TaxShare(title=row.tax_code, rate=rate, amount=tax),) if rate else (),
        is_stocked=item.is_stocked,
    )


def _tax(row: Row) -> Decimal:
    """Accounts show it, or the amount with it, or neither."""
    if row.tax1_amt is not None:
        return row.tax1_amt
    return Decimal(0) if row.gross_amt is None else row.gross_amt - row.amount


def _header_lines(one: Transaction, currency: str) -> Iterator[DocumentLine]:
    """What NetSuite keeps beside the lines; the tax on it is in its totals alone."""
    for name, kind, value in (
        ("shipping", LineType.FREIGHT, one.shipping_cost),
        ("handling", LineType.FEE, one.handling_cost),
        ("discount", LineType.DISCOUNT, abs(one.discount_total)),
    ):
        amount = to_minor_unit(value, currency)
        if amount:
            yield DocumentLine(
                id=name,
                type=kind,
                quantity=1,
                quantity_ordered=1,
                unit_price=amount,
                amount=amount,
                is_stocked=False,
            )
