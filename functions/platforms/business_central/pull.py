"""Reading what Business Central holds: items, stock, customers, and what became of orders.

https://learn.microsoft.com/en-us/dynamics365/business-central/dev-itpro/api-reference/v2.0/, API
v2.0, read in November 2026, not tried against a tenant. Lists come in the order of their change;
a page begins with the time the one before it ended with, so that nothing is passed by, whatever
shares a time or is changed meanwhile. Lists are read from a replica, which may lag; what their
records belong to is looked up in the database itself, which is never behind them. Deletions show
in no list: an order that is gone is closed where an invoice of it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

import httpx
from pydantic import ValidationError

from fizzbridge.errors import NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.business_central import accounts, gather, goods
from platforms.business_central.subscriptions import BusinessCentralSubscriptions
from platforms.business_central.transport import ERRORS, POLLS, CompanyClient, authorised, query
from platforms.business_central.webhook import BusinessCentralWebhook

_CHANGED = "lastModifiedDateTime"


class BusinessCentralPull(PullAdapter):
    """Orders, documents posted of them, what was paid, customers, items and their stock."""

    platform = "business_central"
    clock = Timestamp("microsecond")
    errors = ERRORS
    subscriptions = BusinessCentralSubscriptions()
    calls = 8
    level_streams: ClassVar[Set[str]] = frozenset({"items", "stock"})

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """Client credentials of the tenant the base URL names."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one record, or what changed of a collection since.

        An order that is not there is closed, or deleted: that is for its invoices to say.
        """
        if hint.what == "changes":
            return self._since(vendor, hint, connection)
        listed = _LISTED[hint.what]
        client = CompanyClient(vendor, connection)
        path = query(f"/{listed.path}({hint.external_id})", expand=listed.lines)
        try:
            row = client.get(path).data
        except NotThereError:
            if listed.path == "items":
                return list(goods.deleted(hint.external_id, connection))
            if listed.kind is not Kind.ORDER:
                return [Seen(ref(listed.kind, connection.name, hint.external_id), None, now())]
            ended = list(gather.closed(client, hint.external_id, connection))
            if not ended:
                raise
            return ended
        return list(listed.tell(client, [row], connection))

    def _since(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """A page of what a notification was too small for, and the hint of the next."""
        stream, _, cursor = hint.external_id.partition("@")
        page = self.changes(vendor, stream, cursor, Span(connection.start_at), connection)
        if page.is_last:
            return page.told
        return [*page.told, Hint(hint.what, f"{stream}@{page.cursor}", hint.of)]

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Records by the time of their change; where one cannot be told, each is left to a hint."""
        what = _STREAMS[stream]
        listed = _LISTED[what]
        since = cursor or _text(span.since)
        until = f" and {_CHANGED} le {_text(span.until)}" if span.until else ""
        rows, link = _page(
            CompanyClient(vendor, connection, POLLS),
            query(
                f"/{listed.path}",
                filter=f"{_CHANGED} ge {since}{until}",
                orderby=_CHANGED,
                expand=listed.lines,
            ),
            since,
        )
        told: list[Told]
        client = CompanyClient(vendor, connection)
        try:
            told = list(listed.tell(client, rows, connection))
            if listed.kind is Kind.ORDER:
                told += goods.promised(client, rows, connection)
        except ValidationError:
            told = [Hint(what, row["id"]) for row in rows]
        last = rows[-1][_CHANGED] if rows else since
        return Page(told, last, is_last=not link)


def _page(vendor: VendorClient, path: str, since: str) -> tuple[list[dict[str, Any]], str]:
    """A page of records, read on while all of them share the time it begins with."""
    rows: list[dict[str, Any]] = []
    link = path
    while link and (not rows or rows[-1][_CHANGED] == since):
        answer = vendor.get(link).data
        rows += answer["value"]
        link = answer.get("@odata.nextLink", "")
    return rows, link


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


class _Listed(NamedTuple):
    """What a hint names, or a stream lists.

    Attributes:
        kind: what it is.
        path: of the collection.
        lines: the name of its lines; empty where it has none.
        tell: what records tell.
    """

    kind: Kind
    path: str
    lines: str
    tell: Callable[[VendorClient, gather.Rows, Connection], Iterable[Told]]


_LISTED = {
    "order": _Listed(Kind.ORDER, "salesOrders", "salesOrderLines", gather.orders),
    "shipment": _Listed(Kind.SHIPMENT, "salesShipments", "salesShipmentLines", gather.shipments),
    "invoice": _Listed(Kind.INVOICE, "salesInvoices", "salesInvoiceLines", gather.invoices),
    "credit_note": _Listed(
        Kind.INVOICE, "salesCreditMemos", "salesCreditMemoLines", gather.credit_notes
    ),
    "customer": _Listed(Kind.CUSTOMER, "customers", "", accounts.customers),
    "item": _Listed(Kind.PRODUCT, "items", "", goods.items),
    "stock": _Listed(Kind.STOCK_LEVEL, "items", "", goods.counted),
    "entry": _Listed(Kind.STOCK_LEVEL, "itemLedgerEntries", "", goods.moved),
}
_STREAMS = {
    "orders": "order",
    "shipments": "shipment",
    "invoices": "invoice",
    "credit_notes": "credit_note",
    "customers": "customer",
    "items": "item",
    "stock": "entry",
}

handler = pull_handler(BusinessCentralPull(), BusinessCentralWebhook())
