"""`fizzbridge connect` and `disconnect`, as people use them."""

from __future__ import annotations

import json
import threading

import pytest

from fizzbridge.errors import ConfigurationError
from fizzbridge.runtime.breaker import Breaker
from fizzbridge.runtime.subscriptions import Register, Wish
from fizzbridge.settings import Connection
from tests.unit.cli.conftest import NOW

SHOP = Connection(name="shop-uk", platform="shopify", base_url="https://shop.example", start_at=NOW)
TOPICS = ("ORDERS_CREATE", "ORDERS_PAID")


@pytest.fixture
def puller(stack):
    """What the pull function does, once, with the message it finds."""
    url = stack.connections["shop-uk"]["PullQueueUrl"]
    found = []

    def start(work):
        def run():
            (message,) = stack.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
            found.append(json.loads(message["Body"]))
            work(Register(stack.table, SHOP, lambda: NOW), found[0])

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return found

    threads = []
    yield start
    for thread in threads:
        thread.join(30)


def test_connecting_shows_what_is_subscribed_to(fizzbridge, stack, puller):
    def subscribe(register, body):
        register.want(Wish(body["address"], is_wanted=True))
        register.done(body["asked"], TOPICS, TOPICS[:1])

    asked = puller(subscribe)
    told = fizzbridge("connect", "shop-uk")
    assert told.code == 0, told.err
    assert asked[0]["type"] == "connect"
    assert asked[0]["address"] == stack.connections["shop-uk"]["WebhookUrl"]
    assert asked[0]["streams"] == ["orders", "customers", "companies", "products"]
    for word in ("can be read: orders, customers", "ORDERS_CREATE", "made", "ORDERS_PAID", "there"):
        assert word in told.out


def test_as_json_for_machines(fizzbridge, puller):
    puller(lambda register, body: register.done(body["asked"], TOPICS, ()))
    told = fizzbridge("--json", "connect", "shop-uk")
    assert (told.data["topics"], told.data["made"]) == (list(TOPICS), [])


def test_a_shop_that_has_no_register_is_set_up_by_hand(fizzbridge, puller):
    puller(lambda register, body: register.done(body["asked"]))
    told = fizzbridge("connect", "shop-uk")
    assert "functions/platforms/shopify/README.md" in " ".join(told.out.split())


def test_a_connection_that_does_not_work_says_why(fizzbridge, stack, puller):
    breaker = Breaker(stack.table, "shop-uk", lambda: NOW)
    puller(lambda _, __: breaker.heard(ConfigurationError("the token may not read orders")))
    told = fizzbridge("connect", "shop-uk")
    assert told.code == 1
    assert "shop-uk does not work: the token may not read orders" in " ".join(told.err.split())


def test_disconnecting_asks_first(fizzbridge, puller):
    assert fizzbridge("disconnect", "shop-uk").code == 1
    asked = puller(lambda register, body: register.done(body["asked"]))
    told = fizzbridge("disconnect", "shop-uk", "--yes")
    assert told.code == 0, told.err
    assert asked[0]["type"] == "disconnect"
    assert "no webhooks any more" in told.out


@pytest.mark.parametrize("what", ["connect", "disconnect"])
def test_only_sources_have_webhooks(fizzbridge, what):
    told = fizzbridge(what, "erp", *(["--yes"] if what == "disconnect" else []))
    assert told.code == 1
    assert "'erp' is no source" in told.err
