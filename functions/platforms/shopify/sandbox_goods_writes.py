"""What apps write of the sandbox shop's products: prices, SKUs, and whether they are for sale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_catalogue import Product, Variant
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_search import refusal
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

TOO_MUCH = Decimal(10) ** 18
TEXT_LIMIT = 255
AMOUNTS = {"compare_at_price", "cost", "price"}
VARIANT_FIELDS = {
    "barcode": "barcode",
    "compareAtPrice": "compare_at_price",
    "inventoryPolicy": "inventory_policy",
    "price": "price",
    "taxable": "taxable",
}
ITEM_FIELDS = {
    "cost": "cost",
    "countryCodeOfOrigin": "country_code_of_origin",
    "harmonizedSystemCode": "harmonized_system_code",
    "requiresShipping": "requires_shipping",
    "sku": "sku",
    "tracked": "tracked",
}
PRODUCT_FIELDS = {
    "descriptionHtml": "body_html",
    "productType": "product_type",
    "status": "status",
    "tags": "tags",
    "templateSuffix": "template_suffix",
    "title": "title",
    "vendor": "vendor",
}


def tidy_tags(given: Iterable[str]) -> list[str]:
    """Tags as the vendor keeps them: parted at commas, each once whatever its case, in order."""
    each = [tag.strip() for one in given for tag in one.split(",")]
    first: dict[str, str] = {}
    for tag in filter(None, each):
        first.setdefault(tag.casefold(), tag)
    return [first[key] for key in sorted(first)]


class GoodsWrites:
    """Products and variants changed by an app."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def update_variants(self, args: Json) -> Json:
        """``productVariantsBulkUpdate``: all variants or, if wished, those that are right."""
        catalogue = self._desk.catalogue
        product = catalogue.products.get(number_in(args["productId"], "Product"))
        if product is None:
            raise UserError(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")
        named = [_named(product, n, one) for n, one in enumerate(args["variants"])]
        errors = [error for _, found in named for error in found]
        good = {
            str(variant.id): _changes(given)
            for (variant, found), given in zip(named, args["variants"], strict=True)
            if variant and not found
        }
        known = [variant for variant, _ in named if variant]
        if errors and (not args["allowPartialUpdates"] or not good):
            raise UserError.of(errors)
        tried = {key: one for key, one in good.items() if _differs(product, key, one)}
        if tried:
            catalogue.update(product.id, {"variants": tried})
        return {
            "product": catalogue.node(product),
            "product_variants": [catalogue.variant_node(one) for one in known],
            "user_errors": errors,
        }

    def update_product(self, args: Json) -> Json:
        """``productUpdate``: its texts, tags and status."""
        given = args.get("product")
        if not given or not given.get("id"):
            raise refusal("productUpdate needs a product with its id here.", "BAD_REQUEST")
        catalogue = self._desk.catalogue
        product = catalogue.products.get(number_in(given["id"], "Product"))
        if product is None:
            raise UserError(["id"], "Product does not exist")
        _check_texts(given)
        facts = {PRODUCT_FIELDS[key]: value for key, value in given.items() if key != "id"}
        if "status" in facts:
            facts["status"] = facts["status"].lower()
        if "tags" in facts:
            facts["tags"] = tidy_tags(facts["tags"] or [])
        now = product.facts | {"tags": [tag for tag in product.facts["tags"].split(", ") if tag]}
        changes = {key: value for key, value in facts.items() if now[key] != value}
        if changes:
            catalogue.update(product.id, changes)
        return {"product": catalogue.node(product)}


def _named(product: Product, n: int, given: Json) -> tuple[Variant | None, list[Json]]:
    path = ["variants", str(n)]
    if not given.get("id"):
        message, code = "Product variant is missing ID attribute", "PRODUCT_VARIANT_ID_MISSING"
        return None, [{"field": [*path, "id"], "message": message, "code": code}]
    number = number_in(given["id"], "ProductVariant")
    variant = next((one for one in product.variants if one.id == number), None)
    if variant is None:
        message, code = "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST"
        return None, [{"field": [*path, "id"], "message": message, "code": code}]
    return variant, list(_price_errors(path, given))


def _price_errors(path: list[str], given: Json) -> Iterator[Json]:
    texts = {"compareAtPrice": "Compare at price", "price": "Price"}
    if "price" in given and given["price"] is None:
        text = "Price can't be blank"
        yield {"field": [*path, "price"], "message": text, "code": "BLANK"}
    for key, name in texts.items():
        if given.get(key) is None:
            continue
        amount = _amount(given[key])
        if amount < 0:
            text = f"{name} must be greater than or equal to 0"
            code = "GREATER_THAN_OR_EQUAL_TO"
            yield {"field": [*path, key], "message": text, "code": code}
        elif amount >= TOO_MUCH:
            text = f"must be less than {TOO_MUCH}"
            yield {"field": [*path, key], "message": text, "code": "INVALID_INPUT"}


def _amount(given: Any) -> Decimal:
    try:
        return Decimal(str(given))
    except InvalidOperation:
        raise refusal(f"'{given}' is no amount of money.", "INVALID_VARIABLE") from None


def _changes(given: Json) -> Json:
    facts = {VARIANT_FIELDS[key]: value for key, value in given.items() if key in VARIANT_FIELDS}
    if "inventory_policy" in facts:
        facts["inventory_policy"] = facts["inventory_policy"].lower()
    item = given.get("inventoryItem") or {}
    return facts | {ITEM_FIELDS[key]: value for key, value in item.items()}


def _differs(product: Product, key: str, changes: Json) -> bool:
    variant = next(one for one in product.variants if str(one.id) == key)
    now = variant.item.facts | variant.facts
    return any(_plain(name, now.get(name)) != _plain(name, one) for name, one in changes.items())


def _plain(name: str, value: Any) -> Any:
    return value if value is None or name not in AMOUNTS else Decimal(str(value))


def _check_texts(given: Json) -> None:
    names = {"title": "Title", "vendor": "Vendor", "productType": "Product type"}
    if "title" in given and not (given["title"] or "").strip():
        raise UserError(["title"], "Title can't be blank")
    for key, name in names.items():
        if len(given.get(key) or "") > TEXT_LIMIT:
            text = f"{name} is too long (maximum is {TEXT_LIMIT} characters)"
            raise UserError([key], text)
