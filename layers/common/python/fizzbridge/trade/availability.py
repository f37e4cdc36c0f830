"""What may be offered of an item: on hand, less what is promised and what is kept back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal

from fizzbridge.model.catalogue import CatalogueItem, Receipt, StockLevel
from fizzbridge.model.units import Unit
from fizzbridge.model.working import Working
from fizzbridge.settings import StockPolicy

SECONDS_PER_HOUR = 3600
HOURS_PER_DAY = 24


@dataclass(frozen=True)
class Available:
    """What may be offered, in base units, and what it is made of.

    Attributes:
        on_hand: usable: of lots, those not blocked.
        reserved: promised in the ERP.
        in_flight: claimed by orders the ERP has not reserved for yet.
        buffer: kept back by the company.
        stale: demand to be expected since an old level was taken.
        raw: what is left before that; below nought where more is promised than there is.
        available: the same, never below nought.
        working: how it came about.
    """

    on_hand: int
    reserved: int
    in_flight: int
    buffer: int
    stale: int
    raw: int
    available: int
    working: Working


def available(
    level: StockLevel, in_flight: int, item: CatalogueItem, policy: StockPolicy, now: datetime
) -> Available:
    """What of a stock level may be offered.

    Args:
        level: what its owner says.
        in_flight: base units claimed and not reserved there yet.
        item: for its pack sizes and its demand.
        policy: buffers, and when a level is too old to be trusted.
        now: the present time.
    """
    on_hand = _usable(level)
    stale = _stale(level, item, policy, now)
    left = on_hand - level.reserved - in_flight - stale
    buffer = kept_back(left, item, policy)
    found = max(left - buffer, 0)
    text = f"{on_hand} on hand - {level.reserved} reserved - {in_flight} in flight"
    text += f" - {buffer} kept back" if buffer else ""
    text += f" - {stale} sold since {level.as_of:%Y-%m-%d %H:%M}" if stale else ""
    working = Working(
        rule="availability",
        text=f"{item.sku} at {level.location}: {text} = {found}",
        source=f"level of {level.as_of:%Y-%m-%d %H:%M}Z",
    )
    return Available(on_hand, level.reserved, in_flight, buffer, stale, left, found, working)


def kept_back(left: int, item: CatalogueItem, policy: StockPolicy) -> int:
    """What of the stock at one place is never offered, in base units."""
    kept = policy.buffer_cases * (item.factor(Unit.CASE) or 1)
    part = int((max(left, 0) * policy.buffer_percent / 100).to_integral_value(ROUND_CEILING))
    return max(kept, part)


def _usable(level: StockLevel) -> int:
    if not level.lots:
        return level.on_hand
    return sum(lot.quantity for lot in level.lots if not lot.is_blocked)


def _stale(level: StockLevel, item: CatalogueItem, policy: StockPolicy, now: datetime) -> int:
    hours = Decimal(int((now - level.as_of).total_seconds())) / SECONDS_PER_HOUR
    if item.daily_demand is None or hours <= policy.stale_after_hours:
        return 0
    expected = item.daily_demand / HOURS_PER_DAY * hours
    return int(expected.to_integral_value(ROUND_CEILING))


def publish(base: int, item: CatalogueItem, unit: Unit) -> int:
    """Whole sale units of a quantity, never below nought; nought for a unit it does not have."""
    factor = item.factor(unit)
    return max(base, 0) // factor if factor else 0


def promise(
    now: int, receipts: Iterable[Receipt], orders: Iterable[tuple[date, int]]
) -> list[tuple[date, int]]:
    """Available to promise: what is free after each coming receipt and order, by day.

    Args:
        now: what is available today.
        receipts: goods that come.
        orders: goods that go, by day.
    """
    moves = [(one.due_on, 0, one.quantity) for one in receipts]
    moves += [(day, 1, -quantity) for day, quantity in orders]
    found, left = [], now
    for day, _, quantity in sorted(moves):
        left += quantity
        found.append((day, left))
    return found
