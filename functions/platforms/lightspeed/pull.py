"""Reading Lightspeed X-Series: its change feeds count every change, so a place in them holds.

The currency is the retailer's and on no sale; lines and stock name their product by id only. Both
hardly change, so a process that has read one keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import UTC, datetime
from typing import Any

import httpx

from fizzbridge.errors import NotThereError
from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Sequence
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.lightspeed import mapping, wire
from platforms.lightspeed.asking import base
from platforms.lightspeed.subscriptions import LightspeedSubscriptions
from platforms.lightspeed.webhook import LightspeedWebhook

_PAGE = 50
_KEPT = 10_000


class LightspeedPull(PullAdapter):
    """Sales with their payments and returns, customers, products with their prices, stock."""

    platform = "lightspeed"
    subscriptions = LightspeedSubscriptions()
    clock = Sequence()
    level_streams = frozenset({"products", "stock"})
    errors = ErrorRules(
        # A way of asking that an older version does not have.
        rules=(Rule(NotThereError, 405),),
        message_at=("message", "error", "errors.global.0", "details"),
        code_at=("error",),
    )

    def __init__(self) -> None:
        self._currency: dict[str, str] = {}
        self._products: dict[tuple[str, str], wire.Product] = {}
        self._taxes: dict[str, dict[str, wire.Rate]] = {}

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A personal token of the retailer."""
        del connection
        return Bearer(str(secret["access_token"]))

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read a sale, a customer, a product, or what all outlets have of one."""
        if hint.what == "stock":
            return self._stock(vendor, connection, {"product_id": hint.external_id})[0]
        path = f"{base(connection)}/{hint.what}s/{hint.external_id}"
        read = {"sale": self._sale, "customer": self._customer, "product": self._priced}[hint.what]
        return read(vendor, vendor.get(path).data["data"], connection)

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """What changed after a version, in the order of versions; deletions are listed too."""
        after = int(cursor or 0)
        if stream == "stock":
            told, newest = self._stock(vendor, connection, {"after": after, "size": _PAGE})
            return Page(told, str(newest or after), is_last=not newest, carries_on=True)
        params: dict[str, Any] = {"after": after, "page_size": _PAGE}
        if stream != "sales":  # those that were deleted are in the list anyway
            params["deleted"] = "true"
        answer = vendor.get(f"{base(connection)}/{stream}", params=params).data
        rows = answer["data"]
        if stream == "products":  # a price is shown today, whenever it was set
            wanted, read = rows, self._priced
        else:
            read = {"sales": self._sale, "customers": self._customer}[stream]
            wanted = [row for row in rows if _is_within(row, span, connection)]
        told = [one for row in wanted for one in read(vendor, row, connection)]
        newest = int((answer.get("version") or {}).get("max") or after)
        # An empty page is the end, and the only sign of it.
        return Page(told, str(newest), is_last=not rows, carries_on=True)

    def _sale(self, vendor: VendorClient, row: Any, connection: Connection) -> Iterator[Told]:
        told = wire.Sale.model_validate(row | {"date_text": row.get("date")})
        buyer = None
        if told.customer_id and not told.returned.is_return:
            path = f"{base(connection)}/customers/{told.customer_id}"
            buyer = wire.Customer.model_validate(vendor.get(path).data["data"])
        ids = {line.product.id for line in told.line_items if line.product.id}
        products = {one: self._product(vendor, one, connection) for one in sorted(ids)}
        taxes = {line.tax.id for line in told.line_items if line.tax.id}
        retailer = mapping.Retailer(
            currency=self._retailer(vendor, connection),
            products=products,
            rates=self._rates(vendor, taxes, connection),
        )
        yield from mapping.sale(told, buyer, retailer, connection.name)

    def _customer(self, vendor: VendorClient, row: Any, connection: Connection) -> Iterator[Told]:
        del vendor
        yield from mapping.customer(wire.Customer.model_validate(row), connection.name)

    def _priced(self, vendor: VendorClient, row: Any, connection: Connection) -> Iterator[Told]:
        told = self._keep(wire.Product.model_validate(row), connection)
        yield from mapping.product(told, self._retailer(vendor, connection), connection.name)

    def _stock(
        self, vendor: VendorClient, connection: Connection, wanted: Mapping[str, Any]
    ) -> tuple[list[Told], int]:
        """Levels in the order of their versions, and the last one's version."""
        read_at = datetime.now(UTC)
        told: list[Told] = []
        newest = 0
        for row in _levels(vendor, connection, wanted):
            one = wire.Level.model_validate(row)
            of = None if one.deleted_at else self._product(vendor, one.product_id, connection)
            told += mapping.level(one, of, read_at, connection.name)
            newest = max(newest, one.version)
        return told, newest

    def _product(
        self, vendor: VendorClient, product_id: str, connection: Connection
    ) -> wire.Product:
        key = (connection.name, product_id)
        if key not in self._products:
            found = vendor.get(f"{base(connection)}/products/{product_id}").data["data"]
            self._keep(wire.Product.model_validate(found), connection)
        return self._products[key]

    def _keep(self, product: wire.Product, connection: Connection) -> wire.Product:
        if len(self._products) >= _KEPT:
            self._products.clear()
        self._products[connection.name, product.id] = product
        return product

    def _rates(
        self, vendor: VendorClient, taxes: Set[str], connection: Connection
    ) -> Mapping[str, wire.Rate]:
        """Rates by id, and by that of a tax which has no other; read again for a new tax."""
        known = self._taxes.setdefault(connection.name, {})
        if not taxes <= known.keys():
            for row in vendor.get(f"{base(connection)}/taxes").data["data"]:
                tax = wire.Tax.model_validate(row)
                known |= {rate.id: rate for rate in tax.rates}
                if len(tax.rates) == 1:
                    known[tax.id] = tax.rates[0]
        return known

    def _retailer(self, vendor: VendorClient, connection: Connection) -> str:
        if connection.name not in self._currency:
            found = vendor.get(f"{base(connection)}/retailer").data["data"]["currency"]
            code = found["code"] if isinstance(found, dict) else found
            self._currency[connection.name] = str(code).upper()
        return self._currency[connection.name]


def _levels(vendor: VendorClient, connection: Connection, wanted: Mapping[str, Any]) -> list[Any]:
    """Rows of the inventory: asked for by POST since 2026-04, and by GET before.

    Which version answers is not known from the path: an ended one is answered by the oldest.
    """
    path = f"{base(connection)}/inventory"
    asked = {"sort_direction": "asc", "include_deleted": True, **wanted}
    try:
        return list(vendor.post(path, json=asked, writes=False).data)
    except NotThereError:
        if "product_id" in wanted:
            path = f"{base(connection)}/products/{wanted['product_id']}/inventory"
        params = {"page_size": _PAGE, "after": wanted.get("after", 0)}
        rows = vendor.get(path, params=params).data["data"]
        return [row | {"current_inventory_level": row["inventory_level"]} for row in rows]


def _is_within(row: Any, span: Span, connection: Connection) -> bool:
    """Whether a backfill asks for it; a poll leaves out only what is from before its time."""
    changed = datetime.fromisoformat(row.get("updated_at") or row["created_at"])
    return changed >= min(span.since, connection.start_at) and (
        span.until is None or changed <= span.until
    )


handler = pull_handler(LightspeedPull(), LightspeedWebhook())
