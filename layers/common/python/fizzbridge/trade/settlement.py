"""Settlement of a van: what was loaded must have gone somewhere."""

from __future__ import annotations


def difference(loaded: int, delivered: int, back: int, damaged: int = 0) -> int:
    """What is to be explained: pieces of goods, of empties, or cash in minor units."""
    return loaded - delivered - back - damaged
