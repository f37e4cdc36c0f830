"""What our cartridge and SCAPI say. ``orderToken`` and ``orderViewCode`` are secrets: not read."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, model_validator

from fizzbridge.wire import Flag, Id, Listed, MaybeMoment, Moment, Money, Object, Text, Wire

CUSTOM = "c_"


class OrderEvent(Wire):
    """Our cartridge names an order."""

    order_no: Id = Field(min_length=1)


class CustomerEvent(Wire):
    """Our cartridge names a customer."""

    customer_no: Id = Field(min_length=1)


class Address(Wire):
    """An address of an order or of a customer."""

    first_name: Text = Field(default="", alias="firstName")
    last_name: Text = Field(default="", alias="lastName")
    company: Text = Field(default="", alias="companyName")
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    state: Text = Field(default="", alias="stateCode")
    postal_code: Text = Field(default="", alias="postalCode")
    country: Text = Field(default="", alias="countryCode")
    phone: Text = ""


class Item(Wire):
    """Anything with a price: goods, options, freight, gift certificates.

    Prices have tax in them where the order's ``taxation`` is ``gross``; ``taxRate`` is a fraction.
    """

    id: Id = Field(alias="itemId")
    sku: Text = Field(default="", alias="productId")
    text: Text = Field(default="", alias="itemText")
    quantity: Decimal = Decimal(1)
    base_price: Money = Field(default=Decimal(0), alias="basePrice")
    price: Money = Decimal(0)
    after_item_discount: Decimal | None = Field(default=None, alias="priceAfterItemDiscount")
    after_order_discount: Decimal | None = Field(default=None, alias="priceAfterOrderDiscount")
    tax: Money = Decimal(0)
    adjusted_tax: Decimal | None = Field(default=None, alias="adjustedTax")
    tax_rate: Money = Field(default=Decimal(0), alias="taxRate")
    tax_class: Text = Field(default="", alias="taxClassId")
    shipment_id: Id = Field(default="", alias="shipmentId")
    is_bonus: bool = Field(default=False, alias="bonusProductLineItem")
    options: Annotated[tuple[Item, ...], Listed] = Field(default=(), alias="optionItems")
    bundled: Annotated[tuple[Item, ...], Listed] = Field(default=(), alias="bundledProductItems")


class GiftCertificate(Wire):
    """A gift certificate somebody buys."""

    id: Id = Field(alias="giftCertificateItemId")
    amount: Money


class Shipment(Wire):
    """Where some of the lines go."""

    id: Id = Field(alias="shipmentId")
    address: Annotated[Address, Object] = Field(default=Address(), alias="shippingAddress")
    status: Text = Field(default="", alias="shippingStatus")
    tracking_number: Text = Field(default="", alias="trackingNumber")


class Buyer(Wire):
    """Who ordered."""

    customer_no: Id = Field(default="", alias="customerNo")
    email: Text = ""
    name: Text = Field(default="", alias="customerName")


class Instrument(Wire):
    """How it is paid."""

    method: Text = Field(default="", alias="paymentMethodId")


class Order(Wire):
    """An order, whole. The merchant's own attributes are kept under ``custom``."""

    number: Id = Field(alias="orderNo")
    created: Moment = Field(alias="creationDate")
    created_text: Text = ""
    modified: Moment = Field(alias="lastModified")
    status: Text
    confirmation: Text = Field(default="", alias="confirmationStatus")
    export: Text = Field(default="", alias="exportStatus")
    payment: Text = Field(default="", alias="paymentStatus")
    channel: Text = Field(default="", alias="channelType")
    currency: Text
    taxation: Text
    total: Money = Field(alias="orderTotal")
    tax: Money = Field(default=Decimal(0), alias="taxTotal")
    guest: bool = False
    buyer: Annotated[Buyer, Object] = Field(default=Buyer(), alias="customerInfo")
    billing: Annotated[Address, Object] = Field(default=Address(), alias="billingAddress")
    items: Annotated[tuple[Item, ...], Listed] = Field(default=(), alias="productItems")
    shipping: Annotated[tuple[Item, ...], Listed] = Field(default=(), alias="shippingItems")
    gift_certificates: Annotated[tuple[GiftCertificate, ...], Listed] = Field(
        default=(), alias="giftCertificateItems"
    )
    shipments: Annotated[tuple[Shipment, ...], Listed] = ()
    instruments: Annotated[tuple[Instrument, ...], Listed] = Field(
        default=(), alias="paymentInstruments"
    )
    replacement: Id = Field(default="", alias="replacementOrderNo")
    custom: dict[str, Text] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        plain = {name: value for name, value in data.items() if isinstance(value, str | int)}
        custom = {name[2:]: str(value) for name, value in plain.items() if name[:2] == CUSTOM}
        return data | {"custom": custom, "created_text": data.get("creationDate")}


class Customer(Wire):
    """Somebody with an account."""

    customer_no: Id = Field(alias="customerNo")
    email: Text = ""
    first_name: Text = Field(default="", alias="firstName")
    last_name: Text = Field(default="", alias="lastName")
    company: Text = Field(default="", alias="companyName")
    phone: Text = Field(default="", alias="phoneBusiness")
    modified: MaybeMoment = Field(default=None, alias="lastModified")
    addresses: Annotated[tuple[Address, ...], Listed] = ()


class Product(Wire):
    """A product of the site; its id is the code it is sold under."""

    id: Id = Field(min_length=1)
    name: Annotated[dict[str, Text], Object] = Field(default_factory=dict)
    ean: Text = ""
    upc: Text = ""
    online: Flag = True
    type: Annotated[dict[str, Flag], Object] = Field(default_factory=dict)
    created: Moment = Field(alias="creationDate")
    modified: Moment = Field(alias="lastModified")
