"""What Business Central says of the orders it holds, read back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from fizzbridge.errors import NotThereError
from fizzbridge.model.documents import InvoiceState, ReturnState, ShipmentState
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import LineType
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.business_central import reading
from platforms.business_central.wire import Bill, PostedShipment, SalesOrder
from tests.kit.orders import line
from tests.platforms.business_central.business_central_orders import (
    AT,
    LONG_AGO,
    PULL,
    Desk,
    view,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def desk():
    return Desk()


def counted(body):
    return [(one.sku, one.quantity, one.order_line_id) for one in body.lines]


# -- orders ----------------------------------------------------------------------------------------


def test_how_far_an_order_is(desk):
    order = desk.export(view(COLA))

    def state():
        (seen,) = desk.told("orders")
        assert seen.ref == ref(Kind.ORDER, "erp", order)
        assert (seen.part, seen.changed, seen.body.changed_at) == (
            Part.PROCESSING,
            desk.time,
            desk.time,
        )
        assert seen.body.number == "101001"
        assert seen.refetch == Hint("order", order)
        assert desk.fetch(seen.refetch) == [seen]
        desk.later()
        return seen.body.state

    desk.do("reopen")
    assert state() is OrderState.CONFIRMED
    desk.do("submit")
    assert state() is OrderState.HELD
    desk.do("reopen")
    assert state() is OrderState.CONFIRMED
    desk.do("release")
    assert state() is OrderState.RELEASED
    desk.do("reopen")
    desk.do("ship", lines=[{"sku": "COLA", "quantity": 1}])
    assert state() is OrderState.RELEASED


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        ("Draft", [(2, 0, 0)], OrderState.CONFIRMED),
        ("Draft", [(0, 0, 0)], OrderState.CONFIRMED),
        ("Draft", [], OrderState.CONFIRMED),
        ("In Review", [(2, 0, 0)], OrderState.HELD),
        ("In Review", [(2, 1, 0)], OrderState.RELEASED),
        ("Open", [(2, 2, 1)], OrderState.RELEASED),
        ("Open", [(2, 2, 2), (1, 0, 0)], OrderState.RELEASED),
        ("Draft", [(2, 2, 2), (-1, -1, -1)], OrderState.CLOSED),
        ("Draft", [(2, 2, 2), (-1, 0, 0)], OrderState.RELEASED),
    ],
)
def test_the_state_of_an_order(desk, status, lines, expected):
    desk.export(view(COLA))
    row = desk.client().get("/salesOrders?$expand=salesOrderLines").data["value"][0]
    sold, *comments = row["salesOrderLines"]
    names = ("quantity", "shippedQuantity", "invoicedQuantity")
    row["salesOrderLines"] = [sold | dict(zip(names, one, strict=True)) for one in lines] + comments
    seen = reading.order(SalesOrder.model_validate(row | {"status": status}), "erp")
    assert seen.body.state is expected


def test_an_order_posted_in_full_is_closed_by_its_invoice(desk):
    order = desk.export(view(COLA))
    desk.later()
    desk.do("ship", lines=[{"sku": "COLA", "quantity": 1}])
    desk.do("invoice")
    (invoice,) = desk.told("invoices")
    assert invoice.ref.kind is Kind.INVOICE
    released = desk.told("orders")[0]
    desk.later()
    desk.do("post")
    assert not desk.told("orders")
    *_, end = desk.told("invoices")
    assert (end.ref, end.part) == (ref(Kind.ORDER, "erp", order), Part.PROCESSING)
    assert (end.body.state, end.body.number) == (OrderState.CLOSED, "101001")
    assert end.changed == desk.time > released.changed
    assert desk.fetch(end.refetch) == [end]


def test_an_order_that_is_deleted_says_nothing(desk):
    order = desk.export(view(COLA))
    desk.do("delete")
    with pytest.raises(NotThereError):
        desk.fetch(Hint("order", order))


# -- shipments -------------------------------------------------------------------------------------


def test_shipments_are_counted_in_base_units(desk):
    order = desk.export(view(COLA, line("LEMON", 7, "7.00", unit="EACH"), FREIGHT))
    desk.do("ship", lines=[{"sku": "COLA", "quantity": 1}])
    (first,) = desk.told("shipments")
    assert first.ref == ref(Kind.SHIPMENT, "erp", desk.last("salesShipments")["id"])
    assert first.parent == first.body.order == ref(Kind.ORDER, "erp", order)
    assert first.changed == AT
    assert (first.body.number, first.body.state) == ("102001", ShipmentState.DISPATCHED)
    assert first.body.dispatched_at == NOON
    assert counted(first.body) == [("COLA", 24, "")]
    assert first.refetch == Hint("shipment", first.ref.external_id)
    assert desk.fetch(first.refetch) == [first]
    desk.later()
    desk.do("ship")
    _, rest = desk.told("shipments")
    assert sorted(counted(rest.body)) == [("COLA", 24, ""), ("LEMON", 7, "")]


def test_shipments_find_their_order_when_it_is_gone(desk):
    order = desk.export(view(COLA))
    desk.do("post")
    assert not desk.orders()
    (sent,) = desk.told("shipments")
    assert sent.parent == ref(Kind.ORDER, "erp", order)
    assert counted(sent.body) == [("COLA", 48, "")]


def test_base_units_ask_no_ledger(desk):
    desk.export(view(line("LEMON", 7, "7.00", unit="EACH")))
    desk.do("ship")
    assert [counted(one.body) for one in desk.told("shipments")] == [[("LEMON", 7, "")]]
    assert not [r for r in desk.transport.requests if "itemLedgerEntries" in r.url.path]


def posted(desk, *lines, **more):
    """A posted shipment with lines (type, number, unit, quantity)."""
    desk.export(view(COLA))
    desk.do("ship")
    row = desk.client().get("/salesShipments?$expand=salesShipmentLines").data["value"][0]
    names = ("lineType", "lineObjectNumber", "unitOfMeasureCode", "quantity")
    base = row["salesShipmentLines"][0]
    row["salesShipmentLines"] = [base | dict(zip(names, one, strict=True)) for one in lines]
    return PostedShipment.model_validate(row | more)


@pytest.mark.parametrize(
    ("lines", "moved", "state", "expected"),
    [
        (  # undone line by line
            [("Item", "LEMON", "PCS", 7), ("Item", "LEMON", "PCS", -7)],
            {},
            ShipmentState.CANCELLED,
            [],
        ),
        (
            [("Item", "COLA", "CASE", 2), ("Item", "COLA", "CASE", -2)],
            {"COLA": Decimal(0)},
            ShipmentState.CANCELLED,
            [],
        ),
        (
            [("Item", "LEMON", "PCS", 7), ("Item", "LEMON", "PCS", -3)],
            {},
            ShipmentState.DISPATCHED,
            [("LEMON", 4, "")],
        ),
        (  # what comes back with a delivery is no part of it
            [("Item", "LEMON", "PCS", 7), ("Item", "EMPTY", "PCS", -5)],
            {},
            ShipmentState.DISPATCHED,
            [("LEMON", 7, "")],
        ),
        (  # nobody says how many are in a case of what is not kept in stock
            [("Item", "MUGS", "CASE", 2), ("Item", "SHIP", "PCS", 1), ("Account", "40400", "", 1)],
            {},
            ShipmentState.DISPATCHED,
            [],
        ),
        ([("Item", "KEG", "LITRE", 1)], {"KEG": Decimal("0.5")}, ShipmentState.DISPATCHED, []),
    ],
)
def test_what_a_shipment_counts(desk, lines, moved, state, expected):
    told = posted(desk, *lines)
    body = reading.shipment(told, moved, "o-1", desk.connection).body
    assert (body.state, counted(body)) == (state, expected)


def test_the_ledger_is_asked_for_shipments_only(desk):
    """Documents of several kinds may share a number."""
    desk.export(view(COLA))
    desk.do("ship")
    other = {"documentNumber": "102001", "documentType": "Sales Credit Memo", "itemNumber": "COLA"}

    def answer(request):
        answer = desk.transport.handle_request(request)
        if "itemLedgerEntries" not in request.url.path:
            return answer
        value = answer.json()["value"] + [other | {"quantity": 5}]
        return httpx.Response(200, json={"value": value})

    vendor = desk.plain(httpx.MockTransport(answer))
    page = PULL.changes(vendor, "shipments", None, LONG_AGO, desk.connection)
    assert [counted(one.body) for one in page.told] == [[("COLA", 48, "")]]


# -- invoices, credit notes, returns ---------------------------------------------------------------


def test_an_invoice(desk):
    order = desk.export(view(COLA, FREIGHT))
    desk.do("post")
    invoice, _ = desk.told("invoices")
    shown = desk.last("salesInvoices")
    assert invoice.ref == ref(Kind.INVOICE, "erp", shown["id"])
    assert invoice.parent == invoice.body.order == ref(Kind.ORDER, "erp", order)
    assert invoice.changed == AT
    assert invoice.refetch == Hint("invoice", shown["id"])
    assert desk.fetch(invoice.refetch)[0] == invoice
    body = invoice.body
    assert (body.number, body.state, body.credits) == ("103001", InvoiceState.ISSUED, None)
    assert body.issued_on == date.fromisoformat(shown["invoiceDate"])
    assert body.due_on == date.fromisoformat(shown["dueDate"])
    assert (body.currency, body.tax_included) == ("GBP", False)
    assert (body.totals.net, body.totals.tax, body.totals.gross) == (
        Decimal("60.84"),
        Decimal("9.17"),
        Decimal("70.01"),
    )
    goods, freight = body.lines
    assert (goods.type, goods.sku, goods.quantity) == (LineType.GOODS, "COLA", 2)
    assert (goods.unit_price, goods.amount, goods.tax) == (
        Decimal("22.92"),
        Decimal("45.84"),
        Decimal("9.17"),
    )
    (share,) = goods.taxes
    assert (share.title, share.rate, share.amount) == ("STANDARD", Decimal("0.2"), goods.tax)
    assert (goods.is_stocked, freight.is_stocked) == (True, False)
    assert (freight.type, freight.amount) == (LineType.FREIGHT, 15)


def test_what_is_paid_stays_an_invoice(desk):
    desk.export(view(COLA))
    desk.do("post")
    before, _ = desk.told("invoices")
    desk.later()
    desk.do("pay", "103001", "salesInvoices")
    after, end = desk.told("invoices")
    assert (after.body, after.changed) == (before.body, desk.time)
    assert end.body.state is OrderState.CLOSED


def bill(desk, *lines, **more):
    """A posted invoice with lines of other values."""
    desk.export(view(COLA))
    desk.do("post")
    row = desk.client().get("/salesInvoices?$expand=salesInvoiceLines").data["value"][0]
    base = row["salesInvoiceLines"][0]
    row["salesInvoiceLines"] = [base | one for one in lines]
    return Bill.model_validate(row | more)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"lineObjectNumber": "SHIP"}, (LineType.FREIGHT, "SHIP", False)),
        ({"lineType": "Account", "lineObjectNumber": "40400"}, (LineType.FEE, None, False)),
        ({"lineType": "Charge", "lineObjectNumber": "PALLET"}, (LineType.FEE, None, False)),
        ({"lineObjectNumber": "ROUND"}, (LineType.ROUNDING, "ROUND", False)),
        ({"lineObjectNumber": "BACK"}, (LineType.FEE, "BACK", False)),
        ({}, (LineType.GOODS, "COLA", True)),
    ],
)
def test_what_a_line_is(fields, expected):
    desk = Desk(rounding_sku="round", deposit_refund_sku="BACK")
    body = reading.invoice(bill(desk, fields), "o-1", None, desk.connection).body
    (shown,) = body.lines
    assert (shown.type, shown.sku, shown.is_stocked) == expected


@pytest.mark.parametrize(
    ("number", "kind"), [("BACK", LineType.DEPOSIT_REFUND), ("COLA", LineType.DISCOUNT)]
)
def test_what_lowers_the_sum(number, kind):
    desk = Desk(deposit_refund_sku="BACK")
    amounts = {"netAmount": -10, "netTaxAmount": -2, "netAmountIncludingTax": -12, "quantity": -5}
    told = bill(desk, {"lineObjectNumber": number} | amounts)
    (shown,) = reading.invoice(told, "o-1", None, desk.connection).body.lines
    assert (shown.type, shown.quantity, shown.amount, shown.tax) == (kind, 5, 10, 2)


def test_prices_with_tax_discounts_hours_and_no_date(desk):
    told = bill(
        desk,
        {
            "quantity": Decimal("1.5"),
            "discountAmount": Decimal("1.25"),
            "invoiceDiscountAllocation": Decimal("0.75"),
        },
        pricesIncludeTax=True,
        dueDate="0001-01-01",
    )
    body = reading.invoice(told, "o-1", None, desk.connection).body
    (shown,) = body.lines
    assert body.tax_included
    assert body.due_on is None
    assert (shown.amount, shown.tax, shown.quantity) == (Decimal("55.01"), Decimal("9.17"), 1)
    assert shown.discount == body.totals.discount == 2


def test_a_credit_note_about_money(desk):
    order = desk.export(view(COLA))
    desk.do("post")
    desk.later()
    desk.do("credit", "103001", "salesInvoices", amount=Decimal("6.01"))
    (note,) = desk.told("credit_notes")
    memo = desk.last("salesCreditMemos")
    assert note.ref == ref(Kind.INVOICE, "erp", memo["id"])
    assert note.parent == ref(Kind.ORDER, "erp", order)
    assert note.body.credits == ref(Kind.INVOICE, "erp", desk.last("salesInvoices")["id"])
    assert (note.body.state, note.body.totals.gross) == (InvoiceState.ISSUED, Decimal("6.01"))
    assert note.body.issued_on == date.fromisoformat(memo["creditMemoDate"])
    assert note.refetch == Hint("credit_note", memo["id"])
    assert desk.fetch(note.refetch) == [note]


def test_goods_that_come_back_by_the_case(desk):
    order = desk.export(view(COLA))
    desk.do("post")
    desk.later()
    desk.do("return", "103001", "salesInvoices", lines=[{"sku": "COLA", "quantity": 1}])
    note, back = desk.told("credit_notes")
    assert note.ref.kind is Kind.INVOICE
    assert back.ref == ref(Kind.RETURN, "erp", note.ref.external_id)
    assert back.parent == back.body.order == ref(Kind.ORDER, "erp", order)
    assert (back.body.number, back.body.state) == (note.body.number, ReturnState.RECEIVED)
    assert back.body.received_at == NOON
    assert counted(back.body) == [("COLA", 24, "")]
    assert desk.fetch(back.refetch) == [note, back]


def test_an_invoice_that_is_cancelled_is_taken_back_by_its_memo(desk):
    desk.export(view(COLA))
    desk.do("post")
    desk.later()
    desk.act(f"salesInvoices({desk.last('salesInvoices')['id']})/Microsoft.NAV.cancel")
    invoice, _ = desk.told("invoices")
    assert invoice.body.state is InvoiceState.ISSUED
    (note,) = desk.told("credit_notes")  # and nobody brought anything
    assert note.body.credits == invoice.ref
    assert note.body.totals == invoice.body.totals


def test_a_memo_that_is_cancelled_is_void(desk):
    told = bill(desk, {}, status="Canceled")
    assert reading.invoice(told, "o-1", "i-1", desk.connection).body.state is InvoiceState.VOIDED
    assert reading.returned(told, {}, "o-1", desk.connection) is None


def test_drafts_are_not_told(desk):
    desk.export(view(COLA))
    desk.do("post")
    invoice = desk.last("salesInvoices")["id"]
    desk.act(f"salesInvoices({invoice})/Microsoft.NAV.makeCorrectiveCreditMemo")
    assert desk.last("salesCreditMemos")["status"] == "Draft"
    assert not desk.told("credit_notes")


def test_documents_of_no_order_are_not_told(desk):
    made = {"customerId": desk.customer}
    for name in ("salesInvoices", "salesCreditMemos"):
        line_name = f"{name[:-1]}Lines"
        lines = [{"lineType": "Item", "lineObjectNumber": "LEMON", "quantity": 1, "unitPrice": 1}]
        made_id = desk.client().post(f"/{name}", json=made | {line_name: lines}, writes=True).data
        desk.act(f"{name}({made_id['id']})/Microsoft.NAV.post")
    assert not desk.told("invoices")
    assert not desk.told("credit_notes")


def test_documents_that_are_gone(desk):
    for what, kind in (
        ("shipment", Kind.SHIPMENT),
        ("invoice", Kind.INVOICE),
        ("credit_note", Kind.INVOICE),
    ):
        (gone,) = desk.fetch(Hint(what, NOBODY))
        assert (gone.ref, gone.body) == (ref(kind, "erp", NOBODY), None)


# -- what the vendor may do differently ------------------------------------------------------------


def changed(desk, **changes):
    """A client to a Business Central that answers some collections otherwise."""

    def answer(request):
        name = request.url.path.rsplit("/", 1)[-1]
        real = desk.transport.handle_request(request)
        if name not in changes:
            return real
        value = [changes[name](row) for row in real.json()["value"]]
        return httpx.Response(200, json={"value": [row for row in value if row]})

    return desk.plain(httpx.MockTransport(answer))


def read(desk, stream, **changes):
    return list(
        PULL.changes(changed(desk, **changes), stream, None, LONG_AGO, desk.connection).told
    )


def test_an_order_nobody_knows_any_more(desk):
    """Whether an invoice names its order's id is not written down."""
    desk.export(view(COLA))
    desk.do("post")
    desk.do("credit", "103001", "salesInvoices")
    without = {"salesInvoices": lambda row: row | {"orderId": NOBODY}}
    for stream in ("shipments", "invoices", "credit_notes"):
        assert not read(desk, stream, **without)


def test_an_invoice_that_names_its_order_by_number_only(desk):
    order = desk.export(view(COLA))
    desk.do("ship", lines=[{"sku": "COLA", "quantity": 1}])
    desk.do("invoice")
    (told,) = read(desk, "invoices", salesInvoices=lambda row: row | {"orderId": NOBODY})
    assert told.parent == ref(Kind.ORDER, "erp", order)


def test_an_invoice_that_takes_a_cancelled_memo_back_is_not_told(desk):
    desk.export(view(COLA))
    desk.do("post")
    assert not read(desk, "invoices", salesInvoices=lambda row: row | {"status": "Corrective"})


def test_a_record_that_cannot_be_told_holds_up_no_other(desk):
    desk.export(view(COLA))
    desk.do("post")
    wrong = {"salesInvoices": lambda row: row | {"totalTaxAmount": 1}}
    invoice = desk.last("salesInvoices")["id"]
    assert read(desk, "invoices", **wrong) == [Hint("invoice", invoice)]


# -- rounds ----------------------------------------------------------------------------------------


def numbers(told):
    return [one.body.number for one in told]


def many(count, **seed):
    desk = Desk(seed=seed)
    for place in range(count):
        desk.export(view(COLA), f"shop-uk/{place}")
    return desk


def test_records_that_share_a_time_are_read_in_one_go():
    desk = many(5, page_size=2)
    for key in ("101001", "101002", "101003", "101004", "101005"):
        desk.do("reopen", key)
    page = desk.page("orders")
    assert not page.is_last
    assert set(numbers(desk.told("orders"))) == {f"10100{place}" for place in range(1, 6)}
    again = desk.page("orders", page.cursor)
    assert numbers(again.told) == numbers(desk.page("orders", page.cursor).told)


def test_what_changes_during_a_round_is_not_passed_by():
    desk = many(5, page_size=2)
    for key in ("101001", "101002", "101003", "101004", "101005"):
        desk.do("reopen", key)
        desk.later()
    first = desk.page("orders")
    assert numbers(first.told) == ["101001", "101002"]
    desk.do("release", "101001")
    second = desk.page("orders", first.cursor)
    assert numbers(second.told) == ["101002", "101003"]
    third = desk.page("orders", second.cursor)
    fourth = desk.page("orders", third.cursor)
    assert numbers(fourth.told) == ["101004", "101005"]
    fifth = desk.page("orders", fourth.cursor)
    assert numbers(fifth.told) == ["101005", "101001"]
    assert fifth.is_last
    assert fifth.told[-1].body.state is OrderState.RELEASED


def test_a_span_holds_both_its_ends():
    desk = many(3)
    times = []
    for key in ("101001", "101002", "101003"):
        desk.do("reopen", key)
        times.append(desk.time)
        desk.later()
    assert numbers(desk.told("orders", Span(times[1]))) == ["101002", "101003"]
    assert numbers(desk.told("orders", Span(times[0], times[1]))) == ["101001", "101002"]
    assert not desk.told("orders", Span(times[0] - timedelta(hours=2), times[0] - timedelta(1)))


def test_lists_come_from_the_replica_and_what_they_belong_to_does_not():
    desk = many(1, replica_lag_seconds=30)
    desk.do("post")
    assert not desk.told("shipments")
    desk.later()
    desk.transport.requests.clear()
    assert len(desk.told("shipments")) == 1
    assert [
        (request.url.path.rsplit("/", 1)[-1], request.headers.get("data-access-intent"))
        for request in desk.transport.requests
    ] == [
        ("salesShipments", "ReadOnly"),
        ("salesOrders", None),
        ("salesInvoices", None),
        ("itemLedgerEntries", None),
    ]
