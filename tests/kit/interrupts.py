"""Runs that can be interrupted at every numbered point: killed, refused, unheard, overtaken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fizzbridge.errors import (
    ConflictError,
    DeletedAtTargetError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime.leases import Lease
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.table import ConditionFailedError, Row, TableUnavailableError, Write
from tests.kit import crash_points
from tests.kit.crash_points import Point
from tests.kit.house import KilledError, Shelf, Wanted


class Fault(StrEnum):
    """What an interruption is."""

    CRASH = "crash"
    THROTTLE = "throttle"
    """Refused before it is done, by the table or the target."""
    LOST_REPLY = "lost reply"
    """Done, and nobody hears of it."""
    LATE = "late reply"
    """A create nobody heard of, which the target shows only much later."""
    ORPHAN = "crash in a call"
    """The process is gone, and the create it had sent shows only much later."""
    DOWN = "target down"
    BUG = "bug"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"
    """The lease runs out, and another worker does the work."""
    MEANWHILE = "meanwhile"
    """Something else happens, and no time passes."""


def faults_at(point: Point) -> tuple[Fault, ...]:
    """What beside a crash can go wrong at a point."""
    if point.run in {"pull", "sweep"}:
        return ()
    if point.phase == "after":
        late = (Fault.LATE, Fault.ORPHAN) if point.call == "create" else ()
        return () if point.is_read else (Fault.LOST_REPLY, *late)
    if not point.is_at_target:
        return (Fault.THROTTLE,)
    if point.is_read:
        return (Fault.THROTTLE, Fault.DOWN)
    return (Fault.THROTTLE, Fault.DOWN, Fault.BUG, Fault.REFUSED)


@dataclass
class Trap:
    """Waits at a point for a run to come by."""

    point: Point
    fault: Fault
    skip: int = 0
    then: Callable[[], None] | None = None


@dataclass
class Run:
    """One run of one function."""

    name: str
    entity: EntityRef | None = None
    is_outside: bool = False
    """Whether a call of it reached the target after its lease was lost. Nothing more goes wrong
    with it then: only its own next write can say that the target was touched."""


class Interrupts:
    """The traps, the runs under way, and what really happened.

    Attributes:
        crashed: how often a run really died, by point.
        counts: how often each kind of fault really happened.
    """

    def __init__(self) -> None:
        self.traps: list[Trap] = []
        self.runs: list[Run] = []
        self.crashed: Counter[Point] = Counter()
        self.counts: Counter[str] = Counter()

    @contextmanager
    def run(self, name: str, entity: EntityRef | None = None) -> Iterator[None]:
        """A run of a function; others may come in between, one within the other."""
        self.runs.append(Run(name, entity))
        try:
            yield
        finally:
            self.runs.pop()

    def at(self, call: str, phase: str) -> Fault | None:
        """A run is here.

        Returns:
            What goes wrong with the call.

        Raises:
            KilledError: the process is gone.
        """
        run = self.runs[-1]
        here = crash_points.point(run.name, call, phase)
        trap = self._sprung(run, here)
        if trap is None:
            return None
        self.traps.remove(trap)
        if trap.then:
            self.counts[trap.fault] += 1
            trap.then()
            return None
        if trap.fault is Fault.CRASH:
            self.crashed[here] += 1
            self.counts[Fault.CRASH] += 1
            raise KilledError
        self.counts[trap.fault] += 1
        return trap.fault

    def _sprung(self, run: Run, here: Point) -> Trap | None:
        for trap in self.traps:
            if trap.point is not here or run.is_outside:
                continue
            if trap.skip == 0:
                return trap
            trap.skip -= 1
        return None


class InterruptedTable:
    """The table as a run reaches it."""

    def __init__(self, table: MemoryTable, interrupts: Interrupts) -> None:
        self._table = table
        self._interrupts = interrupts

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Row | None:
        return self._call(self._reads(), self._table.get, pk, sk, consistent=consistent)

    def query(self, pk: str, prefix: str = "", **more: Any) -> list[Row]:
        return self._call(self._reads(), self._table.query, pk, prefix, **more)

    def index(self, name: str, pk: str, **more: Any) -> list[tuple[str, str]]:
        return self._call(self._reads(), self._table.index, name, pk, **more)

    def write(self, write: Write) -> Row:
        return self._written([write], self._table.write, write)

    def transact(self, writes: Sequence[Write]) -> None:
        self._written(writes, self._table.transact, writes)

    def _reads(self) -> str:
        return "look" if self._interrupts.runs[-1].name == "sweep" else "read"

    def _written(self, writes: Sequence[Write], method: Any, what: Any) -> Any:
        call = crash_points.of_writes(self._interrupts.runs[-1].name, writes)
        try:
            return self._call(call, method, what)
        except ConditionFailedError as error:
            at = error.failed[0]
            fence = _fence(writes[at])
            if fence and (error.rows[at] or {}).get("fence") != fence:
                self._interrupts.counts["lease loss"] += 1
            raise

    def _call(self, call: str, method: Any, *args: Any, **more: Any) -> Any:
        if self._interrupts.at(call, "before"):
            raise TableUnavailableError("throttled")
        answer = method(*args, **more)
        if self._interrupts.at(call, "after"):
            raise TableUnavailableError("no answer")
        return answer


def _fence(write: Write) -> object:
    """The fence a write goes by, if any."""
    waiting = [write.when]
    for condition in waiting:
        if getattr(condition, "attr", "") == "fence":
            return getattr(condition, "value", None)
        waiting += getattr(condition, "of", ())
    return None


SEARCH_LAG_S = 4
LONGEST_TRANSACTION_S = 120
"""Longer than a lease, as with some vendors: a call may land when another worker is at work."""

LATE_S = 110


@dataclass
class InterruptedEntity(TargetEntity):
    """One kind of object at the target as a run reaches it, over a vendor's client.

    What a run is held up by before a call delays the call on its way: it was begun in time, and
    lands though its lease is lost meanwhile, if the vendor's longest transaction is not over.
    """

    shelf: Shelf
    table: MemoryTable
    interrupts: Interrupts
    clock: Callable[[], datetime]
    call_timeout: timedelta

    def requires(self, view: View) -> Sequence[EntityRef]:
        return self.shelf.requires(view)

    def desired(self, view: View, situation: Situation) -> Wanted:
        return self.shelf.desired(view, situation)

    def find(self, vendor: Lease, reference: str, payload: Any) -> str | None:
        self._before("find")
        found = self.shelf.find(vendor, reference, payload)
        self.interrupts.at("find", "after")
        return found

    def create(self, vendor: Lease, reference: str, payload: Any) -> str:
        self._send("create", vendor)
        external_id = self.shelf.create(vendor, reference, payload)
        fault = self.interrupts.at("create", "after")
        lag = LATE_S if fault in {Fault.LATE, Fault.ORPHAN} else SEARCH_LAG_S
        self.shelf.objects[external_id].visible_at = self.clock() + timedelta(seconds=lag)
        if fault is Fault.ORPHAN:
            raise KilledError
        if fault:
            raise OutcomeUnknownError("no answer")
        return external_id

    def update(self, vendor: Lease, external_id: str, payload: Any) -> None:
        self._send("update", vendor)
        held = self.shelf.objects.get(external_id)
        if held is None or held.is_cancelled:
            raise DeletedAtTargetError(f"{external_id} is gone")
        self.shelf.update(vendor, external_id, payload)
        self._after("update")

    def cancel(self, vendor: Lease, external_id: str) -> None:
        self._send("cancel", vendor)
        if external_id in self.shelf.objects:
            self.shelf.cancel(vendor, external_id)
        self._after("cancel")

    def _send(self, call: str, lease: Lease) -> None:
        """Send a call that may change something, as the vendor's client does."""
        begun = self.clock()
        if lease.left(begun) < self.call_timeout:
            raise ConflictError("too little time left to begin")
        self._before(call)
        if self.clock() - begun > timedelta(seconds=LONGEST_TRANSACTION_S):
            raise OutcomeUnknownError("cut off on its way")
        row = self.table.get(lease.pk, lease.sk) or {}
        is_late = not lease.held.holds(row)
        # What it changes would be known to nobody if the run died before its next write.
        self.interrupts.runs[-1].is_outside |= is_late and call == "update"

    def _before(self, call: str) -> None:
        match self.interrupts.at(call, "before"):
            case Fault.THROTTLE:
                raise RateLimitedError("slow down", retry_after=timedelta(seconds=5))
            case Fault.DOWN:
                raise TargetUnavailableError("down")
            case Fault.BUG:
                raise RuntimeError("bug")
            case Fault.REFUSED:
                raise TargetRejectedError("no")

    def _after(self, call: str) -> None:
        if self.interrupts.at(call, "after"):
            raise OutcomeUnknownError("no answer")
