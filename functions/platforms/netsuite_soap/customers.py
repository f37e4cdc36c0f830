"""Customers at NetSuite: ``customer``, with their addresses in the address book."""

from __future__ import annotations

from typing import Any

from fizzbridge.errors import DeletedAtTargetError, DependencyNotReadyError, NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.netsuite_soap import mapping
from platforms.netsuite_soap.keys import Keys
from platforms.netsuite_soap.mapping import ref
from platforms.netsuite_soap.transport import RELATIONSHIPS, get
from platforms.netsuite_soap.wire import CustomerRecord, CustomerWanted

PLATFORM = "netsuite_soap"
KEYS = Keys(
    sort="customer",
    space=RELATIONSHIPS,
    record="Customer",
    search="CustomerSearch",
    setting="customer_key_field",
)


class Customers(TargetEntity):
    """Creates and updates customers. What we do not know is left as people wrote it there."""

    def desired(self, view: View, situation: Situation) -> CustomerWanted:
        """What NetSuite should hold."""
        customer = view.body(Part.RECORD, Customer)
        if customer is None:
            raise DependencyNotReadyError("nobody said yet who the customer is", platform=PLATFORM)
        return mapping.customer(customer, situation.connection.settings)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By our key."""
        return KEYS.find(vendor, reference)

    def create(self, vendor: VendorClient, reference: str, payload: CustomerWanted) -> str:
        """Create the customer with its addresses."""
        names = mapping.names(payload, is_person=payload.is_person)
        book = mapping.entries(payload.addresses, is_first=True)
        fields = {
            "customForm": payload.custom_form and ref(payload.custom_form),
            "isPerson": str(payload.is_person).lower(),
            **names,
            "subsidiary": payload.subsidiary and ref(payload.subsidiary),
            "vatRegNumber": payload.vat_reg_number,
            "addressbookList": book and {"@replaceAll": True, "addressbook": book},
        }
        return KEYS.create(vendor, reference, {k: v for k, v in fields.items() if v})

    def update(self, vendor: VendorClient, external_id: str, payload: CustomerWanted) -> None:
        """Write what differs, and see that the addresses are there."""
        try:
            record = get(vendor, "customer", internalId=external_id)
        except NotThereError as error:
            msg = f"customer {external_id} is not in NetSuite any more"
            raise DeletedAtTargetError(msg, platform=PLATFORM) from error
        there = CustomerRecord.model_validate(record)
        wanted = mapping.names(payload, is_person=there.is_person)
        wanted |= {"vatRegNumber": payload.vat_reg_number}
        has = mapping.names(there, is_person=there.is_person)
        has |= {"vatRegNumber": there.vat_reg_number}
        fields: dict[str, Any] = {k: v for k, v in wanted.items() if v and v != has[k]}
        emptied = [k for k, v in wanted.items() if not v and has[k]] if payload.is_erased else []
        if emptied:
            fields = {"nullFieldList": {"name": emptied}} | fields
        book = _addresses(there, payload)
        if book:
            fields["addressbookList"] = book
        if fields:
            KEYS.update(vendor, external_id, fields, has)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Make it inactive: orders and invoices go on naming it, so it cannot be deleted."""
        KEYS.update(vendor, external_id, {"isInactive": True}, {})


def _addresses(there: CustomerRecord, payload: CustomerWanted) -> dict[str, Any]:
    """Addresses are added; those that are there stay, except once erased."""
    entries = [e.addressbook_address for e in there.addressbook_list if e.addressbook_address]
    if payload.is_erased:
        return {"@replaceAll": True} if there.addressbook_list else {}
    known = {one.known_by for one in entries}
    missing = [one for one in payload.addresses if one.known_by not in known]
    is_first = bool(missing) and missing[0] == payload.addresses[0]
    book = mapping.entries(missing, is_first=is_first)
    return {"@replaceAll": False, "addressbook": book} if book else {}
