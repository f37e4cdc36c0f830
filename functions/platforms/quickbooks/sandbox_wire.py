"""What goes over the wire of the QuickBooks sandbox: its faults, numbers, and known fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]

TYPES: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("sandbox_fields.json").read_text()
)
SALES = ("Invoice", "SalesReceipt", "CreditMemo", "RefundReceipt", "Estimate")
TRANSACTIONS = (*SALES, "Payment")
NAMES = ("Customer", "Item")
MESSAGES = {
    "500": "Unsupported Operation",
    "610": "Object Not Found",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2050": "String length is either shorter or longer than supported by specification",
    "2080": "Invalid format of a value",
    "2170": "Invalid Enumeration",
    "2500": "Invalid Reference Id",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "6000": "A business validation error has occurred while processing your request",
    "6070": "Amount calculation incorrect in the request",
    "6140": "Duplicate Document Number Error",
    "6210": "Account Period Closed",
    "6240": "Duplicate Name Exists Error",
}
COUNTRIES = dict(
    pair.split("=")
    for pair in "AT=AUT AU=AUS BE=BEL CA=CAN CH=CHE CZ=CZE DE=DEU DK=DNK ES=ESP FI=FIN FR=FRA"
    " GB=GBR IE=IRL IT=ITA LU=LUX NL=NLD NO=NOR NZ=NZL PL=POL PT=PRT SE=SWE US=USA".split()
) | {"united kingdom": "GBR", "ireland": "IRL", "germany": "DEU", "united states": "USA"}

for _kind in SALES:
    TYPES[_kind] = TYPES["Entity"] | TYPES["Sale"] | TYPES[_kind]
for _kind in (*NAMES, "Payment"):
    TYPES[_kind] = TYPES["Entity"] | TYPES[_kind]

CENT = Decimal("0.01")
PRICE = Decimal("0.0000001")


class QboError(Exception):
    """A fault as the vendor reports it.

    Args:
        code: the vendor's number for it.
        detail: what is wrong this time.
        status: of the HTTP answer.
        element: the field meant.
    """

    def __init__(self, code: str, detail: str, status: int = 400, element: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.status, self.element = code, detail, status, element

    def fault(self) -> Row:
        """The ``Fault`` object."""
        message = MESSAGES[self.code]
        error = {"Message": message, "Detail": self.detail, "code": self.code}
        return {"Error": [error | {"element": self.element}], "type": "ValidationFault"}


class GatewayError(QboError):
    """A fault from before the books: keys in lower case, and a different wrapping."""

    def __init__(self, status: int, code: str, what: str, detail: str, kind: str) -> None:
        super().__init__(code, detail, status)
        self.message = f"message={what}; errorCode=00{code}; statusCode={status}"
        self.kind = kind

    def body(self, now: datetime) -> Row:
        """The whole answer of a refused caller."""
        error = {"message": self.message, "detail": self.detail, "code": self.code}
        nothing = dict.fromkeys("warnings intuitObject report queryResponse status".split())
        return nothing | {
            "fault": {"error": [error | {"element": None}], "type": self.kind},
            "batchItemResponse": [],
            "attachableResponse": [],
            "cdcresponse": [],
            "requestId": None,
            "time": int(now.timestamp() * 1000),
        }


def broken(detail: str, code: str = "6000") -> QboError:
    """A business rule that is not kept."""
    prefix = "Business Validation Error: " if code == "6000" else ""
    return QboError(code, prefix + detail)


def missing(name: str) -> QboError:
    """A field that must be there."""
    detail = f"Required parameter {name} is missing in the request"
    return QboError("2020", detail, element=name)


def cents(amount: Decimal) -> Decimal:
    """An amount of money, rounded as the books do."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def plain(value: Decimal) -> Decimal:
    """A quantity or price without zeros at its end: 75, not 75.00."""
    cut = value.quantize(PRICE, ROUND_HALF_UP).normalize()
    return cut if cut.as_tuple().exponent <= 0 else cut.quantize(Decimal(1))  # type: ignore[operator]  # it is finite


def number(value: Decimal) -> str:
    """A number as the vendor writes it: 150.00 becomes 150.0, nothing becomes 0."""
    if not value:
        return "0"
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0")
        text += "0" if text.endswith(".") else ""
    return text


def written(value: Any) -> str:
    """JSON with decimals as numbers, which never were floats."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(name)}:{written(one)}" for name, one in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(written(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def read(text: bytes | str) -> Any:
    """JSON with every number that has a fraction as a decimal."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise QboError("2010", f"Property Name:failed to parse json object: {error}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def unsupported(text: str) -> QboError:
    """A property the vendor does not know, or does not take in this form."""
    return QboError("2010", f"Property Name:{text} specified is unsupported or invalid")


def cleaned(kind: str, given: Any, where: str = "") -> Row:
    """What of a body can be written; what only the vendor sets is passed over.

    Raises:
        QboError: for a field that is unknown or has the wrong form.
    """
    if not isinstance(given, dict):
        raise unsupported(f"Can not construct instance of {kind} at {where or 'the body'}")
    known, clean = TYPES[kind], {}
    for name, value in given.items():
        if name not in known:
            names = ", ".join(f'"{one}"' for one in known)
            text = f'Unrecognized field "{name}" (class {kind}), not marked as ignorable'
            raise unsupported(f"{text} ({len(known)} known properties: {names})")
        if known[name] != "!":
            clean[name] = None if value is None else _taken(known[name], value, name)
    if kind == "Ref" and not clean.get("value"):
        raise missing(f"{where}.value")
    return clean


def _taken(spec: str, value: Any, name: str) -> Any:
    if spec.startswith("["):
        if not isinstance(value, list):
            raise unsupported(f"Can not deserialize instance of a list from {name}")
        return [cleaned(spec[1:-1], one, name) for one in value]
    if spec in TYPES:
        return cleaned(spec, value, name)
    form, _, more = spec.partition(":")
    return FORMS[form](value, name, more)


def _text(value: Any, name: str, most: str) -> str:
    if not isinstance(value, str):
        raise unsupported(f"Can not deserialize a string from {name}")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise QboError("2080", f"{name} holds half a character", element=name)
    if most and len(value) > int(most):
        text = "String length specified does not match the supported length. "
        text += f"Min:0 Max:{most} supported. Supplied length:{len(value)}"
        raise QboError("2050", text, element=name)
    return value


def _decimal(value: Any, name: str, _: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise unsupported(f"Can not deserialize a number from {name}")
    if abs(Decimal(value)) >= 10**11:
        raise QboError("2080", f"Number out of range: {name}", element=name)
    return Decimal(value)


def _int(value: Any, name: str, _: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise unsupported(f"Can not deserialize an integer from {name}")
    return value


def _bool(value: Any, name: str, _: str) -> bool:
    if not isinstance(value, bool):
        raise unsupported(f"Can not deserialize a boolean from {name}")
    return value


def _date(value: Any, name: str, _: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise QboError("2080", f"Invalid date: {name} must be YYYY-MM-DD", element=name)
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise QboError("2080", f"Invalid date: {name}: {error}", element=name) from error


def _enum(value: Any, name: str, known: str) -> str:
    if value not in known.split("|"):
        raise QboError("2170", f"Invalid Enumeration : {value}", element=name)
    return str(value)


FORMS: dict[str, Callable[[Any, str, str], Any]] = {
    "text": _text,
    "decimal": _decimal,
    "int": _int,
    "bool": _bool,
    "date": _date,
    "enum": _enum,
}


def country(text: str) -> str:
    """Three letters, as answers have them since October 2025; what is not known stays."""
    code = text.strip()
    return COUNTRIES.get(code.upper()) or COUNTRIES.get(code.lower(), code)
