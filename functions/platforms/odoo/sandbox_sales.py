"""The rules of sales orders and their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from platforms.odoo.sandbox_catalog import Partners, PricelistItems, Units
from platforms.odoo.sandbox_records import CLASSES, COMPUTED, DEFAULTS, Records
from platforms.odoo.sandbox_stock import CLOSED, in_unit
from platforms.odoo.sandbox_store import OdooError, Row, later
from platforms.odoo.sandbox_taxes import Reckoning, count
from platforms.odoo.sandbox_transfers import Pickings, Procurement, is_return

PROTECTED = {"product_id", "name", "price_unit", "product_uom_id", "product_uom_qty", "tax_ids"}
PROTECTED |= {"discount"}
DEFAULTS.update(
    {
        "sale.order": {"state": "draft", "locked": False},
        "sale.order.line": {"sequence": 10, "customer_lead": 0.0, "product_uom_qty": 1.0},
    }
)


class SaleOrders(Records):
    """``sale.order``: states and totals."""

    def action_confirm(self) -> bool:
        """Confirm; the order date becomes the time of confirmation."""
        for id_ in self.ids:
            if self.row(id_)["state"] not in ("draft", "sent"):
                text = "Some orders are not in a state requiring confirmation."
                raise OdooError("UserError", text)
            lines = [line for line in self.lines(id_) if not line.get("display_type")]
            if not all(line.get("product_id") or line.get("is_downpayment") for line in lines):
                text = "Some order lines are missing a product, you need to correct them before"
                raise OdooError("UserError", f"{text} going further.")
        self.turn({"state": "sale", "date_order": self.txn.now}, "action_confirm")
        procurement = Procurement(self)
        for line in [line for id_ in self.ids for line in self.lines(id_)]:
            procurement.adjust(line, max(procurement.missing(line), 0.0))
        self.changed(self.ids)
        return True

    def action_cancel(self) -> bool:
        """Cancel, whatever was shipped; only a lock prevents it."""
        if any(self.row(id_).get("locked") for id_ in self.ids):
            text = "You cannot cancel a locked order. Please unlock it first."
            raise OdooError("UserError", text)
        self.turn({"state": "cancel"}, "action_cancel")
        pickings = self.of(Pickings, "stock.picking")
        for row in [row for id_ in self.ids for row in self.transfers(id_)]:
            if row["state"] not in CLOSED:
                pickings.cancel_moves(pickings.moves(row["id"]))
                pickings.turn(row, {"state": "cancel"})
        for move in {move for id_ in self.ids for move in self.invoices(id_)}:
            if self.on("account.move").row(move)["state"] == "draft":
                self.txn.change("account.move", move, {"state": "cancel"})
        self.changed(self.ids)
        return True

    def action_draft(self) -> bool:
        """Back to a quotation, from cancelled or sent."""
        ids = [id_ for id_ in self.ids if self.row(id_)["state"] in ("cancel", "sent")]
        return self.of(SaleOrders, self.model, ids).turn({"state": "draft"}, "action_draft")

    def action_lock(self) -> None:
        """Lock; the method returns nothing, as the vendor's does."""
        self.turn({"locked": True}, "action_lock")

    def action_unlock(self) -> None:
        """Unlock; the method returns nothing, as the vendor's does."""
        self.turn({"locked": False}, "action_unlock")

    def turn(self, values: Row, method: str) -> bool:
        """Set values on all orders and recompute them."""
        for id_ in self.ids:
            self.row(id_)
            self.txn.put(self.model, id_, values | self.txn.stamp)
        self.changed(self.ids)
        self.counted(method)
        return True

    def complete(self, values: Row) -> None:
        """Default what follows from the customer, the caller and the clock."""
        super().complete(values)
        partner = values.get("partner_id")
        if partner:
            partners = self.of(Partners, "res.partner")
            values.setdefault("partner_invoice_id", partners.address(partner, "invoice"))
            values.setdefault("partner_shipping_id", partners.address(partner, "delivery"))
            row = partners.row(partner)
            values.setdefault("pricelist_id", row.get("property_product_pricelist", False))
            values.setdefault("payment_term_id", row.get("property_payment_term_id", False))
        values.setdefault("date_order", self.txn.now)
        values.setdefault("validity_date", later(self.txn.today, 30))
        values.setdefault("user_id", self.user.uid)
        for name in ("company_id", "warehouse_id", "team_id"):
            first = next(self.txn.rows(self.fields[name]["relation"]))
            values.setdefault(name, first["id"])
        if not values.get("name"):
            values["name"] = f"S{next(self.txn.store.numbers['sale.order/name']):05}"

    def before_update(self, row: Row, values: Row) -> None:
        """A confirmed order keeps its pricelist."""
        moved = values.get("pricelist_id", row.get("pricelist_id")) != row.get("pricelist_id")
        if row["state"] == "sale" and moved:
            text = "You cannot change the pricelist of a confirmed order !"
            raise OdooError("UserError", text)

    def before_unlink(self, row: Row) -> None:
        """Only quotations and cancelled orders can go."""
        if row["state"] not in ("draft", "cancel"):
            text = "You can not delete a sent quotation or a confirmed sales order. "
            raise OdooError("UserError", f"{text}You must first cancel it.")

    def lines(self, id_: int) -> list[Row]:
        """The order's lines."""
        return self.txn.where("sale.order.line", "order_id", id_)

    def transfers(self, id_: int) -> list[Row]:
        """The order's deliveries and returns."""
        return self.txn.where("stock.picking", "sale_id", id_)

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute progress, totals and statuses; only a real change moves ``write_date``."""
        lines = self.of(SaleOrderLines, "sale.order.line")
        for id_ in ids:
            row = self.row(id_)
            for line in self.lines(id_):
                self.txn.change(lines.model, line["id"], lines.progress(line, row))
            own = self.lines(id_)
            self.txn.change(self.model, id_, self.totals(row, own) | self.statuses(row, own))
            # Not a column of the vendor's: it moves no ``write_date``.
            invoices = self.invoices(id_)
            if invoices != row.get("invoice_ids", []):
                self.txn.put(self.model, id_, {"invoice_ids": invoices})

    def invoices(self, id_: int) -> list[int]:
        """The documents that bill the order's lines."""
        billed = (
            line["move_id"]
            for own in self.lines(id_)
            for line in self.txn.where("account.move.line", "sale_line_ids", own["id"])
        )
        return sorted(set(billed))

    def reckoning(self, order: Row) -> Reckoning:
        """The arithmetic of the order's currency and company."""
        return Reckoning(self, self.value(order, "currency_id"), order["company_id"])

    def totals(self, order: Row, lines: list[Row]) -> Row:
        """The order's amounts."""
        reckoning = self.reckoning(order)
        parts = [reckoning.line(line, line["product_uom_qty"]) for line in lines]
        return reckoning.totals(parts).values()

    def statuses(self, order: Row, lines: list[Row]) -> Row:
        """Invoice and delivery status, and when goods first left."""
        pickings = self.transfers(order["id"])
        done = [row for row in pickings if row["state"] == "done" and not row.get("return_id")]
        return {
            "invoice_status": _invoice_status(order, lines),
            "delivery_status": _delivery_status(pickings, lines),
            "effective_date": min((row["date_done"] for row in done), default=False),
        }


class SaleOrderLines(Records):
    """``sale.order.line``: prices and what may still change."""

    def complete(self, values: Row) -> None:
        """Default what follows from the product; what was given, even if empty, stays."""
        # The vendor prices such a line itself and forgets the mark of a manual price.
        if "price_unit" not in values:
            values.pop("technical_price_unit", None)
        if values.get("display_type"):
            values["product_uom_qty"] = 0.0
        super().complete(values)
        self.fill(values, values)
        values.setdefault("price_unit", 0.0)

    def fill(self, values: Row, row: Row) -> None:
        """Take over from the product what the values do not give; ``row`` is the line so far."""
        product = self.txn.get("product.product", values.get("product_id"))
        if product:
            products = self.on("product.product")
            values.setdefault("name", products.value(product, "display_name"))
            values.setdefault("product_uom_id", product["uom_id"])
            values.setdefault("tax_ids", list(product.get("taxes_id", ())))
            if "price_unit" not in values:
                values["price_unit"] = self.list_price({**row, **values})
        for name in ("product_uom_qty", "discount"):
            if name in values:
                values[name] = count(values[name])

    def list_price(self, line: Row) -> float:
        """The price for one of the line's unit: the price list's, else the product's."""
        product = self.on("product.product").row(line["product_id"])
        units = self.of(Units, "uom.uom")
        order = self.txn.get("sale.order", line.get("order_id")) or {}
        ratio = units.ratio(line.get("product_uom_id"), product["uom_id"])
        items = self.of(PricelistItems, "product.pricelist.item")
        quantity = count(line.get("product_uom_qty", 1.0) * ratio)
        price = items.price(order.get("pricelist_id"), product, quantity)
        return float((product.get("list_price", 0.0) if price is None else price) * ratio)

    def before_update(self, row: Row, values: Row) -> None:
        """Guard confirmed and locked orders; reset the price as the vendor does."""
        order = self.on("sale.order").row(row["order_id"])
        if order.get("locked") and PROTECTED & values.keys():
            names = "\n".join(self.fields[name]["string"] for name in PROTECTED & values.keys())
            text = "It is forbidden to modify the following fields in a locked order:\n"
            raise OdooError("UserError", text + names)
        if values.get("display_type", row.get("display_type")) != row.get("display_type"):
            raise OdooError("UserError", "You cannot change the type of a sale order line.")
        if "product_uom_qty" in values:
            self.check_delivered(row, values["product_uom_qty"])
        moved = values.get("product_id", row.get("product_id")) != row.get("product_id")
        if moved and order["state"] == "sale":
            raise OdooError("UserError", "You cannot modify the product of this order line.")
        if not moved:
            values.pop("product_id", None)
        manual = values.get("technical_price_unit", row.get("technical_price_unit", 0.0))
        price = values.get("price_unit", row["price_unit"])
        line = {**row, **values}
        repriced = {"product_uom_qty", "product_uom_id"} & values.keys()
        resets = repriced and line.get("product_id") and "price_unit" not in values
        if resets and (not manual or manual == price):
            values["price_unit"] = self.list_price(line)
        self.fill(values, row)

    def check_delivered(self, row: Row, wanted: float) -> None:
        """Refuse to order less than has left."""
        delivered = row.get("qty_delivered", 0.0)
        if Procurement(self).demanded(row) and wanted < min(row["product_uom_qty"], delivered):
            text = "The ordered quantity of a sale order line cannot be decreased below the amount "
            raise OdooError("UserError", f"{text}already delivered. Instead, create a return.")

    def before_unlink(self, row: Row) -> None:
        """A confirmed order keeps its lines."""
        order = self.on("sale.order").row(row["order_id"])
        if order["state"] == "sale" and not row.get("display_type"):
            text = "Once a sales order is confirmed, you can't remove one of its lines (we need to "
            rest = "track if something gets invoiced or delivered).\nSet the quantity to 0 instead."
            raise OdooError("UserError", text + rest)

    def drop(self, id_: int) -> None:
        """Delete and recompute the order."""
        order = self.row(id_)["order_id"]
        super().drop(id_)
        self.on("sale.order").changed([order])

    def check(self, row: Row) -> None:
        """Texts carry no product and no money; products need a unit."""
        super().check(row)
        constraint = ""
        if row.get("display_type"):
            if row.get("product_id") or row["price_unit"] or row["product_uom_qty"]:
                constraint = "Forbidden values on non-accountable sale order line"
        elif row.get("product_id") and not row.get("product_uom_id"):
            constraint = "Missing required fields on accountable sale order line."
        if constraint:
            text = f"The operation cannot be completed: {constraint}"
            raise OdooError("ValidationError", text)

    def insert(self, vals: Row, key: Any = None) -> int:
        """Add a line; goods of a confirmed order go to the warehouse."""
        id_ = super().insert(vals, key)
        self.procure(id_, 0.0)
        return id_

    def update(self, id_: int, vals: Row) -> None:
        """Change a line; the open moves of a confirmed order follow its quantity."""
        before = Procurement(self).demanded(self.row(id_))
        super().update(id_, vals)
        self.procure(id_, before)

    def procure(self, id_: int, before: float) -> None:
        """Ask the warehouse for the difference, once the order is confirmed."""
        procurement, line = Procurement(self), self.row(id_)
        if self.on("sale.order").row(line["order_id"])["state"] == "sale":
            procurement.adjust(line, count(procurement.demanded(line) - before))
            self.changed([id_])

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute the lines' own amounts, then their orders."""
        orders = self.of(SaleOrders, "sale.order")
        touched: dict[int, None] = {}
        for id_ in ids:
            row = self.row(id_)
            reckoning = orders.reckoning(orders.row(row["order_id"]))
            part = reckoning.line(row, row["product_uom_qty"])
            subtotal, total = part.shown(reckoning.cent)
            # The vendor subtracts floats here: 51.82 - 43.55 is 8.270000000000003.
            amounts = {"price_subtotal": subtotal, "price_total": total}
            self.txn.put(self.model, id_, {**amounts, "price_tax": total - subtotal})
            touched[row["order_id"]] = None
        orders.changed(touched)

    def progress(self, row: Row, order: Row) -> Row:
        """What of a line was delivered and invoiced, and what is to invoice."""
        delivered, invoiced = self.delivered(row), self.invoiced(row)
        product = self.txn.get("product.product", row.get("product_id"))
        by_delivery = product is not None and product["invoice_policy"] == "delivery"
        billable = delivered if by_delivery else row["product_uom_qty"]
        sold = order["state"] == "sale" and not row.get("display_type")
        owed = count(billable - invoiced) if sold else 0.0
        status = _line_status(row["product_uom_qty"], owed, delivered, invoiced) if sold else "no"
        return {
            "qty_delivered": delivered,
            "qty_invoiced": invoiced,
            "qty_to_invoice": owed,
            "invoice_status": status,
        }

    def delivered(self, row: Row) -> float:
        """What left and did not come back, in the line's unit; by hand where nothing moves."""
        moves = self.txn.where("stock.move", "sale_line_id", row["id"])
        total = 0.0 if moves else float(row.get("qty_delivered", 0.0))
        for move in moves:
            if move["state"] == "done" and not (is_return(move) and not move.get("to_refund")):
                moved = -move["product_uom_qty"] if is_return(move) else move["product_uom_qty"]
                total += in_unit(self, moved, move["product_uom"], row.get("product_uom_id"))
        return count(total)

    def invoiced(self, row: Row) -> float:
        """What stands on invoices, drafts too, less what stands on credit notes."""
        total = 0.0
        for line in self.txn.where("account.move.line", "sale_line_ids", row["id"]):
            move = self.on("account.move").row(line["move_id"])
            sign = {"out_invoice": 1, "out_refund": -1}.get(move["move_type"], 0)
            if move["state"] != "cancel":
                units = (line.get("product_uom_id"), row.get("product_uom_id"))
                total += sign * in_unit(self, line["quantity"], *units)
        return count(total)


def _line_status(ordered: float, owed: float, delivered: float, invoiced: float) -> str:
    if owed:
        return "to invoice"
    if 0 <= ordered < delivered:
        return "upselling"
    return "invoiced" if invoiced >= ordered else "no"


def _invoice_status(order: Row, lines: list[Row]) -> str:
    told = {
        line["invoice_status"]
        for line in lines
        if not line.get("display_type") and not line.get("is_downpayment")
    }
    if order["state"] != "sale" or not told:
        return "no"
    if "to invoice" in told:
        return "to invoice"
    if told == {"invoiced"}:
        return "invoiced"
    return "upselling" if told <= {"invoiced", "upselling"} else "no"


def _delivery_status(pickings: list[Row], lines: list[Row]) -> str | bool:
    states = {row["state"] for row in pickings}
    if states <= {"cancel"}:
        return False
    if states <= {"done", "cancel"}:
        return "full"
    if "done" not in states:
        return "pending"
    return "partial" if any(line.get("qty_delivered") for line in lines) else "started"


def _order_currency(orders: Records, row: Row) -> int:
    pricelist = orders.txn.get("product.pricelist", row.get("pricelist_id"))
    source = pricelist or orders.on("res.company").row(row["company_id"])
    return int(source["currency_id"])


def _twins(orders: Records, row: Row) -> list[int]:
    names = ("partner_id", "client_order_ref")
    return [
        other["id"]
        for other in orders.txn.rows("sale.order")
        if row.get("client_order_ref")
        and other["id"] != row["id"]
        and other["state"] != "cancel"
        and all(other.get(name) == row.get(name) for name in names)
    ]


def _of_order(name: str) -> Callable[[Records, Row], Any]:
    def value(lines: Records, row: Row) -> Any:
        orders = lines.on("sale.order")
        return orders.value(orders.row(row["order_id"]), name)

    return value


def _line_name(lines: Records, row: Row) -> str:
    order = lines.on("sale.order").row(row["order_id"])
    ref = lines.on("res.partner").row(order["partner_id"]).get("ref")
    name = str(row.get("name") or "").partition("\n")[0]
    return f"{order['name']} - {name}" + (f" ({ref})" if ref else "")


def _invoice_lines(lines: Records, row: Row) -> list[int]:
    return [line["id"] for line in lines.txn.where("account.move.line", "sale_line_ids", row["id"])]


COMPUTED.update(
    {
        ("sale.order", "currency_id"): _order_currency,
        ("sale.order", "currency_rate"): lambda _, __: 1.0,
        ("sale.order", "duplicated_order_ids"): _twins,
        ("sale.order.line", "display_name"): _line_name,
        ("sale.order.line", "invoice_lines"): _invoice_lines,
        ("sale.order.line", "state"): _of_order("state"),
        ("sale.order.line", "currency_id"): _of_order("currency_id"),
        ("sale.order.line", "order_partner_id"): _of_order("partner_id"),
    }
)
CLASSES.update({"sale.order": SaleOrders, "sale.order.line": SaleOrderLines})
