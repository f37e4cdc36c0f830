"""Credit of an account: what it would owe with this order, against what it may owe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from fizzbridge.model.customer import Credit
from fizzbridge.model.working import Working
from fizzbridge.settings import CreditPolicy
from fizzbridge.trade.service import days_sales_outstanding


class Verdict(StrEnum):
    """What becomes of the release."""

    OK = "OK"
    WARN = "WARN"
    HOLD = "HOLD"


@dataclass(frozen=True)
class Checked:
    """A check and its outcome.

    Attributes:
        verdict: whether it may be released.
        exposure: what the account would owe; nought where nobody knows.
        limit: what it may owe.
        working: how it came about.
    """

    verdict: Verdict
    exposure: Decimal
    limit: Decimal
    working: Working


def check(
    credit: Credit | None,
    this_order: Decimal,
    other_orders: Decimal,
    policy: CreditPolicy,
    currency: str,
    day: date,
) -> Checked:
    """Check an order against its account's credit. Exactly the limit is allowed.

    Args:
        credit: what the ERP says; None is a hold, since nobody vouches for the account.
        this_order: gross, with deposits.
        other_orders: gross of the account's other orders that are confirmed and not invoiced.
        policy: the company's own.
        currency: of the order.
        day: by which an invoice is overdue.
    """
    if credit is None:
        return _held("the account's credit is not known")
    if credit.currency != currency:
        return _held(f"the account's credit is in {credit.currency}, the order in {currency}")
    open_orders = credit.open_orders + other_orders
    exposure = credit.open_invoices - credit.unapplied + open_orders + this_order
    left = credit.limit - exposure
    text = (
        f"{credit.open_invoices} invoices - {credit.unapplied} unapplied + {open_orders} open "
        f"orders + {this_order} this order = {exposure}, limit {credit.limit}"
    )
    verdict = Verdict.OK
    if left < 0:
        verdict, text = Verdict.HOLD, f"{text}, over by {-left}"
    elif credit.oldest_due_on and day > credit.oldest_due_on + timedelta(days=policy.grace_days):
        verdict, text = Verdict.HOLD, f"{text}; an invoice of {credit.oldest_due_on} is overdue"
    elif left < credit.limit * policy.warn_percent / 100:
        verdict, text = Verdict.WARN, f"{text}, only {left} left"
    if credit.sales:
        days = days_sales_outstanding(credit.open_invoices, credit.sales, credit.sales_days)
        text = f"{text}; {days} days of sales outstanding"
    working = Working(rule="credit", text=text, amount=exposure, source="the ERP's account")
    return Checked(verdict, exposure, credit.limit, working)


def _held(why: str) -> Checked:
    return Checked(Verdict.HOLD, Decimal(0), Decimal(0), Working(rule="credit", text=why))
