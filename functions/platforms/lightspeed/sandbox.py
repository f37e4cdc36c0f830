"""A strict stand-in for one Lightspeed Retail (X-Series) shop: its dated API and signed webhooks.

Feeds by version, the search, tokens that rotate, a limit per five minutes whose refusal names a
day and time, writes of sales, customers, prices and counts, and form deliveries that carry the old
shape of what changed. ``/_sandbox`` routes drive the shop from outside. Not here: loyalty, gift
cards, promotions, serial numbers, services, quotes, the price book's writes, the older paths.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.lightspeed.sandbox_gate import Gate
from platforms.lightspeed.sandbox_hooks import FIELDS, PAUSES, TYPES, Hooks
from platforms.lightspeed.sandbox_query import WrongRequestError, error
from platforms.lightspeed.sandbox_reads import Answer, ReadApi
from platforms.lightspeed.sandbox_shapes import Json, RefusedError
from platforms.lightspeed.sandbox_store import Store
from platforms.lightspeed.sandbox_writes import WriteApi
from sandbox.control import control_routes
from sandbox.deliveries import Outbox, poster
from sandbox.faults import Faults
from sandbox.load import Load

SCOPES = (
    "sales:read sales:write customers:read customers:write products:read products:write"
    " products:read:price_books products:write:price_books inventory:read inventory:write"
    " outlets:read registers:read payment_types:read taxes:read users:read retailer:read"
    " fulfillments:read fulfillments:write consignments:read consignments:write:stock_order"
    " webhooks".split()
)
ACTIONS = "update cancel pay refund ship delete".split()
METHODS = "GET POST PUT PATCH DELETE".split()


class LightspeedSandbox:
    """One retailer.

    Seed keys, all optional. Credentials: ``client_id`` ("ls_demo_client_01"), ``client_secret``
    ("ls_demo_client_secret_01", also signs), ``access_token`` ("ls_at_sandbox"), ``refresh_token``
    ("ls_rt_sandbox"), ``personal_token`` ("ls_pt_sandbox", never expires), ``code``
    ("ls_code_sandbox"), ``redirect_uri`` ("https://hooks.fizz.example/oauth"), ``scopes`` (all our
    sheet asks for), ``token_life`` (86400 s), ``old_refresh_tokens_live`` (False).

    The shop: ``domain_prefix`` ("fizzdemo"), ``currency`` ("GBP"), ``tax_rate`` (20),
    ``prices_include_tax`` (False), ``time_offset`` ("+00:00", of ``sale_date``), ``first_id``
    (4096), ``first_version`` (3505430000), ``first_invoice`` (1001), ``invoice_prefix`` ("FZ-"),
    ``outlets`` (["Cash and Carry"]), ``registers`` (1), ``payment_types`` (["Cash", "Card", "Bank
    Transfer"]), ``customer_groups`` (["Trade"]), ``price_books`` [{name, customer_group, prices
    [{sku, price, min_units, max_units}]}], ``products`` [{sku, name, price, id, stock, cost,
    components [{sku, quantity}], pack {sku, amount}, description, active, reorder_point,
    reorder_amount}] (``stock`` a number at
    the first outlet, or one for each; without it nobody counts).

    What the vendor leaves open: ``versions`` (["2026-01", "2026-04", "2026-07"]), ``page_size``
    (50), ``most_rows`` (200), ``rate_limit`` (None: 300 x registers + 50), ``token_limit`` (100),
    ``shows_nulls`` (False: what is not there is left out), ``stock_as_text`` (False),
    ``quantity_as_text`` (False), ``payment_currency`` (False), ``always_lists_deleted`` (False),
    ``repost`` ("refuse" a sale whose id is there already, or "overwrite").

    Webhooks: ``webhook_uri`` (one webhook of every type made in advance), ``is_signed`` (True),
    ``signature_encoding`` ("hex" or "base64"), ``signature_over`` ("body" or "payload"),
    ``signature_gap`` (False), ``form_fields`` (all five).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: committed writes by name, and placed sales under ``orders``.
        outbox: the webhooks and how they are sent.
        clock: gives the time; tests may replace it.
        seed: the facts, defaults among them.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {
            "client_id": "ls_demo_client_01",
            "client_secret": "ls_demo_client_secret_01",
            "access_token": "ls_at_sandbox",
            "refresh_token": "ls_rt_sandbox",
            "personal_token": "ls_pt_sandbox",
            "code": "ls_code_sandbox",
            "redirect_uri": "https://hooks.fizz.example/oauth",
            "scopes": list(SCOPES),
            "token_life": 86400,
            "old_refresh_tokens_live": False,
            "domain_prefix": "fizzdemo",
            "currency": "GBP",
            "tax_rate": 20,
            "prices_include_tax": False,
            "time_offset": "+00:00",
            "first_id": 4096,
            "first_version": 3505430000,
            "first_invoice": 1001,
            "invoice_prefix": "FZ-",
            "outlets": ["Cash and Carry"],
            "registers": 1,
            "payment_types": ["Cash", "Card", "Bank Transfer"],
            "customer_groups": ["Trade"],
            "price_books": [],
            "products": [],
            "versions": ["2026-01", "2026-04", "2026-07"],
            "page_size": 50,
            "most_rows": 200,
            "rate_limit": None,
            "token_limit": 100,
            "shows_nulls": False,
            "stock_as_text": False,
            "quantity_as_text": False,
            "payment_currency": False,
            "always_lists_deleted": False,
            "repost": "refuse",
            "webhook_uri": None,
            "is_signed": True,
            "signature_encoding": "hex",
            "signature_over": "body",
            "signature_gap": False,
            "form_fields": list(FIELDS),
        }
        if unknown := set(seed) - set(self.seed):
            raise RefusedError(f"unknown in seed: {', '.join(sorted(unknown))}")
        self.seed |= seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        # A receiver has five seconds. The vendor switches no webhook off, however often it fails.
        self.outbox = Outbox(poster(5, 5), PAUSES, sys.maxsize, lambda _: None)
        self._start()
        self.reads = ReadApi(self.seed, lambda: self.store)
        self.writes = WriteApi(self.seed, self.reads, self.accepted)
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        self.outbox.clear()
        self.gate = Gate(self.seed, lambda: self.clock())
        self.store = Store(self.seed, lambda: self.clock(), self._notify)
        self.hooks = Hooks(self.seed, self.store.retailer_id, self.store.new_id, self.outbox)
        if uri := self.seed["webhook_uri"]:
            for kind in TYPES:
                self.hooks.add(kind, uri)

    def _notify(self, kind: str, subject: str, body: Json) -> None:
        self.hooks.send(kind, subject, body)

    def point_webhooks_to(self, uri: str) -> None:
        """Send everything there from now on; where there was no webhook, make one of every type."""
        for row in self.hooks.rows.values():
            row["url"] = uri
        for kind in set(TYPES) - {row["type"] for row in self.hooks.rows.values()}:
            self.hooks.add(kind, uri)

    # -- REST --------------------------------------------------------------------------------------

    def _guarded(self, scopes: tuple[str, ...], answer: Answer) -> Answer:
        """Look at version, token, limit and scope first; answer with what is left of the limit."""

        async def guarded(request: Request) -> Response:
            version = self.gate.version(request.path_params["version"])
            if version is None:
                return error(404, "There is no such version.")
            if refusal := self.gate.refusal(request, scopes):
                return refusal
            self.gate.calls[version] += 1
            try:
                response = await answer(request)
            except WrongRequestError as wrong:
                response = wrong.answer()
            except RefusedError as refused:
                response = error(422, str(refused))
            response.headers.update(self.gate.meter.headers())
            return response

        return guarded

    def _calls(self) -> dict[str, dict[str, tuple[tuple[str, ...], Answer]]]:
        """Every path with its methods."""
        found = {path: {"GET": how} for path, how in self.reads.routes().items()}
        hook = ("webhooks",)
        found["/webhooks"] = {
            "GET": (hook, lambda request: self.hooks.listing(request)),
            "POST": (hook, lambda request: self.hooks.create(request)),
        }
        found["/webhooks/{id}"] = {
            "GET": (hook, lambda request: self.hooks.get(request)),
            "PUT": (hook, lambda request: self.hooks.update(request)),
            "DELETE": (hook, lambda request: self.hooks.delete(request)),
        }
        for (method, path), how in self.writes.routes().items():
            found.setdefault(path, {})[method] = how
        return found

    # -- control -----------------------------------------------------------------------------------

    async def _control(self, request: Request) -> Response:
        """Do to the shop what people do; what the shop cannot do is unknown here."""
        kind, key = request.path_params["kind"], request.path_params.get("id", "")
        action = request.path_params.get("action", "")
        how = self._deeds(kind, key).get(action)
        if how is None:
            return JSONResponse({"error": f"no such action: {kind}/{action or 'new'}"}, 404)
        try:
            given = json.loads(await request.body() or b"{}")
            shown = how(given)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        if kind == "orders" and not action:
            self.accepted["orders"] += 1
        word = {"register_closures": "closure"}.get(kind, kind.removesuffix("s"))
        body: Json = {"id": key if key and kind != "products" else shown["id"], word: shown}
        if action == "refund":
            # A return is a sale of its own, beside the one it belongs to.
            body = {"id": key, "order": self.store.shown(key), "refund": shown}
        return JSONResponse(body, 200 if action else 201)

    def _deeds(self, kind: str, key: str) -> dict[str, Callable[[Json], Json]]:
        store = self.store
        deeds: dict[str, dict[str, Callable[[Json], Json]]] = {
            "orders": {
                "": store.place,
                "update": lambda given: store.update(key, given),
                "cancel": lambda _: store.cancel(key),
                "pay": lambda given: store.pay(key, given),
                "refund": lambda given: store.refund(key, given),
                "ship": lambda given: store.ship(key, given),
                "delete": lambda _: store.delete(key),
            },
            "customers": {
                "": store.add_account,
                "update": lambda given: store.change_customer(key, given),
                "delete": lambda _: store.delete_customer(key),
            },
            "products": {
                "update": lambda given: store.change_product(key, given),
                "delete": lambda _: store.change_product(key, {"deleted": True}),
            },
            "consignments": {
                "": store.consign,
                "send": lambda _: store.move_consignment(key, "send"),
                "receive": lambda _: store.move_consignment(key, "receive"),
            },
            "register_closures": {"": lambda _: store.close_register()},
        }
        return deeds.get(kind, {})

    async def _set_uri(self, request: Request) -> Response:
        self.point_webhooks_to((await request.json())["uri"])
        return Response(status_code=204)

    async def _token(self, request: Request) -> Response:
        # The gate is made anew when the sandbox starts afresh.
        return await self.gate.token(request)

    async def _set_token(self, request: Request) -> Response:
        """End the access token, or both tokens as a retailer who removes the application does."""
        how = {"expire": lambda: self.gate.expire(), "disconnect": lambda: self.gate.disconnect()}
        word = request.path_params["word"]
        if word not in how:
            return JSONResponse({"error": f"no such action: token/{word}"}, 404)
        how[word]()
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        return [
            Route("/api/1.0/token", self._token, methods=["POST"]),
            *(
                Route("/api/{version}" + path, self._guarded(scopes, answer), methods=[method])
                for path, methods in self._calls().items()
                for method, (scopes, answer) in methods.items()
            ),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            Route("/_sandbox/token/{word}", self._set_token, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
            Route("/_sandbox/{kind}", self._control, methods=["POST"]),
            Route("/_sandbox/{kind}/{id}/{action}", self._control, methods=["POST"]),
            Route("/api/{version}/{rest:path}", self._guarded((), self._no_route), methods=METHODS),
            Route("/api/{rest:path}", _nothing, methods=METHODS),
        ]

    async def _no_route(self, request: Request) -> Response:
        """A path nobody has, or one that has no such method."""
        path = "/" + request.path_params["rest"]
        for known in self._calls():
            parts, asked = known.split("/"), path.split("/")
            if len(parts) == len(asked) and all(
                one in ("{id}", other) for one, other in zip(parts, asked, strict=True)
            ):
                return error(405, "The method is not allowed here.")
        return error(404, "The requested resource was not found.")


async def _nothing(_: Request) -> Response:
    return error(404, "The requested resource was not found.")


def make(seed: Json | None = None) -> LightspeedSandbox:
    """A retailer with the seed's facts."""
    return LightspeedSandbox(seed or {})
