"""A target connection in one process: the whole house, with a platform's sandbox as its target."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.model.order import TaxShare
from fizzbridge.model.party import Address, Contact
from fizzbridge.observability import Metrics
from fizzbridge.observation import Seen
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.health import Health
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.worker import Worker
from sandbox.faults import Fault
from tests.kit.house import (
    BRIDGE,
    House,
    customer_ref,
    line,
    order_ref,
    order_request,
)
from tests.kit.transport import SandboxTransport

EVENTS = Path(__file__).parents[2] / "events"
DOCK = Address(
    name="Ada Lovelace",
    street="12 Canary Wharf",
    city="Leeds",
    postal_code="LS1",
    phone="+44 113 496 0000",
    country="GB",
)
ADA = Customer(
    contact=Contact(name="Ada Lovelace", email="ada@canary.example", phone="+44 113 496 0000"),
    addresses=(DOCK,),
)
PERSONAL = ("Lovelace", "Canary Wharf", "LS1", "ada@canary.example", "496 0000", "two dogs")


def adapter(platform: str) -> TargetAdapter:
    """The platform's adapter: the one class of its kind in its ``target.py``."""
    module = importlib.import_module(f"platforms.{platform}.target")
    (found,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, TargetAdapter) and kind is not TargetAdapter
    )
    return found()


class TargetHouse(House):
    """The house; ``events/<platform>/target.json`` says what its target sells."""

    def __init__(self, platform: str) -> None:
        self.facts = json.loads((EVENTS / platform / "target.json").read_text())
        self.adapter = adapter(platform)
        shop, erp = BRIDGE["connections"]
        target = {"platform": platform} | {
            name: self.facts[name] for name in ("base_url", "settings")
        }
        super().__init__(connections=[shop, erp | target])
        make = importlib.import_module(f"platforms.{platform}.sandbox").make
        self.sandbox = make(self.facts["seed"])
        self.transport = SandboxTransport(self.sandbox.app)
        self.connection = self.bridge.connection("erp")
        self.secret = dict(self.facts["secret"])
        self.converge = Converge(
            self.adapter,
            self.connection,
            self.bridge,
            self.table,
            self.objects,
            self._capacity,
            self.clock,
        )
        self.worker = Worker(
            self.adapter,
            self.connection,
            self.converge,
            Health(self.table, "erp", self.clock),
            lambda *_: None,
            Metrics(lambda _: None),
        )

    @contextmanager
    def _capacity(self, lease: Any) -> Iterator[VendorClient]:
        yield VendorClient(
            platform=self.adapter.platform,
            base_url=self.connection.base_url,
            auth=self.adapter.auth(self.secret, self.connection),
            errors=self.adapter.errors,
            timeout=timedelta(seconds=self.bridge.timing.call_timeout),
            transport=self.transport,
            deadline=lambda: lease.left(self.clock()),
        )

    def order(
        self, *, sku: str = "COLA330-CASE", cases: int = 2, second: int = 0, **changes: Any
    ) -> EntityRef:
        """The shop tells of an order, or of a change of it."""
        share = TaxShare(title="VAT", rate="0.2", amount=cases * 2)
        sold = line(sku, cases, amount=cases * 10, tax=cases * 2, taxes=(share,), title="Cola")
        details = {"ship_to": DOCK, "note": "two dogs", "po_number": "PO 7"} | changes
        request = order_request(lines=[sold], second=second, **details)
        self.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
        return order_ref()

    def customer(self) -> None:
        """The shop tells of the customer."""
        self.observe(Seen(customer_ref(), ADA, None))

    def fault(self, kind: str, where: str = "", **more: Any) -> Fault:
        """Arm a fault of the sandbox: on its next call, or on the one the facts name."""
        fault = Fault(kind, **(self.facts[where] if where else {}), **more)
        self.sandbox.faults.arm(fault)
        return fault

    def work(self, entity: EntityRef) -> Again | None:
        """One message of the target's queue."""
        detail = {"kind": entity.kind, "key": entity.key, "event_id": "e", "correlation_id": "c"}
        return self.worker.work(Message("m", {"detail": detail}, 1))

    def assess(self) -> None:
        """Work off what waits for assess; the target's messages stay."""
        waiting = [message for message in self.messages if message[0] == "assess"]
        self.messages = type(self.messages)(m for m in self.messages if m[0] != "assess")
        for to, event in waiting:
            self.handle(to, event)

    def committed(self, what: str) -> int:
        """How often the sandbox has done something, by the facts' name for it."""
        done: Counter[str] = self.sandbox.accepted
        return done[self.facts[what]]

    def sent(self) -> list[httpx.Request]:
        """The requests made so far."""
        return self.transport.requests
