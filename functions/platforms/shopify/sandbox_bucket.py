"""The sandbox's bucket of points, which queries empty and time fills."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from platforms.shopify.sandbox_money import Json

MINUTE = timedelta(minutes=1)


class Bucket:
    """The points one app has at one shop.

    Args:
        clock: gives the time.
        maximum_available: what the bucket holds when it is full.
        restore_rate: the points that come back each second.

    Attributes:
        available: what it holds; tests may change it.
        peak_per_minute: the most points that were used within a minute.
        throttled: how often it held too little.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        maximum_available: float = 2000,
        restore_rate: float = 100,
    ) -> None:
        self.maximum_available = maximum_available
        self.restore_rate = restore_rate
        self.available = maximum_available
        self.peak_per_minute = self.throttled = 0
        self._clock = clock
        self._filled_at = clock()
        self._spent: deque[tuple[datetime, int]] = deque()

    def bears(self, points: int) -> bool:
        """Whether it holds so many points now."""
        now = self._clock()
        gained = (now - self._filled_at).total_seconds() * self.restore_rate
        self.available = min(self.available + gained, self.maximum_available)
        self._filled_at = now
        self.throttled += points > self.available
        return points <= self.available

    def spend(self, points: int) -> None:
        """Take points out."""
        now = self._clock()
        self.available -= points
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._spent.popleft()
        self._spent.append((now, points))
        used = sum(one for _, one in self._spent)
        self.peak_per_minute = max(self.peak_per_minute, used)

    def shown(self, requested: int, actual: int | None) -> Json:
        """The cost of a query as each answer tells it."""
        status = {
            "maximumAvailable": self.maximum_available,
            "currentlyAvailable": int(self.available),
            "restoreRate": self.restore_rate,
        }
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": status,
            }
        }
