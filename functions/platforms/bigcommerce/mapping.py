"""From BigCommerce's words to ours: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.customer import Customer, Terms
from fizzbridge.model.documents import (
    Payment,
    Refund,
    RefundedLine,
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
from platforms.bigcommerce import wire

OURS = "fizzbridge"
_NOT_PLACED = frozenset({0, 12, 13})
"""Incomplete, to be verified, disputed: nothing goes on, and what went on stays as it was."""
_CANCELLED = {5: "cancelled", 6: "declined"}
_REFUNDED = {4: PaymentStatus.REFUNDED, 14: PaymentStatus.PART_REFUNDED}
_PAYMENT = {
    "authorized": PaymentStatus.AUTHORIZED,
    "capture pending": PaymentStatus.AUTHORIZED,
    "captured": PaymentStatus.PAID,
    "paid": PaymentStatus.PAID,
    "refunded": PaymentStatus.REFUNDED,
    "partially refunded": PaymentStatus.PART_REFUNDED,
    "void": PaymentStatus.VOIDED,
    "void pending": PaymentStatus.VOIDED,
}
_PAID_EVENTS = frozenset({"purchase", "capture", "settled"})
_UNSTOCKED = frozenset({"digital", "giftcertificate"})
_DIGITS = Decimal("0.000001")
_AFTER = timedelta(seconds=1)
"""Nothing follows a deletion, so it is later than whatever happened within the same second."""


def order(
    told: wire.Order,
    lines: Sequence[wire.Line],
    addresses: Sequence[wire.Address],
    taxes: Sequence[wire.Tax],
    connection: str,
    po_number_field: str,
) -> Iterator[Told]:
    """The order and a seed of its buyer; its money and shipments are read where there are any."""
    if told.status_id in _NOT_PLACED or told.external_source == OURS:
        return
    if len(addresses) > 1:
        raise MalformedDeliveryError(
            f"order {told.id} goes to {len(addresses)} addresses; we book one delivery an order",
            code="several_addresses",
        )
    entity = ref(Kind.ORDER, connection, told.id)
    buyer = (
        ref(Kind.CUSTOMER, connection, told.customer_id)
        if told.customer_id not in {"", "0"}
        else guest(connection, told.id)
    )
    bill_to = _address(told.billing_address)
    ship_to = _address(addresses[0]) if addresses else bill_to
    company = _company(told.billing_address.company, told.customer_id, f"order:{told.id}")
    if told.b2b.company_id:
        company = Company(id=told.b2b.company_id, name=told.billing_address.company)
    contact = Contact(
        name=_name(told.billing_address),
        email=told.billing_address.email,
        phone=told.billing_address.phone,
    )
    currency = told.default_currency_code.upper()
    shown = told.currency_code.upper() or currency
    gross = to_minor_unit(told.total_inc_tax, currency)
    tax = to_minor_unit(told.total_tax, currency)
    fields = {one.name: one.value for one in told.billing_address.form_fields if one.value}
    fields |= {one.name: one.value for one in told.b2b.extra_fields if one.value}
    request = OrderRequest(
        number=told.id,
        placed_at=told.date_created,
        placed_at_local=format_datetime(told.date_created),
        changed_at=told.date_modified,
        cancelled_at=told.date_modified if told.status_id in _CANCELLED else None,
        cancel_reason=_CANCELLED.get(told.status_id, ""),
        channel=told.channel_id,
        currency=currency,
        shop_currency=told.store_default_currency_code.upper() or currency,
        presentment_currency=shown,
        presentment_gross=to_minor_unit(
            told.total_inc_tax * (told.currency_exchange_rate if shown != currency else 1), shown
        ),
        tax_included=told.is_tax_inclusive_pricing,
        lines=tuple(_lines(told, lines, taxes, currency)),
        totals=Totals(
            net=gross - tax,
            tax=tax,
            gross=gross,
            discount=to_minor_unit(told.discount_amount + told.coupon_discount, currency),
        ),
        customer=buyer,
        contact=contact,
        company=company,
        bill_to=bill_to,
        ship_to=ship_to,
        po_number=told.b2b.po_number or fields.get(po_number_field, ""),
        payment_status=_payment_status(told),
        payment_terms=told.payment_method,
        note=told.customer_message,
        properties={name: value for name, value in fields.items() if name != po_number_field},
    )
    yield Seen(entity, request, told.date_modified, Part.REQUEST, refetch=Hint("order", told.id))
    places = dict.fromkeys(one for one in (bill_to, ship_to) if one)
    yield Seen(buyer, Customer(contact=contact, company=company, addresses=tuple(places)), None)
    if request.payment_status is not PaymentStatus.PENDING:
        yield Hint("money", told.id)
    if told.items_shipped:
        yield Hint("shipments", told.id)


def payment(told: wire.Transaction, order_id: str, connection: str) -> Iterator[Told]:
    """Money that came in. Authorisations, failures and refunds are not payments."""
    if told.status != "ok" or told.event not in _PAID_EVENTS:
        return
    parent = ref(Kind.ORDER, connection, order_id)
    body = Payment(
        order=parent,
        amount=to_minor_unit(told.amount, told.currency.upper()),
        currency=told.currency.upper(),
        gateway=told.gateway,
        at=told.date_created,
        status=SettlementStatus.SETTLED,
        is_test=told.test,
    )
    entity = ref(Kind.PAYMENT, connection, told.id)
    yield Seen(entity, body, told.date_created, parent=parent, refetch=Hint("money", order_id))


def refund(told: wire.Refund, currency: str, connection: str) -> Iterator[Told]:
    """Money given back; what a provider declined has not moved."""
    parent = ref(Kind.ORDER, connection, told.order_id)
    moved = [one for one in told.payments if not one.is_declined]
    amount = sum((one.amount for one in moved), Decimal(0)) if told.payments else told.total_amount
    body = Refund(
        order=parent,
        amount=to_minor_unit(amount, currency),
        currency=currency,
        at=told.created,
        status=SettlementStatus.SETTLED if amount else SettlementStatus.FAILED,
        lines=tuple(
            RefundedLine(
                order_line_id=item.item_id,
                quantity=item.quantity or 0,
                amount=to_minor_unit(item.requested_amount or Decimal(0), currency),
                tax=Decimal(0),
                is_restocked=False,
            )
            for item in told.items
            if item.item_type == "PRODUCT"
        ),
        reason=told.reason,
    )
    entity = ref(Kind.REFUND, connection, told.id)
    yield Seen(entity, body, told.created, parent=parent, refetch=Hint("money", told.order_id))


def shipment(told: wire.Shipment, connection: str) -> Iterator[Told]:
    """Goods the shop says have left."""
    parent = ref(Kind.ORDER, connection, told.order_id)
    body = Shipment(
        order=parent,
        number=told.id,
        state=ShipmentState.DISPATCHED,
        lines=tuple(
            ShippedLine(order_line_id=one.order_product_id, quantity=one.quantity)
            for one in told.items
        ),
        carrier=told.tracking_carrier,
        tracking_number=told.tracking_number,
        tracking_url=told.tracking_link,
        dispatched_at=told.date_created,
    )
    entity = ref(Kind.SHIPMENT, connection, told.id)
    refetch = Hint("shipments", told.order_id)
    yield Seen(entity, body, told.date_created, parent=parent, refetch=refetch)


def customer(told: wire.Customer, connection: str) -> Iterator[Told]:
    """An account of the shop."""
    body = Customer(
        contact=Contact(
            name=f"{told.first_name} {told.last_name}".strip(), email=told.email, phone=told.phone
        ),
        company=_company(told.company, told.id, ""),
        addresses=tuple(_customer_address(one) for one in told.addresses),
    )
    entity = ref(Kind.CUSTOMER, connection, told.id)
    yield Seen(entity, body, told.date_modified, refetch=Hint("customer", told.id))


def customer_gone(told: wire.CustomerGone, connection: str) -> Iterator[Told]:
    """An account is gone."""
    yield Seen(ref(Kind.CUSTOMER, connection, told.id), None, told.told_at + _AFTER)


def company(told: wire.Company, connection: str) -> Iterator[Told]:
    """A company of B2B Edition, whatever its status; its addresses are kept elsewhere."""
    body = Customer(
        contact=Contact(email=told.email, phone=told.phone),
        company=Company(id=told.id, name=told.name, account=told.account),
        terms=Terms(price_list=told.price_list),
    )
    refetch = Hint("company", told.id)
    yield Seen(_business(connection, told.id), body, told.updated_at, refetch=refetch)


def company_gone(told: wire.CompanyGone, connection: str) -> Iterator[Told]:
    """A company is gone."""
    yield Seen(_business(connection, told.company_id), None, told.told_at + _AFTER)


def _business(connection: str, company_id: str) -> EntityRef:
    return ref(Kind.CUSTOMER, connection, f"company:{company_id}")


def product(
    told: wire.Product, stock: Iterable[wire.Stock], store: wire.Store, connection: str
) -> Iterator[Seen]:
    """What is sold of a product, variant by variant.

    Neither a variant nor its stock has a time: theirs is the product's. A read that shows other
    figures at the same time is the newer one.
    """
    rows = [one for one in stock if one.identity.product_id == told.id]
    is_sold = told.is_visible and told.availability != "disabled"
    for one in told.variants:
        if not one.sku:
            continue
        offer = Offer(connection, one.id, one.sku, told.date_modified, Hint("product", told.id))
        own = told if one.id == told.base_variant_id else one
        yield offer.shown(
            told.name,
            gtin=one.gtin or one.upc or own.gtin or own.upc,
            is_active=is_sold and not one.purchasing_disabled,
        )
        if one.calculated_price is not None:
            tax_included = store.is_price_entered_with_tax
            yield offer.priced(one.calculated_price, store.currency, tax_included=tax_included)
        for place in _places(told, one, rows):
            yield offer.stocked(place.available_to_sell, told.date_modified, place.location_id)


def _places(
    told: wire.Product, variant: wire.Variant, rows: Sequence[wire.Stock]
) -> Iterator[wire.Place]:
    """Where there is stock of a variant: its own, or the product's that all of them share."""
    if told.inventory_tracking == "none":
        return
    own = [one for one in rows if one.identity.variant_id == variant.id]
    for row in own or (rows[:1] if told.inventory_tracking == "product" else ()):
        yield from (place for place in row.locations if place.location_enabled)


def list_price(
    told: wire.ListedPrice, listed: wire.PriceList, store: wire.Store, connection: str
) -> Iterator[Seen]:
    """What a variant costs on a price list that is in force."""
    if told.sku and told.calculated_price is not None and listed.active:
        refetch = Hint("price", f"{told.price_list_id}:{told.variant_id}")
        offer = Offer(connection, told.variant_id, told.sku, told.date_modified, refetch)
        yield offer.priced(
            told.calculated_price,
            told.currency.upper(),
            tax_included=store.is_price_entered_with_tax,
            price_list=listed.name,
            part=f"{told.price_list_id}:{told.currency.upper()}",
        )


def _payment_status(told: wire.Order) -> PaymentStatus:
    if told.status_id in _REFUNDED:
        return _REFUNDED[told.status_id]
    return _PAYMENT.get(told.payment_status, PaymentStatus.PENDING)


def _lines(
    told: wire.Order, lines: Iterable[wire.Line], taxes: Sequence[wire.Tax], currency: str
) -> Iterator[DocumentLine]:
    for line in lines:
        yield _goods(line, told, taxes, currency)
    extras = (
        ("shipping", "shipping", told.shipping_cost_ex_tax, told.shipping_cost_inc_tax),
        ("handling", "handling", told.handling_cost_ex_tax, told.handling_cost_inc_tax),
        ("wrapping", "gift-wrapping", told.wrapping_cost_ex_tax, told.wrapping_cost_inc_tax),
    )
    for name, taxed_as, net, gross in extras:
        if gross:
            kind = LineType.FREIGHT if name == "shipping" else LineType.FEE
            shares = [one for one in taxes if one.line_item_type == taxed_as]
            yield _extra(name, kind, name, (net, gross), shares, told, currency)
    for fee in told.fees:
        title = fee.display_name_merchant or fee.display_name_customer
        ends = (fee.cost_ex_tax, fee.cost_inc_tax)
        yield _extra(
            f"fee:{fee.id}", LineType.FEE, title, ends, _on_fee(fee, taxes), told, currency
        )


def _on_fee(fee: wire.Fee, taxes: Sequence[wire.Tax]) -> list[wire.Tax]:
    """The list of taxes does not name fees: where everything has one rate, a fee has it too."""
    tax = fee.cost_inc_tax - fee.cost_ex_tax
    known = {(one.name, one.rate) for one in taxes}
    if not tax or len(known) != 1:
        return []
    ((name, rate),) = known
    return [wire.Tax(name=name, rate=rate, line_amount=tax)]


def _goods(
    line: wire.Line, told: wire.Order, taxes: Sequence[wire.Tax], currency: str
) -> DocumentLine:
    """A line of goods; its own ``total_tax`` is from before discounts, so the tax list counts."""
    included = told.is_tax_inclusive_pricing
    off = sum((one.amount for one in line.applied_discounts), Decimal(0))
    gross = line.discounted_total_inc_tax
    if gross is None:
        gross = line.total_inc_tax - off
    shares = [one for one in taxes if one.order_product_id == line.id and one.line_amount]
    tax = sum((one.line_amount for one in shares), Decimal(0)) if taxes else line.total_tax
    gross, tax = to_minor_unit(gross, currency), to_minor_unit(tax, currency)
    amount = gross if included else gross - tax
    before = to_minor_unit(line.total_inc_tax if included else line.total_ex_tax, currency)
    is_free = not amount and not line.parent_order_product_id
    return DocumentLine(
        id=line.id,
        type=LineType.FREE_GOODS if is_free else LineType.GOODS,
        parent_id=line.parent_order_product_id or None,
        sku=line.sku or None,
        gtin=line.upc or None,
        title=line.name,
        quantity=line.quantity,
        quantity_ordered=line.quantity,
        unit_price=(line.price_inc_tax if included else line.price_ex_tax).quantize(_DIGITS),
        discount=max(before - amount, Decimal(0)),
        amount=amount,
        tax=tax,
        taxes=_shares(shares, currency),
        is_stocked=line.type not in _UNSTOCKED and not line.gift_certificate_id,
    )


def _extra(
    line_id: str,
    kind: LineType,
    title: str,
    ends: tuple[Decimal, Decimal],
    taxes: Iterable[wire.Tax],
    told: wire.Order,
    currency: str,
) -> DocumentLine:
    net, gross = (to_minor_unit(end, currency) for end in ends)
    amount = gross if told.is_tax_inclusive_pricing else net
    return DocumentLine(
        id=line_id,
        type=LineType.DISCOUNT if amount < 0 else kind,
        title=title,
        quantity=1,
        quantity_ordered=1,
        unit_price=abs(amount),
        amount=abs(amount),
        tax=abs(gross - net),
        taxes=_shares(taxes, currency),
        is_stocked=False,
    )


def _shares(taxes: Iterable[wire.Tax], currency: str) -> tuple[TaxShare, ...]:
    return tuple(
        TaxShare(
            title=one.name,
            rate=one.rate / 100,
            amount=to_minor_unit(abs(one.line_amount), currency),
        )
        for one in taxes
    )


def _company(name: str, account: str, otherwise: str) -> Company | None:
    return (
        Company(id=account if account not in {"", "0"} else otherwise, name=name) if name else None
    )


def _name(of: wire.Address | wire.CustomerAddress) -> str:
    return f"{of.first_name} {of.last_name}".strip()


def _address(told: wire.Address) -> Address | None:
    if not (told.street_1 or told.city or told.zip or told.country_iso2):
        return None
    return Address(
        name=_name(told),
        company=told.company,
        street=told.street_1,
        street2=told.street_2,
        city=told.city,
        region=told.state,
        postal_code=told.zip,
        country=told.country_iso2 or None,
        phone=told.phone,
    )


def _customer_address(told: wire.CustomerAddress) -> Address:
    return Address(
        name=_name(told),
        company=told.company,
        street=told.address1,
        street2=told.address2,
        city=told.city,
        region=told.state_or_province,
        postal_code=told.postal_code,
        country=told.country_code or None,
        phone=told.phone,
    )
