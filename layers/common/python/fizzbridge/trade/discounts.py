"""Discounts on a whole order, spread over its goods."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

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
    unit = minor_unit(currency)
    exact = [amount * base / whole if whole else Decimal(0) for base in bases]
    found = [share.quantize(unit, rounding=ROUND_FLOOR) for share in exact]
    left = int((amount - sum(found, Decimal(0))) / unit)
    by_remainder = sorted(range(len(bases)), key=lambda place: found[place] - exact[place])
    for place in [one for one in by_remainder if found[one] < bases[one]][:left]:
        found[place] += unit
    return found
