"""Who and what orders are made of: users, partners, units, products and their prices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from platforms.odoo.sandbox_records import CLASSES, COMPUTED, DEFAULTS, Records
from platforms.odoo.sandbox_store import OdooError, Row

SHARED = ("name", "default_code", "list_price", "active")
"""What a variant and its template have in common; the sandbox's templates have one variant."""
DEFAULTS.update(
    {
        "res.partner": {"type": "contact", "lang": "en_US"},
        "product.product": {
            "type": "consu",
            "tracking": "none",
            "invoice_policy": "order",
            "sale_ok": True,
        },
        "account.tax": {
            "amount_type": "percent",
            "type_tax_use": "sale",
            "price_include_override": "tax_excluded",
        },
        "uom.uom": {"relative_factor": 1.0},
        "res.currency": {"decimal_places": 2},
        "product.pricelist.item": {"applied_on": "3_global", "compute_price": "fixed"},
    }
)


class Users(Records):
    """``res.users``: the cheapest self-test of a key."""

    def context_get(self) -> Row:
        """Language, time zone and id of the caller."""
        return {"lang": "en_US", "tz": self.user.tz or False, "uid": self.user.uid}


class Partners(Records):
    """``res.partner``."""

    def split(self, vals: Row, row: Row) -> tuple[Row, Row]:
        """Who gives up a limit of its own has the company's again, which is none here."""
        values, children = super().split(vals, row)
        if values.pop("use_partner_credit_limit", True) is False:
            values["credit_limit"] = 0.0
        return values, children

    def check(self, row: Row) -> None:
        """Only addresses may be without a name; a VAT number is looked at where a module does."""
        super().check(row)
        if row.get("type") == "contact" and not row.get("name"):
            text = "The operation cannot be completed: Contacts require a name"
            raise OdooError("ValidationError", text)
        vat = row.get("vat")
        odd = vat and not re.fullmatch(r"[A-Z]{2}[0-9A-Z]{8,12}", str(vat))
        if odd and "base_vat" in self.txn.store.modules:
            name = row.get("name") or ""
            text = f"The VAT number [{vat}] for partner [{name}] does not seem to be valid."
            raise OdooError("ValidationError", text)

    def before_unlink(self, row: Row) -> None:
        """Who ordered or was billed stays; archive instead."""
        named = {"partner_id", "partner_invoice_id", "partner_shipping_id"}
        needed(self, row, {"sale.order": named, "account.move": named, "stock.picking": named})

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

    def ratio(self, unit: Any, into: Any) -> float:
        """How many of the one unit are in the other; without a unit they count alike."""
        if not unit or not into:
            return 1.0
        return float(self.row(unit)["factor"] / self.row(into)["factor"])


class Templates(Records):
    """``product.template``: its price and name are its variant's too."""

    def changed(self, ids: Iterable[int]) -> None:
        """Give the variant what it shares, and the new ``write_date`` as the vendor does."""
        for id_ in ids:
            _share(self.row(id_), self.on("product.product"), "product_tmpl_id", id_)


class Products(Records):
    """``product.product`` with its template."""

    def complete(self, values: Row) -> None:
        """Give the variant a template."""
        super().complete(values)
        if "product_tmpl_id" not in values:
            shared = {key: values.get(key, False) for key in SHARED}
            values["product_tmpl_id"] = self.on("product.template").insert(shared)

    def before_unlink(self, row: Row) -> None:
        """What was sold or moved stays; archive instead."""
        models = ("sale.order.line", "account.move.line", "stock.move", "stock.quant")
        needed(self, row, {model: {"product_id"} for model in models})

    def changed(self, ids: Iterable[int]) -> None:
        """Give the template what it shares."""
        for id_ in ids:
            row = self.row(id_)
            _share(row, self.on("product.template"), "id", row["product_tmpl_id"])


def needed(records: Records, row: Row, links: dict[str, set[str]]) -> None:
    """Refuse to delete what other records need."""
    for model, names in links.items():
        for other in records.txn.rows(model):
            if any(other.get(name) == row["id"] for name in names):
                text = "The operation cannot be completed: another model requires the record being"
                rest = f"deleted. If possible, archive it instead.\n\nModel: ({model})"
                raise OdooError("ValidationError", f"{text} {rest}")


def _share(row: Row, others: Records, column: str, id_: int) -> None:
    shared = {key: row[key] for key in SHARED if key in row}
    for other in list(others.txn.rows(others.model)):
        if other[column] == id_:
            others.txn.change(others.model, other["id"], shared)


class PricelistItems(Records):
    """``product.pricelist.item``."""

    def check(self, row: Row) -> None:
        """A rule for a product names it."""
        super().check(row)
        needed = {"0_product_variant": "product_id", "1_product": "product_tmpl_id"}
        name = needed.get(row["applied_on"])
        if name and not row.get(name):
            text = "Please specify the product for which this rule should be applied"
            raise OdooError("ValidationError", text)

    def price(self, pricelist: Any, product: Row, quantity: float) -> float | None:
        """What a price list asks for one stock unit, counting ``quantity`` stock units."""
        rows = [row for row in self.txn.rows(self.model) if row["pricelist_id"] == pricelist]
        self.sort(rows, "applied_on asc, min_quantity desc, id desc")
        for row in rows:
            fits = (
                (row.get("product_id") or product["id"]) == product["id"]
                and (row.get("product_tmpl_id") or product["product_tmpl_id"])
                == product["product_tmpl_id"]
                and row.get("min_quantity", 0.0) <= quantity
                and (row.get("date_start") or self.txn.now) <= self.txn.now
                and (row.get("date_end") or self.txn.now) >= self.txn.now
            )
            if fits and row["compute_price"] == "fixed":
                return float(row.get("fixed_price", 0.0))
            if fits and row["compute_price"] == "percentage":
                rest = 1 - row.get("percent_price", 0.0) / 100
                return float(product.get("list_price", 0.0) * rest)
        return None


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


COMPUTED.update(
    {
        ("", "display_name"): _name,
        ("res.partner", "display_name"): _partner_name,
        ("res.partner", "commercial_partner_id"): _commercial_partner,
        ("product.product", "display_name"): _product_name,
        ("product.template", "display_name"): _product_name,
        ("product.product", "lst_price"): lambda _, row: row.get("list_price", 0.0),
        ("product.uom", "display_name"): lambda _, row: row["barcode"],
        ("product.pricelist.item", "currency_id"): lambda items, row: items.on(
            "product.pricelist"
        ).row(row["pricelist_id"])["currency_id"],
        ("product.pricelist.item", "active"): lambda items, row: (
            items.on("product.pricelist").row(row["pricelist_id"]).get("active", True)
        ),
        ("product.pricelist.item", "display_name"): lambda items, row: (
            items.on("product.product").label(row.get("product_id"))
            or items.on("product.template").label(row.get("product_tmpl_id"))
            or "All Products"
        ),
        ("uom.uom", "parent_path"): _unit_path,
        ("uom.uom", "rounding"): lambda _, __: 0.01,
        ("res.currency", "rounding"): lambda _, row: 10.0 ** -row["decimal_places"],
        ("account.tax", "price_include"): lambda _, row: (
            row["price_include_override"] == "tax_included"
        ),
    }
)
CLASSES.update(
    {
        "res.users": Users,
        "res.partner": Partners,
        "uom.uom": Units,
        "product.template": Templates,
        "product.product": Products,
        "product.pricelist.item": PricelistItems,
    }
)
