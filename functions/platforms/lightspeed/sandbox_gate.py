"""Who may ask the sandbox, for what, and how often: tokens, scopes, versions, limits."""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.lightspeed.sandbox_query import error
from platforms.lightspeed.sandbox_shapes import Json

WINDOW = timedelta(minutes=5)
GRANTS = {
    "authorization_code": {"code", "redirect_uri"},
    "refresh_token": {"refresh_token"},
}
CLIENT = {"grant_type", "client_id", "client_secret"}
QUARTER = re.compile(r"20\d\d-(01|04|07|10)")


class Meter:
    """Counts calls in windows of five minutes that begin with the first of them."""

    def __init__(self, limit: int, clock: Callable[[], datetime]) -> None:
        self.limit = limit
        self.clock = clock
        self.begun: datetime | None = None
        self.used = 0

    def take(self) -> bool:
        """Count one call; false when there was none left."""
        now = self.clock()
        if self.begun is None or now >= self.begun + WINDOW:
            self.begun, self.used = now, 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    @property
    def ends(self) -> datetime:
        """When the window is over, in whole seconds: a header has no parts of one."""
        end = (self.begun or self.clock()) + WINDOW
        return (end + timedelta(microseconds=999_999)).replace(microsecond=0)

    def headers(self) -> dict[str, str]:
        """How much is left."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - self.used),
        }


class Gate:
    """The doors of one retailer: its tokens and its limits.

    Args:
        seed: the credentials and limits.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        limit = seed["rate_limit"] or 300 * int(seed["registers"]) + 50
        self.meter = Meter(limit, clock)
        self.token_meter = Meter(seed["token_limit"], clock)
        self.access_token: str = seed["access_token"]
        self.refresh_token: str = seed["refresh_token"]
        self.code: str | None = seed["code"]
        # A token made in advance lives from when it is first shown.
        self.expires: datetime | None = None
        self.issued = 0
        self.calls: Counter[str] = Counter()

    # -- the API -----------------------------------------------------------------------------------

    def version(self, asked: str) -> str | None:
        """The version that answers: one that has ended is answered by the oldest, unsaid."""
        if asked in self.seed["versions"]:
            return asked
        oldest: str = min(self.seed["versions"])
        return oldest if QUARTER.fullmatch(asked) and asked < oldest else None

    def refusal(self, request: Request, scopes: tuple[str, ...]) -> Response | None:
        """Why this call is not let in, or nothing."""
        if not request.headers.get("user-agent"):
            return error(400, "A User-Agent header is required.")
        if not self._knows(request.headers.get("authorization", "")):
            return error(401, "The access token is missing, expired or revoked.")
        if not self.meter.take():
            # The day and time itself, not a number of seconds.
            when = format_datetime(self.meter.ends.astimezone(UTC), usegmt=True)
            return error(429, "Rate limit exceeded.", self.meter.headers() | {"Retry-After": when})
        for scope in scopes:
            if scope not in self.seed["scopes"]:
                return error(403, f"The token lacks the scope {scope}.", self.meter.headers())
        return None

    def _knows(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer":
            return False
        if _same(token, self.seed["personal_token"]):
            return True
        if not _same(token, self.access_token):
            return False
        self.expires = self.expires or self._later()
        return self.clock() < self.expires

    def _later(self) -> datetime:
        return self.clock() + timedelta(seconds=self.seed["token_life"])

    def expire(self) -> None:
        """The access token ends now; the refresh token lives on."""
        self.expires = self.clock()

    def disconnect(self) -> None:
        """The retailer threw the application out: neither token is any good."""
        self.access_token = self.refresh_token = ""

    # -- the token endpoint ------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        """Give tokens for a code or for a refresh token."""
        is_left = self.token_meter.take()
        headers = self.token_meter.headers()
        headers["X-RateLimit-Reset"] = str(int(self.token_meter.ends.timestamp()))
        if not is_left:
            when = format_datetime(self.token_meter.ends.astimezone(UTC), usegmt=True)
            return error(429, "Rate limit exceeded.", headers | {"Retry-After": when})
        status, body = self._exchange(request, await request.body())
        return JSONResponse(body, status, headers)

    def _exchange(self, request: Request, raw: bytes) -> tuple[int, Json]:
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.query_params or kind != "application/x-www-form-urlencoded":
            return _no(400, "invalid_request", "The parameters belong in a form in the body.")
        given = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
        needed = GRANTS.get(given.get("grant_type", ""))
        if needed is None:
            return _no(400, "unsupported_grant_type", "The grant type is not supported.")
        if missing := (needed | CLIENT) - set(given):
            return _no(400, "invalid_request", f"Missing: {', '.join(sorted(missing))}")
        if not (
            _same(given["client_id"], self.seed["client_id"])
            and _same(given["client_secret"], self.seed["client_secret"])
        ):
            return _no(401, "invalid_client", "Client authentication failed.")
        if not self._is_good(given):
            return _no(400, "invalid_grant", "The code or refresh token is invalid or revoked.")
        return 200, self._issue()

    def _is_good(self, given: dict[str, str]) -> bool:
        if given["grant_type"] == "refresh_token":
            old = self.seed["refresh_token"] if self.seed["old_refresh_tokens_live"] else ""
            return any(_same(given["refresh_token"], one) for one in (self.refresh_token, old))
        is_good = _same(given["code"], self.code or "") and _same(
            given["redirect_uri"], self.seed["redirect_uri"]
        )
        # A code is good for one exchange.
        self.code = None if is_good else self.code
        return is_good

    def _issue(self) -> Json:
        self.issued += 1
        self.access_token = f"{self.seed['access_token']}_{self.issued}"
        self.refresh_token = f"{self.seed['refresh_token']}_{self.issued}"
        self.expires = self._later()
        return {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires": int(self.expires.timestamp()),
            "expires_in": self.seed["token_life"],
            "refresh_token": self.refresh_token,
            "scope": " ".join(self.seed["scopes"]),
        }


def _same(given: str, kept: Any) -> bool:
    return bool(kept) and hmac.compare_digest(given.encode(), str(kept).encode())


def _no(status: int, kind: str, message: str) -> tuple[int, Json]:
    return status, {"error": kind, "message": message}
