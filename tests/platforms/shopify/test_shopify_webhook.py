import itertools
import random

import pytest

from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256
from platforms.shopify.webhook import ShopifyWebhook
from tests.kit.source import PULL_QUEUE, fixtures, http_event, signed
from tests.platforms.shopify.shopify_shop import DRAFT, START, deliver_all, paid, shop, source

# Computed by hand from the published algorithm.
VECTOR = (
    "shpss_test_0123456789abcdef",
    '{"id":5500123,"name":"#FZ1001","note":"48 × cola crates"}'.encode(),
    "/UY3bvziZtNjp5tj2LdsBgPVFkaPHlP17CJAKzFeMD8=",
)


@pytest.mark.parametrize("name", ["X-Shopify-Hmac-Sha256", "Shopify-Hmac-SHA256"])
def test_the_published_example_verifies_under_both_header_names(name):
    secret, body, proof = VECTOR
    delivery = Delivery.from_event(http_event({name: proof}, body), START)
    ShopifyWebhook.signature.verify(delivery, [secret], START)


def test_deliveries_of_the_newer_kind_are_understood():
    webhook = ShopifyWebhook()
    fixture = next(one for one in fixtures("shopify") if one.name == "orders_create__discounts")
    headers = {name.replace("X-Shopify", "shopify"): text for name, text in fixture.headers.items()}
    proof = signed(webhook, {}, fixture.body)["x-shopify-hmac-sha256"]
    told = source(shop())
    event = http_event(headers | {"shopify-hmac-sha256": proof}, fixture.body)
    assert told.deliver(event) == 200
    assert told.counts()["merged"] == 2


def test_the_same_event_has_one_id_on_every_delivery():
    webhook = ShopifyWebhook()
    sent = Delivery.from_event(
        http_event({"X-Shopify-Event-Id": "e", "X-Shopify-Webhook-Id": "w"}, b"{}"), START
    )
    assert webhook.delivery_id(sent) == "e"
    older = Delivery.from_event(http_event({"X-Shopify-Webhook-Id": "w"}, b"{}"), START)
    assert webhook.delivery_id(older) == "w"


def history(sandbox):
    """A day of an order: placed, paid, edited notes, shipped, refunded."""
    order = paid(sandbox, DRAFT)
    for act in (
        lambda: sandbox.update_order(order["id"], {"note": "one"}),
        lambda: sandbox.update_order(order["id"], {"note": "two"}),
        lambda: sandbox.fulfill_order(order["id"], [{"line": "COLA-24", "quantity": 6}]),
        lambda: sandbox.refund_order(order["id"], [{"line": "TONIC-12", "quantity": 1}]),
    ):
        act()
        sandbox.clock.later(1)


@pytest.mark.parametrize("seed", range(8))
def test_deliveries_in_any_order_with_repeats_end_alike(seed):
    sandbox = shop()
    history(sandbox)
    straight, shuffled = source(sandbox), source(sandbox)
    deliver_all(sandbox, straight)
    straight.drain()
    dice = random.Random(seed)  # noqa: S311  # a shuffle
    sent = list(sandbox.deliveries) + dice.choices(sandbox.deliveries, k=5)
    dice.shuffle(sent)
    for one in sent:
        assert shuffled.deliver(http_event(one.headers, one.body)) == 200
    shuffled.drain()
    # An embedded buyer only creates: whichever copy came first stays.
    assert dict(without_seeds(shuffled)) == dict(without_seeds(straight))


def without_seeds(one):
    return itertools.filterfalse(
        lambda pair: pair[0].startswith("Customer#"), one.content().items()
    )


def test_an_edit_is_read_from_the_platform():
    sandbox = shop()
    order = sandbox.place_order(DRAFT)
    told = source(sandbox)
    sandbox.clock.later(5)
    sandbox.edit_order(order["id"], {"quantities": {"COLA-24": 1}})
    edited = [one for one in sandbox.deliveries if one.topic == "orders/edited"]
    told.deliver(http_event(edited[0].headers, edited[0].body))
    assert [message["what"] for message in told.messages(PULL_QUEUE)] == ["order"]
    told.drain()
    assert len(told.parts("Order#")) == 1


def test_a_pending_refund_settles_when_the_order_says_so():
    sandbox = shop()
    history(sandbox)
    told = source(sandbox)
    refund = next(one for one in sandbox.deliveries if one.topic == "refunds/create")
    pending = refund.body.replace(b'"status":"success"', b'"status":"pending"')
    told.deliver(http_event(signed(told.webhook, refund.headers, pending), pending))
    before = told.content("Refund#")
    updated = [one for one in sandbox.deliveries if one.topic == "orders/updated"][-1]
    told.deliver(http_event(updated.headers, updated.body))
    told.drain()
    after = told.content("Refund#")
    assert len(after) == 1
    assert after != before
    told.deliver(http_event(signed(told.webhook, refund.headers, pending), pending))
    told.drain()
    assert told.content("Refund#") == after


def test_the_signature_is_declared_not_coded():
    assert isinstance(ShopifyWebhook.signature, HmacSha256)
