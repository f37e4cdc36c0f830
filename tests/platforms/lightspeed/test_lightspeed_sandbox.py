"""The sandbox shop keeps the vendor's habits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import jsonschema
import pytest

from platforms.lightspeed.sandbox import SCOPES
from platforms.lightspeed.sandbox_hooks import PAUSES, TYPES, form, signature
from platforms.lightspeed.sandbox_shapes import RefusedError
from tests.kit.stand import START
from tests.platforms.lightspeed.lightspeed_shop import (
    ADA,
    API,
    HOOK,
    PRODUCTS,
    Shop,
    listening,
    payload,
)

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES = VENDOR / "samples" / "lightspeed"
SPECS = VENDOR / "specs" / "lightspeed"
EVENTS = Path(__file__).parents[3] / "events" / "lightspeed"
FIXTURES = sorted(EVENTS.glob("*__*.json"))
SECRET = "ls_demo_client_secret_01"
ON_ACCOUNT = {"status": "ONACCOUNT", "customer": ADA}
needs_vendor = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's samples and specs are not on this machine"
)

# -- webhooks --------------------------------------------------------------------------------------

VECTOR = {
    "payload": json.dumps(
        {
            "id": "f3b1c2d4-0000-4000-8000-0000000000a1",
            "invoice_number": "FZ-1001",
            "status": "CLOSED",
        },
        separators=(",", ":"),
    ),
    "retailer_id": "f3b1c2d4-0000-4000-8000-0000000000ff",
    "type": "sale.update",
    "domain_prefix": "fizzdemo",
    "environment": "prod",
}


def test_the_vendors_own_signature():
    raw = form(VECTOR)
    assert len(raw) == 242
    proofs = [
        signature(SECRET, raw),
        signature(SECRET, raw, "base64"),
        signature(SECRET, VECTOR["payload"].encode()),
    ]
    assert proofs == [
        f"signature={proof},algorithm=HMAC-SHA256"
        for proof in (
            "0b8fc8cc3e7d4d1ef612235a98ea5e63fbcb5099f9bbc5e79c564716d374d05c",
            "C4/IzD59TR72EiNamOpeY/vLUJn5u8XnnFZHFtN00Fw=",
            "c8a74e2e4d1dd2b3151680f2af90ff5205ee8be68a767890af44e2923b12762a",
        )
    ]


def test_a_delivery_is_a_signed_form_and_no_json():
    shop = listening()
    sale = shop.place()
    sent = shop.sandbox.outbox.deliveries[0]
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    proof = hmac.digest(SECRET.encode(), sent.body, hashlib.sha256).hex()
    assert sent.headers["X-Signature"] == f"signature={proof},algorithm=HMAC-SHA256"
    fields = parse_qs(sent.body.decode())
    assert {name: fields[name][0] for name in fields if name != "payload"} == {
        "retailer_id": shop.store.retailer_id,
        "type": "sale.update",
        "domain_prefix": "fizzdemo",
        "environment": "prod",
    }
    assert json.loads(fields["payload"][0])["id"] == sale["id"]


def test_other_readings_of_the_signature():
    shop = listening(signature_encoding="base64", signature_over="payload", signature_gap=True)
    shop.place()
    sent = shop.sandbox.outbox.deliveries[0]
    text = parse_qs(sent.body.decode())["payload"][0].encode()
    proof = base64.b64encode(hmac.digest(SECRET.encode(), text, hashlib.sha256)).decode()
    assert sent.headers["X-Signature"] == f"signature={proof}, algorithm=HMAC-SHA256"


def test_webhooks_made_by_hand_are_not_signed_and_may_carry_the_payload_alone():
    shop = listening(is_signed=False, form_fields=["payload"])
    shop.place()
    sent = shop.sandbox.outbox.deliveries[0]
    assert set(sent.headers) == {"Content-Type"}
    assert list(parse_qs(sent.body.decode())) == ["payload"]


def test_letters_travel_as_utf_8():
    shop = listening()
    shop.place(customer={"first_name": "Zoë", "email": "zoe@kiosk.example"})
    sent = shop.sandbox.outbox.deliveries[-2]
    assert b"Zo%C3%AB" in sent.body
    assert payload(sent.body)["customer"]["first_name"] == "Zoë"


def test_twenty_more_tries_in_two_days_and_never_switched_off():
    assert len(PAUSES) == 20
    assert sum(PAUSES) == pytest.approx(48 * 3600, rel=0.01)
    shop = listening()
    shop.sandbox.outbox.post = lambda delivery: 500
    for _ in range(30):
        shop.place()
    shop.sandbox.outbox.send([one.id for one in shop.sandbox.outbox.pending()])
    assert {one["active"] for one in shop.rows("/webhooks")} == {True}
    assert {one.status for one in shop.sandbox.outbox.deliveries} == {"waiting"}


def test_a_sale_that_takes_stock_tells_of_both_and_the_product_stays_silent():
    shop = listening()
    shop.place(3)
    assert shop.topics() == ["sale.update", "inventory.update"]
    told = shop.sent("inventory.update")[0]
    assert (told["count"], told["product"]["sku"]) == ("97.00000", "COLA330-C24")


def test_what_nobody_counts_moves_no_stock():
    shop = listening()
    shop.store.place({"lines": [{"sku": "DELIVERY", "quantity": 1}]})
    assert shop.topics() == ["sale.update"]


def test_a_sale_on_account_is_told_more_than_once():
    shop = listening()
    shop.place(**ON_ACCOUNT)
    assert shop.topics() == ["customer.update", "sale.update", "sale.update"]


def test_a_webhook_shows_the_old_shape_with_amounts_in_quotes_and_times_of_several_kinds():
    shop = listening()
    shop.place(2, customer=ADA)
    told = shop.sent("sale.update")[0]
    assert (told["created_at"], told["sale_date"]) == (
        "2026-11-20 10:00:00",
        "2026-11-20T10:00:00Z",
    )
    assert told["updated_at"] == "2026-11-20T10:00:00+00:00"
    assert told["totals"] == {
        "total_loyalty": "0.00000",
        "total_payment": "31.68000",
        "total_price": "26.40000",
        "total_tax": "5.28000",
        "total_to_pay": "0.00000",
    }
    assert told["status"] == "CLOSED"
    assert told["register_sale_products"][0]["product_id"] == shop.product()["id"]
    assert "state" not in told
    assert "line_items" not in told
    assert told["customer"]["customer_code"] == "Ada-0001"


def test_a_walk_in_has_a_code_of_its_own_and_no_address():
    shop = listening()
    shop.place()
    assert shop.sent("sale.update")[0]["customer"]["customer_code"] == "WALKIN"
    with pytest.raises(RefusedError, match="walk-in"):
        shop.place(billing={"city": "Leeds"})


def test_a_webhook_is_listed_changed_and_removed():
    shop = Shop()
    given = {"url": HOOK, "type": "sale.update", "active": True}
    made = shop.http.post(f"{API}/webhooks", json=given)
    row = made.json()["data"]
    assert (made.status_code, set(row)) == (
        201,
        {"id", "retailer_id", "url", "type", "active"},
    )
    path = f"{API}/webhooks/{row['id']}"
    assert shop.http.get(path).json() == {"data": row}
    shop.place()
    changed = shop.http.put(path, json=given | {"active": False})
    assert changed.json()["data"]["active"] is False
    shop.place()
    assert shop.topics() == ["sale.update"]
    assert shop.http.delete(path).status_code == 200
    assert shop.http.get(path).status_code == 404
    assert shop.rows("/webhooks") == []


def test_the_same_type_and_address_twice_is_a_conflict():
    shop = Shop()
    given = {"url": HOOK, "type": "sale.update", "active": True}
    first = shop.http.post(f"{API}/webhooks", json=given)
    again = shop.http.post(f"{API}/webhooks", json=given)
    assert (again.status_code, list(again.json())) == (409, ["error"])
    other = shop.http.post(f"{API}/webhooks", json=given | {"type": "product.update"}).json()
    path = f"{API}/webhooks/{other['data']['id']}"
    assert shop.http.put(path, json=given).status_code == 409
    assert shop.http.put(path, json=given | {"url": f"{HOOK}/2"}).status_code == 200
    same = f"{API}/webhooks/{first.json()['data']['id']}"
    assert shop.http.put(same, json=given).status_code == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"url": HOOK, "type": "sale.create", "active": True}, 422),
        ({"url": HOOK, "type": "sale.update"}, 422),
        ({"url": HOOK, "type": "sale.update", "active": "yes"}, 422),
        ({"url": "hooks.example", "type": "sale.update", "active": True}, 422),
        ({"url": HOOK, "type": "sale.update", "active": True, "secret": "x"}, 422),
        ([], 422),
    ],
)
def test_a_webhook_of_nothing_is_refused(given, status):
    shop = Shop()
    assert shop.http.post(f"{API}/webhooks", json=given).status_code == status
    assert shop.http.post(f"{API}/webhooks", data={"data": json.dumps(given)}).status_code == 400


# -- tokens, versions, limits ----------------------------------------------------------------------

TOKEN = "/api/1.0/token"
CLIENT = {"client_id": "ls_demo_client_01", "client_secret": SECRET}
REFRESH = CLIENT | {"grant_type": "refresh_token", "refresh_token": "ls_rt_sandbox"}
CODE = CLIENT | {
    "grant_type": "authorization_code",
    "code": "ls_code_sandbox",
    "redirect_uri": "https://hooks.fizz.example/oauth",
}


def test_a_refresh_gives_two_new_tokens_and_ends_both_old_ones():
    shop = Shop()
    answer = shop.http.post(TOKEN, data=REFRESH)
    given = answer.json()
    assert answer.status_code == 200
    assert {key: given[key] for key in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 86400,
        "scope": " ".join(SCOPES),
    }
    assert given["expires"] == int((START + timedelta(days=1)).timestamp())
    assert shop.get("/sales").status_code == 401
    shop.http.headers["Authorization"] = f"Bearer {given['access_token']}"
    assert shop.get("/sales").status_code == 200
    assert shop.http.post(TOKEN, data=REFRESH).json()["error"] == "invalid_grant"
    again = REFRESH | {"refresh_token": given["refresh_token"]}
    assert shop.http.post(TOKEN, data=again).status_code == 200


def test_a_code_is_good_for_one_exchange():
    shop = Shop()
    assert shop.http.post(TOKEN, data=CODE).status_code == 200
    assert shop.http.post(TOKEN, data=CODE).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("call", "status", "kind"),
    [
        ({"params": REFRESH}, 400, "invalid_request"),
        ({"json": REFRESH}, 400, "invalid_request"),
        ({"data": REFRESH | {"client_secret": "x"}}, 401, "invalid_client"),
        ({"data": REFRESH | {"client_id": "x"}}, 401, "invalid_client"),
        ({"data": REFRESH | {"refresh_token": "x"}}, 400, "invalid_grant"),
        ({"data": REFRESH | {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": CODE | {"redirect_uri": "https://x.example"}}, 400, "invalid_grant"),
        ({"data": CODE | {"code": "x"}}, 400, "invalid_grant"),
        ({"data": CLIENT | {"grant_type": "refresh_token"}}, 400, "invalid_request"),
    ],
)
def test_tokens_are_given_for_the_right_form_alone(call, status, kind):
    answer = Shop().http.post(TOKEN, **call)
    assert (answer.status_code, answer.json()["error"]) == (status, kind)


def test_a_token_lives_a_day_and_a_personal_one_for_ever():
    shop = Shop()
    assert shop.get("/sales").status_code == 200
    shop.tick(86399)
    assert shop.get("/sales").status_code == 200
    shop.tick(1)
    assert shop.get("/sales").status_code == 401
    shop.http.headers["Authorization"] = "Bearer ls_pt_sandbox"
    assert shop.get("/sales").status_code == 200


def test_a_retailer_throws_the_application_out():
    shop = Shop()
    assert shop.http.post("/_sandbox/token/expire").status_code == 204
    assert shop.get("/sales").status_code == 401
    assert shop.http.post("/_sandbox/token/disconnect").status_code == 204
    assert shop.http.post(TOKEN, data=REFRESH).status_code == 400
    assert shop.http.post("/_sandbox/token/burn").status_code == 404


def test_the_token_endpoint_has_its_own_limit():
    shop = Shop(token_limit=1)
    first = shop.http.post(TOKEN, data=REFRESH | {"client_secret": "x"})
    assert first.headers["x-ratelimit-remaining"] == "0"
    reset = int((START + timedelta(minutes=5)).timestamp())
    assert first.headers["x-ratelimit-reset"] == str(reset)
    refused = shop.http.post(TOKEN, data=REFRESH)
    assert refused.status_code == 429
    assert parsedate_to_datetime(refused.headers["retry-after"]).timestamp() == reset


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": "Basic ls_at_sandbox"}, 401),
        ({"User-Agent": ""}, 400),
    ],
)
def test_who_may_not_ask_is_told(headers, status):
    answer = Shop().http.get(f"{API}/sales", headers=headers)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "message"})


def test_the_limit_grows_with_the_tills_and_its_refusal_names_a_day_and_time():
    shop = Shop(registers=2)
    first = shop.get("/sales")
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == (
        "650",
        "649",
    )
    for _ in range(649):
        shop.get("/webhooks")
    refused = shop.get("/sales")
    assert (refused.status_code, refused.json()["error"]) == (429, "Too Many Requests")
    assert refused.headers["retry-after"] == "Fri, 20 Nov 2026 10:05:00 GMT"
    shop.tick(299)
    assert shop.get("/sales").status_code == 429
    shop.tick(1)
    assert shop.get("/sales").status_code == 200


def test_a_call_to_an_ended_version_is_answered_by_the_oldest_and_nobody_says_so():
    shop = Shop()
    for version, status in {
        "2026-07": 200,
        "2026-04": 200,
        "2025-07": 200,
        "2026-10": 404,
        "2025-05": 404,
        "2.0": 404,
        "0.9": 404,
    }.items():
        assert shop.http.get(f"/api/{version}/sales").status_code == status, version
    assert shop.sandbox.gate.calls == {"2026-07": 1, "2026-04": 1, "2026-01": 1}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_scope_closes_some_paths(scope):
    shop = Shop(scopes=[one for one in SCOPES if one != scope])
    closed = {
        (method, path): shop.http.request(method, API + path, json={} if method != "GET" else None)
        for method, path in (
            ("GET", "/sales"),
            ("POST", "/sales"),
            ("GET", "/customers"),
            ("POST", "/customers"),
            ("GET", "/products"),
            ("PUT", "/products/1"),
            ("GET", "/price_books"),
            ("GET", "/inventory"),
            ("GET", "/outlets"),
            ("GET", "/registers"),
            ("GET", "/payment_types"),
            ("GET", "/taxes"),
            ("GET", "/users"),
            ("GET", "/retailer"),
            ("GET", "/sales/1/fulfillments"),
            ("POST", "/sales/1/fulfill"),
            ("GET", "/consignments"),
            ("GET", "/webhooks"),
            ("GET", "/search?type=products"),
        )
    }
    refused = [one.json()["message"] for one in closed.values() if one.status_code == 403]
    # Nothing here writes price books, counts by themselves, or suppliers' orders.
    unused = {"products:write:price_books", "inventory:write", "consignments:write:stock_order"}
    assert all(scope in text for text in refused)
    assert bool(refused) == (scope not in unused)


# -- feeds -----------------------------------------------------------------------------------------


def test_the_feed_leads_through_pages_by_version_to_an_empty_one():
    shop = Shop()
    placed = [shop.place()["id"] for _ in range(5)]
    found, cursor = [], 0
    while rows := (page := shop.get("/sales", after=cursor, page_size=2).json())["data"]:
        assert page["version"] == {
            "min": rows[0]["_metadata"]["version"],
            "max": rows[-1]["_metadata"]["version"],
        }
        found += [one["id"] for one in rows]
        cursor = page["version"]["max"]
    assert found == placed
    assert page == {"data": [], "version": {"min": None, "max": None}}


def test_a_change_moves_a_row_to_the_end_of_its_feed():
    shop = Shop()
    first, second = shop.place(status="SAVED"), shop.place()
    shop.store.update(first["id"], {"customer_note": "Later"})
    assert [one["id"] for one in shop.rows("/sales")] == [second["id"], first["id"]]
    assert shop.rows("/sales", after=second["_metadata"]["version"])[0]["note"] == "Later"


def test_both_bounds_leave_their_own_version_out():
    shop = Shop()
    versions = [shop.place()["_metadata"]["version"] for _ in range(3)]

    def count(**query):
        return len(shop.rows("/sales", **query))

    assert count(after=versions[0]) == 2
    assert count(before=versions[2]) == 2
    assert count(after=versions[0], before=versions[2]) == 1


def test_who_asks_for_too_many_gets_as_many_as_there_are_at_most():
    shop = Shop(most_rows=3, page_size=2)
    for _ in range(4):
        shop.place()
    assert len(shop.rows("/sales", page_size=1000)) == 3
    assert len(shop.rows("/sales")) == 2


def test_the_stock_has_a_feed_too():
    shop = Shop()
    before = shop.get("/inventory").json()["version"]["max"]
    shop.place(3)
    (row,) = shop.rows("/inventory", after=before)
    assert row == {
        "id": row["id"],
        "product_id": shop.product()["id"],
        "outlet_id": shop.store.first("outlets")["id"],
        "inventory_level": 97,
        "version": row["version"],
    }
    assert Shop(stock_as_text=True).rows("/inventory")[0]["inventory_level"] == "100.00000"


def test_deleted_rows_are_listed_when_asked_for_and_answer_by_id():
    shop = Shop()
    row = shop.store.add_account(ADA)
    shop.store.delete_customer(row["id"])
    assert row["id"] not in [one["id"] for one in shop.rows("/customers")]
    found = shop.rows("/customers", deleted="true")[-1]
    assert (found["id"], found["deleted_at"]) == (row["id"], "2026-11-20T10:00:00+00:00")
    assert shop.get(f"/customers/{row['id']}").json()["data"] == found
    assert row["id"] in [x["id"] for x in Shop.rows(shop, "/customers", deleted="true")]


def test_a_discarded_sale_stays_in_the_feed():
    shop = listening()
    sale = shop.place(status="SAVED")
    shop.store.delete(sale["id"])
    (row,) = shop.rows("/sales")
    assert row["deleted_at"] == "2026-11-20T10:00:00+00:00"
    assert shop.sent("sale.update")[-1]["deleted_at"] == "2026-11-20 10:00:00"


def test_what_is_not_there_is_left_out_or_null():
    sale = Shop().place()
    assert not {"deleted_at"} & set(sale)
    shown = Shop(shows_nulls=True).place()
    assert shown["deleted_at"] is None
    assert shown["line_items"][0]["note"] is None


# -- sales -----------------------------------------------------------------------------------------


def test_a_line_is_net_with_five_decimals_and_the_sums_are_those_of_the_gross_price():
    shop = Shop(tax_rate=15, prices_include_tax=True)
    sale = shop.place(3, lines=[{"sku": "COLA330-C24", "quantity": 3, "price": "5.00"}])
    (line,) = sale["line_items"]
    assert (line["pricing"]["price"], line["tax"]["amount"]) == (4.34783, 0.65217)
    assert (line["pricing"]["total"], line["tax"]["total"]) == (13.04349, 1.95651)
    assert sale["totals"]["price_incl_tax"] == 15
    assert sale["payments"][0]["amount"] == 15


def test_what_is_left_to_pay_may_be_a_part_of_a_cent():
    shop = listening()
    shop.place(lines=[{"sku": "COLA330-C24", "quantity": 1, "price": "0.29", "tax_rate": "17.5"}])
    assert shop.sent("sale.update")[0]["totals"]["total_to_pay"] == "0.00075"


def test_discounts_fees_and_freight_add_up():
    sale = Shop().place(
        lines=[{"sku": "COLA330-C24", "quantity": 4, "discount": "4.00"}],
        discount_total="5.00",
        fees=[{"name": "Card fee", "total": "1.50"}, {"name": "Tip", "total": 2, "type": "TIP"}],
        shipping_total="7.50",
    )
    (line,) = sale["line_items"]
    assert (line["pricing"]["price"], line["pricing"]["discount"]) == (12.2, 1)
    assert (line["pricing"]["total"], line["pricing"]["discount_total"]) == (48.8, 4)
    assert [(x["adjustment_type"], x["total"]) for x in sale["adjustments"]] == [
        ("DISCOUNT", -5),
        ("NON_CASH_FEE", 1.5),
        ("TIP", 2),
    ]
    (charge,) = sale["ecom_custom_charges"]
    assert (charge["total"], charge["total_tax"], charge["total_incl"]) == (7.5, 1.5, 9)
    # 48.80 - 5.00 + 1.50 + 2.00 + 7.50 net; tax on all but the fee and the tip.
    assert sale["totals"]["price"] == 54.8
    assert sale["totals"]["tax"] == 10.26
    assert sale["taxes"][0]["tax"] == 10.26
    assert sale["payments"][0]["amount"] == 65.06


def test_a_sale_names_no_currency_and_the_retailer_does():
    shop = Shop(currency="EUR")
    assert "currency" not in json.dumps(shop.place())
    assert shop.rows("/retailer")["currency"] == {"code": "EUR", "symbol": "€"}
    with pytest.raises(RefusedError, match="one currency"):
        shop.place(currency="GBP")


@pytest.mark.parametrize(
    ("status", "state", "attributes"),
    [
        ("SAVED", "parked", []),
        ("CLOSED", "closed", []),
        ("ONACCOUNT", "pending", ["onaccount"]),
        ("LAYBY", "pending", ["layby"]),
        ("AWAITING_DISPATCH", "pending", ["dispatch"]),
        ("VOIDED", "voided", []),
        ("parked", "parked", []),
        ("pending", "pending", ["onaccount"]),
    ],
)
def test_a_state_and_its_attributes_are_one_word_of_the_old_shape(status, state, attributes):
    sale = Shop().place(status=status, customer=ADA)
    assert (sale["state"], sale["attributes"]) == (state, attributes)


def test_stock_moves_when_a_sale_closes_and_once():
    shop = Shop()
    sale = shop.place(10, **ON_ACCOUNT)
    assert shop.level() == 100
    shop.store.update(sale["id"], {"quantities": {"COLA330-C24": 12}})
    part = shop.store.pay(sale["id"], {"amount": "90.08"})
    assert (part["state"], shop.level()) == ("pending", 100)
    paid = shop.store.pay(sale["id"], {"payment_method": "Bank Transfer"})
    assert (paid["state"], shop.level()) == ("closed", 88)
    assert [one["amount"] for one in paid["payments"]] == [90.08, 100]
    shop.store.update(sale["id"], {"customer_note": "Thanks"})
    assert shop.level() == 88


def test_a_closed_sale_cannot_be_voided_and_a_voided_one_stays_so():
    shop = Shop()
    closed, parked = shop.place(), shop.place(status="SAVED")
    with pytest.raises(RefusedError, match="closed"):
        shop.store.cancel(closed["id"])
    assert shop.store.cancel(parked["id"])["state"] == "voided"
    with pytest.raises(RefusedError):
        shop.store.update(parked["id"], {"status": "CLOSED"})


def test_a_sale_that_is_not_paid_does_not_close_and_nothing_of_the_try_remains():
    shop = Shop()
    sale = shop.place(status="SAVED")
    with pytest.raises(RefusedError, match="paid"):
        shop.store.update(sale["id"], {"status": "CLOSED", "quantities": {"COLA330-C24": 9}})
    assert shop.store.shown(sale["id"]) == sale


def test_a_return_is_a_new_sale_with_negative_lines():
    shop = listening()
    sale = shop.place(4, customer=ADA)
    back = shop.store.refund(
        sale["id"], {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "reason": "Damaged"}
    )
    (line,) = back["line_items"]
    assert (line["quantity"], line["pricing"]["price"], line["pricing"]["total"]) == (
        -1,
        13.2,
        -13.2,
    )
    assert line["return"] == {"is_return": True, "reason": "Damaged"}
    assert back["return"] == {
        "is_return": True,
        "original_sale_id": sale["id"],
        "return_sale_ids": [],
    }
    assert back["totals"]["price_incl_tax"] == -15.84
    assert back["payments"][0]["amount"] == -15.84
    original = shop.get(f"/sales/{sale['id']}").json()["data"]
    assert original["return"]["return_sale_ids"] == [back["id"]]
    assert original["line_items"] == sale["line_items"]
    assert original["_metadata"]["version"] > sale["_metadata"]["version"]
    assert shop.level() == 97
    assert shop.sent("sale.update")[-2]["return_for"] == sale["id"]


def test_no_more_comes_back_than_was_sold():
    shop = Shop()
    sale = shop.place(4)

    def give(quantity, **more):
        lines = [{"sku": "COLA330-C24", "quantity": quantity}]
        return shop.store.refund(sale["id"], {"lines": lines} | more)

    give(3)
    for wrong in (lambda: give(2), lambda: give(1, amount="1.00"), lambda: give(0)):
        with pytest.raises(RefusedError):
            wrong()
    give(1, amount="15.84")
    with pytest.raises(RefusedError, match="everything"):
        shop.store.refund(sale["id"], {})
    assert len(shop.rows("/sales")) == 3
    with pytest.raises(RefusedError, match="only a closed sale"):
        shop.store.refund(shop.place(status="SAVED")["id"], {})


def test_goods_go_out_whole_and_a_second_time_changes_nothing():
    shop = Shop()
    sale = shop.place(2, status="AWAITING_DISPATCH", customer=ADA, paid=True)
    assert (sale["state"], shop.level()) == ("pending", 100)
    path = f"{API}/sales/{sale['id']}/fulfill"
    assert shop.http.post(path, json={"fulfillment_type": "PICKED_UP"}).status_code == 409
    first = shop.http.post(path, json={"fulfillment_type": "SHIPPED"})
    again = shop.http.post(path, json={"fulfillment_type": "SHIPPED"})
    assert first.status_code == 200
    assert first.json() == again.json()
    assert shop.sandbox.accepted["fulfillments"] == 1
    (row,) = shop.rows(f"/sales/{sale['id']}/fulfillments")
    assert (row["status"], row["line_items"][0]["quantity"]) == ("SHIPPED", 2)
    assert shop.level() == 98
    with pytest.raises(RefusedError):
        shop.store.ship(shop.place()["id"], {})


def test_the_number_of_an_order_is_in_its_note():
    sale = Shop().place(po_number="88123", customer_note="Ring twice", **ON_ACCOUNT)
    assert sale["note"] == "PO 88123\nRing twice"


def test_a_set_takes_what_it_is_made_of():
    parts = [{"sku": "COLA330-C24", "quantity": 2}, {"sku": "TONIC150-C24", "quantity": 1}]
    made = {"sku": "SET", "name": "Bar set", "price": 40, "components": parts}
    shop = listening(products=[*PRODUCTS, made])
    shop.store.place({"lines": [{"sku": "SET", "quantity": 3}]})
    assert (shop.level(), shop.level("TONIC150-C24")) == (94, 47)
    shown = shop.get(f"/products/{shop.product('SET')['id']}").json()["data"]
    assert shown["is_composite"]
    assert [one["quantity"] for one in shown["composites"]] == [2, 1]


def test_a_case_knows_its_single():
    case = PRODUCTS[0] | {"pack": {"sku": "COLA330", "amount": 24}}
    shop = Shop(products=[case, {"sku": "COLA330", "name": "Cola", "price": "0.7"}])
    (link,) = shop.get(f"/products/{shop.product()['id']}").json()["data"]["packaging"]
    assert link == {
        "source_product_id": shop.product()["id"],
        "destination_product_id": shop.product("COLA330")["id"],
        "amount": 24,
    }


@pytest.mark.parametrize(
    "draft",
    [
        {"wrong": 1},
        {"lines": [{"sku": "NONE", "quantity": 1}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 0}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1, "name": "X"}]},
        {"status": "SHIPPED"},
        {"status": "ONACCOUNT"},
        {"status": "CLOSED", "paid": False, "lines": [{"sku": "DELIVERY", "quantity": 1}]},
        {"payment_method": "Shells"},
        {"fees": [{"name": "X", "total": 1, "type": "GIFT"}]},
        {"shipping": {"city": "Leeds"}},
        {"customer": ADA, "shipping": {"planet": "Mars"}},
    ],
)
def test_what_makes_no_sale_is_said(draft):
    shop = Shop()
    answer = shop.http.post("/_sandbox/orders", json=draft)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert shop.sandbox.accepted == {}


# -- writes ----------------------------------------------------------------------------------------


def post(shop: Shop, **changes) -> httpx.Response:
    return shop.http.post(f"{API}/sales", json=shop.sale_body(**changes))


def test_a_sale_is_written_with_an_id_of_ours_and_not_twice():
    shop = listening()
    ours = "6f9619ff-8b86-5011-b42d-00c04fc964ff"
    made = post(shop, id=ours)
    assert (made.status_code, made.json()["data"]["id"]) == (200, ours)
    assert made.json()["data"]["source"]["id"] == "shop:1"
    assert made.json()["data"]["totals"]["price_incl_tax"] == 31.68
    assert shop.get(f"/sales/{ours}").json() == made.json()
    assert post(shop, id=ours).status_code == 409
    assert shop.topics() == ["sale.update"]
    assert shop.sandbox.accepted["sales"] == 1
    over = Shop(repost="overwrite")
    assert [post(over, id=ours).status_code for _ in range(2)] == [200, 200]
    assert len(over.rows(f"/sales/{ours}")["line_items"]) == 2


def test_a_line_without_its_id_is_added_again():
    shop = Shop()
    sale = post(shop).json()["data"]
    path = f"{API}/sales/{sale['id']}"
    body = shop.sale_body()
    body["line_items"][0] |= {"id": sale["line_items"][0]["id"], "quantity": 5}
    assert len(shop.http.put(path, json=body).json()["data"]["line_items"]) == 1
    assert len(shop.http.put(path, json=shop.sale_body()).json()["data"]["line_items"]) == 2


def test_a_return_is_paid_out_by_a_second_call():
    shop = Shop()
    sale = shop.place(2)
    back = shop.http.post(f"{API}/sales/{sale['id']}/actions/return").json()["data"]
    assert (back["state"], back["line_items"][0]["quantity"]) == ("parked", -2)
    kind = shop.store.first("payment_types")["id"]
    refund = {"amount": -31.68, "type": {"config_id": kind}}
    body = {"source": shop.sale_body()["source"], "state": "closed"}
    path = f"{API}/sales/{back['id']}"
    assert shop.http.put(path, json=body).status_code == 422, "nothing was paid out"
    closed = shop.http.put(path, json=body | {"payments": [refund]}).json()["data"]
    assert (closed["state"], shop.level()) == ("closed", 100)
    parked = post(shop).json()["data"]["id"]
    assert shop.http.post(f"{API}/sales/{parked}/actions/return").status_code == 422


def test_what_looks_like_a_card_is_gone():
    shop = Shop()
    sale = post(shop, note="Ref 4111 1111 1111 1111, PO 88123").json()["data"]
    assert sale["note"] == "Ref ****, PO 88123"


def test_a_pending_sale_waits_for_something():
    shop = Shop()
    assert post(shop, state="pending").status_code == 422
    shown = post(shop, state="pending", attributes=["onaccount"]).json()["data"]
    assert (shown["state"], shown["attributes"]) == ("pending", ["onaccount"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.pop("state"),
        lambda body: body.pop("source"),
        lambda body: body.update(state="SAVED"),
        lambda body: body.update(colour="red"),
        lambda body: body.update(id="1"),
        lambda body: body.update(customer_id="6f9619ff-8b86-5011-b42d-00c04fc964ff"),
        lambda body: body.update(date="yesterday"),
        lambda body: body.update(line_items={}),
        lambda body: body.update(payments=[{"amount": 1}]),
        lambda body: body.update(payments=[{"type": {"config_id": "x"}, "amount": 1}]),
        lambda body: body.update(pricing={"adjustments": [{"type": "TIP"}]}),
        lambda body: body["source"].pop("author_id"),
        lambda body: body["source"].update(author_id="x"),
        lambda body: body["line_items"][0].pop("product"),
        lambda body: body["line_items"][0].pop("quantity"),
        lambda body: body["line_items"][0].update(quantity="2"),
        lambda body: body["line_items"][0].update(sku="COLA330-C24"),
        lambda body: body["line_items"][0]["pricing"].pop("price"),
        lambda body: body["line_items"][0]["tax"].pop("amount"),
        lambda body: body["line_items"][0]["tax"].pop("id"),
        lambda body: body["line_items"][0]["product"].update(id="x"),
    ],
)
def test_a_sale_with_something_missing_is_refused_whole(spoil):
    shop = Shop()
    body = shop.sale_body()
    spoil(body)
    answer = shop.http.post(f"{API}/sales", json=body)
    assert (answer.status_code, set(answer.json())) == (422, {"error", "message"})
    assert shop.rows("/sales") == []
    assert shop.sandbox.accepted == {}


def test_customers_are_written_found_and_removed():
    shop = listening()
    given = {"first_name": "Ada", "last_name": None, "customer_code": "CORNER"}
    made = shop.http.post(f"{API}/customers", json=given)
    row = made.json()["data"]
    assert (made.status_code, row["customer_code"]) == (201, "CORNER")
    assert shop.http.post(f"{API}/customers", json=given).status_code == 409
    assert shop.http.post(f"{API}/customers", json={"first_name": "Bo"}).status_code == 422
    path = f"{API}/customers/{row['id']}"
    shop.http.put(path, json={"email": "ada@corner.example", "postal_city": "Leeds"})
    found = shop.rows("/search", type="customers", email="ada@corner.example")
    assert [one["postal_city"] for one in found] == ["Leeds"]
    assert shop.http.put(path, json={"balance": 0}).status_code == 422
    assert shop.http.delete(path).status_code == 204
    assert shop.rows("/search", type="customers", customer_code="CORNER") == []
    found = shop.rows("/search", type="customers", customer_code="CORNER", deleted="true")
    assert len(found) == 1
    assert shop.topics() == ["customer.update"] * 3


def test_a_price_is_kept_in_the_shops_own_way_and_a_count_needs_a_product_that_is_counted():
    shop = listening()
    path = f"{API}/products/{shop.product()['id']}"
    shown = shop.http.put(path, json={"details": {"price_excluding_tax": 14}}).json()["data"]
    assert (shown["price_excluding_tax"], shown["price_including_tax"]) == (14, 16.8)
    wrong = {"details": {"price_including_tax": 14}}
    assert shop.http.put(path, json=wrong).status_code == 422
    outlet = shop.store.first("outlets")["id"]
    count = {"details": {"inventory": [{"outlet_id": outlet, "current_amount": 480}]}}
    assert shop.http.put(path, json=count).status_code == 200
    assert shop.level() == 480
    other = f"{API}/products/{shop.product('DELIVERY')['id']}"
    assert shop.http.put(other, json=count).status_code == 422
    assert shop.topics() == ["product.update", "inventory.update"]


# -- wrong requests and the search -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("GET", "/sales/1"), 404),
        (("GET", "/products/1"), 404),
        (("GET", "/products/1/inventory"), 404),
        (("GET", "/customers/1"), 404),
        (("GET", "/webhooks/1"), 404),
        (("PUT", "/sales/1"), 400),
        (("DELETE", "/sales/1"), 405),
        (("PATCH", "/sales"), 405),
        (("GET", "/payment_types/1"), 404),
        (("GET", "/orders"), 404),
        (("GET", "/register_sales"), 404),
        (("GET", "/sales?page_size=0"), 400),
        (("GET", "/sales?page_size=x"), 400),
        (("GET", "/sales?after=-1"), 400),
        (("GET", "/sales?deleted=true"), 400),
        (("GET", "/sales?updated_after=2026-11-20"), 400),
        (("GET", "/inventory?deleted=true"), 400),
        (("GET", "/products?deleted=yes"), 400),
        (("GET", "/customers?email=ada@cornerpop.example"), 400),
        (("GET", "/retailer?page_size=1"), 400),
        (("GET", "/search"), 400),
        (("GET", "/search?type=orders"), 400),
        (("GET", "/search?type=sales&source_id=1"), 400),
        (("GET", "/search?type=products&order_by=name"), 400),
        (("GET", "/search?type=sales&date_from=2026-11-20"), 400),
        (("GET", "/search?type=sales&order_direction=up"), 400),
    ],
)
def test_wrong_requests_are_refused_in_the_vendors_words(call, status):
    method, path = call
    answer = Shop().http.request(method, API + path)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "message"})
    assert answer.headers["x-ratelimit-limit"] == "350"


def test_a_sku_is_found_in_lower_case_alone():
    shop = Shop()
    assert shop.rows("/search", type="products", sku="COLA330-C24") == []
    (row,) = shop.rows("/search", type="products", sku="cola330-c24")
    assert row == shop.get(f"/products/{row['id']}").json()["data"]
    both = shop.get("/search?type=products&sku=cola330-c24&sku=tonic150-c24&order_by=sku").json()
    assert [one["sku"] for one in both["data"]] == ["COLA330-C24", "TONIC150-C24"]
    rest = shop.rows("/search", **{"type": "products", "-sku": "cola330-c24"})
    assert [one["sku"] for one in rest] == ["TONIC150-C24", "DELIVERY"]


def test_sales_are_found_by_number_state_and_time_and_by_pages():
    shop = Shop()
    first = shop.place(status="SAVED")
    shop.tick(3600)
    second = shop.place()

    def ids(**query):
        return [one["id"] for one in shop.rows("/search", type="sales", **query)]

    assert ids(invoice_number="FZ-1002") == [second["id"]]
    assert ids(status="SAVED") == ids(status="parked") == [first["id"]]
    assert ids(date_from="2026-11-20T10:30:00Z") == [second["id"]]
    assert ids(date_to="2026-11-20T10:30:00Z") == [first["id"]]
    assert ids(offset=1) == [second["id"]]
    assert ids(order_by="invoice_number", order_direction="desc", page_size=1) == [second["id"]]


def test_prices_by_group_are_read_by_book_and_by_product():
    prices = [{"sku": "COLA330-C24", "price": 12.1, "min_units": 10}]
    book = {"name": "Trade prices", "customer_group": "Trade", "prices": prices}
    shop = Shop(price_books=[book])
    made = shop.rows("/price_books")[-1]
    assert made["name"] == "Trade prices"
    (entry,) = shop.rows(f"/price_books/{made['id']}/products")
    assert (entry["price"], entry["min_units"]) == (12.1, 10)
    path = f"/products/{shop.product()['id']}/price_book_products"
    assert shop.rows(path) == shop.rows("/price_book_products") == [entry]


# -- what people do --------------------------------------------------------------------------------


def test_the_control_routes_drive_the_shop():
    shop = listening()
    http = shop.http
    lines = [{"sku": "COLA330-C24", "quantity": 2}]
    made = http.post("/_sandbox/orders", json={"lines": lines, "status": "SAVED"})
    key = made.json()["id"]
    assert (made.status_code, made.json()["order"]["state"]) == (201, "parked")
    assert shop.sandbox.accepted["orders"] == 1

    def do(action, **given):
        return http.post(f"/_sandbox/orders/{key}/{action}", json=given)

    assert do("update", customer_note="Ring").json()["order"]["note"] == "Ring"
    assert do("pay").json()["order"]["state"] == "closed"
    refund = do("refund", lines=[{"sku": "COLA330-C24", "quantity": 1}]).json()
    assert (refund["id"], refund["order"]["id"]) == (key, key)
    assert refund["refund"]["return"]["original_sale_id"] == key
    assert [do(action).status_code for action in ("cancel", "ship", "delete")] == [422] * 3
    assert do("explode").status_code == 404
    assert http.post("/_sandbox/orders/1/cancel", json={}).status_code == 422
    assert http.post("/_sandbox/shelves", json={}).status_code == 404
    assert http.post("/_sandbox/products", json={}).status_code == 404
    customer = http.post("/_sandbox/customers", json=ADA)
    assert (customer.status_code, customer.json()["customer"]["email"]) == (201, ADA["email"])
    changed = {"stock": "7", "price": "15"}
    product = http.post("/_sandbox/products/COLA330-C24/update", json=changed)
    assert product.json()["product"]["price_excluding_tax"] == 15
    http.put("/_sandbox/webhook_uri", json={"uri": "https://other.example"})
    shop.place()
    assert shop.sandbox.outbox.deliveries[-1].uri == "https://other.example"
    assert http.post("/_sandbox/reset").status_code == 204
    assert shop.rows("/sales") == []
    assert {one["url"] for one in shop.rows("/webhooks")} == {HOOK}


def test_the_address_may_come_before_any_webhook():
    shop = Shop()
    shop.http.put("/_sandbox/webhook_uri", json={"uri": HOOK})
    assert sorted(one["type"] for one in shop.rows("/webhooks")) == sorted(TYPES)


def test_every_type_can_happen():
    shop = listening()
    shop.place(customer=ADA)
    shop.store.change_product("COLA330-C24", {"name": "Cola"})
    order = shop.store.consign({"lines": [{"sku": "COLA330-C24", "quantity": 24}]})
    for action in ("send", "receive"):
        shop.http.post(f"/_sandbox/consignments/{order['id']}/{action}", json={})
    closed = shop.http.post("/_sandbox/register_closures", json={})
    assert closed.json()["closure"]["payments"][0]["total"] == "15.84"
    assert set(shop.topics()) == set(TYPES)
    assert shop.level() == 123
    again = shop.http.post(f"/_sandbox/consignments/{order['id']}/receive", json={})
    assert again.status_code == 422


def test_a_wrong_seed_is_seen():
    with pytest.raises(RefusedError, match="colour"):
        Shop(colour="red")


def test_addresses_are_the_customers():
    shop = listening()
    sale = shop.place(
        customer=ADA,
        billing={"address_1": "14 Fizz Lane", "country": "GB"},
        shipping={"address_1": "Dock Road", "postcode": "LS10 1EF"},
    )
    row = shop.get(f"/customers/{sale['customer_id']}").json()["data"]
    assert (row["postal_address_1"], row["postal_country_id"]) == ("14 Fizz Lane", "GB")
    assert (row["physical_address_1"], row["physical_postcode"]) == ("Dock Road", "LS10 1EF")
    shop.store.update(sale["id"], {"shipping": {"city": "York"}})
    told = shop.sent("customer.update")[-1]
    assert (told["physical_address1"], told["physical_city"]) == ("Dock Road", "York")
    again = shop.place(customer=ADA)
    assert again["customer_id"] == sale["customer_id"]


# -- the fixtures and the vendor's own files -------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_a_form_without_its_proof(path):
    fixture = json.loads(path.read_text())
    assert set(fixture) == {"description", "origin", "api_version", "headers", "body"}
    assert fixture["api_version"] == "2026-07"
    assert "X-Signature" not in fixture["headers"]
    fields = parse_qs(fixture["body"], strict_parsing=True)
    kind = path.stem.partition("__")[0]
    assert fields.get("type", [""])[0].replace(".", "_") in (kind, "")
    assert payload(fixture["body"].encode())["id"]


def test_there_is_a_fixture_for_every_type():
    kinds = {path.stem.partition("__")[0] for path in FIXTURES}
    assert kinds == {kind.replace(".", "_") for kind in TYPES}


def typed(value, path="") -> dict[str, set[str]]:
    """Every path of keys in a body with the kinds of its values; rows of a list count as one."""
    found: dict[str, set[str]] = {}
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else (("[]", row) for row in value)
        for key, one in inner:
            for name, kinds in typed(one, f"{path}.{key}").items():
                found.setdefault(name, set()).update(kinds)
        return found or {path: {"empty"}}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {path: {"number" if number else type(value).__name__}}


def full_shop() -> Shop:
    """A shop in which something of everything happened."""
    prices = [{"sku": "COLA330-C24", "price": 12.1, "min_units": 10, "max_units": 99}]
    book = {"name": "Trade prices", "customer_group": "Trade", "prices": prices}
    shop = listening(price_books=[book], payment_currency=True, quantity_as_text=True)
    row = shop.store.add_account(ADA | {"limit": 1000, "phone": "1"})
    names = "note gender date_of_birth mobile fax twitter website".split()
    names += [f"custom_field_{place}" for place in range(1, 5)]
    names += [
        f"{kind}_{field}"
        for kind in ("physical", "postal")
        for field in "suburb city postcode state address_1 address_2 country_id".split()
    ]
    shop.store.tables["customers"][row["id"]].update(dict.fromkeys(names, "x"))
    fee = [{"name": "Card fee", "total": "1.50"}]
    sale = shop.place(4, customer=ADA, fees=fee, shipping_total="5", customer_note="Hello")
    shop.store.refund(sale["id"], {"lines": [{"sku": "COLA330-C24", "quantity": 1}]})
    shop.place(status="SAVED")
    shop.place(status="AWAITING_DISPATCH", paid=True)
    shop.store.consign({"type": "SUPPLIER"})
    return shop


@needs_vendor
@pytest.mark.parametrize(
    ("name", "path", "absent"),
    [
        ("x_api20_customers_list", "/customers", set()),
        ("x_api20_inventory_list", "/inventory", set()),
        ("x_api20_outlets", "/outlets", {".data.[].attributes.[].key"}),
        ("x_api20_payment_types", "/payment_types", {".data.[].config.url"}),
        ("x_api20_taxes", "/taxes", set()),
        ("x_api20_price_book_products", "/price_book_products", {".data.[].loyalty_value"}),
        ("x_api20_product_inventory", "/products/{product}/inventory", set()),
        ("x_api20_consignment_created", "/consignments/{consignment}", {".data.filters"}),
    ],
)
def test_a_sample_could_be_the_sandboxs_own(name, path, absent):
    """The same fields, of the same kinds; what a shop like ours has none of is named."""
    theirs = typed(json.loads((SAMPLES / f"{name}.json").read_text()))
    shop = full_shop()
    ids = {"product": shop.product("TONIC150-C24")["id"]}
    ids["consignment"] = shop.store.first("consignments")["id"]
    ours = typed(shop.get(path.format_map(ids)).json())
    prefixes = {one.rpartition(".")[0] if one.count(".") > 3 else one for one in absent}
    stocktake = {".data.show_inactive"} if "consignment" in name else set()
    missing = {
        one
        for one in set(theirs) - set(ours)
        if not any(one.startswith(prefix) for prefix in prefixes | stocktake)
    }
    assert missing == set()
    for one in set(theirs) & set(ours):
        # Where theirs has a value, ours has none of another kind; null and nothing say nothing.
        mute = {"NoneType", "empty"}
        assert ours[one] - mute <= theirs[one] or not theirs[one] - mute, one


@needs_vendor
def test_the_sample_of_the_old_shape_could_be_a_webhook_of_ours():
    theirs = typed(json.loads((SAMPLES / "x_register_sale_cash_single.json").read_text()))
    shop = full_shop()
    told = typed(shop.sent("sale.update")[0])
    assert set(theirs) - set(told) == set()
    for one in theirs:
        assert told[one] - {"NoneType"} <= theirs[one] or theirs[one] == {"NoneType"}, one


@needs_vendor
def test_the_sample_of_a_sale_in_the_2_0_shape_adds_up_as_ours_do():
    """The pinned version has other names; the sums and the words of the old shape are the same."""
    theirs = json.loads((SAMPLES / "x_api20_sale_single.json").read_text())["data"]
    lines = sum(one["price_total"] for one in theirs["line_items"])
    fees = sum(one["value"] for one in theirs["adjustments"])
    assert theirs["total_price"] == lines + fees
    told = full_shop().sent("sale.update")[0]
    assert set(theirs["adjustments"][0]) == set(told["adjustments"][0])
    renamed = {"line_items", "payments", "receipt_number", "total_loyalty"}
    assert set(theirs) - set(told) == renamed
    assert theirs["status"] == told["status"]


def schema_of(spec: dict, name: str) -> dict:
    """One schema with what it refers to; ``nullable`` is said in the newer way."""

    def newer(value):
        if isinstance(value, list):
            return [newer(one) for one in value]
        if not isinstance(value, dict):
            return value
        known = {key: newer(one) for key, one in value.items() if key != "example"}
        if known.pop("nullable", False) and isinstance(known.get("type"), str):
            known["type"] = [known["type"], "null"]
        return known

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/components/schemas/{name}",
        "components": newer(spec["components"]),
    }


@needs_vendor
@pytest.mark.parametrize(
    ("path", "name"), [("/sales", "Sale"), ("/webhooks", "Webhook")], ids=lambda one: one
)
def test_what_the_pinned_version_answers_fits_its_description(path, name):
    file = SPECS / "x-series-2026-07-sales-webhooks.condensed.openapi.json"
    spec = json.loads(file.read_text())
    validator = jsonschema.Draft202012Validator(schema_of(spec, name))
    rows = full_shop().rows(path)
    assert len(rows) > 3
    for row in rows:
        validator.validate(row)
    if name == "Sale":
        known = spec["components"]["schemas"]["Sale"]["properties"]
        assert {key for row in rows for key in row} <= set(known)
        lines = known["line_items"]["items"]["properties"]
        assert {key for row in rows for x in row["line_items"] for key in x} <= set(lines)


@needs_vendor
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/products", "ProductCollection"),
        ("/customers", "CustomerCollection"),
        ("/inventory", "InventoryCollection"),
        ("/outlets", "OutletCollection"),
        ("/registers", "RegisterCollection"),
        ("/payment_types", "PaymentTypeCollection"),
        ("/taxes", "TaxCollection"),
        ("/customer_groups", "CustomerGroupCollection"),
        ("/price_books", "PriceBookCollection"),
        ("/price_book_products", "PriceBookProductCollection"),
        ("/users", "UserCollection"),
        ("/sales/{sale}/fulfillments", "FulfillmentsResponse"),
        ("/consignments/{consignment}/products", "ConsignmentProductCollection"),
    ],
    ids=lambda one: one,
)
def test_what_the_newer_descriptions_do_not_hold_fits_the_2_0_one(path, name):
    spec = json.loads((SPECS / "x-series-api-2.0.openapi.json").read_text())
    shop = full_shop()
    sale = shop.rows("/search", type="sales", status="AWAITING_DISPATCH")[0]
    shop.store.ship(sale["id"], {})
    ids = {"sale": sale["id"], "consignment": shop.store.first("consignments")["id"]}
    body = shop.get(path.format_map(ids)).json()
    assert body["data"] or "consignment" in path
    jsonschema.Draft202012Validator(schema_of(spec, name)).validate(body)


def test_the_times_of_the_clock_are_utc_whatever_its_zone():
    shop = listening(time_offset="+13:00")
    shop.now = START.astimezone(UTC)
    sale = shop.place(created_at="2026-11-20T12:00:00+02:00")
    assert (sale["date"], sale["created_at"]) == ("2026-11-20T10:00:00+00:00",) * 2
    assert shop.sent("sale.update")[0]["sale_date"] == "2026-11-20T23:00:00+13:00"
