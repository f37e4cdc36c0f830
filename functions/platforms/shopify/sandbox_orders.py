"""The sandbox's orders: what they add up to and their bodies in the vendor's REST shape.

Money is kept in shop and presentment currency side by side, so that sums are exact in both. Order
totals without ``current_`` count every unit ever ordered; ``current_`` totals leave out what edits,
refunds or a cancellation took away.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from platforms.shopify.sandbox_money import ZERO, Currencies, Json, Money, total

if TYPE_CHECKING:
    from platforms.shopify.sandbox_fulfillment_orders import Group
    from platforms.shopify.sandbox_fulfillments import Fulfillment

CANCEL_REASONS = {"customer", "declined", "fraud", "inventory", "other", "staff"}
RESTOCK_TYPES = {"no_restock", "cancel", "return", "legacy_restock"}
PAYMENT_KINDS = {"sale", "authorization", "capture"}

DRAFT_KEYS = set(
    "lines customer email phone billing_address shipping_address company po_number payment_terms"
    " discount_code discount shipping taxes_included currency presentment_currency"
    " presentment_rate created_at processed_at updated_at test note note_attributes tags"
    " source_name source_identifier paid tax_rate".split()
)
LINE_KEYS = set(
    "sku title variant_title quantity price discount properties taxable tax_rate gift_card"
    " tip".split()
)
COMPANY_KEYS = set(
    "id location_id contact_id name external_id location_name location_external_id".split()
)
DETAIL_KEYS = set(
    "note tags po_number email phone billing_address shipping_address note_attributes".split()
)
ADDRESS_KEYS = (
    "first_name address1 phone city zip province country last_name address2 company"
    " latitude longitude name country_code province_code".split()
)
UNUSED_ORDER_KEYS = (
    "app_id browser_ip cart_token checkout_token client_details current_total_additional_fees_set"
    " current_total_duties_set device_id landing_site landing_site_ref location_id"
    " merchant_of_record_app_id original_total_additional_fees_set original_total_duties_set"
    " reference referring_site source_url user_id".split()
)


class RefusedError(ValueError):
    """The shop would not do this, or the request for it is malformed."""


def known(given: Mapping[str, Any], keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error in a test is seen."""
    if unknown := set(given) - keys:
        raise RefusedError(f"unknown in {what}: {', '.join(sorted(unknown))}")


def gid(kind: str, number: int) -> str:
    """The global id the GraphQL API uses."""
    return f"gid://shopify/{kind}/{number}"


def number_of(global_id: str) -> int:
    """The number in a global id."""
    return int(global_id.rpartition("/")[2])


@dataclass
class Line:
    """One line item; ``quantity`` never shrinks, ``current`` is what is left of it."""

    id: int
    facts: Json
    price: Money
    quantity: int
    current: int
    rate: Decimal | None
    fulfilled: int = 0
    allocations: list[tuple[int, Money]] = field(default_factory=list)
    own_discount: Money = ZERO

    @property
    def open(self) -> int:
        """Units still to be shipped."""
        return max(self.current - self.fulfilled, 0) if self.facts["requires_shipping"] else 0


@dataclass
class Transaction:
    """One movement, promise or failure of money."""

    id: int
    kind: str
    status: str
    amount: Money
    gateway: str
    at: str
    parent: int | None
    error_code: str | None


class Move(NamedTuple):
    """Units of a variant that left, or came back to, what can be sold and what is promised."""

    variant_id: int | None
    available: int
    committed: int
    location: int | None = None


@dataclass
class Order:
    """One order: what was agreed, what became of it, and how the vendor shows it.

    ``tax_rate`` is that of lines which name none. An order may be placed at a later time than the
    shop's clock shows: by ``ahead`` everything that happens to it is later, too, so that its times
    never run backwards.
    """

    id: int
    number: int
    shop: str
    facts: Json
    currencies: Currencies
    taxes_included: bool
    lines: list[Line]
    created_at: str
    processed_at: str
    updated_at: str
    customer: Json | None
    company: Json | None
    shipping: Json | None
    shipping_id: int
    tax_rate: Any = None
    ahead: timedelta = timedelta(0)
    payment_terms: Json | None = None
    applications: list[Json] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Json] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    original_price: Money = ZERO
    excess_refunded: Money = ZERO
    freight_back: Money = ZERO
    staff_note: str | None = None
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    closed_at: str | None = None
    was_paid: bool = False
    edited: bool = False
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    indexed: list[tuple[datetime, str]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def line(self, key: Any) -> Line:
        """The line of that id or SKU."""
        for line in self.lines:
            if str(key) in {str(line.id), line.facts["sku"]}:
                return line
        raise RefusedError(f"no line {key} in order {self.id}")

    def tax(self, amount: Money, rate: Decimal | None) -> Money:
        """The tax in, or on top of, an amount."""
        if rate is None:
            return ZERO
        return self.currencies.times(amount, rate, 1 + rate if self.taxes_included else Decimal(1))

    def worth(self, line: Line, quantity: int) -> tuple[Money, Money, Money]:
        """Gross, discount and tax of so many units of a line."""
        gross = self.currencies.times(line.price, Decimal(quantity))
        discount = total(amount for _, amount in line.allocations)
        if quantity != line.quantity:
            discount = self.currencies.times(discount, Decimal(quantity), Decimal(line.quantity))
        return gross, discount, self.tax(gross - discount, line.rate)

    @property
    def freight(self) -> Money:
        """What was agreed for the delivery."""
        return self.shipping["money"] if self.shipping else ZERO

    @property
    def freight_left(self) -> Money:
        """What of that is still to be paid, or was not given back."""
        return ZERO if self.cancelled_at else self.freight - self.freight_back

    def sums(self, units: Callable[[Line], int], freight: Money) -> dict[str, Money]:
        """Every order total for the units a rule picks from each line, and so much delivery."""
        parts = [self.worth(line, units(line)) for line in self.lines if not line.facts["tip"]]
        tips = total(self.worth(line, units(line))[0] for line in self.lines if line.facts["tip"])
        gross, discount, tax = (total(part[column] for part in parts) for column in range(3))
        if self.shipping:
            tax += self.tax(freight, self.shipping["rate"])
        price = gross - discount + freight + tips + (ZERO if self.taxes_included else tax)
        return {"line_items": gross, "discounts": discount, "subtotal": gross - discount,
                "tax": tax, "shipping": freight, "tips": tips, "price": price}  # fmt: skip

    def ordered(self) -> dict[str, Money]:
        """Totals over every unit ever ordered."""
        return self.sums(lambda line: line.quantity, self.freight)

    def current(self) -> dict[str, Money]:
        """Totals after edits, refunds and cancellation."""
        sums = self.sums(lambda line: line.current, self.freight_left)
        return sums | {"price": sums["price"] - self.excess_refunded}

    def moved(self, *kinds: str) -> Money:
        """The sum of the successful transactions of these kinds."""
        done = (t for t in self.transactions if t.status == "success" and t.kind in kinds)
        return total(t.amount for t in done)

    @property
    def received(self) -> Money:
        """What the customer paid, before refunds."""
        return self.moved("sale", "capture")

    @property
    def outstanding(self) -> Money:
        """What the customer still owes."""
        open_amount = self.current()["price"] - self.received + self.moved("refund")
        return open_amount if open_amount.shop > 0 else ZERO

    @property
    def financial_status(self) -> str:
        """The status in the vendor's lower case."""
        received, refunded = self.received, self.moved("refund")
        if refunded:
            return "refunded" if refunded.shop >= received.shop else "partially_refunded"
        if received:
            return "partially_paid" if self.outstanding else "paid"
        if self.cancelled_at:
            return "voided"
        if not self.ordered()["price"]:
            return "paid"
        return "authorized" if self.moved("authorization") else "pending"

    @property
    def fulfillment_status(self) -> str | None:
        """None, partial, fulfilled or restocked."""
        if not any(line.fulfilled for line in self.lines):
            return "restocked" if self.cancelled_at else None
        return "partial" if any(line.open for line in self.lines) else "fulfilled"

    def tax_lines(self, amount: Money, rate: Decimal | None) -> list[Json]:
        """The tax lines of one amount; none where no tax applies."""
        return [] if rate is None else [self._tax_line(rate, self.tax(amount, rate))]

    def _tax_line(self, rate: Decimal, tax: Money) -> Json:
        return {
            "channel_liable": False,
            "price": self.currencies.text(tax),
            "price_set": self.currencies.bag(tax),
            "rate": float(rate),
            "title": "VAT",
        }

    def _order_tax_lines(self) -> list[Json]:
        by_rate: dict[Decimal, Money] = {}
        for line in self.lines:
            if line.rate is not None:
                tax = self.worth(line, line.quantity)[2]
                by_rate[line.rate] = by_rate.get(line.rate, ZERO) + tax
        if self.shipping and (rate := self.shipping["rate"]) is not None:
            tax = self.tax(self.shipping["money"], rate)
            by_rate[rate] = by_rate.get(rate, ZERO) + tax
        return [self._tax_line(rate, tax) for rate, tax in by_rate.items()]

    def line_body(self, line: Line) -> Json:
        """A line item as webhooks show it."""
        text, bag = self.currencies.text, self.currencies.bag
        facts = {key: value for key, value in line.facts.items() if key != "tip"}
        gross, discount, _ = self.worth(line, line.quantity)
        shipped = "fulfilled" if line.fulfilled and not line.open else None
        return facts | {
            "id": line.id,
            "admin_graphql_api_id": gid("LineItem", line.id),
            "attributed_staffs": [],
            "current_quantity": line.current,
            "discount_allocations": [
                {
                    "amount": text(amount),
                    "amount_set": bag(amount),
                    "discount_application_index": index,
                }
                for index, amount in line.allocations
            ],
            "duties": [],
            "fulfillable_quantity": line.open,
            "fulfillment_service": "manual",
            "fulfillment_status": "partial" if line.fulfilled and line.open else shipped,
            "grams": 0,
            "price": text(line.price),
            "price_set": bag(line.price),
            "quantity": line.quantity,
            "sales_line_item_group_id": None,
            "tax_lines": self.tax_lines(gross - discount, line.rate),
            "total_discount": text(line.own_discount),
            "total_discount_set": bag(line.own_discount),
            "variant_inventory_management": "shopify" if line.facts["variant_id"] else None,
        }

    def unsettled(self, one: Transaction) -> Money:
        """What the gateway still has to pay out of a transaction."""
        return one.amount if one.status == "success" else ZERO

    def transaction_body(self, one: Transaction) -> Json:
        """A transaction as webhooks show it."""
        text, manual = self.currencies.text, one.gateway == "manual"
        card = dict.fromkeys(
            "credit_card_bin avs_result_code cvv_result_code buyer_action_info credit_card_name"
            " credit_card_wallet credit_card_expiration_month credit_card_expiration_year".split()
        )
        return {
            "id": one.id,
            "order_id": self.id,
            "kind": one.kind,
            "gateway": one.gateway,
            "status": one.status,
            "message": "The card was declined" if one.error_code else None,
            "created_at": one.at,
            "test": self.facts["test"],
            "authorization": None if manual else f"auth-{one.id}",
            "location_id": None,
            "user_id": None,
            "parent_id": one.parent,
            "processed_at": one.at,
            "device_id": None,
            "error_code": one.error_code,
            "source_name": self.facts["source_name"],
            "payment_details": card
            | {
                "credit_card_number": "•••• •••• •••• 0007",
                "credit_card_company": "Visa",
                "payment_method_name": "manual" if manual else "card",
            },
            "receipt": {},
            "amount": text(one.amount),
            "currency": self.currencies.shop,
            "payment_id": f"{self.name}.{one.id}",
            "total_unsettled_set": self.currencies.bag(self.unsettled(one), "currency"),
            "manual_payment_gateway": manual,
            "amount_rounding": None,
            "admin_graphql_api_id": gid("OrderTransaction", one.id),
        }

    @property
    def name(self) -> str:
        """The number people use."""
        return f"#{self.number}"

    def _shipping_lines(self) -> list[Json]:
        if self.shipping is None:
            return []
        money, rate = self.shipping["money"], self.shipping["rate"]
        text, bag = self.currencies.text(money), self.currencies.bag(money)
        return [
            {
                "id": self.shipping_id,
                "carrier_identifier": None,
                "code": self.shipping["code"],
                "current_discounted_price_set": self.currencies.bag(self.freight_left),
                "discounted_price": text,
                "discounted_price_set": bag,
                "is_removed": False,
                "phone": None,
                "price": text,
                "price_set": bag,
                "requested_fulfillment_service_id": None,
                "source": "shopify",
                "title": self.shipping["title"],
                "tax_lines": self.tax_lines(money, rate),
                "discount_allocations": [],
            }
        ]

    def _money_fields(self) -> Json:
        text, bag = self.currencies.text, self.currencies.bag
        ordered, current = self.ordered(), self.current()
        fields: Json = {}
        for key, money in (
            ("current_subtotal_price", current["subtotal"]),
            ("current_total_discounts", current["discounts"]),
            ("current_total_price", current["price"]),
            ("current_total_tax", current["tax"]),
            ("subtotal_price", ordered["subtotal"]),
            ("total_discounts", ordered["discounts"]),
            ("total_line_items_price", ordered["line_items"]),
            ("total_price", ordered["price"]),
            ("total_tax", ordered["tax"]),
        ):
            fields |= {key: text(money), f"{key}_set": bag(money)}
        return fields | {
            "current_shipping_price_set": bag(current["shipping"]),
            "total_cash_rounding_payment_adjustment_set": bag(ZERO),
            "total_cash_rounding_refund_adjustment_set": bag(ZERO),
            "total_outstanding": text(self.outstanding),
            "total_shipping_price_set": bag(ordered["shipping"]),
            "total_tip_received": text(ordered["tips"]),
        }

    def body(self) -> Json:
        """The order as webhooks show it."""
        gateways = dict.fromkeys(t.gateway for t in self.transactions)
        return (
            dict.fromkeys(UNUSED_ORDER_KEYS)
            | self.facts
            | self._money_fields()
            | {
                "id": self.id,
                "admin_graphql_api_id": gid("Order", self.id),
                "buyer_accepts_marketing": False,
                "cancel_reason": self.cancel_reason,
                "cancelled_at": self.cancelled_at,
                "closed_at": self.closed_at,
                "confirmation_number": self.token[:9].upper(),
                "confirmed": True,
                "contact_email": self.facts["email"] or None,
                "created_at": self.created_at,
                "currency": self.currencies.shop,
                "customer": self.customer,
                "customer_locale": "en",
                "discount_applications": self.applications,
                "discount_codes": [
                    {"code": one["code"], "amount": one["value"], "type": "fixed_amount"}
                    for one in self.applications
                    if one["type"] == "discount_code"
                ],
                "duties_included": False,
                "estimated_taxes": False,
                "financial_status": self.financial_status,
                "fulfillment_status": self.fulfillment_status,
                "fulfillments": [one.body(self) for one in self.fulfillments],
                "line_item_groups": [],
                "line_items": [self.line_body(line) for line in self.lines],
                "merchant_business_entity_id": "MTAwMDAwMDE",
                "name": self.name,
                "number": self.number - 1000,
                "order_number": self.number,
                "order_status_url": f"https://{self.shop}/orders/{self.token}/authenticate",
                "payment_gateway_names": list(gateways),
                "payment_terms": self.payment_terms,
                "presentment_currency": self.currencies.presentment,
                "processed_at": self.processed_at,
                "refunds": self.refunds,
                # The vendor shows no filled one anywhere: ask for the returns by their own topics.
                "returns": [],
                "shipping_lines": self._shipping_lines(),
                "tax_exempt": False,
                "tax_lines": self._order_tax_lines(),
                "taxes_included": self.taxes_included,
                "token": self.token,
                "total_weight": 0,
                "updated_at": self.updated_at,
            }
        )
