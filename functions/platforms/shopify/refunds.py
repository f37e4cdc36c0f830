"""Refunds made in the ERP, as refunds of the shop's order: our reference is their note.

Money moves only where the connection says so; otherwise the shop just knows of the goods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fizzbridge.errors import AmbiguousMatchError, DeletedAtTargetError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Amount, Frozen
from fizzbridge.model.documents import Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime.target import Situation, TargetEntity
from fizzbridge.runtime.view import View
from platforms.shopify.telling import ShopClient, Write, gid, number, shop, unshown

_READ = """
query($id: ID!) {
  order(id: $id) {
    updatedAt presentmentCurrencyCode
    refunds(first: 50) {
      id note refundLineItems(first: 100) { nodes { quantity lineItem { id } } }
      transactions(first: 20) { nodes { status amountSet { presentmentMoney { amount } } } }
    }
  }
}"""
_MORE = """
query($id: ID!) {
  order(id: $id) {
    lineItems(first: 250) { nodes { id currentQuantity unfulfilledQuantity } }
    fulfillments(first: 50) {
      location { id } fulfillmentLineItems(first: 250) { nodes { lineItem { id } } }
    }
    fulfillmentOrders(first: 20) {
      nodes {
        assignedLocation { location { id } } lineItems(first: 250) { nodes { lineItem { id } } }
      }
    }
    transactions(first: 50) {
      id kind status gateway parentTransaction { id } amountSet { presentmentMoney { amount } }
    }
  }
  location { id }
}"""
_IN, _OUT = {"SALE", "CAPTURE"}, "REFUND"
_FAILED = {"ERROR", "FAILURE"}


class BackLine(Frozen):
    """Goods of an order's line."""

    line: str
    quantity: int
    is_restocked: bool


class Given(Frozen):
    """What is given back of an order."""

    order: str
    lines: tuple[BackLine, ...]
    amount: Amount | None
    """None where the shop moves no money."""
    currency: str

    @property
    def counted(self) -> Counter[str]:
        """Goods by line."""
        found: Counter[str] = Counter()
        for one in self.lines:
            found[one.line] += one.quantity
        return found


class Refunds(TargetEntity):
    """Made once; what was given back cannot be taken again."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The order, which is the shop's own."""
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> Given | None:
        """Goods, and money where that is wanted; None where nothing is left of both."""
        refund, order = view.body(Part.RECORD, Refund), view.parent
        if refund is None or order is None or order.request is None:
            return None
        is_own = order.ref.connection == situation.connection.name
        if refund.status is not SettlementStatus.SETTLED or not is_own:
            return None
        known = {line.id for line in order.request.lines}
        lines = tuple(
            BackLine(line=one.order_line_id, quantity=one.quantity, is_restocked=one.is_restocked)
            for one in refund.lines
            if one.order_line_id in known and one.quantity
        )
        moves = bool(situation.connection.settings.get("refund_money", False))
        amount = refund.amount if moves else None
        if not lines and not amount:
            return None
        return Given(
            order=order.ref.external_id, lines=lines, amount=amount, currency=refund.currency
        )

    def sought(self, view: View) -> Given | None:
        """Of one that was taken back: its order, where its note is."""
        refund, order = view.body(Part.RECORD, Refund), view.parent
        if refund is None or order is None:
            return None
        known = {"order": order.ref.external_id, "currency": refund.currency}
        return Given(lines=(), amount=None, **known)

    def find(self, vendor: VendorClient, reference: str, payload: Given | None) -> str | None:
        """By its note."""
        if payload is None:
            return None  # its owner has no word of it any more, nor of its order
        there = _read(shop(vendor), payload.order)["refunds"]
        found = [number(one["id"]) for one in there if one["note"] == reference]
        if len(found) > 1:
            msg = f"{len(found)} refunds of order {payload.order} have the note {reference}"
            raise AmbiguousMatchError(msg, platform="shopify")
        return found[0] if found else None

    def create(self, vendor: VendorClient, reference: str, payload: Given) -> str:
        """Give back, under a key that holds until the order changes."""
        client = shop(vendor)
        order = _read(client, payload.order)
        given: dict[str, Any] = {
            "orderId": gid("Order", payload.order),
            "note": reference,
            "notify": False,
        }
        more = client.ask(_MORE, id=gid("Order", payload.order))
        given["refundLineItems"] = _lines(payload, more)
        if payload.amount:
            if order["presentmentCurrencyCode"] != payload.currency:
                msg = (
                    f"order {payload.order} was paid in {order['presentmentCurrencyCode']}: "
                    f"give back {payload.amount} {payload.currency} in the shop by hand"
                )
                raise TargetRejectedError(msg, platform="shopify")
            given["currency"] = payload.currency
            given["transactions"] = _money(payload, more["order"]["transactions"])
        key = uuid5(NAMESPACE_URL, f"{reference} {payload.fingerprint()} {order['updatedAt']}")
        (told,) = client.tell(
            Write(
                "refundCreate",
                {"input": ("RefundInput!", given)},
                "refund { id }",
                "userErrors { field message }",
                str(key),
            )
        )
        return number(told.checked(f"order {payload.order}")["refund"]["id"])

    def update(self, vendor: VendorClient, external_id: str, payload: Given) -> None:
        """Nothing can be changed of it: say where it should be."""
        there = _read(shop(vendor), payload.order)["refunds"]
        found = next((one for one in there if number(one["id"]) == external_id), None)
        if found is None:
            msg = f"refund {external_id} is not with order {payload.order} any more"
            raise DeletedAtTargetError(msg, platform="shopify")
        goods: Counter[str] = Counter()
        for line in found["refundLineItems"]["nodes"]:
            goods[number(line["lineItem"]["id"])] += line["quantity"]
        if goods != payload.counted:
            msg = f"refund {external_id} is made and has other goods than the ERP's has now"
            raise TargetRejectedError(msg, platform="shopify")
        moved = _moved(found["transactions"]["nodes"])
        if payload.amount is not None and moved != payload.amount:
            msg = (
                f"refund {external_id} is made and gave back {moved} {payload.currency}, "
                f"not {payload.amount} as the ERP's has now"
            )
            raise TargetRejectedError(msg, platform="shopify")

    def cancel(self, vendor: VendorClient, external_id: str) -> None:  # noqa: ARG002  there is no such call
        """Shopify takes no refund back.

        Raises:
            TargetRejectedError: always.
        """
        msg = f"refund {external_id} is made: the shop takes none back"
        raise TargetRejectedError(msg, platform="shopify")


def _read(client: ShopClient, order: str) -> Any:
    found = client.ask(_READ, id=gid("Order", order))["order"]
    if found is None:
        raise unshown(order)
    return found


def _lines(payload: Given, more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Goods that have left come back to where they came from, others are called off."""
    order = more["order"]
    ordered = {number(line["id"]): line for line in order["lineItems"]["nodes"]}
    groups = order["fulfillmentOrders"]["nodes"]
    kept = _places((one["assignedLocation"], one["lineItems"]) for one in groups)
    left = _places((one, one["fulfillmentLineItems"]) for one in order["fulfillments"])
    found = []
    for one in payload.lines:
        row: dict[str, Any] = {"lineItemId": gid("LineItem", one.line), "quantity": one.quantity}
        line = ordered.get(one.line, {"currentQuantity": 0, "unfulfilledQuantity": 0})
        waiting = line["unfulfilledQuantity"]
        has_left = line["currentQuantity"] - waiting >= one.quantity or waiting < one.quantity
        if not one.is_restocked:
            row["restockType"] = "NO_RESTOCK"
        else:
            row["restockType"] = "RETURN" if has_left else "CANCEL"
            place = (left if has_left else kept).get(one.line)
            row["locationId"] = place or (more["location"] or {}).get("id")
        found.append(row)
    return found


def _places(groups: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Where the goods of each line are, or were last."""
    return {
        number(line["lineItem"]["id"]): place["location"]["id"]
        for place, lines in groups
        if place and place["location"]
        for line in lines["nodes"]
    }


def _money(payload: Given, transactions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each payment gives back, the latest first.

    Raises:
        TargetRejectedError: there is less than that.
    """
    good = [one for one in transactions if one["status"] == "SUCCESS"]
    paid = {one["id"]: one for one in good if one["kind"] in _IN}
    left = {name: _amount(one) for name, one in paid.items()}
    for one in good:
        parent = (one["parentTransaction"] or {}).get("id")
        if one["kind"] == _OUT and parent in left:
            left[parent] -= _amount(one)
    due, found = payload.amount or Decimal(0), []
    for name, one in reversed(paid.items()):
        part = min(due, left[name])
        if part > 0:
            due -= part
            found.append(
                {
                    "orderId": gid("Order", payload.order),
                    "parentId": name,
                    "gateway": one["gateway"],
                    "kind": _OUT,
                    "amount": f"{part:f}",
                }
            )
    if due > 0:
        msg = f"order {payload.order}: {due} {payload.currency} more than was paid and is left"
        raise TargetRejectedError(msg, platform="shopify")
    return found


def _moved(transactions: Iterable[Mapping[str, Any]]) -> Decimal:
    """What a refund has given back, or is about to."""
    return sum((_amount(one) for one in transactions if one["status"] not in _FAILED), Decimal(0))


def _amount(transaction: Mapping[str, Any]) -> Decimal:
    """In the buyer's currency, as it was paid and is given back."""
    return Decimal(transaction["amountSet"]["presentmentMoney"]["amount"])
