"""Stock: how much of a code can be ordered. A shop has one figure of it, and no places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from platforms.woocommerce.levels import Change, Shelf, by_id
from platforms.woocommerce.transport import rejected
from platforms.woocommerce.wire import Item


class Quantities(Frozen):
    """How much of each code is offered."""

    offered: dict[str, int]


class Stock(Shelf):
    """Overwrites quantities where the shop counts them."""

    def desired(self, view: View, situation: Situation) -> Quantities | None:
        """What the shop should offer; places that it does not know apart are added up."""
        offered: dict[str, int] = {}
        for one in situation.stock(view):
            offered[one.code] = offered.get(one.code, 0) + one.quantity
        return Quantities(offered=offered) if offered else None

    def codes(self, payload: Quantities) -> Iterable[str]:
        """Those that are offered."""
        return payload.offered

    def differing(
        self, vendor: VendorClient, there: Sequence[Item]
    ) -> Callable[[Quantities, Sequence[Item]], Iterator[Change]]:
        """What the shop counts and counts otherwise."""
        parents = by_id(vendor, (one.parent_id for one in there if one.manage_stock == "parent"))

        def changes(payload: Quantities, items: Sequence[Item]) -> Iterator[Change]:
            shared = [one for one in items if one.manage_stock == "parent"]
            for item in items:
                quantity = payload.offered[item.sku]
                if item.manage_stock is True and item.stock_quantity != quantity:
                    yield item, {"stock_quantity": quantity}
            for item in shared:
                quantity, parent = payload.offered[item.sku], parents.get(item.parent_id)
                if parent and parent.variations != (item.id,):
                    msg = f"{item.sku} shares one count with others: count it by itself there"
                    raise rejected(msg, code="shared_count")
                if parent and parent.stock_quantity != quantity:
                    yield parent, {"stock_quantity": quantity}

        return changes
