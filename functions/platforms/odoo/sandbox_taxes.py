"""The vendor's arithmetic of lines and totals, the same for orders and invoices."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platforms.odoo.sandbox_records import Records
    from platforms.odoo.sandbox_store import Row

HUNDREDTH = Decimal("0.01")
"""The vendor's "Product Unit" precision: quantities have two digits."""


@dataclass(frozen=True)
class Amounts:
    """A line's money: ``gross`` as priced, ``base`` without the taxes the price holds."""

    gross: Decimal
    base: Decimal
    taxes: dict[int, Decimal]
    adds_tax: bool

    def shown(self, cent: Decimal) -> tuple[float, float]:
        """The line's own subtotal and total, rounded."""
        untaxed = rounded(self.base, cent)
        tax = sum((rounded(amount, cent) for amount in self.taxes.values()), Decimal(0))
        return float(untaxed), float(untaxed + tax)


@dataclass(frozen=True)
class Totals:
    """A document's money."""

    untaxed: Decimal
    taxes: dict[int, Decimal]

    @property
    def tax(self) -> Decimal:
        """All taxes."""
        return sum(self.taxes.values(), Decimal(0))

    def values(self) -> Row:
        """The three amounts by their names."""
        return {
            "amount_untaxed": float(self.untaxed),
            "amount_tax": float(self.tax),
            "amount_total": float(self.untaxed + self.tax),
        }


class Reckoning:
    """Amounts of one document: its currency rounds, and its company says when.

    Args:
        records: any records of the transaction.
        currency_id: the document's currency.
        company_id: the document's company.
    """

    def __init__(self, records: Records, currency_id: int, company_id: int) -> None:
        self.taxes = records.on("account.tax")
        currency = records.on("res.currency").row(currency_id)
        self.cent = Decimal(1).scaleb(-int(currency["decimal_places"]))
        company = records.on("res.company").row(company_id)
        self.per_line = company["tax_calculation_rounding_method"] == "round_per_line"

    def line(self, row: Row, quantity: float) -> Amounts:
        """A line's amounts, exact or, where the company rounds per line, each rounded in turn."""

        def step(amount: Decimal) -> Decimal:
            return rounded(amount, self.cent) if self.per_line else amount

        factor = 1 - exact(row.get("discount", 0.0)) / 100
        gross = step(exact(row.get("price_unit", 0.0)) * factor * exact(quantity))
        rates: dict[bool, dict[int, Decimal]] = {True: {}, False: {}}
        for tax in (self.taxes.row(id_) for id_ in row.get("tax_ids", ())):
            included = tax["price_include_override"] == "tax_included"
            rates[included][tax["id"]] = exact(tax["amount"]) / 100
        net = gross / (1 + sum(rates[True].values(), Decimal(0)))
        held = {id_: step(net * rate) for id_, rate in rates[True].items()}
        base = gross - sum(held.values(), Decimal(0))
        added = {id_: step(base * rate) for id_, rate in rates[False].items()}
        return Amounts(gross, base, held | added, adds_tax=bool(added))

    def totals(self, parts: Iterable[Amounts]) -> Totals:
        """Each tax over all lines, and the rest of the document, rounded once.

        Where the company rounds per line, the lines bring rounded amounts and nothing is left to
        round. Where prices hold every tax there is, the sum of the prices stands.
        """
        parts, sums = list(parts), defaultdict[int, Decimal](Decimal)
        for id_, amount in itertools.chain.from_iterable(part.taxes.items() for part in parts):
            sums[id_] += amount
        taxes = {id_: rounded(amount, self.cent) for id_, amount in sums.items()}
        if any(part.adds_tax for part in parts):
            untaxed = rounded(sum((part.base for part in parts), Decimal(0)), self.cent)
        else:
            gross = rounded(sum((part.gross for part in parts), Decimal(0)), self.cent)
            untaxed = gross - sum(taxes.values(), Decimal(0))
        return Totals(untaxed, taxes)


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """Rounded to a step, half up."""
    return amount.quantize(step, ROUND_HALF_UP)


def exact(value: float) -> Decimal:
    """A stored float as the decimal it shows."""
    return Decimal(repr(value))


def count(value: Decimal | float) -> float:
    """A quantity, cut to the vendor's precision."""
    amount = value if isinstance(value, Decimal) else exact(value)
    return float(rounded(amount, HUNDREDTH))
