"""What every call to the API has in common: problem documents, tokens, limits, lists' queries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.sfcc.sandbox_order import CONFIRMATION, EXPORT, PAYMENT, SHIPPING, STATUSES
from platforms.sfcc.sandbox_sums import Json

ERRORS = "https://api.commercecloud.salesforce.com/documentation/error/v1/errors/"
TENANT = "SALESFORCE_COMMERCE_API:"
BODY_LIMIT = 5 * 1024 * 1024
ANSWER_LIMIT = 10 * 1024 * 1024
HEAD_LIMIT = 24 * 1024
PAGE_LIMIT = 200
PAGE = 25
STATES: dict[str, list[str]] = {
    "status": STATUSES,
    "exportStatus": EXPORT,
    "confirmationStatus": CONFIRMATION,
    "paymentStatus": PAYMENT,
    "shippingStatus": SHIPPING,
}
BOUNDS = {
    "creationDateFrom": "creationDate",
    "creationDateTo": "creationDate",
    "lastModifiedDateFrom": "lastModified",
    "lastModifiedDateTo": "lastModified",
}
SORTS = {"creation_date": "creationDate", "last_modified": "lastModified"}
QUERY = {*STATES, *BOUNDS, "siteId", "externalStatus", "sortBy", "sortOrder", "offset", "limit"}
# UTC only, and no finer than the vendor's own times.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


class ProblemError(Exception):
    """A call the API refuses."""

    def __init__(self, status: int, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.more = more
        self.headers: dict[str, str] = {}

    def answer(self) -> Response:
        """The problem document."""
        title = self.kind.replace("-", " ").title()
        body = {"title": title, "type": ERRORS + self.kind, "detail": str(self)} | self.more
        kind = "application/problem+json"
        return JSONResponse(body, self.status, self.headers, media_type=kind)


def plain(request: Request, names: Collection[str], needed: Collection[str] = ()) -> Json:
    """The query of a call, each parameter known and given once."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    found = dict(pairs)
    for name, value in pairs:
        if name not in names:
            raise ProblemError(400, "invalid-query-parameter", f"{name} is no parameter here.")
        if value != found[name]:
            raise ProblemError(400, "invalid-query-parameter", f"{name} was given twice.")
    if missing := [name for name in needed if not found.get(name)]:
        raise ProblemError(400, "bad-request", f"{missing[0]} is needed.", parameter=missing[0])
    return found


class OrderQuery:
    """What a list of orders asks for."""

    def __init__(self, request: Request, depth: int) -> None:
        self._query = plain(request, QUERY, ("siteId",))
        self.site = self._query["siteId"]
        self.limit = self._whole("limit", PAGE, 1, PAGE_LIMIT)
        self.offset = self._whole("offset", 0, 0, depth - self.limit)
        self._by = SORTS[self._one_of("sortBy", SORTS, "creation_date")]
        self._is_descending = self._one_of("sortOrder", ("asc", "desc"), "desc") == "desc"
        self._states = {name: self._one_of(name, STATES[name]) for name in STATES}
        self._bounds = {name: self._moment(name) for name in BOUNDS}

    def page(self, orders: Iterable[Json]) -> Json:
        """One page of the orders that fit."""
        found = sorted(
            (order for order in orders if self._takes(order)),
            key=lambda order: (order[self._by], order["orderNo"]),
            reverse=self._is_descending,
        )
        shown = found[self.offset : self.offset + self.limit]
        return {"limit": self.limit, "offset": self.offset, "total": len(found), "data": shown}

    def _takes(self, order: Json) -> bool:
        if order["siteId"] != self.site:
            return False
        if any(asked and order[name] != asked for name, asked in self._states.items()):
            return False
        external = self._query.get("externalStatus")
        if external is not None and order.get("externalOrderStatus") != external:
            return False
        for name, bound in self._bounds.items():
            at = datetime.fromisoformat(order[BOUNDS[name]])
            # Both ends belong to the window.
            if bound and (at < bound if name.endswith("From") else at > bound):
                return False
        return True

    def _wrong(self, name: str) -> ProblemError:
        value = self._query[name]
        detail = f"{name} does not take {value!r}."
        return ProblemError(400, "bad-request", detail, parameter=name, value=value)

    def _whole(self, name: str, default: int, least: int, most: int) -> int:
        text = self._query.get(name, str(default))
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise self._wrong(name)
        return int(text)

    def _one_of(self, name: str, known: Collection[str], default: str = "") -> str:
        text: str = self._query.get(name, default)
        if name in self._query and text not in known:
            raise self._wrong(name)
        return text

    def _moment(self, name: str) -> datetime | None:
        text = self._query.get(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise self._wrong(name) from error
        if not MOMENT.fullmatch(text):
            raise self._wrong(name)
        return at


class Gate:
    """Tokens, scopes and limits.

    Args:
        seed: the clients, the tenant and the limits.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self._seed = seed
        self._clock = clock
        self._tokens: dict[str, tuple[str, frozenset[str], datetime]] = {}
        self._calls: deque[datetime] = deque()
        self.load = int(seed["load"])

    def revoke(self) -> None:
        """Let every token end before its time."""
        self._tokens.clear()

    async def grant(self, request: Request, *, has_scopes: bool = True) -> Response:
        """The Account Manager's answer to a client."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/x-www-form-urlencoded":
            return _denied(400, "invalid_request", "The body is not a form")
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        client, is_basic = self._client(request, form)
        if client is None:
            return _denied(
                401 if is_basic else 400, "invalid_client", "Client authentication failed"
            )
        if form.get("grant_type") != "client_credentials":
            return _denied(400, "unsupported_grant_type", "This grant type is not supported")
        scopes = frozenset(form.get("scope", "").split())
        if has_scopes and (not scopes or not scopes <= set(client["scopes"])):
            return _denied(400, "invalid_scope", "Unknown, invalid or missing scope(s)")
        return self._issue(client, scopes if has_scopes else frozenset({"ocapi"}))

    def _issue(self, client: Json, scopes: frozenset[str]) -> Response:
        seconds = int(self._seed["token_seconds"])
        ends = self._clock() + timedelta(seconds=seconds)
        said = {
            "iss": "https://account.example:443/dwsso/oauth2",
            "sub": client["client_id"],
            "scope": sorted(scopes),
            "exp": int(ends.timestamp()),
            "jti": str(uuid.uuid4()),
        }
        head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(said)}"
        proof = hmac.digest(b"account-manager", head.encode(), hashlib.sha256)
        token = f"{head}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
        self._tokens[token] = client["client_id"], scopes, ends
        body = {"access_token": token, "token_type": "Bearer", "expires_in": seconds}
        if "ocapi" not in scopes:
            body["scope"] = " ".join(sorted(scopes))
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    def _client(self, request: Request, form: Json) -> tuple[Json | None, bool]:
        """The client that shows its secret the way it was set up for; and whether in the header."""
        header = request.headers.get("authorization")
        if header is not None:
            way, shown = "client_secret_basic", _basic(header)
        else:
            way = "client_secret_post"
            shown = form.get("client_id", ""), form.get("client_secret", "")
        for client in self._seed["clients"]:
            if (
                client["client_id"] == shown[0]
                and hmac.compare_digest(client["client_secret"].encode(), shown[1].encode())
                and client.get("auth", "client_secret_basic") == way
            ):
                return client, header is not None
        return None, header is not None

    def enter(self, request: Request, scopes: Collection[str]) -> None:
        """Refuse a call that is too big, one too many, or not allowed."""
        head = len(str(request.url)) + sum(len(k) + len(v) for k, v in request.headers.raw)
        if head > HEAD_LIMIT:
            raise ProblemError(400, "bad-request", "The URL and the headers are too long.")
        if int(request.headers.get("content-length", "0")) > BODY_LIMIT:
            raise ProblemError(413, "payload-too-large", "The body is too large.")
        self._slow_down()
        _, granted, _ = self._token(request)
        org = request.path_params.get("org")
        if org != f"f_ecom_{self._seed['tenant']}" or TENANT + self._seed["tenant"] not in granted:
            raise ProblemError(403, "forbidden", "The token is not for this organization.")
        if not granted & set(scopes):
            needed = min(scopes, key=len)
            raise ProblemError(403, "forbidden", f"Access denied. The scope {needed} is missing.")

    def enter_old(self, request: Request) -> str | None:
        """The fault of a call to the older API, if it has one."""
        try:
            client, granted, _ = self._token(request)
        except ProblemError:
            return "InvalidAccessTokenException"
        shown = request.headers.get("x-dw-client-id", request.query_params.get("client_id"))
        return None if "ocapi" in granted and shown == client else "UnauthorizedClientException"

    def load_headers(self) -> dict[str, str]:
        """How busy the vendor is, when it is."""
        if self.load < 80:
            return {}
        word = "WARN" if self.load < 90 else "THROTTLE"
        return {"sfdc_load": str(self.load), "sfdc_load_status": word}

    def _token(self, request: Request) -> tuple[str, frozenset[str], datetime]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = self._tokens.get(token)
        if scheme != "Bearer" or found is None or found[2] <= self._clock():
            detail = "The request is unauthorized, the access token is invalid."
            raise ProblemError(401, "invalid-access-token", detail)
        return found

    def _slow_down(self) -> None:
        if self.load >= 90:
            raise ProblemError(503, "service-unavailable", "The service is overloaded.")
        if not (limit := self._seed["rate_limit"]):
            return
        now = self._clock()
        span = timedelta(seconds=limit["seconds"])
        while self._calls and self._calls[0] <= now - span:
            self._calls.popleft()
        if len(self._calls) >= limit["calls"]:
            refusal = ProblemError(429, "too-many-requests", "Too many requests.")
            wait = self._calls[0] + span - now
            refusal.headers["Retry-After"] = str(max(1, -(-wait // timedelta(seconds=1))))
            raise refusal
        self._calls.append(now)


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme != "Basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _part(content: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _denied(status: int, code: str, text: str) -> Response:
    return JSONResponse({"error": code, "error_description": text}, status)


async def json_of(request: Request, names: Collection[str]) -> Json:
    """A JSON object with known names only."""
    try:
        given = json.loads(await request.body())
    except ValueError as error:
        raise ProblemError(400, "bad-request", "The body is not JSON.") from error
    if not isinstance(given, dict):
        raise ProblemError(400, "bad-request", "The body is no object.")
    if unknown := sorted(set(given) - set(names)):
        raise ProblemError(400, "bad-request", f"Unknown property {unknown[0]}.")
    return given


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)
