"""Reading WooCommerce's REST API, ``wc/v3``.

A poll is sorted by id: sorted by date, pages lose rows that share a second. It lists what changed
after a fixed moment, so rows join the list and none leaves it, except into the bin: where the total
falls, the round begins again. The first round reads every product, however old.

The list of products has no variations in it; their parent's date moves with theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from pydantic import ValidationError

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.woocommerce import mapping, wire
from platforms.woocommerce.subscriptions import WooCommerceSubscriptions
from platforms.woocommerce.transport import API, ERRORS, authorised, market
from platforms.woocommerce.webhook import WooCommerceWebhook

_MOST = 100
_ORDER, _PRODUCT = partial(Hint, "order"), partial(Hint, "product", of=Kind.PRODUCT)


class WooCommercePull(PullAdapter):
    """Orders, their refunds, customers and products."""

    platform = "woocommerce"
    subscriptions = WooCommerceSubscriptions()
    per_page = 50
    clock = Timestamp("second")
    level_streams = frozenset({"products"})
    errors = ERRORS

    def __init__(self) -> None:
        # The settings hardly change, so a process that has read them keeps them.
        self._markets: dict[str, mapping.Market] = {}

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """Basic, with the key of a user of the shop."""
        del connection
        return authorised(secret)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read an order, its refunds, a customer, or a product with what is sold of it.

        Erasing sends no webhook and answers like an id that never was: no word of a deletion.
        """
        if hint.what in {"product", "price"}:
            return self._product(vendor, hint.external_id, connection)
        read = {"order": _order, "refunds": _refunds, "customer": _customer}[hint.what]
        return read(vendor, hint.external_id, connection.name)

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """One page of what changed since the round's beginning, in the order of the ids."""
        place = json.loads(cursor) if cursor else {"page": 1, "total": 0}
        # Both filters leave the moment itself out.
        second = timedelta(seconds=1)
        within = {"modified_before": _gmt(span.until + second)} if span.until else {}
        if stream == "orders" or span.since > connection.start_at:
            within["modified_after"] = _gmt(span.since - second)
        answer = vendor.get(
            f"{API}/{stream}",
            params=within
            | {
                "dates_are_gmt": "true",
                "orderby": "id",
                "order": "asc",
                "status": "any",
                "per_page": self.per_page,
                "page": place["page"],
            },
        )
        total = int(answer.headers.get("x-wp-total", "0"))
        if total < place["total"]:
            return Page([], json.dumps({"page": 1, "total": total}), is_last=False)
        pages = int(answer.headers.get("x-wp-totalpages", "0"))
        if stream == "orders":
            told = _rows(answer.data, partial(_told, connection.name), _ORDER)
        else:
            told = _rows(answer.data, partial(self._listed, vendor, connection), _PRODUCT)
        following = {"page": place["page"] + 1, "total": total}
        return Page(told, json.dumps(following), is_last=place["page"] >= pages)

    def existing(
        self, vendor: VendorClient, ids: Sequence[str], connection: Connection
    ) -> Set[str]:
        """Orders that were not erased; one in the bin is still there."""
        del connection
        listed = {"include": ",".join(ids), "_fields": "id", "per_page": 100}
        found: set[str] = set()
        for status in ("any", "trash"):  # "any" leaves the bin out
            answer = vendor.get(f"{API}/orders", params=listed | {"status": status})
            found |= {str(row["id"]) for row in answer.data}
        return found

    def _listed(self, vendor: VendorClient, connection: Connection, row: Any) -> Iterator[Told]:
        told = wire.Product.model_validate(row)
        if told.is_variable:
            yield Hint("product", told.id, Kind.PRODUCT)
        else:
            yield from mapping.item(told, connection.name, self._market(vendor, connection))

    def _product(
        self, vendor: VendorClient, product_id: str, connection: Connection
    ) -> Iterator[Told]:
        path = f"{API}/products"
        told = wire.Product.model_validate(vendor.get(f"{path}/{product_id}").data)
        market = self._market(vendor, connection)
        if told.is_variable:
            for row in _variations(vendor, f"{path}/{product_id}/variations"):
                found = wire.Product.model_validate(row)
                yield from mapping.item(found, connection.name, market, parent=told)
            return
        parent = None
        if told.type == "variation":
            parent = wire.Product.model_validate(vendor.get(f"{path}/{told.parent_id}").data)
        yield from mapping.item(told, connection.name, market, parent)

    def _market(self, vendor: VendorClient, connection: Connection) -> mapping.Market:
        name = connection.name
        if name not in self._markets:
            has_our_sales = bool(connection.settings.get("sale_list"))
            self._markets[name] = replace(market(vendor), has_our_sales=has_our_sales)
        return self._markets[name]


def _gmt(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def _rows(
    rows: Iterable[Any], read: Callable[[Any], Iterable[Told]], hint: Callable[[str], Hint]
) -> list[Told]:
    """What the rows of a list tell; one that cannot be read is left to a hint of its own."""
    told: list[Told] = []
    for row in rows:
        try:
            told += list(read(row))
        except (MalformedDeliveryError, ValidationError):
            told.append(hint(str(row["id"])))
    return told


def _told(connection: str, row: Any) -> Iterator[Told]:
    yield from mapping.order(wire.Order.model_validate(row), connection)


def _variations(vendor: VendorClient, path: str) -> Iterator[Any]:
    page = 1
    while True:
        listed = {"per_page": _MOST, "page": page, "orderby": "id", "order": "asc"}
        rows = vendor.get(path, params=listed).data
        yield from rows
        if len(rows) < _MOST:
            return
        page += 1


def _order(vendor: VendorClient, order_id: str, connection: str) -> Iterator[Told]:
    yield from _told(connection, vendor.get(f"{API}/orders/{order_id}").data)


def _refunds(vendor: VendorClient, order_id: str, connection: str) -> Iterator[Told]:
    order = wire.Order.model_validate(vendor.get(f"{API}/orders/{order_id}").data)
    answer = vendor.get(f"{API}/orders/{order_id}/refunds", params={"per_page": 100})
    for row in answer.data:
        of = {
            "order_id": order_id,
            "currency": order.currency,
            "prices_include_tax": order.prices_include_tax,
        }
        yield from mapping.refund(wire.Refund.model_validate(row | of), connection)


def _customer(vendor: VendorClient, customer_id: str, connection: str) -> Iterator[Told]:
    answer = vendor.get(f"{API}/customers/{customer_id}")
    yield from mapping.customer(wire.Customer.model_validate(answer.data), connection)


handler = pull_handler(WooCommercePull(), WooCommerceWebhook())
