"""Reading back what Odoo holds: how far orders are, deliveries and returns, invoices and credits.

https://www.odoo.com/documentation/19.0/developer/reference/external_api.html, read and tried
against 19.0 community in November 2026. A round lists what was changed since a fixed moment in the
order of ids: nothing leaves that list, so nothing is passed by, whatever shares a second and
whether the server compares times by the second (19) or to the microsecond. ``write_date`` is when
a transaction began, and shows when it is committed; the next round's overlap reads such rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
from pydantic import ValidationError

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.odoo import gather, wire
from platforms.odoo.transport import ERRORS, OdooClient, authorised, call, search


class OdooPull(PullAdapter):
    """Orders, pickings, and the accounting documents of customers."""

    platform = "odoo"
    per_page = 100
    clock = Timestamp("second")
    errors = ERRORS
    calls = 9

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """The bot's API key, as the transport takes it."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one record; ids are never used again, so one that is not there is gone."""
        kind, stream = _NAMED[hint.what]
        listed, client = _STREAMS[stream], OdooClient(vendor, connection)
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
        part = Part.PROCESSING if kind is Kind.ORDER else Part.RECORD
        return [Seen(ref(kind, connection.name, hint.external_id), None, now(), part)]

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Records changed in the span, by id; where one cannot be told, each is left to a hint."""
        listed, client = _STREAMS[stream], OdooClient(vendor, connection)
        since = [[name, ">=", _text(span.since)] for name in listed.changed]
        domain = [["id", ">", int(cursor or 0)], *listed.domain, *["|"] * (len(since) - 1), *since]
        if span.until:
            domain.append(["write_date", "<", _text(span.until + timedelta(seconds=1))])
        fields = gather.fields(client, listed.record)
        rows = search(client, listed.record.model, domain, fields, order="id", limit=self.per_page)
        told: list[Told]
        try:
            told = list(listed.tell(client, rows, connection))
        except ValidationError:
            told = [Hint(listed.what, str(row["id"])) for row in rows]
        last = str(rows[-1]["id"]) if rows else cursor or "0"
        return Page(told, last, is_last=len(rows) < self.per_page)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


class _Listed(NamedTuple):
    """What a stream lists.

    Attributes:
        what: the word of hints.
        record: what is read.
        domain: which of them.
        changed: what shows a change of one: its own time, or that of what belongs to it.
        tell: what they tell.
    """

    what: str
    record: type[wire.Told]
    domain: Sequence[Any]
    changed: Sequence[str]
    tell: Callable[[VendorClient, gather.Rows, Connection], Iterable[Told]]


_OUT_OR_BACK = ["|", ["picking_type_code", "=", "outgoing"], ["return_id", "!=", False]]
_STREAMS = {
    "orders": _Listed("order", wire.Progress, [], ["write_date"], gather.orders),
    "shipments": _Listed(
        "shipment",
        wire.Picking,
        [["sale_id", "!=", False], *_OUT_OR_BACK],
        # People put a lot or a quantity right afterwards: that moves the line's time only.
        ["write_date", "move_ids.write_date", "move_line_ids.write_date"],
        gather.pickings,
    ),
    "invoices": _Listed(
        "invoice",
        wire.Bill,
        [["move_type", "in", ["out_invoice", "out_refund"]]],
        ["write_date"],
        gather.bills,
    ),
}
_NAMED = {
    "order": (Kind.ORDER, "orders"),
    "shipment": (Kind.SHIPMENT, "shipments"),
    "return": (Kind.RETURN, "shipments"),
    "invoice": (Kind.INVOICE, "invoices"),
}

handler = pull_handler(OdooPull(), None)
