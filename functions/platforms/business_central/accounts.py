"""What Business Central says of its customers: who they are, on what terms, and what they owe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Credit, Customer, Terms
from fizzbridge.model.entity import Kind, Role, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.business_central.lookup import among
from platforms.business_central.transport import rows
from platforms.business_central.wire import Account, Bill, Owed

Rows = Sequence[Mapping[str, Any]]

_OURS = re.compile(r".*/.*|[0-9A-F]{20}")
"""Numbers of customers we made: our references, or what is made of long ones."""

_TERM = re.compile(r"(\d+)([DW])")
_DAYS = {"D": 1, "W": 7}
_COUNTRY = re.compile(r"[A-Z]{2}")


def customers(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Accounts of people there; of customers we made ourselves a shop tells."""
    found = [Account.model_validate(row) for row in told]
    found = [one for one in found if not _OURS.fullmatch(one.number)]
    if not found:
        return
    at = now()
    numbers = [one.number for one in found]
    currency = next(rows(vendor, "/companyInformation"))["currencyCode"]
    terms = {
        row["id"]: row["dueDateCalculation"]
        for row in rows(vendor, "/paymentTerms", select="id,dueDateCalculation")
    }
    figures = among(vendor, "/customerFinancialDetails", "number", numbers, "id,number,balance")
    owed = {one.number: one for one in map(Owed.model_validate, figures)}
    due = _oldest(vendor, [number for number, one in owed.items() if one.balance > 0])
    for one in found:
        credit = _credit(one, owed.get(one.number), due.get(one.number), currency, at, connection)
        yield _customer(one, _days(terms.get(one.payment_terms_id, "")), credit, connection)


def billed(
    vendor: VendorClient, documents: Iterable[Bill], connection: Connection
) -> Iterator[Seen]:
    """Customers of some invoices and credit memos: what they owe is another sum now."""
    if Role.CUSTOMER in connection.roles:
        numbers = (one.customer_number for one in documents)
        yield from customers(
            vendor, list(among(vendor, "/customers", "number", numbers)), connection
        )


def _oldest(vendor: VendorClient, numbers: Sequence[str]) -> dict[str, date]:
    """When the oldest unpaid invoice of some customers is due, which nobody will tell of again."""
    found: dict[str, date] = {}
    fields, unpaid = "id,customerNumber,dueDate", "status eq 'Open'"
    for row in among(vendor, "/salesInvoices", "customerNumber", numbers, fields, unpaid):
        due, number = date.fromisoformat(row["dueDate"]), row["customerNumber"]
        found[number] = min(due, found.get(number, due))
    return found


def _credit(
    of: Account,
    owed: Owed | None,
    oldest: date | None,
    currency: str,
    at: datetime,
    connection: Connection,
) -> Credit | None:
    """What may be owed and is; all figures are in the currency of the books.

    A limit of nought is none there: what is meant by it a setting says.
    """
    limit = of.credit_limit or _usual_limit(connection)
    if owed is None or not limit:
        return None
    balance = to_minor_unit(owed.balance, currency)
    return Credit(
        currency=currency,
        limit=to_minor_unit(limit, currency),
        open_invoices=max(balance, Decimal(0)),
        unapplied=max(-balance, Decimal(0)),
        oldest_due_on=oldest,
        as_of=at,
    )


def _usual_limit(connection: Connection) -> Decimal:
    said = str(connection.settings.get("usual_credit_limit", 0))
    try:
        return Decimal(said)
    except ArithmeticError as error:
        msg = f"{connection.name}: usual_credit_limit: '{said}' is no amount"
        raise ConfigurationError(msg, platform=connection.platform) from error


def _days(formula: str) -> int | None:
    """The days to pay within, where the terms are no more than that: ``30D``, ``2W``."""
    found = _TERM.fullmatch(formula.strip().upper())
    return int(found[1]) * _DAYS[found[2]] if found else None


def _customer(of: Account, days: int | None, credit: Credit | None, connection: Connection) -> Seen:
    is_company = of.type.strip() != "Person"
    company = Company(
        id=of.id,
        name=of.display_name,
        account=of.number,
        vat_number=of.tax_registration_number,
    )
    body = Customer(
        contact=Contact(
            name="" if is_company else of.display_name, email=of.email, phone=of.phone_number
        ),
        company=company if is_company else None,
        addresses=_addresses(of),
        tax_number="" if is_company else of.tax_registration_number,
        terms=Terms(payment_days=days),
        credit=credit,
    )
    return Seen(
        ref(Kind.CUSTOMER, connection.name, of.id),
        body,
        of.last_modified_date_time,
        refetch=Hint("customer", of.id),
    )


def _addresses(of: Account) -> tuple[Address, ...]:
    found = Address(
        name=of.display_name,
        street=of.address_line1,
        street2=of.address_line2,
        city=of.city,
        region=of.state,
        postal_code=of.postal_code,
        country=of.country if _COUNTRY.fullmatch(of.country) else None,
    )
    return (found,) if found.street or found.city or found.postal_code else ()
