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
    exact = amount * rate / (1 + rate) if included else amount * rate
    return to_minor_unit(exact, currency)


def shares(
    amount: Decimal, bears: Iterable[TaxShare], currency: str, *, included: bool
) -> tuple[TaxShare, ...]:
    """The same taxes on another amount.

    Several taxes inside one price are taken apart at once, since each is a part of the whole.
    """
    listed = list(bears)
    net = amount / (1 + sum((tax.rate for tax in listed), Decimal(0))) if included else amount
    return tuple(
        TaxShare(title=tax.title, rate=tax.rate, amount=to_minor_unit(net * tax.rate, currency))
        for tax in listed
    )
