"""Refunds that apps make in the sandbox shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import ZERO, Json, Money, total
from platforms.shopify.sandbox_nodes import order_node
from platforms.shopify.sandbox_orders import Order
from platforms.shopify.sandbox_refunds import Payment
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

SIGNS = {"GBP": "£", "EUR": "€", "USD": "$", "CAD": "$", "AUD": "$"}


class RefundWrites:
    """``refundCreate``."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def create(self, args: Json) -> Json:
        """Goods, freight and money go back, together or each alone."""
        given = args["input"]
        order = self._desk.orders.get(number_in(given["orderId"], "Order"))
        if order is None:
            raise UserError(["orderId"], "Order does not exist")
        try:
            with self._desk.whole(order.id, even_cancelled=True):
                refund = self._refund(order, given)
        except UserError as error:
            now = self._desk.orders[order.id]
            error.more = {"order": order_node(now, self._desk)}
            raise
        node = order_node(order, self._desk)
        return {
            "order": node,
            "refund": next(one for one in node["refunds"] if one["id"] == refund["id"]),
        }

    def _refund(self, order: Order, given: Json) -> Json:
        rows, payments = given.get("refundLineItems") or [], given.get("transactions") or []
        if not rows and not payments and not given.get("shipping"):
            raise UserError(None, "Refund has nothing to refund")
        if order.currencies.shop != order.currencies.presentment and (
            given.get("currency") != order.currencies.presentment
        ):
            raise UserError(["currency"], "Currency must be the presentment currency of the order")
        moved = self._payments(order, payments)
        worth, items = ZERO, []
        for n, row in enumerate(rows):
            item, value = self._desk.refunds.line(order, self._line(order, n, row))
            items.append(item)
            worth += value
        freight, value = self._freight(order, given.get("shipping") or {})
        money = total(amount for amount, _ in moved)
        excess = money - worth - value if money and not order.cancelled_at else ZERO
        refund = self._desk.refunds.record(
            order, items, moved, excess, given.get("note"), freight, self._time(given)
        )
        self._desk.refunds.told(order)
        return refund

    def _line(self, order: Order, n: int, row: Json) -> Json:
        path = ["refundLineItems", str(n)]
        number = number_in(row["lineItemId"], "LineItem")
        line = next((one for one in order.lines if one.id == number), None)
        if line is None:
            raise UserError([*path, "lineItemId"], "Line item does not exist")
        if not 0 < row["quantity"] <= line.current:
            text = "Quantity cannot refund more items than were purchased"
            raise UserError([*path, "quantity"], text)
        kind = (row.get("restockType") or "NO_RESTOCK").lower()
        facts = {"line": number, "quantity": row["quantity"], "restock_type": kind}
        if row.get("locationId"):
            where = number_in(row["locationId"], "Location")
            if self._desk.catalogue.stock.location(where) is None:
                raise UserError([*path, "locationId"], "Location does not exist")
            facts["location"] = where
        return facts

    def _freight(self, order: Order, given: Json) -> tuple[Json | None, Money]:
        left = order.freight_left
        amount = left
        if not given.get("fullRefund"):
            if given.get("amount") is None:
                return None, ZERO
            amount = order.currencies.presented(given["amount"])
        if amount.presentment < 0 or amount.presentment > left.presentment:
            text = "Shipping refund amount is greater than the remaining shipping amount"
            raise UserError(["shipping", "amount"], text)
        return self._desk.refunds.freight(order, amount) if amount else (None, ZERO)

    def _payments(self, order: Order, given: list[Json]) -> list[Payment]:
        moved: list[Payment] = []
        for row in given:
            if row["kind"] != "REFUND":
                text = f"Kind {row['kind'].lower()} is not a valid transaction"
                raise UserError(None, text)
            parents = {one.id: one for _, one in self._desk.refunds.payments(order)}
            parent = row.get("parentId") and number_in(row["parentId"], "OrderTransaction")
            same_order = number_in(row["orderId"], "Order") == order.id
            if parent not in parents or not same_order:
                text = "Transactions require a parent_id associated with the order"
                raise UserError(["transactions"], text)
            moved.append((order.currencies.presented(row["amount"]), parents[parent]))
        self._check_sums(order, moved)
        return moved

    def _check_sums(self, order: Order, moved: list[Payment]) -> None:
        asked = total(amount for amount, _ in moved)
        left = order.received - order.moved("refund")
        by_payment = {one.id: free for free, one in self._desk.refunds.payments(order)}
        for amount, parent in moved:
            by_payment[parent.id] -= amount
            if amount.presentment <= 0:
                raise UserError(["transactions"], "Amount must be greater than zero")
        if asked.presentment > left.presentment or any(
            free.presentment < 0 for free in by_payment.values()
        ):
            shown = [self._money(order, one) for one in (asked, left)]
            text = f"Refund amount {shown[0]} is greater than net payment received {shown[1]}"
            raise UserError(None, text)

    def _money(self, order: Order, money: Money) -> str:
        code = order.currencies.presentment
        bag: Json = order.currencies.bag(money)
        return f"{SIGNS.get(code, f'{code} ')}{bag['presentment_money']['amount']}"

    def _time(self, given: Json) -> str | None:
        return given.get("processedAt")
