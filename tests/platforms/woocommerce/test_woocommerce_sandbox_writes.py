"""The sandbox store takes writes as the vendor does: strictly, and keeping things its own way."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json

import httpx
import pytest

from sandbox.faults import Fault
from tests.platforms.woocommerce.woo_store import Shop

COLA = {"sku": "COLA-24", "name": "Cola", "price": "13.20", "stock": 480, "id": 51}
TONIC = [
    {"sku": "TONIC", "name": "Tonic", "id": 60},
    {"sku": "TONIC-6", "name": "Tonic - 6", "price": "7.99", "id": 61, "parent_id": 60},
    {"sku": "TONIC-12", "name": "Tonic - 12", "price": "15.40", "id": 62, "parent_id": 60},
]
GINGER = {"sku": "GINGER-12", "name": "Ginger ale", "price": "8.75", "id": 70}
SECRET = "sandboxwebhooksecret0123456789ab"


def shop_of(*products, **seed) -> Shop:
    rows = list(products) or [COLA, *TONIC, GINGER]
    return Shop(products=rows, webhook_uri="https://hooks.example/shop", **seed)


def told(shop: Shop) -> list[tuple[str, int]]:
    sent = shop.sandbox.outbox.deliveries
    return [(one.topic, json.loads(one.body)["id"]) for one in sent]


def put(shop: Shop, path: str, **body) -> dict:
    answer = shop.http.put(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# -- products --------------------------------------------------------------------------------------


def test_stock_and_price_are_set_and_told_signed():
    shop = shop_of()
    body = put(shop, "/products/51", stock_quantity=12, regular_price="14.00", sale_price="12.50")
    assert (body["stock_quantity"], body["price"], body["on_sale"]) == (12, "12.50", True)
    assert body["date_modified_gmt"] == "2026-11-20T10:00:00"
    assert shop.http.get("/products/51").json() == body
    (sent,) = shop.sandbox.outbox.deliveries
    proof = hmac.digest(SECRET.encode(), sent.body, hashlib.sha256)
    assert sent.headers["X-WC-Webhook-Signature"] == base64.b64encode(proof).decode()
    assert (sent.topic, json.loads(sent.body)) == ("product.updated", body)
    put(shop, "/products/51", stock_quantity=12)
    assert told(shop) == [("product.updated", 51)] * 2, "even the same value"
    assert shop.sandbox.accepted == {"product_updated": 2}


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"sku": "  COLA  <b>24</b> X "}, {"sku": "COLA 24 X"}),
        ({"name": " Cola, cold "}, {"name": "Cola, cold"}),
        ({"regular_price": "1,234.5"}, {"regular_price": "1234.5", "price": "1234.5"}),
        ({"regular_price": "13.2"}, {"regular_price": "13.2"}),
        ({"regular_price": "abc"}, {"regular_price": "", "price": "", "purchasable": False}),
        ({"regular_price": None}, {"regular_price": ""}),
        ({"sale_price": "13.20"}, {"sale_price": "", "on_sale": False}),
        ({"stock_quantity": "7"}, {"stock_quantity": 7}),
        ({"stock_quantity": 7.0}, {"stock_quantity": 7}),
        ({"stock_quantity": None}, {"stock_quantity": 0, "stock_status": "outofstock"}),
        ({"stock_quantity": -3}, {"stock_quantity": -3, "stock_status": "outofstock"}),
        ({"stock_quantity": 0, "stock_status": "instock"}, {"stock_status": "outofstock"}),
        (
            {"stock_quantity": 0, "backorders": "notify"},
            {"stock_status": "onbackorder", "backorders_allowed": True, "backordered": True},
        ),
        (
            {"manage_stock": False, "stock_status": "outofstock", "stock_quantity": 5},
            {"manage_stock": False, "stock_status": "outofstock", "stock_quantity": None},
        ),
        ({"manage_stock": "true"}, {"manage_stock": True, "stock_quantity": 480}),
        ({"status": "private", "catalog_visibility": "hidden"}, {"catalog_visibility": "hidden"}),
        ({"global_unique_id": "4 006381 333931"}, {"global_unique_id": "4006381333931"}),
        ({"colour": "red"}, {"name": "Cola"}),
    ],
)
def test_a_product_is_kept_in_the_stores_own_way(asked, kept):
    shop = shop_of()
    body = put(shop, "/products/51", **asked)
    assert body | kept == body
    assert "colour" not in body


def test_without_a_count_of_its_own_the_quantity_is_passed_over():
    shop = shop_of()
    body = put(shop, "/products/70", stock_quantity=9)
    assert (body["manage_stock"], body["stock_quantity"]) == (False, None)
    body = put(shop, "/products/70", manage_stock=True)
    assert (body["stock_quantity"], body["stock_status"]) == (None, "outofstock")
    body = put(shop, "/products/70", stock_quantity=9)
    assert (body["stock_quantity"], body["stock_status"]) == (9, "instock")


def test_what_only_has_variations_has_no_price_of_its_own():
    body = put(shop_of(), "/products/60", regular_price="1.00", status="draft")
    assert (body["regular_price"], body["price"], body["status"]) == ("", "7.99", "draft")


@pytest.mark.parametrize(
    ("field", "value", "text", "code"),
    [
        ("stock_quantity", 12.7, "is not of type integer.", "rest_invalid_type"),
        ("stock_quantity", "abc", "is not of type integer.", "rest_invalid_type"),
        ("stock_quantity", True, "is not of type integer.", "rest_invalid_type"),
        ("regular_price", 13.2, "is not of type string.", "rest_invalid_type"),
        ("sale_price", 1, "is not of type string.", "rest_invalid_type"),
        ("manage_stock", "parent", "is not of type boolean.", "rest_invalid_type"),
        ("meta_data", {"a": 1}, "is not of type array.", "rest_invalid_type"),
        (
            "status",
            "sold",
            "is not one of draft, pending, private, publish, future, auto-draft, and trash.",
            "rest_not_in_enum",
        ),
        (
            "stock_status",
            "low",
            "is not one of instock, outofstock, and onbackorder.",
            "rest_not_in_enum",
        ),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_in_the_vendors_words(field, value, text, code):
    shop = shop_of()
    answer = shop.http.put("/products/51", json={field: value, "name": "Other"})
    body = answer.json()
    assert refused(answer) == (400, "rest_invalid_param")
    assert body["message"] == f"Invalid parameter(s): {field}"
    assert body["data"]["params"] == {field: f"{field} {text}"}
    data = {"param": field} if code == "rest_invalid_type" else None
    details = {"code": code, "message": f"{field} {text}", "data": data}
    assert body["data"]["details"] == {field: details}
    assert (shop.http.get("/products/51").json()["name"], told(shop)) == ("Cola", [])
    assert shop.sandbox.accepted == {}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/products/999", {}, 400, "woocommerce_rest_product_invalid_id"),
        ("/products/61", {"stock_quantity": 1}, 404, "woocommerce_rest_invalid_product_id"),
        ("/products/51", {"sku": "ginger-12"}, 400, "product_invalid_sku"),
        ("/products/60/variations/99", {}, 400, "woocommerce_rest_product_variation_invalid_id"),
        ("/products/51/variations/61", {}, 403, "woocommerce_rest_cannot_edit"),
        ("/orders/1", {}, 400, "woocommerce_rest_shop_order_invalid_id"),
        ("/products/51", {"meta_data": [{"key": 5}]}, 400, "rest_invalid_param"),
        ("/products/51", {"meta_data": ["x"]}, 400, "rest_invalid_param"),
    ],
)
def test_what_cannot_be_written_is_refused(path, body, status, code):
    shop = shop_of()
    answer = shop.http.put(path, json=body)
    assert refused(answer) == (status, code)
    assert answer.json()["data"]["status"] == status
    assert (told(shop), shop.sandbox.accepted) == ([], {})


def test_a_taken_code_names_who_has_it():
    data = shop_of().http.put("/products/51", json={"sku": "GINGER-12"}).json()["data"]
    assert data == {"status": 400, "resource_id": 70, "unique_sku": "GINGER-12-1"}


def test_a_body_that_is_no_json_is_refused():
    answer = shop_of().http.put("/products/51", content=b"{nope")
    assert refused(answer) == (400, "rest_invalid_json")


def test_a_variation_is_written_below_its_parent_and_told_by_itself():
    shop = shop_of()
    body = put(shop, "/products/60/variations/61", manage_stock=True, stock_quantity=20)
    assert (body["stock_quantity"], "type" in body) == (20, False)
    assert told(shop) == [("product.updated", 61)]
    assert shop.http.get("/products/60").json()["date_modified_gmt"] == "2026-11-20T10:00:00"
    assert shop.sandbox.accepted == {"variation_updated": 1}


def test_a_variation_that_shares_its_parents_count_has_none_to_set():
    shop = shop_of(TONIC[0] | {"stock": 30}, TONIC[1])
    body = put(shop, "/products/60/variations/61", stock_quantity=7)
    assert (body["manage_stock"], body["stock_quantity"]) == ("parent", 30)
    put(shop, "/products/60", stock_quantity=8)
    assert shop.http.get("/products/61").json()["stock_quantity"] == 8


def test_meta_is_merged_by_key_and_lone_numbers_come_back_as_text():
    shop = shop_of()
    rows = [
        {"key": "_price_trade", "value": 11.5},
        {"key": "_tiers", "value": [{"min": 24, "price": "10.00"}]},
        {"key": "_flag", "value": True},
    ]
    first = put(shop, "/products/51", meta_data=rows)["meta_data"]
    assert [one["value"] for one in first] == ["11.5", [{"min": 24, "price": "10.00"}], "1"]
    changes = [
        {"key": "_price_trade", "value": "12.00"},
        {"key": "_flag", "value": None},
        {"id": first[1]["id"], "key": "_steps", "value": "none"},
    ]
    second = put(shop, "/products/51", meta_data=changes)["meta_data"]
    assert second == [
        first[0] | {"value": "12.00"},
        {"id": first[1]["id"], "key": "_steps", "value": "none"},
    ]


# -- batches ---------------------------------------------------------------------------------------


def batch(shop: Shop, path: str, *rows) -> list[dict]:
    answer = shop.http.post(path, json={"update": rows})
    assert answer.status_code == 200, answer.text
    return answer.json()["update"]


def test_rows_of_a_batch_succeed_and_fail_by_themselves():
    shop = shop_of()
    rows = batch(
        shop,
        "/products/batch",
        {"id": 51, "stock_quantity": 77},
        {"id": 99999, "stock_quantity": 1},
        {"id": 61, "stock_quantity": 1},
        {"id": 70, "sku": "COLA-24"},
        {"stock_quantity": 3},
    )
    invalid = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."}
    assert rows[0]["stock_quantity"] == 77
    assert rows[1] == {"id": 99999, "error": invalid | {"data": {"status": 400}}}
    assert [one["error"]["code"] for one in rows[2:]] == [
        "woocommerce_rest_invalid_product_id",
        "product_invalid_sku",
        "woocommerce_rest_product_invalid_id",
    ]
    assert told(shop) == [("product.updated", 51)]
    assert shop.sandbox.accepted == {"product_updated": 1, "batch_updated": 1}


def test_rows_of_a_batch_are_cast_and_not_checked():
    rows = batch(
        shop_of(),
        "/products/batch",
        {"id": "51", "stock_quantity": 12.7, "regular_price": 13.5, "status": "sold"},
        {"id": 70, "manage_stock": "yes", "stock_quantity": "abc", "stock_status": "low"},
        {"id": 60, "catalog_visibility": "nowhere"},
    )
    assert (rows[0]["stock_quantity"], rows[0]["regular_price"]) == (12, "13.5")
    assert rows[0]["status"] == "draft"
    assert (rows[1]["stock_quantity"], rows[1]["stock_status"]) == (0, "outofstock")
    assert rows[2]["error"]["code"] == "product_invalid_catalog_visibility"


def test_null_in_a_batch_means_nothing():
    (row,) = batch(
        shop_of(), "/products/batch", {"id": 51, "stock_quantity": None, "regular_price": None}
    )
    assert (row["stock_quantity"], row["regular_price"]) == (480, "13.20")


def test_a_batch_is_full_at_a_hundred_rows_of_all_kinds():
    shop = shop_of()
    rows = [{"id": 51, "stock_quantity": n} for n in range(100)]
    assert len(batch(shop, "/products/batch", *rows)) == 100
    answer = shop.http.post("/products/batch", json={"update": rows, "delete": [70]})
    assert refused(answer) == (413, "woocommerce_rest_request_entity_too_large")
    assert shop.http.get("/products/70").json()["status"] == "publish"
    assert shop.sandbox.accepted == {"product_updated": 100, "batch_updated": 1}


def test_variations_are_written_in_a_batch_and_move_to_the_parent_it_names():
    shop = shop_of(*TONIC, TONIC[0] | {"id": 80, "sku": "TONIC-B"})
    rows = batch(
        shop,
        "/products/60/variations/batch",
        {"id": 61, "regular_price": "8.49"},
        {"id": 99, "regular_price": "1.00"},
        {"id": 80, "regular_price": "1.00"},
    )
    assert rows[0]["price"] == "8.49"
    assert {one["error"]["code"] for one in rows[1:]} == {
        "woocommerce_rest_product_variation_invalid_id"
    }
    batch(shop, "/products/80/variations/batch", {"id": 62, "regular_price": "9.00"})
    assert shop.http.get("/products/60").json()["variations"] == [61]
    assert shop.http.get("/products/80").json()["variations"] == [62]


def test_an_empty_batch_does_nothing():
    shop = shop_of()
    answer = shop.http.post("/products/batch", json={"update": []})
    assert (answer.status_code, answer.json(), shop.sandbox.accepted) == (200, [], {})


# -- orders ----------------------------------------------------------------------------------------


def test_an_order_moves_on_and_everybody_is_told():
    shop = shop_of()
    order = shop.place(3, status="pending")
    path = f"/orders/{order['id']}"
    before = len(told(shop))
    assert put(shop, path, status="processing")["date_paid_gmt"] == "2026-11-20T10:00:00"
    assert told(shop)[before:] == [("order.updated", order["id"]), ("product.updated", 51)]
    shop.tick()
    done = put(shop, path, status="completed", transaction_id="BACS-991")
    assert (done["date_completed_gmt"], done["transaction_id"]) == (
        "2026-11-20T10:01:00",
        "BACS-991",
    )
    assert put(shop, path, status="cancelled")["status"] == "cancelled"
    assert shop.http.get("/products/51").json()["stock_quantity"] == 480
    shop.tick()
    again = put(shop, path, status="cancelled")
    assert again["date_modified_gmt"] == "2026-11-20T10:02:00", "even what it is already"
    assert told(shop)[-1] == ("order.updated", order["id"])
    assert shop.sandbox.accepted["order_updated"] == 4
    notes = [one["note"] for one in shop.http.get(f"{path}/notes").json()]
    assert notes[0] == "Order status changed from Completed to Cancelled."
    assert len(notes) == 3


def test_meta_of_an_order_is_merged_by_key_and_the_rest_stays():
    shop = shop_of()
    order = shop.place(1, meta_data=[{"key": "po_number", "value": "PO-7"}])
    path = f"/orders/{order['id']}"
    put(shop, path, meta_data=[{"key": "_fizz_number", "value": "SO-1"}])
    shown = put(shop, path, meta_data=[{"key": "_fizz_number", "value": "SO-2"}])
    assert {one["key"]: one["value"] for one in shown["meta_data"]} == {
        "po_number": "PO-7",
        "_fizz_number": "SO-2",
    }
    assert (shown["status"], shown["customer_note"]) == ("processing", "")


def test_paid_counts_only_where_money_is_awaited():
    shop = shop_of()
    waiting, held = (shop.place(1, status=one)["id"] for one in ("pending", "on-hold"))
    asked = {"set_paid": True, "transaction_id": "T-1"}
    assert put(shop, f"/orders/{waiting}", **asked)["status"] == "processing"
    shown = put(shop, f"/orders/{held}", **asked)
    assert (shown["status"], shown["date_paid_gmt"]) == ("on-hold", None)
    assert shown["transaction_id"] == "T-1"


def test_cash_on_delivery_is_not_paid_by_processing():
    shop = shop_of()
    order = shop.place(1, status="pending", payment_method="cod")
    path = f"/orders/{order['id']}"
    assert put(shop, path, status="processing")["date_paid_gmt"] is None
    assert put(shop, path, status="completed")["date_paid_gmt"]


def test_a_status_of_nobody_is_refused_in_the_vendors_words():
    shop = shop_of()
    order = shop.place()
    answer = shop.http.put(f"/orders/{order['id']}", json={"status": "shipped"})
    listed = "auto-draft, pending, processing, on-hold, completed, cancelled, refunded, failed"
    text = f"status is not one of {listed}, and checkout-draft."
    assert answer.json()["data"]["params"] == {"status": text}
    assert shop.sandbox.accepted == {}


def test_what_is_changed_of_an_order_in_the_bin_is_told_to_nobody():
    shop = shop_of()
    order = shop.place()
    shop.store.trash(order["id"])
    before = len(told(shop))
    assert put(shop, f"/orders/{order['id']}", status="pending")["status"] == "pending"
    assert [one for one in told(shop)[before:] if one[0].startswith("order")] == []


def test_orders_are_written_in_a_batch():
    shop = shop_of()
    order = shop.place()
    rows = batch(
        shop,
        "/orders/batch",
        {"id": order["id"], "status": "completed"},
        {"id": 5, "status": "completed"},
    )
    assert rows[0]["status"] == "completed"
    assert rows[1]["error"]["code"] == "woocommerce_rest_shop_order_invalid_id"


@pytest.mark.parametrize("field", ["line_items", "shipping_lines", "fee_lines", "currency"])
def test_what_this_store_cannot_change_of_an_order_it_says(field):
    shop = shop_of()
    order = shop.place()
    answer = shop.http.put(f"/orders/{order['id']}", json={field: []})
    assert refused(answer) == (501, "sandbox_not_here")


# -- notes -----------------------------------------------------------------------------------------


def test_notes_are_written_listed_and_deleted_and_change_nothing_of_the_order():
    shop = shop_of()
    order = shop.place()
    before = told(shop)
    shop.tick()
    path = f"/orders/{order['id']}/notes"
    given = {"note": "Shipped C:\\DHL <b>JD2</b> ", "customer_note": True}
    made = shop.http.post(path, json=given)
    note = made.json()
    assert made.status_code == 201
    assert made.headers["location"].endswith(f"{path}/{note['id']}")
    assert note == {
        "id": 31,
        "author": "WooCommerce",
        "date_created": "2026-11-20T10:01:00",
        "date_created_gmt": "2026-11-20T10:01:00",
        "note": "Shipped C:DHL <b>JD2</b> ",
        "customer_note": True,
    }
    second = shop.http.post(path, json={"note": "ours", "added_by_user": True}).json()
    assert (second["author"], second["customer_note"]) == ("shop", False)
    assert shop.http.get(path).json() == [second, note]
    assert shop.http.get(f"{path}?type=customer").json() == [note]
    assert shop.http.get(f"{path}?type=internal").json() == [second]
    assert shop.http.get(f"{path}/31").json() == note
    assert shop.http.get(f"/orders/{order['id']}").json() == order
    assert told(shop) == before
    assert refused(shop.http.delete(f"{path}/31")) == (501, "woocommerce_rest_trash_not_supported")
    assert shop.http.delete(f"{path}/31?force=true").json() == note
    assert shop.http.get(path).json() == [second]
    assert shop.sandbox.accepted == {"note_created": 2, "note_deleted": 1}


def test_notes_that_cannot_be_are_refused():
    shop = shop_of()
    path = f"/orders/{shop.place()['id']}/notes"
    empty = shop.http.post(path, json={})
    assert refused(empty) == (400, "rest_missing_callback_param")
    assert empty.json()["data"] == {"status": 400, "params": ["note"]}
    assert refused(shop.http.post(path, json={"note": 5})) == (400, "rest_invalid_param")
    wrong = "woocommerce_rest_order_invalid_id"
    assert refused(shop.http.post("/orders/1/notes", json={"note": "x"})) == (404, wrong)
    listed = "woocommerce_rest_shop_order_invalid_id"
    assert refused(shop.http.get("/orders/1/notes")) == (404, listed)
    assert refused(shop.http.get(f"{path}/99")) == (404, "woocommerce_rest_invalid_id")
    assert shop.sandbox.accepted == {}


# -- refunds ---------------------------------------------------------------------------------------


def refunding(shop: Shop, order: dict, **body) -> httpx.Response:
    asked = {"api_refund": False, "api_restock": False} | body
    return shop.http.post(f"/orders/{order['id']}/refunds", json=asked)


def test_a_refund_of_a_line_puts_goods_back_and_is_told_through_the_order():
    shop = shop_of()
    order = shop.place(4)
    line = order["line_items"][0]["id"]
    before = len(told(shop))
    tax = [{"id": "1", "refund_total": 2.64}]
    answer = refunding(
        shop,
        order,
        amount="15.84",
        reason="Damaged",
        api_restock=True,
        line_items=[{"id": line, "quantity": 1, "refund_total": 13.20, "refund_tax": tax}],
        meta_data=[{"key": "_fizz_ref", "value": "CN-5"}],
    )
    refund = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/refunds/{refund['id']}")
    assert (refund["amount"], refund["reason"], refund["refunded_payment"]) == (
        "15.84",
        "Damaged",
        False,
    )
    assert [(one["key"], one["value"]) for one in refund["meta_data"]] == [("_fizz_ref", "CN-5")]
    (row,) = refund["line_items"]
    assert (row["quantity"], row["total"], row["total_tax"]) == (-1, "-13.20", "-2.64")
    assert row["taxes"] == [{"id": 1, "total": "-2.64", "subtotal": "-2.64"}]
    assert [(one["key"], one["value"]) for one in row["meta_data"]] == [
        ("_refunded_item_id", str(line))
    ]
    assert [one["tax_total"] for one in refund["tax_lines"]] == ["-2.64"]
    assert told(shop)[before:] == [("product.updated", 51), ("order.updated", order["id"])]
    shown = shop.http.get(f"/orders/{order['id']}").json()
    assert shown["refunds"] == [{"id": refund["id"], "reason": "Damaged", "total": "-15.84"}]
    assert shown["status"] == "processing"
    assert shop.http.get("/products/51").json()["stock_quantity"] == 477
    assert shop.http.get(f"/orders/{order['id']}/refunds").json() == [refund]
    assert shop.http.get(f"/orders/{order['id']}/refunds/{refund['id']}").json() == refund
    assert shop.sandbox.accepted == {"refund_created": 1}


def test_lines_may_be_an_object_by_id_and_name_the_amount():
    shop = shop_of()
    order = shop.place(4)
    line = str(order["line_items"][0]["id"])
    rows = {line: {"qty": 2, "refund_total": "26.40", "refund_tax": {"1": "5.28"}}}
    refund = refunding(shop, order, line_items=rows).json()
    assert (refund["amount"], refund["line_items"][0]["quantity"]) == ("31.68", -2)
    assert shop.http.get("/products/51").json()["stock_quantity"] == 476, "not asked for"


def test_freight_is_given_back_by_its_line():
    shop = shop_of()
    order = shop.place(1, shipping_total="10.00")
    line = order["shipping_lines"][0]["id"]
    rows = [{"id": line, "refund_total": 10, "refund_tax": [{"id": 1, "refund_total": 2}]}]
    refund = refunding(shop, order, line_items=rows).json()
    assert (refund["amount"], refund["shipping_lines"][0]["total"]) == ("12.00", "-10.00")
    assert [one["shipping_tax_total"] for one in refund["tax_lines"]] == ["-2.00"]


def test_lines_are_not_checked_and_the_same_call_twice_makes_two_refunds():
    shop = shop_of()
    order = shop.place(2)
    line = order["line_items"][0]["id"]
    rows = [{"id": line, "quantity": 99, "refund_total": 1}, {"id": 5, "quantity": 1}]
    first, second = (
        refunding(shop, order, amount="1.00", line_items=rows).json() for _ in range(2)
    )
    assert [one["quantity"] for one in first["line_items"]] == [-99]
    assert second["id"] != first["id"]
    rows = [{"quantity": 1, "refund_total": 1}]
    assert refunding(shop, order, amount="1.00", line_items=rows).json()["line_items"] == []
    assert shop.sandbox.accepted["refund_created"] == 3


@pytest.mark.parametrize("amount", ["15.85", "abc"])
def test_more_than_is_left_is_refused_with_the_vendors_five_hundred(amount):
    shop = shop_of()
    order = shop.place(1)
    answer = refunding(shop, order, amount=amount)
    assert answer.status_code == 500
    assert answer.json() == {
        "code": "woocommerce_rest_cannot_create_order_refund",
        "message": "Invalid refund amount.",
        "data": 500,
    }
    assert shop.http.get(f"/orders/{order['id']}").json() == order
    assert shop.sandbox.accepted == {}


def test_a_refund_of_all_ends_the_order_and_its_taking_back_tells_nobody():
    shop = shop_of()
    order = shop.place(1)
    refund = refunding(shop, order, amount="15.84").json()
    assert shop.http.get(f"/orders/{order['id']}").json()["status"] == "refunded"
    before = told(shop)
    path = f"/orders/{order['id']}/refunds/{refund['id']}"
    assert shop.http.delete(f"{path}?force=true").json() == refund
    assert told(shop) == before
    shown = shop.http.get(f"/orders/{order['id']}").json()
    assert (shown["refunds"], shown["status"]) == ([], "refunded")
    missing = "woocommerce_rest_shop_order_refund_invalid_id"
    assert refused(shop.http.get(path)) == (404, missing)


def test_the_state_refunded_gives_money_back_and_no_goods():
    shop = shop_of()
    order = shop.place(2)
    put(shop, f"/orders/{order['id']}", status="refunded")
    (refund,) = shop.http.get(f"/orders/{order['id']}/refunds").json()
    assert (refund["amount"], refund["line_items"]) == (order["total"], [])
    assert shop.http.get("/products/51").json()["stock_quantity"] == 478


def test_whoever_says_nothing_moves_money():
    shop = shop_of()
    order = shop.place(2)
    path = f"/orders/{order['id']}/refunds"
    assert shop.http.post(path, json={"amount": "1.00"}).json()["refunded_payment"] is True
    assert shop.sandbox.accepted["payment_refunded"] == 1


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("cheque", "The payment gateway for this order does not support automatic refunds."),
        ("gone", "The payment gateway for this order does not exist."),
    ],
)
def test_money_moves_only_through_a_gateway_that_can(method, text):
    shop = shop_of()
    order = shop.place(2, payment_method=method)
    answer = refunding(shop, order, amount="1.00", api_refund=True)
    assert (answer.status_code, answer.json()["message"]) == (500, text)
    assert shop.http.get(f"/orders/{order['id']}/refunds").json() == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": 5}, 400, "rest_invalid_param"),
        ({"amount": "5", "api_refund": "no"}, 400, "rest_invalid_param"),
        ({"amount": "-5"}, 500, "woocommerce_rest_invalid_order_refund"),
    ],
)
def test_refunds_that_cannot_be_are_refused(body, status, code):
    shop = shop_of()
    assert refused(refunding(shop, shop.place(1), **body)) == (status, code)
    assert shop.sandbox.accepted == {}


def test_a_refund_of_an_unknown_order_answers_five_hundred_as_the_vendor_forgot_the_status():
    answer = refunding(shop_of(), {"id": 1}, amount="1.00")
    assert refused(answer) == (500, "woocommerce_rest_invalid_order_id")
    assert answer.json()["data"] == 404


# -- who may, and when it goes wrong ---------------------------------------------------------------

WRITES = [
    ("PUT", "/products/51", "edit"),
    ("POST", "/products/batch", "batch"),
    ("PUT", "/products/60/variations/61", "edit"),
    ("POST", "/products/60/variations/batch", "batch"),
    ("PUT", "/orders/700", "edit"),
    ("POST", "/orders/batch", "batch"),
    ("POST", "/orders/700/notes", "create"),
    ("DELETE", "/orders/700/notes/31", "delete"),
    ("POST", "/orders/700/refunds", "create"),
]


@pytest.mark.parametrize(("method", "path", "does"), WRITES)
def test_a_key_that_reads_writes_nothing_and_nor_does_who_does_not_manage(method, path, does):
    key = {"key": "ck_sandbox", "secret": "cs_sandbox"}
    answer = shop_of(keys=[key | {"permissions": "read"}]).http.request(method, path, json={})
    assert refused(answer) == (401, "woocommerce_rest_authentication_error")
    assert answer.json()["message"] == "The API key provided does not have write permissions."
    somebody = key | {"permissions": "read_write", "is_manager": False}
    answer = shop_of(keys=[somebody]).http.request(method, path, json={})
    assert refused(answer) == (403, f"woocommerce_rest_cannot_{does}")


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("PUT", "/products/51", {"stock_quantity": 5}, "product_updated"),
        ("POST", "/products/batch", {"update": [{"id": 51}]}, "batch_updated"),
        ("PUT", "/products/60/variations/61", {}, "variation_updated"),
        ("PUT", "/orders/700", {}, "order_updated"),
        ("POST", "/orders/700/notes", {"note": "x"}, "note_created"),
        ("POST", "/orders/700/refunds", {"amount": "1.00"}, "refund_created"),
    ],
)
def test_a_write_may_be_refused_first_and_be_done_in_silence_then(method, path, body, name):
    shop = shop_of()
    assert shop.place(2)["id"] == 700
    for status in (429, 503):
        shop.sandbox.faults.arm(Fault("status", on=f"{method} ", status=status))
        assert shop.http.request(method, path, json=body).status_code == status
        assert shop.sandbox.accepted[name] == 0
    shop.sandbox.faults.arm(Fault("commit_then_silence", on=f"{method} "))
    with pytest.raises(httpx.ReadTimeout):
        shop.http.request(method, path, json=body)
    assert shop.sandbox.accepted[name] == 1


# -- what the host bears ---------------------------------------------------------------------------


def test_the_host_bears_so_many_calls_in_a_minute():
    shop = shop_of(limits={"per_minute": 3})
    answers = [shop.http.get("/products/51") for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert answers[3].headers["retry-after"] == "60"
    assert "html" in answers[3].headers["content-type"]
    shop.tick(61)
    assert shop.http.get("/products/51").status_code == 200
    load = shop.http.get("https://store.example/_sandbox/load").json()
    assert load == {"peak_parallel": 1, "peak_per_minute": 5, "refused": 2}
    shop.http.post("https://store.example/_sandbox/reset")
    load = shop.http.get("https://store.example/_sandbox/load").json()
    assert load == {"peak_parallel": 0, "peak_per_minute": 0, "refused": 0}


def test_the_host_bears_so_many_calls_at_once():
    shop = shop_of(limits={"parallel": 2})

    async def drive() -> list[int]:
        transport = httpx.ASGITransport(shop.sandbox.app)
        url = "https://store.example/wp-json/wc/v3"
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            client.auth = httpx.BasicAuth("ck_sandbox", "cs_sandbox")
            shop.sandbox.faults.arm(Fault("delay", on="GET ", times=-1, seconds=0.05))
            calls = (client.get("/products/51") for _ in range(3))
            return sorted(one.status_code for one in await asyncio.gather(*calls))

    assert asyncio.run(drive()) == [200, 200, 429]
    assert (shop.sandbox.load.peak_parallel, shop.sandbox.load.refused) == (3, 1)
