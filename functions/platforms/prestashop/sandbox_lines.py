"""The rows of an order: prices, taxes, reductions and their rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from platforms.prestashop.sandbox_catalogue import Catalogue
from platforms.prestashop.sandbox_fields import Row
from platforms.prestashop.sandbox_tables import (
    MICRO,
    Json,
    RefusedError,
    Tables,
    cents,
    known,
    net_of,
    price,
)

LINE = set("sku quantity price discount tax_rate name".split())
PER_ITEM, PER_LINE = "1", "2"


class Lines:
    """How rows of orders are made and added up.

    Args:
        tables: the shop's rows.
        catalogue: what it sells.
    """

    def __init__(self, tables: Tables, catalogue: Catalogue) -> None:
        self.tables = tables
        self.catalogue = catalogue

    def check(self, given: Json) -> None:
        """Refuse a line the shop could not sell."""
        known(given, LINE, "line")
        self.catalogue.find(given["sku"])
        if int(given["quantity"]) < 1:
            raise RefusedError("a line needs a quantity")

    def add(self, order: Row, given: Json, buyer: Row, *, included: bool) -> Row:
        """A new row: the draft's price or the catalogue's, less what is taken off."""
        product, combination = self.catalogue.find(given["sku"])
        rate = self.tables.rate_of(product["id_tax_rules_group"])
        if "tax_rate" in given:
            rate = Decimal(str(given["tax_rate"]))
        quantity = int(given["quantity"])
        attribute = int(combination["id"]) if combination else 0
        base = self.catalogue.base(product, combination)
        off: Json = {}
        if "price" in given:
            asked = Decimal(str(given["price"]))
            base = net_of(asked, rate) if included else asked
        elif rule := self.catalogue.special(product, attribute, buyer, quantity):
            base, off = self._ruled(base, rule, rate)
        if "discount" in given:
            off = self._off(str(given["discount"]), quantity, rate, included=included)
        named = f"{product['name']} ({combination['_name']})" if combination else product["name"]
        sold = combination or product
        detail = self.tables.add(
            "order_details",
            {
                "id_order": order["id"],
                "id_shop": order["id_shop"],
                "product_id": product["id"],
                "product_attribute_id": attribute,
                "product_name": given.get("name", named),
                "product_quantity": quantity,
                "product_price": price(base),
                "original_product_price": price(base),
                "product_ean13": sold["ean13"],
                "product_reference": sold["reference"],
                "product_weight": price(Decimal(product["weight"]) + _weight(combination)),
                "id_tax_rules_group": self.tables.tax_group(rate),
                "download_deadline": "0000-00-00 00:00:00",
            }
            | off,
        )
        self._price(detail, str(order["round_type"]))
        return detail

    def _ruled(self, base: Decimal, rule: Row, rate: Decimal) -> tuple[Decimal, Json]:
        """A price rule: another base, a percentage or an amount off."""
        if Decimal(rule["price"]) >= 0:
            base = Decimal(rule["price"])
        part = Decimal(rule["reduction"])
        if rule["reduction_type"] == "percentage":
            return base, {"reduction_percent": f"{part * 100:.2f}"}
        has_tax = rule["reduction_tax"] == "1"
        net = part / (1 + rate / 100) if has_tax else part
        gross = part if has_tax else part * (1 + rate / 100)
        return base, _reduced(net, gross)

    def _off(self, given: str, quantity: int, rate: Decimal, *, included: bool) -> Json:
        """``10%``, or an amount off the whole line, which is kept by piece."""
        if given.endswith("%"):
            return {"reduction_percent": f"{Decimal(given[:-1]):.2f}"}
        each = Decimal(given) / quantity
        net = net_of(each, rate) if included else each
        gross = each if included else each * (1 + rate / 100)
        return _reduced(net, gross)

    def _price(self, detail: Row, round_type: str) -> None:
        rate = self.tables.rate_of(detail["id_tax_rules_group"])
        net = Decimal(detail["product_price"])
        net -= net * Decimal(detail["reduction_percent"]) / 100
        net = (net - Decimal(detail["reduction_amount_tax_excl"])).quantize(MICRO)
        if net < 0:
            raise RefusedError("a reduction above the price")
        gross = net * (1 + rate / 100)
        detail["unit_price_tax_excl"] = price(net)
        detail["unit_price_tax_incl"] = price(gross)
        quantity = int(detail["product_quantity"])
        for kind, unit in (("excl", net), ("incl", Decimal(detail["unit_price_tax_incl"]))):
            whole = cents(unit) * quantity if round_type == PER_ITEM else unit * quantity
            whole = cents(whole) if round_type == PER_LINE else whole
            detail[f"total_price_tax_{kind}"] = price(whole)

    def resize(self, detail: Row, quantity: int) -> None:
        """Another quantity; none takes the row away."""
        if quantity < 1:
            del self.tables.rows["order_details"][int(detail["id"])]
            return
        order = self.tables.rows["orders"][int(detail["id_order"])]
        detail["product_quantity"] = str(quantity)
        self._price(detail, str(order["round_type"]))

    def sums(self, order: Row) -> tuple[Decimal, Decimal]:
        """Net and gross of all rows."""
        details = self.of(order)
        net = sum((Decimal(one["total_price_tax_excl"]) for one in details), Decimal(0))
        gross = sum((Decimal(one["total_price_tax_incl"]) for one in details), Decimal(0))
        return cents(net), cents(gross)

    def of(self, order: Row) -> list[Row]:
        """All rows."""
        return self.tables.where("order_details", id_order=order["id"])

    def row(self, order: Row, sku: str) -> Row:
        """The row of a SKU."""
        for detail in self.of(order):
            if detail["product_reference"] == sku:
                return detail
        raise RefusedError(f"order {order['id']} has no {sku}")

    def are_virtual(self, order: Row) -> bool:
        """Whether nothing of it is sent by a carrier."""
        products = self.tables.rows["products"]
        kinds = [products[int(one["product_id"])]["is_virtual"] for one in self.of(order)]
        return bool(kinds) and set(kinds) == {"1"}

    def weight(self, order: Row) -> Decimal:
        """What the parcel weighs."""
        rows = self.of(order)
        weights = (Decimal(one["product_weight"]) * int(one["product_quantity"]) for one in rows)
        return sum(weights, Decimal(0))

    def quantities(self, order: Row) -> dict[str, int]:
        """How much of each SKU."""
        return {one["product_reference"]: int(one["product_quantity"]) for one in self.of(order)}

    def rows_in(self, order: Row) -> list[Row]:
        """The rows as the order itself shows them."""
        names = (
            "product_id product_attribute_id product_quantity product_name product_reference"
            " product_ean13 product_isbn product_upc product_price id_customization"
            " unit_price_tax_incl unit_price_tax_excl".split()
        )
        return [
            {"id": str(one["id"]), **{name: one[name] for name in names}} for one in self.of(order)
        ]


def _reduced(net: Decimal, gross: Decimal) -> Json:
    incl = dict.fromkeys(("reduction_amount", "reduction_amount_tax_incl"), price(gross))
    return incl | {"reduction_amount_tax_excl": price(net)}


def _weight(combination: Row | None) -> Decimal:
    weight: Any = combination["weight"] if combination else 0
    return Decimal(weight)
