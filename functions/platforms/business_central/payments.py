"""What was paid: what is missing of an invoice, less what its credit memos took off it.

API v2.0 shows no entries of customers, and lines of a payment journal vanish when it is posted. So
one payment stands for all that was paid of an invoice so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Payment, SettlementStatus
from fizzbridge.model.entity import Kind, Role, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.business_central.lookup import among
from platforms.business_central.wire import Bill

_USED = frozenset({"Paid", "Corrective"})
"""States of credit memos of which nothing is left."""


def payments(
    vendor: VendorClient, orders: Mapping[str, str], billed: list[Bill], connection: Connection
) -> Iterator[Seen]:
    """What was paid of some invoices, where payments are ours to tell.

    Args:
        vendor: a client of the company.
        orders: ids of orders, by those of their invoices.
        billed: invoices.
        connection: the connection.
    """
    known = [one for one in billed if one.id in orders]
    if Role.PAYMENT not in connection.roles or not known:
        return
    begun = (one.number for one in known if one.remaining_amount < one.total_amount_including_tax)
    credited: dict[str, Decimal] = {}
    fields = "id,invoiceNumber,status,totalAmountIncludingTax"
    for row in among(vendor, "/salesCreditMemos", "invoiceNumber", begun, fields):
        if row["status"] in _USED:
            number = row["invoiceNumber"]
            credited[number] = credited.get(number, Decimal(0)) + row["totalAmountIncludingTax"]
    for one in known:
        yield _payment(one, credited.get(one.number, Decimal(0)), orders[one.id], connection)


def _payment(of: Bill, credited: Decimal, order_id: str, connection: Connection) -> Seen:
    """All that was paid of an invoice; nothing where nothing was, or is any more."""
    entity = ref(Kind.PAYMENT, connection.name, of.id)
    changed, refetch = of.last_modified_date_time, Hint("invoice", of.id)
    paid = of.total_amount_including_tax - of.remaining_amount - credited
    if paid <= 0:
        return Seen(entity, None, changed, refetch=refetch)
    order = ref(Kind.ORDER, connection.name, order_id)
    body = Payment(
        order=order,
        amount=to_minor_unit(paid, of.currency_code),
        currency=of.currency_code,
        at=changed,
        status=SettlementStatus.SETTLED,
    )
    return Seen(entity, body, changed, parent=order, refetch=refetch)
