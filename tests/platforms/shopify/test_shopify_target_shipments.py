"""What a Shopify shop is told of shipments."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import Kind, ref
from platforms.shopify.fulfilments import Fulfilments
from sandbox.faults import Fault
from tests.platforms.shopify.shopify_back import COLA, QUAY, TONIC, Back

CREATE, TRACK, CANCEL = "fulfillmentCreate", "fulfillmentTrackingInfoUpdate", "fulfillmentCancel"
MARKS = "metafieldsSet"


@pytest.fixture
def house():
    return Back()


@pytest.fixture
def order(house):
    return house.order()


def test_what_left_is_fulfilled_with_its_tracking(house, order):
    shipment = house.ship(
        order, carrier="UPS", tracking_number="1Z", tracking_url="https://ups.example/1Z"
    )
    assert house.fulfilments(order) == [("SUCCESS", {"COLA-24": 6, "TONIC-12": 4}, "1Z")]
    (made,) = house.sandbox.desk.order(int(order.external_id)).fulfillments
    assert house.link(shipment, "shop")["external_id"] == str(made.id)
    assert len(house.sent(MARKS)) == 2, "beside the fulfilment, and with its name"
    assert house.accepted["fulfillment_create"] == 1


def test_buyers_are_told_only_where_that_is_wanted(house, order):
    house.ship(order)
    assert b'"notifyCustomer":false' in house.sent(CREATE)[0].content.replace(b" ", b"")
    loud = Back(settings={"notify_customer": True})
    loud.ship(loud.order())
    assert b'"notifyCustomer":true' in loud.sent(CREATE)[0].content.replace(b" ", b"")


def test_parts_leave_one_after_the_other(house, order):
    house.ship(order, "W1", lines={"COLA-24": 4})
    house.ship(order, "W2", lines={"COLA-24": 2, "TONIC-12": 4}, tracking_number="T2")
    assert house.fulfilments(order) == [
        ("SUCCESS", {"COLA-24": 4}, None),
        ("SUCCESS", {"COLA-24": 2, "TONIC-12": 4}, "T2"),
    ]
    assert house.accepted["fulfillment_create"] == 2


def test_two_parcels_alike_are_two(house, order):
    first = house.ship(order, "W1", lines={"COLA-24": 3})
    second = house.ship(order, "W2", lines={"COLA-24": 3})
    assert house.fulfilments(order) == [("SUCCESS", {"COLA-24": 3}, None)] * 2
    ids = {house.link(one, "shop")["external_id"] for one in (first, second)}
    assert len(ids) == 2


def test_what_is_planned_waits(house, order):
    house.ship(order, state=ShipmentState.PLANNED)
    assert house.fulfilments(order) == []
    house.ship(order)
    assert len(house.fulfilments(order)) == 1


def test_a_line_by_code_finds_its_order_line(house, order):
    shipment = ref(Kind.SHIPMENT, "erp", "W1")
    lines = (ShippedLine(order_line_id="", sku="COLA-24", quantity=6),)
    state = ShipmentState.DISPATCHED
    body = Shipment(order=order, number="W1", state=state, lines=lines)
    house.told(shipment, body, parent=order)
    house.settle()
    assert house.fulfilments(order) == [("SUCCESS", {"COLA-24": 6}, None)]


@pytest.mark.parametrize("numbers", [("99", "100"), ("W2", "W1")])
def test_what_leaves_later_takes_no_line_from_what_left_before(house, numbers):
    order = house.order({"sku": "COLA-24", "quantity": 6}, {"sku": "COLA-24", "quantity": 4})
    for number, quantity in zip(numbers, (6, 4), strict=True):
        shipment = ref(Kind.SHIPMENT, "erp", number)
        lines = (ShippedLine(order_line_id="", sku="COLA-24", quantity=quantity),)
        told = {"state": ShipmentState.DISPATCHED, "lines": lines, "dispatched_at": house.clock()}
        house.told(shipment, Shipment(order=order, number=number, **told), parent=order)
        house.settle()
        assert house.link(shipment, "shop")["status"] == "synced"
    assert [lines for _, lines, _ in house.fulfilments(order)] == [{"COLA-24": 6}, {"COLA-24": 4}]


def test_tracking_that_comes_later_is_an_update(house, order):
    house.ship(order)
    house.ship(order, carrier="Van", tracking_number="V1", tracking_url="https://van.example/V1")
    assert house.fulfilments(order) == [("SUCCESS", {"COLA-24": 6, "TONIC-12": 4}, "V1")]
    house.ship(order, carrier="Van", tracking_number="V2", tracking_url="https://van.example/V1")
    assert house.fulfilments(order)[0][2] == "V2"
    assert (
        house.accepted["fulfillment_create"],
        house.accepted["fulfillment_tracking_update"],
    ) == (1, 2)


def test_an_address_the_shop_made_itself_is_let_be(house, order):
    house.ship(order, carrier="Royal Mail", tracking_number="A1")
    assert house.accepted["fulfillment_tracking_update"] == 0


def test_a_shipment_called_off_is_cancelled(house, order):
    house.ship(order)
    house.ship(order, state=ShipmentState.CANCELLED)
    assert house.fulfilments(order)[0][0] == "CANCELLED"
    assert house.accepted["fulfillment_cancel"] == 1
    house.ship(order, tracking_number="T2")
    assert [one[0] for one in house.fulfilments(order)] == ["CANCELLED", "SUCCESS"]


def test_one_the_shop_does_not_show_is_not_said_to_be_cancelled(house):
    with pytest.raises(TargetRejectedError, match="shows no fulfilment"):
        Fulfilments().cancel(house.shop, "4711")


def test_one_that_was_cancelled_by_people_is_named(house, order):
    shipment = house.ship(order)
    house.control(f"orders/{order.external_id}/unship")
    house.ship(order, tracking_number="T1")
    link = house.link(shipment, "shop")
    assert (link["status"], link["reason"]) == ("parked", "deleted_at_target")


def split(house, order, quantity=2):
    lines = [{"sku": "COLA-24", "quantity": quantity}]
    house.control(f"orders/{order.external_id}/split", {"location": QUAY, "lines": lines})


def test_a_line_spread_over_locations_is_fulfilled_at_each(house, order):
    split(house, order)
    shipment = house.ship(order, tracking_number="T1")
    assert house.fulfilments(order) == [
        ("SUCCESS", {"COLA-24": 4, "TONIC-12": 4}, "T1"),
        ("SUCCESS", {"COLA-24": 2}, "T1"),
    ]
    house.ship(order, tracking_number="T2")
    assert [one[2] for one in house.fulfilments(order)] == ["T2", "T2"]
    house.ship(order, state=ShipmentState.CANCELLED)
    assert [one[0] for one in house.fulfilments(order)] == ["CANCELLED"] * 2
    assert house.link(shipment, "shop")["status"] == "synced"
    assert house.accepted["fulfillment_create"] == 2


@pytest.mark.parametrize("times", [1, 2])
def test_answers_lost_between_locations_make_nothing_twice(house, order, times):
    split(house, order)
    house.fault("commit_then_silence", CREATE, times=times)
    house.ship(order)
    assert [one[1] for one in house.fulfilments(order)] == [
        {"COLA-24": 4, "TONIC-12": 4},
        {"COLA-24": 2},
    ]
    assert house.accepted["fulfillment_create"] == 2


def test_one_location_that_has_all_of_it_is_enough(house, order):
    split(house, order)
    house.ship(order, lines={"COLA-24": 2})
    house.ship(order, "W2", lines={"COLA-24": 4, "TONIC-12": 4})
    assert len(house.fulfilments(order)) == 2


def test_what_is_on_hold_or_gone_is_named(house, order):
    house.control(f"orders/{order.external_id}/hold", {"reason": "awaiting_payment"})
    shipment = house.ship(order)
    link = house.link(shipment, "shop")
    assert link["status"] == "parked"
    assert f"6 of line {house.line(order, 'COLA-24')}, 4 of line" in link["message"]
    assert house.accepted["fulfillment_create"] == 0


def test_what_people_fulfilled_under_the_same_number_is_taken_over(house, order):
    house.control(f"orders/{order.external_id}/ship", {"carrier": "Van", "tracking": "V1"})
    shipment = house.ship(order, carrier="Van", tracking_number="V1")
    assert house.link(shipment, "shop")["status"] == "synced"
    assert house.accepted["fulfillment_create"] == 0


def test_what_people_fulfilled_without_one_is_theirs(house, order):
    house.control(f"orders/{order.external_id}/ship")
    shipment = house.ship(order)
    assert house.link(shipment, "shop")["status"] == "parked"


def test_fulfilment_orders_moved_meanwhile_are_read_again(house, order):
    house.transport.meanwhile.append(
        (Fault("delay", body_contains=CREATE), lambda: split(house, order, 6))
    )
    house.ship(order)
    assert [one[1] for one in house.fulfilments(order)] in (
        [{"COLA-24": 6}, {"TONIC-12": 4}],
        [{"TONIC-12": 4}, {"COLA-24": 6}],
    )


@pytest.mark.parametrize(
    "kind", ["commit_then_silence", "commit_then_reset", "commit_then_status", "truncate", "drop"]
)
@pytest.mark.parametrize("tracked", [{}, {"carrier": "UPS", "tracking_number": "1Z"}])
def test_a_lost_answer_fulfils_once(house, order, kind, tracked):
    house.fault(kind, CREATE)
    sent_at = house.clock()
    shipment = house.ship(order, **tracked)
    assert len(house.fulfilments(order)) == 1
    assert house.accepted["fulfillment_create"] == 1
    assert house.link(shipment, "shop")["status"] == "synced"
    assert house.clock() - sent_at >= timedelta(seconds=60)


@pytest.mark.parametrize("kind", ["commit_then_silence", "drop"])
def test_what_is_called_off_while_nobody_has_answered_is_found_and_cancelled(house, order, kind):
    house.fault(kind, CREATE)
    shipment = house.ship(order, settles=False)
    house.until(lambda: house.sent(CREATE))
    house.ship(order, state=ShipmentState.CANCELLED)
    made = 1 if kind == "commit_then_silence" else 0
    assert [one[0] for one in house.fulfilments(order)] == ["CANCELLED"] * made
    assert house.link(shipment, "shop")["status"] == "synced"


def test_a_lost_answer_among_parcels_alike_fulfils_each_once(house, order):
    house.ship(order, "W1", lines={"COLA-24": 2})
    house.fault("commit_then_silence", CREATE)
    house.ship(order, "W2", lines={"COLA-24": 2})
    house.ship(order, "W3", lines={"COLA-24": 2})
    assert house.fulfilments(order) == [("SUCCESS", {"COLA-24": 2}, None)] * 3


@pytest.mark.parametrize("call", [TRACK, CANCEL, MARKS])
@pytest.mark.parametrize("kind", ["commit_then_silence", "drop"])
def test_lost_answers_of_what_follows_do_no_harm(house, order, kind, call):
    if call == MARKS:
        house.fault(kind, "metafields0")
    shipment = house.ship(order)
    if call != MARKS:
        house.fault(kind, call)
    more = {"state": ShipmentState.CANCELLED} if call == CANCEL else {"tracking_number": "T1"}
    house.ship(order, **more)
    (found,) = house.fulfilments(order)
    assert found[0] == ("CANCELLED" if call == CANCEL else "SUCCESS")
    assert found[2] == (None if call == CANCEL else "T1")
    assert house.link(shipment, "shop")["status"] == "synced"


def test_a_throttled_call_is_waited_for(house, order):
    house.sandbox.available = 0.0
    house.ship(order)
    assert len(house.fulfilments(order)) == 1


def test_our_own_fulfilment_coming_back_by_webhook_stops_there():
    house = Back(roles=["order.request", "payment", "refund", "customer", "shipment"])
    order = house.order(COLA, TONIC)
    shipment = house.ship(order)
    assert house.hear() > 0
    house.settle()
    house.hear()
    house.settle()
    assert house.accepted["fulfillment_create"] == 1
    made = house.link(shipment, "shop")["external_id"]
    assert house.rows.get(f"Shipment#shop/{made}", "PART#record") is None
