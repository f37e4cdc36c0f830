"""What our shop module posts: PrestaShop has no webhooks of its own.

The module (``module/``) notes what hooks tell in a table and posts it from cron, in a scheme of our
own: a thin body, its time and its HMAC, tried for 72 hours. Everything is read back. Stock,
products and prices are posted too; nothing here reads them yet, so they are acknowledged only.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.module import ModuleWebhook
from platforms.prestashop import wire

_ORDER = names(wire.OrderEvent, "order", attrgetter("id_order"))


class PrestaShopWebhook(ModuleWebhook):
    """Ids of orders, customers and addresses."""

    platform = "prestashop"
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.created": _ORDER,
        "order.status_changed": _ORDER,
        "order.edited": _ORDER,
        "order.paid": _ORDER,
        "order.refunded": _ORDER,
        "order.returned": _ORDER,
        "order.shipped": _ORDER,
        "customer.changed": names(wire.CustomerEvent, "customer", attrgetter("id_customer")),
        "address.changed": names(wire.AddressEvent, "address", attrgetter("id_address")),
    }


handler = webhook_handler(PrestaShopWebhook())
