"""What a release leaves behind while it works: rows, stream records, events, messages.

``python -m tests.kit.recorded v1`` writes ``tests/faults/recorded/v1``, once for each release whose
rows differ; what is there is never written anew. The tests let the present code go on from it.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.documents import (
    Payment,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Seen
from fizzbridge.runtime.sweep import hint
from fizzbridge.state.dynamodb import from_image, to_image
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.state.table import Row, Write
from tests.kit.house import Held, Wanted, line, order_ref, order_request, seen_customer
from tests.kit.shop import Shop
from tests.kit.source import PULL_QUEUE, Source, http_event
from tests.kit.way_back import WayBack

FOLDER = Path(__file__).parents[1] / "faults" / "recorded"
SHOP = "shopify"
NEWEST = {1: 7, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 8: 9}
"""Pieces of the last word of each order."""


class Recorder(WayBack):
    """A house that keeps each change of its table as a record of the stream."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        super().__init__()

    def _announce(self, before: Row | None, after: Row | None) -> None:
        change: dict[str, Any] = {"SequenceNumber": str(len(self.records) + 1)}
        change |= {"OldImage": image(before)} if before else {}
        change |= {"NewImage": image(after)} if after else {}
        self.records.append({"eventName": "MODIFY", "dynamodb": change})
        super()._announce(before, after)

    def order(self, number: int, second: int = 0, **changes: Any) -> EntityRef:
        """The shop tells of an order of so many pieces as its last word is, at first of fewer."""
        pieces = NEWEST[number] if second else 1
        lines = changes.pop("lines", None) or [line(quantity=pieces)]
        told = order_request(number, second=second, lines=lines, **changes)
        self.observe(seen_customer(number))
        self.observe(Seen(order_ref(number), told, told.changed_at, Part.REQUEST))
        return order_ref(number)


def image(row: Row) -> dict[str, Any]:
    """A row as a stream event has it: JSON, so bytes are in base64."""
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in to_image(row).items()
    }


def lived() -> Recorder:
    """A house in the middle of its work, with something in each state."""
    house = Recorder()
    # Done: booked, changed, paid, shipped, told back to the shop.
    first = house.order(1)
    house.settle()
    house.order(1, 5)
    house.settle()
    money = {"amount": Decimal("8.40"), "currency": "GBP", "at": house.clock()}
    paid = Payment(order=first, status=SettlementStatus.SETTLED, gateway="card", **money)
    house.observe(Seen(ref(Kind.PAYMENT, "shop", "p1"), paid, house.clock(), parent=first))
    house.process(first, "S1", OrderState.CONFIRMED)
    gone = ShippedLine(order_line_id="l-COLA330", sku="COLA330", quantity=7)
    left = Shipment(order=first, number="W1", state=ShipmentState.DISPATCHED, lines=(gone,))
    house.told(ref(Kind.SHIPMENT, "erp", "W1"), left, parent=first)
    house.stock("COLA330", 200)
    house.price("COLA330", "1.10")
    house.product("COLA330")
    house.settle()
    # Held for a code nobody knows; parked as refused; cancelled; large.
    house.order(2, 5, lines=[line("FANTA", 2)])
    house.settle()
    house.orders.refuse = TargetRejectedError("the period is closed")
    house.order(3, 5)
    house.settle()
    house.orders.refuse = None
    house.order(4, 5)
    house.settle()
    house.order(4, 6, cancelled_at=house.clock())
    house.settle()
    house.order(5, 5, note="".join(f"leave it at gate {number}; " for number in range(400)))
    house.settle()
    # On its way: heard of; assessed; on its way to the target, and there, though nobody said so.
    house.order(6, 5)
    house.order(7, 5)
    house.assess_all()
    house.order(8, 5)
    while house.messages and not house.link(order_ref(8)).get("intent"):
        if house.link(order_ref(8)):
            house.orders.script.append("commit_then_unknown")
        run_until_committed(house)
    house.orders.script.clear()
    house.stock("COLA330", 150)
    return house


def run_until_committed(house: Recorder) -> None:
    """Work off what is about the last order; everything else stays where it is."""
    mine = [one for one in house.messages if one[1].key in {"shop/8", "shop/c8"}]
    to, event = mine[0]
    house.messages.remove((to, event))
    if to == "assess":
        house.handle(to, event)
    else:
        entity = EntityRef(kind=event.kind, key=event.key)
        house.outcomes.append(house.converge.run(entity, "away"))
        house.messages.append((to, event))


def pulled() -> tuple[Source, list[Any]]:
    """A shop's pull queue: hints, a spilled delivery, schedules, and where a round goes on."""
    shop = Shop(SHOP)
    source = shop.source()
    shop.place()
    source.table.is_down = True  # so it is spilled
    for one in shop.told():
        assert source.deliver(http_event(one.headers, one.body, encoded=True)) == 200
    source.table.is_down = False
    asked = [{"type": "poll", "stream": "orders"}, {"type": "continue", "stream": "orders"}]
    asked += [{"type": "watch", "address": "https://hooks.example", "streams": ["orders"]}]
    for body in asked:
        source.queue.send(PULL_QUEUE, json.dumps(body))
    source.work({"type": "poll", "stream": "products"})
    return source, [json.loads(one.body) for one in source.queue.take(PULL_QUEUE)]


def message(detail_type: str, event: Any) -> dict[str, Any]:
    """A message as the bus's rule puts it on a queue."""
    return {
        "version": "0",
        "source": f"fizzbridge.{getattr(event, 'connection', 'bridge')}",
        "detail-type": detail_type,
        "detail": json.loads(event.model_dump_json()),
    }


def record(version: str) -> None:
    """Write what this release leaves behind.

    Raises:
        SystemExit: that version has been recorded.
    """
    folder = FOLDER / version
    if folder.exists():
        raise SystemExit(f"{folder} is there, and is never written anew")
    folder.mkdir(parents=True)
    house = lived()
    events = {id(event): str(detail_type) for detail_type, event in house.events}
    waiting = [
        {"queue": to, "body": message(events[id(event)], event)} for to, event in house.messages
    ]
    waiting.append({"queue": "erp", "body": json.loads(hint(order_ref(6)))})
    target = {
        shelf.kind: {
            name: {
                "reference": held.reference,
                "payload": held.payload.model_dump(mode="json") if held.payload else None,
                "is_cancelled": held.is_cancelled,
            }
            for name, held in shelf.objects.items()
        }
        for shelf in (house.orders, house.customers)
    }
    source, pull = pulled()
    found = {
        "rows": [image(row) for row in house.rows.rows()],
        "stream": house.records,
        "events": [message(str(detail_type), event) for detail_type, event in house.events],
        "messages": waiting,
        "state": {"at": to_text(house.clock()), "target": target},
        "pull": {
            "messages": pull,
            "objects": objects(source.objects),
            "at": to_text(source.clock()),
        },
    }
    for name, what in found.items():
        text = json.dumps(what, indent=None, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def objects(kept: MemoryObjects) -> dict[str, str]:
    return {key: base64.b64encode(kept.get(key)).decode() for key in kept.keys()}  # noqa: SIM118


@dataclass(frozen=True)
class Release:
    """What a release left behind.

    Attributes:
        rows: of the state table.
        stream: its records, in order.
        events: everything that was announced.
        messages: what waits in queues.
        state: the time, and what is at the target.
        pull: what waits in a shop's pull queue, and the bucket.
    """

    rows: list[Any]
    stream: list[Any]
    events: list[Any]
    messages: list[Any]
    state: Mapping[str, Any]
    pull: Mapping[str, Any]

    @classmethod
    def read(cls, version: str) -> Release:
        folder = FOLDER / version
        names = ("rows", "stream", "events", "messages", "state", "pull")
        return cls(
            **{
                name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
                for name in names
            }
        )

    def house(self) -> WayBack:
        """The house as that release left it, with the present code in it."""
        house = WayBack()
        for one in self.rows:
            row = from_image(one)
            pk, sk = str(row.pop("pk")), str(row.pop("sk"))
            house.rows.write(Write(pk, sk, set=row, replace=True))
        house.messages.clear()
        house.events.clear()
        at = from_text(self.state["at"])
        house.clock.advance((at - house.clock()).total_seconds())
        for shelf in (house.orders, house.customers):
            for name, held in self.state["target"][shelf.kind].items():
                payload = Wanted(**held["payload"]) if held["payload"] else None
                shelf.objects[name] = Held(held["reference"], payload, held["is_cancelled"])
        return house


if __name__ == "__main__":
    record(sys.argv[1])
