"""Products, their stock by source, and what is reserved of it, in the sandbox shop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from platforms.magento.sandbox_values import NULL, ZERO, Json, RefusedError, decimal, known

FIRST_PRODUCT = 51
PLENTY = 10_000
OPENED = "2026-01-01 00:00:00"
"""Products are older than whatever happens to them."""
TYPES = {"simple", "virtual", "configurable", "bundle"}
COMPOSITE = {"configurable", "bundle"}
PRODUCT = set(
    "id sku name price type children is_dynamic stock status weight special_price tier_prices"
    " attributes tax_class_id".split()
)
CHANGES = set("name price status stock special_price tier_prices attributes".split())
FLAGS: Json = {
    "is_qty_decimal": False,
    "show_default_notification_message": False,
    "use_config_min_qty": True,
    "min_qty": 0,
    "use_config_min_sale_qty": 1,
    "min_sale_qty": 1,
    "use_config_max_sale_qty": True,
    "max_sale_qty": 10000,
    "use_config_backorders": True,
    "backorders": 0,
    "use_config_notify_stock_qty": True,
    "notify_stock_qty": 1,
    "use_config_qty_increments": True,
    "qty_increments": 0,
    "use_config_enable_qty_inc": True,
    "enable_qty_increments": False,
    "use_config_manage_stock": True,
    "manage_stock": True,
    "low_stock_date": NULL,
    "is_decimal_divided": False,
    "stock_status_changed_auto": 0,
}


class Catalogue:
    """What the shop sells and how much of it there is.

    Args:
        seed: ``products`` and ``sources``.
        now: gives the time as the shop writes it.
        notify: tells of one change: event, entity id, what people call it, its time.
    """

    def __init__(
        self,
        seed: Json,
        now: Callable[[], str],
        notify: Callable[[str, int, str, Json], None],
    ) -> None:
        self._now = now
        self._notify = notify
        self.sources: list[str] = list(seed["sources"])
        self.products: dict[str, Json] = {}
        self.rows: dict[tuple[str, str], Json] = {}
        self._reserved: Counter[str] = Counter()
        for place, given in enumerate(seed["products"]):
            self._add(given, FIRST_PRODUCT + place)

    def find(self, sku: str) -> Json | None:
        """A product by SKU, in any letter case."""
        return self.products.get(sku.lower())

    def get(self, sku: str) -> Json:
        """A product, or a refusal."""
        if found := self.find(sku):
            return found
        raise RefusedError(f"no product {sku}")

    def change(self, sku: str, changes: Json) -> Json:
        """What somebody changes at a product; stock alone does not move its date."""
        known(changes, CHANGES, "changes")
        product = self.get(sku)
        if "stock" in changes:
            self.set_stock(sku, self.sources[0], decimal(changes["stock"]))
        if set(changes) - {"stock"}:
            self._apply(product, changes)
            product["updated_at"] = self._now()
            self._notify("product.saved", product["id"], product["sku"], product)
        return product

    def delete(self, sku: str) -> Json:
        """Take a product away; lines of orders keep its number."""
        product = self.get(sku)
        del self.products[sku.lower()]
        self._notify("product.deleted", product["id"], product["sku"], product)
        return product

    # -- stock -------------------------------------------------------------------------------------

    def set_stock(self, sku: str, source: str, quantity: Decimal, status: int = 1) -> None:
        """Write one row; nobody asks whether the SKU exists."""
        known_sku = (self.find(sku) or {"sku": sku})["sku"]
        row = {"sku": known_sku, "source_code": source, "quantity": quantity, "status": status}
        self.rows[sku.lower(), source] = row
        if product := self.find(sku):
            told = {"updated_at": self._now(), "_stock": quantity}
            self._notify("stock.saved", product["id"], product["sku"], product | told)

    def take(self, sku: str, source: str, quantity: Decimal) -> None:
        """Ship goods, or put some back with a quantity below zero."""
        row = self.rows.get((sku.lower(), source))
        if row is None or row["quantity"] < quantity:
            raise RefusedError("Not all of your products are available in the requested quantity")
        self.set_stock(sku, source, row["quantity"] - quantity, row["status"])

    def reserve(self, sku: str, quantity: Decimal) -> None:
        """Promise goods to an order, or free them with a quantity below zero."""
        self._reserved[sku.lower()] += quantity  # type: ignore[assignment]  # quantities are decimal

    def has(self, sku: str, source: str, quantity: Decimal) -> bool:
        """Whether a source holds that much."""
        held: Decimal = self.rows.get((sku.lower(), source), {"quantity": ZERO})["quantity"]
        return held >= quantity

    def salable(self, sku: str) -> Decimal:
        """What the sources hold without what is promised, never below nothing."""
        rows = (row for (of, _), row in self.rows.items() if of == sku.lower())
        held = sum((row["quantity"] for row in rows if row["status"]), ZERO)
        return max(held - self._reserved[sku.lower()], ZERO)

    # -- bodies ------------------------------------------------------------------------------------

    def body(self, product: Json, *, is_listed: bool) -> Json:
        """What REST shows of one; lists leave its stock out."""
        extension: Json = {"website_ids": [1], "category_links": []}
        if not is_listed:
            held = self.rows.get((product["sku"].lower(), self.sources[0]), {"quantity": ZERO})
            number = product["id"]
            extension["stock_item"] = {
                "item_id": number,
                "product_id": number,
                "stock_id": 1,
                "qty": held["quantity"],
                "is_in_stock": product["type_id"] in COMPOSITE or held["quantity"] > 0,
            } | FLAGS
        return product | {"extension_attributes": extension}

    def _add(self, given: Json, number: int) -> None:
        known(given, PRODUCT, "product")
        kind = given.get("type", "simple")
        if kind not in TYPES:
            raise RefusedError(f"no such type: {kind}")
        name: str = given.get("name") or given["sku"]
        product: Json = {
            "id": given.get("id", number),
            "sku": given["sku"],
            "name": name,
            "attribute_set_id": 4,
            "price": None,
            "status": 1,
            "visibility": 4,
            "type_id": kind,
            "created_at": OPENED,
            "updated_at": OPENED,
            "weight": decimal(given.get("weight", 1)) if kind not in COMPOSITE else None,
            "extension_attributes": {},
            "product_links": [],
            "options": [],
            "media_gallery_entries": [],
            "tier_prices": [],
            "custom_attributes": [],
            "_children": given.get("children", []),
            "_is_dynamic": given.get("is_dynamic", True),
        }
        self.products[given["sku"].lower()] = product
        attributes: Json = {
            "options_container": "container2",
            "required_options": "0",
            "has_options": "0",
            "url_key": name.lower().replace(" ", "-"),
            "tax_class_id": str(given.get("tax_class_id", 2)),
        }
        self._apply(product, given | {"attributes": attributes | given.get("attributes", {})})
        if kind not in COMPOSITE:
            first = decimal(given.get("stock", PLENTY))
            row = {"sku": given["sku"], "source_code": self.sources[0], "quantity": first}
            self.rows[given["sku"].lower(), self.sources[0]] = row | {"status": int(first > 0)}

    def _apply(self, product: Json, given: Json) -> None:
        # A price inside the bundle's parts is no price of its own.
        has_price = product["type_id"] not in COMPOSITE or not product["_is_dynamic"]
        if "price" in given and has_price:
            product["price"] = decimal(given["price"])
        for name in ("name", "status"):
            product[name] = given.get(name, product[name])
        attributes = {one["attribute_code"]: one["value"] for one in product["custom_attributes"]}
        attributes |= given.get("attributes", {})
        if "special_price" in given:
            attributes["special_price"] = given["special_price"]
            if given["special_price"] is not None:
                attributes["special_price"] = f"{decimal(given['special_price']):.6f}"
        product["custom_attributes"] = [
            {"attribute_code": name, "value": value}
            for name, value in attributes.items()
            if value is not None
        ]
        if "tier_prices" in given:
            product["tier_prices"] = [
                {
                    "customer_group_id": one.get("customer_group_id", 32000),
                    "qty": decimal(one["qty"]),
                    "value": decimal(one["value"]),
                    "extension_attributes": {"website_id": 0},
                }
                for one in given["tier_prices"]
            ]


def columns(product: Json) -> Json:
    """What a product can be found by."""
    row: Json = {one["attribute_code"]: one["value"] for one in product["custom_attributes"]}
    names = "sku name price attribute_set_id status visibility type_id created_at updated_at weight"
    return row | {"entity_id": product["id"]} | {name: product[name] for name in names.split()}


COLUMNS = set(
    "entity_id sku name price attribute_set_id status visibility type_id created_at updated_at"
    " weight store_id website_id category_id url_key tax_class_id special_price special_from_date"
    " special_to_date description color has_options required_options".split()
)
