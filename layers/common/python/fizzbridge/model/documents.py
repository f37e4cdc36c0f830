"""What follows an order: shipments, invoices, payments, refunds, returns.

Payments, refunds, invoices and credit notes are acts: made once, then only voided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from fizzbridge.model.base import Amount, Frozen, Instant, Sku
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import Currency
from fizzbridge.model.order import Document, settle


class ShippedLine(Frozen):
    """Goods of one order line in a shipment or return."""

    order_line_id: str
    """Empty where the source names a code only."""
    sku: Sku | None = None
    quantity: Annotated[int, Field(ge=0)]
    """In the order line's unit; in base units where no order line is named."""
    lot: str = ""
    best_before: date | None = None


class ShipmentState(StrEnum):
    """How far one shipment is."""

    PLANNED = "PLANNED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


class Shipment(Frozen):
    """Goods that leave for a customer."""

    order: EntityRef
    number: str
    state: ShipmentState
    lines: tuple[ShippedLine, ...]
    carrier: str = ""
    tracking_number: str = Field(default="", repr=False)
    tracking_url: str = Field(default="", repr=False)
    dispatched_at: Instant | None = None
    delivered_at: Instant | None = None

    @property
    def has_left(self) -> bool:
        """Whether the goods are on their way, or there."""
        return self.state in {ShipmentState.DISPATCHED, ShipmentState.DELIVERED}


class InvoiceState(StrEnum):
    """Whether an invoice stands."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    VOIDED = "VOIDED"


class Invoice(Document):
    """An invoice, or a credit note where it names the invoice it takes back from."""

    order: EntityRef | None
    number: str
    state: InvoiceState
    credits: EntityRef | None = None
    """The invoice a credit note belongs to; None for an invoice."""
    issued_on: date | None = None
    due_on: date | None = None


class _Moved(Frozen):
    """Money that moved for an order."""

    order: EntityRef
    amount: Amount
    currency: Currency
    gateway: str = ""
    at: Instant

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        settle(self, "amount", self.currency, "amount")
        return self


class SettlementStatus(StrEnum):
    """Whether money really moved."""

    PENDING = "PENDING"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    VOIDED = "VOIDED"


class Payment(_Moved):
    """One successful sale or capture: the source's own transaction."""

    status: SettlementStatus
    fee: Amount = Decimal(0)
    """What the gateway kept."""
    is_test: bool = False

    @model_validator(mode="after")
    def _fee_in_minor_units(self) -> Self:
        settle(self, "fee", self.currency, "fee")
        return self


class RefundedLine(Frozen):
    """What of an order line a refund covers."""

    order_line_id: str
    quantity: Annotated[int, Field(ge=0)]
    amount: Amount
    tax: Amount
    is_restocked: bool


class Refund(_Moved):
    """Money given back; it may name lines, a return, both or neither."""

    status: SettlementStatus
    lines: tuple[RefundedLine, ...] = ()
    reason: str = Field(default="", repr=False)

    @model_validator(mode="after")
    def _lines_in_minor_units(self) -> Self:
        for line in self.lines:
            for name in ("amount", "tax"):
                settle(line, name, self.currency, f"line {line.order_line_id} {name}")
        return self


class ReturnState(StrEnum):
    """How far a return is."""

    REQUESTED = "REQUESTED"
    RECEIVED = "RECEIVED"
    CANCELLED = "CANCELLED"


class Return(Frozen):
    """Goods or empties that come back."""

    order: EntityRef
    number: str
    state: ReturnState
    lines: tuple[ShippedLine, ...]
    reason: str = Field(default="", repr=False)
    received_at: Instant | None = None


@dataclass(frozen=True)
class Documents:
    """The living documents of an order; refunds in the order of their time."""

    shipments: tuple[Shipment, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()

    def standing_invoices(self) -> list[Invoice]:
        """Invoices that were issued and neither voided nor are credit notes."""
        issued = (one for one in self.invoices if one.state is InvoiceState.ISSUED)
        return [one for one in issued if one.credits is None]

    def shipped(self) -> Mapping[str, int]:
        """What has left, by order line and in its unit."""
        found: dict[str, int] = {}
        for shipment in self.shipments:
            for line in shipment.lines if shipment.has_left else ():
                found[line.order_line_id] = found.get(line.order_line_id, 0) + line.quantity
        return found
