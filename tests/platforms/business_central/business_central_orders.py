"""Canonical orders for Business Central, and a client onto a sandbox that holds what they sell."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx

from fizzbridge.http.auth import client_credentials
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.model.party import Address
from fizzbridge.runtime.pull import Span
from fizzbridge.runtime.target import Situation
from fizzbridge.settings import Connection
from platforms.business_central.pull import BusinessCentralPull
from platforms.business_central.sandbox import make
from platforms.business_central.target import BusinessCentralTarget
from tests.kit import orders
from tests.kit.orders import CUSTOMER, ORDER, Maps
from tests.kit.transport import SandboxTransport
from tests.platforms.business_central.business_central_spec import SPEC, validate

TENANT = "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1"
COMPANY = "7c1d0a52-93be-4f06-8a1c-2f64d1b0e5aa"
HOST = "https://erp.example"
PLACED = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
DOCK = Address(name="Dock 2", street="2 Quay", city="Cork", postal_code="T12", country="IE")
SECRET = {
    "client_id": "5a0c6b1e-2d7f-4c38-9e41-b8d2f7a6c903",
    "client_secret": "sandbox-client-secret",
}
TARGET = BusinessCentralTarget()
PULL = BusinessCentralPull()
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
LONG_AGO = Span(datetime(2026, 1, 1, tzinfo=UTC))
PACKS = Maps(unit={"CASE 24": "CASE"})


def item(number, **more):
    base = {"displayName": number, "baseUnitOfMeasureCode": "PCS", "taxGroupCode": "STANDARD"}
    return {"number": number, "unitPrice": 1} | base | more


SEED = {
    "items": [
        item("COLA", units={"CASE": 24}, stock=9999),
        item("LEMON", stock=9999, gtin="05012345678900"),
        item("TEA", taxGroupCode="REDUCED", stock=9999),
        item("KEG", baseUnitOfMeasureCode="KEG", stock=99),
        item("OLD", blocked=True),
        item("SHIP", type="Service", taxGroupCode="ZERO"),
        item("ROUND", type="Service", taxGroupCode="ZERO"),
    ],
    "locations": [{"code": "MAIN", "displayName": "Main depot"}],
}


def view(*lines, **changes):
    """An order to the dock."""
    usual = {"placed_at": PLACED, "promised_on": date(2026, 11, 25), "ship_to": DOCK}
    return orders.view(*lines, **usual | changes)


class Watched(SandboxTransport):
    """Holds every request against the vendor's tables, where they are here."""

    def handle_request(self, request):
        request.read()
        if SPEC.is_dir():
            validate(request)
        return super().handle_request(request)


class Bench:
    """A sandbox, and the adapter at work on it."""

    def __init__(self, *, maps=None, secret=SECRET, seed=None, roles=(), **settings):
        client_credentials.cache_clear()
        self.sandbox = make(SEED | (seed or {}))
        self.transport = Watched(self.sandbox.app)
        self.connection = Connection(
            name="erp",
            platform="business_central",
            base_url=f"{HOST}/v2.0/{TENANT}/Production/api/v2.0",
            start_at=datetime(2026, 1, 1, tzinfo=UTC),
            roles=roles,
            settings={
                "company": COMPANY,
                "token_url": f"{HOST}/{TENANT}/oauth2/v2.0/token",
                "freight_sku": "SHIP",
            }
            | settings,
        )
        self.secret = secret
        self.maps = maps or Maps()
        body = {"number": "SHOP-UK/C-77", "displayName": "Blue Bar"}
        self.customer = self.client().post("/customers", json=body, writes=True).data["id"]
        self.transport.requests.clear()

    def client(self):
        plain = VendorClient(
            platform="business_central",
            base_url=self.connection.base_url,
            auth=TARGET.auth(self.secret, self.connection),
            errors=TARGET.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )
        return TARGET.client(plain, self.connection)

    def situation(self):
        return Situation(self.connection, self.maps, {CUSTOMER: self.customer}, Decimal("0.05"))

    def desired(self, shown):
        return TARGET.entities[Kind.ORDER].desired(shown, self.situation())

    def export(self, shown, reference=ORDER.key):
        """What the runtime does: find or create, then update."""
        orders, vendor, payload = TARGET.entities[Kind.ORDER], self.client(), self.desired(shown)
        found = orders.find(vendor, reference, payload)
        external_id = found or orders.create(vendor, reference, payload)
        orders.update(vendor, external_id, payload)
        return external_id

    def do(self, action, key="101001", name="salesOrders", **draft):
        """A person's act in Business Central."""
        return self.sandbox.store.do(name, key, action, draft)

    def orders(self):
        return self.sandbox.store.records("salesOrders")

    def writes(self):
        return [
            f"{request.method} {request.url.path.rsplit('/', 1)[-1].partition('(')[0]}"
            for request in self.transport.requests
            if request.method != "GET" and "oauth2" not in request.url.path
        ]


class Desk(Bench):
    """A bench with people at it, whose time stands still until it is moved."""

    def __init__(self, **more):
        super().__init__(**({"maps": PACKS} | more))
        self.time = AT
        self.sandbox.clock = lambda: self.time

    def later(self):
        self.time += timedelta(minutes=10)

    def plain(self, transport=None):
        """The client as the runtime gives it to a pull adapter."""
        return VendorClient(
            platform="business_central",
            base_url=self.connection.base_url,
            auth=PULL.auth(self.secret, self.connection),
            errors=PULL.errors,
            timeout=timedelta(seconds=25),
            transport=transport or self.transport,
        )

    def page(self, stream, cursor=None, span=LONG_AGO):
        return PULL.changes(self.plain(), stream, cursor, span, self.connection)

    def told(self, stream, span=LONG_AGO):
        """Everything a round tells, page by page."""
        found, cursor, is_last = [], None, False
        while not is_last:
            page = self.page(stream, cursor, span)
            found += page.told
            cursor, is_last = page.cursor, page.is_last
        return found

    def fetch(self, hint):
        return list(PULL.fetch(self.plain(), hint, self.connection))

    def last(self, name):
        return self.sandbox.store.records(name)[-1]

    def act(self, path):
        """An app's act by the API, such as cancelling a posted invoice."""
        self.client().post(f"/{path}", json={}, writes=True)


class Meddling(httpx.BaseTransport):
    """Does something before the first request that contains a text."""

    def __init__(self, inner, text, before):
        self.inner, self.text, self.before = inner, text, before
        self.requests = inner.requests

    def handle_request(self, request):
        request.read()
        if self.before and self.text in f"{request.method} {request.url.path}":
            before, self.before = self.before, None
            before()
        return self.inner.handle_request(request)
