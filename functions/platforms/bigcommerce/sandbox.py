"""A strict stand-in for one BigCommerce store: REST V2 and V3, B2B Edition, thin signed webhooks.

Orders live in V2 and their payments, refunds and metafields in V3, beside catalogue, price lists,
stock at several places, customers and hooks; each version has its own dates, amounts, pages and
error bodies. ``/_sandbox`` routes drive the store from outside. Not here: creating products and
price lists over REST, returns, pickups, gift certificates, a blocked domain and its early warnings.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.bigcommerce.sandbox_calls import NOT_VALID, SCOPES, Call, Meter, allows
from platforms.bigcommerce.sandbox_hooks import Hooks, compact
from platforms.bigcommerce.sandbox_query import field
from platforms.bigcommerce.sandbox_rest_companies import CompanyCalls
from platforms.bigcommerce.sandbox_rest_orders import Handler, OrderCalls, Rows
from platforms.bigcommerce.sandbox_rest_people import PeopleCalls
from platforms.bigcommerce.sandbox_rest_shop import ShopCalls
from platforms.bigcommerce.sandbox_shapes import GoneError, Json, RefusedError, known, refusal
from platforms.bigcommerce.sandbox_store import Store
from sandbox.control import control_routes
from sandbox.deliveries import Delivery, Outbox, poster
from sandbox.faults import Faults
from sandbox.load import Load

RETRY_SECONDS = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
# The first try and every retry failed, one after the other.
FAILURES = len(RETRY_SECONDS) + 1
PREFIXES = {"v2": "/stores/{store}/v2", "v3": "/stores/{store}/v3", "b2b": "/api/v3/io"}
METHODS = "GET POST PUT PATCH DELETE".split()
GRANT = set("client_id client_secret code context scope grant_type redirect_uri".split())

CALLS = (OrderCalls, ShopCalls, PeopleCalls, CompanyCalls)

Answer = Callable[[Request], Awaitable[Response]]


class BigCommerceSandbox:
    """One store with one API client on it.

    Seed keys, all optional, with what they are otherwise:
    ``store_hash`` "fizz01", ``store_id`` "1000123", ``domain``, ``api`` (start of links);
    credentials: ``access_token`` "bc_sandbox_token", ``client_id`` "bc_sandbox_client",
    ``client_secret`` "bc_sandbox_secret", ``scopes`` (all), ``oauth_codes`` [] (each good once);
    hooks: ``webhook_uri`` (hooks made in advance), ``hook_headers`` {"X-Fizz-Hook":
    "fizz-hook-secret"} (sent with those), ``signs`` True, ``hook_delay_s`` 60 (until a hook made by
    a call is live), ``retry_seconds``;
    shop: ``currency`` "GBP", ``tax_rate`` 20 (percent), ``prices_include_tax`` False, ``first_id``
    100, ``channel_id`` 1, ``products`` [{sku, name, price, id, variant_id, stock, tracking, type,
    upc, warning, variants [{sku, label, price, stock}]}], ``locations`` [{id, code, label}],
    ``price_lists`` [{id, name}], ``discounts_are_net`` False (off the amounts without tax),
    ``status_labels`` {"11": "To pack"} (none);
    companies: ``b2b`` False (B2B Edition), ``companies`` [{name, email, phone, uuid, status (1:
    approved; 0 pending, 2 rejected, 3 inactive), group_id, parent, extra_fields [{fieldName,
    fieldValue}], buyers [{email, first_name, last_name, phone}]}], ``b2b_required_fields`` [],
    ``b2b_data_is_list`` False,
    ``po_number_in`` "form_field", "customer_message" or "metafield", ``po_field`` "PO Number";
    habits: ``quota`` 150 calls in ``window_ms`` 30000, ``empty_list`` "204", "[]" or "{}" (V2),
    ``text_booleans`` False (V2), ``archived_is_gone`` False (404 instead of ``is_deleted``),
    ``create_status`` 200, ``settle_s`` 2 (until a capture or void is through),
    ``status_after_void`` None (the order's).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: committed writes by name, and placed orders under ``orders``.
        outbox: the webhooks and when they are sent.
        send: sends one delivery once; tests may put a function in its place.
        store: the orders, and below it catalogue, people and payments.
        hooks: who listens.
        clock: gives the time; tests may replace it.
    """

    def __init__(self, seed: Json) -> None:
        self.seed = DEFAULTS | seed
        if unknown := seed.keys() - DEFAULTS.keys():
            raise ValueError(f"no such seed key: {', '.join(sorted(unknown))}")
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.send = poster(5, 10)
        # Only 200 is an answer, and redirects are not followed.
        self.outbox = Outbox(self._post, self.seed["retry_seconds"], FAILURES, self._disable, {200})
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        self.outbox.clear()
        self.tokens = {self.seed["access_token"]}
        self._codes = set(self.seed["oauth_codes"])
        self.hooks = Hooks(self.seed, self._now, self.outbox.add)
        self.store = Store(self.seed, self._now, self._notify)
        self.meter = Meter(self.seed["quota"], self.seed["window_ms"], self._now)
        # What was there before is told to nobody: there is no hook yet.
        for company in self.seed["companies"]:
            self._seed_company(company)
        if uri := self.seed["webhook_uri"]:
            self.hooks.make_in_advance(uri)

    def _now(self) -> datetime:
        return self.clock()

    def _notify(self, scope: str, subject: str, data: Any) -> None:
        self.hooks.notify(scope, subject, data)

    def _post(self, delivery: Delivery) -> int:
        """Each try has its own time and proof: a receiver refuses what is minutes old."""
        return self.send(replace(delivery, headers=self.hooks.stamped(delivery)))

    def _disable(self, subscription: str) -> None:
        self.hooks.disable(subscription)

    # -- the app's own life ------------------------------------------------------------------------

    def uninstall(self) -> None:
        """The merchant takes the app away: its token and its hooks are gone."""
        self.tokens.clear()
        self.hooks.rows.clear()

    def callback_jwt(self, email: str = "ada@corner.example") -> str:
        """What the browser brings to the load and uninstall addresses of an app."""
        now = int(self.clock().timestamp())
        claims = {"aud": self.seed["client_id"], "iss": "bc", "iat": now, "nbf": now - 5}
        claims |= {"exp": now + 86400, "jti": str(uuid.uuid4()), "user": {"id": 1, "email": email}}
        claims |= {"sub": f"stores/{self.seed['store_hash']}", "url": "/"}
        parts = [compact({"alg": "HS256", "typ": "JWT"}), compact(claims)]
        signed = b".".join(base64.urlsafe_b64encode(one).rstrip(b"=") for one in parts)
        proof = hmac.digest(self.seed["client_secret"].encode(), signed, hashlib.sha256)
        return b".".join([signed, base64.urlsafe_b64encode(proof).rstrip(b"=")]).decode()

    async def _grant(self, request: Request) -> Response:
        """A code of the install for a token; the one before is not good any more."""
        try:
            given = json.loads(await request.body())
            known(given, GRANT, "grant")
        except ValueError:
            given = {}
        if GRANT - given.keys():
            return JSONResponse({"error": "invalid_request"}, 400)
        mine = (self.seed["client_id"], self.seed["client_secret"])
        if (given.get("client_id"), given.get("client_secret")) != mine:
            return JSONResponse({"error": "invalid_client"}, 401)
        if given.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        context = f"stores/{self.seed['store_hash']}"
        if given.get("code") not in self._codes or given.get("context") != context:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self._codes.discard(given["code"])
        token = f"bc_{uuid.uuid4().hex}"
        self.tokens = {token}
        self.accepted["tokens"] += 1
        body: Json = {"access_token": token, "scope": " ".join(self.seed["scopes"])}
        body |= {"user": {"id": 1, "email": "ada@corner.example"}, "context": context}
        return JSONResponse(body | {"account_uuid": str(uuid.UUID(int=1))})

    # -- REST --------------------------------------------------------------------------------------

    def _answering(self, version: str, by_method: dict[str, tuple[str, Handler]]) -> Answer:
        """Quota, token, right and request in this order, then what was asked for."""

        async def answer(request: Request) -> Response:
            raw = await request.body()
            if not self.meter.take():
                return self._too_many(version)
            try:
                response = self._handle(version, by_method, request, raw)
            except RefusedError as refused:
                response = refusal(version, refused)
            response.headers.update(self.meter.headers())
            return response

        return answer

    def _handle(
        self,
        version: str,
        by_method: dict[str, tuple[str, Handler]],
        request: Request,
        raw: bytes,
    ) -> Response:
        self._admit(version, request)
        if not by_method:
            raise GoneError
        if request.method not in by_method:
            raise RefusedError("The requested method is not allowed here.", status=405)
        needed, handler = by_method[request.method]
        if not allows(self.seed["scopes"], needed, request.method):
            text = "You don't have a required scope to access the endpoint"
            raise RefusedError(text, status=403)
        self.store.payments.settle()
        return handler(Call(version, request, raw, self.seed, self._may_read))

    def _may_read(self, scope: str) -> bool:
        return allows(self.seed["scopes"], scope, "GET")

    def _admit(self, version: str, request: Request) -> None:
        named = request.path_params.get("store", request.headers.get("x-store-hash"))
        token = request.headers.get("x-auth-token", "")
        if token not in self.tokens or named != self.seed["store_hash"]:
            raise RefusedError(NOT_VALID, status=401)
        if "application/json" not in request.headers.get("accept", ""):
            raise RefusedError("The response format is not available.", status=406)
        if version == "b2b" and not self.seed["b2b"]:
            raise RefusedError("The store's plan has no B2B Edition.", status=403)

    def _too_many(self, version: str) -> Response:
        response = refusal(version, RefusedError("Too many requests", status=429))
        response.headers.update(self.meter.headers())
        response.headers["X-Retry-After"] = self.meter.retry_after()
        return response

    def _hook_rows(self) -> Rows:
        filters = {"scope": field("scope"), "destination": field("destination")}
        filters["is_active"] = field("is_active", "bool")

        def listing(call: Call) -> Response:
            asked = call.asked(filters)
            return call.listed(asked, asked.rows(self.hooks.listed()))

        def create(call: Call) -> Response:
            made = self.hooks.create(call.body, call.may)
            self.accepted["hooks"] += 1
            return call.shown(made)

        def change(call: Call) -> Response:
            return call.shown(self.hooks.change(call.number(), call.body, call.may))

        def health(call: Call) -> Response:
            asked = call.asked(more="is_active").query.get("is_active")
            return call.shown(self.hooks.health(None if asked is None else asked == "true"))

        def set_emails(call: Call) -> Response:
            given = call.body
            known(given, {"emails"}, "admin")
            if not isinstance(given.get("emails"), list):
                raise RefusedError("error.path.missing", "emails")
            self.hooks.emails = given["emails"]
            return Response(status_code=204)

        one = "/hooks/{id:int}"
        return [
            ("v3", "GET", "/hooks", "", listing),
            ("v3", "POST", "/hooks", "", create),
            ("v3", "GET", one, "", lambda call: call.shown(self.hooks.get(call.number()))),
            ("v3", "PUT", one, "", change),
            ("v3", "DELETE", one, "", lambda call: call.shown(self.hooks.remove(call.number()))),
            ("v3", "GET", "/hooks/admin", "", health),
            ("v3", "PUT", "/hooks/admin", "", set_emails),
        ]

    # -- control -----------------------------------------------------------------------------------

    async def _control(self, request: Request) -> Response:
        number = request.path_params.get("id", 0)
        kind = request.path_params.get("kind", request.path_params.get("group", ""))
        action = request.path_params.get("action", "add")
        store, goods, people = self.store, self.store.catalogue, self.store.people
        firms = people.companies
        actions: dict[str, Callable[[Json], Json]] = {
            "orders/add": store.place,
            "orders/update": lambda given: store.update(number, given),
            "orders/cancel": lambda given: store.cancel(number, given),
            "orders/pay": lambda given: store.pay(number, given),
            "orders/refund": lambda given: store.refund(number, given),
            "orders/ship": lambda given: store.ship(number, given),
            "orders/delete": lambda given: store.delete(number, given),
            "orders/message": lambda given: store.message(number, given["text"]),
            "customers/add": people.add,
            "customers/update": lambda given: people.change(number, given),
            "customers/delete": lambda _: people.delete(number),
            "companies/add": firms.add,
            "companies/update": lambda given: firms.change(number, given),
            "companies/join": lambda given: self._join(number, given),
            "companies/delete": lambda _: firms.delete(number),
            "products/add": goods.add_product,
            "products/update": lambda given: goods.change_product(number, given),
            "products/delete": lambda _: goods.delete_product(number),
        }
        name = f"{kind}/{action}"
        if name not in actions:
            return JSONResponse({"error": f"no such action: {name}"}, 404)
        try:
            shown = actions[name](json.loads(await request.body() or b"{}"))
        except GoneError as gone:
            return JSONResponse({"error": str(gone)}, 404)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        if name == "orders/add":
            self.accepted["orders"] += 1
        made = str(shown.get("companyId", shown.get("id", number)))
        singular = {"companies": "company"}.get(kind, kind.removesuffix("s"))
        return JSONResponse({"id": made, singular: shown}, 201 if action == "add" else 200)

    def _join(self, company_id: int, given: Json) -> Json:
        """Let the account of that number, or a new one, buy for a company."""
        people = self.store.people
        customer = people.customer(given["id"]) if "id" in given else people.buyer(given)
        if customer is None:
            raise RefusedError("nobody joins")
        return people.companies.join(company_id, customer["id"])

    def _seed_company(self, given: Json) -> None:
        buyers = given.get("buyers", [])
        made = self.store.people.companies.add(
            {name: one for name, one in given.items() if name != "buyers"}
        )
        for buyer in buyers:
            self._join(int(made["companyId"]), buyer)

    async def _set_uri(self, request: Request) -> Response:
        self.hooks.point_to((await request.json())["uri"])
        return Response(status_code=204)

    async def _uninstall(self, _: Request) -> Response:
        self.uninstall()
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        found: dict[tuple[str, str], dict[str, tuple[str, Handler]]] = {}
        for version, method, path, scope, handler in [
            *(row for calls in CALLS for row in calls(self._held, self.accepted).rows()),
            *self._hook_rows(),
        ]:
            found.setdefault((version, path), {})[method] = (scope, handler)
        # Words in a path come before the names of things.
        paths = sorted(found, key=lambda one: one[1].count("{"))
        return [
            *(
                Route(
                    PREFIXES[version] + path,
                    self._answering(version, found[version, path]),
                    methods=METHODS,
                )
                for version, path in paths
            ),
            Route("/oauth2/token", self._grant, methods=["POST"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            Route("/_sandbox/uninstall", self._uninstall, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
            Route("/_sandbox/{group}", self._control, methods=["POST"]),
            Route("/_sandbox/{kind}/{id:int}/{action}", self._control, methods=["POST"]),
            *(
                Route(prefix + "/{rest:path}", self._answering(version, {}), methods=METHODS)
                for version, prefix in PREFIXES.items()
            ),
        ]

    def _held(self) -> Store:
        return self.store


DEFAULTS: Json = {
    "store_hash": "fizz01",
    "store_id": "1000123",
    "domain": "fizz-shop.example",
    "api": "https://api.bigcommerce.example",
    "access_token": "bc_sandbox_token",
    "client_id": "bc_sandbox_client",
    "client_secret": "bc_sandbox_secret",
    "scopes": SCOPES,
    "oauth_codes": [],
    "webhook_uri": None,
    "hook_headers": {"X-Fizz-Hook": "fizz-hook-secret"},
    "signs": True,
    "hook_delay_s": 60,
    "retry_seconds": RETRY_SECONDS,
    "currency": "GBP",
    "tax_rate": 20,
    "prices_include_tax": False,
    "discounts_are_net": False,
    "status_labels": {},
    "first_id": 100,
    "channel_id": 1,
    "products": [],
    "locations": [{"id": 1, "code": "BC-LOCATION-1", "label": "Default location"}],
    "price_lists": [],
    "b2b": False,
    "companies": [],
    "b2b_required_fields": [],
    "b2b_data_is_list": False,
    "po_number_in": "form_field",
    "po_field": "PO Number",
    "quota": 150,
    "window_ms": 30000,
    "empty_list": "204",
    "text_booleans": False,
    "archived_is_gone": False,
    "create_status": 200,
    "settle_s": 2,
    "status_after_void": None,
}


def make(seed: Json | None = None) -> BigCommerceSandbox:
    """A store with the seed's facts."""
    return BigCommerceSandbox(seed or {})
