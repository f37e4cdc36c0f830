"""The sandbox shop's trade accounts: companies, their locations and the people who buy for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import Order, RefusedError, gid, known
from platforms.shopify.sandbox_people import Customer
from platforms.shopify.sandbox_search import Entry, last_seen, utc

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

COMPANY_DRAFT_KEYS = {"name", "external_id", "note", "customer_since", "contacts", "locations"}
LOCATION_KEYS = set(
    "name external_id phone locale note billing_address shipping_address tax_id tax_exempt"
    " tax_exemptions payment_terms_days".split()
)
CONTACT_KEYS = {"customer", "title", "locale"}
PLACE_KEYS = set(
    "first_name last_name recipient company address1 address2 city province province_code zip"
    " country country_code phone".split()
)
# The vendor has the same payment terms for every shop, by the days they give; no days are due at
# once. Other terms (on fulfilment, on a fixed day) nobody can give a location here.
TERMS: dict[int, Json] = {
    0: {"id": 1, "name": "Due on receipt", "payment_terms_type": "receipt", "due_in_days": None}
} | {
    days: {
        "id": number,
        "name": f"Net {days}",
        "payment_terms_type": "net",
        "due_in_days": days,
    }
    for days, number in {7: 2, 15: 3, 30: 4, 45: 8, 60: 5, 90: 6}.items()
}
TERMS_KEY = "payment_terms_template_admin_graphql_api_id"


@dataclass
class Place:
    """One location of a company; ``body`` is what its webhooks show, without the company."""

    id: int
    body: Json
    company_names: dict[str, str | None] = field(default_factory=dict)
    indexed: list[tuple[datetime, str]] = field(default_factory=list)


@dataclass
class Contact:
    """Somebody who buys for a company."""

    id: int
    customer: Customer
    title: str | None
    locale: str
    at: str


@dataclass
class Company:
    """One company; ``body`` is what its webhooks show."""

    id: int
    body: Json
    places: dict[int, Place] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    indexed: list[tuple[datetime, str]] = field(default_factory=list)


class Companies:
    """The companies of one shop."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk
        self.known: dict[int, Company] = {}

    def get(self, company_id: Any) -> Company:
        """The company of that id."""
        try:
            return self.known[int(company_id)]
        except (KeyError, ValueError):
            raise RefusedError(f"no company {company_id}") from None

    def place(self, place_id: Any) -> tuple[Company, Place]:
        """The location of that id, with its company."""
        for company in self.known.values():
            if str(place_id).isdigit() and int(place_id) in company.places:
                return company, company.places[int(place_id)]
        raise RefusedError(f"no company location {place_id}")

    def contacts_of(self, customer: Customer) -> list[tuple[Company, Contact]]:
        """For which companies a customer buys."""
        each = ((one, who) for one in self.known.values() for who in one.contacts)
        return [(one, who) for one, who in each if who.customer is customer]

    def create(self, draft: Json) -> Company:
        """A company with its people and locations; one without locations gets one of its name."""
        known(draft, COMPANY_DRAFT_KEYS, "company")
        if not draft.get("name"):
            raise RefusedError("a company needs a name")
        places = draft.get("locations") or [{"name": draft["name"]}]
        self._check_free("external_id", draft, [one.body for one in self.known.values()], None)
        for given in places:
            self._check_place(given, None)
        for given in draft.get("contacts", []):
            known(given, CONTACT_KEYS, "contact")
        company = self._company(self.desk.next_id(), draft)
        self.known[company.id] = company
        for given in draft.get("contacts", []):
            self._contact(company, given)
        if company.contacts:
            main = gid("CompanyContact", company.contacts[0].id)
            company.body["main_contact_admin_graphql_api_id"] = main
        self._tell(company, "companies/create")
        for given in places:
            self._settle(company, self._place(company, self.desk.next_id(), given))
        return company

    def update(self, company_id: Any, changes: Json) -> Company:
        """Change name, external id or note."""
        known(changes, {"name", "external_id", "note"}, "company update")
        company = self.get(company_id)
        others = [one.body for one in self.known.values()]
        self._check_free("external_id", changes, others, company.body)
        company.body |= changes | {"updated_at": self.desk.stamp()}
        company.indexed.append((self.desk.clock(), company.body["updated_at"]))
        self._tell(company, "companies/update")
        return company

    def delete(self, company_id: Any) -> None:
        """Remove a company and its locations; the vendor keeps one that ordered."""
        company = self.get(company_id)
        if self._orders("id", company.id):
            raise RefusedError("a company with orders cannot be deleted")
        del self.known[company.id]
        for place in company.places.values():
            self._tell_place(company, place, "company_locations/delete")
        self._tell(company, "companies/delete")

    def add_place(self, company_id: Any, draft: Json) -> tuple[Company, Place]:
        """One more location."""
        company = self.get(company_id)
        self._check_place(draft, None)
        place = self._place(company, self.desk.next_id(), draft)
        self._settle(company, place)
        return company, place

    def update_place(self, place_id: Any, changes: Json) -> tuple[Company, Place]:
        """Change a location; an address is replaced as a whole."""
        company, place = self.place(place_id)
        self._check_place({"name": place.body["name"]} | changes, place)
        fresh = self._place(company, place.id, self._drafted(place) | changes)
        kept = {"created_at": place.body["created_at"]}
        for key in ("billing_address", "shipping_address"):
            if key in changes:
                place.company_names[key] = fresh.company_names.get(key)
            else:
                kept[key] = place.body[key]
        place.body = fresh.body | kept
        place.indexed.append((self.desk.clock(), place.body["updated_at"]))
        self._tell_place(company, place, "company_locations/update")
        return company, place

    def delete_place(self, place_id: Any) -> None:
        """Remove a location; the last one stays, and so does one that ordered."""
        company, place = self.place(place_id)
        if len(company.places) == 1 or self._orders("location_id", place.id):
            raise RefusedError("the only location, or one with orders, cannot be deleted")
        del company.places[place.id]
        self._tell_place(company, place, "company_locations/delete")

    def adopt(self, given: Json | None, at: str) -> None:
        """Know the company an order names, as if it had been there long before."""
        if given is None:
            return
        number, where = int(given["id"]), int(given["location_id"])
        if number not in self.known:
            facts = {"name": given.get("name", f"Company {number}")}
            self.known[number] = self._company(
                number, facts | {"external_id": given.get("external_id"), "customer_since": at}
            )
        company = self.known[number]
        if where not in company.places:
            facts = {
                "name": given.get("location_name", "Main"),
                "external_id": given.get("location_external_id"),
            }
            company.places[where] = self._place(company, where, facts)
            company.places[where].indexed.append((self.desk.clock(), self.desk.stamp()))

    def entries(self, until: datetime) -> Iterator[Entry]:
        """The companies the search knows."""
        for one in self.known.values():
            if seen := last_seen(one.indexed, until):
                facts = {key: one.body[key] for key in ("name", "external_id")}
                facts |= {"updated_at": seen, "created_at": utc(one.body["created_at"])}
                yield Entry(one.id, facts, partial(self.node, one))

    def place_entries(self, until: datetime) -> Iterator[Entry]:
        """The locations the search knows."""
        for company in self.known.values():
            for one in company.places.values():
                if seen := last_seen(one.indexed, until):
                    facts = {key: one.body[key] for key in ("name", "external_id")}
                    facts |= {"updated_at": seen, "created_at": utc(one.body["created_at"])}
                    facts["company_id"] = company.id
                    yield Entry(one.id, facts, partial(self.place_node, company, one))

    def node(self, company: Company) -> Json:
        """As the API shows it."""
        orders = self._orders("id", company.id)
        return company.body | {
            "id": company.id,
            "contacts": lambda _: [self.contact_node(company, one) for one in company.contacts],
            "contacts_count": _count(len(company.contacts)),
            "locations": lambda _: [
                self.place_node(company, one) for one in company.places.values()
            ],
            "locations_count": _count(len(company.places)),
            "main_contact": lambda _: next(
                (self.contact_node(company, one) for one in company.contacts), None
            ),
            "orders_count": _count(len(orders)),
        }

    def place_node(self, company: Company, place: Place) -> Json:
        """A location as the API shows it."""
        where = {
            key: address
            and address | {"company_name": place.company_names.get(key) or company.body["name"]}
            for key, address in place.body.items()
            if key.endswith("_address")
        }
        return (
            place.body
            | where
            | {
                "id": place.id,
                "company": lambda _: self.node(company),
                "currency": self.desk.seed.get("currency", "GBP"),
                "role_assignments": lambda _: [
                    self._assignment(company, place, one) for one in company.contacts
                ],
                "buyer_experience_configuration": _buying_node(place),
                "catalogs": lambda _: self.desk.price_lists.of_place(place.body),
                "tax_settings": {
                    "tax_exempt": bool(place.body["tax_settings"]["tax_exempt"]),
                    "tax_registration_id": place.body["tax_settings"]["tax_registration_id"],
                },
            }
        )

    def contact_node(self, company: Company, contact: Contact) -> Json:
        """A contact as the API shows it."""
        return {
            "id": contact.id,
            "company": lambda _: self.node(company),
            "created_at": contact.at,
            "customer": lambda _: self.desk.people.node(contact.customer),
            "is_main_contact": company.contacts[0] is contact,
            "locale": contact.locale,
            "title": contact.title,
            "updated_at": contact.at,
        }

    def purchaser(self, order: Order) -> Json | None:
        """Who bought: the company and the location, or the customer."""
        given = order.company
        if given is None:
            return self.desk.people.node_of(order.customer)
        company = self.known[int(given["id"])]
        place = company.places[int(given["location_id"])]
        names = {key: given[key] for key in ("name", "external_id") if key in given}
        there = {
            key: given[f"location_{key}"]
            for key in ("name", "external_id")
            if f"location_{key}" in given
        }
        contact = given.get("contact_id")
        people = (one for one in company.contacts if one.id == contact)
        nodes = (self.contact_node(company, one) for one in people)
        return {
            "__typename": "PurchasingCompany",
            "company": self.node(company) | names,
            "location": self.place_node(company, place) | there,
            "contact": next(nodes, {"id": contact}) if contact else None,
        }

    def _company(self, number: int, draft: Json) -> Company:
        now = self.desk.stamp()
        body = {
            "name": draft["name"],
            "note": draft.get("note"),
            "external_id": draft.get("external_id"),
            "main_contact_admin_graphql_api_id": None,
            "created_at": now,
            "updated_at": now,
            "customer_since": draft.get("customer_since", now),
            "admin_graphql_api_id": gid("Company", number),
        }
        return Company(number, body, indexed=[(self.desk.clock(), now)])

    def _contact(self, company: Company, given: Json) -> None:
        person = given["customer"]
        customer = self.desk.people.by_email(person.get("email"))
        customer = customer or self.desk.people.create(person)
        locale = given.get("locale", "en")
        number, now = self.desk.next_id(), self.desk.stamp()
        company.contacts.append(Contact(number, customer, given.get("title"), locale, now))

    def _place(self, company: Company, number: int, given: Json) -> Place:
        now, tax_id = self.desk.stamp(), given.get("tax_id")
        exempt, exemptions = given.get("tax_exempt"), given.get("tax_exemptions", [])
        body = {
            "name": given["name"],
            "external_id": given.get("external_id"),
            "phone": given.get("phone"),
            "locale": given.get("locale", "en"),
            "created_at": now,
            "updated_at": now,
            "note": given.get("note"),
            "buyer_experience_configuration": _buying(given),
            "admin_graphql_api_id": gid("CompanyLocation", number),
            "tax_exemptions": exemptions,
            "tax_settings": {
                "tax_registration_id": tax_id,
                "tax_exempt": exempt,
                "tax_exemptions": exemptions,
            },
            "billing_address": self._address(company, given.get("billing_address"), now),
            "shipping_address": self._address(company, given.get("shipping_address"), now),
            "tax_registration": tax_id and {"tax_id": tax_id},
        }
        names = {
            key: (given.get(key) or {}).get("company")
            for key in ("billing_address", "shipping_address")
        }
        return Place(number, body, names)

    def _address(self, company: Company, given: Json | None, now: str) -> Json | None:
        if given is None:
            return None
        number = self.desk.next_id()
        names = " ".join(filter(None, (given.get("first_name"), given.get("last_name"))))
        plain = "address1 city province country zip first_name last_name address2 phone".split()
        return {key: given.get(key) for key in plain} | {
            "recipient": given.get("recipient") or names or None,
            "zone_code": given.get("province_code"),
            "country_code": given["country_code"],
            "created_at": now,
            "updated_at": now,
            "admin_graphql_api_id": gid("CompanyAddress", number),
            "company_admin_graphql_api_id": company.body["admin_graphql_api_id"],
        }

    def _drafted(self, place: Place) -> Json:
        tax = place.body["tax_settings"]
        facts = {key: place.body[key] for key in ("name", "external_id", "phone", "locale", "note")}
        if place.body["buyer_experience_configuration"]:
            facts["payment_terms_days"] = _days(place)
        return facts | {
            "tax_id": tax["tax_registration_id"],
            "tax_exempt": tax["tax_exempt"],
            "tax_exemptions": tax["tax_exemptions"],
        }

    def _check_place(self, given: Json, own: Place | None) -> None:
        known(given, LOCATION_KEYS, "company location")
        if not given.get("name"):
            raise RefusedError("a company location needs a name")
        days = given.get("payment_terms_days")
        if days is not None and (type(days) is not int or days not in TERMS):
            raise RefusedError(f"no payment terms of {days} days")
        for key in ("billing_address", "shipping_address"):
            if where := given.get(key):
                known(where, PLACE_KEYS, key)
                if not where.get("address1") or not where.get("country_code"):
                    raise RefusedError(f"{key} needs address1 and country_code")
        bodies = [place.body for one in self.known.values() for place in one.places.values()]
        self._check_free("external_id", given, bodies, own.body if own else None)

    def _check_free(self, key: str, given: Json, taken: list[Json], own: Json | None) -> None:
        wanted = given.get(key)
        if wanted and any(one[key] == wanted and one is not own for one in taken):
            raise RefusedError(f"{key} has already been taken")

    def _settle(self, company: Company, place: Place) -> None:
        company.places[place.id] = place
        place.indexed.append((self.desk.clock(), place.body["updated_at"]))
        self._tell_place(company, place, "company_locations/create")

    def _orders(self, key: str, number: int) -> list[Order]:
        each = self.desk.orders.values()
        return [one for one in each if one.company and int(one.company[key]) == number]

    def _assignment(self, company: Company, place: Place, contact: Contact) -> Json:
        return {
            "id": contact.id * 7 + place.id,
            "company": lambda _: self.node(company),
            "company_contact": lambda _: self.contact_node(company, contact),
            "company_location": lambda _: self.place_node(company, place),
            "created_at": contact.at,
            "role": {"id": company.id + 1, "name": "Ordering only", "note": None},
            "updated_at": contact.at,
        }

    def _tell(self, company: Company, topic: str) -> None:
        self.desk.notify(topic, company.id, company.body, self.desk.clock())

    def _tell_place(self, company: Company, place: Place, topic: str) -> None:
        body = place.body | {"company": company.body}
        self.desk.notify(topic, place.id, body, self.desk.clock())


def _buying(given: Json) -> Json | None:
    """How a location buys, as webhooks show it: null until somebody decides on its terms."""
    if "payment_terms_days" not in given:
        return None
    days = given["payment_terms_days"]
    how = {
        "checkout_to_draft": False,
        "deposit": None,
        "editable_shipping_address": False,
        "pay_now_only": days is None,
    }
    return how if days is None else how | {TERMS_KEY: _terms_gid(days)}


def _buying_node(place: Place) -> Json | None:
    days = _days(place)
    template = {"payment_terms_template": None if days is None else TERMS[days]}
    how: Json | None = place.body["buyer_experience_configuration"]
    return how and how | template


def _days(place: Place) -> int | None:
    own = (place.body["buyer_experience_configuration"] or {}).get(TERMS_KEY)
    return next((days for days in TERMS if _terms_gid(days) == own), None)


def _terms_gid(days: int) -> str:
    return gid("PaymentTermsTemplate", TERMS[days]["id"])


def _count(number: int) -> Json:
    return {"count": number, "precision": "EXACT"}
