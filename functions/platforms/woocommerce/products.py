"""Products: whether an item is sold at all. Only drafts are published: the rest is people's word.

A variation that is not sold is private, which the shop calls not enabled; what has variations is
published or not where all of them are one item's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Product
from fizzbridge.model.entity import Part
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from platforms.woocommerce.levels import Change, Shelf, by_id
from platforms.woocommerce.wire import Item


class Offered(Frozen):
    """The codes of an item, and whether it is sold."""

    names: tuple[str, ...]
    is_active: bool


class Products(Shelf):
    """Overwrites whether products and variations can be seen."""

    def desired(self, view: View, situation: Situation) -> Offered | None:
        """What the shop should show."""
        product = view.body(Part.RECORD, Product)
        if product is None:
            return None
        names = situation.codes(product.sku)
        return Offered(names=names, is_active=product.is_active) if names else None

    def codes(self, payload: Offered) -> Iterable[str]:
        """The item's."""
        return payload.names

    def differing(
        self, vendor: VendorClient, there: Sequence[Item]
    ) -> Callable[[Offered, Sequence[Item]], Iterator[Change]]:
        """What can be seen and should not, or the other way round."""
        parents = by_id(vendor, (one.parent_id for one in there if one.is_variation))

        def changes(payload: Offered, items: Sequence[Item]) -> Iterator[Change]:
            variations = [one for one in items if one.is_variation]
            sold = {one.id for one in variations}
            above = {one.parent_id for one in variations}
            whole = [parents[one] for one in sorted(above & parents.keys())]
            whole = [one for one in whole if sold.issuperset(one.variations)]
            alone = [one for one in items if not one.is_variation and not one.is_variable]
            for item in [*variations, *whole, *alone]:
                hidden = "private" if item.is_variation else "draft"
                wanted, other = ("publish", hidden) if payload.is_active else (hidden, "publish")
                if item.status == other:
                    yield item, {"status": wanted}

        return changes
