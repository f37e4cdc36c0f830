"""What the Odoo sandbox stores: one database, transactions over it, and the vendor's errors."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]
"""An external id: module and name."""

MODELS: dict[str, Row] = {
    model: facts
    for path in sorted(Path(__file__).parent.glob("sandbox_fields*.json"))
    for model, facts in json.loads(path.read_text()).items()
}
COMMON: Row = MODELS.pop("*")["fields"]
MOMENT, DAY = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"
INDEXED = {
    "sale.order.line": ("order_id",),
    "stock.picking": ("sale_id",),
    "stock.move": ("picking_id", "sale_line_id"),
    "stock.move.line": ("move_id",),
    "stock.quant": ("product_id",),
    "account.move.line": ("move_id", "sale_line_ids"),
}
"""The columns rows are looked up by, often: without an index every order would cost all orders."""
KINDS = {
    "UserError": ("odoo.exceptions", 422),
    "ValidationError": ("odoo.exceptions", 422),
    "AccessError": ("odoo.exceptions", 403),
    "MissingError": ("odoo.exceptions", 404),
    "AccessDenied": ("odoo.exceptions", 403),
    "BadRequest": ("werkzeug.exceptions", 400),
    "Unauthorized": ("werkzeug.exceptions", 401),
    "NotFound": ("werkzeug.exceptions", 404),
    "UnprocessableEntity": ("werkzeug.exceptions", 422),
    "OperationalError": ("psycopg2", 500),
}


class OdooError(Exception):
    """An error as the vendor reports it: its class name decides the HTTP status."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        module, self.status = KINDS.get(kind, ("builtins", 500))
        self.name, self.message = f"{module}.{kind}", message

    def body(self) -> Row:
        """The error object: the JSON-2 body, or ``data`` of a JSON-RPC error."""
        arguments: list[Any] = [self.message]
        if self.name.startswith("werkzeug"):
            arguments.append(self.status)
        debug = f"Traceback (most recent call last):\n  ...\n{self.name}: {self.message}\n"
        return {
            "name": self.name,
            "message": self.message,
            "arguments": arguments,
            "context": {},
            "debug": debug,
        }


class ImportFailedError(Exception):
    """A cell that ``load`` cannot turn into a value; ``details`` is the vendor's message."""

    def __init__(
        self, path: Sequence[str], labels: Sequence[str], text: str, model: str = ""
    ) -> None:
        super().__init__(text)
        message = f"{text} '{'/'.join(labels)}'"
        self.details: Row = {"field": path[0], "message": message, "field_name": labels[0]}
        if model:
            self.details["moreinfo"] = {
                "name": "Possible Values",
                "type": "ir.actions.act_window",
                "target": "new",
                "view_mode": "list,form",
                "views": [[False, "list"], [False, "form"]],
                "context": {"create": False},
                "help": "See all possible values",
                "res_model": "ir.model.data",
                "domain": [["model", "=", model]],
            }


@dataclass(frozen=True)
class User:
    """Who calls: the owner of the API key or password."""

    uid: int
    login: str
    groups: tuple[str, ...] = ()
    tz: str = ""


class Store:
    """One database: committed rows, sequences, and the external ids being inserted right now.

    Args:
        first_id: the first id of every model.
        clock: gives the time in UTC.
        modules: the modules installed beside those every database of this sandbox has.
    """

    def __init__(
        self, first_id: int, clock: Callable[[], datetime], modules: Collection[str]
    ) -> None:
        self.clock, self.modules = clock, frozenset(modules)
        self.rows: dict[str, dict[int, Row]] = {model: {} for model in MODELS}
        self.fields: dict[str, Row] = {
            model: COMMON
            | {name: field for name, field in facts["fields"].items() if self.has(field)}
            for model, facts in MODELS.items()
            if self.has(facts)
        }
        self.index: dict[tuple[str, str, Any], set[int]] = defaultdict(set)
        # Sequences live outside transactions: a failed create leaves a gap in ids and numbers.
        self.numbers: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(first_id))
        self.series: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self.inserting: set[Key] = set()
        self.lock = threading.Condition()

    def has(self, facts: Row) -> bool:
        """Whether a model or field is there: some come with a module of their own."""
        return facts.get("module") in {None, *self.modules}


class Transaction:
    """Uncommitted changes over a store; ``now`` is its start, which every changed row bears."""

    def __init__(self, store: Store, began: timedelta = timedelta()) -> None:
        self.store = store
        instant = store.clock() - began
        self.now, self.today = instant.strftime(MOMENT), instant.strftime(DAY)
        # The API cuts the second's fraction off; webhooks show it.
        self.stamp: Row = {"write_date": self.now, "write_fraction": f"{instant.microsecond:06}"}
        self.born = self.stamp | {
            "create_date": self.now,
            "create_fraction": self.stamp["write_fraction"],
        }
        self.changes: dict[tuple[str, int], Row | None] = {}
        self.touched: dict[str, set[int]] = defaultdict(set)
        self.keys: set[Key] = set()
        self.counts: Counter[str] = Counter()

    def rows(self, model: str) -> Iterator[Row]:
        """All rows as this transaction sees them, by id."""
        for id_ in sorted(self.store.rows[model].keys() | self.touched[model]):
            row = self.get(model, id_)
            if row is not None:
                yield row

    def where(self, model: str, column: str, value: Any) -> list[Row]:
        """The rows with a value in a column, or in a list, by id."""
        if column not in INDEXED.get(model, ()):
            return [row for row in self.rows(model) if row.get(column) == value]
        ids = self.store.index[model, column, value] | self.touched[model]
        rows = [row for id_ in sorted(ids) if (row := self.get(model, id_))]
        return [row for row in rows if value in listed(row.get(column), keep=True)]

    def get(self, model: str, id_: Any) -> Row | None:
        """One row as this transaction sees it."""
        base, change = self.store.rows[model].get(id_), self.changes.get((model, id_), {})
        if change is None or (base is None and not change):
            return None
        return {**(base or {}), **change}

    def put(self, model: str, id_: int, values: Row) -> None:
        """Change or add a row."""
        self.touched[model].add(id_)
        self.changes[model, id_] = {**(self.changes.get((model, id_)) or {}), **values}

    def change(self, model: str, id_: int, values: Row) -> bool:
        """Change a row and its ``write_date`` if a value really differs; tells whether one did."""
        row = self.get(model, id_) or {}
        if all(name in row and row[name] == value for name, value in values.items()):
            return False
        self.put(model, id_, values | self.stamp)
        return True

    def commit(self) -> None:
        """Make the changes visible; a row deleted by others meanwhile stays deleted."""
        for (model, id_), change in self.changes.items():
            rows = self.store.rows[model]
            if change is None:
                rows.pop(id_, None)
            elif "id" in change or id_ in rows:
                rows[id_] = {**rows.get(id_, {}), **change}
                for column in INDEXED.get(model, ()):
                    for value in listed(rows[id_].get(column)):
                        self.store.index[model, column, value].add(id_)

    def rollback(self) -> None:
        """Forget everything."""
        self.changes.clear()
        self.touched.clear()
        self.keys.clear()
        self.counts.clear()

    def known(self, key: Key | None) -> Row | None:
        """The row of an external id."""
        rows = self.rows("ir.model.data")
        return next((row for row in rows if (row["module"], row["name"]) == key), None)


def external_key(text: str) -> Key | None:
    """Module and name of an external id; without a module it is the import's own."""
    module, dot, name = text.partition(".")
    return ((module, name) if dot else ("__import__", text)) if text else None


def later(day: str, days: int) -> str:
    """The date some days after another."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def is_list(value: Any) -> bool:
    """Whether a JSON value is a list."""
    return isinstance(value, list | tuple)


def listed(value: Any, keep: bool = False) -> list[Any]:
    """A value as a list; with ``keep`` an empty value too is an entry."""
    if is_list(value):
        return list(value)
    return [value] if keep or value else []


def moment(text: str, form: str) -> str:
    """A date or datetime text, checked: the vendor takes no offset and no other form."""
    if text.endswith("Z") or re.search(r"[+-]\d\d:?\d\d$", text[len("2026-11-01") :]):
        raise ValueError(f"expecting only datetimes with no timezone: {text!r}")
    return datetime.strptime(text, form).replace(tzinfo=UTC).strftime(form)
