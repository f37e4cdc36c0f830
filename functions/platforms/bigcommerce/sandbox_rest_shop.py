"""Catalogue, price lists, stock and the store's own facts over REST."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_calls import Call, Calls
from platforms.bigcommerce.sandbox_catalogue import Catalogue
from platforms.bigcommerce.sandbox_query import Asked, Filter, field, later, marked, ordered
from platforms.bigcommerce.sandbox_rest_orders import Rows
from platforms.bigcommerce.sandbox_shapes import HELP, GoneError, Json, RefusedError, known, rfc

GOODS, STOCK, PLACES = "store_v2_products", "store_inventory", "store_locations"
FACTS = "store_v2_information"
DATES = "date_created date_modified".split()


PRODUCT_FILTERS = (
    marked("id", "int", "= in min max greater less")
    | marked("date_modified", "date", "= min max")
    | marked("sku", "text", "= in")
    | marked("name", "text", "= like")
    | marked("inventory_level", "int", "= in min max greater less")
    | {name: field(name) for name in ("upc", "mpn", "condition", "availability", "type")}
    | {name: field(name, "bool") for name in ("is_visible", "is_featured", "is_free_shipping")}
    | {"price": field("price", "number")}
)
VARIANT_FILTERS = {"id": field("id", "int"), "sku": field("sku"), "upc": field("upc")}
VARIANT_FILTERS |= marked("product_id", "int", "in")
FIELDS = "include_fields exclude_fields"
LIST_FILTERS = marked("id", "int", "in") | marked("name", "text", "= like")
LIST_FILTERS |= later("date_created") | later("date_modified")
RECORD_FILTERS = (
    marked("variant_id", "int", "in")
    | marked("product_id", "int", "in")
    | marked("currency", "text", "= in")
    | marked("sku", "text", "= in")
    | marked("price", "number", "= min max")
    | later("date_created")
    | later("date_modified")
)
LOCATION_FILTERS = {
    "location_id:in": Filter(lambda row: row["id"], "int", ":in"),
    "location_code:in": Filter(lambda row: row["code"], "text", ":in"),
    "is_active": field("enabled", "bool"),
    "is_default": Filter(lambda row: row["id"] == 1, "bool"),
}
ITEM_FILTERS = {
    f"{name}:in": Filter(lambda row, name=name: row["identity"][name], kind, ":in")  # type: ignore[misc]  # binds the name
    for name, kind in (("sku", "text"), ("variant_id", "int"), ("product_id", "int"))
}
MOST_ITEMS = 2000
MOST_RECORDS = 1000
MOST_NEW_RECORDS = 100


class ShopCalls(Calls):
    """Handlers of catalogue, price lists, stock, places and facts."""

    @property
    def goods(self) -> Catalogue:
        """What is sold."""
        return self.store.catalogue

    def rows(self) -> Rows:
        """Version, method, path, right and handler of each."""
        one, record = "/catalog/products/{id:int}", "/pricelists/{id:int}/records"
        place = "/inventory/locations/{id:int}/items"
        return [
            ("v2", "GET", "/store", FACTS, self._facts),
            ("v2", "GET", "/time", FACTS, self._time),
            ("v2", "GET", "/currencies", FACTS, self._currencies),
            ("v3", "GET", "/catalog/products", GOODS, self._products),
            ("v3", "PUT", "/catalog/products", GOODS, self._write_products),
            ("v3", "GET", one, GOODS, self._product),
            ("v3", "PUT", one, GOODS, self._write_product),
            ("v3", "GET", one + "/variants", GOODS, self._variants),
            ("v3", "GET", one + "/variants/{part:int}", GOODS, self._variant),
            ("v3", "GET", "/catalog/variants", GOODS, self._variants),
            ("v3", "PUT", "/catalog/variants", GOODS, self._write_variants),
            ("v3", "GET", "/pricelists", GOODS, self._price_lists),
            ("v3", "POST", "/pricelists/records", GOODS, self._write_records),
            ("v3", "PUT", "/pricelists/records", GOODS, self._write_records),
            ("v3", "GET", record, GOODS, self._records),
            ("v3", "PUT", record, GOODS, self._write_records),
            ("v3", "DELETE", record, GOODS, self._delete_records),
            ("v3", "GET", "/inventory/items", STOCK, self._items),
            ("v3", "GET", place, STOCK, self._items),
            ("v3", "PUT", "/inventory/adjustments/absolute", STOCK, self._adjust),
            ("v3", "POST", "/inventory/adjustments/relative", STOCK, self._adjust),
            ("v3", "GET", "/inventory/locations", PLACES, self._locations),
        ]

    # -- facts -------------------------------------------------------------------------------------

    def _facts(self, call: Call) -> Response:
        seed = call.seed
        body: Json = {"id": seed["store_hash"], "account_uuid": str(uuid.UUID(int=1))}
        body |= {"domain": seed["domain"], "secure_url": f"https://{seed['domain']}"}
        body |= {"control_panel_base_url": f"https://store-{seed['store_hash']}.shop.example"}
        body |= {"status": "live", "name": "Fizz Wholesale", "language": "en"}
        body |= {"timezone": {"name": "Europe/London", "raw_offset": 0, "dst_offset": 3600}}
        body |= {"currency": seed["currency"], "decimal_places": 2, "country_code": "GB"}
        body |= {"is_price_entered_with_tax": bool(seed["prices_include_tax"])}
        body |= {"weight_units": "KGS", "plan_name": "Standard", "plan_level": "Standard"}
        body |= {"store_id": int(seed["store_id"]), "default_channel_id": seed["channel_id"]}
        return call.shown(body)

    def _time(self, call: Call) -> Response:
        return call.shown({"time": int(self.store.clock().timestamp())})

    def _currencies(self, call: Call) -> Response:
        row: Json = {"id": 1, "is_default": True, "currency_code": call.seed["currency"]}
        row |= {"currency_exchange_rate": "1.0000000000", "decimal_places": 2, "enabled": True}
        row |= {"is_transactional": True, "last_updated": rfc(self.store.clock())}
        return call.page([row])

    # -- catalogue ---------------------------------------------------------------------------------

    def _products(self, call: Call) -> Response:
        asked = call.asked(PRODUCT_FILTERS, f"include sort direction {FIELDS}")
        rows = asked.rows(list(self.goods.products.values()))
        name, direction = asked.query.get("sort", "id"), asked.query.get("direction", "asc")
        if name not in {"id", "name", "sku", "price", *DATES} or direction not in {"asc", "desc"}:
            raise RefusedError("The sort is invalid.", "sort")
        rows = ordered(rows, name, is_descending=direction == "desc")
        return call.listed(asked, [_narrowed(self._with(call, row), asked) for row in rows])

    def _product(self, call: Call) -> Response:
        asked = call.asked(more=f"include {FIELDS}")
        found = self.goods.products.get(call.number())
        if found is None:
            raise GoneError(f"Product {call.number()} not found")
        return call.shown(_narrowed(self._with(call, found), asked))

    def _with(self, call: Call, product: Json) -> Json:
        parts = {one for one in call.request.query_params.get("include", "").split(",") if one}
        if unknown := parts - {"variants", "images", "custom_fields", "bulk_pricing_rules"}:
            raise RefusedError(f"include is invalid: {', '.join(sorted(unknown))}", "include")
        shown = self.goods.with_variants(product) if "variants" in parts else dict(product)
        return shown | {name: [] for name in sorted(parts - {"variants"})}

    def _write_products(self, call: Call) -> Response:
        given = call.batch(10)
        for row in given:
            self.goods.check_product(row)
        rows = [self.goods.write_product(row["id"], row) for row in given]
        self.accepted["products.update"] += 1
        return JSONResponse({"data": rows, "meta": {}})

    def _write_product(self, call: Call) -> Response:
        row = self.goods.write_product(call.number(), call.body)
        self.accepted["products.update"] += 1
        return call.shown(row)

    def _variants(self, call: Call) -> Response:
        rows = list(self.goods.variants.values())
        if "id" in call.request.path_params:
            asked = call.asked(more=FIELDS)
            if call.number() not in self.goods.products:
                raise GoneError(f"Product {call.number()} not found")
            rows = [row for row in rows if row["product_id"] == call.number()]
        else:
            asked = call.asked(VARIANT_FILTERS, FIELDS)
        return call.listed(asked, [_narrowed(row, asked) for row in asked.rows(rows)])

    def _variant(self, call: Call) -> Response:
        found = self.goods.variants.get(call.number("part"))
        if found is None or found["product_id"] != call.number():
            raise GoneError("Variant not found")
        return call.shown(found)

    def _write_variants(self, call: Call) -> Response:
        given = call.batch(50)
        for row in given:
            self.goods.check_variant(row)
        rows = [self.goods.write_variant(row) for row in given]
        self.accepted["variants.update"] += 1
        return JSONResponse({"data": rows, "meta": {}})

    # -- price lists -------------------------------------------------------------------------------

    def _price_lists(self, call: Call) -> Response:
        asked = call.asked(LIST_FILTERS, "before after")
        rows = asked.rows(list(self.goods.price_lists.values()))
        return call.listed(asked, rows, has_cursor=True)

    def _listed_records(self, call: Call) -> tuple[Asked, list[Json]]:
        if call.number() not in self.goods.price_lists:
            raise GoneError(f"Price list {call.number()} not found")
        asked = call.asked(RECORD_FILTERS, "include before after", MOST_RECORDS)
        rows = [
            row | {"sku": self.goods.variants[row["variant_id"]]["sku"]}
            for row in self.goods.records.values()
            if row["price_list_id"] == call.number()
        ]
        return asked, asked.rows(rows)

    def _records(self, call: Call) -> Response:
        asked, rows = self._listed_records(call)
        parts = set(asked.query.get("include", "").split(","))
        hidden = {"bulk_pricing_tiers", "sku"} - parts
        rows = [{name: row[name] for name in row.keys() - hidden} for row in rows]
        return call.listed(asked, rows)

    def _write_records(self, call: Call) -> Response:
        are_new = call.request.method == "POST"
        price_list = call.number() if "id" in call.request.path_params else None
        rows = call.batch(MOST_NEW_RECORDS if are_new else MOST_RECORDS)
        try:
            self.goods.write_records(price_list, rows, are_new=are_new)
        except RefusedError as refused:
            if refused.status != 422:
                raise
            wrong: Json = {"data": {"price_list_id": price_list}}
            wrong |= {"field_errors": {refused.field: refused.text}}
            return JSONResponse({"batch_errors": [wrong]}, 422)
        self.accepted["price_records"] += 1
        return call.shown({})

    def _delete_records(self, call: Call) -> Response:
        _, rows = self._listed_records(call)
        self.goods.delete_records(
            [(row["price_list_id"], row["variant_id"], row["currency"]) for row in rows]
        )
        self.accepted["price_records.delete"] += 1
        return Response(status_code=204)

    # -- stock -------------------------------------------------------------------------------------

    def _items(self, call: Call) -> Response:
        more = "location_id:in location_code:in"
        asked = call.asked(ITEM_FILTERS, more, 1000)
        rows = asked.rows(self.goods.inventory())
        query = asked.query
        if "id" in call.request.path_params:
            if call.number() not in self.goods.locations:
                raise GoneError(f"Location {call.number()} not found")
            wanted = {str(call.number())}
        else:
            wanted = set(filter(None, query.get("location_id:in", "").split(",")))
        codes = set(filter(None, query.get("location_code:in", "").split(",")))
        for row in rows:
            row["locations"] = [
                one
                for one in row["locations"]
                if (not wanted or str(one["location_id"]) in wanted)
                and (not codes or one["location_code"] in codes)
            ]
        return call.listed(asked, [row for row in rows if row["locations"]])

    def _adjust(self, call: Call) -> Response:
        given = call.body
        known(given, {"reason", "items"}, "adjustment")
        items = given.get("items")
        is_absolute = call.request.url.path.endswith("/absolute")
        try:
            self.goods.adjust(_adjustments(items), is_absolute=is_absolute)
        except RefusedError as refused:
            body: Json = {"status": 422, "title": refused.text, "errors": {}}
            if refused.field:
                body["errors"] = {refused.field: refused.text}
            body["type"] = HELP
            return JSONResponse(body, 422, media_type="application/problem+json")
        self.accepted["stock"] += 1
        return JSONResponse({"transaction_id": str(uuid.uuid4())})

    def _locations(self, call: Call) -> Response:
        asked = call.asked(LOCATION_FILTERS)
        return call.listed(asked, asked.rows(list(self.goods.locations.values())))


def _adjustments(items: Any) -> list[Json]:
    if not isinstance(items, list) or not 0 < len(items) <= MOST_ITEMS:
        raise RefusedError("items is missing, empty or too long", "items")
    return items


def _narrowed(row: Json, asked: Asked) -> Json:
    only = {one for one in asked.query.get("include_fields", "").split(",") if one}
    less = {one for one in asked.query.get("exclude_fields", "").split(",") if one}
    kept = (only or set(row)) - less | {"id"}
    return {name: value for name, value in row.items() if name in kept or name == "variants"}
