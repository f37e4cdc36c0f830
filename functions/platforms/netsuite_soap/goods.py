"""What NetSuite tells of an item: that it is sold, what it costs, how much is where. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR

from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import Money, to_minor_unit
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.netsuite_soap.reading import code
from platforms.netsuite_soap.wire import Availability, Item, ItemPrice, Pricing, SoldItem, Uom

BASE_PRICE = "1"
"""The price level that is there in every account, whatever it is called: the standing price."""
_NOT_SOLD = ("Purchase", "Description", "Subtotal", "Payment", "Group", "Discount", "Markup")
_WORDS = (Unit.PALLET, Unit.LAYER, Unit.CRATE, Unit.PACK)


def is_sold(item: Item) -> bool:
    """Whether it is something a customer buys."""
    return not any(word in item.sort for word in _NOT_SOLD)


def product(item: SoldItem, connection: Connection) -> Seen:
    """The item itself."""
    body = Product(
        sku=code(item, connection),
        name=item.display_name or item.item_id,
        gtin=item.upc_code,
        is_active=not item.is_inactive,
    )
    entity = ref(Kind.PRODUCT, connection.name, item.internal_id)
    return Seen(entity, body, item.last_modified_date, refetch=again(item))


def again(item: Item) -> Hint:
    """How all of an item is read."""
    return Hint("item", item.internal_id, Kind.PRODUCT)


def prices(
    item: SoldItem, units: Sequence[Uom], currencies: Mapping[str, str], connection: Connection
) -> Iterator[Seen]:
    """What it costs on each price level, in each currency, from each quantity on.

    A row without a value is gone. So is what the item cost in any other of its units: the key names
    the unit, and nothing says which one was sold before.
    """
    unit = sale_unit(item, units)
    known = sorted({Unit.EACH, *map(_unit, units)})
    only = next(iter(currencies.values())) if len(currencies) == 1 else ""
    told: dict[str, Price | None] = {}
    for listed in item.pricing_matrix:
        currency = currencies.get(listed.currency, only)
        for one in listed.price_list if currency else ():
            body = _price(item, listed, one, unit, currency, connection)
            row = f"{item.internal_id}:{listed.price_level.internal_id}:{currency}"
            for other in known:
                key = f"{row}:{other}:{_least(one)}"
                told[key] = told.get(key) or (body if other is unit else None)
    for key, price in told.items():
        entity = ref(Kind.PRICE, connection.name, key)
        yield Seen(entity, price, item.last_modified_date, refetch=again(item))


def _price(
    item: SoldItem,
    listed: Pricing,
    one: ItemPrice,
    unit: Unit,
    currency: str,
    connection: Connection,
) -> Price | None:
    if one.value is None:
        return None
    level = listed.price_level
    return Price(
        product=ref(Kind.PRODUCT, connection.name, item.internal_id),
        sku=code(item, connection),
        price_list=price_list(level.internal_id, level.name),
        unit=unit,
        min_quantity=_least(one),
        price=Money(amount=to_minor_unit(one.value, currency), currency=currency),
        tax_included=item.prices_include_tax,
    )


def _least(one: ItemPrice) -> int:
    return max(1, int(one.quantity.to_integral_value(ROUND_CEILING)))


def price_list(level: str, name: str) -> str:
    """A price level as customers and prices name it; empty for the standing price."""
    return "" if level in {"", BASE_PRICE} else name or level


def sale_unit(item: SoldItem, units: Sequence[Uom]) -> Unit:
    """Which of our units prices are for."""
    found = next((one for one in units if one.internal_id == item.sale_unit), None)
    return _unit(found) if found else Unit.EACH


def _unit(there: Uom) -> Unit:
    """A unit of NetSuite's as ours: of one that holds several, its name says it.

    These are the account's own words; one that holds several is a case without another.
    """
    if there.conversion_rate == 1:
        return Unit.EACH
    words = " ".join(there.names).upper()
    return next((unit for unit in _WORDS if unit in words), Unit.CASE)


def level(item: Item, there: Availability, at: datetime, connection: Connection) -> Seen:
    """How much of it is at a location; what is promised in part is promised whole."""
    body = StockLevel(
        product=ref(Kind.PRODUCT, connection.name, item.internal_id),
        sku=code(item, connection),
        location=there.location_id,
        on_hand=int(there.quantity_on_hand.to_integral_value(ROUND_FLOOR)),
        reserved=int(there.quantity_committed.to_integral_value(ROUND_CEILING)),
        as_of=at,
    )
    entity = ref(Kind.STOCK_LEVEL, connection.name, f"{item.internal_id}@{there.location_id}")
    return Seen(entity, body, at, refetch=Hint("item", item.internal_id, Kind.STOCK_LEVEL))
