"""Our names to Odoo's ids: products, units, taxes, price lists, places. Ids differ per database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from fizzbridge.errors import AmbiguousMatchError, ConfigurationError, MappingError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.positions import Position, Rate
from fizzbridge.runtime.target import Code
from platforms.odoo.mapping import unit_price
from platforms.odoo.transport import insert_once, search
from platforms.odoo.wire import Order, Place, Product, Resolved, Tax, Uom


def resolve(vendor: VendorClient, order: Order) -> list[Resolved]:
    """The order's lines in Odoo's ids.

    Raises:
        MappingError: a product, unit or tax is not there.
        AmbiguousMatchError: several products carry one SKU, which Odoo allows.
    """
    products = _products(vendor, order.lines)
    found = search(vendor, "uom.uom", [], ["name", "factor", "parent_path"])
    units = {unit.id: unit for unit in map(Uom.model_validate, found)}
    taxes = _taxes(vendor) if any(line.taxes for line in order.lines) else []
    return [_resolve(line, products[line.product.name], units, taxes) for line in order.lines]


def _resolve(
    line: Position, product: Product, units: Mapping[int, Uom], taxes: Sequence[Tax]
) -> Resolved:
    uom_id, quantity = _unit(line, product, units)
    return Resolved(
        title=line.title,
        product_id=product.id,
        quantity=quantity,
        uom_id=uom_id,
        price=unit_price(line.amount, quantity),
        tax_ids=tuple(_tax(line, rate, taxes).id for rate in line.taxes),
    )


def _products(vendor: VendorClient, lines: Sequence[Position]) -> dict[str, Product]:
    codes = sorted({line.product.name for line in lines})
    fields = ["default_code", "uom_id", "uom_ids"]
    found: dict[str, Product] = {}
    for record in search(vendor, "product.product", [["default_code", "in", codes]], fields):
        product = Product.model_validate(record)
        if product.default_code in found:
            msg = f"several products in Odoo have the internal reference {product.default_code}"
            raise AmbiguousMatchError(msg, platform="odoo")
        found[product.default_code] = product
    for line in lines:
        if line.product.name not in found:
            msg = f"line {line.id}: Odoo has no product {line.product.name}"
            raise MappingError(msg, cause=line.product.cause, platform="odoo")
    return found


def _unit(line: Position, product: Product, units: Mapping[int, Uom]) -> tuple[int, int]:
    """The unit of a line and the quantity in it.

    Odoo takes any unit on any product, hours on a can included: the tree is compared here.
    """
    stock = units[product.uom_id or 0]
    if line.unit is None:
        return stock.id, line.ordered
    family = [unit for unit in units.values() if unit.root == stock.root]
    if line.unit.name:
        named = [unit for unit in family if unit.name == line.unit.name]
        if len(named) == 1:
            return named[0].id, line.ordered
        why = f"no unit {line.unit.name} beside {stock.name}"
    elif stock.factor == 1:
        own = [unit for unit in family if unit.id in {stock.id, *product.uom_ids}]
        fitting = [unit for unit in own if unit.factor == line.factor]
        return (fitting[0].id, line.ordered) if fitting else (stock.id, line.base)
    else:
        # Whether our base unit is a piece or that pack only a person can say.
        why = f"it is kept in {stock.name}; map the unit"
    msg = f"line {line.id}: {line.product.name}: {why}"
    raise MappingError(msg, cause=line.unit.cause, platform="odoo")


def _taxes(vendor: VendorClient) -> list[Tax]:
    domain = [["type_tax_use", "=", "sale"], ["amount_type", "=", "percent"]]
    found = search(vendor, "account.tax", domain, ["name", "amount", "price_include"])
    return [Tax.model_validate(record) for record in found]


def _tax(line: Position, wanted: Rate, taxes: Sequence[Tax]) -> Tax:
    if wanted.code.name:
        label, fitting = wanted.code.name, [tax for tax in taxes if tax.name == wanted.code.name]
    else:
        label = f"{wanted.rate * 100:f} %{' included' if wanted.included else ''}"
        fitting = [
            tax
            for tax in taxes
            if tax.amount == wanted.rate * 100 and tax.price_include == wanted.included
        ]
    if len(fitting) != 1:
        many = "several sales taxes" if fitting else "no sales tax"
        msg = f"line {line.id}: Odoo has {many} of {label}"
        raise MappingError(msg, cause=wanted.code.cause, platform="odoo")
    return fitting[0]


def pricelist(vendor: VendorClient, currency: str, wanted: Code) -> int | None:
    """The price list that makes Odoo take a currency; None where it is Odoo's own.

    Raises:
        MappingError: there is no such list, or several.
    """
    if wanted.name:
        found = search(vendor, "product.pricelist", [["name", "=", wanted.name]], ["id"])
    else:
        company = search(vendor, "res.company", [], ["currency_id"], limit=1)
        if company[0]["currency_id"][1] == currency:
            return None
        domain = [["currency_id.name", "=", currency]]
        found = search(vendor, "product.pricelist", domain, ["id"])
    if len(found) != 1:
        label = wanted.name or f"in {currency}"
        msg = f"Odoo has {'several price lists' if found else 'no price list'} {label}"
        raise MappingError(msg, cause=wanted.cause, platform="odoo")
    return int(found[0]["id"])


def warehouse(vendor: VendorClient, code: str) -> int:
    """The warehouse of a code.

    Raises:
        ConfigurationError: the setting names none.
    """
    found = search(vendor, "stock.warehouse", [["code", "=", code]], ["id"])
    if len(found) != 1:
        raise ConfigurationError(f"Odoo has no warehouse {code}", platform="odoo")
    return int(found[0]["id"])


def place_values(vendor: VendorClient, place: Place) -> dict[str, str | int | None]:
    """A place as fields of a partner; None for a country or region that Odoo does not know."""
    country = state = None
    if place.country:
        country = _id(vendor, "res.country", ["code", "=", place.country])
    if country and place.region:
        of_country = ["country_id", "=", country]
        state = _id(vendor, "res.country.state", ["code", "=", place.region], of_country)
    texts = place.model_dump(exclude={"name", "country", "region"})
    return texts | {"country_id": country, "state_id": state}


def _id(vendor: VendorClient, model: str, *domain: list[Any]) -> int | None:
    found = search(vendor, model, domain, ["id"])
    return int(found[0]["id"]) if found else None


def columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as import columns: ids are told from names by ``/.id``."""
    return {f"{name}/.id" if name.endswith("_id") else name: v for name, v in values.items()}


def delivery(vendor: VendorClient, partner: str, place: Place) -> str:
    """The partner's delivery address that reads so; made where there is none.

    Its external id is made of its content, so one address is one record whoever asks for it.
    """
    content = hashlib.sha256(place.model_dump_json().encode()).hexdigest()[:16]
    values = {"parent_id": partner, "type": "delivery", "name": place.name or place.street or "-"}
    record = {"id": f"__fizz__.delivery_{partner}_{content}"}
    return insert_once(
        vendor, "res.partner", record | columns(values | place_values(vendor, place))
    )
