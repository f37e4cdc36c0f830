"""Finding what is sold by SKU, which Shopify does not keep unique: all that carry it are meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from platforms.shopify.telling import ShopClient, parts

ASKED = 25
"""SKUs in one question: what is wanted of each has a price."""


def variants(vendor: ShopClient, skus: Collection[str], shown: str) -> Iterator[Any]:
    """Every variant that has one of these SKUs, letter by letter.

    Args:
        vendor: the shop.
        skus: the shop's own codes.
        shown: what is wanted of each variant beside ``id`` and ``sku``.
    """
    query = f"""
query($skus: String!, $after: String) {{
  productVariants(first: 50, after: $after, query: $skus) {{
    nodes {{ id sku {shown} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
    for some in parts(sorted(skus), ASKED):
        after, wanted = None, " OR ".join(f"sku:'{_escaped(sku)}'" for sku in some)
        while True:
            found = vendor.ask(query, skus=wanted, after=after)["productVariants"]
            # A search is looser than we are.
            yield from (one for one in found["nodes"] if one["sku"] in some)
            if not found["pageInfo"]["hasNextPage"]:
                break
            after = found["pageInfo"]["endCursor"]


def _escaped(sku: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\'\"" else letter for letter in sku)
