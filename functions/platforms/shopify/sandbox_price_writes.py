"""What apps write of the sandbox shop's price lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_catalogue import Variant
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_price_lists import NO_RULE, PriceList, PriceLists
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

BREAK_LIMIT = 10
"""A variant may have so many quantity breaks in one price list."""

NO_VARIANT = "Product variant ID does not exist."
ADD_BREAK, ADD_RULE = "quantityPriceBreaksToAdd", "quantityRulesToAdd"


class PriceWrites:
    """Fixed prices, quantity breaks and rules set by an app: all of a call, or nothing."""

    def __init__(self, desk: OrderDesk, lists: PriceLists) -> None:
        self._desk = desk
        self._lists = lists

    def add(self, args: Json) -> Json:
        """``priceListFixedPricesAdd``: what was fixed for a variant is replaced."""
        one = self._list(args)
        self._fix(one, "prices", args["prices"])
        self._lists.put(one)
        return {"prices": self._shown(one, args["prices"])}

    def update(self, args: Json) -> Json:
        """``priceListFixedPricesUpdate``: fix some, let go of others."""
        one = self._list(args)
        self._drop(one, "variantIdsToDelete", args["variantIdsToDelete"])
        self._fix(one, "pricesToAdd", args["pricesToAdd"])
        self._lists.put(one)
        return {
            "deleted_fixed_price_variant_ids": args["variantIdsToDelete"],
            "price_list": self._lists.node(one),
            "prices_added": self._shown(one, args["pricesToAdd"]),
        }

    def delete(self, args: Json) -> Json:
        """``priceListFixedPricesDelete``: these follow the shop's prices again."""
        one = self._list(args)
        self._drop(one, "variantIds", args["variantIds"])
        self._lists.put(one)
        return {"deleted_fixed_price_variant_ids": args["variantIds"]}

    def by_variant(self, args: Json) -> Json:
        """``quantityPricingByVariantUpdate``: first what goes, then what comes."""
        one = self._list(args, "Price list not found.")
        pricing = Pricing(self._desk, self._lists, one, args["input"])
        if errors := list(pricing.errors()):
            raise UserError.of(errors)
        self._lists.put(one)
        variants = [self._desk.catalogue.by_id(number) for number in pricing.touched]
        nodes = [self._desk.catalogue.variant_node(v) for v in variants if v]
        return {"product_variants": nodes}

    def _list(self, args: Json, text: str = "Price list does not exist.") -> PriceList:
        found = self._lists.known.get(number_in(args["priceListId"], "PriceList"))
        if found is None:
            raise UserError(["priceListId"], text, "PRICE_LIST_NOT_FOUND")
        return self._lists.copy(found)

    def _fix(self, one: PriceList, key: str, given: list[Json]) -> None:
        errors = [error for n, price in enumerate(given) for error in self._wrong(one, n, price)]
        if errors:
            errors = [error | {"field": [key, *error["field"]]} for error in errors]
            raise UserError.of(errors)
        for price in given:
            compared = price.get("compareAtPrice")
            number = number_in(price["variantId"], "ProductVariant")
            amount = price["price"]["amount"]
            self._lists.fix(one, number, amount, compared and compared["amount"])

    def _wrong(self, one: PriceList, n: int, price: Json) -> Iterator[Json]:
        if _variant(self._desk, price["variantId"]) is None:
            field = [str(n), "variantId"]
            yield {"field": field, "message": NO_VARIANT, "code": "VARIANT_NOT_FOUND"}
        for key in ("price", "compareAtPrice"):
            if price.get(key) and price[key]["currencyCode"] != one.currency:
                yield {
                    "field": [str(n), key, "currencyCode"],
                    "message": "The specified currency does not match the price list's currency.",
                    "code": "PRICE_LIST_CURRENCY_MISMATCH",
                }

    def _drop(self, one: PriceList, key: str, gids: list[str]) -> None:
        errors = []
        for n, gid in enumerate(gids):
            variant = _variant(self._desk, gid)
            if variant is None:
                told = (NO_VARIANT, "VARIANT_NOT_FOUND")
            elif one.prices.pop(variant.id, None) is None:
                told = ("Only fixed prices can be deleted.", "PRICE_NOT_FIXED")
            else:
                continue
            errors.append({"field": [key, str(n)], "message": told[0], "code": told[1]})
        if errors:
            raise UserError.of(errors)

    def _shown(self, one: PriceList, given: list[Json]) -> list[Json]:
        variants = [_variant(self._desk, price["variantId"]) for price in given]
        return [self._lists.price_node(one, variant) for variant in variants if variant]


class Pricing:
    """One ``quantityPricingByVariantUpdate``, tried on a copy of the price list."""

    def __init__(self, desk: OrderDesk, lists: PriceLists, one: PriceList, given: Json) -> None:
        self._desk = desk
        self._lists = lists
        self._one = one
        self._given = given
        self.touched: dict[int, None] = {}

    def errors(self) -> Iterator[Json]:
        """Do it all, and tell what could not be done."""
        yield from self._delete_prices()
        yield from self._delete_breaks()
        yield from self._delete_rules()
        yield from self._add_prices()
        yield from self._add_rules()
        yield from self._add_breaks()

    def _delete_prices(self) -> Iterator[Json]:
        # The same variant twice is no mistake.
        for n, variant in self._each("pricesToDeleteByVariantId", unique=True):
            if variant is None:
                yield _at("pricesToDeleteByVariantId", n, "PRICE_DELETE_VARIANT_NOT_FOUND")
            elif self._one.prices.pop(variant.id, None) is None:
                yield _at("pricesToDeleteByVariantId", n, "PRICE_DELETE_PRICE_NOT_FIXED")

    def _delete_breaks(self) -> Iterator[Json]:
        for n, gid in enumerate(self._given["quantityPriceBreaksToDelete"]):
            number = number_in(gid, "QuantityPriceBreak")
            hits = [
                (variant_id, minimum)
                for variant_id, fixed in self._one.prices.items()
                for minimum, (own, _) in fixed.breaks.items()
                if own == number
            ]
            if not hits:
                name = "quantityPriceBreaksToDelete"
                yield _at(name, n, "QUANTITY_PRICE_BREAK_DELETE_NOT_FOUND")
            for variant_id, minimum in hits:
                self.touched[variant_id] = None
                del self._one.prices[variant_id].breaks[minimum]
        name = "quantityPriceBreaksToDeleteByVariantId"
        for n, variant in self._each(name):
            if variant is None:
                code = "QUANTITY_PRICE_BREAK_DELETE_BY_VARIANT_ID_VARIANT_NOT_FOUND"
                yield _at(name, n, code)
            elif fixed := self._one.prices.get(variant.id):
                fixed.breaks.clear()

    def _delete_rules(self) -> Iterator[Json]:
        for n, variant in self._each("quantityRulesToDeleteByVariantId"):
            if variant is None:
                name = "quantityRulesToDeleteByVariantId"
                yield _at(name, n, "QUANTITY_RULE_DELETE_VARIANT_NOT_FOUND")
            else:
                self._one.rules.pop(variant.id, None)

    def _add_prices(self) -> Iterator[Json]:
        twice = _twice(one["variantId"] for one in self._given["pricesToAdd"])
        for n, given in enumerate(self._given["pricesToAdd"]):
            variant = self._touch(given["variantId"])
            compared = given.get("compareAtPrice")
            if given["variantId"] in twice:
                yield _at("pricesToAdd", n, "PRICE_ADD_DUPLICATE_INPUT_FOR_VARIANT")
            elif variant is None:
                yield _at("pricesToAdd", n, "PRICE_ADD_VARIANT_NOT_FOUND")
            elif not self._in_currency(given["price"], compared):
                yield _at("pricesToAdd", n, "PRICE_ADD_CURRENCY_MISMATCH")
            else:
                amount = given["price"]["amount"]
                self._lists.fix(self._one, variant.id, amount, compared and compared["amount"])

    def _add_rules(self) -> Iterator[Json]:
        twice = _twice(one["variantId"] for one in self._given[ADD_RULE])
        for n, given in enumerate(self._given[ADD_RULE]):
            variant = self._touch(given["variantId"])
            if given["variantId"] in twice:
                yield _at(ADD_RULE, n, "QUANTITY_RULE_ADD_DUPLICATE_INPUT_FOR_VARIANT")
            elif variant is None:
                yield _at(ADD_RULE, n, "QUANTITY_RULE_ADD_VARIANT_NOT_FOUND")
            elif codes := list(_rule_codes(given)):
                yield from (_at(ADD_RULE, n, code) for code in codes)
            else:
                keys = ("minimum", "maximum", "increment")
                self._one.rules[variant.id] = {key: given.get(key) for key in keys}

    def _add_breaks(self) -> Iterator[Json]:
        given = self._given[ADD_BREAK]
        twice = _twice((one["variantId"], one["minimumQuantity"]) for one in given)
        for n, one in enumerate(given):
            variant = self._touch(one["variantId"])
            code = self._break_code(variant, one)
            if (one["variantId"], one["minimumQuantity"]) in twice:
                code = "QUANTITY_PRICE_BREAK_ADD_DUPLICATE_INPUT_FOR_VARIANT_AND_MIN"
            if code:
                yield _at(ADD_BREAK, n, code)
            elif variant:
                amount = one["price"]["amount"]
                self._lists.add_break(self._one, variant.id, one["minimumQuantity"], amount)

    def _break_code(self, variant: Variant | None, given: Json) -> str | None:
        if variant is None:
            return "QUANTITY_PRICE_BREAK_ADD_VARIANT_NOT_FOUND"
        minimum, fixed = given["minimumQuantity"], self._one.prices.get(variant.id)
        rule = self._one.rules.get(variant.id, NO_RULE)
        if fixed is None:
            return "QUANTITY_PRICE_BREAK_ADD_PRICE_LIST_PRICE_NOT_FOUND"
        full = minimum not in fixed.breaks and len(fixed.breaks) >= BREAK_LIMIT
        problems = {
            "INVALID": minimum < 1,
            "CURRENCY_MISMATCH": not self._in_currency(given["price"]),
            "LIMIT_EXCEEDED": full,
            "MIN_LOWER_THAN_QUANTITY_RULES_MIN": minimum < rule["minimum"],
            "MIN_HIGHER_THAN_QUANTITY_RULES_MAX": rule["maximum"] and minimum > rule["maximum"],
            "MIN_NOT_A_MULTIPLE_OF_QUANTITY_RULES_INCREMENT": minimum % rule["increment"] != 0,
        }
        found = next((name for name, wrong in problems.items() if wrong), None)
        return found and f"QUANTITY_PRICE_BREAK_ADD_{found}"

    def _in_currency(self, *amounts: Json | None) -> bool:
        return all(one["currencyCode"] == self._one.currency for one in amounts if one)

    def _each(self, key: str, *, unique: bool = False) -> Iterator[tuple[int, Variant | None]]:
        given = self._given.get(key) or []
        for n, gid in enumerate(dict.fromkeys(given) if unique else given):
            yield n, self._touch(gid)

    def _touch(self, gid: str) -> Variant | None:
        variant = _variant(self._desk, gid)
        if variant:
            self.touched[variant.id] = None
        return variant


MESSAGES = {
    "PRICE_ADD_CURRENCY_MISMATCH": "Currency mismatch.",
    "PRICE_ADD_DUPLICATE_INPUT_FOR_VARIANT": "Prices to add inputs must be unique by variant id.",
    "QUANTITY_PRICE_BREAK_DELETE_BY_VARIANT_ID_VARIANT_NOT_FOUND": (
        "Variant to delete by is not found."
    ),
    "QUANTITY_PRICE_BREAK_DELETE_NOT_FOUND": "Quantity price break not found.",
    "QUANTITY_RULE_ADD_MINIMUM_NOT_A_MULTIPLE_OF_INCREMENT": (
        "minimum is not a multiple of increment"
    ),
}


def _at(name: str, n: int, code: str) -> Json:
    message = MESSAGES.get(code)
    if message is None and code.endswith("VARIANT_NOT_FOUND"):
        message = "Variant not found."
    if message is None:
        words = code.partition("_ADD_")[2] or code
        message = words.replace("_", " ").capitalize()
    return {"field": ["input", name, str(n)], "message": message, "code": code}


def _rule_codes(given: Json) -> Iterator[str]:
    minimum, maximum, increment = given["minimum"], given.get("maximum"), given["increment"]
    if minimum < 1:
        yield "QUANTITY_RULE_ADD_MINIMUM_IS_LESS_THAN_ONE"
    if increment < 1:
        yield "QUANTITY_RULE_ADD_INCREMENT_IS_LESS_THAN_ONE"
        return
    if increment > minimum:
        yield "QUANTITY_RULE_ADD_INCREMENT_IS_GREATER_THAN_MINIMUM"
    elif minimum % increment:
        yield "QUANTITY_RULE_ADD_MINIMUM_NOT_A_MULTIPLE_OF_INCREMENT"
    if maximum is not None:
        yield from _maximum_codes(minimum, maximum, increment)


def _maximum_codes(minimum: int, maximum: int, increment: int) -> Iterator[str]:
    if maximum < 1:
        yield "QUANTITY_RULE_ADD_MAXIMUM_IS_LESS_THAN_ONE"
    elif minimum > maximum:
        yield "QUANTITY_RULE_ADD_MINIMUM_GREATER_THAN_MAXIMUM"
    elif maximum % increment:
        yield "QUANTITY_RULE_ADD_MAXIMUM_NOT_A_MULTIPLE_OF_INCREMENT"


def _variant(desk: OrderDesk, variant_gid: str) -> Variant | None:
    return desk.catalogue.by_id(number_in(variant_gid, "ProductVariant"))


def _twice(keys: Iterable[Any]) -> set[Any]:
    return {key for key, times in Counter(keys).items() if times > 1}
