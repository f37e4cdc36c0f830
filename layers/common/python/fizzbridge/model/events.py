"""The events on the bus: their names, their envelope, and what each says.

Events are thin of people: ids, versions, codes and amounts, never names, addresses, mails, phones
or notes. The JSON Schemas in ``events/schemas`` are generated from these models.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar, Literal

from fizzbridge.model.assessment import Difference
from fizzbridge.model.base import Amount, Country, Frozen, Instant, Sku
from fizzbridge.model.entity import Kind
from fizzbridge.model.money import Currency
from fizzbridge.model.order import HoldReason, LineType, OrderClass, Totals
from fizzbridge.model.states import OrderState

SOURCE_PREFIX = "fizzbridge."
SCHEMA_VERSION = 1


class DetailType(StrEnum):
    """Every detail-type on the bus."""

    ENTITY_OBSERVED = "EntityObserved"
    CAUSE_CHANGED = "CauseChanged"
    ORDER_PLACED = "OrderPlaced"
    ORDER_CHANGED = "OrderChanged"
    ORDER_CANCELLED = "OrderCancelled"
    ORDER_HELD = "OrderHeld"
    ORDER_RELEASED = "OrderReleased"
    CUSTOMER_CHANGED = "CustomerChanged"
    PRODUCT_CHANGED = "ProductChanged"
    PRICE_CHANGED = "PriceChanged"
    STOCK_LEVEL_CHANGED = "StockLevelChanged"
    SHIPMENT_DISPATCHED = "ShipmentDispatched"
    SHIPMENT_DELIVERED = "ShipmentDelivered"
    INVOICE_ISSUED = "InvoiceIssued"
    INVOICE_VOIDED = "InvoiceVoided"
    PAYMENT_RECEIVED = "PaymentReceived"
    REFUND_ISSUED = "RefundIssued"
    RETURN_REQUESTED = "ReturnRequested"
    RETURN_RECEIVED = "ReturnReceived"
    ORDER_BOOKED = "OrderBooked"
    ORDER_SYNCED = "OrderSynced"
    SHIPMENT_SYNCED = "ShipmentSynced"
    INVOICE_SYNCED = "InvoiceSynced"
    PAYMENT_SYNCED = "PaymentSynced"
    REFUND_SYNCED = "RefundSynced"
    RETURN_SYNCED = "ReturnSynced"
    CUSTOMER_SYNCED = "CustomerSynced"
    PRODUCT_SYNCED = "ProductSynced"
    PRICE_SYNCED = "PriceSynced"
    STOCK_LEVEL_SYNCED = "StockLevelSynced"
    EXPORT_FAILED = "ExportFailed"
    DRIFT_FOUND = "DriftFound"
    DATA_REQUESTED = "DataRequested"
    CONNECTION_TROUBLED = "ConnectionTroubled"


ASSESS_TYPES = frozenset({DetailType.ENTITY_OBSERVED, DetailType.CAUSE_CHANGED})
"""What assess reacts on."""

LEVEL_TYPES = frozenset(
    {DetailType.PRODUCT_CHANGED, DetailType.PRICE_CHANGED, DetailType.STOCK_LEVEL_CHANGED}
)
"""What a target's queue for levels takes."""

DOCUMENT_TYPES = frozenset(
    {
        DetailType.ORDER_PLACED,
        DetailType.ORDER_CHANGED,
        DetailType.ORDER_CANCELLED,
        DetailType.ORDER_HELD,
        DetailType.ORDER_RELEASED,
        DetailType.CUSTOMER_CHANGED,
        DetailType.SHIPMENT_DISPATCHED,
        DetailType.SHIPMENT_DELIVERED,
        DetailType.INVOICE_ISSUED,
        DetailType.INVOICE_VOIDED,
        DetailType.PAYMENT_RECEIVED,
        DetailType.REFUND_ISSUED,
        DetailType.RETURN_REQUESTED,
        DetailType.RETURN_RECEIVED,
    }
)
"""What a target's queue for documents takes."""

RECORD_TYPES = frozenset(DetailType) - ASSESS_TYPES
"""What the recorder writes on the timeline."""


class Event(Frozen):
    """The envelope every event has."""

    event_id: str
    """Deterministic: the same change of the same row always has the same id."""
    schema_version: Literal[1] = 1
    """Fields may be added within a version, never changed or taken away."""
    connection: str
    """Whose word it is: the owner of the part, or the target that was written."""
    targets: tuple[str, ...] = ()
    """Connections that should hold the entity; the rule of each looks for its own name here."""
    kind: Kind
    """What the event is about."""
    key: str
    """Which one: ``shop-uk/5501``."""
    occurred_at: Instant
    """When the row it tells of was written."""
    correlation_id: str = ""
    """Follows one delivery or command through logs, events and the timeline."""

    detail_types: ClassVar[frozenset[DetailType]] = frozenset()


class EntityObserved(Event):
    """Something an assessment depends on moved."""

    detail_types = frozenset({DetailType.ENTITY_OBSERVED})


class CauseChanged(Frozen):
    """A row of a map was written; what was held for it may go on."""

    event_id: str
    schema_version: Literal[1] = 1
    cause: str
    occurred_at: Instant

    detail_types: ClassVar[frozenset[DetailType]] = frozenset({DetailType.CAUSE_CHANGED})


class OrderLineFact(Frozen):
    """A line by SKU, in base units."""

    type: LineType
    sku: Sku | None
    base_quantity: int | None
    amount: Amount
    tax: Amount


class OrderEvent(Event):
    """An order was placed, changed, cancelled, held or released."""

    number: str
    state: OrderState
    order_class: OrderClass
    channel: str
    ship_country: Country | None
    currency: Currency
    totals: Totals
    lines: tuple[OrderLineFact, ...]
    """Empty where ``line_count`` is too many for one event; read the order then."""
    line_count: int
    tax_point: date
    is_historical: bool
    holds: tuple[HoldReason, ...]

    detail_types = frozenset(
        {
            DetailType.ORDER_PLACED,
            DetailType.ORDER_CHANGED,
            DetailType.ORDER_CANCELLED,
            DetailType.ORDER_HELD,
            DetailType.ORDER_RELEASED,
        }
    )


class EntityEvent(Event):
    """An entity of another kind changed, or its customer asks what is known of them."""

    order: str = ""
    """Key of the order it belongs to."""
    state: str = ""
    amount: Amount | None = None
    currency: Currency | None = None

    detail_types = frozenset(
        {
            DetailType.CUSTOMER_CHANGED,
            DetailType.DATA_REQUESTED,
            DetailType.PRODUCT_CHANGED,
            DetailType.PRICE_CHANGED,
            DetailType.STOCK_LEVEL_CHANGED,
            DetailType.SHIPMENT_DISPATCHED,
            DetailType.SHIPMENT_DELIVERED,
            DetailType.INVOICE_ISSUED,
            DetailType.INVOICE_VOIDED,
            DetailType.PAYMENT_RECEIVED,
            DetailType.REFUND_ISSUED,
            DetailType.RETURN_REQUESTED,
            DetailType.RETURN_RECEIVED,
        }
    )


class LinkEvent(Event):
    """A target holds the entity (``Booked``: for the first time), or cannot be made to."""

    external_id: str = ""
    generation: int = 0
    reason: str = ""
    cause: str = ""

    detail_types = frozenset(
        {
            DetailType.ORDER_BOOKED,
            DetailType.ORDER_SYNCED,
            DetailType.SHIPMENT_SYNCED,
            DetailType.INVOICE_SYNCED,
            DetailType.PAYMENT_SYNCED,
            DetailType.REFUND_SYNCED,
            DetailType.RETURN_SYNCED,
            DetailType.CUSTOMER_SYNCED,
            DetailType.PRODUCT_SYNCED,
            DetailType.PRICE_SYNCED,
            DetailType.STOCK_LEVEL_SYNCED,
            DetailType.EXPORT_FAILED,
            DetailType.CONNECTION_TROUBLED,
        }
    )


class DriftEvent(Event):
    """Somebody shows another value than the owner's; ``connection`` is who."""

    told: str
    """Key of what was told: the product, price or level as its teller names it."""
    sku: str
    """The code it was told under."""
    differences: tuple[Difference, ...]
    """What differs, as both say it."""

    detail_types = frozenset({DetailType.DRIFT_FOUND})


EVENT_MODELS: dict[DetailType, type[Event] | type[CauseChanged]] = {
    detail_type: model
    for model in (EntityObserved, CauseChanged, OrderEvent, EntityEvent, LinkEvent, DriftEvent)
    for detail_type in model.detail_types
}


def synced(kind: Kind) -> DetailType:
    """The event that says a target holds an entity of this kind."""
    return DetailType(f"{kind}Synced")
