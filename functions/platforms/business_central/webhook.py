"""Business Central's webhooks: the vendor's page "Working with Webhooks", read in November 2026.

- Thirty seconds of changes come as one delivery of ids; everything is read back.
- Nothing is signed: each notification carries the client state of its subscription. What does not
  is dropped; where none does, the delivery is refused.
- Whoever subscribes or renews is asked to give a token back.
- An answer of 4xx deletes the subscription, so whatever is genuine is accepted; the watch makes it
  anew. After 408, 429 and 5xx it comes again for 36 hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Reply, Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from platforms.business_central import notices

_NOTICES = Route(notices.Notices, notices.hints)


class BusinessCentralWebhook(WebhookAdapter):
    """Ids of orders, invoices, credit memos, customers and items."""

    platform = "business_central"
    signature = notices.ClientState()
    clock = Timestamp("microsecond")
    routes: ClassVar[Mapping[str, Route[Any]]] = dict.fromkeys(notices.RESOURCES, _NOTICES)

    def topic(self, delivery: Delivery) -> str:
        """``salesOrders``; a delivery about several resources is read as a whole."""
        return notices.resource(delivery)

    def delivery_id(self, delivery: Delivery) -> str:
        """The subscription it is for, or the first of them: deliveries have none of their own."""
        return notices.subscription(delivery)

    def handshake(self, delivery: Delivery) -> Reply | None:
        """The token, as it came."""
        token = delivery.query.get("validationToken")
        return Reply(body=token) if token else None

    def proven(self, delivery: Delivery, secrets: Sequence[str]) -> Delivery:
        """The notifications with our client state, which is taken out."""
        return notices.proven(delivery, secrets)


handler = webhook_handler(BusinessCentralWebhook())
