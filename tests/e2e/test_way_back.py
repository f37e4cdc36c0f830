"""Order to cash and back: what the ERP and the ledger do is seen in the shop, and nothing loops."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime import rows
from tests.e2e.test_targets import line_of, sell
from tests.kit import targets

ERP_STREAMS = ("orders", "shipments", "invoices", "stock")
LEDGER = targets.CONNECTIONS["xero"]
ROUNDS = 3
"""How often everything is polled and swept again to see whether anything moves."""


@pytest.fixture(scope="module")
def sku(house) -> str:
    """An item that only these tests sell; the ledger keeps it under another code."""
    done = CliRunner().invoke(app, ["map", "set", LEDGER, "sku", "TONIC1500", "COLA330"])
    assert done.exit_code == 0, done.output
    return "TONIC1500"


def erp(house, path: str, given: Mapping[str, Any]) -> Any:
    """Somebody does something in the ERP."""
    return act(house.stack.local["sandboxes"]["odoo"], path, given)


def act(url: str, path: str, given: Mapping[str, Any]) -> Any:
    answer = httpx.post(f"{url}/_sandbox/{path}", json=given, trust_env=False, timeout=30)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def asked(house, query: str) -> Any:
    """What the shop's own API shows."""
    url = house.stack.local["sandboxes"]["shopify"]
    answer = httpx.post(
        f"{url}/admin/api/2026-10/graphql.json",
        json={"query": query},
        headers={"x-shopify-access-token": house.shop_token},
        trust_env=False,
        timeout=30,
    )
    assert answer.is_success, answer.text
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def offered(house, code: str) -> int:
    found = f"productVariants(first: 1, query: \"sku:'{code}'\")"
    query = f"{{ {found} {{ nodes {{ inventoryQuantity }} }} }}"
    return int(asked(house, query)["productVariants"]["nodes"][0]["inventoryQuantity"])


def shop_order(house, order: EntityRef) -> Any:
    fields = (
        "displayFulfillmentStatus cancelledAt"
        ' metafield(namespace: "fizzbridge", key: "erp_number") { value }'
        " fulfillments { status trackingInfo { number company url } }"
    )
    return asked(
        house, f'{{ order(id: "gid://shopify/Order/{order.external_id}") {{ {fields} }} }}'
    )["order"]


def polled(house, condition, complaint, streams=ERP_STREAMS) -> None:
    house.await_(
        condition,
        lambda: str(complaint()),
        meanwhile=lambda: ([house.poll("erp", stream) for stream in streams], house.sweep()),
    )


def trace(order: EntityRef) -> Any:
    done = CliRunner().invoke(app, ["--json", "trace", order.key])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_an_order_goes_to_cash_and_the_shop_sees_every_step(house, sku):
    erp(house, f"items/{sku}/stock", {"quantity": 600})
    code = f"{sku}-C6"
    polled(house, lambda: offered(house, code) == 100, lambda: offered(house, code))

    order = sell(house, "ledger", lines=[{"sku": code, "quantity": 10, "price": "9.60"}])
    link = house.await_link(order, "synced")
    # What is ordered is not offered any more, before the ERP has said a word.
    polled(house, lambda: offered(house, code) == 90, lambda: offered(house, code), ())
    number = house.sales(order)[0].number
    polled(
        house,
        lambda: (shop_order(house, order)["metafield"] or {}).get("value") == number,
        lambda: shop_order(house, order),
    )

    tracking = {"carrier": "DPD", "tracking": "15976940000001"}
    erp(house, f"orders/{link['external_id']}/ship", tracking)
    polled(
        house,
        lambda: shop_order(house, order)["displayFulfillmentStatus"] == "FULFILLED",
        lambda: shop_order(house, order),
    )
    (sent,) = shop_order(house, order)["fulfillments"]
    assert sent["trackingInfo"][0]["number"] == tracking["tracking"]
    polled(house, lambda: offered(house, code) == 90, lambda: offered(house, code))

    erp(house, f"orders/{link['external_id']}/invoice", {})
    polled(
        house,
        lambda: trace(order)["axes"]["billing"] == "BILLED",
        lambda: trace(order)["axes"],
    )
    house.await_(
        lambda: house.link(order, LEDGER).get("status") == "synced",
        lambda: f"{order} at the ledger is {house.link(order, LEDGER)}",
        sweep=True,
    )
    invoice = str(house.link(order, LEDGER)["external_id"]).rpartition(":")[2]
    url = f"http://127.0.0.1:{house.ports[targets.PORTS['xero']]}"
    act(url, f"invoices/{invoice}/pay", {})
    house.await_(
        lambda: trace(order)["axes"]["settlement"] == "PAID",
        lambda: str(trace(order)["axes"]),
        meanwhile=lambda: (house.poll(LEDGER, "payments"), house.sweep()),
    )
    axes = trace(order)["axes"]
    assert (axes["order"], axes["fulfilment"], axes["billing"]) == ("CLOSED", "SHIPPED", "BILLED")
    told = {one["what"] for one in trace(order)["happenings"]}
    assert {"OrderPlaced", "OrderBooked", "ShipmentDispatched", "InvoiceIssued"} <= told
    assert "PaymentReceived" in told


def test_a_refund_in_the_shop_is_a_credit_note_in_the_ledger(house, sku):
    order = sell(house, "ledger", lines=[{"sku": f"{sku}-C6", "quantity": 4, "price": "9.60"}])
    house.await_link(order, "synced")
    house.shop.act(int(order.external_id), "pay", {})
    back = {"line": line_of(house, order), "quantity": 1}
    house.shop.act(int(order.external_id), "refund", {"lines": [back]})

    def credited() -> list[str]:
        rows = house.stack.table.query(str(order), "CHILD#Refund")
        refs = [EntityRef.parse(str(row["sk"]).removeprefix("CHILD#")) for row in rows]
        return [house.link(one, LEDGER).get("status", "") for one in refs]

    house.await_(lambda: credited() == ["synced"], lambda: str(credited()), sweep=True)


def test_an_order_cancelled_in_the_erp_is_cancelled_in_the_shop(house, sku):
    order = sell(house, "web", lines=[{"sku": f"{sku}-C6", "quantity": 2, "price": "9.60"}])
    link = house.await_link(order, "synced")
    erp(house, f"orders/{link['external_id']}/cancel", {})
    polled(
        house,
        lambda: shop_order(house, order)["cancelledAt"],
        lambda: (shop_order(house, order), trace(order)["axes"]),
    )


def test_nothing_loops(house, sku):
    """Polled and swept again and again, with every echo delivered, nobody writes anything more."""

    def written() -> Counter[str]:
        found: Counter[str] = Counter()
        for name in ("shopify", "odoo"):
            url = house.stack.local["sandboxes"][name]
            done = httpx.get(f"{url}/_sandbox/accepted", trust_env=False, timeout=30).json()
            found.update({f"{name} {what}": count for what, count in done.items()})
        found.update(targets.accepted(house.ports[targets.PORTS["xero"]]))
        return found

    def is_read(name: str) -> bool:
        url = house.stack.connections[name]["PullQueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = house.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return set(asked["Attributes"].values()) == {"0"}

    def at_rest() -> bool:
        # What is still to be assessed, a claim that ended, is told to the shop afterwards.
        behind = any(
            house.stack.table.index("behind", shard)
            for name in (rows.ASSESS, "shop-uk")
            for shard in rows.shards(name)
        )
        return not behind and all(map(is_read, ("erp", "shop-uk", LEDGER)))

    def again() -> None:
        for stream in ERP_STREAMS:
            house.poll("erp", stream)
        house.poll(LEDGER, "payments")
        house.poll("shop-uk", "orders")
        house.poll("shop-uk", "products")
        house.sweep()
        house.await_(at_rest, lambda: "the shop is still told things", sweep=True)

    again()  # what the order that was cancelled gave back to the stock is told
    before = written()
    for _ in range(ROUNDS):
        again()
    assert written() == before


def test_an_item_is_shown_once_for_each_change(house, sku):
    """300 changes of stock end in the right figure, in far fewer writes than changes."""
    url = house.stack.local["sandboxes"]["shopify"]

    def writes() -> int:
        done = httpx.get(f"{url}/_sandbox/accepted", trust_env=False, timeout=30).json()
        return int(done.get("inventory_set", 0))

    before = writes()
    codes = {"COLA330": 24, "LEMON330": 24, sku: 6}
    for quantity in range(100):
        for item, units in codes.items():
            erp(house, f"items/{item}/stock", {"quantity": units * (1000 + quantity)})
        if quantity % 10 == 9:
            house.poll("erp", "stock")
    polled(
        house,
        lambda: offered(house, "LEMON330-C24") == 1099,
        lambda: offered(house, "LEMON330-C24"),
        ("stock",),
    )
    assert 0 < writes() - before < 300
