from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fizzbridge.errors import (
    ConfigurationError,
    MappingError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
)
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.model.events import DetailType
from fizzbridge.runtime.batch import Again
from fizzbridge.runtime.breaker import PROBES, STOPPED_WAIT, Breaker
from fizzbridge.runtime.leases import Lease, acquire
from fizzbridge.runtime.limiter import Limiter
from fizzbridge.runtime.links import REAL_ATTEMPTS
from fizzbridge.runtime.sweep import RESYNC
from fizzbridge.runtime.target import settled_after
from fizzbridge.runtime.worker import CALLS_PER_CONVERGE, build, capacity
from fizzbridge.secrets import SecretStore, SecretUnavailableError
from fizzbridge.settings import Calls
from fizzbridge.state.table import TableUnavailableError
from tests.kit.aws_faults import Gate
from tests.kit.desk import Desk
from tests.kit.house import House, customer_ref, order_ref
from tests.kit.source import captured_logs

# -- what becomes of the message ---------------------------------------------------------------


def test_what_is_done_is_deleted_and_counted_with_its_age():
    desk = Desk().placed()
    assert desk.work() is None
    assert len(desk.house.orders.of("shop/1")) == 1
    counted = desk.counted()
    assert counted["converged"] == [1]
    assert len(counted["age_ms"]) == 1
    assert desk.work() is None
    assert desk.counted()["age_ms"] == counted["age_ms"]


def test_a_rate_limit_comes_back_when_the_vendor_said():
    desk = Desk().placed()
    wait = timedelta(seconds=42)
    desk.house.orders.script.append(RateLimitedError("slow", retry_after=wait))
    assert desk.work() == Again(wait)
    assert desk.counted()["retried"] == [1]


def test_what_gives_no_time_backs_off():
    desk = Desk().placed()
    desk.house.orders.script.append(RuntimeError("bug"))
    assert desk.work() == Again(None)


@pytest.mark.parametrize(
    "trouble", [RateLimitedError("slow"), ConfigurationError("key expired"), RuntimeError("bug")]
)
def test_f35_the_sweepers_hints_do_not_pile_up_while_a_target_is_down(trouble):
    desk = Desk().placed()
    desk.house.orders.script.extend([trouble, trouble])
    assert desk.work(detail_type=RESYNC) is None
    assert "behind_shard" in desk.house.link(order_ref())
    assert desk.work() is not None
    desk.house.clock.advance(301)
    assert desk.house.sweeper.run() >= 1


def test_an_unknown_outcome_is_counted_and_comes_back():
    desk = Desk().placed()
    desk.house.orders.script.append(50)
    assert desk.work() == Again(None)
    assert desk.counted()["unknown_outcome"] == [1]
    again = desk.work()
    assert again is not None
    assert again.after is not None
    assert 0 < certain(desk) - again.after.total_seconds() < 10


def test_what_is_held_is_deleted_because_the_mapping_brings_it_back():
    desk = Desk().placed()
    desk.house.orders.refuse = MappingError("no product", cause="MAP#erp#sku/X")
    assert desk.work() is None
    assert desk.counted()["held"] == [1]
    assert desk.house.queue.sent() == []


OFTEN = REAL_ATTEMPTS + 2


def struck(number: int, *, is_done: bool) -> tuple[int, Desk]:
    """A desk whose table fails at one call of every run; how often it did."""
    desk = Desk().placed()
    gate = Gate(desk.house.rows, TableUnavailableError)
    given = replace(desk.ports, table=gate)
    desk.worker = build(desk.adapter, given, desk.metrics, desk.house.clock)
    for _ in range(OFTEN):
        gate.plan(number, is_done=is_done)
        desk.work()
        desk.house.clock.advance(certain(desk))
    return gate.struck, desk


def certain(desk):
    """Seconds after which what became of a lost create is certain."""
    erp, lease = desk.house.bridge.connection("erp"), desk.house.bridge.timing.lease
    return settled_after(desk.adapter, erp, lease).total_seconds() + 1


@pytest.mark.parametrize("is_done", [False, True], ids=["refused", "done, answer lost"])
def test_f17_a_table_that_fails_again_and_again_counts_against_nobody(is_done):
    number = 1
    often = []
    while (found := struck(number, is_done=is_done))[0]:
        strikes, desk = found
        often.append(strikes == OFTEN)
        for link in (desk.house.link(order_ref()), desk.house.link(customer_ref())):
            assert link.get("status") != "parked", f"at call {number}"
            assert link.get("attempts", 0) == 0, f"at call {number}"
        lines = desk.house.rows.query(str(order_ref()), "TIMELINE#")
        assert "attempt" not in {line["what"] for line in lines}
        desk.worker = build(desk.adapter, desk.ports, desk.metrics, desk.house.clock)
        desk.work()
        assert len(desk.house.orders.of("shop/1")) == 1
        assert desk.house.link(order_ref())["status"] == "synced"
        number += 1
    assert number > 20
    assert sum(often) > 10


def test_f17_a_table_that_fails_on_the_way_leaves_the_link_free_for_the_next_try():
    desk = Desk().placed()
    desk.house.orders.script.append(TableUnavailableError("throttled"))
    assert desk.work() == Again(None)
    assert "holder" not in desk.house.link(order_ref())
    desk.house.orders.script.append(TableUnavailableError("throttled"))
    desk.house.clock.advance(66)
    assert desk.work(detail_type=RESYNC) is None, "the sweeper sends another"


def test_f17_what_an_order_waits_for_may_meet_it_too():
    desk = Desk().placed()
    desk.house.customers.script.append(TableUnavailableError("throttled"))
    assert desk.work() == Again(None)
    links = [desk.house.link(one) for one in (order_ref(), customer_ref())]
    assert [("holder" in link, link.get("attempts", 0)) for link in links] == [(False, 0)] * 2


def test_f17_a_secret_store_that_is_down_parks_nothing():
    desk = Desk().placed()

    def down(name: str) -> str:
        raise SecretUnavailableError(name)

    given = replace(desk.ports, secrets=SecretStore(down, desk.house.clock))
    desk.worker = build(desk.adapter, given, desk.metrics, desk.house.clock)
    assert [desk.work() for _ in range(OFTEN)] == [Again(None)] * OFTEN
    links = [desk.house.link(one) for one in (order_ref(), customer_ref())]
    assert [link.get("attempts", 0) for link in links] == [0, 0]


def test_a_busy_link_is_left_to_whoever_holds_it():
    desk = Desk().placed()
    acquire(desk.house.rows, "Order#shop/1", "LINK#erp", "other", 70, desk.house.clock())
    assert desk.work() is None
    assert desk.counted() == {}
    assert desk.house.orders.objects == {}


def test_an_order_whose_customer_is_refused_is_left_to_the_sweeper():
    desk = Desk().placed()
    desk.house.customers.script.append(TargetRejectedError("no such country"))
    assert desk.work() is None
    assert desk.house.orders.objects == {}
    assert "behind_shard" in desk.house.link(order_ref())
    assert desk.house.link(customer_ref())["status"] == "parked"


def test_what_stops_the_customer_for_now_stops_the_order_no_longer():
    desk = Desk().placed()
    wait = timedelta(seconds=7)
    desk.house.customers.script.append(RateLimitedError("slow", retry_after=wait))
    assert desk.work() == Again(wait)
    assert desk.work() is None
    assert len(desk.house.orders.of("shop/1")) == 1


def test_a_kind_the_platform_cannot_hold_is_done():
    desk = Desk()
    assert desk.work(order_ref().model_copy(update={"kind": Kind.PRODUCT})) is None


# -- parking ------------------------------------------------------------------------------------


def test_what_is_parked_is_deleted_and_a_pointer_is_left_for_people():
    desk = Desk().placed(contact={"name": "Ada Canary", "email": "canary@x.test"})
    desk.house.orders.refuse = TargetRejectedError("credit stop", code="CREDIT")
    assert desk.work(event_id="e-77") is None
    (message,) = desk.house.queue.sent("dlq")
    assert message.attributes == {"reason": "CREDIT", "blame": "customer_config"}
    assert json.loads(message.body) == {
        "kind": "Order",
        "key": "shop/1",
        "connection": "erp",
        "reason": "credit stop",
        "event_id": "e-77",
    }
    assert "canary" not in message.body.lower()
    assert desk.counted()["parked"] == [1]


def test_a_message_about_something_parked_long_ago_leaves_no_second_pointer():
    desk = Desk().placed()
    desk.house.orders.refuse = TargetRejectedError("no")
    desk.work()
    desk.work()
    assert len(desk.house.queue.sent("dlq")) == 1


def test_f20_our_own_bug_is_parked_after_five_attempts_with_blame_ours():
    desk = Desk().placed()
    desk.house.orders.script.extend(RuntimeError("canary in the text") for _ in range(5))
    fates = []
    for receives in range(1, 6):
        with captured_logs() as logged:
            fates.append(desk.work(receives=receives))
        assert "canary" not in logged()
        assert "converge.py:" in logged(), "the line says where"
        # What a create that failed in the dark has done is certain only after a while.
        desk.house.clock.advance(certain(desk))
    assert fates == [Again(None)] * 4 + [None]
    (message,) = desk.house.queue.sent("dlq")
    assert message.attributes == {"reason": "internal", "blame": "ours"}
    assert "canary" not in message.body


def test_without_a_dead_letter_queue_the_link_still_says_so():
    desk = Desk(dlq=None).placed()
    desk.house.orders.refuse = TargetRejectedError("no")
    assert desk.work() is None
    assert desk.house.link(order_ref())["status"] == "parked"


# -- a connection that does not work -------------------------------------------------------------


def test_trouble_with_the_connection_is_said_once_parks_nothing_and_waits_long():
    desk = Desk().placed(1).placed(2)
    desk.house.orders.refuse = ConfigurationError("key expired", code="401")
    assert desk.work(order_ref(1)) == Again(STOPPED_WAIT)
    assert desk.work(order_ref(2)) == Again(STOPPED_WAIT)
    assert (desk.breaker().name, desk.breaker().message) == ("open", "key expired")
    assert desk.house.announced().count(DetailType.CONNECTION_TROUBLED) == 1
    assert desk.house.queue.sent() == []
    assert desk.house.link(order_ref())["status"] == "behind"
    assert not desk.house.link(order_ref(2)).get("reason"), "the second was not even tried"


def test_a_paused_connection_is_not_called_and_its_messages_come_back():
    desk = Desk().placed()
    pause = Breaker(desk.house.rows, "erp", desk.house.clock)
    pause.pause("ann", "stocktaking")
    assert desk.work() == Again(STOPPED_WAIT)
    assert desk.work(detail_type=RESYNC) is None, "the sweeper sends another when it goes on"
    assert desk.house.orders.objects == {}
    assert "holder" not in desk.house.link(order_ref())
    pause.resume()
    assert desk.work() is None
    assert len(desk.house.orders.objects) == 1


def test_a_half_open_breaker_lets_a_handful_through():
    desk = Desk()
    for number in range(1, PROBES + 3):
        desk.placed(number)
    breaker = Breaker(desk.house.rows, "erp", desk.house.clock)
    breaker.heard(ConfigurationError("key expired"))
    breaker.resume()
    breaker.probe()
    fates = [desk.work(order_ref(number)) for number in range(1, PROBES + 3)]
    # The house's shelf makes no call, so nothing says that the vendor has answered.
    assert fates == [None] * PROBES + [Again(STOPPED_WAIT)] * 2


@pytest.mark.parametrize("secret", [None, "not json", "[]"])
def test_a_missing_or_broken_secret_is_trouble_with_the_connection(secret):
    desk = Desk(secret=secret).placed()
    assert desk.work() == Again(STOPPED_WAIT)
    assert "fizzbridge secrets set erp" in desk.breaker().message
    assert desk.house.orders.objects == {}


# -- the limiter ----------------------------------------------------------------------------------


def test_calls_are_reserved_for_one_converge_and_what_is_unused_given_back():
    desk = Desk().placed()
    desk.work()
    assert desk.slots()["slots"] == []
    reserved_twice = 2  # for the customer and for the order
    assert desk.slots()["revision"] == 2 * reserved_twice
    full = desk.slots()["level"]
    desk.house.place(2)
    assert Limiter(desk.house.rows, desk.house.clock).reserve("erp", 2, 60, 10, "me", 1)
    assert desk.slots()["level"] < full


PLENTY = Calls(parallel=3, per_minute=6000)


def client(house: House, **how) -> VendorClient:
    return VendorClient(
        platform="memory",
        base_url="http://127.0.0.1:2",
        auth=HeaderToken("X-Key", "k"),
        errors=ErrorRules(),
        timeout=timedelta(seconds=1),
        **how,
    )


def reserve(house: House, holder: str):
    lease = acquire(house.rows, "Order#shop/1", f"LINK#{holder}", holder, 70, house.clock())
    assert isinstance(lease, Lease)
    limiter = Limiter(house.rows, house.clock)
    connection = house.bridge.connection("erp").model_copy(update={"calls": PLENTY})
    given: list[Any] = []

    def make(left):
        given.append(left)
        return client(house, deadline=left)

    until = house.clock() + timedelta(seconds=60)
    return capacity(connection, limiter, make, house.clock, until)(lease), given


def test_the_slot_ends_with_the_lease_and_the_client_knows_the_time_left():
    house = House()
    reserved, given = reserve(house, "a")
    with reserved:
        (slot,) = house.rows.get("CONNECTION#erp", "SLOTS")["slots"]
        assert slot.startswith("a/Order#shop/1|")
        # The lease lasts seventy seconds, the function sixty.
        assert timedelta(seconds=59) < given[0]() <= timedelta(seconds=60)
        house.clock.advance(61)
        assert given[0]() <= timedelta(0)


def test_a_failing_converge_gives_its_slot_back_too():
    house = House()
    reserved, _ = reserve(house, "a")
    with pytest.raises(OutcomeUnknownError), reserved:
        raise OutcomeUnknownError("no answer")
    assert house.rows.get("CONNECTION#erp", "SLOTS")["slots"] == []


def test_f34_no_slot_left_is_our_own_limit_and_says_when_to_come_back():
    house = House()
    with ExitStack() as others:
        for number in range(PLENTY.parallel - 1):
            others.enter_context(reserve(house, f"h{number}")[0])
        with reserve(house, "last")[0]:
            late, _ = reserve(house, "late")
            with pytest.raises(RateLimitedError, match="our own limit") as refused, late:
                pass
            assert refused.value.retry_after
        with reserve(house, "later")[0]:
            slots = house.rows.get("CONNECTION#erp", "SLOTS")["slots"]
            assert len(slots) == PLENTY.parallel


def test_more_than_one_converge_needs_is_never_reserved_for_good():
    desk = Desk()
    for number in range(1, 8):
        desk.placed(number)
        desk.house.clock.advance(1)
        assert desk.work(order_ref(number)) is None
    assert len(desk.house.orders.objects) == 7
    assert 7 * CALLS_PER_CONVERGE > 10


def test_the_customer_converges_on_its_own_message_as_well():
    desk = Desk().placed()
    assert desk.work() is None
    assert desk.work(customer_ref()) is None
    assert desk.house.customers.counts["create"] == 1
