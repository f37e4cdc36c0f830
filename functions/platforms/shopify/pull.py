"""Reading Shopify's Admin GraphQL API: https://shopify.dev/docs/api/admin-graphql/2026-10.

Without the scope ``read_all_orders`` an order older than 60 days looks like no order at all: "not
there" is never taken for a deletion, which has a webhook of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.shopify import reading
from platforms.shopify.access import ERRORS, authorised
from platforms.shopify.subscriptions import ShopifySubscriptions
from platforms.shopify.webhook import ShopifyWebhook


class ShopifyPull(PullAdapter):
    """Orders and what follows them, who buys, and what is sold."""

    platform = "shopify"
    clock = Timestamp("second")
    subscriptions = ShopifySubscriptions()
    level_streams = frozenset({"products"})
    errors = ERRORS

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token in a header, fixed or asked for, to a shop's own myshopify.com name only."""
        return authorised(secret, connection)

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read an order, something that follows one, somebody who buys, or something sold."""
        kind, read = reading.READS[hint.what]
        return read(vendor, f"gid://shopify/{kind}/{hint.external_id}", connection)

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """List what changed; each order and product is read by itself, so no page costs too much.

        The first round of products begins before all time: what never changes is compared too.
        """
        bounds = [f"updated_at:<='{_zulu(span.until)}'"] if span.until else []
        if stream != "products" or span.since > connection.start_at:
            bounds.append(f"updated_at:>='{_zulu(span.since)}'")
        return reading.CHANGES[stream](vendor, " ".join(bounds), cursor, connection)


def _zulu(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


handler = pull_handler(ShopifyPull(), ShopifyWebhook())
