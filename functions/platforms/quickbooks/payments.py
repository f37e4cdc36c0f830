"""Payments at QuickBooks: set against the invoice of their order. A sales receipt has its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Payment
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import Situation, TargetEntity, short
from fizzbridge.runtime.view import View
from platforms.quickbooks import forms, lookup, mapping, transport
from platforms.quickbooks.wire import Money, Transaction


class Payments(TargetEntity):
    """Creates payments of invoices and voids them."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The order: what became of it says whether there is a payment at all."""
        return [view.order.ref] if view.order else []

    def desired(self, view: View, situation: Situation) -> Money | None:
        """What QuickBooks should hold; None where a sales receipt says it, or no money moved."""
        paid = view.body(Part.RECORD, Payment)
        if paid is None:
            raise DependencyNotReadyError("nobody said yet what was paid", platform="quickbooks")
        return mapping.payment(view, paid, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By its reference number."""
        number = short(reference, mapping.NUMBER)
        return transport.find_by(vendor, ["Payment"], "PaymentRefNum", number)

    def create(self, vendor: VendorClient, reference: str, payload: Money) -> str:
        """Create the payment, set against the invoice as far as that is open."""
        found = Transaction.model_validate(transport.read(vendor, payload.invoice))
        open_part = min(found.balance, payload.amount)
        body: dict[str, Any] = {
            # As the invoice has it: people merge customers.
            "CustomerRef": {"value": found.customer_ref.value if found.customer_ref else ""},
            "TotalAmt": payload.amount,
            "TxnDate": payload.date,
            "PrivateNote": f"{payload.order} · {reference} · {payload.till.reference}",
        }
        body |= lookup.currency(vendor, payload.currency, f"the payment of order {payload.order}")
        body |= forms.till(vendor, payload.till)
        body["PaymentRefNum"] = short(reference, mapping.NUMBER)
        if open_part:
            linked = [{"TxnId": found.id, "TxnType": "Invoice"}]
            body["Line"] = [{"Amount": open_part, "LinkedTxn": linked}]
        return transport.create(vendor, "Payment", body, reference)

    def update(self, vendor: VendorClient, external_id: str, payload: Money) -> None:
        """A payment is an act: made once, and compared."""
        found = Transaction.model_validate(transport.read(vendor, external_id))
        forms.refuse_voided(found, "Payment")
        if found.total_amt != payload.amount:
            msg = (
                f"payment {found.id} of order {payload.order} is {found.total_amt} in QuickBooks "
                f"and {payload.amount} with us: put it right by hand"
            )
            raise TargetRejectedError(msg, platform="quickbooks")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Void: the invoice is open again."""
        try:
            present = transport.read(vendor, external_id)
        except DeletedAtTargetError:
            return
        if not Transaction.model_validate(present).is_voided:
            transport.end(vendor, external_id, present, operation="update", include="void")
