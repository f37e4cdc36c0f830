"""The order in its three parts: what the buyer asked, what the ERP did with it, what we make of it.

Amounts are positive; a line's type gives the direction. All amounts of a document are in its one
``currency``, so a document cannot mix currencies.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from fizzbridge.model.base import Amount, Country, Exact, Frozen, Instant, Sku
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import Currency, exact_in
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.model.scheme import Scheme
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Quantity
from fizzbridge.model.working import Working


class LineType(StrEnum):
    """What a line is, and so whether it adds or takes away."""

    GOODS = "GOODS"
    FREE_GOODS = "FREE_GOODS"
    DEPOSIT = "DEPOSIT"
    DEPOSIT_REFUND = "DEPOSIT_REFUND"
    LEVY = "LEVY"
    FREIGHT = "FREIGHT"
    FEE = "FEE"
    DISCOUNT = "DISCOUNT"
    ROUNDING = "ROUNDING"

    @property
    def sign(self) -> int:
        """-1 for lines that take away, 1 for all others (a rounding carries its own sign)."""
        return -1 if self in {LineType.DISCOUNT, LineType.DEPOSIT_REFUND} else 1


class OrderClass(StrEnum):
    """How an order is treated: on account and by the pallet, or prepaid and by the parcel."""

    BULK = "BULK"
    RETAIL = "RETAIL"


class TaxShare(Frozen):
    """One tax on a line."""

    title: str
    rate: Exact
    """A fraction: 0.2 for 20 %."""
    amount: Amount


class DocumentLine(Frozen):
    """One line of an order, invoice or credit note.

    ``amount`` is what the line costs after all discounts, with tax where the document's prices
    include it, without where they do not.
    """

    id: str
    type: LineType
    parent_id: str | None = None
    """The bundle this line is a component of."""
    sku: Sku | None = None
    """The source's code; None for lines that are no stock item."""
    gtin: str | None = None
    title: str = ""
    quantity: Annotated[int, Field(ge=0)]
    """Current quantity in the source's selling unit; 0 for a removed line."""
    quantity_ordered: Annotated[int, Field(ge=0)]
    """Quantity when the order was placed."""
    unit_price: Exact
    """Per selling unit before discounts; keeps every digit and is never multiplied back."""
    discount: Amount = Decimal(0)
    """Line and header discounts that fell on this line."""
    amount: Amount
    tax: Amount = Decimal(0)
    taxes: tuple[TaxShare, ...] = ()
    is_stocked: bool = True
    """False for gift cards, tips, services: nothing to look up in a catalogue or to ship."""
    properties: dict[str, str] = Field(default_factory=dict, repr=False)


class Totals(Frozen):
    """Sums of a document: ``net`` plus ``tax`` is ``gross``; ``discount`` is already taken off."""

    net: Amount
    tax: Amount
    gross: Amount
    discount: Amount = Decimal(0)


class Document(Frozen):
    """Lines and totals in one currency, each amount exact in its minor unit."""

    currency: Currency
    tax_included: bool
    lines: tuple[DocumentLine, ...]
    totals: Totals

    @model_validator(mode="after")
    def _amounts_are_exact(self) -> Self:
        for line in self.lines:
            for name in ("discount", "amount", "tax"):
                settle(line, name, self.currency, f"line {line.id} {name}")
            for share in line.taxes:
                settle(share, "amount", self.currency, f"line {line.id} {share.title}")
        for name in ("net", "tax", "gross", "discount"):
            settle(self.totals, name, self.currency, f"totals {name}")
        if self.totals.net + self.totals.tax != self.totals.gross:
            msg = (
                f"totals: net {self.totals.net} plus tax {self.totals.tax} "
                f"is not gross {self.totals.gross}"
            )
            raise ValueError(msg)
        return self


def settle(model: Frozen, name: str, currency: str, field: str) -> None:
    """Write an amount with the currency's digits, so that equal documents are equal to the byte."""
    object.__setattr__(model, name, exact_in(getattr(model, name), currency, field))


class PaymentStatus(StrEnum):
    """What the shop says of payment: a hint to read its transactions, never a fact itself."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    PART_PAID = "PART_PAID"
    PAID = "PAID"
    PART_REFUNDED = "PART_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"


class OrderRequest(Document):
    """What the buyer asked for and was promised; the shop owns it."""

    number: str
    """The number people see."""
    placed_at: Instant
    placed_at_local: str = ""
    """The source's own text of that time, with its offset."""
    changed_at: Instant
    cancelled_at: Instant | None = None
    cancel_reason: str = ""
    is_test: bool = False
    channel: str = ""
    shop_currency: Currency
    presentment_currency: Currency
    """What the buyer saw and paid in."""
    presentment_gross: Amount
    customer: EntityRef
    ordered_by: EntityRef | None = None
    """The person, where the customer is a company whose orders people place."""
    contact: Contact = Contact()
    company: Company | None = None
    bill_to: Address | None = None
    ship_to: Address | None = None
    po_number: str = ""
    payment_terms: str = ""
    payment_status: PaymentStatus = PaymentStatus.PENDING
    note: str = Field(default="", repr=False)
    tags: tuple[str, ...] = ()
    properties: dict[str, str] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _presentment_is_exact(self) -> Self:
        settle(self, "presentment_gross", self.presentment_currency, "presentment gross")
        return self

    @property
    def delivered_to(self) -> str:
        """Country and region of delivery, as ISO 3166-2 has them; empty without an address."""
        place = self.ship_to
        if place is None or place.country is None:
            return ""
        return f"{place.country}-{place.region}" if place.region else place.country

    @property
    def ship_country(self) -> str | None:
        """Where the goods go; the billing country where no delivery address was given."""
        for address in (self.ship_to, self.bill_to):
            if address and address.country:
                return address.country
        return None


class OrderProcessing(Frozen):
    """What the ERP did with the order; the ERP owns it."""

    number: str
    state: OrderState
    changed_at: Instant


class AssessedLine(Frozen):
    """A line as the trade counts it. No personal data: it goes on the bus."""

    id: str
    type: LineType
    sku: Sku | None
    """Our SKU after mapping; None where the line is no stock item or no item was found."""
    quantity: Quantity | None
    """None where there is nothing to count."""
    amount: Amount
    tax: Amount
    taxes: tuple[TaxShare, ...] = ()
    title: str = ""
    """Of a line we added, in words; a line of the shop has its title in the request."""
    unit_price: Exact | None = None
    """Of a line we added: for one of ``count``."""
    count: int = 1
    """Of a line we added: containers, crates; 1 where the amount is not for pieces."""
    parent_id: str | None = None
    """The bundle it is a component of, or the goods a deposit or levy came with."""
    scheme: str = ""
    """The deposit or levy it is charged by."""
    container: str = ""
    """Of a deposit: the type of container, as the ledger of empties names it."""
    requested: int | None = None
    """What was ordered, where the quantity was rounded with the account's consent."""
    is_added: bool = False
    """Whether we added it: the shop does not know it."""


class HoldReason(StrEnum):
    """Why an order waits."""

    MAPPING = "MAPPING"
    CREDIT = "CREDIT"
    PRICE = "PRICE"
    STOCK = "STOCK"
    ADDRESS = "ADDRESS"
    TAX = "TAX"
    TOTAL_MISMATCH = "TOTAL_MISMATCH"
    DUPLICATE_SUSPECT = "DUPLICATE_SUSPECT"
    COMPLIANCE = "COMPLIANCE"
    LIMIT = "LIMIT"


class Hold(Frozen):
    """One reason an order waits, and what would clear it."""

    reason: HoldReason
    message: str
    """For people; names lines and SKUs, never persons."""
    cause: str
    """What must change: ``MAP#shop-uk#sku/COLA`` is the map row whose writing releases the hold."""


class OrderAssessment(Frozen):
    """What we make of the order: class, base quantities, holds and where it goes.

    It holds no personal data, so facts for the bus are cut from it.
    """

    number: str
    state: OrderState
    order_class: OrderClass
    class_reason: str
    channel: str = ""
    ship_country: Country | None = None
    currency: Currency
    tax_included: bool
    lines: tuple[AssessedLine, ...]
    totals: Totals
    tax_point: date
    """The day whose rates hold; set once, when the order is first assessed."""
    placed_at: Instant
    is_historical: bool = False
    """Placed before the source's start: linked where found, never created, never notified."""
    delivered_to: str = ""
    """Place of delivery, as far as rates go by it: ``IE``, ``GB-ENG``; empty where nobody said."""
    schemes: tuple[Scheme, ...] = ()
    """Deposit and levy rates in force at the place of delivery on the tax point. Frozen with it."""
    promised_on: date | None = None
    """First day a route can bring it, where it goes by route."""
    workings: tuple[Working, ...] = ()
    """How every amount came about, and what the checks found."""
    holds: tuple[Hold, ...] = ()
    targets: tuple[str, ...] = ()
    """Connections that should hold the order now, held back or not."""
    skipped: str = ""
    """Why it goes nowhere, where that is by rule: a test order."""
    content: str = ""
    """Fingerprint of the request it was made from; empty where the shop deleted the order."""
