"""Money that moved for orders, in canonical terms: payments, deposits, cash sales, refunds. Pure.

One payment may pay several invoices. Each application is a payment of its own then, so that sums
are right for every order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial

from fizzbridge.model.documents import Payment, Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.money import to_minor_unit
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap.reading import CASH_SALE, Known, currency_of, happened_at
from platforms.netsuite_soap.wire import Transaction

MONEY = {
    "CustomerPayment": ("payment", Kind.PAYMENT),
    "CustomerDeposit": ("deposit", Kind.PAYMENT),
    CASH_SALE: ("cash_sale", Kind.PAYMENT),
    "CustomerRefund": ("refund", Kind.REFUND),
    "CashRefund": ("cash_refund", Kind.REFUND),
}
"""By type of record, what hints call it, and what it is to us."""
APPLIED = frozenset({"CustomerPayment", "CustomerRefund"})
_STATUS = {
    "unapproved payment": SettlementStatus.PENDING,
    "unapproved": SettlementStatus.PENDING,
    "voided": SettlementStatus.VOIDED,
    "cancelled": SettlementStatus.VOIDED,
}
"""Any other is money we have or have given: deposited, or about to be."""
_AT_ONCE = timedelta(seconds=1)


def tell(one: Transaction, known: Known, connection: Connection) -> Iterator[Seen]:
    """What a transaction moved for each order; nothing for other transactions."""
    if one.sort not in MONEY:
        return
    what, kind = MONEY[one.sort]
    again = Hint(what, one.internal_id)
    shares = _shares(one) if one.sort in APPLIED else {"": one.payment or one.total}
    for doc, amount in shares.items():
        of = known.order(one if not doc else known.transactions.get(doc))
        if of:
            key = _key(one, doc, is_one=len(shares) == 1)
            theirs = ref(Kind.ORDER, connection.name, of)
            body = _moved(kind, one, amount, theirs, known, connection)
            entity = ref(kind, connection.name, key)
            yield Seen(entity, body, one.last_modified_date, parent=theirs, refetch=again)
    for key in _former(one, shares):
        entity = ref(kind, connection.name, key)
        yield Seen(entity, None, one.last_modified_date, Part.RECORD, refetch=again)


def _shares(one: Transaction) -> dict[str, Decimal]:
    """What of the money went to each document.

    A credit used up beside a payment may be in the amounts applied: no more moved than was paid.
    """
    left = one.payment or one.total
    found: dict[str, Decimal] = {}
    for row in one.applied:
        amount = min(row.amount, left)
        if amount > 0:
            found[row.doc] = found.get(row.doc, Decimal(0)) + amount
            left -= amount
    return found


def _key(one: Transaction, doc: str, *, is_one: bool) -> str:
    return one.internal_id if is_one else f"{one.internal_id}:{doc}"


def _former(one: Transaction, shares: dict[str, Decimal]) -> Iterator[str]:
    """Keys that somebody's change may have left behind."""
    made_at = one.created_date or one.last_modified_date
    if one.sort not in APPLIED or one.last_modified_date - made_at < _AT_ONCE:
        return
    if len(shares) != 1:
        yield one.internal_id
    docs = dict.fromkeys(row.doc for row in (*one.apply_list, *one.deposit_list))
    for doc in docs:
        if len(shares) == 1 or doc not in shares:
            yield f"{one.internal_id}:{doc}"


def _moved(
    kind: Kind,
    one: Transaction,
    amount: Decimal,
    theirs: EntityRef,
    known: Known,
    connection: Connection,
) -> Payment | Refund:
    currency = currency_of(one, known)
    make = partial(Refund, reason=one.memo) if kind is Kind.REFUND else Payment
    return make(
        order=theirs,
        amount=to_minor_unit(amount, currency),
        currency=currency,
        gateway=one.payment_method,
        at=happened_at(one, connection) or one.last_modified_date,
        status=_STATUS.get(one.status.casefold(), SettlementStatus.SETTLED),
    )
