"""A shop on its platform's sandbox, and bridges beside it that hear, ask, or do both.

``events/<platform>/source.json`` says how the sandbox is seeded and what is ordered in it, in the
sandbox's own words; everything else is the same for all platforms.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import Role
from fizzbridge.runtime.pull import PullAdapter
from sandbox.deliveries import Delivery
from tests.kit.clock import START
from tests.kit.source import EVENTS, PULL_QUEUE, SECRET, Source, bridge, http_event
from tests.kit.transport import SandboxTransport

ROOT = Path(__file__).parents[2]
HEARS = "https://hooks.canary.example/webhooks/shop"


class Line(SandboxTransport):
    """The line to the shop; it may be cut after some more calls."""

    left: int | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.left is not None:
            if self.left == 0:
                raise httpx.ConnectError("the line is cut", request=request)
            self.left -= 1
        return super().handle_request(request)


class ShopClock:
    """The vendor's time: it stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> Any:
        return self.now


class Shop:
    """One shop.

    Args:
        platform: the slug.
        seed: in place of some of the seed's facts.
    """

    def __init__(self, platform: str, **seed: Any) -> None:
        self.platform = platform
        self.facts: Mapping[str, Any] = json.loads((EVENTS / platform / "source.json").read_text())
        module = importlib.import_module(f"platforms.{platform}.sandbox")
        self.clock = ShopClock()
        self.sandbox = module.make(self.facts["seed"] | {"webhook_uri": HEARS} | seed)
        self.sandbox.clock = self.clock
        self.http = httpx.Client(
            base_url=httpx.URL(self.facts["base_url"]).copy_with(path="/"),
            transport=SandboxTransport(self.sandbox.app),
        )
        # What fills by the clock was filled by the wall's.
        self.http.post("/_sandbox/reset").raise_for_status()

    def later(self, seconds: float = 60) -> None:
        """Some time goes by, at the shop."""
        self.clock.now += timedelta(seconds=seconds)

    def place(self, **draft: Any) -> str:
        """An order is placed; gives the key it goes by."""
        answer = self.http.post("/_sandbox/orders", json=self.facts["draft"] | draft)
        assert answer.status_code == 201, answer.text
        shown = answer.json()
        return str(shown.get("id") or shown["order"]["id"])

    def act(self, order: str, action: str, **given: Any) -> None:
        """Something is done to an order, as ``source.json`` has it."""
        body = self.facts[action] | given
        answer = self.http.post(f"/_sandbox/orders/{order}/{action}", json=body)
        assert answer.status_code == 200, answer.text

    def source(self, **of_connection: Any) -> Source:
        """A bridge beside the shop, with its own time: the shop's, and a little later."""
        webhook = importlib.import_module(f"platforms.{self.platform}.webhook").handler.adapter
        pull = importlib.import_module(f"platforms.{self.platform}.pull")
        kind: Any = next(
            kind
            for kind in vars(pull).values()
            if isinstance(kind, type)
            and issubclass(kind, PullAdapter)
            and kind.__module__ == pull.__name__
        )
        # Requests that are signed with the time are signed with the shop's.
        timed = "seconds" in inspect.signature(kind).parameters
        adapter = kind(seconds=lambda: self.clock.now.timestamp()) if timed else kind()
        facts = {name: self.facts[name] for name in ("base_url", "settings")}
        config = bridge(self.platform, **facts, roles=list(Role), **of_connection)
        source = Source(webhook, adapter, Line(self.sandbox.app), config)
        source.secrets["api"] = json.dumps(self.facts["secret"])
        source.secrets["signing"] = json.dumps({"active": [SECRET]})
        self.catch_up(source)
        return source

    def catch_up(self, source: Source) -> None:
        """Set a bridge's clock to the shop's."""
        behind = (self.clock.now - source.clock()).total_seconds()
        source.clock.advance(max(behind, 0) + 1)

    def told(self) -> list[Delivery]:
        """What the shop has sent, or would have."""
        return list(self.sandbox.outbox.deliveries)

    def hear(self, source: Source, deliveries: Iterable[Delivery] | None = None) -> None:
        """Deliver what the shop sends, and fetch what it only named."""
        self.catch_up(source)
        for one in self.told() if deliveries is None else deliveries:
            assert source.deliver(http_event(one.headers, one.body, encoded=True)) == 200
        self.drain(source)

    def poll(self, source: Source) -> None:
        """Read every stream to its end."""
        self.catch_up(source)
        for stream in load_registry(ROOT)[self.platform].streams:
            source.queue.send(PULL_QUEUE, json.dumps({"type": "poll", "stream": stream.name}))
        self.drain(source)

    def drain(self, source: Source) -> None:
        """Work until nothing waits any more; what was put off comes again a minute later."""
        for _ in range(5000):
            messages = source.queue.take(PULL_QUEUE)
            if not messages:
                return
            for message in messages:
                if source.work(json.loads(message.body)) is not None:
                    source.queue.send(PULL_QUEUE, message.body)
                    self.later()
                    self.catch_up(source)
        raise AssertionError("the pull queue does not run dry")
