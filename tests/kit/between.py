"""Somebody between us and a vendor, who answers for it: with links elsewhere, or with nonsense."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from fizzbridge.manifest import load_registry
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.breaker import State, read
from fizzbridge.state.table import Table, Write
from tests.kit.held import Holder
from tests.kit.shop import ROOT, Shop
from tests.kit.source import EVENTS
from tests.kit.target import TargetHouse, facts

MANIFESTS = load_registry(ROOT)
READ = sorted(slug for slug, manifest in MANIFESTS.items() if manifest.functions.pull)
BOOKED = sorted(slug for slug, manifest in MANIFESTS.items() if manifest.is_booked)

Spoil = Callable[[httpx.Request, httpx.Response], httpx.Response]


def untouched(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """The vendor's own answer."""
    del request
    return response


class Between(httpx.BaseTransport):
    """Hands requests on to a sandbox, and spoils what it answers."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.spoil: Spoil = untouched
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; one to another host than the sandbox's goes nowhere."""
        self.seen.append(request)
        return self.spoil(request, self.inner.handle_request(request))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def hosts(self) -> set[str]:
        """Where requests went, by scheme, host and port."""
        return {origin(one.url) for one in self.seen}


def origin(url: httpx.URL | str) -> str:
    """Scheme, host and port."""
    return str(httpx.URL(url).copy_with(path="/", query=None, fragment=None, userinfo=b""))


class Read:
    """A platform that is read: its streams, over a line somebody sits on."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.streams = [one.name for one in MANIFESTS[platform].streams]
        if (EVENTS / platform / "source.json").is_file():
            shop = Shop(platform)
            shop.place()
            self.facts: Any = shop.facts
            self.source: Any = shop.source()
            self.between = self.source.transport = Between(self.source.transport)
            self.adapter = self.source.pull
            self.puller, self.clock = self.source.puller, self.source.clock
            self.rows, self.queue = self.source.table.table, self.source.queue
            self.connection = "shop-uk"
            return
        self.source = holder = Holder(platform, MANIFESTS[platform])
        holder.customer()
        holder.order(cases=4)
        holder.settle()
        holder.clock.advance(300)
        self.facts = holder.facts
        self.between = Between(holder.transport)
        holder.transport = self.between  # type: ignore[assignment]
        self.adapter = holder.reader
        self.puller, self.clock = holder.puller, holder.clock
        self.rows, self.queue = holder.rows, holder.queue
        self.connection = "erp"

    @property
    def secret(self) -> dict[str, str]:
        """What must not leave."""
        return dict(self.facts["secret"])

    def poll(self, stream: str, receives: int = 1) -> Again | None:
        """One message that asks for a stream."""
        return self.puller.work(Message("m", {"type": "poll", "stream": stream}, receives))

    def breaker(self) -> State:
        """What the table says of the connection."""
        return read(self.rows, self.connection)

    def close_breaker(self) -> None:
        """As if the vendor had been tried in the meantime, and had answered."""
        close_breaker(self.rows, self.connection)


def close_breaker(table: Table, connection: str) -> None:
    """Forget how the vendor answered so far, so that it is asked again at once."""
    table.write(Write(f"CONNECTION#{connection}", "BREAKER", delete=True))


def told(platform: str) -> TargetHouse:
    """A target with an order on its way, over a line somebody sits on."""
    house = TargetHouse(platform)
    house.customer()
    house.order()
    house.assess()
    house.transport = Between(house.transport)  # type: ignore[assignment]
    return house


def own_origins(platform: str) -> set[str]:
    """Where a platform may call: its connection's origin, those of settings, that of tokens."""
    shown = [facts(platform)] if facts(platform) else []
    path = EVENTS / platform / "source.json"
    if path.is_file():
        shown.append(json.loads(path.read_text(encoding="utf-8")))
    found = set()
    with suppress(ModuleNotFoundError):
        transport = importlib.import_module(f"platforms.{platform}.transport")
        found |= {origin(one) for one in [getattr(transport, "TOKEN_URL", "")] if one}
    for one in shown:
        named = [one["base_url"], *map(str, one.get("settings", {}).values())]
        found |= {origin(address) for address in named if "://" in address}
    return found
