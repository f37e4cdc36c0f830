"""What our own script in NetSuite posts, which has no webhooks of its own.

The script (``suitescript/``) runs after a record was saved and names it in a thin body, with its
time and its HMAC. Everything is read back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.webhook.adapter import Route
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.module import ModuleWebhook
from fizzbridge.wire import Text, Wire

READ = {
    "salesorder": "order",
    "itemfulfillment": "shipment",
    "invoice": "invoice",
    "creditmemo": "credit",
    "returnauthorization": "return",
    "cashsale": "cash_sale",
    "cashrefund": "cash_refund",
    "customerpayment": "payment",
    "customerdeposit": "deposit",
    "customerrefund": "refund",
    "customer": "customer",
}
"""What hints call a record, by its type as scripts spell it; SOAP has capitals in it."""
MOVING = {
    "salesorder": "salesOrder",
    "cashsale": "cashSale",
    "itemreceipt": "itemReceipt",
    "inventoryadjustment": "inventoryAdjustment",
}
"""Records that change how much is left of their items, as they are read."""
ITEMS = ("inventoryitem", "assemblyitem", "kititem", "inventorysaleitem", "serviceitem")
"""Ends of the types of items: there are those with lots and with serial numbers."""


class Changed(Wire):
    """A record by its type and its number."""

    type: Text
    id: Annotated[Text, Field(pattern=r"^[1-9]\d*$")]


def named(told: Changed, connection: str) -> Iterator[Told]:
    """What is to be read of a record; of a type we do not know, nothing."""
    del connection
    sort = told.type.lower()
    if sort in READ:
        yield Hint(READ[sort], told.id)
    if sort.endswith(ITEMS):
        yield Hint("item", told.id, Kind.PRODUCT)


def changed(told: Changed, connection: str) -> Iterator[Told]:
    """The same, and what is left of the items of a record that moves stock."""
    yield from named(told, connection)
    if moving := MOVING.get(told.type.lower()):
        yield Hint("goods", f"{moving}:{told.id}", Kind.STOCK_LEVEL)


class NetSuiteSoapWebhook(ModuleWebhook):
    """Types and numbers of records that were saved or deleted."""

    platform = "netsuite_soap"
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "record.changed": Route(Changed, changed),
        "record.deleted": Route(Changed, named),
    }


handler = webhook_handler(NetSuiteSoapWebhook())
