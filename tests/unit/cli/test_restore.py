"""`fizzbridge restore`: what goes back, what stays, what is read again."""

from dataclasses import replace

import pytest

from fizzbridge.runtime import rows
from fizzbridge.runtime.facts import facts
from fizzbridge.state import Write
from fizzbridge.state.memory import MemoryTable

THEN = "2026-11-24T08:30:00"
ORDER = "Order#shop-uk/5501"


@pytest.fixture
def changes():
    return []


@pytest.fixture
def then():
    return MemoryTable()


@pytest.fixture
def stack(stack, changes, then):
    """A stack whose table's changes are heard, and beside it the table AWS restored."""

    def named(name):
        assert name == "restored"
        return then

    live = MemoryTable(on_change=lambda *change: changes.append(change))
    core = {**stack.core, "TableName": "live"}
    return replace(stack, table=live, core=core, table_named=named)


def put(table, pk, sk, **said):
    table.write(Write(pk, sk, set=said, replace=True))


@pytest.fixture
def both(stack, then):
    """Put a row in both tables; without ``was`` it is new, without ``now`` it is gone."""

    def written(pk, sk, was=None, now=None):
        for table, said in ((then, was), (stack.table, now)):
            if said is not None:
                put(table, pk, sk, **said)

    return written


def restore(run, *more):
    return run("restore", "restored", "--at", THEN, "--yes", "--json", *more)


def test_rows_that_differ_are_put_back_and_rows_of_later_taken_away(fizzbridge, stack, both, then):
    both("STOCK#COLA330", "LEVEL#a", {"on_hand": 5}, {"on_hand": 1})
    both("STOCK#COLA330", "LEVEL#b", {"on_hand": 5}, {"on_hand": 5})
    both("STOCK#COLA330", "LEVEL#c", {"on_hand": 9}, None)
    both("STOCK#COLA330", "CLAIM#new", None, {"quantity": 3})
    ran = restore(fizzbridge)
    assert ran.code == 0, ran.err
    assert (ran.data["put_back"], ran.data["taken_away"], ran.data["kept"]) == (2, 1, 0)
    kept = [{**row} for row in stack.table.query("STOCK#COLA330")]
    for row in kept:
        row.pop("restored", None)
    assert kept == then.query("STOCK#COLA330")
    again = restore(fizzbridge)
    assert (again.data["put_back"], again.data["taken_away"]) == (0, 0)


def test_what_a_restore_must_not_take_back_stays(fizzbridge, stack, both):
    """A spent token would end the vendor's consent; people's words and deeds are not undone."""
    stays = [
        ("CONNECTION#erp", "TOKEN", {"refresh": "spent"}, {"refresh": "live"}),
        ("CONNECTION#erp", "SLOTS", {"taken": 1}, {"taken": 4}),
        ("CONNECTION#erp", "BREAKER", {"state": "closed"}, {"state": "closed", "paused_by": "ann"}),
        ("MAP#erp#sku", "COLA-24", None, {"mapped": "C24"}),
        ("MAP#erp#sku", "TONIC", {"mapped": "old"}, {"mapped": "new"}),
        ("OPERATION#2026-11-24", "t#1", None, {"what": "erase"}),
        (ORDER, "TIMELINE#t#1", None, {"what": "delivery"}),
        ("Customer#shop-uk/77", "PART#record", {"body": "Ann"}, {"body": "", "erased": True}),
        ("Customer#shop-uk/78", "PART#record", None, {"body": "", "erased": True}),
    ]
    for row in stays:
        both(*row)
    both("CONNECTION#erp", "CURSOR#orders", {"position": "1"}, {"position": "9"})
    before = {(row["pk"], row["sk"]): row for row in stack.table.rows()}
    ran = restore(fizzbridge)
    assert ran.data["rows"] == [{"of": "CONNECTION", "are": "put back", "count": 1}]
    for pk, sk, *_ in stays:
        assert stack.table.get(pk, sk) == before.get((pk, sk)), (pk, sk)
    # Polls go on from where they were, and read what came since.
    assert stack.table.get("CONNECTION#erp", "CURSOR#orders")["position"] == "1"


def test_a_link_that_moved_since_is_compared_at_its_target(fizzbridge, stack, both):
    old = {"status": "synced", "external_id": "S1", "stamp": "a", "wanted": "w", "synced": "w"}
    both(ORDER, "LINK#erp", old | {"holder": "x", "lease_until": "t"}, old | {"stamp": "b"})
    both("Order#shop-uk/2", "LINK#erp", old, old | {"fence": 9, "holder": "y"})
    restore(fizzbridge)
    link = stack.table.get(ORDER, "LINK#erp")
    assert (link["status"], link["external_id"]) == ("suspect", "S1")
    assert not {"stamp", "synced", "holder"} & link.keys()
    assert stack.table.index("behind", link["behind_shard"]) == [(ORDER, "LINK#erp")]
    # A lease alone is no difference.
    assert stack.table.get("Order#shop-uk/2", "LINK#erp")["status"] == "synced"


def test_what_was_cancelled_there_stays_so(fizzbridge, stack, both):
    gone = {"status": "synced", "external_id": "S1", "stamp": rows.GONE, "wanted": "w"}
    both(ORDER, "LINK#erp", gone, gone | {"stamp": "b", "generation": 1})
    restore(fizzbridge)
    assert stack.table.get(ORDER, "LINK#erp")["stamp"] == rows.GONE


def test_a_hold_that_was_let_go_since_is_asked_again(fizzbridge, stack, both):
    hold = {"cause": "MAP#erp#sku/COLA-24", "opened_at": "t"}
    sk = "HOLD#erp#MAPPING#MAP#erp#sku/COLA-24"
    both(ORDER, sk, hold, {"opened_at": "t", "released_at": "t"})
    both("Order#shop-uk/2", sk, hold, hold | {"message": "other"})
    restore(fizzbridge)
    assert "cause" not in stack.table.get(ORDER, sk)
    assert stack.table.get("Order#shop-uk/2", sk)["cause"] == hold["cause"]


def test_every_entity_touched_is_looked_at_again_and_nothing_is_told(
    fizzbridge, stack, both, changes
):
    both(ORDER, "PART#assessment", {"fingerprint": "a", "version": "s1"}, {"fingerprint": "b"})
    both(ORDER, "PART#request", {"fingerprint": "a"}, {"fingerprint": "a"})
    both("Order#shop-uk/2", "PART#request", None, {"fingerprint": "a"})
    changes.clear()
    ran = restore(fizzbridge)
    assert ran.data["looked_at"] == 1
    told = [
        str(detail_type)
        for before, after in changes
        for detail_type, _ in facts(before, after, stack.objects)
    ]
    assert told == ["EntityObserved"]
    assert stack.table.query("Order#shop-uk/2") == []


def test_every_source_is_read_again_from_before_the_moment(fizzbridge, stack, both, messages):
    both("STOCK#COLA330", "LEVEL#a", {"on_hand": 5}, {"on_hand": 1})
    ran = restore(fizzbridge)
    streams = [f"shop-uk {one.name}" for one in stack.manifest("shop-uk").streams]
    assert ran.data["streams"] == streams
    polls = messages(stack.connections["shop-uk"]["PullQueueUrl"])
    assert len(polls) == len(streams)
    assert {one["since"] for one in polls} == {"2026-11-24T08:15:00.000000Z"}


def test_only_some_partitions_go_back(fizzbridge, stack, both, messages):
    both("MAP#erp#sku", "TONIC", {"mapped": "old"}, {"mapped": "new"})
    both("STOCK#COLA330", "LEVEL#a", {"on_hand": 5}, {"on_hand": 1})
    ran = restore(fizzbridge, "--only", "MAP#erp#sku")
    assert (ran.data["put_back"], ran.data["streams"]) == (1, [])
    row = stack.table.get("MAP#erp#sku", "TONIC")
    # A map that is put back lets go of what waits for it, so it must be told.
    assert row == {"pk": "MAP#erp#sku", "sk": "TONIC", "mapped": "old"}
    assert stack.table.get("STOCK#COLA330", "LEVEL#a")["on_hand"] == 1
    assert messages(stack.connections["shop-uk"]["PullQueueUrl"]) == []


def test_it_is_recorded_and_a_plan_is_not(fizzbridge, stack, both):
    both("STOCK#COLA330", "LEVEL#a", {"on_hand": 5}, {"on_hand": 1})
    planned = restore(fizzbridge, "--plan")
    assert (planned.data["plan"], planned.data["put_back"]) == (True, 1)
    assert stack.table.get("STOCK#COLA330", "LEVEL#a")["on_hand"] == 1
    assert fizzbridge("operations", "--json").data == []
    shown = fizzbridge("restore", "restored", "--at", THEN, typed="y\n").out
    assert "STOCK" in shown
    assert "Start the functions now" in " ".join(shown.split())
    (told,) = fizzbridge("operations", "--json").data
    assert (told["what"], told["table"], told["ended"]) == ("restore", "restored", "done")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("live", "--at", THEN), "is the table in use"),
        (("restored", "--at", "9999-01-01T00:00:00"), "lies in the past"),
    ],
)
def test_what_cannot_be_is_one_sentence(fizzbridge, words, message):
    ran = fizzbridge("restore", *words, "--yes")
    assert ran.code == 1
    assert message in " ".join(ran.err.split())
