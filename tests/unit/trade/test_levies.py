from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.scheme import Measure
from fizzbridge.model.units import ML_PER_US_FL_OZ, Unit
from fizzbridge.trade.deposits import MissingFactsError, Place, applies, in_force
from fizzbridge.trade.levies import due, levies
from fizzbridge.trade.packs import litres
from tests.unit.trade.goods import COLA, counted, item, money
from tests.unit.trade.rates import (
    PHILADELPHIA,
    SCHEMES,
    UK_SDIL_HIGHER,
    UK_SDIL_LOWER,
    scheme,
)

TWELVE_OZ = item(volume_ml=str(12 * ML_PER_US_FL_OZ))


def city(name: str, rate: str):
    return scheme(name, rate, "US", "USD", kind="LEVY", per=Measure.FL_OZ)


def test_v30_cases_by_the_litre():
    case = litres(24, COLA)
    assert case * UK_SDIL_LOWER.amount == money("1.53648")
    assert case * UK_SDIL_HIGHER.amount == money("2.05128")
    assert due(case, UK_SDIL_LOWER, "GBP") == money("1.54")
    assert due(case, UK_SDIL_HIGHER, "GBP") == money("2.05")
    assert due(litres(6, item(volume_ml="1500")), UK_SDIL_HIGHER, "GBP") == money("2.33")


def test_v31_litres_are_summed_before_they_are_rounded():
    pallet = due(litres(108 * 24, COLA), UK_SDIL_HIGHER, "GBP")
    assert pallet == money("221.54")
    assert 108 * due(litres(24, COLA), UK_SDIL_HIGHER, "GBP") == money("221.40")


def test_v32_a_quarter_with_exports():
    case = litres(24, COLA)
    parts = [
        due(4320 * case, UK_SDIL_HIGHER, "GBP"),
        due(2160 * case, UK_SDIL_LOWER, "GBP"),
        due(-300 * case, UK_SDIL_HIGHER, "GBP"),
    ]
    assert parts == [money("8861.53"), money("3318.80"), money("-615.38")]
    assert sum(parts) == money("11564.95")


@pytest.mark.parametrize(
    "sugar",
    [Decimal(edge) + off for edge in (5, 8) for off in map(Decimal, ("-0.01", "0", "0.01"))],
)
def test_v33_bands_by_sugar(sugar):
    of = item(sugar_g_per_100ml=str(sugar))
    assert applies(UK_SDIL_LOWER, of) is (5 <= sugar < 8)
    assert applies(UK_SDIL_HIGHER, of) is (sugar >= 8)


@pytest.mark.parametrize("day", [date(2027, 12, 31), date(2028, 1, 1)])
def test_v33_the_lower_limit_falls_with_its_day(day):
    until = {"valid_from": date(2026, 4, 1), "valid_to": date(2027, 12, 31)}
    since = {"valid_from": date(2028, 1, 1), "valid_to": None, "min_sugar_g": Decimal("4.5")}
    bands = [UK_SDIL_LOWER.model_copy(update=dates) for dates in (until, since)]
    (band,) = in_force(bands, Place("GB"), day)
    assert applies(band, item(sugar_g_per_100ml="4.6")) is (day.year == 2028)


def test_v34_cities_by_the_ounce():
    case = counted(TWELVE_OZ, 1)
    for rate, amount in (("0.015", "4.32"), ("0.01", "2.88"), ("0.02", "5.76"), ("0.0175", "5.04")):
        (charge,) = levies(case, [city("us-city", rate)], "USD")
        assert charge.amount == money(amount)
    (twenty,) = levies(counted(TWELVE_OZ, 20), [PHILADELPHIA], "USD")
    assert twenty.amount == money("86.40")
    two_litres = item(volume_ml="2000", units_per_case=1)
    (bottle,) = levies(counted(two_litres, 1, Unit.EACH), [PHILADELPHIA], "USD")
    assert bottle.amount == money("1.01")


def test_v34_other_towns_charge_nothing():
    assert in_force(SCHEMES, Place("US", "PA", "Pittsburgh"), date(2026, 11, 20)) == ()
    (found,) = in_force(SCHEMES, Place("US", "PA", " philadelphia "), date(2026, 11, 20))
    assert found is PHILADELPHIA


@pytest.mark.parametrize(
    ("column", "limit", "free"),
    [("milk_percent", 75, 75), ("abv_percent", Decimal("1.2"), Decimal("1.3"))],
)
def test_milk_and_alcohol_are_outside(column, limit, free):
    assert not applies(UK_SDIL_HIGHER, item(**{column: str(free)}))
    inside = Decimal(limit) - 1 if column == "milk_percent" else limit
    assert applies(UK_SDIL_HIGHER, item(**{column: str(inside)}))
    with pytest.raises(MissingFactsError):
        applies(UK_SDIL_HIGHER, item(**{column: None}))


def test_without_added_sugar_there_is_no_levy():
    assert not applies(UK_SDIL_HIGHER, item(has_added_sugar=False))


def test_a_fee_for_each_container():
    fee = scheme("hi-fee", "0.01", "US", "USD", kind="LEVY")
    (charge,) = levies(counted(COLA, 1), [fee], "USD")
    assert (charge.count, charge.amount) == (24, money("0.24"))


def test_a_levy_by_volume_needs_the_volume():
    with pytest.raises(MissingFactsError, match="volume_ml"):
        levies(counted(item(volume_ml=None), 1), [PHILADELPHIA], "USD")


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_due_on_two_periods_is_within_a_penny_of_both(one, other):
    together = due(Decimal(one + other), UK_SDIL_HIGHER, "GBP")
    apart = due(Decimal(one), UK_SDIL_HIGHER, "GBP") + due(Decimal(other), UK_SDIL_HIGHER, "GBP")
    assert abs(together - apart) <= money("0.01")
