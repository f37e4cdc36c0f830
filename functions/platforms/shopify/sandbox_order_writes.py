"""What apps write of the sandbox shop's orders: details, tags, payment, and that they are off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_goods_writes import tidy_tags
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_nodes import order_node
from platforms.shopify.sandbox_orders import Order
from platforms.shopify.sandbox_owner_kinds import kind_of
from platforms.shopify.sandbox_owners import Owner, Owners
from platforms.shopify.sandbox_people import address
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

PHONE = re.compile(r"\+?[\d\s().-]{7,}")
NOTE_LIMIT = 255
PLAIN = {"email": "email", "note": "note", "phone": "phone", "poNumber": "po_number"}
NEEDED = {
    "lastName": "Enter a last name",
    "address1": "Enter an address",
    "city": "Enter a city",
    "zip": "Enter a ZIP code",
}


class OrderWrites:
    """Orders changed by an app."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._owners = Owners(desk)

    def update(self, args: Json) -> Json:
        """``orderUpdate``: lists take the place of what was there."""
        given = args["input"]
        order = self._order(given["id"], ["id"])
        more = {"order": self._node(order)}
        if len(given) == 1:
            text = "No valid update parameters have been provided"
            raise UserError(None, text, more=more)
        if errors := list(_detail_errors(given)):
            raise UserError.of(errors, more)
        if rows := given.get("metafields"):
            owner = {"ownerId": given["id"]}
            self._desk.metafields.set({"metafields": [owner | row for row in rows]})
        now = order.facts | {"tags": [tag for tag in order.facts["tags"].split(", ") if tag]}
        changes = {key: one for key, one in _details(given).items() if now[key] != one}
        if changes:
            self._desk.update(order.id, changes)
        return {"order": self._node(order)}

    def add_tags(self, args: Json) -> Json:
        """``tagsAdd``: beside those that are there."""
        owner = self._owner(args["id"])
        before = self._owners.tags(owner)
        return self._tagged(owner, before, tidy_tags([*before, *args["tags"]]))

    def remove_tags(self, args: Json) -> Json:
        """``tagsRemove``: only in the very same spelling."""
        owner = self._owner(args["id"])
        before, gone = self._owners.tags(owner), {tag.strip() for tag in args["tags"]}
        return self._tagged(owner, before, [tag for tag in before if tag not in gone])

    def mark_as_paid(self, args: Json) -> Json:
        """``orderMarkAsPaid``: all that is outstanding, by hand."""
        order = self._order(args["input"]["id"], ["id"])
        if order.cancelled_at or not order.outstanding:
            more = {"order": self._node(order)}
            raise UserError(["id"], "Order cannot be marked as paid.", more=more)
        self._desk.pay(order.id, gateway="manual")
        return {"order": self._node(order)}

    def cancel(self, args: Json) -> Json:
        """``orderCancel``: a job that begins after the answer."""
        order = self._order(args["orderId"], ["orderId"])
        for field, message in self._against(order, args):
            raise UserError(field, message, "INVALID")
        method = args.get("refundMethod") or {}
        wish = {
            "reason": args["reason"].lower(),
            "restock": args["restock"],
            "refund": bool(args.get("refund") or method.get("originalPaymentMethodsRefund")),
            "staff_note": args.get("staffNote"),
        }
        job = self._desk.jobs.add(order.id, lambda: self._desk.refunds.cancel(order.id, **wish))
        return {"job": job.node()}

    def _against(self, order: Order, args: Json) -> Iterator[tuple[list[str] | None, str]]:
        here = ["orderId"]
        if args.get("refund") is not None and args.get("refundMethod") is not None:
            text = "Only one of the arguments `refund` or `refund_method` is allowed."
            yield ["refund"], text
        if len(args.get("staffNote") or "") > NOTE_LIMIT:
            text = f"Staff note is too long. Maximum length is {NOTE_LIMIT} characters."
            yield ["staffNote"], text
        if order.cancelled_at:
            yield here, "Cannot cancel an order that has already been canceled"
        if self._desk.jobs.waits(order.id):
            yield None, "Cancellation is already in progress"
        if any(line.fulfilled for line in order.lines):
            yield here, "Cannot cancel an order that has outstanding fulfillments"
        if any(one.status in {"requested", "open"} for one in self._desk.returns.of(order)):
            yield here, "Cannot cancel an order that has active returns"
        if order.moved("authorization") and not order.received:
            yield here, "Cannot cancel an order that has open payment authorizations"

    def _tagged(self, owner: Owner, before: list[str], tags: list[str]) -> Json:
        if tags != before:
            self._owners.tag(owner, tags)
        return {"node": self._owners.node(owner)}

    def _owner(self, owner_gid: str) -> Owner:
        owner = self._owners.find(owner_gid)
        if owner is None or kind_of(owner_gid) == "ProductVariant":
            raise UserError(["id"], f"{kind_of(owner_gid)} does not exist")
        return owner

    def _order(self, order_gid: str, field: list[str]) -> Order:
        order = self._desk.orders.get(number_in(order_gid, "Order"))
        if order is None:
            raise UserError(field, "Order does not exist", "NOT_FOUND")
        return order

    def _node(self, order: Order) -> Json:
        return order_node(order, self._desk)


def _detail_errors(given: Json) -> Iterator[Json]:
    if given.get("phone") and not PHONE.fullmatch(given["phone"]):
        yield {"field": ["phone"], "message": "Phone is invalid"}
    where = given.get("shippingAddress")
    if where is not None:
        for key, message in NEEDED.items():
            if not (where.get(key) or "").strip():
                yield {"field": ["shippingAddress", key], "message": message}


def _details(given: Json) -> Json:
    facts: dict[str, Any] = {PLAIN[key]: one for key, one in given.items() if key in PLAIN}
    if "tags" in given:
        facts["tags"] = tidy_tags(given["tags"] or [])
    if "customAttributes" in given:
        rows = given["customAttributes"] or []
        facts["note_attributes"] = [{"name": one["key"], "value": one["value"]} for one in rows]
    if where := given.get("shippingAddress"):
        plain = {re.sub(r"([A-Z])", r"_\1", key).lower(): one for key, one in where.items()}
        facts["shipping_address"] = address(plain)
    return facts
