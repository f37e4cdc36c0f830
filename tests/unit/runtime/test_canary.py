"""A canary order is sent once, cancelled once, and missed until one arrives."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from fizzbridge.model.entity import Kind, ref
from fizzbridge.observability import Metrics
from fizzbridge.runtime.canary import CANARY_SK, Canary
from fizzbridge.settings import Bridge
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from services.canary import door
from tests.kit.clock import Clock
from tests.kit.house import BRIDGE

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Cage:
    def __init__(self) -> None:
        shop = BRIDGE["connections"][0] | {"name": "canary", "roles": ["order.request"]}
        policy = {"connection": "canary", "sku": "CANARY", "every": "5 minutes", "within": 90}
        bridge = Bridge.model_validate(
            BRIDGE | {"connections": [shop], "routes": [], "canary": policy}
        )
        self.clock = Clock(AT)
        self.table = MemoryTable()
        self.status = 200
        self.posts: list[tuple[str, str, str | None]] = []
        self.canary = Canary(
            self.table, bridge, self.post, lambda: "whsec_c2VjcmV0", Metrics(), self.clock
        )

    def post(self, headers, body):
        data = json.loads(body)["data"]
        self.posts.append((data["id"], data["changed_at"], data["record"]["cancelled_at"]))
        assert headers["webhook-signature"].startswith("v1,")
        return self.status

    def minute(self) -> bool:
        self.clock.advance(60)
        return self.canary.tick()

    @property
    def row(self):
        return self.table.get("CONNECTION#canary", CANARY_SK) or {}

    def sent(self):
        return [name for name, _, cancelled in self.posts if cancelled is None]

    def cancelled(self):
        return [name for name, _, cancelled in self.posts if cancelled]

    def known(self, name):
        self.table.write(Write(str(ref(Kind.ORDER, "canary", name)), "PART#request", set={"v": 1}))

    def arrive(self, name, status="synced"):
        self.known(name)
        for link in ("LINK#assess", "LINK#erp"):
            said = {"wanted": "w", "synced": "w", "status": status}
            at = {"updated_at": to_text(self.clock())}
            self.table.write(Write(str(ref(Kind.ORDER, "canary", name)), link, set=said | at))


@pytest.fixture
def cage():
    return Cage()


def test_one_is_sent_and_sent_again_until_it_is_known(cage):
    assert not cage.minute()
    (name,) = cage.sent()
    assert name == "canary-20261120090100"
    cage.status = 503
    cage.minute()
    assert cage.posts[0] == cage.posts[1]  # the same to the byte: equal, not another order
    cage.known(name)
    cage.minute()
    assert len(cage.posts) == 2


def test_it_is_missing_after_its_time_and_until_one_arrives(cage):
    assert [cage.minute() for _ in range(3)] == [False, False, True]
    assert [cage.minute() for _ in range(5)] == [True] * 5
    assert len(set(cage.sent())) == 2  # the next one was placed, and is missed as well
    cage.arrive(cage.sent()[-1])
    assert not cage.minute()
    assert "missing" not in cage.row


@pytest.mark.parametrize("status", ["behind", "held", "parked", "suspect"])
def test_only_what_is_in_step_has_arrived(cage, status):
    cage.minute()
    cage.arrive(cage.sent()[0], status)
    assert [cage.minute() for _ in range(2)] == [False, True]


def test_an_order_that_goes_nowhere_has_not_arrived(cage):
    cage.minute()
    cage.known(cage.sent()[0])
    assert [cage.minute() for _ in range(2)] == [False, True]


def test_the_one_before_is_cancelled_and_if_it_cannot_be_the_next_one_waits(cage):
    cage.minute()
    (first,) = cage.sent()
    cage.arrive(first)
    cage.status = 200
    for _ in range(4):
        cage.minute()
    assert cage.cancelled() == []
    cage.status = 503
    cage.minute()
    assert set(cage.cancelled()) == {first}
    for _ in range(10):
        cage.minute()
    assert len(set(cage.sent())) == 2  # none is placed while one is left standing
    assert cage.row["last"]
    cage.status = 200
    cage.minute()
    said = {post for post in cage.posts if post[2]}
    assert len(said) == 1
    assert "last" not in cage.row
    cage.minute()
    assert len(set(cage.sent())) == 3


def test_the_door_answers_or_does_not():
    def answer(request):
        if request.headers.get("x-lost"):
            raise httpx.ConnectError("gone")
        return httpx.Response(401)

    post = door("https://api.example", httpx.Client(transport=httpx.MockTransport(answer)))
    assert post({}, b"{}") == 401
    assert post({"x-lost": "1"}, b"{}") == 0


def test_a_bridge_without_a_canary_has_none():
    with pytest.raises(ValueError, match="no canary"):
        Canary(
            MemoryTable(),
            Bridge.model_validate(BRIDGE),
            lambda *_: 200,
            lambda: "",
            Metrics(),
            Clock(),
        )
