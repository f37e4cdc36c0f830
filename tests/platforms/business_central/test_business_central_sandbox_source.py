"""What a source reads of the Business Central sandbox: goods, prices, credit and money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from platforms.business_central.sandbox_fields import ENTITIES
from tests.platforms.business_central.business_central_world import BusinessCentral, line, world

DAY = 86400


@pytest.fixture
def bc() -> BusinessCentral:
    return world()


def entries(bc: BusinessCentral, after: int) -> list[tuple[int, str, Decimal]]:
    """Stock movements as a source polls them."""
    wanted = f"entryNumber gt {after}"
    rows = bc.rows("itemLedgerEntries", filter=wanted, orderby="entryNumber")
    return [(row["entryNumber"], row["entryType"], row["quantity"]) for row in rows]


def changed(bc: BusinessCentral, name: str, since: str) -> list[str]:
    """The numbers of what changed since."""
    wanted = f"lastModifiedDateTime gt {since}"
    rows = bc.rows(name, filter=wanted, orderby="lastModifiedDateTime asc")
    return [row["number"] for row in rows]


def test_goods_come_in_and_go_elsewhere(bc):
    bc.subscribe("items")
    before = bc.item("TONIC-12")
    bc.tick()
    bc.act("items/TONIC-12/receive", {"quantity": 24, "location": "MAIN"})
    assert bc.item("TONIC-12")["inventory"] == 84
    bc.act("items/TONIC-12/move", {"quantity": 10, "from": "MAIN"})
    assert bc.item("TONIC-12")["inventory"] == 84
    assert entries(bc, 2) == [(3, "Purchase", 24), (4, "Transfer", -10), (5, "Transfer", 10)]
    assert bc.item("TONIC-12")["lastModifiedDateTime"] == before["lastModifiedDateTime"]
    assert bc.told() == []
    bc.act("items/TONIC-12/stock", {"quantity": 0, "location": "MAIN"})
    assert bc.item("TONIC-12")["inventory"] == 70


def test_the_place_of_a_movement_is_nowhere_to_be_read(bc):
    names = [*ENTITIES["itemLedgerEntries"].fields, *ENTITIES["items"].fields]
    assert [name for name in names if "location" in name.lower()] == []
    (entry, *_) = bc.rows("itemLedgerEntries")
    assert [name for name in entry if "location" in name.lower()] == []


def test_nobody_can_read_a_price_list_or_the_customers_ledger(bc):
    for name in ("salesPrices", "priceLists", "customerLedgerEntries", "inventoryByLocation"):
        assert bc.refused("GET", name) == (404, "BadRequest_ResourceNotFound")


def test_prices_blocks_and_limits_are_polled_and_told(bc):
    for name in ("items", "customers"):
        bc.subscribe(name)
    since = bc.customer()["lastModifiedDateTime"]
    bc.tick()
    bc.act("items/COLA330-C24/price", {"price": "0.45"})
    bc.act("items/TONIC-12/block")
    bc.act("customers/C-2077/edit", {"creditLimit": 2500})
    assert changed(bc, "items", since) == ["COLA330-C24", "TONIC-12"]
    assert changed(bc, "customers", since) == ["C-2077"]
    assert bc.item()["unitPrice"] == Decimal("0.45")
    assert bc.item("TONIC-12")["blocked"] is True
    assert bc.customer()["creditLimit"] == 2500
    assert sorted(bc.topics()[0].split(",")) == ["customers.updated", "items.updated"]


def test_what_is_overdue_grows_with_the_days_alone(bc):
    bc.billed(line(quantity=100), invoiceDate="2026-11-20")
    before = bc.customer()
    (details,) = bc.rows(f"customers({before['id']})/customerFinancialDetails")
    assert (details["balance"], details["overdueAmount"]) == (48, 0)
    bc.tick(40 * DAY)
    bc.token = bc.ask_token().json()["access_token"]
    (details,) = bc.rows(f"customers({before['id']})/customerFinancialDetails")
    assert (details["balance"], details["overdueAmount"]) == (48, 48)
    assert details["lastModifiedDateTime"] == before["lastModifiedDateTime"]
    (shown,) = bc.rows("customers", expand="customerFinancialDetails")
    assert shown["customerFinancialDetails"][0]["overdueAmount"] == 48
    assert bc.customer() == before


def test_a_payment_makes_an_invoice_paid_and_tells_so(bc):
    bc.subscribe("salesInvoices")
    bc.subscribe("customers")
    invoice = bc.billed(line(quantity=100))
    bc.tick(60)
    bc.act(f"salesInvoices/{invoice['number']}/pay", {"amount": "8"})
    part = bc.get(f"salesInvoices({invoice['id']})")
    assert (part["status"], part["remainingAmount"]) == ("Open", 40)
    bc.tick(60)
    bc.act(f"salesInvoices/{invoice['number']}/pay")
    paid = bc.get(f"salesInvoices({invoice['id']})")
    assert (paid["status"], paid["remainingAmount"]) == ("Paid", 0)
    assert changed(bc, "salesInvoices", part["lastModifiedDateTime"]) == [invoice["number"]]
    assert bc.topics()[-2:] == ["salesInvoices.updated"] * 2


def test_a_credit_memo_is_paid_out(bc):
    invoice = bc.billed(line(quantity=100))
    bc.act(f"salesInvoices/{invoice['id']}/pay")
    memo = bc.act(f"salesInvoices/{invoice['id']}/credit", {"amount": "5.00"})["record"]
    assert (memo["status"], memo["totalAmountIncludingTax"]) == ("Open", 5)
    assert bc.customer()["balanceDue"] == -5
    bc.subscribe("salesCreditMemos")
    bc.tick()
    part = bc.act(f"salesCreditMemos/{memo['id']}/pay", {"amount": "2"})["record"]
    assert (part["status"], bc.customer()["balanceDue"]) == ("Open", -3)
    rest = bc.act(f"salesCreditMemos/{memo['number']}/pay", {"reference": "BACS 7"})["record"]
    assert (rest["status"], bc.customer()["balanceDue"]) == ("Paid", 0)
    assert "remainingAmount" not in rest
    assert bc.topics() == ["salesCreditMemos.updated"]


def test_a_delivery_is_polled_and_has_no_tracking_number(bc):
    order = bc.order(line(quantity=6))
    bc.tick()
    bc.act(f"salesOrders/{order['id']}/ship", {"carrier": "VAN", "tracking": "FZ-0001"})
    since = order["lastModifiedDateTime"]
    (shipment,) = bc.rows(
        "salesShipments", filter=f"lastModifiedDateTime gt {since}", expand="salesShipmentLines"
    )
    assert shipment["orderNumber"] == order["number"]
    assert [one["quantity"] for one in shipment["salesShipmentLines"]] == [6]
    assert "FZ-0001" not in str(shipment)


@pytest.mark.parametrize(
    ("path", "draft"),
    [
        ("items/TONIC-12/receive", {}),
        ("items/TONIC-12/receive", {"quantity": 0}),
        ("items/TONIC-12/receive", {"quantity": 1, "location": "NOPE"}),
        ("items/TONIC-12/move", {"quantity": -1, "to": "MAIN"}),
        ("items/TONIC-12/move", {"quantity": 1, "to": "NOPE"}),
        ("items/TONIC-12/move", {"quantity": 1, "zzz": 1}),
        ("salesCreditMemos/{}/pay", {"amount": "6"}),
        ("salesCreditMemos/{}/pay", {"amount": "0"}),
    ],
)
def test_wrong_acts_change_nothing(bc, path, draft):
    invoice = bc.billed(line(quantity=100))
    bc.act(f"salesInvoices/{invoice['id']}/pay")
    memo = bc.act(f"salesInvoices/{invoice['id']}/credit", {"amount": "5.00"})["record"]
    before = bc.item("TONIC-12"), entries(bc, 0), bc.rows("salesCreditMemos")
    answer = bc.http.post(f"/_sandbox/{path.format(memo['id'])}", json=draft)
    assert answer.status_code == 422
    assert (bc.item("TONIC-12"), entries(bc, 0), bc.rows("salesCreditMemos")) == before


def test_what_is_paid_out_is_not_paid_again(bc):
    invoice = bc.billed(line(quantity=100))
    bc.act(f"salesInvoices/{invoice['id']}/pay")
    memo = bc.act(f"salesInvoices/{invoice['id']}/credit", {"amount": "5.00"})["record"]
    bc.act(f"salesCreditMemos/{memo['id']}/pay")
    assert bc.http.post(f"/_sandbox/salesCreditMemos/{memo['id']}/pay").status_code == 422


def test_it_counts_how_hard_it_is_driven(bc):
    before = bc.http.get("/_sandbox/load").json()["peak_per_minute"]
    bc.item()
    load = {"peak_parallel": 1, "peak_per_minute": before + 1, "refused": 0}
    assert bc.http.get("/_sandbox/load").json() == load
    bc.http.post("/_sandbox/reset")
    assert bc.http.get("/_sandbox/load").json() == dict.fromkeys(load, 0)
