"""Random schedules against the twin: whatever happens, one effect, and the newest state.

``make fuzz`` plays 100,000 of them in shards, each from a seed of its own; here a few hundred run
from seeds that stay the same. What a failing one prints can be kept in ``test_regressions``.
"""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest
from hypothesis import note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.kit.crash_points import POINTS, Point
from tests.kit.interrupts import faults_at
from tests.kit.schedule import NUMBERS, Schedule

SHARD = 2_500
STEPS = 12
"""Of a schedule, and then all is worked off."""

SEED = int(os.environ.get("FUZZ_SEED", "0"))
SCHEDULES = max(settings.default.max_examples, 100)
SHARDS = range(max(SCHEDULES // SHARD, 2))


def names(points: list[Point]) -> st.SearchStrategy[str]:
    return st.sampled_from([str(point) for point in points])


number = st.sampled_from(NUMBERS)
which = st.integers(0, 7)
ways = st.sampled_from(["now", "now", "now", "late", "lost", "twice"])
changes = st.sampled_from(["quantity", "quantity", "back", "abroad", "home", "cancel", "delete"])
# A read is reached many times in a run, a write mostly once.
skips = st.sampled_from([0, 0, 0, 1, 2, 5])
# Where every order comes by, as often as everywhere else together.
way = {
    "merge",
    "put",
    "lease",
    "save",
    "find",
    "intent",
    "create",
    "save id",
    "drop stamp",
    "update",
}
way |= {"save stamp", "cancel"}
anywhere = names(list(POINTS)) | names([point for point in POINTS if point.call in way])
faults = st.sampled_from(
    [(str(point), str(fault)) for point in POINTS for fault in faults_at(point)]
)
leased = names([point for point in POINTS if point.run in {"assess", "converge"}])
happens = st.sampled_from(
    ["nothing", "quantity", "back", "abroad", "cancel", "delete", "rename", "redrive", "discard"]
)
LEAD_TO = {
    "observe: note": [("replay", 0)],
    "pull: read": [("fetch", 1)],
    "assess: rest": [("repeat", 0), ("repeat", 1)],
    "assess: release": 3 * [("meanwhile", "assess: before save", "quantity")],
    "converge: next round": [("meanwhile", "converge: after update", "quantity")],
    "converge: cancel": [("work", 40), ("change", 1, "cancel")],
    "converge: next generation": [
        *[("work", 40), ("change", 1, "abroad"), ("work", 40), ("wait", 301), ("sweep_up",)],
        *[("work", 40), ("change", 1, "home")],
    ],
    "converge: drop intent": [("interrupt", "converge: before create", "throttle")],
    "converge: note attempt": [("interrupt", "converge: before update", "throttle")],
    "converge: note failure": [("interrupt", "converge: before find", "target down")],
    "converge: count attempt": [("interrupt", "converge: before update", "bug")],
    "converge: release": [("interrupt", "converge: before create", "bug")],
    "converge: park": [("interrupt", "converge: before update", "refused")],
    "converge: suspect": [("overtake", "converge: before save stamp", True)],
    "sweep: send": [("lose", 0), ("wait", 301)],
}
"""What makes a run come by where it seldom does."""


class Tally:
    """What really happened in the schedules of a shard."""

    def __init__(self) -> None:
        self.schedules = 0
        self.seed = SEED
        self.points: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def add(self, schedule: Schedule | None) -> None:
        if schedule:
            self.schedules += 1
            self.points.update({str(point): n for point, n in schedule.interrupts.crashed.items()})
            self.faults.update({str(fault): n for fault, n in schedule.counts.items()})


class Bridge(RuleBasedStateMachine):
    """Everything that may happen to two orders of one customer."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule: Schedule | None = None

    @property
    def now(self) -> Schedule:
        assert self.schedule
        return self.schedule

    @initialize(can_fetch=st.booleans(), second=st.booleans())
    def begin(self, can_fetch: bool, second: bool) -> None:
        self.schedule = Schedule(can_fetch=can_fetch)
        self.now.play(("change", 1, "quantity"))
        if second:
            self.now.play(("change", 2, "quantity"))

    @rule(number=number, what=changes, tie=st.booleans(), way=ways)
    def change(self, number: int, what: str, tie: bool, way: str) -> None:
        self.now.play(("change", number, what, tie, way))

    @rule(tie=st.booleans(), way=ways)
    def rename(self, tie: bool, way: str) -> None:
        self.now.play(("rename", tie, way))

    @rule(count=st.integers(1, 8))
    def work(self, count: int) -> None:
        self.now.play(("work", count))

    @rule()
    def work_it_off(self) -> None:
        self.now.play(("work", 40))

    @rule(point=anywhere, skip=skips)
    def crash(self, point: str, skip: int) -> None:
        self.now.play(("interrupt", point, "crash", skip))

    @rule(point=st.sampled_from(list(LEAD_TO)), phase=st.sampled_from(["before", "after"]))
    def crash_where_few_come_by(self, point: str, phase: str) -> None:
        run, _, call = point.partition(": ")
        self.now.play(("interrupt", f"{run}: {phase} {call}"), *LEAD_TO[point])

    @rule(fault=faults, skip=skips)
    def interrupt(self, fault: tuple[str, str], skip: int) -> None:
        self.now.play(("interrupt", *fault, skip))

    @rule(point=leased, news=st.booleans(), skip=skips)
    def overtake(self, point: str, news: bool, skip: int) -> None:
        self.now.play(("overtake", point, news, skip))

    @rule(point=anywhere, what=happens, skip=skips)
    def meanwhile(self, point: str, what: str, skip: int) -> None:
        self.now.play(("meanwhile", point, what, skip))

    @precondition(lambda self: self.schedule and self.schedule.waiting)
    @rule(what=st.sampled_from(["lose", "twice", "turn"]), which=which)
    def muddle(self, what: str, which: int) -> None:
        self.now.play((what, which))

    @precondition(lambda self: self.schedule and self.schedule.late)
    @rule(which=which)
    def deliver(self, which: int) -> None:
        self.now.play(("deliver", which))

    @rule(what=st.sampled_from(["replay", "repeat"]), which=which)
    def again(self, what: str, which: int) -> None:
        self.now.play((what, which))

    @rule(seconds=st.sampled_from([1, 30, 71, 400]))
    def wait(self, seconds: int) -> None:
        self.now.play(("wait", seconds))

    @rule()
    def sweep(self) -> None:
        self.now.play(("wait", 301), ("sweep_up",))

    @rule(
        what=st.sampled_from(["redrive_order", "discard", "recreate", "fetch"]),
        number=number,
    )
    def ask(self, what: str, number: int) -> None:
        self.now.play((what, number))

    def teardown(self) -> None:
        if self.schedule is None:
            return
        note(self.schedule.as_test())
        self.schedule.finish()


@pytest.mark.parametrize("shard", SHARDS)
def test_one_effect_and_the_newest_state_under_any_schedule(shard, record_property):
    tally = Tally()

    class Counted(Bridge):
        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                tally.add(self.schedule)

    each = settings(
        max_examples=SCHEDULES // len(SHARDS), stateful_step_count=STEPS, print_blob=True
    )
    try:
        run_state_machine_as_test(seed(SEED + shard)(Counted), settings=each)
    finally:
        record_property("schedules", json.dumps(vars(tally)))
