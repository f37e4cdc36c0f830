"""What the sandbox shop sends: thin signed notices of our own module; the vendor sends none."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from platforms.magento.sandbox_values import Json
from sandbox.deliveries import Delivery, Outbox, poster

EVENTS = (
    "order.saved invoice.saved creditmemo.saved shipment.saved product.saved product.deleted"
    " stock.saved customer.saved customer.deleted company.saved".split()
)
NUMBERED = {"order", "invoice", "creditmemo", "shipment", "product", "stock"}


def sign(secret: str, second: str, body: bytes) -> str:
    """What our module shows: HMAC-SHA256 over the second, a dot and the raw body."""
    return f"v1={hmac.digest(secret.encode(), f'{second}.'.encode() + body, hashlib.sha256).hex()}"


class Letters:
    """Makes and keeps deliveries.

    Args:
        seed: ``webhook_uri`` and ``webhook_secret``.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self._seed = seed
        self._clock = clock
        # Our module tries once and never gives an address up: the poll finds what was lost.
        self.outbox = Outbox(poster(1, 2), (), sys.maxsize, lambda _: None)
        self.reset()

    def reset(self) -> None:
        """Forget what was sent, and where to."""
        self._turn = itertools.count(1)
        self.outbox.clear()
        self.uri: str | None = self._seed["webhook_uri"]

    def tell(self, event: str, entity_id: int, label: str, body: Json) -> None:
        """Send one notice, if somebody listens."""
        if self.uri is None:
            return
        now = self._clock().astimezone(UTC)
        number = str(uuid.UUID(int=next(self._turn), version=4))
        told = {
            "event": event,
            "entity_id": entity_id,
            "increment_id": label if event.partition(".")[0] in NUMBERED else None,
            "updated_at": body["updated_at"],
            "occurred_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "delivery_id": number,
        }
        raw = json.dumps(told, separators=(",", ":")).encode()
        at = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "FizzModule/1.0 Magento/2.4.7-p3",
            "X-Fizz-Timestamp": at,
            "X-Fizz-Signature": sign(self._seed["webhook_secret"], at, raw),
        }
        self.outbox.add(Delivery(number, event, str(entity_id), "module", self.uri, headers, raw))
