"""Refunds at QuickBooks: a refund receipt where money had come in, else a credit of the invoice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from fizzbridge.trade.billing import billed
from platforms.quickbooks import forms, mapping, transport
from platforms.quickbooks.wire import Credit, Transaction

KINDS = ("RefundReceipt", "CreditMemo")


class Credits(TargetEntity):
    """Creates refund receipts and credit memos, sets the latter against their invoice."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The order and its customer."""
        order = view.order
        if order is None:
            return []
        return [order.ref, *([order.request.customer] if order.request else [])]

    def desired(self, view: View, situation: Situation) -> Credit | None:
        """What QuickBooks should hold; None until the money has really gone back."""
        back, order = view.body(Part.RECORD, Refund), view.order
        if back is None or order is None or order.request is None or order.assessment is None:
            raise DependencyNotReadyError(
                "nobody said yet what was returned", platform="quickbooks"
            )
        if back.status is not SettlementStatus.SETTLED or not back.amount:
            return None
        sold = billed(order.request, order.assessment, order.documents)
        return mapping.refund(view, back, sold, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By number, among both kinds."""
        return forms.find(vendor, KINDS, reference)

    def create(self, vendor: VendorClient, reference: str, payload: Credit) -> str:
        """Create the receipt or memo; ``update`` sets a memo against the invoice."""
        if payload.till:
            paid_from = forms.till(vendor, payload.till)
            return forms.create(vendor, "RefundReceipt", payload, reference, paid_from)
        return forms.create(vendor, "CreditMemo", payload, reference, {})

    def update(self, vendor: VendorClient, external_id: str, payload: Credit) -> None:
        """Compare, and set what is left of a credit against what is open of the invoice."""
        entity = transport.split(external_id)[0]
        found = Transaction.model_validate(transport.read(vendor, external_id))
        forms.refuse_voided(found, entity)
        forms.check_total(found, payload)
        if entity == "CreditMemo" and payload.invoice and found.remaining_credit:
            _apply(vendor, external_id, found, payload)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Delete: neither kind can be voided. What sets a credit against an invoice goes first."""
        entity = transport.split(external_id)[0]
        try:
            present = transport.read(vendor, external_id)
            found = Transaction.model_validate(present)
            linked = [one for one in found.linked_txn if one.txn_type == "Payment"]
            if entity == "CreditMemo" and linked:
                for one in linked:
                    _take_off(vendor, f"Payment:{one.txn_id}", found)
                present = transport.read(vendor, external_id)
        except DeletedAtTargetError:
            return
        transport.end(vendor, external_id, present, operation="delete")


def _apply(vendor: VendorClient, external_id: str, credit: Transaction, payload: Credit) -> None:
    """A payment of nought that names both."""
    invoice = Transaction.model_validate(transport.read(vendor, payload.invoice))
    part = min(invoice.balance, credit.remaining_credit)
    if not part:
        return  # it stays open on the account: the invoice is settled
    customer = invoice.customer_ref.value if invoice.customer_ref else payload.customer
    ends = ((invoice.id, "Invoice"), (credit.id, "CreditMemo"))
    body = {
        # As the invoice has it: people merge customers.
        "CustomerRef": {"value": customer},
        "TotalAmt": 0,
        "TxnDate": payload.date,
        "PrivateNote": f"{payload.order} · {credit.doc_number}",
        "Line": [
            {"Amount": part, "LinkedTxn": [{"TxnId": identity, "TxnType": kind}]}
            for identity, kind in ends
        ],
    }
    transport.post(vendor, "Payment", body, f"apply/{external_id}/{credit.sync_token}")


def _take_off(vendor: VendorClient, payment: str, credit: Transaction) -> None:
    try:
        present = transport.read(vendor, payment)
    except DeletedAtTargetError:
        return
    if Transaction.model_validate(present).total_amt:
        msg = f"credit memo {credit.doc_number} is used in a payment; take it off there first"
        raise TargetRejectedError(msg, platform="quickbooks")
    transport.end(vendor, payment, present, operation="delete")
