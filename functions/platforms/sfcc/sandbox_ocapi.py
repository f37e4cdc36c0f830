"""The older shop API's search for orders: the same orders, in snake case."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.sfcc.sandbox_scapi import MOMENT, PAGE, PAGE_LIMIT, Gate
from platforms.sfcc.sandbox_store import Store
from platforms.sfcc.sandbox_sums import Json

DATES = ("last_modified", "creation_date")
UPPER = re.compile(r"(?<=[a-z0-9])[A-Z]")


def snake(value: Any) -> Any:
    """The names of one API in the words of the other; a merchant's own names stay."""
    if isinstance(value, dict):
        return {_name(key): snake(one) for key, one in value.items()}
    if isinstance(value, list):
        return [snake(one) for one in value]
    return value


def _name(name: str) -> str:
    if name.startswith("c_"):
        return name
    return UPPER.sub(lambda found: f"_{found[0].lower()}", name)


def fault(status: int, kind: str, text: str, **arguments: Any) -> Response:
    """The older API's error body."""
    body = {"type": kind, "message": text} | ({"arguments": arguments} if arguments else {})
    return JSONResponse({"_v": "25.6", "fault": body}, status)


async def search(request: Request, seed: Json, store: Store, gate: Gate) -> Response:
    """Orders of a site by their times."""
    if kind := gate.enter_old(request):
        status = 401 if kind == "InvalidAccessTokenException" else 403
        return fault(status, kind, "The client may not ask this.")
    site = request.path_params["site"]
    if site not in seed["sites"]:
        return fault(404, "SiteNotFoundException", "There is no such site.", siteId=site)
    try:
        asked = _asked(json.loads(await request.body()))
    except (ValueError, TypeError, LookupError) as wrong:
        return fault(400, "MalformedDocumentException", f"Not understood: {wrong}")
    if asked["start"] + asked["count"] > seed["depth"]:
        return fault(400, "PagingLimitException", "The search is not that deep.")
    found = [
        one
        for one in map(snake, store.seen(seed["index_lag_seconds"]))
        if one["site_id"] == site and _takes(one, asked)
    ]
    found.sort(key=lambda one: (one[asked["by"]], one["order_no"]), reverse=asked["is_descending"])
    shown = found[asked["start"] : asked["start"] + asked["count"]]
    body = {
        "_v": "25.6",
        "_type": "order_search_result",
        "count": len(shown),
        "start": asked["start"],
        "total": len(found),
    }
    if shown:
        body["hits"] = [{"_type": "order_search_hit", "data": one} for one in shown]
    return JSONResponse(body)


def _takes(order: Json, asked: Json) -> bool:
    at = datetime.fromisoformat(order[asked["field"]]) if asked["field"] else None
    if at is None:
        return True
    low, high = asked["from"], asked["to"]
    return (low is None or at >= low) and (high is None or at <= high)


def _asked(given: Json) -> Json:
    """A request with what it leaves out; raises an error for what is not understood."""
    _only(given, {"query", "sorts", "select", "count", "start"})
    query = given["query"]
    found: Json = {"field": None, "from": None, "to": None}
    if set(query) == {"filtered_query"}:
        inner = query["filtered_query"]
        _only(inner, {"query", "filter"})
        _only(inner["filter"], {"range_filter"})
        bounds = inner["filter"]["range_filter"]
        _only(bounds, {"field", "from", "to"})
        found["field"] = _word(bounds["field"], DATES)
        found |= {name: _moment(bounds[name]) for name in ("from", "to") if name in bounds}
        query = inner["query"]
    if query != {"match_all_query": {}}:
        raise ValueError("query")
    sort = (given.get("sorts") or [{}])[0]
    _only(sort, {"field", "sort_order"})
    found["by"] = _word(sort.get("field", "creation_date"), DATES)
    found["is_descending"] = _word(sort.get("sort_order", "desc"), ("asc", "desc")) == "desc"
    if given.get("select", "(**)") != "(**)":
        raise ValueError("select")
    return found | {"count": _whole(given, "count", PAGE), "start": _whole(given, "start", 0)}


def _only(given: Json, names: set[str]) -> None:
    if unknown := set(given) - names:
        raise ValueError(min(unknown))


def _word(word: Any, words: tuple[str, ...]) -> str:
    if word not in words:
        raise ValueError(word)
    return str(word)


def _moment(text: Any) -> datetime:
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _whole(given: Json, name: str, default: int) -> int:
    value = given.get(name, default)
    most = PAGE_LIMIT if name == "count" else 10**9
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(name)
    return value
