"""What a shop is to show of our items: each code in whole units of what the code stands for. Pure.

Our records speak of items in base units and of the owner's places and lists; a shop has codes,
places and lists of its own, and one item may be several of its codes: a can, a case, a pallet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from fizzbridge.model.assessment import Offered, Priced
from fizzbridge.model.base import Frozen
from fizzbridge.model.money import Money
from fizzbridge.trade.availability import publish
from fizzbridge.trade.packs import Catalogue, Sold


class StockOffer(Frozen):
    """How much of a code is offered at a place, in whole units."""

    sku: str
    """Ours, of the item."""
    code: str
    place: str
    """The shop's own; empty where it has but one."""
    quantity: int

    @property
    def name(self) -> str:
        """Tells the offers of an item apart, in words that can be kept."""
        return "\n".join((self.sku, self.code, self.place))


class PriceOffer(Frozen):
    """What one of a code costs from a quantity on.

    There may be one for each currency and way of taxing; the shop takes that which is its own.
    """

    code: str
    price_list: str
    """The shop's own; empty for the price everybody pays."""
    min_quantity: int
    price: Money
    tax_included: bool


@dataclass(frozen=True)
class ShopNames:
    """What a shop calls ours: its maps turned round.

    Attributes:
        skus: its codes, each with ours.
        places: its places, each with the owner's.
        lists: its price lists, each with the owner's.
        standing: the owner's list that everybody pays here; empty for the owner's own such price.
    """

    skus: Mapping[str, str]
    places: Mapping[str, str]
    lists: Mapping[str, str]
    standing: str = ""

    def codes(self, ours: str) -> tuple[str, ...]:
        """The shop's codes for one of ours; ours itself where the map says nothing of it."""
        found = tuple(code for code, one in self.skus.items() if one == ours)
        return found or (() if ours in self.skus else (ours,))

    def place(self, owners: str) -> str | None:
        """The shop's place for the owner's; None where that is not sold from."""
        if not self.places:
            return ""
        return next((name for name, one in self.places.items() if one == owners), None)

    def price_list(self, owners: str) -> str | None:
        """The shop's list for the owner's; None where it has none."""
        if owners == self.standing:
            return ""
        return next((name for name, one in self.lists.items() if one == owners), None)


def units(sku: str, catalogue: Catalogue, day: date) -> Iterable[tuple[str, Sold]]:
    """Our codes for an item, each with the unit it is sold in."""
    item = catalogue.item(sku, day)
    for code, unit in item.sold_as().items() if item else ():
        if item:
            yield code, Sold(item, unit)


def stock(
    offered: Iterable[Offered], names: ShopNames, catalogue: Catalogue, day: date
) -> tuple[StockOffer, ...]:
    """Stock by the shop's code and place; owner's places that are one to the shop are added up."""
    sums: dict[tuple[str, str], int] = {}
    for one in offered:
        place = names.place(one.location)
        if place is not None:
            key = (one.sku, place)
            sums[key] = sums.get(key, 0) + one.available
    found = [
        StockOffer(sku=sku, code=code, place=place, quantity=publish(base, sold.item, sold.unit))
        for (sku, place), base in sums.items()
        for ours, sold in units(sku, catalogue, day)
        for code in names.codes(ours)
    ]
    return tuple(sorted(found, key=lambda one: (one.code, one.place)))


def withdrawn(now: Iterable[StockOffer], shown: Iterable[str]) -> tuple[StockOffer, ...]:
    """What a shop was told of and is not offered there any more: none of it."""
    gone = (one.split("\n") for one in sorted(set(shown) - {one.name for one in now}))
    return tuple(
        StockOffer(sku=sku, code=code, place=place, quantity=0) for sku, code, place in gone
    )


def prices(
    priced: Iterable[Priced], names: ShopNames, catalogue: Catalogue, day: date
) -> tuple[PriceOffer, ...]:
    """Prices by the shop's code and list; none is reckoned from that of another unit."""
    found = [
        PriceOffer(
            code=code,
            price_list=listed,
            min_quantity=one.min_quantity,
            price=one.price,
            tax_included=one.tax_included,
        )
        for one in priced
        if (listed := names.price_list(one.price_list)) is not None
        for ours, sold in units(one.sku, catalogue, day)
        if sold.unit == one.unit
        for code in names.codes(ours)
    ]
    return tuple(sorted(found, key=_in_order))


def _in_order(one: PriceOffer) -> tuple[str, str, int, str, bool]:
    return (one.code, one.price_list, one.min_quantity, one.price.currency, one.tax_included)
