"""Payments at Xero: money set against the invoice. They are made or removed, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.documents import Payment as Told
from fizzbridge.model.documents import SettlementStatus
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.xero import mapping
from platforms.xero.documents import GONE, INVOICES, fetch
from platforms.xero.transport import add, carrier, key_of, listed, read, rejected
from platforms.xero.wire import Payment

LETTERS = 255


class Payments(TargetEntity):
    """Sets money that has really moved against its invoice."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The invoice."""
        told = view.body(Part.RECORD, Told)
        return [view.order.ref if view.order else told.order] if told else []

    def desired(self, view: View, situation: Situation) -> Payment | None:
        """What Xero should hold; nothing of money that has not moved."""
        told = view.body(Part.RECORD, Told)
        if told is None:
            raise DependencyNotReadyError("nobody said yet what was paid", platform="xero")
        if told.status is not SettlementStatus.SETTLED or told.is_test:
            return None
        return mapping.payment(told, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By reference."""
        return carrier(referring(vendor, reference), "Payment", GONE)

    def create(self, vendor: VendorClient, reference: str, payload: Payment) -> str:
        """Set the money against the invoice."""
        invoice = fetch(vendor, INVOICES, payload.invoice)
        name = f"invoice {invoice.number}"
        if invoice.is_draft:
            raise DependencyNotReadyError(f"{name} is not approved in Xero yet", platform="xero")
        if invoice.currency_code != payload.currency:
            msg = f"{name} is in {invoice.currency_code} and was paid in {payload.currency}"
            raise rejected(msg, "currency_mismatch")
        if invoice.is_gone or payload.amount > invoice.amount_due:
            left = to_minor_unit(invoice.amount_due, payload.currency)
            due = "nothing" if invoice.is_gone else f"{left} {payload.currency}"
            msg = (
                f"{name}: {due} is due in Xero, and {payload.amount} was paid: was it entered by "
                "hand? Remove that, or set this one aside"
            )
            raise rejected(msg, "overpaid")
        against = {"Invoice": {"InvoiceID": payload.invoice}}
        return pay(vendor, reference, payload, against)

    def update(self, vendor: VendorClient, external_id: str, payload: Payment) -> None:
        """See that it stands as it was made."""
        there = read(vendor, "Payments", external_id)
        if there["Status"] in GONE:
            msg = f"payment {there.get('Reference')} was removed in Xero"
            raise DeletedAtTargetError(msg, platform="xero")
        if there["Amount"] != payload.amount:
            msg = f"payment {there.get('Reference')} has another amount in Xero: remove it there"
            raise rejected(msg, "amount")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Remove it; the invoice is due again."""
        try:
            there = read(vendor, "Payments", external_id)
        except DeletedAtTargetError:
            return
        if there["Status"] not in GONE:
            remove(vendor, there)


def referring(vendor: VendorClient, reference: str) -> list[dict[str, Any]]:
    """Payments that carry a reference of ours."""
    ours = key_of(reference, LETTERS)
    found = listed(vendor, "Payments", where=f'Reference=="{ours}"')
    return [one for one in found if one.get("Reference") == ours]


def pay(
    vendor: VendorClient, reference: str, payload: Payment, against: dict[str, dict[str, str]]
) -> str:
    """Make a payment."""
    body = against | {
        "Account": {"Code": payload.account},
        "Date": payload.date,
        "Amount": payload.amount,
        "Reference": key_of(reference, LETTERS),
    }
    return str(add(vendor, "Payments", body, reference)["PaymentID"])


def remove(vendor: VendorClient, there: dict[str, Any]) -> None:
    """Take a payment off; Xero refuses where it was matched with the bank's statement."""
    vendor.request(
        "POST",
        f"/Payments/{there['PaymentID']}",
        json={"Status": "DELETED"},
        was={"Status": there["Status"]},
        writes=True,
    )
