"""What apps write of the sandbox shop's stock.

Since 2026-10 stock can be set at every location: where an item is not stocked the count is kept,
and nothing is for sale there before the item is activated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_catalogue import Variant
from platforms.shopify.sandbox_graphql import number_in
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_search import refusal
from platforms.shopify.sandbox_stock import Level, gid_of
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

BILLION = 1_000_000_000
NAMES = ("available", "on_hand")
REASONS = (
    "correction cycle_count_available damaged movement_canceled movement_created movement_received"
    " movement_updated other promotion quality_control received reservation_created"
    " reservation_deleted reservation_updated restock safety_stock shrinkage".split()
)
DOCUMENT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


class StockWrites:
    """Counts set by an app, and items it stocks at more locations."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def set_quantities(self, args: Json) -> Json:
        """``inventorySetQuantities``: all counts, or none."""
        given = args["input"]
        if any("changeFromQuantity" not in one for one in given["quantities"]):
            message = (
                "InventoryQuantityInput must include the following argument: changeFromQuantity."
            )
            raise refusal(message, "INVALID_FIELD_ARGUMENTS")
        if errors := [*_head_errors(given), *self._row_errors(given)]:
            raise UserError.of(errors)
        changes = [
            change for one in given["quantities"] for change in self._set(given["name"], one)
        ]
        if not changes:
            return {"inventory_adjustment_group": None}
        group = {
            "id": self._desk.next_id(),
            "changes": lambda asked: [one for one in changes if _asked_for(one, asked)],
            "created_at": self._desk.stamp(),
            "reason": given["reason"],
            "reference_document_uri": given.get("referenceDocumentUri"),
        }
        return {"inventory_adjustment_group": group}

    def activate(self, args: Json) -> Json:
        """``inventoryActivate``: stock an item at one more location."""
        catalogue = self._desk.catalogue
        variant = self._variant(args["inventoryItemId"])
        location = catalogue.stock.location(number_in(args["locationId"], "Location"))
        if location is None:
            message = "The product couldn't be stocked because the location wasn't found."
            raise UserError(["locationId"], message)
        if variant is None:
            message = f"The product couldn't be stocked at {location['name']} because the product"
            raise UserError(["inventoryItemId"], f"{message} was deleted.")
        level = _level(variant, location["id"])
        given = {key: args[key] for key in ("available", "onHand") if args.get(key) is not None}
        _check_activation(given, location, is_active=bool(level and level.is_active))
        if level and level.is_active:
            return {"inventory_level": self._node(variant, level)}
        committed = level.committed if level else 0
        available = given.get("available")
        if "onHand" in given:
            available = given["onHand"] - committed
        level = catalogue.stock.connect(variant.item, location["id"], available)
        return {"inventory_level": self._node(variant, level)}

    def _row_errors(self, given: Json) -> Iterator[Json]:
        rows = given["quantities"]
        places = [(one["inventoryItemId"], one["locationId"]) for one in rows]
        for n, one in enumerate(rows):
            path = ["input", "quantities", str(n)]
            if places.count(places[n]) > 1:
                message = "The combination of inventoryItemId and locationId must be unique."
                code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
                yield {"field": [*path, "locationId"], "message": message, "code": code}
            for key, message, code in _count_errors(given["name"], one["quantity"]):
                yield {"field": [*path, key], "message": message, "code": code}
            for key, message, code in self._place_errors(given["name"], one):
                yield {"field": [*path, key], "message": message, "code": code}

    def _place_errors(self, name: str, one: Json) -> Iterator[tuple[str, str, str]]:
        variant = self._variant(one["inventoryItemId"])
        number = number_in(one["locationId"], "Location")
        if variant is None:
            text = "The specified inventory item could not be found."
            yield "inventoryItemId", text, "INVALID_INVENTORY_ITEM"
        if self._desk.catalogue.stock.location(number) is None:
            yield "locationId", "The specified location could not be found.", "INVALID_LOCATION"
        elif variant and name in NAMES and one["changeFromQuantity"] is not None:
            level = _level(variant, number)
            if (level.quantity(name) if level else 0) != one["changeFromQuantity"]:
                text = "The changeFromQuantity argument no longer matches the persisted quantity."
                yield "changeFromQuantity", text, "CHANGE_FROM_QUANTITY_STALE"

    def _set(self, name: str, one: Json) -> Iterator[Json]:
        catalogue = self._desk.catalogue
        variant = self._variant(one["inventoryItemId"])
        number = number_in(one["locationId"], "Location")
        location = catalogue.stock.location(number)
        if variant is None or location is None:
            return
        level = _level(variant, number) or catalogue.stock.keep(variant.item, number)
        if (delta := one["quantity"] - level.quantity(name)) == 0:
            return
        if level.is_active:
            catalogue.move(variant, level, delta)
        else:
            level.available += delta
            catalogue.stock.changed(level)
        for told in NAMES:
            yield {
                "name": told,
                "delta": delta,
                "quantity_after_change": None,
                "ledger_document_uri": None,
                "item": lambda _: catalogue.item_node(variant),
                "location": location,
                "item_gid": one["inventoryItemId"],
            }

    def _variant(self, item_gid: str) -> Variant | None:
        return self._desk.catalogue.level_item(number_in(item_gid, "InventoryItem"))

    def _node(self, variant: Variant, level: Level) -> Json:
        catalogue = self._desk.catalogue
        return catalogue.stock.level_node(level, lambda _: catalogue.item_node(variant))


def _level(variant: Variant, location: int) -> Level | None:
    each = (one for one in variant.item.all_levels if one.location["id"] == location)
    return next(each, None)


def _head_errors(given: Json) -> Iterator[Json]:
    document = given.get("referenceDocumentUri")
    if given["name"] not in NAMES:
        message = "The quantity name must be either 'available' or 'on_hand'."
        yield {"field": ["input", "name"], "message": message, "code": "INVALID_NAME"}
    if given["reason"] not in REASONS:
        message = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        yield {"field": ["input", "reason"], "message": message, "code": "INVALID_REASON"}
    if document is not None and not DOCUMENT.fullmatch(document):
        message, code = "The specified reference document is invalid.", "INVALID_REFERENCE_DOCUMENT"
        yield {"field": ["input", "referenceDocumentUri"], "message": message, "code": code}


def _count_errors(name: str, quantity: int) -> Iterator[tuple[str, str, str]]:
    if quantity > BILLION:
        text = "The quantity can't be higher than 1,000,000,000."
        yield "quantity", text, "INVALID_QUANTITY_TOO_HIGH"
    elif quantity < -BILLION:
        text = "The quantity can't be lower than -1,000,000,000."
        yield "quantity", text, "INVALID_QUANTITY_TOO_LOW"
    elif quantity < 0 and name == "on_hand":
        yield "quantity", "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE"


def _check_activation(given: Json, location: Json, *, is_active: bool) -> None:
    refused = f"The product couldn't be stocked at {location['name']} because"
    if len(given) > 1:
        text = f"{refused} not allowed to set available and on_hand quantities at the same time."
        raise UserError.of([{"field": [key], "message": text} for key in given])
    texts = {"available": "available quantity", "onHand": "an on_hand quantity"}
    for key, count in given.items():
        if is_active:
            text = f"Not allowed to set {texts[key]} when the item is already active at"
            raise UserError([key], f"{text} the location.")
        if abs(count) > BILLION:
            text = f"{refused} the quantity needs to be between -1 billion and 1 billion."
            raise UserError([key], text)


def _asked_for(change: Json, asked: Json) -> bool:
    wanted: list[tuple[str, Any]] = [
        ("inventoryItemIds", change["item_gid"]),
        ("locationIds", gid_of(change["location"])),
        ("quantityNames", change["name"]),
    ]
    return all(asked.get(key) is None or value in asked[key] for key, value in wanted)
