"""Reading Shopify's Admin GraphQL API: https://shopify.dev/docs/api/admin-graphql/2026-10.

A throttled query is answered 200 without data and says what it would have cost, so the wait is
computed. Without the scope ``read_all_orders`` an order older than 60 days looks like no order at
all: "not there" is never taken for a deletion, which has a webhook of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from fizzbridge.errors import (
    ConfigurationError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import Answer, ErrorRules, Rule, at
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.shopify import reading
from platforms.shopify.subscriptions import ShopifySubscriptions
from platforms.shopify.tokens import HEADER, client_credentials
from platforms.shopify.webhook import ShopifyWebhook

_CODE = "errors.0.extensions.code"
_HOST = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com|localhost|127\.0\.0\.1", re.IGNORECASE)


def throttled_for(answer: Answer) -> timedelta | None:
    """How long until the bucket holds what the query costs."""
    cost = at(answer.data, "extensions.cost") or {}
    needed, bucket = cost.get("requestedQueryCost"), cost.get("throttleStatus") or {}
    if at(answer.data, _CODE) != "THROTTLED" or not needed or not bucket.get("restoreRate"):
        return None
    missing = max(needed - bucket["currentlyAvailable"], 0)
    return timedelta(seconds=float(missing / bucket["restoreRate"]))


class ShopifyPull(PullAdapter):
    """Orders and what follows them, who buys, and what is sold."""

    platform = "shopify"
    clock = Timestamp("second")
    subscriptions = ShopifySubscriptions()
    level_streams = frozenset({"products"})
    errors = ErrorRules(
        rules=(
            Rule(RateLimitedError, where={_CODE: "THROTTLED"}),
            Rule(ConfigurationError, where={_CODE: "ACCESS_DENIED"}),
            Rule(
                TargetUnavailableError,
                where={_CODE: re.compile("^(INTERNAL_SERVER_ERROR|TIMEOUT|SERVICE_UNAVAILABLE)$")},
            ),
            # A query our own release got wrong, or one too large.
            Rule(
                TargetRejectedError, 200, where={"errors.0.message": re.compile(".")}, blame="ours"
            ),
            Rule(ConfigurationError, 402),  # the shop is frozen
            Rule(ConfigurationError, 423),  # the shop is locked
        ),
        message_at=("errors.0.message", "errors"),
        code_at=(_CODE,),
        retry_after=throttled_for,
    )

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token in a header, fixed or asked for, to a shop's own myshopify.com name only."""
        host = urlsplit(connection.base_url).hostname or ""
        if not _HOST.fullmatch(host):
            msg = f"{host}: base_url must be the shop's name under myshopify.com"
            raise ConfigurationError(msg, platform=self.platform)
        if "access_token" in secret:
            return HeaderToken(HEADER, str(secret["access_token"]))
        return client_credentials(str(secret["client_id"]), str(secret["client_secret"]))

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
