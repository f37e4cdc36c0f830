"""What wire models share: shapes as vendors write them, evened out on reading."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

_SHOWN = 3


class Wire(BaseModel):
    """A vendor's object: only the fields we use, whatever else is in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _text(value: Any) -> str:
    """What is neither text nor number is somebody's extension, and says nothing."""
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _list(value: Any) -> Any:
    """Nothing, an empty object and an empty text stand for an empty list."""
    return value or ()


def _object(value: Any) -> Any:
    return value or {}


def moment(value: Any) -> datetime | None:
    """A time as ISO 8601 or RFC 2822 has it, in UTC where it names no zone; None for none."""
    if not value:
        return None
    if isinstance(value, datetime):
        return value
    text = str(value)
    at = parsedate_to_datetime(text) if text[:1].isalpha() else datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Text = Annotated[str, BeforeValidator(_text)]
Id = Text
"""An id: vendors write the same one as a number here and as text there."""
Money = Annotated[Decimal, BeforeValidator(lambda value: value or "0")]
Moment = Annotated[datetime, BeforeValidator(moment)]
Flag = Annotated[bool, BeforeValidator(lambda value: value or False)]
"""A truth: also as text or number, and nothing or an empty object for no."""
MaybeMoment = Annotated[datetime | None, BeforeValidator(moment)]
Listed = BeforeValidator(_list)
Object = BeforeValidator(_object)


def places(error: ValidationError) -> str:
    """Where a body does not fit, for people: fields and what is wrong there, never a value."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(map(str, one['loc']))} {one['type']}" for one in found[:_SHOWN]]
    return f"{error.title}: {', '.join(shown)}" + (" ..." if len(found) > _SHOWN else "")
