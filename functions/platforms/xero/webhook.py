"""Xero's webhook: thin events of invoices, credit notes and contacts (November 2026).

- One address hears of every organisation the app is connected to, so a hint names the organisation,
  and ``pull`` leaves those of others alone.
- One body tells of many things. Its topic is the first category that is read back; what else is in
  it is told along, each thing once.
- A payment has no category: it is an update of its invoice, whose payments are read with it.
- The intent to receive is a body without events, signed rightly or wrongly on purpose: it is
  answered as any delivery, 200 or 401, with nothing in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256
from fizzbridge.wire import Wire

_READ = {"INVOICE": "Invoices", "CREDITNOTE": "CreditNotes", "CONTACT": "Contacts"}
"""The collections things are read from, by the category that tells of them."""
_SUPPLIERS = "ACCPAYCREDIT"


class Named(Wire):
    """A thing somebody did something with."""

    topic: str
    tenant: str
    id: str
    type: str
    """Of a credit note; nothing else is told of what it is."""


class Delivered(Wire):
    """The events of one body."""

    events: tuple[Named, ...]


def _hints(told: Delivered, connection: str) -> Iterator[Hint]:
    del connection
    for one in dict.fromkeys(told.events):
        if one.topic in _READ and one.type != _SUPPLIERS:
            yield Hint(_READ[one.topic], f"{one.tenant}/{one.id}")


class XeroWebhook(WebhookAdapter):
    """Ids of invoices, credit notes and contacts."""

    platform = "xero"
    signature = HmacSha256(("x-xero-signature",))
    clock = Timestamp("millisecond")
    routes: ClassVar[Mapping[str, Route[Any]]] = dict.fromkeys(_READ, Route(Delivered, _hints))

    def topic(self, delivery: Delivery) -> str:
        """The first category that is read back; else the first; empty in an intent to receive."""
        names = [one["topic"] for one in self.content(delivery)["events"]]
        return next((name for name in names if name in _READ), next(iter(names), ""))

    def delivery_id(self, delivery: Delivery) -> str:
        """The number of the last event in it: they count up, and gaps show what was lost."""
        return str(delivery.json().get("lastEventSequence", ""))

    def content(self, delivery: Delivery) -> Any:
        """Things by category, organisation and id."""
        try:
            return {"events": list(map(_named, delivery.json()["events"]))}
        except (LookupError, TypeError, AttributeError) as error:
            raise MalformedDeliveryError("the body has no events", code="no_topic") from error


def _named(event: Any) -> dict[str, Any]:
    return {
        "topic": str(event["eventCategory"]),
        "tenant": event["tenantId"],
        "id": event["resourceId"],
        "type": str((event.get("data") or {}).get("Type", "")),
    }


handler = webhook_handler(XeroWebhook())
