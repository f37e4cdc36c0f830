"""What our own module posts: Magento Open Source tells nobody of anything.

The module (``module/``) notes what was saved in the transaction that saves it, and posts a thin
body from a job, with its time and its HMAC. Everything is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.module import ModuleWebhook
from platforms.magento import mapping, wire


class MagentoWebhook(ModuleWebhook):
    """Numbers of orders, of what follows them, and of customers."""

    platform = "magento"
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.saved": Route(wire.Event, mapping.named("order")),
        "invoice.saved": Route(wire.Event, mapping.named("invoice")),
        "creditmemo.saved": Route(wire.Event, mapping.named("creditmemo")),
        "shipment.saved": Route(wire.Event, mapping.named("shipment")),
        "customer.saved": Route(wire.Event, mapping.named("customer")),
        "customer.deleted": Route(wire.Deleted, mapping.customer_deleted),
    }


handler = webhook_handler(MagentoWebhook())
