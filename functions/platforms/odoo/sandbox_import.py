"""The vendor's ``load``: rows of cells become records, found again by their external ids."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from platforms.odoo.sandbox_store import (
    DAY,
    MOMENT,
    ImportFailedError,
    Key,
    OdooError,
    Row,
    external_key,
    moment,
)

if TYPE_CHECKING:
    from platforms.odoo.sandbox_records import Records

Columns = Sequence[str]
SERIALIZATION = "could not serialize access due to concurrent update\n"
NOT_A = {
    "integer": "does not seem to be an integer",
    "float": "does not seem to be a number",
    "monetary": "does not seem to be a number",
    "boolean": "is not a recognised yes or no value",
    "selection": "not found in selection",
    "datetime": "does not seem to be a valid datetime",
    "date": "does not seem to be a valid date",
}


class Import:
    """One import into a model; ``above`` are name and label of the fields that led to a child."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def run(self, fields: list[str], data: list[list[Any]]) -> Row:
        """Import all rows, or none when any of them fails."""
        paths = [name.split("/") for name in fields]
        for path in paths:
            self.check_path(path)
        keys = {external_key(str(row[fields.index("id")] or "")) for row in data if "id" in fields}
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
            self.records.txn.rollback()
        return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}

    def check_path(self, path: Sequence[str]) -> None:
        """Refuse a column that names no field."""
        name, *rest = path
        if name in ("id", ".id") and not rest:
            return
        if name not in self.records.fields:
            raise ValueError(f"Invalid field {name!r} in {self.records.model!r}")
        if rest:
            self.below(name).check_path(rest)

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
        return path[0] in self.records.fields and self.records.fields[path[0]]["type"] == "one2many"

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
            child = self.below(name)
            below = [paths[column][1:] for column in columns]
            cells = [[row[column] for column in columns] for row in rows]
            trail = [*above, (name, self.records.fields[name]["string"])]
            vals[name] = [
                child.child_command(child.imported(below, [line], trail))
                for line in cells
                if not all(_blank(cell) for cell in line)
            ]
        return vals

    def child_command(self, vals: Row) -> list[Any]:
        """Update the child its external id names, else create one (and give it that id)."""
        key = external_key(vals.pop("id", ""))
        known = self.records.txn.known(key) if key else None
        return [1, known["res_id"], vals] if known else [0, key, vals]

    def cell(self, path: Columns, cell: Any, above: Sequence[Columns]) -> Any:
        """The value of one cell; an empty cell means an empty value, never a default."""
        name = path[0]
        if name in ("id", ".id"):
            return "" if _blank(cell) else str(cell)
        field = self.records.fields[name]
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
            return int(text) if kind == "integer" else float(text)
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
            zone = ZoneInfo(self.records.context.get("tz") or self.records.user.tz or "UTC")
            local = datetime.strptime(moment(text, MOMENT), MOMENT).replace(tzinfo=zone)
            return local.astimezone(UTC).strftime(MOMENT)
        return moment(text, DAY) if kind == "date" else text

    def target(self, path: Columns, text: str, above: Sequence[Columns]) -> int:
        """The record a relation's cell means: by database id, external id or name."""
        name, *rest = path
        related = self.records.on(self.records.fields[name]["relation"])
        by = rest[0] if rest else "name"
        found: list[int] = []
        if by == ".id":
            if not text.strip().isdigit():
                raise self.import_error(path, above, f"Invalid database id '{text}' for the field")
            found = [int(text)] if self.records.txn.get(related.model, int(text)) else []
        elif by == "id":
            known = self.records.txn.known(external_key(text))
            found = [known["res_id"]] if known and known["model"] == related.model else []
        else:
            found = [
                r["id"]
                for r in self.records.txn.rows(related.model)
                if related.label(r["id"]) == text
            ]
        if not found:
            kind = {".id": "database id", "id": "external id"}.get(by, "name")
            no_match = f"No matching record found for {kind} '{text}' in field"
            raise self.import_error(path, above, no_match, related.model)
        return found[0]

    def below(self, name: str) -> Import:
        """The import of a field's related records."""
        return Import(self.records.on(self.records.fields[name]["relation"]))

    def import_error(
        self, path: Columns, above: Sequence[Columns], text: str, model: str = ""
    ) -> ImportFailedError:
        """The message about a cell, which names the fields from the record down."""
        trail = [*above, (path[0], self.records.fields[path[0]]["string"])]
        return ImportFailedError([n for n, _ in trail], [label for _, label in trail], text, model)

    def lost_a_race(self, keys: set[Key | None]) -> bool:
        """Wait for inserts of the same external ids still running; true when one was committed."""
        store = self.records.txn.store
        if not keys & store.inserting:
            return False
        store.lock.wait_for(lambda: not keys & store.inserting)
        return any(key and self.records.txn.known(key) for key in keys)

    def upsert(self, vals: Row) -> int:
        """Insert a record, or update the one its external id names unless both sides say no."""
        key, database_id = external_key(vals.pop("id", "")), vals.pop(".id", "")
        known = self.records.txn.known(key) if key else None
        if known and known["model"] != self.records.model:
            other = f"found record of different model {known['model']} ({known['id']})"
            text = f"For external id {'.'.join(key or ())} when trying to create/update a record "
            raise OdooError("ValidationError", f"{text}of model {self.records.model} {other}")
        if known and known["noupdate"] and self.records.context.get("mode") == "update":
            return int(known["res_id"])
        id_ = int(known["res_id"]) if known else int(database_id or 0)
        self.records.check_access("write" if id_ else "create")
        if id_:
            self.records.update(id_, vals)
            self.records.txn.counts[f"{self.records.model}/write"] += 1
            return id_
        self.records.txn.counts[f"{self.records.model}/load"] += 1
        return self.records.insert(vals, key)


def _blank(cell: Any) -> bool:
    return cell is None or cell is False or cell == ""
