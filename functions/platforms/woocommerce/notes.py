"""Notes at an order, which have no key: one is known by its words."""

from __future__ import annotations

import html

from fizzbridge.http.client import VendorClient
from platforms.woocommerce.transport import API


def find_note(vendor: VendorClient, order_id: str, ending: str) -> str | None:
    """The note that ends so: the shop changes blanks, and signs that mean something to it."""
    words = ending.split()
    for told in vendor.get(f"{API}/orders/{order_id}/notes").data:
        if html.unescape(told["note"]).split()[-len(words) :] == words:
            return str(told["id"])
    return None


def add_note(vendor: VendorClient, order_id: str, words: str, *, to_customer: bool) -> str:
    """A note for the staff, or one that the customer gets as a mail too."""
    body = {"note": words, "customer_note": to_customer}
    return str(vendor.post(f"{API}/orders/{order_id}/notes", json=body, writes=True).data["id"])
