"""Refunds made in the ERP: the shop's own refund, which carries our reference.

The shop checks nothing but the amount: a repeat is a second refund, an unknown line is dropped in
silence and a quantity may be any. A refund that is not told otherwise moves money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fizzbridge.errors import AmbiguousMatchError, DeletedAtTargetError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.documents import Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.woocommerce import wire
from platforms.woocommerce.mapping import OUR_REFERENCE
from platforms.woocommerce.orders import Sought, read, sought
from platforms.woocommerce.transport import API, FULL, rejected


class GivenBack(Frozen):
    """A refund as the shop should hold it."""

    order: str
    amount: Decimal
    currency: str
    reason: str
    lines: tuple[RefundedLine, ...]
    is_restocked: bool
    moves_money: bool


class Refunds(TargetEntity):
    """Makes refunds, once."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The shop's order."""
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> GivenBack | None:
        """What the shop should hold; nothing of money that has not moved."""
        told, order = view.body(Part.RECORD, Refund), view.parent
        if told is None or order is None or not told.amount:
            return None
        if told.status is not SettlementStatus.SETTLED:
            return None
        return GivenBack(
            order=situation.external_ids[order.ref],
            amount=told.amount,
            currency=told.currency,
            reason=told.reason,
            lines=_each_once(_net(told.lines, order)),
            is_restocked=bool(told.lines) and all(one.is_restocked for one in told.lines),
            moves_money=bool(situation.connection.settings.get("refund_money", False)),
        )

    def sought(self, view: View) -> Sought | None:
        """Of one that was taken back: its order."""
        return sought(view)

    def find(
        self, vendor: VendorClient, reference: str, payload: GivenBack | Sought | None
    ) -> str | None:
        """By the field that holds our reference."""
        if payload is None:
            return None  # its owner has no word of it any more, nor of its order
        found = [
            one.id
            for one in _listed(vendor, payload.order)
            if _meta(one).get(OUR_REFERENCE) == reference
        ]
        if len(found) > 1:
            msg = f"{len(found)} refunds of order {payload.order} carry {reference} in the shop"
            raise AmbiguousMatchError(msg, platform="woocommerce")
        return found[0] if found else None

    def create(self, vendor: VendorClient, reference: str, payload: GivenBack) -> str:
        """Check what the shop does not, and make it."""
        order = read(vendor, payload.order)
        _check(order, payload, _listed(vendor, payload.order))
        body = {
            "amount": f"{payload.amount:f}",
            "reason": payload.reason,
            "api_refund": payload.moves_money,
            "api_restock": payload.is_restocked,
            "line_items": [_line(order, one, payload.currency) for one in payload.lines],
            "meta_data": [{"key": OUR_REFERENCE, "value": reference}],
        }
        path = f"{API}/orders/{payload.order}/refunds"
        return str(vendor.post(path, json=body, writes=True).data["id"])

    def update(self, vendor: VendorClient, external_id: str, payload: GivenBack) -> None:
        """See that it stands as it was made: a refund is never changed."""
        there = next((one for one in _listed(vendor, payload.order) if one.id == external_id), None)
        if there is None:
            msg = f"refund {external_id} of order {payload.order} was deleted in the shop"
            raise DeletedAtTargetError(msg, platform="woocommerce")
        if abs(there.amount) != payload.amount:
            msg = f"refund {external_id} of order {payload.order} has another amount in the shop"
            raise rejected(msg, "amount")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:  # noqa: ARG002  nothing is asked
        """Left to a person: money may have moved, and the shop does not say whose refund it is."""
        raise rejected(f"refund {external_id} stands in the shop: delete it there", "stands")


def _net(lines: tuple[RefundedLine, ...], order: View) -> tuple[RefundedLine, ...]:
    """Lines without tax, as the shop takes them; they are told as the order's own."""
    if order.request is None or not order.request.tax_included:
        return lines
    return tuple(one.model_copy(update={"amount": one.amount - one.tax}) for one in lines)


def _each_once(lines: Sequence[RefundedLine]) -> tuple[RefundedLine, ...]:
    """One row for each line of the order, say of two lots: of two the shop takes the last only."""
    found: dict[str, RefundedLine] = {}
    for one in lines:
        before = found.setdefault(one.order_line_id, one)
        if before is not one:
            added = {name: getattr(before, name) + getattr(one, name) for name in _ADDED}
            found[one.order_line_id] = before.model_copy(update=added)
    return tuple(found.values())


_ADDED = ("quantity", "amount", "tax")


def _listed(vendor: VendorClient, order_id: str) -> list[wire.Refund]:
    path = f"{API}/orders/{order_id}/refunds"
    of = {"order_id": order_id, "currency": ""}
    rows = vendor.get(path, params={"per_page": FULL}).data
    return [wire.Refund.model_validate(row | of) for row in rows]


def _meta(of: wire.Refund | wire.RefundLine) -> dict[str, str]:
    return {one.key: one.value for one in of.meta_data}


def _check(order: wire.Order, payload: GivenBack, before: Sequence[wire.Refund]) -> None:
    name = f"order {order.number}"
    if order.currency != payload.currency:
        msg = f"{name} is in {order.currency} in the shop and the refund in {payload.currency}"
        raise rejected(msg, "currency_mismatch")
    left = order.total - sum((abs(one.amount) for one in before), Decimal(0))
    if payload.amount > left:
        msg = f"{name}: {left} {order.currency} is left to refund in the shop, not {payload.amount}"
        raise rejected(msg, "over_refund")
    quantities = {one.id: one.quantity for one in order.line_items}
    quantities |= dict.fromkeys((one.id for one in order.extras), Decimal(1))
    for refund in before:
        for line in refund.line_items:
            of = _meta(line).get("_refunded_item_id", "")
            quantities[of] = quantities.get(of, Decimal(0)) + line.quantity  # negative
    for part in payload.lines:
        if quantities.get(part.order_line_id, Decimal(-1)) < part.quantity:
            msg = f"{name}: less than {part.quantity} of line {part.order_line_id} is left"
            raise rejected(msg, "over_refund")


def _line(order: wire.Order, part: RefundedLine, currency: str) -> dict[str, Any]:
    """Net and taxes apart, whatever the shop's prices contain."""
    lines: tuple[wire.Line | wire.Extra, ...] = (*order.line_items, *order.extras)
    line = next(one for one in lines if one.id == part.order_line_id)
    return {
        "id": int(line.id),
        "quantity": part.quantity,
        "refund_total": part.amount,
        "refund_tax": list(_taxes(line, part.tax, currency)),
    }


def _taxes(
    line: wire.Line | wire.Extra, tax: Decimal, currency: str
) -> Iterator[Mapping[str, Any]]:
    """A line's tax in the proportion it was charged; the last takes what is left."""
    left, charged = tax, sum((one.total for one in line.taxes), Decimal(0))
    for number, one in enumerate(line.taxes, start=1):
        is_last = number == len(line.taxes) or not charged
        part = left if is_last else to_minor_unit(tax * one.total / charged, currency)
        left -= part
        yield {"id": one.id, "refund_total": part}
