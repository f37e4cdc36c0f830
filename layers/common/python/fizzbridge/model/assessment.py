"""What we make of an entity that is not an order: where it goes, and what the bus may say of it."""

from __future__ import annotations

from fizzbridge.model.base import Amount, Frozen, Sku
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import Currency, Money
from fizzbridge.model.units import Unit
from fizzbridge.model.working import Working


class Difference(Frozen):
    """A value that is one thing at its owner and another at somebody who shows it."""

    field: str
    """``price``, ``on_hand``, ``is_active``, ``gtin``."""
    owner_says: str
    told: str
    is_unholdable: bool = False
    """Whether it came back after we wrote the owner's value, at once or too often: it is let be."""


class Comparison(Frozen):
    """What somebody tells of a product, a price or a stock level, beside its owner's word."""

    owner: EntityRef | None
    """The owner's entity; None where the owner has none of this code."""
    sku: str
    """The code it was told under."""
    differences: tuple[Difference, ...] = ()
    unholdable: tuple[str, ...] = ()
    """Fields that are let be until the owner says something else, even while they do not differ."""


class Offered(Frozen):
    """How much of an item may be sold from a place, in base units."""

    sku: Sku
    location: str
    """The owner's."""
    available: int


class Priced(Frozen):
    """What one unit of an item costs now, from a quantity on."""

    sku: Sku
    unit: Unit
    price_list: str
    """The owner's; empty for its standing price."""
    min_quantity: int
    price: Money
    tax_included: bool


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
    in_flight: int = 0
    """Of it, or of all it speaks for: what orders claim and no level shows yet, in base units."""
    offered: tuple[Offered, ...] = ()
    """Of the stock level that speaks for its item: what may be offered of it at every place, and of
    mixed cases it goes into."""
    priced: tuple[Priced, ...] = ()
    """Of the price that speaks for its item: what holds now of all its prices."""
    workings: tuple[Working, ...] = ()
    """How the figures came about."""
    item: str = ""
    """Of a product, price or level: the item it is known under, for those who show it."""
    comparison: Comparison | None = None
    """Of what one told who does not own it."""
    targets: tuple[str, ...] = ()
    content: str
    """Fingerprint of the record, so that a change of content is a change of the assessment."""
