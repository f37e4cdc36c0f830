"""A request's record laid over what is stored: fields given replace, fields not given stay.

``replaceAll`` true makes the rows given the whole sublist, false merges them by their key; either
way a row that names its line keeps what the request does not say of it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from platforms.netsuite_soap.sandbox_types import (
    KINDS,
    SCHEMAS,
    Draft,
    RefusalError,
    Row,
    Schema,
    Sublist,
)

KEYS: dict[str, Sequence[str]] = {
    "itemList": ("orderLine", "line"),
    "inventoryList": ("line",),
    "applyList": ("doc",),
    "creditList": ("doc",),
    "depositList": ("doc",),
    "addressbookList": ("internalId", "label"),
}
PRICED = {"item", "quantity", "units", "price", "rate", "amount"}
FIXED = ("createdFrom", "entity", "customer", "salesOrder")
"""What a transaction cannot change once it is made."""


def merged(base: Row, draft: Draft, *, ignores_read_only: bool) -> Row:
    """The record as it will be; ``base`` is not touched."""
    schema = KINDS[draft.kind]
    row = copy.deepcopy(base)
    for name, value in draft.values.items():
        if name in schema.read_only:
            if not ignores_read_only:
                raise forbidden(name)
        elif isinstance(value, Sublist):
            row[name] = sublist(row.get(name, []), value, name, schema, ignores_read_only)
        elif name == "customFieldList":
            row[name] = row.get(name, {}) | value
        elif name in FIXED and "internalId" in base and base.get(name):
            _unchanged(base, name, value)
        else:
            row[name] = value.strip() if isinstance(value, str) else value
    _clear(row, draft.cleared, schema)
    return row


def _clear(row: Row, names: Sequence[str], schema: Schema) -> None:
    for name in names:
        if name not in schema.fields and name not in schema.complex and name != "customFieldList":
            raise RefusalError("USER_ERROR", f"Invalid field in nullFieldList: {name}")
        if name in schema.read_only:
            raise forbidden(name)
        row.pop(name, None)
        if schema.fields.get(name) == "string":
            row[name] = None


def _unchanged(base: Row, name: str, value: Row) -> None:
    if value.get("id", base[name]["id"]) != base[name]["id"]:
        raise forbidden(name)


def forbidden(name: str) -> RefusalError:
    """The vendor's one answer for a field that is read-only, hidden or unknown to the account."""
    return RefusalError(
        "INSUFFICIENT_PERMISSION",
        f"You do not have permissions to set a value for element {name} due to one of the following"
        " reasons: 1) The field is read-only; 2) An associated feature is disabled; 3) The field is"
        " available either when a record is created or updated, but not in both cases.",
    )


def sublist(
    old: list[Row], given: Sublist, name: str, schema: Schema, ignores_read_only: bool
) -> list[Row]:
    """The rows of a sublist as they will be."""
    inner = _read_only(schema, name)
    found: list[Row] = []
    added: list[Row] = []
    over: dict[int, Row] = {}
    for one in given.rows:
        wrong = inner & one.keys()
        if wrong and not ignores_read_only:
            raise forbidden(min(wrong))
        row = {key: _flat(value) for key, value in one.items() if key not in wrong}
        match = _match(old, row, KEYS.get(name, ()))
        if match is not None:
            row = over[id(match)] = _over(match, row)
        else:
            row.pop("line", None)
            added.append(row)
        found.append(row)
    if given.replaces:
        return found
    return [over.get(id(row), row) for row in old] + added


def _read_only(schema: Schema, name: str) -> frozenset[str]:
    of = schema.lists[name][1]
    return SCHEMAS[of].read_only if of else frozenset()


def _flat(value: Any) -> Any:
    if isinstance(value, Sublist):
        return [{key: _flat(inner) for key, inner in row.items()} for row in value.rows]
    return value.strip() if isinstance(value, str) else value


def _match(old: list[Row], row: Row, keys: Sequence[str]) -> Row | None:
    for key in keys:
        if key not in row:
            continue
        for one in old:
            if one.get(key) == row[key]:
                return one
        if old and key in ("line", "internalId"):
            text = "Unable to find a matching line for sublist item with key:"
            raise RefusalError("USER_ERROR", f"{text} [{key}] and value: [{row[key]}].")
    return None


def _over(match: Row, given: Row) -> Row:
    row = copy.deepcopy(match) | given
    changed = PRICED & given.keys()
    if changed:
        row["_touched"] = True
        if "amount" not in given:
            row.pop("amount", None)
        elif "rate" not in given:
            row.pop("rate", None)
        if {"item", "price"} & changed and "rate" not in given:
            row.pop("rate", None)
    return row
