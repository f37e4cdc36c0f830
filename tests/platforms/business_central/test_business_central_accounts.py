"""What Business Central says of customers, of what they owe, and of what was paid."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fizzbridge.errors import ConfigurationError
from fizzbridge.model.documents import SettlementStatus
from fizzbridge.model.entity import Kind, Role, ref
from fizzbridge.observation import Hint
from platforms.business_central import accounts
from tests.kit.orders import line
from tests.platforms.business_central.business_central_orders import Desk, view

CANS = line("LEMON", 10, "10.00", unit="EACH")
BAR = {
    "number": "C-1042",
    "displayName": "Harbour Cafe",
    "type": "Company",
    "addressLine1": "4 Quay Rd",
    "addressLine2": "Rear",
    "city": "Hull",
    "state": "YKS",
    "postalCode": "HU1 1AA",
    "country": "GB",
    "phoneNumber": "01482 000000",
    "email": "bar@harbour.example",
    "taxRegistrationNumber": "GB123456789",
    "creditLimit": "500",
}
BOTH = (Role.CUSTOMER, Role.PAYMENT)


class Office(Desk):
    """A desk with an account, which orders are of."""

    def __init__(self, *, account=BAR, roles=BOTH, **more):
        super().__init__(seed={"customers": [account]}, roles=roles, **more)
        self.own, self.customer = self.customer, self.row(account["number"])["id"]

    def row(self, number):
        found = self.sandbox.store.records("customers")
        return next(row for row in found if row["number"] == number)

    def account(self):
        """The account, read by a hint."""
        (seen,) = self.fetch(Hint("customer", self.customer))
        return seen

    def kinds(self, stream, kind):
        return [seen for seen in self.told(stream) if seen.ref.kind is kind]

    def billed(self):
        """An order that was shipped and invoiced: 12.00 with tax."""
        order = self.export(view(CANS))
        self.do("post")
        self.later()
        return order

    def paid(self):
        """What was paid of its invoice."""
        (seen,) = self.kinds("invoices", Kind.PAYMENT)
        return seen


@pytest.fixture
def office():
    return Office()


# -- who -------------------------------------------------------------------------------------------


def test_an_account(office):
    seen = office.account()
    assert seen.ref == ref(Kind.CUSTOMER, "erp", office.customer)
    assert seen.refetch == Hint("customer", office.customer)
    body = seen.body
    assert (body.company.id, body.company.account) == (office.customer, "C-1042")
    assert (body.company.name, body.company.vat_number) == ("Harbour Cafe", "GB123456789")
    assert (body.contact.name, body.contact.email) == ("", "bar@harbour.example")
    assert (body.contact.phone, body.tax_number) == ("01482 000000", "")
    (address,) = body.addresses
    assert (address.name, address.street, address.street2) == ("Harbour Cafe", "4 Quay Rd", "Rear")
    assert (address.city, address.region, address.postal_code) == ("Hull", "YKS", "HU1 1AA")
    assert address.country == "GB"
    assert (body.terms.payment_days, body.terms.price_list) == (None, "")


def test_a_person_is_no_company():
    office = Office(account=BAR | {"type": "Person", "country": ""})
    body = office.account().body
    assert body.company is None
    assert (body.contact.name, body.tax_number) == ("Harbour Cafe", "GB123456789")
    assert body.addresses[0].country is None


def test_nobody_lives_nowhere():
    bare = {"number": "C-1", "displayName": "Bare", "country": "GB"}
    assert Office(account=bare).account().body.addresses == ()


def test_customers_we_made_are_told_by_their_shop(office):
    assert office.fetch(Hint("customer", office.own)) == []
    long = {"number": "8F14E45FCEEA167A5A36", "displayName": "Long"}
    made = office.client().post("/customers", json=long, writes=True).data["id"]
    assert office.fetch(Hint("customer", made)) == []
    (seen,) = office.kinds("customers", Kind.CUSTOMER)
    assert seen.ref.external_id == office.customer


def test_a_customer_that_is_gone(office):
    office.do("delete", "C-1042", "customers")
    seen = office.account()
    assert (seen.ref, seen.body) == (ref(Kind.CUSTOMER, "erp", office.customer), None)


@pytest.mark.parametrize(
    ("formula", "days"),
    [("30D", 30), ("0D", 0), ("2W", 14), ("1M", None), ("CM+10D", None), ("", None)],
)
def test_days_to_pay_within(formula, days):
    office = Office()
    terms = {"code": "OURS", "displayName": "Ours", "dueDateCalculation": formula}
    made = office.client().post("/paymentTerms", json=terms, writes=True).data["id"]
    office.do("edit", "C-1042", "customers", paymentTermsId=made)
    assert office.account().body.terms.payment_days == days


# -- credit ----------------------------------------------------------------------------------------


def test_credit_is_the_limit_and_what_is_owed(office):
    before = datetime.now(UTC)
    credit = office.account().body.credit
    assert (credit.limit, credit.currency) == (Decimal(500), "GBP")
    assert (credit.open_invoices, credit.unapplied, credit.oldest_due_on) == (0, 0, None)
    assert before <= credit.as_of <= datetime.now(UTC)
    office.billed()
    credit = office.account().body.credit
    assert (credit.open_invoices, credit.unapplied) == (Decimal("12.00"), 0)


def test_money_on_account_is_unapplied(office):
    office.do("pay", "C-1042", "customers", amount="20.00")
    credit = office.account().body.credit
    assert (credit.open_invoices, credit.unapplied) == (0, Decimal("20.00"))


def test_the_oldest_invoice_that_is_not_paid(office):
    office.billed()
    first = date.fromisoformat(office.last("salesInvoices")["dueDate"])
    second = office.export(view(CANS), "shop-uk/2")
    office.client().request(
        "PATCH",
        f"/salesOrders({second})",
        json={"orderDate": "2026-12-24"},
        headers={"If-Match": "*"},
        writes=True,
    )
    office.do("post", "101002")
    assert office.account().body.credit.oldest_due_on == first
    office.do("pay", "103001", "salesInvoices")
    assert office.account().body.credit.oldest_due_on == date(2026, 12, 24)
    office.do("pay", "103002", "salesInvoices")
    assert office.account().body.credit.oldest_due_on is None


def test_no_limit_is_credit_nobody_said_unless_a_setting_does():
    free = BAR | {"creditLimit": 0}
    assert Office(account=free).account().body.credit is None
    office = Office(account=free, usual_credit_limit="10000")
    assert office.account().body.credit.limit == 10000
    with pytest.raises(ConfigurationError, match="'a lot' is no amount"):
        Office(account=free, usual_credit_limit="a lot").account()


def test_a_version_that_says_no_limit(office):
    (row,) = [one for one in office.sandbox.store.records("customers") if one["creditLimit"]]
    told = {key: value for key, value in row.items() if key != "creditLimit"}
    (seen,) = accounts.customers(office.client(), [told], office.connection)
    assert (seen.body.company.account, seen.body.credit) == ("C-1042", None)


def test_what_is_billed_paid_or_credited_tells_the_account_anew(office):
    def owed(stream):
        (seen,) = office.kinds(stream, Kind.CUSTOMER)
        return seen.body.credit.open_invoices

    office.billed()
    assert owed("invoices") == Decimal("12.00")
    office.do("credit", "103001", "salesInvoices", amount="2.00")
    assert owed("credit_notes") == Decimal("10.00")
    office.do("pay", "103001", "salesInvoices", amount="4.00")
    assert owed("invoices") == Decimal("6.00")


def test_who_owns_neither_is_asked_for_neither():
    office = Office(roles=())
    office.billed()
    office.transport.requests.clear()
    assert {seen.ref.kind for seen in office.told("invoices")} == {Kind.INVOICE, Kind.ORDER}
    paths = {request.url.path.rsplit("/", 1)[-1] for request in office.transport.requests}
    assert not paths & {"customers", "customerFinancialDetails", "salesCreditMemos"}


# -- payments --------------------------------------------------------------------------------------


def test_what_was_paid_of_an_invoice(office):
    order = office.billed()
    invoice = office.last("salesInvoices")["id"]
    seen = office.paid()
    assert (seen.ref, seen.body) == (ref(Kind.PAYMENT, "erp", invoice), None)
    office.do("pay", "103001", "salesInvoices", amount="5.00")
    seen = office.paid()
    assert seen.ref == ref(Kind.PAYMENT, "erp", invoice)
    assert seen.parent == seen.body.order == ref(Kind.ORDER, "erp", order)
    assert (seen.body.amount, seen.body.currency) == (Decimal("5.00"), "GBP")
    assert (seen.body.status, seen.body.at) == (SettlementStatus.SETTLED, office.time)
    assert (seen.changed, seen.refetch) == (office.time, Hint("invoice", invoice))
    assert seen in office.fetch(seen.refetch)
    office.later()
    office.do("pay", "103001", "salesInvoices")
    assert office.paid().body.amount == Decimal("12.00")


def test_what_was_credited_was_not_paid(office):
    office.billed()
    office.do("credit", "103001", "salesInvoices", amount="2.00")
    assert office.paid().body is None
    office.do("pay", "103001", "salesInvoices")
    assert office.paid().body.amount == Decimal("10.00")


def test_an_invoice_that_is_cancelled_was_not_paid(office):
    office.billed()
    invoice = office.last("salesInvoices")["id"]
    office.act(f"salesInvoices({invoice})/Microsoft.NAV.cancel")
    assert office.paid().body is None


def test_what_is_credited_after_it_was_paid_is_paid_until_it_is_paid_out(office):
    office.billed()
    office.do("pay", "103001", "salesInvoices")
    office.do("credit", "103001", "salesInvoices", amount="2.00")
    assert office.paid().body.amount == Decimal("12.00")
    office.do("pay", office.last("salesCreditMemos")["number"], "salesCreditMemos")
    assert office.paid().body.amount == Decimal("10.00")


def test_invoices_of_no_order_are_paid_by_nobody(office):
    lines = [{"lineType": "Item", "lineObjectNumber": "LEMON", "quantity": 1, "unitPrice": 1}]
    made = {"customerId": office.customer, "salesInvoiceLines": lines}
    id_ = office.client().post("/salesInvoices", json=made, writes=True).data["id"]
    office.act(f"salesInvoices({id_})/Microsoft.NAV.post")
    assert {seen.ref.kind for seen in office.told("invoices")} == {Kind.CUSTOMER}
