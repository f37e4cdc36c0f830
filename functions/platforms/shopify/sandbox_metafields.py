"""The sandbox shop's metafields: what apps write down beside its orders and goods."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_owners import Owners
from platforms.shopify.sandbox_writes import UserError

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

LIMIT = 25
APP_NAMESPACE = "app--1"
"""What ``$app`` and no namespace at all stand for."""

RESERVED = {"protected", "shopify_standard", "shopify-l10n-fields"}
OWNERS = {"Order": "ORDER", "Product": "PRODUCT", "ProductVariant": "PRODUCTVARIANT"}
READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "boolean": ({"true": True, "false": False}.__getitem__, "Value must be true or false."),
    "date": (date.fromisoformat, "Value must be in YYYY-MM-DD format."),
    "date_time": (
        datetime.fromisoformat,
        "Value must be in “YYYY-MM-DDTHH:MM:SS” format. For example: 2022-06-01T15:30:00",
    ),
    "json": (json.loads, "Value is invalid JSON."),
    "number_decimal": (Decimal, "Value must be a decimal."),
    "number_integer": (int, "Value must be an integer."),
    "url": (re.compile(r"(?:https?|mailto|sms|tel):\S+").fullmatch, "Value must be a valid link."),
}
TEXTS = {"id", "multi_line_text_field", "single_line_text_field"}


@dataclass
class Metafield:
    """One metafield of one owner."""

    id: int
    owner: str
    namespace: str
    key: str
    type: str
    value: str
    created_at: str
    updated_at: str

    @property
    def digest(self) -> str:
        """What an app names to write over this value and no other."""
        return hashlib.sha256(f"{self.type}:{self.value}".encode()).hexdigest()

    def node(self) -> Json:
        """As the API shows it."""
        kind = self.owner.split("/")[3]
        return {
            "id": self.id,
            "compare_digest": self.digest,
            "created_at": self.created_at,
            "key": self.key,
            "namespace": self.namespace,
            "owner_type": OWNERS[kind],
            "type": self.type,
            "updated_at": self.updated_at,
            "value": self.value,
        }


class Metafields:
    """The metafields of one shop, by owner."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._owners = Owners(desk)
        self._known: dict[tuple[str, str, str], Metafield] = {}

    def of(self, owner: str) -> list[Json]:
        """All of an owner, as the API shows them."""
        return [one.node() for one in self._known.values() if one.owner == owner]

    def one(self, owner: str, args: Json) -> Json | None:
        """The one of that namespace and key."""
        found = self._known.get((owner, _namespace(args), args["key"]))
        return found.node() if found else None

    def some(self, owner: str, args: Json) -> list[Json]:
        """Those of a namespace, or of some ``namespace.key``."""
        space, keys = args.get("namespace"), args.get("keys")
        return [
            one
            for one in self.of(owner)
            if space in {None, one["namespace"]}
            and (not keys or f"{one['namespace']}.{one['key']}" in keys)
        ]

    def set(self, args: Json) -> Json:
        """``metafieldsSet``: all of them, or none."""
        given = args["metafields"]
        if len(given) > LIMIT:
            text = f"Exceeded the maximum metafields input limit of {LIMIT}."
            raise UserError(["metafields"], text, "LESS_THAN_OR_EQUAL_TO")
        errors = [error for n, one in enumerate(given) if (error := self._wrong(n, one))]
        if errors:
            raise UserError.of(errors)
        before = {key: one.value for key, one in self._known.items()}
        made = [self._put(one) for one in given]
        told = [one for one in made if before.get((one.owner, one.namespace, one.key)) != one.value]
        for owner in dict.fromkeys(one.owner for one in told):
            if found := self._owners.find(owner):
                self._owners.touch(found)
        return {"metafields": [one.node() for one in made]}

    def _put(self, given: Json) -> Metafield:
        spot = (given["ownerId"], _namespace(given), given["key"])
        now, old = self._desk.stamp(), self._known.get(spot)
        kind = given.get("type") or (old.type if old else "")
        if old and (old.type, old.value) == (kind, given["value"]):
            return old
        number, since = (old.id, old.created_at) if old else (self._desk.next_id(), now)
        self._known[spot] = Metafield(number, *spot, kind, given["value"], since, now)
        return self._known[spot]

    def _wrong(self, n: int, given: Json) -> Json | None:
        old = self._known.get((given["ownerId"], _namespace(given), given["key"]))
        kind = given.get("type") or (old.type if old else None)
        found = (
            self._wrong_owner(given)
            or _wrong_name(given)
            or _wrong_value(kind, given["value"])
            or _stale(given, old)
        )
        if found is None:
            return None
        at, message, code = found
        field = ["metafields", str(n), *([at] if at else [])]
        return {"field": field, "message": message, "code": code}

    def _wrong_owner(self, given: Json) -> tuple[str, str, str] | None:
        if self._owners.find(given["ownerId"]):
            return None
        return "ownerId", "Owner does not exist.", "INVALID_VALUE"


def _namespace(given: Json) -> str:
    space: str = given.get("namespace") or "$app"
    if space == "$app" or space.startswith("$app:"):
        return space.replace("$app", APP_NAMESPACE, 1).replace(":", "--")
    return space


def _wrong_name(given: Json) -> tuple[str, str, str | None] | None:
    space, key = _namespace(given), given["key"]
    if space in RESERVED:
        return "namespace", f"Namespace {space} is a reserved namespace", None
    for at, name, text, low, high in (
        ("namespace", "Namespace", space, 3, 255),
        ("key", "Key", key, 2, 64),
    ):
        if len(text) < low:
            return at, f"{name} is too short (minimum is {low} characters)", "TOO_SHORT"
        if len(text) > high:
            return at, f"{name} is too long (maximum is {high} characters)", "TOO_LONG"
    return None


def _wrong_value(kind: str | None, value: str) -> tuple[str, str, str] | None:
    if kind is None:
        return "type", "Type can't be blank", "BLANK"
    if kind not in READERS and kind not in TEXTS:
        return "type", f"Type must be one of the following: {kind} is not.", "INCLUSION"
    if not value:
        return "value", "Value can't be blank.", "INVALID_VALUE"
    if kind == "single_line_text_field" and "\n" in value:
        return "value", "Value must be a single line text string.", "INVALID_VALUE"
    if kind in READERS:
        read, message = READERS[kind]
        try:
            if read(value) is None and kind == "url":
                return "value", message, "INVALID_VALUE"
        except (ArithmeticError, KeyError, ValueError):
            return "value", message, "INVALID_VALUE"
    return None


def _stale(given: Json, old: Metafield | None) -> tuple[None, str, str] | None:
    if "compareDigest" not in given or given["compareDigest"] == (old.digest if old else None):
        return None
    text = "The resource has been updated since it was loaded. Try again with an updated"
    return None, f"{text} `compareDigest` value.", "STALE_OBJECT"
