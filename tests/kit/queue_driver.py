"""Queues and the functions they wake, as SQS and Lambda do it, in one process and virtual time.

``QueueDriver`` delivers at least once and in any order, counts receives, expires visibility, lets
so many copies of a function run at once, takes answers the way Lambda does, and moves what came
too often to a dead-letter queue. ``Pipeline`` is a wholesaler whose every hop goes that way: real
signed deliveries, the table's stream, announce, the rules, and the functions behind their queues.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import itertools
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fizzbridge.bus import BusUnavailableError, Entry, MemoryBus
from fizzbridge.errors import NotThereError
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.model.events import ASSESS_TYPES, DOCUMENT_TYPES, LEVEL_TYPES, RECORD_TYPES
from fizzbridge.model.version import Timestamp
from fizzbridge.observability import Metrics
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.queues import Message as Waiting
from fizzbridge.queues import QueueUnavailableError
from fizzbridge.runtime.assess import Assessor
from fizzbridge.runtime.batch import process
from fizzbridge.runtime.observe import Observer
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import Puller
from fizzbridge.runtime.sweep import QueueNames, Sweeper
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.wiring import Ports
from fizzbridge.runtime.worker import build
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from fizzbridge.state.dynamodb import to_image
from fizzbridge.state.objects import ObjectsUnavailableError
from fizzbridge.state.table import TableUnavailableError
from fizzbridge.webhook.adapter import WebhookAdapter
from platforms.shopify import mapping, wire
from platforms.shopify.webhook import ShopifyWebhook
from services import assess, record
from services.announce import announce
from tests.kit.aws_faults import Gate
from tests.kit.clock import Clock
from tests.kit.house import KilledError, Shelf, SteppingTable
from tests.kit.invariants import Reception, Sent, counts
from tests.kit.wholesaler import SECRET, Wholesaler

RETENTION = timedelta(days=4)
DEAD_LETTER_RETENTION = timedelta(days=14)
MOST_RECEIVES = 1000
"""As the templates have them."""

Handler = Callable[[Mapping[str, Any]], Any]


@dataclass
class Copy:
    """A message in a queue."""

    id: str
    body: str
    attributes: Mapping[str, str]
    sent_at: datetime
    visible_at: datetime
    receives: int = 0
    attempts: int = 0
    """How often a function really had it."""
    receipt: str = ""
    is_gone: bool = False


@dataclass
class Holding:
    """One queue."""

    name: str
    visibility: timedelta
    retention: timedelta
    most_receives: int
    dead_letters: str | None
    heap: list[tuple[datetime, int, Copy]] = field(default_factory=list)
    copies: dict[str, Copy] = field(default_factory=dict)


@dataclass
class Running:
    """One invocation."""

    mapped: Mapped
    batch: list[Copy]
    receipts: dict[str, str]
    ends_at: datetime | None = None
    failed: set[str] = field(default_factory=set)


@dataclass
class Mapped:
    """A function behind a queue.

    Attributes:
        queue: the queue.
        handler: takes Lambda's event and gives its answer.
        batch: messages an invocation gets at most.
        concurrency: how many invocations the mapping lets run at once; it receives no more.
        ceiling: how many the account lets run: what is received beyond that is thrown back.
        takes: how long an invocation takes.
    """

    queue: Holding
    handler: Handler
    batch: int = 10
    concurrency: int = 10
    ceiling: Callable[[], int] = lambda: 1000
    takes: Callable[[], float] = lambda: 0.0


class QueueDriver:
    """All queues of a stage, and what they wake.

    Args:
        clock: virtual time; only ``run`` moves it.
        seed: of what happens by chance.
        duplicates: how often a message comes once more after it was done.
        longest_delay: by how much a message may be late, in seconds.
        shuffles: whether messages overtake each other.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        duplicates: float = 0.0,
        longest_delay: float = 0.0,
        shuffles: bool = False,
    ) -> None:
        self.clock = clock
        self.queues: dict[str, Holding] = {}
        self.mappings: list[Mapped] = []
        self.counted: Counter[str] = Counter()
        """What happened: received, duplicated, throttled, expired, dead_lettered, malformed."""
        self.expired: list[Copy] = []
        self._chance = random.Random(seed)  # noqa: S311  repeatable, not secret
        self._duplicates = duplicates
        self._longest_delay = longest_delay
        self._shuffles = shuffles
        self._running: list[Running] = []
        self._numbers = itertools.count(1)

    # -- the queues --------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        *,
        visibility: float = 360,
        retention: timedelta = RETENTION,
        most_receives: int = MOST_RECEIVES,
        dead_letters: str | None = None,
    ) -> Holding:
        """Make a queue; its dead letters must have one of their own."""
        made = Holding(name, timedelta(seconds=visibility), retention, most_receives, dead_letters)
        self.queues[name] = made
        return made

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Take a message, as ``fizzbridge.queues.Queue`` does."""
        now = self.clock()
        late = delay + self._chance.uniform(0, self._longest_delay)
        number = next(self._numbers)
        copy = Copy(f"m{number}", body, dict(attributes or {}), now, now + timedelta(seconds=late))
        self._put(self.queues[url], copy)

    def sent(self, url: str | None = None) -> list[Waiting]:
        """What waits in one queue, or in all."""
        return [
            Waiting(name, copy.body, 0, copy.attributes)
            for name, queue in self.queues.items()
            for copy in queue.copies.values()
            if url in (None, name)
        ]

    def hide(self, queue_arn: str, receipt: str, seconds: int) -> None:
        """Change the visibility of a message, as a function asks for it."""
        queue = self.queues[queue_arn.rpartition(":")[2]]
        copy = queue.copies.get(receipt.partition(".")[0])
        if copy is None or copy.receipt != receipt:
            raise LookupError("ReceiptHandleIsInvalid")
        copy.visible_at = self.clock() + timedelta(seconds=seconds)
        heapq.heappush(queue.heap, (copy.visible_at, next(self._numbers), copy))

    def depth(self, name: str) -> int:
        """How many messages are in a queue, hidden ones included."""
        return len(self.queues[name].copies)

    def _put(self, queue: Holding, copy: Copy) -> None:
        queue.copies[copy.id] = copy
        heapq.heappush(queue.heap, (copy.visible_at, next(self._numbers), copy))

    # -- what they wake ----------------------------------------------------------------------------

    def map(self, queue: str, handler: Handler, **how: Any) -> Mapped:
        """Put a function behind a queue."""
        made = Mapped(self.queues[queue], handler, **how)
        self.mappings.append(made)
        return made

    def step(self) -> bool:
        """Do one thing that is due now; whether there was one. A handler may call it, too."""
        now = self.clock()
        for running in self._running:
            if running.ends_at is not None and running.ends_at <= now:
                self._end(running)
                return True
        for mapped in self.mappings:
            if self._is_free(mapped) and (batch := self._receive(mapped.queue, mapped.batch)):
                self._invoke(mapped, batch)
                return True
        return False

    def next_due(self) -> datetime | None:
        """When there will be something to do."""
        ends = [one.ends_at for one in self._running if one.ends_at]
        free = {mapped.queue.name for mapped in self.mappings if self._is_free(mapped)}
        shown = [due for name in free if (due := self._first(self.queues[name]))]
        return min([*ends, *shown], default=None)

    def run(self, until: datetime | None = None) -> None:
        """Work, and let time pass, until nothing is left to do or it is so late."""
        while True:
            if self.step():
                continue
            due = self.next_due()
            if due is None or (until and due > until):
                break
            self.clock.advance(max((due - self.clock()).total_seconds(), 0))
        if until:
            self.clock.advance(max((until - self.clock()).total_seconds(), 0))

    def _is_free(self, mapped: Mapped) -> bool:
        return sum(one.mapped is mapped for one in self._running) < mapped.concurrency

    def _first(self, queue: Holding) -> datetime | None:
        while queue.heap and self._is_stale(queue.heap[0]):
            heapq.heappop(queue.heap)
        return queue.heap[0][0] if queue.heap else None

    @staticmethod
    def _is_stale(entry: tuple[datetime, int, Copy]) -> bool:
        due, _, copy = entry
        return copy.is_gone or copy.visible_at != due

    def _receive(self, queue: Holding, most: int) -> list[Copy]:
        now = self.clock()
        due: list[Copy] = []
        window = 4 * most if self._shuffles else most
        while len(due) < window and (first := self._first(queue)) and first <= now:
            copy = heapq.heappop(queue.heap)[2]
            if now - copy.sent_at > queue.retention:
                self._forget(queue, copy)
                self.expired.append(copy)
                self.counted["expired"] += 1
            elif queue.dead_letters and copy.receives >= queue.most_receives:
                self._forget(queue, copy)
                moved = Copy(copy.id, copy.body, copy.attributes, copy.sent_at, now)
                moved.attempts = copy.attempts
                self._put(self.queues[queue.dead_letters], moved)
                self.counted["dead_lettered"] += 1
            else:
                due.append(copy)
        if self._shuffles:
            self._chance.shuffle(due)
        for copy in due[most:]:
            heapq.heappush(queue.heap, (copy.visible_at, next(self._numbers), copy))
        batch = due[:most]
        for copy in batch:
            copy.receives += 1
            copy.receipt = f"{copy.id}.{copy.receives}"
            copy.visible_at = now + queue.visibility
            heapq.heappush(queue.heap, (copy.visible_at, next(self._numbers), copy))
            self.counted["received"] += 1
        return batch

    def _invoke(self, mapped: Mapped, batch: list[Copy]) -> None:
        if len(self._running) >= mapped.ceiling():
            # Received, counted, and no function had it: it comes back with its visibility.
            self.counted["throttled"] += len(batch)
            return
        running = Running(mapped, batch, {copy.id: copy.receipt for copy in batch})
        self._running.append(running)
        for copy in batch:
            copy.attempts += 1
        try:
            answer = mapped.handler(event(mapped.queue.name, batch))
        except (Exception, KilledError):  # noqa: BLE001  as Lambda: the batch comes back
            running.failed = {copy.id for copy in batch}
            self.counted["crashed"] += 1
        else:
            running.failed = self._failed(answer, batch)
        running.ends_at = self.clock() + timedelta(seconds=mapped.takes())
        if running.ends_at <= self.clock():
            self._end(running)

    def _failed(self, answer: Any, batch: Sequence[Copy]) -> set[str]:
        """The ids that come back; all of them where the answer is not understood."""
        everything = {copy.id for copy in batch}
        listed = (answer or {}).get("batchItemFailures") if isinstance(answer, dict | None) else ""
        if listed is None or listed == []:
            return set()
        named = [one.get("itemIdentifier") if isinstance(one, dict) else None for one in listed]
        if not named or not set(named) <= everything:
            self.counted["malformed"] += 1
            return everything
        return {str(one) for one in named}

    def _end(self, running: Running) -> None:
        self._running.remove(running)
        queue = running.mapped.queue
        for copy in running.batch:
            if copy.id in running.failed or copy.receipt != running.receipts[copy.id]:
                continue  # it comes back, or somebody else has it by now
            if self._chance.random() < self._duplicates:
                self.counted["duplicated"] += 1
                late = timedelta(seconds=self._chance.uniform(0, self._longest_delay))
                copy.visible_at = self.clock() + late
                heapq.heappush(queue.heap, (copy.visible_at, next(self._numbers), copy))
            else:
                self._forget(queue, copy)

    @staticmethod
    def _forget(queue: Holding, copy: Copy) -> None:
        copy.is_gone = True
        queue.copies.pop(copy.id, None)


def event(queue: str, batch: Iterable[Copy]) -> dict[str, Any]:
    """Lambda's event for messages of a queue."""
    return {
        "Records": [
            {
                "messageId": copy.id,
                "receiptHandle": copy.receipt,
                "body": copy.body,
                "attributes": {
                    "ApproximateReceiveCount": str(copy.receives),
                    "SentTimestamp": str(int(copy.sent_at.timestamp() * 1000)),
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
            }
            for copy in batch
        ]
    }


# -- the whole way ---------------------------------------------------------------------------------

DOCUMENTS, LEVELS = "fizzbridge-test-erp-documents", "fizzbridge-test-erp-levels"
PULL, ASSESS, RECORD, DLQ = "pull", "assess", "record", "erp-dlq"
STREAMED = ("PART#", "LINK#", "HOLD#", "BREAKER")
BOOKED = ("MAP#", "STOCK#", "ACCOUNT#", "EMPTIES#")
"""What of the table announce is told of, as the template's filter has it."""

SENDER_TRIES = 8
SENDER_WAIT_S = 60.0
"""How a shop sends again what was not acknowledged: eight times within four hours."""


class Till(Shelf):
    """A shelf on which something happens while a call is on its way.

    Attributes:
        meanwhile: what happens, once, by the name of the call.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.meanwhile: dict[str, Callable[[], None]] = {}

    def find(self, vendor: Any, reference: str, payload: Any) -> str | None:
        self._happens("find")
        return super().find(vendor, reference, payload)

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        self._happens("create")
        return super().create(vendor, reference, payload)

    def update(self, vendor: Any, external_id: str, payload: Any) -> None:
        self._happens("update")
        super().update(vendor, external_id, payload)

    def _happens(self, call: str) -> None:
        meanwhile = self.meanwhile.pop(call, None)
        if meanwhile:
            meanwhile()


class Rules:
    """The bus: every event goes to the queues whose rule it fits; it may be down, or not answer."""

    def __init__(self, deliver: Callable[[Entry], None]) -> None:
        self._bus = MemoryBus(deliver)
        self.is_down = False
        self.lost_answers = 0

    def put(self, entries: Sequence[Entry]) -> None:
        if self.is_down:
            raise BusUnavailableError(entries, "InternalFailure")
        self._bus.put(entries)
        if self.lost_answers:
            self.lost_answers -= 1
            raise BusUnavailableError(entries, "ReadTimeoutError")

    @property
    def entries(self) -> list[Entry]:
        return self._bus.entries


class Asked(PullAdapter):
    """The wholesaler's shop as something to read."""

    platform = "shopify"
    clock = Timestamp("second")
    errors = ErrorRules()

    def __init__(self, house: Pipeline) -> None:
        self._house = house

    def auth(self, secret: Mapping[str, Any], connection: Any) -> HeaderToken:
        del connection
        return HeaderToken("X-Token", secret["token"])

    def fetch(self, vendor: Any, hint: Hint, connection: Any) -> Iterable[Told]:
        del vendor
        if hint.what != "order" or int(hint.external_id) not in self._house.desk.orders:
            raise NotThereError("no such thing")
        return self._house.shown(int(hint.external_id), connection.name)

    def changes(
        self, vendor: Any, stream: str, cursor: str | None, span: Span, connection: Any
    ) -> Page:
        del vendor, stream, cursor
        told = [
            one
            for order in self._house.desk.orders.values()
            if datetime.fromisoformat(order.updated_at) >= span.since
            for one in self._house.shown(order.id, connection.name)
        ]
        return Page(told, "", is_last=True)


class Pipeline(Wholesaler):
    """A wholesaler with every queue and every function between shop and ERP.

    Attributes:
        driver: the queues.
        gate: the table as functions see it; likewise ``bucket`` and ``post``, the queues' own.
        bus: the rules.
        reception: the webhook function, asked for what it kept with every answer.
        lines: embedded metrics of all functions.
        lost_answers: to how many of the next deliveries the shop hears no answer.

    Args:
        adapter: reads the shop's deliveries.
        table: in place of one in memory; its stream is not heard, so the sweeper brings all.
        objects: in place of a bucket in memory.
        concurrency: how many copies of each function run at once.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        duplicates: float = 0.0,
        longest_delay: float = 0.0,
        shuffles: bool = False,
        concurrency: int = 10,
        adapter: WebhookAdapter | None = None,
        table: Any = None,
        objects: Any = None,
        **more: Any,
    ) -> None:
        self.adapter = adapter or ShopifyWebhook()
        self.records: deque[dict[str, Any]] = deque()
        self.retry_at: datetime | None = None
        super().__init__(**more)
        if table is not None:
            self.rows, self.objects = table, objects
            self.table = SteppingTable(table, self.steps)
            self.observer = Observer(table, objects, self.bridge, self.clock)
        self.lines: list[str] = []
        self.lost_answers = 0
        self.unheard: list[tuple[datetime, int, int, Mapping[str, Any]]] = []
        self.given_up: list[Mapping[str, Any]] = []
        self._letters: list[Mapping[str, Any]] | None = None
        self._posted = itertools.count()
        self.driver = QueueDriver(
            self.clock,
            seed=seed,
            duplicates=duplicates,
            longest_delay=longest_delay,
            shuffles=shuffles,
        )
        self.gate = Gate(self.table, TableUnavailableError)
        self.bucket = Gate(self.objects, ObjectsUnavailableError)
        self.post = Gate(self.driver, QueueUnavailableError)
        self.sent = Sent(self.post, self.objects)
        self.queue = self.driver  # type: ignore[assignment]  # what waits is asked of it
        self.bus = Rules(lambda one: self.deliver(one.detail_type, one.detail))
        self.assessor = Assessor(self.gate, self.bucket, self.rules, self.clock)
        self.orders = Till(self.clock, self.steps, Kind.ORDER)
        self.customers = Till(self.clock, self.steps, Kind.CUSTOMER)
        self.serve({shelf.kind: shelf for shelf in (self.orders, self.customers)})
        names = QueueNames("test", lambda name: name, ASSESS)
        after = timedelta(seconds=self.bridge.timing.resync_after)
        self.sweeper = Sweeper(
            self.rows, self.driver, names, ["shop", "erp"], after, self.clock, self.switches
        )
        self.reception = Reception(
            self.adapter,
            self.ports("shop", signing_secret="signing", pull_queue=PULL),
            self.clock,
            self.rows,
            self.sent,
            self.objects,
        )
        self.receiver = self  # type: ignore[assignment]  # Wholesaler.webhook asks it
        self._wire(concurrency)

    def ports(self, connection: str, **settings: str) -> Ports:
        """What a function of a connection works with."""
        texts = {
            "signing": json.dumps({"active": [SECRET]}),
            "api": json.dumps({"token": "canary-token", "key": "canary-key"}),
        }
        return Ports(
            FunctionSettings(
                stage="test",
                table="t",
                bucket="b",
                bus="b",
                connection=connection,
                api_secret="api",
                **settings,
            ),
            self.bridge,
            self.gate,
            self.bucket,
            self.sent,
            SecretStore(texts.__getitem__, self.clock),
        )

    def _wire(self, concurrency: int) -> None:
        driver, visibility = self.driver, self.bridge.timing.visibility
        for name in (DLQ, "service-dlq"):
            driver.add(name, retention=DEAD_LETTER_RETENTION)
        for name, dead in (
            (PULL, DLQ),
            (ASSESS, "service-dlq"),
            (RECORD, "service-dlq"),
            (DOCUMENTS, DLQ),
            (LEVELS, DLQ),
        ):
            driver.add(name, visibility=visibility, dead_letters=dead)
        self.pulling = driver.map(PULL, self._pull, batch=1, concurrency=concurrency)
        self.assessing = driver.map(ASSESS, self._assess, concurrency=concurrency)
        self.recording = driver.map(RECORD, self._record, concurrency=concurrency)
        self.working = driver.map(DOCUMENTS, self._work, batch=1, concurrency=concurrency)
        driver.map(LEVELS, self._work, concurrency=2)

    # -- the functions -----------------------------------------------------------------------------

    @staticmethod
    def delivery(
        topic: str, body: bytes, *, encoded: bool = False, secret: str = SECRET
    ) -> dict[str, Any]:
        """A delivery as the gateway hands it over, signed as the shop signs it."""
        proof = hmac.digest(secret.encode(), body, hashlib.sha256)
        text = base64.b64encode(body).decode() if encoded else body.decode()
        return {
            "version": "2.0",
            "rawPath": "/webhooks/shop",
            "headers": {
                "content-type": "application/json",
                "x-shopify-topic": topic,
                "x-shopify-event-id": hashlib.sha256(body).hexdigest()[:32],
                "x-shopify-hmac-sha256": base64.b64encode(proof).decode(),
            },
            "requestContext": {"requestId": "r-1"},
            "body": text,
            "isBase64Encoded": encoded,
        }

    def back(self, name: str = DLQ, to: str = PULL) -> int:
        """Send everything in a dead-letter queue back to where it came from; how much it was."""
        waiting = self.driver.sent(name)
        self.driver.queues[name].copies.clear()
        self.driver.queues[name].heap.clear()
        for message in waiting:
            self.driver.send(to, message.body, attributes=message.attributes)
        return len(waiting)

    @contextmanager
    def collected(self) -> Iterator[list[Mapping[str, Any]]]:
        """What the shop sends meanwhile; nobody receives it."""
        self._letters = letters = []
        try:
            yield letters
        finally:
            self._letters = None

    def receive(self, delivery: Mapping[str, Any]) -> dict[str, Any]:
        """What the shop sends now; what it hears, which may be nothing."""
        if self._letters is not None:
            self._letters.append(delivery)
            return {"statusCode": 0}
        return {"statusCode": self._send(delivery, 0)}

    def _send(self, delivery: Mapping[str, Any], tries: int) -> int:
        try:
            status = self.reception.receive(delivery)
        except KilledError:
            status = 502  # the gateway's word for a function that is gone
        if status == 200 and self.lost_answers:
            self.lost_answers -= 1
            status = 504
        if status in {401, 413, 200}:
            return status
        if tries == SENDER_TRIES:
            self.given_up.append(delivery)
        else:
            due = self.clock() + timedelta(seconds=SENDER_WAIT_S * 2**tries)
            heapq.heappush(self.unheard, (due, next(self._posted), tries + 1, delivery))
        return status

    def _pull(self, batch: Mapping[str, Any]) -> Any:
        ports = self.ports("shop", pull_queue=PULL, dlq=DLQ)
        with Metrics(self.lines.append, lambda: 0.0) as metrics:
            puller = Puller(Asked(self), self.adapter, ports, metrics, self.clock)
            return process(batch, puller.work, self.driver.hide)

    def _assess(self, batch: Mapping[str, Any]) -> Any:
        with Metrics(self.lines.append, lambda: 0.0) as metrics:
            work = lambda message: assess.work(message, self.assessor, metrics)  # noqa: E731
            return process(batch, work, self.driver.hide)

    def _record(self, batch: Mapping[str, Any]) -> Any:
        return process(batch, lambda one: record.work(one, self.gate), self.driver.hide)

    def _work(self, batch: Mapping[str, Any]) -> Any:
        house = self

        class Ledger(TargetAdapter):
            platform = "memory"
            errors = ErrorRules()
            entities = {Kind.ORDER: house.orders, Kind.CUSTOMER: house.customers}  # noqa: RUF012
            search_lag = timedelta(seconds=5)
            longest_transaction = timedelta(seconds=60)

            def auth(self, secret: Mapping[str, Any], connection: Any) -> HeaderToken:
                del connection
                return HeaderToken("X-Key", secret["key"])

        with Metrics(self.lines.append, lambda: 0.0) as metrics:
            worker = build(Ledger(), self.ports("erp", dlq=DLQ), metrics, self.clock)
            return process(batch, worker.work, self.driver.hide, worker.together)

    # -- the stream and the rules ------------------------------------------------------------------

    def _announce(self, before: Any, after: Any) -> None:
        known = after or before
        if not (known["sk"].startswith(STREAMED) or known["pk"].startswith(BOOKED)):
            return
        number = getattr(self, "_sequence", 0) + 1
        self._sequence = number
        images = {"OldImage": before, "NewImage": after}
        change = {name: to_image(row) for name, row in images.items() if row}
        self.records.append({"dynamodb": change | {"SequenceNumber": str(number)}})

    def _stream(self) -> bool:
        """Announce what the stream has, in order; whether there was anything to do now."""
        if not self.records or (self.retry_at and self.clock() < self.retry_at):
            return False
        batch = list(itertools.islice(self.records, 100))
        with Metrics(self.lines.append, lambda: 0.0) as metrics:
            answer = announce(batch, self.bus, self.objects, metrics)
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        done = batch
        if failed:
            done = list(
                itertools.takewhile(
                    lambda one: one["dynamodb"]["SequenceNumber"] not in failed, batch
                )
            )
        for _ in done:
            self.records.popleft()
        self.retry_at = self.clock() + timedelta(seconds=10) if failed else None
        return True

    def deliver(self, detail_type: str, text: str) -> None:
        """What the rules do with an event that was taken."""
        detail = json.loads(text)
        body = json.dumps({"detail-type": detail_type, "detail": detail})
        self.events.append((detail_type, detail))
        if detail_type in ASSESS_TYPES:
            self.driver.send(ASSESS, body)
        if detail_type in RECORD_TYPES:
            self.driver.send(RECORD, body)
        if "erp" in detail.get("targets", ()):
            for types, queue in ((DOCUMENT_TYPES, DOCUMENTS), (LEVEL_TYPES, LEVELS)):
                if detail_type in types:
                    self.driver.send(queue, body)

    # -- time --------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Do one thing that is due now, anywhere; whether there was one."""
        if self._stream():
            return True
        if self.unheard and self.unheard[0][0] <= self.clock():
            _, _, tries, delivery = heapq.heappop(self.unheard)
            self._send(delivery, tries)
            return True
        return self.driver.step()

    def wait(self, until: datetime | None = None) -> bool:
        """Let the time pass until something is due; whether anything is, and not too late."""
        waits = [self.driver.next_due(), self.unheard[0][0] if self.unheard else None]
        waits += [self.retry_at] if self.records else []
        due = min((one for one in waits if one), default=None)
        if due is None or (until and due > until):
            return False
        self.clock.advance(max((due - self.clock()).total_seconds(), 0))
        return True

    def run(self, until: datetime | None = None) -> None:
        """Work, and let time pass, until nothing is due any more or it is so late."""
        while self.step() or self.wait(until):
            pass
        if until:
            self.clock.advance(max((until - self.clock()).total_seconds(), 0))

    def drain(self, limit: int = 500) -> None:
        """Work until no message is left."""
        del limit
        self.run()

    def settle(self, rounds: int = 12) -> None:
        """Work and sweep until nothing is behind."""
        self.run()
        for _ in range(rounds):
            self.clock.advance(self.bridge.timing.resync_after + 1)
            if not self.sweeper.run():
                return
            self.run()

    # -- what is true ------------------------------------------------------------------------------

    def shown(self, order_id: int, connection: str = "shop") -> list[Told]:
        """What the shop shows of an order now."""
        body = self.desk.order(order_id).body()
        told = {"triggered_at": self.clock()} | json.loads(json.dumps(body))
        return list(mapping.order(wire.Order.model_validate(told), connection))

    def newest_of(self, order_id: int) -> Frozen:
        """The shop's last word of an order, as it would be stored."""
        order = ref(Kind.ORDER, "shop", order_id)
        shown = (one for one in self.shown(order_id) if isinstance(one, Seen) and one.ref == order)
        body = next(shown).body
        assert body
        return body

    @property
    def newest(self) -> dict[EntityRef, Frozen]:
        """The shop's last word of each order."""
        return {ref(Kind.ORDER, "shop", one): self.newest_of(one) for one in self.desk.orders}

    @property
    def counted(self) -> Counter[str]:
        """What all functions counted, the webhook's aside."""
        return counts(self.lines)
