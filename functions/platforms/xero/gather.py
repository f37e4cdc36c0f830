"""What objects name without showing it: read with them, for a whole page at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Seen
from fizzbridge.settings import Connection
from platforms.xero import reading
from platforms.xero.documents import GONE
from platforms.xero.transport import listed
from platforms.xero.wire import ContactTold, DocumentTold, ItemTold, Organisation, PaymentTold

Rows: TypeAlias = Sequence[Mapping[str, Any]]
Tell: TypeAlias = Callable[[VendorClient, Rows, Connection, datetime], Iterable[Seen]]
AT_ONCE = 10
"""References asked for in one filter, so that no address grows too long."""


def invoices(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Invoices alone."""
    del vendor, at
    for row in rows:
        seen = reading.invoice(DocumentTold.model_validate(row), connection)
        if seen:
            yield seen


def with_payments(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Invoices with all their payments: nothing else tells of those, nor of deleted ones."""
    yield from invoices(vendor, rows, connection, at)
    for row in rows:
        if row["Type"] == reading.SALE:
            where = f'Invoice.InvoiceID==Guid("{row["InvoiceID"]}")'
            yield from payments(vendor, listed(vendor, "Payments", where=where), connection, at)


def payments(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Payments, which say themselves what they are for."""
    del vendor, at
    for row in rows:
        seen = reading.payment(PaymentTold.model_validate(row), connection)
        if seen:
            yield seen


def credit_notes(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Credit notes, with the invoice each is of."""
    del at
    told = list(map(DocumentTold.model_validate, rows))
    # Nothing but what a person or the target wrote ties one that was paid out to its invoice.
    loose = [one for one in told if one.type == reading.CREDIT and not one.allocations]
    named = _invoices_named(vendor, loose)
    for one in told:
        of = one.allocations[0].invoice["InvoiceID"] if one.allocations else named.get(one.id)
        yield from reading.credit_note(one, of, connection)


def _invoices_named(vendor: VendorClient, notes: Iterable[DocumentTold]) -> Mapping[str, str]:
    """The one standing invoice of the same contact whose number or reference a note names."""
    # A quote would end the filter.
    wanted = {one.id: one for one in notes if one.reference and not set(one.reference) & set('"\\')}
    texts = sorted({one.reference for one in wanted.values()})
    rows = [
        row
        for start in range(0, len(texts), AT_ONCE)
        for row in listed(vendor, "Invoices", where=_where(texts[start : start + AT_ONCE]))
        if row["Status"] not in GONE
    ]
    found = {}
    for note in wanted.values():
        contact = note.contact.get("ContactID")
        fit = {
            str(row["InvoiceID"])
            for row in rows
            if row["Contact"]["ContactID"] == contact and _is_named(row, note.reference)
        }
        if len(fit) == 1:
            found[note.id] = fit.pop()
    return found


def _where(texts: Iterable[str]) -> str:
    parts = (
        f'InvoiceNumber=="{text}" OR Reference=="{text}"'
        f' OR (Reference!=null AND Reference.StartsWith("{text}, "))'
        for text in texts
    )
    return f'Type=="{reading.SALE}" AND ({" OR ".join(parts)})'


def _is_named(row: Mapping[str, Any], text: str) -> bool:
    reference = str(row.get("Reference") or "")
    # The target puts the buyer's number behind the order's.
    return text in {row.get("InvoiceNumber"), reference} or reference.startswith(f"{text}, ")


def contacts(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Customers."""
    del vendor, at
    for row in rows:
        seen = reading.contact(ContactTold.model_validate(row), connection)
        if seen:
            yield seen


def items(vendor: VendorClient, rows: Rows, connection: Connection, at: datetime) -> Iterator[Seen]:
    """Items with their prices and stock."""
    found = list(map(ItemTold.model_validate, rows))
    if found:
        books = Organisation.model_validate(vendor.get("/Organisation").data["Organisations"][0])
        for one in found:
            yield from reading.item(one, books, connection)
    yield from stock(vendor, rows, connection, at)


def stock(vendor: VendorClient, rows: Rows, connection: Connection, at: datetime) -> Iterator[Seen]:
    """Stock alone."""
    del vendor
    for row in rows:
        yield from reading.stock(ItemTold.model_validate(row), at, connection)
