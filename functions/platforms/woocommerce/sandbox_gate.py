"""Who may ask the sandbox store for what: keys, what they are good for, and whose they are."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from platforms.woocommerce.sandbox_products import Json
from platforms.woocommerce.sandbox_query import error

REFUSED = {
    "view": "Sorry, you cannot list resources.",
    "create": "Sorry, you are not allowed to create resources.",
    "edit": "Sorry, you are not allowed to edit this resource.",
    "delete": "Sorry, you are not allowed to delete this resource.",
    "batch": "Sorry, you are not allowed to batch manipulate this resource.",
}


def refusal(request: Request, known: list[Json], does: str) -> Response | None:
    """Why a call may not do this, or nothing.

    The key is looked at first and what it may do; then whether its user still manages the shop.
    """
    key, secret = _keys(request)
    found = next((one for one in known if one["key"] == key), None)
    if found is None:
        return error(401, "woocommerce_rest_cannot_view", REFUSED["view"])
    if not hmac.compare_digest(found["secret"].encode(), secret.encode()):
        text = "Consumer secret is invalid."
        return error(401, "woocommerce_rest_authentication_error", text)
    needed = "read" if does == "view" else "write"
    if needed not in found["permissions"]:
        text = f"The API key provided does not have {needed} permissions."
        return error(401, "woocommerce_rest_authentication_error", text)
    if not found.get("is_manager", True):
        return error(403, f"woocommerce_rest_cannot_{does}", REFUSED[does])
    return None


def _keys(request: Request) -> tuple[str, str]:
    """From the header, or where a host strips that from the query."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            key, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            return key, secret
    query = request.query_params
    return query.get("consumer_key", ""), query.get("consumer_secret", "")
