from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.trade.gtin import case_gtin, check_digit, gtin14, is_case_of, sscc

bodies = st.text("0123456789", min_size=12, max_size=12)


def test_v9_check_digit_and_cases_of_twelve_and_twentyfour():
    inner = "520123400000" + check_digit("520123400000")
    assert inner == "5201234000001"
    assert case_gtin(inner, 1) == "15201234000008"
    assert case_gtin(inner, 3) == "35201234000002"


def test_v10_another_items_case():
    assert case_gtin("9501101530003", 1) == "19501101530000"


def test_v11_a_us_code_is_padded():
    assert gtin14("036000291452") == "00036000291452"


def test_v12_a_short_codes_check_digit():
    assert check_digit("9638507") == "4"
    assert gtin14("96385074") == "00000096385074"


def test_v13_the_serial_code_of_a_pallet():
    assert sscc("39501101000000017") == "395011010000000170"


@given(bodies)
def test_one_wrong_digit_is_noticed(body):
    right = body + check_digit(body)
    assert gtin14(right) == "0" + right
    for digit in set("0123456789") - {right[-1]}:
        with pytest.raises(ValueError, match="is no GTIN"):
            gtin14(body + digit)


@given(bodies, st.integers(1, 8))
def test_a_case_is_known_by_its_item(body, indicator):
    inner = body + check_digit(body)
    case = case_gtin(inner, indicator)
    assert gtin14(case) == case
    assert is_case_of(case, inner)
    other = str((int(body) + 1) % 10**12).zfill(12)
    assert not is_case_of(case, other + check_digit(other))


@given(st.sampled_from([8, 12, 13, 14]), st.sampled_from("- \u2010.٥A"), st.data())
def test_a_code_is_digits_alone(length, other, data):
    body = data.draw(st.text("0123456789", min_size=length - 2, max_size=length - 2))
    place = data.draw(st.integers(1, length - 2))
    right = body + check_digit(body)
    with pytest.raises(ValueError, match="has other than digits"):
        gtin14(right[:place] + other + right[place:])


def test_padding_and_variable_measure_are_no_cases():
    inner = "5201234000001"
    assert not is_case_of("0" + inner, inner)
    variable = "9" + inner[:-1]
    assert not is_case_of(variable + check_digit(variable), inner)


@pytest.mark.parametrize("wrong", ["", "123", "123456789", "5201234OOOOO1", "52012340000010000"])
def test_what_is_no_code_is_refused(wrong):
    with pytest.raises(ValueError, match=r"GTIN|digits"):
        gtin14(wrong)


@pytest.mark.parametrize("indicator", [0, 9, 10, -1])
def test_an_indicator_is_one_to_eight(indicator):
    with pytest.raises(ValueError, match="indicator"):
        case_gtin("5201234000001", indicator)


def test_a_serial_code_of_another_length_is_refused():
    with pytest.raises(ValueError, match="has 16 digits"):
        sscc("3950110100000001")
    with pytest.raises(ValueError, match="other than digits"):
        check_digit("12a")
