"""The sandbox shop keeps the vendor's habits, and our module its contract."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from platforms.magento.sandbox import make
from platforms.magento.sandbox_events import EVENTS
from platforms.magento.sandbox_oauth import base_string, signature
from platforms.magento.sandbox_values import RefusedError
from tests.platforms.magento.magento_shop import (
    ADA,
    EMPTY,
    HOOK,
    PRODUCTS,
    TRADER,
    URL,
    Shop,
    Signed,
    criteria,
    lines,
)

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES = VENDOR / "samples" / "magento"
SPEC = VENDOR / "specs" / "magento" / "admin-2.4.9.trimmed.openapi2.json"
FOLDER = Path(__file__).parents[3] / "events" / "magento"
FIXTURES = sorted(FOLDER.glob("*__*.json"))
ANSWERED = sorted((FOLDER / "api").glob("*.json"))
NO_RIGHT = "The consumer isn't authorized to access %resources."
CRASH = "Internal Error. Details are available in Magento log file. Report ID: webapi-"
needs_vendor = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's payloads are not on this machine"
)


def refused(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def listening(**seed) -> Shop:
    return Shop(webhook_uri=HOOK, **seed)


# -- who may ask -----------------------------------------------------------------------------------


def test_the_signature_of_the_vector():
    own = {
        "oauth_consumer_key": "ck1",
        "oauth_nonce": "abc123nonce",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1763900000",
        "oauth_token": "at1",
        "oauth_version": "1.0",
    }
    query = [("searchCriteria[pageSize]", "2")]
    url = "https://shop.example.com/rest/V1/orders"
    base = base_string("GET", url, [*query, *own.items()])
    assert base == (
        "GET&https%3A%2F%2Fshop.example.com%2Frest%2FV1%2Forders&oauth_consumer_key%3Dck1%26"
        "oauth_nonce%3Dabc123nonce%26oauth_signature_method%3DHMAC-SHA256%26"
        "oauth_timestamp%3D1763900000%26oauth_token%3Dat1%26oauth_version%3D1.0%26"
        "searchCriteria%255BpageSize%255D%3D2"
    )
    assert signature(base, "cs1", "ats1") == "pCzRO+PqkX/POd+5wExD/2yuoy8gtvM1ZGKklq1/ifo="


@pytest.mark.parametrize(
    ("spoiled", "status", "message"),
    [
        ({"oauth_signature": "d3Jvbmc="}, 401, "The signature is invalid. Verify and try again."),
        ({"oauth_token": "at_other"}, 401, "Specified token does not exist"),
        (
            {"oauth_consumer_key": "ck_other"},
            401,
            "A consumer having the specified key does not exist",
        ),
        ({"oauth_signature_method": "HMAC-SHA1"}, 400, "Signature method %1 is not supported"),
        ({"oauth_timestamp": "9999999999"}, 401, "An error occurred validating the nonce"),
        ({"oauth_timestamp": "soon"}, 401, "An error occurred validating the nonce"),
        ({"oauth_version": "2.0"}, 400, "OAuth version %1 is not supported"),
        ({"oauth_nonce": None}, 400, '"%fieldName" is required. Enter and try again.'),
        ({"oauth_token": None}, 400, '"%fieldName" is required. Enter and try again.'),
    ],
)
def test_a_signature_that_does_not_hold(spoiled, status, message):
    shop = Shop()
    answer = shop.call(f"orders?{EMPTY}", auth=Signed(shop, **spoiled))
    assert refused(answer) == (status, message)


def test_ten_minutes_ahead_is_refused_and_a_day_old_is_not():
    shop = Shop()
    now = int(shop.now.timestamp())
    for second, status in ((now + 600, 200), (now + 601, 401), (now - 25 * 3600, 200)):
        auth = Signed(shop, oauth_timestamp=str(second))
        assert shop.call(f"orders?{EMPTY}", auth=auth).status_code == status


def test_a_nonce_counts_once():
    shop = Shop()
    auth = Signed(shop, oauth_nonce="once")
    assert shop.call("modules", auth=auth).status_code == 200
    answer = shop.call("modules", auth=auth)
    assert refused(answer) == (401, "The nonce is already being used by the consumer with ID %1")


def test_a_space_goes_out_as_percent_20_and_never_as_a_plus():
    shop = Shop()
    query = criteria(("updated_at", "2026-11-20 10:00:00", "gteq"))
    assert shop.call(f"orders?{query}").status_code == 200
    answer = shop.call(f"orders?{query.replace('%20', '+')}")
    assert refused(answer) == (401, "The signature is invalid. Verify and try again.")


@pytest.mark.parametrize("header", [None, "Bearer at_sandbox", "Basic x", "OAuth2 x"])
def test_no_token_and_no_bare_token(header):
    headers = {"Authorization": header} if header else {}
    answer = Shop().call(f"orders?{EMPTY}", auth=None, headers=headers)
    assert refused(answer) == (401, NO_RIGHT)
    assert answer.json()["parameters"] == {"resources": "Magento_Sales::actions_view"}


def test_a_merchant_may_let_the_bare_token_in():
    shop = Shop(bearer=True)
    for token, status in (("at_sandbox", 200), ("at_other", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert shop.call("modules", auth=None, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("orders", "Magento_Sales::actions_view"),
        ("invoices", "Magento_Sales::sales"),
        ("customers/search", "Magento_Customer::manage"),
        ("company", "Magento_Company::index"),
        ("products", "Magento_Catalog::products"),
        ("inventory/source-items", "Magento_InventoryApi::source"),
        ("inventory/stocks", "Magento_InventoryApi::stock"),
    ],
)
def test_each_list_needs_a_right(path, right):
    answer = Shop(acl=[]).call(f"{path}?{EMPTY}")
    assert refused(answer) == (401, NO_RIGHT)
    assert answer.json()["parameters"] == {"resources": right}
    assert Shop(acl=[right]).call(f"{path}?{EMPTY}").status_code == 200


# -- routes and forms ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/all/V1/nope"),
        ("GET", "/rest/V2/orders"),
        ("GET", "/rest/second/V1/orders"),
        ("DELETE", "/rest/V1/orders/700"),
        ("POST", "/rest/V1/orders/700/cancel"),
    ],
)
def test_what_is_no_route(method, path):
    shop = Shop()
    answer = shop.http.request(method, path, auth=shop.auth)
    assert refused(answer) == (404, "Request does not match any route.")


@pytest.mark.parametrize("view", ["", "/all", "/default", "/trade"])
def test_each_view_has_the_routes(view):
    shop = Shop(stores=["default", "trade"])
    assert shop.http.get(f"/rest{view}/V1/modules", auth=shop.auth).status_code == 200


def test_a_shop_has_the_routes_of_its_modules():
    shop = Shop(edition="open_source")
    for path in ("returns", "company"):
        answer = shop.call(f"{path}?{EMPTY}")
        assert refused(answer) == (404, "Request does not match any route.")
    assert "Magento_Company" not in shop.get("modules")
    assert {"Magento_Rma", "Magento_Company"} <= set(Shop().get("modules"))
    small = Shop(modules=["Magento_Sales", "Magento_Catalog"])
    assert small.call(f"inventory/source-items?{EMPTY}").status_code == 404
    assert small.get("stockItems/TONIC200-P4")["qty"] == 40


def test_the_answer_is_in_the_form_that_was_asked_for():
    shop = Shop()

    def kind(accept):
        answer = shop.call("modules", headers={"Accept": accept})
        return answer.status_code, answer.headers["content-type"].partition(";")[0]

    assert kind("application/json") == kind("*/*") == (200, "application/json")
    assert kind("application/xml") == (200, "application/xml")
    assert kind("text/html") == (500, "text/html")
    assert kind("image/png") == (406, "application/json")


def test_xml_is_the_same_answer():
    shop = Shop(stores=["default"])
    answer = shop.call("store/websites", headers={"Accept": "application/xml"})
    assert "<item><id>0</id><code>admin</code><name>Admin</name>" in answer.text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("{", "Decoding error."),
        ("[]", "Decoding error."),
        ("{}", '"%fieldName" is required. Enter and try again.'),
        ('{"skus": [], "Nope": 1}', '"%fieldName" is not supported. Correct the field name and'),
    ],
)
def test_bodies_that_are_refused(raw, message):
    shop = Shop()
    path = "/rest/all/V1/products/base-prices-information"
    status, said = refused(shop.http.post(path, content=raw, auth=shop.auth))
    assert status == 400
    assert said.startswith(message)


# -- searches --------------------------------------------------------------------------------------


def crowd(number: int = 9, **seed) -> Shop:
    """Orders that were all placed in one second."""
    shop = Shop(**seed)
    for _ in range(number):
        shop.place()
    return shop


def test_a_list_says_what_it_was_asked():
    shop = crowd(2)
    found = shop.list("orders", ("state", "new", "eq"), sort=["updated_at"], pageSize=1)
    one = {"field": "state", "value": "new", "condition_type": "eq"}
    assert found["search_criteria"] == {
        "filter_groups": [{"filters": [one]}],
        "sort_orders": [{"field": "updated_at", "direction": "ASC"}],
        "page_size": 1,
    }
    assert (found["total_count"], len(found["items"])) == (2, 1)


@pytest.mark.parametrize("page", [0, -1, 1])
def test_there_is_no_page_before_the_first(page):
    shop = crowd(3)
    assert shop.ids(sort=["entity_id"], pageSize=2, currentPage=page) == [700, 701]


def test_past_the_end_there_is_nothing_but_the_count():
    shop = crowd(3)
    found = shop.list("orders", pageSize=2, currentPage=9)
    assert (found["items"], found["total_count"]) == ([], 3)
    fields = "items[entity_id],total_count"
    found = shop.list("orders", pageSize=2, currentPage=9, fields=fields)
    assert found == {"items": None, "total_count": 3}


def test_an_older_shop_gives_its_last_page_again():
    shop = crowd(3, repeats_last_page=True)
    for page in (2, 3, 9):
        assert shop.ids(sort=["entity_id"], pageSize=2, currentPage=page) == [702]


def test_rows_of_one_second_need_a_second_sort():
    shop = crowd(9)

    def walk(*sort):
        return [
            one
            for page in (1, 2, 3)
            for one in shop.ids(sort=list(sort), pageSize=3, currentPage=page)
        ]

    assert walk("updated_at", "entity_id") == list(range(700, 709))
    assert walk("updated_at") != list(range(700, 709))


def test_a_limit_on_pages():
    shop = crowd(21, page_limit=300)
    assert len(shop.items("orders")) == 20
    answer = shop.call(f"orders?{criteria(pageSize=301)}")
    assert refused(answer) == (400, "Maximum SearchCriteria pageSize is %max")
    assert len(crowd(21).items("orders")) == 21


def test_fields_trim_an_answer():
    shop = crowd(1)
    found = shop.list("orders", fields="items[entity_id,billing_address[city]],total_count")
    trimmed = {"entity_id": 700, "billing_address": {"city": "Leeds"}}
    assert found == {"items": [trimmed], "total_count": 1}
    assert shop.list("orders", fields="entity_id") == []
    assert shop.get("orders/700?fields=entity_id,state") == {"entity_id": 700, "state": "new"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([("entity_id", 701, "eq")], [701]),
        ([("entity_id", 701, "neq")], [700, 702]),
        ([("entity_id", 700, "gt"), ("entity_id", 702, "lt")], [701]),
        ([("entity_id", 701, "gteq")], [701, 702]),
        ([("entity_id", 701, "lteq")], [700, 701]),
        ([("entity_id", 701, "from"), ("entity_id", 701, "to")], [701]),
        ([("entity_id", "700,702", "in")], [700, 702]),
        ([("entity_id", "700,702", "nin")], [701]),
        ([("customer_email", "%@QUILL.%", "like")], [700, 701]),
        ([("customer_id", "", "null")], [700, 701]),
        ([("customer_id", "", "notnull")], [702]),
        ([("status", "pending", "finset")], [700, 701, 702]),
        ([("updated_at", "2026-11-20 10:01:00", "gteq")], [701, 702]),
        ([("updated_at", "2026-11-20 10:01:00", "gt")], [702]),
        # What it does not understand it takes as it comes, without a word.
        ([("entity_id", 701, "nonsense")], [701]),
        ([("updated_at", "yesterday", "gteq")], []),
    ],
)
def test_conditions(filters, found):
    shop = Shop()
    for more in ({}, {}, {"customer": TRADER}):
        shop.place(**more)
        shop.tick()
    assert shop.ids(*filters, sort=["entity_id"]) == found


def test_filters_of_a_group_are_or_and_groups_are_and():
    shop = crowd(3)
    head = "searchCriteria[filter_groups]"
    query = (
        f"{head}[0][filters][0][field]=entity_id&{head}[0][filters][0][value]=700"
        f"&{head}[0][filters][1][field]=entity_id&{head}[0][filters][1][value]=702"
        f"&{head}[1][filters][0][field]=entity_id&{head}[1][filters][0][value]=701"
        f"&{head}[1][filters][0][condition_type]=gt"
    )
    found = shop.get(f"orders?{query.replace('[', '%5B').replace(']', '%5D')}")
    assert [one["entity_id"] for one in found["items"]] == [702]


NOPE = criteria(("nope", 1, "eq"))


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("orders", 400, '"%fieldName" is required. Enter and try again.'),
        ("orders?pageSize=2", 400, '"%fieldName" is required. Enter and try again.'),
        (f"orders?{NOPE}", 500, f"{CRASH}67446f5a1b2c3"),
        (f"orders?{criteria(sort=['nope'])}", 500, f"{CRASH}67446f5a1b2c3"),
        (f"products?{NOPE}", 400, 'The "%1" attribute name is invalid. Reset the name and'),
        (f"orders?{criteria(pageSize='many')}", 400, 'The "%value" value\'s type is invalid.'),
        (f"orders?{criteria(sort=['entity_id UP'])}", 400, "Invalid sort order"),
        (f"orders?{criteria(nope=1)}", 400, '"%fieldName" is not supported.'),
        ("orders/nope", 400, 'The "%value" value\'s type is invalid.'),
        ("orders/9999", 404, "The entity that was requested doesn't exist. Verify the entity"),
        ("invoices/9999", 404, "The entity that was requested doesn't exist."),
        ("shipment/9999", 404, "The entity that was requested doesn't exist."),
        ("creditmemo/9999", 404, "The entity that was requested doesn't exist."),
        ("customers/9999", 404, "No such entity with %fieldName = %fieldValue"),
        ("company/9999", 404, "No such entity with %fieldName = %fieldValue"),
        ("products/NOPE", 404, "The product that was requested doesn't exist. Verify the product"),
        ("stockItems/NOPE", 404, "The product that was requested doesn't exist."),
    ],
)
def test_wrong_reads(path, status, message):
    answer = Shop().call(path)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)


# -- orders ----------------------------------------------------------------------------------------


def exact(body: dict, *names: str) -> Decimal:
    return sum((Decimal(str(body.get(name) or 0)) for name in names), Decimal(0))


def due(order: dict) -> Decimal:
    """What an order comes to by the sheet's rule."""
    extension = order["extension_attributes"]
    names = "subtotal discount_amount shipping_amount tax_amount discount_tax_compensation_amount"
    whole = exact(order, *names.split())
    whole += sum(exact(row, "weee_tax_applied_row_amount") for row in order["items"])
    whole += sum(exact(fee, "custom_fee_amount") for fee in extension.get("custom_fees", []))
    return whole - exact(extension, "gift_cards_amount", "customer_balance_amount")


MANY = {
    "lines": [
        {"sku": "TONIC200-P4", "quantity": 2, "configurable": "SODA-CHOICE"},
        *lines(mixed=1, party=1),
        {"sku": "COLA330-C24", "quantity": 3, "deposit": "0.15", "discount": "1.01"},
        {"sku": "ODD-1", "name": "Not in the shop", "quantity": "1.5", "price": "3.333"},
    ],
    "discount_total": "1.99",
    "shipping_total": "7.01",
    "fees": [{"name": "Pallet fee", "total": "6.00"}],
    "store_credit": "1.00",
    "gift_card_total": "2.00",
}


@pytest.mark.parametrize("is_included", [False, True])
@pytest.mark.parametrize("rate", [0, 5, "17.5", 20])
@pytest.mark.parametrize("draft", [{}, MANY])
def test_an_order_adds_up_and_its_documents_add_up_to_it(draft, rate, is_included):
    shop = Shop(tax_rate=rate, prices_include_tax=is_included)
    order = shop.place(quantity=3, **draft)
    number, whole = order["entity_id"], exact(order, "grand_total")
    assert due(order) == whole
    shop.store.pay(number, {"lines": [{"sku": "COLA330-C24", "quantity": 1}]})
    shop.store.pay(number)
    shop.store.ship(number)
    shop.store.refund(number, {"lines": [{"sku": "COLA330-C24", "quantity": 1}]})
    shop.store.refund(number)
    for kind in ("invoices", "creditmemos"):
        assert sum(exact(one, "grand_total") for one in shop.items(kind)) == whole
    order = shop.order(number)
    assert exact(order, "total_paid") == exact(order, "total_refunded") == whole
    assert (order["state"], order["status"], order["total_due"]) == ("closed", "closed", 0)


def test_the_lines_of_variants_and_bundles():
    """Item, parent, type, SKU, quantity and price, as a shop was seen to have them."""
    shop = Shop(first_id=1)
    order = shop.place(
        lines=[
            {"sku": "TONIC200-P4", "quantity": 2, "configurable": "SODA-CHOICE"},
            *lines(mixed=1, party=1),
        ]
    )
    names = "parent_item_id product_type sku qty_ordered price"
    rows = [tuple(row.get(name) for name in names.split()) for row in order["items"]]
    first = order["items"][0]["item_id"]
    assert rows == [
        (None, "configurable", "TONIC200-P4", 2, 3.75),
        (first, "simple", "TONIC200-P4", 2, 0),
        (None, "bundle", "MIXED-BOX", 1, 30.15),
        (first + 2, "simple", "COLA330-C24", 2, 13.2),
        (first + 2, "simple", "TONIC200-P4", 1, 3.75),
        (None, "bundle", "PARTY-BOX", 1, 30),
        (first + 5, "simple", "COLA330-C24", 2, 0),
        (first + 5, "simple", "TONIC200-P4", 1, 0),
    ]
    assert order["subtotal"] == 7.5 + 30.15 + 30
    assert "price_incl_tax" not in order["items"][1]
    assert order["items"][1]["parent_item"]["item_id"] == first
    assert order["total_item_count"] == 8
    shop.store.ship(order["entity_id"])
    shipped = [row["qty_shipped"] for row in shop.order(order["entity_id"])["items"]]
    assert shipped == [2, 0, 1, 2, 1, 1, 2, 1]


def test_a_discount_is_negative_on_the_order_and_positive_on_its_lines():
    order = Shop().place(quantity=4, discount_total="5.28", coupon_code="FIZZ")
    assert (order["discount_amount"], order["coupon_code"]) == (-5.28, "FIZZ")
    assert order["items"][0]["discount_amount"] == 5.28
    assert order["items"][0]["row_total"] == 52.8
    assert order["tax_amount"] == 9.50


def test_a_discount_on_gross_prices_leaves_a_hidden_tax():
    order = Shop(prices_include_tax=True).place(
        lines=[{"sku": "COLA330-C24", "quantity": 1, "price": "12.00", "discount": "2.40"}]
    )
    row = order["items"][0]
    assert (row["row_total"], row["row_total_incl_tax"]) == (10, 12)
    assert (row["tax_amount"], row["discount_tax_compensation_amount"]) == (1.6, 0.4)
    assert (order["grand_total"], order["discount_tax_compensation_amount"]) == (9.6, 0.4)


def test_a_deposit_is_a_list_inside_a_text_and_in_no_tax():
    order = Shop().place(lines=[{"sku": "COLA330-C24", "quantity": 2, "deposit": "2.40"}])
    row = order["items"][0]
    assert json.loads(row["weee_tax_applied"])[0]["row_amount"] == "4.8000"
    assert (row["weee_tax_applied_amount"], row["weee_tax_applied_row_amount"]) == (2.4, 4.8)
    assert row["base_weee_tax_applied_row_amnt"] == 4.8
    assert (row["tax_amount"], order["grand_total"]) == (5.28, 36.48)


def test_an_order_in_another_currency_than_the_websites():
    order = Shop(rates={"EUR": "1.20"}).place(currency="EUR", quantity=1)
    assert (order["order_currency_code"], order["base_currency_code"]) == ("EUR", "GBP")
    assert (order["base_to_order_rate"], order["grand_total"]) == (1.2, 15.84)
    assert order["base_grand_total"] == 13.2


def test_a_guest_has_no_name_at_the_top():
    order = Shop().place()
    assert order["customer_is_guest"] == 1
    assert {"customer_id", "customer_firstname", "customer_lastname"} & set(order) == set()
    assert order["customer_email"] == "ada@quill.example"
    assert Shop(guest_names=True).place()["customer_firstname"] == "Ada"


def test_a_company_orders_with_its_number():
    order = Shop().place(customer=TRADER, po_number="PO-77")
    assert (order["payment"]["method"], order["payment"]["po_number"]) == ("purchaseorder", "PO-77")
    told = order["extension_attributes"]["company_order_attributes"]
    assert (told["company_id"], told["company_name"]) == (2, "Corner Pop Ltd")
    assert (order["customer_is_guest"], order["customer_group_id"]) == (0, 2)
    with pytest.raises(RefusedError, match="checkmo has no PO number"):
        Shop().place(payment_method="checkmo", po_number="PO-77")


def test_a_new_order_leaves_out_what_is_null():
    order = Shop().place()
    assert (order["state"], order["status"], order["total_due"]) == ("new", "pending", 15.84)
    assert {"total_paid", "total_refunded", "customer_note", "coupon_code"} & set(order) == set()
    assert order["store_name"] == "Main Website\nMain Website Store\nDefault Store View"
    assert (order["created_at"], order["updated_at"]) == ("2026-11-20 10:00:00",) * 2
    assert order["billing_address"]["street"] == ["4 Fountain Row"]
    assigned = order["extension_attributes"]["shipping_assignments"][0]
    assert assigned["shipping"]["address"]["city"] == "Leeds"
    assert assigned["items"] == order["items"]


def test_nothing_of_a_virtual_order_is_shipped():
    shop = Shop(products=[{"sku": "GIFT", "price": "10", "type": "virtual"}])
    order = shop.place(lines=[{"sku": "GIFT", "quantity": 1}])
    assert order["is_virtual"] == 1
    assert "shipping_assignments" not in order["extension_attributes"]
    assert shop.store.pay(order["entity_id"])["state"] == "complete"


def test_a_region_of_the_list_has_a_number():
    house = Shop().place(billing=ADA | {"country": "US", "state": "CA"})["billing_address"]
    assert [house[name] for name in ("region", "region_code", "region_id")] == [
        "California",
        "CA",
        12,
    ]
    assert "region" not in Shop().place()["billing_address"]


@pytest.mark.parametrize(
    ("status", "state", "paid"),
    [
        ("pending", "new", None),
        ("pending_payment", "pending_payment", None),
        ("processing", "processing", 15.84),
        ("picking", "processing", 15.84),
        ("complete", "complete", 15.84),
        ("closed", "closed", 15.84),
        ("canceled", "canceled", None),
        ("holded", "holded", None),
        ("payment_review", "payment_review", None),
    ],
)
def test_a_draft_is_brought_as_far_as_its_status(status, state, paid):
    order = Shop(statuses={"picking": "processing"}).place(status=status)
    assert (order["status"], order["state"], order.get("total_paid")) == (status, state, paid)


def test_cancel():
    shop = Shop()
    number = shop.place(quantity=3)["entity_id"]
    order = shop.store.cancel(number)
    assert (order["state"], order["total_canceled"]) == ("canceled", 47.52)
    assert order["items"][0]["qty_canceled"] == 3
    for action in (shop.store.cancel, shop.store.pay, shop.store.ship, shop.store.hold):
        with pytest.raises(RefusedError):
            action(number)


def test_an_edited_order_is_canceled_and_another_takes_its_place():
    shop = Shop()
    old = shop.place(quantity=3)
    shop.tick()
    new = shop.store.update(old["entity_id"], {"quantities": {"COLA330-C24": 5}})
    assert new["increment_id"] == f"{old['increment_id']}-1"
    assert new["relation_parent_id"] == str(old["entity_id"])
    assert new["original_increment_id"] == new["relation_parent_real_id"] == old["increment_id"]
    assert new["items"][0]["qty_ordered"] == 5
    gone = shop.order(old["entity_id"])
    assert (gone["state"], gone["relation_child_id"]) == ("canceled", str(new["entity_id"]))
    again = shop.store.update(new["entity_id"], {"quantities": {"COLA330-C24": 6}})
    assert again["increment_id"] == f"{old['increment_id']}-2"


def test_a_change_moves_the_date_and_a_comment_does_not():
    shop = Shop()
    number = shop.place()["entity_id"]
    shop.tick()
    order = shop.store.comment(number, {"comment": "Called, nobody there"})
    assert order["updated_at"] == "2026-11-20 10:00:00"
    shop.tick()
    order = shop.store.comment(number, {"comment": "Called again"})
    said = [one["comment"] for one in order["status_histories"]]
    assert said == ["Called again", "Called, nobody there"]
    assert [one["comment"] for one in shop.get(f"orders/{number}/comments")["items"]] == said
    order = shop.store.update(number, {"customer_note": "x", "billing": {"city": "York"}})
    assert order["updated_at"] == "2026-11-20 10:02:00"
    assert order["billing_address"]["city"] == "York"


def test_addresses_of_an_order_change_apart():
    shop = Shop()
    number = shop.place()["entity_id"]
    changes = {"city": "York", "address_2": "Gate 2", "state": "Yorkshire", "first_name": "Ida"}
    order = shop.store.update(number, {"shipping": changes})
    house = order["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"]
    assert [house[name] for name in ("city", "region", "street", "firstname")] == [
        "York",
        "Yorkshire",
        ["Gate 2"],
        "Ida",
    ]
    assert order["billing_address"]["city"] == "Leeds"


def test_a_line_taken_out_of_an_edited_order():
    shop = Shop()
    number = shop.place(lines=lines(cola=1, tonic=2))["entity_id"]
    order = shop.store.update(number, {"quantities": {"TONIC200-P4": 0}})
    assert [row["sku"] for row in order["items"]] == ["COLA330-C24"]
    assert levels(shop, "TONIC200-P4") == (40, 40)


@pytest.mark.parametrize("at", ["2026-11-19T09:30:00", "2026-11-19T10:30:00+01:00"])
def test_an_order_of_the_past(at):
    order = Shop().place(created_at=at, status="complete")
    assert (order["created_at"], order["updated_at"]) == ("2026-11-19 09:30:00",) * 2


def test_a_status_belongs_to_a_state():
    shop = Shop(statuses={"picking": "processing"})
    number = shop.place()["entity_id"]
    with pytest.raises(RefusedError, match="not part of the order status history"):
        shop.store.update(number, {"status": "processing"})
    shop.store.pay(number)
    assert shop.store.update(number, {"status": "picking"})["state"] == "processing"


def test_a_held_order_waits():
    shop = Shop()
    number = shop.place()["entity_id"]
    assert shop.store.hold(number)["state"] == "holded"
    for action in (shop.store.pay, shop.store.ship, shop.store.cancel):
        with pytest.raises(RefusedError):
            action(number)
    assert shop.store.update(number, {"status": "pending"})["state"] == "new"


def test_a_broken_order_takes_its_page_down():
    shop = crowd(3)
    shop.store.break_down(701)
    assert shop.call(f"orders?{criteria(sort=['entity_id'], pageSize=2)}").status_code == 500
    assert shop.call("orders/701").status_code == 500
    for page, status in ((1, 200), (2, 500), (3, 200)):
        query = criteria(sort=["entity_id"], pageSize=1, currentPage=page)
        assert shop.call(f"orders?{query}").status_code == status


def test_amounts_may_carry_the_rest_of_floats():
    shop = Shop(float_noise=True)
    number = shop.place()["entity_id"]
    assert '"price":13.199999999999998' in shop.call(f"orders/{number}").text


# -- documents -------------------------------------------------------------------------------------


def test_the_first_invoice_takes_the_freight():
    shop = Shop()
    number = shop.place(quantity=3, shipping_total="5.00")["entity_id"]
    one = {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "transaction_id": "TX-1"}
    order = shop.store.pay(number, one)
    assert (order["state"], order["total_paid"]) == ("processing", 21.84)
    assert order["payment"]["last_trans_id"] == "TX-1"
    invoice = shop.document("invoices")
    assert (invoice["state"], invoice["transaction_id"]) == (2, "TX-1")
    assert (invoice["shipping_amount"], invoice["items"][0]["qty"]) == (5, 1)
    shop.store.pay(number)
    assert shop.document("invoices")["shipping_amount"] == 0
    assert shop.order(number)["total_due"] == 0
    with pytest.raises(RefusedError, match="can't be created without products"):
        shop.store.pay(number)


def test_more_than_is_ordered_is_not_invoiced():
    shop = Shop()
    number = shop.place()["entity_id"]
    with pytest.raises(RefusedError, match="We found an invalid quantity to invoice item"):
        shop.store.pay(number, {"lines": [{"sku": "COLA330-C24", "quantity": 2}]})


def test_more_than_is_left_is_cut_to_what_is_left():
    shop = Shop()
    number = shop.place(quantity=3)["entity_id"]
    two = {"lines": [{"sku": "COLA330-C24", "quantity": 2}], "carrier": "dhl", "tracking": "JD1"}
    for left in (2, 1):
        shop.store.ship(number, two)
        parcel = shop.document("shipments")
        assert (parcel["items"][0]["qty"], parcel["tracks"][0]["track_number"]) == (left, "JD1")
    assert parcel["extension_attributes"] == {"source_code": "default"}
    with pytest.raises(RefusedError, match="You can't create a shipment without products"):
        shop.store.ship(number, two)


def test_shipped_and_not_paid_is_processing_and_both_is_complete():
    shop = Shop()
    number = shop.place()["entity_id"]
    assert shop.store.ship(number)["state"] == "processing"
    assert shop.store.pay(number)["state"] == "complete"


def test_a_refund_without_lines_is_all_that_is_left():
    shop = Shop()
    number = shop.place(quantity=2, shipping_total="5.00", status="complete")["entity_id"]
    one = {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "reason": "It leaks"}
    order = shop.store.refund(number, one)
    assert (order["state"], order["total_refunded"]) == ("complete", 15.84)
    memo = shop.document("creditmemos")
    assert (memo["state"], memo["comments"][0]["comment"]) == (2, "It leaks")
    assert memo["shipping_amount"] == 0
    assert shop.store.refund(number)["state"] == "closed"
    assert shop.document("creditmemos")["shipping_amount"] == 5
    with pytest.raises(RefusedError, match="can't be created"):
        shop.store.refund(number, one)


def test_an_amount_is_an_adjustment():
    shop = Shop()
    number = shop.place(status="complete")["entity_id"]
    shop.store.refund(number, {"amount": "5.00"})
    memo = shop.document("creditmemos")
    assert (memo["items"], memo["adjustment_positive"], memo["grand_total"]) == ([], 5, 5)
    line = [{"sku": "COLA330-C24", "quantity": 1}]
    with pytest.raises(RefusedError, match=r"The most money available to refund is 10\.84"):
        shop.store.refund(number, {"lines": line})
    shop.store.refund(number, {"lines": line, "amount": "10.00"})
    assert shop.document("creditmemos")["adjustment_negative"] == 5.84


def test_a_state_can_fall_back():
    shop = Shop()
    number = shop.place(quantity=4)["entity_id"]
    shop.store.pay(number)
    one = {"lines": [{"sku": "COLA330-C24", "quantity": 1}]}
    shop.store.refund(number, one)
    assert shop.store.ship(number)["state"] == "complete"
    assert shop.store.refund(number, one)["state"] == "new"
    assert shop.store.refund(number, one)["state"] == "complete"


def test_documents_are_found_by_order_and_time():
    shop = Shop()
    for _ in range(2):
        shop.place(status="complete")
        shop.tick()
    for kind in ("invoices", "shipments"):
        assert len(shop.items(kind, ("order_id", 701, "eq"))) == 1
        late = shop.items(kind, ("updated_at", "2026-11-20 10:01:00", "gteq"))
        assert [one["order_id"] for one in late] == [701]
    one = shop.document("invoices")
    assert shop.get(f"invoices/{one['entity_id']}") == one


def test_a_return_goes_its_way():
    shop = Shop()
    number = shop.place(quantity=2, status="complete")["entity_id"]
    shop.store.add_return({"order_id": number, "lines": [{"sku": "COLA330-C24", "quantity": 1}]})
    found = shop.items("returns", ("updated_at", "2026-11-20 10:00:00", "gteq"))[0]
    assert (found["status"], found["items"][0]["qty_requested"]) == ("pending", 1)
    shop.store.change_return(found["entity_id"], {"status": "received"})
    found = shop.get(f"returns/{found['entity_id']}")
    assert (found["status"], found["items"][0]["qty_returned"]) == ("received", 1)
    blind = Shop(returns_have_updated_at=False)
    query = criteria(("updated_at", "2026-11-20 10:00:00", "gteq"))
    assert blind.call(f"returns?{query}").status_code == 500


# -- stock -----------------------------------------------------------------------------------------


def levels(shop: Shop, sku: str = "COLA330-C24") -> tuple[float, float]:
    """What can be sold, and what the source holds."""
    row = shop.items("inventory/source-items", ("sku", sku, "eq"))[0]
    return shop.get(f"inventory/get-product-salable-quantity/{sku}/1"), row["quantity"]


def hundred() -> Shop:
    return Shop(products=[one | {"stock": 100} for one in PRODUCTS])


def test_an_order_reserves_and_a_shipment_takes():
    shop = hundred()
    number = shop.place(lines=lines(cola=3, mixed=2))["entity_id"]
    assert levels(shop) == (93, 100)
    shop.store.ship(number, {"lines": [{"sku": "COLA330-C24", "quantity": 2}]})
    assert levels(shop) == (93, 98)
    other = shop.place(quantity=3)["entity_id"]
    shop.store.cancel(other)
    assert levels(shop) == (93, 98)


@pytest.mark.parametrize(
    ("is_shipped", "is_back", "moved"),
    [(True, True, (1, 1)), (True, False, (0, 0)), (False, False, (0, -1)), (False, True, (1, 0))],
)
def test_what_a_refund_does_to_stock(is_shipped, is_back, moved):
    shop = hundred()
    number = shop.place(quantity=3)["entity_id"]
    shop.store.pay(number)
    if is_shipped:
        shop.store.ship(number)
    salable, held = levels(shop)
    line = [{"sku": "COLA330-C24", "quantity": 1}]
    shop.store.refund(number, {"lines": line, "back_to_stock": is_back})
    assert levels(shop) == (salable + moved[0], held + moved[1])


def test_what_is_promised_twice_is_not_shipped():
    shop = Shop(products=[PRODUCTS[0] | {"stock": 5}])
    number = shop.place(quantity=4)["entity_id"]
    assert levels(shop) == (1, 5)
    with pytest.raises(RefusedError, match="The requested qty is not available"):
        shop.place(quantity=2)
    shop.store.catalogue.change("COLA330-C24", {"stock": 1})
    assert levels(shop) == (0, 1)
    with pytest.raises(RefusedError, match="Not all of your products are available"):
        shop.store.ship(number)


def test_the_quantity_that_can_be_sold_is_a_bare_number():
    shop = Shop()
    path = "inventory/get-product-salable-quantity"
    assert shop.call(f"{path}/TONIC200-P4/1").text == "40"
    answer = shop.call(f"{path}/MIXED-BOX/1")
    text = "Can't check requested quantity for products without Source Items support."
    assert refused(answer) == (400, text)
    answer = shop.call(f"{path}/NOPE/1")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (
        500,
        "text/plain",
    )
    assert shop.call(f"{path}/TONIC200-P4/9").status_code == 404


def test_several_sources():
    shop = Shop(sources=["default", "north"])
    codes = [one["source_code"] for one in shop.items("inventory/sources")]
    assert codes == ["default", "north"]
    number = shop.place()["entity_id"]
    with pytest.raises(RefusedError, match="Not all of your products are available"):
        shop.store.ship(number, {"source": "north"})
    stocks = shop.items("inventory/stocks")
    assert [one["stock_id"] for one in stocks] == [1]


# -- goods, people, the shop -----------------------------------------------------------------------


def test_products():
    shop = Shop()
    shop.tick()
    change = {"special_price": "12.00", "tier_prices": [{"qty": 10, "value": "11.50"}]}
    shop.store.catalogue.change("COLA330-C24", change)
    product = shop.get("products/cola330-c24")
    named = {one["attribute_code"]: one["value"] for one in product["custom_attributes"]}
    assert (product["price"], named["special_price"]) == (13.2, "12.000000")
    assert product["tier_prices"][0]["value"] == 11.5
    assert product["updated_at"] == "2026-11-20 10:01:00"
    late = shop.items("products", ("updated_at", "2026-11-20 10:01:00", "gteq"))
    assert [one["sku"] for one in late] == ["COLA330-C24"]
    assert "stock_item" not in late[0]["extension_attributes"]
    shop.tick()
    shop.store.catalogue.change("COLA330-C24", {"stock": 7})
    product = shop.get("products/COLA330-C24")
    assert product["extension_attributes"]["stock_item"]["qty"] == 7
    assert product["updated_at"] == "2026-11-20 10:01:00"


def test_a_slash_in_a_sku_goes_out_encoded_twice():
    shop = Shop(products=[{"sku": "COLA/24", "price": "1"}])
    assert shop.get("products/COLA%252F24")["sku"] == "COLA/24"
    assert shop.call("products/COLA%2F24").status_code == 404


def test_prices_by_sku():
    shop = Shop()
    path = "/rest/all/V1/products/base-prices-information"
    answer = shop.http.post(path, json={"skus": ["COLA330-C24", "NOPE"]}, auth=shop.auth)
    assert answer.json() == [{"price": 13.2, "store_id": 0, "sku": "COLA330-C24"}]


def test_customers_and_their_company():
    shop = Shop()
    shop.store.add_customer(TRADER | {"billing": ADA})
    found = shop.items("customers/search", ("email", "buying@CORNERPOP.example", "eq"))
    assert [one["id"] for one in found] == [700]
    assert found[0]["extension_attributes"]["company_attributes"]["company_id"] == 2
    company = shop.get("company/2")
    assert (company["company_name"], company["super_user_id"]) == ("Corner Pop Ltd", 700)
    shop.tick()
    shop.store.people.change(700, {"billing": ADA | {"city": "York"}})
    changed = shop.get("customers/700")
    assert changed["addresses"][0]["city"] == "York"
    assert changed["updated_at"] == "2026-11-20 10:00:00"
    shop.store.people.change(700, {"last_name": "Barrel"})
    assert shop.get("customers/700")["updated_at"] == "2026-11-20 10:01:00"
    with pytest.raises(RefusedError, match="A customer with the same email address"):
        shop.store.add_customer(TRADER)
    shop.store.people.delete(700)
    assert shop.call("customers/700").status_code == 404


def test_what_the_shop_says_of_itself():
    shop = Shop(stores=["default", "trade"], timezone="Europe/Dublin", currency="EUR")
    configs = shop.get("store/storeConfigs")
    assert [(one["code"], one["timezone"], one["base_currency_code"]) for one in configs] == [
        ("default", "Europe/Dublin", "EUR"),
        ("trade", "Europe/Dublin", "EUR"),
    ]
    assert [one["code"] for one in shop.get("store/websites")] == ["admin", "base"]
    assert [one["code"] for one in shop.get("store/storeViews")] == ["admin", "default", "trade"]


# -- what our module sends -------------------------------------------------------------------------


def test_a_notice_is_thin_and_signed():
    shop = listening(webhook_secret="s3cret")
    shop.place()
    one = shop.deliveries[0]
    assert json.loads(one.body) == {
        "event": "order.saved",
        "entity_id": 700,
        "increment_id": "000001700",
        "updated_at": "2026-11-20 10:00:00",
        "occurred_at": "2026-11-20T10:00:00Z",
        "delivery_id": one.id,
    }
    assert one.uri == HOOK
    second = one.headers["X-Fizz-Timestamp"]
    assert second == str(int(shop.now.timestamp()))
    proof = hmac.new(b"s3cret", f"{second}.".encode() + one.body, hashlib.sha256).hexdigest()
    assert one.headers["X-Fizz-Signature"] == f"v1={proof}"


def test_what_is_told():
    shop = listening()
    number = shop.place(customer=TRADER)["entity_id"]
    # The shop saves an order twice: once for itself, and once for its mail.
    assert shop.topics() == ["company.saved", "customer.saved", "order.saved", "order.saved"]
    shop.deliveries.clear()
    for act in (shop.store.pay, shop.store.ship, shop.store.refund):
        act(number)
    assert shop.topics() == [
        *("invoice.saved", "order.saved"),
        *("stock.saved", "shipment.saved", "order.saved"),
        *("creditmemo.saved", "order.saved"),
    ]
    shop.deliveries.clear()
    shop.store.catalogue.change("COLA330-C24", {"price": "1"})
    shop.store.catalogue.delete("COLA330-C24")
    shop.store.people.companies.change(2, {"name": "Corner Pop"})
    shop.store.people.delete(700)
    kinds = ["product.saved", "product.deleted", "company.saved", "customer.deleted"]
    assert shop.topics() == kinds
    assert [one["increment_id"] for one in shop.bodies()] == ["COLA330-C24"] * 2 + [None] * 2


def test_nothing_is_sent_until_somebody_listens():
    shop = Shop()
    shop.place()
    assert shop.deliveries == []
    answer = shop.http.put("/_sandbox/webhook_uri", json={"uri": HOOK})
    assert answer.status_code == 204
    shop.place()
    assert {one.uri for one in shop.deliveries} == {HOOK}
    shop.http.post("/_sandbox/reset")
    assert shop.sandbox.letters.uri is None


def test_the_module_tries_once_and_goes_on():
    outbox = listening().sandbox.outbox
    assert (outbox.pauses, outbox.limit > 1000) == ((), True)


# -- control ---------------------------------------------------------------------------------------


def test_the_shop_is_driven_from_outside():
    shop = Shop()
    answer = shop.control("orders", lines=lines(cola=2), billing=ADA)
    assert answer.status_code == 201
    number = answer.json()["id"]
    assert (number, answer.json()["order"]["entity_id"]) == ("700", 700)
    assert shop.http.get("/_sandbox/accepted").json() == {"orders": 1}
    steps = {
        "comment": {"comment": "x"},
        "update": {"customer_note": "y"},
        "pay": {},
        "ship": {"tracking": "JD1", "carrier": "dhl"},
        "refund": {"amount": "5.00", "reason": "late"},
    }
    for action, body in steps.items():
        answer = shop.control(f"orders/{number}/{action}", **body)
        assert (answer.status_code, answer.json()["id"]) == (200, number)
    edited = shop.control("orders", lines=lines(cola=2), billing=ADA).json()["id"]
    answer = shop.control(f"orders/{edited}/update", quantities={"COLA330-C24": 1})
    assert answer.json()["id"] == "702"
    for action in ("hold", "break"):
        assert shop.control(f"orders/702/{action}").status_code in (200, 422)
    customer = shop.control("customers", **TRADER)
    assert (customer.status_code, customer.json()["id"]) == (201, "700")
    assert customer.json()["customer"]["email"] == TRADER["email"]
    named = {
        "customers/700/update": ("customer", {"first_name": "Idun"}),
        "companies/2/update": ("company", {"name": "Corner Pop"}),
        "products/TONIC200-P4/update": ("product", {"stock": 3}),
        "customers/700/delete": ("customer", {}),
        "products/PARTY-BOX/delete": ("product", {}),
    }
    for path, (word, body) in named.items():
        answer = shop.control(path, **body)
        assert answer.status_code == 200, answer.text
        assert word in answer.json()
    back = shop.control("returns", order_id=700, lines=lines(cola=1))
    assert back.status_code == 201
    assert shop.control(f"returns/{back.json()['id']}/update", status="received").is_success
    shop.http.post("/_sandbox/reset")
    assert shop.items("orders") == []


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"lines": []},
        {"lines": [{"sku": "COLA330-C24"}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 0}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": "many"}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1, "colour": "red"}]},
        {"lines": [{"sku": "NOPE", "quantity": 1}]},
        {"lines": [{"sku": "SODA-CHOICE", "quantity": 1}]},
        {"lines": lines(cola=1), "nope": 1},
        {"lines": lines(cola=1), "billing": {"street": "x"}},
        {"lines": lines(cola=1), "customer": {"email": "a@b.example", "age": 3}},
        {"lines": lines(cola=1), "status": "nope"},
        {"lines": lines(cola=1), "discount_total": "99"},
        {"lines": lines(cola=1), "status": "complete", "paid": False},
        {"lines": lines(cola=1), "created_at": "yesterday"},
        {"lines": lines(cola=1), "fees": [{"name": "x", "tax": 1}]},
        {"lines": lines(tonic=41)},
    ],
)
def test_a_wrong_draft_is_refused(draft):
    shop = listening()
    answer = shop.control("orders", **draft)
    assert answer.status_code == 422
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("orders/700/delete", 404),
        ("orders/700/sing", 404),
        ("carts", 404),
        ("orders/9999/cancel", 422),
        ("orders/first/cancel", 422),
        ("products/NOPE/update", 422),
        ("companies/9/update", 422),
        ("returns/9/update", 422),
        ("customers/9/delete", 422),
    ],
)
def test_what_the_shop_cannot_do(path, status):
    assert crowd(1).control(path).status_code == status


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("update", {"nope": 1}),
        ("update", {"quantities": {"NOPE": 1}}),
        ("pay", {"lines": [{"sku": "NOPE", "quantity": 1}]}),
        ("pay", {"amount": 3}),
        ("ship", {"lines": [{"sku": "COLA330-C24", "amount": 1}]}),
        ("refund", {"amount": "1"}),
    ],
)
def test_wrong_changes_are_refused(action, body):
    assert crowd(1).control(f"orders/700/{action}", **body).status_code == 422


def test_a_seed_is_checked():
    with pytest.raises(RefusedError, match="unknown in the seed: colour"):
        make({"colour": "red"})
    assert make().seed["currency"] == "GBP"


# -- fixtures --------------------------------------------------------------------------------------


def test_every_event_has_a_fixture():
    assert {path.stem.partition("__")[0].replace("_", ".") for path in FIXTURES} == set(EVENTS)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_a_delivery_of_the_contract(path):
    fixture = json.loads(path.read_text())
    assert list(fixture) == ["description", "origin", "api_version", "headers", "body"]
    assert set(fixture["headers"]) == {"Content-Type", "User-Agent", "X-Fizz-Timestamp"}
    body = json.loads(fixture["body"])
    names = "event entity_id increment_id updated_at occurred_at delivery_id".split()
    assert [name for name in body if name in names] == names
    assert body["event"] == path.stem.partition("__")[0].replace("_", ".")
    assert isinstance(body["entity_id"], int)


def test_a_tie_is_one_second_and_two_contents():
    first, second = (
        json.loads(json.loads((FOLDER / f"order_saved__tie_{one}.json").read_text())["body"])
        for one in ("first", "second")
    )
    assert first.pop("delivery_id") != second.pop("delivery_id")
    assert first == second
    one, two = (
        json.loads((FOLDER / "api" / f"order_tie_{one}.json").read_text())["response"]["body"]
        for one in ("first", "second")
    )
    assert one["updated_at"] == two["updated_at"]
    assert one != two


@pytest.mark.parametrize("path", ANSWERED, ids=lambda path: path.stem)
def test_a_recorded_answer_adds_up(path):
    answer = json.loads(path.read_text())["response"]
    body = answer["body"]
    if answer["status"] != 200:
        assert body["message"]
        return
    rows = body.get("items") or []
    orders = [one for one in (body, *rows) if "total_qty_ordered" in one]
    assert bool(orders) == (path.stem.startswith("order") and "past_the_end" not in path.stem)
    for order in orders:
        assert due(order) == exact(order, "grand_total")


# -- the vendor's own words ------------------------------------------------------------------------


def full_shop(**seed) -> Shop:
    """One of everything."""
    shop = Shop(tax_rate=0, guest_names=True, currency="EUR", **seed)
    house = ADA | {"company": "Corner Pop GmbH", "country": "US", "state": "NY"}
    shop.place(
        lines=[
            *lines(cola=3),
            {"sku": "TONIC200-P4", "quantity": 2, "configurable": "SODA-CHOICE"},
            *lines(mixed=1, party=1),
        ],
        billing=house,
        shipping_total="35",
    )
    return shop


def moved_on(shop: Shop) -> Shop:
    line = [{"sku": "COLA330-C24", "quantity": 1}]
    shop.store.pay(700)
    shop.store.ship(700, {"lines": line, "carrier": "dhl", "tracking": "JD1"})
    shop.store.refund(700, {"lines": line, "reason": "FZ-CN-5"})
    shop.store.add_customer(TRADER | {"billing": ADA | {"country": "US", "state": "NY"}})
    shop.store.add_return({"order_id": 700, "lines": line})
    return shop


def kind(value) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def differences(theirs, ours, path="") -> set[str]:
    """Where a sample has a field that ours lacks, or of another type."""
    if kind(theirs) != kind(ours):
        return {f"{path} is {kind(ours)}"}
    found: set[str] = set()
    if isinstance(theirs, dict):
        for name in theirs:
            if name in ours:
                found |= differences(theirs[name], ours[name], f"{path}.{name}")
            else:
                found.add(f"{path}.{name}")
    elif isinstance(theirs, list) and theirs:
        if not ours:
            return {f"{path} is empty"}
        for place, one in enumerate(theirs):
            found |= differences(one, ours[min(place, len(ours) - 1)], path)
    return found


def sample(name: str):
    return json.loads((SAMPLES / f"{name}.json").read_text())


@needs_vendor
def test_the_sample_of_an_order():
    ours = full_shop().order(700)
    theirs = sample("seen_order_new_simple_configurable_bundles")
    assert differences(theirs, ours) == set()
    top = set(ours) - set(theirs)
    assert top == set()


CONTACT = {f".items.{name}" for name in "city contact_name email phone region_id street".split()}


@needs_vendor
@pytest.mark.parametrize(
    ("name", "path", "absent"),
    [
        ("seen_invoice", "invoices/5700", set()),
        ("seen_creditmemo", "creditmemo/7700", set()),
        (
            "seen_shipments_by_order",
            f"shipments?{criteria(('order_id', 700, 'eq'), pageSize=1)}",
            {".items.comments is empty"},
        ),
        (
            "seen_source_items_search",
            f"inventory/source-items?{criteria(('sku', 'COLA330-C24', 'eq'), pageSize=1)}",
            set(),
        ),
        ("companies-list", f"company?{criteria(('city', 'Leeds', 'eq'))}", {".items.region_id"}),
        ("customer-created", "customers/700", {".addresses.region.region_code is NoneType"}),
        (
            "inventory-sources-list",
            f"inventory/sources?{criteria(('country_id', 'GB', 'eq'))}",
            CONTACT,
        ),
        ("inventory-stocks-list", f"inventory/stocks?{criteria(('name', '%S%', 'like'))}", set()),
        (
            "product-simple-created",
            "products/COLA330-C24",
            {".extension_attributes.category_links is empty", ".custom_attributes.value is str"},
        ),
    ],
)
def test_a_sample_is_an_answer_of_ours(name, path, absent):
    found = differences(sample(name), moved_on(full_shop()).get(path))
    assert found - absent == set()


SEEN = {
    "unknown order": "orders/9999",
    "no searchCriteria": "orders",
    "no route": "nope",
    "salable of a composite": "inventory/get-product-salable-quantity/MIXED-BOX/1",
}


@needs_vendor
@pytest.mark.parametrize("case", SEEN)
def test_an_error_as_it_was_seen(case):
    seen = next(one for one in sample("seen_errors") if one["case"] == case)
    answer = Shop().call(SEEN[case])
    assert (answer.status_code, answer.json()) == (seen["status"], seen["body"])


@needs_vendor
def test_what_a_person_is_told_as_it_was_seen():
    """The same refusals reach who drives the shop."""
    seen = {one["case"]: one["body"] for one in sample("seen_errors")}
    shop = Shop()
    number = shop.place(status="complete")["entity_id"]
    for case, act in (("invoice again", shop.store.pay), ("ship again", shop.store.ship)):
        with pytest.raises(RefusedError) as told:
            act(number)
        assert str(told.value) == seen[case]["message"]
    shop.store.add_customer(TRADER)
    with pytest.raises(RefusedError) as told:
        shop.store.add_customer(TRADER)
    assert str(told.value) == seen["customer e-mail exists"]["message"]


def described() -> dict:
    """The vendor's description, with no field beside those it names."""
    spec = json.loads(SPEC.read_text())
    for one in spec["definitions"].values():
        if one.get("properties"):
            one["additionalProperties"] = False
    return spec


PATHS = (
    "orders invoices shipments creditmemos returns customers/search products company"
    " inventory/source-items inventory/sources inventory/stocks"
).split()
SINGLE = (
    "orders/700 orders/700/comments invoices/5700 shipment/6700 creditmemo/7700 customers/700"
    " company/2 products/COLA330-C24 products/MIXED-BOX stockItems/COLA330-C24 store/storeConfigs"
    " store/websites store/storeViews"
).split()


@needs_vendor
@pytest.mark.parametrize("path", [*(f"{one}?{EMPTY}" for one in PATHS), *SINGLE])
def test_an_answer_fits_the_description(path):
    shop = moved_on(full_shop())
    shop.place(**MANY, customer=TRADER, po_number="PO-7", coupon_code="FIZZ")
    shop.store.comment(700, {"comment": "x"})
    body = shop.get(path)
    spec = described()
    asked = f"/V1/{path.partition('?')[0]}"
    fitting = [
        one
        for one in spec["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one).rstrip("/"), asked)
    ]
    schema = spec["paths"][min(fitting, key=len)]["get"]["responses"]["200"]["schema"]
    validator = jsonschema.Draft4Validator(schema | {"definitions": spec["definitions"]})
    # It knows no nulls, which were seen, and less of a company than the vendor's own example.
    wrong = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in validator.iter_errors(body)
        if error.instance is not None and "is_company_address_book_enabled" not in error.message
    ]
    assert wrong == []


def test_the_shop_answers_at_its_own_address():
    assert Shop().get("store/storeConfigs")[0]["base_url"] == f"{URL}/"
