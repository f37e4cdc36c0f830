"""From Lightspeed's words to ours: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import (
    Payment,
    Refund,
    Return,
    ReturnState,
    SettlementStatus,
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
from fizzbridge.trade.discounts import spread
from platforms.lightspeed import wire

OURS = "fizzbridge"
_PLACED = frozenset({"pending", "closed", "voided"})
"""A parked sale is a basket somebody put aside."""
_WALK_IN = "WALKIN"
_DIGITS = Decimal("0.000001")
_GTIN = frozenset({"EAN", "ITF", "JAN", "UPC"})


@dataclass(frozen=True)
class Retailer:
    """What a retailer's tables say of the ids in a sale.

    Attributes:
        currency: of everything.
        products: by id.
        rates: by id, and by that of a tax that has no other rate.
    """

    currency: str
    products: Mapping[str, wire.Product]
    rates: Mapping[str, wire.Rate]


def sale(
    told: wire.Sale, buyer: wire.Customer | None, retailer: Retailer, connection: str
) -> Iterator[Told]:
    """A sale as an order with its payments, or as what a return of one gives back."""
    if told.state not in _PLACED or told.source.type == OURS:
        return
    if told.returned.is_return:
        yield from _return(told, retailer, connection)
        return
    entity = ref(Kind.ORDER, connection, told.id)
    known = buyer is not None and buyer.customer_code != _WALK_IN
    owner = (
        ref(Kind.CUSTOMER, connection, told.customer_id) if known else guest(connection, told.id)
    )
    shown = _customer(buyer) if buyer and known else Customer(contact=Contact())
    request = _request(told, shown, owner, retailer)
    version = told.counted.version
    refetch = Hint("sale", told.id)
    yield Seen(entity, request, version, Part.REQUEST, refetch=refetch)
    yield Seen(owner, shown, None)
    for payment in told.payments:
        if payment.amount > 0 and not payment.deleted_at:
            body = Payment(
                order=entity,
                amount=to_minor_unit(payment.amount, retailer.currency),
                currency=retailer.currency,
                gateway=payment.type.name,
                at=payment.date or told.date,
                status=SettlementStatus.SETTLED,
            )
            paid = ref(Kind.PAYMENT, connection, payment.id)
            yield Seen(paid, body, version, parent=entity, refetch=refetch)


def customer(told: wire.Customer, connection: str) -> Iterator[Told]:
    """A customer, but for the one that stands for all who walk in."""
    if told.customer_code != _WALK_IN:
        entity = ref(Kind.CUSTOMER, connection, told.id)
        yield Seen(entity, _customer(told), told.version, refetch=Hint("customer", told.id))


def product(told: wire.Product, currency: str, connection: str) -> Iterator[Told]:
    """A product and its price before tax, which the platform keeps whatever its tills show."""
    refetch = Hint("product", told.id)
    if told.deleted_at:
        for kind in (Kind.PRODUCT, Kind.PRICE):
            gone = ref(kind, connection, told.id)
            yield Seen(gone, None, told.version, refetch=refetch)
    elif told.sku:
        offer = Offer(connection, told.id, told.sku, told.version, refetch)
        codes = (one.code for one in told.product_codes if one.type.upper() in _GTIN)
        name = told.variant_name or told.name
        yield offer.shown(name, gtin=next(codes, ""), is_active=told.active)
        if told.price_excluding_tax is not None:
            yield offer.priced(told.price_excluding_tax, currency, tax_included=False)


def level(
    told: wire.Level, of: wire.Product | None, read_at: datetime, connection: str
) -> Iterator[Told]:
    """What an outlet has of a product that is counted.

    Args:
        told: the level; it has a version, and no time.
        of: the product, which may be gone itself; None where the level says that it is gone.
        read_at: when it was read.
        connection: the connection's name.
    """
    refetch = Hint("stock", told.product_id)
    if of is None or of.deleted_at:
        gone = ref(Kind.STOCK_LEVEL, connection, f"{told.product_id}:{told.outlet_id}")
        yield Seen(gone, None, told.version, refetch=refetch)
    elif of.sku and of.has_inventory:
        offer = Offer(connection, of.id, of.sku, told.version, refetch)
        yield offer.stocked(told.current_inventory_level, read_at, told.outlet_id)


def _request(
    told: wire.Sale, buyer: Customer, owner: EntityRef, retailer: Retailer
) -> OrderRequest:
    currency = retailer.currency
    net, tax = (to_minor_unit(one, currency) for one in (told.totals.price, told.totals.tax))
    lines = tuple(_lines(told, retailer))
    address = next(iter(buyer.addresses), None)
    return OrderRequest(
        number=told.invoice_number or told.receipt_number or told.id,
        placed_at=told.date,
        placed_at_local=told.date_text,
        changed_at=told.updated_at,
        cancelled_at=told.updated_at if told.state == "voided" or told.deleted_at else None,
        channel=told.source.register_id,
        currency=currency,
        shop_currency=currency,
        presentment_currency=currency,
        presentment_gross=net + tax,
        tax_included=False,
        lines=lines,
        totals=Totals(
            net=net,
            tax=tax,
            gross=net + tax,
            discount=sum((one.discount for one in lines), Decimal(0)),
        ),
        customer=owner,
        contact=buyer.contact,
        company=buyer.company,
        bill_to=address,
        ship_to=address,
        payment_status=_payment_status(told),
        note=told.note,
        tags=told.attributes,
    )


def _payment_status(told: wire.Sale) -> PaymentStatus:
    paid = sum((one.amount for one in told.payments if not one.deleted_at), Decimal(0))
    owed = told.totals.price + told.totals.tax
    if "onaccount" in told.attributes and told.state != "closed":
        return PaymentStatus.PENDING
    # Sums of five decimals: half a cent more or less is the same amount.
    if paid and owed - paid < Decimal("0.005"):
        return PaymentStatus.PAID
    return PaymentStatus.PART_PAID if paid > 0 else PaymentStatus.PENDING


def _lines(told: wire.Sale, retailer: Retailer) -> Iterator[DocumentLine]:
    """Lines whose amounts add up to the sale's own totals.

    Each amount is what the running sum, rounded, grows by: rounded one by one, the halves of many
    lines would add up.
    """
    currency = retailer.currency
    amounts = _rounded((one.pricing.total for one in told.line_items), currency)
    taxes = _rounded((one.tax.total for one in told.line_items), currency)
    for line, amount, tax in zip(told.line_items, amounts, taxes, strict=True):
        quantity = _whole(line.quantity, told.id)
        if quantity < 0:
            raise MalformedDeliveryError(
                f"sale {told.id} sells and takes back at once: that is two documents", code="mixed"
            )
        product = retailer.products.get(line.product.id)
        off = to_minor_unit(line.pricing.discount_total or _off(line), currency)
        yield DocumentLine(
            id=line.id,
            type=LineType.GOODS if amount else LineType.FREE_GOODS,
            sku=product.sku or None if product else None,
            title=product.variant_name or product.name if product else "",
            quantity=quantity,
            quantity_ordered=quantity,
            unit_price=(line.pricing.price + line.pricing.discount).quantize(_DIGITS),
            discount=max(off, Decimal(0)),
            amount=amount,
            tax=tax,
            taxes=_shares(tax, line.data.tax_components or _only(line), retailer),
            is_stocked=not line.gift_card_number,
            properties={"note": line.note} if line.note else {},
        )
    for place, charge in enumerate(told.ecom_custom_charges):
        yield _extra(f"charge:{place}", LineType.FREIGHT, charge, retailer)
    if told.totals.surcharge:
        surcharge = wire.Charge(total=told.totals.surcharge)
        yield _extra("surcharge", LineType.FEE, surcharge, retailer)


def _only(line: wire.Line) -> tuple[wire.TaxComponent, ...]:
    return (wire.TaxComponent(rate_id=line.tax.id, total_tax=line.tax.total),)


def _shares(
    tax: Decimal, components: Sequence[wire.TaxComponent], retailer: Retailer
) -> tuple[TaxShare, ...]:
    """What each rate is of a rounded tax; none where a rate is not known."""
    rates = [retailer.rates.get(one.rate_id) for one in components if one.total_tax]
    parts = [abs(one.total_tax) for one in components if one.total_tax]
    # Rounded up by less than a cent, a tax may exceed its parts.
    amounts = spread(tax, [part * 2 for part in parts], retailer.currency) if parts else []
    return tuple(
        TaxShare(title=rate.name, rate=rate.rate, amount=amount)
        for rate, amount in zip(rates, amounts, strict=True)
        if rate
    )


def _off(line: wire.Line) -> Decimal:
    return line.pricing.discount * line.quantity


def _rounded(amounts: Iterable[Decimal], currency: str) -> Iterator[Decimal]:
    total = before = Decimal(0)
    for amount in amounts:
        total += amount
        now = to_minor_unit(total, currency)
        yield now - before
        before = now


def _extra(line_id: str, kind: LineType, told: wire.Charge, retailer: Retailer) -> DocumentLine:
    amount = to_minor_unit(abs(told.total), retailer.currency)
    tax = to_minor_unit(abs(told.total_tax), retailer.currency)
    return DocumentLine(
        id=line_id,
        type=kind if told.total >= 0 else LineType.DISCOUNT,
        title=told.name,
        quantity=1,
        quantity_ordered=1,
        unit_price=amount,
        amount=amount,
        tax=tax,
        taxes=_shares(tax, told.tax_components, retailer),
        is_stocked=False,
    )


def _return(told: wire.Sale, retailer: Retailer, connection: str) -> Iterator[Told]:
    """What came back, and the money that went with it. A return of no sale has no order."""
    if not told.returned.original_sale_id:
        return
    parent = ref(Kind.ORDER, connection, told.returned.original_sale_id)
    version, refetch = told.counted.version, Hint("sale", told.id)
    state = ReturnState.RECEIVED if told.state == "closed" else ReturnState.REQUESTED
    skus = {key: one.sku for key, one in retailer.products.items()}
    came = Return(
        order=parent,
        number=told.invoice_number or told.id,
        state=ReturnState.CANCELLED if told.state == "voided" else state,
        lines=tuple(
            ShippedLine(
                order_line_id=line.id,
                sku=skus.get(line.product.id) or None,
                quantity=abs(_whole(line.quantity, told.id)),
            )
            for line in told.line_items
        ),
        reason=told.note,
        received_at=told.updated_at if told.state == "closed" else None,
    )
    back = ref(Kind.RETURN, connection, told.id)
    yield Seen(back, came, version, parent=parent, refetch=refetch)
    for payment in told.payments:
        if payment.amount < 0 and not payment.deleted_at:
            given = Refund(
                order=parent,
                amount=to_minor_unit(-payment.amount, retailer.currency),
                currency=retailer.currency,
                gateway=payment.type.name,
                at=payment.date or told.date,
                status=SettlementStatus.SETTLED,
                reason=told.note,
            )
            entity = ref(Kind.REFUND, connection, payment.id)
            yield Seen(entity, given, version, parent=parent, refetch=refetch)


def _customer(told: wire.Customer) -> Customer:
    name = f"{told.first_name} {told.last_name}".strip()
    places = dict.fromkeys(
        one for one in (_place(told, "physical", name), _place(told, "postal", name)) if one
    )
    company = Company(id=told.id, name=told.company_name) if told.company_name else None
    contact = Contact(name=name, email=told.email, phone=told.phone or told.mobile)
    return Customer(contact=contact, company=company, addresses=tuple(places))


def _place(told: wire.Customer, which: str, name: str) -> Address | None:
    street, street2, city, region, code, country = (
        getattr(told, f"{which}_{part}")
        for part in ("address_1", "address_2", "city", "state", "postcode", "country_id")
    )
    if not (street or city or code):
        return None
    return Address(
        name=name,
        company=told.company_name,
        street=street,
        street2=street2,
        city=city,
        region=region,
        postal_code=code,
        country=country or None,
        phone=told.phone,
    )


def _whole(quantity: Decimal, sale_id: str) -> int:
    if quantity != quantity.to_integral_value():
        raise MalformedDeliveryError(
            f"sale {sale_id}: a quantity of {quantity} is no number of pieces", code="fraction"
        )
    return int(quantity)
