"""Who speaks for an item at shops: of all its stock levels one, and of all its prices one.

What a shop offers of an item comes of several entities: levels at places that are one to the shop,
levels of what a mixed case is made of, prices that take turns by date. Two links must not write one
field, so one entity speaks for all of them: the first by name of those there are. It is assessed
again whenever one of the others moves, and its assessment holds what shops are to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fizzbridge.model.assessment import Offered, Priced, RecordAssessment
from fizzbridge.model.catalogue import CatalogueItem, Price, Product, StockLevel
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.units import Unit
from fizzbridge.runtime import rows
from fizzbridge.runtime.books import Claim, claims
from fizzbridge.runtime.comparing import Speakers
from fizzbridge.runtime.loading import Loader
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Row, Table, Value, Write
from fizzbridge.trade.assessing import assess_level
from fizzbridge.trade.availability import available, kept_back
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Sold, mixed_stock

ENDED_AT_ONCE = 40
"""Claims a level lets go of in its transaction; the rest goes with the next level."""


@dataclass(frozen=True)
class Spoken:
    """What comes of one entity's assessment for the others of its item.

    Attributes:
        record: what we make of it.
        writes: rows that are written with it.
        looks: who is to look again.
        due: when it is to be assessed again though nothing moved.
    """

    record: RecordAssessment
    writes: tuple[Write, ...] = ()
    looks: tuple[EntityRef, ...] = ()
    due: datetime | None = None


@dataclass(frozen=True)
class _Known:
    """A stock level as its row in its item's partition has it; what is available may be a debt."""

    ref: EntityRef
    location: str
    available: int
    in_flight: int


class Offering:
    """Assesses stock levels and prices, each beside the others of its item."""

    def __init__(self, table: Table, load: Loader, rules: Rules, now: datetime) -> None:
        self._table = table
        self._load = load
        self._rules = rules
        self._now = now

    # -- stock ---------------------------------------------------------------------------------

    def level(
        self,
        ref: EntityRef,
        level: StockLevel,
        item: str,
        before: str,
        *,
        is_gone: bool = False,
    ) -> Spoken:
        """What of a stock level may be offered; where it speaks for its item, of all of them.

        Args:
            ref: the level.
            level: what its owner says; of one that is gone, that nothing is there.
            item: the code of its item.
            before: the code of the item it was of before.
            is_gone: whether it answers for no claims any more.
        """
        policy = self._rules.bridge.stock
        sold = self._sold(item)
        moved, left = self._moved(ref, before, sold.item.sku if sold else "")
        if sold is None:
            return Spoken(assess_level(level, None, 0, policy, self._now), moved, left)
        factor = sold.item.factor(sold.unit) or 1
        level = level.times(factor)
        pk = rows.stock_pk(sold.item.sku)
        found = self._table.query(pk)
        ended, in_flight, asks = self._claimed(ref, level, found)
        if is_gone:
            ended, in_flight = [], 0
        record = assess_level(level, sold.item, in_flight, policy, self._now)
        raw = available(level, in_flight, sold.item, policy, self._now).raw if policy else 0
        own: dict[str, Value] = {
            "fingerprint": level.fingerprint(),
            "location": level.location,
            "factor": factor,
            "available": raw,
            "in_flight": in_flight,
            "is_gone": is_gone,
            "updated_at": to_text(self._now),
        }
        row = Write(pk, f"{rows.LEVEL}{ref}", set=own, replace=True)
        writes = (row, *moved, *(Write(pk, sk, delete=True) for sk in ended))
        if policy is None:
            return Spoken(record, writes, left)
        mine = _Known(ref, level.location, raw, in_flight)
        offered, flying, looks = self._spoken(mine, sold.item, found)
        record = record.model_copy(update={"offered": offered, "in_flight": flying or in_flight})
        due = self._stale_at(level, sold.item, mine)
        return Spoken(record, writes, tuple(dict.fromkeys((*left, *asks, *looks))), due)

    def _moved(
        self, ref: EntityRef, before: str, now: str
    ) -> tuple[tuple[Write, ...], tuple[EntityRef, ...]]:
        """Take a level out of the partition of the item it was of; another speaks there now."""
        if not before or before == now:
            return (), ()
        pk = rows.stock_pk(before)
        found = _levels(self._table.query(pk, rows.LEVEL))
        if not any(one.ref == ref for one in found):
            return (), ()
        looks = sorted((one.ref for one in found if one.ref != ref), key=str)[:1]
        for mixed in self._rules.catalogue.mixed_of(before, self._now.date()):
            # Whoever speaks for what it goes into has less to speak of.
            listed = {
                one.ref
                for part in mixed.components
                for one in _levels(self._table.query(rows.stock_pk(part.sku), rows.LEVEL))
            }
            looks += sorted(listed - {ref}, key=str)[:1]
        gone = (Write(pk, f"{rows.LEVEL}{ref}", delete=True),)
        return gone, tuple(dict.fromkeys(looks))

    def _claimed(
        self, ref: EntityRef, level: StockLevel, found: Sequence[Row]
    ) -> tuple[list[str], int, tuple[EntityRef, ...]]:
        """Claims that end, the sum of those that stand, and who answers for them in its place.

        Of several levels at a place the first answers for its claims, and one ends when all of them
        were counted later; for those on a place that nobody tells of any more, the first of all.
        """
        gone = {rows.text(row, "sk") for row in found if row.get("is_gone")}
        levels = {
            one.ref: one.location for one in _levels(found) if f"{rows.LEVEL}{one.ref}" not in gone
        } | {ref: level.location}
        here = sorted((one for one, at in levels.items() if at == level.location), key=str)
        is_first = ref == min(levels, key=str)
        ended, in_flight = [], 0
        asks: set[EntityRef] = set()
        for claim in claims(found):
            is_here, is_known = claim.place == level.location, claim.place in levels.values()
            if is_here and here[0] != ref:
                asks.add(here[0])
            elif not (is_here if is_known else is_first):
                continue
            elif claim.is_in(level.as_of) and self._is_counted(claim, here, ref):
                ended.append(claim.sk)
            else:
                in_flight += claim.allotted
        return ended[:ENDED_AT_ONCE], in_flight, tuple(asks)

    def _is_counted(self, claim: Claim, here: Sequence[EntityRef], ref: EntityRef) -> bool:
        """Whether the other levels of a place were counted later than an order was heard of."""
        others = (self._load.view(one) for one in here if one != ref)
        levels = (other.body(Part.RECORD, StockLevel) for other in others)
        return all(claim.is_in(level.as_of) for level in levels if level)

    def _spoken(
        self, mine: _Known, item: CatalogueItem, found: Sequence[Row]
    ) -> tuple[tuple[Offered, ...], int, tuple[EntityRef, ...]]:
        """What this level says for others, the claims in that, and who else is to speak again."""
        before = {one.ref: one for one in _levels(found)}
        listed = {**before, mine.ref: mine}
        offered: list[Offered] = []
        flying = 0
        looks: list[EntityRef] = []

        def speaks(refs: Iterable[EntityRef]) -> bool:
            names = sorted(refs, key=str)
            if mine.ref not in before:
                looks.extend(names)  # who spoke so far may not any more
            elif before[mine.ref] != mine:
                looks.append(names[0])
            return names[0] == mine.ref

        if speaks(listed):
            flying = sum(one.in_flight for one in listed.values())
            offered += [
                Offered(sku=item.sku, location=place, available=self._offered(there, item))
                for place, there in _by_place(listed.values()).items()
            ]
        for mixed in self._rules.catalogue.mixed_of(item.sku, self._now.date()):
            parts = {
                part.sku: listed
                if part.sku == item.sku
                else {one.ref: one for one in _levels(self._table.query(rows.stock_pk(part.sku)))}
                for part in mixed.components
            }
            if speaks({ref for levels in parts.values() for ref in levels}):
                places = {one.location for levels in parts.values() for one in levels.values()}
                offered += [
                    Offered(
                        sku=mixed.sku,
                        location=place,
                        available=mixed_stock(mixed, self._at(place, parts)),
                    )
                    for place in sorted(places)
                ]
        others = tuple(dict.fromkeys(one for one in looks if one != mine.ref))
        return tuple(offered), flying, others

    def _offered(self, there: int, item: CatalogueItem) -> int:
        """What of the stock at one place is offered."""
        policy = self._rules.bridge.stock
        return max(there - (kept_back(there, item, policy) if policy else 0), 0)

    def _at(self, place: str, parts: dict[str, dict[EntityRef, _Known]]) -> dict[str, int]:
        """What is offered of each component at a place."""
        found = {}
        for sku, levels in parts.items():
            there = _by_place(levels.values()).get(place, 0)
            item = self._rules.catalogue.item(sku, self._now.date())
            found[sku] = self._offered(there, item) if item else 0
        return found

    def _stale_at(self, level: StockLevel, item: CatalogueItem, mine: _Known) -> datetime | None:
        """When the level has grown older by as much as makes it less to be trusted."""
        policy = self._rules.bridge.stock
        if policy is None or item.daily_demand is None or not mine.available:
            return None
        step = timedelta(seconds=int(policy.stale_after_hours * 3600))
        passed = max((self._now - level.as_of) // step, 0)
        return level.as_of + step * (passed + 1) + timedelta(seconds=1)

    # -- prices --------------------------------------------------------------------------------

    def price(
        self, ref: EntityRef, record: RecordAssessment, item: str, before: RecordAssessment | None
    ) -> Spoken:
        """What holds of all prices of an item now, where this one speaks for it.

        Args:
            ref: the price.
            record: what we make of it.
            item: the item's partition.
            before: what we made of it the last time.
        """
        speakers = Speakers(self._table, item, self._now).of(rows.OWNED, Kind.PRICE)
        names = sorted({*speakers, ref}, key=str)
        is_news = ref not in speakers or before is None or before.content != record.content
        others: tuple[EntityRef, ...] = ()
        if is_news or (before and before.priced):
            # Who speaks, or did before this one came; who does no more has the next look once more.
            others = tuple(one for one in sorted(speakers, key=str)[:1] if one != ref)
        if names[0] != ref:
            return Spoken(record, (), others)
        listed = [
            (sold, price)
            for one in names
            if (price := self._load.view(one).body(Part.RECORD, Price))
            and (sold := self._sold(self.sku(price) or ""))
            and rows.item_pk(sold.item.sku) == item
        ]
        current: dict[tuple[str, str, int, str, bool], tuple[datetime | None, Priced]] = {}
        for sold, price in listed:
            if not _holds(price, self._now):
                continue
            one = _priced(price, sold)
            market = (one.price.currency, one.tax_included)
            key = (one.unit, one.price_list, one.min_quantity, *market)
            other = current.get(key)
            if other is None or _later(price.valid_from, other[0]):
                current[key] = (price.valid_from, one)
        moments = (moment for _, price in listed for moment in (price.valid_from, price.valid_to))
        due = min((one for one in moments if one and one > self._now), default=None)
        priced = tuple(one for _, (_, one) in sorted(current.items()))
        return Spoken(record.model_copy(update={"priced": priced}), (), others, due)

    def sku(self, record: Price | StockLevel) -> str | None:
        """The code a price or level goes by: its own, or its product's."""
        if record.sku:
            return record.sku
        product = self._load.view(record.product).body(Part.RECORD, Product)
        return product.sku if product else None

    def _sold(self, code: str) -> Sold | None:
        return self._rules.catalogue.sold(code, self._now.date()) if code else None


def _levels(found: Sequence[Row]) -> list[_Known]:
    return [
        _Known(
            EntityRef.parse(rows.text(row, "sk").removeprefix(rows.LEVEL)),
            rows.text(row, "location"),
            rows.number(row, "available"),
            rows.number(row, "in_flight"),
        )
        for row in found
        if rows.text(row, "sk").startswith(rows.LEVEL)
    ]


def _by_place(levels: Iterable[_Known]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in levels:
        found[one.location] = found.get(one.location, 0) + one.available
    return found


def _priced(price: Price, sold: Sold) -> Priced:
    # A price for "each" is for one of what its code stands for.
    return Priced(
        sku=sold.item.sku,
        unit=sold.unit if price.unit is Unit.EACH else price.unit,
        price_list=price.price_list,
        min_quantity=price.min_quantity,
        price=price.price,
        tax_included=price.tax_included,
    )


def _holds(price: Price, now: datetime) -> bool:
    begun = price.valid_from is None or price.valid_from <= now
    return begun and (price.valid_to is None or now < price.valid_to)


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)
