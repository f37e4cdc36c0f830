"""Goods that have left: told the customer in one of three ways, and the order completed.

The order keeps a field for each shipment with the way and the shop's id of what was made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fizzbridge.errors import ConfigurationError, DeletedAtTargetError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Shipment
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.model.order import LineType
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.woocommerce import wire
from platforms.woocommerce.orders import SHIPMENT, Sought, change, fields, read, sought
from platforms.woocommerce.parcels import WAYS, Parcel, if_the_shop_has_it

WAITS = frozenset({"pending", "on-hold", "failed", "cancelled", "refunded", "completed"})
"""States in which an order is not completed: not paid, put aside, or over."""

GOODS = frozenset({LineType.GOODS, LineType.FREE_GOODS})


class Shipments(TargetEntity):
    """Makes parcels, adds what is known of them later, and takes them back."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The shop's order."""
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> Parcel | None:
        """What the customer should know; nothing of what has not left."""
        told, order = view.body(Part.RECORD, Shipment), view.parent
        if told is None or order is None or not told.has_left:
            return None
        settings = situation.connection.settings
        way = str(settings.get("tracking", "note"))
        if way not in WAYS:
            msg = f"setting tracking is one of {', '.join(sorted(WAYS))}, not {way}"
            raise ConfigurationError(msg, platform="woocommerce")
        items = tuple(_items(view, order, told))
        if not items and way == "fulfillments":
            return None  # a part of a case, whose rest has not left yet: such a record is of units
        left = told.dispatched_at or told.delivered_at
        return Parcel(
            order=situation.external_ids[order.ref],
            way=way,
            text=str(settings.get("shipped_text", "Shipped:")),
            carrier=told.carrier,
            number=told.tracking_number,
            url=told.tracking_url,
            left_on=str(situation.day(left)) if left else "",
            items=items,
            completes=bool(settings.get("complete", True)) and _is_all_shipped(order),
        )

    def sought(self, view: View) -> Sought | None:
        """Of one that was called off: its order."""
        return sought(view)

    def find(
        self, vendor: VendorClient, reference: str, payload: Parcel | Sought | None
    ) -> str | None:
        """By our reference, or by what cannot be there twice."""
        if payload is None:
            return None  # its owner has no word of it any more, nor of its order
        if isinstance(payload, Sought):
            is_there = bool(_traced(vendor, payload.order, reference))
        else:
            is_there = WAYS[payload.way].find(vendor, reference, payload) is not None
        return f"{payload.order}:{reference}" if is_there else None

    def create(self, vendor: VendorClient, reference: str, payload: Parcel) -> str:
        """Tell the customer; ``update`` notes it at the order."""
        WAYS[payload.way].make(vendor, reference, payload)
        # The shop has no id that all ways share: it is made of what the parcel is found by.
        return f"{payload.order}:{reference}"

    def update(self, vendor: VendorClient, external_id: str, payload: Parcel) -> None:
        """Tell what is new, take back what is not true any more, and complete the order."""
        reference = external_id.partition(":")[2]
        order = read(vendor, payload.order)
        way, key = WAYS[payload.way], SHIPMENT + reference
        held, was = way.find(vendor, reference, payload), fields(order).get(key, "")
        if held:
            way.correct(vendor, held, reference, payload)
        else:
            held = way.make(vendor, reference, payload)
        now = f"{payload.way}:{held}"
        if was != now:
            _drop(vendor, order, was, key)
        completes = payload.completes and order.date_paid_gmt and order.status not in WAITS
        if was != now or completes:
            change(vendor, order, {key: now}, "completed" if completes else "")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Take back what was made; the order's state is left to people."""
        order_id, _, reference = external_id.partition(":")
        try:
            order = read(vendor, order_id)
        except DeletedAtTargetError:
            return
        key = SHIPMENT + reference
        noted = fields(order).get(key, "")
        _drop(vendor, order, noted or _traced(vendor, order_id, reference), key)
        if noted:
            change(vendor, order, {key: ""})


def _traced(vendor: VendorClient, order_id: str, reference: str) -> str:
    """What carries our reference though the order does not say so: nobody answered its making."""
    for name, way in WAYS.items():
        with if_the_shop_has_it():
            if held := way.trace(vendor, order_id, reference):
                return f"{name}:{held}"
    return ""


def _drop(vendor: VendorClient, order: wire.Order, field: str, key: str) -> None:
    """What the field says was made, the way it was made; there may be nothing yet.

    What another shipment's field names too stays: both went in one parcel, under one number.
    """
    others = {
        value for name, value in fields(order).items() if name.startswith(SHIPMENT) and name != key
    }
    way, _, held = field.partition(":")
    if held and way in WAYS and field not in others:
        WAYS[way].drop(vendor, order.id, held)


def _items(view: View, order: View, told: Shipment) -> Iterator[tuple[str, int]]:
    """Its lines by the order's, where the ERP named codes only; those that the shop knows."""
    known_there = {one.id for one in order.request.lines} if order.request else set()
    for line in order.moved(Shipment, {view.ref: told})[view.ref].lines:
        if line.order_line_id in known_there and line.quantity:
            yield line.order_line_id, line.quantity


def _is_all_shipped(order: View) -> bool:
    """Whether all of each line has left; what was given back may have left before, or not."""
    if order.assessment is None:
        return False
    done = order.documents.shipped()
    return all(
        done.get(one.id, 0) >= one.quantity.ordered
        for one in order.assessment.lines
        if one.type in GOODS and one.quantity
    )
