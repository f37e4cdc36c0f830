"""Meta data of the sandbox store's things: keys with values, merged as the vendor merges them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from platforms.woocommerce.sandbox_products import Json


def merged(kept: list[Json], given: Any, ids: Iterator[int]) -> list[Json]:
    """What is kept after a write of these.

    A row with the id of a kept one takes its place, whatever key it names; without an id it takes
    the place of the first of its key, and others of that key go. A value of null takes away.
    """
    rows = [dict(one) for one in kept]
    for one in given if isinstance(given, list) else []:
        value = _stored(one.get("value"))
        fresh = {"key": one.get("key"), "value": value}
        named = one.get("id")
        place = next((row for row in rows if named and row["id"] == named), None)
        if place is None:
            same = [row for row in rows if row["key"] == fresh["key"]]
            place = same[0] if same else None
            rows = [row for row in rows if row not in same[1:]]
        if value is None:
            rows = [row for row in rows if row is not place]
        elif place is None:
            rows.append({"id": next(ids)} | fresh)
        else:
            place |= fresh
    return rows


def _stored(value: Any) -> Any:
    """A lone number or flag comes back as text, as it is kept in the database; lists do not."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value
