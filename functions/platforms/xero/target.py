"""Xero as a target: invoices, contacts, payments, credit notes.

https://developer.xero.com/documentation/api/accounting/overview, Accounting API 2.0, read from
descriptions of November 2026 and not tried against an organisation. What decides the shape of this
adapter:

- Xero has no order and no sales receipt: a sale is an invoice, and a paid one a payment on it.
- It keeps the numbers of invoices and credit notes unique, for good: they are made of our
  reference. Payments have no such key; theirs is found by reference.
- It taxes each line, rounds, and adds up. Documents begin as drafts and enter the ledger when
  their total was compared with ours.
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
from platforms.xero.checks import findings
from platforms.xero.contacts import Contacts
from platforms.xero.credits import CreditNotes
from platforms.xero.orders import Orders
from platforms.xero.payments import Payments
from platforms.xero.transport import ERRORS, XeroClient, authorised, listed
from platforms.xero.wire import Item


class XeroTarget(TargetAdapter):
    """Accounting API 2.0, as a web app or over a custom connection."""

    platform: ClassVar[str] = "xero"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.CUSTOMER: Contacts(),
        Kind.PAYMENT: Payments(),
        Kind.REFUND: CreditNotes(),
    }
    # Xero states neither; payments have no unique key, so both are on the safe side.
    search_lag: ClassVar[timedelta] = timedelta(seconds=10)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=120)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A web app's rotating token, or a custom connection's own."""
        return authorised(secret, connection)

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:
        """One that names the organisation."""
        return XeroClient(vendor, connection)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """The organisation, its currencies, tax rates, accounts, and what we may do."""
        return findings(vendor, situation)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  the same everywhere
        """Every item that is sold; Xero gives the whole list at once."""
        for told in listed(vendor, "Items"):
            item = Item.model_validate(told)
            if item.is_sold:
                yield ItemThere(item.code, name=item.name)


handler = target_handler(XeroTarget())
