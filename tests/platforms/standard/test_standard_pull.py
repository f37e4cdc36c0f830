"""Reading what another system offers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.loading import Loader
from platforms.standard.pull import StandardPull
from platforms.standard.sandbox import make
from platforms.standard.webhook import handler
from sandbox.faults import Fault
from tests.kit.source import CONNECTION, PULL_QUEUE, TOKEN, Source, bridge, http_event
from tests.kit.transport import SandboxTransport

URL = "https://depot.example"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
COLA = {"sku": "COLA330", "name": "Cola"}
SHOPS_OWN = f"{CONNECTION}/5501"


class System:
    """Another system, and the bridge beside it."""

    def __init__(self, offers="orders products", **seed):
        seed = {"token": TOKEN, "webhook_secret": SECRET, "webhook_uri": f"{URL}/hook"} | seed
        self.sandbox = make(seed)
        self.now = datetime(2026, 11, 20, 9, 0, 5, tzinfo=UTC)
        self.sandbox.clock = lambda: self.now
        transport = SandboxTransport(self.sandbox.app)
        self.http = httpx.Client(base_url=URL, transport=transport)
        config = bridge("standard", base_url=URL, settings={"offers": offers} if offers else {})
        self.source = Source(handler.adapter, StandardPull(), transport, config)
        self.source.secrets["api"] = json.dumps({"token": TOKEN})
        self.source.secrets["signing"] = json.dumps({"active": [SECRET]})
        self.transport = transport

    def put(self, kind, number, record, **how):
        path = f"/_sandbox/records/{kind}/{number}"
        self.http.put(path, json={"record": record} | how).raise_for_status()

    def work(self, **body):
        assert self.source.work(body) is None
        self.source.drain()

    def poll(self, stream="products"):
        self.source.clock.advance(60)
        self.work(type="poll", stream=stream)

    def hear(self):
        (one,) = self.sandbox.outbox.deliveries[-1:]
        event = http_event(one.headers, one.body)
        assert self.source.deliver(event) == 200

    def asked(self):
        """Paths below the lists that were asked for."""
        paths = (one.url.path for one in self.transport.requests)
        return [path.removeprefix("/v1/") for path in paths if path.startswith("/v1/")]

    def part(self, kind, number, part=Part.RECORD):
        view = Loader(self.source.table, self.source.objects).view(ref(kind, CONNECTION, number))
        return view.parts[part].body

    def names(self):
        found = (name.partition("/PART#")[0] for name in self.source.parts("Product#"))
        return sorted(name.rpartition("/")[2] for name in found)


def test_what_is_not_offered_is_not_asked_for():
    system = System(offers="")
    system.put("products", "cola", COLA)
    system.poll()
    system.work(type="hint", what="products", id="cola")
    assert system.asked() == []
    assert system.names() == []


def test_a_list_is_read_page_by_page_and_the_next_round_goes_on():
    system = System()
    system.now -= timedelta(hours=1)
    for n in range(250):
        system.put("products", f"p{n:03}", COLA)
    system.poll()
    assert len(system.names()) == 250
    assert system.asked() == ["products"] * 3
    system.now += timedelta(hours=1)
    system.put("products", "late", COLA)
    system.poll()
    assert "late" in system.names()
    assert system.asked() == ["products"] * 4


def test_what_is_gone_is_listed_without_its_record():
    system = System()
    system.put("products", "cola", COLA)
    system.poll()
    system.now += timedelta(seconds=1)
    system.http.delete("/_sandbox/records/products/cola").raise_for_status()
    system.poll()
    assert system.part(Kind.PRODUCT, "cola") is None


def test_a_backfill_ends_where_it_is_told():
    system = System()
    for day in range(1, 20):
        at = datetime(2026, 11, day, tzinfo=UTC)
        for n in range(30):
            system.put("products", f"p{day:02}-{n:02}", COLA, changed_at=at.isoformat())
    asked = {"since": "2026-11-02T00:00:00Z", "until": "2026-11-04T00:00:00Z"}
    system.work(type="poll", stream="products", backfill="b1", **asked)
    days = {name[1:3] for name in system.names()}
    assert {"02", "03", "04"} <= days <= {"02", "03", "04", "05"}
    assert len(system.asked()) == 1


def test_a_record_that_cannot_be_read_keeps_back_no_other():
    system = System()
    system.put("products", "a", COLA)
    system.put("products", "b", {"sku": "B", "colour": "red"}, unchecked=True)
    system.put("products", "c", COLA)
    system.poll()
    assert system.names() == ["a", "c"]
    assert system.asked() == ["products", "products/b"]
    (left,) = system.source.messages("https://sqs.test/dlq")
    assert (left["what"], left["id"]) == ("products", "b")


def test_a_page_that_is_none_is_left_to_a_person():
    system = System()
    fault = Fault("status", on="GET /v1/products", status=200, body={"rows": []})
    system.sandbox.faults.arm(fault)
    system.poll()
    (left,) = system.source.messages("https://sqs.test/dlq")
    assert left["stream"] == "products"


def test_a_tie_of_either_part_of_an_order_is_settled_by_that_part():
    system = System()
    at = system.now.isoformat()
    states = ("CONFIRMED", "RELEASED")
    for state in states:
        booked = {"number": "SO-1", "state": state}
        system.put("orders", SHOPS_OWN, booked, part="processing", changed_at=at)
        system.hear()
    (hint,) = system.source.messages()
    assert (hint["what"], hint["id"]) == ("orders/processing", SHOPS_OWN)
    system.source.clock.advance(60)
    system.source.drain()
    kept = system.part(Kind.ORDER, "5501", Part.PROCESSING)
    assert kept.state is OrderState.RELEASED
    last = system.transport.requests[-1].url
    assert (last.path, last.params["part"]) == (f"/v1/orders/{SHOPS_OWN}", "processing")


def test_what_is_no_more_says_nothing():
    system = System()
    system.work(type="hint", what="products", id="never")
    assert system.names() == []
    assert system.source.messages("https://sqs.test/dlq") == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_spent_token_is_the_connections_trouble(status):
    system = System()
    system.sandbox.faults.arm(Fault("status", on="/v1/products", status=status))
    assert system.source.work({"type": "poll", "stream": "products"}) is not None
    assert system.source.breaker().name == "open"
    assert len(system.source.messages(PULL_QUEUE)) == 0
