"""What must be true, worked out from what was told and nothing else.

The twin knows no leases, links or messages. It keeps every word the shop got through to us; the
newest counts, and what the target must hold follows from it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from fizzbridge.model.entity import EntityRef

NEVER = datetime.min.replace(tzinfo=UTC)
SEED = -1


@dataclass(frozen=True)
class Word:
    """One telling of an entity: its content is None where the shop deleted it."""

    second: int
    content: object | None
    fingerprint: str
    read_at: datetime = NEVER


class Twin:
    """Keeps what was told, entity by entity.

    Args:
        can_fetch: whether the shop can be asked. If so the later read wins among words of one
            second; if not the greater fingerprint does.
    """

    def __init__(self, *, can_fetch: bool) -> None:
        self._can_fetch = can_fetch
        self._told: defaultdict[EntityRef, list[Word]] = defaultdict(list)

    def hear(self, ref: EntityRef, word: Word) -> None:
        """Something came through; a seed counts only where nothing is known."""
        if word.second != SEED or not self._told[ref]:
            self._told[ref].append(word)

    def is_known(self, ref: EntityRef) -> bool:
        return bool(self._told[ref])

    def is_tie(self, ref: EntityRef, word: Word) -> bool:
        """Whether a word of the newest second says something else."""
        newest = max((one.second for one in self._told[ref]), default=None)
        same = {one.fingerprint for one in self._told[ref] if one.second == newest}
        return word.second == newest and bool(same - {word.fingerprint})

    def newest(self, ref: EntityRef) -> object | None:
        """What counts in the end; None where it was never told or is deleted.

        Raises:
            AssertionError: two words tie and nobody asked the shop.
        """
        told = self._told[ref]
        if not told:
            return None
        best = max(told, key=self._rank)
        alike = {one.fingerprint for one in told if self._rank(one) == self._rank(best)}
        assert len(alike) == 1, f"{ref}: two words of one second, and the shop was not asked"
        return best.content

    def _rank(self, word: Word) -> tuple[object, ...]:
        if self._can_fetch:
            # The shop makes nothing anew that it deleted.
            return (word.second, word.content is None, word.read_at)
        return (word.second, word.fingerprint)
