"""The sandbox tenant keeps the vendor's habits, and our cartridge its contract."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from platforms.sfcc.sandbox import EVENTS, make
from sandbox.modules import sign
from tests.platforms.sfcc.sfcc_shop import (
    ADA,
    ALL,
    CLIENT,
    CUSTOMERS,
    HOOK,
    ORDERS,
    ORG,
    STOCK,
    TENANT,
    TRADER,
    Shop,
)

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES = VENDOR / "samples" / "sfcc"
SPEC = VENDOR / "specs" / "sfcc" / "scapi-orders-v1.condensed.openapi.json"
EVENTS_FOLDER = Path(__file__).parents[3] / "events" / "sfcc"
FIXTURES = sorted(EVENTS_FOLDER.glob("*__*.json"))
ANSWERED = sorted((EVENTS_FOLDER / "api").glob("*.json"))
TOKENS = "/dwsso/oauth2/access_token"
GRANT = {"grant_type": "client_credentials", "scope": ALL}
SITE = {"siteId": "FizzUS"}
needs_vendor = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's payloads are not on this machine"
)


def listening(**seed) -> Shop:
    return Shop(webhook_uri=HOOK, **seed)


# -- tokens ----------------------------------------------------------------------------------------


def test_a_token_is_a_jwt_of_half_an_hour():
    answer = Shop().http.post(TOKENS, data=GRANT, auth=CLIENT)
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 1799)
    assert body["access_token"].count(".") == 2
    assert set(body["scope"].split()) == set(ALL.split())
    assert "refresh_token" not in body


@pytest.mark.parametrize(
    ("auth", "form", "status", "code"),
    [
        (("fizz-sandbox-client", "wrong"), GRANT, 401, "invalid_client"),
        (("nobody", "fizz-sandbox-secret"), GRANT, 401, "invalid_client"),
        (None, GRANT, 400, "invalid_client"),
        (
            None,
            GRANT | {"client_id": CLIENT[0], "client_secret": CLIENT[1]},
            400,
            "invalid_client",
        ),
        (CLIENT, {"scope": ALL}, 400, "unsupported_grant_type"),
        (CLIENT, GRANT | {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (CLIENT, {"grant_type": "client_credentials"}, 400, "invalid_scope"),
        (CLIENT, GRANT | {"scope": f"{TENANT} sfcc.gift-cards"}, 400, "invalid_scope"),
        (CLIENT, GRANT | {"scope": ALL.replace("zzfz_001", "zzfz-001")}, 400, "invalid_scope"),
        (CLIENT, GRANT | {"scope": ALL.replace(" ", ",")}, 400, "invalid_scope"),
    ],
)
def test_the_account_manager_refuses(auth, form, status, code):
    answer = Shop().http.post(TOKENS, data=form, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_a_grant_is_asked_for_by_a_form():
    answer = Shop().http.post(TOKENS, json=GRANT, auth=CLIENT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert Shop().http.get(TOKENS, auth=CLIENT).status_code == 405


def test_a_client_may_be_set_up_to_show_its_secret_in_the_body():
    client = {"client_id": "c", "client_secret": "s", "scopes": ALL.split()}
    shop = Shop(clients=[client | {"auth": "client_secret_post"}])
    shown = GRANT | {"client_id": "c", "client_secret": "s"}
    assert shop.http.post(TOKENS, data=shown).status_code == 200
    assert shop.http.post(TOKENS, data=GRANT, auth=("c", "s")).status_code == 401


def test_a_token_ends_by_the_clock():
    shop = Shop().login()
    shop.tick(1798)
    assert shop.http.get(ORDERS, params=SITE).status_code == 200
    shop.tick(1)
    answer = shop.http.get(ORDERS, params=SITE)
    assert (answer.status_code, answer.json()["title"]) == (401, "Invalid Access Token")
    assert shop.login().http.get(ORDERS, params=SITE).status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer x", "bearer", "Basic x"])
def test_no_token_no_answer(header):
    shop = Shop()
    headers = {"Authorization": header} if header else {}
    assert shop.http.get(ORDERS, params=SITE, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("sfcc.orders", ORDERS),
        (TENANT, ORDERS),
        (f"{TENANT} sfcc.products sfcc.inventory.availability.rw", ORDERS),
        (ALL, ORDERS.replace("zzfz_001", "zzfz_002")),
    ],
)
def test_a_token_opens_one_tenant_and_its_scopes(scope, path):
    shop = Shop().login(scope)
    answer = shop.http.get(path, params=SITE)
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


def test_who_may_write_may_read():
    shop = Shop().login(f"{TENANT} sfcc.orders.rw")
    assert shop.http.get(ORDERS, params=SITE).status_code == 200


# -- lists of orders -------------------------------------------------------------------------------


def test_lists_begin_with_the_newest_order():
    shop = Shop().login()
    for _ in range(3):
        shop.place()
        shop.tick()
    assert shop.numbers() == ["00000702", "00000701", "00000700"]
    assert shop.numbers(sortOrder="asc") == ["00000700", "00000701", "00000702"]
    shop.store.update("00000700", {"status": "open"})
    assert shop.numbers()[0] == "00000702"
    assert shop.numbers(sortBy="last_modified")[0] == "00000700"


def test_pages_by_offset():
    shop = Shop().login()
    for _ in range(5):
        shop.place()
        shop.tick()
    page = shop.orders(sortOrder="asc", offset=2, limit=2)
    assert {name: page[name] for name in page if name != "data"} == {
        "limit": 2,
        "offset": 2,
        "total": 5,
    }
    assert [order["orderNo"] for order in page["data"]] == ["00000702", "00000703"]
    assert shop.orders(offset=5)["data"] == []


def test_a_page_that_is_empty_may_have_no_data():
    assert Shop().login().orders() == {"limit": 25, "offset": 0, "total": 0, "data": []}
    bare = Shop(omits_empty_data=True).login().orders()
    assert bare == {"limit": 25, "offset": 0, "total": 0}


def test_both_ends_of_a_window_belong_to_it():
    shop = Shop().login()
    shop.place()
    shop.tick(0.25)
    shop.place()
    assert shop.numbers(lastModifiedDateFrom="2026-11-20T10:00:00.250Z") == ["00000701"]
    assert shop.numbers(lastModifiedDateTo="2026-11-20T10:00:00.000Z") == ["00000700"]
    assert shop.numbers(lastModifiedDateTo="2026-11-20T10:00:00Z") == ["00000700"]
    assert shop.numbers(lastModifiedDateTo="2026-11-20T09:59:59.999Z") == []
    both = {
        "creationDateFrom": "2026-11-20T10:00:00.100Z",
        "creationDateTo": "2026-11-21T00:00:00Z",
    }
    assert shop.numbers(**both) == ["00000701"]


def test_lists_by_state():
    shop = Shop().login()
    shop.place(status="created")
    shop.place(paid=True)
    shop.place(export_status="exported")
    assert shop.numbers(status="created") == ["00000700"]
    assert shop.numbers(paymentStatus="paid") == ["00000701"]
    assert shop.numbers(exportStatus="ready") == ["00000701"]
    assert shop.numbers(confirmationStatus="not_confirmed") == ["00000700"]
    assert shop.numbers(shippingStatus="shipped") == []
    assert shop.numbers(externalStatus="SO-1") == []


def test_sites_do_not_see_each_others_orders():
    shop = Shop(sites=["FizzUS", "FizzCA"]).login()
    shop.place()
    shop.place(site_id="FizzCA")
    assert shop.numbers() == ["00000700"]
    assert shop.numbers(siteId="FizzCA") == ["00000701"]
    answer = shop.http.get(f"{ORDERS}/00000701", params=SITE)
    assert (answer.status_code, answer.json()["orderNo"]) == (404, "00000701")


def test_an_index_is_behind_and_one_order_may_be_too():
    shop = Shop(index_lag_seconds=30, read_lag_seconds=5).login()
    order = f"{ORDERS}/{shop.place()['orderNo']}"
    assert shop.numbers() == []
    assert shop.http.get(order, params=SITE).status_code == 404
    shop.tick(5)
    assert shop.http.get(order, params=SITE).status_code == 200
    shop.tick(25)
    assert shop.numbers() == ["00000700"]
    shop.store.cancel("00000700")
    assert shop.orders()["data"][0]["status"] == "new"
    shop.tick(30)
    assert shop.orders()["data"][0]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("siteId=", 400),
        ("siteId=FizzDE", 403),
        ("siteId=FizzUS&limit=0", 400),
        ("siteId=FizzUS&limit=201", 400),
        ("siteId=FizzUS&limit=ten", 400),
        ("siteId=FizzUS&limit=", 400),
        ("siteId=FizzUS&limit=%C2%B2", 400),
        ("siteId=FizzUS&offset=-1", 400),
        ("siteId=FizzUS&offset=9801&limit=200", 400),
        ("siteId=FizzUS&count=10", 400),
        ("siteId=FizzUS&page=2", 400),
        ("siteId=FizzUS&start=0", 400),
        ("siteId=FizzUS&siteId=FizzCA", 400),
        ("siteId=FizzUS&sortBy=lastModified", 400),
        ("siteId=FizzUS&sortOrder=descending", 400),
        ("siteId=FizzUS&status=NEW", 400),
        ("siteId=FizzUS&status=new,open", 400),
        ("siteId=FizzUS&exportStatus=done", 400),
        ("siteId=FizzUS&lastModifiedFrom=2026-11-20T10:00:00.000Z", 400),
        ("siteId=FizzUS&lastModifiedDateFrom=2026-11-20", 400),
        ("siteId=FizzUS&lastModifiedDateFrom=2026-11-20T10:00:00.000000Z", 400),
        ("siteId=FizzUS&lastModifiedDateFrom=2026-11-20T10:00:00", 400),
        ("siteId=FizzUS&lastModifiedDateFrom=2026-11-20T10:00:00%2B00:00", 400),
        ("siteId=FizzUS&lastModifiedDateFrom=2026-13-20T10:00:00Z", 400),
        ("siteId=FizzUS&lastModifiedDateFrom=", 400),
    ],
)
def test_wrong_lists_are_refused_with_a_problem(query, status):
    shop = Shop(sites=["FizzUS", "FizzCA"]).login()
    answer = shop.http.get(f"{ORDERS}?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"title", "type", "detail"} <= set(answer.json())
    assert answer.json()["type"].startswith("https://api.commercecloud.salesforce.com/")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{ORDERS}/00000700", 400),
        ("GET", f"{ORDERS}/700?siteId=FizzUS", 404),
        ("GET", f"{ORDERS}/00000999?siteId=FizzUS", 404),
        ("GET", f"{ORDERS}/00000700?siteId=FizzUS&expand=all", 400),
        ("DELETE", f"{ORDERS}/00000700?siteId=FizzUS", 405),
        ("POST", f"{ORDERS}?siteId=FizzUS", 405),
        ("GET", STOCK, 405),
        ("GET", f"/checkout/orders/v2/organizations/{ORG}/orders?siteId=FizzUS", 404),
        ("GET", f"{CUSTOMERS}/customer-lists/Other/customers/00090700", 404),
        ("GET", f"{CUSTOMERS}/customer-lists/FizzUS/customers/00099999", 404),
        ("GET", f"{CUSTOMERS}/customers/00090700", 404),
    ],
)
def test_wrong_requests_are_refused(method, path, status):
    shop = Shop().login()
    shop.place(customer=TRADER)
    answer = shop.http.request(method, path)
    assert (answer.status_code, "detail" in answer.json()) == (status, True)


def test_too_much_is_too_much():
    shop = Shop().login()
    assert shop.http.get(ORDERS, params=SITE, headers={"X": "x" * 25_000}).status_code == 400
    body = {"skus": ["x" * 5 * 1024 * 1024], "locationIds": ["wh-1"]}
    assert shop.http.post(STOCK, json=body).status_code == 413


def test_an_answer_of_more_than_ten_megabytes_is_none():
    shop = Shop().login()
    lines = [{"sku": "COLA330-C24", "quantity": 1, "custom": {"c_text": "x" * 9_000}}]
    for _ in range(40):
        shop.store.place({"lines": lines * 40})
    assert shop.http.get(ORDERS, params=SITE | {"limit": 40}).status_code == 500
    assert len(shop.orders(limit=20)["data"]) == 20


def test_the_vendor_warns_before_it_refuses():
    shop = Shop(load=85).login()
    answer = shop.http.get(ORDERS, params=SITE)
    told = (answer.headers["sfdc_load"], answer.headers["sfdc_load_status"])
    assert (answer.status_code, told) == (200, ("85", "WARN"))
    shop.http.put("/_sandbox/load", json={"percent": 92})
    answer = shop.http.get(ORDERS, params=SITE)
    assert (answer.status_code, answer.headers["sfdc_load_status"]) == (503, "THROTTLE")
    shop.http.put("/_sandbox/load", json={"percent": 10})
    assert "sfdc_load" not in shop.http.get(ORDERS, params=SITE).headers


def test_too_many_calls_are_told_how_long_to_wait():
    shop = Shop(rate_limit={"calls": 2, "seconds": 60}).login()
    shop.http.get(ORDERS, params=SITE)
    shop.tick(20)
    shop.http.get(ORDERS, params=SITE)
    answer = shop.http.get(ORDERS, params=SITE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "40")
    shop.tick(40)
    assert shop.http.get(ORDERS, params=SITE).status_code == 200


# -- sums ------------------------------------------------------------------------------------------


def sums(order) -> dict[str, float]:
    names = "productSubTotal productTotal shippingTotal taxTotal orderTotal".split()
    return {name: order[name] for name in names}


def test_tax_beside_the_prices():
    lines = [
        {"sku": "A", "quantity": 1, "price": "47.99"},
        {"sku": "B", "quantity": 1, "price": "14.99"},
    ]
    order = Shop().store.place({"lines": lines, "shipping_total": "5.99"})
    assert [line["tax"] for line in order["productItems"]] == [2.40, 0.75]
    assert sums(order) == {
        "productSubTotal": 62.98,
        "productTotal": 62.98,
        "shippingTotal": 5.99,
        "taxTotal": 3.45,
        "orderTotal": 72.42,
    }
    assert (order["taxation"], order["productItems"][0]["taxRate"]) == ("net", 0.05)


def test_tax_inside_the_prices():
    lines = [{"sku": "A", "quantity": 2, "price": "9.59"}]
    order = Shop(prices_include_tax=True).store.place({"lines": lines, "shipping_total": "5.99"})
    assert (order["taxation"], order["orderTotal"], order["taxTotal"]) == ("gross", 25.17, 1.20)
    assert order["orderTotal"] == round(order["productTotal"] + order["shippingTotal"], 2)


def test_discounts_lower_the_adjusted_tax_only():
    lines = [
        {"sku": "A", "quantity": 3, "price": "10.00", "discount": "6.00", "tax_rate": 20},
        {"sku": "B", "quantity": 1, "price": "6.00", "tax_rate": 20},
    ]
    discounts = {"discount_total": "10.00", "coupon_code": "FIZZ10", "shipping_total": "5.00"}
    order = Shop().store.place({"lines": lines} | discounts)
    first, second = order["productItems"]
    assert (first["price"], first["priceAfterItemDiscount"]) == (30.0, 24.0)
    assert (first["priceAfterOrderDiscount"], second["priceAfterOrderDiscount"]) == (16.0, 4.0)
    assert (first["tax"], first["adjustedTax"]) == (6.0, 3.2)
    assert first["priceAdjustments"][0]["price"] == -6.0
    assert order["orderPriceAdjustments"][0]["price"] == -10.0
    assert order["orderPriceAdjustments"][0]["couponCode"] == order["couponItems"][0]["code"]
    assert (order["merchandizeTotalTax"], order["adjustedMerchandizeTotalTax"]) == (7.2, 4.0)
    assert (order["productSubTotal"], order["productTotal"]) == (30.0, 20.0)
    assert order["orderTotal"] == round(20.0 + 5.0 + order["taxTotal"], 2)


def test_free_shipping_leaves_the_plain_tax_on_it():
    order = Shop().place(shipping_total="8.00", shipping_discount="8.00")
    assert (order["shippingTotal"], order["adjustedShippingTotalTax"]) == (0.0, 0.0)
    assert order["shippingTotalTax"] == 0.4
    assert order["shippingItems"][0]["priceAdjustments"][0]["price"] == -8.0
    assert order["taxTotal"] == order["adjustedMerchandizeTotalTax"]


def test_what_rounding_leaves_of_a_discount_goes_to_the_last_line():
    lines = [{"sku": str(place), "quantity": 1, "price": "1.00"} for place in range(4)]
    shop = Shop(tax_rate=0)
    for discount in ("0.02", "0.99", "1.01", "4.00"):
        order = shop.store.place({"lines": lines, "discount_total": discount})
        after = [line["priceAfterOrderDiscount"] for line in order["productItems"]]
        assert round(sum(after), 2) == order["productTotal"] == round(4 - float(discount), 2)
        assert min(after) >= 0


def test_fees_are_charges_of_the_shipping():
    fees = [{"name": "Bottle deposit", "total": "3.60", "tax_rate": 0}]
    order = Shop().place(shipping_total="5.00", fees=fees)
    assert [one["itemText"] for one in order["shippingItems"]] == ["Shipping", "Bottle deposit"]
    assert (order["shippingTotal"], order["shippingTotalTax"]) == (8.6, 0.25)


def test_options_cost_and_parts_of_a_bundle_do_not():
    option = {"option_id": "deposit", "value_id": "crate", "price": "1.50", "name": "Crate"}
    lines = [
        {"sku": "COLA330-C24", "quantity": 2, "options": [option]},
        {
            "sku": "PARTY",
            "quantity": 1,
            "price": "20",
            "bundle": [{"sku": "TONIC200-P4", "quantity": 3}],
        },
    ]
    order = Shop(tax_rate=0).store.place({"lines": lines})
    cola, party = order["productItems"]
    assert (cola["optionItems"][0]["price"], cola["price"]) == (3.0, 28.8)
    assert [part["price"] for part in party["bundledProductItems"]] == [0.0]
    assert order["orderTotal"] == 51.8


def test_halves_bonuses_and_gift_certificates():
    lines = [
        {"sku": "SYRUP", "quantity": 0.5, "price": "9.99"},
        {"sku": "TONIC200-P4", "quantity": 1, "bonus": True},
    ]
    cards = [{"amount": "25", "recipient_email": "bo@quill.example"}]
    order = Shop(tax_rate=0).store.place({"lines": lines, "gift_certificates": cards})
    syrup, bonus = order["productItems"]
    assert (syrup["quantity"], syrup["price"]) == (0.5, 5.0)
    assert (bonus["bonusProductLineItem"], bonus["price"]) == (True, 0.0)
    assert order["orderTotal"] == 30.0


def test_an_order_in_two_shipments():
    lines = [
        {"sku": "COLA330-C24", "quantity": 1},
        {"sku": "TONIC200-P4", "quantity": 2, "shipment": "bar"},
    ]
    bar = ADA | {"company": "Quill Bar", "city": "Salem"}
    order = Shop().store.place(
        {"lines": lines, "billing": ADA, "shipments": {"bar": bar}, "shipping_total": "9"}
    )
    home, other = order["shipments"]
    assert (home["shipmentTotal"], other["shipmentTotal"]) == (24.57, 7.88)
    assert round(home["shipmentTotal"] + other["shipmentTotal"], 2) == order["orderTotal"]
    assert other["shippingAddress"]["companyName"] == "Quill Bar"
    assert "shippingAddress" not in order


def test_yen_have_no_cents():
    order = Shop(currency="JPY").place()
    assert (order["orderTotal"], order["taxTotal"]) == (15.0, 1.0)


# -- orders, customers, stock ----------------------------------------------------------------------


def test_a_guest_has_no_number_and_a_trader_has():
    shop = Shop()
    guest, trader = shop.place(), shop.place(customer=TRADER, po_number="PO-88")
    assert guest["guest"] is True
    assert set(guest["customerInfo"]) == {"customerId", "customerName", "email"}
    assert guest["customerInfo"]["email"] == "ada@quill.example"
    assert trader["guest"] is False
    assert trader["customerInfo"]["customerNo"] == "00090700"
    assert trader["c_poNumber"] == "PO-88"
    numbered = Shop(guest_customer_no="00000000").place()
    assert numbered["customerInfo"]["customerNo"] == "00000000"
    again = shop.place(customer=TRADER)
    assert again["customerInfo"] == trader["customerInfo"]


def test_an_order_is_created_before_it_is_placed():
    shop = listening().login()
    order = shop.place(status="created")
    assert order["exportStatus"] == "not_exported"
    assert shop.topics() == []
    placed = shop.store.update(order["orderNo"], {"status": "new"})
    assert (placed["exportStatus"], placed["confirmationStatus"]) == ("ready", "confirmed")
    failing = shop.place(status="created")["orderNo"]
    shop.store.update(failing, {"status": "failed_with_reopen"})
    assert shop.topics() == ["order.placed", "order.failed"]
    assert shop.numbers(status="failed") == [failing]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("created", "open"),
        ("created", "cancelled"),
        ("completed", "cancelled"),
        ("failed", "new"),
        ("replaced", "new"),
        ("cancelled", "open"),
        ("new", "created"),
        ("new", "failed"),
        ("new", "shipped"),
    ],
)
def test_a_status_leads_only_where_the_vendor_says(first, then):
    shop = Shop()
    number = shop.place(status=first)["orderNo"]
    with pytest.raises(ValueError, match=then):
        shop.store.update(number, {"status": then})
    assert shop.store.shown(number)["status"] == first


def test_an_edit_makes_an_order_in_place_of_the_old():
    shop = listening()
    old = shop.place(2, customer=TRADER, paid=True)["orderNo"]
    later = shop.store.update(old, {"quantities": {"COLA330-C24": 3}})
    assert later["orderNo"] == "00000701"
    assert later["productItems"][0]["quantity"] == 3.0
    assert (later["replacedOrderNo"], later["paymentStatus"]) == (old, "part_paid")
    assert later["customerInfo"]["customerNo"] == "00090700"
    replaced = shop.store.shown(old)
    assert (replaced["status"], replaced["replacementOrderNo"]) == ("replaced", "00000701")
    assert shop.topics()[-2:] == ["order.changed", "order.placed"]


def test_a_shop_may_edit_in_place():
    shop = listening(edits_in_place=True)
    order = shop.place(2, discount_total="1.00")
    shop.tick()
    changes = {"quantities": {"COLA330-C24": 3}, "shipping": {"city": "Salem"}}
    edited = shop.store.update(order["orderNo"], changes | {"customer_note": "Ring twice"})
    assert edited["orderNo"] == order["orderNo"]
    assert edited["productTotal"] == 42.2
    assert edited["shipments"][0]["shippingAddress"]["city"] == "Salem"
    assert edited["c_customerNote"] == "Ring twice"
    assert edited["lastModified"] == "2026-11-20T10:01:00.000Z"
    assert edited["creationDate"] == "2026-11-20T10:00:00.000Z"
    assert shop.topics() == ["order.placed", "order.changed"]


def test_money_comes_in_parts_and_the_instrument_says_nothing():
    shop = listening()
    number = shop.place()["orderNo"]
    assert shop.store.pay(number, "5.00")["paymentStatus"] == "part_paid"
    paid = shop.store.pay(number)
    assert paid["paymentStatus"] == "paid"
    assert paid["paymentInstruments"][0]["amount"] == 0.0
    assert shop.topics() == ["order.placed", "order.changed", "order.paid"]


def test_refunds_need_an_attribute_of_the_merchant():
    shop = listening(refund_attribute="c_refunded")
    number = shop.place(paid=True)["orderNo"]
    shop.store.refund(number, "2.50")
    assert shop.store.refund(number, "1.00")["c_refunded"] == 3.5
    with pytest.raises(ValueError, match="of 15"):
        shop.store.refund(number, "20")
    with pytest.raises(ValueError, match="know no refunds"):
        Shop().store.refund(number, "1")


def test_a_part_of_a_shipment_shows_only_at_the_order():
    shop = listening()
    lines = [{"sku": "COLA330-C24", "quantity": 2}, {"sku": "TONIC200-P4", "quantity": 1}]
    number = shop.store.place({"lines": lines, "billing": ADA})["orderNo"]
    part = [{"sku": "COLA330-C24", "quantity": 1}]
    order = shop.store.ship(number, part, carrier="Rolling Ltd", tracking="RL-1")
    assert order["shippingStatus"] == "part_shipped"
    assert order["shipments"][0]["shippingStatus"] == "not_shipped"
    assert order["shipments"][0]["trackingNumber"] == "RL-1"
    assert order["shipments"][0]["c_carrier"] == "Rolling Ltd"
    order = shop.store.ship(number)
    assert order["shippingStatus"] == order["shipments"][0]["shippingStatus"] == "shipped"
    with pytest.raises(ValueError, match="nothing is left"):
        shop.store.ship(number)
    assert shop.topics() == ["order.placed", "order.shipped", "order.shipped"]


def stock_of(shop, **asked):
    body = {"skus": ["TONIC200-P4"], "locationIds": ["wh-1"]} | asked
    answer = shop.http.post(STOCK, json=body)
    return answer.json()["records"] if answer.status_code == 200 else answer.status_code


def test_orders_hold_stock_until_they_are_cancelled_or_exported():
    shop = Shop().login()
    lines = {"lines": [{"sku": "TONIC200-P4", "quantity": 15}]}
    number = shop.store.place(lines)["orderNo"]
    (record,) = stock_of(shop, skus=["TONIC200-P4", "COLA330-C24"])
    assert (record["onHand"], record["reserved"], record["ats"]) == (40.0, 15.0, 25.0)
    assert (record["sku"], record["locationId"]) == ("TONIC200-P4", "wh-1")
    with pytest.raises(ValueError, match="not available"):
        shop.store.place({"lines": [{"sku": "TONIC200-P4", "quantity": 26}]})
    shop.store.cancel(number)
    assert stock_of(shop)[0]["ats"] == 40.0
    shop.store.set_stock("TONIC200-P4", 10)
    with pytest.raises(ValueError, match="not available"):
        shop.store.update(number, {"status": "new"})
    assert stock_of(shop, locationIds=["wh-9"]) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"skus": []},
        {"skus": "TONIC200-P4"},
        {"skus": [1]},
        {"locationIds": None},
        {"groupIds": ["g"]},
        {"skus": [str(number) for number in range(101)]},
    ],
)
def test_wrong_questions_for_stock(asked):
    assert stock_of(Shop().login(), **asked) == 400


def search(shop, query, path="/customer-search", **more):
    return shop.http.post(CUSTOMERS + path, json={"query": query} | more)


def phrase(text, *fields):
    return {"textQuery": {"fields": list(fields) or ["email"], "searchPhrase": text}}


def test_customers_are_found_by_mail_or_number():
    shop = Shop().login()
    shop.place(customer=TRADER)
    shop.store.customer({"email": "bo@quill.example", "first_name": "Bo"})
    answer = search(shop, phrase("BUYING@cornerpop.example")).json()
    assert (answer["total"], answer["hits"][0]["data"]["companyName"]) == (1, "Corner Pop Ltd")
    by_number = search(
        shop, phrase("00090701", "customerNo"), "/customer-lists/FizzUS/customer-search"
    )
    assert [hit["data"]["email"] for hit in by_number.json()["hits"]] == ["bo@quill.example"]
    assert search(shop, phrase("nobody@quill.example")).json() == {
        "limit": 25,
        "offset": 0,
        "total": 0,
    }
    one = shop.http.get(f"{CUSTOMERS}/customer-lists/FizzUS/customers/00090700").json()
    assert one["addresses"][0]["city"] == "Portland"


@pytest.mark.parametrize(
    "query",
    [
        None,
        {},
        {"textQuery": {"fields": ["email"]}},
        {"textQuery": {"fields": [], "searchPhrase": "x"}},
        {"textQuery": {"fields": ["customer_no"], "searchPhrase": "x"}},
        {"text_query": {"fields": ["email"], "search_phrase": "x"}},
        {"textQuery": {"fields": ["email"], "searchPhrase": "x", "exact": True}},
    ],
)
def test_wrong_questions_for_customers(query):
    assert search(Shop().login(), query).status_code == 400


@pytest.mark.parametrize("more", [{"limit": 201}, {"limit": "5"}, {"offset": -1}, {"start": 0}])
def test_wrong_pages_of_customers(more):
    assert search(Shop().login(), phrase("x"), **more).status_code == 400


def test_a_tenant_may_have_one_way_to_its_customers():
    shop = Shop(customer_paths=["lists"]).login()
    shop.store.customer(TRADER)
    assert search(shop, phrase("x")).status_code == 404
    path = f"{CUSTOMERS}/customer-lists/FizzUS/customers/00090700"
    assert shop.http.get(path).status_code == 200
    shop = Shop(customer_paths=["search"]).login()
    shop.store.customer(TRADER)
    assert search(shop, phrase("x")).status_code == 200
    assert shop.http.get(path).status_code == 404


def test_a_product_says_how_it_is_packed():
    tray = {"sku": "TRAY", "name": "Tray", "price": "9", "unit": "case", "unit_quantity": 24}
    shop = Shop(products=[tray | {"minimum": 2, "step": 2}]).login()
    body = shop.http.get(f"/product/products/v1/organizations/{ORG}/products/TRAY").json()
    assert body["name"] == {"default": "Tray"}
    assert (body["unit"], body["unitQuantity"], body["minOrderQuantity"]) == ("case", 24.0, 2.0)


# -- search for products ---------------------------------------------------------------------------

CATALOGUE = [
    {"sku": "TONIC200-P4", "name": "Quill Tonic", "price": "3.75", "ean": "4006381333931"},
    {"sku": "COLA330", "name": "Corner Cola", "price": "0.70", "type": "master"},
    {"sku": "COLA330-C24", "name": "Corner Cola", "price": "14.40", "type": {"variant": True}},
]
FIND = f"/product/products/v1/organizations/{ORG}/product-search"


def cellar(**seed) -> Shop:
    shop = Shop(products=CATALOGUE, **seed)
    shop.http.post("/_sandbox/reset").raise_for_status()
    return shop.login()


def find(shop, query=None, **more):
    asked = {"query": query or {"matchAllQuery": {}}} | more
    answer = shop.http.post(FIND, params=SITE, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names_of(answer) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def filtered(given):
    return {"filteredQuery": {"query": {"matchAllQuery": {}}, "filter": given}}


def within(field="lastModified", **ends):
    return {"rangeFilter": {"field": field} | ends}


def all_of(*filters, operator="and"):
    return {"boolFilter": {"operator": operator, "filters": list(filters)}}


def test_products_are_found_with_what_the_seed_says_of_them():
    answer = find(cellar())
    assert {name: answer[name] for name in answer if name != "hits"} == {
        "limit": 25,
        "offset": 0,
        "query": {"matchAllQuery": {}},
        "total": 3,
    }
    master, variant, tonic = answer["hits"]
    assert tonic == {
        "creationDate": "2026-11-20T09:59:58.000Z",
        "ean": "4006381333931",
        "id": "TONIC200-P4",
        "lastModified": "2026-11-20T09:59:58.000Z",
        "name": {"default": "Quill Tonic"},
        "online": True,
        "type": {"item": True},
    }
    assert (master["type"], variant["type"]) == ({"master": True}, {"variant": True})
    assert variant["lastModified"] == "2026-11-20T10:00:00.000Z"


def test_the_seed_may_date_its_products():
    dated = {"created_at": "2026-03-01T08:00:00+01:00", "modified_at": "2026-04-01T08:00:00.250Z"}
    shop = Shop(products=[CATALOGUE[0] | dated | {"online": False, "upc": "54"}]).login()
    (one,) = find(shop)["hits"]
    assert (one["creationDate"], one["lastModified"], one["online"], one["upc"]) == (
        "2026-03-01T07:00:00.000Z",
        "2026-04-01T08:00:00.250Z",
        False,
        "54",
    )


@pytest.mark.parametrize(
    "more", [{"type": "spare"}, {"gtin": "1"}, {"modified_at": "2026-04-01T08:00:00"}]
)
def test_a_product_of_the_seed_with_a_typing_error_is_refused(more):
    with pytest.raises(ValueError, match=r"unknown|zone"):
        make({"products": [CATALOGUE[0] | more]})


def test_both_ends_of_a_range_of_products_belong_to_it():
    shop = cellar()
    first, middle, last = (f"2026-11-20T{end}.000Z" for end in ("09:59:58", "09:59:59", "10:00:00"))
    assert names_of(find(shop, filtered(within(to=first)))) == ["TONIC200-P4"]
    assert names_of(find(shop, filtered(within(**{"from": last})))) == ["COLA330-C24"]
    exact = within("creationDate", **{"from": middle, "to": middle})
    assert names_of(find(shop, filtered(exact))) == ["COLA330"]
    both = all_of(within(**{"from": middle}), within("creationDate", to=middle))
    assert names_of(find(shop, filtered(both))) == ["COLA330"]
    assert find(shop, filtered(within(to="2026-11-20T09:59:57.999Z")))["hits"] == []


def test_products_come_in_pages_and_in_the_order_asked_for():
    shop = cellar()
    by_date = [{"field": "creationDate", "sortOrder": "desc"}]
    assert names_of(find(shop, sorts=by_date)) == ["COLA330-C24", "COLA330", "TONIC200-P4"]
    by_both = [{"field": "name"}, {"field": "id", "sortOrder": "desc"}]
    page = find(shop, sorts=by_both, limit=2)
    assert (names_of(page), page["sorts"]) == (["COLA330-C24", "COLA330"], by_both)
    rest = find(shop, sorts=by_both, limit=2, offset=2)
    assert (names_of(rest), rest["offset"], rest["total"]) == (["TONIC200-P4"], 2, 3)
    assert find(shop, offset=3)["hits"] == []


@pytest.mark.parametrize(
    ("expand", "is_shown"),
    [([], True), (["all"], True), (["availability", "prices"], True), (["none"], False)],
)
def test_whether_a_product_is_online_is_an_expansion(expand, is_shown):
    assert {"online" in hit for hit in find(cellar(), expand=expand)["hits"]} == {is_shown}


def test_what_people_do_to_a_product_moves_its_time():
    shop = cellar(webhook_uri=HOOK)
    shop.tick(0.5)
    changes = {"name": "Cola", "online": False, "ean": "5012345678900"}
    answer = shop.http.put("/_sandbox/products/COLA330-C24", json=changes)
    assert (answer.status_code, answer.json()["id"]) == (200, "COLA330-C24")
    since = filtered(within(**{"from": "2026-11-20T10:00:00.001Z"}))
    (hit,) = find(shop, since)["hits"]
    assert hit == answer.json()["product"]
    assert (hit["name"], hit["ean"]) == ({"default": "Cola"}, "5012345678900")
    assert (hit["online"], hit["lastModified"]) == (False, "2026-11-20T10:00:00.500Z")
    assert hit["creationDate"] == "2026-11-20T10:00:00.000Z"
    shop.tick()
    shop.store.set_stock("COLA330", 7)
    assert names_of(find(shop, since)) == ["COLA330-C24"]
    assert shop.place()["productItems"][0]["productName"] == "Cola"
    assert shop.topics() == ["order.placed"]
    shop.http.post("/_sandbox/reset")
    assert {hit["online"] for hit in find(shop.login())["hits"]} == {True}


@pytest.mark.parametrize(
    ("sku", "changes"),
    [
        ("NOTHING", {"name": "x"}),
        ("COLA330", {"price": "1"}),
        ("COLA330", {"online": "no"}),
        ("COLA330", {"ean": 5}),
        ("COLA330", ["name"]),
    ],
)
def test_a_change_of_a_product_the_shop_cannot_make(sku, changes):
    shop = cellar()
    before = find(shop)
    shop.tick()
    answer = shop.http.put(f"/_sandbox/products/{sku}", json=changes)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert find(shop) == before


AT = {"from": "2026-11-20T10:00:00.000Z"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": None},
        {"query": {}},
        {"query": {"matchAllQuery": {"boost": 1}}},
        {"query": {"match_all_query": {}}},
        {"query": {"matchAllQuery": {}, "textQuery": {}}},
        {"query": {"textQuery": {"fields": ["id"], "searchPhrase": "COLA330"}}},
        {"query": {"termQuery": {"fields": ["id"], "operator": "is", "values": ["COLA330"]}}},
        {"query": {"filteredQuery": {"filter": within(**AT)}}},
        {"query": {"filteredQuery": {"query": {"matchAllQuery": {}}}}},
        {"query": filtered({})},
        {"query": filtered(within())},
        {"query": filtered(within("validFrom", **AT))},
        {"query": filtered(within("last_modified", **AT))},
        {"query": filtered(within(**AT, fromInclusive=False))},
        {"query": filtered(within(**{"from": "2026-11-20"}))},
        {"query": filtered(within(**{"from": "2026-11-20T10:00:00+00:00"}))},
        {"query": filtered(within(**{"from": "2026-11-20T10:00:00.000000Z"}))},
        {"query": filtered(within(**{"from": "2026-13-20T10:00:00.000Z"}))},
        {"query": filtered(within(**{"from": None}))},
        {"query": filtered(within(**{"from": 1795168800}))},
        {"query": filtered({"termFilter": {"field": "online", "operator": "is"}})},
        {"query": filtered(all_of())},
        {"query": filtered(all_of(within(**AT), operator="or"))},
        {"query": filtered(all_of(within(**AT), operator="AND"))},
        {"query": filtered(all_of(all_of(within(**AT))))},
        {"sorts": {"field": "id"}},
        {"sorts": [{"field": "lastModified"}]},
        {"sorts": [{"field": "creation_date"}]},
        {"sorts": [{"field": "id", "sortOrder": "ascending"}]},
        {"sorts": [{"field": "id", "sort_order": "asc"}]},
        {"sorts": ["id"]},
        {"expand": "all"},
        {"expand": ["everything"]},
        {"limit": 0},
        {"limit": 201},
        {"limit": "25"},
        {"limit": None},
        {"offset": -1},
        {"offset": 9_801, "limit": 200},
        {"count": 25},
        {"start": 0},
        {"select": "(**)"},
        [],
    ],
)
def test_wrong_searches_for_products_are_refused_with_a_problem(body):
    if isinstance(body, dict) and body and "query" not in body:
        body = {"query": {"matchAllQuery": {}}} | body
    answer = cellar().http.post(FIND, params=SITE, json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"title", "type", "detail"} <= set(answer.json())


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("POST", "siteId=FizzUS&limit=1", 400),
        ("POST", "siteId=FizzDE", 403),
        ("POST", "siteId=", 403),
        ("POST", "", 200),
        ("GET", "siteId=FizzUS", 405),
    ],
)
def test_a_search_for_products_is_posted_for_a_site_the_client_may_see(method, query, status):
    body = {"query": {"matchAllQuery": {}}} if method == "POST" else None
    answer = cellar().http.request(method, f"{FIND}?{query}", json=body)
    assert answer.status_code == status


def test_a_search_for_products_needs_its_scope():
    shop = cellar()
    body = {"query": {"matchAllQuery": {}}}
    shop.login(f"{TENANT} sfcc.orders")
    answer = shop.http.post(FIND, params=SITE, json=body)
    other = shop.login(f"{TENANT} sfcc.products").http.get(ORDERS, params=SITE)
    assert (answer.status_code, other.status_code) == (403, 403)
    assert answer.json()["detail"] == "Access denied. The scope sfcc.products is missing."
    assert {"title", "type"} < {name for name in answer.json() if answer.json()[name]}
    assert answer.json()["type"] == other.json()["type"]
    assert shop.login(f"{TENANT} sfcc.products.rw").http.post(FIND, json=body).status_code == 200


# -- our cartridge ---------------------------------------------------------------------------------


def test_the_contracts_own_vector():
    body = (
        b'{"event":"order.placed","site_id":"FizzUS","order_no":"00028011",'
        b'"occurred_at":"2026-11-01T10:15:30.000Z",'
        b'"delivery_id":"0f6b9c1e-7f0a-4c55-9a1e-2c9d9b5b7d10"}'
    )
    proof = "ed62015d74fa177318e45c0f05de2c85022321391463f80ca066b01fcbb209e3"
    assert sign("fizz_hook_demo_secret", "1793528130", body) == f"v1={proof}"


def test_an_event_is_thin_and_signed():
    shop = listening(webhook_secret="s")
    shop.tick(0.5)
    shop.place()
    (sent,) = shop.deliveries
    body = json.loads(sent.body)
    assert list(body) == ["event", "site_id", "order_no", "occurred_at", "delivery_id"]
    assert (body["event"], body["site_id"], body["order_no"]) == (
        "order.placed",
        "FizzUS",
        "00000700",
    )
    assert body["occurred_at"] == "2026-11-20T10:00:00.500Z"
    assert (sent.id, sent.uri) == (body["delivery_id"], HOOK)
    second = str(int(shop.now.timestamp()))
    proof = hmac.new(b"s", f"{second}.".encode() + sent.body, hashlib.sha256).hexdigest()
    assert sent.headers == {
        "Content-Type": "application/json",
        "X-Fizz-Timestamp": second,
        "X-Fizz-Signature": f"v1={proof}",
    }


def test_every_event_of_the_contract():
    shop = listening()
    number = shop.place(customer=TRADER)["orderNo"]
    shop.store.update(number, {"status": "open"})
    shop.store.pay(number)
    shop.store.ship(number)
    shop.store.cancel(number)
    shop.store.update(shop.place(status="created")["orderNo"], {"status": "failed"})
    assert set(shop.topics()) == set(EVENTS)
    customer = shop.bodies()[0]
    assert list(customer) == ["event", "site_id", "customer_no", "occurred_at", "delivery_id"]
    names = [body["delivery_id"] for body in shop.bodies()]
    assert len(set(names)) == len(names)


def test_a_retry_has_the_same_body_and_a_new_proof():
    shop = listening()
    shop.place()
    (delivery,) = shop.deliveries
    seen = []

    def refuse(sent):
        seen.append((sent.body, dict(sent.headers)))
        return 503

    shop.sandbox.outbox.post = refuse
    shop.sandbox.outbox.send([delivery.id])
    shop.tick(300)
    shop.sandbox.outbox.send([delivery.id])
    (first, before), (second, after) = seen
    assert first == second
    assert int(after["X-Fizz-Timestamp"]) - int(before["X-Fizz-Timestamp"]) == 300
    assert before["X-Fizz-Signature"] != after["X-Fizz-Signature"]
    assert delivery.status == "waiting"


def test_the_job_tries_for_three_days_and_drops_nobody():
    outbox = make().outbox
    assert timedelta(seconds=sum(outbox.pauses)) == timedelta(hours=72)
    shop = listening()
    shop.sandbox.outbox.post = lambda delivery: 500
    for _ in range(30):
        shop.place()
    shop.sandbox.outbox.send([one.id for one in shop.deliveries])
    assert {one.status for one in shop.deliveries} == {"waiting"}


def test_without_an_address_nothing_is_posted():
    shop = Shop()
    shop.place()
    assert shop.deliveries == []


# -- control ---------------------------------------------------------------------------------------


def test_the_control_routes_drive_the_shop():
    shop = listening(edits_in_place=True)
    http = shop.http
    draft = {"lines": [{"sku": "COLA330-C24", "quantity": 2}], "billing": ADA}
    made = http.post("/_sandbox/orders", json=draft)
    number = made.json()["id"]
    assert (made.status_code, made.json()["order"]["orderNo"]) == (201, number)
    for action, body in (
        ("update", {"quantities": {"COLA330-C24": 1}}),
        ("pay", {}),
        ("ship", {"carrier": "Rolling Ltd", "tracking": "RL-2"}),
        ("cancel", {}),
    ):
        answer = http.post(f"/_sandbox/orders/{number}/{action}", json=body)
        assert (answer.status_code, answer.json()["id"]) == (200, number), action
    for action in ("refund", "delete", "explode"):
        assert http.post(f"/_sandbox/orders/{number}/{action}", json={}).status_code == 404
    made = http.post("/_sandbox/customers", json=TRADER)
    assert (made.status_code, made.json()["id"]) == (201, "00090700")
    again = http.post("/_sandbox/customers/00090700/update", json={"last_name": "Keg"})
    assert again.json()["customer"]["lastName"] == "Keg"
    counted = http.post("/_sandbox/products/TONIC200-P4/update", json={"stock": 7})
    assert counted.json()["product"]["onHand"] == 7.0
    assert http.get("/_sandbox/accepted").json() == {"orders": 1}
    http.put("/_sandbox/webhook_uri", json={"uri": "https://other.example"})
    shop.place()
    assert shop.deliveries[-1].uri == "https://other.example"
    assert len(http.get("/_sandbox/deliveries").json()) == len(shop.deliveries)
    assert http.post("/_sandbox/reset").status_code == 204
    assert shop.sandbox.store.orders == {}


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"lines": []},
        {"wrong": 1, "lines": [{"sku": "COLA330-C24", "quantity": 1}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 0}]},
        {"lines": [{"sku": "COLA330-C24"}]},
        {"lines": [{"sku": "NEW", "quantity": 1}]},
        {"lines": [{"sku": "TONIC200-P4", "quantity": 41}], "customer": TRADER},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1, "colour": "red"}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1, "shipment": "attic"}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "discount_total": "99"},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "status": "processing"},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "site_id": "FizzDE"},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "fees": [{"name": "x", "total": -1}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "custom": {"po": "1"}},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "created_at": "2026-11-20T10:00:00"},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "customer": {"name": "Ada"}},
    ],
)
def test_a_draft_the_shop_cannot_hold_leaves_nothing(draft):
    shop = listening()
    answer = shop.http.post("/_sandbox/orders", json=draft)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert (shop.store.orders, shop.store.customers, shop.deliveries) == ({}, {}, [])


def test_a_seed_with_a_typing_error_is_refused():
    with pytest.raises(ValueError, match="taxrate"):
        make({"taxrate": 20})


# -- the older API ---------------------------------------------------------------------------------

OLD = "/s/FizzUS/dw/shop/v25_6/order_search"
SINCE = {"range_filter": {"field": "last_modified", "from": "2026-11-20T10:01:00.000Z"}}
EVERYTHING = {"match_all_query": {}}


def ask(since=SINCE, **more):
    query = {"filtered_query": {"query": EVERYTHING, "filter": since}}
    return {"query": query, "select": "(**)", "count": 200, "start": 0} | more


def old_login(shop) -> Shop:
    form = {"grant_type": "client_credentials"}
    token = shop.http.post("/dw/oauth2/access_token", data=form, auth=CLIENT).json()
    shop.http.headers["Authorization"] = f"Bearer {token['access_token']}"
    shop.http.headers["x-dw-client-id"] = CLIENT[0]
    return shop


def test_the_older_search_finds_the_same_orders():
    shop = old_login(Shop())
    for _ in range(3):
        shop.place(po_number="PO-9")
        shop.tick()
    sort = [{"field": "last_modified", "sort_order": "asc"}]
    body = shop.http.post(OLD, json=ask(sorts=sort)).json()
    assert (body["total"], body["count"], body["start"]) == (2, 2, 0)
    first = body["hits"][0]["data"]
    assert (first["order_no"], first["c_poNumber"]) == ("00000701", "PO-9")
    assert first["product_items"][0]["price_after_order_discount"] == 14.4
    assert first["billing_address"]["address1"] == "4 Fountain Row"
    assert "hits" not in shop.http.post(OLD, json=ask(start=9)).json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": {"term_query": {}}},
        ask({"term_filter": {}}),
        ask({"range_filter": {"field": "total", "from": "2026-11-20T10:01:00.000Z"}}),
        ask({"range_filter": {"field": "last_modified", "from": "2026-11-20"}}),
        ask(count=201),
        ask(limit=10),
        ask(sorts=[{"field": "total"}]),
    ],
)
def test_the_older_search_refuses_what_it_does_not_know(body):
    answer = old_login(Shop()).http.post(OLD, json=body)
    assert (answer.status_code, answer.json()["_v"]) == (400, "25.6")
    assert answer.json()["fault"]["type"] == "MalformedDocumentException"


def test_tokens_open_one_of_the_two_apis():
    shop = Shop().login()
    assert shop.http.post(OLD, json=ask()).status_code == 403
    shop = old_login(Shop())
    assert shop.http.get(ORDERS, params=SITE).status_code == 403
    del shop.http.headers["x-dw-client-id"]
    assert shop.http.post(OLD, json=ask()).status_code == 403
    assert shop.http.post(f"{OLD}?client_id={CLIENT[0]}", json=ask()).status_code == 200


# -- the vendor's own payloads ---------------------------------------------------------------------


def lacking(theirs, ours, place="") -> list[str]:
    """Where ours has not what theirs has, or another type."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            return [place]
        return [
            found
            for name, one in theirs.items()
            for found in lacking(one, ours.get(name), f"{place}/{name}")
        ]
    if isinstance(theirs, list):
        if not isinstance(ours, list):
            return [place]
        return [found for one in theirs for found in lacking(one, (ours or [None])[0], place)]
    kind = (int, float) if type(theirs) in {int, float} else type(theirs)
    is_same = isinstance(ours, kind) and isinstance(ours, bool) == isinstance(theirs, bool)
    return [] if is_same else [place]


def sample(name):
    return json.loads((SAMPLES / f"{name}.json").read_text())


@needs_vendor
@pytest.mark.parametrize("name", ["scapi_order_00028010", "scapi_order_00028011"])
def test_an_order_has_the_vendors_fields(name):
    theirs = sample(name)
    lines = [
        {"sku": line["productId"], "price": line["basePrice"], "quantity": line["quantity"]}
        for line in theirs["productItems"]
    ]
    draft = {"lines": lines, "shipping_total": theirs["shippingTotal"], "status": theirs["status"]}
    ours = Shop().place(customer=TRADER, **draft)
    own = {"/shipments/shippingMethod/c_estimatedArrivalTime"}
    assert set(lacking(theirs, ours)) <= own
    for field in ("status", "confirmationStatus", "exportStatus", "paymentStatus", "taxation"):
        assert ours[field] == theirs[field]
    for figure in [name for name in theirs if name.endswith(("Total", "Tax"))]:
        assert ours[figure] == theirs[figure], figure
    assert set(ours) - set(theirs) == {"guest", "orderViewCode"}


@needs_vendor
def test_a_basket_with_tax_inside_adds_up_the_same():
    theirs = sample("scapi_basket_with_item")
    (line,) = theirs["productItems"]
    lines = [{"sku": "A", "price": line["basePrice"], "quantity": line["quantity"]}]
    ours = Shop(currency="GBP", prices_include_tax=True).place(
        lines=lines, shipping_total=theirs["shippingTotal"]
    )
    for figure in [name for name in theirs if name.endswith(("Total", "Tax"))]:
        assert ours[figure] == theirs[figure], figure
    assert lacking(line, ours["productItems"][0]) == []
    assert lacking(theirs["shippingItems"], ours["shippingItems"]) == []
    (empty,) = sample("scapi_empty_basket")["baskets"]
    assert lacking(empty["shippingItems"], ours["shippingItems"]) == []


@needs_vendor
def test_a_customer_has_the_vendors_fields():
    theirs = sample("scapi_registered_customer")
    ours = Shop().store.customer(TRADER | {"billing": ADA})
    theirs.pop("paymentInstruments")
    assert lacking(theirs, ours) == []
    assert set(ours) - set(theirs) == {"companyName", "paymentInstruments"}


@needs_vendor
def test_a_problem_has_the_vendors_fields():
    theirs = sample("scapi_error_password_update")
    answer = Shop().login().http.get(f"{ORDERS}/1", params=SITE).json()
    assert lacking({name: theirs[name] for name in ("title", "type", "detail")}, answer) == []
    assert answer["type"].rpartition("/")[0] == theirs["type"].rpartition("/")[0]


@needs_vendor
def test_a_product_has_the_vendors_numbers():
    (theirs,) = sample("scapi_products_response")["data"]
    shop = Shop().login()
    path = f"/product/products/v1/organizations/{ORG}/products/COLA330-C24"
    ours = shop.http.get(path).json()
    names = ("id", "minOrderQuantity", "stepQuantity")
    assert lacking({name: theirs[name] for name in names}, ours) == []


@needs_vendor
def test_states_and_filters_are_those_of_the_specification():
    spec = json.loads(SPEC.read_text())
    schemas = spec["components"]["schemas"]
    shop = Shop().login()
    order = shop.place()
    for name in ("Status", "ExportStatus", "ConfirmationStatus", "PaymentStatus", "ShippingStatus"):
        schema = schemas["OrderStatus" if name == "Status" else name]
        field = name[0].lower() + name[1:]
        jsonschema.validate(order[field], schema)
        for word in set(schema["enum"]) - {"failed_with_reopen"}:
            shop.orders(**{field: word})
    jsonschema.validate(shop.http.get(f"{ORDERS}/1", params=SITE).json(), schemas["Problem"])
    values = {"sortBy": "last_modified", "sortOrder": "asc", "offset": "0", "limit": "1"}
    values |= {"siteId": "FizzUS", "externalStatus": "x", "status": "new", "exportStatus": "ready"}
    values |= {"confirmationStatus": "confirmed", "paymentStatus": "paid"}
    values |= {"shippingStatus": "shipped"}
    for parameter in spec["paths"]["/orders"]["get"]["parameters"]:
        name = parameter["name"]
        shop.orders(**{name: values.get(name, "2026-11-20T10:00:00.000Z")})


# -- fixtures --------------------------------------------------------------------------------------


def test_every_event_has_a_fixture():
    assert {path.stem.partition("__")[0].replace("_", ".") for path in FIXTURES} == set(EVENTS)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_a_delivery_of_the_contract(path):
    fixture = json.loads(path.read_text())
    assert list(fixture) == ["description", "origin", "api_version", "headers", "body"]
    assert set(fixture["headers"]) == {"Content-Type", "X-Fizz-Timestamp"}
    body = json.loads(fixture["body"])
    event = path.stem.partition("__")[0].replace("_", ".")
    key = "customer_no" if event.startswith("customer") else "order_no"
    names = ["event", "site_id", key, "occurred_at", "delivery_id"]
    assert body["event"] == event
    assert [name for name in body if name in names] == names


@pytest.mark.parametrize("path", ANSWERED, ids=lambda path: path.stem)
def test_an_answer_adds_up_the_vendors_way(path):
    answer = json.loads(path.read_text())["response"]
    body = answer["body"]
    if answer["status"] != 200:
        assert {"title", "type", "detail"} <= set(body)
        return
    orders = [body] if "orderNo" in body else body.get("data", [])
    for order in orders:
        cards = sum(one["amount"] for one in order.get("giftCertificateItems") or [])
        tax = order["taxTotal"] if order["taxation"] == "net" else 0
        due = order["productTotal"] + order["shippingTotal"] + tax + cards
        assert round(due, 2) == order["orderTotal"]
        taxes = order["adjustedMerchandizeTotalTax"] + order["adjustedShippingTotalTax"]
        assert round(taxes, 2) == order["taxTotal"]
        lines = [
            one
            for line in order["productItems"]
            for one in (line, *line.get("optionItems", []), *line.get("bundledProductItems", []))
        ]
        assert (
            round(sum(one["priceAfterOrderDiscount"] for one in lines), 2) == order["productTotal"]
        )
        assert round(sum(one["shipmentTotal"] for one in order["shipments"]), 2) == round(due, 2)
