"""The sandbox's webhooks: who subscribed to what, and what each event sends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from sandbox.deliveries import Delivery, Outbox

SERVED_VERSIONS = ("2026-10", "2026-07")
RETRY_SECONDS = (60, 120, 240, 480, 900, 1800, 3600, 7200)
PRE_MADE_TOPICS = (
    "orders/create orders/updated orders/edited orders/cancelled orders/paid orders/fulfilled"
    " orders/partially_fulfilled orders/delete refunds/create order_transactions/create"
    " fulfillments/create fulfillments/update".split()
)
OTHER_TOPICS = (
    "customers/create customers/update customers/delete"
    " companies/create companies/update companies/delete"
    " company_locations/create company_locations/update company_locations/delete"
    " returns/request returns/approve returns/process returns/close returns/cancel returns/update"
    " products/create products/update products/delete variants/in_stock variants/out_of_stock"
    " inventory_items/create inventory_items/update inventory_items/delete"
    " inventory_levels/update inventory_levels/connect inventory_levels/disconnect".split()
)
PRIVACY_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")
"""Set in the app's configuration alone: no subscription is made or listed for them."""

TOPICS = {topic.replace("/", "_").upper(): topic for topic in (*PRE_MADE_TOPICS, *OTHER_TOPICS)}
SUBSCRIBE_SCOPES: dict[str, set[str]] = {
    "fulfillments": {"read_fulfillments"},
    "customers": {"read_customers"},
    "companies": {"read_companies", "read_customers"},
    "company_locations": {"read_companies", "read_customers"},
    "returns": {"read_returns"},
    "returns/close": {"read_returns", "read_orders"},
    "returns/cancel": {"read_returns", "read_orders"},
    "products": {"read_products"},
    "variants": {"read_products"},
    "inventory_items": {"read_inventory", "read_products"},
    "inventory_levels": {"read_inventory"},
}
"""Any one of these is enough; all other topics are of orders."""


def sign(secret: str, body: bytes) -> str:
    """The signature of a webhook: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


class Hooks:
    """Subscriptions of one shop's app, and the address its configuration names.

    Args:
        seed: the sandbox's seed.
        outbox: where deliveries are kept.
        accepted: counts committed mutations.
        secret: gives the client secret that signs.
    """

    def __init__(
        self, seed: Json, outbox: Outbox, accepted: Counter[str], secret: Callable[[], str]
    ) -> None:
        self.seed = seed
        self.outbox = outbox
        self.accepted = accepted
        self.secret = secret
        self.subscriptions: dict[int, Json] = {}
        self.app_uri: str | None = seed.get("webhook_uri")
        self._ids = itertools.count(1_611_353_000_001, 32769)

    def prepare(self, now: str) -> None:
        """Make what the seed wants to be there from the start."""
        topics = self.seed.get("webhook_topics", PRE_MADE_TOPICS)
        for topic in (*PRE_MADE_TOPICS, *OTHER_TOPICS) if topics == "all" else topics:
            if self.app_uri:
                self._subscribe(topic, {"uri": self.app_uri}, now)

    def point_to(self, uri: str) -> None:
        """Change every address; what was sent before keeps its own."""
        self.app_uri = uri
        for subscription in self.subscriptions.values():
            subscription["uri"] = uri

    def drop(self, number: str) -> None:
        """The vendor's answer to failures; what the app's configuration says stays."""
        self.subscriptions.pop(int(number), None)

    def create(self, scopes: frozenset[str], topic: str, given: Json, now: str) -> Json:
        """``webhookSubscriptionCreate``."""
        name = TOPICS[topic]
        needed = SUBSCRIBE_SCOPES.get(name) or SUBSCRIBE_SCOPES.get(name.split("/")[0])
        problem = _subscription_problem(given, topic, self.subscriptions.values())
        if not (needed or {"read_orders"}) & scopes:
            problem = (None, f"You do not have permission to create webhooks with {name} topic.")
        if problem:
            field, message = problem
            path = ["webhookSubscription", field] if field else None
            errors = [{"field": path, "message": message}]
            return {"webhook_subscription": None, "user_errors": errors}
        self.accepted["webhookSubscriptionCreate"] += 1
        return {"webhook_subscription": self._subscribe(name, given, now), "user_errors": []}

    def delete(self, global_id: str) -> Json:
        """``webhookSubscriptionDelete``."""
        if self.subscriptions.pop(number_in(global_id), None) is None:
            message = "Webhook subscription does not exist"
            errors = [{"field": ["id"], "message": message}]
            return {"deleted_webhook_subscription_id": None, "user_errors": errors}
        self.accepted["webhookSubscriptionDelete"] += 1
        return {"deleted_webhook_subscription_id": global_id, "user_errors": []}

    def listed(self, args: Json) -> Iterable[Json]:
        """The subscriptions a list asks for."""
        for one in self.subscriptions.values():
            wanted = one["topic"] in (args.get("topics") or [one["topic"]])
            if wanted and (args.get("uri") or one["uri"]) == one["uri"]:
                yield one

    def _subscribe(self, topic: str, given: Json, now: str) -> Json:
        number = next(self._ids)
        version = {"handle": SERVED_VERSIONS[0], "display_name": SERVED_VERSIONS[0]}
        self.subscriptions[number] = {
            "id": number,
            "topic": topic.replace("/", "_").upper(),
            "uri": given["uri"],
            "format": "JSON",
            "include_fields": given.get("includeFields") or [],
            "metafield_namespaces": given.get("metafieldNamespaces") or [],
            "filter": given.get("filter") or None,
            "name": given.get("name"),
            "created_at": now,
            "updated_at": now,
            "api_version": version | {"supported": True},
        }
        return self.subscriptions[number]

    def notify(self, topic: str, subject: int, body: Json, at: datetime) -> None:
        """Send one event to whoever hears of it."""
        hearers = [s for s in self.subscriptions.values() if TOPICS[s["topic"]] == topic]
        if topic in PRIVACY_TOPICS and self.app_uri:
            hearers = [{"id": 0, "uri": self.app_uri, "include_fields": [], "name": None}]
        event = str(uuid.uuid4())
        triggered = time.strftime("%Y-%m-%dT%H:%M:%S", at.utctimetuple())
        for subscription in hearers:
            kept = subscription["include_fields"] or body
            sent = {key: value for key, value in body.items() if key in kept}
            raw = json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()
            delivery = str(uuid.uuid4())
            headers = {
                "Content-Type": "application/json",
                "X-Shopify-Topic": topic,
                "X-Shopify-Hmac-Sha256": sign(self.secret(), raw),
                "X-Shopify-Shop-Domain": self.seed["shop"],
                "X-Shopify-API-Version": self.seed.get("api_version", SERVED_VERSIONS[0]),
                "X-Shopify-Webhook-Id": delivery,
                "X-Shopify-Event-Id": event,
                "X-Shopify-Triggered-At": f"{triggered}.{time.time_ns() % 10**9:09d}Z",
            }
            if subscription["name"]:
                headers["X-Shopify-Name"] = subscription["name"]
            self.outbox.add(
                Delivery(
                    id=delivery,
                    topic=topic,
                    subject=str(subject),
                    subscription=str(subscription["id"]),
                    uri=subscription["uri"],
                    headers=headers,
                    body=raw,
                )
            )


def _subscription_problem(
    given: Json, topic: str, others: Iterable[Json]
) -> tuple[str | None, str] | None:
    uri: Any = given.get("uri") or ""
    address = urlsplit(uri)
    host = address.hostname or ""
    # The only addresses of this machine's own bridge; the vendor takes none without https.
    local = address.scheme == "http" and (host == "127.0.0.1" or host.endswith("localhost"))
    if not host or (address.scheme != "https" and not local):
        return "uri", "Address is invalid"
    if any(one["uri"] == uri and one["topic"] == topic for one in others):
        return "uri", "Address for this topic has already been taken"
    if given.get("filter"):
        return "filter", "The sandbox knows no filters"
    if given.get("format") == "XML":
        return "format", "The sandbox writes JSON only"
    return None
