"""Reading BigCommerce: orders and shipments of V2, money, customers and the catalogue of V3.

A poll goes by id above the last one read: sorted by date, an order that changes meanwhile moves to
the end and those behind it slip onto a page already read. The first round reads every product,
however old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from fizzbridge.errors import NotThereError, TargetRejectedError, TargetUnavailableError
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import Answer, ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.bigcommerce import b2b, mapping, wire
from platforms.bigcommerce.subscriptions import BigCommerceSubscriptions
from platforms.bigcommerce.webhook import BigCommerceWebhook

_PAGE = 250


def asked_to_wait(answer: Answer) -> timedelta | None:
    """The longer of the two waits a throttled answer names."""
    seconds = answer.headers.get("x-retry-after", "")
    millis = answer.headers.get("x-rate-limit-time-reset-ms", "")
    named = [timedelta(seconds=int(seconds))] if seconds.isdigit() else []
    named += [timedelta(milliseconds=int(millis))] if millis.isdigit() else []
    return max(named, default=None) if answer.status == httpx.codes.TOO_MANY_REQUESTS else None


class BigCommercePull(PullAdapter):
    """Orders, their money and shipments, customers, companies, and what the catalogue sells."""

    platform = "bigcommerce"
    subscriptions = BigCommerceSubscriptions()
    products_page = 50  # each comes with all its variants
    stock_page = 1000
    clock = Timestamp("second")
    level_streams = frozenset({"products"})
    errors = ErrorRules(
        rules=(
            Rule(TargetUnavailableError, 423),  # the store is locked by a longer job
            Rule(TargetRejectedError, 507),  # the store is full
            Rule(TargetRejectedError, 501),
        ),
        message_at=("title", "0.message", "meta.message"),
        code_at=(),
        retry_after=asked_to_wait,
    )

    def __init__(self) -> None:
        # It hardly changes, so a process that has read it keeps it.
        self._stores: dict[str, wire.Store] = {}

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token in a header; it does not expire."""
        del connection
        return HeaderToken("X-Auth-Token", str(secret["access_token"]))

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read an order, its money, its shipments, a customer, a company, or what is sold.

        A new order may be missing for a moment, and one that is archived is still read.
        """
        read = {"order": _order, "money": _money, "shipments": _shipments, "customer": _customer}
        read |= {"product": self._product, "price": self._price, "company": b2b.company}
        return read[hint.what](vendor, hint.external_id, connection)

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Name what changed since the round's beginning, in the order of ids."""
        if stream == "companies":
            return b2b.changed(vendor, cursor, span, connection)
        read = {"orders": _changed_orders, "customers": _changed_customers, "refunds": _refunds}
        read["products"] = self._changed_products
        return read[stream](vendor, int(cursor or 0), span, connection)

    def _product(
        self, vendor: VendorClient, product_id: str, connection: Connection
    ) -> Iterator[Told]:
        path = f"/v3/catalog/products/{product_id}"
        row = vendor.get(path, params={"include": "variants"}).data["data"]
        return self._products(vendor, [row], connection)

    def _changed_products(
        self, vendor: VendorClient, last: int, span: Span, connection: Connection
    ) -> Page:
        within = {"date_modified:max": _zulu(span.until)} if span.until else {}
        if span.since > connection.start_at:
            within["date_modified:min"] = _zulu(span.since)
        params = {"id:greater": last, "sort": "id", "direction": "asc", "limit": self.products_page}
        more = {"include": "variants"}
        rows = vendor.get("/v3/catalog/products", params=within | params | more).data["data"]
        newest = max((int(row["id"]) for row in rows), default=last)
        told = self._products(vendor, rows, connection)
        return Page(told, str(newest), is_last=len(rows) < self.products_page)

    def _products(
        self, vendor: VendorClient, rows: Sequence[Any], connection: Connection
    ) -> Iterator[Told]:
        products = [wire.Product.model_validate(row) for row in rows]
        stock = self._stock(
            vendor, [one.id for one in products if one.inventory_tracking != "none"]
        )
        for one in products:
            yield from mapping.product(one, stock, self._store(vendor, connection), connection.name)

    def _stock(self, vendor: VendorClient, ids: Sequence[str]) -> list[wire.Stock]:
        found: list[wire.Stock] = []
        page = 1
        while ids:
            params = {"product_id:in": ",".join(ids), "limit": self.stock_page, "page": page}
            rows = vendor.get("/v3/inventory/items", params=params).data["data"]
            found += (wire.Stock.model_validate(row) for row in rows)
            if len(rows) < self.stock_page:
                break
            page += 1
        return found

    def _price(self, vendor: VendorClient, key: str, connection: Connection) -> Iterator[Told]:
        price_list, _, variant_id = key.partition(":")
        for found in vendor.get("/v3/pricelists", params={"id:in": price_list}).data["data"]:
            listed = wire.PriceList.model_validate(found)
            path = f"/v3/pricelists/{price_list}/records"
            wanted = {"variant_id:in": variant_id, "include": "sku"}
            for row in vendor.get(path, params=wanted).data["data"]:
                told = wire.ListedPrice.model_validate(row)
                store = self._store(vendor, connection)
                yield from mapping.list_price(told, listed, store, connection.name)

    def _store(self, vendor: VendorClient, connection: Connection) -> wire.Store:
        if connection.name not in self._stores:
            self._stores[connection.name] = wire.Store.model_validate(vendor.get("/v2/store").data)
        return self._stores[connection.name]


def _order(vendor: VendorClient, order_id: str, connection: Connection) -> Iterator[Told]:
    path = f"/v2/orders/{order_id}"
    wanted = {"include": "fees", "consignment_structure": "object"}
    row = vendor.get(path, params=wanted).data
    told = wire.Order.model_validate(row | {"b2b": b2b.order(vendor, order_id, connection)})
    lines = [wire.Line.model_validate(one) for one in _all(vendor, f"{path}/products")]
    places = _all(vendor, f"{path}/shipping_addresses")
    taxes = _all(vendor, f"{path}/taxes", details="true")
    yield from mapping.order(
        told,
        lines,
        [wire.Address.model_validate(one) for one in places],
        [wire.Tax.model_validate(one) for one in taxes],
        connection.name,
        str(connection.settings.get("po_number_field", "PO number")),
    )


def _money(vendor: VendorClient, order_id: str, connection: Connection) -> Iterator[Told]:
    order = vendor.get(f"/v2/orders/{order_id}").data
    for one in _data(vendor, f"/v3/orders/{order_id}/transactions"):
        yield from mapping.payment(wire.Transaction.model_validate(one), order_id, connection.name)
    currency = order["default_currency_code"].upper()
    for one in _data(vendor, f"/v3/orders/{order_id}/payment_actions/refunds"):
        yield from mapping.refund(wire.Refund.model_validate(one), currency, connection.name)


def _shipments(vendor: VendorClient, order_id: str, connection: Connection) -> Iterator[Told]:
    for one in _all(vendor, f"/v2/orders/{order_id}/shipments"):
        yield from mapping.shipment(wire.Shipment.model_validate(one), connection.name)


def _customer(vendor: VendorClient, customer_id: str, connection: Connection) -> Iterator[Told]:
    params = {"id:in": customer_id, "include": "addresses"}
    for one in vendor.get("/v3/customers", params=params).data["data"]:
        yield from mapping.customer(wire.Customer.model_validate(one), connection.name)


def _changed_orders(vendor: VendorClient, last: int, span: Span, connection: Connection) -> Page:
    del connection
    until = {"max_date_modified": _zulu(span.until)} if span.until else {}
    params = {"min_date_modified": _zulu(span.since), "min_id": last + 1}
    answer = vendor.get(
        "/v2/orders", params=params | until | {"sort": "id:asc", "limit": _PAGE, "page": 1}
    )
    rows = answer.data or []
    ids = [int(row["id"]) for row in rows]
    told = [Hint("order", str(one)) for one in ids]
    return Page(told, str(max(ids, default=last)), is_last=len(rows) < _PAGE)


def _changed_customers(vendor: VendorClient, page: int, span: Span, connection: Connection) -> Page:
    """Customers sort by id and have no lower bound for it: rows may join a page and leave none."""
    until = {"date_modified:max": _zulu(span.until)} if span.until else {}
    params = {"date_modified:min": _zulu(span.since), "include": "addresses"}
    more = {"sort": "date_created:asc", "limit": _PAGE, "page": page + 1}
    rows = vendor.get("/v3/customers", params=params | until | more).data["data"]
    told = [
        one
        for row in rows
        for one in mapping.customer(wire.Customer.model_validate(row), connection.name)
    ]
    return Page(told, str(page + 1), is_last=len(rows) < _PAGE)


def _refunds(vendor: VendorClient, page: int, span: Span, connection: Connection) -> Page:
    """Refunds leave the order's own figures alone: the order list need not show them."""
    del connection
    until = {"created:max": _zulu(span.until)} if span.until else {}
    params = {"created:min": _zulu(span.since), "limit": _PAGE, "page": page + 1}
    answer = vendor.get("/v3/orders/payment_actions/refunds", params=params | until)
    rows = answer.data["data"]
    told = [Hint("money", str(row["order_id"])) for row in rows]
    return Page(list(dict.fromkeys(told)), str(page + 1), is_last=len(rows) < _PAGE)


def _all(vendor: VendorClient, path: str, **params: Any) -> Iterator[Any]:
    """Every row of a V2 list; its end is an answer without body."""
    page = 1
    while rows := vendor.get(path, params=params | {"limit": _PAGE, "page": page}).data or []:
        yield from rows
        if len(rows) < _PAGE:
            return
        page += 1


def _data(vendor: VendorClient, path: str) -> Iterator[Any]:
    """Every row of a V3 list; one that is not there has none."""
    with suppress(NotThereError):
        yield from vendor.get(path).data["data"]


def _zulu(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


handler = pull_handler(BigCommercePull(), BigCommerceWebhook())
