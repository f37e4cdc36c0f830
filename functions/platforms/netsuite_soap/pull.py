"""Reading back what NetSuite holds: how far orders are, fulfilments, invoices, credits, returns.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_N3412777.html, endpoint
2025.2, read in November 2026. A list has an order of its own and is searched anew for each page, so
what changes meanwhile moves others from page to page: no second page is read. A round goes through
closed windows of time, each so short that one page holds all of it; it ends two minutes before
NetSuite's own now, when what was changed has come to rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import ValidationError

from fizzbridge.errors import ConflictError, MappingError, NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.netsuite_soap import gather
from platforms.netsuite_soap.listing import (
    PAGE,
    Found,
    deleted,
    one_of,
    rest,
    searched,
    server_time,
    within,
)
from platforms.netsuite_soap.reading import HINTS
from platforms.netsuite_soap.transport import ERRORS, SALES, SuiteTalk, authorised, get
from platforms.netsuite_soap.wire import Deleted

SETTLED = timedelta(minutes=2)
"""How old a change must be before it is read."""
SECOND = timedelta(seconds=1)
"""Times have no fractions there."""


def _named(sort: str) -> str:
    """A type of record as references spell it."""
    return sort[:1].lower() + sort[1:]


_SORTS = {what: (_named(sort), kind) for sort, (what, kind) in HINTS.items()}
_KINDS = dict(_SORTS.values())


class NetSuiteSoapPull(PullAdapter):
    """Transactions as they change, and those that were deleted."""

    platform = "netsuite_soap"
    per_page = PAGE
    clock = Timestamp("second")
    errors = ERRORS

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token passport per request."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one transaction; ids are never used again, so one that is not there is gone."""
        client = SuiteTalk(vendor, connection.settings)
        sort, kind = _SORTS[hint.what]
        try:
            record = get(client, sort, internalId=hint.external_id)
        except NotThereError:
            return [_gone(kind, hint.external_id, server_time(client), connection)]
        return list(gather.told(client, [record], connection))

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """The next window of a round; the cursor is the one after it, twice as long.

        A round begins as much before its span as it ends before now, so that rounds meet.
        """
        client = SuiteTalk(vendor, connection.settings)
        end = server_time(client) - SETTLED
        if span.until:
            end = min(end, span.until)
        since, until = _window(cursor) if cursor else (span.since - SETTLED, end)
        since, until = _whole(since), _whole(max(since, min(until, end)))
        page = self._page(client, stream, since, until)
        while page.pages > 1 and until - since > SECOND:
            shorter = (until - since) * page.size // (2 * page.total)
            until = since + max(SECOND, _seconds(shorter))
            page = self._page(client, stream, since, until)
        if stream == "deletions":
            told = _deletions(client, page, since, until, connection)
        else:
            told = _transactions(client, page, connection)
        after = f"{until.isoformat()}/{(until + 2 * (until - since)).isoformat()}"
        return Page(told, after, is_last=until >= _whole(end))

    def _page(self, vendor: VendorClient, stream: str, since: datetime, until: datetime) -> Found:
        if stream == "deletions":
            return deleted(vendor, _deleted(since, until))
        basic = {"lastModifiedDate": within(since, until), "type": gather.TYPES}
        return searched(vendor, SALES, "TransactionSearch", basic, whole=True, size=self.per_page)


def _window(cursor: str) -> tuple[datetime, datetime]:
    since, _, until = cursor.partition("/")
    return datetime.fromisoformat(since), datetime.fromisoformat(until)


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _seconds(duration: timedelta) -> timedelta:
    return duration // SECOND * SECOND


def _transactions(vendor: VendorClient, page: Found, connection: Connection) -> list[Told]:
    """What a window shows; where one of it cannot be told, each is left to a hint."""
    records = page.records + rest(vendor, page, whole=True)
    if len(records) != page.total:
        msg = "transactions of one second were changed while they were read"
        raise ConflictError(msg, platform=vendor.platform)
    try:
        return list(gather.told(vendor, records, connection))
    except (ValidationError, MappingError):
        return [Hint(HINTS[one["sort"]][0], one["internalId"]) for one in records]


def _deleted(since: datetime, until: datetime) -> dict[str, Any]:
    return {"deletedDate": within(since, until), "type": one_of(*_KINDS)}


def _deletions(
    vendor: VendorClient, page: Found, since: datetime, until: datetime, connection: Connection
) -> list[Told]:
    """What was deleted stays deleted: here a later page does no harm."""
    records = list(page.records)
    for number in range(2, page.pages + 1):
        records += deleted(vendor, _deleted(since, until), number).records
    found = sorted(map(Deleted.model_validate, records), key=lambda one: one.deleted_date)
    return [
        _gone(_KINDS[sort], one.record.internal_id, one.deleted_date, connection)
        for one in found
        if (sort := _named(one.record.type)) in _KINDS
    ]


def _gone(kind: Kind, internal_id: str, at: datetime, connection: Connection) -> Seen:
    part = Part.PROCESSING if kind is Kind.ORDER else Part.RECORD
    return Seen(ref(kind, connection.name, internal_id), None, at, part)


handler = pull_handler(NetSuiteSoapPull(), None)
