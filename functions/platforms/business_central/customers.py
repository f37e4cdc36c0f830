"""Customers at Business Central: ``customers``, whose number is our reference."""

from __future__ import annotations

from typing import Any

from fizzbridge.errors import (
    DeletedAtTargetError,
    DependencyNotReadyError,
    MappingError,
    NotThereError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.business_central import lookup, mapping
from platforms.business_central.lines import code
from platforms.business_central.transport import code_of, equal, patch, rows
from platforms.business_central.wire import Partner

LONGEST_NUMBER = 20


class Customers(TargetEntity):
    """Creates and updates customers of shops, and links those that have an account there."""

    def desired(self, view: View, situation: Situation) -> Partner:
        """What Business Central should hold."""
        customer = view.body(Part.RECORD, Customer)
        if customer is None:
            msg = "nobody said yet who the customer is"
            raise DependencyNotReadyError(msg, platform="business_central")
        return mapping.partner(customer, view.ref.key, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Partner | None) -> str | None:
        """By number, which Business Central keeps unique: the account's, or our reference."""
        account = payload.account if payload else None
        number = code(account.name) if account else code_of(reference, LONGEST_NUMBER)
        found = rows(vendor, "/customers", filter=equal("number", number), select="id,number")
        ids = [str(one["id"]) for one in found if code(one["number"]) == number]
        if account and not ids:
            msg = f"Business Central has no customer {number}"
            raise MappingError(msg, cause=account.cause, platform="business_central")
        return ids[0] if ids else None

    def create(self, vendor: VendorClient, reference: str, payload: Partner) -> str:
        """Create the customer under our number, which its number series must allow."""
        area = lookup.identity(vendor, "taxAreas", payload.tax_area)
        customer = {
            "number": code_of(reference, LONGEST_NUMBER),
            **{name: value for name, value in payload.fields.items() if value},
            **({"taxAreaId": area} if area else {}),
        }
        return str(vendor.post("/customers", json=customer, writes=True).data["id"])

    def update(self, vendor: VendorClient, external_id: str, payload: Partner) -> None:
        """Write what differs. What an account holds is for the people there."""
        now = self._read(vendor, external_id)
        if payload.account:
            return
        changes = {
            name: value
            for name, value in payload.fields.items()
            if (value or payload.is_erased) and now[name] != value
        }
        if changes:
            was = {name: now[name] for name in changes}
            patch(vendor, f"/customers({external_id})", now["@odata.etag"], changes, was)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Block: orders and entries go on naming it, so it cannot be deleted."""
        now = self._read(vendor, external_id)
        if now["blocked"] != "All":
            was = {"blocked": now["blocked"]}
            patch(vendor, f"/customers({external_id})", now["@odata.etag"], {"blocked": "All"}, was)

    @staticmethod
    def _read(vendor: VendorClient, external_id: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = vendor.get(f"/customers({external_id})").data
        except NotThereError as error:
            msg = f"customer {external_id} is not in Business Central any more"
            raise DeletedAtTargetError(msg, platform="business_central") from error
        return found
