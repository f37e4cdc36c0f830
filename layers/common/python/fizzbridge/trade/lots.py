"""Lots and shelf life: first expired goes first, among those that live long enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from fizzbridge.model.catalogue import LotStock
from fizzbridge.model.customer import Terms
from fizzbridge.model.working import Working


@dataclass(frozen=True)
class Plan:
    """What to pick.

    Attributes:
        picks: lots with their quantities, first expired first.
        short: what no lot can give.
        working: how it came about.
    """

    picks: tuple[tuple[str, int], ...]
    short: int
    working: Working


def best_before(made_on: date, life_days: int) -> date:
    """The last day of a batch's life."""
    return made_on + timedelta(days=life_days)


def life_left(best_before: date, day: date) -> int:
    """Days of life left on a day; negative once it is over."""
    return (best_before - day).days


def life_share(best_before: date, day: date, life_days: int) -> Decimal:
    """The same as a fraction of the whole life."""
    return Decimal(life_left(best_before, day)) / life_days


def last_delivery(best_before: date, minimum_days: int) -> date:
    """The last day a batch may be delivered to one who asks for that many days."""
    return best_before - timedelta(days=minimum_days)


def minimum_days(terms: Terms, life_days: int | None) -> int:
    """Days of life an account asks for; of days and fraction of the life the longer counts.

    A fraction is taken to the nearest day: thirds have no exact decimal, and two thirds of 270 days
    are 180 however many sixes the account wrote.
    """
    days = terms.minimum_life_days or 0
    if terms.minimum_life_share is None or life_days is None:
        return days
    part = (terms.minimum_life_share * life_days).to_integral_value(ROUND_HALF_UP)
    return max(days, int(part))


def fefo(lots: Iterable[LotStock], quantity: int, delivery: date, minimum_days: int) -> Plan:
    """Pick first expired first; blocked lots and those too short of life stay.

    Args:
        lots: what is there.
        quantity: base units wanted.
        delivery: the day they arrive.
        minimum_days: life the account asks for on that day.
    """
    fitting = sorted(
        (
            lot
            for lot in lots
            if not lot.is_blocked and life_left(lot.best_before, delivery) >= minimum_days
        ),
        key=lambda lot: (lot.best_before, lot.lot),
    )
    picks, left = [], quantity
    for lot in fitting:
        taken = min(lot.quantity, left)
        if taken:
            picks.append((lot.lot, taken))
            left -= taken
    until = {lot.lot: last_delivery(lot.best_before, minimum_days) for lot in fitting}
    words = " + ".join(f"{taken} of lot {lot} (until {until[lot]})" for lot, taken in picks)
    text = f"{words or 'nothing'} for {quantity}, {minimum_days} days left on {delivery}"
    return Plan(tuple(picks), left, Working(rule="lots", text=text))


def recall(shipped: Iterable[tuple[str, int]]) -> dict[str, int]:
    """How much of a lot each customer was sent, from what each order was sent of it."""
    found: dict[str, int] = {}
    for customer, quantity in shipped:
        found[customer] = found.get(customer, 0) + quantity
    return found
