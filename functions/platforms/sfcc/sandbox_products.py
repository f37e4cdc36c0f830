"""Products of the sandbox tenant: what people change of them, and the search for them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from platforms.sfcc.sandbox_scapi import MOMENT, ProblemError
from platforms.sfcc.sandbox_sums import Json, RefusedError, known, stamp

PRODUCT = set(
    "sku name price stock unit unit_quantity minimum step ean upc type online created_at"
    " modified_at".split()
)
CHANGES: dict[str, type] = {"name": str, "online": bool, "ean": str}
TYPES = set(
    "item master variant variationGroup set bundle option bundled partOfProductSet retailSet"
    " partOfRetailSet".split()
)
DATES = ("lastModified", "creationDate")
SORTS = ("id", "name", "creationDate")
EXPANDS = set("all none availability categories images allImages prices sets bundles".split())
SEARCH = ("query", "sorts", "expand", "limit", "offset")

Range = tuple[str, datetime | None, datetime | None]


class Catalogue:
    """The products of the seed.

    The last of them was made when the shop opened, each other one a second before the next, so that
    none is from the future.

    Args:
        given: the seed's products.
        clock: gives the time.
    """

    def __init__(self, given: Iterable[Json], clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.rows: dict[str, Json] = {}
        rows = list(given)
        now = clock()
        for place, one in enumerate(rows, start=1):
            known(one, PRODUCT, "product")
            opened = now - timedelta(seconds=len(rows) - place)
            modified = _zoned(one, "modified_at", opened)
            created = _zoned(one, "created_at", min(opened, modified))
            self.rows[str(one["sku"])] = copy.deepcopy(one) | {
                "type": _type(one.get("type", "item")),
                "created_at": stamp(created),
                "modified_at": stamp(modified),
            }

    def change(self, sku: str, given: Json) -> Json:
        """Change the name, the EAN, or whether it is online."""
        if sku not in self.rows:
            raise RefusedError(f"no product {sku}")
        known(given, set(CHANGES), "changes")
        if wrong := [name for name, value in given.items() if type(value) is not CHANGES[name]]:
            raise RefusedError(f"{wrong[0]} does not take {given[wrong[0]]!r}")
        self.rows[sku] |= given | {"modified_at": stamp(self._clock())}
        return self.body(sku)

    def body(self, sku: str) -> Json:
        """A product as the vendor shows it; its texts are by language."""
        row = self.rows[sku]
        body = {
            "creationDate": row["created_at"],
            "id": sku,
            "lastModified": row["modified_at"],
            "name": {"default": row.get("name", sku)},
            "online": row.get("online", True),
            "type": dict(row["type"]),
        }
        body |= {name: row[name] for name in ("ean", "upc") if row.get(name)}
        if "unit" in row:
            body |= {"unit": row["unit"], "unitQuantity": float(row.get("unit_quantity", 1))}
        return body

    def bodies(self) -> Iterator[Json]:
        """All of them."""
        return map(self.body, self.rows)


class ProductQuery:
    """What a search for products asks for.

    Ranges of the two dates, all of which hold, and what sorts and expands; terms, texts and ``or``
    are the vendor's too and refused here.
    """

    def __init__(self, given: Json) -> None:
        self._ranges = _ranges_of_query(given.get("query"))
        self._sorts = [_sort(one) for one in _list(given, "sorts")]
        expand = _list(given, "expand")
        if not all(isinstance(one, str) and one in EXPANDS for one in expand):
            raise _wrong("expand", expand)
        # Without a word about it the vendor shows all.
        self._shows_online = not expand or bool({"all", "availability"} & set(expand))

    def found(self, products: Iterable[Json]) -> list[Json]:
        """The products that fit, in their order."""
        hits = sorted((one for one in products if self._takes(one)), key=lambda one: str(one["id"]))
        for field, is_descending in reversed(self._sorts):
            hits.sort(key=lambda one: _sort_key(one, field), reverse=is_descending)
        if not self._shows_online:
            hits = [{name: one[name] for name in one if name != "online"} for one in hits]
        return hits

    def _takes(self, product: Json) -> bool:
        for field, low, high in self._ranges:
            at = datetime.fromisoformat(product[field])
            # Both ends belong to the range.
            if (low and at < low) or (high and at > high):
                return False
        return True


def _zoned(given: Json, name: str, default: datetime) -> datetime:
    if name not in given:
        return default
    at = datetime.fromisoformat(given[name])
    if at.tzinfo is None:
        raise RefusedError(f"{name} has no zone")
    return at


def _type(given: Any) -> dict[str, bool]:
    """A word of the vendor's, or its object of flags, of which it shows those that are set."""
    flags = {given: True} if isinstance(given, str) else dict(given)
    known(flags, TYPES, "type")
    return {name: True for name, is_set in flags.items() if is_set}


def _wrong(name: str, value: Any) -> ProblemError:
    return ProblemError(400, "bad-request", f"{name} does not take {value!r}.", parameter=name)


def _malformed() -> ProblemError:
    return ProblemError(400, "malformed-query", "The query is not understood.")


def _list(given: Json, name: str) -> list[Any]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise _wrong(name, value)
    return value


def _sort(given: Any) -> tuple[str, bool]:
    match given:
        case {"field": str(field), **more} if field in SORTS and set(more) <= {"sortOrder"}:
            if (order := more.get("sortOrder", "asc")) in ("asc", "desc"):
                return field, order == "desc"
    raise _wrong("sorts", given)


def _sort_key(product: Json, field: str) -> str:
    return str(product["name"]["default"] if field == "name" else product[field])


def _ranges_of_query(query: Any) -> list[Range]:
    match query:
        case {"matchAllQuery": {**fields}, **more} if not fields and not more:
            return []
        case {"filteredQuery": {"query": inner, "filter": given, **more}, **others}:
            if not more and not others and inner == {"matchAllQuery": {}}:
                return _ranges_of_filter(given)
    raise _malformed()


def _ranges_of_filter(given: Any) -> list[Range]:
    match given:
        case {"boolFilter": {"operator": "and", "filters": [_, *_] as filters, **more}, **others}:
            if not more and not others:
                return [_range(one) for one in filters]
    return [_range(given)]


def _range(given: Any) -> Range:
    """One range; it may be open at one end."""
    match given:
        case {"rangeFilter": {"field": field, **ends}, **more}:
            if field in DATES and not more and ends and set(ends) <= {"from", "to"}:
                low, high = (_moment(ends[end]) if end in ends else None for end in ("from", "to"))
                return field, low, high
    raise _malformed()


def _moment(text: Any) -> datetime:
    if not isinstance(text, str) or not MOMENT.fullmatch(text):
        raise _malformed()
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _malformed() from error
