"""Who gets what where stock does not do for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby


@dataclass(frozen=True)
class Demand:
    """What one order wants of an item.

    Attributes:
        key: whose it is.
        quantity: how much.
        placed_at: when it was ordered.
        priority: lower goes first.
    """

    key: str
    quantity: int
    placed_at: datetime
    priority: int = 0


def by_order_time(stock: int, demands: Sequence[Demand]) -> dict[str, int]:
    """Whoever ordered first gets all, within a class of priority."""
    return _by_class(stock, demands, _in_turn)


def fair_share(stock: int, demands: Sequence[Demand]) -> dict[str, int]:
    """Everyone of a class of priority gets the same part, whole units by largest remainder."""
    return _by_class(stock, demands, _in_parts)


def _by_class(
    stock: int,
    demands: Sequence[Demand],
    share: Callable[[int, Sequence[Demand]], dict[str, int]],
) -> dict[str, int]:
    found: dict[str, int] = {}
    left = max(stock, 0)
    ordered = sorted(demands, key=lambda one: (one.priority, one.placed_at, one.key))
    for _, group in groupby(ordered, key=lambda one: one.priority):
        given = share(left, list(group))
        left -= sum(given.values())
        found |= given
    return found


def _in_turn(stock: int, demands: Sequence[Demand]) -> dict[str, int]:
    found = {}
    for demand in demands:
        found[demand.key] = min(demand.quantity, stock)
        stock -= found[demand.key]
    return found


def _in_parts(stock: int, demands: Sequence[Demand]) -> dict[str, int]:
    wanted = sum(one.quantity for one in demands)
    if wanted <= stock:
        return {one.key: one.quantity for one in demands}
    found = {one.key: stock * one.quantity // wanted for one in demands}
    # Integers throughout: a remainder is compared by its numerator.
    by_remainder = sorted(demands, key=lambda one: -(stock * one.quantity % wanted))
    for one in by_remainder[: stock - sum(found.values())]:
        found[one.key] += 1
    return found


def open_quantity(ordered: int, shipped: int, cancelled: int, backordered: int) -> int:
    """What of a line is neither shipped, cancelled nor backordered, in base units.

    Raises:
        ValueError: together they exceed what was ordered.
    """
    left = ordered - shipped - cancelled - backordered
    if left < 0:
        raise ValueError(
            f"quantity: {shipped} shipped + {cancelled} cancelled + {backordered} backordered "
            f"of {ordered}"
        )
    return left
