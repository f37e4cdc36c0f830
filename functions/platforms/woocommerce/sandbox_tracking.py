"""Parcels of the sandbox store, where it has a way to keep them: by itself it has none.

Two ways, each there only if the seed says so, and no route otherwise: fulfilments of the core,
behind its switch, and the Shipment Tracking extension. Unconfirmed: that either tells of the
order, and what the extension answers for a parcel it does not know.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.woocommerce.sandbox_args import RestError, given, missing, text
from platforms.woocommerce.sandbox_meta import merged
from platforms.woocommerce.sandbox_products import Json
from platforms.woocommerce.sandbox_store import Store

KEPT = "_wc_shipment_tracking_items"
STATE = "_fulfillment_status"
CARRIERS = {
    "DHL": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "DPD": "https://tracking.dpd.example/parcelstatus?query={}",
    "UPS": "https://www.ups.com/track?tracknum={}",
}
"""What the extension knows by name, and where such a parcel is looked up."""


class Parcels:
    """The routes of both ways.

    Args:
        store: gives the store as it is now.
        accepted: counts what was written.
    """

    def __init__(self, store: Callable[[], Store], accepted: Counter[str]) -> None:
        self._store = store
        self._accepted = accepted
        self._ids = itertools.count(12)
        self._meta_ids = itertools.count(40_000)

    def _order(self, request: Request) -> Json:
        order = self._store().orders.get(request.path_params["id"])
        if order is None:
            raise RestError("woocommerce_rest_order_invalid_id", "Invalid order ID.", 404)
        return order

    # -- fulfilments of the core -------------------------------------------------------------------

    async def list_fulfillments(self, request: Request) -> Response:
        """``GET /orders/{id}/fulfillments``."""
        return JSONResponse(self._there(self._order(request)))

    async def get_fulfillment(self, request: Request) -> Response:
        """``GET /orders/{id}/fulfillments/{part}``."""
        return JSONResponse(self._part(request))

    async def create_fulfillment(self, request: Request) -> Response:
        """``POST /orders/{id}/fulfillments``; nobody asks how much of a line is left."""
        order, body = self._order(request), await given(request)
        part: Json = {"id": next(self._ids), "entity_type": "WC_Order"}
        part |= {"entity_id": str(order["id"]), **_state(body, "unfulfilled")}
        part |= {"date_updated": self._now(), "date_deleted": None, "meta_data": []}
        self._keep(part, body.get("meta_data"))
        self._store().fulfillments.setdefault(order["id"], []).append(part)
        self._fold(order)
        self._accepted["fulfillment_created"] += 1
        return JSONResponse(part, 201)

    async def update_fulfillment(self, request: Request) -> Response:
        """``PUT /orders/{id}/fulfillments/{part}``; meta that is not sent again is gone."""
        order, part, body = self._order(request), self._part(request), await given(request)
        state = _state(body, part["status"])
        self._keep(part, body.get("meta_data", part["meta_data"]))
        part |= state | {"date_updated": self._now()}
        self._fold(order)
        self._accepted["fulfillment_updated"] += 1
        return JSONResponse(part)

    async def delete_fulfillment(self, request: Request) -> Response:
        """``DELETE /orders/{id}/fulfillments/{part}``; it is marked, not erased."""
        order, part = self._order(request), self._part(request)
        part["date_deleted"] = self._now()
        self._fold(order)
        self._accepted["fulfillment_deleted"] += 1
        return JSONResponse({"message": "Fulfillment deleted successfully."})

    def _there(self, order: Json) -> list[Json]:
        kept = self._store().fulfillments.get(order["id"], [])
        return [one for one in kept if one["date_deleted"] is None]

    def _part(self, request: Request) -> Json:
        for part in self._there(self._order(request)):
            if part["id"] == request.path_params["part"]:
                return part
        raise _zero("Fulfillment not found.")

    def _keep(self, part: Json, rows: Any) -> None:
        ids = {one["key"]: one["id"] for one in part["meta_data"]}
        fresh = [
            {"id": ids.get(one.get("key")) or next(self._meta_ids)}
            | {"key": one.get("key"), "value": one.get("value")}
            for one in rows or ()
        ]
        items = {one["key"]: one["value"] for one in fresh}.get("_items")
        if not items:
            raise _zero("The fulfillment should contain at least one item.")
        if not isinstance(items, list):
            raise _zero("The fulfillment items should be an array.")
        if not all(_is_item(one) for one in items):
            raise _zero("Invalid item.")
        part["meta_data"] = fresh

    def _fold(self, order: Json) -> None:
        """What the order shows of its parcels, in meta of its own."""
        sent: Counter[int] = Counter()
        for part in self._there(order):
            rows = next(one["value"] for one in part["meta_data"] if one["key"] == "_items")
            for row in rows if part["is_fulfilled"] else ():
                sent[row["item_id"]] += row["qty"]
        is_all = all(sent[one["id"]] >= one["quantity"] for one in order["line_items"])
        state = "fulfilled" if sent and is_all else "partially_fulfilled" if sent else None
        row = {"key": STATE, "value": state or "unfulfilled"}
        order["meta_data"] = merged(order["meta_data"], [row], self._meta_ids)
        self._store().save(order)

    def _now(self) -> str:
        shown: Json = {}
        self._store().stamp(shown, "at", self._store().clock())
        at: str = shown["at"]
        return at

    # -- the Shipment Tracking extension -----------------------------------------------------------

    async def list_trackings(self, request: Request) -> Response:
        """``GET .../orders/{id}/shipment-trackings``."""
        return JSONResponse(_items(self._order(request)))

    async def get_tracking(self, request: Request) -> Response:
        """``GET .../orders/{id}/shipment-trackings/{tracking}``."""
        return JSONResponse(_tracking(self._order(request), request))

    async def create_tracking(self, request: Request) -> Response:
        """``POST .../orders/{id}/shipment-trackings``; the same parcel twice is there twice."""
        body, order = await given(request), self._order(request)
        if body.get("tracking_number") is None:
            raise missing("tracking_number")
        number = text(body["tracking_number"])
        named = text(body.get("tracking_provider") or "")
        carrier, link = named, CARRIERS.get(named, "").format(quote(number))
        if not named:
            carrier = text(body.get("custom_tracking_provider") or "")
            link = str(body.get("custom_tracking_link") or "").replace("%1$s", quote(number))
        rows = _items(order)
        seed = f"{carrier}-{number}-{len(rows)}-{self._store().clock()}"
        made = {
            "tracking_id": hashlib.md5(seed.encode()).hexdigest(),  # noqa: S324  the vendor's
            "tracking_provider": carrier,
            "tracking_link": link,
            "tracking_number": number,
            "date_shipped": body.get("date_shipped") or f"{self._store().clock():%Y-%m-%d}",
        }
        self._save(order, [*rows, made])
        self._accepted["tracking_created"] += 1
        return JSONResponse(made, 201)

    async def delete_tracking(self, request: Request) -> Response:
        """``DELETE .../orders/{id}/shipment-trackings/{tracking}``."""
        order = self._order(request)
        gone = _tracking(order, request)
        self._save(order, [one for one in _items(order) if one is not gone])
        self._accepted["tracking_deleted"] += 1
        return JSONResponse(gone)

    def _save(self, order: Json, rows: list[Json]) -> None:
        row = {"key": KEPT, "value": rows}
        order["meta_data"] = merged(order["meta_data"], [row], self._meta_ids)
        self._store().save(order)


def _state(body: Json, before: str) -> Json:
    """State and flag of a fulfilment; the state decides where it is given."""
    is_done = bool(body.get("is_fulfilled", before == "fulfilled"))
    status = body.get("status") or ("fulfilled" if is_done else "unfulfilled")
    if status not in {"fulfilled", "unfulfilled"}:
        raise _zero("Invalid fulfillment status.")
    return {"status": status, "is_fulfilled": status == "fulfilled"}


def _is_item(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    number, quantity = row.get("item_id"), row.get("qty")
    if not isinstance(number, int) or not isinstance(quantity, int | float):
        return False
    return number > 0 and quantity > 0


def _zero(message: str) -> RestError:
    """The vendor's code of it is a number that says nothing."""
    return RestError(0, message, 400)


def _items(order: Json) -> list[Json]:
    found: list[Json] = next((one["value"] for one in order["meta_data"] if one["key"] == KEPT), [])
    return found


def _tracking(order: Json, request: Request) -> Json:
    for one in _items(order):
        if one["tracking_id"] == request.path_params["tracking"]:
            return one
    message = "Invalid shipment tracking ID."
    raise RestError("woocommerce_rest_shipment_tracking_invalid_id", message, 404)
