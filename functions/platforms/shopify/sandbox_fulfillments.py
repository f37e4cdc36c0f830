"""What leaves the sandbox shop: fulfilments, their tracking, and those that were cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import Move, Order, RefusedError, gid, known

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

CANCELLED = "cancelled"


@dataclass(frozen=True)
class Item:
    """Units of one line in one fulfilment."""

    id: int
    line_id: int
    quantity: int


@dataclass(frozen=True)
class Tracking:
    """How a fulfilment travels; it may have several numbers, each with an address of its own."""

    company: str | None
    numbers: tuple[str, ...]
    urls: tuple[str, ...]

    def infos(self) -> list[Json]:
        """One entry for each number, as the API has it; none when nothing is known."""
        pairs = list(zip_longest(self.numbers, self.urls))
        if self.company and not pairs:
            pairs = [(None, None)]
        return [{"company": self.company, "number": one, "url": url} for one, url in pairs]


@dataclass(frozen=True)
class Fulfillment:
    """Units that left together; a change makes a new one in its place."""

    id: int
    name: str
    location: Json
    items: tuple[Item, ...]
    tracking: Tracking
    created_at: str
    updated_at: str
    status: str = "success"

    def body(self, order: Order) -> Json:
        """As it stands inside its order; the lines are shown as they are now."""
        lines = []
        for item in self.items:
            line = order.line_body(order.line(item.line_id))
            del line["attributed_staffs"], line["sales_line_item_group_id"]
            lines.append(line | {"quantity": item.quantity})
        numbers, urls = self.tracking.numbers, self.tracking.urls
        return {
            "id": self.id,
            "admin_graphql_api_id": gid("Fulfillment", self.id),
            "created_at": self.created_at,
            "line_items": lines,
            "location_id": self.location["id"],
            "name": self.name,
            "order_id": order.id,
            "origin_address": {},
            "receipt": {},
            "service": "manual",
            "shipment_status": None,
            "status": self.status,
            "tracking_company": self.tracking.company,
            "tracking_number": numbers[0] if numbers else None,
            "tracking_numbers": list(numbers),
            "tracking_url": urls[0] if urls else None,
            "tracking_urls": list(urls),
            "updated_at": self.updated_at,
        }

    def told(self, order: Order) -> Json:
        """As its own webhooks show it: with where it goes, and less of each line."""
        body = self.body(order)
        for line in body["line_items"]:
            del line["current_quantity"]
        facts = order.facts
        return body | {"email": facts["email"], "destination": facts["shipping_address"]}

    def node(self, lines: dict[int, Json]) -> Json:
        """As the API shows it, over the order's lines by id."""
        items: list[Json] = [
            {"id": item.id, "line_item": lines[item.line_id], "quantity": item.quantity}
            for item in self.items
        ]
        return {
            "id": self.id,
            "created_at": self.created_at,
            # The vendor spells this one with a single L, and the plain status with two.
            "display_status": "canceled" if self.status == CANCELLED else "fulfilled",
            "fulfillment_line_items": items,
            "location": self.location,
            "name": self.name,
            "requires_shipping": any(item["line_item"]["requires_shipping"] for item in items),
            "status": self.status,
            "total_quantity": sum(item.quantity for item in self.items),
            "tracking_info": self.tracking.infos(),
            "updated_at": self.updated_at,
        }


class Dispatch:
    """Where orders of the desk are shipped, tracked and called back."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk
        self.location: Json = desk.catalogue.stock.locations[0]

    def ship(
        self,
        order_id: Any,
        lines: list[Json] | None = None,
        carrier: str | None = None,
        tracking: str | list[str] | None = None,
        url: str | list[str] | None = None,
    ) -> Order:
        """Ship lines, by default all that is open; each by ``sku``, or by its id as ``line``."""
        with self.desk.whole(order_id) as order:
            wanted = lines or [{"line": one.id} for one in order.lines if one.open]
            if not wanted:
                raise RefusedError("nothing is left to fulfil")
            self.send(order, wanted, self.location, _tracking(carrier, tracking, url))
        return order

    def send(
        self, order: Order, wanted: list[Json], location: Json, tracking: Tracking
    ) -> Fulfillment:
        """Units of an order leave a location; who keeps the order whole is the caller."""
        now = self.desk.stamp(self.desk.at(order))
        made = Fulfillment(
            id=self.desk.next_id(),
            name=f"{order.name}.{len(order.fulfillments) + 1}",
            location=location,
            items=tuple(self._item(order, given) for given in wanted),
            tracking=tracking,
            created_at=now,
            updated_at=now,
        )
        order.fulfillments.append(made)
        self.desk.tell(order, "fulfillments/create", made.told(order))
        whole = order.fulfillment_status == "fulfilled"
        self.desk.changed(order, f"orders/{'fulfilled' if whole else 'partially_fulfilled'}")
        return made

    def put(self, order: Order, old: Fulfillment, new: Fulfillment) -> Fulfillment:
        """A changed fulfilment in place of what it was."""
        new = replace(new, updated_at=self.desk.stamp(self.desk.at(order)))
        order.fulfillments[order.fulfillments.index(old)] = new
        if new.status == CANCELLED and old.status != CANCELLED:
            _reopen(order)
        self.desk.tell(order, "fulfillments/update", new.told(order))
        self.desk.changed(order)
        return new

    def track(
        self,
        order_id: Any,
        fulfillment: int | None = None,
        carrier: str | None = None,
        tracking: str | list[str] | None = None,
        url: str | list[str] | None = None,
    ) -> Order:
        """Give a fulfilment, by default the last, this tracking in place of what it had."""
        new = _tracking(carrier, tracking, url)
        return self._update(order_id, fulfillment, lambda one: replace(one, tracking=new))

    def cancel(self, order_id: Any, fulfillment: int | None = None) -> Order:
        """Cancel a fulfilment, by default the last: its units are open again."""
        return self._update(order_id, fulfillment, lambda one: replace(one, status=CANCELLED))

    def _item(self, order: Order, given: Json) -> Item:
        known(given, {"line", "sku", "quantity"}, "line to ship")
        line = order.line(given.get("line", given.get("sku")))
        quantity = given.get("quantity", line.open)
        if not isinstance(quantity, int) or not 0 < quantity <= line.open:
            raise RefusedError(f"line {line.id} has {line.open} open")
        line.fulfilled += quantity
        order.moves.append(Move(line.facts["variant_id"], 0, -quantity))
        return Item(self.desk.next_id(), line.id, quantity)

    def _update(
        self, order_id: Any, number: int | None, change: Callable[[Fulfillment], Fulfillment]
    ) -> Order:
        with self.desk.whole(order_id) as order:
            live = [one for one in order.fulfillments if one.status != CANCELLED]
            found = [one for one in live if number in {None, one.id}]
            if not found:
                raise RefusedError(f"no fulfillment {number or ''} that could be changed")
            self.put(order, found[-1], change(found[-1]))
        return order


def _reopen(order: Order) -> None:
    left = [item for one in order.fulfillments if one.status != CANCELLED for item in one.items]
    for line in order.lines:
        shipped = sum(item.quantity for item in left if item.line_id == line.id)
        # Never more than before: what was refunded since is no longer with the customer.
        before, line.fulfilled = line.fulfilled, min(line.fulfilled, shipped)
        order.moves.append(Move(line.facts["variant_id"], 0, before - line.fulfilled))


def _tracking(
    carrier: str | None, numbers: str | list[str] | None, urls: str | list[str] | None
) -> Tracking:
    return Tracking(carrier, _each(numbers), _each(urls))


def _each(given: str | list[str] | None) -> tuple[str, ...]:
    each = [given] if isinstance(given, str) else given or []
    if not all(isinstance(one, str) for one in each):
        raise RefusedError(f"tracking is text: {each}")
    return tuple(each)
