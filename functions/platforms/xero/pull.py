"""Reading back what the books hold: invoices, payments, credit notes, contacts, items.

https://developer.xero.com/documentation/api/accounting/overview, Accounting API 2.0, read from
descriptions of November 2026 and not tried against an organisation.

- Lists come in the order of their change; a page begins with the second the one before it ended in,
  so that nothing is passed by, whatever is changed meanwhile.
- Nothing of a ledger vanishes: what is voided or deleted is listed as that.
- The list of items has no pages, and a sale moves an item's stock and not its time: all of it is
  read every round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx
from pydantic import ValidationError

from fizzbridge.errors import DeletedAtTargetError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.xero import gather, reading
from platforms.xero.documents import FOUR_DECIMALS
from platforms.xero.transport import ERRORS, XeroClient, authorised, changed, listed, read
from platforms.xero.webhook import XeroWebhook
from platforms.xero.wire import Told as Stamped

_SECOND = timedelta(seconds=1)


class XeroPull(PullAdapter):
    """The organisation the connection names."""

    platform = "xero"
    per_page = 100
    clock = Timestamp("millisecond")
    errors = ERRORS
    level_streams = frozenset({"items"})

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """The grant the target uses as well."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one thing; what another organisation told of is not ours."""
        tenant, _, identity = hint.external_id.rpartition("/")
        ours = connection.settings.get("tenant_id", tenant)
        if tenant and tenant != ours:
            return []
        client, begun = XeroClient(vendor, connection), now()
        try:
            row = read(client, hint.what, identity, **FOUR_DECIMALS)
        except DeletedAtTargetError:
            return list(reading.gone(hint.what, identity, begun, connection))
        return list(_FETCHED[hint.what](client, [row], connection, begun))

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Things by the time of their change; where one cannot be told, each is left to a hint."""
        client, begun = XeroClient(vendor, connection), now()
        if stream == "items":
            return Page(list(_items(client, span, connection, begun)), "", is_last=True)
        one = _STREAMS[stream]
        place = _Place.parse(cursor) if cursor else _Place(span.since, 1)
        # One second more, for nobody says whether the second itself is among them.
        rows = changed(
            client,
            one.path,
            place.since - _SECOND,
            page=place.page,
            pageSize=self.per_page,
            **one.params,
        )
        times = [Stamped.model_validate(row).changed for row in rows]
        last = max(times, default=place.since)
        is_over = span.until is not None and last > span.until
        within = [
            row
            for row, at in zip(rows, times, strict=True)
            if span.until is None or at <= span.until
        ]
        told: list[Told]
        try:
            told = list(one.tell(client, within, connection, begun))
        except ValidationError:
            told = [Hint(one.path, row[one.id]) for row in within]
        is_last = is_over or len(rows) < self.per_page
        return Page(told, place.after(last).text(), is_last)


def _items(
    client: VendorClient, span: Span, connection: Connection, begun: datetime
) -> Iterable[Told]:
    rows = listed(client, "Items", **FOUR_DECIMALS)
    for row in rows:
        is_new = Stamped.model_validate(row).changed >= span.since
        tell = gather.items if is_new else gather.stock
        try:
            yield from list(tell(client, [row], connection, begun))
        except ValidationError:
            yield Hint("Items", row["ItemID"])


class _Listed(NamedTuple):
    """What a stream lists.

    Attributes:
        path: of the collection.
        id: the name of its ids.
        tell: what its objects tell.
        params: which of them.
    """

    path: str
    id: str
    tell: gather.Tell
    params: Mapping[str, str]


class _Place(NamedTuple):
    """How far a round is: from which change on, and which page of those."""

    since: datetime
    page: int

    @classmethod
    def parse(cls, text: str) -> _Place:
        """The place a cursor names."""
        since, page = text.split("|")
        return cls(datetime.fromisoformat(since), int(page))

    def text(self) -> str:
        """The place as a cursor."""
        return f"{self.since.isoformat()}|{self.page}"

    def after(self, last: datetime) -> _Place:
        """The place after a page: within its second where it has no other."""
        if last.replace(microsecond=0) <= self.since:
            return _Place(self.since, self.page + 1)
        return _Place(last.replace(microsecond=0), 1)


_STREAMS: Mapping[str, _Listed] = {
    "invoices": _Listed(
        "Invoices", "InvoiceID", gather.invoices, {"where": f'Type=="{reading.SALE}"'}
    ),
    "payments": _Listed(
        "Payments", "PaymentID", gather.payments, {"where": f'PaymentType=="{reading.PAID}"'}
    ),
    "credit_notes": _Listed(
        "CreditNotes", "CreditNoteID", gather.credit_notes, {"where": f'Type=="{reading.CREDIT}"'}
    ),
    "contacts": _Listed("Contacts", "ContactID", gather.contacts, {"includeArchived": "true"}),
}
_FETCHED: Mapping[str, gather.Tell] = {
    **{one.path: one.tell for one in _STREAMS.values()},
    "Invoices": gather.with_payments,
    "Items": gather.items,
}

handler = pull_handler(XeroPull(), XeroWebhook())
