"""D, F45: what a release left behind is gone on with by the present code: none lost, none twice."""

from __future__ import annotations

import base64
import copy
import json
import random
import re
from dataclasses import replace
from typing import Any

import pytest

from fizzbridge.bus import MemoryBus
from fizzbridge.model.base import fingerprint_of
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.events import EVENT_MODELS, DetailType
from fizzbridge.observability import Metrics
from fizzbridge.runtime.batch import Message
from fizzbridge.runtime.loading import Loader
from fizzbridge.state.dynamodb import from_image
from fizzbridge.state.moments import from_text
from fizzbridge.state.objects import MemoryObjects
from services import record
from services.announce import announce
from tests.kit.house import Shelf, order_ref
from tests.kit.invariants import hold
from tests.kit.recorded import FOLDER, NEWEST, SHOP, Release, lived
from tests.kit.shop import Shop
from tests.kit.source import DLQ, PULL_QUEUE
from tests.kit.way_back import WayBack

RELEASES = sorted(path.name for path in FOLDER.iterdir())
UNHEARD_OF = re.compile(r"fizzbridge-|lambda|handler|stack|arn:|services\.|platforms\.", re.I)


@pytest.fixture(params=RELEASES)
def release(request):
    return Release.read(request.param)


def from_a_later_one(release: Release) -> Release:
    """The same with more in it: what a release after this one leaves when it is taken back."""
    later = copy.deepcopy(release)
    prints = {}
    for row in later.rows:
        row["of_a_later_release"] = {"S": "x"}
        if "body" in row:
            body = json.dumps(_with_more(json.loads(row["body"]["S"])), ensure_ascii=False)
            row["body"]["S"] = body
            if row["sk"]["S"] != "PART#assessment":
                prints[row["fingerprint"]["S"]] = fingerprint_of(body)
    for message in [*(one["body"] for one in later.messages), *later.events]:
        message["detail"]["of_a_later_release"] = "x"
    # Whatever was made of a part names it by the fingerprint it had in that release.
    text = json.dumps(later.rows)
    for old, new in prints.items():
        text = text.replace(old, new)
    return replace(later, rows=json.loads(text))


def _with_more(body: Any) -> Any:
    if isinstance(body, list):
        return [_with_more(one) for one in body]
    if not isinstance(body, dict):
        return body
    more = {
        # What the buyer entered has whatever names the buyer chose.
        name: value if name == "properties" else _with_more(value)
        for name, value in body.items()
    }
    return more | {"of_a_later_release": "x"}


@pytest.mark.level("in-process")
def test_f45_its_changes_are_announced_as_they_were(release, figures):
    """Under the same ids, so that whoever has acted on them does not act again."""
    bus = MemoryBus()
    with Metrics(write=lambda _: None) as metrics:
        assert announce(release.stream, bus, MemoryObjects(), metrics) == {"batchItemFailures": []}
    now = [(one.detail_type, json.loads(one.detail)) for one in bus.entries]
    then = [(one["detail-type"], one["detail"]) for one in release.events]
    assert [_known(one, then) for one in now] == then
    figures(stream_records=len(release.stream), events=len(now))


def _known(found: tuple[str, Any], then: list[tuple[str, Any]]) -> tuple[str, Any]:
    """An event without the fields that its release did not have."""
    detail_type, detail = found
    names = {name for kind, one in then if kind == detail_type for name in one}
    return detail_type, {name: value for name, value in detail.items() if name in names}


@pytest.mark.level("in-process")
def test_f45_its_events_are_read_and_written_down_once(release, figures):
    house = WayBack()
    for message in release.events:
        model = EVENT_MODELS[DetailType(message["detail-type"])]
        model.model_validate_json(json.dumps(message["detail"]))
    about = [one for one in release.events if "kind" in one["detail"]]
    lines = []
    for _ in range(2):
        for number, message in enumerate(about):
            record.work(Message(f"m{number}", message, 1), house.rows)
        lines.append(len(house.rows.rows()))
    assert lines[0] == lines[1] > 0
    figures(events=len(release.events), lines=lines[0])


def deliver(house: WayBack, message: dict[str, Any]) -> None:
    """One message of a queue, as its function is handed it."""
    detail = message["body"]["detail"]
    entity = EntityRef(kind=detail["kind"], key=detail["key"])
    if message["queue"] == "shop":
        house.work([entity])
        return
    house.handle(message["queue"], entity)


@pytest.mark.level("in-process")
@pytest.mark.parametrize("is_taken_back", [False, True], ids=["deployed", "taken back"])
@pytest.mark.parametrize("what", ["its queues", "everything it ever sent", "nothing at all"])
def test_f45_its_work_is_gone_on_with(release, what, is_taken_back, figures):
    """Whatever of its messages arrives, twice and in disorder: the rows know what is to be done."""
    left = from_a_later_one(release) if is_taken_back else release
    house = left.house()
    there = {name: len(shelf.objects) for name, shelf in _shelves(house).items()}
    messages = list(left.messages) if what != "nothing at all" else []
    if what == "everything it ever sent":
        sent = [one for one in left.events if "kind" in one["detail"]]
        messages += [{"queue": "assess", "body": one} for one in sent if _is_hint(one)]
        for target in ("erp", "shop"):
            to = [one for one in sent if target in one["detail"]["targets"]]
            messages += [{"queue": target, "body": one} for one in to]
    chance = random.Random(7)  # noqa: S311  the same disorder every time
    for _ in range(2):
        chance.shuffle(messages)
        for message in messages:
            deliver(house, message)
    house.settle()
    states = hold(house)
    # Six and seven were on their way, eight was there: one more object for each of those two.
    made = {name: len(shelf.objects) - there[name] for name, shelf in _shelves(house).items()}
    assert made == {"orders": 2, "customers": 2}
    assert house.orders.counts["create"] == house.customers.counts["create"] == 2
    assert states["parked"] == 1
    load = Loader(house.rows, house.objects)
    lost = twice = 0
    for number, pieces in NEWEST.items():
        order = load.view(order_ref(number))
        (told,) = order.request.lines
        assert told.quantity == pieces
        held = [one for one in house.orders.of(order_ref(number).key) if not one.is_cancelled]
        wanted = 0 if number in {2, 3, 4} else 1
        assert len(held) == wanted
        lost += len(held) < wanted
        twice += len(held) > wanted
        assert [one.payload.lines for one in held] == [(f"COLA330 {pieces}",)] * len(held)
    # And once more all of it: nothing is left to do.
    done = (house.orders.counts.copy(), house.customers.counts.copy())
    for message in messages:
        deliver(house, message)
    house.settle()
    assert (house.orders.counts, house.customers.counts) == done
    figures(messages=2 * len(messages), lost=lost, duplicated=twice)


def _is_hint(message: dict[str, Any]) -> bool:
    return message["detail-type"] == DetailType.ENTITY_OBSERVED


def _shelves(house: WayBack) -> dict[str, Shelf]:
    return {"orders": house.orders, "customers": house.customers}


@pytest.mark.level("in-process")
def test_f45_its_keys_are_still_those_and_name_nothing_that_is_deployed(release, figures):
    then = {(one["pk"]["S"], one["sk"]["S"]) for one in release.rows}
    for pk, sk in then:
        assert not UNHEARD_OF.search(f"{pk} {sk}"), (pk, sk)
    lasting = {(pk, sk) for pk, sk in then if not sk.startswith("TIMELINE#")}
    house = lived()
    now = {(str(row["pk"]), str(row["sk"])) for row in house.rows.rows()}
    assert lasting - now == set()
    # And by those keys the same state: what is wanted, held and done there.
    for one in release.rows:
        row = from_image(one)
        if str(row["sk"]).startswith("LINK#"):
            present = house.rows.get(str(row["pk"]), str(row["sk"]))
            assert present is not None
            assert [present.get(name) for name in ("external_id", "status")] == [
                row.get(name) for name in ("external_id", "status")
            ]
    figures(keys=len(lasting))


@pytest.mark.level("sandbox")
def test_f45_what_waits_in_a_pull_queue_is_done(release, figures):
    """A delivery that was spilled, hints, schedules, and a round that goes on."""
    shop = Shop(SHOP)
    order = shop.place()
    shop.later()
    source = shop.source()
    at = from_text(release.pull["at"])
    source.clock.advance(max((at - source.clock()).total_seconds(), 0))
    for key, data in release.pull["objects"].items():
        source.objects.put(key, base64.b64decode(data))
    kinds = {message["type"] for message in release.pull["messages"]}
    assert kinds >= {"delivery", "hint", "poll", "continue", "watch"}
    for _ in range(2):
        for message in release.pull["messages"]:
            source.queue.send(PULL_QUEUE, json.dumps(message))
        shop.drain(source)
    assert source.messages(DLQ) == []
    orders = {name for name in source.parts("Order#") if name.endswith("PART#request")}
    assert orders == {f"Order#shop-uk/{order}/PART#request"}
    figures(messages=2 * len(release.pull["messages"]), parked=0)
