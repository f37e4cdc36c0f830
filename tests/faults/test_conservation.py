"""Nothing that was accepted is lost without a word, and nothing is stuck without one."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.observability import Metrics
from fizzbridge.runtime.canary import Canary
from fizzbridge.runtime.census import Enumerator
from fizzbridge.runtime.conservation import COMES_TO, Balance, balance
from fizzbridge.runtime.intake import DELIVERY, TOLD
from fizzbridge.runtime.pull import PullAdapter
from fizzbridge.runtime.wiring import Ports
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from fizzbridge.webhook.receive import Receiver
from tests.kit.house import BRIDGE, START, House, KilledError
from tests.kit.source import (
    CONNECTION,
    PULL_QUEUE,
    SECRET,
    Source,
    captured_logs,
    fixtures,
    http_event,
    proves_any_body,
    signed,
)

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
PLATFORMS = sorted(
    slug for slug, manifest in load_registry(ROOT).items() if manifest.functions.webhook
)
TROUBLES = ("none", "none", "none", "table down", "all down", "slow")
WAYS = ("genuine", "genuine", "genuine", "forged", "garbage")


class Door:
    """A source's front door, with what its functions wrote."""

    def __init__(self, platform: str) -> None:
        webhook = importlib.import_module(f"platforms.{platform}.webhook").handler.adapter
        pull = importlib.import_module(f"platforms.{platform}.pull")
        adapter = next(
            one()
            for one in vars(pull).values()
            if isinstance(one, type) and issubclass(one, PullAdapter) and one is not PullAdapter
        )
        self.source = Source(webhook, adapter)
        self.fixtures = fixtures(platform)
        self.answers: Counter[int] = Counter()

    def deliver(self, number: int, way: str, trouble: str) -> None:
        """One delivery, of one fixture, in one way, in one trouble."""
        source = self.source
        fixture = self.fixtures[number % len(self.fixtures)]
        event = fixture.event(source.webhook)
        if way == "forged":
            event = http_event(fixture.headers, fixture.body + b" ")
        elif way == "garbage" and proves_any_body(source.webhook):
            body = b'{"id": 7, "half": '
            event = http_event(signed(source.webhook, fixture.headers, body), body)
        source.table.is_down = trouble in {"table down", "all down"}
        source.queue.is_down = trouble == "all down"
        source.table.takes_s = 2.0 if trouble == "slow" else 0.0
        with source.metrics:  # as the handler does
            self.answers[source.receiver.receive(event)["statusCode"]] += 1
        source.table.is_down = source.queue.is_down = False
        source.table.takes_s = 0.0

    def drain(self) -> None:
        """Pull finishes what was spilled; what was only named waits for a vendor."""
        for message in self.source.queue.take(PULL_QUEUE):
            body = json.loads(message.body)
            if body["type"] == "delivery":
                with self.source.metrics:
                    assert self.source.work(body, receives=5) is None


def written(door: Door, text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (*text.splitlines(), *door.source.emf)]


def account(lines: list[dict[str, Any]]) -> Balance:
    return balance(lines).get(CONNECTION, Balance())


@pytest.mark.level("in-process")
@pytest.mark.parametrize("platform", PLATFORMS)
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sent=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(WAYS), st.sampled_from(TROUBLES)),
        min_size=1,
        max_size=12,
    ),
    again=st.lists(st.integers(0, 11), max_size=4),
    which=st.integers(0, 10_000),
)
def test_f42_whatever_comes_to_the_door_the_account_closes(platform, sent, again, which):
    """Genuine, forged, unreadable, repeated, old, tied, thin; in any trouble; and line by line."""
    door = Door(platform)
    with captured_logs() as text:
        for one in [*sent, *(sent[number % len(sent)] for number in again)]:
            door.deliver(*one)
        before = account(written(door, text()))
        door.drain()
        lines = written(door, text())
    of = account(lines)
    deliveries = len(sent) + len(again)

    assert of.wrong == {}
    assert of.deliveries["received"] == deliveries
    assert of.deliveries["refused"] == door.answers[401] + door.answers[413]
    assert of.deliveries["put_off"] == door.answers[503]
    # What was accepted came to something, and what was spilled has been finished.
    assert of.told[TOLD] == sum(of.told[one] for one in COMES_TO)
    assert of.told["spilled"] == 0
    assert len(before.unfinished) == before.deliveries["spilled"] == of.deliveries["spilled"]
    quarantined = door.source.table.query(f"CONNECTION#{CONNECTION}", "QUARANTINE#")
    assert of.deliveries["quarantined"] >= len(quarantined)

    # One line that is lost, or comes twice, is noticed.
    ends = [place for place, line in enumerate(lines) if line.get("message") == DELIVERY]
    lost = ends[which % len(ends)]
    assert account(lines[:lost] + lines[lost + 1 :]).imbalance
    if lines[lost]["outcome"] not in {"drained", "quarantined"}:  # pull may do a thing twice
        assert account([*lines, lines[lost]]).imbalance
    figures = [place for place, line in enumerate(lines) if "received" in line]
    lost = figures[which % len(figures)]
    assert account(lines[:lost] + lines[lost + 1 :]).imbalance


@pytest.mark.level("in-process")
@pytest.mark.parametrize("outcome", [str(one) for one in COMES_TO])
def test_f42_a_thing_told_that_comes_to_nothing_or_to_two_things_is_noticed(outcome):
    line = {
        "message": DELIVERY,
        "connection": CONNECTION,
        "correlation_id": "c-1",
        "timestamp": "2026-11-20T09:00:00+00:00",
        "outcome": "taken",
    }
    figures = {
        "_aws": {"Timestamp": 1795165200000},
        "connection": CONNECTION,
        "correlation_id": "c-1",
        "received": [1],
    }
    assert account([figures, line | {TOLD: 2, outcome: 2}]).wrong == {}
    for told in (1, 3):
        assert account([figures, line | {TOLD: told, outcome: 2}]).wrong == {"uneven": ["c-1"]}
    assert account([figures, line]).wrong == {"uneven": ["c-1"]}


class Street:
    """A front door, the whole way behind it and a canary, with stages that can be switched off.

    Minutes pass; in each the canary's function is called, the sweeper runs, and whatever is on its
    way goes on as far as it gets.
    """

    def __init__(self) -> None:
        shop = {"name": "canary", "platform": "standard", "roles": ["order.request"]}
        address = {"base_url": "https://canary.example", "start_at": START}
        self.house = House(
            connections=[shop | address, BRIDGE["connections"][1]],
            routes=[{"kinds": ["Order"], "from": ["canary"], "to": ["erp"]}],
            canary={"connection": "canary", "sku": "CANARY"},
        )
        self.house.clock.advance((AT - self.house.clock()).total_seconds())
        house = self.house
        self.emf: list[str] = []
        self.metrics = Metrics(self.emf.append)
        settings = FunctionSettings(
            stage="test",
            table="table",
            bucket="bucket",
            bus="bus",
            connection="canary",
            pull_queue="pull",
            signing_secret="signing",
        )
        secrets = SecretStore(lambda _: json.dumps({"active": SECRET}), house.clock)
        given = Ports(settings, house.bridge, house.rows, house.objects, house.queue, secrets)
        adapter = importlib.import_module("platforms.standard.webhook").handler.adapter
        self.receiver = Receiver(adapter, given, self.metrics, house.clock)
        self.canary = Canary(
            house.rows, house.bridge, self.post, lambda: SECRET, self.metrics, house.clock
        )
        self.broken = ""
        self.waiting: list[Any] = []

    def post(self, headers: Any, body: bytes) -> int:
        if self.broken == "door dead":
            return 503
        return int(self.receiver.receive(http_event(headers, body))["statusCode"])

    def minute(self) -> bool:
        """Whether the canary is missing at the end of it."""
        house = self.house
        house.clock.advance(60)
        is_missing = self.canary.tick()
        house.sweeper.run()
        for message in house.queue.sent():
            house.queue.take(message.url)
            detail = json.loads(message.body)["detail"]
            hint = EntityRef(kind=Kind(detail["kind"]), key=detail["key"])
            house.messages.append(("assess" if message.url == "assess" else "erp", hint))
        self.work()
        return is_missing

    def work(self) -> None:
        """Everything that is on its way, through the stages that work."""
        house = self.house
        if self.broken == "announce stopped":
            house.messages.clear()
        if not self.broken:
            house.messages.extend(self.waiting)
            self.waiting.clear()
        kept = []
        while house.messages:
            to, event = house.messages.popleft()
            if self.broken == "rule lost" and to == "erp" and not isinstance(event, EntityRef):
                continue
            if {"assess dead": "assess", "mapping off": "erp"}.get(self.broken) == to:
                kept.append((to, event))
                continue
            dies = self.broken == "worker dead" and to == "erp"
            house.steps.kill_at = house.steps.taken + 1 if dies else None
            try:
                house.handle(to, event)
            except KilledError:
                kept.append((to, event))
        self.waiting += kept

    def others(self) -> dict[str, int]:
        """What the other monitors say: nought, all of them."""
        house = self.house
        census = Enumerator.of(house.bridge, house.rows, house.objects, house.clock).run(60)
        links = [row for row in house.rows.rows() if str(row["sk"]).startswith("LINK#")]
        return {
            "late": len(census.late),
            "unaccounted": len(census.unaccounted),
            "held or parked": sum(row["status"] in {"held", "parked"} for row in links),
            "failed": sum(outcome.error is not None for outcome in house.outcomes),
        }


@pytest.mark.level("in-process")
def test_f42_canary_orders_arrive_and_are_cancelled(figures):
    street = Street()
    missing = [street.minute() for _ in range(60)]
    assert not any(missing)
    made = list(street.house.orders.objects.values())
    standing = [held for held in made if not held.is_cancelled]
    assert len(made) == 30
    assert len(standing) == 1
    assert set(street.others().values()) == {0}
    assert street.house.customers.counts["create"] == 1
    street.metrics.flush()
    ages = [one for line in map(json.loads, street.emf) for one in line.get("canary_age_ms", ())]
    assert len(ages) >= 29
    assert max(ages) < 120_000
    figures(canaries=len(made), left_standing=len(standing), missing=sum(missing))


@pytest.mark.level("in-process")
@pytest.mark.parametrize(
    "broken",
    ["announce stopped", "rule lost", "mapping off", "assess dead", "worker dead", "door dead"],
)
@pytest.mark.parametrize("after", [7, 8])
def test_f42_pipeline_accepts_but_nothing_comes_out(broken, after, figures):
    """Each stage dies without a word; the canary says so in five minutes, the others nothing."""
    street = Street()
    assert not any(street.minute() for _ in range(after))
    street.broken = broken
    told = next(minute for minute in range(1, 61) if street.minute())
    assert told <= 5
    assert set(street.others().values()) == {0}
    street.broken = ""
    for _ in range(10):
        street.minute()
    # It is said until one arrives, and no longer.
    assert not street.minute()
    assert set(street.others().values()) == {0}
    standing = [held for held in street.house.orders.objects.values() if not held.is_cancelled]
    assert len(standing) == 1
    figures(minutes_until_told=told)
