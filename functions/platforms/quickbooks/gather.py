"""What records name by ids or leave out: read with them, for a whole page at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from fizzbridge.errors import AmbiguousMatchError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.order import LineType
from fizzbridge.observation import Seen
from fizzbridge.settings import Connection
from platforms.quickbooks import lookup, reading
from platforms.quickbooks.reading import Books
from platforms.quickbooks.transport import CHANGED, among, find_by, moment, once, query, quoted
from platforms.quickbooks.wire import Item, Line, Term, Told, ToldCustomer, ToldItem

FIRST = "0"
"""The lock of a record that was never changed."""
SOON = timedelta(hours=2)
"""Longer than it takes until an edit is read; one of long ago is not gone through again."""
TWINKLING = timedelta(seconds=2)
"""How far the times of one act may be apart."""

Rows: TypeAlias = Sequence[Mapping[str, Any]]
Tell: TypeAlias = Callable[[VendorClient, Rows, Connection, datetime], Iterable[Seen]]


def sales(kind: str) -> Tell:
    """How invoices, or sales receipts, are told; ``kind`` is the vendor's name of them."""

    def tell(
        vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
    ) -> Iterator[Seen]:
        del at
        told = list(map(Told.model_validate, rows))
        books = _with_items(vendor, told, connection)
        for one in told:
            yield reading.sale(kind, one, books)

    return tell


def memos(vendor: VendorClient, rows: Rows, connection: Connection, at: datetime) -> Iterator[Seen]:
    """Credit memos; which invoice one is set against, the payment of nought between them says."""
    del at
    told = list(map(Told.model_validate, rows))
    books = _with_items(vendor, told, connection)
    joined = {link.txn_id for one in told for link in one.linked_txn if link.txn_type == "Payment"}
    joining = list(map(Told.model_validate, among(vendor, "Payment", "Id", joined)))
    for one in told:
        invoices_of = (
            end.txn_id
            for payment in joining
            if one.id in {end.txn_id for end in _ends(payment, "CreditMemo")}
            for end in _ends(payment, "Invoice")
        )
        yield reading.credit(one, next(invoices_of, None), books)


def _ends(payment: Told, kind: str) -> Iterator[Any]:
    for line in payment.line:
        yield from (end for end in line.linked_txn if end.txn_type == kind)


def payments(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Payments, which say what they are for; of an edited one also what it is for no more."""
    del at
    books = _books(vendor, connection)
    for row in rows:
        told = Told.model_validate(row)
        yield from reading.payments(told, books)
        if told.sync_token != FIRST and told.customer_ref:
            theirs = f"CustomerRef = {quoted(told.customer_ref.value)}"
            touched = _touched(vendor, told.changed, told.changed + SOON, theirs)
            yield from reading.let_go(told, touched, books)


def let_go(
    vendor: VendorClient, payment: str, at: datetime, connection: Connection
) -> Iterator[Seen]:
    """What a payment that was deleted then was for: invoices that the same act opened again."""
    for invoice in _touched(vendor, at, at + TWINKLING):
        yield from reading.gone("Payment", f"{payment}:{invoice}", at, bare(connection))


def _touched(vendor: VendorClient, since: datetime, until: datetime, *conditions: str) -> list[str]:
    times = (
        f"{CHANGED} >= {quoted(moment(since - TWINKLING))}",
        f"{CHANGED} <= {quoted(moment(until))}",
    )
    condition = " and ".join((*conditions, *times))
    return [str(row["Id"]) for row in query(vendor, "Invoice", condition, "Id")]


def refunds(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Refund receipts. Nothing ties one to a sale but what a person writes: the sale's number."""
    del at
    books = _books(vendor, connection)
    for row in rows:
        told = Told.model_validate(row)
        yield reading.refund(told, _sale(vendor, told.payment_ref_num), books)


def _sale(vendor: VendorClient, number: str) -> str | None:
    if not number:
        return None
    try:
        return find_by(vendor, ("SalesReceipt", "Invoice"), "DocNumber", number)
    except AmbiguousMatchError:
        return None


def customers(
    vendor: VendorClient, rows: Rows, connection: Connection, at: datetime
) -> Iterator[Seen]:
    """Customers, with the days of their terms."""
    del at
    told = list(map(ToldCustomer.model_validate, rows))
    terms = once(vendor, "Term") if any(one.sales_term_ref for one in told) else []
    days = {one.id: one.due_days for one in map(Term.model_validate, terms)}
    books = Books(connection, "", days=days)
    for one in told:
        yield reading.customer(one, books)


def items(vendor: VendorClient, rows: Rows, connection: Connection, at: datetime) -> Iterator[Seen]:
    """Items with their prices and stock."""
    books = _books(vendor, connection)
    for row in rows:
        yield from reading.item(ToldItem.model_validate(row), at, books)


def stock(vendor: VendorClient, rows: Rows, connection: Connection, at: datetime) -> Iterator[Seen]:
    """Stock alone."""
    del vendor
    books = bare(connection)
    for row in rows:
        yield from reading.stock(ToldItem.model_validate(row), at, books)


def bare(connection: Connection) -> Books:
    """The books without what is read: enough to say what is gone."""
    return Books(connection, "")


def _books(vendor: VendorClient, connection: Connection) -> Books:
    return Books(connection, lookup.preferences(vendor).currency_prefs.home_currency.value)


def _with_items(vendor: VendorClient, told: Iterable[Told], connection: Connection) -> Books:
    wanted = {identity for one in told for identity in _named(one.line)}
    found = map(Item.model_validate, among(vendor, "Item", "Id", wanted - {lookup.SHIPPING}))
    settings = connection.settings
    named = {kind: settings.get(f"{kind.lower()}_sku") for kind in LineType}
    return Books(
        connection,
        _books(vendor, connection).home,
        items={one.id: one for one in found},
        kinds={str(code): kind for kind, code in named.items() if code},
    )


def _named(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        if line.group_line_detail:
            yield from _named(line.group_line_detail.line)
        detail = line.sales_item_line_detail
        if detail and detail.item_ref:
            yield detail.item_ref.value
