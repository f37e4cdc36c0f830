"""Money that moves: payouts, discounts for paying early, due days, and what does not add up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Payment,
    Refund,
    SettlementStatus,
)
from fizzbridge.model.money import to_minor_unit


def fee(amount: Decimal, percent: Decimal, count: int, fixed: Decimal, currency: str) -> Decimal:
    """A gateway's fee: a part of the amount, and something for each payment."""
    return to_minor_unit(amount * percent / 100 + fixed * count, currency)


def payout(sales: Decimal, refunds: Decimal, fees: Decimal, chargebacks: Decimal) -> Decimal:
    """What a gateway pays out of what it took in."""
    return sales - refunds - fees - chargebacks


def cash_discount(goods: Decimal, percent: Decimal, currency: str) -> Decimal:
    """What paying early saves: on goods, never on deposits."""
    return to_minor_unit(goods * percent / 100, currency)


def due_on(issued_on: date, days: int) -> date:
    """The day an invoice is due."""
    return issued_on + timedelta(days=days)


def converted(amount: Decimal, rate: Decimal, currency: str) -> Decimal:
    """An amount in another currency, at a rate for one unit of its own."""
    return to_minor_unit(amount * rate, currency)


def settled(
    currency: str,
    payments: Iterable[Payment],
    refunds: Iterable[Refund],
    invoices: Iterable[Invoice],
) -> list[str]:
    """What of an order's money does not add up: a sentence naming the field for each.

    Only settled payments and refunds and issued invoices count.
    """
    paid = [one for one in payments if one.status is SettlementStatus.SETTLED]
    back = [one for one in refunds if one.status is SettlementStatus.SETTLED]
    issued = [one for one in invoices if one.state is InvoiceState.ISSUED]
    said = [
        f"{name} currency: {one.currency} on an order in {currency}"
        for name, listed in (("payment", paid), ("refund", back), ("invoice", issued))
        for one in listed
        if one.currency != currency
    ]
    if said:
        return said
    received, given = _sum(paid), _sum(back)
    if given > received:
        said.append(f"refund amount: {given} given back, {received} paid")
    billed = sum((one.totals.gross for one in issued if not one.credits), Decimal(0))
    credited = sum((one.totals.gross for one in issued if one.credits), Decimal(0))
    if credited > billed:
        said.append(f"credit note totals: {credited} credited, {billed} invoiced")
    return said


def _sum(moved: Iterable[Payment | Refund]) -> Decimal:
    return sum((one.amount for one in moved), Decimal(0))
