"""Kinds of entity, the parts they are stored in, and how they are named."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from fizzbridge.model.base import Frozen


class Kind(StrEnum):
    """The ten kinds of entity."""

    ORDER = "Order"
    SHIPMENT = "Shipment"
    INVOICE = "Invoice"
    PAYMENT = "Payment"
    REFUND = "Refund"
    RETURN = "Return"
    CUSTOMER = "Customer"
    PRODUCT = "Product"
    PRICE = "Price"
    STOCK_LEVEL = "StockLevel"


LEVEL_KINDS = frozenset({Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL})
"""Kinds that overwrite themselves often; everything else is a document and goes first."""

CHILD_KINDS = frozenset({Kind.SHIPMENT, Kind.INVOICE, Kind.PAYMENT, Kind.REFUND, Kind.RETURN})
"""Kinds that belong to an order; its fulfilment, billing and settlement are folded from them."""


class Part(StrEnum):
    """A part of an entity: it has one owner and one version clock, and merges alone."""

    REQUEST = "request"
    PROCESSING = "processing"
    RECORD = "record"
    TOLD = "told"
    """The word of one who does not own it: compared with the owner's, and written nowhere."""
    ASSESSMENT = "assessment"


class Role(StrEnum):
    """What a connection owns: ``order.request`` is a part, the others are whole kinds."""

    ORDER_REQUEST = "order.request"
    ORDER_PROCESSING = "order.processing"
    SHIPMENT = "shipment"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"
    RETURN = "return"
    CUSTOMER = "customer"
    PRODUCT = "product"
    PRICE = "price"
    STOCK = "stock"


_ROLES = {
    (Kind.ORDER, Part.REQUEST): Role.ORDER_REQUEST,
    (Kind.ORDER, Part.PROCESSING): Role.ORDER_PROCESSING,
    (Kind.SHIPMENT, Part.RECORD): Role.SHIPMENT,
    (Kind.INVOICE, Part.RECORD): Role.INVOICE,
    (Kind.PAYMENT, Part.RECORD): Role.PAYMENT,
    (Kind.REFUND, Part.RECORD): Role.REFUND,
    (Kind.RETURN, Part.RECORD): Role.RETURN,
    (Kind.CUSTOMER, Part.RECORD): Role.CUSTOMER,
    (Kind.PRODUCT, Part.RECORD): Role.PRODUCT,
    (Kind.PRICE, Part.RECORD): Role.PRICE,
    (Kind.STOCK_LEVEL, Part.RECORD): Role.STOCK,
}


def owner_role(kind: Kind, part: Part) -> Role:
    """The role that owns a part.

    Raises:
        KeyError: the part does not exist on that kind, or is our own (the assessment).
    """
    return _ROLES[kind, part]


_KEY = re.compile(r"^[a-z][a-z0-9-]{0,30}/[^\s#]{1,200}$")


class EntityRef(Frozen):
    """Names one entity: its kind and a key ``<connection>/<the owner's id>``.

    Keys depend on connection names and vendor ids only, never on functions, stacks or stages.
    """

    kind: Kind
    key: Annotated[str, Field(pattern=_KEY)]

    def __str__(self) -> str:
        return f"{self.kind}#{self.key}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reverse of ``str``: ``Order#shop-uk/5501``."""
        kind, _, key = text.partition("#")
        return cls(kind=Kind(kind), key=key)

    @property
    def connection(self) -> str:
        """The connection whose id the key holds."""
        return self.key.partition("/")[0]

    @property
    def external_id(self) -> str:
        """The owner's own id of this entity."""
        return self.key.partition("/")[2]


def ref(kind: Kind, connection: str, external_id: str | int) -> EntityRef:
    """Name an entity by the owner's connection and id."""
    return EntityRef(kind=kind, key=f"{connection}/{external_id}")


def guest(connection: str, order_id: str | int) -> EntityRef:
    """The customer of an order placed without an account: known by that order alone."""
    return ref(Kind.CUSTOMER, connection, f"order:{order_id}")
