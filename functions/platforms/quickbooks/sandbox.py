"""A strict stand-in for QuickBooks Online: Accounting API v3 in JSON, OAuth 2 and webhooks.

One company with its customers, items, sales forms and payments, the query language, change data
capture and batches. Written from the vendor's facts: a refresh token moves on with each use and a
spent one ends the grant, a ``requestid`` brings the first answer again, a stale ``SyncToken`` is
refused, and the books do their own arithmetic. Not here: XML, attachments, reports, PDF and mail
calls, inventory adjustments, and the monthly ceiling of metered reads.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from platforms.quickbooks.sandbox_control import PATHS, people_routes
from platforms.quickbooks.sandbox_hooks import Hooks
from platforms.quickbooks.sandbox_names import open_books
from platforms.quickbooks.sandbox_oauth import TokenError, Tokens
from platforms.quickbooks.sandbox_people import VOIDABLE, People
from platforms.quickbooks.sandbox_query import Query, changes, wrong
from platforms.quickbooks.sandbox_store import SINGLE, Store
from platforms.quickbooks.sandbox_wire import (
    NAMES,
    TRANSACTIONS,
    GatewayError,
    QboError,
    Row,
    cleaned,
    read,
    written,
)
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load

SEED: Row = json.loads(Path(__file__).with_name("sandbox_seed.json").read_text())
PARAMETERS = {"minorversion", "requestid", "operation", "include", "query", "entities"} | {
    "changedSince"
}
DONE = {"create": "created", "update": "updated", "void": "voided", "delete": "deleted"}
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CDC_KINDS = (*TRANSACTIONS, *NAMES, "Account", "Vendor", "Employee", "Class", "Department")

Answer = Callable[[Request, bytes], Row]


class QuickBooksSandbox:
    """One company, and the app that is connected to it.

    Seed keys, all optional; defaults are in ``sandbox_seed.json``:

    - the grant: ``realm_id`` "9130350000000001", ``client_id`` "sandbox-client", ``client_secret``
      "sandbox-secret", ``refresh_token`` "RT1-sandbox", ``access_token`` "AT-sandbox" (null: none
      yet), ``access_seconds`` 3600, ``refresh_seconds`` 100 days, ``rotates`` true,
      ``reuse_grace_seconds`` 0, ``token_delay_ms`` [0, 0];
    - limits: ``per_minute`` 500, ``per_second`` null (the vendor's is 10), ``batch_per_minute``
      120, ``concurrent`` 10, ``work_seconds`` 0 (how long an answer takes), ``retry_after`` null,
      ``throttle_body`` "json" (or "xml", as the vendor has been seen to), ``requestid_seconds``
      null (kept for ever), ``batch_size`` 30, ``cdc_days`` 30, ``cdc_limit`` 1000;
    - webhooks: ``webhook_uri`` null, ``webhook_token``, ``webhook_form`` "cloudevents" or
      "classic", ``webhook_entities``;
    - the company: ``company`` {name, country: "GB"; "US" has automated sales tax}, ``currency``,
      ``multicurrency``, ``currencies`` {code: rate}, ``automated_tax_rate``,
      ``honours_total_tax`` false, ``custom_txn_numbers`` true, ``warns_duplicate_numbers`` false,
      ``allows_shipping`` true, ``line_discounts`` false, ``closed_until`` null,
      ``receipt_needs_customer`` true, ``time_offset`` "-08:00", ``opened_at``, ``first_id`` 101,
      ``first_number`` 1001;
    - records: ``accounts``, ``tax_codes``, ``payment_methods``, ``terms``, ``classes``,
      ``departments``, ``vendors``, ``employees``, ``custom_fields``, ``undeposited_account``,
      ``discount_account``, and ``customers`` and ``items`` as bodies of the API with their ``Id``.

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: committed acts of the app, by names like "invoice created", "token refreshed".
        outbox: the webhooks.
        clock: gives the time; tests may replace it.
        store: what people do in the company.
        books: the records themselves.
        in_flight: how many calls the company is working on.
    """

    def __init__(self, seed: Row) -> None:
        if unknown := seed.keys() - SEED.keys():
            raise KeyError(f"unknown seed keys: {', '.join(sorted(unknown))}")
        self.seed = SEED | seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.hooks = Hooks(self.seed, lambda: self.clock())
        self.outbox = self.hooks.outbox
        self._trace = itertools.count(1)
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())
        self._start()

    def _start(self) -> None:
        self.load.clear()
        self.books = Store(self.seed, lambda: self.clock(), self.hooks.notify)
        open_books(self.books)
        self.store = People(self.books)
        self.tokens = Tokens(self.seed, lambda: self.clock())
        self.hooks.reset()
        self.in_flight = 0
        self._calls: dict[str, deque[datetime]] = {"all": deque(), "batch": deque()}
        self._answers: dict[str, tuple[datetime, str]] = {}

    def point_webhooks_to(self, uri: str) -> None:
        """Change the app's address for webhooks, as in the developer portal."""
        self.hooks.uri = uri

    # -- the gateway -------------------------------------------------------------------------------

    def _headers(self) -> dict[str, str]:
        trace = f"1-{int(self.clock().timestamp()):08x}-{next(self._trace):024x}"
        return {"intuit_tid": trace, "Cache-Control": "max-age=0, no-cache, no-store"}

    def _json(self, body: Any, status: int = 200) -> Response:
        text = body if isinstance(body, str) else written(body)
        kind = "application/json;charset=UTF-8"
        return Response(text, status, self._headers(), media_type=kind)

    def _guarded(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Who calls, how often, and what: before any of the books is looked at."""

        async def guarded(request: Request) -> Response:
            body = await request.body()
            is_batch = request.url.path.endswith("/batch")
            try:
                self._authorize(request)
                with self._slot("batch" if is_batch else "all"):
                    text = self._once(request, body, answer)
                    await asyncio.sleep(self.seed["work_seconds"])
            except GatewayError as refused:
                return self._refusal(refused)
            except QboError as error:
                return self._json({"Fault": error.fault(), "time": self._time()}, error.status)
            return self._json(text)

        return guarded

    def _authorize(self, request: Request) -> None:
        if not self.tokens.allows(request.headers.get("authorization", "")):
            text = "Token expired or malformed bearer token"
            raise GatewayError(401, "3200", "AuthenticationFailed", text, "AUTHENTICATION")
        if request.path_params["realm"] != self.seed["realm_id"]:
            text = "The application is not authorized for this company"
            what = "ApplicationAuthorizationFailed"
            raise GatewayError(403, "3100", what, text, "AUTHORIZATION")

    @contextmanager
    def _slot(self, name: str) -> Iterator[None]:
        with self.books.lock:
            self._count(name)
            if self.in_flight >= self.seed["concurrent"]:
                raise _throttled()
            self.in_flight += 1
        try:
            yield
        finally:
            with self.books.lock:
                self.in_flight -= 1

    def _count(self, name: str) -> None:
        now, calls = self.clock(), self._calls[name]
        while calls and calls[0] <= now - timedelta(minutes=1):
            calls.popleft()
        most = self.seed["batch_per_minute" if name == "batch" else "per_minute"]
        if most is not None and len(calls) >= most:
            raise _throttled()
        second = self.seed["per_second"]
        recent = sum(1 for at in calls if at > now - timedelta(seconds=1))
        if second is not None and recent >= second:
            raise _throttled()
        calls.append(now)

    def _refusal(self, refused: GatewayError) -> Response:
        if refused.status != 429:
            return self._json(refused.body(self.clock()), refused.status)
        if self.seed["throttle_body"] == "xml":
            text = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<IntuitResponse time="'
            text += f'{self._time()}" xmlns="http://schema.intuit.com/finance/v3"><Fault type="'
            text += f'SERVICE"><Error code="3001"><Message>{refused.message}</Message><Detail>'
            text += f"{refused.detail}</Detail></Error></Fault></IntuitResponse>"
            answer = Response(text, 429, self._headers(), media_type="application/xml")
        else:
            error = {"Message": refused.message, "Detail": refused.detail, "code": "3001"}
            fault = {"Error": [error | {"element": ""}], "type": "SERVICE"}
            answer = self._json({"Fault": fault, "time": self._time()}, 429)
        if self.seed["retry_after"] is not None:
            answer.headers["Retry-After"] = str(self.seed["retry_after"])
        return answer

    def _time(self) -> str:
        return self.books.now().isoformat(timespec="milliseconds")

    def _once(self, request: Request, body: bytes, answer: Answer) -> str:
        """The answer, or the first one again where the ``requestid`` was seen before."""
        self._check(request)
        key = request.query_params.get("requestid") if request.method == "POST" else None
        with self.books.lock:
            if key and key in self._answers:
                at, text = self._answers[key]
                kept = self.seed["requestid_seconds"]
                if kept is None or self.clock() < at + timedelta(seconds=kept):
                    return text
            text = written(answer(request, body) | {"time": self._time()})
            if key:
                self._answers[key] = (self.clock(), text)
            return text

    def _check(self, request: Request) -> None:
        query = request.query_params
        if unknown := set(query) - PARAMETERS:
            names = ", ".join(sorted(unknown))
            raise QboError("2010", f"Property Name:{names} specified is unsupported or invalid")
        version = query.get("minorversion", "75")
        # 1 to 74 are taken, and mean 75.
        if not version.isdecimal() or not 1 <= int(version) <= 75:
            raise QboError("2010", "Property Name:minorversion specified is unsupported or invalid")
        if len(query.get("requestid", "")) > 50:
            text = "String length specified does not match the supported length. Min:0 Max:50"
            raise QboError("2050", f"{text} supported.", element="requestid")
        if "application/json" not in request.headers.get("accept", ""):
            raise QboError("500", "Unsupported Operation : this company answers JSON only", 406)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.method == "POST" and kind != "application/json":
            raise QboError("500", f"Unsupported Operation : content type {kind or 'none'}", 415)

    # -- the books ---------------------------------------------------------------------------------

    def _entity(self, request: Request) -> str:
        name = request.path_params["entity"]
        if name not in PATHS:
            raise QboError("500", f"Unsupported Operation : Operation {name} is not supported.")
        return PATHS[name]

    def _read(self, request: Request, _: bytes) -> Row:
        if request.method != "GET":
            raise QboError("500", f"Unsupported Operation : {request.method} of one record")
        kind = self._entity(request)
        id_ = request.path_params.get("id", "")
        if kind in SINGLE:
            if kind == "CompanyInfo" and id_ != self.seed["realm_id"]:
                raise QboError("610", "Object Not Found : the company is another one")
            id_ = "1"
        return {kind: self.books.shown(kind, self.books.get(kind, id_))}

    def _write(self, request: Request, body: bytes) -> Row:
        if request.method == "GET":
            return self._read(request, body)
        if request.method != "POST":
            raise QboError("500", f"Unsupported Operation : {request.method}")
        query = request.query_params
        kind = self._entity(request)
        return self._written(kind, read(body), query.get("operation"), query.get("include"))

    def _written(self, kind: str, body: Any, operation: str | None, include: str | None) -> Row:
        """One write, committed and counted."""
        if kind not in (*TRANSACTIONS, *NAMES):
            text = f"Operation Unsupported Operation Request is not supported for {kind}."
            raise QboError("500", f"Unsupported Operation : {text}")
        given = cleaned(kind, body)
        act = _act(kind, given, operation, include)
        writer: Any = self.store.writer(kind)
        with self.books.act():
            if act in ("create", "update"):
                row = self.books.shown(kind, writer.save(kind, given))
            else:
                row = getattr(writer, act)(kind, given)
        self.accepted[f"{kind.lower()} {DONE[act]}"] += 1
        return {kind: row}

    def _query(self, request: Request, _: bytes) -> Row:
        if request.method != "GET":
            raise QboError("500", "Unsupported Operation : a query is asked with GET")
        text = request.query_params.get("query", "")
        return {"QueryResponse": Query(text).answer(self.books)}

    def _changes(self, request: Request, _: bytes) -> Row:
        names = [one for one in request.query_params.get("entities", "").split(",") if one]
        if not names or any(name not in CDC_KINDS for name in names):
            raise wrong(f"entities {names} cannot be asked for their changes")
        text = request.query_params.get("changedSince", "")
        try:
            since = datetime.fromisoformat(text)
        except ValueError as error:
            raise wrong(f"changedSince is not a time: {text}") from error
        since = since if since.tzinfo else since.replace(tzinfo=UTC)
        if since < self.clock() - timedelta(days=self.seed["cdc_days"]):
            raise wrong(f"changedSince is more than {self.seed['cdc_days']} days ago")
        return changes(self.books, names, since)

    def _batch(self, request: Request, body: bytes) -> Row:
        if request.method != "POST":
            raise QboError("500", "Unsupported Operation : a batch is posted")
        given = read(body)
        items = given.get("BatchItemRequest") if isinstance(given, dict) else None
        if not isinstance(items, list) or not items:
            raise QboError("2020", "Required parameter BatchItemRequest is missing in the request")
        if len(items) > self.seed["batch_size"]:
            raise QboError("2010", f"A batch holds at most {self.seed['batch_size']} operations")
        return {"BatchItemResponse": [self._batched(one) for one in items]}

    def _batched(self, item: Row) -> Row:
        head = {"bId": item.get("bId")}
        try:
            if "Query" in item:
                return head | {"QueryResponse": Query(item["Query"]).answer(self.books)}
            kind = _one_entity(item)
            how = (item.get("operation"), item.get("optionsData"))
            return head | self._written(kind, item[kind], *how)
        except QboError as error:
            # Each item fails for itself, and the batch is still a 200.
            return head | {"Fault": error.fault()}

    # -- OAuth -------------------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        try:
            with self.books.lock:
                self.tokens.check_client(request.headers.get("authorization", ""))
                kind = request.headers.get("content-type", "").partition(";")[0]
                if kind != "application/x-www-form-urlencoded":
                    raise TokenError(400, "invalid_request", f"content type {kind}")  # noqa: TRY301  one way out
                form = dict(parse_qsl(body, keep_blank_values=True))
                pair = self.tokens.answer(form)
                is_refresh = form["grant_type"] == "refresh_token"
                self.accepted["token refreshed" if is_refresh else "token issued"] += 1
                delay = self.tokens.delay()
        except TokenError as refused:
            return self._json(refused.body, refused.status)
        # The tokens have moved on already, whoever still waits for them.
        await asyncio.sleep(delay)
        return self._json(pair)

    async def _revoke(self, request: Request) -> Response:
        try:
            self.tokens.check_client(request.headers.get("authorization", ""))
            given = read(await request.body())
        except TokenError as refused:
            return self._json(refused.body, refused.status)
        except QboError:
            given = {}
        if not isinstance(given, dict) or not self.tokens.revoke(str(given.get("token"))):
            return self._json({"error": "invalid_request"}, 400)
        self.accepted["grant revoked"] += 1
        return Response(status_code=200, headers=self._headers())

    async def _discovery(self, request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        found = {
            "issuer": "https://oauth.platform.intuit.com/op/v1",
            "authorization_endpoint": f"{base}/connect/oauth2",
            "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
            "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
        }
        return self._json(found)

    async def _consent(self, request: Request) -> Response:
        """The person says yes at once."""
        query = request.query_params
        wanted = {
            "client_id": self.seed["client_id"],
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
        }
        if any(query.get(name) != value for name, value in wanted.items()):
            return self._json({"error": "invalid_request"}, 400)
        if not query.get("redirect_uri") or not query.get("state"):
            return self._json({"error": "invalid_request"}, 400)
        back = {"code": self.tokens.consent(), "state": query["state"]}
        back["realmId"] = self.seed["realm_id"]
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 302)

    def _routes(self) -> list[Route]:
        company = "/v3/company/{realm}"
        calls: dict[str, Answer] = {
            "/query": self._query,
            "/cdc": self._changes,
            "/batch": self._batch,
            "/{entity}/{id}": self._read,
            "/{entity}": self._write,
        }
        return [
            *(
                Route(company + path, self._guarded(do), methods=VERBS)
                for path, do in calls.items()
            ),
            Route("/oauth2/v1/tokens/bearer", self._token, methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", self._revoke, methods=["POST"]),
            Route("/connect/oauth2", self._consent, methods=["GET"]),
            Route("/.well-known/openid_configuration", self._discovery, methods=["GET"]),
            Route("/.well-known/openid_sandbox_configuration", self._discovery, methods=["GET"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._start),
            *people_routes(lambda: self.store, self.hooks),
        ]


def _act(kind: str, given: Row, operation: str | None, include: str | None) -> str:
    """What a write is: the form of a void depends on the entity."""
    is_void = include == "void"
    if include is not None and not is_void:
        raise QboError(
            "2010", f"Property Name:include={include} specified is unsupported or invalid"
        )
    if operation in (None, "create", "update") and not is_void:
        act = "update" if given.get("Id") else "create"
        if operation not in (None, act):
            raise QboError("2020", f"Required parameter Id does not fit to operation {operation}")
        return act
    if operation == "delete" and kind in TRANSACTIONS and not is_void:
        return "delete"
    # An invoice has an operation of its own; the others are updated with a void.
    form = ("void", False) if kind == "Invoice" else ("update", True)
    if kind in VOIDABLE and (operation, is_void) == form:
        return "void"
    text = f"Operation {operation} include {include} is not supported on {kind}."
    raise QboError("500", f"Unsupported Operation : {text}")


def _one_entity(item: Row) -> str:
    kinds = [name for name in item if name in PATHS.values()]
    if len(kinds) != 1 or not item.get("bId"):
        raise QboError("2010", "Property Name:a batch item has a bId and one entity")
    return kinds[0]


def _throttled() -> GatewayError:
    text = "The request limit was reached.  Try again later"
    return GatewayError(429, "3001", "ThrottleExceeded", text, "SERVICE")


def make(seed: Row | None = None) -> QuickBooksSandbox:
    """A company as the seed says."""
    return QuickBooksSandbox(seed or {})
