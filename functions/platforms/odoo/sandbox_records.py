"""The vendor's records: the public methods every model has, and the rules of storing values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, TypeVar

from platforms.odoo.sandbox_domain import Conditions
from platforms.odoo.sandbox_groups import grouped
from platforms.odoo.sandbox_import import Import
from platforms.odoo.sandbox_store import (
    DAY,
    MODELS,
    MOMENT,
    Key,
    OdooError,
    Row,
    Transaction,
    User,
    is_list,
    moment,
)

Kind = TypeVar("Kind", bound="Records")
EMPTY: Row = {"integer": 0, "float": 0.0, "monetary": 0.0, "many2many": ()}
MODEL_METHODS = {"create", "search", "search_read", "search_count", "fields_get", "load"}
MODEL_METHODS |= {"context_get", "formatted_read_group"}
RECORD_METHODS = {"read", "write", "unlink", "get_external_id", "action_confirm", "action_cancel"}
RECORD_METHODS |= {"action_draft", "action_lock", "action_unlock", "action_assign", "do_unreserve"}
RECORD_METHODS |= {"button_validate", "process", "process_cancel_backorder", "action_post"}
RECORD_METHODS |= {"action_create_returns", "action_apply_inventory", "create_invoices"}
RECORD_METHODS |= {"button_draft", "button_cancel", "reconcile", "action_create_payments"}
RECORD_METHODS |= {"remove_move_reconcile"}
RECORD_METHODS |= {"refund_moves"}
DEFAULTS: dict[str, Row] = {}
"""Values of a new record for what nobody gives, by model."""
CASTS: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "float": float,
    "monetary": float,
    "boolean": bool,
}
UNIQUE: dict[str, tuple[tuple[str, ...], str]] = {
    "ir.model.data": (
        ("module", "name"),
        "The operation cannot be completed: duplicate key value violates unique constraint "
        '"ir_model_data_module_name_uniq_index"\nDETAIL:  ',
    ),
    "stock.lot": (
        ("name", "product_id"),
        "The combination of lot/serial number and product must be unique within a company: ",
    ),
    "product.product": (("barcode",), "Barcode(s) already assigned: "),
    "product.uom": (("barcode",), "A packaging already uses the barcode: "),
}
SHOWN = {"type", "string", "required", "readonly", "selection", "relation", "relation_field"}
"""What ``fields_get`` tells of a field; the rest of its facts are the sandbox's own."""
READS_TARGETS = {"sale.order", "sale.order.line", "account.move", "account.move.line"}
"""Models that read the records they link to, so that a missing one is found before the database."""
_VERBS = {"create": "create", "write": "modify", "unlink": "delete", "read": "access"}


class Records:
    """Records of one model as one user sees them in one transaction; public methods are the API."""

    def __init__(
        self, txn: Transaction, user: User, model: str, ids: Sequence[int], context: Row
    ) -> None:
        self.txn, self.user, self.model, self.ids, self.context = txn, user, model, ids, context
        self.fields: Row = txn.store.fields[model]

    # The vendor's public methods: parameter names are the JSON-2 argument names.

    def create(self, vals_list: Any) -> list[int]:
        """Insert records; one dict stands for a list of one."""
        self.check_access("create")
        ids = [self.insert(vals) for vals in (vals_list if is_list(vals_list) else [vals_list])]
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
        fits = Conditions(self).compiled(domain)
        rows = [row for row in self.txn.rows(self.model) if self.is_visible(row) and fits(row)]
        asks_for_archived = any(is_list(leaf) and leaf[0] == "active" for leaf in domain)
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

    def formatted_read_group(
        self,
        domain: Any,
        groupby: Any = (),
        aggregates: Any = (),
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Row]:
        """Sums and counts per group."""
        found = [self.row(id_) for id_ in self.search(domain)]
        return grouped(self, found, groupby, aggregates)[offset : offset + limit if limit else None]

    def fields_get(self, allfields: Any = None, attributes: Any = None) -> Row:
        """Describe the fields."""
        return {
            name: {
                key: value
                for key, value in field.items()
                if key in SHOWN and (not attributes or key in attributes)
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
        return Import(self).run(fields, data)

    # What the methods above are made of.

    def on(self, model: str, ids: Sequence[int] = ()) -> Records:
        """Records of another model for the same user in the same transaction."""
        return CLASSES.get(model, Records)(self.txn, self.user, model, ids, self.context)

    def of(self, kind: type[Kind], model: str, ids: Sequence[int] = ()) -> Kind:
        """Records of another model whose rules the caller needs by name."""
        return kind(self.txn, self.user, model, ids, self.context)

    def counted(self, method: str) -> None:
        """Count a call, once per record, for when it is committed."""
        self.txn.counts[f"{self.model}/{method}"] += len(self.ids)

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
            return self.linked_by(field, row["id"])
        return row.get(name, EMPTY.get(field["type"], False))

    def linked_by(self, field: Row, id_: int) -> list[int]:
        """The ids of the records a one2many field shows."""
        children, everything = self.on(field["relation"]), not self.context.get("active_test", True)
        rows = [
            row
            for row in self.txn.where(children.model, field["relation_field"], id_)
            if everything or row.get("active", True)
        ]
        children.sort(rows, field.get("order", "id"))
        return [row["id"] for row in rows]

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

    # Writing.

    def insert(self, vals: Row, key: Key | None = None) -> int:
        """Add one record with its children, and its external id if it has one."""
        values, children = self.split(vals, {})
        self.complete(values)
        id_ = next(self.txn.store.numbers[self.model])
        stamps = {"id": id_, **self.txn.born}
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
        self.txn.put(self.model, id_, values | self.txn.stamp)
        self.change_children(id_, children)
        self.changed([id_])

    def drop(self, id_: int) -> None:
        """Delete one record, what belongs to it, and its external id."""
        for field in self.fields.values():
            if field["type"] == "one2many":
                children = self.on(field["relation"])
                for row in list(self.txn.rows(field["relation"])):
                    if row.get(field["relation_field"]) != id_:
                        continue
                    if field.get("keeps"):
                        self.txn.change(children.model, row["id"], {field["relation_field"]: False})
                    else:
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
                detail = (
                    f"Key ({', '.join(columns)})=({', '.join(map(str, key))}) already exists.\n"
                )
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
            return moment(str(value), MOMENT if kind == "datetime" else DAY)
        elif kind == "html":
            return value if str(value).startswith("<") else f"<p>{escape(value)}</p>"
        return value if kind == "many2one" else str(value)

    def check_target(self, name: str, id_: int) -> None:
        """Refuse a link to nothing: orders read the target, elsewhere the database objects."""
        relation = self.fields[name]["relation"]
        if self.txn.get(relation, id_) is not None:
            return
        if self.model in READS_TARGETS:
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


CLASSES: dict[str, type[Records]] = {}
"""The models with rules of their own; the others are plain records."""
COMPUTED: dict[tuple[str, str], Callable[[Records, Row], Any]] = {}
"""How fields are computed, by model and field; a field of model "" in every model."""


def _command(command: Any) -> tuple[int, Any, Any]:
    if not is_list(command) or not command or command[0] not in range(7):
        raise ValueError(f"Invalid command {command!r}")
    code, target, extra = [*command, 0, 0][:3]
    return code, target, extra


def _required(label: str, name: str, model: str) -> str:
    return (
        "The operation cannot be completed: Missing required value for the field "
        f"'{label}' ({name}).\nModel: '{MODELS[model]['label']}' ({model})\n"
        "- create/update: a mandatory field is not set\n- delete: another model requires the "
        "record being deleted, you can archive it instead\n"
    )
