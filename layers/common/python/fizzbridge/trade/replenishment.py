"""When to order from suppliers, and how much: demand over the lead time, and a reserve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from fizzbridge.model.catalogue import CatalogueItem, StockLevel
from fizzbridge.model.units import Unit
from fizzbridge.model.working import Working
from fizzbridge.settings import StockPolicy

QUANTILES = {
    Decimal(90): Decimal("1.282"),
    Decimal(95): Decimal("1.645"),
    Decimal("97.5"): Decimal("1.960"),
    Decimal(98): Decimal("2.054"),
    Decimal(99): Decimal("2.326"),
}
"""Quantiles of the standard normal distribution, by percent."""


@dataclass(frozen=True)
class Suggestion:
    """What to order of an item, in base units.

    Attributes:
        position: on hand less reserved, with what is on order.
        level: the reorder point, or the target of a periodic review.
        quantity: what to order, in whole ordering units; nought while there is enough.
        working: how it came about.
    """

    position: int
    level: int
    quantity: int
    working: Working


@dataclass(frozen=True)
class _Facts:
    demand: Decimal
    deviation: Decimal
    lead: Decimal
    lead_deviation: Decimal
    z: Decimal


def _facts(item: CatalogueItem) -> _Facts | None:
    values = (item.daily_demand, item.demand_deviation, item.lead_time_days, item.service_level)
    demand, deviation, lead, level = values
    if demand is None or deviation is None or lead is None or level is None:
        return None
    if level not in QUANTILES:
        known = ", ".join(f"{one}" for one in QUANTILES)
        raise ValueError(f"service_level: {level} is not one of {known}")
    return _Facts(demand, deviation, lead, item.lead_time_deviation, QUANTILES[level])


def _needed(item: CatalogueItem) -> _Facts:
    found = _facts(item)
    if found is None:
        raise ValueError(
            f"{item.sku}: daily_demand, demand_deviation, lead_time_days and service_level "
            "must be known"
        )
    return found


def safety_stock(item: CatalogueItem, review_days: int = 0) -> int:
    """The reserve for bad weeks, rounded up to a base unit.

    Args:
        item: demand by the day, lead time, service level.
        review_days: days between two looks; nought where every sale is looked at.
    """
    of = _needed(item)
    days = of.lead + review_days
    variance = days * of.deviation**2 + of.demand**2 * of.lead_deviation**2
    return _up(of.z * variance.sqrt())


def reorder_point(item: CatalogueItem) -> int:
    """The position at which to order."""
    of = _needed(item)
    return _up(of.demand * of.lead) + safety_stock(item)


def target(item: CatalogueItem, review_days: int) -> int:
    """The position to order up to at each review."""
    of = _needed(item)
    return _up(of.demand * (of.lead + review_days)) + safety_stock(item, review_days)


def position(level: StockLevel) -> int:
    """On hand less reserved, with what is on order."""
    return level.on_hand - level.reserved + sum(one.quantity for one in level.on_order)


def suggestion(item: CatalogueItem, level: StockLevel, policy: StockPolicy) -> Suggestion | None:
    """What to order now; None where nothing is known of the item's demand.

    Never more than can be sold within the item's life.
    """
    of = _facts(item)
    if of is None:
        return None
    now = position(level)
    if policy.review_days:
        up_to = target(item, policy.review_days)
        wanted, name = up_to - now, "target"
    else:
        up_to = reorder_point(item)
        # At the point, order what brings it back above it: a lead time's demand.
        wanted = up_to - now + _up(of.demand * of.lead) if now <= up_to else 0
        name = "reorder point"
    factor = item.factor(policy.reorder_unit) or item.factor(Unit.CASE) or 1
    quantity = -(-max(wanted, 0) // factor) * factor
    if item.shelf_life_days is not None:
        sellable = int(of.demand * item.shelf_life_days) - now
        quantity = min(quantity, max(sellable, 0) // factor * factor)
    cover = days_of_cover(level.on_hand - level.reserved, demand_in(item, level.as_of.month))
    text = f"{item.sku}: position {now}, {name} {up_to}: order {quantity}; {cover} days of cover"
    return Suggestion(now, up_to, quantity, Working(rule="replenishment", text=text))


def demand_in(item: CatalogueItem, month: int) -> Decimal:
    """Daily demand in a month, by the item's season where that is known."""
    of = _needed(item)
    if not item.monthly_demand:
        return of.demand
    return of.demand * seasonal_indices(item.monthly_demand)[month - 1]


def days_of_cover(available: int, per_day: Decimal) -> Decimal:
    """How many days stock lasts, to a tenth; nought where nothing is sold."""
    if not per_day:
        return Decimal(0)
    return (available / per_day).quantize(Decimal("0.1"), ROUND_HALF_UP)


def seasonal_indices(months: Sequence[int | Decimal]) -> list[Decimal]:
    """Each month against the average, to a hundredth of it."""
    average = Decimal(sum(months)) / len(months)
    return [(month / average).quantize(Decimal("0.01"), ROUND_HALF_UP) for month in months]


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
