"""Customers at QuickBooks, found by their display name: it ends in our reference.

No other field of a customer is unique, searchable and seldom changed by people.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fizzbridge.errors import (
    AmbiguousMatchError,
    DeletedAtTargetError,
    DependencyNotReadyError,
    TargetRejectedError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Part
from fizzbridge.runtime.target import Situation, TargetEntity, short
from fizzbridge.runtime.view import View
from platforms.quickbooks import mapping, transport
from platforms.quickbooks.mapping import place_fields, same_place
from platforms.quickbooks.wire import Buyer, Person, Place

NAME = 100
KEY = 60
TAIL = re.compile(r" \(([^()]*)\)(?: \(deleted\))?$")
"""Our reference at the end of a display name; QuickBooks marks some that are out of use."""
ALL = "Active in (true, false)"

PERSONAL = (
    "Title GivenName MiddleName FamilyName Suffix CompanyName PrimaryEmailAddr PrimaryPhone "
    "AlternatePhone Mobile Fax WebAddr BillAddr ShipAddr Notes ResaleNum PrimaryTaxIdentifier"
).split()
"""What of a customer may be a person's."""


class Customers(TargetEntity):
    """Creates and updates customers. What we do not know is left as people wrote it there."""

    def desired(self, view: View, situation: Situation) -> Buyer:  # noqa: ARG002  the same everywhere
        """What QuickBooks should hold."""
        customer = view.body(Part.RECORD, Customer)
        if customer is None:
            said = "nobody said yet who the customer is"
            raise DependencyNotReadyError(said, platform="quickbooks")
        return mapping.buyer(customer)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By the end of the display name, those out of use included: their names stay taken."""
        key = _key(reference)
        found = transport.query(
            vendor,
            "Customer",
            f"DisplayName like {transport.quoted(f'%({key})%')} and {ALL}",
            "Id, DisplayName",
        )
        ids = [one["Id"] for one in found if _key_of(one["DisplayName"]) == key]
        if len(ids) > 1:
            msg = f"{len(ids)} customers in QuickBooks have the reference {reference}"
            raise AmbiguousMatchError(msg, platform="quickbooks")
        return f"Customer:{ids[0]}" if ids else None

    def create(self, vendor: VendorClient, reference: str, payload: Buyer) -> str:
        """Create the customer as a whole."""
        body = _fields({}, payload) | {"DisplayName": _display(payload.name, _key(reference))}
        try:
            return transport.create(vendor, "Customer", body, reference)
        except TargetRejectedError as error:
            # The name is taken: by a create of ours that no search had shown yet.
            is_taken = error.code in transport.DUPLICATES
            found = self.find(vendor, reference, payload) if is_taken else None
            if found is None:
                raise
            return found

    def update(self, vendor: VendorClient, external_id: str, payload: Buyer) -> None:
        """Write what differs; a name that people gave of their own stays."""
        present = transport.read(vendor, external_id)
        found = Person.model_validate(present)
        if payload.is_erased:
            changes = _blanks(present, found)
        elif not found.active:
            msg = f"customer {found.id} was merged or put out of use in QuickBooks"
            raise DeletedAtTargetError(msg, platform="quickbooks")
        else:
            changes = _fields(present, payload)
            key = _key_of(found.display_name)
            if key and found.display_name != _display(payload.name, key):
                changes["DisplayName"] = _display(payload.name, key)
        if not changes:
            return
        written = transport.change(vendor, external_id, present, changes)
        left = [name for name in PERSONAL if written.get(name)] if payload.is_erased else []
        if left:
            msg = f"customer {found.id} was erased, and {', '.join(left)} stayed: blank it by hand"
            raise TargetRejectedError(msg, platform="quickbooks")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Put out of use: forms go on naming it, so it cannot be deleted."""
        try:
            present = transport.read(vendor, external_id)
        except DeletedAtTargetError:
            return
        if Person.model_validate(present).active:
            transport.change(vendor, external_id, present, {"Active": False})


def _key(reference: str) -> str:
    """A reference as a display name may hold it: no colons, and none of our own brackets."""
    return short(quote(reference, safe="/~@+,="), KEY)


def _key_of(display_name: str) -> str:
    found = TAIL.search(display_name)
    return found[1] if found else ""


def _display(name: str, key: str) -> str:
    tail = f" ({key})"
    clear = " ".join(name.replace(":", " ").split()) or "Customer"
    return clear[: NAME - len(tail)].rstrip() + tail


def _fields(present: dict[str, Any], payload: Buyer) -> dict[str, Any]:
    """Fields that differ; an address keeps the parts that only people know."""
    changes: dict[str, Any] = {}
    if payload.company and present.get("CompanyName") != payload.company:
        changes["CompanyName"] = payload.company
    for field, part, text in (
        ("PrimaryEmailAddr", "Address", payload.email),
        ("PrimaryPhone", "FreeFormNumber", payload.phone),
    ):
        if text and present.get(field, {}).get(part) != text:
            changes[field] = {part: text}
    # It is read with all but its last letters hidden.
    shown = str(present.get("PrimaryTaxIdentifier", "")).strip("X")
    if payload.tax_number and not (shown and payload.tax_number.endswith(shown)):
        changes["PrimaryTaxIdentifier"] = payload.tax_number
    for field, place in (("BillAddr", payload.bill_to), ("ShipAddr", payload.ship_to)):
        address, now = place_fields(place), present.get(field, {})
        if place != Place() and not same_place(now, address):
            changes[field] = {k: v for k, v in now.items() if k != "Id"} | address
    return changes


def _blanks(present: dict[str, Any], found: Person) -> dict[str, Any]:
    changes: dict[str, Any] = {name: None for name in PERSONAL if present.get(name)}
    name = _display("Erased", _key_of(found.display_name) or found.id)
    for field in ("DisplayName", "PrintOnCheckName"):
        if present.get(field) != name:
            changes[field] = name
    return changes
