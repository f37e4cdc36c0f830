"""How the sandbox shop makes the body of an order from a draft, and keeps its sums."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from platforms.magento.sandbox_lines import added, carries_price
from platforms.magento.sandbox_people import ADDRESS
from platforms.magento.sandbox_values import NULL, ZERO, Json, known, money, street, with_base

DRAFT = set(
    "lines discount_total shipping_total fees prices_include_tax currency customer billing shipping"
    " po_number customer_note status paid created_at payment_method coupon_code gift_card_total"
    " store_credit".split()
)
STATUSES = {
    "pending": "new",
    "pending_payment": "pending_payment",
    "processing": "processing",
    "complete": "complete",
    "closed": "closed",
    "canceled": "canceled",
    "holded": "holded",
    "payment_review": "payment_review",
    "fraud": "payment_review",
}
METHODS = {
    "checkmo": "Check / Money order",
    "purchaseorder": "Purchase Order",
    "companycredit": "Payment on Account",
    "banktransfer": "Bank Transfer Payment",
    "cashondelivery": "Cash On Delivery",
    "free": "No Payment Information Required",
}
REGIONS: dict[tuple[str, str], tuple[str | None, int | None]] = {
    ("US", "CA"): ("California", 12),
    ("US", "NY"): ("New York", 43),
}
STORE = "Main Website\nMain Website Store\nDefault Store View"
FREIGHT = (
    "shipping_amount shipping_discount_amount shipping_discount_tax_compensation_amount"
    " shipping_incl_tax shipping_tax_amount"
)
TOTALS = (
    f"discount_amount grand_total discount_tax_compensation_amount {FREIGHT} subtotal"
    " subtotal_incl_tax tax_amount total_due total_paid total_invoiced total_refunded"
    " total_offline_refunded total_canceled subtotal_invoiced subtotal_refunded subtotal_canceled"
    " tax_invoiced tax_refunded tax_canceled shipping_invoiced shipping_refunded shipping_canceled"
    " discount_invoiced discount_refunded adjustment_positive adjustment_negative"
)
COLUMNS = set(
    "entity_id increment_id state status store_id store_name customer_id customer_is_guest"
    " customer_email customer_firstname customer_lastname customer_group_id customer_taxvat"
    " customer_note created_at updated_at order_currency_code base_currency_code"
    " store_currency_code global_currency_code base_to_order_rate grand_total base_grand_total"
    " subtotal tax_amount shipping_amount shipping_description discount_amount coupon_code"
    " discount_description total_paid total_due total_refunded total_canceled total_qty_ordered"
    " total_item_count is_virtual quote_id ext_order_id ext_customer_id relation_parent_id"
    " relation_parent_real_id relation_child_id relation_child_real_id original_increment_id"
    " edit_increment protect_code remote_ip weight billing_address_id shipping_address_id"
    " email_sent applied_rule_ids".split()
)


def address(given: Json, kind: str, number: int, order_id: int, email: str) -> Json:
    """One address of an order."""
    known(given, ADDRESS, kind)
    return {
        "address_type": kind,
        "city": given.get("city", ""),
        "company": given.get("company") or None,
        "country_id": given.get("country", "GB"),
        "email": given.get("email") or email,
        "entity_id": number,
        "firstname": given.get("first_name", ""),
        "lastname": given.get("last_name", ""),
        "parent_id": order_id,
        "postcode": given.get("postcode", ""),
        **region(given),
        "street": street(given),
        "telephone": given.get("phone", ""),
        "vat_id": given.get("vat_id") or None,
    }


def region(given: Json) -> Json:
    """A region of the vendor's own list has a number; any other text is its own code."""
    state: str | None = given.get("state") or None
    name, number = REGIONS.get((given.get("country", "GB"), state or ""), (state, None))
    return {"region": name, "region_code": state, "region_id": number}


def amended(house: Json, changes: Json) -> None:
    """Write what changed into an address."""
    known(changes, ADDRESS, "address")
    names = {"first_name": "firstname", "last_name": "lastname", "country": "country_id"}
    names |= {"phone": "telephone"}
    for name, value in changes.items():
        if name != "state" and not name.startswith("address_"):
            house[names.get(name, name)] = value
    if "state" in changes:
        house |= region({"country": house["country_id"]} | changes)
    if {"address_1", "address_2"} & set(changes):
        house["street"] = street(changes)


def payment(method: str, po_number: str | None, order_id: int) -> Json:
    """How the order is to be paid."""
    title = METHODS.get(method, method)
    return {
        "account_status": NULL,
        "additional_information": [title],
        "amount_ordered": None,
        "base_amount_ordered": None,
        "base_shipping_amount": None,
        "cc_last4": NULL,
        "entity_id": order_id,
        "method": method,
        "parent_id": order_id,
        "po_number": po_number,
        "shipping_amount": None,
    }


def freight(total: Decimal, rate: Any, *, is_included: bool) -> Json:
    """What carriage costs and its tax."""
    part = Decimal(str(rate)) / 100
    tax = money(total * part / (1 + part)) if is_included else money(total * part)
    return {
        "shipping_amount": total - tax if is_included else total,
        "shipping_discount_amount": ZERO,
        "shipping_discount_tax_compensation_amount": ZERO,
        "shipping_incl_tax": total if is_included else total + tax,
        "shipping_tax_amount": tax,
    }


def fee(given: Json, order_id: int, place: int) -> Json:
    """A fee of the shop's own, beside every other sum; newer versions show it."""
    known(given, {"name", "total"}, "fee")
    amount = money(Decimal(str(given["total"])))
    return {
        "id": str(place),
        "order_id": str(order_id),
        "custom_fee_code": str(given["name"]).lower().replace(" ", "_"),
        "custom_fee_label": given["name"],
        "custom_fee_amount": amount,
        "base_custom_fee_amount": amount,
        "custom_fee_amount_invoiced": ZERO,
        "base_custom_fee_amount_invoiced": ZERO,
        "custom_fee_amount_refunded": ZERO,
        "base_custom_fee_amount_refunded": ZERO,
        "apply_fee_on_last_invoice": False,
        "apply_fee_on_last_creditmemo": False,
    }


def cards_of(order: Json) -> Decimal:
    """What gift cards and store credit pay of it."""
    extension = order["extension_attributes"]
    names = ("gift_cards_amount", "customer_balance_amount")
    return added([extension], names[0]) + added([extension], names[1])


def total(order: Json) -> None:
    """Add up an order from its lines, freight and fees."""
    rows = order["items"]
    top = [row for row in rows if row["parent_item_id"] is None]
    priced = [row for row in rows if carries_price(row)]
    fees = added(order["extension_attributes"].get("custom_fees", []), "custom_fee_amount")
    discount, hidden = (
        added(priced, "discount_amount"),
        added(priced, "discount_tax_compensation_amount"),
    )
    tax = added(priced, "tax_amount") + order["shipping_tax_amount"]
    weee = added(rows, "weee_tax_applied_row_amount")
    subtotal = added(top, "row_total")
    cards = cards_of(order)
    grand = subtotal - discount + order["shipping_amount"] + tax + hidden + weee + fees - cards
    order |= {
        "discount_amount": -discount,
        "discount_tax_compensation_amount": hidden,
        "grand_total": grand,
        "subtotal": subtotal,
        "subtotal_incl_tax": added(top, "row_total_incl_tax"),
        "tax_amount": tax,
        "total_due": grand,
        "total_item_count": len(rows),
        "total_qty_ordered": added(top, "qty_ordered"),
        "weight": added(top, "row_weight"),
    }
    paid = order["payment"]
    paid |= {"amount_ordered": grand, "shipping_amount": order["shipping_amount"]}
    rebase(order)
    _taxes(order, priced)


def rebase(order: Json) -> None:
    """Every amount again in the currency of the website."""
    rate = order["base_to_order_rate"]
    with_base(order, TOTALS, rate)
    names = "amount_ordered amount_paid amount_refunded shipping_amount shipping_captured"
    with_base(order["payment"], f"{names} shipping_refunded", rate)


def _taxes(order: Json, priced: list[Json]) -> None:
    """The tax of the order by rate."""
    taxes: dict[Decimal, Decimal] = {}
    for row in priced:
        taxes[row["_rate"]] = taxes.get(row["_rate"], ZERO) + row["tax_amount"]
    if order["shipping_tax_amount"]:
        rate = order["_shipping_rate"]
        taxes[rate] = taxes.get(rate, ZERO) + order["shipping_tax_amount"]
    numbers = itertools.count(1)
    extension = order["extension_attributes"]
    extension["applied_taxes"] = [
        {
            "code": f"VAT-{rate.normalize():f}",
            "title": f"VAT {rate.normalize():f}%",
            "percent": rate,
            "amount": amount,
            "base_amount": amount,
        }
        for rate, amount in taxes.items()
        if rate
    ]
    extension["taxes"] = [
        one
        | {"tax_id": next(numbers), "order_id": order["entity_id"], "priority": 0, "position": 0}
        | {"base_real_amount": one["amount"], "process": 0}
        for one in extension["applied_taxes"]
    ]
