"""A schedule: what the world does to one bridge, step by step, and what must be true at its end.

A step is a name and plain values, so a schedule can be printed, kept and played again. Two orders
of one customer go from a shop to a target; nothing happens by itself: a step says which message is
worked off, which run is interrupted where, and what is told.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cli.recreate import recreate
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.events import CauseChanged
from fizzbridge.model.order import OrderRequest
from fizzbridge.model.party import Address, Contact
from fizzbridge.observation import Seen
from fizzbridge.queues import MemoryQueue
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import Assessor
from fizzbridge.runtime.facts import facts
from fizzbridge.runtime.links import REAL_ATTEMPTS
from fizzbridge.runtime.observe import Circumstances, Merge, Observer
from fizzbridge.runtime.sweep import QueueNames, Sweeper
from fizzbridge.state.table import Row, TableUnavailableError
from tests.kit.clock import START
from tests.kit.crash_points import NAMED
from tests.kit.house import (
    BRIDGE,
    SECOND,
    House,
    KilledError,
    Shelf,
    Wanted,
    customer_ref,
    line,
    order_ref,
    order_request,
)
from tests.kit.interrupts import (
    LONGEST_TRANSACTION_S,
    Fault,
    InterruptedEntity,
    InterruptedTable,
    Interrupts,
    Trap,
)
from tests.kit.twin import SEED, Twin, Word

NUMBERS = (1, 2)
ORDERS = tuple(map(order_ref, NUMBERS))
CUSTOMER = customer_ref(1)
ROUTES = [{"kinds": ["Order"], "from": ["shop"], "to": ["erp"], "where": {"ship_country": ["GB"]}}]
LONGEST = {"settings": {"longest_transaction_s": LONGEST_TRANSACTION_S}}
CONNECTIONS = [one | (LONGEST if one["name"] == "erp" else {}) for one in BRIDGE["connections"]]
ROUNDS = 8
MOST_UNITS = 2_000
"""Of work in one settling; more of it means that something goes round and round."""


@dataclass(frozen=True)
class Goods:
    """An order as the shop has it."""

    quantity: int = 1
    country: str = "GB"
    is_cancelled: bool = False


@dataclass(frozen=True)
class Delivery:
    """What the shop said at a time; an order comes with its customer's name."""

    ref: EntityRef
    second: int
    content: Any
    name: str = ""


@dataclass(frozen=True)
class Message:
    """A message in a queue, with when it may be received."""

    to: str
    ref: EntityRef
    event: Any = None
    is_hint: bool = False
    due: datetime = START


@dataclass
class _Sqs:
    """Where the command line's hints go."""

    schedule: Schedule

    def send_message(self, **message: str) -> None:
        self.schedule.hint("erp", message["MessageBody"])


@dataclass
class _Stack:
    """What ``fizzbridge recreate`` knows of a stack."""

    table: Any
    sqs: _Sqs

    def target(self, name: str) -> dict[str, str]:
        return {"DocumentsQueueUrl": name}

    def caller(self) -> str:
        return "a person"


class _SendingQueue(MemoryQueue):
    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def send(self, url: str, body: str, delay: int = 0, attributes: Any = None) -> None:
        self._schedule.interrupts.at("send", "before")
        self._schedule.hint("assess" if url == "assess" else "erp", body)
        self._schedule.interrupts.at("send", "after")


class Schedule(House):
    """A house that plays steps, beside its twin."""

    def __init__(self, *, can_fetch: bool = True) -> None:
        super().__init__(routes=ROUTES, connections=CONNECTIONS)
        self.can_fetch = can_fetch
        self.steps_played: list[tuple[Any, ...]] = []
        self.interrupts = Interrupts()
        self.counts: Counter[str] = self.interrupts.counts
        self.twin = Twin(can_fetch=can_fetch)
        self.truth: dict[EntityRef, Delivery] = {CUSTOMER: Delivery(CUSTOMER, 0, "Ada")}
        self.sent: list[Delivery] = []
        self.late: deque[Delivery] = deque()
        self.unheard: list[tuple[Delivery, datetime]] = []
        self.stream: deque[tuple[Row | None, Row | None]] = deque()
        self.waiting: list[Message] = []
        self.put: list[Message] = []
        self.deleted: set[EntityRef] = set()
        self._wire()

    def _wire(self) -> None:
        """Have every run reach the world through the interrupts."""
        table: Any = InterruptedTable(self.rows, self.interrupts)
        self.table = table
        self.observer = Observer(table, self.objects, self.bridge, self.clock)
        self.assessor = Assessor(table, self.objects, self.rules, self.clock)
        names = QueueNames("test", lambda name: name, "assess")
        after = timedelta(seconds=300)
        self.sweeper = Sweeper(
            table, _SendingQueue(self), names, ["shop", "erp"], after, self.clock, self.switches
        )
        timeout = timedelta(seconds=self.bridge.timing.call_timeout)
        self.reached = {
            shelf.kind: InterruptedEntity(shelf, self.rows, self.interrupts, self.clock, timeout)
            for shelf in (self.orders, self.customers)
        }
        self.serve(dict(self.reached))
        self.stack: Any = _Stack(self.rows, _Sqs(self))

    @contextmanager
    def _capacity(self, lease: Any) -> Iterator[Any]:
        yield lease

    def _announce(self, before: Any, after: Any) -> None:
        self.stream.append((before, after))

    def play(self, *steps: tuple[Any, ...]) -> Schedule:
        """Play steps, each a name and its values."""
        for name, *values in steps:
            self.steps_played.append((name, *values))
            getattr(self, name)(*values)
            self.look()
        return self

    def as_test(self) -> str:
        """What was played, as a test to keep."""
        steps = [f"        {step!r}," for step in self.steps_played]
        how = [] if self.can_fetch else ["        can_fetch=False,"]
        return "\n".join(["def test_...():", "    replay(", *steps, *how, "    )"])

    # -- what the shop does ------------------------------------------------------------------

    def change(self, number: int, what: str, tie: bool = False, way: str = "now") -> None:
        """The shop changes an order, perhaps twice in one second, and tells of it in some way."""
        ref = order_ref(number)
        before = self.truth.get(ref)
        goods = before.content if before else Goods()
        if before and goods is None:
            return
        # Without a fetch nobody could ever say which of two words an end belongs to.
        ends = what in {"cancel", "delete"} and not self.can_fetch
        second = before.second + (not tie or ends) if before else 0
        if before:
            goods = {
                "quantity": replace(goods, quantity=goods.quantity + 1),
                "back": replace(goods, quantity=max(goods.quantity - 1, 1)),
                "cancel": replace(goods, is_cancelled=True),
                "abroad": replace(goods, country="FR"),
                "home": replace(goods, country="GB"),
                "delete": None,
            }[what]
        name = self.truth[CUSTOMER].content
        self._tell(Delivery(ref, second, goods, name), way)

    def rename(self, tie: bool = False, way: str = "now") -> None:
        """The customer of all orders gets another name."""
        before = self.truth[CUSTOMER]
        self._tell(Delivery(CUSTOMER, before.second + (not tie), before.content + "a"), way)

    def _tell(self, delivery: Delivery, way: str) -> None:
        self.truth[delivery.ref] = delivery
        if way == "lost":
            self.counts["loss"] += 1
            return
        self.sent.append(delivery)
        if way == "late":
            self.late.append(delivery)
            return
        self._deliver(delivery)
        if way == "twice":
            self.counts["duplicate"] += 1
            self._deliver(delivery)

    def deliver(self, which: int) -> None:
        """What was kept back arrives, in whatever order."""
        if self.late:
            self.counts["reorder"] += self.late[0] is not self.sent[-1]
            self.late.rotate(-(which % len(self.late)))
            self._deliver(self.late.popleft())

    def replay(self, which: int) -> None:
        """An old delivery is told again."""
        if self.sent:
            self.counts["replay"] += 1
            self._deliver(self.sent[which % len(self.sent)])

    def fetch(self, number: int) -> None:
        """The shop is asked for an order."""
        if self.can_fetch and order_ref(number) in self.truth:
            self.waiting.append(Message("pull", order_ref(number), due=self.clock()))

    def _deliver(self, delivery: Delivery, received: datetime | None = None) -> None:
        """A delivery comes in; the sender tries again, or we do, what was not acknowledged."""
        received = received or self.clock()
        try:
            with self.interrupts.run("observe"):
                self._observe(delivery, Circumstances(received, is_authoritative=False))
        except (KilledError, TableUnavailableError):
            self.unheard.append((delivery, received))

    def _observe(self, delivery: Delivery, how: Circumstances) -> None:
        how = replace(how, can_fetch=self.can_fetch)
        if delivery.name:
            self._merge(Delivery(CUSTOMER, SEED, delivery.name), how)
        if self._merge(delivery, how) is Merge.TIED:
            self.waiting.append(Message("pull", delivery.ref, due=self.clock()))

    def _merge(self, delivery: Delivery, how: Circumstances) -> Merge:
        seen, fingerprint = seen_of(delivery)
        merge = self.observer.observe("shop", seen, SECOND, how)
        read_at = {"read_at": how.observed_at} if how.is_authoritative else {}
        word = Word(delivery.second, delivery.content, fingerprint, **read_at)
        self.counts["tie"] += self.twin.is_tie(delivery.ref, word)
        self.twin.hear(delivery.ref, word)
        return merge

    def _pull(self, ref: EntityRef) -> None:
        """Ask the shop, and merge what it says: an authoritative read from its beginning on."""
        self.interrupts.at("read", "before")
        begun, read = self.clock(), self.truth[ref]
        self.interrupts.at("read", "after")
        with self.interrupts.run("observe"):
            self._observe(read, Circumstances(begun, is_authoritative=True))

    # -- what the workers do -----------------------------------------------------------------

    def work(self, count: int = 1) -> None:
        """So much of what waits is done: the stream first, then the message that is due first."""
        for _ in range(count):
            if not self._unit():
                return

    def _unit(self) -> bool:
        if self.unheard:
            self._deliver(*self.unheard.pop(0))
        elif self.stream:
            self._announce_all()
        elif self.waiting:
            now = self.clock()
            place = next((at for at, one in enumerate(self.waiting) if one.due <= now), None)
            if place is None:
                place = min(range(len(self.waiting)), key=lambda at: self.waiting[at].due)
                self.clock.advance((self.waiting[place].due - now).total_seconds() + 1)
            self._handle(self.waiting.pop(place))
        else:
            return False
        return True

    def _announce_all(self) -> None:
        """Announce what has changed; what was not put, or so it seems, comes again."""
        try:
            with self.interrupts.run("announce"):
                while self.stream:
                    change = self.stream[0]
                    if not self._announced(*change):
                        return
                    # Whoever came in between may have announced it already.
                    if self.stream and self.stream[0] is change:
                        self.stream.popleft()
        except KilledError:
            pass

    def _announced(self, before: Row | None, after: Row | None) -> bool:
        found = list(facts(before, after, self.objects))
        if not found:
            return True
        if self.interrupts.at("put", "before"):
            return False
        for detail_type, event in found:
            self._put(str(detail_type), event)
        return not self.interrupts.at("put", "after")

    def _put(self, detail_type: str, event: Any) -> None:
        if isinstance(event, CauseChanged):
            return
        ref = EntityRef(kind=event.kind, key=event.key)
        if detail_type == "EntityObserved":
            to = "assess"
        elif "erp" in event.targets:
            to = "erp"
        else:
            return
        message = Message(to, ref, event, due=self.clock())
        self.put.append(message)
        self.waiting.append(message)

    def hint(self, to: str, body: str) -> None:
        """The sweeper, or a person, has somebody look."""
        detail = json.loads(body)["detail"]
        ref = EntityRef(kind=Kind(detail["kind"]), key=detail["key"])
        self.waiting.append(Message(to, ref, is_hint=True, due=self.clock()))

    def _handle(self, message: Message) -> None:
        """One message; what fails comes back, except a hint, of which the sweeper sends more."""
        wait: timedelta | None = None
        name = {"pull": "pull", "assess": "assess", "erp": "converge"}[message.to]
        try:
            with self.interrupts.run(name, message.ref):
                wait = self._run(message)
        except KilledError:
            wait = timedelta(seconds=self.bridge.timing.lease + 1)
        except TableUnavailableError:
            wait = timedelta(seconds=2)
        if wait is not None and not message.is_hint:
            self.waiting.append(replace(message, due=self.clock() + wait))

    def _run(self, message: Message) -> timedelta | None:
        self._holder += 1
        holder = f"run-{self._holder}"
        if message.to == "pull":
            self._pull(message.ref)
        elif message.to == "assess":
            self.assessor.run(message.ref, holder)
        else:
            outcome = self.converge.run(message.ref, holder)
            if outcome.kind == "retry":
                return outcome.after if outcome.after is not None else timedelta(seconds=10)
        return None

    # -- what goes wrong ---------------------------------------------------------------------

    def interrupt(self, point: str, fault: str = "crash", skip: int = 0) -> None:
        """The run that comes by the point next, or so many later, meets a fault there."""
        self.interrupts.traps.append(Trap(NAMED[point], Fault(fault), skip))

    def overtake(self, point: str, news: bool = False, skip: int = 0) -> None:
        """A run stands still at a point until its lease is over and another has done its work."""
        trap = Trap(NAMED[point], Fault.OVERTAKEN, skip)

        def then() -> None:
            ref = self.interrupts.runs[-1].entity
            self.clock.advance(self.bridge.timing.lease + 1)
            if news and ref and ref.kind is Kind.ORDER:
                self.change(int(ref.external_id), "quantity")
            if ref:
                to = "assess" if trap.point.run == "assess" else "erp"
                self.waiting.append(Message(to, ref, is_hint=True, due=self.clock()))
            self.work(30)

        trap.then = then
        self.interrupts.traps.append(trap)

    def meanwhile(self, point: str, what: str, skip: int = 0) -> None:
        """While a run is at a point, something else happens, and others work."""
        trap = Trap(NAMED[point], Fault.MEANWHILE, skip)
        trap.then = lambda: self._meanwhile(what)
        self.interrupts.traps.append(trap)

    def _meanwhile(self, what: str) -> None:
        ref = self.interrupts.runs[-1].entity
        number = int(ref.external_id) if ref and ref.kind is Kind.ORDER else NUMBERS[0]
        happens: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "sweep": lambda: [self.wait(301), self.sweep_up()],
            "redrive": lambda: self.redrive_order(number),
            "discard": lambda: self.discard(number),
            "rename": lambda: self.rename(),
        }
        happens.get(what, lambda: self.change(number, what))()
        self.work(12)

    def lose(self, which: int) -> None:
        """A hint is lost on its way. The pull queue's are ours, and not sent over a bus."""
        found = [one for one in self.waiting if one.to != "pull"]
        if found:
            self.counts["loss"] += 1
            self.waiting.remove(found[which % len(found)])

    def twice(self, which: int) -> None:
        """A message is delivered twice."""
        if self.waiting:
            self.counts["duplicate"] += 1
            self.waiting.append(replace(self.waiting[which % len(self.waiting)], due=START))

    def turn(self, by: int) -> None:
        """Messages come in another order."""
        if len(self.waiting) > 1:
            by = by % (len(self.waiting) - 1) + 1
            self.counts["reorder"] += 1
            self.waiting = self.waiting[by:] + self.waiting[:by]

    def repeat(self, which: int) -> None:
        """An old event is put on the bus again, as a replay of the archive does."""
        if self.put:
            self.counts["replay"] += 1
            self.waiting.append(self.put[which % len(self.put)])

    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    def sweep_up(self) -> bool:
        """The sweeper runs; returns whether it found nothing to do."""
        try:
            with self.interrupts.run("sweep"):
                return self.sweeper.run() == 0
        except (KilledError, TableUnavailableError):
            return False  # the next run looks again

    # -- what people do ----------------------------------------------------------------------

    def redrive_order(self, number: int) -> None:
        """Somebody sends a parked order on its way again."""
        self._redrive(order_ref(number))

    def _redrive(self, ref: EntityRef) -> None:
        if self.link(ref).get("status") == "parked":
            self.counts["redrive"] += 1
            self.redrive(ref)
            self.waiting.append(Message("erp", ref, is_hint=True, due=self.clock()))

    def discard(self, number: int) -> None:
        """Somebody deletes the order's object at the target."""
        living = self._living(self.orders, order_ref(number))
        for external_id in living:
            self.counts["deleted by a person"] += 1
            held = self.orders.objects[external_id]
            # Its id is not given out again, and no search finds it.
            held.reference, held.is_cancelled = f"deleted {held.reference}", True
            self.deleted.add(order_ref(number))

    def recreate(self, number: int) -> None:
        """Somebody has an order made again whose object was deleted."""
        ref = order_ref(number)
        link = self.link(ref)
        is_parked = link.get("status") == "parked" and link.get("external_id")
        if is_parked and link.get("reason") == "deleted_at_target":
            self.counts["recreate"] += 1
            self.deleted.discard(ref)
            recreate(self.stack, ref, "erp", "deleted by mistake", self.clock())

    # -- what must be true -------------------------------------------------------------------

    def look(self) -> None:
        """What holds at any time: one object of a reference, and no link says more than is so."""
        assert not self.interrupts.runs
        for shelf in (self.orders, self.customers):
            made = [held.reference for held in shelf.objects.values()]
            found = [one for one in made if not one.startswith("deleted")]
            assert len(set(found)) == len(found), f"more than one object of {found}"
        for ref in (CUSTOMER, *ORDERS):
            self._look_at(ref)

    def _look_at(self, ref: EntityRef) -> None:
        link = self.link(ref)
        stamp = link.get("stamp")
        is_sure = link.get("status") == "synced" and link["wanted"] == link.get("synced")
        if not is_sure or not stamp or ref in self.deleted:
            return
        shelf = self.customers if ref.kind is Kind.CUSTOMER else self.orders
        held = shelf.objects.get(link.get("external_id", ""))
        if stamp == rows.GONE:
            assert held is None or held.is_cancelled, f"{ref} is said to be gone, and is there"
            return
        assert held, f"{ref} is said to be there, and is gone"
        assert held.payload, f"{ref} is said to be there, and holds nothing"
        assert held.payload.fingerprint() == stamp, f"{ref} is not what its link says"

    def finish(self) -> None:
        """All is worked off, and what must be true then.

        What still waits to go wrong does so on the way; nothing new does.
        """
        for _ in range(ROUNDS):
            is_at_rest = self.rest()
            # An order waits for a customer that is parked until a person has looked.
            repaired = [ref for ref in (CUSTOMER, *ORDERS) if self._repair(ref)]
            if is_at_rest and not repaired:
                break
        else:
            raise AssertionError("something is behind for ever")
        self.interrupts.traps.clear()
        self.look()
        for ref in ORDERS:
            self._check_order(ref)
        self._check_customer()
        self._check_links()

    def rest(self, rounds: int = 4) -> bool:
        """Work and sweep until nothing is behind; whether that came about."""
        for _ in range(rounds):
            left = MOST_UNITS
            while self._unit():
                left -= 1
                assert left, "the messages never end"
            self.clock.advance(301)
            before = len(self.interrupts.traps)
            # What happened while it looked it may not have seen.
            if self.sweep_up() and len(self.interrupts.traps) == before:
                return True
        return False

    def _repair(self, ref: EntityRef) -> bool:
        """A person looks at what is parked, and knows what was deleted; whether there was any."""
        status, reason = (str(self.link(ref).get(name)) for name in ("status", "reason"))
        if self._living(self.orders, ref):
            self.deleted.discard(ref)  # made again before anybody knew of it
        if ref in self.deleted and status != "parked":
            return self._notice(ref)
        if status != "parked":
            return False
        allowed = {
            "deleted_at_target": ref in self.deleted,
            "rejected": self.counts[Fault.REFUSED] > 0,
            "internal": self.counts[Fault.BUG] >= REAL_ATTEMPTS,
        }
        assert allowed.get(reason), f"{ref} is parked: {reason}"
        if reason == "deleted_at_target":
            self.recreate(int(ref.external_id))
        else:
            self._redrive(ref)
        return True

    def _notice(self, ref: EntityRef) -> bool:
        """Have a deletion noticed: until the order changes nobody looks at the target."""
        self.change(int(ref.external_id), "quantity")
        self._deliver(self.truth[ref])
        if not self._is_wanted(ref):
            self.deleted.discard(ref)
        return True

    def _living(self, shelf: Shelf, ref: EntityRef) -> dict[str, Wanted | None]:
        return {
            external_id: held.payload
            for external_id, held in shelf.objects.items()
            if held.reference.partition("~")[0] == ref.key and not held.is_cancelled
        }

    def _is_wanted(self, ref: EntityRef) -> bool:
        """Whether the target must hold an order, by what was told."""
        goods = self.twin.newest(ref)
        return isinstance(goods, Goods) and not goods.is_cancelled and goods.country == "GB"

    def _check_order(self, ref: EntityRef) -> None:
        living = self._living(self.orders, ref)
        if not self._is_wanted(ref):
            assert not living, f"{ref} is not wanted, and is there"
            return
        assert len(living) == 1, f"{ref} is wanted once, and is there {len(living)} times"
        goods: Any = self.twin.newest(ref)
        (external_id,) = living
        (customer,) = self._living(self.customers, CUSTOMER)
        wanted = Wanted(
            name=f"#{ref.external_id}", lines=(f"COLA330 {goods.quantity}",), customer=customer
        )
        assert living[external_id] == wanted
        assert self.link(ref)["external_id"] == external_id
        generations = [
            int(held.reference.partition("~")[2] or 0)
            for held in self.orders.objects.values()
            if held.reference.partition("~")[0] == ref.key
        ]
        newest = self.orders.objects[external_id].reference.partition("~")[2] or 0
        assert int(newest) == max(generations)

    def _check_customer(self) -> None:
        living = self._living(self.customers, CUSTOMER)
        assert len(living) == len(self.customers.objects) <= 1
        for payload in living.values():
            assert payload == Wanted(name=str(self.twin.newest(CUSTOMER)))

    def _check_links(self) -> None:
        for row in self.rows.rows():
            if not str(row["sk"]).startswith("LINK#"):
                continue
            said = {name: row.get(name) for name in ("pk", "sk", "status", "reason", "intent")}
            assert row["status"] == "synced", said
            assert row["wanted"] == row["synced"], said
            assert "intent" not in row, said
            assert "behind_shard" not in row, said


@cache
def seen_of(delivery: Delivery) -> tuple[Seen, str]:
    """A delivery as our model has it, and its fingerprint."""
    second, content = delivery.second, delivery.content
    if isinstance(content, str):
        customer = Customer(contact=Contact(name=content))
        changed = None if second == SEED else START + timedelta(seconds=second)
        return Seen(delivery.ref, customer, changed), customer.fingerprint()
    if content is None:
        gone = Seen(delivery.ref, None, START + timedelta(seconds=second), Part.REQUEST)
        return gone, ""
    request = _request(delivery)
    return Seen(delivery.ref, request, request.changed_at, Part.REQUEST), request.fingerprint()


def _request(delivery: Delivery) -> OrderRequest:
    goods: Goods = delivery.content
    return order_request(
        int(delivery.ref.external_id),
        second=delivery.second,
        lines=[line(quantity=goods.quantity)],
        customer=CUSTOMER,
        ship_to=Address(country=goods.country),
        cancelled_at=START if goods.is_cancelled else None,
    )


def replay(*steps: tuple[Any, ...], can_fetch: bool = True) -> Schedule:
    """Play a schedule to its end."""
    schedule = Schedule(can_fetch=can_fetch).play(*steps)
    schedule.finish()
    return schedule
