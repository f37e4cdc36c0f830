"""Standard Webhooks 1.0.0 as the stand-in system signs and checks it, written from the scheme."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)


class UnsignedError(ValueError):
    """A post that nobody proved."""


def sign(secrets: Sequence[str], number: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers, with a proof of each secret."""
    second = str(int(at.timestamp()))
    proofs = " ".join("v1," + _proof(one, number, second, body) for one in secrets)
    return {"webhook-id": number, "webhook-timestamp": second, "webhook-signature": proofs}


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> str:
    """The id of a post that one of the secrets proves.

    Raises:
        UnsignedError: none does, or it was signed too long ago or ahead.
    """
    number, second = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not (number and second and given):
        raise UnsignedError("webhook-id, webhook-timestamp and webhook-signature are needed")
    if "." in number:
        raise UnsignedError("webhook-id has a point, as which it is signed")
    if not (second.isascii() and second.isdigit()):
        raise UnsignedError("webhook-timestamp is no number of seconds")
    if abs(now - datetime.fromtimestamp(int(second), UTC)) > TOLERANCE:
        raise UnsignedError("webhook-timestamp is not of these five minutes")
    proofs = [one.partition(",")[2] for one in given.split(" ") if one.startswith("v1,")]
    known = [_proof(secret, number, second, body) for secret in secrets]
    # All pairs, so that the time taken tells nothing.
    fits = [hmac.compare_digest(a.encode(), b.encode()) for a in proofs for b in known]
    if not any(fits):
        raise UnsignedError("no signature fits")
    return number


def key_of(secret: str) -> bytes:
    """What a secret stands for; one without the prefix is its own bytes."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("after whsec_ a secret is base64") from None


def _proof(secret: str, number: str, second: str, body: bytes) -> str:
    signed = f"{number}.{second}.".encode() + body
    return base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
