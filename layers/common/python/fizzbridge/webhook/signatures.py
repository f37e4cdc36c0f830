"""Proofs of who sent a delivery. Each reads the raw body; none ever raises but a refusal."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal, Protocol

from fizzbridge.errors import VerificationError
from fizzbridge.webhook.request import Delivery


class Signature(Protocol):
    """How one platform proves its deliveries."""

    scheme: ClassVar[str]
    """What the scheme is called, for people."""

    @property
    def headers(self) -> Sequence[str]:
        """Lower-case names of the headers that carry the proof; they are never stored."""
        ...

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery that any active secret proves.

        Raises:
            VerificationError: none does.
        """
        ...


@dataclass(frozen=True)
class HmacSha256:
    """HMAC-SHA256 of the raw body, in one of several headers."""

    scheme: ClassVar[str] = "HMAC-SHA256"
    headers: tuple[str, ...]
    encoding: Literal["base64", "hex"] = "base64"

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery that any active secret proves; the scheme signs no time."""
        del now
        given = next(
            (delivery.headers[name] for name in self.headers if name in delivery.headers), ""
        )
        if not given or not delivery.body:
            raise VerificationError("no signature, or nothing signed", code="unsigned")
        # All secrets are tried, whichever fits: the time taken must not tell which one is in use.
        # A header may hold any character; comparing as bytes refuses instead of failing.
        fits = [
            hmac.compare_digest(self._sign(delivery.body, secret), given.encode("utf-8", "replace"))
            for secret in secrets
        ]
        if not any(fits):
            raise VerificationError("the signature does not fit the body", code="bad_signature")

    def _sign(self, body: bytes, secret: str) -> bytes:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        return base64.b64encode(digest) if self.encoding == "base64" else digest.hex().encode()


TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from ours, either way; the usual figure of all such schemes."""


@dataclass(frozen=True)
class StandardWebhooks:
    """The scheme of standardwebhooks.com: ``id.timestamp.body``, any of several ``v1,`` proofs.

    The key is what follows ``whsec_``, decoded; of a secret that does not begin so, its own bytes.
    """

    scheme: ClassVar[str] = "Standard Webhooks"
    headers: tuple[str, ...] = ("webhook-signature",)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery of the last minutes that any active secret proves."""
        named, at = (delivery.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
        proofs_given = delivery.headers.get(self.headers[0], "").split(" ")
        given = [one for one in proofs_given if one.startswith("v1,")]
        if not given or "" in proofs_given or not named or not delivery.body:
            raise VerificationError("no signature, or nothing signed", code="unsigned")
        _of_now(at, now)
        proofs = [standard_proof(secret, named, at, delivery.body) for secret in secrets]
        _compare([proof.encode() for proof in proofs], given)


def standard_proof(secret: str, named: str, at: str, body: bytes) -> str:
    """What Standard Webhooks put into the header for one secret.

    Args:
        secret: as it was handed out.
        named: the id of the delivery.
        at: its time, in seconds.
        body: the raw body.
    """
    digest = hmac.new(_standard_key(secret), f"{named}.{at}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest.digest()).decode()


_ENCODED = "whsec_"


def _standard_key(secret: str) -> bytes:
    encoded = secret[len(_ENCODED) :] if secret.startswith(_ENCODED) else ""
    try:
        # Nothing decoded is no key: anybody could sign with it.
        return base64.b64decode(encoded, validate=True) or secret.encode()
    except ValueError:
        return secret.encode()


@dataclass(frozen=True)
class FizzHmac:
    """The scheme of our own modules in shops that have no webhooks: ``timestamp.body``, in hex.

    The proof is ``v1=<hex>``, so that another scheme can follow this one.
    """

    scheme: ClassVar[str] = "HMAC-SHA256 with its time"
    headers: tuple[str, ...] = ("x-fizz-signature",)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery of the last minutes that any active secret proves."""
        given = delivery.headers.get(self.headers[0], "")
        if not given or not delivery.body:
            raise VerificationError("no signature, or nothing signed", code="unsigned")
        at = delivery.headers.get("x-fizz-timestamp", "")
        _of_now(at, now)
        signed = f"{at}.".encode() + delivery.body
        _compare([b"v1=" + _hmac(secret, signed).hex().encode() for secret in secrets], [given])


@dataclass(frozen=True)
class PathToken:
    """A long random token in the path, of vendors that cannot sign: it proves no body."""

    scheme: ClassVar[str] = "token in the path"
    headers: tuple[str, ...] = ()

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery whose path ends with any active secret."""
        del now
        if not delivery.path_token or not delivery.body:
            raise VerificationError("no token, or nothing told", code="unsigned")
        _compare([secret.encode() for secret in secrets], [delivery.path_token])


def _of_now(at: str, now: datetime) -> None:
    """Refuse a signed time that is none, or not of now: somebody may play a delivery again."""
    is_number = at.isascii() and at.isdigit() and len(at) <= _EPOCH_DIGITS
    if not is_number or abs(now - datetime.fromtimestamp(int(at), UTC)) > TOLERANCE:
        raise VerificationError("the signed time is not of now", code="stale")


_EPOCH_DIGITS = 11


def _hmac(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def _compare(proofs: Sequence[bytes], given: Sequence[str]) -> None:
    # Every pair is compared: the time taken must not tell which secret is in use.
    fits = [
        hmac.compare_digest(proof, one.encode("utf-8", "replace"))
        for proof in proofs
        for one in given
    ]
    if not any(fits):
        raise VerificationError("the signature does not fit the body", code="bad_signature")
