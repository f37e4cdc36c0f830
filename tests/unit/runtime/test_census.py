"""Every link is where it may be, or it is found; what waits rightly is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.documents import Payment, SettlementStatus
from fizzbridge.model.entity import Kind, ref
from fizzbridge.observation import Seen
from fizzbridge.runtime.census import HOURS, Enumerator
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import House, customer_ref, line, order_ref

PAYMENT = ref(Kind.PAYMENT, "shop", "p1")
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def house():
    house = House()
    house.clock.advance((AT - house.clock()).total_seconds())
    return house


def enumerator(house, late_after=1800):
    return Enumerator(
        house.rows, house.objects, ["shop", "erp"], house.clock, timedelta(seconds=late_after), 30
    )


def unaccounted(house, entity=None):
    census = enumerator(house)
    listed = [entity] if entity else list(census.everything(house.clock()))
    entities = [one for each in listed for one in census.family(each)]
    return [(one.connection, one.why) for each in entities for one in census.look(each)]


def late(house):
    return [(one.connection, one.entity, one.why) for one in enumerator(house).late()]


def pay(house, order):
    payment = Payment(
        order=order,
        amount=Decimal("2.40"),
        currency="GBP",
        status=SettlementStatus.SETTLED,
        at=AT,
    )
    house.observe(Seen(PAYMENT, payment, AT, parent=order))


def change(house, entity, sk, **values):
    house.rows.write(Write(str(entity), sk, set=values))


def test_what_is_in_step_is_accounted_for(house):
    order = house.place()
    pay(house, order)
    house.settle()
    assert house.link(order)["status"] == "synced"
    assert unaccounted(house) == []
    assert late(house) == []


def test_what_is_on_its_way_is_accounted_for_at_every_step(house):
    order = house.place()
    while house.messages:
        assert unaccounted(house, order) == []
        house.handle(*house.messages.popleft())
    assert unaccounted(house, order) == []


@pytest.mark.parametrize(
    ("sk", "values", "found"),
    [
        ("LINK#erp", {"wanted": "x"}, ("erp", "behind and not listed as behind")),
        ("LINK#erp", {"status": "held"}, ("erp", "held without a hold")),
        ("LINK#erp", {"status": "parked"}, ("erp", "parked and not listed")),
        ("LINK#assess", {"wanted": "x"}, ("shop", "to be assessed and not listed as behind")),
        ("PART#request", {"fingerprint": "x"}, ("shop", "assessed as it was, not as it is")),
    ],
)
def test_what_nothing_would_bring_back_is_found(house, sk, values, found):
    order = house.place()
    house.settle()
    change(house, order, sk, **values)
    house.clock.advance(3600)
    assert house.sweeper.run() == 0  # the sweeper goes by the index and finds nothing
    assert late(house) == []
    assert unaccounted(house) == [found]


def test_what_a_person_has_given_up_is_accounted_for(house):
    order = house.place()
    house.settle()
    change(house, order, "LINK#erp", status="parked", discarded="entered by hand")
    assert unaccounted(house) == []


@pytest.mark.parametrize(
    ("sk", "found"),
    [
        ("LINK#erp", ("erp", "routed there and without a link")),
        ("LINK#assess", ("shop", "told of and never to be assessed")),
        ("PART#assessment", ("shop", "never assessed")),
    ],
)
def test_a_row_that_is_gone_is_missed(house, sk, found):
    order = house.place()
    house.settle()
    house.rows.write(Write(str(order), sk, delete=True))
    assert found in unaccounted(house)


def test_customers_and_documents_are_looked_at_as_well(house):
    order = house.place()
    pay(house, order)
    house.settle()
    for entity in (customer_ref(), PAYMENT):
        change(house, entity, "LINK#assess", wanted="x")
    assert unaccounted(house) == [("shop", "to be assessed and not listed as behind")] * 2


def test_what_is_behind_for_too_long_is_late(house):
    order = house.place()
    house.messages.clear()
    assert late(house) == []
    house.clock.advance(1801)
    of = [("shop", str(one), "behind at assess") for one in (customer_ref(), order)]
    assert sorted(late(house)) == sorted(of)
    house.settle()
    assert late(house) == []


def test_a_paused_connection_is_not_late(house):
    house.place()
    while any(to == "assess" for to, _ in house.messages):
        to, event = house.messages.popleft()
        if to == "assess":
            house.handle(to, event)
    house.messages.clear()
    house.clock.advance(1801)
    assert {connection for connection, _, _ in late(house)} == {"erp"}
    change(house, "CONNECTION#erp", "BREAKER", paused_at=to_text(AT))
    assert late(house) == []
    change(house, "CONNECTION#erp", "BREAKER", paused_at="")
    assert {connection for connection, _, _ in late(house)} == {"erp"}


def test_held_and_parked_links_wait_rightly(house):
    held = house.place(1, lines=[line("NEW-1")])
    house.settle()
    house.orders.refuse = TargetRejectedError("no")
    parked = house.place(2)
    house.settle()
    assert house.link(held)["status"] == "held"
    assert house.link(parked)["status"] == "parked"
    house.clock.advance(100_000)
    assert unaccounted(house) == []
    assert late(house) == []


def test_everything_is_looked_at_within_a_day(house):
    for number in range(1, 40):
        house.place(number)
    old = house.place(50, placed_at=AT - timedelta(days=20), changed_at=AT)
    house.settle()
    census = enumerator(house)
    every = set(census.everything(AT))
    assert {old, order_ref(1), customer_ref(1)} <= every
    assert ref(Kind.ORDER, "shop", 1) in set(census.share(AT))
    assert old not in set(census.placed(AT))
    turns = [set(census.share(AT + timedelta(hours=hour))) for hour in range(HOURS)]
    assert set.union(*turns) == every
    assert all(turn < every for turn in turns)


def test_a_run_that_takes_too_long_leaves_the_rest_to_later_ones(house):
    house.place()
    house.settle()
    census = enumerator(house).run(seconds=0)
    assert not census.is_whole
    assert census.looked_at == 0
    census = enumerator(house).run(seconds=60)
    assert census.is_whole
    assert census.looked_at >= 1
    assert census.counts("late") == census.counts("unaccounted") == {}
