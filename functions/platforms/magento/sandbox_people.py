"""Customers of the sandbox shop, and who of them buys for a company."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from platforms.magento.sandbox_companies import COMPANY, Companies, check
from platforms.magento.sandbox_values import NULL, Json, RefusedError, known, street

ADDRESS = set(
    "first_name last_name company address_1 address_2 city state postcode country phone email"
    " vat_id".split()
)
PERSON = set("email first_name last_name company phone vat_id group_id billing".split())
ADMIN = set("email first_name last_name phone".split())
COLUMNS = set(
    "entity_id email website_id store_id group_id created_at updated_at created_in firstname"
    " lastname middlename prefix suffix dob gender taxvat default_billing default_shipping"
    " confirmation".split()
)


class People:
    """Who buys here.

    Args:
        numbers: the first id of both.
        now: gives the time as the shop writes it.
        notify: tells of one change: event, entity id, what people call it, its body.
        has_companies: whether accounts can belong to one.
    """

    def __init__(
        self,
        numbers: int,
        now: Callable[[], str],
        notify: Callable[[str, int, str, Json], None],
        *,
        has_companies: bool,
    ) -> None:
        self._now = now
        self._notify = notify
        self._ids = itertools.count(numbers)
        self._address_ids = itertools.count(numbers)
        self.customers: dict[int, Json] = {}
        self._has_companies = has_companies
        self.companies = Companies(now, notify)

    def find(self, email: str) -> Json | None:
        """An account by its address, in any letter case."""
        same = (one for one in self.customers.values() if one["email"].lower() == email.lower())
        return next(same, None)

    def add(self, given: Json) -> Json:
        """Open an account."""
        known(given, PERSON, "customer")
        if self.find(given["email"]):
            text = "A customer with the same email address already exists"
            raise RefusedError(f"{text} in an associated website.")
        number = next(self._ids)
        now = self._now()
        company = self._company(given, number)
        customer: Json = {
            "id": number,
            "group_id": given.get("group_id", company["customer_group_id"] if company else 1),
            "default_billing": None,
            "default_shipping": None,
            "created_at": now,
            "updated_at": now,
            "created_in": "Default Store View",
            "email": given["email"],
            "firstname": given.get("first_name", ""),
            "lastname": given.get("last_name", ""),
            "store_id": 1,
            "taxvat": given.get("vat_id"),
            "website_id": 1,
            "addresses": [],
            "disable_auto_group_change": 0,
            "extension_attributes": {"is_subscribed": False},
        }
        if company:
            _join(customer, company, given.get("phone"))
        self.customers[number] = customer
        if given.get("billing"):
            self._house(customer, given["billing"])
        self._notify("customer.saved", number, customer["email"], customer)
        return customer

    def change(self, number: int, changes: Json) -> Json:
        """Change an account; its addresses are not part of it and move no date."""
        known(changes, PERSON - {"company", "phone"}, "changes")
        customer = self.get(number)
        if "billing" in changes:
            self._house(customer, changes["billing"])
        names = {"email": "email", "first_name": "firstname", "last_name": "lastname"}
        names |= {"vat_id": "taxvat", "group_id": "group_id"}
        moved = {names[name]: value for name, value in changes.items() if name in names}
        if moved:
            customer |= moved | {"updated_at": self._now()}
            self._notify("customer.saved", number, customer["email"], customer)
        return customer

    def delete(self, number: int) -> Json:
        """Erase an account; its orders keep its number."""
        customer = self.get(number)
        del self.customers[number]
        self._notify("customer.deleted", number, customer["email"], customer)
        return customer

    def get(self, number: int) -> Json:
        """An account, or a refusal."""
        if number in self.customers:
            return self.customers[number]
        raise RefusedError(f"no customer {number}")

    def company_of(self, customer: Json) -> Json | None:
        """Whose account it is."""
        link = customer["extension_attributes"].get("company_attributes")
        return self.companies.rows.get(link["company_id"]) if link else None

    def add_company(self, given: Json) -> Json:
        """Enter a company, and with it the account that speaks for it.

        Args:
            given: its fields, and under ``admin`` whose account that is; an unknown one is opened.
        """
        known(given, COMPANY | {"admin"}, "company")
        fields = {name: one for name, one in given.items() if name != "admin"}
        check(fields)
        person = {"email": given["email"], "first_name": "Head", "last_name": "Buyer"}
        person |= given.get("admin") or {}
        known(person, ADMIN, "admin")
        head = self.find(person["email"]) or self.add(person)
        company = self.companies.add(fields, head["id"])
        head["group_id"] = company["customer_group_id"]
        _join(head, company, person.get("phone"))
        return company

    def delete_company(self, number: int) -> Json:
        """Take a company out; its accounts stay, without the right to buy."""
        company = self.companies.delete(number)
        for customer in self.customers.values():
            link = customer["extension_attributes"].get("company_attributes")
            if link and link["company_id"] == number:
                link |= {"company_id": 0, "status": 0}
        return company

    def _company(self, given: Json, head: int) -> Json | None:
        name = given.get("company")
        if not name or not self._has_companies:
            return None
        if found := self.companies.named(name):
            return found
        draft = {"name": name, "email": given["email"]}
        draft |= {name: given[name] for name in ("vat_id", "phone", "group_id") if name in given}
        house = given.get("billing") or {}
        places = "address_1 address_2 city state postcode country".split()
        draft |= {name: house[name] for name in places if house.get(name)}
        return self.companies.add(draft, head)

    def _house(self, customer: Json, given: Json) -> None:
        known(given, ADDRESS, "billing")
        number = next(self._address_ids)
        customer |= {"default_billing": str(number), "default_shipping": str(number)}
        customer["addresses"] = [
            {
                "id": number,
                "customer_id": customer["id"],
                "region": {"region_code": NULL, "region": given.get("state") or NULL}
                | {"region_id": 0},
                "region_id": 0,
                "country_id": given.get("country", "GB"),
                "street": street(given),
                "company": given.get("company") or None,
                "telephone": given.get("phone", ""),
                "postcode": given.get("postcode", ""),
                "city": given.get("city", ""),
                "firstname": given.get("first_name", customer["firstname"]),
                "lastname": given.get("last_name", customer["lastname"]),
                "vat_id": given.get("vat_id") or None,
                "default_shipping": True,
                "default_billing": True,
            }
        ]


def _join(customer: Json, company: Json, phone: str | None) -> None:
    customer["extension_attributes"]["company_attributes"] = {
        "customer_id": customer["id"],
        "company_id": company["id"],
        "job_title": None,
        "status": 1,
        "telephone": phone,
    }
