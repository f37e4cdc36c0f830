"""What a source reads of the NetSuite sandbox and is told by it: goods, prices, credit, money."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from platforms.netsuite_soap.sandbox import SCRIPTED, make
from platforms.netsuite_soap.sandbox_store import SEED
from sandbox.modules import sign
from tests.platforms.netsuite_soap.netsuite_soap_world import (
    CAFE,
    NetSuite,
    found,
    line,
    order,
    world,
)

HOOK = "https://hooks.example.com/webhooks/netsuite/t1"
EVENTS = Path(__file__).parents[3] / "events" / "netsuite_soap"
FIXTURES = sorted(EVENTS.glob("*__*.json"))
COLA, CORNER = "57", "730"
WITHIN = (
    '<cm:{name} operator="within" xsi:type="c:SearchDateField">'
    "<c:searchValue>{start}</c:searchValue><c:searchValue2>{end}</c:searchValue2></cm:{name}>"
)
KIND = (
    '<cm:type operator="anyOf" xsi:type="c:SearchEnumMultiSelectField">'
    "<c:searchValue>{}</c:searchValue></cm:type>"
)
SILENT = (
    "<preferences><runServerSuiteScriptAndTriggerWorkflows>false"
    "</runServerSuiteScriptAndTriggerWorkflows></preferences>"
)


@pytest.fixture
def ns() -> NetSuite:
    return world()


@pytest.fixture
def told() -> NetSuite:
    """An account whose user event script has an address."""
    ns = world()
    assert ns.http.put("/_sandbox/webhook_uri", json={"uri": HOOK}).status_code == 204
    return ns


def act(ns: NetSuite, path: str, **body: Any) -> Any:
    answer = ns.http.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def within(ns: NetSuite, name: str, seconds: int = 60) -> str:
    """A closed window that ends now."""
    start = f"{ns.now - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    return WITHIN.format(name=name, start=start, end=f"{ns.now:%Y-%m-%dT%H:%M:%SZ}")


def items(ns: NetSuite, name: str) -> list[str]:
    """The items a search by one of their times finds."""
    return found(ns.search("Item", within(ns, name, 30), ns="a"))


def sold(ns: NetSuite, *lines: str) -> str:
    """An approved order."""
    return ns.made("add", "SalesOrder", order(*lines))


def billed(ns: NetSuite, quantity: str = "10") -> str:
    """A posted invoice of an order that was shipped."""
    number = sold(ns, line(quantity, "10.00"))
    act(ns, f"orders/{number}/ship")
    return str(act(ns, f"orders/{number}/invoice")["id"])


def place(ns: NetSuite, location: str) -> dict[str, Any]:
    """An item at a location, as its record has it."""
    rows = ns.get("inventoryItem", COLA)["locationsList"]
    return next(row for row in rows if row["locationId"] == location)


# Goods


def test_goods_are_ordered_come_in_and_go_elsewhere(ns):
    before = place(ns, "1")
    act(ns, "items/COLA330-C24/receive", quantity=240, receive=False)
    assert float(place(ns, "1")["quantityOnOrder"]) == float(before["quantityOnOrder"]) + 240
    act(ns, "items/COLA330-C24/receive", quantity=240)
    after = place(ns, "1")
    assert float(after["quantityOnHand"]) == float(before["quantityOnHand"]) + 240
    assert after["quantityOnOrder"] == before["quantityOnOrder"]
    act(ns, "items/COLA330-C24/stock", quantity=10, location="2")
    act(ns, "items/COLA330-C24/move", quantity=40, to="2")
    assert place(ns, "2")["quantityOnHand"] == "50.0"
    moved = float(after["quantityOnHand"]) - 40
    assert float(place(ns, "1")["quantityOnHand"]) == moved


def test_stock_moves_its_own_time_and_not_the_item_s(ns):
    ns.tick(3600)
    assert items(ns, "lastQuantityAvailableChange") == []
    act(ns, "items/COLA330-C24/stock", quantity=7, location="2")
    assert items(ns, "lastQuantityAvailableChange") == [COLA]
    assert items(ns, "lastModifiedDate") == []
    ns.tick(3600)
    act(ns, "items/COLA330-C24/price", price="11.00")
    assert items(ns, "lastQuantityAvailableChange") == []
    assert items(ns, "lastModifiedDate") == [COLA]


def test_what_an_order_holds_is_available_no_more(ns):
    ns.tick(3600)
    free = float(place(ns, "1")["quantityAvailable"])
    number = sold(ns, line("2"))
    assert float(place(ns, "1")["quantityAvailable"]) == free - 48
    assert items(ns, "lastQuantityAvailableChange") == [COLA]
    ns.tick(3600)
    act(ns, f"orders/{number}/delete")
    assert float(place(ns, "1")["quantityAvailable"]) == free
    assert items(ns, "lastQuantityAvailableChange") == [COLA]


def test_prices_of_a_level_have_steps(ns):
    act(ns, "items/COLA330-C24/price", price="9.00", quantity=10)
    act(ns, "items/COLA330-C24/price", price="8.50", quantity=50)
    act(ns, "items/COLA330-C24/price", price="8.90", quantity=10)
    matrix = ns.get("inventoryItem", COLA)["pricingMatrix"]
    (base,) = [one for one in matrix if (one["priceLevel"], one["currency"]) == ("1", "1")]
    steps = [(row["value"], row["quantity"]) for row in base["priceList"]]
    assert steps[1:3] == [("8.9", "10.0"), ("8.5", "50.0")]
    act(ns, "items/COLA330-C24/price", price="7.00")
    matrix = ns.get("inventoryItem", COLA)["pricingMatrix"]
    (base,) = [one for one in matrix if (one["priceLevel"], one["currency"]) == ("1", "1")]
    assert [row["value"] for row in base["priceList"]] == ["7.0"]


def test_an_item_is_archived_by_its_name(ns):
    ns.tick(3600)
    assert act(ns, "items/COLA330-C24/block")["record"]["isInactive"] is True
    assert ns.get("inventoryItem", COLA)["isInactive"] == "true"
    assert items(ns, "lastModifiedDate") == [COLA]


# Credit


def test_what_a_customer_owes_moves_no_time(ns):
    ns.tick(3600)
    invoice = billed(ns)
    owed = float(ns.get("invoice", invoice)["amountRemaining"])
    customer = ns.get("customer", CORNER)
    assert float(customer["balance"]) == owed
    assert customer["overdueBalance"] == "0.0"
    assert found(ns.search("Customer", within(ns, "lastModifiedDate", 30), ns="l")) == []
    act(ns, f"customers/{CORNER}/edit", creditLimit="5000")
    assert found(ns.search("Customer", within(ns, "lastModifiedDate", 30), ns="l")) == [CORNER]
    assert ns.get("customer", CORNER)["creditLimit"] == "5000.0"
    ns.tick(40 * 86400)
    assert float(ns.get("customer", CORNER)["overdueBalance"]) == owed


def test_money_that_pays_nothing_yet_is_owed_less_and_a_deposit_is_not(ns):
    invoice = billed(ns)
    owed = float(ns.get("customer", CORNER)["balance"])
    paid = act(ns, f"customers/{CORNER}/pay", amount="30", reference="bank 4")["record"]
    assert (paid["unapplied"], paid["memo"]) == ("30.0", "bank 4")
    assert float(ns.get("customer", CORNER)["balance"]) == owed - 30
    number = sold(ns)
    act(ns, f"orders/{number}/pay", amount="12")
    customer = ns.get("customer", CORNER)
    assert (float(customer["balance"]), customer["depositBalance"]) == (owed - 30, "12.0")
    assert float(ns.get("invoice", invoice)["amountRemaining"]) == owed


# Money


def test_one_payment_of_several_invoices(ns):
    first, second = billed(ns, "1"), billed(ns, "2")
    ns.tick(3600)
    paid = act(ns, f"customers/{CORNER}/pay", invoices=[first, second])
    rows = ns.get("customerPayment", paid["id"])["applyList"]
    assert [(row["doc"], row["amount"]) for row in rows] == [(first, "12.0"), (second, "24.0")]
    basic = within(ns, "lastModifiedDate", 30)
    assert found(ns.search("Transaction", basic + KIND.format("_customerPayment"))) == [paid["id"]]
    # What a payment settles has changed as well.
    assert found(ns.search("Transaction", basic + KIND.format("_invoice"))) == [first, second]
    assert ns.get("invoice", first)["status"] == "Paid In Full"


def test_a_credit_and_a_deposit_are_paid_out(ns):
    invoice = billed(ns)
    act(ns, f"invoices/{invoice}/pay")
    credit = act(ns, f"invoices/{invoice}/credit", amount="6")
    back = act(ns, f"credits/{credit['id']}/refund", method="7", reference="re 1")["record"]
    assert (back["total"], back["memo"]) == ("6.0", "re 1")
    assert back["applyList"][0]["doc"] == credit["id"]
    assert ns.get("creditMemo", credit["id"])["status"] == "Fully Applied"
    deposit = act(ns, f"orders/{sold(ns)}/pay", amount="12")
    back = act(ns, f"deposits/{deposit['id']}/refund")["record"]
    assert back["depositList"][0]["doc"] == deposit["id"]
    assert ns.http.post(f"/_sandbox/deposits/{deposit['id']}/refund").status_code == 422


def test_a_cash_sale_and_its_money_back(ns):
    number = sold(ns, line("10", "10.00"))
    act(ns, f"orders/{number}/ship")
    sale = act(ns, f"orders/{number}/receipt", method="7")["record"]
    assert (sale["total"], sale["createdFrom"]["id"]) == ("120.0", number)
    ns.tick(3600)
    part = act(ns, f"receipts/{sale['internalId']}/refund", amount="24")
    record = ns.get("cashRefund", part["id"])
    assert (record["total"], record["createdFrom"]) == ("24.0", sale["internalId"])
    assert (record["paymentMethod"], record["tranId"]) == ("7", "CR1001")
    lines = [{"sku": "COLA330-C24", "quantity": 3}]
    rest = act(ns, f"receipts/{sale['internalId']}/refund", lines=lines)
    assert ns.get("cashRefund", rest["id"])["itemList"][0]["orderLine"] == "1"
    too_many = {"lines": [{"sku": "COLA330-C24", "quantity": 8}]}
    again = ns.http.post(f"/_sandbox/receipts/{sale['internalId']}/refund", json=too_many)
    assert again.status_code == 422
    basic = within(ns, "lastModifiedDate", 30) + KIND.format("_cashRefund")
    assert found(ns.search("Transaction", basic)) == [part["id"], rest["id"]]


def test_an_integration_pays_back_too(ns):
    number = sold(ns, line("10", "10.00"))
    act(ns, f"orders/{number}/ship")
    sale = act(ns, f"orders/{number}/receipt")["id"]
    made = ns.made("add", "CashRefund", f'<t:createdFrom internalId="{sale}"/>', externalId="re:1")
    assert ns.get("cashRefund", made)["total"] == "120.0"
    assert ns.sandbox.accepted["cashrefund created"] == 1
    bare = '<t:entity externalId="cust:corner"/><t:itemList/>'
    assert ns.refused("add", "CashRefund", bare).code == "MISSING_REQD_FLD"


# What the script posts


def test_a_saved_record_is_told_thinly_and_signed(told):
    number = sold(told)
    (delivery,) = told.deliveries
    body = json.loads(delivery.body)
    assert list(body) == ["event", "delivery_id", "type", "id"]
    # Scripts write types in small letters.
    assert (body["event"], body["type"], body["id"]) == ("record.changed", "salesorder", number)
    second = str(int(told.now.timestamp()))
    assert delivery.headers == {
        "Content-Type": "application/json",
        "X-Fizz-Timestamp": second,
        "X-Fizz-Signature": sign("fizz_hook_sandbox_secret", second, delivery.body),
    }
    assert delivery.uri == HOOK


def test_only_the_record_that_was_saved_is_told_of(told):
    invoice = billed(told)
    act(told, f"invoices/{invoice}/pay")
    act(told, "items/COLA330-C24/stock", quantity=5)
    kinds = [json.loads(one.body)["type"] for one in told.deliveries]
    assert kinds == [
        "salesorder",
        "itemfulfillment",
        "invoice",
        "customerpayment",
    ]


def test_where_the_script_is_deployed_on_adjustments_a_count_is_told():
    ns = NetSuite(webhook_uri=HOOK, webhook_types=["inventoryAdjustment"])
    act(ns, "items/COLA330-C24/stock", quantity=5)
    (body,) = ns.bodies()
    assert body["type"] == "inventoryadjustment"
    (row,) = ns.get("inventoryAdjustment", body["id"])["inventoryList"]
    assert (row["item"], row["location"]) == (COLA, "1")
    act(ns, "items/COLA330-C24/stock", quantity=5)
    assert len(ns.bodies()) == 1


def test_people_and_integrations_are_told_of_alike(told):
    number = sold(told)
    act(told, f"orders/{number}/edit", memo="x")
    act(told, "items/COLA330-C24/price", price="11")
    act(told, f"customers/{CORNER}/block")
    act(told, f"orders/{number}/delete")
    heard = [(one["event"], one["type"], one["id"]) for one in told.bodies()]
    assert heard == [
        ("record.changed", "salesorder", number),
        ("record.changed", "salesorder", number),
        ("record.changed", "inventoryitem", COLA),
        ("record.changed", "customer", CORNER),
        ("record.deleted", "salesorder", number),
    ]
    assert len({one["delivery_id"] for one in told.bodies()}) == 5


def test_scripts_sleep_when_a_request_says_so_and_on_other_records(told):
    told.made("upsert", "Customer", CAFE, SILENT, externalId="cust:corner")
    told.made("add", "Contact", "<l:firstName>Ada</l:firstName><l:lastName>Quill</l:lastName>")
    told.refused("add", "SalesOrder", "<s:memo>x</s:memo>")
    assert told.deliveries == []


def test_a_notice_is_tried_once_and_signed_anew(told):
    sold(told)
    answers = iter((503, 200))
    told.sandbox.outbox.post = lambda _: next(answers)
    (delivery,) = told.deliveries
    first = delivery.headers["X-Fizz-Signature"]
    told.tick(400)
    assert told.sandbox.outbox.send([delivery.id]) == [503]
    assert delivery.headers["X-Fizz-Signature"] != first
    assert told.sandbox.outbox.pauses == ()


def test_the_seed_has_an_address_and_a_reset_brings_it_back():
    ns = NetSuite(webhook_uri=HOOK, customers=[{"companyName": "Bar", "subsidiary": "1"}])
    assert ns.deliveries == []
    ns.made("upsert", "Customer", CAFE, externalId="cust:corner")
    assert ns.topics() == ["record.changed"]
    ns.http.put("/_sandbox/webhook_uri", json={"uri": ""})
    ns.http.post("/_sandbox/reset")
    assert ns.deliveries == []
    ns.made("upsert", "Customer", CAFE, externalId="cust:corner")
    assert [one.uri for one in ns.deliveries] == [HOOK]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("items/NOPE/receive", {"quantity": 1}, 404),
        ("items/COLA330-C24/receive", {"quantity": 0}, 422),
        ("items/COLA330-C24/receive", {"quantity": 1, "location": "99"}, 404),
        ("items/COLA330-C24/move", {"quantity": 1}, 422),
        ("items/COLA330-C24/move", {"quantity": -1, "to": "2"}, 422),
        ("customers/730/pay", {"invoices": ["99"]}, 404),
        ("customers/730/pay", {}, 422),
        ("items/NOPE/block", {}, 404),
    ],
)
def test_what_people_cannot_do_changes_nothing(told, path, body, status):
    before = told.get("inventoryItem", COLA)
    answer = told.http.post(f"/_sandbox/{path}", json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert told.get("inventoryItem", COLA) == before
    assert told.deliveries == []


# Fixtures


def test_every_kind_the_script_is_deployed_on_has_a_fixture():
    kinds = {json.loads(json.loads(path.read_text())["body"])["type"] for path in FIXTURES}
    wanted = {SCRIPTED.get(kind, kind.lower()) for kind in SEED["webhook_types"]}
    assert kinds - {"vendorbill", "itemreceipt", "inventoryadjustment"} == wanted
    assert set(SEED["webhook_types"]) <= make().store.writes.savers.keys()


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_what_the_script_posts(path):
    fixture = json.loads(path.read_text())
    assert list(fixture) == ["description", "origin", "api_version", "headers", "body"]
    assert set(fixture["headers"]) == {"Content-Type", "X-Fizz-Timestamp"}
    body = json.loads(fixture["body"])
    assert {"event", "delivery_id", "type", "id"} <= body.keys()
    assert body["event"] == path.stem.partition("__")[0].replace("_", ".")
    assert all(isinstance(body[name], str) for name in ("delivery_id", "type", "id"))


def test_it_counts_how_hard_it_is_driven(ns):
    for _ in range(3):
        ns.get("customer", CORNER)
    load = {"peak_parallel": 1, "peak_per_minute": 3, "refused": 0}
    assert ns.http.get("/_sandbox/load").json() == load
    # The account's own other calls are set by the same path.
    assert ns.http.put("/_sandbox/load", json={"busy": 5}).json()["busy"] == 5
    ns.http.post("/_sandbox/reset")
    assert ns.http.get("/_sandbox/load").json() == dict.fromkeys(load, 0)
