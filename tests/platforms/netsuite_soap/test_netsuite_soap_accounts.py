"""Customers with their terms and credit, as NetSuite tells them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.netsuite_soap import accounts
from platforms.netsuite_soap.accounts import Books
from platforms.netsuite_soap.transport import SALES
from platforms.netsuite_soap.wire import Account, Open, Term
from tests.kit.orders import line
from tests.platforms.netsuite_soap.netsuite_soap_desk import Desk, asked
from tests.platforms.netsuite_soap.netsuite_soap_orders import connection, view
from tests.platforms.netsuite_soap.netsuite_soap_recorded import NOW, Recorded, results

COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
GROSS = Decimal("55.01")
READ_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def desk():
    """An account on terms."""
    there = Desk()
    there.act(f"customers/{there.customer}/edit", creditLimit="5000", terms="2", priceLevel="5")
    return there


def told(desk, **more):
    (seen,) = desk.told("customers", **more)
    return seen


# -- who they are ----------------------------------------------------------------------------------


def test_a_customer_is_told_with_its_terms(desk):
    seen = told(desk)
    assert (seen.ref, seen.part) == (ref(Kind.CUSTOMER, "erp", desk.customer), Part.RECORD)
    assert seen.refetch == Hint("customer", desk.customer)
    assert seen.changed == desk.time - timedelta(minutes=10)
    body = seen.body
    assert (body.company.id, body.company.name) == (desk.customer, "Blue Bar Ltd")
    assert body.company.account == desk.read(desk.customer, "customer")["entityId"]
    assert (body.company.vat_number, body.tax_number) == ("IE1234567T", "IE1234567T")
    assert (body.contact.name, body.contact.email) == ("", "ann@example.com")
    new_york, cork = body.addresses
    assert (new_york.street, new_york.country, new_york.region) == ("1 Quay", "US", "NY")
    assert (cork.company, cork.name, cork.city) == ("Blue Bar Ltd", "Dock", "Cork")
    assert (body.terms.price_list, body.terms.payment_days) == ("Trade Price", 30)
    (again,) = desk.fetch(seen.refetch)
    assert again.body.model_copy(update={"credit": body.credit}) == body


def account(**fields):
    there = {
        "internalId": "812",
        "lastModifiedDate": "2026-11-20T01:00:00.000-08:00",
        "companyName": "Blue Bar Ltd",
        "entityId": "CUST1001",
    }
    return Account.model_validate(there | fields)


def customer(books=None, **fields):
    known = books or Books(READ_AT, {"1": "GBP"})
    return accounts.customer(account(**fields), known, connection()).body


def entry(city, attention="", **fields):
    place = {"addressee": "Blue Bar Ltd", "attention": attention, "city": city}
    return {"addressbookAddress": place | {"country": "_ireland"}} | fields


def test_the_address_goods_go_to_comes_first():
    book = [
        entry("Cork"),
        entry("Hull", defaultBilling="true"),
        {"label": "empty"},
        entry("York", "Ann", defaultShipping="true"),
    ]
    found = customer(addressbookList={"addressbook": book}).addresses
    assert [(one.city, one.company, one.name, one.country) for one in found] == [
        ("York", "Blue Bar Ltd", "Ann", "IE"),
        ("Hull", "Blue Bar Ltd", "", "IE"),
        ("Cork", "Blue Bar Ltd", "", "IE"),
    ]


def test_a_person_has_a_name():
    body = customer(
        isPerson="true",
        companyName="",
        firstName="Ann",
        lastName="Bar",
        phone="1",
        addressbookList={"addressbook": [entry("Cork")]},
    )
    assert (body.company, body.contact.name, body.contact.phone) == (None, "Ann Bar", "1")
    assert (body.addresses[0].name, body.addresses[0].company) == ("Blue Bar Ltd", "")
    assert customer().addresses == ()


TERMS = {
    "2": Term(internal_id="2", days_until_net_due="30", discount_percent="2.0"),
    "3": Term.model_validate({"internalId": "3", "daysUntilNetDue": "", "discountPercent": ""}),
}


@pytest.mark.parametrize(
    ("number", "days", "discount"), [("2", 30, 2), ("3", None, None), ("9", None, None)]
)
def test_terms_of_payment(number, days, discount):
    books = Books(READ_AT, terms=TERMS)
    terms = customer(books, terms={"internalId": number, "name": "T"}, shipComplete="true").terms
    assert (terms.payment_days, terms.cash_discount_percent) == (days, discount)
    assert terms.ships_complete


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ({"internalId": "1", "name": "Base Price"}, ""),
        ({"internalId": "5", "name": "Trade Price"}, "Trade Price"),
        ({"internalId": "5"}, "5"),
        (None, ""),
    ],
)
def test_a_price_level_is_named_as_prices_name_it(level, expected):
    fields = {"priceLevel": level} if level else {}
    assert customer(**fields).terms.price_list == expected


# -- what they owe ---------------------------------------------------------------------------------


def billed(desk, key):
    order = desk.export(view(COLA), f"shop-uk/{key}")
    desk.time += timedelta(minutes=10)
    desk.act(f"orders/{order}/ship")
    return desk.act(f"orders/{order}/invoice")


def test_what_a_customer_owes_is_told_when_it_moves(desk):
    begun = desk.time
    assert told(desk).body.credit.open_invoices == 0
    bill = billed(desk, "1")
    credit = told(desk, span=Span(begun)).body.credit
    assert (credit.currency, credit.limit, credit.open_invoices) == ("GBP", 5000, GROSS)
    assert credit.oldest_due_on == date(2026, 12, 20)
    assert credit.as_of >= datetime.now(UTC) - timedelta(minutes=1)
    begun = desk.time
    # Nothing of it moved the time of the customer.
    assert told(desk).changed < begun
    desk.act(f"invoices/{bill}/pay")
    credit = told(desk, span=Span(begun)).body.credit
    assert (credit.open_invoices, credit.oldest_due_on) == (0, None)
    begun = desk.time
    desk.time += timedelta(hours=1)
    assert desk.told("customers", span=Span(begun + timedelta(minutes=5))) == []


def test_money_not_yet_set_against_an_invoice(desk):
    order = desk.place(COLA)
    desk.act(f"customers/{desk.customer}/pay", amount="30.00")
    desk.act(f"orders/{order}/pay", amount="12.00")
    credit = told(desk).body.credit
    assert (credit.open_invoices, credit.unapplied) == (0, 42)


def test_orders_that_did_not_come_through_us(desk):
    desk.place(COLA)
    assert told(desk).body.credit.open_orders == 0
    row = {"item": {"@internalId": "57"}, "quantity": 1, "price": {"@internalId": "-1"}, "rate": 9}
    wanted = {"itemList": {"@replaceAll": True, "item": [row]}}
    theirs = desk.make("SalesOrder", entity={"@internalId": desk.customer}, **wanted)
    # Nobody has approved it.
    assert told(desk).body.credit.open_orders == 0
    desk.act(f"orders/{theirs}/approve")
    total = Decimal(desk.read(theirs)["total"])
    assert total > 0
    assert told(desk).body.credit.open_orders == total
    desk.act(f"orders/{theirs}/ship")
    assert told(desk).body.credit.open_orders == total
    desk.act(f"orders/{theirs}/invoice")
    assert told(desk).body.credit.open_orders == 0


def test_our_orders_are_known_by_a_field_of_theirs():
    desk = Desk(order_key_field="custbody_fizz_key")
    desk.act(f"customers/{desk.customer}/edit", creditLimit="5000")
    desk.place(COLA)
    assert told(desk).body.credit.open_orders == 0


def test_without_a_limit_nobody_vouches_and_nothing_open_is_read():
    desk = Desk()
    desk.time += timedelta(minutes=10)
    begun = len(asked(desk))
    assert told(desk).body.credit is None
    assert "TransactionSearch" not in str([r.content for r in desk.transport.requests[begun:]])


def opened(sort="Invoice", **fields):
    there = {"sort": sort, "entity": {"internalId": "812"}, "amountRemaining": "10.0"}
    return Open.model_validate(there | fields)


def credit(*there, currencies=None, **fields):
    listed = accounts.by_customer(
        [*there, opened(entity={"internalId": "1"}, dueDate="2020-01-01")]
    )
    books = Books(READ_AT, currencies or {"1": "GBP", "2": "JPY"}, open=listed)
    owed = {"currency": {"internalId": "2"}, "creditLimit": "1000.4", "balance": "250.5"}
    return customer(books, **owed | fields).credit


def test_the_oldest_day_an_unpaid_invoice_was_due():
    due = [
        opened(dueDate="2026-11-02T00:00:00.000-08:00"),
        opened(dueDate="2026-11-01T00:00:00.000-07:00", amountRemaining="0.0"),
        opened(dueDate="2026-10-31T22:00:00.000-10:00"),
        opened("SalesOrder", amountRemaining="", total="9.0"),
        opened(),
    ]
    found = credit(*due)
    assert (found.oldest_due_on, found.as_of) == (date(2026, 11, 1), READ_AT)
    assert (found.limit, found.open_invoices, found.open_orders) == (1000, 251, 9)
    assert credit().oldest_due_on is None


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, 1000),
        ({"creditHoldOverride": "_auto"}, 1000),
        ({"creditHoldOverride": "_on"}, 0),
        ({"creditHoldOverride": "_on", "creditLimit": ""}, 0),
        ({"isInactive": "true"}, 0),
        ({"creditLimit": "0.0"}, 0),
    ],
)
def test_an_account_that_is_stopped_has_no_credit(fields, limit):
    assert credit(**fields).limit == limit


def test_paid_too_much_is_not_owed():
    found = credit(balance="-20.0", depositBalance="5.0")
    assert (found.open_invoices, found.unapplied) == (0, 25)


def test_the_currency_of_an_account():
    assert credit(currency={"internalId": "9"}) is None
    assert credit(currency={}, currencies={"1": "GBP"}).currency == "GBP"


# -- windows ---------------------------------------------------------------------------------------


def test_the_first_round_reads_customers_older_than_the_connection(desk):
    desk.time += timedelta(days=400)
    since = desk.connection.start_at + timedelta(days=365)
    desk.connection = desk.connection.model_copy(update={"start_at": since})
    assert told(desk, span=Span(since)).ref.external_id == desk.customer
    assert desk.told("customers", span=Span(since + timedelta(seconds=1))) == []


def test_of_a_payment_the_customer_has_another_name():
    def one(number, field, sort, space):
        return (
            f'<c:record internalId="{number}" xsi:type="x:{sort}" xmlns:x="{space}">'
            f'<x:{field} internalId="{number}00"/></c:record>'
        )

    moved = results("search", one(1, "entity", "Invoice", SALES), one(2, "customer", "P", SALES))
    there = Recorded(getServerTime=[NOW], search=[results("search"), moved, results("search")])
    page = there.page("customers", "2026-11-20T08:00:00+00:00/2026-11-20T08:10:00+00:00")
    assert list(page.told) == []


def test_a_customer_that_was_deleted():
    desk = Desk()
    desk.delete(desk.customer, "customer")
    desk.time += timedelta(minutes=10)
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body) == (ref(Kind.CUSTOMER, "erp", desk.customer), None)
    (again,) = desk.fetch(Hint("customer", desk.customer))
    assert (again.ref, again.body) == (gone.ref, None)
