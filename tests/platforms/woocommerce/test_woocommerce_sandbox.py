"""The sandbox store keeps the vendor's habits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import httpx
import pytest

from tests.platforms.woocommerce.woo_store import Shop

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
API = Path(__file__).parents[3] / "events" / "woocommerce" / "api"
EXCHANGES = sorted(API.glob("*.json"))
TONIC = [
    {"sku": "TONIC", "name": "Tonic", "id": 60},
    {
        "sku": "TONIC-6",
        "name": "Tonic - 6",
        "price": "7.99",
        "id": 61,
        "parent_id": 60,
        "stock": 20,
    },
]
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
    for action in ("update", "cancel", "delete", "restore"):
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


def stocked() -> Shop:
    """A shop that counts its tonic."""
    return listening(products=TONIC)


def tonic(quantity: int) -> dict:
    return {"lines": [{"sku": "TONIC-6", "quantity": quantity}]}


def test_a_paid_order_takes_stock_an_edit_moves_it_and_a_cancelled_one_gives_it_back():
    shop = stocked()
    order = shop.store.place(tonic(3))
    assert topics(shop) == ["order.updated", "order.created", "product.updated"]
    told = json.loads(shop.sandbox.outbox.deliveries[-1].body)
    assert (told["id"], told["type"], told["stock_quantity"]) == (61, "variation", 17)
    shop.store.update(order["id"], {"quantities": {"TONIC-6": 5}})
    assert shop.http.get("/products/61").json()["stock_quantity"] == 15
    shop.store.update(order["id"], {"status": "processing"})
    assert shop.http.get("/products/61").json()["stock_quantity"] == 15, "taken once"
    shop.store.update(order["id"], {"status": "cancelled"})
    assert shop.http.get("/products/61").json()["stock_quantity"] == 20
    assert topics(shop)[-2:] == ["order.updated", "product.updated"]


def test_an_unpaid_order_takes_no_stock():
    shop = stocked()
    shop.store.place(tonic(3) | {"status": "pending"})
    assert topics(shop) == ["order.updated", "order.created"]


def test_more_than_there_is_leaves_less_than_nothing():
    shop = stocked()
    shop.store.place(tonic(50))
    product = shop.http.get("/products/61").json()
    assert (product["stock_quantity"], product["stock_status"]) == (-30, "outofstock")


def test_a_variation_is_listed_below_its_parent_or_by_sku_and_moves_the_parents_date():
    shop = stocked()

    def ids(path):
        return [one["id"] for one in shop.http.get(path).json()]

    since = "modified_after=2026-11-20T00:00:00Z"
    assert (ids("/products"), ids("/products?sku=tonic-6")) == ([60], [61])
    assert ids("/products/60/variations") == [61]
    assert ids(f"/products?{since}") == []
    shop.store.change_product(61, {"stock": 20})
    assert topics(shop) == ["product.updated"], "even the same value"
    assert (ids(f"/products?{since}"), ids(f"/products/60/variations?{since}")) == ([60], [61])


def test_customers_are_found_by_mail_and_take_a_bound_in_silence():
    shop = listening()
    shop.place(customer={"email": "ada@shop.example"})
    shop.place(customer={"email": "bo@shop.example"})
    found = shop.http.get("/customers?email=bo@shop.example&role=all").json()
    assert [one["email"] for one in found] == ["bo@shop.example"]
    assert len(shop.http.get("/customers?modified_after=2030-01-01T00:00:00").json()) == 2
    assert shop.http.get("/customers?modified_after=yesterday").status_code == 200
    shop.store.delete_customer(found[0]["id"])
    assert topics(shop)[-1] == "customer.deleted"
    assert json.loads(shop.sandbox.outbox.deliveries[-1].body) == {"id": found[0]["id"]}


def pages(shop: Shop, sort: str) -> list[list[int]]:
    asked = {"orderby": sort, "order": "asc", "per_page": 3}
    answers = [shop.http.get("/orders", params=asked | {"page": n}).json() for n in range(1, 5)]
    return [[order["id"] - shop.sandbox.seed["first_id"] for order in page] for page in answers]


def test_pages_by_date_lose_rows_of_one_second_and_pages_by_id_do_not():
    """As seen on a running store: ten orders of one second."""
    shop = Shop(products=[])
    for _ in range(10):
        shop.store.place({"lines": []})
    assert pages(shop, "modified") == [[0, 1, 2], [3, 4, 5], [3, 2, 1], [9]]
    assert pages(shop, "id") == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_links_lead_through_the_pages_and_repeat_keys_of_the_query():
    shop = Shop()
    for _ in range(3):
        shop.place()
        shop.tick()
    shop.http.auth = None
    keys = "consumer_key=ck_sandbox&consumer_secret=cs_sandbox"
    first = shop.http.get(f"/orders?per_page=1&{keys}")
    assert set(first.links) == {"next"}
    middle = shop.http.get(first.links["next"]["url"])
    assert "consumer_secret=cs_sandbox" in middle.links["next"]["url"]
    assert set(middle.links) == {"prev", "next"}
    assert set(shop.http.get(middle.links["next"]["url"]).links) == {"prev"}
    assert first.json()[0]["id"] > middle.json()[0]["id"]
    skipped = shop.http.get(f"/orders?per_page=1&offset=1&{keys}")
    assert skipped.json() == middle.json()


def test_orders_are_found_by_who_made_them_and_when():
    shop = Shop()
    shop.place()
    shop.tick()
    ours = shop.place(created_via="fizzbridge")
    after = "after=2026-11-20T10:00:00&dates_are_gmt=true"
    for query in ("created_via=fizzbridge", after):
        assert [one["id"] for one in shop.http.get(f"/orders?{query}").json()] == [ours["id"]]
    before = shop.http.get("/orders?before=2026-11-20T10:00:01Z").json()
    assert ours["id"] not in [one["id"] for one in before]
    assert len(before) == 1


def test_a_webhook_switched_on_again_forgets_no_failure_until_one_is_taken():
    shop = listening()
    answers = [500] * 7 + [302, 500]
    shop.sandbox.outbox.post = lambda delivery: answers.pop(0)
    number = next(n for n, one in shop.sandbox.webhooks.items() if one["topic"] == "order.created")
    webhook = shop.sandbox.webhooks[number]

    def send() -> str:
        shop.place()
        shop.sandbox.outbox.send(
            [one.id for one in shop.sandbox.outbox.deliveries if one.topic == "order.created"][-1:]
        )
        return webhook["status"]

    assert [send() for _ in range(6)] == ["active"] * 5 + ["disabled"]
    webhook["status"] = "active"
    assert send() == "disabled"
    webhook["status"] = "active"
    assert [send(), send()] == ["active", "active"], "302 counts as taken"


def test_a_webhook_gets_a_number_nobody_had_and_an_unreachable_ping_changes_nothing():
    shop = Shop()

    def unreachable(delivery):
        raise httpx.ConnectError("nobody there")

    shop.sandbox.outbox.post = unreachable
    given = {"topic": "order.created", "delivery_url": "https://hooks.example/x", "secret": SECRET}
    assert [shop.http.post("/webhooks", json=given).status_code for _ in range(2)] == [201, 201]
    shop.http.delete("/webhooks/1?force=true")
    assert shop.http.post("/webhooks", json=given).json()["id"] == 3
    assert [one["id"] for one in shop.http.get("/webhooks?orderby=id&order=asc").json()] == [2, 3]
    assert shop.http.get("/webhooks/1").status_code == 404


def test_who_lost_their_rights_sends_an_error_for_a_body():
    shop = listening()
    order = shop.place()
    shop.http.base_url = "https://store.example"
    shop.http.put("/_sandbox/webhook_user", json={"demoted": True})
    shop.store.update(order["id"], {})
    sent = shop.sandbox.outbox.deliveries[-1]
    assert set(json.loads(sent.body)) == {"code", "message", "data"}
    proof = hmac.digest(SECRET.encode(), sent.body, hashlib.sha256)
    assert sent.headers["X-WC-Webhook-Signature"] == base64.b64encode(proof).decode()


def test_refunds_may_not_exceed_the_order_and_all_of_it_is_refunded():
    shop = Shop()
    order = shop.place(2)
    path = f"https://store.example/_sandbox/orders/{order['id']}/refund"
    lines = [{"sku": "COLA-24", "quantity": 1}]
    first = shop.http.post(path, json={"amount": "15.84", "lines": lines, "reason": "Damaged"})
    (line,) = first.json()["order"]["line_items"]
    assert (line["quantity"], line["total"], line["total_tax"]) == (-1, "-13.20", "-2.64")
    assert shop.http.post(path, json={"amount": "15.85"}).status_code == 422
    assert shop.http.get(f"/orders/{order['id']}").json()["status"] == "processing"
    shop.http.post(path, json={"amount": "15.84"})
    shown = shop.http.get(f"/orders/{order['id']}").json()
    assert (shown["status"], [one["total"] for one in shown["refunds"]]) == (
        "refunded",
        ["-15.84", "-15.84"],
    )
    assert shown["line_items"] == order["line_items"]


@pytest.mark.parametrize("draft", [[], {"lines": [{"sku": "COLA-24", "quantity": "x"}]}])
def test_what_makes_no_order_is_said(draft):
    shop = Shop()
    answer = shop.http.post("https://store.example/_sandbox/orders", json=draft)
    assert answer.status_code == 422
    assert shop.sandbox.accepted == {}


@pytest.mark.parametrize("path", EXCHANGES, ids=lambda path: path.stem)
def test_the_sandbox_answers_as_the_store_did(path):
    """Errors word for word; of the rest every field, which may hold something else."""
    exchange = json.loads(path.read_text())
    asked, expected = exchange["request"], exchange["response"]
    shop = Shop(products=TONIC)
    shop.sandbox.outbox.post = lambda delivery: 200
    meta = {"meta_data": [{"key": "_fizz_ref", "value": "FZ-1"}]}
    fees = [{"name": "Deposit", "total": "3.60", "tax_status": "none"}]
    order = shop.store.place(tonic(2) | {"shipping_total": "35.00", "fees": fees} | meta)
    shop.store.refund(order["id"], "5.00", [{"sku": "TONIC-6", "quantity": 1}])
    shop.place(lines=[])
    shop.http.auth = {
        "good": shop.http.auth,
        "none": None,
        "wrong": ("ck_sandbox", "cs_x"),
    }[asked["auth"]]
    answer = shop.http.request(
        asked["method"],
        "https://store.example" + asked["path"].replace("{order}", str(order["id"])),
        json=asked.get("body"),
    )
    assert answer.status_code == expected["status"]
    assert (
        expected["headers"].items()
        <= {name: answer.headers.get(name) for name in expected["headers"]}.items()
    )
    if answer.is_error:
        assert answer.json() == expected["body"]
    assert fields(expected["body"]) <= fields(answer.json())


def fields(value, path="") -> set[str]:
    """Every path of keys in a body; rows of a list count as one."""
    if isinstance(value, list):
        return {one for row in value for one in fields(row, path)}
    if not isinstance(value, dict):
        return {path}
    return {one for key, inner in value.items() for one in fields(inner, f"{path}.{key}")}
