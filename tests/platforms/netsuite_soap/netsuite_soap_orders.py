"""Canonical orders for NetSuite, and a client onto a sandbox that holds what they sell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Part
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from fizzbridge.settings import Connection
from platforms.netsuite_soap.sandbox import make
from platforms.netsuite_soap.target import NetSuiteSoapTarget
from platforms.netsuite_soap.transport import CORE, SALES, call, get, kind, write
from tests.kit import orders
from tests.kit.orders import CUSTOMER, Maps, stored
from tests.kit.transport import SandboxTransport

DOCK = Address(name="Dock 2", street="2 Quay", city="Cork", postal_code="T12", country="IE")
SECRET = {
    "consumer_key": "ck_sandbox",
    "consumer_secret": "cs_sandbox",
    "token": "tk_sandbox",
    "token_secret": "ts_sandbox",
}
TARGET = NetSuiteSoapTarget()
BAR = Customer(
    contact=Contact(name="Ann Bar", email="ann@example.com", phone="+353 21 123 4567"),
    company=Company(id="7", name="Blue Bar Ltd", vat_number="IE1234567T"),
    addresses=(
        Address(street="1 Quay", city="New York", country="US", region="NY", postal_code="1"),
        Address(company="Blue Bar Ltd", name="Dock", street="2 Quay", city="Cork", country="IE"),
    ),
)


def item(internal_id, code, sort="inventoryItem", **more):
    external = {"externalId": code} if more.pop("external", True) else {}
    price = {"prices": [{"level": "1", "value": "9.60"}]}
    own = {"internalId": str(internal_id), "type": sort, "itemId": code, "taxCode": "10"}
    return own | external | price | more


CANS = {"units": "1", "saleUnit": "3", "stock": {"1": {"onHand": "9999"}}}
SEED = {
    "items": [
        item(57, "COLA", **CANS, displayName="Cola"),
        item(58, "LEMON", **CANS, external=False),
        item(59, "SHIP", "nonInventorySaleItem"),
        item(60, "OFF", "nonInventorySaleItem"),
        item(61, "TONIC-OLD", external=False, isInactive=True),
        item(62, "ROUND", "nonInventorySaleItem", external=False),
        item(63, "CRATE", "nonInventorySaleItem", taxCode="11"),
    ],
}


def connection(**settings):
    usual = {
        "account": "7654321_SB2",
        "confirm": "on_placed",
        "subsidiary": "1",
        "time_zone": "America/Los_Angeles",
        "freight_sku": "SHIP",
        "discount_sku": "OFF",
        "deposit_sku": "CRATE",
    }
    return Connection(
        name="erp",
        platform="netsuite_soap",
        base_url="https://7654321-sb2.suitetalk.erp.example",
        start_at=datetime(2026, 1, 1, tzinfo=UTC),
        settings=usual | settings,
    )


totals = partial(orders.totals, by_line=True)


def view(*lines, included=False, total=None, **changes):
    """An order to the dock of a shop that rounds by line."""
    sums = total or totals(lines, included=included)
    return orders.view(*lines, included=included, total=sums, **{"ship_to": DOCK} | changes)


def known(customer, entity=CUSTOMER):
    """A customer as the runtime shows it."""
    return View(entity, {Part.RECORD: stored(customer)})


class Bench:
    """A sandbox, and the adapter at work on it."""

    def __init__(self, *, maps=None, seed=None, **settings):
        self.sandbox = make(SEED | (seed or {}))
        self.transport = SandboxTransport(self.sandbox.app)
        self.connection = connection(**settings)
        self.maps = maps or Maps()
        self.secret = SECRET
        self.customer = self.export(known(BAR))

    def client(self):
        plain = VendorClient(
            platform="netsuite_soap",
            base_url=self.connection.base_url,
            auth=TARGET.auth(self.secret, self.connection),
            errors=TARGET.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )
        return TARGET.client(plain, self.connection)

    def situation(self):
        there = {CUSTOMER: self.customer} if hasattr(self, "customer") else {}
        return Situation(self.connection, self.maps, there, Decimal("0.05"))

    def desired(self, shown):
        return TARGET.entities[shown.ref.kind].desired(shown, self.situation())

    def export(self, shown, reference=None):
        """What the runtime does: find or create, then update."""
        entity, vendor = TARGET.entities[shown.ref.kind], self.client()
        payload = self.desired(shown)
        key = reference or shown.ref.key
        external_id = entity.find(vendor, key, payload) or entity.create(vendor, key, payload)
        entity.update(vendor, external_id, payload)
        return external_id

    def read(self, internal_id, sort="salesOrder"):
        """A record as NetSuite tells it."""
        return get(self.client(), sort, internalId=internal_id)

    def lines(self, internal_id):
        rows = self.read(internal_id)["itemList"]["item"]
        return rows if isinstance(rows, list) else [rows]

    def writes(self):
        """Operations that wrote, in order."""
        names = (request.headers["SOAPAction"].strip('"') for request in self.transport.requests)
        return [name for name in names if name in {"add", "upsert", "update"}]

    # -- what people do in NetSuite ----------------------------------------------------------------

    def set(self, internal_id, **fields):
        record = kind(SALES, "SalesOrder") | {"@internalId": internal_id} | fields
        write(self.client(), "update", record, SALES)

    def ship(self, order, *quantities):
        """Ship so many of each line."""
        rows = [
            {"orderLine": row["line"], "itemReceive": bool(quantity), "quantity": quantity}
            | {"location": {"@internalId": "1"}}
            for row, quantity in zip(self.lines(order), quantities, strict=False)
        ]
        record = kind(SALES, "ItemFulfillment") | {
            "createdFrom": {"@internalId": order},
            "shipStatus": "_shipped",
            "itemList": {"@replaceAll": True, "item": rows},
        }
        return write(self.client(), "add", record, SALES)

    def bill(self, order):
        record = kind(SALES, "Invoice") | {"createdFrom": {"@internalId": order}}
        return write(self.client(), "add", record, SALES)

    def delete(self, internal_id, sort="salesOrder"):
        asked = {"@internalId": internal_id, "@type": sort}
        call(self.client(), "delete", {"baseRef": asked | kind(CORE, "RecordRef")}, writes=True)
