"""The way to a store: REST ``wc/v3``, with the key of one of its users.

https://woocommerce.github.io/woocommerce-rest-api-docs/, read in November 2026 and tried against a
running 9.9.5. Some refusals come as a 500 or as a 400 where the thing is not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from fizzbridge.errors import (
    ConfigurationError,
    FizzbridgeError,
    NotThereError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from platforms.woocommerce.mapping import Market

API = "/wp-json/wc/v3"
FULL = 100
"""Rows of a page, and of a batch."""

NO_ROUTE = "rest_no_route"

ERRORS = ErrorRules(
    rules=(
        # A firewall's page, or a plugin's warning, in place of an answer.
        Rule(TargetUnavailableError, range(200, 300), media="text/html"),
        # No WooCommerce at this address, or none of version 3.
        Rule(ConfigurationError, 404, where={"code": NO_ROUTE}),
        Rule(NotThereError, 400, where={"code": re.compile(r"_invalid_id$")}),
        # More than is left, or a gateway that gives nothing back.
        Rule(TargetRejectedError, 500, where={"code": re.compile(r"_order_refund$")}),
    ),
    message_at=("message",),
    code_at=("code",),
)


def authorised(secret: Mapping[str, Any]) -> httpx.Auth:
    """Basic, with the key of a user of the shop."""
    return httpx.BasicAuth(secret["consumer_key"], secret["consumer_secret"])


def market(vendor: VendorClient) -> Market:
    """What the shop's settings say of all its prices."""
    said = {
        row["id"]: row["value"]
        for group in ("general", "tax")
        for row in vendor.get(f"{API}/settings/{group}", params={"_fields": "id,value"}).data
    }
    # With taxes switched off the other setting is kept, and means nothing.
    taxed = ("woocommerce_calc_taxes", "woocommerce_prices_include_tax")
    return Market(said["woocommerce_currency"], all(said.get(one) == "yes" for one in taxed))


def rejected(message: str, code: str = "") -> FizzbridgeError:
    """A refusal of ours, before the shop has to or where it would not."""
    return TargetRejectedError(message, code=code, platform="woocommerce")
