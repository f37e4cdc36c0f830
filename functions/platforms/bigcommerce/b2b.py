"""B2B Edition, an API of its own: which company ordered, and the companies.

It takes the store's token, has a host of its own, and is asked where the setting ``b2b`` is on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from fizzbridge.errors import NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Told
from fizzbridge.runtime.pull import Page, Span
from fizzbridge.settings import Connection
from platforms.bigcommerce import mapping, wire

_URL = "https://api-b2b.bigcommerce.com"
_PAGE = 100


def order(vendor: VendorClient, order_id: str, connection: Connection) -> Any:
    """What it knows of an order, which may be nothing; one page shows it in a list."""
    if not _is_on(connection):
        return {}
    with suppress(NotThereError):
        found = _ask(vendor, connection, f"orders/{order_id}")
        return found[0] if isinstance(found, list) and found else found or {}
    return {}


def company(vendor: VendorClient, company_id: str, connection: Connection) -> Iterator[Told]:
    """One company."""
    if _is_on(connection):
        row = _ask(vendor, connection, f"companies/{company_id}")
        yield from mapping.company(wire.Company.model_validate(row), connection.name)


def changed(vendor: VendorClient, cursor: str | None, span: Span, connection: Connection) -> Page:
    """Companies from the last one's second on; a count of rows only where all share that second.

    Nothing says whether the filter takes in its own second, how many rows there are at most, or
    where their total stands: a page that is empty is the last.
    """
    if not _is_on(connection):
        return Page([], "", is_last=True)
    at, over = map(int, (cursor or f"{int(span.since.timestamp())}:0").split(":"))
    within = {"maxModified": int(span.until.timestamp())} if span.until else {}
    place = {"minModified": at - 1, "sortBy": "updatedAt", "orderBy": "ASC"}
    page = {"limit": _PAGE, "offset": over}
    rows = _ask(vendor, connection, "companies", **place, **within, **page) or []
    found = [wire.Company.model_validate(row) for row in rows]
    told = [one for row in found for one in mapping.company(row, connection.name)]
    last = max((int(row.updated_at.timestamp()) for row in found), default=at)
    after = f"{last}:0" if last > at else f"{at}:{over + len(rows)}"
    return Page(told, after, is_last=not rows)


def _is_on(connection: Connection) -> bool:
    return bool(connection.settings.get("b2b"))


def _ask(vendor: VendorClient, connection: Connection, path: str, **params: Any) -> Any:
    host = vendor.beside(str(connection.settings.get("b2b_url", _URL)))
    store = connection.base_url.rstrip("/").rpartition("/")[2]
    headers = {"X-Store-Hash": store}
    path = f"/api/v3/io/{path}"
    return host.request("GET", path, params=params, headers=headers, writes=False).data["data"]
