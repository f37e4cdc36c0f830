"""What followed an order: what there is to bill, what was credited, how well it was served.

It is worked out when somebody asks; nothing of it is stored, and no payment changes an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from fizzbridge.model.documents import (
    Documents,
    Refund,
    Return,
    ReturnState,
    SettlementStatus,
)
from fizzbridge.model.order import AssessedLine, LineType, OrderAssessment
from fizzbridge.model.units import Quantity
from fizzbridge.model.working import Working
from fizzbridge.trade import service
from fizzbridge.trade.allocation import open_quantity
from fizzbridge.trade.credit_notes import credited
from fizzbridge.trade.payments import payout
from fizzbridge.trade.settlement import difference


def follow(order: OrderAssessment, documents: Documents) -> Iterator[Working]:
    """What the documents of an order amount to."""
    yield from _money(documents)
    yield from _counts(order, documents.returns)
    shipped = documents.shipped()
    if shipped:
        yield from _open(order, shipped)
        yield _billable(order, shipped)
        yield from _service(order, documents, shipped)
    yield from _credits(order, documents.refunds)


def _goods(order: OrderAssessment) -> dict[str, Quantity]:
    kinds = {LineType.GOODS, LineType.FREE_GOODS}
    return {
        line.id: line.quantity
        for line in order.lines
        if line.type in kinds and line.quantity and line.quantity.ordered
    }


def _money(documents: Documents) -> Iterator[Working]:
    """What the gateway pays out of what it took in for the order."""
    paid = [one for one in documents.payments if one.status is SettlementStatus.SETTLED]
    back = [one for one in documents.refunds if one.status is SettlementStatus.SETTLED]
    if not paid:
        return
    taken, given = (sum((one.amount for one in moved), Decimal(0)) for moved in (paid, back))
    fees = sum((one.fee for one in paid), Decimal(0))
    text = f"{taken} paid - {given} refunded - {fees} fees"
    yield Working(rule="payout", text=text, amount=payout(taken, given, fees, Decimal(0)))


def _counts(order: OrderAssessment, returns: Iterable[Return]) -> Iterator[Working]:
    """The driver counts empties at the stop, the depot again: a difference is to be explained."""
    counted: dict[str, int] = {}
    for one in returns:
        for line in one.lines if one.state is ReturnState.RECEIVED else ():
            if line.sku and not line.order_line_id:
                counted[line.sku] = counted.get(line.sku, 0) + line.quantity
    refunds = (line for line in order.lines if line.type is LineType.DEPOSIT_REFUND)
    brought = {line.container: line.count for line in refunds if line.container}
    for container, count in counted.items():
        said = brought.get(container, 0)
        off = difference(said, count, 0)
        text = f"{said} {container} brought - {count} counted at the depot = {off} to explain"
        yield Working(rule="settlement", text=text)


def _open(order: OrderAssessment, shipped: Mapping[str, int]) -> Iterator[Working]:
    for line, quantity in _goods(order).items():
        out = min(shipped.get(line, 0), quantity.ordered) * quantity.factor
        left = open_quantity(quantity.base, out, 0, 0)
        text = f"{quantity.base} ordered - {out} shipped = {left} open"
        yield Working(rule="open", line=line, text=text)


def _billable(order: OrderAssessment, shipped: Mapping[str, int]) -> Working:
    """What is shipped is billed, deposits by the containers that left, not by those ordered."""
    goods = _goods(order)
    sums: dict[LineType, Decimal] = {}
    tax = Decimal(0)
    for line in order.lines:
        part = _part(line, goods, shipped, order.currency)
        if part:
            amount, of_tax = part
            sums[line.type] = sums.get(line.type, Decimal(0)) + amount
            tax += of_tax
    words = " + ".join(f"{amount} {kind.lower()}" for kind, amount in sums.items())
    including = "including" if order.tax_included else "+"
    return Working(
        rule="to bill for what is shipped",
        text=f"{words} {including} {tax} tax",
        amount=sum(sums.values(), Decimal(0)) + (0 if order.tax_included else tax),
    )


def _part(
    line: AssessedLine, goods: Mapping[str, Quantity], shipped: Mapping[str, int], currency: str
) -> tuple[Decimal, Decimal] | None:
    """The shipped part of a line, signed, and of its tax; None for what goes with no goods."""
    of = line.id if line.id in goods else line.parent_id or ""
    if of not in goods:
        return None
    ordered = goods[of].ordered
    out = min(shipped.get(of, 0), ordered)
    amount, tax = (
        line.type.sign * credited(whole, ordered, 0, out, currency)
        for whole in (line.amount, line.tax)
    )
    return amount, tax


def _service(
    order: OrderAssessment, documents: Documents, shipped: Mapping[str, int]
) -> Iterator[Working]:
    wanted = {line: quantity.ordered for line, quantity in _goods(order).items()}
    if not wanted:
        return
    out = {line: min(shipped.get(line, 0), quantity) for line, quantity in wanted.items()}
    pieces = service.fill(sum(out.values()), sum(wanted.values()))
    lines = service.fill(sum(out[line] == wanted[line] for line in wanted), len(wanted))
    text = f"{pieces} % of the quantity and {lines} % of the lines have left"
    yield Working(rule="fill", text=text)
    arrived = [one.delivered_at for one in documents.shipments if one.delivered_at]
    if order.promised_on and arrived and out == wanted:
        is_late = max(arrived).date() > order.promised_on
        text = f"promised {order.promised_on}, {'late' if is_late else 'kept'}"
        yield Working(rule="on time in full", text=text)


def _credits(order: OrderAssessment, refunds: Iterable[Refund]) -> Iterator[Working]:
    """What was credited of each line, one refund after the other."""
    known = {line.id for line in order.lines}
    before: dict[str, int] = {}
    for refund in refunds:
        for part in refund.lines:
            line = part.order_line_id
            if line in known and part.quantity:
                done = before.get(line, 0)
                before[line] = done + part.quantity
                text = f"{part.quantity} credited, {done} before"
                yield Working(rule="credit", line=line, text=text, amount=part.amount)
