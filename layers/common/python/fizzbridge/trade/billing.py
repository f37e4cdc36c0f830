"""An order as a ledger bills it: as it was sold, since what was given back is credited apart."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fizzbridge.model.documents import Documents, Refund, RefundedLine, SettlementStatus
from fizzbridge.model.order import AssessedLine, OrderAssessment, OrderRequest, Totals
from fizzbridge.model.units import Quantity


def billed(request: OrderRequest, order: OrderAssessment, documents: Documents) -> OrderAssessment:
    """The order with what settled refunds took off it put back.

    Some shops lower an order's quantities when they refund, others leave them: where what is left
    and what was given back make no more than was ordered, it was lowered.
    """
    told = {line.id: line for line in request.lines}
    back: dict[str, list[RefundedLine]] = {}
    for part in _settled(documents.refunds):
        back.setdefault(part.order_line_id, []).append(part)
    lines, amount, tax = [], Decimal(0), Decimal(0)
    for line in order.lines:
        source, parts = told.get(line.id), back.get(line.id, [])
        pieces = sum(part.quantity for part in parts)
        if source and pieces and source.quantity + pieces <= source.quantity_ordered:
            lines.append(_restored(line, parts, pieces))
            amount += lines[-1].amount - line.amount
            tax += lines[-1].tax - line.tax
        else:
            lines.append(line)
    net = amount - tax if order.tax_included else amount
    totals = Totals(
        net=order.totals.net + net,
        tax=order.totals.tax + tax,
        gross=order.totals.gross + net + tax,
        discount=order.totals.discount,
    )
    return order.model_copy(update={"lines": tuple(lines), "totals": totals})


def was_paid(documents: Documents) -> bool:
    """Whether money for the order has really moved."""
    return any(
        one.status is SettlementStatus.SETTLED and not one.is_test for one in documents.payments
    )


def _settled(refunds: Iterable[Refund]) -> Iterable[RefundedLine]:
    for refund in refunds:
        # What was taken off before anybody paid is no credit: it was never to be billed.
        if refund.status is SettlementStatus.SETTLED and refund.amount:
            yield from refund.lines


def _restored(line: AssessedLine, parts: Iterable[RefundedLine], pieces: int) -> AssessedLine:
    listed = list(parts)
    change: dict[str, Decimal | Quantity] = {
        "amount": line.amount + sum((part.amount for part in listed), Decimal(0)),
        "tax": line.tax + sum((part.tax for part in listed), Decimal(0)),
    }
    quantity = line.quantity
    if quantity:
        ordered = quantity.ordered + pieces
        change |= {
            "quantity": Quantity(
                ordered=ordered,
                unit=quantity.unit,
                factor=quantity.factor,
                base=ordered * quantity.factor,
            )
        }
    return line.model_copy(update=change)
