"""The webhook of the Xero sandbox's app: one address for all tenants, numbered events."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import random
import string
import sys
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from platforms.xero.sandbox_wire import Json, new_id
from sandbox.deliveries import Delivery, Outbox, poster

PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
"""Seconds before each new try: ever longer, for about a day."""
PATIENCE = timedelta(hours=24)
API = "https://api.xero.com/api.xro/2.0"
SUBSCRIPTIONS = "https://api.xero.com/AppStore/2.0/Subscriptions"
PATHS = {"INVOICE": "Invoices", "CONTACT": "Contacts", "CREDITNOTE": "CreditNotes"}


def sign(key: str, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()


class Webhooks(Outbox):
    """What the app's one webhook has sent and will send.

    It is switched off when no delivery has been accepted for a day, and by an intent to receive
    that was answered wrongly; nothing is sent then until the next intent that is answered well.

    Args:
        seed: the sandbox's seed: address, key, categories, application id.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        super().__init__(poster(5, 5), PAUSES, sys.maxsize, lambda _: None, {200})
        self.seed, self.clock = seed, clock
        self.start()

    def start(self) -> None:
        """As when the app was made."""
        self.clear()
        self.uri = str(self.seed["webhook_uri"])
        self.is_enabled = True
        self.is_held = False
        self.held: list[Json] = []
        self.sequence = int(self.seed["first_sequence"])
        self._failing_since: datetime | None = None
        self._numbers = itertools.count(1)
        self._random = random.Random(self.seed["random_seed"])  # noqa: S311  nothing secret

    def tell(
        self, tenant_id: str, category: str, kind: str, resource_id: str, data: Json | None = None
    ) -> None:
        """One event: sent at once in a body of its own, unless events are held."""
        if category not in self.seed["webhook_categories"]:
            return
        where = f"{API}/{PATHS[category]}" if category in PATHS else SUBSCRIPTIONS
        event: Json = {
            "resourceUrl": f"{where}/{resource_id}",
            "resourceId": resource_id,
            "tenantId": tenant_id,
            "tenantType": "ORGANISATION" if category in PATHS else "APPLICATION",
            "eventCategory": category,
            "eventType": kind,
            "eventDateUtc": f"{self.clock():%Y-%m-%dT%H:%M:%S.%f}"[:-3],
        }
        self.held.append(event | ({"data": data} if data else {}))
        if not self.is_held:
            self.release()

    def release(self, *, repeat: int = 0, skip: int = 0) -> list[Delivery]:
        """Send what is held in one body.

        Args:
            repeat: how often the same body comes again, as another delivery.
            skip: numbers that are lost before it.
        """
        self.is_held = False
        events, self.held = self.held, []
        if not events or not self.uri or not self.is_enabled:
            return []
        first = self.sequence + skip
        self.sequence = first + len(events)
        body = self._body(events, first, self.sequence - 1)
        topic = f"{events[0]['eventCategory']}.{events[0]['eventType']}"
        subject = events[0]["resourceId"]
        made = [self._delivery(topic, subject, body, body) for _ in range(repeat + 1)]
        for delivery in made:
            self.add(delivery)
        return made

    def _body(self, events: list[Json], first: int, last: int) -> bytes:
        """As the vendor writes it: blanks after some colons, none after others."""
        listed = json.dumps(events, ensure_ascii=False, separators=(",", ":"))
        entropy = "".join(self._random.choices(string.ascii_uppercase, k=20))
        tail = f'"firstEventSequence": {first},"lastEventSequence": {last}, "entropy": "{entropy}"'
        return f'{{"events":{listed},{tail}}}'.encode()

    def _delivery(self, topic: str, subject: str, body: bytes, signed: bytes) -> Delivery:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "x-xero-signature": sign(self.seed["webhook_key"], signed),
        }
        name = f"d{next(self._numbers)}"
        return Delivery(name, topic, subject, "webhook", self.uri, headers, body)

    def burst(self) -> list[Delivery]:
        """The intent to receive: empty bodies, some signed rightly and some wrongly."""
        made = []
        for is_right in (True, False, False, True):
            body = self._body([], 0, 0)
            signed = body if is_right else body + b" "
            made.append(self._delivery("intent" if is_right else "wrong", "", body, signed))
        return made

    def intend(self) -> tuple[list[int | str], bool]:
        """Run the intent to receive: the answers, and whether the webhook is on now."""
        answers: list[int | str] = []
        for delivery in self.burst():
            try:
                answers.append(self.post(delivery))
            except httpx.HTTPError as error:
                answers.append(type(error).__name__)
        self.is_enabled = answers == [200, 401, 401, 200]
        self._failing_since = None
        return answers, self.is_enabled

    def subscribe(self, kind: str) -> None:
        """Somebody buys, or changes, a subscription to the app."""
        self.tell(self.seed["application_id"], "SUBSCRIPTION", kind, new_id())

    def _attempt(self, delivery: Delivery) -> int | str:
        answer = super()._attempt(delivery)
        now = self.clock()
        if answer == 200:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= PATIENCE:
            self.is_enabled = False
            for waiting in self.pending():
                waiting.status = "given_up"
        return answer
