"""F12 to F21 and F24: the bus, the queues, and a worker's life."""

from __future__ import annotations

import importlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from fizzbridge.errors import (
    ConfigurationError,
    FizzbridgeError,
    MappingError,
    OutcomeUnknownError,
    PermanentError,
    RateLimitedError,
    RetryableError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import Answer, ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.observability import Metrics
from fizzbridge.runtime.batch import Again, Message, process
from fizzbridge.runtime.calls import TimeLeft
from fizzbridge.runtime.leases import Lease
from fizzbridge.runtime.limiter import Limiter
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.wiring import Ports
from fizzbridge.runtime.worker import build, capacity
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from tests.infra.reading import as_list, named
from tests.kit import invariants
from tests.kit.aws_faults import CUT_REPLY, LOST_REPLY, Cloud, error
from tests.kit.clock import Clock
from tests.kit.house import BRIDGE, House, KilledError, Shelf, line, order_ref
from tests.kit.queue_driver import (
    ASSESS,
    DLQ,
    DOCUMENTS,
    RECORD,
    RETENTION,
    Pipeline,
    QueueDriver,
)
from tests.kit.source import captured_logs

PERSON = {
    "first_name": "Canaryada",
    "last_name": "Canarylove",
    "email": "canary.person@bar.example",
}
MARKERS = [*PERSON.values(), "signed with this", "canary-token", "canary-key"]


def placed(house: Pipeline, quantity: int = 10) -> None:
    """Somebody orders; nothing is worked off yet."""
    lines = [{"sku": "COLA330-C24", "quantity": quantity}]
    company = {"id": 7001, "location_id": 8001}
    house.desk.place({"lines": lines, "customer": PERSON, "company": company})


def at_rest(house: Pipeline, logs: str = "") -> Counter[str]:
    """All invariants of a house with nothing left to do; gives how many links are how."""
    house.settle()
    invariants.conserved(house.reception)
    invariants.drained(house.reception)
    assert not house.driver.expired
    said = {"logs": logs, "metrics": house.lines, "sent": house.sent.messages}
    return invariants.hold(house, house.newest, MARKERS, **said)


def the_order(house: Pipeline) -> EntityRef:
    (order,) = house.newest
    return order


def end_state(house: Pipeline) -> dict[str, Any]:
    """What people and targets see when all is done, without times and counters of attempts."""
    shelves = (house.orders, house.customers)
    held = {
        (shelf.kind, one.reference): (one.payload, one.is_cancelled)
        for shelf in shelves
        for one in shelf.objects.values()
    }
    links = {
        (row["pk"], row["sk"]): (row["status"], row["wanted"] == row["synced"])
        for row in house.rows.rows()
        if str(row["sk"]).startswith("LINK#") and "status" in row
    }
    return {"held": held, "links": links, "newest": house.newest}


# -- F12 -------------------------------------------------------------------------------------------

POINTS = {
    "before claim",
    "after claim",
    "after target commit",
    "before state write",
    "before delete",
}


def where_it_died(house: Pipeline) -> str:
    """How far an order's worker had come."""
    link = house.link(the_order(house))
    if link.get("status") == "synced" and "holder" not in link:
        return "before delete"
    if link.get("external_id"):
        return "before state write"
    if house.orders.objects:
        return "after target commit"
    return "after claim" if "holder" in link else "before claim"


@pytest.mark.level("in-process")
def test_f12_killed_at_every_step_from_hint_to_delete_ends_as_if_nothing_happened(figures):
    def booked(kill_at: int | None) -> tuple[Pipeline, int]:
        house = Pipeline()
        placed(house)
        before = house.steps.taken
        house.steps.kill_at = kill_at and before + kill_at
        return house, before

    house, before = booked(None)
    at_rest(house)
    expected, steps = end_state(house), house.steps.taken - before
    died: Counter[str] = Counter()
    for kill_at in range(1, steps + 1):
        house, _ = booked(kill_at)
        while not house.driver.counted["crashed"] and (house.step() or house.wait()):
            pass
        died[where_it_died(house)] += 1
        at_rest(house)
        assert end_state(house) == expected
        assert house.orders.counts["create"] == house.customers.counts["create"] == 1
    assert set(died) == POINTS
    figures(killed=sum(died.values()), **{name.replace(" ", "_"): n for name, n in died.items()})


# -- F13 -------------------------------------------------------------------------------------------


class Wire(Shelf):
    """A shelf at the other end of a real client: what it is asked goes over a line."""

    def find(self, vendor: Any, reference: str, payload: Any) -> str | None:
        found = vendor.get("/orders", params={"reference": reference}).data
        return str(found[0]) if found else None

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        return str(vendor.post("/orders", json={"reference": reference}, writes=True).data)


class TimedHouse(House):
    """A house whose worker is a function that ends by the clock, with real clients.

    Attributes:
        find_s: how long the vendor takes to answer a search.
        create: what it does with a create, once; then it does what it is asked.
        begun: how much time the function had left when each create was sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.find_s = 0.0
        self.create: Callable[[httpx.Request], httpx.Response] | None = None
        self.begun: list[float] = []
        self.until = self.clock()
        self.orders = Wire(self.clock, self.steps, Kind.ORDER)
        self.serve({shelf.kind: shelf for shelf in (self.orders, self.customers)})

    def handle(self, to: str, event: Any) -> None:
        self.until = self.clock() + timedelta(seconds=self.bridge.timing.target_timeout)
        super().handle(to, event)

    def _capacity(self, lease: Lease) -> AbstractContextManager[Any]:
        connection = self.bridge.connection("erp")
        limiter = Limiter(self.rows, self.clock)
        return capacity(connection, limiter, self._client, self.clock, self.until)(lease)

    def _client(self, left: TimeLeft) -> VendorClient:
        return VendorClient(
            platform="memory",
            base_url="https://erp.example",
            auth=HeaderToken("X-Key", "k"),
            errors=ErrorRules(),
            timeout=timedelta(seconds=self.bridge.timing.call_timeout),
            transport=httpx.MockTransport(self._answer),
            deadline=left,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.clock.advance(self.find_s)
            reference = request.url.params["reference"]
            found = [key for key, one in self.orders.objects.items() if one.reference == reference]
            return httpx.Response(200, json=found)
        self.begun.append((self.until - self.clock()).total_seconds())
        create, self.create = self.create, None
        return create(request) if create else self.commit(request)

    def commit(self, request: httpx.Request) -> httpx.Response:
        """The vendor does what it is asked."""
        external_id = Shelf.create(self.orders, None, json.loads(request.content)["reference"], 0)
        return httpx.Response(200, json=external_id)

    def answer_too_late(self, request: httpx.Request) -> httpx.Response:
        """It does it, and answers when nobody listens any more."""
        self.commit(request)
        self.clock.advance(self.bridge.timing.call_timeout)
        raise httpx.ReadTimeout("too late", request=request)

    def outlive(self, request: httpx.Request) -> httpx.Response:
        """It does it, and the function ends meanwhile."""
        self.commit(request)
        self.clock.advance(self.bridge.timing.target_timeout)
        raise KilledError


@pytest.mark.level("in-process")
@pytest.mark.parametrize("find_s", [0, 10, 34, 36, 50, 59, 65, 200])
@pytest.mark.parametrize("then", ["commit", "answer_too_late", "outlive"])
def test_f13_no_write_is_begun_that_the_function_may_not_see_the_end_of(find_s, then):
    house = TimedHouse()
    house.place()
    house.find_s, house.create = find_s, getattr(house, then)
    for _ in range(20):
        if not house.messages:
            break
        to, event = house.messages.popleft()
        try:
            house.handle(to, event)
        except KilledError:
            house.clock.advance(house.bridge.timing.visibility)
            house.messages.append((to, event))
    # The next function has its whole time, and a vendor that has woken up.
    house.find_s = 0
    house.settle()
    invariants.hold(house)
    assert len(house.orders.objects) == 1
    assert house.begun
    assert min(house.begun) >= house.bridge.timing.call_timeout
    assert house.link(order_ref())["status"] == "synced"


# -- F14 -------------------------------------------------------------------------------------------


@pytest.mark.level("in-process")
@pytest.mark.parametrize("during", ["find", "create", "update"])
def test_f14_a_message_that_comes_again_while_the_first_copy_runs_makes_nothing(during, figures):
    house = Pipeline()
    # Shorter than a worker takes: the template forbids it, and the queue may do it all the same.
    house.driver.queues[DOCUMENTS].visibility = timedelta(seconds=5)
    nested: list[Counter[str]] = []

    def meanwhile() -> None:
        house.clock.advance(20)
        before = calls(house)
        while house.driver.step():
            nested.append(calls(house) - before)

    house.orders.meanwhile[during] = meanwhile
    placed(house)
    at_rest(house)
    # The message came again, and whoever had it then asked the target for nothing.
    assert nested
    assert not any(nested)
    assert len(house.orders.objects) == 1
    figures(redelivered=len(nested), created=house.orders.counts["create"])


def calls(house: Pipeline) -> Counter[str]:
    """What the target was asked so far."""
    return house.orders.counts + house.customers.counts


@pytest.mark.level("in-process")
@pytest.mark.parametrize("seed", range(6))
def test_f14_what_comes_twice_late_and_in_any_order_is_done_once(seed, figures):
    house = Pipeline(seed=seed, duplicates=0.3, longest_delay=120, shuffles=True)
    for number in range(6):
        placed(house, number + 1)
    for number in range(3):
        house.run(until=house.clock() + timedelta(seconds=7))
        for order in list(house.desk.orders):
            house.desk.update(order, {"po_number": f"PO-{number}"})
    states = at_rest(house)
    assert house.orders.counts["create"] == 6
    assert house.driver.counted["duplicated"] > 5
    assert set(states) == {"synced"}
    figures(came_twice=house.driver.counted["duplicated"], objects=len(house.orders.objects))


# -- F15 -------------------------------------------------------------------------------------------


@contextmanager
def vendor_of_all() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A vendor that serves two tenants, hands out cookies, and fails now and then."""
    heard: list[dict[str, str]] = []

    class Vendor(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            tenant = self.path.split("/")[1]
            names = ("X-Key", "Cookie", "X-Session")
            told = {name: self.headers.get(name, "") for name in names}
            heard.append({"tenant": tenant, **told})
            self.send_response(500 if len(heard) % 3 == 0 else 200)
            self.send_header("Set-Cookie", f"session=canary-session-{tenant}; Path=/")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Posted(Shelf):
    """A shelf that says with each create whose it is."""

    tenant = ""

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        if payload.lines[0].endswith(" 3"):
            raise KeyError(f"a mistake of ours about {reference}")
        vendor.post(f"/{self.tenant}/orders", json={"reference": reference}, writes=True)
        return super().create(vendor, reference, payload)


class Tenant(House):
    """One tenant's target function, one of several in a process."""

    def __init__(self, name: str, address: str) -> None:
        shop, erp = BRIDGE["connections"]
        super().__init__(connections=[shop, erp | {"base_url": address}])
        self.orders = Posted(self.clock, self.steps, Kind.ORDER)
        self.orders.tenant = name
        self.serve({shelf.kind: shelf for shelf in (self.orders, self.customers)})
        self.emf: list[str] = []
        house, secrets = self, {"api": json.dumps({"key": f"canary-key-{name}"})}

        class Ledger(TargetAdapter):
            platform = "memory"
            errors = ErrorRules()
            entities = {Kind.ORDER: house.orders, Kind.CUSTOMER: house.customers}  # noqa: RUF012
            search_lag = timedelta(seconds=5)
            longest_transaction = timedelta(seconds=60)

            def auth(self, secret: Mapping[str, Any], connection: Any) -> HeaderToken:
                return HeaderToken("X-Key", secret["key"])

        self.adapter = Ledger()
        settings = {"stage": "local", "table": "t", "bucket": "b", "bus": "b", "connection": "erp"}
        self.ports = Ports(
            FunctionSettings(**settings, dlq="dlq", api_secret="api"),
            self.bridge,
            self.rows,
            self.objects,
            self.queue,
            SecretStore(secrets.__getitem__, self.clock),
        )

    def handle(self, to: str, event: Any) -> None:
        """An invocation, as ``target_handler`` makes one."""
        if to == "assess":
            super().handle(to, event)
            return
        self._holder += 1
        entity = EntityRef(kind=event.kind, key=event.key)
        detail = {"kind": entity.kind, "key": entity.key, "correlation_id": f"of {entity}"}
        with Metrics(self.emf.append, lambda: 0.0) as metrics:
            worker = build(self.adapter, self.ports, metrics, self.clock)
            again = worker.work(Message(f"m{self._holder}", {"detail": detail}, 1))
        if again:
            self.clock.advance((again.after or timedelta(seconds=10)).total_seconds() + 1)
            self.messages.append((to, event))

    def turn(self) -> None:
        """One message, if there is any."""
        if self.messages:
            self.handle(*self.messages.popleft())


@pytest.mark.level("in-process")
@pytest.mark.enable_socket
def test_f15_a_warm_function_keeps_nothing_of_another_tenant_or_of_a_failure():
    with vendor_of_all() as (address, heard), captured_logs() as logs:
        tenants = {name: Tenant(name, address) for name in ("tenant-a", "tenant-b")}
        for number in range(1, 13):
            for place, house in enumerate(tenants.values()):
                house.place(100 * place + number, lines=[line(quantity=number % 4 + 1)])
        while any(house.messages for house in tenants.values()):
            for house in tenants.values():
                house.turn()
        states = Counter[str]()
        for house in tenants.values():
            assert len(house.queue.take("dlq")) == 3
            house.settle()
            states += invariants.hold(house)
    keys = Counter((one["tenant"], one["X-Key"]) for one in heard)
    assert set(keys) == {(name, f"canary-key-{name}") for name in tenants}
    assert not [one for one in heard if one["Cookie"]]
    assert states["parked"] == 2 * 3
    text = logs()
    invariants.nothing_personal(["canary-key", "canary-session"], logs=text)
    lines = [json.loads(line) for line in text.splitlines()]
    told = [line for line in lines if "entity" in line]
    assert len(told) > 10
    # What a line says of whom is of the message it was written for, after a failure, too.
    assert all(line["correlation_id"] == f"of {line['entity']}" for line in told)


# -- F17 -------------------------------------------------------------------------------------------


def worked(prepare: Callable[[Pipeline, int], None], number: int) -> Pipeline:
    """An order whose worker meets a fault at one of its calls to the table."""
    house = Pipeline()
    placed(house)
    # Assessed, and not yet looked at by the worker.
    house.working.concurrency = 0
    house.run()
    house.working.concurrency = 1
    prepare(house, number)
    return house


@pytest.mark.level("in-process")
@pytest.mark.parametrize("is_done", [False, True], ids=["refused", "done, answer lost"])
def test_f17_a_table_that_fails_at_any_call_costs_time_and_nothing_else(is_done, figures):
    def calls_of_a_booking() -> int:
        house = worked(lambda *_: None, 0)
        before = house.gate.calls
        house.run()
        return house.gate.calls - before

    def fault(house: Pipeline, number: int) -> None:
        house.gate.plan(number, is_done=is_done)

    total = calls_of_a_booking()
    for number in range(1, total + 1):
        house = worked(fault, number)
        at_rest(house)
        assert house.gate.struck == 1
        assert house.orders.counts["create"] == house.customers.counts["create"] == 1
    assert total > 20
    figures(struck=total, objects=1)


@pytest.mark.level("in-process")
@pytest.mark.parametrize("every", range(5, 12))
def test_f17_a_table_that_fails_now_and_then_for_long_parks_nothing(every, figures):
    def throttled(house: Pipeline, every: int) -> None:
        for number in range(every, 100 * every, every):
            house.gate.plan(number, is_done=False)

    house = worked(throttled, every)
    at_rest(house)
    assert house.gate.struck > 1
    assert house.driver.depth(DLQ) == 0
    assert house.orders.counts["create"] == house.customers.counts["create"] == 1
    assert not [row for row in house.rows.rows() if row.get("what") == "attempt"]
    figures(struck=house.gate.struck, objects=1)


@pytest.mark.level("in-process")
def test_f17_without_a_table_nothing_is_done_at_the_target_and_nothing_is_lost():
    house = worked(lambda *_: None, 0)
    house.gate.is_down = True
    house.run(until=house.clock() + timedelta(hours=4))
    assert house.orders.counts == house.customers.counts == {}
    assert house.driver.depth(DOCUMENTS) >= 1
    assert house.driver.depth(DLQ) == 0
    house.gate.is_down = False
    at_rest(house)
    assert len(house.orders.objects) == 1


# -- F18 -------------------------------------------------------------------------------------------


@pytest.mark.level("in-process")
def test_f18_invocations_that_are_refused_park_no_message_nobody_has_tried(figures):
    house = Pipeline()
    house.working.concurrency = house.assessing.concurrency = 1000
    placed(house)
    room = 0
    house.working.ceiling = house.assessing.ceiling = lambda: room
    house.run(until=house.clock() + timedelta(hours=12))
    assert house.driver.counted["throttled"] > 50
    dead = house.driver.queues[DLQ].copies.values()
    assert [copy for copy in dead if not copy.attempts] == []
    assert house.orders.counts == {}
    room = 1000
    at_rest(house)
    assert len(house.orders.objects) == 1
    figures(throttled=house.driver.counted["throttled"], parked_untried=0)


@pytest.mark.level("in-process")
def test_f18_few_receives_would_park_what_nobody_has_tried():
    # What the test before this one would see if the template's figure were a usual one.
    clock = Clock()
    driver = QueueDriver(clock)
    driver.add("dead")
    driver.add("work", most_receives=5, dead_letters="dead")
    driver.map("work", lambda _: None, ceiling=lambda: 0)
    driver.send("work", "{}")
    driver.run(until=clock() + timedelta(hours=1))
    (copy,) = driver.queues["dead"].copies.values()
    assert copy.attempts == 0
    # A mapping that knows its concurrency does not even receive.
    driver.mappings[0].concurrency = 0
    driver.send("work", "{}")
    driver.run(until=clock() + timedelta(hours=1))
    assert [copy.receives for copy in driver.queues["work"].copies.values()] == [0]


# -- F19 -------------------------------------------------------------------------------------------


def ten(driver: QueueDriver, work: Callable[[Message], Again | None]) -> Counter[str]:
    """A batch of ten through our own batch loop; gives how often each was worked on."""
    worked_on: Counter[str] = Counter()

    def counted(message: Message) -> Again | None:
        worked_on[str(message.body)] += 1
        return work(message)

    driver.add("dead")
    driver.add("work", dead_letters="dead")
    driver.map("work", lambda event: process(event, counted, driver.hide), batch=10)
    for number in range(10):
        driver.send("work", json.dumps(number))
    driver.run()
    assert driver.depth("work") == driver.depth("dead") == 0
    return worked_on


@pytest.mark.level("in-process")
@pytest.mark.parametrize("bad", [{3}, set(range(10))], ids=["one of ten", "all ten"])
def test_f19_what_failed_comes_back_and_what_was_done_does_not(bad):
    def work(message: Message) -> Again | None:
        if message.body in bad and message.receives < 4:
            raise RuntimeError("not yet")
        return None

    worked_on = ten(QueueDriver(Clock()), work)
    assert worked_on == {str(number): 4 if number in bad else 1 for number in range(10)}


MALFORMED: dict[str, Any] = {
    "an unknown id": {"batchItemFailures": [{"itemIdentifier": "somebody else"}]},
    "an empty id": {"batchItemFailures": [{"itemIdentifier": ""}]},
    "no id": {"batchItemFailures": [{"itemIdentifier": None}]},
    "another key": {"batchItemFailures": [{"messageId": "m1"}]},
    "no list": {"batchItemFailures": "m1"},
    "a text": "done",
}


@pytest.mark.level("in-process")
@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
def test_f19_an_answer_nobody_understands_brings_all_back_and_deletes_none(answer):
    house = Pipeline()
    spoiled = Counter[str]()

    def wrap(handler: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
        def handle(event: Mapping[str, Any]) -> Any:
            proper = handler(event)
            spoiled[name] += 1
            return answer if spoiled[name] <= 2 else proper

        return handle

    for mapped in house.driver.mappings:
        mapped.handler = wrap(mapped.handler, mapped.queue.name)
    for number in range(4):
        placed(house, number + 1)
    at_rest(house)
    assert house.driver.counted["malformed"] == 2 * 3
    assert house.orders.counts["create"] == 4
    assert {ASSESS, DOCUMENTS, RECORD} <= set(spoiled)


# -- F20 -------------------------------------------------------------------------------------------


class Poisoned(Shelf):
    """A shelf that cannot take one of the orders."""

    poison = ""
    error: Exception = RuntimeError("a mistake of ours")
    attempts = 0

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        if reference == self.poison:
            self.attempts += 1
            raise self.error
        return super().create(vendor, reference, payload)


def poisoned(error: Exception) -> tuple[Pipeline, Poisoned, EntityRef]:
    """Ten orders at a house whose target cannot take the fourth."""
    house = Pipeline()
    shelf = Poisoned(house.clock, house.steps, Kind.ORDER)
    house.orders = shelf  # type: ignore[assignment]
    house.serve({Kind.ORDER: shelf, Kind.CUSTOMER: house.customers})
    for number in range(10):
        placed(house, number + 1)
    bad = sorted(house.newest, key=str)[3]
    shelf.poison, shelf.error = bad.key, error
    house.working.batch = 10
    return house, shelf, bad


@pytest.mark.level("in-process")
@pytest.mark.parametrize(
    ("error", "attempts", "reason"),
    [
        (RuntimeError("a mistake of ours"), 5, "internal"),
        (TargetRejectedError("no such country", code="E42"), 1, "E42"),
    ],
)
def test_f20_poison_is_parked_with_its_reason_and_harms_nobody(error, attempts, reason, figures):
    house, shelf, bad = poisoned(error)
    states = at_rest(house)
    link = house.link(bad)
    assert (link["status"], link["reason"]) == ("parked", reason)
    assert shelf.attempts == attempts
    assert states["parked"] == 1
    assert shelf.counts["create"] == 9
    (pointer,) = house.driver.sent(DLQ)
    assert pointer.attributes["reason"] == reason
    assert json.loads(pointer.body)["key"] == bad.key
    # What is told of it later is tried as it is then, and no more often; what it said before is
    # superseded. When a person lets it go, the last word counts.
    house.desk.update(bad.external_id, {"po_number": "PO-LATER"})
    house.settle()
    assert shelf.attempts == 2 * attempts
    assert house.link(bad)["status"] == "parked"
    assert shelf.counts["create"] == 9
    shelf.poison = ""
    house.redrive(bad)
    states = at_rest(house)
    assert set(states) == {"synced"}
    assert shelf.counts["create"] == 10
    figures(parked=1, attempts=attempts, others=9)


@pytest.mark.level("in-process")
def test_f20_what_is_no_message_at_all_ends_in_the_dead_letters_alone():
    house = Pipeline()
    for name in (ASSESS, DOCUMENTS, RECORD):
        house.driver.queues[name].most_receives = 5
        house.driver.send(name, "{no message")
        house.driver.send(name, json.dumps({"detail-type": "Resync"}))
    placed(house)
    at_rest(house)
    dead = house.driver.sent(DLQ) + house.driver.sent("service-dlq")
    assert Counter(message.body for message in dead) == {
        "{no message": 3,
        json.dumps({"detail-type": "Resync"}): 3,
    }
    assert len(house.orders.objects) == 1


# -- F21 -------------------------------------------------------------------------------------------

HOURS = 6
MOST_CALLS = HOURS * 20
"""By its own message, and by the sweeper's hint where that waits longer: no oftener than every
three minutes on the average."""


@pytest.mark.level("in-process")
@pytest.mark.parametrize(
    "error",
    [
        RateLimitedError("slow", retry_after=timedelta(minutes=10)),
        TargetUnavailableError("down"),
        ConfigurationError("the key is not good"),
        OutcomeUnknownError("no answer"),
    ],
)
def test_f21_what_may_pass_is_not_parked_and_makes_no_storm(error, figures):
    house, shelf, bad = poisoned(error)
    for _ in range(HOURS * 60):
        house.run(until=house.clock() + timedelta(minutes=1))
        house.sweeper.run()
    assert house.link(bad)["status"] != "parked"
    assert house.driver.depth(DLQ) == 0
    assert 2 < shelf.attempts <= MOST_CALLS
    attempts, shelf.poison = shelf.attempts, ""
    states = at_rest(house)
    assert set(states) == {"synced"}
    assert shelf.counts["create"] == 10
    figures(hours=HOURS, attempts=attempts)


@pytest.mark.level("in-process")
@pytest.mark.parametrize(
    "error", [TargetRejectedError("no"), MappingError("no product", cause="MAP#erp#sku/X")]
)
def test_f21_what_will_not_pass_is_asked_once_and_waits_for_a_person(error):
    house, shelf, bad = poisoned(error)
    for _ in range(HOURS * 60):
        house.run(until=house.clock() + timedelta(minutes=1))
        house.sweeper.run()
    assert shelf.attempts == 1
    assert house.link(bad)["status"] in {"parked", "held"}


def errors_of(platform: str) -> ErrorRules:
    """The error table of a platform's target adapter."""
    module = importlib.import_module(f"platforms.{platform}.target")
    return next(
        kind.errors
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, TargetAdapter)
        and kind.__module__ == module.__name__
        and hasattr(kind, "errors")
    )


ROOT_MANIFESTS = load_registry(importlib.import_module("tests.kit.wholesaler").ROOT)
TARGETS = sorted(slug for slug, one in ROOT_MANIFESTS.items() if one.functions.target)
PASSES = (408, 425, 429, 502, 503, 504)
"""No vendor means by these that what was asked is wrong."""

REFUSALS = (400, 410, 422)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", TARGETS)
def test_f21_every_targets_table_tells_what_passes_from_what_does_not(platform):
    rules = errors_of(platform)

    def verdict(status: int, *, writes: bool) -> FizzbridgeError | None:
        answer = Answer(status, {"content-type": "application/json"}, {}, "{}")
        return rules.error(answer, platform=platform, call="POST /x", writes=writes)

    for status in PASSES:
        for writes in (False, True):
            assert isinstance(verdict(status, writes=writes), RetryableError), status
    for status in (500, 502, 503, 504):
        # It may have been done: nobody may send it again without looking.
        assert isinstance(verdict(status, writes=True), OutcomeUnknownError), status
    for status in REFUSALS:
        assert isinstance(verdict(status, writes=True), PermanentError), status
    # A path that is not there is the document's, or the connection's: never a matter of waiting.
    assert isinstance(verdict(404, writes=True), PermanentError | ConfigurationError)
    assert isinstance(verdict(401, writes=True), ConfigurationError)
    assert verdict(200, writes=True) is None


# -- F24 -------------------------------------------------------------------------------------------


@pytest.mark.level("in-process")
def test_f24_what_waits_too_long_is_seen_long_before_and_comes_back():
    house = Pipeline()
    placed(house)
    house.working.concurrency = 0
    begun = house.clock()
    threshold = RETENTION / 4
    house.run(until=begun + threshold)
    # The oldest message is as old as the alarm waits for, with three quarters of its life left.
    oldest = min(copy.sent_at for copy in house.driver.queues[DOCUMENTS].copies.values())
    assert house.clock() - oldest >= threshold - timedelta(seconds=5)
    house.run(until=begun + RETENTION + timedelta(hours=1))
    house.working.concurrency = 1
    house.run()
    # Nobody heeded it, and the queue forgot: the link did not.
    assert [copy.attempts for copy in house.driver.expired]
    assert house.orders.objects == {}
    house.driver.expired.clear()
    at_rest(house)
    assert len(house.orders.objects) == 1


@pytest.mark.level("in-process")
def test_f24_a_dead_letter_outlives_the_queue_it_came_from():
    clock = Clock()
    driver = QueueDriver(clock)
    driver.add("dead", retention=timedelta(days=14))
    driver.add("work", most_receives=3, dead_letters="dead", visibility=86400)
    driver.map("work", lambda _: {"batchItemFailures": [{"itemIdentifier": "m1"}]})
    driver.send("work", "{}")
    driver.run(until=clock() + timedelta(days=3, hours=1))
    assert driver.depth("dead") == 1
    # The letter is as old as its message: with the queue's own retention it would be gone.
    driver.map("dead", lambda _: None)
    clock.advance(timedelta(days=10).total_seconds())
    driver.run()
    assert driver.counted["expired"] == 0


# -- on the emulator -------------------------------------------------------------------------------

TABLE_FAULTS = {
    "throttled": error("ThrottlingException"),
    "fails": error("InternalServerError"),
    "answer lost": LOST_REPLY,
    "answer cut": CUT_REPLY,
    "hangs up": {"reset": True},
}


@pytest.mark.level("emulator")
@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize("often", [[1, 2], [4, 5]], ids=["now and then", "longer than a resend"])
@pytest.mark.parametrize("fault", TABLE_FAULTS.values(), ids=TABLE_FAULTS)
def test_f17_a_real_table_that_fails_costs_time_and_nothing_else(
    aws_address, faulty_address, fault, often, figures
):
    cloud = Cloud(aws_address, faulty_address)
    try:
        house = Pipeline(table=cloud.table, objects=cloud.objects)
        house.gate.before(cloud.reached["table"])
        before = cloud.fired
        cloud.strike("dynamodb", sequence=often, **fault)
        with captured_logs() as logs:
            for number in range(2):
                placed(house, number + 1)
                house.settle(rounds=3)
            struck = cloud.fired - before
            cloud.heal()
            at_rest(house, logs())
        assert struck > 10
        assert house.orders.counts["create"] == 2
        assert house.customers.counts["create"] == 1
        assert house.driver.depth(DLQ) == 0
        figures(struck=struck, created=2)
    finally:
        cloud.close()


# -- templates -------------------------------------------------------------------------------------


def resources(templates: Any, kind: str) -> dict[str, dict[str, Any]]:
    """Properties of all resources of a type."""
    return {path: one["Properties"] for path, one in templates.resources(kind).items()}


def named_in(templates: Any, path: str, value: Any) -> str:
    """What a value of a template names, in words."""
    return named(value, templates.templates[path.split("/")[0]]["Resources"]).strip("<>")


def let_in(templates: Any) -> dict[str, list[str]]:
    """By queue, the rules its policy lets send to it."""
    found: dict[str, list[str]] = {}
    for path, policy in resources(templates, "AWS::SQS::QueuePolicy").items():
        queues = [named_in(templates, path, one) for one in policy["Queues"]]
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            for arn in as_list(statement["Condition"]["ArnLike"]["aws:SourceArn"]):
                for queue in queues:
                    found.setdefault(queue, []).append(named_in(templates, path, arn))
    return found


def watched(templates: Any, metric: str) -> set[str]:
    """Queues or functions that have an alarm on a metric."""
    return {
        named_in(templates, path, one["Value"]).removesuffix(".QueueName")
        for path, alarm in resources(templates, "AWS::CloudWatch::Alarm").items()
        if alarm.get("MetricName") == metric and alarm["AlarmActions"]
        for one in alarm.get("Dimensions", [])
    }


@pytest.mark.level("template")
@pytest.mark.slow
def test_f16_what_a_rule_cannot_deliver_lands_in_a_watched_queue(templates, figures):
    rules = resources(templates, "AWS::Events::Rule")
    queues = {one["QueueName"]: one for one in resources(templates, "AWS::SQS::Queue").values()}
    allowed = let_in(templates)
    alarmed = watched(templates, "ApproximateNumberOfMessagesVisible")
    targets = 0
    for path, rule in rules.items():
        for target in rule["Targets"]:
            targets += 1
            retry = target["RetryPolicy"]
            assert retry["MaximumEventAgeInSeconds"] == 86400
            assert retry["MaximumRetryAttempts"] == 185
            queue = named_in(templates, path, target["Arn"])
            dead = queue_named(named_in(templates, path, target["DeadLetterConfig"]["Arn"]), queues)
            # Both let this very rule in, and neither asks for a key the bus has no grant for.
            for one in (queue, dead):
                senders = [text.rsplit("rule/", 1)[-1] for text in allowed[one]]
                assert any(fits(rule["Name"], sender) for sender in senders), (one, rule["Name"])
                assert "KmsMasterKeyId" not in queues[one]
                assert queues[one]["SqsManagedSseEnabled"] is True
            assert dead in alarmed
            assert queues[dead]["MessageRetentionPeriod"] == 14 * 86400
    assert targets == len(rules) > 3
    figures(rules=len(rules), targets=targets)


def queue_named(text: str, queues: Mapping[str, Any]) -> str:
    """The queue a value names: by itself, or as another stack exports it."""
    if text in queues:
        return text
    (found,) = [name for name in queues if name.endswith("-undelivered")]
    assert "undelivered" in text.lower()
    return found


def fits(name: str, pattern: str) -> bool:
    """Whether a rule's name fits what a policy allows."""
    return (
        re.fullmatch(re.escape(pattern.rsplit("/", 1)[-1]).replace(r"\*", ".*"), name) is not None
    )


@pytest.mark.level("template")
@pytest.mark.slow
def test_f18_mappings_are_bounded_functions_are_not_and_receives_are_many(templates, figures):
    mappings = resources(templates, "AWS::Lambda::EventSourceMapping")
    of_queues = {path: one for path, one in mappings.items() if "StartingPosition" not in one}
    for path, mapping in of_queues.items():
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2, path
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], path
    for path, function in resources(templates, "AWS::Lambda::Function").items():
        assert "ReservedConcurrentExecutions" not in function, path
    for path, queue in resources(templates, "AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue:
            receives = queue["RedrivePolicy"]["maxReceiveCount"]
            assert receives >= 5, path
            # Even a queue nobody is let work on keeps its messages until they are too old.
            assert receives * queue["VisibilityTimeout"] >= queue["MessageRetentionPeriod"], path
    figures(mappings=len(of_queues))


@pytest.mark.level("template")
@pytest.mark.slow
def test_f05_what_was_spilled_has_hands_enough(templates):
    for path, mapping in resources(templates, "AWS::Lambda::EventSourceMapping").items():
        if named_in(templates, path, mapping["EventSourceArn"]).endswith("-pull"):
            assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 20, path


@pytest.mark.level("template")
@pytest.mark.slow
def test_f09_the_stage_lets_a_burst_in_and_throttles_are_told(templates):
    (stage,) = resources(templates, "AWS::ApiGatewayV2::Stage").values()
    settings = stage["DefaultRouteSettings"]
    # Ten thousand in a minute, and the same again on top.
    assert settings["ThrottlingRateLimit"] >= 2 * 10_000 / 60
    assert settings["ThrottlingBurstLimit"] >= settings["ThrottlingRateLimit"]
    functions = resources(templates, "AWS::Lambda::Function")
    assert {one["FunctionName"] for one in functions.values()} <= watched(templates, "Throttles")
    for path, function in functions.items():
        assert "ReservedConcurrentExecutions" not in function, path


@pytest.mark.level("template")
@pytest.mark.slow
def test_f14_visibility_is_six_times_what_a_worker_takes(templates):
    queues = {one["QueueName"]: one for one in resources(templates, "AWS::SQS::Queue").values()}
    checked = 0
    for path, mapping in resources(templates, "AWS::Lambda::EventSourceMapping").items():
        queue = queues.get(named_in(templates, path, mapping["EventSourceArn"]))
        if queue:
            checked += 1
            stack = templates.templates[path.split("/")[0]]["Resources"]
            function = stack[mapping["FunctionName"]["Ref"]]["Properties"]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"], path
    assert checked > 3


@pytest.mark.level("template")
@pytest.mark.slow
def test_f24_every_queue_is_watched_at_a_quarter_of_its_life(templates, figures):
    alarms = {
        named_in(templates, path, alarm["Dimensions"][0]["Value"]): alarm
        for path, alarm in resources(templates, "AWS::CloudWatch::Alarm").items()
        if alarm.get("MetricName") == "ApproximateAgeOfOldestMessage"
    }
    queues = resources(templates, "AWS::SQS::Queue")
    dead = {
        named_in(templates, path, queue["RedrivePolicy"]["deadLetterTargetArn"])
        for path, queue in queues.items()
        if "RedrivePolicy" in queue
    }
    retention = {one["QueueName"]: one["MessageRetentionPeriod"] for one in queues.values()}
    working = {name for name in retention if not name.endswith(("-dlq", "-undelivered"))}
    for name in working:
        alarm = alarms[f"{name}.QueueName"]
        assert alarm["Threshold"] == retention[name] / 4
        assert alarm["AlarmActions"]
    for name in dead & set(retention):
        assert retention[name] == 14 * 86400 > max(retention[one] for one in working)
    figures(queues=len(working), dead_letter_queues=len(dead))
