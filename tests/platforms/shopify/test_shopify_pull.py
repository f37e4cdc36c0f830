import json
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from fizzbridge.errors import ConfigurationError
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime.batch import Again
from fizzbridge.runtime.loading import Loader
from platforms.shopify.pull import ShopifyPull
from tests.kit.source import CONNECTION, DLQ, PULL_QUEUE, TOKEN, bridge, http_event
from tests.platforms.shopify.shopify_shop import (
    DISCOUNTED,
    DRAFT,
    KINDS,
    act,
    deliver_all,
    hint,
    paid,
    shop,
    source,
)


@pytest.mark.parametrize("kind", KINDS)
def test_asking_finds_what_the_webhooks_told(kind):
    """Equal content, equal fingerprint: or every poll would look like a change."""
    sandbox = shop()
    order = KINDS[kind](sandbox)
    told, asked = source(sandbox), source(sandbox)
    deliver_all(sandbox, told)
    if "tied" in told.counts():
        told.drain()
    asked.work(hint("order", order["id"]))
    asked.work(hint("transactions", order["id"]))
    asked.work(hint("fulfillments", order["id"]))
    assert asked.content() == told.content()
    told.drain()
    assert asked.content() == told.content()


def test_an_order_leads_to_its_money_and_its_shipments():
    sandbox = shop()
    order = KINDS["shipped"](sandbox)
    asked = source(sandbox)
    asked.work(hint("order", order["id"]))
    assert [message["what"] for message in asked.messages()] == ["transactions", "fulfillments"]
    asked.drain()
    ref = EntityRef.parse(f"Order#{CONNECTION}/{order['id']}")
    documents = Loader(asked.table, asked.objects).view(ref).documents
    assert len(documents.payments) == 1
    one, two = sorted(documents.shipments, key=lambda shipment: shipment.number)
    assert [line.quantity for line in one.lines] == [4]
    assert [line.quantity for line in two.lines] == [2, 5]
    assert (one.carrier, one.tracking_number) == ("Van", "V-1, V-2")


@pytest.mark.parametrize("topic", ["fulfillments/create", "orders/fulfilled"])
def test_one_webhook_of_a_shipment_is_enough(topic):
    sandbox = shop()
    order = sandbox.place_order(DRAFT)
    act(sandbox, order, "ship", tracking="V-1")
    told = source(sandbox)
    (sent,) = [one for one in sandbox.deliveries if one.topic == topic]
    told.deliver(http_event(sent.headers, sent.body))
    told.drain()
    assert len(told.parts("Shipment#")) == 1


def test_the_poll_finds_a_shipment_that_no_webhook_told():
    sandbox = shop()
    asked = source(sandbox)
    asked.clock.advance(3600)
    order = sandbox.place_order(DRAFT)
    asked.work({"type": "poll", "stream": "orders"})
    asked.drain()
    assert asked.parts("Shipment#") == {}
    found = []
    for action in ("ship", "unship"):
        sandbox.clock.later(4000)
        asked.clock.advance(4000)
        act(sandbox, order, action)
        asked.work({"type": "poll", "stream": "orders"})
        asked.drain()
        found.append(asked.content("Shipment#"))
    shipped, cancelled = found
    assert len(shipped) == 1
    assert shipped.keys() == cancelled.keys()
    assert shipped != cancelled


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_adds_up(kind):
    sandbox = shop()
    order = KINDS[kind](sandbox)
    request = read_order(sandbox, order["id"])
    sums = sum(line.amount for line in request.lines)
    assert sums == (request.totals.gross if request.tax_included else request.totals.net)
    assert sum(line.tax for line in request.lines) == request.totals.tax
    # Money given back beside lines changes no line, so it changes no order either.
    beside = [one["amount"] for refund in order["refunds"] for one in refund["order_adjustments"]]
    total = Decimal(order["current_total_price"]) - sum(map(Decimal, beside))
    assert request.totals.gross == total


def read_order(sandbox, order_id):
    asked = source(sandbox)
    assert asked.work(hint("order", order_id)) is None
    ref = EntityRef.parse(f"Order#{CONNECTION}/{order_id}")
    return Loader(asked.table, asked.objects).view(ref).request


def test_an_order_of_several_pages_is_read_whole():
    sandbox = shop()
    lines = [{"sku": f"S{n}", "price": "1.01", "quantity": 2} for n in range(230)]
    order = sandbox.place_order(DRAFT | {"lines": lines})
    request = read_order(sandbox, order["id"])
    assert [line.sku for line in request.lines[:-1]] == [line["sku"] for line in lines]


def test_an_order_that_changes_while_it_is_read_is_read_again():
    sandbox = shop()
    lines = [{"sku": f"S{n}", "price": "1.01"} for n in range(101)]
    order = sandbox.place_order(DRAFT | {"lines": lines})
    asked = source(sandbox)
    answer = asked.transport.handle_request

    def change_after_the_first_page(request):
        response = answer(request)
        if len(asked.transport.requests) == 1:
            sandbox.clock.later(1)
            sandbox.update_order(order["id"], {"note": "later"})
        return response

    asked.transport.handle_request = change_after_the_first_page
    assert asked.work(hint("order", order["id"])) == Again(None)
    assert asked.parts() == {}
    assert asked.work(hint("order", order["id"])) is None
    assert len(asked.parts("Order#")) == 1


def test_a_refund_too_long_to_read_is_left_to_a_person():
    sandbox = shop()
    lines = [{"sku": f"S{n}", "price": "1.00"} for n in range(101)]
    order = paid(sandbox, DRAFT | {"lines": lines})
    sandbox.refund_order(order["id"], [{"line": one["sku"], "quantity": 1} for one in lines])
    asked = source(sandbox)
    assert asked.work(hint("transactions", order["id"])) is None
    assert len(asked.messages(DLQ)) == 1
    assert asked.parts("Refund#") == {}


def test_a_shipment_too_long_to_read_is_left_to_a_person():
    sandbox = shop()
    lines = [{"sku": f"S{n}", "price": "1.00"} for n in range(251)]
    order = sandbox.place_order(DRAFT | {"lines": lines})
    act(sandbox, order, "ship")
    asked, told = source(sandbox), source(sandbox)
    assert asked.work(hint("fulfillments", order["id"])) is None
    assert len(asked.messages(DLQ)) == 1
    assert asked.parts("Shipment#") == {}
    deliver_all(sandbox, told)
    assert len(told.parts("Shipment#")) == 1


def test_an_order_that_is_not_there_is_no_deletion():
    """Without read_all_orders an old order looks the same."""
    asked = source(shop())
    for what in ("order", "transactions", "fulfillments"):
        assert asked.work(hint(what, 4711)) is None
    assert asked.parts() == {}


def test_a_deletion_is_kept_whatever_comes_later():
    sandbox = shop()
    told = source(sandbox)
    order = paid(sandbox, DRAFT)
    sandbox.delete_order(order["id"])
    *before, deletion = sandbox.deliveries
    for sent in (deletion, *before, deletion):
        told.deliver(http_event(sent.headers, sent.body))
    told.drain()
    (row,) = told.parts(f"Order#{CONNECTION}").values()
    assert row["deleted"] is True


def test_the_poll_lists_every_change_and_the_queue_reads_them():
    sandbox = shop(bucket={"maximum_available": 100_000})
    orders = []
    for _ in range(60):
        orders.append(sandbox.place_order(DISCOUNTED))
        sandbox.clock.later(1)
    asked = source(sandbox)
    asked.work({"type": "poll", "stream": "orders"})
    asked.drain()
    assert set(asked.parts("Order#")) == {
        f"Order#{CONNECTION}/{order['id']}/PART#request" for order in orders
    }


def test_the_next_poll_reads_only_what_changed_since_and_the_overlap():
    sandbox = shop()
    asked = source(sandbox)
    asked.clock.advance(3600)
    old = sandbox.place_order(DRAFT)
    asked.work({"type": "poll", "stream": "orders"})
    assert [message["id"] for message in asked.messages()] == [str(old["id"])]
    asked.drain()
    sandbox.clock.later(4000)
    new = sandbox.place_order(DRAFT)
    asked.clock.advance(4000)
    asked.work({"type": "poll", "stream": "orders"})
    assert [message["id"] for message in asked.messages()] == [str(new["id"])]


def test_a_throttled_query_waits_as_long_as_it_must():
    sandbox = shop(bucket={"maximum_available": 100, "restore_rate": 10})
    order = sandbox.place_order(DRAFT)
    asked = source(sandbox)
    assert asked.work(hint("order", order["id"])) is None
    again = asked.work(hint("transactions", order["id"]))
    assert timedelta(seconds=1) < again.after < timedelta(seconds=10)
    sandbox.clock.later(again.after.total_seconds())
    assert asked.work(hint("transactions", order["id"])) is None


@pytest.mark.parametrize(
    ("token", "code"), [("scopeless", "ACCESS_DENIED"), ("unknown", "configuration")]
)
def test_a_token_that_may_not_read_makes_the_connection_unhealthy(token, code):
    sandbox = shop()
    order = sandbox.place_order(DRAFT)
    asked = source(sandbox)
    asked.secrets["api"] = json.dumps({"access_token": token})
    assert asked.work(hint("order", order["id"])) == Again(timedelta(minutes=5))
    assert (asked.breaker().name, asked.breaker().reason) == ("open", code)
    assert asked.messages(DLQ) == []
    asked.secrets["api"] = json.dumps({"access_token": TOKEN})
    asked.probe()
    assert asked.work(hint("order", order["id"])) is None
    assert asked.breaker().works


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (402, {"errors": "Unavailable Shop"}, Again(timedelta(minutes=5))),
        (423, {"errors": "Locked"}, Again(timedelta(minutes=5))),
        (429, {}, Again(timedelta(seconds=7))),
        (502, {}, Again(timedelta(seconds=7))),
        (
            200,
            {"errors": [{"message": "x", "extensions": {"code": "TIMEOUT"}}]},
            Again(timedelta(seconds=7)),
        ),
        (200, {"errors": [{"message": "x", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}, None),
        (200, {"errors": [{"message": "no such field"}]}, None),
    ],
)
def test_what_answers_mean(status, body, outcome):
    asked = source(shop())
    asked.transport.handle_request = lambda request: httpx.Response(
        status, json=body, headers={"Retry-After": "7"}, request=request
    )
    assert asked.work(hint("order", 1)) == outcome
    assert len(asked.messages(DLQ)) == (outcome is None)


@pytest.mark.parametrize(
    "base_url",
    ["https://shop.example", "https://x.myshopify.com.evil.example", "https://-.myshopify.com"],
)
def test_the_token_goes_to_the_shops_own_name_only(base_url):
    connection = bridge("shopify", base_url=base_url).connection(CONNECTION)
    with pytest.raises(ConfigurationError, match="myshopify"):
        ShopifyPull().auth({"access_token": TOKEN}, connection)


def test_the_token_travels_in_its_header():
    sandbox = shop()
    asked = source(sandbox)
    asked.work(hint("order", 1))
    (request,) = asked.transport.requests
    assert request.headers["X-Shopify-Access-Token"] == TOKEN
    assert request.url == "https://fizz-depot.myshopify.com/admin/api/2026-10/graphql.json"
    assert asked.queue.sent(PULL_QUEUE) == []
