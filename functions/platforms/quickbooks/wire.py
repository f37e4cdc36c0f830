"""QuickBooks' shapes: what we read of its records, and what we want a record to hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from fizzbridge.model.base import Amount, Frozen
from fizzbridge.model.party import Personal
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code, DocumentPayload

# -- what is read ----------------------------------------------------------------------------------


class Part(BaseModel):
    """A piece of JSON as it is read."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_pascal, validate_by_name=True
    )


class Ref(BaseModel):
    """A reference: the id, and a name for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    value: str
    name: str = ""


class Named(Part):
    """An account, a payment method, a term: known by a name or its id."""

    id: str
    name: str = ""
    fully_qualified_name: str = ""


class Item(Named):
    """Something that is sold."""

    sku: str = ""
    type: str = ""
    income_account_ref: Ref | None = None

    @property
    def code(self) -> str:
        """What it is called in maps: its SKU, or its name where it has none."""
        return self.sku or self.name


class TaxRateDetail(Part):
    """One of the rates a tax code is made of."""

    tax_rate_ref: Ref


class TaxRateList(Part):
    """The rates of a tax code."""

    tax_rate_detail: tuple[TaxRateDetail, ...] = ()


class TaxCode(Named):
    """What goes on a line; what it comes to is in its rates."""

    sales_tax_rate_list: TaxRateList | None = None


class TaxRate(Part):
    """A rate in percent. One that ended years ago may come without its value."""

    id: str
    rate_value: Decimal | None = None


class SalesFormsPrefs(Part):
    """How sales forms are set up."""

    custom_txn_numbers: bool = False
    allow_shipping: bool = False


class CurrencyPrefs(Part):
    """Currencies the company keeps."""

    multi_currency_enabled: bool = False
    home_currency: Ref


class TaxPrefs(Part):
    """Whether it knows taxes at all."""

    using_sales_tax: bool = False


class Preferences(Part):
    """How the company is set up."""

    sales_forms_prefs: SalesFormsPrefs = SalesFormsPrefs()
    currency_prefs: CurrencyPrefs
    tax_prefs: TaxPrefs = TaxPrefs()


class SalesDetail(Part):
    """What is sold on a line."""

    item_ref: Ref | None = None
    qty: Decimal | None = None
    unit_price: Decimal | None = None
    tax_code_ref: Ref | None = None
    tax_inclusive_amt: Decimal | None = None


class LinkedTxn(Part):
    """Another transaction that goes with this one."""

    txn_id: str
    txn_type: str


class Line(Part):
    """A line of a form, or what a payment is for."""

    id: str = ""
    description: str = ""
    amount: Decimal = Decimal(0)
    detail_type: str = ""
    sales_item_line_detail: SalesDetail | None = None
    group_line_detail: Group | None = None
    linked_txn: tuple[LinkedTxn, ...] = ()


class Group(Part):
    """A bundle, which is the lines of what is in it."""

    line: tuple[Line, ...] = ()


class Transaction(Part):
    """An invoice, receipt, credit or payment, as far as all of them are alike."""

    id: str
    sync_token: str
    doc_number: str = ""
    private_note: str = ""
    customer_ref: Ref | None = None
    currency_ref: Ref | None = None
    total_amt: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)
    remaining_credit: Decimal = Decimal(0)
    line: tuple[Line, ...] = ()
    linked_txn: tuple[LinkedTxn, ...] = ()

    @property
    def is_voided(self) -> bool:
        """A void leaves the form, with its amounts at nought and a word in the note."""
        return not self.total_amt and self.private_note.startswith("Voided")


class Person(Part):
    """A customer."""

    id: str
    sync_token: str
    display_name: str = ""
    active: bool = True


# -- what is told ----------------------------------------------------------------------------------


class MetaData(Part):
    """When a record was last written, to the second."""

    last_updated_time: datetime


class Record(Part):
    """What every record has."""

    id: str
    meta_data: MetaData

    @property
    def changed(self) -> datetime:
        """Its clock."""
        return self.meta_data.last_updated_time


class TaxDetail(Part):
    """The taxes of a form."""

    total_tax: Decimal = Decimal(0)


class Told(Record, Transaction):
    """A transaction with all that is told of it."""

    txn_date: date
    due_date: date | None = None
    global_tax_calculation: str = ""
    txn_tax_detail: TaxDetail = TaxDetail()
    payment_ref_num: str = ""
    payment_method_ref: Ref | None = None


class Email(Part):
    """A mail address."""

    address: str = ""


class Phone(Part):
    """A telephone number."""

    free_form_number: str = ""


class PlaceThere(Part):
    """An address: lines as they are printed, then the parts QuickBooks knows."""

    line1: str = ""
    line2: str = ""
    line3: str = ""
    line4: str = ""
    line5: str = ""
    city: str = ""
    postal_code: str = ""
    country_sub_division_code: str = ""
    country: str = ""


class ToldCustomer(Record, Person):
    """A customer with all that is told of them."""

    given_name: str = ""
    family_name: str = ""
    company_name: str = ""
    acct_num: str = ""
    primary_email_addr: Email = Email()
    primary_phone: Phone = Phone()
    bill_addr: PlaceThere | None = None
    ship_addr: PlaceThere | None = None
    sales_term_ref: Ref | None = None


class Term(Named):
    """Terms of payment: a number of days, or a day of the month."""

    due_days: int | None = None


class ToldItem(Record, Item):
    """An item with all that is told of it."""

    active: bool = True
    unit_price: Decimal | None = None
    sales_tax_included: bool = False
    track_qty_on_hand: bool = False
    qty_on_hand: Decimal = Decimal(0)


# -- what is wanted --------------------------------------------------------------------------------


class Place(Frozen):
    """An address wanted, under the vendor's names."""

    model_config = ConfigDict(alias_generator=to_pascal, validate_by_name=True)
    line1: Personal = ""
    line2: Personal = ""
    line3: Personal = ""
    city: Personal = ""
    postal_code: Personal = ""
    country_sub_division_code: str = ""
    country: str = ""


class Till(Frozen):
    """How money came in or went out. Without names QuickBooks takes its own defaults."""

    method: Code
    account: Code
    reference: str
    """The payment's own number, for whoever compares it with the gateway's statement."""


class Form(DocumentPayload):
    """What invoices, receipts and credits have alike."""

    order: str
    """The number people know the order by."""
    customer: str
    date: str
    lines: tuple[Position, ...]
    included: bool
    untaxed: Code
    """The tax code of lines without tax, where a code must be on every line."""


class Sale(Form):
    """An invoice, or a sales receipt where ``till`` says how it was paid."""

    till: Till | None = Field(exclude=True)
    """Chooses what is made; of what stands nothing changes with it."""
    terms: Code | None
    bill_to: Place | None
    ship_to: Place | None
    memo: str = Field(default="", repr=False)
    po_number: str = ""
    po_field: str = ""


class Credit(Form):
    """A refund receipt where ``till`` says where the money came from, else a credit memo."""

    till: Till | None = Field(exclude=True)
    """As of a sale."""
    invoice: str
    """The invoice a credit memo is set against; empty where there is none."""


class Money(Frozen):
    """A payment wanted on an invoice."""

    order: str
    invoice: str
    amount: Amount
    currency: str
    date: str
    till: Till


class Buyer(Frozen):
    """A customer wanted. Empty means that we do not know, except once erased."""

    name: Personal
    company: Personal = ""
    email: Personal = ""
    phone: Personal = ""
    tax_number: Personal = ""
    bill_to: Place = Place()
    ship_to: Place = Place()
    is_erased: bool = False
