"""Tax on amounts: rounded by line or by document, on top of prices or inside them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import TaxShare


class TaxRounding(StrEnum):
    """Where a destination rounds tax; two of them may differ by a cent and both be right."""

    LINE = "line"
    DOCUMENT = "document"


def tax_of(amount: Decimal, rate: Decimal, currency: str, *, included: bool) -> Decimal:
    """The tax on an amount, or inside it, rounded half up to the minor unit.

    Args:
        amount: what the tax is taken on; with the tax in it where ``included``.
        rate: a fraction, 0.2 for 20 %.
        currency: whose minor unit counts.
        included: whether the amount has the tax in it.
    """
    if included:
        return amount - net_of(amount, [rate], currency)
    return to_minor_unit(amount * rate, currency)


def net_of(amount: Decimal, rates: Iterable[Decimal], currency: str) -> Decimal:
    """What is left of a price without the taxes in it, rounded; the taxes are the rest."""
    return to_minor_unit(amount / (1 + sum(rates, Decimal(0))), currency)


def shares(
    amount: Decimal, bears: Iterable[TaxShare], currency: str, *, included: bool
) -> tuple[TaxShare, ...]:
    """The same taxes on another amount.

    Several taxes inside one price sum to what is not net: the last takes the rest.
    """
    listed = list(bears)
    rates = [tax.rate for tax in listed]
    net = amount / (1 + sum(rates, Decimal(0))) if included else amount
    found = [to_minor_unit(net * rate, currency) for rate in rates]
    if included and found:
        found[-1] += amount - net_of(amount, rates, currency) - sum(found, Decimal(0))
    return tuple(
        TaxShare(title=tax.title, rate=tax.rate, amount=part)
        for tax, part in zip(listed, found, strict=True)
    )
