"""The state table in memory: for tests, models and dry runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeAlias

from fizzbridge.state.table import (
    INDEXES,
    ConditionFailedError,
    Row,
    TableRefusedError,
    Value,
    Write,
    after_within,
    check_key,
    check_single,
    check_transaction,
)

OnChange: TypeAlias = Callable[[Row | None, Row | None], None]
Key: TypeAlias = tuple[str, str]

ROW_LIMIT_BYTES = 400 * 1024


class MemoryTable:
    """A `Table` in this process, safe to share between threads.

    `on_change(old_row, new_row)` hears every change, one at a time and in commit order, after the
    lock is free: it may write to the table itself, and those changes come after the present one.
    With a `clock`, rows whose `expires_at` has passed are not there any more.
    """

    def __init__(
        self, clock: Callable[[], datetime] | None = None, on_change: OnChange | None = None
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._partitions: dict[str, dict[str, Row]] = {}
        self._indexed: dict[tuple[str, str], set[Key]] = {}
        self._lock = threading.Lock()
        self._changes: deque[tuple[Row | None, Row | None]] = deque()
        self._telling = threading.Lock()

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Row | None:
        """Reads one row; reads here are always consistent."""
        del consistent
        check_key(pk, sk)
        with self._lock:
            return _copy(self._found((pk, sk)))

    def query(
        self, pk: str, prefix: str = "", *, limit: int | None = None, after: str | None = None
    ) -> list[Row]:
        """Reads the rows of a partition in order of `sk`."""
        possible, start = after_within(prefix, after)
        if not possible:
            return []
        with self._lock:
            keys = sorted(
                sk
                for sk in self._partitions.get(pk, {})
                if sk.startswith(prefix) and sk > (start or "")
            )
            found = (row for sk in keys if (row := self._found((pk, sk))))
            return [_plain_row(row) for row in islice(found, limit)]

    def write(self, write: Write) -> Row:
        """Applies one write and returns the row after it."""
        check_single(write)
        with self._lock:
            self._commit([write])
            row = _copy(self._partitions.get(write.pk, {}).get(write.sk)) or {}
        self._tell()
        return row

    def transact(self, writes: Sequence[Write]) -> None:
        """Applies the writes, all or none."""
        check_transaction(writes)
        with self._lock:
            self._commit(writes)
        self._tell()

    def index(
        self, name: str, pk: str, *, up_to: str | None = None, limit: int = 100
    ) -> list[tuple[str, str]]:
        """Lists keys of rows in an index, ascending."""
        _, sort_attr = INDEXES[name]
        with self._lock:
            found = sorted(
                (str(row[sort_attr]), key)
                for key in self._indexed.get((name, pk), ())
                if (row := self._found(key)) and sort_attr in row
            )
        return [key for sort, key in found if up_to is None or sort <= up_to][:limit]

    def rows(self) -> list[Row]:
        """All rows by key: what a test looks at when all is done."""
        with self._lock:
            keys = sorted((pk, sk) for pk, rows in self._partitions.items() for sk in rows)
            return [_plain_row(row) for key in keys if (row := self._found(key))]

    def _found(self, key: Key) -> Row | None:
        row = self._partitions.get(key[0], {}).get(key[1])
        expires_at = (row or {}).get("expires_at")
        if self._clock and isinstance(expires_at, int) and expires_at <= self._clock().timestamp():
            return None
        return row

    def _commit(self, writes: Sequence[Write]) -> None:
        olds = [self._found((write.pk, write.sk)) for write in writes]
        failed = [
            position
            for position, (write, old) in enumerate(zip(writes, olds, strict=True))
            if write.when is not None and not write.when.holds(old or {})
        ]
        if failed:
            rows = [_copy(old) if at in failed else None for at, old in enumerate(olds)]
            raise ConditionFailedError(rows, failed)
        # Worked out for all writes before the first is stored: a refused one leaves nothing.
        news = [_after(write, old) for write, old in zip(writes, olds, strict=True)]
        for write, old, new in zip(writes, olds, news, strict=True):
            self._store((write.pk, write.sk), new)
            # DynamoDB's stream is silent about a write that changes nothing.
            if self._on_change and old != new:
                self._changes.append((_copy(old), _copy(new)))

    def _store(self, key: Key, new: Row | None) -> None:
        pk, sk = key
        partition = self._partitions.setdefault(pk, {})
        old = partition.pop(sk, None)
        for name, (hash_attr, _) in INDEXES.items():
            before, now = (str(row.get(hash_attr, "")) if row else "" for row in (old, new))
            if before != now:
                self._indexed.setdefault((name, before), set()).discard(key)
                if now:
                    self._indexed.setdefault((name, now), set()).add(key)
        if new is not None:
            partition[sk] = new

    def _tell(self) -> None:
        # One teller at a time keeps the order; whoever comes meanwhile leaves its change to it.
        while self._changes and self._telling.acquire(blocking=False):
            try:
                while self._changes:
                    old, new = self._changes.popleft()
                    if self._on_change:
                        self._on_change(old, new)
            finally:
                self._telling.release()


def _copy(row: Row | None) -> Row | None:
    return None if row is None else _plain_row(row)


def _plain_row(row: Row) -> Row:
    return {attr: _plain(value) for attr, value in row.items()}


def _after(write: Write, old: Row | None) -> Row | None:
    if write.is_check:
        return old
    if write.delete:
        return None
    row: Row = {} if old is None or write.replace else _plain_row(old)
    row.update(pk=write.pk, sk=write.sk)
    for attr, value in write.set_if_absent.items():
        row.setdefault(attr, _plain(value))
    for attr, value in write.set.items():
        row[attr] = _plain(value)
    for attr, amount in write.add.items():
        found = row.get(attr, 0)
        if isinstance(found, bool) or not isinstance(found, int):
            raise TableRefusedError(f"{attr} is not a number")
        row[attr] = found + amount
    for attr in write.remove:
        row.pop(attr, None)
    _check_row(row)
    return row


def _plain(value: Value) -> Value:
    # A list is copied so that its owner cannot change the row; an enum member becomes plain text.
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _check_row(row: Row) -> None:
    if sum(len(attr.encode()) + _size(value) for attr, value in row.items()) > ROW_LIMIT_BYTES:
        raise TableRefusedError("a row holds at most 400 KB")
    for pair in INDEXES.values():
        for attr in pair:
            if attr in row and (not isinstance(row[attr], str) or not row[attr]):
                raise TableRefusedError(f"{attr} is a key of an index and needs a text")


def _size(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, list):
        return 3 + sum(1 + len(item.encode()) for item in value)
    return 1 if isinstance(value, bool) else 2 + len(str(abs(value))) // 2
