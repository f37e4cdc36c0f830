from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.catalogue import Material
from fizzbridge.model.scheme import Measure, Scheme, TaxMode
from fizzbridge.model.units import ML_PER_US_FL_OZ, Unit
from fizzbridge.trade.deposits import MissingFactsError, Place, applies, charges, in_force, taxes
from fizzbridge.trade.empties import refunds
from fizzbridge.trade.levies import levies
from fizzbridge.trade.taxes import TaxRounding
from fizzbridge.trade.totals import Taxed, totals
from tests.unit.trade.goods import COLA, at, counted, item, money
from tests.unit.trade.rates import (
    CA_LARGE,
    CA_SMALL,
    DE_BEER,
    DE_CRATE,
    IE_LARGE,
    IE_SMALL,
    SCHEMES,
    UK_CYLINDER,
    UK_DRS,
    scheme,
)

TODAY = date(2026, 11, 20)
IRELAND = Place("IE")
ENGLAND = Place("GB", "ENG")
BOTTLE = item("TONIC1500", volume_ml="1500", material=Material.PET, units_per_case=6)
LEMON = item(
    "LEMON1000",
    volume_ml="1000",
    material=Material.GLASS,
    is_refillable=True,
    container="bottle-1l",
    crate="crate-12",
    units_per_case=12,
)


def deposit(of, ordered, place, currency="EUR", day=TODAY, unit=Unit.CASE) -> Decimal:
    found = charges(counted(of, ordered, unit), in_force(SCHEMES, place, day), currency)
    return sum((one.amount for one in found), Decimal(0))


def sale(goods: str, rate: str, held: Decimal, mode: TaxMode = TaxMode.EXCLUDED):
    """Net of goods, deposit, tax and total, with tax by document."""
    bears = (money(rate),) if mode is TaxMode.FOLLOWS_GOODS else ()
    lines = [Taxed(money(goods), (money(rate),)), Taxed(held, bears)]
    made = totals(lines, "EUR", included=False, rounding=TaxRounding.DOCUMENT)
    return made.tax, made.gross


def test_v14_ireland_ten_cases():
    held = deposit(COLA, 10, IRELAND)
    assert held == money("36.00")
    assert sale("96.00", "0.23", held) == (money("22.08"), money("154.08"))


def test_v15_only_what_is_shipped_bears_a_deposit():
    held = deposit(COLA, 8, IRELAND)
    assert held == money("28.80")
    assert sale("76.80", "0.23", held) == (money("17.66"), money("123.26"))


def test_v16_a_discount_leaves_the_deposit_alone():
    assert sale("86.40", "0.23", deposit(COLA, 10, IRELAND)) == (money("19.87"), money("142.27"))


def test_v17_free_cases_bear_it_too():
    assert deposit(COLA, 10, IRELAND) + deposit(COLA, 1, IRELAND) == money("39.60")


def test_v18_two_of_ten_credited():
    held = deposit(COLA, 2, IRELAND)
    assert held == money("7.20")
    assert sale("19.20", "0.23", held) == (money("4.42"), money("30.82"))


def test_v19_large_bottles():
    assert deposit(BOTTLE, 5, IRELAND) == money("7.50")
    assert sale("22.50", "0.23", money("7.50"))[0] == money("5.18")


def test_v20_the_uk_scheme_bears_no_vat():
    held = deposit(COLA, 20, ENGLAND, "GBP", date(2027, 10, 1))
    assert held == money("96.00")
    assert sale("168.00", "0.2", held) == (money("33.60"), money("297.60"))
    wrong = sale("168.00", "0.2", held, TaxMode.FOLLOWS_GOODS)[0]
    assert (wrong, wrong - money("33.60")) == (money("52.80"), money("19.20"))


def test_v21_german_crates_and_bottles():
    held = deposit(LEMON, 10, Place("DE"))
    assert held == 10 * (12 * money("0.15") + money("1.50")) == money("33.00")
    brought = {"crate-12": 8, "bottle-1l": 8 * 12 + 5}
    back = sum(one.amount for one in refunds(brought, in_force(SCHEMES, Place("DE"), TODAY), "EUR"))
    assert back == money("27.15")
    made = totals(
        [Taxed(amount, (money("0.19"),)) for amount in (money("64.90"), held, -back)],
        "EUR",
        included=False,
        rounding=TaxRounding.DOCUMENT,
    )
    assert (made.net, made.tax, made.gross) == (money("70.75"), money("13.44"), money("84.19"))
    beer = {"container": "beer-bottle", "crate": "crate-20", "is_refillable": True}
    for size, crate in ((20, "3.10"), (24, "3.42")):
        bottle = item("BEER", material=Material.GLASS, units_per_case=size, **beer)
        assert deposit(bottle, 1, Place("DE")) == money(crate)


def test_german_shelf_prices_have_the_tax_inside():
    found = charges(counted(COLA, 1), in_force(SCHEMES, Place("DE"), TODAY), "EUR")
    assert [one.amount for one in found] == [money("6.00")]
    (inside,) = taxes(found[0].scheme, money("6.00"), at("0.19"), "EUR", included=True)
    (on_top,) = taxes(found[0].scheme, money("6.00"), at("0.19"), "EUR", included=False)
    assert (inside.amount, on_top.amount) == (money("0.96"), money("1.14"))


def test_v22_california_follows_the_goods():
    place = Place("US", "CA")
    can = item(volume_ml=str(12 * ML_PER_US_FL_OZ))
    bottle = item(volume_ml="2000", units_per_case=8)
    held = deposit(can, 3, place, "USD") + deposit(bottle, 2, place, "USD")
    assert held == money("5.20")
    goods = 3 * money("8.99") + 2 * money("12.00")
    assert goods == money("50.97")
    shop = totals(
        [Taxed(goods + held, (money("0.0725"),))],
        "USD",
        included=False,
        rounding=TaxRounding.DOCUMENT,
    )
    assert (shop.tax, shop.gross) == (money("4.07"), money("60.24"))
    assert taxes(CA_SMALL, held, (), "USD", included=False) == (), "sold for resale"
    assert goods + held == money("56.17")


@pytest.mark.parametrize("ml", [709, 710])
def test_v23_california_by_the_ounce(ml):
    can = item(volume_ml=str(ml))
    assert applies(CA_SMALL, can) is (ml < 710)
    assert applies(CA_LARGE, can) is (ml >= 710)


@pytest.mark.parametrize("ml", [edge + off for edge in (150, 500, 3000) for off in (-1, 0, 1)])
def test_v23_ireland_by_the_millilitre(ml):
    rate = deposit(item(volume_ml=str(ml)), 1, IRELAND) / 24
    if 150 <= ml <= 500:
        assert rate == money("0.15")
    elif 500 < ml <= 3000:
        assert rate == money("0.25")
    else:
        assert rate == 0


@pytest.mark.parametrize("ml", [edge + off for edge in (150, 3000) for off in (-1, 0, 1)])
def test_the_uk_scheme_by_the_millilitre(ml):
    assert applies(UK_DRS, item(volume_ml=str(ml))) is (ml in range(150, 3001))


@pytest.mark.parametrize("cases", range(7, 13))
def test_v14_nearby_cases(cases):
    held = deposit(COLA, cases, IRELAND)
    assert held == cases * money("3.60")
    goods = cases * money("9.60")
    tax, gross = sale(str(goods), "0.23", held)
    assert (tax, gross) == (sale(str(goods), "0.23", money("0.00"))[0], goods + held + tax)


def test_v25_a_case_of_twentyfour_in_michigan_and_hawaii():
    michigan = scheme("mi", "0.10", "US", "USD", regions=("MI",), is_refillable=False)
    hawaii = scheme("hi", "0.05", "US", "USD", regions=("HI",), is_refillable=False)
    fee = scheme("hi-fee", "0.01", "US", "USD", regions=("HI",), kind="LEVY")
    case = counted(COLA, 1)
    assert [one.amount for one in charges(case, [michigan], "USD")] == [money("2.40")]
    assert [one.amount for one in charges(case, [hawaii, fee], "USD")] == [money("1.20")]
    assert [one.amount for one in levies(case, [hawaii, fee], "USD")] == [money("0.24")]


def test_v29_a_cylinder_has_its_own_rate():
    cylinder = item("CO2", is_drink=False, container="co2-cylinder", volume_ml=None, material=None)
    (charge,) = charges(counted(cylinder, 1, Unit.EACH), in_force(SCHEMES, ENGLAND, TODAY), "GBP")
    (vat,) = taxes(charge.scheme, charge.amount, (), "GBP", included=False)
    assert (charge.amount, vat.amount) == (money("60.00"), money("12.00"))


# -- the place and the day --------------------------------------------------------------------


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_scheme_starts_on_its_first_day(days):
    first = date(2027, 10, 1) + timedelta(days=days)
    found = in_force([UK_DRS], ENGLAND, first)
    assert found == ((UK_DRS,) if days >= 0 else ())


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_i14_the_rate_is_the_one_of_the_day(change, day):
    old = IE_SMALL.model_copy(
        update={"valid_from": date(2000, 1, 1), "valid_to": change - timedelta(days=1)}
    )
    new = IE_SMALL.model_copy(update={"valid_from": change, "amount": money("0.20")})
    (found,) = in_force([old, new], IRELAND, day)
    assert found is (new if day >= change else old)


def test_the_place_of_delivery_decides():
    assert deposit(COLA, 10, Place("FR")) == 0
    assert in_force(SCHEMES, Place("GB", "WLS"), date(2028, 1, 1)) == (UK_CYLINDER,)


def test_a_place_that_is_not_known_is_not_guessed():
    with pytest.raises(MissingFactsError) as found:
        in_force(SCHEMES, Place(None), TODAY)
    assert found.value.fields == ("delivery country",)
    with pytest.raises(MissingFactsError) as found:
        in_force(SCHEMES, Place("GB"), date(2028, 1, 1))
    assert found.value.fields == ("delivery region",)
    with pytest.raises(MissingFactsError) as found:
        in_force(SCHEMES, Place("US", "PA"), TODAY)
    assert found.value.fields == ("delivery city",)
    assert in_force([], Place(None), TODAY) == ()


# -- facts of the container -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"volume_ml": None}, "volume_ml"),
        ({"material": None}, "material"),
        ({"is_refillable": None}, "refillable"),
    ],
)
def test_a_missing_fact_is_named(change, field):
    with pytest.raises(MissingFactsError) as found:
        applies(IE_SMALL, item(**change))
    assert found.value.fields == (field,)


def test_what_excludes_decides_before_what_is_missing():
    assert not applies(IE_SMALL, item(material=Material.GLASS, volume_ml=None))
    assert not applies(IE_SMALL, item(is_drink=False, volume_ml=None))


def test_a_refillable_bottle_must_name_its_type():
    nameless = item(material=Material.GLASS, is_refillable=True)
    with pytest.raises(MissingFactsError) as found:
        applies(DE_BEER, nameless)
    assert found.value.fields == ("container",)
    assert not applies(DE_BEER, COLA)


def test_a_drink_nobody_called_one_way_may_be_in_a_refillable_bottle():
    with pytest.raises(MissingFactsError) as found:
        applies(DE_BEER, item(is_refillable=None))
    assert found.value.fields == ("refillable", "container")
    assert not applies(DE_BEER, item(is_refillable=None, container="co2-cylinder"))
    assert not applies(DE_BEER, item(is_refillable=None, is_drink=False))
    assert not applies(UK_CYLINDER, item(is_refillable=None)), "else every can would wait for it"


def test_loose_bottles_bring_no_crate():
    rates = in_force(SCHEMES, Place("DE"), TODAY)
    loose = charges(counted(LEMON, 13, Unit.EACH), rates, "EUR")
    assert [(one.count, one.scheme.per) for one in loose] == [(13, Measure.CONTAINER)]
    layer = charges(counted(LEMON, 1, Unit.LAYER), rates, "EUR")
    assert [one.count for one in layer] == [108, 9]


def test_two_deposits_on_one_can_are_a_mistake_of_the_file():
    again = IE_SMALL.model_copy(update={"name": "ie-again"})
    with pytest.raises(ValueError, match="ie-small and ie-again"):
        charges(counted(COLA, 1), [IE_SMALL, again, IE_LARGE], "EUR")


def test_i13_a_scheme_of_another_currency_is_refused():
    with pytest.raises(ValueError, match="ie-small is in EUR, the document in GBP"):
        charges(counted(COLA, 1), [IE_SMALL], "GBP")


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_i6_deposits_of_two_lines_are_those_of_both_together(one, other):
    assert deposit(COLA, one, IRELAND) + deposit(COLA, other, IRELAND) == deposit(
        COLA, one + other, IRELAND
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"tax_mode": "OWN_RATE"},
        {"tax_mode": "EXCLUDED", "tax_rate": "0.2"},
        {"per": "crate", "containers": ()},
        {"name": "With Spaces"},
        {"amount": 0.15},
    ],
)
def test_a_scheme_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        Scheme.model_validate(DE_CRATE.model_dump() | wrong)
