"""Overwrite: bring products, prices and stock of many items to a target in one round of calls.

Like ``converge``, with the same link and the same promises; but nothing is created, so there is
nothing to find: the platform is told absolute values, in bulk, and each item's result counts for
itself. What was just sold goes first, whichever message woke the worker; everything else waits for
the settle time, so that a burst of changes becomes one write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from fizzbridge.errors import FizzbridgeError, OutcomeUnknownError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.runtime import rows
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Busy, Lease, acquire
from fizzbridge.runtime.links import Links, LostLeaseError, Outcome
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.target import LevelEntity, Situation, TargetAdapter, settled_after
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
            How it ended for each of ``refs``.
        """
        outcomes: dict[EntityRef, Outcome] = {}
        for kind in sorted({ref.kind for ref in refs}):
            named = [ref for ref in dict.fromkeys(refs) if ref.kind is kind]
            outcomes |= self._kind(kind, named, holder)
        return {ref: outcomes[ref] for ref in refs}

    def _kind(
        self, kind: Kind, named: Sequence[EntityRef], holder: str
    ) -> dict[EntityRef, Outcome]:
        entity = self._adapter.entities[kind]
        assert isinstance(entity, LevelEntity)  # noqa: S101  whoever calls asked ``takes``
        outcomes: dict[EntityRef, Outcome] = {}
        jobs: list[_Job] = []
        situation = self._situation()
        for ref in self._first(kind, named, entity.most):
            if len(jobs) == entity.most:
                break
            found = self._prepare(ref, entity, situation, holder)
            if isinstance(found, _Job):
                jobs.append(found)
            else:
                outcomes[ref] = found
        if jobs:
            outcomes |= self._write(entity, jobs, holder)
        return {ref: Outcome("retry", timedelta(0)) for ref in named} | outcomes

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

    def _prepare(
        self, ref: EntityRef, entity: LevelEntity, situation: Situation, holder: str
    ) -> _Job | Outcome:
        row = self._table.get(str(ref), self._links.sk) or {}
        if rows.text(row, "wanted") == rows.text(row, "synced") or "behind_since" not in row:
            return Outcome("done")
        wait = self._wait(row)
        if wait > timedelta(0):
            return Outcome("retry", wait)
        lease = acquire(
            self._table, str(ref), self._links.sk, holder, self._timing.lease, self._now()
        )
        if isinstance(lease, Busy):
            return Outcome("dropped")
        try:
            return self._under(lease, ref, entity, situation)
        except LostLeaseError:
            self._links.suspect(ref)
            return Outcome("dropped")
        except FizzbridgeError as error:
            return self._links.noted(ref, lease, self._links.failed(ref, lease, error))
        except Exception as error:  # noqa: BLE001  whatever it is, the link must say so
            return self._links.noted(ref, lease, self._links.puzzled(ref, lease, error))

    def _wait(self, row: Row) -> timedelta:
        """How long a link is left alone: until a burst is over, or a lost call certainly done."""
        moments = []
        if intent := rows.text(row, "intent"):
            moments.append(from_text(intent) + settled_after(self._adapter, self._connection))
        if rows.text(row, "behind_shard") != rows.urgent_shard(self._connection.name):
            moments.append(from_text(rows.text(row, "behind_since")) + self._settle_time)
        return max((moment - self._now() for moment in moments), default=timedelta(0))

    def _under(
        self, lease: Lease, ref: EntityRef, entity: LevelEntity, situation: Situation
    ) -> _Job | Outcome:
        row = lease.row
        view = self._load.view(ref)
        payload = entity.desired(view, situation)
        stamp = payload.fingerprint() if payload else rows.GONE
        if payload is None or stamp == rows.text(row, "stamp"):
            done = self._links.synced(ref, lease, row, stamp)
            return done or self._again(ref, lease)
        # From here on nobody may believe the old stamp: the call may do its work unheard of.
        now = to_text(self._now())
        row = self._links.write(ref, lease, set={"intent": now}, remove=["stamp"])
        return _Job(ref, lease, row, payload, stamp)

    def _again(self, ref: EntityRef, lease: Lease) -> Outcome:
        """What is wanted moved under the run."""
        self._links.write(ref, lease, remove=LEASE_ATTRIBUTES)
        return Outcome("retry", timedelta(0))

    # -- the call, and after it ----------------------------------------------------------------

    def _write(
        self, entity: LevelEntity, jobs: Sequence[_Job], holder: str
    ) -> dict[EntityRef, Outcome]:
        payloads = {job.ref: job.payload for job in jobs}

        def left() -> timedelta:
            return min(job.lease.left(self._now()) for job in jobs)

        try:
            with self._reach(holder, entity.calls, left) as vendor:
                client = self._adapter.client(vendor, self._connection)
                failures = dict(entity.write(client, payloads))
        except FizzbridgeError as error:
            failures = dict.fromkeys(payloads, error)
        except Exception as error:  # noqa: BLE001  whatever it is, the links must say so
            odd = error
            return self._each(jobs, lambda job: self._links.puzzled(job.ref, job.lease, odd))
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

    def _done(self, job: _Job, error: FizzbridgeError | None) -> Outcome:
        if isinstance(error, OutcomeUnknownError):
            return self._unknown(job, error)
        if error:
            return self._failed(job, error)
        done = self._links.synced(job.ref, job.lease, job.row, job.stamp)
        return done or self._again(job.ref, job.lease)

    def _failed(self, job: _Job, error: FizzbridgeError) -> Outcome:
        """The platform did nothing: the next run need not wait for anything."""
        self._links.write(job.ref, job.lease, remove=["intent"])
        return self._links.failed(job.ref, job.lease, error)

    def _unknown(self, job: _Job, error: OutcomeUnknownError) -> Outcome:
        """What was sent may still be running there, and must not land after what comes next."""
        outcome = self._links.failed(job.ref, job.lease, error)
        return Outcome(outcome.kind, outcome.after or self._wait(job.row), outcome.error)
