"""Orders at NetSuite: ``salesOrder``."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fizzbridge.errors import (
    ConflictError,
    DeletedAtTargetError,
    DependencyNotReadyError,
    NotThereError,
    TargetRejectedError,
    TotalMismatchError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.netsuite_soap import lookup, mapping
from platforms.netsuite_soap.keys import Keys
from platforms.netsuite_soap.mapping import ref
from platforms.netsuite_soap.transport import CORE, SALES, get, kind, setting
from platforms.netsuite_soap.wire import Order, Resolved, SalesOrder, SalesOrderLine, words

PLATFORM = "netsuite_soap"
CENT = Decimal("0.01")
PENDING, APPROVED, CANCELLED = "_pendingApproval", "_pendingFulfillment", "_cancelled"
OVER = frozenset({"_closed", CANCELLED})
DONE = frozenset({"_pendingBilling", "_fullyBilled"})
KEYS = Keys(
    sort="salesOrder",
    space=SALES,
    record="SalesOrder",
    search="TransactionSearch",
    setting="order_key_field",
    basic={
        "type": {"@operator": "anyOf", "searchValue": "_salesOrder"}
        | kind(CORE, "SearchEnumMultiSelectField")
    },
)


class Orders(TargetEntity):
    """Creates orders pending approval, approves them where wanted, changes and closes them."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The customer."""
        return [view.request.customer] if view.request else []

    def desired(self, view: View, situation: Situation) -> Order:
        """What NetSuite should hold."""
        if view.request is None or view.assessment is None:
            raise DependencyNotReadyError("nobody said yet what was ordered", platform=PLATFORM)
        return mapping.order(view.request, view.assessment, situation)

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:  # noqa: ARG002  the reference is enough
        """By our key."""
        return KEYS.find(vendor, reference)

    def create(self, vendor: VendorClient, reference: str, payload: Order) -> str:
        """Create the order pending approval; ``update`` checks and approves it."""
        rows = [mapping.row(None, line) for line in lookup.resolve(vendor, payload)]
        currency = lookup.currency(vendor, payload)
        # In the order of the WSDL, which may count.
        fields = {
            "customForm": payload.custom_form and ref(payload.custom_form),
            "entity": ref(payload.customer),
            "currency": currency and ref(currency),
            "tranDate": payload.tran_date,
            "orderStatus": PENDING,
            "otherRefNum": payload.other_ref_num,
            "memo": payload.memo,
            "shippingAddress": payload.ship_to and mapping.address(payload.ship_to),
            "shipDate": payload.ship_date,
            **{name: ref(one) for name, one in payload.places.items()},
            "itemList": {"@replaceAll": True, "item": rows},
        }
        return KEYS.create(vendor, reference, {k: v for k, v in fields.items() if v})

    def update(self, vendor: VendorClient, external_id: str, payload: Order) -> None:
        """Write what differs, check the total, and approve."""
        order = _read(vendor, external_id)
        if order.order_status in OVER and not _has_left(order):
            msg = f"{order.tran_id} was closed in NetSuite"
            raise DeletedAtTargetError(msg, platform=PLATFORM)
        fields, was = _changes(vendor, order, payload)
        if fields:
            if order.order_status in OVER | DONE:
                msg = f"{order.tran_id} has left or is billed: return or credit what differs"
                raise TargetRejectedError(msg, platform=PLATFORM)
            KEYS.update(vendor, external_id, fields, was)
            order = _read(vendor, external_id)
        _check_total(vendor, order, payload)
        if payload.approve and order.order_status == PENDING:
            status = {"orderStatus": APPROVED}
            KEYS.update(vendor, external_id, status, {"orderStatus": PENDING})

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Close every line, or set the status; not where goods have left or are billed."""
        try:
            order = _read(vendor, external_id)
        except DeletedAtTargetError:
            return
        if _has_left(order):
            msg = f"{order.tran_id}: goods have left or are billed; return or credit them first"
            raise TargetRejectedError(msg, platform=PLATFORM)
        if order.order_status in OVER:
            return
        if setting(vendor, "cancel") == "status" and order.order_status == PENDING:
            KEYS.update(
                vendor, external_id, {"orderStatus": CANCELLED}, {"orderStatus": order.order_status}
            )
            return
        lines = [{"line": line.line, "isClosed": True} for line in order.item_list]
        was = [{"line": line.line, "isClosed": line.is_closed} for line in order.item_list]
        closed = {"itemList": {"@replaceAll": False, "item": lines}}
        KEYS.update(vendor, external_id, closed, {"itemList": {"item": was}})


def _read(vendor: VendorClient, external_id: str) -> SalesOrder:
    try:
        return SalesOrder.model_validate(get(vendor, "salesOrder", internalId=external_id))
    except NotThereError as error:
        msg = f"order {external_id} is not in NetSuite any more"
        raise DeletedAtTargetError(msg, platform=PLATFORM) from error


def _has_left(order: SalesOrder) -> bool:
    return any(_moved(line) for line in order.item_list)


def _moved(line: SalesOrderLine) -> bool:
    return bool(line.quantity_fulfilled or line.quantity_billed)


def _changes(
    vendor: VendorClient, order: SalesOrder, payload: Order
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to write, and what it replaces. The customer is not compared: people merge them."""
    fields: dict[str, Any] = {}
    was: dict[str, Any] = {}
    if payload.other_ref_num and words(order.other_ref_num) != words(payload.other_ref_num):
        fields["otherRefNum"], was["otherRefNum"] = payload.other_ref_num, order.other_ref_num
    if payload.memo and words(order.memo) != words(payload.memo):
        fields["memo"], was["memo"] = payload.memo, order.memo
    there = order.shipping_address
    if payload.ship_to and not (there and payload.ship_to.is_at(there)):
        fields["shippingAddress"] = mapping.address(payload.ship_to)
        was["shippingAddress"] = mapping.address(there) if there else {}
    pairs = mapping.pairs(order.item_list, lookup.resolve(vendor, payload))
    changed = [pair for pair in pairs if mapping.differs(*pair)]
    if changed:
        for pair in changed:
            _refuse_what_left(order, *pair)
        # Removing lines takes the whole set, and that is refused once one has left.
        is_whole = any(new is None for _, new in changed) and not _has_left(order)
        written = [pair for pair in pairs if pair[1]] if is_whole else changed
        rows = [mapping.row(*pair) for pair in written]
        fields["itemList"] = {"@replaceAll": is_whole, "item": rows}
        was["itemList"] = {"item": [mapping.as_was(old) for old, _ in written]}
    return fields, was


def _refuse_what_left(order: SalesOrder, old: SalesOrderLine | None, new: Resolved | None) -> None:
    if old is None or not _moved(old):
        return
    gone = max(old.quantity_fulfilled, old.quantity_billed)
    fewer = new is None or (new.quantity is not None and new.quantity < gone)
    if fewer or (new is not None and new.units and new.units != old.units):
        msg = (
            f"{order.tran_id} line {old.line}: {gone.normalize():f} have left or are billed, and "
            "the shop wants less; return or credit them"
        )
        raise TargetRejectedError(msg, platform=PLATFORM)
    if new is not None and _is_billed_otherwise(old, new):
        msg = (
            f"{order.tran_id} line {old.line}: {old.quantity_billed.normalize():f} are billed at "
            "another price; credit or bill the difference"
        )
        raise TargetRejectedError(msg, platform=PLATFORM)


def _is_billed_otherwise(old: SalesOrderLine, new: Resolved) -> bool:
    """Whether what is billed of a line comes to another amount by what is wanted."""
    if not (old.quantity and new.quantity):
        return False
    off = abs(old.amount / old.quantity - new.amount / new.quantity)
    return off * old.quantity_billed >= CENT


def _check_total(vendor: VendorClient, order: SalesOrder, payload: Order) -> None:
    """Refuse to go on with an order whose total is not ours, to the cent."""
    currency = lookup.currency(vendor, payload)
    if currency and order.currency and order.currency != currency:
        msg = f"{order.tran_id} is in another currency in NetSuite than {payload.currency}"
        raise TargetRejectedError(msg, code="currency_mismatch", platform=PLATFORM)
    total = to_minor_unit(order.total, payload.currency)
    if total == payload.total:
        return
    if "itemList" in _changes(vendor, order, payload)[0]:
        raise ConflictError(f"{order.tran_id} is being changed in NetSuite", platform=PLATFORM)
    raise TotalMismatchError(
        order.tran_id,
        expected=payload.total,
        found=total,
        currency=payload.currency,
        platform=PLATFORM,
    )
