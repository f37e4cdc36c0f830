"""Dynamics 365 Business Central as a target: orders and customers.

https://learn.microsoft.com/en-us/dynamics365/business-central/dev-itpro/api-reference/v2.0/, API
v2.0, read in November 2026, not tried against a tenant. What decides the shape of this adapter:

- Nothing but our own find keeps an order from being made twice; a customer's number is unique.
- An order that is shipped and invoiced in full is no order any more: its invoices tell of it.
- The API can neither release an order nor say how large a unit is, nor take prices with tax where
  the customer's card says they are without: orders go there open, and without tax in prices.
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
from platforms.business_central import checks
from platforms.business_central.customers import Customers
from platforms.business_central.orders import Orders
from platforms.business_central.transport import ERRORS, CompanyClient, authorised, rows


class BusinessCentralTarget(TargetAdapter):
    """One company, by an app registration of its own."""

    platform: ClassVar[str] = "business_central"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.CUSTOMER: Customers(),
    }
    # Finds read the database itself, no replica.
    search_lag: ClassVar[timedelta] = timedelta(0)
    # A call may wait eight minutes in the queue and then run for eight.
    longest_transaction: ClassVar[timedelta] = timedelta(minutes=16)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """Client credentials of the tenant the base URL names."""
        return authorised(secret, connection)

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:
        """One that knows the company."""
        return CompanyClient(vendor, connection)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """Rights, company, and every code that settings name."""
        return checks.findings(vendor, situation)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  one company
        """Items that are not blocked."""
        fields = "number,gtin,displayName,blocked"
        for item in rows(vendor, "/items", select=fields):
            if not item["blocked"]:
                yield ItemThere(item["number"], item["gtin"], item["displayName"])


handler = target_handler(BusinessCentralTarget())
