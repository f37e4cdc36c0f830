"""What Business Central says of items, their prices and their stock."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fizzbridge.errors import ConfigurationError
from fizzbridge.model.entity import Kind, Role, ref
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint
from tests.kit.orders import Maps, line
from tests.platforms.business_central.business_central_orders import AT, PACKS, Desk, item, view

CASES = line("COLA", 2, "45.84", unit="CASE", factor=24)
CANS = line("LEMON", 7, "7.00", unit="EACH")
DEPOT = {"location": "MAIN"}


@pytest.fixture
def desk():
    return Desk(roles=(Role.STOCK,), maps=Maps(), **DEPOT)


def of(told, kind):
    return {seen.ref.external_id: seen for seen in told if seen.ref.kind is kind}


def one(told, kind):
    (seen,) = of(told, kind).values()
    return seen


def item_id(desk, number):
    return next(row["id"] for row in desk.sandbox.store.records("items") if row["number"] == number)


def level(desk, number):
    """The stock of an item, read by a hint."""
    told = desk.fetch(Hint("stock", item_id(desk, number)))
    return one(told, Kind.STOCK_LEVEL).body if told else None


# -- products and prices ---------------------------------------------------------------------------


def test_an_item_is_a_product_with_a_price_and_a_level(desk):
    id_ = item_id(desk, "LEMON")
    told = desk.fetch(Hint("item", id_))
    product, price, stock = told
    assert product.ref == ref(Kind.PRODUCT, "erp", id_)
    assert (product.body.sku, product.body.name) == ("LEMON", "LEMON")
    assert (product.body.gtin, product.body.is_active) == ("05012345678900", True)
    assert product.changed == price.changed
    assert product.refetch == price.refetch == Hint("item", id_)
    assert price.ref == ref(Kind.PRICE, "erp", id_)
    assert price.body.product == product.ref
    assert (price.body.price.amount, price.body.price.currency) == (Decimal("1.00"), "GBP")
    assert (price.body.unit, price.body.min_quantity) == (Unit.EACH, 1)
    assert (price.body.sku, price.body.price_list, price.body.tax_included) == ("LEMON", "", False)
    assert stock.ref == ref(Kind.STOCK_LEVEL, "erp", f"{id_}@MAIN")
    assert stock.body.product == product.ref


def test_a_blocked_item_is_a_product_nobody_sells(desk):
    told = desk.fetch(Hint("item", item_id(desk, "OLD")))
    assert one(told, Kind.PRODUCT).body.is_active is False
    desk.do("block", "LEMON", "items")
    told = desk.fetch(Hint("item", item_id(desk, "LEMON")))
    assert one(told, Kind.PRODUCT).body.is_active is False


def test_services_are_no_products(desk):
    assert desk.fetch(Hint("item", item_id(desk, "SHIP"))) == []


def test_no_price_is_none_and_no_gift(desk):
    id_ = item_id(desk, "LEMON")
    desk.do("price", "LEMON", "items", price=0)
    price = one(desk.fetch(Hint("item", id_)), Kind.PRICE)
    assert (price.ref, price.body) == (ref(Kind.PRICE, "erp", id_), None)


def test_prices_are_in_the_currency_of_the_books_and_to_its_minor_unit():
    seed = {
        "company": {"currencyCode": "KWD"},
        "items": [item("COLA", unitPrice="0.39583", priceIncludesTax=True)],
    }
    desk = Desk(seed=seed)
    price = one(desk.told("items"), Kind.PRICE).body
    assert (price.price.amount, price.price.currency) == (Decimal("0.396"), "KWD")
    assert price.tax_included is True


def test_items_are_told_by_their_change(desk):
    desk.later()
    desk.do("price", "TEA", "items", price="1.20")
    page = desk.page("items")
    told = list(page.told)
    assert len(of(told, Kind.PRODUCT)) == 5  # all but the two services
    assert told[4 * 2 - 1].changed < AT
    changed = page.cursor
    again = list(desk.page("items", changed).told)
    assert one(again, Kind.PRICE).body.price.amount == Decimal("1.20")
    assert one(again, Kind.PRICE).changed == desk.time


def test_an_item_that_is_gone_takes_price_and_stock_with_it(desk):
    id_ = "9b2c0000-1111-4222-8333-444455556666"
    for what in ("item", "stock"):
        told = desk.fetch(Hint(what, id_))
        assert {str(seen.ref): seen.body for seen in told} == {
            f"Product#erp/{id_}": None,
            f"Price#erp/{id_}": None,
            f"StockLevel#erp/{id_}@MAIN": None,
        }


def test_who_owns_no_stock_is_asked_for_none():
    desk = Desk()
    desk.export(view(CANS))
    desk.transport.requests.clear()
    assert {seen.ref.kind for seen in desk.told("items")} == {Kind.PRODUCT, Kind.PRICE}
    assert {seen.ref.kind for seen in desk.told("orders")} == {Kind.ORDER}
    paths = [request.url.path.rsplit("/", 1)[-1] for request in desk.transport.requests]
    assert "salesOrders" in paths
    assert paths.count("salesOrders") == 1


# -- stock -----------------------------------------------------------------------------------------


def test_stock_is_what_lies_anywhere_less_nothing(desk):
    before = datetime.now(UTC)
    body = level(desk, "LEMON")
    assert (body.sku, body.location, body.on_hand, body.reserved) == ("LEMON", "MAIN", 9999, 0)
    assert before <= body.as_of <= datetime.now(UTC)
    desk.do("stock", "LEMON", "items", quantity=12, location="MAIN")
    assert level(desk, "LEMON").on_hand == 9999 + 12


def test_the_place_of_a_level_has_no_blanks_in_its_key():
    desk = Desk(location="OUR #1 WH")
    told = desk.fetch(Hint("stock", item_id(desk, "LEMON")))
    stock = one(told, Kind.STOCK_LEVEL)
    assert stock.ref.external_id.endswith("@OUR__1_WH")
    assert stock.body.location == "OUR #1 WH"


def test_without_a_place_all_of_it_is_anywhere():
    desk = Desk()
    stock = one(desk.fetch(Hint("stock", item_id(desk, "LEMON"))), Kind.STOCK_LEVEL)
    assert stock.ref.external_id == f"{item_id(desk, 'LEMON')}@"
    assert stock.body.location == ""


def test_parts_of_a_piece_cannot_be_sold(desk):
    desk.do("stock", "LEMON", "items", quantity=Decimal("-9996.5"))
    assert level(desk, "LEMON").on_hand == -9997
    desk.do("stock", "LEMON", "items", quantity=Decimal("3.75"))
    assert level(desk, "LEMON").on_hand == 3


def test_what_open_orders_wait_for_is_reserved(desk):
    desk.export(view(CANS))
    desk.export(view(line("LEMON", 5, "5.00", unit="EACH")), "shop-uk/2")
    assert level(desk, "LEMON").reserved == 12
    desk.do("ship", "101001", lines=[{"sku": "LEMON", "quantity": 4}])
    body = level(desk, "LEMON")
    assert (body.on_hand, body.reserved) == (9995, 8)
    desk.do("ship", "101001")
    desk.do("delete", "101002")
    body = level(desk, "LEMON")
    assert (body.on_hand, body.reserved) == (9992, 0)


def test_what_comes_back_reserves_nothing(desk):
    desk.export(view(CANS))
    (order,) = desk.orders()
    back = {"lineType": "Item", "lineObjectNumber": "LEMON", "quantity": -3, "unitPrice": 1}
    desk.client().post(f"/salesOrders({order['id']})/salesOrderLines", json=back, writes=True)
    assert level(desk, "LEMON").reserved == 7


def test_cases_count_as_what_they_hold():
    desk = Desk(maps=PACKS, units="CASE*24", **DEPOT)
    desk.export(view(CASES))
    assert level(desk, "COLA").reserved == 48


def test_the_level_of_an_item_whose_cases_nobody_counted_is_gone():
    desk = Desk(maps=PACKS, roles=(Role.STOCK,), **DEPOT)
    hint = Hint("stock", item_id(desk, "COLA"))
    before = one(desk.fetch(hint), Kind.STOCK_LEVEL)
    assert before.body.on_hand == 9999
    desk.export(view(CASES, CANS))
    gone = one(desk.fetch(hint), Kind.STOCK_LEVEL)
    assert (gone.ref, gone.body, gone.refetch) == (before.ref, None, hint)
    told = of(desk.told("orders"), Kind.STOCK_LEVEL)
    assert told[gone.ref.external_id].body is None
    assert {seen.body.sku for seen in told.values() if seen.body} == {"LEMON"}
    # Once the cases have left, it can be said again.
    desk.do("ship")
    assert level(desk, "COLA").on_hand == 9999 - 48


def test_a_unit_without_a_size_is_said_to_be_one():
    desk = Desk(units="CASE*24 LAYER", **DEPOT)
    with pytest.raises(ConfigurationError, match="'LAYER' is no unit with its size"):
        level(desk, "COLA")


def test_an_item_kept_in_kegs_is_counted_in_kegs(desk):
    body = level(desk, "KEG")
    assert (body.sku, body.on_hand) == ("KEG", 99)


def test_what_has_no_stock_has_no_level(desk):
    assert level(desk, "SHIP") is None


def test_stock_moves_are_heard_of_by_the_ledger(desk):
    desk.export(view(CANS))
    desk.later()
    desk.do("ship")
    desk.do("receive", "TEA", "items", quantity=10)
    desk.do("stock", "TEA", "items", quantity=1)
    page = desk.page("stock", f"{AT:%Y-%m-%dT%H:%M:%SZ}")
    found = {seen.body.sku: seen.body for seen in page.told}
    assert set(found) == {"LEMON", "TEA"}
    assert (found["LEMON"].on_hand, found["LEMON"].reserved) == (9992, 0)
    assert found["TEA"].on_hand == 1
    assert page.is_last


def test_orders_bring_the_stock_of_what_they_are_about(desk):
    desk.export(view(CANS, line("COLA", 3, "3.00", unit="EACH")))
    told = of(desk.told("orders"), Kind.STOCK_LEVEL).values()
    assert {seen.body.sku: seen.body.reserved for seen in told} == {"LEMON": 7, "COLA": 3}


def test_orders_are_read_before_the_items_they_take_from(desk):
    """What leaves in between is then missing twice, and not there twice."""
    desk.export(view(CANS))
    id_ = item_id(desk, "LEMON")
    desk.transport.requests.clear()
    desk.fetch(Hint("stock", id_))
    paths = [request.url.path.rsplit("/", 1)[-1] for request in desk.transport.requests]
    assert paths[-2:] == ["salesOrders", "items"]
    assert not any("data-access-intent" in one.headers for one in desk.transport.requests)


# -- what a notification was too small for ---------------------------------------------------------


def test_a_collection_is_read_from_then_on_page_by_page():
    desk = Desk(seed={"page_size": 2})
    for number in ("COLA", "LEMON", "TEA"):
        desk.later()
        desk.do("price", number, "items", price=2)
    since = f"items@{AT:%Y-%m-%dT%H:%M:%S.%fZ}"
    *told, more = desk.fetch(Hint("changes", since, Kind.PRODUCT))
    assert [seen.body.sku for seen in told[::2]] == ["COLA", "LEMON"]
    assert (more.what, more.of) == ("changes", Kind.PRODUCT)
    assert [seen.body.sku for seen in desk.fetch(more)[::2]] == ["LEMON", "TEA"]
