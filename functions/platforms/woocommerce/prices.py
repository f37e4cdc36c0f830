"""Prices: the one everybody pays, and the one of a sale. Prices of plugins are not written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from fizzbridge.trade.offering import PriceOffer
from platforms.woocommerce.levels import Change, Shelf
from platforms.woocommerce.mapping import Market
from platforms.woocommerce.transport import market, rejected
from platforms.woocommerce.wire import Item


class Tag(Frozen):
    """What one of a code costs in one currency, with tax or without."""

    currency: str
    tax_included: bool
    regular: Decimal | None
    """None leaves what is there."""
    sale: Decimal | None


class Tags(Frozen):
    """What each code costs."""

    tags: dict[str, tuple[Tag, ...]]
    has_sales: bool
    """Whether the price of a sale is ours, to take away as well."""


class Prices(Shelf):
    """Overwrites the regular price, and the sale's where a list is chosen for it."""

    def desired(self, view: View, situation: Situation) -> Tags | None:
        """What the shop should ask for one; it has neither lists nor steps."""
        sales = str(situation.connection.settings.get("sale_list", ""))
        offers: dict[tuple[str, str, bool], dict[str, PriceOffer]] = {}
        for one in situation.prices(view):
            if one.min_quantity == 1 and one.price_list in {"", sales}:
                key = (one.code, one.price.currency, one.tax_included)
                offers.setdefault(key, {})[one.price_list] = one
        tags: dict[str, tuple[Tag, ...]] = {}
        for (code, *_), listed in offers.items():
            tags[code] = (*tags.get(code, ()), _tag(listed, sales))
        return Tags(tags=tags, has_sales=bool(sales)) if tags else None

    def codes(self, payload: Tags) -> Iterable[str]:
        """Those that have a price."""
        return payload.tags

    def differing(
        self,
        vendor: VendorClient,
        there: Sequence[Item],  # noqa: ARG002  the settings say it
    ) -> Callable[[Tags, Sequence[Item]], Iterator[Change]]:
        """What the shop asks otherwise, where it asks in the same money and with the same tax."""
        shops = market(vendor)

        def changes(payload: Tags, items: Sequence[Item]) -> Iterator[Change]:
            for item in items:
                if item.is_variable:
                    continue
                tag = _fitting(item.sku, payload.tags[item.sku], shops)
                values = _values(item, tag, has_sales=payload.has_sales)
                if values:
                    yield item, values

        return changes


def _tag(offers: Mapping[str, PriceOffer], sales: str) -> Tag:
    regular = offers[""].price.amount if "" in offers else None
    sale = offers[sales].price.amount if sales and sales in offers else None
    if sale is not None and regular is not None and sale >= regular:
        sale = None  # the shop would drop it
    of = next(iter(offers.values()))
    return Tag(currency=of.price.currency, tax_included=of.tax_included, regular=regular, sale=sale)


def _fitting(code: str, tags: Sequence[Tag], shops: Market) -> Tag:
    """The one in the shop's money and with its tax."""
    for tag in tags:
        if (tag.currency, tag.tax_included) == (shops.currency, shops.tax_included):
            return tag
    ours, theirs = _words(tags[0]), _words(shops)
    raise rejected(f"{code}: the price is in {ours}, the shop's in {theirs}", "market")


def _words(of: Tag | Market) -> str:
    return f"{of.currency} {'with' if of.tax_included else 'without'} tax"


def _values(item: Item, tag: Tag, *, has_sales: bool) -> dict[str, str]:
    values = {}
    if tag.regular is not None and tag.regular != item.regular_price:
        values["regular_price"] = f"{tag.regular:f}"
    if has_sales and tag.sale != item.sale_price:
        values["sale_price"] = "" if tag.sale is None else f"{tag.sale:f}"
    return values
