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
from platforms.quickbooks import reading, wire
from platforms.quickbooks.pull import QuickBooksPull
from tests.platforms.quickbooks.quickbooks_orders import (
    BAR,
    HOST,
    SECRET,
    Bench,
    back,
    customer,
    item,
    line,
    paid,
    view,
)

PULL = QuickBooksPull()
LONG_AGO = Span(datetime(2026, 1, 1, tzinfo=UTC))
COLA = line("COLA", 2, "40.00", factor=24)
FREIGHT = line(None, 1, "10.00", kind="FREIGHT", id="freight")


class Office(Bench):
    """A bench with people at it, in a company that counts one of its items."""

    def __init__(self, **seed):
        counted = item("30", "TONIC", "Tonic 200 ml") | {
            "Type": "Inventory",
            "TrackQtyOnHand": True,
            "QtyOnHand": 40.5,
            "InvStartDate": "2026-01-01",
            "AssetAccountRef": {"value": "81"},
            "ExpenseAccountRef": {"value": "80"},
            "UnitPrice": 9.405,
        }
        super().__init__(seed=seed)
        self.late = timedelta()
        self.sandbox.clock = lambda: datetime.now(UTC) + self.late
        self.tonic = counted

    def act(self, record, what, **body):
        """Somebody does something with a record."""
        kind, identity = record.split(":")
        answer = self._control("POST", f"{kind.lower()}/{identity}/{what}", body)
        return answer["id"]

    def enter(self, kind, **body):
        """Somebody enters a record."""
        return f"{kind}:{self._control('POST', f'records/{kind}', body)['id']}"

    def pay(self, *parts, total=None, **more):
        """Money that a person books: (invoice, amount) each."""
        lines = [
            {"Amount": amount, "LinkedTxn": [{"TxnId": of.split(":")[1], "TxnType": "Invoice"}]}
            for of, amount in parts
        ]
        total = sum(amount for _, amount in parts) if total is None else total
        body = {"CustomerRef": {"value": "58"}, "TotalAmt": total, "Line": lines}
        return self.enter("Payment", **body | more)

    def _control(self, method, path, body):
        with httpx.Client(transport=self.desk, base_url=HOST) as http:
            answer = http.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def told(self, stream, span=LONG_AGO, reader=PULL):
        """Everything a round tells, page by page."""
        found, cursor, is_last = [], None, False
        while not is_last:
            page = reader.changes(self.plain(), stream, cursor, span, self.connection)
            found += page.told
            cursor, is_last = page.cursor, page.is_last
        return found

    def shown(self, stream, **more):
        """What a round tells that is there."""
        return [one for one in self.told(stream, **more) if one.body]

    def fetch(self, what, identity):
        return list(PULL.fetch(self.plain(), Hint(what, identity), self.connection))


def name(kind, external_id):
    return ref(kind, "books", external_id)


@pytest.fixture
def office():
    return Office()


# -- sales -----------------------------------------------------------------------------------------


def test_an_invoice_of_ours(office):
    made = office.export(view(COLA, FREIGHT))
    (seen,) = office.shown("invoices")
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
    assert (cola.amount, cola.is_stocked) == (Decimal("40.00"), True)
    assert cola.unit_price * 48 == pytest.approx(Decimal(40), abs=Decimal("0.001"))
    assert (freight.type, freight.sku, freight.amount) == (LineType.FREIGHT, "SHIP", Decimal(10))
    kind, identity = made.split(":")
    assert seen.refetch == Hint(kind, identity)
    assert office.fetch(kind, identity) == [seen]


def test_a_sales_receipt_with_prices_that_contain_the_tax(office):
    order = view(COLA, included=True, sort="RETAIL", children=(paid("40.00"),))
    made = office.export(order)
    assert made.startswith("SalesReceipt:")
    (seen,) = office.shown("invoices")
    assert (seen.ref, seen.parent) == (name(Kind.INVOICE, made), name(Kind.ORDER, made))
    told = seen.body
    assert (told.tax_included, told.totals.gross, told.totals.tax) == (True, 40, Decimal("6.67"))
    (cola,) = told.lines
    assert (cola.amount, cola.tax) == (Decimal("40.00"), Decimal("6.67"))
    # Its money is in it: the payment was the shop's to tell.
    assert office.told("payments") == []


def test_a_form_of_a_person_with_parts_of_pieces_discount_and_words(office):
    detail = {"ItemRef": {"value": "19"}, "Qty": 3, "UnitPrice": 10}
    off = {"PercentBased": False}
    made = office.enter(
        "Invoice",
        CustomerRef={"value": "58"},
        DocNumber="1042",
        DueDate="2026-12-24",
        Line=[
            {"DetailType": "SalesItemLineDetail", "Amount": 30, "SalesItemLineDetail": detail},
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": 5.5,
                "SalesItemLineDetail": {"ItemRef": {"value": "20"}, "Qty": 1.5},
            },
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": 7,
                "SalesItemLineDetail": {"ItemRef": {"value": "SHIPPING_ITEM_ID"}},
            },
            {"DetailType": "DescriptionOnly", "Description": "Many thanks"},
            {"DetailType": "DiscountLineDetail", "Amount": 2, "DiscountLineDetail": off},
        ],
        GlobalTaxCalculation="NotApplicable",
    )
    (seen,) = office.shown("invoices")
    assert (seen.ref, seen.body.number) == (name(Kind.INVOICE, made), "1042")
    kinds = [(one.type, one.quantity, one.unit_price, one.amount) for one in seen.body.lines]
    assert sorted(kinds) == [
        (LineType.DISCOUNT, 1, 2, 2),
        (LineType.FREIGHT, 1, 7, 7),
        (LineType.GOODS, 1, Decimal("5.5"), Decimal("5.5")),
        (LineType.GOODS, 3, 10, 30),
    ]
    assert (seen.body.totals.gross, seen.body.totals.discount) == (Decimal("40.50"), 2)
    assert seen.body.due_on == date(2026, 12, 24)


def test_voided_and_deleted_forms(office):
    kept, lost = office.export(view(COLA)), office.enter("Invoice", **_plain_form())
    office.act(kept, "cancel")
    office.act(lost, "delete")
    told = {one.ref: one.body for one in office.told("invoices")}
    assert told[name(Kind.INVOICE, kept)].state is InvoiceState.VOIDED
    assert told[name(Kind.INVOICE, lost)] is None
    (gone,) = office.fetch(*lost.split(":"))
    assert (gone.ref, gone.body) == (name(Kind.INVOICE, lost), None)


def _plain_form(**more):
    detail = {"ItemRef": {"value": "19"}, "Qty": 1, "UnitPrice": 30}
    line = {"DetailType": "SalesItemLineDetail", "Amount": 30, "SalesItemLineDetail": detail}
    free = {"GlobalTaxCalculation": "NotApplicable"}
    return {"CustomerRef": {"value": "58"}, "Line": [line]} | free | more


# -- payments --------------------------------------------------------------------------------------


def test_a_payment_of_ours_is_known_by_its_mark_and_its_key(office):
    order = view(COLA)
    office.export(order)
    made = office.export_child(paid("48.00"), order)
    (seen,) = office.told("payments")
    assert seen.ref == name(Kind.PAYMENT, made)
    assert seen.reference == "shop-uk/p-1"


def test_a_long_reference_is_read_in_full(office):
    order = view(COLA)
    office.export(order)
    office.export_child(paid("48.00", key="transaction-5501-0001"), order)
    (seen,) = office.told("payments")
    assert seen.reference == "shop-uk/transaction-5501-0001"


def test_a_payment_of_a_person_is_of_our_order(office):
    made = office.export(view(COLA))
    money = office.act(made, "pay", amount=20, reference="BACS 77")
    (seen,) = office.shown("payments")
    assert seen.ref == name(Kind.PAYMENT, f"Payment:{money}")
    assert (seen.parent, seen.body.order) == (name(Kind.ORDER, made),) * 2
    told = seen.body
    assert (told.amount, told.currency, told.status) == (20, "GBP", SettlementStatus.SETTLED)
    assert "/" not in seen.reference
    assert office.fetch("Payment", money) == [seen]


def test_a_payment_that_quotes_its_invoice_is_a_persons(office):
    made = office.export(view(COLA))
    (invoice,) = office.shown("invoices")
    office.act(made, "pay", amount=20, reference=invoice.body.number)
    (seen,) = office.shown("payments")
    # That number is our reference of the order, and no mark of money.
    assert (invoice.body.number, seen.body.amount, seen.reference) == ("shop-uk/5501", 20, "")


def test_one_payment_of_several_invoices_sums_up_by_order(office):
    first = office.export(view(COLA))
    second = office.enter("Invoice", **_plain_form())
    card = {"PaymentMethodRef": {"value": "3"}, "TxnDate": "2026-11-18"}
    money = office.pay((first, 48), (second, 20), **card)
    told = {one.ref.external_id: one.body for one in office.told("payments")}
    assert told.keys() == {money, *(f"{money}:{one.split(':')[1]}" for one in (first, second))}
    assert told.pop(money) is None
    assert {one.order.external_id: one.amount for one in told.values()} == {first: 48, second: 20}
    assert {one.gateway for one in told.values()} == {"Card"}
    assert {one.at for one in told.values()} == {datetime(2026, 11, 18, 12, tzinfo=UTC)}


@pytest.mark.parametrize("what", ["cancel", "delete"])
def test_one_payment_of_several_invoices_taken_back(office, what):
    first, second = (office.enter("Invoice", **_plain_form(DocNumber=n)) for n in "12")
    other = office.enter("Invoice", **_plain_form(DocNumber="3"))
    money = office.pay((first, 30), (second, 20))
    parts = {one.ref for one in office.shown("payments")}
    assert len(parts) == 2
    office.late += timedelta(minutes=1)
    office.act(money, what)
    told = {one.ref: one.body for one in office.told("payments")}
    assert parts < told.keys()
    assert set(told.values()) == {None}
    # What that act did not touch is none of its business.
    assert not any(one.external_id.endswith(f":{other.split(':')[1]}") for one in told)


def test_a_payment_set_against_another_invoice(office):
    first, second, third = (office.enter("Invoice", **_plain_form(DocNumber=n)) for n in "123")
    money = office.pay((first, 10), (second, 20))

    def parts():
        told = {one.ref.external_id: one.body for one in office.told("payments")}
        kept = {key: (body.order.external_id, body.amount) for key, body in told.items() if body}
        return kept, {key for key, body in told.items() if not body}

    def key(invoice):
        return f"{money}:{invoice.split(':')[1]}"

    def apply(*these):
        lines = [
            {"Amount": 5, "LinkedTxn": [{"TxnId": one.split(":")[1], "TxnType": "Invoice"}]}
            for one in these
        ]
        office.late += timedelta(minutes=1)
        office.act(money, "edit", Line=lines)

    assert parts() == ({key(first): (first, 10), key(second): (second, 20)}, {money})
    apply(first, third)
    assert parts() == ({key(first): (first, 5), key(third): (third, 5)}, {money, key(second)})
    apply(third)
    assert parts() == ({money: (third, 5)}, {key(first), key(third)})
    apply(second)
    assert parts() == ({money: (second, 5)}, {key(second), key(third)})


def test_money_set_against_nothing_is_no_orders(office):
    money = office.pay(total=15)
    (seen,) = office.told("payments")
    assert (seen.ref, seen.body) == (name(Kind.PAYMENT, money), None)


def test_what_is_more_than_due_is_no_payment_of_the_order(office):
    made = office.enter("Invoice", **_plain_form())
    office.pay((made, 30), total=50)
    (seen,) = office.shown("payments")
    assert seen.body.amount == 30


@pytest.mark.parametrize("what", ["cancel", "delete"])
def test_a_payment_taken_back_is_gone(office, what):
    made = office.export(view(COLA))
    money = f"Payment:{office.act(made, 'pay', amount=20)}"
    (before,) = office.shown("payments")
    office.late += timedelta(minutes=1)
    office.act(money, what)
    for told in (office.told("payments"), office.fetch(*money.split(":"))):
        assert {one.body for one in told} == {None}
        (seen,) = (one for one in told if one.ref == before.ref)
        assert seen.changed > before.changed


# -- credits and refunds ---------------------------------------------------------------------------


def test_a_credit_of_ours_is_of_its_invoice(office):
    order = view(COLA)
    invoice = office.export(order)
    memo = office.export_child(back("24.00", lines=[("l-COLA", 1, "20.00")]), order)
    assert memo.startswith("CreditMemo:")
    told = {one.ref: one for one in office.told("payments")}
    seen = told[name(Kind.INVOICE, memo)]
    assert seen.body.credits == name(Kind.INVOICE, invoice)
    assert (seen.body.order, seen.parent) == (name(Kind.ORDER, invoice),) * 2
    assert (seen.body.totals.gross, seen.body.state) == (24, InvoiceState.ISSUED)
    # The payment of nought that joins the two is no money.
    (joining,) = (one for one in told.values() if one.ref.kind is Kind.PAYMENT)
    assert joining.body is None


def test_a_credit_set_against_nothing_is_of_no_order_yet(office):
    made = office.export(view(COLA))
    memo = f"CreditMemo:{office.act(made, 'credit', amount=5)}"
    (seen,) = office.told("payments")
    assert (seen.ref, seen.body) == (name(Kind.INVOICE, memo), None)
    office.act(memo, "delete")
    assert [one.body for one in office.fetch(*memo.split(":"))] == [None]


def test_money_and_credit_used_together(office):
    made = office.enter("Invoice", **_plain_form())
    memo = office.act(made, "credit", amount=10)
    credit = {"Amount": 10, "LinkedTxn": [{"TxnId": memo, "TxnType": "CreditMemo"}]}
    invoice = {"TxnId": made.split(":")[1], "TxnType": "Invoice"}
    lines = [{"Amount": 30, "LinkedTxn": [invoice]}, credit]
    office.enter("Payment", CustomerRef={"value": "58"}, TotalAmt=20, Line=lines)
    told = {one.ref.kind: one.body for one in office.shown("payments")}
    assert told[Kind.PAYMENT].amount == 20
    assert told[Kind.INVOICE].totals.gross == 10


def test_a_refund_of_ours_is_known(office):
    order = view(COLA, sort="RETAIL", children=(paid("48.00"),))
    office.export(order)
    made = office.export_child(back("48.00", key="refund-of-all-of-5501"), order)
    (seen,) = office.told("payments")
    assert seen.ref == name(Kind.REFUND, made)
    assert seen.reference == "shop-uk/refund-of-all-of-5501"


def test_a_refund_of_a_person_is_of_the_sale_whose_number_it_names(office):
    order = view(COLA, sort="RETAIL", children=(paid("48.00"),))
    sale = office.export(order)
    made = f"RefundReceipt:{office.act(sale, 'credit', amount=8)}"
    (seen,) = office.told("payments")
    assert (seen.ref, seen.body) == (name(Kind.REFUND, made), None)
    office.act(made, "edit", PaymentRefNum="shop-uk/5501", TxnDate="2026-11-19")
    (seen,) = office.told("payments")
    assert (seen.parent, seen.body.order) == (name(Kind.ORDER, sale),) * 2
    assert (seen.body.amount, seen.body.at.date()) == (8, date(2026, 11, 19))
    # What names the sale is no mark of ours.
    assert "/" not in seen.reference
    office.act(made, "delete")
    assert [one.body for one in office.told("payments")] == [None]


# -- customers and items ---------------------------------------------------------------------------


def test_customers(office):
    made = office.export(customer(BAR))
    (seen,) = (one for one in office.told("customers") if one.ref == name(Kind.CUSTOMER, made))
    assert seen.body.contact.name == "Blue Bar"
    assert seen.body.contact.email == "bar@example.com"
    (place,) = seen.body.addresses
    assert (place.street, place.street2, place.city) == ("Dock 2", "2 Quay", "Leeds")
    assert (place.postal_code, place.country) == ("LS1", None)


def test_a_trade_customer_with_terms_who_is_put_out_of_use(office):
    made = office.enter(
        "Customer",
        DisplayName="The Full Glass",
        GivenName="Ann",
        FamilyName="Bar",
        CompanyName="Full Glass Ltd",
        PrimaryPhone={"FreeFormNumber": "0113 496 0000"},
        SalesTermRef={"value": "3"},
    )
    (seen,) = office.fetch(*made.split(":"))
    told = seen.body
    assert (told.contact.name, told.contact.phone) == ("Ann Bar", "0113 496 0000")
    assert (told.company.name, told.terms.payment_days) == ("Full Glass Ltd", 30)
    office.act(made, "block")
    (seen,) = (one for one in office.told("customers") if one.ref == name(Kind.CUSTOMER, made))
    assert seen.body is None


def test_items_with_prices_and_stock():
    office = Office()
    tonic = office.enter("Item", **office.tonic | {"Id": None})
    key = tonic.split(":")[1]
    product, price, stock = office.fetch("Item", key)
    assert (product.ref, price.ref) == (name(Kind.PRODUCT, key), name(Kind.PRICE, key))
    assert stock.ref == name(Kind.STOCK_LEVEL, f"{key}@main")
    assert (product.body.sku, product.body.name) == ("TONIC", "Tonic 200 ml")
    assert (price.body.price.amount, price.body.price.currency) == (Decimal("9.41"), "GBP")
    assert price.body.product == stock.body.product == product.ref
    assert (stock.body.on_hand, stock.body.location) == (40, "main")
    assert stock.changed == stock.body.as_of
    named = {one.ref.external_id: one for one in office.shown("items")}
    # One without a SKU goes by its name.
    assert named["21"].body.sku == "Crate deposit"
    office.act(f"Item:{key}", "block")
    product, *_ = office.fetch("Item", key)
    assert not product.body.is_active


def test_a_sale_moves_stock_and_no_clock(office):
    key = office.enter("Item", **office.tonic | {"Id": None}).split(":")[1]
    office.late += timedelta(hours=2)
    detail = {"ItemRef": {"value": key}, "Qty": 10, "UnitPrice": 1}
    sold = {"DetailType": "SalesItemLineDetail", "Amount": 10, "SalesItemLineDetail": detail}
    office.enter("Invoice", **_plain_form(Line=[sold]))
    lately = Span(datetime.now(UTC) + timedelta(hours=1))
    (seen,) = office.told("items", span=lately)
    assert (seen.ref.kind, seen.body.on_hand) == (Kind.STOCK_LEVEL, 30)


# -- rounds ----------------------------------------------------------------------------------------


class ByThree(QuickBooksPull):
    per_page = 3


class ByOne(QuickBooksPull):
    per_page = 1


@pytest.mark.parametrize("reader", [ByThree(), ByOne()])
@pytest.mark.parametrize("apart", [0, 60])
def test_a_round_passes_nothing_by(office, reader, apart):
    frozen = datetime.now(UTC)
    office.sandbox.clock = lambda: frozen + office.late
    made = set()
    for number in range(7):
        office.late += timedelta(seconds=apart)
        made.add(office.enter("Invoice", **_plain_form(DocNumber=str(number))))
    told = {one.ref.external_id for one in office.told("invoices", reader=reader)}
    assert told == made


def test_a_round_reads_what_its_span_says(office):
    office.enter("Invoice", **_plain_form(DocNumber="1"))
    middle = datetime.now(UTC) + timedelta(hours=1)
    office.late += timedelta(hours=2)
    office.enter("Invoice", **_plain_form(DocNumber="2"))

    def numbers(span):
        return [one.body.number for one in office.shown("invoices", span=span)]

    assert numbers(Span(middle)) == ["2"]
    assert numbers(Span(LONG_AGO.since, middle)) == ["1"]


def test_what_cannot_be_told_is_left_to_a_hint(office):
    bad = office.enter("Invoice", **_plain_form(DocNumber="1"))
    good = office.enter("Invoice", **_plain_form(DocNumber="2"))
    row = office.sandbox.books.rows["Invoice"][bad.split(":")[1]]
    office.sandbox.books.rows["Invoice"][row["Id"]] = row | {"CurrencyRef": {"value": "???"}}
    hints = {Hint("Invoice", one.split(":")[1]) for one in (bad, good)}
    assert set(office.told("invoices")) == hints


def test_another_companys_records_are_not_read(office):
    made = office.export(view(COLA)).split(":")[1]
    assert office.fetch("Invoice", f"9130350000000001/{made}")
    before = len(office.transport.requests)
    assert office.fetch("Invoice", f"9130350000000002/{made}") == []
    assert len(office.transport.requests) == before


def test_pull_and_target_share_one_grant(office):
    office.export(view(COLA))
    auth = PULL.auth(SECRET, office.connection)
    auth.share(office.table, "books", office.now)
    vendor = VendorClient(
        platform="quickbooks",
        base_url=office.base,
        auth=auth,
        errors=PULL.errors,
        timeout=timedelta(seconds=25),
        transport=office.transport,
    )
    assert PULL.changes(vendor, "invoices", None, LONG_AGO, office.connection).told
    assert office.sandbox.accepted["token refreshed"] == 1


def test_a_bundle_is_what_is_in_it_and_negative_lines_take_away():
    def sold(identity, amount, **more):
        detail = {"ItemRef": {"value": identity}, "Qty": 2, "UnitPrice": 4}
        named = {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        return {"Id": identity, "Amount": Decimal(amount)} | named | more

    bundle = {
        "DetailType": "GroupLineDetail",
        "Amount": 8,
        "GroupLineDetail": {"Line": [sold("1", 8)]},
    }
    told = wire.Told.model_validate(
        {
            "Id": "7",
            "SyncToken": "0",
            "MetaData": {"LastUpdatedTime": "2026-11-20T02:00:00-08:00"},
            "TxnDate": "2026-11-20",
            "CurrencyRef": {"value": "EUR", "name": "Euro"},
            "TotalAmt": 5,
            "Line": [bundle, sold("2", -3)],
        }
    )
    goods = wire.Item(id="1", name="Cola", type="Inventory")
    books = reading.Books(Bench().connection, "GBP", {"1": goods})
    seen = reading.sale("Invoice", told, books)
    assert seen.changed == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (seen.body.currency, seen.body.number) == ("EUR", "7")
    kinds = [(one.id, one.type, one.sku, one.amount) for one in seen.body.lines]
    assert kinds == [("1", LineType.GOODS, "Cola", 8), ("2", LineType.DISCOUNT, None, 3)]
