"""What Odoo holds of our orders, in canonical terms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
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
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import DocumentLine, LineType, OrderProcessing, TaxShare, Totals
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.odoo.wire import (
    Bill,
    BillLine,
    Item,
    Lot,
    Moved,
    Picking,
    Planned,
    Progress,
    Tax,
    Uom,
)

_SHIPPED = {"done": ShipmentState.DISPATCHED, "cancel": ShipmentState.CANCELLED}
_CAME_BACK = {"done": ReturnState.RECEIVED, "cancel": ReturnState.CANCELLED}
_INVOICED = {"posted": InvoiceState.ISSUED, "cancel": InvoiceState.VOIDED}


@dataclass(frozen=True)
class Known:
    """What documents name by their ids."""

    items: Mapping[int, Item] = field(default_factory=dict)
    units: Mapping[int, Uom] = field(default_factory=dict)
    lots: Mapping[int, Lot] = field(default_factory=dict)
    taxes: Mapping[int, Tax] = field(default_factory=dict)


def order(told: Progress, connection: Connection, drafts: Set[int] = frozenset()) -> Seen:
    """How far an order is; ``drafts`` are invoices that nobody has issued yet."""
    state = _state(told, connection, is_issued=drafts.isdisjoint(told.invoice_ids))
    body = OrderProcessing(number=told.name, state=state, changed_at=told.write_date)
    refetch = Hint("order", str(told.id))
    theirs = ref(Kind.ORDER, connection.name, told.id)
    return Seen(theirs, body, told.write_date, Part.PROCESSING, refetch=refetch)


def _state(told: Progress, connection: Connection, *, is_issued: bool) -> OrderState:
    if told.state == "cancel":
        return OrderState.CANCELLED
    if told.state in {"draft", "sent"}:
        # A quotation we confirm ourselves waits for us; called held, it would wait for ever.
        is_ours = connection.settings.get("confirm") == "on_placed"
        return OrderState.RECEIVED if is_ours else OrderState.HELD
    # Services alone have no delivery status.
    is_out = told.delivery_status in {"full", ""}
    if is_out and told.is_billed and is_issued:
        return OrderState.CLOSED
    is_picked = told.delivery_status in {"started", "partial", "full"}
    return OrderState.RELEASED if is_picked else OrderState.CONFIRMED


def shipment(
    told: Picking, goods: Iterable[Planned | Moved], known: Known, connection: str
) -> Seen | None:
    """A delivery, or what comes back of one; None where it is neither, or of no order."""
    if told.sale_id is None:
        return None
    theirs = ref(Kind.ORDER, connection, told.sale_id)
    lines = tuple(_lines(goods, known))
    done_at = told.date_done if told.state == "done" else None
    if told.picking_type_code == "outgoing":
        url = told.carrier_tracking_url
        sent = Shipment(
            order=theirs,
            number=told.name,
            state=_SHIPPED.get(told.state, ShipmentState.PLANNED),
            lines=lines,
            carrier=told.carrier_id,
            tracking_number=told.carrier_tracking_ref,
            # Of several parcels it is a list of pairs, not an address.
            tracking_url=url if url.startswith("http") else "",
            dispatched_at=done_at,
        )
        return _document(Kind.SHIPMENT, "shipment", told, sent, theirs)
    if told.picking_type_code == "incoming" and told.return_id:
        back = Return(
            order=theirs,
            number=told.name,
            state=_CAME_BACK.get(told.state, ReturnState.REQUESTED),
            lines=lines,
            received_at=done_at,
        )
        return _document(Kind.RETURN, "return", told, back, theirs)
    return None


def _document(
    kind: Kind,
    what: str,
    told: Picking | Bill,
    body: Shipment | Return | Invoice | None,
    of: EntityRef,
) -> Seen:
    """A document under its own name.

    Its version is its own time, though its lines have times as well: lines can be deleted, and a
    version must not go back. Documents are only ever read, and of equal versions the later read is
    right.
    """
    entity = ref(kind, of.connection, told.id)
    return Seen(entity, body, told.write_date, parent=of, refetch=Hint(what, str(told.id)))


def _lines(goods: Iterable[Planned | Moved], known: Known) -> Iterator[ShippedLine]:
    """What goes, by product and lot, in the unit at the root of the product's units."""
    counted: dict[tuple[int, int], Decimal] = {}
    for one in goods:
        key = (one.product_id or 0, (one.lot_id or 0) if isinstance(one, Moved) else 0)
        factor = known.units[one.unit_id or 0].factor
        counted[key] = counted.get(key, Decimal(0)) + one.count * factor
    for (product, batch), count in counted.items():
        item, lot = known.items.get(product), known.lots.get(batch)
        # Odoo counts parts of a piece, down to a hundredth; we count pieces.
        if int(count):
            yield ShippedLine(
                order_line_id="",
                sku=(item.default_code if item else "") or None,
                quantity=int(count),
                lot=lot.name if lot else "",
                best_before=best_before(lot) if lot else None,
            )


def best_before(lot: Lot) -> date | None:
    """The day a lot is best before, or expires on."""
    day = lot.use_date or lot.expiration_date
    return day.date() if day else None


def invoice(
    told: Bill,
    lines: Sequence[BillLine],
    known: Known,
    order_id: int,
    credited: int | None,
    connection: Connection,
) -> Seen:
    """An invoice, or a credit note of the invoice ``credited``.

    A draft that was cancelled never was one: it is told as gone.
    """
    theirs = ref(Kind.ORDER, connection.name, order_id)
    if told.state == "cancel" and _number(told) == "":
        return _document(Kind.INVOICE, "invoice", told, None, theirs)
    taxed = [known.taxes[tax] for line in lines for tax in line.tax_ids]
    included = bool(taxed) and all(tax.price_include for tax in taxed)
    kinds = _kinds(connection)
    shown = [_line(line, told, known, kinds, included=included) for line in lines if _counts(line)]
    money = (told.amount_untaxed, told.amount_tax, told.amount_total)
    net, tax, gross = (to_minor_unit(amount, told.currency_id) for amount in money)
    body = Invoice(
        order=theirs,
        number=_number(told),
        state=_INVOICED.get(told.state, InvoiceState.DRAFT),
        credits=ref(Kind.INVOICE, connection.name, credited) if credited else None,
        issued_on=None if told.state == "draft" else told.invoice_date,
        due_on=told.invoice_date_due,
        currency=told.currency_id,
        tax_included=included,
        lines=tuple(shown),
        totals=Totals(
            net=net,
            tax=tax,
            gross=gross,
            discount=sum((line.discount for line in shown), Decimal(0)),
        ),
    )
    return _document(Kind.INVOICE, "invoice", told, body, theirs)


def _number(told: Bill) -> str:
    """A draft has none: false, and a slash before 17."""
    return told.name.strip("/")


def _counts(line: BillLine) -> bool:
    """Sections and notes have neither."""
    return bool(line.product_id or line.price_total)


def _kinds(connection: Connection) -> dict[str, LineType]:
    """Our types of line by the products that stand for them."""
    settings = connection.settings
    named = {kind: settings.get(f"{kind.lower()}_sku") for kind in LineType}
    return {str(code): kind for kind, code in named.items() if code}


def _line(
    line: BillLine, of: Bill, known: Known, kinds: Mapping[str, LineType], *, included: bool
) -> DocumentLine:
    item = known.items.get(line.product_id or 0)
    code = item.default_code if item else ""
    net, gross = (
        to_minor_unit(amount, of.currency_id) for amount in (line.price_subtotal, line.price_total)
    )
    amount, tax = gross if included else net, gross - net
    is_stocked = item is not None and item.type != "service"
    kind = kinds.get(code, LineType.GOODS if is_stocked else LineType.FEE)
    if kind is not LineType.ROUNDING:  # which carries its own sign
        if amount and (amount < 0) != (kind.sign < 0):
            kind = LineType.DISCOUNT if amount < 0 else LineType.FEE
        amount, tax = abs(amount), tax * kind.sign
    # Hours come in parts as well: then it is one piece of the whole amount.
    is_whole = line.quantity == line.quantity.to_integral_value()
    off = line.price_unit * line.quantity * line.discount / 100
    rates = [known.taxes[one] for one in line.tax_ids]
    return DocumentLine(
        id=str(line.id),
        type=kind,
        sku=code or None,
        title=line.name,
        quantity=abs(int(line.quantity)) if is_whole else 1,
        quantity_ordered=abs(int(line.quantity)) if is_whole else 1,
        unit_price=abs(line.price_unit) if is_whole else amount,
        discount=to_minor_unit(abs(off), of.currency_id),
        amount=amount,
        tax=tax,
        taxes=tuple(
            TaxShare(title=rate.name, rate=rate.amount / 100, amount=tax)
            for rate in rates
            # How several share it Odoo does not say.
            if len(rates) == 1 and rate.amount_type == "percent"
        ),
        is_stocked=is_stocked,
    )
