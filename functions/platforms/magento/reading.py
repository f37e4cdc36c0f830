"""What is asked of Magento's REST V1, and what the answers tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import ValidationError

from fizzbridge.errors import ConfigurationError, MalformedDeliveryError
from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Hint, Told
from fizzbridge.settings import Connection
from platforms.magento import mapping, wire
from platforms.magento.lines import Shop


class NoRouteError(ConfigurationError):
    """The shop has no such route: a wrong address, or a module that is not there."""


Groups = list[list[tuple[str, str, str]]]
"""Filters: those of one group are alternatives, and all groups must hold."""


class Document(NamedTuple):
    """What follows an order: how it is called, where one of it is, and how it is read."""

    what: str
    path: str
    wire: type[wire.Following]
    mapping: Callable[[Any, wire.Order, Shop], Iterable[Told]]


DOCUMENTS = {
    "invoices": Document("invoice", "invoices", wire.Invoice, mapping.invoice),
    "creditmemos": Document("creditmemo", "creditmemo", wire.CreditMemo, mapping.creditmemo),
    "shipments": Document("shipment", "shipment", wire.Shipment, mapping.shipment),
}
NAMED = {one.what: one for one in DOCUMENTS.values()}
_LISTS = {"customers": "customers/search"}
"""Lists that are not found where their stream's name says."""


class Api:
    """The shop's API, in the scope of the connection's store.

    Args:
        vendor: the client.
        connection: the connection.
        currencies: what its prices are in, by connection, as far as it was read already.
    """

    def __init__(
        self, vendor: VendorClient, connection: Connection, currencies: MutableMapping[str, str]
    ) -> None:
        settings = connection.settings
        levies = str(settings.get("levies", "")).split(",")
        self._vendor = vendor
        self._store = str(settings.get("store", "all"))
        self._root = f"/rest/{quote(self._store, safe='')}/V1"
        self._stock = int(settings.get("stock", 1))
        self._currencies = currencies
        self._shop = Shop(
            connection.name,
            bool(settings.get("tax_included", False)),
            frozenset(one.strip() for one in levies if one.strip()),
        )

    def listed(
        self, stream: str, groups: Groups, size: int, page: int = 1
    ) -> tuple[list[Any], int]:
        """One page of a stream, sorted by change and number, and how many rows there are in all."""
        found = self._get(_LISTS.get(stream, stream), criteria(groups, size, page))
        return found["items"] or [], int(found["total_count"])

    def told(self, stream: str, rows: Iterable[Any]) -> Iterator[Told]:
        """What rows of a list tell; one that cannot be read is left to a hint of its own."""
        document = DOCUMENTS.get(stream)
        read = {"customers": self._customer, "products": self._product}.get(stream, self._order)
        orders = self._orders(rows) if document else {}
        for row in rows:
            try:
                if document:
                    found = list(self._follows(document, row, orders.get(str(row["order_id"]))))
                else:
                    found = list(read(row))
            except (MalformedDeliveryError, ValidationError):
                what = document.what if document else stream.removesuffix("s")
                found = [Hint(what, str(number(row)))]
            yield from found

    def order(self, hint: Hint) -> Iterable[Told]:
        """One order."""
        return self._order(self._get(f"orders/{hint.external_id}"))

    def document(self, hint: Hint) -> Iterable[Told]:
        """One invoice, credit memo or shipment, with its order beside it."""
        document = NAMED[hint.what]
        row = self._get(f"{document.path}/{hint.external_id}")
        return self._follows(document, row, self._get(f"orders/{row['order_id']}"))

    def customer(self, hint: Hint) -> Iterable[Told]:
        """One account."""
        return self._customer(self._get(f"customers/{hint.external_id}"))

    def company(self, hint: Hint) -> Iterator[Told]:
        """One company; a shop without the B2B module has no such route, and none of them."""
        with suppress(NoRouteError):
            row = self._get(f"company/{hint.external_id}")
            yield from mapping.company(wire.Business.model_validate(row), self._shop)

    def product(self, hint: Hint) -> Iterator[Told]:
        """One product; only its SKU could stand in an address."""
        for row in self._by_number(hint):
            yield from self._product(row)

    def stock(self, hint: Hint) -> Iterator[Told]:
        """What is offered of one product: less than its sources hold, by what is ordered."""
        for row in self._by_number(hint):
            sku = str(row["sku"])
            if "/" in sku:
                continue  # no two servers read it alike in an address
            told = wire.StockedProduct.model_validate(self._get(f"products/{quote(sku, safe='')}"))
            item = told.extension_attributes.stock_item
            if item.manage_stock:
                of = f"inventory/get-product-salable-quantity/{quote(sku, safe='')}/{self._stock}"
                offered = Decimal(str(self._get(of))) if self._stock else item.qty
                yield from mapping.stock(told, offered, self._shop)

    def _by_number(self, hint: Hint) -> list[Any]:
        return self.listed("products", [[("entity_id", "eq", hint.external_id)]], 1)[0]

    def _product(self, row: Any) -> Iterable[Told]:
        return mapping.product(wire.Product.model_validate(row), self._currency(), self._shop)

    def _currency(self) -> str:
        """What catalogue prices are in: the base currency of the store's website."""
        name = self._shop.connection
        if name not in self._currencies:
            found = [
                wire.StoreConfig.model_validate(one) for one in self._get("store/storeConfigs")
            ]
            own = [one for one in found if one.code == self._store] or found
            self._currencies[name] = own[0].base_currency_code
        return self._currencies[name]

    def _order(self, row: Any) -> Iterable[Told]:
        return mapping.order(wire.Order.model_validate(row), self._shop)

    def _customer(self, row: Any) -> Iterable[Told]:
        return mapping.customer(wire.Customer.model_validate(row), self._shop)

    def _follows(self, document: Document, row: Any, order: Any) -> Iterable[Told]:
        told = document.wire.model_validate(row)
        return document.mapping(told, wire.Order.model_validate(order), self._shop)

    def _orders(self, rows: Iterable[Any]) -> dict[str, Any]:
        """The orders that rows belong to: only they know what is part of what."""
        wanted = sorted({int(row["order_id"]) for row in rows})
        if not wanted:
            return {}
        groups = [[("entity_id", "in", ",".join(map(str, wanted)))]]
        found, _ = self.listed("orders", groups, len(wanted))
        return {str(one["entity_id"]): one for one in found}

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return self._vendor.get(f"{self._root}/{path}", params=params).data


def number(row: Mapping[str, Any]) -> int:
    """A row's number: searched and sorted by as ``entity_id``, though accounts say ``id``."""
    return int(row["entity_id"] if "entity_id" in row else row["id"])


def behind(at: str, last: str | int) -> Groups:
    """Later than a row, or of the same second with a higher number."""
    later = [("updated_at", "gt", at), ("entity_id", "gt", str(last))]
    return [[("updated_at", "gteq", at)], later]


def criteria(groups: Groups, size: int, page: int = 1) -> dict[str, str]:
    """Filters, order and page as the query spells them."""
    found = {"[pageSize]": str(size), "[currentPage]": str(page)}
    for count, group in enumerate(groups):
        for place, (field, condition, value) in enumerate(group):
            of = f"[filter_groups][{count}][filters][{place}]"
            found |= {f"{of}[field]": field, f"{of}[condition_type]": condition}
            found[f"{of}[value]"] = value
    for count, field in enumerate(("updated_at", "entity_id")):
        found |= {f"[sortOrders][{count}][field]": field}
        found |= {f"[sortOrders][{count}][direction]": "ASC"}
    return {f"searchCriteria{name}": value for name, value in found.items()}


def gmt(moment: datetime) -> str:
    """A time as filters take it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
