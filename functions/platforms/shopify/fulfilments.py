"""Shipments of the ERP as fulfilments of the shop's order.

A fulfilment holds nothing of ours, so the order does: a metafield for each shipment. It is written
in the call that makes the fulfilment, before it, and names it afterwards. What a call that nobody
answered has made is then known from what people did by its goods and its tracking number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fizzbridge.errors import ConflictError, DeletedAtTargetError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.documents import Shipment
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.shopify.marks import MARKS, mark_of, setting
from platforms.shopify.telling import ShopClient, Write, gid, number, shop

_READ = f"""
query($id: ID!) {{
  order(id: $id) {{
    {MARKS}
    fulfillments(first: 50) {{
      id status trackingInfo(first: 1) {{ company number url }}
      fulfillmentLineItems(first: 100) {{ nodes {{ quantity lineItem {{ id }} }} }}
    }}
    fulfillmentOrders(first: 20) {{
      nodes {{
        id status assignedLocation {{ location {{ id }} }}
        lineItems(first: 100) {{ nodes {{ id remainingQuantity lineItem {{ id }} }} }}
      }}
    }}
  }}
}}"""
_ORDER = "query($id: ID!) { fulfillment(id: $id) { order { id } } }"
_OPEN = {"OPEN", "IN_PROGRESS"}
_OVER = {"CANCELLED", "ERROR", "FAILURE"}


class Parcel(Frozen):
    """What is to be fulfilled of an order."""

    order: str
    mark: str
    """The key of the order's metafield that names the fulfilments."""
    lines: tuple[tuple[str, int], ...]
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    notifies: bool = False

    @property
    def tracking(self) -> dict[str, str]:
        """As Shopify takes it; of a carrier that it knows it makes the address itself."""
        known = {
            "company": self.carrier,
            "number": self.tracking_number,
            "url": self.tracking_url,
        }
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class Made:
    """A fulfilment there is."""

    id: str
    is_over: bool
    lines: Counter[str]
    tracking: Mapping[str, str | None]

    @property
    def tracking_number(self) -> str:
        """The first, or none."""
        return self.tracking.get("number") or ""


@dataclass(frozen=True)
class Open:
    """A line of a fulfilment order that waits."""

    order: str
    id: str
    line: str
    left: int
    place: str


@dataclass(frozen=True)
class Held:
    """What an order holds of fulfilments, and what is left to be fulfilled."""

    marks: Mapping[str, tuple[str, ...]]
    made: Mapping[str, Made]
    open: Sequence[Open]

    def of(self, parcel: Parcel, *known: str) -> list[Made]:
        """The fulfilments of a parcel: those named, and those that can be no other's."""
        named = dict.fromkeys((*known, *self.marks.get(parcel.mark, ())))
        found = [self.made[one] for one in named if one in self.made]
        if parcel.mark not in self.marks and not parcel.tracking_number:
            return [one for one in found if not one.is_over]
        claimed = {one for ids in self.marks.values() for one in ids}
        missing = _missing(parcel, found)
        for one in self.made.values():
            is_free = not one.is_over and one.id not in claimed and one not in found
            if is_free and one.tracking_number == parcel.tracking_number and one.lines <= missing:
                found.append(one)
                missing -= one.lines
        return [one for one in found if not one.is_over]


class Fulfilments(TargetEntity):
    """Creates fulfilments, tracks them later, and cancels them."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The order, which is the shop's own."""
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> Parcel | None:
        """What has left, by the order's lines; None while nothing whole of any has."""
        shipment = view.body(Part.RECORD, Shipment)
        if shipment is None or not shipment.has_left or view.parent is None:
            return None
        lines = _lines(view, view.parent)
        if not lines:
            return None
        return Parcel(
            order=view.parent.ref.external_id,
            mark=mark_of("shipment", view.ref),
            lines=tuple(sorted(lines.items())),
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            tracking_url=shipment.tracking_url,
            notifies=bool(situation.connection.settings.get("notify_customer", False)),
        )

    def find(self, vendor: VendorClient, reference: str, payload: Parcel | None) -> str | None:  # noqa: ARG002  the payload names the order
        """What the order says we made, or what is like it and nobody's."""
        if payload is None:
            return None  # nothing says of which order it was
        found = _read(shop(vendor), payload.order).of(payload)
        return found[0].id if found else None

    def create(self, vendor: VendorClient, reference: str, payload: Parcel) -> str:  # noqa: ARG002  the payload has our mark
        """Fulfil what one location has of it; ``update`` does the rest."""
        client = shop(vendor)
        held = _read(client, payload.order)
        return _fulfil(client, payload, held, _missing(payload, held.of(payload)))

    def update(self, vendor: VendorClient, external_id: str, payload: Parcel) -> None:
        """Fulfil what other locations have, name the fulfilments, and track them."""
        client = shop(vendor)
        held = _read(client, payload.order)
        if external_id not in held.made or held.made[external_id].is_over:
            msg = f"fulfilment {external_id} was cancelled in the shop"
            raise DeletedAtTargetError(msg, platform="shopify")
        found = held.of(payload, external_id)
        if sum((one.lines for one in found), Counter()) - Counter(dict(payload.lines)):
            msg = f"fulfilment {external_id} has more than was shipped: cancel it in the shop"
            raise TargetRejectedError(msg, platform="shopify")
        while missing := _missing(payload, found):
            made = _fulfil(client, payload, held, missing)
            held = _read(client, payload.order)
            found = held.of(payload, *(one.id for one in found), made)
        ids = tuple(one.id for one in found)
        writes = (
            []
            if held.marks.get(payload.mark) == ids
            else [setting(payload.order, payload.mark, " ".join(ids))]
        )
        writes += [_tracking(one, payload) for one in found if _is_untracked(one, payload)]
        for told in client.tell(*writes):
            told.checked("tracking")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel it and those made with it; what is cancelled stays so."""
        client = shop(vendor)
        found = client.ask(_ORDER, id=gid("Fulfillment", external_id))["fulfillment"]
        if found is None:
            return
        held = _read(client, number(found["order"]["id"]))
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


def _lines(view: View, order: View) -> Counter[str]:
    """What a shipment has of the order's lines, each in its own unit."""
    shipments = [
        child.ref for child in order.children if child.body(Part.RECORD, Shipment) is not None
    ]
    request = order.request
    known = {line.id for line in request.lines} if request else set()
    found: Counter[str] = Counter()
    for ref, shipment in zip(shipments, order.documents.shipments, strict=True):
        for line in shipment.lines if ref == view.ref else ():
            if line.order_line_id in known and line.quantity:
                found[line.order_line_id] += line.quantity
    return found


def _missing(parcel: Parcel, made: Sequence[Made]) -> Counter[str]:
    return Counter(dict(parcel.lines)) - sum((one.lines for one in made), Counter())


def _read(client: ShopClient, order: str) -> Held:
    found = client.ask(_READ, id=gid("Order", order))["order"]
    if found is None:
        # Without the right to all orders one of 60 days ago looks the same.
        raise TargetRejectedError(f"the shop shows no order {order}", platform="shopify")
    made = [_made(one) for one in found["fulfillments"]]
    return Held(
        marks={
            one["key"]: tuple(part for part in one["value"].split() if part.isdigit())
            for one in found["metafields"]["nodes"]
        },
        made={one.id: one for one in made},
        open=[
            Open(
                group["id"],
                line["id"],
                number(line["lineItem"]["id"]),
                line["remainingQuantity"],
                ((group["assignedLocation"] or {}).get("location") or {}).get("id", ""),
            )
            for group in found["fulfillmentOrders"]["nodes"]
            if group["status"] in _OPEN
            for line in group["lineItems"]["nodes"]
        ],
    )


def _made(node: Mapping[str, Any]) -> Made:
    lines: Counter[str] = Counter()
    for line in node["fulfillmentLineItems"]["nodes"]:
        lines[number(line["lineItem"]["id"])] += line["quantity"] or 0
    tracking: Mapping[str, str | None] = next(iter(node["trackingInfo"]), {})
    return Made(number(node["id"]), node["status"] in _OVER, lines, tracking)


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
    if told.refusals and _read(client, parcel.order).open != held.open:
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


def _is_untracked(made: Made, parcel: Parcel) -> bool:
    return any(made.tracking.get(name) != value for name, value in parcel.tracking.items())


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
