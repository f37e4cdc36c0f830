"""Xero's shapes, Accounting API 2.0: what we read of its objects, and what they should hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from fizzbridge.model.base import Exact, Frozen
from fizzbridge.model.party import Personal
from fizzbridge.runtime.positions import Rate
from fizzbridge.runtime.target import Code, DocumentPayload

Text = Annotated[str, BeforeValidator(lambda value: value or "")]
"""Empty texts come as empty, as null or not at all."""

_STAMP = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


def _moment(value: Any) -> Any:
    """Microsoft's date: milliseconds since 1970, in UTC whatever its offset says."""
    found = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))


def _day(value: Any) -> Any:
    at = _moment(value)
    return at.date() if isinstance(at, datetime) else at


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]


class Record(BaseModel):
    """An object as it is read."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_pascal, validate_by_name=True
    )


class Item(Record):
    """An item of the price list."""

    code: str
    name: Text = ""
    is_sold: bool = True
    is_tracked_as_inventory: bool = False
    sales_details: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def account(self) -> str:
        """Where its sales are booked; empty where nobody said."""
        return str(self.sales_details.get("AccountCode") or "")


class TaxRate(Record):
    """A tax rate; percents."""

    tax_type: str
    name: Text = ""
    status: str = "ACTIVE"
    report_tax_type: Text = ""
    effective_rate: Decimal = Decimal(0)
    can_apply_to_revenue: bool = True

    @property
    def is_of_sales(self) -> bool:
        """Whether it can be on a sale."""
        is_input = "INPUT" in self.report_tax_type
        return self.status == "ACTIVE" and self.can_apply_to_revenue and not is_input


class Account(Record):
    """An account of the chart."""

    code: Text = ""
    name: Text = ""
    type: str
    status: str = "ACTIVE"
    enable_payments_to_account: bool = False

    @property
    def takes_payments(self) -> bool:
        """Whether money can be booked there."""
        return self.type == "BANK" or self.enable_payments_to_account


class LineThere(Record):
    """A line of an invoice or credit note."""

    line_item_id: str = Field("", alias="LineItemID")
    item_code: Text = ""
    description: Text = ""
    quantity: Exact = Decimal(0)
    unit_amount: Exact = Decimal(0)
    line_amount: Exact = Decimal(0)
    tax_amount: Exact = Decimal(0)
    account_code: Text = ""
    tax_type: Text = ""
    discount_amount: Exact | None = None
    tracking: tuple[Mapping[str, Any], ...] = ()


class AllocationThere(Record):
    """Credit applied to an invoice."""

    allocation_id: str = Field("", alias="AllocationID")
    invoice: Mapping[str, Any] = Field(default_factory=dict)


class DocumentThere(Record):
    """An invoice or a credit note."""

    number: Text = Field("", validation_alias=AliasChoices("InvoiceNumber", "CreditNoteNumber"))
    status: str
    reference: Text = ""
    currency_code: str
    line_amount_types: str = "Exclusive"
    line_items: tuple[LineThere, ...] = ()
    total: Decimal
    amount_due: Decimal = Decimal(0)
    amount_paid: Decimal = Decimal(0)
    amount_credited: Decimal = Decimal(0)
    remaining_credit: Decimal = Decimal(0)
    contact: Mapping[str, Any] = Field(default_factory=dict)
    payments: tuple[Mapping[str, Any], ...] = ()
    allocations: tuple[AllocationThere, ...] = ()
    due_date_string: Text = ""

    @property
    def is_draft(self) -> bool:
        """Whether nothing of it is in the ledger yet."""
        return self.status in {"DRAFT", "SUBMITTED"}

    @property
    def is_gone(self) -> bool:
        """Whether it was voided, or deleted as a draft."""
        return self.status in {"VOIDED", "DELETED"}

    @property
    def is_applied(self) -> bool:
        """Whether money or credit was set against it."""
        return bool(self.amount_paid or self.amount_credited or self.status == "PAID")


class Told(Record):
    """What every object has that is read back."""

    changed: Moment = Field(alias="UpdatedDateUTC")


class DocumentTold(Told, DocumentThere):
    """An invoice or a credit note with all that is told of it."""

    id: str = Field(validation_alias=AliasChoices("InvoiceID", "CreditNoteID"))
    type: str
    day: Day = Field(alias="Date")
    due: Day | None = Field(None, alias="DueDate")
    total_tax: Decimal = Decimal(0)
    total_discount: Decimal = Decimal(0)


class PaidThere(Record):
    """A payment as its document shows it."""

    day: Day = Field(alias="Date")
    amount: Decimal


class PaymentTold(Told, PaidThere):
    """A payment of an invoice."""

    id: str = Field(alias="PaymentID")
    status: str
    payment_type: str
    reference: Text = ""
    invoice: Mapping[str, Any]
    account: Mapping[str, Any] = Field(default_factory=dict)


class ContactTold(Told):
    """A customer or supplier."""

    id: str = Field(alias="ContactID")
    name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    contact_number: Text = ""
    account_number: Text = ""
    contact_status: str = "ACTIVE"
    email_address: Text = ""
    tax_number: Text = ""
    is_supplier: bool = False
    is_customer: bool = False
    addresses: tuple[Mapping[str, Any], ...] = ()
    phones: tuple[Mapping[str, Any], ...] = ()
    payment_terms: Mapping[str, Any] = Field(default_factory=dict)


class ItemTold(Told, Item):
    """An item with what it costs and how much of it is there."""

    id: str = Field(alias="ItemID")
    quantity_on_hand: Decimal = Decimal(0)


class Organisation(Record):
    """Whose books they are."""

    base_currency: str
    default_sales_tax: Text = ""
    """How prices are meant where nobody says it: ``Tax Inclusive``."""


class Line(Frozen):
    """A line wanted."""

    id: str
    item: Code
    """Without a name the line has an account only."""
    description: str
    quantity: int
    """In base units: Xero knows no others."""
    amount: Exact
    tax: Rate | None
    untaxed: str
    """Tax type of a line without a tax."""
    account: Code
    """By map or setting; without a name the item's own."""


class Resolved(Frozen):
    """A line in Xero's codes."""

    item: str
    description: str
    quantity: int
    unit: Exact
    discount: Exact
    amount: Exact
    tax_type: str
    account: str
    is_own_account: bool
    """Whether the account was said by us: then one that a person chose there gives way."""


class Document(DocumentPayload):
    """What an invoice and a credit note have in common."""

    date: str
    reference: str
    is_inclusive: bool
    lines: tuple[Line, ...]
    sales_account: str
    """For lines of items without an account."""


class Invoice(Document):
    """An invoice wanted."""

    customer: str
    due: str
    authorise: bool


class CreditNote(Document):
    """A credit note wanted, and what becomes of the credit."""

    invoice: str
    account: str
    """Where the money was paid back from; empty where the credit goes to the invoice."""


class Payment(Frozen):
    """A payment wanted."""

    invoice: str
    account: str
    date: str
    amount: Decimal
    currency: str


class Place(Frozen):
    """An address wanted."""

    attention: Personal = ""
    street: Personal = ""
    street2: Personal = ""
    city: Personal = ""
    region: str = ""
    postal_code: Personal = ""
    country: str = ""

    @property
    def is_known(self) -> bool:
        """A country alone is no address."""
        return bool(self.street or self.city or self.postal_code)


class Contact(Frozen):
    """A contact wanted. Empty means that we do not know, except once erased."""

    name: Personal
    email: Personal = ""
    phone: Personal = ""
    tax_number: Personal = ""
    address: Place = Place()
    is_erased: bool = False
