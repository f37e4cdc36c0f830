from __future__ import annotations

import json

from fizzbridge.observability import Metrics
from fizzbridge.runtime.assess import RELEASED_AT_ONCE
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.leases import acquire
from fizzbridge.runtime.sweep import hint
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from services.assess import INDEX_LAG, work
from tests.kit.house import House, line, order_ref


def observed(number: int = 1) -> Message:
    detail = {"kind": "Order", "key": f"shop/{number}", "event_id": "e1"}
    return Message("m1", {"detail-type": "EntityObserved", "detail": detail}, 1)


def mapping_changed(cause: str = "MAP#shop#sku/KOLA") -> Message:
    return Message(
        "m2", {"detail-type": "CauseChanged", "detail": {"cause": cause, "event_id": "e2"}}, 1
    )


def run(house: House, message: Message) -> tuple[Again | None, list[str]]:
    lines: list[str] = []
    with Metrics(write=lines.append) as metrics:
        again = work(message, house.assessor, metrics)
    return again, lines


def mapped(house: House) -> None:
    said = {"mapped": "COLA330", "updated_at": to_text(house.clock())}
    house.rows.write(Write("MAP#shop#sku", "KOLA", set=said))


def test_what_moved_is_assessed_and_counted_once():
    house = House()
    house.place()
    again, lines = run(house, observed())
    assert again is None
    assert json.loads(lines[0])["assessed"] == [1]
    assert house.rows.get("Order#shop/1", "PART#assessment")
    assert run(house, observed()) == (None, [])


def test_a_busy_entity_is_left_to_whoever_is_at_it():
    house = House()
    house.place()
    acquire(house.rows, "Order#shop/1", "LINK#assess", "other", 70, house.clock())
    assert run(house, observed()) == (None, [])
    assert house.rows.get("Order#shop/1", "PART#assessment") is None


def test_a_hint_of_the_sweeper_will_do():
    house = House()
    house.place()
    run(house, Message("m1", json.loads(hint(order_ref())), 1))
    assert house.rows.get("Order#shop/1", "PART#assessment")


def test_a_row_of_a_map_frees_what_waited_for_it():
    house = House()
    house.place(lines=[line("KOLA")])
    house.drain()
    mapped(house)
    house.messages.clear()
    assert run(house, mapping_changed())[0] is None
    house.settle()
    assert len(house.orders.of("shop/1")) == 1


def test_a_row_nobody_waited_for_frees_nothing():
    house = House()
    assert run(house, mapping_changed("MAP#shop#sku/OTHER")) == (None, [])


def test_what_one_run_cannot_free_comes_again_when_the_index_has_caught_up():
    house = House()
    for number in range(1, RELEASED_AT_ONCE + 2):
        house.place(number, lines=[line("KOLA")])
    house.drain()
    mapped(house)
    assert run(house, mapping_changed())[0] == Again(INDEX_LAG)
    assert run(house, mapping_changed())[0] is None
