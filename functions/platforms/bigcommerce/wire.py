"""What BigCommerce says: thin webhooks, and the answers of V2 (text) and V3 (numbers).

Empty objects come as ``[]`` and empty lists as nothing at all; money is text of four
decimals in V2.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from fizzbridge.wire import Flag, Id, Listed, MaybeMoment, Moment, Money, Object, Text, Wire


class Named(Wire):
    """The order, customer or shipment a delivery names; the rest is read back."""

    id: Id = Field(min_length=1)


class OfOrder(Wire):
    """A payment of an order."""

    order_id: Id = Field(min_length=1)


class OfShipment(Named):
    """A shipment and its order."""

    order_id: Id = Field(alias="orderId", min_length=1)


class AddressOf(Wire):
    """Whose address it is."""

    customer_id: Id = Field(min_length=1)


class OfAddress(Wire):
    """An address of a customer."""

    address: AddressOf


class OfProduct(Wire):
    """A variant or its stock; a variant is what the catalogue also calls SKU."""

    product_id: Id = Field(min_length=1)
    variant_id: Id = ""


class OfSku(Wire):
    """A variant, and when it was told of."""

    sku: OfProduct
    told_at: AwareDatetime


class OfInventory(Wire):
    """Stock of a variant."""

    inventory: OfProduct


class ListPrice(Wire):
    """A price on a price list."""

    price_list_id: Id = Field(min_length=1)
    variant_id: Id = Field(min_length=1)
    currency: Text


class ListPrices(Wire):
    """Prices written or taken off in one go, and when that was told."""

    records: tuple[ListPrice, ...]
    told_at: AwareDatetime


class CustomerGone(Named):
    """An account that is gone, and when that was told."""

    told_at: AwareDatetime


class OfCompany(Wire):
    """A company of B2B Edition."""

    company_id: Id = Field(min_length=1)


class CompanyGone(OfCompany):
    """A company that is gone, and when that was told."""

    told_at: AwareDatetime


class ExtraField(Wire):
    """A field the merchant added to orders of companies."""

    name: Text = Field("", alias="fieldName")
    value: Text = Field("", alias="fieldValue")


class Placed(Wire):
    """What B2B Edition knows of an order; no company for one of somebody else's."""

    company_id: Annotated[Id, AfterValidator(lambda value: "" if value == "0" else value)] = Field(
        "", alias="companyId"
    )
    po_number: Text = Field("", alias="poNumber")
    extra_fields: Annotated[tuple[ExtraField, ...], Listed] = Field((), alias="extraFields")


class Company(Wire):
    """A company of B2B Edition; times are seconds since 1970, as text."""

    id: Id = Field(alias="companyId", min_length=1)
    name: Text = Field("", alias="companyName")
    email: Text = Field("", alias="companyEmail")
    phone: Text = Field("", alias="companyPhone")
    price_list: Text = Field("", alias="catalogName")
    account: Text = Field("", alias="uuid")
    updated_at: AwareDatetime = Field(alias="updatedAt")


class FormField(Wire):
    """A field the shop added to its checkout."""

    name: Text = ""
    value: Text = ""


class Address(Wire):
    """Billing or delivery; ``state`` is the name in full."""

    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    street_1: Text = ""
    street_2: Text = ""
    city: Text = ""
    state: Text = ""
    zip: Text = ""
    country_iso2: Text = ""
    phone: Text = ""
    email: Text = ""
    form_fields: Annotated[tuple[FormField, ...], Listed] = ()


class Fee(Wire):
    """A surcharge or a deposit."""

    id: Id
    display_name_merchant: Text = ""
    display_name_customer: Text = ""
    cost_ex_tax: Money
    cost_inc_tax: Money


class Order(Wire):
    """An order of V2, without its lines."""

    id: Id
    status_id: int
    date_created: Moment
    date_modified: Moment
    customer_id: Id = "0"
    channel_id: Id = ""
    external_source: Text = ""
    currency_code: Text
    currency_exchange_rate: Money = Decimal(1)
    default_currency_code: Text
    store_default_currency_code: Text = ""
    is_tax_inclusive_pricing: Flag = False
    total_ex_tax: Money
    total_inc_tax: Money
    total_tax: Money
    discount_amount: Money = Decimal(0)
    coupon_discount: Money = Decimal(0)
    shipping_cost_ex_tax: Money = Decimal(0)
    shipping_cost_inc_tax: Money = Decimal(0)
    handling_cost_ex_tax: Money = Decimal(0)
    handling_cost_inc_tax: Money = Decimal(0)
    wrapping_cost_ex_tax: Money = Decimal(0)
    wrapping_cost_inc_tax: Money = Decimal(0)
    payment_method: Text = ""
    payment_status: Text = ""
    customer_message: Text = ""
    items_shipped: int = 0
    billing_address: Annotated[Address, Object] = Address()
    fees: Annotated[tuple[Fee, ...], Listed] = ()
    b2b: Placed = Placed()
    """From B2B Edition, where that is asked."""


class Discount(Wire):
    """What of a coupon or promotion fell on a line."""

    amount: Money


class Line(Wire):
    """A line; amounts both without and with tax, before and after discounts."""

    id: Id
    sku: Text = ""
    upc: Text = ""
    name: Text = ""
    type: Text = "physical"
    quantity: int
    price_ex_tax: Money
    price_inc_tax: Money
    total_ex_tax: Money
    total_inc_tax: Money
    total_tax: Money = Decimal(0)
    discounted_total_inc_tax: Decimal | None = None
    applied_discounts: Annotated[tuple[Discount, ...], Listed] = ()
    parent_order_product_id: Id = ""
    gift_certificate_id: Id = ""
    order_address_id: Id = ""


class Tax(Wire):
    """One tax on one item; ``rate`` is in percent."""

    name: Text = ""
    rate: Money
    line_amount: Money
    line_item_type: Text = ""
    order_product_id: Id = ""


class Transaction(Wire):
    """Something that happened to money (V3)."""

    id: Id
    event: Text
    status: Text = ""
    amount: Money
    currency: Text
    gateway: Text = ""
    date_created: Moment
    test: bool = False


class RefundItem(Wire):
    """What a refund is for."""

    item_type: Text
    item_id: Id = ""
    quantity: int | None = None
    requested_amount: Decimal | None = None


class RefundPayment(Wire):
    """How money went back."""

    amount: Money
    is_declined: bool = False


class Refund(Wire):
    """A refund (V3); it names no currency, which is the order's."""

    id: Id
    order_id: Id
    created: Moment
    reason: Text = ""
    total_amount: Money
    items: Annotated[tuple[RefundItem, ...], Listed] = ()
    payments: Annotated[tuple[RefundPayment, ...], Listed] = ()


class Packed(Wire):
    """Goods of one line in a shipment."""

    order_product_id: Id
    quantity: int


class Shipment(Wire):
    """A shipment (V2)."""

    id: Id
    order_id: Id
    date_created: Moment
    tracking_number: Text = ""
    tracking_carrier: Text = ""
    tracking_link: Text = ""
    items: Annotated[tuple[Packed, ...], Listed] = ()


class CustomerAddress(Wire):
    """An address of an account (V3)."""

    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    state_or_province: Text = ""
    postal_code: Text = ""
    country_code: Text = ""
    phone: Text = ""


class Customer(Wire):
    """Somebody with an account (V3)."""

    id: Id
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    phone: Text = ""
    tax_exempt_category: Text = ""
    date_modified: MaybeMoment = None
    addresses: Annotated[tuple[CustomerAddress, ...], Listed] = ()


class Store(Wire):
    """What holds for all prices of the catalogue (V2)."""

    currency: Text
    is_price_entered_with_tax: Flag = False


class Variant(Wire):
    """What is put into a cart; a product without options has one, its base variant."""

    id: Id
    sku: Text = ""
    upc: Text = ""
    gtin: Text = ""
    calculated_price: Decimal | None = None
    purchasing_disabled: Flag = False


class Product(Wire):
    """A product of the catalogue with its variants (V3)."""

    id: Id
    name: Text = ""
    upc: Text = ""
    gtin: Text = ""
    is_visible: Flag = False
    availability: Text = ""
    inventory_tracking: Text = "none"
    base_variant_id: Id = ""
    date_modified: Moment
    variants: Annotated[tuple[Variant, ...], Listed] = ()


class Place(Wire):
    """What one location offers."""

    location_id: Id
    location_enabled: Flag = True
    available_to_sell: int


class Stock(Wire):
    """Stock of one item, by location; it has no time."""

    identity: OfProduct
    locations: Annotated[tuple[Place, ...], Listed] = ()


class PriceList(Wire):
    """A price list."""

    name: Text
    active: Flag = True


class ListedPrice(ListPrice):
    """What a variant costs on a price list."""

    sku: Text = ""
    calculated_price: Decimal | None = None
    date_modified: Moment
