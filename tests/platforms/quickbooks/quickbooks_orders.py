"""Canonical orders for QuickBooks, and a client onto a sandbox company that sells their goods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Payment, Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.party import Address, Contact
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from fizzbridge.settings import Connection
from fizzbridge.state.memory import MemoryTable
from platforms.quickbooks.sandbox import make
from platforms.quickbooks.target import QuickBooksTarget
from tests.kit import orders
from tests.kit.orders import CUSTOMER, ORDER, PLACED, stored
from tests.kit.transport import SandboxTransport
from tests.platforms.quickbooks import quickbooks_spec

DOCK = Address(name="Dock 2", street="2 Quay", city="Leeds", postal_code="LS1", country="GB")
BAR = Customer(contact=Contact(name="Blue Bar", email="bar@example.com"), addresses=(DOCK,))
SECRET = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "RT1-sandbox",
}
HOST = "https://books.example"
TARGET = QuickBooksTarget()


def item(identity: str, sku: str, name: str, account: str = "79") -> dict[str, Any]:
    found = {"Id": identity, "Name": name, "Type": "NonInventory", "UnitPrice": 1}
    return found | {"IncomeAccountRef": {"value": account}} | ({"Sku": sku} if sku else {})


SEED = {
    "access_token": None,
    "customers": [{"Id": "58", "DisplayName": "Blue Bar (shop-uk/c-77)"}],
    "items": [
        item("19", "COLA", "Cola 330 ml can"),
        item("20", "LEMON", "Lemonade 1 l"),
        item("21", "", "Crate deposit", account="35"),
        item("22", "SHIP", "Carriage", account="82"),
        item("23", "OFF", "Discount", account="86"),
        item("24", "TWIN", "Twin A"),
        item("25", "TWIN", "Twin B"),
        item("26", "CENT", "Rounding"),
        item("27", "BACK", "Given back"),
    ],
}
SETTINGS = {
    "token_url": f"{HOST}/oauth2/v1/tokens/bearer",
    "deposit_account": "Undeposited Funds",
    "freight_sku": "SHIP",
    "discount_sku": "OFF",
    "rounding_sku": "CENT",
    "fee_sku": "BACK",
    "deposit_sku": "Crate deposit",
    "deposit_refund_sku": "Crate deposit",
}


class Maps(orders.Maps):
    connection = "books"

    def __init__(self, **sorts):
        super().__init__(**{"tax": {"0": "0.0% Z"}, "sku": {"REFUND": "BACK"}} | sorts)


def line(sku, quantity, amount, *, factor=1, **more):
    """A line; what has a code is counted."""
    unit = ("CASE" if factor > 1 else "EACH") if sku else None
    return orders.line(sku, quantity, amount, unit=unit, factor=factor, **more)


def view(*lines, **changes):
    """An order to the dock."""
    usual = {"target": "books", "po_number": "88123", "ship_to": DOCK}
    return orders.view(*lines, **usual | changes)


def _moved(kind, model, key, amount, **more):
    status = SettlementStatus(more.pop("status", "SETTLED"))
    body = model(
        order=ORDER,
        amount=Decimal(amount),
        status=status,
        **({"currency": "GBP", "gateway": "card", "at": PLACED} | more),
    )
    return View(ref(kind, "shop-uk", key), {Part.RECORD: stored(body)})


def paid(amount, key="p-1", **more):
    """A payment of the order."""
    return _moved(Kind.PAYMENT, Payment, key, amount, **more)


def back(amount, key="r-1", lines=(), **more):
    """A refund of the order; lines as (id, quantity, amount)."""
    parts = tuple(
        RefundedLine(
            order_line_id=identity,
            quantity=quantity,
            amount=Decimal(each),
            tax=Decimal(0),
            is_restocked=True,
        )
        for identity, quantity, each in lines
    )
    return _moved(Kind.REFUND, Refund, key, amount, lines=parts, **more)


def customer(body, key="c-77"):
    """A customer as the runtime shows it."""
    return View(ref(Kind.CUSTOMER, "shop-uk", key), {Part.RECORD: stored(body)})


class Bench:
    """A sandbox company, and the adapter at work on it."""

    def __init__(self, *, maps=None, seed=None, now=None, **settings):
        self.sandbox = make(SEED | (seed or {}))
        self.transport = SandboxTransport(self.sandbox.app)
        self.desk = SandboxTransport(self.sandbox.app)
        self.base = f"{HOST}/v3/company/9130350000000001"
        self.connection = Connection(
            name="books",
            platform="quickbooks",
            base_url=self.base,
            start_at=datetime(2026, 1, 1, tzinfo=UTC),
            settings={k: v for k, v in (SETTINGS | settings).items() if v is not None},
        )
        self.maps = maps or Maps()
        self.table = MemoryTable()
        self.now = now or (lambda: datetime.now(UTC))
        self.ids = {CUSTOMER: "Customer:58"}

    def plain(self, transport=None):
        auth = TARGET.auth(SECRET, self.connection)
        auth.share(self.table, "books", self.now)
        return VendorClient(
            platform="quickbooks",
            base_url=self.base,
            auth=auth,
            errors=TARGET.errors,
            timeout=timedelta(seconds=25),
            transport=transport or self.transport,
        )

    def client(self):
        return TARGET.client(self.plain(), self.connection)

    @property
    def situation(self):
        return Situation(self.connection, self.maps, self.ids, Decimal("0.05"))

    def desired(self, shown):
        return TARGET.entities[shown.ref.kind].desired(shown, self.situation)

    def export(self, shown, reference=None):
        """What the runtime does: find or create, then update. Gives the external id."""
        entity, vendor = TARGET.entities[shown.ref.kind], self.client()
        payload = self.desired(shown)
        if payload is None:
            return None
        reference = reference or shown.ref.key
        found = entity.find(vendor, reference, payload)
        external_id = found or entity.create(vendor, reference, payload)
        self.ids[shown.ref] = external_id
        entity.update(vendor, external_id, payload)
        return external_id

    def export_child(self, child, order):
        """The same for a document of an order."""
        return self.export(View(child.ref, child.parts, (), order))

    def cancel(self, external_id, kind=Kind.ORDER):
        TARGET.entities[kind].cancel(self.client(), external_id)

    # -- what people see and do there ------------------------------------------------------------

    def get(self, external_id):
        entity, identity = external_id.split(":")
        path = f"/{entity.lower()}/{identity}?minorversion=75"
        return self.plain(self.desk).get(path).data[entity]

    def write(self, entity, body, **params):
        query = "&".join(f"{k}={v}" for k, v in ({"minorversion": "75"} | params).items())
        path = f"/{entity.lower()}?{query}"
        return self.plain(self.desk).request("POST", path, json=body, writes=True).data[entity]

    def edit(self, external_id, **changes):
        """A person changes a record."""
        entity, identity = external_id.split(":")
        token = self.get(external_id)["SyncToken"]
        body = {"Id": identity, "SyncToken": token, "sparse": True} | changes
        return self.write(entity, body)

    def remove(self, external_id, **how):
        """A person deletes or voids a record."""
        entity, identity = external_id.split(":")
        token = self.get(external_id)["SyncToken"]
        body = {"Id": identity, "SyncToken": token}
        return self.write(entity, body, **(how or {"operation": "delete"}))

    def writes(self):
        """Requests that write, those for tokens left out; each is one the vendor's spec allows."""
        sent = [one for one in self.transport.requests if one.method == "POST"]
        if quickbooks_spec.SPEC.is_dir():
            for one in sent:
                quickbooks_spec.validate(one)
        return [one for one in sent if "/oauth2/" not in one.url.path]
