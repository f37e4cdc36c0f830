"""Canonical state to what NetSuite should hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic.alias_generators import to_camel

from fizzbridge.errors import DependencyNotReadyError
from fizzbridge.model.customer import Customer
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import OrderAssessment, OrderClass, OrderRequest
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.positions import gross, positions
from fizzbridge.runtime.target import Situation
from fizzbridge.trade.taxes import TaxRounding, net_of
from platforms.netsuite_soap.countries import COUNTRIES
from platforms.netsuite_soap.wire import (
    CustomerRecord,
    CustomerWanted,
    Order,
    Place,
    Resolved,
    SalesOrderLine,
)

CUSTOM_PRICE = "-1"
"""The price level of a line whose rate is given."""
RATE = Decimal("0.00000001")
PLACES = ("class", "department", "location")
Settings = Mapping[str, Any]
Pair = tuple[SalesOrderLine | None, Resolved | None]


def order(request: OrderRequest, assessment: OrderAssessment, situation: Situation) -> Order:
    """The sales order NetSuite should hold.

    Raises:
        MappingError: a line is nothing NetSuite could know.
    """
    settings = situation.connection.settings
    customer = situation.external_ids.get(request.customer)
    if customer is None:
        msg = f"order {request.number}: its customer is not at {situation.connection.name} yet"
        raise DependencyNotReadyError(msg, platform="netsuite_soap")
    # A hold of the release leaves it pending approval: approving commits stock.
    is_released = assessment.state in {OrderState.CONFIRMED, OrderState.RELEASED, OrderState.CLOSED}
    way = TaxRounding(str(settings.get("tax_rounding", TaxRounding.LINE)))
    request, assessment = _without_tax(request, assessment, way)
    lines = positions(request, assessment, situation, way)
    return Order(
        currency=request.currency,
        total=gross(lines, request.currency, way),
        customer=customer,
        number=request.number,
        currency_code=situation.code("currency", request.currency),
        tran_date=noon(assessment.tax_point, settings),
        ship_date=noon(assessment.promised_on, settings) if assessment.promised_on else "",
        other_ref_num=request.po_number,
        memo=request.note,
        ship_to=_ship_to(request),
        custom_form=str(settings.get("order_form", "")),
        places={name: str(settings[name]) for name in PLACES if name in settings},
        untaxed=situation.code("tax", "0"),
        lines=lines,
        approve=settings.get("confirm") == "on_placed" and is_released,
    )


def _without_tax(
    request: OrderRequest, assessment: OrderAssessment, way: TaxRounding
) -> tuple[OrderRequest, OrderAssessment]:
    """NetSuite takes amounts without tax.

    Not every price can be made of a net amount and its tax: what a line is off by, the next one of
    the same taxes makes good, so that a cent at most is left for the rounding line.
    """
    if not request.tax_included:
        return request, assessment
    lines = []
    off: dict[tuple[Decimal, ...], Decimal] = {}
    for line in assessment.lines:
        rates = tuple(tax.rate for tax in line.taxes)
        net = Decimal(0)
        if line.amount:
            full = line.amount * line.type.sign + off.get(rates, Decimal(0))
            net = net_of(full, rates, request.currency)
            tax = net * sum(rates)
            if way is TaxRounding.LINE:
                tax = to_minor_unit(tax, request.currency)
            off[rates] = full - net - tax
        lines.append(line.model_copy(update={"amount": net * line.type.sign}))
    return (
        request.model_copy(update={"tax_included": False}),
        assessment.model_copy(update={"lines": tuple(lines)}),
    )


def noon(day: date, settings: Settings) -> str:
    """A day as NetSuite takes it. Midnight in another zone would be the day before."""
    zone = ZoneInfo(str(settings.get("time_zone", "UTC")))
    return datetime.combine(day, time(12), zone).isoformat(timespec="milliseconds")


def unit_rate(amount: Decimal, quantity: int) -> Decimal:
    """The rate whose product with the quantity is the amount, to the cent."""
    # Plus nought, or a round number would be written with an exponent.
    return (amount / quantity).quantize(RATE, ROUND_HALF_UP).normalize() + 0


def pairs(lines: Sequence[SalesOrderLine], wanted: Sequence[Resolved]) -> list[Pair]:
    """Each line as it is with what becomes of it, in the order wanted; what is to go comes last.

    Lines are told apart by item: an equal one first, so that nothing is written to it, else the
    next of that item.
    """
    left, found = list(lines), dict[int, SalesOrderLine]()
    for is_meant in (_is_equal, _is_same_item):
        for place, one in enumerate(wanted):
            same = next((line for line in left if is_meant(line, one)), None)
            if same and place not in found:
                left.remove(same)
                found[place] = same
    made: list[Pair] = [(found.get(place), one) for place, one in enumerate(wanted)]
    # One that is closed and worth nothing is one we could not remove: its neighbours had left.
    return made + [(line, None) for line in left if line.amount or not line.is_closed]


def differs(old: SalesOrderLine | None, new: Resolved | None) -> bool:
    """Whether a line has to be written."""
    return old is None or new is None or not _is_equal(old, new)


def _is_equal(line: SalesOrderLine, wanted: Resolved) -> bool:
    """Not by its rate, which NetSuite writes in its own way."""
    return (
        _is_same_item(line, wanted)
        and (wanted.quantity is None or line.quantity == wanted.quantity)
        and (not wanted.units or line.units == wanted.units)
        and line.amount == wanted.amount
        and line.tax_code == wanted.tax_code
    )


def _is_same_item(line: SalesOrderLine, wanted: Resolved) -> bool:
    return line.item == wanted.item


def row(old: SalesOrderLine | None, new: Resolved | None) -> dict[str, Any]:
    """A line to be written, in the order of the WSDL; without a new one it goes to nothing."""
    line = old.line if old else None
    if new is None:
        nothing = {"price": ref(CUSTOM_PRICE), "rate": 0, "amount": 0}
        return nothing | {"isClosed": True, "line": line}
    fields = {
        "item": ref(new.item),
        "quantity": new.quantity,
        "units": ref(new.units) if new.units else None,
        # People may have worded it anew.
        "description": None if old else new.title,
        "price": None if new.quantity is None else ref(CUSTOM_PRICE),
        "rate": new.rate,
        "amount": new.amount,
        # Back from nothing; what a person closed stays closed.
        "isClosed": False if old and old.is_closed and not old.amount else None,
        "line": line,
        "taxCode": ref(new.tax_code),
    }
    return {name: value for name, value in fields.items() if value is not None}


def as_was(line: SalesOrderLine | None) -> dict[str, Any]:
    """A line as a plan shows it beside the one to be written."""
    if line is None:
        return {}
    return {
        "item": line.item,
        "quantity": line.quantity,
        "units": line.units,
        "amount": line.amount,
        "line": line.line,
        "taxCode": line.tax_code,
    }


def ref(internal_id: str) -> dict[str, str]:
    """A reference to a record."""
    return {"@internalId": internal_id}


def address(place: Place) -> dict[str, str]:
    """The fields of an address, in the order of the WSDL."""
    return {to_camel(name): text for name, text in place if text}


def entries(places: Sequence[Place], *, is_first: bool) -> list[dict[str, Any]]:
    """Entries of an address book; the first is the customer's own where ``is_first``."""
    return [
        {
            "defaultShipping": is_first and not number,
            "defaultBilling": is_first and not number,
            "addressbookAddress": address(one),
        }
        for number, one in enumerate(places)
    ]


def names(one: CustomerWanted | CustomerRecord, *, is_person: bool) -> dict[str, str]:
    """Name, phone and mail, as a person has them or a company."""
    named = (
        {"firstName": one.first_name, "lastName": one.last_name}
        if is_person
        else {"companyName": one.company_name}
    )
    return named | {"phone": one.phone, "email": one.email}


def customer(known: Customer, settings: Settings) -> CustomerWanted:
    """The customer NetSuite should hold."""
    company, contact = known.company, known.contact
    form, subsidiary = (str(settings.get(name, "")) for name in ("customer_form", "subsidiary"))
    if known.is_erased:
        return CustomerWanted(
            is_person=False,
            company_name="Erased",
            first_name="-",
            last_name="Erased",
            custom_form=form,
            subsidiary=subsidiary,
            is_erased=True,
        )
    main = known.addresses[0] if known.addresses else Address()
    name = contact.name or main.name
    first, _, last = name.rpartition(" ")
    return CustomerWanted(
        is_person=company is None and known.fixed_class is not OrderClass.BULK,
        company_name=(company.name if company else "") or main.company or name or "Customer",
        # Both are needed for a person.
        first_name=first or "-",
        last_name=last or "Customer",
        email=contact.email,
        phone=contact.phone or main.phone,
        vat_reg_number=(company.vat_number if company else "") or known.tax_number,
        addresses=tuple(dict.fromkeys(place(one) for one in known.addresses)),
        custom_form=form,
        subsidiary=subsidiary,
    )


def _ship_to(request: OrderRequest) -> Place | None:
    found = place(request.ship_to) if request.ship_to else Place()
    # A country alone is no address: that is all that stays of one that was erased.
    return None if not any(found.known_by) else found


def place(address: Address) -> Place:
    """An address as NetSuite spells it."""
    return Place(
        country=COUNTRIES.get(address.country or "", ""),
        attention=address.name if address.company else "",
        addressee=address.company or address.name,
        addr_phone=address.phone,
        addr1=address.street,
        addr2=address.street2,
        city=address.city,
        state=address.region,
        zip=address.postal_code,
    )
