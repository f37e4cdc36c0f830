"""Resync: bring back every hint that was lost on its way.

The bus and the queues may lose hints, never work: a link whose ``wanted`` is not ``synced`` stands
in an index until it is. What is held or parked waits for a person or a mapping and is not in there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fizzbridge.model.entity import LEVEL_KINDS, EntityRef
from fizzbridge.queues import Queue
from fizzbridge.runtime import rows
from fizzbridge.runtime.health import UNHEALTHY
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Table

PAGE = 200
RESYNC = "Resync"

PROBES = 5
"""Hints in one run for a connection that does not work: enough to notice when it does again, and
too few to have the vendor lock us out for calls with a key that is not good any more."""


@dataclass(frozen=True)
class QueueNames:
    """How the queues of a stage are called.

    Attributes:
        stage: the stage.
        url: the address of a queue by its name.
        assess: the address of the assess queue.
    """

    stage: str
    url: Callable[[str], str]
    assess: str

    def of(self, ref: EntityRef, connection: str) -> str:
        """The queue that takes hints about an entity's link to a connection."""
        if connection == rows.ASSESS:
            return self.assess
        kind = "levels" if ref.kind in LEVEL_KINDS else "documents"
        return self.url(f"fizzbridge-{self.stage}-{connection}-{kind}")


def hint(ref: EntityRef) -> str:
    """The body of a message that only says: look at this entity."""
    return json.dumps({"detail-type": RESYNC, "detail": {"kind": ref.kind, "key": ref.key}})


class Sweeper:
    """Sends hints for what has been behind too long, connection by connection."""

    def __init__(
        self,
        table: Table,
        queue: Queue,
        names: QueueNames,
        connections: Iterable[str],
        after: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._table = table
        self._queue = queue
        self._names = names
        self._connections = (rows.ASSESS, *connections)
        self._after = after
        self._now = now

    def run(self) -> int:
        """Send the hints that are due; returns how many."""
        return sum(map(self._sweep, self._connections))

    def _sweep(self, connection: str) -> int:
        due = to_text(self._now() - self._after)
        most = self._most(connection)
        sent = 0
        for shard in rows.shards(connection):
            for pk, sk in self._table.index("behind", shard, up_to=due, limit=PAGE):
                # The index is only a hint: the base row decides.
                row = self._table.get(pk, sk) or {}
                # What failed a moment ago comes again by its own message; hints beside that would
                # try it at every run.
                is_due = "behind_shard" in row and rows.text(row, "tried_at") <= due
                if sent < most and is_due:
                    ref = EntityRef.parse(pk)
                    self._queue.send(self._names.of(ref, connection), hint(ref))
                    sent += 1
        return sent

    def _most(self, connection: str) -> int:
        """How many hints a connection gets in one run."""
        health = self._table.get(rows.connection_pk(connection), rows.HEALTH_SK) or {}
        return PROBES if health.get("status") == UNHEALTHY else rows.BEHIND_SHARDS * PAGE
