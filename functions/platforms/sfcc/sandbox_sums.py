"""The sums of an order: prices, discounts and taxes, added up the way the vendor does."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]

NAMES = uuid.UUID("6f1c1a52-7d0c-4b9e-8f7a-0a5d3f0b1c77")
ZERO = Decimal(0)
DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3}
HOME = "me"
"""The shipment every order begins with."""
LINE = set(
    "sku quantity price discount tax_rate name bonus gift shipment options bundle inventory"
    " custom".split()
)
OPTION = {"option_id", "value_id", "name", "price"}


class RefusedError(ValueError):
    """The shop would not do this, or the request for it is malformed."""


def known(given: Json, keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error in a test is seen."""
    if unknown := set(given) - keys:
        raise RefusedError(f"unknown in {what}: {', '.join(sorted(unknown))}")


def custom(given: Json) -> Json:
    """Attributes a merchant has defined: nothing else may be named."""
    if wrong := [name for name in given if not name.startswith("c_")]:
        raise RefusedError(f"custom attributes begin with c_: {', '.join(wrong)}")
    return given


def stamp(at: datetime) -> str:
    """A time as the vendor writes it: UTC, in milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(value: Any) -> Any:
    """A body as it leaves: by name, the merchant's own fields last; numbers with their ``.0``."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (name.startswith("c_"), name))
        return {name: shown(value[name]) for name in names}
    if isinstance(value, list):
        return [shown(one) for one in value]
    return value


class Ids:
    """Item ids: 26 hex digits that mean nothing."""

    def __init__(self) -> None:
        self._turn = itertools.count(1)

    def __call__(self) -> str:
        """The next one."""
        return uuid.uuid5(NAMES, str(next(self._turn))).hex[:26]


class Till:
    """Prices of one order.

    Args:
        currency: says how many digits an amount has.
        gross: whether prices hold their tax.
        ids: gives item ids.
    """

    def __init__(self, currency: str, gross: bool, ids: Callable[[], str]) -> None:
        self._unit = Decimal(1).scaleb(-DIGITS.get(currency, 2))
        self.gross = gross
        self.ids = ids

    def amount(self, given: Any) -> Decimal:
        """An amount of a draft."""
        return Decimal(str(given)).quantize(self._unit, ROUND_HALF_UP)

    def tax(self, price: Decimal, rate: Decimal) -> Decimal:
        """The tax on a price, or the part of it that is tax."""
        part = rate / (1 + rate) if self.gross else rate
        return (price * part).quantize(self._unit, ROUND_HALF_UP)

    def item(self, text: str, base: Decimal, quantity: Decimal, rate: Decimal) -> Json:
        """What product lines, options and shipping lines have in common."""
        price = (base * quantity).quantize(self._unit, ROUND_HALF_UP)
        return {
            "adjustedTax": ZERO,
            "basePrice": base,
            "itemId": self.ids(),
            "itemText": text,
            "price": price,
            "priceAfterItemDiscount": price,
            "shipmentId": HOME,
            "tax": self.tax(price, rate),
            "taxBasis": price,
            "taxClassId": "standard" if rate else "exempt",
            "taxRate": rate,
        }

    def discounted(self, item: Json, discount: Decimal, adjustment: Json) -> None:
        """Take an amount off one item."""
        if discount > item["price"] or discount < 0:
            raise RefusedError(f"a discount of {discount} on {item['price']}")
        if discount:
            item["priceAdjustments"] = [adjustment | {"price": -discount}]
            item["priceAfterItemDiscount"] = item["price"] - discount

    def spread(self, lines: list[Json], discount: Decimal) -> None:
        """Share an order's discount among its lines; the last one takes what rounding leaves."""
        whole = added(lines, "priceAfterItemDiscount")
        if discount > whole or discount < 0:
            raise RefusedError(f"a discount of {discount} on {whole}")
        left = discount
        priced = [line for line in lines if line["priceAfterItemDiscount"]]
        for line in lines:
            line["priceAfterOrderDiscount"] = line["priceAfterItemDiscount"]
        for place, line in enumerate(priced, start=1):
            share = discount * line["priceAfterItemDiscount"] / whole
            part = left if place == len(priced) else min(self.amount(share), left)
            left -= part
            line["priceAfterOrderDiscount"] -= part

    def total(self, order: Json) -> None:
        """Set every sum of an order and its shipments; the plain tax sums know no discount."""
        lines = list(flat(order["productItems"]))
        discount = -added(order.get("orderPriceAdjustments", []), "price")
        self.spread(lines, discount)
        for line in lines:
            line["adjustedTax"] = self.tax(line["priceAfterOrderDiscount"], line["taxRate"])
        for charge in order["shippingItems"]:
            charge["adjustedTax"] = self.tax(charge["priceAfterItemDiscount"], charge["taxRate"])
        cards = order.get("giftCertificateItems", [])
        order |= self._sums(lines, order["shippingItems"], cards, "orderTotal")
        for shipment in order["shipments"]:
            name = shipment["shipmentId"]
            shipment |= self._sums(
                [one for one in lines if one["shipmentId"] == name],
                [one for one in order["shippingItems"] if one["shipmentId"] == name],
                [one for one in cards if one["shipmentId"] == name],
                "shipmentTotal",
            )

    def _sums(
        self, lines: list[Json], charges: list[Json], cards: list[Json], name: str
    ) -> dict[str, Decimal]:
        products = added(lines, "priceAfterOrderDiscount")
        shipping = added(charges, "priceAfterItemDiscount")
        of_lines, of_charges = added(lines, "adjustedTax"), added(charges, "adjustedTax")
        due = products + shipping + added(cards, "amount")
        return {
            "adjustedMerchandizeTotalTax": of_lines,
            "adjustedShippingTotalTax": of_charges,
            "merchandizeTotalTax": added(lines, "tax"),
            "productSubTotal": added(lines, "priceAfterItemDiscount"),
            "productTotal": products,
            "shippingTotal": shipping,
            "shippingTotalTax": added(charges, "tax"),
            "taxTotal": of_lines + of_charges,
            name: due if self.gross else due + of_lines + of_charges,
        }


def added(items: Iterable[Json], name: str) -> Decimal:
    """The sum of one figure."""
    return sum((item[name] for item in items), ZERO)


def flat(lines: Iterable[Json]) -> Iterator[Json]:
    """Product lines with their options and the parts of their bundles."""
    for line in lines:
        yield line
        yield from line.get("optionItems", [])
        yield from line.get("bundledProductItems", [])


def address(given: Json, ids: Callable[[], str]) -> Json:
    """An address in the vendor's words; what is empty is left out."""
    names = {
        "address1": "address_1",
        "address2": "address_2",
        "city": "city",
        "companyName": "company",
        "countryCode": "country",
        "firstName": "first_name",
        "lastName": "last_name",
        "phone": "phone",
        "postalCode": "postcode",
        "stateCode": "state",
    }
    known(given, {*names.values(), "email"}, "address")
    full = f"{given.get('first_name', '')} {given.get('last_name', '')}".strip()
    body = {theirs: given[ours] for theirs, ours in names.items() if given.get(ours)}
    return body | {"id": ids()} | ({"fullName": full} if full else {})
