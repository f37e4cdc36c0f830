"""Customers at Odoo: ``res.partner``, found by ``ref``; delivery addresses are its children."""

from __future__ import annotations

from typing import Any

from fizzbridge.errors import AmbiguousMatchError, DeletedAtTargetError, DependencyNotReadyError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.odoo import lookup, mapping
from platforms.odoo.transport import call, external_key, insert_once, search
from platforms.odoo.wire import Partner

MODEL = "res.partner"
ARCHIVED_TOO = ["active", "in", [True, False]]


class Partners(TargetEntity):
    """Creates and updates customers. What we do not know is left as people wrote it there."""

    def desired(self, view: View, situation: Situation) -> Partner:  # noqa: ARG002  the same everywhere
        """What Odoo should hold."""
        customer = view.body(Part.RECORD, Customer)
        if customer is None:
            raise DependencyNotReadyError("nobody said yet who the customer is", platform="odoo")
        return mapping.partner(customer)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By ``ref``, which Odoo does not keep unique."""
        found = search(vendor, MODEL, [["ref", "=", reference], ARCHIVED_TOO], ["id"])
        if len(found) > 1:
            msg = f"{len(found)} partners in Odoo have the reference {reference}"
            raise AmbiguousMatchError(msg, platform="odoo")
        return str(found[0]["id"]) if found else None

    def create(self, vendor: VendorClient, reference: str, payload: Partner) -> str:
        """Create the partner; ``update`` adds its delivery addresses."""
        record = {"id": external_key("partner", reference), "ref": reference}
        return insert_once(vendor, MODEL, record | lookup.columns(_values(vendor, payload)))

    def update(self, vendor: VendorClient, external_id: str, payload: Partner) -> None:
        """Write what differs, and see that the delivery addresses are there."""
        wanted = _values(vendor, payload)
        found = call(
            vendor, MODEL, "read", writes=False, ids=[int(external_id)], fields=list(wanted)
        )
        if not found:
            msg = f"partner {external_id} is not in Odoo any more"
            raise DeletedAtTargetError(msg, platform="odoo")
        changes = {
            name: value or False
            for name, value in wanted.items()
            if (value or payload.is_erased) and _plain(found[0][name]) != (value or False)
        }
        if changes:
            was = {"vals": {name: _plain(found[0][name]) for name in changes}}
            ids = [int(external_id)]
            call(vendor, MODEL, "write", writes=True, was=was, ids=ids, vals=changes)
        for place in payload.deliveries:
            lookup.delivery(vendor, external_id, place)
        if payload.is_erased:
            _erase_deliveries(vendor, external_id, payload)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Archive: orders and invoices go on naming it, so it cannot be deleted."""
        call(vendor, MODEL, "write", writes=True, ids=[int(external_id)], vals={"active": False})


def _values(vendor: VendorClient, payload: Partner) -> dict[str, Any]:
    own = payload.model_dump(include={"name", "is_company", "email", "vat"})
    return own | lookup.place_values(vendor, payload.address)


def _plain(value: Any) -> Any:
    """A many2one as its id."""
    return value[0] if isinstance(value, list) else value


def _erase_deliveries(vendor: VendorClient, external_id: str, payload: Partner) -> None:
    children = [["parent_id", "=", int(external_id)], ARCHIVED_TOO]
    ids = [child["id"] for child in search(vendor, MODEL, children, ["id"])]
    if ids:
        empty = {name: value or False for name, value in _values(vendor, payload).items()}
        call(vendor, MODEL, "write", writes=True, ids=ids, vals=empty)
