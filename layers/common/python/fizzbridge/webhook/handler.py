"""The Lambda handler of a webhook function."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from fizzbridge.observability import Metrics
from fizzbridge.runtime.wiring import ports
from fizzbridge.settings import load_bridge
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.receive import Receiver, Response


class WebhookHandler:
    """Makes its clients in the init phase of its function, and calls nothing until invoked."""

    def __init__(self, adapter: WebhookAdapter) -> None:
        self.adapter = adapter
        self._metrics = Metrics()
        if os.environ.get("FIZZBRIDGE_SIGNING_SECRET"):
            _ = self._receiver

    def __call__(self, event: Mapping[str, Any], context: object) -> Response:
        """Answer one HTTP API event."""
        del context
        with self._metrics:
            return self._receiver.receive(event)

    @cached_property
    def _receiver(self) -> Receiver:
        # A merge is a read and a write: each may take half of the time the merge has.
        given = ports(load_bridge().timing.merge_deadline / 2)
        return Receiver(self.adapter, given, self._metrics)


def webhook_handler(adapter: WebhookAdapter) -> WebhookHandler:
    """The handler of a platform's webhook function."""
    return WebhookHandler(adapter)
