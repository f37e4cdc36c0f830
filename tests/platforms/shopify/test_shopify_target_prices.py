"""What a Shopify shop is told of prices, and of whether something is sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fizzbridge.model.catalogue import CatalogueItem, Price
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import Money
from fizzbridge.model.units import Unit
from tests.platforms.shopify.shopify_back import VARIANTS, Back

STANDING, LISTED = "productVariantsBulkUpdate", "priceListFixedPricesUpdate"
STEPS, PRODUCT = "quantityPricingByVariantUpdate", "productUpdate"
TRADE = {
    "id": 501,
    "name": "Trade",
    "currency": "GBP",
    "adjustment": "10",
    "prices": {"TONIC-12": {"price": "8", "breaks": {"10": "7.50"}}},
}


@pytest.fixture
def house():
    house = Back(seed={"price_lists": [TRADE]})
    house.map("pricelist", "501", "TRADE")
    return house


def standing(house, variant=1):
    query = "query($i: ID!) { productVariant(id: $i) { price } }"
    gid = f"gid://shopify/ProductVariant/{variant}"
    return house.ask(query, i=gid)["productVariant"]["price"]


def listed(house):
    """Fixed prices of the list, each with its steps."""
    found = house.ask(
        """query($i: ID!) { priceList(id: $i) { prices(first: 9, originType: FIXED) { nodes {
          variant { sku } price { amount }
          quantityPriceBreaks(first: 9) { nodes { minimumQuantity price { amount } } } } } } }""",
        i="gid://shopify/PriceList/501",
    )
    return {
        node["variant"]["sku"]: {1: Decimal(node["price"]["amount"])}
        | {
            one["minimumQuantity"]: Decimal(one["price"]["amount"])
            for one in node["quantityPriceBreaks"]["nodes"]
        }
        for node in found["priceList"]["prices"]["nodes"]
    }


def status(house, product=2):
    gid = f"gid://shopify/Product/{product}"
    return house.ask("query($i: ID!) { product(id: $i) { status } }", i=gid)["product"]["status"]


def priced(house, sku, amount, part="", *, currency="GBP", tax_included=False, **more: Any):
    entity = ref(Kind.PRICE, "erp", f"{sku}:{part}")
    body = Price(
        product=ref(Kind.PRODUCT, "erp", sku),
        sku=sku,
        unit=Unit.EACH,
        price=Money(amount=Decimal(amount), currency=currency),
        tax_included=tax_included,
        **more,
    )
    house.told(entity, body)
    return entity


def test_standing_prices_of_many_products_go_in_one_call(house):
    house.price("COLA-24", "14.5")
    house.price("TONIC-12", "9.40")
    house.price("O'HARA", "21")
    house.settle()
    assert [standing(house, n) for n in (1, 3, 5)] == ["14.50", "9.40", "21.00"]
    assert len(house.sent(STANDING)) == 1
    assert house.accepted["price_update"] == 2


def test_a_price_that_is_there_is_not_written(house):
    house.price("COLA-24", "13.2")
    house.settle()
    assert house.sent(STANDING) == []


def test_a_list_has_its_own_price_and_steps(house):
    house.price("COLA-24", "14.00")
    house.price("COLA-24", "12.00", "t1", price_list="TRADE")
    house.price("COLA-24", "11.50", "t6", price_list="TRADE", min_quantity=6)
    house.price("COLA-24", "11.00", "t12", price_list="TRADE", min_quantity=12)
    house.price("COLA-24", "1.00", "x", price_list="ELSEWHERE")
    house.settle()
    assert standing(house) == "14.00"
    assert listed(house)["COLA-24"] == {1: 12, 6: Decimal("11.5"), 12: 11}
    assert listed(house)["TONIC-12"] == {1: 8, 10: Decimal("7.5")}, "nobody's word, so let be"
    house.price("COLA-24", "10.50", "t12", price_list="TRADE", min_quantity=12)
    house.settle()
    assert listed(house)["COLA-24"] == {1: 12, 6: Decimal("11.5"), 12: Decimal("10.5")}
    assert (len(house.sent(LISTED)), len(house.sent(STEPS))) == (1, 2)


def test_what_is_gone_from_a_list_goes_there(house):
    house.price("COLA-24", "14.00")
    house.price("COLA-24", "12.00", "t1", price_list="TRADE")
    step = house.price("COLA-24", "11.50", "t6", price_list="TRADE", min_quantity=6)
    house.settle()
    house.told(step, None)
    house.settle()
    assert listed(house)["COLA-24"] == {1: 12}
    house.told(ref(Kind.PRICE, "erp", "COLA-24:t1"), None)
    house.settle()
    assert "COLA-24" not in listed(house)
    house.price("TONIC-12", "9.40")
    house.settle()
    assert listed(house) == {}, "the owner speaks of it now and has none on this list"


def test_one_that_does_not_speak_for_its_item_takes_nothing_off(house):
    house.price("COLA-24", "14.00", "a")
    house.price("COLA-24", "12.00", "b", price_list="TRADE")
    house.settle()
    house.price("COLA-24", "12.50", "b", price_list="TRADE")
    house.settle()
    assert listed(house)["COLA-24"] == {1: Decimal("12.5")}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"currency": "EUR"}, "COLA-24 costs 14.00 EUR without tax; the shop's prices are in GBP"),
        ({"tax_included": True}, "COLA-24 costs 14.00 GBP with tax; the shop's prices are in GBP"),
        ({"currency": "EUR", "price_list": "TRADE"}, "the shop's list 501 are in GBP"),
    ],
)
def test_another_currency_or_tax_fails_alone(house, more, said):
    cola = priced(house, "COLA-24", "14.00", **more)
    house.price("TONIC-12", "9.99")
    house.settle()
    assert house.link(cola, "shop")["status"] == "parked"
    assert said in house.link(cola, "shop")["message"]
    assert (standing(house, 1), standing(house, 3)) == ("13.20", "9.99")


@pytest.mark.parametrize("more", [{"currency": "EUR"}, {"tax_included": True}])
def test_of_prices_for_several_markets_the_shop_takes_its_own(house, more):
    for part, amount, market in (("a", "14.00", more), ("b", "13.50", {})):
        priced(house, "COLA-24", amount, part, **market)
        priced(house, "COLA-24", amount, f"{part}1", price_list="TRADE", **market)
        step = {"price_list": "TRADE", "min_quantity": 6}
        priced(house, "COLA-24", f"{amount[:2]}.25", f"{part}6", **step, **market)
    house.settle()
    assert standing(house) == "13.50"
    assert listed(house)["COLA-24"] == {1: Decimal("13.5"), 6: Decimal("13.25")}
    assert house.link(ref(Kind.PRICE, "erp", "COLA-24:a"), "shop")["status"] == "synced"


def test_steps_without_a_first_price_are_refused_alone(house):
    cola = house.price("COLA-24", "11", "t6", price_list="TRADE", min_quantity=6)
    house.price("TONIC-12", "7.00", "t1", price_list="TRADE")
    house.settle()
    assert "from a quantity on, and none for one" in house.link(cola, "shop")["message"]
    assert listed(house) == {"TONIC-12": {1: 7}}


def test_a_refused_step_stops_no_other(house):
    for n in range(2, 14):
        cola = house.price("COLA-24", f"{15 - n / 10:.2f}", f"t{n:02}", price_list="TRADE",
                           min_quantity=n)  # fmt: skip
    house.price("COLA-24", "15", "t01", price_list="TRADE")
    house.price("TONIC-12", "7.00", "t1", price_list="TRADE")
    house.price("TONIC-12", "6.50", "t5", price_list="TRADE", min_quantity=5)
    house.settle()
    del cola
    parked = house.link(ref(Kind.PRICE, "erp", "COLA-24:t01"), "shop")
    assert parked["status"] == "parked"
    assert parked["message"].startswith("COLA-24 on list 501: ")
    assert listed(house)["TONIC-12"] == {1: 7, 5: Decimal("6.5")}


def test_a_refused_price_stops_no_other(house):
    cola = house.price("COLA-24", "9999999999999999999")
    house.price("TONIC-12", "9.99")
    house.settle()
    assert house.link(cola, "shop")["status"] == "parked"
    assert standing(house, 3) == "9.99"


def test_a_list_there_is_not_is_named():
    house = Back()
    house.map("pricelist", "77", "TRADE")
    house.price("COLA-24", "14.00")
    cola = house.price("COLA-24", "12.00", "t1", price_list="TRADE")
    house.settle()
    (link,) = (
        link
        for link in (house.link(one, "shop") for one in (cola, ref(Kind.PRICE, "erp", "COLA-24:")))
        if link["status"] == "parked"
    )
    assert link["message"] == "COLA-24: the shop has no price list 77"
    assert standing(house) == "14.00"


@pytest.mark.parametrize("kind", ["commit_then_silence", "truncate", "drop"])
@pytest.mark.parametrize("call", [STANDING, LISTED, STEPS])
def test_a_lost_answer_is_waited_out_and_done_once(house, call, kind):
    house.fault(kind, call)
    house.price("COLA-24", "14.00")
    house.price("COLA-24", "12.00", "t1", price_list="TRADE")
    house.price("COLA-24", "11.00", "t6", price_list="TRADE", min_quantity=6)
    house.settle()
    assert standing(house) == "14.00"
    assert listed(house)["COLA-24"] == {1: 12, 6: 11}
    done = ("price_update", "price_list_update", "quantity_pricing_update")
    assert [house.accepted[name] for name in done] == [1, 1, 1]


def test_our_own_price_coming_back_by_webhook_stops_there(house):
    house.price("COLA-24", "14.00")
    house.settle()
    assert house.hear() > 0
    house.settle()
    assert house.accepted["price_update"] == 1
    assert [event for kind, event in house.events if kind == "DriftFound"] == []


# -- products --------------------------------------------------------------------------------------


def test_what_is_not_sold_any_more_is_a_draft(house):
    house.product("COLA-24", is_active=False)
    house.product("TONIC-12")
    house.settle()
    assert (status(house, 2), status(house, 4)) == ("DRAFT", "ACTIVE")
    assert house.accepted["product_update"] == 1
    house.product("COLA-24")
    house.settle()
    assert status(house, 2) == "ACTIVE"


@pytest.mark.parametrize("word", ["ARCHIVED", "UNLISTED"])
def test_what_people_say_of_a_product_stands_while_it_is_sold(house, word):
    write = (
        "mutation($p: ProductUpdateInput) { productUpdate(product: $p) { userErrors { message } } }"
    )
    house.ask(write, p={"id": "gid://shopify/Product/2", "status": word})
    house.product("COLA-24")
    house.settle()
    assert status(house) == word
    house.product("COLA-24", is_active=False)
    house.settle()
    assert status(house) == ("ARCHIVED" if word == "ARCHIVED" else "DRAFT")


def product_of(house, sku):
    query = (
        "query($q: String!) { productVariants(first: 1, query: $q) { nodes { product { id } } } }"
    )
    (found,) = house.ask(query, q=f"sku:'{sku}'")["productVariants"]["nodes"]
    return found["product"]["id"].rpartition("/")[2]


MIXED = {
    "title": "Ale",
    "options": ["Pack"],
    "variants": [
        {"sku": "ALE", "option1": "1", "price": "1.00"},
        {"sku": "ALE-CASE", "option1": "24", "price": "20.00"},
        {"option1": "sample", "price": "0.00"},
    ],
}


def test_a_product_goes_only_where_all_it_sells_is_the_items():
    ale = CatalogueItem(sku="ALE", name="Ale", units_per_case=24, case_sku="ALE-CASE")
    house = Back(seed={"products": [MIXED]}, items=[ale])
    made = product_of(house, "ALE")
    house.product("ALE", is_active=False)
    house.settle()
    assert status(house, made) == "DRAFT"
    other = Back(seed={"products": [MIXED]}, items=[CatalogueItem(sku="ALE", name="Ale")])
    made = product_of(other, "ALE")
    other.product("ALE", is_active=False)
    other.settle()
    assert status(other, made) == "ACTIVE"


def test_a_lost_answer_of_a_product_is_done_once(house):
    house.fault("commit_then_silence", PRODUCT)
    house.product("COLA-24", is_active=False)
    house.settle()
    assert status(house) == "DRAFT"
    assert house.accepted["product_update"] == 1


def test_variants_of_products_are_listed_for_maps(house):
    found = {one.code: one for one in house.adapter.items(house.shop, house.connection)}
    assert set(found) == {one["sku"] for one in VARIANTS}
    assert found["COLA-24"].name.startswith("Cola")
