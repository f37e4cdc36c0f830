"""A delivery: one webhook call, as the gateway hands it over or as it was stored."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from fizzbridge.errors import MalformedDeliveryError, VerificationError


@dataclass(frozen=True)
class Delivery:
    """One webhook call.

    Attributes:
        headers: by lower-case name; values of a repeated header are joined by commas.
        body: the raw bytes, which is what vendors sign.
        received_at: when it came in.
        path_token: the secret part of the path, for vendors that cannot sign.
        request_id: the gateway's, to follow it in logs.
        query: of the address, where some vendors put a question; it is never stored.
    """

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    path_token: str | None = None
    request_id: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_event(cls, event: Mapping[str, Any], now: datetime) -> Self:
        """Read an HTTP API event, payload format 2.0.

        Raises:
            VerificationError: the body is not the base64 it is said to be.
        """
        text = event.get("body") or ""
        try:
            body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
        except (binascii.Error, ValueError) as error:
            raise VerificationError("the body cannot be decoded") from error
        return cls(
            headers=_by_lower_name((event.get("headers") or {}).items()),
            body=body,
            received_at=now,
            path_token=(event.get("pathParameters") or {}).get("token"),
            request_id=str((event.get("requestContext") or {}).get("requestId", "")),
            query=event.get("queryStringParameters") or {},
        )

    def without(self, headers: Collection[str]) -> Self:
        """The delivery as it may be stored: its proof and the caller's credentials taken out."""
        hidden = {*headers, "authorization", "cookie"}
        kept = {name: value for name, value in self.headers.items() if name not in hidden}
        return replace(self, headers=kept, path_token=None, query={})

    def json(self) -> Any:
        """The body as JSON, numbers with a point as decimals.

        Raises:
            MalformedDeliveryError: it is none.
        """
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_refuse)
        except (ValueError, RecursionError, InvalidOperation) as error:
            # Decimal takes any number JSON allows, but for exponents of twenty digits.
            raise MalformedDeliveryError("the body is not JSON", code="not_json") from error

    def field(self, name: str, otherwise: str | None = None) -> str:
        """A text at the top of a body that is a JSON object.

        Args:
            name: of the field.
            otherwise: what to give where there is no such text.

        Raises:
            MalformedDeliveryError: there is none, and nothing to give otherwise.
        """
        try:
            body = self.json()
        except MalformedDeliveryError:
            if otherwise is None:
                raise
            return otherwise
        value = body.get(name) if isinstance(body, dict) else None
        if isinstance(value, str):
            return value
        if otherwise is None:
            raise MalformedDeliveryError(f"the body has no text '{name}'", code="no_topic")
        return otherwise


def _by_lower_name(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        found[lower] = f"{found[lower]},{value}" if lower in found else value
    return found


def _refuse(constant: str) -> None:
    msg = f"{constant} is not JSON"
    raise ValueError(msg)
