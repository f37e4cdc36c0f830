"""What modules of ours post from shops without webhooks: thin JSON, its second and its HMAC."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.deliveries import Delivery, Outbox, poster


def sign(secret: str, second: str, body: bytes) -> str:
    """HMAC-SHA256 over the second, a dot and the raw body."""
    proof = hmac.digest(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return f"v1={proof.hex()}"


class ModuleOutbox(Outbox):
    """Signs anew at each try, because a receiver refuses a proof older than five minutes.

    A module never gives an address up, only a notice it has tried often enough.

    Args:
        secret: what it signs with.
        pauses: seconds before each retry of a notice.
        clock: gives the time.
    """

    def __init__(self, secret: str, pauses: Sequence[float], clock: Callable[[], datetime]) -> None:
        super().__init__(poster(3, 3), pauses, sys.maxsize, lambda _: None)
        self._secret = secret
        self._clock = clock

    def tell(self, uri: str, subject: str, body: Mapping[str, Any], **headers: str) -> None:
        """Post one notice, which names its event and has an id."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        named = {"Content-Type": "application/json"} | headers
        name, event = body["delivery_id"], body["event"]
        delivery = Delivery(name, event, subject, "module", uri, named, raw)
        self._sign(delivery)
        self.add(delivery)

    def _attempt(self, delivery: Delivery) -> int | str:
        self._sign(delivery)
        return super()._attempt(delivery)

    def _sign(self, delivery: Delivery) -> None:
        second = str(int(self._clock().timestamp()))
        proof = sign(self._secret, second, delivery.body)
        delivery.headers |= {"X-Fizz-Timestamp": second, "X-Fizz-Signature": proof}
