"""Products, prices and stock, as the API shows them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.shopify import goods, wire
from platforms.shopify.pull import ShopifyPull
from tests.kit.source import CONNECTION
from tests.platforms.shopify.shopify_shop import hint, shop, source

NOON, LATER = "2026-11-20T12:00:00Z", "2026-11-20T12:05:00Z"
SHOP = wire.Shop(currency="GBP", taxes_included=True)


def level(location=5, available=48, **changes):
    told = {
        "location": {"id": f"gid://shopify/Location/{location}"},
        "is_active": True,
        "updated_at": NOON,
        "available": [{"quantity": available}],
    }
    return told | changes


def listed(*nodes, more=False, cursor=None):
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": more, "endCursor": cursor}}


def item(*levels, more=False, **changes):
    told = {"id": "gid://shopify/InventoryItem/3", "tracked": True, "updated_at": NOON}
    return told | {"levels": listed(*levels, more=more)} | changes


def variant(number=2, *levels, **changes):
    told = {
        "id": f"gid://shopify/ProductVariant/{number}",
        "sku": "COLA330-C24",
        "title": "Default Title",
        "barcode": None,
        "price": "13.20",
        "item": item(*levels),
    }
    return told | changes


def product(*variants, **changes):
    told = {
        "id": "gid://shopify/Product/1",
        "title": "Cola",
        "status": "ACTIVE",
        "updated_at": LATER,
        "variants": listed(*variants),
    }
    return told | changes


def told(*variants, **changes):
    read = wire.Product.model_validate(product(*variants, **changes))
    return list(goods.product(read, SHOP, "shop"))


def test_a_variant_is_sold_at_a_price_from_each_place():
    sold, priced, stocked = told(variant(2, level(), barcode="5012345678900"))
    assert [one.ref.key for one in (sold, priced, stocked)] == ["shop/2", "shop/2", "shop/2:5"]
    assert sold.body == Product(sku="COLA330-C24", name="Cola", gtin="5012345678900")
    assert sold.refetch == priced.refetch
    assert sold.refetch.what == "product"
    price = priced.body
    assert isinstance(price, Price)
    assert (price.price.amount, price.price.currency) == (Decimal("13.20"), "GBP")
    assert (price.tax_included, price.price_list, price.product) == (True, "", sold.ref)
    stock = stocked.body
    assert isinstance(stock, StockLevel)
    assert (stock.on_hand, stock.location, stock.sku) == (48, "5", "COLA330-C24")
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert stocked.changed == stock.as_of == noon
    assert sold.changed == noon + timedelta(minutes=5)


def test_variants_go_by_their_titles_too():
    assert told(variant(title="Case of 24"))[0].body.name == "Cola Case of 24"


@pytest.mark.parametrize(
    ("status", "sold"),
    [("ACTIVE", True), ("UNLISTED", True), ("DRAFT", False), ("ARCHIVED", False)],
)
def test_what_is_sold_now(status, sold):
    assert told(variant(), status=status)[0].body.is_active is sold


@pytest.mark.parametrize("sku", [None, ""])
def test_a_variant_without_sku_is_told_by_nobody(sku):
    assert told(variant(2, level(), sku=sku)) == []


def test_what_is_not_counted_has_no_stock():
    only = told(variant(2, item=item(level(), tracked=False)))
    assert [one.ref.kind for one in only] == ["Product", "Price"]


def stock(*levels, **changes):
    named = {"sku": "COLA330-C24", "variants": {"nodes": [{"id": "gid://shopify/Variant/2"}]}}
    read = wire.StockItem.model_validate(item(*levels) | named | changes)
    return list(goods.stock(read, "shop"))


def test_stock_is_the_same_whichever_way_it_was_read():
    *_, with_product = told(variant(2, level()))
    (by_itself,) = stock(level())
    assert by_itself == with_product
    assert by_itself.refetch.external_id == "3"


def test_what_is_owed_is_less_than_nothing():
    assert stock(level(available=-4))[0].body.on_hand == -4


@pytest.mark.parametrize(
    ("of_level", "of_item"), [({"is_active": False}, {}), ({}, {"tracked": False})]
)
def test_a_place_that_offers_it_no_longer_is_gone(of_level, of_item):
    (seen,) = stock(level(**of_level), updated_at=LATER, **of_item)
    assert (seen.ref.key, seen.body) == ("shop/2:5", None)
    assert seen.changed.minute == 5


def test_stock_without_sku_says_nothing():
    assert stock(level(), sku=None) == []


def answering(*answers):
    """A shop that gives these answers in turn; the questions are kept."""
    asked = source(shop())
    questions = []
    left = list(answers)

    def answer(request):
        questions.append(json.loads(request.content)["variables"])
        return httpx.Response(200, json={"data": left.pop(0)}, request=request)

    asked.transport.handle_request = answer
    return asked, questions


def test_the_rest_of_many_variants_and_places_is_asked_for():
    of_shop = {"shop": {"currency": "GBP", "taxes_included": False}}
    crowded = variant(2, item=item(level(5), more=True))
    first, last = product(), product(variant(4, sku="TONIC"))
    first["variants"] = listed(crowded, more=True, cursor="c")
    asked, questions = answering({"product": first} | of_shop, {"product": last} | of_shop)
    assert asked.work(hint("product", 1)) is None
    assert [one["after"] for one in questions] == [None, "c"]
    assert len(asked.parts("Product#")) == 2
    assert [(one["what"], one["id"]) for one in asked.messages()] == [("stock", "3")]


def test_stock_in_many_places_is_read_page_by_page():
    named = {"sku": "COLA330-C24", "variants": {"nodes": [{"id": "gid://shopify/Variant/2"}]}}
    first, last = item() | named, item(level(6)) | named
    first["levels"] = listed(level(5), more=True, cursor="c")
    asked, questions = answering({"inventoryItem": first}, {"inventoryItem": last})
    assert asked.work(hint("stock", 3)) is None
    assert len(asked.parts("StockLevel#")) == 2
    assert [one["after"] for one in questions] == [None, "c"]


@pytest.mark.parametrize(("what", "name"), [("product", "product"), ("stock", "inventoryItem")])
def test_what_is_not_there_says_nothing(what, name):
    asked, _ = answering({name: None, "shop": {}})
    assert asked.work(hint(what, 4711)) is None
    assert asked.parts() == {}


def test_the_poll_reads_what_is_sold_with_its_price_and_its_stock():
    sold = {"sku": "COLA-24", "title": "Cola", "price": "13.20"}
    counted = sold | {"variant_id": 1, "product_id": 1, "stock": 48}
    uncounted = sold | {"sku": "TONIC-12", "variant_id": 2, "product_id": 2}
    asked = source(shop(variants=[counted, uncounted]))
    asked.work({"type": "poll", "stream": "products"})
    asked.drain()
    kinds = ("Product#", "Price#", "StockLevel#")
    assert [len(asked.parts(kind)) for kind in kinds] == [2, 2, 1]


def test_the_first_round_reads_every_product_however_old():
    asked, questions = answering(*[{"products": listed({"id": "gid://shopify/Product/1"})}] * 2)
    connection = asked.config.connection(CONNECTION)
    for since in (connection.start_at, connection.start_at + timedelta(hours=1)):
        page = ShopifyPull().changes(asked.client(), "products", None, Span(since), connection)
        assert [(one.what, one.external_id) for one in page.told if isinstance(one, Hint)] == [
            ("product", "1")
        ]
    assert [one["changed"] for one in questions] == ["", "updated_at:>='2026-11-01T01:00:00Z'"]


def test_nobody_compares_so_nothing_is_read():
    asked = source(shop(), roles=["order.request"])
    asked.work({"type": "poll", "stream": "products"})
    assert asked.messages() == []
    assert asked.transport.requests == []
