"""What a source reads of the QuickBooks sandbox, by change capture and by query, and is told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.platforms.quickbooks.quickbooks_world import (
    COLA,
    CUSTOMER,
    HOOK,
    OTHER,
    TONIC,
    Books,
    decimals,
    form,
    last,
    sale,
)

KINDS = "Invoice,SalesReceipt,Payment,CreditMemo,RefundReceipt,Customer,Item"


@pytest.fixture
def books() -> Books:
    books = Books(webhook_uri=HOOK)
    books.tick(300)
    return books


def act(books: Books, path: str, **draft: Any) -> Any:
    answer = books.control("POST", path, draft)
    assert answer.status_code == 200, answer.text
    return decimals(answer)["record"]


def ago(books: Books, seconds: int) -> str:
    return f"{books.now - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def captured(books: Books, seconds: int = 30) -> list[tuple[str, str]]:
    """What changed lately: kind and id, as change data capture has them."""
    answer = books.call("GET", "cdc", entities=KINDS, changedSince=ago(books, seconds))
    assert answer.status_code == 200, answer.text
    groups = answer.json()["CDCResponse"][0]["QueryResponse"]
    assert len(groups) == len(KINDS.split(","))
    names = ("startPosition", "maxResults", "totalCount")
    return [
        (kind, row["Id"])
        for group in groups
        for kind, rows in group.items()
        if kind not in names
        for row in rows
    ]


def queried(books: Books, kind: str, seconds: int = 30) -> list[str]:
    """The ids of one kind that changed lately, as a query has them."""
    where = f"where MetaData.LastUpdatedTime >= '{ago(books, seconds)}'"
    order = "orderby MetaData.LastUpdatedTime startposition 1"
    found = books.query(" ".join(("select * from", kind, where, order)))
    return [row["Id"] for row in found.get(kind, [])]


def told(books: Books) -> list[tuple[str, str]]:
    return [(event["type"], event["intuitentityid"]) for body in books.bodies() for event in body]


# Goods


def test_a_price_and_an_archived_item_are_captured_and_told(books):
    act(books, "items/COLA330-C24/price", price="13.20")
    act(books, f"item/{TONIC}/block")
    assert captured(books) == [("Item", COLA), ("Item", TONIC)]
    assert [name for name, _ in told(books)] == ["qbo.item.updated.v1"] * 2
    # A query leaves what is archived out unless it asks for it.
    assert queried(books, "Item") == [COLA]
    both = books.query("select * from Item where Active IN (true, false)")["Item"]
    assert {row["Id"]: row["Active"] for row in both}[TONIC] is False
    assert books.get("Item", COLA)["UnitPrice"] == Decimal("13.2")


def test_stock_moves_with_sales_and_purchases_and_tells_nobody(books):
    books.post("Invoice", form(sale(28.2, item=TONIC, Qty=3, UnitPrice=9.4)))
    act(books, "items/TONIC-12/receive", quantity=12)
    assert books.get("Item", TONIC)["QtyOnHand"] == 49
    assert ("Item", TONIC) not in captured(books)
    assert [name for name, _ in told(books)] == ["qbo.invoice.created.v1"]
    act(books, "items/TONIC-12/stock", quantity=50)
    assert captured(books)[-1] == ("Item", TONIC)


# Customers


def test_what_a_customer_owes_is_no_change_and_there_is_no_limit(books):
    made = books.post("Invoice", form())
    customer = books.get("Customer", CUSTOMER)
    assert customer["Balance"] == made["TotalAmt"] == 30
    assert captured(books) == [("Invoice", made["Id"])]
    limited = last(customer, sparse=True, CreditLimit=500)
    assert books.refused("Customer", limited) == "2010"
    act(books, f"customer/{CUSTOMER}/edit", Notes="pays late")
    assert queried(books, "Customer") == [CUSTOMER]
    assert told(books)[-1] == ("qbo.customer.updated.v1", CUSTOMER)


# Money


def test_a_payment_is_captured_with_the_invoice_it_pays(books):
    made = books.post("Invoice", form())
    books.tick(300)
    paid = act(books, f"invoice/{made['Id']}/pay", amount="12.50", reference="BACS 9")
    assert paid["Line"][0]["LinkedTxn"] == [{"TxnId": made["Id"], "TxnType": "Invoice"}]
    assert (paid["TotalAmt"], paid["UnappliedAmt"]) == (Decimal("12.5"), 0)
    assert captured(books) == [("Invoice", made["Id"]), ("Payment", paid["Id"])]
    assert queried(books, "Payment") == [paid["Id"]]
    assert sorted(told(books)[1:]) == [
        ("qbo.invoice.updated.v1", made["Id"]),
        ("qbo.payment.created.v1", paid["Id"]),
    ]
    assert books.get("Invoice", made["Id"])["Balance"] == Decimal("17.5")


def test_one_payment_of_several_invoices_and_something_over(books):
    first, second = (books.post("Invoice", form()) for _ in range(2))
    books.tick(300)
    invoices = [first["Id"], second["Id"]]
    paid = act(books, f"customer/{CUSTOMER}/pay", invoices=invoices, amount="70", reference="B 1")
    links = [(one["LinkedTxn"][0]["TxnId"], one["Amount"]) for one in paid["Line"]]
    assert links == [(first["Id"], 30), (second["Id"], 30)]
    assert (paid["UnappliedAmt"], paid["PaymentRefNum"]) == (10, "B 1")
    assert books.get("Customer", CUSTOMER)["Balance"] == -10
    assert captured(books) == [*(("Invoice", one) for one in invoices), ("Payment", paid["Id"])]


def test_money_on_account_and_its_end(books):
    paid = act(books, f"customer/{CUSTOMER}/pay", amount="25")
    assert (paid["Line"], paid["UnappliedAmt"]) == ([], 25)
    books.tick(300)
    act(books, f"payment/{paid['Id']}/cancel")
    assert captured(books) == [("Payment", paid["Id"])]
    assert books.get("Payment", paid["Id"])["PrivateNote"] == "Voided"
    act(books, f"payment/{paid['Id']}/delete")
    answer = books.call("GET", "cdc", entities="Payment", changedSince="2026-11-20T00:00:00Z")
    (group,) = answer.json()["CDCResponse"][0]["QueryResponse"]
    assert [(row["Id"], row["status"]) for row in group["Payment"]] == [(paid["Id"], "Deleted")]
    assert [name for name, _ in told(books)][1:] == [
        "qbo.payment.voided.v1",
        "qbo.payment.deleted.v1",
    ]


def test_money_goes_back_for_an_invoice_and_for_a_receipt(books):
    invoice = books.post("Invoice", form())
    receipt = books.post("SalesReceipt", form())
    books.tick(300)
    back = act(books, f"invoice/{invoice['Id']}/refund", amount="5", reference="re 1")
    assert (back["TotalAmt"], back["PaymentRefNum"], back["LinkedTxn"]) == (5, "re 1", [])
    lines = [{"sku": "COLA330-C24", "quantity": 1}]
    part = act(books, f"salesreceipt/{receipt['Id']}/refund", lines=lines)
    assert part["TotalAmt"] == 15
    assert captured(books) == [("RefundReceipt", back["Id"]), ("RefundReceipt", part["Id"])]
    # Of what changed in the same second the vendor promises no order.
    assert sorted(queried(books, "RefundReceipt")) == [back["Id"], part["Id"]]
    # The books tie no refund to what it is for.
    assert books.get("Invoice", invoice["Id"])["Balance"] == 30


def test_a_credit_used_on_an_invoice_is_a_payment_of_nothing(books):
    invoice = books.post("Invoice", form())
    books.tick(300)
    memo = act(books, f"invoice/{invoice['Id']}/credit", amount="6", apply=True)
    assert (memo["TotalAmt"], memo["RemainingCredit"]) == (6, 0)
    (payment,) = books.all("Payment")
    assert payment["TotalAmt"] == 0
    links = [one["LinkedTxn"][0]["TxnType"] for one in payment["Line"]]
    assert links == ["Invoice", "CreditMemo"]
    assert captured(books) == [
        ("Invoice", invoice["Id"]),
        ("Payment", payment["Id"]),
        ("CreditMemo", memo["Id"]),
    ]


def test_a_delivery_is_noted_on_the_invoice(books):
    invoice = books.post("Invoice", form())
    books.tick(300)
    act(books, f"invoice/{invoice['Id']}/ship", carrier="Dray", tracking="FZ-1")
    assert captured(books) == [("Invoice", invoice["Id"])]
    assert books.get("Invoice", invoice["Id"])["TrackingNum"] == "FZ-1"


@pytest.mark.parametrize(
    ("path", "draft"),
    [
        ("items/TONIC-12/receive", {}),
        ("items/TONIC-12/receive", {"quantity": 0}),
        ("items/COLA330-C24/receive", {"quantity": 1}),
        ("items/LEMON/receive", {"quantity": 1}),
        (f"customer/{CUSTOMER}/pay", {}),
        (f"customer/{CUSTOMER}/pay", {"invoices": ["999"]}),
        (f"customer/{OTHER}/pay", {"invoices": ["101"]}),
        ("invoice/101/refund", {"amount": "0"}),
        ("invoice/101/refund", {"lines": [{"sku": "LEMON", "quantity": 1}]}),
    ],
)
def test_wrong_acts_change_nothing(books, path, draft):
    assert books.post("Invoice", form())["Id"] == "101"
    before = captured(books, 7200), told(books), books.get("Item", TONIC)
    answer = books.control("POST", path, draft)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert (captured(books, 7200), told(books), books.get("Item", TONIC)) == before


def test_it_counts_how_hard_it_is_driven(books):
    for _ in range(3):
        books.get("Item", TONIC)
    load = {"peak_parallel": 1, "peak_per_minute": 3, "refused": 0}
    assert books.control("GET", "load").json() == load
    books.control("POST", "reset")
    assert books.control("GET", "load").json() == dict.fromkeys(load, 0)
