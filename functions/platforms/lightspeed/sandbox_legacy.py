"""The old shapes, which webhooks still carry: amounts in quotes, times of several kinds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from platforms.lightspeed.sandbox_shapes import (
    STATUSES,
    ZERO,
    Json,
    bare,
    five,
    number,
    paid,
    taxes,
    text,
    total,
)

ADDRESSES = ("physical", "postal")
PLACES = ("suburb", "city", "postcode", "state", "country_id")


class Shop(Protocol):
    """What an old shape has to look up."""

    seed: Json
    tables: dict[str, dict[str, Json]]


def _stamped(text_: str | None) -> str | None:
    """A stored time in the form without a zone."""
    return bare(datetime.fromisoformat(text_)) if text_ else None


def legacy_customer(row: Json) -> Json:
    """A customer as ``customer.update`` and the sale's own copy show it."""
    body: Json = {
        "id": row["id"],
        "customer_code": row["customer_code"],
        "customer_group_id": row["customer_group_id"],
        "first_name": row.get("first_name"),
        "last_name": row.get("last_name"),
        "company_name": row.get("company_name"),
        "email": row.get("email"),
        "phone": row.get("phone"),
        "mobile": row.get("mobile"),
        "fax": row.get("fax"),
        "twitter": row.get("twitter"),
        "website": row.get("website"),
        "sex": row.get("gender"),
        "date_of_birth": row.get("date_of_birth"),
        "note": row.get("note"),
        "do_not_email": row["do_not_email"],
        "enable_loyalty": row["enable_loyalty"],
        "balance": text(Decimal(str(row["balance"]))),
        "loyalty_balance": text(Decimal(str(row["loyalty_balance"]))),
        "year_to_date": text(Decimal(str(row["year_to_date"]))),
        "created_at": _stamped(row["created_at"]),
        "updated_at": _stamped(row["updated_at"]),
        "deleted_at": _stamped(row.get("deleted_at")),
        "version": row["version"],
    }
    body |= {f"custom_field_{place}": row.get(f"custom_field_{place}") for place in range(1, 5)}
    for kind in ADDRESSES:
        # One underscore fewer than in the newer shape.
        body |= {f"{kind}_address{n}": row.get(f"{kind}_address_{n}") for n in (1, 2)}
        body |= {f"{kind}_{place}": row.get(f"{kind}_{place}") for place in PLACES}
    return body


def legacy_product(row: Json, shop: Shop) -> Json:
    """A product as ``product.update`` shows it, with its stock and its prices by group."""
    tax_id = next(iter(shop.tables["taxes"].values()))["id"]
    price = Decimal(str(row["price_excluding_tax"]))
    gross = Decimal(str(row["price_including_tax"]))
    entries = [
        {
            "id": one["id"],
            "product_id": row["id"],
            "price_book_id": one["price_book_id"],
            "price": text(Decimal(str(one["price"]))),
            "min_units": _quoted(one.get("min_units")),
            "max_units": _quoted(one.get("max_units")),
            "type": "GENERAL",
        }
        for one in shop.tables["price_book_products"].values()
        if one["product_id"] == row["id"]
    ]
    return {
        "id": row["id"],
        "source": row["source"],
        "source_id": None,
        "handle": row["handle"],
        "sku": row["sku"],
        "name": row["variant_name"],
        "base_name": row["name"],
        "description": row["description"],
        "active": row["active"],
        "button_order": row["button_order"],
        "has_variants": row["has_variants"],
        "variant_parent_id": row.get("variant_parent_id"),
        "track_inventory": row["has_inventory"],
        "type": row["type"],
        "brand": row["brand"],
        "categories": [],
        "tags": "",
        "price": text(price),
        "tax": text(gross - price),
        "taxes": [{"outlet_id": one, "tax_id": tax_id} for one in shop.tables["outlets"]],
        "supply_price": text(Decimal(str(row["supply_price"]))),
        "attributed_cost": None,
        "price_book_entries": entries,
        "inventory": [
            _stock(one)
            for one in shop.tables["inventory"].values()
            if one["product_id"] == row["id"]
        ],
        "updated_at": _stamped(row["updated_at"]),
        "deleted_at": _stamped(row.get("deleted_at")),
        "version": row["version"],
    }


def legacy_inventory(row: Json, shop: Shop) -> Json:
    """A level as ``inventory.update`` shows it, with the product and the outlet it belongs to."""
    product = shop.tables["products"][row["product_id"]]
    outlet = shop.tables["outlets"][row["outlet_id"]]
    return _stock(row) | {
        "product": {name: product[name] for name in ("id", "handle", "sku", "name", "active")},
        "outlet": {name: outlet[name] for name in ("id", "name", "time_zone")},
        "version": row["version"],
    }


def _stock(row: Json) -> Json:
    level = Decimal(str(row["inventory_level"]))
    return {
        "id": row["id"],
        "product_id": row["product_id"],
        "outlet_id": row["outlet_id"],
        "attributed_cost": text(Decimal(str(row["average_cost"]))),
        "count": text(level),
        "reorder_point": _quoted(row["reorder_point"]),
        "restock_level": _quoted(row["reorder_amount"]),
    }


def _quoted(value: float | None) -> str | None:
    return None if value is None else text(Decimal(str(value)))


def legacy_consignment(row: Json, lines: list[Json]) -> Json:
    """A transfer or a supplier's order as ``consignment.send`` and ``consignment.receive``."""
    names = ("consignment_date", "due_at", "received_at", "created_at", "updated_at")
    return row | {name: _stamped(row.get(name)) for name in names} | {"consignment_products": lines}


def legacy_sale(sale: Json, shop: Shop) -> Json:
    """A sale as ``sale.update`` shows it, with a copy of its customer."""
    net, tax = total(sale)
    gave = paid(sale)
    customer = shop.tables["customers"].get(sale["customer_id"] or "")
    user = next(iter(shop.tables["users"].values()))
    names = {rate["id"]: rate for row in shop.tables["taxes"].values() for rate in row["rates"]}
    # The vendor mixes its forms within one body: one without a zone, two with.
    return {
        "id": sale["id"],
        "source": sale["source"],
        "source_id": sale["source_id"],
        "outlet_id": sale["outlet_id"],
        "register_id": sale["register_id"],
        "customer_id": sale["customer_id"],
        "customer": legacy_customer(customer) if customer else None,
        "customer_name": _name(customer),
        "user_id": sale["user_id"],
        "user": {name: user[name] for name in ("id", "username", "display_name", "email")},
        "user_name": user["display_name"],
        "sale_date": _local(sale["date"], shop.seed["time_offset"]),
        "created_at": bare(sale["created"]),
        "updated_at": f"{sale['updated']:%Y-%m-%dT%H:%M:%S}+00:00",
        "deleted_at": sale["deleted"] and bare(sale["deleted"]),
        "status": sale["status"],
        "short_code": sale["short_code"],
        "invoice_number": sale["invoice_number"],
        "invoice_sequence": sale["sequence"],
        "accounts_transaction_id": None,
        "return_for": sale["return_for"],
        "note": sale["note"],
        "receipt_address": "",
        "total_price": text(net),
        "total_tax": text(tax),
        "totals": {
            "total_loyalty": text(ZERO),
            "total_payment": text(gave),
            "total_price": text(net),
            "total_tax": text(tax),
            "total_to_pay": text(net + tax - gave),
        },
        "taxes": [
            {
                "id": rate,
                "name": names[rate]["name"],
                "rate": names[rate]["rate"],
                "tax": text(sum_),
            }
            for rate, sum_ in taxes(sale).items()
        ],
        "register_sale_products": [_line(line, sale, shop) for line in sale["lines"]],
        "register_sale_payments": [_payment(one, shop) for one in sale["payments"]],
        "attributes": list(STATUSES[sale["status"]][1]),
        "adjustments": [
            {"type": one["type"], "name": one["name"], "value": number(one["total"])}
            for one in sale["adjustments"]
        ],
        "ecom_custom_charges": _charges(sale["charges"]),
        "version": sale["version"],
    }


def _local(at: datetime, offset: str) -> str:
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S}{offset if offset != '+00:00' else 'Z'}"


def _name(customer: Json | None) -> str:
    parts = [(customer or {}).get("first_name"), (customer or {}).get("last_name")]
    return " ".join(part for part in parts if part)


def _line(line: Json, sale: Json, shop: Shop) -> Json:
    quantity = line["quantity"]
    return {
        "id": line["id"],
        "product_id": line["product_id"],
        "register_id": sale["register_id"],
        "sequence": line["sequence"],
        "quantity": _quantity(quantity, shop.seed["quantity_as_text"]),
        "price": number(line["price"]),
        "price_set": int(line["price_set"]),
        "discount": number(line["discount"]),
        "loyalty_value": 0,
        "tax": text(line["tax"]),
        "tax_id": line["tax_id"],
        "tax_total": text(line["tax"] * quantity),
        "price_total": text(line["price"] * quantity),
        "cost": number(line["cost"]),
        "status": "SAVED" if sale["status"] == "SAVED" else "CONFIRMED",
        "is_return": line["is_return"],
        "tax_components": [
            {"rate_id": line["rate_id"], "total_tax": number(five(line["tax"] * quantity))}
        ],
        "attributes": [{"name": "line_note", "value": line["note"] or ""}],
    }


def _quantity(quantity: Decimal, as_text: bool) -> Any:
    return str(number(quantity)) if as_text else number(quantity)


def _payment(one: Json, shop: Shop) -> Json:
    body: Json = {
        "id": one["id"],
        "register_id": one["register_id"],
        "payment_type_id": one["type"]["type_id"],
        "retailer_payment_type_id": one["type"]["id"],
        "name": one["type"]["name"],
        "payment_date": f"{one['date']:%Y-%m-%dT%H:%M:%S}Z",
        "amount": str(number(one["amount"])),
    }
    return body | ({"currency": shop.seed["currency"]} if shop.seed["payment_currency"] else {})


def _charges(rows: list[Json]) -> Json | None:
    """One object around them, where the pinned version has a bare list."""
    if not rows:
        return None
    net = sum((one["total"] for one in rows), ZERO)
    tax = sum((one["tax"] for one in rows), ZERO)
    return {
        "total": number(net),
        "total_tax": number(tax),
        "total_incl": number(net + tax),
        "charges": [
            {
                "name": one["name"],
                "source_id": one["source_id"],
                "total": number(one["total"]),
                "total_tax": number(one["tax"]),
                "total_incl": number(one["total"] + one["tax"]),
                "tax_components": [{"rate_id": one["rate_id"], "total_tax": number(one["tax"])}],
            }
            for one in rows
        ],
    }
