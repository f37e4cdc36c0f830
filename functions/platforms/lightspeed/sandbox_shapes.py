"""How the sandbox writes numbers, times and sales in the pinned version of the API."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]

FIVE = Decimal("0.00001")
CENT = Decimal("0.01")
ZERO = Decimal(0)
NIL = "00000000-0000-0000-0000-000000000000"

# The words of the old shape, and what the pinned version makes of each.
STATUSES: dict[str, tuple[str, list[str]]] = {
    "SAVED": ("parked", []),
    "CLOSED": ("closed", []),
    "ONACCOUNT": ("pending", ["onaccount"]),
    "ONACCOUNT_CLOSED": ("closed", ["onaccount"]),
    "LAYBY": ("pending", ["layby"]),
    "LAYBY_CLOSED": ("closed", ["layby"]),
    "AWAITING_DISPATCH": ("pending", ["dispatch"]),
    "AWAITING_PICKUP": ("pending", ["pickup"]),
    "DISPATCHED_CLOSED": ("closed", ["dispatch"]),
    "PICKED_UP_CLOSED": ("closed", ["pickup"]),
    "VOIDED": ("voided", []),
}
STATES = {"parked": "SAVED", "pending": "ONACCOUNT", "closed": "CLOSED", "voided": "VOIDED"}
CLOSES = {
    "SAVED": "CLOSED",
    "ONACCOUNT": "ONACCOUNT_CLOSED",
    "LAYBY": "LAYBY_CLOSED",
    "AWAITING_DISPATCH": "DISPATCHED_CLOSED",
    "AWAITING_PICKUP": "PICKED_UP_CLOSED",
}


class RefusedError(ValueError):
    """The shop would not do this, or the request for it is malformed."""


def known(given: Json, keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error in a test is seen."""
    if unknown := set(given) - keys:
        raise RefusedError(f"unknown in {what}: {', '.join(sorted(unknown))}")


def five(value: Decimal) -> Decimal:
    """An amount with the five decimals the shop keeps."""
    return value.quantize(FIVE, ROUND_HALF_UP)


def cents(value: Decimal) -> Decimal:
    """What a customer really pays."""
    return value.quantize(CENT, ROUND_HALF_UP)


def number(value: Decimal) -> int | float:
    """An amount as REST writes it: a bare number, whole where it can be."""
    return int(value) if value == value.to_integral_value() else float(value)


def text(value: Decimal) -> str:
    """An amount as webhooks write it: five decimals in quotes."""
    return str(five(value))


def stamp(at: datetime) -> str:
    """A time as REST writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def bare(at: datetime) -> str:
    """A time as webhooks write some of theirs: UTC without saying so."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def state(sale: Json) -> str:
    """The pinned version's word for how far a sale is."""
    return STATUSES[sale["status"]][0]


def total(sale: Json) -> tuple[Decimal, Decimal]:
    """Net and tax of a sale: its lines, its adjustments and the charges of a web shop."""
    net = sum((line["price"] * line["quantity"] for line in sale["lines"]), ZERO)
    tax = sum((line["tax"] * line["quantity"] for line in sale["lines"]), ZERO)
    for extra in (*sale["adjustments"], *sale["charges"]):
        net, tax = net + extra["total"], tax + extra["tax"]
    return five(net), five(tax)


def paid(sale: Json) -> Decimal:
    """What was paid so far; what was given back counts against it."""
    return sum((one["amount"] for one in sale["payments"]), ZERO)


def taxes(sale: Json) -> dict[str, Decimal]:
    """Tax by rate, over lines, adjustments and charges."""
    found: dict[str, Decimal] = {}
    for line in sale["lines"]:
        share = five(line["tax"] * line["quantity"])
        found[line["rate_id"]] = found.get(line["rate_id"], ZERO) + share
    for extra in (*sale["adjustments"], *sale["charges"]):
        if extra["tax"]:
            found[extra["rate_id"]] = found.get(extra["rate_id"], ZERO) + extra["tax"]
    return found


def shown(body: Json, nulls: bool, kept: frozenset[str] = frozenset()) -> Json:
    """Leave out what is not there, or show it as null."""
    return {key: value for key, value in body.items() if nulls or value is not None or key in kept}


def modern_sale(sale: Json, *, nulls: bool = False) -> Json:
    """A sale as the pinned version answers it."""
    net, tax = total(sale)
    source = {
        "author": {"id": sale["user_id"]},
        "id": sale["source_id"],
        "type": sale["source"],
        "outlet_id": sale["outlet_id"],
        "register_id": sale["register_id"],
    }
    body: Json = {
        "id": sale["id"],
        "state": state(sale),
        "attributes": STATUSES[sale["status"]][1],
        "created_at": stamp(sale["created"]),
        "updated_at": stamp(sale["updated"]),
        "deleted_at": sale["deleted"] and stamp(sale["deleted"]),
        "date": stamp(sale["date"]),
        "customer_id": sale["customer_id"],
        "invoice_number": sale["invoice_number"],
        "receipt_number": sale["invoice_number"],
        "note": sale["note"],
        "short_code": sale["short_code"],
        "source": shown(source, nulls),
        "totals": {
            "price": number(net),
            "price_incl_tax": number(net + tax),
            "tax": number(tax),
            "loyalty": 0,
            "surcharge": 0,
        },
        "taxes": [{"id": rate, "tax": number(tax)} for rate, tax in taxes(sale).items()],
        "line_items": [_line(line, sale, nulls) for line in sale["lines"]],
        "payments": [_payment(one, nulls) for one in sale["payments"]],
        "return": shown(
            {
                "is_return": bool(sale["return_for"]) or any(x["is_return"] for x in sale["lines"]),
                "original_sale_id": sale["return_for"],
                "return_sale_ids": sale["return_ids"],
            },
            nulls,
        ),
        "adjustments": [_adjustment(one) for one in sale["adjustments"]],
        "ecom_custom_charges": [_charge(one) for one in sale["charges"]],
        "external_applications": [],
        "_metadata": {
            "version": sale["version"],
            "has_unsynced_on_account_payments": False,
        },
    }
    return shown(body, nulls)


def _line(line: Json, sale: Json, nulls: bool) -> Json:
    quantity, tax = line["quantity"], five(line["tax"] * line["quantity"])
    body = {
        "id": line["id"],
        "product": {"id": line["product_id"]},
        "quantity": number(quantity),
        "note": line["note"],
        "status": "SAVED" if state(sale) == "parked" else "CONFIRMED",
        "salesperson_id": sale["user_id"],
        "gift_card_number": None,
        "pricing": {
            "cost": number(line["cost"]),
            "cost_total": number(five(line["cost"] * quantity)),
            "discount": number(line["discount"]),
            "discount_total": number(five(line["discount"] * quantity)),
            "loyalty_amount": 0,
            "loyalty_amount_total": 0,
            "price": number(line["price"]),
            "total": number(five(line["price"] * quantity)),
        },
        "tax": {"id": line["tax_id"], "amount": number(line["tax"]), "total": number(tax)},
        "return": shown({"is_return": line["is_return"], "reason": line["reason"]}, nulls),
        "promotions": [],
        "surcharges": [],
        "customizations": [],
        "_metadata": {
            "is_price_override": line["price_set"],
            "sequence": line["sequence"],
            "tax_components": [{"rate_id": line["rate_id"], "total_tax": number(tax)}],
        },
    }
    return shown(body, nulls)


def _payment(one: Json, nulls: bool) -> Json:
    body = {
        "id": one["id"],
        "amount": number(one["amount"]),
        "date": stamp(one["date"]),
        "deleted_at": None,
        "type": {
            "config_id": one["type"]["id"],
            "id": str(one["type"]["type_id"]),
            "name": one["type"]["name"],
        },
        "source": {"outlet_id": one["outlet_id"], "register_id": one["register_id"]},
        "external_attributes": [],
    }
    return shown(body, nulls)


def _adjustment(one: Json) -> Json:
    parts = [{"rate_id": one["rate_id"], "total_tax": number(one["tax"])}] if one["tax"] else []
    return {
        "adjustment_type": one["type"],
        "name": one["name"],
        "total": number(one["total"]),
        "tax_components": parts,
    }


def _charge(one: Json) -> Json:
    return {
        "name": one["name"],
        "source_id": one["source_id"],
        "total": number(one["total"]),
        "total_tax": number(one["tax"]),
        "total_incl": number(one["total"] + one["tax"]),
        "tax_components": [{"rate_id": one["rate_id"], "total_tax": number(one["tax"])}],
    }
