"""Assess: a converge with ourselves as the target.

The one place where trade rules and routing happen. In one transaction it writes what we make of the
entity, the holds, and for each target what it should now hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Price, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import CHILD_KINDS, LEVEL_KINDS, EntityRef, Kind, Part, Role
from fizzbridge.model.order import Hold, HoldReason, OrderAssessment, OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.model.version import Sequence
from fizzbridge.runtime import rows
from fizzbridge.runtime.books import ContendedError, OrderBooks, movements
from fizzbridge.runtime.comparing import Comparing
from fizzbridge.runtime.erase import erase_document, erase_orders
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Lease, acquire, release
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.offering import Offering, Spoken
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import (
    Absent,
    AllOf,
    ConditionFailedError,
    Equals,
    NoRow,
    Row,
    Table,
    Value,
    Write,
)
from fizzbridge.trade.assessing import (
    OrderFacts,
    assess_order,
    assess_record,
    route,
)
from fizzbridge.trade.books import Rules

ROUNDS = 3
"""How often a run goes round when something moves under it; the sweeper finishes the rest."""

HOLDS_AT_ONCE = 25
"""Rows of holds an order has open. One transaction may close them all and open as many; the rest
is in the assessment, and opened when one of these is released."""

TOLD_AT_ONCE = 20
"""Others that are told in the transaction to look again; few entities have more, and the rest is
told right after it."""

RELEASED_AT_ONCE = 100
"""How many waiting orders one run releases: it assesses each of them in the function's time."""

ORDER_SCOPE = "order"
_REVISION = Sequence()


class Assessed(StrEnum):
    """How a run ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    BUSY = "busy"
    """Another run holds the lease, or things kept moving; the link stays behind."""


@dataclass(frozen=True)
class _Result:
    assessment: Frozen
    holds: tuple[Hold, ...]
    targets: tuple[str, ...]
    also: tuple[Write, ...] = ()
    """Rows about its surroundings that are written with it."""
    looks: tuple[EntityRef, ...] = ()
    """Entities that are to be assessed again because of it."""
    due: datetime | None = None
    """When it is to be assessed again though nothing moved."""


class Assessor:
    """Assesses the entities of one bridge."""

    def __init__(
        self,
        table: Table,
        objects: Objects,
        rules: Rules,
        now: Callable[[], datetime],
    ) -> None:
        self._table = table
        self._objects = objects
        self._rules = rules
        self._bridge = rules.bridge
        self._now = now
        self._load = Loader(table, objects)

    def run(self, ref: EntityRef, holder: str) -> Assessed:
        """Bring the assessment of an entity up to what is known of it."""
        sk = rows.link_sk(rows.ASSESS)
        lease = acquire(self._table, str(ref), sk, holder, self._bridge.timing.lease, self._now())
        if not isinstance(lease, Lease):
            return Assessed.BUSY
        row = lease.row
        if left := rows.words(row, "tell"):
            token = rows.token(str(ref), to_text(self._now()))
            named = (EntityRef.parse(one) for one in left[1:])
            cause = rows.text(row, "correlation_id")
            looks = [
                rows.want(one, rows.ASSESS, token, self._now(), correlation_id=cause)
                for one in named
            ]
            self._tell(lease, left, looks)
        for _ in range(ROUNDS):
            if rows.text(row, "wanted") == rows.text(row, "synced") and not self._is_due(ref):
                if self._rests(lease, rows.text(row, "wanted")):
                    return Assessed.UNCHANGED
                row = self._table.get(str(ref), sk) or {}
                continue
            if self._assess(ref, lease, row):
                return Assessed.DONE
            row = self._table.get(str(ref), sk) or {}
        release(self._table, lease)
        return Assessed.BUSY

    def _is_due(self, ref: EntityRef) -> bool:
        """Whether time alone has changed what we make of it: an old level, a price that begins."""
        if ref.kind not in LEVEL_KINDS:
            return False
        due = rows.text(self._table.get(str(ref), rows.DUE_SK) or {}, "due")
        return bool(due) and due <= to_text(self._now())

    def _due(self, ref: EntityRef, due: datetime | None) -> list[Write]:
        """Have the sweeper send a hint at that time; it finds it among what is behind."""
        if due is None:
            is_there = ref.kind in LEVEL_KINDS and self._table.get(str(ref), rows.DUE_SK)
            return [Write(str(ref), rows.DUE_SK, delete=True)] if is_there else []
        since = due - timedelta(seconds=self._bridge.timing.resync_after)
        said: dict[str, Value] = {
            "due": to_text(due),
            "behind_shard": rows.shard(ref, rows.ASSESS),
            "behind_since": to_text(since),
        }
        return [Write(str(ref), rows.DUE_SK, set=said, replace=True)]

    def _rests(self, lease: Lease, wanted: str) -> bool:
        """Let go of a link that has nothing to do; what it wants may have been there and back."""
        same = Equals("wanted", wanted) if wanted else Absent("wanted")
        rest = Write(
            lease.pk,
            lease.sk,
            remove=["behind_shard", "behind_since", *LEASE_ATTRIBUTES],
            when=AllOf(lease.held, same),
        )
        try:
            self._table.write(rest)
        except ConditionFailedError:
            return False
        return True

    def release_holds(self, cause: str, event_id: str, holder: str) -> bool:
        """Something appeared that orders were held for: assess them, and so release them.

        Returns:
            Whether more may be waiting: as many as one run takes were there, and it was of use.
        """
        waiting = [
            (EntityRef.parse(pk), sk)
            for pk, sk in self._table.index("cause", cause, limit=RELEASED_AT_ONCE)
            if sk.startswith("HOLD#")
        ]
        released = 0
        for ref, sk in waiting:
            self._release(ref, sk, cause, event_id)
            self.run(ref, holder)
            released += "cause" not in (self._table.get(str(ref), sk) or {})
        return len(waiting) == RELEASED_AT_ONCE and released > 0

    def _release(self, ref: EntityRef, sk: str, cause: str, event_id: str) -> None:
        """Have an order assessed; a target's hold ends here, since only the target can judge it.

        Our own ends in the transaction that writes the assessment made without its reason: between
        the two nothing could keep a worker from exporting what is not counted yet.
        """
        now = self._now()
        again = rows.want(ref, rows.ASSESS, rows.token(sk, event_id, to_text(now)), now)
        if is_own(sk):
            self._table.write(again)
            return
        released = Write(
            str(ref),
            sk,
            set={"released_at": to_text(now), "released_cause": cause, "by": "map"},
            remove=["cause"],
            when=Equals("cause", cause),
        )
        try:
            self._table.transact([released, again])
        except ConditionFailedError:
            return  # released by someone else meanwhile

    def _assess(self, ref: EntityRef, lease: Lease, row: Row) -> bool:
        """One round; False where something moved and it must be done again."""
        view = self._load.view(ref)
        every = self._load.holds(ref)
        holds = {sk: hold for sk, hold in every.items() if "cause" in hold}
        current = {sk: hold for sk, hold in holds.items() if _still_means(view, hold)}
        waived = frozenset(
            sk.removeprefix(f"HOLD#{ORDER_SCOPE}#")
            for sk, hold in every.items()
            if hold.get("waived") and hold["waived"] == _content(view)
        )
        try:
            result = self._result(view, current, waived)
        except ContendedError:
            return False
        is_held = bool(result and result.holds) or any(not is_own(sk) for sk in current)
        listed = "held" if is_held else "differs" if result and _differs(result) else ""
        rest: list[Write] = []
        writes: list[Write] = []
        if result:
            writes += self._part(view, result.assessment, row)
            writes += self._holds(ref, result.holds, holds, current)
            writes += self._links(view, result, current, rows.text(row, "correlation_id"))
            looks = self._looks(view, result, row)
            others = [one for one in looks if one.pk != str(ref)]
            writes += others[:TOLD_AT_ONCE]
            rest = others[TOLD_AT_ONCE:] + [one for one in looks if one.pk == str(ref)]
            writes += result.also
            writes += self._due(ref, result.due)
            writes += self._lookups(view, result.assessment)
        # Whose list it is, so that a late run takes away none but its own.
        tell = [str(lease.fence), *(one.pk for one in rest)] if rest else []
        writes.append(self._synced(ref, lease, row, listed, tell))
        try:
            self._table.transact(writes)
        except ConditionFailedError:
            return False
        if rest:
            self._tell(lease, tell, rest)
        return True

    def _tell(self, lease: Lease, listed: list[str], looks: list[Write]) -> None:
        """Have those look again who did not fit in the transaction; until then the link is behind.

        Whoever holds the link next begins with what a run that died has left.
        """
        for look in looks:
            self._table.write(look)
        told = Write(lease.pk, lease.sk, remove=["tell"], when=Equals("tell", listed))
        with suppress(ConditionFailedError):
            self._table.write(told)

    def _result(self, view: View, holds: dict[str, Row], waived: frozenset[str]) -> _Result | None:
        if view.ref.kind is Kind.ORDER:
            return self._order(view, holds, waived)
        compare = Comparing(self._table, self._load, self._rules, self._now())
        stored = view.parts.get(Part.RECORD)
        told = view.parts.get(Part.TOLD)
        if stored is None and told and told.body:
            compared, joined = compare.told(view.ref, told.body, told.observed_at)
            # Whoever joins looks once more: an owner may have spoken meanwhile.
            looks = (*joined.looks, *([view.ref] if joined.is_new else ()))
            return _Result(compared, (), (), joined.writes, looks)
        if stored is None:
            return None
        if stored.body is None:
            return self._gone(view, compare)
        if isinstance(stored.body, Customer) and stored.body.is_erased:
            erase_orders(self._table, self._objects, view.ref, self._now())
        before = view.body(Part.ASSESSMENT, RecordAssessment)
        found = compare.owned(view.ref, stored.body, before.item if before else "")
        spoken = self._spoken(view, stored.body, found.item, before)
        targets = self._targets(view, spoken.record)
        record = spoken.record.model_copy(update={"targets": targets, "item": found.item})
        writes, looks = spoken.writes + found.writes, spoken.looks + found.looks
        return _Result(record, (), targets, writes, looks, spoken.due)

    def _spoken(
        self, view: View, body: Frozen, item: str, before: RecordAssessment | None
    ) -> Spoken:
        """What we make of a record; a level or a price may speak for others of its item."""
        offering = Offering(self._table, self._load, self._rules, self._now())
        if isinstance(body, StockLevel):
            known = before.item.partition("#")[2] if before else ""
            return offering.level(view.ref, body, offering.sku(body) or "", known)
        record = assess_record(body, self._bridge.connection(view.ref.connection))
        if isinstance(body, Price) and item:
            return offering.price(view.ref, record, item, before)
        return Spoken(record)

    def _gone(self, view: View, compare: Comparing) -> _Result | None:
        """What its owner took back: documents go from targets, others compare with nothing."""
        before = view.body(Part.ASSESSMENT, RecordAssessment)
        if before is None or view.ref.kind not in CHILD_KINDS | LEVEL_KINDS:
            return None
        left = RecordAssessment(content="", order=before.order, item=before.item)
        spoken = Spoken(left)
        if before.item and view.ref.kind in {Kind.STOCK_LEVEL, Kind.PRICE}:
            spoken = self._taken_back(view.ref, left, before)
        targets = self._targets(view, left) if view.ref.kind in LEVEL_KINDS else ()
        record = spoken.record.model_copy(update={"item": before.item, "targets": targets})
        looks = spoken.looks + compare.listeners(view.ref, before.item)
        return _Result(record, (), targets, spoken.writes, looks, spoken.due)

    def _taken_back(
        self, ref: EntityRef, left: RecordAssessment, before: RecordAssessment
    ) -> Spoken:
        """A level or price that is gone may have spoken for its item, and goes on to."""
        offering = Offering(self._table, self._load, self._rules, self._now())
        if ref.kind is Kind.PRICE:
            return offering.price(ref, left, before.item, before)
        code = before.item.partition("#")[2]
        known = self._table.get(rows.stock_pk(code), f"{rows.LEVEL}{ref}") or {}
        nothing = StockLevel(
            product=EntityRef(kind=Kind.PRODUCT, key=ref.key),
            location=rows.text(known, "location"),
            on_hand=0,
            as_of=self._now(),
        )
        spoken = offering.level(ref, nothing, code, code, is_gone=True)
        return replace(spoken, record=spoken.record.model_copy(update={"content": ""}))

    def _targets(self, view: View, record: RecordAssessment) -> tuple[str, ...]:
        """Where a record goes; a document of an order only where the order is."""
        source = view.ref.connection
        order = self._load.order(record.order) if record.order else None
        if order is None:
            routed = route(view.ref.kind, source, record, self._bridge)
            # A link once made stays routed: only an order is cancelled where it no longer goes.
            return tuple(dict.fromkeys((*routed, *self._load.links(view.ref))))
        request = order.parts.get(Part.REQUEST)
        if request and request.is_erased:
            erase_document(self._table, self._objects, view.ref, self._now())
        if order.assessment is None:
            return ()  # the order tells its documents when it is assessed
        there = {*order.assessment.targets, order.ref.connection}
        routed = route(view.ref.kind, source, order.assessment, self._bridge)
        return tuple(target for target in routed if target in there)

    def _order(self, view: View, holds: dict[str, Row], waived: frozenset[str]) -> _Result | None:
        source = self._bridge.connection(view.ref.connection)
        facts = OrderFacts(
            request=view.request,
            content=_content(view),
            processing=self._processing(view),
            previous=view.assessment,
            documents=view.documents,
            held_at_targets=_target_holds(holds),
            waived=waived,
        )
        books = OrderBooks(
            self._table,
            self._load,
            self._rules,
            view.ref,
            view.request,
            facts.processing,
            self._now(),
            is_new=view.assessment is None or view.assessment.content != _content(view),
        )
        order = assess_order(facts, source, self._rules, books)
        if order is None:
            return None
        # Rows of the order's own, the same however often they are written: not in the transaction,
        # which holds no more than a hundred.
        books.enter_empties(movements(order, facts.documents))
        books.enter_lots(facts.documents)
        if self._bridge.stock:
            is_out = order.state in {OrderState.RELEASED, OrderState.CLOSED}
            has_left = is_out or any(facts.documents.shipped().values())
            books.give_up(has_left=has_left)
        targets = route(Kind.ORDER, source.name, order, self._bridge) + self._back(view.ref, order)
        own = tuple(hold for hold in order.holds if hold not in facts.held_at_targets)
        also = tuple(books.writes(order, facts.documents))
        return _Result(order.model_copy(update={"targets": targets}), own, targets, also)

    def _back(self, ref: EntityRef, order: OrderAssessment) -> tuple[str, ...]:
        """The order's own shop, where a route takes there what an ERP says of orders."""
        erps = [one.name for one in self._bridge.connections if Role.ORDER_PROCESSING in one.roles]
        there = {target for erp in erps for target in route(Kind.ORDER, erp, order, self._bridge)}
        return (ref.connection,) if ref.connection in there else ()

    def _processing(self, view: View) -> OrderProcessing | None:
        """What the ERP says of the object it holds; one that we took away says nothing new."""
        stored = view.parts.get(Part.PROCESSING)
        link = self._load.links(view.ref).get(stored.connection) if stored else None
        if stored and stored.of and link:
            gone = rows.text(link, "stamp") == rows.GONE
            # Where the order is no more to be, its end is our own doing.
            has_left = view.assessment and stored.connection not in view.assessment.targets
            if gone or has_left or rows.text(link, "external_id") != stored.of:
                return None
        return view.body(Part.PROCESSING, OrderProcessing)

    def _synced(
        self, ref: EntityRef, lease: Lease, row: Row, listed: str, tell: list[str]
    ) -> Write:
        wanted = rows.text(row, "wanted")
        known: dict[str, Value] = {"synced": wanted, "updated_at": to_text(self._now())}
        known |= {"tell": tell} if tell else {}
        if listed:
            # The cause only lists it: people ask which orders wait, and what differs.
            status = {"status": listed, "cause": rows.waiting_cause(rows.ASSESS, listed)}
        else:
            status = {"status": "synced"}
        behind = [] if tell else ["behind_shard", "behind_since"]
        gone = [*behind, *LEASE_ATTRIBUTES]
        return Write(
            str(ref),
            rows.link_sk(rows.ASSESS),
            set=known | status,
            remove=gone if listed else [*gone, "cause"],
            when=AllOf(lease.held, Equals("wanted", wanted)),
        )

    def _part(self, view: View, assessment: Frozen, row: Row) -> list[Write]:
        stored = view.parts.get(Part.ASSESSMENT)
        if stored and stored.fingerprint == assessment.fingerprint():
            return []
        revision = int(stored.version[1:]) + 1 if stored else 1
        held = {rows.HELD: count} if (count := _times_held(stored, assessment)) else {}
        attributes = rows.part_row(
            assessment,
            version=_REVISION.version(revision),
            connection=view.ref.connection,
            observed_at=self._now(),
            objects=self._objects,
            correlation_id=rows.text(row, "correlation_id"),
            **_value(assessment),
            **held,
        )
        unchanged = Equals("version", stored.version) if stored else NoRow()
        sk = rows.part_sk(Part.ASSESSMENT)
        return [Write(str(view.ref), sk, set=attributes, replace=True, when=unchanged)]

    def _holds(
        self,
        ref: EntityRef,
        wanted: tuple[Hold, ...],
        found: dict[str, Row],
        current: dict[str, Row],
    ) -> list[Write]:
        """Open the holds that are new, release those whose reason is gone."""
        now = to_text(self._now())
        # Several lines may hold for one reason, each with a cause of its own: one row each.
        keys = {f"{rows.hold_sk(ORDER_SCOPE, hold.reason)}#{hold.cause}": hold for hold in wanted}
        kept = sum(sk in keys for sk in found)
        new = [sk for sk in keys if sk not in found][: HOLDS_AT_ONCE - kept]
        opened = [
            Write(
                str(ref),
                sk,
                set={
                    "cause": keys[sk].cause,
                    "message": keys[sk].message,
                    "blocks": "release" if keys[sk].reason in _BLOCK_RELEASE else "export",
                    "opened_at": now,
                    "by": "assess",
                },
                replace=True,
            )
            for sk in new
        ]
        closed = [
            Write(
                str(ref),
                sk,
                set={"released_at": now, "released_cause": rows.text(row, "cause")},
                remove=["cause"],
            )
            for sk, row in found.items()
            if (sk not in keys if is_own(sk) else sk not in current)
        ]
        return opened + closed

    def _links(
        self, view: View, result: _Result, holds: Mapping[str, Row], correlation_id: str
    ) -> list[Write]:
        """Tell every target that should hold the entity, or ever did, what it should hold now."""
        now = self._now()
        links = self._load.links(view.ref)
        parts = [
            stored.fingerprint
            for part, stored in sorted(view.parts.items())
            if part in {Part.REQUEST, Part.RECORD}
        ]
        # What was paid and given back is part of what a ledger holds of an order.
        parts += [
            f"{child.ref} {stored.fingerprint}"
            for child in view.children
            if child.ref.kind in {Kind.PAYMENT, Kind.REFUND}
            and (stored := child.parts.get(Part.RECORD))
        ]
        done = view.parts.get(Part.PROCESSING)
        writes = []
        for target in dict.fromkeys((*result.targets, *links)):
            # What the ERP says of an order is news to all but the ERP.
            said = [done.fingerprint] if done and target != done.connection else []
            is_routed = str(target in result.targets)
            # A hold that was released is a reason to try again.
            held = sorted(sk for sk in holds if sk.startswith(f"HOLD#{target}#"))
            wanted = rows.token(*parts, *said, *held, result.assessment.fingerprint(), is_routed)
            if rows.text(links.get(target, {}), "wanted") != wanted:
                was_urgent = rows.is_urgent(links.get(target, {}), target)
                urgent = was_urgent or _was_sold(view, result.assessment)
                write = rows.want(
                    view.ref,
                    target,
                    wanted,
                    now,
                    urgent=urgent,
                    attempts=0,
                    correlation_id=correlation_id,
                )
                is_parked = rows.text(links.get(target, {}), "status") in {"parked", "held"}
                # New content deserves a new try; the worker holds or parks it again if it must.
                writes.append(_with_status(write, "behind") if is_parked else write)
        return writes

    def _looks(self, view: View, result: _Result, row: Row) -> list[Write]:
        """Those who are to look again: an order's documents, once it goes by other conditions."""
        looks = list(result.looks)
        now = result.assessment
        if isinstance(now, OrderAssessment):
            before = view.assessment
            if before is None or _conditions(before) != _conditions(now):
                looks += [child.ref for child in view.children]
        token = rows.token(str(view.ref), rows.text(row, "wanted"), now.fingerprint())
        cause = rows.text(row, "correlation_id")
        return [
            rows.want(one, rows.ASSESS, token, self._now(), correlation_id=cause)
            for one in dict.fromkeys(looks)
        ]

    @staticmethod
    def _lookups(view: View, assessment: Frozen) -> list[Write]:
        """Rows that let people and tools find orders by number, by day and by customer."""
        if not isinstance(assessment, OrderAssessment) or view.request is None:
            return []
        ref = view.ref
        if view.assessment and view.assessment.content == assessment.content:
            return []
        people = filter(None, (view.request.customer, view.request.ordered_by))
        return [
            Write(rows.number_pk(assessment.number), str(ref), set={"kind": "Order"}),
            *(Write(rows.buyer_pk(one), str(ref), set={"kind": "Order"}) for one in people),
            Write(
                rows.placed_pk(ref.connection, assessment.placed_at),
                str(ref),
                set={"kind": "Order", "placed_at": to_text(assessment.placed_at)},
            ),
        ]


_BLOCK_RELEASE = frozenset({HoldReason.CREDIT, HoldReason.STOCK})


def _conditions(order: OrderAssessment) -> tuple[object, ...]:
    """What routes of documents go by."""
    way = (order.order_class, order.channel, order.ship_country, order.currency)
    return (frozenset(order.targets), *way)


def _times_held(stored: StoredPart | None, now: Frozen) -> int:
    """How often an order was held so far: holding it again is told again."""
    if not isinstance(now, OrderAssessment):
        return 0
    before = stored.body if stored else None
    holds = before.holds if isinstance(before, OrderAssessment) else ()
    is_more = bool({hold.cause for hold in now.holds} - {hold.cause for hold in holds})
    return (stored.held if stored else 0) + is_more


def _was_sold(view: View, now: Frozen) -> bool:
    """Whether less may be offered of something because orders took it: shops are to know first."""
    before = view.body(Part.ASSESSMENT, RecordAssessment)
    known = before.in_flight if before else 0
    return isinstance(now, RecordAssessment) and now.in_flight > known


def _value(assessment: Frozen) -> dict[str, Value]:
    """What an order is worth, beside its body: whoever counts need not read that."""
    if not isinstance(assessment, OrderAssessment):
        return {}
    return {"gross": str(assessment.totals.gross), "currency": assessment.currency}


def _differs(result: _Result) -> bool:
    found = result.assessment
    compared = found.comparison if isinstance(found, RecordAssessment) else None
    return compared is not None and bool(compared.differences)


def _target_holds(found: dict[str, Row]) -> tuple[Hold, ...]:
    return tuple(
        Hold(
            reason=HoldReason(sk.split("#")[2]),
            message=rows.text(row, "message"),
            cause=rows.text(row, "cause"),
        )
        for sk, row in sorted(found.items())
        if not is_own(sk)
    )


def is_own(sk: str) -> bool:
    """Whether a hold is the order's own and not one target's."""
    return sk.startswith(f"HOLD#{ORDER_SCOPE}#")


def _still_means(view: View, hold: Row) -> bool:
    """A target's hold is about the content it refused; changed content deserves a new try."""
    return "content" not in hold or _content(view) == hold["content"]


def _content(view: View) -> str:
    """Fingerprint of what the buyer asked for."""
    request = view.parts.get(Part.REQUEST)
    return request.fingerprint if request else ""


def _with_status(write: Write, status: str) -> Write:
    absent = {name: value for name, value in write.set_if_absent.items() if name != "status"}
    return Write(write.pk, write.sk, set={**write.set, "status": status}, set_if_absent=absent)
