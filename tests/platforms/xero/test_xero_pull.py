from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import InvoiceState, SettlementStatus
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.order import LineType
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from fizzbridge.runtime.tokens import RotatingToken
from platforms.xero.pull import XeroPull
from tests.kit.orders import ORDER, line
from tests.platforms.xero.xero_orders import (
    CUSTOM,
    ORGANISATION,
    PAYMENT,
    REFUND,
    TENANT,
    Bench,
    item,
    payment,
    refund,
    view,
)

PULL = XeroPull()
LONG_AGO = Span(datetime(2026, 1, 1, tzinfo=UTC))
COLA = line("COLA", 2, "40.00", unit="CASE", factor=24)
FREIGHT = line(None, 1, "10.00", kind="FREIGHT", id="freight")
KEG = item(
    "KEG",
    InventoryAssetAccountCode="630",
    PurchaseDetails={"COGSAccountCode": "310"},
    SalesDetails={"UnitPrice": "80.125", "AccountCode": "200", "TaxType": "OUTPUT2"},
)


class Office(Bench):
    """A bench with people at it."""

    def __init__(self, **more):
        super().__init__(organisation={"items": [*ORGANISATION["items"], KEG]}, **more)
        self.late = timedelta()
        self.sandbox.clock = lambda: datetime.now(UTC) + self.late

    def plain(self):
        """The client as the runtime gives it to a pull adapter."""
        auth = PULL.auth(self.secret, self.connection)
        if isinstance(auth, RotatingToken):
            auth.share(self.table, "books", self.clock)
        return VendorClient(
            platform="xero",
            base_url=self.connection.base_url,
            auth=auth,
            errors=PULL.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )

    def act(self, path, **body):
        """Somebody does something in the books."""
        with httpx.Client(transport=self.transport, base_url="https://api.xero.com") as http:
            answer = http.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def contact(self):
        return self.read("Contacts", where='ContactNumber=="shop-uk/c-77"')[0]["ContactID"]

    def told(self, stream, span=LONG_AGO, reader=PULL):
        """Everything a round tells, page by page."""
        found, cursor, is_last = [], None, False
        while not is_last:
            page = reader.changes(self.plain(), stream, cursor, span, self.connection)
            found += page.told
            cursor, is_last = page.cursor, page.is_last
        return found

    def fetch(self, what, identity):
        return list(PULL.fetch(self.plain(), Hint(what, identity), self.connection))


def name(kind, external_id):
    return ref(kind, "books", external_id)


def hand_made(office, **more):
    """An invoice that a person wrote: its id."""
    usual = {"lines": [{"sku": "COLA", "quantity": 3, "price": 10}]}
    return office.act(f"contacts/{office.contact()}/invoice", **usual | more)["id"]


def supplied(office):
    """A supplier's bill: its id."""
    line = {"Description": "Sugar", "Quantity": 1, "UnitAmount": 9, "AccountCode": "310"}
    return hand_made(office, Type="ACCPAY", lines=[line | {"TaxType": "NONE"}])


@pytest.fixture
def office():
    return Office()


# -- invoices --------------------------------------------------------------------------------------


def test_an_invoice_of_ours(office):
    made = office.export(view(COLA, FREIGHT))
    (seen,) = office.told("invoices")
    # The order is the invoice there; as a document it is the ledger's own, whoever wrote it.
    assert (seen.ref, seen.parent, seen.reference) == (
        name(Kind.INVOICE, made),
        name(Kind.ORDER, made),
        "",
    )
    told = seen.body
    assert (told.order, told.credits, told.state) == (seen.parent, None, InvoiceState.ISSUED)
    assert (told.number, told.currency, told.tax_included) == ("shop-uk/5501", "GBP", False)
    assert (told.totals.net, told.totals.tax, told.totals.gross) == (50, 10, 60)
    assert (told.issued_on, told.due_on) == (date(2026, 11, 1), date(2026, 11, 1))
    cola, freight = told.lines
    assert (cola.type, cola.sku, cola.quantity) == (LineType.GOODS, "COLA", 48)
    assert (cola.amount, cola.tax, cola.is_stocked) == (40, 8, True)
    assert (freight.type, freight.sku, freight.amount) == (LineType.FREIGHT, None, 10)
    assert seen.refetch == Hint("Invoices", made)
    assert office.fetch("Invoices", made) == [seen]


def test_prices_with_tax_in_them(office):
    office.export(view(COLA, included=True))
    (seen,) = office.told("invoices")
    assert (seen.body.tax_included, seen.body.totals.gross) == (True, 40)
    (cola,) = seen.body.lines
    assert (cola.amount, cola.tax) == (40, Decimal("6.67"))


@pytest.mark.parametrize(
    ("status", "state"),
    [("DRAFT", InvoiceState.DRAFT), ("SUBMITTED", InvoiceState.DRAFT)],
)
def test_what_is_not_approved_is_a_draft(office, status, state):
    made = hand_made(office, Status=status)
    (seen,) = office.told("invoices")
    assert (seen.body.state, seen.body.issued_on) == (state, None)
    office.act(f"invoices/{made}/cancel")
    (seen,) = office.told("invoices")
    assert (seen.ref, seen.body) == (name(Kind.INVOICE, made), None)


def test_a_voided_invoice(office):
    made = hand_made(office)
    office.act(f"invoices/{made}/cancel")
    (seen,) = office.told("invoices")
    assert seen.body.state is InvoiceState.VOIDED


def test_lines_that_take_away_parts_of_pieces_and_words(office):
    lines = [
        {"Description": "Cola", "ItemCode": "COLA", "Quantity": 1.5, "UnitAmount": 10},
        {
            "Description": "Thanks for the wait",
            "Quantity": 1,
            "UnitAmount": -2,
            "AccountCode": "200",
        },
        {"Description": "By hand", "Quantity": 2, "UnitAmount": 3, "AccountCode": "200"},
        {"Description": "Many thanks"},
    ]
    lines = [{"TaxType": "NONE"} | one if "Quantity" in one else one for one in lines]
    hand_made(office, lines=lines, Status="DRAFT")
    (seen,) = office.told("invoices")
    assert [(one.type, one.quantity, one.amount) for one in seen.body.lines] == [
        (LineType.GOODS, 1, 15),
        (LineType.DISCOUNT, 1, 2),
        (LineType.FEE, 2, 6),
    ]


def test_bills_of_suppliers_are_none_of_ours(office):
    bill = supplied(office)
    office.act(f"invoices/{bill}/pay")
    assert office.told("invoices") == office.told("payments") == []
    assert office.fetch("Invoices", bill) == []


# -- payments --------------------------------------------------------------------------------------


def test_a_payment_of_ours_is_known_by_its_mark_and_its_key(office):
    office.export(view(COLA))
    made = office.export(payment("48.00"))
    (seen,) = office.told("payments")
    assert seen.ref == name(Kind.PAYMENT, made)
    assert seen.reference == str(PAYMENT.key)


def test_letters_of_a_reference_come_back(office):
    office.export(view(COLA))
    office.export(payment("48.00"), "shop-uk/tr,1")
    (seen,) = office.told("payments")
    assert seen.reference == "shop-uk/tr,1"


def test_a_payment_of_a_person_is_of_our_order(office):
    made = office.export(view(COLA))
    office.act(f"invoices/{made}/pay", amount=20, date="2026-11-18", reference="BACS 77")
    (seen,) = office.told("payments")
    assert (seen.parent, seen.body.order) == (name(Kind.ORDER, made),) * 2
    told = seen.body
    assert (told.amount, told.currency, told.status) == (20, "GBP", SettlementStatus.SETTLED)
    assert (told.gateway, told.at) == ("090", datetime(2026, 11, 18, 12, tzinfo=UTC))
    assert seen.reference == "BACS 77"
    assert office.fetch("Payments", seen.ref.external_id) == [seen]
    # No webhook tells of payments: they are read with their invoice.
    invoice, paid = office.fetch("Invoices", made)
    assert (invoice.ref, paid) == (name(Kind.INVOICE, made), seen)


def test_a_payment_that_quotes_its_invoice_is_a_persons(office):
    made = office.export(view(COLA))
    (invoice,) = office.told("invoices")
    office.act(f"invoices/{made}/pay", amount=20, reference=invoice.body.number)
    (seen,) = office.told("payments")
    # That number is our reference of the order, and no mark of money.
    assert (invoice.body.number, seen.body.amount, seen.reference) == ("shop-uk/5501", 20, "")


def test_a_payment_taken_back_is_voided(office):
    made = office.export(view(COLA))
    office.act(f"invoices/{made}/pay", amount=20)
    (before,) = office.told("payments")
    office.late += timedelta(minutes=1)
    office.act(f"payments/{before.ref.external_id}/delete")
    (seen,) = office.told("payments")
    assert (seen.ref, seen.body.status) == (before.ref, SettlementStatus.VOIDED)
    assert seen.changed > before.changed
    assert office.fetch("Invoices", made)[1] == seen


def test_what_is_more_than_due_is_no_payment_of_the_order(office):
    made = hand_made(office)
    office.act(f"invoices/{made}/pay", amount=50)
    (seen,) = office.told("payments")
    assert seen.body.amount == 36


# -- credit notes ----------------------------------------------------------------------------------


def test_a_credit_of_ours_is_of_its_invoice(office):
    order = view(COLA)
    made = office.export(order)
    note = office.export(_of(refund("24.00", ("l-COLA", 1, "20.00", "4.00")), order))
    credited, back = office.told("credit_notes")
    assert credited.ref == name(Kind.INVOICE, note)
    assert credited.body.credits == name(Kind.INVOICE, made)
    assert (credited.body.order, credited.parent) == (name(Kind.ORDER, made),) * 2
    assert (credited.body.totals.gross, credited.body.state) == (24, InvoiceState.ISSUED)
    # Set off: no money went back; and it is known to be ours all the same.
    assert (back.ref, back.body) == (name(Kind.REFUND, note), None)
    assert back.reference == str(REFUND.key)


def test_a_refund_of_ours_is_known_by_its_mark_and_its_key(office):
    order = view(COLA, children=(payment("48.00"),))
    made = office.export(order)
    office.export(payment("48.00"))
    note = office.export(_of(refund("48.00"), order))
    credited, back = office.told("credit_notes")
    assert (back.ref, back.reference) == (name(Kind.REFUND, note), str(REFUND.key))
    # Nothing ties the two at Xero but the order's number that the target wrote on both.
    assert credited.body.credits == name(Kind.INVOICE, made)
    assert (back.body.order, back.body.amount) == (name(Kind.ORDER, made), 48)


def _of(child, order):
    return type(child)(child.ref, child.parts, (), order)


def test_a_refund_of_a_person_is_of_the_invoice_it_names(office):
    made = hand_made(office, InvoiceNumber="INV-7")
    office.act(f"invoices/{made}/pay")
    note = office.act(f"invoices/{made}/credit", amount=12, reference="INV-7")["id"]
    credited, back = office.told("credit_notes")
    assert credited.body.credits == name(Kind.INVOICE, made)
    assert back.body is None
    office.act(f"creditnotes/{note}/pay", amount=5, date="2026-11-19")
    office.act(f"creditnotes/{note}/pay", amount=7, date="2026-11-20")
    _, back = office.told("credit_notes")
    assert (back.parent, back.body.order) == (name(Kind.ORDER, made),) * 2
    assert (back.body.amount, back.body.at.date()) == (12, date(2026, 11, 20))
    assert "/" not in back.reference
    # What is paid out of a credit is no payment of an invoice.
    assert {one.body.amount for one in office.told("payments")} == {36}
    assert office.fetch("CreditNotes", note) == [_, back]


@pytest.mark.parametrize("reference", ["", "INV-8", 'say "INV-7"'])
def test_a_credit_that_names_no_invoice_is_of_no_order(office, reference):
    made = hand_made(office, InvoiceNumber="INV-7")
    office.act(f"invoices/{made}/pay")
    office.act(f"invoices/{made}/credit", amount=12, reference=reference)
    assert [one.body for one in office.told("credit_notes")] == [None, None]


def test_of_two_invoices_that_fit_none_is_taken(office):
    for number in ("INV-7", "INV-8"):
        made = hand_made(office, InvoiceNumber=number, Reference="PO 5")
    office.act(f"invoices/{made}/pay")
    office.act(f"invoices/{made}/credit", amount=12, reference="PO 5")
    assert [one.body for one in office.told("credit_notes")] == [None, None]


def test_a_voided_credit(office):
    made = hand_made(office, InvoiceNumber="INV-7")
    note = office.act(f"invoices/{made}/credit", amount=6, reference="INV-7", allocate=False)["id"]
    office.act(f"creditnotes/{note}/cancel")
    credited, back = office.told("credit_notes")
    assert (credited.body.state, back.body) == (InvoiceState.VOIDED, None)


# -- contacts and items ----------------------------------------------------------------------------


def test_contacts(office):
    office.by_hand(
        "POST",
        "Contacts",
        {
            "Contacts": [
                {
                    "Name": "The Full Glass",
                    "FirstName": "Ann",
                    "LastName": "Bar",
                    "AccountNumber": "A-7",
                    "EmailAddress": "bar@glass.example",
                    "TaxNumber": "GB123",
                    "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "113 496"}],
                    "Addresses": [
                        {"AddressType": "POBOX", "AddressLine1": "PO 1", "Country": "England"},
                        {"AddressType": "STREET", "AddressLine1": "1 Quay", "Country": "GB"},
                    ],
                    "PaymentTerms": {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}},
                }
            ]
        },
    )
    told = {one.body.contact.name: one for one in office.told("contacts")}
    assert told.keys() == {"Ann Bar", "Blue Bar"}
    glass = told["Ann Bar"].body
    assert (glass.company.name, glass.company.account) == ("The Full Glass", "A-7")
    assert (glass.contact.email, glass.contact.phone) == ("bar@glass.example", "113 496")
    assert (glass.tax_number, glass.terms.payment_days) == ("GB123", 30)
    places = [(one.street, one.country) for one in glass.addresses]
    assert places == [("1 Quay", "GB"), ("PO 1", None)]


def test_who_is_archived_is_no_customer_any_more_and_suppliers_are_none(office):
    contact = office.contact()
    office.act(f"contacts/{contact}/block")
    (seen,) = office.told("contacts")
    assert (seen.ref, seen.body) == (name(Kind.CUSTOMER, contact), None)
    office = Office()
    supplied(office)
    assert office.told("contacts") == []


def test_items_with_prices_and_stock(office):
    told = office.told("items")
    named = {one.body.sku: one for one in told if one.ref.kind is Kind.PRODUCT}
    assert named.keys() == {"COLA", "LEMON", "SHIP", "BARE", "KEG"}
    keg = named["KEG"].ref
    product, price, stock = office.fetch("Items", keg.external_id)
    assert (product, price.ref) == (named["KEG"], name(Kind.PRICE, keg.external_id))
    assert (price.body.price.amount, price.body.price.currency) == (Decimal("80.13"), "GBP")
    assert not price.body.tax_included
    assert stock.ref == name(Kind.STOCK_LEVEL, f"{keg.external_id}@main")
    assert price.body.product == stock.body.product == keg
    assert [one.ref.kind for one in told].count(Kind.STOCK_LEVEL) == 1
    # The organisation is asked once, however many items there are.
    asked = [one for one in office.transport.requests if one.url.path.endswith("/Organisation")]
    assert len(asked) == 2


def test_a_sale_moves_stock_and_no_clock(office):
    office.act("items/KEG/stock", quantity=40)
    hand_made(office, lines=[{"sku": "KEG", "quantity": 10, "price": 80}])
    lately = Span(datetime.now(UTC) + timedelta(hours=1))
    (seen,) = office.told("items", span=lately)
    assert (seen.ref.kind, seen.body.on_hand) == (Kind.STOCK_LEVEL, 30)
    assert seen.changed == seen.body.as_of


def test_an_item_that_was_deleted(office):
    identity = office.read("Items", where='Code=="BARE"')[0]["ItemID"]
    office.act("items/BARE/delete")
    told = office.fetch("Items", identity)
    kinds = [one.ref.kind for one in told]
    assert kinds == [Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL]
    assert {one.body for one in told} == {None}


# -- rounds ----------------------------------------------------------------------------------------


class ByThree(XeroPull):
    per_page = 3


class ByOne(XeroPull):
    per_page = 1


@pytest.mark.parametrize("reader", [ByThree(), ByOne()])
@pytest.mark.parametrize("apart", [0, 1, 60])
def test_a_round_passes_nothing_by(office, reader, apart):
    frozen = datetime.now(UTC)
    office.sandbox.clock = lambda: frozen + office.late
    made = set()
    for _ in range(7):
        office.late += timedelta(seconds=apart)
        made.add(hand_made(office))
    assert {one.ref.external_id for one in office.told("invoices", reader=reader)} == made


def test_a_round_reads_what_its_span_says(office):
    first = hand_made(office)
    middle = datetime.now(UTC) + timedelta(hours=1)
    office.late += timedelta(hours=2)
    second = hand_made(office)

    def ids(span):
        return [one.ref.external_id for one in office.told("invoices", span=span)]

    assert ids(Span(middle)) == [second]
    assert ids(Span(LONG_AGO.since, middle)) == [first]


def test_what_cannot_be_told_is_left_to_a_hint(office):
    made = {hand_made(office) for _ in range(2)}
    office.sandbox.store.documents[min(made)]["CurrencyCode"] = "???"
    assert set(office.told("invoices")) == {Hint("Invoices", one) for one in made}


def test_another_organisations_things_are_not_read(office):
    made = office.export(view(COLA))
    assert office.fetch("Invoices", f"{TENANT}/{made}")
    before = len(office.transport.requests)
    assert office.fetch("Invoices", f"0c3a9a64-6c0f-4f0e-8a37-52f7f6b1b0d2/{made}") == []
    assert len(office.transport.requests) == before


def test_a_custom_connection_has_one_organisation():
    office = Office(secret=CUSTOM, grant="custom", tenant_id=None)
    made = hand_made(office)
    (seen,) = office.fetch("Invoices", f"{TENANT}/{made}")
    assert seen.ref == name(Kind.INVOICE, made)


def test_what_is_not_there_is_gone(office):
    nowhere = "11111111-2222-3333-4444-555555555555"
    (seen,) = office.fetch("Invoices", nowhere)
    assert (seen.ref, seen.body) == (name(Kind.INVOICE, nowhere), None)


def test_pull_and_target_share_one_grant(office):
    office.export(view(COLA))
    assert office.ids[ORDER]
    assert office.told("invoices")
    assert office.sandbox.accepted["token refreshed"] == 1
