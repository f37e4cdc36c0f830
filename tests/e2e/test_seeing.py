"""What can be seen of a run: metrics, alarms, one id in all logs, lines that machines can read.

One shop and one ERP in which everything goes wrong that can go wrong here, each fault mended again
as its runbook says. What other tests of the session have done is seen as well, and does no harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.main import app
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.observability import NAMESPACE, Metric
from fizzbridge.runtime import breaker, rows
from fizzbridge.runtime.subscriptions import SUBSCRIPTIONS_SK
from fizzbridge.runtime.watch import VOLUME
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from infra.local import metrics
from infra.local.state import LocalState
from tests.kit.alarms import ALARM, OK, CloudWatch, Name, shown
from tests.kit.deployed import ROOT, Deployed, demo_sku
from tests.kit.source import SECRET

pytestmark = pytest.mark.slow  # eight minutes: every fault is waited for, and every line read

SHOP, ERP = "shop-uk", "erp"
WATCH, CENSUS = "fizzbridge-local-watch", "fizzbridge-local-census"
FUNCTIONS = (
    *("announce", "assess", "record", "sweep", "watch", "census"),
    *(f"{SHOP}-webhook", f"{SHOP}-pull", f"{SHOP}-target"),
    *(f"{ERP}-webhook", f"{ERP}-pull", f"{ERP}-target"),
)
MARGIN = timedelta(seconds=2)
LATE = timedelta(seconds=30)
"""By how much at most the lines of an invocation come in after it has begun."""
GAUGE_PERIOD = timedelta(minutes=15)

NOT_RAISED = {
    "oldest": "a message must wait for a day, and nothing makes one older here",
    "behind": "the emulator does not say how far the stream's reader is behind",
}
"""Alarms that no fault raises here; what they look at is asserted on the template."""


def now() -> datetime:
    return datetime.now(UTC)


class Seeing:
    """Whoever looks at the stack, and whoever breaks it."""

    def __init__(self, house: Deployed) -> None:
        self.house = house
        self.cloudwatch = CloudWatch(house.client("cloudwatch"))
        self.alarms = {one.name: one for one in self.cloudwatch.alarms()}
        self.table = house.stack.table
        self._number = 9_100_000
        self.begun = now() - MARGIN
        self.known, self.shown = house.place()
        house.await_link(self.known, "synced")

    # -- looking -------------------------------------------------------------------------------

    def publish(self, since: datetime) -> None:
        """What the log reader does every few seconds."""
        state = LocalState.load(ROOT)
        assert state
        metrics.publish(state, since.timestamp())

    def state(self, name: str, begin: datetime) -> str:
        """How an alarm stands after the period that begins then."""
        return self.cloudwatch.state(self.alarms[f"fizzbridge-local-{name}"], begin)

    def is_told(self, name: str, begin: datetime) -> bool:
        """Whether there is a figure where there must be one: what is counted anew at every tick."""
        alarm = self.alarms[f"fizzbridge-local-{name}"]
        return alarm.period != GAUGE_PERIOD or bool(self.cloudwatch.figures(alarm, begin))

    def await_state(self, names: tuple[str, ...], begin: datetime, wanted: str) -> None:
        def states() -> dict[str, str]:
            self.publish(begin)
            return {name: self.state(name, begin) for name in names}

        self.house.await_(
            lambda: (
                set(states().values()) == {wanted}
                and all(self.is_told(name, begin) for name in names)
            ),
            lambda: f"not {wanted}: {states()}",
            meanwhile=self.tick,
        )

    def tick(self) -> None:
        """What the schedules do; a function that is broken is broken."""
        for one in (self.house.watch, self.house.sweep):
            with suppress(ClientError):
                one()

    def schedules(self) -> None:
        """Every function a schedule calls, whatever its interval."""
        scheduler, functions = self.house.client("scheduler"), self.house.client("lambda")
        for one in scheduler.list_schedules(MaxResults=100)["Schedules"]:
            target = scheduler.get_schedule(Name=one["Name"])["Target"]
            if ":function:" in target["Arn"]:
                functions.invoke(FunctionName=target["Arn"], Payload=target["Input"])

    def run(self, *words: str) -> str:
        """A person runs a command; gives what it says."""
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done.stdout

    # -- what the shop and the ERP do --------------------------------------------------------------

    def body(self, **more: Any) -> dict[str, Any]:
        """A new order as the shop tells of it."""
        self._number += 1
        return {**self.shown, "id": self._number, "name": f"#{self._number}", **more}

    def tell(self, body: Mapping[str, Any], topic: str = "orders/create") -> EntityRef:
        assert self.house.post(json.dumps(body).encode(), topic).status_code == 200
        return ref(Kind.ORDER, SHOP, body["id"])

    def tell_of_record(self, token: str, **told: Any) -> int:
        """The ERP's own post."""
        url = self.house.webhook_url.replace(SHOP, f"{ERP}/{token}")
        return httpx.post(url, json=told, timeout=30, trust_env=False).status_code

    def pull(self, **message: Any) -> None:
        queue = self.house.stack.connections[SHOP]["PullQueueUrl"]
        self.house.stack.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))

    def await_log(self, function: str, since: datetime, **shown: Any) -> None:
        def is_there(line: dict[str, Any]) -> bool:
            same = all(line.get(name) == value for name, value in shown.items())
            return same and "timestamp" in line and told_at(line) >= since

        self.house.await_(
            lambda: any(map(is_there, self.house.logged(function))),
            lambda: f"{function} never said {shown}",
            sweep=True,
        )


def told_at(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(line["timestamp"])


@pytest.fixture(scope="module")
def seeing(house):
    seeing = Seeing(house)
    yield seeing
    seeing.run("disconnect", SHOP, "--yes")


# -- faults, and how a person mends them ---------------------------------------------------------


def a_delivery_nobody_can_read(seeing: Seeing) -> Callable[[], None]:
    assert seeing.house.post(b'{"id": ').status_code == 200
    return lambda: seeing.run("dlq", "discard", "--connection", SHOP, "--why", "torn", "--yes")


def an_order_the_erp_refuses(seeing: Seeing) -> Callable[[], None]:
    body = seeing.body()
    key = f"{SHOP}/{body['id']}"
    seeing.house.misbehave(
        "odoo", kind="status", status=422, on="sale.order/load", body_contains=key
    )
    order = seeing.tell(body)
    seeing.house.await_link(order, "parked")

    def mend() -> None:
        seeing.run("dlq", "redrive", "--connection", ERP, "--yes")
        seeing.house.await_link(order, "synced")

    return mend


def an_order_of_an_unknown_code(seeing: Seeing) -> Callable[[], None]:
    body = seeing.body()
    code = f"NEW-{body['id']}"
    order = seeing.tell({**body, "line_items": [seeing.shown["line_items"][0] | {"sku": code}]})
    seeing.house.await_link(order, "held")

    def mend() -> None:
        seeing.run("map", "set", SHOP, "sku", code, demo_sku())
        seeing.house.await_link(order, "synced")

    return mend


def a_shop_that_goes_silent(seeing: Seeing) -> Callable[[], None]:
    """What weeks ago was usual is written; the silence is the shop's own."""
    hour = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    pk = rows.connection_pk(SHOP)
    seeing.house.watch()
    row = seeing.table.get(pk, f"{VOLUME}{to_text(hour)}") or {}
    usual = 10 * rows.number(row, "orders") + 5
    for week in range(1, 5):
        sk = f"{VOLUME}{to_text(hour - timedelta(weeks=week))}"
        seeing.table.write(Write(pk, sk, set={"orders": usual}, replace=True))

    def mend() -> None:
        placed = (hour + timedelta(minutes=30)).isoformat()
        order, _ = seeing.house.place(created_at=placed)
        seeing.house.await_link(order, "synced")

    return mend


def a_key_that_ends_tomorrow(seeing: Seeing) -> Callable[[], None]:
    keys = json.loads((ROOT / "infra/local/demo/odoo.seed.json").read_text())["api_keys"]
    values = {ERP: f"api_key={next(iter(keys))}", SHOP: f"access_token={seeing.house.shop_token}"}

    def set_until(days: int) -> None:
        day = f"{now() + timedelta(days=days):%Y-%m-%d}"
        for name, value in values.items():
            seeing.run("secrets", "set", name, value, "--expires", day)

    set_until(1)
    return lambda: set_until(300)


def a_webhook_the_platform_drops(seeing: Seeing) -> Callable[[], None]:
    seeing.run("connect", SHOP)
    address = (seeing.table.get(rows.connection_pk(SHOP), SUBSCRIPTIONS_SK) or {})["address"]
    listed = asked(seeing.house, "{ webhookSubscriptions(first: 100) { nodes { id uri } } }")
    ours = [one["id"] for one in listed["webhookSubscriptions"]["nodes"] if one["uri"] == address]
    fields = "deletedWebhookSubscriptionId userErrors { message }"
    asked(seeing.house, f'mutation {{ webhookSubscriptionDelete(id: "{ours[0]}") {{ {fields} }} }}')

    def watch() -> None:
        since = now()
        seeing.pull(type="watch", streams=["orders"])
        seeing.house.await_(
            lambda: checked(seeing) > since, lambda: "the register was not looked through"
        )

    watch()
    return watch


def checked(seeing: Seeing) -> datetime:
    row = seeing.table.get(rows.connection_pk(SHOP), SUBSCRIPTIONS_SK) or {}
    return datetime.fromisoformat(rows.text(row, "checked"))


def webhooks_nobody_looked_at(seeing: Seeing) -> Callable[[], None]:
    """The last look is put back: a watch that failed for so long."""
    back = {"checked": to_text(now() - timedelta(hours=30))}
    seeing.table.write(Write(rows.connection_pk(SHOP), SUBSCRIPTIONS_SK, set=back))
    return lambda: seeing.run("connect", SHOP)


def a_signing_secret_that_is_gone(seeing: Seeing) -> Callable[[], None]:
    house = seeing.house
    for name in (SHOP, ERP):
        outputs = house.stack.connections[name]
        house.stack.secrets.put_secret_value(
            SecretId=outputs["SigningSecretName"], SecretString="gone"
        )
        house.start_anew(outputs["WebhookFunction"])
    assert house.post(b"{}", "carts/create").status_code == 503
    assert seeing.tell_of_record(SECRET, _model="sale.order", _id=1) == 503

    def mend() -> None:
        seeing.run("secrets", "set", SHOP, f"active={house.secret}")
        seeing.run("secrets", "set", ERP, f"active={SECRET}")
        assert house.post(b"{}", "carts/create").status_code == 200
        assert seeing.tell_of_record(SECRET, _model="res.lang", _id=1) == 200

    return mend


def a_vendor_that_knows_us_no_more(seeing: Seeing) -> Callable[[], None]:
    house = seeing.house
    house.misbehave("odoo", kind="status", status=401, times=-1)
    house.misbehave("shopify", kind="status", status=401, times=-1, on="graphql")
    order = seeing.tell(seeing.body())
    house.poll()
    house.await_(
        lambda: not any(breaker.read(seeing.table, name).works for name in (SHOP, "erp")),
        lambda: "a breaker is closed",
        sweep=True,
    )
    house.sweep()

    def mend() -> None:
        for platform in ("odoo", "shopify"):
            url = house.stack.local["sandboxes"][platform]
            httpx.delete(f"{url}/_sandbox/faults", trust_env=False).raise_for_status()
        for name in (SHOP, "erp"):
            breaker.Breaker(seeing.table, name, lambda: datetime.now(UTC)).resume()
        house.await_link(order, "synced")
        house.poll()
        house.await_(
            lambda: all(breaker.read(seeing.table, name).works for name in (SHOP, "erp")),
            lambda: "a breaker is not closed again",
            sweep=True,
        )

    return mend


def a_function_that_fails(seeing: Seeing) -> Callable[[], None]:
    client = seeing.house.client("lambda")
    handler = client.get_function_configuration(FunctionName=WATCH)["Handler"]
    client.update_function_configuration(FunctionName=WATCH, Handler="services.watch.missing")
    client.invoke(FunctionName=WATCH)
    return lambda: client.update_function_configuration(FunctionName=WATCH, Handler=handler)


def functions_that_are_not_let_run(seeing: Seeing) -> Callable[[], None]:
    """All of them: the emulator counts direct calls only, and a refused one disturbs nothing."""
    client = seeing.house.client("lambda")
    names = [f"fizzbridge-local-{name}" for name in FUNCTIONS]
    for name in names:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        with pytest.raises(ClientError, match="TooManyRequests"):
            client.invoke(FunctionName=name)

    def mend() -> None:
        for name in names:
            client.delete_function_concurrency(FunctionName=name)

    return mend


def counted(seeing: Seeing) -> None:
    """What happens once an hour."""
    seeing.house.client("lambda").invoke(FunctionName=CENSUS)


def a_link_that_stays_behind(seeing: Seeing) -> Callable[[], None]:
    """Since before anybody's patience: the row is put back, for nobody here waits half an hour."""
    link = rows.link_sk(ERP)
    since = to_text(now() - timedelta(hours=2))
    behind = {"wanted": "later", "status": "behind", "behind_since": since}
    shard = {"behind_shard": rows.shard(seeing.known, ERP)}
    seeing.table.write(Write(str(seeing.known), link, set=behind | shard))
    counted(seeing)

    def mend() -> None:
        seeing.house.await_link(seeing.known, "synced")
        counted(seeing)

    return mend


def a_link_nobody_would_bring_back(seeing: Seeing) -> Callable[[], None]:
    """Somebody wrote to the table: behind, and in no index."""

    def is_hidden() -> bool:
        # A hint of before, on its way still, brings it back.
        by_hand = {"wanted": "by hand"}
        seeing.table.write(Write(str(seeing.known), rows.link_sk(ERP), set=by_hand))
        counted(seeing)
        return seeing.house.link(seeing.known)["wanted"] == "by hand"

    seeing.house.await_(is_hidden, lambda: f"{seeing.known} comes back by itself")

    def mend() -> None:
        seeing.run("resync", seeing.known.key)
        seeing.house.await_link(seeing.known, "synced")
        counted(seeing)

    return mend


def a_delivery_that_came_to_nothing(seeing: Seeing) -> Callable[[], None]:
    """Its function was stopped in the last hour, after it was received; its line comes later."""
    hour = now().replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
    about = {"connection": SHOP, "correlation_id": "stopped"}
    figures = {"Timestamp": int(hour.timestamp() * 1000), "CloudWatchMetrics": []}
    received = {"_aws": figures, **about, "received": [1]}
    ended = {"message": "delivery", "timestamp": hour.isoformat(), "outcome": "taken", **about}

    def say(line: Mapping[str, Any]) -> None:
        logs, group = seeing.house.client("logs"), f"{PREFIX}{SHOP}-webhook"
        stream = {"logGroupName": group, "logStreamName": f"earlier-{len(line)}"}
        logs.create_log_stream(**stream)
        event = {"timestamp": int(hour.timestamp() * 1000), "message": json.dumps(line)}
        logs.put_log_events(**stream, logEvents=[event])
        counted(seeing)

    say(received)
    return lambda: say(ended | {"told": 1, "merged": 1})


def stack_of(function: str) -> str:
    """How the alarms of a function begin: with its stack, and then its name."""
    stack = next((name for name in (SHOP, ERP) if function.startswith(f"{name}-")), "core")
    return f"{stack}-{function}"


@dataclass(frozen=True)
class Case:
    """A fault, which gives how it is mended, and the alarms it raises."""

    fault: Callable[[Seeing], Callable[[], Any]]
    alarms: tuple[str, ...]


CASES = (
    Case(a_delivery_nobody_can_read, ("shop-uk-quarantined", "shop-uk-dlq-not-empty")),
    Case(an_order_the_erp_refuses, ("erp-parked", "erp-dlq-not-empty")),
    Case(an_order_of_an_unknown_code, ("shop-uk-mapping-held", "shop-uk-gbp-held-value")),
    Case(a_shop_that_goes_silent, ("shop-uk-silent",)),
    Case(a_key_that_ends_tomorrow, ("erp-expiring", "shop-uk-expiring")),
    Case(a_webhook_the_platform_drops, ("shop-uk-resubscribed",)),
    Case(webhooks_nobody_looked_at, ("shop-uk-unwatched",)),
    Case(a_signing_secret_that_is_gone, ("shop-uk-put-off", "erp-put-off")),
    Case(a_vendor_that_knows_us_no_more, ("erp-unhealthy", "shop-uk-unhealthy")),
    Case(a_link_that_stays_behind, ("erp-late",)),
    Case(a_link_nobody_would_bring_back, ("erp-unaccounted",)),
    Case(a_delivery_that_came_to_nothing, ("shop-uk-imbalance",)),
    Case(a_function_that_fails, ("core-watch-errors",)),
    Case(functions_that_are_not_let_run, tuple(f"{stack_of(one)}-throttles" for one in FUNCTIONS)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault.__name__)
def test_a_fault_raises_its_alarms_and_mending_it_ends_them(seeing, case):
    begin = now() - MARGIN
    others = [name for name in UNTOUCHED if name not in case.alarms]
    mend = case.fault(seeing)
    seeing.await_state(case.alarms, begin, ALARM)
    # The same metrics of another connection are other metrics.
    assert {seeing.state(name, begin) for name in others} == {OK}
    mend()
    seeing.await_state(case.alarms, now(), OK)


UNTOUCHED = ("shop-eu-quarantined", "shop-eu-mapping-held", "shop-eu-silent", "shop-eu-put-off")


def test_every_alarm_is_raised_here_or_it_is_said_why_not(seeing):
    raised = {
        seeing.alarms[f"fizzbridge-local-{name}"].page for case in CASES for name in case.alarms
    }
    assert raised | set(NOT_RAISED) == {alarm.page for alarm in seeing.alarms.values()}
    assert not raised & set(NOT_RAISED)


# -- metrics -------------------------------------------------------------------------------------

A_READ = "its webhooks only name records, and what is read is neither older nor tied"
NOT_TOLD: dict[Name, str] = {
    ("AWS/Lambda", "IteratorAge", frozenset({("FunctionName", "fizzbridge-local-announce")})): (
        "the emulator does not say how far the stream's reader is behind"
    ),
    (NAMESPACE, Metric.TIED, frozenset({("connection", ERP)})): A_READ,
    (NAMESPACE, Metric.OLDER, frozenset({("connection", ERP)})): A_READ,
}
"""Figures that are named and cannot be had here."""


def everything_else(seeing: Seeing) -> None:
    """What no alarm asks for and a graph shows."""
    house = seeing.house
    # The shop tells again, of older things, and of others at the same time.
    body = seeing.body()
    order = seeing.tell(body)
    house.await_link(order, "synced")
    seeing.tell(body)
    seeing.tell({**body, "updated_at": "2026-01-02T00:00:00Z"})
    seeing.tell({**body, "name": f"{body['name']}-again"})
    seeing.tell({"id": 1}, "carts/create")
    assert house.post(b"{}", **{"x-shopify-hmac-sha256": "bm8="}).status_code == 401
    # The ERP's own posts: of an order, of nothing we know, torn, and with a wrong token.
    for token, told, status in (
        (SECRET, {"_model": "sale.order", "_id": 1}, 200),
        (SECRET, {"_model": "res.lang", "_id": 1}, 200),
        (SECRET, {"_id": 1}, 200),
        ("guessed", {"_model": "sale.order", "_id": 1}, 401),
    ):
        assert seeing.tell_of_record(token, **told) == status
    for stream in ("orders", "stock") * 2:
        house.poll(ERP, stream)
    the_way_back(seeing)
    # Vendors that are busy, and one that takes an order and does not answer.
    for fault in ({"kind": "status", "status": 503}, {"kind": "commit_then_silence", "seconds": 8}):
        told = seeing.body()
        key = f"{SHOP}/{told['id']}"
        house.misbehave("odoo", on="sale.order/load", body_contains=key, **fault)
        house.await_link(seeing.tell(told), "synced")
    house.misbehave("shopify", kind="status", status=503, on="graphql")
    house.poll()
    seeing.schedules()
    # What nobody can do is parked: a message of no known sort, at both.
    seeing.pull(type="nonsense")
    nonsense = json.dumps({"type": "nonsense"})
    queue = house.stack.connections[ERP]["PullQueueUrl"]
    house.stack.sqs.send_message(QueueUrl=queue, MessageBody=nonsense)


def the_way_back(seeing: Seeing) -> None:
    """The shop takes the ERP's number and does not answer; then it sells what nobody knows."""
    house = seeing.house
    house.misbehave(
        "shopify",
        kind="commit_then_silence",
        on="graphql",
        body_contains="metafieldsSet",
        seconds=8,
    )
    order, shown_there = house.place()
    await_back(house, order, "synced")
    code = f"NEW-{shown_there['id']}"
    line = shown_there["line_items"][0] | {"sku": code}
    later = (now() + timedelta(minutes=1)).isoformat(timespec="seconds")
    seeing.tell({**shown_there, "line_items": [line], "updated_at": later}, "orders/updated")
    await_back(house, order, "held")
    seeing.run("map", "set", SHOP, "sku", code, demo_sku())
    await_back(house, order, "synced")


def await_back(house: Deployed, order: EntityRef, status: str) -> None:
    def ask() -> None:
        house.poll(ERP, "orders")
        house.sweep()

    house.await_(
        lambda: house.link(order, SHOP).get("status") == status,
        lambda: f"{order} at the shop: {house.link(order, SHOP)}, not {status}",
        meanwhile=ask,
    )


def of_ours(names: set[Name]) -> set[Name]:
    return {one for one in names if one[0] == NAMESPACE}


def test_what_is_named_is_told_and_what_is_told_is_named(seeing):
    everything_else(seeing)
    body = seeing.house.client("cloudwatch").get_dashboard(DashboardName="fizzbridge-local")
    named = shown(json.loads(body["DashboardBody"]))
    named |= {alarm.of for alarm in seeing.alarms.values()}
    others = set(seeing.house.stack.connections) - {SHOP, ERP}

    def mine(names: set[Name]) -> set[Name]:
        """Of the shop, the ERP and the core; other tests say which of the others they sell at."""
        return {
            one
            for one in names
            if not any(
                value == other or value.startswith(f"fizzbridge-local-{other}-")
                for other in others
                for _, value in one[2]
            )
        }

    since = [seeing.begun]

    def told() -> set[Name]:
        begun = now() - LATE
        seeing.publish(since.pop())
        since.append(begun)
        return seeing.cloudwatch.names()

    def missing() -> set[Name]:
        return mine(named) - told() - set(NOT_TOLD)

    seeing.house.await_(
        lambda: not missing(),
        lambda: f"never told: {sorted(map(str, missing()))}",
        meanwhile=seeing.tick,
    )
    for name in (SHOP, ERP):
        seeing.run("dlq", "discard", "--connection", name, "--why", "tried", "--yes")
    assert of_ours(told()) - named == set()
    assert not told() & set(NOT_TOLD)
    # The other connections have the same, and no others.
    of_any = {(namespace, name, frozenset(key for key, _ in of)) for namespace, name, of in named}
    of_mine = {
        (namespace, name, frozenset(key for key, _ in of)) for namespace, name, of in mine(named)
    }
    assert of_any == of_mine


# -- the topic, and the logs ---------------------------------------------------------------------


def test_an_alarm_is_heard_on_the_topic(seeing):
    house = seeing.house
    queue = house.stack.sqs.create_queue(QueueName="pager")["QueueUrl"]
    arn = house.stack.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    topic = house.stack.core["AlarmTopicArn"]
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["Attributes"]["QueueArn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
    house.stack.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    house.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"]
    )
    name = "fizzbridge-local-erp-unhealthy"
    for state in (OK, ALARM):
        house.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue=state, StateReason="tried by a person"
        )
    heard: list[dict[str, Any]] = []

    def is_heard() -> bool:
        found = house.stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in found.get("Messages", []):
            heard.append(json.loads(json.loads(message["Body"])["Message"]))
        return any(one["AlarmName"] == name for one in heard)

    house.await_(is_heard, lambda: f"heard {heard}")
    told = next(one for one in heard if one["AlarmName"] == name)
    assert told["NewStateValue"] == ALARM
    assert told["AlarmDescription"].endswith("docs/runbooks/unhealthy.md")
    house.stack.sqs.delete_queue(QueueUrl=queue)


def test_one_id_leads_from_the_delivery_to_the_target_and_the_timeline(seeing):
    house = seeing.house
    since = now()
    order = seeing.tell(seeing.body())
    house.await_link(order, "synced")
    [one] = {
        row["correlation_id"]
        for row in house.stack.table.query(str(order), "TIMELINE#")
        if row["what"] == "delivery" and row["connection"] == SHOP
    }
    functions = (f"{SHOP}-webhook", "announce", "assess", f"{ERP}-target", "record")
    for function in functions:
        seeing.await_log(function, since, correlation_id=one)
    happenings = json.loads(seeing.run("trace", order.key, "--json"))["happenings"]
    # The ERP may have been polled meanwhile, under an id of its own.
    assert all(happening["details"]["correlation_id"] for happening in happenings)
    under_it = {each["what"] for each in happenings if each["details"]["correlation_id"] == one}
    assert under_it >= {"delivery", "OrderPlaced", "OrderBooked", "OrderSynced"}
    assert one in seeing.run("trace", order.key)


def test_every_line_of_a_function_is_json_and_says_whose_it_is(seeing):
    logs = seeing.house.client("logs")
    since = int(seeing.begun.timestamp() * 1000)
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/fizzbridge-local-")
    lines = 0
    for group in groups["logGroups"]:
        name = group["logGroupName"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=since)
        for page in pages:
            for event in page["events"]:
                if re.match(r"(START|END|REPORT) ", event["message"]):
                    continue  # the emulator's own words, as AWS has them
                if name.endswith(("-watch", "-sweep")) and not event["message"].startswith("{"):
                    # They raise where the table does not answer, or a test took their handler away;
                    # the emulator tells of that in lines of its own.
                    continue
                line = json.loads(event["message"])
                if "_aws" in line:
                    continue
                assert line["service"] == name.removeprefix(PREFIX)
                assert line["correlation_id"], event["message"]
                assert line["connection"], event["message"]
                assert "xray_trace_id" in line
                lines += 1
    assert lines > 100


PREFIX = "/aws/lambda/fizzbridge-local-"


def asked(house: Deployed, query: str) -> Any:
    """What the shop's own API says."""
    url = house.stack.local["sandboxes"]["shopify"]
    answer = httpx.post(
        f"{url}/admin/api/2026-10/graphql.json",
        json={"query": query},
        headers={"x-shopify-access-token": house.shop_token},
        trust_env=False,
        timeout=30,
    )
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]
