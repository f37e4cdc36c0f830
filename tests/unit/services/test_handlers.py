"""The functions' own entries: environment, configuration layer and AWS clients put together."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from fizzbridge.model.entity import Part
from fizzbridge.observation import Seen
from fizzbridge.runtime.breaker import read
from fizzbridge.runtime.conservation import MARGIN
from fizzbridge.runtime.observe import Circumstances, Observer
from fizzbridge.runtime.wiring import ports, visibility
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import compile_bridge, load_bridge, load_catalogue
from fizzbridge.state.dynamodb import DynamoTable, to_image
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.state.table import Write
from services import announce, assess, census, record, sweep, watch
from tests.kit.clock import Clock
from tests.kit.desk import Desk
from tests.kit.emulator import REGION, create_table
from tests.kit.house import ITEMS, SECOND, House, order_ref, order_request, seen_customer
from tests.kit.source import captured_logs

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CACHES = (
    ports,
    visibility,
    load_bridge,
    load_catalogue,
    announce._bus,  # the functions' own caches, which outlive a test
    assess._assessor,
    sweep._sweeper,
    census._lines,
)


class Account:
    """An account with what the functions work on, and the entity they are asked about."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs")
        dynamodb = boto3.client("dynamodb")
        self.table_name = create_table(dynamodb)
        self.table = DynamoTable(dynamodb, self.table_name)
        boto3.client("s3").create_bucket(
            Bucket="bodies", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        boto3.client("events").create_event_bus(Name="bus")
        self.assess_queue = self.queue("assess")
        self.documents = self.queue("fizzbridge-test-erp-documents")

    def queue(self, name: str) -> str:
        return self.sqs.create_queue(QueueName=name)["QueueUrl"]

    def observe(self) -> None:
        clock, request = Clock(), order_request()
        observer = Observer(self.table, MemoryObjects(), House().bridge, clock)
        seen = Seen(order_ref(), request, request.changed_at, Part.REQUEST)
        for one in (seen_customer(), seen):
            observer.observe("shop", one, SECOND, Circumstances(clock(), is_authoritative=False))

    def batch(self, body: object, queue: str) -> dict:
        """A message, received, as Lambda hands it over."""
        self.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
        (message,) = self.sqs.receive_message(QueueUrl=queue)["Messages"]
        name = queue.rpartition("/")[2]
        found = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:{name}",
        }
        return {"Records": [found]}

    def waiting(self, queue: str) -> list[dict]:
        found = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@pytest.fixture
def account(tmp_path, monkeypatch):
    package = tmp_path / "bridge_config"
    package.mkdir()
    for name, content in compile_bridge(House().bridge, tuple(ITEMS)).items():
        (package / name).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "FIZZBRIDGE_STAGE": "test",
        "FIZZBRIDGE_BUCKET": "bodies",
        "FIZZBRIDGE_BUS": "bus",
        "FIZZBRIDGE_CONNECTION": "erp",
        "FIZZBRIDGE_API_SECRET": "erp/api",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for cache in CACHES:
        cache.cache_clear()
    with mock_aws():
        account = Account()
        monkeypatch.setenv("FIZZBRIDGE_TABLE", account.table_name)
        monkeypatch.setenv("FIZZBRIDGE_ASSESS_QUEUE", account.assess_queue)
        yield account
    for cache in CACHES:
        cache.cache_clear()
    sys.modules.pop("bridge_config", None)


HINT = {"detail-type": "Resync", "detail": {"kind": "Order", "key": "shop/1"}}


def test_assess_assesses(account, capsys):
    account.observe()
    answer = assess.handler(account.batch(HINT, account.assess_queue), None)
    assert answer == {"batchItemFailures": []}
    assert account.table.get("Order#shop/1", "PART#assessment")
    assert account.table.get("Order#shop/1", "LINK#erp")
    assert '"assessed":[1]' in capsys.readouterr().out


def test_announce_announces(account, capsys):
    account.observe()
    row = account.table.get("Order#shop/1", "LINK#assess")
    change = {"NewImage": to_image(row), "SequenceNumber": "1"}
    answer = announce.handler({"Records": [{"dynamodb": change}]}, None)
    assert answer == {"batchItemFailures": []}
    assert '"announced":[1]' in capsys.readouterr().out


def test_record_records(account):
    detail = {
        "kind": "Order",
        "key": "shop/1",
        "event_id": "e" * 32,
        "occurred_at": "2026-11-20T09:00:00Z",
    }
    batch = account.batch({"detail-type": "OrderBooked", "detail": detail}, account.assess_queue)
    assert record.handler(batch, None) == {"batchItemFailures": []}
    (row,) = account.table.query("Order#shop/1", "TIMELINE#")
    assert row["what"] == "OrderBooked"


def test_sweep_finds_the_queues_by_their_names(account):
    for name in ("erp", "assess"):
        behind = {"behind_shard": f"{name}#0", "behind_since": to_text(LONG_AGO)}
        account.table.write(Write("Order#shop/1", f"LINK#{name}", set=behind))
    assert sweep.handler({}, None) == {"hints": 2}
    assert account.waiting(account.documents) == [HINT]
    assert account.waiting(account.assess_queue) == [HINT]


def test_census_counts_deliveries_and_links(account, capsys):
    account.observe()
    assess.handler(account.batch(HINT, account.assess_queue), None)
    behind = {"behind_shard": "erp#0", "behind_since": to_text(LONG_AGO)}
    account.table.write(Write("Order#shop/1", "LINK#erp", set=behind))
    judged = census.window(House().bridge, datetime.now(UTC) - MARGIN)
    hour_ago = judged.since + timedelta(seconds=30)
    line = {
        "message": "delivery",
        "connection": "shop",
        "correlation_id": "c-1",
        "timestamp": hour_ago.isoformat(),
        "outcome": "taken",
        "told": 2,
        "merged": 1,
    }
    logs = boto3.client("logs")
    group = {"logGroupName": "/aws/lambda/fizzbridge-test-shop-webhook"}
    logs.create_log_group(**group)
    logs.create_log_stream(**group, logStreamName="one")
    events = [
        {"timestamp": int(hour_ago.timestamp() * 1000), "message": message}
        for message in (json.dumps(line), "not JSON")
    ]
    logs.put_log_events(**group, logStreamName="one", logEvents=events)
    with captured_logs() as text:
        census.handler({}, None)
    out = capsys.readouterr().out
    figures = [json.loads(one) for one in out.splitlines() if '"imbalance"' in one]
    assert {one["connection"]: (one["imbalance"], one["late_links"]) for one in figures} == {
        "shop": ([2], [1]),  # its customer has not been assessed since
        "erp": ([0], [1]),
    }
    assert all(one["unaccounted_links"] == [0] for one in figures)
    assert '"uneven":["c-1"],"unreceived":["c-1"]' in text()
    told = [json.loads(line) for line in text().splitlines()]
    late = [(one["connection"], one["entity"]) for one in told if one["message"] == "link late"]
    assert ("erp", "Order#shop/1") in late
    assert all(one["correlation_id"] for one in told)


def test_watch_counts_what_is_in_the_table(account, capsys):
    link = {"status": "parked", "cause": "LINK#erp#parked"}
    account.table.write(Write("Order#shop/1", "LINK#erp", set=link))
    watch.handler({}, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line["parked_links"] for line in lines if "parked_links" in line]
    assert told == [[1]]


def test_a_target_without_its_secret_hides_the_message_for_a_while(account, capsys):
    account.observe()
    assess.handler(account.batch(HINT, account.assess_queue), None)
    event = {"detail-type": "OrderPlaced", "detail": HINT["detail"] | {"event_id": "e"}}
    batch = account.batch(event, account.documents)
    answer = target_handler(Desk().adapter)(batch, None)
    message_id = batch["Records"][0]["messageId"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": message_id}]}
    assert account.waiting(account.documents) == []
    assert '"retried":[1]' in capsys.readouterr().out
    assert read(account.table, "erp").name == "open"
