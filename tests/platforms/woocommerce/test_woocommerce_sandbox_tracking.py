"""The sandbox store keeps parcels only where it is said to have a way for them."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.platforms.woocommerce.woo_store import Shop

TRACKING = "https://store.example/wp-json/wc-shipment-tracking/v3"


def refused(answer: httpx.Response) -> tuple:
    return answer.status_code, answer.json()["code"]


def fulfilling() -> tuple[Shop, dict, str]:
    shop = Shop(fulfillments=True, webhook_uri="https://hooks.example/shop")
    order = shop.place(4)
    return shop, order, f"/orders/{order['id']}/fulfillments"


def parcel(order: dict, quantity: int, number: str = "JD0002") -> dict:
    items = [{"item_id": order["line_items"][0]["id"], "qty": quantity}]
    rows = {"_items": items, "_tracking_number": number, "_shipping_provider": "dhl"}
    meta = [{"key": key, "value": value} for key, value in rows.items()]
    return {"status": "fulfilled", "is_fulfilled": True, "meta_data": meta}


def state(shop: Shop, order: dict) -> str:
    meta = shop.http.get(f"/orders/{order['id']}").json()["meta_data"]
    return next(one["value"] for one in meta if one["key"] == "_fulfillment_status")


@pytest.mark.parametrize(
    "path", ["/orders/700/fulfillments", f"{TRACKING}/orders/700/shipment-trackings"]
)
def test_a_store_has_no_route_for_parcels_by_itself(path):
    shop = Shop()
    shop.place()
    assert refused(shop.http.get(path)) == (404, "rest_no_route")
    assert refused(shop.http.post(path, json={})) == (404, "rest_no_route")


def test_a_parcel_of_the_core_is_kept_changed_and_marked_as_deleted():
    shop, order, path = fulfilling()
    made = shop.http.post(f"{path}?notify_customer=true", json=parcel(order, 1))
    assert made.status_code == 201
    part = made.json()
    assert {name: value for name, value in part.items() if name != "meta_data"} == {
        "id": 12,
        "entity_type": "WC_Order",
        "entity_id": str(order["id"]),
        "status": "fulfilled",
        "is_fulfilled": True,
        "date_updated": "2026-11-20T10:00:00",
        "date_deleted": None,
    }
    assert part["meta_data"][0]["value"] == [{"item_id": order["line_items"][0]["id"], "qty": 1}]
    assert shop.http.get(path).json() == [part]
    assert state(shop, order) == "partially_fulfilled"
    told = shop.sandbox.outbox.deliveries[-1]
    assert (told.topic, json.loads(told.body)["id"]) == ("order.updated", order["id"])
    changed = shop.http.put(f"{path}/12", json={"meta_data": parcel(order, 4)["meta_data"][:1]})
    assert [one["key"] for one in changed.json()["meta_data"]] == ["_items"], "the rest is gone"
    assert changed.json()["meta_data"][0]["id"] == part["meta_data"][0]["id"]
    assert state(shop, order) == "fulfilled"
    assert shop.http.get(f"{path}/12").json() == changed.json()
    message = {"message": "Fulfillment deleted successfully."}
    assert shop.http.delete(f"{path}/12").json() == message
    assert (shop.http.get(path).json(), state(shop, order)) == ([], "unfulfilled")
    assert refused(shop.http.get(f"{path}/12")) == (400, 0)
    assert shop.sandbox.accepted == {
        "fulfillment_created": 1,
        "fulfillment_updated": 1,
        "fulfillment_deleted": 1,
    }


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (None, "The fulfillment should contain at least one item."),
        ("1", "The fulfillment items should be an array."),
        ([{"item_id": "456", "qty": 1}], "Invalid item."),
        ([{"item_id": 456, "qty": 0}], "Invalid item."),
        (["x"], "Invalid item."),
    ],
)
def test_a_parcel_needs_items_in_their_own_types(items, text):
    shop, _, path = fulfilling()
    answer = shop.http.post(path, json={"meta_data": [{"key": "_items", "value": items}]})
    assert answer.status_code == 400
    assert answer.json() == {"code": 0, "message": text, "data": {"status": 400}}
    assert (shop.http.get(path).json(), shop.sandbox.accepted) == ([], {})


def test_a_state_nobody_has_and_an_order_nobody_has_are_refused():
    shop, order, path = fulfilling()
    assert refused(shop.http.post(path, json=parcel(order, 1) | {"status": "sent"})) == (400, 0)
    missing = (404, "woocommerce_rest_order_invalid_id")
    assert refused(shop.http.post("/orders/1/fulfillments", json=parcel(order, 1))) == missing


def test_the_extension_keeps_parcels_by_carrier_and_number():
    shop = Shop(plugins=["shipment_tracking"], webhook_uri="https://hooks.example/shop")
    order = shop.place()
    path = f"{TRACKING}/orders/{order['id']}/shipment-trackings"
    assert refused(shop.http.post(path, json={})) == (400, "rest_missing_callback_param")
    asked = {"tracking_provider": "DHL", "tracking_number": " JD 2 "}
    made = shop.http.post(path, json=asked)
    assert made.status_code == 201
    first = made.json()
    assert len(first.pop("tracking_id")) == 32
    assert first == {
        "tracking_provider": "DHL",
        "tracking_link": "https://www.dhl.com/en/express/tracking.html?AWB=JD%202",
        "tracking_number": "JD 2",
        "date_shipped": "2026-11-20",
    }
    own = {
        "custom_tracking_provider": "Dock van",
        "custom_tracking_link": "https://van.example/%1$s",
        "tracking_number": "7",
        "date_shipped": "2026-11-19",
    }
    second = shop.http.post(path, json=own).json()
    assert (second["tracking_provider"], second["tracking_link"]) == (
        "Dock van",
        "https://van.example/7",
    )
    assert shop.http.get(path).json() == [made.json(), second]
    assert shop.http.get(f"{path}/{second['tracking_id']}").json() == second
    assert shop.sandbox.outbox.deliveries[-1].topic == "order.updated"
    assert shop.http.delete(f"{path}/{second['tracking_id']}").json() == second
    assert shop.http.get(path).json() == [made.json()]
    assert shop.http.get(f"{path}/none").status_code == 404
    assert shop.sandbox.accepted == {"tracking_created": 2, "tracking_deleted": 1}
