"""Customers at Xero: contacts, found by ``ContactNumber``.

Their names must differ, so of two people of one name the second gets the number behind it.
"""

from __future__ import annotations

from typing import Any

from fizzbridge.errors import DependencyNotReadyError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.xero import mapping
from platforms.xero.transport import TakenError, add, carrier, change, key_of, listed, read
from platforms.xero.wire import Contact, Place

LETTERS = 50
ARCHIVED = frozenset({"ARCHIVED", "GDPRREQUEST"})
PHONE_FIELDS = ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber")
PLACE_FIELDS = {
    "attention": "AttentionTo",
    "street": "AddressLine1",
    "street2": "AddressLine2",
    "city": "City",
    "region": "Region",
    "postal_code": "PostalCode",
    "country": "Country",
}


class Contacts(TargetEntity):
    """Creates and updates contacts. What we do not know is left as people wrote it there."""

    def desired(self, view: View, situation: Situation) -> Contact:  # noqa: ARG002  the same everywhere
        """What Xero should hold."""
        customer = view.body(Part.RECORD, Customer)
        if customer is None:
            raise DependencyNotReadyError("nobody said yet who the customer is", platform="xero")
        return mapping.contact(customer)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By contact number, archived ones too."""
        number = key_of(reference, LETTERS)
        where = f'ContactNumber=="{number}"'
        found = listed(vendor, "Contacts", where=where, includeArchived="true")
        fit = [one for one in found if one.get("ContactNumber") == number]
        return carrier(fit, "Contact", ARCHIVED)

    def create(self, vendor: VendorClient, reference: str, payload: Contact) -> str:
        """Create, never update: a plain upsert could take over another person of that name."""
        number = key_of(reference, LETTERS)
        body = {"ContactNumber": number} | _wanted(payload, {})
        try:
            made = add(vendor, "Contacts", _named(body, payload, number), reference)
        except TakenError:
            # Of the number or of the name: Xero's sentence does not tell safely which.
            found = self.find(vendor, reference, payload)
            if found:
                return found
            made = add(vendor, "Contacts", body | {"Name": _apart(payload, number)}, reference)
        return str(made["ContactID"])

    def update(self, vendor: VendorClient, external_id: str, payload: Contact) -> None:
        """Write what differs."""
        there = read(vendor, "Contacts", external_id)
        number = there.get("ContactNumber") or external_id
        body = _wanted(payload, there)
        is_ours = there.get("Name") in {payload.name, _apart(payload, number)}
        if payload.is_erased or not is_ours:
            body = _named(body, payload, number)
        changes = {name: value for name, value in body.items() if value != there.get(name)}
        if not changes:
            return
        was = {name: there.get(name) for name in changes}
        try:
            change(vendor, "Contacts", external_id, changes, was)
        except TakenError:
            if "Name" not in changes:
                raise
            changes["Name"] = _apart(payload, number)
            change(vendor, "Contacts", external_id, changes, was)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Archive: invoices go on naming it."""
        there = read(vendor, "Contacts", external_id)
        if there.get("ContactStatus") not in ARCHIVED:
            was = {"ContactStatus": there.get("ContactStatus")}
            change(vendor, "Contacts", external_id, {"ContactStatus": "ARCHIVED"}, was)


def awake(vendor: VendorClient, external_id: str) -> str:
    """The contact to bill: the one it was merged into; an archived one comes back."""
    there = read(vendor, "Contacts", external_id)
    if there.get("ContactStatus") == "ARCHIVED":
        if there.get("MergedToContactID"):
            return str(there["MergedToContactID"])
        was = {"ContactStatus": "ARCHIVED"}
        change(vendor, "Contacts", external_id, {"ContactStatus": "ACTIVE"}, was)
    return external_id


def _apart(payload: Contact, number: str) -> str:
    return f"{payload.name} ({number})"


def _named(body: dict[str, Any], payload: Contact, number: str) -> dict[str, Any]:
    name = _apart(payload, number) if payload.is_erased else payload.name
    return body | {"Name": name}


def _wanted(payload: Contact, there: dict[str, Any]) -> dict[str, Any]:
    """Fields beside the name: those we know, or all of them blank."""
    if payload.is_erased:
        return _blank(there)
    fields: dict[str, Any] = {"EmailAddress": payload.email, "TaxNumber": payload.tax_number}
    body = {name: value for name, value in fields.items() if value}
    parts = _typed(there, "Phones", "PhoneType", "DEFAULT")
    phones = ["".join(one.get(name) or "" for name in PHONE_FIELDS) for one in parts]
    if payload.phone and _digits(payload.phone) not in map(_digits, phones):
        body["Phones"] = [_phone("DEFAULT", payload.phone)]
    places = _typed(there, "Addresses", "AddressType", "STREET")
    place = _place("STREET", payload.address)
    if payload.address.is_known and not any(_is(one, place) for one in places):
        body["Addresses"] = [place]
    return body


def _blank(there: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        name: ""
        for name in ("FirstName", "LastName", "EmailAddress", "TaxNumber")
        if there.get(name)
    }
    phones = [one for one in there.get("Phones", ()) if any(one.get(f) for f in PHONE_FIELDS)]
    places = [
        one
        for one in there.get("Addresses", ())
        if any(value for name, value in one.items() if name != "AddressType")
    ]
    if phones:
        body["Phones"] = [_phone(one["PhoneType"], "") for one in phones]
    if places:
        lines = {"AddressLine3": "", "AddressLine4": ""}
        body["Addresses"] = [_place(one["AddressType"], Place()) | lines for one in places]
    if there.get("ContactPersons"):
        body["ContactPersons"] = []
    return body


def _typed(there: dict[str, Any], name: str, key: str, sort: str) -> list[dict[str, Any]]:
    return [one for one in there.get(name, ()) if one.get(key) == sort]


def _phone(sort: str, number: str) -> dict[str, str]:
    """The number as a whole: parts of an older one must not stay in front of it."""
    return {
        "PhoneType": sort,
        "PhoneNumber": number,
        "PhoneAreaCode": "",
        "PhoneCountryCode": "",
    }


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def _place(sort: str, place: Place) -> dict[str, str]:
    values = {there: getattr(place, ours) for ours, there in PLACE_FIELDS.items()}
    return {"AddressType": sort} | values


def _is(there: dict[str, Any], wanted: dict[str, str]) -> bool:
    """Whether an address reads so; Xero trims, and leaves stray line ends in."""
    return all(
        " ".join((there.get(name) or "").split()) == " ".join(value.split())
        for name, value in wanted.items()
    )
