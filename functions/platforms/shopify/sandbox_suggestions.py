"""What the sandbox shop suggests to refund."""

from __future__ import annotations

from platforms.shopify.sandbox_money import ZERO, Json, Money
from platforms.shopify.sandbox_orders import Line, Order, number_of


def suggestion(order: Order, args: Json) -> Json:
    """``Order.suggestedRefund``: what these goods, and this much freight, are worth."""
    rows: list[tuple[Line, int]] = [
        (order.line(number_of(one["lineItemId"])), one["quantity"])
        for one in args.get("refundLineItems") or []
    ]
    if args.get("suggestFullRefund"):
        rows = [(line, line.current) for line in order.lines]
    subtotal, tax = ZERO, ZERO
    for line, quantity in rows:
        before = order.worth(line, line.current)
        after = order.worth(line, line.current - min(quantity, line.current))
        subtotal += before[0] - before[1] - (after[0] - after[1])
        tax += before[2] - after[2]
    freight = _suggested_freight(order, args)
    rate = order.shipping["rate"] if order.shipping else None
    tax += order.tax(order.freight_left, rate) - order.tax(order.freight_left - freight, rate)
    left = order.received - order.moved("refund")
    amount = subtotal + freight + (ZERO if order.taxes_included else tax)
    bag = order.currencies.bag
    return {
        "amount_set": bag(amount if amount.shop < left.shop else left),
        "maximum_refundable_set": bag(left),
        "subtotal_set": bag(subtotal),
        "total_tax_set": bag(tax),
    }


def _suggested_freight(order: Order, args: Json) -> Money:
    if args.get("refundShipping") or args.get("suggestFullRefund"):
        return order.freight_left
    given = args.get("shippingAmount")
    return ZERO if given is None else order.currencies.presented(given)
