"""What orders take of stock is offered to nobody else until the owner of stock has reserved it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.catalogue import CatalogueItem, StockLevel
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.model.order import DocumentLine
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.assess import Assessed, Assessor
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from fizzbridge.trade.packs import Catalogue
from tests.kit.house import BRIDGE, ITEMS, line, order_ref
from tests.kit.way_back import WayBack


@pytest.fixture
def house() -> WayBack:
    house = WayBack()
    house.stock("COLA330", 100)
    house.settle()
    return house


def stocked(house: WayBack, *levels: tuple[str, int], **more) -> None:
    """The ERP says what there is of each, and everybody hears of it."""
    for sku, on_hand in levels:
        house.stock(sku, on_hand, **more)
    house.settle()


def taken(house: WayBack, quantity: int, sku: str = "COLA330", number: int = 1) -> EntityRef:
    """An order that the ERP holds, and has said nothing about."""
    order = house.place(number, lines=[line(sku, quantity)])
    house.settle()
    return order


def confirmed(house: WayBack, quantity: int, sku: str = "COLA330") -> EntityRef:
    order = taken(house, quantity, sku)
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    return order


def reserved(house: WayBack, quantity: int) -> EntityRef:
    """An order of colas that the ERP's level has in it."""
    order = confirmed(house, quantity)
    stocked(house, ("COLA330", 100), reserved=quantity)
    return order


def amended(house: WayBack, quantity: int, second: int = 30) -> None:
    house.place(lines=[line("COLA330", quantity)], second=second)


def claims(house: WayBack, sku: str = "COLA330") -> dict[str, int]:
    """What is claimed of an item, by place."""
    found = house.rows.query(f"STOCK#{sku}", "CLAIM#")
    return {str(row["place"]): int(str(row["allotted"])) for row in found}


def is_held(house: WayBack, order: EntityRef) -> bool:
    return any("cause" in row for row in house.rows.query(str(order), "HOLD#"))


class Meanwhile:
    """A table in which something happens as soon as the first claims are written."""

    def __init__(self, house: WayBack, happens) -> None:
        self._house = house
        self._happens = happens

    def transact(self, writes) -> None:
        self._house.rows.transact(writes)
        if self._happens and any("CLAIM#" in one.sk for one in writes):
            happens, self._happens = self._happens, None
            happens()

    def __getattr__(self, name):
        return getattr(self._house.rows, name)


# -- what an order claims --------------------------------------------------------------------------


def test_a_claim_stands_at_a_place_not_counted_though_another_was(house):
    stocked(house, ("COLA330", 200), location="FAR")
    order = taken(house, 200)
    assert claims(house) == {"WH": 100, "FAR": 100}
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    stocked(house, ("COLA330", 100), reserved=100)
    assert claims(house) == {"FAR": 100}
    assert house.shown()["COLA330@"] == "100"


def test_what_others_claim_at_a_place_not_counted_is_not_given_away():
    house = WayBack()
    house.stock("COLA330", 0)
    stocked(house, ("COLA330", 100), location="FAR")
    first = taken(house, 100)
    stocked(house, ("COLA330", 1))
    second = taken(house, 100, number=2)
    assert [is_held(house, order) for order in (first, second)] == [False, True]


def test_an_order_held_for_stock_keeps_what_it_has_got(house):
    order = taken(house, 150)
    assert house.shown()["COLA330@"] == "0"
    stocked(house, ("COLA330", 101))
    assert house.shown()["COLA330@"] == "0"
    assert is_held(house, order)


@pytest.mark.parametrize("state", [OrderState.HELD, OrderState.RECEIVED])
def test_what_the_erp_reserves_no_more_is_claimed_again(house, state):
    order = reserved(house, 60)
    assert house.shown()["COLA330@"] == "40"
    house.process(order, "S1", state)
    house.settle()
    stocked(house, ("COLA330", 100))
    assert house.shown()["COLA330@"] == "40"


def test_an_amendment_does_not_compete_with_what_is_reserved_for_the_order_itself(house):
    order = reserved(house, 60)
    amended(house, 61)
    house.assess_all()
    assert not is_held(house, order)
    house.settle()
    assert not is_held(house, order)


def test_an_amendment_taken_back_before_the_erp_heard_of_it_leaves_nothing_in_flight(house):
    reserved(house, 10)
    amended(house, 60)
    house.assess_all()
    assert claims(house)
    amended(house, 10, second=60)
    house.settle()
    stocked(house, ("COLA330", 100), reserved=10)
    assert claims(house) == {}
    assert house.shown()["COLA330@"] == "90"


def test_what_is_shipped_of_an_order_whose_amendment_was_refused_is_not_in_flight(house):
    order = reserved(house, 60)

    def refused(*_):
        raise TargetRejectedError("picked already")

    house.orders.update = refused
    amended(house, 59)
    house.settle()
    assert house.link(order)["status"] == "parked"
    lines = (ShippedLine(order_line_id="l-COLA330", sku="COLA330", quantity=60),)
    gone = Shipment(order=order, number="D1", state=ShipmentState.DISPATCHED, lines=lines)
    house.told(ref(Kind.SHIPMENT, "erp", "d1"), gone, parent=order)
    house.settle()
    stocked(house, ("COLA330", 40))
    assert house.shown()["COLA330@"] == "40"


@pytest.mark.parametrize(
    ("wanted", "is_cancelled"),
    [(line("COLA330", 60), True), (line("LEMON1L", 6), False)],
    ids=["cancelled", "swapped"],
)
def test_what_an_order_wants_no_more_when_it_is_claimed_is_let_go(house, wanted, is_cancelled):
    order = house.place(lines=[line("COLA330", 60)])
    house.messages.clear()

    def happens():
        cancelled_at = house.clock() if is_cancelled else None
        house.place(lines=[wanted], second=5, cancelled_at=cancelled_at)

    table = Meanwhile(house, happens)
    Assessor(table, house.objects, house.rules, house.clock).run(order, "first")
    house.settle()
    assert claims(house) == {}
    assert house.shown()["COLA330@"] == "100"


def test_a_shop_that_owns_stock_has_taken_its_own_orders_off():
    shop, erp = BRIDGE["connections"]
    shop = shop | {"roles": [*shop["roles"], "stock"]}
    house = WayBack(connections=[shop, erp], routes=BRIDGE["routes"])
    level = ref(Kind.STOCK_LEVEL, "shop", "COLA330@main")

    def counted(**more):
        body = StockLevel(
            product=ref(Kind.PRODUCT, "shop", "v1"),
            sku="COLA330",
            location="main",
            on_hand=100,
            as_of=house.clock() + timedelta(seconds=1),
            **more,
        )
        house.told(level, body, by="shop")
        house.settle()

    counted()
    confirmed(house, 10)
    counted(reserved=10)
    assert house.record(level).available == 90


def test_an_order_costs_no_more_reads_the_more_there_are_in_flight():
    house = WayBack()
    stocked(house, ("COLA330", 1000))
    reads = []

    class Counted:
        def get(self, *args, **options):
            reads[-1] += 1
            return house.rows.get(*args, **options)

        def __getattr__(self, name):
            return getattr(house.rows, name)

    assessor = Assessor(Counted(), house.objects, house.rules, house.clock)
    for number in range(1, 21):
        house.place(number, lines=[line("COLA330", 2)])
        reads.append(0)
        assessor.run(order_ref(number), f"run-{number}")
    assert claims(house)
    assert reads[-1] == reads[0] > 0


# -- the levels of a place -------------------------------------------------------------------------


def test_a_claim_stands_until_all_levels_of_its_place_are_counted():
    house = WayBack()
    stocked(house, ("COLA330", 48), ("COLA330-CASE", 10))
    confirmed(house, 10, "COLA330-CASE")
    assert house.shown()["COLA330@"] == "48"
    stocked(house, ("COLA330", 47))
    assert house.shown()["COLA330@"] == "47"
    stocked(house, ("COLA330-CASE", 10), reserved=10)
    assert house.shown()["COLA330@"] == "47"
    assert claims(house) == {}


def test_claims_count_and_end_though_an_earlier_level_of_the_place_is_gone(house):
    house.told(ref(Kind.STOCK_LEVEL, "erp", "COLA330@WH"), None)
    stocked(house, ("COLA330", 100), key="made-anew")
    assert house.shown()["COLA330@"] == "100"
    confirmed(house, 60)
    assert house.shown()["COLA330@"] == "40"
    stocked(house, ("COLA330", 100), key="made-anew", reserved=60)
    assert claims(house) == {}
    assert house.shown()["COLA330@"] == "40"


def test_a_level_that_goes_by_another_code_leaves_nothing_under_the_old_one(house):
    stocked(house, ("LEMON1L", 60), key="COLA330")
    said = house.shelves[Kind.STOCK_LEVEL].said
    assert (said["COLA330@"], said["LEMON1L@"]) == ("0", "60")
    assert house.rows.query("STOCK#COLA330", "LEVEL#") == []


def test_a_place_is_spoken_for_though_the_level_that_spoke_goes_by_another_code():
    house = WayBack()
    stocked(house, ("COLA330", 100), location="A")
    stocked(house, ("COLA330", 50), location="B")
    assert house.shown()["COLA330@"] == "150"
    stocked(house, ("LEMON1L", 60), location="A", key="COLA330")
    stocked(house, ("COLA330", 7), location="B")
    said = house.shelves[Kind.STOCK_LEVEL].said
    assert (said["COLA330@"], said["LEMON1L@"]) == ("7", "60")


def test_an_item_at_very_many_places_can_be_ordered():
    house = WayBack()
    for number in range(101):
        level = house.stock("COLA330", 1, f"V{number:03}")
        house.messages.clear()
        house.assessor.run(level, f"counted-{number}")
    order = house.place(lines=[line("COLA330", 2)])
    assert house.assessor.run(order, "ordered") is Assessed.DONE
    assert claims(house) == {"V000": 1, "V001": 1}


def many(lines: int, quantity: int = 1) -> list[DocumentLine]:
    """An order's lines for one item, as a shop has them that sells by the bottle with a wish."""
    return [line("COLA330", quantity, id=f"l-{number}") for number in range(lines)]


@pytest.mark.parametrize("places", [1, 2])
def test_an_item_on_very_many_lines_of_an_order_can_be_ordered_amended_and_given_up(house, places):
    if places == 2:
        stocked(house, ("COLA330", 150), location="FAR")
    stocked(house, ("COLA330", 150 if places == 2 else 300))
    order = house.place(lines=many(250))
    house.settle()
    assert sum(claims(house).values()) == 250
    assert len(claims(house)) == places
    assert not is_held(house, order)
    assert house.link(order)["status"] == "synced"
    amended_to = many(120, 2)
    house.place(lines=amended_to, second=30)
    house.settle()
    assert sum(claims(house).values()) == 240
    assert house.shown()["COLA330@"] == "60"
    house.place(lines=amended_to, second=60, cancelled_at=house.clock())
    house.settle()
    assert claims(house) == {}
    assert house.shown()["COLA330@"] == "300"


def test_very_many_lines_of_an_order_end_with_the_level_that_has_them_in(house):
    stocked(house, ("COLA330", 300))
    order = house.place(lines=many(250))
    house.settle()
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    assert house.shown()["COLA330@"] == "50"
    stocked(house, ("COLA330", 300), reserved=250)
    assert claims(house) == {}
    assert house.shown()["COLA330@"] == "50"


def claimed_by_line(house: WayBack, order: EntityRef, lines: int) -> None:
    """What a release before this one wrote: a row for each line of the order and place."""
    for row in house.rows.query("STOCK#COLA330", "CLAIM#"):
        house.rows.write(Write(row["pk"], row["sk"], delete=True))
    for number in range(lines):
        said = {"order": str(order), "line": f"l-{number}", "place": "WH"} | {
            "wanted": 1,
            "allotted": 1,
            "placed_at": to_text(house.clock()),
            "updated_at": to_text(house.clock()),
        }
        sk = f"CLAIM#{order}#l-{number}#WH"
        house.rows.write(Write("STOCK#COLA330", sk, set=said, replace=True))


def counted(house: WayBack) -> tuple[int, int]:
    """How many rows claim an item, and how much."""
    found = house.rows.query("STOCK#COLA330", "CLAIM#")
    return len(found), sum(int(str(row["allotted"])) for row in found)


@pytest.mark.parametrize("lines", [3, 97])
def test_what_was_claimed_line_by_line_counts_until_it_is_claimed_anew(house, lines):
    """97 lines were the most that went into one transaction."""
    order = house.place(lines=many(lines))
    house.settle()
    claimed_by_line(house, order, lines)
    other = taken(house, 101 - lines, number=2)
    assert is_held(house, other)
    house.place(lines=many(lines - 1), second=30)
    house.settle()
    assert counted(house) == (2, lines - 1 + 101 - lines)
    assert not is_held(house, other), "what is left over is given to who waits for it"


def test_what_was_claimed_line_by_line_ends_with_the_level_that_has_it_in(house):
    order = house.place(lines=many(3))
    house.settle()
    claimed_by_line(house, order, 3)
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    stocked(house, ("COLA330", 100), reserved=3)
    assert claims(house) == {}
    assert house.shown()["COLA330@"] == "97"


def test_an_order_partly_in_a_level_wants_no_more_than_what_is_claimed_yet(house):
    """What another place has shown of it is not wanted from the one that has not."""
    stocked(house, ("COLA330", 100), location="FAR")
    order = taken(house, 150)
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    stocked(house, ("COLA330", 200), reserved=100)
    assert claims(house) == {"FAR": 50}
    assert not is_held(house, taken(house, 150, number=2))


# -- mixed cases -----------------------------------------------------------------------------------


def mixed(components: str) -> CatalogueItem:
    return CatalogueItem(sku="MIX", name="Mix", components=components)


def test_a_mixed_case_is_not_offered_of_a_level_that_goes_by_another_code():
    house = WayBack(items=[*ITEMS, mixed("COLA330*6 LEMON1L*6")])
    stocked(house, ("COLA330", 60), ("LEMON1L", 60))
    said = house.shelves[Kind.STOCK_LEVEL].said
    assert said["MIX@"] == "10"
    stocked(house, ("LEMON-NEW", 60), key="LEMON1L")
    assert said["MIX@"] == "0"


def test_a_mixed_case_made_of_less_lets_go_of_what_it_was_made_of():
    house = WayBack(items=[*ITEMS, mixed("COLA330*6 LEMON1L*6")])
    stocked(house, ("COLA330", 100), ("LEMON1L", 100))
    taken(house, 5, "MIX")
    assert claims(house, "LEMON1L") == {"WH": 30}
    house.rules = replace(house.rules, catalogue=Catalogue([*ITEMS, mixed("COLA330*6")]))
    house.assessor = Assessor(house.table, house.objects, house.rules, house.clock)
    house.place(lines=[line("MIX", 5)], second=30, cancelled_at=house.clock())
    house.settle()
    assert claims(house) == claims(house, "LEMON1L") == {}


# -- what is kept back -----------------------------------------------------------------------------


def test_two_levels_of_a_place_keep_one_buffer_back():
    house = WayBack(stock={"buffer_cases": 2})
    stocked(house, ("COLA330", 480))
    assert house.shown()["COLA330@"] == "432"
    stocked(house, ("COLA330-CASE", 0))
    assert house.shown()["COLA330@"] == "432"


def test_a_level_that_is_gone_keeps_nothing_back():
    house = WayBack(stock={"buffer_cases": 2})
    stocked(house, ("COLA330", 480), key="old")
    stocked(house, ("COLA330", 480), key="young")
    house.told(ref(Kind.STOCK_LEVEL, "erp", "old@WH"), None)
    house.settle()
    assert house.shown()["COLA330@"] == "432"
