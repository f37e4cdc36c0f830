from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from fizzbridge.aws import aws_client
from fizzbridge.runtime.leases import Lease, acquire
from fizzbridge.state import (
    ConditionFailedError,
    Equals,
    NoRow,
    TableRefusedError,
    TableUnavailableError,
    Write,
)
from fizzbridge.state.dynamodb import DynamoTable
from tests.kit.emulator import create_table, free_port
from tests.kit.table_suite import TableSuite

pytestmark = pytest.mark.enable_socket

DEADLINE_S = 1.5


@pytest.fixture(scope="module")
def table_name(dynamodb):
    return create_table(dynamodb)


class TestDynamoTable(TableSuite):
    @pytest.fixture
    def table(self, dynamodb, table_name):
        return DynamoTable(dynamodb, table_name)


class Faults:
    """The fault proxy's rules, and a table behind it."""

    def __init__(self, proxy, table):
        self.proxy = proxy
        self.table = table

    def strike(self, operation, times=1, **fault):
        rule = {"service": "dynamodb", "operation": operation, "times": times, **fault}
        self.proxy.post("/_microburst/rules", json=[rule]).raise_for_status()

    def fired(self):
        return self.proxy.get("/_microburst/fired").raise_for_status().json()


@pytest.fixture
def faults(faulty_address, table_name):
    client = aws_client("dynamodb", deadline_s=DEADLINE_S, endpoint_url=faulty_address)
    with httpx.Client(base_url=faulty_address) as proxy:
        yield Faults(proxy, DynamoTable(client, table_name))
        proxy.post("/_microburst/rules", json=[]).raise_for_status()
    client.close()


LOST_REPLY = {"response": {"abort_bytes": 0}}


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("UpdateItem", {"set": {"x": 1}, "add": {"n": 1}}),
        ("PutItem", {"set": {"x": 1, "n": 1}, "replace": True}),
    ],
)
def test_our_own_write_is_known_when_its_reply_was_lost(faults, operation, change):
    faults.strike(operation, **LOST_REPLY)
    row = faults.table.write(Write(f"Lost#{operation}", "A", when=NoRow(), **change))
    assert row == {"pk": f"Lost#{operation}", "sk": "A", "x": 1, "n": 1}
    assert faults.fired()
    assert faults.table.get(f"Lost#{operation}", "A") == row


def test_the_same_write_of_another_is_still_a_loss(faults):
    write = Write("Lost#other", "A", set={"x": 1}, when=NoRow())
    faults.table.write(write)
    with pytest.raises(ConditionFailedError) as caught:
        faults.table.write(write)
    assert caught.value.rows == [{"pk": "Lost#other", "sk": "A", "x": 1}]


def test_a_transaction_whose_reply_was_lost_counts_once(faults):
    faults.strike("TransactWriteItems", **LOST_REPLY)
    faults.table.transact([Write("Lost#t", "A", add={"n": 1}, when=NoRow())])
    assert faults.table.get("Lost#t", "A") == {"pk": "Lost#t", "sk": "A", "n": 1}


def test_a_lease_whose_reply_was_lost_is_held(faults):
    faults.strike("UpdateItem", **LOST_REPLY)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    lease = acquire(faults.table, "Lost#lease", "LINK#erp", "worker-1", 70, now)
    assert isinstance(lease, Lease)
    assert lease.fence == 1


def test_one_throttle_is_survived(faults):
    faults.strike("GetItem", error={"code": "ThrottlingException"})
    assert faults.table.get("Lost#none", "A") is None


@pytest.mark.parametrize(
    "fault",
    [
        {"error": {"code": "ProvisionedThroughputExceededException"}},
        {"error": {"code": "InternalServerError"}},
        {"error": {"code": "AccessDeniedException"}},
        {"error": {"code": "ResourceNotFoundException"}},
        {"response": {"abort_bytes": 0}},
        {"response": {"truncate_bytes": 1}},
    ],
    ids=lambda fault: json.dumps(fault),
)
def test_a_table_that_does_not_serve_is_unavailable(faults, fault):
    faults.strike("UpdateItem", times=10, **fault)
    with pytest.raises(TableUnavailableError):
        faults.table.write(Write("Lost#down", "A", set={"x": 1}))
    faults.strike("TransactWriteItems", times=10, **fault)
    with pytest.raises(TableUnavailableError):
        faults.table.transact([Write("Lost#down", "A", set={"x": 1})])


def test_a_silent_table_is_unavailable_within_the_deadline(faults):
    faults.strike("UpdateItem", times=10, latency=3000)
    begun = time.monotonic()
    with pytest.raises(TableUnavailableError):
        faults.table.write(Write("Lost#slow", "A", set={"x": 1}))
    assert time.monotonic() - begun < DEADLINE_S + 0.25


def test_a_table_nobody_serves_is_unavailable(aws_environment):
    client = aws_client("dynamodb", deadline_s=0.5, endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(TableUnavailableError):
        DynamoTable(client, "none").get("A", "B")
    client.close()


def test_clashing_transactions_are_tried_again(faults):
    faults.strike("UpdateItem", times=2, error={"code": "TransactionConflictException"})
    row = faults.table.write(Write("Lost#clash", "A", set={"x": 1}))
    assert row["x"] == 1


def test_a_refusal_quotes_no_value(faults):
    with pytest.raises(TableRefusedError) as caught:
        faults.table.write(Write("Lost#refused", "A", set={"behind_since": ""}))
    assert str(caught.value) == "ValidationException"


def test_the_mark_stays_inside(faults, dynamodb, table_name):
    faults.table.write(Write("Mark", "A", set={"x": 1}, when=NoRow()))
    key = {"pk": {"S": "Mark"}, "sk": {"S": "A"}}
    stored = dynamodb.get_item(TableName=table_name, Key=key)["Item"]
    assert set(stored) == {"pk", "sk", "x", "write_mark"}
    with pytest.raises(ConditionFailedError) as caught:
        faults.table.transact([Write("Mark", "A", when=Equals("x", 2))])
    assert caught.value.rows == [{"pk": "Mark", "sk": "A", "x": 1}]
