"""A value from one who does not own it, held against the owner's. Pure.

What is not comparable is not a difference: a price on another list or in another currency, a name,
since people write one for each shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from fizzbridge.model.assessment import Difference
from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.units import Unit


def products(told: Product, owned: Product, *, is_same_unit: bool) -> list[Difference]:
    """Whether a product is sold, and its barcode, which belongs to one unit."""
    found = _unlike("is_active", _word(owned.is_active), _word(told.is_active))
    if is_same_unit and told.gtin and owned.gtin:
        found += _unlike("gtin", owned.gtin.zfill(14), told.gtin.zfill(14))
    return found


def prices(told: Price, unit: Unit, owned: Iterable[Price], now: datetime) -> list[Difference]:
    """A price against the owner's for the same unit, list, step, currency and way of taxing."""
    valid = [
        one
        for one in owned
        if (one.unit, one.price_list) == (unit, told.price_list)
        and one.min_quantity == told.min_quantity
        and (one.price.currency, one.tax_included) == (told.price.currency, told.tax_included)
        and (one.valid_from is None or one.valid_from <= now)
        and (one.valid_to is None or now < one.valid_to)
    ]
    if not valid:
        return []
    current = max(valid, key=lambda one: (one.valid_from is not None, one.valid_from))
    return _unlike("price", _money(current), _money(told))


def levels(told: StockLevel, factor: int, available: Sequence[int | None]) -> list[Difference]:
    """Whether more is offered than there is; less is what a sale on its way looks like.

    Args:
        told: what is offered, in the unit it is sold in.
        factor: base units in that.
        available: what may be offered at each place in question, in base units; None where a place
            is not published.
    """
    if not available or None in available:
        return []
    there = sum(one for one in available if one is not None)
    offered = told.on_hand * factor
    return _unlike("on_hand", str(there), str(offered)) if offered > there else []


def _unlike(field: str, owner_says: str, told: str) -> list[Difference]:
    same = owner_says == told
    return [] if same else [Difference(field=field, owner_says=owner_says, told=told)]


def _word(value: bool) -> str:
    return "yes" if value else "no"


def _money(price: Price) -> str:
    return f"{price.price.amount.normalize():f} {price.price.currency}"
