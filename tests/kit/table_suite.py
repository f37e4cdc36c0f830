"""What every `Table` must do; each implementation's tests inherit it and supply `table`."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fizzbridge.state import (
    Absent,
    AllOf,
    AnyOf,
    ConditionFailedError,
    Equals,
    Less,
    NoRow,
    Present,
    Table,
    TableRefusedError,
    Write,
)

SHARED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)

ATTRS = st.sampled_from(["a", "b", "status", "size"])
TEXTS = st.text(max_size=8).filter(lambda text: "\x00" not in text)
VALUES = st.one_of(
    TEXTS,
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.binary(min_size=1, max_size=8),
    st.lists(TEXTS, max_size=3),
)
LEAVES = st.one_of(
    st.builds(Absent, ATTRS),
    st.builds(Present, ATTRS),
    st.builds(Equals, ATTRS, VALUES),
    st.builds(Less, ATTRS, st.one_of(TEXTS, st.integers(-5, 5))),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(*parts)),
    ),
    max_leaves=5,
)
NUMBERS = st.dictionaries(st.sampled_from(["n", "m"]), st.integers(-9, 9), max_size=2)


def holds(condition, row):
    """The algebra a second time, straight from its definition."""
    match condition:
        case Absent(attr):
            return row.get(attr) is None
        case Present(attr):
            return row.get(attr) is not None
        case Equals(attr, value):
            return (type(row.get(attr)), row.get(attr)) == (type(value), value)
        case Less(attr, value):
            return type(row.get(attr)) is type(value) and row[attr] < value
        case AllOf(of):
            return not [part for part in of if not holds(part, row)]
        case AnyOf(of):
            return bool([part for part in of if holds(part, row)])
    raise AssertionError(condition)


@st.composite
def writes(draw, keys):
    key = draw(st.sampled_from(keys))
    when = draw(st.none() | CONDITIONS)
    kind = draw(st.sampled_from(["update", "update", "update", "replace", "delete"]))
    if kind == "delete":
        return (*key, {"when": when, "delete": True})
    values = draw(st.dictionaries(ATTRS, VALUES, min_size=1, max_size=3))
    if kind == "replace":
        return (*key, {"when": when, "set": values, "replace": True})
    spread = {attr: draw(st.sampled_from(["set", "set_if_absent", "remove"])) for attr in values}
    change = {
        "set": {attr: values[attr] for attr in values if spread[attr] == "set"},
        "set_if_absent": {attr: values[attr] for attr in values if spread[attr] == "set_if_absent"},
        "remove": [attr for attr in values if spread[attr] == "remove"],
        "add": draw(NUMBERS),
    }
    return (*key, {"when": when, **change})


def apply_naively(rows, pk, sk, change):
    """A write on a plain dict; returns whether its condition held."""
    row = rows.get((pk, sk), {})
    if change["when"] is not None and not holds(change["when"], row):
        return False
    if change.get("delete"):
        rows.pop((pk, sk), None)
    elif change.get("replace"):
        rows[pk, sk] = {"pk": pk, "sk": sk, **change["set"]}
    else:
        new = {"pk": pk, "sk": sk, **change["set_if_absent"], **row, **change["set"]}
        for attr, amount in change["add"].items():
            new[attr] = new.get(attr, 0) + amount
        rows[pk, sk] = {attr: value for attr, value in new.items() if attr not in change["remove"]}
    return True


class TableSuite:
    """Tests of the port; `pk` is a partition of the test's own."""

    @pytest.fixture
    def pk(self) -> str:
        return f"Order#{uuid.uuid4().hex}"

    def test_a_row_keeps_every_type_of_value(self, table: Table, pk):
        values = {
            "text": "ärger 🧃",
            "empty": "",
            "number": -(10**30),
            "nought": 0,
            "yes": True,
            "no": False,
            "data": b"\x00\xff",
            "names": ["b", "a", ""],
            "none": [],
        }
        returned = table.write(Write(pk, "PART#request", set=values))
        assert returned == {"pk": pk, "sk": "PART#request", **values}
        found = table.get(pk, "PART#request")
        assert found == returned
        assert {attr: type(found[attr]) for attr in values} == {
            attr: type(value) for attr, value in values.items()
        }

    def test_an_absent_row_is_none(self, table: Table, pk):
        assert table.get(pk, "PART#none") is None
        assert table.get(pk, "PART#none", consistent=False) is None

    def test_an_update_leaves_other_attributes(self, table: Table, pk):
        table.write(Write(pk, "A", set={"kept": "x", "gone": "y", "count": 1}))
        row = table.write(
            Write(
                pk,
                "A",
                set={"new": "z"},
                set_if_absent={"kept": "other", "first": "once"},
                add={"count": 2, "fresh": -1},
                remove=["gone", "never"],
            )
        )
        assert row == {
            "pk": pk,
            "sk": "A",
            "kept": "x",
            "new": "z",
            "first": "once",
            "count": 3,
            "fresh": -1,
        }

    def test_a_replacement_drops_old_attributes(self, table: Table, pk):
        table.write(Write(pk, "A", set={"old": "x"}))
        row = table.write(Write(pk, "A", set={"new": "y"}, replace=True))
        assert row == table.get(pk, "A") == {"pk": pk, "sk": "A", "new": "y"}

    def test_a_deleted_row_is_gone(self, table: Table, pk):
        table.write(Write(pk, "A", set={"old": "x"}))
        assert table.write(Write(pk, "A", delete=True, when=Equals("old", "x"))) == {}
        assert table.get(pk, "A") is None
        assert table.write(Write(pk, "A", delete=True)) == {}

    def test_a_failed_condition_tells_the_row_found(self, table: Table, pk):
        table.write(Write(pk, "A", set={"version": "2"}, when=NoRow()))
        stored = {"pk": pk, "sk": "A", "version": "2"}
        for change in ({"set": {"version": "1"}}, {"delete": True}):
            with pytest.raises(ConditionFailedError) as caught:
                table.write(Write(pk, "A", when=Less("version", "1"), **change))
            assert (caught.value.rows, caught.value.failed) == ([stored], [0])
        assert table.get(pk, "A") == stored

    def test_a_failed_condition_on_no_row_tells_none(self, table: Table, pk):
        with pytest.raises(ConditionFailedError) as caught:
            table.write(Write(pk, "A", set={"x": 1}, when=Present("pk")))
        assert caught.value.rows == [None]
        assert table.get(pk, "A") is None

    def test_reserved_and_odd_names_serve(self, table: Table, pk):
        values = {"size": 1, "status": "x", "a-b.c": "y", "ttl": True}
        condition = AllOf(Equals("size", 1), AnyOf(Absent("name"), Equals("a-b.c", "y")))
        table.write(Write(pk, "A", set=values))
        row = table.write(Write(pk, "A", set={"name": "z"}, when=condition))
        assert row == {"pk": pk, "sk": "A", "name": "z", **values}

    def test_a_query_is_ordered_and_bounded(self, table: Table, pk):
        keys = ["HOLD#a", "LINK#b", "LINK#a", "LINK#z", "LINK#é", "PART#x"]
        for key in keys:
            table.write(Write(pk, key, set={"x": 1}))

        def listed(*args, **options):
            return [row["sk"] for row in table.query(pk, *args, **options)]

        assert listed() == sorted(keys)
        assert listed("LINK#") == ["LINK#a", "LINK#b", "LINK#z", "LINK#é"]
        assert listed("LINK#", limit=2) == ["LINK#a", "LINK#b"]
        assert listed("LINK#", limit=2, after="LINK#b") == ["LINK#z", "LINK#é"]
        assert listed("LINK#", after="LINK#ab") == ["LINK#b", "LINK#z", "LINK#é"]
        assert listed("LINK#", after="A") == ["LINK#a", "LINK#b", "LINK#z", "LINK#é"]
        assert listed("LINK#", after="PART#") == []
        assert listed(after="LINK#z") == ["LINK#é", "PART#x"]
        assert listed("NONE#") == []
        assert listed(limit=0) == []

    def test_a_query_reads_all_pages(self, table: Table, pk):
        # 1.2 MB: DynamoDB breaks off at 1 MB a page.
        for number in range(4):
            table.write(Write(pk, f"PART#{number}", set={"body": "x" * 300_000}))
        assert len(table.query(pk)) == 4
        assert [row["sk"] for row in table.query(pk, limit=3, after="PART#0")] == [
            "PART#1",
            "PART#2",
            "PART#3",
        ]

    def test_an_index_holds_rows_with_both_attributes(self, table: Table, pk):
        shard = uuid.uuid4().hex
        for number in (3, 1, 2):
            since = {"behind_shard": shard, "behind_since": f"2026-01-0{number}"}
            table.write(Write(pk, f"LINK#{number}", set=since))
        table.write(Write(pk, "LINK#4", set={"behind_shard": shard}))
        found = [(pk, "LINK#1"), (pk, "LINK#2"), (pk, "LINK#3")]
        assert table.index("behind", shard) == found
        assert table.index("behind", shard, up_to="2026-01-02") == found[:2]
        assert table.index("behind", shard, limit=1) == found[:1]
        table.write(Write(pk, "LINK#1", remove=["behind_shard", "behind_since"]))
        assert table.index("behind", shard) == found[1:]

    def test_the_cause_index_lists_what_a_cause_stops(self, table: Table, pk):
        cause = f"sku:{pk}"
        for key in (f"{pk}b", f"{pk}a"):
            table.write(Write(key, "HOLD#order#mapping", set={"cause": cause}))
        sk = "HOLD#order#mapping"
        assert table.index("cause", cause) == [(f"{pk}a", sk), (f"{pk}b", sk)]

    def test_a_transaction_is_all_or_nothing(self, table: Table, pk):
        table.write(Write(pk, "A", set={"version": 1}))
        table.write(Write(pk, "GUARD", set={"open": True}))
        changes = [
            Write(pk, "A", set={"version": 2}, when=Equals("version", 1)),
            Write(pk, "B", set={"x": "y"}, replace=True, when=NoRow()),
            Write(pk, "GUARD", when=Equals("open", True)),
        ]
        table.transact(changes)
        with pytest.raises(ConditionFailedError) as caught:
            table.transact([*changes, Write(pk, "C", set={"x": 1})])
        assert caught.value.failed == [0, 1]
        assert caught.value.rows == [
            {"pk": pk, "sk": "A", "version": 2},
            {"pk": pk, "sk": "B", "x": "y"},
            None,
            None,
        ]
        assert [row["sk"] for row in table.query(pk)] == ["A", "B", "GUARD"]
        table.transact([Write(pk, "A", delete=True), Write(pk, "B", remove=["x"])])
        assert table.query(pk) == [
            {"pk": pk, "sk": "B"},
            {"pk": pk, "sk": "GUARD", "open": True},
        ]

    def test_a_check_creates_no_row(self, table: Table, pk):
        table.transact([Write(pk, "A", when=NoRow()), Write(pk, "B", set={"x": 1})])
        assert [row["sk"] for row in table.query(pk)] == ["B"]

    def test_a_transaction_takes_100_writes(self, table: Table, pk):
        table.transact([Write(pk, f"{number:03}", set={"x": 1}) for number in range(100)])
        assert len(table.query(pk)) == 100

    @pytest.mark.parametrize("count", [0, 101])
    def test_a_transaction_of_another_size_is_refused(self, table: Table, pk, count):
        with pytest.raises(TableRefusedError):
            table.transact([Write(pk, f"{number}", set={"x": 1}) for number in range(count)])

    def test_a_transaction_naming_a_row_twice_is_refused(self, table: Table, pk):
        with pytest.raises(TableRefusedError):
            table.transact([Write(pk, "A", set={"x": 1}), Write(pk, "A", set={"y": 1})])

    def test_a_check_alone_is_refused(self, table: Table, pk):
        with pytest.raises(TableRefusedError):
            table.write(Write(pk, "A", when=NoRow()))
        with pytest.raises(TableRefusedError):
            table.transact([Write(pk, "A")])

    @pytest.mark.parametrize(
        "change",
        [
            {"set": {"body": "x" * 410_000}},
            {"set": {"behind_since": ""}},
            {"add": {"word": 1}},
        ],
        ids=["too large", "empty index key", "no number"],
    )
    def test_a_row_the_store_cannot_hold_is_refused(self, table: Table, pk, change):
        table.write(Write(pk, "A", set={"word": "x"}))
        for write in (table.write, lambda write: table.transact([write])):
            with pytest.raises(TableRefusedError):
                write(Write(pk, "A", **change))
        assert table.get(pk, "A") == {"pk": pk, "sk": "A", "word": "x"}

    def test_an_empty_key_is_refused(self, table: Table, pk):
        for keys in ((pk, ""), ("", "A")):
            for call in (
                lambda keys=keys: table.get(*keys),
                lambda keys=keys: table.write(Write(*keys, set={"x": 1})),
                lambda keys=keys: table.transact([Write(*keys, set={"x": 1})]),
            ):
                with pytest.raises(TableRefusedError):
                    call()

    def test_of_200_parallel_conditional_writes_one_wins(self, table: Table, pk):
        def attempt(number: int) -> int | None:
            try:
                table.write(Write(pk, "A", set={"winner": number}, when=NoRow()))
            except ConditionFailedError:
                return None
            return number

        with ThreadPoolExecutor(16) as pool:
            winners = [number for number in pool.map(attempt, range(200)) if number is not None]
        row = table.get(pk, "A")
        assert row is not None
        assert winners == [row["winner"]]

    def test_parallel_counting_loses_nothing(self, table: Table, pk):
        def count(_: int) -> int:
            return int(str(table.write(Write(pk, "A", add={"count": 1}))["count"]))

        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(count, range(64)))
        assert sorted(seen) == list(range(1, 65))

    def test_parallel_transactions_keep_a_sum(self, table: Table, pk):
        for side in ("LEFT", "RIGHT"):
            table.write(Write(pk, side, set={"amount": 10}))

        def move(number: int) -> bool:
            # Every fourth has a condition that never holds.
            never = Equals("floor", 0) if number % 4 == 0 else None
            left = Write(pk, "LEFT", add={"amount": -1}, when=never)
            try:
                table.transact([left, Write(pk, "RIGHT", add={"amount": 1})])
            except ConditionFailedError:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            moved = sum(pool.map(move, range(24)))
        rows = table.query(pk)
        assert moved == 18
        assert [row["amount"] for row in rows] == [10 - moved, 10 + moved]

    @SHARED
    @given(condition=CONDITIONS, row=st.dictionaries(ATTRS, VALUES, max_size=4))
    def test_conditions_mean_the_same_everywhere(self, table: Table, condition, row):
        pk = f"Order#{uuid.uuid4().hex}"
        table.write(Write(pk, "A", set=row, replace=True))
        expected = holds(condition, {"pk": pk, "sk": "A", **row})
        try:
            table.transact([Write(pk, "A", when=condition)])
            met = True
        except ConditionFailedError:
            met = False
        assert met == expected

    @SHARED
    @given(data=st.data())
    def test_random_writes_do_what_they_do_to_a_dict(self, table: Table, data):
        pk = f"Order#{uuid.uuid4().hex}"
        keys = [(pk, "LINK#a"), (pk, "LINK#b")]
        rows: dict = {}
        for _ in range(data.draw(st.integers(1, 6))):
            key_pk, sk, change = data.draw(writes(keys))
            write = Write(key_pk, sk, **change)
            if write.is_check:
                continue
            before = rows.get((pk, sk))
            if apply_naively(rows, pk, sk, change):
                assert table.write(write) == rows.get((pk, sk), {})
            else:
                with pytest.raises(ConditionFailedError) as caught:
                    table.write(write)
                assert caught.value.rows == [before]
        assert table.query(pk) == [rows[key] for key in sorted(rows)]
