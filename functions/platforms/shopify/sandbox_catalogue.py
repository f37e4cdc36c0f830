"""The sandbox shop's products and their variants, and what people change of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Currencies, Json
from platforms.shopify.sandbox_orders import Order, RefusedError, gid, known
from platforms.shopify.sandbox_search import Entry, last_seen, utc
from platforms.shopify.sandbox_stock import Item, Level, Stock

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

PRODUCT_KEYS = set(
    "title status vendor product_type tags handle body_html template_suffix options"
    " variants".split()
)
CHANGE_KEYS = (PRODUCT_KEYS - {"variants", "options", "handle"}) | set(
    "price compare_at_price stock variants add remove".split()
)
ITEM_KEYS = set(
    "tracked requires_shipping cost weight weight_unit country_code_of_origin"
    " province_code_of_origin harmonized_system_code".split()
)
VARIANT_KEYS = ITEM_KEYS | set(
    "sku title price compare_at_price barcode taxable inventory_policy option1 option2 option3"
    " stock".split()
)
SEEDED_KEYS = VARIANT_KEYS | {"variant_id", "product_id", "inventory_item_id"}
STATUSES = {"active", "draft", "archived", "unlisted"}
ID_STEP = 113
FULL_VARIANTS = 100
"""A webhook shows so many variants; of the rest it gives ids only."""


@dataclass
class Variant:
    """One thing sold; ``facts`` is what its webhooks show, without product and stock."""

    id: int
    product: Product
    facts: Json
    item: Item
    sold_as: str
    indexed: list[tuple[datetime, str]] = field(default_factory=list)

    def told(self) -> Json:
        """As the webhooks of stock show it."""
        quantity = self.item.available()
        return self.facts | {
            "id": self.id,
            "admin_graphql_api_id": gid("ProductVariant", self.id),
            "product_id": self.product.id,
            "position": self.product.variants.index(self) + 1,
            "image_id": None,
            "inventory_quantity": quantity,
            "old_inventory_quantity": quantity,
        }


@dataclass
class Product:
    """One product; ``facts`` is what its webhooks show, without the variants."""

    id: int
    facts: Json
    options: list[Json]
    variants: list[Variant] = field(default_factory=list)
    indexed: list[tuple[datetime, str]] = field(default_factory=list)

    def told(self) -> Json:
        """As its webhooks show it."""
        newest = sorted(self.variants, key=lambda one: one.facts["updated_at"], reverse=True)
        return self.facts | {
            "id": self.id,
            "admin_graphql_api_id": gid("Product", self.id),
            "variants": [
                one.told() | {"inventory_item_id": one.item.id}
                for one in self.variants[:FULL_VARIANTS]
            ],
            "options": [
                one | {"values": list(dict.fromkeys(self._values(n)))}
                for n, one in enumerate(self.options, start=1)
            ],
            "images": [],
            "image": None,
            "media": [],
            "variant_gids": [
                {
                    "admin_graphql_api_id": gid("ProductVariant", one.id),
                    "updated_at": utc(one.facts["updated_at"]).replace("Z", ".000Z"),
                }
                for one in newest
            ],
            "has_variants_that_requires_components": False,
            "category": None,
        }

    def _values(self, n: int) -> list[str]:
        return [one.facts[f"option{n}"] for one in self.variants if one.facts[f"option{n}"]]


class Catalogue:
    """The products of one shop, and their stock."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk
        self.products: dict[int, Product] = {}
        # Apart from the orders' numbers, which begin where the seed says.
        first = desk.seed.get("first_id", 6_120_000_000_017) + 2_000_000_000_000
        self._ids = itertools.count(first, ID_STEP)
        self.stock = Stock(desk, partial(next, self._ids))
        for given in desk.seed.get("variants", []):
            self._seed(given)
        for given in desk.seed.get("products", []):
            self._make(given)

    def get(self, product_id: Any) -> Product:
        """The product of that id."""
        try:
            return self.products[int(product_id)]
        except (KeyError, ValueError):
            raise RefusedError(f"no product {product_id}") from None

    def variants(self) -> Iterator[Variant]:
        """Every variant of every product."""
        for product in self.products.values():
            yield from product.variants

    def find(self, sku: str | None) -> Variant | None:
        """The first variant of that SKU: nothing keeps one from being used twice."""
        each = (one for one in self.variants() if sku and one.facts["sku"] == sku)
        return next(each, None)

    def by_id(self, variant_id: int | None) -> Variant | None:
        """The variant of that id."""
        return next((one for one in self.variants() if one.id == variant_id), None)

    def create(self, draft: Json) -> Product:
        """A new product; its webhooks follow one another as the vendor makes the things."""
        product = self._make(draft)
        self._tell(product, "products/create")
        for one in product.variants:
            self.stock.told_new(one.item)
        return product

    def update(self, product_id: Any, changes: Json) -> Product:
        """Change a product, its prices, variants and stock in one go."""
        known(changes, CHANGE_KEYS, "product update")
        product = self.get(product_id)
        facts = {k: v for k, v in changes.items() if k in PRODUCT_KEYS - {"variants"}}
        _check_facts(facts)
        edits = self._edits(product, changes)
        removed = [self._own(product, key) for key in changes.get("remove", [])]
        for given in changes.get("add", []):
            _check_variant(given)
        stock = self._each(product, changes.get("stock"))
        for variant, quantity in stock:
            _check_count(variant, quantity)
        if len(removed) >= len(product.variants) + len(changes.get("add", [])):
            raise RefusedError("a product keeps one variant at least")
        self._settle_facts(product, facts)
        for variant, given in edits:
            self._change(variant, given)
        for one in removed:
            product.variants.remove(one)
            self.stock.told_gone(one.item)
        added = [self._variant(product, given) for given in changes.get("add", [])]
        for one in added:
            self.stock.told_new(one.item)
        self._touch(product)
        if not stock:
            self._tell(product, "products/update")
        for variant, quantity in stock:
            self.set_stock(variant.id, quantity)
        return product

    def changed(self, product: Product) -> None:
        """Something beside its own facts changed."""
        self._touch(product)
        self._tell(product, "products/update")

    def delete(self, product_id: Any) -> None:
        """Remove a product, its variants and their stock."""
        product = self.get(product_id)
        del self.products[product.id]
        self.desk.notify("products/delete", product.id, {"id": product.id}, self.desk.clock())
        for one in product.variants:
            self.stock.told_gone(one.item)

    def set_stock(self, key: Any, available: Any, location: Any = None) -> Level:
        """Count a variant anew at a location, by default the first it is stocked at."""
        variant = self.found(key)
        _check_count(variant, available)
        level = variant.item.level(location)
        self.move(variant, level, available - level.available)
        return level

    def found(self, key: Any) -> Variant:
        """The variant of that SKU or id, or a refusal."""
        number = int(key) if str(key).isdigit() else None
        if (variant := self.find(str(key)) or self.by_id(number)) is None:
            raise RefusedError(f"no variant {key}")
        return variant

    def move(self, variant: Variant, level: Level, available: int) -> None:
        """Change a stock level, and tell what comes of it."""
        if not available:
            return
        before = variant.item.available()
        level.available += available
        self.stock.changed(level)
        after = variant.item.available()
        now, at = self.desk.stamp(), self.desk.clock()
        self._touch(variant.product)
        self.desk.notify(
            "inventory_levels/update", variant.item.id, self.stock.level_body(level), at
        )
        if (before > 0) != (after > 0):
            variant.facts["updated_at"] = now
            topic = "variants/in_stock" if after > 0 else "variants/out_of_stock"
            self.desk.notify(topic, variant.id, variant.told(), at)
        self._tell(variant.product, "products/update")

    def settle(self, order: Order) -> None:
        """Take from the shelves, or put back, what an order moved since the last time."""
        moves, order.moves = order.moves, []
        for one in moves:
            variant = self.by_id(one.variant_id)
            if variant and variant.item.facts["tracked"] and variant.item.levels:
                levels = variant.item.levels
                here = (each for each in levels if each.location["id"] == one.location)
                # Orders are promised from the first location, whichever one ships or takes back.
                levels[0].committed += one.committed
                self.move(variant, next(here, levels[0]), one.available)

    def entries(self, until: datetime) -> Iterator[Entry]:
        """The products the search knows."""
        for one in self.products.values():
            if seen := last_seen(one.indexed, until):
                facts = {key: one.facts[key] for key in ("title", "status", "vendor", "handle")}
                facts |= {"updated_at": seen, "created_at": utc(one.facts["created_at"])}
                facts["sku"] = [v.facts["sku"] for v in one.variants if v.facts["sku"]]
                yield Entry(one.id, facts, partial(self.node, one))

    def variant_entries(self, until: datetime) -> Iterator[Entry]:
        """The variants the search knows."""
        for one in self.variants():
            if seen := last_seen(one.indexed, until):
                facts = {key: one.facts[key] or "" for key in ("sku", "barcode", "title")}
                facts |= {"updated_at": seen, "product_id": one.product.id}
                yield Entry(one.id, facts, partial(self.variant_node, one))

    def item_entries(self, until: datetime) -> Iterator[Entry]:
        """The inventory items the search knows."""
        for one in self.variants():
            if seen := last_seen(one.item.indexed, until):
                facts = {"sku": one.item.facts["sku"] or "", "updated_at": seen}
                facts["created_at"] = utc(one.item.facts["created_at"])
                yield Entry(one.item.id, facts, partial(self.item_node, one))

    def node(self, product: Product) -> Json:
        """As the API shows it."""
        told = product.told()
        text = re.sub(r"<[^>]+>", " ", told["body_html"] or "")
        tracked = [one for one in product.variants if one.item.facts["tracked"]]
        return told | {
            "description": " ".join(text.split()),
            "description_html": told["body_html"] or "",
            "has_only_default_variant": [v.facts["title"] for v in product.variants]
            == ["Default Title"],
            "has_out_of_stock_variants": any(v.item.available() <= 0 for v in tracked),
            "is_gift_card": False,
            "tags": [tag for tag in told["tags"].split(", ") if tag],
            "total_inventory": sum(one.item.available() for one in tracked),
            "tracks_inventory": bool(tracked),
            "variants": lambda _: [self.variant_node(one) for one in product.variants],
            "variants_count": {"count": len(product.variants), "precision": "EXACT"},
        }

    def variant_node(self, variant: Variant) -> Json:
        """A variant as the API shows it."""
        told, product = variant.told(), variant.product
        for_sale = variant.facts["inventory_policy"] == "continue"
        for_sale = for_sale or not variant.item.facts["tracked"] or variant.item.available() > 0
        return told | {
            "available_for_sale": for_sale,
            "display_name": f"{product.facts['title']} - {variant.facts['title']}",
            "inventory_item": lambda _: self.item_node(variant),
            "product": lambda _: self.node(product),
            "selected_options": [
                {"name": one["name"], "value": variant.facts[f"option{n}"]}
                for n, one in enumerate(product.options, start=1)
                if variant.facts[f"option{n}"] is not None
            ],
        }

    def item_node(self, variant: Variant) -> Json:
        """An inventory item as the API shows it, with its one variant."""
        same = [one for one in self.variants() if one.item.facts["sku"] == variant.facts["sku"]]
        doubles = len(same) - 1 if variant.facts["sku"] else 0
        one_variant = {"variants": lambda _: [self.variant_node(variant)]}
        node = self.stock.item_node(variant.item, lambda _: self.item_node(variant))
        return node | one_variant | {"duplicate_sku_count": doubles}

    def level_item(self, item_id: int) -> Variant | None:
        """The variant whose inventory item has that id."""
        return next((one for one in self.variants() if one.item.id == item_id), None)

    def _seed(self, given: Json) -> None:
        known(given, SEEDED_KEYS, "variant")
        number = given.get("product_id") or next(self._ids)
        if number not in self.products:
            self.products[number] = self._product(number, {"title": given["title"]})
        product, facts = self.products[number], dict(given)
        title = facts.pop("title")
        if product.variants:
            facts["option1"] = title
        self._variant(product, facts, title)

    def _make(self, draft: Json) -> Product:
        known(draft, PRODUCT_KEYS, "product")
        _check_facts(draft)
        if not draft.get("title") or not draft.get("variants", [{}]):
            raise RefusedError("a product needs a title and a variant")
        for given in draft.get("variants", []):
            _check_variant(given)
        product = self._product(next(self._ids), draft)
        self.products[product.id] = product
        for given in draft.get("variants", [{"price": "0.00"}]):
            self._variant(product, given)
        return product

    def _product(self, number: int, draft: Json) -> Product:
        now, status = self.desk.stamp(), draft.get("status", "active")
        handle = re.sub(r"\W+", "-", draft["title"].casefold()).strip("-")
        facts = {
            "title": draft["title"],
            "body_html": draft.get("body_html", ""),
            "vendor": draft.get("vendor", self.desk.seed["shop"].split(".")[0]),
            "product_type": draft.get("product_type", ""),
            "created_at": now,
            "handle": draft.get("handle", handle),
            "updated_at": now,
            "published_at": now if status == "active" else None,
            "template_suffix": draft.get("template_suffix"),
            "published_scope": "web",
            "tags": ", ".join(draft.get("tags", [])),
            "status": status,
        }
        names = draft.get("options", ["Title"])
        options = [
            {"product_id": number, "id": next(self._ids), "name": name, "position": n}
            for n, name in enumerate(names, start=1)
        ]
        return Product(number, facts, options, indexed=[(self.desk.clock(), now)])

    def _variant(self, product: Product, given: Json, sold_as: str | None = None) -> Variant:
        _check_variant(given)
        now = self.desk.stamp()
        options = {f"option{n}": given.get(f"option{n}") for n in (1, 2, 3)}
        options["option1"] = options["option1"] or given.get("title") or "Default Title"
        title = " / ".join(filter(None, options.values()))
        compared = given.get("compare_at_price")
        facts = options | {
            "title": title,
            "price": self._price(given.get("price", 0)),
            "inventory_policy": given.get("inventory_policy", "deny"),
            "compare_at_price": None if compared is None else self._price(compared),
            "created_at": now,
            "updated_at": now,
            "taxable": given.get("taxable", True),
            "barcode": given.get("barcode"),
            "sku": given.get("sku"),
        }
        item = self.stock.make(given, given.get("inventory_item_id"))
        number = given.get("variant_id") or next(self._ids)
        variant = Variant(
            number,
            product,
            facts,
            item,
            sold_as or product.facts["title"],
            [(self.desk.clock(), now)],
        )
        product.variants.append(variant)
        return variant

    def _price(self, amount: Any) -> str:
        code = self.desk.seed.get("currency", "GBP")
        money = Currencies(code, code)
        return money.text(money.money(amount))

    def _edits(self, product: Product, changes: Json) -> list[tuple[Variant, Json]]:
        edits = []
        for name in ("price", "compare_at_price"):
            for variant, price in self._each(product, changes.get(name)):
                _check_variant({name: price})
                edits.append((variant, {name: price}))
        for key, given in changes.get("variants", {}).items():
            _check_variant(given)
            known(given, VARIANT_KEYS - {"stock", "title"}, "variant")
            edits.append((self._own(product, key), given))
        return edits

    def _each(self, product: Product, given: Any) -> list[tuple[Variant, Any]]:
        if given is None:
            return []
        if isinstance(given, dict):
            return [(self._own(product, key), value) for key, value in given.items()]
        return [(one, given) for one in product.variants]

    def _own(self, product: Product, key: Any) -> Variant:
        for one in product.variants:
            if str(key) in {str(one.id), one.facts["sku"]}:
                return one
        raise RefusedError(f"no variant {key} in product {product.id}")

    def _change(self, variant: Variant, given: Json) -> None:
        facts = {k: v for k, v in given.items() if k not in ITEM_KEYS}
        for key in ("price", "compare_at_price"):
            if facts.get(key) is not None:
                facts[key] = self._price(facts[key])
        now = self.desk.stamp()
        variant.facts |= facts | {"updated_at": now}
        parts = filter(None, (variant.facts[f"option{n}"] for n in (1, 2, 3)))
        variant.facts["title"] = " / ".join(parts)
        variant.indexed.append((self.desk.clock(), now))
        of_item = {k: v for k, v in given.items() if k in ITEM_KEYS | {"sku"}}
        if of_item:
            self.stock.change(variant.item, of_item)

    def _settle_facts(self, product: Product, given: Json) -> None:
        facts = dict(given)
        if "tags" in facts:
            facts["tags"] = ", ".join(facts["tags"])
        product.facts |= facts
        if product.facts["status"] == "active" and not product.facts["published_at"]:
            product.facts["published_at"] = self.desk.stamp()
        if given.get("title"):
            for one in product.variants:
                one.sold_as = given["title"]

    def _touch(self, product: Product) -> None:
        product.facts["updated_at"] = self.desk.stamp()
        product.indexed.append((self.desk.clock(), product.facts["updated_at"]))

    def _tell(self, product: Product, topic: str) -> None:
        self.desk.notify(topic, product.id, product.told(), self.desk.clock())


def _check_facts(given: Json) -> None:
    if given.get("status", "active") not in STATUSES:
        raise RefusedError(f"no product is {given['status']}")


def _check_variant(given: Json) -> None:
    known(given, SEEDED_KEYS, "variant")
    if given.get("inventory_policy", "deny") not in {"deny", "continue"}:
        raise RefusedError(f"no inventory policy {given['inventory_policy']}")
    for key in ("price", "compare_at_price"):
        if given.get(key) is not None:
            Decimal(str(given[key]))


def _check_count(variant: Variant, available: Any) -> None:
    if not isinstance(available, int) or isinstance(available, bool):
        raise RefusedError(f"stock is a whole number: {available}")
    if not variant.item.facts["tracked"]:
        raise RefusedError("the stock of this item is not tracked")
