from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.trade.service import days_sales_outstanding, fill, margin
from fizzbridge.trade.settlement import difference
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


@pytest.mark.parametrize("back", [10, 11, 12])
def test_v61_what_a_van_must_explain(back):
    assert difference(loaded=120, delivered=107, back=back, damaged=1) == 12 - back


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_a_fill_is_a_part_of_the_whole(done, wanted):
    percent = fill(min(done, wanted), wanted)
    assert 0 <= percent <= 100
    assert (percent == 100) is (done >= wanted or fill(done, wanted) == 100)
