"""One id leads from a delivery through events, links, hints and the timeline."""

from __future__ import annotations

import json

import pytest

from fizzbridge.errors import RateLimitedError
from fizzbridge.model.entity import Part
from fizzbridge.model.events import DetailType
from fizzbridge.observation import Seen
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.sweep import RESYNC
from tests.kit.house import SECOND, House, order_ref, order_request, seen_customer

ONE = "delivery-1"


@pytest.fixture
def house():
    house = House()
    told(house, ONE)
    return house


def told(house: House, correlation_id: str, second: int = 0) -> None:
    """The shop tells of an order and its customer, in one delivery."""
    request = order_request(second=second)
    how = Circumstances(house.clock(), is_authoritative=False, correlation_id=correlation_id)
    order = Seen(order_ref(), request, request.changed_at, Part.REQUEST)
    for seen in (seen_customer(), order):
        house.observer.observe("shop", seen, SECOND, how)


def ids(house: House) -> dict[str, str]:
    """The id of each event that is about the order, by its type."""
    return {
        str(detail_type): event.correlation_id
        for detail_type, event in house.events
        if getattr(event, "key", "") == order_ref().key
    }


def test_events_of_a_delivery_have_its_id(house):
    house.settle()
    found = ids(house)
    assert {*found} >= {
        DetailType.ENTITY_OBSERVED,
        DetailType.ORDER_PLACED,
        DetailType.ORDER_BOOKED,
        DetailType.ORDER_SYNCED,
    }
    assert set(found.values()) == {ONE}


def test_links_say_what_moved_them_last(house):
    house.settle()
    assert house.link(order_ref())["correlation_id"] == ONE
    told(house, "delivery-2", second=5)
    house.settle()
    assert house.link(order_ref())["correlation_id"] == "delivery-2"
    assert house.link(order_ref(), "assess")["correlation_id"] == "delivery-2"


def test_a_hint_that_was_lost_is_sent_again_under_the_same_id(house):
    house.drain(limit=500)
    told(house, "delivery-2", second=5)
    # Assess has run, and the hint to the target is lost.
    while house.messages and house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    house.messages.clear()
    house.clock.advance(301)
    assert house.sweeper.run() == 1
    (message,) = house.queue.sent()
    body = json.loads(message.body)
    assert (body["detail-type"], body["detail"]["correlation_id"]) == (RESYNC, "delivery-2")


def test_an_attempt_that_failed_is_on_the_timeline_under_its_id(house):
    house.orders.script.append(RateLimitedError("busy"))
    house.settle()
    found = house.rows.query(str(order_ref()), "TIMELINE#")
    attempts = [row for row in found if row["what"] == "attempt"]
    assert [row["correlation_id"] for row in attempts] == [ONE]
