"""Products, prices and stock, as they are read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fizzbridge.errors import NotThereError
from fizzbridge.model.catalogue import LotStock, Price, Receipt
from fizzbridge.model.entity import Kind, Role, ref
from fizzbridge.model.money import Money
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint
from tests.platforms.odoo.odoo_desk import BERRY, CASE, COLA, DEPOSIT, TAX, TRADE, cans
from tests.platforms.odoo.odoo_source import PULL, Shop, keyed, later

PRODUCT = ref(Kind.PRODUCT, "erp", COLA)
EXPIRES = ["base_automation", "stock_delivery", "product_expiry"]


@pytest.fixture(params=["json2", "jsonrpc"])
def shop(request):
    return Shop(request.param)


# -- products --------------------------------------------------------------------------------------


def test_a_product_is_told_with_its_standing_price(shop):
    told = shop.told("products")
    cola, price = (one for one in told if f"{COLA}" in {one.refetch.external_id})
    assert (cola.ref, price.ref) == (PRODUCT, ref(Kind.PRICE, "erp", f"{COLA}::EACH:1"))
    assert (cola.changed, cola.refetch) == (later(0), Hint("product", f"{COLA}"))
    assert (cola.body.sku, cola.body.name) == ("COLA330-C24", "Cola 330 ml can")
    assert (cola.body.gtin, cola.body.is_active) == ("", True)
    assert price.body == Price(
        product=PRODUCT,
        sku="COLA330-C24",
        unit=Unit.EACH,
        price=Money(amount="1.15", currency="EUR"),
        tax_included=False,
    )
    assert {one.body.sku for one in told} == {
        "COLA330-C24",
        "DEP-25",
        "SHIP",
        "BERRY-LOT",
        "SYRUP-5L",
    }
    assert shop.refetched(cola) == [cola, price]


def test_only_what_was_changed_is_told(shop):
    shop.tick()
    shop.act("items", COLA, "price", price="1.25")
    told = shop.told("products", later())
    assert list(keyed(told)) == [f"{COLA}", f"{COLA}::EACH:1"]
    assert told[1].body.price.amount == Decimal("1.25")
    assert told[1].changed == later()


@pytest.mark.parametrize("change", [{"active": False}, {"sale_ok": False}])
def test_what_is_not_sold_any_more_is_told(shop, change):
    shop.write("product.product", COLA, **change, barcode="4099999000117")
    told = keyed(shop.told("products"), Kind.PRODUCT)
    assert not told[f"{COLA}"].is_active
    assert told[f"{COLA}"].gtin == "4099999000117"
    assert told[f"{BERRY}"].is_active


def test_a_product_without_a_code_cannot_be_known(shop):
    shop.write("product.product", COLA, default_code=False)
    bodies = keyed(shop.told("products"))
    assert (bodies[f"{COLA}"], bodies[f"{COLA}::EACH:1"]) == (None, None)
    levels = keyed(shop.told("stock"))
    assert levels[f"{COLA}@WH"] is None
    assert levels[f"{BERRY}@WH"].on_hand == 11
    assert keyed(shop.told("prices")) == {"1": None}


def test_a_product_whose_code_is_taken_away_has_no_stock_any_more(shop):
    (level,) = shop.fetch("stock", COLA)
    assert level.body.on_hand == 200
    shop.tick()
    shop.write("product.product", COLA, default_code=False)
    # Nothing moved: the product tells of it.
    assert shop.told("stock", later()) == []
    told = {one.ref: one for one in shop.told("products", later())}
    gone = told[level.ref]
    assert (gone.body, gone.refetch) == (None, Hint("stock", f"{COLA}", Kind.STOCK_LEVEL))
    assert gone.changed > level.changed
    (again,) = shop.refetched(gone)
    assert (again.ref, again.body) == (level.ref, None)


def test_who_owns_the_stock_is_told_of_it_once_a_code_is_given_back(shop):
    shop.connection = shop.connection.model_copy(update={"roles": (Role.STOCK,)})
    shop.write("product.product", COLA, default_code=False)
    assert keyed(shop.told("products"))[f"{COLA}@WH"] is None
    shop.tick()
    shop.write("product.product", COLA, default_code="COLA-NEW")
    level = keyed(shop.told("products", later()))[f"{COLA}@WH"]
    assert (level.sku, level.on_hand) == ("COLA-NEW", 200)
    # What is not kept in stock has none.
    assert set(keyed(shop.told("products"), Kind.STOCK_LEVEL)) == {f"{COLA}@WH", f"{BERRY}@WH"}


def test_a_deleted_product_takes_its_standing_price_along(shop):
    made = shop.create("product.product", name="Trial", default_code="TRIAL", uom_id=1)
    assert shop.act("items", made, "delete") is None
    gone = shop.fetch("product", made)
    assert keyed(gone) == {f"{made}": None, f"{made}::EACH:1": None}
    assert {one.ref.kind for one in gone} == {Kind.PRODUCT, Kind.PRICE}


def test_a_price_may_include_its_tax():
    taxes = [{"name": "19% i", "amount": 19.0, "price_include": True}, {"name": "7%", "amount": 7}]
    shop = Shop(taxes=taxes)
    bodies = keyed(shop.told("products"), Kind.PRICE)
    assert bodies[f"{COLA}::EACH:1"].tax_included
    assert not bodies["3::EACH:1"].tax_included  # which has no tax
    shop.write("product.product", COLA, taxes_id=[[6, 0, [TAX, TAX + 1]]])
    assert not keyed(shop.told("products"))[f"{COLA}::EACH:1"].tax_included


# -- prices ----------------------------------------------------------------------------------------


def test_a_row_of_a_price_list(shop):
    (seen,) = shop.told("prices")
    assert seen.ref == ref(Kind.PRICE, "erp", 1)
    assert (seen.changed, seen.refetch) == (later(0), Hint("price", "1"))
    assert seen.body == Price(
        product=PRODUCT,
        sku="COLA330-C24",
        price_list="Trade",
        unit=Unit.EACH,
        min_quantity=24,
        price=Money(amount="0.88", currency="EUR"),
        tax_included=False,
    )
    assert shop.refetched(seen) == [seen]


def test_a_price_of_a_season_and_one_of_another_currency():
    lists = [
        {"name": "Trade", "currency": "EUR", "items": []},
        {"name": "Export", "currency": "JPY", "items": [{"sku": "COLA330-C24", "price": 131.5}]},
    ]
    shop = Shop(pricelists=lists)
    days = {"valid_from": "2026-12-01 00:00:00", "valid_to": "2026-12-31 23:59:59"}
    shop.act("items", COLA, "price", price="0.755", pricelist="Trade", min_quantity=2.5, **days)
    export, season = (one.body for one in shop.told("prices"))
    assert (export.price_list, export.min_quantity) == ("Export", 1)
    assert export.price == Money(amount=132, currency="JPY")
    assert season.price == Money(amount="0.76", currency="EUR")
    assert season.min_quantity == 3
    assert season.valid_from == datetime(2026, 12, 1, tzinfo=UTC)
    assert season.valid_to == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"compute_price": "percentage", "percent_price": 10},
        {"applied_on": "3_global", "product_id": False},
        {"applied_on": "2_product_category"},
    ],
)
def test_what_is_no_fixed_price_of_a_product_any_more_is_gone(shop, change):
    (before,) = shop.told("prices")
    shop.tick()
    shop.write("product.pricelist.item", 1, **change)
    (seen,) = shop.told("prices", later())
    assert (seen.ref, seen.body, seen.changed) == (before.ref, None, later())


def test_prices_of_an_archived_list_are_gone_and_a_new_name_is_told(shop):
    shop.tick()
    shop.write("product.pricelist", TRADE, name="Trade 2027")
    (seen,) = shop.told("prices", later())
    assert seen.body.price_list == "Trade 2027"
    shop.write("product.pricelist", TRADE, active=False)
    (seen,) = shop.told("prices", later())
    assert seen.body is None


def row_of_product(shop):
    """A row of a price list for all variants of the cola."""
    template = shop.one("product.product", COLA, "product_tmpl_id")[0]
    rule = {"pricelist_id": TRADE, "applied_on": "1_product", "product_tmpl_id": template}
    return shop.create("product.pricelist.item", **rule, fixed_price=1)


def test_a_row_for_a_product_is_one_of_each_variant(shop):
    made = row_of_product(shop)
    _, row, seen = shop.told("prices")
    assert (row.ref.external_id, row.body) == (f"{made}", None)
    assert seen.ref.external_id == f"{made}:{COLA}"
    assert (seen.body.product, seen.body.price.amount) == (PRODUCT, 1)


def test_a_row_for_a_product_that_is_no_fixed_price_any_more_is_gone_from_each_variant(shop):
    made = row_of_product(shop)
    assert keyed(shop.told("prices"))[f"{made}:{COLA}"].price.amount == 1
    shop.tick()
    shop.write("product.pricelist.item", made, compute_price="percentage", percent_price=10)
    assert keyed(shop.told("prices", later())) == {f"{made}": None, f"{made}:{COLA}": None}


def test_a_row_for_a_product_of_an_archived_list_is_gone_from_each_variant(shop):
    made = row_of_product(shop)
    shop.tick()
    shop.write("product.pricelist", TRADE, active=False)
    assert keyed(shop.told("prices", later()))[f"{made}:{COLA}"] is None


def test_a_new_code_is_told_with_the_price(shop):
    shop.tick()
    shop.write("product.product", COLA, default_code="COLA-NEW")
    (seen,) = shop.told("prices", later())
    assert seen.body.sku == "COLA-NEW"


def test_a_deleted_row_is_gone(shop):
    shop.act("prices", 1, "delete")
    (gone,) = shop.fetch("price", 1)
    assert (gone.ref, gone.body) == (ref(Kind.PRICE, "erp", 1), None)


# -- stock -----------------------------------------------------------------------------------------


def level(shop, product=COLA, warehouse="WH", since=None):
    told = shop.told("stock", since) if since else shop.told("stock")
    bodies = keyed(told, Kind.STOCK_LEVEL)
    found = bodies.get(f"{product}@{warehouse}")
    return found and (found.on_hand, found.reserved)


def test_a_level_is_told_as_of_the_read(shop):
    before = datetime.now(UTC)
    told = shop.told("stock")
    after = datetime.now(UTC)
    assert list(keyed(told)) == [f"{COLA}@WH", f"{BERRY}@WH"]
    seen = told[0]
    assert seen.ref == ref(Kind.STOCK_LEVEL, "erp", f"{COLA}@WH")
    assert before <= seen.body.as_of == seen.changed <= after
    assert seen.refetch == Hint("stock", f"{COLA}")
    assert (seen.body.product, seen.body.sku) == (PRODUCT, "COLA330-C24")
    assert (seen.body.location, seen.body.on_hand, seen.body.reserved) == ("WH", 200, 0)
    (again,) = shop.refetched(seen)
    assert (again.ref, again.body.on_hand) == (seen.ref, 200)
    assert again.body.as_of >= after


def test_all_quants_of_a_warehouse_are_one_level(shop):
    shop.sold(cans(24))
    shop.act("items", COLA, "scatter")
    shop.act("items", COLA, "move", quantity=30, to="WH/Stock/Cold")
    shop.tick()
    shop.act("items", COLA, "stock", quantity=31, location="WH/Stock/Cold")
    assert level(shop, since=later()) == (201, 24)


def test_a_reservation_alone_moves_a_level(shop):
    shop.tick()
    shop.sold(cans(48))
    assert level(shop, since=later()) == (200, 48)
    assert level(shop, BERRY, since=later()) is None


def test_what_is_on_the_road_is_not_there():
    shop = Shop(locations=["WH/Stock/Cold", ["WH/Stock/On the road", "transit"]])
    shop.act("items", COLA, "move", quantity=30, to="WH/Stock/On the road")
    assert level(shop) == (170, 0)
    shop.act("items", COLA, "scrap", quantity=20)
    assert level(shop) == (150, 0)


def test_every_warehouse_has_a_level_of_its_own():
    shop = Shop(warehouses=[{"name": "North", "code": "N 2"}])
    assert (level(shop), level(shop, warehouse="N_2")) == ((200, 0), (0, 0))
    shop.tick()
    shop.act("items", COLA, "move", quantity=12, to="N 2/Stock")
    assert level(shop, since=later()) == (188, 0)
    told = keyed(shop.told("stock", later()))
    assert (told[f"{COLA}@N_2"].location, told[f"{COLA}@N_2"].on_hand) == ("N 2", 12)


def test_parts_of_a_piece_are_not_promised(shop):
    shop.act("items", COLA, "stock", quantity="7.75")
    shop.sold(cans(2.25))
    assert level(shop) == (7, 3)


def test_more_may_have_left_than_there_was(shop):
    order = shop.sold(cans(240))
    shop.act("orders", order, "ship", lines=[{"sku": "COLA330-C24", "quantity": 240}])
    assert level(shop) == (-40, 0)


def test_what_is_sold_out_is_told_though_its_quant_is_gone(shop):
    order = shop.sold(cans(200))
    shop.tick()
    shop.act("orders", order, "ship")
    shop.act("items", COLA, "tidy")
    assert shop.found("stock.quant", ["product_id", "=", COLA], ["location_id", "=", 5]) == []
    assert level(shop, since=later()) == (0, 0)
    (seen,) = shop.fetch("stock", COLA)
    assert seen.body.on_hand == 0


def test_a_quant_names_its_item_and_one_that_is_gone_says_nothing(shop):
    shop.tick()
    (quant,) = shop.found("stock.quant", ["product_id", "=", COLA], ["location_id", "=", 5])
    (seen,) = shop.fetch("quant", quant["id"])
    assert seen.ref.external_id == f"{COLA}@WH"
    with pytest.raises(NotThereError, match="quant 999"):
        shop.fetch("quant", 999)
    assert shop.fetch("stock", 999) == []


def test_lots_are_told_where_they_have_a_day():
    shop = Shop(modules=EXPIRES)
    shop.act(
        "items", "BERRY-LOT", "stock", quantity=9, lot="L26A", best_before="2027-05-31 00:00:00"
    )
    shop.act("items", "BERRY-LOT", "stock", quantity=-2, lot="L26C", expires="2027-06-30 00:00:00")
    (body,) = (one for one in keyed(shop.told("stock")).values() if one.sku == "BERRY-LOT")
    assert body.on_hand == 9 + 3 - 2
    assert body.lots == (LotStock(lot="L26A", best_before=date(2027, 5, 31), quantity=9),)


def test_a_new_day_of_a_lot_alone_is_seen():
    shop = Shop(modules=EXPIRES)
    (lot, _) = shop.found("stock.lot", ["product_id", "=", BERRY])
    shop.tick()
    shop.write("stock.lot", lot["id"], use_date="2027-04-30 00:00:00")
    (body,) = keyed(shop.told("stock", later())).values()
    assert [(one.lot, one.best_before) for one in body.lots] == [("L26A", date(2027, 4, 30))]


def test_goods_without_the_module_have_lots_without_days(shop):
    (body,) = (one for one in keyed(shop.told("stock")).values() if one.sku == "BERRY-LOT")
    assert (body.on_hand, body.lots) == (11, ())


def test_what_cannot_be_told_is_left_to_a_hint_each(shop):
    shop.write("product.product", DEPOSIT, default_code="x" * 256)
    told = shop.told("products")
    assert {(one.what, one.external_id) for one in told} == {
        ("product", f"{n}") for n in range(1, 6)
    }


# -- on order --------------------------------------------------------------------------------------


def test_what_is_bought_is_on_order_until_it_is_there(shop):
    shop.tick()
    for quantity in (48, 12.5):
        shop.act("items", COLA, "receive", quantity=quantity, receive=False)
    assert level(shop, since=later()) is None
    (seen,) = shop.told("receipts", later())
    assert (seen.ref.external_id, seen.body.on_hand) == (f"{COLA}@WH", 200)
    assert seen.body.on_order == (Receipt(due_on=date(2026, 11, 23), quantity=60),)
    first, _ = shop.found("stock.picking", ["picking_type_code", "=", "incoming"])
    shop.ok("stock.picking", "button_validate", ids=[first["id"]])
    (seen,) = shop.told("receipts", later())
    assert seen.body.on_hand == 248
    assert seen.body.on_order == (Receipt(due_on=date(2026, 11, 23), quantity=12),)


def test_what_is_bought_in_cases_is_told_in_pieces(shop):
    receipt = shop.act("items", COLA, "receive", quantity=2, receive=False)
    (move,) = shop.moves(receipt["id"], "product_uom")
    shop.write("stock.move", move["id"], product_uom=CASE, date="2026-12-01 08:00:00")
    (seen,) = shop.fetch("move", move["id"])
    assert seen.body.on_order == (Receipt(due_on=date(2026, 12, 1), quantity=48),)


def test_what_is_sent_to_customers_is_not_on_order(shop):
    shop.sold(cans(24))
    assert shop.told("receipts") == []


def test_goods_are_read_where_somebody_owns_them():
    assert PULL.level_streams == {"products", "prices", "stock", "receipts"}
