"""Canonical orders for Xero, and a client onto a sandbox that sells what they name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Payment, Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.tokens import RotatingToken
from fizzbridge.runtime.view import View
from fizzbridge.settings import Connection
from fizzbridge.state.memory import MemoryTable
from platforms.xero.sandbox import make
from platforms.xero.target import XeroTarget
from tests.kit import orders
from tests.kit.orders import CUSTOMER, ORDER, PLACED, stored
from tests.kit.transport import SandboxTransport

TENANT = "7d2f0c1e-54a1-4c57-9a59-4a3b8f1f0a01"
PAYMENT = ref(Kind.PAYMENT, "shop-uk", "ch_77")
REFUND = ref(Kind.REFUND, "shop-uk", "r-55")
WEB = {
    "client_id": "SANDBOX-WEB-APP",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}
CUSTOM = {"client_id": "SANDBOX-CUSTOM", "client_secret": "sandbox-custom-secret"}
TARGET = XeroTarget()
LIMITS = {"concurrent": 5, "minute": 100_000, "day": 100_000, "app_minute": 100_000}


def item(code, **more):
    sales = {"UnitPrice": 1, "AccountCode": "200", "TaxType": "OUTPUT2"}
    return {"Code": code, "Name": code.title(), "SalesDetails": sales} | more


ORGANISATION = {
    "items": [
        item("COLA"),
        item("LEMON"),
        item("SHIP", SalesDetails={"UnitPrice": 1, "AccountCode": "210"}),
        item("BARE", SalesDetails={"UnitPrice": 1}),
    ],
    "contacts": [{"ContactNumber": "shop-uk/c-77", "Name": "Blue Bar"}],
}


class Maps(orders.Maps):
    connection = "books"


def connection(**settings):
    usual = {
        "tenant_id": TENANT,
        "freight_account": "210",
        "rounding_account": "860",
        "payment_account": "090",
    }
    return Connection(
        name="books",
        platform="xero",
        base_url="https://api.xero.com/api.xro/2.0",
        start_at=datetime(2026, 1, 1, tzinfo=UTC),
        settings={k: v for k, v in (usual | settings).items() if v is not None},
    )


def view(*lines, **changes):
    """A retail order."""
    return orders.view(*lines, **{"target": "books", "sort": "RETAIL"} | changes)


def payment(amount, **more):
    """A payment, alone."""
    body = Payment(
        **{
            "order": ORDER,
            "amount": Decimal(amount),
            "currency": "GBP",
            "gateway": "card",
            "at": PLACED + timedelta(hours=1),
            "status": SettlementStatus.SETTLED,
        }
        | more
    )
    return View(PAYMENT, {Part.RECORD: stored(body)})


def refund(amount, *lines, **more):
    """A refund, alone: lines are (order line's id, pieces, amount, tax)."""
    parts = [
        RefundedLine(
            order_line_id=identity,
            quantity=pieces,
            amount=Decimal(part),
            tax=Decimal(tax),
            is_restocked=True,
        )
        for identity, pieces, part, tax in lines
    ]
    body = Refund(
        **{
            "order": ORDER,
            "amount": Decimal(amount),
            "currency": "GBP",
            "gateway": "card",
            "at": PLACED + timedelta(days=2),
            "status": SettlementStatus.SETTLED,
            "lines": tuple(parts),
        }
        | more
    )
    return View(REFUND, {Part.RECORD: stored(body)})


class Bench:
    """A sandbox, and the adapter at work on it."""

    def __init__(self, *, maps=None, secret=WEB, organisation=None, seed=None, **settings):
        told = {"limits": LIMITS, "organisation": ORGANISATION | (organisation or {})}
        self.sandbox = make(told | (seed or {}))
        self.transport = SandboxTransport(self.sandbox.app)
        self.connection = connection(**settings)
        self.secret = secret
        self.maps = maps or Maps()
        self.table = MemoryTable()
        self.clock = lambda: datetime.now(UTC)
        self.ids = {}

    def client(self):
        auth = TARGET.auth(self.secret, self.connection)
        if isinstance(auth, RotatingToken):
            auth.share(self.table, "books", self.clock)
        plain = VendorClient(
            platform="xero",
            base_url=self.connection.base_url,
            auth=auth,
            errors=TARGET.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )
        return TARGET.client(plain, self.connection)

    def situation(self):
        return Situation(self.connection, self.maps, dict(self.ids), Decimal("0.05"))

    def desired(self, shown):
        if CUSTOMER not in self.ids:
            found = self.read("Contacts", where='ContactNumber=="shop-uk/c-77"')
            self.ids[CUSTOMER] = found[0]["ContactID"]
        return TARGET.entities[shown.ref.kind].desired(shown, self.situation())

    def export(self, shown, reference=""):
        """What the runtime does: find or create, then update."""
        entity, vendor, payload = (
            TARGET.entities[shown.ref.kind],
            self.client(),
            self.desired(shown),
        )
        key = reference or shown.ref.key
        external_id = self.ids.get(shown.ref) or entity.find(vendor, key, payload)
        external_id = external_id or entity.create(vendor, key, payload)
        self.ids[shown.ref] = external_id
        entity.update(vendor, external_id, payload)
        return external_id

    def cancel(self, of):
        TARGET.entities[of.kind].cancel(self.client(), self.ids[of])

    def read(self, path, external_id="", **params):
        """Objects as the sandbox tells them."""
        place = f"/{path}/{external_id}" if external_id else f"/{path}"
        return self.client().get(place, params=params).data[path]

    def invoice(self):
        return self.read("Invoices", self.ids[ORDER], unitdp=4)[0]

    def credit(self):
        return self.read("CreditNotes", self.ids[REFUND], unitdp=4)[0]

    def by_hand(self, method, path, body=None):
        """What a person does in Xero."""
        answer = self.client().request(method, f"/{path}", json=body, writes=True)
        return answer.data

    def writes(self):
        """Bodies of what changed something, as (call, body)."""
        return [
            (f"{request.method} {request.url.path.removeprefix('/api.xro/2.0')}", body(request))
            for request in self.transport.requests
            if request.method != "GET" and "/connect/" not in request.url.path
        ]


def body(request):
    return json.loads(request.content, parse_float=Decimal) if request.content else None


class Meddling(httpx.BaseTransport):
    """Does something before or after each request that contains a text."""

    def __init__(self, inner, text, before=None, after=None):
        self.inner, self.text, self.before, self.after = inner, text, before, after

    @property
    def requests(self):
        return self.inner.requests

    def handle_request(self, request):
        request.read()
        is_meant = self.text in f"{request.method} {request.url.path}"
        if is_meant and self.before:
            act, self.before = self.before, None
            act()
        answer = self.inner.handle_request(request)
        if is_meant and self.after:
            act, self.after = self.after, None
            act()
        return answer
