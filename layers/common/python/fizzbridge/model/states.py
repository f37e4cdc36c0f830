"""The axes of an order's state. ORDER is kept; the other three are folded from child documents.

Folding looks at all documents at once, so their order of arrival cannot matter and a late or
repeated one cannot move a state back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum


class OrderState(StrEnum):
    """Where an order stands commercially."""

    RECEIVED = "RECEIVED"
    HELD = "HELD"
    CONFIRMED = "CONFIRMED"
    RELEASED = "RELEASED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows: what comes after makes new documents."""
        return not _ORDER_MOVES[self]


_ORDER_MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.RECEIVED: frozenset({OrderState.HELD, OrderState.CONFIRMED, OrderState.REJECTED}),
    OrderState.HELD: frozenset({OrderState.CONFIRMED, OrderState.CANCELLED, OrderState.REJECTED}),
    OrderState.CONFIRMED: frozenset({OrderState.HELD, OrderState.RELEASED, OrderState.CANCELLED}),
    OrderState.RELEASED: frozenset({OrderState.CLOSED, OrderState.CANCELLED}),
    OrderState.CLOSED: frozenset(),
    OrderState.CANCELLED: frozenset(),
    OrderState.REJECTED: frozenset(),
}


def move(state: OrderState, wanted: OrderState) -> OrderState:
    """The state after a wish: the wish where the move is legal, else the state as it was."""
    return wanted if wanted in _ORDER_MOVES[state] else state


class FulfilmentState(StrEnum):
    """How far the goods are."""

    NONE = "NONE"
    ALLOCATED = "ALLOCATED"
    PICKING = "PICKING"
    PART_SHIPPED = "PART_SHIPPED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"


class BillingState(StrEnum):
    """How much of the order is invoiced."""

    UNBILLED = "UNBILLED"
    PART_BILLED = "PART_BILLED"
    BILLED = "BILLED"
    PART_CREDITED = "PART_CREDITED"
    CREDITED = "CREDITED"


class SettlementState(StrEnum):
    """How much of the order is paid."""

    UNPAID = "UNPAID"
    PART_PAID = "PART_PAID"
    PAID = "PAID"
    REFUNDED = "REFUNDED"


def fulfilment(
    wanted: Mapping[str, int],
    shipped: Iterable[Mapping[str, int]],
    delivered: Iterable[Mapping[str, int]] = (),
) -> FulfilmentState:
    """Fold shipments into one state.

    Args:
        wanted: base quantity still wanted per order line (cancelled quantity taken off).
        shipped: base quantity per order line of each dispatched shipment.
        delivered: base quantity per order line of each delivered shipment.
    """
    lines = {line: quantity for line, quantity in wanted.items() if quantity}
    out = _sum(shipped)
    if not any(out.values()):
        return FulfilmentState.NONE
    if any(out.get(line, 0) < quantity for line, quantity in lines.items()):
        return FulfilmentState.PART_SHIPPED
    there = _sum(delivered)
    if all(there.get(line, 0) >= quantity for line, quantity in lines.items()):
        return FulfilmentState.DELIVERED
    return FulfilmentState.SHIPPED


def _sum(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for line, quantity in part.items():
            total[line] = total.get(line, 0) + quantity
    return total


def billing(
    gross: Decimal, invoiced: Iterable[Decimal], credited: Iterable[Decimal]
) -> BillingState:
    """Fold issued invoices and credit notes, given by their gross amounts, into one state."""
    billed, taken_back = sum(invoiced, Decimal(0)), sum(credited, Decimal(0))
    if not billed:
        return BillingState.UNBILLED
    if taken_back >= billed:
        return BillingState.CREDITED
    if taken_back:
        return BillingState.PART_CREDITED
    return BillingState.BILLED if billed >= gross else BillingState.PART_BILLED


def settlement(
    gross: Decimal, paid: Iterable[Decimal], refunded: Iterable[Decimal]
) -> SettlementState:
    """Fold settled payments and refunds into one state."""
    received, given_back = sum(paid, Decimal(0)), sum(refunded, Decimal(0))
    if not received:
        return SettlementState.PAID if gross == 0 else SettlementState.UNPAID
    if given_back >= received:
        return SettlementState.REFUNDED
    return SettlementState.PAID if received >= gross else SettlementState.PART_PAID
