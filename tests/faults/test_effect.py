"""C: one effect at the target, whatever is lost, late, refused or done twice on the way.

At the vendors' sandboxes a fault strikes each call of an order's life in turn; what a life without
faults comes to is the measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from cli.recreate import recreate
from cli.stack import CommandError
from fizzbridge.errors import OutcomeUnknownError, PermanentError
from fizzbridge.model.entity import Kind
from fizzbridge.runtime.target import settled_after
from sandbox.faults import Fault
from tests.kit.effects import TARGETS, NthCall, book, came, found, lived, lives, undisturbed
from tests.kit.house import BRIDGE, House, customer_ref, line, order_ref, order_request
from tests.kit.invariants import accounted, hold, nothing_personal
from tests.kit.source import captured_logs
from tests.kit.target import PERSONAL, TargetHouse, facts

LOST = ("commit_then_silence", "commit_then_reset", "commit_then_status", "truncate", "drop")
LATER = [(platform, step) for platform in TARGETS for step in lives(platform) if step != "book"]
KEEPING = [platform for platform in TARGETS if "told" not in facts(platform)]
"""Targets with objects that can be found; the others are told of ours."""


def at_every_call(platform: str, step: str, kinds: Sequence[Any], **more: Any) -> int:
    """Strike each call of a step in turn, with one kind after the other; gives how many."""
    steps = lives(platform)[step]
    usual = undisturbed(platform, steps)
    assert usual.done, "nothing is done there at all"
    with captured_logs() as logged:
        for number in range(1, usual.calls + 1):
            fault = NthCall(kinds[number % len(kinds)], number=number, **more)
            house = lived(platform, steps, fault)
            assert fault.fired == 1, f"call {number} of {usual.calls} was never made"
            assert came(house) == usual, f"{fault.kind} at call {number} of {usual.calls}"
            if platform in KEEPING and step != "cancel":
                assert found(house) == house.link(order_ref())["external_id"]
            nothing_personal(PERSONAL, events=house.events)
    nothing_personal(PERSONAL, logs=logged())
    return usual.calls


# -- F25: the target commits, and its answer is lost -----------------------------------------------


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", TARGETS)
def test_f25_an_answer_lost_at_whichever_call_makes_one_object(platform, figures):
    figures(faults=at_every_call(platform, "book", LOST, status=500))


@pytest.mark.slow
@pytest.mark.level("sandbox")
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("platform", TARGETS)
def test_f25_each_way_to_lose_an_answer_at_each_call_makes_one_object(platform, kind, figures):
    figures(faults=at_every_call(platform, "book", [kind], status=500))


@pytest.mark.slow
@pytest.mark.level("sandbox")
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(("platform", "step"), LATER)
def test_f25_an_answer_lost_later_in_its_life_changes_nothing(platform, step, kind, figures):
    figures(faults=at_every_call(platform, step, [kind], status=500))


# -- F31: a token that ends in the middle ----------------------------------------------------------


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", TARGETS)
def test_f31_a_token_that_ends_at_whichever_call_makes_one_object(platform, figures):
    figures(faults=at_every_call(platform, "book", ["status"], status=401))


@pytest.mark.slow
@pytest.mark.level("sandbox")
@pytest.mark.parametrize(("platform", "step"), LATER)
def test_f31_a_token_that_ends_later_in_its_life_changes_nothing(platform, step, figures):
    figures(faults=at_every_call(platform, step, ["status"], status=401))


# -- F28: what comes after the create fails --------------------------------------------------------


def is_create(house: TargetHouse, request: httpx.Request) -> bool:
    """Whether a call makes an order."""
    wanted = Fault("delay", **house.facts["create"])
    return wanted.strikes(f"{request.method} {request.url.path}", request.content)


def creates(house: TargetHouse) -> list[int]:
    """Which of the last step's calls made an order."""
    return [at for at, one in enumerate(house.facts["calls"], 1) if is_create(house, one)]


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", KEEPING)
def test_f28_a_refused_step_after_the_create_is_the_one_that_is_done_again(platform, figures):
    """The vendor refuses it for good; somebody puts that right and has it tried again."""
    usual = undisturbed(platform, (book,))
    (created,) = creates(lived(platform, (book,)))
    assert created < usual.calls, "nothing comes after the create"
    for number in range(created + 1, usual.calls + 1):
        house = lived(platform, (book,), NthCall("status", number=number, status=422, body={}))
        link = house.link(order_ref())
        held = link["external_id"]
        assert (link["status"], held) == ("parked", found(house)), link
        assert creates(house) == [created]
        before = len(house.sent())
        house.redrive(order_ref())
        house.settle()
        assert came(house) == usual
        assert house.link(order_ref())["external_id"] == held
        assert not [one for one in house.sent()[before:] if is_create(house, one)]
    figures(steps=usual.calls - created)
