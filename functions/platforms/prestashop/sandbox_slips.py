"""What is given back: credit slips, and goods that return."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from platforms.prestashop.sandbox_fields import Row
from platforms.prestashop.sandbox_orders import Orders
from platforms.prestashop.sandbox_tables import Json, RefusedError, cents, known, price

REFUND = set("amount lines reason shipping_total restock returned".split())
Part = tuple[Row, int, Decimal]
"""A row of the order, pieces of it, and the money with tax."""


class Slips:
    """Refunds and returns.

    Args:
        orders: the orders they are of.
    """

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.tables = orders.tables

    def refund(self, number: int, given: Json) -> Row:
        """Give money back for pieces, as an amount, or all that is left; the order stays as it is.

        The shop keeps an amount by row and piece, so one without lines is laid on the first rows
        that hold it. Its date, state and what was paid do not change. ``returned`` counts the
        pieces as goods that came back, ``restock`` puts them on the shelf.
        """
        known(given, REFUND, "refund")
        order = self.orders.get(number)
        if Decimal(order["total_paid_real"]) <= 0:
            raise RefusedError("an order nobody paid has nothing to give back")
        freight = Decimal(str(given.get("shipping_total", 0)))
        if not set(given) & {"amount", "lines", "shipping_total"}:
            freight = self._freight_left(order)
        if freight > self._freight_left(order):
            raise RefusedError("more than the freight")
        parts = self._parts(order, given)
        if not parts and not freight:
            raise RefusedError("nothing is left to give back")
        self._write(order, parts, freight)
        for detail, pieces, _ in parts:
            if given.get("returned"):
                self._count_back(detail, pieces)
            if given.get("restock"):
                self._reshelve(detail, pieces)
        if "reason" in given:
            # A slip holds no reason: the staff notes it among themselves.
            self.orders.note_privately(order, given["reason"])
        self.orders.told("order.refunded", order)
        return order

    def take_back(self, number: int, given: Json) -> Row:
        """Goods come back, on the shelf or not; no money moves."""
        known(given, {"lines", "restock"}, "return")
        order = self.orders.get(number)
        for line in given["lines"]:
            detail = self.orders.lines.row(order, line["sku"])
            self._count_back(detail, int(line["quantity"]))
            if given.get("restock", True):
                self._reshelve(detail, int(line["quantity"]))
        self.orders.told("order.returned", order)
        return order

    def _parts(self, order: Row, given: Json) -> list[Part]:
        if "lines" in given:
            return self._of_lines(order, given)
        if "amount" in given:
            return self._of_amount(order, Decimal(str(given["amount"])))
        if "shipping_total" in given:
            return []
        rows = [(one, _pieces_left(one)) for one in self.orders.lines.of(order)]
        return [(one, pieces, _left(one)) for one, pieces in rows if pieces]

    def _of_lines(self, order: Row, given: Json) -> list[Part]:
        parts = []
        for line in given["lines"]:
            known(line, {"sku", "quantity"}, "line")
            detail = self.orders.lines.row(order, line["sku"])
            pieces = int(line["quantity"])
            if not 0 < pieces <= _pieces_left(detail):
                raise RefusedError(f"{line['sku']} has not as many left")
            worth = min(cents(Decimal(detail["unit_price_tax_incl"]) * pieces), _left(detail))
            parts.append((detail, pieces, worth))
        if "amount" not in given:
            return parts
        amount = Decimal(str(given["amount"]))
        whole = sum((worth for *_, worth in parts), Decimal(0))
        if amount > whole:
            raise RefusedError("more than these pieces cost")
        chosen, left = [], amount
        for place, (detail, pieces, worth) in enumerate(parts, 1):
            share = left if place == len(parts) else cents(amount * worth / whole)
            chosen.append((detail, pieces, share))
            left -= share
        return chosen

    def _of_amount(self, order: Row, amount: Decimal) -> list[Part]:
        parts = []
        for detail in self.orders.lines.of(order):
            share = min(amount, _left(detail))
            if share > 0:
                each = Decimal(detail["unit_price_tax_incl"])
                pieces = int((share / each).to_integral_value(ROUND_CEILING))
                parts.append((detail, min(pieces, _pieces_left(detail)), share))
                amount -= share
        if amount > 0:
            raise RefusedError("more than the goods cost")
        return parts

    def _write(self, order: Row, parts: list[Part], freight: Decimal) -> None:
        details: list[Row] = []
        sums = {"excl": Decimal(0), "incl": Decimal(0)}
        for detail, pieces, gross in parts:
            rate = self.tables.rate_of(detail["id_tax_rules_group"])
            worth = {"excl": cents(gross / (1 + rate / 100)), "incl": gross}
            number = self.tables.next_of("order_slip_details")
            row = {"id": str(number), "id_order_detail": str(detail["id"])}
            row["product_quantity"] = str(pieces)
            for kind, amount in worth.items():
                row[f"amount_tax_{kind}"] = price(amount)
                name = f"total_refunded_tax_{kind}"
                detail[name] = price(Decimal(detail[name]) + amount)
                sums[kind] += amount
            refunded = int(detail["product_quantity_refunded"]) + pieces
            detail["product_quantity_refunded"] = str(refunded)
            details.append(row)
        is_all = all(_pieces_left(one) == 0 for one in self.orders.lines.of(order))
        rate = Decimal(order["carrier_tax_rate"])
        facts: Json = {
            "id_customer": order["id_customer"],
            "id_order": order["id"],
            "conversion_rate": order["conversion_rate"],
            "total_products_tax_excl": price(sums["excl"]),
            "total_products_tax_incl": price(sums["incl"]),
            "total_shipping_tax_excl": price(cents(freight / (1 + rate / 100))),
            "total_shipping_tax_incl": price(freight),
            "amount": price(sums["incl"]),
            "shipping_cost": int(freight > 0),
            "shipping_cost_amount": price(freight),
            "partial": int(not is_all),
            "_details": details,
        }
        facts |= dict.fromkeys(("date_add", "date_upd"), self.tables.local())
        self.tables.add("order_slip", facts)

    def _freight_left(self, order: Row) -> Decimal:
        slips = self.tables.where("order_slip", id_order=order["id"])
        given = sum((Decimal(one["total_shipping_tax_incl"]) for one in slips), Decimal(0))
        return Decimal(order["total_shipping_tax_incl"]) - given

    def _count_back(self, detail: Row, pieces: int) -> None:
        back = int(detail["product_quantity_return"]) + pieces
        if back > int(detail["product_quantity"]):
            raise RefusedError(f"more {detail['product_reference']} than was sold")
        detail["product_quantity_return"] = str(back)

    def _reshelve(self, detail: Row, pieces: int) -> None:
        back = int(detail["product_quantity_reinjected"]) + pieces
        detail["product_quantity_reinjected"] = str(back)
        ids = int(detail["product_id"]), int(detail["product_attribute_id"])
        self.orders.catalogue.move(*ids, pieces)


def _pieces_left(detail: Row) -> int:
    return int(detail["product_quantity"]) - int(detail["product_quantity_refunded"])


def _left(detail: Row) -> Decimal:
    sold, given = (
        Decimal(detail["total_price_tax_incl"]),
        Decimal(detail["total_refunded_tax_incl"]),
    )
    return cents(sold) - given
