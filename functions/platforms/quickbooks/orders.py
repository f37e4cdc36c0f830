"""Orders at QuickBooks: a sales receipt where a retail order is paid, else an invoice.

The kind is part of the external id, so an invoice stays one when its money comes later.
"""

from __future__ import annotations

from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.target import BilledOrder, Situation
from fizzbridge.runtime.view import View
from platforms.quickbooks import forms, lookup, mapping, transport
from platforms.quickbooks.mapping import place_fields, same_place
from platforms.quickbooks.wire import Sale, Transaction

KINDS = ("SalesReceipt", "Invoice")


class Orders(BilledOrder):
    """Creates invoices and sales receipts, changes them until they are paid, voids them."""

    def desired(self, view: View, situation: Situation) -> Sale:
        """What QuickBooks should hold."""
        order = self.order(view)
        if order is None:
            raise DependencyNotReadyError("nobody said yet what was ordered", platform="quickbooks")
        return mapping.sale(view, order, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By number, among both kinds: which it became depends on when the money came."""
        return forms.find(vendor, KINDS, reference)

    def create(self, vendor: VendorClient, reference: str, payload: Sale) -> str:
        """Create the form as a whole; ``update`` compares its total."""
        more: dict[str, Any] = dict(_head({}, payload))
        if payload.bill_to:
            more["BillAddr"] = place_fields(payload.bill_to)
        if payload.till:
            more |= forms.till(vendor, payload.till)
            return forms.create(vendor, "SalesReceipt", payload, reference, more)
        term = lookup.named(vendor, "Term", payload.terms, "term")
        if term:
            more["SalesTermRef"] = {"value": term}
        return forms.create(vendor, "Invoice", payload, reference, more)

    def update(self, vendor: VendorClient, external_id: str, payload: Sale) -> None:
        """Write what differs, while the money that came in allows it, and check the total."""
        entity = transport.split(external_id)[0]
        present = transport.read(vendor, external_id)
        found = Transaction.model_validate(present)
        forms.refuse_voided(found, entity)
        changes = _head(present, payload)
        wanted = forms.amounts(vendor, payload)
        if not forms.same_lines(present, wanted["Line"]):
            _refuse_paid(entity, found, present, payload)
            changes |= wanted
        if changes:
            written = transport.change(vendor, external_id, present, changes)
            found = Transaction.model_validate(written)
        forms.check_total(found, payload)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Void, unless money is set against it: QuickBooks would leave that money hanging."""
        entity = transport.split(external_id)[0]
        try:
            present = transport.read(vendor, external_id)
        except DeletedAtTargetError:
            return
        found = Transaction.model_validate(present)
        if found.is_voided:
            return
        if entity == "SalesReceipt":
            transport.end(vendor, external_id, present, operation="update", include="void")
            return
        if found.balance != found.total_amt:
            msg = (
                f"invoice {found.doc_number}: a payment or credit is set against it in QuickBooks; "
                "take it off, then cancel again"
            )
            raise TargetRejectedError(msg, platform="quickbooks")
        transport.end(vendor, external_id, present, operation="void")


def _refuse_paid(entity: str, found: Transaction, present: dict[str, Any], payload: Sale) -> None:
    """Lines change only while the form still comes to what was paid on it."""
    # Its own payment is of the whole order: a receipt that says otherwise was booked wrongly.
    is_paid_so = payload.till and present.get("PaymentRefNum") == payload.till.reference
    if entity == "SalesReceipt" and payload.total != found.total_amt and not is_paid_so:
        msg = (
            f"sales receipt {found.doc_number} was paid with {found.total_amt} and the order "
            f"comes to {payload.total} now: record the difference by hand"
        )
        raise TargetRejectedError(msg, platform="quickbooks")
    paid = found.total_amt - found.balance
    if entity == "Invoice" and payload.total < paid:
        msg = (
            f"invoice {found.doc_number}: {paid} is set against it and the order comes to "
            f"{payload.total} now: give the difference back, or take the payment off"
        )
        raise TargetRejectedError(msg, platform="quickbooks")


def _head(present: dict[str, Any], payload: Sale) -> dict[str, Any]:
    """Fields beside the lines that differ; what is empty with us is left to people."""
    changes: dict[str, Any] = {}
    if payload.ship_to:
        address = place_fields(payload.ship_to)
        if not same_place(present.get("ShipAddr", {}), address):
            changes["ShipAddr"] = address
    if payload.memo and present.get("CustomerMemo", {}).get("value") != payload.memo:
        changes["CustomerMemo"] = {"value": payload.memo}
    if payload.po_field and payload.po_number:
        fields = present.get("CustomField", ())
        others = [one for one in fields if one["DefinitionId"] != payload.po_field]
        field = {
            "DefinitionId": payload.po_field,
            "Type": "StringType",
            "StringValue": payload.po_number,
        }
        if not any(_is_field(one, field) for one in fields):
            changes["CustomField"] = [*others, field]
    return changes


def _is_field(one: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(one.get(name) == wanted[name] for name in ("DefinitionId", "StringValue"))
