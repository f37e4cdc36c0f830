"""Resync: bring back every hint that was lost on its way.

The bus and the queues may lose hints, never work: a link whose ``wanted`` is not ``synced`` stands
in an index until it is. What is held or parked waits for a person or a mapping and is not in there.

The sweeper is also the only one that acts on a connection's breaker or pause: it probes, and turns
the connection's functions on and off. Every run compares what is with what should be, and remembers
nothing, so a run that died half way is made good by the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fizzbridge.model.entity import LEVEL_KINDS, EntityRef
from fizzbridge.observability import Metric, Metrics, log
from fizzbridge.queues import Queue
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import CLOSED, PROBES, Breaker, State
from fizzbridge.settings import Timing
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Table
from fizzbridge.switches import Switches, SwitchUnavailableError

PAGE = 200
RESYNC = "Resync"

_SWITCHED = ("pull", "target")
"""The functions of a connection that call its vendor. Its webhooks are always taken in."""


@dataclass(frozen=True)
class QueueNames:
    """How the queues and functions of a stage are called.

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

    def function(self, connection: str, role: str) -> str:
        """A function of a connection."""
        return f"fizzbridge-{self.stage}-{connection}-{role}"


def hint(ref: EntityRef) -> str:
    """The body of a message that only says: look at this entity."""
    return json.dumps({"detail-type": RESYNC, "detail": {"kind": ref.kind, "key": ref.key}})


class Sweeper:
    """Sends hints for what has been behind too long, connection by connection.

    Args:
        table: the state table.
        queue: where hints are sent.
        names: of queues and functions.
        connections: all of the bridge.
        after: how long a link is behind before it gets a hint.
        now: the present time.
        switches: of the connections' functions.
        timing: when to probe.
    """

    def __init__(
        self,
        table: Table,
        queue: Queue,
        names: QueueNames,
        connections: Iterable[str],
        after: timedelta,
        now: Callable[[], datetime],
        switches: Switches,
        timing: Timing | None = None,
    ) -> None:
        self._table = table
        self._queue = queue
        self._names = names
        self._connections = tuple(connections)
        self._after = after
        self._now = now
        self._switches = switches
        self._timing = timing or Timing()

    def run(self, metrics: Metrics | None = None) -> int:
        """Bring every connection to its state, and send the hints that are due.

        Args:
            metrics: counts the connections in trouble.

        Returns:
            How many hints were sent.

        Raises:
            SwitchUnavailableError: a function could not be turned on or off; the rest was done.
        """
        sent, refused = self._sweep(rows.ASSESS, _ALL), None
        for name in self._connections:
            state = Breaker(self._table, name, self._now, self._timing).probe()
            if metrics and state.name != CLOSED:
                metrics.count(Metric.UNHEALTHY, name)
            try:
                self._switch(name, state)
            except SwitchUnavailableError as error:
                log.warning("functions not switched", extra={"reason": str(error)})
                refused = error
            sent += self._sweep(name, _most(state))
        if refused:
            raise refused
        return sent

    def _switch(self, connection: str, state: State) -> None:
        """Give a connection's functions messages, or none, as its state says."""
        for role in _SWITCHED:
            for switch in self._switches.of(self._names.function(connection, role)):
                # One on its way from one to the other is seen to by the next run.
                if switch.is_on is not None and switch.is_on != state.is_on:
                    self._switches.turn(switch, on=state.is_on)
                    extra = {"connection": connection, "function": role, "on": state.is_on}
                    log.info("function switched", extra=extra)

    def _sweep(self, connection: str, most: int) -> int:
        due = to_text(self._now() - self._after)
        sent = 0
        for shard in rows.shards(connection) if most else ():
            for pk, sk in self._table.index("behind", shard, up_to=due, limit=PAGE):
                # The index is only a hint: the base row decides.
                row = self._table.get(pk, sk) or {}
                if sent < most and "behind_shard" in row:
                    ref = EntityRef.parse(pk)
                    self._queue.send(self._names.of(ref, connection), hint(ref))
                    sent += 1
        return sent


_ALL = (1 + rows.BEHIND_SHARDS) * PAGE


def _most(state: State) -> int:
    """How many hints a connection gets in one run."""
    if state.works:
        return _ALL
    return PROBES if state.is_on else 0
