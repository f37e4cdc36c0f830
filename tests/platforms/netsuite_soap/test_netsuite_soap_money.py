"""Payments, deposits, cash sales and refunds, as NetSuite tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge.model.documents import SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.netsuite_soap import money
from platforms.netsuite_soap.reading import Known
from platforms.netsuite_soap.wire import Transaction
from tests.kit.orders import line
from tests.platforms.netsuite_soap.netsuite_soap_desk import AT, Desk
from tests.platforms.netsuite_soap.netsuite_soap_orders import connection, view

COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
GROSS = Decimal("55.01")


@pytest.fixture
def desk():
    return Desk()


def order_of(number):
    return ref(Kind.ORDER, "erp", number)


def billed(desk):
    """An order, shipped and billed."""
    order = desk.export(view(COLA), f"shop-uk/{desk.time:%H%M%S}")
    desk.time += timedelta(minutes=10)
    desk.act(f"orders/{order}/ship")
    return order, desk.act(f"orders/{order}/invoice")


def amounts(told):
    return {one.ref.external_id: one.body and (one.parent, one.body.amount) for one in told}


# -- payments --------------------------------------------------------------------------------------


def test_a_payment_of_an_invoice_is_of_its_order(desk):
    order, bill = billed(desk)
    at = desk.time
    paid = desk.act(f"invoices/{bill}/pay", amount="50.00")
    (seen,) = desk.of(Kind.PAYMENT)
    assert (seen.ref, seen.parent) == (ref(Kind.PAYMENT, "erp", paid), order_of(order))
    assert (seen.changed, seen.part) == (at, Part.RECORD)
    assert seen.refetch == Hint("payment", paid)
    body = seen.body
    assert (body.order, body.amount, body.currency) == (order_of(order), 50, "GBP")
    assert (body.at, body.status) == (at, SettlementStatus.SETTLED)
    again = desk.fetch(seen.refetch)
    assert seen in again
    # What it pays is read to know whose it is, and told with it.
    assert {one.ref.kind for one in again} == {Kind.PAYMENT, Kind.INVOICE, Kind.ORDER}


def test_a_payment_of_several_invoices_is_one_for_each(desk):
    first, one = billed(desk)
    second, other = billed(desk)
    since = desk.time
    paid = desk.act(f"customers/{desk.customer}/pay", invoices=[one, other], amount="150.00")
    told = desk.of(Kind.PAYMENT, span=Span(since))
    assert amounts(told) == {
        f"{paid}:{one}": (order_of(first), GROSS),
        f"{paid}:{other}": (order_of(second), GROSS),
    }
    assert {seen.refetch for seen in told} == {Hint("payment", paid)}


def test_money_that_pays_nothing_yet_is_of_no_order(desk):
    billed(desk)
    desk.act(f"customers/{desk.customer}/pay", amount="30.00")
    assert desk.of(Kind.PAYMENT) == []


def test_a_payment_that_was_deleted(desk):
    _, bill = billed(desk)
    paid = desk.act(f"invoices/{bill}/pay")
    (seen,) = desk.of(Kind.PAYMENT)
    desk.act(f"payments/{paid}/delete")
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body, gone.part) == (seen.ref, None, Part.RECORD)
    (again,) = desk.fetch(seen.refetch)
    assert (again.ref, again.body) == (seen.ref, None)


def test_a_deposit_is_of_the_order_it_is_for(desk):
    order = desk.place(COLA)
    paid = desk.act(f"orders/{order}/pay", amount="20.00")
    (seen,) = desk.of(Kind.PAYMENT)
    assert (seen.ref.external_id, seen.parent) == (paid, order_of(order))
    assert (seen.body.amount, seen.refetch) == (20, Hint("deposit", paid))
    back = desk.act(f"deposits/{paid}/refund", amount="5.00")
    (refund,) = desk.of(Kind.REFUND)
    assert (refund.ref.external_id, refund.parent) == (back, order_of(order))
    assert refund.body.amount == 5


def test_a_cash_sale_is_an_invoice_and_a_payment(desk):
    order = desk.place(COLA)
    desk.act(f"orders/{order}/ship")
    at = desk.time
    sale = desk.act(f"orders/{order}/receipt", method="7")
    invoice, payment = desk.of(Kind.INVOICE, Kind.PAYMENT)
    assert (invoice.ref.external_id, payment.ref.external_id) == (sale, sale)
    assert invoice.parent == payment.parent == order_of(order)
    assert invoice.refetch == payment.refetch == Hint("cash_sale", sale)
    assert (invoice.body.totals.gross, payment.body.amount) == (GROSS, GROSS)
    assert (payment.body.gateway, payment.body.at) == ("Bank transfer", at)
    back = desk.act(f"receipts/{sale}/refund", amount="24.00")
    since = desk.time - timedelta(minutes=10)
    told = desk.of(Kind.INVOICE, Kind.REFUND, span=Span(since))
    credit, refund = (one for one in told if one.ref.external_id == back)
    assert (credit.ref.kind, credit.body.credits) == (Kind.INVOICE, invoice.ref)
    assert (refund.ref.kind, refund.body.amount) == (Kind.REFUND, 24)
    assert refund.parent == order_of(order)
    assert refund.refetch == Hint("cash_refund", back)
    assert refund in desk.fetch(refund.refetch)
    desk.act(f"paybacks/{back}/delete")
    gone = desk.told("deletions")
    assert {(one.ref.kind, one.ref.external_id, one.body) for one in gone} == {
        (Kind.INVOICE, back, None),
        (Kind.REFUND, back, None),
    }


def test_a_credit_that_is_paid_out(desk):
    order, bill = billed(desk)
    desk.act(f"invoices/{bill}/pay")
    credit = desk.act(f"invoices/{bill}/credit", amount="6.00")
    back = desk.act(f"credits/{credit}/refund", method="1", reference="broken cans")
    (seen,) = desk.of(Kind.REFUND)
    assert (seen.ref, seen.parent) == (ref(Kind.REFUND, "erp", back), order_of(order))
    assert (seen.body.amount, seen.body.gateway, seen.body.reason) == (6, "Cash", "broken cans")
    assert seen.refetch == Hint("refund", back)
    assert seen in desk.fetch(seen.refetch)
    desk.act(f"refunds/{back}/delete")
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body) == (seen.ref, None)


# -- applications that people change ---------------------------------------------------------------


def transaction(sort, number, **fields):
    there = {
        "internalId": number,
        "sort": sort,
        "tranDate": "2026-11-20T00:00:00.000-08:00",
        "createdDate": "2026-11-20T01:00:00.000-08:00",
        "lastModifiedDate": "2026-11-20T01:00:00.000-08:00",
    }
    return Transaction.model_validate(there | fields)


def made_from(number):
    return {"createdFrom": {"internalId": number, "name": "it"}}


KNOWN = Known(
    {
        "735": transaction("SalesOrder", "735"),
        "736": transaction("SalesOrder", "736"),
        "780": transaction("Invoice", "780", **made_from("735")),
        "781": transaction("Invoice", "781", **made_from("736")),
        "782": transaction("Invoice", "782"),
        "790": transaction("CreditMemo", "790", **made_from("780")),
    },
    currencies={"1": "GBP"},
)
LATER = {"lastModifiedDate": "2026-11-20T05:00:00.000-08:00"}


def applied(*rows):
    return {
        "apply": [
            {"doc": doc, "apply": str(amount is not None).lower(), "amount": amount or ""}
            for doc, amount in rows
        ]
    }


def told(sort="CustomerPayment", rows=(), paid="100.0", **fields):
    paying = {"payment": paid, "applyList": applied(*rows)}
    one = transaction(sort, "800", **paying | fields)
    return amounts(money.tell(one, KNOWN, connection()))


A, B = order_of("735"), order_of("736")


@pytest.mark.parametrize(
    ("rows", "fields", "expected"),
    [
        ([("780", "60.0")], {}, {"800": (A, 60)}),
        ([("780", "60.0"), ("781", None)], {}, {"800": (A, 60)}),
        ([("780", "60.0"), ("781", "40.0")], {}, {"800:780": (A, 60), "800:781": (B, 40)}),
        # Another's document takes its part, and is told of nowhere.
        ([("782", "60.0"), ("781", "40.0")], {}, {"800:781": (B, 40)}),
        ([("999", "60.0")], {}, {}),
        # Two instalments of one invoice.
        ([("780", "10.0"), ("780", "5.0")], {}, {"800": (A, 15)}),
        # A credit was used up beside it: no more moved than was paid.
        (
            [("780", "60.0"), ("781", "40.0")],
            {"payment": "70.0"},
            {"800:780": (A, 60), "800:781": (B, 10)},
        ),
        ([("780", "60.0"), ("781", "40.0")], {"payment": "60.0"}, {"800": (A, 60)}),
    ],
)
def test_shares_of_a_payment(rows, fields, expected):
    assert told(rows=rows, **fields) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("780", "60.0"), ("781", None)], {"800": (A, 60), "800:780": None, "800:781": None}),
        (
            [("780", "60.0"), ("781", "40.0"), ("782", None)],
            {"800": None, "800:780": (A, 60), "800:781": (B, 40), "800:782": None},
        ),
        ([("780", None)], {"800": None, "800:780": None}),
        ([], {"800": None}),
    ],
)
def test_what_a_change_leaves_behind_is_gone(rows, expected):
    assert told(rows=rows, **LATER) == expected


def test_a_voided_payment_is_gone():
    assert told(status="Voided", paid="0.0", **LATER) == {"800": None}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Not Deposited", SettlementStatus.SETTLED),
        ("Deposited", SettlementStatus.SETTLED),
        ("Unapproved Payment", SettlementStatus.PENDING),
        ("Voided", SettlementStatus.VOIDED),
        ("", SettlementStatus.SETTLED),
    ],
)
def test_the_status_of_money(status, expected):
    one = transaction(
        "CustomerPayment", "800", payment="1.0", applyList=applied(("780", "1.0")), status=status
    )
    (seen,) = money.tell(one, KNOWN, connection())
    assert seen.body.status is expected


def test_when_money_moved():
    def at(**fields):
        one = transaction("CashSale", "800", total="1.0", **made_from("735"), **fields)
        (seen,) = money.tell(one, KNOWN, connection())
        return seen.body.at

    assert at() == datetime(2026, 11, 20, 9, tzinfo=UTC) == AT
    assert at(tranDate="2026-11-18T00:00:00.000-08:00") == datetime(2026, 11, 18, 8, tzinfo=UTC)
    assert at(tranDate="", createdDate="", **LATER) == datetime(2026, 11, 20, 13, tzinfo=UTC)


def test_refunds_of_credits_and_deposits():
    row = {"doc": "790", "apply": "true", "amount": "6.0"}
    assert told("CustomerRefund", [("790", "6.0")], paid="", total="6.0") == {"800": (A, 6)}
    deposits = {"depositList": {"deposit": row}, "applyList": None}
    assert told("CustomerRefund", paid="", total="6.0", **deposits) == {"800": (A, 6)}
    assert told("CreditMemo", [("780", "6.0")]) == {}
    assert money.MONEY.keys() >= money.APPLIED
