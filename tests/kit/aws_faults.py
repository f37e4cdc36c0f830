"""Faults of our own services: in this process, and between real clients and the emulator."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from fizzbridge.aws import aws_client
from fizzbridge.bus import Entry, EventBridgeBus
from fizzbridge.queues import SqsQueue
from fizzbridge.runtime.wiring import now
from fizzbridge.secrets import SecretStore, secrets_manager
from fizzbridge.state.dynamodb import DynamoTable, from_image
from fizzbridge.state.objects import S3Objects
from fizzbridge.state.table import Row
from tests.kit.emulator import REGION, create_table


class Gate:
    """A port that answers, or not: it is down, or what was asked is done and the answer lost.

    Args:
        port: what is behind it.
        error: what its callers know as an outage.

    Attributes:
        is_down: nothing is done.
        calls: how many came.
        struck: how often a planned fault happened.
    """

    def __init__(self, port: Any, error: type[Exception]) -> None:
        self._port = port
        self._error = error
        self.is_down = False
        self.calls = 0
        self.struck = 0
        self._planned: dict[int, bool] = {}

    def plan(self, number: int, *, is_done: bool) -> None:
        """Let one of the next calls fail: the first is number 1.

        Args:
            number: which of them.
            is_done: whether what was asked is done all the same, and only the answer lost.
        """
        self._planned[self.calls + number] = is_done

    def before(self, port: Any) -> None:
        """Stand before another port."""
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def through(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.is_down:
                raise self._error("down")
            is_done = self._planned.pop(self.calls, None)
            if is_done is None:
                return method(*args, **kwargs)
            self.struck += 1
            if is_done:
                method(*args, **kwargs)
            raise self._error("no answer" if is_done else "refused")

        return through


# -- between real clients and the emulator ---------------------------------------------------------

LOST_REPLY = {"response": {"abort_bytes": 0}}
"""It is done, and the line breaks before the first byte of the answer."""

CUT_REPLY = {"response": {"truncate_bytes": 1}}


def error(code: str) -> dict[str, Any]:
    """The service says no."""
    return {"error": {"code": code}}


DEADLINE_S = 5.0
"""Longest call through the proxy: as the functions have it."""


class ShownTable(DynamoTable):
    """A table that can show all its rows."""

    def __init__(self, client: Any, name: str) -> None:
        super().__init__(client, name, pause=lambda _: None)
        self._shown = (client, name)

    def rows(self) -> list[Row]:
        client, name = self._shown
        pages = client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        return [from_image(item) for page in pages for item in page["Items"]]


class Cloud:
    """A stage's own services on the emulator: as they are, and as our functions reach them.

    Attributes:
        table: as it is; likewise ``objects``.
        reached: the ports of the functions, through the fault proxy, by name.
    """

    def __init__(self, address: str, faulty: str) -> None:
        self._clients: list[Any] = []
        self._proxy = httpx.Client(base_url=faulty)
        self._rules: list[dict[str, Any]] = []
        unique = uuid.uuid4().hex
        dynamodb = self._client("dynamodb", address)
        name = create_table(dynamodb)
        self.table = ShownTable(dynamodb, name)
        s3, bucket = self._client("s3", address), f"bodies-{unique}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.objects = S3Objects(s3, bucket)
        self._sqs = self._client("sqs", address)
        self.url = self._sqs.create_queue(QueueName=f"pull-{unique}")["QueueUrl"]
        self._heard = self._sqs.create_queue(QueueName=f"heard-{unique}")["QueueUrl"]
        self._rule(self._client("events", address), f"bus-{unique}", f"heard-{unique}")
        manager = self._client("secretsmanager", address)
        self.secret = f"/fizzbridge/test/{unique}"
        manager.create_secret(Name=self.secret, SecretString=json.dumps({"active": ["one"]}))
        reach = {
            service: self._client(service, faulty, DEADLINE_S)
            for service in ("dynamodb", "s3", "sqs", "events", "secretsmanager")
        }
        self.reached: dict[str, Any] = {
            "table": DynamoTable(reach["dynamodb"], name, pause=lambda _: None),
            "objects": S3Objects(reach["s3"], bucket),
            "queue": OneQueue(SqsQueue(reach["sqs"]), self.url),
            "bus": EventBridgeBus(reach["events"], f"bus-{unique}", pause=lambda _: None),
            "secrets": SecretStore(secrets_manager(reach["secretsmanager"]), now),
        }

    def strike(self, service: str, operation: str = "", **fault: Any) -> None:
        """Let calls to a service fail from now on, beside what fails already.

        Args:
            service: by botocore's name.
            operation: one of its operations; all by default.
            fault: ``times`` or ``sequence`` say which calls, the rest says how.
        """
        named = {"operation": operation} if operation else {}
        self._rules.append({"service": service, **named, **fault})
        self._tell()

    def heal(self) -> None:
        """Let everything answer again."""
        self._rules.clear()
        self._tell()

    def _tell(self) -> None:
        self._proxy.post("/_microburst/rules", json=self._rules).raise_for_status()

    @property
    def fired(self) -> int:
        """How many calls have met a fault since the proxy was started."""
        told = self._proxy.get("/_microburst/stats").raise_for_status().json()
        return int(told["requests"]["faulted"])

    def heard(self) -> list[tuple[str, str]]:
        """What the bus delivered since the last look: detail types and details."""
        events = [json.loads(body) for body in self._taken(self._heard)]
        return [(one["detail-type"], json.dumps(one["detail"])) for one in events]

    def waiting(self) -> list[str]:
        """What was sent to the queue since the last look."""
        return self._taken(self.url)

    def close(self) -> None:
        self.heal()
        self._proxy.close()
        for client in self._clients:
            client.close()

    def _taken(self, url: str) -> list[str]:
        bodies: list[str] = []
        while found := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for one in found:
                bodies.append(one["Body"])
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return bodies

    def _client(self, service: Any, address: str, deadline_s: float = 30) -> Any:
        self._clients.append(aws_client(service, deadline_s=deadline_s, endpoint_url=address))
        return self._clients[-1]

    def _rule(self, events: Any, bus: str, queue: str) -> None:
        events.create_event_bus(Name=bus)
        pattern = json.dumps({"source": [{"prefix": "fizzbridge."}]})
        events.put_rule(Name=bus, EventBusName=bus, EventPattern=pattern)
        arn = f"arn:aws:sqs:{REGION}:000000000000:{queue}"
        events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])


class OneQueue:
    """A queue of the emulator, by whatever name it is asked for."""

    def __init__(self, queue: SqsQueue, url: str) -> None:
        self._queue = queue
        self._url = url

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        del url
        self._queue.send(self._url, body, delay, attributes)


class HeardBus:
    """The real bus, with everything it delivers handed on at once.

    Args:
        cloud: where it is.
        deliver: takes a detail type and a detail.
    """

    def __init__(self, cloud: Cloud, deliver: Callable[[str, str], None]) -> None:
        self._cloud = cloud
        self._deliver = deliver
        self.copies = 0

    def put(self, entries: Sequence[Entry]) -> None:
        try:
            self._cloud.reached["bus"].put(entries)
        finally:
            for detail_type, detail in self._cloud.heard():
                self.copies += 1
                self._deliver(detail_type, detail)
