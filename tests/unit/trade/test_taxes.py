from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.order import TaxShare
from fizzbridge.trade import deposits
from fizzbridge.trade.taxes import shares, tax_of
from tests.unit.trade.goods import at, money
from tests.unit.trade.rates import DE_ONE_WAY, IE_SMALL, UK_CYLINDER

DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
STATE = TaxShare(title="State", rate=money("0.06"), amount=money("6.00"))
CITY = TaxShare(title="City", rate=money("0.0125"), amount=money("1.25"))

cents = st.integers(-1_000_000, 10_000_000).map(lambda number: Decimal(number) / 100)
rates = st.integers(0, 3000).map(lambda number: Decimal(number) / 10_000)
taxes = st.lists(
    st.builds(lambda rate: TaxShare(title="T", rate=rate, amount=Decimal(0)), rates), max_size=4
)


@pytest.mark.parametrize(
    ("amount", "tax"), [("0.24", "0.02"), ("0.25", "0.03"), ("0.26", "0.03"), ("-0.25", "-0.03")]
)
def test_half_a_cent_goes_up_and_a_credit_mirrors_it(amount, tax):
    assert tax_of(money(amount), money("0.1"), "EUR", included=False) == money(tax)


@given(cents, rates)
def test_tax_on_top_is_within_half_a_cent_of_the_exact(amount, rate):
    tax = tax_of(amount, rate, "EUR", included=False)
    assert abs(tax - amount * rate) <= money("0.005")
    assert tax == -tax_of(-amount, rate, "EUR", included=False)


@given(cents, rates)
def test_tax_inside_and_what_is_left_are_the_price(amount, rate):
    inside = tax_of(amount, rate, "EUR", included=True)
    on_net = tax_of(amount - inside, rate, "EUR", included=False)
    assert abs(inside - on_net) <= money("0.01")


@given(st.integers(0, 10**7).map(Decimal), st.sampled_from(sorted(DIGITS)))
def test_tax_is_whole_in_the_currencys_minor_unit(amount, currency):
    tax = tax_of(amount, money("0.19"), currency, included=False)
    assert -tax.as_tuple().exponent == DIGITS[currency]


def test_the_same_taxes_on_another_amount():
    found = shares(money("200.00"), (STATE, CITY), "USD", included=False)
    assert [(one.title, one.rate, one.amount) for one in found] == [
        ("State", money("0.06"), money("12.00")),
        ("City", money("0.0125"), money("2.50")),
    ]
    inside = shares(money("119.00"), at("0.19"), "EUR", included=True)
    assert [one.amount for one in inside] == [money("19.00")]


@given(cents, taxes)
def test_i3_taxes_inside_a_price_sum_to_what_is_not_net(amount, bears):
    found = shares(amount, bears, "EUR", included=True)
    together = sum((tax.rate for tax in bears), Decimal(0))
    whole = tax_of(amount, together, "EUR", included=True) if bears else Decimal(0)
    assert sum((tax.amount for tax in found), Decimal(0)) == whole


def test_a_deposit_bears_nothing_or_what_the_goods_bear_or_its_own():
    def of(scheme, goods):
        found = deposits.taxes(scheme, money("100.00"), goods, "EUR", included=False)
        return [(tax.title, tax.amount) for tax in found]

    assert of(IE_SMALL, at("0.07")) == []
    assert of(DE_ONE_WAY, at("0.07")) == [("VAT", money("7.00"))]
    assert of(DE_ONE_WAY, ()) == []
    for goods in (at("0.07"), ()):
        assert of(UK_CYLINDER, goods) == [("uk-cylinder", money("20.00"))]
