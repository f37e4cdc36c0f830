"""What records of Odoo belong to: read with them, for a whole page in one call per model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, TypeVar

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Told
from fizzbridge.settings import Connection
from platforms.odoo import reading, wire, wire_money
from platforms.odoo.transport import call, search

R = TypeVar("R", bound=wire.Told)
Rows = Sequence[Mapping[str, Any]]


def orders(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Orders, which count what a draft bills as invoiced already."""
    told = [wire.Progress.model_validate(row) for row in rows]
    bills = sorted({bill for one in told if one.is_billed for bill in one.invoice_ids})
    drafts: set[int] = set()
    if bills:
        open_ = [["id", "in", bills], ["state", "=", "draft"]]
        drafts = {row["id"] for row in search(vendor, "account.move", open_, ["id"])}
    for one in told:
        yield reading.order(one, connection, drafts)


def pickings(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Deliveries and returns: of what is done its lots count, of all others what is planned."""
    told = [wire.Picking.model_validate(row) for row in rows]
    goods: dict[int | None, list[wire.Planned | wire.Moved]] = {one.id: [] for one in told}
    states = {one.id: one.state for one in told}
    for planned in _goods(vendor, wire.Planned, [one for one in told if one.state != "done"]):
        if planned.state != "cancel" or states[planned.picking_id or 0] == "cancel":
            goods[planned.picking_id].append(planned)
    for moved in _goods(vendor, wire.Moved, [one for one in told if one.state == "done"]):
        goods[moved.picking_id].append(moved)
    every = [one for some in goods.values() for one in some]
    known = reading.Known(
        items=by_id(vendor, wire.Item, (one.product_id for one in every)),
        units=by_id(vendor, wire.Uom, (one.unit_id for one in every)),
        lots=by_id(vendor, wire.Lot, (one.lot_id for one in every if isinstance(one, wire.Moved))),
    )
    for one in told:
        seen = reading.shipment(one, goods[one.id], known, connection.name)
        if seen:
            yield seen


def _goods(vendor: VendorClient, kind: type[R], of: Sequence[wire.Picking]) -> list[R]:
    """Goods of pickings; what was scrapped on the way went to a place of its own."""
    ids = [one.id for one in of]
    scrapped = ["location_dest_id.usage", "!=", "inventory"]
    return where(vendor, kind, ["picking_id", "in", ids], scrapped) if ids else []


def bills(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Invoices and credit notes of orders, which their lines know."""
    told = [wire.Bill.model_validate(row) for row in rows]
    lines = by_id(vendor, wire.BillLine, (line for one in told for line in one.invoice_line_ids))
    known = reading.Known(
        items=by_id(vendor, wire.Item, (line.product_id for line in lines.values())),
        taxes=by_id(vendor, wire.Tax, (tax for line in lines.values() for tax in line.tax_ids)),
    )
    billed = billed_by(vendor, lines.values())
    # A credit note written by hand is tied to its invoice only, one for goods that came back to its
    # order only.
    tied = {one.reversed_entry_id for one in told if one.id not in billed} - {None}
    if tied:
        billed |= billed_by(vendor, where(vendor, wire.BillLine, ["move_id", "in", sorted(tied)]))
    untied = {billed.get(one.id) for one in told if one.is_credit and not one.reversed_entry_id}
    first = _first_invoices(vendor, untied - {None})
    for one in told:
        of = billed.get(one.id) or billed.get(one.reversed_entry_id or 0)
        credited = (one.reversed_entry_id or first.get(of)) if one.is_credit else None
        if of and (credited or not one.is_credit):
            own = [lines[line] for line in sorted(one.invoice_line_ids) if line in lines]
            yield reading.invoice(one, own, known, of, credited, connection)


def _first_invoices(vendor: VendorClient, orders: Set[int | None]) -> dict[int | None, int]:
    """The first invoice that was issued for each order."""
    if not orders:
        return {}
    found = call(
        vendor, "sale.order", "read", writes=False, ids=sorted(orders), fields=["invoice_ids"]
    )
    every = sorted({one for row in found for one in row["invoice_ids"]})
    issued = [["id", "in", every], ["move_type", "=", "out_invoice"], ["state", "=", "posted"]]
    there = {row["id"] for row in search(vendor, "account.move", issued, ["id"])}
    own = {row["id"]: there & set(row["invoice_ids"]) for row in found}
    return {order: min(ids) for order, ids in own.items() if ids}


def billed_by(vendor: VendorClient, lines: Iterable[wire.BillLine]) -> dict[int, int]:
    """The order that each document bills; of several the first."""
    listed = sorted(lines, key=lambda line: line.id, reverse=True)
    sold = by_id(vendor, wire.SoldLine, (one for line in listed for one in line.sale_line_ids))
    return {
        line.move_id: order
        for line in listed
        for one in line.sale_line_ids
        if line.move_id and one in sold and (order := sold[one].order_id)
    }


def fields(vendor: VendorClient, kind: type[wire.Told]) -> list[str]:
    """What there is to ask for; a field that does not exist would fail the whole call."""
    if not kind.optional:
        return kind.fields()
    there = call(vendor, kind.model, "fields_get", writes=False, attributes=["type"])
    return kind.fields() + sorted(kind.optional & set(there))


def by_id(vendor: VendorClient, kind: type[R], ids: Iterable[int | None]) -> dict[int, R]:
    """Records by id, archived ones among them, in the order of their ids."""
    wanted = sorted({one for one in ids if one})
    if not wanted:
        return {}
    found = call(vendor, kind.model, "read", writes=False, ids=wanted, fields=fields(vendor, kind))
    return {row["id"]: kind.model_validate(row) for row in found}


def where(vendor: VendorClient, kind: type[R], *domain: Any, **more: Any) -> list[R]:
    """Records a domain fits, in the order of their ids."""
    found = search(vendor, kind.model, domain, fields(vendor, kind), order="id", **more)
    return [kind.model_validate(row) for row in found]


def company(vendor: VendorClient) -> wire_money.Company:
    """The company, of which there is one."""
    found = search(vendor, "res.company", [], wire_money.Company.fields(), limit=1)
    return wire_money.Company.model_validate(found[0])
