"""A stand-in for a company's own system: it tells, answers and takes canonical records.

It sends Standard Webhooks of what it keeps, with the retries the scheme recommends and a fresh
time and proof for each; it shows what changed since a time; and it takes the bridge's posts,
refusing what is not signed, not recent or not by the published schemas. ``/_sandbox`` routes drive
it from outside. Not here: asymmetric signatures, and more than one endpoint for webhooks.
"""

from __future__ import annotations

import dataclasses
import hmac
import itertools
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.standard.sandbox_desk import Desk
from platforms.standard.sandbox_inbox import Inbox
from platforms.standard.sandbox_records import (
    KINDS,
    PARTS,
    Json,
    Records,
    RefusedError,
    moment,
    text_of,
)
from platforms.standard.sandbox_signing import sign
from sandbox.control import control_routes
from sandbox.deliveries import Delivery, Outbox, poster
from sandbox.faults import Faults
from sandbox.load import Load

HOUR = 3600
PAUSES = (5, 300, HOUR // 2, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)))
"""Before each retry, as the scheme recommends."""
NEVER = 10**9
GONE = 410
ASKED = {"changed_since", "after", "limit"}
MOST = 200

Answer = Callable[[Request], Awaitable[Response]]


class StandardSandbox:
    """One system.

    Seed keys, all optional: ``records`` [{kind, id, record, part, changed_at}] (kind as the API's
    lists are called), ``currency``, ``tax_rate`` (a fraction), ``first_id``, ``token`` (who reads),
    ``offers`` (the lists there are; all of them), ``post_secrets`` (what the bridge signs with),
    ``path`` (where it posts), ``webhook_uri``, ``webhook_secret`` (one, or several with blanks
    between: each signs), ``limits`` {parallel, per_minute}.

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven, and what it bears.
        accepted: posts taken by type, ``repeated``, ``late`` and ``refused`` ones; orders placed
            under ``orders``.
        outbox: the webhooks and how they are sent.
        records: what it keeps.
        inbox: what it took.
        clock: gives the time; tests may replace it.
        is_gone: whether the receiver answered 410, so that nothing is sent any more.
        send: sends one delivery as it is; tests may put a function in its place.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {
            "records": [],
            "currency": "GBP",
            "tax_rate": "0.2",
            "first_id": 1000,
            "token": "sandbox-token",
            "offers": list(KINDS),
            "post_secrets": ["whsec_c2FuZGJveC1wb3N0LXNlY3JldC0wMTIzNDU2Nzg5"],
            "path": "/fizzbridge",
            "webhook_secret": "whsec_c2FuZGJveC13ZWJob29rLXNlY3JldC0wMTIzNDU2",
        } | seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.send = poster(5, 20)
        self.outbox = Outbox(self._post, PAUSES, NEVER, lambda _: None)
        self.uri: str = seed.get("webhook_uri", "")
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        most = seed.get("limits", {})
        self.load = Load(
            self.faults, lambda: self.clock(), most.get("parallel"), most.get("per_minute")
        )
        self.app = self.load

    def _start(self) -> None:
        self.is_gone = False
        self._events = itertools.count(1)
        self.outbox.clear()
        self.records = Records(self.seed["records"], lambda: self.clock(), self._notify)
        self.desk = Desk(self.records, lambda: self.clock(), self.seed)
        self.inbox = Inbox(self.seed["post_secrets"], lambda: self.clock(), self.accepted)

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    # -- what it tells -----------------------------------------------------------------------------

    def _notify(self, topic: str, number: str, data: Json) -> None:
        if not self.uri or self.is_gone:
            return
        event = {"type": topic, "timestamp": text_of(self.clock()), "data": data}
        raw = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        place = next(self._events)
        one = Delivery(f"d{place}", topic, number, "bridge", self.uri, {}, raw)
        one.headers = self._headers(f"msg_{place:016x}", raw)
        self.outbox.add(one)

    def _headers(self, number: str, raw: bytes) -> dict[str, str]:
        plain = {"Content-Type": "application/json", "User-Agent": "home-grown/1"}
        secrets = self.seed["webhook_secret"].split()
        return plain | sign(secrets, number, self.clock(), raw)

    def _post(self, delivery: Delivery) -> int:
        """Every attempt has its own time and proof, and the id of the first."""
        headers = self._headers(delivery.headers["webhook-id"], delivery.body)
        status = self.send(dataclasses.replace(delivery, headers=headers))
        self.is_gone = self.is_gone or status == GONE
        return status

    # -- what it shows -----------------------------------------------------------------------------

    def _guarded(self, answer: Answer) -> Answer:
        async def guarded(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            known = hmac.compare_digest(token.encode(), self.seed["token"].encode())
            if scheme != "Bearer" or not known:
                return _error(401, "the token is not one of ours")
            if request.path_params["kind"] not in self.seed["offers"]:
                return _error(404, f"there is no list {request.path_params['kind']}")
            try:
                return await answer(request)
            except RefusedError as refused:
                return _error(400, str(refused))

        return guarded

    async def _list(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if unknown := set(asked) - ASKED:
            raise RefusedError(f"unknown parameters: {', '.join(sorted(unknown))}")
        limit = asked.get("limit", "100")
        if not (limit.isdecimal() and 1 <= int(limit) <= MOST):
            raise RefusedError(f"limit is a number from 1 to {MOST}")
        since = moment(asked["changed_since"]) if "changed_since" in asked else None
        kind = request.path_params["kind"]
        items, more = self.records.page(kind, since, asked.get("after"), int(limit))
        return JSONResponse({"items": items, "next": more})

    async def _get(self, request: Request) -> Response:
        kind, number = request.path_params["kind"], request.path_params["id"]
        part = request.query_params.get("part")
        if part not in (None, *PARTS):
            raise RefusedError(f"an order has no part {part}")
        entry = self.records.get(kind, number, part)
        if entry is None:
            return _error(404, f"{kind} has no {number}")
        return JSONResponse(entry.data())

    # -- control -----------------------------------------------------------------------------------

    async def _record(self, request: Request) -> Response:
        kind, number = request.path_params["kind"], request.path_params["id"]
        given = json.loads(await request.body() or b"{}")
        how = {name: given[name] for name in ("part", "changed_at") if name in given}
        try:
            if request.method == "DELETE":
                shown = self.records.delete(kind, number, **how)
            else:
                how["is_checked"] = not given.get("unchecked", False)
                shown = self.records.put(kind, number, given["record"], **how)
        except (RefusedError, LookupError) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        return JSONResponse(shown)

    async def _order(self, request: Request) -> Response:
        number, action = request.path_params.get("id"), request.path_params.get("action")
        try:
            given = json.loads(await request.body() or b"{}")
            if number is None:
                shown = self.desk.place(given)
                self.accepted["orders"] += 1
                return JSONResponse({"id": shown["id"], "order": shown}, 201)
            if action not in self.desk.actions:
                return JSONResponse({"error": f"no such action: {action}"}, 404)
            shown = self.desk.actions[action](number, given)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        return JSONResponse({"id": shown["id"], "record": shown})

    async def _received(self, request: Request) -> Response:
        key = request.query_params.get("key")
        return JSONResponse(self.inbox.of(key) if key else self.inbox.posts)

    async def _known(self, _: Request) -> Response:
        return JSONResponse(self.inbox.known)

    async def _forget(self, request: Request) -> Response:
        self.inbox.forget(json.loads(await request.body() or b"{}").get("key"))
        return JSONResponse({})

    async def _set_uri(self, request: Request) -> Response:
        self.uri = (await request.json())["uri"]
        self.is_gone = False
        for delivery in self.outbox.deliveries:
            delivery.uri = self.uri
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        async def take(request: Request) -> Response:
            return await self.inbox.post(request)

        record = "/_sandbox/records/{kind}/{id:path}"
        return [
            Route("/v1/{kind}", self._guarded(self._list), methods=["GET"]),
            Route("/v1/{kind}/{id:path}", self._guarded(self._get), methods=["GET"]),
            Route(self.seed["path"], take, methods=["POST"]),
            Route(record, self._record, methods=["PUT", "DELETE"]),
            Route("/_sandbox/orders", self._order, methods=["POST"]),
            Route("/_sandbox/orders/{id}/{action}", self._order, methods=["POST"]),
            Route("/_sandbox/received", self._received, methods=["GET"]),
            Route("/_sandbox/received/known", self._known, methods=["GET"]),
            Route("/_sandbox/received/forget", self._forget, methods=["POST"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
        ]


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status)


def make(seed: Json | None = None) -> StandardSandbox:
    """A system with the seed's facts."""
    return StandardSandbox(seed or {})
