"""How the sandbox reads a query: the feed by version, the search, and refusals in its words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from platforms.lightspeed.sandbox_shapes import STATUSES, Json

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
SEARCH = {
    "sales": "date_from date_to status invoice_number customer_id user_id outlet_id".split(),
    "products": "sku supplier_id brand_id tag_id product_type_id variant_parent_id".split(),
    "customers": "customer_code first_name last_name company_name mobile phone email".split(),
}
COMMON = {"type", "order_by", "order_direction", "page_size", "offset", "_id", "-_id", "deleted"}
MOST_FOUND = 1000


def error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The vendor's error body."""
    return JSONResponse({"error": REASONS[status], "message": message}, status, headers)


class WrongRequestError(ValueError):
    """What the API refuses, with its status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> Response:
        """The refusal."""
        return error(self.status, str(self))


def whole(query: QueryParams, name: str, default: int | None, least: int = 0) -> int | None:
    """A whole number of the query."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise WrongRequestError(f"{name} must be a whole number of at least {least}")
    return int(text)


def flag(query: QueryParams, name: str) -> bool:
    """A switch of the query."""
    text = query.get(name, "false")
    if text not in {"true", "false"}:
        raise WrongRequestError(f"{name} must be true or false")
    return text == "true"


def only(query: QueryParams, names: Iterable[str]) -> None:
    """Refuse parameters the list does not have."""
    if unknown := set(query) - set(names):
        raise WrongRequestError(f"unknown parameter: {', '.join(sorted(unknown))}")


def page(query: QueryParams, rows: list[tuple[int, Json]], size: int, most: int) -> Json:
    """One page of a feed: ascending by version, above one bound and below the other.

    Args:
        query: the parameters of the call.
        rows: each row with its version.
        size: how many without ``page_size``.
        most: how many at most; who asks for more gets as many, without a word.
    """
    after, before = whole(query, "after", 0), whole(query, "before", None)
    wanted = min(whole(query, "page_size", size, 1) or size, most)
    found = sorted(
        (version, place)
        for place, (version, _) in enumerate(rows)
        if version > (after or 0) and (before is None or version < before)
    )[:wanted]
    ends = {"min": found[0][0], "max": found[-1][0]} if found else {"min": None, "max": None}
    return {"data": [rows[place][1] for _, place in found], "version": ends}


class Search:
    """What ``/search`` asks for; raises WrongRequestError for what it does not know."""

    def __init__(self, query: QueryParams) -> None:
        self.type = query.get("type", "")
        if self.type not in SEARCH:
            raise WrongRequestError("type must be one of sales, products, customers")
        self._names = SEARCH[self.type]
        hidden = {f"-{name}" for name in self._names} if self.type == "products" else set()
        only(query, COMMON | set(self._names) | hidden)
        self._query = query
        self.size = min(whole(query, "page_size", 50, 1) or 50, MOST_FOUND)
        self.offset = whole(query, "offset", 0) or 0
        self.has_deleted = flag(query, "deleted")
        self.order = query.get("order_by", "")
        if self.order not in {"", *self._names}:
            raise WrongRequestError(f"order_by must be one of {', '.join(self._names)}")
        self.direction = query.get("order_direction", "asc")
        if self.direction not in {"asc", "desc"}:
            raise WrongRequestError("order_direction must be asc or desc")
        self._bounds = {name: self._moment(name) for name in ("date_from", "date_to")}

    def answer(self, rows: list[tuple[Json, Json]]) -> Json:
        """The rows that fit, each given as what is compared and what is shown."""
        found = [(keys, body) for keys, body in rows if self._fits(keys)]
        if self.order:
            found.sort(key=lambda one: str(one[0].get(self.order) or ""))
        if self.direction == "desc":
            found.reverse()
        return {"data": [body for _, body in found][self.offset : self.offset + self.size]}

    def _fits(self, keys: Json) -> bool:
        if keys["deleted"] and not self.has_deleted:
            return False
        if not self._in_time(keys.get("at")):
            return False
        for name in (*self._names, "_id"):
            wanted, unwanted = self._query.getlist(name), self._query.getlist(f"-{name}")
            if name.startswith("date_"):
                continue
            if (wanted and not self._same(name, keys, wanted)) or self._same(name, keys, unwanted):
                return False
        return True

    def _same(self, name: str, keys: Json, values: list[str]) -> bool:
        """A SKU is kept in lower case here, so one in capitals finds nothing."""
        value = keys.get(name)
        if name == "sku":
            return str(value or "").lower() in values
        if name == "status":
            return any(one in {value, STATUSES[str(value)][0]} for one in values)
        return value is not None and value in values

    def _in_time(self, at: datetime | None) -> bool:
        low, high = self._bounds["date_from"], self._bounds["date_to"]
        if at is None:
            return True
        return (low is None or at >= low) and (high is None or at <= high)

    def _moment(self, name: str) -> datetime | None:
        text: Any = self._query.get(name)
        if text is None:
            return None
        try:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise WrongRequestError(f"{name} must look like 2016-08-08T12:00:00Z") from None
