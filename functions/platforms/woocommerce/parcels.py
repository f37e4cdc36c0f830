"""Three ways a shop can hold a parcel: a note, the Shipment Tracking extension, core fulfilments.

Notes are on every shop and are mailed to the customer. The extension keeps carrier and number; an
order's parcels are told apart by number. Fulfilments (10.x and later, behind a switch) know lines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pydantic import Field

from fizzbridge.errors import ConfigurationError, NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from platforms.woocommerce.mapping import OUR_REFERENCE
from platforms.woocommerce.notes import add_note, find_note
from platforms.woocommerce.transport import API, NO_ROUTE


class Parcel(Frozen):
    """What the customer should know of goods that have left."""

    order: str
    way: str
    text: str
    carrier: str
    number: str = Field(repr=False)
    url: str = Field(repr=False)
    left_on: str
    items: tuple[tuple[str, int], ...]
    completes: bool
    """Whether nothing of the order is left to ship."""


class Way(ABC):
    """How a shop holds parcels."""

    def trace(self, vendor: VendorClient, order_id: str, reference: str) -> str | None:  # noqa: ARG002  for overriders
        """The shop's id of whatever carries our reference; None where nothing can."""
        return None

    def is_any_there(self, vendor: VendorClient, order_id: str) -> bool:
        """Whether an order has parcels, whoever made them."""
        return bool(vendor.get(self.path(order_id)).data)

    @abstractmethod
    def find(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str | None:
        """The shop's id of what it holds of the parcel."""

    @abstractmethod
    def make(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str:
        """Make it, and return its id; empty where there is nothing to hold yet."""

    def correct(self, vendor: VendorClient, held: str, reference: str, parcel: Parcel) -> None:  # noqa: B027  few can
        """Write what differs, where the shop can change it at all."""

    def drop(self, vendor: VendorClient, order_id: str, held: str) -> None:
        """Delete it; already gone is success."""
        with suppress(NotThereError):
            path = f"{self.path(order_id)}/{held}"
            vendor.request("DELETE", path, params={"force": "true"}, writes=True)

    @abstractmethod
    def path(self, order_id: str) -> str:
        """Where the parcels of an order are."""


class Notes(Way):
    """A note to the customer that ends in our reference; one cannot be changed, only followed."""

    def path(self, order_id: str) -> str:
        """All notes, other people's too."""
        return f"{API}/orders/{order_id}/notes"

    def is_any_there(self, vendor: VendorClient, order_id: str) -> bool:  # noqa: ARG002  nothing is asked
        """Nobody can tell: people write of other things too."""
        return False

    def find(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str | None:
        """By what it ends in: with what came later it is another."""
        return find_note(vendor, parcel.order, self._facts(reference, parcel))

    def trace(self, vendor: VendorClient, order_id: str, reference: str) -> str | None:
        """Every note of ours ends in it."""
        return find_note(vendor, order_id, f"[{reference}]")

    def make(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str:
        """The shop mails it."""
        words = f"{parcel.text} {self._facts(reference, parcel)}".strip()
        return add_note(vendor, parcel.order, words, to_customer=True)

    @staticmethod
    def _facts(reference: str, parcel: Parcel) -> str:
        known = (parcel.carrier, parcel.number, parcel.url, f"[{reference}]")
        return " ".join(filter(None, known))


class Tracking(Way):
    """The official extension's list of numbers; without a number it has nothing to hold."""

    def path(self, order_id: str) -> str:
        """The extension has routes of its own."""
        return f"/wp-json/wc-shipment-tracking/v3/orders/{order_id}/shipment-trackings"

    def find(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str | None:  # noqa: ARG002  there is no place for it
        """By number."""
        for one in vendor.get(self.path(parcel.order)).data:
            if one["tracking_number"] == parcel.number.strip():
                return str(one["tracking_id"])
        return None

    def make(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str:  # noqa: ARG002  there is no place for it
        """A carrier with an address of ours is a custom one: the extension knows few by name."""
        if not parcel.number:
            return ""
        body = {"tracking_number": parcel.number}
        if parcel.left_on:
            body["date_shipped"] = parcel.left_on
        if parcel.url:
            link = {"custom_tracking_link": parcel.url}
            body |= link | {"custom_tracking_provider": parcel.carrier or parcel.number}
        else:
            body["tracking_provider"] = parcel.carrier
        return str(vendor.post(self.path(parcel.order), json=body, writes=True).data["tracking_id"])


class Fulfilments(Way):
    """The core's own records, with our reference among their fields."""

    def path(self, order_id: str) -> str:
        """Below the order."""
        return f"{API}/orders/{order_id}/fulfillments"

    def find(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str | None:
        """By reference."""
        return self.trace(vendor, parcel.order, reference)

    def trace(self, vendor: VendorClient, order_id: str, reference: str) -> str | None:
        """It is one of the fields."""
        for one in vendor.get(self.path(order_id)).data:
            if _fields(one).get(OUR_REFERENCE) == reference:
                return str(one["id"])
        return None

    def make(self, vendor: VendorClient, reference: str, parcel: Parcel) -> str:
        """The shop mails it."""
        body = {"status": "fulfilled", "is_fulfilled": True, "meta_data": _rows(reference, parcel)}
        path = f"{self.path(parcel.order)}?notify_customer=true"
        return str(vendor.post(path, json=body, writes=True).data["id"])

    def correct(self, vendor: VendorClient, held: str, reference: str, parcel: Parcel) -> None:
        """All fields together: those that are not sent are lost."""
        path = f"{self.path(parcel.order)}/{held}"
        rows = _rows(reference, parcel)
        there = _fields(vendor.get(path).data)
        if any(there.get(row["key"]) != row["value"] for row in rows):
            body, was = {"meta_data": rows}, {"meta_data": there}
            vendor.request("PUT", path, json=body, was=was, writes=True)


def _fields(told: Mapping[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in told["meta_data"]}


def _rows(reference: str, parcel: Parcel) -> list[dict[str, Any]]:
    items = [{"item_id": int(line), "qty": quantity} for line, quantity in parcel.items]
    known = {
        "_items": items,
        "_tracking_number": parcel.number,
        "_shipping_provider": parcel.carrier,
        "_tracking_url": parcel.url,
        OUR_REFERENCE: reference,
    }
    return [{"key": key, "value": value} for key, value in known.items()]


WAYS: Mapping[str, Way] = {
    "note": Notes(),
    "shipment_tracking": Tracking(),
    "fulfillments": Fulfilments(),
}


@contextmanager
def if_the_shop_has_it() -> Iterator[None]:
    """Leave out a way that the shop does not have."""
    try:
        yield
    except ConfigurationError as error:
        if error.code != NO_ROUTE:
            raise


def is_any_there(vendor: VendorClient, order_id: str) -> bool:
    """Whether the shop has parcels of an order in any way, whoever made them."""
    for way in WAYS.values():
        with if_the_shop_has_it():
            if way.is_any_there(vendor, order_id):
                return True
    return False
