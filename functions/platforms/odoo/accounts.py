"""Who buys on account in Odoo: companies, their terms, and what of their credit is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Credit, Customer, Terms
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.party import Address, Contact
from fizzbridge.model.party import Company as Business
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.odoo.gather import Rows, by_id, company, where
from platforms.odoo.wire_goods import Pricelist
from platforms.odoo.wire_money import (
    Account,
    Addressed,
    Claim,
    Country,
    Owed,
    PartnerOf,
    Region,
    Term,
    TermLine,
)


@dataclass(frozen=True)
class _Known:
    """What accounts name by their ids."""

    began: datetime
    children: Mapping[int, Addressed] = field(default_factory=dict)
    countries: Mapping[int, Country] = field(default_factory=dict)
    regions: Mapping[int, Region] = field(default_factory=dict)
    lists: Mapping[int, Pricelist] = field(default_factory=dict)
    terms: Mapping[int, Term] = field(default_factory=dict)
    term_lines: Mapping[int, TermLine] = field(default_factory=dict)
    credits: Mapping[int, Credit] = field(default_factory=dict)


def customers(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """The companies that some partners or documents belong to.

    What is owed moves no time of the company's own: a later read of the same version is right.
    """
    began = now()
    owners = [PartnerOf.model_validate(row).commercial_partner_id for row in rows]
    found = by_id(vendor, Account, owners)
    accounts = [one for one in found.values() if one.is_customer]
    kept = [one for one in accounts if one.active]
    children = by_id(vendor, Addressed, (child for one in kept for child in one.child_ids))
    places = [*kept, *children.values()]
    terms = by_id(vendor, Term, (one.term for one in kept))
    known = _Known(
        began=began,
        children=children,
        countries=by_id(vendor, Country, (one.country_id for one in places)),
        regions=by_id(vendor, Region, (one.state_id for one in places)),
        lists=by_id(vendor, Pricelist, (one.pricelist for one in kept)),
        terms=terms,
        term_lines=by_id(
            vendor, TermLine, (line for one in terms.values() for line in one.line_ids)
        ),
        credits=_credits(vendor, kept, began),
    )
    for one in accounts:
        entity = ref(Kind.CUSTOMER, connection.name, one.id)
        # Who is archived does not buy any more.
        body = _customer(one, known) if one.active else None
        yield Seen(entity, body, one.write_date, refetch=Hint("customer", str(one.id)))


def _customer(one: Account, known: _Known) -> Customer:
    others = (known.children[child] for child in sorted(one.child_ids) if child in known.children)
    deliveries = [child for child in others if child.active and child.type == "delivery"]
    return Customer(
        contact=Contact(email=one.email, phone=one.phone, language=one.lang.replace("_", "-")),
        company=Business(id=str(one.id), name=one.name, account=one.ref, vat_number=one.vat),
        addresses=tuple(_address(place, one, known) for place in (one, *deliveries)),
        terms=_terms(one, known),
        credit=known.credits.get(one.id),
    )


def _address(place: Addressed, of: Account, known: _Known) -> Address:
    country = known.countries.get(place.country_id or 0)
    region = known.regions.get(place.state_id or 0)
    return Address(
        name="" if place is of else place.name,
        company=of.name,
        street=place.street,
        street2=place.street2,
        city=place.city,
        region=region.code if region else "",
        postal_code=place.zip,
        country=(country.code if country else "") or None,
        phone=place.phone,
    )


def _terms(one: Account, known: _Known) -> Terms:
    pricelist, term = known.lists.get(one.pricelist or 0), known.terms.get(one.term or 0)
    return Terms(
        price_list=pricelist.name if pricelist else "",
        payment_days=_days(term, known) if term else None,
        cash_discount_percent=term.discount_percentage if term and term.early_discount else None,
    )


def _days(term: Term, known: _Known) -> int | None:
    """Days until all is due; None where that depends on the month."""
    lines = [known.term_lines[line] for line in term.line_ids if line in known.term_lines]
    if not lines or any(line.delay_type != "days_after" for line in lines):
        return None
    return max(line.nb_days for line in lines)


def _credits(
    vendor: VendorClient, accounts: Iterable[Account], began: datetime
) -> Mapping[int, Credit]:
    """The credit of accounts that have a limit; without one nobody has agreed on any."""
    limited = {one.id: one for one in accounts if one.credit_limit > 0}
    if not limited or not company(vendor).account_use_credit_limit:
        return {}
    claims = where(
        vendor,
        Claim,
        ["account_type", "=", "asset_receivable"],
        ["parent_state", "=", "posted"],
        ["reconciled", "=", False],
        ["move_id.commercial_partner_id", "in", sorted(limited)],
    )
    documents = by_id(vendor, Owed, (one.move_id for one in claims))
    of: dict[int, list[Claim]] = {id_: [] for id_ in limited}
    for claim in claims:
        of[documents[claim.move_id or 0].commercial_partner_id or 0].append(claim)
    return {id_: _credit(limited[id_], of[id_], documents, began) for id_ in limited}


def _credit(
    account: Account, claims: Iterable[Claim], documents: Mapping[int, Owed], began: datetime
) -> Credit:
    owed = unapplied = Decimal(0)
    due = []
    for one in claims:
        if one.amount_residual > 0:
            owed += one.amount_residual
            due.append(documents[one.move_id or 0].invoice_date_due)
        else:
            unapplied -= one.amount_residual
    currency = account.currency_id
    return Credit(
        currency=currency,
        limit=to_minor_unit(account.credit_limit, currency),
        open_invoices=to_minor_unit(owed, currency),
        unapplied=to_minor_unit(unapplied, currency),
        oldest_due_on=min((day for day in due if day), default=None),
        as_of=began,
    )
