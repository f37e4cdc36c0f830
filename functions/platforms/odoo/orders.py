"""Orders at Odoo: ``sale.order``. The reference is its origin and, made safe, its external id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fizzbridge.errors import (
    AmbiguousMatchError,
    ConflictError,
    DeletedAtTargetError,
    DependencyNotReadyError,
    TargetRejectedError,
    TotalMismatchError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.odoo import lookup, mapping
from platforms.odoo.transport import call, external_key, insert_once, search
from platforms.odoo.wire import Order, Resolved, SaleOrder, SaleOrderLine

MODEL = "sale.order"
QUOTATION = frozenset({"draft", "sent"})


class Orders(TargetEntity):
    """Creates quotations, confirms them where the connection wants it, changes and cancels them."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The customer."""
        return [view.request.customer] if view.request else []

    def desired(self, view: View, situation: Situation) -> Order:
        """What Odoo should hold."""
        if view.request is None or view.assessment is None:
            raise DependencyNotReadyError("nobody said yet what was ordered", platform="odoo")
        return mapping.order(view.request, view.assessment, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By origin, which people duplicate with an order: the external id says which is ours."""
        found = search(vendor, MODEL, [["origin", "=", reference]], ["id"])
        ids = [record["id"] for record in found]
        if ids:
            keys = call(vendor, MODEL, "get_external_id", writes=False, ids=ids)
            ids = [i for i in ids if keys.get(str(i)) == external_key("so", reference)]
            if not ids:
                msg = f"{len(found)} in Odoo have the origin {reference}, none its external id"
                raise AmbiguousMatchError(msg, platform="odoo")
        return str(ids[0]) if ids else None

    def create(self, vendor: VendorClient, reference: str, payload: Order) -> str:
        """Create the quotation; ``update`` checks and confirms it."""
        order: dict[str, Any] = {
            "id": external_key("so", reference),
            "partner_id/.id": payload.customer,
            "partner_shipping_id/.id": _ship_to(vendor, payload) or payload.customer,
            "origin": reference,
            "client_order_ref": payload.client_order_ref,
            "date_order": payload.date_order,
            "pricelist_id/.id": lookup.pricelist(vendor, payload.currency, payload.pricelist),
            "note": mapping.markup(payload.note),
        }
        if payload.warehouse:
            order["warehouse_id/.id"] = lookup.warehouse(vendor, payload.warehouse)
        first, *others = [_cells(line) for line in lookup.resolve(vendor, payload)] or [{}]
        return insert_once(vendor, MODEL, order | first, *others)

    def update(self, vendor: VendorClient, external_id: str, payload: Order) -> None:
        """Write what differs, check the total, and confirm."""
        order = _read(vendor, external_id)
        if order.state == "cancel":
            raise DeletedAtTargetError(f"{order.name} was cancelled in Odoo", platform="odoo")
        changes = _changes(vendor, order, payload)
        if changes:
            if order.locked:
                msg = f"{order.name} is locked in Odoo and differs from the shop's order"
                raise TargetRejectedError(msg, platform="odoo")
            was = {"vals": {name: getattr(order, name, None) for name in changes}}
            call(vendor, MODEL, "write", writes=True, was=was, ids=[order.id], vals=changes)
            order = _read(vendor, external_id)
        _check_total(vendor, order, payload)
        if payload.confirm and order.state in QUOTATION:
            _confirm(vendor, order)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel, unless goods have left or an invoice stands: Odoo itself would not refuse."""
        try:
            order = _read(vendor, external_id)
        except DeletedAtTargetError:
            return
        if order.state == "cancel":
            return
        if any(line.qty_delivered for line in _lines(vendor, order)):
            msg = f"{order.name}: goods have left; take them back before cancelling"
            raise TargetRejectedError(msg, platform="odoo")
        if order.invoice_ids and not _is_credited(vendor, order):
            msg = f"{order.name}: an invoice is posted; credit it before cancelling"
            raise TargetRejectedError(msg, platform="odoo")
        if call(vendor, MODEL, "action_cancel", writes=True, ids=[order.id]) is not True:
            # Servers before 19 may answer with a dialog instead of doing it.
            msg = f"{order.name}: Odoo asks back instead of cancelling"
            raise TargetRejectedError(msg, platform="odoo")


def _is_credited(vendor: VendorClient, order: SaleOrder) -> bool:
    """Whether what is posted was credited as a whole, or nothing is posted."""
    standing = [["id", "in", list(order.invoice_ids)], ["state", "=", "posted"]]
    found = search(vendor, "account.move", standing, ["move_type", "amount_total"])
    billed, credited = (
        [one["amount_total"] for one in found if one["move_type"] == sort]
        for sort in ("out_invoice", "out_refund")
    )
    return not found or (bool(credited) and sum(billed) == sum(credited))


def _read(vendor: VendorClient, external_id: str) -> SaleOrder:
    fields = [name for name in SaleOrder.model_fields if name != "id"]
    found = call(vendor, MODEL, "read", writes=False, ids=[int(external_id)], fields=fields)
    if not found:
        msg = f"order {external_id} is not in Odoo any more"
        raise DeletedAtTargetError(msg, platform="odoo")
    return SaleOrder.model_validate(found[0])


def _lines(vendor: VendorClient, order: SaleOrder) -> list[SaleOrderLine]:
    fields = [name for name in SaleOrderLine.model_fields if name != "id"]
    domain = [["order_id", "=", order.id]]
    found = search(vendor, "sale.order.line", domain, fields, order="sequence, id")
    return [SaleOrderLine.model_validate(line) for line in found]


def _cells(line: Resolved) -> dict[str, Any]:
    cells = {
        "product_id/.id": line.product_id,
        "name": line.title,
        "product_uom_qty": line.quantity,
        "product_uom_id/.id": line.uom_id,
        "price_unit": line.price,
        # Marks the price as set by hand, or a later change of quantity would reset it.
        "technical_price_unit": -1,
        "discount": "0",
        "tax_ids/.id": ",".join(map(str, line.tax_ids)),
    }
    return {f"order_line/{name}": cell for name, cell in cells.items()}


def _ship_to(vendor: VendorClient, payload: Order) -> str | None:
    return lookup.delivery(vendor, payload.customer, payload.ship_to) if payload.ship_to else None


def _changes(vendor: VendorClient, order: SaleOrder, payload: Order) -> dict[str, Any]:
    """What to write. The customer is not compared: people merge partners in Odoo."""
    changes: dict[str, Any] = {}
    if order.client_order_ref != payload.client_order_ref:
        changes["client_order_ref"] = payload.client_order_ref
    ship_to = _ship_to(vendor, payload)
    if ship_to and order.partner_shipping_id != int(ship_to):
        changes["partner_shipping_id"] = int(ship_to)
    # Of a locked one the words are let be.
    if payload.note and not order.locked and mapping.words(order.note) != payload.note.split():
        changes["note"] = mapping.markup(payload.note)
    there = _lines(vendor, order)
    lines = mapping.commands(there, lookup.resolve(vendor, payload))
    if mapping.is_billed_otherwise(there, lines):
        msg = f"{order.name} is invoiced at other prices; credit or invoice the difference"
        raise TargetRejectedError(msg, platform="odoo")
    return changes | ({"order_line": lines} if lines else {})


def _check_total(vendor: VendorClient, order: SaleOrder, payload: Order) -> None:
    """Refuse to go on with an order whose total is not ours, to the cent."""
    currency = order.currency_id[1]
    if currency != payload.currency:
        msg = f"{order.name} is in {currency} in Odoo and in {payload.currency} at the shop"
        raise TargetRejectedError(msg, code="currency_mismatch", platform="odoo")
    total = to_minor_unit(order.amount_total, currency)
    if total == payload.total:
        return
    if "order_line" in _changes(vendor, order, payload):
        raise ConflictError(f"{order.name} is being changed in Odoo", platform="odoo")
    raise TotalMismatchError(
        order.name, expected=payload.total, found=total, currency=currency, platform="odoo"
    )


def _confirm(vendor: VendorClient, order: SaleOrder) -> None:
    try:
        call(vendor, MODEL, "action_confirm", writes=True, ids=[order.id])
    except TargetRejectedError:
        # Refused also where somebody else has just confirmed it.
        if _read(vendor, str(order.id)).state in {*QUOTATION, "cancel"}:
            raise
