"""Money and goods that go back in the sandbox shop: refunds and cancelled orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import ZERO, Json, Money, total
from platforms.shopify.sandbox_orders import (
    CANCEL_REASONS,
    RESTOCK_TYPES,
    Move,
    Order,
    RefusedError,
    Transaction,
    gid,
    known,
)

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

LINE_KEYS = {"line", "quantity", "restock_type", "location"}
Payment = tuple[Money, Transaction]


class Refunds:
    """What the shop gives back."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk

    def refund(
        self,
        order_id: Any,
        lines: list[Json],
        amount: Any = None,
        *,
        note: str = "",
        returned: int | None = None,
    ) -> Order:
        """Take lines back and return money: their worth, unless told otherwise."""
        with self.desk.whole(order_id) as order:
            worth, items = ZERO, []
            for given in lines:
                item, value = self.line(order, given)
                items.append(item)
                worth += value
            left = order.received - order.moved("refund")
            money = order.currencies.money(amount) if amount is not None else worth
            if amount is None and money.shop > left.shop:
                money = left
            if money.shop > left.shop:
                raise RefusedError("more than was paid cannot be refunded")
            excess = money - worth if money else ZERO
            self.record(order, items, self.last_payment(order, money), excess, note)
            if returned:
                named = {"id": returned, "admin_graphql_api_id": gid("Return", returned)}
                order.refunds[-1]["return"] = named
            self.told(order)
        return order

    def told(self, order: Order) -> None:
        """Tell of the last refund, and of what it made of the order."""
        self.desk.tell(order, "refunds/create", order.refunds[-1])
        self.desk.changed(order)

    def last_payment(self, order: Order, money: Money) -> list[Payment]:
        """All the money by way of the last payment; none where there is none."""
        paid = [t for t in order.transactions if t.kind in {"sale", "capture"}]
        return [(money, paid[-1])] if money else []

    def line(self, order: Order, given: Json) -> tuple[Json, Money]:
        """Take units of a line back; gives what refunds show of it, and its worth."""
        known(given, LINE_KEYS, "refund line")
        line = order.line(given["line"])
        quantity, restock = given.get("quantity", line.current), given.get("restock_type", "return")
        if not 0 < quantity <= line.current or restock not in RESTOCK_TYPES:
            raise RefusedError(f"cannot take back {quantity} ({restock}) of line {line.id}")
        before, after = order.worth(line, line.current), order.worth(line, line.current - quantity)
        subtotal = before[0] - before[1] - (after[0] - after[1])
        tax = before[2] - after[2]
        bag = order.currencies
        body = order.line_body(line)
        for key in ("attributed_staffs", "current_quantity", "sales_line_item_group_id"):
            del body[key]
        unshipped = line.open
        line.current -= quantity
        line.fulfilled = min(line.fulfilled, line.current)
        back = 0 if restock == "no_restock" else quantity
        where = given.get("location")
        order.moves.append(Move(line.facts["variant_id"], back, line.open - unshipped, where))
        item = {
            "id": self.desk.next_id(),
            "line_item": body,
            "line_item_id": line.id,
            "location_id": where,
            "quantity": quantity,
            "restock_type": restock,
            # The vendor writes these two as JSON numbers, unlike all its other money.
            "subtotal": float(subtotal.shop),
            "subtotal_set": bag.bag(subtotal),
            "total_tax": float(tax.shop),
            "total_tax_set": bag.bag(tax),
        }
        return item, subtotal if order.taxes_included else subtotal + tax

    def freight(self, order: Order, amount: Money) -> tuple[Json, Money]:
        """Give freight back; what refunds show of it, and its worth with tax."""
        rate = order.shipping["rate"] if order.shipping else None
        before = order.tax(order.freight_left, rate)
        order.freight_back += amount
        tax = before - order.tax(order.freight_left, rate)
        bag = order.currencies.bag
        shown = {
            "id": self.desk.next_id(),
            "shipping_line": order.body()["shipping_lines"][0],
            "shipping_line_id": order.shipping_id,
            "subtotal_amount_set": bag(amount),
            "tax_amount_set": bag(tax),
        }
        return shown, amount if order.taxes_included else amount + tax

    def record(
        self,
        order: Order,
        items: list[Json],
        payments: list[Payment],
        excess: Money,
        note: str | None,
        freight: Json | None = None,
        at: str | None = None,
    ) -> Json:
        """Write a refund down; ``excess`` is money beyond what the goods and freight are worth."""
        number, now, adjustments = self.desk.next_id(), self.desk.stamp(self.desk.at(order)), []
        if excess:
            order.excess_refunded += excess
            difference = ZERO - excess
            adjustments.append(
                {
                    "amount": order.currencies.text(difference),
                    "amount_set": order.currencies.bag(difference),
                    "id": self.desk.next_id(),
                    "kind": "refund_discrepancy",
                    "order_id": order.id,
                    "reason": "Refund discrepancy",
                    "refund_id": number,
                    "tax_amount": order.currencies.text(ZERO),
                    "tax_amount_set": order.currencies.bag(ZERO),
                }
            )
        moved = [
            self.desk.transact(order, "refund", money, parent.gateway, parent.id)
            for money, parent in payments
        ]
        refund = {
            "id": number,
            "admin_graphql_api_id": gid("Refund", number),
            "created_at": now,
            "duties": [],
            "note": note,
            "order_adjustments": adjustments,
            "order_id": order.id,
            "processed_at": at or now,
            "refund_line_items": items,
            "refund_shipping_lines": [freight] if freight else [],
            "restock": any(item["restock_type"] != "no_restock" for item in items),
            "return": None,
            "total_duties_set": order.currencies.bag(ZERO),
            "transactions": moved,
            "user_id": None,
        }
        order.refunds.append(refund)
        return refund

    def cancel(
        self,
        order_id: Any,
        reason: str = "customer",
        *,
        restock: bool = True,
        refund: bool = True,
        staff_note: str | None = None,
    ) -> Order:
        """Cancel: every open unit goes back, and so does the money, unless it is not to."""
        if reason not in CANCEL_REASONS:
            raise RefusedError(f"no cancel reason {reason}")
        order = self.desk.open_order(order_id)
        if any(line.fulfilled for line in order.lines):
            raise RefusedError("a fulfilled order cannot be cancelled")
        kind = "cancel" if restock else "no_restock"
        back = [
            {"line": line.id, "quantity": line.current, "restock_type": kind}
            for line in order.lines
            if line.current
        ]
        items = [self.line(order, given)[0] for given in back]
        # Set after the lines went back: from here on freight counts as gone, too.
        order.cancelled_at, order.cancel_reason = self.desk.stamp(self.desk.at(order)), reason
        order.closed_at, order.staff_note = order.cancelled_at, staff_note
        order.excess_refunded = ZERO
        left = order.received - order.moved("refund") if refund else ZERO
        self.record(order, items, self.last_payment(order, left), ZERO, "")
        self.desk.tell(order, "refunds/create", order.refunds[-1])
        self.desk.changed(order, "orders/cancelled")
        return order

    def payments(self, order: Order) -> list[Payment]:
        """What can be given back by way of each payment."""
        found = []
        for one in order.transactions:
            if one.kind in {"sale", "capture"} and one.status == "success":
                given = (t for t in order.transactions if t.parent == one.id)
                back = total(t.amount for t in given if (t.kind, t.status) == ("refund", "success"))
                found.append((one.amount - back, one))
        return found
