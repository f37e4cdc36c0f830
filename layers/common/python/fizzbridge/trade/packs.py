"""Items and packs: find what a line sells, and count it in base units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.order import DocumentLine
from fizzbridge.model.units import Quantity, Unit
from fizzbridge.settings import Limits


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
        case = self.sold.item.units_per_case
        return Decimal(self.quantity.base) / case if case else Decimal(0)

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
        for item in items:
            for code, unit in item.sold_as().items():
                self._by_code.setdefault(code, []).append(Sold(item, unit))
            if item.gtin:
                self._by_gtin.setdefault(_gtin14(item.gtin), []).append(Sold(item, item.base_unit))

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
        for sold in self._by_code.get(sku, ()):
            if sold.item.is_valid_on(day):
                return sold.item
        return None

    def suggest(self, code: str) -> str | None:
        """A code that differs only in case and space. It proposes; it never ships."""
        wanted = _normal(code)
        return next((known for known in self._by_code if _normal(known) == wanted), None)


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


def _normal(code: str) -> str:
    return "".join(code.split()).casefold()
