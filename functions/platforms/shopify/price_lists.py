"""Fixed prices on one price list, and what they become from a quantity on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fizzbridge.errors import FizzbridgeError, TargetRejectedError
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import written
from fizzbridge.trade.offering import PriceOffer
from platforms.shopify.telling import Refusal, ShopClient, Write, gid, number, parts
from platforms.shopify.wire import Shop

_READ = """
query($list: ID!, $which: String!, $after: String) {
  priceList(id: $list) {
    currency
    prices(first: 50, after: $after, originType: FIXED, query: $which) {
      nodes {
        variant { id } price { amount }
        quantityPriceBreaks(first: 10) { nodes { minimumQuantity price { amount } } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""
_ASKED = 25
"""Variants in one question or call: each may have ten steps."""

Steps = Mapping[int, Decimal]
"""Prices by the quantity they begin with; that from one on is the fixed price itself."""


@dataclass(frozen=True)
class Good:
    """A variant, and whose word its price is."""

    of: EntityRef
    sku: str
    variant: str


@dataclass(frozen=True)
class Row:
    """A variant whose price on the list is to change."""

    good: Good
    wanted: Steps
    now: Steps = field(default_factory=dict)

    @property
    def is_repriced(self) -> bool:
        """Whether the fixed price changes."""
        return self.wanted.get(1) != self.now.get(1)

    @property
    def is_restepped(self) -> bool:
        """Whether the steps change; they go with the fixed price."""
        return 1 in self.wanted and _above(self.wanted) != _above(self.now)


def fitting(
    offers: Sequence[PriceOffer], currency: str, told: Shop
) -> tuple[list[PriceOffer], FizzbridgeError | None]:
    """The offers in the shop's money and with its tax; where there are only others, what is off."""
    market = (currency, told.taxes_included)
    found = [one for one in offers if (one.price.currency, one.tax_included) == market]
    return found, None if found or not offers else _mismatch(offers[0], currency, told)


def _mismatch(offer: PriceOffer, currency: str, told: Shop) -> FizzbridgeError:
    words = {True: "with tax", False: "without tax"}
    ours = f"{written(offer.price.amount, offer.price.currency)} {offer.price.currency}"
    msg = (
        f"{offer.code} costs {ours} {words[offer.tax_included]}; the shop's "
        f"{'list ' + offer.price_list if offer.price_list else 'prices'} are in {currency} "
        f"{words[told.taxes_included]}"
    )
    return TargetRejectedError(msg, platform="shopify")


def write(
    client: ShopClient,
    listed: str,
    goods: Sequence[Good],
    offers: Mapping[str, Sequence[PriceOffer]],
    told: Shop,
) -> dict[EntityRef, FizzbridgeError]:
    """Bring the prices of variants on a list to what is offered, and take off what is not."""
    failures: dict[EntityRef, FizzbridgeError] = {}
    for some in parts(goods, _ASKED):
        currency, now = _read(client, listed, some)
        rows = []
        for good in some:
            mine, problem = _chosen(good, listed, offers.get(good.sku, ()), currency, told)
            if problem:
                failures[good.of] = problem
                continue
            wanted = {max(one.min_quantity, 1): one.price.amount for one in mine}
            rows.append(Row(good, wanted, now.get(good.variant, {})))
        failures |= _change(client, listed, currency, rows)
    return failures


def _chosen(
    good: Good, listed: str, offers: Sequence[PriceOffer], currency: str, told: Shop
) -> tuple[list[PriceOffer], FizzbridgeError | None]:
    """The offers a list can have, or what keeps it from having them."""
    mine, problem = fitting(offers, currency, told)
    if offers and not currency:
        msg = f"{good.sku}: the shop has no price list {listed}"
        problem = TargetRejectedError(msg, platform="shopify")
    elif mine and all(one.min_quantity > 1 for one in mine):
        msg = f"{good.sku}: list {listed} has prices from a quantity on, and none for one"
        problem = TargetRejectedError(msg, platform="shopify")
    return mine, problem


def _read(
    client: ShopClient, listed: str, goods: Sequence[Good]
) -> tuple[str, dict[str, dict[int, Decimal]]]:
    """The list's currency, empty where there is no such list, and its prices of some variants."""
    if not number(listed).isdigit():
        return "", {}
    which = " OR ".join(f"variant_id:{number(one.variant)}" for one in goods)
    found: dict[str, dict[int, Decimal]] = {}
    after = None
    while True:
        asked = {"list": gid("PriceList", number(listed)), "which": which, "after": after}
        there = client.ask(_READ, **asked)["priceList"]
        if there is None:
            return "", {}
        for node in there["prices"]["nodes"]:
            steps = {1: Decimal(node["price"]["amount"])}
            for step in node["quantityPriceBreaks"]["nodes"]:
                steps[step["minimumQuantity"]] = Decimal(step["price"]["amount"])
            found[node["variant"]["id"]] = steps
        if not there["prices"]["pageInfo"]["hasNextPage"]:
            return str(there["currency"]), found
        after = there["prices"]["pageInfo"]["endCursor"]


def _change(
    client: ShopClient, listed: str, currency: str, rows: Sequence[Row]
) -> dict[EntityRef, FizzbridgeError]:
    """Prices first, then their steps; what is refused stops its call, so it goes without."""
    failures: dict[EntityRef, FizzbridgeError] = {}
    for is_meant, make in ((_repriced, _prices), (_restepped, _steps)):
        left = [row for row in rows if is_meant(row) and row.good.of not in failures]
        while left:
            made, meant = make(listed, currency, left)
            (told,) = client.tell(made)
            wrong = [
                (row, refusal) for refusal in told.refusals for row in _meant(refusal, meant, left)
            ]
            for row, refusal in wrong:
                said = f"{row.good.sku} on list {listed}: {refusal.message}"
                failures[row.good.of] = TargetRejectedError(said, platform="shopify")
            left = [row for row in left if row.good.of not in failures] if wrong else []
    return failures


def _repriced(row: Row) -> bool:
    return row.is_repriced


def _restepped(row: Row) -> bool:
    return row.is_restepped


Meant = Mapping[str, Sequence[Row]]
"""By list in a call's arguments: the row of each of its values."""


def _meant(refusal: Refusal, meant: Meant, rows: Sequence[Row]) -> Sequence[Row]:
    """The row a refusal is about; all of them where it names none."""
    for name, listed in meant.items():
        if name in refusal.field and refusal.position is not None:
            return listed[refusal.position : refusal.position + 1]
    return rows


def _prices(listed: str, currency: str, rows: Sequence[Row]) -> tuple[Write, Meant]:
    add = [row for row in rows if 1 in row.wanted]
    gone = [row for row in rows if 1 not in row.wanted]
    made = Write(
        "priceListFixedPricesUpdate",
        {
            "priceListId": ("ID!", gid("PriceList", number(listed))),
            "pricesToAdd": (
                "[PriceListPriceInput!]!",
                [_price(row, row.wanted[1], currency) for row in add],
            ),
            "variantIdsToDelete": ("[ID!]!", [row.good.variant for row in gone]),
        },
    )
    return made, {"pricesToAdd": add, "variantIdsToDelete": gone}


def _steps(listed: str, currency: str, rows: Sequence[Row]) -> tuple[Write, Meant]:
    steps = [(row, at) for row in rows for at in sorted(_above(row.wanted))]
    given: dict[str, Any] = {
        "quantityPriceBreaksToAdd": [
            {"minimumQuantity": at, **_price(row, row.wanted[at], currency)} for row, at in steps
        ],
        "quantityPriceBreaksToDeleteByVariantId": [row.good.variant for row in rows],
        "quantityPriceBreaksToDelete": [],
        "pricesToAdd": [],
        "pricesToDeleteByVariantId": [],
        "quantityRulesToAdd": [],
        "quantityRulesToDeleteByVariantId": [],
    }
    made = Write(
        "quantityPricingByVariantUpdate",
        {
            "priceListId": ("ID!", gid("PriceList", number(listed))),
            "input": ("QuantityPricingByVariantUpdateInput!", given),
        },
    )
    return made, {
        "quantityPriceBreaksToAdd": [row for row, _ in steps],
        "quantityPriceBreaksToDeleteByVariantId": list(rows),
    }


def _price(row: Row, amount: Decimal, currency: str) -> dict[str, Any]:
    money = {"amount": f"{amount:f}", "currencyCode": currency}
    return {"variantId": row.good.variant, "price": money}


def _above(steps: Steps) -> dict[int, Decimal]:
    return {at: price for at, price in steps.items() if at > 1}
