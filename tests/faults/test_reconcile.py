"""D, F47: what is missing, too much or stale is found, and only that is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.events import DetailType
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.pull import Span
from fizzbridge.runtime.rows import placed_pk
from fizzbridge.state.table import Write
from platforms.shopify import sandbox as shopify_sandbox
from platforms.woocommerce import sandbox as woo_sandbox
from tests.kit.calendar import MANIFESTS
from tests.kit.invariants import accounted
from tests.kit.shop import Shop
from tests.kit.shop_back import ShopBack
from tests.kit.source import CONNECTION, SECRET, TOKEN, Source
from tests.platforms.shopify.shopify_back import BASE, READS, VARIANTS, WRITES
from tests.platforms.woocommerce.woo_back import SIGNING, URL

SKUS = [f"DRINK-{number:02}" for number in range(12)]
ITEMS = [CatalogueItem(sku=sku, name=sku) for sku in SKUS]
MOVED = SKUS[2:9:3]
PRICE = Decimal("1.25")
MOST = 3
"""Corrections of one value in a day, as ``limits`` has it by default."""


@dataclass(frozen=True)
class Shelf:
    """A shop whose people change prices.

    Attributes:
        house: before it.
        ask: somebody there sets a price.
        asks: the price the shop asks.
        named: the items a request of ours names to change their prices; none where it is another.
    """

    house: ShopBack
    ask: Callable[[str, str], None]
    asks: Callable[[str], str]
    named: Callable[[Any], set[str]]

    def poll(self) -> None:
        """Read the shop's products to the end, and work off what comes of it."""
        house, cursor = self.house, None
        house.clock.advance(60)
        span = Span(house.clock() - timedelta(days=3))
        while True:
            page = house.pull.changes(house.client, "products", cursor, span, house.connection)
            house.take(list(page.told))
            cursor = page.cursor
            if page.is_last:
                break
        house.settle()

    @property
    def differing(self) -> list[str]:
        """The items of which the shop asks another price than the ERP."""
        return [sku for sku in SKUS if Decimal(self.asks(sku)) != PRICE]

    def written(self, since: int) -> list[set[str]]:
        """The items that calls of ours to change prices named."""
        named = (self.named(one) for one in self.house.sent()[since:])
        return [one for one in named if one]


def shopify(drift: str) -> Shelf:
    variants = [
        VARIANTS[0]
        | {"sku": sku, "variant_id": 100 + n, "product_id": 500 + n, "inventory_item_id": 900 + n}
        for n, sku in enumerate(SKUS)
    ]
    sandbox = shopify_sandbox.make(
        {
            "shop": "fizz-depot.myshopify.com",
            "access_tokens": {TOKEN: [*READS, *WRITES]},
            "client_secrets": [SECRET],
            "webhook_uri": "https://hooks.example/shopify",
            "variants": variants,
        }
    )
    shop = {"base_url": BASE, "drift": drift}
    house = ShopBack("shopify", sandbox, shop, {"access_token": TOKEN}, SECRET, items=ITEMS)
    by_id = {f"gid://shopify/ProductVariant/{100 + n}": sku for n, sku in enumerate(SKUS)}

    def named(request: Any) -> set[str]:
        text = request.content.decode()
        if "productVariantsBulkUpdate" not in text:
            return set()
        return {sku for gid, sku in by_id.items() if f'"{gid}"' in text}

    def ask(sku: str, price: str) -> None:
        sandbox.desk.catalogue.update(500 + SKUS.index(sku), {"price": {sku: price}})

    def asks(sku: str) -> str:
        (gid,) = (one for one, other in by_id.items() if other == sku)
        client: Any = house.shop
        found = client.ask(f'{{ productVariant(id: "{gid}") {{ price }} }}')
        return str(found["productVariant"]["price"])

    return settled(Shelf(house, ask, asks, named))


def woocommerce(drift: str) -> Shelf:
    products = [
        {"sku": sku, "name": sku, "price": "1.00", "stock": 1, "id": 100 + n}
        for n, sku in enumerate(SKUS)
    ]
    seed = {"products": products, "webhook_uri": "https://hooks.example/shop"}
    api = {"consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox"}
    shop = {"base_url": URL, "drift": drift}
    house = ShopBack("woocommerce", woo_sandbox.make(seed), shop, api, SIGNING, items=ITEMS)

    def path(sku: str) -> str:
        return f"/wp-json/wc/v3/products/{100 + SKUS.index(sku)}"

    def named(request: Any) -> set[str]:
        if not request.url.path.endswith("/batch"):
            return set()
        found = json.loads(request.content)["update"]
        return {SKUS[one["id"] - 100] for one in found if "regular_price" in one}

    def ask(sku: str, price: str) -> None:
        house.client.request("PUT", path(sku), json={"regular_price": price}, writes=True)

    def asks(sku: str) -> str:
        return str(house.client.get(path(sku)).data["regular_price"])

    return settled(Shelf(house, ask, asks, named))


def settled(shelf: Shelf) -> Shelf:
    """The ERP has told its prices, and the shop what it sells."""
    for sku in SKUS:
        shelf.house.price(sku, "1.25")
    shelf.house.settle()
    shelf.poll()
    assert shelf.differing == []
    return shelf


SHELVES = {"shopify": shopify, "woocommerce": woocommerce}


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", sorted(SHELVES))
def test_f47_what_differs_is_reported_first_and_touched_by_nobody(platform, figures):
    shelf = SHELVES[platform]("report")
    house = shelf.house
    for sku in MOVED:
        shelf.ask(sku, "9.99")
    before = len(house.sent())
    for _ in range(3):
        shelf.poll()
    assert house.announced().count(DetailType.DRIFT_FOUND) == len(MOVED)
    assert shelf.differing == MOVED
    assert shelf.written(before) == []
    # A person puts it right there: nothing differs any more, and nothing more is said.
    for sku in MOVED:
        shelf.ask(sku, "1.25")
    shelf.poll()
    assert shelf.differing == []
    assert house.announced().count(DetailType.DRIFT_FOUND) == len(MOVED)
    accounted(house.rows, house.objects)
    figures(items=len(SKUS), reported=len(MOVED), written=0)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", sorted(SHELVES))
def test_f47_what_differs_is_put_right_and_nothing_else_is_written(platform, figures):
    shelf = SHELVES[platform]("correct")
    house = shelf.house
    for sku in MOVED:
        shelf.ask(sku, "9.99")
    before = len(house.sent())
    shelf.poll()
    assert shelf.differing == []
    written = shelf.written(before)
    assert set().union(*written) == set(MOVED)
    assert sum(map(len, written)) == len(MOVED), "each of them once"
    before = len(house.sent())
    shelf.poll()
    assert shelf.written(before) == [], "there was nothing left to do"
    # Somebody's program sets one of them again and again: so often a day, and then it is let be.
    corrected = 1
    for _ in range(6):
        before = len(house.sent())
        shelf.ask(MOVED[0], "9.99")
        shelf.poll()
        shelf.poll()
        corrected += sum(map(len, shelf.written(before)))
    assert corrected == MOST
    assert shelf.differing == [MOVED[0]]
    accounted(house.rows, house.objects)
    figures(items=len(SKUS), put_right=len(MOVED), of_one_in_a_day=corrected)


# -- orders ----------------------------------------------------------------------------------------


RECHECKED = [slug for slug, manifest in sorted(MANIFESTS.items()) if manifest.rechecked]


def key(order: str) -> str:
    return f"Order#{CONNECTION}/{order}"


def deleted(source: Source) -> list[str]:
    found = source.parts("Order#").items()
    return sorted(name.partition("/PART#")[0] for name, row in found if row["deleted"])


def looked_for(shop: Shop, source: Source, times: int) -> None:
    """The nightly look, so many times, two hours apart."""
    for _ in range(times):
        shop.later(7200)
        shop.catch_up(source)
        source.work({"type": "recheck"})
        shop.drain(source)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize(("erased", "is_believed"), [(2, True), (7, False)])
@pytest.mark.parametrize("platform", RECHECKED)
def test_f47_orders_that_are_too_many_are_taken_away_but_never_all_at_once(
    platform, erased, is_believed, figures
):
    """Some are gone at the shop; where it is too many, its list is not believed."""
    shop = Shop(platform)
    source = shop.source()
    orders = [shop.place() for _ in range(10)]
    shop.poll(source)
    load = Loader(source.table, source.objects)
    for order in orders:
        request = load.view(EntityRef.parse(key(order))).request
        row = Write(placed_pk(CONNECTION, request.placed_at), key(order), set={"kind": "Order"})
        source.table.transact([row])
    before = source.content("Order#")
    for order in orders[:erased]:
        shop.act(order, "delete")
    looked_for(shop, source, 1)
    assert deleted(source) == [], "one look is not believed"
    looked_for(shop, source, 2)
    gone = sorted(map(key, orders[:erased])) if is_believed else []
    assert deleted(source) == gone
    for name, content in source.content("Order#").items():
        if name.partition("/PART#")[0] not in gone:
            assert content == before[name], "another order was touched"
    figures(orders=10, erased=erased, taken_away=len(gone))


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", RECHECKED)
def test_f47_orders_that_are_missing_are_read_by_a_backfill_and_the_others_stay(platform, figures):
    shop = Shop(platform)
    source = shop.source()
    known = [shop.place() for _ in range(4)]
    shop.poll(source)
    before = source.content("Order#")
    shop.later(3600)
    missing = [shop.place() for _ in range(3)]
    began = source.table.get(f"CONNECTION#{CONNECTION}", "CURSOR#orders")
    shop.later(40 * 24 * 3600)
    shop.catch_up(source)
    # Whatever made the polls miss them: a backfill reads the time again, with a place of its own.
    since = (source.clock() - timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    body = {"type": "poll", "stream": "orders", "backfill": "b1", "since": since}
    source.work(body)
    shop.drain(source)
    after = source.content("Order#")
    assert {name.partition("/PART#")[0] for name in after} == set(map(key, known + missing))
    assert {name: after[name] for name in before} == before
    assert source.table.get(f"CONNECTION#{CONNECTION}", "CURSOR#orders") == began
    figures(known=len(known), missing=len(missing), found=len(after) - len(before))
