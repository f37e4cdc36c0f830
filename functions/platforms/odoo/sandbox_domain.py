"""The vendor's search domains: a list in prefix notation becomes a test for rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from platforms.odoo.sandbox_store import DAY, MOMENT, Row, is_list, listed, moment

if TYPE_CHECKING:
    from platforms.odoo.sandbox_records import Records

Test = Callable[[Row], bool]


def _like(pattern: str, flags: int = 0, whole: bool = False) -> Callable[[Any], bool]:
    regex = re.escape(pattern).replace("%", ".*").replace("_", ".")
    search = re.compile(regex if whole else f".*{regex}.*", flags | re.DOTALL).fullmatch
    return lambda value: value is not False and search(str(value)) is not None


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: bool(value == wanted),
    "in": lambda value, wanted: value in wanted,
    ">": lambda value, wanted: value is not False and value > wanted,
    ">=": lambda value, wanted: value is not False and value >= wanted,
    "<": lambda value, wanted: value is not False and value < wanted,
    "<=": lambda value, wanted: value is not False and value <= wanted,
    "like": lambda value, wanted: _like(wanted)(value),
    "ilike": lambda value, wanted: _like(wanted, re.IGNORECASE)(value),
    "=like": lambda value, wanted: _like(wanted, whole=True)(value),
    "=ilike": lambda value, wanted: _like(wanted, re.IGNORECASE, whole=True)(value),
}
PARENTS = {"stock.location": "location_id", "uom.uom": "relative_uom_id"}
"""The field ``child_of`` follows, where it is not ``parent_id``."""
NEGATIVE = {"!=": "=", "not in": "in", "not like": "like", "not ilike": "ilike"}


class Conditions:
    """Makes tests for the rows of one model."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def compiled(self, domain: Any) -> Test:
        """A test for rows out of a domain in prefix notation with implied ``&``."""
        tests: list[Test] = []
        for item in reversed(domain):
            if item == "!":
                tests.append(_negated(tests.pop()))
            elif item in ("&", "|"):
                tests.append(_joined(any if item == "|" else all, [tests.pop(), tests.pop()]))
            elif is_list(item) and len(item) == 3:
                tests.append(self.leaf(*item))
            else:
                raise ValueError(f"Invalid domain item {item!r}")
        return _joined(all, tests)

    def leaf(self, path: str, operator: str, operand: Any) -> Test:
        """A test for one condition; a dotted path holds when any related record fits."""
        condition = (path, operator, operand)
        name, _, rest = str(path).partition(".")
        if name not in self.records.fields:
            text = f"Invalid field {self.records.model}.{name} in condition {condition!r}"
            raise ValueError(text)
        field = self.records.fields[name]
        if operator == "child_of":
            tree = self.records.on(field["relation"]) if "relation" in field else self.records
            family = Conditions(tree).descendants(operand)
            return lambda row: bool(family & set(listed(self.records.value(row, name))))
        if operator not in OPERATORS | NEGATIVE:
            raise ValueError(f"Invalid operator in condition {condition!r}")
        if rest:
            related = self.records.on(field["relation"])
            fits = Conditions(related).leaf(rest, operator, operand)
            return lambda row: any(
                fits(related.row(id_)) for id_ in listed(self.records.value(row, name))
            )
        return self.comparison(name, operator, operand)

    def comparison(self, name: str, operator: str, operand: Any) -> Test:
        """A test of one field of the row itself."""
        field = self.records.fields[name]
        positive = NEGATIVE.get(operator, operator)
        if (positive == "in") != is_list(operand):
            raise ValueError(f"Invalid value {operand!r} for operator {operator!r} on {name!r}")
        operands = [self.operand(field, value) for value in listed(operand)]
        by_name = "relation" in field and any(isinstance(value, str) for value in operands)
        wanted: Any = operands if positive == "in" else operands[0] if operands else False

        def fits(row: Row) -> bool:
            values = self.records.value(row, name)
            if "relation" in field:
                values = [
                    self.records.on(field["relation"]).label(v) if by_name else v
                    for v in listed(values)
                ]
                values = values or [False]
            return any(OPERATORS[positive](value, wanted) for value in listed(values, keep=True))

        return fits if positive == operator else _negated(fits)

    def operand(self, field: Row, value: Any) -> Any:
        """A domain's value, checked where the vendor checks it."""
        if field["type"] in ("datetime", "date") and isinstance(value, str):
            return moment(value, MOMENT if len(value) > len("2026-11-01") else DAY)
        return False if value is None or value == "" else value

    def descendants(self, operand: Any) -> set[int]:
        """Ids of the given records and of everything below them."""
        found, parent = set(listed(operand)), PARENTS.get(self.records.model, "parent_id")
        while True:
            below = {
                row["id"]
                for row in self.records.txn.rows(self.records.model)
                if row.get(parent) in found
            }
            if below <= found:
                return found
            found |= below


def _joined(how: Callable[[Iterable[bool]], bool], tests: list[Test]) -> Test:
    return lambda row: how(test(row) for test in tests)


def _negated(test: Test) -> Test:
    return lambda row: not test(row)
