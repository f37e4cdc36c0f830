"""Documents of an order go where it goes; what an ERP says by its own names reaches our order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fizzbridge.errors import MappingError, TargetRejectedError
from fizzbridge.model.documents import SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import line, order_ref, seen_customer
from tests.kit.ledger import BRITISH, PAYMENT, ROUTE, SHIPMENT, THEIRS, LedgerHouse, live


@pytest.fixture
def house():
    return LedgerHouse()


def mapped(house, pk, sk, to):
    house.rows.write(Write(pk, sk, set={"mapped": to, "updated_at": to_text(house.clock())}))


def pay_often(house, times=25):
    for number in range(times):
        house.pay(payment=ref(Kind.PAYMENT, "shop", f"p{number}"))


# -- where it goes -------------------------------------------------------------------------------


def test_a_payment_follows_its_order_whichever_comes_first(house):
    house.pay()
    house.drain()
    assert not house.payments.objects
    house.place()
    house.settle()
    (booked,) = house.payments.of(PAYMENT.key)
    assert booked.payload.amount == Decimal("2.40")
    assert booked.payload.order == house.link(order_ref())["external_id"]


def test_what_the_target_holds_no_object_for_is_done_without_a_call(house):
    house.place()
    house.pay(SettlementStatus.PENDING)
    house.settle()
    assert not house.payments.counts
    assert house.link(PAYMENT)["stamp"] == "gone"
    house.clock.advance(5)
    house.pay()
    house.settle()
    assert len(house.payments.of(PAYMENT.key)) == 1


def test_an_order_that_leaves_a_route_takes_its_payment_along(house):
    house.place()
    house.pay()
    house.settle()
    house.move("IE", 5)
    assert not live(house.payments)
    house.move("GB", 9)
    assert [held.reference for held in live(house.payments)] == [f"{PAYMENT.key}~1"]


def test_an_order_that_leaves_a_route_goes_though_it_is_held(house):
    house.place()
    house.settle()
    house.move("IE", 5, lines=[line("NOBODY-KNOWS")])
    assert house.order.assessment.holds
    assert house.orders.objects
    assert not live(house.orders)


def test_a_payment_of_a_cancelled_order_stays_an_act(house):
    house.place()
    house.pay()
    house.settle()
    house.amend(5, cancelled_at=house.clock())
    house.settle()
    assert len(live(house.payments)) == 1


def test_a_payment_with_conditions_of_its_own_follows_its_order():
    routes = [{"kinds": ["Order"]} | ROUTE, {"kinds": ["Payment"]} | ROUTE | BRITISH]
    house = LedgerHouse(routes=routes)
    house.observe(seen_customer())
    house.move("IE", 1)
    house.pay()
    house.settle()
    assert not house.payments.objects
    house.move("GB", 5)
    assert len(house.payments.objects) == 1


def test_a_payment_held_for_a_map_goes_when_it_is_mapped(house):
    house.payments.refuse = MappingError("no account", cause="MAP#erp#account/card")
    house.place()
    house.pay()
    house.settle()
    assert house.link(PAYMENT)["status"] == "held"
    house.payments.refuse = None
    mapped(house, "MAP#erp#account", "card", "1200")
    house.settle()
    assert house.link(PAYMENT)["status"] == "synced"
    assert len(house.payments.objects) == 1


def test_a_payment_waits_as_long_as_its_order_is_held(house):
    house.place(lines=[line("NOBODY-KNOWS")])
    house.pay()
    house.settle()
    house.clock.advance(73 * 3600)
    house.settle()
    mapped(house, "MAP#shop#sku", "NOBODY-KNOWS", "COLA330")
    house.settle()
    assert house.link(order_ref())["status"] == "synced"
    assert len(house.payments.objects) == 1


def test_however_many_payments_follow(house):
    house.place()
    house.settle()
    pay_often(house)
    house.settle()
    assert len(house.payments.objects) == 25
    house.move("IE", 5)
    assert not live(house.payments)


def test_an_order_of_many_holds_and_payments_is_assessed(house):
    house.place(lines=[line(f"OLD-{number}") for number in range(45)])
    pay_often(house)
    house.assess()
    new = [line(f"NEW-{number}") for number in range(45)]
    house.amend(5, lines=new, ship_to=Address(country="IE"))
    house.assess()
    assert house.order.assessment.ship_country == "IE"
    assert house.order.assessment.lines[0].id == "l-NEW-0"


@pytest.mark.parametrize("unseen", [{}, {15: "IE", 19: "GB"}], ids=["seen", "unseen"])
def test_an_order_that_went_and_came_back_leaves_nothing_behind(house, unseen):
    house.place()
    house.pay()
    house.settle()
    house.move("IE", 5)
    house.move("GB", 9)
    for second, country in unseen.items():  # there and back before the payment is looked at
        house.amend(second, ship_to=Address(country=country))
        house.assessor.run(order_ref(), f"at-{second}")
    house.settle(rounds=20)
    assert house.sweep() == 0


# -- what an ERP says by its own names -----------------------------------------------------------


def test_what_an_erp_says_by_its_own_id_is_of_our_order(house):
    house.place()
    house.settle()
    house.erp_says(house.shipped())
    house.erp_says(house.processed())
    house.settle()
    assert house.order.body(Part.PROCESSING, OrderProcessing).number == "S009"
    assert house.state is OrderState.RELEASED
    assert house.dispatched == {"l-COLA330": 2}


def said_too_early(house):
    house.erp_says(house.shipped())
    house.erp_says(house.processed())
    house.place()
    return house


def test_what_it_said_before_we_knew_is_taken_over(house):
    said_too_early(house).settle()
    assert house.link(order_ref())["external_id"] == THEIRS.external_id
    assert house.state is OrderState.RELEASED
    assert house.dispatched == {"l-COLA330": 2}


def steps_of_taking_over():
    house = said_too_early(LedgerHouse())
    house.settle()
    return house.steps.taken


@pytest.mark.parametrize("kill_at", range(1, steps_of_taking_over() + 1))
def test_killed_at_any_step_it_is_taken_over_whole(house, kill_at):
    said_too_early(house)
    house.steps.kill_at = kill_at
    house.settle()
    assert house.state is OrderState.RELEASED
    assert house.dispatched == {"l-COLA330": 2}


def test_it_is_taken_over_though_the_order_is_refused(house):
    def refuse(vendor, external_id, payload):
        raise TargetRejectedError("no")

    house.orders.update = refuse
    said_too_early(house).settle()
    assert house.link(order_ref())["status"] == "parked"
    assert house.dispatched == {"l-COLA330": 2}


@pytest.mark.parametrize("is_early_first", [True, False])
def test_of_what_is_taken_over_and_said_meanwhile_the_newer_holds(house, is_early_first):
    """Between the save of the id and the taking over another delivery comes."""
    early = house.processed(state=OrderState.CONFIRMED)
    house.clock.advance(30)
    late = house.processed(state=OrderState.RELEASED)
    house.clock.advance(30)
    before, after = (early, late) if is_early_first else (late, early)
    house.erp_says(before)
    house.settle()
    house.place()
    update = house.orders.update

    def meanwhile(vendor, external_id, payload):
        house.orders.update = update
        house.erp_says(after, is_authoritative=False)
        update(vendor, external_id, payload)

    house.orders.update = meanwhile
    house.settle()
    assert house.state is OrderState.RELEASED


@pytest.mark.parametrize("is_early", [True, False])
def test_a_shipment_goes_on_to_the_shop_whenever_it_was_told(is_early):
    back = {"kinds": ["Shipment"], "from": ["erp"], "to": ["shop"]}
    house = LedgerHouse(routes=[{"kinds": ["Order"]} | ROUTE, back])
    if is_early:
        house.erp_says(house.shipped())
        house.settle()
    house.place()
    house.settle()
    if not is_early:
        house.erp_says(house.shipped())
        house.settle()
    assert house.dispatched == {"l-COLA330": 2}
    assert house.link(SHIPMENT, "shop")


def test_an_order_of_the_erps_own_stays_its_own(house):
    house.erp_says(house.shipped(ref(Kind.ORDER, "erp", "made-by-hand")))
    house.place()
    house.settle()
    assert not house.order.documents.shipments


def test_a_link_made_meanwhile_is_seen(house):
    """Between the look for our name and the write, a worker links the two."""
    seen, checks = house.observer._named("erp", house.shipped())
    assert seen.parent == THEIRS
    house.place()
    house.settle()
    (check,) = checks
    assert check.is_check
    assert not check.when.holds(house.rows.get(check.pk, check.sk))


@pytest.mark.parametrize("told", ["ERP-57", "erp-57 "])
def test_the_erps_codes_become_ours(house, told):
    mapped(house, "MAP#erp#sku", "COLA330", "ERP-57")
    house.place()
    house.settle()
    house.erp_says(house.shipped(sku=told))
    house.settle()
    assert house.dispatched == {"l-COLA330": 2}


def test_the_erps_word_of_our_own_cancellation_there_cancels_nothing(house):
    house.place()
    house.settle()
    house.move("IE", 5)
    house.clock.advance(30)
    house.erp_says(house.processed(state=OrderState.CANCELLED))
    house.settle()
    assert house.state is not OrderState.CANCELLED
    house.move("GB", 90)
    assert len(live(house.orders)) == 1
