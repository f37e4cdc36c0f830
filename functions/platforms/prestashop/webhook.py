"""What our shop module posts: PrestaShop has no webhooks of its own.

The module (``module/``) notes what hooks tell in a table and posts it from cron, in a scheme of our
own: a thin body, its time and its HMAC, tried for 72 hours. Everything is read back but a deletion,
of which nothing is left to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, ClassVar

from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen
from fizzbridge.selling import withdrawn
from fizzbridge.webhook.adapter import Route, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.module import ModuleWebhook
from fizzbridge.webhook.request import Delivery
from platforms.prestashop import wire

_ORDER = names(wire.OrderEvent, "order", attrgetter("id_order"))
_PRODUCT = attrgetter("id_product")


def _special_price(told: wire.PriceEvent, connection: str) -> Iterator[Hint]:
    del connection
    if told.id_product:
        yield Hint("product", told.id_product, Kind.PRICE)


def _gone(told: wire.ProductGone, connection: str) -> Iterator[Seen]:
    """Ids are never given again, so the time it was sent will do: that of the deletion is lost."""
    combination = told.id_product_attribute
    key = f"{told.id_product}-{combination}" if combination else told.id_product
    yield from withdrawn(connection, key, told.sent_at)


class PrestaShopWebhook(ModuleWebhook):
    """Ids of orders, customers, addresses and products."""

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
        "product.changed": names(wire.ProductEvent, "product", _PRODUCT, Kind.PRODUCT),
        "product.deleted": Route(wire.ProductGone, _gone),
        "stock.changed": names(wire.ProductEvent, "product", _PRODUCT, Kind.STOCK_LEVEL),
        "price.changed": Route(wire.PriceEvent, _special_price),
    }

    def content(self, delivery: Delivery) -> Any:
        """The body, and when it was sent."""
        body = delivery.json()
        sent_at = {"sent_at": delivery.headers.get("x-fizz-timestamp")}
        return body | sent_at if isinstance(body, dict) else body


handler = webhook_handler(PrestaShopWebhook())
