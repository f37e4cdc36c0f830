"""Canonical orders for Xero, and a client onto a sandbox that sells what they name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Payment, Refund, RefundedLine, SettlementStatus
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
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Quantity, Unit
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.tokens import RotatingToken
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.settings import Connection
from fizzbridge.state.memory import MemoryTable
from platforms.xero.sandbox import make
from platforms.xero.target import XeroTarget
from tests.kit.transport import SandboxTransport

TENANT = "7d2f0c1e-54a1-4c57-9a59-4a3b8f1f0a01"
CUSTOMER = ref(Kind.CUSTOMER, "shop-uk", "c-77")
ORDER = ref(Kind.ORDER, "shop-uk", "5501")
PAYMENT = ref(Kind.PAYMENT, "shop-uk", "ch_77")
REFUND = ref(Kind.REFUND, "shop-uk", "r-55")
PLACED = datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)
WEB = {
    "client_id": "SANDBOX-WEB-APP",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}
CUSTOM = {"client_id": "SANDBOX-CUSTOM", "client_secret": "sandbox-custom-secret"}
TARGET = XeroTarget()
CENT = Decimal("0.01")
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


class Maps:
    """Id maps in a dict."""

    def __init__(self, **sorts):
        self.sorts = sorts

    def get(self, sort, value):
        return self.sorts.get(sort, {}).get(value)

    def cause(self, sort, value):
        return f"MAP#books#{sort}/{value}"


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


def line(sku, quantity, amount, *, rates=("0.2",), unit=None, factor=1, kind="GOODS", **more):
    """A line as (request line, assessed line)."""
    identity = more.pop("id", f"l-{sku or kind}")
    scheme = more.pop("scheme", "")
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
        quantity_ordered=more.pop("ordered", quantity),
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
        scheme=scheme,
    )
    return asked, assessed


def totals(lines, *, included):
    """Totals as a shop has them that rounds each rate once."""
    by_rate, total = {}, Decimal(0)
    for asked, _ in lines:
        signed = asked.amount * asked.type.sign
        total += signed
        rate = sum((share.rate for share in asked.taxes), Decimal(0))
        by_rate[rate] = by_rate.get(rate, Decimal(0)) + signed
    tax = Decimal(0)
    for rate, base in by_rate.items():
        exact = base - base / (1 + rate) if included else base * rate
        tax += exact.quantize(CENT, ROUND_HALF_UP)
    net = total - tax if included else total
    return Totals(net=net, tax=tax, gross=net + tax)


def view(*lines, included=False, currency="GBP", state="CONFIRMED", total=None, **request):
    """An order as the runtime shows it to an adapter; ``children`` are its documents."""
    sums = total or totals(lines, included=included)
    children = request.pop("children", ())
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
        **({"po_number": "PO 88123"} | request),
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
        targets=("books",),
    )
    parts = {Part.REQUEST: asked, Part.ASSESSMENT: assessed}
    return View(ORDER, {part: stored(body) for part, body in parts.items()}, tuple(children))


def stored(body):
    return StoredPart(body, "1", "f", "shop-uk")


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
