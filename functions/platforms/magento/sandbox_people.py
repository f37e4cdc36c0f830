"""Customers and companies of the sandbox shop."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from platforms.magento.sandbox_values import NULL, Json, RefusedError, known

ADDRESS = set(
    "first_name last_name company address_1 address_2 city state postcode country phone email"
    " vat_id".split()
)
PERSON = set("email first_name last_name company phone vat_id group_id billing".split())
COMPANY = set("name email vat_id status city postcode country phone street".split())
COLUMNS = set(
    "entity_id email website_id store_id group_id created_at updated_at created_in firstname"
    " lastname middlename prefix suffix dob gender taxvat default_billing default_shipping"
    " confirmation".split()
)
COMPANY_COLUMNS = set(
    "entity_id id status company_name legal_name company_email vat_tax_id reseller_id comment city"
    " country_id region region_id postcode telephone customer_group_id super_user_id".split()
)


class People:
    """Who buys here.

    Args:
        numbers: the first id of both.
        now: gives the time as the shop writes it.
        notify: tells of one change: event, entity id, what people call it, its body.
    """

    def __init__(
        self,
        numbers: int,
        now: Callable[[], str],
        notify: Callable[[str, int, str, Json], None],
    ) -> None:
        self._now = now
        self._notify = notify
        self._ids = itertools.count(numbers)
        self._address_ids = itertools.count(numbers)
        self._company_ids = itertools.count(2)
        self.customers: dict[int, Json] = {}
        self.companies: dict[int, Json] = {}

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
        company = self._company(given, number) if given.get("company") else None
        customer: Json = {
            "id": number,
            "group_id": given.get("group_id", 2 if company else 1),
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
            customer["extension_attributes"]["company_attributes"] = {
                "customer_id": number,
                "company_id": company["id"],
                "job_title": None,
                "status": 1,
                "telephone": given.get("phone"),
            }
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
        return self.companies.get(link["company_id"]) if link else None

    def change_company(self, number: int, changes: Json) -> Json:
        """Change a company."""
        known(changes, COMPANY, "changes")
        if number not in self.companies:
            raise RefusedError(f"no company {number}")
        company = self.companies[number]
        names = {"name": "company_name", "email": "company_email", "vat_id": "vat_tax_id"}
        names |= {"country": "country_id", "phone": "telephone"}
        company |= {names.get(name, name): value for name, value in changes.items()}
        self._told(company)
        return company

    def _company(self, given: Json, head: int) -> Json:
        name = given["company"]
        for company in self.companies.values():
            if company["company_name"] == name:
                return company
        number = next(self._company_ids)
        house = given.get("billing") or {}
        company = {
            "id": number,
            "status": 1,
            "company_name": name,
            "legal_name": name,
            "company_email": given["email"],
            "vat_tax_id": given.get("vat_id"),
            "street": street(house) or ["1 Dock Rd"],
            "city": house.get("city", "Leeds"),
            "country_id": house.get("country", "GB"),
            "region": house.get("state") or None,
            "postcode": house.get("postcode", "LS1 1AA"),
            "telephone": given.get("phone", "0113 000"),
            "customer_group_id": given.get("group_id", 2),
            "sales_representative_id": 1,
            "reject_reason": NULL,
            "rejected_at": NULL,
            "super_user_id": head,
            "extension_attributes": {
                "applicable_payment_method": 0,
                "available_payment_methods": "checkmo,purchaseorder,companycredit",
                "use_config_settings": 1,
                "quote_config": {"is_quote_enabled": False},
                "is_company_address_book_enabled": False,
                "is_custom_shipping_address_allowed": False,
            },
        }
        self.companies[number] = company
        self._told(company)
        return company

    def _told(self, company: Json) -> None:
        body = company | {"updated_at": self._now()}
        self._notify("company.saved", company["id"], company["company_name"], body)

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


def street(given: Json) -> list[str]:
    """The lines of an address that are filled."""
    return [line for line in (given.get("address_1"), given.get("address_2")) if line]
