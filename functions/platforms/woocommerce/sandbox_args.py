"""What the sandbox store says of the body of a write: which fields, of what type, in whose words.

A call by itself is checked against the fields' types, and null turns into the type's blank. The
rows of a batch are not checked at all: they are cast one by one where they are kept.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.woocommerce.sandbox_products import Json
from platforms.woocommerce.sandbox_store import STATUSES

Args = dict[str, Any]
"""Fields a route knows: a type's name, or the words an enumeration has."""

TRUE = (True, 1, "1", "true")
FALSE = (False, 0, "0", "false")
BLANKS: Json = {"string": "", "integer": 0, "boolean": False, "array": []}
META = "meta"
PRODUCT: Args = {
    "name": "string",
    "status": tuple("draft pending private publish future auto-draft trash".split()),
    "catalog_visibility": ("visible", "catalog", "search", "hidden"),
    "description": "string",
    "short_description": "string",
    "sku": "string",
    "global_unique_id": "string",
    "regular_price": "string",
    "sale_price": "string",
    "manage_stock": "boolean",
    "stock_quantity": "integer",
    "stock_status": ("instock", "outofstock", "onbackorder"),
    "backorders": ("no", "notify", "yes"),
    "meta_data": META,
}
VARIATION: Args = {
    name: kind
    for name, kind in PRODUCT.items()
    if name not in {"name", "catalog_visibility", "short_description"}
}
ORDER: Args = {
    "status": tuple(status for status in STATUSES if status != "trash"),
    "customer_note": "string",
    "billing": "object",
    "shipping": "object",
    "payment_method": "string",
    "payment_method_title": "string",
    "transaction_id": "string",
    "customer_id": "integer",
    "set_paid": "boolean",
    "meta_data": META,
}
NOTE: Args = {"note": "string", "customer_note": "boolean", "added_by_user": "boolean"}
REFUND: Args = {
    "amount": "string",
    "reason": "string",
    "refunded_by": "integer",
    "api_refund": "boolean",
    "api_restock": "boolean",
    "meta_data": META,
}


class RestError(ValueError):
    """A refusal in the vendor's words; without a status in its data the vendor answers 500."""

    def __init__(self, code: str | int, message: str, data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data: Any = {"status": data} if isinstance(data, int) else data

    def body(self) -> Json:
        """What a call answers, and what a row of a batch has under ``error``."""
        return {"code": self.code, "message": self.message, "data": self.data}

    def answer(self) -> Response:
        """The whole answer."""
        is_told = isinstance(self.data, dict) and "status" in self.data
        return JSONResponse(self.body(), self.data["status"] if is_told else 500)


class PlainError(RestError):
    """One of those where the vendor forgot to say the status: it is the whole of the data."""

    def __init__(self, code: str, message: str, data: int) -> None:
        super().__init__(code, message, data)
        self.data = data


async def given(request: Request) -> Json:
    """The body, which is an object where there is one."""
    text = await request.body()
    try:
        body = json.loads(text or b"{}")
    except ValueError:
        more = {"status": 400, "json_error_code": 4, "json_error_message": "Syntax error"}
        raise RestError("rest_invalid_json", "Invalid JSON body passed.", more) from None
    return body if isinstance(body, dict) else {}


def checked(body: Json, args: Args) -> Json:
    """The fields the route knows, cast; the rest is passed over as the vendor does."""
    wrong: dict[str, tuple[str, str, Any]] = {}
    kept: Json = {}
    for name, value in body.items():
        kind = args.get(name)
        if kind is None:
            continue
        if value is None:
            kept[name] = "" if isinstance(kind, tuple) else BLANKS.get(kind, [])
        elif problem := _problem(name, value, kind):
            wrong[name] = problem
        else:
            kept[name] = _cast(value, kind)
    if wrong:
        raise _invalid(wrong)
    return kept


def missing(*names: str) -> RestError:
    """Fields a route cannot do without."""
    text = f"Missing parameter(s): {', '.join(names)}"
    return RestError("rest_missing_callback_param", text, {"status": 400, "params": list(names)})


def text(value: Any) -> str:
    """A line of text as the vendor keeps it: no tags, no line breaks, one blank at a time."""
    plain = re.sub(r"<[^>]*>", "", str(value))
    return re.sub(r"\s+", " ", plain).strip()


def decimal(value: Any) -> str:
    """A price as the vendor keeps it: what is no digit falls away, and what is left stays as it is.

    Nothing is filled up to the shop's decimals, and words leave nothing.
    """
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    plain = re.sub(r"[^0-9.-]", "", text(value))
    plain = re.sub(r"\.(?=.*\.)", "", plain)
    return plain if re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", plain) else ""


def whole(value: Any) -> int:
    """A count as the vendor keeps it: the digits in front, cut off at the point."""
    found = re.match(r"\s*[+-]?\d+", str(value))
    return int(found[0]) if found else 0


def _invalid(wrong: dict[str, tuple[str, str, Any]]) -> RestError:
    params = {name: message for name, (message, _, _) in wrong.items()}
    details = {
        name: {"code": code, "message": message, "data": data}
        for name, (message, code, data) in wrong.items()
    }
    data = {"status": 400, "params": params, "details": details}
    return RestError("rest_invalid_param", f"Invalid parameter(s): {', '.join(wrong)}", data)


def _problem(name: str, value: Any, kind: Any) -> tuple[str, str, Any] | None:
    if isinstance(kind, tuple):
        if not isinstance(value, str):
            return _type(name, "string")
        if value not in kind:
            words = f"{', '.join(kind[:-1])}, and {kind[-1]}"
            return f"{name} is not one of {words}.", "rest_not_in_enum", None
        return None
    if kind == META:
        return _meta_problem(name, value)
    return None if _is(value, kind) else _type(name, kind)


def _meta_problem(name: str, value: Any) -> tuple[str, str, Any] | None:
    if not isinstance(value, list):
        return _type(name, "array")
    for place, one in enumerate(value):
        if not isinstance(one, dict):
            return _type(f"{name}[{place}]", "object")
        for part, kind in (("id", "integer"), ("key", "string")):
            if one.get(part) is not None and not _is(one[part], kind):
                return _type(f"{name}[{place}][{part}]", kind)
    return None


def _type(name: str, kind: str) -> tuple[str, str, Any]:
    return f"{name} is not of type {kind}.", "rest_invalid_type", {"param": name}


def _is(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool | int | str) and value in (*TRUE, *FALSE)
    if kind == "object":
        return isinstance(value, dict)
    return _is_whole(value)


def _is_whole(value: Any) -> bool:
    """A number without decimals; text that is one will do."""
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) or bool(
        isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.0+)?", value.strip())
    )


def _cast(value: Any, kind: Any) -> Any:
    if kind == "boolean":
        return value in TRUE
    return whole(value) if kind == "integer" else value
