"""Webhooks of the QuickBooks sandbox: thin bodies in CloudEvents or in the classic form."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import sys
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime

from platforms.quickbooks.sandbox_store import Event
from platforms.quickbooks.sandbox_wire import Row
from sandbox.deliveries import Delivery, Outbox, poster

PAUSES = (0, 10, 20, 30, 300, 1200, 7200, 14400, 21600, *[21600] * 8)
WORDS = {"Create": "created", "Update": "updated", "Delete": "deleted", "Merge": "merged"} | {
    "Void": "voided",
    "Emailed": "emailed",
}
NAMED = {"CompanyCurrency": "Currency"}


def sign(token: str, body: bytes) -> str:
    """The value of ``intuit-signature`` for a raw body."""
    return base64.b64encode(hmac.digest(token.encode(), body, hashlib.sha256)).decode()


class Hooks:
    """Turns what happened into one delivery for the app's only address.

    Args:
        seed: address, verifier token, form and entities.
        clock: gives the time.
    """

    def __init__(self, seed: Row, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.uri: str | None = seed["webhook_uri"]
        # Only 200 counts, and the vendor never drops an address.
        self.outbox = Outbox(poster(3, 3), PAUSES, sys.maxsize, lambda _: None, {200})
        self._count = itertools.count(1)

    def reset(self) -> None:
        """As at the start."""
        self.uri = self.seed["webhook_uri"]
        self.outbox.clear()

    def notify(self, events: Iterable[Event]) -> None:
        """One body for all that one act did, as far as the app listens."""
        wanted = self.seed["webhook_entities"]
        heard = [one for one in events if NAMED.get(one.kind, one.kind) in wanted]
        if self.uri and heard:
            self.send(self.body(heard), heard)

    def body(self, events: list[Event]) -> object:
        """The events in the form the app's switch is set to."""
        is_classic = self.seed["webhook_form"] == "classic"
        return self._classic(events) if is_classic else self._cloud(events)

    def send(self, body: object, events: list[Event]) -> Delivery:
        """Keep a signed delivery of any body."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        place = next(self._count)
        first = events[0]
        headers = {
            "content-type": "application/json; charset=utf-8",
            "accept": "application/json",
            "user-agent": "intuit_notification_server/1.0",
            "intuit-signature": sign(self.seed["webhook_token"], raw),
        }
        topic = f"{NAMED.get(first.kind, first.kind)}.{first.operation}"
        uri = self.uri or ""
        delivery = Delivery(f"d{place}", topic, first.id, "app", uri, headers, raw)
        self.outbox.add(delivery)
        return delivery

    def _classic(self, events: list[Event]) -> Row:
        entities = [
            {
                "name": NAMED.get(one.kind, one.kind),
                "id": one.id,
                "operation": one.operation,
                "lastUpdated": f"{one.at:%Y-%m-%dT%H:%M:%S}.000Z",
            }
            for one in events
        ]
        change = {"entities": entities}
        realm = self.seed["realm_id"]
        return {"eventNotifications": [{"realmId": realm, "dataChangeEvent": change}]}

    def _cloud(self, events: list[Event]) -> list[Row]:
        realm = self.seed["realm_id"]
        opaque = base64.b64encode(hashlib.sha256(realm.encode()).digest()).decode()
        made = []
        for one in events:
            at = f"{one.at:%Y-%m-%dT%H:%M:%S.%f}"
            seed = f"{realm}/{at}/{one.kind}/{one.id}/{next(self._count)}"
            name = NAMED.get(one.kind, one.kind).lower()
            operation = WORDS.get(one.operation, one.operation)
            made.append(
                {
                    "specversion": "1.0",
                    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, seed)),
                    "source": f"intuit.{opaque}",
                    "type": f"qbo.{name}.{operation}.v1",
                    "datacontenttype": "application/json",
                    "time": f"{at}000Z",
                    "intuitentityid": one.id,
                    "intuitaccountid": realm,
                    "data": {},
                }
            )
        return made
