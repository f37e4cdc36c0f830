"""A link's row: every write under its lease, and what becomes of it when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fizzbridge.errors import (
    ConflictError,
    DependencyNotReadyError,
    FizzbridgeError,
    HoldError,
    PermanentError,
    RetryableError,
)
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime import breaker, rows
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Lease, release
from fizzbridge.runtime.limiter import NoCapacityError
from fizzbridge.runtime.loading import Loader
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import (
    Absent,
    AllOf,
    ConditionFailedError,
    Equals,
    Row,
    Table,
    TableUnavailableError,
    Value,
    Write,
)

REAL_ATTEMPTS = 5
"""After so many failures that nobody can classify, a person must look."""

PATIENCE = timedelta(hours=72)
"""How long something that may pass by itself is tried again, while the connection is worked for."""

UNDER_WAY = ("intent", "leaving")
"""A create, a cancel that was begun: until it is known what came of it, it stands on the link."""

BEHIND = ("behind_shard", "behind_since")
TROUBLE = ("reason", "cause", "message", "blame", "discarded")


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


class Links:
    """The links of entities to one target connection."""

    def __init__(
        self, table: Table, load: Loader, connection: str, now: Callable[[], datetime]
    ) -> None:
        self._table = table
        self._load = load
        self._connection = connection
        self._now = now
        self.sk = rows.link_sk(connection)

    def write(
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
                Write(str(ref), self.sk, set=change, remove=remove, when=lease.held)
            )
        except ConditionFailedError as error:
            raise LostLeaseError from error

    def settle(
        self,
        ref: EntityRef,
        lease: Lease,
        wanted: str,
        set: dict[str, Value],
        remove: tuple[str, ...] = (),
        looks: tuple[Write, ...] = (),
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
            self.sk,
            set={"updated_at": to_text(self._now())} | set,
            remove=[*remove, *LEASE_ATTRIBUTES],
            when=AllOf(lease.held, same),
        )
        try:
            self._table.transact([change, *looks])
        except ConditionFailedError as error:
            if not lease.held.holds(error.rows[0] or {}):
                raise LostLeaseError from error
            return False
        return True

    def waiting(self, status: Literal["held", "parked"]) -> dict[str, Value]:
        """Out of the index of those behind, into the one people look at."""
        cause = rows.waiting_cause(self._connection, status)
        return {"status": status, "cause": cause}

    def suspect(self, ref: EntityRef) -> None:
        """What we did and what the link says may differ: compare at the target next time.

        Whoever holds the lease now must not settle over it, so something new is wanted.
        """
        now = to_text(self._now())
        wanted = rows.token(self._connection, "suspect", now)
        self._table.write(
            Write(
                str(ref),
                self.sk,
                set={
                    "status": "suspect",
                    "wanted": wanted,
                    "behind_shard": rows.shard(ref, self._connection),
                },
                set_if_absent={"behind_since": now},
                remove=["synced"],
            )
        )

    def synced(
        self,
        ref: EntityRef,
        lease: Lease,
        row: Row,
        stamp: str,
        looks: tuple[Write, ...] = (),
        **also: Value,
    ) -> Outcome | None:
        """Finish, if nothing moved meanwhile; None where another round is due.

        Args:
            ref: the entity.
            lease: its link's.
            row: the link as it was when the run began.
            stamp: of what the target holds now.
            looks: who is told with it.
            also: what else the link is to say.

        Raises:
            LostLeaseError: the lease is somebody else's by now.
        """
        wanted = rows.text(row, "wanted")
        known: dict[str, Value] = {"synced": wanted, "stamp": stamp, **also}
        end: dict[str, Value] = {"status": "synced", "attempts": 0}
        gone = (*UNDER_WAY, *BEHIND, *TROUBLE)
        if not self.settle(ref, lease, wanted, known | end, gone, looks):
            self.write(ref, lease, set=known, remove=UNDER_WAY)
            return None
        since = rows.text(row, "behind_since")
        return Outcome("done", age=self._now() - from_text(since) if since else None)

    def noted(self, ref: EntityRef, lease: Lease, outcome: Outcome) -> Outcome:
        """Show an attempt that did not succeed on the timeline."""
        if outcome.error and not isinstance(outcome.error, NoCapacityError):
            shown: dict[str, Value] = {
                "connection": self._connection,
                "outcome": outcome.kind,
                "reason": outcome.error.code,
                "message": outcome.error.message,
            }
            if correlation_id := rows.text(lease.row, "correlation_id"):
                shown["correlation_id"] = correlation_id
            now = self._now()
            line = rows.timeline(ref, now, str(lease.fence), "attempt", shown.items())
            self._table.write(line)
        return outcome

    # -- what goes wrong -----------------------------------------------------------------------

    def failed(self, ref: EntityRef, lease: Lease, error: FizzbridgeError) -> Outcome:
        """Write down a failure by its reason, and let go."""
        try:
            if isinstance(error, HoldError):
                return self._hold(ref, lease, error)
            if isinstance(error, PermanentError) or self._is_out_of_patience(ref, error):
                return self._park(ref, lease, error)
            if isinstance(error, NoCapacityError):
                # Our own limit is no attempt: nothing was begun, and nothing is noted.
                release(self._table, lease)
                return Outcome("retry", error.retry_after, error)
            is_brought_back = isinstance(error, DependencyNotReadyError)
            known: dict[str, Value] = {"reason": error.code, "message": error.message}
            if not is_brought_back:
                known["tried_at"] = to_text(self._now())
            self.write(ref, lease, set=known, remove=LEASE_ATTRIBUTES)
        except LostLeaseError:
            self.suspect(ref)
            return Outcome("dropped", error=error)
        return Outcome("dropped" if is_brought_back else "retry", error.retry_after, error)

    def let_go(self, leases: Iterable[Lease]) -> None:
        """Leave links as they are, free for the next try; a table that is down lets leases end."""
        for lease in leases:
            with suppress(TableUnavailableError):
                release(self._table, lease)

    def puzzled(self, ref: EntityRef, lease: Lease, error: Exception) -> Outcome:
        """Something nobody foresaw: try again a few times, then ask a person."""
        unknown = FizzbridgeError(f"unexpected {type(error).__name__}", code="internal")
        unknown.__cause__ = error
        try:
            row = self._table.write(
                Write(
                    str(ref),
                    self.sk,
                    set={
                        "reason": unknown.code,
                        "message": unknown.message,
                        "tried_at": to_text(self._now()),
                    },
                    add={"attempts": 1},
                    when=lease.held,
                )
            )
            if rows.number(row, "attempts") >= REAL_ATTEMPTS:
                return self._park(ref, lease, unknown)
            self.write(ref, lease, remove=LEASE_ATTRIBUTES)
        except (ConditionFailedError, LostLeaseError):
            self.suspect(ref)
            return Outcome("dropped", error=unknown)
        return Outcome("retry", error=unknown)

    def _is_out_of_patience(self, ref: EntityRef, error: FizzbridgeError) -> bool:
        if not isinstance(error, RetryableError):
            return False
        if isinstance(error, ConflictError | DependencyNotReadyError):
            return False  # somebody else is at it, and brings it back
        since = rows.text(self._table.get(str(ref), self.sk) or {}, "behind_since")
        if not since or self._now() - from_text(since) <= PATIENCE:
            return False
        # An outage, or a person's pause, is nothing the entity could help.
        state = breaker.read(self._table, self._connection)
        return state.worked(from_text(since), self._now()) > PATIENCE

    def _park(self, ref: EntityRef, lease: Lease, error: FizzbridgeError) -> Outcome:
        known = self.waiting("parked") | {"reason": error.code, "message": error.message}
        known["blame"] = error.blame
        if not self.settle(ref, lease, rows.text(lease.row, "wanted"), known, BEHIND):
            return self._try_again(ref, lease, error)
        return Outcome("parked", error=error)

    def _try_again(self, ref: EntityRef, lease: Lease, error: FizzbridgeError) -> Outcome:
        """What failed is not what is wanted any more."""
        self.write(ref, lease, remove=LEASE_ATTRIBUTES)
        return Outcome("retry", timedelta(0), error)

    def _hold(self, ref: EntityRef, lease: Lease, error: HoldError) -> Outcome:
        """Hold the export to this target until what is wrong is put right."""
        now = self._now()
        content = self._load.view(ref).parts.get(Part.REQUEST)
        sk = f"{rows.hold_sk(self._connection, error.reason)}#{error.cause}"
        hold: dict[str, Value] = {
            "cause": error.cause,
            "message": error.message,
            "blocks": "export",
            "by": self._connection,
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
        known = self.waiting("held") | {"reason": error.code, "message": error.message}
        if not self.settle(ref, lease, rows.text(lease.row, "wanted"), known, BEHIND):
            return self._try_again(ref, lease, error)
        return Outcome("held", error=error)
