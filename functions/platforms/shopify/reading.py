"""The questions to the API, and what is made of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from fizzbridge.errors import ConflictError, MalformedDeliveryError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page
from fizzbridge.settings import Connection
from platforms.shopify import goods, mapping, people, queries, wire
from platforms.shopify.asking import ask


def _order(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    found = ask(vendor, connection, queries.ORDER, id=gid)["order"]
    if found is None:
        return
    lines = found["line_items"]
    while lines["pageInfo"]["hasNextPage"]:
        after = lines["pageInfo"]["endCursor"]
        more = ask(vendor, connection, queries.MORE_LINES, id=gid, after=after)["order"]
        if more is None or more["updated_at"] != found["updated_at"]:
            raise ConflictError(f"{gid} changed while it was read", platform="shopify")
        lines = more["line_items"]
        found["line_items"]["nodes"] += lines["nodes"]
    yield from mapping.order(wire.Order.model_validate(found), connection.name)


def _money(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    found = ask(vendor, connection, queries.MONEY, id=gid)["order"]
    if found is None:
        return
    of = {"order_id": gid}
    for node in found["transactions"]:
        yield from mapping.payment(wire.Transaction.model_validate(of | node), connection.name)
    for node in found["refunds"]:
        _be_whole(node, "refund_line_items")
        for moved in node["transactions"]["nodes"]:
            moved |= of
        yield from mapping.refund(wire.Refund.model_validate(of | node), connection.name)


def _shipments(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    found = ask(vendor, connection, queries.FULFILLMENTS, id=gid)["order"]
    for node in found["fulfillments"] if found else ():
        _be_whole(node, "line_items")
        told = wire.Fulfillment.model_validate({"order_id": gid} | node)
        yield from mapping.shipment(told, connection.name)


def _returns(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    """Which returns an order has: each is read by itself, for what its lines may cost."""
    found = ask(vendor, connection, queries.RETURNS, id=gid)["order"]
    for node in found["returns"]["nodes"] if found else ():
        yield Hint("return", _number(node))


def _return(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    found = ask(vendor, connection, queries.RETURN, id=gid)["return"]
    if found:
        _be_whole(found, "return_line_items")
        yield from mapping.returned(wire.Return.model_validate(found), connection.name)


def _customer(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    found = ask(vendor, connection, queries.CUSTOMER, id=gid)["customer"]
    if found:
        yield from _account(found, connection)


def _account(node: Any, connection: Connection) -> Iterator[Told]:
    return people.account(wire.Account.model_validate(node), connection.name)


def _company(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    for page in _pages(vendor, connection, queries.COMPANY, gid, "company", "locations"):
        yield from _rows(page["locations"]["nodes"], _outlet, "company_location", connection)


def _company_location(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    found = ask(vendor, connection, queries.COMPANY_LOCATION, id=gid)["companyLocation"]
    if found:
        yield from _outlet(found, connection)


def _outlet(node: Any, connection: Connection) -> Iterator[Told]:
    return people.company(wire.Outlet.model_validate(node), connection.name)


def _product(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    for page in _pages(vendor, connection, queries.PRODUCT, gid, "product", "variants"):
        shop = wire.Shop.model_validate(page["shop"])
        yield from goods.product(wire.Product.model_validate(page), shop, connection.name)
        for node in page["variants"]["nodes"]:
            if node["item"]["levels"]["pageInfo"]["hasNextPage"]:
                yield Hint("stock", _number(node["item"]), Kind.STOCK_LEVEL)


def _stock(vendor: VendorClient, gid: str, connection: Connection) -> Iterator[Told]:
    for page in _pages(vendor, connection, queries.STOCK, gid, "inventoryItem", "levels"):
        yield from goods.stock(wire.StockItem.model_validate(page), connection.name)


READS: Mapping[str, tuple[str, Callable[[VendorClient, str, Connection], Iterable[Told]]]] = {
    "order": ("Order", _order),
    "transactions": ("Order", _money),
    "fulfillments": ("Order", _shipments),
    "returns": ("Order", _returns),
    "return": ("Return", _return),
    "customer": ("Customer", _customer),
    "company": ("Company", _company),
    "company_location": ("CompanyLocation", _company_location),
    "product": ("Product", _product),
    "stock": ("InventoryItem", _stock),
}
"""What each hint reads, and what its id is one of."""


def _changed_orders(
    vendor: VendorClient, changed: str, cursor: str | None, connection: Connection
) -> Page:
    found = ask(vendor, connection, queries.CHANGED["orders"], changed=changed, after=cursor)
    told = [Hint("order", _number(node)) for node in found["orders"]["nodes"]]
    return _page(told, found["orders"], cursor)


def _changed_products(
    vendor: VendorClient, changed: str, cursor: str | None, connection: Connection
) -> Page:
    found = ask(vendor, connection, queries.CHANGED["products"], changed=changed, after=cursor)
    told = [Hint("product", _number(node), Kind.PRODUCT) for node in found["products"]["nodes"]]
    return _page(told, found["products"], cursor)


def _changed_customers(
    vendor: VendorClient, changed: str, cursor: str | None, connection: Connection
) -> Page:
    found = ask(vendor, connection, queries.CHANGED["customers"], changed=changed, after=cursor)
    told = _rows(found["customers"]["nodes"], _account, "customer", connection)
    return _page(told, found["customers"], cursor)


def _changed_companies(
    vendor: VendorClient, changed: str, cursor: str | None, connection: Connection
) -> Page:
    """Companies and locations side by side: it is unsaid whether one's change touches the other."""
    after, _, outlets = (cursor or " ").partition(" ")
    found = ask(
        vendor,
        connection,
        queries.CHANGED["companies"],
        changed=changed,
        after=after or None,
        outlets=outlets or None,
    )
    told = [
        *(Hint("company", _number(node)) for node in found["companies"]["nodes"]),
        *_rows(found["companyLocations"]["nodes"], _outlet, "company_location", connection),
    ]
    both = _page(told, found["companies"], after), _page(told, found["companyLocations"], outlets)
    return Page(told, " ".join(one.cursor for one in both), all(one.is_last for one in both))


CHANGES: Mapping[str, Callable[[VendorClient, str, str | None, Connection], Page]] = {
    "orders": _changed_orders,
    "customers": _changed_customers,
    "companies": _changed_companies,
    "products": _changed_products,
}
"""How each stream is read."""


def _rows(
    nodes: Iterable[Any],
    read: Callable[[Any, Connection], Iterable[Told]],
    what: str,
    connection: Connection,
) -> list[Told]:
    """What the rows of a list tell; one that cannot be read is left to a hint of its own."""
    told: list[Told] = []
    for node in nodes:
        try:
            told += list(read(node, connection))
        except (MalformedDeliveryError, ValidationError):
            told.append(Hint(what, _number(node)))
    return told


def _page(told: Iterable[Told], found: Mapping[str, Any], cursor: str | None) -> Page:
    page = found["pageInfo"]
    return Page(told, page["endCursor"] or cursor or "", is_last=not page["hasNextPage"])


def _pages(
    vendor: VendorClient, connection: Connection, query: str, gid: str, what: str, listed: str
) -> Iterator[Any]:
    """Something with a long list, a page of it at a time; no page where it is not there."""
    after = None
    while True:
        answer = ask(vendor, connection, query, id=gid, after=after)
        found = answer.pop(what)
        if found is None:
            return
        yield found | answer
        if not found[listed]["pageInfo"]["hasNextPage"]:
            return
        after = found[listed]["pageInfo"]["endCursor"]


def _number(node: Mapping[str, Any]) -> str:
    return str(node["id"]).rpartition("/")[2]


def _be_whole(node: Mapping[str, Any], lines: str) -> None:
    if node[lines]["pageInfo"]["hasNextPage"]:
        msg = f"{node['id']} has more lines than are read at once"
        raise TargetRejectedError(msg, platform="shopify")
