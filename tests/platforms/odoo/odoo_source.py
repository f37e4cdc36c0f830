"""A wholesaler's database, read by the pull adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.pull import Span
from platforms.odoo.pull import OdooPull
from tests.platforms.odoo.odoo_desk import ADMIN_KEY, START, Desk
from tests.platforms.odoo.odoo_orders import connection
from tests.platforms.odoo.odoo_world import KEY

PULL = OdooPull()
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ERP = connection()


class Shop(Desk):
    """The database, its people, and what is read of it."""

    def __init__(self, transport: str = "json2", **seed: Any) -> None:
        super().__init__(**seed)
        self.connection = connection(transport=transport)

    def client(self) -> VendorClient:
        """The client as the runtime gives it to a pull adapter."""
        return VendorClient(
            platform="odoo",
            base_url=self.connection.base_url,
            auth=PULL.auth({"api_key": KEY, "login": "bot@example.com"}, self.connection),
            errors=PULL.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )

    def told(self, stream: str, since: datetime = LONG_AGO) -> list[Any]:
        """Everything a round tells, page by page."""
        found: list[Any] = []
        cursor, is_last = None, False
        while not is_last:
            page = PULL.changes(self.client(), stream, cursor, Span(since), self.connection)
            found += page.told
            cursor, is_last = page.cursor, page.is_last
        return found

    def fetch(self, what: str, id_: Any) -> list[Any]:
        """What a hint makes known."""
        return list(PULL.fetch(self.client(), Hint(what, str(id_)), self.connection))

    def refetched(self, seen: Seen) -> list[Any]:
        """What is read where two tell differently of one thing."""
        assert seen.refetch
        return list(PULL.fetch(self.client(), seen.refetch, self.connection))

    def write(self, model: str, id_: int, **vals: Any) -> None:
        """An administrator changes a record."""
        bot, self.key = self.key, ADMIN_KEY
        self.ok(model, "write", ids=[id_], vals=vals)
        self.key = bot

    def create(self, model: str, **vals: Any) -> int:
        """An administrator makes a record."""
        bot, self.key = self.key, ADMIN_KEY
        (made,) = self.ok(model, "create", vals_list=[vals])
        self.key = bot
        return int(made)


def keyed(told: list[Any], kind: Kind | None = None) -> dict[str, Any]:
    """Bodies by the owner's id, of one kind or of any."""
    return {one.ref.external_id: one.body for one in told if kind in {None, one.ref.kind}}


def later(seconds: float = 60) -> datetime:
    """A moment after the seed."""
    return START.replace(microsecond=0) + timedelta(seconds=seconds)
