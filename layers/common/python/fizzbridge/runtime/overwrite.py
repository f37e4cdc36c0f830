"""Overwrite: bring products, prices and stock of many items to a target in one round of calls.

Like ``converge``, with the same link and the same promises; but nothing is created, so there is
nothing to find: the platform is told absolute values, in bulk, and each item's result counts for
itself. What was just sold goes first, whichever message woke the worker; everything else waits for
the settle time, so that a burst of changes becomes one write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from fizzbridge.errors import (
    ConfigurationError,
    FizzbridgeError,
    OutcomeUnknownError,
    RateLimitedError,
    RetryableError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.catalogue import Product
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.runtime import rows
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Busy, Lease, acquire
from fizzbridge.runtime.links import Links, LostLeaseError, Outcome
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.target import LevelEntity, Situation, TargetAdapter, settled_after
from fizzbridge.runtime.view import View
from fizzbridge.runtime.wiring import DOWN
from fizzbridge.settings import Bridge, Connection
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import Row, Table

Reach: TypeAlias = Callable[
    [str, int, Callable[[], timedelta]], AbstractContextManager[VendorClient]
]
"""Reserves so many calls for a holder, who has so much time; levels let documents go first."""


@dataclass(frozen=True)
class _Job:
    """One link that is to be brought up."""

    ref: EntityRef
    lease: Lease
    row: Row
    payload: Any
    stamp: str
    shown: tuple[str, ...]


class Overwrite:
    """Overwrites what one target connection shows of products, prices and stock."""

    def __init__(
        self,
        adapter: TargetAdapter,
        connection: Connection,
        bridge: Bridge,
        table: Table,
        load: Loader,
        reach: Reach,
        situation: Callable[[], Situation],
        now: Callable[[], datetime],
    ) -> None:
        self._adapter = adapter
        self._connection = connection
        self._timing = bridge.timing
        self._table = table
        self._load = load
        self._reach = reach
        self._situation = situation
        self._now = now
        self._links = Links(table, load, connection.name, now)

    def takes(self, kind: Kind) -> bool:
        """Whether the platform is told of this kind by overwriting."""
        return isinstance(self._adapter.entities.get(kind), LevelEntity)

    def run(self, refs: Sequence[EntityRef], holder: str) -> dict[EntityRef, Outcome]:
        """Bring the target up to the latest state of these entities, and of more urgent ones.

        Args:
            refs: what messages name.
            holder: unique to this invocation.

        Returns:
            How it ended for each of ``refs``, and for what was brought besides.
        """
        outcomes: dict[EntityRef, Outcome] = {}
        for kind in sorted({ref.kind for ref in refs}):
            named = [ref for ref in dict.fromkeys(refs) if ref.kind is kind]
            outcomes |= self._kind(kind, named, holder)
        return outcomes

    def _kind(
        self, kind: Kind, named: Sequence[EntityRef], holder: str
    ) -> dict[EntityRef, Outcome]:
        entity = self._adapter.entities[kind]
        assert isinstance(entity, LevelEntity)  # noqa: S101  whoever calls asked ``takes``
        outcomes: dict[EntityRef, Outcome] = {}
        due: list[EntityRef] = []
        for ref in self._first(kind, named, entity.most):
            outcome = self._looked_at(ref)
            if outcome:
                outcomes[ref] = outcome
            elif len(due) < entity.most:
                due.append(ref)
        if due:
            outcomes |= self._bring(entity, due, holder)
        return dict.fromkeys(named, Outcome("retry", timedelta(0))) | outcomes

    def _first(self, kind: Kind, named: Sequence[EntityRef], most: int) -> Iterator[EntityRef]:
        """What was just sold, what messages name, and what has been waiting longest besides."""
        name, now = self._connection.name, self._now()
        urgent, *others = rows.shards(name)
        told = set(named)
        for ref in dict.fromkeys((*self._waiting(kind, urgent, now, most), *named)):
            told.add(ref)
            yield ref
        for shard in others:
            for ref in self._waiting(kind, shard, now - self._settle_time, most):
                if ref not in told:
                    yield ref

    def _waiting(self, kind: Kind, shard: str, until: datetime, most: int) -> Iterator[EntityRef]:
        """Links of a kind that are behind since then; the index is only a hint, the rows decide."""
        for pk, _ in self._table.index("behind", shard, up_to=to_text(until), limit=most):
            ref = EntityRef.parse(pk)
            if ref.kind is kind:
                yield ref

    @property
    def _settle_time(self) -> timedelta:
        return timedelta(seconds=self._timing.settle)

    # -- before the call -----------------------------------------------------------------------

    def _looked_at(self, ref: EntityRef) -> Outcome | None:
        """What becomes of a link that is not to be brought up now; None for one that is."""
        row = self._table.get(str(ref), self._links.sk) or {}
        if "behind_since" not in row:
            return Outcome("done")
        if rows.text(row, "lease_until") > to_text(self._now()):
            return Outcome("dropped")  # whoever is at it looks again before it lets go
        wait = self._wait(row)
        return Outcome("retry", wait) if wait > timedelta(0) else None

    def _wait(self, row: Row) -> timedelta:
        """How long a link is left alone: until a burst is over, or a lost call certainly done."""
        moments = []
        if intent := rows.text(row, "intent"):
            lost = settled_after(self._adapter, self._connection, self._timing.lease)
            moments.append(from_text(intent) + lost)
        if not rows.is_urgent(row, self._connection.name):
            moments.append(from_text(rows.text(row, "behind_since")) + self._settle_time)
        return max((moment - self._now() for moment in moments), default=timedelta(0))

    def _bring(
        self, entity: LevelEntity, due: Sequence[EntityRef], holder: str
    ) -> dict[EntityRef, Outcome]:
        """Bring up what is due, within one reservation of calls."""
        leases: dict[EntityRef, Lease] = {}

        def left() -> timedelta:
            whole = timedelta(seconds=self._timing.lease)
            return min((one.left(self._now()) for one in leases.values()), default=whole)

        try:
            with self._reach(holder, entity.calls, left) as vendor:
                return self._under(entity, vendor, self._leased(due, holder, leases), leases)
        except RateLimitedError as full:
            if leases:
                raise
            # Our own limit: nothing was begun, and nothing is noted.
            return dict.fromkeys(due, Outcome("retry", full.retry_after, full))
        except DOWN:
            self._links.let_go(leases.values())
            raise

    def _leased(
        self, due: Sequence[EntityRef], holder: str, leases: dict[EntityRef, Lease]
    ) -> dict[EntityRef, Outcome]:
        """Take the leases; the outcome of what somebody else is at."""
        outcomes = {}
        for ref in due:
            lease = acquire(
                self._table, str(ref), self._links.sk, holder, self._timing.lease, self._now()
            )
            if isinstance(lease, Busy):
                outcomes[ref] = Outcome("dropped")
            else:
                leases[ref] = lease
        return outcomes

    def _under(
        self,
        entity: LevelEntity,
        vendor: VendorClient,
        outcomes: dict[EntityRef, Outcome],
        leases: Mapping[EntityRef, Lease],
    ) -> dict[EntityRef, Outcome]:
        # After the leases: a map that changes from now on moves what is wanted under them.
        situation = self._situation()
        jobs = []
        for ref, lease in leases.items():
            found = self._prepared(ref, lease, entity, situation)
            if isinstance(found, _Job):
                jobs.append(found)
            else:
                outcomes[ref] = found
        if jobs:
            outcomes |= self._write(entity, self._adapter.client(vendor, self._connection), jobs)
        return outcomes

    def _prepared(
        self, ref: EntityRef, lease: Lease, entity: LevelEntity, situation: Situation
    ) -> _Job | Outcome:
        try:
            return self._payload(ref, lease, entity, situation)
        except LostLeaseError:
            self._links.suspect(ref)
            return Outcome("dropped")
        except FizzbridgeError as error:
            return self._links.noted(ref, lease, self._links.failed(ref, lease, error))
        except DOWN:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the link must say so
            return self._links.noted(ref, lease, self._links.puzzled(ref, lease, error))

    def _payload(
        self, ref: EntityRef, lease: Lease, entity: LevelEntity, situation: Situation
    ) -> _Job | Outcome:
        row = lease.row
        view = _as_sold(self._load.view(ref))
        shown = self._shown(view, rows.words(row, "shown"), situation)
        payload = entity.desired(view, replace(situation, shown=shown))
        stamp = payload.fingerprint() if payload else rows.GONE
        if payload is None or stamp == rows.text(row, "stamp"):
            done = self._links.synced(ref, lease, row, stamp)
            return done or self._again(ref, lease)
        # From here on nobody may believe what the link says: the call may do its work unheard of.
        now = to_text(self._now())
        self._links.write(ref, lease, set={"intent": now}, remove=["stamp", "synced"])
        row = {**row, "intent": now}  # what was wanted when the lease began, not what is now
        shows = sorted(one.name for one in situation.stock(view))
        return _Job(ref, lease, row, payload, stamp, tuple(shows))

    def _shown(self, view: View, shown: Iterable[str], situation: Situation) -> frozenset[str]:
        """What the shop was told last by this level, of items that no other level speaks for."""
        found = view.body(Part.ASSESSMENT, RecordAssessment)
        mine = {one.sku for one in found.offered} if found else set()
        names = {name: name.partition("\n")[0] for name in shown}
        free = {
            sku
            for sku in set(names.values()) - mine
            if not self._is_spoken(sku, view.ref, situation)
        }
        return frozenset(name for name, sku in names.items() if sku in mine | free)

    def _is_spoken(self, sku: str, ref: EntityRef, situation: Situation) -> bool:
        """Whether another level tells of an item, or of what goes into it."""
        item = situation.catalogue.item(sku, situation.today)
        parts = [part.sku for part in item.components] if item else []
        return any(
            row["sk"] != f"{rows.LEVEL}{ref}"
            for part in parts or [sku]
            for row in self._table.query(rows.stock_pk(part), rows.LEVEL)
        )

    def _again(self, ref: EntityRef, lease: Lease) -> Outcome:
        """What is wanted moved under the run."""
        self._links.write(ref, lease, remove=LEASE_ATTRIBUTES)
        return Outcome("retry", timedelta(0))

    # -- the call, and after it ----------------------------------------------------------------

    def _write(
        self, entity: LevelEntity, client: VendorClient, jobs: Sequence[_Job]
    ) -> dict[EntityRef, Outcome]:
        try:
            failures = dict(entity.write(client, {job.ref: job.payload for job in jobs}))
        except (RetryableError, ConfigurationError) as error:
            failures = {job.ref: error for job in jobs}
        except DOWN:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the links must say so
            if len(jobs) > 1:
                # One of them may be what is wrong: each for itself, so that the others are told.
                alone = [self._write(entity, client, [job]) for job in jobs]
                return {ref: outcome for one in alone for ref, outcome in one.items()}
            odd = client.misread(error) or error
            return self._each(jobs, lambda job: self._done(job, odd))
        return self._each(jobs, lambda job: self._done(job, failures.get(job.ref)))

    def _each(
        self, jobs: Iterable[_Job], finish: Callable[[_Job], Outcome]
    ) -> dict[EntityRef, Outcome]:
        """Finish each job for itself; who lost the lease meanwhile is not believed."""
        outcomes = {}
        for job in jobs:
            try:
                outcomes[job.ref] = self._links.noted(job.ref, job.lease, finish(job))
            except LostLeaseError:
                self._links.suspect(job.ref)
                outcomes[job.ref] = Outcome("dropped")
        return outcomes

    def _done(self, job: _Job, error: Exception | None) -> Outcome:
        if isinstance(error, OutcomeUnknownError):
            return self._unknown(job, error)
        if error:
            return self._refused(job, error)
        done = self._links.synced(job.ref, job.lease, job.row, job.stamp, shown=list(job.shown))
        return done or self._again(job.ref, job.lease)

    def _refused(self, job: _Job, error: Exception) -> Outcome:
        """The platform did nothing: the next run need not wait for anything."""
        if not isinstance(error, FizzbridgeError):
            return self._links.puzzled(job.ref, job.lease, error)
        self._links.write(job.ref, job.lease, remove=["intent"])
        return self._links.failed(job.ref, job.lease, error)

    def _unknown(self, job: _Job, error: OutcomeUnknownError) -> Outcome:
        """What was sent may still be running there, and must not land after what comes next."""
        outcome = self._links.failed(job.ref, job.lease, error)
        return Outcome(outcome.kind, outcome.after or self._wait(job.row), outcome.error)


def _as_sold(view: View) -> View:
    """A product its owner deleted is one that is not sold any more."""
    stored, found = view.parts.get(Part.RECORD), view.body(Part.ASSESSMENT, RecordAssessment)
    is_gone = view.ref.kind is Kind.PRODUCT and stored is not None and stored.body is None
    if not (is_gone and stored and found and found.item):
        return view
    sku = found.item.partition("#")[2]
    body = Product(sku=sku, name=sku, is_active=False)
    return replace(view, parts={**view.parts, Part.RECORD: replace(stored, body=body)})
