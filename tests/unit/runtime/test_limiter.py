from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.errors import RateLimitedError
from fizzbridge.runtime.limiter import Limiter, NoCapacityError, burst
from fizzbridge.state import ConditionFailedError, TableUnavailableError, Write
from fizzbridge.state.memory import MemoryTable

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def pass_by(self, span):
        self.now += span


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock):
    return Limiter(MemoryTable(), clock)


def refused(limiter, *args):
    with pytest.raises(NoCapacityError) as caught:
        limiter.reserve(*args)
    assert isinstance(caught.value, RateLimitedError)
    assert caught.value.retry_after > timedelta()
    return caught.value.retry_after


def test_slots_are_limited_per_connection(limiter):
    limiter.reserve("erp", 2, 600, 1, "a", 60)
    limiter.reserve("erp", 2, 600, 1, "b", 60)
    refused(limiter, "erp", 2, 600, 1, "c", 60)
    limiter.reserve("books", 2, 600, 1, "c", 60)


def test_a_released_slot_is_free(limiter):
    first = limiter.reserve("erp", 1, 600, 1, "a", 60)
    limiter.release(first, 1)
    limiter.reserve("erp", 1, 600, 1, "b", 60)


def test_a_slot_ends_by_time(limiter, clock):
    limiter.reserve("erp", 1, 600, 1, "a", 3)
    clock.pass_by(timedelta(seconds=2.5))
    assert refused(limiter, "erp", 1, 600, 1, "b", 60) == timedelta(seconds=0.5)
    clock.pass_by(timedelta(seconds=0.5))
    limiter.reserve("erp", 1, 600, 1, "b", 60)


def test_a_holder_takes_its_own_place_again(limiter, clock):
    first = limiter.reserve("erp", 1, 600, 1, "a", 60)
    clock.pass_by(timedelta(seconds=1))
    second = limiter.reserve("erp", 1, 600, 1, "a", 60)
    limiter.release(first, 0)
    refused(limiter, "erp", 1, 600, 1, "b", 60)
    limiter.release(second, 0)
    limiter.reserve("erp", 1, 600, 1, "b", 60)


def test_tokens_come_back_when_it_says(limiter, clock):
    limiter.reserve("erp", 9, 60, 10, "a", 60)
    wait = refused(limiter, "erp", 9, 60, 5, "b", 60)
    assert wait == timedelta(seconds=6)  # 50 a minute
    clock.pass_by(wait - timedelta(milliseconds=1))
    refused(limiter, "erp", 9, 60, 5, "b", 60)
    clock.pass_by(timedelta(milliseconds=1))
    limiter.reserve("erp", 9, 60, 5, "b", 60)


def test_unused_tokens_are_given_back_once(limiter):
    first = limiter.reserve("erp", 9, 60, 10, "a", 60)
    assert limiter.release(first, 4)
    assert not limiter.release(first, 4)
    limiter.reserve("erp", 9, 60, 6, "b", 60)
    refused(limiter, "erp", 9, 60, 1, "c", 60)


def test_calls_beyond_the_reservation_are_a_debt(limiter, clock):
    limiter.release(limiter.reserve("erp", 9, 60, 10, "a", 60), 15)
    clock.pass_by(timedelta(seconds=6))
    refused(limiter, "erp", 9, 60, 1, "b", 60)


def test_a_refusal_takes_nothing(limiter):
    limiter.reserve("erp", 9, 60, 8, "a", 60)
    refused(limiter, "erp", 9, 60, 3, "b", 60)
    limiter.reserve("erp", 9, 60, 2, "b", 60)


def test_a_large_reservation_waits_for_a_full_bucket(limiter, clock):
    limiter.reserve("erp", 9, 60, 25, "a", 60)
    assert refused(limiter, "erp", 9, 60, 1, "b", 60) == timedelta(seconds=19.2)


def test_a_clock_that_runs_behind_gives_nothing(limiter, clock):
    limiter.reserve("erp", 9, 60, 10, "a", 60)
    clock.pass_by(-MINUTE)
    refused(limiter, "erp", 9, 60, 1, "b", 60)
    clock.pass_by(MINUTE)
    refused(limiter, "erp", 9, 60, 1, "b", 60)


@pytest.mark.parametrize(("parallel", "per_minute"), [(0, 60), (1, 1)])
def test_limits_that_let_nothing_through_are_a_mistake(limiter, parallel, per_minute):
    with pytest.raises(ValueError, match="erp"):
        limiter.reserve("erp", parallel, per_minute, 1, "a", 60)


@pytest.mark.parametrize("per_minute", [2, 3, 6, 20, 60, 120, 200, 1000])
def test_a_drained_bucket_still_gives_most_of_the_allowance(per_minute):
    assert 1 <= burst(per_minute) <= per_minute / 2
    if per_minute >= 200:
        assert burst(per_minute) == per_minute / 20


@given(
    st.integers(2, 300),
    st.integers(1, 4),
    st.lists(
        st.tuples(st.integers(1, 10), st.integers(0, 20_000), st.booleans()),
        min_size=5,
        max_size=60,
    ),
)
def test_no_minute_sees_more_than_its_allowance(per_minute, parallel, steps):
    clock = Clock()
    limiter = Limiter(MemoryTable(), clock)
    used: dict[str, tuple[datetime, int]] = {}
    running: deque = deque()
    for number, (tokens, pause_ms, finishes) in enumerate(steps):
        clock.pass_by(timedelta(milliseconds=pause_ms))
        if finishes and running:
            held = running.popleft()
            limiter.release(held, held.tokens - 1)
            used[held.holder] = (used[held.holder][0], held.tokens - 1)
        running = deque(held for held in running if held.until > clock.now)
        tokens = min(tokens, burst(per_minute))
        try:
            held = limiter.reserve("erp", parallel, per_minute, tokens, f"h{number}", 30)
        except NoCapacityError:
            continue
        running.append(held)
        used[held.holder] = (clock.now, tokens)
        assert len(running) <= parallel
    for begin, _ in used.values():
        window = [n for at, n in used.values() if begin <= at < begin + MINUTE]
        assert sum(window) <= per_minute


def test_threads_never_exceed_the_caps():
    clock = Clock()
    limiter = Limiter(MemoryTable(), clock)
    lock = threading.Lock()
    running, most, granted = set(), 0, []

    def work(number):
        nonlocal most
        try:
            held = limiter.reserve("erp", 3, 600, 2, f"h{number}", 60)
        except NoCapacityError:
            return
        with lock:
            running.add(number)
            most = max(most, len(running))
            granted.append((clock.now, 2))
        with lock:
            running.discard(number)
        limiter.release(held, 2)

    with ThreadPoolExecutor(8) as pool:
        for round_number in range(40):
            list(pool.map(work, range(round_number * 10, round_number * 10 + 10)))
            clock.pass_by(timedelta(milliseconds=200))
    assert 0 < most <= 3
    assert sum(n for _, n in granted) <= burst(600) + 570 * 8 / 60


class Crowd:
    """A table where somebody else is always a moment earlier."""

    def __init__(self, table):
        self.table = table

    def get(self, pk, sk, *, consistent=True):
        return self.table.get(pk, sk)

    def write(self, write):
        row = self.table.get(write.pk, write.sk)
        raise ConditionFailedError([row], [0])


class Outage:
    """A table that does not serve."""

    def get(self, pk, sk, *, consistent=True):
        raise TableUnavailableError


def test_a_crowd_at_the_row_is_told_to_come_back(clock):
    table = MemoryTable()
    held = Limiter(table, clock).reserve("erp", 3, 60, 1, "a", 60)
    crowded = Limiter(Crowd(table), clock)
    refused(crowded, "erp", 3, 60, 1, "b", 60)
    assert not crowded.release(held, 1)


def test_work_that_is_done_survives_a_failed_release(limiter, clock):
    held = limiter.reserve("erp", 3, 60, 1, "a", 60)
    broken = Limiter(Outage(), clock)
    assert not broken.release(held, 1)
    with pytest.raises(TableUnavailableError):
        broken.reserve("erp", 3, 60, 1, "a", 60)


def test_the_row_is_small_and_readable(clock):
    table = MemoryTable()
    Limiter(table, clock).reserve("erp", 3, 60, 1, "a|b", 60)
    row = table.get("CONNECTION#erp", "SLOTS")
    assert row["slots"] == ["a|b|2026-03-01T00:01:00.000000Z"]
    table.write(Write("CONNECTION#erp", "SLOTS", set={"slots": []}))
    Limiter(table, clock).reserve("erp", 1, 60, 1, "c", 60)


def test_who_yields_lets_those_go_first_who_wait(limiter, clock):
    levels = limiter.reserve("erp", 1, 600, 6, "levels", 60, yields=True)
    refused(limiter, "erp", 1, 600, 1, "document", 60)
    limiter.release(levels, 2)
    with pytest.raises(NoCapacityError):
        limiter.reserve("erp", 1, 600, 1, "more levels", 60, yields=True)
    document = limiter.reserve("erp", 1, 600, 1, "document", 60)
    limiter.release(document, 1)
    limiter.reserve("erp", 1, 600, 1, "more levels", 60, yields=True)


def test_nobody_yields_for_ever_to_one_who_never_comes_back(limiter, clock):
    levels = limiter.reserve("erp", 1, 600, 6, "levels", 60, yields=True)
    wait = refused(limiter, "erp", 1, 600, 1, "document", 60)
    limiter.release(levels, 2)
    clock.pass_by(wait + timedelta(seconds=5))
    limiter.reserve("erp", 1, 600, 1, "more levels", 60, yields=True)


def test_one_who_yields_makes_nobody_wait(limiter):
    limiter.reserve("erp", 1, 600, 1, "levels", 60, yields=True)
    with pytest.raises(NoCapacityError):
        limiter.reserve("erp", 1, 600, 1, "more levels", 60, yields=True)
    limiter.reserve("erp", 2, 600, 1, "even more", 60, yields=True)


def test_one_who_yields_gets_a_turn_beside_those_who_never_stop_asking(limiter, clock):
    """Six with documents ask again a second after each; one batch of stock comes each second."""
    start, got = clock.now, 0
    asks = dict.fromkeys(range(6), start)
    while clock.now < start + timedelta(minutes=10):
        for one in (one for one, at in asks.items() if at <= clock.now):
            try:
                slot = limiter.reserve("shop", 4, 60, 12, f"{one}-{clock.now}", 60)
                limiter.release(slot, 6)
                wait = timedelta(seconds=1)
            except NoCapacityError as full:
                wait = full.retry_after
            asks[one] = clock.now + wait
        with suppress(NoCapacityError):
            slot = limiter.reserve("shop", 4, 60, 6, f"levels-{clock.now}", 60, yields=True)
            limiter.release(slot, 3)
            got += 1
        clock.pass_by(timedelta(seconds=1))
    assert got > 0


def drained(limiter, clock, per_minute, minutes, used=3):
    """Who works off a backlog: asks as often as it may, a few calls each time."""
    calls = []
    until = clock.now + timedelta(minutes=minutes)
    number = 0
    while clock.now < until:
        number += 1
        with suppress(NoCapacityError):
            args = ("erp", 4, per_minute, 12, f"h{number}", 60)
            held = limiter.reserve(*args, learns=True)
            for _ in range(used):
                clock.pass_by(timedelta(milliseconds=20))
                calls.append(clock.now)
            limiter.release(held, used)
        clock.pass_by(timedelta(milliseconds=100))
    return calls


@pytest.mark.parametrize(
    ("per_minute", "least"), [(30, 0.90), (60, 0.94), (120, 0.95), (600, 0.97)]
)
def test_f34_a_backlog_gets_nearly_the_whole_allowance_and_no_minute_more(
    limiter, clock, per_minute, least
):
    calls = drained(limiter, clock, per_minute, 12)
    late = [at for at in calls if at >= START + timedelta(minutes=4)]
    assert len(late) / 8 / per_minute >= least
    for at in calls[:: max(len(calls) // 200, 1)]:
        assert sum(at <= other < at + MINUTE for other in calls) <= per_minute


def test_a_bucket_that_was_full_gives_less_for_a_minute(limiter, clock):
    """A minute that begins with a full bucket may add only the rest of the allowance."""
    drained(limiter, clock, 60, 10)
    clock.pass_by(timedelta(minutes=10))
    taken = []
    until = clock.now + MINUTE
    while clock.now < until:
        with suppress(NoCapacityError):
            held = limiter.reserve("erp", 9, 60, 1, f"h{len(taken)}-{clock.now}", 60)
            limiter.release(held, 1)
            taken.append(clock.now)
        clock.pass_by(timedelta(milliseconds=100))
    assert 55 <= len(taken) <= 60


@given(
    st.integers(4, 300),
    st.lists(
        st.tuples(st.integers(0, 45_000), st.integers(1, 12), st.integers(1, 12)),
        min_size=5,
        max_size=60,
    ),
)
def test_no_minute_sees_more_however_greedy_they_are(per_minute, steps):
    """After each pause as much is taken as there is; some of it is not needed and given back."""
    clock = Clock()
    limiter = Limiter(MemoryTable(), clock)
    used: list[tuple[datetime, int]] = []
    for number, (pause_ms, tokens, needed) in enumerate(steps):
        clock.pass_by(timedelta(milliseconds=pause_ms))
        tokens = min(tokens, burst(per_minute))
        with suppress(NoCapacityError):
            for again in range(per_minute):
                held = limiter.reserve("erp", 1, per_minute, tokens, f"h{number}-{again}", 30)
                limiter.release(held, min(needed, tokens))
                used.append((clock.now, min(needed, tokens)))
    for begin, _ in used:
        assert sum(n for at, n in used if begin <= at < begin + MINUTE) <= per_minute


def test_what_others_needed_is_what_is_set_aside(limiter, clock):
    first = limiter.reserve("erp", 9, 6000, 12, "a", 60, learns=True)
    assert first.tokens == 12
    limiter.release(first, 3)
    assert limiter.reserve("erp", 9, 6000, 12, "b", 60, learns=True).tokens == 3


def test_a_greater_need_counts_at_once_and_a_lesser_one_little_by_little(limiter, clock):
    needed = []
    for number, used in enumerate([3, 8, 3, 3, 3, 3, 3, 3, 3]):
        held = limiter.reserve("erp", 9, 6000, 12, f"h{number}", 60, learns=True)
        limiter.release(held, used)
        needed.append(limiter.reserve("erp", 9, 6000, 12, f"p{number}", 1, learns=True).tokens)
        clock.pass_by(MINUTE)
    assert needed == [3, 8, 7, 6, 5, 4, 3, 3, 3]


def test_never_more_is_set_aside_than_was_asked_for(limiter):
    limiter.release(limiter.reserve("erp", 9, 6000, 12, "a", 60, learns=True), 30)
    assert limiter.reserve("erp", 9, 6000, 12, "b", 60, learns=True).tokens == 12


def test_who_knows_what_it_needs_gets_that(limiter):
    limiter.release(limiter.reserve("erp", 9, 6000, 12, "a", 60, learns=True), 3)
    assert limiter.reserve("erp", 9, 6000, 7, "b", 60).tokens == 7
