"""Money that came in or went back at Odoo, as far as it settles documents of orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Payment, Refund, SettlementStatus
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.settings import Connection
from platforms.odoo.gather import Rows, billed_by, by_id, where
from platforms.odoo.wire import BillLine
from platforms.odoo.wire_money import Document, EntryLine, Matched, Moved

_STANDS = {"in_process", "paid"}
"""Odoo takes down what is due with both; until the bank shows it is what they tell apart."""
Applied = Mapping[int, Decimal]
"""What of a payment settles which document."""


def payments(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Payments of customers and money given back, one for each document they settle.

    What no longer settles any document of an order is told as gone.
    """
    every = [Moved.model_validate(row) for row in rows]
    # A rule posts what suppliers get as well.
    told = [one for one in every if one.partner_type == "customer"]
    documents = by_id(
        vendor, Document, (bill for one in told for bill in one.reconciled_invoice_ids)
    )
    orders = _orders(vendor, documents.values())
    applied = _applied(vendor, [one for one in told if one.move_id and one.state in _STANDS])
    for one in told:
        settles = applied.get(one.move_id or 0, {})
        if not one.move_id and len(one.reconciled_invoice_ids) == 1 and one.state in _STANDS:
            settles = {one.reconciled_invoice_ids[0]: one.amount}
        yield from _shares(one, settles, documents, orders, connection)


def _orders(vendor: VendorClient, documents: Iterable[Document]) -> dict[int, int]:
    """The order of each document: by its own lines, or by those of the invoice it takes back."""
    listed = list(documents)
    ids = {one.id for one in listed} | {one.reversed_entry_id for one in listed} - {None}
    if not ids:
        return {}
    billed = billed_by(vendor, where(vendor, BillLine, ["move_id", "in", sorted(ids, key=int)]))
    found = {one.id: billed.get(one.id) or billed.get(one.reversed_entry_id or 0) for one in listed}
    return {document: order for document, order in found.items() if order}


def _applied(vendor: VendorClient, told: Iterable[Moved]) -> dict[int, dict[int, Decimal]]:
    """What each entry of a payment settles of which document, in the document's currency."""
    entries = sorted({one.move_id for one in told if one.move_id})
    if not entries:
        return {}
    matches = where(
        vendor,
        Matched,
        "|",
        ["debit_move_id.move_id", "in", entries],
        ["credit_move_id.move_id", "in", entries],
    )
    ends = (end for one in matches for end in (one.debit_move_id, one.credit_move_id))
    moves = {id_: line.move_id or 0 for id_, line in by_id(vendor, EntryLine, ends).items()}
    applied: dict[int, dict[int, Decimal]] = {entry: {} for entry in entries}
    for one in matches:
        debit, credit = moves[one.debit_move_id or 0], moves[one.credit_move_id or 0]
        # What is paid was debited to the customer; what is given back was credited.
        for entry, document, amount in (
            (credit, debit, one.debit_amount_currency),
            (debit, credit, one.credit_amount_currency),
        ):
            if entry in applied:
                part = one.amount if amount is None else amount
                applied[entry][document] = applied[entry].get(document, Decimal(0)) + part
    return applied


def _shares(
    one: Moved,
    settles: Applied,
    documents: Mapping[int, Document],
    orders: Mapping[int, int],
    connection: Connection,
) -> Iterator[Seen]:
    """A payment under its own number; one for several documents as one for each.

    It may have been the other before, so what it would be told as then is gone.
    """
    of = sorted(one.reconciled_invoice_ids)
    keys = (
        {bill: f"{one.id}:{bill}" for bill in of} if len(of) > 1 else dict.fromkeys(of, str(one.id))
    )
    told = {
        keys[bill]: _share(one, keys[bill], amount, documents[bill], orders[bill], connection)
        for bill, amount in settles.items()
        if bill in keys and bill in orders
    }
    for key in sorted({str(one.id), *(f"{one.id}:{bill}" for bill in of)}):
        yield told.get(key) or _seen(one, key, None, None, connection)


def _share(
    one: Moved,
    key: str,
    amount: Decimal,
    document: Document,
    order_id: int,
    connection: Connection,
) -> Seen:
    currency = document.currency_id
    kind = Payment if one.payment_type == "inbound" else Refund
    body = kind(
        order=ref(Kind.ORDER, connection.name, order_id),
        amount=to_minor_unit(amount, currency),
        currency=currency,
        gateway=one.journal_id,
        # A day without an hour: noon is that day nearly everywhere.
        at=datetime.combine(one.date, time(12), UTC),
        status=SettlementStatus.SETTLED,
    )
    return _seen(one, key, body, order_id, connection)


def _seen(
    one: Moved,
    key: str,
    body: Payment | Refund | None,
    order_id: int | None,
    connection: Connection,
) -> Seen:
    kind = Kind.PAYMENT if one.payment_type == "inbound" else Kind.REFUND
    return Seen(
        ref(kind, connection.name, key),
        body,
        one.write_date,
        parent=ref(Kind.ORDER, connection.name, order_id) if order_id else None,
        refetch=Hint("payment", str(one.id)),
    )
