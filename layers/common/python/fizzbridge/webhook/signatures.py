"""Proofs of who sent a delivery. Each reads the raw body; none ever raises but a refusal."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from fizzbridge.errors import VerificationError
from fizzbridge.webhook.request import Delivery


class Signature(Protocol):
    """How one platform proves its deliveries."""

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
