"""What a code costs: the variant's own price, and fixed prices on the price lists of companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from fizzbridge.errors import FizzbridgeError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import LevelEntity, Situation
from fizzbridge.runtime.view import View
from fizzbridge.trade.offering import PriceOffer
from platforms.shopify import price_lists
from platforms.shopify.codes import variants
from platforms.shopify.telling import ShopClient, Write, shop
from platforms.shopify.wire import Shop

_SHOP = "{ shop { currency: currencyCode taxes_included: taxesIncluded } }"


class Prices(Frozen):
    """What an item's price says of its codes.

    A code that is named and has no offer on a list is to have no price of its own there.
    """

    codes: tuple[str, ...]
    lists: tuple[str, ...]
    offers: tuple[PriceOffer, ...]


@dataclass(frozen=True)
class Standing:
    """A variant's price that is to change."""

    of: EntityRef
    sku: str
    variant: str
    price: Decimal


class PriceLevels(LevelEntity):
    """Standing prices and those of price lists."""

    most: ClassVar[int] = 25
    calls: ClassVar[int] = 40

    def desired(self, view: View, situation: Situation) -> Prices | None:
        """By code and list; None where this price does not speak for its item."""
        found = view.body(Part.ASSESSMENT, RecordAssessment)
        priced = found.priced if found else ()
        codes = {code for one in priced for code in situation.codes(one.sku)}
        if not codes:
            return None
        return Prices(
            codes=tuple(sorted(codes)),
            lists=tuple(sorted(situation.maps.listed("pricelist"))),
            offers=situation.prices(view),
        )

    def write(
        self, vendor: VendorClient, payloads: Mapping[EntityRef, Prices]
    ) -> Mapping[EntityRef, FizzbridgeError]:
        """Read, and write what differs."""
        client = shop(vendor)
        told = Shop.model_validate(client.ask(_SHOP)["shop"])
        of = {code: one for one, prices in payloads.items() for code in prices.codes}
        found = list(variants(client, of, "price product { id }"))
        failures = _standing(client, payloads, of, found, told)
        for listed in sorted({name for prices in payloads.values() for name in prices.lists}):
            goods = [
                price_lists.Good(of[node["sku"]], node["sku"], node["id"])
                for node in found
                if listed in payloads[of[node["sku"]]].lists
            ]
            offers = _by_code(payloads, listed)
            failures = price_lists.write(client, listed, goods, offers, told) | failures
        return failures


def _by_code(payloads: Mapping[EntityRef, Prices], listed: str) -> dict[str, list[PriceOffer]]:
    found: dict[str, list[PriceOffer]] = {}
    for prices in payloads.values():
        for offer in prices.offers:
            if offer.price_list == listed:
                found.setdefault(offer.code, []).append(offer)
    return found


def _standing(
    client: ShopClient,
    payloads: Mapping[EntityRef, Prices],
    of: Mapping[str, EntityRef],
    found: Sequence[Any],
    told: Shop,
) -> dict[EntityRef, FizzbridgeError]:
    """Write what everybody pays; a price from a quantity on the shop has on lists only."""
    failures: dict[EntityRef, FizzbridgeError] = {}
    wanted: dict[str, Decimal] = {}
    for code, offers in _by_code(payloads, "").items():
        singles = [one for one in offers if one.min_quantity <= 1]
        mine, off = price_lists.fitting(singles, told.currency, told)
        if off:
            failures[of[code]] = off
        for one in mine:
            wanted[code] = one.price.amount
    products: dict[str, list[Standing]] = {}
    for node in found:
        price = wanted.get(node["sku"])
        if price is not None and Decimal(node["price"]) != price:
            row = Standing(of[node["sku"]], node["sku"], node["id"], price)
            products.setdefault(node["product"]["id"], []).append(row)
    writes = [_update(product, rows) for product, rows in products.items()]
    for rows, answer in zip(products.values(), client.tell(*writes), strict=True):
        for refusal in answer.refusals:
            meant = (
                rows if refusal.position is None else rows[refusal.position : refusal.position + 1]
            )
            for row in meant:
                said = f"{row.sku}: {refusal.message}"
                failures[row.of] = TargetRejectedError(said, platform="shopify")
    return failures


def _update(product: str, rows: Sequence[Standing]) -> Write:
    prices = [{"id": row.variant, "price": f"{row.price:f}"} for row in rows]
    return Write(
        "productVariantsBulkUpdate",
        {
            "productId": ("ID!", product),
            "variants": ("[ProductVariantsBulkInput!]!", prices),
            "allowPartialUpdates": ("Boolean", True),
        },
    )
