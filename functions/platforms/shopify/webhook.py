"""Shopify's classic webhooks: https://shopify.dev/docs/apps/build/webhooks (2026-10, read 11/2026).

At least once, unordered, up to 8 retries in 4 hours, each with the original body. The signature is
the base64 HMAC-SHA256 of the raw body with the app's client secret. The newer "Events" deliveries
use other header names and the same algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256
from platforms.shopify import mapping, wire

_ORDER = Route(wire.Order, mapping.order)
_FULFILLMENT = Route(wire.Fulfillment, mapping.shipment)


class ShopifyWebhook(WebhookAdapter):
    """Orders come whole, edits and deletions by id only."""

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
        "orders/delete": Route(wire.OrderDeleted, mapping.deleted),
        "customers/redact": Route(wire.Redact, mapping.redact),
        "order_transactions/create": Route(wire.Transaction, mapping.payment),
        "refunds/create": Route(wire.Refund, mapping.refund),
        "fulfillments/create": _FULFILLMENT,
        "fulfillments/update": _FULFILLMENT,
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
