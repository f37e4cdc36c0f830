"""From WooCommerce's words to ours: pure, the same for a webhook and for an answer of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Payment, Refund, RefundedLine, SettlementStatus
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
from fizzbridge.selling import Offer, withdrawn
from platforms.woocommerce import wire

_NO_ORDER_YET = frozenset({"checkout-draft", "auto-draft"})
_PO_NUMBER = ("_billing_po_number", "po_number", "_po_number")
_VAT_NUMBER = ("_billing_vat_number", "_vat_number")
_REFUNDED_ITEM = ("_refunded_item_id",)
_OUR_OWN = "fizzbridge"
OUR_REFERENCE = "_fizzbridge_ref"
"""The field of what we made ourselves."""
_SOLD_ELSEWHERE = frozenset({"grouped", "external"})


def order(told: wire.Order, connection: str) -> Iterator[Told]:
    """The order, its buyer as a seed, its payment; its refunds to be read where there are any."""
    if told.status in _NO_ORDER_YET or told.created_via == _OUR_OWN:
        return
    entity = ref(Kind.ORDER, connection, told.id)
    refetch = Hint("order", told.id)
    if told.status == "trash":
        yield Seen(entity, None, told.date_modified_gmt, Part.REQUEST, refetch=refetch)
        return
    buyer = _buyer(told, connection)
    request = _request(told, buyer)
    yield Seen(entity, request, told.date_modified_gmt, Part.REQUEST, refetch=refetch)
    addresses = dict.fromkeys(one for one in (request.bill_to, request.ship_to) if one)
    seed = Customer(contact=request.contact, company=request.company, addresses=tuple(addresses))
    yield Seen(buyer, seed, None)
    if told.date_paid_gmt:
        yield _payment(told, entity, connection)
    if told.refunds:
        yield Hint("refunds", told.id)


def trashed(told: wire.Trashed, connection: str) -> Iterator[Told]:
    """The order is in the bin: read it, since only its own time can tell what is newer."""
    del connection
    yield Hint("order", told.id)


def customer(told: wire.Customer, connection: str) -> Iterator[Told]:
    """An account of the shop."""
    changed = told.date_modified_gmt or told.date_created_gmt
    if changed is None:
        yield Hint("customer", told.id)
        return
    billing = _address(told.billing)
    addresses = dict.fromkeys(one for one in (billing, _address(told.shipping)) if one)
    body = Customer(
        contact=Contact(
            name=_name(told) or (billing.name if billing else ""),
            email=told.email,
            phone=told.billing.phone,
        ),
        company=_company(told.billing, told.id, told.meta_data),
        addresses=tuple(addresses),
    )
    refetch = Hint("customer", told.id)
    yield Seen(ref(Kind.CUSTOMER, connection, told.id), body, changed, refetch=refetch)


def customer_deleted(told: wire.Deleted, connection: str) -> Iterator[Told]:
    """An account is gone; its number is never given again."""
    # Nothing follows a deletion, so it is later than whatever happened within the same second.
    yield Seen(ref(Kind.CUSTOMER, connection, told.id), None, told.told_at + timedelta(seconds=1))


def refund(told: wire.Refund, connection: str) -> Iterator[Told]:
    """A refund; the shop makes it when the money has moved, or was said to have."""
    parent = ref(Kind.ORDER, connection, told.order_id)
    lines = tuple(
        RefundedLine(
            order_line_id=_meta(line.meta_data, _REFUNDED_ITEM),
            quantity=abs(_whole(line.quantity, told.order_id)),
            amount=to_minor_unit(
                abs(line.total + (line.total_tax if told.prices_include_tax else 0)), told.currency
            ),
            tax=to_minor_unit(abs(line.total_tax), told.currency),
            is_restocked=False,
        )
        for line in told.line_items
    )
    body = Refund(
        order=parent,
        amount=to_minor_unit(abs(told.amount), told.currency),
        currency=told.currency,
        at=told.date_created_gmt,
        status=SettlementStatus.SETTLED,
        lines=lines,
        reason=told.reason,
    )
    entity = ref(Kind.REFUND, connection, told.id)
    refetch = Hint("refunds", told.order_id)
    reference = _meta(told.meta_data, (OUR_REFERENCE,))
    yield Seen(entity, body, told.date_created_gmt, Part.RECORD, parent, refetch, reference)


@dataclass(frozen=True)
class Market:
    """What the shop's settings say of all its prices, which say neither themselves."""

    currency: str
    tax_included: bool
    has_our_sales: bool = False
    """Whether the price of a sale is one that we show: then the regular one is told."""


def product(told: wire.Product, connection: str) -> Iterator[Told]:
    """A product whole, its price to be read; of variations their parent has to be known too."""
    if told.is_variable or told.type == "variation":
        yield Hint("product", told.id, Kind.PRODUCT)
        return
    shown = list(item(told, connection))
    yield from shown
    if shown and told.price is not None:
        yield Hint("price", told.id, Kind.PRICE)


def dropped(told: wire.Trashed, connection: str) -> Iterator[Told]:
    """The product is in the bin: read it, since only its own time can tell what is newer."""
    del connection
    yield Hint("product", told.id, Kind.PRODUCT)


def item(
    told: wire.Product,
    connection: str,
    market: Market | None = None,
    parent: wire.Product | None = None,
) -> Iterator[Seen]:
    """What is sold under a code: the thing, its price where the settings are known, its stock."""
    changed = told.date_modified_gmt or told.date_created_gmt
    if not told.sku or changed is None or told.type in _SOLD_ELSEWHERE:
        return
    refetch = Hint("product", told.id)
    if told.status == "trash":
        yield from withdrawn(connection, told.id, changed, refetch)
        return
    offer = Offer(connection, told.id, told.sku, changed, refetch)
    # With the rights of who reads it a draft is purchasable too.
    is_published = {one.status for one in (told, parent) if one} == {"publish"}
    yield offer.shown(
        (parent or told).name,
        gtin=told.global_unique_id.replace("-", ""),
        is_active=told.purchasable and is_published,
    )
    price = told.regular_price if market and market.has_our_sales else told.price
    if price is not None and market:
        yield offer.priced(price, market.currency, tax_included=market.tax_included)
    if told.manage_stock and told.stock_quantity is not None:
        yield offer.stocked(told.stock_quantity, changed)


def _payment(told: wire.Order, parent: EntityRef, connection: str) -> Seen:
    """There is one payment to an order: WooCommerce keeps no list of transactions."""
    assert told.date_paid_gmt  # noqa: S101  asked by the caller
    body = Payment(
        order=parent,
        amount=to_minor_unit(told.total, told.currency),
        currency=told.currency,
        gateway=told.payment_method,
        at=told.date_paid_gmt,
        status=SettlementStatus.SETTLED,
    )
    entity = ref(Kind.PAYMENT, connection, f"order:{told.id}")
    return Seen(entity, body, told.date_modified_gmt, parent=parent, refetch=Hint("order", told.id))


def _request(told: wire.Order, buyer: EntityRef) -> OrderRequest:
    gross, tax = (to_minor_unit(one, told.currency) for one in (told.total, told.total_tax))
    bill_to = _address(told.billing)
    return OrderRequest(
        number=told.number or told.id,
        placed_at=told.date_created_gmt,
        placed_at_local=told.date_created,
        changed_at=told.date_modified_gmt,
        cancelled_at=told.date_modified_gmt if told.status == "cancelled" else None,
        channel=told.created_via,
        currency=told.currency,
        shop_currency=told.currency,
        presentment_currency=told.currency,
        presentment_gross=gross,
        tax_included=told.prices_include_tax,
        lines=tuple(_lines(told)),
        totals=Totals(
            net=gross - tax,
            tax=tax,
            gross=gross,
            discount=to_minor_unit(told.discount_total, told.currency),
        ),
        customer=buyer,
        contact=Contact(
            name=_name(told.billing), email=told.billing.email, phone=told.billing.phone
        ),
        company=_company(told.billing, _account(told), told.meta_data),
        bill_to=bill_to,
        ship_to=_address(told.shipping) or bill_to,
        po_number=_meta(told.meta_data, _PO_NUMBER),
        payment_status=_paid(told),
        note=told.customer_note,
        properties={one.key: one.value for one in told.meta_data if _is_ours(one)},
    )


def _is_ours(meta: wire.Meta) -> bool:
    """Keys with an underscore before them are plugins' own; orders carry dozens of them."""
    return bool(meta.key and meta.value) and not meta.key.startswith("_")


def _paid(told: wire.Order) -> PaymentStatus:
    if told.status == "refunded":
        return PaymentStatus.REFUNDED
    if told.date_paid_gmt is None:
        return PaymentStatus.PENDING
    return PaymentStatus.PART_REFUNDED if told.refunds else PaymentStatus.PAID


def _account(told: wire.Order) -> str:
    return told.customer_id if told.customer_id not in {"", "0"} else f"order:{told.id}"


def _buyer(told: wire.Order, connection: str) -> EntityRef:
    if told.customer_id in {"", "0"}:
        return guest(connection, told.id)
    return ref(Kind.CUSTOMER, connection, told.customer_id)


def _company(billing: wire.Address, account: str, meta: Iterable[wire.Meta]) -> Company | None:
    vat = _meta(meta, _VAT_NUMBER)
    if not billing.company and not vat:
        return None
    return Company(id=account, name=billing.company, vat_number=vat)


def _lines(told: wire.Order) -> Iterator[DocumentLine]:
    rates = {tax.rate_id: tax for tax in told.tax_lines}
    bundles = {
        key: line.id
        for line in told.line_items
        if (key := _meta(line.meta_data, ("_bundle_cart_key",)))
    }
    for line in told.line_items:
        parent = bundles.get(_meta(line.meta_data, ("_bundled_by",)))
        yield _goods(line, told, rates, parent)
    for shipping in told.shipping_lines:
        yield _extra(shipping, LineType.FREIGHT, shipping.method_title, told, rates)
    for fee in told.fee_lines:
        kind = LineType.DISCOUNT if fee.total < 0 else LineType.FEE
        yield _extra(fee, kind, fee.name, told, rates)


def _goods(
    line: wire.Line, told: wire.Order, rates: Mapping[str, wire.TaxLine], parent: str | None
) -> DocumentLine:
    quantity = _whole(line.quantity, told.id)
    before, after = (
        to_minor_unit(net + (tax if told.prices_include_tax else 0), told.currency)
        for net, tax in ((line.subtotal, line.subtotal_tax), (line.total, line.total_tax))
    )
    return DocumentLine(
        id=line.id,
        type=LineType.GOODS if after or before else LineType.FREE_GOODS,
        parent_id=parent,
        sku=line.sku or None,
        title=line.name,
        quantity=quantity,
        quantity_ordered=quantity,
        # Without coupon and to the cent times the quantity: the shop's own ``price`` is a fraction.
        unit_price=(before / quantity).quantize(_DIGITS) if quantity else before,
        discount=max(before - after, Decimal(0)),
        amount=after,
        tax=to_minor_unit(line.total_tax, told.currency),
        taxes=_taxes(line.taxes, rates, told.currency),
    )


_DIGITS = Decimal("0.000001")


def _extra(
    line: wire.Extra,
    kind: LineType,
    title: str,
    told: wire.Order,
    rates: Mapping[str, wire.TaxLine],
) -> DocumentLine:
    amount = to_minor_unit(
        abs(line.total + (line.total_tax if told.prices_include_tax else 0)), told.currency
    )
    return DocumentLine(
        id=line.id,
        type=kind,
        title=title,
        quantity=1,
        quantity_ordered=1,
        unit_price=amount,
        amount=amount,
        tax=to_minor_unit(abs(line.total_tax), told.currency),
        taxes=_taxes(line.taxes, rates, told.currency),
        is_stocked=False,
    )


def _taxes(
    taxes: Iterable[wire.LineTax], rates: Mapping[str, wire.TaxLine], currency: str
) -> tuple[TaxShare, ...]:
    found = ((rates.get(tax.id), to_minor_unit(abs(tax.total), currency)) for tax in taxes)
    return tuple(
        TaxShare(title=rate.label or rate.rate_code, rate=rate.rate_percent / 100, amount=amount)
        for rate, amount in found
        if rate
    )


def _whole(quantity: Decimal, order_id: str) -> int:
    """Plugins sell by the metre and by the half; we count pieces."""
    if quantity != quantity.to_integral_value():
        raise MalformedDeliveryError(
            f"order {order_id}: a quantity of {quantity} is no number of pieces", code="fraction"
        )
    return int(quantity)


def _meta(meta: Iterable[wire.Meta], keys: Iterable[str]) -> str:
    values = {one.key: one.value for one in meta}
    return next((values[key] for key in keys if values.get(key)), "")


def _name(of: wire.Customer | wire.Address) -> str:
    return f"{of.first_name} {of.last_name}".strip()


def _address(told: wire.Address) -> Address | None:
    if not any(value for name, value in told if name not in {"email", "phone"}):
        return None
    return Address(
        name=_name(told),
        company=told.company,
        street=told.address_1,
        street2=told.address_2,
        city=told.city,
        region=told.state,
        postal_code=told.postcode,
        country=told.country or None,
        phone=told.phone,
    )
