"""The sandbox shop's locations, inventory items and stock levels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import RefusedError, gid
from platforms.shopify.sandbox_search import refusal

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

STATES = (
    "available committed damaged incoming on_hand quality_control reserved safety_stock".split()
)
UNITS = {"g": "GRAMS", "kg": "KILOGRAMS", "oz": "OUNCES", "lb": "POUNDS"}
LEVEL_ID = re.compile(r"gid://shopify/InventoryLevel/(\d+)\?inventory_item_id=(\d+)")


@dataclass
class Level:
    """What of one item is at one location; one given up keeps its counts and is not active."""

    id: int
    item: Item
    location: Json
    available: int
    created_at: str
    updated_at: str
    committed: int = 0
    incoming: int = 0
    is_active: bool = True

    @property
    def gid(self) -> str:
        """The global id, which names the item, too."""
        return f"{gid('InventoryLevel', self.id)}?inventory_item_id={self.item.id}"

    def quantity(self, name: str) -> int:
        """The units in one state; what is on hand is all that stands there."""
        if name == "on_hand":
            return self.available + self.committed
        return int(getattr(self, name, 0))


@dataclass
class Item:
    """The stocked side of one variant; ``facts`` is what its webhooks show."""

    id: int
    facts: Json
    all_levels: list[Level] = field(default_factory=list)
    indexed: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def levels(self) -> list[Level]:
        """Where it is stocked now."""
        return [one for one in self.all_levels if one.is_active]

    def available(self) -> int:
        """Units to be sold over all locations; none where nobody counts."""
        return sum(one.available for one in self.levels) if self.facts["tracked"] else 0

    def level(self, location: Any) -> Level:
        """The level at a location, by default the first."""
        for one in self.levels:
            if location is None or one.location["id"] == int(location):
                return one
        raise RefusedError(f"the item is not stocked at {location or 'any location'}")


class Stock:
    """Where things are, and how many.

    Args:
        desk: the shop.
        next_id: gives fresh ids.
    """

    def __init__(self, desk: OrderDesk, next_id: Callable[[], int]) -> None:
        self.desk = desk
        self._next_id = next_id
        now = desk.stamp()
        main = {
            "id": desk.seed.get("location_id", 71_000_000_011),
            "name": desk.seed.get("location_name", "Main depot"),
        }
        self.locations: list[Json] = [
            {"is_active": True, "created_at": now, "updated_at": now} | one
            for one in (main, *desk.seed.get("locations", []))
        ]

    def location(self, location_id: Any = None) -> Json | None:
        """A location, by default the first."""
        each = (one for one in self.locations if location_id in {None, one["id"]})
        return next(each, None)

    def make(self, given: Json, number: int | None = None) -> Item:
        """The item of a new variant, stocked where the draft says or else at the first place."""
        stock, now = given.get("stock"), self.desk.stamp()
        item_id = number or self._next_id()
        facts = {
            "id": item_id,
            "sku": given.get("sku"),
            "created_at": now,
            "updated_at": now,
            "requires_shipping": given.get("requires_shipping", True),
            "cost": given.get("cost"),
            "country_code_of_origin": given.get("country_code_of_origin"),
            "province_code_of_origin": given.get("province_code_of_origin"),
            "harmonized_system_code": given.get("harmonized_system_code"),
            "tracked": given.get("tracked", stock is not None),
            "country_harmonized_system_codes": [],
            "weight_value": given.get("weight", 0),
            "weight_unit": given.get("weight_unit", "kg"),
            "admin_graphql_api_id": gid("InventoryItem", item_id),
        }
        item = Item(item_id, facts, indexed=[(self.desk.clock(), now)])
        first = self.locations[0]["id"]
        counts = stock if isinstance(stock, dict) else {first: stock or 0}
        for where, count in counts.items():
            self._stock_at(item, where, count)
        return item

    def connect(self, item: Item, location_id: Any, available: int | None = None) -> Level:
        """Stock an item at one more location; one it was at before still has its counts."""
        if any(one.location["id"] == int(location_id) for one in item.levels):
            raise RefusedError("the item is stocked there already")
        before = (one for one in item.all_levels if one.location["id"] == int(location_id))
        if level := next(before, None):
            level.is_active = True
            level.available = level.available if available is None else int(available)
            self.changed(level)
        else:
            level = self._stock_at(item, location_id, available)
        self._tell("inventory_levels/connect", item, self.level_body(level))
        return level

    def keep(self, item: Item, location_id: Any) -> Level:
        """A place for counts where an item is not stocked."""
        level = self._stock_at(item, location_id, 0)
        level.is_active = False
        return level

    def disconnect(self, item: Item, location_id: Any) -> None:
        """No longer stock an item at a location."""
        level = item.level(location_id)
        if len(item.levels) == 1 or level.committed:
            raise RefusedError("the only location, or one with committed stock, stays")
        level.is_active = False
        self.changed(level)
        thin = {"inventory_item_id": item.id, "location_id": level.location["id"]}
        self._tell("inventory_levels/disconnect", item, thin)

    def change(self, item: Item, facts: Json) -> None:
        """Change what an item is."""
        named = {"weight": "weight_value"}
        item.facts |= {named.get(key, key): value for key, value in facts.items()}
        item.facts["updated_at"] = self.desk.stamp()
        item.indexed.append((self.desk.clock(), item.facts["updated_at"]))
        self._tell("inventory_items/update", item, item.facts)

    def changed(self, level: Level) -> None:
        """A count is another one now."""
        level.updated_at = self.desk.stamp()

    def told_new(self, item: Item) -> None:
        """Tell of an item and where it is."""
        self._tell("inventory_items/create", item, item.facts)
        for level in item.levels:
            self._tell("inventory_levels/connect", item, self.level_body(level))

    def told_gone(self, item: Item) -> None:
        """Tell that an item is no more."""
        kept = (
            "id country_code_of_origin province_code_of_origin harmonized_system_code"
            " country_harmonized_system_codes admin_graphql_api_id".split()
        )
        self._tell("inventory_items/delete", item, {key: item.facts[key] for key in kept})

    def level_body(self, level: Level) -> Json:
        """A level as webhooks show it; uncounted stock is null."""
        return {
            "inventory_item_id": level.item.id,
            "location_id": level.location["id"],
            "available": level.available if level.item.facts["tracked"] else None,
            "updated_at": level.updated_at,
            "admin_graphql_api_id": level.gid,
        }

    def level_node(self, level: Level, item: Callable[[Json], Json]) -> Json:
        """A level as the API shows it."""

        def quantities(args: Json) -> list[Json]:
            if unknown := set(args["names"]) - set(STATES):
                names = ", ".join(sorted(unknown))
                raise refusal(f"The specified quantity names are invalid: {names}", "BAD_REQUEST")
            return [
                {
                    "admin_graphql_api_id": f"{gid('InventoryQuantity', level.id)}?name={name}",
                    "name": name,
                    "quantity": level.quantity(name),
                    "updated_at": level.updated_at,
                }
                for name in args["names"]
            ]

        return {
            "id": level.id,
            "admin_graphql_api_id": level.gid,
            "can_deactivate": level.is_active
            and len(level.item.levels) > 1
            and not level.committed,
            "created_at": level.created_at,
            "is_active": level.is_active,
            "item": item,
            "location": level.location,
            "quantities": quantities,
            "updated_at": level.updated_at,
        }

    def item_node(self, item: Item, show: Callable[[Json], Json]) -> Json:
        """An item as the API shows it; ``show`` gives it again, below its levels."""
        facts, cost = item.facts, item.facts["cost"]
        code = self.desk.seed.get("currency", "GBP")
        weight = {"unit": UNITS[facts["weight_unit"]], "value": float(facts["weight_value"])}

        def levels(args: Json) -> list[Json]:
            shown = item.all_levels if args["includeInactive"] else item.levels
            return [self.level_node(one, show) for one in shown]

        def level(args: Json) -> Json | None:
            each = levels(args)
            return next((e for e in each if gid_of(e["location"]) == args["locationId"]), None)

        return facts | {
            "inventory_level": level,
            "inventory_levels": levels,
            "locations_count": {"count": len(item.levels), "precision": "EXACT"},
            "measurement": {"id": item.id, "weight": weight},
            "unit_cost": cost and {"amount": str(Decimal(str(cost))), "currency_code": code},
        }

    def _stock_at(self, item: Item, location_id: Any, available: Any) -> Level:
        if (location := self.location(int(location_id))) is None:
            raise RefusedError(f"no location {location_id}")
        now = self.desk.stamp()
        level = Level(self._next_id(), item, location, int(available or 0), now, now)
        item.all_levels.append(level)
        return level

    def _tell(self, topic: str, item: Item, body: Json) -> None:
        self.desk.notify(topic, item.id, body, self.desk.clock())


def gid_of(location: Json) -> str:
    """The global id of a location."""
    return gid("Location", location["id"])
