"""Whether the vendor's own schema has all that we ask and tell."""

from __future__ import annotations

from fizzbridge.model.documents import ShipmentState
from fizzbridge.model.states import OrderState
from tests.platforms.shopify.sandbox_shop import needs_vendor_files
from tests.platforms.shopify.shopify_back import QUAY, Back
from tests.platforms.shopify.shopify_spec import allowed
from tests.platforms.shopify.test_shopify_target_orders import checked, give_back
from tests.platforms.shopify.test_shopify_target_prices import TRADE

WRITES = {
    "fulfillmentCancel",
    "fulfillmentCreate",
    "fulfillmentTrackingInfoUpdate",
    "inventoryActivate",
    "inventorySetQuantities",
    "metafieldsSet",
    "orderCancel",
    "priceListFixedPricesUpdate",
    "productUpdate",
    "productVariantsBulkUpdate",
    "quantityPricingByVariantUpdate",
    "refundCreate",
    "tagsAdd",
}


@needs_vendor_files
def test_every_request_is_one_the_vendors_schema_allows(record_property):
    house = Back(settings={"refund_money": True}, seed={"price_lists": [TRADE]})
    house.map("pricelist", "501", "TRADE")
    order, other = house.order(paid=True), house.order()
    house.transport.requests.clear()
    for quantity, place in ((9, "WH"), (3, "FAR")):
        house.stock("COLA-24", quantity, place)
    house.settle()
    house.map("location", str(QUAY), "FAR")
    house.stock("COLA-24", 5, "FAR")
    house.price("COLA-24", "14.00")
    house.price("COLA-24", "12.00", "t1", price_list="TRADE")
    house.price("COLA-24", "11.00", "t6", price_list="TRADE", min_quantity=6)
    house.product("COLA-24", is_active=False)
    house.settle()
    house.ship(order)
    house.ship(order, carrier="Van", tracking_number="V1", tracking_url="https://van.example/V1")
    give_back(house, order, COLA_24=1)
    house.ship(order, state=ShipmentState.CANCELLED)
    house.process(other, "S00042", OrderState.CONFIRMED)
    house.process(other, "S00042", OrderState.CANCELLED)
    house.settle()
    checked(house)
    list(house.adapter.items(house.shop, house.connection))
    done = [allowed(request) for request in house.sent()]
    for name in sorted(set(done)):
        record_property("validated", f"{name}: {done.count(name)}")
    written = {
        name
        for one in done
        if one.startswith("mutation ")
        for name in one.removeprefix("mutation ").split("+")
    }
    assert written == WRITES
