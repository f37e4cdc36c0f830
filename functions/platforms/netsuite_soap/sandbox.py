"""A strict stand-in for NetSuite's SuiteTalk SOAP web services, endpoint 2025.2.

One account: sales orders, what is made from them, customers, items and stock, behind one port that
takes token-based authentication only. The vendor's habits are here: answers under other prefixes
each time, ``replaceAll`` true unless told otherwise, searches without sublists unless asked, pages
that are searched anew, statuses in HTTP 200 and faults in HTTP 500, and a limit of parallel calls
over everything the account does. A request that arrived is finished, whatever its client does.
Not here: joins and saved searches, asynchronous lists, attachments, matrix items, SuiteTax, lots
and bins, approval of invoices, and the order of elements (unconfirmed at the vendor).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from platforms.netsuite_soap.sandbox_books import Books
from platforms.netsuite_soap.sandbox_calls import Asked, Calls, HalfDoneError, domains
from platforms.netsuite_soap.sandbox_desk import Desk, NoSuchActError
from platforms.netsuite_soap.sandbox_search import Searches
from platforms.netsuite_soap.sandbox_soap import (
    NS,
    OF_VERSION,
    SOAP,
    VERSION,
    Element,
    Node,
    SoapFaultError,
    engine,
    envelope,
    fault_body,
    read,
)
from platforms.netsuite_soap.sandbox_store import SEED, Store
from platforms.netsuite_soap.sandbox_tba import Passports
from platforms.netsuite_soap.sandbox_types import RefusalError, Row
from platforms.netsuite_soap.sandbox_views import Views
from platforms.netsuite_soap.sandbox_writes import Writes
from sandbox.control import control_routes
from sandbox.faults import Faults
from sandbox.load import Load
from sandbox.modules import ModuleOutbox

PORT = "/services/NetSuitePort_"
HEADERS = (
    "tokenPassport",
    "preferences",
    "searchPreferences",
    "passport",
    "applicationInfo",
    "partnerInfo",
    "documentInfo",
)
UNEXPECTED = ("unexpectedErrorFault", "UNEXPECTED_ERROR")
TROUBLES = {
    "blocked": (
        "exceededConcurrentRequestLimitFault",
        "WS_REQUEST_BLOCKED",
        "SuiteTalk concurrent request limit exceeded. Request blocked.",
    ),
    "session": (
        "exceededRequestLimitFault",
        "WS_CONCUR_SESSION_DISALLWD",
        "Only one request may be made against a session at a time",
    ),
    "unexpected": (*UNEXPECTED, "An unexpected error occurred. Error ID: k3x9fizz"),
    "maintenance": (
        "unexpectedErrorFault",
        "ACCT_TEMP_UNAVAILABLE",
        "The account you are trying to access is currently unavailable for maintenance.",
    ),
    "null_pointer": ("", "", "java.lang.NullPointerException"),
    "illegal_state": ("", "", "java.lang.IllegalStateException: Session already invalidated"),
    "concurrent_modification": ("", "", "java.util.ConcurrentModificationException"),
    "invalidation": (*UNEXPECTED, "Session invalidation is in progress with different thread"),
    "pool": (*UNEXPECTED, "No connection is available in the connection pool"),
    "request_size": (
        "exceededRequestSizeFault",
        "WS_REQUEST_SIZE",
        "The request is larger than the size allowed.",
    ),
    "permission": (
        "insufficientPermissionFault",
        "WS_PERMISSION_REQD",
        "Your role does not have the permission for this.",
    ),
}
"""Faults a request may meet, by a short name: kind, code, message."""
SCRIPTED = {"nonInventorySaleItem": "noninventoryitem"}
"""Types that scripts call by more than the same word in small letters."""
GATEWAY = {"bad_gateway": 502, "unavailable": 503}


class NetSuiteSoapSandbox:
    """One account.

    Seed keys, all optional, with their defaults in ``sandbox_seed.json``: ``account``
    ("7654321_SB2"), ``time_zone`` (America/Los_Angeles), ``opened_at`` (2026-01-05T09:00:00Z, when
    the seed's records were made), ``tokens`` [{consumer_key "ck_sandbox", consumer_secret
    "cs_sandbox", token "tk_sandbox", token_secret "ts_sandbox", is_soap_allowed true, denied [];
    denied has words like "salesOrder.delete", "customer.*"}], ``domains``
    {restDomain, webservicesDomain, systemDomain} with ``{acct}`` for the account;
    ``concurrency`` (5), ``busy`` (0: calls others have running), ``concurrency_faults``
    (["blocked"], taken in turn), ``work_ms`` (0: how long each call works before it commits);
    ``prefixes`` (["named", "numbered", "default"], a new one for each answer), ``first_id`` (700),
    ``list_limit`` (200), ``line_limit`` (5000), ``request_bytes`` (10000000);
    ``external_ids`` ("family": unique over all transactions, entities or items; or "type"),
    ``order_status`` (_pendingApproval, what an order has that says nothing),
    ``is_cancel_by_status_allowed`` (false), ``is_pick_pack_ship`` (true: a fulfilment is only
    picked unless it says shipped), ``is_invoice_in_advance`` (false: only what is shipped can be
    billed),
    ``hidden_fields`` and ``required_fields`` ({record type: [field]}, both empty);
    ``scripts`` [{record, operation, phase before|warn|after, code, message, times}],
    ``troubles`` [{fault, operation, body_contains, times, commits false|true|count}];
    ``webhook_uri`` ("": nothing is sent), ``webhook_secret`` (fizz_hook_sandbox_secret) and
    ``webhook_types`` (what our user event script is deployed on);
    ``currencies``, ``subsidiaries``, ``locations``, ``taxes``, ``terms``, ``price_levels``,
    ``payment_methods``, ``accounts``, ``units``, ``lists`` {kind: [{internalId, name}]},
    ``custom_fields`` [{scriptId, type}], ``items`` [{internalId, externalId, type, itemId,
    displayName, units, saleUnit, taxCode, isInactive, prices [{level, currency, value, quantity}],
    stock {location: {onHand, onOrder}}, members [{item, quantity}]}] and ``customers`` (none, under
    the vendor's field names).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard it is driven.
        accepted: committed writes by name, such as "salesorder created".
        outbox: what a user event script of ours posts; the vendor has no webhooks.
        clock: gives the time; tests may replace it.
        store: what people do; its ``data`` is the account.
    """

    def __init__(self, seed: Row) -> None:
        self.seed = SEED | seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        # The script tries once: the poll finds what was lost.
        self.outbox = ModuleOutbox(self.seed["webhook_secret"], (), lambda: self.clock())
        self.workers = ThreadPoolExecutor(64, "netsuite")
        self.gate = threading.Lock()
        self.running = 0
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.load = Load(self.faults, lambda: self.clock())
        self.reset()

    def reset(self) -> None:
        """Back to the seed."""
        self.load.clear()
        self.busy = int(self.seed["busy"])
        self.work_ms = int(self.seed["work_ms"])
        self.troubles: list[Row] = [dict(one) for one in self.seed["troubles"]]
        self.styles = itertools.cycle(self.seed["prefixes"])
        self.refusals = itertools.cycle(self.seed["concurrency_faults"])
        self.requests = itertools.count(1)
        opening = [datetime.fromisoformat(self.seed["opened_at"])]
        data = Store(self.seed, lambda: opening[0] if opening else self.clock())
        books = Books(data)
        views = Views(data, books)
        writes = Writes(data, books, self.accepted)
        self.store = Desk(data, views, writes)
        self.calls = Calls(data, views, writes, Searches(data, views))
        tokens = self.seed["tokens"]
        self.passports = Passports(self.seed["account"], tokens, lambda: self.clock())
        for entry in self.seed["customers"]:
            self.store.add("customer", entry)
        opening.clear()
        self.uri = str(self.seed["webhook_uri"])
        self.outbox.clear()
        self.notices = itertools.count(1)
        data.tell = self._tell

    def _tell(self, event: str, kind: str, number: str) -> None:
        """What the script says after a record it is deployed on was saved or deleted."""
        if not self.uri or kind not in self.seed["webhook_types"]:
            return
        name = str(uuid.UUID(int=next(self.notices), version=4))
        spelled = SCRIPTED.get(kind, kind.lower())
        body = {"event": event, "delivery_id": name, "type": spelled, "id": number}
        self.outbox.tell(self.uri, number, body)

    async def _set_uri(self, request: Request) -> Response:
        self.uri = (await request.json())["uri"]
        return Response(status_code=204)

    # The port.

    async def port(self, request: Request) -> Response:
        """One SOAP request."""
        try:
            self._transport(request)
            body = await request.body()
            return await self._asked(request, body)
        except SoapFaultError as fault:
            return self._fault(fault)

    def _transport(self, request: Request) -> None:
        """What is wrong before the message is read."""
        if request.path_params["version"] != VERSION:
            text = f"Version {request.path_params['version']} is not supported."
            raise SoapFaultError("invalidVersionFault", "INVALID_VERSION", text)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "text/xml":
            raise SoapFaultError("", "", f"Unsupported content type: {kind}", 415)
        if not request.headers.get("soapaction", "").strip('"'):
            raise engine("no SOAPAction header!")

    async def _asked(self, request: Request, body: bytes) -> Response:
        if len(body) > self.seed["request_bytes"]:
            raise _trouble("request_size")
        header, operation = _opened(read(body))
        if request.headers["soapaction"].strip('"') != operation.name:
            raise engine(f"No such operation '{request.headers['soapaction']}'")
        if operation.name == "getDataCenterUrls":
            return self._answer(self.calls.data_centers(operation))
        if operation.name not in self.calls.operations:
            raise engine(f"No such operation '{operation.name}'")
        token = self.passports.admit(header)
        asked = Asked(header, token.get("denied", ()))
        self._enter()
        trouble = self._struck(operation.name, body)
        work = self.workers.submit(self._work, operation, asked, trouble)
        answer = await asyncio.wrap_future(work)
        return answer if isinstance(answer, Response) else self._answer(answer)

    def _enter(self) -> None:
        """Take one of the account's places, or be refused."""
        with self.gate:
            if self.running + self.busy >= self.seed["concurrency"]:
                raise _trouble(next(self.refusals))
            self.running += 1

    def _work(self, operation: Element, asked: Asked, trouble: Row | None) -> Node | Response:
        """The work itself, in a thread that ends it when nobody listens any more."""
        try:
            if self.work_ms:
                threading.Event().wait(self.work_ms / 1000)
            calls = self.calls
            with calls.store.lock:
                return self._done(calls, operation, asked, trouble)
        finally:
            with self.gate:
                self.running -= 1

    def _done(
        self, calls: Calls, operation: Element, asked: Asked, trouble: Row | None
    ) -> Node | Response:
        """The answer, unless a trouble takes its place before, amid or after the work."""
        if trouble is None:
            calls.cut_after = None
            return calls.operations[operation.name](operation, asked)
        commits = trouble.get("commits", False)
        if commits is not False:
            calls.cut_after = None if commits is True else int(commits)
            try:
                calls.operations[operation.name](operation, asked)
            except HalfDoneError:
                pass
            finally:
                calls.cut_after = None
        name = trouble["fault"]
        if name in GATEWAY:
            return HTMLResponse(f"<html><h1>{GATEWAY[name]}</h1></html>", GATEWAY[name])
        raise _trouble(name)

    def _struck(self, operation: str, body: bytes) -> Row | None:
        """The first armed trouble that means this request."""
        with self.gate:
            for one in self.troubles:
                fits = one.get("operation", operation) == operation
                fits = fits and one.get("body_contains", "").encode() in body
                if fits and one.get("times", 1):
                    one["times"] = one.get("times", 1) - (one.get("times", 1) > 0)
                    return one
        return None

    def _answer(self, body: Node) -> Response:
        style = next(self.styles)
        # An empty list is there in one style of answer and left out in the others.
        self.calls.flags["empty_list"] = style != "named"
        number = f"WEBSERVICES_{self.seed['account']}_{next(self.requests):012d}"
        return Response(envelope(style, body, number), media_type="text/xml")

    def _fault(self, fault: SoapFaultError) -> Response:
        body = fault_body(fault.kind, fault.code, fault.message, next(self.styles))
        return Response(body, fault.status, media_type="text/xml")

    async def data_centers(self, request: Request) -> Response:
        """The account's hosts as JSON, for anybody."""
        account = request.query_params.get("account", "")
        if not account:
            return JSONResponse({"error": {"code": "MISSING_REQD_FLD"}}, 400)
        return JSONResponse(domains(self.seed, account))

    # The control routes.

    async def _records(self, request: Request) -> Response:
        try:
            return JSONResponse(self.store.records(request.path_params["kind"]))
        except NoSuchActError as error:
            return JSONResponse({"error": str(error)}, 404)

    async def _act(self, request: Request) -> Response:
        path = request.path_params
        return await self._tried(
            request, lambda body: self.store.act(path["kind"], path["id"], path["action"], body)
        )

    async def _stock(self, request: Request) -> Response:
        def work(body: Row) -> Row:
            quantity, location = Decimal(str(body["quantity"])), str(body.get("location", ""))
            self.store.set_stock(request.path_params["sku"], quantity, location)
            return {"quantity": str(quantity)}

        return await self._tried(request, work)

    async def _receive(self, request: Request) -> Response:
        def work(body: Row) -> Row:
            quantity, location = _positive(body["quantity"]), str(body.get("location", ""))
            is_here = bool(body.get("receive", True))
            self.store.receive(request.path_params["sku"], quantity, location, is_here=is_here)
            return {"quantity": str(quantity)}

        return await self._tried(request, work)

    async def _move(self, request: Request) -> Response:
        def work(body: Row) -> Row:
            quantity = _positive(body["quantity"])
            places = str(body.get("from", "")), str(body["to"])
            self.store.move(request.path_params["sku"], quantity, *places)
            return {"quantity": str(quantity)}

        return await self._tried(request, work)

    async def _price(self, request: Request) -> Response:
        def work(body: Row) -> Row:
            price = Decimal(str(body["price"]))
            where: Row = {name: str(body[name]) for name in ("level", "currency") if name in body}
            if "quantity" in body:
                where["quantity"] = Decimal(str(body["quantity"]))
            self.store.set_price(request.path_params["sku"], price, **where)
            return {"price": str(price)}

        return await self._tried(request, work)

    async def _scripts(self, request: Request) -> Response:
        self.store.data.scripts.extend(json.loads(await request.body()))
        return JSONResponse({"scripts": len(self.store.data.scripts)}, 201)

    async def _troubles(self, request: Request) -> Response:
        given = json.loads(await request.body())
        unknown = [one["fault"] for one in given if one["fault"] not in TROUBLES | GATEWAY]
        if unknown:
            return JSONResponse({"error": f"no such fault: {unknown[0]}"}, 422)
        self.troubles.extend(given)
        return JSONResponse({"troubles": len(self.troubles)}, 201)

    async def _load(self, request: Request) -> Response:
        given = json.loads(await request.body())
        self.busy = int(given.get("busy", self.busy))
        self.work_ms = int(given.get("work_ms", self.work_ms))
        return JSONResponse({"busy": self.busy, "work_ms": self.work_ms})

    async def _tried(self, request: Request, work: Callable[[Row], Any]) -> Response:
        try:
            return JSONResponse(work(json.loads(await request.body() or b"{}")))
        except NoSuchActError as error:
            return JSONResponse({"error": str(error)}, 404)
        except RefusalError as error:
            return JSONResponse({"error": error.message}, 422)
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
            return JSONResponse({"error": str(error)}, 422)

    def _routes(self) -> list[Route]:
        return [
            Route(PORT + "{version}", self.port, methods=["POST"]),
            Route("/rest/datacenterurls", self.data_centers, methods=["GET"]),
            Route("/_sandbox/records/{kind}", self._records, methods=["GET"]),
            Route("/_sandbox/scripts", self._scripts, methods=["POST"]),
            Route("/_sandbox/troubles", self._troubles, methods=["POST"]),
            Route("/_sandbox/load", self._load, methods=["PUT"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            Route("/_sandbox/items/{sku}/stock", self._stock, methods=["POST"]),
            Route("/_sandbox/items/{sku}/receive", self._receive, methods=["POST"]),
            Route("/_sandbox/items/{sku}/move", self._move, methods=["POST"]),
            Route("/_sandbox/items/{sku}/price", self._price, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self.reset),
            Route("/_sandbox/{kind}/{id}/{action}", self._act, methods=["POST"]),
        ]


def _positive(value: Any) -> Decimal:
    quantity = Decimal(str(value))
    if quantity <= 0:
        raise ValueError("a quantity is above nothing")
    return quantity


def _trouble(name: str) -> SoapFaultError:
    return SoapFaultError(*TROUBLES[name])


def _opened(root: Element) -> tuple[Element | None, Element]:
    """The header and the operation of an envelope."""
    if (root.ns, root.name) != (SOAP, "Envelope"):
        raise engine("Only SOAP 1.1 envelopes are understood here")
    root.only(SOAP, "Header", "Body")
    header, body = root.get("Header"), root.get("Body")
    if body is None or len(body.children) != 1:
        raise engine("The body of the message must hold one operation")
    for child in header.children if header else ():
        if child.ns != NS["messages"] or child.name not in HEADERS:
            raise _foreign(child)
    operation = body.children[0]
    if operation.ns != NS["messages"]:
        raise _foreign(operation)
    return header, operation


def _foreign(child: Element) -> SoapFaultError:
    version = OF_VERSION.fullmatch(child.ns)
    if version and version[1] != VERSION:
        text = f"Namespace of version {version[1]} at endpoint {VERSION}."
        return SoapFaultError("invalidVersionFault", "INVALID_VERSION", text)
    return engine(f"No such operation '{child.name}' of '{child.ns}'")


def make(seed: Row | None = None) -> NetSuiteSoapSandbox:
    """An account with the seed's facts; what it leaves out is as in ``sandbox_seed.json``."""
    return NetSuiteSoapSandbox(seed or {})
