"""Days in which a vendor is down, in seconds: the real runtime on a clock that jumps.

Shop, workers, sweeper and the vendor's answers are threads of which one runs at a time; who waits
lets the one run whose time is next. So calls overlap as they do on Lambda, and the clock never
waits for anything. Runs differ only by the runtime's jitter and by how Python orders a set.
"""

from __future__ import annotations

import heapq
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx

from fizzbridge.errors import AmbiguousMatchError
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.observability import Metrics
from fizzbridge.runtime import breaker
from fizzbridge.runtime.batch import process
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.wiring import Ports
from fizzbridge.runtime.worker import build
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from tests.kit.house import BRIDGE, START, House, Shelf

CALL_S = 0.3
INVOKE_S = 0.05
"""What an invocation takes beside its calls to the ERP."""

OFF_S = 20.0
"""After so long a function that was off hears that it is on."""

POLL_S = 1.0
"""And after so long one that is on hears of a message, as who polls an empty queue does."""

DOCUMENTS = "fizzbridge-test-erp-documents"
TARGET = "fizzbridge-test-erp-target"
SETTINGS = FunctionSettings(
    stage="test", table="t", bucket="b", bus="b", connection="erp", dlq="dlq", api_secret="erp/api"
)


class Timeline:
    """A clock for several threads: it goes on when all of them wait."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._waiting: list[tuple[datetime, int, threading.Event]] = []
        self._numbers = count()
        self._threads: list[threading.Thread] = []
        self.crashes: list[BaseException] = []

    def __call__(self) -> datetime:
        self._now += timedelta(microseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        """Let others run until it is so much later."""
        wake = self._wait(seconds)
        self._next()
        wake.wait()

    def start(self, run: Callable[[], None]) -> None:
        """Begin a thread; it runs when it is its turn."""
        wake = self._wait(0)

        def turn() -> None:
            wake.wait()
            try:
                run()
            except BaseException as error:  # noqa: BLE001  told by the thread that looks on
                self.crashes.append(error)
            self._next()

        thread = threading.Thread(target=turn, daemon=True)
        self._threads.append(thread)
        thread.start()

    def run(self) -> None:
        """Go on until every thread has ended."""
        self._next()
        for thread in self._threads:
            thread.join()
        if self.crashes:
            raise self.crashes[0]

    def _wait(self, seconds: float) -> threading.Event:
        wake = threading.Event()
        due = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._waiting, (due, next(self._numbers), wake))
        return wake

    def _next(self) -> None:
        if self._waiting:
            due, _, wake = heapq.heappop(self._waiting)
            self._now = max(self._now, due)
            wake.set()


class Erp(httpx.BaseTransport):
    """An ERP that is asked over HTTP, and is down when told."""

    def __init__(self, timeline: Timeline) -> None:
        self.is_down = False
        self.fails_once: set[str] = set()
        """References whose next search is answered with an error."""
        self.calls: list[tuple[datetime, int]] = []
        self.objects: dict[str, dict[str, Any]] = {}
        self.told: dict[str, list[str]] = {}
        """What each object was told to hold, in order."""
        self._timeline = timeline

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        came = self._timeline()
        self._timeline.sleep(CALL_S)
        status, answer = (503, {}) if self.is_down else self._answer(request)
        self.calls.append((came, status))
        return httpx.Response(status, json=answer, request=request)

    def _answer(self, request: httpx.Request) -> tuple[int, dict[str, Any]]:
        _, kind, name = request.url.path.split("/", 2)
        if request.method == "GET" and name in self.fails_once:
            self.fails_once.remove(name)
            return 503, {}
        if request.method == "GET":
            found = [key for key, one in self.objects.items() if one["reference"] == name]
            return 200, {"ids": found}
        body = json.loads(request.content)
        if request.method == "POST":
            name = f"{kind}-{len(self.objects) + 1}"
            self.objects[name] = {"reference": body["reference"]}
        else:
            self.told.setdefault(self.objects[name]["reference"], []).append(body["name"])
        return 200, {"id": name}

    def most_in_a_minute(self) -> int:
        """The most calls that came in any 60 seconds."""
        times = sorted(at for at, _ in self.calls)
        most, first = 0, 0
        for last, at in enumerate(times):
            while times[first] <= at - timedelta(minutes=1):
                first += 1
            most = max(most, last - first + 1)
        return most


class Asked(Shelf):
    """A kind of object at the ERP, by its API."""

    def find(self, vendor: Any, reference: str, payload: Any) -> str | None:
        found = vendor.get(f"/{self.kind}/{reference}").data["ids"]
        if len(found) > 1:
            raise AmbiguousMatchError(f"{len(found)} objects carry {reference}")
        return found[0] if found else None

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        made = vendor.post(f"/{self.kind}/", json={"reference": reference}, writes=True)
        return str(made.data["id"])

    def update(self, vendor: Any, external_id: str, payload: Any) -> None:
        body = {"name": " ".join((payload.name, *payload.lines))}
        vendor.request("PUT", f"/{self.kind}/{external_id}", json=body, writes=True)


@dataclass(order=True)
class Letter:
    """A message in the queue.

    Attributes:
        visible_at: when it can be received.
        number: tells messages apart.
        body: JSON.
        sent_at: when it was sent.
        receives: how often it was received.
    """

    visible_at: datetime
    number: int
    body: str = field(compare=False)
    sent_at: datetime = field(compare=False)
    receives: int = field(default=0, compare=False)


class Days:
    """A shop, an ERP that may be down, and everything between them.

    Args:
        per_minute: calls the ERP allows.
        parallel: calls at once, and copies of the target's function.
    """

    def __init__(self, per_minute: int, parallel: int) -> None:
        self.timeline = Timeline(START + timedelta(days=20))
        shop, erp = BRIDGE["connections"]
        erp = erp | {"calls": {"per_minute": per_minute, "parallel": parallel}}
        self.house = house = House(clock=self.timeline, connections=[shop, erp])
        self.erp = Erp(self.timeline)
        self.dlq = self.invocations = 0
        self.states: list[tuple[datetime, str]] = []
        """When the breaker or the switch was seen in another state, and in which."""
        self.placed: dict[EntityRef, datetime] = {}
        self._queue: list[Letter] = []
        self._numbers = count()
        self._runs_on = True
        shelves = {
            kind: Asked(self.timeline, house.steps, kind) for kind in (Kind.ORDER, Kind.CUSTOMER)
        }

        class Ledger(TargetAdapter):
            platform = "memory"
            errors = ErrorRules()
            entities = shelves
            search_lag = timedelta(seconds=5)
            longest_transaction = timedelta(seconds=60)

            def auth(self, secret: Any, connection: Any) -> HeaderToken:
                return HeaderToken("X-Key", secret["key"])

        self._adapter = Ledger()
        self._ports = Ports(
            settings=SETTINGS,
            bridge=house.bridge,
            table=house.rows,
            objects=house.objects,
            queue=house.queue,
            secrets=SecretStore({"erp/api": '{"key": "k"}'}.__getitem__, self.timeline),
        )
        for _ in range(parallel):
            self.timeline.start(self._work)
        self.timeline.start(self._sweep)

    # -- what people and vendors do ----------------------------------------------------------------

    def play(self, story: Callable[[], None]) -> None:
        """Let everything run until the story is told."""

        def tell() -> None:
            try:
                story()
            finally:
                self._runs_on = False

        self.timeline.start(tell)
        self.timeline.run()

    def order(self, number: int, **changes: Any) -> None:
        """The shop tells of an order, or of a change of it."""
        entity = self.house.place(number, **changes)
        self.placed.setdefault(entity, self.timeline())
        self._deliver()

    def await_synced(self, within: timedelta, all_but: int = 0) -> None:
        """Wait until the ERP holds every order, or all but a few."""
        until = self.timeline() + within
        left = list(self.placed)
        while len(left) > all_but:
            assert self.timeline() < until, f"{len(left)} orders never came"
            self.timeline.sleep(1)
            left = [one for one in left if self.house.link(one).get("status") != "synced"]

    def lose_messages(self) -> int:
        """The queue forgets everything, as it does when its retention is over."""
        lost, self._queue = len(self._queue), []
        return lost

    # -- functions ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._runs_on:
            letter = self._receive()
            if letter:
                self._invoke(letter)
            else:
                self.timeline.sleep(self._until_something())

    def _receive(self) -> Letter | None:
        is_on = self.house.switches.are_on.get(TARGET, True)
        due = self._queue and self._queue[0].visible_at <= self.timeline()
        return heapq.heappop(self._queue) if is_on and due else None

    def _until_something(self) -> float:
        now = self.timeline()
        if not self.house.switches.are_on.get(TARGET, True):
            return OFF_S
        if not self._queue:
            return POLL_S
        return min(max((self._queue[0].visible_at - now).total_seconds(), 0.05), POLL_S)

    def _invoke(self, letter: Letter) -> None:
        letter.receives += 1
        self.invocations += 1
        self.timeline.sleep(INVOKE_S)
        worker = build(
            self._adapter, self._ports, Metrics(lambda _: None), self.timeline, self._client
        )
        hidden: list[int] = []
        record = {
            "messageId": str(letter.number),
            "body": letter.body,
            "attributes": {
                "ApproximateReceiveCount": str(letter.receives),
                "SentTimestamp": str(int(letter.sent_at.timestamp() * 1000)),
            },
            "eventSourceARN": DOCUMENTS,
            "receiptHandle": str(letter.number),
        }
        answer = process(
            {"Records": [record]},
            worker.work,
            lambda *call: hidden.append(call[2]),
            worker.together,
        )
        if answer["batchItemFailures"]:
            letter.visible_at = self.timeline() + timedelta(seconds=hidden[0])
            heapq.heappush(self._queue, letter)
        self._deliver()

    def _client(self, left: Callable[[], timedelta]) -> VendorClient:
        return VendorClient(
            platform="memory",
            base_url="http://127.0.0.1:2",
            auth=HeaderToken("X-Key", "k"),
            errors=ErrorRules(),
            timeout=timedelta(seconds=25),
            transport=self.erp,
            deadline=left,
        )

    def _sweep(self) -> None:
        while self._runs_on:
            self.house.sweeper.run()
            self._deliver()
            is_on = self.house.switches.are_on.get(TARGET, True)
            seen = f"{breaker.read(self.house.rows, 'erp').name}, {'on' if is_on else 'off'}"
            if not self.states or self.states[-1][1] != seen:
                self.states.append((self.timeline(), seen))
            self.timeline.sleep(60)

    def _deliver(self) -> None:
        """Stream, bus and rules: at once. What is to be assessed is."""
        house = self.house
        while house.messages:
            to, event = house.messages.popleft()
            if to == "assess":
                house.handle(to, event)
            else:
                detail = {"kind": str(event.kind), "key": event.key, "event_id": "e"}
                self._send({"detail-type": "OrderChanged", "detail": detail})
        for message in house.queue.take(DOCUMENTS):
            self._send(json.loads(message.body), message.delay)
        self.dlq += len(house.queue.take("dlq"))
        house.queue.take("assess")

    def _send(self, body: dict[str, Any], delay: int = 0) -> None:
        now = self.timeline()
        visible_at = now + timedelta(seconds=delay)
        letter = Letter(visible_at, next(self._numbers), json.dumps(body), now)
        heapq.heappush(self._queue, letter)

    # -- what came of it ---------------------------------------------------------------------------

    def links(self) -> Counter[str]:
        """How many orders stand how at the ERP."""
        return Counter(str(self.house.link(one).get("status")) for one in self.placed)

    def booked(self) -> Counter[str]:
        """How many objects the ERP has of each of our references."""
        return Counter(one["reference"] for one in self.erp.objects.values())

    def placed_at(self, key: str) -> datetime:
        """When an order was first told of."""
        return next(at for entity, at in self.placed.items() if entity.key == key)

    def seen(self, state: str, begin: datetime, end: datetime) -> int:
        """How often breaker and switch were seen to come to a state."""
        return sum(begin <= at < end and seen == state for at, seen in self.states)

    def announced(self, detail_type: str) -> int:
        """How often something was announced."""
        return self.house.announced().count(detail_type)

    @property
    def receives(self) -> int:
        """The most often a message that is still there has been received."""
        return max((letter.receives for letter in self._queue), default=0)
