"""One order of the sandbox store: its lines, addresses, fees and how they add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.bigcommerce.sandbox_shapes import (
    FOUR,
    STATUSES,
    ZERO,
    Json,
    cents,
    money,
)

MANUAL, PROMOTION, COUPON = "manual-discount", "7", "total-coupon"
LINE_FIELDS = {"sku", "quantity", "price", "discount", "tax_rate", "name"}


@dataclass
class Order:
    """What the store keeps of an order; ``head`` is the record that V2 shows."""

    head: Json
    is_inclusive: bool
    rate: Decimal
    lines: list[Json] = field(default_factory=list)
    addresses: list[Json] = field(default_factory=list)
    fees: list[Json] = field(default_factory=list)
    coupons: list[Json] = field(default_factory=list)
    shipments: list[Json] = field(default_factory=list)
    transactions: list[Json] = field(default_factory=list)
    refunds: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    metafields: list[Json] = field(default_factory=list)
    rates: dict[int, Decimal] = field(default_factory=dict)
    given: dict[str, Decimal] = field(default_factory=dict)
    """Sums a call set, which stay whatever the lines add up to."""
    manual: Decimal = ZERO
    has_net_discounts: bool = False
    labels: Json = field(default_factory=dict)
    """The merchant's own names for statuses, by number as text."""
    taken: dict[int, int] = field(default_factory=dict)
    """What each variant's stock has lent to this order."""

    @property
    def id(self) -> int:
        """Its number."""
        return int(self.head["id"])

    def line(self, line_id: Any) -> Json | None:
        """The line of that id."""
        return next((one for one in self.lines if one["id"] == line_id), None)

    def split(self, amount: Decimal, rate: Decimal | None = None) -> tuple[Decimal, Decimal]:
        """An entered amount without and with tax, in cents."""
        part = (self.rate if rate is None else rate) / 100
        if self.is_inclusive:
            return cents(amount / (1 + part)), amount
        return amount, amount + cents(amount * part)

    def add_up(self) -> None:
        """Bring every sum in step with lines, discounts, freight and fees."""
        self._share_out()
        taxes = [_after(line, is_net=self.is_net) for line in self.lines]
        for line, (_, after_inc) in zip(self.lines, taxes, strict=True):
            line["discounted_total_inc_tax"] = money(after_inc)
        net, gross = _both(self.lines, "total_ex_tax", "total_inc_tax")
        line_tax = sum((inc - ex for ex, inc in taxes), ZERO)
        extra_ex, extra_inc = self._extras()
        inc = cents(sum((one for _, one in taxes), ZERO) + extra_inc)
        tax = cents(line_tax + extra_inc - extra_ex)
        found = {
            "subtotal_ex_tax": net,
            "subtotal_inc_tax": gross,
            "total_ex_tax": inc - tax,
            "total_inc_tax": inc,
        } | self.given
        self.head |= {name: money(value) for name, value in found.items()}
        taken = self.given.keys() & {"total_ex_tax", "total_inc_tax"}
        tax = found["total_inc_tax"] - found["total_ex_tax"] if taken else tax
        # The lines' tax is what is left of it after discounts, unlike the two sums beside it.
        self.head |= {"subtotal_tax": money(cents(line_tax)), "total_tax": money(tax)}
        self._count()

    @property
    def is_net(self) -> bool:
        """Whether discounts come off the amounts without tax."""
        return self.has_net_discounts and not self.is_inclusive

    def taxes(self) -> list[Json]:
        """The breakdown ``/taxes?details=true`` shows."""
        rows: list[tuple[Decimal, Decimal, str, str, int]] = []
        for line in self.lines:
            ex, inc = _after(line, is_net=self.is_net)
            rate = self.rates.get(line["id"], self.rate)
            rows.append((rate, inc - ex, "item", str(line["id"]), line["order_address_id"]))
        for one in self.addresses:
            rows.append((self.rate, Decimal(one["cost_tax"]), "shipping", "", one["id"]))
            rows.append((self.rate, Decimal(one["handling_cost_tax"]), "handling", "", one["id"]))
        shown = [row for row in rows if row[1]]
        return [
            {
                "id": self.id * 100 + place,
                "order_id": self.id,
                "order_address_id": address,
                "order_pickup_method_id": 0,
                "tax_rate_id": 1,
                "sales_tax_id": "",
                "tax_class_id": 0,
                "name": "VAT",
                "class": "Default Tax Class",
                "rate": money(rate),
                "priority": 0,
                "priority_amount": money(amount),
                "line_amount": money(amount),
                "order_product_id": product,
                "line_item_type": kind,
            }
            for place, (rate, amount, kind, product, address) in enumerate(shown, 1)
        ]

    def _share_out(self) -> None:
        """Spread discounts of the whole order over its lines; the last one takes the odd cent."""
        coupon = sum((Decimal(str(one["discount"])) for one in self.coupons), ZERO)
        code = self.coupons[0]["code"] if self.coupons else None
        for key, name, amount in (
            (MANUAL, "Manual Discount", self.manual),
            (COUPON, f"Coupon {code}", coupon),
        ):
            self._share(key, name, amount, code if key == COUPON else None)
        promoted = sum(
            (
                Decimal(one["amount"])
                for line in self.lines
                for one in line["applied_discounts"]
                if one["id"] == PROMOTION
            ),
            ZERO,
        )
        self.head["discount_amount"] = money(self.manual + promoted)
        self.head["coupon_discount"] = money(coupon)

    def _share(self, key: str, name: str, amount: Decimal, code: str | None) -> None:
        for line in self.lines:
            kept = [one for one in line["applied_discounts"] if one["id"] != key]
            line["applied_discounts"] = kept
        bearing = [line for line in self.lines if Decimal(line["total_inc_tax"])]
        whole = sum((Decimal(line["total_inc_tax"]) for line in bearing), ZERO)
        left = amount
        for line in bearing if amount else ():
            is_last = line is bearing[-1]
            part = left if is_last else cents(amount * Decimal(line["total_inc_tax"]) / whole)
            left -= part
            share = {"id": key, "amount": money(part), "name": name, "code": code}
            line["applied_discounts"].append(share | {"target": "order"})

    def _extras(self) -> tuple[Decimal, Decimal]:
        """Freight, handling and fees, without and with tax."""
        freight = _both(self.addresses, "cost_ex_tax", "cost_inc_tax")
        handling = _both(self.addresses, "handling_cost_ex_tax", "handling_cost_inc_tax")
        fees = _both(self.fees, "cost_ex_tax", "cost_inc_tax")
        bases = {"shipping": "base_cost", "handling": "base_handling_cost"}
        for name, (ex, inc) in (("shipping", freight), ("handling", handling)):
            ex = self.given.get(f"{name}_cost_ex_tax", ex)
            inc = self.given.get(f"{name}_cost_inc_tax", inc)
            base = sum((Decimal(one[bases[name]]) for one in self.addresses), ZERO)
            self.head |= {
                f"base_{name}_cost": money(base),
                f"{name}_cost_ex_tax": money(ex),
                f"{name}_cost_inc_tax": money(inc),
                f"{name}_cost_tax": money(inc - ex),
            }
            fees = (fees[0] + ex, fees[1] + inc)
        return fees

    def _count(self) -> None:
        for one in self.addresses:
            there = [line for line in self.lines if line["order_address_id"] == one["id"]]
            one["items_total"] = sum(line["quantity"] for line in there)
            one["items_shipped"] = sum(line["quantity_shipped"] for line in there)
        status = self.head["status_id"]
        self.head |= {
            "items_total": sum(line["quantity"] for line in self.lines),
            "items_shipped": sum(line["quantity_shipped"] for line in self.lines),
            "shipping_address_count": len(self.addresses),
            "order_is_digital": bool(self.lines)
            and all(line["type"] == "digital" for line in self.lines),
            "status": STATUSES[status],
            "custom_status": self.labels.get(str(status), STATUSES[status]),
        }


def _both(rows: list[Json], ex: str, inc: str) -> tuple[Decimal, Decimal]:
    return (
        sum((Decimal(one[ex]) for one in rows), ZERO),
        sum((Decimal(one[inc]) for one in rows), ZERO),
    )


def _after(line: Json, *, is_net: bool) -> tuple[Decimal, Decimal]:
    """A line's sums without and with tax once its discounts are taken off."""
    ex, inc = Decimal(line["total_ex_tax"]), Decimal(line["total_inc_tax"])
    off = sum((Decimal(one["amount"]) for one in line["applied_discounts"]), ZERO)
    if not off or not inc:
        return ex, inc
    if is_net:
        left = ex - off
        return left, left + cents(left * (inc - ex) / ex)
    left = inc - off
    return (left * ex / inc).quantize(FOUR, ROUND_HALF_UP), left


def price(line: Json, entered: Decimal, rate: Decimal, *, is_inclusive: bool) -> None:
    """Write the unit price and the line's sums as they follow from the entered price."""
    quantity, part = line["quantity"], rate / 100
    if is_inclusive:
        inc, total_inc = entered, entered * quantity
        ex = (inc / (1 + part)).quantize(FOUR, ROUND_HALF_UP)
        total_ex = (total_inc / (1 + part)).quantize(FOUR, ROUND_HALF_UP)
    else:
        ex, total_ex = entered, entered * quantity
        inc, total_inc = ex + cents(ex * part), total_ex + cents(total_ex * part)
    set_price(line, ex, inc, total_ex, total_inc)
    line |= {"base_price": money(entered), "base_total": money(entered * quantity)}


def set_price(line: Json, ex: Decimal, inc: Decimal, total_ex: Decimal, total_inc: Decimal) -> None:
    """Write prices and sums that are known with and without tax."""
    line |= {
        "price_ex_tax": money(ex),
        "price_inc_tax": money(inc),
        "price_tax": money(inc - ex),
        "total_ex_tax": money(total_ex),
        "total_inc_tax": money(total_inc),
        "total_tax": money(total_inc - total_ex),
    }
