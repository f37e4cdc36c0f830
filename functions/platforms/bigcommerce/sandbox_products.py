"""Products, variants and places of the sandbox store, in the vendor's shape."""

from __future__ import annotations

from datetime import UTC, datetime

from platforms.bigcommerce.sandbox_shapes import Json, number, offset, plain, zulu

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
"""Products are older than whatever happens to them."""


def location(row: Json) -> Json:
    """A place with stock."""
    return {
        "id": row["id"],
        "code": row.get("code", f"BC-LOCATION-{row['id']}"),
        "label": row.get("label", "Default location"),
        "description": "",
        "managed_by_external_source": False,
        "type_id": "PHYSICAL",
        "enabled": row.get("enabled", True),
        "time_zone": "Etc/UTC",
        "created_at": zulu(OPENED),
        "updated_at": zulu(OPENED),
        "storefront_visibility": True,
        "special_hours": [],
    }


def product(row: Json, number_: int, tracking: str) -> Json:
    """What the catalogue shows of one; its price and level are set by the store."""
    name = row["name"]
    body: Json = {"id": number_, "name": name, "type": row.get("type", "physical")}
    body |= {"sku": row["sku"], "description": ""}
    body |= dict.fromkeys(("weight", "width", "depth", "height"), 0)
    body |= {
        "price": plain(number(row.get("price", 0))),
        "cost_price": plain(number(row.get("cost_price", 0))),
        "retail_price": 0,
        "sale_price": 0,
        "map_price": 0,
        "tax_class_id": 0,
        "product_tax_code": "",
        "calculated_price": 0,
        "categories": [],
        "brand_id": 0,
        "option_set_id": None,
        "option_set_display": "right",
        "inventory_level": 0,
        "inventory_warning_level": row.get("warning", 0),
        "inventory_tracking": tracking,
        "reviews_rating_sum": 0,
        "reviews_count": 0,
        "total_sold": 0,
        "fixed_cost_shipping_price": 0,
        "is_free_shipping": False,
        "is_visible": True,
        "is_featured": False,
        "related_products": [-1],
        "warranty": "",
        "bin_picking_number": "",
        "layout_file": "product.html",
        "upc": row.get("upc", ""),
        "mpn": "",
        "gtin": "",
        "date_last_imported": None,
        "search_keywords": "",
        "availability": "available",
        "availability_description": "",
        "gift_wrapping_options_type": "any",
        "gift_wrapping_options_list": [],
        "sort_order": 0,
        "condition": "New",
        "is_condition_shown": False,
        "order_quantity_minimum": 0,
        "order_quantity_maximum": 0,
        "page_title": "",
        "meta_keywords": [],
        "meta_description": "",
        "date_created": offset(OPENED),
        "date_modified": offset(OPENED),
        "view_count": 0,
        "preorder_release_date": None,
        "preorder_message": "0",
        "is_preorder_only": False,
        "is_price_hidden": False,
        "price_hidden_label": "0",
        "custom_url": {"url": f"/{name.lower().replace(' ', '-')}/", "is_customized": False},
        "base_variant_id": None,
        "open_graph_type": "product",
        "open_graph_title": "",
        "open_graph_description": "",
        "open_graph_use_meta_description": True,
        "open_graph_use_product_name": True,
        "open_graph_use_image": True,
    }
    return body


def variant(row: Json, of: Json, number_: int) -> Json:
    """What the catalogue shows of one; what is null is the product's."""
    unset = "sale_price retail_price map_price fixed_cost_shipping_price".split()
    body: Json = {"id": number_, "product_id": of["id"], "sku": row["sku"], "sku_id": None}
    body |= {"price": None, "calculated_price": 0} | dict.fromkeys(unset)
    body |= {"cost_price": of["cost_price"]}
    body |= dict.fromkeys(("weight", "width", "height", "depth"))
    return body | {
        "is_free_shipping": False,
        "calculated_weight": 0,
        "purchasing_disabled": False,
        "purchasing_disabled_message": "",
        "image_url": "",
        "upc": row.get("upc", ""),
        "mpn": "",
        "gtin": "",
        "inventory_level": 0,
        "inventory_warning_level": of["inventory_warning_level"],
        "bin_picking_number": "",
        "option_values": [],
    }
