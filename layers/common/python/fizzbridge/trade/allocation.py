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


def fair_share(stock: int, demands: Sequence[Demand], multiple: int = 1) -> dict[str, int]:
    """Everyone of a class of priority gets the same part, by largest remainder.

    Args:
        stock: what there is.
        demands: who wants how much of it.
        multiple: no share is broken below this, as cases are not; one that wants less gets all of
            it or nothing.
    """
    return _by_class(stock, demands, lambda left, group: _in_parts(left, group, multiple))


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


def _in_parts(stock: int, demands: Sequence[Demand], multiple: int) -> dict[str, int]:
    wanted = sum(one.quantity for one in demands)
    if wanted <= stock:
        return {one.key: one.quantity for one in demands}
    # Integers throughout: a remainder is compared by its numerator.
    whole = wanted * multiple
    found = {one.key: stock * one.quantity // whole * multiple for one in demands}
    left = stock - sum(found.values())
    by_remainder = sorted(demands, key=lambda one: -(stock * one.quantity % whole))
    before = -1
    while left != before:  # the rest of one who wanted no whole case may be there after a round
        before = left
        for one in by_remainder:
            more = min(multiple, one.quantity - found[one.key])
            if more <= left:
                found[one.key] += more
                left -= more
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
