"""Trade units. Stock is held in one base unit; every other unit is an integer factor of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from fizzbridge.model.base import Frozen

ML_PER_US_FL_OZ = Decimal("29.5735295625")
"""A US fluid ounce, by definition."""

ML_PER_LITRE = 1000


class Unit(StrEnum):
    """The unit a quantity is ordered or handled in."""

    EACH = "EACH"
    PACK = "PACK"
    CASE = "CASE"
    CRATE = "CRATE"
    LAYER = "LAYER"
    PALLET = "PALLET"


class Quantity(Frozen):
    """How much was ordered, and what that is in the item's base unit.

    ``base`` is ``ordered`` times ``factor``; all three are kept because a pack size may change.
    """

    ordered: Annotated[int, Field(ge=0)]
    unit: Unit
    factor: Annotated[int, Field(ge=1)]
    base: Annotated[int, Field(ge=0)]
