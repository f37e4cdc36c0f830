"""A house whose target holds the money of an order too, and speaks of it by names of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fizzbridge.model.base import Frozen
from fizzbridge.model.documents import (
    Payment,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from tests.kit.house import BRIDGE, SECOND, Held, House, Shelf, order_ref, order_request

PAYMENT = ref(Kind.PAYMENT, "shop", "p1")
SHIPMENT = ref(Kind.SHIPMENT, "erp", "s9")
THEIRS = ref(Kind.ORDER, "erp", "Order-1")
"""What the target calls the first order it is given."""

ROUTE = {"from": ["shop"], "to": ["erp"]}
BRITISH = {"where": {"ship_country": ["GB"]}}


class Booked(Frozen):
    """A payment at the dictionary target."""

    amount: Decimal
    order: str


class Payments(Shelf):
    """Payments at the dictionary target: there is none until it is settled."""

    def requires(self, view: View) -> list[EntityRef]:
        return [view.parent.ref]

    def desired(self, view: View, situation: Situation) -> Booked | None:
        if self.refuse:
            raise self.refuse
        payment = view.body(Part.RECORD, Payment)
        if payment.status is not SettlementStatus.SETTLED:
            return None
        return Booked(amount=payment.amount, order=situation.external_ids[view.parent.ref])


class LedgerHouse(House):
    """Orders of British addresses go to the ERP, and what was paid for them goes along."""

    def __init__(self, **bridge: Any) -> None:
        shop, erp = BRIDGE["connections"]
        erp = erp | {"roles": ["order.processing", "shipment"]}
        routes = [{"kinds": ["Order", "Payment"]} | ROUTE | BRITISH]
        super().__init__(**{"connections": [shop, erp], "routes": routes} | bridge)
        self.payments = Payments(self.clock, self.steps, Kind.PAYMENT)
        self.serve({shelf.kind: shelf for shelf in (self.orders, self.customers, self.payments)})

    # -- what the world does -----------------------------------------------------------------

    def pay(
        self,
        status: SettlementStatus = SettlementStatus.SETTLED,
        amount: str = "2.40",
        payment: EntityRef = PAYMENT,
    ) -> None:
        money = {"amount": Decimal(amount), "currency": "GBP"}
        body = Payment(order=order_ref(), at=self.clock(), status=status, **money)
        self.observe(Seen(payment, body, self.clock(), parent=order_ref()))

    def amend(self, second: int, **changes: Any) -> None:
        """The order is another from this second on."""
        request = order_request(second=second, **changes)
        self.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))

    def move(self, country: str, second: int, **changes: Any) -> None:
        """The order is sent to another country, and everything is worked off."""
        self.amend(second, ship_to=Address(country=country), **changes)
        self.settle()

    def erp_says(self, seen: Seen, *, is_authoritative: bool = True) -> None:
        how = Circumstances(self.clock(), is_authoritative)
        self.observer.observe("erp", seen, SECOND, how)

    def shipped(self, order: EntityRef = THEIRS, sku: str = "COLA330") -> Seen:
        """The ERP's word that the whole order has left."""
        body = Shipment(
            order=order,
            number="WH/OUT/9",
            state=ShipmentState.DISPATCHED,
            lines=(ShippedLine(order_line_id="", sku=sku, quantity=2),),
            dispatched_at=self.clock(),
        )
        return Seen(SHIPMENT, body, self.clock(), parent=order)

    def processed(self, order: EntityRef = THEIRS, state: OrderState = OrderState.RELEASED) -> Seen:
        """The ERP's word how far an order is."""
        body = OrderProcessing(number="S009", state=state, changed_at=self.clock())
        return Seen(order, body, self.clock(), Part.PROCESSING)

    # -- what the house does -----------------------------------------------------------------

    def assess(self) -> None:
        """Assess whatever moved; no message reaches the target."""
        while self.messages:
            to, event = self.messages.popleft()
            if to == "assess":
                self.handle(to, event)

    # -- what is true ------------------------------------------------------------------------

    @property
    def order(self) -> View:
        return Loader(self.rows, self.objects).view(order_ref())

    @property
    def state(self) -> OrderState:
        return self.order.assessment.state

    @property
    def dispatched(self) -> dict[str, int]:
        """What has left, by order line."""
        return dict(self.order.documents.shipped())


def live(shelf: Shelf) -> list[Held]:
    """What stands at the target."""
    return [held for held in shelf.objects.values() if not held.is_cancelled]
