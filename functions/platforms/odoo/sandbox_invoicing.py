"""The wizard that bills orders: what is to invoice, or a down payment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from platforms.odoo.sandbox_accounting import Entries
from platforms.odoo.sandbox_records import CLASSES, DEFAULTS, Records
from platforms.odoo.sandbox_sales import SaleOrders
from platforms.odoo.sandbox_store import OdooError, Row, listed
from platforms.odoo.sandbox_taxes import exact, rounded

DEFAULTS["sale.advance.payment.inv"] = {
    "advance_payment_method": "delivered",
    "deduct_down_payments": True,
    "consolidated_billing": True,
}
NOTHING = "Cannot create an invoice. No items are available to invoice."


class Billing(Records):
    """``sale.advance.payment.inv``."""

    def complete(self, values: Row) -> None:
        """Start from the orders the context names."""
        super().complete(values)
        if self.context.get("active_model") == "sale.order":
            values.setdefault("sale_order_ids", listed(self.context.get("active_ids")))

    def create_invoices(self) -> Row:
        """Make draft invoices; one for all orders of a customer unless told otherwise."""
        made: list[int] = []
        for id_ in self.ids:
            row = self.row(id_)
            orders = [self.on("sale.order").row(order) for order in row.get("sale_order_ids", ())]
            if row["advance_payment_method"] == "delivered":
                made += self.regular(row, orders)
            else:
                made += [self.down_payment(row, order) for order in orders]
        if not made:
            raise OdooError("UserError", NOTHING)
        self.counted("create_invoices")
        answer: Row = {
            "display_name": "Invoices",
            "type": "ir.actions.act_window",
            "xml_id": "account.action_move_out_invoice_type",
            "res_model": "account.move",
            "id": 261,
        }
        if len(made) == 1:
            views = [[742, "form"], [736, "list"], [False, "kanban"], [False, "activity"]]
            return answer | {"views": views, "res_id": made[0]}
        return answer | {"res_id": 0, "domain": [["id", "in", made]]}

    def regular(self, row: Row, orders: list[Row]) -> list[int]:
        """Invoices over what is to invoice now."""
        groups: dict[Any, list[tuple[Row, list[Row]]]] = {}
        for order in orders:
            lines = self.billable(order, bool(row.get("deduct_down_payments")))
            if not lines:
                continue
            currency = self.on("sale.order").value(order, "currency_id")
            one = order["id"] if not row.get("consolidated_billing") else None
            key = (order["partner_invoice_id"], currency, one)
            groups.setdefault(key, []).append((order, lines))
        return [self.invoice(group) for group in groups.values()]

    def billable(self, order: Row, deducts: bool) -> list[Row]:
        """The lines to invoice with their sections and notes; down payments last."""
        found: list[Row] = []
        section: list[Row] = []
        paid: list[Row] = []
        lines = self.of(SaleOrders, "sale.order").lines(order["id"])
        lines.sort(key=lambda line: (line["sequence"], line["id"]))
        for line in lines:
            kind, owed = line.get("display_type"), line.get("qty_to_invoice", 0.0)
            if kind in ("line_section", "line_subsection"):
                section = [line]
            elif line.get("is_downpayment"):
                paid += [line] if owed and deducts else []
            elif owed or kind == "line_note":
                found += [*section, line]
                section = []
        has_goods = any(not line.get("display_type") for line in found)
        return [*found, *paid] if has_goods else []

    def invoice(self, group: list[tuple[Row, list[Row]]]) -> int:
        """One draft over orders of one customer."""
        lines = [billed(self, line) for _, lines in group for line in lines]
        return self.draft([order for order, _ in group], lines)

    def draft(self, orders: list[Row], lines: list[Row]) -> int:
        """A draft invoice that names its orders."""
        first, entries = orders[0], self.on("account.move")
        refs = [order["client_order_ref"] for order in orders if order.get("client_order_ref")]
        id_ = entries.insert(
            {
                "move_type": "out_invoice",
                "partner_id": first["partner_invoice_id"],
                "partner_shipping_id": first["partner_shipping_id"],
                "currency_id": self.on("sale.order").value(first, "currency_id"),
                "invoice_payment_term_id": first.get("payment_term_id", False),
                "invoice_user_id": first.get("user_id", False),
                "invoice_origin": ", ".join(order["name"] for order in orders),
                "ref": ", ".join(dict.fromkeys(refs)) or False,
                "narration": first.get("note", False),
                "invoice_line_ids": [[0, 0, line] for line in lines],
            }
        )
        if entries.row(id_)["amount_total"] < 0:
            self.switch(id_)
        return id_

    def switch(self, id_: int) -> None:
        """More goes back than was sold: the vendor makes a credit note of it."""
        entries = self.of(Entries, "account.move")
        self.txn.change("account.move", id_, {"move_type": "out_refund"})
        entries.update(
            id_,
            {
                "invoice_line_ids": [
                    [1, line["id"], {"quantity": -line["quantity"]}]
                    for line in entries.lines(id_, "product")
                ]
            },
        )

    def down_payment(self, row: Row, order: Row) -> int:
        """A draft over a part of an order, and the order's line that remembers it."""
        lines = self.on("sale.order.line")
        share = self.share(row, order)
        if not share:
            raise OdooError("UserError", "The value of the down payment amount must be positive.")
        if not any(line.get("is_downpayment") for line in self.sold(order)):
            section = {"display_type": "line_section", "name": "Down Payments"}
            lines.insert(section | {"order_id": order["id"], "is_downpayment": True})
        billed_lines = []
        for taxes, amount in self.by_taxes(order).items():
            price = float(rounded(amount * share, Decimal("0.01")))
            values = {"name": "Down Payment", "price_unit": price, "tax_ids": [[6, 0, list(taxes)]]}
            kept = {"order_id": order["id"], "product_uom_qty": 0.0, "is_downpayment": True}
            id_ = lines.insert(values | kept)
            extra = {"quantity": 1.0, "is_downpayment": True, "sale_line_ids": [id_]}
            billed_lines.append(values | extra)
        return self.draft([order], billed_lines)

    def share(self, row: Row, order: Row) -> Decimal:
        """Which part of the order is asked for."""
        total = exact(order["amount_total"])
        if row["advance_payment_method"] == "percentage":
            return exact(row.get("amount", 0.0)) / 100
        return exact(row.get("fixed_amount", 0.0)) / total if total else Decimal(0)

    def sold(self, order: Row) -> list[Row]:
        """The order's lines."""
        return self.of(SaleOrders, "sale.order").lines(order["id"])

    def by_taxes(self, order: Row) -> dict[tuple[int, ...], Decimal]:
        """The order's untaxed amount by what taxes it bears."""
        sums: dict[tuple[int, ...], Decimal] = {}
        for line in self.sold(order):
            if not line.get("display_type") and not line.get("is_downpayment"):
                key = tuple(line.get("tax_ids", ()))
                sums[key] = sums.get(key, Decimal(0)) + exact(line["price_subtotal"])
        return {key: amount for key, amount in sums.items() if amount}


def billed(records: Records, line: Row) -> Row:
    """An invoice line over what of an order line is to invoice."""
    if line.get("display_type"):
        return {"display_type": line["display_type"], "name": line["name"], "sequence": 10}
    label = records.on("product.product").label(line.get("product_id"))
    name = line["name"] if line["name"].startswith(label) else f"{label}\n{line['name']}"
    names = ("product_id", "product_uom_id", "price_unit", "discount", "is_downpayment")
    return {key: line.get(key, False) for key in names if key in line} | {
        "name": name,
        "quantity": line["qty_to_invoice"],
        "tax_ids": list(line.get("tax_ids", ())),
        "sale_line_ids": [line["id"]],
    }


CLASSES["sale.advance.payment.inv"] = Billing
