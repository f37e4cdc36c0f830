"""What Shopify says of orders and what follows them, of people and goods, as its webhooks have it.

``queries.py`` asks GraphQL for the same names, so both ways end in one mapping. What GraphQL cannot
rename is evened out here: connections, gids, money bags, capitals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")


def _id(value: Any) -> Any:
    """``gid://shopify/LineItem/7``, ``{"id": ...}`` and 7 are the id "7"."""
    if isinstance(value, dict):
        return _id(value.get("id"))
    # Some gids say behind a question mark what the id is of.
    return value if value is None else str(value).rpartition("/")[2].partition("?")[0]


def _shop(value: Any) -> Any:
    """A money bag stands for the shop's side of it; webhooks give that side alone as text."""
    return value["shop_money"]["amount"] if isinstance(value, dict) else value


def _shop_currency(value: Any) -> Any:
    return value["shop_money"]["currency_code"] if isinstance(value, dict) else value


def _nodes(value: Any) -> Any:
    return value["nodes"] if isinstance(value, dict) else value


def _sole(value: Any) -> Any:
    """What GraphQL wraps in objects of one field."""
    return _sole(next(iter(value.values()), None)) if isinstance(value, dict) else value


def _tracking(value: Any) -> Any:
    """A text or a list of texts in webhooks, a list of objects with one field each in GraphQL."""
    listed = value if isinstance(value, list) else [value]
    texts = [next(iter(one.values())) if isinstance(one, dict) else one for one in listed]
    return ", ".join(text for text in texts if text)


def _given_back(value: Any) -> Any:
    """Money refunded beside lines: one bag in GraphQL, adjustments of each refund in webhooks."""
    if not isinstance(value, list):
        return abs(Decimal(_shop(value)))
    found = [
        Decimal(one["amount"])
        for refund in value
        for one in refund.get("order_adjustments") or ()
        if one.get("kind") == "refund_discrepancy"
    ]
    return abs(sum(found, Decimal(0)))


def _tags(value: Any) -> Any:
    tags = value.split(",") if isinstance(value, str) else value
    return sorted(tag.strip() for tag in tags if tag.strip())


Id = Annotated[str, BeforeValidator(_id)]
Money = Annotated[Decimal, BeforeValidator(_shop)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
Sole = Annotated[str, BeforeValidator(lambda value: _sole(value) or "")]
Word = Annotated[str, BeforeValidator(lambda value: str(value or "").lower())]
Tracking = Annotated[str, BeforeValidator(_tracking)]
Listed = Annotated[list[T], BeforeValidator(_nodes)]


class Wire(BaseModel):
    """Only the fields we use; Shopify adds others at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Attribute(Wire):
    """A name and a value somebody typed or an app wrote."""

    name: str
    value: Text = ""


class TaxLine(Wire):
    """One tax, for all units ever ordered of a line."""

    title: Text = ""
    rate: Decimal | None = None
    price: Money


class Discount(Wire):
    """A line's share of one discount, for all units ever ordered."""

    amount: Money


class Line(Wire):
    """Something bought; a removed line stays, with no current quantity."""

    id: Id
    sku: Text = ""
    name: Text
    variant_id: Id | None = None
    sales_line_item_group_id: Id | None = None
    quantity: int
    current_quantity: int
    price: Money
    gift_card: bool = False
    properties: list[Attribute] = []
    discount_allocations: list[Discount] = []
    tax_lines: list[TaxLine] = []


class ShippingLine(Wire):
    """What a delivery costs; its taxes are those of the discounted price."""

    id: Id
    title: Text = ""
    price: Money
    discounted_price: Money
    current_discounted_price_set: Money
    is_removed: bool = False
    tax_lines: list[TaxLine] = []


class Address(Wire):
    """A postal address."""

    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    province_code: Text = ""
    zip: Text = ""
    country_code: Text = ""
    phone: Text = ""


class Customer(Wire):
    """The account the order was placed with."""

    id: Id
    first_name: Text = ""
    last_name: Text = ""


class Company(Wire):
    """The business the order was placed for, and its outlet."""

    id: Id
    location_id: Id


class PaymentTerms(Wire):
    """When the order is due."""

    payment_terms_type: Text = ""
    due_in_days: int | None = None


class Amount(Wire):
    """An amount with its currency."""

    amount: Decimal
    currency_code: str


class Bag(Wire):
    """One amount in the shop's and in the buyer's currency."""

    shop_money: Amount
    presentment_money: Amount


class Order(Wire):
    """An order as it stands: ``current_*`` is after edits and refunds."""

    id: Id
    name: str
    processed_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None = None
    cancel_reason: Word = ""
    currency: str
    taxes_included: bool
    test: bool
    financial_status: Word = ""
    source_name: Text = ""
    po_number: Text = ""
    note: Text = ""
    tags: Annotated[list[str], BeforeValidator(_tags)] = []
    email: Text = ""
    phone: Text = ""
    customer_locale: Text = ""
    customer: Customer | None = None
    # GraphQL answers {} for a buyer that is no company.
    company: Annotated[Company | None, BeforeValidator(lambda value: value or None)] = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    payment_terms: PaymentTerms | None = None
    note_attributes: list[Attribute] = []
    current_total_price_set: Bag
    current_total_tax: Money
    current_total_discounts: Money
    current_total_duties_set: Money | None = None
    current_total_additional_fees_set: Money | None = None
    line_items: Listed[Line]
    shipping_lines: Listed[ShippingLine]
    given_back: Annotated[Decimal, BeforeValidator(_given_back)] = Field(
        default=Decimal(0), validation_alias="refunds"
    )
    has_fulfillments: Annotated[bool, BeforeValidator(bool)] = Field(
        default=False, validation_alias="fulfillments"
    )
    # A list in webhooks; GraphQL has a word for how far they are.
    has_returns: Annotated[
        bool, BeforeValidator(lambda value: bool(value) and value != "NO_RETURN")
    ] = Field(default=False, validation_alias="returns")


class Transaction(Wire):
    """Money that moved, or should have."""

    id: Id
    order_id: Id
    kind: Word
    status: Word
    gateway: Text = ""
    amount: Money
    currency: Annotated[str, BeforeValidator(_shop_currency)]
    created_at: AwareDatetime
    processed_at: AwareDatetime | None = None
    test: bool


class RefundLine(Wire):
    """What a refund takes back of a line."""

    line_item_id: Id
    quantity: int
    restock_type: Word = ""
    subtotal: Money
    total_tax: Money


class Refund(Wire):
    """A refund: lines, money, both or neither."""

    id: Id
    order_id: Id
    created_at: AwareDatetime
    processed_at: AwareDatetime | None = None
    note: Text = ""
    # Money and lines may both be absent; this sum is always there and knows the shop's currency.
    currency: Annotated[str, BeforeValidator(_shop_currency)] = Field(
        validation_alias="total_duties_set"
    )
    return_id: Id | None = Field(default=None, validation_alias="return")
    refund_line_items: Listed[RefundLine]
    transactions: Listed[Transaction]


class FulfilledLine(Wire):
    """How much of an order's line a fulfilment holds; the id is that line's."""

    id: Id
    quantity: int


class Fulfillment(Wire):
    """What leaves together, in one parcel or several."""

    id: Id
    order_id: Id
    name: Text
    status: Word
    # What the carrier says; GraphQL mixes words of its own in.
    shipment_status: Word = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    tracking_company: Tracking = ""
    tracking_numbers: Tracking = ""
    tracking_url: Tracking = ""
    line_items: Listed[FulfilledLine]


class OrderEdit(Wire):
    """Which order was edited."""

    order_id: Id


class OrderEdited(Wire):
    """``orders/edited``: names the order and does not show it."""

    order_edit: OrderEdit


class ReturnedLine(Wire):
    """How much of an order's line is to come back, and how much of it has."""

    # None where goods come back that no order of the shop knows.
    line_item_id: Id | None = None
    quantity: int
    processed: int
    reason: Sole = ""
    note: Text = ""


class Changing(Wire):
    """Something known by the time of its last change."""

    id: Id
    updated_at: AwareDatetime


class Return(Wire):
    """Goods that come back; it has no time of change of its own."""

    id: Id
    name: Text
    status: Word
    closed_at: AwareDatetime | None = None
    order: Changing
    return_line_items: Listed[ReturnedLine]


class Numbered(Wire):
    """Known by its number alone."""

    id: Id


class Named(Wire):
    """Known by its global id alone: the rest is read."""

    id: Id = Field(validation_alias="admin_graphql_api_id", min_length=1)


class MaybeNamed(Wire):
    """A processed return: the vendor's own example of it is empty."""

    id: Id | None = Field(default=None, validation_alias="admin_graphql_api_id")


class Deleted(Numbered):
    """What is gone, with the time from the delivery's header."""

    triggered_at: AwareDatetime


class AccountAddress(Address):
    """One of the addresses an account keeps."""

    id: Id


class Account(Customer):
    """Somebody with an account."""

    updated_at: AwareDatetime
    email: Sole = ""
    phone: Sole = ""
    default_address: AccountAddress | None = None
    addresses: Listed[AccountAddress]


class Business(Changing):
    """A company, as each of its locations names it."""

    name: Text
    external_id: Text = ""


class Outlet(Changing):
    """A company's location: who buys. Only the API knows its terms."""

    external_id: Text = ""
    phone: Text = ""
    locale: Text = ""
    company: Business
    billing_address: Address | None = None
    shipping_address: Address | None = None
    tax_number: Sole = ""
    payment_days: Annotated[int | None, BeforeValidator(_sole)] = None


class OutletDeleted(Named):
    """A location that is gone, with the time from the delivery's header."""

    company: Named
    triggered_at: AwareDatetime


class Redact(Wire):
    """A person whose data must go, and the orders they are in."""

    customer: Numbered
    orders_to_redact: list[Id]
    triggered_at: AwareDatetime


class DataRequest(Wire):
    """A person who asks what is known of them, and the orders they are in."""

    customer: Numbered
    orders_requested: list[Id]


class ShopRedact(Wire):
    """A shop that has left."""

    shop_domain: str


class OfProduct(Wire):
    """A variant, which names its product."""

    product_id: Id


class OfItem(Wire):
    """Stock at a location, which names what it is of."""

    inventory_item_id: Id


class Level(Wire):
    """What one location offers."""

    location: Id
    is_active: bool
    updated_at: AwareDatetime
    available: Annotated[
        int | None, BeforeValidator(lambda named: named[0]["quantity"] if named else None)
    ]


class Item(Changing):
    """What is counted of a variant."""

    tracked: bool
    levels: Listed[Level]


class StockItem(Item):
    """The same, read by itself."""

    sku: Text = ""
    variants: Listed[Numbered]


class Variant(Wire):
    """What is put into a cart."""

    id: Id
    sku: Text = ""
    title: Text = ""
    barcode: Text = ""
    price: Decimal
    item: Item


class Product(Changing):
    """A product, or a page of its variants."""

    title: Text
    status: Word
    variants: Listed[Variant]


class Shop(Wire):
    """What holds for all prices of a shop."""

    currency: str
    taxes_included: bool
