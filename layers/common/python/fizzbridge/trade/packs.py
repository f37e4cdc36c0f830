"""Items and packs: find what a line sells, and count it in base units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.order import DocumentLine
from fizzbridge.model.units import ML_PER_LITRE, ML_PER_US_FL_OZ, Quantity, Unit
from fizzbridge.settings import Limits

EACH_DIGITS = Decimal("0.0001")


@dataclass(frozen=True)
class Sold:
    """An item in the unit a code stands for."""

    item: CatalogueItem
    unit: Unit


@dataclass(frozen=True)
class Counted:
    """One line counted.

    Attributes:
        line_id: the line.
        sold: the item and the unit it is sold in.
        quantity: ordered and base quantity, with the factor between them.
    """

    line_id: str
    sold: Sold
    quantity: Quantity

    @property
    def case_equivalents(self) -> Decimal:
        """Base quantity in cases; an item without a case counts as none."""
        return case_equivalents(self.quantity.base, self.sold.item)

    @property
    def is_layer_or_more(self) -> bool:
        """Whether the line is at least one whole layer."""
        layer = self.sold.item.factor(Unit.LAYER)
        return layer is not None and self.quantity.base >= layer


class Catalogue:
    """The items we sell, found by code."""

    def __init__(self, items: Iterable[CatalogueItem]) -> None:
        self._by_code: dict[str, list[Sold]] = {}
        self._by_gtin: dict[str, list[Sold]] = {}
        self._mixed: dict[str, list[CatalogueItem]] = {}
        for item in items:
            for part in item.components:
                self._mixed.setdefault(part.sku, []).append(item)
            for code, unit in item.sold_as().items():
                self._by_code.setdefault(code, []).append(Sold(item, unit))
            for gtin, unit in ((item.gtin, item.base_unit), (item.case_gtin, Unit.CASE)):
                if gtin:
                    self._by_gtin.setdefault(_gtin14(gtin), []).append(Sold(item, unit))

    def find(self, line: DocumentLine, mapped: str | None, day: date) -> Sold | None:
        """The item a line sells: by mapped code, then GTIN, then the code itself, exact."""
        for found in (
            self._by_code.get(mapped or "", ()),
            self._by_gtin.get(_gtin14(line.gtin), ()) if line.gtin else (),
            self._by_code.get(line.sku or "", ()),
        ):
            for sold in found:
                if sold.item.is_valid_on(day):
                    return sold
        return None

    def item(self, sku: str, day: date) -> CatalogueItem | None:
        """The item of one of our codes, with the pack sizes of a day."""
        found = self.sold(sku, day)
        return found.item if found else None

    def sold(self, code: str, day: date) -> Sold | None:
        """What one of our codes sells: an item, and in which unit."""
        listed = self._by_code.get(code, ())
        return next((sold for sold in listed if sold.item.is_valid_on(day)), None)

    def mixed_of(self, sku: str, day: date) -> list[CatalogueItem]:
        """The mixed cases an item goes into."""
        return [item for item in self._mixed.get(sku, ()) if item.is_valid_on(day)]

    def suggest(self, code: str) -> str | None:
        """A code that differs only in case and signs. It proposes; it never ships."""
        wanted = near(code)
        return next((known for known in self._by_code if near(known) == wanted), None)


def count(line: DocumentLine, sold: Sold) -> Counted:
    """Count a line in base units.

    Raises:
        ValueError: the item has no such unit.
    """
    factor = sold.item.factor(sold.unit)
    if factor is None:
        msg = f"{sold.item.sku} is not packed by the {sold.unit.lower()}"
        raise ValueError(msg)
    quantity = Quantity(
        ordered=line.quantity, unit=sold.unit, factor=factor, base=line.quantity * factor
    )
    return Counted(line.id, sold, quantity)


def split(base: int, item: CatalogueItem) -> dict[Unit, int]:
    """A quantity in whole pallets, layers, cases and what is left, largest first."""
    found = {}
    for unit in (Unit.PALLET, Unit.LAYER, Unit.CASE, item.base_unit):
        number, base = whole(base, unit, item)
        if number:
            found[unit] = number
    return found


def whole(base: int, unit: Unit, item: CatalogueItem) -> tuple[int, int]:
    """Whole units in a quantity and the base units left; none of a unit the item does not have."""
    factor = item.factor(unit)
    return divmod(base, factor) if factor else (0, base)


def case_equivalents(base: int, item: CatalogueItem) -> Decimal:
    """A quantity in cases; an item without a case counts as none."""
    case = item.factor(Unit.CASE)
    return Decimal(base) / case if case else Decimal(0)


def litres(base: int, item: CatalogueItem) -> Decimal:
    """The volume of a quantity.

    Raises:
        ValueError: the item's volume is not known.
    """
    if item.volume_ml is None:
        raise ValueError(f"{item.sku}: volume_ml must be known")
    return item.volume_ml * base / ML_PER_LITRE


def fl_oz(ml: Decimal) -> Decimal:
    """A volume in US fluid ounces."""
    return ml / ML_PER_US_FL_OZ


def each_price(case_price: Decimal, item: CatalogueItem) -> Decimal:
    """The price of one base unit to four digits, for show: never multiplied back."""
    return (case_price / (item.factor(Unit.CASE) or 1)).quantize(EACH_DIGITS, ROUND_HALF_UP)


def mixed_stock(item: CatalogueItem, on_hand: Mapping[str, int]) -> int:
    """How many of a mixed case its components allow; an absent component allows none."""
    return min(
        (max(on_hand.get(part.sku, 0), 0) // part.quantity for part in item.components), default=0
    )


def round_up(
    quantity: Quantity, item: CatalogueItem, multiple: Unit, limits: Limits
) -> Quantity | None:
    """The quantity filled up to a pallet or layer where little of one is missing; None else.

    Args:
        quantity: what was ordered.
        item: whose pack sizes count.
        multiple: the unit the account orders in: CASE, LAYER or PALLET.
        limits: how much may be missing, in percent of the unit.
    """
    for unit, percent in (
        (Unit.PALLET, limits.pallet_missing_percent),
        (Unit.LAYER, limits.layer_missing_percent),
    ):
        size = item.factor(unit)
        if size is None or multiple not in {unit, Unit.LAYER} or size % quantity.factor:
            continue
        missing = -quantity.base % size
        if missing and missing * 100 <= size * percent:
            ordered = quantity.ordered + missing // quantity.factor
            return quantity.model_copy(
                update={"ordered": ordered, "base": ordered * quantity.factor}
            )
    return None


def by_line(counted: Iterable[Counted]) -> Mapping[str, Counted]:
    """Counted lines by line id."""
    return {line.line_id: line for line in counted}


def _gtin14(gtin: str) -> str:
    return gtin.strip().zfill(14)


def near(code: str) -> str:
    """What two spellings of one code have in common: its letters and digits."""
    return "".join(letter for letter in code if letter.isalnum()).casefold()
