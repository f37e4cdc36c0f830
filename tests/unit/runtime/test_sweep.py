from __future__ import annotations

import json
from datetime import timedelta
from itertools import count, islice

import pytest

from fizzbridge.errors import ConfigurationError
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.observability import Metrics
from fizzbridge.queues import MemoryQueue
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import PROBES, Breaker
from fizzbridge.runtime.limiter import Limiter
from fizzbridge.runtime.sweep import PAGE, QueueNames, Sweeper
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from fizzbridge.switches import MemorySwitches, Switch, SwitchUnavailableError
from tests.kit.clock import Clock
from tests.kit.house import order_ref

AFTER = timedelta(seconds=300)
TARGET, PULL = "fizzbridge-prod-erp-target", "fizzbridge-prod-erp-pull"
SHOPS, OTHERS = "fizzbridge-prod-shop-pull", "another-stack-target"
NAMES = QueueNames("prod", lambda name: f"https://queues/{name}", "https://queues/assess")


class Yard:
    """Links that are behind, and the sweeper."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.table = MemoryTable()
        self.queue = MemoryQueue()
        self.switches = MemorySwitches([TARGET, PULL, SHOPS, OTHERS])
        self.employ(self.table)

    def employ(self, table, *connections: str, **more) -> None:
        names = connections or ("shop", "erp")
        ports = (self.queue, NAMES, names, AFTER, self.clock)
        self.sweeper = Sweeper(table, *ports, more.pop("switches", self.switches), **more)

    def want(self, entity: EntityRef, connection: str = "erp") -> None:
        self.table.write(rows.want(entity, connection, "w", self.clock()))

    def sweep(self, after: float = 301) -> list[tuple[str, str]]:
        self.clock.advance(after)
        sent = self.sweeper.run()
        found = [
            (message.url.removeprefix("https://queues/"), json.loads(message.body)["detail"]["key"])
            for message in self.queue.sent()
        ]
        for message in self.queue.sent():
            self.queue.take(message.url)
        assert sent == len(found)
        return found


@pytest.fixture
def yard():
    return Yard()


def test_what_is_behind_too_long_is_asked_for_again_and_again(yard):
    yard.want(order_ref())
    assert yard.sweep(299) == []
    assert yard.sweep(2) == [("fizzbridge-prod-erp-documents", "shop/1")]
    assert yard.sweep(1) == [("fizzbridge-prod-erp-documents", "shop/1")]


def test_being_wanted_anew_does_not_make_it_younger(yard):
    yard.want(order_ref())
    yard.clock.advance(299)
    yard.want(order_ref())
    assert len(yard.sweep(2)) == 1


@pytest.mark.parametrize("kind", Kind)
def test_levels_and_documents_have_queues_of_their_own(yard, kind):
    yard.want(ref(kind, "shop", 1))
    ((queue, _),) = yard.sweep()
    is_level = kind in {Kind.STOCK_LEVEL, Kind.PRICE, Kind.PRODUCT}
    assert queue == f"fizzbridge-prod-erp-{'levels' if is_level else 'documents'}"


def test_a_link_to_ourselves_goes_to_assess(yard):
    yard.want(order_ref(), rows.ASSESS)
    assert yard.sweep() == [("assess", "shop/1")]


@pytest.mark.parametrize("status", ["synced", "held", "parked"])
def test_what_is_done_or_waits_for_a_person_is_left_alone(yard, status):
    yard.want(order_ref())
    remove = ["behind_shard", "behind_since"]
    link = Write("Order#shop/1", "LINK#erp", set={"status": status}, remove=remove)
    yard.table.write(link)
    assert yard.sweep() == []


class StaleIndex:
    """An index that still lists what has been done, or is gone altogether."""

    def __init__(self, table: MemoryTable, *stale: tuple[str, str]) -> None:
        self.table = table
        self.stale = stale

    def index(self, name, pk, *, up_to=None, limit=100):
        found = self.table.index(name, pk, up_to=up_to, limit=limit)
        return [*self.stale, *found] if pk == "0" else found

    def get(self, pk, sk, *, consistent=True):
        return self.table.get(pk, sk, consistent=consistent)


def test_the_index_is_a_hint_and_the_row_decides(yard):
    yard.want(order_ref(1))
    yard.table.write(Write("Order#shop/2", "LINK#erp", set={"status": "synced"}))
    stale = StaleIndex(yard.table, ("Order#shop/2", "LINK#erp"), ("Order#shop/3", "LINK#erp"))
    yard.employ(stale, "erp")
    assert [key for _, key in yard.sweep()] == ["shop/1"]


def test_a_run_takes_the_oldest_of_each_shard(yard):
    in_one_shard = (n for n in count(1) if rows.shard(order_ref(n), "erp") == "erp#0")
    numbers = list(islice(in_one_shard, PAGE + 5))
    for number in numbers:
        yard.want(order_ref(number))
    assert [key for _, key in yard.sweep()] == [f"shop/{number}" for number in numbers[:PAGE]]


def test_f35_a_connection_that_does_not_work_is_only_probed(yard):
    for number in range(1, 31):
        yard.want(order_ref(number))
        yard.want(order_ref(number), "shop")
    breaker = Breaker(yard.table, "erp", yard.clock)
    breaker.heard(ConfigurationError("key expired"))
    assert not any("erp" in queue for queue, _ in yard.sweep(1))
    sent = [queue for queue, _ in yard.sweep()]
    assert sent.count("fizzbridge-prod-shop-documents") == 30
    workers = [Breaker(yard.table, "erp", yard.clock) for _ in range(30)]
    assert [worker.wait() for worker in workers].count(None) == PROBES
    breaker.heard(None)
    sent = [queue for queue, _ in yard.sweep()]
    assert sent.count("fizzbridge-prod-erp-documents") == 30


def test_f21_what_failed_a_moment_ago_is_left_to_its_own_message(yard):
    yard.want(order_ref(1))
    yard.want(order_ref(2))
    yard.clock.advance(400)
    tried = to_text(yard.clock())
    yard.table.write(Write("Order#shop/1", "LINK#erp", set={"tried_at": tried}))
    assert [key for _, key in yard.sweep(1)] == ["shop/2"]
    assert sorted(key for _, key in yard.sweep(300)) == ["shop/1", "shop/2"]


def test_all_shards_are_swept(yard):
    for number in range(1, 61):
        yard.want(order_ref(number))
    yard.table.write(rows.want(order_ref(61), "erp", "sold", yard.clock(), urgent=True))
    shards = {rows.shard(order_ref(number), "erp") for number in range(1, 61)}
    assert shards | {rows.urgent_shard("erp")} == set(rows.shards("erp"))
    assert len(yard.sweep()) == 61


def test_a_hint_says_what_to_look_at_and_nothing_else(yard):
    yard.want(order_ref())
    yard.clock.advance(301)
    yard.sweeper.run()
    (message,) = yard.queue.sent()
    assert json.loads(message.body) == {
        "detail-type": "Resync",
        "detail": {"kind": "Order", "key": "shop/1"},
    }


def test_a_hint_goes_under_the_id_of_what_moved_the_link(yard):
    yard.table.write(rows.want(order_ref(), "erp", "w", yard.clock(), correlation_id="delivery-1"))
    yard.clock.advance(301)
    yard.sweeper.run()
    (message,) = yard.queue.sent()
    assert json.loads(message.body)["detail"]["correlation_id"] == "delivery-1"


def test_f44_a_connection_with_much_behind_hides_nothing_of_another(yard):
    for number in range(1, 5 * PAGE):
        yard.want(order_ref(number))
    yard.clock.advance(60)
    yard.want(order_ref(1), "shop")
    assert [key for queue, key in yard.sweep() if "shop-documents" in queue] == ["shop/1"]


# -- a connection that is not worked for -----------------------------------------------------------


def test_what_is_paused_gets_no_messages_and_no_hints_and_others_do(yard):
    yard.want(order_ref(1))
    yard.want(order_ref(1), "shop")
    breaker = Breaker(yard.table, "erp", yard.clock)
    breaker.pause("ann", "stocktaking")
    assert [queue for queue, _ in yard.sweep()] == ["fizzbridge-prod-shop-documents"]
    assert yard.switches.are_on == {TARGET: False, PULL: False, SHOPS: True, OTHERS: True}
    breaker.resume()
    assert len(yard.sweep(1)) == 2
    assert all(yard.switches.are_on.values())


def test_what_somebody_else_has_switched_is_put_right(yard):
    yard.switches.are_on |= {TARGET: False, OTHERS: False}
    yard.sweep()
    assert yard.switches.are_on[TARGET]
    assert not yard.switches.are_on[OTHERS], "it is nobody's of the bridge"


class Switching:
    """Switches of which some are on their way, or out of reach."""

    def __init__(self, is_on=None, *, refuses=False):
        self.is_on, self.refuses, self.told = is_on, refuses, []

    def all(self):
        if self.refuses:
            raise SwitchUnavailableError("AccessDenied")
        return [Switch(name, name, self.is_on) for name in (PULL, TARGET)]

    def turn(self, switch, *, on):
        self.told.append((switch.id, on))


def test_a_switch_on_its_way_is_left_to_the_next_run(yard):
    switching = Switching()
    yard.employ(yard.table, switches=switching)
    Breaker(yard.table, "erp", yard.clock).pause("ann", "stocktaking")
    yard.sweep()
    assert switching.told == []
    switching.is_on = True
    yard.sweep()
    assert switching.told == [(PULL, False), (TARGET, False)]


def test_hints_are_sent_though_nothing_can_be_switched(yard):
    yard.employ(yard.table, switches=Switching(refuses=True))
    yard.want(order_ref(1), "shop")
    yard.want(order_ref(1))
    yard.clock.advance(301)
    with pytest.raises(SwitchUnavailableError):
        yard.sweeper.run()
    assert len(yard.queue.sent()) == 2


def test_trouble_is_counted_by_every_run_and_a_pause_is_none(yard):
    lines: list[str] = []
    Breaker(yard.table, "shop", yard.clock).pause("ann", "stocktaking")
    breaker = Breaker(yard.table, "erp", yard.clock)
    breaker.heard(ConfigurationError("key expired"))
    for _ in range(3):
        with Metrics(lines.append) as metrics:
            yard.sweeper.run(metrics)
    assert [json.loads(line)["connection"] for line in lines] == ["erp"] * 3
    assert all('"unhealthy":[1]' in line for line in lines)


def test_hints_are_as_many_as_can_be_followed_the_oldest_first_and_at_the_allowed_pace(yard):
    for number in range(1, 101):
        yard.want(order_ref(number))
        yard.clock.advance(1)
    yard.table.write(rows.want(order_ref(101), "erp", "sold", yard.clock(), urgent=True))
    yard.employ(yard.table, per_minute={"erp": 60})
    limiter = Limiter(yard.table, yard.clock)
    limiter.release(limiter.reserve("erp", 1, 60, 3, "a", 60, learns=True), 3)
    yard.clock.advance(301)
    assert yard.sweeper.run() == 20
    sent = yard.queue.sent()
    keys = [json.loads(message.body)["detail"]["key"] for message in sent]
    assert keys == ["shop/101", *(f"shop/{number}" for number in range(1, 20))]
    assert [message.delay for message in sent] == [3 * number for number in range(20)]


def test_what_fails_again_and_again_hides_nothing_that_was_not_tried_yet(yard):
    yard.employ(yard.table, per_minute={"erp": 10})
    for number in range(1, 21):
        yard.want(order_ref(number))
        yard.clock.advance(1)
    first = [key for _, key in yard.sweep()]
    for key in first:  # each was tried, and is behind as before
        tried = {"updated_at": to_text(yard.clock())}
        yard.table.write(Write(f"Order#{key}", "LINK#erp", set=tried))
    second = [key for _, key in yard.sweep(60)]
    assert len(first) == len(second) == 10
    assert not set(first) & set(second)
