"""How the Xero sandbox reads a list's query: ``where``, ``order``, pages and their refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from platforms.xero.sandbox_wire import FIELDS, GUID, Json, bad_query

Test = Callable[[Json], bool]

EVERYWHERE = {"unitdp", "summarizeErrors"}
PAGED = {"where", "order", "page", "pageSize"}
PARAMETERS = {
    "Contacts": PAGED | {"IDs", "includeArchived", "summaryOnly", "searchTerm"},
    "Invoices": PAGED
    | {"IDs", "InvoiceNumbers", "ContactIDs", "Statuses", "includeArchived", "createdByMyApp"}
    | {"summaryOnly", "searchTerm"},
    "CreditNotes": PAGED,
    "Payments": PAGED,
    "Overpayments": PAGED | {"References"},
    "Items": PAGED,
    "Accounts": {"where", "order"},
    "TaxRates": {"where", "order"},
    "Currencies": {"where", "order"},
    "Organisation": set(),
}
TYPES = {
    "Contacts": "Contact",
    "Invoices": "Invoice",
    "CreditNotes": "CreditNote",
    "Payments": "Payment",
    "Overpayments": "Overpayment",
    "Items": "Item",
    "Accounts": "Account",
}
SIMPLE = {
    "TaxRates": {"Name": "string", "TaxType": "string", "Status": "string"},
    "Currencies": {"Code": "string", "Description": "string"},
}
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<op>==|!=|>=|<=|&&|\|\||[<>()=,])"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*))"""
)
METHODS = {
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": str.__contains__,
}


def field_type(collection: str, path: str) -> str:
    """The type of a field named in a filter, through its parents."""
    kind = TYPES.get(collection, collection)
    *parents, last = path.split(".")
    for parent in parents:
        kind = FIELDS.get(kind, {}).get(parent, "")
    fields = SIMPLE.get(kind) or FIELDS.get(kind, {})
    if last not in fields or fields[last].startswith("[") or fields[last] in FIELDS:
        raise bad_query(f"No property or field '{last}' exists in type '{kind or path}'")
    if last in ("UpdatedDateUTC",):
        return "date"
    return fields[last].partition(":")[0].replace("enum", "string")


def value_of(row: Json, path: str) -> Any:
    """What a row holds there."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


class Where:
    """The parser of a ``where`` filter; makes one test of it.

    Comparisons are typed as the vendor's: a GUID is compared with ``Guid("...")`` only, a date with
    ``DateTime(y,m,d)``, and nothing but null is compared with null.
    """

    def __init__(self, collection: str, text: str) -> None:
        self.collection, self.text = collection, text
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = TOKEN.match(text, place)
            if match is None:
                raise bad_query(f"Syntax error (at index {place})")
            self.tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            place = match.end()
        self.place = 0

    def test(self) -> Test:
        """The whole filter."""
        found = self._any()
        if self.place < len(self.tokens):
            raise bad_query(f"Syntax error near '{self._peek()[1]}'")
        return found

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def _next(self, *expected: str) -> tuple[str, str]:
        kind, text = self._peek()
        if expected and text not in expected and kind not in expected:
            raise bad_query(f"Syntax error: {' or '.join(expected)} expected in {self.text!r}")
        self.place += 1
        return kind, text

    def _any(self) -> Test:
        tests = [self._all()]
        while self._peek()[1].upper() in ("||", "OR"):
            self._next()
            tests.append(self._all())
        return lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek()[1].upper() in ("&&", "AND"):
            self._next()
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._peek()[1] == "(":
            self._next()
            inner = self._any()
            self._next(")")
            return inner
        path = self._next("name")[1]
        owner, _, method = path.rpartition(".")
        if method in METHODS and self._peek()[1] == "(":
            return self._method(owner, METHODS[method])
        kind = field_type(self.collection, path)
        operator = self._next("==", "=", "!=", ">", "<", ">=", "<=")[1]
        other, wanted = self._constant()
        if other != "null" and other != kind:
            text = f"Operator '{operator}' incompatible with operand types '{kind}' and '{other}'"
            raise bad_query(text)
        return lambda row: _compare(value_of(row, path), operator, wanted)

    def _method(self, path: str, method: Callable[[str, str], bool]) -> Test:
        if field_type(self.collection, path) != "string":
            raise bad_query(f"'{path}' is no text")
        self._next("(")
        wanted = self._next("text")[1][1:-1]
        self._next(")")
        return lambda row: method(str(value_of(row, path) or ""), wanted)

    def _constant(self) -> tuple[str, Any]:
        kind, text = self._next("text", "number", "name")
        if kind == "text":
            return "string", re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return "number", Decimal(text)
        if text in ("true", "false"):
            return "boolean", text == "true"
        if text == "null":
            return "null", None
        if text.lower() == "guid":
            self._next("(")
            given = self._next("text")[1][1:-1]
            self._next(")")
            if not GUID.match(given):
                raise bad_query(f"'{given}' is no Guid")
            return "uuid", given.lower()
        if text == "DateTime":
            return "date", self._moment()
        raise bad_query(f"Unknown identifier '{text}'")

    def _moment(self) -> datetime:
        self._next("(")
        parts = [int(self._next("number")[1])]
        while self._next(",", ")")[1] == ",":
            parts.append(int(self._next("number")[1]))
        try:
            year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError as error:
            raise bad_query(f"DateTime: {error}") from None


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str) and GUID.match(value):
        value = value.lower()
    if operator in ("==", "="):
        return bool(value == wanted)
    if operator == "!=":
        return bool(value != wanted)
    if value is None or wanted is None or isinstance(value, bool):
        return False
    above, same = bool(value > wanted), bool(value == wanted)
    return {">": above, ">=": above or same, "<": not above and not same, "<=": not above}[operator]


def since(text: str | None) -> datetime | None:
    """``If-Modified-Since``: ISO in UTC unless it says otherwise, cut to the second."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_query(f"If-Modified-Since is no date: {text}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0)


class Listing:
    """What a list call asks for.

    Args:
        collection: which list.
        query: the parameters of the call.
        modified: its ``If-Modified-Since``.
        most: the largest page.
    """

    def __init__(
        self, collection: str, query: Mapping[str, str], modified: str | None, most: int
    ) -> None:
        self.collection, self.query = collection, query
        if unknown := set(query) - PARAMETERS[collection] - EVERYWHERE:
            raise bad_query(f"Unknown parameter: {', '.join(sorted(unknown))}")
        self.units = unit_places(query)
        self.page = self._whole("page", None)
        self.size = self._whole("pageSize", most) or 100
        self.is_paged = "page" in query or "pageSize" in query
        self.is_summary = flag(query, "summaryOnly")
        self._since = since(modified)
        self._test = Where(collection, query["where"]).test() if query.get("where") else None
        self._order = self._orders()

    def _whole(self, name: str, most: int | None) -> int | None:
        text = self.query.get(name)
        if text is None:
            return None
        if not text.isdecimal() or int(text) < 1 or (most and int(text) > most):
            raise bad_query(f"{name} must be a whole number from 1" + (f" to {most}" * bool(most)))
        return int(text)

    def _orders(self) -> list[tuple[str, bool]]:
        found = []
        for part in filter(None, self.query.get("order", "").split(",")):
            path, _, way = part.strip().partition(" ")
            field_type(self.collection, path)
            if way.strip().upper() not in ("", "ASC", "DESC"):
                raise bad_query(f"Syntax error in order near '{way}'")
            found.append((path, way.strip().upper() == "DESC"))
        return found

    def listed(self, name: str) -> list[str] | None:
        """A comma list."""
        text = self.query.get(name)
        return None if text is None else [one.strip() for one in text.split(",")]

    def guids(self, name: str) -> list[str] | None:
        """A comma list of ids."""
        found = self.listed(name)
        if any(not GUID.match(one) for one in found or ()):
            raise bad_query(f"{name} takes Guids")
        return found and [one.lower() for one in found]

    def chosen(self, rows: list[Json]) -> list[Json]:
        """The rows that pass, in order."""
        found = [row for row in rows if self._test is None or self._test(row)]
        if self._since:
            late = self._since
            found = [row for row in found if row["UpdatedDateUTC"] > late]
        for path, is_descending in reversed(self._order):
            empty = [row for row in found if value_of(row, path) is None]
            full = [row for row in found if value_of(row, path) is not None]
            full.sort(key=lambda row: value_of(row, path), reverse=is_descending)
            found = full + empty if is_descending else empty + full
        return found

    def cut(self, rows: list[Json]) -> tuple[list[Json], Json]:
        """One page, and how the vendor counts it; all rows when no page is asked for."""
        if not self.is_paged or self.collection == "Items":
            # The list of items has no pages: it takes the parameters and is whole every time.
            return rows, {}
        page = self.page or 1
        count = -(-len(rows) // self.size)
        told = {"page": page, "pageSize": self.size, "pageCount": count, "itemCount": len(rows)}
        return rows[(page - 1) * self.size : page * self.size], {"pagination": told}


def flag(query: Mapping[str, str], name: str, default: bool = False) -> bool:
    """A yes or no in the query."""
    text = query.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise bad_query(f"{name} takes true or false")
    return text == "true"


def unit_places(query: Mapping[str, str]) -> int:
    """How many decimals unit prices keep in this call."""
    text = query.get("unitdp", "2")
    if text not in ("2", "4"):
        raise bad_query("unitdp takes 2 or 4")
    return int(text)
