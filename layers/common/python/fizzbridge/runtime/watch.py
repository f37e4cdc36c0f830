"""Watch: on a schedule, count what is held, parked, silent or about to expire.

All of it is gauges, written anew at every tick: an alarm ends by itself when the next tick finds
things in order. What a run reads is bounded, whatever has gone wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median_low

from fizzbridge.model.entity import EntityRef, Kind, Part, Role
from fizzbridge.model.money import Currency
from fizzbridge.model.order import HoldReason
from fizzbridge.observability import Metric, Metrics
from fizzbridge.runtime import rows
from fizzbridge.runtime.subscriptions import SUBSCRIPTIONS_SK
from fizzbridge.runtime.tokens import TOKEN_SK
from fizzbridge.settings import Bridge
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import Table, Write

LOOKED_AT = 500
"""So many held orders, or parked entities of a connection, are read in a run; above that the alarm
has been on for long, and its figure need not be exact."""

WEEKS_NEEDED = 2
"""Of so many weeks the hour must be known before anything is called usual."""

EXPIRES = "EXPIRES#"
"""Below a connection: when a key ends, as ``fizzbridge secrets set --expires`` was told."""

VOLUME = "VOLUME#"
"""Below a connection: how many orders an hour brought, kept as long as it says what is usual."""

_HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)


class Watch:
    """Counts for one bridge; the time an order was placed decides in which hour it counts."""

    def __init__(
        self,
        table: Table,
        bridge: Bridge,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._table = table
        self._bridge = bridge
        self._metrics = metrics
        self._now = now

    def run(self) -> None:
        """Write every figure once.

        Raises:
            TableUnavailableError: the table does not answer; figures written so far hold.
        """
        sources = [one.name for one in self._bridge.connections if Role.ORDER_REQUEST in one.roles]
        self._held(sources)
        for name in sources:
            self._volume(name)
        for name in self._bridge.targets:
            self._parked(name)
        for connection in self._bridge.connections:
            self._expiry(connection.name)
            self._webhooks(connection.name)

    # -- what waits for a person ---------------------------------------------------------------

    def _held(self, sources: Iterable[str]) -> None:
        """Nought is written as well: a graph shows that somebody looked."""
        reasons = {name: Counter(dict.fromkeys(HoldReason, 0)) for name in sources}
        orders: dict[str, list[EntityRef]] = {name: [] for name in sources}
        for ref in self._listed(rows.ASSESS, "held"):
            found = {
                HoldReason(rows.text(row, "sk").split("#")[2])
                for row in self._table.query(str(ref), "HOLD#")
                if "cause" in row
            }
            if found and ref.connection in orders:
                reasons[ref.connection].update(found)
                orders[ref.connection].append(ref)
        for name, counts in reasons.items():
            for reason, count in counts.items():
                self._metrics.measure(Metric.HELD_ORDERS, name, count, reason=reason)
            self._value(Metric.HELD_VALUE, name, orders[name])

    def _parked(self, name: str) -> None:
        sk = rows.link_sk(name)
        parked = [
            ref
            for ref in self._listed(name, "parked")
            # New content may have set it going since.
            if (self._table.get(str(ref), sk) or {}).get("status") == "parked"
        ]
        self._metrics.measure(Metric.PARKED_LINKS, name, len(parked))
        orders = [ref for ref in parked if ref.kind is Kind.ORDER]
        self._value(Metric.PARKED_VALUE, name, orders)

    def _listed(self, connection: str, status: str) -> list[EntityRef]:
        cause = rows.waiting_cause(connection, status)
        return [EntityRef.parse(pk) for pk, _ in self._table.index("cause", cause, limit=LOOKED_AT)]

    def _value(self, metric: Metric, name: str, orders: Iterable[EntityRef]) -> None:
        """Orders in currencies that nobody watches are counted elsewhere and not summed here."""
        sums: dict[Currency, Decimal] = dict.fromkeys(self._bridge.watched_currencies, Decimal(0))
        for ref in orders:
            row = self._table.get(str(ref), rows.part_sk(Part.ASSESSMENT)) or {}
            currency = rows.text(row, "currency")
            if currency in sums:
                sums[currency] += Decimal(rows.text(row, "gross"))
        for currency, value in sums.items():
            whole = int(value.to_integral_value())
            self._metrics.measure(metric, name, whole, currency=currency)

    # -- silence -------------------------------------------------------------------------------

    def _volume(self, name: str) -> None:
        """Hold the last full hour against the same hour of the weeks before."""
        policy = self._bridge.alarms
        hour = self._now().replace(minute=0, second=0, microsecond=0) - _HOUR
        before = [self._known(name, hour - _WEEK * n) for n in range(1, policy.silence_weeks + 1)]
        known = [orders for orders in before if orders is not None]
        expected = median_low(known) if len(known) >= WEEKS_NEEDED else 0

        def is_silent(orders: int) -> bool:
            is_busy = expected >= policy.silence_orders
            return is_busy and orders * 100 <= expected * policy.silence_percent

        seen = self._known(name, hour)
        if seen is None or is_silent(seen):
            # While it is silent it is counted again: orders may come in late.
            seen = self._count(name, hour)
        self._metrics.measure(Metric.ORDERS_SEEN, name, seen)
        self._metrics.measure(Metric.ORDERS_EXPECTED, name, expected)
        self._metrics.measure(Metric.SILENT, name, int(is_silent(seen)))

    def _known(self, name: str, hour: datetime) -> int | None:
        row = self._table.get(rows.connection_pk(name), f"{VOLUME}{to_text(hour)}")
        return rows.number(row, "orders") if row else None

    def _count(self, name: str, hour: datetime) -> int:
        listed = self._table.query(rows.placed_pk(name, hour))
        begin, end = to_text(hour), to_text(hour + _HOUR)
        orders = sum(begin <= rows.text(row, "placed_at") < end for row in listed)
        weeks = self._bridge.alarms.silence_weeks + 1
        self._table.write(
            Write(
                rows.connection_pk(name),
                f"{VOLUME}{to_text(hour)}",
                set={"orders": orders, "expires_at": int((hour + weeks * _WEEK).timestamp())},
                replace=True,
            )
        )
        return orders

    # -- what ends -----------------------------------------------------------------------------

    def _expiry(self, name: str) -> None:
        pk = rows.connection_pk(name)
        token = self._table.get(pk, TOKEN_SK) or {}
        ends = [rows.text(row, "until") for row in self._table.query(pk, EXPIRES)]
        ends += filter(None, [rows.text(token, "refresh_until")])
        if ends:
            left = (from_text(min(ends)) - self._now()) // timedelta(days=1)
            self._metrics.measure(Metric.DAYS_LEFT, name, left)

    def _webhooks(self, name: str) -> None:
        row = self._table.get(rows.connection_pk(name), SUBSCRIPTIONS_SK) or {}
        checked = rows.text(row, "checked")
        if rows.text(row, "wanted") == "yes" and checked:
            hours = (self._now() - from_text(checked)) // _HOUR
            self._metrics.measure(Metric.UNWATCHED_HOURS, name, hours)
