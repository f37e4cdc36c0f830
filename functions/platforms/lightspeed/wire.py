"""What Lightspeed says: webhooks in an old shape, answers in that of 2026-07.

Of a webhook only the id is read. Amounts are without tax and have five decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from fizzbridge.wire import Flag, Id, Listed, MaybeMoment, Moment, Money, Object, Text, Wire


class Named(Wire):
    """What a webhook is about."""

    id: Id = Field(min_length=1)


class NamedStock(Wire):
    """Whose stock a webhook is about."""

    product_id: Id = Field(min_length=1)


class Of(Wire):
    """Something named by its id."""

    id: Id = ""


class Pricing(Wire):
    """Of a line, without tax."""

    price: Money = Decimal(0)
    discount: Money = Decimal(0)
    discount_total: Money = Decimal(0)
    total: Money


class LineTax(Wire):
    """Of a line."""

    id: Id = ""
    total: Money = Decimal(0)


class TaxComponent(Wire):
    """What one rate comes to."""

    rate_id: Id = ""
    total_tax: Money = Decimal(0)


class LineData(Wire):
    """What the platform keeps beside a line."""

    tax_components: Annotated[tuple[TaxComponent, ...], Listed] = ()


class LineReturn(Wire):
    """Whether a line is one that comes back."""

    is_return: bool = False


class Line(Wire):
    """One line; what comes back has a quantity and totals below nought."""

    id: Id
    product: Annotated[Of, Object] = Of()
    quantity: Decimal
    note: Text = ""
    gift_card_number: Text = ""
    pricing: Pricing
    tax: Annotated[LineTax, Object] = LineTax()
    data: Annotated[LineData, Object] = Field(default=LineData(), alias="_metadata")


class PaymentType(Wire):
    """How it was paid."""

    name: Text = ""


class Payment(Wire):
    """Money taken, or given back where it is below nought."""

    id: Id
    amount: Money
    date: MaybeMoment = None
    deleted_at: Text = ""
    type: Annotated[PaymentType, Object] = PaymentType()


class Charge(Wire):
    """What a web shop charged beside goods: freight, mostly."""

    name: Text = ""
    total: Money
    total_tax: Money = Decimal(0)
    tax_components: Annotated[tuple[TaxComponent, ...], Listed] = ()


class Totals(Wire):
    """Of a sale."""

    price: Money
    tax: Money = Decimal(0)
    price_incl_tax: Decimal | None = None
    surcharge: Money = Decimal(0)


class Returned(Wire):
    """Whether the whole sale is a return, and of which."""

    is_return: bool = False
    original_sale_id: Id = ""


class Source(Wire):
    """Where the sale was made."""

    id: Id = ""
    type: Text = ""
    register_id: Id = ""


class Counted(Wire):
    """The platform counts every change of everything: the version is a clock."""

    version: int


class Sale(Wire):
    """A sale, in the shape of 2026-07."""

    id: Id
    state: Text
    attributes: Annotated[tuple[Text, ...], Listed] = ()
    created_at: Moment
    updated_at: Moment
    deleted_at: Text = ""
    date: Moment
    date_text: Text = ""
    customer_id: Id = ""
    invoice_number: Text = ""
    receipt_number: Text = ""
    note: Text = ""
    source: Annotated[Source, Object] = Source()
    totals: Totals
    line_items: Annotated[tuple[Line, ...], Listed] = ()
    payments: Annotated[tuple[Payment, ...], Listed] = ()
    ecom_custom_charges: Annotated[tuple[Charge, ...], Listed] = ()
    returned: Annotated[Returned, Object] = Field(default=Returned(), alias="return")
    counted: Counted = Field(alias="_metadata")


class ProductCode(Wire):
    """A code that is scanned."""

    type: Text = ""
    code: Text = ""


class Product(Wire):
    """A product, or one of its variants: each has a code and a price of its own."""

    id: Id
    sku: Text = ""
    name: Text = ""
    variant_name: Text = ""
    active: Flag = True
    has_inventory: Flag = True
    price_excluding_tax: Decimal | None = None
    product_codes: Annotated[tuple[ProductCode, ...], Listed] = ()
    deleted_at: Text = ""
    version: int = 0


class Level(Wire):
    """What one outlet has of a product to sell."""

    product_id: Id
    outlet_id: Id
    current_inventory_level: Money = Decimal(0)
    deleted_at: Text = ""
    version: int


class Rate(Wire):
    """A rate of tax, as a fraction."""

    id: Id
    name: Text = ""
    rate: Money


class Tax(Wire):
    """What a product is taxed with."""

    id: Id
    rates: Annotated[tuple[Rate, ...], Listed] = ()


class Customer(Wire):
    """Somebody the shop knows."""

    id: Id
    customer_code: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    company_name: Text = ""
    email: Text = ""
    phone: Text = ""
    mobile: Text = ""
    updated_at: MaybeMoment = None
    version: int
    physical_address_1: Text = ""
    physical_address_2: Text = ""
    physical_city: Text = ""
    physical_state: Text = ""
    physical_postcode: Text = ""
    physical_country_id: Text = ""
    postal_address_1: Text = ""
    postal_address_2: Text = ""
    postal_city: Text = ""
    postal_state: Text = ""
    postal_postcode: Text = ""
    postal_country_id: Text = ""
