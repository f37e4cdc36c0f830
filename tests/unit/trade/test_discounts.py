from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.trade.discounts import spread
from tests.unit.trade.goods import money

cents = st.integers(0, 10**7).map(lambda number: Decimal(number) / 100)


def amounts(*texts: str) -> list[Decimal]:
    return [money(text) for text in texts]


def test_v38_a_header_discount_by_largest_remainder():
    assert spread(money("10.00"), amounts("33.33", "33.33", "33.34"), "EUR") == amounts(
        "3.33", "3.33", "3.34"
    )
    assert spread(money("5.00"), amounts("96.00", "22.50", "48.75"), "EUR") == amounts(
        "2.87", "0.67", "1.46"
    )


@pytest.mark.parametrize("cent", range(995, 1006))
def test_v38_nearby_amounts_sum_exactly_too(cent):
    amount = Decimal(cent) / 100
    found = spread(amount, amounts("33.33", "33.33", "33.34"), "EUR")
    assert sum(found) == amount
    assert max(found) - min(found) <= money("0.01")


def test_of_equal_remainders_the_earlier_line_gets_the_cent():
    assert spread(money("0.01"), amounts("1.00", "1.00"), "EUR") == amounts("0.01", "0.00")


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=12))
def test_equal_remainders_are_equal_whatever_the_size_of_the_lines(drawn):
    # A third of lines of a cent over a multiple of three leaves each the same third of a cent.
    thirds = drawn[: len(drawn) // 3 * 3]
    bases = [Decimal(3 * number + 1) / 100 for number in thirds]
    found = spread(sum(bases, Decimal(0)) / 3, bases, "EUR")
    got = len(thirds) // 3
    over = [share * 100 - number for share, number in zip(found, thirds, strict=True)]
    assert over == [1] * got + [0] * (len(thirds) - got)


@given(st.lists(cents, min_size=1, max_size=40), st.data())
def test_i12_shares_sum_exactly_and_none_exceeds_its_line(bases, data):
    whole = sum(bases, Decimal(0))
    amount = Decimal(data.draw(st.integers(0, int(whole * 100)))) / 100
    found = spread(amount, bases, "EUR")
    assert sum(found) == amount
    assert all(0 <= share <= base for share, base in zip(found, bases, strict=True))


@given(st.lists(st.integers(0, 10**6).map(Decimal), min_size=1, max_size=9), st.data())
def test_i12_in_a_currency_without_cents(bases, data):
    amount = Decimal(data.draw(st.integers(0, int(sum(bases)))))
    found = spread(amount, bases, "JPY")
    assert sum(found) == amount
    assert all(share == int(share) for share in found)


@given(st.lists(cents, min_size=1, max_size=5), st.integers(1, 10**7))
def test_more_than_the_lines_have_is_refused(bases, more):
    with pytest.raises(ValueError, match="cannot be spread"):
        spread(sum(bases, Decimal(more) / 100), bases, "EUR")
