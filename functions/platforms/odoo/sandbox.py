"""A strict stand-in for Odoo 19.0: JSON-2 and JSON-RPC over one engine, for tests and the demo.

Vendor documentation: https://www.odoo.com/documentation/19.0/developer/reference/external_api.html.
Each call is one transaction in a worker thread of its own, as on the vendor's server: the work goes
on and is committed when the client hangs up, and nobody sees it before. The
``sandbox_fields*.json`` hold the models and fields of this subset; everything else is refused as
unknown. Not here: purchases, foreign currencies' rates, several companies, kits, e-mails.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from platforms.odoo.sandbox_automation import Automation, Hooks
from platforms.odoo.sandbox_people import People
from platforms.odoo.sandbox_records import CLASSES, MODEL_METHODS, RECORD_METHODS, Records
from platforms.odoo.sandbox_sales import SaleOrders
from platforms.odoo.sandbox_seeding import SEED, Seeding
from platforms.odoo.sandbox_store import (
    MOMENT,
    OdooError,
    Row,
    Store,
    Transaction,
    User,
    is_list,
)
from sandbox.control import control_routes
from sandbox.deliveries import Delivery
from sandbox.faults import Faults
from sandbox.load import Load

BUILTINS = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What the vendor's code raises on values it did not expect: reported by name, with status 500."""
VERSION = [19, 0, 0, "final", 0, ""]
NO_DATABASE = """<!DOCTYPE html>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>No database is selected and the requested URL was not found.</p>
<!-- Alternatively, use the X-Odoo-Database header. -->
"""
NOT_FOUND = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
WRONG_TYPE = (
    "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n"
    "<h1>Unsupported Media Type</h1>\n<p>Please verify the Content-Type request header.</p>\n"
)


@dataclass(frozen=True)
class Call:
    """One method call, whichever transport brought it."""

    user: User
    model: str
    method: str
    ids: Sequence[int]
    args: Sequence[Any]
    kwargs: Row
    context: Row


class OdooSandbox:
    """The vendor's server.

    Seed keys, all optional; ``sandbox_seed.json`` has what the missing ones mean: ``database`` and
    ``databases`` (others on the host), ``first_id``, ``commit_delay_seconds``, ``modules`` (also
    ``base_vat``; ``product_expiry``; ``accountant``, with which a payment is ``in_payment`` until
    the bank shows it), ``api_keys`` {key: {login, uid, groups, tz, expiration_date}}, ``passwords``
    {login: password}, ``company`` {name, currency, tax_calculation_rounding_method},
    ``currencies``, ``countries``, ``uoms``, ``warehouses`` [{name, code}] (beside ``WH``),
    ``locations`` (paths, as ``WH/Stock/Cold``, or [path, usage]), ``taxes``, ``payment_terms``
    {name: days}, ``pricelists`` [{name, currency, items: [{sku, price, min_quantity}]}],
    ``partners``, ``products`` (with ``stock``: a number or {path: number}, and ``lots`` {name:
    number}), ``webhook_uri`` (rules made in advance) and
    ``webhook_models``.

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: committed records by ``model/method``; ``load`` counts the records it really
            inserted, and as ``write`` those it changed. People's acts are not counted.
        outbox: the posts of the automation rules.
        clock: gives the time in UTC; tests may replace it.
        store: what people do, and the rows as they are.
    """

    def __init__(self, seed: Row) -> None:
        self.seed = SEED | seed | {"company": SEED["company"] | seed.get("company", {})}
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.outbox = Hooks()
        self.store = People(self)
        self.workers = ThreadPoolExecutor(16, "odoo")
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        routes = [
            Route("/json/2/{model}/{method}", self.json2, methods=every),
            Route("/jsonrpc", self.jsonrpc, methods=every),
            Route("/web/version", self.version, methods=["GET"]),
            Route("/_sandbox/orders", self.orders, methods=["GET"]),
            Route("/_sandbox/orders/{id:int}/delete", self.delete_order, methods=["POST"]),
            Route("/_sandbox/products", self.add_products, methods=["POST"]),
            Route("/_sandbox/delay", self.set_delay, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self.reset),
            *self.store.routes(),
        ]
        self.faults: Faults = Faults(Starlette(routes=routes))
        self.app = self.load = Load(self.faults, lambda: self.clock())
        self.reset()

    def reset(self) -> None:
        """Back to the seed."""
        self.load.clear()
        self.commit_delay_seconds = float(self.seed["commit_delay_seconds"])
        self.outbox.clear()
        self.database = Store(self.seed["first_id"], lambda: self.clock(), self.seed["modules"])
        Seeding(self.database, self.seed).fill()

    # The engine.

    async def perform(self, call: Call) -> Any:
        """Run a call in a worker: it ends and commits whatever becomes of the client."""
        return await asyncio.wrap_future(self.workers.submit(self.transact, call))

    def transact(self, call: Call) -> Any:
        """One call, one transaction; a slow create or load is invisible until it is committed."""
        store = self.database
        with store.lock:
            txn = Transaction(store)
            try:
                result = _invoke(txn, call)
            except BUILTINS as error:
                raise _python_error(error) from error
            if self.commit_delay_seconds and txn.changes and call.method in ("create", "load"):
                store.inserting |= txn.keys
                store.lock.wait_for(lambda: False, self.commit_delay_seconds)
                store.inserting -= txn.keys
            told = self.commit(txn)
            if store is self.database:
                self.accepted.update(txn.counts)
            store.lock.notify_all()
        # The vendor posts before it answers: a slow receiver is waited for, record by record.
        for delivery in told:
            self.outbox.add(delivery)
        return result

    def commit(self, txn: Transaction) -> list[Delivery]:
        """Commit, and say what the automation rules post about it."""
        automation = Automation(txn)
        txn.commit()
        return list(automation.deliveries())

    def work(self, act: Callable[[Transaction], Any], began: timedelta = timedelta()) -> Any:
        """Do something in a transaction of its own that began so long ago."""
        with self.database.lock:
            txn = Transaction(self.database, began)
            result = act(txn)
            told = self.commit(txn)
        for delivery in told:
            self.outbox.add(delivery)
        return result

    def user_of_key(self, key: str) -> User | None:
        """The user of a valid API key."""
        entry = self.seed["api_keys"].get(key)
        if entry is None:
            return None
        expires = entry.get("expiration_date")
        if expires and expires <= self.clock().strftime(MOMENT):
            return None
        groups = tuple(entry.get("groups", ()))
        return User(entry["uid"], entry["login"], groups, entry.get("tz", ""))

    def user_of_login(self, login: str, secret: str) -> User | None:
        """The user of a login with its password or one of its keys."""
        user = self.user_of_key(secret)
        if user is None and secret and self.seed["passwords"].get(login) == secret:
            entries = self.seed["api_keys"].items()
            return next(
                (
                    User(entry["uid"], login, tuple(entry.get("groups", ())), entry.get("tz", ""))
                    for _, entry in entries
                    if entry["login"] == login
                ),
                None,
            )
        return user if user and user.login == login else None

    # The vendor's routes.

    async def version(self, _: Request) -> Response:
        """The version, for anyone."""
        return JSONResponse({"version_info": VERSION, "version": "19.0"})

    def refusal(self, request: Request) -> Response | None:
        """What the server answers before the API is reached at all."""
        hosted = {self.seed["database"], *self.seed["databases"]}
        wanted = request.headers.get("x-odoo-database")
        if request.url.path.startswith("/json/2/") and (
            wanted not in hosted if wanted else len(hosted) > 1
        ):
            return HTMLResponse(NO_DATABASE, 404)
        if request.method != "POST":
            return HTMLResponse(NOT_FOUND, 404)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return HTMLResponse(WRONG_TYPE, 415)
        return None

    async def json2(self, request: Request) -> Response:
        """``POST /json/2/<model>/<method>``: named arguments in, the bare result out."""
        refusal = self.refusal(request)
        if refusal:
            return refusal
        headers = {"Connection": "close"}
        try:
            user = self.bearer(request)
            call = _json2_call(self.database, user, request.path_params, await request.body())
            return JSONResponse(await self.perform(call), headers=headers)
        except OdooError as error:
            if error.status == 401 and error.message != "Invalid apikey":
                headers["WWW-Authenticate"] = "Bearer"
            return JSONResponse(error.body(), error.status, headers)

    def bearer(self, request: Request) -> User:
        """The user of the bearer key."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            text = "User not authenticated, use an API Key with a Bearer Authorization header."
            raise OdooError("Unauthorized", text)
        # Keys belong to one database: another hosted one knows none of ours.
        user = self.user_of_key(key.strip())
        wanted = request.headers.get("x-odoo-database", self.seed["database"])
        if user is None or wanted != self.seed["database"]:
            raise OdooError("Unauthorized", "Invalid apikey")
        return user

    async def jsonrpc(self, request: Request) -> Response:
        """``POST /jsonrpc``: every answer is 200, and a null result has no ``result`` key."""
        refusal = self.refusal(request)
        if refusal:
            return refusal
        try:
            body = json.loads(await request.body())
        except ValueError:
            return HTMLResponse(NOT_FOUND.replace("404 Not Found", "400 Bad Request"), 400)
        answer: Row = {"jsonrpc": "2.0", "id": body.get("id")}
        try:
            result = await self.service(**body["params"])
            if result is not None:
                answer["result"] = result
        except (OdooError, *BUILTINS) as caught:
            error = caught if isinstance(caught, OdooError) else _python_error(caught)
            answer["error"] = {"code": 0, "message": "Odoo Server Error", "data": error.body()}
        return JSONResponse(answer, headers={"Connection": "close"})

    async def service(self, service: str, method: str, args: list[Any]) -> Any:
        """Dispatch to the services ``common`` and ``object``."""
        if (service, method) == ("common", "version"):
            info = {"server_version": "19.0", "server_version_info": VERSION}
            return info | {"server_serie": "19.0", "protocol_version": 1}
        if args[0] != self.seed["database"]:
            text = f'connection to server failed: FATAL:  database "{args[0]}" does not exist\n'
            raise OdooError("OperationalError", text)
        if service == "common" and method in ("authenticate", "login"):
            known = self.user_of_login(args[1], args[2])
            return known.uid if known else False
        if (service, method) != ("object", "execute_kw"):
            raise OdooError("AttributeError", f"no service {service!r} with method {method!r}")
        _, uid, secret, model, name, *rest = args
        logins = [k["login"] for k in self.seed["api_keys"].values() if k["uid"] == uid]
        user = self.user_of_login(logins[0], secret) if logins else None
        if user is None:
            raise OdooError("AccessDenied", "Access Denied")
        return await self.perform(_rpc_call(self.database, user, model, name, *rest))

    # The sandbox's own routes.

    async def orders(self, _: Request) -> Response:
        """Every order with its lines, in words instead of ids."""
        with self.database.lock:
            txn = Transaction(self.database)
            orders = SaleOrders(txn, User(1, "__system__"), "sale.order", (), {})
            shown = [_order_in_words(orders, row) for row in txn.rows("sale.order")]
        created = self.accepted["sale.order/create"] + self.accepted["sale.order/load"]
        return JSONResponse({"created": created, "orders": shown})

    async def delete_order(self, request: Request) -> Response:
        """A person deletes an order, whatever its state."""
        id_ = request.path_params["id"]
        if id_ not in self.database.rows["sale.order"]:
            return Response(status_code=404)
        await run_in_threadpool(self.store.act, "orders", id_, "delete")
        return Response(status_code=204)

    async def add_products(self, request: Request) -> Response:
        """A person adds products, given as in the seed."""
        products = json.loads(await request.body())
        given = products if is_list(products) else [products]

        def add(txn: Transaction) -> list[int]:
            seeding = Seeding(self.database, self.seed, txn)
            return [seeding.product(product) for product in given]

        return JSONResponse({"ids": await run_in_threadpool(self.work, add)}, 201)

    async def set_delay(self, request: Request) -> Response:
        """How long each create and load takes from now on."""
        self.commit_delay_seconds = float(json.loads(await request.body())["commit_delay_seconds"])
        return JSONResponse({"commit_delay_seconds": self.commit_delay_seconds})


def _python_error(error: Exception) -> OdooError:
    return OdooError(type(error).__name__, str(error))


def _json2_call(database: Store, user: User, path: Row, body: bytes) -> Call:
    try:
        arguments = json.loads(body) if body.strip() else {}
    except ValueError as error:
        text = f"could not parse the body as json: {error}"
        raise OdooError("BadRequest", text) from error
    model, method = path["model"], path["method"]
    if arguments and not isinstance(arguments, dict):
        raise OdooError("BadRequest", "the body must be an object of named arguments")
    kwargs = dict(arguments or {})
    ids, context = kwargs.pop("ids", ()), kwargs.pop("context", None) or {}
    if model not in database.fields:
        raise OdooError("NotFound", f"the model '{model}' does not exist")
    function = _public(model, method)
    if function is None:
        raise OdooError("NotFound", f"The method '{model}.{method}' does not exist")
    if ids and method in MODEL_METHODS:
        raise OdooError("UnprocessableEntity", f"cannot call {model}.{method} with ids")
    try:
        inspect.signature(function).bind(None, **kwargs)
    except TypeError as error:
        raise OdooError("UnprocessableEntity", str(error)) from error
    return Call(user, model, method, ids, (), kwargs, context)


def _rpc_call(
    database: Store,
    user: User,
    model: str,
    method: str,
    args: Sequence[Any] = (),
    kwargs: Row | None = None,
) -> Call:
    if model not in database.fields:
        raise OdooError("UserError", f"Object {model} doesn't exist")
    if _public(model, method) is None:
        text = f"The method '{model}.{method}' does not exist"
        raise OdooError("AttributeError", text)
    named = dict(kwargs or {})
    context = named.pop("context", None) or {}
    ids: Sequence[int] = ()
    if method in RECORD_METHODS:
        first, *args = args
        ids = first if is_list(first) else [first]
    return Call(user, model, method, ids, args, named, context)


def _public(model: str, method: str) -> Callable[..., Any] | None:
    if method.startswith("_"):
        text = f"Private methods (such as '{model}.{method}') cannot be called remotely."
        raise OdooError("AccessError", text)
    if method not in MODEL_METHODS | RECORD_METHODS:
        return None
    return getattr(CLASSES.get(model, Records), method, None)


def _invoke(txn: Transaction, call: Call) -> Any:
    kind = CLASSES.get(call.model, Records)
    records = kind(txn, call.user, call.model, call.ids, call.context)
    result = getattr(records, call.method)(*call.args, **call.kwargs)
    # Over RPC a create answers in the shape it was asked: one dict, one id.
    if call.method == "create" and call.args and not is_list(call.args[0]):
        return result[0]
    return result


def _order_in_words(orders: SaleOrders, row: Row) -> Row:
    plain = ("id", "name", "state", "locked", "client_order_ref", "origin", "date_order", "note")
    money = ("amount_untaxed", "amount_tax", "amount_total")
    shown = {name: orders.value(row, name) for name in (*plain, "commitment_date", *money)}
    for name in ("partner_id", "partner_invoice_id", "partner_shipping_id", "currency_id"):
        shown[name.removesuffix("_id")] = (orders.shown(row, name, True) or ["", ""])[1]
    key = orders.on("sale.order", [row["id"]]).get_external_id()[str(row["id"])]
    lines = orders.on("sale.order.line")
    return shown | {
        "external_id": key,
        "lines": [_line_in_words(lines, line) for line in orders.lines(row["id"])],
    }


def _line_in_words(lines: Records, line: Row) -> Row:
    product = lines.txn.get("product.product", line.get("product_id")) or {}
    plain = ("id", "name", "display_type", "is_delivery", "price_unit", "discount")
    money = ("price_subtotal", "price_tax", "price_total")
    return {name: lines.value(line, name) for name in (*plain, *money)} | {
        "sku": product.get("default_code", False),
        "qty": line["product_uom_qty"],
        "uom": lines.on("uom.uom").label(line.get("product_uom_id")) or False,
        "taxes": [lines.on("account.tax").label(id_) for id_ in line.get("tax_ids", ())],
    }


def make(seed: Row | None = None) -> OdooSandbox:
    """Make a sandbox; what the seed leaves out is as in ``SEED``."""
    return OdooSandbox(seed or {})
