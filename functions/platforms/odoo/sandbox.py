"""A strict stand-in for Odoo 19.0: JSON-2 and JSON-RPC over one engine, for tests and the demo.

Vendor documentation: https://www.odoo.com/documentation/19.0/developer/reference/external_api.html.
Each call is one transaction in a worker thread of its own, as on the vendor's server: the work goes
on and is committed when the client hangs up, and nobody sees it before. ``sandbox_fields.json``
holds the models and fields of this subset; everything else is refused as unknown.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.control import control_routes
from sandbox.faults import Faults

Row = dict[str, Any]
Test = Callable[[Row], bool]
Columns = Sequence[str]

MODELS: dict[str, Row] = json.loads(Path(__file__).with_name("sandbox_fields.json").read_text())
COMMON: Row = {
    "id": {"type": "integer", "string": "ID", "required": False, "readonly": True},
    "display_name": {"type": "char", "string": "Display Name", "required": False, "readonly": True},
    "create_date": {
        "type": "datetime",
        "string": "Created on",
        "required": False,
        "readonly": True,
    },
    "write_date": {
        "type": "datetime",
        "string": "Last Updated on",
        "required": False,
        "readonly": True,
    },
}
EMPTY: Row = {"integer": 0, "float": 0.0, "monetary": 0.0, "many2many": ()}
MOMENT, DAY = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"
VERSION = [19, 0, 0, "final", 0, ""]
SERIALIZATION = "could not serialize access due to concurrent update\n"
MODEL_METHODS = {"create", "search", "search_read", "search_count", "fields_get", "load"}
MODEL_METHODS |= {"context_get"}
RECORD_METHODS = {"read", "write", "unlink", "get_external_id", "action_confirm", "action_cancel"}
RECORD_METHODS |= {"action_draft", "action_lock", "action_unlock"}
DEFAULTS: dict[str, Row] = {
    "res.partner": {"type": "contact", "lang": "en_US"},
    "product.product": {
        "type": "consu",
        "tracking": "none",
        "invoice_policy": "order",
        "sale_ok": True,
    },
    "account.tax": {
        "amount_type": "percent",
        "type_tax_use": "sale",
        "price_include_override": "tax_excluded",
    },
    "uom.uom": {"relative_factor": 1.0},
    "res.currency": {"decimal_places": 2},
    "sale.order": {"state": "draft", "locked": False},
    "sale.order.line": {"sequence": 10, "customer_lead": 0.0, "product_uom_qty": 1.0},
}
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
    """One database: committed rows, sequences, and the external ids being inserted right now."""

    def __init__(self, first_id: int) -> None:
        self.rows: dict[str, dict[int, Row]] = {model: {} for model in MODELS}
        # Sequences live outside transactions: a failed create leaves a gap in ids and numbers.
        self.numbers: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(first_id))
        self.inserting: set[tuple[str, str]] = set()
        self.lock = threading.Condition()


class Transaction:
    """Uncommitted changes over a store; ``now`` is its start, which every changed row bears."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = datetime.now(UTC).strftime(MOMENT)
        self.changes: dict[tuple[str, int], Row | None] = {}
        self.keys: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()

    def rows(self, model: str) -> Iterator[Row]:
        """All rows as this transaction sees them, by id."""
        changed = {id_ for name, id_ in self.changes if name == model}
        for id_ in sorted(self.store.rows[model].keys() | changed):
            row = self.get(model, id_)
            if row is not None:
                yield row

    def get(self, model: str, id_: Any) -> Row | None:
        """One row as this transaction sees it."""
        base, change = self.store.rows[model].get(id_), self.changes.get((model, id_), {})
        if change is None or (base is None and not change):
            return None
        return {**(base or {}), **change}

    def put(self, model: str, id_: int, values: Row) -> None:
        """Change or add a row."""
        self.changes[model, id_] = {**(self.changes.get((model, id_)) or {}), **values}

    def commit(self) -> None:
        """Make the changes visible; a row deleted by others meanwhile stays deleted."""
        for (model, id_), change in self.changes.items():
            rows = self.store.rows[model]
            if change is None:
                rows.pop(id_, None)
            elif "id" in change or id_ in rows:
                rows[id_] = {**rows.get(id_, {}), **change}

    def rollback(self) -> None:
        """Forget everything."""
        self.changes.clear()
        self.keys.clear()
        self.counts.clear()


class Records:
    """Records of one model as one user sees them in one transaction; public methods are the API."""

    def __init__(
        self, txn: Transaction, user: User, model: str, ids: Sequence[int], context: Row
    ) -> None:
        self.txn, self.user, self.model, self.ids, self.context = txn, user, model, ids, context
        self.fields: Row = COMMON | MODELS[model]["fields"]

    # The vendor's public methods: parameter names are the JSON-2 argument names.

    def create(self, vals_list: Any) -> list[int]:
        """Insert records; one dict stands for a list of one."""
        self.check_access("create")
        ids = [self.insert(vals) for vals in (vals_list if _is_list(vals_list) else [vals_list])]
        self.txn.counts[f"{self.model}/create"] += len(ids)
        return ids

    def write(self, vals: Row) -> bool:
        """Change all records alike."""
        self.check_access("write")
        for id_ in self.ids:
            self.update(id_, vals)
        self.txn.counts[f"{self.model}/write"] += len(self.ids)
        return True

    def unlink(self) -> bool:
        """Delete the records and their external ids."""
        self.check_access("unlink")
        for id_ in self.ids:
            self.before_unlink(self.row(id_))
            self.drop(id_)
        self.txn.counts[f"{self.model}/unlink"] += len(self.ids)
        return True

    def read(self, fields: Any = None, load: Any = "_classic_read") -> list[Row]:
        """Read fields; unknown ids are left out without a word."""
        self.check_access("read")
        names = list(dict.fromkeys(["id", *(fields or self.fields)]))
        for name in names:
            if name not in self.fields:
                raise ValueError(f"Invalid field {name!r} on {self.model!r}")
        rows = [row for id_ in self.ids if (row := self.txn.get(self.model, id_)) is not None]
        return [{name: self.shown(row, name, bool(load)) for name in names} for row in rows]

    def search(
        self, domain: Any, offset: int = 0, limit: int | None = None, order: str | None = None
    ) -> list[int]:
        """Ids of the visible records a domain fits."""
        self.check_access("read")
        fits = self.compiled(domain)
        rows = [row for row in self.txn.rows(self.model) if self.is_visible(row) and fits(row)]
        asks_for_archived = any(_is_list(leaf) and leaf[0] == "active" for leaf in domain)
        if self.context.get("active_test", True) and not asks_for_archived:
            rows = [row for row in rows if row.get("active", True)]
        self.sort(rows, order or MODELS[self.model]["order"])
        return [row["id"] for row in rows][offset : offset + limit if limit else None]

    def search_count(self, domain: Any, limit: int | None = None) -> int:
        """How many records a domain fits."""
        return len(self.search(domain, limit=limit))

    def search_read(
        self,
        domain: Any = None,
        fields: Any = None,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        load: Any = "_classic_read",
    ) -> list[Row]:
        """Search and read in one call."""
        found = self.search(domain or [], offset, limit, order)
        return self.on(self.model, found).read(fields, load)

    def fields_get(self, allfields: Any = None, attributes: Any = None) -> Row:
        """Describe the fields."""
        return {
            name: {
                key: value for key, value in field.items() if not attributes or key in attributes
            }
            for name, field in self.fields.items()
            if not allfields or name in allfields
        }

    def get_external_id(self) -> dict[str, str]:
        """The external id of each record, empty when it has none."""
        keys = {
            row["res_id"]: f"{row['module']}.{row['name']}"
            for row in self.txn.rows("ir.model.data")
            if row["model"] == self.model
        }
        return {str(id_): keys.get(id_, "") for id_ in self.ids}

    def load(self, fields: list[str], data: list[list[Any]]) -> Row:
        """Import rows of cells; any failing record leaves nothing stored and ``ids`` false."""
        paths = [name.split("/") for name in fields]
        for path in paths:
            self.check_path(path)
        keys = {self.key(str(row[fields.index("id")] or "")) for row in data if "id" in fields}
        if self.lost_a_race(keys):
            rows = {"from": 0, "to": len(data) - 1}
            message = {"rows": rows, "record": 0, "type": "error", "message": SERIALIZATION}
            return {"ids": False, "messages": [message], "nextrow": 0}
        ids, messages = [], []
        for number, (first, last) in enumerate(self.spans(paths, data)):
            where = {"rows": {"from": first, "to": last}, "record": number, "type": "error"}
            try:
                ids.append(self.upsert(self.imported(paths, data[first : last + 1])))
            except ImportFailedError as error:
                messages.append({**where, **error.details})
            except OdooError as error:
                messages.append({**where, "message": error.message})
        if messages:
            self.txn.rollback()
        return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}

    # What the methods above are made of.

    def on(self, model: str, ids: Sequence[int] = ()) -> Records:
        """Records of another model for the same user in the same transaction."""
        if model not in MODELS:
            raise KeyError(model)
        return CLASSES.get(model, Records)(self.txn, self.user, model, ids, self.context)

    def check_access(self, operation: str) -> None:
        """Refuse what none of the user's groups allows."""
        groups = MODELS[self.model].get("read_groups" if operation == "read" else "write_groups")
        if groups is None or set(groups) & set(self.user.groups):
            return
        label = MODELS[self.model]["label"]
        allowed = "\n".join(f"\t- {group}" for group in groups)
        raise OdooError(
            "AccessError",
            f"You are not allowed to {_VERBS[operation]} '{label}' ({self.model}) records.\n\n"
            f"This operation is allowed for the following groups:\n{allowed}\n\n"
            "Contact your administrator to request access if necessary.",
        )

    def row(self, id_: Any) -> Row:
        """The row of an id that must exist."""
        row = self.txn.get(self.model, id_)
        if row is None:
            record = f"(Record: {self.model}({id_},), User: {self.user.uid})"
            raise OdooError("MissingError", f"Record does not exist or has been deleted.\n{record}")
        return row

    def is_visible(self, row: Row) -> bool:
        """The record rule of the model."""
        return self.model != "res.users.apikeys" or row["user_id"] == self.user.uid

    def value(self, row: Row, name: str) -> Any:
        """A field's raw value, computed where the vendor computes it; many2one as an id."""
        compute = COMPUTED.get((self.model, name)) or COMPUTED.get(("", name))
        if compute is not None:
            return compute(self, row)
        field = self.fields[name]
        if field["type"] == "one2many":
            children = self.on(field["relation"])
            return children.search([[field["relation_field"], "=", row["id"]]], order="id")
        return row.get(name, EMPTY.get(field["type"], False))

    def shown(self, row: Row, name: str, as_pairs: bool) -> Any:
        """A field's value as ``read`` gives it."""
        value, field = self.value(row, name), self.fields[name]
        if field["type"] == "many2one" and value and as_pairs:
            return [value, self.on(field["relation"]).label(value)]
        return list(value) if field["type"] == "many2many" else value

    def label(self, id_: Any) -> str:
        """The display name of an id."""
        row = self.txn.get(self.model, id_)
        return str(self.value(row, "display_name")) if row else ""

    def sort(self, rows: list[Row], order: str) -> None:
        """Sort in place by the clauses of an order; empty values come last, or first descending."""
        for clause in reversed(order.split(",")):
            name, _, direction = clause.strip().partition(" ")
            if name not in self.fields or direction.lower() not in {"", "asc", "desc"}:
                raise ValueError(f"Invalid order {clause.strip()!r} on {self.model!r}")
            keys = {row["id"]: self.value(row, name) for row in rows}
            rows.sort(
                key=lambda row, keys=keys: (keys[row["id"]] is False, keys[row["id"]]),  # type: ignore[misc]  # the default binds the loop's dict
                reverse=direction.lower() == "desc",
            )

    # Domains.

    def compiled(self, domain: Any) -> Test:
        """A test for rows out of a domain in prefix notation with implied ``&``."""
        tests: list[Test] = []
        for item in reversed(domain):
            if item == "!":
                tests.append(_negated(tests.pop()))
            elif item in ("&", "|"):
                tests.append(_joined(any if item == "|" else all, [tests.pop(), tests.pop()]))
            elif _is_list(item) and len(item) == 3:
                tests.append(self.leaf(*item))
            else:
                raise ValueError(f"Invalid domain item {item!r}")
        return _joined(all, tests)

    def leaf(self, path: str, operator: str, operand: Any) -> Test:
        """A test for one condition; a dotted path holds when any related record fits."""
        name, _, rest = str(path).partition(".")
        if name not in self.fields:
            text = f"Invalid field {self.model}.{name} in condition {(path, operator, operand)!r}"
            raise ValueError(text)
        field = self.fields[name]
        if operator == "child_of":
            family = self.descendants(operand)
            return lambda row: bool(family & set(_listed(self.value(row, name))))
        if operator not in OPERATORS:
            raise ValueError(f"Invalid operator in condition {(path, operator, operand)!r}")
        if rest:
            related = self.on(field["relation"])
            fits = related.leaf(rest, operator, operand)
            return lambda row: any(fits(related.row(id_)) for id_ in _listed(self.value(row, name)))
        return self.comparison(name, operator, operand)

    def comparison(self, name: str, operator: str, operand: Any) -> Test:
        """A test of one field of the row itself."""
        field = self.fields[name]
        if ("in" in operator.split()) != _is_list(operand):
            raise ValueError(f"Invalid value {operand!r} for operator {operator!r} on {name!r}")
        operands = [self.operand(field, value) for value in _listed(operand)]
        by_name = "relation" in field and any(isinstance(value, str) for value in operands)
        positive = operator.removeprefix("not ").replace("!=", "=")
        wanted: Any = operands if positive == "in" else operands[0] if operands else False

        def fits(row: Row) -> bool:
            values = self.value(row, name)
            if "relation" in field:
                values = [
                    self.on(field["relation"]).label(v) if by_name else v for v in _listed(values)
                ]
                values = values or [False]
            return any(OPERATORS[positive](value, wanted) for value in _listed(values, keep=True))

        return fits if positive == operator else _negated(fits)

    def operand(self, field: Row, value: Any) -> Any:
        """A domain's value, checked where the vendor checks it."""
        if field["type"] in ("datetime", "date") and isinstance(value, str):
            return _moment(value, MOMENT if len(value) > len("2026-11-01") else DAY)
        return False if value is None or value == "" else value

    def descendants(self, operand: Any) -> set[int]:
        """Ids of the given partners and of everything below them."""
        found = set(_listed(operand))
        while True:
            below = {
                row["id"] for row in self.txn.rows(self.model) if row.get("parent_id") in found
            }
            if below <= found:
                return found
            found |= below

    # Writing.

    def insert(self, vals: Row, key: tuple[str, str] | None = None) -> int:
        """Add one record with its children, and its external id if it has one."""
        values, children = self.split(vals, {})
        self.complete(values)
        id_ = next(self.txn.store.numbers[self.model])
        stamps = {"id": id_, "create_date": self.txn.now, "write_date": self.txn.now}
        self.check({**values, **stamps})
        self.txn.put(self.model, id_, {**values, **stamps})
        if key:
            module, name = key
            names = {"module": module, "name": name, "model": self.model, "res_id": id_}
            held = bool(self.context.get("noupdate"))
            self.on("ir.model.data").insert({**names, "noupdate": held})
            self.txn.keys.add(key)
        self.change_children(id_, children)
        self.changed([id_])
        return id_

    def update(self, id_: int, vals: Row) -> None:
        """Change one record and its children."""
        row = self.row(id_)
        values, children = self.split(vals, row)
        self.before_update(row, values)
        self.check({**row, **values})
        self.txn.put(self.model, id_, {**values, "write_date": self.txn.now})
        self.change_children(id_, children)
        self.changed([id_])

    def drop(self, id_: int) -> None:
        """Delete one record, what belongs to it, and its external id."""
        for field in self.fields.values():
            if field["type"] == "one2many":
                children = self.on(field["relation"])
                for row in list(self.txn.rows(field["relation"])):
                    if row.get(field["relation_field"]) == id_:
                        children.drop(row["id"])
        for row in list(self.txn.rows("ir.model.data")):
            if (row["model"], row["res_id"]) == (self.model, id_):
                self.txn.changes["ir.model.data", row["id"]] = None
        self.txn.changes[self.model, id_] = None

    def complete(self, values: Row) -> None:
        """Add the defaults for values not given."""
        defaults = {"active": True} if "active" in self.fields else {}
        for name, value in (defaults | DEFAULTS.get(self.model, {})).items():
            values.setdefault(name, value)

    def before_update(self, row: Row, values: Row) -> None:
        """Refuse a change or add to it, by the rules of the model."""

    def before_unlink(self, row: Row) -> None:
        """Refuse a deletion, by the rules of the model."""

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute what depends on changed records."""

    def check(self, row: Row) -> None:
        """Database constraints: required values, unique keys."""
        for name, field in self.fields.items():
            missing = row.get(name, EMPTY.get(field["type"], False)) is False
            if field["required"] and not field["readonly"] and missing:
                raise OdooError("ValidationError", _required(field["string"], name, self.model))
        if self.model in UNIQUE:
            columns, constraint = UNIQUE[self.model]
            key = [row.get(column) or "" for column in columns]
            twins = (other for other in self.txn.rows(self.model) if other["id"] != row.get("id"))
            if all(key) and any([other.get(c) for c in columns] == key for other in twins):
                detail = f"Key ({', '.join(columns)})=({', '.join(key)}) already exists.\n"
                raise OdooError("ValidationError", f"{constraint}{detail}")

    def split(self, vals: Row, row: Row) -> tuple[Row, Row]:
        """Checked values of the record's own columns, and the commands for its children."""
        values: Row = {}
        children: Row = {}
        for name, value in vals.items():
            if name not in self.fields:
                raise ValueError(f"Invalid field {name!r} in {self.model!r}")
            field = self.fields[name]
            # The vendor ignores values for what it computes (a currency_id of an order) in silence.
            if field["readonly"]:
                continue
            if field["type"] == "one2many":
                children[name] = value or []
            elif field["type"] == "many2many":
                values[name] = self.linked(name, row.get(name, ()), value or [])
            else:
                values[name] = self.converted(name, value)
        return values, children

    def converted(self, name: str, value: Any) -> Any:
        """One value as the column stores it."""
        field = self.fields[name]
        kind = field["type"]
        if kind in CASTS:
            return CASTS[kind](value or 0)
        if value is None or value is False or value == "":
            return False
        if kind == "many2one":
            if not isinstance(value, int):
                raise ValueError(f"Wrong value for {self.model}.{name}: {value!r}")
            self.check_target(name, value)
        elif kind == "selection":
            if value not in [option for option, _ in field["selection"]]:
                raise ValueError(f"Wrong value for {self.model}.{name}: {value!r}")
        elif kind in ("datetime", "date"):
            return _moment(str(value), MOMENT if kind == "datetime" else DAY)
        elif kind == "html":
            return value if str(value).startswith("<") else f"<p>{escape(value)}</p>"
        return value if kind == "many2one" else str(value)

    def check_target(self, name: str, id_: int) -> None:
        """Refuse a link to nothing: orders read the target, elsewhere the database objects."""
        relation = self.fields[name]["relation"]
        if self.txn.get(relation, id_) is not None:
            return
        if self.model in ("sale.order", "sale.order.line"):
            self.on(relation).row(id_)
        table, other = self.model.replace(".", "_"), relation.replace(".", "_")
        raise OdooError(
            "ValidationError",
            f'The operation cannot be completed: insert or update on table "{table}" violates '
            f'foreign key constraint "{table}_{name}_fkey"\nDETAIL:  Key ({name})=({id_}) is not '
            f'present in table "{other}".\n',
        )

    def linked(self, name: str, current: Iterable[int], commands: list[Any]) -> list[int]:
        """The ids of a many2many after its commands; bare ids replace."""
        if all(isinstance(command, int) for command in commands):
            commands = [[6, 0, commands]]
        ids = list(current)
        for code, target, extra in (_command(command) for command in commands):
            if code not in (3, 4, 5, 6):
                raise ValueError(f"Wrong value for {self.model}.{name}: {commands!r}")
            if code in (5, 6):
                ids = list(extra or []) if code == 6 else []
            elif code == 3:
                ids = [id_ for id_ in ids if id_ != target]
            elif target not in ids:
                ids.append(target)
        for id_ in ids:
            self.check_target(name, id_)
        return ids

    def change_children(self, id_: int, children: dict[str, list[Any]]) -> None:
        """Carry out the commands of the one2many fields."""
        for name, commands in children.items():
            field = self.fields[name]
            records, link = self.on(field["relation"]), {field["relation_field"]: id_}
            for code, target, extra in (_command(command) for command in commands):
                if code == 0:
                    records.insert({**extra, **link}, target or None)
                elif code == 1:
                    records.update(target, extra)
                elif code == 4:
                    records.update(target, link)
                else:
                    kept = set(extra or ()) if code == 6 else set()
                    linked = [
                        row["id"]
                        for row in self.txn.rows(records.model)
                        if row.get(field["relation_field"]) == id_
                    ]
                    gone = [target] if code in (2, 3) else [i for i in linked if i not in kept]
                    for child in gone:
                        records.before_unlink(records.row(child))
                        records.drop(child)

    # Import of cells.

    def check_path(self, path: Sequence[str]) -> None:
        """Refuse a column that names no field."""
        name, *rest = path
        if name in ("id", ".id") and not rest:
            return
        if name not in self.fields:
            raise ValueError(f"Invalid field {name!r} in {self.model!r}")
        if rest:
            self.on(self.fields[name]["relation"]).check_path(rest)

    def spans(self, paths: Sequence[Columns], data: list[list[Any]]) -> list[tuple[int, int]]:
        """First and last row of each record: one with no cell of its own adds to the one before."""
        own = [column for column, path in enumerate(paths) if not self.is_nested(path)]
        starts = [
            number
            for number, row in enumerate(data)
            if number == 0 or any(not _blank(row[column]) for column in own)
        ]
        return [(a, b - 1) for a, b in itertools.pairwise([*starts, len(data)])]

    def is_nested(self, path: Columns) -> bool:
        """Whether a column belongs to child records."""
        return path[0] in self.fields and self.fields[path[0]]["type"] == "one2many"

    def imported(
        self, paths: Sequence[Columns], rows: list[list[Any]], above: Sequence[Columns] = ()
    ) -> Row:
        """The values of one record and, as commands, of its children."""
        nested: dict[str, list[int]] = defaultdict(list)
        vals: Row = {}
        for column, path in enumerate(paths):
            if self.is_nested(path):
                nested[path[0]].append(column)
            else:
                vals[path[0]] = self.cell(path, rows[0][column], above)
        for name, columns in nested.items():
            child = self.on(self.fields[name]["relation"])
            below = [paths[column][1:] for column in columns]
            cells = [[row[column] for column in columns] for row in rows]
            trail = [*above, (name, self.fields[name]["string"])]
            vals[name] = [
                child.child_command(child.imported(below, [line], trail))
                for line in cells
                if not all(_blank(cell) for cell in line)
            ]
        return vals

    def child_command(self, vals: Row) -> list[Any]:
        """Update the child its external id names, else create one (and give it that id)."""
        key = self.key(vals.pop("id", ""))
        known = self.known(key) if key else None
        return [1, known["res_id"], vals] if known else [0, key, vals]

    def cell(self, path: Columns, cell: Any, above: Sequence[Columns]) -> Any:
        """The value of one cell; an empty cell means an empty value, never a default."""
        name = path[0]
        if name in ("id", ".id"):
            return "" if _blank(cell) else str(cell)
        field = self.fields[name]
        if _blank(cell):
            return [] if field["type"] == "many2many" else False
        if field["type"] == "many2many":
            parts = str(cell).split(",")
            return [self.target(path, part, above) for part in parts]
        if field["type"] == "many2one":
            return self.target(path, str(cell), above)
        try:
            return self.parsed(field, str(cell))
        except ValueError as error:
            text = f"'{cell}' {NOT_A[field['type']]} for field"
            raise self.import_error(path, above, text) from error

    def parsed(self, field: Row, text: str) -> Any:
        """A plain cell by its field's type; times are in the caller's time zone."""
        kind = field["type"]
        if kind in ("integer", "float", "monetary"):
            return CASTS[kind](text)
        if kind == "boolean":
            if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
                raise ValueError(text)
            return text.lower() in ("1", "true", "yes")
        if kind == "selection":
            options = {label: option for option, label in field["selection"]}
            if text not in options and text not in options.values():
                raise ValueError(text)
            return options.get(text, text)
        if kind == "datetime":
            zone = ZoneInfo(self.context.get("tz") or self.user.tz or "UTC")
            local = datetime.strptime(_moment(text, MOMENT), MOMENT).replace(tzinfo=zone)
            return local.astimezone(UTC).strftime(MOMENT)
        return _moment(text, DAY) if kind == "date" else text

    def target(self, path: Columns, text: str, above: Sequence[Columns]) -> int:
        """The record a relation's cell means: by database id, external id or name."""
        name, *rest = path
        related = self.on(self.fields[name]["relation"])
        by = rest[0] if rest else "name"
        found: list[int] = []
        if by == ".id":
            if not text.strip().isdigit():
                raise self.import_error(path, above, f"Invalid database id '{text}' for the field")
            found = [int(text)] if self.txn.get(related.model, int(text)) else []
        elif by == "id":
            known = self.known(self.key(text))
            found = [known["res_id"]] if known and known["model"] == related.model else []
        else:
            found = [
                r["id"] for r in self.txn.rows(related.model) if related.label(r["id"]) == text
            ]
        if not found:
            kind = {".id": "database id", "id": "external id"}.get(by, "name")
            no_match = f"No matching record found for {kind} '{text}' in field"
            raise self.import_error(path, above, no_match, related.model)
        return found[0]

    def import_error(
        self, path: Columns, above: Sequence[Columns], text: str, model: str = ""
    ) -> ImportFailedError:
        """The message about a cell, which names the fields from the record down."""
        trail = [*above, (path[0], self.fields[path[0]]["string"])]
        return ImportFailedError([n for n, _ in trail], [label for _, label in trail], text, model)

    def key(self, text: str) -> tuple[str, str] | None:
        """Module and name of an external id; without a module it is the import's own."""
        module, dot, name = text.partition(".")
        return ((module, name) if dot else ("__import__", text)) if text else None

    def known(self, key: tuple[str, str] | None) -> Row | None:
        """What an external id stands for."""
        rows = self.txn.rows("ir.model.data")
        return next((row for row in rows if (row["module"], row["name"]) == key), None)

    def lost_a_race(self, keys: set[tuple[str, str] | None]) -> bool:
        """Wait for inserts of the same external ids still running; true when one was committed."""
        store = self.txn.store
        if not keys & store.inserting:
            return False
        store.lock.wait_for(lambda: not keys & store.inserting)
        return any(key and self.known(key) for key in keys)

    def upsert(self, vals: Row) -> int:
        """Insert a record, or update the one its external id names unless both sides say no."""
        key, database_id = self.key(vals.pop("id", "")), vals.pop(".id", "")
        known = self.known(key) if key else None
        if known and known["model"] != self.model:
            other = f"found record of different model {known['model']} ({known['id']})"
            text = f"For external id {'.'.join(key or ())} when trying to create/update a record "
            raise OdooError("ValidationError", f"{text}of model {self.model} {other}")
        if known and known["noupdate"] and self.context.get("mode") == "update":
            return int(known["res_id"])
        id_ = int(known["res_id"]) if known else int(database_id or 0)
        self.check_access("write" if id_ else "create")
        if id_:
            self.update(id_, vals)
            self.txn.counts[f"{self.model}/write"] += 1
            return id_
        self.txn.counts[f"{self.model}/load"] += 1
        return self.insert(vals, key)


class Users(Records):
    """``res.users``: the cheapest self-test of a key."""

    def context_get(self) -> Row:
        """Language, time zone and id of the caller."""
        return {"lang": "en_US", "tz": self.user.tz or False, "uid": self.user.uid}


class Partners(Records):
    """``res.partner``."""

    def check(self, row: Row) -> None:
        """Only addresses may be without a name."""
        super().check(row)
        if row.get("type") == "contact" and not row.get("name"):
            text = "The operation cannot be completed: Contacts require a name"
            raise OdooError("ValidationError", text)

    def address(self, id_: int, kind: str) -> int:
        """The first address of a kind below a partner, or the partner."""
        rows = self.txn.rows(self.model)
        fit = (r["id"] for r in rows if r.get("parent_id") == id_ and r["type"] == kind)
        return next(fit, id_)


class Units(Records):
    """``uom.uom``: a tree of units; the factor counts in the root."""

    def complete(self, values: Row) -> None:
        """Compute the factor from the unit this one is relative to."""
        super().complete(values)
        parent = self.txn.get(self.model, values.get("relative_uom_id"))
        values["factor"] = values["relative_factor"] * (parent["factor"] if parent else 1.0)


class Products(Records):
    """``product.product`` with its template."""

    def complete(self, values: Row) -> None:
        """Give the variant a template."""
        super().complete(values)
        shared = {key: values.get(key, False) for key in ("name", "default_code", "list_price")}
        values.setdefault("product_tmpl_id", self.on("product.template").insert(shared))


class SaleOrders(Records):
    """``sale.order``: states and totals."""

    def action_confirm(self) -> bool:
        """Confirm; the order date becomes the time of confirmation."""
        for id_ in self.ids:
            if self.row(id_)["state"] not in ("draft", "sent"):
                text = "Some orders are not in a state requiring confirmation."
                raise OdooError("UserError", text)
            lines = [line for line in self.lines(id_) if not line.get("display_type")]
            if not all(line.get("product_id") or line.get("is_downpayment") for line in lines):
                text = "Some order lines are missing a product, you need to correct them before"
                raise OdooError("UserError", f"{text} going further.")
        return self.turn({"state": "sale", "date_order": self.txn.now}, "action_confirm")

    def action_cancel(self) -> bool:
        """Cancel, whatever was shipped; only a lock prevents it."""
        if any(self.row(id_).get("locked") for id_ in self.ids):
            text = "You cannot cancel a locked order. Please unlock it first."
            raise OdooError("UserError", text)
        return self.turn({"state": "cancel", "open_picking": False}, "action_cancel")

    def action_draft(self) -> bool:
        """Back to a quotation, from cancelled or sent."""
        ids = [id_ for id_ in self.ids if self.row(id_)["state"] in ("cancel", "sent")]
        orders = SaleOrders(self.txn, self.user, self.model, ids, self.context)
        return orders.turn({"state": "draft"}, "action_draft")

    def action_lock(self) -> None:
        """Lock; the method returns nothing, as the vendor's does."""
        self.turn({"locked": True}, "action_lock")

    def action_unlock(self) -> None:
        """Unlock; the method returns nothing, as the vendor's does."""
        self.turn({"locked": False}, "action_unlock")

    def turn(self, values: Row, method: str) -> bool:
        """Set values on all orders and recompute them."""
        for id_ in self.ids:
            self.row(id_)
            self.txn.put(self.model, id_, {**values, "write_date": self.txn.now})
        self.changed(self.ids)
        self.txn.counts[f"{self.model}/{method}"] += len(self.ids)
        return True

    def complete(self, values: Row) -> None:
        """Default what follows from the customer, the caller and the clock."""
        super().complete(values)
        partner = values.get("partner_id")
        if partner:
            partners = Partners(self.txn, self.user, "res.partner", (), self.context)
            values.setdefault("partner_invoice_id", partners.address(partner, "invoice"))
            values.setdefault("partner_shipping_id", partners.address(partner, "delivery"))
            row = partners.row(partner)
            values.setdefault("pricelist_id", row.get("property_product_pricelist", False))
            values.setdefault("payment_term_id", row.get("property_payment_term_id", False))
        in_a_month = datetime.now(UTC) + timedelta(days=30)
        values.setdefault("date_order", self.txn.now)
        values.setdefault("validity_date", in_a_month.strftime(DAY))
        values.setdefault("user_id", self.user.uid)
        for name in ("company_id", "warehouse_id", "team_id"):
            first = next(self.txn.rows(self.fields[name]["relation"]))
            values.setdefault(name, first["id"])
        if not values.get("name"):
            values["name"] = f"S{next(self.txn.store.numbers['sale.order/name']):05}"

    def before_update(self, row: Row, values: Row) -> None:
        """A confirmed order keeps its pricelist."""
        moved = values.get("pricelist_id", row.get("pricelist_id")) != row.get("pricelist_id")
        if row["state"] == "sale" and moved:
            text = "You cannot change the pricelist of a confirmed order !"
            raise OdooError("UserError", text)

    def before_unlink(self, row: Row) -> None:
        """Only quotations and cancelled orders can go."""
        if row["state"] not in ("draft", "cancel"):
            text = "You can not delete a sent quotation or a confirmed sales order. "
            raise OdooError("UserError", f"{text}You must first cancel it.")

    def lines(self, id_: int) -> list[Row]:
        """The order's lines."""
        return [row for row in self.txn.rows("sale.order.line") if row.get("order_id") == id_]

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute totals and statuses; only a real change moves ``write_date``."""
        for id_ in ids:
            row, lines = self.row(id_), self.lines(id_)
            values = self.totals(row, lines) | self.statuses(row, lines)
            if any(row.get(name) != value for name, value in values.items()):
                self.txn.put(self.model, id_, {**values, "write_date": self.txn.now})

    def totals(self, order: Row, lines: list[Row]) -> Row:
        """Order totals, rounded per line or, per set of taxes, over all lines."""
        company = self.on("res.company").row(order["company_id"])
        per_line = company["tax_calculation_rounding_method"] == "round_per_line"
        groups: dict[Any, list[Amounts]] = defaultdict(list)
        for line in lines:
            group = line["id"] if per_line else tuple(line.get("tax_ids", ()))
            groups[group].append(self.amounts(line))
        cent = self.cent(order)
        rounded = [_sum(group).rounded(cent) for group in groups.values()]
        untaxed, tax = (
            (sum(part, Decimal(0)) for part in zip(*rounded, strict=True))
            if (rounded)
            else (Decimal(0), Decimal(0))
        )
        return {
            "amount_untaxed": float(untaxed),
            "amount_tax": float(tax),
            "amount_total": float(untaxed + tax),
        }

    def cent(self, order: Row) -> Decimal:
        """The smallest amount of the order's currency."""
        currencies = self.on("res.currency")
        currency = currencies.row(self.value(order, "currency_id"))
        return Decimal(1).scaleb(-int(currency["decimal_places"]))

    def amounts(self, line: Row) -> Amounts:
        """A line's amounts before rounding."""
        factor = 1 - _decimal(line.get("discount", 0.0)) / 100
        gross = _decimal(line["price_unit"]) * factor * _decimal(line["product_uom_qty"])
        taxes = [self.on("account.tax").row(id_) for id_ in line.get("tax_ids", ())]
        rates = {tax["id"]: _decimal(tax["amount"]) / 100 for tax in taxes}
        included = {t["id"] for t in taxes if t["price_include_override"] == "tax_included"}
        base = gross / (1 + sum((rates[id_] for id_ in included), Decimal(0)))
        return Amounts(gross, base, {id_: base * rate for id_, rate in rates.items()}, included)

    def statuses(self, order: Row, lines: list[Row]) -> Row:
        """Invoice and delivery status; goods of a confirmed order get one picking."""
        sold = order["state"] == "sale"
        products = [self.txn.get("product.product", line.get("product_id")) for line in lines]
        goods = any(product and product["type"] == "consu" for product in products)
        pickings, open_ = list(order.get("picking_ids", ())), order.get("open_picking", False)
        if sold and goods and not open_:
            open_ = next(self.txn.store.numbers["stock.picking"])
            pickings.append(open_)
        billable = any(line["product_uom_qty"] for line in lines)
        return {
            "invoice_status": "to invoice" if sold and billable else "no",
            "delivery_status": "pending" if sold and open_ else False,
            "picking_ids": pickings,
            "open_picking": open_,
        }


class SaleOrderLines(Records):
    """``sale.order.line``: prices and what may still change."""

    def complete(self, values: Row) -> None:
        """Default what follows from the product; what was given, even if empty, stays."""
        # The vendor prices such a line itself and forgets the mark of a manual price.
        if "price_unit" not in values:
            values.pop("technical_price_unit", None)
        if values.get("display_type"):
            values["product_uom_qty"] = 0.0
        super().complete(values)
        self.fill(values, values)
        values.setdefault("price_unit", 0.0)

    def fill(self, values: Row, row: Row) -> None:
        """Take over from the product what the values do not give; ``row`` is the line so far."""
        product = self.txn.get("product.product", values.get("product_id"))
        if product:
            products = self.on("product.product")
            values.setdefault("name", products.value(product, "display_name"))
            values.setdefault("product_uom_id", product["uom_id"])
            values.setdefault("tax_ids", list(product.get("taxes_id", ())))
            if "price_unit" not in values:
                values["price_unit"] = self.list_price({**row, **values})
        for name in ("product_uom_qty", "discount"):
            if name in values:
                cut = _decimal(values[name]).quantize(Decimal("0.01"), ROUND_HALF_UP)
                values[name] = float(cut)

    def list_price(self, line: Row) -> float:
        """The product's price for one of the line's unit."""
        product, units = self.on("product.product").row(line["product_id"]), self.on("uom.uom")
        if not line.get("product_uom_id"):
            return float(product.get("list_price", 0.0))
        ratio = units.row(line["product_uom_id"])["factor"] / units.row(product["uom_id"])["factor"]
        return float(product.get("list_price", 0.0) * ratio)

    def before_update(self, row: Row, values: Row) -> None:
        """Guard confirmed and locked orders; reset the price as the vendor does."""
        order = self.on("sale.order").row(row["order_id"])
        if order.get("locked") and PROTECTED & values.keys():
            names = "\n".join(self.fields[name]["string"] for name in PROTECTED & values.keys())
            text = "It is forbidden to modify the following fields in a locked order:\n"
            raise OdooError("UserError", text + names)
        if values.get("display_type", row.get("display_type")) != row.get("display_type"):
            raise OdooError("UserError", "You cannot change the type of a sale order line.")
        moved = values.get("product_id", row.get("product_id")) != row.get("product_id")
        if moved and order["state"] == "sale":
            raise OdooError("UserError", "You cannot modify the product of this order line.")
        if not moved:
            values.pop("product_id", None)
        manual = values.get("technical_price_unit", row.get("technical_price_unit", 0.0))
        price = values.get("price_unit", row["price_unit"])
        line = {**row, **values}
        repriced = {"product_uom_qty", "product_uom_id"} & values.keys()
        resets = repriced and line.get("product_id") and "price_unit" not in values
        if resets and (not manual or manual == price):
            values["price_unit"] = self.list_price(line)
        self.fill(values, row)

    def before_unlink(self, row: Row) -> None:
        """A confirmed order keeps its lines."""
        order = self.on("sale.order").row(row["order_id"])
        if order["state"] == "sale" and not row.get("display_type"):
            text = "Once a sales order is confirmed, you can't remove one of its lines (we need to "
            rest = "track if something gets invoiced or delivered).\nSet the quantity to 0 instead."
            raise OdooError("UserError", text + rest)

    def drop(self, id_: int) -> None:
        """Delete and recompute the order."""
        order = self.row(id_)["order_id"]
        super().drop(id_)
        self.on("sale.order").changed([order])

    def check(self, row: Row) -> None:
        """Texts carry no product and no money; products need a unit."""
        super().check(row)
        constraint = ""
        if row.get("display_type"):
            if row.get("product_id") or row["price_unit"] or row["product_uom_qty"]:
                constraint = "Forbidden values on non-accountable sale order line"
        elif row.get("product_id") and not row.get("product_uom_id"):
            constraint = "Missing required fields on accountable sale order line."
        if constraint:
            text = f"The operation cannot be completed: {constraint}"
            raise OdooError("ValidationError", text)

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute the lines' own amounts, then their orders."""
        orders = SaleOrders(self.txn, self.user, "sale.order", (), self.context)
        for id_ in ids:
            row = self.row(id_)
            cent = orders.cent(orders.row(row["order_id"]))
            untaxed, tax = orders.amounts(row).rounded(cent)
            subtotal, total = float(untaxed), float(untaxed + tax)
            # The vendor subtracts floats here: 51.82 - 43.55 is 8.270000000000003.
            amounts = {"price_subtotal": subtotal, "price_total": total}
            self.txn.put(self.model, id_, {**amounts, "price_tax": total - subtotal})
            orders.changed([row["order_id"]])


@dataclass
class Amounts:
    """Money before rounding; ``included`` are the taxes contained in ``gross``."""

    gross: Decimal
    base: Decimal
    taxes: dict[int, Decimal]
    included: set[int]

    def rounded(self, cent: Decimal) -> tuple[Decimal, Decimal]:
        """Untaxed amount and tax; with an included tax the two make up the gross."""
        taxes = {id_: tax.quantize(cent, ROUND_HALF_UP) for id_, tax in self.taxes.items()}
        if not self.included:
            return self.base.quantize(cent, ROUND_HALF_UP), sum(taxes.values(), Decimal(0))
        contained = sum((taxes[id_] for id_ in self.included), Decimal(0))
        gross = self.gross.quantize(cent, ROUND_HALF_UP)
        return gross - contained, sum(taxes.values(), Decimal(0))


def _sum(group: list[Amounts]) -> Amounts:
    taxes: dict[int, Decimal] = defaultdict(Decimal)
    for id_, tax in itertools.chain.from_iterable(part.taxes.items() for part in group):
        taxes[id_] += tax
    gross = sum((part.gross for part in group), Decimal(0))
    base = sum((part.base for part in group), Decimal(0))
    return Amounts(gross, base, taxes, group[0].included)


CLASSES: dict[str, type[Records]] = {
    "res.users": Users,
    "res.partner": Partners,
    "uom.uom": Units,
    "product.product": Products,
    "sale.order": SaleOrders,
    "sale.order.line": SaleOrderLines,
}
PROTECTED = {"product_id", "name", "price_unit", "product_uom_id", "product_uom_qty", "tax_ids"}
PROTECTED |= {"discount"}
UNIQUE: dict[str, tuple[tuple[str, ...], str]] = {
    "ir.model.data": (
        ("module", "name"),
        "The operation cannot be completed: duplicate key value violates unique constraint "
        '"ir_model_data_module_name_uniq_index"\nDETAIL:  ',
    ),
    "product.product": (("barcode",), "Barcode(s) already assigned: "),
    "product.uom": (("barcode",), "A packaging already uses the barcode: "),
}
NOT_A = {
    "integer": "does not seem to be an integer",
    "float": "does not seem to be a number",
    "monetary": "does not seem to be a number",
    "boolean": "is not a recognised yes or no value",
    "selection": "not found in selection",
    "datetime": "does not seem to be a valid datetime",
    "date": "does not seem to be a valid date",
}
CASTS: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "float": float,
    "monetary": float,
    "boolean": bool,
}
_VERBS = {"create": "create", "write": "modify", "unlink": "delete", "read": "access"}


def _like(pattern: str, flags: int = 0, whole: bool = False) -> Callable[[Any], bool]:
    regex = re.escape(pattern).replace("%", ".*").replace("_", ".")
    search = re.compile(regex if whole else f".*{regex}.*", flags | re.DOTALL).fullmatch
    return lambda value: value is not False and search(str(value)) is not None


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: bool(value == wanted),
    "!=": lambda value, wanted: bool(value != wanted),
    "in": lambda value, wanted: value in wanted,
    "not in": lambda value, wanted: value not in wanted,
    ">": lambda value, wanted: value is not False and value > wanted,
    ">=": lambda value, wanted: value is not False and value >= wanted,
    "<": lambda value, wanted: value is not False and value < wanted,
    "<=": lambda value, wanted: value is not False and value <= wanted,
    "like": lambda value, wanted: _like(wanted)(value),
    "not like": lambda value, wanted: not _like(wanted)(value),
    "ilike": lambda value, wanted: _like(wanted, re.IGNORECASE)(value),
    "not ilike": lambda value, wanted: not _like(wanted, re.IGNORECASE)(value),
    "=like": lambda value, wanted: _like(wanted, whole=True)(value),
    "=ilike": lambda value, wanted: _like(wanted, re.IGNORECASE, whole=True)(value),
}


def _name(_: Records, row: Row) -> str:
    return str(row.get("name") or "")


def _partner_name(partners: Records, row: Row) -> str:
    own = row.get("name") or ("" if row["type"] == "contact" else f"{row['type'].title()} Address")
    parent = row.get("parent_id")
    return f"{partners.label(parent)}, {own}" if parent else str(own)


def _product_name(_: Records, row: Row) -> str:
    return f"[{row['default_code']}] {row['name']}" if row.get("default_code") else row["name"]


def _commercial_partner(partners: Records, row: Row) -> int:
    if row.get("is_company") or not row.get("parent_id"):
        return int(row["id"])
    return _commercial_partner(partners, partners.row(row["parent_id"]))


def _unit_path(units: Records, row: Row) -> str:
    above = row.get("relative_uom_id")
    return f"{_unit_path(units, units.row(above)) if above else ''}{row['id']}/"


def _order_currency(orders: Records, row: Row) -> int:
    pricelist = orders.txn.get("product.pricelist", row.get("pricelist_id"))
    source = pricelist or orders.on("res.company").row(row["company_id"])
    return int(source["currency_id"])


def _of_order(name: str) -> Callable[[Records, Row], Any]:
    def value(lines: Records, row: Row) -> Any:
        orders = lines.on("sale.order")
        return orders.value(orders.row(row["order_id"]), name)

    return value


def _line_to_invoice(lines: Records, row: Row) -> float:
    sold = _of_order("state")(lines, row) == "sale"
    product = lines.txn.get("product.product", row.get("product_id"))
    ordered = product is None or product["invoice_policy"] == "order"
    return float(row["product_uom_qty"]) if sold and ordered else 0.0


def _line_invoice_status(lines: Records, row: Row) -> str:
    return "to invoice" if _line_to_invoice(lines, row) else "no"


COMPUTED: dict[tuple[str, str], Callable[[Records, Row], Any]] = {
    ("", "display_name"): _name,
    ("res.partner", "display_name"): _partner_name,
    ("res.partner", "commercial_partner_id"): _commercial_partner,
    ("product.product", "display_name"): _product_name,
    ("product.template", "display_name"): _product_name,
    ("product.product", "lst_price"): lambda _, row: row.get("list_price", 0.0),
    ("product.uom", "display_name"): lambda _, row: row["barcode"],
    ("uom.uom", "parent_path"): _unit_path,
    ("uom.uom", "rounding"): lambda _, __: 0.01,
    ("res.currency", "rounding"): lambda _, row: 10.0 ** -row["decimal_places"],
    ("account.tax", "price_include"): lambda _, row: (
        row["price_include_override"] == "tax_included"
    ),
    ("sale.order", "currency_id"): _order_currency,
    ("sale.order", "currency_rate"): lambda _, __: 1.0,
    ("sale.order.line", "display_name"): lambda lines, row: (
        f"{_of_order('name')(lines, row)} - {row['name']}"
    ),
    ("sale.order.line", "state"): _of_order("state"),
    ("sale.order.line", "currency_id"): _of_order("currency_id"),
    ("sale.order.line", "order_partner_id"): _of_order("partner_id"),
    ("sale.order.line", "qty_to_invoice"): _line_to_invoice,
    ("sale.order.line", "invoice_status"): _line_invoice_status,
}


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _listed(value: Any, keep: bool = False) -> list[Any]:
    if _is_list(value):
        return list(value)
    return [value] if keep or value else []


def _blank(cell: Any) -> bool:
    return cell is None or cell is False or cell == ""


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _joined(how: Callable[[Iterable[bool]], bool], tests: list[Test]) -> Test:
    return lambda row: how(test(row) for test in tests)


def _negated(test: Test) -> Test:
    return lambda row: not test(row)


def _command(command: Any) -> tuple[int, Any, Any]:
    if not _is_list(command) or not command or command[0] not in range(7):
        raise ValueError(f"Invalid command {command!r}")
    code, target, extra = (list(command) + [0, 0])[:3]
    return code, target, extra


def _moment(text: str, form: str) -> str:
    if text.endswith("Z") or re.search(r"[+-]\d\d:?\d\d$", text[len("2026-11-01") :]):
        raise ValueError(f"expecting only datetimes with no timezone: {text!r}")
    return datetime.strptime(text, form).replace(tzinfo=UTC).strftime(form)


def _required(label: str, name: str, model: str) -> str:
    return (
        "The operation cannot be completed: Missing required value for the field "
        f"'{label}' ({name}).\nModel: '{MODELS[model]['label']}' ({model})\n"
        "- create/update: a mandatory field is not set\n- delete: another model requires the "
        "record being deleted, you can archive it instead\n"
    )


SEED: Row = {
    "database": "main",
    "databases": [],
    "first_id": 1,
    "commit_delay_seconds": 0.0,
    "api_keys": {
        "0123456789abcdef0123456789abcdef01234567": {
            "login": "bot@example.com",
            "uid": 2,
            "groups": ["Contact/Creation"],
            "expiration_date": False,
        }
    },
    "passwords": {"bot@example.com": "bot-password"},
    "company": {"currency": "EUR", "tax_calculation_rounding_method": "round_globally"},
    "currencies": [
        {"name": "EUR", "symbol": "€"},
        {"name": "USD", "symbol": "$"},
        {"name": "GBP", "symbol": "£"},
        {"name": "JPY", "symbol": "¥", "decimal_places": 0, "active": False},
    ],
    "countries": [
        {"code": "DE", "name": "Germany"},
        {"code": "IE", "name": "Ireland"},
        {"code": "AT", "name": "Austria"},
        {"code": "FR", "name": "France"},
        {"code": "GB", "name": "United Kingdom"},
        {"code": "US", "name": "United States", "states": {"CA": "California", "NY": "New York"}},
    ],
    "uoms": [
        {"name": "Units"},
        {"name": "Pack of 6", "factor": 6, "relative_to": "Units"},
        {"name": "Case of 12", "factor": 12, "relative_to": "Units"},
        {"name": "Case of 24", "factor": 24, "relative_to": "Units"},
        {"name": "Hours"},
    ],
    "taxes": [
        {"name": "19%", "amount": 19.0},
        {"name": "7%", "amount": 7.0},
        {"name": "19% incl.", "amount": 19.0, "price_include": True},
    ],
    "pricelists": [],
    "partners": [],
    "products": [
        {
            "default_code": "FIZZ-LEMON-33",
            "name": "Lemon fizz 0.33 l can",
            "list_price": 1.15,
            "barcode": "4099999000018",
            "uoms": ["Case of 24"],
            "is_storable": True,
        },
        {
            "default_code": "DEPOSIT-25",
            "name": "Can deposit",
            "list_price": 0.25,
            "type": "service",
        },
        {"default_code": "DELIVERY", "name": "Delivery", "type": "service", "taxes_id": []},
    ],
}


class Seeding:
    """Puts the seed's records into a new store, turning their names into this database's ids."""

    def __init__(self, store: Store, seed: Row) -> None:
        self.txn = Transaction(store)
        self.root = User(1, "__system__")
        self.seed = seed

    def records(self, model: str) -> Records:
        """A model's records, for the system itself."""
        return CLASSES.get(model, Records)(self.txn, self.root, model, (), {"active_test": False})

    def id(self, model: str, name: str) -> int:
        """The id of the record with a name."""
        for row in self.txn.rows(model):
            if name in (row["name"], row.get("code")):
                return int(row["id"])
        raise KeyError(f"the seed has no {model} {name!r}")

    def fill(self) -> None:
        """Insert everything and commit."""
        for country in self.seed["countries"]:
            row = {key: value for key, value in country.items() if key != "states"}
            states = [
                [0, 0, {"code": code, "name": name}]
                for code, name in country.get("states", {}).items()
            ]
            self.records("res.country").insert({**row, "state_ids": states})
        for currency in self.seed["currencies"]:
            self.records("res.currency").insert(currency)
        self.fill_company()
        self.fill_users()
        for unit in self.seed["uoms"]:
            above = unit.get("relative_to")
            row = {"name": unit["name"], "relative_factor": unit.get("factor", 1.0)}
            row["relative_uom_id"] = self.id("uom.uom", above) if above else False
            self.records("uom.uom").insert(row)
        for tax in self.seed["taxes"]:
            row = {key: value for key, value in tax.items() if key != "price_include"}
            override = "tax_included" if tax.get("price_include") else "tax_excluded"
            self.records("account.tax").insert({**row, "price_include_override": override})
        for pricelist in self.seed["pricelists"]:
            currency_id = self.id("res.currency", pricelist["currency"])
            row = {"name": pricelist["name"], "currency_id": currency_id}
            self.records("product.pricelist").insert(row)
        for product in self.seed["products"]:
            self.product(product)
        for partner in self.seed["partners"]:
            self.partner(partner)
        self.txn.commit()

    def fill_company(self) -> None:
        """The company and what every database has."""
        company = self.seed["company"]
        currency_id = self.id("res.currency", company["currency"])
        row = {"name": company.get("name", "My Company"), "currency_id": currency_id}
        method = company.get("tax_calculation_rounding_method", "round_globally")
        self.records("res.company").insert(row | {"tax_calculation_rounding_method": method})
        self.records("stock.warehouse").insert({"name": row["name"]})
        self.records("crm.team").insert({"name": "Sales"})
        for name in ("Immediate Payment", "15 Days", "30 Days"):
            self.records("account.payment.term").insert({"name": name})

    def fill_users(self) -> None:
        """Users under the uids the seed gives them, with their keys."""
        for number, key in enumerate(self.seed["api_keys"].values(), start=1):
            login, uid = key["login"], key["uid"]
            row = {"id": uid, "name": login, "login": login, "active": True}
            self.txn.put("res.users", uid, row)
            expires = key.get("expiration_date") or False
            row = {"name": f"key {number}", "user_id": uid, "scope": "rpc"}
            self.records("res.users.apikeys").insert(row | {"expiration_date": expires})

    def product(self, product: Row) -> int:
        """Insert one product given by names; without ``taxes_id`` it has the first sales tax."""
        sales_taxes = [
            t["name"] for t in self.seed["taxes"] if t.get("type_tax_use", "sale") == "sale"
        ]
        taxes = product.get("taxes_id", sales_taxes[:1])
        named = {"uom", "uoms", "unit_barcodes"}
        row = {key: value for key, value in product.items() if key not in named}
        unit = product.get("uom", self.seed["uoms"][0]["name"])
        row["uom_id"] = self.id("uom.uom", unit)
        row["uom_ids"] = [self.id("uom.uom", name) for name in product.get("uoms", [])]
        row["taxes_id"] = [self.id("account.tax", name) for name in taxes]
        row["product_uom_ids"] = [
            [0, 0, {"uom_id": self.id("uom.uom", name), "barcode": barcode}]
            for name, barcode in product.get("unit_barcodes", {}).items()
        ]
        return self.records("product.product").insert(row)

    def partner(self, partner: Row) -> int:
        """Insert one partner; country, state and pricelist by name or code."""
        relations = {
            "country": ("country_id", "res.country"),
            "state": ("state_id", "res.country.state"),
            "pricelist": ("property_product_pricelist", "product.pricelist"),
        }
        row = {key: value for key, value in partner.items() if key not in relations}
        for key, (name, model) in relations.items():
            if key in partner:
                row[name] = self.id(model, partner[key])
        return self.records("res.partner").insert(row)


NO_DATABASE = """<!DOCTYPE html>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>No database is selected and the requested URL was not found.</p>
<!-- Alternatively, use the X-Odoo-Database header. -->
"""
NOT_FOUND = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
WRONG_TYPE = (
    "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n"
    "<h1>Unsupported Media Type</h1>\n<p>Please verify the Content-Type request header.</p>\n"
)


@dataclass(frozen=True)
class Call:
    """One method call, whichever transport brought it."""

    user: User
    model: str
    method: str
    ids: Sequence[int]
    args: Sequence[Any]
    kwargs: Row
    context: Row


class OdooSandbox:
    """The vendor's server: ``app`` to serve, ``faults`` to arm, ``accepted`` to count writes.

    ``accepted`` counts records, by ``model/method``, once they are committed; ``load`` counts the
    records it really inserted, and as ``write`` those it changed.
    """

    def __init__(self, seed: Row) -> None:
        self.seed = SEED | seed
        self.accepted: Counter[str] = Counter()
        self.workers = ThreadPoolExecutor(16, "odoo")
        self.reset()
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        routes = [
            Route("/json/2/{model}/{method}", self.json2, methods=every),
            Route("/jsonrpc", self.jsonrpc, methods=every),
            Route("/web/version", self.version, methods=["GET"]),
            Route("/_sandbox/orders", self.orders, methods=["GET"]),
            Route("/_sandbox/orders/{id:int}/delete", self.delete_order, methods=["POST"]),
            Route("/_sandbox/products", self.add_products, methods=["POST"]),
            Route("/_sandbox/delay", self.set_delay, methods=["POST"]),
            *control_routes(lambda: self.faults, self.accepted, self.reset),
        ]
        self.faults = Faults(Starlette(routes=routes))
        self.app = self.faults

    def reset(self) -> None:
        """Back to the seed."""
        self.commit_delay_seconds = float(self.seed["commit_delay_seconds"])
        self.store = Store(self.seed["first_id"])
        Seeding(self.store, self.seed).fill()

    # The engine.

    async def perform(self, call: Call) -> Any:
        """Run a call in a worker: it ends and commits whatever becomes of the client."""
        return await asyncio.wrap_future(self.workers.submit(self.transact, call))

    def transact(self, call: Call) -> Any:
        """One call, one transaction; a slow create or load is invisible until it is committed."""
        store = self.store
        with store.lock:
            txn = Transaction(store)
            try:
                result = _invoke(txn, call)
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise OdooError(type(error).__name__, str(error)) from error
            if self.commit_delay_seconds and txn.changes and call.method in ("create", "load"):
                store.inserting |= txn.keys
                store.lock.wait_for(lambda: False, self.commit_delay_seconds)
                store.inserting -= txn.keys
            txn.commit()
            if store is self.store:
                self.accepted.update(txn.counts)
            store.lock.notify_all()
        return result

    def user_of_key(self, key: str) -> User | None:
        """The user of a valid API key."""
        entry = self.seed["api_keys"].get(key)
        if entry is None:
            return None
        expires = entry.get("expiration_date")
        if expires and expires <= datetime.now(UTC).strftime(MOMENT):
            return None
        groups = tuple(entry.get("groups", ()))
        return User(entry["uid"], entry["login"], groups, entry.get("tz", ""))

    def user_of_login(self, login: str, secret: str) -> User | None:
        """The user of a login with its password or one of its keys."""
        user = self.user_of_key(secret)
        if user is None and secret and self.seed["passwords"].get(login) == secret:
            entries = self.seed["api_keys"].items()
            return next(
                (
                    User(entry["uid"], login, tuple(entry.get("groups", ())), entry.get("tz", ""))
                    for _, entry in entries
                    if entry["login"] == login
                ),
                None,
            )
        return user if user and user.login == login else None

    # The vendor's routes.

    async def version(self, _: Request) -> Response:
        """The version, for anyone."""
        return JSONResponse({"version_info": VERSION, "version": "19.0"})

    def refusal(self, request: Request) -> Response | None:
        """What the server answers before the API is reached at all."""
        hosted = {self.seed["database"], *self.seed["databases"]}
        wanted = request.headers.get("x-odoo-database")
        if request.url.path.startswith("/json/2/") and (
            wanted not in hosted if wanted else len(hosted) > 1
        ):
            return HTMLResponse(NO_DATABASE, 404)
        if request.method != "POST":
            return HTMLResponse(NOT_FOUND, 404)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return HTMLResponse(WRONG_TYPE, 415)
        return None

    async def json2(self, request: Request) -> Response:
        """``POST /json/2/<model>/<method>``: named arguments in, the bare result out."""
        refusal = self.refusal(request)
        if refusal:
            return refusal
        headers = {"Connection": "close"}
        try:
            user = self.bearer(request)
            call = _json2_call(user, request.path_params, await request.body())
            return JSONResponse(await self.perform(call), headers=headers)
        except OdooError as error:
            if error.status == 401 and error.message != "Invalid apikey":
                headers["WWW-Authenticate"] = "Bearer"
            return JSONResponse(error.body(), error.status, headers)

    def bearer(self, request: Request) -> User:
        """The user of the bearer key."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            text = "User not authenticated, use an API Key with a Bearer Authorization header."
            raise OdooError("Unauthorized", text)
        # Keys belong to one database: another hosted one knows none of ours.
        user = self.user_of_key(key.strip())
        wanted = request.headers.get("x-odoo-database", self.seed["database"])
        if user is None or wanted != self.seed["database"]:
            raise OdooError("Unauthorized", "Invalid apikey")
        return user

    async def jsonrpc(self, request: Request) -> Response:
        """``POST /jsonrpc``: every answer is 200, and a null result has no ``result`` key."""
        refusal = self.refusal(request)
        if refusal:
            return refusal
        try:
            body = json.loads(await request.body())
        except ValueError:
            return HTMLResponse(NOT_FOUND.replace("404 Not Found", "400 Bad Request"), 400)
        answer: Row = {"jsonrpc": "2.0", "id": body.get("id")}
        try:
            result = await self.service(**body["params"])
            if result is not None:
                answer["result"] = result
        except OdooError as error:
            answer["error"] = {"code": 0, "message": "Odoo Server Error", "data": error.body()}
        return JSONResponse(answer, headers={"Connection": "close"})

    async def service(self, service: str, method: str, args: list[Any]) -> Any:
        """Dispatch to the services ``common`` and ``object``."""
        if (service, method) == ("common", "version"):
            info = {"server_version": "19.0", "server_version_info": VERSION}
            return info | {"server_serie": "19.0", "protocol_version": 1}
        if args[0] != self.seed["database"]:
            text = f'connection to server failed: FATAL:  database "{args[0]}" does not exist\n'
            raise OdooError("OperationalError", text)
        if service == "common" and method in ("authenticate", "login"):
            known = self.user_of_login(args[1], args[2])
            return known.uid if known else False
        if (service, method) != ("object", "execute_kw"):
            raise OdooError("AttributeError", f"no service {service!r} with method {method!r}")
        _, uid, secret, model, name, *rest = args
        logins = [k["login"] for k in self.seed["api_keys"].values() if k["uid"] == uid]
        user = self.user_of_login(logins[0], secret) if logins else None
        if user is None:
            raise OdooError("AccessDenied", "Access Denied")
        return await self.perform(_rpc_call(user, model, name, *rest))

    # The sandbox's own routes.

    async def orders(self, _: Request) -> Response:
        """Every order with its lines, in words instead of ids."""
        with self.store.lock:
            txn = Transaction(self.store)
            orders = SaleOrders(txn, User(1, "__system__"), "sale.order", (), {})
            shown = [_order_in_words(orders, row) for row in txn.rows("sale.order")]
        created = self.accepted["sale.order/create"] + self.accepted["sale.order/load"]
        return JSONResponse({"created": created, "orders": shown})

    async def delete_order(self, request: Request) -> Response:
        """A person deletes an order, whatever its state."""
        with self.store.lock:
            txn = Transaction(self.store)
            id_ = request.path_params["id"]
            if txn.get("sale.order", id_) is None:
                return Response(status_code=404)
            SaleOrders(txn, User(1, "__system__"), "sale.order", (), {}).drop(id_)
            txn.commit()
        return Response(status_code=204)

    async def add_products(self, request: Request) -> Response:
        """A person adds products, given as in the seed."""
        products = json.loads(await request.body())
        with self.store.lock:
            seeding = Seeding(self.store, self.seed)
            ids = [seeding.product(p) for p in (products if _is_list(products) else [products])]
            seeding.txn.commit()
        return JSONResponse({"ids": ids}, 201)

    async def set_delay(self, request: Request) -> Response:
        """How long each create and load takes from now on."""
        self.commit_delay_seconds = float(json.loads(await request.body())["commit_delay_seconds"])
        return JSONResponse({"commit_delay_seconds": self.commit_delay_seconds})


def _json2_call(user: User, path: Row, body: bytes) -> Call:
    try:
        arguments = json.loads(body) if body.strip() else {}
    except ValueError as error:
        text = f"could not parse the body as json: {error}"
        raise OdooError("BadRequest", text) from error
    model, method = path["model"], path["method"]
    kwargs = dict(arguments or {})
    ids, context = kwargs.pop("ids", ()), kwargs.pop("context", None) or {}
    if model not in MODELS:
        raise OdooError("NotFound", f"the model '{model}' does not exist")
    function = _public(model, method)
    if function is None:
        raise OdooError("NotFound", f"The method '{model}.{method}' does not exist")
    if ids and method in MODEL_METHODS:
        raise OdooError("UnprocessableEntity", f"cannot call {model}.{method} with ids")
    try:
        inspect.signature(function).bind(None, **kwargs)
    except TypeError as error:
        raise OdooError("UnprocessableEntity", str(error)) from error
    return Call(user, model, method, ids, (), kwargs, context)


def _rpc_call(
    user: User, model: str, method: str, args: Sequence[Any] = (), kwargs: Row | None = None
) -> Call:
    if model not in MODELS:
        raise OdooError("UserError", f"Object {model} doesn't exist")
    if _public(model, method) is None:
        text = f"The method '{model}.{method}' does not exist"
        raise OdooError("AttributeError", text)
    named = dict(kwargs or {})
    context = named.pop("context", None) or {}
    ids: Sequence[int] = ()
    if method in RECORD_METHODS:
        first, *args = args
        ids = first if _is_list(first) else [first]
    return Call(user, model, method, ids, args, named, context)


def _public(model: str, method: str) -> Callable[..., Any] | None:
    if method.startswith("_"):
        text = f"Private methods (such as '{model}.{method}') cannot be called remotely."
        raise OdooError("AccessError", text)
    if method not in MODEL_METHODS | RECORD_METHODS:
        return None
    return getattr(CLASSES.get(model, Records), method, None)


def _invoke(txn: Transaction, call: Call) -> Any:
    kind = CLASSES.get(call.model, Records)
    records = kind(txn, call.user, call.model, call.ids, call.context)
    result = getattr(records, call.method)(*call.args, **call.kwargs)
    # Over RPC a create answers in the shape it was asked: one dict, one id.
    if call.method == "create" and call.args and not _is_list(call.args[0]):
        return result[0]
    return result


def _order_in_words(orders: SaleOrders, row: Row) -> Row:
    plain = ("id", "name", "state", "locked", "client_order_ref", "origin", "date_order", "note")
    money = ("amount_untaxed", "amount_tax", "amount_total")
    shown = {name: orders.value(row, name) for name in (*plain, "commitment_date", *money)}
    for name in ("partner_id", "partner_invoice_id", "partner_shipping_id", "currency_id"):
        shown[name.removesuffix("_id")] = (orders.shown(row, name, True) or ["", ""])[1]
    key = orders.on("sale.order", [row["id"]]).get_external_id()[str(row["id"])]
    lines = orders.on("sale.order.line")
    return shown | {
        "external_id": key,
        "lines": [_line_in_words(lines, line) for line in orders.lines(row["id"])],
    }


def _line_in_words(lines: Records, line: Row) -> Row:
    product = lines.txn.get("product.product", line.get("product_id")) or {}
    plain = ("id", "name", "display_type", "is_delivery", "price_unit", "discount")
    money = ("price_subtotal", "price_tax", "price_total")
    return {name: lines.value(line, name) for name in (*plain, *money)} | {
        "sku": product.get("default_code", False),
        "qty": line["product_uom_qty"],
        "uom": lines.on("uom.uom").label(line.get("product_uom_id")) or False,
        "taxes": [lines.on("account.tax").label(id_) for id_ in line.get("tax_ids", ())],
    }


def make(seed: Row) -> OdooSandbox:
    """Make a sandbox; what the seed leaves out is as in ``SEED``."""
    return OdooSandbox(seed)
