"""F1 to F11: from a delivery to the bus."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from fizzbridge.bus import EventBridgeBus
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.observation import Told
from fizzbridge.runtime.loading import Loader
from fizzbridge.secrets import SecretUnavailableError
from fizzbridge.settings import compile_bridge
from fizzbridge.webhook.adapter import Route
from platforms.shopify import mapping, wire
from platforms.shopify.webhook import ShopifyWebhook
from tests.kit import invariants
from tests.kit.aws_faults import LOST_REPLY, Cloud, HeardBus, error
from tests.kit.queue_driver import DLQ, PULL, Pipeline
from tests.kit.source import bridge, captured_logs

ROOT = Path(__file__).resolve().parents[2]
PERSON = {
    "first_name": "Canaryada",
    "last_name": "Canarylove",
    "email": "canary.person@bar.example",
}
ADDRESS = {"address1": "1 Canaryquay", "phone": "+353861234567"}
MARKERS = [*PERSON.values(), *ADDRESS.values(), "signed with this", "canary-token", "canary-key"]


def placed(house: Pipeline, quantity: int = 10) -> EntityRef:
    """Somebody orders, whose name and address are looked for everywhere afterwards."""
    return house.order(quantity=quantity, customer=PERSON, address=ADDRESS)


def draft(quantity: int = 1) -> dict[str, Any]:
    lines = [{"sku": "COLA330-C24", "quantity": quantity}]
    return {"lines": lines, "customer": PERSON, "company": {"id": 7001, "location_id": 8001}}


def at_rest(house: Pipeline, logs: str = "") -> Counter[str]:
    """All invariants of a house with nothing left to do; gives how many links are how."""
    house.settle()
    invariants.conserved(house.reception)
    invariants.drained(house.reception)
    assert not house.given_up, "the shop has given up"
    assert not house.driver.expired
    said = {"logs": logs, "metrics": house.lines, "sent": house.sent.messages}
    return invariants.hold(house, house.newest, MARKERS, **said)


@contextmanager
def logs_of(few: bool) -> Iterator[Callable[[], str]]:
    """What is logged meanwhile; nothing is, where there would be gigabytes of it."""
    if few:
        with captured_logs() as logs:
            yield logs
        return
    logging.disable(logging.CRITICAL)
    try:
        yield lambda: ""
    finally:
        logging.disable(logging.NOTSET)


def calls(house: Pipeline) -> Counter[str]:
    """What the target was asked so far."""
    return house.orders.counts + house.customers.counts


# -- F1 --------------------------------------------------------------------------------------------


@pytest.mark.level("in-process")
def test_f01_the_same_delivery_for_a_week_has_one_effect():
    with captured_logs() as logs:
        house = Pipeline()
        order = placed(house)
        first = house.reception.receipts[-1].event
        before = calls(house)
        for wait_s in (1, 60, 3600, 75 * 3600, 7 * 86400):
            house.clock.advance(wait_s)
            assert house.receive(first)["statusCode"] == 200
            house.settle()
        assert calls(house) == before
        # What was told since is newer, and stays: the old delivery may come after it, too.
        house.desk.update(order.external_id, {"po_number": "PO-2"})
        house.settle()
        changed = calls(house)
        assert house.receive(first)["statusCode"] == 200
        states = at_rest(house, logs())
        assert calls(house) == changed
    assert house.reception.counted["equal"] >= 5
    assert house.reception.counted["older"] >= 1
    assert states["synced"] == sum(states.values())
    assert len(house.orders.objects) == 1


@pytest.mark.level("in-process")
def test_f01_a_shop_that_hears_no_answer_sends_again_and_nothing_moves():
    house = Pipeline()
    house.lost_answers = 7
    placed(house)
    at_rest(house)
    assert len(house.reception.receipts) == 2 + 7
    assert len(house.orders.objects) == 1


# -- F2 --------------------------------------------------------------------------------------------

COPIES = 50


def at_once(house: Pipeline, deliveries: list[Mapping[str, Any]]) -> list[int]:
    """Deliveries at as many functions, all at the same instant."""
    start = Barrier(len(deliveries))

    def send(delivery: Mapping[str, Any]) -> int:
        start.wait()
        return house.reception.receive(delivery)

    with ThreadPoolExecutor(len(deliveries)) as pool:
        return list(pool.map(send, deliveries))


@pytest.mark.level("in-process")
def test_f02_fifty_copies_at_the_same_instant_are_one_order(figures):
    house = Pipeline()
    with house.collected() as letters:
        house.desk.place(draft())
    assert at_once(house, letters[-1:] * COPIES) == [200] * COPIES
    at_rest(house)
    assert len(house.orders.objects) == 1
    assert house.orders.counts["create"] == 1
    figures(copies=COPIES, acknowledged=house.reception.statuses[200], created=1)


# -- F3 --------------------------------------------------------------------------------------------


@pytest.mark.level("in-process")
def test_f03_killed_anywhere_on_the_way_in_the_retry_is_published(figures):
    def order(kill_at: int | None) -> Pipeline:
        house = Pipeline()
        house.steps.kill_at = kill_at
        house.desk.place(draft())
        return house

    steps = order(None).steps.taken
    assert steps > 6
    killed = kept = 0
    for kill_at in range(1, steps + 1):
        house = order(kill_at)
        # The gateway says 502 for a function that is gone, and the shop sends again.
        killed += len(house.unheard)
        at_rest(house)
        assert house.link(ref(Kind.ORDER, "shop", next(iter(house.desk.orders))))["external_id"]
        assert len(house.orders.objects) == 1
        kept += len(house.orders.objects)
    assert killed == steps
    figures(killed=killed, lost=steps - kept)


@pytest.mark.level("in-process")
def test_f03_what_the_stream_never_told_is_swept_up():
    house = Pipeline()
    with house.collected() as letters:
        house.desk.place(draft())
    for letter in letters:
        assert house.receive(letter)["statusCode"] == 200
    # The rows are there, and of their announcement nothing.
    assert len(house.records) > 1
    house.records.clear()
    assert house.receive(letters[-1])["statusCode"] == 200
    assert house.reception.receipts[-1].counted["equal"] == 1
    at_rest(house)
    assert len(house.orders.objects) == 1


# -- F4, F6 ----------------------------------------------------------------------------------------


class Choosy:
    """A client of the bus that answers 200 and takes some of the entries."""

    def __init__(self, house: Pipeline, codes: list[str], seed: int = 1) -> None:
        self._house = house
        self._codes = codes
        self._chance = random.Random(seed)  # noqa: S311
        self.taken: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.resent_taken = 0
        self._last: dict[str, bool] = {}

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803  AWS's name
        results: list[dict[str, str]] = []
        fates: dict[str, bool] = {}
        for one in Entries:
            event_id = json.loads(one["Detail"])["event_id"]
            # Nothing that was taken a moment ago may be in the next try of the same call.
            self.resent_taken += self._last.get(event_id, False)
            if self._codes and self._chance.random() < 0.4:
                fates[event_id] = False
                self.refused[event_id] += 1
                results.append({"ErrorCode": self._chance.choice(self._codes)})
                continue
            fates[event_id] = True
            self.taken[event_id] += 1
            results.append({"EventId": event_id})
            self._house.deliver(one["DetailType"], one["Detail"])
        self._last = fates
        failed = sum("ErrorCode" in one for one in results)
        return {"FailedEntryCount": failed, "Entries": results}


@pytest.mark.level("in-process")
@pytest.mark.parametrize("codes", [["InternalFailure", "ThrottlingException"], ["NotAuthorized"]])
def test_f04_of_a_call_that_half_succeeded_only_the_rest_goes_again(codes, figures):
    house = Pipeline()
    client = Choosy(house, codes)
    house.bus = EventBridgeBus(client, "bus", pause=lambda _: None)  # type: ignore[assignment,arg-type]
    for number in range(12):
        placed(house, number + 1)
    house.settle()
    assert sum(client.refused.values()) > 10
    assert set(client.refused) <= set(client.taken), "an event was never taken"
    if len(codes) > 1:
        # What may pass is tried again in the same run: what was taken is not in there any more.
        assert client.resent_taken == 0
    at_rest(house)
    assert len(house.orders.objects) == 12
    lost = 12 - len(house.orders.objects)
    figures(refused=sum(client.refused.values()), taken=len(client.taken), lost=lost)


@pytest.mark.level("in-process")
def test_f06_events_put_without_an_answer_come_twice_and_do_nothing_more():
    house = Pipeline()
    house.bus.lost_answers = 5
    order = placed(house)
    at_rest(house)
    ids = Counter(json.loads(entry.detail)["event_id"] for entry in house.bus.entries)
    assert max(ids.values()) > 1
    assert house.orders.counts["create"] == house.customers.counts["create"] == 1
    lines = house.rows.query(str(order), "TIMELINE#")
    booked = [line for line in lines if line["what"] == "OrderBooked"]
    assert len(booked) == 1


# -- F5 --------------------------------------------------------------------------------------------

OUTAGE_S = 600
RECOVERY_S = 300
MERGE_S, REFUSED_S = 0.1, 5.0
"""What a run of pull takes: with a bucket and a table that answer, and with a table that does not
until the client gives up. Both on the long side of what AWS shows."""

PULLERS = 20
"""As many as the template lets run at once."""


@pytest.mark.level("in-process")
@pytest.mark.parametrize("rate", [0.5, pytest.param(50, marks=pytest.mark.slow)])
def test_f05_ten_minutes_without_table_and_bus_lose_nothing(rate, figures):
    with logs_of(rate < 10) as logs:
        house = Pipeline()
        house.pulling.concurrency = PULLERS
        house.pulling.takes = lambda: REFUSED_S if house.gate.is_down else MERGE_S
        orders = [house.desk.place(draft()).id for _ in range(int(rate * 10))]
        house.settle()
        house.gate.is_down = house.bus.is_down = True
        begun = house.clock()
        for number in range(int(rate * OUTAGE_S)):
            house.run(until=begun + timedelta(seconds=number / rate))
            house.desk.update(orders[number % len(orders)], {"po_number": f"PO-{number}"})
        house.gate.is_down = house.bus.is_down = False
        recovered = house.clock()
        assert house.reception.statuses == {200: len(house.reception.receipts)}
        spilled = house.reception.counted["spilled"]
        assert spilled == rate * OUTAGE_S
        house.run(until=recovered + timedelta(seconds=RECOVERY_S))
        assert house.driver.depth(PULL) == 0
        lost = 0
        for order_id in orders:
            stored = Loader(house.rows, house.objects).view(ref(Kind.ORDER, "shop", order_id))
            newest = house.newest_of(order_id).fingerprint()
            lost += stored.request is None or stored.request.fingerprint() != newest
        assert lost == 0
        at_rest(house, logs())
    figures(
        load=f"{rate} deliveries a second for {OUTAGE_S} s without table and bus",
        deliveries=len(house.reception.receipts),
        acknowledged=house.reception.statuses[200],
        spilled=spilled,
        lost=lost,
    )


# -- F7 --------------------------------------------------------------------------------------------

STARTED = """
import sys
reached = []
sys.addaudithook(lambda name, args: reached.append(name) if name.startswith("socket.") else None)
from platforms.shopify.webhook import handler
assert handler.adapter.platform == "shopify"
assert "_receiver" in vars(handler), "the clients are made in the init phase"
print(len([name for name in reached if name in {"socket.connect", "socket.getaddrinfo"}]))
print(*sys.modules)
"""
UNWANTED = {
    "httpx",
    "boto3",
    "fizzbridge.http",
    "fizzbridge.runtime.puller",
    "fizzbridge.runtime.worker",
    "fizzbridge.runtime.converge",
    "fizzbridge.runtime.assess",
    "platforms.shopify.pull",
    "platforms.shopify.target",
}


@pytest.mark.level("in-process")
def test_f07_a_cold_function_loads_little_and_calls_nobody(tmp_path, figures):
    package = tmp_path / "bridge_config"
    package.mkdir()
    for name, content in compile_bridge(bridge("shopify")).items():
        (package / name).write_bytes(content)
    environment = {
        "FIZZBRIDGE_STAGE": "test",
        "FIZZBRIDGE_TABLE": "table",
        "FIZZBRIDGE_BUCKET": "bucket",
        "FIZZBRIDGE_BUS": "bus",
        "FIZZBRIDGE_CONNECTION": "shop-uk",
        "FIZZBRIDGE_PULL_QUEUE": "http://127.0.0.1:9/pull",
        "FIZZBRIDGE_SIGNING_SECRET": "signing",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }
    done = subprocess.run(  # noqa: S603  # our own interpreter and text
        [sys.executable, "-c", STARTED], env=environment, capture_output=True, text=True, check=True
    )
    connects, loaded = done.stdout.splitlines()
    modules = set(loaded.split())
    assert connects == "0"
    assert not UNWANTED & modules
    assert "fizzbridge.webhook.receive" in modules
    figures(modules=len(modules), calls_at_init=0)


# -- F8 --------------------------------------------------------------------------------------------

KB, MB = 1000, 1_000_000
SIZES = (64 * KB, 256 * KB, 1 * MB, 5 * MB)


def padded(house: Pipeline, order_id: int, size: int) -> bytes:
    """An order's body, so long that a note fills it up that no compression makes small."""
    facts = house.desk.order(order_id).facts
    facts["note"] = ""
    bare = len(json.dumps(house.desk.order(order_id).body()).encode())
    digits = random.Random(7).randbytes((size - bare + 1) // 2).hex()  # noqa: S311
    facts["note"] = digits[: size - bare]
    body = json.dumps(house.desk.order(order_id).body()).encode()
    assert len(body) == size
    return body


def unsent(house: Pipeline) -> int:
    """An order of which the shop has said nothing yet."""
    with house.collected():
        return house.desk.place(draft()).id


@pytest.mark.level("in-process")
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_f08_a_body_of_any_size_is_kept_whole(size, encoded):
    with captured_logs() as logs:
        house = Pipeline()
        order_id = unsent(house)
        sent = house.delivery("orders/create", padded(house, order_id, size), encoded=encoded)
        assert house.receive(sent)["statusCode"] == 200
        at_rest(house, logs())
    order = ref(Kind.ORDER, "shop", order_id)
    row = house.rows.get(str(order), "PART#request")
    assert row
    # Small ones lie in the row, compressed; of large ones the row has a key only.
    assert ("body_ref" in row) == (size > 128 * KB)
    assert ("body_z" in row) == (size <= 128 * KB)
    stored = Loader(house.rows, house.objects).view(order).request
    assert stored
    assert len(stored.note) > size - 20 * KB
    assert max(entry.size for entry in house.bus.entries) < 64 * KB
    assert all(len(body) < 64 * KB for body, _ in house.sent.messages)


@pytest.mark.level("in-process")
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("size", [5 * MB + 1, 11 * MB])
def test_f08_a_body_too_large_is_refused_with_413_and_the_poll_brings_it(size, encoded):
    house = Pipeline()
    order_id = unsent(house)
    sent = house.delivery("orders/create", padded(house, order_id, size), encoded=encoded)
    assert house.receive(sent)["statusCode"] == 413
    assert house.reception.receipts[-1].counted["rejected"] == 1
    assert house.rows.rows() == []
    house.driver.send(PULL, json.dumps({"type": "poll", "stream": "orders"}))
    at_rest(house)
    assert len(house.orders.objects) == 1


@pytest.mark.level("in-process")
@pytest.mark.parametrize("bucket_too", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_f08_a_large_body_is_spilled_by_claim_check_or_asked_for_again(size, bucket_too):
    house = Pipeline()
    order_id = unsent(house)
    sent = house.delivery("orders/create", padded(house, order_id, size))
    house.gate.is_down, house.bucket.is_down = True, bucket_too
    status = house.receive(sent)["statusCode"]
    # A message takes a small body where the bucket does not; of a large one nobody has heard.
    assert status == (503 if bucket_too and size > 200 * KB else 200)
    assert all(len(body) < 512 * KB for body, _ in house.sent.messages)
    house.gate.is_down = house.bucket.is_down = False
    at_rest(house)
    assert len(house.orders.objects) == 1


# -- F9 --------------------------------------------------------------------------------------------


@pytest.mark.level("in-process")
@pytest.mark.parametrize("burst", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_f09_a_burst_is_acknowledged_whole(burst, figures):
    with logs_of(burst < 1000) as logs:
        house = Pipeline(seed=5, shuffles=True, duplicates=0.02)
        shuffled = random.Random(5)  # noqa: S311
        with house.collected() as letters:
            while len(letters) < burst:
                order = house.desk.place(draft()).id
                for number in range(4):
                    house.clock.advance(1)
                    house.desk.update(order, {"po_number": f"PO-{number}"})
        burst_of = letters[:burst]
        shuffled.shuffle(burst_of)
        for delivery in burst_of:
            assert house.receive(delivery)["statusCode"] == 200
            house.clock.advance(60 / burst)
        # What was cut off at the end of the burst is told by the next poll.
        house.driver.send(PULL, json.dumps({"type": "poll", "stream": "orders"}))
        at_rest(house, logs())
    lost = len(house.desk.orders) - len(house.orders.objects)
    assert lost == 0
    figures(
        load=f"{burst:,} deliveries in a minute, shuffled, some of them twice",
        deliveries=burst,
        acknowledged=house.reception.statuses[200],
        orders=len(house.desk.orders),
        lost=lost,
    )


# -- F10 -------------------------------------------------------------------------------------------


def spoiled(name: str, body: dict[str, Any]) -> bytes:
    """A delivery's body as no vendor's documentation has it."""
    match name:
        case "new field":
            return json.dumps(body | {"surprise": {"deep": [1, None]}}).encode()
        case "missing field":
            return json.dumps({key: one for key, one in body.items() if key != "id"}).encode()
        case "wrong type":
            return json.dumps(body | {"line_items": "two of those"}).encode()
        case "wrong amount":
            return json.dumps(body | {"current_total_price": [1]}).encode()
        case "no json":
            return json.dumps(body).encode()[:-7]
        case "a list":
            return b"[]"
    return b"null"


BODIES = ["missing field", "wrong type", "no json", "a list", "null"]


@pytest.mark.level("in-process")
@pytest.mark.parametrize("how", BODIES)
def test_f10_what_cannot_be_read_is_acknowledged_counted_and_kept(how):
    with captured_logs() as logs:
        house = Pipeline()
        order_id = unsent(house)
        whole = house.desk.order(order_id).body()
        body = spoiled(how, whole)
        sent = house.delivery("orders/create", body)
        # A vendor that sends it eight times more must not hear a 5xx once.
        assert [house.receive(sent)["statusCode"] for _ in range(9)] == [200] * 9
        house.run()
        kept = house.rows.query("CONNECTION#shop", "QUARANTINE#")
        assert kept
        assert house.counted["quarantined"] == 9
        assert body in {house.objects.get(key) for key in house.objects.keys()}  # noqa: SIM118
        assert house.reception.counted["spilled"] == 9
        # The shop's next word of the same order is taken as if nothing had been.
        house.receive(house.delivery("orders/updated", json.dumps(whole).encode()))
        at_rest(house, logs())
    assert len(house.orders.objects) == 1


@pytest.mark.level("in-process")
def test_f10_what_is_new_or_not_ours_does_no_harm():
    house = Pipeline()
    order_id = unsent(house)
    body = spoiled("new field", house.desk.order(order_id).body())
    assert house.receive(house.delivery("orders/create", body))["statusCode"] == 200
    assert house.receive(house.delivery("moons/created", body))["statusCode"] == 200
    assert house.receive(house.delivery("moons/created", b"no json"))["statusCode"] == 200
    assert house.receive(house.delivery("products/delete", b"{}"))["statusCode"] == 200
    assert house.reception.counted["ignored"] == 3
    at_rest(house)
    assert house.reception.counted["spilled"] == 0
    assert len(house.orders.objects) == 1


# -- F11 -------------------------------------------------------------------------------------------


class Mistaken(ShopifyWebhook):
    """Our adapter, on the day a mistake of ours is deployed with it."""

    is_wrong = True

    def __init__(self) -> None:
        order = Route(wire.Order, self._order)
        self.routes = {**ShopifyWebhook.routes, "orders/create": order, "orders/updated": order}  # type: ignore[misc]

    def _order(self, told: wire.Order, connection: str) -> Iterator[Told]:
        if self.is_wrong:
            raise KeyError(f"a mistake that quotes {told.email}")
        return iter(list(mapping.order(told, connection)))


@pytest.mark.level("in-process")
def test_f11_a_mistake_of_ours_costs_neither_deliveries_nor_our_standing(figures):
    adapter = Mistaken()
    with captured_logs() as logs:
        house = Pipeline(adapter=adapter)
        orders = [house.desk.place(draft(number)).id for number in range(1, 21)]
        house.run()
        # The shop has heard of no failure, and waits for none of its deliveries.
        assert house.reception.statuses == {200: len(house.reception.receipts)}
        assert not house.unheard
        assert house.counted["quarantined"] == len(orders)
        assert house.driver.depth(DLQ) == len(orders)
        labels = {message.attributes["blame"] for message in house.driver.sent(DLQ)}
        assert labels == {"ours"}
        adapter.is_wrong = False
        assert house.back() == len(orders)
        at_rest(house, logs())
    assert len(house.orders.objects) == len(orders)
    assert house.driver.depth(DLQ) == 0
    kept = len(house.orders.objects)
    figures(deliveries=len(orders), kept=kept, lost=len(orders) - kept)


# -- on the emulator -------------------------------------------------------------------------------


@pytest.fixture
def cloud(aws_address, faulty_address):
    made = Cloud(aws_address, faulty_address)
    yield made
    made.close()


def in_cloud(cloud: Cloud, **more: Any) -> Pipeline:
    """A house whose rows and objects are the emulator's; the sweeper brings what moves."""
    house = Pipeline(table=cloud.table, objects=cloud.objects, **more)
    house.gate.before(cloud.reached["table"])
    house.bucket.before(cloud.reached["objects"])
    return house


emulated = [
    pytest.mark.level("emulator"),
    pytest.mark.slow,
    pytest.mark.enable_socket,
]


def on_emulator(test: Any) -> Any:
    for mark in emulated:
        test = mark(test)
    return test


@on_emulator
def test_f02_fifty_copies_at_once_are_one_order_on_a_real_table(cloud, figures):
    house = in_cloud(cloud)
    with house.collected() as letters:
        house.desk.place(draft())
    assert at_once(house, letters[-1:] * COPIES) == [200] * COPIES
    parts = [row for row in cloud.table.rows() if row["sk"] == "PART#request"]
    assert len(parts) == 1
    at_rest(house)
    assert house.orders.counts["create"] == 1
    figures(copies=COPIES, acknowledged=house.reception.statuses[200], created=1)


@on_emulator
@pytest.mark.parametrize(
    "fault",
    [
        error("ThrottlingException") | {"times": 2},
        error("InternalException") | {"times": 20},
        error("AccessDeniedException") | {"times": 3},
    ],
    ids=["throttled", "down", "refused"],
)
def test_f04_what_the_bus_refuses_goes_again_until_it_is_taken(cloud, fault, figures):
    house = Pipeline()
    house.bus = bus = HeardBus(cloud, house.deliver)  # type: ignore[assignment]
    cloud.strike("events", "PutEvents", **fault)
    before = cloud.fired
    for number in range(3):
        placed(house, number + 1)
    at_rest(house)
    struck = cloud.fired - before
    assert struck == fault["times"]
    assert len(house.orders.objects) == 3
    figures(refused_calls=struck, events=bus.copies, lost=3 - len(house.orders.objects))


@on_emulator
def test_f06_what_the_bus_took_without_an_answer_comes_twice_and_has_one_effect(cloud, figures):
    house = Pipeline()
    house.bus = HeardBus(cloud, house.deliver)  # type: ignore[assignment]
    cloud.strike("events", "PutEvents", sequence=[1, 1], **LOST_REPLY)
    for number in range(3):
        placed(house, number + 1)
    at_rest(house)
    ids = Counter(detail["event_id"] for _, detail in house.events)
    assert max(ids.values()) > 1
    assert house.orders.counts["create"] == 3
    figures(events=len(ids), copies=sum(ids.values()), objects=3)


OUTAGES = {
    "table throttled": [("dynamodb", error("ThrottlingException"))],
    "table refuses": [("dynamodb", error("AccessDeniedException"))],
    "table gone": [("dynamodb", error("ResourceNotFoundException"))],
    "table fails": [("dynamodb", error("InternalServerError"))],
    "table hangs up": [("dynamodb", {"reset": True})],
    "table and bucket": [
        ("dynamodb", error("InternalServerError")),
        ("s3", error("ServiceUnavailable")),
    ],
    "answers are lost": [("dynamodb", LOST_REPLY), ("sqs", LOST_REPLY | {"times": 1})],
}


@on_emulator
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_f05_with_a_service_down_deliveries_are_acknowledged_and_kept(cloud, outage, figures):
    house = in_cloud(cloud)
    house.post.before(cloud.reached["queue"])
    with captured_logs() as logs:
        for service, fault in outage:
            cloud.strike(service, **fault)
        before = cloud.fired
        orders = [house.desk.place(draft(number)).id for number in range(1, 6)]
        assert house.reception.statuses == {200: len(house.reception.receipts)}
        assert cloud.fired > before
        cloud.heal()
        # From the real queue to the function behind it.
        house.post.before(house.driver)
        bodies = cloud.waiting()
        for body in bodies:
            house.driver.send(PULL, body)
        at_rest(house, logs())
    assert house.reception.counted["spilled"] <= len(bodies)
    assert len(house.orders.objects) == len(orders)
    lost = len(orders) - len(house.orders.objects)
    figures(deliveries=len(house.reception.receipts), spilled=len(bodies), lost=lost)


@on_emulator
def test_f05_only_with_table_and_queue_down_is_the_shop_asked_to_come_again(cloud):
    house = in_cloud(cloud)
    house.post.before(cloud.reached["queue"])
    for service in ("dynamodb", "sqs"):
        cloud.strike(service, **error("InternalFailure"))
    order = house.desk.place(draft()).id
    assert set(house.reception.statuses) == {503}
    cloud.heal()
    house.post.before(house.driver)
    at_rest(house)
    assert house.link(ref(Kind.ORDER, "shop", order))["status"] == "synced"


@on_emulator
def test_f05_a_store_of_secrets_that_is_down_costs_a_warm_function_nothing(cloud):
    secrets = cloud.reached["secrets"]
    cloud.strike("secretsmanager", **error("InternalServiceError"))
    with pytest.raises(SecretUnavailableError):
        secrets.get(cloud.secret)
    cloud.heal()
    assert secrets.get(cloud.secret) == {"active": ["one"]}
    cloud.strike("secretsmanager", **error("InternalServiceError"))
    assert secrets.get(cloud.secret) == {"active": ["one"]}
