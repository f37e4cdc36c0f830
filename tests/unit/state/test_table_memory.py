from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from fizzbridge.state import (
    AllOf,
    AnyOf,
    ConditionFailedError,
    Equals,
    Less,
    TableRefusedError,
    Write,
)
from fizzbridge.state.memory import MemoryTable
from tests.kit.table_suite import TableSuite


class TestMemoryTable(TableSuite):
    @pytest.fixture
    def table(self):
        return MemoryTable()


def test_changes_are_told_in_commit_order():
    told = []
    table = MemoryTable(on_change=lambda old, new: told.append((old, new)))
    table.write(Write("p", "A", set={"x": 1}))
    table.transact([Write("p", "A", set={"x": 2}), Write("p", "B", set={"y": 1})])
    table.write(Write("p", "B", delete=True))
    first = {"pk": "p", "sk": "A", "x": 1}
    second = {"pk": "p", "sk": "B", "y": 1}
    assert told == [(None, first), (first, {**first, "x": 2}), (None, second), (second, None)]


def test_what_changes_nothing_is_not_told():
    told = []
    table = MemoryTable(on_change=lambda old, new: told.append(new))
    table.write(Write("p", "A", set={"x": 1}))
    table.write(Write("p", "A", set={"x": 1}))
    with pytest.raises(ConditionFailedError):
        table.write(Write("p", "A", set={"x": 2}, when=Equals("x", 9)))
    table.write(Write("p", "NONE", delete=True))
    assert told == [{"pk": "p", "sk": "A", "x": 1}]


def test_a_listener_may_write():
    told = []

    def follow(old, new):
        told.append((new["sk"], new["x"]))
        if new["sk"] == "A":
            table.write(Write("p", "B", set={"x": new["x"]}))

    table = MemoryTable(on_change=follow)
    table.write(Write("p", "A", set={"x": 1}))
    assert told == [("A", 1), ("B", 1)]
    assert table.get("p", "B") is not None


def test_threads_are_told_of_every_change_in_order():
    told = []
    table = MemoryTable(on_change=lambda old, new: told.append(new["n"]))
    threads = [
        threading.Thread(
            target=lambda: [table.write(Write("p", "A", add={"n": 1})) for _ in range(50)]
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == list(range(1, 201))


def test_rows_past_their_time_are_gone_when_there_is_a_clock():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    table = MemoryTable(clock=lambda: now)
    stamp = int(now.timestamp())
    table.write(Write("p", "OLD", set={"expires_at": stamp}))
    table.write(Write("p", "NEW", set={"expires_at": stamp + 1}))
    assert table.get("p", "OLD") is None
    assert [row["sk"] for row in table.query("p")] == ["NEW"]
    assert [row["sk"] for row in table.rows()] == ["NEW"]
    assert len(MemoryTable().rows()) == 0


def test_a_reader_cannot_change_a_row():
    table = MemoryTable()
    names = ["a"]
    table.write(Write("p", "A", set={"names": names}))
    names.append("b")
    table.get("p", "A")["names"].append("c")
    assert table.get("p", "A") == {"pk": "p", "sk": "A", "names": ["a"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"set": {"a": 1}, "remove": ["a"]},
        {"set": {"pk": "x"}},
        {"delete": True, "set": {"a": 1}},
        {"delete": True, "replace": True},
        {"replace": True, "add": {"a": 1}},
        {"sk": ""},
    ],
)
def test_a_contradictory_write_is_refused(wrong):
    with pytest.raises(TableRefusedError):
        Write(**{"pk": "p", "sk": "A", **wrong})


def test_conditions_without_meaning_are_refused():
    with pytest.raises(TableRefusedError):
        AllOf()
    with pytest.raises(TableRefusedError):
        AnyOf()
    with pytest.raises(TableRefusedError):
        Less("a", True)
