"""A sale of a Lightspeed shop becomes ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.model.documents import ReturnState
from fizzbridge.model.entity import Kind, Part
from fizzbridge.model.order import LineType, PaymentStatus
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.lightspeed import mapping, wire
from platforms.lightspeed.webhook import LightspeedWebhook

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "lightspeed"
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
PRODUCTS = {"p1": wire.Product(id="p1", sku="COLA330-C24", name="Cola", variant_name="Cola / 24")}
VAT, CITY = (
    wire.Rate(id="r20", name="VAT", rate=Decimal("0.2")),
    wire.Rate(id="r5", name="City", rate=Decimal("0.05")),
)
RETAILER = mapping.Retailer("GBP", PRODUCTS, {"t1": VAT, "r20": VAT, "r5": CITY})
ADA = {
    "id": "c1",
    "customer_code": "Ada-1",
    "first_name": "Ada",
    "last_name": "Quill",
    "company_name": "Corner Pop Ltd",
    "email": "ada@pop.example",
    "version": 3,
    "physical_address_1": "1 Quay",
    "physical_city": "Leeds",
    "physical_postcode": "LS1",
    "physical_country_id": "GB",
}


def line(line_id="l1", quantity=2, total="26.40000", tax="5.28000", tax_id="t1", **more):
    return {
        "id": line_id,
        "product": {"id": "p1"},
        "quantity": Decimal(quantity),
        "pricing": {"price": Decimal("13.2"), "discount": 0, "total": Decimal(total)},
        "tax": {"id": tax_id, "total": Decimal(tax)},
    } | more


def told(buyer=ADA, **more):
    body = {
        "id": "s1",
        "state": "closed",
        "attributes": [],
        "created_at": "2026-11-20T09:00:00Z",
        "updated_at": "2026-11-20T09:05:00Z",
        "deleted_at": None,
        "date": "2026-11-20T09:00:00+00:00",
        "date_text": "2026-11-20T09:00:00+00:00",
        "customer_id": "c1",
        "invoice_number": "FZ-1001",
        "note": "ring twice",
        "source": {"register_id": "r1"},
        "totals": {"price": Decimal("26.4"), "tax": Decimal("5.28")},
        "line_items": [line()],
        "payments": [{"id": "pay1", "amount": Decimal("31.68"), "type": {"name": "Card"}}],
        "return": {"is_return": False},
        "_metadata": {"version": 42},
    } | more
    customer = wire.Customer.model_validate(buyer) if buyer else None
    sale = wire.Sale.model_validate(body)
    return list(mapping.sale(sale, customer, RETAILER, "shop"))


def request(**more):
    return next(one.body for one in told(**more) if one.part is Part.REQUEST)


def test_a_sale_is_kept_in_full():
    order, buyer, payment = told()
    assert (str(order.ref), order.changed, str(buyer.ref)) == (
        "Order#shop/s1",
        42,
        "Customer#shop/c1",
    )
    body = order.body
    assert (body.number, body.currency, body.tax_included) == ("FZ-1001", "GBP", False)
    assert (body.totals.net, body.totals.tax, body.totals.gross) == (
        Decimal("26.40"),
        Decimal("5.28"),
        Decimal("31.68"),
    )
    (one,) = body.lines
    assert (one.sku, one.title, one.quantity, one.amount, one.tax) == (
        "COLA330-C24",
        "Cola / 24",
        2,
        Decimal("26.40"),
        Decimal("5.28"),
    )
    assert (body.company.name, body.ship_to.city, body.payment_status) == (
        "Corner Pop Ltd",
        "Leeds",
        PaymentStatus.PAID,
    )
    assert (str(payment.ref), payment.body.amount, payment.body.gateway) == (
        "Payment#shop/pay1",
        Decimal("31.68"),
        "Card",
    )


@pytest.mark.parametrize("state", ["parked", "something_new"])
def test_a_basket_put_aside_is_no_order(state):
    assert told(state=state) == []


def test_a_voided_sale_is_cancelled():
    assert request(state="voided").cancelled_at == datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
    assert request(state="pending").cancelled_at is None


def test_a_sale_on_account_is_not_paid_before_it_is_closed():
    assert (
        request(state="pending", attributes=["onaccount"]).payment_status is PaymentStatus.PENDING
    )
    half = [{"id": "x", "amount": Decimal(10), "type": None}]
    assert request(payments=half).payment_status is PaymentStatus.PART_PAID
    assert request(payments=[]).payment_status is PaymentStatus.PENDING


@pytest.mark.parametrize("buyer", [None, ADA | {"customer_code": "WALKIN"}])
def test_whoever_walks_in_is_a_guest(buyer):
    order, owner, _ = told(buyer=buyer)
    assert str(owner.ref) == "Customer#shop/order:s1"
    assert order.body.contact.name == ""


def test_each_rate_has_its_share_of_a_lines_tax():
    parts = [
        {"rate_id": "r20", "total_tax": Decimal("5.28000")},
        {"rate_id": "r5", "total_tax": Decimal("1.32000")},
    ]
    both = line(tax="6.60000", _metadata={"tax_components": parts})
    (one,) = request(line_items=[both]).lines
    assert [(share.title, share.rate, share.amount) for share in one.taxes] == [
        ("VAT", Decimal("0.2"), Decimal("5.28")),
        ("City", Decimal("0.05"), Decimal("1.32")),
    ]


def test_a_line_without_parts_has_the_only_rate_of_its_tax():
    (one,) = request().lines
    assert [(share.rate, share.amount) for share in one.taxes] == [
        (Decimal("0.2"), Decimal("5.28"))
    ]


def test_a_rate_nobody_knows_is_left_out():
    (one,) = request(line_items=[line(tax_id="t9")]).lines
    assert (one.tax, one.taxes) == (Decimal("5.28"), ())


def test_lines_of_five_decimals_add_up_to_the_sale():
    lines = [line(f"l{n}", 1, "4.34783", "0.65217") for n in range(23)]
    sums = {"price": Decimal("100.00009"), "tax": Decimal("14.99991")}
    body = request(line_items=lines, totals=sums, payments=[])
    assert sum(one.amount for one in body.lines) == body.totals.net == Decimal("100.00")
    assert sum(one.tax for one in body.lines) == body.totals.tax == Decimal("15.00")
    assert {one.amount for one in body.lines} == {Decimal("4.34"), Decimal("4.35")}


def test_charges_surcharges_gift_cards_and_discounts():
    goods = line(gift_card_number="", pricing={"price": 12, "discount": 1, "total": 24})
    card = line("l2", 1, "10", "0", gift_card_number="GC1")
    charge = {"name": "Van", "total": Decimal(5), "total_tax": Decimal(1)}
    sums = {"price": Decimal(41), "tax": Decimal(7), "surcharge": Decimal(2)}
    body = request(line_items=[goods, card], ecom_custom_charges=[charge], totals=sums)
    first, gift, freight, extra = body.lines
    assert (first.unit_price, first.discount, first.amount) == (13, 2, 24)
    assert not gift.is_stocked
    assert (freight.type, freight.title, freight.amount, freight.tax) == (
        LineType.FREIGHT,
        "Van",
        5,
        1,
    )
    assert (extra.type, extra.amount) == (LineType.FEE, 2)


def test_a_return_gives_back_what_its_sale_sold():
    back = {
        "state": "closed",
        "return": {"is_return": True, "original_sale_id": "s0"},
        "line_items": [line(quantity=-1, total="-13.20", tax="-2.64")],
        "payments": [{"id": "pay2", "amount": Decimal("-15.84"), "type": {"name": "Card"}}],
    }
    came, given = told(**back)
    assert (came.ref.kind, str(came.parent)) == (Kind.RETURN, "Order#shop/s0")
    assert came.body.state is ReturnState.RECEIVED
    assert [(one.sku, one.quantity) for one in came.body.lines] == [("COLA330-C24", 1)]
    assert (given.ref.kind, given.body.amount) == (Kind.REFUND, Decimal("15.84"))
    assert told(**back | {"return": {"is_return": True}}) == []
    assert told(**back | {"state": "voided"})[0].body.state is ReturnState.CANCELLED


@pytest.mark.parametrize(("quantity", "code"), [("-1", "mixed"), ("0.5", "fraction")])
def test_what_no_order_of_ours_can_hold_is_for_a_person(quantity, code):
    with pytest.raises(MalformedDeliveryError) as refused:
        told(line_items=[line(quantity=quantity)])
    assert refused.value.code == code


def test_our_own_sales_do_not_come_back():
    assert told(source={"type": "fizzbridge", "id": "shop-uk/1"}) == []


# -- what is sold ----------------------------------------------------------------------------------

COLA = {
    "id": "p1",
    "sku": "COLA330-C24",
    "name": "Cola",
    "variant_name": "Cola / 24",
    "active": True,
    "has_inventory": True,
    "price_excluding_tax": Decimal("4.34783"),
    "product_codes": [{"type": "CUSTOM", "code": "COLA330-C24"}, {"type": "EAN", "code": "54"}],
    "version": 7,
}
LEVEL = {"product_id": "p1", "outlet_id": "o1", "version": 9}


def sold(**more):
    told = wire.Product.model_validate(COLA | more)
    return list(mapping.product(told, "GBP", "shop"))


def level(of=COLA, **more):
    told = wire.Level.model_validate(LEVEL | more)
    product = wire.Product.model_validate(of) if of else None
    return list(mapping.level(told, product, AT, "shop"))


def test_a_product_and_its_price_before_tax():
    shown, priced = sold()
    assert (str(shown.ref), shown.changed) == ("Product#shop/p1", 7)
    body = shown.body
    assert (body.sku, body.name, body.gtin, body.is_active) == (
        "COLA330-C24",
        "Cola / 24",
        "54",
        True,
    )
    assert (str(priced.ref), priced.changed) == ("Price#shop/p1", 7)
    price = priced.body
    assert (price.price.amount, price.price.currency) == (Decimal("4.35"), "GBP")
    assert (price.product, price.sku, price.tax_included) == (shown.ref, "COLA330-C24", False)
    assert not sold(active=False)[0].body.is_active
    assert len(sold(price_excluding_tax=None)) == 1


def test_what_has_no_code_is_not_told_and_what_is_gone_is():
    assert sold(sku=None) == []
    gone = sold(deleted_at="2026-11-20T10:00:00+00:00", version=8)
    assert [(str(one.ref), one.body, one.changed) for one in gone] == [
        ("Product#shop/p1", None, 8),
        ("Price#shop/p1", None, 8),
    ]


@pytest.mark.parametrize(("said", "pieces"), [("21", 21), ("2.5", 2), ("-0.5", -1), (None, 0)])
def test_an_outlet_offers_whole_pieces(said, pieces):
    (one,) = level(current_inventory_level=said)
    assert (str(one.ref), one.changed) == ("StockLevel#shop/p1:o1", 9)
    body = one.body
    assert (body.sku, body.location, body.on_hand, body.as_of) == ("COLA330-C24", "o1", pieces, AT)
    assert (one.refetch.what, one.refetch.external_id) == ("stock", "p1")


def test_what_is_not_counted_has_no_stock_and_what_is_gone_neither():
    assert level(of=COLA | {"has_inventory": False}) == level(of=COLA | {"sku": ""}) == []
    for one in (*level(of=None), *level(of=COLA | {"deleted_at": "2026-11-20T10:00:00Z"})):
        assert (str(one.ref), one.body, one.changed) == ("StockLevel#shop/p1:o1", None, 9)


# -- the proof of a delivery -----------------------------------------------------------------------

# Made by another hand: which bytes are signed, and how it is written, is not told by the vendor.
SECRET = "ls_demo_client_secret_01"
PAYLOAD = (
    '{"id":"f3b1c2d4-0000-4000-8000-0000000000a1","invoice_number":"FZ-1001","status":"CLOSED"}'
)
FORM = {
    "payload": PAYLOAD,
    "retailer_id": "f3b1c2d4-0000-4000-8000-0000000000ff",
    "type": "sale.update",
    "domain_prefix": "fizzdemo",
    "environment": "prod",
}
BODY = urlencode(FORM).encode()
HEXADECIMAL = "0b8fc8cc3e7d4d1ef612235a98ea5e63fbcb5099f9bbc5e79c564716d374d05c"


def verify(proof, body=BODY, algorithm="HMAC-SHA256", comma=","):
    headers = {"x-signature": f"signature={proof}{comma}algorithm={algorithm}"}
    LightspeedWebhook.signature.verify(Delivery(headers, body, AT), ("newest", SECRET), AT)


@pytest.mark.parametrize(
    "proof",
    [
        HEXADECIMAL,
        HEXADECIMAL.upper(),
        "C4/IzD59TR72EiNamOpeY/vLUJn5u8XnnFZHFtN00Fw=",
        "c8a74e2e4d1dd2b3151680f2af90ff5205ee8be68a767890af44e2923b12762a",
    ],
    ids=["hex", "capitals", "base64", "payload"],
)
def test_every_reading_of_the_scheme_is_taken(proof):
    assert len(BODY) == 242
    verify(proof)
    verify(proof, comma=", ")


def test_anything_else_is_refused():
    for spoiled in (HEXADECIMAL[:-1], HEXADECIMAL[::-1], ""):
        with pytest.raises(VerificationError):
            verify(spoiled)
    with pytest.raises(VerificationError):
        verify(HEXADECIMAL, algorithm="HMAC-MD5")
    with pytest.raises(VerificationError):
        verify(HEXADECIMAL, body=BODY + b"&x=1")
    empty = hmac.digest(SECRET.encode(), b"", hashlib.sha256)
    with pytest.raises(VerificationError):
        verify(base64.b64encode(empty).decode(), body=b"")


def test_a_sale_is_known_by_its_look_where_nobody_says_what_it_is():
    webhook = LightspeedWebhook()
    look = urlencode({"payload": '{"id":"s1","register_sale_products":[]}'}).encode()
    assert webhook.topic(Delivery({}, look, AT)) == "sale.update"
    with pytest.raises(MalformedDeliveryError):
        webhook.topic(Delivery({}, urlencode({"payload": "{}"}).encode(), AT))
    assert webhook.content(Delivery({}, BODY, AT))["invoice_number"] == "FZ-1001"
    with pytest.raises(MalformedDeliveryError):
        webhook.content(Delivery({}, b"payload=no", AT))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_the_vendors_own_payload_and_customers():
    webhook = LightspeedWebhook()
    payload = (SAMPLES / "x_register_sale_cash_single.json").read_text()
    delivery = Delivery({}, urlencode({"payload": payload}).encode(), AT)
    assert webhook.topic(delivery) == "sale.update"
    assert read(webhook, delivery, "shop") == [Hint("sale", json.loads(payload)["id"])]
    rows = json.loads((SAMPLES / "x_api20_customers_list.json").read_text())["data"]
    for row in rows:
        assert list(mapping.customer(wire.Customer.model_validate(row), "shop"))
