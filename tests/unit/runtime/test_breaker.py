from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fizzbridge.errors import (
    ConfigurationError,
    ConflictError,
    NotThereError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.runtime.breaker import FAILURES_IN_A_ROW, PROBES, STOPPED_WAIT, Breaker, read
from fizzbridge.settings import Timing
from fizzbridge.state import TableUnavailableError
from fizzbridge.state.memory import MemoryTable
from tests.kit.clock import Clock

DOWN = TargetUnavailableError("503")
BAD_KEY = ConfigurationError("key expired", code="401")


class Line:
    """One connection: each look at it is another invocation's."""

    def __init__(self) -> None:
        self.clock, self.table = Clock(), MemoryTable()

    @property
    def breaker(self) -> Breaker:
        return Breaker(self.table, "erp", self.clock)

    @property
    def state(self):
        return read(self.table, "erp")

    def fail(self, times: int = FAILURES_IN_A_ROW, error=DOWN) -> None:
        for _ in range(times):
            self.breaker.heard(error)

    def answer(self) -> None:
        breaker = self.breaker
        breaker.wait()
        breaker.heard(None)


@pytest.fixture
def line():
    return Line()


def test_a_connection_nobody_said_anything_of_works(line):
    assert line.breaker.wait() is None
    assert line.state.works
    assert line.table.rows() == []


@pytest.mark.parametrize("error", [DOWN, OutcomeUnknownError("no answer"), RateLimitedError("429")])
def test_several_calls_in_vain_in_a_row_open_it(line, error):
    line.fail(FAILURES_IN_A_ROW - 1, error)
    assert line.breaker.wait() is None
    line.fail(1, error)
    assert line.state.name == "open"
    assert line.breaker.wait() == STOPPED_WAIT


def test_an_answer_between_them_begins_the_row_anew(line):
    for _ in range(3):
        line.fail(FAILURES_IN_A_ROW - 1)
        line.answer()
    assert (line.state.name, line.state.failures) == ("closed", 0)


@pytest.mark.parametrize(
    "error", [BAD_KEY, RateLimitedError("the day is over", retry_after=timedelta(hours=3))]
)
def test_one_is_enough_where_it_is_certain(line, error):
    line.fail(1, error)
    assert (line.state.name, line.state.reason) == ("open", error.code)
    asked = error.retry_after or timedelta(0)
    assert line.state.probe_at >= line.clock() + asked - timedelta(seconds=1)


@pytest.mark.parametrize(
    "error",
    [
        TargetRejectedError("credit stop"),
        NotThereError("404"),
        ConflictError("another worker"),
        RateLimitedError("slow", retry_after=timedelta(seconds=2)),
    ],
)
def test_business_is_no_trouble_of_the_connection(line, error):
    for _ in range(4):
        line.fail(3, error)
        line.answer()
    assert line.state.works


def test_a_refused_document_is_an_answer(line):
    line.fail(FAILURES_IN_A_ROW - 1)
    breaker = line.breaker
    breaker.wait()
    breaker.heard(TargetRejectedError("credit stop"))
    assert line.state.failures == 0


def test_nothing_is_written_while_all_goes_well(line):
    for _ in range(10):
        line.answer()
    assert line.table.rows() == []


def test_the_time_between_probes_doubles_up_to_a_limit_and_differs(line):
    line.fail(1, BAD_KEY)
    waits = []
    for _ in range(12):
        waits.append((line.state.probe_at - line.clock()).total_seconds())
        line.clock.advance(waits[-1] - 1)
        assert line.breaker.probe().name == "open"
        line.clock.advance(2)
        assert line.breaker.probe().name == "half-open"
        line.fail(1)
    timing = Timing()
    for number, wait in enumerate(waits):
        longest = min(timing.probe_after * 2**number, timing.probe_at_most)
        assert longest / 2 - 1 <= wait <= longest
    assert len(set(waits)) == len(waits)


def half_open(line) -> None:
    line.fail(1, BAD_KEY)
    line.clock.advance(61)
    line.breaker.probe()
    assert line.state.name == "half-open"


def test_a_half_open_breaker_has_a_handful_of_places_however_many_come_at_once(line):
    half_open(line)
    with ThreadPoolExecutor(8) as pool:
        fates = list(pool.map(lambda _: line.breaker.wait(), range(40)))
    assert fates.count(None) == PROBES
    assert set(fates) == {None, STOPPED_WAIT}


def test_places_that_led_to_no_call_come_back(line):
    half_open(line)
    for _ in range(PROBES):
        assert line.breaker.wait() is None
    line.clock.advance(61)
    line.breaker.probe()
    assert line.breaker.wait() is None


def test_one_answer_closes_it(line):
    half_open(line)
    line.answer()
    assert line.state.works
    assert (line.state.since, line.state.message, line.state.tries) == (None, "", 0)


def test_one_call_in_vain_opens_it_again_and_the_trouble_is_as_old_as_it_was(line):
    half_open(line)
    since = line.state.since
    line.fail(1)
    assert (line.state.name, line.state.since, line.state.tries) == ("open", since, 1)


def test_a_call_that_began_before_it_opened_closes_nothing(line):
    late = line.breaker
    late.wait()
    line.fail(1, BAD_KEY)
    late.heard(None)
    assert line.state.name == "open"


def test_a_pause_and_trouble_know_nothing_of_each_other(line):
    line.breaker.pause("ann", "stocktaking")
    line.fail()
    line.clock.advance(3600)
    assert line.breaker.probe().name == "open", "a paused connection is not probed"
    assert line.breaker.wait() == STOPPED_WAIT
    line.breaker.resume()
    assert line.state.pause is None
    assert line.breaker.probe().name == "half-open"
    line.answer()
    assert line.state.works


def test_a_pause_says_who_why_and_since_when_and_a_second_changes_nothing(line):
    at = line.clock()
    line.breaker.pause("ann", "stocktaking")
    line.clock.advance(60)
    line.breaker.pause("bob", "lunch")
    pause = line.state.pause
    assert (pause.by, pause.why) == ("ann", "stocktaking")
    assert pause.at - at < timedelta(seconds=1)


def test_resuming_has_an_open_breaker_probed_at_once(line):
    line.fail(1, BAD_KEY)
    assert line.breaker.probe().name == "open"
    line.breaker.resume()
    assert line.breaker.probe().name == "half-open"


def test_resuming_what_works_changes_nothing(line):
    line.breaker.resume()
    assert line.table.rows() == []


def test_only_time_that_was_worked_counts(line):
    start = line.clock()
    hour = timedelta(hours=1).total_seconds()
    line.clock.advance(hour)
    line.breaker.pause("ann", "stocktaking")
    line.clock.advance(10 * hour)
    line.fail()
    line.breaker.resume()
    line.clock.advance(hour)
    line.breaker.probe()
    line.clock.advance(hour)
    now = line.clock()
    assert hours(line.state.worked(start, now)) == 1, "it is not worked for yet"
    line.answer()
    line.clock.advance(2 * hour)
    now = line.clock()
    assert hours(line.state.worked(start, now)) == 3
    assert hours(line.state.worked(start + timedelta(hours=5), now)) == 2
    assert hours(line.state.worked(now - timedelta(hours=1), now)) == 1


def hours(span: timedelta) -> int:
    return round(span / timedelta(hours=1))


def test_the_row_stays_small_however_often_it_stops(line):
    start = line.clock()
    for _ in range(80):
        line.breaker.pause("ann", "again")
        line.clock.advance(60)
        line.breaker.resume()
        line.clock.advance(60)
    assert len(line.state.stops) == 50
    worked = line.state.worked(start, line.clock())
    assert timedelta(minutes=49) < worked < timedelta(minutes=80), "patience, where in doubt"


class Down:
    """A table that does not serve."""

    def get(self, pk, sk, *, consistent=True):
        raise TableUnavailableError


def test_a_table_that_is_down_loses_a_note_and_not_the_work(line):
    Breaker(Down(), "erp", line.clock).heard(DOWN)
    with pytest.raises(TableUnavailableError):
        Breaker(Down(), "erp", line.clock).wait()
