"""Credits in parts: each rounds on what was credited in all, so that the parts sum to the whole."""

from __future__ import annotations

from decimal import Decimal

from fizzbridge.model.money import to_minor_unit


def credited(total: Decimal, quantity: int, before: int, now: int, currency: str) -> Decimal:
    """What a part of a line comes to.

    Args:
        total: the line's amount, or its tax.
        quantity: the line's quantity.
        before: of it, credited already.
        now: of it, to be credited.
        currency: whose minor unit counts.

    Raises:
        ValueError: more than the line's quantity would be credited.
    """
    if quantity <= 0 or before < 0 or now < 0 or before + now > quantity:
        raise ValueError(f"quantity: {before} + {now} credited of {quantity}")
    until = to_minor_unit(total * (before + now) / quantity, currency)
    return until - to_minor_unit(total * before / quantity, currency)
