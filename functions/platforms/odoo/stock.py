"""How much of what is sold at Odoo is where, and how much is bought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TypeVar

from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import LotStock, Receipt, StockLevel
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.odoo.gather import Rows, by_id, where
from platforms.odoo.reading import best_before
from platforms.odoo.wire import Lot, Uom
from platforms.odoo.wire_goods import Awaited, Location, Moving, Quant, Stocked, Warehouse

G = TypeVar("G", Quant, Awaited)
FROM_SUPPLIERS = (
    ["location_id.usage", "=", "supplier"],
    ["location_dest_id.usage", "=", "internal"],
)
"""Moves that add to a stock."""
_OPEN = ["waiting", "confirmed", "partially_available", "assigned"]


def levels(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """How much there is of what moved, and is awaited, in every warehouse.

    Reservations and lots have quants of their own, and one that holds nothing any more is deleted
    without a word: so all quants of an item are summed, and where there is none there is nothing.
    Without a code there is nothing to know it by, and its levels are gone.
    """
    began = now()
    ids = {one.product_id for one in map(Moving.model_validate, rows)} - {None}
    items = by_id(vendor, Stocked, ids)
    if not items:
        return
    of = ["product_id", "in", sorted(items)]
    quants = where(vendor, Quant, of, ["location_id.usage", "=", "internal"])
    awaited = where(vendor, Awaited, of, *FROM_SUPPLIERS, ["state", "in", _OPEN])
    stock = _Stock(
        quants=_by_place(vendor, quants),
        awaited=_by_place(vendor, awaited),
        lots=by_id(vendor, Lot, (one.lot_id for one in quants)),
        units=by_id(vendor, Uom, (one.uom_id for one in items.values()))
        | by_id(vendor, Uom, (one.unit_id for one in awaited)),
    )
    warehouses = where(vendor, Warehouse)
    for item in items.values():
        for warehouse in warehouses:
            if item.default_code:
                yield _level(item, warehouse, stock, connection.name, began)
            else:
                yield _seen(item.id, warehouse, None, connection.name, began)


@dataclass(frozen=True)
class _Stock:
    """What there is and will be, by item and warehouse."""

    quants: Mapping[tuple[int, int], Sequence[Quant]]
    awaited: Mapping[tuple[int, int], Sequence[Awaited]]
    lots: Mapping[int, Lot]
    units: Mapping[int, Uom]


def _by_place(vendor: VendorClient, goods: Sequence[G]) -> dict[tuple[int, int], list[G]]:
    places = by_id(vendor, Location, (one.location_id for one in goods))
    found: dict[tuple[int, int], list[G]] = {}
    for one in goods:
        warehouse = places[one.location_id or 0].warehouse_id or 0
        found.setdefault((one.product_id or 0, warehouse), []).append(one)
    return found


def _level(
    item: Stocked, warehouse: Warehouse, stock: _Stock, connection: str, began: datetime
) -> Seen:
    here = (item.id, warehouse.id)
    on_hand = reserved = Decimal(0)
    by_lot: dict[int, Decimal] = {}
    for one in stock.quants.get(here, ()):
        on_hand += one.quantity
        reserved += one.reserved_quantity
        if one.lot_id:
            by_lot[one.lot_id] = by_lot.get(one.lot_id, Decimal(0)) + one.quantity
    body = StockLevel(
        product=ref(Kind.PRODUCT, connection, item.id),
        sku=item.default_code,
        location=warehouse.code,
        on_hand=_down(on_hand),
        reserved=_up(reserved),
        lots=tuple(_lots(by_lot, stock.lots)),
        on_order=tuple(_receipts(item, stock.awaited.get(here, ()), stock.units)),
        as_of=began,
    )
    return _seen(item.id, warehouse, body, connection, began)


def _seen(
    item: int, warehouse: Warehouse, body: StockLevel | None, connection: str, began: datetime
) -> Seen:
    refetch = Hint("stock", str(item), Kind.STOCK_LEVEL)
    return Seen(_at(connection, item, warehouse.code), body, began, refetch=refetch)


def _receipts(
    item: Stocked, awaited: Iterable[Awaited], units: Mapping[int, Uom]
) -> Iterator[Receipt]:
    """What is bought, by the day it is due, in the item's own unit."""
    by_day: dict[date, Decimal] = {}
    for one in awaited:
        own = one.count * units[one.unit_id or 0].factor / units[item.uom_id or 0].factor
        by_day[one.date.date()] = by_day.get(one.date.date(), Decimal(0)) + own
    for day, quantity in sorted(by_day.items()):
        if _down(quantity) > 0:
            yield Receipt(due_on=day, quantity=_down(quantity))


def _at(connection: str, item: int, warehouse: str) -> EntityRef:
    """Keys have no blanks; people may put some in a short name."""
    return ref(Kind.STOCK_LEVEL, connection, f"{item}@{'_'.join(warehouse.split())}")


def _lots(counted: Mapping[int, Decimal], lots: Mapping[int, Lot]) -> Iterator[LotStock]:
    """Lots of which there is any, with a day to sell them by."""
    for id_, quantity in sorted(counted.items()):
        day = best_before(lots[id_]) if id_ in lots else None
        if day and _down(quantity) > 0:
            yield LotStock(lot=lots[id_].name, best_before=day, quantity=_down(quantity))


def _down(quantity: Decimal) -> int:
    return int(quantity.to_integral_value(ROUND_FLOOR))


def _up(quantity: Decimal) -> int:
    return int(quantity.to_integral_value(ROUND_CEILING))
