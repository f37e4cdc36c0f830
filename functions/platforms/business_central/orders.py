"""Orders at Business Central: ``salesOrders``. The external document number is our reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from fizzbridge.errors import (
    AmbiguousMatchError,
    ConflictError,
    DeletedAtTargetError,
    DependencyNotReadyError,
    MappingError,
    NotThereError,
    TargetRejectedError,
    TotalMismatchError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.business_central import lines, lookup, mapping
from platforms.business_central.lines import Changes
from platforms.business_central.transport import code_of, delete, equal, patch, query, rows
from platforms.business_central.wire import (
    NOBODY,
    Invoice,
    Order,
    Resolved,
    SalesLine,
    SalesOrder,
    is_posted,
)

LONGEST_REFERENCE = 35
SAME_PERCENT = Decimal("0.01")
CENT = Decimal("0.01")
IN_POST = {"select": "id,number,externalDocumentNumber,orderId,totalAmountIncludingTax"}
STANDING = {"select": "id,number,status,orderId,totalAmountIncludingTax"}


class Orders(TargetEntity):
    """Creates, changes and deletes open orders. Releasing, shipping and invoicing is for people."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The customer."""
        return [view.request.customer] if view.request else []

    def desired(self, view: View, situation: Situation) -> Order:
        """What Business Central should hold."""
        if view.request is None or view.assessment is None:
            msg = "nobody said yet what was ordered"
            raise DependencyNotReadyError(msg, platform="business_central")
        return mapping.order(view.request, view.assessment, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By external document number, also among invoices: what is posted in full is no order."""
        number = code_of(reference, LONGEST_REFERENCE)
        ours = equal("externalDocumentNumber", number)
        fields = "id,number,externalDocumentNumber"
        found = _of(rows(vendor, "/salesOrders", filter=ours, select=fields), number)
        invoices = (
            [] if found else _of(rows(vendor, "/salesInvoices", filter=ours, **IN_POST), number)
        )
        ids = {one["id"] for one in found} | {one["orderId"] for one in invoices}
        if len(ids) > 1:
            msg = f"{len(ids)} orders in Business Central have the external number {number}"
            raise AmbiguousMatchError(msg, platform="business_central")
        if NOBODY in ids:
            msg = f"invoice {invoices[0]['number']} has the external number {number} and no order"
            raise TargetRejectedError(msg, platform="business_central")
        if ids:
            return str(ids.pop())
        shipped = _of(rows(vendor, "/salesShipments", filter=ours, select=fields), number)
        if shipped:
            msg = f"shipment {shipped[0]['number']} has the external number {number} and no order"
            raise TargetRejectedError(msg, platform="business_central")
        return None

    def create(self, vendor: VendorClient, reference: str, payload: Order) -> str:
        """Create the order with its lines; ``update`` checks it."""
        sold = lookup.resolve(vendor, payload)
        terms = lookup.identity(vendor, "paymentTerms", payload.payment_terms)
        order: dict[str, Any] = {
            "externalDocumentNumber": code_of(reference, LONGEST_REFERENCE),
            "customerId": payload.customer,
            "orderDate": payload.order_date,
            "currencyCode": payload.currency,
            **({"paymentTermsId": terms} if terms else {}),
            **lines.header(payload),
            "salesOrderLines": [
                *map(lines.values, sold),
                *map(lines.comment, payload.comments),
            ],
        }
        return str(vendor.post("/salesOrders", json=order, writes=True).data["id"])

    def update(self, vendor: VendorClient, external_id: str, payload: Order) -> None:
        """Write what differs and check the total."""
        order = _read(vendor, external_id)
        if order is None:
            _check_posted(vendor, external_id, payload)
            return
        wanted = lookup.resolve(vendor, payload)
        found = lines.differences(order, wanted, payload)
        _check_open(order, found, payload)
        if found:
            _write(vendor, order, found)
            order = _read(vendor, external_id) or order
        _check_total(order, wanted, payload)

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Delete the order, unless something of it is posted."""
        order = _read(vendor, external_id)
        if order is None:
            invoices = _invoices(vendor, external_id)
            credits = _credits(vendor, invoices)
            # Credited as a whole it is cancelled as far as what is posted can be.
            if invoices and (_billed(invoices) != sum(credits) or not credits):
                msg = f"the order is posted as invoice {_names(invoices)}; credit it"
                raise TargetRejectedError(msg, platform="business_central")
            return
        posted = [
            one for one in order.sales_order_lines if one.shipped_quantity or one.invoiced_quantity
        ]
        if posted:
            msg = f"{order.number}: goods have left or are invoiced; take back or credit them first"
            raise TargetRejectedError(msg, platform="business_central")
        delete(vendor, f"/salesOrders({order.id})", order.etag)


def _of(records: Any, number: str) -> list[dict[str, Any]]:
    """Those that really carry the number: a filter proves nothing."""
    return [one for one in records if one["externalDocumentNumber"].strip().upper() == number]


def _read(vendor: VendorClient, external_id: str) -> SalesOrder | None:
    path = query(f"/salesOrders({external_id})", expand="salesOrderLines")
    try:
        found = vendor.get(path)
    except NotThereError:  # deleted, or posted in full
        return None
    return SalesOrder.model_validate(found.data)


def _invoices(vendor: VendorClient, external_id: str) -> list[Invoice]:
    found = rows(vendor, "/salesInvoices", filter=f"orderId eq {external_id}", **STANDING)
    every = map(Invoice.model_validate, found)
    # One that takes a cancelled memo back stands for nothing, like that memo.
    return [one for one in every if one.status != "Corrective"]


def _billed(invoices: Sequence[Invoice]) -> Decimal:
    return sum((invoice.total_amount_including_tax for invoice in invoices), Decimal(0))


def _credits(vendor: VendorClient, invoices: Sequence[Invoice]) -> list[Decimal]:
    """What posted credit memos take off each of some invoices."""
    found = []
    for invoice in invoices:
        memos = rows(
            vendor,
            "/salesCreditMemos",
            filter=equal("invoiceNumber", invoice.number),
            select="id,status,totalAmountIncludingTax",
        )
        stands = (one for one in memos if is_posted(one["status"]) and one["status"] != "Canceled")
        found += [one["totalAmountIncludingTax"] for one in stands]
    return found


def _names(invoices: Sequence[Invoice]) -> str:
    return ", ".join(invoice.number for invoice in invoices)


def _check_posted(vendor: VendorClient, external_id: str, payload: Order) -> None:
    """An order posted in full can only be credited; that it is as wanted is good."""
    invoices = _invoices(vendor, external_id)
    if not invoices:
        msg = f"order {external_id} is not in Business Central any more"
        raise DeletedAtTargetError(msg, platform="business_central")
    left = _billed(invoices) - sum(_credits(vendor, invoices))
    if left != payload.total:
        msg = (
            f"the order is posted as invoice {_names(invoices)}, {left} {payload.currency} after "
            f"credits, and is {payload.total} with us; credit or invoice the difference there"
        )
        raise TargetRejectedError(msg, platform="business_central")


def _check_open(order: SalesOrder, found: Changes, payload: Order) -> None:
    """Nothing is begun that Business Central would stop half-way."""
    if order.currency_code != payload.currency:
        msg = f"{order.number} is in {order.currency_code} there and in {payload.currency} with us"
        raise TargetRejectedError(msg, code="currency_mismatch", platform="business_central")
    if order.prices_include_tax:
        msg = f"{order.number}: its customer has prices including VAT; switch that off, delete it"
        raise TargetRejectedError(msg, platform="business_central")
    if order.is_locked and (found.lines or found.surplus):
        state = "waits for approval" if order.status == "In Review" else "is released"
        msg = f"{order.number} {state} and differs from the shop's order; reopen it there"
        raise TargetRejectedError(msg, platform="business_central")
    for line, fields in found.lines:
        if line:
            _check_gone(order, line, fields)
    for line in found.surplus:
        _check_gone(order, line, {"quantity": 0})


def _check_gone(order: SalesOrder, line: SalesLine, fields: Mapping[str, Any]) -> None:
    """What has left or is billed stays as it is; of what comes back quantities are negative."""
    gone = max(line.shipped_quantity, line.invoiced_quantity, key=abs)
    quantity = fields.get("quantity", line.quantity)
    of = f"{order.number}: {abs(gone)} of {line.line_object_number} have left"
    if gone and (quantity * gone < 0 or abs(quantity) < abs(gone)):
        raise TargetRejectedError(f"{of}; take them back", platform="business_central")
    unit = fields.get("unitOfMeasureCode", line.unit_of_measure_code)
    if gone and unit != line.unit_of_measure_code:
        msg = f"{of} by the {line.unit_of_measure_code}, and the shop's are by the {unit}"
        raise TargetRejectedError(msg, platform="business_central")
    if line.invoiced_quantity:
        now = line.model_dump(by_alias=True)
        dearer = abs(lines.each(now | dict(fields)) - lines.each(now))
        if dearer * abs(line.invoiced_quantity) >= CENT:
            msg = f"{of} and are billed at another price; credit or invoice the difference there"
            raise TargetRejectedError(msg, platform="business_central")


def _write(vendor: VendorClient, order: SalesOrder, found: Changes) -> None:
    path, now = f"/salesOrders({order.id})", order.model_dump(by_alias=True)
    if found.header:
        was = {name: now[name] for name in found.header}
        patch(vendor, path, order.etag, found.header, was)
    for line, fields in found.lines:
        if line:
            shown = line.model_dump(by_alias=True)
            was = {name: shown[name] for name in fields}
            patch(vendor, f"/salesOrderLines({line.id})", line.etag, fields, was)
    # New lines before old ones go: an order without lines may be cleaned up there.
    new = [fields for line, fields in found.lines if line is None]
    for fields in [*new, *map(lines.comment, found.notes)]:
        vendor.post(f"{path}/salesOrderLines", json=fields, writes=True)
    for line in [*found.surplus, *found.stale]:
        delete(vendor, f"/salesOrderLines({line.id})", line.etag)


def _check_total(order: SalesOrder, wanted: Sequence[Resolved], payload: Order) -> None:
    """Refuse to leave an order as good whose total is not ours, to the cent."""
    total = to_minor_unit(order.total_amount_including_tax, payload.currency)
    if total == payload.total:
        return
    found = lines.differences(order, wanted, payload)
    if found.lines or found.surplus:
        msg = f"{order.number} is being changed in Business Central"
        raise ConflictError(msg, platform="business_central")
    for line, wants in lines.paired(order.sales_order_lines, wanted)[0]:
        if line and abs(line.tax_percent - wants.percent) > SAME_PERCENT:
            msg = (
                f"line {wants.id}: Business Central taxes {wants.number} at {line.tax_percent} %, "
                f"the shop at {wants.percent.normalize():f} %; map the tax, or set up the item"
            )
            raise MappingError(msg, cause=wants.tax_cause, platform="business_central")
    raise TotalMismatchError(
        order.number,
        expected=payload.total,
        found=total,
        currency=payload.currency,
        platform="business_central",
    )
