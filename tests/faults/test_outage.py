"""A vendor that is down for days, a person who pauses it, and a sweeper that dies half way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from fizzbridge.errors import ConfigurationError, TargetUnavailableError
from fizzbridge.model.events import DetailType
from fizzbridge.observability import log
from fizzbridge.runtime import breaker, rows
from fizzbridge.runtime.breaker import FAILURES_IN_A_ROW, PROBES, STOPPED_WAIT, Breaker
from fizzbridge.runtime.links import PATIENCE
from fizzbridge.runtime.sweep import QueueNames, Sweeper
from tests.kit.house import START, House, KilledError, SteppingTable, customer_ref, line, order_ref
from tests.kit.outage import DOCUMENTS, Days

PER_MINUTE, PARALLEL = 120, 2
OUTAGE = timedelta(hours=73)
EVERY = timedelta(minutes=12)
MINUTE = timedelta(minutes=1)


@contextmanager
def quiet() -> Iterator[None]:
    """Thousands of calls in vain are not worth a line each."""
    level = log.log_level
    log.setLevel("ERROR")
    try:
        yield
    finally:
        log.setLevel(level)


@dataclass
class Outage:
    """Three days, and what came of them.

    Attributes:
        days: the world.
        began: when the ERP went down.
        ended: when it came back.
        closed: when the breaker found out: the first call that was answered.
        emptied: when no more waited than the ERP takes in a minute.
        synced: when it held everything.
        parked: links a person would have had to look at.
        receives: the most often a message was received until the ERP came back.
    """

    days: Days
    began: datetime = START
    ended: datetime = START
    closed: datetime = START
    emptied: datetime = START
    synced: datetime = START
    parked: int = 0
    receives: int = 0

    def calls(self, begin: datetime, end: datetime) -> int:
        """Calls that came to the ERP between two moments."""
        return sum(begin <= at < end for at, _ in self.days.erp.calls)


@pytest.fixture(scope="module")
def outage() -> Outage:
    """Orders come every few minutes for three days, and the ERP is down."""
    days = Days(PER_MINUTE, PARALLEL)
    told = Outage(days)
    numbers = count(1)

    def story() -> None:
        for number in (next(numbers) for _ in range(5)):
            days.order(number)
            days.timeline.sleep(60)
        days.await_synced(timedelta(hours=1))
        days.erp.is_down, told.began = True, days.timeline()
        while days.timeline() < told.began + OUTAGE:
            number = next(numbers)
            days.order(number)
            if number % 10 == 0:
                days.timeline.sleep(30)
                days.order(number, second=30, lines=[line(quantity=5)])
            days.timeline.sleep(EVERY.total_seconds())
        told.receives = days.receives
        days.erp.is_down, told.ended = False, days.timeline()
        # An old order that is refused once more is no reason to park it.
        days.erp.fails_once = {order_ref(number).key for number in range(6, 60, 9)}
        a_minutes = PER_MINUTE // CALLS_PER_ORDER
        days.await_synced(timedelta(hours=3), all_but=a_minutes)
        told.emptied = days.timeline()
        days.await_synced(timedelta(hours=1))
        told.synced = days.timeline()
        told.parked = days.links()["parked"]

    with quiet():
        days.play(story)
    told.closed = next(at for at, status in days.erp.calls if at > told.ended and status == 200)
    return told


CALLS_PER_ORDER = 6
"""Find, create and update, for the order and for its customer."""


@pytest.mark.slow
@pytest.mark.level("in-process")
def test_f35_three_days_without_the_erp_end_with_every_order_there_once(outage, figures):
    days = outage.days
    booked = days.booked()
    orders = [entity.key for entity in days.placed]
    wanted = {order_ref(number).key for number in range(10, len(orders) + 1, 10)}
    changed = {key for key in wanted if days.placed_at(key) > outage.began}
    duplicated = sum(number > 1 for number in booked.values())
    lost = sum(key not in booked for key in orders)
    oldest = outage.closed - outage.began
    probes = outage.calls(outage.began, outage.ended)
    half_opened = days.seen("half-open, on", outage.began, outage.ended)
    figures(
        orders=len(orders),
        outage_hours=OUTAGE // timedelta(hours=1),
        calls_during_outage=probes,
        probes=half_opened,
        parked=outage.parked,
        in_dlq=days.dlq,
        lost=lost,
        duplicated=duplicated,
        most_receives=outage.receives,
    )
    assert oldest > PATIENCE, "the first orders waited longer than the patience with one"
    assert days.links() == {"synced": len(orders)}
    assert (lost, duplicated, days.dlq, outage.parked) == (0, 0, 0, 0)
    assert days.announced(DetailType.CONNECTION_TROUBLED) == 1
    # Only probes, and no storm of them: each a handful of messages, and never in quick succession.
    assert probes <= FAILURES_IN_A_ROW + PARALLEL + half_opened * PROBES
    assert half_opened <= OUTAGE / timedelta(seconds=450) + 6
    assert half_opened >= OUTAGE / timedelta(seconds=900 + 120)
    # The newest state of an order, and never an older one after it.
    assert len(changed) > 20
    assert all(days.erp.told[key] == [days.erp.told[key][0]] for key in changed)
    assert all(days.erp.told[key][-1].endswith("COLA330 5") for key in changed)
    assert outage.receives < 1000 / 2, "far from what would send a message to the DLQ"


@pytest.mark.slow
@pytest.mark.level("in-process")
def test_f34_the_backlog_drains_at_the_allowed_rate_and_no_call_is_above_it(outage, figures):
    minutes = (outage.emptied - outage.closed) / MINUTE
    share = outage.calls(outage.closed, outage.emptied) / (minutes * PER_MINUTE)
    most = outage.days.erp.most_in_a_minute()
    figures(
        load=f"{len(outage.days.placed)} orders of an outage of three days, drained by "
        f"{PER_MINUTE} calls a minute",
        calls_per_minute=PER_MINUTE,
        drain_minutes=round(minutes, 1),
        drain_share=f"{share:.3f}",
        most_calls_in_60_s=most,
        calls_above_the_limit=max(most - PER_MINUTE, 0),
    )
    assert minutes > 5
    assert share >= 0.95
    assert most <= PER_MINUTE
    assert outage.synced - outage.emptied < timedelta(minutes=10)


@pytest.mark.level("in-process")
def test_f48_orders_come_through_though_every_message_expired_in_the_outage(figures):
    days = Days(PER_MINUTE, PARALLEL)
    lost = 0

    def story() -> None:
        nonlocal lost
        days.erp.is_down = True
        for number in range(1, 13):
            days.order(number)
            days.timeline.sleep(600)
        lost = days.lose_messages()
        days.erp.is_down = False
        days.await_synced(timedelta(hours=1))

    with quiet():
        days.play(story)
    figures(orders=len(days.placed), messages_lost=lost, duplicated=max(days.booked().values()) - 1)
    assert lost
    assert days.links() == {"synced": 12}
    assert set(days.booked().values()) == {1}
    assert days.dlq == 0


@pytest.mark.level("in-process")
def test_f35_a_paused_connection_is_not_called_and_nothing_is_parked_for_it(figures):
    days = Days(PER_MINUTE, PARALLEL)
    pause = Breaker(days.house.rows, "erp", days.timeline)
    calls = 0

    def story() -> None:
        nonlocal calls
        pause.pause("ann", "stocktaking")
        for number in range(1, 6):
            days.order(number)
            days.timeline.sleep(PATIENCE.total_seconds() / 4)
        calls = len(days.erp.calls)
        # The ERP is moody when they go on: trouble that may pass, with orders days old.
        days.erp.fails_once = {order_ref(number).key for number in range(1, 6)}
        pause.resume()
        days.await_synced(timedelta(hours=1))

    with quiet():
        days.play(story)
    figures(orders=5, paused_hours=90, calls_during_pause=calls, in_dlq=days.dlq)
    assert calls == 0
    assert [seen for _, seen in days.states] == ["closed, on", "closed, off", "closed, on"]
    assert days.links() == {"synced": 5}
    assert days.dlq == 0


@pytest.mark.level("in-process")
def test_f35_time_that_is_not_worked_does_not_count_and_other_time_does():
    house = House()
    house.place()
    for _ in range(40):
        house.orders.script.append(TargetUnavailableError("down"))
    pause = Breaker(house.rows, "erp", house.clock)
    hours = timedelta(hours=1).total_seconds()
    assert run(house).kind == "retry"
    pause.pause("ann", "stocktaking")
    house.clock.advance(100 * hours)
    pause.resume()
    house.clock.advance(50 * hours)
    assert run(house).kind == "retry"
    house.clock.advance(21 * hours)
    assert run(house).kind == "retry"
    house.clock.advance(2 * hours)
    assert run(house).kind == "parked"


def run(house: House) -> Any:
    house.messages.clear()
    house.assessor.run(order_ref(), f"assess-{house.clock()}")
    house.converge.run(customer_ref(), f"run-{house.clock()}")
    return house.converge.run(order_ref(), f"run-{house.clock()}")


class Stepping:
    """Switches and queue of which each call is two steps, as with the table."""

    def __init__(self, inner: Any, steps: Any) -> None:
        self._stepping = SteppingTable(inner, steps)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stepping, name)


def mortal(house: House) -> Sweeper:
    """A sweeper that may be killed before and after every call it makes."""
    names = QueueNames("test", lambda name: name, "assess")
    return Sweeper(
        house.table,
        Stepping(house.queue, house.steps),
        names,
        ["shop", "erp"],
        timedelta(seconds=300),
        house.clock,
        Stepping(house.switches, house.steps),
    )


TOLD = {
    "pause": lambda one: one.pause("ann", "stocktaking"),
    "resume": lambda one: (one.pause("ann", "stocktaking"), one.resume()),
    "open": lambda one: one.heard(ConfigurationError("key expired")),
    "half-open": lambda one: (one.heard(ConfigurationError("key expired")), one.resume()),
}


@pytest.mark.level("in-process")
@pytest.mark.parametrize("told", TOLD)
def test_f48_a_sweeper_killed_between_any_two_steps_is_made_good_by_the_next(told, figures):
    killed = 0
    for kill_at in count(1):
        house = House()
        house.rows.write(rows.want(order_ref(), "erp", "w", house.clock()))
        house.clock.advance(400)
        TOLD[told](Breaker(house.rows, "erp", house.clock))
        # As it was before: the opposite of what it is to be.
        is_on = told in {"resume", "half-open"}
        house.switches.are_on = {
            name: on if "-shop-" in name else not is_on
            for name, on in house.switches.are_on.items()
        }
        sweeper = mortal(house)
        house.steps.taken, house.steps.kill_at = 0, kill_at
        try:
            sweeper.run()
        except KilledError:
            killed += 1
            house.steps.kill_at = None
            sweeper.run()
            assert_is(house, is_on=is_on)
        else:
            assert_is(house, is_on=is_on)
            break
    figures(steps=kill_at - 1, killed=killed)
    assert killed > 10


def assert_is(house: House, *, is_on: bool) -> None:
    """Functions as the row says, hints for what may be called, and none for what may not."""
    mine = {name: on for name, on in house.switches.are_on.items() if "-erp-" in name}
    assert set(mine.values()) == {is_on}
    hints = house.queue.sent(DOCUMENTS)
    assert bool(hints) == is_on
    waits = Breaker(house.rows, "erp", house.clock).wait()
    assert waits == (None if is_on else STOPPED_WAIT)
    state = breaker.read(house.rows, "erp")
    assert state.is_on == is_on
    assert Counter(house.announced())["ConnectionTroubled"] <= 1
