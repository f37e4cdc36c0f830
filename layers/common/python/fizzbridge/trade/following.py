"""What followed an order: what there is to bill, what was credited, how well it was served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Payment,
    Refund,
    Return,
    ReturnState,
    SettlementStatus,
    Shipment,
    ShipmentState,
)
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import LineType
from fizzbridge.trade import service
from fizzbridge.trade.allocation import open_quantity
from fizzbridge.trade.credit_notes import credited
from fizzbridge.trade.draft import Draft
from fizzbridge.trade.payments import payout
from fizzbridge.trade.settlement import difference

OUT = frozenset({ShipmentState.DISPATCHED, ShipmentState.DELIVERED})


@dataclass(frozen=True)
class Documents:
    """The living documents of an order, in the order their owners dated them."""

    shipments: tuple[Shipment, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()

    def standing_invoices(self) -> list[Invoice]:
        """Invoices that were issued and neither voided nor are credit notes."""
        return [
            one for one in self.invoices if one.state is InvoiceState.ISSUED and not one.credits
        ]

    def shipped(self) -> Mapping[str, int]:
        """What has left, by order line and in its unit."""
        found: dict[str, int] = {}
        for shipment in self.shipments:
            for line in shipment.lines if shipment.state in OUT else ():
                found[line.order_line_id] = found.get(line.order_line_id, 0) + line.quantity
        return found


def show(draft: Draft, documents: Documents, promised_on: date | None) -> None:
    """Show what the documents amount to."""
    _show_margin(draft)
    shipped = documents.shipped()
    _show_money(draft, documents)
    _show_count(draft, documents.returns)
    if shipped:
        _show_open(draft, shipped)
        _show_billable(draft, shipped)
        _show_service(draft, documents, shipped, promised_on)
    _show_credits(draft, documents.refunds)


def _show_margin(draft: Draft) -> None:
    """Goods net against their cost; deposits, levies and tax are neither."""
    goods = list(draft.goods())
    if draft.currency != draft.rules.bridge.company.currency or not goods:
        return
    cost = Decimal(0)
    for _, counted in goods:
        unit_cost = counted.sold.item.unit_cost
        if unit_cost is None:
            return
        cost += unit_cost * counted.quantity.base
    sold = sum(
        (
            line.amount - (line.tax if draft.request.tax_included else 0)
            for line in draft.lines
            if line.type is LineType.GOODS
        ),
        Decimal(0),
    )
    cost = to_minor_unit(cost, draft.currency)
    if sold:
        percent = service.margin(sold, cost)
        draft.show("margin", f"({sold} - {cost}) / {sold} = {percent} %", amount=sold - cost)


def _show_money(draft: Draft, documents: Documents) -> None:
    """What the gateway pays out of what it took in for the order."""
    paid = [one for one in documents.payments if one.status is SettlementStatus.SETTLED]
    back = [one for one in documents.refunds if one.status is SettlementStatus.SETTLED]
    if not paid:
        return
    taken, given = (sum((one.amount for one in moved), Decimal(0)) for moved in (paid, back))
    fees = sum((one.fee for one in paid), Decimal(0))
    amount = payout(taken, given, fees, Decimal(0))
    draft.show("payout", f"{taken} paid - {given} refunded - {fees} fees", amount=amount)


def _show_count(draft: Draft, returns: Iterable[Return]) -> None:
    """The driver counts empties at the stop, the depot again: a difference is to be explained."""
    counted: dict[str, int] = {}
    for one in returns:
        for line in one.lines if one.state is ReturnState.RECEIVED else ():
            if line.sku and not line.order_line_id:
                counted[line.sku] = counted.get(line.sku, 0) + line.quantity
    brought = {
        line.container: line.count
        for line in draft.lines
        if line.container and line.type is LineType.DEPOSIT_REFUND
    }
    for container, count in counted.items():
        said = brought.get(container, 0)
        off = difference(said, count, 0)
        text = f"{said} {container} brought - {count} counted at the depot = {off} to explain"
        draft.show("settlement", text)


def _show_open(draft: Draft, shipped: Mapping[str, int]) -> None:
    for line, counted in draft.goods():
        out = min(shipped.get(line.id, 0), counted.quantity.ordered) * counted.quantity.factor
        base = counted.quantity.base
        left = open_quantity(base, out, 0, 0)
        draft.show("open", f"{base} ordered - {out} shipped = {left} open", line=line.id)


def _show_billable(draft: Draft, shipped: Mapping[str, int]) -> None:
    """What is shipped is billed, deposits by the containers that left, not by those ordered."""
    sums: dict[LineType, Decimal] = {}
    tax = Decimal(0)
    for line in draft.lines:
        goods = line.id if line.id in draft.counted else line.parent_id or ""
        counted = draft.counted.get(goods)
        if counted is None or not counted.quantity.ordered:
            continue
        ordered = counted.quantity.ordered
        out = min(shipped.get(goods, 0), ordered)
        sums[line.type] = sums.get(line.type, Decimal(0)) + line.type.sign * credited(
            line.amount, ordered, 0, out, draft.currency
        )
        tax += line.type.sign * credited(line.tax, ordered, 0, out, draft.currency)
    words = " + ".join(f"{amount} {kind.lower()}" for kind, amount in sums.items())
    total = sum(sums.values(), Decimal(0)) + (0 if draft.request.tax_included else tax)
    including = "including" if draft.request.tax_included else "+"
    draft.show("to bill for what is shipped", f"{words} {including} {tax} tax", amount=total)


def _show_service(
    draft: Draft, documents: Documents, shipped: Mapping[str, int], promised_on: date | None
) -> None:
    wanted = {line.id: line.quantity for line, _ in draft.goods()}
    out = {line: min(shipped.get(line, 0), quantity) for line, quantity in wanted.items()}
    pieces = service.fill(sum(out.values()), sum(wanted.values()))
    whole = sum(out[line] == quantity for line, quantity in wanted.items())
    lines = service.fill(whole, len(wanted))
    draft.show("fill", f"{pieces} % of the quantity and {lines} % of the lines have left")
    arrived = [one.delivered_at for one in documents.shipments if one.delivered_at]
    if promised_on and arrived and out == wanted:
        is_late = max(arrived).date() > promised_on
        draft.show("on time in full", f"promised {promised_on}, {'late' if is_late else 'kept'}")


def _show_credits(draft: Draft, refunds: Iterable[Refund]) -> None:
    """Refunds in parts round on what was refunded in all, so that the parts sum to the line."""
    lines = {line.id: line for line in draft.request.lines}
    before: dict[str, int] = {}
    for refund in refunds:
        for part in refund.lines:
            line = lines.get(part.order_line_id)
            if line is None or not line.quantity_ordered or not part.quantity:
                continue
            done = before.get(line.id, 0)
            before[line.id] = done + part.quantity
            text = f"{part.quantity} of {line.quantity_ordered}, {done} credited before"
            draft.show("credit", text, line=line.id, amount=part.amount)
