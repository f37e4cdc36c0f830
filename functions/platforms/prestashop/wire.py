"""What PrestaShop says: thin bodies of our own module, and rows of the webservice.

A row holds its fields as text. What a shop leaves out is the same as 0 or nothing. An order is put
together by ``pull.py``: what PrestaShop keeps in resources of their own is found below it here.
"""

from __future__ import annotations

import html
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from fizzbridge.wire import Id, Listed, Money, Text, Wire


def _key(value: Any) -> str:
    """``0`` stands for nothing, in numbers of documents as in foreign keys."""
    text = "" if value is None else str(value).strip()
    return "" if text == "0" else text


def _local(value: Any) -> str:
    """``2026-11-01 11:15:30`` of the shop's own clock; the zero date is none."""
    text = "" if value is None else str(value).strip()
    return "" if text.startswith("0000") else text


Key = Annotated[str, BeforeValidator(_key)]
Local = Annotated[str, BeforeValidator(_local)]
Flag = Annotated[bool, BeforeValidator(lambda value: str(value) == "1")]
Count = Annotated[int, BeforeValidator(lambda value: value or 0)]
Words = Annotated[Text, AfterValidator(html.unescape)]
"""Text of people; old shops keep it with entities in it."""
NOUGHT = Decimal(0)
Number = Annotated[Id, Field(pattern=r"^[1-9]\d*$")]


class OrderEvent(Wire):
    """Something happened to an order."""

    id_order: Number


class CustomerEvent(Wire):
    """Something happened to a customer."""

    id_customer: Number


class AddressEvent(Wire):
    """Something happened to an address."""

    id_address: Number


class ProductEvent(Wire):
    """Something happened to a product or to its stock."""

    id_product: Number


class PriceEvent(Wire):
    """Something happened to a special price, of one product or of none in particular."""

    id_product: Key


class ProductGone(ProductEvent):
    """A product or one of its combinations was deleted, and when that was sent."""

    id_product_attribute: Key = ""
    sent_at: AwareDatetime


class State(Wire):
    """The state of an order. Ids and names are the merchant's own; flags mean the same anywhere."""

    id: Id
    paid: Flag = False
    shipped: Flag = False
    template: Text = ""


class Tax(Wire):
    """A tax in percent."""

    name: Words = ""
    rate: Money = NOUGHT


class Detail(Wire):
    """A line. Unit prices are after its reductions; ``taxes`` and ``is_virtual`` are looked up."""

    id: Id
    product_id: Key = ""
    product_reference: Words = ""
    product_ean13: Key = ""
    product_name: Words = ""
    product_quantity: Count = 0
    product_quantity_return: Count = 0
    product_quantity_reinjected: Count = 0
    reduction_percent: Money = NOUGHT
    reduction_amount_tax_excl: Money = NOUGHT
    reduction_amount_tax_incl: Money = NOUGHT
    unit_price_tax_excl: Money = NOUGHT
    unit_price_tax_incl: Money = NOUGHT
    ecotax: Money = NOUGHT
    id_customization: Key = ""
    is_virtual: Flag = False
    taxes: Annotated[tuple[Tax, ...], Listed] = ()


class CartRule(Wire):
    """A discount on the whole order."""

    id: Id
    name: Words = ""
    value: Money = NOUGHT
    value_tax_excl: Money = NOUGHT
    deleted: Flag = False


class Payment(Wire):
    """Money for all orders of one reference."""

    id: Id
    amount: Money = NOUGHT
    currency: Text
    payment_method: Words = ""
    date_add: Local


class Sibling(Wire):
    """An order of the same reference: a cart may be split."""

    id: int
    total_paid_tax_incl: Money = NOUGHT


class SlipLine(Wire):
    """What a credit slip takes back of a line."""

    id_order_detail: Id
    product_quantity: Count = 0
    amount_tax_excl: Money = NOUGHT
    amount_tax_incl: Money = NOUGHT


class Slip(Wire):
    """A credit slip; old ones have their amounts in the two fields at the end only."""

    id: Id
    date_add: Local
    date_upd: Local = ""
    total_products_tax_incl: Money = NOUGHT
    total_shipping_tax_incl: Money = NOUGHT
    amount: Money = NOUGHT
    shipping_cost_amount: Money = NOUGHT
    order_slip_details: Annotated[tuple[SlipLine, ...], Listed] = ()


class Parcel(Wire):
    """How an order travels; every order has one from its beginning."""

    id: Id
    carrier: Words = ""
    tracking_number: Text = ""


class Message(Wire):
    """What the buyer or the staff wrote to an order."""

    message: Words = ""
    private: Flag = False
    id_employee: Key = ""


class Address(Wire):
    """An address; country and region are looked up. One that is deleted still serves its orders."""

    id: Id
    firstname: Words = ""
    lastname: Words = ""
    company: Words = ""
    vat_number: Text = ""
    dni: Text = ""
    address1: Words = ""
    address2: Words = ""
    postcode: Text = ""
    city: Words = ""
    country: Text = ""
    region: Text = ""
    phone: Text = ""
    phone_mobile: Text = ""
    deleted: Flag = False


class Customer(Wire):
    """Somebody with an account, or a guest, who has a row as well."""

    id: Id
    email: Text = ""
    firstname: Words = ""
    lastname: Words = ""
    company: Words = ""
    siret: Text = ""
    is_guest: Flag = False
    deleted: Flag = False
    date_add: Local = ""
    date_upd: Local = ""
    addresses: Annotated[tuple[Address, ...], Listed] = ()


class Order(Wire):
    """An order with all that belongs to it. All amounts are in its own currency."""

    id: Id
    reference: Text = ""
    date_add: Local
    date_upd: Local
    id_shop: Key = ""
    current_state: Key = ""
    round_type: Text = ""
    total_discounts_tax_incl: Money = NOUGHT
    total_discounts_tax_excl: Money = NOUGHT
    total_paid_tax_incl: Money = NOUGHT
    total_paid_tax_excl: Money = NOUGHT
    total_paid_real: Money = NOUGHT
    total_shipping_tax_incl: Money = NOUGHT
    total_shipping_tax_excl: Money = NOUGHT
    carrier_tax_rate: Money = NOUGHT
    total_wrapping_tax_incl: Money = NOUGHT
    total_wrapping_tax_excl: Money = NOUGHT
    payment: Words = ""
    module: Text = ""
    shipping_number: Text = ""
    invoice_number: Key = ""
    delivery_number: Key = ""
    note: Words = ""
    gift: Key = ""
    gift_message: Words = ""
    recyclable: Key = ""
    conversion_rate: Text = ""
    currency: Text
    po_number: Words = ""
    tax_included: bool
    state: State | None = None
    carrier: Words = ""
    customer: Customer | None = None
    bill_to: Address | None = None
    ship_to: Address | None = None
    details: tuple[Detail, ...] = ()
    cart_rules: tuple[CartRule, ...] = ()
    payments: tuple[Payment, ...] = ()
    siblings: tuple[Sibling, ...] = ()
    slips: tuple[Slip, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    messages: tuple[Message, ...] = ()


class Combination(Wire):
    """What is sold of a product with choices; its price is added to the product's."""

    id: Key = ""
    reference: Words = ""
    ean13: Key = ""
    upc: Key = ""
    price: Money = NOUGHT


class Available(Wire):
    """How much is offered of a product, or of a combination."""

    id_product_attribute: Key = ""
    quantity: Count = 0


class SpecificPrice(Wire):
    """A price or a reduction for some buyers, some time or some quantity; ``group`` is a name."""

    id_product_attribute: Key = ""
    id_group: Key = ""
    group: Words = ""
    id_customer: Key = ""
    id_country: Key = ""
    id_currency: Key = ""
    id_cart: Key = ""
    from_quantity: Count = 0
    price: Money = NOUGHT
    reduction: Money = NOUGHT
    reduction_tax: Flag = True
    reduction_type: Text = ""
    start: Local = Field("", validation_alias="from")
    end: Local = Field("", validation_alias="to")

    @property
    def is_standing(self) -> bool:
        """Whether it holds at any time and from one piece on, for all buyers or a group of them."""
        only = (self.id_customer, self.id_country, self.id_currency, self.id_cart)
        return not any((*only, self.start, self.end)) and self.from_quantity <= 1

    def of(self, price: Decimal) -> Decimal | None:
        """The price without tax; None where it goes down by an amount that has tax in it."""
        price = price if self.price < 0 else self.price
        if self.reduction_type == "percentage":
            return price * (1 - self.reduction)
        return None if self.reduction and self.reduction_tax else price - self.reduction


class Product(Wire):
    """A product with what is kept of it elsewhere; its price is without tax."""

    id: Id
    reference: Words = ""
    name: Words = ""
    ean13: Key = ""
    upc: Key = ""
    active: Flag = False
    available_for_order: Flag = True
    state: Text = ""
    price: Money = NOUGHT
    date_upd: Local = ""
    is_counted: bool
    combinations: Annotated[tuple[Combination, ...], Listed] = ()
    stock: Annotated[tuple[Available, ...], Listed] = ()
    prices: Annotated[tuple[SpecificPrice, ...], Listed] = ()
