"""An order's whole life at a target, with one fault at one call of it.

What a life without faults comes to is the measure: whatever struck at whichever call, the target
has done the same things as often, our rows hold the same, and a plan finds as much left to do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.runtime.leases import Lease
from sandbox.faults import Fault
from tests.kit.house import customer_ref, order_ref
from tests.kit.invariants import accounted
from tests.kit.target import TargetHouse

NEW = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d{13}\b")
"""What is new in every run: ids and moments."""

MANIFESTS = load_registry(Path(__file__).parents[2])
TARGETS = sorted(slug for slug, manifest in MANIFESTS.items() if manifest.is_booked)


@dataclass
class NthCall(Fault):
    """A fault that lets some calls pass and strikes the next.

    Attributes:
        number: which call it strikes, counted from one.
        passed: how many there were.
    """

    number: int = 1
    passed: int = 0

    def strikes(self, line: str, body: bytes) -> bool:
        # The line to who gives the tokens has troubles of its own.
        if b"grant_type=" in body or not super().strikes(line, body):
            return False
        self.passed += 1
        return self.passed == self.number


def book(house: TargetHouse) -> None:
    """The shop tells of an order and its customer."""
    house.customer()
    house.order(payment_terms="Net 30")


def amend(house: TargetHouse) -> None:
    """The buyer wants more of it."""
    house.order(cases=5, second=5, payment_terms="Net 30")


def cancel(house: TargetHouse) -> None:
    """The buyer does not want it any more."""
    moment = {"cancelled_at": house.clock(), "payment_terms": "Net 30"}
    house.order(cases=5, second=9, **moment)


def pay(house: TargetHouse) -> None:
    """The buyer pays."""
    house.pay(5)


def refund(house: TargetHouse) -> None:
    """The shop gives money back."""
    house.refund()


Step = Callable[[TargetHouse], Any]


def lives(platform: str) -> dict[str, tuple[Step, ...]]:
    """By name, what can happen to an order there; the last step is the one that is disturbed."""
    found: dict[str, tuple[Step, ...]] = {
        "book": (book,),
        "amend": (book, amend),
        "cancel": (book, amend, cancel),
    }
    if Kind.PAYMENT in MANIFESTS[platform].entities.target:
        found |= {"pay": (book, amend, pay), "refund": (book, amend, pay, refund)}
    return found


@dataclass(frozen=True)
class Came:
    """What a life came to.

    Attributes:
        done: what the target has done, as often.
        links: by entity, how our link to it stands.
        left: what a plan would still write.
        calls: how many calls the last step took.
    """

    done: Counter[str]
    links: dict[str, tuple[Any, ...]]
    left: str
    calls: int = field(default=0, compare=False)


def lived(platform: str, steps: tuple[Step, ...], fault: Fault | None = None) -> TargetHouse:
    """A house after these steps; the fault is armed for the last."""
    house = TargetHouse(platform)
    for step in steps[:-1]:
        step(house)
        house.settle()
    before = len(house.sent())
    if fault:
        house.sandbox.faults.arm(fault)
    steps[-1](house)
    house.settle(rounds=12)
    house.facts["calls"] = [one for one in house.sent()[before:] if not _is_token(one)]
    return house


def _is_token(request: httpx.Request) -> bool:
    return b"grant_type=" in request.content


def came(house: TargetHouse) -> Came:
    """What it came to, and how many calls the last step took."""
    accounted(house.rows, house.objects)
    links = {
        str(row["pk"]): (
            row["status"],
            row["wanted"] == row.get("synced"),
            bool(row.get("external_id")),
            "intent" in row,
            row.get("generation", 0),
        )
        for row in house.rows.rows()
        if row["sk"] == "LINK#erp"
    }
    # A token fetched again is no effect, nor what was known by its id as told before.
    done = Counter(
        {
            name: count
            for name, count in house.sandbox.accepted.items()
            if count and not name.startswith(("token", "repeated"))
        }
    )
    left = " ".join(planned(house, one) for one in (order_ref(), customer_ref()))
    return Came(done, links, left, len(house.facts.get("calls", ())))


def planned(house: TargetHouse, entity: EntityRef) -> str:
    """What would still be written, without what is new in every run."""
    return NEW.sub("...", repr(house.converge.plan(entity, "plan")))


def found(house: TargetHouse) -> str | None:
    """The id of the one object there that carries the order's reference.

    Raises:
        AmbiguousMatchError: there are several.
    """
    entity = house.adapter.entities[Kind.ORDER]
    until = house.clock() + timedelta(hours=1)
    with house._capacity(Lease("", "", "people", 0, until, {})) as vendor:
        client = house.adapter.client(vendor, house.connection)
        return entity.find(client, order_ref().key, None)


@cache
def undisturbed(platform: str, steps: tuple[Step, ...]) -> Came:
    """What a life comes to that nothing disturbs."""
    return came(lived(platform, steps))
