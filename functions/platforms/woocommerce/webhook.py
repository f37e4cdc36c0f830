"""WooCommerce's webhooks (wc/v3; the documentation and a running 9.9.5 read in November 2026).

- A delivery is never sent again; after the sixth failure in a row the webhook switches itself off.
  Whatever happens here is answered 200 once it is kept.
- The body shows the object as it is when the delivery leaves, not as it was when it changed. The
  delivery id is made of the webhook and the second: two orders share it.
- When a webhook is made or switched on again the shop asks, unsigned, whether somebody listens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Reply, Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256
from platforms.woocommerce import mapping, wire

_ORDER = Route(wire.Order, mapping.order)
_CUSTOMER = Route(wire.Customer, mapping.customer)
_PRODUCT = Route(wire.Product, mapping.product)
_PING = re.compile(rb"webhook_id=\d{1,12}")


class WooCommerceWebhook(WebhookAdapter):
    """Orders, customers and products come whole; a deletion names the thing only."""

    platform = "woocommerce"
    signature = HmacSha256(headers=("x-wc-webhook-signature",))
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.created": _ORDER,
        "order.updated": _ORDER,
        "order.restored": _ORDER,
        "order.deleted": Route(wire.Trashed, mapping.trashed),
        "customer.created": _CUSTOMER,
        "customer.updated": _CUSTOMER,
        "customer.deleted": Route(wire.Deleted, mapping.customer_deleted),
        "product.created": _PRODUCT,
        "product.updated": _PRODUCT,
        "product.restored": _PRODUCT,
        "product.deleted": Route(wire.Trashed, mapping.dropped),
    }

    def topic(self, delivery: Delivery) -> str:
        """``order.created``."""
        return delivery.headers.get("x-wc-webhook-topic", "")

    def delivery_id(self, delivery: Delivery) -> str:
        """To follow it in logs; it tells no deliveries apart."""
        return delivery.headers.get("x-wc-webhook-delivery-id", "")

    def content(self, delivery: Delivery) -> Any:
        """The body; an account that is gone has no time but the delivery's."""
        body = delivery.json()
        if self.topic(delivery) != "customer.deleted" or not isinstance(body, dict):
            return body
        return body | {"told_at": delivery.received_at}

    def handshake(self, delivery: Delivery) -> Reply | None:
        """The ping, known by its body alone."""
        is_form = delivery.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        )
        is_ping = is_form and not self.topic(delivery) and _PING.fullmatch(delivery.body)
        return Reply() if is_ping else None


handler = webhook_handler(WooCommerceWebhook())
