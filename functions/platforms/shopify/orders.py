"""What the shop's own order shows of the ERP: its number there; and its cancellation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fizzbridge.errors import ConflictError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import Part
from fizzbridge.model.order import OrderProcessing
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.shopify.marks import ERP_NUMBER, setting
from platforms.shopify.parcels import OVER
from platforms.shopify.telling import ShopClient, Write, gid, shop, unshown

_READ = """
query($id: ID!) { order(id: $id) { cancelledAt fulfillments(first: 50) { status } } }"""
_JOB = "query($id: ID!) { job(id: $id) { done } }"
_SOON = timedelta(seconds=10)


class ErpNumber(Frozen):
    """What the ERP calls the order."""

    number: str


class Orders(TargetEntity):
    """Orders that came from the shop itself: never made, only told of."""

    def desired(self, view: View, situation: Situation) -> ErpNumber | None:
        """The ERP's number; None while there is none, and for orders of other shops."""
        done = view.body(Part.PROCESSING, OrderProcessing)
        if done is None or not done.number or view.ref.connection != situation.connection.name:
            return None
        return ErpNumber(number=done.number)

    def update(self, vendor: VendorClient, external_id: str, payload: ErpNumber) -> None:
        """Show the number, in a field of our own."""
        (told,) = shop(vendor).tell(setting(external_id, ERP_NUMBER, payload.number))
        told.checked(f"order {external_id}")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel it: goods go back on the shelf, money stays for somebody to decide on."""
        client = shop(vendor)
        found = _read(client, external_id)
        if found["cancelledAt"]:
            return
        if any(one["status"] not in OVER for one in found["fulfillments"]):
            msg = f"order {external_id}: goods have been fulfilled in the shop; cancel those first"
            raise TargetRejectedError(msg, platform="shopify")
        (told,) = client.tell(_cancelling(external_id))
        if any("in progress" in one.message for one in told.refusals):  # it has no code for that
            self._wait(external_id)
        job = told.checked(f"order {external_id}")["job"]
        if not (job and client.ask(_JOB, id=job["id"])["job"]["done"]):
            self._wait(external_id)
        if _read(client, external_id)["cancelledAt"] is None:
            msg = f"order {external_id}: the shop did not cancel it"
            raise TargetRejectedError(msg, platform="shopify")

    def _wait(self, external_id: str) -> None:
        msg = f"order {external_id}: the shop is still at its cancellation"
        raise ConflictError(msg, platform="shopify", retry_after=_SOON)


def _read(client: ShopClient, order: str) -> Any:
    found = client.ask(_READ, id=gid("Order", order))["order"]
    if found is None:
        raise unshown(order)
    return found


def _cancelling(order: str) -> Write:
    arguments: dict[str, tuple[str, Any]] = {
        "orderId": ("ID!", gid("Order", order)),
        "reason": ("OrderCancelReason!", "OTHER"),
        "restock": ("Boolean!", True),
        "refundMethod": ("OrderCancelRefundMethodInput", {"originalPaymentMethodsRefund": False}),
        "notifyCustomer": ("Boolean", False),
        "staffNote": ("String", "Cancelled in the ERP"),
    }
    return Write(
        "orderCancel", arguments, "job { id done }", "orderCancelUserErrors { field message code }"
    )
