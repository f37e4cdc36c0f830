"""What invoices and credit notes have in common: lines, totals, states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fizzbridge.errors import DeletedAtTargetError, TotalMismatchError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.money import to_minor_unit
from platforms.xero import lookup
from platforms.xero.transport import add, change, read, rejected
from platforms.xero.wire import Document, DocumentThere, LineThere, Resolved

GONE = frozenset({"VOIDED", "DELETED"})
FOUR_DECIMALS = {"unitdp": 4}
"""On every call, or unit prices are cut to two."""


@dataclass(frozen=True)
class Sort:
    """One of the two.

    Attributes:
        path: of its collection.
        label: for people.
    """

    path: str
    label: str


INVOICES = Sort("Invoices", "invoice")
CREDIT_NOTES = Sort("CreditNotes", "credit note")


def fetch(vendor: VendorClient, sort: Sort, external_id: str) -> DocumentThere:
    """A document as it stands.

    Raises:
        DeletedAtTargetError: there is none.
    """
    return DocumentThere.model_validate(read(vendor, sort.path, external_id, **FOUR_DECIMALS))


def draft(
    vendor: VendorClient, sort: Sort, reference: str, payload: Document, head: Mapping[str, Any]
) -> str:
    """Create a document as a draft: in the ledger it comes when its total was compared."""
    lines = [_values(line, None) for line in lookup.resolve(vendor, payload)]
    common = {
        "Status": "DRAFT",
        "Reference": payload.reference,
        "Date": payload.date,
        "CurrencyCode": payload.currency,
        "LineAmountTypes": _amounts(payload),
        "LineItems": lines,
    }
    made = add(vendor, sort.path, dict(head) | common, reference, **FOUR_DECIMALS)
    return str(made[f"{sort.path[:-1]}ID"])


def settle(
    vendor: VendorClient, sort: Sort, external_id: str, payload: Document, *, keeps_lines: bool
) -> DocumentThere:
    """Write what differs and compare the total.

    Args:
        vendor: the client.
        sort: of document.
        external_id: the document.
        payload: what is wanted.
        keeps_lines: whether lines are fixed once it is no draft any more.

    Raises:
        DeletedAtTargetError: a person voided it.
        TargetRejectedError: it can no longer be changed.
        TotalMismatchError: Xero comes to another total.
    """
    there = fetch(vendor, sort, external_id)
    name = f"{sort.label} {there.number}"
    if there.is_gone:
        msg = f"{name} was voided or deleted in Xero"
        raise DeletedAtTargetError(msg, platform="xero")
    if there.currency_code != payload.currency:
        msg = f"{name} is in {there.currency_code} in Xero and in {payload.currency} at the shop"
        raise rejected(msg, "currency_mismatch")
    is_free = there.is_draft or not (there.is_applied or keeps_lines)
    lines = _changes(there, payload, lookup.resolve(vendor, payload))
    if lines and not is_free:
        msg = (
            f"{name} differs from the shop's and is paid, credited or issued in Xero: take its "
            "payments off, or put the difference right with a credit note or another invoice"
        )
        raise rejected(msg, "applied")
    if is_free and there.reference != payload.reference:
        lines["Reference"] = payload.reference
    if lines:
        was = {"Reference": there.reference, "LineItems": [_shown(one) for one in there.line_items]}
        there = write(vendor, sort, external_id, lines, was)
    total = to_minor_unit(there.total, payload.currency)
    if total != payload.total:
        raise TotalMismatchError(
            name,
            expected=payload.total,
            found=total,
            currency=payload.currency,
            platform="xero",
        )
    return there


def write(
    vendor: VendorClient,
    sort: Sort,
    external_id: str,
    body: Mapping[str, Any],
    was: Mapping[str, Any],
) -> DocumentThere:
    """Write fields of a document."""
    written = change(vendor, sort.path, external_id, body, was, **FOUR_DECIMALS)
    return DocumentThere.model_validate(written)


def void(vendor: VendorClient, sort: Sort, external_id: str, there: DocumentThere) -> None:
    """Void what stands in the ledger, delete a draft."""
    status = "DELETED" if there.is_draft else "VOIDED"
    write(vendor, sort, external_id, {"Status": status}, {"Status": there.status})


def _amounts(payload: Document) -> str:
    return "Inclusive" if payload.is_inclusive else "Exclusive"


def _changes(there: DocumentThere, payload: Document, wanted: Sequence[Resolved]) -> dict[str, Any]:
    """All lines, where one differs: what is not sent is deleted.

    A line keeps its identity: an equal one first, else the next of its item.
    """
    left = list(there.line_items)
    pairs: list[tuple[Resolved, LineThere | None]] = []
    is_same = there.line_amount_types == _amounts(payload)
    for line in wanted:
        same = next((one for one in left if _is(one, line)), None)
        near = same or next((one for one in left if one.item_code == line.item), None)
        if near:
            left.remove(near)
        is_same = is_same and same is not None
        pairs.append((line, near))
    if is_same and not left:
        return {}
    lines = [_values(line, near) for line, near in pairs]
    return {"LineAmountTypes": _amounts(payload), "LineItems": lines}


def _is(there: LineThere, wanted: Resolved) -> bool:
    return (
        (there.item_code, there.tax_type) == (wanted.item, wanted.tax_type)
        and there.quantity == wanted.quantity
        and there.line_amount == wanted.amount
        and (bool(wanted.item) or there.description == wanted.description)
        and (not wanted.is_own_account or there.account_code == wanted.account)
    )


def _values(line: Resolved, there: LineThere | None) -> dict[str, Any]:
    # An account and tracking that a person chose for a line stay.
    chosen = there.account_code if there and not line.is_own_account else ""
    values: dict[str, Any] = {
        "Description": line.description,
        "Quantity": line.quantity,
        "UnitAmount": line.unit,
        "TaxType": line.tax_type,
        "AccountCode": chosen or line.account,
    }
    if line.item:
        values["ItemCode"] = line.item
    if line.discount or (there and there.discount_amount):
        values["DiscountAmount"] = line.discount
    if there:
        values["LineItemID"] = there.line_item_id
        if there.tracking:
            values["Tracking"] = list(there.tracking)
    return values


def _shown(line: LineThere) -> dict[str, Any]:
    return {
        "ItemCode": line.item_code,
        "Description": line.description,
        "Quantity": line.quantity,
        "UnitAmount": line.unit_amount,
        "TaxType": line.tax_type,
        "AccountCode": line.account_code,
    }
