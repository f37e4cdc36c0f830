"""Whether an item is sold: the state of the product its variants belong to.

Variants have none of their own. ARCHIVED is what people say of a product: it is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.errors import FizzbridgeError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Product
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import LevelEntity, Situation
from fizzbridge.runtime.view import View
from platforms.shopify.codes import variants
from platforms.shopify.telling import Write, shop

_SHOWN = """
product { id status variants(first: 50) { nodes { sku } pageInfo { hasNextPage } } }"""
_FROM = {True: {"DRAFT"}, False: {"ACTIVE", "UNLISTED"}}
_TO = {True: "ACTIVE", False: "DRAFT"}


class Sold(Frozen):
    """What an item's product says of its codes."""

    codes: tuple[str, ...]
    is_active: bool


class Products(LevelEntity):
    """Active or draft, where all that a product has is the item's."""

    calls: ClassVar[int] = 30

    def desired(self, view: View, situation: Situation) -> Sold | None:
        """By code; None where the shop has none for it."""
        product = view.body(Part.RECORD, Product)
        codes = situation.codes(product.sku) if product and product.sku else ()
        if product is None or not codes:
            return None
        return Sold(codes=tuple(sorted(codes)), is_active=product.is_active)

    def write(
        self, vendor: VendorClient, payloads: Mapping[EntityRef, Sold]
    ) -> Mapping[EntityRef, FizzbridgeError]:
        """Read, and write what differs."""
        client = shop(vendor)
        of = {code: one for one, sold in payloads.items() for code in sold.codes}
        products: dict[str, tuple[EntityRef, str]] = {}
        for variant in variants(client, of, _SHOWN):
            product, one = variant["product"], of[variant["sku"]]
            sold = payloads[one]
            if product["status"] in _FROM[sold.is_active] and _is_whole(product, sold):
                products[product["id"]] = (one, _TO[sold.is_active])
        writes = [
            Write(
                "productUpdate",
                {"product": ("ProductUpdateInput", {"id": product, "status": status})},
                errors="userErrors { field message }",
            )
            for product, (_, status) in products.items()
        ]
        failures: dict[EntityRef, FizzbridgeError] = {}
        for (one, _), told in zip(products.values(), client.tell(*writes), strict=True):
            for refusal in told.refusals:
                said = f"{', '.join(payloads[one].codes)}: {refusal.message}"
                failures[one] = TargetRejectedError(said, platform="shopify")
        return failures


def _is_whole(product: Mapping[str, Any], sold: Sold) -> bool:
    """Whether nothing else is sold under the product."""
    listed = product["variants"]
    known = {node["sku"] for node in listed["nodes"] if node["sku"]}
    return known <= {*sold.codes} and not listed["pageInfo"]["hasNextPage"]
