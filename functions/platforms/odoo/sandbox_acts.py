"""What people do in the vendor's screens, step by step with the vendor's own methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from platforms.odoo.sandbox_accounting import Entries
from platforms.odoo.sandbox_invoicing import Billing
from platforms.odoo.sandbox_payments import Payments, Register, Reversals
from platforms.odoo.sandbox_records import Records
from platforms.odoo.sandbox_sales import SaleOrders
from platforms.odoo.sandbox_seeding import as_system, set_stock
from platforms.odoo.sandbox_stock import CLOSED, Moves, Quants
from platforms.odoo.sandbox_store import Row, Transaction, is_list
from platforms.odoo.sandbox_taxes import count
from platforms.odoo.sandbox_transfers import Pickings, Returns

Made = tuple[str, int]
"""The model and id of what an act made or changed."""


class WrongDraftError(Exception):
    """What a person wants does not say enough, or too much."""


class Acts:
    """The acts of one transaction."""

    def __init__(self, txn: Transaction) -> None:
        self.txn = txn
        self.root = as_system(txn, "res.users")

    def on(self, model: str, ids: Sequence[int] = (), **context: Any) -> Records:
        """Records for a person who may do anything."""
        return as_system(self.txn, model, ids, context)

    def rows(self, model: str, **values: Any) -> list[Row]:
        """The rows with these values."""
        return [
            row
            for row in self.txn.rows(model)
            if all((row.get(name) or False) == value for name, value in values.items())
        ]

    # Deliveries and returns.

    def ship_order(self, id_: int, draft: Row) -> Made:
        """Ship what an order still waits for."""
        open_ = [
            row["id"]
            for row in self.rows("stock.picking", sale_id=id_, return_id=False)
            if row["state"] not in CLOSED
        ]
        if not open_:
            raise WrongDraftError("nothing of this order waits to be shipped")
        return self.ship(open_[0], draft)

    def ship(self, id_: int, draft: Row) -> Made:
        """Carry a transfer out: all of it or some lines; the rest waits unless it is dropped."""
        moves = self.root.of(Moves, "stock.move")
        open_ = [
            move
            for move in self.root.of(Pickings, "stock.picking").moves(id_)
            if move["state"] not in CLOSED
        ]
        wanted = self.lines(draft)
        plan = self.spread(open_, wanted) if wanted else self.everything(open_)
        for move, quantity in plan:
            moves.update(move, {"quantity": quantity, "picked": True})
        for line in wanted:
            if line.get("lot"):
                self.choose_lot(open_, line)
        self.label(id_, draft)
        drops = [] if draft.get("backorder", True) else [id_]
        context = {"skip_backorder": True, "picking_ids_not_to_backorder": drops}
        self.on("stock.picking", [id_], **context).of(
            Pickings, "stock.picking", [id_]
        ).button_validate()
        return "stock.picking", id_

    def everything(self, moves: Iterable[Row]) -> list[tuple[int, float]]:
        """All that is wanted, there or not."""
        return [(move["id"], move["product_uom_qty"]) for move in moves]

    def spread(self, moves: Sequence[Row], wanted: Iterable[Row]) -> list[tuple[int, float]]:
        """Quantities by SKU over the moves of that SKU, in order; the last takes what is over."""
        plan = []
        for line in wanted:
            product, rest = self.item(line["sku"]), line["quantity"]
            mine = [move for move in moves if move["product_id"] == product]
            if not mine:
                raise WrongDraftError(f"{line['sku']} is not in this transfer")
            for number, move in enumerate(mine, start=1):
                part = rest if number == len(mine) else min(rest, move["product_uom_qty"])
                if part > 0:
                    plan.append((move["id"], part))
                rest = count(rest - part)
        return plan

    def choose_lot(self, moves: Iterable[Row], line: Row) -> None:
        """Take a SKU's goods from a lot, made if there is none of that name."""
        product = self.item(line["sku"])
        lot = self.lot(product, line)
        for move in moves:
            if move["product_id"] == product:
                for row in self.root.of(Moves, "stock.move").lines(move["id"]):
                    self.on("stock.move.line").update(row["id"], {"lot_id": lot})

    def label(self, id_: int, draft: Row) -> None:
        """Write carrier and tracking number on a transfer."""
        vals: Row = {}
        if draft.get("tracking"):
            vals["carrier_tracking_ref"] = draft["tracking"]
        if draft.get("carrier"):
            known = self.rows("delivery.carrier", name=draft["carrier"])
            carriers = self.on("delivery.carrier")
            vals["carrier_id"] = (
                known[0]["id"] if known else carriers.insert({"name": draft["carrier"]})
            )
        if vals:
            self.on("stock.picking").update(id_, vals)

    def return_order(self, id_: int, draft: Row) -> Made:
        """Bring goods of an order's last delivery back."""
        done = self.rows("stock.picking", sale_id=id_, return_id=False, state="done")
        if not done:
            raise WrongDraftError("nothing of this order was shipped")
        return self.return_shipment(int(draft.get("shipment") or done[-1]["id"]), draft)

    def return_shipment(self, id_: int, draft: Row) -> Made:
        """Bring goods of a delivery back; with ``receive`` false they are only expected."""
        wizards = self.on(
            "stock.return.picking", active_model="stock.picking", active_id=id_, active_ids=[id_]
        )
        (wizard,) = wizards.create([{}])
        rows = self.rows("stock.return.picking.line", wizard_id=wizard)
        lines, moves = self.on("stock.return.picking.line"), self.on("stock.move")
        shipped = [moves.row(row["move_id"]) for row in rows]
        wanted = self.lines(draft)
        plan = dict(self.spread(shipped, wanted) if wanted else self.everything(shipped))
        for row in rows:
            back = plan.get(row["move_id"], 0.0)
            if back > moves.row(row["move_id"])["product_uom_qty"]:
                raise WrongDraftError("more than was shipped")
            vals = {"quantity": back, "to_refund": draft.get("refund", True)}
            lines.update(row["id"], vals)
        made = wizards.of(Returns, "stock.return.picking", [wizard]).action_create_returns()
        if draft.get("receive", True):
            self.ship(made["res_id"], {})
        return "stock.picking", made["res_id"]

    # Invoices, payments, credit notes.

    def invoice_order(self, id_: int, draft: Row) -> Made:
        """Bill what is to invoice, all of it or some lines, and post unless told otherwise."""
        wizards = self.on("sale.advance.payment.inv")
        values = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [id_]]]}
        (wizard,) = wizards.create([values])
        made = wizards.of(Billing, "sale.advance.payment.inv", [wizard]).create_invoices()
        return self.finished(int(made["res_id"]), draft)

    def finished(self, id_: int, draft: Row) -> Made:
        """Cut a draft down to what is wanted, date and post it."""
        entries = self.root.of(Entries, "account.move", [id_])
        wanted = {self.item(line["sku"]): line["quantity"] for line in self.lines(draft)}
        commands: list[Any] = []
        for row in entries.lines(id_, "product") if wanted else ():
            kept = wanted.pop(row.get("product_id") or 0, None)
            commands.append(
                [2, row["id"], 0] if kept is None else [1, row["id"], {"quantity": kept}]
            )
        if wanted:
            raise WrongDraftError("a SKU is not on this document")
        if draft.get("amount") is not None:
            amount = money(draft["amount"])
            gone = [[2, row["id"], 0] for row in entries.lines(id_, "product")]
            commands = [*gone, [0, 0, {"name": "Allowance", "price_unit": amount, "tax_ids": []}]]
        if commands:
            entries.update(id_, {"invoice_line_ids": commands})
        if draft.get("date"):
            entries.update(id_, {"invoice_date": draft["date"]})
        if draft.get("post", True):
            entries.action_post()
        return "account.move", id_

    def invoices(self, order: int) -> list[Row]:
        """An order's posted invoices."""
        ids = self.on("sale.order").value(self.on("sale.order").row(order), "invoice_ids")
        rows = [self.on("account.move").row(id_) for id_ in ids]
        wanted = ("out_invoice", "posted")
        return [row for row in rows if (row["move_type"], row["state"]) == wanted]

    def pay_order(self, id_: int, draft: Row) -> Made:
        """Pay the first invoice of an order that is due."""
        due = [row for row in self.invoices(id_) if row["amount_residual"]]
        if not due:
            raise WrongDraftError("no invoice of this order is due")
        return self.pay(due[0]["id"], draft)

    def pay(self, moves: int | Sequence[int], draft: Row) -> Made:
        """Register one payment of a document or several: all that is due, or an amount."""
        ids = [moves] if isinstance(moves, int) else list(moves)
        wizards = self.on("account.payment.register", active_model="account.move", active_ids=ids)
        names = {"reference": "communication", "date": "payment_date"}
        vals: Row = {name: draft[key] for key, name in names.items() if draft.get(key)}
        vals["group_payment"] = True
        if draft.get("amount") is not None:
            vals["amount"] = money(draft["amount"])
        (wizard,) = wizards.create([vals])
        register = wizards.of(Register, "account.payment.register", [wizard])
        made = register.action_create_payments()
        return "account.payment", int(made["res_id"] if isinstance(made, dict) else 0)

    def credit_order(self, id_: int, draft: Row) -> Made:
        """Credit an order's last invoice."""
        posted = self.invoices(id_)
        if not posted:
            raise WrongDraftError("no invoice of this order is posted")
        return self.credit(posted[-1]["id"], draft)

    def credit(self, id_: int, draft: Row) -> Made:
        """Credit an invoice: all of it, some lines, or an amount without tax."""
        journal = self.on("account.move").row(id_)["journal_id"]
        vals = {"move_ids": [[6, 0, [id_]]], "journal_id": journal}
        vals |= {"reason": draft["reason"]} if draft.get("reason") else {}
        wizards = self.on("account.move.reversal")
        (wizard,) = wizards.create([vals])
        made = wizards.of(Reversals, "account.move.reversal", [wizard]).refund_moves()
        return self.finished(made["res_id"], draft)

    def match_payment(self, id_: int, _: Row) -> Made:
        """The bank statement shows a payment."""
        payments = self.root.of(Payments, "account.payment")
        self.txn.change("account.payment", id_, {"is_matched": True})
        payments.changed([id_])
        self.on("account.move").changed(payments.invoices(payments.row(id_)))
        return "account.payment", id_

    def block_invoice(self, id_: int, _: Row) -> Made:
        """Hold an invoice's payment, or stop holding it."""
        entries = self.on("account.move")
        self.txn.change("account.move", id_, {"blocked": not entries.row(id_).get("blocked")})
        entries.changed([id_])
        return "account.move", id_

    # Anything else.

    def edit_order(self, id_: int, draft: Row) -> Made:
        """Change an order's fields, and its lines by SKU; a SKU it has not is added."""
        own = self.root.of(SaleOrders, "sale.order").lines(id_)
        commands = []
        for line in draft.get("lines", ()):
            product = self.item(line["sku"])
            names = {"quantity": "product_uom_qty", "price": "price_unit"}
            vals = {names[key]: money(line[key]) for key in names if key in line}
            known = [row["id"] for row in own if row.get("product_id") == product]
            new = [0, 0, {"product_id": product} | vals]
            commands.append([1, known[0], vals] if known else new)
        vals = {key: value for key, value in draft.items() if key != "lines"}
        self.on("sale.order").update(id_, vals | ({"order_line": commands} if commands else {}))
        return "sale.order", id_

    def edit(self, model: str) -> Callable[[int, Row], Made]:
        """Write fields of a model, as the vendor names them."""

        def act(id_: int, draft: Row) -> Made:
            self.on(model).update(id_, draft)
            return model, id_

        return act

    def set(self, model: str, **vals: Any) -> Callable[[int, Row], Made]:
        """Write these fields."""
        return lambda id_, _: self.edit(model)(id_, vals)

    def call(self, model: str, method: str) -> Callable[[int, Row], Made]:
        """Press a button."""

        def act(id_: int, _: Row) -> Made:
            getattr(self.on(model, [id_]), method)()
            return model, id_

        return act

    def delete(self, model: str) -> Callable[[int, Row], Made]:
        """Delete a record, where the vendor lets people."""

        def act(id_: int, _: Row) -> Made:
            self.on(model).before_unlink(self.on(model).row(id_))
            self.on(model).drop(id_)
            return model, id_

        return act

    def purge_order(self, id_: int, _: Row) -> Made:
        """Delete an order, whatever its state."""
        self.on("sale.order").drop(id_)
        return "sale.order", id_

    # Items.

    def item(self, sku: str) -> int:
        """The product of a SKU."""
        found = self.rows("product.product", default_code=sku)
        if not found:
            raise WrongDraftError(f"there is no product {sku!r}")
        return int(found[0]["id"])

    def stock(self, id_: int, draft: Row) -> Made:
        """Count a product: in the first warehouse's stock, or a place named by its path."""
        place, lot = self.place(draft.get("location")), self.lot(id_, draft)
        return "stock.quant", set_stock(self.txn, id_, place, money(draft["quantity"]), lot)

    def place(self, path: Any) -> int:
        """The place of a path; without one the first warehouse's stock."""
        if not path:
            return int(next(self.txn.rows("stock.warehouse"))["lot_stock_id"])
        known = {row["complete_name"]: row["id"] for row in self.txn.rows("stock.location")}
        if path not in known:
            raise WrongDraftError(f"there is no place {path!r}")
        return int(known[path])

    def lot(self, product: int, draft: Row) -> Any:
        """The lot a draft names, made if there is none of that name; with its days."""
        if not draft.get("lot"):
            return False
        known = self.rows("stock.lot", name=draft["lot"], product_id=product)
        values = {"name": draft["lot"], "product_id": product}
        lot = known[0]["id"] if known else self.on("stock.lot").insert(values)
        names = {"best_before": "use_date", "expires": "expiration_date"}
        self.on("stock.lot").update(lot, {names[key]: draft[key] for key in names if key in draft})
        return lot

    def scatter(self, id_: int, _: Row) -> Made:
        """What confirmations at once leave behind: reservations on a quant row of their own."""
        for row in self.rows("stock.quant", product_id=id_):
            if row["reserved_quantity"]:
                names = ("product_id", "location_id", "lot_id")
                quants = self.root.of(Quants, "stock.quant")
                made = quants.insert({name: row.get(name, False) for name in names})
                moved = {"reserved_quantity": row["reserved_quantity"]}
                self.txn.change("stock.quant", made, moved)
                self.txn.change("stock.quant", row["id"], {"reserved_quantity": 0.0})
                return "stock.quant", made
        raise WrongDraftError("nothing of this product is reserved")

    def price(self, id_: int, draft: Row) -> Made:
        """Change the list price, or a product's price in a price list."""
        amount = money(draft["price"])
        if not draft.get("pricelist"):
            template = self.on("product.product").row(id_)["product_tmpl_id"]
            self.on("product.template").update(template, {"list_price": amount})
            return "product.product", id_
        lists = self.rows("product.pricelist", name=draft["pricelist"])
        if not lists:
            raise WrongDraftError(f"there is no price list {draft['pricelist']!r}")
        least = money(draft.get("min_quantity", 0))
        keys = {
            "pricelist_id": lists[0]["id"],
            "product_id": id_,
            "applied_on": "0_product_variant",
        }
        names = {"valid_from": "date_start", "valid_to": "date_end"}
        days = {name: draft.get(key) or False for key, name in names.items()}
        items = self.on("product.pricelist.item")
        known = [
            row
            for row in self.rows("product.pricelist.item", **keys, **days)
            if row.get("min_quantity", 0.0) == least
        ]
        if known:
            items.update(known[0]["id"], {"fixed_price": amount})
            return "product.pricelist.item", int(known[0]["id"])
        more = {"min_quantity": least, "fixed_price": amount}
        return "product.pricelist.item", items.insert(keys | days | more)

    def lines(self, draft: Row) -> list[Row]:
        """The lines of a draft: SKU, quantity in the product's unit, perhaps a lot."""
        lines = draft.get("lines") or []
        if not is_list(lines) or not all(isinstance(line, dict) for line in lines):
            raise WrongDraftError("lines is a list of objects")
        for line in lines:
            if not {"sku", "quantity"} <= line.keys() <= {"sku", "quantity", "lot"}:
                raise WrongDraftError("a line has sku, quantity and perhaps lot")
        return [{**line, "quantity": money(line["quantity"])} for line in lines]


def money(value: Any) -> float:
    """An amount or quantity of a draft, text or number, as the vendor keeps it."""
    try:
        return float(Decimal(str(value)))
    except InvalidOperation as error:
        raise WrongDraftError(f"{value!r} is not a number") from error
