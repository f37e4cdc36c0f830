"""A wholesaler's database with stock, lots and a price list, its clock and its people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from platforms.odoo.sandbox import make
from tests.platforms.odoo.odoo_world import KEY, Odoo

START = datetime(2026, 11, 23, 13, 43, 26, 613179, tzinfo=UTC)
ADMIN_KEY = "admin-key"
UNIT, CASE = 1, 4
TAX, REDUCED = 1, 2
COLA, DEPOSIT, DELIVERY, BERRY, SYRUP = range(1, 6)
BAR, DOCK = 1, 2
STOCK, CUSTOMERS = 5, 2
TRADE = 1
ADMIN = [
    "Administration/Settings",
    "Products/Create",
    "Contact/Creation",
    "Inventory/Administrator",
]
BOT = {"login": "bot@example.com", "uid": 6, "groups": ["Contact/Creation"]}
SEED: dict[str, Any] = {
    "api_keys": {KEY: BOT, ADMIN_KEY: {"login": "root@example.com", "uid": 2, "groups": ADMIN}},
    "locations": ["WH/Stock/Cold"],
    "pricelists": [
        {
            "name": "Trade",
            "currency": "EUR",
            "items": [{"sku": "COLA330-C24", "price": 0.88, "min_quantity": 24}],
        }
    ],
    "partners": [
        {
            "name": "Corner Pop Ltd",
            "is_company": True,
            "ref": "fizz:c-9",
            "email": "q@corner.example",
        },
        {"name": "Yard 4", "type": "delivery", "parent_id": 1},
    ],
    "products": [
        {
            "default_code": "COLA330-C24",
            "name": "Cola 330 ml can",
            "list_price": 1.15,
            "uoms": ["Case of 24"],
            "is_storable": True,
            "stock": 200,
        },
        {"default_code": "DEP-25", "name": "Can deposit", "list_price": 0.25, "type": "service"},
        {"default_code": "SHIP", "name": "Delivery", "type": "service", "taxes_id": []},
        {
            "default_code": "BERRY-LOT",
            "name": "Berry fizz",
            "is_storable": True,
            "tracking": "lot",
            "lots": {"L26A": 8, "L26B": 3},
        },
        {"default_code": "SYRUP-5L", "name": "Syrup 5 l", "invoice_policy": "delivery"},
    ],
}


class Desk(Odoo):
    """The API, a clock that stands still, and shortcuts."""

    def __init__(self, **seed: Any) -> None:
        self.now = START
        super().__init__(make(SEED | seed))
        self.sandbox.clock = lambda: self.now
        # The seed was put in by another clock.
        self.sandbox.reset()

    def tick(self, seconds: float = 60) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)

    def sold(self, *lines: dict[str, Any], **values: Any) -> int:
        """The id of a confirmed order."""
        vals = {"partner_id": BAR, "order_line": [[0, 0, line] for line in lines], **values}
        (order,) = self.ok("sale.order", "create", vals_list=[vals])
        assert self.ok("sale.order", "action_confirm", ids=[order]) is True
        return int(order)

    def one(self, model: str, id_: int, *fields: str) -> Any:
        """A record, or of one field its value."""
        (row,) = self.ok(model, "read", ids=[id_], fields=list(fields))
        return row[fields[0]] if len(fields) == 1 else row

    def found(self, model: str, *domain: Any, fields: Any = (), **options: Any) -> list[Any]:
        """Records a domain fits."""
        named = {"domain": list(domain), "fields": list(fields), "order": "id", **options}
        rows: list[Any] = self.ok(model, "search_read", **named)
        return rows

    def refused(self, model: str, method: str, **arguments: Any) -> str:
        """The message of a business rule."""
        status, body = self.call(model, method, **arguments)
        assert status == 422, body
        return str(body["message"])

    def act(self, kind: str, id_: int | str, action: str, **draft: Any) -> Any:
        """A person does something: the record of what came of it."""
        return self.sandbox.store.act(kind, id_, action, draft)["record"]

    def control(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """One control route."""
        answer = self.http.request(method, f"/_sandbox/{path}", json=body)
        return answer.status_code, answer.json()

    def picking(self, order: int) -> int:
        """The id of the order's open delivery."""
        domain = [["sale_id", "=", order], ["state", "in", ["assigned", "confirmed"]]]
        (row,) = self.found("stock.picking", *domain, fields=["name"])
        return int(row["id"])

    def moves(self, picking: int, *fields: str) -> list[Any]:
        """A picking's moves."""
        return self.found("stock.move", ["picking_id", "=", picking], fields=fields)

    def stock(self, product: int = COLA, **context: Any) -> tuple[float, float, float]:
        """On hand, free and expected."""
        fields = ["qty_available", "free_qty", "virtual_available"]
        named = {"ids": [product], "fields": fields, "context": context}
        (row,) = self.ok("product.product", "read", **named)
        return row["qty_available"], row["free_qty"], row["virtual_available"]

    def invoiced(self, order: int) -> int:
        """The id of a draft invoice over what is to invoice."""
        vals = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [order]]]}
        wizards = self.ok("sale.advance.payment.inv", "create", vals_list=[vals])
        made = self.ok("sale.advance.payment.inv", "create_invoices", ids=wizards)
        return int(made["res_id"])

    def posted(self, order: int) -> int:
        """The id of a posted invoice."""
        invoice = self.invoiced(order)
        assert self.ok("account.move", "action_post", ids=[invoice]) is False
        return invoice

    def paid(self, move: int, amount: float | None = None, memo: str = "pay_1", **vals: Any) -> Any:
        """The answer to a payment of a document."""
        context = {"active_model": "account.move", "active_ids": [move]}
        vals |= {"communication": memo} | ({} if amount is None else {"amount": amount})
        register = "account.payment.register"
        wizards = self.ok(register, "create", vals_list=[vals], context=context)
        return self.ok(register, "action_create_payments", ids=wizards)

    def credited(self, invoice: int, reason: str = "broken", **vals: Any) -> int:
        """The id of a draft credit note over all of an invoice."""
        values = {"move_ids": [[6, 0, [invoice]]], "reason": reason, "journal_id": 1, **vals}
        wizards = self.ok("account.move.reversal", "create", vals_list=[values])
        made = self.ok("account.move.reversal", "refund_moves", ids=wizards)
        return int(made["res_id"])


def cans(quantity: float, **values: Any) -> dict[str, Any]:
    """A line of cans."""
    return {"product_id": COLA, "product_uom_qty": quantity, **values}


def full_order(desk: Desk, **values: Any) -> int:
    """Two cases less 5 percent, 24 cans, 72 deposits and a delivery: 305.75 and 55.24 tax."""
    return desk.sold(
        cans(2, product_uom_id=CASE, price_unit=22.92, discount=5),
        cans(24, price_unit=9.55),
        {"product_id": DEPOSIT, "product_uom_qty": 72, "price_unit": 0.25},
        {"product_id": DELIVERY, "name": "Parcel service", "price_unit": 15.0},
        **values,
    )


def backorder_wizard(desk: Desk, answer: Any, method: str = "process") -> Any:
    """Answer the question of a partial validation."""
    model, context = answer["res_model"], answer["context"]
    picks = [id_ for _, id_ in context["default_pick_ids"]]
    vals = {"pick_ids": [[6, 0, picks]]}
    made = desk.ok(model, "create", vals_list=[vals], context=context)
    return desk.ok(model, method, ids=made, context=context)


def start_return(desk: Desk, picking: int) -> tuple[int, list[Any]]:
    """A wizard that brings goods of a delivery back, and its lines."""
    context = {"active_model": "stock.picking", "active_id": picking, "active_ids": [picking]}
    (wizard,) = desk.ok("stock.return.picking", "create", vals_list=[{}], context=context)
    return wizard, desk.found("stock.return.picking.line", ["wizard_id", "=", wizard])
