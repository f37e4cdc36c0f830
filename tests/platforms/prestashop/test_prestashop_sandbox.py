"""The sandbox shop keeps the vendor's habits, and our module its contract."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from platforms.prestashop.sandbox import EVENTS, KEY, PAUSES, make
from platforms.prestashop.sandbox_fields import RESOURCES
from sandbox.faults import Fault
from sandbox.modules import sign
from tests.platforms.prestashop.prestashop_shop import (
    ADA,
    HOOK,
    PRODUCTS,
    TRADER,
    Shop,
    codes,
    parsed,
    texts,
)

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES = VENDOR / "samples" / "prestashop"
SPEC = VENDOR / "specs" / "prestashop"
EVENTS_FOLDER = Path(__file__).parents[3] / "events" / "prestashop"
FIXTURES = sorted(EVENTS_FOLDER.glob("*__*.json"))
ANSWERED = sorted((EVENTS_FOLDER / "api").glob("*.json"))
JSON = {"Output-Format": "JSON"}
needs_vendor = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's payloads are not on this machine"
)


def listening(**seed) -> Shop:
    return Shop(webhook_uri=HOOK, **seed)


def money(row, *names) -> list[str]:
    """Amounts as a person writes them."""
    return [f"{Decimal(row[name]):.2f}" for name in names]


# -- keys ------------------------------------------------------------------------------------------


def test_the_key_is_the_user_of_basic_authentication_without_a_password():
    shop = Shop()
    shown = base64.b64encode(f"{KEY}:".encode()).decode()
    bare = httpx.Client(base_url="https://fizz.example", transport=shop.transport)
    answer = bare.get("/api/orders", headers={"Authorization": f"Basic {shown}"})
    assert (answer.status_code, answer.headers["psws-version"]) == (200, "8.2.1")
    assert bare.get(f"/api/orders?ws_key={KEY}").status_code == 200


@pytest.mark.parametrize(
    ("key", "password", "refused"),
    [
        ("WRONGSANDBOXWEBSERVICEKEY0000000", "", [20, 21]),
        ("FIZZSANDBOXWEBSERVICEKEY00000002", "", [20, 21]),
        ("too-short", "", [18]),
        (KEY + "1", "", [18]),
    ],
)
def test_a_wrong_key_is_told_so(key, password, refused):
    shop = Shop(keys=[{"key": KEY}, {"key": KEY[:-1] + "2", "active": False}])
    answer = shop.http.get("/api/orders", auth=(key, password))
    assert (answer.status_code, codes(answer)) == (401, refused)
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", [None, "Basic ???", "Bearer x", "Basic"])
def test_nobody_gets_plain_text(header):
    bare = httpx.Client(base_url="https://fizz.example", transport=Shop().transport)
    answer = bare.get("/api/orders", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.text) == (401, "401 Unauthorized")
    assert answer.headers["content-type"].startswith("text/html")


def test_a_key_has_rights_by_resource_and_method():
    shop = Shop(keys=[{"key": KEY, "rights": {"orders": ["GET", "HEAD"], "order_slip": ["GET"]}}])
    listed = shop.xml("")
    assert listed.attrib["shopName"] == "Fizz Depot"
    assert {one.tag: sorted(set(one.attrib) & {"get", "put", "head"}) for one in listed} == {
        "order_slip": ["get"],
        "orders": ["get", "head"],
    }
    assert shop.get("orders").status_code == 200
    for answer in (shop.get("customers"), shop.write("PATCH", "orders/1", "<order/>")):
        assert (answer.status_code, codes(answer)) == (405, [101])


def test_stock_rows_are_neither_made_nor_deleted():
    shop = Shop()
    for answer in (
        shop.write("POST", "stock_availables", "<stock_available/>"),
        shop.http.delete("/api/stock_availables/1"),
    ):
        assert (answer.status_code, codes(answer)) == (405, [101])


def test_a_shop_in_a_folder_and_one_on_another_host():
    shop = Shop(path="/drinks")
    assert shop.http.get("/drinks/api/orders").status_code == 200
    assert shop.http.get("/api/orders").status_code == 404
    moved = Shop(domain="shop.fizz.example").get("orders", limit="0,1")
    assert moved.status_code == 302
    assert moved.headers["location"].startswith("https://shop.fizz.example/api/orders?limit=0")


# -- reading ---------------------------------------------------------------------------------------


def test_one_order_in_full():
    shop = Shop()
    order = shop.place(2, shipping_total="4.95")
    row = shop.row(f"orders/{order['id']}")
    assert row["date_add"] == row["date_upd"] == "2026-11-20 11:00:00"
    assert (row["current_state"], row["valid"], row["total_paid_real"]) == ("10", "0", "0.000000")
    assert row["invoice_date"] == row["delivery_date"] == "0000-00-00 00:00:00"
    names = "total_products total_products_wt total_shipping_tax_excl total_shipping_tax_incl"
    assert money(row, *names.split()) == ["28.80", "34.56", "4.95", "5.94"]
    assert money(row, "total_paid_tax_excl", "total_paid_tax_incl") == ["33.75", "40.50"]
    assert len(row["reference"]) == 9


def test_links_lead_to_a_host_nobody_else_knows():
    shop = Shop()
    order = shop.place()
    text = shop.get(f"orders/{order['id']}").text
    assert 'xlink:href="http://172.18.0.4/api/addresses/' in text
    assert '<shipping_number notFilterable="true">' in text


def test_a_list_shows_ids_unless_it_is_asked_for_more():
    shop = Shop()
    order = shop.place()
    (one,) = shop.xml("orders")
    assert (one.attrib["id"], len(one)) == (str(order["id"]), 0)
    assert list(shop.rows("orders", display="[reference,id]")[0]) == ["id", "reference"]
    assert list(shop.rows("orders", display="[current_state]")[0]) == ["current_state"]
    assert "associations" in shop.rows("orders")[0]


def test_an_empty_list():
    shop = Shop()
    assert shop.get("orders").text.endswith("<orders>\n</orders>\n</prestashop>\n")
    assert len(shop.xml("orders", limit="50,10")) == 0
    assert shop.http.get("/api/orders", headers=JSON).json() == []
    assert shop.xml("order_slip").tag == "order_slips"


@pytest.mark.parametrize("number", ["999", "abc", "0"])
def test_what_is_not_there_is_not_a_word(number):
    shop = Shop()
    for headers in ({}, JSON):
        answer = shop.http.get(f"/api/orders/{number}", headers=headers)
        assert (answer.status_code, answer.content) == (404, b"")


def test_json_is_asked_for_in_three_ways_and_accept_is_none():
    shop = Shop()
    shop.place()
    for extra in (JSON, {"Io-Format": "JSON"}):
        assert shop.http.get("/api/orders", headers=extra).json()["orders"]
    assert shop.get("orders", output_format="JSON").json()["orders"]
    answer = shop.http.get("/api/orders", headers={"Accept": "application/json"})
    assert answer.headers["content-type"].startswith("text/xml")


def test_json_of_one_order_lacks_what_is_empty_and_a_list_does_not():
    shop = Shop()
    order = shop.place()
    one = shop.get(f"orders/{order['id']}", output_format="JSON").json()["order"]
    assert not {"valid", "note", "gift", "shipping_number", "delivery_number"} & set(one)
    assert (one["id"], one["current_state"]) == (order["id"], "10")
    assert one["associations"]["order_rows"][0]["product_quantity"] == "1"
    (listed,) = shop.get("orders", output_format="JSON", display="full").json()["orders"]
    assert (listed["valid"], listed["note"]) == ("0", "")
    assert listed == order


def test_texts_of_one_language_and_of_two():
    one = Shop().get("order_states/2", output_format="JSON").json()["order_state"]
    assert one["name"] == "Payment accepted"
    two = Shop(languages=["en", "de"])
    shown = two.get("order_states/2", output_format="JSON").json()["order_state"]["name"]
    assert [text["id"] for text in shown] == ["1", "2"]
    assert len(two.xml("order_states/2").find("name")) == 2


def test_what_has_not_changed_is_not_sent_again():
    shop = Shop()
    order = shop.place()
    answer = shop.get("orders", display="full")
    headers = {"Local-Content-Sha1": answer.headers["content-sha1"]}
    again = shop.http.get("/api/orders?display=full", headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    shop.tick()
    shop.store.pay(order["id"])
    assert shop.http.get("/api/orders?display=full", headers=headers).status_code == 200


def test_notices_and_blanks_stand_around_what_some_shops_show():
    shop = Shop(has_notices=True, has_padding=True)
    order = shop.place()
    text = shop.get(f"orders/{order['id']}").text
    assert text.startswith("<br />\n<b>Notice</b>")
    root = parsed(text[text.index("<?xml") :])
    name = root.findtext(".//product_name")
    assert name != name.strip() == PRODUCTS[0]["name"]


def test_settings_say_zone_and_currency():
    shop = Shop(currency="EUR", currencies={"PLN": "4.300000"}, timezone="Europe/Warsaw")
    named = {row["name"]: row["value"] for row in shop.rows("configurations")}
    assert named["PS_TIMEZONE"] == "Europe/Warsaw"
    assert shop.row(f"currencies/{named['PS_CURRENCY_DEFAULT']}")["iso_code"] == "EUR"
    assert shop.rows("configurations", **{"filter[name]": "PS_TIMEZONE"})[0]["value"]
    assert shop.place(currency="PLN")["conversion_rate"] == "4.300000"


def test_states_tell_by_flags():
    shop = Shop()
    rows = shop.rows("order_states")
    flags = {
        int(row["id"]): {
            name for name in ("paid", "logable", "shipped", "delivery") if row[name] == "1"
        }
        for row in rows
    }
    assert [int(row["id"]) for row in rows] == [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 1, 10]
    assert flags[2] == flags[11] == {"paid", "logable"}
    assert flags[3] == {"paid", "logable", "delivery"}
    assert flags[4] == flags[5] == {"paid", "logable", "shipped", "delivery"}
    assert flags[9] == {"paid"}
    assert not any(flags[one] for one in (1, 6, 7, 8, 10, 12, 13))


def test_a_head_has_no_body_and_a_form_no_values():
    shop = Shop()
    head = shop.http.head("/api/orders")
    assert (head.status_code, head.content) == (200, b"")
    form = shop.xml("products", schema="blank")
    assert not "".join(form.itertext()).strip()
    assert codes(shop.get("products", schema="synopsis")) == [37]
    assert shop.get("", output_format="JSON").json()["api"]["orders"]["get"] == "true"
    assert codes(shop.http.post("/api/")) == [101]


# -- filters, sorting, pages -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def dated():
    """Six orders, one a minute, from 11:00 on the shop's clock."""
    shop = Shop()
    for n in range(6):
        shop.place(n + 1, reference=f"FIZZ-{n}")
        shop.tick()
    return shop


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("date_upd", ">[2026-11-20 11:02:00]", [3, 4, 5]),
        ("date_upd", "<[2026-11-20 11:02:00]", [0, 1]),
        ("date_upd", "[2026-11-20 11:02:00,2026-11-20 11:04:00]", [2, 3, 4]),
        ("date_upd", "[2026-11-20 11:02:00,2026-11-20 11:02:00]", [2]),
        ("date_upd", "[2026-11-20 11:02:00]", [2]),
        ("date_add", ">[2026-11-20]", [0, 1, 2, 3, 4, 5]),
        ("id", "501", [1]),
        ("id", "[501]", [1]),
        ("id", "[501|503|999]", [1, 3]),
        ("id", "[501,503]", [1, 2, 3]),
        ("id", "![501|503]", [0, 2, 4, 5]),
        ("id", ">[503]", [4, 5]),
        ("reference", "[FIZZ-4]", [4]),
        ("reference", "[fizz-4]", [4]),
        ("reference", "[FIZZ]%", [0, 1, 2, 3, 4, 5]),
        ("reference", "%[Z-2]%", [2]),
        ("reference", "[Z-2]%", []),
        ("total_products", ">[50]", [3, 4, 5]),
        ("id_customer", "[0]", []),
    ],
)
def test_filters(dated, name, value, found):
    ids = dated.ids("orders", **{f"filter[{name}]": value, "date": "1"})
    assert ids == [500 + n for n in found]


def test_filters_are_all_kept_and_may_be_encoded(dated):
    path = "/api/orders?filter%5Bdate_upd%5D=%3E%5B2026-11-20%2011:02:00%5D&date=1"
    encoded = dated.http.get(path)
    plus = dated.http.get("/api/orders?filter[date_upd]=>[2026-11-20+11:02:00]&date=1")
    assert encoded.text == plus.text
    both = {"filter[id]": "[501,504]", "filter[reference]": "%[3]%"}
    assert dated.ids("orders", **both) == [503]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"limit": "2"}, [0, 1]),
        ({"limit": "2,3"}, [2, 3, 4]),
        ({"limit": "6,3"}, []),
        ({"sort": "[id_DESC]", "limit": "0,2"}, [5, 4]),
        ({"sort": "[date_upd_DESC,id_ASC]", "date": "1", "limit": "1"}, [5]),
        ({"sort": "[total_products_ASC]", "limit": "1,1"}, [1]),
        ({"sort": "[current_state_ASC,id_DESC]", "limit": "1"}, [5]),
    ],
)
def test_order_and_pages(dated, query, found):
    assert dated.ids("orders", **query) == [500 + n for n in found]


@pytest.mark.parametrize(
    ("path", "query", "refused"),
    [
        ("order", {}, [27]),
        ("order_slips", {}, [27]),
        ("orders", {"filter[date_upd]": ">[2026-11-20 11:00:00]"}, [32]),
        ("orders", {"filter[date_add]": "[2026-11-20,2026-11-21]"}, [32]),
        ("orders", {"filter[date_upd]": ">[2026-11-20T11:00:00Z]", "date": "1"}, [32]),
        ("orders", {"filter[updated]": "[1]"}, [32]),
        ("orders", {"filter[id": "[1]"}, [32]),
        ("orders", {"filter[id]": ">[1]%"}, [32]),
        ("orders", {"page": "2"}, [32]),
        ("orders", {"filter[shipping_number]": "[AB]"}, [34]),
        ("orders", {"display": "[id,colour]"}, [35]),
        ("orders", {"display": "all"}, [36]),
        ("orders", {"sort": "id_ASC"}, [37]),
        ("orders", {"sort": "[id]"}, [37]),
        ("orders", {"sort": "[date_upd_ASC,id_ASC]"}, [38]),
        ("orders", {"sort": "[colour_ASC]"}, [38]),
        ("orders", {"limit": "0,"}, [39]),
        ("orders", {"limit": "-1,5"}, [39]),
        ("order_histories", {"filter[date_upd]": "[1]", "date": "1"}, [32]),
    ],
)
def test_a_wrong_question_is_400(path, query, refused):
    answer = Shop().get(path, **query)
    assert (answer.status_code, codes(answer)) == (400, refused)


def test_an_error_in_json_has_a_number_for_its_code():
    answer = Shop().get("colours", output_format="JSON")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 27


def test_times_are_the_shops_own_and_one_hour_comes_twice():
    shop = Shop()
    shop.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    first = shop.place()
    shop.tick(3600)
    second = shop.place()
    assert first["date_add"] == second["date_add"] == "2026-10-25 02:30:00"


# -- orders and their sums -------------------------------------------------------------------------


def rows_of(shop, order):
    return shop.rows("order_details", **{"filter[id_order]": str(order["id"])})


def assert_adds_up(row, rows):
    """The check the sheet gives, and the same with tax."""
    for kind, goods in (("excl", "total_products"), ("incl", "total_products_wt")):
        more = Decimal(row[f"total_shipping_tax_{kind}"]) + Decimal(
            row[f"total_wrapping_tax_{kind}"]
        )
        less = Decimal(row[f"total_discounts_tax_{kind}"])
        paid = Decimal(row[f"total_paid_tax_{kind}"])
        assert Decimal(row[goods]) + more - less == paid
        units = sum(
            int(one["product_quantity"]) * Decimal(one[f"unit_price_tax_{kind}"]) for one in rows
        )
        assert abs(units + more - less - paid) <= Decimal("0.05")
    assert row["total_paid"] == row["total_paid_tax_incl"]


def test_discounts_freight_and_wrapping_add_up():
    shop = Shop()
    order = shop.store.place(
        {
            "lines": [
                {"sku": "COLA330-C24", "quantity": 3, "discount": "10%"},
                {"sku": "SYRUP-GINGER", "quantity": 2},
                {"sku": "TONIC200-P4", "quantity": 2, "discount": "1.50"},
            ],
            "discount_total": "5.00",
            "shipping_total": "4.95",
            "fees": [{"name": "gift wrapping", "total": "2.50"}],
        }
    )
    cola, syrup, tonic = rows_of(shop, order)
    assert (cola["reduction_percent"], cola["product_price"]) == ("10.00", "14.400000")
    assert cola["unit_price_tax_excl"] == "12.960000"
    assert syrup["unit_price_tax_excl"] == "6.500000"
    assert tonic["reduction_amount_tax_excl"] == "0.750000"
    assert_adds_up(order, [cola, syrup, tonic])
    names = "total_products total_discounts_tax_excl total_discounts_tax_incl".split()
    assert money(order, *names) == ["57.88", "5.00", "6.00"]
    (voucher,) = shop.rows("order_cart_rules")
    assert money(voucher, "value", "value_tax_excl") == ["6.00", "5.00"]
    assert order["gift"] == "1"


def test_prices_with_tax_come_back_a_millionth_short():
    product = {"sku": "COLA330-C24", "name": "Cola", "price": "10.00"}
    shop = Shop(tax_rate=21, prices_include_tax=True, products=[product])
    order = shop.place(3)
    (row,) = order["associations"]["order_rows"]
    assert (row["unit_price_tax_excl"], row["unit_price_tax_incl"]) == ("8.264462", "9.999999")
    assert money(order, "total_paid_tax_incl", "total_paid_tax_excl") == ["30.00", "24.79"]
    (detail,) = rows_of(shop, order)
    taxes = shop.xml(f"order_details/{detail['id']}").findall(".//taxes/tax/id")
    assert shop.row(f"taxes/{taxes[0].text}")["rate"] == "21.000"


@pytest.mark.parametrize(("kind", "total"), [(1, "1.00"), (2, "1.03"), (3, "1.03")])
def test_what_is_rounded_is_the_shops_choice(kind, total):
    product = {"sku": "COLA330-C24", "name": "Straw", "price": "0.1025"}
    shop = Shop(round_type=kind, products=[product], tax_rate=0)
    order = shop.place(10)
    assert money(order, "total_products") == [total]
    assert order["round_type"] == str(kind)


def test_a_combination_is_named_and_priced_with_its_product():
    shop = Shop()
    order = shop.store.place({"lines": [{"sku": "SYRUP-GINGER", "quantity": 1}]})
    (row,) = order["associations"]["order_rows"]
    assert row["product_name"] == "Dock Syrup (Taste: Ginger)"
    assert (row["product_reference"], row["product_price"]) == ("SYRUP-GINGER", "6.500000")
    assert shop.row(f"combinations/{row['product_attribute_id']}")["price"] == "0.400000"


def test_price_rules_of_the_shop_decide():
    shop = Shop()
    trader = shop.store.customer(TRADER)
    shop.store.add_special(11, {"percent": "20", "from_quantity": 10})
    shop.store.add_special(11, {"price": "12.00", "customer": trader["id"]})
    plain, many = shop.place(9), shop.place(10)
    traded = shop.place(1, customer=TRADER)
    units = [
        one["associations"]["order_rows"][0]["unit_price_tax_excl"] for one in (plain, many, traded)
    ]
    assert units == ["14.400000", "11.520000", "12.000000"]


def test_a_company_is_on_the_account_in_one_mode_only():
    plain, business = Shop(), Shop(b2b=True)
    for shop, company in ((plain, ""), (business, "Corner Pop Ltd")):
        order = shop.place(customer=TRADER, billing={})
        assert shop.row(f"customers/{order['id_customer']}")["company"] == company
        address = shop.row(f"addresses/{order['id_address_invoice']}")
        assert (address["company"], address["phone"]) == (TRADER["company"], TRADER["phone"])
        assert shop.row(f"countries/{address['id_country']}")["iso_code"] == "GB"


def test_groups_say_whether_prices_are_shown_with_tax():
    shop = Shop(groups=[{"name": "Trade", "price_display_method": 1}])
    shown = {row["name"]: row["price_display_method"] for row in shop.rows("groups")}
    assert shown == {"Visitor": "0", "Guest": "0", "Customer": "0", "Trade": "1"}
    customer = shop.store.customer(TRADER | {"group": "Trade"})
    assert customer["id_default_group"] == "4"


def test_two_guests_of_one_email_are_two():
    shop = Shop()
    first, second = shop.place(), shop.place()
    assert first["id_customer"] != second["id_customer"]
    assert [row["is_guest"] for row in shop.rows("customers")] == ["1", "1"]
    again = [shop.place(customer=TRADER)["id_customer"] for _ in range(2)]
    assert again[0] == again[1]


def test_words_of_the_buyer_are_messages():
    shop = Shop()
    order = shop.place(po_number="PO-118", customer_note="ring twice")
    texts = [row["message"] for row in shop.rows("messages", **{"filter[id_order]": order["id"]})]
    assert texts == ["PO number: PO-118", "ring twice"]
    (thread,) = shop.rows("customer_threads", **{"filter[id_order]": order["id"]})
    filters = {"filter[id_customer_thread]": thread["id"]}
    assert [row["message"] for row in shop.rows("customer_messages", **filters)] == texts
    assert order["note"] == ""


def test_virtual_goods_have_no_carrier():
    products = [{"sku": "VOUCHER", "name": "Tasting", "price": "20", "is_virtual": True}]
    shop = Shop(products=products)
    order = shop.store.place({"lines": [{"sku": "VOUCHER", "quantity": 1}]})
    assert order["id_carrier"] == "0"
    assert shop.ids("order_carriers") == []
    assert shop.row(f"products/{shop.ids('products')[0]}")["is_virtual"] == "1"


def test_a_pack_lists_its_parts():
    pack = {"sku": "MIX", "name": "Mix", "price": "9"}
    parts = [{"sku": "SYRUP-LEMON", "quantity": 2}, {"sku": "COLA330-C24", "quantity": 1}]
    shop = Shop(products=[*PRODUCTS, pack | {"bundle": parts}])
    (number,) = shop.ids("products", **{"filter[reference]": "MIX"})
    product = shop.xml(f"products/{number}")
    assert product.findtext("product_type") == "pack"
    quantities = [one.findtext("quantity") for one in product.findall(".//product_bundle/product")]
    assert quantities == ["2", "1"]


def test_people_and_products_change():
    shop = listening()
    order = shop.place(customer=TRADER, shipping=ADA | {"country": "US", "state": "NY"})
    assert order["id_address_delivery"] != order["id_address_invoice"]
    delivery = shop.row(f"addresses/{order['id_address_delivery']}")
    assert shop.row(f"states/{delivery['id_state']}")["iso_code"] == "NY"
    moved = shop.store.update(order["id"], {"shipping": {"country": "IT", "state": "MI"}})
    assert moved["id_address_delivery"] == delivery["id"]
    number = int(order["id_customer"])
    assert shop.store.change_customer(number, {"last_name": "Vat"})["lastname"] == "Vat"
    shop.store.delete_customer(number)
    assert shop.get(f"customers/{number}").status_code == 404
    syrup = shop.ids("products")[-1]
    shop.store.change_product(syrup, {"sku": "SYRUP-LEMON", "stock": 7, "impact": "0.20"})
    shop.store.change_product(syrup, {"price": "6.50", "name": "Quay Syrup", "active": 0})
    row = shop.row(f"products/{syrup}")
    assert (row["price"], row["name"], row["active"]) == ("6.500000", "Quay Syrup", "0")
    assert stock(shop, "SYRUP-LEMON") == 7
    assert shop.topics()[-3:] == ["stock.changed", "product.changed", "product.changed"]


def test_an_amount_off_is_one_with_tax():
    shop = Shop()
    shop.store.add_special(11, {"amount": "1.20"})
    (row,) = shop.place()["associations"]["order_rows"]
    assert (row["unit_price_tax_excl"], row["unit_price_tax_incl"]) == ("13.400000", "16.080000")


def test_an_order_may_begin_in_any_state():
    shop = Shop()
    cash = shop.place(status="13")
    assert (cash["module"], cash["payment"]) == ("ps_cashondelivery", "Cash on delivery")
    waits = shop.place(status="On backorder (not paid)", paid=True)
    assert waits["total_paid_real"] == waits["total_paid"]
    failed = shop.place(status="8")
    assert (failed["valid"], stock(shop)) == ("0", 98)


# -- what moves the date of an order ---------------------------------------------------------------

MOVES = {
    "state": lambda shop, order: shop.store.pay(order["id"]),
    "cancel": lambda shop, order: shop.store.cancel(order["id"]),
    "quantity": lambda shop, order: shop.store.update(
        order["id"], {"quantities": {"SYRUP-LEMON": 4}}
    ),
    "note": lambda shop, order: shop.store.update(order["id"], {"note": "call first"}),
    "patch": lambda shop, order: patch(shop, "order", order["id"], "<note>x</note>"),
    "new address": lambda shop, order: shop.store.update(
        order["id"], {"billing": {"city": "York"}}
    ),
}
STAYS = {
    "payment": lambda shop, order: shop.store.pay(order["id"], {"amount": "5.00"}),
    "slip": lambda shop, order: shop.store.refund(order["id"]),
    "return": lambda shop, order: shop.store.take_back(
        order["id"], {"lines": [{"sku": "SYRUP-LEMON", "quantity": 1}]}
    ),
    "tracking": lambda shop, order: patch(
        shop,
        "order_carrier",
        shop.ids("order_carriers")[0],
        "<tracking_number>FZ1</tracking_number>",
    ),
    "message": lambda shop, order: shop.store.update(order["id"], {"customer_note": "hello"}),
    "address": lambda shop, order: shop.store.change_address(
        int(order["id_address_invoice"]), {"city": "York"}
    ),
}


def patch(shop, node, number, inner):
    plural = next(one.plural for one in RESOURCES.values() if one.node == node)
    answer = shop.write("PATCH", f"{plural}/{number}", f"<{node}><id>{number}</id>{inner}</{node}>")
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("act", [*MOVES, *STAYS])
def test_what_moves_the_date(act):
    shop = Shop()
    lines = [{"sku": "SYRUP-LEMON", "quantity": 2}]
    is_paid = act in ("slip", "return")
    order = shop.store.place({"lines": lines, "billing": ADA, "paid": is_paid})
    shop.tick()
    (MOVES | STAYS)[act](shop, order)
    now = shop.row(f"orders/{order['id']}")["date_upd"]
    assert now == ("2026-11-20 11:01:00" if act in MOVES else "2026-11-20 11:00:00")


# -- states, payments, parcels ---------------------------------------------------------------------


def stock(shop, sku="COLA330-C24"):
    product, combination = shop.store.catalogue.find(sku)
    row = shop.store.catalogue.stock_row(product["id"], combination["id"] if combination else 0)
    return int(row["quantity"])


def test_a_paid_state_writes_the_payment_and_the_invoice():
    shop = Shop()
    order = shop.store.pay(shop.place()["id"])
    assert (order["current_state"], order["valid"], order["invoice_number"]) == ("2", "1", "1")
    assert order["total_paid_real"] == order["total_paid"]
    (payment,) = shop.rows("order_payments", **{"filter[order_reference]": order["reference"]})
    assert (payment["amount"], payment["payment_method"]) == (order["total_paid"], "Bank transfer")
    states = [row["id_order_state"] for row in shop.rows("order_histories")]
    assert states == ["10", "2"]


def test_a_part_paid_changes_nothing_of_the_order():
    shop = Shop()
    order = shop.place()
    after = shop.store.pay(order["id"], {"amount": "5.00", "transaction_id": "TX-1"})
    assert after == order
    assert shop.rows("order_payments")[0]["transaction_id"] == "TX-1"


def test_stock_goes_and_comes_back_once():
    shop = Shop()
    order = shop.place(4)
    assert stock(shop) == 96
    shop.store.cancel(order["id"])
    shop.store.cancel(order["id"])
    assert stock(shop) == 100
    shop.store.update(order["id"], {"status": "2"})
    assert stock(shop) == 96
    shop.store.update(order["id"], {"quantities": {"COLA330-C24": 1}})
    assert stock(shop) == 99
    assert len(shop.rows("order_histories")) == 4


def test_the_sum_of_combinations_is_worked_out_anew():
    shop = Shop()
    shop.store.place({"lines": [{"sku": "SYRUP-LEMON", "quantity": 5}]})
    rows = shop.rows("stock_availables", **{"filter[id_product]": shop.ids("products")[-1]})
    assert [row["quantity"] for row in rows] == ["37", "25", "12"]


def test_more_can_be_sold_than_there_is():
    shop = Shop()
    shop.place(1000)
    assert stock(shop) == -900


def test_a_parcel_has_a_number_and_the_order_shows_it():
    shop = Shop()
    order = shop.place(2, paid=True)
    sent = shop.store.ship(order["id"], {"carrier": "Dray Parcels", "tracking": "FZ1"})
    assert (sent["current_state"], sent["shipping_number"]) == ("4", "FZ1")
    (parcel,) = shop.rows("order_carriers", **{"filter[id_order]": order["id"]})
    assert parcel["tracking_number"] == "FZ1"
    assert shop.row(f"carriers/{parcel['id_carrier']}")["name"] == "Dray Parcels"
    assert sent["delivery_number"] == "1"


def test_an_order_is_shipped_as_a_whole():
    shop = Shop()
    order = shop.place(2)
    with pytest.raises(ValueError, match="as a whole"):
        shop.store.ship(order["id"], {"lines": [{"sku": "COLA330-C24", "quantity": 1}]})


# -- slips and returns -----------------------------------------------------------------------------


def slips(shop, order):
    return shop.rows("order_slip", **{"filter[id_order]": str(order["id"])})


def test_a_slip_for_one_of_two():
    shop = Shop()
    order = shop.place(2, paid=True, shipping_total="5.00")
    after = shop.store.refund(order["id"], {"lines": [{"sku": "COLA330-C24", "quantity": 1}]})
    assert after == order
    (slip,) = slips(shop, order)
    names = "amount total_products_tax_excl total_products_tax_incl total_shipping_tax_incl"
    assert money(slip, *names.split()) == ["17.28", "14.40", "17.28", "0.00"]
    assert slip["partial"] == "1"
    (detail,) = rows_of(shop, order)
    assert (detail["product_quantity_refunded"], detail["product_quantity_return"]) == ("1", "0")
    assert money(detail, "total_refunded_tax_incl") == ["17.28"]
    inner = shop.xml(f"order_slip/{slip['id']}").find(".//order_slip_detail")
    assert inner.findtext("id_order_detail") == detail["id"]
    assert stock(shop) == 98


def test_all_that_is_left_comes_with_the_freight():
    shop = Shop()
    order = shop.place(2, paid=True, shipping_total="5.00")
    shop.store.refund(order["id"], {"amount": "10.00"})
    shop.store.refund(order["id"], {})
    first, rest = slips(shop, order)
    assert money(first, "amount") == ["10.00"]
    assert (rest["partial"], rest["shipping_cost"]) == ("0", "1")
    given = sum(
        Decimal(one[f"total_{part}_tax_incl"])
        for one in (first, rest)
        for part in ("products", "shipping")
    )
    assert given == Decimal(order["total_paid"])
    with pytest.raises(ValueError, match="nothing is left"):
        shop.store.refund(order["id"], {})


@pytest.mark.parametrize(
    "given",
    [
        {"lines": [{"sku": "COLA330-C24", "quantity": 3}]},
        {"lines": [{"sku": "TONIC200-P4", "quantity": 1}]},
        {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "amount": "20.00"},
        {"amount": "99.00"},
        {"shipping_total": "1.00"},
        {"colour": 1},
    ],
)
def test_a_slip_is_not_for_more_than_was_paid(given):
    shop = Shop()
    order = shop.place(2, paid=True)
    with pytest.raises(ValueError, match=r".+"):
        shop.store.refund(order["id"], given)
    assert slips(shop, order) == []


def test_nothing_is_given_back_of_what_nobody_paid():
    shop = Shop()
    with pytest.raises(ValueError, match="nobody paid"):
        shop.store.refund(shop.place()["id"], {})


def test_goods_that_come_back_are_counted_by_row():
    shop = Shop()
    order = shop.place(2, paid=True)
    lines = [{"sku": "COLA330-C24", "quantity": 1}]
    shop.store.take_back(order["id"], {"lines": lines})
    shop.store.refund(order["id"], {"lines": lines, "returned": True})
    (detail,) = rows_of(shop, order)
    names = "product_quantity_return product_quantity_reinjected product_quantity_refunded"
    assert [detail[name] for name in names.split()] == ["2", "1", "1"]
    assert stock(shop) == 99


def test_an_amount_is_shared_among_the_rows_it_is_for():
    shop = Shop()
    lines = [{"sku": "COLA330-C24", "quantity": 2}, {"sku": "TONIC200-P4", "quantity": 2}]
    order = shop.store.place({"lines": lines, "paid": True, "shipping_total": "5.00"})
    one_each = [line | {"quantity": 1} for line in lines]
    shop.store.refund(order["id"], {"lines": one_each, "amount": "10.00", "restock": True})
    shop.store.refund(order["id"], {"shipping_total": "2.00", "reason": "came late"})
    goods, freight = slips(shop, order)
    assert money(goods, "amount", "shipping_cost_amount") == ["10.00", "0.00"]
    parts = shop.xml(f"order_slip/{goods['id']}").findall(".//order_slip_detail/amount_tax_incl")
    assert [f"{Decimal(one.text):.2f}" for one in parts] == ["7.93", "2.07"]
    names = "amount shipping_cost_amount total_shipping_tax_excl".split()
    assert money(freight, *names) == ["0.00", "2.00", "1.67"]
    assert shop.rows("messages")[-1]["private"] == "1"
    assert stock(shop) == 99


# -- several shops ---------------------------------------------------------------------------------


def test_a_key_looks_at_its_own_shop_unless_it_names_another():
    shops = [
        {"id": 1, "name": "Fizz Depot"},
        {"id": 2, "name": "Fizz Bar"},
        {"id": 3, "name": "Fizz Fair", "id_shop_group": 2},
    ]
    shop = Shop(shops=shops)
    for number in (1, 2, 3):
        shop.place(id_shop=number)
    assert shop.ids("orders") == [500]
    assert shop.ids("orders", id_shop="2") == [501]
    assert shop.ids("orders", id_group_shop="1") == [500, 501]
    assert shop.get("orders/502").status_code == 404
    assert shop.get("orders/502", id_shop="3").status_code == 200
    assert shop.get("orders", id_shop="9").status_code == 404


def test_orders_of_one_reference_share_their_payments():
    shop = listening()
    first, second = (shop.place(reference="FIZZSPLIT") for _ in range(2))
    shop.deliveries.clear()
    shop.store.pay(first["id"], {"amount": "5.00"})
    assert [body["id_order"] for body in shop.bodies()] == [first["id"], second["id"]]
    assert shop.topics() == ["order.paid"] * 2


def test_an_address_that_orders_use_is_only_hidden():
    shop = Shop()
    order = shop.place()
    number = int(order["id_address_invoice"])
    shop.store.delete_address(number)
    assert shop.row(f"addresses/{number}")["deleted"] == "1"
    assert shop.ids("addresses") == []
    assert shop.row(f"orders/{order['id']}")["id_address_invoice"] == str(number)
    told = Shop(lists_deleted=True)
    told.store.delete_address(int(told.place()["id_address_invoice"]))
    assert len(told.ids("addresses")) == 1


# -- writes ----------------------------------------------------------------------------------------


def test_stock_is_written_by_patch_and_the_sum_follows():
    shop = Shop()
    number = shop.ids("stock_availables")[-1]
    node = f"<stock_available><id>{number}</id><quantity>482</quantity></stock_available>"
    answer = shop.write("PATCH", f"stock_availables/{number}", node)
    assert answer.status_code == 200
    assert "<quantity><![CDATA[482]]></quantity>" in answer.text
    row = shop.row(f"stock_availables/{number - 2}")
    assert (row["id_product_attribute"], row["quantity"]) == ("0", "512")


@pytest.mark.parametrize(
    ("method", "path", "inner", "status", "refused"),
    [
        ("PATCH", "stock_availables/28500", "<quantity>4.5</quantity>", 400, [85]),
        ("PATCH", "stock_availables/28500", "<quantity> 4</quantity>", 400, [85]),
        ("PUT", "stock_availables/28500", "<quantity>4</quantity>", 400, [41]),
        ("PATCH", "products/11", "<price>12,5</price>", 400, [85]),
        ("PUT", "products/11", "<price>1</price><quantity>1</quantity>", 400, [93]),
        ("PATCH", "products/12", "<price>1</price>", 404, [92]),
        ("PATCH", "orders/500", "<note>x", 500, [127]),
    ],
)
def test_a_wrong_write_is_refused(method, path, inner, status, refused):
    shop = Shop()
    plural, number = path.split("/")
    number = "11" if plural == "products" else number
    node = RESOURCES[plural].node
    body = f"<{node}><id>{number}</id>{inner}</{node}>"
    answer = shop.write(method, path, body)
    assert (answer.status_code, codes(answer)) == (status, refused)


def test_json_is_not_read():
    answer = Shop().http.request("PATCH", "/api/products/11", json={"product": {"id": 11}})
    assert (answer.status_code, codes(answer)) == (500, [127])


def test_a_body_names_what_it_is_about():
    answer = Shop().write("PATCH", "products/11", "<product><price>1</price></product>")
    assert (answer.status_code, codes(answer)) == (400, [90])


def test_put_wipes_what_it_does_not_say_and_patch_does_not():
    shop = Shop()
    shop.tick()
    patch(shop, "product", 11, "<price>12.500000</price><colour>red</colour>")
    row = shop.row("products/11")
    assert (row["price"], row["reference"], row["active"]) == ("12.500000", "COLA330-C24", "1")
    assert row["date_upd"] == "2026-11-20 11:01:00"
    body = "<product><id>11</id><price>12.500000</price></product>"
    assert shop.write("PUT", "products/11", body).status_code == 200
    row = shop.row("products/11")
    wiped = "active state reference product_type id_tax_rules_group minimal_quantity".split()
    assert [row[name] for name in wiped] == ["0", "0", "", "", "0", "0"]
    assert row["date_add"] == "0000-00-00 00:00:00"


def test_a_whole_product_is_put_back_without_what_the_shop_works_out():
    shop = Shop()
    before = shop.row("products/11")
    text = shop.get("products/11").text
    refused = shop.http.put("/api/products/11", content=text.encode())
    assert (refused.status_code, codes(refused)) == (400, [93])
    root = parsed(text)
    for name in ("manufacturer_name", "quantity", "position_in_category"):
        root[0].remove(root[0].find(name))
    shop.tick()
    assert shop.http.put("/api/products/11", content=ElementTree.tostring(root)).status_code == 200
    after = shop.row("products/11")
    assert after == before | {"date_upd": "2026-11-20 11:01:00"}


def test_a_state_is_added_to_the_history():
    shop = Shop()
    order = shop.place()
    states = f"<id_order>{order['id']}</id_order><id_order_state>4</id_order_state>"
    node = f"<order_history>{states}</order_history>"
    for _ in range(2):
        assert shop.write("POST", "order_histories", node).status_code == 201
    assert shop.row(f"orders/{order['id']}")["current_state"] == "4"
    assert [row["id_order_state"] for row in shop.rows("order_histories")] == ["10", "4", "4"]
    unknown = shop.write("POST", "order_histories", node.replace(">4<", ">99<"))
    assert (unknown.status_code, unknown.content) == (500, b"")
    patch(shop, "order", order["id"], "<current_state>6</current_state>")
    assert shop.rows("order_histories")[-1]["id_order_state"] == "6"


def test_an_account_of_an_email_is_one_and_guests_are_many():
    shop = Shop()
    names = "<firstname>Ada</firstname><lastname>Quill</lastname><email>a@b.example</email>"
    node = f"<customer>{names}<passwd>secret-secret</passwd></customer>"
    assert shop.write("POST", "customers", node).status_code == 201
    again = shop.write("POST", "customers", node)
    assert (again.status_code, codes(again)) == (500, [140, 46])
    guest = node.replace("<passwd>", "<is_guest>1</is_guest><passwd>")
    assert shop.write("POST", "customers", guest).status_code == 201
    digits = shop.write("POST", "customers", node.replace("Ada", "Ada2"))
    assert (digits.status_code, codes(digits)) == (400, [85])
    short = shop.write("POST", "customers", f"<customer>{names}</customer>")
    assert (short.status_code, codes(short)) == (400, [41])


def test_a_price_rule_is_there_once():
    shop = Shop()
    zeros = "id_shop id_cart id_currency id_country id_customer reduction_tax".split()
    given = dict.fromkeys(zeros, "0") | {"id_product": "11", "id_group": "3", "price": "-1"}
    given |= {"from_quantity": "6", "reduction": "0.100000", "reduction_type": "percentage"}
    given |= dict.fromkeys(("from", "to"), "0000-00-00 00:00:00")
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in given.items())
    node = f"<specific_price>{inner}</specific_price>"
    assert shop.write("POST", "specific_prices", node).status_code == 201
    again = shop.write("POST", "specific_prices", node)
    assert (again.status_code, again.content) == (500, b"")
    order = shop.place(6, customer=TRADER)
    assert order["associations"]["order_rows"][0]["unit_price_tax_excl"] == "12.960000"


def test_payments_and_slips_that_are_written_move_nothing():
    shop = listening()
    order = shop.place(2, paid=True)
    shop.deliveries.clear()
    paid = {"order_reference": order["reference"], "id_currency": "1", "amount": "5.00"}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in paid.items())
    node = f"<order_payment>{inner}</order_payment>"
    assert shop.write("POST", "order_payments", node).status_code == 201
    assert shop.topics() == ["order.paid"]
    slip = {"id_customer": order["id_customer"], "id_order": order["id"], "conversion_rate": "1"}
    names = "products_tax_excl products_tax_incl shipping_tax_excl shipping_tax_incl".split()
    slip |= {f"total_{name}": "1" for name in names}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in slip.items())
    lists = "<associations><order_slip_details><order_slip_detail><id_order_detail>1"
    lists += "</id_order_detail></order_slip_detail></order_slip_details></associations>"
    answer = shop.write("POST", "order_slip", f"<order_slip>{inner}{lists}</order_slip>")
    assert answer.status_code == 201
    assert shop.topics() == ["order.paid"]
    assert shop.row(f"orders/{order['id']}")["date_upd"] == order["date_upd"]
    (detail,) = rows_of(shop, order)
    assert detail["product_quantity_refunded"] == "0"


def test_a_tracking_number_is_told_with_the_mail_only():
    shop = listening()
    order = shop.place()
    (number,) = shop.ids("order_carriers")
    shop.deliveries.clear()
    for tracking, query in (("FZ1", {}), ("FZ2", {"sendemail": "1"})):
        inner = f"<id>{number}</id><tracking_number>{tracking}</tracking_number>"
        node = f"<order_carrier>{inner}</order_carrier>"
        assert shop.write("PATCH", f"order_carriers/{number}", node, **query).status_code == 200
    assert shop.topics() == ["order.shipped"]
    assert shop.row(f"orders/{order['id']}")["shipping_number"] == "FZ2"
    ids = f"<id_order>{order['id']}</id_order><id_carrier>{order['id_carrier']}</id_carrier>"
    node = f"<order_carrier><id>{number}</id>{ids}</order_carrier>"
    assert shop.write("PUT", f"order_carriers/{number}", node).status_code == 200
    row = shop.row(f"order_carriers/{number}")
    assert (row["weight"], row["date_add"]) == ("0.000000", "0000-00-00 00:00:00")


def ordered_by_cart(shop, **changes):
    """What a client writes to make an order."""
    row = shop.place(customer=TRADER)
    ids = {"id_currency": "1", "id_lang": "1", "id_customer": row["id_customer"]}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in ids.items())
    rows = "<cart_row><id_product>11</id_product><quantity>2</quantity></cart_row>"
    lists = f"<associations><cart_rows>{rows}</cart_rows></associations>"
    cart = shop.write("POST", "carts", f"<cart>{inner}{lists}</cart>")
    assert cart.status_code == 201, cart.text
    given = ids | {"id_cart": parsed(cart.content).findtext("cart/id")}
    address = row["id_address_invoice"]
    given |= {"id_address_delivery": address, "id_address_invoice": address, "id_carrier": "7"}
    given |= {"module": "ps_wirepayment", "payment": "Import", "conversion_rate": "1"}
    given |= dict.fromkeys(("total_paid", "total_paid_real", "total_products_wt"), "34.56")
    given |= {"total_products": "28.80"} | changes
    return "".join(f"<{name}>{value}</{name}>" for name, value in given.items())


def test_an_order_from_a_cart_is_paid_and_told_back_almost_empty():
    shop = Shop()
    node = f"<order>{ordered_by_cart(shop)}</order>"
    answer = shop.write("POST", "orders", node)
    assert (answer.status_code, "location" in answer.headers) == (201, False)
    told = parsed(answer.content)[0]
    assert (told.findtext("reference"), told.findtext("current_state")) == ("", "")
    row = shop.row(f"orders/{told.findtext('id')}")
    assert (row["current_state"], row["valid"], row["id_carrier"]) == ("11", "1", "0")
    assert money(row, "total_paid_real", "total_paid_tax_incl") == ["34.56", "34.56"]
    again = shop.write("POST", "orders", node)
    assert again.status_code == 500
    assert again.text.startswith("Cart cannot be loaded")


def test_an_order_of_other_sums_is_a_payment_error():
    shop = Shop()
    answer = shop.write(
        "POST", "orders", f"<order>{ordered_by_cart(shop, total_paid='20')}</order>"
    )
    row = shop.row(f"orders/{parsed(answer.content).findtext('order/id')}")
    assert (row["current_state"], row["valid"], row["total_paid_real"]) == ("8", "0", "20.000000")
    other = shop.write("POST", "orders", f"<order>{ordered_by_cart(shop, module='none')}</order>")
    assert (other.status_code, other.content) == (500, b"")


def test_deleting_is_final_and_without_a_word():
    shop = listening()
    order = shop.place()
    shop.deliveries.clear()
    answer = shop.http.delete(f"/api/orders/{order['id']}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert shop.get(f"orders/{order['id']}").status_code == 404
    assert shop.http.delete(f"/api/orders/{order['id']}").status_code == 404
    assert shop.topics() == []


# -- our module ------------------------------------------------------------------------------------

VECTOR = (
    '{"event":"order.status_changed","id_shop":1,"id_order":5,"reference":"KHWLILZLL",'
    '"id_order_state":2,"date_upd":"2026-11-01 11:15:30",'
    '"delivery_id":"8c2d3a50-1b1f-4a35-8f44-7b1c6c1de002"}'
)


def test_the_sheets_vector():
    proof = sign("fizz_hook_demo_secret", "1793528130", VECTOR.encode())
    assert proof == "v1=07e1a05f480051e549afb49a988c181308b7588422cd6f83c2e183e4a2c0e8fb"


def test_a_delivery_has_the_vectors_fields_in_its_order():
    shop = listening()
    order = shop.place()
    told = next(body for body in shop.bodies() if body["event"] == "order.status_changed")
    assert list(told) == list(json.loads(VECTOR))
    assert (told["id_order"], told["id_order_state"], told["id_shop"]) == (order["id"], 10, 1)
    delivery = shop.deliveries[-1]
    second = delivery.headers["X-Fizz-Timestamp"]
    assert second == str(int(shop.now.timestamp()))
    assert delivery.headers["X-Fizz-Signature"] == sign(
        "fizz_hook_sandbox_secret", second, delivery.body
    )


TOLD = {
    "pay": ["order.paid", "order.status_changed", "order.paid"],
    "part": ["order.paid"],
    "cancel": ["stock.changed", "order.status_changed"],
    "ship": ["order.shipped", "order.paid", "order.status_changed", "order.paid"],
    "quantity": ["stock.changed", "order.edited"],
    "note": [],
    "address": ["address.changed"],
    "delete": [],
}


@pytest.mark.parametrize("act", TOLD)
def test_what_is_told(act):
    shop = listening()
    number = shop.place(2, customer=TRADER)["id"]
    shop.deliveries.clear()
    acts = {
        "pay": lambda: shop.store.pay(number),
        "part": lambda: shop.store.pay(number, {"amount": "1.00"}),
        "cancel": lambda: shop.store.cancel(number),
        "ship": lambda: shop.store.ship(number, {"tracking": "FZ1"}),
        "quantity": lambda: shop.store.update(number, {"quantities": {"COLA330-C24": 3}}),
        "note": lambda: shop.store.update(number, {"note": "x"}),
        "address": lambda: shop.store.update(number, {"billing": {"city": "York"}}),
        "delete": lambda: shop.store.delete(number),
    }
    acts[act]()
    assert shop.topics() == TOLD[act]


def test_every_event_is_told_sooner_or_later():
    shop = listening()
    order = shop.place(2, customer=TRADER)
    shop.store.update(order["id"], {"quantities": {"COLA330-C24": 3}})
    shop.store.pay(order["id"])
    shop.store.ship(order["id"], {"tracking": "FZ1"})
    lines = [{"sku": "COLA330-C24", "quantity": 1}]
    shop.store.refund(order["id"], {"lines": lines})
    shop.store.take_back(order["id"], {"lines": lines})
    shop.store.change_product(11, {"price": "15.00"})
    shop.store.add_special(11, {"percent": "5"})
    shop.store.delete_product(11)
    assert set(shop.topics()) == set(EVENTS)
    assert len({body["delivery_id"] for body in shop.bodies()}) == len(shop.deliveries)


def test_nothing_is_told_to_nobody():
    shop = Shop()
    shop.place()
    shop.sandbox.point_webhooks_to(HOOK)
    assert shop.deliveries == []
    shop.place()
    assert {one.uri for one in shop.deliveries} == {HOOK}


def test_each_try_is_signed_anew_and_the_body_stays():
    shop = listening()
    shop.place()
    delivery = shop.deliveries[0]
    seen = []
    shop.sandbox.outbox.post = lambda one: seen.append((dict(one.headers), one.body)) or 500
    for _ in range(2):
        shop.sandbox.outbox.send([delivery.id])
        shop.tick(60)
    (first, body), (second, again) = seen
    assert body == again
    assert first["X-Fizz-Signature"] != second["X-Fizz-Signature"]
    assert delivery.status == "waiting"


def test_a_note_is_tried_for_three_days():
    assert PAUSES[:4] == (60, 120, 240, 480)
    assert 71 * 3600 < sum(PAUSES) <= 73 * 3600
    assert max(PAUSES) == 3600


# -- control ---------------------------------------------------------------------------------------


def test_the_shop_is_driven_from_outside():
    shop = Shop()
    draft = {"lines": [{"sku": "COLA330-C24", "quantity": 2}], "billing": ADA}
    placed = shop.http.post("/_sandbox/orders", json=draft)
    assert placed.status_code == 201
    number = placed.json()["id"]
    assert placed.json()["order"]["id"] == int(number)
    for action, body in (
        ("update", {"customer_note": "ring"}),
        ("pay", {}),
        ("ship", {"tracking": "FZ1"}),
        ("refund", {"amount": "5.00"}),
        ("return", {"lines": [{"sku": "COLA330-C24", "quantity": 1}]}),
        ("cancel", {}),
        ("delete", {}),
    ):
        answer = shop.http.post(f"/_sandbox/orders/{number}/{action}", json=body)
        assert (answer.status_code, answer.json().get("id")) == (200, number), answer.text
    made = shop.http.post("/_sandbox/customers", json=TRADER)
    assert made.json()["customer"]["email"] == TRADER["email"]
    assert shop.sandbox.accepted["orders"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("orders", {"colour": 1}, 422),
        ("orders", {"lines": [{"sku": "NONE", "quantity": 1}]}, 422),
        ("orders", {"lines": [{"sku": "COLA330-C24", "quantity": 0}]}, 422),
        ("orders", {"lines": [{"sku": "COLA330-C24", "quantity": 1, "colour": 1}]}, 422),
        ("orders", {"currency": "XXX"}, 422),
        ("orders", {"status": "99"}, 422),
        ("orders", {"status": "2", "paid": False}, 422),
        ("orders", {"fees": [{"name": "bottle deposit", "total": "1"}]}, 422),
        ("orders", {"billing": {"country": "XX"}}, 422),
        ("orders", {"billing": {"first_name": "R2"}}, 422),
        ("orders/500/split", {}, 404),
        ("orders/999/pay", {}, 404),
        ("orders/abc/pay", {}, 404),
        ("carts", {}, 404),
        ("customers", {"first_name": "Ada"}, 422),
    ],
)
def test_a_wrong_draft_is_refused(path, body, status):
    shop = Shop()
    shop.place()
    answer = shop.http.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert shop.ids("orders") == [500]


def test_a_fault_strikes_and_a_reset_starts_afresh():
    shop = listening()
    shop.place()
    shop.sandbox.faults.arm(Fault(on="GET /api/orders", kind="status", status=503, body="closed"))
    assert shop.get("orders").status_code == 503
    assert shop.http.post("/_sandbox/reset").status_code == 204
    assert (shop.ids("orders"), shop.deliveries) == ([], [])
    other = "https://bridge.example/other"
    shop.http.put("/_sandbox/webhook_uri", json={"uri": other})
    shop.place()
    assert {one.uri for one in shop.deliveries} == {other}


def test_an_unknown_seed_key_is_refused():
    with pytest.raises(ValueError, match="colour"):
        make({"colour": 1})


# -- the vendor's own payloads ---------------------------------------------------------------------


def shape(node) -> list:
    """Tags, what attributes they have, and the first of a kind of what is inside."""
    seen: dict[str, list] = {}
    for child in node:
        seen.setdefault(child.tag, shape(child))
    return [
        node.tag,
        sorted(set(node.attrib) - {"{http://www.w3.org/1999/xlink}href"}),
        *seen.values(),
    ]


def sample(name):
    return parsed((SAMPLES / name).read_bytes())


OLDER = {
    "order_5.xml": "orders",
    "order_detail_13.xml": "order_details",
    "address_4.xml": "addresses",
    "carrier_2.xml": "carriers",
    "currency_1.xml": "currencies",
    "group_3.xml": "groups",
    "order_carrier_2.xml": "order_carriers",
    "order_state_2.xml": "order_states",
    "product_1.xml": "products",
    "shop_1.xml": "shops",
    "stock_available_1.xml": "stock_availables",
    "stock_available_1_put_response.xml": "stock_availables",
    "tax_1.xml": "taxes",
}
# Fields of 1.6 that were gone by 8.2.
GONE = {
    "currencies": {"iso_code_num", "blank", "sign", "format", "decimals"},
    "products": {"id_product_redirected"},
    "shops": {"id_theme"},
}


@needs_vendor
@pytest.mark.parametrize(("name", "plural"), OLDER.items())
def test_fields_of_an_older_shop_are_still_there(name, plural):
    (node,) = sample(name)
    resource = RESOURCES[plural]
    assert node.tag == resource.node
    known = {"id", "associations", *resource.by_name} | GONE.get(plural, set())
    assert {leaf.tag for leaf in node} <= known
    for leaf in node:
        one = resource.by_name.get(leaf.tag)
        if one and one.format in ("price", "date", "uint", "bool", "float"):
            assert one.takes((leaf.text or "0").strip()), leaf.tag


@needs_vendor
def test_an_order_looks_as_one_seen():
    shop = Shop()
    order = shop.place(2, paid=True)
    ours = shop.xml(f"orders/{order['id']}")
    (theirs,) = sample("seen_order_after_post.xml")
    assert shape(ours) == shape(theirs)
    one = shop.get(f"orders/{order['id']}", output_format="JSON").json()["order"]
    seen = json.loads((SAMPLES / "seen_order_same.json").read_text())["order"]
    assert [name for name in one if name != "id_carrier"] == list(seen)
    assert {name: type(value) for name, value in seen.items()}.items() <= {
        name: type(value) for name, value in one.items()
    }.items()
    assert list(one["associations"]["order_rows"][0]) == list(seen["associations"]["order_rows"][0])


@needs_vendor
def test_what_is_told_back_of_a_written_order_looks_as_seen():
    shop = Shop()
    answer = shop.write("POST", "orders", f"<order>{ordered_by_cart(shop)}</order>")
    (theirs,) = sample("seen_order_post_response.xml")
    ours = parsed(answer.content)[0]
    assert shape(ours) == shape(theirs)
    blank = {leaf.tag for leaf in theirs if not leaf.text}
    assert {leaf.tag for leaf in ours if not leaf.text} == blank


@needs_vendor
def test_lists_look_as_seen():
    shop = Shop()
    order = shop.place(2, paid=True)
    shop.store.refund(order["id"], {"lines": [{"sku": "COLA330-C24", "quantity": 1}]})
    assert shape(shop.xml("order_slip", display="full")) == shape(
        sample("seen_order_slip_list.xml")[0]
    )
    fields = "[id,current_state,date_upd,total_paid,total_paid_real,reference]"
    ours = shop.xml("orders", display=fields)
    assert shape(ours) == shape(sample("seen_orders_poll.xml")[0])
    assert shop.get("orders", limit="9,1").text == (SAMPLES / "seen_empty_list.xml").read_text()
    assert shape(shop.xml("orders")) == shape(sample("orders_filter_date_upd_ids_only.xml")[0])
    for name in ("stock_availables_lookup.xml", "order_carriers_lookup.xml"):
        (node,) = sample(name)
        assert shape(shop.xml(node.tag)) == shape(node)


@needs_vendor
def test_states_are_the_ones_seen():
    fields = "[id,delivery,module_name,invoice,logable,shipped,paid,name,template]"
    ours = Shop().get("order_states", output_format="JSON", display=fields).json()
    assert ours == json.loads((SAMPLES / "seen_order_states.json").read_text())


@needs_vendor
def test_errors_are_the_ones_seen():
    shop = Shop()
    bad = shop.http.get("/api/orders", auth=("WRONGSANDBOXWEBSERVICEKEY0000000", ""))
    assert bad.text == (SAMPLES / "seen_error_bad_key.xml").read_text()
    number = shop.ids("stock_availables")[0]
    node = f"<stock_available><id>{number}</id><quantity>4.5</quantity></stock_available>"
    refused = shop.write("PATCH", f"stock_availables/{number}", node)
    assert refused.text == (SAMPLES / "seen_error_validation.xml").read_text()


@needs_vendor
def test_a_written_stock_row_looks_as_seen():
    shop = Shop()
    number = shop.ids("stock_availables")[-1]
    answer = patch(shop, "stock_available", number, "<quantity>300</quantity>")
    ours = parsed(answer.content)[0]
    assert shape(ours) == shape(sample("seen_stock_available_patch_response.xml")[0])


UNDOCUMENTED = {"configurations", "customer_threads"}


@needs_vendor
def test_fields_are_the_documented_ones():
    spec = json.loads((SPEC / "webservice-resource-fields.json").read_text())["resources"]
    # What orders are not made of is not here.
    apart = {"deliveries", "product_suppliers", "search", "specific_price_rules"}
    assert set(spec) - apart <= set(RESOURCES)
    assert set(RESOURCES) - set(spec) == UNDOCUMENTED
    for plural in set(spec) - apart:
        given = [one for one in spec[plural]["fields"] if one["name"] != "associations"]
        fields = RESOURCES[plural].by_name
        names = [name for name in fields if (plural, name) != ("products", "product_type")]
        assert names == [one["name"] for one in given], plural
        required = {one["name"] for one in given if one.get("required")}
        assert {name for name in names if fields[name].is_required} == required, plural


@needs_vendor
@pytest.mark.parametrize("plural", sorted(set(RESOURCES) - UNDOCUMENTED))
def test_a_form_has_the_documented_nodes(plural):
    theirs = parsed((SPEC / "blank" / f"{plural}.blank.xml").read_bytes())[0]
    ours = Shop(languages=["en", "de"]).xml(plural, schema="blank")

    def nodes(node):
        return [node.tag, *map(nodes, node)]

    kept = [one for one in nodes(ours) if one != ["product_type"]]
    assert kept == nodes(theirs)


# -- what lies in events/ --------------------------------------------------------------------------


def test_there_is_a_delivery_of_every_event():
    names = {path.stem.partition("__")[0] for path in FIXTURES}
    assert names == {event.replace(".", "_") for event in EVENTS}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_a_delivery_of_the_contract(path):
    fixture = json.loads(path.read_text())
    assert list(fixture) == ["description", "origin", "api_version", "headers", "body"]
    assert set(fixture["headers"]) == {"Content-Type", "X-Fizz-Timestamp"}
    body = json.loads(fixture["body"])
    assert body["event"].replace(".", "_") == path.stem.partition("__")[0]
    names = list(body)
    assert names[:2] == ["event", "id_shop"]
    assert "delivery_id" in names
    if body["event"].startswith("order."):
        assert names[2:6] == ["id_order", "reference", "id_order_state", "date_upd"]


@pytest.mark.parametrize("path", ANSWERED, ids=lambda path: path.stem)
def test_an_answer_is_one_of_the_webservice(path):
    told = json.loads(path.read_text())
    answer = told["response"]
    if not isinstance(answer["body"], str) or not answer["body"].startswith("<?xml"):
        return
    root = parsed(answer["body"])
    assert root.tag == "prestashop"
    if answer["status"] != 200:
        assert root[0].tag == "errors"
        return
    for row in root.iter("order"):
        if row.find("total_paid_tax_incl") is not None:
            values = texts(row)
            rows = [
                {leaf.tag: leaf.text for leaf in one}
                for one in row.findall(".//order_rows/order_row")
            ]
            assert_adds_up(values, rows)
