"""Discounts on a whole order, spread over its goods."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fizzbridge.model.money import minor_unit


def spread(amount: Decimal, bases: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Shares of an amount in proportion to bases, summing to it exactly.

    Each share is rounded down to the minor unit; what is left goes to the largest remainders, to
    the earlier line where they are equal. No share exceeds its base.

    Args:
        amount: what is spread.
        bases: net amounts of the lines, none negative.
        currency: whose minor unit counts.

    Raises:
        ValueError: the amount exceeds the sum of the bases.
    """
    whole = sum(bases, Decimal(0))
    if not 0 <= amount <= whole:
        raise ValueError(f"{amount} cannot be spread over {whole}")
    if not whole:
        return [Decimal(0) for _ in bases]
    unit = minor_unit(currency)
    # A quotient that does not end is cut somewhere, and equal ones in different places; the
    # remainder of the division is exact.
    parts = [divmod(amount * base, whole * unit) for base in bases]
    found = [number * unit for number, _ in parts]
    left = int((amount - sum(found, Decimal(0))) / unit)
    for place in sorted(range(len(bases)), key=lambda place: -parts[place][1])[:left]:
        found[place] += unit
    return found
