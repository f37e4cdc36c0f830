"""A strict stand-in for one Magento shop: admin REST V1, and what it sends when something changed.

Orders, invoices, shipments, credit memos, returns, customers, companies, products and stock by
source, with OAuth 1.0a, the vendor's searches, error bodies and habits of 2.4.7: ties without an
order, an unknown filter that is an internal error, a plus that breaks a signature, states that fall
back, reservations. Changes are told by a small module of ours. ``/_sandbox`` routes drive the shop
from outside. Not here: every write over REST, bulk calls, Adobe I/O Events, the tokens of a shop
that activates an integration by itself, and the cloud service.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from platforms.magento.sandbox_events import Letters
from platforms.magento.sandbox_oauth import Gate
from platforms.magento.sandbox_rest import CrashError, Reads, xml
from platforms.magento.sandbox_search import VendorError, trimmed
from platforms.magento.sandbox_store import Store
from platforms.magento.sandbox_values import Json, RefusedError
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load

SALES, CATALOG, PEOPLE = "Magento_Sales", "Magento_Catalog::products", "Magento_Customer::manage"
STOCK, COMPANY, CONFIG = "Magento_InventoryApi", "Magento_Company::index", "Magento_Backend::store"
MSI, RMA, B2B = "Magento_InventoryApi", "Magento_Rma", "Magento_Company"
BASE_MODULES = "Magento_Store Magento_Sales Magento_Catalog Magento_Customer Magento_InventoryApi"
COMMERCE_MODULES = f"{RMA} {B2B}"

# Method, path, what answers it, the right it needs, and the module it comes with.
ROUTES = [
    ("GET", "orders", "list_orders", f"{SALES}::actions_view", ""),
    ("GET", "orders/{id}", "get_order", f"{SALES}::actions_view", ""),
    ("GET", "orders/{id}/comments", "order_comments", f"{SALES}::actions_view", ""),
    ("GET", "invoices", "list_invoices", f"{SALES}::sales", ""),
    ("GET", "invoices/{id}", "get_invoice", f"{SALES}::sales", ""),
    ("GET", "shipments", "list_shipments", f"{SALES}::sales", ""),
    ("GET", "shipment/{id}", "get_shipment", f"{SALES}::sales", ""),
    ("GET", "creditmemos", "list_credit_memos", f"{SALES}::sales", ""),
    ("GET", "creditmemo/{id}", "get_credit_memo", f"{SALES}::sales", ""),
    ("GET", "returns", "list_returns", f"{SALES}::sales", RMA),
    ("GET", "returns/{id}", "get_return", f"{SALES}::sales", RMA),
    ("GET", "customers/search", "list_customers", PEOPLE, ""),
    ("GET", "customers/{id}", "get_customer", PEOPLE, ""),
    ("GET", "company", "list_companies", COMPANY, B2B),
    ("GET", "company/{id}", "get_company", COMPANY, B2B),
    ("GET", "products", "list_products", CATALOG, ""),
    ("GET", "products/{sku}", "get_product", CATALOG, ""),
    ("POST", "products/base-prices-information", "base_prices", CATALOG, ""),
    ("GET", "stockItems/{sku}", "get_stock_item", CATALOG, ""),
    ("GET", "inventory/source-items", "list_source_items", f"{STOCK}::source", MSI),
    ("GET", "inventory/sources", "list_sources", f"{STOCK}::source", MSI),
    ("GET", "inventory/stocks", "list_stocks", f"{STOCK}::stock", MSI),
    (
        "GET",
        "inventory/get-product-salable-quantity/{sku}/{stock_id}",
        "salable",
        f"{STOCK}::stock",
        MSI,
    ),
    ("GET", "modules", "modules", CONFIG, ""),
    ("GET", "store/storeConfigs", "configs", CONFIG, ""),
    ("GET", "store/websites", "websites", CONFIG, ""),
    ("GET", "store/storeViews", "views", CONFIG, ""),
]
MATCHERS = [
    (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), how, right, module)
    for method, path, how, right, module in ROUTES
]
METHODS = "GET POST PUT PATCH DELETE".split()


class MagentoSandbox:
    """One shop.

    Seed keys, all optional, with what they are without:

    - ``store`` (``https://fizz-shop.example/``), ``stores`` (codes of its views, ``["default"]``),
      ``currency`` (``GBP``), ``rates`` ({currency: how many of it one of the shop's is}, ``{}``),
      ``timezone`` (``Europe/London``), ``tax_rate`` (percent, 20), ``shipping_tax_rate`` (None: as
      ``tax_rate``), ``prices_include_tax`` (False), ``first_id`` (700), ``statuses`` ({code: state}
      of the merchant's own, ``{}``), ``guest_names`` (False: guests have none at the top).
    - ``products`` [{sku, name, price, id, type, children, is_dynamic, stock, status, weight,
      special_price, tier_prices, attributes}] (``[]``), ``sources`` (``["default"]``),
      ``companies`` [{name, email, legal_name, vat_id, reseller_id, comment, status (1: approved; 0
      pending, 2 rejected, 3 blocked), reject_reason, address_1, address_2, city, state, region_id,
      postcode, country, phone, group_id, admin {email, first_name, last_name, phone}}] (``[]``).
    - ``consumer_key`` ``ck_sandbox``, ``consumer_secret`` ``cs_sandbox``, ``access_token``
      ``at_sandbox``, ``access_token_secret`` ``ats_sandbox``, ``bearer`` (False: the bare token is
      refused), ``acl`` (None: every right; else the list of those it has).
    - ``edition`` (``commerce``; ``open_source`` has no returns and companies), ``modules``
      (None: those of the edition), ``page_limit`` (None; 300 where the limit is on),
      ``repeats_last_page`` (False; older versions do), ``returns_have_updated_at`` (True),
      ``float_noise`` (False).
    - ``webhook_uri`` (None: nothing is sent), ``webhook_secret`` (``fizz_hook_sandbox_secret``).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: placed orders under ``orders``.
        outbox: what our module posts.
        clock: gives the time; tests may replace it.
        store: the shop itself, for tests that need no HTTP.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {
            "store": "https://fizz-shop.example/",
            "stores": ["default"],
            "currency": "GBP",
            "rates": {},
            "timezone": "Europe/London",
            "tax_rate": 20,
            "shipping_tax_rate": None,
            "prices_include_tax": False,
            "first_id": 700,
            "statuses": {},
            "guest_names": False,
            "products": [],
            "sources": ["default"],
            "companies": [],
            "consumer_key": "ck_sandbox",
            "consumer_secret": "cs_sandbox",
            "access_token": "at_sandbox",
            "access_token_secret": "ats_sandbox",
            "bearer": False,
            "acl": None,
            "edition": "commerce",
            "modules": None,
            "page_limit": None,
            "repeats_last_page": False,
            "returns_have_updated_at": True,
            "float_noise": False,
            "webhook_uri": None,
            "webhook_secret": "fizz_hook_sandbox_secret",
        }
        if unknown := set(seed) - set(self.seed):
            raise RefusedError(f"unknown in the seed: {', '.join(sorted(unknown))}")
        self.seed |= seed
        if self.seed["modules"] is None:
            more = COMMERCE_MODULES if self.seed["edition"] == "commerce" else ""
            self.seed["modules"] = f"{BASE_MODULES} {more}".split()
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.letters = Letters(self.seed, lambda: self.clock())
        self.outbox = self.letters.outbox
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        self.letters.reset()
        self.gate = Gate(self.seed, lambda: self.clock())
        self.store = Store(self.seed, lambda: self.clock(), self.letters.tell)
        self._rest = Reads(self.store, self.seed)
        # What was there before is told to nobody.
        uri, self.letters.uri = self.letters.uri, None
        for company in self.seed["companies"]:
            self.store.people.add_company(company)
        self.letters.uri = uri

    # -- REST --------------------------------------------------------------------------------------

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._call(request)
        except VendorError as error:
            return _shaped(request, error.body, error.status)
        except CrashError:
            return PlainTextResponse("Fatal error: see the log of the server", 500)

    async def _call(self, request: Request) -> Response:
        how, right, path = self._route(request)
        if refused := _unreadable(request):
            return refused
        is_known = self.gate.lets_in(request)
        granted = self.seed["acl"]
        if not is_known or (granted is not None and right not in granted):
            text = "The consumer isn't authorized to access %resources."
            raise VendorError(401, text, {"resources": right})
        act: Callable[[Json, Any], Any] = getattr(self._rest, how)
        if request.method == "GET":
            query = request.url.query
            return _shaped(request, trimmed(act(path, query), query), 200)
        return _shaped(request, act(path, await _body(request)), 200)

    def _route(self, request: Request) -> tuple[str, str, Json]:
        parts = request.path_params["rest"].strip("/").split("/")
        if parts[0] in {"all", *self.seed["stores"]}:
            parts = parts[1:]
        version, path = parts[:1], "/".join(parts[1:])
        for method, pattern, how, right, module in MATCHERS:
            found = pattern.fullmatch(path)
            if not found or version != ["V1"] or method != request.method:
                continue
            if not module or module in self.seed["modules"]:
                return how, right, found.groupdict()
        raise VendorError(404, "Request does not match any route.")

    # -- control -----------------------------------------------------------------------------------

    async def _control(self, request: Request) -> Response:
        kind, key = request.path_params["kind"], request.path_params.get("id", "")
        name = f"{kind}/{request.path_params.get('action', 'place')}"
        actions = self._actions(key)
        if name not in actions:
            return JSONResponse({"error": f"the shop cannot do that: {name}"}, 404)
        try:
            given = json.loads(await request.body() or b"{}")
            shown = actions[name](given)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused) or type(refused).__name__}, 422)
        if name == "orders/place":
            self.accepted["orders"] += 1
        word = {"companies": "company"}.get(kind, kind.removesuffix("s"))
        number = str(shown.get("sku") or shown.get("entity_id") or shown.get("id"))
        return JSONResponse({"id": number, word: shown}, 201 if name.endswith("/place") else 200)

    def _actions(self, key: str) -> dict[str, Callable[[Json], Json]]:
        store = self.store
        firms: dict[str, Callable[[Json], Json]] = {
            "companies/place": lambda given: store.shown(store.people.add_company(given)),
            "companies/update": lambda given: store.shown(
                store.people.companies.change(int(key), given)
            ),
            "companies/delete": lambda _: store.shown(store.people.delete_company(int(key))),
        }
        return (firms if B2B in self.seed["modules"] else {}) | {
            "orders/place": store.place,
            "orders/update": lambda given: store.update(int(key), given),
            "orders/cancel": lambda _: store.cancel(int(key)),
            "orders/pay": lambda given: store.pay(int(key), given),
            "orders/refund": lambda given: store.refund(int(key), given),
            "orders/ship": lambda given: store.ship(int(key), given),
            "orders/comment": lambda given: store.comment(int(key), given),
            "orders/hold": lambda _: store.hold(int(key)),
            "orders/break": lambda _: store.break_down(int(key)),
            "customers/place": store.add_customer,
            "customers/update": lambda given: store.shown(store.people.change(int(key), given)),
            "customers/delete": lambda _: store.shown(store.people.delete(int(key))),
            "products/update": lambda given: store.shown(store.catalogue.change(key, given)),
            "products/delete": lambda _: store.shown(store.catalogue.delete(key)),
            "returns/place": store.add_return,
            "returns/update": lambda given: store.change_return(int(key), given),
        }

    async def _set_uri(self, request: Request) -> Response:
        self.letters.uri = (await request.json())["uri"]
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        return [
            Route("/rest/{rest:path}", self._answer, methods=METHODS),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
            Route("/_sandbox/{kind}", self._control, methods=["POST"]),
            Route("/_sandbox/{kind}/{id}/{action}", self._control, methods=["POST"]),
        ]


async def _body(request: Request) -> Json:
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise VendorError(400, "Decoding error.") from error
    if not isinstance(given, dict):
        raise VendorError(400, "Decoding error.")
    return given


def _unreadable(request: Request) -> Response | None:
    """What the vendor makes of who asks for something other than JSON or XML."""
    accept = request.headers.get("accept", "*/*")
    if any(kind in accept for kind in ("*/*", "application/json", "application/xml", "text/xml")):
        return None
    if "text/html" in accept:
        return HTMLResponse("<html><body>Internal Server Error</body></html>", 500)
    text = "Server cannot match any of the given Accept HTTP header media type(s)"
    return JSONResponse({"message": text}, 406)


def _shaped(request: Request, body: Any, status: int) -> Response:
    accept = request.headers.get("accept", "*/*")
    if "xml" in accept and "json" not in accept and "*/*" not in accept:
        text = '<?xml version="1.0"?>' + "".join(xml(body))
        return Response(text, status, media_type="application/xml")
    return JSONResponse(body, status)


def make(seed: Json | None = None) -> MagentoSandbox:
    """A shop with the seed's facts."""
    return MagentoSandbox(seed or {})
