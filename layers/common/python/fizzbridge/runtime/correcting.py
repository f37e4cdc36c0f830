"""Correct: how often the owner's value is written over what a shop says instead. Pure.

A shop may not hold a value, or have a program of its own that sets another. What was written over
is noted at the link by which the owner's word goes there, a text for each field an entity told.
What comes back at once, or too often in a day, is let be until the owner says something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from fizzbridge.model.assessment import Difference


class _State(StrEnum):
    WRITTEN = "written"
    AGREED = "agreed"
    LET_BE = "let_be"


@dataclass(frozen=True)
class _Correction:
    """The last time a field was written over, and the how-many-eth of its day that was."""

    told: str
    field: str
    state: _State
    day: str
    count: int
    owner_says: str

    @classmethod
    def parse(cls, noted: str) -> _Correction:
        told, field, state, day, count, owner_says = noted.split(" ", 5)
        return cls(told, field, _State(state), day, int(count), owner_says)

    def __str__(self) -> str:
        where = f"{self.told} {self.field} {self.state}"
        return f"{where} {self.day} {self.count} {self.owner_says}"


def correct(
    noted: Iterable[str], told: str, found: Sequence[Difference], day: date, most: int
) -> tuple[list[str], bool]:
    """Weigh what an entity of the shop's tells now against what was written over before.

    Args:
        noted: the texts of the link.
        told: the entity's key.
        found: where it differs; in all else it says what the owner says.
        day: today.
        most: corrections of one field in a day.

    Returns:
        What is to be noted, and whether the owner's value is to be written again.
    """
    before = [_Correction.parse(one) for one in noted]
    mine = {one.field: one for one in before if one.told == told}
    others = [one for one in before if one.told != told]
    differing = [_again(told, one, mine.pop(one.field, None), str(day), most) for one in found]
    agreed = [
        one if one.state is _State.LET_BE else replace(one, state=_State.AGREED)
        for one in mine.values()
        if one.state is _State.LET_BE or one.day == str(day)
    ]
    is_due = any(one.state is _State.WRITTEN for one in differing)
    return sorted(map(str, (*others, *differing, *agreed))), is_due


def let_be(noted: Iterable[str], told: str) -> tuple[str, ...]:
    """The fields of an entity that are not written over any more."""
    listed = map(_Correction.parse, noted)
    return tuple(one.field for one in listed if one.told == told and one.state is _State.LET_BE)


def _again(
    told: str, found: Difference, before: _Correction | None, day: str, most: int
) -> _Correction:
    if before is None or before.owner_says != found.owner_says:
        return _Correction(told, found.field, _State.WRITTEN, day, 1, found.owner_says)
    count = before.count + 1 if before.day == day else 1
    if before.state is _State.AGREED and count <= most:
        return replace(before, state=_State.WRITTEN, day=day, count=count)
    return replace(before, state=_State.LET_BE)
