"""Reading back what the books hold: sales, credits, payments, refunds, customers, items.

Accounting API v3, minor version 75, read in November 2026, not tried against an account.

- Lists come in the order of their change; a page begins with the time the one before it ended with,
  so that nothing is passed by, whatever is changed or deleted meanwhile.
- No list shows deletions: a round begins with those that change data capture knows, of 30 days.
- A sale moves an item's stock and not its time: counted items are read every round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
from pydantic import ValidationError

from fizzbridge.errors import DeletedAtTargetError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.quickbooks import gather, reading
from platforms.quickbooks.transport import (
    CHANGED,
    ERRORS,
    QuickBooks,
    authorised,
    deleted,
    moment,
    page,
    quoted,
    read,
)
from platforms.quickbooks.webhook import QuickBooksWebhook

_LOOK_BACK = timedelta(days=29)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class QuickBooksPull(PullAdapter):
    """One company, whose address ends in its realm id."""

    platform = "quickbooks"
    per_page = 200
    clock = Timestamp("second")
    errors = ERRORS
    calls = 8
    level_streams = frozenset({"items"})

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """The grant the target uses as well."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one record; what another company told of is not ours."""
        company, _, identity = hint.external_id.rpartition("/")
        if company and company != connection.base_url.rstrip("/").rpartition("/")[2]:
            return []
        client, begun = QuickBooks(vendor), now()
        try:
            row = read(client, f"{hint.what}:{identity}")
        except DeletedAtTargetError:
            return list(reading.gone(hint.what, identity, begun, gather.bare(connection)))
        return list(_TELL[hint.what](client, [row], connection, begun))

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Records by the time of their change; where one cannot be told, each is left to a hint."""
        client, begun = QuickBooks(vendor), now()
        listed = _STREAMS[stream]
        place = _Place.parse(cursor) if cursor else _Place(0, "", 1)
        one = listed[place.list]
        since = place.since or moment(_EVER if one.is_always else span.since)
        conditions = [f"{CHANGED} >= {quoted(since)}", *filter(None, [one.where])]
        if span.until:
            conditions.append(f"{CHANGED} <= {quoted(moment(span.until))}")
        rows = page(
            client,
            one.entity,
            " and ".join(conditions),
            CHANGED,
            start=place.start,
            most=self.per_page,
        )
        told: list[Told] = [] if cursor else list(_gone(client, listed, span, connection, begun))
        try:
            told += list(one.tell(client, rows, connection, begun))
        except ValidationError:
            told += [Hint(one.entity, row["Id"]) for row in rows]
        following = place.after(rows, since, self.per_page)
        return Page(told, following.text(), is_last=following.list == len(listed))


def _gone(
    client: VendorClient,
    listed: Iterable[_Listed],
    span: Span,
    connection: Connection,
    begun: datetime,
) -> Iterable[Seen]:
    entities = [one.entity for one in listed if one.can_go]
    if not entities:
        return
    since = max(span.since, begun - _LOOK_BACK)
    for entity, rows in deleted(client, entities, since).items():
        for row in rows:
            at = datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"])
            yield from reading.gone(entity, row["Id"], at, gather.bare(connection))
            if entity == "Payment":
                yield from gather.let_go(client, row["Id"], at, connection)


class _Listed(NamedTuple):
    """One list of a stream.

    Attributes:
        entity: the kind of records.
        tell: what they tell.
        where: which of them.
        is_always: whether all of them are read, changed or not.
        can_go: whether such records can be deleted.
    """

    entity: str
    tell: gather.Tell
    where: str = ""
    is_always: bool = False
    can_go: bool = True


class _Place(NamedTuple):
    """How far a round is: in which list, from which change on, at which record of that time."""

    list: int
    since: str
    start: int

    @classmethod
    def parse(cls, text: str) -> _Place:
        """The place a cursor names."""
        number, since, start = text.split("|")
        return cls(int(number), since, int(start))

    def text(self) -> str:
        """The place as a cursor."""
        return f"{self.list}|{self.since}|{self.start}"

    def after(self, rows: gather.Rows, since: str, most: int) -> _Place:
        """The place after a page."""
        if len(rows) < most:
            return _Place(self.list + 1, "", 1)
        last = str(rows[-1]["MetaData"]["LastUpdatedTime"])
        # A page of one time only: go on within it.
        is_same = datetime.fromisoformat(last) == datetime.fromisoformat(since)
        return _Place(self.list, last, self.start + len(rows) if is_same else 1)


_ANY = "Active in (true, false)"
_STREAMS: Mapping[str, tuple[_Listed, ...]] = {
    "invoices": (
        _Listed("Invoice", gather.sales("Invoice")),
        _Listed("SalesReceipt", gather.sales("SalesReceipt")),
    ),
    "payments": (
        _Listed("Payment", gather.payments),
        _Listed("CreditMemo", gather.memos),
        _Listed("RefundReceipt", gather.refunds),
    ),
    "customers": (_Listed("Customer", gather.customers, _ANY, can_go=False),),
    "items": (
        _Listed("Item", gather.items, _ANY, can_go=False),
        _Listed("Item", gather.stock, "Type = 'Inventory'", is_always=True, can_go=False),
    ),
}
_TELL = {one.entity: one.tell for lists in _STREAMS.values() for one in reversed(lists)}

handler = pull_handler(QuickBooksPull(), QuickBooksWebhook())
