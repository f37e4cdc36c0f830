"""The vendor's ``formatted_read_group``: rows gathered by fields, with sums over them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from platforms.odoo.sandbox_store import Row, is_list

if TYPE_CHECKING:
    from platforms.odoo.sandbox_records import Records

AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "count": len,
    "count_distinct": lambda values: len(set(values)),
}
NUMBERS = {"integer", "float", "monetary"}


def grouped(
    records: Records, rows: list[Row], groupby: Sequence[str], aggregates: Sequence[str]
) -> list[Row]:
    """One row per group, in the order of the groups' values; without groups one row in all."""
    for name in groupby:
        if name not in records.fields or records.fields[name]["type"] in ("one2many", "many2many"):
            raise ValueError(f"Invalid field {name!r} on {records.model!r} for groupby")

    def key(row: Row) -> tuple[tuple[bool, Any], ...]:
        values = [records.value(row, name) for name in groupby]
        return tuple((value is False, value) for value in values)

    if not groupby:
        return [_sums(records, rows, aggregates)]
    answer = []
    for _, group in itertools.groupby(sorted(rows, key=key), key):
        members = list(group)
        shown = {name: records.shown(members[0], name, True) for name in groupby}
        within = [[name, "=", one[0] if is_list(one) else one] for name, one in shown.items()]
        answer.append(shown | {"__extra_domain": within} | _sums(records, members, aggregates))
    return answer


def _sums(records: Records, rows: list[Row], aggregates: Sequence[str]) -> Row:
    sums: Row = {}
    for asked in aggregates:
        name, _, how = asked.partition(":")
        if asked == "__count":
            sums[asked] = len(rows)
            continue
        field = records.fields.get(name)
        fits = how in AGGREGATES and field and (how != "sum" or field["type"] in NUMBERS)
        if not fits:
            raise ValueError(f"Invalid aggregate {asked!r} on {records.model!r}")
        values = [value for row in rows if (value := records.value(row, name)) is not False]
        sums[asked] = AGGREGATES[how](values) if values or how == "sum" else False
    return sums
