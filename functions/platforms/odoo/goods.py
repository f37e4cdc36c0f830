"""What is sold at Odoo, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import Price, Product
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.money import Money, to_minor_unit
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.settings import Connection
from platforms.odoo.gather import Rows, by_id, company, where
from platforms.odoo.wire import Tax
from platforms.odoo.wire_goods import Pricelist, Rule, Ware

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
        min_quantity=max(1, int(one.min_quantity.to_integral_value(ROUND_CEILING))),
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
