"""What the sandbox shop shows over REST: its lists, single bodies and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import unquote

from platforms.magento import sandbox_catalogue as catalogue
from platforms.magento import sandbox_companies as companies
from platforms.magento import sandbox_documents as documents
from platforms.magento import sandbox_orders as orders
from platforms.magento import sandbox_people as people
from platforms.magento.sandbox_search import (
    Search,
    VendorError,
    internal_error,
    required,
    unsupported,
    whole,
)
from platforms.magento.sandbox_store import Store
from platforms.magento.sandbox_values import Json

GONE = "The entity that was requested doesn't exist. Verify the entity and try again."
NO_PRODUCT = "The product that was requested doesn't exist. Verify the product and try again."
RETURN_COLUMNS = set(
    "entity_id increment_id order_id order_increment_id store_id customer_id date_requested status"
    " customer_custom_email".split()
)
SOURCE_ITEM_COLUMNS = {"source_item_id", "sku", "source_code", "quantity", "status"}
SOURCE_COLUMNS = {"source_code", "name", "enabled", "country_id", "postcode"}


def no_such(name: str, value: Any) -> VendorError:
    """Nothing has that key."""
    text = "No such entity with %fieldName = %fieldValue"
    return VendorError(404, text, {"fieldName": name, "fieldValue": value})


def gone() -> VendorError:
    """What documents of sales say instead."""
    return VendorError(404, GONE)


class Reads:
    """Reads, one method per route; each gets the parts of the path, the query and the body.

    Args:
        store: the shop.
        seed: its settings.
    """

    def __init__(self, store: Store, seed: Json) -> None:
        self.store = store
        self.seed = seed

    # -- sales -------------------------------------------------------------------------------------

    def list_orders(self, _: Json, query: str) -> Json:
        """Orders that fit."""
        rows = self.store.orders.values()
        found = (self._row(one, partial(self.order, one)) for one in rows)
        return self._search(query, orders.COLUMNS).answer(found)

    def get_order(self, path: Json, _: str) -> Json:
        """One order."""
        return self.order(self.an_order(path))

    def order_comments(self, path: Json, _: str) -> Json:
        """The notes on an order, newest first."""
        notes = self.an_order(path)["status_histories"]
        return self.store.shown(
            {"items": notes, "search_criteria": {"filter_groups": []}, "total_count": len(notes)}
        )

    def list_invoices(self, _: Json, query: str) -> Json:
        """Invoices that fit."""
        return self._documents(self.store.invoices, query)

    def get_invoice(self, path: Json, _: str) -> Json:
        """One invoice."""
        return self._document(self.store.invoices, path)

    def list_shipments(self, _: Json, query: str) -> Json:
        """Shipments that fit."""
        return self._documents(self.store.shipments, query)

    def get_shipment(self, path: Json, _: str) -> Json:
        """One shipment."""
        return self._document(self.store.shipments, path)

    def list_credit_memos(self, _: Json, query: str) -> Json:
        """Credit memos that fit."""
        return self._documents(self.store.credit_memos, query)

    def get_credit_memo(self, path: Json, _: str) -> Json:
        """One credit memo."""
        return self._document(self.store.credit_memos, path)

    def list_returns(self, _: Json, query: str) -> Json:
        """Returns that fit; their date of change is no field of theirs."""
        columns = RETURN_COLUMNS
        if self.seed["returns_have_updated_at"]:
            columns = columns | {"updated_at"}
        found = (
            self._row(one, partial(self.store.shown, one)) | {"updated_at": one["_updated_at"]}
            for one in self.store.returns.values()
        )
        return self._search(query, columns).answer(found)

    def get_return(self, path: Json, _: str) -> Json:
        """One return."""
        return self._document(self.store.returns, path)

    # -- people ------------------------------------------------------------------------------------

    def list_customers(self, _: Json, query: str) -> Json:
        """Accounts that fit."""
        rows = self.store.people.customers.values()
        found = (
            self._row(one, partial(self.store.shown, one)) | {"entity_id": one["id"]}
            for one in rows
        )
        return self._search(query, people.COLUMNS, is_flat=False).answer(found)

    def get_customer(self, path: Json, _: str) -> Json:
        """One account."""
        number = whole(path["id"])
        found = self.store.people.customers.get(number)
        if found is None:
            raise no_such("customerId", number)
        return self.store.shown(found)

    def list_companies(self, _: Json, query: str) -> Json:
        """Companies that fit."""
        found = (
            self._row(one, partial(self.store.shown, one)) | {"entity_id": one["id"]}
            for one in self.store.people.companies.rows.values()
        )
        return self._search(query, companies.COLUMNS).answer(found)

    def get_company(self, path: Json, _: str) -> Json:
        """One company."""
        number = whole(path["id"])
        found = self.store.people.companies.rows.get(number)
        if found is None:
            raise no_such("id", number)
        return self.store.shown(found)

    # -- goods -------------------------------------------------------------------------------------

    def list_products(self, _: Json, query: str) -> Json:
        """Products that fit."""
        goods = self.store.catalogue

        def body(one: Json) -> Json:
            return self.store.shown(goods.body(one, is_listed=True))

        found = (
            catalogue.columns(one) | {"_order": one["id"], "_body": partial(body, one)}
            for one in goods.products.values()
        )
        return self._search(query, catalogue.COLUMNS, is_flat=False).answer(found)

    def get_product(self, path: Json, _: str) -> Json:
        """One product, with its stock."""
        return self.store.shown(self.store.catalogue.body(self.a_product(path), is_listed=False))

    def base_prices(self, _: Json, body: Any) -> list[Json]:
        """Prices by SKU, in every scope that has one; a read, though it is posted."""
        for name in set(body) - {"skus"}:
            raise unsupported(name)
        if not isinstance(body.get("skus"), list):
            raise required("skus")
        found = (self.store.catalogue.find(str(sku)) for sku in body["skus"])
        return [
            self.store.shown({"price": one["price"], "store_id": 0, "sku": one["sku"]})
            for one in found
            if one and one["price"] is not None
        ]

    def get_stock_item(self, path: Json, _: str) -> Json:
        """The stock of one product as the first source has it."""
        body = self.store.catalogue.body(self.a_product(path), is_listed=False)
        return self.store.shown(body["extension_attributes"]["stock_item"])

    def list_source_items(self, _: Json, query: str) -> Json:
        """Rows of stock, which carry no date."""
        found = (
            one | {"_order": place, "_body": partial(self.store.shown, one)}
            for place, one in enumerate(self.store.catalogue.rows.values())
        )
        return self._search(query, SOURCE_ITEM_COLUMNS).answer(found)

    def list_sources(self, _: Json, query: str) -> Json:
        """Where goods lie."""

        def body(code: str) -> Json:
            name = f"{code.title()} Source"
            return {
                "source_code": code,
                "name": name,
                "enabled": True,
                "description": name,
                "latitude": 0,
                "longitude": 0,
                "country_id": "GB",
                "postcode": "00000",
                "use_default_carrier_config": True,
                "carrier_links": [],
            }

        found = (
            body(code) | {"_order": place, "_body": partial(body, code)}
            for place, code in enumerate(self.store.catalogue.sources)
        )
        return self._search(query, SOURCE_COLUMNS).answer(found)

    def list_stocks(self, _: Json, query: str) -> Json:
        """Which sources a website sells from: all of them, here."""
        channel = {"type": "website", "code": "base"}
        body = {"stock_id": 1, "name": "Default Stock"}
        body |= {"extension_attributes": {"sales_channels": [channel]}}
        row = {"_order": 1, "stock_id": 1, "name": "Default Stock", "_body": lambda: body}
        return self._search(query, {"stock_id", "name"}).answer([row])

    def salable(self, path: Json, _: str) -> Any:
        """How much can be sold: a bare number, and a crash for a SKU nobody has."""
        product = self.store.catalogue.find(unquote(path["sku"]))
        if product is None:
            raise CrashError
        if product["type_id"] in catalogue.COMPOSITE:
            text = "Can't check requested quantity for products without Source Items support."
            raise VendorError(400, text)
        if whole(path["stock_id"]) != 1:
            raise no_such("stock_id", whole(path["stock_id"]))
        return self.store.shown({"n": self.store.catalogue.salable(product["sku"])})["n"]

    # -- the shop ----------------------------------------------------------------------------------

    def modules(self, _: Json, __: str) -> list[str]:
        """What is installed."""
        return list(self.seed["modules"])

    def configs(self, _: Json, __: str) -> list[Json]:
        """Currency and time zone of each view."""
        base = self.seed["store"]
        urls = "base_url base_link_url base_static_url base_media_url"
        found: Json = dict.fromkeys(urls.split(), base)
        found |= {f"secure_{name}": base for name in urls.split()}
        return [
            {
                "id": place,
                "code": code,
                "website_id": 1,
                "locale": "en_GB",
                "base_currency_code": self.seed["currency"],
                "default_display_currency_code": self.seed["currency"],
                "timezone": self.seed["timezone"],
                "weight_unit": "kgs",
            }
            | found
            for place, code in enumerate(self.seed["stores"], 1)
        ]

    def websites(self, _: Json, __: str) -> list[Json]:
        """The admin's own website and the shop's."""
        return [
            {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0},
            {"id": 1, "code": "base", "name": "Main Website", "default_group_id": 1},
        ]

    def views(self, _: Json, __: str) -> list[Json]:
        """The admin's own view and the shop's."""
        admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0}
        return [
            admin | {"is_active": 1},
            *(
                {"id": place, "code": code, "name": code.title(), "website_id": 1}
                | {"store_group_id": 1, "is_active": 1}
                for place, code in enumerate(self.seed["stores"], 1)
            ),
        ]

    # -- how they are found ------------------------------------------------------------------------

    def order(self, order: Json) -> Json:
        """The body of an order; a broken one takes its whole page down."""
        if order.get("_is_broken"):
            raise internal_error()
        return self.store.order_body(order)

    def an_order(self, path: Json) -> Json:
        """The order a path names."""
        found = self.store.orders.get(whole(path["id"]))
        if found is None:
            raise gone()
        return found

    def a_product(self, path: Json) -> Json:
        """The product a path names: what a server decoded once is decoded once more."""
        found = self.store.catalogue.find(unquote(path["sku"]))
        if found is None:
            raise VendorError(404, NO_PRODUCT)
        return found

    def _search(self, query: str, columns: set[str], *, is_flat: bool = True) -> Search:
        return Search(
            query,
            columns,
            is_flat=is_flat,
            limit=self.seed["page_limit"],
            repeats_last=bool(self.seed["repeats_last_page"]),
        )

    def _documents(self, kept: dict[int, Json], query: str) -> Json:
        found = (self._row(one, partial(self.store.shown, one)) for one in kept.values())
        return self._search(query, documents.DOCUMENT).answer(found)

    def _document(self, kept: dict[int, Json], path: Json) -> Json:
        found = kept.get(whole(path["id"]))
        if found is None:
            raise gone()
        return self.store.shown(found)

    def _row(self, body: Json, shown: Callable[[], Json]) -> Json:
        plain = {name: one for name, one in body.items() if not isinstance(one, dict | list)}
        return plain | {"_order": body.get("entity_id", body.get("id")), "_body": shown}


class CrashError(Exception):
    """The vendor's code falls over: plain text, not JSON."""


def xml(value: Any, name: str = "response") -> Iterator[str]:
    """The same answer for who asks for XML."""
    yield f"<{name}>"
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from xml(one, inner)
    elif isinstance(value, list):
        for one in value:
            yield from xml(one, "item")
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield f"</{name}>"
