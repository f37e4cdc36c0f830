"""Signs deliveries the way each platform does: written from the schemes, not with our verifiers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.signatures import FizzHmac, HmacSha256, PathToken, StandardWebhooks
from platforms.lightspeed.webhook import FormSignature

Headers = Mapping[str, str]
IN_PATH = "{token}"
"""In place of a header's name, for what stands in the path."""


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


SCHEMES: Mapping[type, Callable[[Any, bytes, str, datetime], Headers]] = {
    HmacSha256: _raw,
    StandardWebhooks: _standard,
    FizzHmac: _fizz,
    PathToken: _token,
    FormSignature: _form,
}


def proof(webhook: WebhookAdapter, body: bytes, secret: str, at: datetime) -> Headers:
    """The headers that prove a body, as the platform would send them at that time."""
    for scheme, sign in SCHEMES.items():
        if isinstance(webhook.signature, scheme):
            return sign(webhook.signature, body, secret, at)
    raise AssertionError(f"teach tests/kit/signing.py how {webhook.platform} signs")
