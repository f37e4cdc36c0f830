"""Several shops with a target each on one bridge, by a virtual clock: how long each order takes.

What the connections share is shared here too: the table, its stream, and the assess queue with its
workers. A queue gives its oldest message to the next worker that is free; what a message costs is
said below, so a wait is made of messages ahead and of nothing else.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.party import Contact
from fizzbridge.observation import Seen
from fizzbridge.runtime.assess import Assessor
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.facts import facts
from fizzbridge.runtime.observe import Circumstances, Observer
from fizzbridge.settings import Bridge
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Catalogue
from infra.stage import Stage
from tests.kit.clock import Clock
from tests.kit.house import (
    BRIDGE,
    ITEMS,
    SECOND,
    START,
    Shelf,
    Steps,
    dictionary,
    order_request,
)

ASSESS_S = 0.1
"""What an assessment takes, a little more than on AWS."""

CONVERGE_S = 1.0
"""What an order takes at its target: a handful of calls."""

TARGET_WORKERS = 2
"""Functions of a target connection that run at once, as of a connection's ``calls`` by default."""


class Town:
    """So many shops, each with a target of its own.

    Attributes:
        took: by shop, the seconds each of its orders took to be booked.
    """

    def __init__(self, count: int) -> None:
        self.names = [f"shop-{number}" for number in range(count)]
        shop, erp = BRIDGE["connections"]
        pairs = [(name, name.replace("shop", "erp")) for name in self.names]
        self.bridge = Bridge.model_validate(
            BRIDGE
            | {
                "connections": [
                    one
                    for name, target in pairs
                    for one in (shop | {"name": name}, erp | {"name": target, "roles": []})
                ],
                "routes": [
                    {"kinds": ["Order"], "from": [name], "to": [target]} for name, target in pairs
                ],
            }
        )
        self.clock = Clock(START + timedelta(days=19))
        self.rows = MemoryTable(on_change=self._announce)
        self.objects = MemoryObjects()
        self.observer = Observer(self.rows, self.objects, self.bridge, self.clock)
        rules = Rules(self.bridge, Catalogue(ITEMS), (), ())
        self.assessor = Assessor(self.rows, self.objects, rules, self.clock)
        self.targets = {target: self._target(target) for _, target in pairs}
        self.took: dict[str, list[float]] = defaultdict(list)
        self._begun: dict[EntityRef, float] = {}
        self._queues: dict[str, deque[EntityRef]] = defaultdict(deque)
        self._workers = defaultdict(lambda: TARGET_WORKERS, {"assess": Stage.service_workers})
        self._agenda: list[tuple[float, int, str, Any]] = []
        self._count = itertools.count()
        self._now = 0.0

    def _target(self, name: str) -> Converge:
        shelves = {kind: Shelf(self.clock, Steps(), kind) for kind in (Kind.ORDER, Kind.CUSTOMER)}
        return Converge(
            dictionary(shelves),
            self.bridge.connection(name),
            self.bridge,
            self.rows,
            self.objects,
            self._capacity,
            self.clock,
        )

    @contextmanager
    def _capacity(self, lease: Any) -> Iterator[Any]:
        yield None

    def _announce(self, before: Any, after: Any) -> None:
        for detail_type, event in facts(before, after, self.objects):
            if detail_type == "EntityObserved":
                self._send("assess", EntityRef(kind=event.kind, key=event.key))
            for target in event.targets:
                if detail_type.startswith("Order") and target in self.targets:
                    self._send(target, EntityRef(kind=event.kind, key=event.key))

    # -- time ----------------------------------------------------------------------------------

    def order(self, at: float, shop: str, number: int) -> None:
        """A shop will tell of an order then."""
        self._plan(at, "order", (shop, number))

    def run(self) -> None:
        """Let everything happen, until nothing is left."""
        while self._agenda:
            at, _, what, about = heapq.heappop(self._agenda)
            self.clock.advance(max(at - self._now, 0))
            self._now = at
            if what == "order":
                self._placed(*about)
            else:
                self._done(what, about)

    def _plan(self, at: float, what: str, about: Any) -> None:
        heapq.heappush(self._agenda, (at, next(self._count), what, about))

    def _placed(self, shop: str, number: int) -> None:
        customer, order = ref(Kind.CUSTOMER, shop, number), ref(Kind.ORDER, shop, number)
        self._begun[order] = self._now
        buyer = Seen(customer, Customer(contact=Contact(name="Ada")), None)
        request = order_request(number, customer=customer)
        asked = Seen(order, request, request.changed_at, Part.REQUEST)
        for seen in (buyer, asked):
            how = Circumstances(self.clock(), is_authoritative=False)
            self.observer.observe(shop, seen, SECOND, how)

    def _send(self, queue: str, entity: EntityRef) -> None:
        self._queues[queue].append(entity)
        self._take(queue)

    def _take(self, queue: str) -> None:
        """Free workers take what has waited longest."""
        while self._workers[queue] and self._queues[queue]:
            self._workers[queue] -= 1
            entity = self._queues[queue].popleft()
            cost = ASSESS_S if queue == "assess" else CONVERGE_S
            self._plan(self._now + cost, queue, entity)

    def _done(self, queue: str, entity: EntityRef) -> None:
        holder = f"run-{next(self._count)}"
        if queue == "assess":
            self.assessor.run(entity, holder)
        else:
            outcome = self.targets[queue].run(entity, holder)
            begun = self._begun.pop(entity, None)
            assert outcome.kind == "done" or begun is None, outcome
            if begun is not None:
                self.took[entity.connection].append(self._now - begun)
        self._workers[queue] += 1
        self._take(queue)


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
