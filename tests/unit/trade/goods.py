"""Items and counted lines for tests of the trade's rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fizzbridge.model.catalogue import CatalogueItem, Material
from fizzbridge.model.order import TaxShare
from fizzbridge.model.units import Quantity, Unit
from fizzbridge.trade.packs import Counted, Sold

CAN = {
    "volume_ml": "330",
    "material": Material.ALUMINIUM,
    "is_refillable": False,
    "has_added_sugar": True,
    "milk_percent": "0",
    "abv_percent": "0",
    "sugar_g_per_100ml": "10.6",
}


def item(sku: str = "COLA330", **changes: Any) -> CatalogueItem:
    """A can of 330 ml: cases of 24, layers of 9 cases, pallets of 12 layers."""
    packs = {"units_per_case": 24, "cases_per_layer": 9, "layers_per_pallet": 12}
    return CatalogueItem.model_validate({"sku": sku, "name": sku, **CAN, **packs, **changes})


def counted(of: CatalogueItem, ordered: int, unit: Unit = Unit.CASE) -> Counted:
    """So many units of an item on a line."""
    factor = of.factor(unit)
    assert factor
    quantity = Quantity(ordered=ordered, unit=unit, factor=factor, base=ordered * factor)
    return Counted("l1", Sold(of, unit), quantity)


def at(rate: str) -> tuple[TaxShare, ...]:
    """One tax of a rate."""
    return (TaxShare(title="VAT", rate=Decimal(rate), amount=Decimal(0)),)


def money(text: str) -> Decimal:
    return Decimal(text)


COLA = item()
