"""What the stand-in system keeps: canonical records by kind and its own id, each with its time."""

from __future__ import annotations

import base64
import copy
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]

SCHEMAS = Path(__file__).parents[3] / "events" / "schemas"
KINDS = {
    "orders": "Order",
    "shipments": "Shipment",
    "invoices": "Invoice",
    "payments": "Payment",
    "refunds": "Refund",
    "returns": "Return",
    "customers": "Customer",
    "products": "Product",
    "prices": "Price",
    "stock_levels": "StockLevel",
}
"""Lists of the API, and whose they are."""
PARTS = ("request", "processing")


class RefusedError(ValueError):
    """The system would not keep this, or the request for it is malformed."""


def singular(kind: str) -> str:
    """What the type of a webhook calls one of a list."""
    return kind.removesuffix("s")


@functools.cache
def _validator(path: str) -> Draft202012Validator | None:
    file = SCHEMAS / path
    return Draft202012Validator(json.loads(file.read_text())) if file.is_file() else None


def mistakes(name: str, record: Any, folder: str = "records") -> list[str]:
    """What in a record is not as its published schema says, by place; nothing without one."""
    validator = _validator(f"{folder}/{name}.v1.json")
    found = validator.iter_errors(record) if validator else ()
    return [f"{'/'.join(map(str, one.absolute_path)) or '.'}: {one.message}" for one in found]


def schema_of(kind: str, part: str | None) -> str:
    """The schema a record of a list is written by."""
    return f"Order{(part or 'request').title()}" if kind == "orders" else KINDS[kind]


def text_of(at: datetime) -> str:
    """A moment as the system writes it: UTC, to the microsecond where it has one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(text: Any) -> datetime:
    """A moment somebody wrote; it must have its zone."""
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise RefusedError(f"{text!r} is no time as RFC 3339 has it") from None
    if at.tzinfo is None:
        raise RefusedError(f"{text} has no zone")
    return at


@dataclass(frozen=True)
class Entry:
    """One record as it is now; without a body it is gone."""

    kind: str
    id: str
    part: str | None
    changed: datetime
    record: Any

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it stands in its list: by its time, then its id."""
        return (
            self.changed.astimezone(UTC).isoformat("T", "microseconds"),
            self.id,
            self.part or "",
        )

    def data(self) -> Json:
        """What is told of it, and what the API shows."""
        shown: Json = {"id": self.id, "changed_at": text_of(self.changed)}
        if self.part:
            shown["part"] = self.part
        return shown | {"record": copy.deepcopy(self.record)}


class Records:
    """Everything the system keeps.

    Args:
        rows: [{kind, id, record, part, changed_at}] it begins with, told to nobody.
        clock: gives the time.
        notify: sends one webhook: its type, the id, its data.
    """

    def __init__(
        self,
        rows: Iterable[Json],
        clock: Callable[[], datetime],
        notify: Callable[[str, str, Json], None],
    ) -> None:
        self._clock = clock
        self._notify = notify
        self._entries: dict[tuple[str, str, str | None], Entry] = {}
        for row in rows:
            kind, part = row["kind"], _part(row["kind"], row.get("part"))
            self._keep(kind, row["id"], row["record"], part, row.get("changed_at"))

    def put(
        self,
        kind: str,
        number: str,
        record: Any,
        *,
        part: str | None = None,
        changed_at: str | None = None,
        is_checked: bool = True,
    ) -> Json:
        """Keep a record in place of the one before, and tell of it."""
        part = _part(kind, part)
        if is_checked and (found := mistakes(schema_of(kind, part), record)):
            raise RefusedError("; ".join(found))
        entry = self._keep(kind, number, record, part, changed_at)
        self._notify(f"{singular(kind)}.updated", number, entry.data())
        return entry.data()

    def delete(
        self, kind: str, number: str, *, part: str | None = None, changed_at: str | None = None
    ) -> Json:
        """Let a record go; its id stays known."""
        part = _part(kind, part)
        if self.get(kind, number, part) is None:
            raise RefusedError(f"{kind} has no {number}")
        entry = self._keep(kind, number, None, part, changed_at)
        told = {name: value for name, value in entry.data().items() if name != "record"}
        self._notify(f"{singular(kind)}.deleted", number, told)
        return entry.data()

    def get(self, kind: str, number: str, part: str | None = None) -> Entry | None:
        """One entry, gone or not; of an order with two parts the request, if none is named."""
        parts: Iterable[str | None] = [part] if part else (None, *PARTS)
        found = (self._entries.get((kind, number, one)) for one in parts)
        return next((one for one in found if one), None)

    def record(self, kind: str, number: str) -> Any:
        """A copy of a record that is there."""
        entry = self.get(kind, number)
        if entry is None or entry.record is None:
            raise RefusedError(f"{kind} has no {number}")
        return copy.deepcopy(entry.record)

    def all(self, kind: str) -> Iterator[Entry]:
        """The entries of a list, unsorted."""
        return (one for one in self._entries.values() if one.kind == kind)

    def page(
        self, kind: str, since: datetime | None, after: str | None, limit: int
    ) -> tuple[list[Json], str | None]:
        """Entries that changed at a time or later, and where the next page begins."""
        known = sorted(
            (one for one in self.all(kind) if since is None or one.changed >= since),
            key=lambda one: one.place,
        )
        if after is not None:
            place = _place(after)
            known = [one for one in known if one.place > place]
        shown = known[:limit]
        more = _cursor(shown[-1].place) if len(known) > limit else None
        return [one.data() for one in shown], more

    def _keep(
        self, kind: str, number: str, record: Any, part: str | None, changed_at: str | None
    ) -> Entry:
        if not number or any(one.isspace() or one == "#" for one in number):
            raise RefusedError(f"an id has no blanks and no #: {number!r}")
        changed = moment(changed_at) if changed_at else self._clock()
        entry = Entry(kind, number, part, changed, copy.deepcopy(record))
        self._entries[kind, number, part] = entry
        return entry


def _part(kind: str, part: str | None) -> str | None:
    if kind not in KINDS:
        raise RefusedError(f"no such list: {kind}")
    if kind != "orders":
        if part:
            raise RefusedError(f"{kind} have no parts")
        return None
    if part not in (None, *PARTS):
        raise RefusedError(f"an order has no part {part}")
    return part or "request"


def _cursor(place: tuple[str, str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> tuple[str, str, str]:
    try:
        changed, number, part = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise RefusedError("after is no cursor of ours") from None
    return changed, number, part
