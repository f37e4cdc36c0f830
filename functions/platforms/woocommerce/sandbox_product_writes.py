"""Writes of products and variations in the sandbox store: one by one, and a hundred at once.

As the vendor's code has it: a call by itself is checked field by field, the rows of a batch are
only cast, and each row of a batch succeeds or fails on its own. A variation written below the
wrong parent is refused when it is alone and moves to that parent in a batch. Not here: products
made or erased, attributes, images, categories, weights, dates of an offer.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.woocommerce.sandbox_args import (
    PRODUCT,
    VARIATION,
    RestError,
    checked,
    decimal,
    given,
    text,
    whole,
)
from platforms.woocommerce.sandbox_meta import merged
from platforms.woocommerce.sandbox_products import Catalogue, Json, below

MOST = 100
PARTS = ("create", "update", "delete")
ELSEWHERE = (
    "To manipulate product variations you should use the"
    " /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
)


class ProductWrites:
    """The routes that write what is sold.

    Args:
        catalogue: gives what is sold as it is now.
        accepted: counts what was written.
    """

    def __init__(self, catalogue: Callable[[], Catalogue], accepted: Counter[str]) -> None:
        self._catalogue = catalogue
        self._accepted = accepted
        self._meta_ids = itertools.count(20_000)

    async def product(self, request: Request) -> Response:
        """``PUT /products/{id}``."""
        fields = checked(await given(request), PRODUCT)
        return JSONResponse(self._update(request.path_params["id"], fields))

    async def products(self, request: Request) -> Response:
        """``POST /products/batch``."""
        return batch(
            await given(request), lambda row: self._update(whole(row["id"]), row), self._accepted
        )

    async def variation(self, request: Request) -> Response:
        """``PUT /products/{id}/variations/{variation}``."""
        parent, number = request.path_params["id"], request.path_params["variation"]
        fields = checked(await given(request), VARIATION)
        found = self._catalogue().products.get(number)
        if found and found["parent_id"] not in (0, parent):
            message = "Parent product does not match current variation."
            raise RestError("woocommerce_rest_cannot_edit", message, 403)
        return JSONResponse(self._update_variation(parent, number, fields))

    async def variations(self, request: Request) -> Response:
        """``POST /products/{id}/variations/batch``; nobody asks whose variations they are."""
        parent = request.path_params["id"]
        return batch(
            await given(request),
            lambda row: self._update_variation(
                whole(row.get("product_id", parent)), whole(row["id"]), row
            ),
            self._accepted,
        )

    # -- how it is kept ----------------------------------------------------------------------------

    def _update(self, number: int, fields: Json) -> Json:
        found = self._found(number, "product")
        if found["type"] == "variation":
            raise RestError("woocommerce_rest_invalid_product_id", ELSEWHERE, 404)
        self._write(found, fields)
        self._accepted["product_updated"] += 1
        return copy.deepcopy(found)

    def _update_variation(self, parent: int, number: int, fields: Json) -> Json:
        found = self._found(number, "product_variation")
        if found["type"] != "variation":
            # The vendor would take the product for a variation; nobody means that.
            raise RestError("woocommerce_rest_product_variation_invalid_id", "Invalid ID.", 400)
        if parent != found["parent_id"]:
            self._catalogue().move(found, parent)
        self._write(found, {name: one for name, one in fields.items() if name in VARIATION})
        self._accepted["variation_updated"] += 1
        return copy.deepcopy(below(found))

    def _found(self, number: int, kind: str) -> Json:
        found = self._catalogue().products.get(number)
        if found is None:
            raise RestError(f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.", 400)
        return found

    def _write(self, product: Json, fields: Json) -> None:
        """Set what is given, all of it or nothing; null means nothing."""
        asked = {name: value for name, value in fields.items() if value is not None}
        fresh = self._named(product, asked)
        fresh |= _priced(product, asked)
        fresh |= _counted(product, asked)
        if "meta_data" in asked:
            fresh["meta_data"] = merged(product["meta_data"], asked["meta_data"], self._meta_ids)
        product |= fresh
        self._catalogue().changed(product["id"])

    def _named(self, product: Json, asked: Json) -> Json:
        fresh: Json = {
            name: str(asked[name]).strip()
            for name in ("name", "description", "short_description")
            if name in asked
        }
        if "status" in asked:
            known = asked["status"] in PRODUCT["status"]
            fresh["status"] = asked["status"] if known else "draft"
        if "catalog_visibility" in asked:
            if asked["catalog_visibility"] not in PRODUCT["catalog_visibility"]:
                message = "Invalid catalog visibility option."
                raise RestError("product_invalid_catalog_visibility", message, 400)
            fresh["catalog_visibility"] = asked["catalog_visibility"]
        if "sku" in asked:
            fresh["sku"] = self._unique("sku", text(asked["sku"]), product)
        if "global_unique_id" in asked:
            digits = re.sub(r"[^0-9-]", "", text(asked["global_unique_id"]))
            fresh["global_unique_id"] = self._unique("global_unique_id", digits, product)
        return fresh

    def _unique(self, name: str, value: str, product: Json) -> str:
        others = [
            one
            for one in self._catalogue().products.values()
            if one[name].lower() == value.lower()
            and one["id"] != product["id"]
            and one["status"] != "trash"
        ]
        if not value or not others:
            return value
        more = {"status": 400, "resource_id": others[0]["id"], f"unique_{name}": f"{value}-1"}
        what = "SKU" if name == "sku" else "GTIN, UPC, EAN or ISBN"
        raise RestError(f"product_invalid_{name}", f"Invalid or duplicated {what}.", more)


def batch(rows: Json, write: Callable[[Json], Json], accepted: Counter[str]) -> Response:
    """Every row by itself; too many of them and nothing is done."""
    if sum(len(rows.get(part) or ()) for part in PARTS) > MOST:
        message = f"Unable to accept more than {MOST} items for this request."
        raise RestError("woocommerce_rest_request_entity_too_large", message, 413)
    for part in ("create", "delete"):
        if rows.get(part):
            raise RestError("sandbox_not_here", f"This store does not {part} in a batch.", 501)
    answered = [_tried(row, write) for row in rows.get("update") or ()]
    if any("error" not in one for one in answered):
        accepted["batch_updated"] += 1
    return JSONResponse({"update": answered} if answered else [])


def _tried(row: Any, write: Callable[[Json], Json]) -> Json:
    """One row of a batch: what became of it, or why nothing did."""
    number = row.get("id") if isinstance(row, dict) else None
    try:
        return write({"id": 0} | row if isinstance(row, dict) else {"id": 0})
    except RestError as refused:
        return {"id": number, "error": refused.body()}


def _priced(product: Json, asked: Json) -> Json:
    """Prices; what only has variations costs nothing by itself."""
    if product["type"] == "variable":
        return {}
    names = ("regular_price", "sale_price")
    return {name: decimal(asked[name]) for name in names if name in asked}


def _counted(product: Json, asked: Json) -> Json:
    """Stock; without a count of its own the quantity is passed over in silence."""
    fresh: Json = {}
    if "manage_stock" in asked:
        fresh["manage_stock"] = asked["manage_stock"] in (True, 1, "1", "yes", "true")
    if "backorders" in asked:
        fresh["backorders"] = asked["backorders"]
    if "stock_status" in asked:
        known = asked["stock_status"] in PRODUCT["stock_status"]
        fresh["stock_status"] = asked["stock_status"] if known else "instock"
    is_counted = fresh.get("manage_stock", product["manage_stock"]) is True
    if is_counted and "stock_quantity" in asked:
        fresh["stock_quantity"] = whole(asked["stock_quantity"])
    return fresh
