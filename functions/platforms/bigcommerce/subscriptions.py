"""BigCommerce's webhooks of our API client, switched off after two days of failures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.subscriptions import Subscription, Subscriptions
from fizzbridge.settings import Connection
from platforms.bigcommerce.webhook import HOOK_HEADER, BigCommerceWebhook, hook_proof

_PATH = "/v3/hooks"
_PAGE = 250
_B2B = "store/company/"


class BigCommerceSubscriptions(Subscriptions):
    """Each with a header of ours, for deliveries that come unsigned."""

    topics = tuple(one for one in BigCommerceWebhook.routes if not one.startswith(_B2B))
    optional: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "b2b": tuple(one for one in BigCommerceWebhook.routes if one.startswith(_B2B))
    }

    def listed(self, vendor: VendorClient, connection: Connection) -> Iterable[Subscription]:
        """Those our API client made."""
        del connection
        return list(_pages(vendor))

    def add(
        self, vendor: VendorClient, topic: str, address: str, secret: str, connection: Connection
    ) -> None:
        """It takes up to a minute until the first delivery."""
        del connection
        headers = {HOOK_HEADER: hook_proof(secret)}
        given = {"scope": topic, "destination": address, "is_active": True, "headers": headers}
        vendor.post(_PATH, json=given, writes=True)

    def remove(
        self, vendor: VendorClient, subscription: Subscription, connection: Connection
    ) -> None:
        """Delete it."""
        del connection
        vendor.request("DELETE", f"{_PATH}/{subscription.id}", writes=True)


def _pages(vendor: VendorClient) -> Iterator[Subscription]:
    page = 1
    while rows := vendor.get(_PATH, params={"limit": _PAGE, "page": page}).data["data"]:
        for row in rows:
            yield Subscription(str(row["id"]), row["scope"], row["destination"], row["is_active"])
        if len(rows) < _PAGE:
            return
        page += 1
