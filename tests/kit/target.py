"""A target connection in one process: the whole house, with a platform's sandbox as its target."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.http.auth import client_credentials
from fizzbridge.http.client import VendorClient
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Payment, Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.order import TaxShare
from fizzbridge.model.party import Address, Contact
from fizzbridge.observability import Metrics
from fizzbridge.observation import Seen
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.breaker import Breaker
from fizzbridge.runtime.calls import reading
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.tokens import RotatingToken
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


def facts(platform: str) -> Any:
    """What ``events/<platform>/target.json`` says of a target; nothing where it says nothing.

    ``told`` is why it keeps no objects that could be found, mapped or deleted: it is told of ours.
    """
    file = EVENTS / platform / "target.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


class TargetHouse(House):
    """The house; ``events/<platform>/target.json`` says what its target sells.

    Args:
        platform: the target's.
        roles: what the target owns.
        owned: what the shop owns beside orders, money and customers.
    """

    def __init__(
        self,
        platform: str,
        roles: Sequence[str] = ("order.processing",),
        owned: Sequence[str] = (),
    ) -> None:
        self.facts = facts(platform)
        self.adapter = adapter(platform)
        shop, erp = BRIDGE["connections"]
        shop = shop | {"roles": [*shop["roles"], *owned]}
        target = {"platform": platform, "roles": roles} | {
            name: self.facts[name] for name in ("base_url", "settings")
        }
        kinds = [str(kind) for kind in self.adapter.entities if kind is not Kind.CUSTOMER]
        route = {"kinds": kinds, "from": ["shop"], "to": ["erp"]}
        client_credentials.cache_clear()  # tokens of another test's sandbox
        super().__init__(connections=[shop, erp | target], routes=[route])
        make = importlib.import_module(f"platforms.{platform}.sandbox").make
        self.sandbox = make(self.facts["seed"])
        self.transport = SandboxTransport(self.sandbox.app)
        self.connection = self.bridge.connection("erp")
        self.secret = dict(self.facts["secret"])
        self.known: dict[str, str] = {}
        self.converge = Converge(
            self.adapter,
            self.connection,
            self.bridge,
            self.table,
            self.objects,
            self._capacity,
            self.clock,
        )
        self.breaker = Breaker(self.table, "erp", self.clock)
        self.worker = Worker(
            self.adapter,
            self.connection,
            self.converge,
            self.breaker,
            lambda *_: None,
            Metrics(lambda _: None),
        )

    @contextmanager
    def _capacity(self, lease: Any) -> Iterator[VendorClient]:
        auth = self.adapter.auth(self.secret, self.connection)
        if isinstance(auth, RotatingToken):
            auth.share(self.rows, "erp", self.clock)
        if hasattr(auth, "clock") and self.sandbox.clock is self.clock:
            auth.clock = self.clock  # its signatures carry the time
        vendor = VendorClient(
            platform=self.adapter.platform,
            base_url=self.connection.base_url,
            auth=auth,
            errors=self.adapter.errors,
            timeout=timedelta(seconds=self.bridge.timing.call_timeout),
            transport=self.transport,
            deadline=lambda: lease.left(self.clock()),
            secrets=list(self.secret.values()),
        )
        vendor.heard = self.breaker.heard
        with reading(vendor):
            yield vendor

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

    def pay(self, cases: int = 2, second: int = 0) -> EntityRef:
        """The shop tells that the order was paid."""
        payment = ref(Kind.PAYMENT, "shop", "p1")
        body = Payment(
            order=order_ref(),
            amount=Decimal(cases * 12),
            currency="GBP",
            gateway="card",
            at=self.clock(),
            status=SettlementStatus.SETTLED,
        )
        changed = self.clock() + timedelta(seconds=second)
        self.observe(Seen(payment, body, changed, parent=order_ref()))
        return payment

    def refund(self, cases: int = 1) -> EntityRef:
        """The shop tells of money given back for some of the cases; its order stays as it was."""
        refund = ref(Kind.REFUND, "shop", "r1")
        back = RefundedLine(
            order_line_id="l-COLA330-CASE",
            quantity=cases,
            amount=Decimal(cases * 10),
            tax=Decimal(cases * 2),
            is_restocked=True,
        )
        body = Refund(
            order=order_ref(),
            amount=Decimal(cases * 12),
            currency="GBP",
            at=self.clock(),
            status=SettlementStatus.SETTLED,
            lines=(back,),
        )
        self.observe(Seen(refund, body, self.clock(), parent=order_ref()))
        return refund

    def act(self, name: str, step: Sequence[Any]) -> None:
        """Somebody at the target does something: a path below ``/_sandbox/`` and a body.

        ``{id}`` in the path is the order's id there, ``{name}`` that of what an earlier act made.
        """
        path, body = step
        held = self.link(order_ref())["external_id"].rpartition(":")[2]
        root = httpx.URL(self.connection.base_url).copy_with(path="/_sandbox/")
        url = root.join(path.format(id=held, **self.known))
        answer = self.transport.handle_request(httpx.Request("POST", url, json=body))
        assert answer.is_success, answer.text
        if answer.content:
            self.known[name] = str(answer.json().get("id", ""))

    def made(self, kind: Kind) -> int:
        """How many objects of a document's kind were made, by the facts' names for them."""
        done: Counter[str] = self.sandbox.accepted
        return sum(done[name] for name in self.facts["documents"][str(kind)])

    def fault(self, kind: str, where: str = "", **more: Any) -> Fault:
        """Arm a fault of the sandbox: on its next call, or on the one the facts name."""
        fault = Fault(kind, **(self.facts[where] if where else {}), **more)
        self.sandbox.faults.arm(fault)
        return fault

    def while_creating(self, what: Callable[[], None]) -> None:
        """Have something happen while the next create is on its way."""
        self.transport.meanwhile.append((Fault("delay", **self.facts["create"]), what))

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
        """How often the sandbox has done something, by the facts' name or names for it."""
        done: Counter[str] = self.sandbox.accepted
        names = self.facts[what]
        return sum(done[name] for name in ([names] if isinstance(names, str) else names))

    def sent(self) -> list[httpx.Request]:
        """The requests made so far."""
        return self.transport.requests
