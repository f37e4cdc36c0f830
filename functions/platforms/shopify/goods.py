"""From Shopify's products, prices and stock to ours: pure.

The standing price of a variant is what its buyer pays now; the price it is compared with is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fizzbridge.model.entity import Kind, ref
from fizzbridge.observation import Hint, Seen
from fizzbridge.selling import Offer
from platforms.shopify import wire

_SOLD = {"active", "unlisted"}
_ONLY = "Default Title"
"""The title of a product's only variant."""


def product(told: wire.Product, shop: wire.Shop, connection: str) -> Iterator[Seen]:
    """What is sold, what it costs, and how much of it is offered where it is counted."""
    for one in told.variants:
        if not one.sku:
            continue
        refetch = Hint("product", told.id, Kind.PRODUCT)
        offer = Offer(connection, one.id, one.sku, told.updated_at, refetch)
        title = one.title if one.title != _ONLY else ""
        shown = " ".join(filter(None, (told.title, title)))
        yield offer.shown(shown, gtin=one.barcode, is_active=told.status in _SOLD)
        yield offer.priced(one.price, shop.currency, tax_included=shop.taxes_included)
        if one.item.tracked:
            yield from _stock(offer, one.item)


def stock(told: wire.StockItem, connection: str) -> Iterator[Seen]:
    """How much is offered of one thing, and where it no longer is."""
    for one in told.variants if told.sku else ():
        yield from _stock(Offer(connection, one.id, told.sku, told.updated_at), told)


def _stock(offer: Offer, item: wire.Item) -> Iterator[Seen]:
    for level in item.levels:
        # Whether it is counted at all is the item's word.
        changed = max(item.updated_at, level.updated_at)
        refetch = Hint("stock", item.id, Kind.STOCK_LEVEL)
        if item.tracked and level.is_active and level.available is not None:
            there = replace(offer, changed=changed, refetch=refetch)
            yield there.stocked(level.available, level.updated_at, level.location)
        else:
            key = f"{offer.id}:{level.location}"
            entity = ref(Kind.STOCK_LEVEL, offer.connection, key)
            yield Seen(entity, None, changed, refetch=refetch)
