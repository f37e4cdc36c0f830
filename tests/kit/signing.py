"""Signs deliveries the way each platform does: written from the schemes, not with our verifiers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any

from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.signatures import FizzHmac, HmacSha256, PathToken, StandardWebhooks
from platforms.business_central.notices import ClientState
from platforms.lightspeed.webhook import FormSignature

Headers = Mapping[str, str]
IN_PATH = "{token}"
"""In place of a header's name, for what stands in the path."""
IN_BODY = "{clientState}"
"""The same, for what stands in each notification of a body."""


def _raw(scheme: Any, body: bytes, secret: str, at: datetime) -> Headers:
    del at
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    proof = base64.b64encode(digest).decode() if scheme.encoding == "base64" else digest.hex()
    return {scheme.headers[0]: proof}


def _standard(scheme: Any, body: bytes, secret: str, at: datetime) -> Headers:
    del scheme
    second = str(int(at.timestamp()))
    digest = hmac.digest(secret.encode(), f"msg_1.{second}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": second,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def _fizz(scheme: Any, body: bytes, secret: str, at: datetime) -> Headers:
    del scheme
    second = str(int(at.timestamp()))
    digest = hmac.digest(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return {"x-fizz-timestamp": second, "x-fizz-signature": f"v1={digest.hex()}"}


def _form(scheme: Any, body: bytes, secret: str, at: datetime) -> Headers:
    del scheme, at
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"x-signature": f"signature={digest.hex()},algorithm=HMAC-SHA256"}


def _token(scheme: Any, body: bytes, secret: str, at: datetime) -> Headers:
    del scheme, body, at
    return {IN_PATH: secret}


def _state(scheme: Any, body: bytes, secret: str, at: datetime) -> Headers:
    del scheme, body, at
    return {IN_BODY: secret}


SCHEMES: Mapping[type, Callable[[Any, bytes, str, datetime], Headers]] = {
    HmacSha256: _raw,
    StandardWebhooks: _standard,
    FizzHmac: _fizz,
    PathToken: _token,
    ClientState: _state,
    FormSignature: _form,
}


def proof(webhook: WebhookAdapter, body: bytes, secret: str, at: datetime) -> Headers:
    """The headers that prove a body, as the platform would send them at that time."""
    for scheme, sign in SCHEMES.items():
        if isinstance(webhook.signature, scheme):
            return sign(webhook.signature, body, secret, at)
    raise AssertionError(f"teach tests/kit/signing.py how {webhook.platform} signs")


STATE = "clientState"


def stated(body: bytes, state: str) -> bytes:
    """A body whose notifications have another state, those that have the fixtures' own."""
    try:
        told = json.loads(body)
    except ValueError:
        return body
    if isinstance(told, dict) and isinstance(told.get("value"), list):
        for one in told["value"]:
            if isinstance(one, dict) and one.get(STATE) == "k3y-fizz-01":
                one[STATE] = state
    return json.dumps(told, separators=(",", ":")).encode()


class States(MutableMapping[str, str]):
    """The fields of all notifications in an event's body, as if there were one of them."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event

    def __getitem__(self, name: str) -> str:
        return str(self._told()["value"][0][name])

    def __setitem__(self, name: str, value: str) -> None:
        self._event["body"] = self._changed(lambda one: one | {name: value})

    def __delitem__(self, name: str) -> None:
        self._event["body"] = self._changed(lambda one: {k: one[k] for k in one if k != name})

    def __iter__(self) -> Iterator[str]:
        return iter(self._told()["value"][0])

    def __len__(self) -> int:
        return len(self._told()["value"][0])

    def _told(self) -> Any:
        return json.loads(self._event["body"])

    def _changed(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
        return json.dumps({"value": [change(one) for one in self._told()["value"]]})
