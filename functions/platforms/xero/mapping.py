"""Canonical state to what Xero should hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from fizzbridge.errors import DependencyNotReadyError, MappingError
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Documents, Payment, Refund
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import minor_unit
from fizzbridge.model.order import AssessedLine, LineType, OrderAssessment, OrderRequest, TaxShare
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.positions import REFUND, Position, gross, positions, refunded
from fizzbridge.runtime.target import Code, Situation
from fizzbridge.trade.billing import was_paid
from fizzbridge.trade.taxes import TaxRounding
from platforms.xero import wire

CENT = Decimal("0.01")
FOUR = Decimal("0.0001")
TERMS = re.compile(r"\bNET[ _-]?(\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Books(Situation):
    """A line of a ledger may go without an item, if only its account is known."""

    def account(self, line: AssessedLine) -> str:
        """The account chosen for a line, by its scheme, else its kind; empty where none was."""
        kind = kind_of(line)
        mapped = (self.code("account", value).name for value in (line.scheme, kind) if value)
        chosen = str(self.connection.settings.get(f"{kind.lower()}_account", ""))
        return next(filter(None, mapped), chosen)

    def product(self, line: AssessedLine, sku: str | None) -> Code:
        """The item of a line; without a name where its account alone will do.

        Raises:
            MappingError: neither was chosen.
        """
        if sku and sku != REFUND:
            return super().product(line, sku)
        kind = kind_of(line)
        mapped = self.code("sku", kind)
        try:
            return mapped if mapped.name else super().product(line, None)
        except MappingError as error:
            if self.account(line):
                return mapped
            msg = (
                f"line {line.id}: no account for {kind.replace('_', ' ').lower()}; map account "
                f"{kind} or set {kind.lower()}_account of connection {self.connection.name}"
            )
            cause = self.maps.cause("account", kind)
            raise MappingError(msg, cause=cause, platform="xero") from error


def kind_of(line: AssessedLine) -> str:
    """What a line is called in maps and settings."""
    return REFUND if line.id == "refund" else str(line.type)


def invoice(
    request: OrderRequest, order: OrderAssessment, documents: Documents, situation: Situation
) -> wire.Invoice:
    """The invoice Xero should hold.

    Raises:
        MappingError: a line is nothing Xero could know.
    """
    customer = situation.external_ids.get(request.customer)
    if customer is None:
        msg = f"order {request.number}: its customer is not at {situation.connection.name} yet"
        raise DependencyNotReadyError(msg, platform="xero")
    books = Books(**vars(situation))
    order = _one_tax(order)
    lines = positions(request, order, books, TaxRounding.LINE)
    settings = situation.connection.settings
    is_released = order.state in {OrderState.CONFIRMED, OrderState.RELEASED, OrderState.CLOSED}
    return wire.Invoice(
        customer=customer,
        due=f"{_due(request, order.tax_point, situation)}",
        reference=", ".join(filter(None, (request.number, request.po_number)))[:255],
        authorise=settings.get("status", "AUTHORISED") == "AUTHORISED"
        and (is_released or was_paid(documents)),
        **_document(lines, order.lines, request, order.tax_point, books),
    )


def credit_note(
    refund: Refund,
    request: OrderRequest,
    order: OrderAssessment,
    documents: Documents,
    situation: Situation,
) -> wire.CreditNote:
    """The credit note Xero should hold: paid back where money had come in, else set off.

    Raises:
        MappingError: a line is nothing Xero could know.
    """
    billed = _invoice_of(refund.order, situation)
    books = Books(**vars(situation))
    order = _one_tax(order)
    lines = refunded(refund, request, order, books, TaxRounding.LINE)
    is_paid = was_paid(documents)
    return wire.CreditNote(
        invoice=billed,
        account=_money_account(refund.gateway, situation) if is_paid else "",
        reference=request.number[:255],
        **_document(lines, order.lines, request, situation.day(refund.at), books),
    )


def payment(told: Payment, situation: Situation) -> wire.Payment:
    """The payment Xero should hold.

    Raises:
        MappingError: nobody said where its money goes.
    """
    return wire.Payment(
        invoice=_invoice_of(told.order, situation),
        account=_money_account(told.gateway, situation),
        date=f"{situation.day(told.at)}",
        amount=told.amount,
        currency=told.currency,
    )


def _invoice_of(order: EntityRef, situation: Situation) -> str:
    found = situation.external_ids.get(order)
    if found is None:
        msg = f"{order} is not at {situation.connection.name} yet"
        raise DependencyNotReadyError(msg, platform="xero")
    return found


def _money_account(gateway: str, situation: Situation) -> str:
    mapped = situation.code("payment_method", gateway)
    name = mapped.name or str(situation.connection.settings.get("payment_account", ""))
    if not name:
        msg = (
            f"no account for money of {gateway or 'an unnamed gateway'}; map payment_method or set "
            f"payment_account of connection {situation.connection.name}"
        )
        raise MappingError(msg, cause=mapped.cause, platform="xero")
    return name


def _document(
    lines: Sequence[Position],
    sold: Sequence[AssessedLine],
    request: OrderRequest,
    day: date,
    books: Books,
) -> dict[str, Any]:
    if minor_unit(request.currency) < CENT:
        msg = f"Xero keeps two decimals, and {request.currency} has three"
        cause = books.maps.cause("currency", request.currency)
        raise MappingError(msg, cause=cause, platform="xero")
    by_id = {line.id: line for line in sold}
    return {
        "currency": request.currency,
        "total": gross(lines, request.currency, TaxRounding.LINE),
        "date": f"{day}",
        "is_inclusive": request.tax_included,
        "lines": tuple(_line(line, by_id.get(line.id), books) for line in lines),
        "sales_account": str(books.connection.settings.get("sales_account", "")),
    }


def _line(line: Position, sold: AssessedLine | None, books: Books) -> wire.Line:
    # Lines without one of the order are the rest of a refund and the rounding.
    sold = sold or _made(line)
    kind = kind_of(sold)
    # What tax/REFUND says is a rate, and no type of Xero's.
    kinds = (books.code("tax", value).name for value in (kind, "0") if value != REFUND)
    pack = f" ({line.ordered} x {line.factor})" if line.factor > 1 else ""
    return wire.Line(
        id=line.id,
        item=line.product,
        description=f"{line.title}{pack}",
        quantity=line.base,
        amount=line.amount,
        tax=line.taxes[0] if line.taxes else None,
        untaxed=next(filter(None, kinds), "NONE"),
        account=Code(name=books.account(sold), cause=books.maps.cause("account", kind)),
    )


def _made(line: Position) -> AssessedLine:
    return AssessedLine(
        id=line.id,
        type=LineType.ROUNDING if line.id == "rounding" else LineType.FEE,
        sku=None,
        quantity=None,
        amount=line.amount,
        tax=Decimal(0),
    )


def _one_tax(order: OrderAssessment) -> OrderAssessment:
    """The order with one tax on a line: Xero's rate of several taxes is their sum."""
    lines = []
    for line in order.lines:
        borne = [tax for tax in line.taxes if tax.rate]
        if len(borne) > 1:
            rate = sum((tax.rate for tax in borne), Decimal(0))
            total = sum((tax.amount for tax in borne), Decimal(0))
            title = " + ".join(tax.title for tax in borne)
            one = TaxShare(title=title, rate=rate, amount=total)
            lines.append(line.model_copy(update={"taxes": (one,)}))
        else:
            lines.append(line)
    return order.model_copy(update={"lines": tuple(lines)})


def _due(request: OrderRequest, day: date, situation: Situation) -> date:
    said = TERMS.search(request.payment_terms)
    days = int(said[1]) if said else int(situation.connection.settings.get("payment_days", 0))
    return day + timedelta(days=days)


def priced(amount: Decimal, quantity: int) -> tuple[int, Decimal, Decimal]:
    """Quantity, unit price and discount that come to the line amount to the cent.

    A unit price has four decimals. Where that is not enough it is rounded up, and a discount of
    cents makes the difference; a line that takes away has one piece of its whole amount instead.
    """
    unit = (amount / quantity).quantize(FOUR, ROUND_HALF_UP)
    if (unit * quantity).quantize(CENT, ROUND_HALF_UP) == amount:
        return quantity, unit, Decimal(0)
    if amount < 0:
        return 1, amount, Decimal(0)
    unit = (amount / quantity).quantize(FOUR, ROUND_UP)
    while _is_half(unit * quantity):
        # Whether Xero rounds before it takes the discount off, nobody says: no half cents, then.
        unit += Decimal("0.0001")
    return quantity, unit, (unit * quantity).quantize(CENT, ROUND_HALF_UP) - amount


def _is_half(amount: Decimal) -> bool:
    return amount.quantize(CENT, ROUND_HALF_UP) != amount.quantize(CENT, ROUND_HALF_DOWN)


def contact(customer: Customer) -> wire.Contact:
    """The contact Xero should hold."""
    if customer.is_erased:
        return wire.Contact(name="Erased", is_erased=True)
    company, person = customer.company, customer.contact
    main = customer.addresses[0] if customer.addresses else Address()
    name = (company.name if company else "") or person.name or main.company or main.name
    return wire.Contact(
        name=" ".join(name.split())[:200] or "Customer",
        email=person.email,
        phone=person.phone or main.phone,
        tax_number=(company.vat_number if company else "") or customer.tax_number,
        address=wire.Place(
            attention=main.name,
            street=main.street,
            street2=main.street2,
            city=main.city,
            region=main.region,
            postal_code=main.postal_code,
            country=main.country or "",
        ),
    )
