"""Cut-off and route days: when a van brings what is ordered now."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fizzbridge.model.customer import Weekday
from fizzbridge.model.working import Working
from fizzbridge.settings import DeliveryPolicy

A_YEAR = 366


def promise(
    placed_at: datetime, policy: DeliveryPolicy, days: tuple[Weekday, ...]
) -> tuple[date, Working]:
    """The first route day that an order placed then can be on.

    Args:
        placed_at: when it was placed.
        policy: cut-off in the depot's own time, lead days, holidays.
        days: days the route runs.

    Raises:
        ValueError: no route runs within a year.
    """
    local = placed_at.astimezone(ZoneInfo(policy.time_zone))
    is_late = local.time() >= policy.cut_off
    first = local.date() + timedelta(days=policy.lead_days + is_late)
    for ahead in range(A_YEAR):
        day = first + timedelta(days=ahead)
        if list(Weekday)[day.weekday()] in days and day not in policy.holidays:
            side = "after" if is_late else "before"
            text = (
                f"ordered {local:%Y-%m-%d %H:%M} {local.tzname()}, {side} the cut-off at "
                f"{policy.cut_off:%H:%M}: first route day {day}, {day:%A}"
            )
            return day, Working(rule="delivery", text=text)
    raise ValueError("delivery days: no route runs within a year")


def pallets(cases: int, per_pallet: int) -> int:
    """Pallets that cases take, the last one begun counted whole."""
    return -(-cases // per_pallet)


def fits(places: int, built: int, cases: int, per_pallet: int) -> int:
    """Pallet places left on a truck; negative where some are too many."""
    return places - built - pallets(cases, per_pallet)
