"""Conservation of state: every link that should be there is, and is where it may be.

A link is synced, held, parked, paused, or behind for less than ``late_after``. What is behind
stands in an index, and what stands there too long is *late*. The index is what brings lost hints
back, so it is not believed: entities are read as they are, some each hour and all of them within a
day, and what is behind without being listed, held without a hold, or routed without a link is
*unaccounted*. Nothing would ever bring it back.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from fizzbridge.errors import DependencyNotReadyError
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import CHILD_KINDS, LEVEL_KINDS, EntityRef, Kind, Part
from fizzbridge.runtime import breaker, rows
from fizzbridge.runtime.assess import is_own
from fizzbridge.runtime.loading import Loader
from fizzbridge.settings import Bridge
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import Row, Table

HOURS = 24
"""Within so many runs everything is looked at once."""

FRESH_DAYS = 2
"""Orders of today and yesterday are looked at in every run: most of what moves is theirs."""

LISTED_AT_MOST = 500
"""Links that are late, of each partition of the index: more of them say nothing more."""

_NO_NEWS = ("deleted", "loud_as_of", rows.ERASED)
"""Attributes of parts whose content may be another than what was assessed: gone, a stock level
counted again and found the same, blanked."""


@dataclass(frozen=True)
class Found:
    """A link, or an entity, that is not where it may be.

    Attributes:
        connection: whose link it is; of a link to ourselves, whose entity.
        entity: the entity.
        why: in a word or two, for people.
        since: since when, where anything says so.
    """

    connection: str
    entity: str
    why: str
    since: str = ""


@dataclass
class Census:
    """What a run has found.

    Attributes:
        late: links behind for too long.
        unaccounted: what nothing would ever bring back.
        looked_at: how many entities were read.
        is_whole: whether all was looked at that was to be.
    """

    late: list[Found] = field(default_factory=list)
    unaccounted: list[Found] = field(default_factory=list)
    looked_at: int = 0
    is_whole: bool = True

    def counts(self, what: Literal["late", "unaccounted"]) -> Counter[str]:
        """How many, by connection."""
        found: list[Found] = getattr(self, what)
        return Counter(one.connection for one in found)


class Enumerator:
    """Goes through the links of one bridge."""

    def __init__(
        self,
        table: Table,
        objects: Objects,
        connections: Iterable[str],
        now: Callable[[], datetime],
        late_after: timedelta,
        days: int,
    ) -> None:
        """Look at nothing yet.

        Args:
            table: The state table.
            objects: Bodies too large for it.
            connections: Names of all connections.
            now: The clock.
            late_after: How long a link may be behind.
            days: Orders placed in so many days are looked at.
        """
        self._table = table
        self._objects = objects
        self._names = list(connections)
        self._now = now
        self._late_after = late_after
        self._days = days
        self._load = Loader(table, objects)

    @classmethod
    def of(
        cls, bridge: Bridge, table: Table, objects: Objects, now: Callable[[], datetime]
    ) -> Enumerator:
        """One for a bridge, by its settings."""
        names = [one.name for one in bridge.connections]
        late_after = timedelta(seconds=bridge.timing.late_after)
        return cls(table, objects, names, now, late_after, bridge.limits.recheck_days)

    def run(self, seconds: float) -> Census:
        """Look at all that is listed as behind, and at this hour's share of the entities.

        Args:
            seconds: so long entities are read; what is left then is left to later runs.
        """
        census = Census(late=list(self.late()))
        begun = self._now()
        ends = begun + timedelta(seconds=seconds)
        listed = list(self.share(begun))
        # Each hour in another order: what there is no time for now has its turn in another run.
        random.Random(int(begun.timestamp() // 3600)).shuffle(listed)  # noqa: S311  no secret
        for ref in listed:
            if self._now() > ends:
                census.is_whole = False
                break
            for one in self.family(ref):
                census.unaccounted += self.look(one)
                census.looked_at += 1
        return census

    # -- what is listed ------------------------------------------------------------------------

    def late(self, at_most: int = LISTED_AT_MOST) -> Iterator[Found]:
        """Links that are behind for too long, by the index and by their own word."""
        due = to_text(self._now() - self._late_after)
        for name in (rows.ASSESS, *self._names):
            if self.is_paused(name):
                continue
            for shard in rows.shards(name):
                for pk, sk in self._table.index("behind", shard, up_to=due, limit=at_most):
                    row = self._table.get(pk, sk) or {}
                    ref = EntityRef.parse(pk)
                    since = rows.text(row, "due" if sk == rows.DUE_SK else "behind_since")
                    is_late = "behind_shard" in row and since <= due
                    if is_late and not self._waits_for_its_order(ref, name, row):
                        of = ref.connection if name == rows.ASSESS else name
                        why = rows.text(row, "reason") or f"behind at {name}"
                        yield Found(of, str(ref), why, since)

    def is_paused(self, name: str) -> bool:
        """Whether a person has paused the connection."""
        return breaker.read(self._table, name).pause is not None

    def _waits_for_its_order(self, ref: EntityRef, name: str, row: Row) -> bool:
        """Whether it is a document of an order that is held or parked there: as the order is."""
        if ref.kind not in CHILD_KINDS or row.get("reason") != DependencyNotReadyError.code:
            return False
        order = self._load.with_parent(ref).parent
        link = self._load.links(order.ref).get(name, {}) if order else {}
        return rows.text(link, "status") in {"held", "parked"}

    # -- what is there -------------------------------------------------------------------------

    def share(self, now: datetime) -> Iterator[EntityRef]:
        """This hour's share: orders of the last days, and a part of all else that is known."""
        turn = int(now.timestamp() // 3600) % HOURS
        for day in range(self._days):
            if day < FRESH_DAYS or day % HOURS == turn:
                yield from self.placed(now - timedelta(days=day))
        yield from self.known(turn)

    def everything(self, now: datetime) -> Iterator[EntityRef]:
        """All of the last days, and all else that is known."""
        for day in range(self._days):
            yield from self.placed(now - timedelta(days=day))
        yield from self.known()

    def placed(self, day: datetime) -> Iterator[EntityRef]:
        """Orders placed on a day, everywhere."""
        for name in self._names:
            yield from self._listed(rows.placed_pk(name, day))

    def known(self, turn: int | None = None) -> Iterator[EntityRef]:
        """Customers and what is sold: of one turn, or all."""
        for name in self._names:
            for pk in (rows.sold_pk(name), rows.known_pk(name)):
                yield from list(self._listed(pk))[turn :: 1 if turn is None else HOURS]

    def _listed(self, pk: str) -> Iterator[EntityRef]:
        return (EntityRef.parse(rows.text(row, "sk")) for row in self._table.query(pk))

    def family(self, ref: EntityRef) -> Iterator[EntityRef]:
        """An entity, and an order's documents with it."""
        yield ref
        if ref.kind is Kind.ORDER:
            yield from map(_child, self._table.query(str(ref), "CHILD#"))

    def look(self, ref: EntityRef) -> list[Found]:
        """What of an entity is unaccounted for; a transaction may be read in halves, but not twice.

        Raises:
            ObjectsUnavailableError: the bucket does not answer.
        """
        first = self._unaccounted(ref)
        if not first:
            return []
        again = self._unaccounted(ref)
        return [one for one in again if one in first]

    def _unaccounted(self, ref: EntityRef) -> list[Found]:
        found = self._table.query(str(ref))
        parts = {rows.text(row, "sk"): row for row in found if _is(row, "PART#")}
        links = {
            rows.text(row, "sk").removeprefix("LINK#"): row for row in found if _is(row, "LINK#")
        }
        holds = [row for row in found if _is(row, "HOLD#") and "cause" in row]
        assess = links.pop(rows.ASSESS, {})
        made = parts.get(rows.part_sk(Part.ASSESSMENT))
        body = rows.stored_part(made, ref, self._objects).body if made else None
        wrong = [(ref.connection, why) for why in _at_assess(ref, parts, assess, body)]
        for target in getattr(body, "targets", ()):
            if target not in links:
                wrong.append((target, "routed there and without a link"))
        for target, link in links.items():
            wrong += [(target, why) for why in _at_target(target, link, holds)]
        return [Found(connection, str(ref), why) for connection, why in wrong]


def _at_assess(
    ref: EntityRef, parts: Mapping[str, Row], assess: Row, made: Frozen | None
) -> Iterable[str]:
    """What is wrong with how an entity was assessed, if it is not listed to be.

    Args:
        ref: the entity.
        parts: its parts, as they are stored.
        assess: its link to ourselves.
        made: its assessment.
    """
    told = set(parts) - {rows.part_sk(Part.ASSESSMENT)}
    if told and not assess:
        return ["told of and never to be assessed"]
    if "behind_shard" in assess:
        return []
    if rows.text(assess, "wanted") != rows.text(assess, "synced"):
        return ["to be assessed and not listed as behind"]
    part = Part.REQUEST if ref.kind is Kind.ORDER else Part.RECORD
    stored = parts.get(rows.part_sk(part))
    if stored is None or any(stored.get(name) for name in _NO_NEWS):
        return []
    if made is None:
        return ["never assessed"]
    is_same = getattr(made, "content", "") == rows.text(stored, "fingerprint")
    # A level or price may be assessed in other units than it was told in.
    return [] if is_same or ref.kind in LEVEL_KINDS else ["assessed as it was, not as it is"]


def _at_target(target: str, link: Row, holds: Sequence[Row]) -> Iterable[str]:
    """What is wrong with a link to a target, if it is not behind: that is for the index to say."""
    if "behind_shard" in link:
        return []
    status = rows.text(link, "status")
    if status == "held":
        blocks = any(
            hold.get("blocks") == "export"
            and (is_own(rows.text(hold, "sk")) or _is(hold, f"HOLD#{target}#"))
            for hold in holds
        )
        return [] if blocks else ["held without a hold"]
    if status == "parked":
        # What a person has given up is listed no more.
        is_listed = link.get("cause") == rows.waiting_cause(target, "parked")
        return [] if is_listed or link.get("discarded") else ["parked and not listed"]
    if rows.text(link, "wanted") != rows.text(link, "synced"):
        return ["behind and not listed as behind"]
    return []


def _is(row: Row, prefix: str) -> bool:
    return rows.text(row, "sk").startswith(prefix)


def _child(row: Row) -> EntityRef:
    return EntityRef.parse(rows.text(row, "sk").removeprefix("CHILD#"))
