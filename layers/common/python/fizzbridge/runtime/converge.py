"""Converge: make one target hold what it should, exactly once.

An event is only a hint that something moved. The run reads the latest state, so an old, repeated or
reordered message can never push old data.

The order of steps is the product's promise and must not be changed lightly: lease, state, payload
and stamp, equal? done, requirements, find, intent, create, save the id at once, update, save the
stamp, look whether ``wanted`` moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from fizzbridge.errors import (
    AmbiguousMatchError,
    ConfigurationError,
    ConflictError,
    DependencyNotReadyError,
    FizzbridgeError,
    HoldError,
    OutcomeUnknownError,
    PermanentError,
    RetryableError,
    TotalMismatchError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Refund
from fizzbridge.model.entity import CHILD_KINDS, EntityRef, Kind, Part
from fizzbridge.model.states import OrderState
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import is_own
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Busy, Lease, acquire
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.runtime.planning import Plan, PlanningClient
from fizzbridge.runtime.target import DocumentPayload, Situation, TargetAdapter, TargetEntity
from fizzbridge.runtime.view import View
from fizzbridge.settings import Bridge, Connection
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import (
    Absent,
    AllOf,
    AnyOf,
    ConditionFailedError,
    Equals,
    Less,
    NoRow,
    Row,
    Table,
    Value,
    Write,
)

ROUNDS = 3
"""How often a run goes round when ``wanted`` moves under it; the sweeper brings the rest."""

REAL_ATTEMPTS = 5
"""After so many failures that nobody can classify, a person must look."""

PATIENCE = timedelta(hours=72)
"""How long something that may pass by itself is tried again."""

SOON = timedelta(seconds=2)
"""How long a required entity takes that another worker is at."""

BEHIND = ("behind_shard", "behind_since")
TROUBLE = ("reason", "cause", "message")

Capacity = Callable[[Lease], AbstractContextManager[VendorClient]]
"""Reserves calls to the vendor and gives the client to make them with."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and so what becomes of the message that asked for it.

    Attributes:
        kind: ``retry`` brings the message back after ``after``; every other kind deletes it.
            ``dropped`` is work somebody else will bring back: a busy lease, a missing parent.
        after: how long to wait; None leaves it to the worker's backoff.
        error: what went wrong, safe to log.
        age: how long the target was behind, when it caught up.
    """

    kind: Literal["done", "dropped", "held", "retry", "parked"]
    after: timedelta | None = None
    error: FizzbridgeError | None = None
    age: timedelta | None = None


class LostLeaseError(Exception):
    """Another worker took the link while we were away: its word counts now."""


@dataclass
class _Run:
    """One run under one lease."""

    ref: EntityRef
    lease: Lease
    row: Row
    view: View
    entity: TargetEntity

    @property
    def reference(self) -> str:
        """What the target's object carries of ours; a further generation is another object."""
        generation = rows.number(self.row, "generation")
        return f"{self.ref.key}~{generation}" if generation else self.ref.key

    @property
    def external_id(self) -> str:
        return rows.text(self.row, "external_id")

    @property
    def wanted(self) -> str:
        return rows.text(self.row, "wanted")

    @property
    def is_suspect(self) -> bool:
        return rows.text(self.row, "status") == "suspect"


class Converge:
    """Converges the entities of one bridge at one target connection."""

    def __init__(
        self,
        adapter: TargetAdapter,
        connection: Connection,
        bridge: Bridge,
        table: Table,
        objects: Objects,
        capacity: Capacity,
        now: Callable[[], datetime],
    ) -> None:
        self._adapter = adapter
        self._connection = connection
        self._bridge = bridge
        self._table = table
        self._capacity = capacity
        self._now = now
        self._load = Loader(table, objects)
        self._sk = rows.link_sk(connection.name)

    def run(self, ref: EntityRef, holder: str) -> Outcome:
        """Bring the target up to the latest state of one entity.

        Args:
            ref: the entity.
            holder: unique to this invocation and message.
        """
        entity = self._adapter.entities.get(ref.kind)
        if entity is None:
            return Outcome("done")
        lease = acquire(
            self._table, str(ref), self._sk, holder, self._bridge.timing.lease, self._now()
        )
        if isinstance(lease, Busy):
            return Outcome("dropped")
        try:
            return self._rounds(ref, entity, lease)
        except LostLeaseError:
            self._suspect(ref)
            return Outcome("dropped")
        except FizzbridgeError as error:
            return self._noted(ref, lease, self._failed(ref, lease, error))
        except Exception as error:  # noqa: BLE001  whatever it is, the link must say so
            return self._noted(ref, lease, self._puzzled(ref, lease, error))

    def _noted(self, ref: EntityRef, lease: Lease, outcome: Outcome) -> Outcome:
        """Show an attempt that did not succeed on the timeline."""
        if outcome.error:
            shown: dict[str, Value] = {
                "connection": self._connection.name,
                "outcome": outcome.kind,
                "reason": outcome.error.code,
                "message": outcome.error.message,
            }
            now = self._now()
            line = rows.timeline(ref, now, str(lease.fence), "attempt", shown.items())
            self._table.write(line)
        return outcome

    # -- what it would do ----------------------------------------------------------------------

    def plan(self, ref: EntityRef, holder: str) -> Plan:
        """What a run would write now; nothing is written, here or there.

        Raises:
            FizzbridgeError: the target cannot be read.
        """
        entity = self._adapter.entities.get(ref.kind)
        row = self._table.get(str(ref), self._sk) or {}
        until = self._now() + timedelta(seconds=self._bridge.timing.lease)
        view = self._load.with_parent(ref)
        if entity is None or not self._is_known(view):
            return Plan("nothing", f"nothing of {ref} is known that could be held there")
        run = _Run(ref, Lease(str(ref), self._sk, holder, 0, until, row), row, view, entity)
        is_wanted = self._is_wanted(run)
        if is_wanted and self._is_held(view):
            messages = (rows.text(hold, "message") for hold in self._load.open_holds(ref).values())
            return Plan("held", "; ".join(messages))
        if self._is_before_cut_over(view):
            return Plan("nothing", "it was placed before the connection's start")
        if not is_wanted and not run.external_id:
            return Plan("nothing", "it does not go there, and was never made there")
        with self._capacity(run.lease) as vendor:
            client = PlanningClient(vendor)
            try:
                return self._planned(run, client, is_wanted=is_wanted)
            except HoldError as error:
                return Plan("held", error.message)
            except PermanentError as error:
                return Plan("refused", error.message, tuple(client.steps))

    def _planned(self, run: _Run, client: PlanningClient, *, is_wanted: bool) -> Plan:
        vendor = self._adapter.client(client, self._connection)
        if not is_wanted:
            return _steps("cancel", client, lambda: run.entity.cancel(vendor, run.external_id))
        required = {one: self._external_id(one) for one in run.entity.requires(run.view)}
        missing = ", ".join(str(one) for one, external_id in required.items() if not external_id)
        payload = run.entity.desired(run.view, self._situation(required))
        if payload is None:
            return Plan("nothing", "the target holds no object of its own for it")
        self._check_total(run, payload)
        gone = rows.text(run.row, "stamp") == rows.GONE
        found = "" if gone else run.external_id or run.entity.find(vendor, run.reference, payload)
        if found:
            return _steps("change", client, lambda: run.entity.update(vendor, found, payload))
        plan = _steps("create", client, lambda: run.entity.create(vendor, run.reference, payload))
        return replace(plan, why=f"{missing} goes first" if missing else "")

    # -- the way -------------------------------------------------------------------------------

    def _rounds(self, ref: EntityRef, entity: TargetEntity, lease: Lease) -> Outcome:
        row = lease.row
        for _ in range(ROUNDS):
            if rows.text(row, "status") == "parked":
                self._write(ref, lease, remove=LEASE_ATTRIBUTES)
                return Outcome("parked")
            outcome = self._round(_Run(ref, lease, row, self._load.with_parent(ref), entity))
            if outcome:
                return outcome
            row = self._table.get(str(ref), self._sk) or {}
        self._write(ref, lease, remove=LEASE_ATTRIBUTES)
        return Outcome("dropped")

    def _round(self, run: _Run) -> Outcome | None:
        """One round; None where ``wanted`` moved under it."""
        if run.wanted == rows.text(run.row, "synced"):
            return self._synced(run, rows.text(run.row, "stamp"))
        # What is wanted here no more goes, whatever it may be held for elsewhere.
        if self._is_wanted(run) and self._is_held(run.view):
            held = self._waiting("held")
            is_settled = self._settle(run.ref, run.lease, run.wanted, held, BEHIND)
            return Outcome("held") if is_settled else None
        try:
            stamp = self._bring(run)
        except FizzbridgeError:
            self._adopt(run)  # refused or not: what was made has a name by now
            raise
        self._adopt(run)
        return self._synced(run, stamp)

    def _bring(self, run: _Run) -> str:
        """Make the target hold what it should; returns the stamp of that."""
        if self._is_gone(run.view):
            return self._clear_away(run)
        if not self._is_known(run.view):
            return rows.text(run.row, "stamp")
        if not self._is_assessed(run.view):
            # Assess is at it, and tells this link when it is done.
            raise DependencyNotReadyError(f"{run.ref} has changed and is not assessed yet")
        if not self._is_wanted(run):
            return self._clear_away(run)
        if self._is_before_cut_over(run.view):
            return self._link_if_found(run)
        payload = run.entity.desired(run.view, self._situation(self._required(run)))
        if payload is None:
            was_made = run.external_id or rows.text(run.row, "intent")
            return self._clear_away(run) if was_made else rows.GONE
        self._check_total(run, payload)
        stamp = payload.fingerprint()
        if stamp == rows.text(run.row, "stamp") and run.external_id and not run.is_suspect:
            return stamp
        if rows.text(run.row, "stamp") == rows.GONE and run.external_id:
            self._next_generation(run)
        with self._capacity(run.lease) as vendor:
            client = self._adapter.client(vendor, self._connection)
            external_id = run.external_id or self._find_or_create(run, client, payload)
            run.entity.update(client, external_id, payload)
        return stamp

    def _situation(self, required: Mapping[EntityRef, str]) -> Situation:
        maps = IdMaps(self._table, self._connection.name)
        tolerance, zone = self._bridge.limits.total_tolerance, self._bridge.company.time_zone
        return Situation(self._connection, maps, required, tolerance, zone)

    def _check_total(self, run: _Run, payload: Frozen) -> None:
        """Nothing leaves that does not come to our total: the last check of every document."""
        if not isinstance(payload, DocumentPayload):
            return
        refund = run.view.body(Part.RECORD, Refund)
        order = run.entity.order(run.view)
        if refund:
            name, expected, currency = f"refund {run.ref.key}", refund.amount, refund.currency
        elif order:
            name, expected, currency = f"order {order.number}", order.totals.gross, order.currency
        else:
            return
        if (payload.total, payload.currency) != (expected, currency):
            raise TotalMismatchError(
                name,
                expected=expected,
                found=payload.total,
                currency=payload.currency,
                platform=self._adapter.platform,
            )

    def _next_generation(self, run: _Run) -> None:
        """What was cancelled stays cancelled; the entity is wanted again, so make a new object."""
        generation = rows.number(run.row, "generation") + 1
        run.row = self._write(
            run.ref,
            run.lease,
            set={"generation": generation},
            remove=["external_id", "stamp"],
        )

    def _required(self, run: _Run) -> dict[EntityRef, str]:
        """The target's ids of what this entity refers to, converged first where behind."""
        found = {}
        for required in run.entity.requires(run.view):
            self._want_required(required)
            is_missing = not self._external_id(required)
            if is_missing or self._goes_first(run, required):
                self._run_required(required, run.lease.holder)
            row = self._row(required)
            external_id = rows.text(row, "external_id")
            is_held = required.kind is Kind.ORDER and rows.text(row, "status") == "held"
            if not external_id or is_held:
                msg = f"{required} is not at {self._connection.name} yet"
                raise DependencyNotReadyError(msg, platform=self._adapter.platform)
            found[required] = external_id
        return found

    def _run_required(self, required: EntityRef, holder: str) -> None:
        """Bring what another entity waits for; what has its id may fail and be used as it is.

        Raises:
            ConflictError: another worker is at it.
            RetryableError, ConfigurationError: not a matter of this one entity: to be said, and
                tried again, like our own.
        """
        outcome = self.run(required, holder)
        if isinstance(outcome.error, DependencyNotReadyError):
            return
        if outcome.kind == "dropped" and self._is_behind(required, holder):
            msg = f"another worker is bringing {required} to {self._connection.name}"
            raise ConflictError(msg, platform=self._adapter.platform, retry_after=SOON)
        is_general = isinstance(outcome.error, RetryableError | ConfigurationError)
        if outcome.error and is_general and not self._external_id(required):
            raise outcome.error

    def _goes_first(self, run: _Run, required: EntityRef) -> bool:
        """Whether what is there has moved; an order that is over waits for its documents."""
        order = run.view.order
        is_over = order is not None and order.ref == required and order.is_over
        return not is_over and self._is_behind(required, run.lease.holder)

    def _is_behind(self, ref: EntityRef, holder: str) -> bool:
        """Whether a link waits for work; what this run itself is at does not."""
        row = self._row(ref)
        is_at_rest = rows.text(row, "status") in {"", "held", "parked"}
        is_synced = rows.text(row, "wanted") == rows.text(row, "synced")
        return not (is_at_rest or is_synced or rows.text(row, "holder") == holder)

    def _find_or_create(self, run: _Run, vendor: VendorClient, payload: Any) -> str:
        external_id = self._find(run, vendor, payload)
        if external_id is None:
            self._intend(run)
            try:
                external_id = run.entity.create(vendor, run.reference, payload)
            except OutcomeUnknownError:
                raise  # the intent stays: until it is sure, nobody may conclude "not there"
            except FizzbridgeError:
                self._write(run.ref, run.lease, remove=["intent"])
                raise
        self._save(run, external_id)
        return external_id

    def _find(self, run: _Run, vendor: VendorClient, payload: Any) -> str | None:
        """Look for our reference; not finding it counts only when no call can be running still."""
        found = run.entity.find(vendor, run.reference, payload)
        intent = rows.text(run.row, "intent")
        if found is None and intent:
            sure_at = from_text(intent) + self._settled_after()
            if self._now() < sure_at:
                msg = f"a create of {run.ref} may still be running at {self._connection.name}"
                raise OutcomeUnknownError(
                    msg, platform=self._adapter.platform, retry_after=sure_at - self._now()
                )
        return found

    def _settled_after(self) -> timedelta:
        """How long after its start a write is certain to be done and visible, or never."""
        settings = self._connection.settings
        longest, lag = (
            timedelta(seconds=int(settings[name])) if name in settings else default
            for name, default in (
                ("longest_transaction_s", self._adapter.longest_transaction),
                ("search_lag_s", self._adapter.search_lag),
            )
        )
        return longest + lag

    def _clear_away(self, run: _Run) -> str:
        if rows.text(run.row, "stamp") == rows.GONE:
            return rows.GONE
        for child in run.view.children:
            # What was paid or credited against it would stand in the way; it may be void by now.
            if self._is_behind(child.ref, run.lease.holder):
                self.run(child.ref, run.lease.holder)
        with self._capacity(run.lease) as vendor:
            client = self._adapter.client(vendor, self._connection)
            external_id = run.external_id or self._find(run, client, None)
            if external_id:
                self._save(run, external_id)
                run.entity.cancel(client, external_id)
        return rows.GONE

    def _link_if_found(self, run: _Run) -> str:
        if not run.external_id:
            with self._capacity(run.lease) as vendor:
                client = self._adapter.client(vendor, self._connection)
                found = run.entity.find(client, run.reference, None)
            if found:
                self._save(run, found)
        return "historical"

    # -- what holds ----------------------------------------------------------------------------

    def _is_known(self, view: View) -> bool:
        """Whether there is anything to export: an order is known by its assessment."""
        if view.ref.kind is Kind.ORDER:
            return view.assessment is not None
        record = view.parts.get(Part.RECORD)
        return record is not None and record.body is not None

    def _is_gone(self, view: View) -> bool:
        """Whether a document's owner says that it is no more."""
        record = view.parts.get(Part.RECORD)
        return view.ref.kind in CHILD_KINDS and record is not None and record.body is None

    def _is_assessed(self, view: View) -> bool:
        """Whether what we make of an order was made of the request as it is now."""
        order = view.order
        request = order.parts.get(Part.REQUEST) if order else None
        assessment = order.assessment if order else None
        return not (assessment and request) or assessment.content == request.fingerprint

    def _is_wanted(self, run: _Run) -> bool:
        view = run.view.order
        order = view.assessment if view else None
        if view is None or order is None:
            return True
        if self._connection.name not in {*order.targets, view.ref.connection}:
            return False
        # A document of a cancelled order is an act that happened.
        return not view.is_over or view is not run.view or run.entity.stands(view)

    def _is_before_cut_over(self, view: View) -> bool:
        order = view.order.assessment if view.order else None
        return order is not None and (
            order.is_historical or order.placed_at < self._connection.start_at
        )

    def _is_held(self, view: View) -> bool:
        """Whether an open hold blocks the export to this target; a cancellation never waits."""
        if view.assessment and view.assessment.state is OrderState.CANCELLED:
            return False
        mine = f"HOLD#{self._connection.name}#"
        return any(
            hold.get("blocks") == "export" and (is_own(sk) or sk.startswith(mine))
            for sk, hold in self._load.open_holds(view.ref).items()
        )

    def _row(self, ref: EntityRef) -> Row:
        return self._table.get(str(ref), self._sk) or {}

    def _external_id(self, ref: EntityRef) -> str:
        return rows.text(self._row(ref), "external_id")

    # -- what is written -----------------------------------------------------------------------

    def _write(
        self,
        ref: EntityRef,
        lease: Lease,
        set: dict[str, Value] | None = None,
        remove: tuple[str, ...] | list[str] = (),
    ) -> Row:
        """A write under the lease.

        Raises:
            LostLeaseError: the lease is somebody else's by now.
        """
        change = {"updated_at": to_text(self._now())} | (set or {})
        try:
            return self._table.write(
                Write(str(ref), self._sk, set=change, remove=remove, when=lease.held)
            )
        except ConditionFailedError as error:
            raise LostLeaseError from error

    def _intend(self, run: _Run) -> None:
        """Say that a create is about to be sent, before it is."""
        run.row["intent"] = to_text(self._now())
        # Whatever stamp there is, it is of an object before this one.
        self._write(run.ref, run.lease, set={"intent": run.row["intent"]}, remove=["stamp"])

    def _save(self, run: _Run, external_id: str) -> None:
        """Save the target's id at once, before anything else can fail, and the way back with it."""
        now = to_text(self._now())
        link = Write(
            str(run.ref),
            self._sk,
            set={"external_id": external_id, "booked_at": now, "updated_at": now, "attempts": 0},
            remove=["intent", "stamp"],
            when=run.lease.held,
        )
        back = Write(
            rows.external_pk(self._connection.name, run.ref.kind, external_id),
            rows.EXTERNAL_SK,
            set={"entity": str(run.ref)},
            when=AnyOf(NoRow(), Equals("entity", str(run.ref))),
        )
        try:
            self._table.transact([link, back])
        except ConditionFailedError as error:
            if 0 in error.failed:
                raise LostLeaseError from error
            msg = f"{self._connection.name} {external_id} is already linked to another entity"
            raise AmbiguousMatchError(msg, platform=self._adapter.platform) from error
        run.row["external_id"] = external_id
        run.row.pop("stamp", None)

    def _adopt(self, run: _Run) -> None:
        """Take over what the target said of an order before anybody knew whose it was."""
        if run.ref.kind is not Kind.ORDER or not run.external_id or not self._connection.roles:
            return
        name = EntityRef(kind=Kind.ORDER, key=f"{self._connection.name}/{run.external_id}")
        for told in self._table.query(str(name)):
            sk = rows.text(told, "sk")
            if not sk.startswith(("CHILD#", "PART#")) or "adopted" in told:
                continue
            kept = {key: value for key, value in told.items() if key not in {"pk", "sk"}}
            newer = AnyOf(NoRow(), Less("version", rows.text(told, "version")))
            adopted = Write(str(run.ref), sk, set=kept, replace=True, when=newer)
            now = self._now()
            wanted = rows.token(str(name), sk, to_text(now))
            looks = [run.ref]
            if sk.startswith("CHILD#"):
                looks.append(EntityRef.parse(sk.removeprefix("CHILD#")))
            # Where it was said again meanwhile, as new or newer, it stands under our name already.
            with suppress(ConditionFailedError):
                self._table.transact(
                    [adopted, *(rows.want(one, rows.ASSESS, wanted, now) for one in looks)]
                )
            self._table.write(Write(str(name), sk, set={"adopted": to_text(now)}))

    def _settle(
        self,
        ref: EntityRef,
        lease: Lease,
        wanted: str,
        set: dict[str, Value],
        remove: tuple[str, ...] = (),
    ) -> bool:
        """Write a final word and let go, unless ``wanted`` moved since it was read.

        Taking a link out of the index of those behind is safe only under this condition: else what
        moved meanwhile would be forgotten.

        Raises:
            LostLeaseError: the lease is somebody else's by now.
        """
        same = Equals("wanted", wanted) if wanted else Absent("wanted")
        change = Write(
            str(ref),
            self._sk,
            set={"updated_at": to_text(self._now())} | set,
            remove=[*remove, *LEASE_ATTRIBUTES],
            when=AllOf(lease.held, same),
        )
        try:
            self._table.write(change)
        except ConditionFailedError as error:
            if not lease.held.holds(error.rows[0] or {}):
                raise LostLeaseError from error
            return False
        return True

    def _synced(self, run: _Run, stamp: str) -> Outcome | None:
        """Finish, if nothing moved meanwhile; None where another round is due."""
        known: dict[str, Value] = {"synced": run.wanted, "stamp": stamp}
        end: dict[str, Value] = {"status": "synced", "attempts": 0}
        if not self._settle(run.ref, run.lease, run.wanted, known | end, (*BEHIND, *TROUBLE)):
            self._write(run.ref, run.lease, set=known)
            return None
        since = rows.text(run.row, "behind_since")
        return Outcome("done", age=self._now() - from_text(since) if since else None)

    def _waiting(self, status: Literal["held", "parked"]) -> dict[str, Value]:
        """Out of the index of those behind, into the one people look at."""
        cause = rows.waiting_cause(self._connection.name, status)
        return {"status": status, "cause": cause}

    def _suspect(self, ref: EntityRef) -> None:
        """What we did and what the link says may differ: compare at the target next time.

        Whoever holds the lease now must not settle over it, so something new is wanted.
        """
        now = to_text(self._now())
        wanted = rows.token(self._connection.name, "suspect", now)
        self._table.write(
            Write(
                str(ref),
                self._sk,
                set={
                    "status": "suspect",
                    "wanted": wanted,
                    "behind_shard": rows.shard(ref, self._connection.name),
                },
                set_if_absent={"behind_since": now},
                remove=["synced"],
            )
        )

    def _want_required(self, ref: EntityRef) -> None:
        """Make the link of a required entity that no route made."""
        record = self._load.view(ref).parts.get(Part.RECORD)
        if record is None or not isinstance(record.body, Customer):
            return
        now = to_text(self._now())
        self._table.write(
            Write(
                str(ref),
                self._sk,
                set_if_absent={
                    "wanted": rows.token(record.fingerprint),
                    "status": "behind",
                    "behind_shard": rows.shard(ref, self._connection.name),
                    "behind_since": now,
                },
            )
        )

    # -- what goes wrong -----------------------------------------------------------------------

    def _failed(self, ref: EntityRef, lease: Lease, error: FizzbridgeError) -> Outcome:
        try:
            if isinstance(error, HoldError):
                return self._hold(ref, lease, error)
            if isinstance(error, PermanentError) or self._is_out_of_patience(ref, error):
                return self._park(ref, lease, error)
            self._write(
                ref,
                lease,
                set={"reason": error.code, "message": error.message},
                remove=LEASE_ATTRIBUTES,
            )
        except LostLeaseError:
            self._suspect(ref)
            return Outcome("dropped", error=error)
        is_brought_back = isinstance(error, DependencyNotReadyError)
        return Outcome("dropped" if is_brought_back else "retry", error.retry_after, error)

    def _puzzled(self, ref: EntityRef, lease: Lease, error: Exception) -> Outcome:
        """Something nobody foresaw: try again a few times, then ask a person."""
        unknown = FizzbridgeError(f"unexpected {type(error).__name__}", code="internal")
        unknown.__cause__ = error
        try:
            row = self._table.write(
                Write(
                    str(ref),
                    self._sk,
                    set={"reason": unknown.code, "message": unknown.message},
                    add={"attempts": 1},
                    when=lease.held,
                )
            )
            if rows.number(row, "attempts") >= REAL_ATTEMPTS:
                return self._park(ref, lease, unknown)
            self._write(ref, lease, remove=LEASE_ATTRIBUTES)
        except (ConditionFailedError, LostLeaseError):
            self._suspect(ref)
            return Outcome("dropped", error=unknown)
        return Outcome("retry", error=unknown)

    def _is_out_of_patience(self, ref: EntityRef, error: FizzbridgeError) -> bool:
        if not isinstance(error, RetryableError):
            return False
        if isinstance(error, ConflictError | DependencyNotReadyError):
            return False  # somebody else is at it, and brings it back
        since = rows.text(self._table.get(str(ref), self._sk) or {}, "behind_since")
        return bool(since) and self._now() - from_text(since) > PATIENCE

    def _park(self, ref: EntityRef, lease: Lease, error: FizzbridgeError) -> Outcome:
        known = self._waiting("parked") | {"reason": error.code, "message": error.message}
        if not self._settle(ref, lease, rows.text(lease.row, "wanted"), known, BEHIND):
            return self._try_again(ref, lease, error)
        return Outcome("parked", error=error)

    def _try_again(self, ref: EntityRef, lease: Lease, error: FizzbridgeError) -> Outcome:
        """What failed is not what is wanted any more."""
        self._write(ref, lease, remove=LEASE_ATTRIBUTES)
        return Outcome("retry", timedelta(0), error)

    def _hold(self, ref: EntityRef, lease: Lease, error: HoldError) -> Outcome:
        """Hold the export to this target until what is wrong is put right."""
        now = self._now()
        content = self._load.view(ref).parts.get(Part.REQUEST)
        sk = f"{rows.hold_sk(self._connection.name, error.reason)}#{error.cause}"
        hold: dict[str, Value] = {
            "cause": error.cause,
            "message": error.message,
            "blocks": "export",
            "by": self._connection.name,
            "opened_at": to_text(now),
        }
        if content:
            hold["content"] = content.fingerprint
        # The hold first: if the link's own write is lost, the next run finds the hold and rests.
        self._table.transact(
            [
                Write(str(ref), sk, set=hold, replace=True),
                rows.want(ref, rows.ASSESS, rows.token(sk, to_text(now)), now),
            ]
        )
        known = self._waiting("held") | {"reason": error.code, "message": error.message}
        if not self._settle(ref, lease, rows.text(lease.row, "wanted"), known, BEHIND):
            return self._try_again(ref, lease, error)
        return Outcome("held", error=error)


def _steps(
    does: Literal["create", "change", "cancel"], client: PlanningClient, go: Callable[[], object]
) -> Plan:
    """Run the adapter's own code as far as it comes without an answer to what it writes."""
    is_whole = True
    try:
        go()
    except Exception:  # whatever it makes of an answer that says nothing
        if not client.steps:
            raise
        is_whole = False
    if not client.steps:
        return Plan("nothing", "it holds what it should")
    return Plan(does, "", tuple(client.steps), is_whole and does != "create")
