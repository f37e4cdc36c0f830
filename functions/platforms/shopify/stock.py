"""How much the shop offers of a code at a location: what is available, in absolute numbers.

Each count says what it takes the place of, so a call that comes late never overwrites a later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from fizzbridge.errors import ConflictError, FizzbridgeError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime.target import LevelEntity, Situation
from fizzbridge.runtime.view import View
from fizzbridge.trade.offering import StockOffer
from platforms.shopify.codes import variants
from platforms.shopify.telling import MOST, ShopClient, Told, Write, gid, number, parts, shop

_STALE = "CHANGE_FROM_QUANTITY_STALE"
_ROUNDS = 3
"""One counts; one more for what moved meanwhile; one for what stood beside something refused."""


class Stock(Frozen):
    """What an item's stock level says of its codes."""

    offers: tuple[StockOffer, ...]


@dataclass(frozen=True)
class Count:
    """A number that is to change.

    Attributes:
        of: the stock level that says so.
        sku: for people.
        item: what is counted.
        place: where.
        quantity: what it is to be.
        now: what it is; None where the item is not stocked there yet.
    """

    of: EntityRef
    sku: str
    item: str
    place: str
    quantity: int
    now: int | None

    def refused(self, message: str) -> TargetRejectedError:
        """What the shop has against it."""
        where = f"{self.sku} at location {number(self.place)}"
        return TargetRejectedError(f"{where}: {message}", platform="shopify")


class StockLevels(LevelEntity):
    """What is available of tracked variants."""

    most: ClassVar[int] = 50
    calls: ClassVar[int] = 30

    def desired(self, view: View, situation: Situation) -> Stock | None:
        """By code and location; None where nothing of it is offered here."""
        offers = situation.stock(view)
        return Stock(offers=offers) if offers else None

    def write(
        self, vendor: VendorClient, payloads: Mapping[EntityRef, Stock]
    ) -> Mapping[EntityRef, FizzbridgeError]:
        """Read, and write what differs; again where somebody counted in between."""
        client = shop(vendor)
        failures: dict[EntityRef, FizzbridgeError] = {}
        primary = _primary(client, payloads)
        left = {
            one: stock for one, stock in payloads.items() if not _misplaced(one, stock, failures)
        }
        for _ in range(_ROUNDS):
            left = _round(client, left, primary, failures)
            if not left:
                return failures
        for one in left:
            said = "its stock moved in the shop whenever it was to be written"
            failures.setdefault(one, ConflictError(said, platform="shopify"))
        return failures


def _round(
    client: ShopClient,
    payloads: Mapping[EntityRef, Stock],
    primary: str,
    failures: dict[EntityRef, FizzbridgeError],
) -> dict[EntityRef, Stock]:
    """Write once; gives what is to be read and written again."""
    # Two levels may speak for one code for a moment; a call must not name it twice.
    counts = {(one.item, one.place): one for one in _counts(client, payloads, primary)}.values()
    again: set[EntityRef] = set()
    new = [one for one in counts if one.now is None]
    for one, told in zip(new, client.tell(*map(_activation, new)), strict=True):
        if told.refusals:
            failures[one.of] = one.refused(told.refusals[0].message)
    for some in parts([one for one in counts if one.now is not None], MOST):
        (told,) = client.tell(_setting(some))
        if told.refusals:
            again |= _sorted(some, told, failures)
    return {one: stock for one, stock in payloads.items() if one in again and one not in failures}


def _sorted(
    counts: Sequence[Count], told: Told, failures: dict[EntityRef, FizzbridgeError]
) -> set[EntityRef]:
    """One count refused stops all of its call: note what is wrong with it, and keep the others."""
    for refusal in told.refusals:
        if refusal.position is None:
            told.checked("stock")
        elif refusal.code != _STALE:
            count = counts[refusal.position]
            failures[count.of] = count.refused(refusal.message)
    return {one.of for one in counts}


def _misplaced(of: EntityRef, stock: Stock, failures: dict[EntityRef, FizzbridgeError]) -> bool:
    """Whether a map names as a location what can be none: a question with it would fail for all."""
    for offer in stock.offers:
        if offer.place and not number(offer.place).isdigit():
            said = f"{offer.code}: {offer.place} is no location's id"
            failures[of] = TargetRejectedError(said, platform="shopify")
    return of in failures


def _primary(client: ShopClient, payloads: Mapping[EntityRef, Stock]) -> str:
    """The location meant where none is named; asked for where it is needed."""
    if all(offer.place for stock in payloads.values() for offer in stock.offers):
        return ""
    found = client.ask("{ location { id } }")["location"]
    if found is None:
        raise TargetRejectedError("the shop has no primary location", platform="shopify")
    return str(found["id"])


def _counts(
    client: ShopClient, payloads: Mapping[EntityRef, Stock], primary: str
) -> Iterator[Count]:
    """What is not there as it should be."""
    offers: dict[str, list[tuple[EntityRef, StockOffer]]] = {}
    for of, stock in payloads.items():
        for offer in stock.offers:
            offers.setdefault(offer.code, []).append((of, offer))
    listed = {offer.place for of in offers.values() for _, offer in of}
    places = {name: gid("Location", number(name)) if name else primary for name in sorted(listed)}
    asked = " ".join(
        f'p{n}: inventoryLevel(locationId: "{place}", includeInactive: true)'
        ' { isActive quantities(names: ["available"]) { quantity } }'
        for n, place in enumerate(places.values())
    )
    position = {name: f"p{n}" for n, name in enumerate(places)}
    for variant in variants(client, offers, f"inventoryItem {{ id tracked {asked} }}"):
        item = variant["inventoryItem"]
        for of, offer in offers[variant["sku"]] if item["tracked"] else ():
            now = _available(item[position[offer.place]])
            if now != offer.quantity:
                place = places[offer.place]
                yield Count(of, offer.code, item["id"], place, offer.quantity, now)


def _available(level: Any) -> int | None:
    if level is None or not level["isActive"]:
        return None
    return int(level["quantities"][0]["quantity"])


def _activation(count: Count) -> Write:
    return Write(
        "inventoryActivate",
        {
            "inventoryItemId": ("ID!", count.item),
            "locationId": ("ID!", count.place),
            "available": ("Int", count.quantity),
        },
        errors="userErrors { field message }",
        key=str(uuid4()),
    )


def _setting(counts: Sequence[Count]) -> Write:
    quantities = [
        {
            "inventoryItemId": one.item,
            "locationId": one.place,
            "quantity": one.quantity,
            "changeFromQuantity": one.now,
        }
        for one in counts
    ]
    given = {"name": "available", "reason": "correction", "quantities": quantities}
    # A key used before would answer for what was done then: a count may come back.
    return Write(
        "inventorySetQuantities",
        {"input": ("InventorySetQuantitiesInput!", given)},
        key=str(uuid4()),
    )
