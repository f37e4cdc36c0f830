"""How the Xero sandbox reads and writes: strict elements in, JSON, XML and errors out."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Json = dict[str, Any]

FIELDS: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("sandbox_fields.json").read_text()
)
CENT = Decimal("0.01")
PART = Decimal("0.0001")
NOWHERE = "00000000-0000-0000-0000-000000000000"
NOT_FOUND = "The resource you're looking for cannot be found"
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(\.\d+)?)?\Z")
PLURALS = {"Tracking": "TrackingCategory", "Phones": "Phone", "Addresses": "Address"}


class XeroError(Exception):
    """An answer that is no success; a text body is plain, a dict is JSON."""

    def __init__(
        self, status: int, body: Json | str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, headers or {}


class InvalidError(ValueError):
    """One element breaks the vendor's rules: every message it gets."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def not_found() -> XeroError:
    """Nothing has that id or path."""
    return XeroError(404, NOT_FOUND)


def bad_body(text: str) -> XeroError:
    """The body is not what the operation takes."""
    message = f"JSON for post data was invalid,{text}"
    kind = "PostDataInvalidException"
    return XeroError(400, {"ErrorNumber": 14, "Type": kind, "Message": message})


def bad_query(text: str) -> XeroError:
    """A parameter or filter the vendor cannot read."""
    return XeroError(400, {"ErrorNumber": 16, "Type": "QueryParseException", "Message": text})


def validation(elements: list[Json]) -> XeroError:
    """The elements of a write that broke a rule, each with its messages."""
    body = {"ErrorNumber": 10, "Type": "ValidationException"}
    return XeroError(
        400, {**body, "Message": "A validation exception occurred", "Elements": elements}
    )


def unauthorized(detail: str) -> XeroError:
    """The token is missing, spent, or of the wrong scope."""
    body = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": detail}
    return XeroError(401, {**body, "Instance": new_id(), "Extensions": {}})


def forbidden() -> XeroError:
    """No tenant, or one this token is not connected to."""
    body = {"title": "Forbidden", "status": 403, "detail": "AuthenticationUnsuccessful"}
    return XeroError(403, {**body, "instance": new_id()})


def new_id() -> str:
    """A GUID of a new record."""
    return str(uuid.uuid4())


def cents(amount: Decimal) -> Decimal:
    """Money as the vendor keeps it: half a cent goes up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


# Numbers and dates out.


def plain(number: Decimal) -> str:
    """A number as the vendor writes it: no trailing zeros, but always one decimal."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text if "." in text else text + ".0"


def stamp(moment: datetime | date, offset: str = "+0000") -> str:
    """Microsoft's date: milliseconds since 1970."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return f"/Date({milliseconds}{offset})/"


@dataclass(frozen=True)
class Answered:
    """When an answer was made: in JSON the one date without an offset."""

    at: datetime


def _hook(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"\x00{plain(value)}\x00"
    if isinstance(value, date):
        return stamp(value)
    if isinstance(value, Answered):
        return stamp(value.at, "")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def to_json(value: Any) -> bytes:
    """JSON with exact numbers; dates in the vendor's form."""
    text = json.dumps(value, default=_hook, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"\\u0000(.*?)\\u0000"', r"\1", text).encode()


def to_xml(value: Json) -> bytes:
    """The same answer in the vendor's first form, for who does not ask for JSON."""
    inner = "".join(_element(key, item) for key, item in value.items())
    return f'<?xml version="1.0" encoding="utf-8"?><Response>{inner}</Response>'.encode()


def _element(name: str, value: Any) -> str:
    # The texts beside JSON's own dates have no use here.
    if value is None or name in ("DateString", "DueDateString", "UpdatedDateUTCString"):
        return ""
    if isinstance(value, dict):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(_element(_singular(name), item) for item in value)
    elif isinstance(value, bool):
        inner = str(value).lower()
    elif isinstance(value, Decimal):
        inner = f"{value:f}"
    elif isinstance(value, Answered):
        inner = f"{value.at:%Y-%m-%dT%H:%M:%S.%f}0Z"
    elif isinstance(value, datetime):
        inner = f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}"
    elif isinstance(value, date):
        inner = f"{value:%Y-%m-%dT00:00:00}"
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def _singular(name: str) -> str:
    if name in PLURALS:
        return PLURALS[name]
    return name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")


# Elements in.


def parse(body: bytes) -> Any:
    """The body as JSON with exact numbers."""
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        raise bad_body("Unexpected character encountered while parsing value.") from None


def elements_of(body: bytes, wrapper: str, bare: bool = False) -> list[Any]:
    """The elements in a body's plural array; ``bare`` takes one without it, too."""
    given = parse(body)
    if bare and isinstance(given, dict) and wrapper not in given:
        return [given]
    if not isinstance(given, dict) or set(given) - {wrapper, "Warnings", "pagination"}:
        raise bad_body(f"Expected an object with '{wrapper}' alone.")
    elements = given.get(wrapper)
    if not isinstance(elements, list) or not elements:
        raise bad_body(f"'{wrapper}' must be an array of at least one element.")
    if len(elements) > 50:
        raise bad_body(f"'{wrapper}' holds more than 50 elements.")
    return elements


def read(kind: str, given: Any, path: str, wrong: list[str]) -> Json:
    """An element with known fields of the right types; too long texts are told in ``wrong``.

    Nulls count as absent. Texts lose the blanks around them, and lines in them end as on Windows.
    """
    if not isinstance(given, dict):
        raise bad_body(f"Cannot deserialize the current JSON into type '{kind}'. Path '{path}'.")
    fields, found = FIELDS[kind], {}
    for name, value in given.items():
        where = f"{path}.{name}"
        if name not in fields:
            text = f"Could not find member '{name}' on object of type '{kind}'. Path '{where}'."
            raise bad_body(text)
        if value is not None:
            found[name] = _value(fields[name], value, where, wrong)
    return found


def _value(code: str, value: Any, where: str, wrong: list[str]) -> Any:
    kind, _, detail = code.partition(":")
    if kind.startswith("["):
        if not isinstance(value, list):
            raise bad_body(f"Expected an array. Path '{where}'.")
        return [read(kind[1:-1], one, f"{where}[{n}]", wrong) for n, one in enumerate(value)]
    if kind in FIELDS:
        return read(kind, value, where, wrong)
    if kind == "any":
        return value
    if kind in ("number", "integer", "boolean"):
        return _number(kind, value, where)
    if not isinstance(value, str):
        raise bad_body(f"Could not convert to {kind}: {value!r}. Path '{where}'.")
    return _text(kind, detail, value, where, wrong)


def _number(kind: str, value: Any, where: str) -> Any:
    is_bool = isinstance(value, bool)
    if kind == "boolean" and is_bool:
        return value
    whole = isinstance(value, int)
    if kind == "boolean" or is_bool or not (whole or isinstance(value, Decimal)):
        raise bad_body(f"Could not convert to {kind}: {value!r}. Path '{where}'.")
    if kind == "integer":
        if not whole:
            raise bad_body(f"Could not convert to integer: {value!r}. Path '{where}'.")
        return value
    return Decimal(value)


def _text(kind: str, detail: str, value: str, where: str, wrong: list[str]) -> Any:
    if kind == "uuid":
        if not GUID.match(value):
            raise bad_body(f"Could not convert string to Guid: {value!r}. Path '{where}'.")
        return value.lower()
    if kind == "date":
        return _day(value, where)
    text = re.sub(r"\r?\n", "\r\n", value.strip().replace("\x00", ""))
    if kind == "enum":
        if text not in detail.split("|"):
            raise bad_body(f"Error converting value {value!r}. Path '{where}'.")
    elif detail and len(text) > int(detail):
        name = where.rpartition(".")[2]
        wrong.append(f"The {name} cannot be more than {detail} characters long")
    return text


def _day(value: str, where: str) -> date:
    match = DAY.match(value)
    try:
        if match:
            return date.fromisoformat(match[1])
    except ValueError:
        pass
    raise bad_body(f"Could not convert string to DateTime: {value}. Path '{where}'.")
