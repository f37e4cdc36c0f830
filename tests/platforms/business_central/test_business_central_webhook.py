"""Business Central's notifications: subscribed to, proven, read back."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fizzbridge.errors import ConfigurationError, VerificationError
from fizzbridge.http.auth import client_credentials
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint
from fizzbridge.webhook.request import Delivery
from platforms.business_central.notices import ClientState, proven
from platforms.business_central.pull import BusinessCentralPull
from platforms.business_central.sandbox import make
from platforms.business_central.subscriptions import BusinessCentralSubscriptions
from platforms.business_central.webhook import BusinessCentralWebhook
from tests.contract.test_fuzzed_sources import spoiled
from tests.kit.signing import stated
from tests.kit.source import OLD_SECRET, SECRET, Source, bridge, fixtures
from tests.kit.transport import SandboxTransport
from tests.platforms.business_central.business_central_orders import (
    COMPANY,
    HOST,
    SEED,
    TENANT,
)
from tests.platforms.business_central.business_central_orders import SECRET as API

WEBHOOK = BusinessCentralWebhook()
SUBSCRIPTIONS = BusinessCentralSubscriptions()
ADDRESS = "https://hooks.example/webhooks/shop-uk"
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
OURS = ["salesOrders", "salesInvoices", "salesCreditMemos", "customers", "items"]
STREAMS = ["orders", "shipments", "invoices", "credit_notes", "customers", "items", "stock"]
ACCOUNT = {"number": "C-1042", "displayName": "Harbour Cafe", "creditLimit": 500}


class Wired:
    """A connection and the company it is subscribed to; each hears the other."""

    def __init__(self, **seed):
        client_credentials.cache_clear()
        self.sandbox = make(SEED | {"customers": [ACCOUNT]} | seed)
        self.time = AT
        self.sandbox.clock = lambda: self.time
        self.sandbox.hooks.shake = self.shake
        config = bridge(
            "business_central",
            base_url=f"{HOST}/v2.0/{TENANT}/Production/api/v2.0",
            settings={"company": COMPANY, "token_url": f"{HOST}/{TENANT}/oauth2/v2.0/token"},
        )
        transport = SandboxTransport(self.sandbox.app)
        self.source = Source(WEBHOOK, BusinessCentralPull(), transport, config)
        self.source.secrets["api"] = json.dumps(API)
        self.asked = []

    def shake(self, uri):
        """The vendor's question goes to our receiver."""
        self.asked.append(uri)
        address = urlsplit(uri)
        event = {"headers": {"content-length": "0"}, "body": ""}
        query = {"queryStringParameters": dict(parse_qsl(address.query))}
        answer = self.source.receiver.receive(event | query)
        assert answer["headers"] == {"content-type": "text/plain"}
        return answer["statusCode"], answer["body"].encode()

    def connect(self):
        body = {"type": "connect", "address": ADDRESS, "streams": STREAMS, "asked": "a"}
        assert self.source.work(body) is None

    def watch(self):
        assert self.source.work({"type": "watch", "streams": STREAMS}) is None

    def listed(self):
        return {row["_name"]: row for row in self.sandbox.hooks.alive()}

    def hear(self):
        """Deliver what is told, and read what it names; gives the statuses."""
        told, self.sandbox.outbox.deliveries[:] = list(self.sandbox.outbox.deliveries), []
        self.time += timedelta(minutes=1)
        event = {"headers": {"content-type": "application/json; charset=utf-8"}}
        found = [self.source.deliver(event | {"body": one.body.decode()}) for one in told]
        self.source.drain()
        return found

    def do(self, action, key, name, **draft):
        return self.sandbox.store.do(name, key, action, draft)


@pytest.fixture
def wired():
    return Wired()


# -- the register ----------------------------------------------------------------------------------


def test_each_resource_is_subscribed_to_once_its_address_has_answered(wired):
    wired.connect()
    assert sorted(wired.listed()) == sorted(OURS)
    for name, row in wired.listed().items():
        assert row["notificationUrl"] == ADDRESS
        assert row["resource"] == f"/api/v2.0/companies({COMPANY})/{name}"
        assert row["clientState"] == SECRET
    assert len(wired.asked) == len(OURS)
    assert wired.source.counts()["ignored"] == len(OURS)


def test_the_watch_makes_them_last(wired):
    wired.connect()
    before = wired.listed()
    wired.source.queue.take("https://sqs.test/pull")
    wired.time += timedelta(days=2)
    wired.watch()
    after = wired.listed()
    assert {name: row["subscriptionId"] for name, row in after.items()} == {
        name: row["subscriptionId"] for name, row in before.items()
    }
    ends = {row["expirationDateTime"] for row in after.values()}
    assert {datetime.fromisoformat(one) for one in ends} == {wired.time + timedelta(days=3)}
    assert len(wired.asked) == 2 * len(OURS)
    assert wired.source.messages() == []


def test_what_has_run_out_is_made_anew_and_what_was_missed_is_read(wired):
    wired.connect()
    wired.source.queue.take("https://sqs.test/pull")
    wired.time += timedelta(days=4)
    assert wired.listed() == {}
    wired.watch()
    assert sorted(wired.listed()) == sorted(OURS)
    assert [one["stream"] for one in wired.source.messages()] == STREAMS


def test_the_newest_secret_is_given_to_those_that_are_there(wired):
    wired.connect()
    wired.source.secrets["signing"] = json.dumps({"active": ["brand-new", SECRET]})
    wired.source.clock.advance(3600)
    wired.watch()
    assert {row["clientState"] for row in wired.listed().values()} == {"brand-new"}


def test_subscriptions_of_others_are_let_be(wired):
    other = {
        "notificationUrl": "https://other.example/bc",
        "resource": f"/api/v2.0/companies({COMPANY})/items",
    }
    made = wired.sandbox.hooks.create(wired.sandbox.hooks.wanted(other))
    wired.connect()
    wired.source.work({"type": "disconnect", "streams": STREAMS})
    assert [row["subscriptionId"] for row in wired.sandbox.hooks.alive()] == [
        made["subscriptionId"]
    ]


def test_without_a_secret_nothing_is_subscribed_to(wired):
    connection = wired.source.given.connection
    with pytest.raises(ConfigurationError, match="set the secret 'active' first"):
        SUBSCRIPTIONS.add(wired.source.client(), "items", ADDRESS, "", connection)
    assert wired.asked == []


@pytest.mark.parametrize(
    ("resource", "topic"),
    [
        (f"/api/v2.0/companies({COMPANY})/items", "items"),
        (f"api/v2.0/companies({COMPANY})/items", "items"),
        (f"/api/v2.0/companies({COMPANY.upper()})/items", "items"),
        ("/api/v2.0/companies(7)/items", "/api/v2.0/companies(7)/items"),
    ],
)
def test_a_resource_of_ours_is_known_however_it_is_written(wired, resource, topic):
    row = {"subscriptionId": "s", "resource": resource, "notificationUrl": ADDRESS}
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "t"}
    answer = httpx.Response(200, json=token | {"value": [row]})
    wired.source.transport = httpx.MockTransport(lambda _: answer)
    (one,) = SUBSCRIPTIONS.listed(wired.source.client(), wired.source.given.connection)
    assert one.topic == topic


# -- deliveries ------------------------------------------------------------------------------------


def test_what_people_do_is_heard_of_and_read(wired):
    wired.connect()
    wired.source.drain()
    wired.do("price", "LEMON", "items", price="2.50")
    wired.do("edit", "C-1042", "customers", displayName="Harbour Bistro")
    assert wired.hear() == [200]
    bodies = [json.loads(row["body"]) for row in wired.source.parts("Price#").values()]
    (price,) = [one for one in bodies if one["sku"] == "LEMON"]
    assert price["price"]["amount"] == "2.50"
    (row,) = wired.source.parts("Customer#").values()
    assert json.loads(row["body"])["company"]["name"] == "Harbour Bistro"


def test_an_item_that_is_deleted_is_gone(wired):
    wired.connect()
    wired.source.drain()
    made = wired.sandbox.store.find("items", "ROUND")
    wired.do("delete", "ROUND", "items")
    assert wired.hear() == [200]
    (row,) = [row for name, row in wired.source.parts("Product#").items() if made["id"] in name]
    assert row["deleted"]


def test_more_than_is_named_one_by_one_is_read_from_then_on():
    wired = Wired(collection_limit=2)
    wired.connect()
    wired.source.drain()
    for number in ("COLA", "LEMON", "TEA", "KEG"):
        wired.do("price", number, "items", price=3)
    assert wired.hear() == [200]
    bodies = [json.loads(row["body"]) for row in wired.source.parts("Price#").values()]
    assert {one["sku"] for one in bodies if one["price"]["amount"] == "3.00"} == {
        *("COLA", "LEMON", "TEA", "KEG")
    }


# -- proofs ----------------------------------------------------------------------------------------


def fixture(name):
    return next(one for one in fixtures("business_central") if one.name == name)


def delivery(name, state=SECRET):
    return Delivery({}, stated(fixture(name).body, state), AT)


def test_a_question_gets_its_token_back():
    asked = Delivery({}, b"", AT, query={"validationToken": "8d1f0c62-77aa-4c5b-9f7e-000000000001"})
    reply = WEBHOOK.handshake(asked)
    assert (reply.status, reply.media) == (200, "text/plain")
    assert reply.body == "8d1f0c62-77aa-4c5b-9f7e-000000000001"
    assert WEBHOOK.handshake(delivery("salesOrders_updated__single")) is None


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_either_active_secret_is_good(secret):
    told = delivery("salesOrders_updated__single", secret)
    ClientState().verify(told, [SECRET, OLD_SECRET], AT)
    assert len(proven(told, [SECRET, OLD_SECRET]).json()["value"]) == 1


def test_what_has_another_state_is_dropped():
    told = delivery("salesOrders_updated__foreign_state")
    ClientState().verify(told, [SECRET], AT)
    kept = proven(told, [SECRET])
    (one,) = kept.json()["value"]
    assert "a1b20007" in one["resource"]
    assert SECRET.encode() not in kept.body


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"7", b"\xff", b'{"value":[]}', b'{"value":{}}', b'{"value":[7,null]}'],
)
def test_what_names_nothing_proves_nothing(body):
    with pytest.raises(VerificationError):
        ClientState().verify(Delivery({}, body, AT), [SECRET, ""], AT)


@pytest.mark.parametrize("state", [None, "", 7, [SECRET], {"": SECRET}])
def test_no_state_is_no_proof(state):
    item = {"clientState": state, "resource": "api/v2.0/companies(x)/items"}
    told = Delivery({}, json.dumps({"value": [item]}).encode(), AT)
    with pytest.raises(VerificationError):
        ClientState().verify(told, [SECRET, ""], AT)


@pytest.mark.hypothesis
@given(data=st.data())
def test_a_proven_delivery_of_any_shape_is_kept(data):
    shown = data.draw(st.sampled_from([one for one in fixtures("business_central") if one.body]))
    told = json.loads(stated(shown.body, SECRET))
    value = [one | {"clientState": SECRET} for one in told["value"]]
    items = data.draw(spoiled(value))
    first = {"clientState": SECRET, "resource": data.draw(st.text())}
    body = {"value": [first, *(items if isinstance(items, list) else [items])]}
    text = json.dumps(body)
    assume(not re.search("NaN|Infinity", text))  # which is no JSON, and proves nothing
    source = Source(WEBHOOK)
    event = {"headers": {}, "body": text, "requestContext": {}}
    assert source.deliver(event) == 200
    counted = source.counts()
    assert counted.pop("received") == 1
    assert counted
    assert all(SECRET not in str(kept) for kept in source.messages())


def test_only_what_can_be_owned_is_asked_for():
    """Items are read only where somebody owns what is sold."""
    source = Source(WEBHOOK, config=bridge("business_central", roles=["order.processing"]))
    for name in ("items_updated__single", "items_collection__price_run"):
        assert source.deliver(fixture(name).event(WEBHOOK)) == 200
    assert source.messages() == []
    assert source.counts()["ignored"] == 2


def test_what_a_hint_asks_for_is_of_its_kind():
    routes = WEBHOOK.routes["items"]
    told = routes.wire.model_validate(json.loads(fixture("items_updated__single").body))
    (hint,) = routes.mapping(told, "erp")
    assert (hint, hint.of) == (Hint("item", "a1b20015-51c7-4de0-9f3a-2b6c8d0e0015"), Kind.PRODUCT)
