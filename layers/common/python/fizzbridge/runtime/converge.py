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
from zoneinfo import ZoneInfo

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
from fizzbridge.model.entity import CHILD_KINDS, EntityRef, Kind, Part, Role
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import is_own
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Busy, Lease, acquire, release
from fizzbridge.runtime.links import BEHIND, Links, LostLeaseError, Outcome
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.runtime.planning import Plan, PlanningClient
from fizzbridge.runtime.target import (
    DocumentPayload,
    LevelEntity,
    Situation,
    TargetAdapter,
    TargetEntity,
    settled_after,
)
from fizzbridge.runtime.view import View
from fizzbridge.runtime.wiring import DOWN
from fizzbridge.settings import Bridge, Connection
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import (
    Absent,
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
from fizzbridge.trade.packs import Catalogue

ROUNDS = 3
"""How often a run goes round when ``wanted`` moves under it; the sweeper brings the rest."""

NO_ITEMS = Catalogue(())

SOON = timedelta(seconds=2)
"""How long a required entity takes that another worker is at."""

Capacity = Callable[[Lease], AbstractContextManager[VendorClient]]
"""Reserves calls to the vendor and gives the client to make them with."""


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
        """The target's id; what came from there has its own."""
        if self.ref.connection == self.lease.sk.removeprefix("LINK#"):
            return self.ref.external_id
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
        catalogue: Catalogue = NO_ITEMS,
    ) -> None:
        self._adapter = adapter
        self._connection = connection
        self._bridge = bridge
        self._table = table
        self._capacity = capacity
        self._now = now
        self._catalogue = catalogue
        self._load = Loader(table, objects)
        self._links = Links(table, self._load, connection.name, now)
        self._sk = self._links.sk

    def run(self, ref: EntityRef, holder: str) -> Outcome:
        """Bring the target up to the latest state of one entity.

        Args:
            ref: the entity.
            holder: unique to this invocation and message.

        Raises:
            Exception: one of ``DOWN``; nothing is noted of it, and the message is to come again.
        """
        entity = self._adapter.entities.get(ref.kind)
        if entity is None:
            return Outcome("done")
        lease = acquire(
            self._table, str(ref), self._sk, holder, self._bridge.timing.lease, self._now()
        )
        if isinstance(lease, Busy):
            return Outcome("dropped")
        if rows.text(lease.row, "status") == "parked":
            # Nothing is tried, nor noted: the reason it waits for a person with must stay.
            release(self._table, lease)
            return Outcome("parked")
        try:
            return self._rounds(ref, entity, lease)
        except LostLeaseError:
            self._links.suspect(ref)
            return Outcome("dropped")
        except FizzbridgeError as error:
            return self._links.noted(ref, lease, self._links.failed(ref, lease, error))
        except DOWN:
            self._links.let_go([lease])
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the link must say so
            return self._links.noted(ref, lease, self._links.puzzled(ref, lease, error))

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
        if isinstance(run.entity, LevelEntity):
            return self._overwritten(run, run.entity, client)
        if not is_wanted:
            return _steps("cancel", client, lambda: run.entity.cancel(vendor, run.external_id))
        required = {one: self._external_id(one) for one in run.entity.requires(run.view)}
        missing = ", ".join(str(one) for one, external_id in required.items() if not external_id)
        payload = run.entity.desired(run.view, self.situation(required))
        if payload is None:
            return Plan("nothing", "the target holds no object of its own for it")
        self._check_total(run, payload)
        gone = rows.text(run.row, "stamp") == rows.GONE
        found = "" if gone else run.external_id or run.entity.find(vendor, run.reference, payload)
        if found:
            return _steps("change", client, lambda: run.entity.update(vendor, found, payload))
        plan = _steps("create", client, lambda: run.entity.create(vendor, run.reference, payload))
        return replace(plan, why=f"{missing} goes first" if missing else "")

    def _overwritten(self, run: _Run, entity: LevelEntity, client: PlanningClient) -> Plan:
        vendor = self._adapter.client(client, self._connection)
        payload = entity.desired(run.view, self.situation({}))
        if payload is None:
            return Plan("nothing", "nothing of it is sold there")
        return _steps("change", client, lambda: entity.write(vendor, {run.ref: payload}))

    # -- the way -------------------------------------------------------------------------------

    def _rounds(self, ref: EntityRef, entity: TargetEntity, lease: Lease) -> Outcome:
        row = lease.row
        for _ in range(ROUNDS):
            outcome = self._round(_Run(ref, lease, row, self._load.with_parent(ref), entity))
            if outcome:
                return outcome
            row = self._table.get(str(ref), self._sk) or {}
        self._links.write(ref, lease, remove=LEASE_ATTRIBUTES)
        return Outcome("dropped")

    def _round(self, run: _Run) -> Outcome | None:
        """One round; None where ``wanted`` moved under it."""
        if run.wanted == rows.text(run.row, "synced"):
            return self._links.synced(run.ref, run.lease, run.row, rows.text(run.row, "stamp"))
        # What is wanted here no more goes, whatever it may be held for elsewhere.
        if self._is_wanted(run) and self._is_held(run.view):
            held = self._links.waiting("held")
            is_settled = self._links.settle(run.ref, run.lease, run.wanted, held, BEHIND)
            return Outcome("held") if is_settled else None
        try:
            stamp = self._bring(run)
        except FizzbridgeError:
            self._adopt(run)  # refused or not: what was made has a name by now
            raise
        self._adopt(run)
        looks: tuple[Write, ...] = ()
        if run.ref.kind is Kind.ORDER and Role.STOCK in self._connection.roles:
            # What it takes of stock may be reserved from now on.
            booked = rows.token(self._connection.name, stamp, to_text(self._now()))
            looks = (rows.want(run.ref, rows.ASSESS, booked, self._now()),)
        return self._links.synced(run.ref, run.lease, run.row, stamp, looks)

    def _bring(self, run: _Run) -> str:
        """Make the target hold what it should; returns the stamp of that."""
        if self._is_gone(run.view):
            return self._clear_away(run)
        if not self._is_known(run.view):
            return rows.text(run.row, "stamp")
        if not self._is_assessed(run.view):
            # Assess is at it, and tells this link when it is done.
            raise DependencyNotReadyError(f"{run.ref} has changed and is not assessed yet")
        if self._is_theirs(run.ref) and not self._is_told(run):
            return rows.GONE
        if not self._is_wanted(run):
            return self._clear_away(run)
        if self._is_before_cut_over(run.view):
            return self._link_if_found(run)
        return self._hold_payload(run)

    def _hold_payload(self, run: _Run) -> str:
        payload = run.entity.desired(run.view, self.situation(self._required(run)))
        if payload is None:
            if self._is_theirs(run.ref):
                return ""  # it stands there, though we have nothing to tell of it
            was_made = run.external_id or rows.text(run.row, "intent")
            return self._clear_away(run) if was_made else rows.GONE
        self._check_total(run, payload)
        stamp = payload.fingerprint()
        if stamp == rows.text(run.row, "stamp") and run.external_id and not run.is_suspect:
            return stamp
        if "leaving" in run.row:
            # Whether that cancel was done nobody knows: it is carried through first.
            self._clear_away(run)
            self._next_generation(run)
        elif rows.text(run.row, "stamp") == rows.GONE and rows.text(run.row, "external_id"):
            self._next_generation(run)
        self._write(run, payload)
        return stamp

    def _write(self, run: _Run, payload: Frozen) -> None:
        with self._capacity(run.lease) as vendor:
            client = self._adapter.client(vendor, self._connection)
            if run.is_suspect and run.external_id and not self._is_theirs(run.ref):
                self._look_for_another(run, client, payload)
            external_id = run.external_id or self._find_or_create(run, client, payload)
            if "stamp" in run.row:
                # From here on nobody may believe what the link says: the update may do its work
                # unheard of, and what is wanted may be by then what it was before.
                self._links.write(run.ref, run.lease, remove=["stamp", "synced"])
            run.entity.update(client, external_id, payload)

    def situation(self, required: Mapping[EntityRef, str]) -> Situation:
        """What payloads made now depend on beside their entities.

        Args:
            required: the target's ids of what they refer to.
        """
        zone = self._bridge.company.time_zone
        return Situation(
            self._connection,
            IdMaps(self._table, self._connection.name),
            required,
            self._bridge.limits.total_tolerance,
            zone,
            self._catalogue,
            self._now().astimezone(ZoneInfo(zone)).date(),
        )

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
        run.row = self._links.write(
            run.ref,
            run.lease,
            set={"generation": generation},
            remove=["external_id", "stamp", "leaving", "reserved_at", "reserved_for"],
        )

    def _required(self, run: _Run) -> dict[EntityRef, str]:
        """The target's ids of what this entity refers to, converged first where behind."""
        found = {}
        for required in run.entity.requires(run.view):
            if self._is_theirs(required):
                found[required] = required.external_id
                continue
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
                self._links.write(run.ref, run.lease, remove=["intent"])
                raise
        self._save(run, external_id)
        return external_id

    def _find(self, run: _Run, vendor: VendorClient, payload: Any) -> str | None:
        """Look for our reference; not finding it counts only when no call can be running still."""
        found = run.entity.find(vendor, run.reference, payload)
        intent = rows.text(run.row, "intent")
        if found is None and intent:
            lease = self._bridge.timing.lease
            sure_at = from_text(intent) + settled_after(self._adapter, self._connection, lease)
            if self._now() < sure_at:
                msg = f"a create of {run.ref} may still be running at {self._connection.name}"
                raise OutcomeUnknownError(
                    msg, platform=self._adapter.platform, retry_after=sure_at - self._now()
                )
            return run.entity.unanswered(run.reference)
        return found

    def _look_for_another(self, run: _Run, client: VendorClient, payload: Any) -> None:
        """Of two workers at one entity the slower may have made an object of its own.

        Raises:
            AmbiguousMatchError: it has; a person must void one of them.
        """
        found = run.entity.find(client, run.reference, payload)
        if found not in {None, run.external_id}:
            msg = f"{self._connection.name} holds {run.external_id} and {found} of {run.ref}"
            raise AmbiguousMatchError(msg, platform=self._adapter.platform)

    def _clear_away(self, run: _Run) -> str:
        if rows.text(run.row, "stamp") == rows.GONE:
            return rows.GONE
        for child in run.view.children:
            # What was paid or credited against it would stand in the way; it may be void by now.
            if self._is_behind(child.ref, run.lease.holder):
                self.run(child.ref, run.lease.holder)
        with self._capacity(run.lease) as vendor:
            client = self._adapter.client(vendor, self._connection)
            external_id = run.external_id or self._find(run, client, run.entity.sought(run.view))
            if external_id:
                self._save(run, external_id, leaving=to_text(self._now()))
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

    def _is_told(self, run: _Run) -> bool:
        """Whether the shop an order was placed in is to hear of it.

        Of one that is over only by its ERP's word: what the buyer cancelled is cancelled there, and
        what the shop deleted is not to be touched.
        """
        request = run.view.parts.get(Part.REQUEST)
        is_gone = request is not None and request.body is None
        if is_gone or self._is_before_cut_over(run.view):
            return False
        done = run.view.body(Part.PROCESSING, OrderProcessing)
        ended = {OrderState.CANCELLED, OrderState.REJECTED}
        return not run.view.is_over or (done is not None and done.state in ended)

    def _is_theirs(self, ref: EntityRef) -> bool:
        """Whether the target is where the entity came from: it is told of it, and makes none."""
        return ref.connection == self._connection.name

    def _row(self, ref: EntityRef) -> Row:
        return self._table.get(str(ref), self._sk) or {}

    def _external_id(self, ref: EntityRef) -> str:
        """The target's id of an entity; what came from there has its own."""
        if self._is_theirs(ref):
            return ref.external_id
        return rows.text(self._row(ref), "external_id")

    # -- what is written -----------------------------------------------------------------------

    def _intend(self, run: _Run) -> None:
        """Say that a create is about to be sent, before it is."""
        run.row["intent"] = to_text(self._now())
        # Whatever stamp there is, it is of an object before this one.
        self._links.write(run.ref, run.lease, set={"intent": run.row["intent"]}, remove=["stamp"])

    def _save(self, run: _Run, external_id: str, **also: str) -> None:
        """Save the target's id at once, before anything else can fail, and the way back with it."""
        now = to_text(self._now())
        saved: dict[str, Value] = {"external_id": external_id, "booked_at": now, "updated_at": now}
        link = Write(
            str(run.ref),
            self._sk,
            set=saved | {"attempts": 0} | also,
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
        if run.ref.kind is not Kind.ORDER or self._is_theirs(run.ref):
            return
        if not run.external_id or not self._connection.roles:
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

    def _want_required(self, ref: EntityRef) -> None:
        """Make the link of a required entity that no route made."""
        record = self._load.view(ref).parts.get(Part.RECORD)
        if record is None or not isinstance(record.body, Customer):
            return
        link = {
            "wanted": rows.token(record.fingerprint),
            "status": "behind",
            "behind_shard": rows.shard(ref, self._connection.name),
            "behind_since": to_text(self._now()),
        }
        # A link that is there already knows itself how far it is.
        with suppress(ConditionFailedError):
            self._table.write(Write(str(ref), self._sk, set=link, when=Absent("wanted")))


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
