"""Odoo's shapes: what we read of its records (19.0), and what we want a record to hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fizzbridge.model.base import Exact, Frozen
from fizzbridge.model.party import Personal
from fizzbridge.runtime.target import DocumentPayload


def _id(value: Any) -> Any:
    """A many2one is read as [id, display name], or false."""
    return value[0] if isinstance(value, list) else value or None


Many2one = Annotated[int | None, BeforeValidator(_id)]
Text = Annotated[str, BeforeValidator(lambda value: value or "")]
"""An empty text is read as false."""


class Record(BaseModel):
    """A record as it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: int


class Product(Record):
    """``product.product``."""

    default_code: Text
    uom_id: Many2one
    uom_ids: tuple[int, ...] = ()


class Uom(Record):
    """``uom.uom``: a node of a tree; ``factor`` counts in the root's unit."""

    name: str
    factor: Decimal
    parent_path: str

    @property
    def root(self) -> str:
        """Units convert into each other only below one root."""
        return self.parent_path.split("/")[0]


class Tax(Record):
    """``account.tax``, of percents on sales."""

    name: str
    amount: Decimal
    price_include: bool


class SaleOrder(Record):
    """``sale.order``."""

    name: str
    state: str
    locked: bool = False
    amount_total: Decimal
    currency_id: tuple[int, str]
    client_order_ref: Text
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
    is_downpayment: bool = False


class Code(Frozen):
    """Something of ours under Odoo's name, and the map row that would give it another."""

    name: str
    cause: str


class Rate(Frozen):
    """A tax wanted on a line: by name where it is mapped, else by its rate."""

    rate: Exact
    included: bool
    code: Code


class Line(Frozen):
    """An order line wanted. The amount is signed and is what the line costs."""

    id: str
    product: Code
    title: str
    ordered: int
    base: int
    unit: Code | None
    """None for what is no stock item: it has the product's own unit."""
    factor: int = 1
    amount: Decimal
    taxes: tuple[Rate, ...]


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
    lines: tuple[Line, ...]
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
