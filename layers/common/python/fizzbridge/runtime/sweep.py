"""Resync: bring back every hint that was lost on its way.

The bus and the queues may lose hints, never work: a link whose ``wanted`` is not ``synced`` stands
in an index until it is. What is held or parked waits for a person or a mapping and is not in there.

The sweeper is also the only one that acts on a connection's breaker or pause: it probes, and turns
the connection's functions on and off. Every run compares what is with what should be, and remembers
nothing, so a run that died half way is made good by the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fizzbridge.model.entity import LEVEL_KINDS, EntityRef
from fizzbridge.observability import Metric, Metrics, log
from fizzbridge.queues import Queue
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import CLOSED, Breaker, State
from fizzbridge.runtime.limiter import needed
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


def hint(ref: EntityRef, correlation_id: str = "") -> str:
    """The body of a message that only says: look at this entity.

    Args:
        ref: the entity.
        correlation_id: of what moved it last, where that is known.
    """
    detail = {"kind": ref.kind, "key": ref.key}
    if correlation_id:
        detail["correlation_id"] = correlation_id
    return json.dumps({"detail-type": RESYNC, "detail": detail})


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
        per_minute: how many calls a connection allows: more hints than can be followed are of no
            use.
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
        per_minute: Mapping[str, int] | None = None,
    ) -> None:
        self._table = table
        self._queue = queue
        self._names = names
        self._connections = tuple(connections)
        self._after = after
        self._now = now
        self._switches = switches
        self._timing = timing or Timing()
        self._per_minute = per_minute or {}

    def run(self, metrics: Metrics | None = None) -> int:
        """Bring every connection to its state, and send the hints that are due.

        Args:
            metrics: counts the connections in trouble.

        Returns:
            How many hints were sent.

        Raises:
            SwitchUnavailableError: a function could not be turned on or off; the rest was done.
        """
        states = {
            name: Breaker(self._table, name, self._now, self._timing).probe()
            for name in self._connections
        }
        for name, state in states.items():
            if metrics and state.name != CLOSED:
                metrics.count(Metric.UNHEALTHY, name)
        refused: SwitchUnavailableError | None = None
        try:
            self._switch(states)
        except SwitchUnavailableError as error:
            log.warning("functions not switched", extra={"reason": str(error)})
            refused = error
        # A half-open breaker lets a handful through, and the others too once one was answered.
        on = [name for name, state in states.items() if state.is_on]
        sent = sum(map(self._sweep, (rows.ASSESS, *on)))
        if refused:
            raise refused
        return sent

    def _switch(self, states: Mapping[str, State]) -> None:
        """Give the connections' functions messages, or none, as their states say."""
        wanted = {
            self._names.function(name, role): state.is_on
            for name, state in states.items()
            for role in _SWITCHED
        }
        for switch in self._switches.all():
            on = wanted.get(switch.function, switch.is_on)
            # One on its way from one to the other is seen to by the next run.
            if switch.is_on is not None and on is not None and switch.is_on != on:
                self._switches.turn(switch, on=on)
                log.info("function switched", extra={"function": switch.function, "on": on})

    def _sweep(self, connection: str) -> int:
        """Send a connection's hints; gives how many."""
        due = to_text(self._now() - self._after)
        found: list[tuple[bool, str, str, str]] = []
        for shard in rows.shards(connection):
            for pk, sk in self._table.index("behind", shard, up_to=due, limit=PAGE):
                # The index is only a hint: the base row decides. What failed a moment ago comes
                # again by its own message; hints beside that would try it at every run.
                row = self._table.get(pk, sk) or {}
                if "behind_shard" in row and rows.text(row, "tried_at") <= due:
                    waits = not rows.is_urgent(row, connection), rows.text(row, "updated_at")
                    found.append((*waits, pk, rows.text(row, "correlation_id")))
        if not found:
            return 0
        most = self._most(connection)
        # What was tried last waits longest, so that what fails again and again hides nothing.
        found = sorted(found)[:most]
        for number, (_, _, pk, correlation_id) in enumerate(found):
            ref = EntityRef.parse(pk)
            # At the pace the vendor allows: all at once they would find no capacity.
            is_limited = connection in self._per_minute
            delay = self._timing.sweep_every * number // most if is_limited else 0
            body = hint(ref, correlation_id)
            self._queue.send(self._names.of(ref, connection), body, delay)
        return len(found)

    def _most(self, connection: str) -> int:
        """How many hints a connection can follow until the next run."""
        if connection not in self._per_minute:
            return _ALL
        calls = self._per_minute[connection] * self._timing.sweep_every // 60
        return min(max(calls // needed(self._table, connection), 1), _ALL)


_ALL = (1 + rows.BEHIND_SHARDS) * PAGE
