"""What apps ship of the sandbox shop's orders: fulfilments, their tracking, and cancelled ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from platforms.shopify.sandbox_fulfillment_orders import Group, Groups, Part
from platforms.shopify.sandbox_fulfillments import CANCELLED, Dispatch, Fulfillment, Tracking
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_nodes import line_nodes, order_node
from platforms.shopify.sandbox_orders import Order, gid
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

SHIPPABLE = {"open", "in_progress"}
TRACKED_AT = {
    "DHL Express": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "DPD UK": "https://track.dpd.co.uk/parcels/{}",
    "Evri": "https://www.evri.com/track/parcel/{}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    "UPS": "https://www.ups.com/track?tracknum={}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?qtc_tLabels1={}",
}
"""Where some carriers the vendor knows follow a number; names must be spelt like this."""


class Shipping:
    """Fulfilments made and changed by an app."""

    def __init__(self, desk: OrderDesk, dispatch: Dispatch, groups: Groups) -> None:
        self._desk = desk
        self._dispatch = dispatch
        self._groups = groups

    def create(self, args: Json) -> Json:
        """``fulfillmentCreate``: units of fulfilment orders leave one location together."""
        given = args["fulfillment"]
        _check_units(given["lineItemsByFulfillmentOrder"])
        taken: dict[int, int] = {}
        asked = [self._asked(one, taken) for one in given["lineItemsByFulfillmentOrder"]]
        order = _one_order(asked)
        location = _one_location(asked)
        tracking = tracking_of(given.get("trackingInfo") or {})
        with self._desk.whole(order.id):
            wanted = []
            for _, group, units in asked:
                for part, quantity in units:
                    part.remaining -= quantity
                    part.shipped += quantity
                    wanted.append({"line": part.line_id, "quantity": quantity})
                group.updated_at = self._desk.stamp(self._desk.at(order))
            made = self._dispatch.send(order, wanted, location, tracking)
        return {"fulfillment": self.node(order, made)}

    def track(self, args: Json) -> Json:
        """``fulfillmentTrackingInfoUpdate``: this tracking in place of what was there."""
        found = self.find(args["fulfillmentId"])
        if found is None:
            raise UserError(["fulfillmentId"], "Fulfillment does not exist.")
        order, old = found
        tracking = tracking_of(args["trackingInfoInput"])
        if tracking == old.tracking:
            return {"fulfillment": self.node(order, old)}
        new = self._dispatch.put(order, old, replace(old, tracking=tracking))
        return {"fulfillment": self.node(order, new)}

    def cancel(self, args: Json) -> Json:
        """``fulfillmentCancel``: its units are to be shipped again."""
        found = self.find(args["id"])
        if found is None:
            raise UserError(["id"], "Fulfillment not found.")
        order, old = found
        if old.status == CANCELLED:
            return {"fulfillment": self.node(order, old)}
        new = self._dispatch.put(order, old, replace(old, status=CANCELLED))
        return {"fulfillment": self.node(order, new)}

    def find(self, fulfillment_gid: str) -> tuple[Order, Fulfillment] | None:
        """A fulfilment, with its order."""
        number = number_in(fulfillment_gid, "Fulfillment")
        each = ((order, one) for order in self._desk.orders.values() for one in order.fulfillments)
        return next((pair for pair in each if pair[1].id == number), None)

    def node(self, order: Order, one: Fulfillment) -> Json:
        """A fulfilment as the API shows it."""
        whole = {"order": lambda _: order_node(order, self._desk)}
        return one.node(line_nodes(order, self._desk)) | whole

    def _asked(
        self, given: Json, taken: dict[int, int]
    ) -> tuple[Order, Group, list[tuple[Part, int]]]:
        number = number_in(given["fulfillmentOrderId"], "FulfillmentOrder")
        found = self._groups.find(number)
        if found is None:
            raise UserError(["fulfillment"], "Fulfillment order does not exist.")
        order, group = found
        if group.status not in SHIPPABLE:
            text = f"Fulfillment order {number} has an unfulfillable status= {group.status}."
            raise UserError(["fulfillment"], text)
        wanted = given.get("fulfillmentOrderLineItems") or []
        return order, group, list(_units(group, wanted, taken))


def tracking_of(given: Json) -> Tracking:
    """What an app says of the way; a carrier the vendor knows gives each number its address."""
    company = (given.get("company") or "").strip() or None
    numbers = given.get("numbers") or [one for one in [given.get("number")] if one]
    urls = given.get("urls") or [one for one in [given.get("url")] if one]
    if not urls and company in TRACKED_AT:
        urls = [TRACKED_AT[company].format(one) for one in numbers]
    return Tracking(company, tuple(numbers), tuple(urls))


def _check_units(given: list[Json]) -> None:
    for n, group in enumerate(given):
        for m, one in enumerate(group.get("fulfillmentOrderLineItems") or []):
            if one["quantity"] <= 0:
                path = ["fulfillment", "lineItemsByFulfillmentOrder", str(n)]
                path += ["fulfillmentOrderLineItems", str(m), "quantity"]
                raise UserError(path, "Quantity must be greater than 0")


def _units(group: Group, given: list[Json], taken: dict[int, int]) -> Iterator[tuple[Part, int]]:
    """The units asked for, by default all; ``taken`` counts them over the whole call."""
    whole: list[Json] = [{"id": gid("FulfillmentOrderLineItem", one.id), "quantity": one.remaining}
             for one in group.parts if one.remaining]  # fmt: skip
    for one in given or whole:
        number = number_in(one["id"], "FulfillmentOrderLineItem")
        part = next((each for each in group.parts if each.id == number), None)
        if part is None:
            raise UserError(["fulfillment"], "Fulfillment order line item does not exist.")
        taken[number] = taken.get(number, 0) + one["quantity"]
        if taken[number] > part.remaining:
            text = "Invalid fulfillment order line item quantity requested."
            raise UserError(["fulfillment"], text)
        yield part, one["quantity"]


def _one_order(asked: list[tuple[Order, Group, list[tuple[Part, int]]]]) -> Order:
    if not asked:
        raise UserError(["fulfillment"], "Fulfillment order does not exist.")
    ids = list(dict.fromkeys(order.id for order, _, _ in asked))
    if len(ids) > 1:
        text = (
            f"All fulfillment orders must belong to the same order. Multiple orders with ids {ids}"
        )
        raise UserError(["fulfillment"], f"{text} were found.")
    return asked[0][0]


def _one_location(asked: list[tuple[Order, Group, list[tuple[Part, int]]]]) -> Json:
    ids = list(dict.fromkeys(group.location["id"] for _, group, _ in asked))
    if len(ids) > 1:
        text = "All fulfillment orders must be assigned to a single location. Multiple locations"
        raise UserError(["fulfillment"], f"{text} with ids {ids} were found.")
    return asked[0][1].location
