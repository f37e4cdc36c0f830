"""The sandbox store keeps the vendor's habits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from tests.platforms.woocommerce.woo_store import Shop

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SECRET = "sandboxwebhooksecret0123456789ab"


def listening(**seed) -> Shop:
    return Shop(webhook_uri="https://hooks.example/shop", **seed)


def topics(shop: Shop) -> list[str]:
    return [one.topic for one in shop.sandbox.outbox.deliveries]


def test_the_vendors_own_signature():
    body = b'{"id":727,"status":"processing","total":"118.80"}'
    shop = listening(webhook_secret="woo-secret-&-42")
    shop.place()
    sent = shop.sandbox.outbox.deliveries[0]
    proof = hmac.digest(b"woo-secret-&-42", sent.body, hashlib.sha256)
    assert sent.headers["X-WC-Webhook-Signature"] == base64.b64encode(proof).decode()
    vector = hmac.digest(b"woo-secret-&-42", body, hashlib.sha256)
    assert base64.b64encode(vector) == b"GwJP4aF9lw3Vo7FL5oVWY4kSPix6u+i3tiyBU1kFrqw="


def test_a_checkout_fires_updated_before_created():
    shop = listening()
    shop.place()
    assert topics(shop) == ["order.updated", "order.created"]


def test_a_draft_is_never_created():
    shop = listening()
    shop.place(status="checkout-draft")
    assert topics(shop) == ["order.updated"]


def test_the_bin_names_the_order_and_erasing_says_nothing():
    shop = listening()
    order = shop.place()
    shop.store.trash(order["id"])
    assert json.loads(shop.sandbox.outbox.deliveries[-1].body) == {"id": order["id"]}
    before = len(topics(shop))
    shop.store.trash(order["id"], is_forced=True)
    assert len(topics(shop)) == before


def test_orders_of_one_second_share_a_delivery_id():
    shop = listening()
    shop.place()
    shop.place()
    created = [one for one in shop.sandbox.outbox.deliveries if one.topic == "order.created"]
    ids = {one.headers["X-WC-Webhook-Delivery-ID"] for one in created}
    assert (len(created), len(ids)) == (2, 1)


def test_a_webhook_switches_itself_off_after_six_failures_and_never_sends_again():
    shop = listening()
    shop.sandbox.outbox.post = lambda delivery: 500
    for _ in range(6):
        shop.place()
    created = [one for one in shop.sandbox.outbox.deliveries if one.topic == "order.created"]
    assert shop.sandbox.outbox.send([one.id for one in created]) == [500] * 6
    states = {one["topic"]: one["status"] for one in shop.http.get("/webhooks").json()}
    assert (states["order.created"], states["order.updated"]) == ("disabled", "active")
    shop.place()
    assert [one.topic for one in shop.sandbox.outbox.deliveries][-1] == "order.updated"


def test_the_ping_is_sent_within_the_call_and_its_answer_changes_nothing():
    shop = Shop()
    pings = []

    def refuse(delivery):
        pings.append((delivery.uri, delivery.body, sorted(delivery.headers)))
        return 500

    shop.sandbox.outbox.post = refuse
    given = {"topic": "order.created", "delivery_url": "https://hooks.example/x", "secret": SECRET}
    answer = shop.http.post("/webhooks", json=given | {"status": "paused"})
    assert (answer.status_code, answer.json()["status"]) == (201, "active")
    assert "secret" not in answer.json()
    assert pings == [("https://hooks.example/x", b"webhook_id=1", ["Content-Type"])]
    shop.http.put("/webhooks/1", json={"status": "active"})
    assert len(pings) == 2
    shop.http.put("/webhooks/1", json={"name": "x"})
    assert len(pings) == 2


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (("GET", "/orders/1"), 404, "woocommerce_rest_shop_order_invalid_id"),
        (("GET", "/orders/1/refunds"), 404, "woocommerce_rest_invalid_order_id"),
        (("GET", "/customers/1"), 404, "woocommerce_rest_invalid_id"),
        (("GET", "/orders?per_page=101"), 400, "rest_invalid_param"),
        (("GET", "/orders?page=0"), 400, "rest_invalid_param"),
        (("GET", "/orders?orderby=total"), 400, "rest_invalid_param"),
        (("GET", "/orders?status=all"), 400, "rest_invalid_param"),
        (("GET", "/orders?modified_after=yesterday"), 400, "rest_invalid_param"),
        (("DELETE", "/webhooks/1"), 501, "woocommerce_rest_trash_not_supported"),
        (("DELETE", "/webhooks/1?force=true"), 404, "woocommerce_rest_shop_webhook_invalid_id"),
        (("PUT", "/webhooks/1"), 404, "woocommerce_rest_shop_webhook_invalid_id"),
    ],
)
def test_wrong_requests_are_refused_in_the_vendors_words(call, status, code):
    answer = Shop().http.request(*call)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["data"]["status"] == status


@pytest.mark.parametrize(
    "given",
    [
        {"topic": "order.forgotten", "delivery_url": "https://x.example"},
        {"topic": "order.created", "delivery_url": "x.example"},
        {},
    ],
)
def test_a_webhook_of_nothing_is_refused(given):
    answer = Shop().http.post("/webhooks", json=given)
    assert answer.status_code == 400
    assert answer.json()["code"].startswith("woocommerce_rest_shop_webhook_invalid_")


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "woocommerce_rest_cannot_view"),
        (("ck_x", "cs_sandbox"), "woocommerce_rest_cannot_view"),
        (("ck_sandbox", "cs_x"), "woocommerce_rest_authentication_error"),
    ],
)
def test_who_may_not_look_is_told(auth, code):
    shop = Shop()
    shop.http.auth = auth
    answer = shop.http.get("/orders")
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_key_that_reads_may_not_write():
    shop = Shop(keys=[{"key": "ck_sandbox", "secret": "cs_sandbox", "permissions": "read"}])
    assert shop.http.get("/webhooks").status_code == 200
    assert shop.http.post("/webhooks", json={}).status_code == 401


def test_bounds_leave_their_own_second_out_and_know_zones():
    shop = Shop(time_offset="+01:00")
    shop.place()

    def count(**query):
        return len(shop.http.get("/orders", params=query).json())

    gmt = {"dates_are_gmt": "true"}
    assert count(modified_after="2026-11-20T09:59:59", **gmt) == 1
    assert count(modified_after="2026-11-20T10:00:00", **gmt) == 0
    assert count(modified_after="2026-11-20T09:59:59Z") == 1
    assert count(modified_after="2026-11-20T10:59:59") == 1, "the store's own time"
    assert count(modified_before="2026-11-20T10:00:00", **gmt) == 0
    assert count(modified_before="2026-11-20T10:00:01", **gmt) == 1


def test_the_bin_is_in_no_list_and_answers_by_number():
    shop = Shop()
    order = shop.place()
    shop.store.trash(order["id"])
    assert shop.http.get("/orders?status=any").json() == []
    assert shop.http.get(f"/orders/{order['id']}").json()["status"] == "trash"


def test_a_page_past_the_end_is_empty():
    shop = Shop()
    shop.place()
    answer = shop.http.get("/orders?page=5")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["x-wp-total"] == "1"


def test_tax_inside_a_price_is_taken_out_line_by_line():
    shop = Shop(tax_rate=19)
    lines = [{"sku": "X", "name": "Elder", "quantity": 3, "price": "13.50"}]
    order = shop.store.place({"lines": lines, "prices_include_tax": True})
    (line,) = order["line_items"]
    assert (line["total"], line["total_tax"], order["total"]) == ("34.03", "6.47", "40.50")


def test_a_deposit_without_tax_and_a_negative_fee():
    fees = [
        {"name": "Deposit", "total": "3.60", "tax_status": "none"},
        {"name": "Loyal", "total": "-5.00"},
    ]
    order = Shop(tax_rate=19).store.place({"lines": [], "fees": fees})
    assert [fee["total_tax"] for fee in order["fee_lines"]] == ["0.00", "-0.95"]


def test_the_control_routes_drive_the_store():
    shop = listening()
    http = shop.http
    http.base_url = "https://store.example"
    made = http.post("/_sandbox/orders", json={"lines": [{"sku": "COLA-24", "quantity": 2}]})
    number = made.json()["order"]["id"]
    assert made.status_code == 201
    for action in ("update", "cancel", "trash", "restore"):
        assert http.post(f"/_sandbox/orders/{number}/{action}", json={}).status_code == 200
    assert http.post(f"/_sandbox/orders/{number}/explode", json={}).status_code == 404
    assert http.post("/_sandbox/orders", json={"wrong": 1}).status_code == 422
    assert http.post("/_sandbox/orders/1/cancel", json={}).status_code == 422
    http.put("/_sandbox/webhook_uri", json={"uri": "https://other.example"})
    shop.place()
    assert shop.sandbox.outbox.deliveries[-1].uri == "https://other.example"


@pytest.mark.skipif(not VENDOR.is_dir(), reason="the vendor's fields are not on this machine")
def test_an_order_has_the_vendors_fields_and_no_others():
    sample = VENDOR / "samples" / "woocommerce" / "seen_order_create_response.json"
    theirs = json.loads(sample.read_text())
    theirs = theirs.get("body", theirs)
    ours = Shop().place()
    assert set(ours) <= set(theirs) | {"customer_ip_address"}
    missing = set(theirs) - set(ours)
    assert missing <= {
        "_links",
        "is_editable",
        "needs_payment",
        "needs_processing",
        "currency_symbol",
        "payment_url",
    }
