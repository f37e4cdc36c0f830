"""What of the sandbox shop can have tags and metafields, found by its global id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platforms.shopify.sandbox_catalogue import Product, Variant
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_nodes import order_node
from platforms.shopify.sandbox_orders import Order
from platforms.shopify.sandbox_owner_kinds import kind_of
from platforms.shopify.sandbox_people import Customer

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

Owner = Order | Product | Variant | Customer


class Owners:
    """Things of one shop by their global ids."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def find(self, owner_gid: str) -> Owner | None:
        """The thing, if it is one of these and there."""
        kind, number = kind_of(owner_gid), int(owner_gid.rpartition("/")[2])
        desk = self._desk
        if kind == "ProductVariant":
            return desk.catalogue.by_id(number)
        if kind == "Product":
            return desk.catalogue.products.get(number)
        return desk.orders.get(number) if kind == "Order" else desk.people.known.get(number)

    def touch(self, owner: Owner) -> None:
        """Tell that something of it changed."""
        if isinstance(owner, Order):
            self._desk.changed(owner)
        elif isinstance(owner, Customer):
            self._desk.people.update(owner.id, {})
        else:
            product = owner if isinstance(owner, Product) else owner.product
            self._desk.catalogue.changed(product)

    def tags(self, owner: Owner) -> list[str]:
        """The tags it has."""
        if isinstance(owner, Variant):
            return []
        if isinstance(owner, Customer):
            return owner.tags
        return [tag for tag in owner.facts["tags"].split(", ") if tag]

    def tag(self, owner: Owner, tags: list[str]) -> None:
        """Give it these tags in place of those it has."""
        if isinstance(owner, Order):
            self._desk.update(owner.id, {"tags": tags})
        elif isinstance(owner, Product):
            self._desk.catalogue.update(owner.id, {"tags": tags})
        elif isinstance(owner, Customer):
            self._desk.people.update(owner.id, {"tags": tags})

    def node(self, owner: Owner) -> Json:
        """As the API shows it where anything may be shown."""
        desk = self._desk
        if isinstance(owner, Order):
            return order_node(owner, desk) | {"__typename": "Order"}
        if isinstance(owner, Product):
            return desk.catalogue.node(owner) | {"__typename": "Product"}
        if isinstance(owner, Variant):
            return desk.catalogue.variant_node(owner) | {"__typename": "ProductVariant"}
        return desk.people.node(owner) | {"__typename": "Customer"}
