from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.catalogue import LotStock, Receipt, StockLevel
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.units import Unit
from fizzbridge.settings import StockPolicy
from fizzbridge.trade.availability import available, promise, publish
from tests.unit.trade.goods import COLA, item

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASE_ITEM = item(base_unit="CASE", units_per_case=None, daily_demand="100.8")
"""Kept in cases, and sold at 4.2 cases an hour."""


def level(on_hand: int, reserved: int = 0, **more) -> StockLevel:
    product = ref(Kind.PRODUCT, "erp", "COLA330")
    fields = {"product": product, "location": "WH", "as_of": NOW} | more
    return StockLevel(on_hand=on_hand, reserved=reserved, **fields)


def found(stock: StockLevel, in_flight=0, of=CASE_ITEM, **policy) -> int:
    return available(stock, in_flight, of, StockPolicy(**policy), NOW).available


def test_v42_on_hand_less_reserved_less_a_buffer():
    stock = level(310, 96)
    assert found(stock) == 214
    assert found(stock, buffer_cases=20) == 194
    assert found(stock, buffer_percent=10) == 192


def test_v42_available_to_promise():
    days = [date(2026, 12, day) for day in (3, 5, 6)]
    moves = promise(214, [Receipt(due_on=days[1], quantity=216)], [(days[0], 150), (days[2], 120)])
    assert moves == [(days[0], 64), (days[1], 280), (days[2], 160)]


@pytest.mark.parametrize("minutes", [59, 60, 61, 120])
def test_v42_an_old_level_is_lowered_by_what_was_sold_since(minutes):
    stock = level(310, 96, as_of=NOW - timedelta(minutes=minutes))
    made = available(stock, 0, CASE_ITEM, StockPolicy(), NOW)
    assert made.stale == {59: 0, 60: 0, 61: 5, 120: 9}[minutes]
    assert made.available == 214 - made.stale


def test_cases_of_the_buffer_are_in_base_units():
    assert found(level(310), of=COLA, buffer_cases=2) == 310 - 48


def test_an_item_kept_in_cases_keeps_cases_back():
    assert found(level(310), of=item(base_unit="CASE"), buffer_cases=2) == 310 - 2


def test_lots_that_are_blocked_are_not_there():
    day = date(2027, 1, 1)
    lots = (
        LotStock(lot="A", best_before=day, quantity=40),
        LotStock(lot="B", best_before=day, quantity=60, is_blocked=True),
    )
    assert found(level(100, lots=lots)) == 40


levels = st.integers(-1000, 10_000)


@given(levels, levels, st.integers(0, 10_000), st.integers(0, 100), st.integers(0, 50))
def test_i8_nothing_below_nought_is_published(on_hand, reserved, in_flight, percent, cases):
    policy = {"buffer_percent": percent, "buffer_cases": cases}
    base = found(level(on_hand, reserved), in_flight, COLA, **policy)
    assert base >= 0
    assert base <= max(on_hand - reserved - in_flight, 0)
    for unit in (Unit.EACH, Unit.CASE, Unit.PALLET):
        offered = publish(base, COLA, unit)
        assert 0 <= offered * COLA.factor(unit) <= base
    assert publish(-base - 1, COLA, Unit.CASE) == 0


def test_a_unit_the_item_does_not_have_is_not_offered():
    assert publish(100, CASE_ITEM, Unit.PALLET) == 0


def test_the_working_shows_every_part():
    stock = level(310, 96, as_of=NOW - timedelta(hours=2))
    text = available(stock, 10, CASE_ITEM, StockPolicy(buffer_cases=20), NOW).working.text
    assert "310 on hand - 96 reserved - 10 in flight - 20 kept back - 9 sold since" in text
    assert text.endswith("= 175")
    assert Decimal(175) == 310 - 96 - 10 - 20 - 9
