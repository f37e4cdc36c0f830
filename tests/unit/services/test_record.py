from __future__ import annotations

import json

import pytest

from fizzbridge.runtime.batch import Message
from fizzbridge.state.memory import MemoryTable
from services.record import work
from tests.kit.house import House, line

HELD = {
    "event_id": "0123456789abcdef",
    "schema_version": 1,
    "connection": "shop",
    "kind": "Order",
    "key": "shop/1",
    "occurred_at": "2026-11-20T09:00:00Z",
    "correlation_id": "c-1",
    "state": "HELD",
    "holds": ["MAPPING"],
    "number": "#1",
    "lines": [{"sku": "COLA330"}],
}


def message(detail: dict, detail_type: str = "OrderHeld") -> Message:
    return Message("m1", {"detail-type": detail_type, "detail": detail}, 1)


@pytest.fixture
def table():
    return MemoryTable()


def test_an_event_is_a_line_on_its_entitys_timeline(table):
    assert work(message(HELD), table) is None
    (row,) = table.rows()
    assert (row["pk"], row["what"], row["state"]) == ("Order#shop/1", "OrderHeld", "HELD")
    assert row["sk"] == "TIMELINE#2026-11-20T09:00:00.000000Z#0123456789ab"
    assert row["holds"] == ["MAPPING"]
    assert row["correlation_id"] == "c-1"
    assert isinstance(row["expires_at"], int)


def test_twice_is_one_line(table):
    work(message(HELD), table)
    work(message(HELD), table)
    assert len(table.rows()) == 1


def test_two_events_of_one_moment_are_two_lines(table):
    work(message(HELD), table)
    work(message(HELD | {"event_id": "f" * 32}, "OrderPlaced"), table)
    assert {row["what"] for row in table.rows()} == {"OrderHeld", "OrderPlaced"}


def test_only_what_is_meant_to_be_shown_is_written(table):
    work(message(HELD | {"surprise": "x", "reason": ""}), table)
    (row,) = table.rows()
    shown = {"what", "at", "expires_at", "connection", "state", "correlation_id", "holds"}
    assert set(row) == {"pk", "sk"} | shown


def test_every_event_a_house_announces_can_be_recorded(table):
    house = House()
    house.place(lines=[line("KOLA")])
    house.settle()
    kept = [one for one in house.events if hasattr(one[1], "kind")]
    for detail_type, event in kept:
        work(message(json.loads(event.model_dump_json()), str(detail_type)), table)
    assert len(table.rows()) == len(kept) > 3
