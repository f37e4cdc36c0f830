"""What WooCommerce says in ``wc/v3``, webhooks and answers alike.

Every store has its own plugins, so types drift: ids as text, numbers as text, ``[]`` where an
object is meant. Evened out here.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _utc(value: Any) -> Any:
    """``2026-11-20T10:00:00`` is UTC without saying so."""
    if not value:
        return None
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: Any) -> Decimal | None:
    """A number, or none: plugins leave words where the shop has numbers."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _object(value: Any) -> Any:
    return value or {}


def _text(value: Any) -> Any:
    """Text may hold entities: ``O&#8217;Conner``. What is no text is a plugin's own business."""
    if value is None or isinstance(value, dict | list):
        return ""
    return html.unescape(str(value)).strip()


Id = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
Text = Annotated[str, BeforeValidator(_text)]
Money = Annotated[Decimal, BeforeValidator(lambda value: value or "0")]
MaybeNumber = Annotated[
    Decimal | None, BeforeValidator(lambda value: None if value == "" else value)
]
LooseNumber = Annotated[Decimal | None, BeforeValidator(_number)]
Moment = Annotated[datetime, BeforeValidator(_utc)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_utc)]


class Wire(BaseModel):
    """Only the fields we use; plugins add others."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Meta(Wire):
    """Something a plugin keeps."""

    key: Text = ""
    value: Text = ""


class Address(Wire):
    """Billing or shipping; a shipping address that is empty throughout is none."""

    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address_1: Text = ""
    address_2: Text = ""
    city: Text = ""
    state: Text = ""
    postcode: Text = ""
    country: Text = ""
    phone: Text = ""


class Billing(Address):
    """Who pays; a guest's mail is nowhere else."""

    email: Text = ""


class LineTax(Wire):
    """One tax of a line; ``id`` is that of a tax line of the order."""

    id: Id
    total: Money


class TaxLine(Wire):
    """One tax of the order."""

    rate_id: Id
    label: Text = ""
    rate_code: Text = ""
    rate_percent: Money = Decimal(0)


class Line(Wire):
    """Goods. Amounts are without tax, whatever the shop's prices are."""

    id: Id
    name: Text = ""
    sku: Text = ""
    quantity: Decimal
    subtotal: Money = Decimal(0)
    subtotal_tax: Money = Decimal(0)
    total: Money
    total_tax: Money = Decimal(0)
    taxes: tuple[LineTax, ...] = ()
    meta_data: tuple[Meta, ...] = ()


class Extra(Wire):
    """What is no goods: net, like every line."""

    id: Id
    total: Money
    total_tax: Money = Decimal(0)
    taxes: tuple[LineTax, ...] = ()


class Shipping(Extra):
    """A way of delivery."""

    method_title: Text = ""


class Fee(Extra):
    """A surcharge, a deposit; a negative one is a discount."""

    name: Text = ""


class OrderRefund(Wire):
    """A refund as the order names it."""

    id: Id
    total: Money


class Order(Wire):
    """An order, whole."""

    id: Id
    number: Text = ""
    status: Text
    created_via: Text = ""
    date_created: Text = ""
    date_created_gmt: Moment
    date_modified_gmt: Moment
    date_paid_gmt: MaybeMoment = None
    currency: Text
    prices_include_tax: bool = False
    total: Money
    total_tax: Money = Decimal(0)
    discount_total: Money = Decimal(0)
    customer_id: Id = "0"
    billing: Annotated[Billing, BeforeValidator(_object)] = Billing()
    shipping: Annotated[Address, BeforeValidator(_object)] = Address()
    payment_method: Text = ""
    payment_method_title: Text = ""
    transaction_id: Text = ""
    customer_note: Text = ""
    line_items: tuple[Line, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()
    shipping_lines: tuple[Shipping, ...] = ()
    fee_lines: tuple[Fee, ...] = ()
    refunds: tuple[OrderRefund, ...] = ()
    meta_data: tuple[Meta, ...] = ()

    @property
    def extras(self) -> tuple[Extra, ...]:
        """What is charged beside goods."""
        return (*self.shipping_lines, *self.fee_lines)


class Trashed(Wire):
    """All a deletion says."""

    id: Id


class Deleted(Trashed):
    """An account that is gone, and when that was told: the shop does not say when it was."""

    told_at: Moment


class RefundLine(Wire):
    """What of a line was given back: quantities and amounts are negative."""

    quantity: Decimal
    total: Money
    total_tax: Money = Decimal(0)
    meta_data: tuple[Meta, ...] = ()


class Refund(Wire):
    """A refund with what its order says of both, and our reference where we made it."""

    id: Id
    order_id: Id
    currency: Text
    prices_include_tax: bool = False
    date_created_gmt: Moment
    amount: Money
    reason: Text = ""
    line_items: tuple[RefundLine, ...] = ()
    meta_data: tuple[Meta, ...] = ()


class Customer(Wire):
    """Somebody with an account in the shop."""

    id: Id
    date_created_gmt: MaybeMoment = None
    date_modified_gmt: MaybeMoment = None
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    billing: Annotated[Billing, BeforeValidator(_object)] = Billing()
    shipping: Annotated[Address, BeforeValidator(_object)] = Address()
    meta_data: tuple[Meta, ...] = ()


class Product(Wire):
    """A product or a variation: a variation is a product of its own, with a parent."""

    id: Id
    parent_id: Id = "0"
    type: Text = ""
    status: Text = ""
    name: Text = ""
    sku: Text = ""
    global_unique_id: Text = ""
    price: MaybeNumber = None
    regular_price: MaybeNumber = None
    purchasable: bool = True
    manage_stock: Annotated[bool, BeforeValidator(bool)] = False
    stock_quantity: MaybeNumber = None
    date_created_gmt: MaybeMoment = None
    date_modified_gmt: MaybeMoment = None

    @property
    def is_variable(self) -> bool:
        """Whether its variations are what is sold; also those a subscription plugin adds."""
        return self.type.startswith("variable")


class Item(Wire):
    """What is shown of a product or variation, as far as it is overwritten."""

    id: Id
    parent_id: Id = "0"
    type: Text = ""
    status: Text = ""
    sku: Text = ""
    name: Text = ""
    global_unique_id: Text = ""
    manage_stock: bool | str | None = False
    """``parent`` where a variation shares its parent's count."""
    stock_quantity: LooseNumber = None
    regular_price: LooseNumber = None
    sale_price: LooseNumber = None
    variations: Annotated[tuple[Id, ...], BeforeValidator(lambda value: value or ())] = ()

    @property
    def is_variation(self) -> bool:
        """Whether it is written below its parent."""
        return self.parent_id not in {"", "0"}

    @property
    def is_variable(self) -> bool:
        """Whether its variations are what is sold, and have prices."""
        return self.type.startswith("variable")
