from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.documents import Invoice, Payment, Refund
from fizzbridge.model.entity import Kind, ref
from fizzbridge.trade.payments import cash_discount, converted, due_on, fee, payout, settled
from tests.kit.house import order_ref
from tests.unit.trade.goods import money

AT = datetime(2026, 11, 20, tzinfo=UTC)


def moved(model, amount: str, status="SETTLED", currency="EUR"):
    fields = {"order": order_ref(), "amount": amount, "currency": currency, "at": AT}
    return model.model_validate(fields | {"status": status})


def invoice(gross: str, *, credits_one=False, state="ISSUED", currency="EUR") -> Invoice:
    return Invoice.model_validate(
        {
            "order": order_ref(),
            "number": "I1",
            "state": state,
            "credits": ref(Kind.INVOICE, "erp", "1") if credits_one else None,
            "currency": currency,
            "tax_included": False,
            "lines": (),
            "totals": {"net": gross, "tax": "0", "gross": gross},
        }
    )


def test_v54_a_gateways_payout():
    fees = fee(money("1540.00"), money("2.9"), 8, money("0.30"), "EUR")
    assert fees == money("47.06")
    paid_out = payout(money("1540.00"), money("120.00"), fees, money("100.00"))
    assert paid_out == money("1272.94")


def test_v55_a_cash_discount_is_on_goods_alone():
    assert cash_discount(money("168.00"), money("2"), "GBP") == money("3.36")
    assert cash_discount(money("168.00") + money("96.00"), money("2"), "GBP") != money("3.36")


@pytest.mark.parametrize("days", [29, 30, 31])
def test_v56_net_thirty(days):
    found = due_on(date(2026, 1, 31), days)
    assert found == date(2026, 3, days - 28)


def test_v57_converted_at_a_rate():
    assert converted(money("1234.56"), money("1.0837"), "USD") == money("1337.89")


@pytest.mark.parametrize("cents", [-1, 0, 1])
def test_i4_a_cent_more_than_was_paid_is_noticed(cents):
    back = str(money("100.00") + Decimal(cents) / 100)
    found = settled("EUR", [moved(Payment, "100.00")], [moved(Refund, back)], [])
    assert bool(found) is (cents > 0)


@pytest.mark.parametrize("cents", [-1, 0, 1])
def test_i4_a_cent_more_than_was_invoiced_is_noticed(cents):
    back = str(money("100.00") + Decimal(cents) / 100)
    found = settled("EUR", [], [], [invoice("100.00"), invoice(back, credits_one=True)])
    assert bool(found) is (cents > 0)


def test_i13_another_currency_is_named():
    found = settled(
        "EUR",
        [moved(Payment, "1.00", currency="GBP")],
        [moved(Refund, "1.00", currency="USD")],
        [invoice("1.00", currency="CHF")],
    )
    assert found == [
        "payment currency: GBP on an order in EUR",
        "refund currency: USD on an order in EUR",
        "invoice currency: CHF on an order in EUR",
    ]


def test_only_money_that_really_moved_counts():
    pending = [moved(Refund, "5.00", status) for status in ("PENDING", "FAILED", "VOIDED")]
    assert settled("EUR", [], pending, [invoice("9.00", credits_one=True, state="DRAFT")]) == []


amounts = st.lists(st.integers(0, 10**5), max_size=8)


@given(amounts, amounts)
def test_i4_refunds_within_what_was_paid_are_right(paid, back):
    found = settled(
        "EUR",
        [moved(Payment, str(Decimal(one) / 100)) for one in paid],
        [moved(Refund, str(Decimal(one) / 100)) for one in back],
        [],
    )
    assert bool(found) is (sum(back) > sum(paid))
