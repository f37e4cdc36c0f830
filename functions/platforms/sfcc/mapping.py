"""From B2C Commerce's words to ours: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import (
    Payment,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, guest, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import (
    DocumentLine,
    LineType,
    OrderRequest,
    PaymentStatus,
    TaxShare,
    Totals,
)
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.selling import Offer
from platforms.sfcc import wire

_PLACED = frozenset({"new", "open", "completed"})
_OVER = frozenset({"cancelled", "replaced", "failed", "failed_with_reopen"})
_PAYMENT = {"part_paid": PaymentStatus.PART_PAID, "paid": PaymentStatus.PAID}
_DIGITS = Decimal("0.000001")
_NEVER_ON_A_LINE = ("master", "variationGroup", "set", "retailSet")


@dataclass(frozen=True)
class Site:
    """What a merchant decided about its own site.

    Attributes:
        connection: the connection's name.
        needs_confirmation: whether an order waits until the site has confirmed it.
        po_number: the attribute of an order that holds the buyer's number, without ``c_``.
        note: the one that holds what the buyer wrote.
    """

    connection: str
    needs_confirmation: bool = False
    po_number: str = "poNumber"
    note: str = "customerNote"


def order(told: wire.Order, site: Site) -> Iterator[Told]:
    """The order, a seed of its buyer, its payment and its shipments.

    An order that is only ``created`` is not placed yet: its payment may still fail.
    """
    if told.status not in _PLACED | _OVER:
        return
    is_open = told.status in {"new", "open"}
    if is_open and site.needs_confirmation and told.confirmation != "confirmed":
        return
    connection = site.connection
    entity = ref(Kind.ORDER, connection, told.number)
    refetch = Hint("order", told.number)
    has_account = bool(told.buyer.customer_no) and not told.guest
    buyer = (
        ref(Kind.CUSTOMER, connection, told.buyer.customer_no)
        if has_account
        else guest(connection, told.number)
    )
    request = _request(told, buyer, site)
    yield Seen(entity, request, told.modified, Part.REQUEST, refetch=refetch)
    places = dict.fromkeys(one for one in (request.bill_to, request.ship_to) if one)
    seed = Customer(contact=request.contact, company=request.company, addresses=tuple(places))
    yield Seen(buyer, seed, None)
    if told.payment == "paid":
        yield _payment(told, entity, connection)
    for shipment in told.shipments:
        if shipment.status == "shipped":
            yield _shipment(shipment, told, entity, connection)


def customer(told: wire.Customer, connection: str) -> Iterator[Told]:
    """An account of the site's customer list."""
    if told.modified is None:
        return
    company = Company(id=told.customer_no, name=told.company) if told.company else None
    body = Customer(
        contact=Contact(
            name=f"{told.first_name} {told.last_name}".strip(), email=told.email, phone=told.phone
        ),
        company=company,
        addresses=tuple(one for one in map(_address, told.addresses) if one),
    )
    entity = ref(Kind.CUSTOMER, connection, told.customer_no)
    yield Seen(entity, body, told.modified, refetch=Hint("customer", told.customer_no))


def product(told: wire.Product, connection: str) -> Iterator[Told]:
    """A product that can be put into a cart; its id may have spaces, which a key of ours has not.

    Its price and its stock have times of their own, which the site does not tell: see the README.
    """
    if not any(told.type.get(one) for one in _NEVER_ON_A_LINE):
        name = told.name.get("default") or next(iter(told.name.values()), "")
        offer = Offer(connection, quote(told.id, safe=""), told.id, told.modified)
        yield offer.shown(name, gtin=told.ean or told.upc, is_active=told.online)


def _request(told: wire.Order, buyer: EntityRef, site: Site) -> OrderRequest:
    currency = told.currency.upper()
    gross, tax = to_minor_unit(told.total, currency), to_minor_unit(told.tax, currency)
    bill_to = _address(told.billing)
    reason = f"replaced by {told.replacement}" if told.replacement else told.status
    lines = tuple(_lines(told, currency))
    off = sum((one.discount for one in lines), Decimal(0))
    company = told.billing.company
    return OrderRequest(
        number=told.number,
        placed_at=told.created,
        placed_at_local=told.created_text,
        changed_at=told.modified,
        cancelled_at=told.modified if told.status in _OVER else None,
        cancel_reason=reason if told.status in _OVER else "",
        channel=told.channel,
        currency=currency,
        shop_currency=currency,
        presentment_currency=currency,
        presentment_gross=gross,
        tax_included=told.taxation == "gross",
        lines=lines,
        totals=Totals(net=gross - tax, tax=tax, gross=gross, discount=off),
        customer=buyer,
        contact=Contact(
            name=told.buyer.name or _name(told.billing),
            email=told.buyer.email,
            phone=told.billing.phone,
        ),
        company=Company(id=buyer.external_id, name=company) if company else None,
        bill_to=bill_to,
        ship_to=_ship_to(told) or bill_to,
        po_number=told.custom.get(site.po_number, ""),
        note=told.custom.get(site.note, ""),
        payment_terms=", ".join(one.method for one in told.instruments if one.method),
        payment_status=_PAYMENT.get(told.payment, PaymentStatus.PENDING),
        properties={
            key: value
            for key, value in told.custom.items()
            if key not in {site.po_number, site.note}
        },
    )


def _ship_to(told: wire.Order) -> Address | None:
    places = dict.fromkeys(_address(one.address) for one in told.shipments)
    places.pop(None, None)
    if len(places) > 1:
        raise MalformedDeliveryError(
            f"order {told.number} goes to {len(places)} addresses; we book one delivery an order",
            code="several_addresses",
        )
    return next(iter(places), None)


def _lines(told: wire.Order, currency: str) -> Iterator[DocumentLine]:
    for item in told.items:
        kind = LineType.FREE_GOODS if item.is_bonus and not item.price else LineType.GOODS
        yield _line(item, kind, told, currency)
        for inner in (*item.options, *item.bundled):
            yield _line(inner, LineType.GOODS, told, currency, item.id)
    for freight in told.shipping:
        yield _line(freight, LineType.FREIGHT, told, currency)
    for certificate in told.gift_certificates:
        amount = to_minor_unit(certificate.amount, currency)
        # Money in another form: it bears no tax.
        yield DocumentLine(
            id=certificate.id,
            type=LineType.GOODS,
            title="Gift certificate",
            quantity=1,
            quantity_ordered=1,
            unit_price=amount,
            amount=amount,
            is_stocked=False,
        )


def _line(
    item: wire.Item, kind: LineType, told: wire.Order, currency: str, parent: str | None = None
) -> DocumentLine:
    if item.quantity != item.quantity.to_integral_value():
        raise MalformedDeliveryError(
            f"order {told.number}: a quantity of {item.quantity} is no number of pieces",
            code="fraction",
        )
    after = (item.after_order_discount, item.after_item_discount, item.price)
    amount = to_minor_unit(next(one for one in after if one is not None), currency)
    # The plain tax is from before discounts: it stays on freight that was made free.
    tax = to_minor_unit(item.tax if item.adjusted_tax is None else item.adjusted_tax, currency)
    quantity = int(item.quantity)
    shares = (TaxShare(title=item.tax_class, rate=item.tax_rate, amount=tax),)
    return DocumentLine(
        id=item.id,
        type=kind,
        parent_id=parent,
        sku=item.sku or None,
        title=item.text,
        quantity=quantity,
        quantity_ordered=quantity,
        unit_price=item.base_price.quantize(_DIGITS),
        discount=max(to_minor_unit(item.price, currency) - amount, Decimal(0)),
        amount=amount,
        tax=tax,
        taxes=shares if item.tax_rate else (),
        is_stocked=bool(item.sku),
    )


def _payment(told: wire.Order, parent: EntityRef, connection: str) -> Seen:
    """One payment to an order: the site keeps a status, and neither a list nor a day."""
    currency = told.currency.upper()
    body = Payment(
        order=parent,
        amount=to_minor_unit(told.total, currency),
        currency=currency,
        gateway=next((one.method for one in told.instruments), ""),
        at=told.created,
        status=SettlementStatus.SETTLED,
    )
    entity = ref(Kind.PAYMENT, connection, f"order:{told.number}")
    refetch = Hint("order", told.number)
    return Seen(entity, body, told.modified, parent=parent, refetch=refetch)


def _shipment(
    shipment: wire.Shipment, told: wire.Order, parent: EntityRef, connection: str
) -> Seen:
    body = Shipment(
        order=parent,
        number=f"{told.number}-{shipment.id}",
        state=ShipmentState.DISPATCHED,
        lines=tuple(
            ShippedLine(order_line_id=item.id, sku=item.sku or None, quantity=int(item.quantity))
            for item in told.items
            if item.shipment_id == shipment.id
        ),
        tracking_number=shipment.tracking_number,
    )
    entity = ref(Kind.SHIPMENT, connection, f"{told.number}:{shipment.id}")
    refetch = Hint("order", told.number)
    return Seen(entity, body, told.modified, parent=parent, refetch=refetch)


def _name(of: wire.Address) -> str:
    return f"{of.first_name} {of.last_name}".strip()


def _address(told: wire.Address) -> Address | None:
    if not (told.address1 or told.city or told.postal_code or told.country):
        return None
    return Address(
        name=_name(told),
        company=told.company,
        street=told.address1,
        street2=told.address2,
        city=told.city,
        region=told.state,
        postal_code=told.postal_code,
        country=told.country.upper() or None,
        phone=told.phone,
    )
