"""Canonical orders for Odoo, and a client onto a sandbox that holds what they sell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.model.party import Address
from fizzbridge.runtime.target import Situation
from fizzbridge.settings import Connection
from platforms.odoo.sandbox import make
from platforms.odoo.target import OdooTarget
from tests.kit import orders
from tests.kit.orders import CUSTOMER, ORDER, Maps
from tests.kit.transport import SandboxTransport

DOCK = Address(name="Dock 2", street="2 Quay", city="Cork", postal_code="T12", country="IE")
SECRET = {"api_key": "sandbox-key", "login": "bot@example.com"}
TARGET = OdooTarget()

SEED = {
    "first_id": 100,
    "uoms": [
        {"name": "Units"},
        {"name": "Case of 24", "factor": 24, "relative_to": "Units"},
        {"name": "Pallet", "factor": 2592, "relative_to": "Units"},
        {"name": "Hours"},
        {"name": "Keg tree"},
        {"name": "Pair of kegs", "factor": 2, "relative_to": "Keg tree"},
    ],
    "taxes": [
        {"name": "20%", "amount": 20.0},
        {"name": "19%", "amount": 19.0},
        {"name": "19% incl.", "amount": 19.0, "price_include": True},
        {"name": "7% goods", "amount": 7.0},
        {"name": "7% services", "amount": 7.0},
    ],
    "pricelists": [
        {"name": "Dollars", "currency": "USD"},
        {"name": "Pounds A", "currency": "GBP"},
        {"name": "Pounds B", "currency": "GBP"},
    ],
    "partners": [{"name": "Blue Bar", "ref": "shop-uk/c-77"}],
    "products": [
        {"default_code": "COLA", "name": "Cola", "list_price": 1.15, "uoms": ["Case of 24"]},
        {"default_code": "LEMON", "name": "Lemon", "list_price": 2},
        {"default_code": "KEG", "name": "Keg", "uom": "Pair of kegs"},
        {"default_code": "TWIN", "name": "Twin A"},
        {"default_code": "TWIN", "name": "Twin B"},
        {"default_code": "SHIP", "name": "Delivery", "type": "service", "taxes_id": []},
        {"default_code": "DEPOSIT", "name": "Deposit", "type": "service"},
    ],
}


def connection(**settings):
    return Connection(
        name="erp",
        platform="odoo",
        base_url="https://erp.example",
        start_at=datetime(2026, 1, 1, tzinfo=UTC),
        settings={"database": "main", "confirm": "on_placed", "freight_sku": "SHIP"} | settings,
    )


def view(*lines, **changes):
    """A retail order to the dock."""
    usual = {"currency": "EUR", "sort": "RETAIL", "ship_to": DOCK}
    return orders.view(*lines, **usual | changes)


class Bench:
    """A sandbox, and the adapter at work on it."""

    def __init__(self, transport="json2", *, maps=None, secret=SECRET, seed=None, **settings):
        self.sandbox = make(SEED | (seed or {}))
        self.transport = SandboxTransport(self.sandbox.app)
        self.connection = connection(transport=transport, **settings)
        self.secret = secret
        self.maps = maps or Maps()
        self.partner = str(self.records("res.partner")[0]["id"])

    def client(self):
        plain = VendorClient(
            platform="odoo",
            base_url=self.connection.base_url,
            auth=TARGET.auth(self.secret, self.connection),
            errors=TARGET.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )
        return TARGET.client(plain, self.connection)

    def desired(self, shown):
        customers = {CUSTOMER: self.partner}
        situation = Situation(self.connection, self.maps, customers, Decimal("0.05"))
        return TARGET.entities[Kind.ORDER].desired(shown, situation)

    def export(self, shown, reference=ORDER.key):
        """What the runtime does: find or create, then update."""
        orders, vendor, payload = TARGET.entities[Kind.ORDER], self.client(), self.desired(shown)
        found = orders.find(vendor, reference, payload)
        external_id = found or orders.create(vendor, reference, payload)
        orders.update(vendor, external_id, payload)
        return external_id

    def records(self, model):
        return list(self.sandbox.store.rows[model].values())

    def shown(self):
        """The orders as the sandbox tells them."""
        with httpx.Client(transport=self.transport, base_url="https://erp.example") as http:
            return http.get("/_sandbox/orders").json()["orders"]
