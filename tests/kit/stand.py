"""A sandbox with a clock of its own, and somebody who asks it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.kit.transport import SandboxTransport

START = datetime(2026, 11, 20, 10, tzinfo=UTC)


class Stand:
    """What the tests of every sandbox have.

    Args:
        sandbox: as its module makes it.
        url: where it is asked.
        client: what else its client needs: headers, keys.
    """

    def __init__(self, sandbox: Any, url: str, **client: Any) -> None:
        self.now = START
        self.sandbox = sandbox
        self.sandbox.clock = lambda: self.now
        self.transport = SandboxTransport(sandbox.app)
        self.http = httpx.Client(base_url=url, transport=self.transport, **client)

    @property
    def store(self) -> Any:
        """What people do in it."""
        return self.sandbox.store

    @property
    def deliveries(self) -> list[Any]:
        """What it has sent, or would have."""
        found: list[Any] = self.sandbox.outbox.deliveries
        return found

    def tick(self, seconds: float = 60) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)

    def topics(self) -> list[str]:
        """What it has told of."""
        return [one.topic for one in self.deliveries]

    def bodies(self) -> list[dict[str, Any]]:
        """What it has told, where that is JSON."""
        return [json.loads(one.body) for one in self.deliveries]
