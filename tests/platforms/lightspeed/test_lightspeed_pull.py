"""Reading what a Lightspeed shop sells, in the pinned version and in one before 2026-04."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from fizzbridge.settings import Connection
from platforms.lightspeed.pull import LightspeedPull

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
SHOP = Connection(
    name="shop", platform="lightspeed", base_url="https://shop.example", start_at=START
)
API = "/api/2026-07"


class Shop:
    """Products of one outlet, their levels as a feed, and what was asked."""

    def __init__(self, products=2, *, is_old=False):
        self.is_old = is_old
        self.asked = []
        self.products = [
            {
                "id": f"p{n}",
                "sku": f"SKU-{n}",
                "price_excluding_tax": 1.5,
                "updated_at": "2020-01-01T00:00:00+00:00",
                "version": n,
            }
            for n in range(1, products + 1)
        ]
        self.levels = [
            {"product_id": one["id"], "outlet_id": "o1", "version": 100 + one["version"]}
            for one in self.products
        ]

    def __call__(self, request):
        path = request.url.path.removeprefix(API)
        self.asked.append(f"{request.method} {path}")
        data = self._rows(request, path)
        return httpx.Response(405 if data is None else 200, json=data)

    def _rows(self, request, path):
        after = int(request.url.params.get("after", 0))
        if path == "/retailer":
            return {"data": {"currency": {"code": "GBP"}}}
        if path == "/products":
            rows = [one for one in self.products if one["version"] > after][:1]
            return {"data": rows, "version": {"max": rows[-1]["version"] if rows else None}}
        if path == "/inventory" and request.method == "POST":
            asked = json.loads(request.content)
            assert (asked["sort_direction"], asked["include_deleted"]) == ("asc", True)
            return None if self.is_old else self._levels(asked, "current_inventory_level")
        rest, _, last = path.rpartition("/")
        if last == "inventory":
            asked = {"after": after, "size": int(request.url.params["page_size"])}
            named = {"product_id": rest.rpartition("/")[2]} if rest else {}
            return {"data": self._levels(asked | named, "inventory_level")}
        return {"data": next(one for one in self.products if one["id"] == last)}

    def _levels(self, asked, name):
        rows = [
            one | {name: 5}
            for one in self.levels
            if one["version"] > asked.get("after", 0)
            and asked.get("product_id", one["product_id"]) == one["product_id"]
        ]
        return rows[: asked.get("size", 1000)]


@pytest.fixture(params=[False, True], ids=["pinned", "old"])
def shop(request):
    return Shop(is_old=request.param)


def vendor(shop):
    return VendorClient(
        platform="lightspeed",
        base_url=SHOP.base_url,
        auth=httpx.Auth(),
        errors=LightspeedPull.errors,
        timeout=timedelta(seconds=5),
        transport=httpx.MockTransport(shop),
    )


def stream(shop, name, pull=None):
    """Every page of a stream until the last."""
    pull, cursor, told = pull or LightspeedPull(), None, []
    for _ in range(20):
        page = pull.changes(vendor(shop), name, cursor, Span(START), SHOP)
        assert page.carries_on
        told += page.told
        cursor = page.cursor
        if page.is_last:
            return told, cursor
    raise AssertionError("no end")


def test_every_product_is_told_however_old_its_price():
    told, cursor = stream(Shop(3), "products")
    assert [str(one.ref) for one in told] == [
        f"{kind}#shop/p{n}" for n in (1, 2, 3) for kind in ("Product", "Price")
    ]
    assert cursor == "3"


def test_stock_is_read_by_versions_and_each_product_once(shop):
    pull = LightspeedPull()
    told, cursor = stream(shop, "stock", pull)
    found = [(str(one.ref), one.body.sku, one.body.on_hand, one.changed) for one in told]
    assert found == [
        ("StockLevel#shop/p1:o1", "SKU-1", 5, 101),
        ("StockLevel#shop/p2:o1", "SKU-2", 5, 102),
    ]
    assert cursor == "102"
    stream(shop, "stock", pull)
    assert shop.asked.count("GET /products/p1") == 1


def test_products_that_were_listed_are_not_asked_for_again():
    shop, pull = Shop(), LightspeedPull()
    stream(shop, "products", pull)
    stream(shop, "stock", pull)
    assert "GET /products/p1" not in shop.asked


def test_many_levels_come_in_pages():
    told, cursor = stream(Shop(120), "stock")
    assert (len(told), cursor) == (120, "220")


def test_a_hint_reads_what_all_outlets_have_of_one_product(shop):
    shop.levels.append({"product_id": "p1", "outlet_id": "o2", "version": 200})
    told = list(LightspeedPull().fetch(vendor(shop), Hint("stock", "p1"), SHOP))
    assert [one.body.location for one in told] == ["o1", "o2"]


def test_a_level_that_is_gone_asks_for_no_product():
    shop = Shop(1)
    shop.levels[0]["deleted_at"] = "2026-11-20T10:00:00+00:00"
    (one,) = LightspeedPull().fetch(vendor(shop), Hint("stock", "p1"), SHOP)
    assert (one.body, one.changed) == (None, 101)
    assert shop.asked == ["POST /inventory"]
