"""Orders that are gone at their source without a word."""

from __future__ import annotations

from datetime import datetime

import pytest

from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.runtime import rows
from fizzbridge.runtime.recheck import Recheck
from fizzbridge.settings import Limits
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.table import Write
from tests.kit.clock import Clock

DAY = "2026-11-20"
ORDERS = [ref(Kind.ORDER, "shop", str(number)) for number in range(1, 9)]
IDS = {order.external_id for order in ORDERS}
HOUR = 3600


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def table(clock):
    table = MemoryTable(clock)
    placed = rows.placed_pk("shop", datetime.fromisoformat(DAY))
    table.transact([Write(placed, str(order), set={"kind": "Order"}) for order in ORDERS])
    for order in ORDERS:
        table.write(Write(str(order), rows.part_sk(Part.REQUEST), set={"deleted": False}))
    return table


@pytest.fixture
def look(table, clock):
    recheck = Recheck(table, "shop", Limits(missing_orders=2), clock)

    def look(*missing, later=HOUR):
        clock.advance(later)
        found = recheck.missed(DAY, recheck.known(DAY), IDS - set(missing))
        assert all(one.body is None and one.part is Part.REQUEST for one in found)
        return {one.ref.external_id for one in found}

    return look


def test_the_orders_of_a_day_are_known(table, clock):
    assert Recheck(table, "shop", Limits(), clock).known(DAY) == ORDERS
    assert Recheck(table, "shop", Limits(), clock).known("2026-11-19") == []


def test_as_many_days_as_wanted_are_looked_through(table, clock):
    days = list(Recheck(table, "shop", Limits(recheck_days=3), clock).days())
    assert days == ["2026-11-20", "2026-11-19", "2026-11-18"]


def test_what_is_missing_twice_is_gone(look):
    assert look("1") == set()
    assert look("1") == {"1"}


def test_two_looks_within_the_hour_are_one(look):
    assert look("1") == set()
    assert look("1", later=60) == set()
    assert look("1") == {"1"}


def test_what_is_there_again_begins_anew(look):
    assert look("1") == set()
    assert look() == set()
    assert look("1") == set()


def test_when_much_is_missing_the_list_is_not_believed(look, caplog):
    assert look("1", "2", "3") == set()
    assert look("1", "2", "3") == set()
    assert "too many orders missing" in caplog.text
    assert look("1", "2") == {"1", "2"}


def test_what_is_known_to_be_gone_is_not_told_again(look, table):
    look("1")
    sk = rows.part_sk(Part.REQUEST)
    table.write(Write(str(ORDERS[0]), sk, set={"deleted": True}))
    assert look("1") == set()
