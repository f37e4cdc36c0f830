"""What Business Central says of items: that they are sold, what one costs, how many there are.

Stock is a sum over all locations, since API v2.0 shows no other. What is promised is reckoned from
the orders that are open: the API has no figure for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import StockLevel
from fizzbridge.model.entity import EntityRef, Kind, Role, ref
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.wiring import now
from fizzbridge.selling import Offer
from fizzbridge.settings import Connection
from platforms.business_central.lines import code
from platforms.business_central.lookup import among
from platforms.business_central.transport import rows
from platforms.business_central.wire import Goods, PromisedLine

Rows = Sequence[Mapping[str, Any]]

_SIZE = re.compile(r"(.+)\*([1-9]\d*)")
_FIELDS = "id,number,displayName,type,blocked,gtin,unitPrice,priceIncludesTax"
_COUNTED = f"{_FIELDS},inventory,baseUnitOfMeasureCode,lastModifiedDateTime"


def items(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Items that can be sold, with their standing prices and their stock; services are none."""
    found = [one for one in map(Goods.model_validate, told) if one.type != "Service"]
    if not found:
        return
    currency = next(rows(vendor, "/companyInformation"))["currencyCode"]
    for one in found:
        refetch = Hint("item", one.id, Kind.PRODUCT)
        offer = Offer(connection.name, one.id, one.number, one.last_modified_date_time, refetch)
        yield offer.shown(one.display_name, gtin=one.gtin, is_active=not one.blocked)
        priced = offer.priced(one.unit_price, currency, tax_included=one.price_includes_tax)
        # No price is nought there, and no gift.
        yield priced if one.unit_price else gone(priced.ref, priced.changed)
    yield from owned_levels(vendor, (one.number for one in found), connection)


def moved(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Stock of what the item ledger has entries of."""
    yield from levels(vendor, (one["itemNumber"] for one in told), connection)


def promised(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Stock of what some orders are about."""
    lines = (line for one in told for line in one["salesOrderLines"])
    numbers = (one["lineObjectNumber"] for one in lines if one["lineType"] == "Item")
    yield from owned_levels(vendor, numbers, connection)


def counted(vendor: VendorClient, told: Rows, connection: Connection) -> Iterator[Seen]:
    """Stock of items, read once more: it must not be older than the orders that take from it."""
    yield from levels(vendor, (one["number"] for one in told), connection)


def owned_levels(
    vendor: VendorClient, numbers: Iterable[str], connection: Connection
) -> Iterator[Seen]:
    """Stock beside what was asked for: only where it is ours to tell."""
    if Role.STOCK in connection.roles:
        yield from levels(vendor, numbers, connection)


def levels(vendor: VendorClient, numbers: Iterable[str], connection: Connection) -> Iterator[Seen]:
    """How many there are of some items, and how many of those are promised.

    Orders are read before items: what leaves in between is then missing twice, and not there twice.
    The level of what is promised in a unit whose size nobody said is gone: what was told of it last
    may be sold by now.
    """
    wanted, at = set(numbers), now()
    lines = list(_open_lines(vendor, wanted)) if wanted else []
    for row in among(vendor, "/items", "number", wanted, _COUNTED):
        item = Goods.model_validate(row)
        if item.type == "Inventory":
            yield _level(item, _taken(item, lines, connection), at, connection)


def _open_lines(vendor: VendorClient, numbers: set[str]) -> Iterator[PromisedLine]:
    """Lines of orders that have not left in full."""
    options = {"filter": "fullyShipped eq false", "select": "id"}
    for order in rows(vendor, "/salesOrders", expand="salesOrderLines", **options):
        for row in order["salesOrderLines"]:
            if row["lineType"] == "Item" and row["lineObjectNumber"] in numbers:
                yield PromisedLine.model_validate(row)


def _taken(item: Goods, lines: Iterable[PromisedLine], connection: Connection) -> Decimal | None:
    """What is promised of an item, in its own unit; None where that cannot be said."""
    sizes = _sizes(connection) | {item.base_unit_of_measure_code: Decimal(1)}
    taken = Decimal(0)
    for line in lines:
        left = line.quantity - line.shipped_quantity
        if line.line_object_number != item.number or left <= 0:
            continue
        if line.unit_of_measure_code not in sizes:
            return None
        taken += left * sizes[line.unit_of_measure_code]
    return taken


def _sizes(connection: Connection) -> dict[str, Decimal]:
    """How many of an item's own unit others hold: ``CASE*24 LAYER*216``."""
    sizes: dict[str, Decimal] = {}
    for one in str(connection.settings.get("units", "")).split():
        found = _SIZE.fullmatch(one)
        if found is None:
            msg = f"{connection.name}: units: '{one}' is no unit with its size, such as CASE*24"
            raise ConfigurationError(msg, platform=connection.platform)
        sizes[code(found[1])] = Decimal(found[2])
    return sizes


def _level(item: Goods, taken: Decimal | None, at: datetime, connection: Connection) -> Seen:
    refetch = Hint("stock", item.id, Kind.STOCK_LEVEL)
    if taken is None:
        return Seen(_stock(item.id, connection), None, at, refetch=refetch)
    body = StockLevel(
        product=ref(Kind.PRODUCT, connection.name, item.id),
        sku=item.number,
        location=_place(connection),
        on_hand=int(item.inventory.to_integral_value(ROUND_FLOOR)),
        reserved=int(taken.to_integral_value(ROUND_CEILING)),
        as_of=at,
    )
    return Seen(_stock(item.id, connection), body, at, refetch=refetch)


def _place(connection: Connection) -> str:
    """Where all of it is said to be: where orders are to be shipped from."""
    return str(connection.settings.get("location", ""))


def _stock(item: str, connection: Connection) -> EntityRef:
    place = "_".join(_place(connection).replace("#", "_").split())
    return ref(Kind.STOCK_LEVEL, connection.name, f"{item}@{place}")


def deleted(item: str, connection: Connection) -> Iterator[Seen]:
    """An item that is not there, with its price and its stock."""
    at = now()
    for kind in (Kind.PRODUCT, Kind.PRICE):
        yield gone(ref(kind, connection.name, item), at)
    yield gone(_stock(item, connection), at)


def gone(entity: EntityRef, changed: datetime | int | None) -> Seen:
    """What is not there any more."""
    return Seen(entity, None, changed)
