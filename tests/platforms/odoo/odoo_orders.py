"""Canonical orders for Odoo, and a client onto a sandbox that holds what they sell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import (
    AssessedLine,
    DocumentLine,
    LineType,
    OrderAssessment,
    OrderClass,
    OrderRequest,
    TaxShare,
    Totals,
)
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Quantity, Unit
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.settings import Connection
from platforms.odoo.sandbox import make
from platforms.odoo.target import OdooTarget
from tests.kit.transport import SandboxTransport

CUSTOMER = ref(Kind.CUSTOMER, "shop-uk", "c-77")
ORDER = ref(Kind.ORDER, "shop-uk", "5501")
PLACED = datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)
DOCK = Address(name="Dock 2", street="2 Quay", city="Cork", postal_code="T12", country="IE")
SECRET = {"api_key": "sandbox-key", "login": "bot@example.com"}
TARGET = OdooTarget()
CENT = Decimal("0.01")

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


class Maps:
    """Id maps in a dict."""

    def __init__(self, **sorts):
        self.sorts = sorts

    def get(self, sort, value):
        return self.sorts.get(sort, {}).get(value)

    def cause(self, sort, value):
        return f"MAP#erp#{sort}/{value}"


def connection(**settings):
    return Connection(
        name="erp",
        platform="odoo",
        base_url="https://erp.example",
        start_at=datetime(2026, 1, 1, tzinfo=UTC),
        settings={"database": "main", "confirm": "on_placed", "freight_sku": "SHIP"} | settings,
    )


def line(sku, quantity, amount, *, rates=("0.2",), unit=None, factor=1, kind="GOODS", **more):
    """A line as (request line, assessed line)."""
    identity = more.pop("id", f"l-{sku or kind}")
    counted = None
    if unit:
        base = quantity * factor
        counted = Quantity(ordered=quantity, unit=Unit(unit), factor=factor, base=base)
    asked = DocumentLine(
        id=identity,
        type=LineType(kind),
        sku=sku,
        title=more.pop("title", f"{sku or kind} title"),
        quantity=quantity,
        quantity_ordered=quantity,
        unit_price=Decimal(1),
        amount=Decimal(amount),
        taxes=tuple(TaxShare(title="VAT", rate=Decimal(r), amount=Decimal(0)) for r in rates),
        **more,
    )
    assessed = AssessedLine(
        id=identity,
        type=asked.type,
        sku=sku if counted else None,
        quantity=counted,
        amount=asked.amount,
        tax=asked.tax,
        taxes=asked.taxes,
    )
    return asked, assessed


def totals(lines, *, included):
    """Totals as a shop has them that rounds each rate once."""
    by_rate, total = {}, Decimal(0)
    for asked, _ in lines:
        signed = asked.amount * asked.type.sign
        total += signed
        for share in asked.taxes:
            by_rate[share.rate] = by_rate.get(share.rate, Decimal(0)) + signed
    tax = Decimal(0)
    for rate, base in by_rate.items():
        exact = base - base / (1 + rate) if included else base * rate
        tax += exact.quantize(CENT, ROUND_HALF_UP)
    net = total - tax if included else total
    return Totals(net=net, tax=tax, gross=net + tax)


def view(*lines, included=False, currency="EUR", state="CONFIRMED", total=None, **request):
    """An order as the runtime shows it to an adapter."""
    sums = total or totals(lines, included=included)
    asked = OrderRequest(
        currency=currency,
        tax_included=included,
        lines=tuple(asked for asked, _ in lines),
        totals=sums,
        number="#5501",
        placed_at=PLACED,
        changed_at=PLACED,
        shop_currency=currency,
        presentment_currency=currency,
        presentment_gross=sums.gross,
        customer=CUSTOMER,
        **({"po_number": "PO 88123", "ship_to": DOCK} | request),
    )
    assessed = OrderAssessment(
        number="#5501",
        state=OrderState(state),
        order_class=OrderClass.RETAIL,
        class_reason="",
        currency=currency,
        tax_included=included,
        lines=tuple(line for _, line in lines),
        totals=sums,
        tax_point=PLACED.date(),
        placed_at=PLACED,
        targets=("erp",),
    )
    parts = {Part.REQUEST: asked, Part.ASSESSMENT: assessed}
    return View(
        ORDER, {part: StoredPart(body, "1", "f", "shop-uk") for part, body in parts.items()}
    )


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
