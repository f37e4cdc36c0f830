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
from fizzbridge.model.entity import Kind, ref
from fizzbridge.runtime.target import settled_after
from sandbox.faults import Fault
from tests.kit.effects import TARGETS, NthCall, book, came, found, lived, lives, undisturbed
from tests.kit.house import BRIDGE, House, line, order_ref, order_request
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


MONEY = [platform for platform in KEEPING if "pay" in lives(platform)]


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", MONEY)
def test_f28_a_payment_refused_leaves_its_order_and_is_the_one_that_is_done_again(
    platform, figures
):
    steps, payment = lives(platform)["pay"], ref(Kind.PAYMENT, "shop", "p1")
    usual = undisturbed(platform, steps)
    for number in range(1, usual.calls + 1):
        house = lived(platform, steps, NthCall("status", number=number, status=422, body={}))
        assert house.link(order_ref())["status"] == "synced"
        assert house.link(payment)["status"] == "parked"
        before = len(house.sent())
        house.redrive(payment)
        house.settle()
        assert came(house) == usual
        assert not [one for one in house.sent()[before:] if is_create(house, one)]
        assert house.made(Kind.PAYMENT) == 1
    figures(steps=usual.calls)


# -- F26: two workers at once ----------------------------------------------------------------------


def beyond_patience(house: House) -> float:
    """Seconds after which a create nobody answered is taken for one that never was."""
    erp, lease = house.bridge.connection("erp"), house.bridge.timing.lease
    settled = settled_after(house.converge._adapter, erp, lease)
    return settled.total_seconds() + 1


def overtaken(house: House, outcomes: list[Any]) -> None:
    """Somebody else takes over from a worker that is away too long, and waits out its create."""
    for seconds in (house.bridge.timing.lease + 1, beyond_patience(house)):
        house.clock.advance(seconds)
        outcomes.append(house.converge.run(order_ref(), f"second-{len(outcomes)}"))


@pytest.mark.level("in-process")
@pytest.mark.parametrize("is_late", [False, True], ids=["in time", "beyond all patience"])
def test_f26_of_two_creates_at_once_one_stays_or_both_are_reported(is_late, figures):
    """The target takes whatever it is told: it has no constraint that would stop a second."""
    shop, erp = BRIDGE["connections"]
    house = House(connections=[shop, erp | {"settings": {"longest_transaction_s": 120}}])
    create, outcomes = house.orders.create, []

    def slow(vendor, reference, payload):
        house.orders.create = create
        if is_late:
            overtaken(house, outcomes)
        else:
            house.clock.advance(house.bridge.timing.lease + 1)
            outcomes.append(house.converge.run(order_ref(), "second"))
        return create(vendor, reference, payload)

    house.orders.create = slow
    house.place()
    house.settle()
    assert isinstance(outcomes[0].error, OutcomeUnknownError)
    standing = house.orders.of("shop/1")
    figures(objects=len(standing))
    if not is_late:
        hold(house, {order_ref(): order_request()})
        assert len(standing) == 1
        return
    # Two stand there, and a person is told of both.
    assert len(standing) == 2
    link = house.link(order_ref())
    assert (link["status"], link["reason"]) == ("parked", "ambiguous")
    assert link["message"] == "2 objects carry shop/1"
    assert house.announced().count("ExportFailed") == 1
    accounted(house.rows, house.objects)
    extra = next(one for one in house.orders.objects if one != link["external_id"])
    del house.orders.objects[extra]
    house.redrive(order_ref())
    house.settle()
    assert hold(house, {order_ref(): order_request()})["parked"] == 0


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", TARGETS)
def test_f26_a_create_that_lands_beyond_all_patience_is_one_object_or_reported(platform, figures):
    house = TargetHouse(platform)
    outcomes: list[Any] = []
    house.while_creating(lambda: overtaken(house, outcomes))
    book(house)
    house.settle(rounds=12)
    assert len(outcomes) == 2, "the second worker never came"
    link, made = house.link(order_ref()), house.committed("created")
    figures(objects=made)
    if made > 1:
        assert (link["status"], link["reason"]) == ("parked", "ambiguous")
        with pytest.raises(PermanentError):
            found(house)
    else:
        assert (link["status"], made) == ("synced", 1)
        assert came(house).left == undisturbed(platform, (book,)).left
    accounted(house.rows, house.objects)


# -- F27: what was written cannot be found yet -----------------------------------------------------


@pytest.mark.level("in-process")
@pytest.mark.parametrize("lag", [5, 20, 60])
@pytest.mark.parametrize("answer", ["given", "lost", "killed"])
def test_f27_a_search_that_lags_makes_no_second_object(lag, answer, figures):
    shop, erp = BRIDGE["connections"]
    house = House(connections=[shop, erp | {"settings": {"search_lag_s": lag}}])
    create = house.orders.create

    def lagging(vendor, reference, payload):
        external_id = create(vendor, reference, payload)
        house.orders.objects[external_id].visible_at = house.clock() + timedelta(seconds=lag)
        if answer == "lost":
            raise OutcomeUnknownError("no answer")
        if answer == "killed":
            house.steps.kill_at = house.steps.taken + 1
            house.steps.step()
        return external_id

    house.orders.create = lagging
    house.place()
    house.drain()
    began = house.clock()
    # Whoever asks meanwhile is not led to make another.
    for second in range(1, lag + 90, 7):
        house.place(second=second, lines=[line(quantity=second)])
        house.drain()
    house.settle()
    assert house.orders.counts["create"] == 1
    newest = order_request(second=second, lines=[line(quantity=second)])
    hold(house, {order_ref(): newest})
    figures(finds=house.orders.counts["find"], seconds=int((house.clock() - began).total_seconds()))


# -- F29: a person deletes what we made ------------------------------------------------------------


def stack(house: TargetHouse) -> Any:
    """What the command works with, as far as it goes here."""
    return SimpleNamespace(
        table=house.rows,
        sqs=SimpleNamespace(send_message=lambda **_: None),
        target=lambda _: {"DocumentsQueueUrl": "documents"},
        caller=lambda: "arn:aws:iam::000000000000:user/ann",
    )


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", KEEPING)
def test_f29_what_a_person_deleted_comes_back_by_command_only(platform, figures):
    house = TargetHouse(platform)
    book(house)
    stale = list(house.messages)
    house.settle()
    gone = house.link(order_ref())["external_id"]
    made = [one for one in house.sent() if is_create(house, one)]
    house.act("delete", house.facts["deleted"])
    for number in range(3):
        # It is changed, it is tried again by a person, and the vendor says its old answer again.
        house.order(cases=5 + number, second=5 + number, payment_terms="Net 30")
        house.messages.extend(stale)
        house.settle()
        link = house.link(order_ref())
        assert (link["status"], link["external_id"]) == ("parked", gone)
        assert link["reason"] == "deleted_at_target"
        house.redrive(order_ref())
        house.settle()
        assert house.committed("created") == 1
    recreate(stack(house), order_ref(), "erp", "by mistake", house.clock())
    with pytest.raises(CommandError):
        recreate(stack(house), order_ref(), "erp", "and again", house.clock())
    house.settle()
    link = house.link(order_ref())
    assert (link["status"], link["generation"]) == ("synced", 1)
    assert link["external_id"] != gone
    assert house.committed("created") == 2
    # Another call, which no vendor can take for the first one and answer from memory.
    again = [one for one in house.sent() if is_create(house, one)][len(made) :]
    assert len(again) == 1
    assert not {(one.url, one.content) for one in again} & {(one.url, one.content) for one in made}
    # What was said before is believed no more: old messages, and the same order told again.
    house.messages.extend(stale)
    house.order(cases=7, second=7, payment_terms="Net 30")
    house.settle()
    assert house.committed("created") == 2
    assert house.link(order_ref())["external_id"] == link["external_id"]
    states = accounted(house.rows, house.objects)
    figures(objects_made=2, parked=states["parked"])
