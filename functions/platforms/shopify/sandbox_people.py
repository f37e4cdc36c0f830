"""The sandbox shop's customers: what is known of them, and what people do to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import ADDRESS_KEYS, Order, RefusedError, gid, known
from platforms.shopify.sandbox_search import Entry, last_seen, utc

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

CUSTOMER_KEYS = set(
    "email first_name last_name company phone note tags addresses tax_exempt state"
    " verified_email".split()
)
STATES = {"disabled", "invited", "enabled", "declined"}
SHOP_ID = 61_000_000_001
NAMES = ("first_name", "last_name", "email", "phone", "note")


@dataclass
class Customer:
    """One customer; ``body`` is what an order shows of them, and stays the same object."""

    body: Json
    addresses: list[Json] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    indexed: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def id(self) -> int:
        """The number."""
        return int(self.body["id"])

    def told(self) -> Json:
        """As its own webhooks show it."""
        return {"default_address": None} | self.body | {"addresses": self.addresses}


class People:
    """The customers of one shop."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk
        self.known: dict[int, Customer] = {}

    def get(self, customer_id: Any) -> Customer:
        """The customer of that id."""
        try:
            return self.known[int(customer_id)]
        except (KeyError, ValueError):
            raise RefusedError(f"no customer {customer_id}") from None

    def by_email(self, email: str | None) -> Customer | None:
        """The customer with that address, if any."""
        mails = (one for one in self.known.values() if email and one.body["email"] == email)
        return next(mails, None)

    def orders(self, customer: Customer) -> list[Order]:
        """What they ordered."""
        each = self.desk.orders.values()
        return [one for one in each if one.customer and one.customer["id"] == customer.id]

    def of_order(self, draft: Json, at: datetime) -> Json | None:
        """The customer an order names: known by the mail address, or new with the order."""
        given = draft.get("customer")
        if given is None:
            return None
        if found := self.by_email(given.get("email")):
            return found.body
        where = draft.get("billing_address") or draft.get("shipping_address")
        more = {"addresses": [where]} if where and "addresses" not in given else {}
        currency = draft.get("currency")
        return self.create(given | more, at, currency).body

    def create(
        self, draft: Json, at: datetime | None = None, currency: str | None = None
    ) -> Customer:
        """A new customer; the first address is the default one."""
        known(draft, CUSTOMER_KEYS, "customer")
        self._check(draft, None)
        at = at or self.desk.clock()
        number, now = self.desk.next_id(), self.desk.stamp(at)
        body = {
            "id": number,
            "created_at": now,
            "updated_at": now,
            "first_name": draft.get("first_name"),
            "last_name": draft.get("last_name"),
            "state": draft.get("state", "disabled"),
            "note": draft.get("note"),
            "verified_email": draft.get("verified_email", True),
            "multipass_identifier": None,
            "tax_exempt": draft.get("tax_exempt", False),
            "email": draft.get("email"),
            "phone": draft.get("phone"),
            "currency": currency or self.desk.seed.get("currency", "GBP"),
            "tax_exemptions": [],
            "admin_graphql_api_id": gid("Customer", number),
        }
        customer = Customer(body, tags=list(draft.get("tags", [])))
        addresses = draft.get("addresses", [])
        if draft.get("company") and not addresses:
            person = {key: draft.get(key) for key in ("first_name", "last_name", "phone")}
            addresses = [person | {"company": draft["company"]}]
        self._settle_in(customer, addresses)
        self.known[number] = customer
        customer.indexed.append((self.desk.clock(), now))
        self.desk.notify("customers/create", number, customer.told(), at)
        return customer

    def update(self, customer_id: Any, changes: Json) -> Customer:
        """Change what is given; addresses and tags are replaced as a whole."""
        known(changes, CUSTOMER_KEYS - {"company"}, "customer update")
        customer = self.get(customer_id)
        self._check(changes, customer)
        facts = dict(changes)
        if "tags" in facts:
            customer.tags = list(facts.pop("tags"))
        if "addresses" in facts:
            self._settle_in(customer, facts.pop("addresses"))
        customer.body.update(facts)
        self._changed(customer)
        self._tell(customer, "customers/update", customer.told())
        return customer

    def delete(self, customer_id: Any) -> None:
        """Remove a customer; the vendor keeps whoever ordered or buys for a company."""
        customer = self.get(customer_id)
        if self.orders(customer) or self.desk.companies.contacts_of(customer):
            raise RefusedError("a customer with orders or a company cannot be deleted")
        del self.known[customer.id]
        thin = {key: customer.body[key] for key in ("id", "tax_exemptions", "admin_graphql_api_id")}
        self._tell(customer, "customers/delete", thin)

    def data_request(self, customer_id: Any) -> Customer:
        """The customer asks what is stored of them; the app is told, and the shop goes on."""
        customer = self.get(customer_id)
        orders = [order.id for order in self.orders(customer)]
        asked = {"orders_requested": orders, "data_request": {"id": self.desk.next_id()}}
        self._tell(customer, "customers/data_request", self._person(customer) | asked)
        return customer

    def redact(self, customer_id: Any) -> Customer:
        """The customer is to be forgotten: the app is told, and the shop forgets."""
        customer = self.get(customer_id)
        orders = self.orders(customer)
        body = self._person(customer) | {"orders_to_redact": [order.id for order in orders]}
        for order in orders:
            order.facts |= dict.fromkeys(("billing_address", "shipping_address", "phone"))
            order.facts["email"] = ""
        customer.body |= dict.fromkeys(NAMES)
        customer.tags = []
        self._settle_in(customer, [])
        self._tell(customer, "customers/redact", body)
        return customer

    def redact_shop(self) -> None:
        """What is told 48 hours after the app was removed."""
        shop = {"shop_id": SHOP_ID, "shop_domain": self.desk.seed["shop"]}
        self.desk.notify("shop/redact", SHOP_ID, shop, self.desk.clock())

    def entries(self, until: datetime) -> Iterator[Entry]:
        """What the search knows."""
        for one in self.known.values():
            seen = last_seen(one.indexed, until)
            if seen is None:
                continue
            facts = {key: one.body[key] for key in ("email", "phone", "first_name", "last_name")}
            facts |= {"state": one.body["state"], "updated_at": seen}
            facts["created_at"] = utc(one.body["created_at"])
            yield Entry(one.id, facts, partial(self.node, one))

    def node(self, customer: Customer) -> Json:
        """As the API shows it."""
        body, orders = customer.body, self.orders(customer)
        names = filter(None, (body["first_name"], body["last_name"]))
        email, phone = body["email"], body["phone"]
        addresses = [_mailing(one) for one in customer.addresses]
        spent = sum((order.received - order.moved("refund")).shop for order in orders)
        unsubscribed = {"marketing_state": "not_subscribed", "valid_format": True}
        return body | {
            "__typename": "Customer",
            "addresses_v2": addresses,
            "amount_spent": {"amount": str(spent), "currency_code": body["currency"]},
            "can_delete": not orders,
            "company_contact_profiles": lambda _: [
                self.desk.companies.contact_node(*one)
                for one in self.desk.companies.contacts_of(customer)
            ],
            "default_address": addresses[0] if addresses else None,
            "default_email_address": email and {"email_address": email} | unsubscribed,
            "default_phone_number": phone and {"phone_number": phone},
            "display_name": " ".join(names) or email or phone or "",
            "locale": "en",
            "number_of_orders": len(orders),
            "tags": customer.tags,
        }

    def node_of(self, body: Json | None) -> Json | None:
        """The customer an order holds, as the API shows it."""
        return body and self.node(self.known[body["id"]])

    def _check(self, given: Json, own: Customer | None) -> None:
        for key in ("email", "phone"):
            taken = [one for one in self.known.values() if given.get(key) == one.body[key]]
            if given.get(key) and any(one is not own for one in taken):
                raise RefusedError(f"{key} has already been taken")
        if given.get("state", "disabled") not in STATES:
            raise RefusedError(f"no customer is {given['state']}")
        for one in given.get("addresses", []):
            address(one)
        facts = {"first_name", "last_name", "email", "phone"}
        before = own.body if own else dict.fromkeys(facts)
        if not any((before | given).get(key) for key in facts):
            raise RefusedError("a customer needs a name, a phone number or an email address")

    def _settle_in(self, customer: Customer, addresses: list[Json]) -> None:
        customer.addresses = [
            {k: v for k, v in (address(one) or {}).items() if k not in {"latitude", "longitude"}}
            | {
                "id": self.desk.next_id(),
                "customer_id": customer.id,
                "country_name": one.get("country"),
                "default": n == 0,
            }
            for n, one in enumerate(addresses)
        ]
        customer.body.pop("default_address", None)
        if customer.addresses:
            customer.body["default_address"] = customer.addresses[0]

    def _changed(self, customer: Customer) -> None:
        customer.body["updated_at"] = self.desk.stamp()
        customer.indexed.append((self.desk.clock(), customer.body["updated_at"]))

    def _tell(self, customer: Customer, topic: str, body: Json) -> None:
        self.desk.notify(topic, customer.id, body, self.desk.clock())

    def _person(self, customer: Customer) -> Json:
        person = {key: customer.body[key] for key in ("id", "email", "phone")}
        shop = {"shop_id": SHOP_ID, "shop_domain": self.desk.seed["shop"]}
        return shop | {"customer": person}


def address(given: Json | None) -> Json | None:
    """An address as orders show it."""
    if given is None:
        return None
    known(given, set(ADDRESS_KEYS), "address")
    whole = dict.fromkeys(ADDRESS_KEYS) | given
    names = filter(None, (whole["first_name"], whole["last_name"]))
    return whole | {"name": " ".join(names)}


def _mailing(one: Json) -> Json:
    model = "?model_name=CustomerAddress"
    return one | {"admin_graphql_api_id": gid("MailingAddress", one["id"]) + model}
