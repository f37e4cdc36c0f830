"""Returns in the sandbox shop: asked for, agreed to, taken back, closed or called off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_nodes import line_nodes, order_node
from platforms.shopify.sandbox_orders import Move, Order, RefusedError, gid, known

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

REASONS = {
    "unknown": "Unknown",
    "defective": "Damaged or defective",
    "not-as-described": "Not as described",
    "wrong-item": "Wrong item",
    "unwanted": "Changed mind",
    "other": "Other",
}
LIVE = {"requested", "open", "closed"}


@dataclass
class Item:
    """Units of one line that come back out of one fulfilment."""

    id: int
    fulfillment_item: int
    line_id: int
    quantity: int
    reason: str
    note: str
    customer_note: str | None
    processed: int = 0
    refunded: int = 0


@dataclass
class Return:
    """One return of one order."""

    id: int
    order_id: int
    name: str
    status: str
    created_at: str
    items: list[Item]
    approved_at: str | None = None
    closed_at: str | None = None
    decline_note: str | None = None
    refunds: list[int] = field(default_factory=list)


class Returns:
    """The returns of one shop."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk
        self.known: dict[int, Return] = {}

    def get(self, return_id: Any) -> Return:
        """The return of that id."""
        try:
            return self.known[int(return_id)]
        except (KeyError, ValueError):
            raise RefusedError(f"no return {return_id}") from None

    def of(self, order: Order) -> list[Return]:
        """The returns of an order."""
        return [one for one in self.known.values() if one.order_id == order.id]

    def make(
        self,
        order_id: Any,
        lines: list[Json] | None = None,
        *,
        requested: bool = False,
        reason: str = "unknown",
        note: str = "",
    ) -> Return:
        """Take fulfilled units back, by default all; ``requested`` is the customer's own wish."""
        order = self.desk.order(order_id)
        wanted = lines or [{"line": one.id} for one in order.lines if self._left(order, one.id)]
        if not wanted:
            raise RefusedError("nothing of this order can be returned")
        items: list[Item] = []
        for given in wanted:
            items += self._items(order, {"reason": reason, "note": note} | given, items)
        now = self._now(order)
        number = len(self.of(order)) + 1
        made = Return(
            id=self.desk.next_id(),
            order_id=order.id,
            name=f"{order.name}-R{number}",
            status="requested" if requested else "open",
            created_at=now,
            items=items,
            approved_at=None if requested else now,
        )
        self.known[made.id] = made
        self._tell(made, "request" if requested else "approve", self._whole(made))
        return made

    def approve(self, return_id: Any) -> Return:
        """Agree to what the customer asked for."""
        one = self._in(return_id, "requested")
        one.status, one.approved_at = "open", self._now(self.desk.order(one.order_id))
        self._tell(one, "approve", self._whole(one))
        return one

    def decline(self, return_id: Any, note: str = "") -> Return:
        """Refuse what the customer asked for; the sandbox has no topic for it."""
        one = self._in(return_id, "requested")
        one.status, one.decline_note = "declined", note
        self.desk.changed(self.desk.order(one.order_id))
        return one

    def process(
        self,
        return_id: Any,
        lines: list[Json] | None = None,
        *,
        refund: bool = False,
        amount: Any = None,
        restock: bool = True,
    ) -> Return:
        """The goods are back, by default all; ``refund`` also gives their worth back."""
        one = self._in(return_id, "open")
        order = self.desk.order(one.order_id)
        took = self._pick(one, lines, lambda item: item.quantity - item.processed)
        if not took:
            raise RefusedError("nothing is left to process")
        if refund or amount is not None:
            kind = "return" if restock else "no_restock"
            back = [
                {"line": item.line_id, "quantity": quantity, "restock_type": kind}
                for item, quantity in took
            ]
            order = self.desk.refund(order.id, back, amount, returned=one.id)
            one.refunds.append(order.refunds[-1]["id"])
        for item, quantity in took:
            item.processed += quantity
            item.refunded += quantity if refund or amount is not None else 0
            if restock and not refund and amount is None:
                variant = order.line(item.line_id).facts["variant_id"]
                order.moves.append(Move(variant, quantity, 0))
        # The published example of this one is an empty object.
        self._tell(one, "process", {})
        return one

    def remove(self, return_id: Any, lines: list[Json]) -> Return:
        """Fewer units come back than was agreed."""
        one = self._in(return_id, "open")
        took = self._pick(one, lines, lambda item: item.quantity - item.processed)
        if not took:
            raise RefusedError("nothing to remove")
        for item, quantity in took:
            item.quantity -= quantity
        nothing: Json = {"updates": [], "removals": []}
        removals = [
            {"admin_graphql_api_id": gid("ReturnLineItem", item.id), "delta": quantity}
            for item, quantity in took
        ]
        body = {
            "admin_graphql_api_id": gid("Return", one.id),
            "return_line_items": {"removals": removals},
            "restocking_fees": nothing,
            "return_shipping_fees": nothing,
        }
        one.items = [item for item in one.items if item.quantity]
        self._tell(one, "update", body)
        return one

    def close(self, return_id: Any) -> Return:
        """The return is done."""
        one = self._in(return_id, "open")
        one.status, one.closed_at = "closed", self._now(self.desk.order(one.order_id))
        self._tell(one, "close", self._thin(one))
        return one

    def cancel(self, return_id: Any) -> Return:
        """Call a return off, as long as nothing came back."""
        one = self._in(return_id, "open", "requested")
        if any(item.processed for item in one.items):
            raise RefusedError("a return that was processed cannot be cancelled")
        one.status = "canceled"
        self._tell(one, "cancel", self._thin(one))
        return one

    def node(self, one: Return) -> Json:
        """As the API shows it."""
        order = self.desk.order(one.order_id)

        def money(key: str) -> list[Json]:
            # The order tells of its refunds in full.
            refunds: list[Json] = order_node(order, self.desk)["refunds"]
            own = [refund for refund in refunds if refund["id"] in one.refunds]
            return own if key == "refunds" else [t for r in own for t in r["transactions"]]

        return {
            "id": one.id,
            "closed_at": one.closed_at,
            "created_at": one.created_at,
            "decline": {"note": one.decline_note} if one.status == "declined" else None,
            "exchange_line_items": [],
            "name": one.name,
            "order": lambda _: order_node(order, self.desk),
            "refunds": lambda _: money("refunds"),
            "request_approved_at": one.approved_at,
            "return_line_items": lambda _: self._item_nodes(one, order),
            "return_shipping_fees": [],
            "status": one.status,
            "total_quantity": sum(item.quantity for item in one.items),
            "transactions": lambda _: money("transactions"),
        }

    def status(self, order: Order) -> str:
        """How far the returns of an order are, over all of them."""
        seen = {one.status for one in self.of(order)}
        for status, shown in (
            ("requested", "RETURN_REQUESTED"),
            ("open", "IN_PROGRESS"),
            ("closed", "RETURNED"),
        ):
            if status in seen:
                return shown
        return "NO_RETURN"

    def _item_nodes(self, one: Return, order: Order) -> list[Json]:
        lines = line_nodes(order, self.desk)
        nodes = []
        for item in one.items:
            gross, discount, _ = order.worth(order.line(item.line_id), item.quantity)
            worth = order.currencies.bag(gross - discount)
            live = one.status == "open"
            line = lines[item.line_id]
            fulfilled = self._fulfilled(order, item.fulfillment_item)
            nodes.append(
                {
                    "__typename": "ReturnLineItem",
                    "id": item.id,
                    "customer_note": item.customer_note,
                    "fulfillment_line_item": {
                        "id": item.fulfillment_item,
                        "line_item": line,
                        "quantity": fulfilled,
                    },
                    "processable_quantity": item.quantity - item.processed if live else 0,
                    "processed_quantity": item.processed,
                    "quantity": item.quantity,
                    "refundable_quantity": item.quantity - item.refunded if live else 0,
                    "refunded_quantity": item.refunded,
                    "return_reason_definition": {
                        "id": list(REASONS).index(item.reason) + 1,
                        "handle": item.reason,
                        "name": REASONS[item.reason],
                    },
                    "return_reason_note": item.note,
                    "unprocessed_quantity": item.quantity - item.processed,
                    "with_code_discounted_total_price_set": worth,
                }
            )
        return nodes

    def _fulfilled(self, order: Order, number: int) -> int:
        items = (item for one in order.fulfillments for item in one.items)
        return next(item.quantity for item in items if item.id == number)

    def _left(self, order: Order, line_id: int) -> int:
        return sum(free for _, free in self._shelf(order, line_id, []))

    def _shelf(self, order: Order, line_id: int, more: list[Item]) -> list[tuple[int, int]]:
        """What is left to return of each fulfilment of a line."""
        taken = [item for one in self.of(order) if one.status in LIVE for item in one.items]
        shelf = []
        for one in order.fulfillments:
            for item in one.items:
                if item.line_id != line_id or one.status == "cancelled":
                    continue
                back = [got.quantity for got in taken + more if got.fulfillment_item == item.id]
                shelf.append((item.id, item.quantity - sum(back)))
        return shelf

    def _items(self, order: Order, given: Json, more: list[Item]) -> list[Item]:
        keys = {"line", "sku", "quantity", "reason", "note", "customer_note"}
        known(given, keys, "line to return")
        if given["reason"] not in REASONS:
            raise RefusedError(f"no return reason {given['reason']}")
        line = order.line(given.get("line", given.get("sku")))
        shelf = self._shelf(order, line.id, more)
        left = sum(free for _, free in shelf)
        wanted = given.get("quantity", left)
        if not isinstance(wanted, int) or not 0 < wanted <= left:
            raise RefusedError(f"line {line.id} has {left} to return")
        items = []
        for number, free in shelf:
            if quantity := min(free, wanted):
                wanted -= quantity
                facts = (given["reason"], given["note"], given.get("customer_note"))
                items.append(Item(self.desk.next_id(), number, line.id, quantity, *facts))
        return items

    def _pick(self, one: Return, lines: list[Json] | None, left: Any) -> list[tuple[Item, int]]:
        if lines is None:
            return [(item, left(item)) for item in one.items if left(item)]
        order, took = self.desk.order(one.order_id), []
        for given in lines:
            known(given, {"line", "sku", "quantity"}, "line of the return")
            line = order.line(given.get("line", given.get("sku")))
            items = [item for item in one.items if item.line_id == line.id]
            open_units = sum(left(item) for item in items)
            wanted = given.get("quantity", open_units)
            if not isinstance(wanted, int) or not 0 < wanted <= open_units:
                raise RefusedError(f"line {line.id} has {open_units} in this return")
            for item in items:
                if quantity := min(left(item), wanted):
                    wanted -= quantity
                    took.append((item, quantity))
        return took

    def _in(self, return_id: Any, *statuses: str) -> Return:
        one = self.get(return_id)
        if one.status not in statuses:
            raise RefusedError(f"the return is {one.status}")
        return one

    def _now(self, order: Order) -> str:
        return self.desk.stamp(self._at(order))

    def _at(self, order: Order) -> datetime:
        return self.desk.at(order)

    def _whole(self, one: Return) -> Json:
        """What is told of a new return: that it is there, and how much, but neither name nor lines.

        The published examples leave both empty, so whoever needs them has to read.
        """
        order = {"id": one.order_id, "admin_graphql_api_id": gid("Order", one.order_id)}
        return {
            "id": one.id,
            "admin_graphql_api_id": gid("Return", one.id),
            "status": one.status,
            "order": order,
            "total_return_line_items": len(one.items),
            "name": None,
            "return_line_items": [],
            "return_shipping_fees": [],
            "exchange_line_items": [],
            "total_exchange_line_items": 0,
        }

    def _thin(self, one: Return) -> Json:
        return {
            "id": one.id,
            "admin_graphql_api_id": gid("Return", one.id),
            "order_id": one.order_id,
            "status": one.status,
        }

    def _tell(self, one: Return, act: str, body: Json) -> None:
        order = self.desk.order(one.order_id)
        self.desk.notify(f"returns/{act}", one.id, body, self._at(order))
        self.desk.changed(order)
