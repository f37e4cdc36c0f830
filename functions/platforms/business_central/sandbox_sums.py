"""The vendor's arithmetic of sales lines: discounts, taxes and rounding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from platforms.business_central.sandbox_values import Row, cents, fine

HUNDRED = Decimal(100)
NOTHING = Decimal(0)


def discounted(line: Row, given: Row) -> Row:
    """A line's discount: of percent and amount each follows from the other, the later sent wins."""
    gross = cents(line["quantity"] * line["unitPrice"])
    sent = [name for name in given if name in ("discountPercent", "discountAmount")]
    if sent and sent[-1] == "discountAmount":
        amount = cents(line["discountAmount"])
        percent = fine(amount * HUNDRED / gross) if gross else NOTHING
        return {"discountAmount": amount, "discountPercent": percent}
    return {"discountAmount": cents(gross * line["discountPercent"] / HUNDRED)}


def total(lines: Sequence[Row], discount: Decimal, *, includes_tax: bool) -> list[Row]:
    """Each line's money, in the order of the lines.

    What rounding a line's tax leaves over goes on to the next line of the same rate, so that the
    tax of a document is that of its sum. The document's discount is spread over the lines by
    their amounts, and the last of them takes what is left.
    """
    amounts = [cents(one["quantity"] * one["unitPrice"]) - one["discountAmount"] for one in lines]
    shares = spread(discount, amounts)
    before = _taxed(lines, amounts, includes_tax=includes_tax)
    nets = [amount - share for amount, share in zip(amounts, shares, strict=True)]
    after = _taxed(lines, nets, includes_tax=includes_tax)
    return [
        {
            "amountExcludingTax": bare,
            "totalTaxAmount": tax,
            "amountIncludingTax": bare + tax,
            "invoiceDiscountAllocation": share,
            "netAmount": net,
            "netTaxAmount": net_tax,
            "netAmountIncludingTax": net + net_tax,
        }
        for (bare, tax), share, (net, net_tax) in zip(before, shares, after, strict=True)
    ]


def spread(discount: Decimal, amounts: Sequence[Decimal]) -> list[Decimal]:
    """A discount over amounts: each share is what is due so far less what was given so far."""
    whole, given, seen = sum(amounts, NOTHING), NOTHING, NOTHING
    shares = []
    for amount in amounts:
        seen += amount
        due = cents(discount * seen / whole) if whole else NOTHING
        shares.append(due - given)
        given = due
    return shares


def _taxed(
    lines: Sequence[Row], amounts: Sequence[Decimal], *, includes_tax: bool
) -> list[tuple[Decimal, Decimal]]:
    left: dict[Decimal, Decimal] = defaultdict(Decimal)
    found = []
    for line, amount in zip(lines, amounts, strict=True):
        rate = line["taxPercent"] / HUNDRED
        exact = amount - amount / (1 + rate) if includes_tax else amount * rate
        tax = cents(exact + left[rate])
        left[rate] += exact - tax
        found.append((amount - tax if includes_tax else amount, tax))
    return found
