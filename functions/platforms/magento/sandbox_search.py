"""How the sandbox shop reads ``searchCriteria`` and ``fields``, and what it makes of wrong ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote_plus

from platforms.magento.sandbox_values import Json, shown

KEYS = {
    "filterGroups": "filter_groups",
    "sortOrders": "sort_orders",
    "pageSize": "page_size",
    "currentPage": "current_page",
    "conditionType": "condition_type",
}


class VendorError(Exception):
    """An answer that is no success: status, message and what fills its places."""

    def __init__(self, status: int, message: str, parameters: Any = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message} | more
        if parameters is not None:
            self.body["parameters"] = parameters


def internal_error() -> VendorError:
    """What the database's own errors become."""
    text = "Internal Error. Details are available in Magento log file. Report ID: webapi-"
    return VendorError(500, text + "67446f5a1b2c3")


def required(name: str) -> VendorError:
    """A parameter is missing."""
    return VendorError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name})


def unsupported(name: str) -> VendorError:
    """A field the vendor does not know."""
    text = '"%fieldName" is not supported. Correct the field name and try again.'
    return VendorError(400, text, {"fieldName": name})


def whole(value: Any) -> int:
    """An integer of a query or a path, or the vendor's refusal."""
    if not re.fullmatch(r"-?\d{1,18}", str(value)):
        text = 'The "%value" value\'s type is invalid. The "%type" type was expected.'
        text += " Verify and try again."
        raise VendorError(400, text, {"value": value, "type": "int"})
    return int(value)


def pairs(query: str) -> Iterator[tuple[str, str]]:
    """Names and values of a query."""
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value)


class Search:
    """One list call.

    Args:
        query: the raw query.
        columns: what can be filtered and sorted by.
        is_flat: whether wrong columns reach the database (500) or are refused before it (400).
        limit: the greatest page where the shop limits it, else None.
        repeats_last: whether asking past the end gives the last page again, as older versions did.
    """

    def __init__(
        self,
        query: str,
        columns: set[str],
        *,
        is_flat: bool,
        limit: int | None = None,
        repeats_last: bool = False,
    ) -> None:
        self._columns = columns
        self._is_flat = is_flat
        self._repeats_last = repeats_last
        self.criteria = _criteria(query)
        if limit is not None:
            self._limit_page(limit)
        self.size = whole(self.criteria.get("page_size", 0))
        if self.size < 0:
            raise internal_error()
        self.page = max(whole(self.criteria.get("current_page", 1)), 1)

    def answer(self, rows: Iterable[Json]) -> Json:
        """One page of the rows that fit, and what was asked.

        Args:
            rows: keyed by column, with ``_order`` among themselves and a ``_body`` to be called.
        """
        self._check()
        fitting = self._sorted([row for row in rows if self._fits(row)])
        page = fitting
        if self.size:
            start = (self.page - 1) * self.size
            if start >= len(fitting) and self._repeats_last:
                start = max(len(fitting) - 1, 0) // self.size * self.size
            page = fitting[start : start + self.size]
        return {
            "items": [row["_body"]() for row in page],
            "search_criteria": self.criteria,
            "total_count": len(fitting),
        }

    def _limit_page(self, limit: int) -> None:
        size = whole(self.criteria.setdefault("page_size", 20))
        if size > limit:
            text = "Maximum SearchCriteria pageSize is %max"
            raise VendorError(400, text, {"max": limit})

    def _fits(self, row: Json) -> bool:
        for group in self.criteria["filter_groups"]:
            filters = group.get("filters", [])
            if filters and not any(_matches(row.get(one["field"]), one) for one in filters):
                return False
        return True

    def _check(self) -> None:
        """Refuse columns that are not there, even where no row is."""
        named = [one for group in self.criteria["filter_groups"] for one in group["filters"]]
        for one in [*named, *self.criteria.get("sort_orders", [])]:
            if one.get("field") not in self._columns:
                if self._is_flat:
                    raise internal_error()
                text = 'The "%1" attribute name is invalid. Reset the name and try again.'
                raise VendorError(400, text, [one.get("field")])

    def _sorted(self, rows: list[Json]) -> list[Json]:
        orders = self.criteria.get("sort_orders", [])
        # Rows that tie have no order of their own: every other page turns them round.
        is_turned = bool(orders) and self.page % 2 == 0
        rows = sorted(rows, key=lambda row: row["_order"], reverse=is_turned)
        for order in reversed(orders):
            rows.sort(
                key=lambda row, field=order["field"]: _rank(row.get(field)),  # type: ignore[misc]
                reverse=order.get("direction", "ASC") == "DESC",
            )
        return rows


def _criteria(query: str) -> Json:
    """The nested form of the bracketed names, with the vendor's spelling."""
    found: Json = {}
    is_asked = False
    for name, value in pairs(query):
        head, *path = re.findall(r"[^\[\]]+", name) or [""]
        if head not in {"searchCriteria", "search_criteria"}:
            continue
        is_asked = True
        inner = found
        if not path:
            continue
        for step in path[:-1]:
            inner = inner.setdefault(KEYS.get(step, step), {})
            if not isinstance(inner, dict):
                raise unsupported(step)
        inner[KEYS.get(path[-1], path[-1])] = value
    if not is_asked:
        raise required("searchCriteria")
    return _checked(found)


def _checked(found: Json) -> Json:
    _only(found, "filter_groups sort_orders page_size current_page")
    groups = []
    for group in _rows(found.get("filter_groups", {})):
        _only(group, "filters")
        groups.append({"filters": [_filter(one) for one in _rows(group.get("filters", {}))]})
    criteria: Json = {"filter_groups": groups}
    if orders := [_order(one) for one in _rows(found.get("sort_orders", {}))]:
        criteria["sort_orders"] = orders
    for name in ("page_size", "current_page"):
        if name in found:
            criteria[name] = whole(found[name])
    return criteria


def _filter(given: Json) -> Json:
    _only(given, "field value condition_type")
    if "field" not in given:
        raise internal_error()
    return {"field": given["field"], "value": given.get("value", "")} | {
        "condition_type": given.get("condition_type", "eq")
    }


def _order(given: Json) -> Json:
    _only(given, "field direction")
    direction = str(given.get("direction", "DESC")).upper()
    if direction not in {"ASC", "DESC"} or "field" not in given:
        raise VendorError(400, "Invalid sort order: %1", [given.get("direction", "")])
    return {"field": given["field"], "direction": direction}


def _rows(given: Any) -> list[Json]:
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise VendorError(400, "Decoding error.")
    return list(given.values())


def _only(given: Json, names: str) -> None:
    for name in given:
        if name not in names.split():
            raise unsupported(name)


def _rank(value: Any) -> tuple[int, Any]:
    """Nothing comes first, then numbers, then texts in any letter case."""
    if value is None:
        return (0, 0)
    value = shown(value)
    return (1, value) if isinstance(value, int | float) else (2, str(value).lower())


def _matches(value: Any, asked: Json) -> bool:
    """As the database compares: nothing matches nothing, texts in any letter case.

    A condition it does not know is taken for ``eq``, and any text for a date.
    """
    wanted, condition = str(asked["value"]), str(asked["condition_type"])
    if condition in {"null", "notnull"}:
        return (value is None) == (condition == "null")
    if value is None:
        return False
    if condition in {"in", "nin"}:
        found = any(_compare(value, one) == 0 for one in wanted.split(","))
        return found == (condition == "in")
    if condition == "finset":
        return wanted.lower() in str(value).lower().split(",")
    if condition == "like":
        parts = (re.escape(part).replace("_", ".") for part in wanted.split("%"))
        return re.fullmatch(".*".join(parts), str(value), re.IGNORECASE | re.DOTALL) is not None
    order = _compare(value, wanted)
    told = {
        "neq": order != 0,
        "gt": order > 0,
        "gteq": order >= 0,
        "from": order >= 0,
        "lt": order < 0,
        "lteq": order <= 0,
        "to": order <= 0,
    }
    return told.get(condition, order == 0)


def _compare(value: Any, wanted: str) -> int:
    if isinstance(value, int | Decimal):
        try:
            number = Decimal(wanted.strip())
        except InvalidOperation:
            # A text counts as nought where the column holds numbers.
            number = Decimal(0)
        return int(value > number) - int(value < number)
    left, right = str(value).lower(), wanted.strip().lower()
    return int(left > right) - int(left < right)


# -- fields ----------------------------------------------------------------------------------------


def trimmed(body: Any, query: str) -> Any:
    """What ``fields`` leaves of an answer: nothing of a list whose ``items`` it does not name."""
    asked = dict(pairs(query)).get("fields")
    if asked is None or not isinstance(body, dict):
        return body
    tree = _tree(asked)
    left = _cut(body, tree) if tree else {}
    if "items" in left and not left["items"]:
        left["items"] = None
    return left or []


def _tree(text: str) -> Json | None:
    """``a,b[c]`` as nested names; None where the brackets do not close."""
    root: Json = {}
    stack = [root]
    name = ""
    for token in re.findall(r"[\[\],]|[^\[\],]+", text):
        if token == "[":  # noqa: S105  a bracket
            if not name:
                return None
            stack.append(stack[-1].setdefault(name, {}))
        elif token == "]":  # noqa: S105  a bracket
            if len(stack) == 1:
                return None
            stack.pop()
        elif token != ",":  # noqa: S105  a comma
            name = token.strip()
            stack[-1].setdefault(name, {})
    return root if len(stack) == 1 else None


def _cut(body: Any, tree: Json) -> Any:
    if not tree:
        return body
    if isinstance(body, list):
        return [_cut(one, tree) for one in body]
    if not isinstance(body, dict):
        return body
    return {name: _cut(body[name], inner) for name, inner in tree.items() if name in body}
