"""People at work in the database: their acts by kind and name, and the routes to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.odoo.sandbox_acts import Acts, Made, WrongDraftError
from platforms.odoo.sandbox_automation import point_to
from platforms.odoo.sandbox_credit import pay_customer
from platforms.odoo.sandbox_seeding import as_system
from platforms.odoo.sandbox_store import OdooError, Row, Store, Transaction
from platforms.odoo.sandbox_warehouse import Warehouse

Act = Callable[[int, Row], Made]
KINDS: dict[str, tuple[str, list[Any]]] = {
    "orders": ("sale.order", []),
    "customers": ("res.partner", []),
    "items": ("product.product", []),
    "invoices": ("account.move", [["move_type", "=", "out_invoice"]]),
    "credit_notes": ("account.move", [["move_type", "=", "out_refund"]]),
    "payments": ("account.payment", []),
    "shipments": ("stock.picking", [["picking_type_code", "=", "outgoing"]]),
    "returns": ("stock.picking", [["return_id", "!=", False]]),
    "stock": ("stock.quant", [["location_id.usage", "=", "internal"]]),
    "prices": ("product.pricelist.item", []),
}
BILL = {"lines", "amount", "date", "post"}
PAY = {"amount", "reference", "date"}
PAYS = PAY | {"invoices"}
PRICE = {"price", "pricelist", "min_quantity", "valid_from", "valid_to"}
SHIP = {"lines", "carrier", "tracking", "backorder"}
RETURN = {"lines", "refund", "receive", "shipment"}
GOODS = {"quantity", "location", "lot"}
ANY = {"*"}


def acts(txn: Transaction) -> dict[tuple[str, str], tuple[Act, set[str]]]:
    """Every act with the words its draft may use."""
    does = Acts(txn)
    goods = Warehouse(does)
    table: dict[tuple[str, str], tuple[Act, set[str]]] = {
        ("orders", "ship"): (does.ship_order, SHIP),
        ("orders", "return"): (does.return_order, RETURN),
        ("orders", "invoice"): (does.invoice_order, BILL),
        ("orders", "pay"): (does.pay_order, PAY),
        ("orders", "credit"): (does.credit_order, BILL | {"reason"}),
        ("orders", "edit"): (does.edit_order, ANY),
        ("orders", "delete"): (does.purge_order, set()),
        ("shipments", "ship"): (does.ship, SHIP),
        ("shipments", "return"): (does.return_shipment, RETURN),
        ("returns", "ship"): (does.ship, SHIP),
        ("invoices", "pay"): (does.pay, PAY),
        ("invoices", "credit"): (does.credit, BILL | {"reason"}),
        ("invoices", "block"): (does.block_invoice, set()),
        ("credit_notes", "pay"): (does.pay, PAY),
        ("payments", "match"): (does.match_payment, set()),
        ("customers", "pay"): (lambda id_, draft: pay_customer(does, id_, draft), PAYS),
        ("items", "stock"): (does.stock, GOODS | {"best_before", "expires"}),
        ("items", "receive"): (goods.receive, GOODS | {"receive"}),
        ("items", "move"): (goods.relocate, {"quantity", "from", "to", "lot"}),
        ("items", "scrap"): (goods.scrap, GOODS),
        ("items", "price"): (does.price, PRICE),
        ("items", "scatter"): (does.scatter, set()),
        ("items", "tidy"): (goods.tidy, set()),
    }
    buttons = {
        "orders": {"confirm": "action_confirm", "cancel": "action_cancel", "block": "action_lock"},
        "shipments": {"cancel": "action_cancel", "assign": "action_assign"},
        "returns": {"cancel": "action_cancel"},
        "payments": {"cancel": "action_cancel", "draft": "action_draft", "post": "action_post"},
    }
    bills = {"post": "action_post", "cancel": "button_cancel", "draft": "button_draft"}
    buttons |= {"invoices": bills, "credit_notes": bills}
    buttons["orders"] |= {"unblock": "action_unlock", "draft": "action_draft"}
    for kind, names in buttons.items():
        for name, method in names.items():
            table[kind, name] = (does.call(KINDS[kind][0], method), set())
    for kind, (model, _) in KINDS.items():
        table.setdefault((kind, "edit"), (does.edit(model), ANY))
        table.setdefault((kind, "delete"), (does.delete(model), set()))
    for kind in ("customers", "items"):
        table[kind, "archive"] = (does.set(KINDS[kind][0], active=False), set())
        table[kind, "unarchive"] = (does.set(KINDS[kind][0], active=True), set())
    return table


class Server(Protocol):
    """What people need of the sandbox."""

    database: Store
    seed: Row

    def work(self, act: Callable[[Transaction], Any], began: timedelta = ...) -> Any:
        """Do something in a transaction of its own."""


class NoSuchActError(Exception):
    """The vendor has no such thing or cannot do that."""


class People:
    """What people do, without the API; ``rows`` are the database's own."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def rows(self) -> dict[str, dict[int, Row]]:
        """The committed rows, by model and id."""
        return self.server.database.rows

    def act(self, kind: str, id_: int | str, action: str, draft: Row | None = None) -> Row:
        """Do something to one record: the id and record of what was made or changed.

        Args:
            kind: one of ``KINDS``.
            id_: a record's id; of an item its SKU too.
            action: what to do.
            draft: how; ``began_seconds_ago`` is how long it takes until it is committed.
        """
        words = dict(draft or {})
        began = timedelta(seconds=float(words.pop("began_seconds_ago", 0)))
        return dict(self.server.work(lambda txn: self.done(txn, kind, id_, action, words), began))

    def done(self, txn: Transaction, kind: str, id_: int | str, action: str, draft: Row) -> Row:
        """Do it in this transaction."""
        act, words = acts(txn).get((kind, action), (None, set()))
        if act is None:
            raise NoSuchActError(f"people cannot {action} {kind}")
        if words != ANY and draft.keys() - words:
            raise WrongDraftError(f"{action} knows only {sorted(words)}")
        model, made = act(self.found(txn, kind, id_), draft)
        shown = as_system(txn, model, [made]).read()
        return {"id": made, "record": shown[0] if shown else None}

    def found(self, txn: Transaction, kind: str, id_: int | str) -> int:
        """The id of a record of a kind."""
        model, domain = KINDS[kind]
        records, ids = as_system(txn, model), list[int]()
        if kind == "items":
            ids = records.search([["default_code", "=", str(id_)]])
        if not ids and str(id_).isdigit():
            ids = records.search([*domain, ["id", "=", int(id_)]])
        if not ids:
            raise NoSuchActError(f"there is no {id_!r} in {kind}")
        return ids[0]

    def records(self, kind: str) -> list[Row]:
        """All records of a kind, or of a model by its own name, as the vendor shows them."""
        model, domain = KINDS.get(kind, (kind, []))
        if model not in self.server.database.fields:
            raise NoSuchActError(f"there are no {kind}")
        with self.server.database.lock:
            txn = Transaction(self.server.database)
            return as_system(txn, model).search_read(domain, order="id")

    def point_webhooks_to(self, uri: str) -> None:
        """Make the rules that post changed records, or send them elsewhere."""
        if "base_automation" not in self.server.database.modules:
            raise NoSuchActError("automation rules are not installed")
        models = self.server.seed["webhook_models"]
        self.server.work(lambda txn: point_to(txn, uri, models))

    # Routes.

    def routes(self) -> list[Route]:
        """The control routes of people's acts."""
        return [
            Route("/_sandbox/records/{kind}", self.get_records, methods=["GET"]),
            Route("/_sandbox/webhook_uri", self.set_uri, methods=["PUT"]),
            Route("/_sandbox/{kind}/{id}/{action}", self.post_act, methods=["POST"]),
        ]

    async def get_records(self, request: Request) -> Response:
        """The records of a kind."""
        return await _answered(lambda: self.records(request.path_params["kind"]))

    async def set_uri(self, request: Request) -> Response:
        """Where webhooks go."""
        body = json.loads(await request.body())

        def point() -> Row:
            if not isinstance(body, dict) or not isinstance(body.get("uri"), str):
                raise WrongDraftError("the body has a uri")
            self.point_webhooks_to(body["uri"])
            return {"uri": body["uri"]}

        return await _answered(point)

    async def post_act(self, request: Request) -> Response:
        """One act."""
        path, text = request.path_params, await request.body()

        def act() -> Row:
            draft = json.loads(text) if text.strip() else {}
            if not isinstance(draft, dict):
                raise WrongDraftError("the body is an object")
            return self.act(path["kind"], path["id"], path["action"], draft)

        return await _answered(act)


async def _answered(act: Callable[[], Any]) -> Response:
    try:
        # A receiver of what is told may ask the sandbox before it answers.
        return JSONResponse(await run_in_threadpool(act))
    except NoSuchActError as error:
        return JSONResponse({"error": str(error)}, 404)
    except OdooError as error:
        return JSONResponse({"error": error.message}, 422)
    except (WrongDraftError, ValueError, TypeError, KeyError) as error:
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 422)
