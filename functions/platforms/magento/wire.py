"""What Magento says in REST V1, and our own module in its bodies.

Fields without a value are left out of answers, and an empty object is written ``[]``. Amounts by
their plain names are in the order's currency; those named ``base_`` are in the website's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from fizzbridge.wire import Flag, Id, Listed, Moment, Object, Text, Wire

_FINE = Decimal("0.0001")


def _money(value: Any) -> Any:
    """``13.199999999`` is a float that was printed: the database keeps four digits."""
    return Decimal(str(value or 0)).quantize(_FINE, ROUND_HALF_UP)


def _streets(value: Any) -> Any:
    """``street`` is a list, and on some versions a text of several lines."""
    return value.splitlines() if isinstance(value, str) else value or ()


def _region(value: Any) -> Any:
    """A customer's region is an object, an order's is text."""
    if isinstance(value, dict):
        value = value.get("region_code") or value.get("region")
    return value or ""


def _levied(value: Any) -> Any:
    """Fixed product taxes are a JSON list inside a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, RecursionError, InvalidOperation):
            return ()
    return value if isinstance(value, list) else ()


Named = Annotated[Id, Field(pattern=r"^[1-9]\d*$")]
Link = Annotated[Id, AfterValidator(lambda value: "" if value == "0" else value)]
"""The number of something else; nought for none."""
Money = Annotated[Decimal, BeforeValidator(_money)]
_NOUGHT = Decimal(0)


class Address(Wire):
    """Of an order or of an account."""

    firstname: Text = ""
    lastname: Text = ""
    company: Text = ""
    street: Annotated[tuple[Text, ...], BeforeValidator(_streets)] = ()
    city: Text = ""
    region: Annotated[str, BeforeValidator(_region)] = ""
    region_code: Text = ""
    postcode: Text = ""
    country_id: Text = ""
    telephone: Text = ""
    email: Text = ""
    vat_id: Text = ""
    default_billing: Flag = False


class Tax(Wire):
    """One tax by its rate; two generations of the API name it differently."""

    title: Text = ""
    percent: Money = _NOUGHT
    amount: Money = _NOUGHT
    taxable_item_type: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        title = row.get("title") or row.get("tax_code") or row.get("code")
        return row | {"title": title, "percent": row.get("percent") or row.get("tax_percent")}


class Levied(Wire):
    """A fixed product tax: a deposit in this trade, or a levy."""

    title: Text = ""
    amount: Money = _NOUGHT
    row_amount: Money = _NOUGHT
    row_amount_incl_tax: Money | None = None

    @property
    def tax(self) -> Decimal:
        """The tax on it, where it is told at all."""
        gross = self.row_amount_incl_tax
        return _NOUGHT if gross is None else gross - self.row_amount


class ItemExtension(Wire):
    """Attributes of a line that modules of Magento's own add."""

    itemized_taxes: Annotated[tuple[Tax, ...], Listed] = ()


class Priced(Wire):
    """What a line of an order and one of a credit memo share; discounts are positive here."""

    row_total: Money = _NOUGHT
    tax_amount: Money = _NOUGHT
    discount_amount: Money = _NOUGHT
    discount_tax_compensation_amount: Money = _NOUGHT
    weee_tax_applied: Annotated[tuple[Levied, ...], BeforeValidator(_levied)] = ()
    weee_tax_applied_amount: Money = _NOUGHT
    weee_tax_applied_row_amount: Money = _NOUGHT

    @property
    def levied(self) -> Sequence[Levied]:
        """The fixed product taxes; one for all where their list does not come to the row's sum."""
        whole, listed = self.weee_tax_applied_row_amount, self.weee_tax_applied
        if whole and sum(one.row_amount for one in listed) != whole:
            return (Levied(amount=self.weee_tax_applied_amount, row_amount=whole),)
        return [one for one in listed if one.row_amount]

    @property
    def net(self) -> Decimal:
        """After discounts and without tax.

        Where a discount is taken off prices with tax, the tax in it comes back as a compensation.
        """
        return self.row_total - self.discount_amount + self.discount_tax_compensation_amount


class Item(Priced):
    """A line of an order."""

    item_id: Named
    parent_item_id: Link = ""
    product_type: Text = ""
    sku: Text = ""
    name: Text = ""
    qty_ordered: Money = _NOUGHT
    qty_canceled: Money = _NOUGHT
    price: Money = _NOUGHT
    price_incl_tax: Money | None = None
    row_total_incl_tax: Money = _NOUGHT
    tax_percent: Money = _NOUGHT
    extension_attributes: Annotated[ItemExtension, Object] = ItemExtension()


class Shipping(Wire):
    """Where an order goes."""

    address: Annotated[Address, Object] = Address()


class Assignment(Wire):
    """One shipping of an order; there is one, or none where nothing is shipped."""

    shipping: Annotated[Shipping, Object] = Shipping()


class Company(Wire):
    """The company a B2B order was placed for."""

    company_id: Link = ""
    company_name: Text = ""


class ItemTaxes(Wire):
    """The taxes of a line, or of the shipping."""

    type: Text = ""
    item_id: Id = ""
    applied_taxes: Annotated[tuple[Tax, ...], Listed] = ()


class Fee(Wire):
    """A fee the merchant made up."""

    id: Id = ""
    custom_fee_code: Text = ""
    custom_fee_label: Text = ""
    custom_fee_amount: Money = _NOUGHT


class GiftCard(Wire):
    """A gift card, and what was paid by it."""

    amount: Money = _NOUGHT


class PaidOtherwise(Wire):
    """What gift cards, store credit and points paid; grand totals leave it out."""

    gift_cards: Annotated[tuple[GiftCard, ...], Listed] = ()
    gift_cards_amount: Money = _NOUGHT
    customer_balance_amount: Money = _NOUGHT
    reward_currency_amount: Money = _NOUGHT

    @property
    def amounts(self) -> Mapping[str, Decimal]:
        """What was paid by what."""
        cards = sum((one.amount for one in self.gift_cards), _NOUGHT)
        amounts = {
            "gift_cards": self.gift_cards_amount or cards,
            "customer_balance": self.customer_balance_amount,
            "reward_currency": self.reward_currency_amount,
        }
        return {name: amount for name, amount in amounts.items() if amount}


class Extension(PaidOtherwise):
    """Attributes of an order that modules of Magento's own add."""

    shipping_assignments: Annotated[tuple[Assignment, ...], Listed] = ()
    company_order_attributes: Annotated[Company, Object] = Company()
    item_applied_taxes: Annotated[tuple[ItemTaxes, ...], Listed] = ()
    additional_itemized_taxes: Annotated[tuple[Tax, ...], Listed] = ()
    custom_fees: Annotated[tuple[Fee, ...], Listed] = ()
    gw_price: Money = _NOUGHT
    gw_tax_amount: Money = _NOUGHT
    gw_items_price: Money = _NOUGHT
    gw_items_tax_amount: Money = _NOUGHT
    gw_card_price: Money = _NOUGHT
    gw_card_tax_amount: Money = _NOUGHT
    pickup_location_code: Text = ""
    coupon_codes: Annotated[tuple[Text, ...], Listed] = ()


class Payment(Wire):
    """How an order is paid."""

    method: Text = ""
    po_number: Text = ""
    amount_authorized: Money = _NOUGHT


class Order(Wire):
    """An order, whole."""

    entity_id: Named
    increment_id: Text = ""
    state: Text = ""
    created_at: Moment
    created_text: Text = ""
    updated_at: Moment
    order_currency_code: Text
    base_currency_code: Text = ""
    grand_total: Money
    base_grand_total: Money = _NOUGHT
    tax_amount: Money = _NOUGHT
    tax_canceled: Money = _NOUGHT
    discount_amount: Money = _NOUGHT
    shipping_amount: Money = _NOUGHT
    shipping_incl_tax: Money = _NOUGHT
    shipping_tax_amount: Money = _NOUGHT
    shipping_discount_amount: Money = _NOUGHT
    shipping_discount_tax_compensation_amount: Money = _NOUGHT
    shipping_description: Text = ""
    total_paid: Money = _NOUGHT
    total_due: Money | None = None
    total_refunded: Money = _NOUGHT
    total_canceled: Money = _NOUGHT
    customer_id: Link = ""
    customer_is_guest: Flag = False
    customer_email: Text = ""
    customer_firstname: Text = ""
    customer_lastname: Text = ""
    customer_taxvat: Text = ""
    customer_note: Text = ""
    coupon_code: Text = ""
    store_name: Text = ""
    ext_customer_id: Text = ""
    relation_parent_id: Link = ""
    relation_parent_real_id: Text = ""
    relation_child_id: Link = ""
    relation_child_real_id: Text = ""
    billing_address: Annotated[Address, Object] = Address()
    payment: Annotated[Payment, Object] = Payment()
    items: Annotated[tuple[Item, ...], Listed] = ()
    extension_attributes: Annotated[Extension, Object] = Extension()

    @model_validator(mode="before")
    @classmethod
    def _keep_text(cls, row: Any) -> Any:
        at = row.get("created_at") if isinstance(row, dict) else None
        return row | {"created_text": at} if at else row


class Following(Wire):
    """What invoices, credit memos and shipments share."""

    entity_id: Named
    increment_id: Text = ""
    order_id: Named
    created_at: Moment
    updated_at: Moment


class Comment(Wire):
    """A remark of the shop's people."""

    comment: Text = ""


class MoneyDocument(Following):
    """An invoice or a credit memo: 1 is open, 2 paid or refunded, 3 canceled."""

    state: int = 1
    order_currency_code: Text
    grand_total: Money
    extension_attributes: Annotated[PaidOtherwise, Object] = PaidOtherwise()


class Invoice(MoneyDocument):
    """An invoice; its lines are those of the order."""


class MemoItem(Priced):
    """What of a line is credited."""

    order_item_id: Named
    qty: Money = _NOUGHT


class CreditMemo(MoneyDocument):
    """A credit memo: its amounts are positive."""

    items: Annotated[tuple[MemoItem, ...], Listed] = ()
    comments: Annotated[tuple[Comment, ...], Listed] = ()


class ShipmentItem(Wire):
    """What of a line is sent."""

    order_item_id: Named
    qty: Money


class Track(Wire):
    """A parcel."""

    track_number: Text = ""
    title: Text = ""
    carrier_code: Text = ""


class Shipment(Following):
    """Goods that left."""

    items: Annotated[tuple[ShipmentItem, ...], Listed] = ()
    tracks: Annotated[tuple[Track, ...], Listed] = ()


class CustomerExtension(Wire):
    """The company an account belongs to."""

    company_attributes: Annotated[Company, Object] = Company()


class Customer(Wire):
    """Somebody with an account in the shop."""

    id: Named
    updated_at: Moment
    email: Text = ""
    firstname: Text = ""
    lastname: Text = ""
    taxvat: Text = ""
    addresses: Annotated[tuple[Address, ...], Listed] = ()
    extension_attributes: Annotated[CustomerExtension, Object] = CustomerExtension()


class Business(Address):
    """A company of the B2B module; it has no time of its own."""

    id: Named
    company: Text = Field("", alias="company_name")
    legal_name: Text = ""
    email: Text = Field("", alias="company_email")
    vat_id: Text = Field("", alias="vat_tax_id")


class Product(Wire):
    """A product as lists show it; prices are in the base currency of the website."""

    id: Named
    sku: Text
    name: Text = ""
    type_id: Text = ""
    status: int = 1
    price: Money | None = None
    updated_at: Moment


class StockItem(Wire):
    """Stock of a product as it was before there were sources; the rules are still kept there."""

    qty: Money = _NOUGHT
    manage_stock: Flag = False


class ProductExtension(Wire):
    """Attributes of a product that modules of Magento's own add."""

    stock_item: Annotated[StockItem, Object] = StockItem()


class StockedProduct(Product):
    """A product read by its SKU: only then its stock item is shown."""

    extension_attributes: Annotated[ProductExtension, Object] = ProductExtension()


class StoreConfig(Wire):
    """A store view; the settings of a website are repeated in each of its views."""

    code: Text = ""
    base_currency_code: Text


class Event(Wire):
    """What our module posts: something was saved."""

    entity_id: Named


class Deleted(Event):
    """What our module posts of something that is gone."""

    occurred_at: Moment
