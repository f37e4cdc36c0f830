from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.runtime.leases import Busy, Lease, acquire, release
from fizzbridge.state import ConditionFailedError, Write
from fizzbridge.state.memory import MemoryTable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ("Order#shop/1", "LINK#erp")


def later(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def table():
    return MemoryTable()


def test_a_lease_makes_the_row_and_returns_it(table):
    lease = acquire(table, *KEY, "one", 70, NOW)
    assert isinstance(lease, Lease)
    assert (lease.fence, lease.until) == (1, later(70))
    assert lease.row == table.get(*KEY)
    assert lease.row["lease_until"] == "2026-03-01T00:01:10.000000Z"


def test_a_lease_leaves_the_row_as_it_is(table):
    table.write(Write(*KEY, set={"wanted": "w", "synced": "s"}))
    lease = acquire(table, *KEY, "one", 70, NOW)
    assert lease.row["wanted"] == "w"


def test_a_held_row_is_busy_until_its_time_is_over(table):
    acquire(table, *KEY, "one", 70, NOW)
    for moment in (NOW, later(70)):
        busy = acquire(table, *KEY, "two", 70, moment)
        assert isinstance(busy, Busy)
        assert busy.until == later(70)
    taken = acquire(table, *KEY, "two", 70, later(70.000001))
    assert isinstance(taken, Lease)
    assert taken.fence == 2


def test_the_fence_survives_a_release(table):
    first = acquire(table, *KEY, "one", 70, NOW)
    assert release(table, first)
    assert set(table.get(*KEY)) == {"pk", "sk", "fence"}
    assert acquire(table, *KEY, "one", 70, NOW).fence == 2


def test_a_lost_lease_neither_writes_nor_releases(table):
    lost = acquire(table, *KEY, "one", 70, NOW)
    kept = acquire(table, *KEY, "two", 70, later(71))
    assert not release(table, lost)
    with pytest.raises(ConditionFailedError):
        table.write(Write(*KEY, set={"synced": "old"}, when=lost.held))
    table.write(Write(*KEY, set={"synced": "new"}, when=kept.held))


def test_a_lease_knows_its_time_left(table):
    lease = acquire(table, *KEY, "one", 70, NOW)
    assert lease.left(later(50)) == timedelta(seconds=20)
    assert lease.left(later(90)) == timedelta()


def test_of_many_one_gets_the_lease(table):
    def attempt(number):
        return acquire(table, *KEY, f"holder-{number}", 70, NOW)

    with ThreadPoolExecutor(16) as pool:
        got = [lease for lease in pool.map(attempt, range(200)) if isinstance(lease, Lease)]
    assert [lease.holder for lease in got] == [table.get(*KEY)["holder"]]


@given(
    st.lists(
        st.tuples(st.sampled_from(["one", "two"]), st.integers(0, 40), st.booleans()), max_size=20
    )
)
def test_fences_only_rise_and_leases_never_overlap(steps):
    table = MemoryTable()
    now, held, fences = NOW, None, []
    for number, (who, seconds, frees) in enumerate(steps):
        now += timedelta(seconds=seconds)
        answer = acquire(table, *KEY, f"{who}-{number}", 30, now)
        if isinstance(answer, Lease):
            assert held is None or held.until < now
            fences.append(answer.fence)
            held = answer
        else:
            assert held is not None
            assert answer.until == held.until >= now
        if frees and held is not None:
            assert release(table, held)
            held = None
    assert fences == sorted(set(fences))
