"""WooCommerce's webhooks: one a topic, each switched off for good after its sixth failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.subscriptions import Subscription, Subscriptions
from fizzbridge.settings import Connection
from platforms.woocommerce.webhook import WooCommerceWebhook

_PATH = "/wp-json/wc/v3/webhooks"
_PAGE = 100


class WooCommerceSubscriptions(Subscriptions):
    """Made with our secret; the shop never shows it again."""

    topics = tuple(WooCommerceWebhook.routes)

    def listed(self, vendor: VendorClient, connection: Connection) -> Iterable[Subscription]:
        """All of the store's, other plugins' too."""
        del connection
        return list(_pages(vendor))

    def add(
        self, vendor: VendorClient, topic: str, address: str, secret: str, connection: Connection
    ) -> None:
        """The store asks at once, unsigned, whether somebody listens."""
        given = {"topic": topic, "delivery_url": address, "secret": secret, "status": "active"}
        named = {"name": f"fizzbridge {connection.name} {topic}"}
        vendor.post(_PATH, json=given | named, writes=True)

    def remove(
        self, vendor: VendorClient, subscription: Subscription, connection: Connection
    ) -> None:
        """There is no bin for webhooks: deleting must be forced."""
        del connection
        path = f"{_PATH}/{subscription.id}"
        vendor.request("DELETE", path, params={"force": "true"}, writes=True)


def _pages(vendor: VendorClient) -> Iterator[Subscription]:
    page = 1
    while rows := vendor.get(_PATH, params={"per_page": _PAGE, "page": page}).data:
        for row in rows:
            is_active = row["status"] == "active"
            yield Subscription(str(row["id"]), row["topic"], row["delivery_url"], is_active)
        if len(rows) < _PAGE:
            return
        page += 1
