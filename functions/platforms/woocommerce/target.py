"""WooCommerce as a target of the way back: what a shop shows, and what became of its orders.

https://woocommerce.github.io/woocommerce-rest-api-docs/, wc/v3, read in November 2026 and tried
against a running 9.9.5. What decides the shape of this adapter:

- The shop says in a 200 that a row of a batch failed, and drops values it does not like without a
  word: each answer is compared with what was sent.
- Nothing has a unique key of ours: notes are found by their words, refunds by a field.
- Its own webhooks tell all of it back: what carries our reference is known.
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
from platforms.woocommerce import checks
from platforms.woocommerce.orders import Orders
from platforms.woocommerce.prices import Prices
from platforms.woocommerce.products import Products
from platforms.woocommerce.refunds import Refunds
from platforms.woocommerce.shipments import Shipments
from platforms.woocommerce.stock import Stock
from platforms.woocommerce.transport import ERRORS, authorised


class WooCommerceTarget(TargetAdapter):
    """A store, with the key of one of its users."""

    platform: ClassVar[str] = "woocommerce"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.SHIPMENT: Shipments(),
        Kind.REFUND: Refunds(),
        Kind.STOCK_LEVEL: Stock(),
        Kind.PRICE: Prices(),
        Kind.PRODUCT: Products(),
    }
    # PHP ends what runs for longer than its host allows; some keep objects in a cache.
    search_lag: ClassVar[timedelta] = timedelta(seconds=5)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=120)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:  # noqa: ARG002  one way only
        """Basic, with the key of a user of the shop."""
        return authorised(secret)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """The key's rights, the shop's prices and counts, and what of the maps it cannot show."""
        return checks.findings(vendor, situation)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  one shop
        """Every product and variation with a code."""
        return checks.items(vendor)


handler = target_handler(WooCommerceTarget())
