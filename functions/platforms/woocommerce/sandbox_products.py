"""Products of the sandbox store, in the vendor's shape, and what people do with them."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

FIRST_ID = 51
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
"""Products are older than whatever happens to them."""
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}
STATUSES = ("any", "future", "trash", "draft", "pending", "private", "publish")
"""What a list can be asked for; ``any`` leaves the bin out."""
TYPES = ("simple", "grouped", "external", "variable")
ROW = set("sku name price sale_price id stock parent_id option status tax_status tax_class".split())
CHANGES = {"stock", "price", "sale_price", "name", "status"}
BELOW = (
    "id date_created date_created_gmt date_modified date_modified_gmt description permalink sku"
    " global_unique_id price regular_price sale_price date_on_sale_from date_on_sale_from_gmt"
    " date_on_sale_to date_on_sale_to_gmt on_sale status purchasable virtual downloadable downloads"
    " download_limit download_expiry tax_status tax_class manage_stock stock_quantity stock_status"
    " backorders backorders_allowed backordered low_stock_amount weight dimensions shipping_class"
    " shipping_class_id attributes menu_order meta_data parent_id".split()
)
"""What a variation shows below its parent: fewer fields than by its own number, no ``type``."""


class RefusedError(ValueError):
    """The store would not do this, or the request for it is malformed."""


def known(given: Json, keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error in a test is seen."""
    if unknown := set(given) - keys:
        raise RefusedError(f"unknown in {what}: {', '.join(sorted(unknown))}")


def stamp(body: Json, name: str, at: datetime | None, offset: str) -> None:
    """The store's own time beside UTC, neither with its offset, in whole seconds."""
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
    for key, of in ((name, zone), (f"{name}_gmt", UTC)):
        body[key] = at and f"{at.astimezone(of):%Y-%m-%dT%H:%M:%S}"


class Catalogue:
    """Products and variations by id, made from rows as the seed's.

    A row with ``parent_id`` is a variation, and what has variations is ``variable``. Without
    ``stock`` a product keeps no count, and a variation shares its parent's if that keeps one.

    Args:
        seed: what the store is like.
        clock: gives the time.
        notify: sends one webhook: topic, subject, body.
    """

    def __init__(
        self,
        seed: Json,
        clock: Callable[[], datetime],
        notify: Callable[[str, int, Json], None],
    ) -> None:
        self._seed = seed
        self._clock = clock
        self._notify = notify
        self._before_bin: dict[int, str] = {}
        self.products: dict[int, Json] = {}
        for place, row in enumerate(seed["products"]):
            self._add(row, FIRST_ID + place, OPENED)
        self._next_id = max(self.products, default=FIRST_ID - 1) + 1
        for product in self.products.values():
            self._settle(product)

    # -- what people do ----------------------------------------------------------------------------

    def create(self, row: Json) -> Json:
        """Add a product or a variation; its parent's date moves with it."""
        known(row, ROW, "product")
        if row["sku"] and self.by_sku(row["sku"]):
            raise RefusedError("Invalid or duplicated SKU.")
        if row.get("parent_id", 0) not in {0, *self.products}:
            raise RefusedError(f"no product {row['parent_id']}")
        product = self._add(row, self._next_id, self._clock())
        self._next_id = max(self._next_id, product["id"]) + 1
        self.changed(product["id"], "created")
        return copy.deepcopy(product)

    def change(self, product_id: int, changes: Json) -> Json:
        """Set what is given, even to what it was; a stock of null is no longer counted."""
        known(changes, CHANGES, "changes")
        product = self._found(product_id)
        if changes.get("status", "publish") not in STATUSES[3:]:
            raise RefusedError(f"no such status: {changes['status']}")
        if "stock" in changes:
            count = changes["stock"]
            product |= {"manage_stock": count is not None, "stock_quantity": count}
            if count is None:
                product["stock_status"] = "instock"
        product |= {name: changes[name] for name in ("name", "status") if name in changes}
        if "price" in changes:
            product["regular_price"] = changes["price"]
        product["sale_price"] = changes.get("sale_price", product["sale_price"])
        self.changed(product_id)
        return copy.deepcopy(product)

    def trash(self, product_id: int, *, is_forced: bool = False) -> Json:
        """Put a product and its variations into the bin; erasing sends nothing."""
        product = self._found(product_id)
        if is_forced:
            for one in (product, *self._variations(product)):
                del self.products[one["id"]]
            return {"id": product_id}
        if product["status"] == "trash":
            raise RefusedError("The product has already been deleted.")
        for one in (product, *self._variations(product)):
            if one["status"] != "trash":
                self._before_bin[one["id"]] = one["status"]
                one["status"] = "trash"
                stamp(one, "date_modified", self._clock(), self._seed["time_offset"])
        # Whether its variations are told as well is unconfirmed.
        self._notify("product.deleted", product_id, {"id": product_id})
        return {"id": product_id}

    def restore(self, product_id: int) -> Json:
        """Take a product and its variations out of the bin, in the status they had."""
        product = self._found(product_id)
        if product["status"] != "trash":
            raise RefusedError("The product is not in the bin.")
        while product["sku"] and self.by_sku(product["sku"]):
            # Somebody took the code meanwhile.
            product["sku"] += "-1"
        for one in (product, *self._variations(product)):
            one["status"] = self._before_bin.pop(one["id"], one["status"])
            stamp(one, "date_modified", self._clock(), self._seed["time_offset"])
        self._notify("product.restored", product_id, product)
        return copy.deepcopy(product)

    # -- what orders need of it --------------------------------------------------------------------

    def by_sku(self, sku: str | None) -> Json | None:
        """What is sold under a code; nothing in the bin is."""
        rows = self.products.values()
        found = (one for one in rows if one["sku"] == sku and one["status"] != "trash")
        return next(found, None) if sku else None

    def counted(self, product_id: int) -> Json | None:
        """The product that keeps the count of this one: itself, its parent, or none."""
        product = self.products.get(product_id, {"manage_stock": False})
        if product["manage_stock"] == "parent":
            product = self.products[product["parent_id"]]
        return product if product["manage_stock"] else None

    def changed(self, product_id: int, event: str = "updated") -> None:
        """The dates of a variation and its parent move, and only the variation is told."""
        self._touch(self.products[product_id])
        self._notify(f"product.{event}", product_id, self.products[product_id])

    def move(self, variation: Json, parent: int) -> None:
        """Put a variation below another product; nobody is told of the one it leaves."""
        left, variation["parent_id"] = self.products[variation["parent_id"]], parent
        self._settle(left)

    # -- how it is kept ----------------------------------------------------------------------------

    def _found(self, product_id: int) -> Json:
        if product_id not in self.products:
            raise RefusedError(f"no product {product_id}")
        return self.products[product_id]

    def _variations(self, product: Json) -> list[Json]:
        return [one for one in self.products.values() if one["parent_id"] == product["id"]]

    def _add(self, row: Json, number: int, at: datetime) -> Json:
        product = _product(row, number, self._seed)
        for name in ("date_created", "date_modified"):
            stamp(product, name, at, self._seed["time_offset"])
        self.products[product["id"]] = product
        return product

    def _touch(self, product: Json) -> None:
        parent = self.products.get(product["parent_id"])
        for one in (product, *([parent] if parent else [])):
            self._settle(one)
            stamp(one, "date_modified", self._clock(), self._seed["time_offset"])

    def _settle(self, product: Json) -> None:
        """Write what follows from the rest: prices, stock and the parts of a variable product."""
        below = self._variations(product)
        for one in (*below, product):
            self._follow(one)
        product["variations"] = [one["id"] for one in below]
        if not below:
            return
        prices = [Decimal(one["price"]) for one in below if one["price"]]
        product |= {"type": "variable", "has_options": True, "regular_price": "", "sale_price": ""}
        product["price"] = f"{min(prices):.2f}" if prices else ""
        product |= {"purchasable": bool(prices), "price_html": self._html(product["price"])}
        options = [one["option"] for part in below for one in part["attributes"]]
        product["attributes"] = [_attribute() | {"position": 0, "visible": True, "variation": True}]
        product["attributes"][0]["options"] = options
        if not product["manage_stock"]:
            is_out = all(one["stock_status"] == "outofstock" for one in below)
            product["stock_status"] = "outofstock" if is_out else "instock"

    def _follow(self, product: Json) -> None:
        """The price is the offer's where there is one below the regular; status follows stock."""
        regular, offer = product["regular_price"], product["sale_price"]
        if offer and not (regular and Decimal(offer) < Decimal(regular)):
            product["sale_price"] = offer = ""
        price = offer or regular
        product |= {"price": price, "on_sale": bool(offer), "purchasable": bool(price)}
        product["price_html"] = self._html(price)
        parent = self.products.get(product["parent_id"])
        if parent and product["manage_stock"] is not True:
            shares = parent["manage_stock"] is True
            product["manage_stock"] = "parent" if shares else False
            product["stock_quantity"] = parent["stock_quantity"] if shares else None
        can_wait = product["backorders"] in {"notify", "yes"}
        if product["manage_stock"]:
            out = "onbackorder" if can_wait else "outofstock"
            product["stock_status"] = "instock" if (product["stock_quantity"] or 0) > 0 else out
        else:
            # What is not counted is in stock or not as somebody says, and never ordered in advance.
            product |= {"stock_quantity": None, "backorders": "no"}
            can_wait = False
        is_short = product["stock_quantity"] is not None and product["stock_quantity"] < 0
        is_waited_for = product["stock_status"] == "onbackorder" or (can_wait and is_short)
        product |= {"backorders_allowed": can_wait, "backordered": is_waited_for}

    def _html(self, price: str) -> str:
        sign = SYMBOLS.get(self._seed["currency"], self._seed["currency"])
        return f"<span>{sign}{price}</span>" if price else ""


def below(product: Json) -> Json:
    """A variation in the list of its parent's: named by its options only."""
    shown = {name: product[name] for name in BELOW}
    options = ", ".join(one["option"] for one in product["attributes"])
    return shown | {"image": None, "name": options}


def taken(products: dict[int, Json], query: Any, parent: int) -> Iterator[Json]:
    """What a list call means: variations only when a SKU is asked for, or below their parent."""
    skus = query.get("sku", "").lower().split(",")
    part, kind = query.get("search_sku", "").lower(), query.get("type")
    for one in products.values():
        code = one["sku"].lower()
        if any(skus) or part:
            is_meant = (code in skus or not any(skus)) and part in code
        else:
            is_meant = one["parent_id"] == parent
        if is_meant and parent in (0, one["parent_id"]) and kind in (None, one["type"]):
            yield one


def _attribute() -> Json:
    return {"id": 0, "name": "Pack", "slug": "pack"}


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _product(row: Json, number: int, seed: Json) -> Json:
    """What REST and webhooks show of one; its dates are set by the catalogue."""
    parent, name, price = row.get("parent_id", 0), row["name"], str(row.get("price", ""))
    family, _, last = name.rpartition(" - ")
    option = row.get("option") or last
    page = f"{_slug(family)}/?attribute_pack={option}" if parent else f"{_slug(name)}/"
    unset = "date_on_sale_from date_on_sale_from_gmt date_on_sale_to date_on_sale_to_gmt".split()
    return {
        "id": row.get("id", number),
        "name": name,
        "slug": _slug(name),
        "permalink": f"{seed['store']}product/{page}",
        "type": "variation" if parent else "simple",
        "status": row.get("status", "publish"),
        "featured": False,
        "catalog_visibility": "visible",
        "description": "",
        "short_description": "",
        "sku": row["sku"],
        "price": price,
        "regular_price": price,
        "sale_price": row.get("sale_price", ""),
        **dict.fromkeys(unset),
        "on_sale": False,
        "purchasable": True,
        # A number, and of a variation as text.
        "total_sales": "0" if parent else 0,
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "external_url": "",
        "button_text": "",
        "tax_status": row.get("tax_status", "taxable"),
        "tax_class": row.get("tax_class", ""),
        "manage_stock": row.get("stock") is not None,
        "stock_quantity": row.get("stock"),
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
        "sold_individually": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_required": True,
        "shipping_taxable": True,
        "shipping_class": "",
        "shipping_class_id": 0,
        "reviews_allowed": not parent,
        "average_rating": "0.00",
        "rating_count": 0,
        **{name: [] for name in ("upsell_ids", "cross_sell_ids")},
        "parent_id": parent,
        "purchase_note": "",
        **{name: [] for name in ("categories", "brands", "tags", "images")},
        "attributes": [_attribute() | {"option": option}] if parent else [],
        **{name: [] for name in ("default_attributes", "variations", "grouped_products")},
        "menu_order": 0,
        "price_html": "",
        "related_ids": [],
        "meta_data": [],
        "stock_status": "instock",
        "has_options": False,
        "post_password": "",
        "global_unique_id": "",
    }
