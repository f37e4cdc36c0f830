"""Customers and their addresses."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from platforms.prestashop.sandbox_catalogue import Tell
from platforms.prestashop.sandbox_fields import RESOURCES, Row
from platforms.prestashop.sandbox_tables import (
    BUYERS,
    COUNTRIES,
    GUESTS,
    Json,
    RefusedError,
    Tables,
    known,
    price,
    secret_of,
)

CUSTOMER = set("email first_name last_name company phone siret group".split())
ADDRESS = set(
    "first_name last_name company address_1 address_2 city state postcode country phone email"
    " vat_number".split()
)
NAMES = {
    "first_name": "firstname",
    "last_name": "lastname",
    "company": "company",
    "address_1": "address1",
    "address_2": "address2",
    "city": "city",
    "postcode": "postcode",
    "phone": "phone",
    "vat_number": "vat_number",
}
# The shop takes no order without an address.
HOME = {
    "first_name": "Ada",
    "last_name": "Quill",
    "address_1": "1 Dock Road",
    "city": "Leeds",
    "postcode": "LS1 1AA",
}


class People:
    """Who buys, and where they live.

    Args:
        tables: the shop's rows.
        tell: hands an event to the module: its name and ids.
    """

    def __init__(self, tables: Tables, tell: Tell) -> None:
        self.tables = tables
        self.tell = tell

    def buyer(self, given: Json | None, billing: Json, shop: Row) -> Row:
        """The registered customer of that e-mail, or a new one; without one, a new guest."""
        if given is not None:
            found = [
                row
                for row in self.tables.where("customers", email=given.get("email"), is_guest=0)
                if row["deleted"] == "0"
            ]
            return found[0] if found else self.register(given, shop)
        email = billing.get("email", "guest@buyer.example")
        names = {key: billing.get(key, HOME[key]) for key in ("first_name", "last_name")}
        return self._add({"email": email} | names, shop, is_guest=True)

    def register(self, given: Json, shop: Row | None = None) -> Row:
        """Open an account."""
        known(given, CUSTOMER, "customer")
        if "email" not in given:
            raise RefusedError("a customer needs an email")
        if self.tables.first("customers", email=given["email"], is_guest=0):
            raise RefusedError(f"{given['email']} has an account already")
        shop = shop or next(iter(self.tables.rows["shops"].values()))
        return self._add(given, shop, is_guest=False)

    def _add(self, given: Json, shop: Row, *, is_guest: bool) -> Row:
        group = GUESTS if is_guest else self._group(given.get("group"))
        facts = {
            "email": given["email"],
            "firstname": given.get("first_name", HOME["first_name"]),
            "lastname": given.get("last_name", HOME["last_name"]),
            "id_default_group": group,
            "id_lang": 1,
            "is_guest": int(is_guest),
            "active": 1,
            "id_shop": shop["id"],
            "id_shop_group": shop["id_shop_group"],
            "secure_key": secret_of("customer", given["email"]),
            "passwd": "$2y$10$" + secret_of("passwd", given["email"]),
            "birthday": "0000-00-00",
            "_groups": [group],
        }
        if self.tables.seed["b2b"]:
            # Without the B2B mode a company is known only on an address.
            facts |= {name: given.get(name, "") for name in ("company", "siret")}
            facts["outstanding_allow_amount"] = price(Decimal(0))
        facts |= dict.fromkeys(("date_add", "date_upd", "last_passwd_gen"), self.tables.local())
        self._checked("customers", facts)
        row = self.tables.add("customers", facts)
        self.customer_changed(row)
        return row

    def _group(self, name: str | None) -> int:
        if name is None:
            return BUYERS
        found = self.tables.first("groups", name=name)
        if found is None:
            raise RefusedError(f"no group {name}")
        return int(found["id"])

    def change(self, number: int, changes: Json) -> Row:
        """Change an account."""
        known(changes, CUSTOMER - {"phone", "group"} | {"active", "note"}, "changes")
        customer = self.tables.rows["customers"].get(number)
        if customer is None:
            raise RefusedError(f"no customer {number}")
        names = {"first_name": "firstname", "last_name": "lastname"}
        values = {names.get(key, key): str(text) for key, text in changes.items()}
        self._checked("customers", values)
        customer |= values | {"date_upd": self.tables.local()}
        self.customer_changed(customer)
        return customer

    def delete(self, number: int) -> Row:
        """Erase an account; its orders keep its number, and no hook of the module's says so."""
        if number not in self.tables.rows["customers"]:
            raise RefusedError(f"no customer {number}")
        return self.tables.rows["customers"].pop(number)

    def customer_changed(self, row: Row) -> None:
        """Tell."""
        self.tell("customer.changed", {"id_customer": int(row["id"]), "_shop": row["id_shop"]})

    # -- addresses ---------------------------------------------------------------------------------

    def address(self, given: Json, customer: Row, alias: str, at: datetime | None = None) -> Row:
        """A new address of a customer; what is missing is filled in."""
        known(given, ADDRESS, "address")
        facts = {theirs: str(given.get(ours, HOME.get(ours, ""))) for ours, theirs in NAMES.items()}
        for ours, theirs in (("first_name", "firstname"), ("last_name", "lastname")):
            facts[theirs] = str(given.get(ours) or customer[theirs])
        facts |= self._place(
            given.get("country") or self.tables.seed["country"], given.get("state")
        )
        facts |= {"id_customer": customer["id"], "alias": alias}
        facts |= dict.fromkeys(("date_add", "date_upd"), self.tables.local(at))
        self._checked("addresses", facts)
        row = self.tables.add("addresses", facts)
        self.address_changed(row)
        return row

    def change_address(self, row: Row, given: Json) -> Row:
        """Change an address where it is; the orders that use it do not move."""
        known(given, ADDRESS, "address")
        values = {NAMES[name]: str(text) for name, text in given.items() if name in NAMES}
        if "country" in given or "state" in given:
            countries = self.tables.rows["countries"]
            country: Any = given.get("country") or countries[int(row["id_country"])]["iso_code"]
            place = self._place(country, given.get("state"))
            values |= {name: str(number) for name, number in place.items()}
        self._checked("addresses", values)
        row |= values | {"date_upd": self.tables.local()}
        self.address_changed(row)
        return row

    def delete_address(self, number: int) -> Row:
        """Take an address away; one that orders use is only hidden."""
        row = self.tables.rows["addresses"].get(number)
        if row is None:
            raise RefusedError(f"no address {number}")
        names = ("id_address_delivery", "id_address_invoice")
        if any(self.tables.where("orders", **{name: number}) for name in names):
            row |= {"deleted": "1", "date_upd": self.tables.local()}
            self.address_changed(row)
        else:
            del self.tables.rows["addresses"][number]
        return row

    def address_changed(self, row: Row) -> None:
        """Tell."""
        if row["id_customer"] != "0":
            # Addresses of suppliers and brands are nobody's who buys.
            ids = {"id_customer": int(row["id_customer"]), "id_address": int(row["id"])}
            self.tell("address.changed", ids)

    def _place(self, country: str, state: str | None) -> Json:
        if country not in COUNTRIES:
            raise RefusedError(f"the shop does not deliver to {country}")
        number = 0
        if state:
            found = self.tables.first("states", id_country=COUNTRIES[country], iso_code=state)
            if found is None:
                raise RefusedError(f"{country} has no state {state} in this shop")
            number = int(found["id"])
        return {"id_country": COUNTRIES[country], "id_state": number}

    def _checked(self, plural: str, values: Json) -> None:
        resource = RESOURCES[plural]
        for name, value in values.items():
            one = resource.by_name.get(name)
            if one and not one.takes(str(value)):
                raise RefusedError(f"Property {resource.class_name}->{name} is not valid: {value}")
