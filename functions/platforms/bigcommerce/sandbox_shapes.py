"""What both versions of the sandbox store's API share: amounts, dates, statuses and refusals."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from starlette.responses import JSONResponse, Response

Json = dict[str, Any]

CENT = Decimal("0.01")
FOUR = Decimal("0.0001")
ZERO = Decimal(0)
HELP = "/api-docs/getting-started/api-status-codes"

STATUSES = {
    0: "Incomplete",
    1: "Pending",
    2: "Shipped",
    3: "Partially Shipped",
    4: "Refunded",
    5: "Cancelled",
    6: "Declined",
    7: "Awaiting Payment",
    8: "Awaiting Pickup",
    9: "Awaiting Shipment",
    10: "Completed",
    11: "Awaiting Fulfillment",
    12: "Manual Verification Required",
    13: "Disputed",
    14: "Partially Refunded",
}
# Where each stands in the control panel's list.
PLACES = {0: 0, 1: 1, 7: 2, 11: 3, 9: 4, 8: 5, 3: 6, 10: 7, 2: 8, 5: 9, 6: 10, 4: 11, 13: 12}
PLACES |= {12: 13, 14: 14}
COUNTRIES = {
    "AU": "Australia",
    "BE": "Belgium",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "NL": "Netherlands",
    "US": "United States",
}


class RefusedError(ValueError):
    """The store would not do this; each version of the API says so in its own words.

    Attributes:
        status: what V3 answers; V2 says 400 where V3 says 422.
        field: what is wrong, where one field is to blame.
    """

    def __init__(self, text: str, field: str = "", status: int = 422) -> None:
        super().__init__(text)
        self.text = text
        self.field = field
        self.status = status


class GoneError(RefusedError):
    """There is no such thing, or no more."""

    def __init__(self, text: str = "The requested resource was not found.") -> None:
        super().__init__(text, status=404)


def refusal(version: str, refused: RefusedError) -> Response:
    """The error body of ``v2``, ``v3`` or ``b2b``."""
    status, text, field = refused.status, refused.text, refused.field
    if version == "v2":
        status = 400 if status == 422 else status
        body: Json = {"status": status, "message": text}
        if field:
            body["details"] = {"invalid_reason": text, "field": field}
        return JSONResponse([body], status)
    if version == "b2b":
        data = {"errMsg": text} if status == 422 else {}
        return JSONResponse({"code": status, "data": data, "meta": {"message": text}}, status)
    body = {"status": status, "title": text, "type": HELP}
    if status == 422:
        body |= {"title": "JSON data is missing or invalid"} if field else {}
        body["errors"] = {field: text} if field else {}
    return JSONResponse(body, status)


def known(given: Any, keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error is seen."""
    if not isinstance(given, dict):
        raise RefusedError(f"{what} is no object")
    if unknown := sorted(set(given) - keys):
        text = f"The field '{unknown[0]}' is not supported by this resource."
        raise RefusedError(text, unknown[0])


def number(value: Any, field: str = "") -> Decimal:
    """An amount as somebody gave it: text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise RefusedError(f"The field '{field}' is invalid.", field)
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise RefusedError(f"The field '{field}' is invalid.", field) from error
    if not found.is_finite():
        raise RefusedError(f"The field '{field}' is invalid.", field)
    return found


def whole(value: Any, field: str, least: int = 0, most: int = 2147483647) -> int:
    """A whole number as somebody gave it, within its bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RefusedError(f"The field '{field}' is invalid.", field)
    return value


def cents(value: Decimal) -> Decimal:
    """Rounded to the currency's smallest part."""
    return value.quantize(CENT, ROUND_HALF_UP)


def money(value: Decimal) -> str:
    """An amount of V2: text with four decimals."""
    return str(value.quantize(FOUR, ROUND_HALF_UP))


def plain(value: Decimal) -> float | int:
    """An amount of V3: a JSON number, whole where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


def rfc(at: datetime) -> str:
    """A date of V2, always in UTC."""
    return email.utils.format_datetime(at.astimezone(UTC))


def zulu(at: datetime) -> str:
    """A date of V3 orders and customers."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def offset(at: datetime) -> str:
    """A date of the catalogue and of metafields, with its offset spelled out."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"


def moment(text: str, field: str = "") -> datetime:
    """A date somebody gave: ISO 8601 or RFC 2822, UTC unless it says otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError) as error:
            raise RefusedError(f"The field '{field}' is invalid.", field) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def as_text(value: Any) -> Any:
    """The same answer with every truth value as a text, as some V2 records have them."""
    if isinstance(value, bool):
        return "true" if value else "0"
    if isinstance(value, dict):
        return {name: as_text(one) for name, one in value.items()}
    return [as_text(one) for one in value] if isinstance(value, list) else value
