"""One call of the sandbox store's API: who may make it, how it is read and how it is answered."""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_query import Asked, Filter, v2_list, v3_list
from platforms.bigcommerce.sandbox_shapes import Json, RefusedError, as_text
from platforms.bigcommerce.sandbox_store import Store

SCOPES = (
    "store_v2_orders store_v2_transactions store_v2_products store_v2_customers store_inventory"
    " store_locations store_v2_information".split()
)
NOT_VALID = (
    "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for"
    " this store."
)
READS = {"GET", "HEAD"}


@dataclass
class Call:
    """What somebody asks of the API."""

    version: str
    request: Request
    raw: bytes
    seed: Json
    may: Callable[[str], bool]
    """Whether the token may look at what a right covers."""

    def number(self, name: str = "id") -> int:
        """A number in the path."""
        return int(self.request.path_params[name])

    @property
    def body(self) -> Any:
        """What was sent, as JSON."""
        if not self.request.headers.get("content-type", "").startswith("application/json"):
            raise RefusedError("The content type of the request is not supported.", status=415)
        try:
            return json.loads(self.raw)
        except ValueError as error:
            raise RefusedError("Input is invalid.", status=400) from error

    def batch(self, most: int) -> list[Any]:
        """A list that was sent, refused where it is too long."""
        rows = self.body
        if not isinstance(rows, list) or not rows:
            raise RefusedError("error.expected.jsarray", "body")
        if len(rows) > most:
            text = "The request payload is too large. The maximum items allowed in the array is"
            raise RefusedError(f"{text} {most}.", status=413)
        return rows

    def asked(
        self, filters: dict[str, Filter] | None = None, more: str = "", most: int = 250
    ) -> Asked:
        """The query of a list."""
        return Asked(self.request.query_params, filters or {}, set(more.split()), most=most)

    def only(self, *names: str) -> None:
        """Refuse any parameter but these."""
        Asked(self.request.query_params, {}, {*names, "page", "limit"})

    def page(self, rows: list[Json]) -> Response:
        """One page of a list without filters."""
        return self.listed(self.asked(), rows)

    def listed(self, asked: Asked, rows: list[Json], *, has_cursor: bool = False) -> Response:
        """One page, the way the version shows it."""
        if self.version == "v3":
            return v3_list(asked, rows, has_cursor=has_cursor)
        has_texts = bool(self.seed["text_booleans"])
        return v2_list(asked.cut(rows), self.seed["empty_list"], has_text_booleans=has_texts)

    def shown(self, body: Any, status: int = 200) -> Response:
        """One thing, the way the version shows it."""
        if self.version == "v3":
            body = {"data": body, "meta": {}}
        elif self.version == "b2b":
            body = {"code": status, "data": body, "meta": {"message": "SUCCESS"}}
        elif self.seed["text_booleans"]:
            body = as_text(body)
        return JSONResponse(body, status)


class Meter:
    """The quota of calls in a sliding window, which all apps of a store share.

    Args:
        quota: calls in one window.
        window_ms: how long the window is.
        clock: gives the time.
    """

    def __init__(self, quota: int, window_ms: int, clock: Callable[[], datetime]) -> None:
        self.quota = quota
        self.window_ms = window_ms
        self._clock = clock
        self._calls: deque[datetime] = deque()

    def take(self) -> bool:
        """Count a call; false where the quota is used up."""
        now = self._clock()
        while self._calls and self._calls[0] <= now - timedelta(milliseconds=self.window_ms):
            self._calls.popleft()
        if len(self._calls) >= self.quota:
            return False
        self._calls.append(now)
        return True

    def headers(self) -> dict[str, str]:
        """What every answer says of the quota."""
        return {
            "X-Rate-Limit-Requests-Left": str(self.quota - len(self._calls)),
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Time-Reset-Ms": str(self._left_ms()),
            "X-Rate-Limit-Time-Window-Ms": str(self.window_ms),
        }

    def retry_after(self) -> str:
        """Whole seconds until there is room again."""
        return str(max(math.ceil(self._left_ms() / 1000), 1))

    def _left_ms(self) -> int:
        if not self._calls:
            return self.window_ms
        passed = self._clock() - self._calls[0]
        return max(self.window_ms - int(passed.total_seconds() * 1000), 0)


def allows(scopes: list[str], needed: str, method: str) -> bool:
    """Whether a token's rights cover a call; one of several that stand with bars is enough."""
    for name in needed.split("|"):
        if not name or name in scopes:
            return True
        if method in READS and f"{name}_read_only" in scopes:
            return True
    return False


class Calls:
    """Handlers of one part of the API.

    Args:
        held: gives the store as it is since the last reset.
        accepted: counts the writes.
    """

    def __init__(self, held: Callable[[], Store], accepted: Counter[str]) -> None:
        self._held = held
        self.accepted = accepted

    @property
    def store(self) -> Store:
        """What the calls are about."""
        return self._held()
