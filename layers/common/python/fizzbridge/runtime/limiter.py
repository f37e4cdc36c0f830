"""The limiter of a connection: how many calls at once, and how many a minute.

One row per connection holds the slots in use and a bucket of tokens, changed by compare-and-set.
A slot ends by time, so a holder that died gives its place back by itself.

The bucket holds a burst of a tenth of the allowance or less. It fills with the allowance less the
most it held in the last minute, so that no 60 seconds see more tokens than the vendor allows: what
they begin with and what is added while they last is never more than that. A bucket that is kept
empty, as it is while a backlog drains, so gives nearly the whole allowance.

Who cannot know how many calls it will make reserves as many as others of its kind needed lately.

Who yields lets others go first: while one of those waits for its turn, nothing is granted that
could wait, and the next place and the next tokens are the other's. Nobody yields for ever: who has
done so for half a minute takes a turn like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fizzbridge.errors import RateLimitedError
from fizzbridge.state import (
    ConditionFailedError,
    Equals,
    NoRow,
    Row,
    Table,
    TableUnavailableError,
    Write,
)
from fizzbridge.state.moments import from_text, to_text

UNIT = 60_000
"""Parts of a token the bucket counts in: one token a minute is one part a millisecond."""

MINUTE_LIMIT_LEAST = 2
"""One token to hold and one a minute to fill with."""

_FRAME = timedelta(minutes=1)
_ATTEMPTS = 12
_CROWDED = timedelta(milliseconds=250)
_SMALL_BURST = 10
_SLOT_POLL = timedelta(seconds=2)
_TURN = timedelta(seconds=5)
"""How long after the time it was told somebody who waits is waited for."""

_YIELDS_FOR = timedelta(seconds=30)


class NoCapacityError(RateLimitedError):
    """No slot or not enough tokens; `retry_after` says when to ask again."""

    code = "no_capacity"


@dataclass(frozen=True)
class Reservation:
    """A slot and tokens, good until a time.

    Attributes:
        connection: Whose limits.
        holder: Who holds it.
        tokens: How many calls were set aside.
        per_minute: The allowance they were taken from.
        until: When the slot ends by itself.
        learns: Whether what it needs is taken for what others will.
    """

    connection: str
    holder: str
    tokens: int
    per_minute: int
    until: datetime
    learns: bool = False


@dataclass(frozen=True)
class _Bucket:
    """The row: parts of tokens left (below nought is a debt), and slots as (holder, end)."""

    level: int
    filled_at: datetime
    slots: tuple[tuple[str, datetime], ...]
    revision: int
    awaited_until: datetime | None = None
    """Until when what yields waits for somebody who could not go."""
    yields_since: datetime | None = None
    """Since when it has."""
    peak: int = 0
    """The highest level since ``frame_at``, and in the minute before that."""
    peak_before: int = 0
    frame_at: datetime | None = None
    needed: int = 0
    """How many calls were needed lately; nought where nobody knows."""

    def filled(self, per_minute: int, now: datetime) -> _Bucket:
        # A clock behind the last writer's adds nothing and takes nothing.
        elapsed_ms = max((now - self.filled_at) // timedelta(milliseconds=1), 0)
        full = burst(per_minute) * UNIT
        # As high as it could rise counts for the whole time it rose.
        highest = min(self.level + elapsed_ms * self.rate(per_minute) // UNIT, full)
        peak = max(self.peak, highest)
        rate = replace(self, peak=peak).rate(per_minute)
        level = min(self.level + elapsed_ms * rate // UNIT, full)
        # Only whole milliseconds have been counted.
        filled_at = self.filled_at + timedelta(milliseconds=elapsed_ms)
        slots = tuple((holder, until) for holder, until in self.slots if until > now)
        filled = replace(self, level=level, filled_at=filled_at, slots=slots, peak=peak)
        return filled.framed(now)

    def rate(self, per_minute: int) -> int:
        """Parts of a token by which it fills in ``UNIT`` milliseconds."""
        return per_minute * UNIT - max(self.peak, self.peak_before, 0)

    def framed(self, now: datetime) -> _Bucket:
        """Begin a new minute of remembering the highest level, where one is over."""
        begun = self.frame_at or self.filled_at
        if now - begun < _FRAME:
            return replace(self, frame_at=begun)
        return replace(self, peak=max(self.level, 0), peak_before=self.peak, frame_at=now)


class Limiter:
    """Limits calls to connections; every function works on the same rows."""

    def __init__(self, table: Table, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def reserve(
        self,
        connection: str,
        parallel: int,
        per_minute: int,
        tokens: int,
        holder: str,
        seconds: float,
        *,
        yields: bool = False,
        learns: bool = False,
    ) -> Reservation:
        """Takes a slot and tokens, both or neither.

        A holder that has a slot takes its place again. More tokens than the bucket holds are
        granted from a full bucket and leave a debt.

        Args:
            connection: Whose limits.
            parallel: How many holders at once.
            per_minute: How many tokens in any minute, at least two.
            tokens: How many calls the holder may make.
            learns: Whether fewer are set aside where others needed fewer; calls beyond them are a
                debt.
            holder: Unique among those running.
            seconds: How long the slot lasts if it is not released.
            yields: Whether others go first.

        Raises:
            NoCapacityError: Not now; says when to ask again.
            ValueError: The limits let nothing through.
        """
        if parallel < 1 or per_minute < MINUTE_LIMIT_LEAST:
            raise ValueError(f"{connection}: {parallel} at once, {per_minute} a minute")

        granted = tokens

        def change(bucket: _Bucket, now: datetime) -> _Bucket:
            others = tuple(slot for slot in bucket.slots if slot[0] != holder)
            if yields and _lets_go_first(bucket, now):
                if bucket.yields_since:
                    raise NoCapacityError("others go first", retry_after=_SLOT_POLL)
                return replace(bucket, yields_since=now)
            _check_slots(others, parallel, now)
            nonlocal granted
            granted = min(tokens, bucket.needed or tokens) if learns else tokens
            _check_tokens(bucket, granted, per_minute)
            slots = (*others, (holder, now + timedelta(seconds=seconds)))
            level = bucket.level - granted * UNIT
            done = replace(bucket, level=level, slots=slots)
            if yields:
                return replace(done, yields_since=None)
            return replace(done, awaited_until=None)

        try:
            bucket = self._change(connection, per_minute, change)
        except NoCapacityError as full:
            if not yields:
                self._await(connection, per_minute, full.retry_after or _SLOT_POLL)
            raise
        mine = [until for other, until in bucket.slots if other == holder]
        if not mine:
            raise NoCapacityError("others go first", retry_after=_SLOT_POLL)
        return Reservation(connection, holder, granted, per_minute, mine[0], learns)

    def _await(self, connection: str, per_minute: int, after: timedelta) -> None:
        """Have what yields wait for somebody who was told to come back."""

        def change(bucket: _Bucket, now: datetime) -> _Bucket | None:
            until = now + after + _TURN
            # Of many who wait each would write, and one mark is as good as all.
            is_marked = bucket.awaited_until and bucket.awaited_until > until - _TURN / 2
            return None if is_marked else replace(bucket, awaited_until=until)

        with suppress(NoCapacityError):
            self._change(connection, per_minute, change)

    def release(self, reservation: Reservation, used_tokens: int) -> bool:
        """Gives back the slot and the tokens not used; too late, or twice, changes nothing.

        Never raises for a busy or unavailable table: the work is done, and the slot ends by itself.

        Returns:
            Whether it was given back.
        """
        slot = (reservation.holder, reservation.until)
        unused = reservation.tokens - used_tokens
        found = False

        def change(bucket: _Bucket, _: datetime) -> _Bucket | None:
            nonlocal found
            found = slot in bucket.slots
            if not found:
                return None
            slots = tuple(other for other in bucket.slots if other != slot)
            full = burst(reservation.per_minute) * UNIT
            level = min(bucket.level + unused * UNIT, full)
            # A greater need counts at once, a lesser one little by little.
            needed = max(used_tokens, bucket.needed - 1, 1) if reservation.learns else bucket.needed
            peak = max(bucket.peak, level)
            return replace(bucket, level=level, slots=slots, needed=needed, peak=peak)

        try:
            self._change(reservation.connection, reservation.per_minute, change)
        except (NoCapacityError, TableUnavailableError):
            return False
        return found

    def _change(
        self,
        connection: str,
        per_minute: int,
        change: Callable[[_Bucket, datetime], _Bucket | None],
    ) -> _Bucket:
        pk, sk = f"CONNECTION#{connection}", "SLOTS"
        row = self._table.get(pk, sk)
        for _ in range(_ATTEMPTS):
            now = self._clock()
            before = _read(row, per_minute, now).filled(per_minute, now)
            after = change(before, now)
            if after is None:
                return before
            unchanged = Equals("revision", before.revision) if row else NoRow()
            try:
                stored = self._table.write(Write(pk, sk, set=_attributes(after), when=unchanged))
            except ConditionFailedError as error:
                row = error.rows[0]
            else:
                return _read(stored, per_minute, now)
        raise NoCapacityError("too many at the limiter", retry_after=_CROWDED)


def needed(table: Table, connection: str) -> int:
    """How many calls a holder needed lately at least; one where nobody knows."""
    row = table.get(f"CONNECTION#{connection}", "SLOTS", consistent=False) or {}
    return max(int(str(row.get("needed", 0))), 1)


def burst(per_minute: int) -> int:
    """How many tokens a bucket holds: a twentieth, but for small allowances up to ten of them."""
    return max(per_minute // 20, min(_SMALL_BURST, per_minute // 2))


def _lets_go_first(bucket: _Bucket, now: datetime) -> bool:
    """Whether what yields is to wait: somebody is waited for, and it has not waited enough."""
    if bucket.awaited_until is None or bucket.awaited_until <= now:
        return False
    return bucket.yields_since is None or now - bucket.yields_since < _YIELDS_FOR


def _check_slots(others: Sequence[tuple[str, datetime]], parallel: int, now: datetime) -> None:
    if len(others) >= parallel:
        # Most holders finish long before their slot ends.
        ends = min((until for _, until in others), default=now + _SLOT_POLL)
        raise NoCapacityError("all slots are taken", retry_after=min(ends - now, _SLOT_POLL))


def _check_tokens(bucket: _Bucket, tokens: int, per_minute: int) -> None:
    missing = min(tokens, burst(per_minute)) * UNIT - bucket.level
    if missing > 0:
        wait = timedelta(milliseconds=-(-missing * UNIT // bucket.rate(per_minute)))
        raise NoCapacityError("all calls of this minute are spoken for", retry_after=wait)


def _read(row: Row | None, per_minute: int, now: datetime) -> _Bucket:
    if row is None:
        full = burst(per_minute) * UNIT
        return _Bucket(full, now, (), 0, peak=full, frame_at=now)
    slots = row["slots"]
    pairs = [slot.rpartition("|") for slot in slots] if isinstance(slots, list) else []
    return _Bucket(
        level=int(str(row["level"])),
        filled_at=from_text(str(row["filled_at"])),
        slots=tuple((holder, from_text(until)) for holder, _, until in pairs),
        revision=int(str(row["revision"])),
        awaited_until=_moment(row, "awaited_until"),
        yields_since=_moment(row, "yields_since"),
        # A row of a release that did not remember was full at some time.
        peak=int(str(row.get("peak", burst(per_minute) * UNIT))),
        peak_before=int(str(row.get("peak_before", 0))),
        frame_at=_moment(row, "frame_at"),
        needed=int(str(row.get("needed", 0))),
    )


def _attributes(bucket: _Bucket) -> Row:
    return {
        "level": bucket.level,
        "filled_at": to_text(bucket.filled_at),
        "slots": [f"{holder}|{to_text(until)}" for holder, until in bucket.slots],
        "revision": bucket.revision + 1,
        "awaited_until": to_text(bucket.awaited_until) if bucket.awaited_until else "",
        "yields_since": to_text(bucket.yields_since) if bucket.yields_since else "",
        "peak": bucket.peak,
        "peak_before": bucket.peak_before,
        "frame_at": to_text(bucket.frame_at) if bucket.frame_at else "",
        "needed": bucket.needed,
    }


def _moment(row: Row, name: str) -> datetime | None:
    return from_text(str(row[name])) if row.get(name) else None
