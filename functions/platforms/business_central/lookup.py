"""Our names to Business Central's: items with their units, and ids of what has a code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fizzbridge.errors import MappingError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code
from platforms.business_central.lines import code, resolved
from platforms.business_central.transport import equal, rows
from platforms.business_central.wire import Item, Line, Order, Resolved

ITEM_FIELDS = "id,number,type,blocked,baseUnitOfMeasureCode"
AT_ONCE = 40
"""Codes asked for in one call: an address has its length."""


def resolve(vendor: VendorClient, order: Order) -> list[Resolved]:
    """The order's lines as Business Central counts them.

    Raises:
        MappingError: an item or a location is not there, or the unit is a person's to say.
    """
    wanted = (line.position.product.name for line in order.lines if not line.account)
    items = _items(vendor, wanted)
    location = identity(vendor, "locations", order.location)
    return [_resolve(line, items, order, location) for line in order.lines]


def _items(vendor: VendorClient, codes: Iterable[str]) -> dict[str, Item]:
    found = map(Item.model_validate, among(vendor, "/items", "number", codes, ITEM_FIELDS))
    return {item.number: item for item in found}


def among(
    vendor: VendorClient,
    path: str,
    field: str,
    values: Iterable[str],
    select: str = "",
    also: str = "",
) -> Iterator[dict[str, Any]]:
    """The records whose field is one of some values, and of which something else is true."""
    wanted = sorted(set(values) - {""})
    for start in range(0, len(wanted), AT_ONCE):
        some = equal(field, *wanted[start : start + AT_ONCE])
        yield from rows(
            vendor, path, filter=f"({some}) and {also}" if also else some, select=select
        )


def _resolve(line: Line, items: dict[str, Item], order: Order, location: str) -> Resolved:
    position = line.position
    quantity = position.ordered
    if line.account:
        number, unit, is_stocked = code(line.account), "", False
    else:
        item = items.get(code(position.product.name))
        if item is None or item.blocked:
            state = "has no item" if item is None else "blocks the item"
            msg = f"line {position.id}: Business Central {state} {position.product.name}"
            raise MappingError(msg, cause=position.product.cause, platform="business_central")
        number, is_stocked = item.number, item.type == "Inventory"
        unit, quantity = _unit(position, item, order.base_unit)
    return resolved(
        line,
        order.currency,
        number=number,
        unit=unit,
        quantity=quantity,
        location=location if is_stocked else "",
    )


def _unit(position: Position, item: Item, base_unit: str) -> tuple[str, int]:
    """The unit of a line and the quantity in it; the API does not tell how large a unit is."""
    own = item.base_unit_of_measure_code
    if position.unit is None:
        return own, position.ordered
    if position.unit.name:
        return position.unit.name, position.ordered
    if own != code(base_unit):
        # How many of ours are in that unit only a person can say.
        msg = f"line {position.id}: {item.number} is kept in {own}; map the unit"
        raise MappingError(msg, cause=position.unit.cause, platform="business_central")
    return own, position.base


def identity(vendor: VendorClient, collection: str, wanted: Code) -> str:
    """The id of the record with a code; empty where no code is given.

    Raises:
        MappingError: there is none.
    """
    if not wanted.name:
        return ""
    found = list(
        rows(vendor, f"/{collection}", filter=equal("code", code(wanted.name)), select="id,code")
    )
    if not found:
        msg = f"Business Central has nothing of the code {wanted.name} among {collection}"
        raise MappingError(msg, cause=wanted.cause, platform="business_central")
    return str(found[0]["id"])
