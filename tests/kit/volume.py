"""Many changes at once through the real runtime, in one process, against a shop's own limits.

Threads stand for functions: one assesses, several are the target's, one polls and checks beside.
They share the table, the limiter and a clock that runs faster than the real one, which the shop's
sandbox counts its minutes by.
"""

from __future__ import annotations

import asyncio
import heapq
import importlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fizzbridge.errors import FizzbridgeError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import LEVEL_KINDS, EntityRef, Kind, ref
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.batch import Message
from fizzbridge.runtime.calls import reserved
from fizzbridge.runtime.limiter import Limiter
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.pull import Span
from fizzbridge.runtime.target import Situation
from tests.kit.clock import START
from tests.kit.shop_back import ShopBack
from tests.kit.source import SECRET, TOKEN

SPEED = 30
"""How many seconds of the shop's pass in one of ours."""

CALL_S = 0.3
"""What a call to the shop takes, by its clock."""

WORKERS = 6
"""Target functions that run at once: more than the connection may make calls."""

BATCH = 10
TIMING = {
    "lease": 900,
    "pull_timeout": 600,
    "target_timeout": 600,
    "visibility": 900,
    "call_timeout": 300,
    "resync_after": 60,
}
PATIENCE_S = 900.0


class FastClock:
    """A clock that runs by itself, faster than ours."""

    def __init__(self, speed: float = SPEED) -> None:
        self._begun = time.monotonic()
        self._speed = speed

    def __call__(self) -> datetime:
        return START + timedelta(seconds=(time.monotonic() - self._begun) * self._speed)

    def advance(self, seconds: float) -> None:
        """Time passes by itself."""


class SlowShop:
    """A shop that takes its time for each call; what it does, it does one by one."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(CALL_S / SPEED)
        with self._lock:
            await self._app(scope, receive, send)


@dataclass
class Report:
    """What a run came to.

    Attributes:
        changes: told by the ERP.
        items: that they were about.
        writes: calls that set stock.
        calls: every call to the shop.
        minutes: by the shop's clock.
        seconds: by ours.
        behind_then: items that waited when the fulfilment was made.
        calls_before: calls that set stock between the shipment's message and its fulfilment.
        parallel: the most calls at once, as the shop counted them.
        per_minute: the most calls in a minute, likewise.
        refused: calls that were too many.
        wrong: codes whose figure is not the last, with both.
    """

    changes: int
    items: int
    writes: int = 0
    calls: int = 0
    minutes: float = 0.0
    seconds: float = 0.0
    behind_then: int = 0
    calls_before: int = 0
    parallel: int = 0
    per_minute: int = 0
    refused: int = 0
    wrong: dict[str, tuple[int, int]] = field(default_factory=dict)


class Volume:
    """Drives one shop with everything at once."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.house = house = stand.house
        self.limiter = Limiter(house.rows, house.clock)
        self._delayed: list[tuple[datetime, int, Any]] = []
        self._lock = threading.Lock()
        self._count = 0
        self._stop = threading.Event()
        self.crashes: list[BaseException] = []
        house.sandbox.load.app = SlowShop(house.sandbox.load.app)
        house.reach = self._reach  # type: ignore[method-assign]
        house._capacity = self._documents  # type: ignore[method-assign]
        house.employ(house.adapter)

    # -- the line, within the limits -----------------------------------------------------------

    @contextmanager
    def _line(self, holder: str, calls: int, *, yields: bool) -> Iterator[VendorClient]:
        left = timedelta(seconds=self.house.bridge.timing.lease)
        with reserved(
            self.house.connection,
            self.limiter,
            lambda _: self.house.client,
            calls=calls,
            holder=holder,
            left=lambda: left,
            yields=yields,
        ) as vendor:
            yield vendor

    def _reach(self, holder: str, calls: int, left: Any) -> Any:
        return self._line(holder, calls, yields=True)

    def _documents(self, lease: Any) -> Any:
        return self._line(f"{lease.holder}/{lease.pk}", 12, yields=False)

    # -- functions -----------------------------------------------------------------------------

    def _take(self, places: frozenset[str]) -> list[tuple[str, Any]]:
        """A batch for some functions: documents one by one, levels as their queue gives them."""
        house, now = self.house, self.house.clock()
        with self._lock:
            while self._delayed and self._delayed[0][0] <= now:
                house.messages.append(("shop", heapq.heappop(self._delayed)[2]))
            wanted = [one for one in list(house.messages) if one[0] in places]
            alone = [one for one in wanted if one[0] != "shop" or one[1].kind not in LEVEL_KINDS]
            batch = alone[:1] or wanted[:BATCH]
            for one in batch:
                house.messages.remove(one)
            return batch

    def _assess(self) -> None:
        batch = self._take(frozenset({"assess", "erp"}))
        for to, event in batch:
            self.house.handle(to, event)
        if not batch:
            time.sleep(0.002)

    def _work(self) -> None:
        batch = [event for _, event in self._take(frozenset({"shop"}))]
        if not batch:
            time.sleep(0.002)
            return
        worker = self.house.worker
        assert worker
        messages = [
            Message(self._holder(), {"detail": {"kind": one.kind, "key": one.key}}, 1)
            for one in batch
        ]
        answers = worker.together(messages)
        for message, event in zip(messages, batch, strict=True):
            again = answers[message.id] if message.id in answers else worker.work(message)
            if again:
                due = self.house.clock() + (again.after or timedelta(seconds=5))
                with self._lock:
                    self._count += 1
                    heapq.heappush(self._delayed, (due, self._count, event))

    def _sweep(self) -> None:
        """What the sweeper does: hints for what has been behind too long."""
        house = self.house
        house.sweeper.run()
        for message in house.queue.sent():
            house.queue.take(message.url)
            detail = json.loads(message.body)["detail"]
            hint = EntityRef(kind=Kind(detail["kind"]), key=detail["key"])
            to = "assess" if message.url == "assess" else message.url.split("-")[2]
            with self._lock:
                house.messages.append((to, hint))

    def _beside(self) -> None:
        """Polls and checks that go on all the while, by the same limits."""
        house = self.house
        try:
            with self._line(self._holder(), house.pull.calls, yields=False) as vendor:
                span = Span(house.clock() - timedelta(minutes=1))
                house.pull.changes(vendor, "orders", None, span, house.connection)
            with self._line(self._holder(), 12, yields=False) as vendor:
                client = house.adapter.client(vendor, house.connection)
                situation: Situation = house.shop_converge.situation({})
                list(house.adapter.check(client, situation))
        except FizzbridgeError:
            pass  # no place on the line now: the next round comes
        time.sleep(10 / SPEED)

    def _holder(self) -> str:
        with self._lock:
            self._count += 1
            return f"run-{self._count}"

    def _loop(self, step: Any) -> None:
        try:
            while not self._stop.is_set():
                step()
        except BaseException as error:  # a thread that dies must fail the run
            self.crashes.append(error)
            raise

    # -- the run -------------------------------------------------------------------------------

    def run(self, changes: int) -> Report:
        """Tell of so many changes, ship an order in the middle, and wait until all is shown."""
        skus = self.stand.skus
        order, line = self.stand.order(skus[0], 1)
        report = Report(changes, len(skus))
        begun, started = self.house.clock(), time.monotonic()
        chance = random.Random(7)  # noqa: S311  the same changes in every run
        steps = [self._assess, *[self._work] * WORKERS, self._beside]
        threads = [threading.Thread(target=self._loop, args=(one,), daemon=True) for one in steps]
        for thread in threads:
            thread.start()
        last: dict[str, int] = {}
        for number in range(changes):
            sku = chance.choice(skus)
            last[sku] = chance.randrange(1, 10_000)
            self.house.stock(sku, last[sku])
            if number == changes // 2:
                self._shipped(order, line, report)
        # The ERP goes on with the order, and counts once more what it is of.
        self.house.process(order, "S1", OrderState.CONFIRMED)
        self._await(lambda: "reserved_at" in self.house.link(order))
        last[skus[0]] = chance.randrange(1, 10_000)
        self.house.stock(skus[0], last[skus[0]])
        self._await(lambda: self._is_done(last))
        self._stop.set()
        for thread in threads:
            thread.join(30)
        assert not self.crashes, self.crashes
        self.house.sandbox.load.app = self.stand.house.sandbox.load.app._app
        peaks = self.house.sandbox.load
        report.parallel, report.per_minute = peaks.peak_parallel, peaks.peak_per_minute
        report.refused = peaks.refused
        report.calls = len(self.house.sent())
        report.writes = self._writes()
        report.minutes = (self.house.clock() - begun).total_seconds() / 60
        report.seconds = time.monotonic() - started
        peaks.most_per_minute = peaks.most_parallel = None
        shown = {one: self.stand.offered(one) for one in last}
        report.wrong = {one: (last[one], shown[one]) for one in last if shown[one] != last[one]}
        return report

    def _shipped(self, order: EntityRef, line: str, report: Report) -> None:
        self._await(lambda: self.house.link(order).get("status") == "synced")
        link = shipped(self.stand, order, line)
        self._await(link)
        before = self._writes()
        self._await(lambda: link().get("status") == "synced")
        report.calls_before = self._writes() - before
        report.behind_then = len(self._behind())

    def _behind(self) -> set[str]:
        shards = ["shop#urgent", *(f"shop#{number}" for number in range(4))]
        listed = [
            pk for one in shards for pk, _ in self.house.rows.index("behind", one, limit=9999)
        ]
        return {pk for pk in listed if pk.startswith("StockLevel")}

    def _is_done(self, last: dict[str, int]) -> bool:
        with self._lock:
            waiting = bool(self.house.messages or self._delayed)
        return not waiting and not self._behind()

    def _await(self, condition: Any) -> None:
        until = time.monotonic() + PATIENCE_S
        swept = time.monotonic()
        while not condition():
            assert not self.crashes, self.crashes
            assert time.monotonic() < until, "it never came to that"
            if time.monotonic() > swept + 1:
                self._sweep()
                swept = time.monotonic()
            time.sleep(0.01)

    def _writes(self) -> int:
        return sum(self.house.sandbox.accepted[name] for name in self.stand.writes)


@dataclass
class Stand:
    """A shop with many items for sale.

    Attributes:
        house: the house with the shop.
        skus: what it sells.
        writes: the sandbox's names of what sets stock.
        offered: how many it shows of a code.
    """

    house: ShopBack
    skus: list[str]
    writes: tuple[str, ...]
    offered: Callable[[str], int]

    def order(self, sku: str, quantity: int) -> tuple[EntityRef, str]:
        """Somebody orders; gives the order and the id of its line."""
        house = self.house
        self.house.control("orders", {"lines": [{"sku": sku, "quantity": quantity}]})
        house.hear()
        (order,) = {
            EntityRef.parse(str(row["pk"]))
            for row in house.rows.rows()
            if str(row["pk"]).startswith("Order#shop/") and row["sk"] == "PART#request"
        }
        request = Loader(house.rows, house.objects).view(order).request
        assert request
        return order, request.lines[0].id


def catalogue(count: int) -> list[CatalogueItem]:
    """So many items, each sold by the piece."""
    return [CatalogueItem(sku=f"DRINK-{number:03}", name="Drink") for number in range(count)]


def shopify(count: int, parallel: int, per_minute: int) -> Stand:
    """A Shopify shop."""
    items = catalogue(count)
    make = importlib.import_module("platforms.shopify.sandbox").make
    scopes = "orders customers products payment_terms companies fulfillments returns inventory"
    reads = [f"read_{one}" for one in f"{scopes} locations".split()]
    writes = ["write_inventory", "write_products", "write_orders"]
    sandbox = make(
        {
            "shop": "fizz-depot.myshopify.com",
            "access_tokens": {
                TOKEN: [*reads, *writes, "write_merchant_managed_fulfillment_orders"]
            },
            "client_secrets": [SECRET],
            "webhook_uri": "https://hooks.example/shopify",
            "variants": [
                {"sku": one.sku, "title": one.sku, "price": "1.00", "stock": 1} for one in items
            ],
            "limits": {"parallel": parallel, "per_minute": per_minute},
        }
    )
    calls = {"parallel": parallel, "per_minute": per_minute}
    shop = {"base_url": "https://fizz-depot.myshopify.com", "calls": calls}
    clock = FastClock()
    house = ShopBack(
        *("shopify", sandbox, shop, {"access_token": TOKEN}, SECRET),
        items=items,
        clock=clock,
        timing=TIMING,
    )

    def offered(code: str) -> int:
        found = f"productVariants(first: 1, query: \"sku:'{code}'\")"
        query = f"{{ {found} {{ nodes {{ inventoryQuantity }} }} }}"
        client = house.adapter.client(house.client, house.connection)
        told: Any = client.ask(query)  # type: ignore[attr-defined]
        return int(told["productVariants"]["nodes"][0]["inventoryQuantity"])

    return Stand(house, [one.sku for one in items], ("inventory_set",), offered)


def woocommerce(count: int, parallel: int, per_minute: int) -> Stand:
    """A WooCommerce store."""
    items = catalogue(count)
    make = importlib.import_module("platforms.woocommerce.sandbox").make
    products = [
        {"sku": one.sku, "name": one.sku, "price": "1.00", "stock": 1, "id": 100 + number}
        for number, one in enumerate(items)
    ]
    limits = {"parallel": parallel, "per_minute": per_minute}
    sandbox = make(
        {"products": products, "webhook_uri": "https://hooks.example/shop", "limits": limits}
    )
    api = {"consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox"}
    shop = {"base_url": "https://store.example", "calls": limits}
    house = ShopBack(
        *("woocommerce", sandbox, shop, api, "sandboxwebhooksecret0123456789ab"),
        items=items,
        clock=FastClock(),
        timing=TIMING,
    )

    def offered(code: str) -> int:
        found = house.client.get("/wp-json/wc/v3/products", params={"sku": code}).data
        return int(found[0]["stock_quantity"])

    return Stand(house, [one.sku for one in items], ("batch_updated",), offered)


STANDS = {"shopify": shopify, "woocommerce": woocommerce}


def shipped(stand: Stand, order: EntityRef, line: str) -> Callable[[], dict[str, Any]]:
    """The ERP says that an order's goods have left; gives the link by which the shop is told."""
    house = stand.house
    entity = ref(Kind.SHIPMENT, "erp", f"ship-{order.external_id}")
    gone = ShippedLine(order_line_id=line, sku=stand.skus[0], quantity=1)
    body = Shipment(
        order=order,
        number="W1",
        state=ShipmentState.DISPATCHED,
        lines=(gone,),
        tracking_number="1Z",
        carrier="UPS",
    )
    house.told(entity, body, parent=order)
    return lambda: house.link(entity, "shop")
