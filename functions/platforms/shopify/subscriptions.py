"""Shopify's webhook subscriptions of our app in one shop.

They are removed after eight deliveries in a row have failed. The topics of the privacy law are part
of the app's own configuration and no subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fizzbridge.errors import TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.subscriptions import Subscription, Subscriptions
from fizzbridge.settings import Connection
from platforms.shopify.asking import ask

_LIST = """
query($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri }
    pageInfo { hasNextPage endCursor }
  }
}"""
_ADD = """
mutation($topic: WebhookSubscriptionTopic!, $to: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $to) {
    webhookSubscription { id }
    userErrors { field message }
  }
}"""
_REMOVE = """
mutation($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } }
}"""


class ShopifySubscriptions(Subscriptions):
    """One subscription for each topic; there are no paused ones."""

    topics = (
        "ORDERS_CREATE",
        "ORDERS_UPDATED",
        "ORDERS_CANCELLED",
        "ORDERS_PAID",
        "ORDERS_FULFILLED",
        "ORDERS_PARTIALLY_FULFILLED",
        "ORDERS_EDITED",
        "ORDERS_DELETE",
        "ORDER_TRANSACTIONS_CREATE",
        "REFUNDS_CREATE",
        "FULFILLMENTS_CREATE",
        "FULFILLMENTS_UPDATE",
        "RETURNS_REQUEST",
        "RETURNS_APPROVE",
        "RETURNS_PROCESS",
        "RETURNS_UPDATE",
        "RETURNS_CLOSE",
        "RETURNS_CANCEL",
        "CUSTOMERS_CREATE",
        "CUSTOMERS_UPDATE",
        "CUSTOMERS_DELETE",
        "COMPANIES_CREATE",
        "COMPANIES_UPDATE",
        "COMPANIES_DELETE",
        "COMPANY_LOCATIONS_CREATE",
        "COMPANY_LOCATIONS_UPDATE",
        "COMPANY_LOCATIONS_DELETE",
        "PRODUCTS_CREATE",
        "PRODUCTS_UPDATE",
        "PRODUCTS_DELETE",
        "VARIANTS_IN_STOCK",
        "VARIANTS_OUT_OF_STOCK",
        "INVENTORY_LEVELS_UPDATE",
        "INVENTORY_LEVELS_CONNECT",
        "INVENTORY_LEVELS_DISCONNECT",
        "INVENTORY_ITEMS_CREATE",
        "INVENTORY_ITEMS_UPDATE",
        "INVENTORY_ITEMS_DELETE",
    )

    def listed(self, vendor: VendorClient, connection: Connection) -> Iterable[Subscription]:
        """Those our app made."""
        return list(_pages(vendor, connection))

    def add(
        self, vendor: VendorClient, topic: str, address: str, secret: str, connection: Connection
    ) -> None:
        """Deliveries are signed with the app's own secret: there is none to give."""
        del secret
        to = {"uri": address, "format": "JSON"}
        made = ask(vendor, connection, _ADD, writes=True, topic=topic, to=to)
        if errors := made["webhookSubscriptionCreate"]["userErrors"]:
            raise TargetRejectedError(f"{topic}: {errors[0]['message']}", platform="shopify")

    def remove(
        self, vendor: VendorClient, subscription: Subscription, connection: Connection
    ) -> None:
        """One that is gone is named in the answer, which changes nothing."""
        ask(vendor, connection, _REMOVE, writes=True, id=subscription.id)


def _pages(vendor: VendorClient, connection: Connection) -> Iterator[Subscription]:
    after = None
    while True:
        found = ask(vendor, connection, _LIST, after=after)["webhookSubscriptions"]
        for node in found["nodes"]:
            yield Subscription(node["id"], node["topic"], node["uri"])
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]
