"""What is sold at Odoo, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import Price, Product
from fizzbridge.model.entity import Kind, Role, ref
from fizzbridge.model.money import Money, to_minor_unit
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.settings import Connection
from platforms.odoo import stock
from platforms.odoo.gather import Rows, by_id, company, where
from platforms.odoo.wire import Tax
from platforms.odoo.wire_goods import Pricelist, Rule, Ware

VARIANT, PRODUCT = "0_product_variant", "1_product"
"""What rows of price lists are for."""
STANDING = "::EACH:1"
"""Ends the key of a product's own price: rows of price lists have numbers of their own."""


def products(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Products with their standing prices; without a code they are nothing that could be known.

    A code that is taken away or given back moves no stock, so what is stored is told along.
    """
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
    is_owner = Role.STOCK in connection.roles
    stored = [one for one in wares if one.is_storable and (is_owner or not one.default_code)]
    yield from stock.levels(vendor, [{"id": o.id, "product_id": o.id} for o in stored], connection)


def prices(vendor: VendorClient, rows: Rows, connection: Connection) -> Iterator[Told]:
    """Fixed prices of price lists; what has become a percentage or a formula is told as gone.

    So is a row of a whole product under its own number: it may have been for one variant before.
    """
    rules = [Rule.model_validate(row) for row in rows]
    lists = by_id(vendor, Pricelist, (one.pricelist_id for one in rules))
    wares = _wares(vendor, rules)
    taxes = _taxes(vendor, wares)
    for one in rules:
        of = lists.get(one.pricelist_id or 0)
        told: dict[str, Price | None] = {str(one.id): None}
        for ware in wares:
            if _is_of(one, ware):
                key = str(one.id) if one.applied_on == VARIANT else f"{one.id}:{ware.id}"
                included = _includes_tax(ware, taxes)
                told[key] = None
                if of and _is_priced(one, of) and ware.default_code:
                    told[key] = _price(one, of, ware, connection, included=included)
        for key, body in told.items():
            entity = ref(Kind.PRICE, connection.name, key)
            yield Seen(entity, body, one.write_date, refetch=Hint("price", str(one.id), Kind.PRICE))


def _wares(vendor: VendorClient, rules: Iterable[Rule]) -> list[Ware]:
    """The variants that rows of price lists name, or the products of."""
    listed = list(rules)
    of_variant = {one.product_id for one in listed if one.applied_on == VARIANT}
    of_product = {one.product_tmpl_id for one in listed if one.applied_on != VARIANT}
    variants, templates = (sorted(filter(None, ids)) for ids in (of_variant, of_product))
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
    """Whether a row names a variant or its product."""
    if rule.applied_on == VARIANT:
        return rule.product_id == ware.id
    return rule.product_tmpl_id is not None and rule.product_tmpl_id == ware.product_tmpl_id


def _is_priced(rule: Rule, of: Pricelist) -> bool:
    """Whether a row says what something costs; one of a category is for nothing known."""
    is_fixed = of.active and rule.compute_price == "fixed"
    return is_fixed and rule.applied_on in {VARIANT, PRODUCT}


def _price(
    one: Rule, of: Pricelist, ware: Ware, connection: Connection, *, included: bool
) -> Price:
    return Price(
        product=ref(Kind.PRODUCT, connection.name, ware.id),
        sku=ware.default_code,
        price_list=of.name,
        unit=Unit.EACH,
        min_quantity=max(1, int(one.min_quantity.to_integral_value(ROUND_CEILING))),
        price=_money(one.fixed_price, one.currency_id),
        tax_included=included,
        valid_from=one.date_start,
        # Odoo's last second still counts.
        valid_to=one.date_end + timedelta(seconds=1) if one.date_end else None,
    )


def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount=to_minor_unit(amount, currency), currency=currency)


def _taxes(vendor: VendorClient, wares: Iterable[Ware]) -> dict[int, Tax]:
    return by_id(vendor, Tax, (tax for one in wares for tax in one.taxes_id))


def _includes_tax(ware: Ware, taxes: Mapping[int, Tax]) -> bool:
    known = [taxes[tax] for tax in ware.taxes_id if tax in taxes]
    return bool(known) and all(tax.price_include for tax in known)
