"""Who may do what, a secret that is renewed while orders come, and where a person's data turns up.

On the deployed stack: what the functions' own tests assert of each part is seen here of the whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader
from infra.local import metrics
from infra.local.state import ACCOUNT, LocalState
from tests.kit import canaries
from tests.kit.deployed import ROOT, Deployed
from tests.kit.source import SECRET

STAGE = "fizzbridge-local"


def run(*words: str) -> Result:
    done = CliRunner().invoke(app, list(words))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


# -- people ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Work that waits for a person: an order in step, one that is held, and one that is parked."""

    synced: EntityRef
    held: EntityRef
    parked: EntityRef


@pytest.fixture(scope="module")
def waiting(house: Deployed) -> Waiting:
    synced, _ = house.place()
    held, _ = house.place(sku="UNKNOWN-SECURITY")
    house.await_link(synced, "synced")
    house.await_link(held, "held")
    house.misbehave("odoo", kind="status", on="sale.order/load", status=422)
    parked, _ = house.place()
    house.await_link(parked, "parked")
    return Waiting(synced, held, parked)


@contextmanager
def signed_in(house: Deployed, policy: str, folder: Path) -> Iterator[None]:
    """Whoever runs commands has one of the policies the stack makes, and no other right."""
    iam, user = house.client("iam"), f"ann-{policy}"
    held = {"UserName": user, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{STAGE}-{policy}"}
    iam.create_user(UserName=user)
    iam.attach_user_policy(**held)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    try:
        shutil.copy(house.folder / "stack.json", folder)
        lines = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (folder / "credentials.env").write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FIZZBRIDGE_LOCAL", str(folder))
            yield
    finally:
        iam.detach_user_policy(**held)
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=user)


@pytest.fixture
def reader(house, tmp_path):
    with signed_in(house, "reader", tmp_path):
        yield


@pytest.fixture
def operator(house, tmp_path):
    with signed_in(house, "operator", tmp_path):
        yield


@pytest.fixture
def keyholder(house, tmp_path):
    with signed_in(house, "keyholder", tmp_path):
        yield


def looks(waiting: Waiting) -> Iterator[tuple[str, ...]]:
    """Every command that only looks."""
    key = waiting.synced.key
    yield from (
        ("status",),
        ("trace", key),
        ("explain", key),
        ("drift",),
        ("plan", key, "--to", "erp"),
        ("operations",),
        ("dlq",),
        ("dlq", "list"),
        ("dlq", "redrive", "--dry-run", "--connection", "erp"),
        ("hold", "list"),
        ("map", "list", "shop-uk", "sku"),
        ("privacy", "list"),
        ("balance",),
    )


def repairs(waiting: Waiting) -> Iterator[tuple[str, ...]]:
    """Commands that change something, in an order in which each has something to do."""
    yield from (
        ("dlq", "redrive", "--connection", "erp", "--yes"),
        ("map", "set", "shop-uk", "sku", "NOT-SOLD-ANY-MORE", "COLA330-C24"),
        ("map", "unset", "shop-uk", "sku", "NOT-SOLD-ANY-MORE"),
        ("hold", "recheck", waiting.held.key),
        ("resync", waiting.synced.key),
        ("pause", "shop-eu", "--why", "tried"),
        ("resume", "shop-eu"),
    )


@pytest.mark.usefixtures("reader")
def test_a_reader_sees_everything_and_changes_nothing(house, waiting):
    before = state_of(house)
    for words in looks(waiting):
        done = run(*words)
        assert done.exit_code == 0, (words, done.output)
    # Nothing was begun that could be ended.
    changes = [words for words in repairs(waiting) if not {"resume", "unset"} & set(words)]
    for words in (*changes, ("secrets", "set", "erp", "api_key=guessed")):
        done = run(*words)
        assert done.exit_code == 1, (words, done.output)
        assert "You may not do this" in done.stderr, (words, done.output)
    assert house.link(waiting.parked)["status"] == "parked"
    assert state_of(house) == before


def state_of(house: Deployed) -> dict[str, Any]:
    """What people's commands would change: links that wait, maps, pauses, what was done, keys."""
    pages = house.client("dynamodb").get_paginator("scan")
    found = {
        (row["pk"]["S"], row["sk"]["S"]): row
        for page in pages.paginate(TableName=house.stack.core["TableName"])
        for row in page["Items"]
        if row["pk"]["S"].startswith(("MAP#", "OPERATION#")) or row["sk"]["S"] == rows.BREAKER_SK
    }
    name = house.stack.connections["erp"]["ApiSecretName"]
    kept = house.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return {"rows": found, "key": kept}


@pytest.mark.usefixtures("operator")
def test_an_operator_repairs_and_holds_no_keys(house, waiting):
    for words in (*looks(waiting), *repairs(waiting)):
        done = run(*words)
        assert done.exit_code == 0, (words, done.output)
    house.await_link(waiting.parked, "synced")
    done = run("secrets", "set", "erp", "api_key=guessed")
    assert done.exit_code == 1
    assert "You may not do this" in done.stderr
    told = json.loads(run("operations", "--json").stdout)
    assert any("user/ann-operator" in json.dumps(one) for one in told)


@pytest.mark.usefixtures("keyholder")
def test_a_keyholder_sets_secrets_and_does_nothing_else(house, waiting):
    name = house.stack.connections["erp"]["ApiSecretName"]
    secrets = house.client("secretsmanager")
    before = secrets.get_secret_value(SecretId=name)["SecretString"]
    value = json.loads(before)["api_key"]
    done = run("secrets", "set", "erp", f"api_key={value}", "--expires", "2199-01-01")
    assert done.exit_code == 0, done.output
    assert value not in done.output
    assert json.loads(secrets.get_secret_value(SecretId=name)["SecretString"]) == json.loads(before)
    for words in (("trace", waiting.synced.key), ("dlq",), next(repairs(waiting))):
        done = run(*words)
        assert done.exit_code == 1, (words, done.output)


# -- a signing secret is renewed while orders come -----------------------------------------------


class Vendor:
    """A shop that never stops telling, signing with what is its secret at the time."""

    def __init__(self, house: Deployed, shown: Mapping[str, Any]) -> None:
        self._house = house
        self._shown = shown
        self._numbers = count(8_300_000)
        self.secret = house.secret
        self.told: list[EntityRef] = []
        self.answers: list[int] = []

    def tell(self) -> int:
        number = next(self._numbers)
        told_at = datetime.now(UTC).isoformat()
        more = {"id": number, "name": f"#{number}", "updated_at": told_at}
        body = json.dumps({**self._shown, **more, "financial_status": "pending"}).encode()
        answer = self._house.post(body, secret=self.secret).status_code
        self.told.append(ref(Kind.ORDER, "shop-uk", number))
        self.answers.append(answer)
        return answer

    def tell_on(self, stop: Event) -> None:
        while not stop.is_set():
            self.tell()

    def await_more(self, number: int) -> None:
        wanted = len(self.answers) + number
        self._house.await_(
            lambda: len(self.answers) >= wanted, lambda: f"{len(self.answers)} of {wanted} told"
        )


def test_no_delivery_is_refused_while_a_signing_secret_is_renewed(house):
    """Step by step as the runbook says; orders of a kind that no route takes, to load one door."""
    order, shown = house.place()
    house.await_link(order, "synced")
    elsewhere = {**shown["shipping_address"], "country_code": "US", "country": "United States"}
    vendor = Vendor(house, {**shown, "shipping_address": elsewhere})
    first, second = vendor.secret, "renewed-signing-secret"
    stop = Event()
    with ThreadPoolExecutor() as threads:
        telling = threads.submit(vendor.tell_on, stop)
        try:
            vendor.await_more(10)
            assert run("secrets", "set", "shop-uk", f"active={second}").exit_code == 0
            vendor.await_more(10)
            vendor.secret = second
            vendor.await_more(10)
            done = run("secrets", "set", "shop-uk", f"active={second}", "--replace")
            assert done.exit_code == 0
            vendor.await_more(10)
        finally:
            stop.set()
        telling.result()
    assert set(vendor.answers) == {200}
    loader = Loader(house.stack.table, house.stack.objects)
    house.await_(
        lambda: all(loader.view(one).request for one in vendor.told),
        lambda: "an order that was accepted is not known",
    )
    # A process keeps what it knew for minutes; a new one does not know the old secret.
    house.start_anew(house.stack.connections["shop-uk"]["WebhookFunction"])
    vendor.secret = first
    assert vendor.tell() == 401
    vendor.secret = second
    assert vendor.tell() == 200
    assert run("secrets", "set", "shop-uk", f"active={first}", "--replace").exit_code == 0
    house.start_anew(house.stack.connections["shop-uk"]["WebhookFunction"])
    vendor.secret = first
    assert vendor.tell() == 200


# -- a person's data ------------------------------------------------------------------------------

WHERE = {
    "first_name": canaries.FIRST,
    "last_name": canaries.LAST,
    "company": canaries.COMPANY,
    "address1": canaries.STREET,
    "city": canaries.CITY,
    "zip": canaries.POSTCODE,
    "phone": canaries.PHONE,
    "country_code": "GB",
    "country": "United Kingdom",
}
BUYER = {
    "customer": {
        "first_name": canaries.FIRST,
        "last_name": canaries.LAST,
        "email": canaries.MAIL,
        "phone": canaries.PHONE.replace(" ", ""),
    },
    "email": canaries.MAIL,
    "shipping_address": WHERE,
    "billing_address": WHERE,
    "note": f"ring {canaries.NAME}, card {canaries.CARD}",
}
GUESSED = "guessed-path-token-8841"


class Ears:
    """Everything that passes the bus and the queues while it is looked."""

    def __init__(self, house: Deployed) -> None:
        self._house = house
        self._queue = house.stack.sqs.create_queue(QueueName="ears")["QueueUrl"]
        attributes = house.stack.sqs.get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )
        self._arn = attributes["Attributes"]["QueueArn"]
        self._events = house.client("events")
        self._rule = {"Name": "ears", "EventBusName": house.stack.core["BusName"]}
        pattern = json.dumps({"source": [{"prefix": ""}]})
        self._events.put_rule(**self._rule, EventPattern=pattern)
        self._events.put_targets(
            Rule="ears",
            EventBusName=house.stack.core["BusName"],
            Targets=[{"Id": "ears", "Arn": self._arn}],
        )
        self.heard: dict[str, str] = {}
        self.events = 0

    def listen(self) -> None:
        endpoint = self._house.stack.local["endpoint"]
        answer = httpx.get(f"{endpoint}/_ministack/sqs/messages", trust_env=False, timeout=30)
        for queues in answer.json()["messages"][ACCOUNT].values():
            for url, messages in queues.items():
                for message in messages:
                    self.heard[f"{url} {message['MessageId']}"] = json.dumps(message)
        while found := self._house.stack.sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in found:
                self.events += 1
                self.heard[f"event {self.events}"] = message["Body"]
                self._house.stack.sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )

    def close(self) -> None:
        self._events.remove_targets(
            Rule="ears", EventBusName=self._rule["EventBusName"], Ids=["ears"]
        )
        self._events.delete_rule(**self._rule)
        self._house.stack.sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture
def ears(house) -> Iterator[Ears]:
    ears = Ears(house)
    yield ears
    ears.close()


def test_a_persons_data_is_in_bodies_and_nowhere_else(house, ears):
    begun = datetime.now(UTC)
    synced, shown = house.place(**BUYER)
    held, _ = house.place(sku="UNKNOWN-CANARY", **BUYER)
    # What fails says why, and a vendor's answer may quote us.
    body = json.dumps({**shown, "id": 8_400_001, "name": "#8400001"}).encode()
    house.misbehave(
        "odoo", kind="status", on="sale.order/load", status=422, body_contains="shop-uk/8400001"
    )
    assert house.post(body).status_code == 200
    assert house.post(body[: len(body) * 4 // 5]).status_code == 200
    assert house.post(body, **{"x-shopify-hmac-sha256": "Zm9yZ2Vk"}).status_code == 401
    for token, status in ((SECRET, 200), (GUESSED, 401)):
        url = house.webhook_url.replace("shop-uk", f"erp/{token}")
        told = {"_model": "sale.order", "_id": 1, "name": canaries.NAME, "email": canaries.MAIL}
        assert httpx.post(url, json=told, timeout=30, trust_env=False).status_code == status
    wanted = {synced: "synced", held: "held", ref(Kind.ORDER, "shop-uk", 8_400_001): "parked"}

    def listen() -> None:
        ears.listen()
        house.sweep()

    house.await_(
        lambda: all(house.link(one).get("status") == status for one, status in wanted.items()),
        lambda: f"{[house.link(one) for one in wanted]}",
        meanwhile=listen,
    )
    sale = house.link(synced)["external_id"]
    url = f"{house.stack.local['sandboxes']['odoo']}/_sandbox/orders/{sale}"
    for act in ("ship", "invoice"):
        httpx.post(f"{url}/{act}", json={}, trust_env=False, timeout=30).raise_for_status()
    loader = Loader(house.stack.table, house.stack.objects)
    house.await_(
        lambda: loader.view(synced).documents.shipped() and loader.view(synced).documents.invoices,
        lambda: f"{synced} has {loader.view(synced).documents}",
        meanwhile=lambda: (
            ears.listen(),
            *(house.poll("erp", stream) for stream in ("orders", "shipments", "invoices")),
        ),
    )
    house.watch()
    house.client("lambda").invoke(FunctionName=f"{STAGE}-census")
    ears.listen()
    kept, elsewhere = rows_of(house)
    # Or nothing would be found because nothing was planted.
    assert not {canaries.MAIL, canaries.STREET, canaries.POSTCODE} - {
        one for one in canaries.CANARIES if one in kept
    }
    assert ears.events >= 3
    logs = logs_of(house, begun)
    assert sum(map(len, logs.values())) > 1000
    said = {**elsewhere, **ears.heard, **logs, **metrics_of(house, begun), **keys_of(house)}
    secrets = (SECRET, GUESSED, house.secret, house.shop_token)
    assert canaries.found_in(said, *secrets) == []


def rows_of(house: Deployed) -> tuple[str, dict[str, str]]:
    """The table: bodies, which may show a person, and all the rest by its key."""
    bodies, rest = [], {}
    pages = house.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=house.stack.core["TableName"]):
        for row in page["Items"]:
            text = json.dumps(row, default=repr, ensure_ascii=False)
            if row["sk"]["S"].startswith("PART#"):
                bodies.append(text)
            else:
                rest[f"{row['pk']['S']} {row['sk']['S']}"] = text
    return "".join(bodies), rest


def logs_of(house: Deployed, since: datetime) -> dict[str, str]:
    """Every line of every log group, those of the front door too."""
    logs = house.client("logs")
    found = {}
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=int(since.timestamp() * 1000)
            )
            lines = [event["message"] for page in pages for event in page["events"]]
            found[f"log {name}"] = "\n".join(lines)
    return found


def metrics_of(house: Deployed, since: datetime) -> dict[str, str]:
    state = LocalState.load(ROOT)
    assert state
    metrics.publish(state, since.timestamp())
    pages = house.client("cloudwatch").get_paginator("list_metrics").paginate()
    return {"metrics": "".join(json.dumps(one) for page in pages for one in page["Metrics"])}


def keys_of(house: Deployed) -> dict[str, str]:
    """What objects are called; in them are bodies."""
    pages = house.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=house.stack.core["BucketName"])
    return {"keys": "".join(one["Key"] for page in listed for one in page.get("Contents", []))}
