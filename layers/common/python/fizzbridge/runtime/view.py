"""An entity as it stands: its parts, its children, folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Documents, Invoice, Payment, Refund, Return, Shipment
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.order import OrderAssessment, OrderProcessing, OrderRequest
from fizzbridge.model.states import OrderState
from fizzbridge.trade.matching import matched

B = TypeVar("B", bound=Frozen)
D = TypeVar("D", Shipment, Return)

BODIES: dict[tuple[Kind, Part], type[Frozen]] = {
    (kind, Part.ASSESSMENT): RecordAssessment for kind in Kind
}
"""The model of every stored part."""

BODIES.update(
    {
        (Kind.ORDER, Part.REQUEST): OrderRequest,
        (Kind.ORDER, Part.PROCESSING): OrderProcessing,
        (Kind.ORDER, Part.ASSESSMENT): OrderAssessment,
        (Kind.SHIPMENT, Part.RECORD): Shipment,
        (Kind.INVOICE, Part.RECORD): Invoice,
        (Kind.PAYMENT, Part.RECORD): Payment,
        (Kind.REFUND, Part.RECORD): Refund,
        (Kind.RETURN, Part.RECORD): Return,
        (Kind.CUSTOMER, Part.RECORD): Customer,
        (Kind.PRODUCT, Part.RECORD): Product,
        (Kind.PRICE, Part.RECORD): Price,
        (Kind.STOCK_LEVEL, Part.RECORD): StockLevel,
        (Kind.PRODUCT, Part.TOLD): Product,
        (Kind.PRICE, Part.TOLD): Price,
        (Kind.STOCK_LEVEL, Part.TOLD): StockLevel,
    }
)


@dataclass(frozen=True)
class StoredPart:
    """One part as it is stored.

    Attributes:
        body: the part; None for a tombstone.
        version: the owner's version.
        fingerprint: of the body.
        connection: whose word it is.
        of: the object it is about, where a target says it of an order it holds.
        is_erased: whether a person was taken out of it.
        observed_at: when the delivery came in, or the read began, as the table writes moments.
        observed_at: when it was told, or the read of it begun.
        held: of an order's assessment: how often the order was held.
    """

    body: Frozen | None
    version: str
    fingerprint: str
    connection: str
    of: str = ""
    is_erased: bool = False
    observed_at: str = ""
    held: int = 0


@dataclass(frozen=True)
class View:
    """The latest state of an entity.

    Attributes:
        ref: the entity.
        parts: its parts, tombstones included.
        children: the documents that belong to an order.
        parent: the order a document belongs to, where it was asked for.
    """

    ref: EntityRef
    parts: Mapping[Part, StoredPart] = field(default_factory=dict)
    children: Sequence[View] = ()
    parent: View | None = None

    def body(self, part: Part, model: type[B]) -> B | None:
        """The body of a part; None where it is missing or a tombstone."""
        stored = self.parts.get(part)
        return stored.body if stored and isinstance(stored.body, model) else None

    @property
    def request(self) -> OrderRequest | None:
        """What the buyer asked for."""
        return self.body(Part.REQUEST, OrderRequest)

    @property
    def assessment(self) -> OrderAssessment | None:
        """What we make of the order."""
        return self.body(Part.ASSESSMENT, OrderAssessment)

    @property
    def is_over(self) -> bool:
        """Whether the order was cancelled or rejected."""
        order = self.assessment
        return order is not None and order.state in {OrderState.CANCELLED, OrderState.REJECTED}

    @property
    def order(self) -> View | None:
        """The order itself, or the one a document belongs to."""
        return self if self.ref.kind is Kind.ORDER else self.parent

    @property
    def documents(self) -> Documents:
        """What followed the order."""
        return Documents(
            shipments=tuple(self.moved(Shipment).values()),
            invoices=tuple(self.records(Invoice)),
            payments=tuple(self.records(Payment)),
            refunds=tuple(sorted(self.records(Refund), key=lambda one: one.at)),
            returns=tuple(self.moved(Return).values()),
        )

    def moved(
        self, model: type[D], said: Mapping[EntityRef, D] | None = None
    ) -> dict[EntityRef, D]:
        """The living shipments or returns with each line under the order's.

        What names codes only is shared out in the order in which the goods moved, so that what
        follows takes nothing from what was told before.

        Args:
            model: which of the two.
            said: what some are taken to say, in place of their own word.
        """
        told = {child.ref: child.body(Part.RECORD, model) for child in self.children}
        living = {ref: body for ref, body in told.items() if body} | dict(said or {})
        found = dict(sorted(living.items(), key=_turn))
        return dict(zip(found, matched(found.values(), self.assessment), strict=True))

    def records(self, model: type[B]) -> list[B]:
        """The living children of one kind."""
        found = (child.body(Part.RECORD, model) for child in self.children)
        return [body for body in found if body is not None]


_NOT_YET = datetime.max.replace(tzinfo=UTC)


def _turn(of: tuple[EntityRef, Shipment | Return]) -> tuple[datetime, int, str]:
    """When goods moved; of one moment by the owner's number, where 99 comes before 100."""
    ref, body = of
    at = body.dispatched_at if isinstance(body, Shipment) else body.received_at
    return at or _NOT_YET, len(ref.external_id), ref.external_id
