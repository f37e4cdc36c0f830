"""How requests to a shop are authorised, and what its answers mean: for pull and target alike.

A throttled query is answered 200 without data and says what it would have cost, so the wait is
computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
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
from fizzbridge.settings import Connection
from platforms.shopify.tokens import HEADER, client_credentials

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


ERRORS = ErrorRules(
    rules=(
        Rule(RateLimitedError, where={_CODE: "THROTTLED"}),
        Rule(ConfigurationError, where={_CODE: "ACCESS_DENIED"}),
        Rule(
            TargetUnavailableError,
            where={_CODE: re.compile("^(INTERNAL_SERVER_ERROR|TIMEOUT|SERVICE_UNAVAILABLE)$")},
        ),
        # A query our own release got wrong, or one too large.
        Rule(TargetRejectedError, 200, where={"errors.0.message": re.compile(".")}, blame="ours"),
        Rule(ConfigurationError, 402),  # the shop is frozen
        Rule(ConfigurationError, 423),  # the shop is locked
    ),
    message_at=("errors.0.message", "errors"),
    code_at=(_CODE,),
    retry_after=throttled_for,
)


def authorised(secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
    """A token in a header, fixed or asked for, to a shop's own myshopify.com name only.

    Raises:
        ConfigurationError: the connection's address is no such name.
    """
    host = urlsplit(connection.base_url).hostname or ""
    if not _HOST.fullmatch(host):
        msg = f"{host}: base_url must be the shop's name under myshopify.com"
        raise ConfigurationError(msg, platform="shopify")
    if "access_token" in secret:
        return HeaderToken(HEADER, str(secret["access_token"]))
    return client_credentials(str(secret["client_id"]), str(secret["client_secret"]))
