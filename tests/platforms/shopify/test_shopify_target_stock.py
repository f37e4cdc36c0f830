"""What a Shopify shop is told of stock."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from fizzbridge.model.catalogue import CatalogueItem
from sandbox.faults import Fault
from tests.platforms.shopify.shopify_back import DEPOT, QUAY, VARIANTS, Back

SET, ACTIVATE = "inventorySetQuantities", "inventoryActivate"


@pytest.fixture
def house():
    return Back()


def stocked(house, **levels):
    found = [house.stock(sku.replace("_", "-"), quantity) for sku, quantity in levels.items()]
    house.settle()
    return found


def test_counts_go_in_one_call_and_only_where_they_differ(house):
    stocked(house, COLA_24=100, TONIC_12=7)
    assert (house.available(11), house.available(12)) == (100, 7)
    (call,) = house.sent(SET)
    (row,) = json.loads(call.content)["variables"]["input0"]["quantities"]
    assert (row["quantity"], row["changeFromQuantity"]) == (100, 40)
    assert house.accepted["inventory_set"] == 1
    assert len(house.sent()) == 3, "location, variants, write"


def test_what_is_as_it_was_is_read_and_not_written(house):
    stocked(house, COLA_24=40)
    assert house.accepted["inventory_set"] == 0


def test_an_item_is_stocked_where_it_was_not():
    house = Back()
    house.map("location", str(QUAY), "WH")
    stocked(house, COLA_24=12, TONIC_12=5)
    assert (house.available(11, QUAY), house.available(11, DEPOT)) == (12, 40)
    assert house.available(12, QUAY) == 5
    assert len(house.sent(ACTIVATE)) == 1
    assert house.accepted["inventory_activate"] == 2
    stocked(house, COLA_24=13)
    assert house.available(11, QUAY) == 13
    assert (house.accepted["inventory_activate"], house.accepted["inventory_set"]) == (2, 1)


def test_each_place_has_its_own_count():
    house = Back()
    house.map("location", str(DEPOT), "WH")
    house.map("location", str(QUAY), "FAR")
    house.stock("COLA-24", 9)
    house.stock("COLA-24", 3, "FAR")
    house.settle()
    assert (house.available(11, DEPOT), house.available(11, QUAY)) == (9, 3)


def test_all_variants_of_one_code_show_the_same():
    twin = VARIANTS[0] | {"variant_id": 21, "product_id": 22, "inventory_item_id": 23, "stock": 1}
    house = Back(seed={"variants": [*VARIANTS, twin]})
    stocked(house, COLA_24=50)
    assert (house.available(11), house.available(23)) == (50, 50)


def test_codes_with_quotes_are_found_and_unknown_ones_passed_over():
    house = Back(items=[CatalogueItem(sku=sku, name=sku) for sku in ("O'HARA", "NOWHERE")])
    stout, nowhere = house.stock("O'HARA", 6), house.stock("NOWHERE", 6)
    house.settle()
    assert house.available(13) == 6
    assert [house.link(one, "shop")["status"] for one in (stout, nowhere)] == ["synced"] * 2


def test_what_is_not_tracked_is_passed_over():
    untracked = VARIANTS[1] | {"tracked": False}
    house = Back(seed={"variants": [VARIANTS[0], untracked]})
    stocked(house, COLA_24=1, TONIC_12=99)
    assert house.available(11) == 1
    assert b"InventoryItem/12" not in house.sent(SET)[0].content


def test_a_code_the_shop_refuses_fails_alone(house):
    cola, tonic = stocked(house, COLA_24=2_000_000_000, TONIC_12=3)
    assert house.available(12) == 3
    assert house.link(cola, "shop")["status"] == "parked"
    assert house.link(cola, "shop")["message"].startswith(f"COLA-24 at location {DEPOT}: ")
    assert house.link(tonic, "shop")["status"] == "synced"


def test_a_location_there_is_not_is_named():
    house = Back()
    house.map("location", "5", "WH")
    (cola,) = stocked(house, COLA_24=3)
    assert house.link(cola, "shop")["status"] == "parked"
    assert "COLA-24 at location 5" in house.link(cola, "shop")["message"]


def moving(house, *counts):
    """Somebody counts in the shop whenever we are about to."""
    if not counts:
        return

    def moved():
        house.sandbox.desk.catalogue.set_stock("COLA-24", counts[0])
        moving(house, *counts[1:])

    house.transport.meanwhile.append((Fault("delay", body_contains=SET), moved))


def test_a_map_that_names_no_location_fails_alone():
    house = Back()
    house.map("location", "Quay store", "FAR")
    house.map("location", str(DEPOT), "WH")
    house.stock("TONIC-12", 3)
    cola = house.stock("COLA-24", 3, "FAR")
    house.settle()
    assert "Quay store is no location's id" in house.link(cola, "shop")["message"]
    assert house.available(12) == 3


def test_what_moved_between_reading_and_writing_is_read_again(house):
    moving(house, 33)
    stocked(house, COLA_24=100, TONIC_12=5)
    assert (house.available(11), house.available(12)) == (100, 5)
    assert house.accepted["inventory_set"] == 1
    assert len(house.sent(SET)) == 2


def test_what_keeps_moving_comes_back_later(house):
    moving(house, 30, 31, 32)
    cola = house.stock("COLA-24", 100)
    house.clock.advance(10)
    house.until(lambda: len(house.sent(SET)) == 3)
    assert house.link(cola, "shop")["reason"] == "conflict"
    assert house.available(11) == 32
    house.settle()
    assert house.available(11) == 100


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "truncate"])
@pytest.mark.parametrize("call", [SET, ACTIVATE])
def test_an_answer_that_got_lost_is_waited_out_and_counted_once(kind, call):
    house = Back()
    if call == ACTIVATE:
        house.map("location", str(QUAY), "WH")
    house.fault(kind, call)
    sent_at = house.clock()
    stocked(house, COLA_24=100)
    assert house.available(11, QUAY if call == ACTIVATE else DEPOT) == 100
    assert house.accepted["inventory_set"] + house.accepted["inventory_activate"] == 1
    assert house.clock() - sent_at >= timedelta(seconds=60)


def test_an_old_call_that_comes_late_overwrites_nothing(house):
    """It compares with what was there when it was made."""
    house.fault("drop", SET)
    stocked(house, COLA_24=100)
    late = house.sent(SET)[0]
    assert house.available(11) == 100
    house.stock("COLA-24", 20)
    house.settle()
    answer = house.transport.handle_request(late).json()
    assert answer["data"]["w0"]["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert house.available(11) == 20


def test_a_throttled_call_is_waited_for(house):
    house.sandbox.available = 0.0
    stocked(house, COLA_24=100)
    assert house.available(11) == 100
    assert house.accepted["inventory_set"] == 1


def test_many_items_go_in_few_calls():
    skus = [f"S{n}" for n in range(120)]
    variants = [
        VARIANTS[0]
        | {"sku": sku, "variant_id": 100 + n, "product_id": 500 + n, "inventory_item_id": 900 + n}
        for n, sku in enumerate(skus)
    ]
    house = Back(
        seed={"variants": variants}, items=[CatalogueItem(sku=sku, name=sku) for sku in skus]
    )
    for sku in skus:
        house.stock(sku, 5)
    house.settle()
    found = house.sandbox.desk.catalogue
    assert {found.find(sku).item.levels[0].available for sku in skus} == {5}
    assert len(house.sent(SET)) <= 4
    assert len(house.sent()) <= 16


def test_our_own_count_coming_back_by_webhook_stops_there(house):
    stocked(house, COLA_24=100)
    assert house.hear() > 0
    house.settle()
    assert house.accepted["inventory_set"] == 1
    assert house.hear() == 0
    assert [event for kind, event in house.events if kind == "DriftFound"] == []
