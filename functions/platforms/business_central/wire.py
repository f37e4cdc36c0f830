"""Business Central's shapes: what we read of its records, and what we want a record to hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fizzbridge.model.base import Frozen
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code, DocumentPayload

NOBODY = "00000000-0000-0000-0000-000000000000"
"""An id that names nothing."""


class Record(BaseModel):
    """A record as it is read."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True
    )
    id: str
    etag: str = Field(default="", alias="@odata.etag")


class Item(Record):
    """What is sold; how many base units another unit of it holds is not told."""

    number: str
    type: str
    blocked: bool
    base_unit_of_measure_code: str


class Goods(Item):
    """The same, as it is told."""

    display_name: str
    gtin: str
    unit_price: Decimal
    """Of its own unit; nought where nobody said."""
    price_includes_tax: bool
    inventory: Decimal
    """At all locations."""
    last_modified_date_time: AwareDatetime


class Account(Record):
    """A customer."""

    number: str
    display_name: str
    type: str
    address_line1: str
    address_line2: str
    city: str
    state: str
    country: str
    postal_code: str
    phone_number: str
    email: str
    tax_registration_number: str
    credit_limit: Decimal = Decimal(0)
    """Nought for none; older versions do not say it."""
    payment_terms_id: str
    last_modified_date_time: AwareDatetime


class Owed(Record):
    """What a customer owes, in the currency of the books."""

    number: str
    balance: Decimal
    """Negative where more was paid than is owed."""


class SalesLine(Record):
    """A line of an order."""

    line_type: str
    line_object_number: str
    description: str
    unit_of_measure_code: str
    quantity: Decimal
    unit_price: Decimal
    discount_amount: Decimal
    tax_code: str
    tax_percent: Decimal
    location_id: str
    shipped_quantity: Decimal
    invoiced_quantity: Decimal


class PromisedLine(Record):
    """What of an order's line counts for stock."""

    line_object_number: str
    unit_of_measure_code: str
    quantity: Decimal
    shipped_quantity: Decimal


class SalesOrder(Record):
    """An order that is not yet shipped and invoiced in full."""

    number: str
    status: str
    """``Draft`` is open, ``In Review`` waits for approval, ``Open`` is released."""
    currency_code: str
    prices_include_tax: bool
    total_amount_including_tax: Decimal
    requested_delivery_date: str
    ship_to_name: str
    ship_to_contact: str
    ship_to_address_line1: str
    ship_to_address_line2: str
    ship_to_city: str
    ship_to_state: str
    ship_to_post_code: str
    ship_to_country: str
    last_modified_date_time: AwareDatetime
    sales_order_lines: tuple[SalesLine, ...]

    @property
    def is_locked(self) -> bool:
        """Whether its lines cannot be changed."""
        return self.status != "Draft"


class Invoice(Record):
    """What became of an order."""

    number: str
    status: str
    order_id: str
    total_amount_including_tax: Decimal


class ShipmentLine(Record):
    """A line of a posted shipment; also what is told of goods on a credit memo."""

    line_type: str
    line_object_number: str
    unit_of_measure_code: str
    quantity: Decimal
    """Negative where it was undone, or where something comes back."""


class PostedShipment(Record):
    """Goods that have left; it names its order by number only."""

    number: str
    order_number: str
    posting_date: date
    last_modified_date_time: AwareDatetime
    sales_shipment_lines: tuple[ShipmentLine, ...]


class BillLine(ShipmentLine):
    """A line of an invoice or credit memo."""

    description: str
    unit_price: Decimal
    discount_amount: Decimal
    invoice_discount_allocation: Decimal
    """Its share of the document's discount, which the net amounts have taken off."""
    tax_code: str
    tax_percent: Decimal
    net_amount: Decimal
    net_tax_amount: Decimal
    net_amount_including_tax: Decimal


class Bill(Record):
    """An invoice or a credit memo; the two differ in a few names."""

    number: str
    status: str
    order_id: str = NOBODY
    order_number: str = ""
    invoice_number: str = ""
    """The invoice a credit memo is for."""
    customer_number: str = ""
    issued_on: date = Field(validation_alias=AliasChoices("invoiceDate", "creditMemoDate"))
    posting_date: date
    due_date: date
    currency_code: str
    prices_include_tax: bool
    total_amount_excluding_tax: Decimal
    total_tax_amount: Decimal
    total_amount_including_tax: Decimal
    remaining_amount: Decimal = Decimal(0)
    """What is not paid of an invoice; of a credit memo nobody says it."""
    last_modified_date_time: AwareDatetime
    lines: tuple[BillLine, ...] = Field(
        validation_alias=AliasChoices("salesInvoiceLines", "salesCreditMemoLines")
    )

    @property
    def is_posted(self) -> bool:
        """Whether it is more than a draft."""
        return is_posted(self.status)


def is_posted(status: str) -> bool:
    """Whether an invoice or a credit memo is more than a draft, or than one to be approved."""
    return status.strip() not in {"", "Draft", "In Review"}


class Resolved(Frozen):
    """An order line as Business Central counts it."""

    id: str
    type: str
    number: str
    title: str
    unit: str
    """Empty for a G/L account."""
    quantity: int
    price: Decimal
    discount: Decimal
    tax: str
    """Empty leaves it to the item and the customer."""
    percent: Decimal
    tax_cause: str
    location: str


class Line(Frozen):
    """An order line wanted."""

    position: Position
    account: str
    """G/L account in place of an item; empty for an item."""
    tax: Code
    """A name is sent; without one Business Central taxes as item and customer are set up."""


class Order(DocumentPayload):
    """A sales order wanted."""

    customer: str
    order_date: str
    requested: str
    ship_to: dict[str, str] = Field(repr=False)
    """Fields of the order; none where nobody said."""
    payment_terms: Code
    location: Code
    base_unit: str
    comments: tuple[str, ...] = Field(repr=False)
    lines: tuple[Line, ...]


class Partner(Frozen):
    """A customer wanted. Empty means that we do not know, except once erased."""

    account: Code | None
    """Number of a customer that is there already, and is only referred to."""
    fields: dict[str, str] = Field(repr=False)
    tax_area: Code
    is_erased: bool = False
