"""Reading B2C Commerce over SCAPI: orders as a list or one by one, the rest by search.

A poll goes on from the time of the last order it saw, not by page: an order that changes meanwhile
moves behind the reader, and pages would slip. Products cannot be sorted by their last change: they
are read in the order they were made in, which no change moves. Names of list parameters are not
confirmed by the vendor's public pages; an answer with anything older than was asked for stops the
poll.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from fizzbridge.errors import ConflictError, TargetRejectedError
from fizzbridge.http.auth import client_credentials
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.sfcc import mapping, wire
from platforms.sfcc.webhook import SfccWebhook

TOKENS = "https://account.demandware.com/dwsso/oauth2/access_token"
SCOPES = "sfcc.orders sfcc.shopper-customers sfcc.products"
_PAGE = 200
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


class SfccPull(PullAdapter):
    """Orders with their payments and shipments, customers, and products."""

    platform = "sfcc"
    clock = Timestamp("millisecond")
    level_streams = frozenset({"products"})
    errors = ErrorRules(
        rules=(Rule(ConflictError, 412),),
        message_at=("detail", "title", "statusMessage"),
        code_at=("statusCode", "title"),
    )

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token of Account Manager; both the tenant and each API must be in its scope."""
        settings = connection.settings
        tenant = str(settings.get("organization_id", "")).removeprefix("f_ecom_")
        scope = f"SALESFORCE_COMMERCE_API:{tenant} {settings.get('scopes', SCOPES)}"
        url = str(settings.get("token_url", TOKENS))
        return client_credentials(url, secret["client_id"], secret["client_secret"], scope)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read an order or a customer."""
        read = {"order": _order, "customer": _customer}[hint.what]
        return read(vendor, hint.external_id, connection)

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Orders changed since the last one seen, oldest change first; or products."""
        if stream == "products":
            return _products(vendor, cursor, span, connection)
        place: dict[str, Any] = json.loads(cursor) if cursor else _start(span.since)
        until = {"lastModifiedDateTo": _zulu(span.until)} if span.until else {}
        path = f"/checkout/orders/v1/organizations/{_organization(connection)}/orders"
        wanted = {"lastModifiedDateFrom": place["since"], "offset": place["offset"]}
        sort = {"sortBy": "last_modified", "sortOrder": "asc", "limit": _PAGE}
        answer = vendor.get(path, params=_site(connection) | wanted | sort | until)
        rows = answer.data.get("data") or []
        found = [wire.Order.model_validate(row) for row in rows]
        told = [seen for one in found for seen in mapping.order(one, _choices(connection))]
        return _page(told, place, [one.modified for one in found], "lastModifiedDateFrom")


def _products(vendor: VendorClient, cursor: str | None, span: Span, connection: Connection) -> Page:
    place: dict[str, Any] = json.loads(cursor) if cursor else _start(_EVER)
    # The first round reads every product, however old.
    since = _EVER if span.since <= connection.start_at else span.since
    until = {"to": _zulu(span.until)} if span.until else {}
    ranges = [
        {"rangeFilter": {"field": "lastModified", "from": _zulu(since)} | until},
        {"rangeFilter": {"field": "creationDate", "from": place["since"]}},
    ]
    every = {"boolFilter": {"operator": "and", "filters": ranges}}
    body = {
        "query": {"filteredQuery": {"query": {"matchAllQuery": {}}, "filter": every}},
        "sorts": [{"field": one, "sortOrder": "asc"} for one in ("creationDate", "id")],
        "expand": ["availability"],  # whether it is online
        "limit": _PAGE,
        "offset": place["offset"],
    }
    path = f"/product/products/v1/organizations/{_organization(connection)}/product-search"
    answer = vendor.request("POST", path, json=body, params=_site(connection), writes=False)
    found = [wire.Product.model_validate(row) for row in answer.data.get("hits") or []]
    told = [seen for one in found for seen in mapping.product(one, connection.name)]
    return _page(told, place, [one.created for one in found], "creationDate")


def _page(
    told: list[Told], place: Mapping[str, Any], moments: Sequence[datetime], field: str
) -> Page:
    """A page, and where the next begins: at the last moment of this one."""
    if any(one < datetime.fromisoformat(place["since"]) for one in moments):
        msg = f"a list does not keep to {field}"
        raise TargetRejectedError(msg, code="filter_ignored", platform=SfccPull.platform)
    newest = _zulu(moments[-1]) if moments else place["since"]
    # Rows of one moment that fill a page can only be counted off.
    is_stuck = newest == place["since"]
    following = {"since": newest, "offset": place["offset"] + len(moments) if is_stuck else 0}
    return Page(told, json.dumps(following), is_last=len(moments) < _PAGE)


def _start(since: datetime) -> dict[str, Any]:
    return {"since": _zulu(since), "offset": 0}


def _order(vendor: VendorClient, number: str, connection: Connection) -> Iterator[Told]:
    path = f"/checkout/orders/v1/organizations/{_organization(connection)}/orders/{number}"
    found = vendor.get(path, params=_site(connection)).data
    yield from mapping.order(wire.Order.model_validate(found), _choices(connection))


def _customer(vendor: VendorClient, number: str, connection: Connection) -> Iterator[Told]:
    path = f"/customer/customers/v1/organizations/{_organization(connection)}/customer-search"
    query = {"textQuery": {"fields": ["customerNo"], "searchPhrase": number}}
    body = {"query": query, "limit": 2, "offset": 0}
    found = vendor.request("POST", path, json=body, params=_site(connection), writes=False).data
    for row in found.get("data") or found.get("hits") or []:
        told = wire.Customer.model_validate(row.get("data", row))
        if told.customer_no == number:
            yield from mapping.customer(told, connection.name)


def _choices(connection: Connection) -> mapping.Site:
    settings = connection.settings
    return mapping.Site(
        connection.name,
        bool(settings.get("require_confirmed", False)),
        str(settings.get("po_number_attribute", "c_poNumber")).removeprefix(wire.CUSTOM),
        str(settings.get("note_attribute", "c_customerNote")).removeprefix(wire.CUSTOM),
    )


def _organization(connection: Connection) -> str:
    return str(connection.settings.get("organization_id", ""))


def _site(connection: Connection) -> dict[str, Any]:
    return {"siteId": str(connection.settings.get("site_id", ""))}


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


handler = pull_handler(SfccPull(), SfccWebhook())
