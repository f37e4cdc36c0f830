"""Deliveries of another system: Standard Webhooks, specification 1.0.0 of standardwebhooks.com.

The type says what happened to what: ``product.updated``, ``stock_level.deleted``. Each delivery
shows the record whole, so nothing is read back but a tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import StandardWebhooks
from platforms.standard import mapping, wire


class StandardWebhook(WebhookAdapter):
    """Records of all ten kinds, by the word of whoever keeps them."""

    platform = "standard"
    signature = StandardWebhooks()
    clock = Timestamp("microsecond")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        f"{word}.{what}": Route(wire.Data, partial(read, kind))
        for word, kind in wire.KINDS.items()
        for what, read in (("updated", mapping.updated), ("deleted", mapping.deleted))
    }

    def topic(self, delivery: Delivery) -> str:
        """``product.updated``, which the body says."""
        return delivery.field("type")

    def delivery_id(self, delivery: Delivery) -> str:
        """The same on every try."""
        return delivery.headers.get("webhook-id", "")

    def content(self, delivery: Delivery) -> Any:
        """What the delivery is about."""
        body = delivery.json()
        return body.get("data") if isinstance(body, dict) else body


handler = webhook_handler(StandardWebhook())
