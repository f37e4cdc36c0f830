from __future__ import annotations

import json

import pytest

from fizzbridge.bus import BusUnavailableError, MemoryBus
from fizzbridge.model.events import DetailType
from fizzbridge.observability import Metrics
from fizzbridge.state.dynamodb import to_image
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.state.table import Write
from services.announce import announce
from tests.kit.clock import Clock


class FailingBus(MemoryBus):
    """A bus that does not take what is said of one key."""

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self.key = key

    def put(self, entries) -> None:
        if any(json.loads(entry.detail).get("key") == self.key for entry in entries):
            raise BusUnavailableError(entries, "InternalFailure")
        super().put(entries)

    def keys(self) -> list[str]:
        return [json.loads(entry.detail).get("key", "") for entry in self.entries]


class Stream:
    """A table whose changes become records as DynamoDB writes them."""

    def __init__(self) -> None:
        self.records: list[dict] = []
        self.table = MemoryTable(on_change=self._record)
        self.clock = Clock()

    def _record(self, before, after) -> None:
        change = {"SequenceNumber": f"seq-{len(self.records) + 1}"}
        if before:
            change["OldImage"] = to_image(before)
        if after:
            change["NewImage"] = to_image(after)
        self.records.append({"dynamodb": change})

    def want(self, number: int) -> None:
        changes = {"wanted": f"w{number}", "updated_at": to_text(self.clock())}
        self.table.write(Write(f"Order#shop/{number}", "LINK#assess", set=changes))


@pytest.fixture
def stream():
    return Stream()


def run(stream: Stream, bus, lines=None) -> list[str]:
    with Metrics(write=(lines if lines is not None else []).append) as metrics:
        answer = announce(stream.records, bus, MemoryObjects(), metrics)
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_a_change_of_the_table_is_a_fact_on_the_bus(stream):
    stream.want(1)
    bus, lines = MemoryBus(), []
    assert run(stream, bus, lines) == []
    (entry,) = bus.entries
    assert (entry.source, entry.detail_type) == ("fizzbridge.shop", DetailType.ENTITY_OBSERVED)
    detail = json.loads(entry.detail)
    assert (detail["key"], detail["schema_version"]) == ("shop/1", 1)
    assert json.loads(lines[0])["announced"] == [1]


def test_f4_the_first_record_that_failed_comes_again_and_all_after_it(stream, caplog):
    for number in range(1, 6):
        stream.want(number)
    bus = FailingBus("shop/3")
    assert run(stream, bus) == ["seq-3"]
    assert bus.keys() == ["shop/1", "shop/2"]
    (line,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert (line.message, "InternalFailure" in line.reason) == ("facts not announced", True)
    # Lambda comes back from there; what went out before the failure keeps its place.
    stream.records = stream.records[2:]
    bus.key = ""
    assert run(stream, bus) == []
    assert bus.keys() == [f"shop/{number}" for number in range(1, 6)]


def test_f6_a_batch_that_comes_twice_puts_the_same_events_again(stream):
    stream.want(1)
    bus = MemoryBus()
    run(stream, bus)
    run(stream, bus)
    first, second = bus.entries
    assert first == second


def test_what_says_nothing_is_not_put(stream):
    stream.table.write(Write("Order#shop/1", "LINK#erp", set={"holder": "x"}))
    stream.table.write(Write("Order#shop/1", "LINK#erp", delete=True))
    bus = FailingBus()
    assert run(stream, bus) == []
    assert bus.entries == []


def test_a_map_belongs_to_no_connection(stream):
    said = {"mapped": "COLA", "updated_at": to_text(stream.clock())}
    stream.table.write(Write("MAP#shop#sku", "KOLA", set=said))
    bus = MemoryBus()
    run(stream, bus)
    assert bus.entries[0].source == "fizzbridge.bridge"
