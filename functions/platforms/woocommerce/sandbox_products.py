"""Products of the sandbox store, in the vendor's shape."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

FIRST_ID = 51


def catalogue(rows: list[Json]) -> dict[int, Json]:
    """Products by id from the seed's rows {sku, name, price, id, stock, parent_id}.

    A row with ``parent_id`` is a variation; without ``stock`` the product keeps no count.
    """
    found = (product(row, FIRST_ID + place) for place, row in enumerate(rows))
    return {one["id"]: one for one in found}


def product(row: Json, number: int) -> Json:
    """What REST and webhooks show of one; its dates are set by the store."""
    parent, name, price = row.get("parent_id", 0), row["name"], str(row.get("price", ""))
    body: Json = {"id": row.get("id", number), "name": name, "slug": name.lower().replace(" ", "-")}
    body |= dict.fromkeys("short_description description purchase_note".split(), "")
    body |= {
        "permalink": f"https://fizz-store.example/product/{body['slug']}/",
        "type": "variation" if parent else "simple",
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "sku": row["sku"],
        "price": price,
        "regular_price": price,
        "sale_price": "",
        "on_sale": False,
        "purchasable": True,
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": row.get("stock") is not None,
        "stock_quantity": row.get("stock"),
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
        "parent_id": parent,
        "meta_data": [],
        "global_unique_id": "",
    }
    return body | stock_status(body)


def stock_status(body: Json) -> Json:
    """The status follows the count where there is one."""
    is_out = body["stock_quantity"] is not None and body["stock_quantity"] <= 0
    return {"stock_status": "outofstock" if is_out else "instock"}
