"""What apps write in the sandbox shop: stock and shipments."""

import json

import httpx
import pytest

from platforms.shopify.sandbox import sign
from sandbox.faults import Fault
from tests.platforms.shopify.app_shop import (
    COLA,
    DEPOT,
    ORDER,
    QUAY,
    READS,
    TONIC,
    done,
    place,
    problem,
    refused,
    store,
)
from tests.platforms.shopify.sandbox_shop import (
    SAMPLES,
    ask,
    client,
    code,
    control,
    needs_vendor_files,
    paths,
    told,
    topics,
)

SET = """mutation($i: InventorySetQuantitiesInput!, $k: String!) {
  inventorySetQuantities(input: $i) @idempotent(key: $k) {
    inventoryAdjustmentGroup { id createdAt reason referenceDocumentUri
      changes { name delta quantityAfterChange item { id } location { id } } }
    userErrors { field message code } } }"""


def row(item=COLA, quantity=30, location=DEPOT, **more):
    base = {"inventoryItemId": item, "locationId": place(location), "quantity": quantity}
    return base | {"changeFromQuantity": None} | more


def count(sandbox, *rows, key="k-1", query=SET, token="good", **more):  # noqa: S107 - no secret
    given = {"name": "available", "reason": "correction", "quantities": list(rows)} | more
    return ask(sandbox, query, {"i": given, "k": key}, token)


LEVEL = """query($i: ID!, $l: ID!) { inventoryItem(id: $i) {
  inventoryLevel(locationId: $l, includeInactive: true) { isActive
    quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } }"""


def level(sandbox, item=COLA, location=DEPOT):
    found = ask(sandbox, LEVEL, {"i": item, "l": place(location)})["data"]["inventoryItem"]
    if found["inventoryLevel"] is None:
        return None
    counts = {one["name"]: one["quantity"] for one in found["inventoryLevel"]["quantities"]}
    return counts | {"active": found["inventoryLevel"]["isActive"]}


def test_a_count_is_set_told_and_signed():
    sandbox = store()
    sandbox.clock.later(seconds=5)
    uri = "gid://fizz-erp/StockSync/7"
    payload = done(count(sandbox, row(quantity=30), row(TONIC, 0), referenceDocumentUri=uri))
    group = payload["inventoryAdjustmentGroup"]
    assert (group["reason"], group["referenceDocumentUri"]) == ("correction", uri)
    assert group["createdAt"] == "2026-11-20T09:30:05Z"
    changes = [(one["item"]["id"], one["name"], one["delta"]) for one in group["changes"]]
    assert changes == [
        (COLA, "available", -10),
        (COLA, "on_hand", -10),
        (TONIC, "available", -7),
        (TONIC, "on_hand", -7),
    ]
    assert topics(sandbox) == [
        "inventory_levels/update",
        "products/update",
        "inventory_levels/update",
        "variants/out_of_stock",
        "products/update",
    ]
    first = told(sandbox, "inventory_levels/update")[0]
    assert (first["inventory_item_id"], first["location_id"], first["available"]) == (11, DEPOT, 30)
    for delivery in sandbox.deliveries:
        assert delivery.headers["X-Shopify-Hmac-Sha256"] == sign("new-secret", delivery.body)
    assert sandbox.accepted["inventory_set"] == 1


def test_a_count_that_is_there_already_changes_nothing():
    sandbox = store()
    assert done(count(sandbox, row(quantity=40)))["inventoryAdjustmentGroup"] is None
    assert topics(sandbox) == []
    assert sandbox.accepted["inventory_set"] == 1


def test_what_is_on_hand_counts_what_is_promised_too():
    sandbox = store()
    sandbox.place_order(ORDER)
    assert level(sandbox) == {"available": 34, "on_hand": 40, "committed": 6, "active": True}
    done(count(sandbox, row(quantity=50), name="on_hand"))
    assert level(sandbox) == {"available": 44, "on_hand": 50, "committed": 6, "active": True}


@pytest.mark.parametrize(
    ("rows", "more", "expected"),
    [
        ([row()], {"name": "committed"}, [("INVALID_NAME", "name")]),
        ([row()], {"reason": "because"}, [("INVALID_REASON", "reason")]),
        (
            [row()],
            {"referenceDocumentUri": "ERP 7"},
            [("INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri")],
        ),
        ([row(quantity=1_000_000_001)], {}, [("INVALID_QUANTITY_TOO_HIGH", "quantity")]),
        ([row(quantity=-1_000_000_001)], {}, [("INVALID_QUANTITY_TOO_LOW", "quantity")]),
        ([row(quantity=-1)], {"name": "on_hand"}, [("INVALID_QUANTITY_NEGATIVE", "quantity")]),
        (
            [row("gid://shopify/InventoryItem/99")],
            {},
            [("INVALID_INVENTORY_ITEM", "inventoryItemId")],
        ),
        ([row(location=5)], {}, [("INVALID_LOCATION", "locationId")]),
        (
            [row(changeFromQuantity=39)],
            {},
            [("CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity")],
        ),
        ([row(), row()], {}, [("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "locationId")] * 2),
    ],
)
def test_wrong_counts_are_refused_and_none_is_set(rows, more, expected):
    sandbox = store()
    answer = count(sandbox, row(TONIC, 1), *rows, **more)
    assert [(code, field[-1]) for code, field in refused(answer)] == expected
    assert level(sandbox, TONIC)["available"] == 7
    assert (topics(sandbox), sandbox.accepted["inventory_set"]) == ([], 0)


def test_the_count_may_be_compared_before_it_is_set():
    sandbox = store()
    done(count(sandbox, row(quantity=31, changeFromQuantity=40)))
    assert level(sandbox)["available"] == 31


def test_a_count_may_be_below_zero_but_needs_what_it_was():
    sandbox = store()
    done(count(sandbox, row(quantity=-3)))
    assert level(sandbox)["available"] == -3
    lacking = {key: value for key, value in row().items() if key != "changeFromQuantity"}
    answer = count(sandbox, lacking, key="k-2")
    assert code(answer) == "INVALID_FIELD_ARGUMENTS"
    assert answer["data"] == {"inventorySetQuantities": None}


def test_fields_of_older_versions_are_unknown():
    sandbox = store()
    assert code(count(sandbox, row(compareQuantity=4))) == "INVALID_VARIABLE"
    assert code(count(sandbox, row(), ignoreCompareQuantity=True)) == "INVALID_VARIABLE"


def test_at_most_250_counts_at_once():
    sandbox = store()
    answer = count(sandbox, *[row()] * 251)
    assert code(answer) == "MAX_INPUT_SIZE_EXCEEDED"
    assert answer["errors"][0]["path"] == ["inventorySetQuantities", "input", "quantities"]
    assert "data" not in answer
    assert level(sandbox)["available"] == 40


def test_stock_writes_need_an_idempotency_key():
    sandbox = store()
    answer = count(sandbox, row(), query=SET.replace(" @idempotent(key: $k)", " @skip(if: false)")
                   .replace(", $k: String!", ""))  # fmt: skip
    assert code(answer) == "BAD_REQUEST"
    assert "@idempotent directive is required" in answer["errors"][0]["message"]
    assert answer["data"] == {"inventorySetQuantities": None}
    assert code(count(sandbox, row(), key=" ")) == "BAD_REQUEST"
    assert level(sandbox)["available"] == 40


def test_a_key_is_used_up_by_its_first_attempt():
    sandbox = store()
    first = count(sandbox, row(quantity=30))
    sandbox.desk.catalogue.set_stock("COLA-24", 12)
    assert count(sandbox, row(quantity=30))["data"] == first["data"]
    assert level(sandbox)["available"] == 12
    mismatch = count(sandbox, row(quantity=31))
    assert refused(mismatch) == [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]
    assert refused(count(sandbox, row(location=5), key="k-2"))[0][0] == "INVALID_LOCATION"
    again = count(sandbox, row(location=5), key="k-2")
    assert refused(again) == [("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", None)]
    assert sandbox.accepted["inventory_set"] == 1


def test_an_answer_that_got_lost_can_be_asked_for_again():
    sandbox = store()
    sandbox.faults.arm(Fault("commit_then_silence", body_contains="inventorySetQuantities"))
    with pytest.raises(httpx.ReadTimeout):
        count(sandbox, row(quantity=30))
    assert (level(sandbox)["available"], sandbox.accepted["inventory_set"]) == (30, 1)
    assert done(count(sandbox, row(quantity=30)))["inventoryAdjustmentGroup"]["changes"]
    assert (len(told(sandbox, "inventory_levels/update")), sandbox.accepted["inventory_set"]) == (
        1,
        1,
    )


def test_throttled_writes_do_nothing():
    sandbox = store()
    client(sandbox).put("/_sandbox/points", json={"available": 9})
    assert code(count(sandbox, row(quantity=30))) == "THROTTLED"
    sandbox.clock.later(seconds=1)
    done(count(sandbox, row(quantity=30)))


def test_points_and_calls_are_counted_by_the_minute():
    sandbox = store()
    for n in range(3):
        done(count(sandbox, row(quantity=n), key=f"k-{n}"))
        sandbox.clock.later(seconds=25)
    assert (sandbox.bucket.peak_per_minute, sandbox.bucket.throttled) == (30, 0)
    done(count(sandbox, row(quantity=9), key="k-9"))
    assert sandbox.bucket.peak_per_minute == 30
    sandbox.bucket.available = 0.0
    assert code(count(sandbox, row(), key="k-10")) == "THROTTLED"
    shown = client(sandbox).get("/_sandbox/points").json()
    assert shown == {"peak_per_minute": 30, "throttled": 1}
    assert client(sandbox).get("/_sandbox/load").json() == {
        "peak_parallel": 1,
        "peak_per_minute": 4,
        "refused": 0,
    }
    control(sandbox, "/reset", {})
    assert (sandbox.bucket.peak_per_minute, sandbox.load.peak_per_minute) == (0, 0)


def test_the_edge_may_refuse_calls_above_its_limit():
    sandbox = store(limits={"per_minute": 1})
    done(count(sandbox, row(quantity=30)))
    body = {"query": "{ shop { id } }"}
    answer = client(sandbox).post("/admin/api/2026-10/graphql.json", json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert (sandbox.load.refused, sandbox.bucket.throttled) == (1, 0)


ACTIVATE = """mutation($i: ID!, $l: ID!, $a: Int, $h: Int, $k: String!) {
  inventoryActivate(inventoryItemId: $i, locationId: $l, available: $a, onHand: $h)
    @idempotent(key: $k) {
    inventoryLevel { id isActive quantities(names: ["available"]) { quantity } }
    userErrors { field message } } }"""


def activate(sandbox, item=COLA, location=QUAY, key="a-1", token="good", **given):  # noqa: S107
    asked = {"i": item, "l": place(location), "k": key} | given
    return ask(sandbox, ACTIVATE, asked, token)


def test_a_count_where_nothing_is_stocked_waits_for_the_activation():
    sandbox = store()
    done(count(sandbox, row(quantity=9, location=QUAY)))
    assert level(sandbox, location=QUAY) == {
        "available": 9,
        "on_hand": 9,
        "committed": 0,
        "active": False,
    }
    assert topics(sandbox) == []
    assert done(activate(sandbox))["inventoryLevel"]["quantities"] == [{"quantity": 9}]
    assert level(sandbox, location=QUAY)["active"]
    assert told(sandbox, "inventory_levels/connect")[0]["location_id"] == QUAY
    assert sandbox.accepted["inventory_activate"] == 1


def test_activation_may_give_a_count_unless_it_is_active():
    sandbox = store()
    done(activate(sandbox, a=4))
    assert level(sandbox, location=QUAY)["available"] == 4
    assert refused(activate(sandbox, a=5, key="a-2")) == [(None, ["available"])]
    assert refused(activate(sandbox, h=5, key="a-3")) == [(None, ["onHand"])]
    done(activate(sandbox, key="a-4"))
    both = refused(activate(sandbox, TONIC, a=1, h=1, key="a-5"))
    assert both == [(None, ["available"]), (None, ["onHand"])]
    assert refused(activate(sandbox, location=5, key="a-6")) == [(None, ["locationId"])]
    gone = activate(sandbox, "gid://shopify/InventoryItem/99", key="a-7")
    assert refused(gone) == [(None, ["inventoryItemId"])]
    assert (level(sandbox, location=QUAY)["available"], sandbox.accepted) == (
        4,
        {"inventory_activate": 2},
    )


VARIANT = """query($q: String!, $l: ID!) { productVariants(first: 250, query: $q) { nodes {
  id sku inventoryItem { id inventoryLevel(locationId: $l) {
    quantities(names: ["available"]) { quantity } } } } } }"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sku:'COLA-24' OR sku:'TONIC-12'", [(1, 40), (3, 7)]),
        ("sku:'COLA-24' OR sku:'NONE'", [(1, 40)]),
        (r"sku:'O\'HARA \"X\"' OR sku:TONIC-12", [(3, 7), (5, 0)]),
        ("sku:'COLA-24' product_id:4 OR sku:'TONIC-12' AND product_id:4", [(3, 7)]),
    ],
)
def test_variants_are_found_by_several_skus_at_once(query, expected):
    sandbox = store()
    answer = ask(sandbox, VARIANT, {"q": query, "l": place()})
    found = [
        (
            int(one["id"].rpartition("/")[2]),
            one["inventoryItem"]["inventoryLevel"]["quantities"][0]["quantity"],
        )
        for one in answer["data"]["productVariants"]["nodes"]
    ]
    assert found == expected


@pytest.mark.parametrize("query", ["sku:'A' OR", "sku:'A' NOT sku:'B'", "(sku:'A')", "sku:'A"])
def test_other_searches_are_refused(query):
    assert code(ask(store(), VARIANT, {"q": query, "l": place()})) == "BAD_REQUEST"


OPEN = """query($id: ID!) { order(id: $id) { displayFulfillmentStatus fulfillable
  fulfillmentOrders(first: 20) { nodes {
    id status requestStatus orderName assignedLocation { name location { id } }
    fulfillmentHolds { reason } supportedActions { action }
    lineItems(first: 100) { nodes { id sku remainingQuantity totalQuantity
      inventoryItemId lineItem { id sku } } } } } } }"""
SHIP = """mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id name status displayStatus totalQuantity order { id }
    trackingInfo { company number url } location { id }
    fulfillmentLineItems(first: 9) { nodes { quantity lineItem { sku } } } }
  userErrors { field message } } }"""
TRACK = """mutation($id: ID!, $t: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t, notifyCustomer: false) {
    fulfillment { id trackingInfo { company number url } } userErrors { field message } } }"""
UNSHIP = """mutation($id: ID!) { fulfillmentCancel(id: $id) {
  fulfillment { id status displayStatus } userErrors { field message } } }"""


def placed(sandbox, draft=ORDER):
    order = sandbox.place_order(draft)
    sandbox.outbox.clear()
    return order


def to_ship(sandbox, order):
    node = ask(sandbox, OPEN, {"id": order["admin_graphql_api_id"]})["data"]["order"]
    return node | {"groups": node["fulfillmentOrders"]["nodes"]}


def ship(sandbox, *groups, token="good", **tracking):  # noqa: S107 - no secret
    rows = []
    for given in groups:
        group, units = given if isinstance(given, tuple) else (given, {})
        chosen = {"fulfillmentOrderId": group["id"]}
        if units:
            ids = {one["sku"]: one["id"] for one in group["lineItems"]["nodes"]}
            chosen["fulfillmentOrderLineItems"] = [
                {"id": ids.get(sku, sku), "quantity": n} for sku, n in units.items()
            ]
        rows.append(chosen)
    given = {"lineItemsByFulfillmentOrder": rows, "notifyCustomer": True}
    return ask(
        sandbox, SHIP, {"f": given | ({"trackingInfo": tracking} if tracking else {})}, token
    )


def left(group):
    return {one["sku"]: one["remainingQuantity"] for one in group["lineItems"]["nodes"]}


def test_an_order_has_one_fulfilment_order_for_its_location():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    assert (group["status"], group["requestStatus"]) == ("OPEN", "UNSUBMITTED")
    assert group["assignedLocation"] == {"name": "Main depot", "location": {"id": place()}}
    assert left(group) == {"COLA-24": 6, "TONIC-12": 2}
    assert {"action": "CREATE_FULFILLMENT"} in group["supportedActions"]
    assert group["lineItems"]["nodes"][0]["inventoryItemId"] == COLA
    assert to_ship(sandbox, order)["groups"] == [group]


def test_a_part_leaves_and_then_the_rest():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    payload = done(ship(sandbox, (group, {"COLA-24": 4}), company="UPS", number="1Z"))
    made = payload["fulfillment"]
    assert (made["status"], made["displayStatus"], made["totalQuantity"]) == (
        "SUCCESS",
        "FULFILLED",
        4,
    )
    assert made["order"]["id"] == order["admin_graphql_api_id"]
    assert topics(sandbox) == [
        "fulfillments/create",
        "orders/partially_fulfilled",
        "orders/updated",
    ]
    (sent,) = told(sandbox, "fulfillments/create")
    assert (sent["tracking_company"], sent["tracking_number"], sent["location_id"]) == (
        "UPS",
        "1Z",
        DEPOT,
    )
    after = to_ship(sandbox, order)
    assert after["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    (group,) = after["groups"]
    assert (group["status"], left(group)) == ("IN_PROGRESS", {"COLA-24": 2, "TONIC-12": 2})
    assert group["lineItems"]["nodes"][0]["totalQuantity"] == 6
    sandbox.outbox.clear()
    done(ship(sandbox, group))
    assert topics(sandbox) == ["fulfillments/create", "orders/fulfilled", "orders/updated"]
    after = to_ship(sandbox, order)
    assert (after["displayFulfillmentStatus"], after["fulfillable"]) == ("FULFILLED", False)
    assert [one["status"] for one in after["groups"]] == ["CLOSED"]
    assert level(sandbox)["committed"] == 0
    assert sandbox.accepted["fulfillment_create"] == 2


def test_more_than_is_left_cannot_leave():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    before = to_ship(sandbox, order)
    for units in ({"COLA-24": 7}, {"gid://shopify/FulfillmentOrderLineItem/1": 1}):
        assert refused(ship(sandbox, (group, units))) == [(None, ["fulfillment"])]
    zero = refused(ship(sandbox, (group, {"COLA-24": 0})))
    assert zero[0][1][-3:] == ["fulfillmentOrderLineItems", "0", "quantity"]
    assert "Invalid" in problem(ship(sandbox, group, group))
    twice = ship(sandbox, (group, {"COLA-24": 4}), (group, {"COLA-24": 3}))
    assert refused(twice) == [(None, ["fulfillment"])]
    done(ship(sandbox, (group, {"COLA-24": 4}), (group, {"COLA-24": 2})))
    again = ship(sandbox, (group, {"COLA-24": 1}))
    message = again["data"]["fulfillmentCreate"]["userErrors"][0]["message"]
    assert message == "Invalid fulfillment order line item quantity requested."
    assert before["groups"] == [group]
    assert sandbox.accepted["fulfillment_create"] == 1


def test_closed_held_and_unknown_fulfilment_orders_are_refused():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    held = control(sandbox, f"/orders/{order['id']}/hold", {"reason": "awaiting_payment"})
    assert held.status_code == 200
    waiting = to_ship(sandbox, order)
    assert waiting["displayFulfillmentStatus"] == "ON_HOLD"
    assert waiting["groups"][0]["fulfillmentHolds"] == [{"reason": "AWAITING_PAYMENT"}]
    assert problem(ship(sandbox, group)).endswith("has an unfulfillable status= on_hold.")
    control(sandbox, f"/orders/{order['id']}/release", {})
    done(ship(sandbox, group))
    assert problem(ship(sandbox, group)).endswith("has an unfulfillable status= closed.")
    unknown = {"id": "gid://shopify/FulfillmentOrder/1"}
    assert problem(ship(sandbox, unknown)) == "Fulfillment order does not exist."
    gone = placed(sandbox)
    (group,) = to_ship(sandbox, gone)["groups"]
    sandbox.cancel_order(gone["id"])
    assert problem(ship(sandbox, group)).endswith("has an unfulfillable status= cancelled.")
    assert to_ship(sandbox, gone)["groups"][0]["status"] == "CANCELLED"


def test_one_call_ships_from_one_location_of_one_order():
    sandbox = store()
    order, other = placed(sandbox), placed(sandbox)
    lines = [{"sku": "COLA-24", "quantity": 2}]
    control(sandbox, f"/orders/{order['id']}/split", {"location": QUAY, "lines": lines})
    first, second = to_ship(sandbox, order)["groups"]
    assert (left(first), left(second)) == ({"COLA-24": 4, "TONIC-12": 2}, {"COLA-24": 2})
    assert "single location" in problem(ship(sandbox, first, second))
    (elsewhere,) = to_ship(sandbox, other)["groups"]
    assert "same order" in problem(ship(sandbox, first, elsewhere))
    made = done(ship(sandbox, second))["fulfillment"]
    assert made["location"] == {"id": place(QUAY)}
    assert [one["status"] for one in to_ship(sandbox, order)["groups"]] == ["OPEN", "CLOSED"]


def test_fulfilment_orders_follow_people():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    sandbox.fulfill_order(order["id"], [{"sku": "COLA-24", "quantity": 1}])
    sandbox.refund_order(order["id"], [{"line": "COLA-24", "quantity": 1}])
    sandbox.edit_order(order["id"], {"quantities": {"TONIC-12": 5}})
    (after,) = to_ship(sandbox, order)["groups"]
    assert (after["id"], left(after)) == (group["id"], {"COLA-24": 4, "TONIC-12": 5})


def test_a_carrier_the_vendor_knows_gives_the_address():
    sandbox = store()
    (group,) = to_ship(sandbox, placed(sandbox))["groups"]
    made = done(ship(sandbox, group, company=" Royal Mail ", numbers=["A1", "B2"]))["fulfillment"]
    base = "https://www.royalmail.com/track-your-item#/tracking-results/"
    assert made["trackingInfo"] == [
        {"company": "Royal Mail", "number": "A1", "url": f"{base}A1"},
        {"company": "Royal Mail", "number": "B2", "url": f"{base}B2"},
    ]
    (group,) = to_ship(sandbox, placed(sandbox))["groups"]
    made = done(ship(sandbox, group, company="royal mail", number="A1"))["fulfillment"]
    assert made["trackingInfo"] == [{"company": "royal mail", "number": "A1", "url": None}]


def test_tracking_is_changed_and_a_shipment_cancelled():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    own = done(ship(sandbox, group))["fulfillment"]["id"]
    sandbox.outbox.clear()
    tracking = {"company": "Van", "number": "V1", "url": "https://van.example/V1"}
    given = {"id": own, "t": tracking}
    assert done(ask(sandbox, TRACK, given))["fulfillment"]["trackingInfo"] == [tracking]
    assert topics(sandbox) == ["fulfillments/update", "orders/updated"]
    done(ask(sandbox, TRACK, given))
    assert done(ask(sandbox, UNSHIP, {"id": own}))["fulfillment"] == {
        "id": own,
        "status": "CANCELLED",
        "displayStatus": "CANCELED",
    }
    sent = told(sandbox, "fulfillments/update")
    assert [one["status"] for one in sent] == ["success", "cancelled"]
    done(ask(sandbox, UNSHIP, {"id": own}))
    after = to_ship(sandbox, order)
    assert [one["status"] for one in after["groups"]] == ["CLOSED", "OPEN"]
    assert left(after["groups"][1]) == {"COLA-24": 6, "TONIC-12": 2}
    assert dict(sandbox.accepted) == {
        "orders": 1,
        "fulfillment_create": 1,
        "fulfillment_tracking_update": 2,
        "fulfillment_cancel": 2,
    }
    unknown = "gid://shopify/Fulfillment/1"
    assert refused(ask(sandbox, UNSHIP, {"id": unknown})) == [(None, ["id"])]
    assert refused(ask(sandbox, TRACK, given | {"id": unknown})) == [(None, ["fulfillmentId"])]


def test_a_shipment_whose_answer_got_lost_is_not_made_twice():
    sandbox = store()
    order = placed(sandbox)
    (group,) = to_ship(sandbox, order)["groups"]
    sandbox.faults.arm(Fault("commit_then_reset", body_contains="fulfillmentCreate"))
    with pytest.raises(httpx.ReadError):
        ship(sandbox, (group, {"COLA-24": 6, "TONIC-12": 2}), number="1Z")
    assert problem(ship(sandbox, (group, {"COLA-24": 6, "TONIC-12": 2}), number="1Z"))
    assert sandbox.accepted["fulfillment_create"] == 1


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        (SET, "write_inventory"),
        (ACTIVATE, "write_inventory"),
        (SHIP, "write_merchant_managed_fulfillment_orders"),
        (TRACK, "write_merchant_managed_fulfillment_orders"),
        (UNSHIP, "write_merchant_managed_fulfillment_orders"),
    ],
)
def test_each_write_needs_its_scope(query, needed):
    sandbox = store(access_tokens={"reader": READS})
    group = {"id": "gid://shopify/FulfillmentOrder/1"}
    calls = {
        SET: lambda: count(sandbox, row(), token="reader"),
        ACTIVATE: lambda: activate(sandbox, token="reader"),
        SHIP: lambda: ship(sandbox, group, token="reader"),
        TRACK: lambda: ask(sandbox, TRACK, {"id": "x", "t": {}}, "reader"),
        UNSHIP: lambda: ask(sandbox, UNSHIP, {"id": "x"}, "reader"),
    }
    answer = calls[query]()
    assert code(answer) == "ACCESS_DENIED"
    assert f"`{needed}`" in answer["errors"][0]["extensions"]["requiredAccess"]
    assert list(answer["data"].values()) == [None]
    assert sum(sandbox.accepted.values()) == 0


def test_who_may_write_may_read():
    sandbox = store(access_tokens={"good": ["write_inventory", "read_products"]})
    query = "query($i: ID!) { inventoryItem(id: $i) { sku } }"
    assert ask(sandbox, query, {"i": COLA})["data"] == {"inventoryItem": {"sku": "COLA-24"}}


@needs_vendor_files
def test_the_sample_of_a_count_is_answered():
    sample = json.loads((SAMPLES / "graphql-set-inventory-quantities.json").read_text())
    sandbox = store()
    uri = "logistics://nango.test/set-inventory-quantities"
    ours = count(sandbox, row(quantity=41), referenceDocumentUri=uri)
    assert set(paths(sample)) - set(paths(ours)) == set()
    group = ours["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]
    assert [{key: one[key] for key in ("name", "delta", "quantityAfterChange")}
            for one in group["changes"]] == (
        sample["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]["changes"]
    )  # fmt: skip


def test_any_write_can_be_made_to_fail():
    sandbox = store()
    sandbox.faults.arm(Fault("status", status=503, body_contains="inventorySetQuantities"))
    answer = client(sandbox).post("/admin/api/2026-10/graphql.json", json={"query": SET})
    assert answer.status_code == 503
    assert level(sandbox)["available"] == 40
