from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.documents import Invoice
from fizzbridge.model.money import Money
from fizzbridge.trade.taxes import TaxRounding, tax_of
from fizzbridge.trade.totals import Taxed, TotalMismatchError, rounding, totals
from tests.kit.house import line, order_ref
from tests.unit.trade.goods import money

LINE, DOCUMENT = TaxRounding.LINE, TaxRounding.DOCUMENT
cents = st.integers(-1_000_000, 10_000_000).map(lambda number: Decimal(number) / 100)
rates = st.sampled_from([money(rate) for rate in ("0", "0.05", "0.07", "0.19", "0.2", "0.23")])
lines = st.lists(st.builds(lambda a, r: Taxed(a, (r,)), cents, rates), max_size=30)


def taxed(rate: str, *amounts: str) -> list[Taxed]:
    return [Taxed(money(amount), (money(rate),)) for amount in amounts]


def summed(found: list[Taxed], rounds: TaxRounding, *, included: bool = False):
    made = totals(found, "EUR", included=included, rounding=rounds)
    return made.net, made.tax, made.gross


def test_v39_the_discount_comes_before_the_tax():
    net = money("100.00") - money("20.00")
    assert summed(taxed("0.1", str(net)), LINE) == (money("80.00"), money("8.00"), money("88.00"))


def test_v39_tax_inside_a_price():
    assert summed(taxed("0.2", "9.99"), LINE, included=True)[:2] == (money("8.33"), money("1.66"))
    assert tax_of(money("9.99"), money("0.2"), "EUR", included=True) == money("1.66")


def test_v50_by_line_and_by_document_differ_by_a_cent():
    three = taxed("0.15", "25.06", "25.61", "25.63")
    assert [tax_of(one.amount, one.rates[0], "EUR", included=False) for one in three] == [
        money("3.76"),
        money("3.84"),
        money("3.84"),
    ]
    assert summed(three, LINE)[1] == money("11.44")
    assert summed(three, DOCUMENT)[1] == money("11.45")


def test_v51_three_times_eight_thirtythree():
    three = taxed("0.2", "8.33", "8.33", "8.33")
    assert summed(three, LINE)[1] == money("5.01")
    assert summed(three, DOCUMENT)[1] == money("5.00")


def test_v52_one_cent_must_be_placed():
    two = taxed("0.07", "16000", "10000")
    nets = [one.amount - tax_of(one.amount, one.rates[0], "EUR", included=True) for one in two]
    assert nets == [money("14953.27"), money("9345.79")]
    assert sum(nets) == money("24299.06")
    by_document = totals(
        [Taxed(net, (money("0.07"),)) for net in nets], "EUR", included=False, rounding=DOCUMENT
    )
    assert (by_document.tax, by_document.gross) == (money("1700.93"), money("25999.99"))
    assert rounding(money("26000.00"), by_document.gross, money("0.05")) == money("0.01")


@pytest.mark.parametrize("off", range(-7, 8))
def test_a_difference_within_the_tolerance_is_one_line(off):
    source, difference = money("100.00"), Decimal(off) / 100
    if abs(off) <= 5:
        assert rounding(source, source - difference, money("0.05")) == difference
    else:
        with pytest.raises(TotalMismatchError) as found:
            rounding(source, source - difference, money("0.05"))
        assert found.value.difference == difference
        assert str(source) in str(found.value)
        assert str(source - difference) in str(found.value)


@given(lines, st.booleans(), st.sampled_from(TaxRounding))
def test_i3_net_and_tax_are_gross_whatever_rounds(found, included, rounds):
    made = totals(found, "EUR", included=included, rounding=rounds)
    amount = sum((one.amount for one in found), Decimal(0))
    assert made.net + made.tax == made.gross
    assert (made.gross if included else made.net) == amount


@given(lines, st.booleans())
def test_the_two_ways_differ_by_less_than_half_a_cent_a_line_and_rate(found, included):
    one, other = (summed(found, rounds, included=included)[1] for rounds in TaxRounding)
    assert abs(one - other) <= Decimal("0.005") * (len(found) + 6)


@given(lines, st.sampled_from(TaxRounding))
def test_the_order_of_lines_does_not_matter(found, rounds):
    assert summed(found, rounds) == summed(found[::-1], rounds)


def test_i13_a_document_has_one_currency():
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(amount="1", currency="EUR") + Money(amount="1", currency="USD")
    with pytest.raises(ValidationError, match="currency"):
        Invoice.model_validate(
            {
                "order": order_ref(),
                "number": "I1",
                "state": "ISSUED",
                "currency": "EUR",
                "tax_included": False,
                "lines": [line("COLA", 1).model_dump() | {"currency": "USD"}],
                "totals": {"net": "1", "tax": "0", "gross": "1"},
            }
        )
