"""From Shopify's orders to ours: pure, and the same for a webhook and for an answer of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

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
from platforms.shopify import wire

_PAYMENT = {
    "authorized": PaymentStatus.AUTHORIZED,
    "partially_paid": PaymentStatus.PART_PAID,
    "paid": PaymentStatus.PAID,
    "partially_refunded": PaymentStatus.PART_REFUNDED,
    "refunded": PaymentStatus.REFUNDED,
    "voided": PaymentStatus.VOIDED,
    "expired": PaymentStatus.VOIDED,
}
_MONEY_MOVED = {"partially_paid", "paid", "partially_refunded", "refunded"}
_SHIPMENT = {
    "success": ShipmentState.DISPATCHED,
    "cancelled": ShipmentState.CANCELLED,
    # A fulfilment service refused or failed: nothing of it leaves any more.
    "error": ShipmentState.CANCELLED,
    "failure": ShipmentState.CANCELLED,
}
_NOT_RETURNED = {"canceled", "declined"}
_RESTOCKED = {"cancel", "return", "legacy_restock"}


def order(told: wire.Order, connection: str) -> Iterator[Told]:
    """The order, its buyer as a seed; what follows it is read where there is any."""
    entity = ref(Kind.ORDER, connection, told.id)
    buyer = _buyer(told, connection)
    request = _request(told, buyer)
    yield Seen(entity, request, told.updated_at, Part.REQUEST, refetch=Hint("order", told.id))
    addresses = dict.fromkeys(one for one in (request.bill_to, request.ship_to) if one)
    seed = Customer(contact=request.contact, company=request.company, addresses=tuple(addresses))
    yield Seen(buyer, seed, None)
    if told.financial_status in _MONEY_MOVED:
        yield Hint("transactions", told.id)
    if told.has_fulfillments:
        yield Hint("fulfillments", told.id)
    if told.has_returns:
        yield Hint("returns", told.id)


def edited(told: wire.OrderEdited, connection: str) -> Iterator[Told]:
    """An edit names lines and not what the order has become: read it."""
    del connection
    yield Hint("order", told.order_edit.order_id)


def deleted(told: wire.Deleted, connection: str) -> Iterator[Told]:
    """The order is gone."""
    yield Seen(ref(Kind.ORDER, connection, told.id), None, after(told.triggered_at), Part.REQUEST)


def after(at: datetime) -> datetime:
    """When something went: nothing follows, so it is later than all else of that second."""
    return at + timedelta(seconds=1)


def payment(told: wire.Transaction, connection: str) -> Iterator[Told]:
    """Money that came in. Authorisations, failures and refunds are not payments."""
    if told.status != "success" or told.kind not in {"sale", "capture"}:
        return
    parent = ref(Kind.ORDER, connection, told.order_id)
    body = Payment(
        order=parent,
        amount=told.amount,
        currency=told.currency,
        gateway=told.gateway,
        at=told.processed_at or told.created_at,
        status=SettlementStatus.SETTLED,
        is_test=told.test,
    )
    yield Seen(
        ref(Kind.PAYMENT, connection, told.id),
        body,
        told.created_at,
        parent=parent,
        refetch=Hint("transactions", told.order_id),
    )


def refund(told: wire.Refund, connection: str) -> Iterator[Told]:
    """A refund with the money that really moved, which may be none."""
    parent = ref(Kind.ORDER, connection, told.order_id)
    moves = [one for one in told.transactions if one.kind == "refund"]
    settled = [one.amount for one in moves if one.status == "success"]
    lines = tuple(
        RefundedLine(
            order_line_id=line.line_item_id,
            quantity=line.quantity,
            amount=to_minor_unit(line.subtotal, told.currency),
            tax=to_minor_unit(line.total_tax, told.currency),
            is_restocked=line.restock_type in _RESTOCKED,
        )
        for line in told.refund_line_items
    )
    body = Refund(
        order=parent,
        amount=sum(settled, Decimal(0)),
        currency=next((one.currency for one in moves), told.currency),
        gateway=next((one.gateway for one in moves), ""),
        at=told.processed_at or told.created_at,
        status=_settlement([one.status for one in moves]),
        lines=lines,
        reason=told.note,
    )
    yield Seen(
        ref(Kind.REFUND, connection, told.id),
        body,
        told.created_at,
        parent=parent,
        refetch=Hint("transactions", told.order_id),
        # Where we made it, its note is our reference.
        reference=told.note,
    )
    if told.return_id:
        yield Hint("return", told.return_id)


def shipment(told: wire.Fulfillment, connection: str) -> Iterator[Told]:
    """A fulfilment: goods that left, are to leave, or stay after all."""
    parent = ref(Kind.ORDER, connection, told.order_id)
    state = _SHIPMENT.get(told.status, ShipmentState.PLANNED)
    has_left = state is ShipmentState.DISPATCHED
    if has_left and told.shipment_status == "delivered":
        state = ShipmentState.DELIVERED
    body = Shipment(
        order=parent,
        number=told.name,
        state=state,
        lines=tuple(
            ShippedLine(order_line_id=line.id, quantity=line.quantity) for line in told.line_items
        ),
        carrier=told.tracking_company,
        tracking_number=told.tracking_numbers,
        tracking_url=told.tracking_url,
        # When it was delivered a webhook does not say, so it is not taken from the API either.
        dispatched_at=told.created_at if has_left else None,
    )
    yield Seen(
        ref(Kind.SHIPMENT, connection, told.id),
        body,
        told.updated_at,
        parent=parent,
        refetch=Hint("fulfillments", told.order_id),
    )


def returned(told: wire.Return, connection: str) -> Iterator[Told]:
    """Goods that are to come back, or have.

    A return shows no time of its last change: its order's is as late or later.
    """
    parent = ref(Kind.ORDER, connection, told.order.id)
    lines = [line for line in told.return_line_items if line.line_item_id]
    is_processed = any(line.processed for line in lines)
    state = ReturnState.REQUESTED
    if told.status in _NOT_RETURNED:
        state = ReturnState.CANCELLED
    elif told.status == "closed" or is_processed:
        state = ReturnState.RECEIVED
    reasons = (word for line in lines for word in (line.reason, line.note))
    body = Return(
        order=parent,
        number=told.name,
        state=state,
        lines=tuple(
            ShippedLine(order_line_id=line.line_item_id or "", quantity=quantity)
            for line in lines
            # One that was closed and never processed counts as come back in full.
            if (quantity := line.processed if is_processed else line.quantity)
        ),
        reason=", ".join(dict.fromkeys(filter(None, reasons))),
        received_at=told.closed_at if state is ReturnState.RECEIVED else None,
    )
    yield Seen(
        ref(Kind.RETURN, connection, told.id),
        body,
        told.order.updated_at,
        parent=parent,
        refetch=Hint("return", told.id),
    )


def _settlement(statuses: list[str]) -> SettlementStatus:
    if "pending" in statuses:
        return SettlementStatus.PENDING
    # Where no money was meant to move, nothing is left to wait for.
    return (
        SettlementStatus.SETTLED
        if "success" in statuses or not statuses
        else SettlementStatus.FAILED
    )


def _request(told: wire.Order, buyer: EntityRef) -> OrderRequest:
    presentment = told.current_total_price_set.presentment_money
    lines = tuple(_lines(told))
    gross = _gross(told, lines)
    bill_to, ship_to = address(told.billing_address), address(told.shipping_address)
    return OrderRequest(
        number=told.name,
        placed_at=told.processed_at,
        changed_at=told.updated_at,
        cancelled_at=told.cancelled_at,
        cancel_reason=told.cancel_reason,
        is_test=told.test,
        channel=told.source_name,
        currency=told.currency,
        shop_currency=told.currency,
        presentment_currency=presentment.currency_code,
        presentment_gross=to_minor_unit(presentment.amount, presentment.currency_code),
        tax_included=told.taxes_included,
        lines=lines,
        totals=Totals(
            net=gross - told.current_total_tax,
            tax=told.current_total_tax,
            gross=gross,
            discount=told.current_total_discounts,
        ),
        customer=buyer,
        ordered_by=ref(Kind.CUSTOMER, buyer.connection, told.customer.id)
        if told.company and told.customer
        else None,
        contact=Contact(
            name=name(told.customer or told.billing_address or told.shipping_address),
            email=told.email,
            phone=told.phone,
            language=told.customer_locale,
        ),
        company=_company(told),
        bill_to=bill_to,
        ship_to=ship_to,
        po_number=told.po_number,
        payment_terms=_terms(told.payment_terms),
        payment_status=_PAYMENT.get(told.financial_status, PaymentStatus.PENDING),
        note=told.note,
        tags=tuple(told.tags),
        properties={one.name: one.value for one in told.note_attributes},
    )


def _gross(told: wire.Order, lines: Iterable[DocumentLine]) -> Decimal:
    """What the order comes to. Money given back beside lines is a refund and no change of it.

    The vendor's words leave open whether the current total knows of such money: of both readings
    the one holds that the lines come to.
    """
    total = told.current_total_price_set.shop_money.amount
    added = 0 if told.taxes_included else 1
    goods = sum(((one.amount + one.tax * added) * one.type.sign for one in lines), Decimal(0))
    return min(total, total + told.given_back, key=lambda reading: abs(reading - goods))


def _buyer(told: wire.Order, connection: str) -> EntityRef:
    if told.company:
        return outlet(connection, told.company.id, told.company.location_id)
    if told.customer:
        return ref(Kind.CUSTOMER, connection, told.customer.id)
    return guest(connection, told.id)


def outlet(connection: str, company_id: str, location_id: str) -> EntityRef:
    """A company's location: who buys where a company does."""
    return ref(Kind.CUSTOMER, connection, f"company:{company_id}:{location_id}")


def _company(told: wire.Order) -> Company | None:
    if told.company is None:
        return None
    # A webhook does not say the company's name; its invoices go there.
    billed = told.billing_address.company if told.billing_address else ""
    return Company(id=told.company.id, location_id=told.company.location_id, name=billed)


def _lines(told: wire.Order) -> Iterator[DocumentLine]:
    for line in told.line_items:
        yield _goods(line, told.currency)
    for shipping in told.shipping_lines:
        if not shipping.is_removed:
            yield _freight(shipping, told.currency)
    for fee, amount in (
        ("duties", told.current_total_duties_set),
        ("additional-fees", told.current_total_additional_fees_set),
    ):
        if amount:
            yield DocumentLine(
                id=fee,
                type=LineType.FEE,
                title=fee,
                quantity=1,
                quantity_ordered=1,
                unit_price=amount,
                amount=amount,
                is_stocked=False,
            )


def _goods(line: wire.Line, currency: str) -> DocumentLine:
    # Discounts and taxes are told for all units ever ordered.
    left = Fraction(line.current_quantity, line.quantity or 1)
    allocated = sum((one.amount for one in line.discount_allocations), Decimal(0))
    discount = _share(allocated, left, currency)
    taxes = _taxes(line.tax_lines, left, currency)
    return DocumentLine(
        id=line.id,
        type=LineType.GOODS,
        parent_id=line.sales_line_item_group_id,
        sku=line.sku or None,
        title=line.name,
        quantity=line.current_quantity,
        quantity_ordered=line.quantity,
        unit_price=line.price,
        discount=discount,
        amount=line.price * line.current_quantity - discount,
        tax=sum((tax.amount for tax in taxes), Decimal(0)),
        taxes=taxes,
        # Gift cards, tips and charges typed in by hand are in no catalogue.
        is_stocked=not line.gift_card and bool(line.sku or line.variant_id),
        properties={one.name: one.value for one in line.properties},
    )


def _freight(line: wire.ShippingLine, currency: str) -> DocumentLine:
    # Cancelled or refunded freight stays as a line that costs nothing any more.
    now = line.current_discounted_price_set
    left = Fraction(now) / Fraction(line.discounted_price) if line.discounted_price else Fraction(1)
    taxes = _taxes(line.tax_lines, left, currency)
    return DocumentLine(
        id=line.id,
        type=LineType.FREIGHT,
        title=line.title,
        quantity=1,
        quantity_ordered=1,
        unit_price=line.price,
        discount=line.price - line.discounted_price,
        amount=now,
        tax=sum((tax.amount for tax in taxes), Decimal(0)),
        taxes=taxes,
        is_stocked=False,
    )


def _share(amount: Decimal, left: Fraction, currency: str) -> Decimal:
    # Rounded even where all is left: the API writes 2.6 where webhooks write 2.60.
    return to_minor_unit(amount * left.numerator / left.denominator, currency)


def _taxes(lines: Iterable[wire.TaxLine], left: Fraction, currency: str) -> tuple[TaxShare, ...]:
    return tuple(
        TaxShare(
            title=line.title,
            rate=line.rate or Decimal(0),
            amount=_share(line.price, left, currency),
        )
        for line in lines
    )


def _terms(terms: wire.PaymentTerms | None) -> str:
    if terms is None:
        return ""
    return f"{terms.payment_terms_type} {terms.due_in_days or ''}".strip().upper()


def name(of: wire.Customer | wire.Address | None) -> str:
    """First and last in one."""
    return f"{of.first_name} {of.last_name}".strip() if of else ""


def address(told: wire.Address | None) -> Address | None:
    """A postal address, where there is one."""
    if told is None:
        return None
    return Address(
        name=name(told),
        company=told.company,
        street=told.address1,
        street2=told.address2,
        city=told.city,
        region=told.province_code,
        postal_code=told.zip,
        country=told.country_code or None,
        phone=told.phone,
    )
