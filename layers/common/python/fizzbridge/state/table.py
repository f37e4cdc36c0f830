"""The state table as a port: rows, conditions, writes, errors.

Two implementations pass one suite of tests: `fizzbridge.state.memory.MemoryTable` and
`fizzbridge.state.dynamodb.DynamoTable`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | bool | bytes | list[str]
Row: TypeAlias = dict[str, Value]

INDEXES = {"behind": ("behind_shard", "behind_since"), "cause": ("cause", "pk")}
"""Each index and its two key attributes; a row lacking one of them is not in the index."""

TRANSACTION_LIMIT = 100
KEYS = ("pk", "sk")


class ConditionFailedError(Exception):
    """A condition did not hold; nothing of the write or transaction was stored.

    Attributes:
        rows: Per write, the row found where its condition failed; None where there was no row,
            where the condition held, or where the store did not say.
        failed: Positions of the writes whose condition failed.
    """

    def __init__(self, rows: list[Row | None], failed: list[int]) -> None:
        super().__init__(f"condition failed on write {failed}")
        self.rows = rows
        self.failed = failed


class TableUnavailableError(Exception):
    """The table is throttled, down, gone or too slow; a write may or may not be stored."""


class TableRefusedError(ValueError):
    """The request itself is wrong (row too large, bad key): our fault, asking again cannot help."""


class Condition(ABC):
    """What must hold for the stored row, an absent row counting as one without attributes."""

    @abstractmethod
    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""


@dataclass(frozen=True)
class Absent(Condition):
    """The attribute is not there."""

    attr: str

    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""
        return self.attr not in row


@dataclass(frozen=True)
class Present(Condition):
    """The attribute is there."""

    attr: str

    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""
        return self.attr in row


@dataclass(frozen=True)
class Equals(Condition):
    """The attribute is there, of the same type, with this value."""

    attr: str
    value: Value

    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""
        return self.attr in row and _same(row[self.attr], self.value)


@dataclass(frozen=True)
class Less(Condition):
    """The attribute is there, of the same type, and sorts before this value."""

    attr: str
    value: str | int

    def __post_init__(self) -> None:
        if isinstance(self.value, bool):
            raise TableRefusedError(f"{self.attr}: truth values have no order")

    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""
        found = row.get(self.attr)
        if isinstance(found, str) and isinstance(self.value, str):
            # Python sorts by code point, DynamoDB by UTF-8 byte: the same order.
            return found < self.value
        if isinstance(found, int) and isinstance(self.value, int):
            return not isinstance(found, bool) and found < self.value
        return False


@dataclass(frozen=True, init=False)
class AllOf(Condition):
    """Every one of the conditions holds."""

    of: tuple[Condition, ...]

    def __init__(self, *of: Condition) -> None:
        object.__setattr__(self, "of", _some(of))

    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""
        return all(condition.holds(row) for condition in self.of)


@dataclass(frozen=True, init=False)
class AnyOf(Condition):
    """At least one of the conditions holds."""

    of: tuple[Condition, ...]

    def __init__(self, *of: Condition) -> None:
        object.__setattr__(self, "of", _some(of))

    def holds(self, row: Row) -> bool:
        """Tells whether the row meets the condition."""
        return any(condition.holds(row) for condition in self.of)


def NoRow() -> Absent:  # noqa: N802  # reads as one of the conditions
    """The row does not exist."""
    return Absent("pk")


@dataclass(frozen=True)
class Write:
    """A change of one row, applied whole or not at all.

    A write that changes nothing is a check: in a transaction it only adds its condition.
    `add` without a condition may count twice when a reply is lost and the request sent again.

    Attributes:
        pk: Partition key.
        sk: Sort key.
        set: New values of attributes.
        set_if_absent: Values for attributes the row does not have yet.
        add: Amounts added to numbers, an absent one counting as nought.
        remove: Attributes taken away.
        when: Condition on the stored row.
        delete: The row goes away.
        replace: The row becomes exactly `set`.
    """

    pk: str
    sk: str
    set: Mapping[str, Value] = field(default_factory=dict)
    set_if_absent: Mapping[str, Value] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: Collection[str] = ()
    when: Condition | None = None
    delete: bool = False
    replace: bool = False

    def __post_init__(self) -> None:
        named = [*self.set, *self.set_if_absent, *self.add, *self.remove]
        if not self.pk or not self.sk:
            raise TableRefusedError("both keys of a row need a text")
        if len({*named, *KEYS}) != len(named) + len(KEYS):
            raise TableRefusedError(f"an attribute is named twice, or is a key: {sorted(named)}")
        if self.delete and (named or self.replace):
            raise TableRefusedError("a deleted row takes no attributes")
        if self.replace and len(named) != len(self.set):
            raise TableRefusedError("a replaced row takes only set")

    @property
    def is_check(self) -> bool:
        """Whether the write changes nothing."""
        changes = self.set or self.set_if_absent or self.add or self.remove
        return not (changes or self.delete or self.replace)


class Table(Protocol):
    """Rows under a partition and a sort key; every method may raise `TableUnavailableError`."""

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Row | None:
        """Reads one row."""
        ...

    def query(
        self, pk: str, prefix: str = "", *, limit: int | None = None, after: str | None = None
    ) -> list[Row]:
        """Reads the rows of a partition in order of `sk`: those under a prefix, after a key."""
        ...

    def write(self, write: Write) -> Row:
        """Applies one write and returns the row after it (empty when deleted).

        Raises:
            ConditionFailedError: With the row found. Never raised for a write of our own whose
                reply was lost and that was sent again: that one succeeds.
        """
        ...

    def transact(self, writes: Sequence[Write]) -> None:
        """Applies up to 100 writes of different rows, all or none.

        Raises:
            ConditionFailedError: With the rows found by the writes that failed.
        """
        ...

    def index(
        self, name: str, pk: str, *, up_to: str | None = None, limit: int = 100
    ) -> list[tuple[str, str]]:
        """Lists keys (pk, sk) of rows in an index, ascending, at most `up_to`; may be stale."""
        ...

    def rows(self) -> Iterable[Row]:
        """Reads every row, in no order that counts: for a restore, never in a function."""
        ...


def check_single(write: Write) -> None:
    """Refuses what cannot be written alone."""
    if write.is_check:
        raise TableRefusedError("a write that changes nothing belongs in a transaction")
    check_key(write.pk, write.sk)


def check_transaction(writes: Sequence[Write]) -> None:
    """Refuses what no implementation can transact."""
    if not 0 < len(writes) <= TRANSACTION_LIMIT:
        raise TableRefusedError(f"a transaction holds 1 to 100 writes, not {len(writes)}")
    if len({(write.pk, write.sk) for write in writes}) != len(writes):
        raise TableRefusedError("a transaction may touch a row only once")
    if any(write.is_check and write.when is None for write in writes):
        raise TableRefusedError("a check needs a condition")
    for write in writes:
        check_key(write.pk, write.sk)


def check_key(pk: str, sk: str) -> None:
    """Refuses what is no key: DynamoDB has no empty ones, and an answer of its own for them."""
    if not (pk and sk):
        raise TableRefusedError("a key is not empty")


def after_within(prefix: str, after: str | None) -> tuple[bool, str | None]:
    """Narrows a query's start to its prefix: DynamoDB refuses a start outside the range.

    Returns:
        Whether any row can follow, and the start key to use.
    """
    if after is None or after.startswith(prefix):
        return True, after
    return after < prefix, None


def _same(left: Value, right: Value) -> bool:
    # True == 1 in Python, not in the table.
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _some(of: tuple[Condition, ...]) -> tuple[Condition, ...]:
    if not of:
        raise TableRefusedError("a compound condition needs at least one part")
    return of
