"""A strict stand-in for one PrestaShop 8.2.1: its Webservice ``/api/``, and our module's posts.

Lists and single rows in XML and JSON, writes with the vendor's quirks, and the thin signed events
our module posts from its outbox: the vendor itself sends none. ``/_sandbox`` routes drive the shop
from outside. Not here: the Admin API, images and search.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from platforms.prestashop.sandbox_fields import RESOURCES
from platforms.prestashop.sandbox_gate import Caller, Gate, asked
from platforms.prestashop.sandbox_query import PARAMETERS, ListQuery
from platforms.prestashop.sandbox_store import Store
from platforms.prestashop.sandbox_tables import Json, RefusedError
from platforms.prestashop.sandbox_wire import Asked, VendorError, empty, find_resource
from platforms.prestashop.sandbox_writes import Writes
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load
from sandbox.modules import ModuleOutbox

KEY = "FIZZSANDBOXWEBSERVICEKEY00000001"
EVENTS = (
    "order.created order.status_changed order.edited order.paid order.refunded order.returned"
    " order.shipped stock.changed product.changed product.deleted price.changed customer.changed"
    " address.changed".split()
)
# After one minute, two, four, up to an hour; for three days.
PAUSES = (60, 120, 240, 480, 960, 1920, *(3600,) * 71)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def now() -> datetime:
    """The wall's time."""
    return datetime.now(UTC)


class PrestashopSandbox:
    """One installation, perhaps of several shops, with our module.

    Seed keys, all optional: ``products`` [{sku, name, price, id, stock, tax_rate, ean13, weight,
    minimal_quantity, active, unity, is_virtual, combinations [{sku, name, impact, id, stock, ean13,
    minimal_quantity, weight}], bundle [{sku, quantity}]}]; ``currency`` (``GBP``), ``currencies``
    {code: rate} (none), ``tax_rate`` (20 percent), ``prices_include_tax`` (no: what drafts and
    products say; the shop itself keeps net prices), ``first_id`` (500), ``country`` (``GB``),
    ``timezone`` (``Europe/Berlin``), ``languages`` (``["en"]``), ``carrier`` (``Fizz Freight``),
    ``round_type`` (2: by line; 1 by piece, 3 by total), ``b2b`` (no: whether accounts have a
    company), ``groups`` [{name, price_display_method}] (beside the three of a fresh shop) and
    ``price_display_method`` (0: with tax) for all groups that say nothing, ``shops`` [{id, name,
    id_shop_group}] (one, ``Fizz Depot``); ``keys`` [{key, rights {resource: [methods]}, active,
    id_shop}] (one that may do everything, ``FIZZSANDBOXWEBSERVICEKEY00000001``); ``path`` (empty:
    the folder the shop is in), ``domain`` (none: a host that others are redirected to),
    ``link_url`` (``http://172.18.0.4``: what links in answers begin with), ``has_notices`` and
    ``has_padding`` (no: PHP's notices before the XML, blanks around texts), ``lists_deleted`` (no:
    whether lists show addresses that are deleted); ``webhook_uri``, ``webhook_secret``
    (``fizz_hook_sandbox_secret``), ``retry_seconds`` (the pauses).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: placed orders under ``orders``, writes under ``<method> <resource>``.
        outbox: what the module posts.
        store: orders, customers, products and stock.
        clock: gives the time; tests may replace it.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {
            "products": [],
            "currency": "GBP",
            "currencies": {},
            "tax_rate": 20,
            "prices_include_tax": False,
            "first_id": 500,
            "country": "GB",
            "timezone": "Europe/Berlin",
            "languages": ["en"],
            "carrier": "Fizz Freight",
            "round_type": 2,
            "b2b": False,
            "groups": [],
            "price_display_method": 0,
            "shops": [{"id": 1, "name": "Fizz Depot"}],
            "keys": [{"key": KEY}],
            "path": "",
            "domain": None,
            "lists_deleted": False,
            "link_url": "http://172.18.0.4",
            "has_notices": False,
            "has_padding": False,
            "webhook_uri": None,
            "webhook_secret": "fizz_hook_sandbox_secret",
            "retry_seconds": PAUSES,
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
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        self.webhook_uri: str | None = None
        self.store = Store(self.seed, lambda: self.clock(), self._notify)
        self.gate = Gate(self.seed["keys"], self.store.tables)
        self.writes = Writes(self.store)
        # Nobody is told of what the shop was opened with.
        self.webhook_uri = self.seed["webhook_uri"]
        self.outbox.clear()

    # -- our module --------------------------------------------------------------------------------

    def point_webhooks_to(self, uri: str) -> None:
        """Change the address the module posts to; what waits keeps the old one."""
        self.webhook_uri = uri

    def _notify(self, event: str, ids: Json) -> None:
        if not self.webhook_uri:
            return
        shop = int(ids.get("_shop", next(iter(self.store.tables.rows["shops"]))))
        shown = {key: value for key, value in ids.items() if not key.startswith("_")}
        name = str(uuid.uuid4())
        body = {"event": event, "id_shop": shop} | shown | {"delivery_id": name}
        self.outbox.tell(self.webhook_uri, str(next(iter(shown.values()))), body)

    # -- the Webservice ----------------------------------------------------------------------------

    async def _api(self, request: Request) -> Response:
        domain = self.seed["domain"]
        if domain and request.headers.get("host", "").partition(":")[0] != domain:
            target = request.url.replace(scheme="https", netloc=domain)
            return RedirectResponse(str(target), 302)
        want, raw = asked(request), await request.body()
        try:
            answer = self._answer(request, want, raw)
        except VendorError as wrong:
            answer = self.store.writer.refuse(want, wrong)
            if wrong.status == 401:
                answer.headers["WWW-Authenticate"] = 'Basic realm="Welcome to PrestaShop"'
        except RefusedError:
            # What the shop's own code cannot do ends in PHP.
            answer = self.store.writer.refuse(want, empty(500))
        if request.method == "HEAD":
            answer.body = b""
        return answer

    def _answer(self, request: Request, want: Asked, raw: bytes) -> Response:
        caller = self.gate.enter(request)
        path = request.path_params.get("path", "").strip("/")
        if not path:
            return self._index(request, want, caller)
        plural, _, number = path.partition("/")
        resource = find_resource(plural)
        caller.check(resource, request.method)
        query = dict(request.query_params)
        if request.method not in ("GET", "HEAD"):
            for name in set(query) - PARAMETERS:
                raise VendorError(400, (32, f'The parameter "{name}" means nothing here'))
            done = self.writes.do(request.method, resource, number, raw, query)
            self.accepted[f"{request.method} {plural}"] += 1
            if done is None:
                return Response(status_code=200, headers={"PSWS-Version": "8.2.1"})
            status = 201 if request.method == "POST" else 200
            return self.store.writer.one(want, resource, done, status)
        if schema := query.get("schema"):
            if schema != "blank" or number:
                raise VendorError(400, (37, f'The schema "{schema}" is not made here'))
            return self.store.writer.blank(want, resource)
        listing = ListQuery(resource, query)
        rows = self.store.tables.rows[plural]
        if number:
            row = rows.get(int(number)) if number.isdigit() else None
            if row is None or not caller.sees(row):
                raise empty(404)
            return self.store.writer.one(want, resource, row, 200, listing.fields(is_alone=True))
        seen = [row for row in rows.values() if caller.sees(row)]
        if plural == "addresses" and not self.seed["lists_deleted"]:
            seen = [row for row in seen if row["deleted"] == "0"]
        return self.store.writer.many(want, resource, listing.rows(seen), listing.fields())

    def _index(self, request: Request, want: Asked, caller: Caller) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise VendorError(405, (101, f"Method {request.method} is not allowed here"))
        shop = next(iter(self.store.tables.rows["shops"].values()))
        return self.store.writer.index(want, shop["name"], caller.rights)

    # -- control -----------------------------------------------------------------------------------

    def _actions(self, text: str) -> dict[str, Callable[[Json], Json]]:
        store = self.store
        number = int(text) if text.isdigit() else 0
        return {
            "orders/place": store.place,
            "orders/update": lambda given: store.update(number, given),
            "orders/cancel": lambda given: store.cancel(number, given),
            "orders/pay": lambda given: store.pay(number, given),
            "orders/refund": lambda given: store.refund(number, given),
            "orders/return": lambda given: store.take_back(number, given),
            "orders/ship": lambda given: store.ship(number, given),
            "orders/delete": lambda given: store.delete(number, given),
            "customers/place": store.customer,
            "customers/update": lambda given: store.change_customer(number, given),
            "customers/delete": lambda _: store.delete_customer(number),
            "addresses/update": lambda given: store.change_address(number, given),
            "addresses/delete": lambda _: store.delete_address(number),
            "products/update": lambda given: store.change_product(number, given),
            "products/price_rule": lambda given: store.add_special(number, given),
            "products/delete": lambda _: store.delete_product(number),
        }

    async def _control(self, request: Request) -> Response:
        number = request.path_params.get("id", "")
        kind = request.path_params["kind"]
        name = f"{kind}/{request.path_params.get('action', 'place')}"
        act = self._actions(number).get(name)
        if act is None:
            return JSONResponse({"error": f"this shop has no {name}"}, 404)
        plural = "specific_prices" if name == "products/price_rule" else kind
        if number and number not in map(str, self.store.tables.rows[kind]):
            return JSONResponse({"error": f"no {kind} {number}"}, 404)
        try:
            body = act(json.loads(await request.body() or b"{}"))
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        if name == "orders/place":
            self.accepted["orders"] += 1
        shown: dict[str, Any] = {"id": str(body["id"]), RESOURCES[plural].node: body}
        return JSONResponse(shown, 200 if number else 201)

    async def _set_uri(self, request: Request) -> Response:
        self.point_webhooks_to((await request.json())["uri"])
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        path = self.seed["path"].rstrip("/")
        return [
            Route(f"{path}/api", self._api, methods=METHODS),
            Route(f"{path}/api/{{path:path}}", self._api, methods=METHODS),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
            Route("/_sandbox/{kind}", self._control, methods=["POST"]),
            Route("/_sandbox/{kind}/{id}/{action}", self._control, methods=["POST"]),
        ]


def make(seed: Json | None = None) -> PrestashopSandbox:
    """A shop with the seed's facts."""
    return PrestashopSandbox(seed or {})
