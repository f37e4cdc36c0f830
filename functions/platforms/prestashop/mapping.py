"""From PrestaShop's words to ours: pure. What it needs to know of the shop is in ``Shop``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import (
    Payment,
    Refund,
    RefundedLine,
    Return,
    ReturnState,
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
from platforms.prestashop import wire

_DIGITS = Decimal("0.000001")
_HALF_A_CENT = Decimal("0.005")
_HOUR = timedelta(hours=1)
_PER_ITEM = "1"
_UNFINISHED = "0"
_OWN_WORDS = (
    "payment",
    "module",
    "note",
    "gift",
    "gift_message",
    "recyclable",
    "invoice_number",
    "delivery_number",
)
"""Fields of the order that have no place of their own with us."""


@dataclass(frozen=True)
class Shop:
    """What has to be known of a shop to read what it says.

    Attributes:
        connection: its name with us.
        zone: of its clock, which names no zone.
        currency: its default one.
        cancelled: ids of states that cancel an order.
        refunded: ids of states in which all of it was given back.
        failed: ids of states in which the payment failed, so that nothing was ordered.
    """

    connection: str
    zone: ZoneInfo
    currency: str
    cancelled: frozenset[str] = frozenset({"6"})
    refunded: frozenset[str] = frozenset({"7"})
    failed: frozenset[str] = frozenset({"8"})

    def at(self, local: str) -> datetime:
        """A time of the shop's clock."""
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)

    def version(self, local: str) -> datetime:
        """The same, as the clock of changes.

        An hour that comes twice in autumn is one moment: nothing in it tells which is later, and
        for equal versions it is the later read that counts.
        """
        first = datetime.fromisoformat(local).replace(tzinfo=self.zone)
        again = first.replace(fold=1)
        if _offset(first) > _offset(again):
            first = again.replace(minute=59, second=59)
        return first.astimezone(UTC)

    def since(self, moment: datetime) -> str:
        """The earliest its clock can show at a moment or later, when it may be turned back."""
        now, later = (_offset(one.astimezone(self.zone)) for one in (moment, moment + _HOUR))
        return _shown(moment, min(now, later))

    def until(self, moment: datetime) -> str:
        """The latest its clock can show at a moment or earlier."""
        now, before = (_offset(one.astimezone(self.zone)) for one in (moment, moment - _HOUR))
        return _shown(moment, max(now, before))


def _offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta()


def _shown(moment: datetime, offset: timedelta) -> str:
    return f"{moment.astimezone(UTC) + offset:%Y-%m-%d %H:%M:%S}"


def product(told: wire.Product, shop: Shop) -> Iterator[Seen]:
    """What is sold of a product: itself, or its combinations.

    Neither these nor stock and special prices have a time: theirs is the product's. A read that
    shows other figures at the same time is the newer one.
    """
    if not told.date_upd:
        return
    changed = shop.version(told.date_upd)
    itself = wire.Combination(reference=told.reference, ean13=told.ean13, upc=told.upc)
    is_sold = told.active and told.available_for_order and told.state != _UNFINISHED
    for one in told.combinations or (itself,):
        if not one.reference:
            continue
        key = f"{told.id}-{one.id}" if one.id else told.id
        offer = Offer(shop.connection, key, one.reference, changed, Hint("product", told.id))
        yield offer.shown(told.name, gtin=one.ean13 or one.upc, is_active=is_sold)
        for group, (name, amount) in _prices(told, one).items():
            if amount is not None:
                yield offer.priced(
                    amount, shop.currency, tax_included=False, price_list=name, part=group
                )
        row = next((row for row in told.stock if row.id_product_attribute == one.id), None)
        if row and told.is_counted:
            yield offer.stocked(row.quantity, changed)


def _prices(told: wire.Product, of: wire.Combination) -> dict[str, tuple[str, Decimal | None]]:
    """What it costs everybody, and what it costs groups of customers, by the group's id."""
    standing = told.price + of.price
    found: dict[str, tuple[str, Decimal | None]] = {"": ("", standing)}
    # One for a combination goes before one for all of them.
    for one in sorted(told.prices, key=lambda one: one.id_product_attribute):
        if one.is_standing and one.id_product_attribute in {"", of.id}:
            found[one.id_group] = (one.group, one.of(standing))
    return found


def order(told: wire.Order, shop: Shop) -> Iterator[Told]:
    """The order, its buyer as a seed, and all documents that follow it."""
    if told.state is None or _is(told.state, shop.failed, "payment_error"):
        return
    entity = ref(Kind.ORDER, shop.connection, told.id)
    refetch = Hint("order", told.id)
    changed = shop.version(told.date_upd)
    request = _request(told, shop)
    yield Seen(entity, request, changed, Part.REQUEST, refetch=refetch)
    addresses = dict.fromkeys(one for one in (request.bill_to, request.ship_to) if one)
    seed = Customer(contact=request.contact, company=request.company, addresses=tuple(addresses))
    yield Seen(request.customer, seed, None)
    for payment in told.payments:
        body = _payment(payment, told, entity, shop)
        # One payment may be for several orders of one reference, and is told for each.
        key = f"{payment.id}:{told.id}" if len(told.siblings) > 1 else payment.id
        paid = ref(Kind.PAYMENT, shop.connection, key)
        at = shop.version(payment.date_add)
        if body.amount > 0:
            yield Seen(paid, body, at, parent=entity, refetch=refetch)
    for slip in told.slips:
        given = ref(Kind.REFUND, shop.connection, slip.id)
        at = shop.version(slip.date_upd or slip.date_add)
        yield Seen(given, _refund(slip, told, entity, shop), at, parent=entity, refetch=refetch)
    for parcel_id, shipment in _shipments(told, entity):
        sent = ref(Kind.SHIPMENT, shop.connection, parcel_id)
        yield Seen(sent, shipment, changed, parent=entity, refetch=refetch)
    if any(one.product_quantity_return for one in told.details):
        back = ref(Kind.RETURN, shop.connection, f"order:{told.id}")
        yield Seen(back, _return(told, entity), changed, parent=entity, refetch=refetch)


def customer(told: wire.Customer, shop: Shop) -> Iterator[Told]:
    """An account of the shop. A guest is known by each order alone."""
    changed = told.date_upd or told.date_add
    if told.is_guest or told.deleted or not changed:
        return
    places = [one for one in told.addresses if not one.deleted]
    first = places[0] if places else None
    body = Customer(
        contact=_contact(told, first),
        company=_company(told, first, told.id),
        addresses=tuple(dict.fromkeys(_address(one) for one in places)),
        tax_number=told.siret or (first.dni if first else ""),
    )
    refetch = Hint("customer", told.id)
    entity = ref(Kind.CUSTOMER, shop.connection, told.id)
    yield Seen(entity, body, shop.version(changed), refetch=refetch)


# -- the order -------------------------------------------------------------------------------------


def _request(told: wire.Order, shop: Shop) -> OrderRequest:
    net, gross = (
        to_minor_unit(one, told.currency)
        for one in (told.total_paid_tax_excl, told.total_paid_tax_incl)
    )
    lines = tuple(_lines(told))
    known = told.customer and not told.customer.is_guest
    buyer = (
        ref(Kind.CUSTOMER, shop.connection, told.customer.id)
        if told.customer and known
        else guest(shop.connection, told.id)
    )
    is_cancelled = told.state and _is(told.state, shop.cancelled, "order_canceled")
    properties = {name: text for name in _OWN_WORDS if (text := getattr(told, name))}
    if told.currency != shop.currency:
        properties["conversion_rate"] = told.conversion_rate
    return OrderRequest(
        number=told.reference or told.id,
        placed_at=shop.at(told.date_add),
        placed_at_local=told.date_add,
        changed_at=shop.at(told.date_upd),
        cancelled_at=shop.at(told.date_upd) if is_cancelled else None,
        channel=told.id_shop,
        currency=told.currency,
        shop_currency=shop.currency,
        presentment_currency=told.currency,
        presentment_gross=gross,
        tax_included=told.tax_included,
        lines=lines,
        totals=Totals(
            net=net,
            tax=gross - net,
            gross=gross,
            discount=sum(
                (one.amount if one.type is LineType.DISCOUNT else one.discount for one in lines),
                Decimal(0),
            ),
        ),
        customer=buyer,
        contact=_contact(told.customer, told.bill_to),
        company=_company(
            told.customer,
            told.bill_to,
            told.customer.id if told.customer and known else f"order:{told.id}",
        ),
        bill_to=_address(told.bill_to) if told.bill_to else None,
        ship_to=_address(told.ship_to) if told.ship_to else None,
        po_number=told.po_number,
        payment_status=_paid(told, shop),
        note="\n".join(
            one.message for one in told.messages if not (one.private or one.id_employee)
        ),
        properties=properties,
    )


def _is(state: wire.State, ids: frozenset[str], template: str) -> bool:
    """Whether it is one of the three states that no flag tells apart."""
    return state.id in ids or state.template == template


def _paid(told: wire.Order, shop: Shop) -> PaymentStatus:
    gross = told.total_paid_tax_incl
    given = sum((_given(one) for one in told.slips), Decimal(0))
    # A payment that is noted later moves no field of the order, and some states need none.
    shares = sum((_share(one.amount, told) for one in told.payments), Decimal(0))
    received = max(shares, told.total_paid_real)
    if told.state and _is(told.state, shop.refunded, "refund"):
        return PaymentStatus.REFUNDED
    if given:
        enough = given >= gross - _HALF_A_CENT
        return PaymentStatus.REFUNDED if enough else PaymentStatus.PART_REFUNDED
    if (told.state and told.state.paid) or received >= gross - _HALF_A_CENT:
        return PaymentStatus.PAID
    return PaymentStatus.PART_PAID if received else PaymentStatus.PENDING


def _lines(told: wire.Order) -> Iterator[DocumentLine]:
    for line in told.details:
        yield _goods(line, told)
    yield from _extra(
        "shipping",
        LineType.FREIGHT,
        told.carrier,
        told.total_shipping_tax_excl,
        told.total_shipping_tax_incl,
        told,
        (wire.Tax(rate=told.carrier_tax_rate),),
    )
    yield from _extra(
        "wrapping",
        LineType.FEE,
        "Gift wrapping",
        told.total_wrapping_tax_excl,
        told.total_wrapping_tax_incl,
        told,
    )
    yield from _discounts(told)


def _goods(line: wire.Detail, told: wire.Order) -> DocumentLine:
    net, gross = (
        _times(unit, line.product_quantity, told)
        for unit in (line.unit_price_tax_excl, line.unit_price_tax_incl)
    )
    amount = gross if told.tax_included else net
    unit_price = _before_reductions(line, told)
    before = to_minor_unit(unit_price * line.product_quantity, told.currency)
    more = {"ecotax": str(line.ecotax)} if line.ecotax else {}
    if line.id_customization:
        more["customization"] = line.id_customization
    return DocumentLine(
        id=line.id,
        type=LineType.GOODS if amount or before else LineType.FREE_GOODS,
        sku=line.product_reference or None,
        gtin=line.product_ean13 or None,
        title=line.product_name,
        quantity=line.product_quantity,
        quantity_ordered=line.product_quantity,
        unit_price=unit_price.quantize(_DIGITS),
        # 9.999999 for 10.00: a cent of rounding is no discount.
        discount=max(before - amount, Decimal(0)) if _is_reduced(line) else Decimal(0),
        amount=amount,
        tax=gross - net,
        taxes=_taxes(line.taxes, gross - net, told.currency),
        is_stocked=bool(line.product_id) and not line.is_virtual,
        properties=more,
    )


def _times(unit: Decimal, quantity: int, told: wire.Order) -> Decimal:
    if told.round_type == _PER_ITEM:
        unit = to_minor_unit(unit, told.currency)
    return to_minor_unit(unit * quantity, told.currency)


def _is_reduced(line: wire.Detail) -> bool:
    return bool(line.reduction_percent or line.reduction_amount_tax_incl)


def _before_reductions(line: wire.Detail, told: wire.Order) -> Decimal:
    """The line's price without its reductions; its own ``product_price`` differs in the digits."""
    unit, off = (
        (line.unit_price_tax_incl, line.reduction_amount_tax_incl)
        if told.tax_included
        else (line.unit_price_tax_excl, line.reduction_amount_tax_excl)
    )
    left = 100 - line.reduction_percent
    return unit * 100 / left if 0 < left < 100 else unit + off


def _extra(
    line_id: str,
    kind: LineType,
    title: str,
    net: Decimal,
    gross: Decimal,
    told: wire.Order,
    taxes: Iterable[wire.Tax] = (),
) -> Iterator[DocumentLine]:
    """A line for something that is no goods, where it costs anything."""
    net, gross = to_minor_unit(net, told.currency), to_minor_unit(gross, told.currency)
    amount = gross if told.tax_included else net
    if amount:
        yield DocumentLine(
            id=line_id,
            type=kind,
            title=title,
            quantity=1,
            quantity_ordered=1,
            unit_price=amount,
            amount=amount,
            tax=gross - net,
            taxes=_taxes(taxes, gross - net, told.currency),
            is_stocked=False,
        )


def _discounts(told: wire.Order) -> Iterator[DocumentLine]:
    """A line for each cart rule; one for all where the rules are not the whole of it."""
    rules = [one for one in told.cart_rules if not one.deleted]
    if sum((one.value for one in rules), Decimal(0)) != told.total_discounts_tax_incl:
        rules = [
            wire.CartRule(
                id="all",
                name=", ".join(one.name for one in rules),
                value=told.total_discounts_tax_incl,
                value_tax_excl=told.total_discounts_tax_excl,
            )
        ]
    for rule in rules:
        yield from _extra(
            f"cart-rule:{rule.id}",
            LineType.DISCOUNT,
            rule.name,
            rule.value_tax_excl,
            rule.value,
            told,
        )


def _taxes(taxes: Iterable[wire.Tax], amount: Decimal, currency: str) -> tuple[TaxShare, ...]:
    """The line's tax, by rate where there are several; the last takes what rounding leaves."""
    rates = [one for one in taxes if one.rate]
    whole = sum((one.rate for one in rates), Decimal(0))
    shares = [to_minor_unit(amount * one.rate / whole, currency) for one in rates[:-1]]
    shares.append(amount - sum(shares, Decimal(0)))
    return tuple(
        TaxShare(title=one.name, rate=one.rate / 100, amount=share)
        for one, share in zip(rates, shares[: len(rates)], strict=True)
    )


# -- what follows it -------------------------------------------------------------------------------


def _payment(payment: wire.Payment, told: wire.Order, parent: EntityRef, shop: Shop) -> Payment:
    return Payment(
        order=parent,
        amount=_share(payment.amount, told, payment.currency),
        currency=payment.currency,
        gateway=payment.payment_method or told.payment,
        at=shop.at(payment.date_add),
        status=SettlementStatus.SETTLED,
    )


def _share(amount: Decimal, told: wire.Order, currency: str = "") -> Decimal:
    """This order's part of a payment, which names a reference that several orders may share."""
    currency = currency or told.currency
    totals = {one.id: one.total_paid_tax_incl for one in told.siblings}
    whole = sum(totals.values(), Decimal(0))
    if len(totals) < 2 or not whole:
        return to_minor_unit(amount, currency)
    before = sum((total for key, total in totals.items() if key < int(told.id)), Decimal(0))
    # Differences of rounded sums: the parts add up to the payment.
    start, end = (
        to_minor_unit(amount * part / whole, currency)
        for part in (before, before + totals[int(told.id)])
    )
    return end - start


def _given(slip: wire.Slip) -> Decimal:
    return (slip.total_products_tax_incl + slip.total_shipping_tax_incl) or (
        slip.amount + slip.shipping_cost_amount
    )


def _refund(slip: wire.Slip, told: wire.Order, parent: EntityRef, shop: Shop) -> Refund:
    """A credit slip: PrestaShop keeps no other word of money that went back."""
    return Refund(
        order=parent,
        amount=to_minor_unit(_given(slip), told.currency),
        currency=told.currency,
        gateway=told.payment,
        at=shop.at(slip.date_add),
        status=SettlementStatus.SETTLED,
        lines=tuple(_refunded(line, told) for line in slip.order_slip_details),
    )


def _refunded(line: wire.SlipLine, told: wire.Order) -> RefundedLine:
    net, gross = (
        to_minor_unit(one, told.currency) for one in (line.amount_tax_excl, line.amount_tax_incl)
    )
    # Slips do not say whether goods went back on the shelf: they did if all that slips took did.
    taken = sum(
        one.product_quantity
        for slip in told.slips
        for one in slip.order_slip_details
        if one.id_order_detail == line.id_order_detail
    )
    back = sum(
        one.product_quantity_reinjected for one in told.details if one.id == line.id_order_detail
    )
    return RefundedLine(
        order_line_id=line.id_order_detail,
        quantity=line.product_quantity,
        amount=net,
        tax=gross - net,
        is_restocked=back >= taken > 0,
    )


def _shipments(told: wire.Order, parent: EntityRef) -> Iterator[tuple[str, Shipment]]:
    """Parcels that left or have a number to follow; the first holds all there is to send."""
    has_left = bool(told.state and told.state.shipped)
    lines = tuple(
        ShippedLine(
            order_line_id=one.id, sku=one.product_reference or None, quantity=one.product_quantity
        )
        for one in told.details
        if not one.is_virtual
    )
    # Without a way of delivery an order has no parcel, and is shipped all the same.
    for place, parcel in enumerate(told.parcels or (wire.Parcel(id=f"order:{told.id}"),)):
        number = parcel.tracking_number or (told.shipping_number if not place else "")
        if has_left or number:
            yield (
                parcel.id,
                Shipment(
                    order=parent,
                    number=parcel.id,
                    state=ShipmentState.DISPATCHED if has_left else ShipmentState.PLANNED,
                    lines=() if place else lines,
                    carrier=parcel.carrier or told.carrier,
                    tracking_number=number,
                ),
            )


def _return(told: wire.Order, parent: EntityRef) -> Return:
    """All that came back of an order: the webservice tells how many, and no single return."""
    return Return(
        order=parent,
        number=told.reference or told.id,
        state=ReturnState.RECEIVED,
        lines=tuple(
            ShippedLine(
                order_line_id=one.id,
                sku=one.product_reference or None,
                quantity=one.product_quantity_return,
            )
            for one in told.details
            if one.product_quantity_return
        ),
    )


# -- people ----------------------------------------------------------------------------------------


def _contact(of: wire.Customer | None, place: wire.Address | None) -> Contact:
    return Contact(
        name=(_name(of) if of else "") or (_name(place) if place else ""),
        email=of.email if of else "",
        phone=(place.phone or place.phone_mobile) if place else "",
    )


def _company(of: wire.Customer | None, place: wire.Address | None, key: str) -> Company | None:
    """The business: of the account in shops for businesses, else of the invoice's address."""
    name = (of.company if of else "") or (place.company if place else "")
    vat = place.vat_number if place else ""
    return Company(id=key, name=name, vat_number=vat) if name or vat else None


def _name(of: wire.Customer | wire.Address) -> str:
    return f"{of.firstname} {of.lastname}".strip()


def _address(told: wire.Address) -> Address:
    country = told.country.upper()
    return Address(
        name=_name(told),
        company=told.company,
        street=told.address1,
        street2=told.address2,
        city=told.city,
        region=told.region.removeprefix(f"{country}-"),
        postal_code=told.postcode,
        country=country or None,
        phone=told.phone or told.phone_mobile,
    )
