from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.catalogue import Receipt, StockLevel
from fizzbridge.model.entity import Kind, ref
from fizzbridge.settings import StockPolicy
from fizzbridge.trade.replenishment import (
    days_of_cover,
    demand_in,
    position,
    reorder_point,
    safety_stock,
    seasonal_indices,
    suggestion,
    target,
)
from tests.unit.trade.goods import COLA, item, money

MONTHS = [28, 27, 31, 38, 47, 55, 61, 58, 42, 35, 33, 49]


def cases(**changes):
    """The item counted in cases: 42 a day give or take 11, a week from order to receipt."""
    demand = {"daily_demand": "42", "demand_deviation": "11", "lead_time_days": "7"}
    packs = {"base_unit": "CASE", "units_per_case": 1, "service_level": "95"}
    return item(**demand | packs | changes)


def level(on_hand=310, reserved=96, on_order=216) -> StockLevel:
    return StockLevel(
        product=ref(Kind.PRODUCT, "erp", "COLA330"),
        location="WH",
        on_hand=on_hand,
        reserved=reserved,
        on_order=(Receipt(due_on=date(2026, 12, 1), quantity=on_order),),
        as_of=datetime(2026, 11, 20, tzinfo=UTC),
    )


def test_v44_safety_stock_and_reorder_point():
    assert safety_stock(cases()) == 48
    assert reorder_point(cases()) == 342
    assert safety_stock(cases(service_level="98")) == 60
    unsteady = cases(lead_time_deviation="2")
    assert (safety_stock(unsteady), reorder_point(unsteady)) == (147, 441)


def test_v45_a_weekly_review_orders_layers_or_pallets():
    assert (safety_stock(cases(), 7), target(cases(), 7)) == (68, 656)
    assert position(level()) == 430
    for unit, quantity in (("CASE", 226), ("LAYER", 234), ("PALLET", 324)):
        policy = StockPolicy(review_days=7, reorder_unit=unit)
        found = suggestion(cases(), level(), policy)
        assert found is not None
        assert (found.level, found.quantity) == (656, quantity)


def test_v45_without_such_a_unit_whole_cases_are_ordered():
    unlayered = item(
        daily_demand="1008",
        demand_deviation="264",
        lead_time_days="7",
        service_level="95",
        cases_per_layer=None,
    )
    policy = StockPolicy(review_days=7, reorder_unit="LAYER")
    found = suggestion(unlayered, level(), policy)
    assert found is not None
    assert found.quantity % 24 == 0
    assert 0 <= found.position + found.quantity - found.level < 24


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_v45_one_case_around_the_reorder_point(off):
    found = suggestion(cases(), level(342 + off, 0, 0), StockPolicy())
    assert found is not None
    assert bool(found.quantity) is (off <= 0)


def test_v46_days_of_cover():
    assert days_of_cover(214, money("42")) == money("5.1")
    assert days_of_cover(214, money("60.9")) == money("3.5")
    assert days_of_cover(214, money("0")) == 0


def test_v47_the_season():
    indices = seasonal_indices(MONTHS)
    assert sum(MONTHS) / 12 == 42
    assert (indices[6], indices[1]) == (money("1.45"), money("0.64"))
    july = demand_in(cases(monthly_demand=" ".join(map(str, MONTHS))), 7)
    assert (july, days_of_cover(214, july)) == (money("60.9"), money("3.5"))


@given(st.lists(st.integers(1, 1000), min_size=12, max_size=12))
def test_v47_twelve_indices_sum_to_twelve(months):
    assert abs(sum(seasonal_indices(months)) - 12) <= money("0.06")


def test_a_year_has_twelve_months():
    with pytest.raises(ValidationError, match="twelve months"):
        cases(monthly_demand="1 2 3")


@pytest.mark.parametrize(
    ("service", "z"),
    [("90", "1.282"), ("95", "1.645"), ("97.5", "1.960"), ("98", "2.054"), ("99", "2.326")],
)
def test_every_service_level_has_its_quantile(service, z):
    of = cases(service_level=service, lead_time_days="1", demand_deviation="1000")
    assert safety_stock(of) == int(money(z) * 1000)


def test_another_service_level_is_named():
    with pytest.raises(ValueError, match="service_level: 93"):
        safety_stock(cases(service_level="93"))


def test_without_demand_nothing_is_suggested():
    assert suggestion(COLA, level(), StockPolicy()) is None
    with pytest.raises(ValueError, match="COLA330: daily_demand"):
        reorder_point(COLA)


@given(st.integers(0, 2000), st.integers(0, 500), st.integers(0, 1000))
def test_what_is_suggested_comes_in_whole_units_and_reaches_the_target(on_hand, reserved, coming):
    policy = StockPolicy(review_days=7, reorder_unit="LAYER")
    found = suggestion(cases(), level(on_hand, reserved, coming), policy)
    assert found is not None
    assert found.quantity % 9 == 0
    assert found.position + found.quantity >= found.level or found.quantity == 0
    if found.quantity:
        assert found.position + found.quantity - 9 < found.level


def test_nothing_is_ordered_that_would_spoil():
    short_lived = cases(shelf_life_days=8)
    found = suggestion(short_lived, level(0, 0, 0), StockPolicy(review_days=7))
    assert found is not None
    assert found.quantity == 8 * 42
    assert Decimal(found.quantity) <= 8 * money("42")
