"""A strict stand-in for one Business Central environment: API v2.0 of one company.

Vendor documentation: https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/.

OData reads and writes of customers, items, sales documents, payments and the master data around
them, the tenant's token endpoint, webhook subscriptions with their handshake, and ``$batch``.
``/_sandbox`` routes are what people do. Not here: business events, purchases, attachments,
pictures, dimensions, PDF documents, certificates in place of client secrets, and custom API pages.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.business_central.sandbox_api import JSON, Answer, Api, Call
from platforms.business_central.sandbox_batch import Batches
from platforms.business_central.sandbox_desk import REFUSALS, Desk, NoSuchError
from platforms.business_central.sandbox_documents import Documents
from platforms.business_central.sandbox_fields import ENTITIES, WEBHOOKS
from platforms.business_central.sandbox_gate import Gate
from platforms.business_central.sandbox_hooks import Hooks
from platforms.business_central.sandbox_masters import SEED, Masters
from platforms.business_central.sandbox_payments import Payments
from platforms.business_central.sandbox_posting import Posting
from platforms.business_central.sandbox_store import Store, Told
from platforms.business_central.sandbox_values import ApiError, Row, text_of
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load

OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
METHODS = "GET POST PUT PATCH DELETE HEAD".split()
DEFAULTS: Row = SEED | {
    "tenant_id": "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1",
    "domain": "cornerpop.example",
    "environment": "Production",
    "company": {
        "id": "7c1d0a52-93be-4f06-8a1c-2f64d1b0e5aa",
        "name": "Corner Pop Ltd",
        "displayName": "Corner Pop Ltd",
        "currencyCode": "GBP",
    },
    "client_id": "5a0c6b1e-2d7f-4c38-9e41-b8d2f7a6c903",
    "client_secret": "sandbox-client-secret",
    "more_apps": [],
    "access_token": "",
    "token_life": 3599,
    "token_delay_ms": [0, 0],
    "has_common_endpoint": False,
    "rate_limit": 6000,
    "connections": 100,
    "processing_ms": 0,
    "retry_after": None,
    "page_size": 20000,
    "stale_status": 409,
    "replica_lag_seconds": 0,
    "salespeople": ["AQ"],
    "uses_sales_tax": False,
    "partial_shipping": True,
    "location_mandatory": False,
    "prevent_negative_inventory": False,
    "posting_from": "",
    "posting_to": "",
    "redistributes_discounts": True,
    "posting_releases": False,
    "posted_keeps_id": False,
    "journals_post_payments": False,
    "subscription_limit": 200,
    "duplicate_subscriptions": False,
    "notify_delay_seconds": 30,
    "collection_limit": 1000,
    "topics": WEBHOOKS,
    "webhook_uri": "",
    "webhook_secret": "sandbox-client-state",
}


class BusinessCentralSandbox:
    """One environment with one company.

    Seed keys, all optional:

    - ``tenant_id``, ``domain``, ``environment`` ("Production"), ``company`` {id, name,
      displayName, currencyCode "GBP"}, ``has_common_endpoint`` (False: only addresses that name
      the tenant answer).
    - ``client_id``, ``client_secret`` ("sandbox-client-secret"), ``more_apps`` [{client_id,
      client_secret, is_enabled, permissions}], ``access_token`` (one that never ends; none),
      ``token_life`` (3599 seconds), ``token_delay_ms`` ([0, 0]).
    - ``rate_limit`` (6000 in five minutes), ``connections`` (100 at once), ``processing_ms`` (0),
      ``retry_after`` (None: no such header), ``page_size`` (20000), ``replica_lag_seconds`` (0),
      ``stale_status`` (409).
    - master data, each a list of rows with the vendor's field names: ``customers``, ``items``
      (also ``units`` {code: base units} and ``stock``), ``itemVariants``, ``contacts``,
      ``unitsOfMeasure``, ``currencies`` (also ``rate``), ``taxGroups`` (also ``rate``),
      ``taxAreas`` (also ``is_exempt``), ``paymentTerms``, ``paymentMethods``,
      ``shipmentMethods``, ``locations``, ``itemCategories``, ``customerReturnReasons``,
      ``accounts`` (also ``tax``), ``countriesRegions``, ``journals``,
      ``customerPaymentJournals`` and the two posting groups; ``salespeople`` (["AQ"]).
    - ``uses_sales_tax`` (False), ``partial_shipping`` (True), ``location_mandatory`` (False),
      ``prevent_negative_inventory`` (False), ``posting_from`` and ``posting_to`` (""),
      ``redistributes_discounts`` (True), ``posting_releases`` (False: an order posted in part can
      still be changed), ``posted_keeps_id`` (False: a posted document has a new
      id), ``journals_post_payments`` (False: only people post payments).
    - ``subscription_limit`` (200), ``duplicate_subscriptions`` (False: refused),
      ``notify_delay_seconds`` (30), ``collection_limit`` (1000), ``webhook_uri`` ("": nothing is
      subscribed to in advance), ``webhook_secret`` (the client state of those made in advance),
      ``topics`` (all that can be subscribed to).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: acts of apps by name, such as "salesorder created".
        outbox: the notifications and how they are sent.
        clock: gives the time; tests may replace it.
        store: people's acts.
    """

    def __init__(self, seed: Row) -> None:
        if unknown := seed.keys() - DEFAULTS.keys():
            raise ValueError(f"unknown in the seed: {', '.join(sorted(unknown))}")
        self.seed: Row = DEFAULTS | seed
        self.seed["company"] = DEFAULTS["company"] | seed.get("company", {})
        own = {key: self.seed[key] for key in ("client_id", "client_secret")}
        self.seed["apps"] = [own, *self.seed["more_apps"]]
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.hooks = Hooks(self._new_store(), self.seed)
        self.outbox = self.hooks.outbox
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())
        self._start()

    def _new_store(self) -> Store:
        return Store(lambda: self.clock(), self._tell, self.accepted)

    def _start(self) -> None:
        self.load.clear()
        records = self._new_store()
        self.hooks.store = records
        masters = Masters(records, self.seed)
        posting = Posting(Documents(records, masters, self.seed), self.seed)
        self.api = Api(posting, Payments(posting), self.hooks, self.seed)
        self.batches = Batches(self.api)
        self.store = Desk(self.api)
        self.gate = Gate(self.seed, lambda: self.clock())
        # What was there before anybody subscribed is older than everything and news to nobody.
        clock, records.clock = records.clock, lambda: OPENED
        records.tell = lambda _: None
        with records.transaction(is_quiet=True):
            masters.fill()
        records.clock, records.tell = clock, self._tell
        self.hooks.start()

    def _tell(self, changes: list[Told]) -> None:
        self.hooks.tell(changes)

    # -- the API -----------------------------------------------------------------------------------

    async def _entry(self, request: Request) -> Response:
        """Every address of the API: first who asks and how often, then what."""
        try:
            app = self.gate.enter(request.headers.get("authorization", ""))
            self.gate.allow(app, request.method)
            self._environment(request)
        except ApiError as error:
            return _response(Answer(error.status, error.body(), dict(JSON)))
        if refused := self.gate.count(app):
            return refused
        self.gate.in_flight += 1
        try:
            if pause := self.seed["processing_ms"]:
                await asyncio.sleep(pause / 1000)
            return await self._answer(request)
        finally:
            self.gate.in_flight -= 1

    def _environment(self, request: Request) -> None:
        tenant = request.path_params.get("tenant")
        known = (self.seed["tenant_id"], self.seed["domain"])
        is_direct = tenant is not None and tenant.lower() in known
        is_common = tenant is None and self.seed["has_common_endpoint"]
        named = request.path_params["environment"].lower() == self.seed["environment"].lower()
        if not (is_direct or is_common) or not named:
            raise ApiError("BadRequest_ResourceNotFound", "The environment does not exist.")

    async def _answer(self, request: Request) -> Response:
        path = request.path_params["path"].strip("/")
        tenant = request.path_params.get("tenant")
        where = f"{tenant}/" if tenant else ""
        base = f"{request.url.scheme}://{request.url.netloc}/v2.0/{where}"
        base += f"{request.path_params['environment']}/api/v2.0"
        options = dict(parse_qsl(request.url.query, keep_blank_values=True))
        body = await request.body()
        call = Call(request.method, path, options, dict(request.headers.items()), body, base)
        if path == "$batch":
            return _response(self.batches.answer(call))
        if path.startswith("subscriptions"):
            # A handshake may take as long as the receiver likes.
            return _response(await run_in_threadpool(self.api.answer, call))
        return _response(self.api.answer(call))

    async def _environments(self, request: Request) -> Response:
        """The environments of the tenant."""
        try:
            self.gate.enter(request.headers.get("authorization", ""))
        except ApiError as error:
            return _response(Answer(error.status, error.body(), dict(JSON)))
        environment = {
            "name": self.seed["environment"],
            "friendlyName": self.seed["environment"],
            "type": "Production",
            "countryCode": "GB",
            "applicationFamily": "BusinessCentral",
            "aadTenantId": self.seed["tenant_id"],
            "status": "Active",
        }
        return JSONResponse({"value": [environment]})

    async def _supported(self, request: Request) -> Response:
        """What can be subscribed to; the filter takes a star at the end."""
        try:
            self.gate.enter(request.headers.get("authorization", ""))
            self._environment(request)
        except ApiError as error:
            return _response(Answer(error.status, error.body(), dict(JSON)))
        asked = request.query_params.get("$filter", "")
        names = [f"v2.0/{name}" for name in WEBHOOKS]
        if asked:
            head = asked.removeprefix("resource eq '").removesuffix("'")
            start = head.removesuffix("*")
            names = [
                one for one in names if one == head or (start != head and one.startswith(start))
            ]
        return JSONResponse({"value": [{"resource": name} for name in names]})

    async def _no_route(self, request: Request) -> Response:
        """An address of another version or another API."""
        text = f"Resource not found for the segment '{request.url.path.rpartition('/')[2]}'."
        error = ApiError("BadRequest_ResourceNotFound", text)
        return _response(Answer(error.status, error.body(), dict(JSON)))

    # -- control -----------------------------------------------------------------------------------

    async def _records(self, request: Request) -> Response:
        name = request.path_params["kind"]
        if name not in ENTITIES:
            return JSONResponse({"error": f"no such kind: {name}"}, 404)
        with self.api.lock:
            return _json(self.store.records(name))

    async def _act(self, request: Request) -> Response:
        path = request.path_params
        try:
            draft = json.loads(await request.body() or b"{}", parse_float=Decimal)
            done = self.store.do(path["kind"], path["id"], path["action"], draft)
        except NoSuchError as error:
            return JSONResponse({"error": str(error)}, 404)
        except REFUSALS as error:
            return JSONResponse({"error": str(error)}, 422)
        return _json(done)

    async def _set_uri(self, request: Request) -> Response:
        self.hooks.point_to((await request.json())["uri"])
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        direct, common = "/v2.0/{tenant}/{environment}/api", "/v2.0/{environment}/api"
        events = "/microsoft/runtime/beta/companies({company})/webhookSupportedResources"
        return [
            Route("/{tenant}/oauth2/v2.0/token", self.gate_token, methods=["POST"]),
            Route("/environments/v1.2", self._environments, methods=["GET"]),
            Route("/_sandbox/records/{kind}", self._records, methods=["GET"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            Route("/_sandbox/{kind}/{id}/{action}", self._act, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._start),
            *(
                Route(start + events, self._supported, methods=["GET"])
                for start in (direct, common)
            ),
            *(
                Route(start + "/v2.0/{path:path}", self._entry, methods=METHODS)
                for start in (direct, common)
            ),
            Route("/{rest:path}", self._no_route, methods=METHODS),
        ]

    async def gate_token(self, request: Request) -> Response:
        """The token endpoint; starting afresh makes a new gate."""
        return await self.gate.token(request)


def _response(answer: Answer) -> Response:
    return Response(answer.content, answer.status, answer.headers)


def _json(value: Any) -> Response:
    return Response(text_of(value), media_type="application/json")


def make(seed: Row | None = None) -> BusinessCentralSandbox:
    """An environment with the seed's facts."""
    return BusinessCentralSandbox(seed or {})
