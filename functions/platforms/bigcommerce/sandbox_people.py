"""Customers of the sandbox store and their addresses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from platforms.bigcommerce.sandbox_catalogue import Notify
from platforms.bigcommerce.sandbox_companies import Companies
from platforms.bigcommerce.sandbox_orders import Order
from platforms.bigcommerce.sandbox_shapes import (
    COUNTRIES,
    GoneError,
    Json,
    RefusedError,
    known,
    whole,
    zulu,
)

BUYER = {"email", "first_name", "last_name", "company", "phone"}
WRITE = BUYER | set(
    "id notes tax_exempt_category customer_group_id authentication store_credit_amounts"
    " accepts_product_review_abandoned_cart_emails origin_channel_id channel_ids form_fields"
    " registration_ip_address addresses attributes trigger_account_created_notification".split()
)
ADDRESS = set(
    "id customer_id first_name last_name company address1 address2 city state_or_province"
    " postal_code country_code phone address_type form_fields".split()
)
NEEDED = "first_name last_name address1 city country_code customer_id".split()
LENGTHS = {"email": 255, "first_name": 100, "last_name": 100, "company": 255, "phone": 50}
Note = Callable[[Order, Json], Json]


class People:
    """Who buys.

    Args:
        seed: what the store is like: ``b2b``, ``po_number_in``, ``po_field``.
        clock: gives the time.
        notify: sends one webhook: scope, subject, data.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self.customers: dict[int, Json] = {}
        self.addresses: dict[int, Json] = {}
        self.attributes: dict[int, Json] = {}
        self.companies = Companies(seed, clock, notify)
        self._ids = itertools.count(1)
        self._address_ids = itertools.count(1)
        self._attribute_ids = itertools.count(1)

    # -- customers ---------------------------------------------------------------------------------

    def buyer(self, given: Json | None) -> Json | None:
        """Who places an order: a guest, an account that is there, or a new one."""
        if given is None:
            return None
        known(given, BUYER, "customer")
        return self.by_email(given.get("email", "")) or self.add(given)

    def by_email(self, email: str) -> Json | None:
        """The account of that address, which is unique in the store."""
        rows = self.customers.values()
        return next((one for one in rows if one["email"].lower() == email.lower()), None)

    def add(self, given: Json) -> Json:
        """Open an account."""
        self.check_new(given)
        now = zulu(self.clock())
        number = next(self._ids)
        made: Json = {"id": number, "authentication": {"force_password_reset": False}}
        made |= {"company": "", "customer_group_id": 0, "email": "", "first_name": ""}
        made |= {"last_name": "", "notes": "", "phone": "", "registration_ip_address": ""}
        made |= {"tax_exempt_category": "", "date_created": now, "date_modified": now}
        made |= {"accepts_product_review_abandoned_cart_emails": False}
        made |= {"origin_channel_id": self.seed["channel_id"], "channel_ids": None}
        made |= {name: given[name] for name in made.keys() & given.keys()}
        self.customers[number] = made
        self._tell("created", number)
        for address in given.get("addresses", []):
            self.add_address(address | {"customer_id": number})
        self.companies.join_by_name(made)
        return made

    def check_new(self, given: Any, beside: list[Any] | None = None) -> None:
        """Refuse what can be no account, also because of one that is made with it."""
        known(given, WRITE - {"id"}, "customer")
        for name in ("email", "first_name", "last_name"):
            if not given.get(name):
                raise RefusedError("missing required field", name)
        self._checked(given)
        if given["email"].lower() in {one["email"].lower() for one in beside or ()}:
            raise RefusedError(f"email {given['email']} already in use", "email")

    def check_change(self, customer_id: Any, changes: Any) -> Json:
        """The account a change is meant for; refuse what it can not become."""
        known(changes, WRITE - {"addresses", "attributes"}, "customer")
        customer = self.customer(customer_id)
        self._checked(changes, customer["id"])
        return customer

    def change(self, customer_id: Any, changes: Json) -> Json:
        """Change an account."""
        customer = self.check_change(customer_id, changes)
        for name in customer.keys() & changes.keys() - {"id"}:
            customer[name] = changes[name]
        customer["date_modified"] = zulu(self.clock())
        self._tell("updated", customer["id"])
        return customer

    def delete(self, customer_id: int) -> Json:
        """Close an account; its orders keep its number."""
        customer = self.customer(customer_id)
        del self.customers[customer_id]
        gone = [one for one in self.addresses.values() if one["customer_id"] == customer_id]
        for address in gone:
            del self.addresses[address["id"]]
        self.companies.leave(customer_id)
        self._tell("deleted", customer_id)
        return customer

    def customer(self, customer_id: Any) -> Json:
        """The account of that number."""
        if customer_id not in self.customers:
            raise GoneError(f"Customer {customer_id} not found")
        return self.customers[customer_id]

    def add_address(self, given: Json) -> Json:
        """Add to an account's address book, which does not change the account itself."""
        known(given, ADDRESS - {"id"}, "address")
        for name in NEEDED:
            if not given.get(name):
                raise RefusedError("missing required field", name)
        self.customer(given["customer_id"])
        number = next(self._address_ids)
        blank = dict.fromkeys("company address2 state_or_province postal_code phone".split(), "")
        country = COUNTRIES.get(given["country_code"], given["country_code"])
        made = {"id": number, "address_type": "residential"} | blank | given | {"country": country}
        self.addresses[number] = made
        self._tell_address("created", made)
        return made

    def change_address(self, changes: Json) -> Json:
        """Change one entry of an address book."""
        known(changes, ADDRESS, "address")
        address = self.addresses.get(whole(changes.get("id"), "id"))
        if address is None:
            raise GoneError("Address not found")
        address |= changes
        self._tell_address("updated", address)
        return address

    def delete_address(self, address_id: int) -> None:
        """Take one entry out of an address book."""
        if address := self.addresses.pop(address_id, None):
            self._tell_address("deleted", address)

    def set_attribute(self, given: Json) -> Json:
        """Upsert what the merchant's own field says of a customer."""
        known(given, {"id", "attribute_id", "value", "customer_id"}, "attribute value")
        for name in ("attribute_id", "value", "customer_id"):
            if name not in given:
                raise RefusedError("missing required field", name)
        self.customer(given["customer_id"])
        same = ("attribute_id", "customer_id")
        rows = self.attributes.values()
        found = next((one for one in rows if all(one[n] == given[n] for n in same)), None)
        now = zulu(self.clock())
        made = found or {"id": next(self._attribute_ids), "date_created": now}
        made |= {name: given[name] for name in same}
        made |= {"attribute_value": given["value"], "date_modified": now}
        self.attributes[made["id"]] = made
        self._tell("updated", given["customer_id"])
        return made

    def note_po(self, order: Order, po_number: str, metafield: Note) -> None:
        """Where a store without B2B Edition keeps the buyer's number is up to its checkout."""
        where = self.seed["po_number_in"]
        if where == "form_field":
            fields = order.head["billing_address"]["form_fields"]
            fields.append({"name": self.seed["po_field"], "value": po_number})
        elif where == "customer_message":
            said = order.head["customer_message"]
            noted = f"{self.seed['po_field']}: {po_number}"
            order.head["customer_message"] = f"{noted}\n{said}" if said else noted
        else:
            field = {"permission_set": "read", "namespace": "checkout", "value": po_number}
            metafield(order, field | {"key": self.seed["po_field"]})

    # -- how the store keeps it --------------------------------------------------------------------

    def _checked(self, given: Json, customer_id: int | None = None) -> None:
        for name, most in LENGTHS.items():
            value = given.get(name, "")
            if not isinstance(value, str) or len(value) > most:
                raise RefusedError(f"{name} is invalid", name)
        if "email" in given:
            if "@" not in given["email"]:
                raise RefusedError("email is invalid", "email")
            taken = self.by_email(given["email"])
            if taken and taken["id"] != customer_id:
                raise RefusedError(f"email {given['email']} already in use", "email")

    def _tell(self, event: str, number: int) -> None:
        data = {"type": "customer", "id": number}
        self.notify(f"store/customer/{event}", str(number), data)

    def _tell_address(self, event: str, address: Json) -> None:
        of = {"customer_id": address["customer_id"]}
        data = {"type": "customer", "id": address["id"], "address": of}
        self.notify(f"store/customer/address/{event}", str(address["customer_id"]), data)
