"""Products, variants, stock and price lists of the sandbox store."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from platforms.bigcommerce import sandbox_products as shapes
from platforms.bigcommerce.sandbox_products import OPENED
from platforms.bigcommerce.sandbox_shapes import (
    ZERO,
    GoneError,
    Json,
    RefusedError,
    known,
    number,
    offset,
    plain,
    whole,
    zulu,
)

Notify = Callable[[str, str, Any], None]

FIRST_ID = 111
FIRST_VARIANT = 77
FIRST_SKU = 461
ROW = set(
    "sku name price id variant_id stock tracking type upc cost_price warning variants".split()
)
VARIANT_ROW = {"sku", "label", "price", "stock", "variant_id", "upc"}
CHANGES = {"stock", "price", "name", "location_id"}
PRODUCT_WRITE = set(
    "id name type sku description weight width depth height price cost_price retail_price"
    " sale_price map_price tax_class_id categories brand_id inventory_level inventory_warning_level"
    " inventory_tracking is_visible upc mpn gtin availability".split()
)
VARIANT_WRITE = set(
    "id cost_price price sale_price retail_price weight width height depth is_free_shipping"
    " fixed_cost_shipping_price purchasing_disabled purchasing_disabled_message upc mpn gtin"
    " inventory_level inventory_warning_level bin_picking_number".split()
)
RECORD = set(
    "variant_id sku currency price sale_price retail_price map_price bulk_pricing_tiers".split()
)
TIER = {"quantity_min", "quantity_max", "type", "amount"}
PRICES = {"price", "cost_price", "sale_price", "retail_price"}
ADJUSTED_BY = ("sku", "variant_id", "product_id")


class Catalogue:
    """What the store sells, how much of it there is, and for whom it costs what.

    Args:
        seed: what the store is like: ``products``, ``locations``, ``price_lists``, ``channel_id``.
        clock: gives the time.
        notify: sends one webhook: scope, subject, data.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self.products: dict[int, Json] = {}
        self.variants: dict[int, Json] = {}
        self.onhand: dict[tuple[int, int], int] = {}
        self.safety: dict[tuple[int, int], int] = {}
        self.price_lists: dict[int, Json] = {}
        self.records: dict[tuple[int, int, str], Json] = {}
        self.locations = {row["id"]: shapes.location(row) for row in seed["locations"]}
        self._ids = itertools.count(FIRST_ID)
        self._variant_ids = itertools.count(FIRST_VARIANT)
        self._sku_ids = itertools.count(FIRST_SKU)
        for row in seed["products"]:
            self._stock_up(row)
        for row in seed["price_lists"]:
            dates = dict.fromkeys(("date_created", "date_modified"), zulu(OPENED))
            made = {"id": row["id"], "name": row["name"], "active": row.get("active", True)}
            self.price_lists[row["id"]] = made | dates

    # -- what people and calls do ------------------------------------------------------------------

    def by_sku(self, sku: Any) -> Json | None:
        """The variant of that SKU, if the store sells it."""
        found = (one for one in self.variants.values() if sku and one["sku"] == sku)
        return next(found, None)

    def add_product(self, row: Json) -> Json:
        """Put a product on sale."""
        product = self._stock_up(row)
        for name in ("date_created", "date_modified"):
            product[name] = offset(self.clock())
        self.notify("store/product/created", str(product["id"]), _product_data(product))
        for variant in self._variants(product):
            self._sku_event("created", variant)
        return product

    def change_product(self, product_id: int, changes: Json) -> Json:
        """Set price, name or stock, even to what it was."""
        known(changes, CHANGES, "changes")
        product = self._product(product_id)
        if "stock" in changes:
            where = changes.get("location_id", next(iter(self.locations)))
            item = {"location_id": where, "product_id": product_id, "quantity": changes["stock"]}
            self.adjust([item], is_absolute=True)
        if "price" in changes or "name" in changes:
            written: Json = {name: changes[name] for name in ("price", "name") if name in changes}
            self.write_product(product_id, written)
        return product

    def delete_product(self, product_id: int) -> Json:
        """Take a product out of the shop for good."""
        product = self._product(product_id)
        for variant in self._variants(product):
            self._sku_event("deleted", variant)
            del self.variants[variant["id"]]
        del self.products[product_id]
        self.notify("store/product/deleted", str(product_id), _product_data(product))
        return product

    def check_product(self, changes: Any) -> Json:
        """The product a change is meant for; refuse what it can not become."""
        known(changes, PRODUCT_WRITE, "product")
        for name in PRICES & changes.keys():
            _price(changes[name], name)
        product = self._product(whole(changes.get("id"), "id"))
        if "inventory_level" in changes:
            whole(changes["inventory_level"], "inventory_level")
            if product["base_variant_id"] is None:
                raise RefusedError("The stock of a product with variants is theirs.", "id")
        return product

    def check_variant(self, changes: Any) -> Json:
        """The variant a change is meant for; refuse what it can not become."""
        known(changes, VARIANT_WRITE, "variant")
        if changes.get("price") is not None:
            _price(changes["price"], "price")
        if "inventory_level" in changes:
            whole(changes["inventory_level"], "inventory_level")
        variant = self.variants.get(whole(changes.get("id"), "id"))
        if variant is None:
            raise RefusedError("Variant not found.", "id")
        return variant

    def write_product(self, product_id: Any, changes: Json) -> Json:
        """Change fields of a product, as a call does."""
        product = self.check_product(changes | {"id": product_id})
        for name in PRICES:
            if name in changes:
                changes = changes | {name: plain(_price(changes[name], name))}
        product |= {n: v for n, v in changes.items() if n not in {"id", "inventory_level"}}
        if "inventory_level" in changes:
            self._level(self.variants[product["base_variant_id"]], changes["inventory_level"])
        self._priced(product)
        product["date_modified"] = offset(self.clock())
        data = _product_data(product) | {"properties": sorted(set(changes) - {"id"})}
        self.notify("store/product/updated", str(product["id"]), data)
        return product

    def write_variant(self, changes: Json) -> Json:
        """Change fields of a variant; a price of null takes the product's."""
        variant = self.check_variant(changes)
        if changes.get("price") is not None:
            changes = changes | {"price": plain(_price(changes["price"], "price"))}
        variant |= {name: one for name, one in changes.items() if name != "inventory_level"}
        if "inventory_level" in changes:
            self._level(variant, changes["inventory_level"])
        product = self.products[variant["product_id"]]
        self._priced(product)
        product["date_modified"] = offset(self.clock())
        self._sku_event("updated", variant)
        self.notify("store/product/updated", str(product["id"]), _product_data(product))
        return variant

    def adjust(self, items: list[Json], *, is_absolute: bool) -> None:
        """Set or move stock; one wrong item refuses the whole call."""
        checked = [self._adjustment(item, is_absolute) for item in items]
        for variant, where, quantity in checked:
            before = self.onhand.get((variant["id"], where), 0)
            after = quantity if is_absolute else before + quantity
            if after < 0:
                raise RefusedError("Quantity can not be less than zero.", "quantity")
        for variant, where, quantity in checked:
            self._move(variant, where, quantity, is_absolute=is_absolute, topic="inventory/updated")

    def take(self, variant_id: int, quantity: int) -> None:
        """What an order takes from stock, or gives back where the quantity is negative."""
        variant = self.variants.get(variant_id)
        if variant is None or not quantity:
            return
        if self.products[variant["product_id"]]["inventory_tracking"] != "none":
            where = next(iter(self.locations))
            topic = "inventory/order/updated"
            self._move(variant, where, -quantity, is_absolute=False, topic=topic)

    def set_safety(self, sku: str, location_id: int, quantity: int) -> None:
        """Keep that many back: they are on hand and not for sale."""
        variant = self.by_sku(sku)
        if variant is None:
            raise RefusedError(f"no SKU {sku}")
        self.safety[variant["id"], location_id] = quantity

    def write_records(
        self, price_list: int | None, given: list[Json], *, are_new: bool = False
    ) -> None:
        """Upsert prices of a list, or where each names its own; several are told in one event."""
        if price_list is not None and price_list not in self.price_lists:
            raise GoneError(f"Price list {price_list} not found")
        rows = [self._record(price_list, row) for row in given]
        if are_new and any(_record_key(row) in self.records for row in rows):
            raise RefusedError("A record of this list, variant and currency exists.", "variant_id")
        told: dict[str, list[Json]] = {}
        for row in rows:
            key = _record_key(row)
            made = self.records.get(key)
            row["date_created"] = made["date_created"] if made else zulu(self.clock())
            self.records[key] = row
            data = {name: row[name] for name in ("price_list_id", "variant_id", "currency")}
            told.setdefault("updated" if made else "created", []).append(data)
        self._tell_records(told)

    def delete_records(self, keys: list[tuple[int, int, str]]) -> None:
        """Take prices out of a list."""
        gone = [self.records.pop(key) for key in keys]
        names = ("price_list_id", "variant_id", "currency")
        told = [{name: row[name] for name in names} for row in gone]
        if told:
            self._tell_records({"deleted": told})

    # -- what calls see ----------------------------------------------------------------------------

    def with_variants(self, product: Json) -> Json:
        """A product beside its variants."""
        return product | {"variants": self._variants(product)}

    def inventory(self) -> list[Json]:
        """Every variant with its stock at every location."""
        found = []
        for variant in self.variants.values():
            product = self.products[variant["product_id"]]
            if product["inventory_tracking"] == "none":
                continue
            identity = {"sku": variant["sku"], "variant_id": variant["id"]}
            identity |= {"product_id": product["id"], "sku_id": variant["sku_id"]}
            places = [self._at(variant, one) for one in self.locations.values()]
            found.append({"identity": identity, "locations": places})
        return found

    def _at(self, variant: Json, location: Json) -> Json:
        key = (variant["id"], location["id"])
        onhand, kept = self.onhand.get(key, 0), self.safety.get(key, 0)
        return {
            "location_id": location["id"],
            "location_code": location["code"],
            "location_name": location["label"],
            "available_to_sell": max(onhand - kept, 0),
            "total_inventory_onhand": onhand,
            "location_enabled": location["enabled"],
            "settings": {
                "safety_stock": kept,
                "is_in_stock": onhand - kept > 0,
                "warning_level": variant["inventory_warning_level"],
                "bin_picking_number": variant["bin_picking_number"],
            },
        }

    # -- how the store keeps it --------------------------------------------------------------------

    def _stock_up(self, row: Json) -> Json:
        known(row, ROW, "product")
        parts = row.get("variants", [])
        for part in parts:
            known(part, VARIANT_ROW, "variant")
        has_stock = any("stock" in one for one in (row, *parts))
        counted = ("variant" if parts else "product") if has_stock else "none"
        product = shapes.product(
            row, row.get("id") or next(self._ids), row.get("tracking", counted)
        )
        self.products[product["id"]] = product
        for part in parts or [row]:
            variant = shapes.variant(
                part, product, part.get("variant_id") or next(self._variant_ids)
            )
            if parts:
                variant["sku_id"] = next(self._sku_ids)
                label = part.get("label", part["sku"])
                option = {"id": variant["id"], "label": label, "option_id": product["id"]}
                variant["option_values"] = [option | {"option_display_name": "Pack"}]
                variant["price"] = plain(number(part["price"])) if "price" in part else None
            self.variants[variant["id"]] = variant
            if "stock" in part:
                self.onhand[variant["id"], next(iter(self.locations))] = part["stock"]
        product["base_variant_id"] = None if parts else variant["id"]
        product["option_set_id"] = product["id"] if parts else None
        self._count(product)
        self._priced(product)
        return product

    def _variants(self, product: Json) -> list[Json]:
        return [one for one in self.variants.values() if one["product_id"] == product["id"]]

    def _product(self, product_id: int) -> Json:
        if product_id not in self.products:
            raise GoneError(f"Product {product_id} not found")
        return self.products[product_id]

    def _priced(self, product: Json) -> None:
        product["calculated_price"] = product["sale_price"] or product["price"]
        for variant in self._variants(product):
            own = variant["price"]
            variant["calculated_price"] = product["calculated_price"] if own is None else own

    def _count(self, product: Json) -> None:
        """Levels follow the counts of all places."""
        for variant in self._variants(product):
            variant["inventory_level"] = sum(
                max(count - self.safety.get(key, 0), 0)
                for key, count in self.onhand.items()
                if key[0] == variant["id"]
            )
        product["inventory_level"] = sum(one["inventory_level"] for one in self._variants(product))

    def _adjustment(self, item: Any, is_absolute: bool) -> tuple[Json, int, int]:
        known(item, {"location_id", "quantity", *ADJUSTED_BY}, "item")
        named = [name for name in ADJUSTED_BY if name in item]
        if len(named) != 1:
            raise RefusedError("Exactly one of sku, variant_id, product_id is needed.", "items")
        quantity = whole(item.get("quantity"), "quantity", 0 if is_absolute else -2147483648)
        if item.get("location_id") not in self.locations:
            raise RefusedError(f"Location {item.get('location_id')} does not exist.", "location_id")
        (name,) = named
        field = "id" if name == "variant_id" else name
        found = [one for one in self.variants.values() if one[field] == item[name]]
        if not found:
            raise RefusedError(f"Items with identity: [{name} {item[name]}] not found", name)
        tracking = self.products[found[0]["product_id"]]["inventory_tracking"]
        wrong = {"variant_id": "product", "product_id": "variant"}.get(name)
        if tracking == "none" or tracking == wrong:
            how = "is not tracked" if tracking == "none" else f"is tracked by {tracking}"
            text = f"[Item with {name} {item[name]} {how}, please update stock by {tracking} id]"
            raise RefusedError(text)
        if not is_absolute and (found[0]["id"], item["location_id"]) not in self.onhand:
            text = f"Items with identity: [{name} {item[name]}] requires absolute adjustment before"
            raise RefusedError(f"{text} relative")
        return found[0], item["location_id"], quantity

    def _level(self, variant: Json, level: int) -> None:
        """Set the stock of the first place, as the panel and the catalogue do."""
        where = next(iter(self.locations))
        self._move(variant, where, level, is_absolute=True, topic="inventory/updated")

    def _move(
        self, variant: Json, where: int, quantity: int, *, is_absolute: bool, topic: str
    ) -> None:
        key = (variant["id"], where)
        product = self.products[variant["product_id"]]
        before = variant["inventory_level"]
        self.onhand[key] = quantity if is_absolute else self.onhand.get(key, 0) + quantity
        self._count(product)
        method = "absolute" if is_absolute else "relative"
        moved: Json = {"product_id": product["id"], "method": method, "value": quantity}
        if product["inventory_tracking"] == "variant":
            moved["variant_id"] = variant["id"]
            number_ = variant["sku_id"] or variant["id"]
            data = {"type": "sku", "id": number_, "inventory": moved}
            self.notify(f"store/sku/{topic}", str(variant["id"]), data)
        else:
            data = {"type": "product", "id": product["id"], "inventory": moved}
            self.notify(f"store/product/{topic}", str(product["id"]), data)
        self._tell_channel(variant, where, before)

    def _tell_channel(self, variant: Json, where: int, before: int) -> None:
        level, warning = variant["inventory_level"], variant["inventory_warning_level"]
        names = ["stock_changed"]
        if level <= warning < before:
            names.append("low_stock_reached")
        if level <= 0 < before:
            names.append("out_of_stock_reached")
        data = {"variant_id": variant["id"], "product_id": variant["product_id"]}
        for name in names:
            scope = f"store/channel/{self.seed['channel_id']}/inventory/product/{name}"
            self.notify(scope, str(variant["id"]), data | {"location_id": where})

    def _sku_event(self, event: str, variant: Json) -> None:
        """Only a variant with options of its own is a SKU to the vendor."""
        if variant["sku_id"] is None:
            return
        ids = {"product_id": variant["product_id"], "variant_id": variant["id"]}
        data = {"type": "sku", "id": variant["sku_id"], "sku": ids}
        self.notify(f"store/sku/{event}", str(variant["id"]), data)

    def _record(self, price_list: int | None, row: Any) -> Json:
        known(row, RECORD if price_list else RECORD | {"price_list_id"}, "record")
        if price_list is None:
            price_list = row.get("price_list_id")
            if price_list not in self.price_lists:
                raise RefusedError("price_list_id is missing or invalid", "price_list_id")
        variant = self.variants.get(row.get("variant_id", 0)) or self.by_sku(row.get("sku"))
        if variant is None:
            raise RefusedError("variant_id or sku of an existing variant is needed", "variant_id")
        currency = row.get("currency")
        if not isinstance(currency, str) or len(currency) != 3:
            raise RefusedError("currency is missing or invalid", "currency")
        tiers = row.get("bulk_pricing_tiers", [])
        for tier in tiers:
            known(tier, TIER, "bulk_pricing_tiers")
            if tier.get("type") not in {"fixed", "price", "percent"}:
                raise RefusedError("type of a tier is invalid", "bulk_pricing_tiers")
        price = plain(_price(row.get("price"), "price"))
        record = {"price_list_id": price_list, "variant_id": variant["id"], "price": price}
        record |= {name: row.get(name) for name in ("sale_price", "retail_price", "map_price")}
        record |= {"calculated_price": row.get("sale_price") or price}
        record |= {"date_modified": zulu(self.clock()), "currency": currency.lower()}
        return record | {"product_id": variant["product_id"], "bulk_pricing_tiers": tiers}

    def _tell_records(self, told: dict[str, list[Json]]) -> None:
        for event, rows in told.items():
            subject = str(rows[0]["variant_id"])
            if len(rows) == 1:
                self.notify(f"store/priceList/record/{event}", subject, rows[0])
            else:
                self.notify(f"store/priceList/records/{event}", subject, rows)


def _price(value: Any, field: str) -> Decimal:
    price = number(value, field)
    if price < ZERO:
        raise RefusedError(f"The field '{field}' is invalid.", field)
    return price


def _record_key(row: Json) -> tuple[int, int, str]:
    return row["price_list_id"], row["variant_id"], row["currency"]


def _product_data(product: Json) -> Json:
    return {"type": "product", "id": product["id"]}
