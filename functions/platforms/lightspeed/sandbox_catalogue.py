"""What a sandbox shop consists of before anybody buys: outlets, taxes, products, stock, prices."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from platforms.lightspeed.sandbox_shapes import ZERO, Json, RefusedError, five, known, number, stamp

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
"""The shop is older than whatever happens in it."""
PRODUCT = set(
    "sku name price id stock cost components pack description active reorder_point"
    " reorder_amount".split()
)
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "NZD": "$"}
STEP = 3
"""Versions rise, and leave gaps: other tables of the vendor count with the same counter."""
TABLES = (
    "outlets registers users payment_types taxes customer_groups products inventory customers"
    " price_books price_book_products consignments".split()
)
WALK_IN = "WALKIN"


class Catalogue:
    """Every table of one retailer but its sales, each row in the vendor's shape, by id.

    Args:
        seed: what the shop is like.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self._ids = itertools.count(int(seed["first_id"]))
        self._versions = itertools.count(int(seed["first_version"]), STEP)
        self.tables: dict[str, dict[str, Json]] = {name: {} for name in TABLES}
        self.consigned: dict[str, list[Json]] = {}
        self.retailer_id = self.new_id()
        self._open_shop()
        self._stock_shelves()
        self._price()
        self.walk_in = self.add_customer({"code": WALK_IN})

    # -- rows --------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """An id nobody had."""
        return f"0af7b240-ab84-11f1-a0f5-{next(self._ids):012x}"

    def next_version(self) -> int:
        """The next number of the counter that all tables share."""
        return next(self._versions)

    def add(self, table: str, row: Json, at: datetime = OPENED) -> Json:
        """Keep a new row with its id, times and version."""
        row_id = row.get("id") or self.new_id()
        full = {"id": row_id} | row | {"id": row_id}
        full |= {"created_at": stamp(at), "updated_at": stamp(at), "deleted_at": None}
        full["version"] = self.next_version()
        self.tables[table][full["id"]] = full
        return full

    def touch(self, row: Json) -> None:
        """A row changed: it moves to the end of the feed."""
        row |= {"updated_at": stamp(self.clock()), "version": self.next_version()}

    def first(self, table: str) -> Json:
        """The row a shop with one of each would use."""
        return next(iter(self.tables[table].values()))

    def row(self, table: str, row_id: str) -> Json:
        """The row of that id, or RefusedError."""
        if row_id not in self.tables[table]:
            raise RefusedError(f"no such row in {table}: {row_id}")
        return self.tables[table][row_id]

    def product(self, sku: Any) -> Json:
        """The product with that SKU, or RefusedError: a line without one cannot be rung up."""
        for one in self.tables["products"].values():
            if one["sku"] == sku and not one["deleted_at"]:
                return one
        raise RefusedError(f"no product {sku}")

    def levels(self, product_id: str) -> list[Json]:
        """The levels of a product, one for each outlet; none if nobody counts it."""
        return [x for x in self.tables["inventory"].values() if x["product_id"] == product_id]

    # -- taxes -------------------------------------------------------------------------------------

    def tax(self, rate: Any = None) -> Json:
        """The tax of that many percent, made when it is new; without one the shop's own."""
        part = Decimal(str(self.seed["tax_rate"] if rate is None else rate)) / 100
        for one in self.tables["taxes"].values():
            if Decimal(str(one["rates"][0]["rate"])) == part:
                return one
        name = f"VAT {(part * 100).normalize():f}%" if part else "No Tax"
        share = {"id": self.new_id(), "name": name, "rate": number(part), "display_name": name}
        row: Json = {"name": name, "rates": [share], "display_name": name}
        return self.add("taxes", row | {"is_default": not self.tables["taxes"]})

    def split(self, price: Decimal, rate: Any, included: bool) -> tuple[Decimal, Decimal]:
        """Net and tax of a price; what the shop keeps is always net, with five decimals."""
        part = Decimal(str(self.tax(rate)["rates"][0]["rate"]))
        if not included:
            return five(price), five(price * part)
        net = five(price / (1 + part))
        return net, five(price) - net

    # -- customers ---------------------------------------------------------------------------------

    def add_customer(self, given: Json) -> Json:
        """Open a customer's account; the shop makes a code where none is given."""
        known(given, set("email first_name last_name company phone code limit".split()), "customer")
        place = len(self.tables["customers"])
        first, last = given.get("first_name"), given.get("last_name")
        code = given.get("code") or f"{(first or given.get('company') or 'UNNAMED')}-{place:04X}"
        row: Json = {
            "customer_code": code,
            "name": " ".join(part for part in (first, last) if part) or None,
            "first_name": first,
            "last_name": last,
            "email": given.get("email"),
            "company_name": given.get("company"),
            "phone": given.get("phone"),
            "note": None,
            "gender": None,
            "date_of_birth": None,
            "customer_group_id": self.first("customer_groups")["id"],
            "do_not_email": False,
            "enable_loyalty": code != WALK_IN,
            "on_account_limit": given.get("limit"),
            "year_to_date": 0,
            "balance": 0,
            "loyalty_balance": 0,
        }
        return self.add("customers", row, OPENED if code == WALK_IN else self.clock())

    # -- the shop before it opens ------------------------------------------------------------------

    def _open_shop(self) -> None:
        self.tax()
        self.tax(0)
        display = "inclusive" if self.seed["prices_include_tax"] else "exclusive"
        for name in self.seed["outlets"]:
            place: Json = {
                "name": name,
                "default_tax_id": self.tax()["id"],
                "currency": self.seed["currency"],
                "currency_symbol": SYMBOLS.get(self.seed["currency"], self.seed["currency"]),
                "display_prices": display,
                "time_zone": "Europe/London",
                "physical_address_1": "1 Dock Road",
                "physical_address_2": "",
                "physical_suburb": "",
                "physical_city": "Leeds",
                "physical_postcode": "LS1 1AA",
                "physical_state": "",
                "physical_country_id": "GB",
                "attributes": [],
            }
            self.add("outlets", place)
        for place_ in range(int(self.seed["registers"])):
            register = {
                "name": f"Till {place_ + 1}",
                "outlet_id": self.first("outlets")["id"],
                "ask_for_note_on_save": 1,
                "print_note_on_receipt": False,
                "ask_for_user_on_sale": False,
                "show_discounts_on_receipts": True,
                "print_receipt": True,
                "email_receipt": False,
                "invoice_prefix": self.seed["invoice_prefix"],
                "invoice_suffix": "",
                "invoice_sequence": int(self.seed["first_invoice"]),
                "is_open": True,
                "register_open_time": stamp(OPENED),
                "register_open_sequence_id": self.new_id(),
            }
            self.add("registers", register)
        user: Json = {"username": "ada", "display_name": "Ada Quill", "email": "ada@fizz.example"}
        user |= {"account_type": "admin", "is_primary_user": True, "enabled": True}
        self.add("users", user)
        for place_, name in enumerate(self.seed["payment_types"]):
            self.add("payment_types", {"name": name, "type_id": place_ + 1})
        self.add("customer_groups", {"name": "All Customers", "group_id": "1111111111"})
        for name in self.seed["customer_groups"]:
            self.add("customer_groups", {"name": name, "group_id": f"{name}-Y968"})

    def _stock_shelves(self) -> None:
        for given in self.seed["products"]:
            known(given, PRODUCT, "product")
            self.add("products", self._product(given))
        for given in self.seed["products"]:
            row = self.product(given["sku"])
            row |= self._made_of(given)
            if given.get("stock") is not None:
                self._count(row, given)

    def _product(self, given: Json) -> Json:
        included = bool(self.seed["prices_include_tax"])
        net, tax = self.split(Decimal(str(given.get("price", 0))), None, included)
        name = given["name"]
        return {
            "id": given.get("id"),
            "name": name,
            "variant_name": name,
            "description": given.get("description", ""),
            "handle": given["sku"].lower(),
            "sku": given["sku"],
            "source": "USER",
            "active": given.get("active", True),
            "is_active": given.get("active", True),
            "has_inventory": given.get("stock") is not None,
            "has_variants": False,
            "supply_price": number(Decimal(str(given.get("cost", 0)))),
            "price_excluding_tax": number(net),
            "price_including_tax": number(net + tax),
            "type": {},
            "supplier": {},
            "brand": {},
            "variant_options": [],
            "categories": [],
            "images": [],
            "tag_ids": [],
            "attributes": [],
            "button_order": 0,
            "image_url": "https://images.example/no-image-white-standard.png",
            "image_thumbnail_url": "https://images.example/no-image-white-thumb.png",
            "product_codes": [{"id": self.new_id(), "type": "CUSTOM", "code": given["sku"]}],
            "product_suppliers": [],
        }

    def _made_of(self, given: Json) -> Json:
        """A case of singles, or something put together at the till: by id, not by SKU."""
        row = self.product(given["sku"])
        parts = [
            {"product_id": self.product(one["sku"])["id"], "quantity": one["quantity"]}
            for one in given.get("components", [])
        ]
        made: Json = {"is_composite": bool(parts)}
        if parts:
            made["composites"] = parts
        if pack := given.get("pack"):
            single = self.product(pack["sku"])["id"]
            link = {"source_product_id": row["id"], "destination_product_id": single}
            made["packaging"] = [link | {"amount": pack["amount"]}]
        return made

    def _count(self, product: Json, given: Json) -> None:
        stock = given["stock"]
        for place, outlet in enumerate(self.tables["outlets"].values()):
            level = stock.get(outlet["name"], 0) if isinstance(stock, dict) else stock
            row = {
                "product_id": product["id"],
                "outlet_id": outlet["id"],
                "inventory_level": level if isinstance(stock, dict) or not place else 0,
                "average_cost": product["supply_price"],
                "reorder_point": given.get("reorder_point"),
                "reorder_amount": given.get("reorder_amount"),
            }
            self.add("inventory", row)

    def _price(self) -> None:
        groups = {one["name"]: one["id"] for one in self.tables["customer_groups"].values()}
        everybody = self.first("customer_groups")["id"]
        base = {"name": "General Price Book (All Products)", "type": "BASE"}
        self.add("price_books", base | {"customer_group_id": everybody})
        for given in self.seed["price_books"]:
            book = {"name": given["name"], "type": "GENERAL"}
            book["customer_group_id"] = groups[given["customer_group"]]
            book_id = self.add("price_books", book)["id"]
            for one in given["prices"]:
                entry = {"product_id": self.product(one["sku"])["id"], "price_book_id": book_id}
                entry |= {"price": one["price"], "tax_id": self.tax()["id"]}
                entry |= {name: one[name] for name in ("min_units", "max_units") if name in one}
                self.add("price_book_products", entry)

    # -- who the retailer is -----------------------------------------------------------------------

    def retailer(self) -> Json:
        """The one place that names the currency."""
        code = self.seed["currency"]
        return {
            "id": self.retailer_id,
            "domain_prefix": self.seed["domain_prefix"],
            "store_url": f"https://{self.seed['domain_prefix']}.retail.lightspeed.app",
            "account_status": "active",
            "account_type": "plus",
            "name": "Fizz Depot",
            "country": "GB",
            "currency": {"code": code, "symbol": SYMBOLS.get(code, code)},
            "culture": "en-GB",
            "timezone": "Europe/London",
            "tax_exclusive": not self.seed["prices_include_tax"],
            "no_tax_group_id": self.tax(0)["id"],
            "store_credit": False,
            "created_at": f"{OPENED:%Y-%m-%dT%H:%M:%SZ}",
            "activated_at": None,
            "version": str(self.seed["first_version"]),
        }

    def move(self, product_id: str, outlet_id: str, by: Decimal) -> list[Json]:
        """Change the count of a product, or of what it is put together from; what moved."""
        product = self.tables["products"][product_id]
        parts = product.get("composites", [])
        moved = [
            row
            for part in parts
            for row in self.move(part["product_id"], outlet_id, by * Decimal(str(part["quantity"])))
        ]
        for row in [] if parts else self.levels(product_id):
            if row["outlet_id"] == outlet_id and by != ZERO:
                row["inventory_level"] = number(Decimal(str(row["inventory_level"])) + by)
                self.touch(row)
                moved.append(row)
        return moved
