"""Our names to NetSuite's ids: items, units, tax codes, currencies. Ids differ per account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from fizzbridge.errors import AmbiguousMatchError, MappingError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code
from platforms.netsuite_soap.listing import among, is_not, search
from platforms.netsuite_soap.mapping import unit_rate
from platforms.netsuite_soap.transport import ACCOUNTING, CORE, get, get_all, kind
from platforms.netsuite_soap.wire import (
    Currency,
    Item,
    Location,
    Order,
    Resolved,
    TaxItem,
    Term,
    UnitsType,
    Uom,
)


def resolve(vendor: VendorClient, order: Order) -> list[Resolved]:
    """The order's lines in NetSuite's ids.

    Raises:
        MappingError: an item, unit or tax code is not there.
        AmbiguousMatchError: several items have one name.
    """
    items = _items(vendor, order.lines)
    taxes = tax_codes(vendor)
    return [
        _resolve(vendor, line, items[line.product.name], order.untaxed, taxes)
        for line in order.lines
    ]


def _resolve(
    vendor: VendorClient, line: Position, item: Item, untaxed: Code, taxes: Sequence[TaxItem]
) -> Resolved:
    units, quantity = _unit(vendor, line, item)
    return Resolved(
        title=line.title,
        item=item.internal_id,
        quantity=None if item.is_discount else quantity,
        units=units,
        rate=line.amount if item.is_discount else unit_rate(line.amount, quantity),
        amount=line.amount,
        tax_code=_tax(line, untaxed, taxes),
    )


def _items(vendor: VendorClient, lines: Sequence[Position]) -> dict[str, Item]:
    """Items by external id, all in one search; by name, one search each, what is left."""
    codes = sorted({line.product.name for line in lines})
    if not codes:
        return {}
    found: dict[str, Item] = {}
    named = {"externalId": among("externalId", codes)}
    for record in search(vendor, ACCOUNTING, "ItemSearch", named):
        item = Item.model_validate(record)
        if not item.is_inactive:
            found[item.external_id] = item
    for line in lines:
        if line.product.name not in found:
            found[line.product.name] = _by_name(vendor, line)
    return found


def _by_name(vendor: VendorClient, line: Position) -> Item:
    code = line.product.name
    named = {"@operator": "is"} | kind(CORE, "SearchStringField") | {"searchValue": code}
    items = map(Item.model_validate, search(vendor, ACCOUNTING, "ItemSearch", {"itemId": named}))
    # Texts are compared without regard to case there.
    fitting = [item for item in items if item.item_id == code]
    active = [item for item in fitting if not item.is_inactive]
    if len(active) > 1:
        msg = f"several items in NetSuite have the name {code}"
        raise AmbiguousMatchError(msg, platform="netsuite_soap")
    if not active:
        why = f"item {code} is inactive" if fitting else f"NetSuite has no item {code}"
        raise _unmapped(line, why, line.product.cause)
    return active[0]


def _unit(vendor: VendorClient, line: Position, item: Item) -> tuple[str, int]:
    """The unit of a line and the quantity in it.

    It is always said: without it the item's own sales unit would count, a case for a can.
    """
    if not item.units_type:
        return "", line.base
    found = units(vendor, item.units_type)
    base = next(unit for unit in found if unit.base_unit)
    if line.unit is None:
        return base.internal_id, line.ordered
    if line.unit.name:
        named = [unit for unit in found if line.unit.name in (unit.internal_id, *unit.names)]
        if len(named) != 1:
            why = f"item {line.product.name} has no unit {line.unit.name}"
            raise _unmapped(line, why, line.unit.cause)
        return named[0].internal_id, line.ordered
    fitting = [unit for unit in found if unit.conversion_rate == line.factor]
    if fitting:
        return fitting[0].internal_id, line.ordered
    return base.internal_id, line.base


def units(vendor: VendorClient, units_type: str) -> tuple[Uom, ...]:
    """The units of a units type."""
    return UnitsType.model_validate(get(vendor, "unitsType", internalId=units_type)).uom_list


def units_types(vendor: VendorClient) -> list[str]:
    """Names of the units types."""
    return [str(one["name"]) for one in search(vendor, ACCOUNTING, "UnitsTypeSearch", {})]


def tax_codes(vendor: VendorClient) -> list[TaxItem]:
    """The tax codes in use."""
    found = map(TaxItem.model_validate, search(vendor, ACCOUNTING, "SalesTaxItemSearch", {}))
    return [tax for tax in found if not tax.is_inactive]


def _tax(line: Position, untaxed: Code, taxes: Sequence[TaxItem]) -> str:
    """The one tax code of a line; also of none, or the item's own would count."""
    if len(line.taxes) > 1:
        why = "bears several taxes, and NetSuite has one code a line; map the first to a group"
        raise _unmapped(line, why, line.taxes[0].code.cause)
    rate, code = (line.taxes[0].rate, line.taxes[0].code) if line.taxes else (Decimal(0), untaxed)
    if code.name:
        label, fitting = code.name, [t for t in taxes if code.name in {t.item_id, t.internal_id}]
    else:
        label, fitting = f"of {rate * 100:f} %", [t for t in taxes if t.fraction == rate]
    if len(fitting) != 1:
        many = "several tax codes" if fitting else "no tax code"
        raise _unmapped(line, f"NetSuite has {many} {label}", code.cause)
    return fitting[0].internal_id


def currencies(vendor: VendorClient) -> Mapping[str, str]:
    """Ids of currencies by their code."""
    found = map(Currency.model_validate, get_all(vendor, "currency"))
    return {one.symbol: one.internal_id for one in found}


def currency(vendor: VendorClient, order: Order) -> str:
    """The id of an order's currency; empty where the account has but one.

    Raises:
        MappingError: NetSuite has no such currency.
    """
    known = {} if order.currency_code.name else currencies(vendor)
    named = order.currency_code.name or known.get(order.currency)
    if named and len(known) == 1:
        # Without the feature of several currencies the field is not there.
        return ""
    if not named:
        msg = f"order {order.number}: NetSuite has no currency {order.currency}"
        raise MappingError(msg, cause=order.currency_code.cause, platform="netsuite_soap")
    return named


def _unmapped(line: Position, why: str, cause: str) -> MappingError:
    return MappingError(f"line {line.id}: {why}", cause=cause, platform="netsuite_soap")


def terms(vendor: VendorClient) -> Mapping[str, Term]:
    """Terms of payment, by id."""
    found = map(Term.model_validate, search(vendor, ACCOUNTING, "TermSearch", {}))
    return {one.internal_id: one for one in found}


def hidden_locations(vendor: VendorClient) -> set[str]:
    """Ids of locations whose stock is not for sale: quarantine, scrap, what is on its way."""
    found = map(Location.model_validate, search(vendor, ACCOUNTING, "LocationSearch", {}))
    return {one.internal_id for one in found if not one.make_inventory_available}


_NOT_SOLD = ("Purchase", "Description", "Subtotal", "Payment", "ItemGroup")


def all_items(vendor: VendorClient) -> list[Item]:
    """Every item in use that can be sold."""
    found = map(
        Item.model_validate, search(vendor, ACCOUNTING, "ItemSearch", {"isInactive": is_not()})
    )
    return [item for item in found if not any(word in item.sort for word in _NOT_SOLD)]
