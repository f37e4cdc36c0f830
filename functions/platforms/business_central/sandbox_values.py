"""Values on the wire: the vendor's errors, numbers that are never floats, what bodies may say."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.business_central.sandbox_fields import Entity
from platforms.business_central.sandbox_shapes import ZERO, Field

Row = dict[str, Any]
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")
FINE = Decimal("0.00001")
"""Quantities, unit prices and percentages are kept with five places, whatever is sent."""
STATUSES = {
    "Authentication_InvalidCredentials": 401,
    "Authorization_RequestDenied": 403,
    "BadRequest_NotFound": 404,
    "BadRequest_ResourceNotFound": 404,
    "BadRequest_MethodNotAllowed": 405,
    "Internal_RecordNotFound": 404,
    "Internal_CompanyNotFound": 404,
    "Internal_ServerError": 500,
    "Request_EntityChanged": 409,
}


class ApiError(Exception):
    """An error as the vendor reports it; most codes mean status 400."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.status = status or STATUSES.get(code, 400)

    def body(self) -> Row:
        """The error's JSON: every message ends with an id to ask the vendor's support about."""
        text = f"{self.message}  CorrelationId:  {uuid.uuid4()}."
        return {"error": {"code": self.code, "message": text}}


def refusal(message: str) -> ApiError:
    """A business rule says no."""
    return ApiError("Application_DialogException", message)


def unmet(message: str) -> ApiError:
    """A field has not the value it must have."""
    return ApiError("Application_FieldValidationException", message)


def no_record(what: str, value: Any) -> ApiError:
    """A record asked for by its key is not there."""
    text = f"The {what} does not exist. Identification fields and values: SystemId='{{{value}}}'"
    return ApiError("Internal_RecordNotFound", text)


def no_relation(field: str, table: str, value: Any, related: str) -> ApiError:
    """A field names master data that is not there."""
    text = f"The field {field} of table {table} contains a value ({value}) that cannot be found in"
    return ApiError("Internal_InvalidTableRelation", f"{text} the related table ({related}).")


# -- out -------------------------------------------------------------------------------------------


def plain(value: Decimal) -> str:
    """A number without trailing zeros or exponent."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def dumps(value: Any) -> str:
    """JSON with decimals written as numbers, digit by digit."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}:{dumps(item)}" for key, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def text_of(value: Any) -> bytes:
    """JSON as it is sent."""
    return dumps(value).encode()


def moment(when: datetime) -> str:
    """A point in time in UTC; zeros at the end of the fraction are left out."""
    text = f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".")
    return f"{text}Z"


def read_moment(text: str) -> datetime:
    """The point in time of a text that has the form of one."""
    whole, _, rest = text.replace("Z", "+00:00").partition(".")
    if rest:
        digits, zone = re.split(r"(?=[+-])", rest, maxsplit=1)
        whole += f".{digits[:6].ljust(6, '0')}{zone}"
    return datetime.fromisoformat(whole)


def cents(value: Decimal) -> Decimal:
    """An amount in the currency's smallest unit."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def fine(value: Decimal) -> Decimal:
    """A quantity, price or percentage as it is kept."""
    return value.quantize(FINE, ROUND_HALF_UP)


# -- in --------------------------------------------------------------------------------------------


def parse(body: bytes) -> Row:
    """A request's JSON object; numbers with a fraction become decimals at once."""
    try:
        found = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise ApiError("BadRequest", "Invalid Request Body") from error
    if not isinstance(found, dict):
        raise ApiError("BadRequest", "Invalid Request Body")
    return found


def is_guid(text: Any) -> bool:
    """Whether this has the form of an id."""
    return isinstance(text, str) and GUID.fullmatch(text) is not None


def given(entity: Entity, body: Mapping[str, Any], *, is_new: bool) -> Row:
    """The fields a body sets, checked and in the vendor's form.

    Parts come back as they are: they are checked when their turn comes. Unknown names, fields
    that cannot be edited and values of another type are refused.
    """
    found: Row = {}
    for name, value in body.items():
        if "@odata." in name:
            continue
        if is_new and name in entity.parts:
            found[name] = list(_nested(name, value))
            continue
        field = entity.fields.get(name)
        if field is None:
            kind = f"Microsoft.NAV.{entity.name}"
            text = f"The property '{name}' does not exist on type '{kind}'. Make sure to only use"
            raise ApiError("BadRequest", f"{text} property names that are defined by the type.")
        if field.is_fixed or (name == "id" and not (is_new and entity.keeps_ids)):
            raise ApiError("BadRequest_InvalidOperation", f"Control '{name}' is read-only")
        found[name] = read(field, value)
    return found


def _nested(name: str, value: Any) -> Iterator[Row]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ApiError("BadRequest", f"'{name}' must be a collection of entities")
    yield from value


def read(field: Field, value: Any) -> Any:
    """One value as it is stored: codes trimmed and in capitals, numbers with five places."""
    wrong = ApiError("BadRequest", f"Cannot convert the value of '{field.name}' to {field.kind}.")
    if field.kind in ("text", "code"):
        if not isinstance(value, str):
            raise wrong
        return _text(field, value)
    if field.kind == "bool":
        if not isinstance(value, bool):
            raise wrong
        return value
    if field.kind in ("decimal", "int"):
        return _number(field, value, wrong)
    if not isinstance(value, str):
        raise wrong
    return _special(field, value)


def _text(field: Field, value: str) -> str:
    text = value.strip().upper() if field.kind == "code" else value
    if field.size and len(text) > field.size:
        start = f"The length of the string is {len(text)}, but it must be less than or equal to"
        full = f"{start} {field.size} characters. Value: {text}"
        raise ApiError("Application_StringExceededLength", full)
    return text


def _number(field: Field, value: Any, wrong: ApiError) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise wrong
    if field.kind == "int":
        if not isinstance(value, int):
            raise wrong
        return value
    return fine(Decimal(value))


def _special(field: Field, value: str) -> Any:
    if field.kind == "guid":
        if not is_guid(value):
            text = "Invalid format of GUID string. The correct format of the GUID string is:"
            full = f"{text} CDEF7890-ABCD-0123-1234-567890ABCDEF"
            raise ApiError("Application_InvalidGUID", full)
        return value.lower()
    if field.kind == "enum":
        if value not in field.choices:
            text = f"'{value}' is not an option. The existing options are:"
            raise ApiError("Unknown", f"{text} {','.join(field.choices)}")
        return value
    form = r"\d{4}-\d\d-\d\d" if field.kind == "date" else MOMENT
    kind = "Date" if field.kind == "date" else "DateTime"
    unreadable = ApiError("BadRequest", f"Unable to convert value to {kind}")
    if not re.fullmatch(form, value):
        raise unreadable
    try:
        date.fromisoformat(value[:10])
    except ValueError as error:
        raise unreadable from error
    return value


def is_blank(value: Any) -> bool:
    """Whether an id or a code says nothing."""
    return value in ("", ZERO, None)
