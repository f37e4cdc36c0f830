"""Canary: on a schedule, send an order of ours to the front door and look for it at its target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from fizzbridge.observability import BRIDGE, Metrics, log, log_context, new_correlation_id
from fizzbridge.runtime.canary import Canary, Post
from fizzbridge.runtime.wiring import now, ports
from fizzbridge.webhook.receive import active

POST_S = 10.0
"""The front door answers within a second or so; who gets nothing in this time sends again."""


def door(url: str, client: httpx.Client) -> Post:
    """Posts to an address."""

    def post(headers: Mapping[str, str], body: bytes) -> int:
        try:
            return client.post(url, headers=headers, content=body).status_code
        except httpx.HTTPError as error:
            log.error("no answer", extra={"reason": type(error).__name__})
            return 0

    return post


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=POST_S, trust_env=False)


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: a tick of the schedule."""
    del event, context
    given = ports()
    settings = given.settings
    here = settings.connection or BRIDGE
    with log_context(new_correlation_id(), connection=here), Metrics() as metrics:
        Canary(
            given.table,
            given.bridge,
            door(settings.webhook_url or "", _client()),
            lambda: active(given.secrets.get(settings.signing_secret or ""))[0],
            metrics,
            now,
        ).tick()
