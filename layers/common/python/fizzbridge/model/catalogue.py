"""Products, their pack hierarchy, prices and stock."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from fizzbridge.model.base import Exact, Frozen, Instant, Sku
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import Money
from fizzbridge.model.units import Unit


class Material(StrEnum):
    """What the container is made of, as deposit schemes name it."""

    ALUMINIUM = "ALUMINIUM"
    STEEL = "STEEL"
    PET = "PET"
    GLASS = "GLASS"
    HDPE = "HDPE"
    BAG_IN_BOX = "BAG_IN_BOX"
    KEG = "KEG"
    OTHER = "OTHER"


Factor = Annotated[int, Field(ge=1)]


class CatalogueItem(Frozen):
    """One item we sell, counted in its base unit; a changed pack size is a row of its own dates.

    A shop that cannot say units sells each unit under a code of its own: ``case_sku`` is the code
    under which a case is sold.
    """

    sku: Sku
    """The code under which one base unit is sold."""
    name: str
    """For people."""
    gtin: str = ""
    """Barcode of the base unit."""
    base_unit: Unit = Unit.EACH
    """What stock and quantities are counted in."""
    units_per_case: Factor | None = None
    """Base units in a case."""
    cases_per_layer: Factor | None = None
    """Cases in a pallet layer."""
    layers_per_pallet: Factor | None = None
    """Layers on a pallet."""
    case_sku: str = ""
    """The code under which a case is sold."""
    layer_sku: str = ""
    """The code under which a layer is sold."""
    pallet_sku: str = ""
    """The code under which a pallet is sold."""
    valid_from: date | None = None
    """First day of these pack sizes."""
    valid_to: date | None = None
    """Last day, included."""
    volume_ml: Exact | None = None
    """Content of the container."""
    material: Material | None = None
    """What the container is made of."""
    sugar_g_per_100ml: Exact | None = None
    """For levies that go by sugar."""
    deposit_scheme: str = ""
    """Name of the scheme that holds for it."""
    is_lot_tracked: bool = False
    """Whether the warehouse keeps lots."""

    def factor(self, unit: Unit) -> int | None:
        """How many base units one of ``unit`` is; None where the item has no such unit."""
        case = self.units_per_case
        layer = case * self.cases_per_layer if case and self.cases_per_layer else None
        pallet = layer * self.layers_per_pallet if layer and self.layers_per_pallet else None
        return {self.base_unit: 1, Unit.CASE: case, Unit.LAYER: layer, Unit.PALLET: pallet}.get(
            unit
        )

    def sold_as(self) -> dict[str, Unit]:
        """Each code this item is sold under, with the unit it means."""
        codes = {
            self.sku: self.base_unit,
            self.case_sku: Unit.CASE,
            self.layer_sku: Unit.LAYER,
            self.pallet_sku: Unit.PALLET,
        }
        return {code: unit for code, unit in codes.items() if code}

    def is_valid_on(self, day: date) -> bool:
        """Whether the row's pack sizes hold on that day, both ends included."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class Product(Frozen):
    """A product as its owner describes it."""

    sku: Sku
    name: str
    gtin: str = ""
    is_active: bool = True


class Price(Frozen):
    """What one unit of a product costs on a price list."""

    product: EntityRef
    price_list: str = ""
    unit: Unit
    price: Money
    tax_included: bool
    valid_from: Instant | None = None


class StockLevel(Frozen):
    """How much of a product is where, in base units; may be negative at the source."""

    product: EntityRef
    location: str
    on_hand: int
    reserved: int = 0
    as_of: Instant
