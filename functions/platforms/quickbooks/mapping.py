"""Canonical state to what QuickBooks should hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fizzbridge.errors import DependencyNotReadyError, MappingError, TargetRejectedError
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Payment, Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import OrderAssessment, OrderClass, OrderRequest, PaymentStatus
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.positions import gross, positions, refunded
from fizzbridge.runtime.target import Situation, short
from fizzbridge.runtime.view import View
from fizzbridge.trade.billing import billed, was_paid
from fizzbridge.trade.taxes import TaxRounding
from platforms.quickbooks.wire import Buyer, Credit, Money, Place, Sale, Till

NUMBER = 21
"""Letters in a document number, and in a payment's reference."""
PO_FIELD = 31
MEMO = 1000
COMPANY = 100
EMAIL = 100
PHONE = 21
LINE = 500
PRICE = Decimal("0.0000001")


def sale(view: View, order: OrderAssessment, situation: Situation) -> Sale:
    """The invoice or sales receipt of an order.

    Raises:
        DependencyNotReadyError: its customer is not there yet, or the payment the shop speaks of.
        MappingError: a line is nothing QuickBooks could know.
    """
    request = _request(view)
    settings = situation.connection.settings
    rounding = _rounding(situation)
    lines = positions(request, order, situation, rounding)
    po_field = str(settings.get("po_field", "")) if len(request.po_number) <= PO_FIELD else ""
    po_line = f"PO number: {request.po_number}" if request.po_number and not po_field else ""
    paid = receipt_payment(view, order)
    if paid is None and _is_awaited(request, order, view):
        msg = f"order {order.number}: the shop says it is paid, and its payment is not known yet"
        raise DependencyNotReadyError(msg, platform="quickbooks")
    return Sale(
        order=order.number,
        customer=_customer(request, situation),
        date=f"{order.tax_point:%Y-%m-%d}",
        currency=request.currency,
        lines=lines,
        total=gross(lines, request.currency, rounding),
        included=request.tax_included,
        untaxed=situation.code("tax", "0"),
        till=_till(*paid, situation) if paid else None,
        terms=(
            situation.code("payment_terms", request.payment_terms)
            if request.payment_terms
            else None
        ),
        bill_to=_found(request.bill_to),
        ship_to=_found(request.ship_to),
        memo="\n".join(filter(None, (po_line, request.note)))[:MEMO],
        po_number=request.po_number if po_field else "",
        po_field=po_field,
    )


def receipt_payment(view: View, order: OrderAssessment) -> tuple[EntityRef, Payment] | None:
    """The payment that makes a retail order's document a sales receipt: one, and all of it."""
    if order.order_class is not OrderClass.RETAIL:
        return None
    settled = settled_payments(view)
    whole = [
        (ref, paid)
        for ref, paid in settled
        if (paid.amount, paid.currency) == (order.totals.gross, order.currency)
    ]
    return whole[0] if len(settled) == 1 and whole else None


def settled_payments(view: View) -> list[tuple[EntityRef, Payment]]:
    """Money that came in for an order, in the order of its time."""
    found = ((child.ref, child.body(Part.RECORD, Payment)) for child in view.children)
    settled = [(ref, paid) for ref, paid in found if paid is not None and _moved(paid)]
    return sorted(settled, key=lambda one: (one[1].at, one[0].key))


def _moved(paid: Payment) -> bool:
    return paid.status is SettlementStatus.SETTLED and not paid.is_test


def _is_awaited(request: OrderRequest, order: OrderAssessment, view: View) -> bool:
    """Whether a receipt would be an invoice only because the payment is told a moment later."""
    return (
        order.order_class is OrderClass.RETAIL
        and request.payment_status is PaymentStatus.PAID
        and bool(order.totals.gross)
        and not view.documents.payments
    )


def payment(view: View, paid: Payment, situation: Situation) -> Money | None:
    """The payment of an invoice; None where a sales receipt holds it.

    Raises:
        TargetRejectedError: the sales receipt says otherwise than the payments do.
    """
    order, request = view.order, view.order.request if view.order else None
    if order is None or order.assessment is None or request is None:
        raise DependencyNotReadyError("its order is not known yet", platform="quickbooks")
    document = situation.external_ids.get(order.ref, "")
    if document.startswith("SalesReceipt:"):
        _is_within(view, paid, order)
        return None
    if not _moved(paid) or not paid.amount:
        return None
    if paid.currency != request.currency:
        msg = (
            f"order {request.number} is in {request.currency} and was paid in {paid.currency}: "
            "book this payment by hand"
        )
        raise TargetRejectedError(msg, code="currency", platform="quickbooks")
    return Money(
        order=request.number,
        invoice=document,
        amount=paid.amount,
        currency=paid.currency,
        date=f"{situation.day(paid.at)}",
        till=_till(view.ref, paid, situation),
    )


def _is_within(view: View, paid: Payment, order: View) -> None:
    settled = settled_payments(order)
    within = _within(settled, order)
    number = order.request.number if order.request else ""
    is_over = order.assessment is not None and order.assessment.state is OrderState.CANCELLED
    if paid.status is SettlementStatus.VOIDED and not settled and not is_over:
        msg = f"the payment of order {number} was taken back: void its sales receipt by hand"
        raise TargetRejectedError(msg, platform="quickbooks")
    if _moved(paid) and within != view.ref:
        msg = (
            f"order {number} is a sales receipt of its whole amount: give this further payment "
            "back, or record it by hand"
        )
        raise TargetRejectedError(msg, platform="quickbooks")


def _within(settled: Sequence[tuple[EntityRef, Payment]], order: View) -> EntityRef | None:
    """The payment a sales receipt was made of: the whole amount, else the first."""
    if order.request is None or order.assessment is None:
        return None
    sold = billed(order.request, order.assessment, order.documents)
    gross = (sold.totals.gross, sold.currency)
    whole = [ref for ref, paid in settled if (paid.amount, paid.currency) == gross]
    return next(iter([*whole, *(ref for ref, _ in settled)]), None)


def refund(view: View, back: Refund, sold: OrderAssessment, situation: Situation) -> Credit:
    """The refund receipt of money that had come in, or the credit memo of an invoice.

    Raises:
        MappingError: nobody said what account the money went from.
    """
    order = view.order
    if order is None:
        raise DependencyNotReadyError("its order is not known yet", platform="quickbooks")
    request, rounding = _request(order), _rounding(situation)
    lines = refunded(back, request, sold, situation, rounding)
    document = situation.external_ids.get(order.ref, "")
    is_paid = document.startswith("SalesReceipt:") or was_paid(order.documents)
    till = _till(view.ref, back, situation, "refund_account") if is_paid else None
    if till and not till.account.name:
        by = back.gateway or "gateways without a name"
        msg = f"no account for refunds by {by}; map it, or set refund_account"
        raise MappingError(msg, cause=till.account.cause, platform="quickbooks")
    return Credit(
        order=request.number,
        customer=_customer(request, situation),
        date=f"{situation.day(back.at)}",
        currency=back.currency,
        lines=lines,
        total=gross(lines, back.currency, rounding),
        included=request.tax_included,
        untaxed=situation.code("tax", "0"),
        till=till,
        invoice=document if document.startswith("Invoice:") else "",
    )


def _till(
    ref: EntityRef, moved: Payment | Refund, situation: Situation, setting: str = "deposit_account"
) -> Till:
    account = situation.code("account", moved.gateway)
    settings = situation.connection.settings
    usual = str(settings.get(setting) or settings.get("deposit_account") or "")
    return Till(
        method=situation.code("payment_method", moved.gateway),
        account=account if account.name else account.model_copy(update={"name": usual}),
        reference=short(ref.external_id, NUMBER),
    )


def buyer(customer: Customer) -> Buyer:
    """The customer QuickBooks should hold."""
    if customer.is_erased:
        return Buyer(name="Erased", is_erased=True)
    company, contact = customer.company, customer.contact
    main, other, *_ = (*customer.addresses, Address(), Address())
    name = (company.name if company else "") or contact.name or main.company or main.name
    return Buyer(
        name=name or "Customer",
        company=((company.name if company else "") or main.company)[:COMPANY],
        email=_fits(contact.email, EMAIL),
        phone=_fits(contact.phone or main.phone, PHONE),
        tax_number=(company.vat_number if company else "") or customer.tax_number,
        bill_to=place(main),
        ship_to=place(other),
    )


def _fits(text: str, most: int) -> str:
    """A text that would be wrong if it were cut is left out where it is too long."""
    return text if len(text) <= most else ""


def place(address: Address) -> Place:
    """An address as QuickBooks spells it: lines as they are printed, then the parts it knows."""
    names = ", ".join(filter(None, (address.company, address.name)))
    lines = [text[:LINE] for text in (names, address.street, address.street2) if text]
    return Place(
        **dict(zip(("line1", "line2", "line3"), lines, strict=False)),
        city=address.city,
        postal_code=address.postal_code,
        country_sub_division_code=address.region,
        country=address.country or "",
    )


def place_fields(place: Place) -> dict[str, str]:
    """An address as fields, without what is empty."""
    return {name: text for name, text in place.model_dump(by_alias=True).items() if text}


def same_place(present: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether an address reads as wanted.

    Countries are read in three letters and written in two: such a pair counts as the same.
    """
    return all(
        present.get(name) == text or (name == "Country" and len(present.get(name, "")) == 3)
        for name, text in wanted.items()
    )


def _found(address: Address | None) -> Place | None:
    found = place(address) if address else Place()
    # A country alone is no address: that is all that stays of one that was erased.
    rest = found.model_copy(update={"country": "", "country_sub_division_code": ""})
    return None if rest == Place() else found


def unit_price(amount: Decimal, quantity: int, currency: str) -> Decimal | None:
    """The price that gives the line amount back; None where seven places cannot say it."""
    price = (amount / quantity).quantize(PRICE, ROUND_HALF_UP).normalize()
    return price if to_minor_unit(price * quantity, currency) == amount else None


def _request(view: View) -> OrderRequest:
    if view.request is None:
        raise DependencyNotReadyError("nobody said yet what was ordered", platform="quickbooks")
    return view.request


def _customer(request: OrderRequest, situation: Situation) -> str:
    found = situation.external_ids.get(request.customer)
    if found is None:
        msg = f"order {request.number}: its customer is not at {situation.connection.name} yet"
        raise DependencyNotReadyError(msg, platform="quickbooks")
    return found.partition(":")[2]


def _rounding(situation: Situation) -> TaxRounding:
    settings = situation.connection.settings
    return TaxRounding(str(settings.get("tax_rounding", TaxRounding.DOCUMENT)))
