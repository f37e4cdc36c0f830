"""Invoices, shipments and credit memos of the sandbox shop, made from an order's lines."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from platforms.magento.sandbox_lines import added, share
from platforms.magento.sandbox_orders import cards_of
from platforms.magento.sandbox_values import NULL, ZERO, Json, money, with_base

SHARED = (
    "base_currency_code base_to_global_rate base_to_order_rate billing_address_id"
    " global_currency_code order_currency_code store_currency_code store_id store_to_base_rate"
    " store_to_order_rate"
)
AMOUNTS = "row_total row_total_incl_tax tax_amount discount_tax_compensation_amount"
BASED = (
    "discount_amount grand_total discount_tax_compensation_amount shipping_amount shipping_incl_tax"
    " shipping_tax_amount subtotal subtotal_incl_tax tax_amount adjustment adjustment_negative"
    " adjustment_positive shipping_discount_tax_compensation_amount"
)
ROW_BASED = f"{AMOUNTS} price price_incl_tax discount_amount weee_tax_row_disposition"
WEEE = ("weee_tax_applied", "weee_tax_applied_amount", "weee_tax_applied_row_amount")
DOCUMENT = set(
    "entity_id increment_id order_id store_id created_at updated_at state grand_total"
    " base_grand_total subtotal tax_amount shipping_amount order_currency_code transaction_id"
    " billing_address_id shipping_address_id total_qty email_sent customer_id".split()
)

Taken = list[tuple[Json, Decimal]]


def with_children(order: Json, taken: dict[int, Decimal]) -> Taken:
    """Rows and quantities: whoever takes a parent takes its parts with it."""
    found: Taken = []
    for row in order["items"]:
        if row["item_id"] in taken:
            found.append((row, taken[row["item_id"]]))
        elif (parent_id := row["parent_item_id"]) in taken:
            parent = next(one for one in order["items"] if one["item_id"] == parent_id)
            found.append((row, taken[parent_id] * row["qty_ordered"] / parent["qty_ordered"]))
    return found


def _head(order: Json, number: int, label: str, now: str) -> Json:
    return {name: order[name] for name in SHARED.split()} | {
        "created_at": now,
        "entity_id": number,
        "increment_id": label,
        "order_id": order["entity_id"],
        "shipping_address_id": order["_shipping_address_id"],
        "updated_at": now,
    }


def _row(row: Json, quantity: Decimal, done: str, number: int, parent: int, rate: Decimal) -> Json:
    """One line of an invoice or a credit memo; a row without amounts of its own shows none."""
    made: Json = {
        "entity_id": number,
        "name": row["name"],
        "order_item_id": row["item_id"],
        "parent_id": parent,
        "price": row["price"],
        "price_incl_tax": row["price_incl_tax"],
        "product_id": row["product_id"],
        "qty": quantity,
        "sku": row["sku"],
    }
    if not row["_is_dummy"]:
        made |= {name: share(row, name, row[done], quantity) for name in AMOUNTS.split()}
        if row["discount_amount"]:
            made["discount_amount"] = share(row, "discount_amount", row[done], quantity)
        if row.get("weee_tax_applied"):
            weee = share(row, WEEE[2], row[done], quantity)
            made |= {name: row[name] for name in WEEE} | {WEEE[2]: weee}
    with_base(made, ROW_BASED, rate)
    return made


def _sums(rows: list[Json]) -> Json:
    return {
        "subtotal": added(rows, "row_total"),
        "subtotal_incl_tax": added(rows, "row_total_incl_tax"),
        "tax_amount": added(rows, "tax_amount"),
        "discount_tax_compensation_amount": added(rows, "discount_tax_compensation_amount"),
        "discount_amount": -added(rows, "discount_amount"),
        "_weee": added(rows, "weee_tax_applied_row_amount"),
    }


def _grand(body: Json) -> Decimal:
    names = "subtotal tax_amount discount_tax_compensation_amount discount_amount shipping_amount"
    whole: Decimal = body["_weee"] + sum(body[name] for name in names.split())
    return whole


def invoice(
    order: Json, taken: Taken, number: int, label: str, now: str, rows: Iterator[int]
) -> Json:
    """What is to be paid; the first one takes all of the freight and the fees."""
    rate = order["base_to_order_rate"]
    items = [_row(row, qty, "qty_invoiced", next(rows), number, rate) for row, qty in taken]
    body = _head(order, number, label, now) | _sums(items)
    is_first = order.get("total_invoiced") is None
    for name in ("shipping_amount", "shipping_incl_tax", "shipping_tax_amount"):
        body[name] = order[name] if is_first else ZERO
    body["tax_amount"] += body["shipping_tax_amount"]
    for row in items:
        # Deposits are in the sum of an invoice, but REST shows no field for them here.
        for name in WEEE:
            row.pop(name, None)
    extras = ZERO
    if is_first:
        fees = order["extension_attributes"].get("custom_fees", [])
        extras = added(fees, "custom_fee_amount") - cards_of(order)
    body |= {
        "can_void_flag": 0,
        "grand_total": _grand(body) + extras,
        "shipping_discount_tax_compensation_amount": ZERO,
        "state": 2,
        "total_qty": added(items, "qty"),
        "items": items,
        "comments": [],
    }
    with_base(body, BASED, rate)
    return body


def credit_memo(
    order: Json,
    taken: Taken,
    number: int,
    label: str,
    now: str,
    rows: Iterator[int],
    extra: dict[str, Decimal],
) -> Json:
    """What is given back: goods, freight and adjustments."""
    rate = order["base_to_order_rate"]
    items = [_row(row, qty, "qty_refunded", next(rows), number, rate) for row, qty in taken]
    for row in items:
        row.setdefault("weee_tax_applied", "[]")
        row.setdefault("weee_tax_applied_row_amount", ZERO)
        row |= {"base_cost": NULL, "weee_tax_row_disposition": ZERO}
        row["base_weee_tax_row_disposition"] = ZERO
    body = _head(order, number, label, now) | _sums(items)
    carriage = extra["shipping"]
    whole = order["shipping_amount"]
    tax = money(order["shipping_tax_amount"] * carriage / whole) if whole else ZERO
    body["tax_amount"] += tax
    body |= {
        "shipping_amount": carriage,
        "shipping_incl_tax": carriage + tax,
        "shipping_tax_amount": tax,
        "adjustment": extra["positive"] - extra["negative"],
        "adjustment_negative": extra["negative"],
        "adjustment_positive": extra["positive"],
        "state": 2,
        "items": items,
        "comments": [],
    }
    body["grand_total"] = _grand(body) + body["adjustment"] + extra["fees"]
    with_base(body, BASED, rate)
    return body


def shipment(
    order: Json, taken: Taken, number: int, label: str, now: str, rows: Iterator[int], source: str
) -> Json:
    """What leaves; a variant goes by its parent alone."""
    items = [
        {
            "entity_id": next(rows),
            "name": row["name"],
            "parent_id": number,
            "price": row["price"],
            "product_id": row["product_id"],
            "sku": row["sku"],
            "weight": row["weight"],
            "order_item_id": row["item_id"],
            "qty": quantity,
        }
        for row, quantity in taken
        if not is_variant(order, row)
    ]
    top = [qty for row, qty in taken if row["parent_item_id"] is None]
    return {
        "billing_address_id": order["billing_address_id"],
        "created_at": now,
        "entity_id": number,
        "increment_id": label,
        "order_id": order["entity_id"],
        "packages": [],
        "shipping_address_id": order["_shipping_address_id"],
        "store_id": 1,
        "total_qty": sum(top, ZERO),
        "updated_at": now,
        "items": items,
        "tracks": [],
        "comments": [],
        "extension_attributes": {"source_code": source},
    }


def is_variant(order: Json, row: Json) -> bool:
    """Whether a row stands below a configurable one."""
    parent = (one for one in order["items"] if one["item_id"] == row["parent_item_id"])
    return any(one["product_type"] == "configurable" for one in parent)


def track(given: Json, order_id: int, shipment_id: int, number: int, now: str) -> Json:
    """A number to follow a parcel by."""
    return {
        "order_id": order_id,
        "created_at": now,
        "entity_id": number,
        "parent_id": shipment_id,
        "updated_at": now,
        "weight": given.get("weight") or NULL,
        "qty": given.get("qty") or NULL,
        "description": given.get("description") or NULL,
        "track_number": given["track_number"],
        "title": given.get("title", ""),
        "carrier_code": given.get("carrier_code", "custom"),
    }
