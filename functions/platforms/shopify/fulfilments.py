"""Shipments of the ERP as fulfilments of the shop's order.

A fulfilment holds nothing of ours, so the order does: a metafield for each shipment. It is written
in the call that makes the fulfilment, before it, and names it afterwards. What a call that nobody
answered has made is then known from what people did by its goods and its tracking number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fizzbridge.errors import ConflictError, DeletedAtTargetError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.shopify.marks import mark_of, setting
from platforms.shopify.parcels import Held, Made, Open, Parcel, read
from platforms.shopify.telling import ShopClient, Write, gid, number, shop

_ORDER = "query($id: ID!) { fulfillment(id: $id) { order { id } } }"


class Fulfilments(TargetEntity):
    """Creates fulfilments, tracks them later, and cancels them."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The order, which is the shop's own."""
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> Parcel | None:
        """What has left, by the order's lines; None while nothing whole of any has."""
        shipment, order = view.body(Part.RECORD, Shipment), view.parent
        if shipment is None or not shipment.has_left or order is None:
            return None
        parcel = _parcel(view.ref, shipment, order)
        if not parcel.lines or order.ref.connection != situation.connection.name:
            return None
        notifies = bool(situation.connection.settings.get("notify_customer", False))
        return parcel.model_copy(update={"notifies": notifies})

    def sought(self, view: View) -> Parcel | None:
        """What was called off, as it would have left."""
        shipment, order = view.body(Part.RECORD, Shipment), view.parent
        return _parcel(view.ref, shipment, order) if shipment and order else None

    def find(self, vendor: VendorClient, reference: str, payload: Parcel | None) -> str | None:  # noqa: ARG002  the payload names the order
        """What the order says we made, or what is like it and nobody's."""
        if payload is None:
            return None  # its owner has no word of it any more, nor of its order
        found = read(shop(vendor), payload.order).of(payload)
        return found[0].id if found else None

    def create(self, vendor: VendorClient, reference: str, payload: Parcel) -> str:  # noqa: ARG002  the payload has our mark
        """Fulfil what one location has of it; ``update`` does the rest."""
        client = shop(vendor)
        held = read(client, payload.order)
        return _fulfil(client, payload, held, payload.missing(held.of(payload)))

    def update(self, vendor: VendorClient, external_id: str, payload: Parcel) -> None:
        """Fulfil what other locations have, name the fulfilments, and track them."""
        client = shop(vendor)
        held = read(client, payload.order)
        if external_id not in held.made or held.made[external_id].is_over:
            msg = f"fulfilment {external_id} was cancelled in the shop"
            raise DeletedAtTargetError(msg, platform="shopify")
        found = held.of(payload, external_id)
        if sum((one.lines for one in found), Counter()) - Counter(dict(payload.lines)):
            msg = f"fulfilment {external_id} has more than was shipped: cancel it in the shop"
            raise TargetRejectedError(msg, platform="shopify")
        while missing := payload.missing(found):
            made = _fulfil(client, payload, held, missing)
            held = read(client, payload.order)
            found = held.of(payload, *(one.id for one in found), made)
        ids = tuple(one.id for one in found)
        writes = [_tracking(one, payload) for one in found if payload.is_untracked(one)]
        if held.marks.get(payload.mark) != ids:
            writes.insert(0, setting(payload.order, payload.mark, " ".join(ids)))
        for told in client.tell(*writes):
            told.checked("tracking")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel it and those made with it; what is cancelled stays so."""
        client = shop(vendor)
        found = client.ask(_ORDER, id=gid("Fulfillment", external_id))["fulfillment"]
        if found is None:
            # As with its order: one of 60 days ago may just not be shown.
            msg = f"the shop shows no fulfilment {external_id}"
            raise TargetRejectedError(msg, platform="shopify")
        held = read(client, number(found["order"]["id"]))
        together = (ids for ids in held.marks.values() if external_id in ids)
        ids = next(together, (external_id,))
        writes = [
            Write(
                "fulfillmentCancel",
                {"id": ("ID!", gid("Fulfillment", one))},
                errors="userErrors { field message }",
            )
            for one in ids
            if one in held.made and not held.made[one].is_over
        ]
        for told in client.tell(*writes):
            told.checked(f"fulfilment {external_id}")


def _parcel(ref: EntityRef, shipment: Shipment, order: View) -> Parcel:
    """What a shipment has of the order's lines, each in its own unit."""
    request = order.request
    known = {line.id for line in request.lines} if request else set()
    lines: Counter[str] = Counter()
    for line in _matched(ref, shipment, order):
        if line.order_line_id in known and line.quantity:
            lines[line.order_line_id] += line.quantity
    return Parcel(
        order=order.ref.external_id,
        mark=mark_of(ref),
        lines=tuple(sorted(lines.items())),
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
    )


def _matched(ref: EntityRef, shipment: Shipment, order: View) -> Sequence[ShippedLine]:
    """Its lines under the order's, beside those of all that has left."""
    left = shipment.model_copy(update={"state": ShipmentState.DISPATCHED})
    return order.moved(Shipment, {ref: left})[ref].lines


def _fulfil(client: ShopClient, parcel: Parcel, held: Held, missing: Counter[str]) -> str:
    """Fulfil as much as one location has; all of it must be open somewhere."""
    _be_open(parcel, held, missing)
    places = dict.fromkeys(one.place for one in held.open)
    chosen = max(
        (_allotted([o for o in held.open if o.place == place], missing) for place in places),
        # Of several that have as much, the one that keeps the least.
        key=lambda allotted: (sum(allotted.values()), -sum(one.left for one in allotted)),
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for one, quantity in chosen.items():
        groups.setdefault(one.order, []).append({"id": one.id, "quantity": quantity})
    given = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": order, "fulfillmentOrderLineItems": lines}
            for order, lines in groups.items()
        ],
        "notifyCustomer": parcel.notifies,
    } | ({"trackingInfo": parcel.tracking} if parcel.tracking else {})
    writes = [] if parcel.mark in held.marks else [setting(parcel.order, parcel.mark, "sent")]
    fulfilment = Write(
        "fulfillmentCreate",
        {"fulfillment": ("FulfillmentInput!", given)},
        "fulfillment { id }",
        "userErrors { field message }",
    )
    told = client.tell(*writes, fulfilment)[-1]
    if told.refusals and read(client, parcel.order).open != held.open:
        raise ConflictError("the order was changed in the shop meanwhile", platform="shopify")
    return number(told.checked(f"order {parcel.order}")["fulfillment"]["id"])


def _be_open(parcel: Parcel, held: Held, missing: Counter[str]) -> None:
    lacking = missing - Counter(
        {
            line: sum(one.left for one in held.open if one.line == line)
            for line in {one.line for one in held.open}
        }
    )
    if lacking:
        named = ", ".join(
            f"{quantity} of line {line}" for line, quantity in sorted(lacking.items())
        )
        msg = (
            f"order {parcel.order}: {named} cannot be fulfilled in the shop: fulfilled there "
            "already, on hold, or taken off"
        )
        raise TargetRejectedError(msg, platform="shopify")


def _allotted(lines: Sequence[Open], wanted: Counter[str]) -> dict[Open, int]:
    """What lines of fulfilment orders give of what is wanted, one after the other."""
    left = Counter(wanted)
    found = {}
    for one in lines:
        if part := min(one.left, left[one.line]):
            found[one] = part
            left[one.line] -= part
    return found


def _tracking(made: Made, parcel: Parcel) -> Write:
    return Write(
        "fulfillmentTrackingInfoUpdate",
        {
            "fulfillmentId": ("ID!", gid("Fulfillment", made.id)),
            "trackingInfoInput": ("FulfillmentTrackingInput!", parcel.tracking),
            "notifyCustomer": ("Boolean", parcel.notifies),
        },
        errors="userErrors { field message }",
    )
