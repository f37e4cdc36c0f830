"""Orders, customers and products with all of theirs, read in as few calls as there are resources.

The first of a process costs some more: states, currencies, countries and the like are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fizzbridge.errors import ConfigurationError
from fizzbridge.observation import Told
from fizzbridge.settings import Connection
from platforms.prestashop import mapping, wire
from platforms.prestashop.webservice import Row, Webservice

_BELOW = {
    "details": "order_details",
    "slips": "order_slip",
    "parcels": "order_carriers",
    "messages": "messages",
}
_OF_PRODUCT = {
    "combinations": ("combinations", "[id,id_product,reference,ean13,upc,price]"),
    "stock": ("stock_availables", "[id,id_product,id_product_attribute,quantity]"),
    "prices": ("specific_prices", "full"),
}
_STOCK_IS_COUNTED = "PS_STOCK_MANAGEMENT"
_WITHOUT_TAX = "1"


def orders(service: Webservice, rows: list[Row], connection: Connection) -> Iterator[Told]:
    """What the orders of some rows tell."""
    shop = shop_of(service, connection)
    for row in _complete(service, rows, connection):
        yield from mapping.order(wire.Order.model_validate(row), shop)


def _complete(service: Webservice, rows: list[Row], connection: Connection) -> Iterator[Row]:
    """Orders with what belongs to them, read for all of them at once."""
    settings = connection.settings
    ids = {row["id"] for row in rows}
    below = {name: service.of(resource, "id_order", ids) for name, resource in _BELOW.items()}
    reduced = {row["id"] for row in rows if Decimal(row.get("total_discounts_tax_incl") or 0)}
    rules = str(settings.get("cart_rules", "order_cart_rules"))
    below["cart_rules"] = service.of(rules, "id_order", reduced)
    payments = service.of("order_payments", "order_reference", _all(rows, "reference"))
    siblings = service.of("orders", "reference", payments, "[id,reference,total_paid_tax_incl]")
    customers = _first(service.of("customers", "id", _all(rows, "id_customer")))
    of_places = _all(rows, "id_address_invoice") | _all(rows, "id_address_delivery")
    places = _first(_places(service, "id", of_places))
    details, parcels, paid = (_flat(one) for one in (below["details"], below["parcels"], payments))
    _look_up_lines(service, details)
    currencies = service.kept("currencies", _all([*rows, *paid], "id_currency"))
    states = service.kept("order_states", _all(rows, "current_state"))
    groups = service.kept("groups", _all(customers.values(), "id_default_group"))
    carriers = service.kept("carriers", _all([*rows, *parcels], "id_carrier"), "[id,name]")
    for one in paid:
        one["currency"] = _said(currencies, one, "id_currency", "iso_code")
    for one in (*rows, *parcels):
        one["carrier"] = _said(carriers, one, "id_carrier", "name")
    for row in rows:
        row |= {name: found.get(row["id"], ()) for name, found in below.items()}
        row["payments"] = payments.get(row["reference"], ())
        row["siblings"] = siblings.get(row["reference"], ())
        row["customer"] = customers.get(row["id_customer"])
        row["bill_to"] = places.get(row["id_address_invoice"])
        row["ship_to"] = places.get(row["id_address_delivery"])
        row["currency"] = _said(currencies, row, "id_currency", "iso_code")
        # An order that is being made has no state yet; one nobody lists any more has no flags.
        state = row.get("current_state") or "0"
        row["state"] = states.get(state, {"id": state}) if state != "0" else None
        # Prices are shown with tax or without by the customer's group; the order has both.
        method = _said(groups, row["customer"] or {}, "id_default_group", "price_display_method")
        row["tax_included"] = method != _WITHOUT_TAX
        row["po_number"] = row.get(str(settings.get("po_number_field", "")), "")
        yield row


def _look_up_lines(service: Webservice, details: list[Row]) -> None:
    products = service.kept("products", _all(details, "product_id"), "[id,is_virtual]")
    ids = {tax["id"] for line in details for tax in line.get("taxes", ())}
    taxes = service.kept("taxes", ids)
    for line in details:
        line["is_virtual"] = _said(products, line, "product_id", "is_virtual")
        line["taxes"] = [taxes[one["id"]] for one in line.get("taxes", ()) if one["id"] in taxes]


def _places(service: Webservice, field: str, values: Iterable[str]) -> dict[str, list[Row]]:
    found = service.of("addresses", field, values)
    rows = _flat(found)
    countries = service.kept("countries", _all(rows, "id_country"), "[id,iso_code]")
    regions = service.kept("states", _all(rows, "id_state"), "[id,iso_code]")
    for row in rows:
        row["country"] = _said(countries, row, "id_country", "iso_code")
        row["region"] = _said(regions, row, "id_state", "iso_code")
    return found


def customers(service: Webservice, ids: Iterable[str], connection: Connection) -> Iterator[Told]:
    """What the customers with some ids tell."""
    shop = shop_of(service, connection)
    for key, row in _first(service.of("customers", "id", ids)).items():
        row["addresses"] = _places(service, "id_customer", [key]).get(key, ())
        yield from mapping.customer(wire.Customer.model_validate(row), shop)


def products(service: Webservice, rows: list[Row], connection: Connection) -> Iterator[Told]:
    """What the products of some rows tell."""
    shop = shop_of(service, connection)
    ids = _all(rows, "id")
    below = {
        name: service.of(resource, "id_product", ids, display)
        for name, (resource, display) in _OF_PRODUCT.items()
    }
    prices = _flat(below["prices"])
    groups = service.kept("groups", _all(prices, "id_group"))
    for one in prices:
        one["group"] = _said(groups, one, "id_group", "name")
    known = service.kept("configurations", [_STOCK_IS_COUNTED], field="name")
    is_counted = known.get(_STOCK_IS_COUNTED, {}).get("value") != "0"
    for row in rows:
        row |= {name: found.get(row["id"], ()) for name, found in below.items()}
        whole = row | {"is_counted": is_counted}
        yield from mapping.product(wire.Product.model_validate(whole), shop)


def shop_of(service: Webservice, connection: Connection) -> mapping.Shop:
    """What the shop's configuration and the connection's settings say of it."""
    settings = connection.settings
    names = ("PS_TIMEZONE", "PS_CURRENCY_DEFAULT")
    values = service.kept("configurations", names, field="name")
    zone, currency = (values.get(name, {}).get("value", "") for name in names)
    zone = str(settings.get("time_zone", zone))
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = f"{zone!r} is no time zone: set time_zone in the connection's settings"
        raise ConfigurationError(msg, platform="prestashop") from error
    cancelled, refunded, failed = (
        frozenset(str(settings.get(name, usual)).replace(" ", "").split(","))
        for name, usual in (("cancelled_states", 6), ("refunded_states", 7), ("failed_states", 8))
    )
    iso = service.kept("currencies", [currency]).get(currency, {}).get("iso_code", "")
    return mapping.Shop(connection.name, known, iso, cancelled, refunded, failed)


def _all(rows: Iterable[Row], field: str) -> set[str]:
    return {row.get(field, "") for row in rows}


def _flat(found: Mapping[str, list[Row]]) -> list[Row]:
    return [row for rows in found.values() for row in rows]


def _first(found: Mapping[str, list[Row]]) -> dict[str, Row]:
    return {key: rows[0] for key, rows in found.items()}


def _said(known: Mapping[str, Row], row: Row, key: str, field: str) -> str:
    """What a row says of the thing another row names."""
    return str(known.get(row.get(key, ""), {}).get(field, ""))
