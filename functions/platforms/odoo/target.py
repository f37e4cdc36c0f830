"""Odoo 19 as a target: orders and customers.

https://www.odoo.com/documentation/19.0/developer/reference/external_api.html, read and tried
against 19.0 community in November 2026. What decides the shape of this adapter:

- A search does not see a create that is still running, and Odoo finishes what a client hung up on.
  So ``create`` is an import under an external id, which Odoo keeps unique: sent twice, or by two at
  once, it makes one record.
- Cancelling does not ask whether goods left or an invoice was posted: we do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.runtime.target import (
    Finding,
    ItemThere,
    Situation,
    TargetAdapter,
    TargetEntity,
)
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection
from platforms.odoo import checks
from platforms.odoo.orders import Orders
from platforms.odoo.partners import Partners
from platforms.odoo.transport import ERRORS, OdooClient, authorised


class OdooTarget(TargetAdapter):
    """JSON-2, or JSON-RPC where the connection's setting ``transport`` says so."""

    platform: ClassVar[str] = "odoo"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.CUSTOMER: Partners(),
    }
    # A search right after the answer finds the record; a call may run to the worker's limit.
    search_lag: ClassVar[timedelta] = timedelta(0)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=120)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """The bot's API key, as the transport takes it."""
        return authorised(secret, connection)

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:
        """One dialect for both transports."""
        return OdooClient(vendor, connection)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """The bot's rights, the warehouse, and every tax, unit and price list of the maps."""
        return checks.findings(vendor, situation)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  one company
        """Products that can be sold, by internal reference."""
        return checks.items(vendor)


handler = target_handler(OdooTarget())
