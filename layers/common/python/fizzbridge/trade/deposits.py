"""Container deposits: which scheme holds for a container, and what it charges.

A deposit is money held for a container: a line of its own, never part of the goods' price. The
place of delivery decides, and the rate of the tax point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.money import to_minor_unit, written
from fizzbridge.model.order import TaxShare
from fizzbridge.model.scheme import Measure, Scheme, SchemeKind, TaxMode
from fizzbridge.model.units import Unit
from fizzbridge.model.working import Working
from fizzbridge.trade import taxes as tax_rules
from fizzbridge.trade.packs import Counted

WHOLE_CASES = frozenset({Unit.CASE, Unit.CRATE, Unit.LAYER, Unit.PALLET})


@dataclass(frozen=True)
class Place:
    """Where goods are delivered: a country, its region as ISO 3166-2 has it, a city."""

    country: str | None
    region: str = ""
    city: str = ""


@dataclass(frozen=True)
class Charge:
    """What a scheme charges for a line.

    Attributes:
        scheme: the rate.
        count: containers or crates; 1 where the rate is by volume.
        amount: in the document's currency, positive.
        working: how it came about.
    """

    scheme: Scheme
    count: int
    amount: Decimal
    working: Working


class MissingFactsError(ValueError):
    """A scheme cannot be judged without these facts; nothing is guessed.

    Attributes:
        fields: columns of the catalogue, or what of the place of delivery is missing.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(dict.fromkeys(fields))
        super().__init__(f"{', '.join(self.fields)} must be known")


def in_force(schemes: Iterable[Scheme], place: Place, day: date) -> tuple[Scheme, ...]:
    """The rates valid on a day where goods are delivered.

    Raises:
        MissingFactsError: a scheme goes by region or city and the place names none.
    """
    valid = [one for one in schemes if one.is_valid_on(day)]
    if place.country is None:
        if valid:
            raise MissingFactsError(["delivery country"])
        return ()
    found, missing = [], []
    for scheme in valid:
        if place.country not in scheme.countries:
            continue
        if scheme.regions and not place.region:
            missing.append("delivery region")
        elif scheme.regions and place.region not in scheme.regions:
            continue
        elif scheme.cities and not place.city:
            missing.append("delivery city")
        elif not scheme.cities or place.city.strip().casefold() in {
            city.casefold() for city in scheme.cities
        }:
            found.append(scheme)
    if missing:
        raise MissingFactsError(missing)
    return tuple(found)


def applies(scheme: Scheme, item: CatalogueItem) -> bool:
    """Whether an item's container, or its crate for a rate per crate, is in a scheme's scope.

    A fact that excludes the item decides; only where none does is a missing one asked for.

    Raises:
        MissingFactsError: it depends on a fact the catalogue does not have.
    """
    if not scheme.containers and not item.is_drink:
        return False
    found = list(_tests(scheme, item))
    if any(fact is not None and not is_met for _, fact, is_met in found):
        return False
    missing = [name for name, fact, _ in found if fact is None]
    if missing:
        raise MissingFactsError(missing)
    return True


def _tests(scheme: Scheme, item: CatalogueItem) -> Iterator[tuple[str, object, bool]]:
    """Each limit of the scope: the column it looks at, its fact, and whether that meets it."""
    if scheme.is_refillable is not None:
        yield "refillable", item.is_refillable, item.is_refillable is scheme.is_refillable
    if scheme.containers:
        yield from _named(scheme, item)
    if scheme.materials:
        yield "material", item.material, item.material in scheme.materials
    if scheme.has_added_sugar is not None:
        is_met = item.has_added_sugar is scheme.has_added_sugar
        yield "has_added_sugar", item.has_added_sugar, is_met
    yield from _within("volume_ml", item.volume_ml, scheme.min_ml, scheme.max_ml)
    yield from _within("volume_ml", item.volume_ml, scheme.above_ml, scheme.below_ml, strict=True)
    yield from _within("sugar_g_per_100ml", item.sugar_g_per_100ml, scheme.min_sugar_g, None)
    sugar = scheme.below_sugar_g
    yield from _within("sugar_g_per_100ml", item.sugar_g_per_100ml, None, sugar, strict=True)
    milk = scheme.below_milk_percent
    yield from _within("milk_percent", item.milk_percent, None, milk, strict=True)
    yield from _within("abv_percent", item.abv_percent, None, scheme.max_abv_percent)


def _named(scheme: Scheme, item: CatalogueItem) -> Iterator[tuple[str, object, bool]]:
    if scheme.per is Measure.CRATE:
        # No crate named is an answer: most cases are not returnable.
        yield "crate", item.crate, item.crate in scheme.containers
    else:
        # A drink nobody called one-way may be in a scheme of refillable bottles.
        is_unknown = item.is_refillable is None and scheme.is_refillable and item.is_drink
        is_open = not item.container and (item.is_refillable or is_unknown)
        yield "container", None if is_open else item.container, item.container in scheme.containers


def _within(
    name: str,
    fact: Decimal | None,
    low: Decimal | None,
    high: Decimal | None,
    *,
    strict: bool = False,
) -> Iterator[tuple[str, object, bool]]:
    if low is None and high is None:
        return
    value = fact or Decimal(0)
    if strict:
        is_met = (low is None or value > low) and (high is None or value < high)
    else:
        is_met = (low is None or value >= low) and (high is None or value <= high)
    yield name, fact, is_met


def charges(counted: Counted, schemes: Sequence[Scheme], currency: str) -> list[Charge]:
    """The deposits of one line: for each container, and for each crate that goes out whole.

    Raises:
        MissingFactsError: the catalogue lacks what a scheme goes by.
        ValueError: two schemes claim one container, or a scheme is in another currency.
    """
    found = []
    for per in (Measure.CONTAINER, Measure.CRATE):
        fitting = [
            one
            for one in schemes
            if one.kind is SchemeKind.DEPOSIT and one.per is per and applies(one, counted.sold.item)
        ]
        if len(fitting) > 1:
            names = " and ".join(one.name for one in fitting)
            raise ValueError(f"two deposits hold for one {per}: {names}")
        found += [charge_for(one, _count(one, counted), counted, currency) for one in fitting]
    return [charge for charge in found if charge.count]


def _count(scheme: Scheme, counted: Counted) -> int:
    if scheme.per is Measure.CONTAINER:
        return counted.quantity.base
    case = counted.sold.item.factor(Unit.CASE)
    is_whole = counted.quantity.unit in WHOLE_CASES
    return counted.quantity.base // case if case and is_whole else 0


def charge_for(scheme: Scheme, count: int, counted: Counted, currency: str) -> Charge:
    """What a rate comes to for a number of pieces.

    Raises:
        ValueError: the scheme is in another currency than the document.
    """
    amount = priced(scheme, count, currency)
    working = Working(
        rule=scheme.kind.lower(),
        line=counted.line_id,
        text=f"{count} × {written(scheme.amount, currency)} {currency} for a {scheme.per}",
        amount=amount,
        source=scheme.name,
        valid_from=scheme.valid_from,
    )
    return Charge(scheme, count, amount, working)


def priced(scheme: Scheme, count: Decimal | int, currency: str) -> Decimal:
    """A rate times a quantity, rounded to the minor unit.

    Raises:
        ValueError: the scheme is in another currency than the document.
    """
    if scheme.currency != currency:
        raise ValueError(f"{scheme.name} is in {scheme.currency}, the document in {currency}")
    return to_minor_unit(scheme.amount * count, currency)


def taxes(
    scheme: Scheme, amount: Decimal, goods: Iterable[TaxShare], currency: str, *, included: bool
) -> tuple[TaxShare, ...]:
    """The taxes an amount of a scheme bears: none, those of the goods, or its own."""
    if scheme.tax_mode is TaxMode.FOLLOWS_GOODS:
        return tax_rules.shares(amount, goods, currency, included=included)
    if scheme.tax_rate is None:
        return ()
    own = TaxShare(title=scheme.name, rate=scheme.tax_rate, amount=Decimal(0))
    return tax_rules.shares(amount, [own], currency, included=included)
