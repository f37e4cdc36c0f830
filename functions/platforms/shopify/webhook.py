"""Shopify's classic webhooks: https://shopify.dev/docs/apps/build/webhooks (2026-10, read 11/2026).

At least once, unordered, up to 8 retries in 4 hours, each with the original body. The signature is
the base64 HMAC-SHA256 of the raw body with the app's client secret. The newer "Events" deliveries
use other header names and the same algorithm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, ClassVar

from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint
from fizzbridge.webhook.adapter import Route, WebhookAdapter, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256
from platforms.shopify import mapping, people, wire

_ORDER = Route(wire.Order, mapping.order)
_FULFILLMENT = Route(wire.Fulfillment, mapping.shipment)
_RETURN = names(wire.Named, "return")
_ACCOUNT = Route(wire.Account, people.account)
_COMPANY = names(wire.Named, "company")
_OUTLET = names(wire.Named, "company_location")
_PRODUCT = names(wire.Named, "product", of=Kind.PRODUCT)
_VARIANT = names(wire.OfProduct, "product", attrgetter("product_id"), Kind.STOCK_LEVEL)
_ITEM = names(wire.Named, "stock", of=Kind.STOCK_LEVEL)
_LEVEL = names(wire.OfItem, "stock", attrgetter("inventory_item_id"), Kind.STOCK_LEVEL)


def _processed(told: wire.MaybeNamed, connection: str) -> Iterator[Hint]:
    """The return, where the delivery names it; else its order's update leads to it."""
    del connection
    if told.id:
        yield Hint("return", told.id)


def _nothing(told: wire.Wire, connection: str) -> Iterator[Hint]:
    """What is gone and does not say under which of our keys it was."""
    del told, connection
    yield from ()


_GONE = Route(wire.Wire, _nothing)


class ShopifyWebhook(WebhookAdapter):
    """Orders and customers come whole, the rest by id only or in part."""

    platform = "shopify"
    signature = HmacSha256(headers=("x-shopify-hmac-sha256", "shopify-hmac-sha256"))
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "orders/create": _ORDER,
        "orders/updated": _ORDER,
        "orders/cancelled": _ORDER,
        "orders/paid": _ORDER,
        "orders/fulfilled": _ORDER,
        "orders/partially_fulfilled": _ORDER,
        "orders/edited": Route(wire.OrderEdited, mapping.edited),
        "orders/delete": Route(wire.Deleted, mapping.deleted),
        "order_transactions/create": Route(wire.Transaction, mapping.payment),
        "refunds/create": Route(wire.Refund, mapping.refund),
        "fulfillments/create": _FULFILLMENT,
        "fulfillments/update": _FULFILLMENT,
        "returns/request": _RETURN,
        "returns/approve": _RETURN,
        "returns/process": Route(wire.MaybeNamed, _processed),
        "returns/update": _RETURN,
        "returns/close": _RETURN,
        "returns/cancel": _RETURN,
        "customers/create": _ACCOUNT,
        "customers/update": _ACCOUNT,
        "customers/delete": Route(wire.Deleted, people.account_deleted),
        "companies/create": _COMPANY,
        "companies/update": _COMPANY,
        "companies/delete": _GONE,
        "company_locations/create": _OUTLET,
        "company_locations/update": _OUTLET,
        "company_locations/delete": Route(wire.OutletDeleted, people.company_gone),
        "products/create": _PRODUCT,
        "products/update": _PRODUCT,
        "products/delete": _GONE,
        "variants/in_stock": _VARIANT,
        "variants/out_of_stock": _VARIANT,
        "inventory_levels/update": _LEVEL,
        "inventory_levels/connect": _LEVEL,
        "inventory_levels/disconnect": _LEVEL,
        "inventory_items/create": _ITEM,
        "inventory_items/update": _ITEM,
        "inventory_items/delete": _GONE,
        # The topics of the privacy law, which the app's own configuration subscribes to.
        "customers/data_request": Route(wire.DataRequest, people.enquiry),
        "customers/redact": Route(wire.Redact, people.redact),
        "shop/redact": Route(wire.ShopRedact, people.farewell),
    }

    def topic(self, delivery: Delivery) -> str:
        """``orders/create``."""
        return _header(delivery, "topic")

    def delivery_id(self, delivery: Delivery) -> str:
        """The event's id, which stays the same on retries and duplicates."""
        return _header(delivery, "event-id") or _header(delivery, "webhook-id")

    def content(self, delivery: Delivery) -> Any:
        """The body; when it happened is in a header, and a deletion says it nowhere else."""
        at = _header(delivery, "triggered-at") or delivery.received_at
        body = delivery.json()
        return {"triggered_at": at} | body if isinstance(body, dict) else body


def _header(delivery: Delivery, name: str) -> str:
    headers = delivery.headers
    return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}", "")


handler = webhook_handler(ShopifyWebhook())
