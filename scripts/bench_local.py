"""Orders through the local stack at a steady pace, beside a function that does nothing.

A stack of its own, on free ports, so that one a developer has up is left alone.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fizzbridge.model.entity import EntityRef
from infra.local.demo.follow import whereabouts
from scripts.bench import percentile
from scripts.generated import table
from tests.kit.deployed import Deployed
from tests.kit.emulator import free_port

RATES = (2, 10)
ORDERS = 40
PATIENCE_S = 180
CALLERS = 12
NOTHING = "fizzbridge-bench-nothing"
NOTHING_CODE = "def handler(event, context):\n    return {}\n"


def local() -> str:
    """Both rates, each with its orders and its calls of nothing."""
    with stack() as house:
        nothing = make_nothing(house)
        # The first of everything is a cold start; it is not what is measured here.
        followed(house, 1, 2)
        nothing()
        lines = []
        for rate in RATES:
            idle = paced(nothing, rate)
            acks, booked = followed(house, rate, ORDERS)
            lines.append((f"{rate}/s", *map(_pair, (idle, acks, booked)), f"{ORDERS}"))
    columns = ("pace", "nothing", "placed to accepted", "placed to booked", "orders")
    return (
        "Milliseconds, p50 / p99, on the emulator with both sandboxes on this machine. *Nothing* "
        "is a call of an empty function at the same pace; an order passes five functions, a "
        "stream, a bus and three queues.\n\n" + table(columns, lines)
    )


def _pair(values: list[float]) -> str:
    return f"{percentile(values, 0.5):.0f} / {percentile(values, 0.99):.0f}"


@contextmanager
def stack() -> Iterator[Deployed]:
    """A deployed stack that is taken down again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        # No other stack of this machine, and no account of its owner, is meant.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ |= {
            "FIZZBRIDGE_LOCAL": folder,
            "FIZZBRIDGE_PORT": str(free_port()),
            "FIZZBRIDGE_STAGE": "local",
        }
        house = Deployed(Path(folder))
        try:
            house.up()
            yield house
        finally:
            house.command("down")


def make_nothing(house: Deployed) -> Callable[[], float]:
    """Deploy a function that does nothing; gives a call of it, in milliseconds."""
    functions = house.client("lambda")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("nothing.py", NOTHING_CODE)
    role = functions.get_function_configuration(FunctionName=house.stack.core["SweepFunction"])
    functions.create_function(
        FunctionName=NOTHING,
        Runtime=role["Runtime"],
        Handler="nothing.handler",
        Role=role["Role"],
        Code={"ZipFile": code.getvalue()},
    )

    def call() -> float:
        start = time.perf_counter()
        functions.invoke(FunctionName=NOTHING, Payload=b"{}")["Payload"].read()
        return (time.perf_counter() - start) * 1000

    return call


def paced(call: Callable[[], Any], rate: int, times: int = ORDERS) -> list[Any]:
    """Begin so many calls at a steady pace, whether or not earlier ones are done."""
    begun = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        pending = []
        for number in range(times):
            time.sleep(max(begun + number / rate - time.monotonic(), 0))
            pending.append(pool.submit(call))
        return [one.result() for one in pending]


def followed(house: Deployed, rate: int, times: int) -> tuple[list[float], list[float]]:
    """Place orders at a pace; gives how long each took to be accepted and to be booked."""

    def place() -> tuple[EntityRef, datetime]:
        at = datetime.now(UTC)
        return house.place()[0], at

    placed = dict(paced(place, rate, times))
    booked = _awaited(house, placed)
    accepted = {
        one["order_id"]: datetime.fromisoformat(one["accepted_at"])
        for one in reversed(house.shop.deliveries())
        if one["accepted_at"]
    }
    acks = [_ms(at, accepted[order.external_id]) for order, at in placed.items()]
    return acks, [_ms(at, booked[order]) for order, at in placed.items()]


def _awaited(house: Deployed, placed: dict[EntityRef, datetime]) -> dict[EntityRef, datetime]:
    booked: dict[EntityRef, datetime] = {}
    until = time.monotonic() + PATIENCE_S
    while len(booked) < len(placed):
        for order in placed.keys() - booked.keys():
            found = whereabouts(house.stack, order, "erp").booked_at
            if found:
                booked[order] = found
        if time.monotonic() > until:
            missing = sorted(str(order) for order in placed.keys() - booked.keys())
            raise TimeoutError(f"not booked after {PATIENCE_S} s: {json.dumps(missing)}")
        time.sleep(0.5)
    return booked


def _ms(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() * 1000
