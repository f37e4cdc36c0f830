"""Goods that come back: named by webhooks, shown by the API only."""

import json

import httpx
import pytest

from fizzbridge.model.documents import ReturnState, ShippedLine
from fizzbridge.model.entity import EntityRef
from fizzbridge.observation import Hint
from fizzbridge.runtime.loading import Loader
from platforms.shopify import mapping, wire
from tests.kit.source import CONNECTION, DLQ, fixtures, http_event
from tests.kit.transport import SandboxTransport
from tests.platforms.shopify.shopify_shop import DRAFT, act, hint, paid, shop, source

LINE = {
    "line_item_id": {"id": {"id": "gid://shopify/LineItem/9"}},
    "quantity": 3,
    "processed": 0,
    "reason": {"name": "Damaged"},
    "note": "dented",
}
RETURN = {
    "id": "gid://shopify/Return/7",
    "name": "#1001-R1",
    "status": "OPEN",
    "closed_at": None,
    "order": {"id": "gid://shopify/Order/5", "updated_at": "2026-11-20T09:30:00Z"},
    "return_line_items": {"nodes": [LINE], "pageInfo": {"hasNextPage": False}},
}


def returned(*lines, **changes):
    listed = {"return_line_items": {"nodes": list(lines or [LINE])}}
    told = wire.Return.model_validate(RETURN | listed | changes)
    (seen,) = mapping.returned(told, "shop")
    return seen


def test_a_return_belongs_to_its_order_and_goes_by_its_time():
    seen = returned()
    assert seen.ref.key == "shop/7"
    assert seen.parent.key == seen.body.order.key == "shop/5"
    assert seen.changed.isoformat() == "2026-11-20T09:30:00+00:00"
    assert seen.body.number == "#1001-R1"
    assert seen.body.reason == "Damaged, dented"
    assert seen.body.lines == (ShippedLine(order_line_id="9", quantity=3),)


@pytest.mark.parametrize(
    ("status", "processed", "state", "quantity"),
    [
        ("REQUESTED", 0, ReturnState.REQUESTED, 3),
        ("OPEN", 0, ReturnState.REQUESTED, 3),
        ("OPEN", 2, ReturnState.RECEIVED, 2),
        ("CLOSED", 3, ReturnState.RECEIVED, 3),
        ("CLOSED", 0, ReturnState.RECEIVED, 3),
        ("CANCELED", 0, ReturnState.CANCELLED, 3),
        ("DECLINED", 0, ReturnState.CANCELLED, 3),
    ],
)
def test_how_far_a_return_is(status, processed, state, quantity):
    body = returned(LINE | {"processed": processed}, status=status).body
    assert (body.state, [line.quantity for line in body.lines]) == (state, [quantity])


def test_only_what_has_come_back_counts_once_some_has():
    other = LINE | {"line_item_id": "gid://shopify/LineItem/10", "processed": 1}
    lines = returned(LINE, other).body.lines
    assert lines == (ShippedLine(order_line_id="10", quantity=1),)


def test_goods_of_no_order_line_are_left_out():
    unknown = {"quantity": 1, "processed": 0, "reason": None, "note": None}
    body = returned(LINE, unknown, closed_at="2026-11-21T10:00:00Z", status="CLOSED").body
    assert [line.order_line_id for line in body.lines] == ["9"]
    assert body.received_at.isoformat() == "2026-11-21T10:00:00+00:00"


def do(sandbox, path):
    client = httpx.Client(transport=SandboxTransport(sandbox.app))
    return client.post(f"https://shop/_sandbox/{path}", json={}).raise_for_status().json()


def sent_back(sandbox):
    """An order that was shipped and is to come back; gives both."""
    order = paid(sandbox, DRAFT)
    act(sandbox, order, "ship")
    sandbox.clock.later(60)
    return order, do(sandbox, f"orders/{order['id']}/return")["return"]["id"]


def states(asked, order):
    ref = EntityRef.parse(f"Order#{CONNECTION}/{order['id']}")
    return [one.state for one in Loader(asked.table, asked.objects).view(ref).documents.returns]


def test_an_order_that_is_read_leads_to_its_returns():
    sandbox = shop()
    order, number = sent_back(sandbox)
    asked = source(sandbox)
    found = []
    for then in (f"returns/{number}/process", f"returns/{number}/close", None):
        asked.work(hint("order", order["id"]))
        asked.drain()
        found += states(asked, order)
        sandbox.clock.later(60)
        asked.clock.advance(60)
        if then:
            do(sandbox, then)
    assert found == [ReturnState.REQUESTED, ReturnState.RECEIVED, ReturnState.RECEIVED]


def test_an_order_without_returns_asks_for_none():
    sandbox = shop()
    order = paid(sandbox, DRAFT)
    asked = source(sandbox)
    asked.work(hint("order", order["id"]))
    assert "returns" not in [message["what"] for message in asked.messages()]


def test_a_processed_return_is_found_though_its_webhook_names_none():
    sandbox = shop(webhook_topics="all")
    order, number = sent_back(sandbox)
    do(sandbox, f"returns/{number}/process")
    told = source(sandbox)
    (processed,) = [one for one in sandbox.deliveries if one.topic == "returns/process"]
    assert told.deliver(http_event(processed.headers, processed.body)) == 200
    assert told.counts() == {"received": 1, "ignored": 1}
    assert told.messages() == []
    told.work({"type": "poll", "stream": "orders"})
    told.drain()
    assert states(told, order) == [ReturnState.RECEIVED]


@pytest.mark.parametrize("action", ["cancel", "close"])
def test_each_webhook_of_a_return_leads_to_it(action):
    sandbox = shop(webhook_topics="all")
    order, number = sent_back(sandbox)
    do(sandbox, f"returns/{number}/{action}")
    told = source(sandbox)
    of_returns = [one for one in sandbox.deliveries if one.topic.startswith("returns/")]
    for one in of_returns:
        told.deliver(http_event(one.headers, one.body))
    told.drain()
    wanted = {"cancel": ReturnState.CANCELLED, "close": ReturnState.RECEIVED}[action]
    assert states(told, order) == [wanted]


@pytest.mark.parametrize(
    ("says", "has"), [([], False), ([{"id": 7}], True), ("NO_RETURN", False), ("RETURNED", True)]
)
def test_an_order_says_in_its_own_way_whether_it_has_returns(says, has):
    body = next(one for one in fixtures("shopify") if one.name == "orders_paid__card").body
    told = wire.Order.model_validate(json.loads(body) | {"returns": says})
    hints = [one for one in mapping.order(told, "shop") if isinstance(one, Hint)]
    assert (Hint("returns", told.id) in hints) is has


def test_a_return_that_is_not_there_says_nothing():
    asked = source(shop())
    for what in ("return", "returns"):
        assert asked.work(hint(what, 4711)) is None
    assert asked.parts() == {}


def test_a_return_too_long_to_read_is_left_to_a_person():
    asked = source(shop())
    cut = RETURN | {"return_line_items": {"nodes": [LINE], "pageInfo": {"hasNextPage": True}}}
    asked.transport.handle_request = lambda request: httpx.Response(
        200, json={"data": {"return": cut}}, request=request
    )
    assert asked.work(hint("return", 7)) is None
    assert len(asked.messages(DLQ)) == 1
    assert asked.parts() == {}
