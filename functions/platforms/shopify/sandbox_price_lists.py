"""The sandbox shop's price lists: fixed prices, quantity breaks and rules for company locations."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_catalogue import Variant
from platforms.shopify.sandbox_money import Currencies, Json
from platforms.shopify.sandbox_orders import RefusedError, known
from platforms.shopify.sandbox_search import Entry, matches, search_terms

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

LIST_KEYS = set("id name currency adjustment prices catalog".split())
CATALOG_KEYS = {"id", "title", "status", "locations"}
PRICE_KEYS = {"price", "compare_at_price", "breaks", "rule"}
CATALOG_STATUSES = {"active", "archived", "draft"}
NO_RULE = {"minimum": 1, "maximum": None, "increment": 1}


@dataclass
class Fixed:
    """One fixed price; ``breaks`` are ids and prices by the quantity they begin at."""

    price: str
    compare_at_price: str | None = None
    breaks: dict[int, tuple[int, str]] = field(default_factory=dict)


@dataclass
class PriceList:
    """One price list; ``adjustment`` is the percentage off where no price is fixed."""

    id: int
    name: str
    currency: str
    adjustment: Decimal
    catalog: Json | None
    prices: dict[int, Fixed] = field(default_factory=dict)
    rules: dict[int, Json] = field(default_factory=dict)

    def amount(self, given: Any) -> str:
        """An amount as it is kept: with the decimals of its currency."""
        money = Currencies(self.currency, self.currency)
        return money.text(money.money(given))


class PriceLists:
    """The price lists of one shop.

    The seed's ``price_lists`` are [{id, name, currency, adjustment, prices: {sku: {price,
    compare_at_price, breaks: {minimum: price}, rule: {minimum, maximum, increment}}}, catalog: {id,
    title, status, locations: [external ids]}}].
    """

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self.known: dict[int, PriceList] = {}
        for given in desk.seed.get("price_lists", []):
            self.create(given)

    def create(self, given: Json) -> PriceList:
        """A price list, with its catalogue."""
        known(given, LIST_KEYS, "price list")
        catalog = given.get("catalog")
        if catalog is not None:
            known(catalog, CATALOG_KEYS, "catalogue")
            base = {"id": self._id(), "title": given["name"], "status": "active", "locations": []}
            catalog = base | catalog
            if catalog["status"] not in CATALOG_STATUSES:
                raise RefusedError(f"no catalogue is {catalog['status']}")
        one = PriceList(
            given.get("id") or self._id(),
            given["name"],
            given.get("currency") or self._desk.seed.get("currency", "GBP"),
            Decimal(str(given.get("adjustment", 0))),
            catalog,
        )
        for sku, price in given.get("prices", {}).items():
            known(price, PRICE_KEYS, "fixed price")
            variant = self._desk.catalogue.found(sku)
            self.fix(one, variant.id, price["price"], price.get("compare_at_price"))
            for minimum, amount in price.get("breaks", {}).items():
                self.add_break(one, variant.id, int(minimum), amount)
            if rule := price.get("rule"):
                one.rules[variant.id] = NO_RULE | rule
        self.known[one.id] = one
        return one

    def fix(self, one: PriceList, variant_id: int, price: Any, compared: Any = None) -> None:
        """Fix a price; its breaks stay."""
        old = one.prices.get(variant_id)
        shown = None if compared is None else one.amount(compared)
        one.prices[variant_id] = Fixed(one.amount(price), shown, old.breaks if old else {})

    def add_break(self, one: PriceList, variant_id: int, minimum: int, price: Any) -> None:
        """From this quantity on another price; one that begins there already is replaced."""
        breaks = one.prices[variant_id].breaks
        number = breaks[minimum][0] if minimum in breaks else self._id()
        breaks[minimum] = (number, one.amount(price))

    def copy(self, one: PriceList) -> PriceList:
        """One to try changes on; ``put`` makes them count."""
        return copy.deepcopy(one)

    def put(self, one: PriceList) -> None:
        """The changed price list in place of what it was."""
        self.known[one.id] = one

    def entries(self) -> Iterator[Entry]:
        """The price lists for a connection."""
        for one in self.known.values():
            yield Entry(one.id, {"name": one.name}, partial(self.node, one))

    def catalog_entries(self, kind: str | None) -> Iterator[Entry]:
        """The catalogues for a connection; all of them are of company locations."""
        for one in self.known.values():
            if one.catalog and kind in {None, "COMPANY_LOCATION"}:
                facts = {"title": one.catalog["title"]}
                yield Entry(one.catalog["id"], facts, partial(self.catalog_node, one))

    def of_place(self, body: Json) -> list[Json]:
        """The catalogues of a company location, as the API shows them."""
        each = (one for one in self.known.values() if one.catalog)
        return [
            self.catalog_node(one)
            for one in each
            if one.catalog and body["external_id"] in one.catalog["locations"]
        ]

    def node(self, one: PriceList) -> Json:
        """As the API shows it."""
        kind = "PERCENTAGE_DECREASE" if one.adjustment >= 0 else "PERCENTAGE_INCREASE"
        adjustment = {"type": kind, "value": float(abs(one.adjustment))}
        return {
            "id": one.id,
            "catalog": lambda _: one.catalog and self.catalog_node(one),
            "currency": one.currency,
            "fixed_prices_count": len(one.prices),
            "name": one.name,
            "parent": {"adjustment": adjustment},
            "prices": lambda args: self._prices(one, args),
            "quantity_rules": lambda args: self._rules(one, args),
        }

    def price_node(self, one: PriceList, variant: Variant) -> Json:
        """The price of a variant as the API shows it."""
        fixed = one.prices.get(variant.id)
        if fixed is None:
            price = Decimal(variant.facts["price"]) * (1 - one.adjustment / 100)
            shown = Fixed(one.amount(price))
        else:
            shown = fixed
        compared = shown.compare_at_price
        return {
            "id": variant.id,
            "compare_at_price": compared and self._money(one, compared),
            "origin_type": "FIXED" if fixed else "RELATIVE",
            "price": self._money(one, shown.price),
            "quantity_price_breaks": lambda _: [
                {
                    "id": number,
                    "minimum_quantity": minimum,
                    "price": self._money(one, amount),
                    "price_list": lambda _: self.node(one),
                    "variant": lambda _: self._desk.catalogue.variant_node(variant),
                }
                for minimum, (number, amount) in sorted(shown.breaks.items())
            ],
            "variant": lambda _: self._desk.catalogue.variant_node(variant),
        }

    def catalog_node(self, one: PriceList) -> Json:
        """A price list's catalogue as the API shows it."""
        catalog: Json = one.catalog or {}
        return catalog | {
            "__typename": "CompanyLocationCatalog",
            "price_list": lambda _: self.node(one),
            "company_locations": lambda _: self._places(catalog),
            "company_locations_count": {
                "count": len(self._places(catalog)),
                "precision": "EXACT",
            },
        }

    def _prices(self, one: PriceList, args: Json) -> list[Json]:
        either = search_terms(args.get("query") or "", {"variant_id", "product_id"})
        nodes = []
        for variant in self._desk.catalogue.variants():
            facts = {"variant_id": variant.id, "product_id": variant.product.id}
            if any(all(matches(facts, *term) for term in terms) for terms in either):
                nodes.append(self.price_node(one, variant))
        kind = args.get("originType")
        return [node for node in nodes if kind in {None, node["origin_type"]}]

    def _rules(self, one: PriceList, args: Json) -> list[Json]:
        nodes = []
        for variant in self._desk.catalogue.variants():
            own = one.rules.get(variant.id)
            facts = {
                "id": variant.id,
                "is_default": own is None,
                "origin_type": "FIXED" if own else "RELATIVE",
                "product_variant": partial(self._variant, variant),
            }
            nodes.append((own or NO_RULE) | facts)
        kind = args.get("originType")
        return [node for node in nodes if kind in {None, node["origin_type"]}]

    def _variant(self, variant: Variant, _: Json) -> Json:
        return self._desk.catalogue.variant_node(variant)

    def _places(self, catalog: Json) -> list[Json]:
        companies = self._desk.companies
        return [
            companies.place_node(company, place)
            for company in companies.known.values()
            for place in company.places.values()
            if place.body["external_id"] in catalog.get("locations", ())
        ]

    def _money(self, one: PriceList, amount: str) -> Json:
        return {"amount": amount, "currency_code": one.currency}

    def _id(self) -> int:
        return self._desk.next_id()
