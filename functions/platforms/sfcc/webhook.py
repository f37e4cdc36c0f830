"""What our cartridge posts: B2C Commerce has no webhooks of its own.

The cartridge (``cartridge/``) marks orders in a hook and posts them from a job, in a scheme of our
own: a thin body, its time and its HMAC. Everything is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.module import ModuleWebhook
from platforms.sfcc import wire

_ORDER = names(wire.OrderEvent, "order", attrgetter("order_no"))


class SfccWebhook(ModuleWebhook):
    """Numbers of orders and customers."""

    platform = "sfcc"
    clock = Timestamp("millisecond")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "order.placed": _ORDER,
        "order.changed": _ORDER,
        "order.cancelled": _ORDER,
        "order.failed": _ORDER,
        "order.paid": _ORDER,
        "order.shipped": _ORDER,
        "customer.changed": names(wire.CustomerEvent, "customer", attrgetter("customer_no")),
    }


handler = webhook_handler(SfccWebhook())
