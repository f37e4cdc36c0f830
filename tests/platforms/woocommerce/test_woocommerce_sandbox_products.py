"""The sandbox store's products and settings keep the vendor's habits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.platforms.woocommerce.woo_store import Shop

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
EVENTS = Path(__file__).parents[3] / "events" / "woocommerce"
COLA = {"sku": "COLA330-C24", "name": "Cola", "price": "13.20", "stock": 480, "id": 51}
TONIC = [
    {"sku": "TONIC", "name": "Tonic", "id": 60},
    {"sku": "TONIC-6", "name": "Tonic - 6", "price": "7.99", "id": 61, "parent_id": 60},
    {"sku": "TONIC-12", "name": "Tonic - 12", "price": "15.40", "id": 62, "parent_id": 60},
]
GINGER = {"sku": "GINGER-12", "name": "Ginger ale", "price": "8.75", "stock": 96}


def shop_of(*products, **seed) -> Shop:
    return Shop(products=list(products), webhook_uri="https://hooks.example/shop", **seed)


def told(shop: Shop) -> list[tuple[str, dict]]:
    return [(one.topic, json.loads(one.body)) for one in shop.sandbox.outbox.deliveries]


def ids(shop: Shop, path: str) -> list[int]:
    answer = shop.http.get(path)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


# -- settings --------------------------------------------------------------------------------------


def values(shop: Shop, group: str) -> dict[str, str]:
    rows = shop.http.get(f"/settings/{group}").json()
    return {one["id"].removeprefix("woocommerce_"): one["value"] for one in rows}


def test_settings_say_what_the_shop_is_like():
    shop = Shop(currency="EUR", country="DE", prices_include_tax=True, tax_rate=19)
    general, tax = values(shop, "general"), values(shop, "tax")
    assert (general["currency"], general["default_country"]) == ("EUR", "DE")
    assert (general["calc_taxes"], general["price_num_decimals"]) == ("yes", "2")
    assert (tax["prices_include_tax"], tax["tax_based_on"]) == ("yes", "shipping")
    assert tax["tax_round_at_subtotal"] == "no"


def test_settings_of_a_shop_without_taxes():
    shop = Shop(tax_rate=0)
    assert values(shop, "general")["calc_taxes"] == "no"
    assert values(shop, "tax")["prices_include_tax"] == "no"


def test_a_setting_is_text_and_shows_options_and_help_only_where_it_has_some():
    rows = Shop(currency="CHF").http.get("/settings/general").json()
    by_id = {one["id"]: one for one in rows}
    assert {type(one["value"]) for one in rows} == {str}
    always = {"id", "label", "description", "type", "default", "value", "_links"}
    assert set(by_id["woocommerce_calc_taxes"]) == always
    currency = by_id["woocommerce_currency"]
    assert set(currency) == always | {"options", "tip"}
    assert (currency["type"], currency["default"], currency["value"]) == ("select", "USD", "CHF")
    assert currency["value"] in currency["options"]
    assert currency["_links"]["self"] == [
        {"href": "https://fizz-store.example/wp-json/wc/v3/settings/general/woocommerce_currency"}
    ]


def test_a_setting_names_its_group_only_by_itself():
    shop = Shop()
    path = "/settings/tax/woocommerce_prices_include_tax"
    one = shop.http.get(path).json()
    assert (one["group_id"], one["type"], one["value"]) == ("tax", "radio", "no")
    listed = shop.http.get("/settings/tax").json()
    assert all("group_id" not in row for row in listed)
    assert shop.http.get(f"{path}?_fields=value").json() == {"value": "no"}
    assert set(shop.http.get("/settings/tax?_fields=id,value").json()[0]) == {"id", "value"}


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/settings/taxes", "setting_group_invalid", "Invalid setting group."),
        ("/settings/taxes/woocommerce_x", "setting_group_invalid", "Invalid setting group."),
        # Taxes are switched on in the other group.
        ("/settings/tax/woocommerce_calc_taxes", "setting_invalid", "Invalid setting."),
    ],
)
def test_unknown_settings_are_refused_in_the_vendors_words(path, code, text):
    answer = Shop().http.get(path)
    assert answer.status_code == 404
    expected = {"code": f"rest_setting_{code}", "message": text, "data": {"status": 404}}
    assert answer.json() == expected


def test_settings_need_a_key_and_are_not_written():
    shop = Shop()
    assert shop.http.put("/settings/tax/woocommerce_tax_based_on", json={}).status_code == 404
    shop.http.auth = None
    answer = shop.http.get("/settings/tax")
    assert (answer.status_code, answer.json()["code"]) == (401, "woocommerce_rest_cannot_view")


# -- reading products ------------------------------------------------------------------------------


def test_what_has_variations_is_variable_and_costs_what_the_cheapest_does():
    shop = shop_of(*TONIC)
    parent = shop.http.get("/products/60").json()
    assert (parent["type"], parent["variations"]) == ("variable", [61, 62])
    assert (parent["price"], parent["regular_price"]) == ("7.99", "")
    assert parent["attributes"][0]["options"] == ["6", "12"]
    shop.store.change_product(61, {"price": "16.00"})
    assert shop.http.get("/products/60").json()["price"] == "15.40"


def test_a_variation_below_its_parent_shows_less_and_is_named_by_its_options():
    shop = shop_of(*TONIC)
    full = shop.http.get("/products/61").json()
    (listed,) = shop.http.get("/products/60/variations?include=61").json()
    assert (full["name"], full["type"], full["parent_id"]) == ("Tonic - 6", "variation", 60)
    assert (listed["name"], listed["parent_id"]) == ("6", 60)
    assert {"type", "slug", "variations"} & set(listed) == set()
    assert shop.http.get("/products/60/variations/61").json() == listed
    for path in ("/products/51/variations/61", "/products/60/variations/99"):
        answer = shop.http.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "woocommerce_rest_product_variation_invalid_id"
    assert ids(shop, "/products/99/variations") == [], "an unknown parent is no error"


def test_a_variation_may_share_its_parents_stock():
    shop = shop_of(TONIC[0] | {"stock": 30}, TONIC[1], TONIC[2] | {"stock": 5})
    shared, own = (shop.http.get(f"/products/{n}").json() for n in (61, 62))
    assert (shared["manage_stock"], shared["stock_quantity"]) == ("parent", 30)
    assert (own["manage_stock"], own["stock_quantity"]) == (True, 5)
    shop.store.place({"lines": [{"sku": "TONIC-6", "quantity": 4}]})
    topic, body = told(shop)[-1]
    assert (topic, body["id"], body["stock_quantity"]) == ("product.updated", 60, 26)
    assert shop.http.get("/products/61").json()["stock_quantity"] == 26


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [51, 60, 63]),
        ("status=publish", [51, 60]),
        ("status=draft", [63]),
        ("status=trash", [64]),
        ("include=51,60", [51, 60]),
        ("include=61", []),
        ("type=variable", [60]),
        ("sku=cola330-c24,TONIC-12", [51, 62]),
        ("sku=GONE", []),
        ("search_sku=tonic-", [61, 62]),
        ("modified_after=2026-11-20T09:59:59Z", [51]),
        ("modified_before=2026-11-20T10:00:00Z", [60, 63]),
        ("orderby=modified&status=publish", [60, 51]),
    ],
)
def test_products_are_found(query, found):
    shop = shop_of(COLA, *TONIC, GINGER | {"status": "draft", "id": 63}, GINGER | {"sku": "GONE"})
    gone = shop.store.catalogue.by_sku("GONE")
    shop.store.trash_product(gone["id"])
    shop.store.change_product(51, {"price": "13.60"})
    found = [gone["id"] if one == 64 else one for one in found]
    sort = "" if "orderby" in query else "&orderby=id"
    assert ids(shop, f"/products?{query}{sort}&order=asc") == found


@pytest.mark.parametrize(
    "query", ["status=all", "status=publish,draft", "type=variation", "orderby=total", "per_page=0"]
)
def test_a_product_list_refuses_what_it_does_not_know(query):
    answer = shop_of(COLA).http.get(f"/products?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")


def test_products_come_in_pages():
    shop = shop_of(*(GINGER | {"sku": f"G-{n}", "id": 70 + n} for n in range(5)))
    answer = shop.http.get("/products?orderby=id&order=asc&per_page=2&page=2")
    assert [one["id"] for one in answer.json()] == [72, 73]
    assert (answer.headers["x-wp-total"], answer.headers["x-wp-totalpages"]) == ("5", "3")
    assert set(answer.links) == {"prev", "next"}
    last = shop.http.get("/products?orderby=id&order=asc&per_page=2&page=3")
    assert [one["id"] for one in last.json()] == [74]


# -- what people do --------------------------------------------------------------------------------


def test_a_new_product_is_told_whole():
    shop = shop_of(COLA)
    made = shop.store.create_product(GINGER)
    assert told(shop) == [("product.created", made)]
    assert (made["id"], made["status"], made["stock_quantity"]) == (52, "publish", 96)
    assert made["date_created_gmt"] == made["date_modified_gmt"] == "2026-11-20T10:00:00"
    assert shop.http.get("/products/52").json() == made


def test_a_new_variation_moves_its_parents_date_and_only_it_is_told():
    shop = shop_of(*TONIC[:2])
    row = {"sku": "TONIC-24", "name": "Tonic - 24", "price": "28.00", "parent_id": 60}
    made = shop.store.create_product(row)
    assert [(topic, body["id"]) for topic, body in told(shop)] == [("product.created", made["id"])]
    parent = shop.http.get("/products/60").json()
    assert (parent["variations"], parent["date_modified_gmt"]) == (
        [61, made["id"]],
        "2026-11-20T10:00:00",
    )


def test_price_offer_stock_and_status_are_changed():
    shop = shop_of(COLA)

    def change(**changes) -> dict:
        shop.store.change_product(51, changes)
        topic, body = told(shop)[-1]
        assert topic == "product.updated"
        return body

    body = change(price="14.00", sale_price="12.50")
    assert (body["price"], body["regular_price"], body["on_sale"]) == ("12.50", "14.00", True)
    body = change(sale_price="15.00")
    assert (body["price"], body["sale_price"], body["on_sale"]) == ("14.00", "", False), "dropped"
    body = change(stock=0)
    assert (body["stock_quantity"], body["stock_status"]) == (0, "outofstock")
    body = change(stock=None)
    assert (body["manage_stock"], body["stock_quantity"]) == (False, None)
    assert (body["stock_status"], change(status="private")["status"]) == ("instock", "private")


def test_the_bin_names_the_product_and_keeps_it():
    shop = shop_of(COLA)
    shop.store.trash_product(51)
    assert told(shop) == [("product.deleted", {"id": 51})]
    assert ids(shop, "/products") == ids(shop, "/products?sku=COLA330-C24") == []
    kept = shop.http.get("/products/51").json()
    assert (kept["status"], kept["date_modified_gmt"]) == ("trash", "2026-11-20T10:00:00")
    shop.tick()
    back = shop.store.restore_product(51)
    assert told(shop)[-1] == ("product.restored", back)
    assert (back["status"], back["stock_quantity"]) == ("publish", 480)
    assert back["date_modified_gmt"] == "2026-11-20T10:01:00"


def test_variations_go_into_the_bin_and_come_back_with_their_parent():
    shop = shop_of(*TONIC)
    shop.store.change_product(62, {"status": "private"})
    shop.store.trash_product(60)
    assert ids(shop, "/products/60/variations") == []
    shop.store.restore_product(60)
    rows = shop.http.get("/products/60/variations?orderby=id&order=asc").json()
    assert [(one["id"], one["status"]) for one in rows] == [(61, "publish"), (62, "private")]
    assert [body["id"] for topic, body in told(shop) if topic != "product.updated"] == [60, 60]


def test_erasing_says_nothing():
    shop = shop_of(COLA, *TONIC)
    shop.store.trash_product(60, is_forced=True)
    assert (told(shop), ids(shop, "/products?sku=TONIC-6")) == ([], [])
    assert shop.http.get("/products/61").status_code == 404
    assert shop.store.create_product(GINGER)["id"] == 63, "a number nobody had"


def test_a_code_that_was_taken_meanwhile_comes_back_changed():
    shop = shop_of(COLA)
    shop.store.trash_product(51)
    shop.store.create_product(COLA | {"id": 90})
    assert shop.store.restore_product(51)["sku"] == "COLA330-C24-1"


def test_stock_comes_back_to_what_was_sold_though_it_is_in_the_bin():
    shop = shop_of(COLA)
    order = shop.store.place({"lines": [{"sku": "COLA330-C24", "quantity": 3}]})
    shop.store.trash_product(51)
    shop.store.update(order["id"], {"status": "cancelled"})
    assert shop.http.get("/products/51").json()["stock_quantity"] == 480


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("", GINGER | {"colour": "red"}),
        ("", GINGER | {"parent_id": 99}),
        ("", {"sku": "COLA330-C24", "name": "Cola again"}),
        ("", {"name": "nameless"}),
        ("/51/update", {"weight": 1}),
        ("/51/update", {"status": "trash"}),
        ("/99/update", {"stock": 1}),
        ("/51/restore", {}),
        ("/99/delete", {}),
    ],
)
def test_what_cannot_be_done_with_a_product_is_said(path, given):
    shop = shop_of(COLA)
    answer = shop.http.post(f"https://store.example/_sandbox/products{path}", json=given)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert (told(shop), shop.sandbox.accepted) == ([], {})


def test_the_control_routes_drive_products():
    shop = shop_of(COLA)
    shop.http.base_url = "https://store.example/_sandbox"
    made = shop.http.post("/products", json=GINGER)
    assert (made.status_code, made.json()["id"]) == (201, "52")
    for action, given in (("update", {"stock": 90}), ("delete", {}), ("restore", {})):
        answer = shop.http.post(f"/products/52/{action}", json=given)
        assert (answer.status_code, answer.json()["product"]["id"]) == (200, 52)
    assert shop.http.post("/products/52/delete", json={}).status_code == 200
    assert shop.http.post("/products/52/delete", json={}).status_code == 422, "there already"
    assert shop.http.post("/products/52/explode", json={}).status_code == 404
    assert [topic for topic, _ in told(shop)] == [
        f"product.{event}" for event in ("created", "updated", "deleted", "restored", "deleted")
    ]
    assert shop.sandbox.accepted == {"products": 1}


# -- against the vendor's own ----------------------------------------------------------------------


def types(body: dict) -> dict[str, str]:
    return {name: type(value).__name__ for name, value in body.items()}


@pytest.mark.skipif(not VENDOR.is_dir(), reason="the vendor's fields are not on this machine")
def test_a_variation_has_the_vendors_fields_and_no_others():
    sample = VENDOR / "samples" / "woocommerce" / "seen_product_by_sku_variation.json"
    (theirs,) = json.loads(sample.read_text())
    shop = shop_of(TONIC[0], TONIC[1] | {"stock": 19})
    (ours,) = shop.http.get("/products?sku=TONIC-6").json()
    assert types(ours) == types(theirs)
    assert types(ours["attributes"][0]) == types(theirs["attributes"][0])


@pytest.mark.skipif(not VENDOR.is_dir(), reason="the vendor's fields are not on this machine")
@pytest.mark.parametrize(
    ("resource", "section", "path"),
    [
        ("products", "Product properties", "/products/51"),
        ("products", "Product properties", "/products/60"),
        ("product-variations", "Product variation properties", "/products/60/variations/61"),
    ],
)
def test_products_have_every_documented_field(resource, section, path):
    fields = json.loads((VENDOR / "specs" / "woocommerce" / "wc-v3-fields.json").read_text())
    documented = fields["resources"][resource]["sections"][section]
    assert set(documented) <= set(shop_of(COLA, *TONIC).http.get(path).json())


@pytest.mark.parametrize("path", sorted(EVENTS.glob("product_*__*.json")), ids=lambda p: p.stem)
def test_recorded_deliveries_have_the_headers_and_fields_of_the_sandbox(path):
    fixture = json.loads(path.read_text())
    shop = shop_of(COLA)
    event = path.stem.partition("__")[0].removeprefix("product_")
    {
        "created": lambda: shop.store.create_product(GINGER),
        "updated": lambda: shop.store.change_product(51, {"stock": 1}),
        "deleted": lambda: shop.store.trash_product(51),
        "restored": lambda: (shop.store.trash_product(51), shop.store.restore_product(51)),
    }[event]()
    sent = shop.sandbox.outbox.deliveries[-1]
    assert set(fixture["headers"]) == set(sent.headers) - {"X-WC-Webhook-Signature"}
    assert fixture["headers"]["X-WC-Webhook-Topic"] == sent.topic
    body = json.loads(fixture["body"])
    if event == "updated":
        assert set(body) <= set(json.loads(sent.body))
    else:
        assert set(json.loads(sent.body)) <= set(body)
