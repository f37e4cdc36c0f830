"""What is sold in Odoo, what it costs, and how much of it is where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import LotStock, Price, Product, StockLevel
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.model.money import Money, to_minor_unit
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from platforms.odoo.gather import Rows, by_id, company, where
from platforms.odoo.reading import best_before
from platforms.odoo.wire import Item, Lot, Tax
from platforms.odoo.wire_goods import (
    Location,
    Moving,
    Pricelist,
    Quant,
    Rule,
    Ware,
    Warehouse,
)

STANDING = "::EACH:1"
"""Ends the key of a product's own price: rows of price lists have numbers of their own."""


def products(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Products with their standing prices; without a code they are nothing that could be known."""
    wares = [Ware.model_validate(row) for row in rows]
    taxes = _taxes(vendor, wares)
    currency = company(vendor).currency_id if wares else ""
    for one in wares:
        refetch = Hint("product", str(one.id), Kind.PRODUCT)
        product = ref(Kind.PRODUCT, connection.name, one.id)
        price = ref(Kind.PRICE, connection.name, f"{one.id}{STANDING}")
        if not one.default_code:
            yield Seen(product, None, one.write_date, refetch=refetch)
            yield Seen(price, None, one.write_date, refetch=refetch)
            continue
        shown = Product(
            sku=one.default_code,
            name=one.name,
            gtin=one.barcode,
            is_active=one.active and one.sale_ok,
        )
        costs = Price(
            product=product,
            sku=one.default_code,
            unit=Unit.EACH,
            price=_money(one.lst_price, currency),
            tax_included=_includes_tax(one, taxes),
        )
        yield Seen(product, shown, one.write_date, refetch=refetch)
        yield Seen(price, costs, one.write_date, refetch=refetch)


def prices(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Fixed prices of price lists; what has become a percentage or a formula is told as gone."""
    rules = [Rule.model_validate(row) for row in rows]
    lists = by_id(vendor, Pricelist, (one.pricelist_id for one in rules))
    wares = _wares(vendor, rules)
    taxes = _taxes(vendor, wares)
    for one in rules:
        of = lists.get(one.pricelist_id or 0)
        told = []
        if of and of.active and one.compute_price == "fixed":
            told = [
                _row(one, of, ware, connection, included=_includes_tax(ware, taxes))
                for ware in wares
                if ware.default_code and _is_of(one, ware)
            ]
        gone = ref(Kind.PRICE, connection.name, one.id)
        yield from told or [Seen(gone, None, one.write_date, refetch=_of_rule(one))]


def _wares(vendor: VendorClient, rules: Iterable[Rule]) -> list[Ware]:
    """The variants that rows of price lists are for."""
    of_variant, of_product = (
        [one for one in rules if one.applied_on == sort]
        for sort in ("0_product_variant", "1_product")
    )
    variants = sorted({one.product_id for one in of_variant if one.product_id})
    templates = sorted({one.product_tmpl_id for one in of_product if one.product_tmpl_id})
    if not variants and not templates:
        return []
    return where(
        vendor,
        Ware,
        "|",
        ["id", "in", variants],
        ["product_tmpl_id", "in", templates],
        context={"active_test": False},
    )


def _is_of(rule: Rule, ware: Ware) -> bool:
    """Whether a row is for a variant or its product; those of a category are for nothing known."""
    if rule.applied_on == "0_product_variant":
        return rule.product_id == ware.id
    return rule.applied_on == "1_product" and rule.product_tmpl_id == ware.product_tmpl_id


def _row(one: Rule, of: Pricelist, ware: Ware, connection: Connection, *, included: bool) -> Seen:
    """A row of a price list: of one variant under its number, else one for each variant."""
    is_own = one.applied_on == "0_product_variant"
    body = Price(
        product=ref(Kind.PRODUCT, connection.name, ware.id),
        sku=ware.default_code,
        price_list=of.name,
        unit=Unit.EACH,
        min_quantity=max(1, _up(one.min_quantity)),
        price=_money(one.fixed_price, one.currency_id),
        tax_included=included,
        valid_from=one.date_start,
        # Odoo's last second still counts.
        valid_to=one.date_end + timedelta(seconds=1) if one.date_end else None,
    )
    entity = ref(Kind.PRICE, connection.name, one.id if is_own else f"{one.id}:{ware.id}")
    return Seen(entity, body, one.write_date, refetch=_of_rule(one))


def _of_rule(one: Rule) -> Hint:
    return Hint("price", str(one.id), Kind.PRICE)


def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount=to_minor_unit(amount, currency), currency=currency)


def _taxes(vendor: VendorClient, wares: Iterable[Ware]) -> dict[int, Tax]:
    return by_id(vendor, Tax, (tax for one in wares for tax in one.taxes_id))


def _includes_tax(ware: Ware, taxes: Mapping[int, Tax]) -> bool:
    known = [taxes[tax] for tax in ware.taxes_id if tax in taxes]
    return bool(known) and all(tax.price_include for tax in known)


def levels(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """How much there is of what moved, in every warehouse.

    Reservations and lots have quants of their own, and one that holds nothing any more is deleted
    without a word: so all quants of an item are summed, and where there is none there is nothing.
    """
    began = now()
    ids = {one.product_id for one in map(Moving.model_validate, rows)} - {None}
    items = by_id(vendor, Item, ids)
    if not items:
        return
    internal = ["location_id.usage", "=", "internal"]
    quants = where(vendor, Quant, ["product_id", "in", sorted(items)], internal)
    lots = by_id(vendor, Lot, (one.lot_id for one in quants))
    places = by_id(vendor, Location, (one.location_id for one in quants))
    there: dict[tuple[int, int], list[Quant]] = {}
    for one in quants:
        place = places[one.location_id or 0]
        there.setdefault((one.product_id or 0, place.warehouse_id or 0), []).append(one)
    warehouses = where(vendor, Warehouse)
    for item in items.values():
        for warehouse in warehouses if item.default_code else ():
            here = there.get((item.id, warehouse.id), [])
            yield _level(item, warehouse.code, here, lots, connection.name, began)


def _level(
    item: Item,
    warehouse: str,
    quants: Iterable[Quant],
    lots: Mapping[int, Lot],
    connection: str,
    began: datetime,
) -> Seen:
    on_hand = reserved = Decimal(0)
    by_lot: dict[int, Decimal] = {}
    for one in quants:
        on_hand += one.quantity
        reserved += one.reserved_quantity
        if one.lot_id:
            by_lot[one.lot_id] = by_lot.get(one.lot_id, Decimal(0)) + one.quantity
    body = StockLevel(
        product=ref(Kind.PRODUCT, connection, item.id),
        sku=item.default_code,
        location=warehouse,
        on_hand=_down(on_hand),
        reserved=_up(reserved),
        lots=tuple(_lots(by_lot, lots)),
        as_of=began,
    )
    refetch = Hint("stock", str(item.id), Kind.STOCK_LEVEL)
    return Seen(_at(connection, item.id, warehouse), body, began, refetch=refetch)


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
