"""What apps can do in the sandbox shop: each mutation, and the reads that go with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_fulfillments import Dispatch
from platforms.shopify.sandbox_goods_writes import GoodsWrites
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_order_writes import OrderWrites
from platforms.shopify.sandbox_price_writes import PriceWrites
from platforms.shopify.sandbox_refund_writes import RefundWrites
from platforms.shopify.sandbox_search import listing
from platforms.shopify.sandbox_shipping import Shipping
from platforms.shopify.sandbox_stock_writes import StockWrites
from platforms.shopify.sandbox_writes import Act

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk


def acts(desk: OrderDesk, dispatch: Dispatch) -> dict[str, tuple[str, Act]]:
    """Every mutation by name: under which word it is counted, and what it does."""
    stock = StockWrites(desk)
    shipping = Shipping(desk, dispatch, desk.groups)
    goods = GoodsWrites(desk)
    prices = PriceWrites(desk, desk.price_lists)
    orders = OrderWrites(desk)
    return {
        "fulfillmentCancel": ("fulfillment_cancel", shipping.cancel),
        "fulfillmentCreate": ("fulfillment_create", shipping.create),
        "fulfillmentTrackingInfoUpdate": ("fulfillment_tracking_update", shipping.track),
        "inventoryActivate": ("inventory_activate", stock.activate),
        "inventorySetQuantities": ("inventory_set", stock.set_quantities),
        "metafieldsSet": ("metafields_set", desk.metafields.set),
        "orderCancel": ("order_cancel", orders.cancel),
        "orderMarkAsPaid": ("order_mark_as_paid", orders.mark_as_paid),
        "orderUpdate": ("order_update", orders.update),
        "refundCreate": ("refund_create", RefundWrites(desk).create),
        "tagsAdd": ("tags_add", orders.add_tags),
        "tagsRemove": ("tags_remove", orders.remove_tags),
        "priceListFixedPricesAdd": ("price_list_add", prices.add),
        "priceListFixedPricesDelete": ("price_list_delete", prices.delete),
        "priceListFixedPricesUpdate": ("price_list_update", prices.update),
        "productUpdate": ("product_update", goods.update_product),
        "productVariantsBulkUpdate": ("price_update", goods.update_variants),
        "quantityPricingByVariantUpdate": ("quantity_pricing_update", prices.by_variant),
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

    def catalogs(args: Json) -> Json:
        found = desk.price_lists.catalog_entries(args.get("type"))
        return listing("catalogs", found, args)

    def price_list(args: Json) -> Json | None:
        found = desk.price_lists.known.get(number_in(args["id"], "PriceList"))
        return desk.price_lists.node(found) if found else None

    def job(args: Json) -> Json | None:
        found = desk.jobs.known.get(args["id"])
        return found.node() if found else None

    return {
        "catalogs": catalogs,
        "fulfillment": fulfillment,
        "fulfillmentOrder": fulfillment_order,
        "job": job,
        "priceList": price_list,
        "priceLists": lambda args: listing("priceLists", desk.price_lists.entries(), args),
    }
