"""The reads of the Commerce API: orders, customers, products and stock."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.sfcc.sandbox_products import SEARCH, ProductQuery
from platforms.sfcc.sandbox_scapi import PAGE, PAGE_LIMIT, OrderQuery, ProblemError, json_of, plain
from platforms.sfcc.sandbox_store import Store
from platforms.sfcc.sandbox_sums import Json

SKU_LIMIT = 100
FIELDS = "customerNo email login firstName lastName companyName phoneHome".split()


class Reads:
    """Answers of the API.

    Args:
        seed: what the tenant is like.
        store: what it holds.
    """

    def __init__(self, seed: Json, store: Store) -> None:
        self._seed = seed
        self._store = store

    async def orders(self, request: Request) -> Response:
        """A page of a site's orders."""
        asked = OrderQuery(request, self._seed["depth"])
        self._known_site(asked.site)
        body = asked.page(self._store.seen(self._seed["index_lag_seconds"]))
        if self._seed["omits_empty_data"] and not body["data"]:
            del body["data"]
        return JSONResponse(body)

    async def order(self, request: Request) -> Response:
        """One order of a site."""
        site = plain(request, ("siteId",), ("siteId",))["siteId"]
        self._known_site(site)
        number = request.path_params["number"]
        for order in self._store.seen(self._seed["read_lag_seconds"]):
            if (order["orderNo"], order["siteId"]) == (number, site):
                return JSONResponse(order)
        detail = f"No order with the number {number} was found."
        raise ProblemError(404, "order-not-found", detail, orderNo=number)

    async def stock(self, request: Request) -> Response:
        """Stock of some SKUs in some places."""
        plain(request, ())
        given = await json_of(request, ("skus", "locationIds"))
        skus, places = (_texts(given, name) for name in ("skus", "locationIds"))
        if len(skus) > SKU_LIMIT:
            raise ProblemError(400, "bad-request", f"More than {SKU_LIMIT} skus.")
        return JSONResponse({"records": self._store.available(skus, places)})

    async def customer_search(self, request: Request) -> Response:
        """Customers by a text in some of their fields."""
        plain(request, ())
        name = request.path_params.get("list")
        self._has_path("search" if name is None else "lists", name)
        given = await json_of(request, ("query", "limit", "offset"))
        limit = _whole(given, "limit", PAGE, 1, PAGE_LIMIT)
        offset = _whole(given, "offset", 0, 0, self._seed["depth"] - limit)
        fields, phrase = _text_query(given.get("query"))
        found = [
            {"data": one}
            for one in self._store.customers.values()
            if any(str(one.get(field, "")).lower() == phrase.lower() for field in fields)
        ]
        body: Json = {"limit": limit, "offset": offset, "total": len(found)}
        if hits := found[offset : offset + limit]:
            body["hits"] = hits
        return JSONResponse(body)

    async def customer(self, request: Request) -> Response:
        """One customer of a list."""
        plain(request, ())
        self._has_path("lists", request.path_params["list"])
        number = request.path_params["number"]
        if number not in self._store.customers:
            detail = f"No customer with the number {number} was found."
            raise ProblemError(404, "customer-not-found", detail, customerNo=number)
        return JSONResponse(self._store.customers[number])

    async def product(self, request: Request) -> Response:
        """One product; its texts are by language."""
        query = plain(request, ("siteId",))
        if site := query.get("siteId"):
            self._known_site(site)
        sku = request.path_params["sku"]
        if sku not in self._store.products:
            detail = f"No product with the ID {sku} was found."
            raise ProblemError(404, "product-not-found", detail, productId=sku)
        given = self._store.products[sku]
        body = self._store.catalogue.body(sku) | {
            "minOrderQuantity": float(given.get("minimum", 1)),
            "stepQuantity": float(given.get("step", 1)),
        }
        return JSONResponse(body)

    async def product_search(self, request: Request) -> Response:
        """Products by their times."""
        query = plain(request, ("siteId",))
        if "siteId" in query:
            self._known_site(query["siteId"])
        given = await json_of(request, SEARCH)
        limit = _whole(given, "limit", PAGE, 1, PAGE_LIMIT)
        offset = _whole(given, "offset", 0, 0, self._seed["depth"] - limit)
        found = ProductQuery(given).found(self._store.catalogue.bodies())
        body: Json = {"hits": found[offset : offset + limit], "limit": limit, "offset": offset}
        # The vendor repeats what it was asked.
        body |= {name: given[name] for name in ("query", "sorts") if name in given}
        return JSONResponse(body | {"total": len(found)})

    def _known_site(self, site: str) -> None:
        if site not in self._seed["sites"]:
            raise ProblemError(403, "forbidden", f"The site {site} is not open to this client.")

    def _has_path(self, path: str, name: str | None) -> None:
        if path not in self._seed["customer_paths"]:
            raise ProblemError(404, "not-found", "The tenant does not have this path.")
        if name not in {None, self._seed["customer_list"]}:
            raise ProblemError(404, "customer-list-not-found", f"There is no list {name}.")


def _texts(given: Json, name: str) -> list[str]:
    value = given.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ProblemError(400, "bad-request", f"{name} is a list of texts.", parameter=name)
    return value


def _whole(given: Json, name: str, default: int, least: int, most: int) -> int:
    value = given.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise ProblemError(400, "bad-request", f"{name} does not take {value!r}.", parameter=name)
    return value


def _text_query(query: Any) -> tuple[list[str], str]:
    """The only kind of query known: a phrase in some fields."""
    match query:
        case {"textQuery": {"fields": [*fields], "searchPhrase": str(phrase), **more}, **others}:
            if not more and not others and fields and set(fields) <= set(FIELDS) and phrase:
                return fields, phrase
    raise ProblemError(400, "malformed-query", "The query is not understood.")
