"""Times as text that sorts as the times do, for conditions and index keys."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Writes an aware time as fixed-width UTC text, so that comparing texts compares times.

    Raises:
        ValueError: The time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a stored time needs a zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Reads what `to_text` wrote."""
    return datetime.fromisoformat(text)
