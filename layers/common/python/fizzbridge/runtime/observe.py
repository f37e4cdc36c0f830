"""Observe: merge what a platform told us into the part it belongs to.

Newer wins, older is ignored, equal is a no-op. One transaction writes the part, tells assess, and
for a child document tells its order, so nothing is left to remember after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Invoice, Return, Shipment
from fizzbridge.model.entity import (
    CHILD_KINDS,
    LEVEL_KINDS,
    EntityRef,
    Kind,
    Part,
    Role,
    owner_role,
)
from fizzbridge.model.privacy import scrub
from fizzbridge.model.version import SEED, Clock, ReadTime, Sequence, Timestamp
from fizzbridge.observation import Seen
from fizzbridge.runtime import rows
from fizzbridge.runtime.rows import ERASED
from fizzbridge.settings import Bridge
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import (
    AllOf,
    ConditionFailedError,
    Equals,
    NoRow,
    Row,
    Table,
    TableUnavailableError,
    Write,
)

MERGE_TRIES = 8
"""Each lost race means another delivery of the same part was merged; more of them is a storm."""


class Merge(StrEnum):
    """What became of something a platform told us."""

    MERGED = "merged"
    EQUAL = "equal"
    OLDER = "older"
    TIED = "tied"
    """Equal clock, different content: only a fetch can tell which is right."""
    IGNORED = "ignored"
    """A seed of something we know, or the word of one who does not own it and is not compared."""


@dataclass(frozen=True)
class Circumstances:
    """How something was told.

    Attributes:
        observed_at: when the delivery came in, or when the read began.
        is_authoritative: whether it was read from the platform, not told by it.
        can_fetch: whether a tie may be settled by a fetch.
        correlation_id: follows the delivery through logs and events.
        source: what told us, for the timeline: a topic, ``poll orders``.
    """

    observed_at: datetime
    is_authoritative: bool
    can_fetch: bool = True
    correlation_id: str = ""
    source: str = ""


def version_of(seen: Seen, clock: Clock, observed_at: datetime) -> str:
    """The version of what was seen, by the platform's clock."""
    if seen.changed is None:
        return SEED
    if isinstance(clock, ReadTime):
        return clock.version(observed_at)
    if isinstance(clock, Sequence) and isinstance(seen.changed, int):
        return clock.version(seen.changed)
    if isinstance(clock, Timestamp) and isinstance(seen.changed, datetime):
        return clock.version(seen.changed)
    msg = f"{type(clock).__name__} cannot read {type(seen.changed).__name__}"
    raise TypeError(msg)


def judge(stored: Row | None, version: str, fingerprint: str, how: Circumstances) -> Merge:
    """Decide what wins. Pure; MERGED means: write it."""
    if stored is None:
        return Merge.MERGED
    if version == SEED:
        return Merge.IGNORED
    begun_later = how.is_authoritative and to_text(how.observed_at) > rows.text(
        stored, "observed_at"
    )
    if stored.get("deleted") and fingerprint:
        # Only a read begun after we learned of the deletion may bring the entity back.
        if begun_later:
            return Merge.MERGED
        return Merge.TIED if version > rows.text(stored, "version") else Merge.OLDER
    if version != rows.text(stored, "version"):
        return Merge.MERGED if version > rows.text(stored, "version") else Merge.OLDER
    if fingerprint == rows.text(stored, "fingerprint"):
        return Merge.EQUAL
    if begun_later:
        return Merge.MERGED
    if how.can_fetch:
        return Merge.TIED
    # With no fetch to ask, any rule will do that ends alike in every order of arrival.
    return Merge.MERGED if fingerprint > rows.text(stored, "fingerprint") else Merge.OLDER


class Observer:
    """Merges what one bridge's connections tell."""

    def __init__(
        self, table: Table, objects: Objects, bridge: Bridge, now: Callable[[], datetime]
    ) -> None:
        self._table = table
        self._objects = objects
        self._bridge = bridge
        self._now = now

    def observe(self, connection: str, seen: Seen, clock: Clock, how: Circumstances) -> Merge:
        """Merge one part.

        Raises:
            TableUnavailableError: it is unknown whether the part was written.
        """
        if self._is_echo(seen):
            return Merge.IGNORED
        if not self._is_owned(connection, seen):
            if not self._is_compared(seen):
                return Merge.IGNORED
            seen = replace(seen, part=Part.TOLD)
        version = version_of(seen, clock, how.observed_at)
        told = seen
        # An ERP speaks of the object it holds, which may not be the last we made of the order.
        is_own = seen.ref.connection == connection
        of = seen.ref.external_id if is_own and seen.part is Part.PROCESSING else ""
        for _ in range(MERGE_TRIES):
            named = self._named(connection, told)
            if named is None:
                return Merge.IGNORED
            seen, unnamed = named
            stored = self._table.get(str(seen.ref), rows.part_sk(seen.part))
            if seen.body and stored and stored.get(ERASED):
                seen = replace(seen, body=scrub(seen.body))
            fingerprint = seen.body.fingerprint() if seen.body else ""
            verdict = judge(stored, version, fingerprint, how)
            if verdict is not Merge.MERGED:
                self._note(connection, seen, verdict, how)
                return verdict
            if stored and self._is_only_younger(seen, stored):
                verdict = Merge.EQUAL
                writes = [self._younger(connection, seen, version, stored, how)]
            else:
                writes = self._writes(connection, seen, version, stored, how, of) + unnamed
            try:
                self._table.transact(writes)
            except ConditionFailedError:
                continue  # someone merged meanwhile, or our own write's reply was lost: judge anew
            return verdict
        msg = f"{seen.ref}: lost {MERGE_TRIES} races"
        raise TableUnavailableError(msg)

    def enquire(self, connection: str, customer: EntityRef, how: Circumstances) -> None:
        """Note that a person asks what is known of them."""
        asked = {"asked_at": to_text(how.observed_at), "cause": rows.OPEN_ENQUIRIES}
        also = {"by": connection, "correlation_id": how.correlation_id}
        self._table.write(Write(str(customer), rows.ENQUIRY_SK, set=asked | also))

    def _named(self, connection: str, seen: Seen) -> tuple[Seen, list[Write]] | None:
        """What an ERP says of an order it holds for us, under our name of that order.

        Where it holds none of ours by that id, what it says is kept under its own name until a
        worker links the two; the check sees to it that no link is made meanwhile. None for the
        state of an object that another has taken the place of.
        """
        if Role.ORDER_REQUEST in self._bridge.connection(connection).roles:
            return seen, []
        seen = replace(seen, body=self._in_our_codes(connection, seen.body))
        name = seen.ref if seen.part is Part.PROCESSING else seen.parent
        if name is None or name.connection != connection:
            return seen, []
        ours = rows.ours(self._table, name)
        if ours is None:
            pk = rows.external_pk(connection, name.kind, name.external_id)
            return seen, [Write(pk, rows.EXTERNAL_SK, when=NoRow())]
        if seen.part is not Part.PROCESSING:
            return replace(seen, parent=ours), []
        link = self._table.get(str(ours), rows.link_sk(connection)) or {}
        is_former = rows.text(link, "external_id") not in {"", name.external_id}
        return None if is_former else (replace(seen, ref=ours), [])

    def _in_our_codes(self, connection: str, body: Frozen | None) -> Frozen | None:
        """Lines that name goods by the connection's code only, by ours."""
        if not isinstance(body, Shipment | Return | Invoice):
            return body
        if all(getattr(line, "order_line_id", "") or not line.sku for line in body.lines):
            return body
        found = self._table.query(rows.map_pk(connection, "sku"))
        codes = {rows.text(row, "mapped"): rows.text(row, "sk") for row in reversed(found)}
        # Some systems keep codes in capitals and without blanks around, however they are mapped.
        folded = {_folded(mapped): sku for mapped, sku in codes.items()} | codes
        lines = (
            line.model_copy(
                update={"sku": folded.get(line.sku) or folded.get(_folded(line.sku), line.sku)}
            )
            if line.sku
            else line
            for line in body.lines
        )
        return body.model_copy(update={"lines": tuple(lines)})

    def _is_owned(self, connection: str, seen: Seen) -> bool:
        """Seeds are welcome from anyone; everything else only from the part's owner."""
        if seen.changed is None or _is_erasure(connection, seen):
            return True
        return owner_role(seen.ref.kind, seen.part) in self._bridge.connection(connection).roles

    def _is_only_younger(self, seen: Seen, stored: Row) -> bool:
        """Whether a stock level was read again and is as it was.

        A poll of thousands of levels would otherwise write each of them every time; one that is
        about to count as old is written, and so is one that changed by a reservation.
        """
        policy, level = self._bridge.stock, seen.body
        if policy is None or not isinstance(level, StockLevel):
            return False
        before = rows.stored_part(stored, seen.ref, self._objects).body
        if not isinstance(before, StockLevel):
            return False
        loud = rows.text(stored, "loud_as_of")
        since = from_text(loud) if loud else before.as_of
        enough = timedelta(minutes=int(policy.stale_after_hours * 30))  # half of it
        is_same = before.model_copy(update={"as_of": level.as_of}) == level
        return is_same and level.as_of - since < enough and not self._is_claimed(seen.ref)

    def _is_claimed(self, level: EntityRef) -> bool:
        """Whether orders claim of it what a level read later may show."""
        row = self._table.get(str(level), rows.part_sk(Part.ASSESSMENT))
        found = rows.stored_part(row, level, self._objects).body if row else None
        return isinstance(found, RecordAssessment) and found.in_flight > 0

    def _younger(
        self, connection: str, seen: Seen, version: str, stored: Row, how: Circumstances
    ) -> Write:
        """Note that the level still is what it was, without telling anybody."""
        before = rows.stored_part(stored, seen.ref, self._objects).body
        loud = rows.text(stored, "loud_as_of")
        if isinstance(before, StockLevel) and not loud:
            loud = to_text(before.as_of)
        part = rows.part_row(
            seen.body,
            version=version,
            connection=connection,
            observed_at=how.observed_at,
            objects=self._objects,
            correlation_id=how.correlation_id,
            loud_as_of=loud,
        )
        same = AllOf(*(Equals(name, stored[name]) for name in ("version", "fingerprint")))
        return Write(str(seen.ref), rows.part_sk(seen.part), set=part, replace=True, when=same)

    def _is_echo(self, seen: Seen) -> bool:
        """Whether a document is one we made ourselves: its own entity is another's.

        The mark on it counts at once; the way back is written only when its create was answered.
        """
        if seen.ref.kind not in CHILD_KINDS or seen.part is not Part.RECORD:
            return False
        maker, is_marked, _ = seen.reference.partition("/")
        if is_marked and any(one.name == maker for one in self._bridge.connections):
            return True
        is_target = any(seen.ref.connection in route.targets for route in self._bridge.routes)
        return is_target and rows.ours(self._table, seen.ref) is not None

    def _is_compared(self, seen: Seen) -> bool:
        """Whether somebody else owns it, whose word this one is to be held against."""
        return seen.ref.kind in LEVEL_KINDS and self.has_owner(seen.ref.kind)

    def is_host(self, connection: str, host: str) -> bool:
        """Whether a connection is to that shop."""
        known = self._bridge.connection(connection)
        return host in {urlsplit(known.base_url).hostname, known.settings.get("shop")}

    @property
    def compares(self) -> bool:
        """Whether anything a shop tells of products, prices and stock is of use."""
        return any(map(self.has_owner, LEVEL_KINDS))

    def has_owner(self, kind: Kind) -> bool:
        """Whether any connection owns the records of a kind."""
        role = owner_role(kind, Part.RECORD)
        return any(role in connection.roles for connection in self._bridge.connections)

    def _writes(
        self,
        connection: str,
        seen: Seen,
        version: str,
        stored: Row | None,
        how: Circumstances,
        of: str,
    ) -> list[Write]:
        now = self._now()
        part = rows.part_row(
            seen.body,
            version=version,
            connection=connection,
            observed_at=how.observed_at,
            objects=self._objects,
            correlation_id=how.correlation_id,
        )
        if _is_erasure(connection, seen) or (stored and stored.get(ERASED)):
            part[ERASED] = True
        if seen.part is Part.PROCESSING and of:
            part["of"] = of
        unchanged = (
            AllOf(*(Equals(name, stored[name]) for name in ("version", "fingerprint")))
            if stored
            else NoRow()
        )
        sk = rows.part_sk(seen.part)
        moved = rows.token(sk, version, str(part["fingerprint"]), to_text(how.observed_at))
        writes = [
            Write(str(seen.ref), sk, set=part, replace=True, when=unchanged),
            self._want_assessed(seen.ref, moved, now, how),
            self._line(connection, seen, Merge.MERGED, how),
        ]
        if seen.ref.kind is Kind.CUSTOMER and stored is None:
            known = rows.known_pk(seen.ref.connection)
            writes.append(Write(known, str(seen.ref), set={"kind": str(seen.ref.kind)}))
        if seen.ref.kind in LEVEL_KINDS and seen.part is Part.RECORD and stored is None:
            sold = rows.sold_pk(seen.ref.connection)
            writes.append(Write(sold, str(seen.ref), set={"kind": str(seen.ref.kind)}))
        if seen.ref.kind in CHILD_KINDS:
            writes += self._bereft(seen, stored, moved, how)
        if seen.parent:
            relation: Write = Write(
                str(seen.parent),
                rows.child_sk(seen.ref),
                set={"kind": str(seen.ref.kind), "key": seen.ref.key},
                replace=True,
            )
            told = rows.token(str(seen.ref), moved)
            writes += [relation, self._want_assessed(seen.parent, told, now, how)]
        return writes

    def _bereft(
        self, seen: Seen, stored: Row | None, moved: str, how: Circumstances
    ) -> list[Write]:
        """An order whose document is gone, or is another's now, hears of it."""
        body = rows.stored_part(stored, seen.ref, self._objects).body if stored else None
        name = getattr(body, "order", None)
        if not isinstance(name, EntityRef):
            return []
        order = rows.ours(self._table, name) or name
        if seen.parent == order or (seen.body and seen.parent is None):
            return []
        told = self._want_assessed(order, rows.token(str(seen.ref), moved), self._now(), how)
        if seen.body is None:
            return [told]
        return [told, Write(str(order), rows.child_sk(seen.ref), set={"has_moved": True})]

    @staticmethod
    def _want_assessed(ref: EntityRef, wanted: str, now: datetime, how: Circumstances) -> Write:
        return rows.want(ref, rows.ASSESS, wanted, now, correlation_id=how.correlation_id)

    def _note(self, connection: str, seen: Seen, verdict: Merge, how: Circumstances) -> None:
        """Show a delivery that changed nothing on the timeline; a seed says nothing new."""
        if seen.changed is not None and seen.ref.kind is Kind.ORDER:
            self._table.write(self._line(connection, seen, verdict, how))

    def _line(self, connection: str, seen: Seen, verdict: Merge, how: Circumstances) -> Write:
        ref = seen.parent or seen.ref
        unique = rows.token(connection, str(seen.ref), how.correlation_id, how.source)[:12]
        return rows.timeline(
            ref,
            how.observed_at,
            unique,
            "delivery",
            {
                "connection": connection,
                "entity": str(seen.ref),
                "source": how.source,
                "outcome": str(verdict),
                "correlation_id": how.correlation_id,
            }.items(),
        )


def _folded(code: str) -> str:
    return code.strip().casefold()


def _is_erasure(connection: str, seen: Seen) -> bool:
    """Whoever told us of a person may have that person erased."""
    is_own = seen.ref.connection == connection
    return is_own and isinstance(seen.body, Customer) and seen.body.is_erased
