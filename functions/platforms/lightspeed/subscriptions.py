"""Lightspeed's webhooks: one for each type and address."""

from __future__ import annotations

from collections.abc import Iterable

from fizzbridge.errors import ConflictError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.subscriptions import Subscription, Subscriptions
from fizzbridge.settings import Connection
from platforms.lightspeed.asking import base
from platforms.lightspeed.webhook import LightspeedWebhook


class LightspeedSubscriptions(Subscriptions):
    """Signed with the application's own secret, so there is none to give."""

    topics = tuple(LightspeedWebhook.routes)

    def listed(self, vendor: VendorClient, connection: Connection) -> Iterable[Subscription]:
        """All of the application's."""
        found = vendor.get(f"{base(connection)}/webhooks").data["data"]
        return [
            Subscription(str(one["id"]), one["type"], one["url"], bool(one["active"]))
            for one in found
        ]

    def add(
        self, vendor: VendorClient, topic: str, address: str, secret: str, connection: Connection
    ) -> None:
        """That it is there already is as good."""
        del secret
        given = {"url": address, "type": topic, "active": True}
        try:
            vendor.post(f"{base(connection)}/webhooks", json=given, writes=True)
        except ConflictError:
            return

    def remove(
        self, vendor: VendorClient, subscription: Subscription, connection: Connection
    ) -> None:
        """Delete it."""
        path = f"{base(connection)}/webhooks/{subscription.id}"
        vendor.request("DELETE", path, writes=True)
