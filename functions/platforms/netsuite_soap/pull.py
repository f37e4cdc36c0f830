"""Reading back what NetSuite holds: orders and what follows them, money, customers, items, stock.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_N3412777.html, endpoint
2025.2, read in November 2026. A list has an order of its own and is searched anew for each page, so
what changes meanwhile moves others from page to page: no second page is read. A round goes through
closed windows of time, each so short that one page holds all of it; it ends two minutes before
NetSuite's own now, when what was changed has come to rest. Quantities move without the time of
their item: each round reads all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
from platforms.netsuite_soap import gather, gather_accounts, gather_goods
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
from platforms.netsuite_soap.money import MONEY
from platforms.netsuite_soap.reading import HINTS
from platforms.netsuite_soap.transport import (
    ACCOUNTING,
    ERRORS,
    RELATIONSHIPS,
    SALES,
    SuiteTalk,
    authorised,
    get,
)
from platforms.netsuite_soap.webhook import NetSuiteSoapWebhook
from platforms.netsuite_soap.wire import Deleted

SETTLED = timedelta(minutes=2)
"""How old a change must be before it is read."""
SECOND = timedelta(seconds=1)
"""Times have no fractions there."""
EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Customers and items of the first round may be older than the connection."""
SEARCHED = {
    "transactions": (SALES, "TransactionSearch", {"type": gather.TYPES}),
    "customers": (RELATIONSHIPS, "CustomerSearch", {}),
    "items": (ACCOUNTING, "ItemSearch", {}),
}
"""What the streams of changes search."""


def _named(sort: str) -> str:
    """A type of record as references spell it."""
    return sort[:1].lower() + sort[1:]


_SORTS = {what: _named(sort) for sort, (what, _) in {**HINTS, **MONEY}.items()}
_KINDS = {
    **{
        _named(sort): tuple(of[sort][1] for of in (HINTS, MONEY) if sort in of)
        for sort in {**HINTS, **MONEY}
    },
    "customer": (Kind.CUSTOMER,),
    **dict.fromkeys(
        ("inventoryItem", "assemblyItem", "kitItem", "nonInventorySaleItem"), (Kind.PRODUCT,)
    ),
}
"""What the deletion of a record takes away, by its type."""


class NetSuiteSoapPull(PullAdapter):
    """Transactions, customers and items as they change, what was deleted, and all of the stock."""

    platform = "netsuite_soap"
    per_page = PAGE
    clock = Timestamp("second")
    errors = ERRORS
    calls = 6
    level_streams = frozenset({"items", "stock"})

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token passport per request."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read what a hint names; ids are never used again, so what is not there is gone."""
        client = SuiteTalk(vendor, connection.settings)
        if hint.what == "goods":
            return gather_goods.moved(client, hint.external_id, connection)
        if hint.what == "item":
            found = gather_goods.item(client, hint.external_id, connection)
            return _gone_now(client, "inventoryItem", hint, connection) if found is None else found
        sort = _SORTS.get(hint.what, hint.what)
        try:
            record = get(client, sort, internalId=hint.external_id)
        except NotThereError:
            return _gone_now(client, sort, hint, connection)
        read = gather_accounts.told if sort == "customer" else gather.told
        return list(read(client, [record], connection))

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
        if stream == "stock":
            return self._stock(client, int(cursor or 0), connection)
        is_first = span.since <= connection.start_at and stream in {"customers", "items"}
        end = server_time(client) - SETTLED
        if span.until:
            end = min(end, span.until)
        begin = EVER if is_first else span.since - SETTLED
        since, until = _window(cursor) if cursor else (begin, end)
        since, until = _whole(since), _whole(max(since, min(until, end)))
        page = self._page(client, stream, since, until)
        while page.pages > 1 and until - since > SECOND:
            shorter = (until - since) * page.size // (2 * page.total)
            until = since + max(SECOND, _seconds(shorter))
            page = self._page(client, stream, since, until)
        if stream == "deletions":
            told: Sequence[Told] = _deletions(client, page, since, until, connection)
        else:
            records = _all(client, stream, page)
            if stream == "customers" and not is_first:
                records = _with_movers(client, records, since, until)
            told = _told(client, stream, records, connection)
        after = f"{until.isoformat()}/{(until + 2 * (until - since)).isoformat()}"
        return Page(told, after, is_last=until >= _whole(end))

    def _page(self, vendor: VendorClient, stream: str, since: datetime, until: datetime) -> Found:
        if stream == "deletions":
            return deleted(vendor, _deleted(since, until))
        space, sort, conditions = SEARCHED[stream]
        basic = {"lastModifiedDate": within(since, until), **conditions}
        return searched(vendor, space, sort, basic, whole=True, size=self.per_page)

    def _stock(self, vendor: VendorClient, after: int, connection: Connection) -> Page:
        items, last = gather_goods.stocked(vendor, after, self.per_page)
        told = list(gather_goods.levels(vendor, items, connection))
        return Page(told, str(last), is_last=not last)


def _window(cursor: str) -> tuple[datetime, datetime]:
    since, _, until = cursor.partition("/")
    return datetime.fromisoformat(since), datetime.fromisoformat(until)


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _seconds(duration: timedelta) -> timedelta:
    return duration // SECOND * SECOND


def _all(vendor: VendorClient, stream: str, page: Found) -> list[dict[str, Any]]:
    """Everything of a window: of a single second it may be several pages."""
    records = page.records + rest(vendor, page, whole=True)
    if len(records) != page.total:
        msg = f"{stream} of one second were changed while they were read"
        raise ConflictError(msg, platform=vendor.platform)
    return records


def _with_movers(
    vendor: VendorClient, records: list[dict[str, Any]], since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Customers that changed, and those who owe another amount since."""
    known = {one["internalId"] for one in records}
    others = gather_accounts.moved(vendor, since, until) - known
    return records + gather_accounts.read(vendor, sorted(others, key=int))


def _told(
    vendor: VendorClient, stream: str, records: list[dict[str, Any]], connection: Connection
) -> list[Told]:
    """What a window shows; where one of it cannot be told, each is left to a hint."""
    read = {"customers": gather_accounts.told, "items": gather_goods.told}.get(stream, gather.told)
    try:
        return list(read(vendor, records, connection))
    except (ValidationError, MappingError):
        return [_hint(one) for one in records]


def _hint(record: Mapping[str, Any]) -> Hint:
    sort, internal_id = record["sort"], record["internalId"]
    known = {**MONEY, **HINTS, "Customer": ("customer", Kind.CUSTOMER)}
    if sort in known:
        return Hint(known[sort][0], internal_id)
    return Hint("item", internal_id, Kind.PRODUCT)


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
        seen
        for one in found
        for seen in _gone(
            _named(one.record.type), one.record.internal_id, one.deleted_date, connection
        )
    ]


def _gone_now(vendor: VendorClient, sort: str, hint: Hint, connection: Connection) -> list[Seen]:
    return _gone(sort, hint.external_id, server_time(vendor), connection)


def _gone(sort: str, internal_id: str, at: datetime, connection: Connection) -> list[Seen]:
    return [
        Seen(
            ref(kind, connection.name, internal_id),
            None,
            at,
            Part.PROCESSING if kind is Kind.ORDER else Part.RECORD,
        )
        for kind in _KINDS.get(sort, ())
    ]


handler = pull_handler(NetSuiteSoapPull(), NetSuiteSoapWebhook())
