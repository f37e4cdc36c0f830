"""Every point a run can be interrupted at, numbered.

A point is named by the run, the call and whether it is before or after it. Which call it is
follows from what is called and from what a write says, never from counting; a write that is none of
these raises ``LookupError``, so that a new step of the protocol gets its numbers here. New calls go
to the end: the numbers stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fizzbridge.runtime import rows
from fizzbridge.state.table import Write

CALLS = (
    ("observe", "read"),
    ("observe", "merge"),
    ("observe", "note"),
    ("announce", "put"),
    ("pull", "read"),
    ("assess", "lease"),
    ("assess", "read"),
    ("assess", "save"),
    ("assess", "rest"),
    ("assess", "release"),
    ("converge", "lease"),
    ("converge", "read"),
    ("converge", "want customer"),
    ("converge", "find"),
    ("converge", "intent"),
    ("converge", "create"),
    ("converge", "save id"),
    ("converge", "drop stamp"),
    ("converge", "update"),
    ("converge", "save stamp"),
    ("converge", "next round"),
    ("converge", "cancel"),
    ("converge", "next generation"),
    ("converge", "drop intent"),
    ("converge", "note attempt"),
    ("converge", "note failure"),
    ("converge", "count attempt"),
    ("converge", "release"),
    ("converge", "park"),
    ("converge", "suspect"),
    ("sweep", "look"),
    ("sweep", "send"),
)
AT_TARGET = ("find", "create", "update", "cancel")
"""Calls of a converge that are made at the target."""


class Point(NamedTuple):
    """A place where a run may be interrupted."""

    number: int
    run: str
    call: str
    phase: str
    """``before`` or ``after``."""

    def __str__(self) -> str:
        return f"{self.run}: {self.phase} {self.call}"

    @property
    def is_at_target(self) -> bool:
        return self.run == "converge" and self.call in AT_TARGET

    @property
    def is_read(self) -> bool:
        return self.call in {"read", "look", "find"}


POINTS = tuple(
    Point(2 * place + (phase == "after") + 1, run, call, phase)
    for place, (run, call) in enumerate(CALLS)
    for phase in ("before", "after")
)
NAMED = {str(point): point for point in POINTS}
_FOUND = {(point.run, point.call, point.phase): point for point in POINTS}


def point(run: str, call: str, phase: str) -> Point:
    """The point of a call.

    Raises:
        LookupError: it has none.
    """
    return _FOUND[run, call, phase]


def of_writes(run: str, writes: Sequence[Write]) -> str:
    """What a run is about to write, in the words of ``CALLS``.

    Raises:
        LookupError: nobody has given it a number.
    """
    first = writes[0]
    if "fence" in first.add:
        return "lease"
    if run == "observe":
        return "merge" if first.sk.startswith("PART#") else "note"
    if run == "assess":
        return _of_assess(writes)
    return _of_converge(first)


def _of_assess(writes: Sequence[Write]) -> str:
    last = writes[-1]
    if last.sk != rows.link_sk(rows.ASSESS):
        raise LookupError(writes)
    if "synced" in last.set:
        return "save"
    return "rest" if "behind_shard" in last.remove else "release"


def _of_converge(write: Write) -> str:
    if write.sk.startswith("TIMELINE#"):
        return "note attempt"
    status = write.set.get("status")
    # Who suspects wants something new as well.
    if "wanted" in write.set and status != "suspect":
        return "want customer"
    if "attempts" in write.add:
        return "count attempt"
    if status in {"suspect", "parked", "synced"}:
        return {"suspect": "suspect", "parked": "park", "synced": "save stamp"}[str(status)]
    for name, call in (
        ("external_id", "save id"),
        ("intent", "intent"),
        ("generation", "next generation"),
        ("synced", "next round"),
        ("reason", "note failure"),
    ):
        if name in write.set:
            return call
    return {
        ("stamp", "synced"): "drop stamp",
        ("intent",): "drop intent",
        ("holder", "lease_until"): "release",
    }[tuple(write.remove)]
