"""What is told of an entity, from the state alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import jsonschema
import pytest

from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.catalogue import Product, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Payment,
    SettlementStatus,
    Shipment,
    ShipmentState,
)
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.party import Contact
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.settings import Connection
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import StandardWebhooks
from platforms.standard.posting import Signed
from platforms.standard.target import StandardTarget
from tests.kit.orders import CUSTOMER, ORDER, PLACED, Maps, line, view

SCHEMAS = Path(__file__).parents[3] / "events" / "schemas"
TARGET = StandardTarget()
CONNECTION = Connection(
    name="own", platform="standard", base_url="https://own.example", start_at=PLACED
)
SITUATION = Situation(CONNECTION, Maps())
PRODUCT = ref(Kind.PRODUCT, "pim", "cola-330")


ASSESSED = "2026-11-20T09:00:02.000900Z"


def part(body, version="t2026-11-20T09:00:00.000000Z", at="2026-11-20T09:00:01.000000Z"):
    return StoredPart(body, version, body.fingerprint(), "erp", observed_at=at)


def order(**request):
    """An order, assessed a second after it was told."""
    shown = view(line("COLA", 2, "26.40", unit="CASE", factor=24), **request)
    asked, assessed = (shown.body(one, object) for one in (Part.REQUEST, Part.ASSESSMENT))
    parts = {Part.REQUEST: part(asked), Part.ASSESSMENT: part(assessed, at=ASSESSED)}
    return replace(shown, parts=parts)


def record(of, body, parent=None, at=ASSESSED, **assessed):
    found = RecordAssessment(content=body.fingerprint(), **assessed)
    parts = {Part.RECORD: part(body), Part.ASSESSMENT: part(found, at=at)}
    return View(of, parts, parent=parent)


def desired(shown):
    return TARGET.entities[shown.ref.kind].desired(shown, SITUATION)


def schema(name):
    return json.loads((SCHEMAS / f"{name}.v1.json").read_text())


def test_an_order_is_told_whole_with_what_we_make_of_it():
    state = desired(order())
    assert (state.type, state.kind, state.key) == ("OrderChanged", Kind.ORDER, ORDER.key)
    assert (state.revision, state.observed_at) == (
        1795165202000,
        "2026-11-20T09:00:01.000000Z",
    )
    assert state.record["customer"] == CUSTOMER.key
    assert state.processing is None
    jsonschema.validate(state.record, schema("records/OrderRequest"))
    jsonschema.validate(state.assessment, schema("parts/OrderAssessment"))


def test_what_became_of_an_order_is_told_with_it():
    number = OrderProcessing(number="SO-9", state=OrderState.CONFIRMED, changed_at=PLACED)
    shown = order()
    told = part(number, at="2026-11-20T10:00:00.000000Z")
    state = desired(replace(shown, parts=dict(shown.parts) | {Part.PROCESSING: told}))
    assert state.processing["number"] == "SO-9"
    assert state.observed_at == "2026-11-20T10:00:00.000000Z"
    jsonschema.validate(state.processing, schema("records/OrderProcessing"))


def test_a_document_names_the_order_by_our_key():
    erps = ref(Kind.ORDER, "erp", "SO-9")
    body = Shipment(order=erps, number="S-1", state=ShipmentState.DISPATCHED, lines=())
    shown = record(ref(Kind.SHIPMENT, "erp", "s1"), body, order(), state="DISPATCHED", order=ORDER)
    state = desired(shown)
    assert (state.type, state.record["order"]) == ("ShipmentDispatched", ORDER.key)
    assert TARGET.entities[Kind.SHIPMENT].requires(shown) == [ORDER]
    jsonschema.validate(state.record, schema("records/Shipment"))
    jsonschema.validate(state.assessment, schema("parts/RecordAssessment"))


@pytest.mark.parametrize("state", [ShipmentState.PLANNED, ShipmentState.CANCELLED])
def test_what_has_not_happened_is_not_told(state):
    body = Shipment(order=ORDER, number="S-1", state=state, lines=())
    shown = record(ref(Kind.SHIPMENT, "erp", "s1"), body, order(), state=state, order=ORDER)
    assert desired(shown) is None


def test_money_and_bills_are_told_by_what_they_came_to():
    paid = Payment(
        order=ORDER, amount=Decimal(5), currency="GBP", at=PLACED, status=SettlementStatus.SETTLED
    )
    shown = record(ref(Kind.PAYMENT, "shop-uk", "p1"), paid, order(), state="SETTLED")
    assert desired(shown).type == "PaymentReceived"
    asked = order().request
    shared = {name: getattr(asked, name) for name in ("currency", "tax_included", "totals")}
    bill = Invoice(order=ORDER, number="I-1", state=InvoiceState.VOIDED, lines=(), **shared)
    state = desired(record(ref(Kind.INVOICE, "erp", "i1"), bill, order(), state="VOIDED"))
    assert state.type == "InvoiceVoided"
    jsonschema.validate(state.record, schema("records/Invoice"))


def test_what_may_be_offered_goes_with_a_stock_level():
    level = StockLevel(product=PRODUCT, location="MAIN", on_hand=480, reserved=24, as_of=PLACED)
    state = desired(record(ref(Kind.STOCK_LEVEL, "erp", "cola@MAIN"), level, available=432))
    assert state.type == "StockLevelChanged"
    assert (state.record["product"], state.record["on_hand"]) == (PRODUCT.key, 480)
    assert state.assessment["available"] == 432
    jsonschema.validate(state.record, schema("records/StockLevel"))


def test_a_customer_an_order_brought_is_told_before_it_is_assessed():
    body = Customer(contact=Contact(name="Ada Quill"))
    state = desired(View(CUSTOMER, {Part.RECORD: part(body, version="")}))
    assert (state.type, state.assessment) == ("CustomerChanged", None)
    assert state.revision == 1795165201000
    assert TARGET.entities[Kind.ORDER].requires(order()) == [CUSTOMER]


def test_the_same_told_again_is_the_same_and_what_comes_back_is_not():
    sold = Product(sku="COLA330", name="Cola")
    first = record(PRODUCT, sold)
    stored = replace(first.parts[Part.RECORD], version="t2", observed_at="2026-11-21")
    again = replace(first, parts=dict(first.parts) | {Part.RECORD: stored})
    assert desired(first).fingerprint() == desired(again).fingerprint()
    # Off and on again is as before, and news all the same.
    assert (
        desired(record(PRODUCT, sold, at="2026-11-21T09:00:00.000000Z")).fingerprint()
        != desired(first).fingerprint()
    )


def test_every_active_secret_signs():
    secrets = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    auth = TARGET.auth({"post_secret": " ".join(secrets), "token": "t"}, CONNECTION)
    assert isinstance(auth, Signed)
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    auth.clock = lambda: at
    asked = httpx.Request(
        "POST", "https://own.example/x", content=b"{}", headers={"webhook-id": "msg_1"}
    )
    sent = next(auth.auth_flow(asked))
    delivery = Delivery(dict(sent.headers), b"{}", at)
    for one in secrets:
        StandardWebhooks().verify(delivery, [one], at)
    assert len(sent.headers["webhook-signature"].split(" ")) == len(secrets)
