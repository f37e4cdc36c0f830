"""One order of each kind in a shop of every platform: all reach the same ERP and say the same."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.observability import Metric
from fizzbridge.runtime.conservation import COMES_TO
from fizzbridge.runtime.intake import DELIVERY, TOLD
from fizzbridge.runtime.loading import Loader
from fizzbridge.state.objects import MemoryObjects
from tests.kit.deployed import Deployed, Details, SaleLine
from tests.kit.shops import CONNECTIONS, FACTS, MANIFESTS

KINDS = ("plain", "changed", "cancelled", "refunded")
RATE = (Decimal("20.0"),)
BOOKED = Details(
    untaxed=Decimal("40.75"),
    tax=Decimal("8.15"),
    total=Decimal("48.90"),
    lines=[
        SaleLine("COLA330", 2, Decimal("26.40"), RATE),
        SaleLine("TONIC200", 1, Decimal("9.40"), RATE),
        SaleLine("DELIVERY", 1, Decimal("4.95"), RATE),
    ],
)

MERGES = (Metric.MERGED, Metric.EQUAL, Metric.OLDER, Metric.TIED)
ENDS = ("taken", "spilled", "refused")

Told = dict[str, dict[str, EntityRef]]


def await_arrival(house: Deployed, order: EntityRef) -> None:
    house.await_(lambda: house.link(order), lambda: f"{order} did not arrive", sweep=True)


@pytest.fixture(scope="module")
def told(house: Deployed) -> Told:
    """What was ordered, by platform and kind; after the first, everywhere at the same time."""
    orders: Told = {slug: {} for slug in FACTS}
    plain, *others = KINDS
    for slug, counter in house.counters.items():
        # Were every shop's functions to start at once, two cores would outlast a shop's patience.
        first = orders[slug][plain] = ref(Kind.ORDER, CONNECTIONS[slug], counter.sell())
        await_arrival(house, first)
    for kind in others:
        for slug, counter in house.counters.items():
            orders[slug][kind] = ref(Kind.ORDER, CONNECTIONS[slug], counter.sell())
    for slug, counter in house.counters.items():
        key = {kind: order.external_id for kind, order in orders[slug].items()}
        counter.do(key["changed"], "update")
        counter.do(key["cancelled"], "cancel")
        for action in ("pay", "refund"):
            if action in counter.facts:
                counter.do(key["refunded"], action)
    return orders


@pytest.fixture(params=sorted(FACTS))
def slug(request):
    return request.param


def request_of(house: Deployed, order: EntityRef) -> Any:
    return Loader(house.stack.table, MemoryObjects()).view(order).request


def reported(house: Deployed, order: EntityRef, kind: Kind) -> list[str]:
    rows = house.stack.table.query(str(order), f"CHILD#{kind}")
    return [str(row["sk"]) for row in rows]


def test_an_order_is_booked_the_same_from_every_shop(house, told, slug):
    order = told[slug]["plain"]
    house.await_link(order, "synced")
    assert house.erp.details(order.key) == [BOOKED]


def test_a_change_arrives(house, told, slug):
    order = told[slug]["changed"]
    house.await_link(order, "synced")
    house.await_(
        lambda: "no ring" in request_of(house, order).note,
        lambda: f"{order} says {request_of(house, order).note!r}",
    )
    # Not every shop can change how much is ordered.
    more = FACTS[slug]["update"].get("quantities", {}).get("TONIC-12", 1) - 1
    net = BOOKED.untaxed + more * Decimal("9.40")
    house.await_(
        lambda: [sale.untaxed for sale in house.erp.details(order.key)] == [net],
        lambda: f"{order} is booked as {house.erp.details(order.key)}",
        sweep=True,
    )


def test_a_cancelled_order_is_cancelled(house, told, slug):
    order = told[slug]["cancelled"]
    await_arrival(house, order)
    house.await_(
        lambda: request_of(house, order).cancelled_at is not None,
        lambda: f"{order} is not cancelled",
    )
    house.await_(
        lambda: [sale.state for sale in house.sales(order)] in ([], ["cancel"]),
        lambda: f"{order} is booked as {house.sales(order)}",
        sweep=True,
    )


def test_payments_and_refunds_are_known(house, told, slug):
    kinds = {"pay": Kind.PAYMENT, "refund": Kind.REFUND}
    order = told[slug]["refunded"]
    for action, kind in kinds.items():
        if action in FACTS[slug] and kind in MANIFESTS[slug].entities.source:
            house.await_(
                lambda kind=kind: reported(house, order, kind),
                lambda kind=kind: f"no {kind} of {order}",
            )
    house.await_link(order, "synced")
    assert len(house.sales(order)) == 1


def test_whatever_comes_again_changes_nothing_and_all_that_came_is_counted(house, told, slug):
    """Counts in are counts out, by what the shop, the logs and the metrics say."""
    counter = house.counters[slug]
    before = [house.erp.details(order.key) for order in told[slug].values()]
    again = [one["id"] for one in counter.deliveries()] * 2
    random.Random(7).shuffle(again)  # noqa: S311  the same disorder every time
    counter.deliver(again)
    house.await_(
        lambda: is_accounted_for(house, slug),
        lambda: f"{slug} does not add up: {account(house, slug)}",
    )
    assert [house.erp.details(order.key) for order in told[slug].values()] == before


def account(house: Deployed, slug: str) -> dict[str, int]:
    """What a connection's functions logged and counted, and what the shop has sent."""
    found: Counter[str] = Counter()
    for function in ("webhook", "pull"):
        for line in house.logged(f"{CONNECTIONS[slug]}-{function}"):
            if "_aws" in line:
                figures = {f"counted {one}": line[one] for one in Metric if one in line}
                found.update({name: sum(one) for name, one in figures.items()})
            elif function == "webhook" and line["message"] == DELIVERY:
                found[line["outcome"]] += 1
            if TOLD in line:
                found.update({one: line[one] for one in (TOLD, *COMES_TO) if one in line})
    answers = [answer for one in house.counters[slug].deliveries() for answer in one["answers"]]
    found.update(sent=len(answers), accepted=answers.count(200))
    return found


def is_accounted_for(house: Deployed, slug: str) -> bool:
    """Every delivery has its end, and every part it showed or that was read.

    A shop may give up on the answer of a cold start, and the emulator on the function: such a
    delivery was sent, and is accepted when it comes again. Whoever is stopped counts nothing.
    """
    of = account(house, slug)
    ends = sum(of[end] for end in ENDS)
    counted = all(of[f"counted {one}"] <= of[one] for one in MERGES)
    comes_to = sum(of[one] for one in COMES_TO)
    is_quiet = not of[f"counted {Metric.QUARANTINED}"]
    return of["accepted"] <= ends <= of["sent"] and of[TOLD] == comes_to and counted and is_quiet


def test_what_no_webhook_told_is_found_by_the_poll(house, slug):
    counter = house.counters[slug]
    counter.switch("manual")
    try:
        order = ref(Kind.ORDER, CONNECTIONS[slug], counter.sell())
        # A shop's lists may be behind by seconds: what one poll missed, the next one finds.
        house.await_(
            lambda: house.link(order),
            lambda: f"no poll found {order}",
            meanwhile=lambda: [
                house.poll(CONNECTIONS[slug], stream.name) for stream in MANIFESTS[slug].streams
            ],
        )
        house.await_link(order, "synced")
    finally:
        counter.switch("auto")
    assert house.erp.details(order.key) == [BOOKED]
