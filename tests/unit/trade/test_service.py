from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.trade.service import days_sales_outstanding, fill, margin
from tests.unit.trade.goods import money


def test_v58_margin_on_goods_net():
    assert margin(money("96.00"), money("71.00")) == money("26.04")


@pytest.mark.parametrize(
    ("done", "wanted", "percent"), [(138, 150, "92.0"), (11, 12, "91.7"), (46, 50, "92.0")]
)
def test_v59_fill_of_cases_lines_and_orders(done, wanted, percent):
    assert fill(done, wanted) == money(percent)


def test_v60_days_of_sales_outstanding():
    assert days_sales_outstanding(money("84300"), money("252900"), 90) == money("30.0")


@pytest.mark.parametrize("cents", [-1, 0, 1])
def test_v58_a_cent_around_the_margin(cents):
    cost = money("71.00") + money("0.01") * cents
    assert margin(money("96.00"), cost) == money("26.04") - money("0.01") * cents
    assert margin(cost, cost) == 0


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_v59_a_fill_is_the_part_to_the_nearest_tenth(wanted, done):
    percent = fill(done, wanted)
    assert percent * 10 == int(percent * 10)
    assert abs(percent * wanted - 100 * done) * 20 <= wanted
    assert fill(done, wanted) <= fill(done + 1, wanted)


@given(st.integers(1, 10**9), st.integers(1, 365))
def test_v60_sales_that_nobody_paid_are_all_their_days(cents, days):
    sales = money("0.01") * cents
    assert days_sales_outstanding(sales, sales, days) == days
    assert days_sales_outstanding(money("0.00"), sales, days) == 0


@pytest.mark.parametrize(
    ("reckon", "field"),
    [
        (lambda: margin(money("0.00"), money("71.00")), "sold"),
        (lambda: fill(0, 0), "wanted"),
        (lambda: days_sales_outstanding(money("84300"), money("0"), 90), "sales"),
    ],
)
def test_a_part_of_nothing_is_refused_by_name(reckon, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        reckon()
