"""Products, their pack hierarchy, prices and stock."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from fizzbridge.model.base import Exact, Frozen, Instant, Sku
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import Currency, Money
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


class Component(Frozen):
    """What a mixed case holds of one item, in that item's base units."""

    sku: Sku
    quantity: Factor


def _words(value: Any) -> Any:
    """A cell of several values."""
    return value.split() if isinstance(value, str) else value


def _components(value: Any) -> Any:
    """A cell of the catalogue: ``COLA330*6 LEMON330*6``."""
    if not isinstance(value, str):
        return value
    found = []
    for word in value.split():
        match = re.fullmatch(r"(.+)\*(\d+)", word)
        if match is None:
            msg = f"'{word}' is not a component; write SKU*quantity, for example COLA330*6"
            raise ValueError(msg)
        found.append({"sku": match[1], "quantity": match[2]})
    return found


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
    case_gtin: str = ""
    """Barcode of a case."""
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
    is_drink: bool = True
    """False for cylinders, glasses and the like: schemes that go by content pass them over."""
    is_refillable: bool | None = None
    """Whether its container is filled again."""
    container: str = ""
    """Type of its container, as deposit schemes and the empties ledger name it."""
    crate: str = ""
    """Type of the returnable crate a case comes in."""
    has_added_sugar: bool | None = None
    """For levies on added sugar."""
    milk_percent: Exact | None = None
    """Milk by volume."""
    abv_percent: Exact | None = None
    """Alcohol by volume."""
    is_lot_tracked: bool = False
    """Whether the warehouse keeps lots."""
    shelf_life_days: Annotated[int, Field(ge=1)] | None = None
    """Days from making to best before."""
    components: Annotated[tuple[Component, ...], BeforeValidator(_components)] = ()
    """What one base unit of a mixed case holds: ``COLA330*6 LEMON330*6``."""
    is_deposit: bool = False
    """Whether the code stands for a deposit that the shop itself charges."""
    unit_cost: Exact | None = None
    """What one base unit costs us, in the company's currency."""
    daily_demand: Exact | None = None
    """Base units wanted on a day, for replenishment."""
    demand_deviation: Exact | None = None
    """Standard deviation of that."""
    monthly_demand: Annotated[tuple[Factor, ...], BeforeValidator(_words)] = ()
    """What the twelve months usually sell, January first, for the season: ``28 27 31 ...``."""
    lead_time_days: Exact | None = None
    """Days from our order to its receipt."""
    lead_time_deviation: Exact = Decimal(0)
    """Standard deviation of that."""
    service_level: Exact | None = None
    """Percent of lead times that shall pass without a stock-out: 95."""

    @model_validator(mode="after")
    def _year_has_twelve_months(self) -> Self:
        if len(self.monthly_demand) not in {0, 12}:
            raise ValueError("monthly_demand: a year has twelve months")
        return self

    def factor(self, unit: Unit) -> int | None:
        """How many base units one of ``unit`` is; None where the item has no such unit."""
        case = 1 if self.base_unit is Unit.CASE else self.units_per_case
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


class ListPrice(Frozen):
    """What a unit of an item costs from a quantity on: a row of ``prices.csv``."""

    sku: Sku
    """The item, by the code of its base unit."""
    price_list: str = ""
    """An account's own list or its group's; empty for everyone."""
    unit: Unit = Unit.CASE
    """What the price is for."""
    min_quantity: Factor = 1
    """From how many of the unit on."""
    mix_group: str = ""
    """Items of one group count together towards the quantity."""
    price: Exact
    """Before tax."""
    currency: Currency
    """What it is in."""
    is_promotion: bool = False
    """Goes before the price list of a group, and not before an account's contract."""
    valid_from: date | None = None
    """First day."""
    valid_to: date | None = None
    """Last day, included."""

    def is_valid_on(self, day: date) -> bool:
        """Whether the price holds on that day, both ends included."""
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
    sku: Sku | None = None
    """The code it is the price of, where the source says it with the price."""
    price_list: str = ""
    unit: Unit
    min_quantity: Factor = 1
    """From how many of the unit on."""
    price: Money
    tax_included: bool
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    """Until then, exclusive."""


class LotStock(Frozen):
    """What is on hand of one production batch, in base units."""

    lot: str
    best_before: date
    quantity: Annotated[int, Field(ge=0)]
    is_blocked: bool = False
    """Quarantined or recalled: never available."""


class Receipt(Frozen):
    """Goods on order from a supplier, in base units."""

    due_on: date
    quantity: Annotated[int, Field(ge=0)]


class StockLevel(Frozen):
    """How much of a product is where, in base units; may be negative at the source."""

    product: EntityRef
    sku: Sku | None = None
    """Our code, where the source says it with the level."""
    location: str
    on_hand: int
    reserved: int = 0
    lots: tuple[LotStock, ...] = ()
    on_order: tuple[Receipt, ...] = ()
    as_of: Instant

    def times(self, factor: int) -> Self:
        """The level in units of which ``factor`` make one of its own: cases in cans."""
        if factor == 1:
            return self
        lots = (lot.model_copy(update={"quantity": lot.quantity * factor}) for lot in self.lots)
        due = (one.model_copy(update={"quantity": one.quantity * factor}) for one in self.on_order)
        counted = {"on_hand": self.on_hand * factor, "reserved": self.reserved * factor}
        return self.model_copy(update=counted | {"lots": tuple(lots), "on_order": tuple(due)})
