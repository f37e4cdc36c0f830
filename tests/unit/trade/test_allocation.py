from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.trade.allocation import Demand, by_order_time, fair_share, open_quantity

START = datetime(2026, 11, 20, tzinfo=UTC)


def demands(*quantities: int, priorities=()) -> list[Demand]:
    return [
        Demand(
            str(place),
            quantity,
            START + timedelta(minutes=place),
            priorities[place] if priorities else 0,
        )
        for place, quantity in enumerate(quantities)
    ]


def test_v43_fair_share_by_largest_remainder():
    assert list(fair_share(100, demands(60, 50, 40)).values()) == [40, 33, 27]
    assert list(fair_share(10, demands(7, 7, 7)).values()) == [4, 3, 3]


def test_v43_the_first_class_first_then_the_others_share():
    found = fair_share(100, demands(60, 50, 40, priorities=(0, 1, 1)))
    assert list(found.values()) == [60, 22, 18]


@pytest.mark.parametrize("stock", range(97, 104))
def test_v43_nearby_stock_is_given_out_whole(stock):
    assert sum(fair_share(stock, demands(60, 50, 40)).values()) == stock


@pytest.mark.parametrize("loose", [-1, 0, 1, 23])
def test_v43_shares_of_cans_are_whole_cases(loose):
    stock = 100 * 24 + loose
    found = fair_share(stock, demands(60 * 24, 50 * 24, 40 * 24), 24)
    assert sum(found.values()) == stock // 24 * 24
    if loose >= 0:
        assert [share // 24 for share in found.values()] == [40, 33, 27]


def test_less_than_a_case_is_given_whole_or_not_at_all():
    assert fair_share(30, demands(24, 6, 24), 24) == {"0": 24, "1": 6, "2": 0}
    assert fair_share(25, demands(24, 6, 24), 24) == {"0": 24, "1": 0, "2": 0}


def test_who_ordered_first_is_served_first():
    assert by_order_time(100, demands(60, 50, 40)) == {"0": 60, "1": 40, "2": 0}
    late_but_dear = demands(60, 50, 40, priorities=(1, 1, 0))
    assert by_order_time(100, late_but_dear) == {"2": 40, "0": 60, "1": 0}


many = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 2)), max_size=12)


@given(st.integers(-10, 3000), many, st.sampled_from([by_order_time, fair_share]))
def test_i8_never_more_than_is_there_and_never_more_than_is_wanted(stock, wants, share):
    listed = demands(*(one for one, _ in wants), priorities=[one for _, one in wants])
    found = share(stock, listed)
    wanted = sum(one.quantity for one in listed)
    assert sum(found.values()) == min(max(stock, 0), wanted)
    assert all(0 <= found[one.key] <= one.quantity for one in listed)


@given(st.integers(-10, 3000), many, st.sampled_from([6, 12, 24]))
def test_i8_whole_cases_are_no_more_than_is_there_either(stock, wants, case):
    listed = demands(*(one for one, _ in wants), priorities=[one for _, one in wants])
    found = fair_share(stock, listed, case)
    assert sum(found.values()) <= max(stock, 0)
    for one in listed:
        assert found[one.key] == one.quantity or found[one.key] % case == 0
        assert 0 <= found[one.key] <= one.quantity
    missing = [one.quantity - found[one.key] for one in listed if found[one.key] < one.quantity]
    left = max(stock, 0) - sum(found.values())
    assert all(min(case, most) > left for most in missing), "a case left while somebody wants it"


@given(st.integers(0, 3000), many, st.randoms(use_true_random=False))
def test_i10_the_order_in_which_demands_are_named_does_not_matter(stock, wants, random):
    listed = demands(*(one for one, _ in wants), priorities=[one for _, one in wants])
    shuffled = listed.copy()
    random.shuffle(shuffled)
    for share in (by_order_time, fair_share):
        assert share(stock, shuffled) == share(stock, listed)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_i5_what_was_ordered_is_accounted_for(shipped, cancelled, backordered, left):
    ordered = shipped + cancelled + backordered + left
    assert open_quantity(ordered, shipped, cancelled, backordered) == left
    if left:
        return
    with pytest.raises(ValueError, match="quantity"):
        open_quantity(ordered - 1, shipped, cancelled, backordered)
