"""What is shown of an item: looked up by code, compared, and overwritten in batches.

A batch answers 200 with an error in each row that failed. Rows are cast and not checked, and a
value the shop does not like is dropped in silence, so each answer is held against what was sent. A
variation in a batch below another parent would move there: it goes below the one it was read with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, TypeAlias

from fizzbridge.errors import FizzbridgeError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime.target import LevelEntity
from platforms.woocommerce.transport import API, FULL, rejected
from platforms.woocommerce.wire import Item

CODES = 50
"""Looked up at once: they go in the address, and hosts take no long ones."""

FIELDS = ",".join(Item.model_fields)

Values: TypeAlias = Mapping[str, str | int]
Change: TypeAlias = tuple[Item, Values]
Failed: TypeAlias = dict[EntityRef, FizzbridgeError]


class Shelf(LevelEntity, ABC):
    """One kind of what is shown of items."""

    most: ClassVar[int] = 20
    calls: ClassVar[int] = 25  # where each is a variation of another parent

    @abstractmethod
    def codes(self, payload: Any) -> Iterable[str]:
        """The codes a payload speaks of."""

    @abstractmethod
    def differing(
        self, vendor: VendorClient, there: Sequence[Item]
    ) -> Callable[[Any, Sequence[Item]], Iterator[Change]]:
        """What makes changes of a payload and of what is there under its codes.

        Whatever else must be read is read here, for all at once. The changes of one payload may end
        in an error that fails it alone.
        """

    def write(
        self, vendor: VendorClient, payloads: Mapping[EntityRef, Any]
    ) -> Mapping[EntityRef, FizzbridgeError]:
        """Look all codes up, and write what differs."""
        codes = {code for payload in payloads.values() for code in self.codes(payload)}
        there = by_code(vendor, sorted(codes))
        changes_of = self.differing(vendor, [one for found in there.values() for one in found])
        failed: Failed = {}
        changes: list[tuple[EntityRef, Change]] = []
        for ref, payload in payloads.items():
            items = [one for code in self.codes(payload) for one in there.get(code, ())]
            try:
                for change in changes_of(payload, items):  # up to where it is refused
                    changes.append((ref, change))
            except TargetRejectedError as error:
                failed[ref] = error
        return _send(vendor, changes) | failed


def by_code(vendor: VendorClient, codes: Sequence[str]) -> dict[str, list[Item]]:
    """Products and variations by code; a shop of several languages has several of one code."""
    found: dict[str, list[Item]] = {}
    for start in range(0, len(codes), CODES):
        asked = ",".join(codes[start : start + CODES])
        for item in pages(vendor, f"{API}/products", sku=asked):
            found.setdefault(item.sku, []).append(item)  # asked for in any case of letters
    return found


def by_id(vendor: VendorClient, ids: Iterable[str]) -> dict[str, Item]:
    """Products by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {one.id: one for one in pages(vendor, f"{API}/products", include=",".join(wanted))}


def pages(vendor: VendorClient, path: str, **asked: str) -> Iterator[Item]:
    """A list to its end."""
    page = 1
    while True:
        listed = {"per_page": FULL, "page": page, "orderby": "id", "order": "asc"}
        rows = vendor.get(path, params=listed | {"_fields": FIELDS} | asked).data
        yield from map(Item.model_validate, rows)
        if len(rows) < FULL:
            return
        page += 1


def _send(vendor: VendorClient, changes: Iterable[tuple[EntityRef, Change]]) -> Failed:
    batches: dict[str, list[tuple[EntityRef, Change]]] = {}
    for ref, (item, values) in changes:
        below = f"/{item.parent_id}/variations" if item.is_variation else ""
        batches.setdefault(f"{API}/products{below}/batch", []).append((ref, (item, values)))
    failed: Failed = {}
    for path, rows in batches.items():
        for start in range(0, len(rows), FULL):
            failed |= _batch(vendor, path, rows[start : start + FULL])
    return failed


def _batch(vendor: VendorClient, path: str, rows: Sequence[tuple[EntityRef, Change]]) -> Failed:
    update = [{"id": int(item.id), **values} for _, (item, values) in rows]
    was = [
        {"id": int(item.id), **{name: getattr(item, name) for name in values}}
        for _, (item, values) in rows
    ]
    body, before = {"update": update}, {"update": was}
    answer = vendor.request("POST", path, json=body, was=before, writes=True)
    failed: Failed = {}
    for (ref, (item, values)), row in zip(rows, answer.data["update"], strict=True):
        name = item.sku or item.id
        if error := row.get("error"):
            text = vendor.clean(str(error.get("message", "")))
            failed[ref] = rejected(f"{name}: {text}", code=str(error.get("code", "")))
        elif kept := {one: row.get(one) for one in values if not _same(row.get(one), values[one])}:
            told = ", ".join(f"{one} {kept[one]} instead of {values[one]}" for one in kept)
            failed[ref] = rejected(f"{name}: the shop keeps {told}", code="not_kept")
    return failed


def _same(kept: Any, sent: str | int) -> bool:
    """Numbers come back with other digits, and as text."""
    try:
        return Decimal(str(kept)) == Decimal(sent)
    except InvalidOperation:
        return bool(kept == sent)
