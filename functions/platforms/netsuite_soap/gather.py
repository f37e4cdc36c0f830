"""What transactions of NetSuite belong to: read with them, for a whole page at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap import lookup, money, reading
from platforms.netsuite_soap.listing import PAGE, among, one_of, search
from platforms.netsuite_soap.reading import CASH_SALE, CREDITS, INVOICE, ORDER
from platforms.netsuite_soap.transport import ACCOUNTING, SALES
from platforms.netsuite_soap.wire import Item, Transaction

TYPES = one_of(*(f"_{sort[:1].lower()}{sort[1:]}" for sort in {**reading.HINTS, **money.MONEY}))
COUNTED = frozenset({"ItemFulfillment", "ReturnAuthorization"})
IN_MONEY = frozenset({INVOICE, "CreditMemo", *money.MONEY})


def told(
    vendor: VendorClient, records: Iterable[Mapping[str, Any]], connection: Connection
) -> Iterator[Seen]:
    """Transactions as they stand, the oldest change first.

    What they were made from is told with them: whether the time of an order moves when it is
    shipped or billed is nowhere written.
    """
    known = _known(vendor, [Transaction.model_validate(one) for one in records])
    ordered = sorted(
        known.transactions.values(), key=lambda one: (one.last_modified_date, int(one.internal_id))
    )
    for one in ordered:
        seen = reading.tell(one, known, connection)
        if seen:
            yield seen
        yield from money.tell(one, known, connection)


def _known(vendor: VendorClient, listed: Sequence[Transaction]) -> reading.Known:
    transactions = _made_from(vendor, listed)
    every = transactions.values()
    items = _items(vendor, [one for one in every if one.sort != ORDER])
    counted = {
        items[row.item].units_type
        for one in every
        if one.sort in COUNTED
        for row in one.item_list
        if row.item in items
    }
    is_in_money = any(one.sort in IN_MONEY for one in every)
    codes = lookup.currencies(vendor) if is_in_money else {}
    traced = reading.Known(transactions)
    untied = {
        traced.source(one, ORDER)
        for one in every
        if one.sort in CREDITS
        and not (traced.source(one, INVOICE) or traced.source(one, CASH_SALE))
    }
    return reading.Known(
        transactions,
        items,
        units={one: lookup.units(vendor, one) for one in sorted(counted - {""})},
        currencies={number: code for code, number in codes.items()},
        invoices=_first_invoices(vendor, untied - {""}),
    )


def _made_from(vendor: VendorClient, listed: Sequence[Transaction]) -> dict[str, Transaction]:
    """Transactions by id, with what they were made from, back to the orders."""
    found = {one.internal_id: one for one in listed}
    asked: set[str] = set()
    while wanted := {s for one in found.values() for s in one.sources} - found.keys() - asked:
        asked |= wanted
        for ids in _pages(wanted):
            basic = {"internalId": among("internalId", ids), "type": TYPES}
            for record in search(vendor, SALES, "TransactionSearch", basic, whole=True):
                found[record["internalId"]] = Transaction.model_validate(record)
    return found


def _pages(ids: Set[str]) -> Iterator[list[str]]:
    """So many that one page shows all of them."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), PAGE):
        yield ordered[start : start + PAGE]


def _items(vendor: VendorClient, of: Sequence[Transaction]) -> dict[str, Item]:
    """The items of lines, also those no longer in use."""
    wanted = {row.item for one in of for row in one.item_list if reading.is_item(row)}
    found: dict[str, Item] = {}
    for ids in _pages(wanted):
        basic = {"internalId": among("internalId", ids)}
        for record in search(vendor, ACCOUNTING, "ItemSearch", basic):
            found[record["internalId"]] = Item.model_validate(record)
    return found


def _first_invoices(vendor: VendorClient, orders: Set[str]) -> dict[str, str]:
    """The first invoice of each order, or its cash sale."""
    if not orders:
        return {}
    basic = {
        "createdFrom": among("internalId", sorted(orders)),
        "type": one_of("_invoice", "_cashSale"),
    }
    found = map(Transaction.model_validate, search(vendor, SALES, "TransactionSearch", basic))
    latest_first = sorted(found, key=lambda one: int(one.internal_id), reverse=True)
    return {one.created_from: one.internal_id for one in latest_first}
