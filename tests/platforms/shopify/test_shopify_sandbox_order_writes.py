"""What apps write of the sandbox shop's orders: details, payment, refunds and cancellation."""

import json

import httpx
import pytest

from platforms.shopify.sandbox_orders import RefusedError
from sandbox.faults import Fault
from tests.platforms.shopify.app_shop import (
    DEPOT,
    ORDER,
    QUAY,
    READS,
    WRITES,
    done,
    place,
    problem,
    refused,
    store,
)
from tests.platforms.shopify.sandbox_shop import (
    SAMPLES,
    SCHEMAS,
    ask,
    code,
    control,
    missing_fields,
    needs_vendor_files,
    paths,
    told,
    topics,
)

FREIGHT = ORDER | {"shipping": {"title": "Van", "price": "6.00", "tax_rate": "0.2"}}
UPDATE = """mutation($i: OrderInput!) { orderUpdate(input: $i) {
  order { id note tags poNumber email phone customAttributes { key value }
    shippingAddress { lastName city countryCodeV2 } metafields(first: 9) { nodes { key value } } }
  userErrors { field message } } }"""
TAGS = """mutation($id: ID!, $t: [String!]!) { tagsAdd(id: $id, tags: $t) {
  node { id ... on Order { tags } ... on Product { tags } ... on Customer { tags } }
  userErrors { field message } } }"""
UNTAG = TAGS.replace("tagsAdd", "tagsRemove")
PAID = """mutation($i: OrderMarkAsPaidInput!) { orderMarkAsPaid(input: $i) {
  order { id displayFinancialStatus canMarkAsPaid totalOutstandingSet { shopMoney { amount } } }
  userErrors { field message } } }"""
CANCEL = """mutation($id: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $refund: Boolean,
  $method: OrderCancelRefundMethodInput, $note: String) {
  orderCancel(orderId: $id, reason: $reason, restock: $restock, refund: $refund,
    refundMethod: $method, staffNote: $note, notifyCustomer: false) {
    job { id done } orderCancelUserErrors { field message code } } }"""
REFUND = """mutation($i: RefundInput!, $k: String!) {
  refundCreate(input: $i) @idempotent(key: $k) {
    order { displayFinancialStatus totalRefundedSet { shopMoney { amount } } }
    refund { id note processedAt totalRefundedSet { shopMoney { amount } }
      refundLineItems(first: 9) { nodes { quantity restockType restocked location { id }
        subtotalSet { shopMoney { amount } } totalTaxSet { shopMoney { amount } } } }
      refundShippingLines(first: 9) { nodes { subtotalAmountSet { shopMoney { amount } }
        taxAmountSet { shopMoney { amount } } shippingLine { title } } }
      orderAdjustments(first: 9) { nodes { reason amountSet { shopMoney { amount } } } }
      transactions(first: 9) { nodes { kind status gateway parentTransaction { id }
        amountSet { shopMoney { amount } presentmentMoney { amount } } } } }
    userErrors { field message } } }"""
META = """mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {
  metafields { id namespace key type value ownerType compareDigest }
  userErrors { field message code } } }"""
READ = """query($id: ID!) { order(id: $id) { displayFinancialStatus cancelledAt cancelReason note
  cancellation { staffNote } netPaymentSet { shopMoney { amount } }
  currentTotalPriceSet { shopMoney { amount } } currentTotalTaxSet { shopMoney { amount } }
  currentShippingPriceSet { shopMoney { amount } } totalOutstandingSet { shopMoney { amount } }
  totalRefundedShippingSet { shopMoney { amount } } refunds(first: 9) { id }
  metafield(namespace: "fizz", key: "number") { value } } }"""


def placed(sandbox, draft=ORDER, **more):
    order = sandbox.place_order(draft | more)
    sandbox.outbox.clear()
    sandbox.accepted.clear()
    return order


def read(sandbox, order):
    return ask(sandbox, READ, {"id": order["admin_graphql_api_id"]})["data"]["order"]


def amount(bag):
    return bag["shopMoney"]["amount"]


def update(sandbox, order, **given):
    return ask(sandbox, UPDATE, {"i": {"id": order["admin_graphql_api_id"]} | given})


def test_details_are_set_and_told_once():
    sandbox = store()
    order = placed(sandbox)
    where = {"lastName": "Quill", "address1": "1 Dock Rd", "city": "Leeds", "zip": "LS1"}
    payload = done(
        update(
            sandbox,
            order,
            note="ERP 77",
            poNumber="PO-9",
            email="a@b.example",
            phone="+44 113 496 0000",
            tags=["erp", " Erp", "b,A"],
            customAttributes=[{"key": "invoice", "value": "INV-1"}],
            shippingAddress=where | {"countryCode": "GB"},
        )
    )["order"]
    assert payload["tags"] == ["A", "b", "erp"]
    assert (payload["note"], payload["poNumber"]) == ("ERP 77", "PO-9")
    assert payload["customAttributes"] == [{"key": "invoice", "value": "INV-1"}]
    assert payload["shippingAddress"] == {
        "lastName": "Quill",
        "city": "Leeds",
        "countryCodeV2": "GB",
    }
    assert topics(sandbox) == ["orders/updated"]
    (body,) = told(sandbox, "orders/updated")
    assert (body["tags"], body["note"], body["po_number"]) == ("A, b, erp", "ERP 77", "PO-9")
    assert body["note_attributes"] == [{"name": "invoice", "value": "INV-1"}]
    done(update(sandbox, order, note="ERP 77", tags=["B", "erp", "a"]))
    done(update(sandbox, order, note="ERP 77"))
    assert topics(sandbox) == ["orders/updated"] * 2
    assert sandbox.accepted["order_update"] == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [(None, None)]),
        ({"phone": "call me"}, [(None, ["phone"])]),
        (
            {"shippingAddress": {"address1": "1 Dock Rd", "city": "Leeds"}},
            [(None, ["shippingAddress", "lastName"]), (None, ["shippingAddress", "zip"])],
        ),
    ],
)
def test_wrong_details_are_refused(given, expected):
    sandbox = store()
    order = placed(sandbox)
    answer = update(sandbox, order, **given)
    assert refused(answer) == expected
    assert answer["data"]["orderUpdate"]["order"]["id"] == order["admin_graphql_api_id"]
    assert (topics(sandbox), sandbox.accepted) == ([], {})


def test_what_is_not_there_cannot_be_written():
    sandbox = store()
    gone = {"admin_graphql_api_id": "gid://shopify/Order/1"}
    assert refused(update(sandbox, gone, note="x")) == [(None, ["id"])]
    assert refused(ask(sandbox, PAID, {"i": {"id": "gid://shopify/Order/1"}})) == [(None, ["id"])]
    assert refused(cancel(sandbox, gone)) == [("NOT_FOUND", ["orderId"])]
    assert refused(refund(sandbox, gone, shipping={"amount": "1"})) == [(None, ["orderId"])]
    assert refused(ask(sandbox, TAGS, {"id": gone["admin_graphql_api_id"], "t": ["x"]})) == [
        (None, ["id"])
    ]
    other = ask(sandbox, TAGS, {"id": "gid://shopify/Refund/1", "t": ["x"]})
    assert code(other) == "RESOURCE_NOT_FOUND"
    assert sandbox.accepted == {}


def test_tags_are_added_and_removed():
    sandbox = store()
    order = placed(sandbox, tags=["web"])
    given = {"id": order["admin_graphql_api_id"], "t": ["sent to ERP", "WEB"]}
    assert done(ask(sandbox, TAGS, given))["node"]["tags"] == ["sent to ERP", "web"]
    assert told(sandbox, "orders/updated")[-1]["tags"] == "sent to ERP, web"
    done(ask(sandbox, TAGS, given))
    assert topics(sandbox) == ["orders/updated"]
    gone = {"id": given["id"], "t": ["WEB", "sent to ERP"]}
    assert done(ask(sandbox, UNTAG, gone))["node"]["tags"] == ["web"]
    assert dict(sandbox.accepted) == {"tags_add": 2, "tags_remove": 1}
    product = ask(sandbox, TAGS, {"id": "gid://shopify/Product/2", "t": ["b", "a"]})
    assert done(product)["node"]["tags"] == ["a", "b"]
    assert told(sandbox, "products/update")[-1]["tags"] == "a, b"


def meta(order, value="SO-77", **more):
    base = {"ownerId": order["admin_graphql_api_id"], "namespace": "fizz", "key": "number"}
    return base | {"type": "single_line_text_field", "value": value} | more


def test_a_metafield_is_set_told_and_compared():
    sandbox = store()
    order = placed(sandbox)
    (first,) = done(ask(sandbox, META, {"m": [meta(order)]}))["metafields"]
    assert (first["ownerType"], first["value"]) == ("ORDER", "SO-77")
    assert read(sandbox, order)["metafield"] == {"value": "SO-77"}
    assert topics(sandbox) == ["orders/updated"]
    done(ask(sandbox, META, {"m": [meta(order)]}))
    assert topics(sandbox) == ["orders/updated"]
    untyped = {key: one for key, one in meta(order, "SO-78").items() if key != "type"}
    digest = {"compareDigest": first["compareDigest"]}
    (second,) = done(ask(sandbox, META, {"m": [untyped | digest]}))["metafields"]
    assert (second["id"], second["value"]) == (first["id"], "SO-78")
    stale = ask(sandbox, META, {"m": [meta(order, "SO-79") | digest]})
    assert refused(stale) == [("STALE_OBJECT", ["metafields", "0"])]
    assert sandbox.accepted["metafields_set"] == 3
    rows = [{"namespace": "fizz", "key": "invoice", "type": "id", "value": "1"}]
    nodes = done(update(sandbox, order, metafields=rows))["order"]["metafields"]["nodes"]
    assert {one["key"]: one["value"] for one in nodes} == {"number": "SO-78", "invoice": "1"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": None}, ("BLANK", "type")),
        ({"type": "colour"}, ("INCLUSION", "type")),
        ({"value": ""}, ("INVALID_VALUE", "value")),
        ({"value": "a\nb"}, ("INVALID_VALUE", "value")),
        ({"type": "number_integer", "value": "1.5"}, ("INVALID_VALUE", "value")),
        ({"type": "boolean", "value": "yes"}, ("INVALID_VALUE", "value")),
        ({"type": "url", "value": "example"}, ("INVALID_VALUE", "value")),
        ({"namespace": "f"}, ("TOO_SHORT", "namespace")),
        ({"key": "n"}, ("TOO_SHORT", "key")),
        ({"key": "n" * 65}, ("TOO_LONG", "key")),
        ({"namespace": "protected"}, (None, "namespace")),
        ({"ownerId": "gid://shopify/Order/1"}, ("INVALID_VALUE", "ownerId")),
    ],
)
def test_one_wrong_metafield_stops_all(given, expected):
    sandbox = store()
    order = placed(sandbox)
    answer = ask(sandbox, META, {"m": [meta(order), meta(order, **given)]})
    assert refused(answer) == [(expected[0], ["metafields", "1", expected[1]])]
    assert read(sandbox, order)["metafield"] is None
    assert (topics(sandbox), sandbox.accepted) == ([], {})


def test_at_most_25_metafields_at_once():
    sandbox = store()
    order = placed(sandbox)
    answer = ask(sandbox, META, {"m": [meta(order)] * 26})
    assert refused(answer) == [("LESS_THAN_OR_EQUAL_TO", ["metafields"])]


def test_an_order_is_marked_as_paid_once():
    sandbox = store()
    order = placed(sandbox)
    given = {"i": {"id": order["admin_graphql_api_id"]}}
    payload = done(ask(sandbox, PAID, given))["order"]
    assert (payload["displayFinancialStatus"], payload["canMarkAsPaid"]) == ("PAID", False)
    assert topics(sandbox) == ["order_transactions/create", "orders/paid", "orders/updated"]
    (paid,) = told(sandbox, "order_transactions/create")
    assert (paid["gateway"], paid["kind"], paid["amount"]) == (
        "manual",
        "sale",
        order["total_price"],
    )
    again = ask(sandbox, PAID, given)
    assert problem(again) == "Order cannot be marked as paid."
    assert sandbox.accepted["order_mark_as_paid"] == 1


def cancel(sandbox, order, **given):
    base = {"id": order["admin_graphql_api_id"], "reason": "CUSTOMER", "restock": True}
    return ask(sandbox, CANCEL, base | given)


def job(sandbox, gid):
    return ask(sandbox, "query($id: ID!) { job(id: $id) { done } }", {"id": gid})["data"]["job"]


def stock(sandbox, sku="COLA-24"):
    return sandbox.desk.catalogue.find(sku).item.levels[0].available


def test_a_cancellation_is_a_job_that_gives_all_back():
    sandbox = store()
    order = placed(sandbox, paid=True)
    assert stock(sandbox) == 34
    method = {"originalPaymentMethodsRefund": True}
    payload = done(cancel(sandbox, order, method=method, note="Called off in the ERP"))
    assert payload["job"]["done"] is False
    assert job(sandbox, payload["job"]["id"]) == {"done": True}
    now = read(sandbox, order)
    assert (now["displayFinancialStatus"], now["cancelReason"]) == ("REFUNDED", "CUSTOMER")
    assert now["cancellation"] == {"staffNote": "Called off in the ERP"}
    assert stock(sandbox) == 40
    named = [one for one in topics(sandbox) if one.startswith(("order", "refund"))]
    assert named == [
        "order_transactions/create",
        "refunds/create",
        "orders/cancelled",
        "orders/updated",
    ]
    assert sandbox.accepted["order_cancel"] == 1
    assert problem(cancel(sandbox, order)).endswith("already been canceled")
    assert sandbox.accepted["order_cancel"] == 1


def test_money_and_goods_may_stay_where_they_are():
    sandbox = store()
    order = placed(sandbox, paid=True)
    done(cancel(sandbox, order, restock=False, refund=False))
    now = read(sandbox, order)
    assert now["cancelledAt"]
    assert amount(now["netPaymentSet"]) != "0.0"
    assert stock(sandbox) == 34
    (body,) = told(sandbox, "refunds/create")
    assert {one["restock_type"] for one in body["refund_line_items"]} == {"no_restock"}
    assert body["transactions"] == []
    assert sandbox.desk.catalogue.find("COLA-24").item.levels[0].committed == 0


def test_a_cancellation_may_take_its_time():
    sandbox = store(job_seconds=5)
    order = placed(sandbox)
    payload = done(cancel(sandbox, order))
    assert (job(sandbox, payload["job"]["id"]), read(sandbox, order)["cancelledAt"]) == (
        {"done": False},
        None,
    )
    assert problem(cancel(sandbox, order)) == "Cancellation is already in progress"
    sandbox.clock.later(seconds=5)
    assert job(sandbox, payload["job"]["id"]) == {"done": True}
    other = placed(sandbox)
    done(cancel(sandbox, other))
    assert control(sandbox, "/jobs/run", {}).status_code == 204
    assert read(sandbox, other)["cancelledAt"]


def test_a_job_that_comes_too_late_does_nothing():
    sandbox = store(job_seconds=5)
    order = placed(sandbox)
    done(cancel(sandbox, order))
    sandbox.fulfill_order(order["id"])
    sandbox.clock.later(seconds=5)
    assert read(sandbox, order)["cancelledAt"] is None


def test_what_is_under_way_is_not_cancelled():
    sandbox = store()
    shipped = placed(sandbox)
    sandbox.fulfill_order(shipped["id"], [{"sku": "COLA-24", "quantity": 1}])
    assert refused(cancel(sandbox, shipped)) == [("INVALID", ["orderId"])]
    assert problem(cancel(sandbox, shipped)).endswith("outstanding fulfillments")
    held = placed(sandbox)
    sandbox.pay_order(held["id"], "authorization")
    assert "authorizations" in problem(cancel(sandbox, held))
    order = placed(sandbox)
    method = {"originalPaymentMethodsRefund": True}
    assert refused(cancel(sandbox, order, refund=True, method=method)) == [("INVALID", ["refund"])]
    assert refused(cancel(sandbox, order, note="x" * 256)) == [("INVALID", ["staffNote"])]
    assert read(sandbox, order)["cancelledAt"] is None
    assert sandbox.accepted["order_cancel"] == 0


def refund(sandbox, order, key="r-1", query=REFUND, **given):
    asked = {"orderId": order["admin_graphql_api_id"]} | given
    return ask(sandbox, query, {"i": asked, "k": key})


def back(order, n=0, quantity=1, **more):
    gid = order["line_items"][n]["admin_graphql_api_id"]
    return {"lineItemId": gid, "quantity": quantity, "restockType": "RETURN"} | more


def money(sandbox, order, value, n=-1, **more):
    sale = sandbox.desk.order(order["id"]).transactions[n]
    base = {"orderId": order["admin_graphql_api_id"], "kind": "REFUND", "gateway": "x"}
    return base | {"parentId": f"gid://shopify/OrderTransaction/{sale.id}", "amount": value} | more


def test_goods_freight_and_money_go_back_together():
    sandbox = store()
    order = placed(sandbox, FREIGHT, paid=True)
    before = amount(read(sandbox, order)["currentTotalPriceSet"])
    payload = done(
        refund(
            sandbox,
            order,
            refundLineItems=[back(order, quantity=2, locationId=place(DEPOT))],
            shipping={"amount": "3"},
            transactions=[money(sandbox, order, "35.28")],
            note="RMA-7",
            notify=False,
        )
    )
    made = payload["refund"]
    assert made["note"] == "RMA-7"
    assert made["refundLineItems"]["nodes"] == [
        {
            "quantity": 2,
            "restockType": "RETURN",
            "restocked": True,
            "location": {"id": place(DEPOT)},
            "subtotalSet": {"shopMoney": {"amount": "26.4"}},
            "totalTaxSet": {"shopMoney": {"amount": "5.28"}},
        }
    ]
    (freight,) = made["refundShippingLines"]["nodes"]
    assert (amount(freight["subtotalAmountSet"]), amount(freight["taxAmountSet"])) == ("3.0", "0.6")
    assert freight["shippingLine"] == {"title": "Van"}
    assert made["orderAdjustments"]["nodes"] == []
    (moved,) = made["transactions"]["nodes"]
    assert (moved["kind"], moved["gateway"], amount(moved["amountSet"])) == (
        "REFUND",
        "shopify_payments",
        "35.28",
    )
    now = read(sandbox, order)
    assert float(amount(now["currentTotalPriceSet"])) == pytest.approx(float(before) - 35.28)
    assert amount(now["currentShippingPriceSet"]) == "3.0"
    assert amount(now["totalRefundedShippingSet"]) == "3.0"
    assert amount(now["totalOutstandingSet"]) == "0.0"
    assert stock(sandbox) == 36
    named = [one for one in topics(sandbox) if one.startswith(("order", "refund"))]
    assert named == ["order_transactions/create", "refunds/create", "orders/updated"]
    (body,) = told(sandbox, "refunds/create")
    assert body["refund_line_items"][0]["location_id"] == DEPOT
    assert body["refund_shipping_lines"][0]["subtotal_amount_set"]["shop_money"]["amount"] == "3.00"
    (order_body,) = told(sandbox, "orders/updated")
    line = order_body["shipping_lines"][0]
    assert line["current_discounted_price_set"]["shop_money"]["amount"] == "3.00"
    assert sandbox.accepted["refund_create"] == 1


def test_money_alone_is_a_discrepancy_and_goods_alone_move_none():
    sandbox = store()
    order = placed(sandbox, paid=True)
    only = done(refund(sandbox, order, transactions=[money(sandbox, order, "5.005")]))
    assert amount(only["refund"]["totalRefundedSet"]) == "5.01"
    (difference,) = only["refund"]["orderAdjustments"]["nodes"]
    assert difference == {
        "reason": "REFUND_DISCREPANCY",
        "amountSet": {"shopMoney": {"amount": "-5.01"}},
    }
    assert only["order"]["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    goods = done(refund(sandbox, order, "r-2", refundLineItems=[back(order)]))["refund"]
    assert (goods["transactions"]["nodes"], goods["orderAdjustments"]["nodes"]) == ([], [])


def test_goods_may_come_back_to_another_location_or_to_none():
    sandbox = store(locations=[{"id": QUAY, "name": "Quay store"}])
    sandbox.desk.catalogue.stock.connect(sandbox.desk.catalogue.find("COLA-24").item, QUAY, 5)
    order = placed(sandbox, paid=True)
    there = back(order, locationId=place(QUAY))
    done(refund(sandbox, order, refundLineItems=[there]))
    levels = sandbox.desk.catalogue.find("COLA-24").item.levels
    assert [one.available for one in levels] == [34, 6]
    done(refund(sandbox, order, "r-2", refundLineItems=[back(order, restockType="NO_RESTOCK")]))
    assert [one.available for one in levels] == [34, 6]
    assert [one.committed for one in levels] == [4, 0]


def test_the_full_freight_goes_back_without_an_amount():
    sandbox = store()
    order = placed(sandbox, FREIGHT, paid=True)
    made = done(refund(sandbox, order, shipping={"fullRefund": True}))["refund"]
    (freight,) = made["refundShippingLines"]["nodes"]
    assert amount(freight["subtotalAmountSet"]) == "6.0"
    again = refund(sandbox, order, "r-2", shipping={"amount": "0.01"})
    assert refused(again) == [(None, ["shipping", "amount"])]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda s, o: {}, None),
        (
            lambda s, o: {"refundLineItems": [back(o, quantity=7)]},
            ["refundLineItems", "0", "quantity"],
        ),
        (
            lambda s, o: {"refundLineItems": [back(o, quantity=4), back(o, quantity=4)]},
            ["refundLineItems", "1", "quantity"],
        ),
        (
            lambda s, o: {"refundLineItems": [back(o, quantity=0)]},
            ["refundLineItems", "0", "quantity"],
        ),
        (
            lambda s, o: {"refundLineItems": [back(o, lineItemId="gid://shopify/LineItem/1")]},
            ["refundLineItems", "0", "lineItemId"],
        ),
        (
            lambda s, o: {"refundLineItems": [back(o, locationId=place(1))]},
            ["refundLineItems", "0", "locationId"],
        ),
        (lambda s, o: {"shipping": {"amount": "6.01"}}, ["shipping", "amount"]),
        (lambda s, o: {"transactions": [money(s, o, "1", kind="SALE")]}, None),
        (
            lambda s, o: {
                "transactions": [money(s, o, "1", parentId="gid://shopify/OrderTransaction/1")]
            },
            ["transactions"],
        ),
        (lambda s, o: {"transactions": [money(s, o, "0")]}, ["transactions"]),
        (lambda s, o: {"transactions": [money(s, o, "999")]}, None),
        (lambda s, o: {"transactions": [money(s, o, "80"), money(s, o, "80")]}, None),
    ],
)
def test_a_wrong_refund_changes_nothing(given, expected):
    sandbox = store()
    order = placed(sandbox, FREIGHT, paid=True)
    before = read(sandbox, order)
    answer = refund(sandbox, order, **given(sandbox, order))
    assert refused(answer) == [(None, expected)]
    payload = answer["data"]["refundCreate"]
    assert (payload["refund"], payload["order"]["displayFinancialStatus"]) == (None, "PAID")
    assert read(sandbox, order) == before
    assert (topics(sandbox), sandbox.accepted) == ([], {})


def test_more_than_was_received_is_named():
    sandbox = store()
    order = placed(sandbox, paid=True)
    received = order["total_price"]
    answer = refund(sandbox, order, transactions=[money(sandbox, order, "999")])
    text = f"Refund amount £999.00 is greater than net payment received £{received}"
    assert problem(answer) == text
    allowed = refund(
        sandbox,
        order,
        "r-2",
        transactions=[money(sandbox, order, "999")],
        allowOverRefunding=True,
    )
    assert problem(allowed) == text


def test_each_payment_takes_back_what_it_brought():
    sandbox = store()
    order = placed(sandbox)
    sandbox.pay_order(order["id"], amount="20.00")
    sandbox.pay_order(order["id"], gateway="manual")
    answer = refund(sandbox, order, transactions=[money(sandbox, order, "25", n=0)])
    assert "greater than net payment" in problem(answer)
    rows = [money(sandbox, order, "20", n=0), money(sandbox, order, "5", n=1)]
    made = done(refund(sandbox, order, "r-2", transactions=rows))["refund"]
    shown = [(one["gateway"], amount(one["amountSet"])) for one in made["transactions"]["nodes"]]
    assert shown == [("shopify_payments", "20.0"), ("manual", "5.0")]


def test_a_refund_in_the_buyers_currency_names_it():
    sandbox = store()
    order = placed(sandbox, presentment_currency="EUR", presentment_rate="1.25", paid=True)
    rows = [money(sandbox, order, "12.50")]
    assert refused(refund(sandbox, order, transactions=rows)) == [(None, ["currency"])]
    made = done(refund(sandbox, order, "r-2", transactions=rows, currency="EUR"))["refund"]
    (moved,) = made["transactions"]["nodes"]
    assert moved["amountSet"] == {
        "shopMoney": {"amount": "10.0"},
        "presentmentMoney": {"amount": "12.5"},
    }


def test_money_kept_at_a_cancellation_can_go_back_later():
    sandbox = store()
    order = placed(sandbox, paid=True)
    sandbox.desk.refunds.cancel(order["id"], refund=False)
    payload = done(refund(sandbox, order, transactions=[money(sandbox, order, "10")]))
    assert payload["order"]["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert amount(read(sandbox, order)["currentTotalPriceSet"]) == "0.0"
    with pytest.raises(RefusedError):
        sandbox.refund_order(order["id"], amount="1.00")


def test_a_refund_whose_answer_got_lost_is_made_once():
    sandbox = store()
    order = placed(sandbox, paid=True)
    given = {"refundLineItems": [back(order)], "transactions": [money(sandbox, order, "15.84")]}
    sandbox.faults.arm(Fault("commit_then_silence", body_contains="refundCreate"))
    with pytest.raises(httpx.ReadTimeout):
        refund(sandbox, order, **given)
    payload = done(refund(sandbox, order, **given))
    assert payload["refund"]["id"] == read(sandbox, order)["refunds"][0]["id"]
    assert len(read(sandbox, order)["refunds"]) == sandbox.accepted["refund_create"] == 1
    other = refund(sandbox, order, note="another")
    assert "different operation parameters" in problem(other)
    bare = REFUND.replace(" @idempotent(key: $k)", "").replace(", $k: String!", "")
    assert code(refund(sandbox, order, query=bare, **given)) == "BAD_REQUEST"


def test_the_shop_suggests_what_goods_and_freight_are_worth():
    query = """query($id: ID!, $l: [RefundLineItemInput!], $s: Money, $full: Boolean) {
      order(id: $id) { suggestedRefund(refundLineItems: $l, shippingAmount: $s,
        suggestFullRefund: $full) { amountSet { shopMoney { amount } }
        subtotalSet { shopMoney { amount } } totalTaxSet { shopMoney { amount } }
        maximumRefundableSet { shopMoney { amount } } } } }"""
    sandbox = store()
    order = placed(sandbox, FREIGHT, paid=True)
    given = {"id": order["admin_graphql_api_id"], "l": [back(order, quantity=2)], "s": "3"}

    def suggested(**more):
        found = ask(sandbox, query, given | more)["data"]["order"]["suggestedRefund"]
        return [amount(found[key]) for key in ("amountSet", "subtotalSet", "totalTaxSet")]

    assert suggested() == ["35.28", "26.4", "5.88"]
    whole = suggested(l=None, s=None, full=True)[0]
    assert float(whole) == float(order["total_price"])


@pytest.mark.parametrize("query", [UPDATE, TAGS, UNTAG, PAID, CANCEL, REFUND, META])
def test_each_write_of_orders_needs_its_scope(query):
    sandbox = store()
    order = placed(sandbox)
    own = {"id": order["admin_graphql_api_id"]}
    given = own | {"t": [], "i": own, "k": "k", "m": [meta(order)], "reason": "OTHER"}
    given |= {"restock": True} | ({"i": {"orderId": own["id"]}} if query == REFUND else {})
    answer = ask(sandbox, query, given, "reader")
    assert code(answer) == "ACCESS_DENIED"
    assert "`write_orders`" in answer["errors"][0]["extensions"]["requiredAccess"]
    assert (list(answer["data"].values()), sandbox.accepted) == ([None], {})


def test_tags_of_other_things_need_the_scope_of_those():
    sandbox = store(access_tokens={"good": [*READS, "write_orders"]})
    answer = ask(sandbox, TAGS, {"id": "gid://shopify/Product/2", "t": ["x"]})
    assert code(answer) == "ACCESS_DENIED"
    assert "`write_products`" in answer["errors"][0]["message"]
    assert "write_products" in WRITES


@needs_vendor_files
def test_the_samples_of_orders_are_answered():
    sandbox = store()
    order = placed(sandbox)
    sample = json.loads((SAMPLES / "graphql-update-order.json").read_text())
    query = """mutation($i: OrderInput!) { orderUpdate(input: $i) { userErrors { message } } }"""
    ours = ask(sandbox, query, {"i": {"id": order["admin_graphql_api_id"], "note": "x"}})
    assert set(paths(sample)) == set(paths(ours))
    cost = sample["extensions"]["cost"]["requestedQueryCost"]
    assert ours["extensions"]["cost"]["requestedQueryCost"] == cost


@needs_vendor_files
def test_what_apps_cause_has_the_vendors_fields():
    sandbox = store()
    where = {"first_name": "Ines", "city": "Leeds", "country_code": "GB"}
    order = placed(sandbox, FREIGHT, billing_address=where, paid=True)
    freight = {"amount": "1"}
    done(refund(sandbox, order, refundLineItems=[back(order)], shipping=freight))
    done(cancel(sandbox, order))
    schemas = json.loads(SCHEMAS.read_text())["topics"]
    assert {"refunds/create", "orders/cancelled"} <= set(topics(sandbox))
    for delivery in sandbox.deliveries:
        body = json.loads(delivery.body)
        assert list(missing_fields(schemas[delivery.topic], body)) == [], delivery.topic
