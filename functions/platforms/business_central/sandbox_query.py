"""OData system query options over rows: filter, order, select, expand, count and pages."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from platforms.business_central.sandbox_fields import Entity
from platforms.business_central.sandbox_shapes import Field
from platforms.business_central.sandbox_values import ApiError, Row, read_moment

OPTIONS = {"$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count"}
PAGES = {"$skiptoken", "aid"}
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_/]*)"
    r"|(?P<mark>[(),]))"
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
}
LITERALS = {
    "guid": {"guid"},
    "text": {"text"},
    "code": {"text"},
    "enum": {"text"},
    "date": {"date"},
    "moment": {"moment"},
    "decimal": {"number"},
    "int": {"number"},
    "bool": {"word"},
}
Test = Callable[[Row], bool]
NATURAL = ("entryNumber", "sequence", "lineNumber", "number", "code")


def wrong(text: str) -> ApiError:
    """A query that does not follow the grammar."""
    return ApiError("BadRequest", text)


def comparable(one: Field, value: Any) -> Any:
    """A stored value in the form it is compared in."""
    return read_moment(value) if one.kind == "moment" else value


def _literal(one: Field, kind: str, text: str) -> Any:
    if kind not in LITERALS[one.kind]:
        message = f"A binary operator with incompatible types was detected for '{one.name}'."
        raise wrong(message)
    if one.kind == "bool":
        if text not in ("true", "false"):
            raise wrong(f"'{text}' is not a boolean.")
        return text == "true"
    if one.kind == "moment":
        return read_moment(text)
    if kind == "number":
        return Decimal(text)
    if kind == "text":
        text = text[1:-1].replace("''", "'")
        if one.kind == "code":
            return _code(one, text)
        return text
    return text.lower() if kind == "guid" else text


def _code(one: Field, text: str) -> str:
    """Codes are looked for as they are stored; a filter too long for its field is an error."""
    found = text.strip().upper()
    if len(found) > one.size:
        start = f"The filter \"='{found}'\" is not valid for the {one.name} field. The length of"
        text = f"{start} the string is {len(found)}, but it must be less than or equal to"
        raise ApiError("Application_FilterErrorException", f"{text} {one.size} characters.")
    return found


class Filter:
    """A ``$filter``, read once; it remembers which fields were pinned to a value.

    Alternatives may only concern one field, as the vendor cannot do others.
    """

    def __init__(self, text: str, fields: dict[str, Field]) -> None:
        self.fields = fields
        self.tokens = list(_tokens(text))
        self.place = 0
        self.pinned: dict[str, Any] = {}
        self.test, _ = self._either()
        if self.place < len(self.tokens):
            raise wrong(f"Syntax error at position {self.place} in '{text}'.")

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def _next(self, *kinds: str) -> tuple[str, str]:
        kind, text = self._peek()
        if kinds and kind not in kinds and text not in kinds:
            raise wrong(f"Syntax error in $filter: '{text}' was not expected.")
        self.place += 1
        return kind, text

    def _either(self) -> tuple[Test, set[str]]:
        test, names = self._both()
        while self._peek() == ("word", "or"):
            self._next()
            self.pinned.clear()
            other, more = self._both()
            self.pinned.clear()
            if names != more or len(names) > 1:
                text = "An OR between different fields is not supported in a filter."
                raise ApiError("BadRequest_MethodNotImplemented", text)
            test = _any(test, other)
        return test, names

    def _both(self) -> tuple[Test, set[str]]:
        test, names = self._one()
        while self._peek() == ("word", "and"):
            self._next()
            other, more = self._one()
            test, names = _all(test, other), names | more
        return test, names

    def _one(self) -> tuple[Test, set[str]]:
        _, text = self._next("word", "(")
        if text == "(":
            test, names = self._either()
            self._next(")")
            return test, names
        if text == "not":
            inner, names = self._one()
            self.pinned.clear()
            return (lambda row: not inner(row)), names
        if text in FUNCTIONS and self._peek()[1] == "(":
            return self._function(text)
        return self._comparison(self._field(text))

    def _field(self, name: str) -> Field:
        if name not in self.fields:
            raise wrong(f"Could not find a property named '{name}'.")
        return self.fields[name]

    def _function(self, name: str) -> tuple[Test, set[str]]:
        self._next("(")
        one = self._field(self._next("word")[1])
        self._next(",")
        value = _literal(one, *self._next())
        self._next(")")
        if one.kind not in ("text", "code"):
            raise wrong(f"The function '{name}' cannot be applied to '{one.name}'.")
        holds = FUNCTIONS[name]
        return (lambda row: holds(row[one.name], value)), {one.name}

    def _comparison(self, one: Field) -> tuple[Test, set[str]]:
        operator = self._next("word")[1]
        if operator not in COMPARE:
            raise wrong(f"'{operator}' is not an operator of $filter.")
        value, holds = _literal(one, *self._next()), COMPARE[operator]
        if one.kind == "enum" and value not in one.choices:
            raise wrong(f"'{value}' is not an option of '{one.name}'.")
        if operator == "eq":
            self.pinned[one.name] = value
        return (lambda row: holds(comparable(one, row[one.name]), value)), {one.name}


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, text = 0, text.strip()
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise wrong(f"Syntax error at position {place} in '{text}'.")
        yield found.lastgroup, found[found.lastgroup]
        place = found.end()


def _any(a: Test, b: Test) -> Test:
    return lambda row: a(row) or b(row)


def _all(a: Test, b: Test) -> Test:
    return lambda row: a(row) and b(row)


def split(text: str, mark: str) -> list[str]:
    """Parts between marks that stand in no parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


@dataclass
class Query:
    """The options of one request, or of what stands in the parentheses behind an expansion."""

    entity: Entity
    filter: Filter | None = None
    order: list[tuple[Field, bool]] = field(default_factory=list)
    select: list[str] = field(default_factory=list)
    expand: dict[str, str] = field(default_factory=dict)
    top: int | None = None
    skip: int = 0
    counts: bool = False
    token: str = ""

    @classmethod
    def read(cls, entity: Entity, options: dict[str, str]) -> Query:
        """Check every option; names without a dollar are the caller's own and mean nothing."""
        query = cls(entity)
        for name, text in options.items():
            if name.startswith("$") and name not in OPTIONS | PAGES:
                raise wrong(f"The query parameter '{name}' is not supported.")
            query.take(name, text)
        return query

    def take(self, name: str, text: str) -> None:
        """One option."""
        if name == "$filter":
            self.filter = Filter(text, self.entity.fields)
        elif name == "$orderby":
            self.order = [self._order(part) for part in split(text, ",")]
        elif name == "$select":
            self.select = [self._known(part) for part in split(text, ",")]
        elif name == "$expand":
            for part in split(text, ","):
                word, _, inner = part.partition("(")
                self.expand[word] = inner.removesuffix(")")
        elif name in ("$top", "$skip"):
            self._number(name, text)
        elif name == "$count":
            self.counts = text == "true"
        elif name == "$skiptoken":
            self.token = text

    def _number(self, name: str, text: str) -> None:
        if not text.isdigit():
            raise wrong(f"Invalid value '{text}' for {name} query option found.")
        if name == "$top":
            self.top = int(text)
        else:
            self.skip = int(text)

    def _known(self, name: str) -> str:
        if name not in self.entity.fields and name != "*":
            raise wrong(f"Could not find a property named '{name}'.")
        return name

    def _order(self, text: str) -> tuple[Field, bool]:
        name, _, way = text.partition(" ")
        if way.strip() not in ("", "asc", "desc"):
            raise wrong(f"Syntax error in $orderby: '{text}'.")
        return self.entity.fields[self._known(name)], way.strip() == "desc"

    def keys(self) -> list[tuple[Field, bool]]:
        """What rows are in order by: as asked, then by number, then by id."""
        fields = self.entity.fields
        natural = (name for name in NATURAL if name in fields)
        last = [(fields[name], False) for name in (next(natural, ""), row_key(self.entity)) if name]
        return [*self.order, *last]

    def wanted(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that pass, in order."""
        found = [row for row in rows if self.filter is None or self.filter.test(row)]
        for one, is_down in reversed(self.keys()):
            found.sort(key=functools.partial(_value, one), reverse=is_down)
        return found

    def cut(self, rows: list[Row]) -> list[Row]:
        """What ``$skip`` and ``$top`` leave."""
        return rows[self.skip :][: self.top]

    def page(self, rows: list[Row], size: int) -> tuple[list[Row], str]:
        """The rows of this page and the token of the next one, or nothing.

        A page begins behind the last row of the one before, by what they are in order by: rows
        changed meanwhile may be seen twice or not at all, as at the vendor.
        """
        if self.token:
            last = self._last()
            rows = [row for row in rows if self._is_after(row, last)]
        shown = rows[:size]
        if len(rows) <= size:
            return shown, ""
        values = [str(shown[-1][one.name]) for one, _ in self.keys()]
        return shown, base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    def _last(self) -> list[str]:
        try:
            padded = self.token + "=" * (-len(self.token) % 4)
            found = json.loads(base64.urlsafe_b64decode(padded))
        except ValueError as error:
            raise wrong("The skip token is not valid.") from error
        if not isinstance(found, list) or len(found) != len(self.keys()):
            raise wrong("The skip token is not valid.")
        return found

    def _is_after(self, row: Row, last: list[str]) -> bool:
        for (one, is_down), text in zip(self.keys(), last, strict=True):
            number = one.kind in ("decimal", "int", "bool")
            value = comparable(one, row[one.name])
            other = Decimal(text) if number and one.kind != "bool" else comparable(one, text)
            if one.kind == "bool":
                other = text == "True"
            if value != other:
                return bool(value < other if is_down else value > other)
        return False


def _value(one: Field, row: Row) -> Any:
    return comparable(one, row[one.name])


def row_key(entity: Entity) -> str:
    """The name of a record's key."""
    return "subscriptionId" if entity.set == "subscriptions" else "id"


def inner_options(text: str) -> dict[str, str]:
    """The options in the parentheses behind an expansion."""
    pairs = (part.partition("=") for part in split(text, ";"))
    return {name.strip(): value for name, _, value in pairs}
