"""The whole runtime in one process: memory ports, a virtual clock, a target that is a dictionary.

Every change of the table goes through ``facts`` to the workers' queues, as it does through the
stream and the bus. A run can be killed before or after any call it makes, and messages can be
duplicated, lost and shuffled; what must be true afterwards is asked of the target itself.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fizzbridge.errors import (
    AmbiguousMatchError,
    DeletedAtTargetError,
    FizzbridgeError,
    OutcomeUnknownError,
)
from fizzbridge.http.classify import ErrorRules
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import CatalogueItem, ListPrice
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.order import DocumentLine, LineType, OrderRequest, Totals
from fizzbridge.model.party import Address, Contact
from fizzbridge.model.scheme import Scheme
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Seen
from fizzbridge.queues import MemoryQueue
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import Assessor
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.facts import facts
from fizzbridge.runtime.links import Outcome
from fizzbridge.runtime.observe import Circumstances, Merge, Observer
from fizzbridge.runtime.sweep import QueueNames, Sweeper
from fizzbridge.runtime.target import Situation, TargetAdapter, TargetEntity
from fizzbridge.runtime.view import View
from fizzbridge.settings import Bridge
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.state.table import Write
from fizzbridge.switches import MemorySwitches
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Catalogue
from tests.kit.clock import Clock

START = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = Timestamp("second")

ITEMS = [
    CatalogueItem(
        sku="COLA330",
        name="Cola 330 ml can",
        units_per_case=24,
        cases_per_layer=9,
        layers_per_pallet=12,
        case_sku="COLA330-CASE",
        pallet_sku="COLA330-PALLET",
    ),
    CatalogueItem(sku="LEMON1L", name="Lemon 1 l bottle", units_per_case=6),
]


class KilledError(BaseException):
    """The process is gone: nothing of ours may catch this."""


class Steps:
    """Counts the calls a run makes, and kills it at one of them."""

    def __init__(self) -> None:
        self.taken = 0
        self.kill_at: int | None = None

    def step(self) -> None:
        self.taken += 1
        if self.taken == self.kill_at:
            raise KilledError


class SteppingTable:
    """A table whose every call is two steps: the process may die before it and after it."""

    def __init__(self, table: MemoryTable, steps: Steps) -> None:
        self._table = table
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._table, name)

        def stepping(*args: Any, **kwargs: Any) -> Any:
            self._steps.step()
            answer = method(*args, **kwargs)
            self._steps.step()
            return answer

        return stepping


class Wanted(Frozen):
    """What the dictionary target should hold of an entity."""

    name: str
    lines: tuple[str, ...] = ()
    customer: str = ""


@dataclass
class Held:
    """An object at the target."""

    reference: str
    payload: Wanted | None = None
    is_cancelled: bool = False
    visible_at: datetime | None = None


@dataclass
class Shelf(TargetEntity):
    """One kind of object at the target: creates are blind, searches may lag."""

    clock: Clock
    steps: Steps
    kind: Kind
    objects: dict[str, Held] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    script: deque[Any] = field(default_factory=deque)
    """What the next creates do: an error to raise before committing, or 'commit_then_unknown', or
    a number of seconds after which an unanswered create commits."""
    refuse: FizzbridgeError | None = None

    def requires(self, view: View) -> Sequence[EntityRef]:
        return [view.request.customer] if view.request else []

    def desired(self, view: View, situation: Situation) -> Wanted:
        if self.refuse:
            raise self.refuse
        if view.request:
            lines = tuple(f"{line.sku} {line.quantity}" for line in view.request.lines)
            customer = situation.external_ids[view.request.customer]
            return Wanted(name=view.request.number, lines=lines, customer=customer)
        customer = view.body(Part.RECORD, Customer)
        return Wanted(name=customer.contact.name if customer else "")

    def find(self, vendor: Any, reference: str, payload: Any) -> str | None:
        self.steps.step()
        self.counts["find"] += 1
        found = [
            external_id
            for external_id, held in self.objects.items()
            if held.reference == reference
            and (held.visible_at is None or held.visible_at <= self.clock())
        ]
        if len(found) > 1:
            raise AmbiguousMatchError(f"{len(found)} objects carry {reference}")
        self.steps.step()
        return found[0] if found else None

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        self.steps.step()
        how = self.script.popleft() if self.script else None
        if isinstance(how, Exception):
            raise how
        external_id = f"{self.kind}-{len(self.objects) + 1}"
        self.objects[external_id] = Held(reference)
        self.counts["create"] += 1
        if isinstance(how, int):
            self.objects[external_id].visible_at = self.clock() + timedelta(seconds=how)
        if how is not None:
            raise OutcomeUnknownError("no answer")
        self.steps.step()
        return external_id

    def update(self, vendor: Any, external_id: str, payload: Any) -> None:
        self.steps.step()
        if external_id not in self.objects:
            raise DeletedAtTargetError(f"{external_id} is gone")
        self.counts["update"] += 1
        self.objects[external_id].payload = payload
        self.steps.step()

    def cancel(self, vendor: Any, external_id: str) -> None:
        self.steps.step()
        self.counts["cancel"] += 1
        self.objects[external_id].is_cancelled = True
        self.steps.step()

    def of(self, reference: str) -> list[Held]:
        return [held for held in self.objects.values() if held.reference == reference]


def dictionary(shelves: Mapping[Kind, TargetEntity]) -> TargetAdapter:
    """A target that holds these kinds."""

    class Dictionary(TargetAdapter):
        platform = "memory"
        errors = ErrorRules(())
        entities = shelves
        search_lag = timedelta(seconds=5)
        longest_transaction = timedelta(seconds=60)

        def auth(self, secret: Any, connection: Any) -> Any:
            return None

    return Dictionary()


BRIDGE = {
    "company": {"name": "B", "country": "GB", "currency": "GBP", "time_zone": "Europe/London"},
    "connections": [
        {
            "name": "shop",
            "platform": "memory",
            "base_url": "https://shop.example",
            "start_at": START,
            "roles": ["order.request", "payment", "refund", "customer"],
        },
        {
            "name": "erp",
            "platform": "memory",
            "base_url": "https://erp.example",
            "start_at": START,
            "roles": ["order.processing"],
        },
    ],
    "routes": [{"kinds": ["Order"], "from": ["shop"], "to": ["erp"]}],
}


class House:
    """One bridge, whole, in memory."""

    def __init__(
        self,
        *,
        items: Sequence[CatalogueItem] = (),
        schemes: Sequence[Scheme] = (),
        prices: Sequence[ListPrice] = (),
        clock: Any = None,
        **bridge: Any,
    ) -> None:
        self.clock = clock or Clock()
        self.steps = Steps()
        self.bridge = Bridge.model_validate(BRIDGE | bridge)
        self.events: list[tuple[str, Any]] = []
        self.messages: deque[tuple[str, EntityRef | Any]] = deque()
        self.rows = MemoryTable(on_change=self._announce)
        self.table: Any = SteppingTable(self.rows, self.steps)
        self.objects = MemoryObjects()
        self.observer = Observer(self.rows, self.objects, self.bridge, self.clock)
        self.rules = Rules(self.bridge, Catalogue(items or ITEMS), tuple(schemes), tuple(prices))
        self.assessor = Assessor(self.table, self.objects, self.rules, self.clock)
        self.orders = Shelf(self.clock, self.steps, Kind.ORDER)
        self.customers = Shelf(self.clock, self.steps, Kind.CUSTOMER)
        self.serve({shelf.kind: shelf for shelf in (self.orders, self.customers)})
        self.queue = MemoryQueue()
        names = QueueNames("test", lambda name: name, "assess")
        self.switches = MemorySwitches(
            names.function(one, role) for one in ("shop", "erp") for role in ("pull", "target")
        )
        self.sweeper = Sweeper(
            self.rows,
            self.queue,
            names,
            ["shop", "erp"],
            timedelta(seconds=300),
            self.clock,
            self.switches,
            per_minute={one.name: one.calls.per_minute for one in self.bridge.connections},
        )
        self.outcomes: list[Outcome] = []
        self._holder = 0

    def serve(self, shelves: dict[Kind, TargetEntity]) -> None:
        """Let the target hold these kinds."""
        self.converge = Converge(
            dictionary(shelves),
            self.bridge.connection("erp"),
            self.bridge,
            self.table,
            self.objects,
            self._capacity,
            self.clock,
        )

    @contextmanager
    def _capacity(self, lease: Any) -> Iterator[Any]:
        yield None

    def _announce(self, before: Any, after: Any) -> None:
        for detail_type, event in facts(before, after, self.objects):
            self.events.append((detail_type, event))
            if detail_type in {"EntityObserved", "CauseChanged"}:
                self.messages.append(("assess", event))
            elif "erp" in event.targets:
                self.messages.append(("erp", event))

    # -- what the world does -----------------------------------------------------------------

    def observe(
        self,
        seen: Seen,
        *,
        observed_at: datetime | None = None,
        is_authoritative: bool = False,
        can_fetch: bool = True,
    ) -> Merge:
        how = Circumstances(observed_at or self.clock(), is_authoritative, can_fetch)
        return self.observer.observe("shop", seen, SECOND, how)

    def place(self, number: int = 1, **changes: Any) -> EntityRef:
        """The shop tells of an order, with its customer."""
        request = order_request(number, **changes)
        self.observe(seen_customer(number))
        self.observe(Seen(order_ref(number), request, request.changed_at, Part.REQUEST))
        return order_ref(number)

    # -- what the house does -----------------------------------------------------------------

    def handle(self, to: str, event: Any) -> None:
        self._holder += 1
        holder = f"run-{self._holder}"
        if to == "assess" and hasattr(event, "cause"):
            self.assessor.release_holds(event.cause, event.event_id, holder)
            return
        entity = EntityRef(kind=event.kind, key=event.key)
        if to == "assess":
            self.assessor.run(entity, holder)
            return
        outcome = self.converge.run(entity, holder)
        self.outcomes.append(outcome)
        if outcome.kind == "retry":
            wait = outcome.after or timedelta(seconds=10)
            self.clock.advance(wait.total_seconds() + 1)
            self.messages.append((to, event))

    def drain(self, limit: int = 500) -> None:
        """Work until no message is left; a killed worker's message comes back after its lease."""
        while self.messages:
            limit -= 1
            assert limit, "the messages never end"
            to, event = self.messages.popleft()
            try:
                self.handle(to, event)
            except KilledError:
                self.clock.advance(self.bridge.timing.lease + 1)
                self.messages.append((to, event))

    def sweep(self) -> int:
        """Let the time pass that makes hints due, send them, and work them off."""
        self.clock.advance(301)
        sent = self.sweeper.run()
        for message in self.queue.sent():
            self.queue.take(message.url)
            detail = __import__("json").loads(message.body)["detail"]
            hint = EntityRef(kind=Kind(detail["kind"]), key=detail["key"])
            to = "assess" if message.url == "assess" else message.url.split("-")[2]
            self.messages.append((to, hint))
        self.drain()
        return sent

    def settle(self, rounds: int = 6) -> None:
        """Drain and sweep until nothing is behind."""
        self.drain()
        for _ in range(rounds):
            if not self.sweep():
                return

    def redrive(self, entity: EntityRef) -> None:
        """What a person does who has mended what parked an entity."""
        again = {"status": "behind", "attempts": 0, "behind_shard": rows.shard(entity, "erp")}
        since = {"behind_since": to_text(self.clock())}
        self.rows.write(Write(str(entity), "LINK#erp", set=again, set_if_absent=since))

    def link(self, entity: EntityRef, name: str = "erp") -> dict[str, Any]:
        return self.rows.get(str(entity), f"LINK#{name}") or {}

    def announced(self) -> list[str]:
        return [str(detail_type) for detail_type, _ in self.events]


def order_ref(number: int = 1) -> EntityRef:
    return ref(Kind.ORDER, "shop", number)


def customer_ref(number: int = 1) -> EntityRef:
    return ref(Kind.CUSTOMER, "shop", f"c{number}")


def seen_customer(number: int = 1) -> Seen:
    body = Customer(contact=Contact(name=f"Ada {number}"))
    return Seen(customer_ref(number), body, None)


def line(sku: str | None = "COLA330", quantity: int = 2, **changes: Any) -> DocumentLine:
    return DocumentLine(
        **{
            "id": f"l-{sku}",
            "type": LineType.GOODS,
            "sku": sku,
            "quantity": quantity,
            "quantity_ordered": quantity,
            "unit_price": Decimal("1.00"),
            "amount": Decimal(quantity),
            "tax": Decimal("0.20") * quantity,
        }
        | changes
    )


def order_request(
    number: int = 1,
    *,
    lines: Sequence[DocumentLine] | None = None,
    second: int = 0,
    **changes: Any,
) -> OrderRequest:
    """A small order as the shop has it; ``second`` is when it was last changed."""
    found = tuple(lines if lines is not None else [line()])
    net = sum((one.amount for one in found), Decimal(0))
    tax = sum((one.tax for one in found), Decimal(0))
    changed_at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC) + timedelta(seconds=second)
    return OrderRequest(
        **{
            "number": f"#{number}",
            "currency": "GBP",
            "tax_included": False,
            "lines": found,
            "totals": Totals(net=net, tax=tax, gross=net + tax),
            "placed_at": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
            "changed_at": changed_at,
            "shop_currency": "GBP",
            "presentment_currency": "GBP",
            "presentment_gross": net + tax,
            "customer": customer_ref(number),
            "ship_to": Address(country="GB"),
        }
        | changes
    )
