"""Odoo's shapes: what we read of its records (19.0), and what we want a record to hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fizzbridge.model.base import Frozen
from fizzbridge.model.party import Personal
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code, DocumentPayload


def _id(value: Any) -> Any:
    """A many2one is read as [id, display name], or false."""
    return value[0] if isinstance(value, list) else value or None


Many2one = Annotated[int | None, BeforeValidator(_id)]
Text = Annotated[str, BeforeValidator(lambda value: value or "")]
"""An empty text is read as false."""


def _moment(value: Any) -> Any:
    """Times are UTC and do not say so."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


Name = Annotated[str, BeforeValidator(lambda value: value[1] if value else "")]
"""What a many2one is called, where its id says nothing to people."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
MaybeDay = Annotated[date | None, BeforeValidator(lambda value: value or None)]


class Record(BaseModel):
    """A record as it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: int


class Told(Record):
    """A record that is read back.

    Attributes:
        model: its name in Odoo.
        optional: fields that only exist where a module is installed.
    """

    model: ClassVar[str]
    optional: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def fields(cls) -> list[str]:
        """What to ask for; whether the optional ones exist has to be asked first."""
        shown = (field.alias or name for name, field in cls.model_fields.items())
        return [name for name in shown if name not in {"id", *cls.optional}]


class Product(Record):
    """``product.product``."""

    default_code: Text
    uom_id: Many2one
    uom_ids: tuple[int, ...] = ()


class Uom(Told):
    """``uom.uom``: a node of a tree; ``factor`` counts in the root's unit."""

    model: ClassVar[str] = "uom.uom"
    name: str
    factor: Decimal
    parent_path: str

    @property
    def root(self) -> str:
        """Units convert into each other only below one root."""
        return self.parent_path.split("/")[0]


class Tax(Told):
    """``account.tax`` on sales."""

    model: ClassVar[str] = "account.tax"
    name: str
    amount: Decimal
    amount_type: str = "percent"
    price_include: bool


class Progress(Told):
    """``sale.order``, as to how far it is."""

    model: ClassVar[str] = "sale.order"
    name: str
    state: str
    delivery_status: Text
    invoice_status: Text
    invoice_ids: tuple[int, ...] = ()
    write_date: Moment

    @property
    def is_billed(self) -> bool:
        """Whether all is on invoices, drafts among them, or more than was ordered."""
        return self.invoice_status in {"invoiced", "upselling"}


class SoldLine(Told):
    """``sale.order.line``, as to which order a line of an invoice bills."""

    model: ClassVar[str] = "sale.order.line"
    order_id: Many2one


class Picking(Told):
    """``stock.picking``: goods on their way out, or back."""

    model: ClassVar[str] = "stock.picking"
    optional: ClassVar[frozenset[str]] = frozenset(
        {"carrier_id", "carrier_tracking_ref", "carrier_tracking_url"}
    )
    name: Text
    state: str
    sale_id: Many2one
    picking_type_code: Text
    return_id: Many2one
    date_done: MaybeMoment
    write_date: Moment
    carrier_id: Name = ""
    carrier_tracking_ref: Text = Field(default="", repr=False)
    carrier_tracking_url: Text = Field(default="", repr=False)


class Planned(Told):
    """``stock.move``: goods that are to go."""

    model: ClassVar[str] = "stock.move"
    picking_id: Many2one
    product_id: Many2one
    unit_id: Many2one = Field(alias="product_uom")
    count: Decimal = Field(alias="product_uom_qty")
    state: str


class Moved(Told):
    """``stock.move.line``: goods that went, by lot."""

    model: ClassVar[str] = "stock.move.line"
    picking_id: Many2one
    product_id: Many2one
    unit_id: Many2one = Field(alias="product_uom_id")
    count: Decimal = Field(alias="quantity")
    lot_id: Many2one


class Lot(Told):
    """``stock.lot``; its dates come with the module ``product_expiry``."""

    model: ClassVar[str] = "stock.lot"
    optional: ClassVar[frozenset[str]] = frozenset({"use_date", "expiration_date"})
    name: str
    use_date: MaybeMoment = None
    expiration_date: MaybeMoment = None


class Item(Told):
    """``product.product``, as documents name it."""

    model: ClassVar[str] = "product.product"
    default_code: Text
    type: str


class Bill(Told):
    """``account.move``: an invoice or a credit note."""

    model: ClassVar[str] = "account.move"
    name: Text
    state: str
    move_type: str
    invoice_date: MaybeDay
    invoice_date_due: MaybeDay
    currency_id: Name
    amount_untaxed: Decimal
    amount_tax: Decimal
    amount_total: Decimal
    invoice_line_ids: tuple[int, ...]
    reversed_entry_id: Many2one
    write_date: Moment

    @property
    def is_credit(self) -> bool:
        """Whether it takes back, with amounts as positive as an invoice's."""
        return self.move_type == "out_refund"


class BillLine(Told):
    """``account.move.line`` that people see; a section or a note has no amount."""

    model: ClassVar[str] = "account.move.line"
    move_id: Many2one
    product_id: Many2one
    name: Text
    quantity: Decimal
    price_unit: Decimal
    discount: Decimal
    tax_ids: tuple[int, ...]
    price_subtotal: Decimal
    price_total: Decimal
    sale_line_ids: tuple[int, ...]


class SaleOrder(Record):
    """``sale.order``."""

    name: str
    state: str
    locked: bool = False
    amount_total: Decimal
    currency_id: tuple[int, str]
    client_order_ref: Text
    note: Text = Field(repr=False)
    """HTML."""
    partner_shipping_id: Many2one
    invoice_ids: tuple[int, ...] = ()


class SaleOrderLine(Record):
    """``sale.order.line``."""

    product_id: Many2one
    product_uom_qty: Decimal
    product_uom_id: Many2one
    price_unit: Decimal
    discount: Decimal
    tax_ids: tuple[int, ...]
    qty_delivered: Decimal
    qty_invoiced: Decimal
    is_downpayment: bool = False


class Resolved(Frozen):
    """An order line in Odoo's ids."""

    title: str
    product_id: int
    quantity: int
    uom_id: int
    price: Decimal
    tax_ids: tuple[int, ...]


class Place(Frozen):
    """An address wanted."""

    name: Personal = ""
    street: Personal = ""
    street2: Personal = ""
    city: Personal = ""
    zip: Personal = ""
    phone: Personal = ""
    country: str = ""
    region: str = ""


class Order(DocumentPayload):
    """A ``sale.order`` wanted."""

    customer: str
    ship_to: Place | None
    client_order_ref: str
    date_order: str
    note: str = Field(default="", repr=False)
    pricelist: Code
    """Without a name Odoo's own currency, or the only list of the currency, will do."""
    warehouse: str
    lines: tuple[Position, ...]
    confirm: bool


class Partner(Frozen):
    """A ``res.partner`` wanted. Empty means that we do not know, except once erased."""

    name: Personal
    is_company: bool
    email: Personal = ""
    vat: Personal = ""
    address: Place
    deliveries: tuple[Place, ...] = ()
    is_erased: bool = False
