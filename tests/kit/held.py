"""A target that is read back: the house, with people who act in the sandbox.

``events/<platform>/target.json`` has a key ``acts``: by act, the path below ``/_sandbox/`` and the
body of what people do there, ``{id}`` being the order's id at the platform::

    "acts": {"ship": ["salesOrders/{id}/ship", {}], "invoice": ["salesOrders/{id}/invoice", {}]}

Acts are ``ship``, ``invoice``, ``credit``, ``return``; a list of steps where one needs several. The
body of the last step's answer may name what a later act is about: ``{invoice}`` is the id the
``invoice`` act was answered with.
"""

from __future__ import annotations

import importlib
import json
from datetime import timedelta
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.manifest import Manifest
from fizzbridge.observability import Metrics
from fizzbridge.runtime.batch import Message
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.pull import PullAdapter
from fizzbridge.runtime.puller import Puller
from fizzbridge.runtime.wiring import Ports
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from tests.kit.house import order_ref
from tests.kit.target import TargetHouse

ROLES = ("order.processing", "shipment", "invoice", "return")


class _Endless:
    """A lease nobody takes away."""

    def left(self, _: Any) -> timedelta:
        return timedelta(hours=1)


class Holder(TargetHouse):
    """A house whose target is read back."""

    def __init__(self, platform: str, manifest: Manifest) -> None:
        super().__init__(platform, ROLES)
        self.streams = [stream.name for stream in manifest.streams]
        module = importlib.import_module(f"platforms.{platform}.pull")
        (kind,) = (
            found
            for found in vars(module).values()
            if isinstance(found, type)
            and issubclass(found, PullAdapter)
            and found.__module__ == module.__name__
        )
        settings = FunctionSettings(
            stage="test",
            table="t",
            bucket="b",
            bus="b",
            connection="erp",
            pull_queue="pull",
            dlq="dlq",
            api_secret="api",
        )
        secrets = SecretStore({"api": json.dumps(self.secret)}.__getitem__, self.clock)
        ports = Ports(settings, self.bridge, self.rows, self.objects, self.queue, secrets)
        self.reader = kind()
        metrics = Metrics(lambda _: None)
        self.puller = Puller(self.reader, None, ports, metrics, self.clock, self._client)
        self.sandbox.clock = self.clock

    def _client(self, _: Any) -> VendorClient:
        with self._capacity(_Endless()) as vendor:
            return vendor

    def does(self, name: str) -> None:
        """Somebody at the ERP does one of the facts' acts with the order; time goes by."""
        steps = self.facts["acts"][name]
        for step in steps if isinstance(steps[0], list) else [steps]:
            self.act(name, step)
        self.clock.advance(300)

    def poll(self) -> None:
        """Read every stream, and work off what came of it."""
        for stream in self.streams:
            self._work({"type": "poll", "stream": stream})
        while waiting := self.queue.take("pull"):
            for message in waiting:
                self._work(json.loads(message.body))
        assert not self.queue.take("dlq")
        self.settle()

    def _work(self, body: dict[str, Any]) -> None:
        """One message; it comes again while the connection's own limit is used up."""
        while again := self.puller.work(Message("m", body, 1)):
            assert again.after is not None, body
            self.clock.advance(again.after.total_seconds())

    @property
    def view(self) -> Any:
        """The order as it stands."""
        return Loader(self.rows, self.objects).view(order_ref())
