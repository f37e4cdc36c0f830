import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import ValidationError

from fizzbridge import errors
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import InvoiceState, ReturnState, ShipmentState
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import LineType
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from platforms.odoo import reading, wire
from platforms.odoo.pull import OdooPull
from tests.kit.orders import line
from tests.platforms.odoo.odoo_orders import SECRET, TARGET, Bench, connection, view

PULL = OdooPull()
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
LONG_AGO = Span(datetime(2026, 1, 1, tzinfo=UTC))
COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")


class Desk(Bench):
    """A bench with people at it, whose time stands still until it is moved."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.time = AT
        self.sandbox.clock = lambda: self.time

    def act(self, order, what, **body):
        with httpx.Client(transport=self.transport, base_url="https://erp.example") as http:
            answer = http.post(f"/_sandbox/orders/{order}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def call(self, model, method, **named):
        return self.client().post(f"/json/2/{model}/{method}", json=named, writes=True).data

    def plain(self):
        """The client as the runtime gives it to a pull adapter."""
        return client(self.transport, self.connection, self.secret)

    def page(self, stream, cursor=None, span=LONG_AGO, reader=PULL):
        return reader.changes(self.plain(), stream, cursor, span, self.connection)

    def told(self, stream, span=LONG_AGO, reader=PULL):
        """Everything a round tells, page by page."""
        found, cursor, is_last = [], None, False
        while not is_last:
            page = self.page(stream, cursor, span, reader)
            found += page.told
            cursor, is_last = page.cursor, page.is_last
        return found


def client(transport, of, secret=SECRET):
    return VendorClient(
        platform="odoo",
        base_url=of.base_url,
        auth=PULL.auth(secret, of),
        errors=PULL.errors,
        timeout=timedelta(seconds=25),
        transport=transport,
    )


@pytest.fixture(params=["json2", "jsonrpc"])
def desk(request):
    return Desk(request.param)


def counted(body):
    return [(one.sku, one.quantity, one.lot) for one in body.lines]


# -- orders ----------------------------------------------------------------------------------------


def test_how_far_an_order_is(desk):
    order = desk.export(view(COLA))
    (seen,) = desk.told("orders")
    assert seen.ref == ref(Kind.ORDER, "erp", order)
    assert (seen.part, seen.changed) == (Part.PROCESSING, AT)
    assert seen.refetch == Hint("order", order)
    assert seen.body.state is OrderState.CONFIRMED
    assert seen.body.number == desk.shown()[0]["name"]

    def state():
        desk.time += timedelta(minutes=10)
        (seen,) = desk.told("orders")
        return seen.body.state

    desk.act(order, "ship", lines=[{"sku": "COLA", "quantity": 24}])
    assert state() is OrderState.RELEASED
    desk.act(order, "ship")
    assert state() is OrderState.RELEASED
    desk.act(order, "invoice", post=True)
    assert state() is OrderState.CLOSED
    assert list(PULL.fetch(desk.plain(), seen.refetch, desk.connection)) == desk.told("orders")


@pytest.mark.parametrize(
    ("state", "delivery", "invoices", "confirm", "expected"),
    [
        ("draft", False, "no", "on_placed", OrderState.RECEIVED),
        ("sent", False, "no", "on_placed", OrderState.RECEIVED),
        ("draft", False, "no", "by hand", OrderState.HELD),
        ("sale", "pending", "to invoice", "on_placed", OrderState.CONFIRMED),
        ("sale", "pending", "invoiced", "on_placed", OrderState.CONFIRMED),
        ("sale", "started", "to invoice", "on_placed", OrderState.RELEASED),
        ("sale", "partial", "invoiced", "on_placed", OrderState.RELEASED),
        ("sale", "full", "to invoice", "on_placed", OrderState.RELEASED),
        ("sale", "full", "invoiced", "on_placed", OrderState.CLOSED),
        ("sale", "full", "upselling", "on_placed", OrderState.CLOSED),
        ("sale", False, "to invoice", "on_placed", OrderState.CONFIRMED),
        ("sale", False, "invoiced", "on_placed", OrderState.CLOSED),
        ("cancel", "full", "no", "on_placed", OrderState.CANCELLED),
    ],
)
def test_the_state_of_an_order(state, delivery, invoices, confirm, expected):
    told = wire.Progress(
        id=7,
        name="S00007",
        state=state,
        delivery_status=delivery,
        invoice_status=invoices,
        write_date="2026-11-20 09:00:00",
    )
    assert reading.order(told, connection(confirm=confirm)).body.state is expected


def test_a_draft_invoice_closes_no_order_and_issuing_it_alone_is_seen(desk):
    order = desk.export(view(COLA))
    desk.act(order, "ship")
    draft = desk.act(order, "invoice", post=False)
    (seen,) = desk.told("orders")
    assert seen.body.state is OrderState.RELEASED
    desk.time += timedelta(minutes=10)
    assert desk.told("orders", Span(desk.time)) == []
    desk.call("account.move", "action_post", ids=[draft])
    (issued,) = desk.told("orders", Span(desk.time))
    assert issued.body.state is OrderState.CLOSED
    assert list(PULL.fetch(desk.plain(), issued.refetch, desk.connection)) == [issued]


@pytest.mark.parametrize(
    ("invoices", "drafts", "expected"),
    [
        ([], {9}, OrderState.CLOSED),
        ([8], {9}, OrderState.CLOSED),
        ([8, 9], {9}, OrderState.RELEASED),
    ],
)
def test_all_invoices_of_a_closed_order_are_issued(invoices, drafts, expected):
    told = wire.Progress(
        id=7,
        name="S00007",
        state="sale",
        delivery_status="full",
        invoice_status="invoiced",
        invoice_ids=invoices,
        write_date="2026-11-20 09:00:00",
    )
    assert reading.order(told, connection(), drafts).body.state is expected


def test_an_order_made_by_hand_has_a_name_of_its_own(desk):
    (order,) = desk.call("sale.order", "create", vals_list=[{"partner_id": int(desk.partner)}])
    (seen,) = desk.told("orders")
    assert seen.ref == ref(Kind.ORDER, "erp", order)
    desk.call("sale.order", "unlink", ids=[order])
    (gone,) = PULL.fetch(desk.plain(), seen.refetch, desk.connection)
    assert (gone.ref, gone.body, gone.part) == (seen.ref, None, Part.PROCESSING)
    assert gone.changed > seen.changed


# -- shipments and returns -------------------------------------------------------------------------


def test_a_delivery_in_two_parts(desk):
    order = desk.export(view(COLA, FREIGHT))
    theirs = ref(Kind.ORDER, "erp", order)
    (planned,) = desk.told("shipments")
    assert planned.body.state is ShipmentState.PLANNED
    assert counted(planned.body) == [("COLA", 48, "")]
    desk.time += timedelta(minutes=10)
    part = {"sku": "COLA", "quantity": 30, "lot": "L1"}
    first = desk.act(order, "ship", lines=[part], carrier="DHL", tracking="T 1", backorder=True)
    sent, rest = desk.told("shipments")
    assert sent.ref == ref(Kind.SHIPMENT, "erp", first)
    assert (sent.parent, sent.body.order) == (theirs, theirs)
    assert sent.refetch == Hint("shipment", str(first))
    assert sent.body.number.startswith("WH/OUT/")
    assert (sent.body.state, sent.body.dispatched_at) == (ShipmentState.DISPATCHED, desk.time)
    assert (sent.body.carrier, sent.body.tracking_number) == ("DHL", "T 1")
    assert counted(sent.body) == [("COLA", 30, "L1")]
    assert (rest.body.state, rest.body.dispatched_at) == (ShipmentState.PLANNED, None)
    assert counted(rest.body) == [("COLA", 18, "")]
    scrapped = b'["location_dest_id.usage","!=","inventory"]'
    listed = [r for r in desk.transport.requests if b'["picking_id","in"' in r.content]
    assert listed
    assert all(scrapped in r.content for r in listed)
    desk.act(order, "ship", lines=[{"sku": "COLA", "quantity": 6}], backorder=False)
    assert [counted(one.body) for one in desk.told("shipments")] == [
        [("COLA", 30, "L1")],
        [("COLA", 6, "")],
    ]
    assert list(PULL.fetch(desk.plain(), sent.refetch, desk.connection)) == [
        desk.told("shipments")[0]
    ]


def test_a_cancelled_order_takes_its_delivery_along(desk):
    order = desk.export(view(COLA))
    desk.act(order, "cancel")
    (undone,) = desk.told("shipments")
    assert undone.body.state is ShipmentState.CANCELLED
    assert counted(undone.body) == [("COLA", 48, "")]
    (cancelled,) = desk.told("orders")
    assert cancelled.body.state is OrderState.CANCELLED


def test_what_comes_back(desk):
    order = desk.export(view(COLA))
    sent = desk.act(order, "ship")
    back = desk.act(order, "return", lines=[{"sku": "COLA", "quantity": 24}], receive=False)
    awaited = desk.told("shipments")[-1]
    assert awaited.ref == ref(Kind.RETURN, "erp", back)
    assert awaited.parent == ref(Kind.ORDER, "erp", order)
    assert awaited.refetch == Hint("return", str(back))
    assert awaited.body.number.startswith("WH/IN/")
    assert (awaited.body.state, awaited.body.received_at) == (ReturnState.REQUESTED, None)
    desk.time += timedelta(minutes=10)
    body = {"lines": [{"sku": "COLA", "quantity": 3}], "receive": True, "shipment": sent}
    desk.act(order, "return", **body)
    came = desk.told("shipments")[-1].body
    assert (came.state, came.received_at) == (ReturnState.RECEIVED, desk.time)
    assert counted(came) == [("COLA", 3, "")]


def test_a_change_of_what_is_planned_alone_is_seen(desk):
    order = desk.export(view(COLA))
    desk.time += timedelta(hours=1)
    (sold,) = desk.records("sale.order.line")
    change = [[1, sold["id"], {"product_uom_qty": 3}]]
    desk.call("sale.order", "write", ids=[int(order)], vals={"order_line": change})
    (seen,) = desk.told("shipments", Span(desk.time - timedelta(minutes=5)))
    assert counted(seen.body) == [("COLA", 72, "")]


@pytest.mark.parametrize("modules", [[], ["stock_delivery"]])
def test_carriers_are_asked_for_where_there_are_any(modules):
    desk = Desk(seed={"modules": modules})
    order = desk.export(view(COLA))
    desk.act(order, "ship")
    (sent,) = desk.told("shipments")
    assert counted(sent.body) == [("COLA", 48, "")]
    asked = [r for r in desk.transport.requests if r.url.path.endswith("stock.picking/search_read")]
    assert all((b"carrier_id" in r.content) == bool(modules) for r in asked)
    assert asked


# -- invoices and credit notes ---------------------------------------------------------------------


def test_an_invoice_and_its_credit_note(desk):
    order = desk.export(view(COLA, FREIGHT))
    desk.act(order, "ship")
    draft = desk.act(order, "invoice", post=False)
    (seen,) = desk.told("invoices")
    assert seen.ref == ref(Kind.INVOICE, "erp", draft)
    assert (seen.body.state, seen.body.number, seen.body.issued_on) == (
        InvoiceState.DRAFT,
        "",
        None,
    )
    desk.call("account.move", "action_post", ids=[draft])
    credit = desk.act(order, "credit", reason="broken", post=True)
    invoice, note = desk.told("invoices")
    assert invoice.parent == note.parent == ref(Kind.ORDER, "erp", order)
    assert (invoice.body.state, invoice.body.number) == (InvoiceState.ISSUED, "INV/2026/00001")
    assert (invoice.body.issued_on, invoice.body.due_on) == (AT.date(), AT.date())
    assert (invoice.body.credits, note.body.credits) == (None, invoice.ref)
    assert note.ref == ref(Kind.INVOICE, "erp", credit)
    for body in (invoice.body, note.body):
        assert (body.currency, body.tax_included) == ("EUR", False)
        assert str(body.totals.net) == "60.84"
        assert (str(body.totals.tax), str(body.totals.gross)) == ("9.17", "70.01")
        cola, freight = body.lines
        assert (cola.type, cola.sku, cola.quantity) == (LineType.GOODS, "COLA", 2)
        assert (cola.amount, cola.tax) == (Decimal("45.84"), Decimal("9.17"))
        assert [(one.title, one.rate) for one in cola.taxes] == [("20%", Decimal("0.2"))]
        assert (freight.type, freight.sku, freight.amount) == (LineType.FREIGHT, "SHIP", 15)
        assert not freight.is_stocked


def test_a_draft_that_was_cancelled_or_deleted_is_gone(desk):
    order = desk.export(view(COLA))
    draft = desk.act(order, "invoice", post=False)
    (seen,) = desk.told("invoices")
    desk.call("account.move", "button_cancel", ids=[draft])
    (cancelled,) = desk.told("invoices")
    assert (cancelled.ref, cancelled.body, cancelled.parent) == (seen.ref, None, seen.parent)
    desk.call("account.move", "unlink", ids=[draft])
    (gone,) = PULL.fetch(desk.plain(), seen.refetch, desk.connection)
    assert (gone.ref, gone.body, gone.part) == (seen.ref, None, Part.RECORD)


def test_an_invoice_that_was_issued_and_cancelled_is_void(desk):
    order = desk.export(view(COLA))
    invoice = desk.act(order, "invoice", post=True)
    desk.call("account.move", "button_cancel", ids=[invoice])
    (seen,) = desk.told("invoices")
    assert (seen.body.state, seen.body.number) == (InvoiceState.VOIDED, "INV/2026/00001")


@pytest.mark.parametrize("tie", ["its invoice", "its order"])
def test_a_credit_note_by_hand_is_tied_either_way(desk, tie):
    order = desk.export(view(COLA))
    invoice = desk.act(order, "invoice", post=True)
    (sold,) = desk.records("sale.order.line")
    text = {"product_id": sold["product_id"], "quantity": 1, "price_unit": 3}
    vals = {"move_type": "out_refund", "partner_id": int(desk.partner)}
    if tie == "its order":
        text["sale_line_ids"] = [[6, 0, [sold["id"]]]]
    else:
        vals["reversed_entry_id"] = invoice
    vals["invoice_line_ids"] = [[0, 0, text]]
    desk.call("account.move", "create", vals_list=[vals])
    _, note = desk.told("invoices")
    assert note.parent == ref(Kind.ORDER, "erp", order)
    assert note.body.credits == ref(Kind.INVOICE, "erp", invoice)


def test_a_document_of_no_order_is_not_told(desk):
    vals = {"move_type": "out_invoice", "partner_id": int(desk.partner)}
    text = {"name": "by hand", "quantity": 1, "price_unit": 3}
    both = [vals | {"invoice_line_ids": [[0, 0, text]]}]
    desk.call("account.move", "create", vals_list=both)
    desk.call("account.move", "create", vals_list=[both[0] | {"move_type": "out_refund"}])
    assert desk.told("invoices") == []


# -- lists -----------------------------------------------------------------------------------------


class Small(OdooPull):
    """Two records a page."""

    platform = "odoo"
    per_page = 2


def test_what_shares_a_second_is_read_whole(desk):
    ids = desk.call(
        "sale.order", "create", vals_list=[{"partner_id": int(desk.partner)} for _ in range(5)]
    )
    told = desk.told("orders", reader=Small())
    assert [seen.ref.external_id for seen in told] == [str(one) for one in ids]


def test_what_changes_between_pages_is_passed_by_nowhere(desk):
    ids = desk.call(
        "sale.order", "create", vals_list=[{"partner_id": int(desk.partner)} for _ in range(4)]
    )
    first = desk.page("orders", reader=Small())
    begun = desk.time
    desk.time += timedelta(minutes=10)
    desk.call("sale.order", "action_confirm", ids=[ids[0], ids[3]])
    second = desk.page("orders", first.cursor, reader=Small())
    again = desk.page("orders", first.cursor, reader=Small())
    assert list(second.told) == list(again.told)
    assert [one.ref.external_id for one in second.told] == [str(one) for one in ids[2:]]
    third = desk.page("orders", second.cursor, reader=Small())
    assert (list(third.told), third.is_last) == ([], True)
    later = desk.told("orders", Span(begun), Small())
    assert {one.ref.external_id for one in later if one.changed > begun} == {
        str(ids[0]),
        str(ids[3]),
    }


@pytest.mark.parametrize(
    ("since", "until", "is_told"),
    [(0, None, True), (1, None, False), (-9, -1, False), (-9, 0, True), (0, 0, True)],
)
def test_both_ends_of_a_span_belong_to_it(desk, since, until, is_told):
    desk.export(view(COLA))
    ends = [None if end is None else AT + timedelta(seconds=end) for end in (since, until)]
    for stream in ("orders", "shipments"):
        assert bool(desk.told(stream, Span(*ends))) is is_told


# -- answers as they were seen ---------------------------------------------------------------------

CASE, CANS = [31, "Case of 24"], [1, "Units"]
LEMON, DEPOSIT, SHIP = [2, "[FIZZ-33] Lemon"], [3, "[DEP-25] Deposit"], [5, "[SHIP] Delivery"]
STAMP = "2026-11-23 13:46:31"
PICKING = {
    "id": 2,
    "name": "WH/OUT/00002",
    "state": "done",
    "sale_id": [3, "S00003"],
    "picking_type_code": "outgoing",
    "return_id": False,
    "date_done": STAMP,
    "write_date": STAMP,
    "carrier_id": False,
    "carrier_tracking_ref": "00340434161094022115",
}


def went(number, count, unit=CANS, lot=False, product=LEMON):
    of = {"id": number, "picking_id": [2, "WH/OUT/00002"], "product_id": product}
    return of | {"product_uom_id": unit, "quantity": count, "lot_id": lot}


def billed(number, product, count, price, net, gross, taxes=(6,), discount=0.0, sold=(124,)):
    return {
        "id": number,
        "move_id": [1, "INV/2026/00001"],
        "product_id": product,
        "name": product[1] if product else "Charges",
        "quantity": count,
        "price_unit": price,
        "discount": discount,
        "tax_ids": list(taxes),
        "price_subtotal": net,
        "price_total": gross,
        "sale_line_ids": list(sold),
    }


MOVE = {
    "id": 1,
    "name": "INV/2026/00001",
    "state": "posted",
    "move_type": "out_invoice",
    "invoice_date": "2026-11-23",
    "invoice_date_due": "2026-12-23",
    "currency_id": [1, "USD"],
    "amount_untaxed": 305.75,
    "amount_tax": 55.24,
    "amount_total": 360.99,
    "invoice_line_ids": [1, 2, 3, 4, 5],
    "reversed_entry_id": False,
    "write_date": STAMP,
}
STORE = {
    "stock.picking": [PICKING],
    "stock.move": [],
    "stock.move.line": [went(5, 2.0, CASE), went(7, 10.0)],
    "stock.lot": [],
    "uom.uom": [
        {"id": 1, "name": "Units", "factor": 1.0, "parent_path": "1/"},
        {"id": 31, "name": "Case of 24", "factor": 24.0, "parent_path": "1/31/"},
    ],
    "product.product": [
        {"id": 2, "default_code": "FIZZ-33", "type": "consu"},
        {"id": 3, "default_code": "DEP-25", "type": "service"},
        {"id": 5, "default_code": "SHIP", "type": "service"},
        {"id": 6, "default_code": False, "type": "consu"},
    ],
    "account.tax": [
        {"id": 6, "name": "19%", "amount": 19.0, "amount_type": "percent", "price_include": False},
        {"id": 7, "name": "19% i", "amount": 19.0, "amount_type": "percent", "price_include": True},
        {"id": 8, "name": "eco", "amount": 0.1, "amount_type": "fixed", "price_include": False},
    ],
    "sale.order.line": [
        {"id": 124, "order_id": [61, "S00061"]},
        {"id": 130, "order_id": [62, "S"]},
    ],
    "account.move": [MOVE],
    "account.move.line": [
        billed(1, LEMON, 2.0, 22.92, 43.55, 51.82, discount=5.0),
        billed(2, LEMON, 24.0, 9.55, 229.2, 272.75),
        billed(3, DEPOSIT, 72.0, 0.25, 18.0, 21.42),
        billed(4, SHIP, 1.0, 15.0, 15.0, 15.0, taxes=()),
        billed(5, False, 0.0, 0.0, 0.0, 0.0, taxes=(), sold=()),
    ],
}


def answering(fields=(), **store):
    """A connection to an Odoo that holds some records; ``fields`` are of modules it has."""
    held = STORE | {name.replace("_", "."): rows for name, rows in store.items()}

    def answer(request):
        _, model, method = request.url.path.removeprefix("/json/").split("/")
        body = json.loads(request.content)
        if method == "fields_get":
            return httpx.Response(200, json={name: {"type": "char"} for name in fields})
        rows = held[model]
        ids = body.get("ids", [row["id"] for row in rows])
        named = {"id", *body["fields"]}
        return httpx.Response(
            200,
            json=[
                {name: value for name, value in row.items() if name in named}
                for row in rows
                if row["id"] in ids
            ],
        )

    return httpx.MockTransport(answer)


def seen(stream, fields=("carrier_id", "carrier_tracking_ref"), settings=None, **store):
    of = connection(**{"deposit_sku": "DEP-25", "rounding_sku": "ROUND"} | (settings or {}))
    vendor = client(answering(fields, **store), of)
    return list(PULL.changes(vendor, stream, None, LONG_AGO, of).told)


def test_a_delivery_as_it_was_seen():
    (told,) = seen("shipments")
    assert told.parent == ref(Kind.ORDER, "erp", 3)
    assert told.changed == datetime(2026, 11, 23, 13, 46, 31, tzinfo=UTC)
    assert told.body.tracking_number == "00340434161094022115"
    assert (told.body.carrier, told.body.tracking_url) == ("", "")
    assert counted(told.body) == [("FIZZ-33", 58, "")]


def test_lots_and_their_dates():
    lots = [
        {"id": 1, "name": "L1", "use_date": "2027-05-31 10:00:00", "expiration_date": False},
        {"id": 2, "name": "L2", "use_date": False, "expiration_date": "2027-06-30 10:00:00"},
        {"id": 3, "name": "L3", "use_date": False, "expiration_date": False},
    ]
    lines = [
        went(5, 1.0, CASE, [1, "L1"]),
        went(6, 2.0, CANS, [2, "L2"]),
        went(7, 3.0, CANS, [3, "L3"]),
    ]
    store = {"stock_lot": lots, "stock_move_line": [*lines, went(8, 5.0, CANS, [1, "L1"])]}
    (told,) = seen("shipments", ("use_date", "expiration_date"), **store)
    assert counted(told.body) == [("FIZZ-33", 29, "L1"), ("FIZZ-33", 2, "L2"), ("FIZZ-33", 3, "L3")]
    days = [one.best_before for one in told.body.lines]
    assert days == [date(2027, 5, 31), date(2027, 6, 30), None]
    without = [{"id": one["id"], "name": one["name"]} for one in lots]
    (told,) = seen("shipments", (), **store | {"stock_lot": without})
    assert [one.best_before for one in told.body.lines] == [None, None, None]


def test_parts_of_a_piece_and_goods_without_a_code():
    odd = [6, "without a code"]
    lines = [went(5, 0.25), went(6, 1.5), went(7, 2.5, product=odd), went(8, 0.5, product=SHIP)]
    (told,) = seen("shipments", stock_move_line=lines)
    assert counted(told.body) == [("FIZZ-33", 1, ""), (None, 2, "")]


def test_what_is_planned_and_was_cancelled_is_no_part_of_it():
    def planned(number, state):
        of = {"id": number, "picking_id": [2, "WH/OUT/00002"], "product_id": LEMON}
        return of | {"product_uom": CASE, "product_uom_qty": number, "state": state}

    moves = [planned(3, "cancel"), planned(4, "assigned")]
    for state, quantity in (("assigned", 4), ("cancel", 7)):
        held = PICKING | {"state": state, "date_done": False}
        (told,) = seen("shipments", stock_picking=[held], stock_move=moves)
        assert counted(told.body) == [("FIZZ-33", quantity * 24, "")]


@pytest.mark.parametrize(
    ("url", "expected"),
    [("https://dhl.example/1", "https://dhl.example/1"), ('[["a", "https://x"]]', ""), (False, "")],
)
def test_a_tracking_address(url, expected):
    found = PICKING | {"carrier_tracking_url": url}
    (told,) = seen("shipments", ("carrier_tracking_url",), stock_picking=[found])
    assert told.body.tracking_url == expected


@pytest.mark.parametrize(
    "other",
    [
        {"sale_id": False},
        {"picking_type_code": "internal"},
        {"picking_type_code": "incoming", "return_id": False},
    ],
)
def test_a_picking_that_is_neither_a_delivery_nor_a_return(other):
    assert seen("shipments", stock_picking=[PICKING | other]) == []


def test_an_invoice_as_it_was_seen():
    (told,) = seen("invoices")
    assert told.parent == ref(Kind.ORDER, "erp", 61)
    body = told.body
    assert (str(body.totals.net), str(body.totals.tax)) == ("305.75", "55.24")
    assert (str(body.totals.gross), str(body.totals.discount)) == ("360.99", "2.29")
    assert (body.issued_on, body.due_on) == (date(2026, 11, 23), date(2026, 12, 23))
    assert [(one.type, one.quantity, str(one.amount), str(one.tax)) for one in body.lines] == [
        (LineType.GOODS, 2, "43.55", "8.27"),
        (LineType.GOODS, 24, "229.20", "43.55"),
        (LineType.DEPOSIT, 72, "18.00", "3.42"),
        (LineType.FREIGHT, 1, "15.00", "0.00"),
    ]
    assert (body.lines[0].unit_price, body.lines[0].discount) == (Decimal("22.92"), Decimal("2.29"))


def test_prices_that_include_their_tax():
    sums = {"amount_untaxed": 8.82, "amount_tax": 1.68, "amount_total": 10.5}
    lines = [
        billed(1, LEMON, 3.0, 1.19, 3.0, 3.57, taxes=(7,)),
        billed(2, LEMON, 7.0, 0.99, 5.82, 6.93, taxes=(7,)),
    ]
    (told,) = seen("invoices", account_move=[MOVE | sums], account_move_line=lines)
    assert told.body.tax_included
    assert [(str(one.amount), str(one.tax)) for one in told.body.lines] == [
        ("3.57", "0.57"),
        ("6.93", "1.11"),
    ]
    assert str(told.body.totals.gross) == "10.50"


def test_lines_that_take_away_that_round_and_that_come_in_parts():
    rows = [
        billed(1, LEMON, -1.0, 100.0, -100.0, -119.0),
        billed(2, [9, "[ROUND] Rounding"], 1.0, -0.01, -0.01, -0.01, taxes=()),
        billed(3, False, 1.5, 40.0, 60.0, 60.0, taxes=()),
        billed(4, SHIP, 1.0, 5.0, 5.0, 6.05, taxes=(6, 8)),
        billed(5, DEPOSIT, 4.0, -0.25, -1.0, -1.19),
    ]
    items = [*STORE["product.product"], {"id": 9, "default_code": "ROUND", "type": "service"}]
    sums = {"amount_untaxed": -36.01, "amount_tax": -18.14, "amount_total": -54.15}
    store = {"account_move_line": rows, "product_product": items, "account_move": [MOVE | sums]}
    (told,) = seen("invoices", **store)
    less, cent, hours, freight, back = told.body.lines
    assert (less.type, less.quantity, less.unit_price) == (LineType.DISCOUNT, 1, 100)
    assert (less.amount, less.tax) == (100, 19)
    assert (cent.type, cent.amount) == (LineType.ROUNDING, Decimal("-0.01"))
    assert (hours.type, hours.quantity, hours.unit_price) == (LineType.FEE, 1, 60)
    assert (hours.sku, hours.is_stocked) == (None, False)
    assert (freight.tax, freight.taxes) == (Decimal("1.05"), ())
    assert (back.type, back.amount, back.tax) == (LineType.DISCOUNT, 1, Decimal("0.19"))


def test_an_invoice_of_several_orders_is_told_with_the_first():
    lines = [
        billed(1, LEMON, 1.0, 1.0, 1.0, 1.19, sold=(130,)),
        billed(2, LEMON, 1.0, 1.0, 1.0, 1.19, sold=(124,)),
    ]
    (told,) = seen("invoices", account_move_line=lines)
    assert told.parent == ref(Kind.ORDER, "erp", 62)


def test_a_draft_before_17_is_called_a_slash():
    for state, is_there in (("draft", True), ("cancel", False)):
        (told,) = seen("invoices", account_move=[MOVE | {"name": "/", "state": state}])
        assert bool(told.body) is is_there
        assert not told.body or told.body.number == ""


def test_one_that_cannot_be_told_does_not_stop_the_others():
    odd = MOVE | {"id": 8, "currency_id": [9, "FIZ"]}
    lines = [billed(1, LEMON, 1.0, 1.0, 1.0, 1.19)]
    lines.append(lines[0] | {"id": 2, "move_id": [8, "x"]})
    store = {"account_move": [MOVE, odd], "account_move_line": lines}
    assert seen("invoices", **store) == [Hint("invoice", "1"), Hint("invoice", "8")]
    of = connection()
    good, bad = (
        lambda number=number: list(
            PULL.fetch(client(answering(**store), of), Hint("invoice", number), of)
        )
        for number in ("1", "8")
    )
    assert good()[0].body.number == "INV/2026/00001"
    with pytest.raises(ValidationError, match="FIZ"):
        bad()


# -- trouble ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["json2", "jsonrpc"])
def test_a_wrong_key_is_the_connections_trouble(transport):
    desk = Desk(transport, secret={"api_key": "spent", "login": "bot@example.com"})
    with pytest.raises(errors.ConfigurationError):
        desk.page("orders")


def test_reader_and_target_are_let_in_alike():
    for transport in ("json2", "jsonrpc"):
        of = connection(transport=transport)
        assert type(PULL.auth(SECRET, of)) is type(TARGET.auth(SECRET, of))
    with pytest.raises(errors.ConfigurationError, match="xmlrpc"):
        PULL.auth(SECRET, connection(transport="xmlrpc"))
