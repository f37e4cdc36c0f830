"""What the sandbox shop sends: thin signed notices of our own module; the vendor sends none."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from platforms.magento.sandbox_values import Json
from sandbox.modules import ModuleOutbox

EVENTS = (
    "order.saved invoice.saved creditmemo.saved shipment.saved product.saved product.deleted"
    " stock.saved customer.saved customer.deleted company.saved".split()
)
NUMBERED = {"order", "invoice", "creditmemo", "shipment", "product", "stock"}


class Letters:
    """Makes and keeps deliveries.

    Args:
        seed: ``webhook_uri`` and ``webhook_secret``.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self._seed = seed
        self._clock = clock
        # This module tries once: the poll finds what was lost.
        self.outbox = ModuleOutbox(seed["webhook_secret"], (), clock)
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
        agent = {"User-Agent": "FizzModule/1.0 Magento/2.4.7-p3"}
        self.outbox.tell(self.uri, str(entity_id), told, **agent)
