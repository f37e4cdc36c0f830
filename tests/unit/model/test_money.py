from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.base import Exact, Frozen
from fizzbridge.model.money import Money, minor_unit, to_minor_unit


class Rate(Frozen):
    value: Exact


def money(amount, currency: str = "GBP") -> Money:
    return Money(amount=amount, currency=currency)


@pytest.mark.parametrize("amount", [1.5, 0.1, 2.0, float("nan")])
def test_a_float_is_refused_and_the_message_says_what_to_give(amount):
    with pytest.raises(ValidationError, match="give a string, an integer or a Decimal"):
        money(amount)


@pytest.mark.parametrize("model", [Money, Rate])
def test_a_fraction_in_json_is_refused_because_it_has_been_a_float(model):
    field = "amount" if model is Money else "value"
    with pytest.raises(ValidationError, match="a float cannot hold money"):
        model.model_validate_json(f'{{"{field}": 19.99, "currency": "GBP"}}')


def test_json_texts_and_integers_are_exact():
    assert Money.model_validate_json('{"amount": "19.99", "currency": "GBP"}').amount == Decimal(
        "19.99"
    )
    assert Money.model_validate_json('{"amount": 20, "currency": "GBP"}').amount == Decimal(20)


@pytest.mark.parametrize(
    ("currency", "unit"), [("GBP", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("UYW", "0.0001")]
)
def test_each_currency_has_its_minor_unit(currency, unit):
    assert minor_unit(currency) == Decimal(unit)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "GBP", "0.01"),
        ("0.0049", "GBP", "0.00"),
        ("-0.005", "GBP", "-0.01"),
        ("2.675", "GBP", "2.68"),
        ("0.5", "JPY", "1"),
        ("1.0005", "KWD", "1.001"),
        ("1.0004", "KWD", "1.000"),
    ],
)
def test_rounding_is_half_up_away_from_nought(amount, currency, rounded):
    assert to_minor_unit(Decimal(amount), currency) == Decimal(rounded)


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.005", "GBP"), ("1.5", "JPY"), ("1.0005", "KWD")]
)
def test_money_never_rounds_in_silence(amount, currency):
    with pytest.raises(ValidationError, match="more digits than"):
        money(amount, currency)


def test_money_is_written_with_the_currencys_digits():
    assert str(money("1.5").amount) == "1.50"
    assert str(money("1E+3", "JPY").amount) == "1000"
    assert money("1.5").fingerprint() == money("1.50").fingerprint()


@pytest.mark.parametrize("code", ["gbp", "XXX", "", "EURO"])
def test_only_currencies_in_circulation_are_known(code):
    with pytest.raises(ValidationError, match="ISO 4217"):
        money("1", code)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e30", "1" * 21, "x"])
def test_what_is_no_amount_is_refused_and_breaks_nothing(amount):
    with pytest.raises(ValidationError):
        money(amount)


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="cannot add EUR to GBP"):
        money("1") + money("1", "EUR")


AMOUNTS = st.decimals(-(10**9), 10**9, places=2)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_adding_money_is_exact_in_any_order(a, b, c):
    assert (money(a) + money(b)) + money(c) == money(a) + (money(c) + money(b))
    assert (money(a) + money(b)).amount == a + b


@given(st.decimals(-(10**9), 10**9, places=6), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_rounding_moves_no_more_than_half_a_unit_and_only_once(amount, currency):
    rounded = to_minor_unit(amount, currency)
    assert abs(rounded - amount) <= minor_unit(currency) / 2
    assert to_minor_unit(rounded, currency) == rounded


@pytest.mark.parametrize("same", ["1.50", "1.500000", "+1.5", "15E-1", Decimal("1.5")])
def test_equal_numbers_have_equal_fingerprints(same):
    assert Rate(value="1.5").fingerprint() == Rate(value=same).fingerprint()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=0, max_value=10**9))
def test_an_exact_number_keeps_every_digit_and_reads_back(value):
    rate = Rate(value=value)
    assert rate.value == value
    again = Rate.model_validate_json(rate.model_dump_json())
    assert again.fingerprint() == rate.fingerprint()


def test_a_large_exact_number_is_written_without_an_exponent():
    assert Rate(value="1E+3").model_dump_json() == '{"value":"1000"}'


def test_an_exact_number_of_more_digits_than_can_be_kept_is_refused():
    longest = "0." + "1" * 39
    assert str(Rate(value=longest).value) == longest
    with pytest.raises(ValidationError, match="no more than 40 digits"):
        Rate(value="0." + "1" * 41)
