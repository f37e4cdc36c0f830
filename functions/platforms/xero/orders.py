"""Orders at Xero: sales invoices. The number is our reference, which Xero keeps unique."""

from __future__ import annotations

from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.target import BilledOrder, Situation
from fizzbridge.runtime.view import View
from platforms.xero import mapping
from platforms.xero.contacts import awake
from platforms.xero.documents import GONE, INVOICES, draft, fetch, settle, void, write
from platforms.xero.transport import TakenError, carrier, key_of, listed, rejected
from platforms.xero.wire import Invoice

LETTERS = 255


class Orders(BilledOrder):
    """Drafts, approves, changes and voids invoices."""

    def desired(self, view: View, situation: Situation) -> Invoice:
        """What Xero should hold."""
        order = self.order(view)
        if view.request is None or order is None:
            raise DependencyNotReadyError("nobody said yet what was ordered", platform="xero")
        return mapping.invoice(view.request, order, view.documents, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By number; a bill of a supplier may have the same."""
        number = key_of(reference, LETTERS)
        found = [
            one
            for one in listed(vendor, "Invoices", InvoiceNumbers=number)
            if one["Type"] == "ACCREC" and one.get("InvoiceNumber") == number
        ]
        return carrier(found, "Invoice", GONE)

    def create(self, vendor: VendorClient, reference: str, payload: Invoice) -> str:
        """Create the draft; ``update`` compares its total and approves it."""
        head = {
            "Type": "ACCREC",
            "InvoiceNumber": key_of(reference, LETTERS),
            "Contact": {"ContactID": awake(vendor, payload.customer)},
            "DueDate": payload.due,
        }
        try:
            return draft(vendor, INVOICES, reference, payload, head)
        except TakenError:
            # A search that lags, or a call of ours that went through after all.
            found = self.find(vendor, reference, payload)
            if found is None:
                raise
            return found

    def update(self, vendor: VendorClient, external_id: str, payload: Invoice) -> None:
        """Write what differs, compare the total, and approve."""
        there = settle(vendor, INVOICES, external_id, payload, keeps_lines=False)
        if payload.authorise and there.is_draft:
            # Approving needs a due date; one that a person set stays.
            due = {} if there.due_date_string else {"DueDate": payload.due}
            body = {"Status": "AUTHORISED"} | due
            write(vendor, INVOICES, external_id, body, {"Status": there.status})

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Void, unless money or credit is set against it."""
        try:
            there = fetch(vendor, INVOICES, external_id)
        except DeletedAtTargetError:
            return
        if there.is_gone:
            return
        if there.is_applied:
            msg = f"invoice {there.number} is paid or credited in Xero: credit it instead"
            raise rejected(msg, "applied")
        void(vendor, INVOICES, external_id, there)
