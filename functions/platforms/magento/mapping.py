"""From Magento's words to ours: pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import (
    Payment,
    Refund,
    SettlementStatus,
    Shipment,
    ShipmentState,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, guest, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import (
    OrderRequest,
    PaymentStatus,
    Totals,
)
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.selling import Offer, withdrawn
from platforms.magento import wire
from platforms.magento.lines import Shop, credited, lines, sent

_HELD = frozenset({"holded", "payment_review"})
_CHOICES = frozenset({"configurable", "grouped"})
"""A buyer gets one of their parts, under its own SKU."""
_STOCKED = frozenset({"simple", "virtual", "downloadable"})
_UNTIMED = datetime(2000, 1, 1, tzinfo=UTC)
"""For what has no time and is only ever read: of two reads the one begun later is right."""
_STATUS = {2: SettlementStatus.SETTLED, 3: SettlementStatus.VOIDED}


def customer_deleted(told: wire.Deleted, connection: str) -> Iterator[Told]:
    """An account is gone; its number is never given again."""
    # Nothing follows a deletion, so it is later than whatever happened within the same second.
    at = told.occurred_at + timedelta(seconds=1)
    yield Seen(ref(Kind.CUSTOMER, connection, told.entity_id), None, at)


def product_deleted(told: wire.Deleted, connection: str) -> Iterator[Told]:
    """A product is gone; its number is never given again."""
    yield from withdrawn(connection, told.entity_id, told.occurred_at + timedelta(seconds=1))


def product(told: wire.Product, currency: str, shop: Shop) -> Iterator[Told]:
    """A product and its standing price; its stock is in no list and to be read."""
    if told.type_id in _CHOICES or not told.sku:
        return
    offer = _offer(told, shop)
    yield offer.shown(told.name, is_active=told.status == 1)
    has_stock = told.type_id in _STOCKED
    if told.price is not None and (told.price or has_stock):  # a bundle's is its parts'
        yield offer.priced(told.price, currency, tax_included=shop.tax_included)
    if has_stock:
        yield Hint("stock", told.id, Kind.STOCK_LEVEL)


def stock(told: wire.StockedProduct, offered: Decimal, shop: Shop) -> Iterator[Seen]:
    """What the shop offers of a product.

    Stock has no time and moves none of the product's. A read that shows another figure at the same
    time is the newer one.
    """
    yield _offer(told, shop).stocked(offered, told.updated_at)


def _offer(told: wire.Product, shop: Shop) -> Offer:
    return Offer(shop.connection, told.id, told.sku, told.updated_at, Hint("product", told.id))


def order(told: wire.Order, shop: Shop) -> Iterator[Told]:
    """The order and a seed of its buyer.

    An order without a state was written past the checkout: a history, or half an order.
    """
    if not told.state:
        return
    entity = ref(Kind.ORDER, shop.connection, told.entity_id)
    is_guest = told.customer_is_guest or not told.customer_id
    buyer = (
        guest(shop.connection, told.entity_id)
        if is_guest
        else ref(Kind.CUSTOMER, shop.connection, told.customer_id)
    )
    request = _request(told, buyer, shop)
    refetch = Hint("order", told.entity_id)
    yield Seen(entity, request, told.updated_at, Part.REQUEST, refetch=refetch)
    places = dict.fromkeys(one for one in (request.bill_to, request.ship_to) if one)
    seed = Customer(contact=request.contact, company=request.company, addresses=tuple(places))
    yield Seen(buyer, seed, None)


def invoice(told: wire.Invoice, of: wire.Order, shop: Shop) -> Iterator[Told]:
    """An invoice is the payment taken: Magento makes it when it captures the money."""
    parent = ref(Kind.ORDER, shop.connection, told.order_id)
    for key, amount, gateway in _moved(told, of):
        body = Payment(
            order=parent,
            amount=to_minor_unit(amount, told.order_currency_code),
            currency=told.order_currency_code,
            gateway=gateway,
            at=told.created_at,
            status=_STATUS.get(told.state, SettlementStatus.PENDING),
        )
        entity = ref(Kind.PAYMENT, shop.connection, key)
        refetch = Hint("invoice", told.entity_id)
        yield Seen(entity, body, told.updated_at, parent=parent, refetch=refetch)


def creditmemo(told: wire.CreditMemo, of: wire.Order, shop: Shop) -> Iterator[Told]:
    """A credit memo is money given back; freight and adjustments are in its sum only."""
    parent = ref(Kind.ORDER, shop.connection, told.order_id)
    currency = told.order_currency_code
    rows = tuple(credited(told, of, currency))
    for key, amount, gateway in _moved(told, of):
        body = Refund(
            order=parent,
            amount=to_minor_unit(amount, currency),
            currency=currency,
            gateway=gateway,
            at=told.created_at,
            status=_STATUS.get(told.state, SettlementStatus.PENDING),
            lines=rows,
            reason=next((one.comment for one in told.comments if one.comment), ""),
        )
        entity = ref(Kind.REFUND, shop.connection, key)
        refetch = Hint("creditmemo", told.entity_id)
        yield Seen(entity, body, told.updated_at, parent=parent, refetch=refetch)
        rows = ()  # said once, however many ways the money went


def shipment(told: wire.Shipment, of: wire.Order, shop: Shop) -> Iterator[Told]:
    """Goods that have left."""
    parent = ref(Kind.ORDER, shop.connection, told.order_id)
    first = next(iter(told.tracks), wire.Track())
    numbers = dict.fromkeys(one.track_number for one in told.tracks if one.track_number)
    body = Shipment(
        order=parent,
        number=told.increment_id or told.entity_id,
        state=ShipmentState.DISPATCHED,
        lines=tuple(sent(told, of)),
        carrier=first.title or first.carrier_code,
        tracking_number=", ".join(numbers),
        dispatched_at=told.created_at,
    )
    entity = ref(Kind.SHIPMENT, shop.connection, told.entity_id)
    refetch = Hint("shipment", told.entity_id)
    yield Seen(entity, body, told.updated_at, parent=parent, refetch=refetch)


def customer(told: wire.Customer, shop: Shop) -> Iterator[Told]:
    """An account of the shop."""
    # Sorting keeps the order of equals: the default comes first.
    listed = sorted(told.addresses, key=lambda one: not one.default_billing)
    main = next(iter(listed), wire.Address())
    business = told.extension_attributes.company_attributes
    vat = told.taxvat or main.vat_id
    body = Customer(
        contact=Contact(
            name=_name(told.firstname, told.lastname), email=told.email, phone=main.telephone
        ),
        company=_company(business, main.company, vat, told.id),
        addresses=tuple(one for one in map(_address, listed) if one),
    )
    entity = ref(Kind.CUSTOMER, shop.connection, told.id)
    yield Seen(entity, body, told.updated_at, refetch=Hint("customer", told.id))


def company(told: wire.Business, shop: Shop) -> Iterator[Told]:
    """A company whose people order: whatever its status, since the shop lets in whom it wants."""
    place = _address(told)
    body = Customer(
        contact=Contact(email=told.email, phone=told.telephone),
        company=Company(id=told.id, name=told.company or told.legal_name, vat_number=told.vat_id),
        addresses=(place,) if place else (),
    )
    entity = ref(Kind.CUSTOMER, shop.connection, f"company:{told.id}")
    yield Seen(entity, body, _UNTIMED, refetch=Hint("company", told.id))


def _request(told: wire.Order, buyer: EntityRef, shop: Shop) -> OrderRequest:
    currency, billing = told.order_currency_code, told.billing_address
    is_cancelled = told.state == "canceled"
    otherwise = sum(told.extension_attributes.amounts.values(), Decimal(0))
    gross, tax = told.grand_total + otherwise, told.tax_amount
    if not is_cancelled:
        # What was cancelled of an order that goes on is neither delivered nor paid.
        gross, tax = gross - told.total_canceled, tax - told.tax_canceled
    gross, tax = to_minor_unit(gross, currency), to_minor_unit(tax, currency)
    assignments = told.extension_attributes.shipping_assignments
    bill_to = _address(billing)
    ship_to = _address(assignments[0].shipping.address) if assignments else None
    child = told.relation_child_real_id or told.relation_child_id
    return OrderRequest(
        number=told.increment_id or told.entity_id,
        placed_at=told.created_at,
        placed_at_local=told.created_text,
        changed_at=told.updated_at,
        cancelled_at=told.updated_at if is_cancelled else None,
        cancel_reason=f"replaced by {child}" if is_cancelled and child else "",
        channel=told.store_name.rpartition("\n")[2],
        currency=currency,
        shop_currency=told.base_currency_code or currency,
        presentment_currency=currency,
        presentment_gross=gross,
        tax_included=shop.tax_included,
        lines=tuple(lines(told, shop)),
        totals=Totals(
            net=gross - tax,
            tax=tax,
            gross=gross,
            discount=to_minor_unit(abs(told.discount_amount), currency),
        ),
        customer=buyer,
        contact=Contact(
            name=_name(told.customer_firstname, told.customer_lastname)
            or _name(billing.firstname, billing.lastname),
            email=told.customer_email or billing.email,
            phone=billing.telephone,
        ),
        company=_company(
            told.extension_attributes.company_order_attributes,
            billing.company,
            told.customer_taxvat or billing.vat_id,
            buyer.external_id,
            told.ext_customer_id,
        ),
        bill_to=bill_to,
        ship_to=ship_to or bill_to,
        po_number=told.payment.po_number,
        payment_terms=told.payment.method,
        payment_status=_paid(told),
        note=told.customer_note,
        tags=(told.state,) if told.state in _HELD else (),
        properties=_properties(told),
    )


def _properties(told: wire.Order) -> dict[str, str]:
    base, extension = told.base_currency_code, told.extension_attributes
    found = {
        "replaces": told.relation_parent_real_id or told.relation_parent_id,
        "pickup_location": extension.pickup_location_code,
        "coupon": told.coupon_code or ", ".join(extension.coupon_codes),
        "base_grand_total": (
            f"{to_minor_unit(told.base_grand_total, base)} {base}"
            if base and base != told.order_currency_code
            else ""
        ),
    }
    return {name: value for name, value in found.items() if value}


def _paid(told: wire.Order) -> PaymentStatus:
    """From amounts alone: a refund can throw a shipped order back to ``new``."""
    due = told.grand_total - told.total_paid if told.total_due is None else told.total_due
    is_settled = due - told.total_canceled <= 0
    if told.total_refunded:
        is_all = told.total_refunded >= told.total_paid
        return PaymentStatus.REFUNDED if is_all else PaymentStatus.PART_REFUNDED
    if told.total_paid:
        return PaymentStatus.PAID if is_settled else PaymentStatus.PART_PAID
    if told.state == "canceled":
        return PaymentStatus.VOIDED
    if is_settled:
        return PaymentStatus.PAID  # free, or paid by gift card or store credit
    is_authorized = bool(told.payment.amount_authorized)
    return PaymentStatus.AUTHORIZED if is_authorized else PaymentStatus.PENDING


def _moved(told: wire.MoneyDocument, of: wire.Order) -> list[tuple[str, Decimal, str]]:
    """The money of a document by the ways it went: key, amount, gateway."""
    otherwise = [
        (f"{told.entity_id}:{name}", amount, name)
        for name, amount in told.extension_attributes.amounts.items()
    ]
    if not told.grand_total and otherwise:
        return otherwise
    return [(told.entity_id, told.grand_total, of.payment.method), *otherwise]


def _company(
    told: wire.Company, name: str, vat: str, buyer: str, account: str = ""
) -> Company | None:
    """The company of the B2B module, else the one on the bill."""
    if not (told.company_id or name or vat):
        return None
    return Company(
        id=told.company_id or buyer,
        name=told.company_name or name,
        account=account,
        vat_number=vat,
    )


def _name(first: str, last: str) -> str:
    return f"{first} {last}".strip()


def _address(told: wire.Address) -> Address | None:
    if not (told.street or told.city or told.postcode or told.country_id):
        return None
    return Address(
        name=_name(told.firstname, told.lastname),
        company=told.company,
        street=next(iter(told.street), ""),
        street2=", ".join(one for one in told.street[1:] if one),
        city=told.city,
        region=told.region_code or told.region,
        postal_code=told.postcode,
        country=told.country_id or None,
        phone=told.telephone,
    )
