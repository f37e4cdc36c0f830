"""Items of NetSuite with their prices and stock: read for a whole page at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.observation import Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap import goods, lookup
from platforms.netsuite_soap.listing import (
    PAGE,
    among,
    available,
    between,
    greater,
    is_not,
    one_of,
    search,
    searched,
)
from platforms.netsuite_soap.transport import ACCOUNTING, get
from platforms.netsuite_soap.wire import Item, Moving, SoldItem

STOCKED = one_of("_inventoryItem", "_assembly")


def told(
    vendor: VendorClient, records: Iterable[Mapping[str, Any]], connection: Connection
) -> Iterator[Seen]:
    """Items as they are sold, the oldest change first, and what is where of them."""
    found = [SoldItem.model_validate(one) for one in records]
    items = sorted(filter(goods.is_sold, found), key=lambda one: one.last_modified_date)
    codes = lookup.currencies(vendor) if items else {}
    currencies = {number: symbol for symbol, number in codes.items()}
    for item in items:
        units = lookup.units(vendor, item.units_type) if item.units_type else ()
        yield goods.product(item, connection)
        yield from goods.prices(item, units, currencies, connection)
    yield from levels(vendor, items, connection)


def levels(vendor: VendorClient, items: Sequence[Item], connection: Connection) -> Iterator[Seen]:
    """What is where of items, in calls of a page each. Locations not for sale are left out."""
    stocked = {one.internal_id: one for one in items if one.has_stock}
    ids = sorted(stocked, key=int)
    hidden = lookup.hidden_locations(vendor) if ids else set()
    for start in range(0, len(ids), PAGE):
        begun = datetime.now(UTC)
        for there in available(vendor, ids[start : start + PAGE]):
            if there.item in stocked and there.location_id not in hidden:
                yield goods.level(stocked[there.item], there, begun, connection)


def item(vendor: VendorClient, internal_id: str, connection: Connection) -> list[Seen] | None:
    """An item of whatever type; None where there is none."""
    basic = {"internalId": among("internalId", [internal_id])}
    records = search(vendor, ACCOUNTING, "ItemSearch", basic, whole=True)
    return list(told(vendor, records, connection)) if records else None


def moved(vendor: VendorClient, named: str, connection: Connection) -> list[Seen]:
    """What is where of the items on a transaction: ``salesOrder:123``."""
    sort, _, internal_id = named.partition(":")
    record = Moving.model_validate(get(vendor, sort, internalId=internal_id))
    if not record.items:
        return []
    basic = {"internalId": among("internalId", record.items)}
    found = search(vendor, ACCOUNTING, "ItemSearch", basic)
    return list(levels(vendor, [Item.model_validate(one) for one in found], connection))


def stocked(vendor: VendorClient, after: int, size: int) -> tuple[list[Item], int]:
    """The next items in stock, by id, and the id the ones behind them begin after; 0 for none.

    Nothing says that lists come by id: of one that does not, a shorter stretch is asked for.
    """
    basic = {"type": STOCKED, "isInactive": is_not()}
    page = searched(
        vendor, ACCOUNTING, "ItemSearch", {**basic, "internalIdNumber": greater(after)}, size=size
    )
    items = [Item.model_validate(one) for one in page.records]
    numbers = [int(one.internal_id) for one in items]
    last = max(numbers, default=0)
    while page.pages > 1 and numbers != sorted(numbers):
        stretch = between(after + 1, last)
        page = searched(
            vendor, ACCOUNTING, "ItemSearch", {**basic, "internalIdNumber": stretch}, size=size
        )
        items = [Item.model_validate(one) for one in page.records]
        if page.pages <= 1:
            return items, last
        last = after + max(1, (last - after) * page.size // (2 * page.total))
    return items, last if page.pages > 1 else 0
