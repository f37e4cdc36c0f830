"""The query language of the QuickBooks sandbox: one entity, ANDed conditions, an order, a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from platforms.quickbooks.sandbox_store import KINDS, SINGLE, Store
from platforms.quickbooks.sandbox_wire import SALES, TYPES, QboError, Row

TOKEN = re.compile(
    r"\s*(?:'((?:[^'\\]|\\.)*)'|([A-Za-z][\w.]*)|(<=|>=|!=|[=<>(),*])|(-?\d+(?:\.\d+)?))", re.DOTALL
)
TIMES = {"MetaData.CreateTime", "MetaData.LastUpdatedTime"}
COMMON = {"Id", *TIMES}
SALE = COMMON | {"DocNumber", "TxnDate", "CustomerRef", "TotalAmt", "Balance", "DueDate"}
FILTERS: dict[str, set[str]] = {
    "Customer": COMMON
    | set("GivenName MiddleName FamilyName DisplayName CompanyName FullyQualifiedName".split())
    | {"Active", "PrimaryEmailAddr", "Balance"},
    "Item": COMMON
    | {"Name", "Sku", "Description", "FullyQualifiedName", "Active", "Type", "UnitPrice"},
    # The number of a payment cannot be asked for; its reference can.
    "Payment": COMMON | {"TxnDate", "CustomerRef", "TotalAmt", "PaymentRefNum"},
    **dict.fromkeys(SALES, SALE),
    **dict.fromkeys(("Vendor", "Employee"), COMMON | {"DisplayName", "Active"}),
    "Account": COMMON | {"Name", "FullyQualifiedName", "Active", "AccountType"},
}
SETTING = COMMON | {"Name", "Active", "Code"}
MOST = 1000
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def wrong(detail: str) -> QboError:
    """A query the vendor does not take."""
    return QboError("4001", f"QueryValidationError: {detail}")


class Query:
    """One ``select``; words of the language are taken in any case.

    Args:
        text: the query.
    """

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self.conditions: list[tuple[str, str, Any]] = []
        self.order: list[tuple[str, bool]] = []
        self.start, self.most = 1, 100
        self._expect("select")
        self.columns = self._columns()
        self._expect("from")
        self.kind = self._kind()
        if self._takes("where"):
            self._condition()
            while self._takes("and"):
                self._condition()
        self._tail()
        known = TYPES.get(self.kind)
        for name in self.columns:
            if known and name != "count(*)" and name.partition(".")[0] not in known:
                raise wrong(f"Property {name} not found for Entity {self.kind}")

    # -- reading -----------------------------------------------------------------------------------

    def _peek(self) -> str:
        if self._place < len(self._tokens):
            kind, text = self._tokens[self._place]
            return text if kind != "text" else ""
        return ""

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise wrong("unexpected end of the query")
        self._place += 1
        return self._tokens[self._place - 1]

    def _takes(self, word: str) -> bool:
        if self._peek().lower() != word:
            return False
        self._place += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise wrong(f"expected {word} near '{self._peek()}'")

    def _columns(self) -> list[str]:
        if self._takes("*"):
            return []
        if self._takes("count"):
            for sign in "(*)":
                self._expect(sign)
            return ["count(*)"]
        names = [self._next()[1]]
        while self._takes(","):
            names.append(self._next()[1])
        return names

    def _kind(self) -> str:
        name = self._next()[1]
        for kind in (*KINDS, *SINGLE):
            if kind.lower() == name.lower():
                return kind
        raise wrong(f"Entity {name} is not known")

    def _condition(self) -> None:
        kind, name = self._next()
        if kind != "word":
            raise wrong(f"a property was expected near '{name}'")
        if name not in FILTERS.get(self.kind, SETTING):
            raise wrong(f"Property {name} not found for Entity {self.kind}, or is not queryable")
        operator = self._next()[1].lower()
        if operator == "in":
            self._expect("(")
            values = [self._value(name)]
            while self._takes(","):
                values.append(self._value(name))
            self._expect(")")
            self.conditions.append((name, "in", values))
        elif operator in (*OPERATORS, "like"):
            self.conditions.append((name, operator, self._value(name)))
        else:
            raise wrong(f"operator {operator} is not supported")

    def _value(self, name: str) -> Any:
        kind, text = self._next()
        if kind == "word" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind not in ("text", "number"):
            raise wrong(f"a value in quotes was expected for {name} near '{text}'")
        return _moment(text) if name in TIMES else text

    def _tail(self) -> None:
        is_ordered = self._takes("orderby")
        if not is_ordered and self._takes("order"):
            self._expect("by")
            is_ordered = True
        if is_ordered:
            self._order()
            while self._takes(","):
                self._order()
        if self._takes("startposition"):
            self.start = self._number(1, 10**9)
        if self._takes("maxresults"):
            self.most = self._number(1, MOST)
        if self._place < len(self._tokens):
            raise wrong(f"unexpected '{self._next()[1]}': one entity, AND and no OR")

    def _order(self) -> None:
        name = self._next()[1]
        if name not in FILTERS.get(self.kind, SETTING):
            raise wrong(f"Property {name} is not sortable")
        is_down = self._takes("desc")
        if not is_down:
            self._takes("asc")
        self.order.append((name, is_down))

    def _number(self, least: int, most: int) -> int:
        kind, text = self._next()
        if kind != "number" or not text.isdecimal():
            raise wrong(f"a number was expected near '{text}'")
        value = int(text)
        if value < least:
            raise wrong(f"value {value} is too small. Min allowed value is {least}")
        if value > most:
            raise wrong(f"value {value} is too large. Max allowed value is {most}")
        return value

    # -- answering ---------------------------------------------------------------------------------

    def answer(self, store: Store) -> Row:
        """What ``QueryResponse`` holds: without any row there is no key of the entity."""
        rows = [row for row in store.all(self.kind) if self._fits(row)]
        for name, is_down in reversed(self.order):
            rows.sort(key=_sorter(name), reverse=is_down)
        if self.columns == ["count(*)"]:
            return {"totalCount": len(rows)}
        page = rows[self.start - 1 : self.start - 1 + self.most]
        if not page:
            return {}
        shown = [self._shown(row) for row in page]
        head = {"startPosition": self.start, "maxResults": len(page), "totalCount": len(rows)}
        return {self.kind: shown} | head

    def _fits(self, row: Row) -> bool:
        """Inactive names are left out unless the query says what it wants."""
        names = {name for name, _, _ in self.conditions}
        if row.get("Active") is False and not names & {"Active", "Id"}:
            return False
        return all(_holds(_at(row, name), how, value) for name, how, value in self.conditions)

    def _shown(self, row: Row) -> Row:
        if not self.columns:
            return row
        shown = {"domain": "QBO", "sparse": True, "Id": row["Id"]}
        for name in self.columns:
            top = name.partition(".")[0]
            if top in row:
                shown[top] = row[top]
        return shown


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = TOKEN.match(text, place)
        if match is None:
            raise wrong(f"Encountered '{text[place : place + 20]}'")
        quoted, word, sign, digits = match.groups()
        if quoted is not None:
            found.append(("text", re.sub(r"\\(.)", r"\1", quoted)))
        elif word:
            found.append(("word", word))
        else:
            found.append(("number", digits) if digits else ("sign", sign))
        place = match.end()
    return found


def _at(row: Row, name: str) -> Any:
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return value.get("value", value.get("Address"))
    return _moment(value) if name in TIMES and value else value


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(f"Invalid time: {text}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _holds(left: Any, how: str, right: Any) -> bool:
    if how == "in":
        return any(_holds(left, "=", one) for one in right)
    if left is None:
        return False
    if how == "like":
        pattern = "".join(".*" if sign == "%" else re.escape(sign) for sign in str(right))
        return re.fullmatch(pattern, str(left), re.IGNORECASE | re.DOTALL) is not None
    if isinstance(left, Decimal):
        try:
            right = Decimal(str(right))
        except InvalidOperation as error:
            raise wrong(f"{right} is not a number") from error
    elif isinstance(left, bool):
        right = right if isinstance(right, bool) else str(right).lower() == "true"
    elif isinstance(left, str):
        # The vendor's database does not tell cases apart.
        left, right = left.casefold(), str(right).casefold()
    return OPERATORS[how](left, right)


def _sortable(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str) and value.isdecimal():
        return value is not None, (int(value), value)
    return value is not None, (0, value) if isinstance(value, str) else value


def _sorter(name: str) -> Callable[[Row], tuple[bool, Any]]:
    return lambda row: _sortable(_at(row, name))


def changes(store: Store, kinds: list[str], since: datetime) -> Row:
    """Change data capture: a ``QueryResponse`` for each entity, deleted rows as what is left."""
    answers: list[Row] = []
    left = int(store.seed["cdc_limit"])
    for kind in kinds:
        rows = [store.shown(kind, row) for row in store.rows[kind].values()]
        rows += [row for name, row in store.gone if name == kind]
        rows = [row for row in rows if _at(row, "MetaData.LastUpdatedTime") >= since]
        rows.sort(key=lambda row: str(row["MetaData"]["LastUpdatedTime"]))
        page = rows[: max(left, 0)]
        left -= len(page)
        head = {"startPosition": 1, "maxResults": len(page), "totalCount": len(page)}
        answers.append({kind: page} | head if page else {})
    return {"CDCResponse": [{"QueryResponse": answers}]}
