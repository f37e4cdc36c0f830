"""Cursors of polls: how far each stream of a connection has been read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Absent, ConditionFailedError, Equals, Row, Table, Write


@dataclass(frozen=True)
class Cursor:
    """A place in a stream.

    Attributes:
        connection: Whose stream.
        stream: Which stream.
        position: What the adapter wrote; empty before the first poll.
        revision: Counts its moves.
    """

    connection: str
    stream: str
    position: str = ""
    revision: int = 0


class CursorMovedError(Exception):
    """Another poller moved the cursor; its place is in `current`."""

    def __init__(self, current: Cursor) -> None:
        super().__init__(f"{current.connection}/{current.stream} is at move {current.revision}")
        self.current = current


class Cursors:
    """The cursors in the state table; a poller's lease may lie on the same row."""

    def __init__(self, table: Table, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def read(self, connection: str, stream: str) -> Cursor:
        """Reads a cursor; one that was never moved is at the beginning."""
        row = self._table.get(*cursor_key(connection, stream))
        return _cursor(connection, stream, row)

    def advance(self, cursor: Cursor, position: str) -> Cursor:
        """Moves a cursor on from where it was read, after the page's merges are stored.

        Raises:
            CursorMovedError: Somebody else has moved it since.
        """
        pk, sk = cursor_key(cursor.connection, cursor.stream)
        unmoved = Equals("revision", cursor.revision) if cursor.revision else Absent("revision")
        change: Row = {
            "position": position,
            "revision": cursor.revision + 1,
            "moved_at": to_text(self._clock()),
        }
        try:
            row = self._table.write(Write(pk, sk, set=change, when=unmoved))
        except ConditionFailedError as error:
            current = _cursor(cursor.connection, cursor.stream, error.rows[0])
            raise CursorMovedError(current) from None
        return _cursor(cursor.connection, cursor.stream, row)


def cursor_key(connection: str, stream: str) -> tuple[str, str]:
    """The row of a cursor."""
    return f"CONNECTION#{connection}", f"CURSOR#{stream}"


def _cursor(connection: str, stream: str, row: Row | None) -> Cursor:
    row = row or {}
    return Cursor(
        connection, stream, str(row.get("position", "")), int(str(row.get("revision", 0)))
    )
