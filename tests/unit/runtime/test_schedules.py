"""Random schedules of faults: whatever happens, one effect, and the newest state.

Each example is a list of things that go wrong or on; hypothesis shrinks a failing one. ``make
faults`` runs many more of them (profile ``faults``).
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.errors import RateLimitedError, TargetUnavailableError
from fizzbridge.model.entity import Part
from fizzbridge.observation import Seen
from tests.kit.house import House, KilledError, line, order_ref, order_request

TELL = st.tuples(st.just("tell"), st.integers(0, 5))
CANCEL = st.tuples(st.just("cancel"), st.just(6))
WORK = st.tuples(st.just("work"), st.integers(1, 6))
KILL = st.tuples(st.just("kill"), st.integers(1, 30))
LOSE = st.tuples(st.just("lose"), st.integers(0, 9))
TWICE = st.tuples(st.just("twice"), st.integers(0, 9))
TURN = st.tuples(st.just("turn"), st.integers(0, 9))
TARGET = st.tuples(st.just("target"), st.integers(0, 4))
WAIT = st.tuples(st.just("wait"), st.sampled_from([1, 30, 71, 400]))
SWEEP = st.tuples(st.just("sweep"), st.just(0))
SCHEDULE = st.lists(
    st.one_of(TELL, WORK, KILL, LOSE, TWICE, TURN, TARGET, WAIT, SWEEP), min_size=3, max_size=25
)


def misbehaviour(how: int):
    return [
        "commit_then_unknown",
        30,
        RateLimitedError("slow down"),
        TargetUnavailableError("down"),
        RuntimeError("bug"),
    ][how]


class Play:
    def __init__(self) -> None:
        self.house = House()
        self.newest = -1
        self.is_cancelled = False

    def do(self, what: str, how: int) -> None:
        getattr(self, what)(how)

    def tell(self, second: int) -> None:
        self._tell(second)

    def cancel(self, second: int) -> None:
        self._tell(second, cancelled_at=self.house.clock())

    def _tell(self, second: int, **changes) -> None:
        request = order_request(second=second, lines=[line(quantity=second + 1)], **changes)
        if self.newest < 0:
            self.house.place(second=second, lines=[line(quantity=second + 1)], **changes)
        else:
            self.house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
        self.newest = max(self.newest, second)

    def work(self, count: int) -> None:
        for _ in range(count):
            if not self.house.messages:
                return
            to, event = self.house.messages.popleft()
            try:
                self.house.handle(to, event)
            except KilledError:
                self.house.messages.append((to, event))

    def kill(self, after: int) -> None:
        self.house.steps.kill_at = self.house.steps.taken + after

    def lose(self, which: int) -> None:
        if self.house.messages:
            del self.house.messages[which % len(self.house.messages)]

    def twice(self, which: int) -> None:
        if self.house.messages:
            again = self.house.messages[which % len(self.house.messages)]
            self.house.messages.append(again)

    def turn(self, by: int) -> None:
        self.house.messages.rotate(by)

    def target(self, how: int) -> None:
        self.house.orders.script.append(misbehaviour(how))

    def wait(self, seconds: int) -> None:
        self.house.clock.advance(seconds)

    def sweep(self, _: int) -> None:
        self.house.clock.advance(301)
        self.house.sweeper.run()
        self.house.queue.take("assess")
        self.house.queue.take("fizzbridge-test-erp-documents")


@given(SCHEDULE, st.booleans())
def test_i2_i3_one_effect_and_the_newest_state_under_any_schedule(schedule, ends_cancelled):
    play = Play()
    for what, how in schedule:
        play.do(what, how)
    if play.newest < 0:
        play.tell(0)
    if ends_cancelled:
        play.cancel(9)
    play.house.steps.kill_at = None
    play.house.settle(rounds=12)
    if play.house.link(order_ref())["status"] == "parked":
        # Five of the target's bugs in a row: a person looks, and sends it on its way.
        play.house.orders.script.clear()
        play.house.redrive(order_ref())
        play.house.settle(rounds=12)
    visible = [held for held in play.house.orders.of("shop/1") if not held.is_cancelled]
    link = play.house.link(order_ref())
    assert link["status"] == "synced"
    if ends_cancelled:
        assert visible == []
        return
    (held,) = visible
    assert held.payload is not None
    assert held.payload.lines == (f"COLA330 {play.newest + 1}",)
    assert len(play.house.orders.objects) == 1
