"""What a source reads of the Xero sandbox since a moment, and what it is told and what not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.platforms.xero.xero_world import Xero

ASCENDING = "UpdatedDateUTC ASC"
KEYS = {
    "Invoices": "InvoiceNumber",
    "CreditNotes": "CreditNoteNumber",
    "Payments": "PaymentID",
    "Overpayments": "OverpaymentID",
    "Contacts": "ContactNumber",
    "Items": "Code",
}


@pytest.fixture
def xero() -> Xero:
    xero = Xero()
    xero.tick(300)
    return xero


def changed(xero: Xero, collection: str, seconds: int = 60, **query: Any) -> list[str]:
    """What changed lately, oldest first, as a poll has it."""
    since = f"{xero.now - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"
    asked = {"page": 1, "order": ASCENDING} | query
    rows = xero.get(f"/{collection}", headers={"If-Modified-Since": since}, **asked)[collection]
    return [row[KEYS[collection]] for row in rows]


def contact(xero: Xero) -> str:
    (row,) = xero.get("/Contacts")["Contacts"]
    return str(row["ContactID"])


def bill(xero: Xero, sku: str, quantity: int) -> Any:
    """A supplier's bill."""
    bought = {"ItemCode": sku, "Description": sku, "Quantity": quantity, "UnitAmount": 50}
    lines = [bought | {"AccountCode": "630", "TaxType": "NONE"}]
    return xero.act(f"contacts/{contact(xero)}/invoice", {"Type": "ACCPAY", "lines": lines})


# Goods


def test_a_price_is_polled_and_told_to_nobody(xero):
    assert changed(xero, "Items") == []
    xero.act("items/COLA330-C24/price", {"price": "13.25"})
    assert changed(xero, "Items") == ["COLA330-C24"]
    (item,) = xero.get("/Items/COLA330-C24")["Items"]
    assert item["SalesDetails"]["UnitPrice"] == 13.25
    assert xero.events() == []


def test_stock_moves_with_bills_and_sales_and_the_item_does_not(xero):
    made = bill(xero, "KEG30", 12)
    (item,) = xero.get("/Items/KEG30")["Items"]
    assert (item["QuantityOnHand"], item["IsTrackedAsInventory"]) == (12.0, True)
    assert changed(xero, "Items") == []
    # A supplier's bill comes by the same category and list as a customer's invoice.
    (event,) = xero.events()
    assert (event["eventCategory"], event["resourceId"]) == ("INVOICE", made["id"])
    assert xero.get(f"/Invoices/{made['id']}")["Invoices"][0]["Type"] == "ACCPAY"
    assert len(xero.get("/Invoices", where='Type=="ACCREC"')["Invoices"]) == 0
    xero.act("items/KEG30/stock", {"quantity": 10})
    assert changed(xero, "Items") == ["KEG30"]
    (untracked,) = xero.get("/Items/COLA330-C24")["Items"]
    assert (untracked["IsTrackedAsInventory"], "QuantityOnHand" in untracked) == (False, False)


def test_an_item_that_is_gone_is_in_no_list(xero):
    xero.act("items/COLA330-C24/delete")
    assert changed(xero, "Items", 3600) == ["KEG30"]
    assert xero.call("GET", "/Items/COLA330-C24").status_code == 404
    assert xero.events() == []


# Contacts


def test_what_a_contact_owes_is_no_change_and_there_is_no_limit(xero):
    xero.invoice()
    own = contact(xero)
    assert changed(xero, "Contacts") == []
    (row,) = xero.get(f"/Contacts/{own}")["Contacts"]
    assert row["Balances"]["AccountsReceivable"] == {"Outstanding": 30.0, "Overdue": 0.0}
    assert [name for name in row if "credit" in name.lower()] == []
    xero.act(f"contacts/{own}/edit", {"FirstName": "Ada"})
    assert changed(xero, "Contacts") == ["shop:881"]


def test_an_archived_contact_is_polled_only_when_asked_for(xero):
    xero.act(f"contacts/{contact(xero)}/block")
    assert changed(xero, "Contacts") == []
    assert changed(xero, "Contacts", includeArchived="true") == ["shop:881"]
    (event,) = xero.events()
    assert (event["eventCategory"], event["eventType"]) == ("CONTACT", "UPDATE")


# Money


def test_a_payment_changes_its_invoice_and_has_no_event_of_its_own(xero):
    made = xero.invoice(InvoiceNumber="WEB-1")
    xero.tick(300)
    xero.act(f"invoices/{made['InvoiceID']}/pay", {"amount": "10", "reference": "BACS 1"})
    xero.tick(5)
    xero.act(f"invoices/{made['InvoiceID']}/pay", {"reference": "BACS 2"})
    assert changed(xero, "Invoices") == ["WEB-1"]
    payments = changed(xero, "Payments")
    rows = [xero.get(f"/Payments/{own}")["Payments"][0] for own in payments]
    assert [(row["Reference"], row["Amount"]) for row in rows] == [
        ("BACS 1", 10.0),
        ("BACS 2", 20.0),
    ]
    assert {row["Invoice"]["InvoiceNumber"] for row in rows} == {"WEB-1"}
    assert [event["eventType"] for event in xero.events()] == ["CREATE", "UPDATE", "UPDATE"]
    assert {event["eventCategory"] for event in xero.events()} == {"INVOICE"}
    (invoice,) = xero.get(f"/Invoices/{made['InvoiceID']}")["Invoices"]
    assert (invoice["Status"], invoice["AmountDue"]) == ("PAID", 0.0)
    assert [one["PaymentID"] for one in invoice["Payments"]] == payments


def test_a_payment_taken_back_is_polled_as_deleted(xero):
    made = xero.invoice()
    own = xero.pay(made, 30)["PaymentID"]
    xero.tick(300)
    xero.act(f"payments/{own}/cancel")
    assert changed(xero, "Payments") == [own]
    assert xero.get(f"/Payments/{own}")["Payments"][0]["Status"] == "DELETED"
    assert xero.events()[-1]["eventType"] == "UPDATE"


def test_a_credit_note_is_paid_out(xero):
    made = xero.invoice(InvoiceNumber="WEB-1")
    xero.act(f"invoices/{made['InvoiceID']}/pay")
    note = xero.act(f"invoices/{made['InvoiceID']}/credit", {"amount": "6"})["record"]
    assert (note["Status"], note["RemainingCredit"]) == ("AUTHORISED", 6.0)
    xero.tick(300)
    own = note["CreditNoteID"]
    paid = xero.act(f"creditnotes/{own}/pay", {"reference": "re 1"})["record"]
    assert (paid["Status"], paid["RemainingCredit"]) == ("PAID", 0.0)
    assert changed(xero, "CreditNotes") == [note["CreditNoteNumber"]]
    assert changed(xero, "Invoices") == []
    (payment,) = changed(xero, "Payments")
    (row,) = xero.get(f"/Payments/{payment}")["Payments"]
    assert (row["PaymentType"], row["Reference"]) == ("ARCREDITPAYMENT", "re 1")
    assert row["CreditNote"]["CreditNoteID"] == own
    last = xero.events()[-1]
    assert (last["eventCategory"], last["data"]["Status"]) == ("CREDITNOTE", "PAID")


def test_money_for_no_invoice_waits_and_goes_back(xero):
    xero.act(f"contacts/{contact(xero)}/pay", {"amount": "25", "reference": "BACS 3"})
    (own,) = changed(xero, "Overpayments")
    assert xero.events() == []
    xero.tick(300)
    back = xero.act(f"overpayments/{own}/pay", {"amount": "25"})["record"]
    assert back["Status"] == "PAID"
    assert changed(xero, "Overpayments") == [own]
    assert len(changed(xero, "Payments")) == 1
    xero.act(f"overpayments/{own}/pay", {}, status=422)
    xero.act(f"contacts/{contact(xero)}/pay", {"amount": "0"}, status=422)
    xero.act(f"contacts/{contact(xero)}/pay", {}, status=422)


def test_pages_of_what_changed_are_in_the_order_asked_for(xero):
    for number in range(5):
        xero.tick(1)
        xero.invoice(InvoiceNumber=f"WEB-{number}")
    first = xero.get("/Invoices/WEB-0")["Invoices"][0]
    xero.tick(1)
    xero.pay(first, 1)
    pages = [changed(xero, "Invoices", page=page, pageSize=2) for page in (1, 2, 3, 4)]
    assert pages == [["WEB-1", "WEB-2"], ["WEB-3", "WEB-4"], ["WEB-0"], []]


def test_it_counts_how_hard_it_is_driven(xero):
    for _ in range(3):
        contact(xero)
    load = {"peak_parallel": 1, "peak_per_minute": 3, "refused": 0}
    assert xero.http.get("/_sandbox/load").json() == load
    xero.http.post("/_sandbox/reset")
    assert xero.http.get("/_sandbox/load").json() == dict.fromkeys(load, 0)
