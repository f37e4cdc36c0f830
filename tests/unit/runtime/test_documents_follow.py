"""Documents of an order go where it goes; what an ERP says by its own names reaches our order."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from fizzbridge.model.base import Frozen
from fizzbridge.model.documents import (
    Payment,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.target import TargetEntity
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import BRIDGE, SECOND, House, line, order_ref, order_request

PAYMENT = ref(Kind.PAYMENT, "shop", "p1")
SHIPMENT = ref(Kind.SHIPMENT, "erp", "s9")


class Booked(Frozen):
    """A payment at the dictionary target."""

    amount: Decimal
    order: str


@dataclass
class Ledger(TargetEntity):
    """Payments at the dictionary target, each under the order's own id there."""

    held: dict[str, Booked] = field(default_factory=dict)
    voided: list[str] = field(default_factory=list)

    def requires(self, view):
        return [view.parent.ref]

    def desired(self, view, situation):
        payment = view.body(Part.RECORD, Payment)
        if payment.status is not SettlementStatus.SETTLED:
            return None
        return Booked(amount=payment.amount, order=situation.external_ids[view.parent.ref])

    def find(self, vendor, reference, payload):
        return reference if reference in self.held else None

    def create(self, vendor, reference, payload):
        self.held[reference] = payload
        return reference

    def update(self, vendor, external_id, payload):
        self.held[external_id] = payload

    def cancel(self, vendor, external_id):
        self.voided.append(external_id)


@pytest.fixture
def house():
    shop, erp = BRIDGE["connections"]
    route = {
        "kinds": ["Order", "Payment"],
        "from": ["shop"],
        "to": ["erp"],
        "where": {"ship_country": ["GB"]},
    }
    roles = {"roles": ["order.processing", "shipment"]}
    made = House(connections=[shop, erp | roles], routes=[route])
    made.payments = Ledger()
    adapter = made.converge._adapter
    adapter.entities[Kind.PAYMENT] = made.payments
    return made


def pay(house, status=SettlementStatus.SETTLED, amount="2.40"):
    body = Payment(
        order=order_ref(), amount=Decimal(amount), currency="GBP", at=house.clock(), status=status
    )
    house.observe(Seen(PAYMENT, body, house.clock(), parent=order_ref()))


def moves_to(house, country, second):
    request = order_request(second=second)
    address = request.ship_to.model_copy(update={"country": country})
    changed = request.model_copy(update={"ship_to": address})
    house.observe(Seen(order_ref(), changed, changed.changed_at, Part.REQUEST))
    house.settle()


def test_a_payment_follows_its_order_whichever_comes_first(house):
    pay(house)
    house.drain()
    assert not house.payments.held
    house.place()
    house.settle()
    (booked,) = house.payments.held.values()
    assert booked.amount == Decimal("2.40")
    assert booked.order == house.link(order_ref())["external_id"]


def test_what_the_target_holds_no_object_for_is_done_without_a_call(house):
    house.place()
    pay(house, SettlementStatus.PENDING)
    house.settle()
    assert not house.payments.held
    assert house.link(PAYMENT)["stamp"] == "gone"
    house.clock.advance(5)
    pay(house)
    house.settle()
    assert list(house.payments.held) == [PAYMENT.key]


def test_an_order_that_leaves_a_route_takes_its_payment_along(house):
    house.place()
    pay(house)
    house.settle()
    moves_to(house, "IE", 5)
    assert house.payments.voided == [PAYMENT.key]
    moves_to(house, "GB", 9)
    assert [key for key in house.payments.held if key != PAYMENT.key] == [f"{PAYMENT.key}~1"]


def test_an_order_that_leaves_a_route_goes_though_it_is_held(house):
    house.place()
    house.settle()
    external_id = house.link(order_ref())["external_id"]
    request = order_request(second=5, lines=[line("NOBODY-KNOWS")])
    address = request.ship_to.model_copy(update={"country": "IE"})
    changed = request.model_copy(update={"ship_to": address})
    house.observe(Seen(order_ref(), changed, changed.changed_at, Part.REQUEST))
    house.settle()
    assert whole(house).assessment.holds
    assert house.orders.objects[external_id].is_cancelled


def test_a_payment_of_a_cancelled_order_stays_an_act(house):
    house.place()
    pay(house)
    house.settle()
    request = order_request(second=5, cancelled_at=house.clock())
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    house.settle()
    assert not house.payments.voided
    assert list(house.payments.held) == [PAYMENT.key]


def erp_says(house, seen):
    how = Circumstances(house.clock(), is_authoritative=True)
    house.observer.observe("erp", seen, SECOND, how)


def shipped(house, order: EntityRef, sku="COLA330", quantity=2):
    body = Shipment(
        order=order,
        number="WH/OUT/9",
        state=ShipmentState.DISPATCHED,
        lines=(ShippedLine(order_line_id="", sku=sku, quantity=quantity),),
        dispatched_at=house.clock(),
    )
    return Seen(SHIPMENT, body, house.clock(), parent=order)


def confirmed(house, order: EntityRef):
    body = OrderProcessing(number="S009", state=OrderState.RELEASED, changed_at=house.clock())
    return Seen(order, body, house.clock(), Part.PROCESSING)


def whole(house):
    return Loader(house.rows, house.objects).view(order_ref())


def test_what_an_erp_says_by_its_own_id_is_of_our_order(house):
    house.place()
    house.settle()
    theirs = ref(Kind.ORDER, "erp", house.link(order_ref())["external_id"])
    erp_says(house, shipped(house, theirs))
    erp_says(house, confirmed(house, theirs))
    house.settle()
    view = whole(house)
    assert view.body(Part.PROCESSING, OrderProcessing).number == "S009"
    assert view.assessment.state is OrderState.RELEASED
    assert view.documents.shipped() == {"l-COLA330": 2}


def test_what_it_said_before_we_knew_is_taken_over(house):
    theirs = ref(Kind.ORDER, "erp", "Order-1")
    erp_says(house, shipped(house, theirs))
    erp_says(house, confirmed(house, theirs))
    house.settle()
    house.place()
    house.settle()
    assert house.link(order_ref())["external_id"] == "Order-1"
    view = whole(house)
    assert view.assessment.state is OrderState.RELEASED
    assert view.documents.shipped() == {"l-COLA330": 2}


def test_an_order_of_the_erps_own_stays_its_own(house):
    theirs = ref(Kind.ORDER, "erp", "made-by-hand")
    erp_says(house, shipped(house, theirs))
    house.place()
    house.settle()
    assert not whole(house).documents.shipments


def test_a_link_made_meanwhile_is_seen(house):
    """Between the look for our name and the write, a worker links the two."""
    theirs = ref(Kind.ORDER, "erp", "Order-1")
    seen, checks = house.observer._named("erp", shipped(house, theirs))
    assert seen.parent == theirs
    house.place()
    house.settle()
    (check,) = checks
    assert check.is_check
    assert not check.when.holds(house.rows.get(check.pk, check.sk))


def test_the_erps_codes_become_ours(house):
    row = {"mapped": "ERP-57", "updated_at": to_text(house.clock())}
    house.rows.write(Write("MAP#erp#sku", "COLA330", set=row))
    house.place()
    house.settle()
    theirs = ref(Kind.ORDER, "erp", house.link(order_ref())["external_id"])
    erp_says(house, shipped(house, theirs, sku="ERP-57"))
    house.settle()
    assert whole(house).documents.shipped() == {"l-COLA330": 2}
