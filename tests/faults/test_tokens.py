"""C, F32 and F33: rotating tokens, at the ledgers that have them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fizzbridge.errors import ConflictError, RateLimitedError
from fizzbridge.model.entity import Kind
from fizzbridge.model.events import DetailType
from fizzbridge.runtime import breaker
from fizzbridge.runtime.breaker import STOPPED_WAIT
from fizzbridge.runtime.tokens import TOKEN_SK, RotatingToken
from sandbox.faults import Fault
from tests.kit.effects import TARGETS, book, came, lives, undisturbed
from tests.kit.house import customer_ref, order_ref
from tests.kit.invariants import accounted, nothing_personal
from tests.kit.source import captured_logs
from tests.kit.target import PERSONAL, TargetHouse

WORKERS = 100
TOKEN_CALL = "grant_type=refresh_token"


def is_rotating(platform: str) -> bool:
    house = TargetHouse(platform)
    return isinstance(house.adapter.auth(house.secret, house.connection), RotatingToken)


ROTATING = [platform for platform in TARGETS if is_rotating(platform)]


class Gate:
    """Before a sandbox: one call at a time, and tokens that are good no more.

    Attributes:
        revoked: access tokens the vendor refuses.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self.revoked: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        shown = dict(scope["headers"]).get(b"authorization", b"").decode()
        if shown.removeprefix("Bearer ") in self.revoked:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        with self._lock:
            await self._app(scope, receive, send)


def at_once(count: int, work: Callable[[], object]) -> None:
    """Do something in so many threads that start together."""
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait()
        work()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", ROTATING)
def test_f32_a_hundred_workers_refresh_once(platform, figures):
    """The token is not there yet, then its time is over, then the vendor takes it back."""
    house = TargetHouse(platform)
    house.transport.app = gate = Gate(house.sandbox.app)
    entity = house.adapter.entities[Kind.CUSTOMER]
    answers: Counter[str] = Counter()

    class Endless:
        def left(self, _: Any) -> Any:
            return STOPPED_WAIT

    def ask() -> None:
        try:
            with house._capacity(Endless()) as vendor:
                client = house.adapter.client(vendor, house.connection)
                assert entity.find(client, "shop/nobody", None) is None
            answers["asked"] += 1
        except ConflictError as error:
            answers["later" if error.retry_after else "never"] += 1
        except RateLimitedError:
            answers["asked"] += 1  # the vendor knows who asks, and is asked too much

    def expire() -> None:
        house.clock.advance(24 * 3600)

    def revoke() -> None:
        gate.revoked.add(str((house.rows.get("CONNECTION#erp", TOKEN_SK) or {})["access"]))

    later = 0
    for number, happens in enumerate((lambda: None, expire, revoke), 1):
        happens()
        answers.clear()
        at_once(WORKERS, ask)
        later += answers["later"]
        assert answers["asked"] + answers["later"] == WORKERS
        assert house.sandbox.accepted["token refreshed"] == number
        # Whoever was told to come again comes again, and all are answered by the one pair.
        answers.clear()
        at_once(WORKERS, ask)
        assert answers == {"asked": WORKERS}
        assert house.sandbox.accepted["token refreshed"] == number
    assert not house.sandbox.accepted["grant revoked"]
    figures(workers=WORKERS, refreshes=3, told_to_come_again=later)


LOST = ["commit_then_silence", "commit_then_reset", "commit_then_status", "truncate"]


def work_all(house: TargetHouse, seconds: float) -> None:
    """What the target's queue does for so long: what is put off comes back when it is due."""
    until = house.clock().timestamp() + seconds
    while house.clock().timestamp() < until:
        waits = [house.work(one) for one in (order_ref(), customer_ref())]
        house.assess()
        again = [one.after.total_seconds() for one in waits if one and one.after]
        house.clock.advance(min(again, default=10) + 1)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("platform", ROTATING)
def test_f33_a_pair_whose_answer_is_lost_is_bought_again_or_a_person_is_asked(
    platform, kind, figures
):
    house = TargetHouse(platform)
    fault = Fault(kind, body_contains=TOKEN_CALL, status=500)
    house.sandbox.faults.arm(fault)
    with captured_logs() as logged:
        book(house)
        house.assess()
        work_all(house, 600)
        assert fault.fired == 1
        state = breaker.read(house.rows, "erp")
        figures(recovered=int(state.works), asks_a_person=int(not state.works))
        states = accounted(house.rows, house.objects, is_settled=False)
        assert states["parked"] == 0
        troubles = house.announced().count(DetailType.CONNECTION_TROUBLED)
        if not state.works:
            # The vendor knows no grace: everything waits, and it is said once.
            assert troubles == 1
            assert "connect again" in state.message
            assert house.committed("created") == 0
            assert states["behind"]
            assert house.work(order_ref()).after == STOPPED_WAIT
            house.secret["refresh_token"] = connected_again(house)
            breaker.Breaker(house.rows, "erp", house.clock).resume()
        else:
            assert troubles == 0
    house.settle()
    assert came(house) == undisturbed(platform, lives(platform)["book"])
    assert breaker.read(house.rows, "erp").works
    secrets = [*house.secret.values(), *PERSONAL]
    nothing_personal(secrets, logs=logged(), events=house.events)


def connected_again(house: TargetHouse) -> str:
    """A person consents anew; gives the refresh token of that."""
    http = httpx.Client(base_url=house.connection.base_url, transport=house.transport)
    root = httpx.URL(house.connection.base_url)
    app = (house.secret["client_id"], house.secret["client_secret"])
    back = "https://bridge.example/connected"
    asked = {
        "client_id": app[0],
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": back,
        "state": "s",
    }
    to = http.get(root.copy_with(path="/connect/oauth2"), params=asked).headers["location"]
    (code,) = parse_qs(urlsplit(to).query)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
    token_url = str(house.connection.settings["token_url"])
    return str(http.post(token_url, data=form, auth=app).json()["refresh_token"])
