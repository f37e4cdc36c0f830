"""What we make of an entity that is not an order: where it goes, and what the bus may say of it."""

from __future__ import annotations

from fizzbridge.model.base import Amount, Frozen
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import Currency
from fizzbridge.model.working import Working


class Difference(Frozen):
    """A value that is one thing at its owner and another at somebody who shows it."""

    field: str
    """``price``, ``on_hand``, ``is_active``, ``gtin``."""
    owner_says: str
    told: str


class Comparison(Frozen):
    """What somebody tells of a product, a price or a stock level, beside its owner's word."""

    owner: EntityRef | None
    """The owner's entity; None where the owner has none of this code."""
    sku: str
    """The code it was told under."""
    differences: tuple[Difference, ...] = ()


class RecordAssessment(Frozen):
    """Routing of a customer, a product, a price, a stock level or a document of an order."""

    state: str = ""
    """The record's own state, where it has one: SETTLED, DISPATCHED."""
    order: EntityRef | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    is_historical: bool = False
    standing: str = ""
    """Of an account: fingerprint of its credit; empty where nobody said."""
    available: int | None = None
    """Of a stock level: what may be offered, in base units; None where it is not published."""
    workings: tuple[Working, ...] = ()
    """How the figures came about."""
    item: str = ""
    """Of a product, price or level: the item it is known under, for those who show it."""
    comparison: Comparison | None = None
    """Of what one told who does not own it."""
    targets: tuple[str, ...] = ()
    content: str
    """Fingerprint of the record, so that a change of content is a change of the assessment."""
