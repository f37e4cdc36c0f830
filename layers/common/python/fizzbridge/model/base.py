"""What all canonical models share: frozen, closed, and free of floats."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


class Frozen(BaseModel):
    """A value that never changes and has no fields but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self) -> str:
        """SHA-256 over the canonical JSON: equal content, equal fingerprint."""
        return fingerprint_of(self.model_dump_json())


def fingerprint_of(text: str) -> str:
    """The fingerprint of a model that has been written as JSON already."""
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_float(value: Any) -> Any:
    if isinstance(value, float):
        msg = (
            "a float cannot hold money or measures exactly; give a string, an integer or a Decimal"
        )
        raise ValueError(msg)  # noqa: TRY004  pydantic reports ValueError with the field's name
    return value


_MOST_DIGITS = 40
_CONTEXT = Context(prec=_MOST_DIGITS)


def _plain(value: Decimal) -> Decimal:
    """Strip trailing zeros without drifting into exponents, so that 1.50 and 1.5 are one value."""
    normal = value.normalize(_CONTEXT)
    if normal.as_tuple().exponent <= 0:  # type: ignore[operator]  # finite by the field
        return normal
    return normal.quantize(Decimal(1), context=_CONTEXT)


# The constraints come first: only next to the type does pydantic check them without calling Python.
Exact = Annotated[
    Decimal,
    Field(allow_inf_nan=False, max_digits=_MOST_DIGITS),
    BeforeValidator(_refuse_float),
    AfterValidator(_plain),
]
"""An exact number: rates, factors, unit prices. What arithmetic would round is refused instead."""

Amount = Annotated[
    Decimal, Field(allow_inf_nan=False, max_digits=20), BeforeValidator(_refuse_float)
]
"""An amount in the currency its document or money names; that owner brings it to the minor unit."""


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A moment, kept in UTC; a time without zone is refused."""

Sku = Annotated[str, Field(min_length=1, max_length=255)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
