"""How well customers were served and what it brought, as managers read it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

TENTH = Decimal("0.1")
HUNDREDTH = Decimal("0.01")


def margin(sold: Decimal, cost: Decimal) -> Decimal:
    """Margin in percent of sales, without deposits, levies and tax.

    Raises:
        ValueError: nothing was sold.
    """
    if not sold:
        raise ValueError("sold: no margin without sales")
    return ((sold - cost) / sold * 100).quantize(HUNDREDTH, ROUND_HALF_UP)


def fill(done: int, wanted: int) -> Decimal:
    """Percent of what was wanted: cases, lines, or orders on time and in full.

    Raises:
        ValueError: nothing was wanted.
    """
    if not wanted:
        raise ValueError("wanted: no part of nothing")
    return (Decimal(done) * 100 / wanted).quantize(TENTH, ROUND_HALF_UP)


def days_sales_outstanding(receivable: Decimal, sales: Decimal, days: int) -> Decimal:
    """Days of sales that are not paid yet.

    Raises:
        ValueError: nothing was sold in that time.
    """
    if not sales:
        raise ValueError("sales: none in that time")
    return (receivable / sales * days).quantize(TENTH, ROUND_HALF_UP)
