"""What a store shows of stock, prices and products: always the latest, in few calls."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.runtime.target import Situation
from sandbox.faults import Fault
from tests.kit.source import captured_logs
from tests.platforms.woocommerce.woo_back import PRODUCTS, Store


@pytest.fixture
def store():
    return Store()


def batches(store: Store) -> list[Any]:
    return [json.loads(one.content)["update"] for one in store.sent("/batch")]


# -- stock -----------------------------------------------------------------------------------------


def test_stock_is_shown_under_each_code_in_one_batch(store):
    store.stock("COLA330", 200)
    store.settle()
    assert store.shelf("stock_quantity", 51, 52) == [200, 8]
    assert batches(store) == [[{"id": 51, "stock_quantity": 200}, {"id": 52, "stock_quantity": 8}]]
    assert len(store.sent("GET")) - 2 == 1, "one look for all codes"


def test_what_is_as_it_should_be_is_not_written(store):
    store.stock("COLA330", 200)
    store.settle()
    written = len(batches(store))
    store.stock("COLA330", 201)
    store.settle()
    assert batches(store)[written:] == [[{"id": 51, "stock_quantity": 201}]]


def test_variations_are_written_below_their_own_parent(store):
    store.stock("TONIC-6", 30)
    store.stock("TONIC-12", 7)
    store.stock("COLA330", 5)
    store.settle()
    assert store.shelf("stock_quantity", 51, 52, 61, 62) == [5, 0, 30, 7]
    paths = [one.url.path.removeprefix("/wp-json/wc/v3") for one in store.sent("/batch")]
    assert sorted(paths) == ["/products/60/variations/batch", "/products/batch"]
    assert store.read("products/60")["variations"] == [61, 62]


def test_what_the_shop_does_not_count_or_sell_is_passed_over(store):
    lemon = store.stock("LEMON1L", 60)
    store.settle()
    assert batches(store) == []
    assert store.link(lemon, "shop")["status"] == "synced"


def test_a_variation_that_shares_its_parents_count_has_the_parents_written():
    parent = {"sku": "TONIC", "name": "Tonic", "id": 60, "stock": 4}
    only = {"sku": "TONIC-6", "name": "Tonic - 6", "price": "7.99", "id": 61, "parent_id": 60}
    store = Store(products=[parent, only])
    store.stock("TONIC-6", 30)
    store.settle()
    assert store.shelf("stock_quantity", 60, 61) == [30, 30]
    other = only | {"sku": "TONIC-12", "id": 62}
    store = Store(products=[parent, only, other])
    level = store.stock("TONIC-6", 30)
    store.settle()
    assert store.shelf("stock_quantity", 60) == [4]
    assert "count it by itself" in store.link(level, "shop")["message"]


def test_a_code_there_twice_is_written_twice_and_letters_count():
    twins = [PRODUCTS[0], PRODUCTS[0] | {"id": 71}, PRODUCTS[0] | {"id": 72, "sku": "cola330"}]
    store = Store(products=twins)
    store.stock("COLA330", 9)
    store.settle()
    assert store.shelf("stock_quantity", 51, 71, 72) == [9, 9, 480]


def test_one_row_that_is_refused_fails_alone(store):
    def others() -> None:
        store.sandbox.store.trash_product(61, is_forced=True)
        store.put("products/60/variations/62", manage_stock=False)

    store.transport.meanwhile.append((Fault("delay", on="variations/batch"), others))
    levels = [store.stock(one, 30) for one in ("TONIC-6", "TONIC-12", "COLA330")]
    store.settle()
    assert store.shelf("stock_quantity", 51) == [30]
    links = [store.link(one, "shop") for one in levels]
    assert [one["status"] for one in links] == ["parked", "parked", "synced"]
    assert links[1]["message"] == "TONIC-12: the shop keeps stock_quantity None instead of 30"
    store.stock("TONIC-6", 31)
    store.settle()
    assert store.link(levels[0], "shop")["status"] == "synced", "it is not sold any more"


def test_an_answer_lost_is_waited_out_and_nothing_is_written_twice(store):
    store.fault("commit_then_silence", body='"update"')
    began = store.clock()
    level = store.stock("COLA330", 200)
    store.settle()
    assert store.link(level, "shop")["status"] == "synced"
    assert store.shelf("stock_quantity", 51, 52) == [200, 8]
    assert len(batches(store)) == 1, "the second look found it done"
    assert store.clock() - began >= timedelta(seconds=120)


def test_a_write_answered_in_another_shape_may_have_been_done(store):
    store.sandbox.faults.arm(Fault("status", on="/batch", status=200, body={"update": [7]}))
    began = store.clock()
    level = store.stock("COLA330", 200)
    with captured_logs() as logged:
        store.settle()
    assert store.link(level, "shop")["status"] == "synced"
    assert store.shelf("stock_quantity", 51, 52) == [200, 8]
    assert store.clock() - began >= timedelta(seconds=120), "waited out like an answer lost"
    assert '"code":"unreadable"' in logged()
    assert "POST /wp-json/wc/v3/products/batch: the answer is not of" in logged()
    assert '"blame":"ours"' not in logged()


def test_a_throttled_shop_is_asked_again(store):
    store.fault("status", body='"update"', status=429, headers={"Retry-After": "7"})
    store.stock("COLA330", 200)
    store.settle()
    assert store.shelf("stock_quantity", 51, 52) == [200, 8]


def test_places_are_one_to_the_shop():
    store = Store()
    store.map("location", "the shop", "WH")
    store.stock("COLA330", 30)
    store.stock("COLA330", 100, "FAR")
    store.settle()
    assert store.shelf("stock_quantity", 51) == [30]


def test_our_own_stock_told_back_changes_nothing(store):
    store.stock("COLA330", 200)
    store.settle()
    written = len(batches(store))
    assert store.hear() >= 2
    store.settle()
    store.heard_of()
    assert len(batches(store)) == written
    assert "DriftFound" not in store.announced()


# -- prices ----------------------------------------------------------------------------------------


def test_the_standing_price_is_the_regular_one(store):
    store.price("COLA330", "0.65")
    store.price("COLA330-CASE", "14.40", "case")
    store.price("TONIC-6", "8.49")
    store.price("LEMON1L", "2.00")
    store.settle()
    assert store.shelf("regular_price", 51, 52, 53, 61) == ["0.65", "14.40", "2.00", "8.49"]
    assert len(batches(store)) == 2, "products, variations; what costs as much is left"
    store.heard_of()
    assert len(batches(store)) == 2
    assert "DriftFound" not in store.announced()


def test_a_sale_goes_by_its_list_and_ends_with_it():
    store = Store({"sale_list": "sale"})
    store.map("pricelist", "sale", "PROMO")
    store.price("COLA330", "0.65")
    sale = store.price("COLA330", "0.49", "sale", price_list="PROMO")
    store.settle()
    assert store.shelf("sale_price", 51) == ["0.49"]
    store.heard_of()
    assert "DriftFound" not in store.announced(), "the shop tells the regular price then"
    store.told(sale, None)
    store.settle()
    assert (store.shelf("sale_price", 51), store.shelf("price", 51)) == ([""], ["0.65"])
    store.price("COLA330", "0.70", "sale", price_list="PROMO")
    store.settle()
    assert store.shelf("sale_price", 51) == [""], "no sale is dearer"


def test_a_sale_of_the_shops_own_is_let_be(store):
    store.put("products/51", sale_price="0.50")
    store.price("COLA330", "0.65")
    store.settle()
    assert (store.shelf("regular_price", 51), store.shelf("sale_price", 51)) == (["0.65"], ["0.50"])


def test_lists_and_steps_are_passed_over(store):
    store.map("pricelist", "trade", "TRADE")
    store.price("COLA330", "0.65")
    store.price("COLA330", "0.60", "trade", price_list="TRADE")
    store.price("COLA330", "0.55", "many", min_quantity=100)
    store.settle()
    assert batches(store) == [[{"id": 51, "regular_price": "0.65"}]]


def test_what_has_variations_has_no_price_of_its_own(store):
    store = Store()
    price = store.price("TONIC", "1.00")
    store.settle()
    assert batches(store) == []
    assert store.link(price, "shop").get("status") != "parked"


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        ({"currency": "EUR"}, "in GBP without tax, the shop's in EUR without tax"),
        ({"prices_include_tax": True}, "in GBP without tax, the shop's in GBP with tax"),
    ],
)
def test_a_price_in_other_money_or_with_other_tax_is_refused(seed, text):
    store = Store(**seed)
    price = store.price("COLA330", "0.65")
    store.settle()
    link = store.link(price, "shop")
    assert (link["status"], text in link["message"]) == ("parked", True)
    assert batches(store) == []


def test_of_prices_in_several_currencies_the_shop_takes_its_own():
    store = Store({"sale_list": "sale"})
    store.map("pricelist", "sale", "PROMO")
    for part, amount, market in (
        ("a", "0.75", {"currency": "EUR"}),
        ("b", "0.65", {}),
        ("c", "0.78", {"tax_included": True}),
    ):
        store.price("COLA330", amount, part, **market)
        store.price("COLA330", f"{amount[:-1]}1", f"{part}-sale", price_list="PROMO", **market)
    store.settle()
    assert (store.shelf("regular_price", 51), store.shelf("sale_price", 51)) == (["0.65"], ["0.61"])


def test_a_price_the_shop_does_not_keep_is_said():
    store = Store({"sale_list": "sale"})
    store.map("pricelist", "sale", "PROMO")
    dear = store.price("COLA330", "0.90", price_list="PROMO")
    good = store.price("LEMON1L", "1.90")
    store.settle()
    assert "the shop keeps sale_price  instead of 0.90" in store.link(dear, "shop")["message"]
    assert store.link(good, "shop")["status"] == "synced"
    assert store.shelf("regular_price", 53) == ["1.90"]


def test_prices_whose_answer_is_lost_are_written_once(store):
    store.fault("commit_then_silence", body="regular_price")
    store.price("COLA330", "0.65")
    store.settle()
    assert len(batches(store)) == 1
    assert store.shelf("regular_price", 51) == ["0.65"]


# -- products --------------------------------------------------------------------------------------


def test_an_item_that_is_not_sold_any_more_is_a_draft_in_each_code(store):
    store.product("COLA330", is_active=False)
    store.settle()
    assert store.shelf("status", 51, 52, 53) == ["draft", "draft", "publish"]
    store.heard_of()
    assert "DriftFound" not in store.announced()
    store.product("COLA330")
    store.settle()
    assert store.shelf("status", 51, 52) == ["publish", "publish"]


def test_a_variation_is_switched_off_and_its_parent_stays(store):
    store.product("TONIC-6", is_active=False)
    store.settle()
    assert store.shelf("status", 60, 61, 62) == ["publish", "private", "publish"]


def test_a_parent_goes_with_the_last_of_its_variations():
    parent = {"sku": "TONIC", "name": "Tonic", "id": 60}
    below = {"price": "7.99", "parent_id": 60}
    codes = {61: "COLA330", 62: "COLA330-CASE"}
    rows = [{"sku": sku, "name": sku, "id": one} | below for one, sku in codes.items()]
    store = Store(products=[parent, *rows])
    store.product("COLA330", is_active=False)
    store.settle()
    assert store.shelf("status", 60, 61, 62) == ["draft", "private", "private"]
    store.product("COLA330")
    store.settle()
    assert store.shelf("status", 60, 61, 62) == ["publish"] * 3


@pytest.mark.parametrize("status", ["private", "pending"])
def test_what_people_keep_back_is_not_published(store, status):
    store.put("products/51", status=status)
    store.product("COLA330")
    store.settle()
    assert store.shelf("status", 51) == [status]


# -- many, and what a shop must have ---------------------------------------------------------------


def test_many_items_take_few_calls_and_no_more_than_the_shop_bears():
    items = [CatalogueItem(sku=f"S{number}", name="S") for number in range(60)]
    products = [
        {"sku": item.sku, "name": "S", "price": "1.00", "stock": 1, "id": 100 + number}
        for number, item in enumerate(items)
    ]
    store = Store(products=products, items=items)
    for item in items:
        store.stock(item.sku, 7)
    store.settle()
    assert set(store.shelf("stock_quantity", *range(100, 160))) == {7}
    assert len(batches(store)) <= 60 / 10
    assert store.sandbox.load.peak_parallel == 1


@pytest.mark.parametrize("kind", ["stock", "product"])
def test_items_that_are_each_a_variation_stay_within_the_calls_reserved(kind):
    items = [CatalogueItem(sku=f"S{number}", name="S") for number in range(30)]
    parents = [{"sku": "", "name": "P", "id": 200 + number} for number in range(30)]
    below = [
        {"sku": item.sku, "name": "S", "price": "1.00", "stock": 1, "id": 100 + number}
        | {"parent_id": 200 + number}
        for number, item in enumerate(items)
    ]
    store = Store(products=[*parents, *below], items=items)
    for item in items:
        if kind == "stock":
            store.stock(item.sku, 7)
        else:
            store.product(item.sku, is_active=False)
    store.settle()
    if kind == "stock":
        assert set(store.shelf("stock_quantity", *range(100, 130))) == {7}
    else:
        assert set(store.shelf("status", *range(100, 130))) == {"private"}
        assert set(store.shelf("status", *range(200, 230))) == {"draft"}


# -- what the shop must have ----------------------------------------------------------------------


def findings(store: Store) -> dict[str, tuple[bool, str]]:
    situation = Situation(store.connection, IdMaps(store.rows, "shop"))
    found = store.adapter.check(store.client, situation)
    return {one.what: (one.is_good, one.message) for one in found}


def test_a_shop_is_checked(store):
    found = findings(store)
    assert {what: is_good for what, (is_good, _) in found.items()} == {
        "rights": True,
        "prices": True,
        "map location": True,
        "map pricelist": True,
        "tracking note": True,
        "stock counted": False,
    }
    assert found["prices"][1] == "in GBP without tax; the ERP's must be the same"
    assert found["stock counted"][1].endswith(": LEMON1L")
    assert store.sandbox.accepted == {}


@pytest.mark.parametrize(
    ("settings", "seed", "what", "text"),
    [
        ({"tracking": "shipment_tracking"}, {}, "tracking shipment_tracking", "switch it on"),
        ({"tracking": "fulfillments"}, {}, "tracking fulfillments", "switch it on"),
        ({"tracking": "pigeon"}, {}, "tracking pigeon", "is one of"),
        ({"sale_list": "sale"}, {}, "sale_list", "map pricelist sale"),
    ],
)
def test_what_a_shop_lacks_is_said(settings, seed, what, text):
    is_good, message = findings(Store(settings, **seed))[what]
    assert (is_good, text in message) == (False, True)


@pytest.mark.parametrize("way", ["shipment_tracking", "fulfillments"])
def test_what_a_shop_has_is_seen(way):
    store = Store({"tracking": way}, plugins=["shipment_tracking"], fulfillments=True)
    assert findings(store)[f"tracking {way}"][0]


def test_a_key_that_only_reads_is_found_out():
    key = {"key": "ck_sandbox", "secret": "cs_sandbox", "permissions": "read"}
    assert findings(Store(keys=[key])) == {
        "rights": (False, "give the key the permission Read/Write, of a user who manages the shop")
    }


def test_maps_that_say_more_than_the_shop_has(store):
    for place in ("north", "south"):
        store.map("location", place, place.upper())
    store.map("pricelist", "trade", "TRADE")
    found = findings(store)
    assert found["map location"] == (False, "the shop has one: north, south")
    assert found["map pricelist"] == (False, "not shown, the shop has none: trade")


def test_items_are_those_with_a_code(store):
    found = [(one.code, one.name) for one in store.adapter.items(store.client, store.connection)]
    assert found == [
        ("COLA330", "Cola"),
        ("COLA330-CASE", "Cola, a case"),
        ("LEMON1L", "Lemon"),
        ("TONIC-6", "Tonic"),
        ("TONIC-12", "Tonic"),
    ]
