"""Refunds of the sandbox store as its API takes them, and what they put back on the shelf."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from platforms.woocommerce.sandbox_args import REFUND, checked, decimal, whole
from platforms.woocommerce.sandbox_products import Json
from platforms.woocommerce.sandbox_store import REDUCED, Store, money, shown_meta

BACK = "_restock_refunded_items"


class RefundAsked:
    """What a call asks for; the fields of its lines are taken as they come.

    Lines are a list of rows with ``id``, ``quantity``, ``refund_total`` and ``refund_tax``, or an
    object of rows with ``qty`` by line id. One row without an id, and the list means no line.

    Args:
        body: of the call.
    """

    def __init__(self, body: Json) -> None:
        fields = checked(body, REFUND)
        self.reason: str = fields.get("reason", "")
        self.meta: Any = fields.get("meta_data")
        # Whoever says nothing moves money and goods.
        self.pays: bool = fields.get("api_refund", True)
        self.restocks: bool = fields.get("api_restock", True)
        rows = body.get("line_items") or {}
        self.lines: dict[int, Json] = by_line(rows)
        named = body.get("amount")
        self.amount = _sum(rows) if named is None else _number(named)


def by_line(rows: Any) -> dict[int, Json]:
    """Lines by their id, with taxes by theirs."""
    if isinstance(rows, dict):
        return {whole(number): dict(row) for number, row in rows.items()}
    if not all(isinstance(row, dict) and "id" in row for row in rows):
        return {}
    return {whole(row["id"]): row | {"qty": row.get("qty", row.get("quantity", 0))} for row in rows}


def refund_of(
    store: Store, order: Json, amount: Decimal, reason: str, lines: dict[int, Json]
) -> Json:
    """A refund of some lines; one the order does not have is passed over."""
    refund: Json = {"id": next(store.ids)}
    store.stamp(refund, "date_created", store.clock())
    refund |= {"amount": money(amount), "reason": reason, "refunded_by": 1}
    refund |= {"refunded_payment": False, "meta_data": []}
    for part in ("line_items", "shipping_lines", "fee_lines"):
        refund[part] = [
            _line(store, line, lines[line["id"]])
            for line in order[part]
            if _is_meant(lines.get(line["id"]))
        ]
    refund["tax_lines"] = _taxes(store, order, refund)
    return refund


def restock(store: Store, order: Json, lines: dict[int, Json]) -> list[int]:
    """Put back what an order took; gives whose count moved."""
    moved = []
    for line in order["line_items"]:
        quantity = whole(lines.get(line["id"], {}).get("qty") or 0)
        product = store.catalogue.counted(line["variation_id"] or line["product_id"])
        kept = {one["key"]: one for one in line["meta_data"]}
        taken = int(kept[REDUCED]["value"]) if REDUCED in kept else 0
        if not (quantity and product and taken):
            continue
        was = product["stock_quantity"]
        product["stock_quantity"] = was + quantity
        store.note(
            order["id"],
            f"Item #{product['id']} stock increased from {was} to {was + quantity}.",
        )
        back = quantity + int(kept[BACK]["value"] if BACK in kept else 0)
        for key, value in ((REDUCED, taken - quantity), (BACK, back)):
            found = kept.get(key) or {"id": next(store.ids), "key": key}
            kept[key] = found | {"value": str(value), "display_value": str(value)}
        line["meta_data"] = [shown_meta(one) for one in kept.values()]
        moved.append(product["id"])
    return moved


def _is_meant(row: Json | None) -> bool:
    return bool(row and (row.get("qty") or row.get("refund_total") or row.get("refund_tax")))


def _line(store: Store, line: Json, row: Json) -> Json:
    net = money(-_number(row.get("refund_total")))
    parts = {number: -tax for number, tax in _line_taxes(row).items() if tax}
    tax = money(sum(parts.values(), Decimal(0)))
    link = {"id": next(store.ids), "key": "_refunded_item_id", "value": str(line["id"])}
    taken: Json = line | {"id": next(store.ids), "total": net, "total_tax": tax}
    taken["taxes"] = [
        {"id": number, "total": money(one), "subtotal": money(one)} for number, one in parts.items()
    ]
    taken["meta_data"] = [shown_meta(link)]
    if "quantity" in line:
        quantity = -whole(row.get("qty") or 0)
        taken |= {"quantity": quantity, "subtotal": net, "subtotal_tax": tax}
        taken["price"] = float(Decimal(net) / quantity) if quantity else 0
    return taken


def _taxes(store: Store, order: Json, refund: Json) -> list[Json]:
    def added(*parts: str) -> Decimal:
        lines = [line for part in parts for line in refund[part]]
        return sum((Decimal(line["total_tax"]) for line in lines), Decimal(0))

    goods, freight = added("line_items", "fee_lines"), added("shipping_lines")
    if not goods and not freight:
        return []
    share = {"tax_total": money(goods), "shipping_tax_total": money(freight)}
    return [order["tax_lines"][0] | {"id": next(store.ids)} | share]


def _line_taxes(row: Json) -> dict[int, Decimal]:
    taxes = row.get("refund_tax") or {}
    if isinstance(taxes, dict):
        return {whole(number): _number(tax) for number, tax in taxes.items()}
    return {whole(one.get("id", 0)): _number(one.get("refund_total")) for one in taxes}


def _sum(rows: Any) -> Decimal:
    """What lines add up to, where the call names no amount; nothing if one has no total."""
    listed = list(rows.values() if isinstance(rows, dict) else rows)
    if not all(_is_number(row.get("refund_total")) for row in listed):
        return Decimal(0)
    return sum(
        (
            _number(row["refund_total"]) + sum(_line_taxes(row).values(), Decimal(0))
            for row in listed
        ),
        Decimal(0),
    )


def _is_number(value: Any) -> bool:
    try:
        return value is not None and Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _number(value: Any) -> Decimal:
    """A sum of money; words are more than any order has left."""
    if value is None or value == "":
        return Decimal(0)
    return Decimal(decimal(value) or "Infinity")
