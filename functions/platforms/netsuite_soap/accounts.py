"""Customers as NetSuite has them: who they are, how they are served, what they owe. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from fizzbridge.model.customer import Credit, Customer, Terms
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap.countries import COUNTRIES
from platforms.netsuite_soap.goods import price_list
from platforms.netsuite_soap.reading import INVOICE, day
from platforms.netsuite_soap.wire import Account, Open, Place, Term

_ISO = {theirs: ours for ours, theirs in COUNTRIES.items()}


@dataclass(frozen=True)
class Books:
    """What customers name by ids, and what of theirs is open.

    Attributes:
        at: when it was read.
        currencies: codes of currencies.
        terms: terms of payment.
        open: unpaid invoices, and orders not billed that did not come through us, by customer.
    """

    at: datetime
    currencies: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, Term] = field(default_factory=dict)
    open: Mapping[str, tuple[Open, ...]] = field(default_factory=dict)


def customer(one: Account, books: Books, connection: Connection) -> Seen:
    """A customer as it stands. What it owes moves without its time: a read begun later wins."""
    name = "" if not one.is_person else f"{one.first_name} {one.last_name}".strip()
    body = Customer(
        contact=Contact(name=name, email=one.email, phone=one.phone),
        company=None if one.is_person else _company(one),
        addresses=tuple(_addresses(one)),
        tax_number=one.vat_reg_number,
        terms=_terms(one, books.terms.get(one.terms)),
        credit=_credit(one, books, connection),
    )
    entity = ref(Kind.CUSTOMER, connection.name, one.internal_id)
    return Seen(entity, body, one.last_modified_date, refetch=Hint("customer", one.internal_id))


def _company(one: Account) -> Company:
    return Company(
        id=one.internal_id,
        name=one.company_name,
        account=one.entity_id,
        vat_number=one.vat_reg_number,
    )


def _addresses(one: Account) -> Iterator[Address]:
    """The address goods go to first, then the one bills go to."""
    book = sorted(
        one.addressbook_list,
        key=lambda entry: (not entry.default_shipping, not entry.default_billing),
    )
    for entry in book:
        if entry.addressbook_address:
            yield _address(entry.addressbook_address, is_person=one.is_person)


def _address(place: Place, *, is_person: bool) -> Address:
    """NetSuite's addressee is the company where somebody's attention is asked for."""
    is_company = bool(place.attention) or not is_person
    return Address(
        name=place.attention if is_company else place.addressee,
        company=place.addressee if is_company else "",
        street=place.addr1,
        street2=place.addr2,
        city=place.city,
        region=place.state,
        postal_code=place.zip,
        country=_ISO.get(place.country),
        phone=place.addr_phone,
    )


def _terms(one: Account, term: Term | None) -> Terms:
    days = term.days_until_net_due if term else None
    return Terms(
        price_list=price_list(one.price_level.internal_id, one.price_level.name),
        payment_days=None if days is None else int(days),
        cash_discount_percent=term.discount_percent if term else None,
        ships_complete=one.ship_complete,
    )


def _credit(one: Account, books: Books, connection: Connection) -> Credit | None:
    """None where NetSuite sets no limit; nought where it has stopped the account."""
    only = next(iter(books.currencies.values())) if len(books.currencies) == 1 else ""
    currency = books.currencies.get(one.currency, only)
    is_stopped = one.credit_hold_override == "_on" or one.is_inactive
    limit = Decimal(0) if is_stopped else one.credit_limit
    if limit is None or not currency:
        return None
    there = books.open.get(one.internal_id, ())
    due = [d for o in there if o.amount_remaining > 0 and (d := day(o.due_date, connection))]
    orders = sum((o.total for o in there if o.sort != INVOICE), Decimal(0))
    # What is paid too much makes the balance negative; deposits are not in it.
    owed, credited = (
        max(one.balance, Decimal(0)),
        one.deposit_balance - min(one.balance, Decimal(0)),
    )
    return Credit(
        currency=currency,
        limit=to_minor_unit(limit, currency),
        open_invoices=to_minor_unit(owed, currency),
        unapplied=to_minor_unit(credited, currency),
        open_orders=to_minor_unit(orders, currency),
        oldest_due_on=min(due, default=None),
        as_of=books.at,
    )


def by_customer(found: Iterable[Open]) -> dict[str, tuple[Open, ...]]:
    """What is open, by whose it is."""
    listed: dict[str, tuple[Open, ...]] = {}
    for one in found:
        listed[one.entity] = (*listed.get(one.entity, ()), one)
    return listed
