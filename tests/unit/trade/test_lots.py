from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.catalogue import LotStock
from fizzbridge.model.customer import Terms
from fizzbridge.trade.lots import (
    best_before,
    fefo,
    last_delivery,
    life_left,
    life_share,
    minimum_days,
    recall,
)

DELIVERY = date(2026, 8, 10)
LOTS = (
    LotStock(lot="C", best_before=date(2027, 1, 15), quantity=200),
    LotStock(lot="A", best_before=date(2026, 9, 30), quantity=40),
    LotStock(lot="B", best_before=date(2026, 11, 27), quantity=120),
)


def test_v35_life_and_the_last_day_of_delivery():
    end = best_before(date(2026, 3, 2), 270)
    assert end == date(2026, 11, 27)
    half, later = date(2026, 7, 15), date(2026, 8, 1)
    assert (life_left(end, half), life_share(end, half, 270)) == (135, Decimal("0.5"))
    assert life_left(end, later) == 118
    assert round(life_share(end, later, 270) * 100, 1) == Decimal("43.7")
    assert minimum_days(Terms(minimum_life_days=180), 270) == 180
    assert last_delivery(end, 180) == date(2026, 5, 31)


@pytest.mark.parametrize("share", ["0.6666", "0.6667", "0.667", "0.6666666666666667"])
def test_v35_two_thirds_are_180_days_however_they_are_written(share):
    assert minimum_days(Terms(minimum_life_share=share), 270) == 180


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_v35_a_day_around_the_last_delivery(days):
    lot = LotStock(lot="A", best_before=date(2026, 11, 27), quantity=10)
    day = date(2026, 5, 31) + timedelta(days=days)
    assert (fefo([lot], 10, day, 180).short == 0) is (days <= 0)


def test_v36_first_expired_first_among_those_that_last():
    assert [life_left(lot.best_before, DELIVERY) for lot in sorted(LOTS, key=lambda o: o.lot)] == [
        51,
        109,
        158,
    ]
    assert fefo(LOTS, 100, DELIVERY, 90).picks == (("B", 100),)
    assert fefo(LOTS, 100, DELIVERY, 0).picks == (("A", 40), ("B", 60))


@pytest.mark.parametrize("least", [50, 51, 52, 108, 109, 110, 157, 158, 159])
def test_v36_a_day_more_of_life_asked_for(least):
    first = {"A": 51, "B": 109, "C": 158}
    fitting = [name for name, days in first.items() if days >= least]
    assert [name for name, _ in fefo(LOTS, 1, DELIVERY, least).picks] == fitting[:1]


def test_blocked_lots_stay_and_what_is_missing_is_said():
    blocked = [lot.model_copy(update={"is_blocked": lot.lot == "B"}) for lot in LOTS]
    plan = fefo(blocked, 300, DELIVERY, 0)
    assert (plan.picks, plan.short) == ((("A", 40), ("C", 200)), 60)
    assert "40 of lot A (until 2026-09-30) + 200 of lot C" in plan.working.text


lots = st.lists(
    st.builds(
        LotStock,
        lot=st.sampled_from("ABCDEFGH"),
        best_before=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
        quantity=st.integers(0, 300),
        is_blocked=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda lot: lot.lot,
)


@given(lots, st.integers(0, 1000), st.integers(0, 200))
def test_picks_never_break_the_rules(given_lots, quantity, least):
    by_name = {lot.lot: lot for lot in given_lots}
    plan = fefo(given_lots, quantity, DELIVERY, least)
    assert sum(taken for _, taken in plan.picks) + plan.short == quantity
    days = [by_name[name].best_before for name, _ in plan.picks]
    assert days == sorted(days)
    for name, taken in plan.picks:
        lot = by_name[name]
        assert taken <= lot.quantity
        assert not lot.is_blocked
        assert life_left(lot.best_before, DELIVERY) >= least


def test_a_recall_names_who_got_how_much():
    assert recall([("bar", 3), ("cafe", 5), ("bar", 4)]) == {"bar": 7, "cafe": 5}


def test_the_longer_of_days_and_share_counts():
    terms = Terms(minimum_life_days=100, minimum_life_share="0.5")
    assert minimum_days(terms, 270) == 135
    assert minimum_days(terms, 150) == 100
    assert minimum_days(terms, None) == 100
