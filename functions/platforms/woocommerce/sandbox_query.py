"""How the sandbox store reads a list's query: pages, bounds in time, and refusals in its words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.woocommerce.sandbox_products import STATUSES as PRODUCT_STATUSES
from platforms.woocommerce.sandbox_products import TYPES, Json
from platforms.woocommerce.sandbox_store import STATUSES

SORTS = ("date", "modified", "id", "include", "title", "slug")
BOUNDS = {
    "after": "date_created_gmt",
    "before": "date_created_gmt",
    "modified_after": "date_modified_gmt",
    "modified_before": "date_modified_gmt",
}
LISTED = tuple(status for status in STATUSES if status != "trash")


def error(status: int, code: str, message: str, **data: Any) -> JSONResponse:
    """The vendor's error body."""
    body = {"code": code, "message": message, "data": {"status": status} | data}
    return JSONResponse(body, status)


def fields(row: Json, query: QueryParams) -> Json:
    """Those of a row that ``_fields`` names, or all."""
    named = [one for one in query.get("_fields", "").split(",") if one]
    return {name: row[name] for name in named if name in row} if named else row


class WrongQueryError(ValueError):
    """Parameters the store refuses, each with why and the vendor's code for it."""

    def __init__(self, wrong: dict[str, tuple[str, str]]) -> None:
        super().__init__(", ".join(wrong))
        self.wrong = wrong

    def answer(self) -> Response:
        """All of them in one body."""
        params = {name: text for name, (text, _) in self.wrong.items()}
        details = {
            name: {"code": code, "message": text, "data": None}
            for name, (text, code) in self.wrong.items()
        }
        text = f"Invalid parameter(s): {self}"
        return error(400, "rest_invalid_param", text, params=params, details=details)


class ListQuery:
    """What a list call asks for; raises WrongQueryError for what the store does not understand.

    Args:
        query: the parameters of the call.
        offset: how far the store's time is from UTC, as ``+01:00``.
        has_bounds: whether this list looks at bounds in time; customers take them in silence.
        of_products: whether it is one of products, whose status is one word of their own.
    """

    def __init__(
        self,
        query: QueryParams,
        offset: str,
        *,
        has_bounds: bool = True,
        of_products: bool = False,
    ) -> None:
        self._query = query
        self._wrong: dict[str, tuple[str, str]] = {}
        self.size = self._whole("per_page", 10, 1, 100)
        self.page = self._whole("page", 1, 1, None)
        self.skip = self._whole("offset", (self.page - 1) * self.size, 0, None)
        self.sort = self._one_of("orderby", "date", SORTS)
        self.is_descending = self._one_of("order", "desc", ("asc", "desc")) == "desc"
        if of_products:
            self._one_of("type", "simple", TYPES)
        status = query.get("status", "any")
        words = PRODUCT_STATUSES if of_products else ("any", "trash", *LISTED)
        several = [status] if of_products else status.split(",")
        self.statuses = {self._known("status", one, words) for one in several}
        self._ids = query.get("include", "").split(",")
        self._bounds = {name: self._moment(name, offset) for name in BOUNDS} if has_bounds else {}
        if self._wrong:
            raise WrongQueryError(self._wrong)

    def takes_status(self, status: str) -> bool:
        """Any status but the bin's, unless named."""
        return status in self.statuses or ("any" in self.statuses and status != "trash")

    def takes_id(self, number: int) -> bool:
        """Any, unless some are named."""
        return self._ids == [""] or str(number) in self._ids

    def takes_time(self, row: Json) -> bool:
        """Every bound leaves its own second out."""
        for name, bound in self._bounds.items():
            if bound is None:
                continue
            at = datetime.fromisoformat(row[BOUNDS[name]]).replace(tzinfo=UTC)
            if not (at > bound if name.endswith("after") else at < bound):
                return False
        return True

    def answer(self, request: Request, rows: list[Json]) -> Response:
        """One page of these rows."""
        rows = self._sorted(rows)
        pages = -(-len(rows) // self.size)
        headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        links = []
        for rel, page, there in (
            ("prev", self.page - 1, self.page > 1),
            ("next", self.page + 1, self.page < pages),
        ):
            if there:
                # With keys in the query the vendor repeats them here.
                links.append(f'<{request.url.include_query_params(page=page)}>; rel="{rel}"')
        if links:
            headers["Link"] = ", ".join(links)
        shown = rows[self.skip : self.skip + self.size]
        return JSONResponse([fields(row, self._query) for row in shown], headers=headers)

    def _sorted(self, rows: list[Json]) -> list[Json]:
        if self.sort == "modified":
            # Rows of one second have no fixed order from page to page: as seen, the third page
            # turned them round, so that some came twice and others never.
            rows = sorted(rows, key=lambda row: row["id"], reverse=self.page % 3 == 0)
        key = {"modified": "date_modified_gmt", "date": "date_created_gmt"}.get(self.sort, "id")
        return sorted(rows, key=lambda row: row[key], reverse=self.is_descending)

    def _whole(self, name: str, default: int, least: int, most: int | None) -> int:
        text = self._query.get(name)
        if text is None:
            return default
        if text.isdecimal() and least <= int(text) <= (int(text) if most is None else most):
            return int(text)
        bounds = f"greater than or equal to {least}"
        if most is not None:
            bounds = f"between {least} (inclusive) and {most} (inclusive)"
        self._wrong[name] = (f"{name} must be {bounds}", "rest_out_of_bounds")
        return default

    def _one_of(self, name: str, default: str, known: tuple[str, ...]) -> str:
        return self._known(name, self._query.get(name, default), known)

    def _known(self, name: str, value: str, known: tuple[str, ...]) -> str:
        if value not in known:
            text = f"{name} is not one of {', '.join(known[:-1])}, and {known[-1]}."
            self._wrong[name] = (text, "rest_not_in_enum")
        return value

    def _moment(self, name: str, offset: str) -> datetime | None:
        text = self._query.get(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self._wrong[name] = ("Invalid date.", "rest_invalid_date")
            return None
        if at.tzinfo:
            return at
        if self._query.get("dates_are_gmt") == "true":
            return at.replace(tzinfo=UTC)
        return at.replace(tzinfo=datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo)
