"""Versions: one sortable text, whatever clock the owner has.

Two versions of one part come from the same clock, so comparing the texts compares the versions.
An ETag is never a version: it has no order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

SEED = ""
"""Below every version: an embedded copy creates a missing entity and never updates one."""


@dataclass(frozen=True)
class Sequence:
    """The owner counts its changes: 1, 2, 3."""

    def version(self, value: int) -> str:
        """The version of the value-th change."""
        return f"s{value:020d}"


@dataclass(frozen=True)
class Timestamp:
    """The owner stamps its changes; equal stamps of different content are a tie."""

    precision: Literal["second", "millisecond", "microsecond"] = "second"

    def version(self, value: datetime) -> str:
        """The version of a change made then, cut to what the owner's clock resolves.

        Raises:
            ValueError: the time has no zone.
        """
        if value.tzinfo is None:
            msg = f"{value.isoformat()} has no time zone"
            raise ValueError(msg)
        micro = {
            "second": 0,
            "millisecond": value.microsecond // 1000 * 1000,
            "microsecond": value.microsecond,
        }[self.precision]
        moment = value.astimezone(UTC).replace(microsecond=micro)
        return f"t{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


@dataclass(frozen=True)
class ReadTime:
    """The owner has no clock: the version is when our read under a lease began."""

    def version(self, value: datetime) -> str:
        """The version of what a read begun then returned."""
        return Timestamp("microsecond").version(value)


Clock = Sequence | Timestamp | ReadTime
