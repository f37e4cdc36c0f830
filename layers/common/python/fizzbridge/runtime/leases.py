"""Leases with a fencing token, on any row of the state table.

The fence goes up with every acquisition and stays when a lease is released, so a holder that was
away too long is found out by the condition `held` on its next write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fizzbridge.state import (
    Absent,
    AllOf,
    AnyOf,
    Condition,
    ConditionFailedError,
    Equals,
    Less,
    Row,
    Table,
    Write,
)
from fizzbridge.state.moments import from_text, to_text

LEASE_ATTRIBUTES = ("holder", "lease_until")
"""What a release removes: `fence` stays."""


@dataclass(frozen=True)
class Lease:
    """A row held until a time.

    Attributes:
        pk: Partition key of the row.
        sk: Sort key of the row.
        holder: Who holds it; unique to one invocation.
        fence: Greater than that of every earlier lease of the row.
        until: When it ends.
        row: The row as it was right after the acquisition.
    """

    pk: str
    sk: str
    holder: str
    fence: int
    until: datetime
    row: Row = field(repr=False)

    @property
    def held(self) -> Condition:
        """Holds while nobody else acquired the row; belongs on every write under the lease."""
        return AllOf(Equals("holder", self.holder), Equals("fence", self.fence))

    def left(self, now: datetime) -> timedelta:
        """Time left, none when it is over."""
        return max(self.until - now, timedelta())


@dataclass(frozen=True)
class Busy:
    """Somebody else holds the row.

    Attributes:
        until: When that lease ends at the latest.
        row: The row found.
    """

    until: datetime
    row: Row = field(repr=False)


def acquire(
    table: Table, pk: str, sk: str, holder: str, seconds: float, now: datetime
) -> Lease | Busy:
    """Takes the lease of a row in one conditional write, making the row if there is none.

    Args:
        table: The state table.
        pk: Partition key of the row.
        sk: Sort key of the row.
        holder: Unique to this invocation: the same holder asking again is busy, too.
        seconds: How long the lease is to last.
        now: The present time.
    """
    until = now + timedelta(seconds=seconds)
    free = AnyOf(Absent("lease_until"), Less("lease_until", to_text(now)))
    change = {"holder": holder, "lease_until": to_text(until)}
    try:
        row = table.write(Write(pk, sk, set=change, add={"fence": 1}, when=free))
    except ConditionFailedError as error:
        found = error.rows[0] or {}
        return Busy(from_text(str(found["lease_until"])), found)
    return Lease(pk, sk, holder, int(str(row["fence"])), until, row)


def release(table: Table, lease: Lease) -> bool:
    """Gives the row free; returns False when the lease had been lost to another holder."""
    try:
        table.write(Write(lease.pk, lease.sk, remove=LEASE_ATTRIBUTES, when=lease.held))
    except ConditionFailedError:
        return False
    return True
