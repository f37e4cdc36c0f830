"""Prices of accounts: which list holds, which tier, and whether a larger order would cost less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        tiers: rows of the same list that go by the same quantity, the price among them.
        quantity: what decided the tier: of the line, or of the price's mix group.
    """

    price: ListPrice
    kind: str
    tiers: tuple[ListPrice, ...]
    quantity: int


def choose(
    prices: Sequence[ListPrice],
    sku: str,
    quantity: int,
    *,
    account_list: str,
    group_list: str = "",
    mixed: Mapping[str, int] | None = None,
    day: date,
    currency: str,
) -> Chosen | None:
    """The price that holds: contract, promotion, group, list, in this order; then the tier.

    The lowest does not win. None where no list has the item.

    Args:
        prices: rows of the price file, for the unit the item is ordered in.
        sku: the item, by the code of its base unit.
        quantity: how much of it is ordered, in that unit.
        account_list: the account's own list; empty for none.
        group_list: its group's list; empty for none.
        mixed: how much of each mix group is ordered.
        day: the price date.
        currency: of the order.
    """
    of_groups = mixed or {}
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
        reached = [
            one for one in fitting if one.min_quantity <= of_groups.get(one.mix_group, quantity)
        ]
        if reached:
            price = max(reached, key=lambda one: one.min_quantity)
            tiers = tuple(one for one in fitting if one.mix_group == price.mix_group)
            return Chosen(price, kind, tiers, of_groups.get(price.mix_group, quantity))
    return None


def amount(chosen: Chosen, quantity: int, currency: str) -> Decimal:
    """What a quantity costs: price times quantity, never a price for one piece times pieces."""
    return to_minor_unit(chosen.price.price * quantity, currency)


def step_up(
    prices: Sequence[ListPrice], quantity: int, currency: str
) -> tuple[int, Decimal] | None:
    """A larger quantity that costs less in all, and what it costs; None where there is none.

    Args:
        prices: tiers of one list and item: ``Chosen.tiers``.
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
