"""QuickBooks Online as a target: sales receipts, invoices, payments, refunds and customers.

Accounting API v3, minor version 75, the only one since August 2025; read in November 2026:
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice.
What decides the shape of this adapter:

- No field is ours alone: forms are found by their number, payments by their reference number,
  customers by the end of their name. ``requestid`` is an extra, for its life is not published.
- An id is good within its kind only, and the kind of a form depends on when money came: an
  external id is ``Invoice:145``.
- Reads are metered by the month: what seldom changes is asked for once a run.
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
from platforms.quickbooks import check
from platforms.quickbooks.credits import Credits
from platforms.quickbooks.customers import Customers
from platforms.quickbooks.orders import Orders
from platforms.quickbooks.payments import Payments
from platforms.quickbooks.transport import ERRORS, QuickBooks, authorised


class QuickBooksTarget(TargetAdapter):
    """One company, whose address ends in its realm id."""

    platform: ClassVar[str] = "quickbooks"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.CUSTOMER: Customers(),
        Kind.PAYMENT: Payments(),
        Kind.REFUND: Credits(),
    }
    # Neither is published: what is seen is far below.
    search_lag: ClassVar[timedelta] = timedelta(seconds=30)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=120)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A grant whose refresh token moves on."""
        return authorised(secret, connection)

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:  # noqa: ARG002  the same for all
        """A client that asks for lists once."""
        return QuickBooks(vendor)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """Numbers, currencies, tax codes, accounts."""
        return check.findings(vendor, situation)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  the same for all
        """Items by their SKU, or by their name where they have none."""
        return check.items(vendor)


handler = target_handler(QuickBooksTarget())
