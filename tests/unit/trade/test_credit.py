from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.customer import Credit
from fizzbridge.settings import CreditPolicy
from fizzbridge.trade.credit import Verdict, check
from tests.unit.trade.goods import money

POLICY = CreditPolicy()
DAY = date(2026, 11, 20)
ACCOUNT = Credit(
    currency="EUR",
    limit="10000.00",
    open_invoices="6420.50",
    unapplied="250.00",
    open_orders="1980.00",
    as_of=datetime(2026, 11, 20, tzinfo=UTC),
)
amounts = st.integers(0, 10**7).map(lambda cents: Decimal(cents) / 100)


def checked(this: str, account=ACCOUNT, other="0", policy=POLICY, currency="EUR", day=DAY):
    return check(account, money(this), money(other), policy, currency, day)


def test_v41_over_the_limit_is_held_and_exactly_at_it_is_not():
    over = checked("2100.00")
    assert (over.verdict, over.exposure) == (Verdict.HOLD, money("10250.50"))
    assert "over by 250.50" in over.working.text
    even = checked("1849.50")
    assert even.exposure == money("10000.00")
    assert even.verdict is not Verdict.HOLD


@pytest.mark.parametrize("cents", [-1, 0, 1])
def test_v41_a_cent_around_the_limit(cents):
    found = checked(str(money("1849.50") + Decimal(cents) / 100))
    assert (found.verdict is Verdict.HOLD) is (cents > 0)


@pytest.mark.parametrize("cents", [-1, 0, 1])
def test_a_warning_below_a_tenth_of_the_limit(cents):
    found = checked(str(money("849.50") + Decimal(cents) / 100))
    assert found.verdict is (Verdict.WARN if cents > 0 else Verdict.OK)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_an_overdue_invoice_holds_after_its_days_of_grace(days):
    due = date(2026, 11, 10)
    account = ACCOUNT.model_copy(update={"oldest_due_on": due})
    policy = CreditPolicy(grace_days=7)
    found = checked("1.00", account, policy=policy, day=date(2026, 11, 17 + days))
    assert (found.verdict is Verdict.HOLD) is (days > 0)


def test_nobody_knows_is_a_hold():
    assert checked("1.00", None).verdict is Verdict.HOLD
    assert checked("1.00", currency="GBP").verdict is Verdict.HOLD


@given(amounts, amounts, amounts)
def test_what_others_ordered_counts_like_what_is_ordered(this, other, invoices):
    account = ACCOUNT.model_copy(update={"open_invoices": invoices})
    one = check(account, this, other, POLICY, "EUR", DAY)
    swapped = check(account, other, this, POLICY, "EUR", DAY)
    assert one.exposure == swapped.exposure == invoices - 250 + 1980 + this + other
    assert (one.verdict is Verdict.HOLD) is (one.exposure > account.limit)


def test_days_of_sales_are_said_where_sales_are_known():
    account = ACCOUNT.model_copy(update={"open_invoices": money("842.00"), "sales": money("2529")})
    assert "30.0 days of sales outstanding" in checked("1.00", account).working.text
    assert "days of sales" not in checked("1.00").working.text
