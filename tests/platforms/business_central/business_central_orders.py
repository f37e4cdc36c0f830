"""Canonical orders for Business Central, and a client onto a sandbox that holds what they sell."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import httpx

from fizzbridge.http.auth import client_credentials
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
from platforms.business_central.sandbox import make
from platforms.business_central.target import BusinessCentralTarget
from tests.kit.transport import SandboxTransport
from tests.platforms.business_central.business_central_spec import SPEC, validate

TENANT = "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1"
COMPANY = "7c1d0a52-93be-4f06-8a1c-2f64d1b0e5aa"
HOST = "https://erp.example"
CUSTOMER = ref(Kind.CUSTOMER, "shop-uk", "c-77")
ORDER = ref(Kind.ORDER, "shop-uk", "5501")
PLACED = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
DOCK = Address(name="Dock 2", street="2 Quay", city="Cork", postal_code="T12", country="IE")
SECRET = {
    "client_id": "5a0c6b1e-2d7f-4c38-9e41-b8d2f7a6c903",
    "client_secret": "sandbox-client-secret",
}
TARGET = BusinessCentralTarget()
CENT = Decimal("0.01")


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


class Maps:
    """Id maps in a dict."""

    def __init__(self, **sorts):
        self.sorts = sorts

    def get(self, sort, value):
        return self.sorts.get(sort, {}).get(value)

    def cause(self, sort, value):
        return f"MAP#erp#{sort}/{value}"


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


def view(*lines, included=False, currency="GBP", state="CONFIRMED", total=None, **request):
    """An order as the runtime shows it to an adapter."""
    sums = total or totals(lines, included=included)
    promised = request.pop("promised", date(2026, 11, 25))
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
        order_class=OrderClass.BULK,
        class_reason="",
        currency=currency,
        tax_included=included,
        lines=tuple(line for _, line in lines),
        totals=sums,
        tax_point=PLACED.date(),
        placed_at=PLACED,
        promised_on=promised,
        targets=("erp",),
    )
    parts = {Part.REQUEST: asked, Part.ASSESSMENT: assessed}
    return View(
        ORDER, {part: StoredPart(body, "1", "f", "shop-uk") for part, body in parts.items()}
    )


class Watched(SandboxTransport):
    """Holds every request against the vendor's tables, where they are here."""

    def handle_request(self, request):
        request.read()
        if SPEC.is_dir():
            validate(request)
        return super().handle_request(request)


class Bench:
    """A sandbox, and the adapter at work on it."""

    def __init__(self, *, maps=None, secret=SECRET, seed=None, **settings):
        client_credentials.cache_clear()
        self.sandbox = make(SEED | (seed or {}))
        self.transport = Watched(self.sandbox.app)
        self.connection = Connection(
            name="erp",
            platform="business_central",
            base_url=f"{HOST}/v2.0/{TENANT}/Production/api/v2.0",
            start_at=datetime(2026, 1, 1, tzinfo=UTC),
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
