"""The sandbox store keeps the vendor's habits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path

import httpx
import jsonschema
import pytest
import yaml

from platforms.bigcommerce.sandbox import RETRY_SECONDS
from platforms.bigcommerce.sandbox_calls import SCOPES
from platforms.bigcommerce.sandbox_hooks import CHANNEL_TOPICS, TOPICS, sign
from platforms.bigcommerce.sandbox_query import cursor
from platforms.bigcommerce.sandbox_shapes import STATUSES, RefusedError
from tests.kit.stand import START
from tests.kit.transport import SandboxTransport
from tests.platforms.bigcommerce.bigcommerce_shop import ADA, COLA, HOOK, HOST, LEMON, Shop

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES = VENDOR / "samples" / "bigcommerce"
SPECS = VENDOR / "specs" / "bigcommerce"
EVENTS = Path(__file__).parents[3] / "events" / "bigcommerce"
FIXTURES = sorted(EVENTS.glob("*__*.json"))
BEN = {"email": "ben@corner.example", "first_name": "Ben", "last_name": "Ode"}
TRADER = BEN | {"company": "Corner Pop Ltd"}
BILLING = {
    "first_name": "Ada",
    "last_name": "Quill",
    "street_1": "1 Dock Rd",
    "city": "Leeds",
    "zip": "LS1 1AA",
    "country": "United Kingdom",
    "country_iso2": "GB",
    "email": "ada@corner.example",
}
NEW = {"billing_address": BILLING, "products": [{"product_id": 111, "quantity": 4}]}
HOOKED = {"scope": "store/order/*", "destination": HOOK}
DEPOSIT = {"name": "Deposit", "sku": "DEP", "quantity": 1, "price_ex_tax": 2, "price_inc_tax": 2}
needs_vendor = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's samples and specs are not on this machine"
)


def listening(**seed) -> Shop:
    return Shop(webhook_uri=HOOK, **seed)


def amounts(body, *names) -> list[str]:
    return [body[name] for name in names]


# -- webhooks --------------------------------------------------------------------------------------


def test_the_sheets_own_signature():
    body = (
        b'{"producer":"stores/abc123","hash":"0f1b5800def7b505369b08b4a3503a1db2c4b1a6",'
        b'"created_at":1763900000,"store_id":"1000123","scope":"store/order/created",'
        b'"data":{"type":"order","id":272}}'
    )
    proof = sign("bc-client-secret-for-tests", "msg_2abcDEF", 1763900001, body)
    assert proof == "v1,tiFRtoEuQsawJ8ZAKPOlbGKcH+uK5tJKj83VLs6nGq4="


def test_a_delivery_says_who_and_what_and_proves_it():
    shop = listening()
    order = shop.place()
    sent = shop.deliveries[0]
    body = json.loads(sent.body)
    assert list(body) == ["producer", "hash", "created_at", "store_id", "scope", "data"]
    assert body["data"] == {"type": "order", "id": order["id"]}
    assert (body["producer"], body["scope"]) == ("stores/fizz01", "store/order/created")
    assert (body["created_at"], body["store_id"]) == (int(START.timestamp()), "1000123")
    assert len(body["hash"]) == 40
    headers = sent.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + sent.body
    proof = hmac.digest(b"bc_sandbox_secret", signed, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(proof).decode()}"
    assert headers["X-Fizz-Hook"] == "fizz-hook-secret"


def test_hooks_of_a_store_account_may_be_sent_without_proof():
    shop = listening(signs=False)
    shop.place()
    assert set(shop.deliveries[0].headers) == {"Content-Type", "X-Fizz-Hook"}
    shop.sandbox.send = lambda delivery: 200 if delivery.headers["X-Fizz-Hook"] else 500
    assert shop.sandbox.outbox.post(shop.deliveries[0]) == 200


def test_one_edit_is_told_more_than_once_with_the_same_hash():
    shop = listening()
    order = shop.place()
    before = len(shop.deliveries)
    shop.store.update(order["id"], {"quantities": {COLA: 6}})
    told = [one for one in shop.deliveries[before:] if one.topic == "store/order/updated"]
    assert len(told) == 2
    assert told[0].body == told[1].body
    assert told[0].headers["webhook-id"] != told[1].headers["webhook-id"]


def test_every_try_is_stamped_and_signed_anew_under_its_old_id():
    shop = listening()
    shop.place()
    sent: list = []
    shop.sandbox.send = lambda delivery: sent.append(delivery.headers) or 500
    shop.sandbox.outbox.post(shop.deliveries[0])
    shop.tick(600)
    shop.sandbox.outbox.post(shop.deliveries[0])
    first, second = sent
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 600
    assert first["webhook-signature"] != second["webhook-signature"]
    assert second["X-Fizz-Hook"] == "fizz-hook-secret"


def test_eleven_more_tries_in_two_days_then_the_hook_is_off():
    assert len(RETRY_SECONDS) == 11
    assert sum(RETRY_SECONDS) == pytest.approx(48 * 3600, rel=0.01)
    shop = Shop()
    for scope, end in (("store/order/created", ""), ("store/hook/deliveryException", "/alarm")):
        shop.http.post("v3/hooks", json={"scope": scope, "destination": HOOK + end})
    shop.tick(61)
    shop.place()
    shop.sandbox.send = lambda _: 404
    outbox = shop.sandbox.outbox
    for _ in range(12):
        outbox.send([shop.deliveries[0].id])
    row = shop.data("v3/hooks")[0]
    assert row["is_active"] is False
    assert shop.told("store/hook/deliveryException")["error_code"] == 90002
    health = shop.data("v3/hooks/admin", is_active="false")
    assert [one["status"] for one in health["hooks_list"]] == ["deactivated"]
    shop.http.put(f"v3/hooks/{row['id']}", json={"is_active": True})
    assert shop.data("v3/hooks/admin")["hooks_list"][0]["status"] == "active"


def test_only_200_is_an_answer():
    shop = listening()
    shop.place()
    shop.sandbox.send = lambda _: 204
    shop.sandbox.outbox.send([shop.deliveries[0].id])
    assert shop.deliveries[0].status == "waiting"


def test_a_hook_is_live_after_a_minute():
    shop = Shop()
    answer = shop.http.post("v3/hooks", json=HOOKED | {"headers": {"X-Fizz-Hook": "long"}})
    made = answer.json()["data"]
    assert answer.status_code == 200
    assert made == {
        "id": 18048287,
        "client_id": "bc_sandbox_client",
        "store_hash": "fizz01",
        "scope": "store/order/*",
        "destination": HOOK,
        "headers": {"X-Fizz-Hook": "long"},
        "is_active": True,
        "created_at": int(START.timestamp()),
        "updated_at": int(START.timestamp()),
    }
    assert shop.sandbox.accepted["hooks"] == 1
    shop.place()
    assert shop.topics() == []
    shop.tick(60)
    shop.place()
    assert shop.topics()[0] == "store/order/created"
    assert shop.deliveries[0].headers["X-Fizz-Hook"] == "long"


def test_a_hook_is_read_changed_and_removed():
    shop = Shop()
    path = f"v3/hooks/{shop.http.post('v3/hooks', json=HOOKED).json()['data']['id']}"
    shop.tick()
    changed = shop.http.put(path, json={"is_active": False}).json()["data"]
    assert (changed["is_active"], changed["updated_at"] - changed["created_at"]) == (False, 60)
    shop.place()
    assert shop.topics() == []
    assert shop.http.delete(path).json()["data"]["scope"] == "store/order/*"
    assert [shop.http.request(m, path).status_code for m in ("GET", "DELETE")] == [404, 404]
    assert shop.data("v3/hooks") == []


def test_ten_hooks_of_a_scope_each_with_its_own_address():
    shop = Shop()
    for place in range(10):
        given = HOOKED | {"destination": f"{HOOK}/{place}"}
        assert shop.http.post("v3/hooks", json=given).status_code == 200
    assert shop.http.post("v3/hooks", json=HOOKED).status_code == 422
    other = HOOKED | {"scope": "store/sku/*"}
    assert shop.http.post("v3/hooks", json=other).status_code == 200
    assert shop.http.post("v3/hooks", json=other).status_code == 422
    assert len(shop.data("v3/hooks", scope="store/order/*")) == 10
    assert len(shop.data("v3/hooks", destination=HOOK, is_active="true")) == 1


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"scope": "store/order/*"},
        {"destination": HOOK},
        HOOKED | {"scope": "store/orders/*"},
        HOOKED | {"scope": "store/*"},
        HOOKED | {"scope": 7},
        HOOKED | {"scope": "store/channel/x/inventory/product/*"},
        HOOKED | {"scope": "store/channel/1/inventory/product/stolen"},
        HOOKED | {"destination": "http://hooks.example/bigcommerce"},
        HOOKED | {"destination": "https://hooks.example:8443/bigcommerce"},
        HOOKED | {"destination": "https://hooks.example:x/bigcommerce"},
        HOOKED | {"destination": None},
        HOOKED | {"is_active": "yes"},
        HOOKED | {"headers": {"X-Number": 7}},
        HOOKED | {"events_history_enabled": True},
    ],
)
def test_a_hook_of_nothing_is_refused(given):
    assert Shop().http.post("v3/hooks", json=given).status_code == 422


def test_a_hook_needs_the_right_to_read_what_it_tells():
    shop = Shop(scopes=["store_v2_orders_read_only"])
    assert shop.http.post("v3/hooks", json=HOOKED).status_code == 200
    refused = shop.http.post("v3/hooks", json=HOOKED | {"scope": "store/customer/created"})
    assert refused.status_code == 403


def test_a_hook_that_hears_nothing_for_ninety_days_is_off():
    shop = listening()
    shop.tick(89 * 86400)
    shop.place()
    shop.tick(2 * 86400)
    active = {one["scope"]: one["is_active"] for one in shop.data("v3/hooks")}
    assert active["store/order/*"] is True
    assert active["store/sku/*"] is False


def test_who_is_told_of_dead_hooks_can_be_set():
    shop = Shop()
    given = {"emails": ["ops@fizz.example"]}
    assert shop.http.put("v3/hooks/admin", json=given).status_code == 204
    assert shop.data("v3/hooks/admin") == given | {"hooks_list": [], "blocked_domains": []}
    assert shop.http.put("v3/hooks/admin", json={"emails": "x"}).status_code == 422


def test_a_hook_may_move_but_not_onto_another():
    shop = Shop()
    ids = [
        shop.http.post("v3/hooks", json=HOOKED | {"destination": f"{HOOK}/{place}"}).json()["data"]
        for place in range(2)
    ]
    path = f"v3/hooks/{ids[1]['id']}"
    assert shop.http.put(path, json={"destination": f"{HOOK}/0"}).status_code == 422
    moved = shop.http.put(path, json={"destination": f"{HOOK}/1", "scope": "store/order/created"})
    assert moved.json()["data"]["scope"] == "store/order/created"


# -- what is told ----------------------------------------------------------------------------------


def test_a_checkout_makes_an_incomplete_order_and_moves_it_at_once():
    shop = listening()
    shop.place()
    assert shop.topics() == [
        "store/order/created",
        "store/order/transaction/created",
        "store/order/statusUpdated",
        "store/product/inventory/order/updated",
        "store/channel/1/inventory/product/stock_changed",
        "store/order/updated",
    ]
    moved = {"previous_status_id": 0, "new_status_id": 11}
    assert shop.told("store/order/statusUpdated")["status"] == moved


def test_a_checkout_somebody_left_is_told_too():
    shop = listening()
    order = shop.place(status="Incomplete", paid=False)
    assert shop.topics() == ["store/order/created"]
    assert (order["status_id"], order["payment_status"]) == (0, "")
    assert shop.store.catalogue.by_sku(COLA)["inventory_level"] == 480


def test_the_ids_of_a_transaction_are_texts():
    shop = listening()
    shop.place()
    told = shop.told("store/order/transaction/created")
    assert told == {
        "type": "transaction",
        "order_id": "100",
        "transaction_id": "176342001",
        "transaction_status": "complete",
        "transaction_type": "purchase",
    }


@pytest.mark.parametrize(
    ("action", "scopes"),
    [
        (lambda shop, key: shop.store.cancel(key), {"order/statusUpdated", "order/updated"}),
        (lambda shop, key: shop.store.delete(key), {"order/archived"}),
        (lambda shop, key: shop.store.message(key, "Ring"), {"order/message/created"}),
        (lambda shop, key: shop.store.update(key, {"customer_note": "x"}), {"order/updated"}),
        (
            lambda shop, key: shop.store.refund(key, {"amount": "5"}),
            {
                "order/refund/created",
                "order/transaction/created",
                "order/statusUpdated",
                "order/updated",
            },
        ),
        (
            lambda shop, key: shop.store.ship(key),
            {"shipment/created", "order/statusUpdated", "order/updated"},
        ),
    ],
)
def test_what_happens_to_an_order_is_told(action, scopes):
    shop = listening()
    key = shop.place()["id"]
    before = len(shop.deliveries)
    action(shop, key)
    told = set(shop.topics()[before:])
    assert {one for one in told if "inventory" not in one} == {f"store/{one}" for one in scopes}


def test_an_account_does_not_see_its_address_change():
    shop = listening()
    made = shop.store.people.add(BEN | {"addresses": [_address()]})
    book = shop.data("v3/customers/addresses", **{"customer_id:in": made["id"]})
    shop.http.put("v3/customers/addresses", json=[{"id": book[0]["id"], "city": "York"}])
    assert shop.topics() == [
        "store/customer/created",
        "store/customer/address/created",
        "store/customer/address/updated",
    ]
    told = shop.told("store/customer/address/updated")
    assert told == {"type": "customer", "id": 1, "address": {"customer_id": made["id"]}}


def _address(**more):
    given = {"first_name": "Ben", "last_name": "Ode", "address1": "1 Dock Rd", "city": "Leeds"}
    return given | {"country_code": "GB"} | more


def test_stock_is_told_by_product_or_by_variant_and_says_how_it_moved():
    shop = listening()
    shop.store.place({"lines": [{"sku": COLA, "quantity": 2}, {"sku": "ELDER-C12", "quantity": 3}]})
    told = shop.told("store/product/inventory/order/updated")["inventory"]
    assert told == {"product_id": 111, "method": "relative", "value": -2}
    told = shop.told("store/sku/inventory/order/updated")
    assert told["inventory"]["method"] == "relative"
    assert told["id"] != told["inventory"]["variant_id"]
    ends = [one.rpartition("/")[2] for one in shop.topics() if "/channel/" in one]
    assert ends.count("out_of_stock_reached") == 1
    _absolute(shop, {"location_id": 1, "sku": COLA, "quantity": 300})
    assert shop.told("store/product/inventory/updated")["inventory"]["method"] == "absolute"


def test_what_nobody_counts_is_not_told():
    shop = listening()
    shop.store.place({"lines": [{"sku": LEMON, "quantity": 1}]})
    assert not [one for one in shop.topics() if "inventory" in one]


# -- tokens, rights, quota -------------------------------------------------------------------------

GRANT = {
    "client_id": "bc_sandbox_client",
    "client_secret": "bc_sandbox_secret",
    "code": "c1",
    "context": "stores/fizz01",
    "scope": "store_v2_orders",
    "grant_type": "authorization_code",
    "redirect_uri": "https://app.example/bigcommerce/auth",
}


def test_a_code_gives_a_token_once_and_the_old_token_is_gone():
    shop = Shop(oauth_codes=["c1"])
    answer = shop.http.post(f"{HOST}/oauth2/token", json=GRANT)
    given = answer.json()
    assert answer.status_code == 200
    assert set(given) == {"access_token", "scope", "user", "context", "account_uuid"}
    assert shop.get("v2/time").status_code == 401
    again = {"X-Auth-Token": given["access_token"]}
    assert shop.http.get("v2/time", headers=again).status_code == 200
    refused = shop.http.post(f"{HOST}/oauth2/token", json=GRANT)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_grant_names_everything():
    http = Shop(oauth_codes=["c1"]).http
    for name in GRANT:
        given = {key: value for key, value in GRANT.items() if key != name}
        answer = http.post(f"{HOST}/oauth2/token", json=given)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"code": "x"}, 400, "invalid_grant"),
        ({"context": "stores/other"}, 400, "invalid_grant"),
        ({"colour": "red"}, 400, "invalid_request"),
    ],
)
def test_no_token_for_the_wrong_words(change, status, error):
    answer = Shop(oauth_codes=["c1"]).http.post(f"{HOST}/oauth2/token", json=GRANT | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_the_callback_of_an_app_carries_a_signed_word():
    head, claims, proof = Shop().sandbox.callback_jwt().split(".")
    signed = f"{head}.{claims}".encode()
    expected = hmac.digest(b"bc_sandbox_secret", signed, hashlib.sha256)
    assert base64.urlsafe_b64decode(proof + "=") == expected
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (said["sub"], said["aud"]) == ("stores/fizz01", "bc_sandbox_client")


def test_who_takes_the_app_away_takes_token_and_hooks():
    shop = listening()
    assert shop.http.post(f"{HOST}/_sandbox/uninstall").status_code == 204
    assert shop.get("v3/hooks").status_code == 401
    shop.place()
    assert shop.topics() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Auth-Token": ""}, 401),
        ({"X-Auth-Token": "x"}, 401),
        ({"Accept": "application/xml"}, 406),
    ],
)
@pytest.mark.parametrize("path", ["v2/orders", "v3/customers"])
def test_who_may_not_ask_is_told_in_the_versions_own_words(path, headers, status):
    answer = Shop().http.get(path, headers=headers)
    body = answer.json()
    assert answer.status_code == status
    assert (body[0] if path.startswith("v2") else body)["status"] == status


def test_a_token_is_good_for_its_own_store():
    assert Shop().http.get(f"{HOST}/stores/other/v2/orders").status_code == 401


@pytest.mark.parametrize(
    ("scope", "closed"),
    [
        ("store_v2_orders", {"v2/orders", "v3/orders/100/metafields"}),
        ("store_v2_transactions", {"v3/orders/100/transactions"}),
        ("store_v2_products", {"v3/catalog/products", "v3/pricelists"}),
        ("store_v2_customers", {"v3/customers"}),
        ("store_inventory", {"v3/inventory/items"}),
        ("store_locations", {"v3/inventory/locations"}),
        ("store_v2_information", {"v2/store", "v2/currencies"}),
    ],
)
def test_a_missing_right_closes_some_paths(scope, closed):
    paths = [
        "v2/orders",
        "v3/orders/100/metafields",
        "v3/orders/100/transactions",
        "v3/catalog/products",
        "v3/pricelists",
        "v3/customers",
        "v3/inventory/items",
        "v3/inventory/locations",
        "v2/store",
        "v2/currencies",
    ]
    shop = Shop(scopes=[one for one in SCOPES if one != scope])
    shop.place()
    assert {one for one in paths if shop.get(one).status_code == 403} == closed


def test_a_right_to_read_is_none_to_write():
    shop = Shop(scopes=["store_v2_orders_read_only"])
    assert shop.get("v2/orders").status_code == 204
    assert shop.http.post("v2/orders", json=NEW).status_code == 403


def test_the_quota_slides_and_says_so():
    shop = Shop(quota=3)
    left = [shop.get("v2/time").headers["x-rate-limit-requests-left"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    shop.tick(10)
    refused = shop.get("v2/time")
    names = "x-rate-limit-requests-quota x-rate-limit-time-reset-ms x-rate-limit-time-window-ms"
    assert [refused.headers[name] for name in names.split()] == ["3", "20000", "30000"]
    assert (refused.status_code, refused.headers["x-retry-after"]) == (429, "20")
    shop.tick(20)
    assert shop.get("v2/time").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "v2/products", 404),
        ("GET", "v2/customers", 404),
        ("GET", "v3/catalog/categories", 404),
        ("GET", "v3/hooks/events", 404),
        ("GET", "v2/orders/7", 404),
        ("GET", "v3/hooks/7", 404),
        ("GET", "v3/catalog/products/7", 404),
        ("GET", "v3/pricelists/7/records", 404),
        ("DELETE", "v2/order_statuses", 405),
        ("PATCH", "v3/catalog/variants", 405),
        ("GET", "v2/orders?colour=red", 400),
        ("GET", "v2/orders?limit=251", 400),
        ("GET", "v2/orders?page=0", 400),
        ("GET", "v2/orders?min_date_modified=soon", 400),
        ("GET", "v2/orders?status_id=paid", 400),
        ("GET", "v2/orders?sort=colour:asc", 400),
        ("GET", "v2/orders?sort=id:up", 400),
        ("GET", "v3/customers?email=ada@corner.example", 422),
        ("GET", "v3/customers?id:in=x", 422),
        ("GET", "v3/customers?include=orders", 422),
        ("GET", "v3/customers?after=x", 422),
        ("GET", "v3/catalog/products?include=reviews", 422),
        ("GET", "v3/catalog/products?sort=colour", 422),
        ("GET", "v3/catalog/products?is_visible=perhaps", 422),
        ("GET", "v3/inventory/items?limit=1001", 422),
        ("GET", "v3/orders/payment_actions/refunds?created:like=2026", 422),
        ("DELETE", "v3/customers", 422),
    ],
)
def test_a_wrong_question_is_refused(method, path, status):
    shop = Shop()
    answer = shop.http.request(method, path)
    body = answer.json()
    assert answer.status_code == status
    said = body[0] if path.startswith("v2") else body
    assert said["status"] == status
    assert set(said) <= (
        {"status", "message", "details"}
        if path.startswith("v2")
        else {"status", "title", "type", "errors"}
    )


def test_a_body_is_json_and_says_so():
    http = Shop().http
    assert http.post("v2/orders", data={"a": "b"}).status_code == 415
    broken = http.post("v2/orders", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400


# -- lists -----------------------------------------------------------------------------------------


def test_an_empty_list_of_v2_has_no_body_or_what_the_seed_says():
    answer = Shop().get("v2/orders")
    assert (answer.status_code, answer.content) == (204, b"")
    assert Shop(empty_list="[]").get("v2/orders").json() == []
    assert Shop(empty_list="{}").get("v2/orders").json() == {}


def test_v2_pages_end_with_204():
    shop = Shop()
    for _ in range(5):
        shop.place()
    pages = [shop.get("v2/orders", limit=2, page=page) for page in range(1, 5)]
    assert [page.status_code for page in pages] == [200, 200, 200, 204]
    ids = [row["id"] for page in pages[:3] for row in page.json()]
    assert ids == [100, 101, 102, 103, 104]


def test_lines_come_in_fifties():
    shop = Shop()
    lines = [{"sku": f"X{place}", "quantity": 1, "price": "1"} for place in range(60)]
    order = shop.store.place({"lines": lines, "billing": ADA})
    path = f"v2/orders/{order['id']}/products"
    assert len(shop.get(path).json()) == 50
    assert len(shop.get(path, limit=250).json()) == 60


def test_the_catch_up_poll_sees_the_second_it_asks_from():
    shop = Shop()
    for _ in range(3):
        shop.place()
        shop.tick()
    shop.store.update(100, {"customer_note": "x"})
    since = {"min_date_modified": "2026-11-20T10:01:00Z", "sort": "date_modified:asc"}
    rows = shop.get("v2/orders", **since).json()
    assert [row["id"] for row in rows] == [101, 102, 100]
    dates = [parsedate_to_datetime(row["date_modified"]) for row in rows]
    assert all(one < other for one, other in pairwise(dates))
    assert rows[0]["date_modified"] == "Fri, 20 Nov 2026 10:01:00 +0000"
    later = since | {"min_date_modified": "2026-11-20T11:01:01+01:00"}
    assert [row["id"] for row in shop.get("v2/orders", **later).json()] == [102, 100]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"status_id": 7}, [101]),
        ({"customer_id": 1}, [101]),
        ({"email": "ADA@corner.example"}, [100]),
        ({"min_id": 101}, [101, 102]),
        ({"max_total": 50}, [102]),
        ({"min_total": "52.80", "max_total": "52.80"}, [100]),
        ({"external_order_id": "FZ-1"}, [102]),
        ({"max_date_created": "2026-11-20T10:00:00Z"}, [100]),
        ({"sort": "id:desc"}, [102, 101, 100]),
        ({"status_id": 5}, []),
    ],
)
def test_orders_are_found(query, ids):
    shop = Shop()
    shop.place()
    shop.tick()
    shop.place(9, customer=BEN, billing=ADA | {"email": BEN["email"]}, paid=False)
    shop.place(1, billing=ADA | {"email": ""}, external_order_id="FZ-1")
    answer = shop.get("v2/orders", **query)
    assert [row["id"] for row in (answer.json() if answer.content else [])] == ids


def test_v3_counts_and_links():
    shop = Shop()
    answer = shop.get("v3/catalog/variants", limit=2, page=2).json()
    assert answer["meta"] == {
        "pagination": {
            "total": 5,
            "count": 2,
            "per_page": 2,
            "current_page": 2,
            "total_pages": 3,
            "links": {
                "previous": "?page=1&limit=2",
                "current": "?page=2&limit=2",
                "next": "?page=3&limit=2",
            },
        }
    }
    assert shop.get("v3/catalog/variants", page=9).json()["data"] == []


def test_customers_have_cursors_and_then_no_links_of_pages():
    shop = Shop()
    for place in range(5):
        shop.store.people.add(BEN | {"email": f"b{place}@corner.example"})
    first = shop.get("v3/customers", limit=2).json()
    assert "links" not in first["meta"]["pagination"]
    seen = [row["id"] for row in first["data"]]
    query = first["meta"]["cursor_pagination"]["links"].get("next")
    while query:
        answer = shop.http.get(f"v3/customers{query}").json()
        assert list(answer["meta"]) == ["cursor_pagination"]
        seen += [row["id"] for row in answer["data"]]
        query = answer["meta"]["cursor_pagination"]["links"].get("next")
    assert seen == [5, 4, 3, 2, 1]
    back = shop.data("v3/customers", before=cursor({"id": 3}), limit=1)
    assert [row["id"] for row in back] == [4]


def test_customers_changed_later_than_the_bound_leave_their_own_second_out():
    shop = Shop()
    shop.store.people.add(BEN)
    assert shop.data("v3/customers", **{"date_modified:min": "2026-11-20T10:00:00Z"}) == []
    assert shop.data("v3/customers", **{"date_modified:min": "2026-11-20T09:59:59Z"})
    assert shop.data("v3/customers", **{"email:in": "BEN@corner.example,x@y.example"})
    assert shop.data("v3/customers", **{"name:like": "ben o"})


def test_v2_may_say_true_in_words():
    shop = Shop(text_booleans=True)
    order = shop.place()
    shown = shop.get(f"v2/orders/{order['id']}").json()
    assert (shown["is_deleted"], shown["order_is_digital"]) == ("0", "0")
    assert shop.data("v3/catalog/products")[0]["is_visible"] is True


# -- orders ----------------------------------------------------------------------------------------


def test_prices_without_tax_add_up():
    shop = Shop()
    order = shop.place(
        discount_total="4.00",
        shipping_total="6.00",
        handling_total="1.00",
        fees=[{"name": "Deposit", "total": "3.60"}],
        coupon={"code": "SUMMER", "amount": "2.00"},
    )
    names = "subtotal_ex_tax subtotal_inc_tax discount_amount coupon_discount".split()
    assert amounts(order, *names) == ["44.0000", "52.8000", "4.0000", "2.0000"]
    names = "shipping_cost_ex_tax shipping_cost_inc_tax base_shipping_cost handling_cost_inc_tax"
    assert amounts(order, *names.split()) == ["6.0000", "7.2000", "6.0000", "1.2000"]
    # 52.80 - 6.00 of goods, 7.20 freight, 1.20 handling, 4.32 deposit.
    assert amounts(order, "total_inc_tax", "total_tax") == ["59.5200", "9.9200"]
    assert Decimal(order["total_ex_tax"]) + Decimal(order["total_tax"]) == Decimal("59.52")
    line = shop.get(f"v2/orders/{order['id']}/products").json()[0]
    assert amounts(line, "price_ex_tax", "price_inc_tax") == ["11.0000", "13.2000"]
    assert line["discounted_total_inc_tax"] == "46.8000"
    shares = [(one["target"], one["amount"]) for one in line["applied_discounts"]]
    assert shares == [("order", "4.0000"), ("order", "2.0000")]
    fees = shop.get(f"v2/orders/{order['id']}", include="fees").json()["fees"]
    assert [(one["type"], one["cost_inc_tax"]) for one in fees] == [("custom_fee", "4.3200")]
    coupons = shop.get(f"v2/orders/{order['id']}/coupons").json()
    assert [(one["code"], one["discount"]) for one in coupons] == [("SUMMER", 2.0)]


def test_prices_with_tax_show_both_amounts():
    order = Shop().place(3, prices_include_tax=True)
    names = "subtotal_ex_tax subtotal_inc_tax total_ex_tax total_inc_tax total_tax".split()
    assert order["is_tax_inclusive_pricing"] is True
    assert amounts(order, *names) == ["27.5000", "33.0000", "27.5000", "33.0000", "5.5000"]


def test_discounts_may_come_off_the_amounts_without_tax():
    order = Shop(discounts_are_net=True).place(discount_total="4.00")
    assert amounts(order, "total_ex_tax", "total_inc_tax") == ["40.0000", "48.0000"]


def test_the_tax_breakdown_names_its_lines_when_asked():
    shop = Shop()
    order = shop.store.place(
        {
            "lines": [
                {"sku": COLA, "quantity": 1},
                {"sku": LEMON, "quantity": 1, "tax_rate": 5, "discount": "1.00"},
            ],
            "shipping_total": "5",
            "billing": ADA,
        }
    )
    path = f"v2/orders/{order['id']}/taxes"
    rows = shop.get(path, details="true").json()
    found = [(row["line_item_type"], row["rate"], row["line_amount"]) for row in rows]
    assert [(kind, rate) for kind, rate, _ in found] == [
        ("item", "20.0000"),
        ("item", "5.0000"),
        ("shipping", "20.0000"),
    ]
    total = sum(Decimal(amount) for *_, amount in found)
    assert abs(total - Decimal(order["total_tax"])) <= Decimal("0.01")
    assert "order_product_id" not in shop.get(path).json()[0]


def test_what_is_mailed_has_no_address_and_destinations_split_an_order():
    shop = Shop()
    lines = [
        {"sku": COLA, "quantity": 2},
        {"sku": LEMON, "quantity": 1, "ship_to": 1},
        {"sku": "MENU-PDF", "quantity": 1},
    ]
    order = shop.store.place({"lines": lines, "billing": ADA, "shipping": [ADA, ADA]})
    path = f"v2/orders/{order['id']}"
    assert [one["order_address_id"] for one in shop.get(f"{path}/products").json()] == [1, 2, 0]
    places = shop.get(f"{path}/shipping_addresses").json()
    assert [one["items_total"] for one in places] == [2, 1]
    query = {"include": "consignments.line_items,fees", "consignment_structure": "object"}
    whole = shop.get(path, **query).json()["consignments"]
    assert [len(one["line_items"]) for one in whole["shipping"]] == [1, 1]
    assert [one["sku"] for one in whole["downloads"][0]["line_items"]] == ["MENU-PDF"]
    links = shop.get(path, include="consignments").json()["consignments"][0]["shipping"]
    assert set(links[0]["line_items"][0]) == {"url", "resource"}
    shop.store.ship(order["id"])
    assert [one["order_address_id"] for one in shop.get(f"{path}/shipments").json()] == [1, 2]


def test_a_bundle_has_children_that_cost_nothing():
    shop = Shop()
    parts = [{"sku": COLA, "quantity": 1}, {"sku": LEMON, "quantity": 2}]
    line = {"sku": "PARTY", "name": "Party box", "price": "25", "quantity": 2, "bundle": parts}
    order = shop.store.place({"lines": [line], "billing": ADA})
    rows = shop.get(f"v2/orders/{order['id']}/products").json()
    assert [(row["sku"], row["quantity"]) for row in rows] == [("PARTY", 2), (COLA, 2), (LEMON, 4)]
    assert {row["parent_order_product_id"] for row in rows[1:]} == {rows[0]["id"]}
    assert [row["is_bundled_product"] for row in rows] == [False, True, True]
    assert {row["total_inc_tax"] for row in rows[1:]} == {"0.0000"}


def test_parts_of_an_order_have_paths_of_their_own():
    shop = Shop()
    path = f"v2/orders/{shop.place(fees=[{'name': 'Deposit', 'total': '1'}])['id']}"
    whole = shop.get(path, include="consignments,fees", consignment_structure="object").json()
    assert shop.get(f"{path}/consignments").json() == whole["consignments"]
    assert shop.get(f"{path}/fees").json()["fees"] == whole["fees"]
    assert shop.get(f"{path}/products/1").json() == shop.get(f"{path}/products").json()[0]
    assert [
        shop.get(one, **query).status_code
        for one, query in (
            (path, {"include": "lines"}),
            (path, {"consignment_structure": "list"}),
            (f"{path}/consignments", {"include": "fees"}),
        )
    ] == [400, 400, 400]


def test_what_a_buyer_chose_is_with_the_line():
    shop = Shop()
    label = {"name": "Label", "value": "Corner Pop"}
    line = {"sku": COLA, "quantity": 1, "options": [label]}
    order = shop.store.place({"lines": [line], "billing": ADA})
    (row,) = shop.get(f"v2/orders/{order['id']}/products").json()
    (option,) = row["product_options"]
    assert (option["display_name"], option["value"]) == ("Label", "Corner Pop")
    shop.store.update(order["id"], {"quantities": {COLA: 2}})
    (row,) = shop.get(f"v2/orders/{order['id']}/products").json()
    assert row["product_options"][0]["order_product_id"] == row["id"]


def test_a_merchant_has_names_of_its_own_for_statuses():
    shop = Shop(status_labels={"11": "To pack"})
    order = shop.place()
    names = ("status_id", "status", "custom_status")
    assert [order[name] for name in names] == [11, "Awaiting Fulfillment", "To pack"]
    shown = shop.get("v2/order_statuses/11").json()
    assert (shown["system_label"], shown["custom_label"]) == ("Awaiting Fulfillment", "To pack")


def test_a_buyer_pays_in_another_currency_than_is_shown():
    order = Shop().place(shown_currency="EUR", exchange_rate="1.2")
    assert (order["currency_code"], order["default_currency_code"]) == ("EUR", "GBP")
    assert order["store_default_currency_code"] == "GBP"
    assert order["currency_exchange_rate"] == "1.2000000000"


@pytest.mark.parametrize("where", ["form_field", "customer_message", "metafield"])
def test_the_buyers_number_is_where_the_checkout_puts_it(where):
    shop = Shop(po_number_in=where)
    order = shop.place(po_number="PO-77", customer_note="Ring")
    fields = {one["name"]: one["value"] for one in order["billing_address"]["form_fields"]}
    assert (fields.get("PO Number") == "PO-77") is (where == "form_field")
    assert ("PO-77" in order["customer_message"]) is (where == "customer_message")
    metafields = shop.data(f"v3/orders/{order['id']}/metafields")
    assert bool(metafields) is (where == "metafield")


def test_staff_makes_every_line_anew():
    shop = Shop()
    order = shop.store.place(
        {
            "lines": [{"sku": COLA, "quantity": 2}, {"sku": LEMON, "quantity": 1}],
            "billing": ADA,
        }
    )
    path = f"v2/orders/{order['id']}/products"
    before = {row["id"] for row in shop.get(path).json()}
    shop.store.update(order["id"], {"quantities": {COLA: 5, LEMON: 0, "ELDER-C6": 1}})
    rows = shop.get(path).json()
    assert [(row["sku"], row["quantity"]) for row in rows] == [(COLA, 5), ("ELDER-C6", 1)]
    assert not before & {row["id"] for row in rows}
    stock = shop.store.catalogue.by_sku
    assert (stock(COLA)["inventory_level"], stock("ELDER-C6")["inventory_level"]) == (475, 39)
    shop.store.cancel(order["id"])
    assert (stock(COLA)["inventory_level"], stock("ELDER-C6")["inventory_level"]) == (480, 40)


@pytest.mark.parametrize("archived_is_gone", [False, True])
def test_an_archived_order_is_out_of_the_list(archived_is_gone):
    shop = Shop(archived_is_gone=archived_is_gone)
    order = shop.place()
    assert shop.http.delete(f"v2/orders/{order['id']}").status_code == 204
    assert shop.get("v2/orders").status_code == 204
    answer = shop.get(f"v2/orders/{order['id']}")
    assert answer.status_code == (404 if archived_is_gone else 200)
    assert archived_is_gone or answer.json()["is_deleted"] is True


def test_an_order_is_created_by_a_call():
    shop = listening()
    lines = [
        {
            "product_id": 111,
            "variant_id": 77,
            "quantity": 4,
            "price_ex_tax": 10,
            "price_inc_tax": 12,
        },
        DEPOSIT,
    ]
    place = BILLING | {"shipping_method": "Van"}
    given = NEW | {"products": lines, "shipping_addresses": [place], "status_id": 11}
    answer = shop.http.post("v2/orders", json=given | {"external_order_id": "FZ-1"})
    order = answer.json()
    assert (answer.status_code, order["order_source"]) == (200, "external")
    assert amounts(order, "total_ex_tax", "total_inc_tax") == ["42.0000", "50.0000"]
    assert shop.topics()[0] == "store/order/created"
    assert "store/order/statusUpdated" not in shop.topics()
    found = shop.get("v2/orders", external_order_id="FZ-1").json()
    assert [row["id"] for row in found] == [order["id"]]
    rows = shop.get(f"v2/orders/{order['id']}/products").json()
    assert [row["product_id"] for row in rows] == [111, 0]
    places = shop.get(f"v2/orders/{order['id']}/shipping_addresses").json()
    assert places[0]["shipping_method"] == "Van"
    assert shop.store.catalogue.by_sku(COLA)["inventory_level"] == 476
    assert shop.sandbox.accepted["orders"] == 1


def test_a_call_may_set_the_sums_and_is_not_kept_from_a_second_order():
    shop = Shop(create_status=201)
    sums = {"total_ex_tax": 40, "total_inc_tax": 48}
    sums |= {"shipping_cost_ex_tax": 5, "shipping_cost_inc_tax": 6}
    for _ in range(2):
        answer = shop.http.post("v2/orders", json=NEW | sums | {"external_order_id": "FZ-1"})
        assert answer.status_code == 201
        order = answer.json()
        names = "total_inc_tax total_tax shipping_cost_inc_tax".split()
        assert amounts(order, *names) == ["48.0000", "8.0000", "6.0000"]
        assert order["status_id"] == 1
    assert len(shop.get("v2/orders", external_order_id="FZ-1").json()) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"products": []},
        {"billing_address": {}},
        {"colour": "red"},
        {"consignments": {"shipping": []}},
        {"status_id": 15},
        {"status_id": True},
        {"customer_id": 9},
        {"channel_id": 2},
        {"total_ex_tax": 1},
        {"shipping_cost_inc_tax": 1},
        {"date_created": "soon"},
        {"billing_address": BILLING | {"postcode": "LS1"}},
        {"products": [{"product_id": 999, "quantity": 1}]},
        {"products": [{"product_id": 114, "quantity": 1}]},
        {"products": [{"product_id": 111, "quantity": 0}]},
        {"products": [{"product_id": 111, "quantity": 1, "price_ex_tax": 1}]},
        {"products": [{"product_id": 111, "quantity": 1, "price_ex_tax": 2, "price_inc_tax": 1}]},
        {"products": [{"name": "Deposit", "quantity": 1, "price_ex_tax": 1}]},
        {"products": [{"product_id": 111, "quantity": 1, "colour": "red"}]},
        {"fees": [{"type": "deposit", "cost_ex_tax": 1, "cost_inc_tax": 1}]},
    ],
)
def test_a_wrong_order_is_refused(change):
    shop = Shop()
    answer = shop.http.post("v2/orders", json=NEW | change)
    assert (answer.status_code, list(answer.json()[0])[:2]) == (400, ["status", "message"])
    assert shop.store.orders == {}


def test_products_of_a_change_are_a_patch():
    shop = Shop()
    order = shop.store.place(
        {
            "lines": [{"sku": COLA, "quantity": 4, "discount": "1"}, {"sku": LEMON, "quantity": 1}],
            "billing": ADA,
        }
    )
    path = f"v2/orders/{order['id']}"
    cola, lemon = (row["id"] for row in shop.get(f"{path}/products").json())
    lines = [{"id": cola, "quantity": 2}, {"id": lemon, "quantity": 0}, DEPOSIT]
    fee = {"type": "custom_fee", "display_name_customer": "Card", "cost_ex_tax": 1}
    changed = shop.http.put(path, json={"products": lines, "fees": [fee | {"cost_inc_tax": 1.2}]})
    assert changed.json()["total_inc_tax"] == "29.6000"
    rows = shop.get(f"{path}/products").json()
    assert [(row["sku"], row["quantity"]) for row in rows] == [(COLA, 2), ("DEP", 1)]
    assert (rows[0]["id"], rows[0]["applied_discounts"]) == (cola, [])
    shop.http.put(path, json={"fees": []})
    assert shop.get(path, include="fees").json()["fees"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"products": [{"id": 99, "quantity": 1}]},
        {"external_merchant_id": "x"},
        {"status": "Cancelled"},
        {"subtotal_inc_tax": 1},
        {"shipping_addresses": [{"id": 1, "postcode": "x"}]},
    ],
)
def test_a_wrong_change_is_refused(given):
    shop = Shop()
    order = shop.place()
    assert shop.http.put(f"v2/orders/{order['id']}", json=given).status_code == 400
    assert shop.get(f"v2/orders/{order['id']}").json() == order


def test_to_cancel_twice_is_to_cancel_once():
    shop = listening()
    path = f"v2/orders/{shop.place()['id']}"
    first = len(shop.deliveries)
    for _ in range(2):
        assert shop.http.put(path, json={"status_id": 5}).json()["status"] == "Cancelled"
    assert shop.topics()[first:].count("store/order/statusUpdated") == 1
    assert shop.topics()[first:].count("store/order/updated") == 2
    assert shop.store.catalogue.by_sku(COLA)["inventory_level"] == 480


def test_addresses_change_in_part():
    shop = Shop()
    path = f"v2/orders/{shop.place()['id']}"
    given = {"billing_address": {"city": "York"}, "shipping_addresses": [{"id": 1, "zip": "YO1"}]}
    assert shop.http.put(path, json=given).json()["billing_address"]["city"] == "York"
    place = shop.get(f"{path}/shipping_addresses/1").json()
    assert (place["zip"], place["city"], place["country"]) == ("YO1", "Leeds", "United Kingdom")
    assert shop.get(f"{path}/shipping_addresses/9").status_code == 404


# -- shipments, money, notes -----------------------------------------------------------------------


def test_parcels_move_the_order():
    shop = Shop()
    path = f"v2/orders/{shop.place()['id']}"
    assert shop.get(f"{path}/shipments").status_code == 204
    given = {"order_address_id": 1, "tracking_number": "JD1", "comments": "FZ-SHP-9"}
    items = [{"order_product_id": 1, "quantity": 3}]
    made = shop.http.post(f"{path}/shipments", json=given | {"items": items})
    assert made.status_code == 201
    assert made.json()["items"] == [{"order_product_id": 1, "product_id": 111, "quantity": 3}]
    order = shop.get(path).json()
    assert (order["status_id"], order["items_shipped"], order["date_shipped"]) == (3, 3, "")
    items[0]["quantity"] = 1
    shop.http.post(f"{path}/shipments", json=given | {"items": items})
    order = shop.get(path).json()
    assert (order["status_id"], order["items_shipped"]) == (2, 4)
    assert order["date_shipped"] == "Fri, 20 Nov 2026 10:00:00 +0000"
    one = f"{path}/shipments/{made.json()['id']}"
    shop.http.put(one, json={"tracking_number": "JD2"})
    assert shop.get(one).json()["tracking_number"] == "JD2"
    assert shop.get(f"{path}/shipments/count").json() == {"count": 2}
    assert shop.http.delete(one).status_code == 204
    assert shop.get(path).json()["status_id"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"order_address_id": 9},
        {"items": [{"order_product_id": 9, "quantity": 1}]},
        {"items": [{"order_product_id": 1, "quantity": 5}]},
        {"items": [{"order_product_id": 1, "quantity": 1, "sku": COLA}]},
        {"tracking_number": "x" * 51},
        {"tracking_link": "https://t.example/" + "x" * 500},
        {"shipping_provider": "dhl"},
        {"colour": "red"},
    ],
)
def test_a_wrong_parcel_is_refused(change):
    shop = Shop()
    path = f"v2/orders/{shop.place()['id']}/shipments"
    given = {"order_address_id": 1, "items": [{"order_product_id": 1, "quantity": 1}]}
    assert shop.http.post(path, json=given | change).status_code == 400
    assert shop.get(path).status_code == 204


def _refund(item, amount, **more):
    payment = {"provider_id": "custom", "amount": amount, "offline": True}
    return {"items": [item], "payments": [payment]} | more


def test_a_refund_is_quoted_and_made_and_the_order_keeps_its_sums():
    shop = Shop()
    order = shop.place(shipping_total="5")
    path = f"v3/orders/{order['id']}/payment_actions"
    item = {"item_type": "PRODUCT", "item_id": 1, "quantity": 1}
    quote = shop.http.post(f"{path}/refund_quotes", json={"items": [item]}).json()["data"]
    assert (quote["total_refund_amount"], quote["total_refund_tax_amount"]) == (13.2, 2.2)
    ways = [way["provider_id"] for (way,) in quote["refund_methods"]]
    assert ways == ["stripe", "custom"]
    shop.tick()
    made = shop.http.post(f"{path}/refunds", json=_refund(item, 13.2, reason="FZ-RF-1"))
    refund = made.json()["data"]
    assert (made.status_code, refund["created"]) == (201, "2026-11-20T10:01:00Z")
    assert (refund["total_amount"], refund["reason"]) == (13.2, "FZ-RF-1")
    after = shop.get(f"v2/orders/{order['id']}").json()
    assert amounts(after, "total_inc_tax", "refunded_amount") == [order["total_inc_tax"], "0.0000"]
    assert (after["status_id"], after["payment_status"]) == (14, "partially refunded")
    line = shop.get(f"v2/orders/{order['id']}/products").json()[0]
    assert (line["quantity_refunded"], line["is_refunded"]) == (1, False)
    assert line["refund_amount"] == "13.2000"
    shop.store.refund(order["id"])
    assert shop.get(f"v2/orders/{order['id']}").json()["status_id"] == 4
    assert [one["id"] for one in shop.data(f"{path}/refunds")] == [1, 2]
    since = {"created:min": "2026-11-20T10:01:00Z", "order_id:in": order["id"]}
    assert len(shop.data("v3/orders/payment_actions/refunds", **since)) == 2
    assert shop.data("v3/orders/payment_actions/refunds/1")["id"] == 1
    assert shop.get("v3/orders/payment_actions/refunds/9").status_code == 404


@pytest.mark.parametrize(
    ("item", "amount"),
    [
        ({"item_type": "PRODUCT", "item_id": 9, "quantity": 1}, 13.2),
        ({"item_type": "PRODUCT", "item_id": 1, "quantity": 5}, 66),
        ({"item_type": "PRODUCT", "item_id": 1, "amount": 5}, 5),
        ({"item_type": "PRODUCT", "item_id": 1, "quantity": 1}, 12),
        ({"item_type": "ORDER", "item_id": 100, "amount": 1000}, 1000),
        ({"item_type": "SHIPPING", "item_id": 1, "amount": 1}, 1),
        ({"item_type": "FEE", "item_id": 1, "amount": 1}, 1),
        ({"item_type": "CRATE", "item_id": 1, "amount": 1}, 1),
        ("all", 1),
    ],
)
def test_a_wrong_refund_is_refused(item, amount):
    shop = Shop()
    shop.place()
    path = "v3/orders/100/payment_actions/refunds"
    assert shop.http.post(path, json=_refund(item, amount)).status_code == 422
    assert shop.data(path) == []


def test_nobody_gets_back_more_than_was_paid_or_from_nowhere():
    shop = Shop()
    shop.place(paid=False)
    path = "v3/orders/100/payment_actions/refunds"
    item = {"item_type": "ORDER", "item_id": 100, "amount": 30}
    online = _refund(item, 30, payments=[{"provider_id": "stripe", "amount": 30}])
    assert shop.http.post(path, json=online).status_code == 422
    credit = {"provider_id": "storecredit", "amount": 30, "offline": True}
    assert shop.http.post(path, json=_refund(item, 30, payments=[credit])).status_code == 422
    assert shop.http.post(path, json=_refund(item, 30, payments=[])).status_code == 422
    assert shop.http.post(path, json=_refund(item, 30)).status_code == 201
    assert shop.http.post(path, json=_refund(item, 30)).status_code == 422


def test_held_money_is_taken_later():
    shop = listening()
    shop.place(authorized=True, paid=False, status=11)
    assert shop.get("v2/orders/100").json()["payment_status"] == "authorized"
    path = "v3/orders/100/payment_actions/capture"
    assert shop.http.post(path).status_code == 201
    assert shop.get("v2/orders/100").json()["payment_status"] == "capture pending"
    assert shop.http.post(path).status_code == 422
    shop.tick(3)
    assert shop.get("v2/orders/100").json()["payment_status"] == "captured"
    events = [one["event"] for one in shop.data("v3/orders/100/transactions")]
    assert events == ["authorization", "capture"]


@pytest.mark.parametrize(("after", "status"), [(None, 11), (5, 5)])
def test_held_money_is_let_go(after, status):
    shop = Shop(status_after_void=after)
    shop.place(authorized=True, paid=False, status=11)
    assert shop.http.post("v3/orders/100/payment_actions/void").status_code == 201
    shop.tick(3)
    order = shop.get("v2/orders/100").json()
    assert (order["payment_status"], order["status_id"]) == ("void", status)


def test_a_gateway_may_say_more_of_a_charge():
    shop = listening()
    shop.place()
    shop.store.payments.update_transaction(100, 176342001, {"status": "error"})
    told = shop.told("store/order/transaction/updated")
    assert told["transaction_status"] == "failed"
    with pytest.raises(RefusedError):
        shop.store.payments.update_transaction(100, 1, {})


def test_a_refund_may_be_of_freight_of_a_fee_or_of_less_than_it_is_worth():
    shop = Shop()
    shop.place(shipping_total="5", fees=[{"name": "Deposit", "total": "3"}], paid=False)
    path = "v3/orders/100/payment_actions/refunds"
    for item, worth in (
        ({"item_type": "SHIPPING", "item_id": 1, "amount": 6}, (6, 1)),
        ({"item_type": "FEE", "item_id": 1, "amount": 1.8}, (1.8, 0.3)),
    ):
        made = shop.http.post(path, json=_refund(item, item["amount"])).json()["data"]
        assert (made["total_amount"], made["total_tax"]) == worth
        assert made["items"][0]["requested_amount"] == item["amount"]
    lines = [{"sku": COLA, "quantity": 1}]
    shop.store.refund(100, {"lines": lines, "amount": "10"})
    last = shop.data(path)[-1]
    assert (last["total_amount"], last["uses_merchant_override_values"]) == (10, True)


def test_a_transfer_moves_the_status_and_leaves_no_transaction():
    shop = Shop()
    order = shop.place(paid=False)
    assert (order["status_id"], order["payment_method"]) == (7, "Invoice 30 days")
    assert shop.store.pay(100, {"offline": True})["status_id"] == 11
    assert shop.get("v3/orders/100/transactions").status_code == 204
    assert shop.store.pay(100, {"declined": True})["payment_status"] == "declined"
    shop.store.cancel(100)
    with pytest.raises(RefusedError):
        shop.store.pay(100)


def test_a_note_of_an_app_has_one_key():
    shop = Shop()
    shop.place()
    path = "v3/orders/100/metafields"
    given = {"permission_set": "app_only", "namespace": "fizz", "key": "erp_id", "value": "SO-1"}
    made = shop.http.post(path, json=given).json()["data"]
    assert shop.http.post(path, json=given).status_code == 409
    assert shop.http.post(path, json=given | {"permission_set": "all"}).status_code == 422
    assert shop.http.post(path, json=given | {"value": ""}).status_code == 422
    one = f"{path}/{made['id']}"
    assert shop.http.put(one, json={"value": "SO-2"}).json()["data"]["value"] == "SO-2"
    assert shop.http.put(one, json={"value": 7}).status_code == 422
    assert shop.data(path, namespace="fizz", key="erp_id")[0]["value"] == "SO-2"
    assert shop.data(one)["resource_id"] == 100
    assert shop.http.delete(one).status_code == 204
    assert shop.get(one).status_code == 404


# -- stock, prices, people -------------------------------------------------------------------------


def _absolute(shop, *items):
    body = {"reason": "ERP sync", "items": list(items)}
    return shop.http.put("v3/inventory/adjustments/absolute", json=body)


def test_stock_is_set_at_a_place_and_again():
    shop = Shop(locations=[{"id": 1}, {"id": 2, "code": "VAN"}])
    item = {"location_id": 2, "sku": COLA, "quantity": 20}
    for _ in range(2):
        assert set(_absolute(shop, item).json()) == {"transaction_id"}
    shop.store.catalogue.set_safety(COLA, 2, 5)
    shop.store.catalogue.change_product(111, {"stock": 100})
    (row,) = shop.data("v3/inventory/items", **{"sku:in": COLA})
    assert row["identity"]["product_id"] == 111
    found = [
        (one["location_code"], one["total_inventory_onhand"], one["available_to_sell"])
        for one in row["locations"]
    ]
    assert found == [("BC-LOCATION-1", 100, 100), ("VAN", 20, 15)]
    assert row["locations"][1]["settings"]["safety_stock"] == 5
    (row,) = shop.data("v3/inventory/items", **{"sku:in": COLA, "location_id:in": 2})
    assert [one["location_id"] for one in row["locations"]] == [2]
    assert len(shop.data("v3/inventory/locations/2/items", **{"sku:in": COLA})) == 1
    relative = {"items": [{"location_id": 2, "sku": COLA, "quantity": -20}]}
    assert shop.http.post("v3/inventory/adjustments/relative", json=relative).status_code == 200
    assert shop.http.post("v3/inventory/adjustments/relative", json=relative).status_code == 422
    codes = {one["code"] for one in shop.data("v3/inventory/locations")}
    assert codes == {"BC-LOCATION-1", "VAN"}


@pytest.mark.parametrize(
    "item",
    [
        {"location_id": 1, "sku": COLA, "variant_id": 77, "quantity": 1},
        {"location_id": 1, "quantity": 1},
        {"location_id": 1, "variant_id": 77, "quantity": 1},
        {"location_id": 1, "product_id": 114, "quantity": 1},
        {"location_id": 1, "sku": LEMON, "quantity": 1},
        {"location_id": 1, "sku": "NOPE", "quantity": 1},
        {"location_id": 9, "sku": COLA, "quantity": 1},
        {"location_id": 1, "sku": COLA, "quantity": -1},
        {"location_id": 1, "sku": COLA, "quantity": 2147483648},
        {"location_id": 1, "sku": COLA, "quantity": 1.5},
        {"location_id": 1, "sku": COLA, "quantity": 1, "colour": "red"},
    ],
)
def test_one_wrong_item_refuses_the_whole_call(item):
    shop = Shop()
    answer = _absolute(shop, {"location_id": 1, "sku": COLA, "quantity": 1}, item)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert shop.store.catalogue.by_sku(COLA)["inventory_level"] == 480
    many = [{"location_id": 1, "sku": COLA, "quantity": 1}] * 2001
    assert _absolute(shop, *many).status_code == 422


def test_every_product_has_a_variant_and_a_price_of_null_is_the_products():
    shop = Shop()
    (cola,) = shop.data("v3/catalog/variants", sku=COLA)
    assert (cola["product_id"], cola["price"], cola["calculated_price"]) == (111, None, 11)
    changed = shop.http.put("v3/catalog/variants", json=[{"id": cola["id"], "price": 12.5}])
    assert changed.json()["data"][0]["calculated_price"] == 12.5
    shop.http.put("v3/catalog/variants", json=[{"id": cola["id"], "price": None}])
    shop.http.put("v3/catalog/products", json=[{"id": 111, "price": 13.2}])
    query = {"include": "variants", "id:in": 111, "include_fields": "price"}
    (row,) = shop.data("v3/catalog/products", **query)
    assert row["variants"][0]["calculated_price"] == 13.2
    assert set(row) == {"id", "price", "variants"}
    assert shop.data("v3/catalog/products/111/variants")[0]["id"] == cola["id"]
    shop.tick(5)
    assert shop.http.put("v3/catalog/products/111", json={"name": "Cola"}).status_code == 200
    since = {"date_modified:min": "2026-11-20T10:00:05Z"}
    assert [one["id"] for one in shop.data("v3/catalog/products", **since)] == [111]


def test_a_level_written_through_the_catalogue_is_stock_too():
    shop = listening()
    assert shop.http.put("v3/catalog/products/111", json={"inventory_level": 7}).is_success
    told = shop.told("store/product/inventory/updated")["inventory"]
    assert told == {"product_id": 111, "method": "absolute", "value": 7}
    (row,) = shop.data("v3/inventory/items", **{"sku:in": COLA})
    assert row["locations"][0]["available_to_sell"] == 7
    number = shop.store.catalogue.by_sku("ELDER-C6")["id"]
    body = [{"id": number, "inventory_level": 5}]
    assert shop.http.put("v3/catalog/variants", json=body).is_success
    assert shop.told("store/sku/inventory/updated")["inventory"]["value"] == 5
    assert shop.http.put("v3/catalog/products/114", json={"inventory_level": 7}).status_code == 422


@pytest.mark.parametrize(
    ("path", "rows", "status"),
    [
        ("v3/catalog/products", [{"id": 111, "price": 1}] * 11, 413),
        ("v3/catalog/variants", [{"id": 77, "price": 1}] * 51, 413),
        ("v3/catalog/products", [{"id": 999, "price": 1}], 404),
        ("v3/catalog/variants", [{"id": 999, "price": 1}], 422),
        ("v3/catalog/variants", [{"id": 77, "price": -1}], 422),
        ("v3/catalog/variants", {"id": 77}, 422),
        ("v3/catalog/variants", [{"id": 77, "colour": "red"}], 422),
        ("v3/pricelists/4/records", [{"sku": COLA, "currency": "gbp"}], 422),
        ("v3/pricelists/4/records", [{"sku": "NOPE", "currency": "gbp", "price": 1}], 422),
        ("v3/pricelists/4/records", [{"sku": COLA, "price": 1}], 422),
        ("v3/pricelists/9/records", [{"sku": COLA, "currency": "gbp", "price": 1}], 404),
        ("v3/pricelists/records", [{"sku": COLA, "currency": "gbp", "price": 1}], 422),
        ("v3/customers", [{"id": 9, "phone": "1"}], 404),
        ("v3/customers", [{"id": 1, "phone": "1" * 51}], 422),
        ("v3/customers", [{"id": 1, "email": "x"}], 422),
        ("v3/customers/attribute-values", [{"attribute_id": 1, "customer_id": 1}], 422),
        ("v3/customers/addresses", [{"id": 9, "city": "York"}], 404),
    ],
)
def test_a_wrong_write_is_refused(path, rows, status):
    shop = Shop(price_lists=[{"id": 4, "name": "Trade"}])
    shop.store.people.add(BEN)
    before = shop.data("v3/catalog/variants")
    assert shop.http.put(path, json=rows).status_code == status
    assert shop.data("v3/catalog/variants") == before


def test_prices_of_a_group_are_upserted_and_told():
    shop = listening(price_lists=[{"id": 4, "name": "Trade"}, {"id": 5, "name": "Bars"}])
    tier = {"quantity_min": 10, "quantity_max": 0, "type": "fixed", "amount": 9.5}
    row = {"sku": COLA, "currency": "gbp", "price": 10.5, "bulk_pricing_tiers": [tier]}
    path = "v3/pricelists/4/records"
    for price in (10.5, 10.4):
        assert shop.http.put(path, json=[row | {"price": price}]).status_code == 200
    assert shop.topics() == ["store/priceList/record/created", "store/priceList/record/updated"]
    named = {"price_list_id": 4, "variant_id": 77, "currency": "gbp"}
    assert shop.told("store/priceList/record/updated") == named
    (found,) = shop.data(path, include="bulk_pricing_tiers,sku")
    assert (found["price"], found["sku"], found["bulk_pricing_tiers"]) == (10.4, COLA, [tier])
    assert "sku" not in shop.data(path)[0]
    rows = [row | {"price_list_id": number} for number in (4, 5)]
    assert shop.http.post("v3/pricelists/records", json=rows).status_code == 422
    assert shop.http.post("v3/pricelists/records", json=rows[1:]).status_code == 200
    assert shop.http.put("v3/pricelists/records", json=rows).status_code == 200
    assert len(shop.told("store/priceList/records/updated")) == 2
    assert shop.http.delete(f"{path}?variant_id:in=77").status_code == 204
    assert shop.data(path) == []
    assert [one["name"] for one in shop.data("v3/pricelists")] == ["Trade", "Bars"]


def test_an_address_is_good_for_one_account():
    shop = Shop()
    given = TRADER | {"customer_group_id": 2, "addresses": [_address()]}
    answer = shop.http.post("v3/customers", json=[given])
    (made,) = answer.json()["data"]
    assert (answer.status_code, made["date_created"]) == (200, "2026-11-20T10:00:00Z")
    again = shop.http.post("v3/customers", json=[BEN | {"email": "BEN@corner.example"}])
    assert (again.status_code, list(again.json()["errors"])) == (422, ["email"])
    two = [BEN | {"email": "x@y.example"}, BEN | {"email": "X@y.example"}]
    assert shop.http.post("v3/customers", json=two).status_code == 422
    assert len(shop.data("v3/customers")) == 1
    assert shop.http.post("v3/customers", json=[{"email": "x@y.example"}]).status_code == 422
    many = [BEN | {"email": f"{place}@y.example"} for place in range(11)]
    assert shop.http.post("v3/customers", json=many).status_code == 413
    changed = shop.http.put("v3/customers", json=[{"id": made["id"], "phone": "1"}])
    assert changed.json()["data"][0]["phone"] == "1"
    value = {"attribute_id": 3, "value": "C-100", "customer_id": made["id"]}
    for _ in range(2):
        shop.http.put("v3/customers/attribute-values", json=[value])
    query = {"include": "addresses,attributes", "id:in": made["id"]}
    (shown,) = shop.data("v3/customers", **query)
    assert [one["attribute_value"] for one in shown["attributes"]] == ["C-100"]
    assert [one["country"] for one in shown["addresses"]] == ["United Kingdom"]
    assert len(shop.data("v3/customers/attribute-values")) == 1
    added = shop.http.post("v3/customers/addresses", json=[_address(customer_id=made["id"])])
    assert added.json()["data"][0]["id"] == 2
    assert shop.http.delete("v3/customers/addresses?id:in=2").status_code == 204
    assert shop.http.delete(f"v3/customers?id:in={made['id']}").status_code == 204
    assert shop.data("v3/customers") == shop.data("v3/customers/addresses") == []


def test_facts_of_the_store():
    shop = Shop(prices_include_tax=True)
    facts = shop.get("v2/store").json()
    assert (facts["currency"], facts["is_price_entered_with_tax"]) == ("GBP", True)
    assert shop.get("v2/time").json() == {"time": int(START.timestamp())}
    (currency,) = shop.get("v2/currencies").json()
    assert (currency["currency_code"], currency["is_transactional"]) == ("GBP", True)
    statuses = {one["id"]: one["name"] for one in shop.get("v2/order_statuses").json()}
    assert statuses == STATUSES
    assert shop.get("v2/order_statuses/15").status_code == 404
    shop.place()
    counted = shop.get("v2/orders/count").json()
    assert counted["count"] == sum(one["count"] for one in counted["statuses"]) == 1


# -- control ---------------------------------------------------------------------------------------


def test_everything_can_be_done_over_http():
    shop = listening(b2b=True)
    http = httpx.Client(base_url=HOST, transport=SandboxTransport(shop.sandbox.app))
    lines = [{"sku": COLA, "quantity": 2}]
    draft = {"lines": lines, "billing": ADA, "customer": BEN, "paid": False}
    made = http.post("/_sandbox/orders", json=draft)
    assert (made.status_code, made.json()["id"]) == (201, "100")
    assert made.json()["order"] == shop.get("v2/orders/100").json()
    assert shop.sandbox.accepted["orders"] == 1

    def do(action, **given):
        answer = http.post(f"/_sandbox/orders/100/{action}", json=given)
        assert answer.status_code == 200, answer.text
        assert answer.json()["id"] == "100"
        return answer.json()["order"]

    assert do("update", customer_note="Ring")["customer_message"] == "Ring"
    changed = do("update", billing={"city": "York"}, shipping={"city": "York"}, status="Disputed")
    assert (changed["billing_address"]["city"], changed["status_id"]) == ("York", 13)
    do("update", status="Awaiting Payment")
    assert do("pay")["status_id"] == 11
    assert do("ship", lines=[{"sku": COLA, "quantity": 1}], tracking="JD1")["status_id"] == 3
    assert do("ship", carrier="dhl")["status_id"] == 2
    http.post("/_sandbox/orders/100/refund", json={"lines": [{"sku": COLA, "quantity": 1}]})
    assert do("cancel")["status_id"] == 5
    http.post("/_sandbox/orders/100/message", json={"text": "Ring"})
    assert shop.get("v2/orders/100/messages").json()[0]["message"] == "Ring"
    assert do("delete")["is_deleted"] is True


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("orders", {"colour": "red"}, 422),
        ("orders", {"lines": [{"sku": "NOPE", "quantity": 1}]}, 422),
        ("orders", {"lines": [{"sku": COLA, "quantity": 1, "colour": "red"}]}, 422),
        ("orders", {"lines": [{"sku": COLA, "quantity": 0}]}, 422),
        ("orders", {"lines": [{"sku": COLA, "quantity": 1}], "status": "Lost"}, 422),
        ("orders", [], 422),
        ("orders/100/update", {"colour": "red"}, 422),
        ("orders/100/refund", {"amount": "1000"}, 422),
        ("orders/100/refund", {"lines": [{"sku": "NOPE", "quantity": 1}]}, 422),
        ("orders/100/ship", {"lines": [{"sku": "NOPE", "quantity": 1}]}, 422),
        ("orders/100/pay", {"method": "beads"}, 422),
        ("orders/100/message", {}, 422),
        ("orders/100/explode", {}, 404),
        ("orders/9/cancel", {}, 404),
        ("crates", {}, 404),
        ("customers", {"first_name": "Ben"}, 422),
    ],
)
def test_a_wrong_wish_is_refused(path, given, status):
    shop = Shop()
    shop.place()
    answer = shop.http.post(f"{HOST}/_sandbox/{path}", json=given)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_people_and_products_can_be_made_and_changed():
    shop = listening(b2b=True)

    def do(path, **given):
        answer = shop.http.post(f"{HOST}/_sandbox/{path}", json=given)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    ben = do("customers", **BEN)
    assert (ben["id"], ben["customer"]["email"]) == ("1", BEN["email"])
    assert do("customers/1/update", phone="1")["customer"]["phone"] == "1"
    do("customers/1/delete")
    company = do("companies", name="Corner Pop Ltd")
    assert (company["id"], company["company"]["companyStatus"]) == ("1", "1")
    do("companies/1/update", status=2)
    do("companies/1/delete")
    made = do("products", sku="TONIC-12", name="Tonic", price="9.40", stock=3)
    do(f"products/{made['id']}/update", price="9.90", stock=5, name="Tonic water")
    do(f"products/{made['id']}/delete")
    variants = [{"sku": "GINGER-C6", "label": "6"}]
    made = do("products", sku="GINGER", name="Ginger beer", price="7", variants=variants)
    do(f"products/{made['id']}/delete")
    assert "store/sku/deleted" in shop.topics()
    kinds = {one.split("/")[1] for one in shop.topics()}
    assert kinds == {"customer", "company", "product", "sku", "channel"}
    assert "store/company/statusUpdated" in shop.topics()


def test_the_address_of_the_hooks_may_come_later_and_a_reset_begins_anew():
    shop = Shop()
    http = shop.http
    assert http.put(f"{HOST}/_sandbox/webhook_uri", json={"uri": HOOK}).status_code == 204
    shop.place()
    assert {one.uri for one in shop.deliveries} == {HOOK}
    http.put(f"{HOST}/_sandbox/webhook_uri", json={"uri": f"{HOOK}/2"})
    assert {one["destination"] for one in shop.data("v3/hooks")} == {f"{HOOK}/2"}
    assert http.post(f"{HOST}/_sandbox/reset").status_code == 204
    assert shop.data("v3/hooks") == []
    assert shop.get("v2/orders").status_code == 204


def test_a_wrong_seed_is_seen():
    with pytest.raises(ValueError, match="colour"):
        Shop(colour="red")
    with pytest.raises(RefusedError, match="colour"):
        Shop(products=[{"sku": "X", "name": "X", "colour": "red"}])


# -- the fixtures and the vendor's own files -------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_a_delivery_without_its_proof(path):
    fixture = json.loads(path.read_text())
    assert set(fixture) == {"description", "origin", "api_version", "headers", "body"}
    assert set(fixture["headers"]) == {
        "Content-Type",
        "webhook-id",
        "webhook-timestamp",
        "X-Fizz-Hook",
    }
    said = json.loads(fixture["body"])
    assert said["scope"].replace("/", "_") == path.stem.partition("__")[0]
    at = datetime.fromtimestamp(said["created_at"], UTC)
    assert START <= at < START + timedelta(days=1)
    made = json.loads(Shop().sandbox.hooks.body(said["scope"], said["data"], at))
    assert made.items() <= said.items()


def test_there_is_a_fixture_for_every_scope():
    channel = {f"store/channel/1/inventory/product/{one}" for one in CHANNEL_TOPICS}
    scopes = {json.loads(json.loads(path.read_text())["body"])["scope"] for path in FIXTURES}
    assert scopes == TOPICS | channel


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
    """A store in which something of everything happened."""
    shop = listening(b2b=True, price_lists=[{"id": 4, "name": "Trade"}])
    order = shop.place(
        customer=TRADER,
        po_number="PO-77",
        discount_total="4",
        shipping_total="6",
        fees=[{"name": "Deposit", "total": "3.60"}],
        coupon={"code": "SUMMER", "amount": "2"},
        customer_note="Ring",
        staff_notes="Loyal",
    )
    shop.store.ship(order["id"], {"lines": [{"sku": COLA, "quantity": 2}]})
    shop.store.refund(order["id"], {"lines": [{"sku": COLA, "quantity": 1}]})
    shop.store.refund(order["id"], {"amount": "1"})
    shop.store.people.add_address(_address(customer_id=1))
    shop.store.people.set_attribute({"attribute_id": 3, "value": "C-1", "customer_id": 1})
    record = {"sku": COLA, "currency": "gbp", "price": 10, "sale_price": 9, "retail_price": 12}
    shop.store.catalogue.write_records(4, [record | {"map_price": 8}])
    field = {"permission_set": "read", "namespace": "fizz", "key": "erp_id", "value": "1"}
    shop.store.payments.metafield(shop.store.order(order["id"]), field)
    return shop


@needs_vendor
@pytest.mark.parametrize(
    ("name", "path", "absent"),
    [
        ("get-order-v2-orders-100", "v2/orders/100", set()),
        ("get-order-products-v2-orders-100-products", "v2/orders/100/products", set()),
        ("list-order-statuses-v2-order-statuses", "v2/order_statuses", set()),
        ("list-customers-v3-customers", "v3/customers", set()),
        ("customers-v3-customers", "v3/customers", set()),
        (
            "list-products-v3-catalog-products",
            "v3/catalog/products?limit=2",
            {".data.[].categories.[]", ".meta.pagination.too_many"},
        ),
        (
            "list-product-variants-v3-catalog-products-77-variants",
            "v3/catalog/products/114/variants?limit=1",
            set(),
        ),
    ],
)
def test_a_sample_could_be_the_sandboxs_own(name, path, absent):
    """The same fields, of the same kinds; what a store like ours has none of is named."""
    theirs = typed(json.loads((SAMPLES / f"{name}.json").read_text()))
    ours = typed(full_shop().get(path).json())
    assert {one for one in theirs if not any(o.startswith(one) for o in ours)} <= absent
    for one in set(theirs) & set(ours):
        # Where theirs has a value, ours has none of another kind; null and nothing say nothing.
        mute = {"NoneType", "empty"}
        assert ours[one] - mute <= theirs[one] or not theirs[one] - mute, one


@needs_vendor
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("webhook-*.json")), ids=lambda one: one.stem)
def test_a_sample_of_a_delivery_could_be_a_fixture(path):
    theirs = json.loads(path.read_text())
    scope = path.stem.removeprefix("webhook-")
    said = [
        json.loads(json.loads(one.read_text())["body"])
        for one in FIXTURES
        if one.stem.partition("__")[0] == scope
    ]
    assert typed(theirs) in [typed(one) for one in said]


def described(file: str, name: str) -> jsonschema.Draft202012Validator:
    """One of the vendor's schemas with what it refers to, ``nullable`` said in the newer way."""

    def newer(value):
        if isinstance(value, list):
            return [newer(one) for one in value]
        if not isinstance(value, dict):
            return value
        known = {key: newer(one) for key, one in value.items() if key not in {"example"}}
        if known.pop("nullable", False) and isinstance(known.get("type"), str):
            known["type"] = [known["type"], "null"]
        return known

    spec = yaml.safe_load((SPECS / file).read_text())
    body = {"$ref": f"#/components/schemas/{name}", "components": newer(spec["components"])}
    return jsonschema.Draft202012Validator(body)


ORDERS_V2, ORDERS_V3 = "orders.v2.oas2.yml", "orders.v3.yml"


@needs_vendor
@pytest.mark.parametrize(
    ("path", "file", "name", "apart"),
    [
        ("v2/orders/100/shipping_addresses", ORDERS_V2, "orderShippingAddress", set()),
        ("v2/orders/100/taxes?details=true", ORDERS_V2, "orderTaxes_Base", set()),
        ("v2/orders/100/coupons", ORDERS_V2, "orderCoupons_Base", set()),
        ("v2/orders/100/shipments", ORDERS_V2, "orderShipment", set()),
        ("v2/orders/count", ORDERS_V2, "ordersCount_Full", set()),
        ("v2/order_statuses", ORDERS_V2, "orderStatus_Base", set()),
        # Links fit two of its forms at once.
        ("v2/orders/100", ORDERS_V2, "order_Resp", {"consignments"}),
        # The samples have a field more.
        ("v2/orders/100/products", ORDERS_V2, "orderProducts", {""}),
        (
            "v3/orders/100/transactions",
            ORDERS_V3,
            "Transaction",
            {"credit_card", "reference_transaction_id"},
        ),
        ("v3/orders/100/payment_actions/refunds", ORDERS_V3, "Refund", {"requested_amount"}),
        ("v3/orders/100/metafields", ORDERS_V3, "Metafield", set()),
        # The samples have null here.
        ("v3/customers", "customers.v3.yml", "customer_Full", {"channel_ids"}),
        ("v3/customers/addresses", "customers.v3.yml", "address_Full", set()),
        ("v3/customers/attribute-values", "customers.v3.yml", "customerAttributes_Base", set()),
        (
            "v3/catalog/products",
            "products_catalog.v3.yml",
            "product_Full",
            {"date_last_imported", "option_set_id", "base_variant_id"},
        ),
        ("v3/catalog/variants", "product-variants_catalog.v3.yml", "productVariant_Full", set()),
        ("v3/inventory/items", "inventory.v3.yml", "ItemResponse", {"sku_id"}),
        ("v3/hooks", "webhooks.v3.yml", "webhook_Full", set()),
        ("v3/pricelists/4/records", "price_lists.v3.yml", "PriceRecordBase", set()),
    ],
    ids=lambda one: one if isinstance(one, str) and one.startswith("v") else "",
)
def test_an_answer_fits_its_description(path, file, name, apart):
    body = full_shop().get(path).json()
    rows = body["data"] if path.startswith("v3") else body
    validator = described(file, name)
    rows = rows if isinstance(rows, list) else [rows]
    assert rows
    wrong = [error for row in rows for error in validator.iter_errors(row)]
    assert {str(one.absolute_path[-1]) if one.absolute_path else "" for one in wrong} <= apart
