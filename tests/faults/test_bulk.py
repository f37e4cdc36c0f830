"""C, F30: of many items in one call some are refused, or the answer is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.entity import EntityRef
from sandbox.faults import Fault
from tests.kit.invariants import accounted
from tests.kit.shop_back import ShopBack
from tests.platforms.shopify.shopify_back import VARIANTS, Back
from tests.platforms.woocommerce.woo_back import Store

COUNT = 12
SKUS = [f"DRINK-{number:02}" for number in range(COUNT)]
BAD = SKUS[::2]
GOOD = SKUS[1::2]
ITEMS = [CatalogueItem(sku=sku, name=sku) for sku in SKUS]


@dataclass(frozen=True)
class Shelf:
    """A shop with a dozen items.

    Attributes:
        house: before it.
        written: which items a call that writes stock names.
        is_write: a text that only such a call holds.
        shown: how many the shop offers of an item.
        bad: a count the shop refuses, or takes no more by the time it is written.
        spoil: have the shop not take some items any more, in the call that comes.
        mend: have it take them again.
        calls: which items are named in the calls that bring the others there.
    """

    house: ShopBack
    written: Callable[[Any], list[str]]
    is_write: str
    shown: Callable[[str], int]
    bad: int
    spoil: Callable[[], None]
    mend: Callable[[], None]
    calls: tuple[list[str], ...]


def shopify() -> Shelf:
    variants = [
        VARIANTS[0]
        | {"sku": sku, "variant_id": 100 + n, "product_id": 500 + n, "inventory_item_id": 900 + n}
        for n, sku in enumerate(SKUS)
    ]
    house = Back(seed={"variants": variants}, items=ITEMS)
    by_item = {f"gid://shopify/InventoryItem/{900 + n}": sku for n, sku in enumerate(SKUS)}
    catalogue = house.sandbox.desk.catalogue

    def written(request: Any) -> list[str]:
        rows = json.loads(request.content)["variables"]["input0"]["quantities"]
        return [by_item[row["inventoryItemId"]] for row in rows]

    def shown(sku: str) -> int:
        return int(catalogue.find(sku).item.levels[0].available)

    # One count refused stops all of its call.
    return Shelf(
        house,
        written,
        "inventorySetQuantities",
        shown,
        bad=2_000_000_000,
        spoil=lambda: None,
        mend=lambda: None,
        calls=(SKUS, GOOD),
    )


def woocommerce() -> Shelf:
    products = [
        {"sku": sku, "name": sku, "price": "1.00", "stock": 1, "id": 100 + n}
        for n, sku in enumerate(SKUS)
    ]
    house = Store(items=ITEMS, products=products)

    def written(request: Any) -> list[str]:
        return [SKUS[row["id"] - 100] for row in json.loads(request.content)["update"]]

    def count(*, is_on: bool) -> None:
        for sku in BAD:
            house.put(f"products/{100 + SKUS.index(sku)}", manage_stock=is_on)

    def spoil() -> None:
        later = Fault("delay", on="/products/batch")
        house.transport.meanwhile.append((later, lambda: count(is_on=False)))

    def shown(sku: str) -> int:
        return int(house.shelf("stock_quantity", 100 + SKUS.index(sku))[0])

    return Shelf(
        house,
        written,
        "/batch",
        shown,
        bad=50,
        spoil=spoil,
        mend=lambda: count(is_on=True),
        calls=(SKUS,),
    )


SHELVES = {"shopify": shopify, "woocommerce": woocommerce}


@pytest.fixture(params=sorted(SHELVES))
def shelf(request):
    return SHELVES[request.param]()


def count_all(shelf: Shelf, quantity: int, skus: list[str]) -> dict[str, EntityRef]:
    return {sku: shelf.house.stock(sku, quantity) for sku in skus}


@pytest.mark.level("sandbox")
def test_f30_only_what_failed_of_a_bulk_call_is_done_again(shelf, figures):
    house = shelf.house
    shelf.spoil()
    levels = count_all(shelf, shelf.bad, BAD) | count_all(shelf, 50, GOOD)
    house.settle()
    assert {sku: shelf.shown(sku) for sku in GOOD} == dict.fromkeys(GOOD, 50)
    states = {sku: house.link(one, "shop")["status"] for sku, one in levels.items()}
    assert states == dict.fromkeys(BAD, "parked") | dict.fromkeys(GOOD, "synced")
    for sku in BAD:
        assert sku in house.link(levels[sku], "shop")["message"]
    assert sorted(map(str, house.parked)) == sorted(str(levels[sku]) for sku in BAD)
    done = [sorted(shelf.written(one)) for one in house.sent(shelf.is_write)]
    assert done == [*shelf.calls], "what went well was done again"
    shelf.mend()
    count_all(shelf, 60, BAD)
    house.settle()
    expected = dict.fromkeys(GOOD, 50) | dict.fromkeys(BAD, 60)
    assert {sku: shelf.shown(sku) for sku in SKUS} == expected
    (again,) = house.sent(shelf.is_write)[len(done) :]
    assert sorted(shelf.written(again)) == BAD
    assert accounted(house.rows, house.objects)["parked"] == 0
    figures(items=COUNT, refused=len(BAD))


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "truncate", "drop"])
def test_f30_a_bulk_call_whose_answer_is_lost_is_looked_at_before_it_is_done_again(
    shelf, kind, figures
):
    house = shelf.house
    in_line = shelf.is_write.startswith("/")
    how = {"on" if in_line else "body_contains": shelf.is_write}
    house.sandbox.faults.arm(Fault(kind, **how))
    count_all(shelf, 50, SKUS)
    house.settle()
    assert {sku: shelf.shown(sku) for sku in SKUS} == dict.fromkeys(SKUS, 50)
    calls = house.sent(shelf.is_write)
    assert len(calls) == (2 if kind == "drop" else 1)
    assert accounted(house.rows, house.objects)["parked"] == 0
    figures(items=COUNT, calls=len(calls))
