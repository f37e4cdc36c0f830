from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from fizzbridge.runtime.leases import Lease, acquire, release
from fizzbridge.state.cursors import Cursor, CursorMovedError, Cursors, cursor_key
from fizzbridge.state.memory import MemoryTable

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def table():
    return MemoryTable()


@pytest.fixture
def cursors(table):
    return Cursors(table, lambda: NOW)


def test_a_new_cursor_is_at_the_beginning(cursors):
    assert cursors.read("shop", "orders") == Cursor("shop", "orders", "", 0)


def test_a_cursor_moves_on(cursors):
    first = cursors.advance(cursors.read("shop", "orders"), "page-1")
    second = cursors.advance(first, "page-2")
    assert second == cursors.read("shop", "orders") == Cursor("shop", "orders", "page-2", 2)
    assert cursors.read("shop", "refunds").revision == 0


def test_who_reads_an_old_place_moves_nothing(cursors):
    old = cursors.read("shop", "orders")
    current = cursors.advance(old, "page-1")
    with pytest.raises(CursorMovedError) as caught:
        cursors.advance(old, "page-0")
    assert caught.value.current == current


def test_the_lease_of_a_poller_lies_on_the_same_row(table, cursors):
    lease = acquire(table, *cursor_key("shop", "orders"), "poller", 60, NOW)
    assert isinstance(lease, Lease)
    cursors.advance(cursors.read("shop", "orders"), "page-1")
    assert release(table, lease)
    assert cursors.read("shop", "orders").position == "page-1"


def test_of_many_pollers_one_moves_the_cursor(cursors):
    start = cursors.read("shop", "orders")

    def move(number):
        try:
            return cursors.advance(start, str(number))
        except CursorMovedError:
            return None

    with ThreadPoolExecutor(8) as pool:
        moved = [cursor for cursor in pool.map(move, range(40)) if cursor]
    assert moved == [cursors.read("shop", "orders")]
