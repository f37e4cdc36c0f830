"""Products, their combinations, stock rows and prices."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from platforms.prestashop.sandbox_fields import ZERO_DATE, Row
from platforms.prestashop.sandbox_tables import (
    OPENED,
    Json,
    RefusedError,
    Tables,
    known,
    net_of,
    price,
)

Tell = Callable[[str, Json], None]
PRODUCT = set(
    "sku name price id stock tax_rate ean13 weight minimal_quantity active combinations bundle"
    " unity is_virtual".split()
)
COMBINATION = set("sku name impact id stock ean13 minimal_quantity weight".split())
CHANGES = set("sku stock price name active impact".split())
SPECIAL = set("sku price percent amount group customer from_quantity".split())
# What the shop keeps for a product nobody set anything for; a write that leaves it out loses it.
FRESH: Json = dict.fromkeys("active state available_for_order show_price indexed".split(), 1)
FRESH |= {"minimal_quantity": 1, "visibility": "both", "condition": "new", "redirect_type": "404"}
FRESH |= {"id_category_default": 2, "id_shop_default": 1, "pack_stock_type": 3}


class Catalogue:
    """What the shop sells.

    Args:
        tables: the shop's rows.
        tell: hands an event to the module: its name and ids.
    """

    def __init__(self, tables: Tables, tell: Tell) -> None:
        self.tables = tables
        self.tell = tell
        for product in tables.seed["products"]:
            self._seed(product)

    # -- reading -----------------------------------------------------------------------------------

    def find(self, sku: str) -> tuple[Row, Row | None]:
        """The product of a SKU, and its combination if the SKU is that of one.

        Raises:
            RefusedError: there is none; a row of an order needs a product.
        """
        for plural in ("products", "combinations"):
            if found := self.tables.first(plural, reference=sku):
                if plural == "products":
                    return found, None
                return self.tables.rows["products"][int(found["id_product"])], found
        raise RefusedError(f"the shop sells no {sku}")

    def stock_row(self, product: int, attribute: int = 0) -> Row | None:
        """The stock of a product or combination."""
        ids = {"id_product": product, "id_product_attribute": attribute}
        return self.tables.first("stock_availables", **ids)

    def base(self, product: Row, combination: Row | None) -> Decimal:
        """The net price of the catalogue: a combination's own is added to the product's."""
        return Decimal(product["price"]) + Decimal(combination["price"] if combination else 0)

    def special(self, product: Row, attribute: int, buyer: Row, quantity: int) -> Row | None:
        """The price rule for this buyer and quantity, the most particular one first."""
        wanted = {
            "id_product_attribute": ("0", str(attribute)),
            "id_group": ("0", buyer["id_default_group"]),
            "id_customer": ("0", str(buyer["id"])),
        }
        found = [
            row
            for row in self.tables.where("specific_prices", id_product=product["id"])
            if all(row[name] in values for name, values in wanted.items())
            and int(row["from_quantity"]) <= quantity
        ]
        names = ("id_customer", "id_group", "id_product_attribute", "from_quantity")
        return max(found, key=lambda row: [int(row[name]) for name in names], default=None)

    # -- what people do ----------------------------------------------------------------------------

    def move(self, product: int, attribute: int, pieces: int) -> int:
        """Add pieces to a stock, below nothing too; gives what was there before."""
        row = self.stock_row(product, attribute)
        if row is None:
            return 0
        before = int(row["quantity"])
        row["quantity"] = str(before + pieces)
        self.stock_changed(row)
        return before

    def stock_changed(self, row: Row, *, keeps_sum: bool = False) -> None:
        """Work the sum of all combinations out anew, and tell."""
        product, attribute = int(row["id_product"]), int(row["id_product_attribute"])
        parts = [
            one
            for one in self.tables.where("stock_availables", id_product=product)
            if one["id_product_attribute"] != "0"
        ]
        whole = self.stock_row(product)
        if parts and whole and not keeps_sum:
            whole["quantity"] = str(sum(int(one["quantity"]) for one in parts))
        self._told("stock.changed", product, attribute)

    def change(self, number: int, changes: Json) -> Row:
        """Change stock, name, price, whether it is sold; ``sku`` picks a combination."""
        known(changes, CHANGES, "changes")
        product = self.product(number)
        combination = None
        if "sku" in changes:
            owner, combination = self.find(changes["sku"])
            if owner is not product:
                raise RefusedError(f"{changes['sku']} is not of product {number}")
        attribute = int(combination["id"]) if combination else 0
        if "stock" in changes:
            row = self.stock_row(number, attribute)
            if row is None:
                raise RefusedError(f"no stock is kept of product {number}")
            row["quantity"] = str(int(changes["stock"]))
            self.stock_changed(row)
        if "impact" in changes:
            if combination is None:
                raise RefusedError("only a combination has an impact")
            combination["price"] = price(Decimal(str(changes["impact"])))
            self._told("product.changed", number)
        texts: Row = {name: str(changes[name]) for name in ("name", "active") if name in changes}
        if "price" in changes:
            texts["price"] = self._net(changes["price"], product["id_tax_rules_group"])
        if texts:
            self.product_changed(product, texts)
        return product

    def product_changed(self, product: Row, values: Row) -> None:
        """Write to a product; its date moves."""
        product |= values | {"date_upd": self.tables.local()}
        self._told("product.changed", int(product["id"]))

    def rule_changed(self, rule: Row) -> None:
        """A price rule came, changed or went; a combination's own price is no rule."""
        names = ("id_product", "id_product_attribute", "id_customer")
        self.tell("price.changed", {name: int(rule[name]) for name in names})

    def add_special(self, number: int, rule: Json) -> Row:
        """Give one product another price: a fixed net one, a percentage or an amount off."""
        known(rule, SPECIAL, "price rule")
        product = self.product(number)
        combination = self.find(rule["sku"])[1] if "sku" in rule else None
        values: Json = {"id_product": number, "price": "-1.000000", "reduction_tax": 1}
        values |= {"id_product_attribute": combination["id"] if combination else 0}
        values |= {"id_group": rule.get("group", 0), "id_customer": rule.get("customer", 0)}
        values |= {"from_quantity": rule.get("from_quantity", 1), "from": ZERO_DATE}
        if "price" in rule:
            values["price"] = self._net(rule["price"], product["id_tax_rules_group"])
        if "percent" in rule:
            part = price(Decimal(str(rule["percent"])) / 100)
            values |= {"reduction_type": "percentage", "reduction": part}
        if "amount" in rule:
            values["reduction"] = price(Decimal(str(rule["amount"])))
        row = self.tables.add("specific_prices", values)
        self.rule_changed(row)
        return row

    def delete(self, number: int) -> Row:
        """Take a product away with its combinations and stock; orders keep its number."""
        product = self.product(number)
        for plural in ("combinations", "stock_availables", "specific_prices"):
            for row in self.tables.where(plural, id_product=number):
                del self.tables.rows[plural][int(row["id"])]
        del self.tables.rows["products"][number]
        self._told("product.deleted", number)
        return product

    def product(self, number: int) -> Row:
        """The product of that id."""
        if number not in self.tables.rows["products"]:
            raise RefusedError(f"no product {number}")
        return self.tables.rows["products"][number]

    def _told(self, event: str, product: int, attribute: int = 0) -> None:
        self.tell(event, {"id_product": product, "id_product_attribute": attribute})

    # -- the seed ----------------------------------------------------------------------------------

    def _net(self, given: object, group: str) -> str:
        """A price of a draft or seed as the catalogue keeps it, always net."""
        amount = Decimal(str(given))
        if not self.tables.seed["prices_include_tax"]:
            return price(amount)
        return price(net_of(amount, self.tables.rate_of(group)))

    def _seed(self, given: Json) -> None:
        known(given, PRODUCT, "product")
        tables = self.tables
        group = tables.tax_group(Decimal(str(given.get("tax_rate", tables.seed["tax_rate"]))))
        parts, bundle = given.get("combinations", []), given.get("bundle", [])
        is_virtual = bool(given.get("is_virtual"))
        kind = "virtual" if is_virtual else "standard"
        kind = "combinations" if parts else "pack" if bundle else kind
        facts: Json = {name: given[name] for name in ("ean13", "unity") if name in given}
        facts |= {
            "reference": given["sku"],
            "name": given["name"],
            "link_rewrite": given["sku"].lower(),
            "price": self._net(given["price"], str(group)),
            "id_tax_rules_group": group,
            "product_type": kind,
            "type": "pack" if bundle else "virtual" if is_virtual else "simple",
            "is_virtual": int(is_virtual),
            "cache_is_pack": int(bool(bundle)),
            "weight": price(Decimal(str(given.get("weight", 0)))),
            "minimal_quantity": given.get("minimal_quantity", 1),
            "active": int(given.get("active", True)),
            "position_in_category": 0,
            "quantity": 0,
        }
        facts |= dict.fromkeys(("date_add", "date_upd"), tables.local(OPENED))
        product = tables.add("products", FRESH | facts, given.get("id"))
        product["_bundle"] = bundle
        number = int(product["id"])
        self._stock(number, 0, int(given.get("stock", 100)))
        for place, part in enumerate(parts):
            self._seed_combination(product, part, is_first=place == 0)
        if parts:
            rows = tables.where("stock_availables", id_product=number)[1:]
            rows_sum = sum(int(row["quantity"]) for row in rows)
            tables.where("stock_availables", id_product=number)[0]["quantity"] = str(rows_sum)

    def _seed_combination(self, product: Row, given: Json, *, is_first: bool) -> None:
        known(given, COMBINATION, "combination")
        facts = {
            "id_product": product["id"],
            "reference": given["sku"],
            "price": price(Decimal(str(given.get("impact", 0)))),
            "ean13": given.get("ean13", ""),
            "weight": price(Decimal(str(given.get("weight", 0)))),
            "minimal_quantity": given.get("minimal_quantity", 1),
            "default_on": int(is_first),
        }
        row = self.tables.add("combinations", facts, given.get("id"))
        row["_name"] = given.get("name", given["sku"])
        if is_first:
            defaults = ("id_default_combination", "cache_default_attribute")
            product |= dict.fromkeys(defaults, str(row["id"]))
        self._stock(int(product["id"]), int(row["id"]), int(given.get("stock", 100)))

    def _stock(self, product: int, attribute: int, quantity: int) -> None:
        ids = {"id_product": product, "id_product_attribute": attribute, "id_shop": 1}
        self.tables.add("stock_availables", ids | {"quantity": quantity, "out_of_stock": 2})

    def lists(self, product: Row) -> dict[str, list[Row]]:
        """What stands inside a product."""
        number = product["id"]
        ids = self.tables.where
        bundle = []
        for part in product.get("_bundle", []):
            owner, combination = self.find(part["sku"])
            attribute = str(combination["id"]) if combination else "0"
            inner = {"id": str(owner["id"]), "id_product_attribute": attribute}
            bundle.append(inner | {"quantity": str(part["quantity"])})
        return {
            "categories": [{"id": product["id_category_default"]}],
            "combinations": [
                {"id": str(row["id"])} for row in ids("combinations", id_product=number)
            ],
            "stock_availables": [
                {"id": str(row["id"]), "id_product_attribute": row["id_product_attribute"]}
                for row in ids("stock_availables", id_product=number)
            ],
            "product_bundle": bundle,
        }
