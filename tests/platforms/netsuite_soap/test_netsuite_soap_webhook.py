"""What the script posts, from the sandbox's script into the bridge and back to NetSuite."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from fizzbridge.errors import VerificationError
from fizzbridge.model.entity import Kind, Role
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.netsuite_soap.sandbox_store import SEED
from platforms.netsuite_soap.webhook import ITEMS, MOVING, READ, Changed, NetSuiteSoapWebhook, named
from tests.kit.orders import line
from tests.kit.source import DLQ, Source, bridge, http_event
from tests.platforms.netsuite_soap.netsuite_soap_desk import PULL, Desk
from tests.platforms.netsuite_soap.netsuite_soap_orders import SECRET

COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
WEBHOOK = NetSuiteSoapWebhook()
HOOK = "https://hooks.example.com/webhooks/erp"


@pytest.fixture
def desk():
    there = Desk(seed={"webhook_uri": HOOK})
    there.sandbox.outbox.deliveries.clear()
    return there


def posted(desk):
    """What was posted since the last look, as it comes in."""
    found = [
        Delivery(
            {name.lower(): value for name, value in one.headers.items()},
            one.body,
            datetime.fromtimestamp(int(one.headers["X-Fizz-Timestamp"]), UTC),
        )
        for one in desk.sandbox.outbox.deliveries
    ]
    desk.sandbox.outbox.deliveries.clear()
    return found


def hints(desk):
    return [hint for one in posted(desk) for hint in read(WEBHOOK, one, "erp")]


def test_what_people_do_is_heard_and_read_back(desk):
    order = desk.place(COLA)
    heard = hints(desk)
    assert set(heard) == {Hint("order", order), Hint("goods", f"salesOrder:{order}")}
    assert {seen.ref.kind for hint in heard for seen in desk.fetch(hint)} == {
        Kind.ORDER,
        Kind.STOCK_LEVEL,
    }
    sent = desk.act(f"orders/{order}/ship")
    bill = desk.act(f"orders/{order}/invoice")
    paid = desk.act(f"invoices/{bill}/pay")
    credit = desk.act(f"invoices/{bill}/credit", amount="6.00")
    back = desk.act(f"credits/{credit}/refund", method="1")
    heard = hints(desk)
    assert heard == [
        Hint("shipment", sent),
        Hint("invoice", bill),
        Hint("payment", paid),
        Hint("credit", credit),
        Hint("refund", back),
    ]
    kinds = [Kind.SHIPMENT, Kind.INVOICE, Kind.PAYMENT, Kind.INVOICE, Kind.REFUND]
    for hint, kind in zip(heard, kinds, strict=True):
        seen = [one for one in desk.fetch(hint) if one.refetch == hint]
        assert [one.ref.kind for one in seen] == [kind]


def test_a_price_and_an_address_are_heard_of(desk):
    desk.act("items/COLA/price", price="9.00")
    desk.act(f"customers/{desk.customer}/edit", phone="1")
    item, customer = hints(desk)
    assert (item, item.of) == (Hint("item", "57"), Kind.PRODUCT)
    assert {one.ref.kind for one in desk.fetch(item)} == {
        Kind.PRODUCT,
        Kind.PRICE,
        Kind.STOCK_LEVEL,
    }
    assert customer == Hint("customer", desk.customer)


def test_what_was_deleted_is_gone(desk):
    order = desk.place(COLA)
    posted(desk)
    desk.act(f"orders/{order}/delete")
    (hint,) = hints(desk)
    (gone,) = desk.fetch(hint)
    assert (gone.ref.kind, gone.ref.external_id, gone.body) == (Kind.ORDER, order, None)


def test_a_notice_is_proven_by_its_secret_and_its_time(desk):
    desk.place(COLA)
    told = posted(desk)[0]
    WEBHOOK.signature.verify(told, (SEED["webhook_secret"],), told.received_at)
    with pytest.raises(VerificationError):
        WEBHOOK.signature.verify(told, ("another",), told.received_at)


def test_the_runtime_takes_in_what_the_script_posts_and_what_is_polled(desk):
    order = desk.place(COLA)
    desk.act(f"customers/{desk.customer}/edit", creditLimit="5000")
    desk.act("items/COLA/price", price="9.00")
    desk.act(f"orders/{order}/ship")
    bill = desk.act(f"orders/{order}/invoice")
    paid = desk.act(f"invoices/{bill}/pay")
    config = bridge(
        "netsuite_soap",
        base_url=desk.connection.base_url,
        settings=desk.connection.settings,
        roles=[one for one in Role if one is not Role.ORDER_REQUEST],
    )
    bridged = Source(WEBHOOK, PULL, desk.transport, config)
    bridged.secrets["api"] = json.dumps(SECRET)
    bridged.secrets["signing"] = json.dumps({"active": [SEED["webhook_secret"]]})
    # The passport is signed by the wall clock.
    desk.sandbox.clock = lambda: datetime.now(UTC)
    for one in posted(desk):
        bridged.clock.advance((one.received_at - bridged.clock()).total_seconds())
        assert bridged.deliver(http_event(one.headers, one.body)) == 200
    heard = [one["what"] for one in bridged.messages()]
    # The order was saved twice: made, then approved.
    named = ["customer", "item", "shipment", "invoice", "payment"]
    assert heard == ["order", "goods", "order", "goods", *named]
    bridged.drain()
    told = {name.removesuffix("/PART#record") for name in bridged.parts()}
    assert told >= {
        f"Order#shop-uk/{order}/PART#processing",
        f"Invoice#shop-uk/{bill}",
        f"Payment#shop-uk/{paid}",
        f"Customer#shop-uk/{desk.customer}",
        "Product#shop-uk/57",
        "Price#shop-uk/57:1:GBP:CASE:1",
        "StockLevel#shop-uk/57@1",
    }
    before = bridged.content()
    for stream in ("transactions", "deletions", "customers", "items", "stock"):
        bridged.work({"type": "poll", "stream": stream})
        bridged.drain()
    assert set(bridged.content()) >= set(before) | {"StockLevel#shop-uk/58@1/PART#record"}
    assert bridged.messages(DLQ) == []


def test_every_type_the_script_is_deployed_on_is_read():
    sandbox = {one.lower() for one in SEED["webhook_types"]}
    assert sandbox == {one for one in sandbox if list(named(Changed(type=one, id="1"), "erp"))}
    assert set(READ) <= sandbox
    assert MOVING.keys() - sandbox == {"itemreceipt", "inventoryadjustment"}
    lots = ("lotnumberedinventoryitem", "serializedassemblyitem", "noninventoryitem", "serviceitem")
    assert all(one.endswith(ITEMS) for one in lots)
    others = ("salestaxitem", "shipitem", "itemgroup", "vendorbill")
    assert not any(one.endswith(ITEMS) for one in others)


@pytest.mark.parametrize("number", ["", "0", "1 2", "a", "-1", None, {}])
def test_a_number_that_is_none_is_no_hint(number):
    with pytest.raises(ValueError, match="id"):
        Changed.model_validate({"type": "salesorder", "id": number})
    assert json.loads(Changed(type="salesorder", id="1").model_dump_json())["id"] == "1"
