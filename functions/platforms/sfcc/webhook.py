"""What our cartridge posts: B2C Commerce has no webhooks of its own.

The cartridge (``cartridge/``) marks orders in a hook and posts them from a job, in a scheme of our
own: a thin body, its time and its HMAC. Everything is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import FizzHmac
from platforms.sfcc import mapping, wire

_ORDER = Route(wire.OrderEvent, mapping.order_named)


class SfccWebhook(WebhookAdapter):
    """Numbers of orders and customers."""

    platform = "sfcc"
    signature = FizzHmac()
    clock = Timestamp("millisecond")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.placed": _ORDER,
        "order.changed": _ORDER,
        "order.cancelled": _ORDER,
        "order.failed": _ORDER,
        "order.paid": _ORDER,
        "order.shipped": _ORDER,
        "customer.changed": Route(wire.CustomerEvent, mapping.customer_named),
    }

    def topic(self, delivery: Delivery) -> str:
        """``order.placed``, which the body says."""
        return delivery.field("event")

    def delivery_id(self, delivery: Delivery) -> str:
        """The cartridge's id, the same on every try."""
        return delivery.field("delivery_id", "")


handler = webhook_handler(SfccWebhook())
