from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.version import SEED, ReadTime, Sequence, Timestamp

NOON = datetime(2026, 3, 29, 12, 0, 0, 123_456, tzinfo=UTC)
ZONES = [UTC, timezone(timedelta(hours=-9)), timezone(timedelta(hours=5, minutes=45))]
MOMENTS = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.sampled_from(ZONES),
)


def test_a_counting_owner_sorts_by_number_and_not_by_text():
    assert Sequence().version(9) < Sequence().version(10) < Sequence().version(10**12)


@given(st.integers(0, 10**18), st.integers(0, 10**18))
def test_sequences_sort_as_their_numbers(a, b):
    assert (Sequence().version(a) < Sequence().version(b)) == (a < b)


@pytest.mark.parametrize(
    ("precision", "kept"), [("second", 0), ("millisecond", 123_000), ("microsecond", 123_456)]
)
def test_a_stamp_is_cut_to_what_the_owners_clock_resolves(precision, kept):
    exact = Timestamp("microsecond").version(NOON.replace(microsecond=kept))
    assert Timestamp(precision).version(NOON) == exact


@given(MOMENTS, MOMENTS)
def test_f39_stamps_sort_as_the_times_do_whatever_their_zones(a, b):
    clock = Timestamp("microsecond")
    assert (clock.version(a) < clock.version(b)) == (a < b)
    assert (clock.version(a) == clock.version(b)) == (a == b)


def test_f39_one_moment_told_in_two_zones_is_one_version():
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert Timestamp().version(tokyo) == Timestamp().version(NOON)


def test_f39_the_hour_that_comes_twice_stays_in_order():
    first = datetime.fromisoformat("2026-10-25T01:30:00+01:00")
    second = datetime.fromisoformat("2026-10-25T01:30:00+00:00")
    assert Timestamp().version(first) < Timestamp().version(second)


@pytest.mark.parametrize("clock", [Timestamp(), ReadTime()])
def test_a_time_without_zone_is_refused(clock):
    with pytest.raises(ValueError, match="no time zone"):
        clock.version(datetime(2026, 3, 29, 12))  # noqa: DTZ001  # the point


def test_without_a_clock_the_begin_of_the_read_counts_to_the_microsecond():
    later = NOON + timedelta(microseconds=1)
    assert ReadTime().version(NOON) < ReadTime().version(later)


@given(MOMENTS, st.integers(0, 10**18))
def test_a_seed_is_below_every_version(moment, number):
    assert Timestamp().version(moment) > SEED
    assert Sequence().version(number) > SEED
