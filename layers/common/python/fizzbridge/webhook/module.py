"""What our own modules post, in shops that have no webhooks."""

from __future__ import annotations

from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import FizzHmac


class ModuleWebhook(WebhookAdapter):
    """Thin JSON that says what happened and to what, signed with its time."""

    signature = FizzHmac()

    def topic(self, delivery: Delivery) -> str:
        """``order.placed``, which the body says."""
        return delivery.field("event")

    def delivery_id(self, delivery: Delivery) -> str:
        """The module's id, the same on every try."""
        return delivery.field("delivery_id", "")
