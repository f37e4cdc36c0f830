"""What our own module posts: Magento Open Source tells nobody of anything.

The module (``module/``) notes what was saved in the transaction that saves it, and posts a thin
body from a job, with its time and its HMAC. Everything is read back.

Adobe I/O Events are not taken yet. They are told apart by a header (``x-adobe-event-id``), so they
need a second signature beside this one, topics out of ``type`` and a handshake; what they name ends
in the same hints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import FizzHmac
from platforms.magento import mapping, wire


class MagentoWebhook(WebhookAdapter):
    """Numbers of orders, of what follows them, and of customers."""

    platform = "magento"
    signature = FizzHmac()
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.saved": Route(wire.Event, mapping.named("order")),
        "invoice.saved": Route(wire.Event, mapping.named("invoice")),
        "creditmemo.saved": Route(wire.Event, mapping.named("creditmemo")),
        "shipment.saved": Route(wire.Event, mapping.named("shipment")),
        "customer.saved": Route(wire.Event, mapping.named("customer")),
        "customer.deleted": Route(wire.Deleted, mapping.customer_deleted),
    }

    def topic(self, delivery: Delivery) -> str:
        """``order.saved``, which the body says."""
        return delivery.field("event")

    def delivery_id(self, delivery: Delivery) -> str:
        """The module's id, the same on every try."""
        return delivery.field("delivery_id", "")


handler = webhook_handler(MagentoWebhook())
