"""What the sandbox's API lets one read: feeds by version, single rows, the search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.lightspeed.sandbox_query import Search, WrongRequestError, flag, only, page
from platforms.lightspeed.sandbox_shapes import Json, modern_sale, shown, text
from platforms.lightspeed.sandbox_store import Store

Answer = Callable[[Request], Awaitable[Response]]
Reads = dict[str, tuple[tuple[str, ...], Answer]]

# Path, table, scope; whether the list knows ``deleted``, and whether one row can be asked for.
LISTS = (
    ("products", "products", "products:read", True, True),
    ("customers", "customers", "customers:read", True, True),
    ("customer_groups", "customer_groups", "customers:read", True, True),
    ("outlets", "outlets", "outlets:read", True, True),
    ("registers", "registers", "registers:read", True, True),
    ("users", "users", "users:read", False, True),
    ("payment_types", "payment_types", "payment_types:read", False, False),
    ("taxes", "taxes", "taxes:read", False, False),
    ("price_books", "price_books", "products:read:price_books", False, True),
    ("price_book_products", "price_book_products", "products:read:price_books", False, False),
    ("consignments", "consignments", "consignments:read", False, True),
    ("inventory", "inventory", "inventory:read", False, False),
)
FEED = ("after", "before", "page_size")
# What a row shows even when there is nothing in it.
KEPT = {
    "customers": frozenset({"first_name", "last_name", "on_account_limit"}),
    "taxes": frozenset({"deleted_at"}),
}
# What a row of this table does not show.
HIDDEN = {
    "payment_types": {"created_at", "updated_at"},
    "taxes": {"created_at", "updated_at"},
    "outlets": {"created_at", "updated_at"},
    "registers": {"created_at", "updated_at"},
    "inventory": {"created_at", "updated_at", "average_cost"},
    "price_books": {"created_at", "updated_at"},
}
FILTERS = {"consignments": ("type", "status", "outlet_id")}


class ReadApi:
    """The reading half of the API.

    Args:
        seed: what the shop is like.
        store: gives the shop as it is now.
    """

    def __init__(self, seed: Json, store: Callable[[], Store]) -> None:
        self.seed = seed
        self._store = store

    @property
    def store(self) -> Store:
        """The shop as it is now."""
        return self._store()

    def routes(self) -> Reads:
        """Every path below the version, with the scopes it needs."""
        found: Reads = {
            "/sales": (("sales:read",), self._sales),
            "/sales/{id}": (("sales:read",), self._sale),
            "/sales/{id}/fulfillments": (("fulfillments:read",), self._fulfillments),
            "/retailer": (("retailer:read",), self._retailer),
            "/search": ((), self._search),
            "/products/{id}/inventory": (("inventory:read",), self._levels),
            "/products/{id}/price_book_products": (("products:read:price_books",), self._prices),
            "/price_books/{id}/products": (("products:read:price_books",), self._prices),
            "/consignments/{id}/products": (("consignments:read",), self._consigned),
        }
        for path, table, scope, has_deleted, has_one in LISTS:
            found[f"/{path}"] = ((scope,), self._listing(table, has_deleted))
            if has_one:
                found[f"/{path}/{{id}}"] = ((scope,), self._one(table))
        return found

    def row(self, table: str, row: Json) -> Json:
        """A row as REST shows it."""
        body = {key: value for key, value in row.items() if key not in HIDDEN.get(table, ())}
        if table == "inventory" and self.seed["stock_as_text"]:
            body["inventory_level"] = text(Decimal(str(body["inventory_level"])))
        return shown(body, self.seed["shows_nulls"], KEPT.get(table, frozenset()))

    def _page(self, request: Request, rows: list[tuple[int, Json]]) -> Response:
        size, most = self.seed["page_size"], self.seed["most_rows"]
        return JSONResponse(page(request.query_params, rows, size, most))

    def _listing(self, table: str, has_deleted: bool) -> Answer:
        async def listing(request: Request) -> Response:
            query = request.query_params
            filters = FILTERS.get(table, ())
            only(query, (*FEED, *(("deleted",) if has_deleted else ()), *filters))
            # A feed without the switch has the deleted rows in it, or nobody would hear of them.
            wants = not has_deleted or flag(query, "deleted") or self.seed["always_lists_deleted"]
            rows = [
                (one["version"], self.row(table, one))
                for one in self.store.tables[table].values()
                if (wants or not one["deleted_at"])
                and all(query.get(name) in (None, one[name]) for name in filters)
            ]
            return self._page(request, rows)

        return listing

    def _one(self, table: str) -> Answer:
        async def one(request: Request) -> Response:
            only(request.query_params, ())
            return JSONResponse({"data": self.row(table, self._found(request, table))})

        return one

    def _found(self, request: Request, table: str) -> Json:
        row = self.store.tables[table].get(request.path_params["id"])
        if row is None:
            raise WrongRequestError("The requested resource was not found.", 404)
        return row

    def found_sale(self, request: Request) -> Json:
        """The sale of the path, or 404."""
        sale = self.store.sales.get(request.path_params["id"])
        if sale is None:
            raise WrongRequestError("The requested resource was not found.", 404)
        return sale

    async def _sales(self, request: Request) -> Response:
        only(request.query_params, FEED)
        nulls = self.seed["shows_nulls"]
        sales = self.store.sales.values()
        return self._page(request, [(x["version"], modern_sale(x, nulls=nulls)) for x in sales])

    async def _sale(self, request: Request) -> Response:
        only(request.query_params, ())
        return JSONResponse({"data": self.store.shown(self.found_sale(request)["id"])})

    async def _fulfillments(self, request: Request) -> Response:
        only(request.query_params, ())
        sale = self.found_sale(request)
        return JSONResponse({"data": self.store.fulfillments.get(sale["id"], [])})

    async def _retailer(self, request: Request) -> Response:
        only(request.query_params, ())
        return JSONResponse({"data": self.store.retailer()})

    async def _levels(self, request: Request) -> Response:
        only(request.query_params, FEED)
        product = self._found(request, "products")
        rows: list[tuple[int, Json]] = []
        for one in self.store.levels(product["id"]):
            level = self.row("inventory", one)
            level |= {"current_amount": level["inventory_level"]}
            level |= {"average_cost": one["average_cost"]}
            rows.append((one["version"], level))
        return self._page(request, rows)

    async def _prices(self, request: Request) -> Response:
        only(request.query_params, FEED)
        is_of_product = "/products/" in request.url.path.partition("/price_book")[0] + "/"
        table, key = (
            ("products", "product_id") if is_of_product else ("price_books", "price_book_id")
        )
        owner = self._found(request, table)["id"]
        entries = self.store.tables["price_book_products"].values()
        rows = [(x["version"], self.row("prices", x)) for x in entries if x[key] == owner]
        return self._page(request, rows)

    async def _consigned(self, request: Request) -> Response:
        only(request.query_params, FEED)
        row = self._found(request, "consignments")
        times = {"created_at": row["created_at"], "updated_at": row["updated_at"]}
        lines = self.store.consigned[row["id"]]
        rows = [
            (row["version"] + place, one | times | {"version": row["version"] + place})
            for place, one in enumerate(lines)
        ]
        return self._page(request, rows)

    async def _search(self, request: Request) -> Response:
        search = Search(request.query_params)
        if f"{search.type}:read" not in self.seed["scopes"]:
            raise WrongRequestError(f"The token lacks the scope {search.type}:read.", 403)
        rows: list[tuple[Json, Json]]
        if search.type == "sales":
            rows = [(_keys(x), self.store.shown(x["id"])) for x in self.store.sales.values()]
        else:
            rows = [
                (x | {"_id": x["id"], "deleted": x["deleted_at"]}, self.row(search.type, x))
                for x in self.store.tables[search.type].values()
            ]
        return JSONResponse(search.answer(rows))


def _keys(sale: Json) -> dict[str, Any]:
    return sale | {"_id": sale["id"], "at": sale["date"]}
