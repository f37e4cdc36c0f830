"""What is left to ship of the sandbox's orders, by location: their fulfilment orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_nodes import line_nodes, order_node
from platforms.shopify.sandbox_orders import Line, Order, RefusedError, gid, known

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

HOLD_REASONS = (
    "awaiting_payment awaiting_return_items high_risk_of_fraud incorrect_address"
    " inventory_out_of_stock other unknown_delivery_date".split()
)
ACTIONS = {
    "open": ("CREATE_FULFILLMENT", "MOVE", "HOLD", "SPLIT"),
    "in_progress": ("CREATE_FULFILLMENT", "HOLD"),
    "on_hold": ("RELEASE_HOLD", "HOLD", "MOVE"),
}


@dataclass
class Part:
    """Units of one line in one fulfilment order."""

    id: int
    line_id: int
    remaining: int = 0
    shipped: int = 0


@dataclass
class Group:
    """One fulfilment order: what one location is to ship, or shipped."""

    id: int
    location: Json
    created_at: str
    updated_at: str
    parts: list[Part] = field(default_factory=list)
    holds: list[Json] = field(default_factory=list)
    is_closed: bool = False
    is_cancelled: bool = False

    @property
    def status(self) -> str:
        """The status in lower case."""
        if self.is_cancelled or self.is_closed:
            return "cancelled" if self.is_cancelled else "closed"
        if self.holds:
            return "on_hold"
        return "in_progress" if any(one.shipped for one in self.parts) else "open"

    @property
    def is_live(self) -> bool:
        """Whether it may still be shipped."""
        return not self.is_closed and not self.is_cancelled

    def part(self, line_id: int) -> Part | None:
        """Its units of a line."""
        return next((one for one in self.parts if one.line_id == line_id), None)


class Groups:
    """The fulfilment orders of one shop, which follow what becomes of its orders."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def of(self, order: Order) -> list[Group]:
        """All of an order, as its lines are now."""
        for line in order.lines:
            self._follow(order, line)
        for group in order.groups:
            if group.is_live and not any(one.remaining for one in group.parts):
                group.is_closed = not order.cancelled_at
                group.is_cancelled = bool(order.cancelled_at)
                group.updated_at = order.updated_at
        return order.groups

    def find(self, number: int) -> tuple[Order, Group] | None:
        """The fulfilment order of that id, with its order."""
        for order in self._desk.orders.values():
            for group in self.of(order):
                if group.id == number:
                    return order, group
        return None

    def split(self, order_id: Any, location: Any, lines: list[Json]) -> Order:
        """Another location ships these units."""
        with self._desk.whole(order_id) as order:
            place = self._desk.catalogue.stock.location(int(location))
            if place is None:
                raise RefusedError(f"no location {location}")
            self.of(order)
            for given in lines:
                known(given, {"line", "sku", "quantity"}, "line to move")
                line = order.line(given.get("line", given.get("sku")))
                self._move(order, line, place, given.get("quantity", line.open))
            self._desk.changed(order)
        return order

    def hold(self, order_id: Any, reason: str = "other", note: str | None = None) -> Order:
        """Nothing of an order is to be shipped for now."""
        if reason not in HOLD_REASONS:
            raise RefusedError(f"no hold for {reason}")
        with self._desk.whole(order_id) as order:
            live = [one for one in self.of(order) if one.is_live]
            if not live:
                raise RefusedError("nothing is left to hold")
            for group in live:
                hold = {"id": self._desk.next_id(), "reason": reason, "reason_notes": note}
                group.holds.append(hold)
            self._desk.changed(order)
        return order

    def release(self, order_id: Any) -> Order:
        """An order may be shipped again."""
        with self._desk.whole(order_id) as order:
            for group in self.of(order):
                group.holds.clear()
            self._desk.changed(order)
        return order

    def is_held(self, order: Order) -> bool:
        """Whether all that is left of an order is on hold."""
        if not any(one.holds for one in order.groups):
            return False
        return all(one.holds for one in self.of(order) if one.is_live)

    def node(self, order: Order, group: Group) -> Json:
        """As the API shows it."""
        return {
            "id": group.id,
            "assigned_location": {"location": group.location, "name": group.location["name"]},
            "created_at": group.created_at,
            "fulfillment_holds": group.holds,
            "line_items": lambda _: self._part_nodes(order, group),
            "order": lambda _: order_node(order, self._desk),
            "order_id": gid("Order", order.id),
            "order_name": order.name,
            "request_status": "unsubmitted",
            "status": group.status,
            "supported_actions": [{"action": one} for one in ACTIONS.get(group.status, ())],
            "updated_at": group.updated_at,
        }

    def _part_nodes(self, order: Order, group: Group) -> list[Json]:
        lines = line_nodes(order, self._desk)
        nodes = []
        for one in group.parts:
            line = lines[one.line_id]
            variant = self._desk.catalogue.by_id(line["variant_id"])
            nodes.append(
                {
                    "id": one.id,
                    "inventory_item_id": variant and gid("InventoryItem", variant.item.id),
                    "line_item": line,
                    "product_title": line["title"],
                    "remaining_quantity": one.remaining,
                    "requires_shipping": line["requires_shipping"],
                    "sku": line["sku"],
                    "total_quantity": one.remaining + one.shipped,
                    "variant": line.get("variant"),
                    "variant_title": line["variant_title"],
                    "vendor": line["vendor"],
                }
            )
        return nodes

    def _follow(self, order: Order, line: Line) -> None:
        parts = [one for group in order.groups for one in group.parts if one.line_id == line.id]
        shipped = line.fulfilled - sum(one.shipped for one in parts)
        for one in parts if shipped > 0 else ():
            moved = min(shipped, one.remaining)
            one.remaining, one.shipped = one.remaining - moved, one.shipped + moved
            shipped -= moved
        for one in reversed(parts) if shipped < 0 else ():
            back = min(-shipped, one.shipped)
            one.shipped, shipped = one.shipped - back, shipped + back
        missing = line.open - sum(one.remaining for one in parts)
        if missing > 0:
            self._take(order, line, self._desk.catalogue.stock.locations[0]).remaining += missing
        for one in reversed(parts) if missing < 0 else ():
            gone = min(-missing, one.remaining)
            one.remaining, missing = one.remaining - gone, missing + gone

    def _take(self, order: Order, line: Line, place: Json) -> Part:
        """The units of a line at a location that are still to be shipped, none of them yet."""
        live = [one for one in order.groups if one.is_live]
        # What comes back to an order goes where the rest of it is.
        here = [one for one in live if one.location["id"] == place["id"]]
        if not here:
            now = self._desk.stamp(self._desk.at(order)) if order.groups else order.created_at
            here = [Group(self._desk.next_id(), place, now, now)]
            order.groups += here
        part = here[0].part(line.id)
        if part is None:
            part = Part(self._desk.next_id(), line.id)
            here[0].parts.append(part)
        return part

    def _move(self, order: Order, line: Line, place: Json, quantity: int) -> None:
        if not isinstance(quantity, int) or not 0 < quantity <= line.open:
            raise RefusedError(f"line {line.id} has {line.open} open")
        wanted = self._take(order, line, place)
        for group in order.groups:
            part = group.part(line.id)
            if part is None or part is wanted or not group.is_live:
                continue
            moved = min(quantity, part.remaining)
            part.remaining, wanted.remaining = part.remaining - moved, wanted.remaining + moved
            quantity -= moved
        for group in order.groups:
            group.parts = [one for one in group.parts if one.remaining or one.shipped]
