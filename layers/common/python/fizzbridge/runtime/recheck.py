"""Look for what a source no longer has: nobody tells of an order that is simply deleted.

The orders of the last days are looked for among the platform's own keys. One that is missing
twice, an hour or more apart, is gone; one look alone may fall on a list that is behind. Where much
is missing at once the list is wrong, or our key may not see it, and nothing is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.observability import log
from fizzbridge.observation import Seen
from fizzbridge.runtime import rows
from fizzbridge.settings import Limits
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import Table, Write

AGAIN = timedelta(hours=1)


class Recheck:
    """Which of one connection's orders are gone.

    Args:
        table: the state table.
        connection: its name.
        limits: how many days are looked through, and how much may be gone of one.
        now: gives the time.
    """

    def __init__(
        self, table: Table, connection: str, limits: Limits, now: Callable[[], datetime]
    ) -> None:
        self._table = table
        self._connection = connection
        self._limits = limits
        self._now = now

    def days(self) -> Iterator[str]:
        """The days whose orders are looked for, the newest first."""
        today = self._now()
        for ago in range(self._limits.recheck_days):
            yield f"{today - timedelta(days=ago):%Y-%m-%d}"

    def known(self, day: str) -> list[EntityRef]:
        """The orders of a day."""
        pk = rows.placed_pk(self._connection, datetime.fromisoformat(day))
        return [EntityRef.parse(rows.text(row, "sk")) for row in self._table.query(pk)]

    def missed(self, day: str, known: Sequence[EntityRef], there: Collection[str]) -> list[Seen]:
        """Remember what is missing; what was missing the last time too is a deletion.

        Returns:
            A tombstone for each order that is gone.
        """
        pk, sk = rows.connection_pk(self._connection), f"MISSING#{day}"
        before = self._table.get(pk, sk) or {}
        missing = [ref for ref in known if ref.external_id not in there and self._is_alive(ref)]
        if not missing and not before:
            return []  # as on nearly all days
        now = self._now()
        if before and now - from_text(rows.text(before, "since")) < AGAIN:
            return []
        keys = [ref.key for ref in missing]
        self._table.write(Write(pk, sk, set={"keys": keys, "since": to_text(now)}, replace=True))
        if len(missing) > self._limits.missing_orders:
            log.error("too many orders missing", extra={"day": day, "missing": len(missing)})
            return []
        again = before.get("keys")
        gone = [ref for ref in missing if isinstance(again, list) and ref.key in again]
        return [Seen(ref, None, now, Part.REQUEST) for ref in gone]

    def _is_alive(self, ref: EntityRef) -> bool:
        stored = self._table.get(str(ref), rows.part_sk(Part.REQUEST))
        return stored is not None and not stored.get("deleted")
