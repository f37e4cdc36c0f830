"""Orders that want the same thing at once: one gets it, and nothing is promised twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.customer import Credit
from fizzbridge.model.order import HoldReason
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.assess import Assessed, Assessor
from fizzbridge.state.table import Write
from tests.kit.house import line
from tests.kit.way_back import WayBack
from tests.kit.wholesaler import ITEMS, Wholesaler


class Racing:
    """A table in which another order is assessed right after the first read of a partition."""

    def __init__(self, house: Wholesaler, prefix: str, rival, nth: int = 1) -> None:
        self._house = house
        self._prefix = prefix
        self._rival = rival
        self._left = nth

    def query(self, pk, *args, **options):
        found = self._house.rows.query(pk, *args, **options)
        self._left -= pk.startswith(self._prefix)
        if not self._left and self._rival:
            rival, self._rival = self._rival, None
            rival()
        return found

    def __getattr__(self, name):
        return getattr(self._house.rows, name)


def placed_and_unassessed(house: Wholesaler):
    """An order whose webhook has come in, and nobody has looked at."""
    settle, house.settle = house.settle, lambda: None
    try:
        return house.order()
    finally:
        house.settle = settle


def assessed_at_once(house: Wholesaler, prefix: str):
    first, second = placed_and_unassessed(house), placed_and_unassessed(house)
    table = Racing(house, prefix, lambda: house.assessor.run(first, "rival"))
    slow = Assessor(table, house.objects, house.rules, house.clock)
    assert slow.run(second, "slow") is Assessed.DONE
    return first, second


def held(house: Wholesaler, order) -> list[HoldReason]:
    return [hold.reason for hold in house.assessed(order).holds]


def test_two_orders_race_for_the_last_case():
    house = Wholesaler(stock={})
    house.stock("COLA330", 300)
    first, second = assessed_at_once(house, "STOCK#")
    assert (held(house, first), held(house, second)) == ([], [HoldReason.STOCK])
    claims = house.rows.query("STOCK#COLA330", "CLAIM#")
    assert sum(row["allotted"] for row in claims) == 300


def test_two_orders_race_for_the_last_credit():
    house = Wholesaler(credit={})
    house.account(credit=credit(house, "200.00"))
    first, second = assessed_at_once(house, "ACCOUNT#")
    assert (held(house, first), held(house, second)) == ([], [HoldReason.CREDIT])


def credit(house: Wholesaler, limit: str):
    return Credit(currency="EUR", limit=limit, as_of=house.clock())


def test_what_the_erp_has_reserved_is_not_claimed_twice():
    house = Wholesaler(stock={})
    level = house.stock("COLA330", 300)
    order = house.order()
    assert house.records(level).available == 60, "what is claimed is not offered"
    house.process(order)
    assert house.records(level).available == 60, "the level is of before"
    house.stock("COLA330", 300, reserved=240)
    assert house.records(level).available == 60


def test_a_level_from_before_the_booking_leaves_the_claim_standing():
    house = Wholesaler(stock={})
    taken = house.clock()
    house.stock("COLA330", 300)
    house.process(house.order())
    level = house.stock("COLA330", 301, as_of=taken - timedelta(minutes=1))
    assert house.records(level).available == 301 - 240


@pytest.mark.parametrize("policy", ["order_time", "fair_share"])
def test_claims_never_exceed_what_is_there(policy):
    house = Wholesaler(stock={"share": policy})
    house.stock("COLA330", 400)
    for _ in range(3):
        house.order()
    claims = house.rows.query("STOCK#COLA330", "CLAIM#")
    assert sum(row["allotted"] for row in claims) <= 400
    assert len(claims) == 3


def test_an_order_that_lost_its_line_gives_the_stock_up():
    house = Wholesaler(stock={})
    house.stock("COLA330", 300)
    order = house.order()
    house.desk.edit(int(order.external_id), {"quantities": {"COLA330-C24": 0}})
    house.settle()
    assert house.rows.query("STOCK#COLA330", "CLAIM#") == []


def test_what_the_owner_of_stock_ships_is_claimed_until_its_next_level():
    house = Wholesaler(stock={})
    level = house.stock("COLA330", 300)
    order = house.order()
    house.process(order)
    house.ship(order, 8)
    assert house.records(level).available == 60, "the level is of before: it counts them as there"
    house.stock("COLA330", 300 - 8 * 24, reserved=48)
    assert house.rows.query("STOCK#COLA330", "CLAIM#") == []
    assert house.records(level).available == 60


def test_an_order_that_nobody_says_goes_on_is_claimed_though_it_was_booked():
    house = Wholesaler(stock={})
    level = house.stock("COLA330", 300)
    house.order()
    house.stock("COLA330", 301)
    assert house.records(level).available == 61, "a quotation reserves nothing"


def test_what_an_amendment_adds_is_claimed_until_it_is_reserved():
    house = WayBack()
    house.stock("COLA330", 100)
    order = house.place(lines=[line("COLA330", 10)])
    house.settle()
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    house.stock("COLA330", 100, reserved=10)
    house.settle()
    assert house.shown()["COLA330@"] == "90"
    house.place(lines=[line("COLA330", 60)], second=30)
    house.settle()
    assert int(house.shown()["COLA330@"]) <= 40
    house.stock("COLA330", 100, reserved=60)
    house.settle()
    assert house.shown()["COLA330@"] == "40"


def test_what_goes_nowhere_takes_nothing():
    house = Wholesaler(stock={}, routes=[])
    level = house.stock("COLA330", 300)
    house.order()
    assert house.records(level).available == 300


def test_what_left_stays_claimed_though_its_order_is_cancelled():
    house = Wholesaler(stock={})
    level = house.stock("COLA330", 300)
    order = house.order()
    house.ship(order, 10)
    house.desk.cancel(int(order.external_id))
    house.settle()
    assert house.records(level).available == 60, "240 left; the level is of before"
    house.stock("COLA330", 60)
    assert house.records(level).available == 60


def test_a_level_that_ends_a_claim_while_it_is_let_go_leaves_no_stump():
    house = Wholesaler(stock={})
    house.stock("COLA330", 300)
    order = house.order()
    house.process(order)

    def level():
        house.messages.clear()
        settle, house.settle = house.settle, lambda: None
        entity = house.stock("COLA330", 300, reserved=240)
        house.settle = settle
        house.assessor.run(entity, "rival")

    table = Racing(house, "STOCK#COLA330", level, nth=2)
    assessor, house.assessor = (
        house.assessor,
        Assessor(table, house.objects, house.rules, house.clock),
    )
    house.process(order, OrderState.RELEASED)
    house.assessor = assessor
    level = house.stock("COLA330", 50)
    assert house.records(level).available == 50


def test_an_order_claims_at_each_place_for_all_its_lines():
    house = Wholesaler(stock={})
    near, far = house.stock("COLA330", 100), house.stock("COLA330", 200, location="FAR")
    lines = [{"sku": "COLA330", "quantity": 80}, {"sku": "COLA330-C24", "quantity": 5}]
    order = house.order(lines=lines)
    claims = house.rows.query("STOCK#COLA330", "CLAIM#")
    assert [(row["place"], row["allotted"]) for row in claims] == [("FAR", 100), ("WH", 100)]
    assert [house.records(one).available for one in (near, far)] == [0, 100]
    house.process(order)
    house.stock("COLA330", 100, reserved=100)
    assert {row["place"] for row in house.rows.query("STOCK#COLA330", "CLAIM#")} == {"FAR"}
    assert house.records(far).available == 100
    assert held(house, order) == []


def test_a_test_order_claims_nothing():
    house = Wholesaler(stock={}, credit={})
    house.stock("COLA330", 300)
    order = house.order(test=True)
    assert house.rows.query("STOCK#COLA330", "CLAIM#") == []
    assert held(house, order) == []


class Crowded:
    """A table in which somebody else takes the turn before every claim."""

    def __init__(self, house: Wholesaler) -> None:
        self._house = house
        self._turns = 0

    def transact(self, writes):
        if any(write.sk == "TURN" for write in writes):
            self._turns += 1
            turn = {"turn": f"other-{self._turns}"}
            self._house.rows.write(Write("STOCK#COLA330", "TURN", set=turn))
        self._house.rows.transact(writes)

    def __getattr__(self, name):
        return getattr(self._house.rows, name)


def test_an_order_that_never_gets_its_turn_is_left_to_the_sweeper():
    house = Wholesaler(stock={})
    house.stock("COLA330", 300)
    order = placed_and_unassessed(house)
    crowded = Assessor(Crowded(house), house.objects, house.rules, house.clock)
    assert crowded.run(order, "crowded") is Assessed.BUSY
    house.messages.clear()
    house.settle()
    assert held(house, order) == []


def test_a_mixed_case_gives_its_components_back():
    mix = CatalogueItem(sku="MIX", name="Mix", components="COLA330*6 LEMON1000*6")
    house = Wholesaler(stock={}, items=[*ITEMS, mix])
    levels = [house.stock(sku, 60) for sku in ("COLA330", "LEMON1000")]
    order = house.order(lines=[{"sku": "MIX", "title": "Mix", "quantity": 5, "price": "9.00"}])
    assert [house.records(level).available for level in levels] == [30, 30]
    house.desk.cancel(int(order.external_id))
    house.settle()
    assert [house.records(level).available for level in levels] == [60, 60]
