"""The rules of the sandbox's models: partners, units, products, and above all sales orders."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.odoo.sandbox_records import CLASSES, COMPUTED, Records
from platforms.odoo.sandbox_store import DAY, OdooError, Row

PROTECTED = {"product_id", "name", "price_unit", "product_uom_id", "product_uom_qty", "tax_ids"}
PROTECTED |= {"discount"}


class Users(Records):
    """``res.users``: the cheapest self-test of a key."""

    def context_get(self) -> Row:
        """Language, time zone and id of the caller."""
        return {"lang": "en_US", "tz": self.user.tz or False, "uid": self.user.uid}


class Partners(Records):
    """``res.partner``."""

    def check(self, row: Row) -> None:
        """Only addresses may be without a name."""
        super().check(row)
        if row.get("type") == "contact" and not row.get("name"):
            text = "The operation cannot be completed: Contacts require a name"
            raise OdooError("ValidationError", text)

    def address(self, id_: int, kind: str) -> int:
        """The first address of a kind below a partner, or the partner."""
        rows = self.txn.rows(self.model)
        fit = (r["id"] for r in rows if r.get("parent_id") == id_ and r["type"] == kind)
        return next(fit, id_)


class Units(Records):
    """``uom.uom``: a tree of units; the factor counts in the root."""

    def complete(self, values: Row) -> None:
        """Compute the factor from the unit this one is relative to."""
        super().complete(values)
        parent = self.txn.get(self.model, values.get("relative_uom_id"))
        values["factor"] = values["relative_factor"] * (parent["factor"] if parent else 1.0)


class Products(Records):
    """``product.product`` with its template."""

    def complete(self, values: Row) -> None:
        """Give the variant a template."""
        super().complete(values)
        shared = {key: values.get(key, False) for key in ("name", "default_code", "list_price")}
        values.setdefault("product_tmpl_id", self.on("product.template").insert(shared))


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
        return self.turn({"state": "sale", "date_order": self.txn.now}, "action_confirm")

    def action_cancel(self) -> bool:
        """Cancel, whatever was shipped; only a lock prevents it."""
        if any(self.row(id_).get("locked") for id_ in self.ids):
            text = "You cannot cancel a locked order. Please unlock it first."
            raise OdooError("UserError", text)
        return self.turn({"state": "cancel", "open_picking": False}, "action_cancel")

    def action_draft(self) -> bool:
        """Back to a quotation, from cancelled or sent."""
        ids = [id_ for id_ in self.ids if self.row(id_)["state"] in ("cancel", "sent")]
        orders = SaleOrders(self.txn, self.user, self.model, ids, self.context)
        return orders.turn({"state": "draft"}, "action_draft")

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
            self.txn.put(self.model, id_, {**values, "write_date": self.txn.now})
        self.changed(self.ids)
        self.txn.counts[f"{self.model}/{method}"] += len(self.ids)
        return True

    def complete(self, values: Row) -> None:
        """Default what follows from the customer, the caller and the clock."""
        super().complete(values)
        partner = values.get("partner_id")
        if partner:
            partners = Partners(self.txn, self.user, "res.partner", (), self.context)
            values.setdefault("partner_invoice_id", partners.address(partner, "invoice"))
            values.setdefault("partner_shipping_id", partners.address(partner, "delivery"))
            row = partners.row(partner)
            values.setdefault("pricelist_id", row.get("property_product_pricelist", False))
            values.setdefault("payment_term_id", row.get("property_payment_term_id", False))
        in_a_month = datetime.now(UTC) + timedelta(days=30)
        values.setdefault("date_order", self.txn.now)
        values.setdefault("validity_date", in_a_month.strftime(DAY))
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
        return [row for row in self.txn.rows("sale.order.line") if row.get("order_id") == id_]

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute totals and statuses; only a real change moves ``write_date``."""
        for id_ in ids:
            row, lines = self.row(id_), self.lines(id_)
            values = self.totals(row, lines) | self.statuses(row, lines)
            if any(row.get(name) != value for name, value in values.items()):
                self.txn.put(self.model, id_, {**values, "write_date": self.txn.now})

    def totals(self, order: Row, lines: list[Row]) -> Row:
        """Order totals: each tax over all lines, and the rest of the order, rounded once.

        Where the company rounds per line, the lines bring rounded amounts and nothing is left to
        round. Where prices hold every tax there is, the sum of the prices stands.
        """
        cent, parts = self.cent(order), [self.amounts(line, order) for line in lines]
        taxes: dict[int, Decimal] = defaultdict(Decimal)
        for id_, amount in itertools.chain.from_iterable(part.taxes.items() for part in parts):
            taxes[id_] += amount
        tax = sum((_cents(amount, cent) for amount in taxes.values()), Decimal(0))
        if any(part.adds_tax for part in parts):
            untaxed = _cents(sum((part.base for part in parts), Decimal(0)), cent)
        else:
            untaxed = _cents(sum((part.gross for part in parts), Decimal(0)), cent) - tax
        return {
            "amount_untaxed": float(untaxed),
            "amount_tax": float(tax),
            "amount_total": float(untaxed + tax),
        }

    def cent(self, order: Row) -> Decimal:
        """The smallest amount of the order's currency."""
        currencies = self.on("res.currency")
        currency = currencies.row(self.value(order, "currency_id"))
        return Decimal(1).scaleb(-int(currency["decimal_places"]))

    def amounts(self, line: Row, order: Row) -> Amounts:
        """A line's amounts, exact or, where the company rounds per line, each rounded in turn."""
        cent, company = self.cent(order), self.on("res.company").row(order["company_id"])
        per_line = company["tax_calculation_rounding_method"] == "round_per_line"

        def step(amount: Decimal) -> Decimal:
            return _cents(amount, cent) if per_line else amount

        factor = 1 - _decimal(line.get("discount", 0.0)) / 100
        gross = step(_decimal(line["price_unit"]) * factor * _decimal(line["product_uom_qty"]))
        rows = [self.on("account.tax").row(id_) for id_ in line.get("tax_ids", ())]
        rates: dict[bool, dict[int, Decimal]] = {True: {}, False: {}}
        for tax in rows:
            included = tax["price_include_override"] == "tax_included"
            rates[included][tax["id"]] = _decimal(tax["amount"]) / 100
        net = gross / (1 + sum(rates[True].values(), Decimal(0)))
        held = {id_: step(net * rate) for id_, rate in rates[True].items()}
        base = gross - sum(held.values(), Decimal(0))
        added = {id_: step(base * rate) for id_, rate in rates[False].items()}
        return Amounts(gross, base, held | added, adds_tax=bool(added))

    def statuses(self, order: Row, lines: list[Row]) -> Row:
        """Invoice and delivery status; goods of a confirmed order get one picking."""
        sold = order["state"] == "sale"
        products = [self.txn.get("product.product", line.get("product_id")) for line in lines]
        goods = any(product and product["type"] == "consu" for product in products)
        pickings, open_ = list(order.get("picking_ids", ())), order.get("open_picking", False)
        if sold and goods and not open_:
            open_ = next(self.txn.store.numbers["stock.picking"])
            pickings.append(open_)
        billable = any(line["product_uom_qty"] for line in lines)
        return {
            "invoice_status": "to invoice" if sold and billable else "no",
            "delivery_status": "pending" if sold and open_ else False,
            "picking_ids": pickings,
            "open_picking": open_,
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
                cut = _decimal(values[name]).quantize(Decimal("0.01"), ROUND_HALF_UP)
                values[name] = float(cut)

    def list_price(self, line: Row) -> float:
        """The product's price for one of the line's unit."""
        product, units = self.on("product.product").row(line["product_id"]), self.on("uom.uom")
        if not line.get("product_uom_id"):
            return float(product.get("list_price", 0.0))
        ratio = units.row(line["product_uom_id"])["factor"] / units.row(product["uom_id"])["factor"]
        return float(product.get("list_price", 0.0) * ratio)

    def before_update(self, row: Row, values: Row) -> None:
        """Guard confirmed and locked orders; reset the price as the vendor does."""
        order = self.on("sale.order").row(row["order_id"])
        if order.get("locked") and PROTECTED & values.keys():
            names = "\n".join(self.fields[name]["string"] for name in PROTECTED & values.keys())
            text = "It is forbidden to modify the following fields in a locked order:\n"
            raise OdooError("UserError", text + names)
        if values.get("display_type", row.get("display_type")) != row.get("display_type"):
            raise OdooError("UserError", "You cannot change the type of a sale order line.")
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

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute the lines' own amounts, then their orders."""
        orders = SaleOrders(self.txn, self.user, "sale.order", (), self.context)
        for id_ in ids:
            row = self.row(id_)
            order = orders.row(row["order_id"])
            cent, part = orders.cent(order), orders.amounts(row, order)
            untaxed = _cents(part.base, cent)
            tax = sum((_cents(amount, cent) for amount in part.taxes.values()), Decimal(0))
            subtotal, total = float(untaxed), float(untaxed + tax)
            # The vendor subtracts floats here: 51.82 - 43.55 is 8.270000000000003.
            amounts = {"price_subtotal": subtotal, "price_total": total}
            self.txn.put(self.model, id_, {**amounts, "price_tax": total - subtotal})
            orders.changed([row["order_id"]])


@dataclass(frozen=True)
class Amounts:
    """A line's money: ``gross`` as priced, ``base`` without the taxes the price holds."""

    gross: Decimal
    base: Decimal
    taxes: dict[int, Decimal]
    adds_tax: bool


def _cents(amount: Decimal, cent: Decimal) -> Decimal:
    return amount.quantize(cent, ROUND_HALF_UP)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _name(_: Records, row: Row) -> str:
    return str(row.get("name") or "")


def _partner_name(partners: Records, row: Row) -> str:
    own = row.get("name") or ("" if row["type"] == "contact" else f"{row['type'].title()} Address")
    parent = row.get("parent_id")
    return f"{partners.label(parent)}, {own}" if parent else str(own)


def _product_name(_: Records, row: Row) -> str:
    return f"[{row['default_code']}] {row['name']}" if row.get("default_code") else row["name"]


def _commercial_partner(partners: Records, row: Row) -> int:
    if row.get("is_company") or not row.get("parent_id"):
        return int(row["id"])
    return _commercial_partner(partners, partners.row(row["parent_id"]))


def _unit_path(units: Records, row: Row) -> str:
    above = row.get("relative_uom_id")
    return f"{_unit_path(units, units.row(above)) if above else ''}{row['id']}/"


def _order_currency(orders: Records, row: Row) -> int:
    pricelist = orders.txn.get("product.pricelist", row.get("pricelist_id"))
    source = pricelist or orders.on("res.company").row(row["company_id"])
    return int(source["currency_id"])


def _of_order(name: str) -> Callable[[Records, Row], Any]:
    def value(lines: Records, row: Row) -> Any:
        orders = lines.on("sale.order")
        return orders.value(orders.row(row["order_id"]), name)

    return value


def _line_to_invoice(lines: Records, row: Row) -> float:
    sold = _of_order("state")(lines, row) == "sale"
    product = lines.txn.get("product.product", row.get("product_id"))
    ordered = product is None or product["invoice_policy"] == "order"
    return float(row["product_uom_qty"]) if sold and ordered else 0.0


def _line_invoice_status(lines: Records, row: Row) -> str:
    return "to invoice" if _line_to_invoice(lines, row) else "no"


COMPUTED.update(
    {
        ("", "display_name"): _name,
        ("res.partner", "display_name"): _partner_name,
        ("res.partner", "commercial_partner_id"): _commercial_partner,
        ("product.product", "display_name"): _product_name,
        ("product.template", "display_name"): _product_name,
        ("product.product", "lst_price"): lambda _, row: row.get("list_price", 0.0),
        ("product.uom", "display_name"): lambda _, row: row["barcode"],
        ("uom.uom", "parent_path"): _unit_path,
        ("uom.uom", "rounding"): lambda _, __: 0.01,
        ("res.currency", "rounding"): lambda _, row: 10.0 ** -row["decimal_places"],
        ("account.tax", "price_include"): lambda _, row: (
            row["price_include_override"] == "tax_included"
        ),
        ("sale.order", "currency_id"): _order_currency,
        ("sale.order", "currency_rate"): lambda _, __: 1.0,
        ("sale.order.line", "display_name"): lambda lines, row: (
            f"{_of_order('name')(lines, row)} - {row['name']}"
        ),
        ("sale.order.line", "state"): _of_order("state"),
        ("sale.order.line", "currency_id"): _of_order("currency_id"),
        ("sale.order.line", "order_partner_id"): _of_order("partner_id"),
        ("sale.order.line", "qty_to_invoice"): _line_to_invoice,
        ("sale.order.line", "invoice_status"): _line_invoice_status,
    }
)

CLASSES.update(
    {
        "res.users": Users,
        "res.partner": Partners,
        "uom.uom": Units,
        "product.product": Products,
        "sale.order": SaleOrders,
        "sale.order.line": SaleOrderLines,
    }
)
