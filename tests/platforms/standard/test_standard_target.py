"""What another system hears, by its own account."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from fizzbridge import errors
from fizzbridge.model.catalogue import Product, StockLevel
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Seen
from fizzbridge.runtime.breaker import STOPPED_WAIT
from fizzbridge.runtime.observe import Circumstances
from tests.kit.house import SECOND, order_ref
from tests.kit.target import TargetHouse
from tests.platforms.standard.standard_spec import validate

COLA = ref(Kind.PRODUCT, "shop", "cola")
LEVEL = ref(Kind.STOCK_LEVEL, "shop", "cola@MAIN")
PARCEL = ref(Kind.SHIPMENT, "shop", "s1")


class Told(TargetHouse):
    """A house whose shop owns everything, and a system that is told of it."""

    def __init__(self):
        super().__init__("standard", owned=["shipment", "product", "stock"])

    def say(self, entity, body, second=0, parent=None, part=Part.RECORD):
        changed = self.clock() + timedelta(seconds=second)
        self.observe(Seen(entity, body, changed, part, parent))
        self.settle()

    def heard(self, *types):
        """Types and keys of what was posted, those asked for; every post is as published."""
        posts = [json.loads(request.content) for request in self.sent() if validate(request)]
        return [
            (post["type"], post["data"]["key"])
            for post in posts
            if not types or post["type"] in types
        ]

    def last(self):
        return json.loads(self.sent()[-1].content)["data"]

    def ids(self):
        return [request.headers["webhook-id"] for request in self.sent()]


@pytest.fixture
def house():
    return Told()


@pytest.fixture
def placed(house):
    house.customer()
    house.order()
    house.settle()
    return house


def ship(house, state=ShipmentState.DISPATCHED, second=0):
    line = ShippedLine(order_line_id="l-COLA330-CASE", sku="COLA330-CASE", quantity=2)
    body = Shipment(order=order_ref(), number="S-1", state=state, lines=(line,))
    house.say(PARCEL, body, second, parent=order_ref())


def test_an_order_is_told_after_its_buyer_and_before_its_documents(placed):
    placed.order(cases=5, second=5)
    placed.settle()
    ship(placed)
    placed.pay()
    placed.settle()
    assert placed.heard() == [
        ("CustomerChanged", "shop/c1"),
        ("OrderPlaced", "shop/1"),
        ("OrderChanged", "shop/1"),
        ("ShipmentDispatched", "shop/s1"),
        ("PaymentReceived", "shop/p1"),
    ]
    assert placed.sandbox.accepted["late"] == 0
    assert placed.link(PARCEL)["external_id"] == "shop/s1"


def test_a_number_at_the_erp_is_told_with_the_order(placed):
    told = OrderProcessing(number="SO-9", state=OrderState.RELEASED, changed_at=placed.clock())
    seen = Seen(order_ref(), told, told.changed_at, Part.PROCESSING)
    placed.observer.observe(
        "erp", seen, SECOND, Circumstances(placed.clock(), is_authoritative=False)
    )
    placed.settle()
    assert placed.heard("OrderChanged") == [("OrderChanged", "shop/1")]
    assert placed.last()["processing"]["number"] == "SO-9"
    assert placed.last()["assessment"]["state"] == "RELEASED"


def test_a_shipment_that_is_called_off_is_withdrawn_and_one_that_never_left_is_not_told(placed):
    ship(placed, ShipmentState.PLANNED)
    assert placed.heard("ShipmentDispatched", "ShipmentWithdrawn") == []
    ship(placed, second=5)
    ship(placed, ShipmentState.CANCELLED, second=10)
    told = placed.heard("ShipmentDispatched", "ShipmentWithdrawn")
    assert told == [("ShipmentDispatched", "shop/s1"), ("ShipmentWithdrawn", "shop/s1")]
    assert placed.last()["record"] is None
    # It leaves all the same: told anew, and taken back anew.
    ship(placed, second=15)
    ship(placed, ShipmentState.CANCELLED, second=20)
    assert placed.heard("ShipmentDispatched", "ShipmentWithdrawn") == told + told
    assert len(set(placed.ids())) == len(placed.ids())


def test_goods_and_stock_are_told_and_only_when_they_change(house):
    cola = Product(sku="COLA330", name="Cola")
    house.say(COLA, cola)
    level = StockLevel(product=COLA, location="MAIN", on_hand=480, as_of=house.clock())
    house.say(LEVEL, level)
    assert house.heard() == [("ProductChanged", "shop/cola"), ("StockLevelChanged", LEVEL.key)]
    assert house.last()["record"]["product"] == "shop/cola"
    house.say(COLA, cola, second=5)
    assert len(house.sent()) == 2
    for second, name in ((10, "Cola light"), (15, "Cola")):
        house.say(COLA, cola.model_copy(update={"name": name}), second)
    # What it was before it is again, which is news: under an id of its own.
    assert len(house.sent()) == len(set(house.ids())) == 4
    known = house.sandbox.inbox.known["Product#shop/cola"]
    assert known["data"]["record"]["name"] == "Cola"


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_status", "truncate", "drop"])
def test_a_post_nobody_answered_is_repeated_under_its_id(house, kind):
    house.customer()
    house.order()
    house.assess()
    house.fault(kind, "create")
    house.converge.run(order_ref(), "lost")
    assert house.link(order_ref())["intent"]
    house.clock.advance(60)
    house.settle()
    first, again = (one for one in house.sent() if b"OrderPlaced" in one.content)
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.content == again.content
    assert house.committed("created") == 1
    assert house.link(order_ref())["status"] == "synced"


def test_an_order_that_may_have_been_heard_of_is_taken_back(house):
    house.customer()
    house.order()
    house.assess()
    house.fault("commit_then_silence", "create")
    house.converge.run(order_ref(), "lost")
    house.order(second=5, cancelled_at=house.clock())
    house.clock.advance(60)
    house.settle()
    told = house.heard("OrderPlaced", "OrderChanged", "OrderCancelled")
    assert told == [("OrderPlaced", "shop/1"), ("OrderCancelled", "shop/1")]


def test_a_change_that_got_no_answer_is_told_again(placed):
    placed.order(cases=5, second=5)
    placed.assess()
    fault = {"on": "POST /fizzbridge", "body_contains": "OrderChanged"}
    placed.facts["change"] = fault
    placed.fault("commit_then_silence", "change")
    assert isinstance(placed.converge.run(order_ref(), "lost").error, errors.OutcomeUnknownError)
    placed.settle()
    assert placed.sandbox.accepted["OrderChanged"] == 1
    assert placed.sandbox.accepted["repeated"] == 1


@pytest.mark.parametrize(("status", "waits"), [(429, 17), (503, 17)])
def test_it_waits_as_long_as_it_is_asked_to(placed, status, waits):
    placed.order(cases=5, second=5)
    placed.assess()
    placed.fault("status", status=status, headers={"Retry-After": str(waits)})
    outcome = placed.converge.run(order_ref(), "busy")
    assert (outcome.kind, outcome.after) == ("retry", timedelta(seconds=waits))


def test_who_is_gone_for_good_parks_the_entity(placed):
    placed.order(cases=5, second=5)
    placed.assess()
    placed.fault("status", status=410)
    outcome = placed.converge.run(order_ref(), "gone")
    assert outcome.kind == "parked"
    assert isinstance(outcome.error, errors.PermanentError)


def test_an_address_that_is_none_is_the_connections_trouble(placed):
    placed.order(cases=5, second=5)
    placed.assess()
    placed.fault("status", status=404)
    again = placed.work(order_ref())
    assert again is not None
    assert again.after == STOPPED_WAIT
    assert placed.link(order_ref())["status"] != "parked"
