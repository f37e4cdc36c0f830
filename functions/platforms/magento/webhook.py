"""What our own module posts: Magento Open Source tells nobody of anything.

The module (``module/``) notes what was saved in the transaction that saves it, and posts a thin
body from a job, with its time and its HMAC. Everything is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar

from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.module import ModuleWebhook
from platforms.magento import mapping, wire

_NUMBER = attrgetter("entity_id")


class MagentoWebhook(ModuleWebhook):
    """Numbers of orders, of what follows them, of customers, companies and products."""

    platform = "magento"
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.saved": names(wire.Event, "order", _NUMBER),
        "invoice.saved": names(wire.Event, "invoice", _NUMBER),
        "creditmemo.saved": names(wire.Event, "creditmemo", _NUMBER),
        "shipment.saved": names(wire.Event, "shipment", _NUMBER),
        "customer.saved": names(wire.Event, "customer", _NUMBER),
        "customer.deleted": Route(wire.Deleted, mapping.customer_deleted),
        "company.saved": names(wire.Event, "company", _NUMBER),
        "product.saved": names(wire.Event, "product", _NUMBER, Kind.PRODUCT),
        "product.deleted": Route(wire.Deleted, mapping.product_deleted),
        "stock.saved": names(wire.Event, "stock", _NUMBER, Kind.STOCK_LEVEL),
    }


handler = webhook_handler(MagentoWebhook())
