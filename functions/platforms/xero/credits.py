"""Refunds at Xero: a credit note, and what becomes of it.

Where the order was paid, the credit is paid out again; where it was not, it is set off against the
invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from fizzbridge.trade.billing import billed
from platforms.xero import mapping
from platforms.xero.documents import CREDIT_NOTES, GONE, INVOICES, draft, fetch, settle, void, write
from platforms.xero.payments import pay, remove
from platforms.xero.transport import TakenError, add, carrier, key_of, listed, read, rejected
from platforms.xero.wire import CreditNote, DocumentThere, Payment

LETTERS = 255
PREFIX = "CN-"
"""A refund may have the same number as an order."""


class CreditNotes(TargetEntity):
    """Drafts and approves credit notes, and pays them out or sets them off."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The invoice."""
        told = view.body(Part.RECORD, Refund)
        return [view.order.ref if view.order else told.order] if told else []

    def desired(self, view: View, situation: Situation) -> CreditNote | None:
        """What Xero should hold; nothing of money that has not moved."""
        told, order = view.body(Part.RECORD, Refund), view.order
        if told is None or order is None or order.request is None or order.assessment is None:
            raise DependencyNotReadyError("nobody said yet what was refunded", platform="xero")
        if told.status is not SettlementStatus.SETTLED or not told.amount:
            return None
        sold = billed(order.request, order.assessment, order.documents)
        return mapping.credit_note(told, order.request, sold, order.documents, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By number."""
        number = key_of(reference, LETTERS, PREFIX)
        found = [
            one
            for one in listed(vendor, "CreditNotes", where=f'CreditNoteNumber=="{number}"')
            if one["Type"] == "ACCRECCREDIT" and one.get("CreditNoteNumber") == number
        ]
        return carrier(found, "CreditNote", GONE)

    def create(self, vendor: VendorClient, reference: str, payload: CreditNote) -> str:
        """Create the draft; ``update`` compares its total, approves it and uses the credit."""
        invoice = fetch(vendor, INVOICES, payload.invoice)
        head = {
            "Type": "ACCRECCREDIT",
            "CreditNoteNumber": key_of(reference, LETTERS, PREFIX),
            # Whom the invoice is for by now: people merge contacts.
            "Contact": {"ContactID": invoice.contact["ContactID"]},
        }
        try:
            return draft(vendor, CREDIT_NOTES, reference, payload, head)
        except TakenError:
            found = self.find(vendor, reference, payload)
            if found is None:
                raise
            return found

    def update(self, vendor: VendorClient, external_id: str, payload: CreditNote) -> None:
        """Compare, approve, and take the steps still missing until no credit is left."""
        there = settle(vendor, CREDIT_NOTES, external_id, payload, keeps_lines=True)
        if there.is_draft:
            body, was = {"Status": "AUTHORISED"}, {"Status": there.status}
            there = write(vendor, CREDIT_NOTES, external_id, body, was)
        if not there.remaining_credit:
            return
        if payload.account:
            _pay_out(vendor, external_id, there, payload)
        else:
            _set_off(vendor, external_id, there, payload)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Take the credit's use back, and void it."""
        try:
            there = fetch(vendor, CREDIT_NOTES, external_id)
        except DeletedAtTargetError:
            return
        if there.is_gone:
            return
        for paid in there.payments:
            payment = read(vendor, "Payments", paid["PaymentID"])
            if payment["Status"] in GONE:
                continue
            if payment.get("Reference") != there.number:
                msg = f"credit note {there.number} was paid out by hand in Xero: remove that first"
                raise rejected(msg, "applied")
            remove(vendor, payment)
        for one in there.allocations:
            path = f"/CreditNotes/{external_id}/Allocations/{one.allocation_id}"
            vendor.request("DELETE", path, writes=True)
        void(vendor, CREDIT_NOTES, external_id, there)


def _pay_out(
    vendor: VendorClient, external_id: str, there: DocumentThere, payload: CreditNote
) -> None:
    if there.remaining_credit != payload.total:
        msg = f"part of credit note {there.number} was used by hand in Xero: pay out the rest there"
        raise rejected(msg, "applied")
    money = Payment(
        invoice=payload.invoice,
        account=payload.account,
        date=payload.date,
        amount=payload.total,
        currency=payload.currency,
    )
    pay(vendor, there.number, money, {"CreditNote": {"CreditNoteID": external_id}})


def _set_off(
    vendor: VendorClient, external_id: str, there: DocumentThere, payload: CreditNote
) -> None:
    invoice = fetch(vendor, INVOICES, payload.invoice)
    if invoice.is_draft:
        msg = f"invoice {invoice.number} is not approved in Xero yet"
        raise DependencyNotReadyError(msg, platform="xero")
    # What is more than due stays as credit of the customer.
    amount = min(there.remaining_credit, invoice.amount_due)
    if amount > 0:
        body = {
            "Invoice": {"InvoiceID": payload.invoice},
            "Amount": amount,
            "Date": payload.date,
        }
        add(vendor, f"CreditNotes/{external_id}/Allocations", body, there.number)
