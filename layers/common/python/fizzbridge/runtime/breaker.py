"""Whether a connection is worked for: its breaker, and a person's pause. One row says both.

Two facts that know nothing of each other: a person has paused the connection, and the vendor does
not answer as it should. Workers read the row before they call, and write what they hear; they
decide nothing. The sweeper alone acts on it: it turns the functions off and on, and probes.

::

    closed --trouble of the connection itself--> open --the time of the probe--> half-open
       ^                                           ^----------a call in vain---------|
       '-------------------------------a call that was answered---------------------'

Time in which a connection is paused, or its breaker is not closed, is nobody's fault: it does not
count towards the patience with an entity.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fizzbridge.errors import (
    ConfigurationError,
    FizzbridgeError,
    OutcomeUnknownError,
    PermanentError,
    RateLimitedError,
    TargetUnavailableError,
)
from fizzbridge.runtime import rows
from fizzbridge.settings import Timing
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import (
    ConditionFailedError,
    Equals,
    NoRow,
    Row,
    Table,
    TableUnavailableError,
    Value,
    Write,
)

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"

FAILURES_IN_A_ROW = 5
"""One call in vain is bad luck; so many with none answered between them is the vendor."""

PROBES = 5
"""Messages let through to a connection that may work again: enough to notice, and too few to have
the vendor lock us out for calls with a key that is not good any more."""

STOPPED_WAIT = timedelta(minutes=5)
"""How long messages of a connection that is not worked for stay away."""

_LONG_RATE_LIMIT = timedelta(minutes=1)
"""A vendor that asks for longer than a limiter's minute speaks of the day's calls."""

_STOPS_KEPT = 50
_ATTEMPTS = 12
_NOT_ANSWERED = (RateLimitedError, TargetUnavailableError, OutcomeUnknownError)


@dataclass(frozen=True)
class Pause:
    """A person's word that a connection is to rest.

    Attributes:
        at: since when.
        by: who said so, as AWS knows them.
        why: their reason.
    """

    at: datetime
    by: str
    why: str


@dataclass(frozen=True)
class State:
    """The row.

    Attributes:
        name: ``closed``, ``open`` or ``half-open``.
        since: when the breaker opened; it stays while probes are in vain.
        reason: code of what opened it.
        message: the same for people.
        failures: calls in vain in a row, while it is closed.
        tries: probes in vain since it opened.
        probe_at: when the next probe is due.
        probes: how many messages may still go through, while it is half-open.
        pause: a person's; None where nobody paused it.
        stopped_at: since when the connection is not worked for; None while it is.
        stops: earlier times it was not, from and to.
        revision: goes up with every change.
    """

    name: str = CLOSED
    since: datetime | None = None
    reason: str = ""
    message: str = ""
    failures: int = 0
    tries: int = 0
    probe_at: datetime | None = None
    probes: int = 0
    pause: Pause | None = None
    stopped_at: datetime | None = None
    stops: tuple[tuple[datetime, datetime], ...] = ()
    revision: int = 0

    @property
    def works(self) -> bool:
        """Whether every message is worked for."""
        return self.name == CLOSED and self.pause is None

    @property
    def is_on(self) -> bool:
        """Whether the connection's functions are to be given messages."""
        return self.name != OPEN and self.pause is None

    def worked(self, since: datetime, now: datetime) -> timedelta:
        """How much of the time since then the connection was worked for."""
        stops = [*self.stops, *([(self.stopped_at, now)] if self.stopped_at else [])]
        lost = (min(end, now) - max(begin, since) for begin, end in stops)
        return now - since - sum((max(one, timedelta(0)) for one in lost), timedelta(0))

    def booked(self, now: datetime) -> State:
        """The state with the beginning or the end of a stop noted, where there is one."""
        if self.works == (self.stopped_at is None):
            return self
        if self.stopped_at is None:
            return replace(self, stopped_at=now)
        stops = (*self.stops, (self.stopped_at, now))
        if len(stops) > _STOPS_KEPT:
            # The oldest two become one, and what lies between them counts for patience.
            (begin, _), (_, end), *later = stops
            stops = ((begin, end), *later)
        return replace(self, stopped_at=None, stops=stops)


def read(table: Table, connection: str, *, consistent: bool = True) -> State:
    """The state of a connection; one nobody said anything of works."""
    found = table.get(rows.connection_pk(connection), rows.BREAKER_SK, consistent=consistent)
    return _state(found or {})


class Breaker:
    """The row of one connection, as one invocation sees and changes it."""

    def __init__(
        self,
        table: Table,
        connection: str,
        now: Callable[[], datetime],
        timing: Timing | None = None,
    ) -> None:
        self._table = table
        self._connection = connection
        self._now = now
        self._timing = timing or Timing()
        self._seen = State()

    # -- workers -------------------------------------------------------------------------------

    def wait(self) -> timedelta | None:
        """How long a message is to be put off; None where the vendor may be called for it."""
        state = self._seen = read(self._table, self._connection, consistent=False)
        if state.works:
            return None
        return None if state.is_on and self._is_probe() else STOPPED_WAIT

    def heard(self, error: FizzbridgeError | None) -> None:
        """Note how a call ended: answered, or in vain.

        Only trouble of the connection itself counts: a vendor that refuses a document has answered,
        and our own limit is no trouble at all. A table that is down loses the note, and the next
        call says it again.
        """
        with suppress(TableUnavailableError):
            if isinstance(error, (*_NOT_ANSWERED, ConfigurationError)):
                self._change(lambda state, now: self._failed(state, error, now))
            elif error is None or isinstance(error, PermanentError):
                self._answered()

    def _is_probe(self) -> bool:
        """Take one of the places of a half-open breaker."""
        is_let = False

        def change(state: State, _: datetime) -> State | None:
            nonlocal is_let
            is_let = state.works or (state.is_on and state.probes > 0)
            is_taken = is_let and not state.works
            return replace(state, probes=state.probes - 1) if is_taken else None

        self._change(change)
        return is_let

    def _answered(self) -> None:
        def change(state: State, _: datetime) -> State | None:
            if state.name == HALF_OPEN:
                return State(pause=state.pause, stopped_at=state.stopped_at, stops=state.stops)
            # A call that began before the breaker opened says nothing.
            is_news = state.name == CLOSED and state.failures
            return replace(state, failures=0) if is_news else None

        if self._seen.name != CLOSED or self._seen.failures:
            self._change(change)

    def _failed(self, state: State, error: FizzbridgeError, now: datetime) -> State | None:
        if state.name == OPEN:
            return None
        failures = state.failures + 1
        if state.name == CLOSED and failures < FAILURES_IN_A_ROW and not _is_certain(error):
            return replace(state, failures=failures)
        tries = state.tries + 1 if state.name == HALF_OPEN else 0
        return replace(
            state,
            name=OPEN,
            since=state.since or now,
            reason=error.code,
            message=error.message,
            failures=0,
            tries=tries,
            probes=0,
            probe_at=now + max(self._pause(tries), error.retry_after or timedelta(0)),
        )

    def _pause(self, tries: int) -> timedelta:
        """How long to leave the vendor alone: doubling, with jitter."""
        doubled = self._timing.probe_after * 2 ** min(tries, 20)
        longest = min(doubled, self._timing.probe_at_most)
        return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  # jitter

    # -- the sweeper ---------------------------------------------------------------------------

    def probe(self) -> State:
        """Half-open the breaker where it is time; gives the state as it is then."""

        def change(state: State, now: datetime) -> State | None:
            if state.name == CLOSED or state.pause or (state.probe_at and now < state.probe_at):
                return None
            # Places taken by messages that needed no call, or by a worker that died, come back.
            again = now + timedelta(seconds=self._timing.probe_after)
            return replace(state, name=HALF_OPEN, probes=PROBES, probe_at=again)

        return self._change(change)

    # -- people --------------------------------------------------------------------------------

    def pause(self, by: str, why: str) -> State:
        """Have the connection rest; a pause that is there stays as it is."""
        return self._change(
            lambda state, now: None if state.pause else replace(state, pause=Pause(now, by, why))
        )

    def resume(self) -> State:
        """End a pause, and have an open breaker probed at once."""

        def change(state: State, now: datetime) -> State | None:
            if state.pause is None and state.name == CLOSED:
                return None
            return replace(state, pause=None, probe_at=now if state.name != CLOSED else None)

        return self._change(change)

    def _change(self, change: Callable[[State, datetime], State | None]) -> State:
        """Change the row by compare-and-set; gives what it holds then.

        Raises:
            TableUnavailableError: the table is down, or too many change the row at once.
        """
        pk, sk = rows.connection_pk(self._connection), rows.BREAKER_SK
        found = self._table.get(pk, sk)
        for _ in range(_ATTEMPTS):
            state, now = _state(found or {}), self._now()
            wanted = change(state, now)
            self._seen = wanted or state
            if wanted is None:
                return state
            after = replace(wanted.booked(now), revision=state.revision + 1)
            unchanged = Equals("revision", state.revision) if found else NoRow()
            told = _attributes(after) | {"updated_at": to_text(now)}
            try:
                self._table.write(Write(pk, sk, set=told, replace=True, when=unchanged))
            except ConditionFailedError as error:
                found = error.rows[0]
            else:
                self._seen = after
                return after
        raise TableUnavailableError(f"too many change the breaker of {self._connection}")


def _is_certain(error: FizzbridgeError) -> bool:
    """Whether one such answer says that the next ones will be the same."""
    if isinstance(error, RateLimitedError):
        return (error.retry_after or timedelta(0)) > _LONG_RATE_LIMIT
    return isinstance(error, ConfigurationError)


def _state(row: Row) -> State:
    pause = None
    if row.get("paused_at"):
        by, why = rows.text(row, "paused_by"), rows.text(row, "paused_why")
        pause = Pause(from_text(rows.text(row, "paused_at")), by, why)
    stops = [stop.split("|") for stop in rows.words(row, "stops")]
    return State(
        name=rows.text(row, "state") or CLOSED,
        since=_moment(row, "since"),
        reason=rows.text(row, "reason"),
        message=rows.text(row, "message"),
        failures=rows.number(row, "failures"),
        tries=rows.number(row, "tries"),
        probe_at=_moment(row, "probe_at"),
        probes=rows.number(row, "probes"),
        pause=pause,
        stopped_at=_moment(row, "stopped_at"),
        stops=tuple((from_text(begin), from_text(end)) for begin, end in stops),
        revision=rows.number(row, "revision"),
    )


def _attributes(state: State) -> dict[str, Value]:
    told: dict[str, Value] = {
        "state": state.name,
        "reason": state.reason,
        "message": state.message,
        "failures": state.failures,
        "tries": state.tries,
        "probes": state.probes,
        "stops": [f"{to_text(begin)}|{to_text(end)}" for begin, end in state.stops],
        "revision": state.revision,
    }
    if state.pause:
        told |= {"paused_at": to_text(state.pause.at)}
        told |= {"paused_by": state.pause.by, "paused_why": state.pause.why}
    moments = {name: getattr(state, name) for name in ("since", "probe_at", "stopped_at")}
    return told | {name: to_text(moment) for name, moment in moments.items() if moment}


def _moment(row: Row, name: str) -> datetime | None:
    return from_text(rows.text(row, name)) if row.get(name) else None
