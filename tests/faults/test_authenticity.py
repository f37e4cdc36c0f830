"""F36 to F38: who sent a delivery, over every platform, every connection and every pair of them."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from fizzbridge.secrets import LIFE, REFETCH_EVERY, SecretStore
from fizzbridge.webhook.receive import Receiver
from tests.contract.test_sources import PLATFORMS, told_by, webhook_of
from tests.kit.source import (
    OLD_SECRET,
    SECRET,
    Fixture,
    Source,
    fixtures,
    http_event,
    proof_in,
    proves_any_body,
    signed,
)

pytestmark = pytest.mark.level("in-process")

Event = dict[str, Any]


def telling(platform: str) -> list[Fixture]:
    """The platform's deliveries that tell of something."""
    webhook = webhook_of(platform)
    return [one for one in fixtures(platform) if told_by(webhook, one)]


# -- F36: a proof that is not quite right ----------------------------------------------------------

SPOILED: Mapping[str, Callable[[str], str | None]] = {
    "missing": lambda proof: None,
    "empty": lambda proof: "",
    "truncated": lambda proof: proof[:-1],
    "halved": lambda proof: proof[: len(proof) // 2],
    "longer": lambda proof: f"{proof}A",
    "another letter": lambda proof: proof[:-3] + ("a" if proof[-3] != "a" else "b") + proof[-2:],
    "doubled": lambda proof: f"{proof},{proof}",
    "written twice": lambda proof: proof + proof,
    "wrong case": lambda proof: proof.swapcase(),
    "upper case": lambda proof: proof.upper() if proof.upper() != proof else proof.lower(),
    "a blank before": lambda proof: f" {proof}",
    "a blank after": lambda proof: f"{proof} ",
    "a line after": lambda proof: f"{proof}\n",
    "a null after": lambda proof: f"{proof}\x00",
    "encoded again": lambda proof: base64.b64encode(proof.encode()).decode(),
    "in hexadecimal": lambda proof: proof.encode().hex(),
    "in quotes": lambda proof: f'"{proof}"',
    "not ascii": lambda proof: "é" * len(proof),
    "full width": lambda proof: "".join(chr(ord(one) + 0xFEE0) for one in proof),
    "a lone surrogate": lambda proof: "\ud800",
    "none": lambda proof: "none",
}


def spoiled(source: Source, fixture: Fixture) -> Iterator[tuple[str, Event]]:
    """A delivery with each kind of proof that is not one."""
    for name, change in SPOILED.items():
        event = fixture.event(source.webhook)
        fields, where = proof_in(source.webhook, event)
        proof = change(fields.pop(where))
        if proof is not None:
            fields[where] = proof
        yield name, event
    yield "another secret", fixture.event(source.webhook, "somebody else's secret")
    yield "no body", http_event(signed(source.webhook, fixture.headers, b""), b"")
    if source.webhook.signature.headers:
        proof = signed(source.webhook, fixture.headers, fixture.body)
        for name, body in {
            "a line after the body": fixture.body + b"\n",
            "a blank before the body": b" " + fixture.body,
            "a letter less": fixture.body[:-1],
            "another order": fixture.body.replace(b"1", b"2", 1),
        }.items():
            if body != fixture.body:
                yield name, http_event(proof, body)


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_f36_no_delivery_with_a_spoiled_proof_is_accepted(platform, figures):
    refused: Counter[str] = Counter()
    for fixture in telling(platform):
        source = Source(webhook_of(platform))
        for name, event in spoiled(source, fixture):
            assert source.deliver(event) == 401, (name, fixture.name)
            refused[name] += 1
        assert source.table.table.rows() == []
        assert source.messages() == []
        counted = source.counts()
        assert counted["received"] == counted["rejected"]
    assert len(refused) >= len(SPOILED) + 2
    figures(forged_deliveries=refused.total(), forged_accepted=0)


def genuine(source: Source, fixture: Fixture) -> Iterator[tuple[str, Event]]:
    """A delivery as it may arrive at the gateway, genuine in every form."""
    webhook = source.webhook
    headers = signed(webhook, fixture.headers, fixture.body)
    yield "as it is", http_event(headers, fixture.body)
    yield "in base64", http_event(headers, fixture.body, encoded=True)
    yield "by the older secret", fixture.event(webhook, OLD_SECRET)
    shouted = http_event(headers, fixture.body)
    shouted["headers"] = {name.upper(): value for name, value in shouted["headers"].items()}
    yield "headers in upper case", shouted
    if proves_any_body(webhook):
        for name, body in {
            "a line after the body": fixture.body + b"\n",
            "not ascii": fixture.body.replace(b"}", ' , "_": "é漢🥤"}'.encode(), 1),
            "not utf-8": fixture.body + b"\xff\xfe",
            "a null in it": fixture.body + b"\x00",
        }.items():
            yield name, http_event(signed(webhook, fixture.headers, body), body, encoded=True)


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_f36_no_genuine_delivery_is_refused_in_whatever_form_it_comes(platform, figures):
    accepted: Counter[str] = Counter()
    for fixture in telling(platform):
        source = Source(webhook_of(platform))
        for name, event in genuine(source, fixture):
            assert source.deliver(event) == 200, (name, fixture.name)
            accepted[name] += 1
        assert "rejected" not in source.counts()
    figures(genuine_deliveries=accepted.total(), genuine_refused=0)


@contextmanager
def compared() -> Iterator[Counter[str]]:
    """How often secrets are compared meanwhile, as the interpreter sees it."""
    found: Counter[str] = Counter()

    def watch(_: Any, event: str, called: Any) -> None:
        if event == "c_call" and getattr(called, "__name__", "") == "compare_digest":
            found["constant"] += 1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_f36_proofs_are_compared_in_constant_time_with_every_secret(platform, figures):
    """On the path a delivery takes, and as often for one that fits as for one that does not."""
    source = Source(webhook_of(platform))
    fixture = telling(platform)[0]
    seen = []
    for secret in (SECRET, OLD_SECRET):
        with compared() as one:
            assert source.deliver(fixture.event(source.webhook, secret)) == 200
        seen.append(one["constant"])
    with compared() as one:
        assert source.deliver(fixture.event(source.webhook, "somebody else's")) == 401
    # A refusal is checked again with what the store has then.
    refused, remainder = divmod(one["constant"], 2)
    assert remainder == 0
    assert seen[0] == seen[1] >= 2
    assert refused >= 2
    figures(comparisons=sum(seen) + one["constant"])


# -- F38: one connection's proof at another's route ------------------------------------------------


class Connection:
    """A connection of its own, with its own secret."""

    def __init__(self, platform: str, number: int) -> None:
        self.name = f"{platform}-{number}"
        self.platform = platform
        self.secret = f"signing-secret-of-{self.name}"
        self.source = Source(webhook_of(platform))
        self.source.secrets["signing"] = json.dumps({"active": [self.secret, f"old-{self.secret}"]})
        self.fixture = telling(platform)[0]

    def event(self) -> Event:
        """One of its deliveries, genuine."""
        return self.fixture.event(self.source.webhook, self.secret)


def all_pairs() -> list[tuple[Connection, Connection]]:
    both = [Connection(platform, number) for platform in PLATFORMS for number in (1, 2)]
    return list(permutations(both, 2))


def test_f38_no_connections_delivery_is_accepted_at_anothers_route(figures):
    pairs = all_pairs()
    assert len(pairs) == 2 * len(PLATFORMS) * (2 * len(PLATFORMS) - 1)
    same = 0
    for sender, receiver in pairs:
        assert receiver.source.deliver(sender.event()) == 401, (sender.name, receiver.name)
        same += sender.platform == receiver.platform
    kept = {receiver.name for _, receiver in pairs if receiver.source.table.table.rows()}
    kept |= {receiver.name for _, receiver in pairs if receiver.source.messages()}
    assert kept == set()
    assert same == 2 * len(PLATFORMS)
    # Each of them is accepted where it belongs.
    for connection in {sender for sender, _ in pairs}:
        assert connection.source.deliver(connection.event()) == 200
    figures(pairs=len(pairs), pairs_of_one_platform=same, crossed_accepted=0)


@pytest.mark.slow
def test_f38_another_connections_secret_proves_nothing_in_the_right_words(figures):
    """What would be genuine, headers and body, but for whose secret it is proven with."""
    tried = 0
    for sender, receiver in all_pairs():
        fixture = receiver.fixture
        for secret in (sender.secret, f"old-{sender.secret}"):
            event = fixture.event(receiver.source.webhook, secret)
            assert receiver.source.deliver(event) == 401, (sender.name, receiver.name)
            tried += 1
        both = http_event(
            signed(sender.source.webhook, {}, fixture.body, sender.secret)
            | signed(receiver.source.webhook, fixture.headers, fixture.body, sender.secret),
            fixture.body,
        )
        assert receiver.source.deliver(both) == 401
        tried += 1
    figures(tried=tried, accepted=0)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_f38_a_recorded_delivery_changes_nothing_or_is_refused(platform, figures):
    """Inside the window it is a no-op; outside, where the time is signed, it is refused."""
    source = Source(webhook_of(platform))
    recorded = [fixture.event(source.webhook) for fixture in telling(platform)]
    for event in recorded:
        assert source.deliver(event) == 200
    once = states(source)
    for event in recorded:
        assert source.deliver(event) == 200
    assert states(source) == once
    source.clock.advance(301)
    statuses = Counter(source.deliver(event) for event in recorded)
    assert states(source) == once
    # All or none: a platform signs the time of its deliveries, or does not.
    assert set(statuses) in ({200}, {401})
    figures(replayed=2 * len(recorded), refused_outside=statuses[401], changed=0)


def states(source: Source) -> dict[str, tuple[Any, ...]]:
    """What is known of each thing; a deletion without a time of its own is as old as its news."""
    return {
        name: (row["deleted"], row["fingerprint"], "" if row["deleted"] else row["version"])
        for name, row in source.parts().items()
    }


# -- F37: a secret rotated under load --------------------------------------------------------------


class Vault:
    """Secrets Manager: what it holds, and how often it was asked."""

    def __init__(self, *active: str) -> None:
        self.active = list(active)
        self.calls = 0
        self._lock = threading.Lock()

    def fetch(self, _: str) -> str:
        with self._lock:
            self.calls += 1
            return json.dumps({"active": self.active})


class Functions:
    """Several processes of one webhook function, each with a secret store of its own."""

    def __init__(self, platform: str, vault: Vault, processes: int = 4) -> None:
        self.source = source = Source(webhook_of(platform))
        self.clock = source.clock
        self.fixture = telling(platform)[0]
        self.processes = []
        for _ in range(processes):
            store = SecretStore(vault.fetch, self.clock)
            given = type(source.given)(**{**vars(source.given), "secrets": store})
            self.processes.append(Receiver(source.webhook, given, source.metrics, self.clock))

    def load(self, secrets: list[str], deliveries: int = 40) -> Counter[tuple[str, int]]:
        """Deliver at once to all processes; what became of deliveries, by secret."""
        found: Counter[tuple[str, int]] = Counter()
        lock = threading.Lock()

        def one(number: int) -> None:
            secret = secrets[number % len(secrets)]
            event = self.fixture.event(self.source.webhook, secret, self.clock())
            answer = self.processes[number % len(self.processes)].receive(event)
            with lock:
                found[secret, answer["statusCode"]] += 1

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(deliveries)))
        return found


FORGED = "forged"


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_f37_a_secret_is_rotated_under_load_and_no_genuine_delivery_is_refused(platform, figures):
    vault = Vault("old")
    functions = Functions(platform, vault)
    total: Counter[tuple[str, int]] = Counter()

    def during(secrets: list[str], length: timedelta) -> None:
        for _ in range(length // timedelta(seconds=30)):
            total.update(functions.load([*secrets, FORGED]))
            functions.clock.advance(30)

    during(["old"], timedelta(minutes=2))
    vault.active = ["new", "old"]
    during(["old"], timedelta(minutes=5))  # the runbook: then the vendor is told
    during(["old", "new"], timedelta(minutes=2))
    during(["new"], timedelta(minutes=2))
    vault.active = ["new"]
    during(["new"], timedelta(minutes=5))
    assert {name: status for name, status in total if name != FORGED} == {"old": 200, "new": 200}
    assert {status for name, status in total if name == FORGED} == {401}
    after = functions.load(["old", "new"])
    assert {status for name, status in after if name == "old"} == {401}
    assert {status for name, status in after if name == "new"} == {200}
    genuine_total = sum(count for (name, _), count in total.items() if name != FORGED)
    figures(
        genuine=genuine_total,
        genuine_refused=0,
        forged=sum(total.values()) - genuine_total,
        forged_accepted=0,
        old_dead_after_s=int(LIFE.total_seconds()),
    )


def test_f37_without_a_flood_a_new_secret_holds_from_its_first_delivery(figures):
    """Nobody has to wait where nothing forged comes in between: the store is asked once more."""
    vault = Vault("old")
    functions = Functions("shopify", vault)
    functions.load(["old"])
    vault.active = ["new", "old"]
    found = functions.load(["new", "old"])
    assert {status for _, status in found} == {200}
    figures(genuine=sum(found.values()), genuine_refused=0)


@pytest.mark.slow
def test_f37_a_flood_of_forged_deliveries_asks_the_store_a_bounded_number_of_times(figures):
    vault = Vault("old")
    functions = Functions("shopify", vault, processes=4)
    minutes = 10
    forged = 0
    for _ in range(minutes * 60 // 5):
        found = functions.load([FORGED], 60)
        assert set(found) == {(FORGED, 401)}
        forged += found.total()
        functions.clock.advance(5)
    every = minutes * 60 / REFETCH_EVERY.total_seconds()
    lives = minutes * 60 / LIFE.total_seconds()
    assert vault.calls <= 4 * (every + lives + 1)
    figures(forged=forged, accepted=0, asked_of_the_store=vault.calls, minutes=minutes)
