"""What apps can do in the sandbox shop: each mutation, and the reads that go with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_fulfillments import Dispatch
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_shipping import Shipping
from platforms.shopify.sandbox_stock_writes import StockWrites
from platforms.shopify.sandbox_writes import Act

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk


def acts(desk: OrderDesk, dispatch: Dispatch) -> dict[str, tuple[str, Act]]:
    """Every mutation by name: under which word it is counted, and what it does."""
    stock = StockWrites(desk)
    shipping = Shipping(desk, dispatch, desk.groups)
    return {
        "fulfillmentCancel": ("fulfillment_cancel", shipping.cancel),
        "fulfillmentCreate": ("fulfillment_create", shipping.create),
        "fulfillmentTrackingInfoUpdate": ("fulfillment_tracking_update", shipping.track),
        "inventoryActivate": ("inventory_activate", stock.activate),
        "inventorySetQuantities": ("inventory_set", stock.set_quantities),
    }


def reads(desk: OrderDesk, dispatch: Dispatch) -> dict[str, Callable[[Json], Any]]:
    """The single things by root field that are there for the sake of writes."""
    shipping = Shipping(desk, dispatch, desk.groups)

    def fulfillment(args: Json) -> Json | None:
        found = shipping.find(args["id"])
        return found and shipping.node(*found)

    def fulfillment_order(args: Json) -> Json | None:
        found = desk.groups.find(number_in(args["id"], "FulfillmentOrder"))
        return found and desk.groups.node(*found)

    return {"fulfillment": fulfillment, "fulfillmentOrder": fulfillment_order}
