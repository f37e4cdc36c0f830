"""Customers of NetSuite with what they owe: read for a whole page at once.

What a customer owes does not move the time of its record: those of transactions that changed are
read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap import accounts, lookup
from platforms.netsuite_soap.listing import PAGE, among, one_of, search, within
from platforms.netsuite_soap.orders import KEYS
from platforms.netsuite_soap.transport import RELATIONSHIPS, SALES
from platforms.netsuite_soap.wire import Account, Concerning, Open

MOVING = one_of(
    "_salesOrder",
    "_invoice",
    "_creditMemo",
    "_customerPayment",
    "_customerDeposit",
    "_customerRefund",
)
OPEN = one_of(
    "_invoiceOpen",
    "_salesOrderPendingFulfillment",
    "_salesOrderPartiallyFulfilled",
    "_salesOrderPendingBilling",
    "_salesOrderPendingBillingPartiallyFulfilled",
)


def told(
    vendor: VendorClient, records: Iterable[Mapping[str, Any]], connection: Connection
) -> Iterator[Seen]:
    """Customers as they stand, the oldest change first."""
    found = [Account.model_validate(one) for one in records]
    books = _books(vendor, found)
    for one in sorted(found, key=lambda one: one.last_modified_date):
        yield accounts.customer(one, books, connection)


def read(vendor: VendorClient, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The records of customers."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), PAGE):
        basic = {"internalId": among("internalId", ids[start : start + PAGE])}
        found += search(vendor, RELATIONSHIPS, "CustomerSearch", basic, whole=True)
    return found


def moved(vendor: VendorClient, since: datetime, until: datetime) -> Set[str]:
    """Whose orders, invoices or payments changed."""
    basic = {"lastModifiedDate": within(since, until), "type": MOVING}
    found = search(vendor, SALES, "TransactionSearch", basic)
    return {Concerning.model_validate(one).whose for one in found} - {""}


def _books(vendor: VendorClient, found: Sequence[Account]) -> accounts.Books:
    begun = datetime.now(UTC)
    limited = sorted({one.internal_id for one in found if one.credit_limit is not None}, key=int)
    opened = search(vendor, SALES, "TransactionSearch", _open(limited)) if limited else []
    theirs = [one for one in opened if one["sort"] != "SalesOrder" or not KEYS.is_on(vendor, one)]
    codes = lookup.currencies(vendor) if found else {}
    return accounts.Books(
        at=begun,
        currencies={number: symbol for symbol, number in codes.items()},
        terms=lookup.terms(vendor) if any(one.terms for one in found) else {},
        open=accounts.by_customer(map(Open.model_validate, theirs)),
    )


def _open(customers: Sequence[str]) -> dict[str, Any]:
    return {"entity": among("internalId", customers), "status": OPEN}
