"""The lines of an order in the sandbox shop: prices, tax, discounts, deposits, and their sums."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from platforms.magento.sandbox_catalogue import Catalogue
from platforms.magento.sandbox_values import (
    CENT,
    ZERO,
    Json,
    RefusedError,
    decimal,
    known,
    money,
    with_base,
)

LINE = set(
    "sku quantity price discount tax_rate name deposit configurable children options".split()
)
PART = {"sku", "quantity", "price"}
DONE = "qty_canceled qty_invoiced qty_refunded qty_shipped".split()
BASED = (
    "amount_refunded discount_amount discount_invoiced discount_refunded original_price price"
    " discount_tax_compensation_amount price_incl_tax row_invoiced row_total row_total_incl_tax"
    " tax_amount tax_invoiced tax_refunded weee_tax_applied_amount weee_tax_applied_row_amount"
)


def added(rows: Iterable[Json], name: str) -> Decimal:
    """The sum of one field; absent counts as nothing."""
    return sum((row[name] for row in rows if row.get(name) is not None), ZERO)


def carries_price(row: Json) -> bool:
    """Whether a row has amounts of its own: no child of a priced parent, no sum of its children."""
    return not row["_is_dummy"]


class Lines:
    """Makes the rows of one order.

    Args:
        catalogue: what the shop sells.
        ids: numbers of rows.
        tax_rate: in percent, where a line names none.
        is_included: whether prices and discounts contain their tax.
        rate: how many of the order's currency one of the website's is.
        now: when.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        ids: Iterator[int],
        tax_rate: Any,
        *,
        is_included: bool,
        rate: Decimal,
        now: str,
    ) -> None:
        self._catalogue = catalogue
        self._ids = ids
        self._tax_rate = decimal(tax_rate)
        self._is_included = is_included
        self._rate = rate
        self._now = now

    def make(self, given: list[Json], order_id: int, discount: Decimal) -> list[Json]:
        """All rows, a parent before its children; the order's discount is spread over them."""
        rows = list(itertools.chain.from_iterable(self._line(line) for line in given))
        self._spread([row for row in rows if carries_price(row)], discount)
        for row in rows:
            row["order_id"] = order_id
            if carries_price(row):
                self._price(row)
        for row in rows:
            if row["_is_sum"]:
                self._sum(row, [one for one in rows if one["parent_item_id"] == row["item_id"]])
        for row in rows:
            with_base(row, BASED, self._rate)
        return rows

    def _line(self, line: Json) -> list[Json]:
        known(line, LINE, "line")
        sku, quantity = line.get("sku", ""), decimal(line.get("quantity"))
        if quantity <= 0:
            raise RefusedError(f"no quantity: {quantity}")
        product = self._catalogue.find(sku)
        kind = product["type_id"] if product else "simple"
        if "configurable" in line:
            return self._variant(line, quantity)
        if kind == "bundle":
            return self._bundle(line, product or {}, quantity)
        if kind == "configurable":
            raise RefusedError(f"{sku} is sold by its variants: name one, and it as configurable")
        return [self._row(line, product, quantity, kind)]

    def _variant(self, line: Json, quantity: Decimal) -> list[Json]:
        """Two rows with the SKU of the variant: the parent has the price."""
        parent, child = self._catalogue.get(line["configurable"]), self._catalogue.get(line["sku"])
        price = line.get("price", child["price"])
        top = self._row(line | {"price": price}, parent, quantity, "configurable")
        top |= {"sku": child["sku"], "weight": child["weight"]}
        option = {"option_id": "137", "option_value": child["id"]}
        top["product_option"] = {"extension_attributes": {"configurable_item_options": [option]}}
        below = self._child(top, {"sku": child["sku"]}, quantity, ZERO)
        return [top, below | {"_is_dummy": True}]

    def _bundle(self, line: Json, product: Json, quantity: Decimal) -> list[Json]:
        parts = line.get("children") or product["_children"]
        for part in parts:
            known(part, PART, "part of a bundle")
        is_sum = product["_is_dynamic"]
        top = self._row(line, product, quantity, "bundle", is_sum=is_sum)
        top["product_option"] = {
            "extension_attributes": {
                "bundle_options": [
                    {
                        "option_id": place,
                        "option_qty": decimal(part["quantity"]),
                        "option_selections": [place],
                    }
                    for place, part in enumerate(parts, 1)
                ]
            }
        }
        children = []
        for part in parts:
            number = decimal(part["quantity"]) * quantity
            price = part.get("price", self._catalogue.get(part["sku"])["price"])
            child = self._child(top, part, number, decimal(price) if is_sum else ZERO)
            rate = decimal(line.get("tax_rate", self._tax_rate))
            children.append(child | {"_is_dummy": not is_sum, "_rate": rate})
        if is_sum:
            self._spread(children, top["_discount"])
            top |= {"_is_dummy": True, "_discount": ZERO}
        return [top, *children]

    def _child(self, parent: Json, part: Json, quantity: Decimal, price: Decimal) -> Json:
        product = self._catalogue.get(part["sku"])
        given = {"sku": product["sku"], "price": price}
        row = self._row(given, product, quantity, product["type_id"])
        copied = "item_id price product_type qty_ordered sku"
        return row | {
            "parent_item_id": parent["item_id"],
            "row_weight": ZERO,
            "original_price": price,
            "parent_item": {name: parent[name] for name in copied.split()},
        }

    def _row(
        self,
        line: Json,
        product: Json | None,
        quantity: Decimal,
        kind: str,
        *,
        is_sum: bool = False,
    ) -> Json:
        own = product or {}
        price = line.get("price", own.get("price"))
        if price is None and not is_sum:
            raise RefusedError(f"no product {line.get('sku')}, and no price")
        price = ZERO if is_sum else decimal(price)
        original = own.get("price")
        weight = own.get("weight") or Decimal(1)
        number = next(self._ids)
        row: Json = {
            "amount_refunded": ZERO,
            "created_at": self._now,
            "discount_amount": ZERO,
            "discount_invoiced": ZERO,
            "discount_percent": ZERO,
            "free_shipping": 0,
            "discount_tax_compensation_amount": None,
            "is_qty_decimal": int(quantity != quantity.to_integral_value()),
            "is_virtual": int(kind == "virtual"),
            "item_id": number,
            "name": line.get("name") or own.get("name") or line.get("sku"),
            "no_discount": 0,
            "order_id": None,
            "original_price": price if original is None else original,
            "parent_item_id": None,
            "price": price,
            "price_incl_tax": None,
            "product_id": own.get("id"),
            "product_type": kind,
            "qty_canceled": ZERO,
            "qty_invoiced": ZERO,
            "qty_ordered": quantity,
            "qty_refunded": ZERO,
            "qty_shipped": ZERO,
            "quote_item_id": number,
            "row_invoiced": ZERO,
            "row_total": ZERO,
            "row_total_incl_tax": ZERO,
            "row_weight": weight * quantity,
            "sku": own.get("sku", line.get("sku")),
            "store_id": 1,
            "tax_amount": ZERO,
            "tax_invoiced": ZERO,
            "tax_percent": None if is_sum else ZERO,
            "updated_at": self._now,
            "weight": weight,
            "product_option": None,
            "parent_item": None,
            "extension_attributes": {"itemized_taxes": []},
            "_rate": decimal(line.get("tax_rate", self._tax_rate)),
            "_discount": decimal(line.get("discount", 0)),
            "_deposit": decimal(line.get("deposit", 0)),
            "_is_dummy": False,
            "_is_sum": is_sum,
        }
        if line.get("options"):
            option = {"custom_options": line["options"]}
            row["product_option"] = {"extension_attributes": option}
        return row

    def _spread(self, rows: list[Json], discount: Decimal) -> None:
        """By value; what rounding leaves goes to the last."""
        whole = sum((row["price"] * row["qty_ordered"] for row in rows), ZERO)
        if discount > whole:
            raise RefusedError(f"a discount of {discount} on {whole}")
        left = discount
        for row in rows:
            value = row["price"] * row["qty_ordered"]
            share = left if row is rows[-1] else money(discount * value / (whole or 1))
            row["_discount"] += share
            left -= share

    def _price(self, row: Json) -> None:
        """Rounded by row; the tax is of what is left after the discount."""
        part = row["_rate"] / 100
        price, quantity, discount = row["price"], row["qty_ordered"], row["_discount"]
        if discount < 0 or discount > price * quantity:
            raise RefusedError(f"a discount of {discount} on {price * quantity}")
        if self._is_included:
            incl = money(price * quantity)
            full = money(incl * part / (1 + part))
            net, unit, unit_incl = incl - full, money(price / (1 + part)), price
            tax = money((incl - discount) * part / (1 + part))
            hidden = full - tax
        else:
            net = money(price * quantity)
            full = money(net * part)
            incl, unit, unit_incl = net + full, price, money(price * (1 + part))
            tax, hidden = money((net - discount) * part), ZERO
        row |= {
            "price": unit,
            "price_incl_tax": unit_incl,
            "row_total": net,
            "row_total_incl_tax": incl,
            "tax_amount": tax,
            "discount_amount": discount,
            "discount_tax_compensation_amount": hidden,
        }
        row["tax_percent"] = row["_rate"]
        if row["_deposit"]:
            self._deposit(row)
        if row["_rate"]:
            itemized = {"tax_code": "VAT", "tax_percent": row["_rate"], "amount": tax}
            itemized |= {"base_amount": tax, "real_amount": tax, "real_base_amount": tax}
            itemized |= {"item_id": row["item_id"], "taxable_item_type": "product"}
            row["extension_attributes"] = {"itemized_taxes": [itemized]}

    def _deposit(self, row: Json) -> None:
        """A fixed tax on each piece, which is in no other tax: a list inside a text."""
        each = row["_deposit"]
        whole = money(each * row["qty_ordered"])
        told = {"title": "Deposit", "amount": f"{each:.4f}", "row_amount": f"{whole:.4f}"}
        told |= {f"base_{name}": value for name, value in told.items() if name != "title"}
        row |= {
            "weee_tax_applied": json.dumps([told], separators=(",", ":")),
            "weee_tax_applied_amount": each,
            "weee_tax_applied_row_amount": whole,
        }

    def _sum(self, row: Json, children: list[Json]) -> None:
        for name in ("row_total", "row_total_incl_tax", "tax_amount"):
            row[name] = added(children, name)
        quantity = row["qty_ordered"]
        row["price"] = (row["row_total"] / quantity).quantize(CENT)
        row["price_incl_tax"] = (row["row_total_incl_tax"] / quantity).quantize(CENT)
        row["original_price"] = row["price"]
        for child in children:
            child["parent_item"] |= {"price": row["price"]}


def share(row: Json, name: str, before: Decimal, quantity: Decimal) -> Decimal:
    """What a part of a row's pieces has of an amount; the parts add up to the whole."""
    whole, ordered = row.get(name) or ZERO, row["qty_ordered"]
    return money(whole * (before + quantity) / ordered) - money(whole * before / ordered)
