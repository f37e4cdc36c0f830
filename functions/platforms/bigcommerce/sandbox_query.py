"""How the sandbox store reads the query of a list, and how each version shows one page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Container
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_shapes import Json, RefusedError, as_text, moment, number

Reader = Callable[[Json], Any]
PAGING = {"page", "limit"}
MOVING = PAGING | {"before", "after"}
# The vendor's marks behind a filter's name, and what they ask of a value.
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda seen, asked: bool(seen == asked),
    ":min": lambda seen, asked: bool(seen >= asked),
    ":max": lambda seen, asked: bool(seen <= asked),
    ":greater": lambda seen, asked: bool(seen > asked),
    ":less": lambda seen, asked: bool(seen < asked),
    ":like": lambda seen, asked: str(asked).lower() in str(seen).lower(),
}


class Filter:
    """One filter of a list.

    Args:
        read: takes the value out of a row.
        kind: ``int``, ``text``, ``number``, ``date`` or ``bool``.
        mark: what follows the name, as in ``id:in``; part of how it is tested.
    """

    def __init__(self, read: Reader, kind: str = "text", mark: str = "") -> None:
        self.read = read
        self.kind = kind
        self.mark = mark

    def takes(self, row: Json, name: str, text: str) -> bool:
        """Whether a row fits what was asked."""
        seen = self.read(row)
        if self.kind == "date" and seen is not None:
            seen = moment(seen)
        if self.mark == ":in":
            return self._same(seen) in {
                self._same(self.value(name, one)) for one in text.split(",") if one
            }
        if seen is None:
            return False
        return TESTS[self.mark](self._same(seen), self._same(self.value(name, text)))

    def value(self, name: str, text: str) -> Any:
        """What was asked, in the field's own kind; refused where it is not of that kind."""
        if self.kind == "date":
            return moment(text, name)
        if self.kind == "int":
            if not text.strip().removeprefix("-").isdecimal():
                raise RefusedError(f"The filter '{name}' is invalid.", name)
            return int(text)
        if self.kind == "number":
            return number(text, name)
        if self.kind == "bool":
            if text not in {"true", "false", "1", "0"}:
                raise RefusedError(f"The filter '{name}' is invalid.", name)
            return text in {"true", "1"}
        return text

    @staticmethod
    def _same(value: Any) -> Any:
        """Texts are compared without regard to case, amounts as amounts."""
        if isinstance(value, str):
            return value.lower()
        return Decimal(str(value)) if isinstance(value, float) else value


def field(name: str, kind: str = "text", mark: str = "") -> Filter:
    """A filter on the row's own field of that name."""
    return Filter(lambda row: row.get(name), kind, mark)


def marked(name: str, kind: str, marks: str, read: Reader | None = None) -> dict[str, Filter]:
    """The filters of one name with several marks, the plain one written as ``=``."""
    found = {}
    for mark in marks.split():
        end = "" if mark == "=" else f":{mark}"
        found[name + end] = Filter(read or (lambda row: row.get(name)), kind, end)
    return found


def later(name: str) -> dict[str, Filter]:
    """Bounds that leave their own second out: later than, earlier than."""
    return {
        name: field(name, "date"),
        f"{name}:min": field(name, "date", ":greater"),
        f"{name}:max": field(name, "date", ":less"),
    }


class Asked:
    """What a list call asks for; raises RefusedError for what the store does not understand.

    Args:
        query: the parameters of the call.
        filters: those the list knows.
        more: parameters the caller reads itself.
        size: rows of a page unless the call says otherwise.
        most: rows of a page at most.
    """

    def __init__(
        self,
        query: QueryParams,
        filters: dict[str, Filter],
        more: Container[str] = (),
        *,
        size: int = 50,
        most: int = 250,
    ) -> None:
        self.query = query
        self._filters = filters
        if unknown := [
            name
            for name in query
            if name not in filters and name not in more and name not in PAGING
        ]:
            text = f"The filter(s): {', '.join(unknown)} are not valid filter parameter(s)."
            raise RefusedError(text)
        self.size = self._whole("limit", size, most)
        self.page = self._whole("page", 1, None)

    def rows(self, rows: list[Json]) -> list[Json]:
        """Those that fit every filter of the call."""
        asked = {name: one for name, one in self._filters.items() if name in self.query}
        for name, one in asked.items():
            # A wrong value is refused even where no row would have to be looked at.
            for text in self.query[name].split(",") if one.mark == ":in" else [self.query[name]]:
                one.value(name, text)
        return [
            row
            for row in rows
            if all(one.takes(row, name, self.query[name]) for name, one in asked.items())
        ]

    def cut(self, rows: list[Json]) -> list[Json]:
        """The rows of the page."""
        start = (self.page - 1) * self.size
        return rows[start : start + self.size]

    def sort(self, rows: list[Json], names: Container[str], default: str) -> list[Json]:
        """In the order ``sort=name:direction`` asks for; ids settle what is equal."""
        name, _, direction = self.query.get("sort", default).partition(":")
        if name not in names or direction not in {"", "asc", "desc"}:
            raise RefusedError("The field 'sort' is invalid.", "sort")
        return ordered(rows, name, is_descending=direction == "desc")

    def _whole(self, name: str, default: int, most: int | None) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdecimal() or int(text) < 1 or (most is not None and int(text) > most):
            raise RefusedError(f"The field '{name}' is invalid.", name)
        return int(text)


def ordered(rows: list[Json], name: str, *, is_descending: bool) -> list[Json]:
    """Rows by one field, dates by time; ids settle what is equal."""

    def key(row: Json) -> tuple[Any, int]:
        value = row.get(name)
        if name.startswith("date_"):
            value = moment(value or "1970-01-01T00:00:00Z")
        elif isinstance(value, str):
            value = value.lower()
        return (0 if value is None else value, row["id"])

    return sorted(rows, key=key, reverse=is_descending)


def v2_list(rows: list[Json], empty: str = "204", *, has_text_booleans: bool = False) -> Response:
    """A bare list; none at all is 204 without a body, or what the seed says."""
    if rows:
        return JSONResponse(as_text(rows) if has_text_booleans else rows)
    if empty == "204":
        return Response(status_code=204)
    return JSONResponse(json.loads(empty))


def v3_list(asked: Asked, rows: list[Json], *, has_cursor: bool = False) -> Response:
    """One page under ``data``, with counts and links in ``meta``."""
    if has_cursor and ("after" in asked.query or "before" in asked.query):
        return _cursor_page(asked, rows)
    shown = asked.cut(rows)
    pages = _pagination(asked, len(rows), len(shown))
    meta: Json = {"pagination": pages}
    if has_cursor:
        # Where there are cursors, the links are theirs; and they come with the first page only.
        del pages["links"]
        if asked.page == 1:
            meta["cursor_pagination"] = _cursors(asked, rows, shown)
    return JSONResponse({"data": shown, "meta": meta})


def _pagination(asked: Asked, total: int, count: int) -> Json:
    pages = max(-(-total // asked.size), 1)
    links = {}
    kept = {name: value for name, value in asked.query.items() if name not in PAGING}
    for rel, page, there in (
        ("previous", asked.page - 1, asked.page > 1),
        ("current", asked.page, True),
        ("next", asked.page + 1, asked.page < pages),
    ):
        if there:
            links[rel] = "?" + urlencode({"page": page, "limit": asked.size} | kept, safe=":,")
    return {
        "total": total,
        "count": count,
        "per_page": asked.size,
        "current_page": asked.page,
        "total_pages": pages,
        "links": links,
    }


def _cursor_page(asked: Asked, rows: list[Json]) -> Response:
    ids = [row["id"] for row in rows]
    try:
        if "after" in asked.query:
            start = ids.index(_uncursor(asked.query["after"])) + 1
            shown = rows[start : start + asked.size]
        else:
            end = ids.index(_uncursor(asked.query["before"]))
            shown = rows[max(end - asked.size, 0) : end]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise RefusedError("The cursor is invalid.", "after") from error
    return JSONResponse(
        {"data": shown, "meta": {"cursor_pagination": _cursors(asked, rows, shown)}}
    )


def _cursors(asked: Asked, rows: list[Json], shown: list[Json]) -> Json:
    found: Json = {"count": len(shown), "per_page": asked.size}
    links = {}
    if shown:
        found |= {"start_cursor": cursor(shown[0]), "end_cursor": cursor(shown[-1])}
        kept = {name: value for name, value in asked.query.items() if name not in MOVING}
        for rel, row, edge, name in (
            ("previous", shown[0], rows[0], "before"),
            ("next", shown[-1], rows[-1], "after"),
        ):
            if row["id"] != edge["id"]:
                asks = {name: cursor(row), "limit": asked.size} | kept
                links[rel] = "?" + urlencode(asks, safe=":,")
    return found | {"links": links}


def cursor(row: Json) -> str:
    """Where a row stands, as the vendor writes it."""
    text = json.dumps({"id": row["id"]}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _uncursor(text: str) -> int:
    whole = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    return int(json.loads(whole)["id"])
