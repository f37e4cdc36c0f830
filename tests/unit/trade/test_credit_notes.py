from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.money import to_minor_unit
from fizzbridge.trade.credit_notes import credited
from tests.unit.trade.goods import money


def singles(total: str, quantity: int) -> list[Decimal]:
    return [credited(money(total), quantity, done, 1, "EUR") for done in range(quantity)]


def test_v53_single_cases_credited_one_by_one():
    assert 7 * money("9.99") - money("5.00") == money("64.93")
    found = singles("64.93", 7)
    assert found == [money(text) for text in ("9.28", "9.27") * 3 + ("9.28",)]
    assert sum(found) == money("64.93")
    naive = to_minor_unit(money("64.93") / 7, "EUR") * 7
    assert naive == money("64.96"), "which would credit more than was invoiced"
    assert singles("12.99", 7) == [money(text) for text in ("1.86", "1.85") * 3 + ("1.86",)]


@given(
    st.integers(0, 10**7).map(lambda cents: Decimal(cents) / 100),
    st.lists(st.integers(1, 50), min_size=1, max_size=20),
)
def test_i4_parts_sum_to_the_line_in_whatever_steps(total, steps):
    quantity, done, found = sum(steps), 0, []
    for step in steps:
        found.append(credited(total, quantity, done, step, "EUR"))
        done += step
        assert 0 <= sum(found) <= total
    assert sum(found) == total


@pytest.mark.parametrize(
    ("quantity", "before", "now"), [(7, 7, 1), (7, 0, 8), (7, -1, 1), (7, 1, -1), (0, 0, 0)]
)
def test_i4_more_than_the_line_is_refused(quantity, before, now):
    with pytest.raises(ValueError, match="quantity"):
        credited(money("10.00"), quantity, before, now, "EUR")
