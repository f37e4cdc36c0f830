"""The way back to a real adapter: the house, with a platform's sandbox as the shop that is told."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.calls import reading
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.pull import PullAdapter
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from sandbox.faults import Fault
from tests.kit.house import BRIDGE
from tests.kit.source import http_event
from tests.kit.target import adapter
from tests.kit.transport import SandboxTransport
from tests.kit.way_back import OWNS, WayBack


class ShopBack(WayBack):
    """A house whose shop is a sandbox, with the platform's own adapters before it.

    Args:
        platform: the slug.
        sandbox: made and seeded; its clock becomes the house's.
        shop: of the shop's connection: base URL, settings, roles.
        api: the api secret.
        signing: what its webhooks are signed with.
        more: of the bridge and the catalogue.
    """

    def __init__(
        self,
        platform: str,
        sandbox: Any,
        shop: Mapping[str, Any],
        api: Mapping[str, str],
        signing: str,
        **more: Any,
    ) -> None:
        mine, erp = BRIDGE["connections"]
        self.sandbox = sandbox
        self.transport = SandboxTransport(sandbox.app)
        self.api = dict(api)
        self.signing = signing
        connections = [mine | {"platform": platform} | shop, erp | {"roles": OWNS}]
        super().__init__(**{"connections": connections, **more})
        self.connection = self.bridge.connection("shop")
        self.adapter = adapter(platform)
        self.employ(self.adapter)
        self.webhook = importlib.import_module(f"platforms.{platform}.webhook").handler.adapter
        pull = importlib.import_module(f"platforms.{platform}.pull")
        (self.pull,) = (
            kind()
            for kind in vars(pull).values()
            if isinstance(kind, type)
            and issubclass(kind, PullAdapter)
            and kind.__module__ == pull.__name__
        )
        sandbox.clock = self.clock
        self.control("reset")
        self.heard = 0

    # -- the line to the shop ----------------------------------------------------------------------

    @property
    def client(self) -> VendorClient:
        """A client of the shop, as the runtime makes one."""
        return VendorClient(
            platform=self.adapter.platform,
            base_url=self.connection.base_url,
            auth=self.adapter.auth(self.api, self.connection),
            errors=self.adapter.errors,
            timeout=timedelta(seconds=self.bridge.timing.call_timeout),
            transport=self.transport,
        )

    @property
    def shop(self) -> VendorClient:
        """The same, as the adapter has it."""
        return self.adapter.client(self.client, self.connection)

    @contextmanager
    def _capacity(self, lease: Any) -> Iterator[VendorClient]:
        client = self.client
        with reading(client):
            yield client

    @contextmanager
    def reach(self, holder: str, calls: int, left: Any) -> Iterator[VendorClient]:
        client = self.client
        with reading(client):
            yield client
        assert client.calls <= calls, f"{client.calls} calls, and {calls} were reserved"

    def control(self, path: str, body: Any = None) -> Any:
        """Somebody at the shop does something: a path below ``/_sandbox/``."""
        url = httpx.URL(self.connection.base_url).copy_with(path=f"/_sandbox/{path}")
        answer = self.transport.handle_request(httpx.Request("POST", url, json=body or {}))
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def fault(self, kind: Any, body: str = "", **more: Any) -> Fault:
        """Arm a fault of the next call whose body holds a text."""
        fault = Fault(kind, body_contains=body, **more)
        self.sandbox.faults.arm(fault)
        return fault

    def sent(self, text: str = "") -> list[httpx.Request]:
        """The requests made to the shop so far, of those whose body or line hold a text."""
        found = [one for one in self.transport.requests if "/_sandbox" not in one.url.path]
        return [
            one
            for one in found
            if text in f"{one.method} {one.url}" or text.encode() in one.content
        ]

    # -- what the shop says ------------------------------------------------------------------------

    def hear(self) -> int:
        """Take in what the shop has sent since, proof checked, and fetch what it only named."""
        told = list(self.sandbox.outbox.deliveries)[self.heard :]
        self.heard += len(told)
        for one in told:
            delivery = Delivery.from_event(http_event(one.headers, one.body), self.clock())
            self.webhook.signature.verify(delivery, [self.signing], self.clock())
            self.take(read(self.webhook, delivery, "shop") or ())
        return len(told)

    def take(self, told: Any) -> None:
        """Observe what was told, and fetch what was named."""
        queue: list[tuple[Told, bool]] = [(one, False) for one in told]
        for one, is_read in queue:
            if isinstance(one, Hint):
                found = self.pull.fetch(self.client, one, self.connection)
                queue += [(fetched, True) for fetched in found]
            elif isinstance(one, Seen):
                how = Circumstances(self.clock(), is_authoritative=is_read)
                self.observer.observe("shop", one, self.pull.clock, how)

    def ordered(self, external_id: str) -> EntityRef:
        """The order of that id, as the house knows it."""
        order = ref(Kind.ORDER, "shop", external_id)
        assert self.rows.get(str(order), f"PART#{Part.REQUEST}"), f"nobody has told of {order}"
        return order
