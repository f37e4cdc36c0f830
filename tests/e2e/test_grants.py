"""Each right a function has is taken from it, and the work the right is for makes it say so.

The rights come from the deployed templates, and the emulator checks them as AWS does. What only
shows in a template is in ``grants.TEMPLATE_ONLY``.
"""

from __future__ import annotations

import json
import random
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatch
from hashlib import sha256
from itertools import count
from typing import Any

import httpx
import pytest

from cli import connect
from fizzbridge.errors import TargetUnavailableError
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import FAILURES_IN_A_ROW, Breaker, read
from fizzbridge.runtime.subscriptions import SUBSCRIPTIONS_SK
from fizzbridge.runtime.watch import VOLUME
from fizzbridge.settings import Timing
from fizzbridge.state.bodies import ROW_LIMIT_BYTES
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.infra.grants import NOTICED, TEMPLATE_ONLY, Grant
from tests.infra.reading import as_list
from tests.kit import shops
from tests.kit.deployed import Deployed, demo_sku

FUNCTIONS = {
    "webhook": "fizzbridge-local-shop-uk-webhook",
    "pull": "fizzbridge-local-shop-uk-pull",
    "target": "fizzbridge-local-erp-target",
    **{
        name: f"fizzbridge-local-{name}"
        for name in ("announce", "assess", "record", "sweep", "census", "watch")
    },
}

# What the lists call by a plain name.
SPELLINGS = (
    (r"^arn:aws:dynamodb:.*:table/[^/]+/stream/.*$", "table/stream"),
    (r"^arn:aws:dynamodb:.*:table/[^/]+", "table"),
    (r"^arn:aws:events:.*:event-bus/.*$", "bus"),
    (r"^arn:aws:s3:::[^/]+", "bucket"),
    (r"^arn:aws:sqs:.*:fizzbridge-local-(?:shop-uk-|erp-)?", "queue "),
    (r"^arn:aws:secretsmanager:.*/(\w+)-\?{6}$", r"secret \1"),
    (r"^arn:aws:logs:.*/fizzbridge-local-\*$", "logs of all functions"),
    (r"^arn:aws:logs:.*$", "own log group"),
    (r"^arn:aws:lambda:.*:event-source-mapping:\*$", "mappings of own functions"),
)
EVER = datetime(2026, 1, 1, tzinfo=UTC)

# Read once in a process's life: only a new process asks again.
KEPT = {"secretsmanager:GetSecretValue", "sqs:GetQueueUrl"}

Done = Callable[[], bool]


def plain(arn: str) -> str:
    for pattern, name in SPELLINGS:
        arn = re.sub(pattern, name, arn)
    return arn


class Roles:
    """The functions' roles, and what the functions' logs say of them."""

    def __init__(self, house: Deployed) -> None:
        self._iam = house.client("iam")
        self._lambda = house.client("lambda")
        self._logs = house.client("logs")

    def grants(self, function: str) -> list[Grant]:
        return [
            Grant(function, one["Action"], plain(one["Resource"]))
            for one in self._single(function)
            if one["Effect"] == "Allow"
        ]

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Take away one action on one resource; the rest stays."""
        policy = {"RoleName": self._role(grant.function), "PolicyName": "function"}
        whole = self._iam.get_role_policy(**policy)["PolicyDocument"]
        single = self._single(grant.function)
        kept = [one for one in single if (one["Action"], plain(one["Resource"])) != grant[1:]]
        assert len(kept) == len(single) - 1
        less = {**whole, "Statement": kept}
        self._iam.put_role_policy(**policy, PolicyDocument=json.dumps(less))
        try:
            yield
        finally:
            self._iam.put_role_policy(**policy, PolicyDocument=json.dumps(whole))

    def _single(self, function: str) -> list[dict[str, Any]]:
        """The statements of a role, each for one action on one resource."""
        found = self._iam.get_role_policy(RoleName=self._role(function), PolicyName="function")
        return [
            {name: given for name, given in statement.items() if name != "Sid"}
            | {"Action": action, "Resource": resource}
            for statement in found["PolicyDocument"]["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]

    def _role(self, function: str) -> str:
        return self._configuration(function)["Role"].rsplit("/", 1)[1]

    def _configuration(self, function: str) -> dict[str, Any]:
        return self._lambda.get_function_configuration(FunctionName=FUNCTIONS[function])

    def lines(self, function: str, message: str, since: datetime = EVER) -> list[dict[str, Any]]:
        """What a function has logged of one kind."""
        found = self._logs.filter_log_events(
            logGroupName=f"/aws/lambda/{FUNCTIONS[function]}",
            startTime=int(since.timestamp() * 1000),
        )
        texts = [event["message"] for event in found["events"]]
        lines = [json.loads(text) for text in texts if text.startswith('{"level"')]
        # An invocation's lines come in when it ends; each says itself when it was written.
        return [
            line
            for line in lines
            if line["message"] == message and datetime.fromisoformat(line["timestamp"]) > since
        ]

    def is_denied(self, grant: Grant, since: datetime) -> bool:
        """Whether a function has said that it lacks a right; here only the action is named."""
        denied = f"not authorized to perform: {grant.action} "
        said = self.lines(grant.function, "access denied", since)
        return any(denied in line["reason"] for line in said)


class Work:
    """Gives the functions something to do; each method returns what comes true of it at last."""

    def __init__(self, house: Deployed, roles: Roles) -> None:
        self._house = house
        self._roles = roles
        self._numbers = count(7_000_000)
        # Different each time, else it would be in the bucket already; and not to be compressed.
        self._noise = random.Random(7)  # noqa: S311
        self._known, self._shown = house.place()
        house.await_link(self._known, "synced")
        self._unkept: list[bytes] = []
        self.item = demo_sku().partition("-")[0]
        url = f"{house.stack.local['sandboxes']['odoo']}/_sandbox/items/{self.item}/stock"
        httpx.post(url, json={"quantity": 100_000}, trust_env=False).raise_for_status()
        house.await_(
            lambda: house.stack.table.query(rows.stock_pk(self.item), rows.LEVEL),
            lambda: f"nobody told of the stock of {self.item}",
            meanwhile=lambda: (house.poll("erp", "stock"), house.sweep()),
        )

    # -- what the shop sends -------------------------------------------------------------------

    def order(self, **more: Any) -> Done:
        return self._ends(self._order(**more), "synced")

    def large_order(self) -> Done:
        # The channel is in what we make of an order, too.
        return self.order(
            source_name=b64encode(self._noise.randbytes(ROW_LIMIT_BYTES + 999)).decode()
        )

    def throttled_order(self) -> Done:
        return self._ends(self._order(status=429), "synced")

    def refused_order(self) -> Done:
        # Without the fault, which ends with the test, the ERP takes it.
        return self._ends(self._order(status=422), "parked", "synced")

    def unknown_sku(self) -> Done:
        """An order is held, and the missing row of the map appears."""
        sku = f"NEW-{next(self._numbers)}"
        line = self._shown["line_items"][0] | {"sku": sku}
        order = self._order(line_items=[line])
        self._house.await_link(order, "held")
        mapped = {"mapped": demo_sku(), "updated_at": to_text(datetime.now(UTC))}
        self._house.stack.table.write(Write(rows.map_pk("shop-uk", "sku"), sku, set=mapped))
        return self._ends(order, "synced")

    def cancelled_order(self) -> Done:
        """An order is cancelled, and gives back the stock it has claimed."""
        stock = rows.stock_pk(self.item)
        order, _ = self._house.place()
        claims = f"{rows.claim_sk(order)}#"
        table = self._house.stack.table
        self._house.await_(
            lambda: table.query(stock, claims), lambda: f"{order} claims nothing", sweep=True
        )
        self._house.shop.act(int(order.external_id), "cancel", {})
        return lambda: not table.query(stock, claims)

    def broken_delivery(self) -> Done:
        body = b'{"id": %d' % next(self._numbers)
        self._send(body)
        # In the bucket, or in the message where the bucket was out of reach.
        marks = (sha256(body).hexdigest(), b64encode(body).decode())
        return lambda: any(
            mark in str(row["message"])
            for row in self._house.stack.table.query("CONNECTION#shop-uk", "QUARANTINE#")
            for mark in marks
        )

    def _order(self, status: int = 0, **more: Any) -> EntityRef:
        number = next(self._numbers)
        order = ref(Kind.ORDER, "shop-uk", number)
        if status:
            self._house.misbehave(
                "odoo", kind="status", on="sale.order/load", status=status, body_contains=order.key
            )
        shown = self._shown | {"id": number, "name": f"#{number}"} | more
        self._send(json.dumps(shown).encode())
        return order

    def _send(self, body: bytes) -> None:
        if self._house.post(body).status_code != 200:
            self._unkept.append(body)

    def send_again(self) -> None:
        """What was not accepted, as a shop would."""
        unkept, self._unkept = self._unkept, []
        for body in unkept:
            self._send(body)

    def _ends(self, order: EntityRef, *statuses: str) -> Done:
        return lambda: self._house.link(order).get("status") in statuses

    # -- what is in queues ---------------------------------------------------------------------

    def read(self) -> Done:
        """An order is fetched that the shop only named."""
        unique = f"read-{next(self._numbers)}"
        hint = {"type": "hint", "what": "order", "id": self._known.external_id}
        self._house.stack.sqs.send_message(
            QueueUrl=self._house.stack.connections["shop-uk"]["PullQueueUrl"],
            MessageBody=json.dumps(hint | {"correlation_id": unique}),
        )
        return lambda: any(
            line.get("correlation_id") == unique
            for line in self._house.stack.table.query(str(self._known), "TIMELINE#")
        )

    def connect(self) -> Done:
        """The shop's register of webhooks is looked through, and mended."""
        stack = self._house.stack
        asked = connect.ask(stack, "shop-uk", "connect")
        pk = rows.connection_pk("shop-uk")
        return lambda: (stack.table.get(pk, SUBSCRIPTIONS_SK) or {}).get("asked") == asked

    def throttled_read(self) -> Done:
        self._house.misbehave(
            "shopify", kind="status", status=429, body_contains=f"Order/{self._known.external_id}"
        )
        return self.read()

    def poll(self) -> Done:
        order, _ = self._house.place()
        self._house.poll()
        return lambda: any(
            line.get("source") == "fetch order"
            for line in self._house.stack.table.query(str(order), "TIMELINE#")
        )

    def unreadable_level(self) -> Done:
        return self._unreadable("target", self._house.stack.connections["erp"]["LevelsQueueUrl"])

    def unreadable_observation(self) -> Done:
        return self._unreadable("assess", self._house.stack.core["AssessQueueUrl"])

    def unreadable_fact(self) -> Done:
        return self._unreadable("record", self._house.stack.core["RecordQueueUrl"])

    def _unreadable(self, function: str, queue: str) -> Done:
        """A message that does not say what it is about fails, to come back."""
        sent = self._house.stack.sqs.send_message(QueueUrl=queue, MessageBody="{}")["MessageId"]
        return lambda: any(
            line["message_id"] == sent for line in self._roles.lines(function, "message failed")
        )

    def switched(self) -> Done:
        """A shop is paused, and goes on; one that no other work makes rest."""
        name = shops.CONNECTIONS["bigcommerce"]
        one = Breaker(self._house.stack.table, name, lambda: datetime.now(UTC))
        one.pause("ann", "stocktaking")
        self._house.sweep()
        mappings = self._house.client("lambda").list_event_source_mappings
        pull = f"fizzbridge-local-{name}-pull"
        was_off = False

        def is_switched() -> bool:
            nonlocal was_off
            listed = mappings(FunctionName=pull)["EventSourceMappings"]
            states = {mapping["State"] for mapping in listed}
            if states == {"Disabled"}:
                was_off = True
                one.resume()
            return was_off and states == {"Enabled"}

        return is_switched

    def probed(self) -> Done:
        """A shop did not answer for a while, and is tried again."""
        one = Breaker(
            self._house.stack.table, "shop-eu", lambda: datetime.now(UTC), Timing(probe_after=1)
        )
        for _ in range(FAILURES_IN_A_ROW):
            one.heard(TargetUnavailableError("down"))
        due = read(self._house.stack.table, "shop-eu").probe_at
        assert due
        self._house.await_(lambda: datetime.now(UTC) > due, lambda: "time stands still")
        self._house.sweep()

        def is_probed() -> bool:
            if one.wait() is not None:
                return False
            one.heard(None)  # and it answers
            return True

        return is_probed

    # -- what the schedule finds -----------------------------------------------------------------

    def lost_hint(self) -> Done:
        order = ref(Kind.ORDER, "shop-uk", next(self._numbers))
        self._house.stack.table.write(rows.want(order, "erp", "lost", EVER))
        self._house.sweep()
        return self._ends(order, "synced")

    def census(self) -> Done:
        """Links and deliveries are counted, an order among them that is too large for its row."""
        self._house.await_(self.large_order(), lambda: "no large order is in step", sweep=True)
        client, name = self._house.client("lambda"), FUNCTIONS["census"]
        client.invoke(FunctionName=name)
        return lambda: "FunctionError" not in client.invoke(FunctionName=name)

    def watch(self) -> Done:
        """Orders of the last hour are counted again."""
        table, pk = self._house.stack.table, rows.connection_pk("shop-uk")

        def counted() -> list[str]:
            return [str(row["sk"]) for row in table.query(pk, VOLUME)]

        def watch() -> bool:
            self._house.watch()
            return bool(counted())

        for sk in counted():
            table.write(Write(pk, sk, delete=True))
        watch()
        return watch


# The first that fits a grant, spelt "function action resource", is the work that needs it.
NEEDED_BY = (
    ("webhook s3:PutObject *", Work.broken_delivery),
    ("webhook sqs:SendMessage *", Work.broken_delivery),
    ("pull s3:*", Work.broken_delivery),
    ("pull sqs:SendMessage queue dlq", Work.broken_delivery),
    ("pull sqs:SendMessage queue pull", Work.poll),
    ("pull sqs:*", Work.throttled_read),
    ("pull secretsmanager:* secret signing", Work.connect),
    ("pull *", Work.read),
    ("target dynamodb:PutItem *", Work.refused_order),
    ("target sqs:SendMessage *", Work.refused_order),
    ("target sqs:* queue documents", Work.throttled_order),
    ("target sqs:* queue levels", Work.unreadable_level),
    ("assess sqs:*", Work.unreadable_observation),
    ("assess dynamodb:DeleteItem *", Work.cancelled_order),
    ("assess dynamodb:Query table/index/cause", Work.unknown_sku),
    ("record sqs:*", Work.unreadable_fact),
    # In no list of what the emulator notices, and done with all rights.
    ("sweep lambda:UpdateEventSourceMapping *", Work.switched),
    ("sweep dynamodb:PutItem *", Work.probed),
    ("sweep *", Work.lost_hint),
    ("census *", Work.census),
    ("watch *", Work.watch),
    ("* s3:*", Work.large_order),
    ("*", Work.order),
)


def work_of(grant: Grant) -> Callable[[Work], Done]:
    return next(work for pattern, work in NEEDED_BY if fnmatch(" ".join(grant), pattern))


def await_all(house: Deployed, begun: dict[str, Done]) -> None:
    house.await_(
        lambda: all(done() for done in begun.values()),
        lambda: f"not done: {[name for name, done in begun.items() if not done()]}",
        sweep=True,
    )


@pytest.fixture(scope="module")
def roles(house):
    return Roles(house)


@pytest.fixture(scope="module")
def work(house, roles):
    work = Work(house, roles)
    yield work
    # What cannot be read would come back for days; every lost hint is swept up.
    core, erp = house.stack.core, house.stack.connections["erp"]
    for queue in (core["AssessQueueUrl"], core["RecordQueueUrl"], erp["LevelsQueueUrl"]):
        house.stack.sqs.purge_queue(QueueUrl=queue)


@pytest.fixture(scope="module")
def begun() -> dict[str, Done]:
    """Work by the right it was begun without."""
    return {}


def test_a_role_has_what_is_listed_and_nothing_else(roles):
    for function in FUNCTIONS:
        listed = [grant for grant in (*NOTICED, *TEMPLATE_ONLY) if grant.function == function]
        assert sorted(roles.grants(function)) == sorted(listed)


def test_with_all_its_rights_no_function_is_refused_anything(house, roles, work):
    each = dict.fromkeys(needed for _, needed in NEEDED_BY)
    await_all(house, {needed.__name__: needed(work) for needed in each})
    assert not [line for name in FUNCTIONS for line in roles.lines(name, "access denied")]


@pytest.mark.parametrize("grant", NOTICED, ids="-".join)
def test_a_right_taken_away_is_missed(house, roles, work, begun, grant):
    with roles.without(grant):
        since = datetime.now(UTC)
        if grant.action in KEPT:
            house.start_anew(FUNCTIONS[grant.function])
        begun["-".join(grant)] = work_of(grant)(work)
        house.await_(
            lambda: roles.is_denied(grant, since), lambda: f"{grant.function} did without {grant}"
        )


def test_what_was_begun_without_a_right_is_done_once_it_is_back(house, work, begun):
    work.send_again()
    await_all(house, begun | {"all rights": work.order()})
