"""What the shop's own order says of the ERP's: its number, and that it was cancelled there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fizzbridge.errors import DeletedAtTargetError, NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import Part
from fizzbridge.model.order import OrderProcessing
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.woocommerce import wire
from platforms.woocommerce.notes import add_note, find_note
from platforms.woocommerce.parcels import is_any_there
from platforms.woocommerce.transport import API, rejected

NUMBER = "_fizzbridge_erp_number"
SHIPMENT = "_fizzbridge_shipment_"
"""With the reference of a shipment behind it: what the shop holds of it."""
DONE = frozenset({"completed", "refunded"})


class Processed(Frozen):
    """The ERP's number of an order."""

    number: str


class Sought(Frozen):
    """Where to look for a document that is to be held no more."""

    order: str


def sought(view: View) -> Sought | None:
    """The order of a document that its owner still speaks of."""
    return Sought(order=view.parent.ref.external_id) if view.parent else None


class Orders(TargetEntity):
    """Writes the number into a field of ours and a note for the staff; cancels."""

    def desired(self, view: View, situation: Situation) -> Processed | None:  # noqa: ARG002  the same everywhere
        """What the shop should know; nothing before the ERP has given a number."""
        done = view.body(Part.PROCESSING, OrderProcessing)
        return Processed(number=done.number) if done and done.number else None

    def update(self, vendor: VendorClient, external_id: str, payload: Processed) -> None:
        """Write the field by its key; the note is found by its words."""
        order = read(vendor, external_id)
        was = fields(order).get(NUMBER, "")
        if was != payload.number:
            change(vendor, order, {NUMBER: payload.number})
        words = f"Order {payload.number} in the ERP"
        if find_note(vendor, external_id, words) is None:
            add_note(vendor, external_id, words, to_customer=False)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel, unless it is over or goods have left: the shop itself would not refuse."""
        try:
            order = read(vendor, external_id)
        except DeletedAtTargetError:
            return
        if order.status == "cancelled":
            return
        if order.status in DONE:
            msg = f"order {order.number} is {order.status} in the shop: refund it instead"
            raise rejected(msg, order.status)
        if any(key.startswith(SHIPMENT) and value for key, value in fields(order).items()):
            raise rejected(f"order {order.number}: goods have left: refund the rest", "shipped")
        if is_any_there(vendor, external_id):
            msg = f"order {order.number}: shipped in the shop: take that back or refund it"
            raise rejected(msg, "shipped")
        change(vendor, order, status="cancelled")


def read(vendor: VendorClient, order_id: str) -> wire.Order:
    """An order that stands, whatever its state.

    Raises:
        DeletedAtTargetError: it is in the bin, or erased.
    """
    try:
        order = wire.Order.model_validate(vendor.get(f"{API}/orders/{order_id}").data)
    except NotThereError:
        order = None
    if order is None or order.status == "trash":
        msg = f"order {order_id} is not in the shop any more"
        raise DeletedAtTargetError(msg, platform="woocommerce")
    return order


def fields(order: wire.Order) -> dict[str, str]:
    """What we and plugins keep with an order."""
    return {one.key: one.value for one in order.meta_data}


def change(
    vendor: VendorClient, order: wire.Order, ours: Mapping[str, str] | None = None, status: str = ""
) -> None:
    """Write fields of ours by their keys, and the state; what is not named stays."""
    body: dict[str, Any] = {}
    was: dict[str, Any] = {}
    if ours:
        before = fields(order)
        body["meta_data"] = [{"key": key, "value": value} for key, value in ours.items()]
        was["meta_data"] = [{"key": key, "value": before.get(key)} for key in ours]
    if status:
        body["status"], was["status"] = status, order.status
    vendor.request("PUT", f"{API}/orders/{order.id}", json=body, was=was, writes=True)
