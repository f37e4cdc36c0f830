"""B2B Edition of the sandbox store over REST: companies, and what it knows of orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_calls import Call, Calls
from platforms.bigcommerce.sandbox_companies import Companies, shown
from platforms.bigcommerce.sandbox_orders import Order
from platforms.bigcommerce.sandbox_rest_orders import Rows
from platforms.bigcommerce.sandbox_shapes import GoneError, Json, RefusedError

PEOPLE, ORDERS = "store_v2_customers", "store_v2_orders"
BOUNDS = {"minModified", "maxModified", "minCreated", "maxCreated"}
PAGING = {"limit", "offset", "sortBy", "orderBy"}
NUMBERS = set("companyId bcOrderId orderId bcGroupId customerId companyStatus".split())
COMPANY_FILTERS = NUMBERS - {"companyId"} | {"q", "extraFields", "extraFieldFilterType"}
CHOICES = {
    "orderBy": {"ASC", "DESC"},
    "companyStatus": set("0123"),
    "isIncludeExtraFields": set("01"),
    "extraFieldFilterType": {"search", "exact-match"},
    "showExtra": {"true", "false"},
}
MOST = 200
OLDEST = timedelta(days=365)
"""Orders that are left out unless a call says from when on."""
CAMEL = {
    "id": "id",
    "option_id": "optionId",
    "product_option_id": "productOptionId",
    "order_product_id": "orderProductId",
    "display_name": "displayName",
    "display_name_customer": "displayNameCustomer",
    "display_name_merchant": "displayNameMerchant",
    "display_value": "displayValue",
    "display_value_customer": "displayValueCustomer",
    "display_value_merchant": "displayValueMerchant",
    "value": "value",
    "type": "type",
    "name": "name",
    "display_style": "displayStyle",
}


class CompanyCalls(Calls):
    """Handlers of B2B Edition."""

    @property
    def companies(self) -> Companies:
        """Who buys on account."""
        return self.store.people.companies

    def rows(self) -> Rows:
        """Version, method, path, right and handler of each."""
        company, order = "/companies/{id:int}", "/orders/{id:int}"
        return [
            ("b2b", "GET", "/companies", PEOPLE, self._list),
            ("b2b", "GET", company, PEOPLE, self._get),
            ("b2b", "GET", "/orders", ORDERS, self._orders),
            ("b2b", "GET", order, ORDERS, self._order),
            ("b2b", "PUT", order, ORDERS, self._write_order),
            ("b2b", "GET", order + "/products", ORDERS, self._lines),
            ("b2b", "PUT", "/customers/{id:int}/orders/b2b", ORDERS, self._assign),
        ]

    # -- companies ---------------------------------------------------------------------------------

    def _list(self, call: Call) -> Response:
        query = call.request.query_params
        _check(query, COMPANY_FILTERS | {"isIncludeExtraFields"}, {"companyName", "updatedAt"})
        rows = [
            row
            for number, row in self.companies.rows.items()
            if self._is_meant(number, row, query)
            # The bounds belong to what they let in.
            and all(low <= row[at] <= high for at, low, high in _bounds(query))
        ]
        # The highest number comes first, unless the call says by what.
        by = query.get("sortBy")
        rows = _sorted(rows, query, lambda row: (row[by] if by else 0, int(row["companyId"])))
        told = [shown(row, is_listed=True) for row in rows]
        if query.get("isIncludeExtraFields") != "1":
            for row in told:
                del row["extraFields"]
        return _page(query, told)

    def _get(self, call: Call) -> Response:
        return call.shown(shown(self.companies.rows[self.companies.number(call.number())]))

    def _is_meant(self, number: int, row: Json, query: QueryParams) -> bool:
        asked = {name: query[name] for name in COMPANY_FILTERS if query.get(name)}
        buyers_of = self.companies.of(int(asked.get("customerId", 0)))
        found: dict[str, Callable[[str], bool]] = {
            "companyStatus": lambda one: bool(row["companyStatus"] == one),
            "bcGroupId": lambda one: bool(row["bcGroupId"] == int(one)),
            "customerId": lambda _: buyers_of == number,
            "bcOrderId": lambda one: self._bought(number, one),
            "orderId": lambda one: self._bought(number, one),
            "q": lambda one: bool(one.lower() in row["companyName"].lower()),
        }
        is_exact = query.get("extraFieldFilterType") == "exact-match"
        texts = [one for one in query.getlist("extraFields") if one]
        return all(found[name](one) for name, one in asked.items() if name in found) and all(
            _has(row, text, is_exact=is_exact) for text in texts
        )

    def _bought(self, number: int, order_id: str) -> bool:
        kept = self.companies.orders.get(int(order_id))
        return kept is not None and kept["companyId"] == number

    # -- orders ------------------------------------------------------------------------------------

    def _orders(self, call: Call) -> Response:
        query = call.request.query_params
        names = {"companyId", "bcOrderId", "showExtra", "channelIds[]"}
        _check(query, names, {"createdAt", "updatedAt"})
        rows = [self.companies.listed(one) for one in self.store.orders.values()]
        for name in {"companyId", "bcOrderId"} & set(query):
            rows = [row for row in rows if row[name] == int(query[name])]
        if channels := ",".join(query.getlist("channelIds[]")):
            rows = [row for row in rows if str(row["channelId"]) in channels.split(",")]
        # The bounds do not belong to what they let in.
        for at, low, high in _bounds(query):
            rows = [row for row in rows if low < row[at] < high]
        if not any(query.get(name) for name in ("minModified", "minCreated")):
            oldest = (self.store.clock() - OLDEST).timestamp()
            rows = [row for row in rows if row["updatedAt"] >= oldest]
        by = query.get("sortBy", "updatedAt")
        rows = _sorted(rows, query, lambda row: (row[by], row["id"]))
        if query.get("showExtra") == "true":
            rows = [row | self.companies.more_of(row["bcOrderId"]) for row in rows]
        return _page(query, rows)

    def _order(self, call: Call) -> Response:
        body = self.companies.order(self._an_order(call, "Order Does Not Exist."))
        return call.shown([body] if call.seed["b2b_data_is_list"] else body)

    def _write_order(self, call: Call) -> Response:
        order = self._an_order(call, "Not Found Error")
        body = self.companies.write_order(order, call.body)
        self.accepted["b2b_orders.update"] += 1
        return call.shown([body] if call.seed["b2b_data_is_list"] else body)

    def _lines(self, call: Call) -> Response:
        order = self._an_order(call, "The order does not exist.")
        head = self.companies.order(order)
        times = {name: head[name] for name in ("createdAt", "updatedAt")}
        return call.shown([_line(line) | times for line in order.lines])

    def _assign(self, call: Call) -> Response:
        """Hand the orders a customer placed before over to the company."""
        company_id = self.companies.of(call.number())
        if company_id is None:
            raise GoneError("User does not exist or action not support for this user.")
        heads = [one.head for one in self.store.orders.values()]
        mine = [head for head in heads if head["customer_id"] == call.number()]
        for head in mine:
            self.companies.link(head, company_id)
        return call.shown({"total": len(mine)})

    def _an_order(self, call: Call, text: str) -> Order:
        order = self.store.orders.get(call.number())
        if order is None:
            raise GoneError(text)
        return order


def _check(query: QueryParams, names: set[str], sorts: set[str]) -> None:
    """Refuse what the list does not know, and values of the wrong kind."""
    if unknown := set(query) - names - BOUNDS - PAGING:
        raise RefusedError(f"unknown: {', '.join(sorted(unknown))}", status=400)
    # A bound may be there without a value.
    numbers = [query[name] for name in (NUMBERS | {"limit", "offset"}) & set(query)]
    numbers += [query[name] for name in BOUNDS & set(query) if query[name]]
    if not all(one.isdecimal() for one in numbers):
        raise RefusedError("limit, offset, numbers and bounds in time are whole", status=400)
    if not 1 <= int(query.get("limit", 10)) <= MOST:
        raise RefusedError(f"limit is from 1 to {MOST}", status=400)
    for name, allowed in (CHOICES | {"sortBy": sorts}).items():
        if name in query and query[name] not in allowed:
            raise RefusedError(f"{name} is invalid", status=400)
    if any(":" not in one for one in query.getlist("extraFields")):
        raise RefusedError("extraFields is name:value", status=400)


def _bounds(query: QueryParams) -> list[tuple[str, float, float]]:
    found = []
    for word, at in (("Modified", "updatedAt"), ("Created", "createdAt")):
        low, high = query.get(f"min{word}"), query.get(f"max{word}")
        if low or high:
            found.append((at, float(low or "-inf"), float(high or "inf")))
    return found


def _sorted(
    rows: list[Json], query: QueryParams, key: Callable[[Json], tuple[object, int]]
) -> list[Json]:
    return sorted(rows, key=key, reverse=query.get("orderBy", "DESC") == "DESC")


def _page(query: QueryParams, rows: list[Json]) -> Response:
    """Pages here count by rows."""
    limit, start = int(query.get("limit", 10)), int(query.get("offset", 0))
    pages = {"totalCount": len(rows), "limit": limit, "offset": start}
    meta = {"message": "SUCCESS", "pagination": pages}
    return JSONResponse({"code": 200, "data": rows[start : start + limit], "meta": meta})


def _has(row: Json, text: str, *, is_exact: bool) -> bool:
    name, _, value = text.partition(":")
    for one in row["extraFields"]:
        if one["fieldName"] == name:
            seen = str(one["fieldValue"])
            return seen == value if is_exact else value.lower() in seen.lower()
    return False


def _line(line: Json) -> Json:
    options = [{CAMEL[name]: one[name] for name in CAMEL} for one in line["product_options"]]
    return {
        "id": line["id"],
        "productId": line["product_id"],
        "productName": line["name"],
        "variantSku": line["sku"],
        "variantId": line["variant_id"],
        "productBrandName": "",
        "quantity": line["quantity"],
        "options": options,
    }
