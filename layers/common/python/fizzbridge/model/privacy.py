"""What stays of a body when the person in it is erased: money, goods and places, and nobody."""

from __future__ import annotations

from typing import Any

from fizzbridge.model.base import Frozen
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Refund, Return, Shipment
from fizzbridge.model.order import OrderRequest
from fizzbridge.model.party import Address, Company, Contact


def scrub(body: Frozen) -> Frozen:
    """The body without names, addresses, mails, phones and notes.

    Country and region stay, since rates go by them; so do numbers of companies and accounts.
    """
    match body:
        case Customer():
            return Customer(
                contact=Contact(),
                fixed_class=body.fixed_class,
                terms=body.terms,
                credit=body.credit,
                is_erased=True,
            )
        case OrderRequest():
            nobody: dict[str, Any] = {
                "contact": Contact(),
                "company": body.company and _company(body.company),
                "bill_to": body.bill_to and _place(body.bill_to),
                "ship_to": body.ship_to and _place(body.ship_to),
                "note": "",
                "properties": {},
                "lines": tuple(line.model_copy(update={"properties": {}}) for line in body.lines),
            }
            return body.model_copy(update=nobody)
        case Refund() | Return():
            return body.model_copy(update={"reason": ""})
        case Shipment():
            return body.model_copy(update={"tracking_number": "", "tracking_url": ""})
    return body


def without_person(company: Customer) -> Customer:
    """A business without whoever ordered for it last: it stays, with its name and its addresses."""
    nameless = {"name": "", "phone": ""}
    addresses = tuple(one.model_copy(update=nameless) for one in company.addresses)
    return company.model_copy(update={"contact": Contact(), "addresses": addresses})


def _place(address: Address) -> Address:
    return Address(country=address.country, region=address.region)


def _company(company: Company) -> Company:
    return Company(id=company.id, location_id=company.location_id, account=company.account)
