"""Totals of a document, and the one cent that two ways of rounding may differ by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import Totals
from fizzbridge.trade.taxes import TaxRounding, net_of


@dataclass(frozen=True)
class Taxed:
    """A line's amount, signed, and the rates it bears.

    Attributes:
        amount: with tax where the document's prices include it.
        rates: fractions.
    """

    amount: Decimal
    rates: tuple[Decimal, ...] = ()


class TotalMismatchError(ValueError):
    """Two totals of one document differ by more than rounding explains."""

    def __init__(self, source: Decimal, destination: Decimal) -> None:
        self.source = source
        self.destination = destination
        self.difference = source - destination
        super().__init__(
            f"{destination} at the destination, {source} at the source, "
            f"difference {self.difference}"
        )


def totals(
    lines: Iterable[Taxed], currency: str, *, included: bool, rounding: TaxRounding
) -> Totals:
    """Net, tax and gross as a destination reckons them.

    Args:
        lines: amounts and rates; a line with several rates bears each on its net.
        currency: whose minor unit counts.
        included: whether amounts have their taxes in them.
        rounding: each line's tax, or each rate's tax on all its lines together.
    """
    amount = Decimal(0)
    parts: dict[tuple[Decimal, ...], list[Decimal]] = {}
    for line in lines:
        amount += line.amount
        for rates in [line.rates] if included else [(rate,) for rate in line.rates]:
            parts.setdefault(rates, []).append(line.amount)
    tax = Decimal(0)
    for rates, amounts in parts.items():
        # What is taxed at once: each line, or all that bear the same.
        together = amounts if rounding is TaxRounding.LINE else [sum(amounts, Decimal(0))]
        for one in together:
            if included:
                tax += one - net_of(one, rates, currency)
            else:
                tax += to_minor_unit(one * rates[0], currency)
    net = amount - tax if included else amount
    return Totals(net=net, tax=tax, gross=net + tax)


def rounding(source_gross: Decimal, destination_gross: Decimal, tolerance: Decimal) -> Decimal:
    """What a ROUNDING line must add at the destination; nought where both agree.

    Raises:
        TotalMismatchError: the difference is above the tolerance.
    """
    difference = source_gross - destination_gross
    if abs(difference) > tolerance:
        raise TotalMismatchError(source_gross, destination_gross)
    return difference
