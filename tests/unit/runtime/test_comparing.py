"""What a shop shows is held against its owner's word, and never written over it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count, permutations

import pytest

from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.events import DetailType
from fizzbridge.model.money import Money
from fizzbridge.model.units import Unit
from fizzbridge.observation import Seen
from fizzbridge.runtime.comparing import Speakers
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances, Merge, Observer
from fizzbridge.runtime.rows import OWNED, TOLD
from fizzbridge.settings import Bridge, StockPolicy
from fizzbridge.state.table import ConditionFailedError
from tests.kit.house import BRIDGE, SECOND, House
from tests.kit.wholesaler import Wholesaler

CASE = ref(Kind.PRODUCT, "shop", "v2")
COLA = ref(Kind.PRODUCT, "erp", "57")
SHOWN = ref(Kind.PRICE, "shop", "v2")
PRICED = ref(Kind.PRICE, "erp", "57")


def price(of, sku, amount, *, unit=Unit.EACH, **more):
    money = Money(amount=Decimal(amount), currency=more.pop("currency", "EUR"))
    return Price(product=of, sku=sku, unit=unit, price=money, **{"tax_included": False} | more)


def case_price(amount, **more):
    return SHOWN, price(CASE, "COLA330-C24", amount, **more)


def owned_price(amount, sku="COLA330", **more):
    return PRICED, price(COLA, sku, amount, unit=Unit.CASE, **more)


def without_code(entity, told):
    return entity, told.model_copy(update={"sku": None})


def case_stock(house, on_hand):
    body = StockLevel(
        product=CASE, sku="COLA330-C24", location="", on_hand=on_hand, as_of=house.clock()
    )
    return ref(Kind.STOCK_LEVEL, "shop", "v2"), body


@pytest.fixture
def house():
    return Wholesaler(stock=StockPolicy().model_dump())


def drifts(house):
    return [event for kind, event in house.events if kind is DetailType.DRIFT_FOUND]


def differences(house, entity):
    found = house.records(entity).comparison
    return [(one.field, one.owner_says, one.told) for one in found.differences]


def test_another_price_is_found_listed_and_told_once(house):
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.50"))
    house.told(*case_price("12.60"))
    (event,) = drifts(house)
    assert (event.connection, event.key, event.told) == ("shop", "erp/57", "shop/v2")
    assert event.sku == "COLA330-C24"
    assert differences(house, SHOWN) == [("price", "12 EUR", "12.6 EUR")]
    (listed,) = house.fizzbridge("drift")
    assert (listed["shown"], listed["owner_says"]) == ("12.6 EUR", "12 EUR")


def test_the_owners_word_stays_as_it_is(house):
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.50"))
    view = Loader(house.rows, house.objects).view(PRICED)
    assert view.body(Part.RECORD, Price).price.amount == Decimal("12.00")
    assert not Loader(house.rows, house.objects).links(SHOWN)


def test_what_is_put_right_is_listed_no_more(house):
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.50"))
    house.told(*owned_price("12.50"))
    assert house.fizzbridge("drift") == []
    assert differences(house, SHOWN) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whoever_speaks_first_the_end_is_the_same(house, order):
    told = [owned_price("12.00"), case_price("12.50"), (COLA, Product(sku="COLA330", name="C"))]
    for place in order:
        house.told(*told[place])
    assert differences(house, SHOWN) == [("price", "12 EUR", "12.5 EUR")]


@pytest.mark.parametrize(
    "more",
    [{"currency": "GBP"}, {"price_list": "VIP"}, {"tax_included": True}, {"min_quantity": 10}],
    ids=lambda more: next(iter(more)),
)
def test_what_cannot_be_compared_is_no_difference(house, more):
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.50", **more))
    assert house.fizzbridge("drift") == []


def test_an_owners_price_for_each_is_for_what_its_code_stands_for(house):
    house.told(*case_price("12.50"))
    house.told(PRICED, price(COLA, "COLA330", "0.60"))
    assert differences(house, SHOWN) == [], "of a can"
    house.told(PRICED, price(COLA, "COLA330-C24", "12.00"))
    assert differences(house, SHOWN) == [("price", "12 EUR", "12.5 EUR")]


def test_an_owners_price_that_is_over_is_not_compared(house):
    over = {"valid_from": house.clock() - timedelta(2), "valid_to": house.clock()}
    house.told(ref(Kind.PRICE, "erp", "sale"), price(COLA, "COLA330-C24", "9.00", **over))
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.00"))
    assert differences(house, SHOWN) == []


def test_a_code_of_the_shops_own_is_found_by_its_map(house):
    house.map("sku", "CC-24", "COLA330-C24")
    house.told(*owned_price("12.00"))
    entity, told = case_price("12.50")
    house.told(entity, told.model_copy(update={"sku": "CC-24"}))
    assert differences(house, entity) == [("price", "12 EUR", "12.5 EUR")]


def test_more_offered_than_there_is_counts_in_base_units(house):
    house.stock("COLA330", 240)
    house.told(*case_stock(house, 10))
    assert house.fizzbridge("drift") == []
    house.told(*case_stock(house, 11))
    (event,) = drifts(house)
    assert [(one.field, one.owner_says, one.told) for one in event.differences] == [
        ("on_hand", "240", "264")
    ]
    house.stock("COLA330", 264)
    assert house.fizzbridge("drift") == []


def test_less_offered_is_a_sale_on_its_way(house):
    house.stock("COLA330", 240)
    house.told(*case_stock(house, 2))
    assert not drifts(house)


def test_a_product_sold_on_though_its_owner_gave_it_up(house):
    house.told(COLA, Product(sku="COLA330", name="Cola", is_active=False))
    house.told(CASE, Product(sku="COLA330-C24", name="Case of cola", gtin="5000000000005"))
    assert differences(house, CASE) == [("is_active", "no", "yes")]


def test_a_barcode_is_compared_for_the_same_unit_only(house):
    house.told(COLA, Product(sku="COLA330", name="Cola", gtin="5000000000012"))
    house.told(CASE, Product(sku="COLA330-C24", name="Case", gtin="5000000000029"))
    single = ref(Kind.PRODUCT, "shop", "v1")
    house.told(single, Product(sku="COLA330", name="Can", gtin="05000000000029"))
    assert differences(house, CASE) == []
    (found,) = differences(house, single)
    assert found[0] == "gtin"


def test_a_product_under_a_new_code_is_not_compared_by_the_old(house):
    house.told(*owned_price("12.00"))
    house.told(*owned_price("12.00", sku="TONIC1500"))
    house.told(*case_price("12.50"))
    assert house.fizzbridge("drift") == []


@pytest.mark.parametrize(
    "word", [(PRICED, None), owned_price("12.00", sku="TONIC1500")], ids=["deleted", "renamed"]
)
def test_what_the_owner_speaks_of_no_more_differs_no_more(house, word):
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.50"))
    assert len(house.fizzbridge("drift")) == 1
    house.told(*word)
    assert house.fizzbridge("drift") == []


def test_a_price_told_before_its_product_is_compared(house):
    house.told(*owned_price("12.00"))
    house.told(*without_code(*case_price("12.50")))
    house.told(CASE, Product(sku="COLA330-C24", name="Case"))
    assert differences(house, SHOWN) == [("price", "12 EUR", "12.5 EUR")]


def test_an_owners_price_told_before_its_product_is_compared(house):
    house.told(*without_code(*owned_price("12.00")))
    house.told(COLA, Product(sku="COLA330", name="Cola"))
    house.told(*case_price("12.50"))
    assert differences(house, SHOWN) == [("price", "12 EUR", "12.5 EUR")]


def steps_of_a_comparison():
    house = Wholesaler(stock=StockPolicy().model_dump())
    house.told(*owned_price("12.00"))
    house.steps.taken = 0
    house.told(*case_price("12.50"))
    return house.steps.taken


@pytest.mark.parametrize("at", range(1, steps_of_a_comparison() + 1))
def test_the_owners_word_is_heard_at_any_step_of_a_comparison(house, at):
    house.told(*owned_price("12.00"))
    house.clock.advance(5)
    steps = count(1)

    def step():
        if next(steps) == at:
            how = Circumstances(house.clock(), is_authoritative=True)
            seen = Seen(*owned_price("12.50"), house.clock())
            house.observer.observe("erp", seen, SECOND, how)
            house.assessor.run(PRICED, "meanwhile")

    house.steps.step = step
    house.told(*case_price("12.50"))
    assert next(steps) > at
    assert differences(house, SHOWN) == []


def test_however_many_prices_are_shown_of_an_item_all_are_compared(house):
    for number in range(101):
        entity = ref(Kind.PRICE, "shop", f"v2@{number}")
        house.observe(Seen(entity, case_price("12.50")[1], house.clock()))
    house.settle()
    house.told(*owned_price("12.00"))
    assert len(house.fizzbridge("drift")) == 101


def test_a_shop_that_becomes_the_owner_is_believed(house):
    house.told(*case_price("12.50"))
    shop, erp = BRIDGE["connections"]
    shop = shop | {"roles": [*shop["roles"], "price"]}
    bridge = Bridge.model_validate(BRIDGE | {"connections": [shop, erp]})
    house.observer = Observer(house.rows, house.objects, bridge, house.clock)
    house.told(*case_price("12.60"))
    view = Loader(house.rows, house.objects).view(SHOWN)
    assert view.body(Part.RECORD, Price).price.amount == Decimal("12.60")
    assert house.link(SHOWN, "assess")["status"] == "synced"


def test_what_nobody_owns_is_not_kept():
    house = House()
    seen = Seen(CASE, Product(sku="COLA330-C24", name="Case"), house.clock())
    how = Circumstances(house.clock(), is_authoritative=True)
    assert house.observer.observe("shop", seen, SECOND, how) is Merge.IGNORED
    assert not house.observer.has_owner(Kind.PRODUCT)


def test_of_two_who_join_at_once_the_later_sees_the_other(house):
    one, other = (Speakers(house.rows, "ITEM#COLA330", house.clock()) for _ in range(2))
    house.rows.transact(one.joined_by(OWNED, COLA))
    with pytest.raises(ConditionFailedError):
        house.rows.transact(other.joined_by(TOLD, CASE))
    again = Speakers(house.rows, "ITEM#COLA330", house.clock())
    assert again.of(OWNED, Kind.PRODUCT) == [COLA]
    house.rows.transact(again.joined_by(TOLD, CASE))


def test_one_who_leaves_takes_turns_with_those_who_join(house):
    house.rows.transact(Speakers(house.rows, "ITEM#COLA330", house.clock()).joined_by(OWNED, COLA))
    leaves, joins = (Speakers(house.rows, "ITEM#COLA330", house.clock()) for _ in range(2))
    house.rows.transact(leaves.left_by(OWNED, COLA))
    with pytest.raises(ConditionFailedError):
        house.rows.transact(joins.joined_by(TOLD, CASE))
    again = Speakers(house.rows, "ITEM#COLA330", house.clock())
    assert again.of(OWNED, Kind.PRODUCT) == []
    assert again.left_by(OWNED, COLA) == ()


def test_a_price_of_a_product_given_up_is_no_difference(house):
    house.told(*owned_price("12.00"))
    house.told(*case_price("12.50"))
    assert len(house.fizzbridge("drift")) == 1
    house.observe(Seen(CASE, Product(sku="COLA330-C24", name="Case"), house.clock()))
    house.clock.advance(1)
    house.observe(Seen(CASE, None, house.clock()))
    assert house.fizzbridge("drift") == []
    house.told(*case_price("12.60"))
    assert differences(house, SHOWN) == []


def test_a_price_list_is_found_by_its_map(house):
    house.map("pricelist", "trade-group", "TRADE")
    house.told(*owned_price("10.00", price_list="TRADE"))
    house.told(*case_price("10.50", price_list="trade-group"))
    found = differences(house, SHOWN)
    assert found == [("price", "10 EUR", "10.5 EUR")]
