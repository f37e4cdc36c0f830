"""Whatever comes when: orders, stock, shipments and refunds end in the same state everywhere."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.documents import (
    Payment,
    Refund,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances
from tests.kit.clock import START
from tests.kit.house import SECOND, line, order_ref, order_request, seen_customer
from tests.kit.way_back import WayBack

Event = tuple[str, Seen]
ORDERS = (1, 2)


def at(second: int) -> Any:
    return START + timedelta(seconds=second)


def events() -> list[Event]:
    """What two orders' lives tell, each part with the owner's own time."""
    found: list[Event] = []
    for number in ORDERS:
        order = order_ref(number)
        for second, quantity in ((0, 20), (10, 30)):
            request = order_request(number, lines=[line("COLA330", quantity)], second=second)
            found.append(("shop", Seen(order, request, request.changed_at, Part.REQUEST)))
        for second, state in ((20, OrderState.CONFIRMED), (40, OrderState.RELEASED)):
            done = OrderProcessing(number=f"S{number}", state=state, changed_at=at(second))
            found.append(("erp", Seen(order, done, at(second), Part.PROCESSING)))
        for second, state in ((30, ShipmentState.PLANNED), (50, ShipmentState.DISPATCHED)):
            gone = ShippedLine(order_line_id="l-COLA330", sku="COLA330", quantity=30)
            body = Shipment(order=order, number=f"D{number}", state=state, lines=(gone,))
            entity = ref(Kind.SHIPMENT, "erp", f"d{number}")
            found.append(("erp", Seen(entity, body, at(second), parent=order)))
        paid = Payment(
            order=order,
            amount=Decimal("36.00"),
            currency="GBP",
            at=at(15),
            status=SettlementStatus.SETTLED,
        )
        entity = ref(Kind.PAYMENT, "shop", f"p{number}")
        found.append(("shop", Seen(entity, paid, at(15), parent=order)))
        back = Refund(
            order=order,
            amount=Decimal("1.20"),
            currency="GBP",
            at=at(60),
            status=SettlementStatus.SETTLED,
        )
        entity = ref(Kind.REFUND, "erp", f"r{number}")
        found.append(("erp", Seen(entity, back, at(60), parent=order)))
    return found


def tell(house: WayBack, event: Event) -> None:
    connection, seen = event
    how = Circumstances(house.clock(), is_authoritative=True)
    house.observer.observe(connection, seen, SECOND, how)


def end(house: WayBack) -> dict[str, Any]:
    """The last word of the owner of stock, and then all that can be seen anywhere."""
    house.settle()
    house.stock("COLA330", 340, reserved=0)
    house.settle()
    load = Loader(house.rows, house.objects)
    return {
        "stock": house.shown(),
        "shop": house.notes.held,
        "erp": {
            held.reference: (held.payload and held.payload.lines, held.is_cancelled)
            for held in house.orders.objects.values()
        },
        "made": (house.orders.counts["create"], sorted(house.notes.names.values())),
        "claims": house.rows.query("STOCK#COLA330", "CLAIM#"),
        "orders": {
            number: load.view(order_ref(number)).assessment.model_dump(exclude={"workings"})
            for number in ORDERS
        },
    }


def run(schedule: list[tuple[int, int, bool]], told: list[Event]) -> dict[str, Any]:
    """Tell everything in an order, twice some of it, and work off some messages in between.

    Args:
        schedule: for each event, how many messages are worked off after it, which of those waiting
            is first, and whether it comes twice.
        told: the events, in the order of arrival.
    """
    house = WayBack()
    house.observe(seen_customer(1))
    house.observe(seen_customer(2))
    house.stock("COLA330", 400)
    for event, (works, first, is_twice) in zip(told, schedule, strict=True):
        for _ in range(2 if is_twice else 1):
            tell(house, event)
        house.clock.advance(1)
        for _ in range(works):
            if house.messages:
                house.messages.rotate(first)
                house.handle(*house.messages.popleft())
    return end(house)


STEPS = st.tuples(st.integers(0, 6), st.integers(0, 5), st.booleans())
COUNT = len(events())
IN_ORDER = run([(50, 0, False)] * COUNT, events())


def test_in_order_all_is_where_it_belongs():
    assert IN_ORDER["stock"]["COLA330@"] == "340"
    assert IN_ORDER["made"] == (2, ["erp/d1", "erp/d2", "erp/r1", "erp/r2"])
    assert IN_ORDER["claims"] == []
    assert {order["state"] for order in IN_ORDER["orders"].values()} == {OrderState.RELEASED}
    assert IN_ORDER["shop"]["1"].name == "S1"


@given(st.permutations(events()), st.lists(STEPS, min_size=COUNT, max_size=COUNT))
def test_any_interleaving_ends_in_the_same_state_everywhere(told, schedule):
    assert run(schedule, told) == IN_ORDER
