"""The sandbox's returns."""

import json
from decimal import Decimal

import pytest

from platforms.shopify.sandbox_orders import RefusedError
from tests.platforms.shopify.sandbox_shop import (
    SCHEMAS,
    SCOPES,
    ask,
    code,
    control,
    missing_fields,
    needs_vendor_files,
    shop,
    told,
    topics,
)

COLA = {"sku": "COLA-24", "quantity": 6}
TONIC = {"sku": "TONIC-12", "quantity": 4}


def store(**seed):
    tokens = {"good": [*SCOPES, "read_returns"], "none": []}
    return shop(**{"webhook_topics": "all", "access_tokens": tokens} | seed)


def shipped(sandbox, **draft):
    order = sandbox.place_order({"lines": [COLA, TONIC], "paid": True} | draft)
    sandbox.fulfill_order(order["id"])
    sandbox.deliveries.clear()
    return order


def back(sandbox, order, **given):
    answer = control(sandbox, f"/orders/{order['id']}/return", given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def act(sandbox, key, action, **given):
    answer = control(sandbox, f"/returns/{key}/{action}", given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_wish_is_granted_taken_back_and_closed():
    sandbox = store()
    order = shipped(sandbox)
    lines = [{"sku": "COLA-24", "quantity": 2}, {"sku": "TONIC-12", "quantity": 1}]
    one = back(sandbox, order, lines=lines, requested=True, reason="defective", note="Dented")
    assert one["return"]["status"] == "requested"
    assert one["return"]["name"] == "#1001-R1"
    sandbox.clock.later(seconds=5)
    act(sandbox, one["id"], "approve")
    act(sandbox, one["id"], "update", lines=[{"sku": "COLA-24", "quantity": 1}])
    answer = act(sandbox, one["id"], "process", refund=True)
    assert answer["order"]["financial_status"] == "partially_refunded"
    assert act(sandbox, one["id"], "close")["return"]["status"] == "closed"
    assert topics(sandbox) == [
        "returns/request",
        "orders/updated",
        "returns/approve",
        "orders/updated",
        "returns/update",
        "orders/updated",
        "order_transactions/create",
        "refunds/create",
        "orders/updated",
        "returns/process",
        "orders/updated",
        "returns/close",
        "orders/updated",
    ]
    number, gid = int(one["id"]), f"gid://shopify/Return/{one['id']}"
    (asked,) = told(sandbox, "returns/request")
    assert asked == {
        "id": number,
        "admin_graphql_api_id": gid,
        "status": "requested",
        "order": {key: order[key] for key in ("id", "admin_graphql_api_id")},
        "total_return_line_items": 2,
        "name": None,
        "return_line_items": [],
        "return_shipping_fees": [],
        "exchange_line_items": [],
        "total_exchange_line_items": 0,
    }
    assert told(sandbox, "returns/approve")[0]["status"] == "open"
    (fewer,) = told(sandbox, "returns/update")
    assert fewer["admin_graphql_api_id"] == gid
    assert "order" not in fewer
    assert fewer["return_line_items"]["removals"][0]["delta"] == 1
    assert told(sandbox, "returns/process") == [{}]
    (refund,) = told(sandbox, "refunds/create")
    assert refund["return"] == {"id": number, "admin_graphql_api_id": gid}
    assert [one["quantity"] for one in refund["refund_line_items"]] == [1, 1]
    assert told(sandbox, "returns/close") == [
        {
            "id": number,
            "admin_graphql_api_id": gid,
            "order_id": order["id"],
            "status": "closed",
        }
    ]


def test_a_return_made_by_staff_needs_no_consent_and_may_be_called_off():
    sandbox = store()
    order = shipped(sandbox)
    one = back(sandbox, order, lines=[{"sku": "COLA-24"}])
    act(sandbox, one["id"], "cancel")
    assert topics(sandbox)[::2] == ["returns/approve", "returns/cancel"]
    assert told(sandbox, "returns/cancel")[0]["status"] == "canceled"
    again = back(sandbox, order, lines=[{"sku": "COLA-24", "quantity": 6}])
    assert again["return"]["name"] == "#1001-R2"


def test_a_wish_may_be_declined():
    sandbox = store()
    one = back(sandbox, shipped(sandbox), requested=True)
    act(sandbox, one["id"], "decline", note="Opened")
    shown = look(sandbox, one["id"])
    assert (shown["status"], shown["decline"]) == ("DECLINED", {"note": "Opened"})
    for action in ("approve", "process", "close", "cancel"):
        assert control(sandbox, f"/returns/{one['id']}/{action}", {}).status_code == 422


@pytest.mark.parametrize(
    "given",
    [
        {"lines": [{"sku": "COLA-24", "quantity": 7}]},
        {"lines": [{"sku": "COLA-24", "quantity": 0}]},
        {"lines": [{"sku": "COLA-24", "quantity": 4}, {"sku": "COLA-24", "quantity": 4}]},
        {"lines": [{"sku": "NONE"}]},
        {"lines": [{"sku": "COLA-24", "colour": "red"}]},
        {"reason": "bored"},
        {"colour": "red"},
    ],
)
def test_returns_that_make_no_sense_are_refused(given):
    sandbox = store()
    order = shipped(sandbox)
    assert control(sandbox, f"/orders/{order['id']}/return", given).status_code == 422
    assert topics(sandbox) == []


def test_only_what_was_shipped_and_is_not_on_its_way_back_can_be_returned():
    sandbox = store()
    order = sandbox.place_order({"lines": [COLA]})
    with pytest.raises(RefusedError):
        sandbox.desk.returns.make(order["id"])
    for quantity in (2, 4):
        sandbox.fulfill_order(order["id"], [{"sku": "COLA-24", "quantity": quantity}])
    one = sandbox.desk.returns.make(order["id"], [{"sku": "COLA-24", "quantity": 3}])
    assert [item.quantity for item in one.items] == [2, 1]
    with pytest.raises(RefusedError):
        sandbox.desk.returns.make(order["id"], [{"sku": "COLA-24", "quantity": 4}])
    sandbox.desk.returns.make(order["id"])
    with pytest.raises(RefusedError):
        sandbox.desk.returns.make(order["id"])


def test_what_is_back_cannot_be_called_off():
    sandbox = store()
    one = back(sandbox, shipped(sandbox))
    act(sandbox, one["id"], "process", lines=[{"sku": "COLA-24", "quantity": 1}])
    assert control(sandbox, f"/returns/{one['id']}/cancel", {}).status_code == 422
    too_many = {"lines": [{"sku": "COLA-24", "quantity": 6}]}
    assert control(sandbox, f"/returns/{one['id']}/process", too_many).status_code == 422
    assert told(sandbox, "refunds/create") == []


RETURN = """query($id: ID!) { return(id: $id) { id name status createdAt closedAt
  requestApprovedAt totalQuantity decline { note } order { id name }
  returnLineItems(first: 10) { nodes { id quantity processedQuantity processableQuantity
    refundedQuantity refundableQuantity unprocessedQuantity returnReasonNote customerNote
    returnReasonDefinition { handle name }
    ... on ReturnLineItem { withCodeDiscountedTotalPriceSet { shopMoney { amount } }
      fulfillmentLineItem { id quantity lineItem { id sku } } } } }
  refunds(first: 5) { nodes { id totalRefundedSet { shopMoney { amount } } return { id } } }
  transactions(first: 5) { nodes { kind } } exchangeLineItems(first: 1) { nodes { id } } } }"""


def look(sandbox, key):
    answer = ask(sandbox, RETURN, {"id": f"gid://shopify/Return/{key}"})
    assert "errors" not in answer, answer
    return answer["data"]["return"]


def test_the_api_shows_the_lines_the_webhook_keeps_to_itself():
    sandbox = store()
    order = shipped(sandbox, discount="10.00")
    lines = [{"sku": "COLA-24", "quantity": 2, "customer_note": "Two were flat"}]
    one = back(sandbox, order, lines=lines, reason="wrong-item", note="Mixed up")
    shown = look(sandbox, one["id"])
    assert (shown["status"], shown["name"], shown["totalQuantity"]) == ("OPEN", "#1001-R1", 2)
    assert shown["order"] == {"id": order["admin_graphql_api_id"], "name": "#1001"}
    (line,) = shown["returnLineItems"]["nodes"]
    assert line["fulfillmentLineItem"]["lineItem"]["sku"] == "COLA-24"
    assert line["fulfillmentLineItem"]["quantity"] == 6
    assert line["returnReasonDefinition"] == {"handle": "wrong-item", "name": "Wrong item"}
    assert (line["returnReasonNote"], line["customerNote"]) == ("Mixed up", "Two were flat")
    worth = Decimal(line["withCodeDiscountedTotalPriceSet"]["shopMoney"]["amount"])
    assert Decimal("20.00") < worth < Decimal("26.40")
    act(sandbox, one["id"], "process", lines=[{"sku": "COLA-24", "quantity": 1}], refund=True)
    shown = look(sandbox, one["id"])
    (line,) = shown["returnLineItems"]["nodes"]
    counts = ("quantity", "processedQuantity", "unprocessedQuantity", "refundedQuantity")
    assert [line[name] for name in counts] == [2, 1, 1, 1]
    (refund,) = shown["refunds"]["nodes"]
    assert refund["return"] == {"id": shown["id"]}
    assert [one["kind"] for one in shown["transactions"]["nodes"]] == ["REFUND"]
    assert shown["exchangeLineItems"] == {"nodes": []}
    assert ask(sandbox, RETURN, {"id": "gid://shopify/Return/1"})["data"] == {"return": None}


OF_ORDER = """query($id: ID!) { order(id: $id) { returnStatus returns(first: 5) { nodes { id status
  returnLineItems(first: 5) { nodes { quantity } } } } refunds(first: 5) { return { name } } } }"""


def test_an_order_tells_of_its_returns():
    sandbox = store()
    order = shipped(sandbox)
    given = {"id": order["admin_graphql_api_id"]}
    before = ask(sandbox, OF_ORDER, given)["data"]["order"]
    assert before == {"returnStatus": "NO_RETURN", "returns": {"nodes": []}, "refunds": []}
    one = back(sandbox, order, lines=[{"sku": "COLA-24", "quantity": 1}], requested=True)
    shown = ask(sandbox, OF_ORDER, given)["data"]["order"]
    assert shown["returnStatus"] == "RETURN_REQUESTED"
    assert shown["returns"]["nodes"][0]["status"] == "REQUESTED"
    act(sandbox, one["id"], "approve")
    act(sandbox, one["id"], "process", amount="5.00")
    act(sandbox, one["id"], "close")
    shown = ask(sandbox, OF_ORDER, given)["data"]["order"]
    assert (shown["returnStatus"], shown["refunds"]) == (
        "RETURNED",
        [{"return": {"name": "#1001-R1"}}],
    )
    (refund,) = told(sandbox, "refunds/create")
    assert [one["amount"] for one in refund["transactions"]] == ["5.00"]


def test_an_order_s_change_time_moves_with_its_returns():
    sandbox = store()
    order = shipped(sandbox)
    sandbox.clock.later(seconds=60)
    back(sandbox, order)
    (body,) = told(sandbox, "orders/updated")
    assert body["updated_at"] == "2026-11-20T09:31:00+00:00"
    assert body["returns"] == []


def test_returns_take_a_scope_of_their_own():
    sandbox = store(access_tokens={"good": SCOPES, "back": ["read_returns"]})
    order = shipped(sandbox)
    one = back(sandbox, order)
    query = "query($id: ID!) { return(id: $id) { id order { id } } }"
    given = {"id": f"gid://shopify/Return/{one['id']}"}
    assert code(ask(sandbox, query, given)) == "ACCESS_DENIED"
    partly = ask(sandbox, query, given, token="back")
    assert (code(partly), partly["errors"][0]["path"]) == ("ACCESS_DENIED", ["return", "order"])
    denied = ask(sandbox, OF_ORDER, {"id": order["admin_graphql_api_id"]})
    assert code(denied) == "ACCESS_DENIED"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("returnLineItems(first: 1) { nodes { returnReason } }", "undefinedField"),
        ("returnLineItems(first: 1) { nodes { fulfillmentLineItem { id } } }", "undefinedField"),
        ("returnLineItems { nodes { id } }", "BAD_REQUEST"),
        ("colour", "undefinedField"),
    ],
)
def test_wrong_questions_about_returns_are_refused(query, expected):
    sandbox = store()
    one = back(sandbox, shipped(sandbox))
    text = f"query($id: ID!) {{ return(id: $id) {{ {query} }} }}"
    assert code(ask(sandbox, text, {"id": f"gid://shopify/Return/{one['id']}"})) == expected


def test_goods_that_come_back_are_on_the_shelf_again():
    variants = [{"sku": "COLA-24", "title": "Cola", "price": "13.20", "stock": 10}]
    sandbox = store(variants=variants)
    order = sandbox.place_order({"lines": [COLA], "paid": True})
    sandbox.fulfill_order(order["id"])
    level = sandbox.desk.catalogue.found("COLA-24").item.levels[0]
    assert (level.available, level.committed) == (4, 0)
    one = sandbox.desk.returns.make(order["id"])
    each = [{"sku": "COLA-24", "quantity": 1}]
    sandbox.desk.returns.process(one.id, each)
    assert level.available == 5
    sandbox.desk.returns.process(one.id, each, refund=True)
    assert level.available == 6
    sandbox.desk.returns.process(one.id, each, refund=True, restock=False)
    assert (level.available, level.committed) == (6, 0)


@needs_vendor_files
def test_returns_have_the_vendors_fields_and_no_other():
    sandbox = store()
    order = shipped(sandbox)
    lines = [{"sku": "COLA-24", "quantity": 2}]
    one = back(sandbox, order, lines=lines, requested=True)["id"]
    act(sandbox, one, "approve")
    act(sandbox, one, "update", lines=[{"sku": "COLA-24", "quantity": 1}])
    act(sandbox, one, "process", refund=True)
    act(sandbox, one, "close")
    act(sandbox, back(sandbox, order, lines=lines)["id"], "cancel")
    schemas = json.loads(SCHEMAS.read_text())["topics"]
    heard = {topic for topic in topics(sandbox) if topic.startswith("returns/")}
    assert len(heard) == 6
    for delivery in sandbox.deliveries:
        body, schema = json.loads(delivery.body), schemas[delivery.topic]
        assert list(missing_fields(schema, body)) == [], delivery.topic
        assert body.keys() <= schema.get("properties", {}).keys(), delivery.topic
