"""Items, their prices and their stock, as NetSuite tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge import errors
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import Money
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.netsuite_soap import goods
from platforms.netsuite_soap.transport import ACCOUNTING
from platforms.netsuite_soap.wire import Availability, SoldItem, Uom
from tests.kit.orders import line
from tests.platforms.netsuite_soap.netsuite_soap_desk import LONG_AGO, PULL, Desk, Small, asked
from tests.platforms.netsuite_soap.netsuite_soap_orders import connection, item
from tests.platforms.netsuite_soap.netsuite_soap_recorded import NOW, Recorded, results

COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
CANS = (
    Uom(internal_id="1", unit_name="Can", base_unit=True, conversion_rate=1),
    Uom(internal_id="3", unit_name="Case of 24", abbreviation="cs", conversion_rate=24),
    Uom(internal_id="4", unit_name="Tray", abbreviation="PACK", conversion_rate=6),
    Uom(internal_id="5", unit_name="Euro pallet", conversion_rate=1920),
    Uom(internal_id="6", unit_name="Kiste", conversion_rate=20),
)
PRODUCT = ref(Kind.PRODUCT, "erp", "57")


@pytest.fixture
def desk():
    """An account in which two items were changed, half a day ago and just now."""
    there = Desk()
    there.act("items/LEMON/price", price="4.00")
    there.time += timedelta(hours=12)
    there.act("items/COLA/price", price="9.60")
    return there


def by_ref(told):
    return {one.ref.external_id: one for one in told}


def test_an_item_is_told_with_its_prices_and_its_stock(desk):
    desk.act("items/COLA/price", price="9.00", level="5")
    changed = desk.time - timedelta(minutes=10)
    desk.act("items/COLA/price", price="8.50", level="5", quantity=50)
    begun = datetime.now(UTC)
    of_cola = [one for one in desk.told("items") if one.ref.external_id.startswith("57")]
    told = [one for one in of_cola if one.body]
    product, standing, trade, step, level = told
    assert changed < product.changed
    assert {one.refetch for one in told} == {Hint("item", "57")}
    assert (product.ref, product.body.sku, product.body.name) == (PRODUCT, "COLA", "Cola")
    assert product.body.is_active
    assert [one.ref.external_id for one in (standing, trade, step)] == [
        "57:1:GBP:CASE:1",
        "57:5:GBP:CASE:1",
        "57:5:GBP:CASE:50",
    ]
    for one, listed, least, price in (
        (standing, "", 1, "9.60"),
        (trade, "Trade Price", 1, "9.00"),
        (step, "Trade Price", 50, "8.50"),
    ):
        body = one.body
        assert one.changed == product.changed
        assert (body.product, body.sku, body.unit) == (PRODUCT, "COLA", Unit.CASE)
        assert (body.price_list, body.min_quantity, body.tax_included) == (listed, least, False)
        assert body.price == Money(amount=Decimal(price), currency="GBP")
    assert level.ref == ref(Kind.STOCK_LEVEL, "erp", "57@1")
    assert (level.body.product, level.body.sku, level.body.location) == (PRODUCT, "COLA", "1")
    assert (level.body.on_hand, level.body.reserved) == (9999, 0)
    assert begun.replace(microsecond=0) <= level.body.as_of <= datetime.now(UTC)
    assert level.changed == level.body.as_of


def test_the_first_round_reads_items_older_than_the_connection(desk):
    desk.time += timedelta(days=400)
    since = desk.connection.start_at + timedelta(days=365)
    desk.connection = desk.connection.model_copy(update={"start_at": since})
    assert {"57", "58"} <= set(by_ref(desk.told("items", span=Span(since))))
    later = Span(since + timedelta(seconds=1))
    assert desk.told("items", span=later) == []


def test_only_what_customers_buy_is_told(desk):
    for code in ("SHIP", "OFF"):
        desk.act(f"items/{code}/price", price="1.00")
    seed = Desk(seed={"items": [item(57, "TENTH", "discountItem")]})
    seed.act("items/TENTH/price", price="1.00")
    assert seed.told("items") == []
    assert {"59", "60"} <= set(by_ref(desk.told("items")))
    levels = [one for one in desk.told("items") if one.ref.kind is Kind.STOCK_LEVEL]
    assert {one.ref.external_id for one in levels} == {"57@1", "58@1"}


def test_an_item_that_is_archived_or_deleted(desk):
    desk.act("items/LEMON/block")
    seen = by_ref(desk.told("items"))["58"]
    assert (seen.body.is_active, seen.body.sku) == (False, "LEMON")
    (product, *_) = desk.fetch(seen.refetch)
    assert product == seen
    desk.delete("58", "inventoryItem")
    desk.time += timedelta(minutes=10)
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body) == (ref(Kind.PRODUCT, "erp", "58"), None)
    (again,) = desk.fetch(Hint("item", "58"))
    assert (again.ref, again.body, again.changed) == (gone.ref, None, desk.time)


# -- prices ----------------------------------------------------------------------------------------


def sold(*matrix, **fields):
    there = {
        "internalId": "57",
        "sort": "InventoryItem",
        "itemId": "COLA",
        "lastModifiedDate": "2026-11-20T01:00:00.000-08:00",
        "pricingMatrix": {"pricing": list(matrix)},
    }
    return SoldItem.model_validate(there | fields)


def listed(level, name, *rows, currency="1"):
    priced = [{"value": value, "quantity": quantity} for value, quantity in rows]
    return {
        "currency": {"internalId": currency, "name": "Money"},
        "priceLevel": {"internalId": level, "name": name},
        "priceList": {"price": priced},
    }


def told(one, currencies=None, **settings):
    found = goods.prices(one, CANS, currencies or {"1": "GBP", "2": "EUR"}, connection(**settings))
    return [(seen.ref.external_id, seen.body) for seen in found]


def shown(found):
    return [(key, body) for key, body in found if body]


@pytest.mark.parametrize(
    ("sale_unit", "expected"),
    [
        ("", Unit.EACH),
        ("1", Unit.EACH),
        ("3", Unit.CASE),
        ("4", Unit.PACK),
        ("5", Unit.PALLET),
        # In whatever words, what holds several is a case.
        ("6", Unit.CASE),
    ],
)
def test_a_price_is_for_one_sale_unit(sale_unit, expected):
    priced = sold(listed("1", "Base Price", ("9.6", "0.0")), saleUnit={"internalId": sale_unit})
    ((key, body),) = shown(told(priced))
    assert (key, body.unit) == (f"57:1:GBP:{expected}:1", expected)


def test_prices_of_levels_and_currencies_and_quantities():
    priced = sold(
        listed("1", "Grundpreis", ("9.605", "0.0"), ("9.2", "10.5")),
        listed("1", "Grundpreis", ("11.0", "0.0"), currency="2"),
        listed("5", "Trade Price", ("", "0.0")),
        listed("6", "Dealer", ("0.0", "0.0")),
        listed("7", "Abroad", ("1.0", "0.0"), currency="99"),
        pricesIncludeTax="true",
        externalId="E-57",
    )
    found = shown(told(priced))
    assert [(key, body.price_list, str(body.price.amount)) for key, body in found] == [
        ("57:1:GBP:EACH:1", "", "9.61"),
        ("57:1:GBP:EACH:11", "", "9.20"),
        ("57:1:EUR:EACH:1", "", "11.00"),
        ("57:6:GBP:EACH:1", "Dealer", "0.00"),
    ]
    assert {(body.sku, body.tax_included) for _, body in found} == {("E-57", True)}
    assert {body.sku for _, body in shown(told(priced, item_code="name"))} == {"COLA"}


def test_with_one_currency_prices_name_none():
    priced = sold(listed("1", "Base Price", ("9.6", "0.0"), currency=""))
    ((key, _),) = shown(told(priced, {"1": "GBP"}))
    assert key == "57:1:GBP:EACH:1"
    assert told(priced) == []


def test_a_price_whose_value_was_taken_away_is_gone():
    before = dict(told(sold(listed("5", "Trade Price", ("9.00", "0.0"), ("8.00", "50")))))
    after = dict(told(sold(listed("5", "Trade Price", ("", "0.0"), ("8.00", "50")))))
    assert before["57:5:GBP:EACH:1"].price.amount == 9
    assert after["57:5:GBP:EACH:1"] is None
    assert after["57:5:GBP:EACH:50"] == before["57:5:GBP:EACH:50"]


def test_what_is_sold_in_another_unit_costs_nothing_in_the_one_before():
    by_the_can = sold(listed("1", "Base Price", ("0.40", "0.0")), saleUnit={"internalId": "1"})
    by_the_case = sold(listed("1", "Base Price", ("9.60", "0.0")), saleUnit={"internalId": "3"})
    first, then = dict(told(by_the_can)), dict(told(by_the_case))
    assert [key for key, body in first.items() if body] == ["57:1:GBP:EACH:1"]
    assert [key for key, body in (first | then).items() if body] == ["57:1:GBP:CASE:1"]


def test_rows_of_one_quantity_are_one_price():
    (seen,) = shown(told(sold(listed("1", "Base Price", ("0.40", "0.0"), ("", "1.0")))))
    assert seen[0] == "57:1:GBP:EACH:1"


# -- stock -----------------------------------------------------------------------------------------


def quantities(desk, **more):
    return {
        one.ref.external_id: (one.body.on_hand, one.body.reserved)
        for one in desk.told("stock", **more)
    }


def test_every_round_reads_all_of_the_stock():
    desk = Desk()
    assert quantities(desk) == {"57@1": (9999, 0), "58@1": (9999, 0)}
    order = desk.place(COLA)
    assert quantities(desk)["57@1"] == (9999, 48)
    desk.act(f"orders/{order}/ship")
    assert quantities(desk)["57@1"] == (9951, 0)
    desk.act("items/COLA/receive", quantity=240)
    desk.act("items/COLA/move", quantity=50, to="2")
    desk.act("items/LEMON/block")
    # Long after the round that a cursor of time would have begun at.
    desk.time += timedelta(days=30)
    assert quantities(desk, span=Span(desk.time)) == {"57@1": (10141, 0), "57@2": (50, 0)}


def test_stock_that_is_not_for_sale_is_left_out():
    places = [
        {"internalId": "1", "name": "Depot"},
        {"internalId": "2", "name": "Quarantine", "makeInventoryAvailable": "false"},
        {"internalId": "3", "name": "Shop", "makeInventoryAvailable": "true"},
    ]
    desk = Desk(seed={"locations": places})
    for place in ("2", "3"):
        desk.act("items/COLA/stock", quantity=7, location=place)
    assert set(quantities(desk)) == {"57@1", "57@3", "58@1"}
    assert {one.ref.external_id for one in desk.fetch(Hint("item", "57"))} >= {"57@1", "57@3"}
    assert "57@2" not in {one.ref.external_id for one in desk.fetch(Hint("item", "57"))}


def test_parts_of_a_piece():
    there = {
        "item": {"internalId": "57"},
        "locationId": {"internalId": "2"},
        "quantityOnHand": "-1.5",
        "quantityCommitted": "0.2",
    }
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    seen = goods.level(sold(), Availability.model_validate(there), at, connection())
    assert (seen.body.on_hand, seen.body.reserved) == (-2, 1)
    bare = Availability.model_validate({k: v for k, v in there.items() if k[0] in "il"})
    assert goods.level(sold(), bare, at, connection()).body.on_hand == 0


MANY = {
    "items": [
        item(number, f"I{number}", stock={"1": {"onHand": str(number)}}) for number in range(60, 73)
    ]
}


def test_a_large_stock_is_read_in_pages():
    desk = Desk(seed=MANY)
    begun = len(desk.transport.requests)
    page = desk.page("stock", reader=Small())
    assert ([one.ref.external_id for one in page.told], page.cursor, page.is_last) == (
        [f"{number}@1" for number in range(60, 65)],
        "64",
        False,
    )
    assert len(desk.transport.requests) - begun == 3
    assert quantities(desk, reader=Small()) == {f"{n}@1": (n, 0) for n in range(60, 73)}


def stock_item(number):
    return (
        f'<c:record internalId="{number}" xsi:type="a:InventoryItem" '
        f'xmlns:a="{ACCOUNTING}">'
        f"<a:itemId>I{number}</a:itemId></c:record>"
    )


def kept(*numbers):
    rows = "".join(
        f'<c:itemAvailability><c:item internalId="{n}"/><c:locationId internalId="1"/>'
        f"<c:quantityOnHand>{n}.0</c:quantityOnHand></c:itemAvailability>"
        for n in numbers
    )
    listed = f"<c:itemAvailabilityList>{rows}</c:itemAvailabilityList>"
    inner = f"<c:status isSuccess='true'/>{listed}"
    result = f"<c:getItemAvailabilityResult>{inner}</c:getItemAvailabilityResult>"
    return f"<m:getItemAvailabilityResponse>{result}</m:getItemAvailabilityResponse>"


def test_of_a_list_that_does_not_come_by_id_a_shorter_stretch_is_asked_for():
    places = results("search")
    some = results("search", stock_item(40), stock_item(7), total=400, pages=2)
    still = results("search", stock_item(20), stock_item(9), total=300, pages=2)
    all_of_it = results("search", stock_item(9), stock_item(7))
    answers = Recorded(search=[some, still, all_of_it, places], getItemAvailability=[kept(7, 9)])
    page = answers.page("stock", "5")
    assert [one.ref.external_id for one in page.told] == ["7@1", "9@1"]
    stretches = [
        [one.partition("<")[0] for one in request.content.decode().split("searchValue2>")[1:2]]
        for request in answers.requests
    ]
    # Of ids up to 40 there are more than a page; a third of the way is tried next.
    assert stretches[:3] == [[], ["40"], ["16"]]
    assert (page.cursor, page.is_last) == ("16", False)


def test_stock_that_is_moved_is_read_by_what_moved_it():
    desk = Desk()
    order = desk.place(COLA)
    begun = len(asked(desk))
    (level,) = desk.fetch(Hint("goods", f"salesOrder:{order}"))
    assert (level.ref.external_id, level.body.reserved) == ("57@1", 48)
    assert asked(desk)[begun:] == ["get", "search", "search", "getItemAvailability"]
    paid = desk.act(f"orders/{order}/pay", amount="1.00")
    assert desk.fetch(Hint("goods", f"customerDeposit:{paid}")) == []
    with pytest.raises(errors.NotThereError):
        desk.fetch(Hint("goods", "salesOrder:999999"))


def test_items_and_stock_are_read_where_somebody_owns_such_things():
    assert PULL.level_streams == {"items", "stock"}
    for hint in (one.refetch for one in Desk().told("stock")):
        assert hint.of is Kind.STOCK_LEVEL


def test_an_item_that_cannot_be_told_is_left_to_a_hint():
    # The role does not see when it was changed.
    there = Recorded(getServerTime=[NOW], search=[results("search", stock_item(8))])
    (hint,) = there.page("items").told
    assert (hint, hint.of) == (Hint("item", "8"), Kind.PRODUCT)
    assert there.requests[-1].headers["SOAPAction"] == '"search"'
    assert LONG_AGO.since <= connection().start_at
