"""The way back in one process: an ERP that is told by hand, and a shop that is a target, too.

Like ``tests.kit.house``; messages for the shop go to its worker, levels in batches of ten as their
queue gives them, documents one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from fizzbridge.errors import FizzbridgeError, RateLimitedError
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.entity import LEVEL_KINDS, EntityRef, Kind, Part, ref
from fizzbridge.model.money import Money
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Unit
from fizzbridge.observability import Metrics
from fizzbridge.observation import Seen
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.breaker import Breaker
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances, Merge
from fizzbridge.runtime.overwrite import Overwrite
from fizzbridge.runtime.target import LevelEntity, Situation, TargetAdapter, TargetEntity
from fizzbridge.runtime.view import View
from fizzbridge.runtime.worker import Worker
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import BRIDGE, SECOND, House, Wanted

BACK = {
    "kinds": ["Order", "Shipment", "Refund", "StockLevel", "Price", "Product"],
    "from": ["erp"],
    "to": ["shop"],
}
NOWHERE = VendorClient(
    platform="shelf",
    base_url="https://shelf.example",
    auth=httpx.Auth(),
    errors=ErrorRules(),
    timeout=timedelta(seconds=1),
)
"""The shelf is in memory: nobody calls it."""
OWNS = ["order.processing", "shipment", "invoice", "refund", "product", "price", "stock"]


MARKET = ("GBP", False)
"""Of all the prices of the shop: its currency, and whether tax is in them."""


class Shown(Frozen):
    """What a shop shows of one item, whatever the kind."""

    text: tuple[str, ...]

    @property
    def by_code(self) -> dict[str, str]:
        return dict(text.rsplit(" ", 1) for text in self.text)


class Counter(LevelEntity):
    """A shop's shelf in memory: it holds the last it was told, and says what it was asked."""

    most = 4

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.held: dict[EntityRef, Shown] = {}
        self.said: dict[str, str] = {}
        """By code and place or list, the last it was told, whoever spoke."""
        self.writes: list[list[EntityRef]] = []
        self.refuse: dict[EntityRef, FizzbridgeError] = {}
        self.fail: FizzbridgeError | None = None
        self.meanwhile: Any = None
        self.is_silent = False
        self.poison: tuple[EntityRef, Exception] | None = None
        """Whom no call may have among others, and what is said to it."""

    def desired(self, view: View, situation: Situation) -> Shown | None:
        if self.kind is Kind.STOCK_LEVEL:
            found = [f"{one.code}@{one.place} {one.quantity}" for one in situation.stock(view)]
        elif self.kind is Kind.PRICE:
            found = [
                f"{one.code} {one.price_list} {one.min_quantity}+ {one.price.amount}"
                for one in situation.prices(view)
                if (one.price.currency, one.tax_included) == MARKET
            ]
        else:
            product = view.body(Part.RECORD, Product)
            found = [f"{code} {product.is_active}" for code in situation.codes(product.sku)]
        return Shown(text=tuple(found)) if found else None

    def write(
        self, vendor: Any, payloads: Mapping[EntityRef, Any]
    ) -> Mapping[EntityRef, FizzbridgeError]:
        if self.poison and self.poison[0] in payloads:
            raise self.poison[1]
        self.writes.append(list(payloads))
        if self.fail and not self.is_silent:
            raise self.fail
        failed = {one: error for one, error in self.refuse.items() if one in payloads}
        self.held |= {one: shown for one, shown in payloads.items() if one not in failed}
        for shown in (shown for one, shown in payloads.items() if one not in failed):
            self.said.update(shown.by_code)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        if self.fail:
            raise self.fail
        return failed


class Notes(TargetEntity):
    """What a shop holds of an order or a document of it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.names: dict[str, str] = {}
        self.held: dict[str, Wanted | None] = {}
        """By our reference, or the shop's own id, what there is; None where it was cancelled."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> Wanted | None:
        done = view.body(Part.PROCESSING, OrderProcessing)
        if view.ref.kind is Kind.ORDER:
            return Wanted(name=done.number) if done else None
        return Wanted(name=view.ref.external_id, lines=tuple(situation.external_ids.values()))

    def find(self, vendor: Any, reference: str, payload: Any) -> str | None:
        return next((made for made, one in self.names.items() if one == reference), None)

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        self.told.append(("create", reference))
        made = f"made-{len(self.told)}"
        self.names[made] = reference
        return made

    def update(self, vendor: Any, external_id: str, payload: Any) -> None:
        self.told.append(("update", (external_id, payload.name, payload.lines)))
        self.held[self.names.get(external_id, external_id)] = payload

    def cancel(self, vendor: Any, external_id: str) -> None:
        self.told.append(("cancel", external_id))
        self.held[self.names.get(external_id, external_id)] = None


class WayBack(House):
    """A house whose shop is a target, too."""

    def __init__(self, **bridge: Any) -> None:
        shop, erp = BRIDGE["connections"]
        connections = [shop, erp | {"roles": OWNS, "settings": {"warehouse": "WH"}}]
        routes = [*BRIDGE["routes"], BACK]
        self.worker: Worker | None = None
        self.is_full = False
        self.parked: list[EntityRef] = []
        """What the shop's worker left a pointer to in the DLQ."""
        super().__init__(
            **{"connections": connections, "routes": routes, "stock": {}, **bridge},
        )
        self.shelves = {kind: Counter(kind) for kind in LEVEL_KINDS}
        self.notes = Notes()
        entities: dict[Kind, TargetEntity] = {**self.shelves}
        entities |= dict.fromkeys((Kind.ORDER, Kind.SHIPMENT, Kind.REFUND), self.notes)

        class Shop(TargetAdapter):
            platform = "memory"
            errors = ErrorRules(())
            search_lag = timedelta(0)
            longest_transaction = timedelta(seconds=60)

            def auth(self, secret: Any, connection: Any) -> Any:
                return None

        Shop.entities = entities
        self.employ(Shop())

    def employ(self, adapter: TargetAdapter) -> None:
        """Put a worker before the shop."""
        connection = self.bridge.connection("shop")
        self.shop_converge = converge = Converge(
            adapter,
            connection,
            self.bridge,
            self.table,
            self.objects,
            self._capacity,
            self.clock,
            self.rules.catalogue,
        )
        self.levels = Overwrite(
            adapter,
            connection,
            self.bridge,
            self.table,
            Loader(self.table, self.objects),
            self.reach,
            lambda: converge.situation({}),
            self.clock,
        )
        self.worker = Worker(
            adapter,
            connection,
            converge,
            Breaker(self.rows, "shop", self.clock),
            lambda entity, *_: self.parked.append(entity),
            Metrics(lambda _: None),
            levels=self.levels,
        )

    @contextmanager
    def reach(self, holder: str, calls: int, left: Any) -> Iterator[Any]:
        if self.is_full:
            raise RateLimitedError("no place on the line", retry_after=timedelta(seconds=2))
        yield NOWHERE

    # -- what the world does -----------------------------------------------------------------------

    def told(
        self,
        entity: EntityRef,
        body: Frozen | None,
        *,
        part: Part = Part.RECORD,
        parent: EntityRef | None = None,
        by: str = "erp",
        at: datetime | None = None,
    ) -> Merge:
        """A connection says something; a second later than what it said before."""
        self.clock.advance(1)
        seen = Seen(entity, body, at or self.clock(), part, parent=parent)
        how = Circumstances(self.clock(), is_authoritative=True)
        return self.observer.observe(by, seen, SECOND, how)

    def stock(
        self,
        sku: str,
        on_hand: int,
        location: str = "WH",
        as_of: datetime | None = None,
        at: datetime | None = None,
        key: str = "",
        **more: Any,
    ) -> EntityRef:
        """The ERP says how much of an item is at a place; ``key`` is its own name of the item."""
        level = ref(Kind.STOCK_LEVEL, "erp", f"{key or sku}@{location}")
        body = StockLevel(
            product=ref(Kind.PRODUCT, "erp", sku),
            sku=sku,
            location=location,
            on_hand=on_hand,
            as_of=as_of or self.clock() + timedelta(seconds=1),
            **more,
        )
        self.told(level, body, at=at)
        return level

    def price(self, sku: str, amount: str, part: str = "", **more: Any) -> EntityRef:
        """The ERP says what one of a code costs."""
        entity = ref(Kind.PRICE, "erp", f"{sku}:{part}")
        body = Price(
            product=ref(Kind.PRODUCT, "erp", sku),
            sku=sku,
            unit=Unit.EACH,
            price=Money(amount=Decimal(amount), currency=more.pop("currency", "GBP")),
            **{"tax_included": False} | more,
        )
        self.told(entity, body)
        return entity

    def product(self, sku: str, *, is_active: bool = True) -> EntityRef:
        """The ERP says that an item is sold, or is not any more."""
        entity = ref(Kind.PRODUCT, "erp", sku)
        self.told(entity, Product(sku=sku, name=sku, is_active=is_active))
        return entity

    def process(self, order: EntityRef, number: str, state: OrderState) -> None:
        """The ERP says how far it is with an order it holds."""
        theirs = ref(Kind.ORDER, "erp", self.link(order)["external_id"])
        body = OrderProcessing(number=number, state=state, changed_at=self.clock())
        self.told(theirs, body, part=Part.PROCESSING)

    def map(self, sort: str, value: str, mapped: str) -> None:
        """A person maps a word of the shop's to ours."""
        self.rows.write(
            Write(
                f"MAP#shop#{sort}",
                value,
                set={"mapped": mapped, "updated_at": to_text(self.clock())},
            )
        )

    # -- what the house does -----------------------------------------------------------------------

    def _announce(self, before: Any, after: Any) -> None:
        known = len(self.events)
        super()._announce(before, after)
        for _, event in self.events[known:]:
            if "shop" in getattr(event, "targets", ()):
                self.messages.append(("shop", event))

    def handle(self, to: str, event: Any) -> None:
        if to != "shop":
            super().handle(to, event)
            return
        batch = [event]
        if event.kind in LEVEL_KINDS:
            more = [m for m in self.messages if m[0] == "shop" and m[1].kind in LEVEL_KINDS][:9]
            for one in more:
                self.messages.remove(one)
            batch += [one for _, one in more]
        self.work(batch)

    def work(self, batch: Sequence[Any]) -> dict[int, Again | None]:
        """A batch of the shop's queue; what is put off comes back after that time."""
        assert self.worker
        self._holder += 1
        messages = [
            Message(
                f"run-{self._holder}-{number}", {"detail": {"kind": one.kind, "key": one.key}}, 1
            )
            for number, one in enumerate(batch)
        ]
        answers = self.worker.together(messages)
        for message, event in zip(messages, batch, strict=True):
            again = answers[message.id] if message.id in answers else self.worker.work(message)
            if again:
                wait = again.after or timedelta(seconds=10)
                self.clock.advance(wait.total_seconds() + 0.001)
                self.messages.append(("shop", event))
        return {}

    def until(self, condition: Any) -> None:
        """Work off messages until something is so."""
        for _ in range(500):
            if condition():
                return
            self.handle(*self.messages.popleft())
        raise AssertionError("it never came to that")

    def assess_all(self) -> int:
        """Have everything assessed that waits for it; messages for others stay.

        Returns:
            How many messages that took.
        """
        handled = 0
        while waiting := [one for one in self.messages if one[0] == "assess"]:
            self.messages.remove(waiting[0])
            self.handle(*waiting[0])
            handled += 1
        return handled

    # -- what is seen ------------------------------------------------------------------------------

    def shown(self, kind: Kind = Kind.STOCK_LEVEL) -> dict[str, str]:
        """What the shop shows, by code and place or list."""
        shown = self.shelves[kind].held.values()
        return {code: text for one in shown for code, text in one.by_code.items()}

    def record(self, entity: EntityRef) -> RecordAssessment:
        found = Loader(self.rows, self.objects).view(entity).body(Part.ASSESSMENT, RecordAssessment)
        assert found
        return found
