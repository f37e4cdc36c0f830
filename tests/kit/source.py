"""A source connection in one process: its webhook and pull functions over ports in memory."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Role
from fizzbridge.observability import Metrics, log
from fizzbridge.queues import MemoryQueue, QueueUnavailableError
from fizzbridge.runtime import rows
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.breaker import Breaker, State, read
from fizzbridge.runtime.calls import TimeLeft
from fizzbridge.runtime.pull import PullAdapter
from fizzbridge.runtime.puller import Puller
from fizzbridge.runtime.wiring import Ports
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import Bridge, FunctionSettings
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.state.table import Row, TableUnavailableError, Write
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.receive import Receiver
from tests.kit.clock import START, Clock
from tests.kit.signing import IN_BODY, IN_PATH, STATE, States, proof, stated

EVENTS = Path(__file__).parents[2] / "events"
CONNECTION = "shop-uk"
SECRET, OLD_SECRET = "canary-signing-new", "canary-signing-old"
TOKEN = "canary-access-token"
PULL_QUEUE, DLQ = "https://sqs.test/pull", "https://sqs.test/dlq"


def bridge(platform: str, **of_connection: Any) -> Bridge:
    """A bridge with one source connection that owns everything it can report."""
    connection = {
        "name": CONNECTION,
        "platform": platform,
        "base_url": "https://fizz-depot.myshopify.com",
        "start_at": datetime(2026, 11, 1, tzinfo=UTC),
        "roles": list(Role),
        "calls": {"parallel": 4, "per_minute": 6000},
        "settings": {"api_version": "2026-10"},
    }
    company = {
        "name": "Bubbles Ltd",
        "country": "GB",
        "currency": "GBP",
        "time_zone": "Europe/London",
    }
    return Bridge.model_validate({"company": company, "connections": [connection | of_connection]})


class FlakyTable:
    """A table that is down, or slow to write, when told to be."""

    def __init__(self, clock: Clock) -> None:
        self.table = MemoryTable(clock)
        self.clock = clock
        self.is_down = False
        self.takes_s = 0.0

    def transact(self, writes: Sequence[Write]) -> None:
        if self.is_down:
            raise TableUnavailableError("down")
        self.table.transact(writes)
        self.clock.advance(self.takes_s)

    def __getattr__(self, name: str) -> Any:
        if self.is_down:
            raise TableUnavailableError("down")
        return getattr(self.table, name)


class FlakyQueue(MemoryQueue):
    """A queue that is down when told to be."""

    is_down = False

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        if self.is_down:
            raise QueueUnavailableError("down")
        super().send(url, body, delay, attributes)


@dataclass
class Source:
    """One connection: what its functions work with, and what came of it."""

    webhook: WebhookAdapter
    pull: PullAdapter | None = None
    transport: httpx.BaseTransport | None = None
    config: Bridge | None = None
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.config = self.config or bridge(self.webhook.platform)
        self.table = FlakyTable(self.clock)
        self.objects = MemoryObjects()
        self.queue = FlakyQueue()
        self.secrets = {
            "signing": json.dumps({"active": [SECRET, OLD_SECRET]}),
            "api": json.dumps({"access_token": TOKEN}),
        }
        self.emf: list[str] = []
        self.metrics = Metrics(self.emf.append)
        settings = FunctionSettings(
            stage="local",
            table="table",
            bucket="bucket",
            bus="bus",
            connection=CONNECTION,
            pull_queue=PULL_QUEUE,
            dlq=DLQ,
            signing_secret="signing",
            api_secret="api",
            subscription_secret="signing",
        )
        store = SecretStore(lambda name: self.secrets[name], self.clock)
        self.given = given = Ports(
            settings, self.config, self.table, self.objects, self.queue, store
        )
        self.receiver = Receiver(self.webhook, given, self.metrics, self.clock)
        self.puller: Puller | None = None
        if self.pull:
            make = self._client if self.transport else None
            self.puller = Puller(self.pull, self.webhook, given, self.metrics, self.clock, make)

    def deliver(self, event: Mapping[str, Any]) -> int:
        """Receive one HTTP API event; gives the status."""
        answer = self.receiver.receive(event)
        assert answer["body"] == ""
        return int(answer["statusCode"])

    def work(self, body: Any, receives: int = 1) -> Again | None:
        """One message of the pull queue."""
        assert self.puller
        return self.puller.work(Message("m", body, receives))

    def breaker(self) -> State:
        """Whether the connection is worked for."""
        return read(self.table, CONNECTION)

    def probe(self) -> None:
        """What the sweeper does when it is time."""
        breaker = Breaker(self.table, CONNECTION, self.clock)
        breaker.resume()
        breaker.probe()

    def drain(self, rounds: int = 20) -> None:
        """Work until the pull queue is empty."""
        for _ in range(rounds):
            messages = self.queue.take(PULL_QUEUE)
            if not messages:
                return
            for message in messages:
                assert self.work(json.loads(message.body)) is None
        raise AssertionError("the pull queue does not run dry")

    def parts(self, prefix: str = "") -> dict[str, Row]:
        """Stored parts by entity and part."""
        return {
            f"{row['pk']!s}/{row['sk']!s}": row
            for row in self.table.table.rows()
            if str(row["sk"]).startswith("PART#") and str(row["pk"]).startswith(prefix)
        }

    def content(self, prefix: str = "") -> dict[str, tuple[str, str]]:
        """Version and fingerprint of stored parts: equal content, equal dictionaries."""
        return {
            name: (rows.text(row, "version"), rows.text(row, "fingerprint"))
            for name, row in self.parts(prefix).items()
        }

    def messages(self, url: str = PULL_QUEUE) -> list[dict[str, Any]]:
        """What waits in a queue."""
        return [json.loads(message.body) for message in self.queue.sent(url)]

    def counts(self) -> dict[str, int]:
        """What was counted since the last look."""
        self.metrics.flush()
        lines = [json.loads(line) for line in self.emf]
        self.emf.clear()
        named = [
            (metric["Name"], sum(line[metric["Name"]]))
            for line in lines
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        ]
        return {name: sum(count for other, count in named if other == name) for name, _ in named}

    def client(self) -> VendorClient:
        """The adapter's client, with as much time as it needs."""
        return self._client(lambda: timedelta(minutes=1))

    def _client(self, left: TimeLeft) -> VendorClient:
        assert self.pull
        assert self.config
        connection = self.config.connection(CONNECTION)
        secret = json.loads(self.secrets["api"])
        return VendorClient(
            platform=self.pull.platform,
            base_url=connection.base_url,
            auth=self.pull.auth(secret, connection),
            errors=self.pull.errors,
            timeout=timedelta(seconds=5),
            transport=self.transport,
            deadline=left,
            secrets=list(secret.values()),
        )


def signed(
    webhook: WebhookAdapter,
    headers: Mapping[str, str],
    body: bytes,
    secret: str = SECRET,
    at: datetime = START,
) -> dict[str, str]:
    """The headers with the proof the platform would send."""
    shown = proof(webhook, body, secret, at)
    hidden = {name.lower() for name in (*shown, *webhook.signature.headers)}
    kept = {name: value for name, value in headers.items() if name.lower() not in hidden}
    return kept | dict(shown)


def http_event(headers: Mapping[str, str], body: bytes, *, encoded: bool = False) -> dict[str, Any]:
    """An HTTP API event, as API Gateway makes it."""
    headers = dict(headers)
    token, state = headers.pop(IN_PATH, None), headers.pop(IN_BODY, None)
    body = body if state is None else stated(body, state)
    text = base64.b64encode(body).decode() if encoded else body.decode()
    return {
        "version": "2.0",
        "routeKey": f"POST /webhooks/{CONNECTION}",
        "headers": {name.lower(): value for name, value in headers.items()},
        **({"pathParameters": {"token": token}} if token is not None else {}),
        "requestContext": {"requestId": "r-1"},
        "body": text,
        "isBase64Encoded": encoded,
    }


def proven(webhook: WebhookAdapter, event: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """An event with the proof the platform would send."""
    shown = http_event(signed(webhook, event["headers"], body), b"")
    return dict(event) | {n: shown[n] for n in ("headers", "pathParameters") if n in shown}


def proof_in(
    webhook: WebhookAdapter, event: dict[str, Any]
) -> tuple[MutableMapping[str, str], str]:
    """Where an event holds its proof: the fields, and the name among them."""
    names = webhook.signature.headers
    if names:
        return event["headers"], names[0]
    path = event.get("pathParameters")
    return (path, "token") if path else (States(event), STATE)


def proves_any_body(webhook: WebhookAdapter) -> bool:
    """Whether there is a proof of whatever body: not where it is in the body itself."""
    return IN_BODY not in signed(webhook, {}, b"")


@dataclass(frozen=True)
class Fixture:
    """One file of ``events/<platform>``."""

    name: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, path: Path) -> Fixture:
        """Read a fixture file."""
        content = json.loads(path.read_text())
        return cls(path.stem, content["headers"], content["body"].encode())

    def event(
        self, webhook: WebhookAdapter, secret: str = SECRET, at: datetime = START
    ) -> dict[str, Any]:
        """The delivery, signed."""
        return http_event(signed(webhook, self.headers, self.body, secret, at), self.body)


def fixtures(platform: str) -> Sequence[Fixture]:
    """All deliveries of a platform's folder."""
    return [Fixture.read(path) for path in sorted((EVENTS / platform).glob("*__*.json"))]


@contextmanager
def captured_logs() -> Iterator[Callable[[], str]]:
    """What our logger writes meanwhile."""
    stream = io.StringIO()
    handler = log.handlers[0]
    before = handler.stream  # type: ignore[attr-defined]
    handler.setStream(stream)  # type: ignore[attr-defined]
    try:
        yield stream.getvalue
    finally:
        handler.setStream(before)  # type: ignore[attr-defined]
