"""Reading what Odoo holds: orders and what follows them, money, accounts, goods and their prices.

https://www.odoo.com/documentation/19.0/developer/reference/external_api.html, read and tried
against 19.0 community in November 2026. A round lists what was changed since a fixed moment in the
order of ids: nothing leaves that list, so nothing is passed by, whatever shares a second and
whether the server compares times by the second (19) or to the microsecond. ``write_date`` is when
a transaction began, and shows when it is committed; the next round's overlap reads such rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import ValidationError

from fizzbridge.errors import NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.odoo import gather, stock
from platforms.odoo.streams import NAMED, STREAMS
from platforms.odoo.transport import ERRORS, OdooClient, authorised, call, search
from platforms.odoo.webhook import OdooWebhook


class OdooPull(PullAdapter):
    """Orders and what follows them, money, who buys on account, and what is sold."""

    platform = "odoo"
    per_page = 100
    clock = Timestamp("second")
    errors = ERRORS
    calls = 12
    level_streams = frozenset({"products", "prices", "stock", "receipts"})

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """The bot's API key, as the transport takes it."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one record; ids are never used again, so one that is not there is gone.

        Raises:
            NotThereError: a quant, a move or an entry is gone; that says nothing of what it was of.
        """
        client = OdooClient(vendor, connection)
        if hint.what == "stock":
            of = {"id": hint.external_id, "product_id": int(hint.external_id)}
            return list(stock.levels(client, [of], connection))
        listed = NAMED[hint.what]
        rows = call(
            client,
            listed.record.model,
            "read",
            writes=False,
            ids=[int(hint.external_id)],
            fields=gather.fields(client, listed.record),
        )
        if rows:
            return list(listed.tell(client, rows, connection))
        if not listed.gone:
            msg = f"there is no {hint.what} {hint.external_id} any more"
            raise NotThereError(msg, platform="odoo")
        return [_gone(kind, f"{hint.external_id}{end}", connection) for kind, end in listed.gone]

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Records changed in the span, by id; where one cannot be told, each is left to a hint."""
        listed, client = STREAMS[stream], OdooClient(vendor, connection)
        since = [[name, ">=", _text(span.since)] for name in listed.changed]
        domain = [["id", ">", int(cursor or 0)], *listed.domain, *["|"] * (len(since) - 1), *since]
        if span.until:
            domain.append(["write_date", "<", _text(span.until + timedelta(seconds=1))])
        rows = search(
            client,
            listed.record.model,
            domain,
            gather.fields(client, listed.record),
            order="id",
            limit=self.per_page,
            # What is archived has changed, too.
            context={"active_test": False},
        )
        told: list[Told]
        try:
            told = list(listed.tell(client, rows, connection))
        except ValidationError:
            told = [Hint(listed.what, str(row["id"])) for row in rows]
        last = str(rows[-1]["id"]) if rows else cursor or "0"
        return Page(told, last, is_last=len(rows) < self.per_page)


def _gone(kind: Kind, id_: str, connection: Connection) -> Seen:
    part = Part.PROCESSING if kind is Kind.ORDER else Part.RECORD
    return Seen(ref(kind, connection.name, id_), None, now(), part)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


handler = pull_handler(OdooPull(), OdooWebhook())
