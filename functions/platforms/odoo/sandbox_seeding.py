"""Puts a seed into a new database: what a person would have set up before anything is sold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from platforms.odoo.sandbox_automation import describe, point_to
from platforms.odoo.sandbox_records import CLASSES, Records
from platforms.odoo.sandbox_stock import Quants
from platforms.odoo.sandbox_store import Row, Store, Transaction, User

SEED: Row = json.loads(Path(__file__).with_name("sandbox_seed.json").read_text())
ROOT = User(1, "__system__")
ACCOUNTS = (
    ("101401", "Bank", "asset_cash", False),
    ("121000", "Account Receivable", "asset_receivable", True),
    ("251000", "Tax Received", "liability_current", False),
    ("400000", "Product Sales", "income", False),
)
JOURNALS = (
    ("INV", "Sales", "sale"),
    ("MISC", "Miscellaneous Operations", "general"),
    ("BNK1", "Bank", "bank"),
    ("CSH1", "Cash", "cash"),
)
OUTSIDE = {"Vendors": "supplier", "Customers": "customer", "Inventory adjustment": "inventory"}
OPERATIONS: tuple[Row, ...] = (
    {"name": "Receipts", "code": "incoming", "sequence_code": "IN"},
    {"name": "Delivery Orders", "code": "outgoing", "sequence_code": "OUT"},
)


def as_system(
    txn: Transaction, model: str, ids: Sequence[int] = (), context: Row | None = None
) -> Records:
    """A model's records for the system itself, archived ones too."""
    kind = CLASSES.get(model, Records)
    return kind(txn, ROOT, model, ids, {"active_test": False} | (context or {}))


def set_stock(txn: Transaction, product: int, place: int, quantity: float, lot: Any = False) -> int:
    """Count a product in a place, as a person does; the id of its quant."""
    quants = as_system(txn, "stock.quant", (), {"inventory_mode": True}).of(Quants, "stock.quant")
    keys = {"product_id": product, "location_id": place, "lot_id": lot}
    (id_,) = quants.create([keys | {"inventory_quantity_auto_apply": quantity}])
    return int(id_)


class Seeding:
    """Puts the seed's records into a new store, turning their names into this database's ids."""

    def __init__(self, store: Store, seed: Row, txn: Transaction | None = None) -> None:
        self.txn = txn or Transaction(store)
        self.seed = seed

    def records(self, model: str, ids: Sequence[int] = ()) -> Records:
        """A model's records, for the system itself."""
        return as_system(self.txn, model, ids)

    def id(self, model: str, name: str) -> int:
        """The id of the record with a name."""
        for row in self.txn.rows(model):
            if name in (row["name"], row.get("code")):
                return int(row["id"])
        raise KeyError(f"the seed has no {model} {name!r}")

    def fill(self) -> None:
        """Insert everything and commit."""
        for country in self.seed["countries"]:
            row = {key: value for key, value in country.items() if key != "states"}
            states = [
                [0, 0, {"code": code, "name": name}]
                for code, name in country.get("states", {}).items()
            ]
            self.records("res.country").insert({**row, "state_ids": states})
        for currency in self.seed["currencies"]:
            self.records("res.currency").insert(currency)
        self.fill_company()
        self.fill_users()
        for unit in self.seed["uoms"]:
            above = unit.get("relative_to")
            row = {"name": unit["name"], "relative_factor": unit.get("factor", 1.0)}
            row["relative_uom_id"] = self.id("uom.uom", above) if above else False
            self.records("uom.uom").insert(row)
        for tax in self.seed["taxes"]:
            row = {key: value for key, value in tax.items() if key != "price_include"}
            override = "tax_included" if tax.get("price_include") else "tax_excluded"
            self.records("account.tax").insert({**row, "price_include_override": override})
        for pricelist in self.seed["pricelists"]:
            currency_id = self.id("res.currency", pricelist["currency"])
            row = {"name": pricelist["name"], "currency_id": currency_id}
            self.records("product.pricelist").insert(row)
        for product in self.seed["products"]:
            self.product(product)
        for pricelist in self.seed["pricelists"]:
            self.prices(pricelist)
        for partner in self.seed["partners"]:
            self.partner(partner)
        describe(self.txn)
        if self.seed["webhook_uri"]:
            point_to(self.txn, self.seed["webhook_uri"], self.seed["webhook_models"])
        self.txn.commit()

    def fill_company(self) -> None:
        """The company and what every database has."""
        company = self.seed["company"]
        currency_id = self.id("res.currency", company["currency"])
        row = {"name": company.get("name", "My Company"), "currency_id": currency_id}
        method = company.get("tax_calculation_rounding_method", "round_globally")
        self.records("res.company").insert(row | {"tax_calculation_rounding_method": method})
        self.fill_places([{"name": row["name"], "code": "WH"}, *self.seed["warehouses"]])
        self.records("crm.team").insert({"name": "Sales"})
        for name, days in self.seed["payment_terms"].items():
            id_ = self.records("account.payment.term").insert({"name": name})
            self.txn.put("account.payment.term", id_, {"days": days})
        for code, name, kind, reconciles in ACCOUNTS:
            values = {"code": code, "name": name, "account_type": kind, "reconcile": reconciles}
            self.records("account.account").insert(values)
        for code, name, kind in JOURNALS:
            self.records("account.journal").insert({"code": code, "name": name, "type": kind})

    def fill_places(self, warehouses: list[Row]) -> None:
        """The places goods come from and go to, and the warehouses with their operations."""
        places = self.records("stock.location")
        vendors, customers, _ = (
            places.insert({"name": name, "usage": usage}) for name, usage in OUTSIDE.items()
        )
        for warehouse in warehouses:
            view = places.insert({"name": warehouse["code"], "usage": "view"})
            inside = {"name": "Stock", "usage": "internal", "location_id": view}
            stock = places.insert(inside)
            links = {"view_location_id": view, "lot_stock_id": stock}
            id_ = self.records("stock.warehouse").insert(warehouse | links)
            ends = {"in_type_id": (vendors, stock), "out_type_id": (stock, customers)}
            for (name, (source, target)), kind in zip(ends.items(), OPERATIONS, strict=True):
                way = {"default_location_src_id": source, "default_location_dest_id": target}
                operation = self.records("stock.picking.type").insert(
                    kind | way | {"warehouse_id": id_}
                )
                self.records("stock.warehouse").update(id_, {name: operation})
        for given in self.seed["locations"]:
            path, usage = (given, "internal") if isinstance(given, str) else given
            above, _, name = path.rpartition("/")
            places.insert({"name": name, "usage": usage, "location_id": self.place(above)})

    def place(self, path: str) -> int:
        """The place of a path; the first warehouse's stock without one."""
        if not path:
            return int(next(self.txn.rows("stock.warehouse"))["lot_stock_id"])
        for row in self.txn.rows("stock.location"):
            if row["complete_name"] == path:
                return int(row["id"])
        raise KeyError(f"there is no stock.location {path!r}")

    def fill_users(self) -> None:
        """Users under the uids the seed gives them, with their keys."""
        for number, key in enumerate(self.seed["api_keys"].values(), start=1):
            login, uid = key["login"], key["uid"]
            row = {"id": uid, "name": login, "login": login, "active": True}
            self.txn.put("res.users", uid, row)
            expires = key.get("expiration_date") or False
            row = {"name": f"key {number}", "user_id": uid, "scope": "rpc"}
            self.records("res.users.apikeys").insert(row | {"expiration_date": expires})

    def product(self, product: Row) -> int:
        """Insert one product given by names; without ``taxes_id`` it has the first sales tax."""
        sales_taxes = [
            t["name"] for t in self.seed["taxes"] if t.get("type_tax_use", "sale") == "sale"
        ]
        taxes = product.get("taxes_id", sales_taxes[:1])
        named = {"uom", "uoms", "unit_barcodes", "stock", "lots"}
        row = {key: value for key, value in product.items() if key not in named}
        unit = product.get("uom", self.seed["uoms"][0]["name"])
        row["uom_id"] = self.id("uom.uom", unit)
        row["uom_ids"] = [self.id("uom.uom", name) for name in product.get("uoms", [])]
        row["taxes_id"] = [self.id("account.tax", name) for name in taxes]
        row["product_uom_ids"] = [
            [0, 0, {"uom_id": self.id("uom.uom", name), "barcode": barcode}]
            for name, barcode in product.get("unit_barcodes", {}).items()
        ]
        id_ = self.records("product.product").insert(row)
        stock = product.get("stock", {})
        for path, quantity in (stock if isinstance(stock, dict) else {"": stock}).items():
            self.count(id_, self.place(path), quantity)
        for name, quantity in product.get("lots", {}).items():
            lot = self.records("stock.lot").insert({"name": name, "product_id": id_})
            self.count(id_, self.place(""), quantity, lot)
        return id_

    def count(self, product: int, place: int, quantity: float, lot: Any = False) -> None:
        """Set the stock of a product, as a person who counted it."""
        set_stock(self.txn, product, place, quantity, lot)

    def prices(self, pricelist: Row) -> None:
        """The rules of a price list, by SKU."""
        codes = {row.get("default_code"): row["id"] for row in self.txn.rows("product.product")}
        for item in pricelist.get("items", ()):
            rule: Row = {"pricelist_id": self.id("product.pricelist", pricelist["name"])}
            rule |= {"applied_on": "0_product_variant", "product_id": codes[item["sku"]]}
            rule |= {"fixed_price": item["price"], "min_quantity": item.get("min_quantity", 0)}
            self.records("product.pricelist.item").insert(rule)

    def partner(self, partner: Row) -> int:
        """Insert one partner; country, state and pricelist by name or code."""
        relations = {
            "country": ("country_id", "res.country"),
            "state": ("state_id", "res.country.state"),
            "pricelist": ("property_product_pricelist", "product.pricelist"),
        }
        row = {key: value for key, value in partner.items() if key not in relations}
        for key, (name, model) in relations.items():
            if key in partner:
                row[name] = self.id(model, partner[key])
        return self.records("res.partner").insert(row)
