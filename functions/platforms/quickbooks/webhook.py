"""QuickBooks' webhooks: thin, as CloudEvents or in the classic form before them (November 2026).

- One address hears of every company that is connected to the app, so a hint names the company, and
  ``pull`` leaves those of others alone.
- One body tells of many things. Its topic is the first that is read back; what else is in it is
  told along.
- Operations are not told apart: whatever was done, the record is read again. Of a merge the classic
  form names the one that went as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256
from fizzbridge.wire import Wire

READ = "Invoice SalesReceipt CreditMemo Payment RefundReceipt Customer Item".split()
_TOPICS = dict(zip(READ, READ, strict=True)) | {f"qbo.{kind.lower()}": kind for kind in READ}
"""Records that are read back, by what either form calls them."""


class Named(Wire):
    """A record somebody did something with."""

    topic: str
    company: str
    id: str


class Delivered(Wire):
    """A body of either form."""

    records: tuple[Named, ...]


def _hints(told: Delivered, connection: str) -> Iterator[Hint]:
    del connection
    for one in dict.fromkeys(told.records):
        kind = _TOPICS.get(one.topic)
        if kind:
            of = Kind.STOCK_LEVEL if kind == "Item" else None
            yield Hint(kind, f"{one.company}/{one.id}", of)


class QuickBooksWebhook(WebhookAdapter):
    """Ids of forms, payments, customers and items."""

    platform = "quickbooks"
    signature = HmacSha256(("intuit-signature",))
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = dict.fromkeys(_TOPICS, Route(Delivered, _hints))

    def topic(self, delivery: Delivery) -> str:
        """The first record told of that is read back; else the first; empty where there is none."""
        names = [one["topic"] for one in self.content(delivery)["records"]]
        return next((name for name in names if name in _TOPICS), next(iter(names), ""))

    def delivery_id(self, delivery: Delivery) -> str:
        """The id of the first event; the classic form has none."""
        body = delivery.json()
        return str(body[0].get("id", "")) if isinstance(body, list) and body else ""

    def content(self, delivery: Delivery) -> Any:
        """Records by the name of their kind, the company's id and their own."""
        body = delivery.json()
        try:
            return {"records": list(_cloud(body) if isinstance(body, list) else _classic(body))}
        except (LookupError, TypeError, AttributeError) as error:
            said = "neither CloudEvents nor the classic form"
            raise MalformedDeliveryError(said, code="no_topic") from error


def _cloud(events: list[Any]) -> Iterator[dict[str, Any]]:
    for one in events:
        # qbo.invoice of qbo.invoice.updated.v1
        topic = ".".join(one["type"].split(".")[:2])
        yield {"topic": topic, "company": one["intuitaccountid"], "id": one["intuitentityid"]}


def _classic(body: Any) -> Iterator[dict[str, Any]]:
    for company in body["eventNotifications"]:
        for one in company["dataChangeEvent"]["entities"]:
            for identity in filter(None, (one.get("deletedId"), one["id"])):
                yield {"topic": one["name"], "company": company["realmId"], "id": identity}


handler = webhook_handler(QuickBooksWebhook())
