"""What the deliveries and the orders of each shop cost, on its sandbox and in one process."""

from __future__ import annotations

import gc
import hashlib
import hmac
import time
from statistics import median

from fizzbridge.manifest import load_registry
from scripts.bench import percentile
from scripts.generated import ROOT, table
from tests.kit.shop import Line, Shop
from tests.kit.source import SECRET, Source, http_event

ORDERS = 40
COLUMNS = (
    "source",
    "deliveries",
    "bytes p50",
    "delivery p50 / p99, ms",
    "times HMAC of the body",
    "calls of an order",
)


def sources() -> str:
    """A row for each source."""
    found = load_registry(ROOT).items()
    rows = [row(slug, one.name) for slug, one in sorted(found) if one.functions.webhook]
    return (
        f"{ORDERS} orders are placed, changed, and told by the sandbox's webhooks. CPU of one "
        "thread from the HTTP event to the answer, with the state table in memory, and how many "
        "times what HMAC of the same bytes takes. *Calls of an order* are what a poll that finds "
        "all of them asks the platform, by order.\n\n" + table(COLUMNS, rows)
    )


def row(slug: str, name: str) -> tuple[str, ...]:
    """Deliver everything to one bridge, and let another one poll."""
    shop = Shop(slug)
    for _ in range(ORDERS):
        order = shop.place()
        shop.later(1)
        shop.act(order, "update")
        shop.later(1)
    hears, asks = shop.source(), shop.source()
    shop.catch_up(hears)
    told = shop.told()
    took = [delivered(hears, http_event(one.headers, one.body, encoded=True)) for one in told]
    least = [signed(one.body) for one in told]
    shop.poll(asks)
    line = asks.transport
    if not isinstance(line, Line):
        raise TypeError("the requests are not counted")
    return (
        name,
        f"{len(told)}",
        f"{median(len(one.body) for one in told):,.0f}",
        f"{percentile(took, 0.5):.2f} / {percentile(took, 0.99):.2f}",
        f"{percentile(took, 0.5) / percentile(least, 0.5):.0f}",
        f"{len(line.requests) / ORDERS:.1f}",
    )


def delivered(source: Source, event: dict[str, object]) -> float:
    """CPU milliseconds of one delivery; it must be taken."""
    gc.collect(0)
    start = time.thread_time_ns()
    status = source.deliver(event)
    spent = (time.thread_time_ns() - start) / 1e6
    if status != 200:
        raise RuntimeError(f"a delivery was answered {status}")
    return spent


def signed(body: bytes | str) -> float:
    """CPU milliseconds of the floor."""
    raw = body.encode() if isinstance(body, str) else body
    start = time.thread_time_ns()
    hmac.digest(SECRET.encode(), raw, hashlib.sha256)
    return (time.thread_time_ns() - start) / 1e6
