"""What must be true after whatever went wrong: I1 to I5 of the fault suite.

Every check reads the table, the target and what was sent as they are, and raises AssertionError
with the first thing it finds wrong.

I1, conservation: ``conserved`` at the way in, ``accounted`` for every link.
I2, one effect: ``one_effect``. I3, the newest wins: ``newest_wins``.
I4, acknowledged means kept: ``kept``, asked by ``Reception`` with every answer.
I5, nothing personal: ``nothing_personal``.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind, Part, owner_role
from fizzbridge.observability import Metrics
from fizzbridge.observation import Hint, Seen
from fizzbridge.queues import Queue
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import version_of
from fizzbridge.runtime.wiring import Ports
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import Row, Table
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.receive import Receiver
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.storing import from_message
from tests.kit.house import Held, House

PARTS = ("merged", "equal", "older", "tied", "ignored")
"""What becomes of each part that a delivery shows."""


class Rows(Protocol):
    """A table that can show all its rows."""

    def rows(self) -> list[Row]: ...


# -- the way in ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Receipt:
    """One delivery, its answer, and what was counted for it."""

    event: Mapping[str, Any]
    status: int
    counted: Counter[str]

    @property
    def is_acknowledged(self) -> bool:
        return 200 <= self.status < 300


class Sent:
    """A queue that remembers whatever it took, though it may be gone from there by now.

    Attributes:
        hints: what pull was asked to fetch: sort and id.
        deliveries: messages that stand for a spilled delivery, by the digest of its body.
        messages: every body with its attributes, as the queue took it.
    """

    def __init__(self, queue: Queue, objects: Objects) -> None:
        self.hints: set[tuple[str, str]] = set()
        self.deliveries: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
        self.messages: list[tuple[str, dict[str, str]]] = []
        self._queue = queue
        self._objects = objects

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        self._queue.send(url, body, delay, attributes)
        self.messages.append((body, dict(attributes or {})))
        message = json.loads(body)
        if message.get("type") == "hint":
            self.hints.add((message["what"], message["id"]))
        elif message.get("type") == "delivery":
            self.deliveries[_digest(from_message(message, self._objects).body)].append(message)


@dataclass
class Reception:
    """A webhook function that is asked with every answer whether it kept what it acknowledged.

    Attributes:
        adapter: the platform's.
        ports: what the function works with, faults included; its queue is ``sent``.
        clock: the present time.
        table: the table itself, without the faults before it.
        sent: what the queue took.
        objects: the bucket itself.
    """

    adapter: WebhookAdapter
    ports: Ports
    clock: Callable[[], datetime]
    table: Table
    sent: Sent
    objects: Objects
    receipts: list[Receipt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def receive(self, event: Mapping[str, Any]) -> int:
        """Receive one HTTP API event, as a function of its own; gives the status."""
        lines: list[str] = []
        # One function serves one request at a time: its counts are those of this delivery.
        with Metrics(write=lines.append, clock=lambda: 0.0) as metrics:
            answer = Receiver(self.adapter, self.ports, metrics, self.clock).receive(event)
        receipt = Receipt(event, int(answer["statusCode"]), counts(lines))
        with self._lock:
            self.receipts.append(receipt)
        if receipt.is_acknowledged:
            kept(self, receipt)
        return receipt.status

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered."""
        return Counter(receipt.status for receipt in self.receipts)

    @property
    def counted(self) -> Counter[str]:
        """What all deliveries came to together."""
        return sum((receipt.counted for receipt in self.receipts), Counter())


def counts(lines: Iterable[str]) -> Counter[str]:
    """What embedded metric lines count, by name, over all connections."""
    found: Counter[str] = Counter()
    for line in lines:
        told = json.loads(line)
        for metric in told["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            found[metric["Name"]] += sum(told[metric["Name"]])
    return found


def conserved(reception: Reception) -> None:
    """I1 at the way in: every delivery came to one end, and every spilled one to another.

    What is spilled is in a message, or has been taken in, or lies in quarantine.
    """
    for receipt in reception.receipts:
        counted = receipt.counted
        assert counted["received"] == 1, receipt
        if not receipt.is_acknowledged:
            assert counted["rejected"] + counted["put_off"] == 1, receipt
            assert not counted["spilled"], receipt
            continue
        assert not counted["rejected"] + counted["put_off"], receipt
        if counted["spilled"]:
            assert counted["spilled"] == 1, receipt
            continue
        told = _told(reception, receipt.event)
        shown = sum(not isinstance(one, Hint) for one in told or ())
        ended = sum(counted[name] for name in PARTS)
        assert ended >= shown, f"{shown} parts shown, {ended} ended: {receipt}"
        assert ended or counted["hinted"], f"nothing became of {receipt}"
    spilled = sum(receipt.counted["spilled"] for receipt in reception.receipts)
    taken = sum(map(len, reception.sent.deliveries.values()))
    # An answer that was lost may have sent a message twice, or one that was answered 503.
    assert spilled <= taken, f"{spilled} spilled, {taken} messages"


def drained(reception: Reception) -> None:
    """I1 once the pull queue is empty: what was spilled is in the table or in quarantine."""
    quarantined = {
        _digest(from_message(json.loads(rows.text(row, "message")), reception.objects).body)
        for row in reception.table.query(rows.connection_pk(_connection(reception)), "QUARANTINE#")
    }
    for digest, messages in reception.sent.deliveries.items():
        delivery = from_message(messages[0], reception.objects)
        try:
            told = read(reception.adapter, delivery, _connection(reception))
        except MalformedDeliveryError:
            assert digest in quarantined, "neither taken in nor in quarantine"
            continue
        for one in told or ():
            if isinstance(one, Seen):
                _assert_kept(reception, one, delivery.received_at)


def kept(reception: Reception, receipt: Receipt) -> None:
    """I4: what was acknowledged is in the table, or in a message that brings it there."""
    delivery = Delivery.from_event(receipt.event, reception.clock())
    if receipt.counted["spilled"]:
        assert _digest(delivery.body) in reception.sent.deliveries, "spilled nowhere"
        return
    for one in _told(reception, receipt.event) or ():
        if isinstance(one, Seen):
            _assert_kept(reception, one, delivery.received_at)
        elif isinstance(one, Hint) and receipt.counted["hinted"]:
            asked = (one.what, one.external_id)
            assert asked in reception.sent.hints, f"nobody is asked to fetch {one}"


def _assert_kept(reception: Reception, seen: Seen, received_at: datetime) -> None:
    """A row at least as new as what was shown, or one who does not own it said it."""
    roles = reception.ports.connection.roles
    version = version_of(seen, reception.adapter.clock, received_at)
    is_seed = seen.changed is None
    if not is_seed and owner_role(seen.ref.kind, seen.part) not in roles:
        return
    row = reception.table.get(str(seen.ref), rows.part_sk(seen.part))
    assert row is not None, f"{seen.ref} was acknowledged and is nowhere"
    assert is_seed or rows.text(row, "version") >= version, f"{seen.ref} is older than acknowledged"
    link = reception.table.get(str(seen.ref), rows.link_sk(rows.ASSESS))
    assert link, f"nobody will ever look at {seen.ref}"
    assert rows.text(link, "wanted"), f"nothing is wanted of {seen.ref}"


def _told(reception: Reception, event: Mapping[str, Any]) -> list[Any] | None:
    delivery = Delivery.from_event(event, reception.clock())
    told = read(reception.adapter, delivery, _connection(reception))
    return None if told is None else list(told)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _connection(reception: Reception) -> str:
    return reception.ports.connection.name


# -- the links -------------------------------------------------------------------------------------


def accounted(table: Rows, objects: Objects, *, is_settled: bool = True) -> Counter[str]:
    """I1 for every link: synced, held, parked, or behind where the sweeper finds it.

    Args:
        table: all rows.
        objects: large bodies.
        is_settled: whether nothing may be behind any more.

    Returns:
        How many links are in which state.
    """
    found: Counter[str] = Counter()
    everything = table.rows()
    there = {(rows.text(row, "pk"), rows.text(row, "sk")) for row in everything}
    load = Loader(table, objects)  # type: ignore[arg-type]  # tables that show rows are tables
    for row in everything:
        pk, sk = rows.text(row, "pk"), rows.text(row, "sk")
        if sk.startswith("LINK#"):
            state = _state(load, row)
            assert not (is_settled and state == "behind"), f"{pk} {sk} is behind: {row}"
            found[state] += 1
        if sk.startswith("PART#"):
            assert (pk, rows.link_sk(rows.ASSESS)) in there, f"{pk} is looked at by nobody"
        if pk.startswith("Order#") and sk == rows.part_sk(Part.ASSESSMENT):
            order = load.view(EntityRef.parse(pk)).assessment
            for target in order.targets if order else ():
                assert (pk, rows.link_sk(target)) in there, f"{pk} goes to {target} unlinked"
    return found


def _state(load: Loader, row: Row) -> str:
    pk, sk, status = (rows.text(row, name) for name in ("pk", "sk", "status"))
    if status == "parked":
        assert row.get("reason"), f"{pk} {sk} is parked without a reason"
        assert row.get("cause"), f"{pk} {sk} is parked where nobody sees it"
        return status
    if status == "held":
        assert load.open_holds(EntityRef.parse(pk)), f"{pk} {sk} is held by nothing"
        return status
    if "wanted" in row and row["wanted"] != row.get("synced"):
        assert row.get("behind_shard"), f"{pk} {sk} is behind where no sweeper looks"
        assert row.get("behind_since"), f"{pk} {sk} is behind since nobody knows when"
        return "behind"
    assert not row.get("behind_shard"), f"{pk} {sk} is done and still listed as behind"
    return "synced"


# -- the target ------------------------------------------------------------------------------------


def one_effect(house: House, name: str = "erp") -> int:
    """I2: everything a link says is there is there once, and nothing else is.

    Returns:
        How many objects stand at the target.
    """
    shelves = (house.orders, house.customers)
    standing = 0
    linked: set[str] = set()
    for row in house.rows.rows():
        entity, external_id = rows.text(row, "pk"), rows.text(row, "external_id")
        if row["sk"] == rows.link_sk(name) and external_id:
            linked.add(external_id)
            back = house.rows.get(
                rows.external_pk(name, EntityRef.parse(entity).kind, external_id), rows.EXTERNAL_SK
            )
            assert back, f"no way back from {external_id}"
            assert back["entity"] == entity, f"{external_id} is linked twice"
    for shelf in shelves:
        objects = {key: held for key, held in shelf.objects.items() if not held.is_cancelled}
        once(objects)
        standing += len(objects)
        unknown = set(objects) - linked
        assert not unknown, f"at the target and linked by nobody: {unknown}"
    return standing


def once(objects: Mapping[str, Held]) -> None:
    """I2 for any target: no two uncancelled objects carry one reference."""
    carried = Counter(held.reference for held in objects.values() if not held.is_cancelled)
    twice = {reference: number for reference, number in carried.items() if number > 1}
    assert not twice, f"more than one object: {twice}"


def newest_wins(house: House, newest: Mapping[EntityRef, Frozen] | None = None) -> None:
    """I3: the target holds what follows from the latest state, which is the newest told.

    Args:
        house: its target is two shelves.
        newest: the last word of each entity's owner, where the caller knows it.
    """
    load = Loader(house.rows, house.objects)
    for ref, body in (newest or {}).items():
        part = Part.REQUEST if ref.kind is Kind.ORDER else Part.RECORD
        stored = load.view(ref).parts.get(part)
        assert stored, f"{ref} is nowhere"
        assert stored.fingerprint == body.fingerprint(), f"{ref} is not the newest told"
    for shelf in (house.orders, house.customers):
        for row in house.rows.rows():
            ref_text, sk = rows.text(row, "pk"), rows.text(row, "sk")
            if sk != "LINK#erp" or not ref_text.startswith(f"{shelf.kind}#"):
                continue
            stamp = rows.text(row, "stamp")
            if rows.text(row, "status") != "synced" or stamp in {"", rows.GONE, "historical"}:
                continue
            _assert_latest(house, EntityRef.parse(ref_text), shelf.objects, row)


def _assert_latest(house: House, ref: EntityRef, objects: Mapping[str, Held], row: Row) -> None:
    shelf = house.orders if ref.kind is Kind.ORDER else house.customers
    view = Loader(house.rows, house.objects).with_parent(ref)
    required = {one: rows.text(house.link(one), "external_id") for one in shelf.requires(view)}
    expected = shelf.desired(view, house.converge.situation(required))
    held = objects[rows.text(row, "external_id")]
    assert held.payload == expected, f"{ref} is not up to date at the target"


# -- what is said ----------------------------------------------------------------------------------


def nothing_personal(markers: Iterable[str], **said: str | Iterable[Any]) -> None:
    """I5: none of the seeded values is in what was logged, counted, announced or sent.

    Args:
        markers: values that belong to a person or are secret.
        said: by name of the place, what was said there.
    """
    for place, what in said.items():
        text = what if isinstance(what, str) else "\n".join(map(_as_text, what))
        for marker in markers:
            assert marker not in text, f"{marker} is in {place}"


def _as_text(one: Any) -> str:
    if isinstance(one, tuple):
        return " ".join(map(_as_text, one))
    if isinstance(one, Frozen):
        return one.model_dump_json()
    return one if isinstance(one, str) else repr(one)


# -- all of it -------------------------------------------------------------------------------------


def hold(
    house: House,
    newest: Mapping[EntityRef, Frozen] | None = None,
    markers: Iterable[str] = (),
    **said: str | Iterable[Any],
) -> Counter[str]:
    """I1, I2, I3 and I5 of a house that has come to rest.

    Returns:
        How many links are in which state.
    """
    states = accounted(house.rows, house.objects)
    one_effect(house)
    newest_wins(house, newest)
    sent = [(message.body, dict(message.attributes)) for message in house.queue.sent()]
    nothing_personal(markers, events=house.events, queues=sent, **said)
    return states
