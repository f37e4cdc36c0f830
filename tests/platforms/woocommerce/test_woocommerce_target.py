"""What a store shows of stock, prices and products: always the latest, in few calls."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.faults import Fault
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
