"""Id maps: what our codes are called at a connection, or a source's codes are called by us."""

from __future__ import annotations

from collections.abc import Mapping

from fizzbridge.runtime import rows
from fizzbridge.state.table import Table


class IdMaps:
    """The maps of one connection, read row by row and kept for as long as this object lives."""

    def __init__(self, table: Table, connection: str) -> None:
        self._table = table
        self._connection = connection
        self._known: dict[tuple[str, str], str | None] = {}
        self._listed: dict[str, dict[str, str]] = {}

    def get(self, sort: str, value: str) -> str | None:
        """What ``value`` is called on the other side; None where nobody said, or it has no name."""
        if not value:
            return None
        if (sort, value) not in self._known:
            row = self._table.get(rows.map_pk(self._connection, sort), value)
            self._known[sort, value] = rows.text(row, "mapped") if row else None
        return self._known[sort, value]

    def listed(self, sort: str) -> Mapping[str, str]:
        """Every row of a map."""
        if sort not in self._listed:
            found = self._table.query(rows.map_pk(self._connection, sort))
            self._listed[sort] = {rows.text(row, "sk"): rows.text(row, "mapped") for row in found}
        return self._listed[sort]

    def cause(self, sort: str, value: str) -> str:
        """What a hold waits for when the row is missing."""
        return rows.map_cause(self._connection, sort, value)
