"""Prices of accounts: which list holds, which tier, and whether a larger order would cost less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fizzbridge.model.catalogue import ListPrice
from fizzbridge.model.money import to_minor_unit


@dataclass(frozen=True)
class Chosen:
    """A price and why it is that.

    Attributes:
        price: the row of the price file.
        kind: ``contract``, ``promotion``, ``group`` or ``list``.
    """

    price: ListPrice
    kind: str


def choose(
    prices: Sequence[ListPrice],
    sku: str,
    quantity: int,
    *,
    account_list: str,
    group_list: str = "",
    day: date,
    currency: str,
) -> Chosen | None:
    """The price that holds: contract, promotion, group, list, in this order; then the tier.

    The lowest does not win. None where no list has the item.
    """
    valid = [
        one
        for one in prices
        if one.sku == sku and one.currency == currency and one.is_valid_on(day)
    ]
    for kind, fitting in (
        ("contract", [one for one in valid if account_list and one.price_list == account_list]),
        ("promotion", [one for one in valid if one.is_promotion and not one.price_list]),
        ("group", [one for one in valid if group_list and one.price_list == group_list]),
        ("list", [one for one in valid if not one.price_list and not one.is_promotion]),
    ):
        tiers = [one for one in fitting if one.min_quantity <= quantity]
        if tiers:
            return Chosen(max(tiers, key=lambda one: one.min_quantity), kind)
    return None


def amount(chosen: Chosen, quantity: int, currency: str) -> Decimal:
    """What a quantity costs: price times quantity, never a price for one piece times pieces."""
    return to_minor_unit(chosen.price.price * quantity, currency)


def step_up(
    prices: Sequence[ListPrice], quantity: int, currency: str
) -> tuple[int, Decimal] | None:
    """A larger quantity that costs less in all, and what it costs; None where there is none.

    Args:
        prices: tiers of one list and item.
        quantity: what is ordered.
        currency: of the amounts.
    """
    held = [one for one in prices if one.min_quantity <= quantity]
    if not held:
        return None
    now = to_minor_unit(max(held, key=lambda one: one.min_quantity).price * quantity, currency)
    steps = [
        (one.min_quantity, to_minor_unit(one.price * one.min_quantity, currency))
        for one in prices
        if one.min_quantity > quantity
    ]
    cheaper = [step for step in steps if step[1] < now]
    return min(cheaper, key=lambda step: step[1]) if cheaper else None
