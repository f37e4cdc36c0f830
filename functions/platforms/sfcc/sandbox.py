"""A strict stand-in for one Salesforce B2C Commerce tenant: admin SCAPI, tokens, our cartridge.

Orders (list and one), customers, products and stock of the Commerce API ``v1``, the Account
Manager's token call, ``order_search`` of the older OCAPI, and the thin signed events our cartridge
posts: the vendor itself sends none. ``/_sandbox`` routes drive the shop from outside. Not here:
writes, notes, the nightly export, and whatever a shopper does.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.sfcc.sandbox_ocapi import search
from platforms.sfcc.sandbox_reads import Reads
from platforms.sfcc.sandbox_scapi import ANSWER_LIMIT, Gate, ProblemError, now
from platforms.sfcc.sandbox_store import Store
from platforms.sfcc.sandbox_sums import Json, stamp
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load
from sandbox.modules import ModuleOutbox

TENANT = "zzfz_001"
ORDERS = ("sfcc.orders",)
STOCK = ("sfcc.inventory.availability",)
CUSTOMERS = ("sfcc.shopper-customers", "sfcc.customerlists")
PRODUCTS = ("sfcc.products",)
SCOPES = (*ORDERS, *STOCK, *CUSTOMERS, *PRODUCTS)
EVENTS = (
    "order.placed order.changed order.cancelled order.failed order.paid order.shipped"
    " customer.changed".split()
)
# The cartridge's job runs every five minutes and tries for three days.
PAUSES = (300,) * (72 * 12)

Answer = Callable[[Request], Awaitable[Response]]


class SfccSandbox:
    """One tenant with its sites and our cartridge.

    Seed keys, all optional: ``tenant`` (``zzfz_001``; the organization is ``f_ecom_`` and this),
    ``sites`` (``["FizzUS"]``), ``customer_list`` (``FizzUS``), ``locations`` (``["wh-1"]``),
    ``currency`` (``USD``), ``tax_rate`` (5 percent), ``prices_include_tax`` (no), ``first_id``
    (700), ``products`` [{sku, name, price, stock, unit, unit_quantity, minimum, step, ean, upc,
    type, online, created_at, modified_at}] (``type``, a word of the vendor's or its flags, is
    ``item``; online; made and changed at the start, each a second after the one before);
    ``clients`` [{client_id, client_secret, scopes, auth}] (one client ``fizz-sandbox-client`` with
    ``fizz-sandbox-secret``, all scopes; ``auth`` is ``client_secret_basic`` or
    ``client_secret_post``), ``token_seconds`` (1799); ``webhook_uri``, ``webhook_secret``
    (``fizz_hook_sandbox_secret``), ``retry_seconds`` (the pauses); ``index_lag_seconds`` and
    ``read_lag_seconds`` (0: how far lists, and single orders, are behind), ``depth`` (10000: how
    deep a list goes), ``omits_empty_data`` (no: whether an empty page leaves ``data`` out),
    ``customer_paths`` (``["search", "lists"]``: which of the two the tenant has), ``load`` (0;
    from 80 the vendor warns, from 90 it refuses), ``rate_limit`` {calls, seconds} (none);
    ``po_attribute`` (``c_poNumber``), ``note_attribute`` (``c_customerNote``),
    ``carrier_attribute`` (``c_carrier``, of a shipment), ``refund_attribute`` (none: orders know
    no refunds), ``guest_customer_no`` (none), ``edits_in_place`` (no: changed quantities make a
    replacement order).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: placed orders under ``orders``, granted tokens under ``tokens``.
        outbox: what the cartridge posts.
        store: orders, customers and stock.
        gate: tokens, scopes and limits.
        clock: gives the time; tests may replace it.
    """

    def __init__(self, seed: Json) -> None:
        scopes = [f"SALESFORCE_COMMERCE_API:{seed.get('tenant', TENANT)}"]
        scopes += [scope + more for scope in SCOPES for more in ("", ".rw")]
        client = {"client_id": "fizz-sandbox-client", "client_secret": "fizz-sandbox-secret"}
        self.seed: Json = {
            "tenant": TENANT,
            "sites": ["FizzUS"],
            "customer_list": "FizzUS",
            "locations": ["wh-1"],
            "currency": "USD",
            "tax_rate": 5,
            "prices_include_tax": False,
            "first_id": 700,
            "products": [],
            "clients": [client | {"scopes": scopes}],
            "token_seconds": 1799,
            "webhook_uri": None,
            "webhook_secret": "fizz_hook_sandbox_secret",
            "retry_seconds": PAUSES,
            "index_lag_seconds": 0,
            "read_lag_seconds": 0,
            "depth": 10_000,
            "omits_empty_data": False,
            "customer_paths": ["search", "lists"],
            "load": 0,
            "rate_limit": None,
            "po_attribute": "c_poNumber",
            "note_attribute": "c_customerNote",
            "carrier_attribute": "c_carrier",
            "refund_attribute": None,
            "guest_customer_no": None,
            "edits_in_place": False,
        }
        if unknown := set(seed) - set(self.seed):
            raise ValueError(f"unknown in the seed: {', '.join(sorted(unknown))}")
        self.seed |= seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = now
        self.outbox = ModuleOutbox(
            self.seed["webhook_secret"], self.seed["retry_seconds"], lambda: self.clock()
        )
        self._start()
        refusals: dict[Any, Any] = {404: _no_resource, 405: _no_method}
        self.faults = Faults(Starlette(routes=self._routes(), exception_handlers=refusals))
        self.app = self.load = Load(self.faults, lambda: self.clock())

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        self.store = Store(self.seed, lambda: self.clock(), self._notify)
        self.gate = Gate(self.seed, lambda: self.clock())
        self.reads = Reads(self.seed, self.store)
        self.webhook_uri: str | None = self.seed["webhook_uri"]
        self.outbox.clear()

    # -- our cartridge -----------------------------------------------------------------------------

    def point_webhooks_to(self, uri: str) -> None:
        """Change the address the cartridge posts to; what waits keeps the old one."""
        self.webhook_uri = uri

    def _notify(self, event: str, site: str, key: str, number: str) -> None:
        if not self.webhook_uri:
            return
        name = str(uuid.uuid4())
        body = {"event": event, "site_id": site, key: number, "occurred_at": stamp(self.clock())}
        self.outbox.tell(self.webhook_uri, number, body | {"delivery_id": name})

    # -- the vendor's API --------------------------------------------------------------------------

    def _guarded(self, answer: Answer, scopes: Collection[str]) -> Answer:
        both = [scope + more for scope in scopes for more in ("", ".rw")]

        async def guarded(request: Request) -> Response:
            try:
                self.gate.enter(request, both)
                given = await answer(request)
            except ProblemError as problem:
                given = problem.answer()
            if len(given.body) > ANSWER_LIMIT:
                too_large = ProblemError(500, "internal-server-error", "The answer is too large.")
                given = too_large.answer()
            given.headers.update(self.gate.load_headers())
            return given

        return guarded

    async def _grant(self, request: Request) -> Response:
        return self._counted(await self.gate.grant(request))

    async def _grant_old(self, request: Request) -> Response:
        return self._counted(await self.gate.grant(request, has_scopes=False))

    def _counted(self, answer: Response) -> Response:
        self.accepted["tokens"] += answer.status_code == 200
        return answer

    async def _customer_search(self, request: Request) -> Response:
        return await self.reads.customer_search(request)

    async def _order_search(self, request: Request) -> Response:
        return await search(request, self.seed, self.store, self.gate)

    async def _product_search(self, request: Request) -> Response:
        return await self.reads.product_search(request)

    # -- control -----------------------------------------------------------------------------------

    def _actions(self, number: str) -> dict[str, Callable[[Json], Json]]:
        store = self.store
        actions: dict[str, Callable[[Json], Json]] = {
            "orders/place": store.place,
            "orders/update": lambda given: store.update(number, given),
            "orders/replace": lambda given: store.replace(number, **given),
            "orders/cancel": lambda given: store.cancel(number, **given),
            "orders/pay": lambda given: store.pay(number, **given),
            "orders/ship": lambda given: store.ship(number, **given),
            "customers/place": store.customer,
            "customers/update": lambda given: store.change_customer(number, given),
            "products/update": lambda given: store.set_stock(number, **given),
        }
        if self.seed["refund_attribute"]:
            actions["orders/refund"] = lambda given: store.refund(number, **given)
        return actions

    async def _control(self, request: Request) -> Response:
        number = request.path_params.get("id", "")
        kind = request.path_params["kind"]
        name = f"{kind}/{request.path_params.get('action', 'place')}"
        act = self._actions(number).get(name)
        if act is None:
            return JSONResponse({"error": f"this shop has no {name}"}, 404)
        body = await _done(request, act)
        if isinstance(body, Response):
            return body
        if name == "orders/place":
            self.accepted["orders"] += 1
        keys = {"orders": "orderNo", "customers": "customerNo", "products": "sku"}
        shown: dict[str, Any] = {"id": body[keys[kind]], kind.removesuffix("s"): body}
        return JSONResponse(shown, 200 if number else 201)

    async def _change_product(self, request: Request) -> Response:
        sku = request.path_params["id"]
        body = await _done(request, lambda given: self.store.change_product(sku, given))
        return body if isinstance(body, Response) else JSONResponse({"id": sku, "product": body})

    async def _set_uri(self, request: Request) -> Response:
        self.point_webhooks_to((await request.json())["uri"])
        return Response(status_code=204)

    async def _set_load(self, request: Request) -> Response:
        self.gate.load = int((await request.json())["percent"])
        return Response(status_code=204)

    async def _revoke(self, _: Request) -> Response:
        self.gate.revoke()
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        org = "/organizations/{org}"
        orders = f"/checkout/orders/v1{org}/orders"
        stock = f"/inventory/availability/v1{org}/availability-records/search"
        customers = f"/customer/customers/v1{org}"
        products = f"/product/products/v1{org}"
        listed = customers + "/customer-lists/{list}"
        # The reads are made anew at each start.
        routes: list[tuple[str, str, Answer, Collection[str]]] = [
            ("GET", orders, lambda asked: self.reads.orders(asked), ORDERS),
            ("GET", orders + "/{number}", lambda asked: self.reads.order(asked), ORDERS),
            ("POST", stock, lambda asked: self.reads.stock(asked), STOCK),
            ("POST", f"{customers}/customer-search", self._customer_search, CUSTOMERS),
            ("POST", f"{listed}/customer-search", self._customer_search, CUSTOMERS),
            (
                "GET",
                listed + "/customers/{number}",
                lambda asked: self.reads.customer(asked),
                CUSTOMERS,
            ),
            (
                "GET",
                products + "/products/{sku}",
                lambda asked: self.reads.product(asked),
                PRODUCTS,
            ),
            ("POST", f"{products}/product-search", self._product_search, PRODUCTS),
        ]
        return [
            Route("/dwsso/oauth2/access_token", self._grant, methods=["POST"]),
            Route("/dw/oauth2/access_token", self._grant_old, methods=["POST"]),
            *(
                Route(path, self._guarded(answer, scopes), methods=[method])
                for method, path, answer, scopes in routes
            ),
            Route("/s/{site}/dw/shop/v25_6/order_search", self._order_search, methods=["POST"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            Route("/_sandbox/load", self._set_load, methods=["PUT"]),
            Route("/_sandbox/tokens", self._revoke, methods=["DELETE"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
            Route("/_sandbox/products/{id}", self._change_product, methods=["PUT"]),
            Route("/_sandbox/{kind}", self._control, methods=["POST"]),
            Route("/_sandbox/{kind}/{id}/{action}", self._control, methods=["POST"]),
        ]


async def _done(request: Request, act: Callable[[Json], Json]) -> Json | Response:
    """What came of somebody's act, or why nothing did."""
    try:
        return act(json.loads(await request.body() or b"{}"))
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
        return JSONResponse({"error": str(refused)}, 422)


async def _no_resource(request: Request, _: Exception) -> Response:
    return ProblemError(404, "resource-not-found", f"There is no {request.url.path}.").answer()


async def _no_method(request: Request, _: Exception) -> Response:
    return ProblemError(405, "method-not-allowed", f"{request.method} is not allowed.").answer()


def make(seed: Json | None = None) -> SfccSandbox:
    """A tenant with the seed's facts."""
    return SfccSandbox(seed or {})
