from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.catalogue import ListPrice
from fizzbridge.trade.prices import amount, choose, step_up
from tests.unit.trade.goods import money

DAY = date(2026, 11, 20)


def price(text: str, least: int = 1, **more) -> ListPrice:
    fields = {"sku": "COLA330", "price": text, "min_quantity": least, "currency": "EUR"}
    return ListPrice.model_validate(fields | more)


TIERS = [price("10.20"), price("9.60", 10), price("9.20", 54), price("8.85", 108)]


def chosen(
    *prices: ListPrice, quantity=1, account="", group="", mixed=None, day=DAY, currency="EUR"
):
    return choose(
        prices,
        "COLA330",
        quantity,
        account_list=account,
        group_list=group,
        mixed=mixed,
        day=day,
        currency=currency,
    )


@pytest.mark.parametrize(
    ("quantity", "due"),
    [(9, "91.80"), (10, "96.00"), (54, "496.80"), (107, "984.40"), (108, "955.80")],
)
def test_v37_tiers_by_the_case(quantity, due):
    assert amount(chosen(*TIERS, quantity=quantity), quantity, "EUR") == money(due)


@pytest.mark.parametrize("quantity", [edge + off for edge in (10, 54, 108) for off in (-1, 0, 1)])
def test_v37_each_tier_starts_at_its_quantity(quantity):
    tier = max((one for one in TIERS if one.min_quantity <= quantity), key=lambda p: p.min_quantity)
    assert chosen(*TIERS, quantity=quantity).price is tier


def test_v37_a_step_up_that_costs_less():
    assert step_up(TIERS, 104, "EUR") == (108, money("955.80"))
    assert 104 * money("9.20") == money("956.80")
    assert step_up(TIERS, 103, "EUR") is None
    assert step_up(TIERS, 108, "EUR") is None
    assert step_up(TIERS, 0, "EUR") is None


@given(st.integers(1, 200))
def test_a_step_up_is_more_for_less(quantity):
    found = step_up(TIERS, quantity, "EUR")
    now = amount(chosen(*TIERS, quantity=quantity), quantity, "EUR")
    if found:
        assert found[0] > quantity
        assert found[1] < now


LIST, GROUP = price("10.00"), price("9.00", price_list="bars")
PROMOTION, CONTRACT = price("8.00", is_promotion=True), price("9.50", price_list="4711")


def test_a_mix_group_reaches_its_tier_together():
    mixed = [one.model_copy(update={"mix_group": "cans"}) for one in TIERS]
    found = chosen(*mixed, quantity=4, mixed={"cans": 54})
    assert (found.price.min_quantity, found.quantity, found.tiers) == (54, 54, tuple(mixed))
    alone = choose(
        TIERS, "COLA330", 4, account_list="", mixed={"cans": 54}, day=DAY, currency="EUR"
    )
    assert (alone.price.min_quantity, alone.quantity) == (1, 4)


def test_i15_the_tiers_told_are_those_of_the_list_that_holds():
    theirs = price("1.00", 10, price_list="4712")
    old = price("2.00", 10, price_list="4711", valid_to=date(2026, 11, 19))
    step = price("7.00", 10, price_list="4711")
    found = chosen(*TIERS, PROMOTION, CONTRACT, theirs, old, step, account="4711")
    assert found.tiers == (CONTRACT, step)


def test_i15_the_price_of_another_account_is_nobodys():
    every = (LIST, GROUP, PROMOTION, CONTRACT)
    assert chosen(*every, account="4711").price is CONTRACT, "though others are lower"
    assert chosen(*every, account="4712").price is PROMOTION
    assert chosen(LIST, GROUP, CONTRACT, group="bars").price is GROUP
    assert chosen(LIST, GROUP, CONTRACT).price is LIST
    assert chosen(CONTRACT) is None


@pytest.mark.parametrize(
    ("day", "is_valid"),
    [
        (date(2026, 10, 31), False),
        (date(2026, 11, 1), True),
        (date(2026, 11, 30), True),
        (date(2026, 12, 1), False),
    ],
)
def test_a_promotion_has_its_days(day, is_valid):
    november = PROMOTION.model_copy(
        update={"valid_from": date(2026, 11, 1), "valid_to": date(2026, 11, 30)}
    )
    found = chosen(LIST, november, day=day)
    assert found.kind == ("promotion" if is_valid else "list")


def test_a_price_of_another_currency_or_item_is_none():
    assert chosen(LIST, currency="GBP") is None
    assert choose([LIST], "LEMON", 1, account_list="", day=DAY, currency="EUR") is None


@given(st.integers(1, 10**5), st.integers(1, 10**5))
def test_an_amount_is_price_times_quantity(number, quantity):
    text = str(Decimal(number) / 100)
    assert amount(chosen(price(text)), quantity, "EUR") == Decimal(number) / 100 * quantity
