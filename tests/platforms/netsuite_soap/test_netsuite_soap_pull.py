from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge import errors
from fizzbridge.model.documents import InvoiceState, ReturnState, ShipmentState
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import LineType
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.netsuite_soap import reading
from platforms.netsuite_soap.pull import SETTLED
from platforms.netsuite_soap.reading import Known
from platforms.netsuite_soap.transport import SALES, kind, write
from platforms.netsuite_soap.wire import Item, Transaction, Uom
from tests.kit.orders import line
from tests.platforms.netsuite_soap.netsuite_soap_desk import AT, Desk, Small, asked
from tests.platforms.netsuite_soap.netsuite_soap_orders import connection, view
from tests.platforms.netsuite_soap.netsuite_soap_recorded import NOW, Recorded, results
from tests.platforms.netsuite_soap.netsuite_soap_spec import SPECS, validate

COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")
CRATE = line(None, 3, "3.00", rates=(), kind="DEPOSIT", id="crate")


@pytest.fixture
def desk():
    return Desk()


def counted(body):
    return [(one.sku, one.quantity, one.lot) for one in body.lines]


# -- orders ----------------------------------------------------------------------------------------


def test_how_far_an_order_is():
    desk = Desk(confirm="by hand")
    order = desk.export(view(COLA))
    at, desk.time = desk.time, desk.time + timedelta(minutes=10)
    (seen,) = desk.told()
    assert seen.ref == ref(Kind.ORDER, "erp", order)
    assert (seen.part, seen.changed, seen.parent) == (Part.PROCESSING, at, None)
    assert seen.refetch == Hint("order", order)
    assert (seen.body.number, seen.body.changed_at) == (desk.read(order)["tranId"], at)
    assert seen.body.state is OrderState.HELD

    def state():
        (seen,) = desk.of(Kind.ORDER)
        return seen.body.state

    desk.act(f"orders/{order}/approve")
    assert state() is OrderState.CONFIRMED
    desk.act(f"orders/{order}/ship", lines=[{"sku": "COLA", "quantity": 1}])
    assert state() is OrderState.RELEASED
    desk.act(f"orders/{order}/ship")
    assert state() is OrderState.RELEASED
    desk.act(f"orders/{order}/invoice")
    assert state() is OrderState.CLOSED


def transaction(sort, *rows, **fields):
    """A transaction as it is read from XML."""
    there = {
        "internalId": "800",
        "sort": sort,
        "tranId": "T1",
        "tranDate": "2026-11-20T00:00:00.000-08:00",
        "lastModifiedDate": "2026-11-20T01:00:00.000-08:00",
        "createdFrom": {"internalId": "735", "name": "Sales Order #SO1"},
        "itemList": {"item": list(rows)},
    }
    return Transaction.model_validate(there | fields)


@pytest.mark.parametrize(
    ("status", "shipped", "confirm", "expected"),
    [
        ("_pendingApproval", "0.0", "on_placed", OrderState.RECEIVED),
        ("_pendingApproval", "0.0", "by hand", OrderState.HELD),
        ("_pendingFulfillment", "0.0", "on_placed", OrderState.CONFIRMED),
        ("_partiallyFulfilled", "1.0", "on_placed", OrderState.RELEASED),
        ("_pendingBillingPartFulfilled", "1.0", "on_placed", OrderState.RELEASED),
        ("_pendingBilling", "2.0", "on_placed", OrderState.RELEASED),
        ("_fullyBilled", "2.0", "on_placed", OrderState.CLOSED),
        ("_closed", "1.0", "on_placed", OrderState.CLOSED),
        ("_closed", "0.0", "on_placed", OrderState.CANCELLED),
        ("_cancelled", "0.0", "on_placed", OrderState.CANCELLED),
        ("_undefined", "0.0", "on_placed", OrderState.RECEIVED),
    ],
)
def test_the_state_of_an_order(status, shipped, confirm, expected):
    order = transaction("SalesOrder", {"quantityFulfilled": shipped}, orderStatus=status)
    assert reading.order(order, connection(confirm=confirm)).body.state is expected


def test_an_order_that_is_cancelled_or_deleted(desk):
    order = desk.place(COLA)
    desk.act(f"orders/{order}/cancel")
    (seen,) = desk.told()
    assert seen.body.state is OrderState.CANCELLED
    deleted_at = desk.time
    desk.act(f"orders/{order}/delete")
    assert desk.told() == []
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body, gone.part) == (seen.ref, None, Part.PROCESSING)
    assert gone.changed == deleted_at
    (again,) = desk.fetch(seen.refetch)
    assert (again.ref, again.body, again.part) == (gone.ref, None, gone.part)
    assert again.changed == desk.time


# -- fulfilments -----------------------------------------------------------------------------------


def test_a_fulfilment_in_two_parts(desk):
    order = desk.place(COLA, FREIGHT)
    theirs = ref(Kind.ORDER, "erp", order)
    at = desk.time
    part = [{"sku": "COLA", "quantity": 1}]
    first = desk.act(f"orders/{order}/ship", lines=part, carrier="DHL", tracking="T 1")
    second = desk.act(f"orders/{order}/ship")
    one, two = desk.of(Kind.SHIPMENT)
    assert one.ref == ref(Kind.SHIPMENT, "erp", first)
    assert (one.parent, one.body.order, one.changed) == (theirs, theirs, at)
    assert one.refetch == Hint("shipment", first)
    assert one.body.number.startswith("IF")
    assert (one.body.state, one.body.dispatched_at) == (ShipmentState.DISPATCHED, at)
    assert one.body.tracking_number == "T 1"
    assert counted(one.body) == [("COLA", 24, "")]
    assert (two.ref.external_id, counted(two.body)) == (second, [("COLA", 24, "")])
    again = desk.fetch(one.refetch)
    assert {seen.ref for seen in again} == {one.ref, theirs}
    assert one in again


def test_a_fulfilment_that_was_undone(desk):
    order = desk.place(COLA)
    sent = desk.act(f"orders/{order}/ship")
    (seen,) = desk.of(Kind.SHIPMENT)
    desk.act(f"shipments/{sent}/delete")
    assert desk.of(Kind.SHIPMENT) == []
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body, gone.part) == (seen.ref, None, Part.RECORD)
    assert gone.changed > seen.changed


def test_what_is_only_picked_is_planned(desk):
    order = desk.place(COLA)
    rows = [{"orderLine": 1, "itemReceive": True, "quantity": 2, "location": {"@internalId": "1"}}]
    of = {"createdFrom": {"@internalId": order}, "itemList": {"@replaceAll": True, "item": rows}}
    desk.make("ItemFulfillment", **of)
    (seen,) = desk.of(Kind.SHIPMENT)
    assert (seen.body.state, seen.body.dispatched_at) == (ShipmentState.PLANNED, None)
    assert counted(seen.body) == [("COLA", 48, "")]


CANS = (
    Uom(internal_id="1", unit_name="Can", abbreviation="ea", base_unit=True, conversion_rate=1),
    Uom(internal_id="3", unit_name="Case of 24", plural_name="Cases of 24", conversion_rate=24),
)


def known_item(internal_id, sort, item_id, external_id="", units_type=""):
    fields = {"internalId": internal_id, "itemId": item_id, "externalId": external_id}
    return Item.model_validate(fields | {"sort": sort, "unitsType": {"internalId": units_type}})


ITEMS = {
    "57": known_item("57", "LotNumberedInventoryItem", "COLA", "E-57", "1"),
    "59": known_item("59", "NonInventorySaleItem", "SHIP"),
    "60": known_item("60", "DiscountItem", "OFF"),
    "61": known_item("61", "OtherChargeSaleItem", "ROUND"),
    "62": known_item("62", "ServiceSaleItem", "WORK"),
}
SO = transaction("SalesOrder", internalId="735", orderStatus="_pendingBilling")
KNOWN = Known({"735": SO}, ITEMS, {"1": CANS}, {"1": "GBP"})


def tell(one, known=KNOWN, **settings):
    return reading.tell(one, known, connection(**settings))


def row(item_id, **fields):
    return {"item": {"internalId": item_id, "name": "N"}} | fields


def lots(*shares):
    rows = [
        {
            "issueInventoryNumber": {"internalId": "9", "name": name},
            "quantity": quantity,
            "expirationDate": "2027-03-31T00:00:00.000-07:00",
        }
        for name, quantity in shares
    ]
    listed = {"inventoryAssignmentList": {"inventoryAssignment": rows}}
    return {"customForm": {"internalId": "5", "name": "Form"}} | listed


@pytest.mark.parametrize("shares", [("0.5", "1.5"), ("12.0", "36.0")])
def test_lots_are_counted_in_either_unit(shares):
    goods = row("57", quantity="2.0", units={"internalId": "3"})
    detail = lots(("L1", shares[0]), ("L2", shares[1]))
    sent = transaction("ItemFulfillment", goods | {"inventoryDetail": detail})
    body = tell(sent).body
    assert counted(body) == [("E-57", 12, "L1"), ("E-57", 36, "L2")]
    assert {one.best_before for one in body.lines} == {date(2027, 3, 31)}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ({"unitsDisplay": "Cases of 24"}, 48),
        ({"unitsDisplay": "Case of 24"}, 48),
        ({"unitsDisplay": "ea"}, 2),
        ({"units": {"internalId": "1", "name": "Can"}}, 2),
    ],
)
def test_a_unit_has_many_names(unit, expected):
    sent = transaction("ItemFulfillment", row("57", quantity="2.0", **unit))
    assert counted(tell(sent).body) == [("E-57", expected, "")]


def test_an_item_is_told_by_the_code_the_maps_have():
    sent = transaction("ItemFulfillment", row("57", quantity="1.0", unitsDisplay="ea"))
    assert tell(sent, item_code="name").body.lines[0].sku == "COLA"


def test_a_unit_or_an_item_that_is_not_there_is_no_guess():
    for unit in ({}, {"unitsDisplay": "Pallet"}):
        with pytest.raises(errors.MappingError, match="COLA has no unit"):
            tell(transaction("ItemFulfillment", row("57", quantity="1.0", **unit)))
    with pytest.raises(errors.MappingError, match="item 99 is hidden"):
        tell(transaction("ItemFulfillment", row("99", quantity="1.0")))


def test_what_is_no_part_of_a_fulfilment_does_not_count():
    rows = [
        row("57", quantity="1.0", unitsDisplay="ea", itemReceive="false"),
        row("57", quantity="0.5", unitsDisplay="ea"),
        row("57", quantity="3.0", unitsDisplay="ea", itemReceive="true"),
    ]
    assert counted(tell(transaction("ItemFulfillment", *rows)).body) == [("E-57", 3, "")]


def test_an_item_without_units_is_counted_as_it_is():
    sent = transaction("ItemFulfillment", row("59", quantity="2.0", unitsDisplay="Hour"))
    assert counted(tell(sent).body) == [("SHIP", 2, "")]


def test_carrier_and_tracking_of_all_its_packages():
    packed = {
        "packageList": {"package": {"packageTrackingNumber": "A1", "packageWeight": "2.0"}},
        "packageUpsList": {"packageUps": [{"packageTrackingNumberUps": "B2"}, {}]},
        "packageFedExList": {"packageFedEx": {"packageTrackingNumberFedEx": "A1"}},
        "shipMethod": {"internalId": "4", "name": "UPS Ground"},
    }
    body = tell(transaction("ItemFulfillment", **packed)).body
    assert (body.carrier, body.tracking_number) == ("UPS Ground", "A1, B2")


def test_when_it_left():
    day = {"tranDate": "2026-11-20T00:00:00.000-08:00", "shipStatus": "_shipped"}
    same = transaction("ItemFulfillment", createdDate="2026-11-20T23:30:00.000-08:00", **day)
    assert tell(same).body.dispatched_at == datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    late = transaction("ItemFulfillment", createdDate="2026-11-23T09:00:00.000-08:00", **day)
    assert tell(late).body.dispatched_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "sort", ["ItemFulfillment", "Invoice", "CreditMemo", "ReturnAuthorization"]
)
def test_what_is_of_no_order_is_not_told(sort):
    # A transfer order is none of the types that are read.
    for source in ({"internalId": "444", "name": "Transfer Order #4"}, None):
        assert tell(transaction(sort, createdFrom=source)) is None
    assert tell(transaction("Estimate")) is None


def test_an_invoice_made_by_hand_is_not_told(desk):
    rows = [{"item": {"@internalId": "57"}, "quantity": 1, "units": {"@internalId": "1"}}]
    items = {"itemList": {"@replaceAll": True, "item": rows}}
    bill = desk.make("Invoice", entity={"@internalId": desk.customer}, **items)
    assert desk.told() == []
    assert desk.fetch(Hint("invoice", bill)) == []


# -- returns ---------------------------------------------------------------------------------------


def test_what_comes_back(desk):
    order = desk.place(COLA, FREIGHT)
    desk.act(f"orders/{order}/ship")
    lines = [{"sku": "COLA", "quantity": 1}]
    back = desk.act(f"orders/{order}/return", lines=lines)
    (seen,) = desk.of(Kind.RETURN)
    assert seen.ref == ref(Kind.RETURN, "erp", back)
    assert seen.parent == seen.body.order == ref(Kind.ORDER, "erp", order)
    assert seen.refetch == Hint("return", back)
    assert seen.body.number.startswith("RMA")
    assert (seen.body.state, counted(seen.body)) == (ReturnState.REQUESTED, [("COLA", 24, "")])
    desk.act(f"returns/{back}/return")
    (came,) = desk.of(Kind.RETURN)
    assert (came.body.state, counted(came.body)) == (ReturnState.RECEIVED, [("COLA", 24, "")])
    assert came.changed > seen.changed


def test_a_return_made_from_an_invoice_is_of_its_order(desk):
    order = desk.place(COLA)
    desk.act(f"orders/{order}/ship")
    bill = desk.act(f"orders/{order}/invoice")
    since = desk.time
    desk.act(f"invoices/{bill}/return")
    told = desk.told(span=Span(since))
    (back,) = [one for one in told if one.ref.kind is Kind.RETURN]
    assert back.parent == ref(Kind.ORDER, "erp", order)
    # Its invoice and order, which did not change, are read to know that, and told.
    assert {one.ref.kind for one in told} == {Kind.RETURN, Kind.INVOICE, Kind.ORDER}


@pytest.mark.parametrize(
    ("status", "received", "expected", "count"),
    [
        ("_pendingApproval", "0.0", ReturnState.REQUESTED, 48),
        ("_pendingReceipt", "0.0", ReturnState.REQUESTED, 48),
        ("_partiallyReceived", "1.0", ReturnState.RECEIVED, 24),
        ("_pendingRefund", "2.0", ReturnState.RECEIVED, 48),
        ("_closed", "1.0", ReturnState.RECEIVED, 24),
        ("_closed", "0.0", ReturnState.CANCELLED, 48),
        ("_cancelled", "0.0", ReturnState.CANCELLED, 48),
    ],
)
def test_the_state_of_a_return(status, received, expected, count):
    goods = row("57", quantity="2.0", quantityReceived=received, unitsDisplay="Case of 24")
    freight = row("59", quantity="1.0", quantityReceived="1.0")
    body = tell(transaction("ReturnAuthorization", goods, freight, orderStatus=status)).body
    assert (body.state, counted(body)) == (expected, [("E-57", count, "")])


# -- invoices and credit memos ---------------------------------------------------------------------


def test_an_invoice_and_its_credit_memo(desk):
    order = desk.place(COLA, FREIGHT, CRATE)
    desk.act(f"orders/{order}/ship")
    bill = desk.act(f"orders/{order}/invoice")
    credit = desk.act(f"invoices/{bill}/credit")
    invoice, memo = desk.of(Kind.INVOICE)
    assert invoice.ref == ref(Kind.INVOICE, "erp", bill)
    assert memo.ref == ref(Kind.INVOICE, "erp", credit)
    assert (invoice.refetch, memo.refetch) == (Hint("invoice", bill), Hint("credit", credit))
    assert invoice.parent == memo.parent == ref(Kind.ORDER, "erp", order)
    assert (invoice.body.credits, memo.body.credits) == (None, invoice.ref)
    for seen in (invoice, memo):
        body = seen.body
        assert (body.state, body.currency) == (InvoiceState.ISSUED, "GBP")
        assert (body.issued_on, body.tax_included) == (date(2026, 11, 20), False)
        assert [str(one) for one in (body.totals.net, body.totals.tax, body.totals.gross)] == [
            "63.84",
            "9.17",
            "73.01",
        ]
        cola, freight, crate = body.lines
        assert (cola.type, cola.sku, cola.quantity) == (LineType.GOODS, "COLA", 2)
        assert (cola.unit_price, cola.amount, cola.tax) == (
            Decimal("22.92"),
            Decimal("45.84"),
            Decimal("9.17"),
        )
        assert [(one.title, one.rate) for one in cola.taxes] == [("VAT:S-GB", Decimal("0.2"))]
        assert (freight.type, freight.amount, freight.taxes) == (LineType.FREIGHT, 15, ())
        assert (crate.type, crate.amount, crate.is_stocked) == (LineType.DEPOSIT, 3, False)
    assert invoice.body.due_on is not None
    assert invoice in desk.fetch(invoice.refetch)
    assert memo in desk.fetch(memo.refetch)
    desk.delete(credit, "creditMemo")
    desk.time += timedelta(minutes=10)
    (gone,) = desk.told("deletions")
    assert (gone.ref, gone.body) == (memo.ref, None)


def test_a_credit_memo_of_a_return_credits_what_it_is_applied_to(desk):
    order = desk.place(COLA)
    desk.act(f"orders/{order}/ship")
    bill = desk.act(f"orders/{order}/invoice")
    back = desk.act(f"orders/{order}/return")
    desk.act(f"returns/{back}/return")
    credit = desk.act(f"returns/{back}/credit")
    memo = next(one for one in desk.of(Kind.INVOICE) if one.ref.external_id == credit)
    # Made from the order, it names no invoice: the first one it is.
    assert memo.body.credits == ref(Kind.INVOICE, "erp", bill)
    assert memo.parent == ref(Kind.ORDER, "erp", order)


MONEY = {
    "total": "60.0",
    "taxTotal": "10.0",
    "currency": {"internalId": "1", "name": "British Pound"},
}


def returned(**fields):
    return transaction("ReturnAuthorization", internalId="790", **fields)


def bill(internal_id, **fields):
    return transaction("Invoice", internalId=internal_id, **MONEY | fields)


def applied(*docs):
    rows = [{"doc": doc, "apply": "true", "amount": "1.0"} for doc in docs]
    return {"apply": [*rows, {"doc": "999", "apply": "false"}]}


def test_what_a_credit_memo_takes_back_from():
    def credits(known=(), invoices=(), **fields):
        memo = transaction("CreditMemo", **MONEY | fields)
        there = {one.internal_id: one for one in (SO, *known)}
        told = tell(memo, Known(there, ITEMS, {}, {"1": "GBP"}, dict(invoices)))
        if told is None:
            return None
        assert told.parent == ref(Kind.ORDER, "erp", "735")
        return told.body.credits.external_id

    of_bill = {"internalId": "780"}
    of_return = {"internalId": "790"}
    assert credits([bill("780")], createdFrom=of_bill) == "780"
    assert credits([bill("780"), returned(createdFrom=of_bill)], createdFrom=of_return) == "780"
    assert (
        credits([returned(), bill("781")], createdFrom=of_return, applyList=applied("781")) == "781"
    )
    assert credits([bill("781")], createdFrom=None, applyList=applied("555", "781")) == "781"
    assert credits([returned()], {"735": "782"}, createdFrom=of_return) == "782"
    assert credits([returned()], createdFrom=of_return) is None
    assert credits([], createdFrom=None) is None


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, InvoiceState.ISSUED),
        ({"approvalStatus": {"internalId": "2", "name": "Approved"}}, InvoiceState.ISSUED),
        ({"approvalStatus": {"internalId": "1", "name": "Pending Approval"}}, InvoiceState.DRAFT),
        ({"approvalStatus": {"internalId": "3", "name": "Rejected"}}, InvoiceState.DRAFT),
        ({"status": "Voided", "total": "0.0", "taxTotal": "0.0"}, InvoiceState.VOIDED),
        ({"status": "Paid In Full"}, InvoiceState.ISSUED),
    ],
)
def test_the_state_of_an_invoice(fields, state):
    body = tell(bill("780", **fields)).body
    assert body.state is state
    assert (body.issued_on is None) == (state is InvoiceState.DRAFT)


def test_the_day_is_the_accounts():
    # Read by somebody further west, midnight of the account is the day before.
    told = bill("780", tranDate="2026-11-19T22:00:00.000-10:00", dueDate="2026-12-20T08:00:00Z")
    body = tell(told).body
    assert (body.issued_on, body.due_on) == (date(2026, 11, 20), date(2026, 12, 20))
    assert tell(told, time_zone="").body.issued_on == date(2026, 11, 19)


def test_lines_of_all_kinds():
    rows = [
        row("57", quantity="2.0", rate="10.00", amount="20.0", grossAmt="24.0", taxRate1="20.0%"),
        row("60", rate="-10.0%", amount="-2.0", tax1Amt="-0.4", taxRate1="20.0"),
        row("62", quantity="1.5", rate="20.00", amount="30.0", line="7"),
        row("61", quantity="1.0", rate="-0.01", amount="-0.01", tax1Amt="0.0"),
        row("62", quantity="-1.0", rate="3.00", amount="-3.0", tax1Amt="-0.6"),
        row("-2", amount="18.0", description="Subtotal"),
        row("57", quantity="0.0", amount="0.0"),
        row("0", amount="1.0"),
    ]
    beside = {"shippingCost": "5.0", "handlingCost": "1.0", "discountTotal": "-4.0"}
    body = tell(bill("780", itemList={"item": rows}, **beside), rounding_sku="ROUND").body
    assert [(one.id, one.type, str(one.amount), str(one.tax)) for one in body.lines] == [
        ("1", LineType.GOODS, "20.00", "4.00"),
        ("2", LineType.DISCOUNT, "2.00", "0.40"),
        ("7", LineType.FEE, "30.00", "0.00"),
        ("4", LineType.ROUNDING, "-0.01", "0.00"),
        ("5", LineType.DISCOUNT, "3.00", "0.60"),
        ("shipping", LineType.FREIGHT, "5.00", "0.00"),
        ("handling", LineType.FEE, "1.00", "0.00"),
        ("discount", LineType.DISCOUNT, "4.00", "0.00"),
    ]
    prices = [(one.quantity, str(one.unit_price)) for one in body.lines[:5]]
    assert prices == [(2, "10"), (1, "2"), (1, "30"), (1, "0.01"), (1, "3")]


def test_the_currency_of_an_invoice():
    alone = bill("780", currency=None)
    assert tell(alone).body.currency == "GBP"
    both = Known({"735": SO}, ITEMS, {}, {"1": "GBP", "2": "EUR"})
    assert (
        tell(bill("780", currency={"internalId": "2", "name": "Euro"}), both).body.currency == "EUR"
    )
    with pytest.raises(errors.MappingError, match="currency"):
        tell(alone, both)


# -- windows of time -------------------------------------------------------------------------------


def orders(desk, count):
    """So many orders, made by people: within one second unless time is moved."""
    of = {"@internalId": desk.customer}
    rows = [{"item": {"@internalId": "57"}, "quantity": 1, "units": {"@internalId": "1"}}]
    return [
        write(
            desk.client(),
            "add",
            kind(SALES, "SalesOrder")
            | {"entity": of, "itemList": {"@replaceAll": True, "item": rows}},
            SALES,
        )
        for _ in range(count)
    ]


def test_what_shares_a_second_is_read_whole(desk):
    ids = orders(desk, 12)
    desk.time += timedelta(minutes=10)
    told = desk.told(reader=Small())
    # Windows share the second they meet in.
    assert list(dict.fromkeys(one.ref.external_id for one in told)) == ids
    assert asked(desk).count("searchMoreWithId") == 4


def test_a_long_time_is_read_in_windows(desk):
    ids = []
    for hours in (1, 1, 200, 3, 1, 500, 1, 1):
        ids += orders(desk, 3)
        desk.time += timedelta(hours=hours)
    told = desk.told(reader=Small())
    assert [one.ref.external_id for one in told] == ids
    assert "searchMoreWithId" not in asked(desk)
    # Some are read to no use, where a window was too long.
    assert asked(desk).count("search") < 80


def test_what_changes_between_windows_is_passed_by_nowhere(desk):
    ids = []
    for _ in range(6):
        ids += orders(desk, 2)
        desk.time += timedelta(hours=1)
    begun = desk.time
    first = desk.page(reader=Small())
    while not first.told:
        first = desk.page(cursor=first.cursor, reader=Small())
    assert {one.ref.external_id for one in first.told} == set(ids[:2])
    for changed in (ids[0], ids[5], ids[-1]):
        desk.set(changed, memo="changed")
    rest, cursor, is_last = [], first.cursor, False
    while not is_last:
        page = desk.page(cursor=cursor, reader=Small())
        again = desk.page(cursor=cursor, reader=Small())
        assert list(again.told) == list(page.told)
        rest += page.told
        cursor, is_last = page.cursor, page.is_last
    seen = {one.ref.external_id for one in [*first.told, *rest]}
    assert seen | {ids[5], ids[-1]} == set(ids)
    desk.time += timedelta(minutes=10)
    later = {one.ref.external_id for one in desk.told(span=Span(begun))}
    assert later == {ids[0], ids[5], ids[-1]}


def test_the_last_two_minutes_are_left_to_the_next_round(desk):
    (order,) = orders(desk, 1)
    desk.time += SETTLED - timedelta(seconds=1)
    assert desk.told() == []
    begun = desk.time
    desk.time += timedelta(minutes=5)
    (seen,) = desk.told(span=Span(begun))
    assert seen.ref.external_id == order


@pytest.mark.parametrize(
    ("since", "until", "is_told"),
    [(0, None, True), (121, None, False), (-9, -1, False), (-9, 0, True), (0, 0, True)],
)
def test_both_ends_of_a_span_belong_to_it(desk, since, until, is_told):
    orders(desk, 1)
    ends = [None if end is None else AT + timedelta(seconds=end) for end in (since, until)]
    desk.time += timedelta(minutes=10)
    assert bool(desk.told(span=Span(*ends))) is is_told


def test_a_span_that_is_just_now_asks_all_the_same(desk):
    for stream in ("transactions", "deletions"):
        page = desk.page(stream, span=Span(desk.time, desk.time))
        assert page.is_last
    assert asked(desk)[-1] == "getDeleted"


def test_many_deletions_are_told_whatever_page_they_are_on(desk):
    ids = orders(desk, 3)
    for order in ids:
        desk.delete(order)
    desk.time += timedelta(minutes=10)
    told = desk.told("deletions")
    assert sorted(one.ref.external_id for one in told) == sorted(ids)
    # What else was deleted is nobody's order.
    assert all(one.body is None and one.part is Part.PROCESSING for one in told)


# -- answers written by hand -----------------------------------------------------------------------


def sold(number, changed="2026-11-20T00:50:00.000-08:00"):
    return (
        f'<c:record internalId="{number}" xsi:type="s:SalesOrder"><s:tranId>SO{number}</s:tranId>'
        f"<s:lastModifiedDate>{changed}</s:lastModifiedDate>"
        "<s:orderStatus>_pendingFulfillment</s:orderStatus></c:record>"
    )


def test_what_moved_while_its_second_was_read_comes_again():
    second = "2026-11-20T08:50:00+00:00/2026-11-20T08:50:01+00:00"
    there = results("search", sold(1), sold(2), total=3, pages=2)
    gone = Recorded(
        getServerTime=[NOW], search=[there], searchMoreWithId=[results("searchMoreWithId")]
    )
    with pytest.raises(errors.ConflictError):
        gone.page(cursor=second)
    more = results("searchMoreWithId", sold(3), total=3, pages=2)
    whole = Recorded(getServerTime=[NOW], search=[there], searchMoreWithId=[more])
    page = whole.page(cursor=second)
    assert [one.ref.external_id for one in page.told] == ["1", "2", "3"]
    assert not page.is_last


def test_where_one_cannot_be_told_each_is_left_to_a_hint():
    # The role does not see when it was changed.
    odd = '<c:record internalId="8" xsi:type="r:CreditMemo"><r:tranId>CM8</r:tranId></c:record>'
    told = Recorded(getServerTime=[NOW], search=[results("search", sold(7), odd)]).page().told
    assert list(told) == [Hint("order", "7"), Hint("credit", "8")]


def test_nothing_found_is_an_empty_page():
    for answer in (results("search"), "<m:searchResponse/>"):
        page = Recorded(getServerTime=[NOW], search=[answer]).page()
        assert (list(page.told), page.is_last) == ([], True)


def test_deletions_on_several_pages_and_of_other_types():
    def one(number, sort):
        ref_ = f'<c:record internalId="{number}" type="{sort}" xsi:type="c:RecordRef"/>'
        at = "<c:deletedDate>2026-11-20T00:50:00.000-08:00</c:deletedDate>"
        return f"<c:deletedRecord>{at}{ref_}</c:deletedRecord>"

    listed = {"listed": "deletedRecordList", "total": 5, "pages": 2}
    pages = [
        results("getDeleted", one(1, "salesOrder"), one(2, "customer"), **listed),
        results(
            "getDeleted",
            one(3, "Invoice"),
            one(4, "itemFulfillment"),
            one(5, "vendorBill"),
            **listed,
        ),
    ]
    second = "2026-11-20T08:50:00+00:00/2026-11-20T08:50:01+00:00"
    told = Recorded(getServerTime=[NOW], getDeleted=pages).page("deletions", second).told
    assert [(one.ref.kind, one.ref.external_id, one.part) for one in told] == [
        (Kind.ORDER, "1", Part.PROCESSING),
        (Kind.CUSTOMER, "2", Part.RECORD),
        (Kind.INVOICE, "3", Part.RECORD),
        (Kind.SHIPMENT, "4", Part.RECORD),
    ]
    assert {one.changed for one in told} == {datetime(2026, 11, 20, 8, 50, tzinfo=UTC)}


def test_a_server_without_time_is_an_error():
    with pytest.raises(ValueError, match="what time"):
        Recorded(getServerTime=["<m:getServerTimeResponse/>"]).page()


@pytest.mark.skipif(not SPECS.is_dir(), reason="the vendor's specifications are not here")
def test_every_request_is_one_the_spec_allows(desk):
    order = desk.place(COLA)
    desk.act(f"orders/{order}/ship")
    bill = desk.act(f"orders/{order}/invoice")
    desk.act(f"invoices/{bill}/pay")
    desk.act(f"customers/{desk.customer}/edit", creditLimit="5000", terms="2")
    desk.act("items/COLA/price", price="9.00")
    sent = len(desk.transport.requests)
    for stream in ("transactions", "deletions", "customers", "items", "stock"):
        desk.told(stream)
    desk.told("customers", span=Span(desk.time - timedelta(hours=2)))
    for what, number in (("order", order), ("goods", f"salesOrder:{order}"), ("item", "57")):
        assert desk.fetch(Hint(what, number))
    requests = [one for one in desk.transport.requests[sent:] if "_sandbox" not in one.url.path]
    asked_for = {validate(request) for request in requests}
    assert asked_for >= {
        ("Transaction", "search"),
        ("Customer", "search"),
        ("Item", "search"),
        ("Term", "search"),
        ("Location", "search"),
        ("ItemAvailability", "getItemAvailability"),
        ("", "getDeleted"),
        ("SalesOrder", "get"),
    }
