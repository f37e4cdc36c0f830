"""Shopify as a target of the way back: what the ERP knows of a shop's goods and orders.

https://shopify.dev/docs/api/admin-graphql/2026-10, read in November 2026 and not tried against a
shop. What decides the shape of this adapter:

- Every write is a mutation that names its refusals in an answer of 200; many go in one call.
- Counts are compared with what they replace. Prices and the state of products are set.
- Nothing of a fulfilment or of an order is ours to number: metafields of the order carry our marks,
  and a refund its note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.runtime.target import Finding, ItemThere, Situation, TargetAdapter, TargetEntity
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection
from platforms.shopify import checks
from platforms.shopify.access import ERRORS, authorised
from platforms.shopify.fulfilments import Fulfilments
from platforms.shopify.orders import Orders
from platforms.shopify.prices import PriceLevels
from platforms.shopify.products import Products
from platforms.shopify.refunds import Refunds
from platforms.shopify.stock import StockLevels
from platforms.shopify.telling import ShopClient, shop


class ShopifyTarget(TargetAdapter):
    """Admin GraphQL 2026-10."""

    platform: ClassVar[str] = "shopify"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.SHIPMENT: Fulfilments(),
        Kind.REFUND: Refunds(),
        Kind.PRODUCT: Products(),
        Kind.PRICE: PriceLevels(),
        Kind.STOCK_LEVEL: StockLevels(),
    }
    # Orders are read by their ids, which lags by nothing; the vendor names no longest write.
    search_lag: ClassVar[timedelta] = timedelta(seconds=5)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=60)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token in a header, fixed or asked for."""
        return authorised(secret, connection)

    def client(self, vendor: VendorClient, connection: Connection) -> ShopClient:
        """One that asks and tells in GraphQL."""
        return ShopClient(vendor, connection)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """The shop, what we may do there, its locations and price lists."""
        return checks.findings(shop(vendor), situation)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  the client knows it
        """Every variant, by its SKU."""
        return checks.items(shop(vendor))


handler = target_handler(ShopifyTarget())
