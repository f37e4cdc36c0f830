"""Which kinds of things can have tags and metafields, and what an app needs to write them."""

from __future__ import annotations

import re

from platforms.shopify.sandbox_search import refusal

GLOBAL_ID = re.compile(r"gid://shopify/(\w+)/(\d+)")
OWNER_SCOPES = {
    "Customer": "write_customers",
    "Order": "write_orders",
    "Product": "write_products",
    "ProductVariant": "write_products",
}


def kind_of(owner_gid: str) -> str:
    """What kind of thing a global id names."""
    match = GLOBAL_ID.fullmatch(owner_gid)
    if match is None or match[1] not in OWNER_SCOPES:
        raise refusal(f"Invalid id: {owner_gid}", "RESOURCE_NOT_FOUND")
    return match[1]
