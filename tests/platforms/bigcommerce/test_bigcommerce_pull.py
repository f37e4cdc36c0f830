"""Reading a store's catalogue: what is sold, at which price, and how much of it is offered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fizzbridge.errors import NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from fizzbridge.settings import Connection
from platforms.bigcommerce.pull import BigCommercePull
from tests.kit.stand import START
from tests.kit.transport import SandboxTransport
from tests.platforms.bigcommerce.bigcommerce_shop import COLA, HOST, LEMON, Shop

URL = f"{HOST}/stores/fizz01"
CONNECTION = Connection(name="shop", platform="bigcommerce", base_url=URL, start_at=START)
LISTS = {"price_lists": [{"id": 4, "name": "Trade A"}]}


class Small(BigCommercePull):
    """Reads two products and one level at a time."""

    products_page = 2
    stock_page = 1


class Reader:
    """The adapter beside a store, and what it asked."""

    def __init__(self, shop: Shop, pull: type[BigCommercePull] = BigCommercePull) -> None:
        self.pull = pull()
        self.transport = SandboxTransport(shop.sandbox.app)
        self.client = VendorClient(
            platform="bigcommerce",
            base_url=URL,
            auth=self.pull.auth({"access_token": "bc_sandbox_token"}, CONNECTION),
            errors=self.pull.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )

    def fetch(self, what: str, name: object) -> list:
        return list(self.pull.fetch(self.client, Hint(what, str(name)), CONNECTION))

    def poll(self, since=START) -> list:
        cursor, told = None, []
        for _ in range(20):
            page = self.pull.changes(self.client, "products", cursor, Span(since), CONNECTION)
            told += page.told
            if page.is_last:
                return told
            cursor = page.cursor
        raise AssertionError("the pages never end")


def sold(told) -> list[str]:
    return [one.body.sku for one in told if one.ref.kind == "Product"]


def test_a_product_is_read_with_its_stock_and_the_store_only_once():
    reader = Reader(Shop())
    for calls in (3, 2):
        reader.transport.requests.clear()
        product, price, level = reader.fetch("product", 111)
        assert (product.body.sku, price.body.price.currency) == (COLA, "GBP")
        assert (level.ref.key, level.body.on_hand) == ("shop/77:1", 480)
        assert len(reader.transport.requests) == calls
    with pytest.raises(NotThereError):
        reader.fetch("product", 4711)


def test_the_first_round_reads_all_and_the_next_what_changed():
    shop = Shop()
    reader = Reader(shop, Small)
    assert sold(reader.poll()) == [COLA, LEMON, "MENU-PDF", "ELDER-C6", "ELDER-C12"]
    shop.tick(3600)
    shop.http.put("v3/catalog/variants", json=[{"id": 77, "price": 13.2}]).raise_for_status()
    told = reader.poll(START + timedelta(minutes=30))
    assert sold(told) == [COLA]
    assert told[0].changed == START + timedelta(hours=1)


def test_stock_that_fills_several_pages_is_read_whole():
    levels = [one for one in Reader(Shop(), Small).poll() if one.ref.kind == "StockLevel"]
    assert [one.body.on_hand for one in levels] == [480, 40, 3]


def test_a_price_on_a_list_is_read_by_list_and_variant():
    shop = Shop(**LISTS)
    row = {"sku": COLA, "currency": "gbp", "price": 12.1}
    shop.http.put("v3/pricelists/4/records", json=[row]).raise_for_status()
    (price,) = Reader(shop).fetch("price", "4:77")
    assert (price.body.sku, price.body.price_list) == (COLA, "Trade A")
    assert Reader(shop).fetch("price", "4:78") == []
    assert Reader(shop).fetch("price", "9:77") == []
