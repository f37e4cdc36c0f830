"""Odoo 19 as a target: orders and customers.

https://www.odoo.com/documentation/19.0/developer/reference/external_api.html, read and tried
against 19.0 community in November 2026. What decides the shape of this adapter:

- A search does not see a create that is still running, and Odoo finishes what a client hung up on.
  So ``create`` is an import under an external id, which Odoo keeps unique: sent twice, or by two at
  once, it makes one record.
- Cancelling does not ask whether goods left or an invoice was posted: we do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.runtime.target import TargetAdapter, TargetEntity
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection
from platforms.odoo.orders import Orders
from platforms.odoo.partners import Partners
from platforms.odoo.transport import ERRORS, OdooClient, RpcKey


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
        """The bot's API key: a bearer token, or in place of its password."""
        transport = connection.settings.get("transport", "json2")
        if transport == "json2":
            return Bearer(secret["api_key"])
        if transport == "jsonrpc":
            return RpcKey(secret["login"], secret["api_key"])
        msg = f"{connection.name}: transport is json2 or jsonrpc, not {transport}"
        raise ConfigurationError(msg, platform=self.platform)

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:
        """One dialect for both transports."""
        return OdooClient(vendor, connection)


handler = target_handler(OdooTarget())
