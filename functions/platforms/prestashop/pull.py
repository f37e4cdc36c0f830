"""Reading PrestaShop's webservice: https://devdocs.prestashop-project.org/9/webservice/.

The documentation and a running 8.2.1 read in November 2026. An order is spread over ten resources,
so pages of orders are read, and what belongs to all of them in one call for each resource. A poll
lists what changed after a fixed moment in the order of ids: nothing leaves that list, so nothing
is passed by, whatever shares a second. The first round reads every product, however old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import timedelta
from typing import Any

import httpx

from fizzbridge.errors import ConfigurationError, TargetRejectedError
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.prestashop.gather import customers, orders, products, shop_of
from platforms.prestashop.webhook import PrestaShopWebhook
from platforms.prestashop.webservice import Kept, Webservice

_STREAMS = {
    "orders": ("orders", "date_upd", "full"),
    "slips": ("order_slip", "date_upd", "[id,id_order]"),
    "payments": ("order_payments", "date_add", "[id,order_reference]"),
    "products": ("products", "date_upd", "full"),
}


class PrestaShopPull(PullAdapter):
    """Orders with all that follows them, customers, and what is sold."""

    platform = "prestashop"
    per_page = 25
    clock = Timestamp("second")
    level_streams = frozenset({"products"})
    errors = ErrorRules(
        rules=(
            Rule(ConfigurationError, 405),  # the key may not read this resource
            # The webservice's own refusal; PHP's failures are pages, or empty.
            Rule(TargetRejectedError, 500, media="text/xml"),
            Rule(TargetRejectedError, 500, media="application/xml"),
        )
    )

    def __init__(self) -> None:
        self._kept: Kept = {}

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """Basic: the key is the user, and there is no password."""
        del connection
        return httpx.BasicAuth(str(secret["webservice_key"]), "")

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read an order, all orders of a reference, a customer, an address's, or a product.

        What is not there says nothing: another shop's order looks the same as one that is gone.
        """
        service = Webservice(vendor, connection, self._kept)
        wanted = [hint.external_id]
        if hint.what in {"order", "reference"}:
            field = "id" if hint.what == "order" else "reference"
            found = service.of("orders", field, wanted).values()
            return list(orders(service, [row for rows in found for row in rows], connection))
        if hint.what == "product":
            rows = service.of("products", "id", wanted).get(hint.external_id, [])
            return list(products(service, rows, connection))
        if hint.what == "address":
            places = service.of("addresses", "id", wanted, "[id,id_customer]").values()
            wanted = [row["id_customer"] for rows in places for row in rows]
        return list(customers(service, wanted, connection))

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Orders and products whole; of slips and payments only the orders to read."""
        service = Webservice(vendor, connection, self._kept)
        resource, date, display = _STREAMS[stream]
        shop = shop_of(service, connection)
        # An interval holds both its ends, and ``>`` leaves its own second out.
        second = timedelta(seconds=1)
        changed = (
            f"[{shop.since(span.since)},{shop.until(span.until)}]"
            if span.until
            else f">[{shop.since(span.since - second)}]"
        )
        filters = {f"filter[{date}]": changed, "filter[id]": f">[{cursor or 0}]", "date": "1"}
        if stream == "products" and span.since <= connection.start_at:
            del filters[f"filter[{date}]"]
        rows = service.rows(resource, display, **filters, sort="[id_ASC]", limit=str(self.per_page))
        told: list[Told]
        if stream == "orders":
            told = list(orders(service, rows, connection))
        elif stream == "products":
            told = list(products(service, rows, connection))
        elif stream == "slips":
            told = [Hint("order", row["id_order"]) for row in rows]
        else:
            told = [Hint("reference", row["order_reference"]) for row in rows]
        last = rows[-1]["id"] if rows else cursor or "0"
        return Page(told, last, is_last=len(rows) < self.per_page)

    def existing(
        self, vendor: VendorClient, ids: Sequence[str], connection: Connection
    ) -> Set[str]:
        """Orders that were not deleted."""
        return Webservice(vendor, connection, self._kept).of("orders", "id", ids, "[id]").keys()


handler = pull_handler(PrestaShopPull(), PrestaShopWebhook())
