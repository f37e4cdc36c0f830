"""Canonical state to what Business Central should hold. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from decimal import Decimal

from fizzbridge.errors import DependencyNotReadyError
from fizzbridge.model.customer import Customer
from fizzbridge.model.order import OrderAssessment, OrderClass, OrderRequest
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.positions import Position, gross, positions
from fizzbridge.runtime.target import Code, Situation
from fizzbridge.trade.taxes import TaxRounding, net_of
from platforms.business_central.lines import NOTE, NUMBER, PURCHASE, SAYS, TITLE_LENGTH, code
from platforms.business_central.wire import Line, Order, Partner


def order(request: OrderRequest, assessment: OrderAssessment, situation: Situation) -> Order:
    """The sales order Business Central should hold.

    Raises:
        MappingError: a line is nothing it could know.
    """
    settings = situation.connection.settings
    customer = situation.external_ids.get(request.customer)
    if customer is None:
        msg = f"order {request.number}: its customer is not at {situation.connection.name} yet"
        raise DependencyNotReadyError(msg, platform="business_central")
    way = TaxRounding(str(settings.get("tax_rounding", TaxRounding.DOCUMENT)))
    lines = positions(*untaxed(request, assessment), situation, way)
    promised = assessment.promised_on
    return Order(
        customer=customer,
        order_date=f"{assessment.tax_point}",
        requested=f"{promised}" if promised else "",
        ship_to=_ship_to(request.ship_to) if request.ship_to else {},
        payment_terms=chosen(situation, "payment_terms", request.payment_terms, "payment_terms"),
        location=chosen(situation, "warehouse", "", "location"),
        base_unit=str(settings.get("base_unit", "PCS")),
        comments=tuple(_comments(request, is_held=assessment.state is OrderState.HELD)),
        lines=tuple(_line(position, situation) for position in lines),
        currency=request.currency,
        total=gross(lines, request.currency, way),
    )


def untaxed(request: OrderRequest, order: OrderAssessment) -> tuple[OrderRequest, OrderAssessment]:
    """The order with prices without tax: which of the two an order has is the customer's card's.

    Of all that bears one tax it is the sum that is rounded, so that the tax on it comes to ours.
    """
    if not request.tax_included:
        return request, order
    sums: dict[tuple[Decimal, ...], tuple[Decimal, Decimal]] = {}
    lines = []
    for line in order.lines:
        rates = tuple(tax.rate for tax in line.taxes)
        full, net = sums.get(rates, (Decimal(0), Decimal(0)))
        full += line.amount * line.type.sign
        sums[rates] = full, net_of(full, rates, order.currency)
        own = (sums[rates][1] - net) * line.type.sign
        lines.append(line.model_copy(update={"amount": own}))
    return (
        request.model_copy(update={"tax_included": False}),
        order.model_copy(update={"tax_included": False, "lines": tuple(lines)}),
    )


def chosen(situation: Situation, sort: str, value: str, setting: str) -> Code:
    """A code by the map row of a value, else by a setting; nameless where nobody said."""
    usual = str(situation.connection.settings.get(setting, ""))
    if not (value or usual):
        return Code(name="", cause="")
    found = situation.code(sort, value or usual)
    return Code(name=found.name or usual, cause=found.cause)


def _line(position: Position, situation: Situation) -> Line:
    rates = [tax.code for tax in position.taxes] or [situation.code("tax", "0")]
    # Several taxes on one line are a tax area's to say.
    tax = rates[0] if len(rates) == 1 else Code(name="", cause=rates[0].cause)
    account = situation.code("account", position.product.name).name
    return Line(position=position, account=account, tax=tax)


def _comments(request: OrderRequest, *, is_held: bool) -> Iterator[str]:
    if is_held:
        yield f"{SAYS}on hold, do not release"
    for label, text in (
        (NUMBER, request.number),
        (PURCHASE, request.po_number),
        (NOTE, request.note),
    ):
        for part in textwrap.wrap(text, TITLE_LENGTH - len(label)):
            yield label + part


def _ship_to(address: Address) -> dict[str, str]:
    found = {
        "shipToName": address.company or address.name,
        "shipToContact": address.name if address.company else "",
        "shipToAddressLine1": address.street,
        "shipToAddressLine2": address.street2,
        "shipToCity": address.city,
        "shipToState": address.region,
        # A code there: in another spelling it would differ from what is kept, time and again.
        "shipToPostCode": code(address.postal_code),
    }
    # A country alone is no address: that is all that stays of one that was erased.
    if not any(value for name, value in found.items() if name != "shipToState"):
        return {}
    return found | {"shipToCountry": address.country or ""}


def partner(customer: Customer, key: str, situation: Situation) -> Partner:
    """The customer Business Central should hold.

    Args:
        customer: as we know it.
        key: its reference; a map row for it, or for its account number, names a customer that is
            there already.
        situation: the target.
    """
    company, contact = customer.company, customer.contact
    account = company.account if company else ""
    known = situation.code("customer", account or key)
    linked = Code(name=known.name or account, cause=known.cause) if known.name or account else None
    place = customer.addresses[0] if customer.addresses else Address()
    name = (company.name if company else "") or contact.name or place.name or "Customer"
    is_company = company is not None or customer.fixed_class is OrderClass.BULK
    fields = {
        "displayName": name,
        "type": "Company" if is_company else "Person",
        "addressLine1": place.street,
        "addressLine2": place.street2,
        "city": place.city,
        "state": place.region,
        "country": place.country or "",
        "postalCode": code(place.postal_code),
        "phoneNumber": contact.phone or place.phone,
        "email": contact.email,
        "taxRegistrationNumber": (company.vat_number if company else "") or customer.tax_number,
    }
    if customer.is_erased:
        fields = dict.fromkeys(fields, "") | {"displayName": "Erased", "type": "Person"}
    return Partner(
        account=linked,
        fields=fields,
        tax_area=chosen(situation, "tax_area", place.country or "", "tax_area"),
        is_erased=customer.is_erased,
    )
