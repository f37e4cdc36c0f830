"""Compare: what others tell of products, prices and stock, against the word of their owner.

A shop's product and the owner's are two entities that share a code. Each leaves a row in the
partition of that item, so that either finds the other; a change of the owner's makes what was told
of it be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from fizzbridge.model.assessment import Comparison, Difference, RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.units import Unit
from fizzbridge.runtime import rows
from fizzbridge.runtime.correcting import correct, let_be
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Absent, Equals, Row, Table, Value, Write
from fizzbridge.trade import comparing
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Sold

CORRECTED = "corrected"
"""Attribute of a link: what was written over of what its target told otherwise."""


@dataclass(frozen=True)
class Joined:
    """What comes of somebody's speaking of an item.

    Attributes:
        item: the item's partition.
        writes: rows that make the speaker found.
        looks: who is to be assessed again.
        is_new: whether the speaker was not there before.
    """

    item: str
    writes: tuple[Write, ...]
    looks: tuple[EntityRef, ...]
    is_new: bool = False


class Comparing:
    """Finds and keeps who speaks of the same item."""

    def __init__(self, table: Table, load: Loader, rules: Rules, now: datetime) -> None:
        self._table = table
        self._load = load
        self._rules = rules
        self._now = now

    def sku(self, record: Frozen) -> str | None:
        """The code a product, price or level goes by; None for what has none."""
        if isinstance(record, Product):
            return record.sku
        if not isinstance(record, Price | StockLevel):
            return None
        if record.sku:
            return record.sku
        product = self._load.view(record.product)
        found = product.body(Part.RECORD, Product) or product.body(Part.TOLD, Product)
        return found.sku if found else None

    def owned(self, ref: EntityRef, record: Frozen, before: str) -> Joined:
        """The owner's word joins those who speak of the item, and is listened to.

        Args:
            ref: the owner's entity.
            record: what it says.
            before: the item it was known under.
        """
        sku = self.sku(record)
        waits = self._waits(ref, record)
        if sku is None:
            return Joined(before, waits, self.listeners(ref, before))
        item = self._item(sku)
        speakers = Speakers(self._table, item, self._now)
        told = [one for one in speakers.of(rows.TOLD, ref.kind) if one != ref]
        left = self._left(ref, before) if before not in {"", item} else Joined(before, (), ())
        writes = speakers.joined_by(rows.OWNED, ref) + left.writes + waits
        looks = dict.fromkeys((*told, *left.looks, *self._waiting(ref, record)))
        return Joined(item, writes, tuple(looks))

    def _left(self, ref: EntityRef, item: str) -> Joined:
        """Who goes by another code leaves those who speak of the item; the first of them speaks."""
        speakers = Speakers(self._table, item, self._now)
        others = sorted((one for one in speakers.of(rows.OWNED, ref.kind) if one != ref), key=str)
        looks = (*self.listeners(ref, item), *others[:1])
        return Joined(item, speakers.left_by(rows.OWNED, ref), looks)

    def listeners(self, ref: EntityRef, item: str) -> tuple[EntityRef, ...]:
        """Who told of the kind of thing the owner speaks of, under an item."""
        if not item:
            return ()
        told = Speakers(self._table, item, self._now).of(rows.TOLD, ref.kind)
        return tuple(one for one in told if one != ref)

    def _waits(self, ref: EntityRef, record: Frozen) -> tuple[Write, ...]:
        """A price or level without a code of its own hears whenever its product has another."""
        if not isinstance(record, Price | StockLevel) or record.sku:
            return ()
        when = to_text(self._now)
        return (Write(str(record.product), f"{rows.WAITS}{ref}", set={"updated_at": when}),)

    def _waiting(self, ref: EntityRef, record: Frozen) -> tuple[EntityRef, ...]:
        if not isinstance(record, Product):
            return ()
        found = self._table.query(str(ref), rows.WAITS)
        return tuple(
            EntityRef.parse(rows.text(row, "sk").removeprefix(rows.WAITS)) for row in found
        )

    def told(
        self, ref: EntityRef, record: Frozen, observed_at: str
    ) -> tuple[RecordAssessment, Joined]:
        """The assessment of the word of one who does not own it.

        Args:
            ref: the teller's entity.
            record: what was told.
            observed_at: when. What we have written there since is not in it.
        """
        content = record.fingerprint()
        code = self.sku(record)
        waits = self._waits(ref, record)
        if code is None:
            return RecordAssessment(content=content), Joined("", waits, ())
        maps = IdMaps(self._table, ref.connection)
        ours = maps.get("sku", code) or code
        speakers = Speakers(self._table, self._item(ours), self._now)
        owned = speakers.of(rows.OWNED, ref.kind)
        if isinstance(record, Price) and record.price_list:
            ours_list = maps.get("pricelist", record.price_list) or record.price_list
            record = record.model_copy(update={"price_list": ours_list})
        place = maps.get("location", record.location) if isinstance(record, StockLevel) else None
        link = self._shown(owned, ref.connection)
        is_old = link is not None and not _is_after(observed_at, link)
        is_silent = is_old or is_withdrawn(self._load, record)
        found = [] if is_silent else list(self._differences(record, ours, owned, place))
        joins = speakers.joined_by(rows.TOLD, ref)
        noted = rows.words(link or {}, CORRECTED)
        # What it begins to sell is shown at once; what it shows otherwise, where that is wanted.
        is_due = bool(joins)
        if link and not is_silent and self._is_corrected(ref):
            most = self._rules.bridge.limits.corrections_a_day
            noted, is_wrong = correct(noted, ref.key, found, self._now.date(), most)
            is_due = is_due or is_wrong
        unholdable = let_be(noted, ref.key)
        differences = tuple(
            one.model_copy(update={"is_unholdable": one.field in unholdable}) for one in found
        )
        comparison = Comparison(
            owner=owned[0] if owned else None,
            sku=code,
            differences=differences,
            unholdable=unholdable,
        )
        shown = self._shown_again(ref, link, noted, is_due=is_due) if link else ()
        joined = Joined(
            self._item(ours),
            joins + shown + waits,
            self._waiting(ref, record),
            is_new=bool(joins),
        )
        return RecordAssessment(content=content, comparison=comparison), joined

    def _is_corrected(self, ref: EntityRef) -> bool:
        return self._rules.bridge.connection(ref.connection).drift == "correct"

    def _shown(self, owned: Iterable[EntityRef], connection: str) -> Row | None:
        """The link by which the owner's word goes to the teller; None where it does not."""
        speaker = min(owned, key=str, default=None)
        if speaker is None:
            return None
        return self._table.get(str(speaker), rows.link_sk(connection))

    def _shown_again(
        self, ref: EntityRef, link: Row, noted: list[str], *, is_due: bool
    ) -> tuple[Write, ...]:
        """One write of the link by which the owner's word goes to the teller, if any is needed."""
        change: dict[str, Value] = {}
        if noted != rows.words(link, CORRECTED):
            change[CORRECTED] = noted
        speaker = rows.text(link, "pk")
        if is_due:
            token = rows.token(str(ref), to_text(self._now))
            want = rows.want(EntityRef.parse(speaker), ref.connection, token, self._now)
            return (replace(want, set={**want.set, **change}, remove=("stamp",)),)
        return (Write(speaker, rows.text(link, "sk"), set=change),) if change else ()

    def _differences(
        self, told: Frozen, code: str, owned: Iterable[EntityRef], place: str | None
    ) -> Iterable[Difference]:
        views = [self._load.view(ref) for ref in owned]
        records = [
            (one, stored.body)
            for one in views
            if (stored := one.parts.get(Part.RECORD))
            and stored.body
            and self._is_of(stored.body, code)
        ]
        sold = self._sold(code)
        if isinstance(told, Product):
            for _, body in records:
                if isinstance(body, Product):
                    same = body.sku == code
                    return comparing.products(told, body, is_same_unit=same)
        if isinstance(told, Price):
            unit = sold.unit if sold else told.unit
            theirs = [self._in_its_unit(body) for _, body in records if isinstance(body, Price)]
            return comparing.prices(told, unit, theirs, self._now)
        if isinstance(told, StockLevel):
            assessed = [
                one.body(Part.ASSESSMENT, RecordAssessment)
                for one, body in records
                if isinstance(body, StockLevel) and place in {None, body.location}
            ]
            factor = sold.item.factor(sold.unit) if sold else None
            available = [one.available if one else None for one in assessed]
            return comparing.levels(told, factor or 1, available)
        return []

    def _in_its_unit(self, price: Price) -> Price:
        """A price for "each" is for one of what its code stands for."""
        sold = self._sold(self.sku(price) or "") if price.unit is Unit.EACH else None
        return price.model_copy(update={"unit": sold.unit}) if sold else price

    def _sold(self, code: str) -> Sold | None:
        return self._rules.catalogue.sold(code, self._now.date())

    def _item(self, code: str) -> str:
        """An item's partition: one for all the codes it is sold under."""
        sold = self._sold(code)
        return rows.item_pk(sold.item.sku if sold else code)

    def _is_of(self, record: Frozen, code: str) -> bool:
        """Whether an owner's entity still goes by the code it was once found under."""
        sku = self.sku(record)
        return sku is not None and self._item(sku) == self._item(code)


def _is_after(observed_at: str, link: Row) -> bool:
    """Whether something was told after all that was to be written there had been."""
    is_in_step = rows.text(link, "wanted") == rows.text(link, "synced")
    return is_in_step and observed_at > rows.text(link, "updated_at")


def is_withdrawn(load: Loader, record: Frozen) -> bool:
    """Whether a price or level is of a product its teller no longer has."""
    if not isinstance(record, Price | StockLevel):
        return False
    told = load.view(record.product).parts.get(Part.TOLD)
    return told is not None and told.body is None


class Speakers:
    """Who speaks of one item."""

    def __init__(self, table: Table, pk: str, now: datetime) -> None:
        self._pk = pk
        self._now = now
        self._found = {rows.text(row, "sk"): row for row in table.query(pk)}

    def of(self, role: str, kind: Kind) -> list[EntityRef]:
        """Entities of a kind that speak as ``OWNED#`` or ``TOLD#``."""
        prefix = f"{role}{kind}#"
        return [
            EntityRef.parse(sk.removeprefix(role)) for sk in self._found if sk.startswith(prefix)
        ]

    def joined_by(self, role: str, ref: EntityRef) -> tuple[Write, ...]:
        """Rows that add a speaker, in turns: of two who join at once the later sees the other."""
        sk = f"{role}{ref}"
        if sk in self._found:
            return ()
        return self._in_turn(Write(self._pk, sk, set={"updated_at": to_text(self._now)}))

    def left_by(self, role: str, ref: EntityRef) -> tuple[Write, ...]:
        """Rows that take a speaker away, in turns with those who join."""
        sk = f"{role}{ref}"
        if sk not in self._found:
            return ()
        return self._in_turn(Write(self._pk, sk, delete=True))

    def _in_turn(self, change: Write) -> tuple[Write, ...]:
        turn = rows.number(self._found.get(rows.TURN_SK, {}), "turn")
        same = Equals("turn", turn) if turn else Absent("turn")
        return (change, Write(self._pk, rows.TURN_SK, set={"turn": turn + 1}, when=same))
