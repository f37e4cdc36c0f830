"""One refresh for all, and one usable pair whatever happens on the way."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from fizzbridge.errors import ConfigurationError, ConflictError, TargetUnavailableError
from fizzbridge.runtime.tokens import HELD_S, TOKEN_SK, Pair, RotatingToken, Tokens
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import from_text
from tests.kit.clock import Clock
from tests.kit.house import START

URL = "https://identity.example/token"


class Vendor:
    """Gives tokens and takes calls; a spent refresh token ends the grant."""

    def __init__(self) -> None:
        self.valid = "first"
        self.good = ""
        self.is_over = False
        self.counts: Counter[str] = Counter()
        self.fails: list[int] = []
        self.more: dict[str, int] = {}
        self.lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            return self._token(request) if str(request.url) == URL else self._call(request)

    def _token(self, request: httpx.Request) -> httpx.Response:
        if self.fails:
            return httpx.Response(self.fails.pop())
        assert request.headers["Authorization"].startswith("Basic ")
        spent = dict(httpx.QueryParams(request.content.decode()))["refresh_token"]
        self.is_over = self.is_over or spent != self.valid
        if self.is_over:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.counts["refreshed"] += 1
        self.valid = f"refresh-{self.counts['refreshed']}"
        self.good = f"access-{self.counts['refreshed']}"
        pair = {"access_token": self.good, "refresh_token": self.valid, "expires_in": 1800}
        return httpx.Response(200, json=pair | self.more)

    def _call(self, request: httpx.Request) -> httpx.Response:
        self.counts["called"] += 1
        is_good = request.headers["Authorization"] == f"Bearer {self.good}"
        return httpx.Response(200 if is_good else 401)


@pytest.fixture
def world():
    return Vendor(), MemoryTable(), Clock(START)


def client(vendor, table, clock, first="first"):
    auth = RotatingToken(URL, "id", "secret", first)
    auth.share(table, "books", clock)
    return httpx.Client(
        base_url="https://books.example", auth=auth, transport=httpx.MockTransport(vendor)
    )


def test_when_the_refresh_token_ends_is_kept_where_the_vendor_says_so(world):
    vendor, table, clock = world
    client(*world).get("/")
    assert "refresh_until" not in table.get("CONNECTION#books", TOKEN_SK)
    vendor.more = {"x_refresh_token_expires_in": 8_640_000}
    clock.advance(1800)
    client(*world).get("/")
    until = from_text(table.get("CONNECTION#books", TOKEN_SK)["refresh_until"])
    assert timedelta(days=99) < until - clock() <= timedelta(days=100)


def test_processes_share_the_pair(world):
    vendor = world[0]
    for _ in range(3):
        assert client(*world).get("/").status_code == 200
    assert vendor.counts == {"refreshed": 1, "called": 3}


def test_it_is_renewed_before_it_ends(world):
    vendor, _, clock = world
    client(*world).get("/")
    clock.advance(1800 - 60)
    client(*world).get("/")
    assert vendor.counts["refreshed"] == 2


def test_a_401_renews_it_and_the_call_is_made_once_more(world):
    vendor = world[0]
    client(*world).get("/")
    vendor.good = "revoked by the vendor"
    assert client(*world).get("/").status_code == 200
    assert vendor.counts == {"refreshed": 2, "called": 3}


def test_f32_many_at_once_spend_one_refresh_token(world):
    vendor = world[0]
    answers: Counter[str] = Counter()

    def run() -> None:
        try:
            answers[str(client(*world).get("/").status_code)] += 1
        except ConflictError as error:
            answers["later" if error.retry_after else "never"] += 1

    threads = [threading.Thread(target=run) for _ in range(40)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert vendor.counts["refreshed"] == 1
    assert set(answers) <= {"200", "later"}
    assert answers["200"] >= 1


def test_who_comes_while_another_refreshes_comes_again(world):
    vendor, table, clock = world
    begun = Tokens(table, "books", "first", clock).begin("")
    assert not isinstance(begun, Pair)
    with pytest.raises(ConflictError):
        client(*world).get("/")
    assert not vendor.counts


def test_f33_a_holder_that_dies_leaves_the_old_token_to_try(world):
    vendor, table, clock = world
    Tokens(table, "books", "first", clock).begin("")
    clock.advance(HELD_S + 1)
    assert client(*world).get("/").status_code == 200
    assert vendor.counts["refreshed"] == 1


def test_who_was_away_too_long_does_not_overwrite_the_newer_pair(world):
    vendor, table, clock = world
    tokens = Tokens(table, "books", "first", clock)
    late, _ = tokens.begin("")
    clock.advance(HELD_S + 1)
    client(*world).get("/")
    with pytest.raises(ConflictError):
        tokens.finish(late, Pair("old", "old", clock() + timedelta(hours=1)), "first")
    assert tokens.current().access == vendor.good


def test_a_pair_that_comes_late_is_kept_while_there_is_no_other(world):
    """A slow answer: the vendor has spent the old token, and refuses it to whoever came next."""
    _, table, clock = world
    tokens = Tokens(table, "books", "first", clock)
    late, _ = tokens.begin("")
    clock.advance(HELD_S + 1)
    refused, spent = tokens.begin("")
    assert spent == "first"
    tokens.abandon(refused)
    tokens.finish(late, Pair("access-1", "refresh-1", clock() + timedelta(hours=1)), "first")
    assert tokens.begin("").refresh == "refresh-1"


def test_a_grant_that_ended_is_for_a_person_and_a_new_one_begins_with_its_own_token(world):
    vendor, table, _ = world
    client(*world).get("/")
    vendor.is_over = True
    vendor.good = "none"
    with pytest.raises(ConfigurationError, match="connect again"):
        client(*world).get("/")
    vendor.is_over, vendor.valid = False, "second"
    assert client(*world, first="second").get("/").status_code == 200
    assert "lease_until" not in table.get("CONNECTION#books", TOKEN_SK)


@pytest.mark.parametrize("status", [429, 503])
def test_a_token_service_that_is_down_loses_nothing(world, status):
    vendor = world[0]
    vendor.fails = [status]
    with pytest.raises(TargetUnavailableError):
        client(*world).get("/")
    assert client(*world).get("/").status_code == 200
    assert vendor.counts["refreshed"] == 1


def test_a_vendor_that_does_not_rotate_keeps_its_refresh_token(world):
    _, table, clock = world
    tokens = Tokens(table, "books", "first", clock)

    def vendor(request: httpx.Request) -> httpx.Response:
        if str(request.url) == URL:
            return httpx.Response(200, json={"access_token": "a", "expires_in": 3600})
        return httpx.Response(200)

    client(vendor, table, clock).get("/")
    assert tokens.current().refresh == "first"


def test_nothing_of_it_is_shown(world):
    client(*world).get("/")
    _, table, clock = world
    shown = repr(Tokens(table, "books", "first", clock).current())
    assert "access-1" not in shown
    assert "refresh-1" not in shown


def test_tokens_are_asked_for_by_https_only():
    with pytest.raises(ConfigurationError, match="https"):
        RotatingToken("http://identity.example/token", "id", "secret", "first")
