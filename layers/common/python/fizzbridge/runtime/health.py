"""Whether a connection works: credentials, scopes, consent.

The breaker of a connection stands on this row; opening and closing it is the sweeper's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fizzbridge.errors import ConfigurationError
from fizzbridge.runtime import rows
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import (
    Absent,
    AnyOf,
    ConditionFailedError,
    Equals,
    Table,
    Write,
)

HEALTHY, UNHEALTHY = "healthy", "unhealthy"


class Health:
    """The health row of one connection. The change is announced once, not once per message."""

    def __init__(self, table: Table, connection: str, now: Callable[[], datetime]) -> None:
        self._table = table
        self._pk = rows.connection_pk(connection)
        self._now = now

    def trouble(self, error: ConfigurationError) -> None:
        """The connection itself does not work."""
        is_news = AnyOf(Absent("status"), Equals("status", HEALTHY))
        self._set(
            Write(
                self._pk,
                rows.HEALTH_SK,
                set={
                    "status": UNHEALTHY,
                    "reason": error.code,
                    "message": error.message,
                    "updated_at": to_text(self._now()),
                },
                when=is_news,
            )
        )

    def works(self) -> None:
        """The connection answered as it should."""
        row = self._table.get(self._pk, rows.HEALTH_SK, consistent=False)
        if row and row.get("status") == UNHEALTHY:
            self._set(
                Write(
                    self._pk,
                    rows.HEALTH_SK,
                    set={"status": HEALTHY, "updated_at": to_text(self._now())},
                    remove=["reason", "message"],
                    when=Equals("status", UNHEALTHY),
                )
            )

    def _set(self, change: Write) -> None:
        try:
            self._table.write(change)
        except ConditionFailedError:
            return  # another worker said so already
