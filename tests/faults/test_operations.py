"""What people do in operations: send a thousand back at once, twice; replay a day."""

from __future__ import annotations

import json
import random
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from cli import desk, dlq, replay
from cli.operations import Operation
from cli.stack import Stack
from fizzbridge.errors import TargetRejectedError
from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.observation import Seen
from fizzbridge.runtime.batch import Message
from services.record import work as record
from tests.kit.emulator import REGION, emulator, emulator_missing
from tests.kit.house import House, line, order_ref, order_request
from tests.kit.sqs import MemorySqs

ROOT = Path(__file__).resolve().parents[2]
WHERE = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
DOCUMENTS, DLQ = "documents", "dlq"
TICK_S = 0.1
LIVE = 100_000
"""Numbers of live orders begin after it."""
PER_TICK = 3
"""What the target's workers get done in a tick: thirty a second."""


@pytest.fixture
def aws():
    with mock_aws():
        yield


def stack_of(house: House) -> Stack:
    """The house as a deployed stack: its table, and queues of its own."""
    erp = {"Platform": "odoo", "DocumentsQueueUrl": DOCUMENTS, "DlqUrl": DLQ}
    erp["LevelsQueueUrl"] = "levels"
    shop = {"Platform": "shopify", "PullQueueUrl": "pull", "DlqUrl": "shop-dlq"}
    return Stack(
        stage="test",
        core={"BusName": "fizzbridge-test-bus"},
        connections={"erp": erp, "shop": shop},
        table=house.rows,
        objects=house.objects,
        sqs=MemorySqs(),  # type: ignore[arg-type]  # as much of it as the command uses
        secrets=None,  # type: ignore[arg-type]  # nothing here reads a secret
        sts=boto3.client("sts", **WHERE),
        manifests=load_registry(ROOT),
        events=boto3.client("events", **WHERE),
        queue_wait_s=0,
    )


class Line:
    """The target's queue and its workers by a clock of ticks; shops go on selling meanwhile."""

    def __init__(self, house: House, stack: Stack) -> None:
        self.house, self.stack = house, stack
        self.waiting: deque[EntityRef] = deque()
        self.placed: dict[EntityRef, int] = {}
        """Live orders on their way, each with how many were worked off when it joined the line."""
        self.waits: list[int] = []
        """How many others went before each live order."""
        self.worked = 0
        self.ticks = 0
        self.number = LIVE

    def tick(self) -> None:
        """A tenth of a second: every third a live order, hints that came, and what workers do."""
        self.ticks += 1
        self.house.clock.advance(TICK_S)
        if self.ticks % 3 == 0:
            self.number += 1
            self.house.place(self.number)
        self._join()
        for _ in range(min(PER_TICK, len(self.waiting))):
            entity = self.waiting.popleft()
            self.house.outcomes.append(self.house.converge.run(entity, f"w{self.worked}"))
            if (joined := self.placed.pop(entity, None)) is not None:
                self.waits.append(self.worked - joined)
            self.worked += 1

    def _join(self) -> None:
        messages = self.house.messages
        for to, event in [messages.popleft() for _ in range(len(messages))]:
            if to == "assess":
                self.house.handle(to, event)
            else:
                messages.append((to, event))
        while messages:
            to, event = messages.popleft()
            if to == "assess":
                self.house.handle(to, event)
                continue
            entity = EntityRef(kind=event.kind, key=event.key)
            if int(entity.external_id) > LIVE:
                self.placed[entity] = self.worked
            self.waiting.append(entity)
        self.waiting.extend(self._hints())

    def _hints(self) -> list[EntityRef]:
        """What the redrive has put on the target's queue since."""
        details = (json.loads(body)["detail"] for body in self.stack.sqs.take(DOCUMENTS))
        return [EntityRef(kind=Kind(one["kind"]), key=one["key"]) for one in details]

    def finish(self) -> None:
        while self.waiting or self.house.messages:
            self.tick()


def parked_house(count: int) -> House:
    """A house whose ERP refused so many orders; a pointer to each lies in the queue."""
    house = House()
    house.orders.refuse = TargetRejectedError("the period is closed")
    for number in range(1, count + 1):
        house.place(number)
        house.drain()
    house.orders.refuse = None
    return house


def point(stack: Stack, count: int) -> None:
    label = {"reason": {"DataType": "String", "StringValue": "rejected"}}
    for number in range(1, count + 1):
        body = {"kind": "Order", "key": f"shop/{number}", "connection": "erp", "reason": "closed"}
        stack.sqs.send_message(QueueUrl=DLQ, MessageBody=json.dumps(body), MessageAttributes=label)


def p99(figures: list[int]) -> int:
    return sorted(figures)[len(figures) * 99 // 100]


@dataclass
class Redriven:
    """What became of a redrive; ``quiet`` are the waits of live orders before it."""

    house: House
    line: Line
    quiet: list[int]
    first: Counter[str]
    second: Counter[str]

    def objects(self) -> Counter[str]:
        """Objects at the target by our reference."""
        return Counter(held.reference for held in self.house.orders.objects.values())

    def stale(self, count: int) -> list[int]:
        """Orders the target holds otherwise than the shop said last."""
        found = []
        for number in range(1, count + 1):
            said = self.house.rows.get(str(order_ref(number)), "PART#request") or {}
            (held,) = self.house.orders.of(f"shop/{number}")
            assert held.payload is not None
            if ('"quantity":7' in str(said["body"])) != (held.payload.lines == ("COLA330 7",)):
                found.append(number)
        return found


def redriven(count: int, per_second: float) -> Redriven:
    """Send all back, twice, at a rate, while orders go on coming in and some change."""
    house = parked_house(count)
    stack = stack_of(house)
    point(stack, count)
    run = Line(house, stack)
    for _ in range(300):
        run.tick()
    quiet = list(run.waits)
    run.waits.clear()
    found = desk.cases(stack, None)
    assert len(found) == count
    changes = random.Random(1)  # noqa: S311  # no secret
    done: list[Counter[str]] = []
    owed = 0.0
    for _ in range(2):
        operation = Operation("op", "arn:aws:iam::1:user/ann", datetime.now(UTC))
        heard: Counter[str] = Counter()

        def told(became: str, heard: Counter[str] = heard) -> None:
            nonlocal owed
            heard[became] += 1
            if sum(heard.values()) % 10 == 0:
                # The shop changes an order that waits, or is on its way.
                number = changes.randint(1, count)
                request = order_request(number, lines=[line(quantity=7)], second=7)
                seen = Seen(order_ref(number), request, request.changed_at, Part.REQUEST)
                house.observe(seen)
            owed += 1 / per_second / TICK_S
            while owed >= 1:
                owed -= 1
                run.tick()

        # The list of the first run: as one has it who was interrupted, or two who did it at once.
        dlq.redrive(stack, found, operation, told)
        done.append(heard)
    run.finish()
    return Redriven(house, run, quiet, *done)


@pytest.mark.slow
@pytest.mark.level("in-process")
def test_f22_a_thousand_parked_are_sent_back_twice_during_live_traffic(aws, figures):
    """Each once at the target, the newest content, and live orders hardly notice."""
    count, per_second = 1000, 10
    done = redriven(count, per_second)
    assert done.first["sent back"] + done.first["not parked any more"] == count
    assert done.first["sent back"] > count * 0.9
    assert done.second["sent back"] == 0
    objects = done.objects()
    assert set(objects.values()) == {1}
    assert len(objects) == count + done.line.number - LIVE
    links = (done.house.link(order_ref(number)) for number in range(1, count + 1))
    assert {link["status"] for link in links} == {"synced"}
    stale = done.stale(count)
    assert stale == []
    quiet, busy = p99(done.quiet), p99(done.line.waits)
    assert busy <= 2 * max(quiet, PER_TICK)
    figures(
        parked=count,
        redriven_first=done.first["sent back"],
        redriven_second=done.second["sent back"],
        duplicates=sum(objects.values()) - len(objects),
        stale=len(stale),
        live_orders=len(done.line.waits),
        before_a_live_order_p99_quiet=quiet,
        before_a_live_order_p99_redrive=busy,
        per_second=per_second,
    )


@pytest.mark.level("in-process")
def test_f22_a_redrive_without_its_rate_would_starve_live_traffic(aws, figures):
    """The rate is what protects: the same without it makes live orders wait behind all."""
    done = redriven(120, per_second=100_000)
    assert done.first["sent back"] > 100
    assert done.second["sent back"] == 0
    assert p99(done.line.waits) > 50
    assert set(done.objects().values()) == {1}
    figures(parked=120, before_a_live_order_p99=p99(done.line.waits))


@pytest.mark.level("in-process")
def test_f23_a_replayed_day_has_no_effect_and_tells_nobody(aws, figures):
    """Every event of the day again, out of order, to the rules the command names."""
    house = House()
    for number in range(1, 41):
        house.place(number)
        house.drain()
        if number % 3 == 0:
            lines = [line(quantity=9)]
            request = order_request(number, lines=lines, second=5)
            house.observe(Seen(order_ref(number), request, request.changed_at, Part.REQUEST))
        if number % 7 == 0:
            gone = order_request(number, second=9, cancelled_at=house.clock())
            house.observe(Seen(order_ref(number), gone, gone.changed_at, Part.REQUEST))
    house.settle()
    stack = stack_of(house)
    rules = _bus(stack)
    now = datetime.now(UTC)
    of = replay.span(stack, "erp", now - timedelta(hours=24), now)
    archive = [one for one in house.events if getattr(one[1], "connection", "")]
    random.Random(2).shuffle(archive)  # noqa: S311  # no secret
    before = [row for row in house.rows.rows() if "LINK#" in str(row["sk"])]
    counts = {kind: +shelf.counts for kind, shelf in (("o", house.orders), ("c", house.customers))}
    announced = len(house.events)
    heard: Counter[str] = Counter()
    for detail_type, event in archive:
        for name in of.rules:
            assert name in rules
            if name.endswith("documents") and "erp" in getattr(event, "targets", ()):
                heard[name] += 1
                house.handle("erp", event)
        if "fizzbridge-test-record" in of.rules:
            heard["record"] += 1
            body = {"detail-type": str(detail_type), "detail": json.loads(event.model_dump_json())}
            record(Message("m", body, 1), house.rows)
    assert heard["fizzbridge-test-erp-documents"] > 40
    assert heard["record"] == 0
    assert len(house.events) == announced
    for kind, shelf in (("o", house.orders), ("c", house.customers)):
        assert +shelf.counts == counts[kind]
    fence = {"fence", "updated_at"}
    after = [row for row in house.rows.rows() if "LINK#" in str(row["sk"])]
    assert [_without(row, fence) for row in before] == [_without(row, fence) for row in after]
    figures(
        replayed=heard["fizzbridge-test-erp-documents"],
        calls_at_the_target=0,
        events_announced=0,
        notified=heard["record"],
    )


def _without(row, names):
    return {name: value for name, value in row.items() if name not in names}


def _bus(stack: Stack) -> list[str]:
    """Every rule a stack has, on its bus."""
    events = stack.events
    assert events is not None
    bus = stack.core["BusName"]
    made = events.create_event_bus(Name=bus)["EventBusArn"]
    names = [f"fizzbridge-test-{one}" for one in ("erp-documents", "erp-levels", "record")]
    for name in names:
        events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["x"]}')
    events.create_archive(ArchiveName="fizzbridge-test-archive", EventSourceArn=made)
    return names


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.level("emulator")
def test_f23_a_replay_reaches_the_target_and_no_rule_that_tells(tmp_path, figures):
    """The emulator offers a replay to every rule; those of what records match none of it."""
    if emulator_missing():
        pytest.fail("the emulator's environment is not installed")
    with emulator(tmp_path / "log") as address:
        where = WHERE | {"endpoint_url": address, "region_name": REGION}
        sqs, events = boto3.client("sqs", **where), boto3.client("events", **where)
        house = House()
        stack = replace(stack_of(house), sqs=sqs, events=events, sts=boto3.client("sts", **where))
        bus = stack.core["BusName"]
        made = events.create_event_bus(Name=bus)["EventBusArn"]
        events.create_archive(ArchiveName="fizzbridge-test-archive", EventSourceArn=made)
        urls = {}
        live = {"replay-name": [{"exists": False}]}
        for name, more in (("erp-documents", {"detail": {"targets": ["erp"]}}), ("record", live)):
            pattern = json.dumps({"source": [{"prefix": "fizzbridge."}]} | more)
            rule = f"fizzbridge-test-{name}"
            events.put_rule(Name=rule, EventBusName=bus, EventPattern=pattern)
            urls[name] = sqs.create_queue(QueueName=rule)["QueueUrl"]
            asked = {"QueueUrl": urls[name], "AttributeNames": ["QueueArn"]}
            arn = sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
            target = {"Id": "queue", "Arn": arn}
            events.put_targets(Rule=rule, EventBusName=bus, Targets=[target])
        entry = {"Source": "fizzbridge.shop", "DetailType": "OrderPlaced", "EventBusName": bus}
        entry["Detail"] = json.dumps({"targets": ["erp"], "kind": "Order", "key": "shop/1"})
        events.put_events(Entries=[entry])
        first = {name: _arrived(sqs, url, 1) for name, url in urls.items()}
        now = datetime.now(UTC)
        of = replay.span(stack, "erp", now - timedelta(hours=1), now + timedelta(minutes=1))
        name = replay.start(stack, of)
        again = _arrived(sqs, urls["erp-documents"], 1)
        state = events.describe_replay(ReplayName=name)["State"]
        recorded = _arrived(sqs, urls["record"], 0)
    assert first == {"erp-documents": 1, "record": 1}
    assert (again, recorded, state) == (1, 0, "COMPLETED")
    figures(replayed=again, recorded_again=recorded)


def _arrived(sqs, url: str, at_least: int) -> int:
    """Messages of a queue, taken away; waits until so many are there."""
    found = 0
    for _ in range(20):
        asked = {"QueueUrl": url, "WaitTimeSeconds": 1, "MaxNumberOfMessages": 10}
        for message in sqs.receive_message(**asked).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += 1
        if found >= at_least:
            break
    return found
