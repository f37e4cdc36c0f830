"""What a shop sells, told in three parts that belong together."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint
from fizzbridge.selling import Offer, withdrawn

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
READ = Hint("product", "11")
COLA = Offer("shop", "77", "COLA-24", AT, READ)


def test_a_thing_its_price_and_its_stock_go_by_one_id():
    told = (
        COLA.shown("Cola", gtin="5012345678900"),
        COLA.priced(Decimal("13.2"), "GBP", tax_included=False),
        COLA.stocked(480, AT),
    )
    assert {(one.ref.key, one.changed, one.refetch) for one in told} == {("shop/77", AT, READ)}
    assert [one.ref.kind for one in told] == [Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL]
    assert {one.body.sku for one in told} == {"COLA-24"}
    assert told[1].body.product == told[2].body.product == told[0].ref


def test_a_list_and_a_place_are_in_the_key():
    trade = COLA.priced(Decimal(12), "GBP", tax_included=False, price_list="TRADE")
    named = COLA.priced(Decimal(12), "GBP", tax_included=False, price_list="Trade A", part="4:GBP")
    assert [one.ref.key for one in (trade, named)] == ["shop/77:TRADE", "shop/77:4:GBP"]
    assert named.body.price_list == "Trade A"
    level = COLA.stocked(3, AT, "7")
    assert (level.ref.key, level.body.location) == ("shop/77:7", "7")


def test_prices_have_the_digits_of_their_currency_and_stock_is_in_whole_pieces():
    for amount, currency, expected in (("8.3349", "GBP", "8.33"), ("99.5", "JPY", "100")):
        price = COLA.priced(Decimal(amount), currency, tax_included=True)
        assert price.body.price.amount == Decimal(expected)
    assert COLA.stocked(Decimal("16.5"), AT).body.on_hand == 16
    assert COLA.stocked(Decimal("-0.5"), AT).body.on_hand == -1


def test_what_is_withdrawn_is_gone_in_all_three():
    gone = list(withdrawn("shop", "77", AT))
    assert {one.ref.kind for one in gone} == {Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL}
    assert {(one.ref.key, one.body, one.changed) for one in gone} == {("shop/77", None, AT)}
