from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.customer import Weekday
from fizzbridge.settings import DeliveryPolicy
from fizzbridge.trade.deliveries import fits, pallets, promise

EVERY_DAY = tuple(Weekday)


def policy(zone="Europe/London", cut_off=time(14), **more) -> DeliveryPolicy:
    return DeliveryPolicy(time_zone=zone, cut_off=cut_off, **{"lead_days": 0} | more)


def promised(at: datetime, of: DeliveryPolicy, days=EVERY_DAY) -> date:
    return promise(at, of, days)[0]


@pytest.mark.parametrize(
    ("day", "utc"), [(date(2026, 3, 28), time(13, 59)), (date(2026, 3, 30), time(12, 59))]
)
def test_v48_the_cut_off_is_in_the_depots_own_time(day, utc):
    last = datetime.combine(day, utc, UTC)
    local = last.astimezone(ZoneInfo("Europe/London"))
    assert local.time() == time(13, 59)
    assert promised(last, policy()) == day
    assert promised(last + timedelta(minutes=1), policy()) == day + timedelta(days=1)


@pytest.mark.parametrize(("hour", "fold"), [(5, 0), (6, 1)])
def test_v49_an_hour_that_happens_twice(hour, fold):
    at = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)
    local = at.astimezone(ZoneInfo("America/New_York"))
    assert (local.hour, local.minute, local.fold) == (1, 30, fold)
    assert local.astimezone(UTC) == at
    early = policy("America/New_York", time(2))
    assert promised(at, early) == date(2026, 11, 1)


def test_v62_one_pallet_too_many():
    assert pallets(700, 108) == 7
    assert 700 - 6 * 108 == 52
    assert fits(26, 20, 700, 108) == -1


@pytest.mark.parametrize("cases", [647, 648, 649, 756, 757])
def test_v62_a_case_around_a_full_pallet(cases):
    assert fits(26, 20, cases, 108) == 26 - 20 - -(-cases // 108)


def test_holidays_and_other_days_are_passed_over():
    monday = date(2026, 12, 21)
    of = policy(lead_days=1, holidays=[date(2026, 12, 24)])
    at = datetime(2026, 12, 21, 9, tzinfo=UTC)
    assert at.date() == monday
    assert promised(at, of, (Weekday.THU,)) == date(2026, 12, 31)
    assert promised(at, of, (Weekday.THU, Weekday.WED)) == date(2026, 12, 23)


def test_a_route_that_never_runs_is_said():
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(800)]
    with pytest.raises(ValueError, match="within a year"):
        promised(datetime(2026, 1, 1, tzinfo=UTC), policy(holidays=year))


moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone
routes = st.sets(st.sampled_from(Weekday), min_size=1).map(tuple)


@given(moments, routes, st.sampled_from(["Europe/London", "America/New_York", "Asia/Tokyo"]))
def test_a_later_order_is_never_promised_earlier(at, days, zone):
    of = policy(zone, lead_days=1)
    first = promised(at, of, days)
    assert first <= promised(at + timedelta(hours=1), of, days)
    assert list(Weekday)[first.weekday()] in days
    assert first > at.astimezone(ZoneInfo(zone)).date()


def test_a_zone_that_is_none_is_refused():
    with pytest.raises(ValidationError, match="is not a time zone"):
        policy("Europe/Nowhere")
