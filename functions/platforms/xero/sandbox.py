"""A strict stand-in for Xero: identity server, Accounting API 2.0 and the app's webhook, for tests.

Vendor documentation: https://developer.xero.com/documentation/api/accounting/overview. One app, its
connected organisations, and what an app does with them: contacts, items, invoices, payments, credit
notes, overpayments, history. Not here: quotes, purchase orders, bank transactions, prepayments,
attachments, files, reports and the US sales tax.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from platforms.xero.sandbox_api import Api, Asked
from platforms.xero.sandbox_auth import Access, Auth, check_scope
from platforms.xero.sandbox_store import Store
from platforms.xero.sandbox_webhooks import Webhooks
from platforms.xero.sandbox_wire import (
    Answered,
    Json,
    XeroError,
    new_id,
    not_found,
    to_json,
    to_xml,
)
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load

SEED: Json = json.loads(Path(__file__).with_name("sandbox_seed.json").read_text())
EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
LARGEST = 3_500_000
MINUTE = timedelta(minutes=1)
SPANS = {"day": timedelta(days=1), "minute": MINUTE, "app_minute": MINUTE}
KINDS = {
    "contacts": "Contact",
    "items": "Item",
    "invoices": "Invoice",
    "creditnotes": "CreditNote",
    "overpayments": "Overpayment",
    "payments": "Payment",
}
"""The kinds people handle, by the name the control routes have for them."""


class Limits:
    """The vendor's three quotas, each counted over what has just passed, and its five at a time."""

    def __init__(self, most: dict[str, int], clock: Callable[[], datetime]) -> None:
        self.most, self.clock = most, clock
        self.calls: dict[tuple[str, str], deque[datetime]] = {}
        self.running: Counter[str] = Counter()

    def _passed(self, name: str, owner: str) -> deque[datetime]:
        calls = self.calls.setdefault((name, owner), deque())
        while calls and calls[0] + SPANS[name] <= self.clock():
            calls.popleft()
        return calls

    def enter(self, tenant_id: str, app: str) -> None:
        """Count a call in, or refuse it with 429."""
        now = self.clock()
        wait, problem = 0, ""
        if self.running[tenant_id] >= self.most["concurrent"]:
            wait, problem = 1, "concurrent"
        quotas = [
            (name, self._passed(name, app if name == "app_minute" else tenant_id))
            for name in ("day", "minute", "app_minute")
        ]
        for name, calls in quotas:
            if not problem and len(calls) >= self.most[name]:
                left = calls[0] + SPANS[name] - now
                wait, problem = math.ceil(left.total_seconds()), name.replace("_", "")
        if problem:
            told = {"X-Rate-Limit-Problem": problem, "Retry-After": str(wait)}
            raise XeroError(429, "", told | self.headers(tenant_id, app))
        for _, calls in quotas:
            calls.append(now)
        self.running[tenant_id] += 1

    def headers(self, tenant_id: str, app: str) -> dict[str, str]:
        """What is left."""
        rows = (
            ("X-DayLimit-Remaining", "day", tenant_id),
            ("X-MinLimit-Remaining", "minute", tenant_id),
            ("X-AppMinLimit-Remaining", "app_minute", app),
        )
        left = ((key, self.most[name] - len(self._passed(name, who))) for key, name, who in rows)
        return {key: str(max(0, count)) for key, count in left}


class XeroSandbox:
    """The vendor for one app.

    Seed keys, all optional, with their defaults in ``sandbox_seed.json``: ``clients`` [{id, secret,
    kind: web, pkce or custom, redirect_uris, tenant, scopes, broad_scopes}] (``SANDBOX-WEB-APP``
    with ``sandbox-client-secret``, ``SANDBOX-PKCE-APP``, ``SANDBOX-CUSTOM`` with
    ``sandbox-custom-secret``), ``grants`` [{client_id, refresh_token, scopes, tenants}]
    (``sandbox-refresh-token`` of the web app, for every tenant), ``refresh_grace_seconds`` (1800:
    so long a spent refresh token works; later it ends the grant), ``token_delay_ms`` and
    ``answer_delay_ms`` ([0, 0], lowest and highest, drawn by ``random_seed``), ``limits``
    {concurrent 5, minute 60, day 5000, app_minute 10000}, ``idempotency_seconds`` (360),
    ``idempotency_keeps_errors`` (true), ``max_page_size`` (1000), ``webhook_uri`` (none),
    ``webhook_client`` (whose the webhook is: the first client), ``webhook_key``
    (``sandbox-webhook-key``), ``webhook_categories`` (all four), ``application_id``,
    ``first_sequence`` (1),
    ``organisation`` (what every tenant is like: name, version, country, plan, addresses, phones,
    base_currency, currencies, rates, lock_date, number_prefix, number_reuse, accounts, tax_rates,
    tracking, contacts, items) and ``tenants`` [{tenantId, and what differs}] (one).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: committed acts of the API, and tokens, by name; what people do is not counted.
        outbox: the webhook.
        clock: gives the time; tests may replace it.
        pause: waits so many seconds; tests may replace it.
        stores: the organisations by tenant id; ``store`` is the first.
    """

    def __init__(self, seed: Json) -> None:
        organisation = SEED["organisation"] | seed.get("organisation", {})
        limits = SEED["limits"] | seed.get("limits", {})
        self.seed: Json = SEED | seed | {"organisation": organisation, "limits": limits}
        self.seed["tenants"] = [organisation | one for one in self.seed["tenants"]]
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.pause: Callable[[float], Awaitable[None]] = asyncio.sleep
        self.outbox = Webhooks(self.seed, lambda: self.clock())
        self.lock = threading.RLock()
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())
        self.reset()

    def reset(self) -> None:
        """Back to the seed."""
        self.load.clear()
        self.outbox.start()
        self.random = random.Random(self.seed["random_seed"])  # noqa: S311  nothing secret
        self.limits = Limits(self.seed["limits"], lambda: self.clock())
        self.auth = Auth(self.seed, lambda: self.clock(), self.accepted)
        self.stores = {one["tenantId"]: self._store(one) for one in self.seed["tenants"]}
        self.store = next(iter(self.stores.values()))
        self.api = Api(self.seed["max_page_size"])
        self.answered: dict[tuple[str, str, str], tuple[datetime, bytes, Response]] = {}

    def _store(self, tenant: Json) -> Store:
        tenant_id = tenant["tenantId"]

        def tell(*event: Any) -> None:
            # A disconnected organisation is none of the app's business any more.
            if self.auth.reaches(self.seed["webhook_client"], tenant_id):
                self.outbox.tell(tenant_id, *event)

        store = Store(tenant, lambda: self.clock(), tell)
        for kind in ("Contact", "Item"):
            for given in tenant[f"{kind.lower()}s"]:
                store.seed(kind, given)
        return store

    # The identity server.

    async def authorize(self, request: Request) -> Response:
        """``GET /identity/connect/authorize``: a person agrees at once."""
        return RedirectResponse(self.auth.authorize(request.query_params), 302)

    async def token(self, request: Request) -> Response:
        """``POST /connect/token``; the answer may be slow, but what it says is true at once."""
        form = await _form(request)
        with self.lock:
            body = self.auth.token(request.headers.get("authorization", ""), form)
        await self._wait("token_delay_ms")
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def revocation(self, request: Request) -> Response:
        """``POST /connect/revocation``."""
        form = await _form(request)
        self.auth.revocation(request.headers.get("authorization", ""), form)
        return Response(status_code=200)

    async def connections(self, request: Request) -> Response:
        """``GET /connections``: the tenants of this token."""
        access = self.auth.caller(request.headers.get("authorization", ""))
        asked = request.query_params.get("authEventId")
        rows = [one.shown() for one in self.auth.connected(access)]
        return JSONResponse([one for one in rows if asked in (None, one["authEventId"])])

    async def disconnect(self, request: Request) -> Response:
        """``DELETE /connections/{id}``."""
        access = self.auth.caller(request.headers.get("authorization", ""))
        if not self.auth.disconnect(access, request.path_params["id"]):
            raise not_found()
        return Response(status_code=204)

    async def _wait(self, key: str) -> None:
        low, high = self.seed[key]
        if high:
            await self.pause(self.random.uniform(low, high) / 1000)

    # The Accounting API.

    async def accounting(self, request: Request) -> Response:
        """Any call below ``/api.xro/2.0``."""
        body = await request.body()
        collection, *_ = request.path_params["rest"].split("/")
        access = self.auth.caller(request.headers.get("authorization", ""))
        writes = request.method != "GET"
        if collection in Api.COLLECTIONS:
            check_scope(access, collection, writes)
        tenant_id = self.auth.tenant(access, request.headers.get("xero-tenant-id"))
        app = access.client["id"]
        with self.lock:
            self.limits.enter(tenant_id, app)
        try:
            with self.lock:
                answer = self._answered(request, body, tenant_id, access)
            await self._wait("answer_delay_ms")
        finally:
            with self.lock:
                self.limits.running[tenant_id] -= 1
        answer.headers.update(self.limits.headers(tenant_id, app))
        return answer

    def _answered(self, request: Request, body: bytes, tenant_id: str, access: Access) -> Response:
        """Do it, or repeat what the same call with the same key was told."""
        key = request.headers.get("idempotency-key", "")
        app = access.client["id"]
        if not key or request.method == "GET":
            return self._done(request, body, tenant_id, app)
        if len(key) > 128:
            raise _rule("The idempotency key cannot be more than 128 characters long")
        now = self.clock()
        line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
        known = self.answered.get((app, tenant_id, key))
        if known and now - known[0] < timedelta(seconds=self.seed["idempotency_seconds"]):
            if known[1] != line + body:
                raise _rule("The idempotency key has been used with a different request")
            return _copy(known[2])
        answer = self._done(request, body, tenant_id, app)
        if answer.status_code < 400 or self.seed["idempotency_keeps_errors"]:
            self.answered[app, tenant_id, key] = now, line + body, _copy(answer)
        return answer

    def _done(self, request: Request, body: bytes, tenant_id: str, app: str) -> Response:
        store = self.stores[tenant_id]
        if len(body) > LARGEST:
            return Response("Request Entity Too Large", 413)
        if body and "application/json" not in request.headers.get("content-type", ""):
            return Response("Unsupported Media Type", 415)
        try:
            query = dict(request.query_params)
            asked = Asked(
                method=request.method,
                path=tuple(request.path_params["rest"].split("/")),
                query=query,
                body=body,
                modified=request.headers.get("if-modified-since"),
                app=app,
            )
            found = self.api.answer(store, asked)
        except XeroError as error:
            store.forget()
            return self._problem(error, request)
        except ArithmeticError:
            store.forget()
            return self._problem(_rule("A number is too large"), request)
        self.accepted.update(store.commit())
        if found is None:
            return Response(status_code=204)
        head = {"Id": new_id(), "Status": "OK", "ProviderName": "Fizz Bridge"}
        return self._shown(request, head | {"DateTimeUTC": Answered(self.clock())} | found)

    def _shown(self, request: Request, body: Json, status: int = 200) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return Response(to_json(body), status, media_type="application/json; charset=utf-8")
        return Response(to_xml(body), status, media_type="text/xml; charset=utf-8")

    def _problem(self, error: XeroError, request: Request) -> Response:
        if isinstance(error.body, str):
            return Response(error.body, error.status, error.headers, "text/html; charset=utf-8")
        if "Elements" in error.body or "ErrorNumber" in error.body:
            return self._shown(request, error.body, error.status)
        return Response(
            to_json(error.body), error.status, error.headers, "application/json; charset=utf-8"
        )

    async def nowhere(self, _: Request) -> Response:
        """Any other path."""
        raise not_found()

    # The control routes.

    def _at(self, request: Request) -> Store:
        return self.stores[request.query_params.get("tenant", self.store.tenant["tenantId"])]

    async def records(self, request: Request) -> Response:
        """``GET /_sandbox/records/{kind}``: everything of a kind."""
        name = request.path_params["kind"].lower().replace("_", "")
        collection = next((one for one in Api.COLLECTIONS if one.lower() == name), "")
        if not collection:
            return JSONResponse({"error": f"no such kind: {name}"}, 404)
        rows = self.api.rows(self._at(request), collection, "full", 4)
        return Response(to_json(rows), media_type="application/json")

    async def act(self, request: Request) -> Response:
        """``POST /_sandbox/{kind}/{id}/{action}``: what people do."""
        kind, number, action = (request.path_params[key] for key in ("kind", "id", "action"))
        kind, store = kind.lower().replace("_", ""), self._at(request)
        how = self._acts(store, KINDS.get(kind, "")).get(action)
        if how is None:
            return JSONResponse({"error": f"no such act: {kind}/{action}"}, 404)
        try:
            draft = json.loads(await request.body() or b"{}")
            with self.lock:
                record_id = self.api.id_of(store, KINDS[kind], number)
                record = how(record_id, draft)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused) or repr(refused)}, 422)
        shown = self.api.shown(store, record)
        return Response(
            to_json({"id": shown[0], "record": shown[1]}), media_type="application/json"
        )

    def _acts(self, store: Store, kind: str) -> dict[str, Callable[[str, Json], Json]]:
        acts: dict[str, dict[str, Callable[[str, Json], Json]]] = {
            "Contact": {
                "block": store.block,
                "invoice": store.raise_invoice,
                "pay": store.pay_ahead,
            },
            "Invoice": {"pay": store.pay, "credit": store.credit, "cancel": store.cancel},
            "CreditNote": {"pay": store.pay, "cancel": store.cancel},
            "Overpayment": {"pay": store.pay},
            "Payment": {"cancel": store.undo_payment, "delete": store.undo_payment},
            "Item": {
                "stock": lambda own, draft: store.set_stock(own, draft["quantity"]),
                "price": lambda own, draft: store.set_price(own, draft["price"]),
                "delete": lambda own, _: store.remove_item(own),
            },
        }
        found = dict(acts.get(kind, {}))
        if kind in ("Contact", "Invoice", "CreditNote", "Item"):
            found["edit"] = lambda own, draft: store.edit(kind, own, draft)
        if kind in ("Invoice", "CreditNote"):
            found["delete"] = found["cancel"]
        return found

    async def set_uri(self, request: Request) -> Response:
        """``PUT /_sandbox/webhook_uri``: a new address, taken as one that has been proven."""
        self.outbox.uri = (await request.json())["uri"]
        self.outbox.is_enabled = True
        return Response(status_code=204)

    async def webhook(self, request: Request) -> Response:
        """``POST /_sandbox/webhook/{action}``: hold, release, intent, subscription."""
        given = json.loads(await request.body() or b"{}")
        action = request.path_params["action"]
        if action == "hold":
            self.outbox.is_held = True
        elif action == "release":
            repeat, skip = int(given.get("repeat", 0)), int(given.get("skip", 0))
            made = self.outbox.release(repeat=repeat, skip=skip)
            return JSONResponse({"ids": [one.id for one in made]})
        elif action == "intent":
            answers, passed = await run_in_threadpool(self.outbox.intend)
            return JSONResponse({"statuses": answers, "passed": passed})
        elif action == "subscription":
            self.outbox.subscribe(given.get("type", "CREATE"))
        else:
            return JSONResponse({"error": f"no such act: webhook/{action}"}, 404)
        return Response(status_code=204)

    def _told(self, answer: Callable[[Request], Awaitable[Response]]) -> Any:
        """A route whose refusals are the vendor's own."""

        async def told(request: Request) -> Response:
            try:
                return await answer(request)
            except XeroError as error:
                return self._problem(error, request)

        return told

    def _routes(self) -> list[Route]:
        vendor = {
            ("GET", "/identity/connect/authorize"): self.authorize,
            ("POST", "/connect/token"): self.token,
            ("POST", "/connect/revocation"): self.revocation,
            ("GET", "/connections"): self.connections,
            ("DELETE", "/connections/{id}"): self.disconnect,
        }
        return [
            *(Route(path, self._told(how), methods=[verb]) for (verb, path), how in vendor.items()),
            Route("/api.xro/2.0/{rest:path}", self._told(self.accounting), methods=EVERY),
            Route("/_sandbox/records/{kind}", self.records, methods=["GET"]),
            Route("/_sandbox/webhook_uri", self.set_uri, methods=["PUT"]),
            Route("/_sandbox/webhook/{action}", self.webhook, methods=["POST"]),
            # Before the acts: these have paths of the same form.
            *self.outbox.routes(),
            Route("/_sandbox/{kind}/{id}/{action}", self.act, methods=["POST"]),
            *control_routes(lambda: self.faults, self.accepted, self.reset),
            Route("/{rest:path}", self._told(self.nowhere), methods=EVERY),
        ]


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind != "application/x-www-form-urlencoded":
        raise XeroError(400, {"error": "invalid_request"})
    return dict(parse_qsl((await request.body()).decode()))


def _rule(text: str) -> XeroError:
    return XeroError(400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": text})


def _copy(answer: Response) -> Response:
    kind = answer.headers.get("content-type")
    headers = {"content-type": kind} if kind else {}
    return Response(answer.body, answer.status_code, headers)


def make(seed: Json | None = None) -> XeroSandbox:
    """The vendor with the seed's organisations."""
    return XeroSandbox(seed or {})
