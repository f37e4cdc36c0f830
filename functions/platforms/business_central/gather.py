"""What records of Business Central belong to: looked up for a whole page in a call or two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Seen
from fizzbridge.settings import Connection
from platforms.business_central import accounts, reading
from platforms.business_central.lookup import among
from platforms.business_central.payments import payments
from platforms.business_central.transport import rows
from platforms.business_central.wire import NOBODY, Bill, PostedShipment, SalesOrder

Rows = Sequence[Mapping[str, Any]]


def orders(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Orders say all themselves."""
    del vendor
    for row in told:
        yield reading.order(SalesOrder.model_validate(row), connection.name)


def shipments(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Shipments of orders; of one whose order nobody knows any more nothing is told."""
    sent = [PostedShipment.model_validate(row) for row in told]
    numbers = {one.order_number for one in sent}
    known = _open(vendor, numbers)
    fields = "orderId,orderNumber"
    for row in among(vendor, "/salesInvoices", "orderNumber", numbers - known.keys(), fields):
        if row["orderId"] != NOBODY:
            known[row["orderNumber"]] = row["orderId"]
    packed = [one for one in sent if reading.is_packed(one.sales_shipment_lines, connection)]
    moved = _moved(vendor, "Sales Shipment", (one.number for one in packed), sign=-1)
    for one in sent:
        if one.order_number in known:
            goods = moved.get(one.number, {})
            yield reading.shipment(one, goods, known[one.order_number], connection)


def invoices(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Posted invoices of orders, and of what order they are the end.

    One that takes a cancelled credit memo back is told by that memo, which no longer stands.
    """
    billed = [Bill.model_validate(row) for row in told]
    still = _open(vendor, (one.order_number for one in billed))
    orders: dict[str, str] = {}
    for one in billed:
        of = still.get(one.order_number, "") if one.order_id == NOBODY else one.order_id
        if not of or not one.is_posted or one.status == "Corrective":
            continue
        orders[one.id] = of
        yield reading.invoice(one, of, None, connection)
        if one.order_number and one.order_number not in still:
            yield reading.closed(one, of, connection.name)
    yield from payments(vendor, orders, billed, connection)
    yield from accounts.billed(vendor, billed, connection)


def credit_notes(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Posted credit memos of invoices of orders, with what came back by them."""
    every = [Bill.model_validate(row) for row in told]
    memos = [one for one in every if one.is_posted]
    numbers = {one.invoice_number for one in memos}
    of = {
        row["number"]: row
        for row in among(vendor, "/salesInvoices", "number", numbers, "id,number,orderId")
        if row["orderId"] != NOBODY
    }
    yield from accounts.billed(vendor, memos, connection)
    memos = [one for one in memos if one.invoice_number in of]
    packed = [one for one in memos if reading.is_packed(one.lines, connection)]
    moved = _moved(vendor, "Sales Credit Memo", (one.number for one in packed), sign=1)
    for one in memos:
        invoice, order = (of[one.invoice_number][name] for name in ("id", "orderId"))
        yield reading.invoice(one, order, invoice, connection)
        back = reading.returned(one, moved.get(one.number, {}), order, connection)
        if back:
            yield back


def closed(vendor: VendorClient, order_id: str, connection: Connection) -> Iterator[Seen]:
    """The end of an order that is not there, where an invoice of it says so."""
    options = {"filter": f"orderId eq {order_id}", "expand": "salesInvoiceLines"}
    told = map(Bill.model_validate, rows(vendor, "/salesInvoices", **options))
    posted = [one for one in told if one.is_posted]
    if posted:
        last = max(posted, key=lambda one: one.last_modified_date_time)
        yield reading.closed(last, order_id, connection.name)


def _open(vendor: VendorClient, numbers: Iterable[str]) -> dict[str, str]:
    """Ids of orders that are still there, by number."""
    found = among(vendor, "/salesOrders", "number", numbers, "id,number")
    return {row["number"]: row["id"] for row in found}


def _moved(
    vendor: VendorClient, kind: str, numbers: Iterable[str], *, sign: int
) -> dict[str, dict[str, Decimal]]:
    """What the item ledger has of documents of a kind; what leaves is negative there."""
    fields = "documentNumber,documentType,itemNumber,quantity"
    found: dict[str, dict[str, Decimal]] = {}
    for row in among(vendor, "/itemLedgerEntries", "documentNumber", numbers, fields):
        if row["documentType"] == kind:
            items = found.setdefault(row["documentNumber"], {})
            item = row["itemNumber"]
            items[item] = items.get(item, Decimal(0)) + sign * row["quantity"]
    return found
