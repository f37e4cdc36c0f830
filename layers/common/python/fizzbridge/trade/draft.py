"""An order's assessment while it is being made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from fizzbridge.model.customer import Customer
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import (
    AssessedLine,
    DocumentLine,
    Hold,
    HoldReason,
    LineType,
    OrderClass,
    OrderRequest,
    Totals,
)
from fizzbridge.model.working import Working
from fizzbridge.settings import Connection
from fizzbridge.trade.books import Books, Rules
from fizzbridge.trade.packs import Counted

REQUEST_CAUSE = "request"
"""Cause of a hold that only another word of the source, or a person, can clear."""


@dataclass
class Draft:
    """What has been found out so far; every rule reads it and adds to it.

    Attributes:
        request: what the buyer asked for.
        source: the shop it came through.
        rules: what the company configured.
        books: what our own rows say.
        account: who buys, where that is known.
        tax_point: the day whose rates hold.
        counted: goods found in the catalogue, by line.
        deposits: lines by which the shop charges deposits itself, with our code for them.
        order_class: bulk or retail, once that is decided.
        waived: holds a person released for this content: ``CREDIT#<cause>``.
    """

    request: OrderRequest
    source: Connection
    rules: Rules
    books: Books
    account: Customer | None
    tax_point: date
    waived: frozenset[str] = frozenset()
    counted: Mapping[str, Counted] = field(default_factory=dict)
    deposits: dict[str, str] = field(default_factory=dict)
    order_class: OrderClass = OrderClass.RETAIL
    lines: list[AssessedLine] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    workings: list[Working] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The document's."""
        return self.request.currency

    @property
    def channel(self) -> str:
        """Where it was sold."""
        return self.request.channel

    @property
    def ship_country(self) -> str | None:
        """Where it goes."""
        return self.request.ship_country

    @property
    def is_on_account(self) -> bool:
        """Whether it is delivered before it is paid."""
        terms = self.account.terms.payment_days if self.account else None
        return bool(self.request.payment_terms) or terms is not None

    def hold(self, reason: HoldReason, message: str, cause: str = REQUEST_CAUSE) -> None:
        """Hold the order, unless a person released just that."""
        if f"{reason}#{cause}" in self.waived:
            self.show("released by hand", f"{reason}: {message}")
            return
        self.holds.append(Hold(reason=reason, message=message, cause=cause))

    def show(self, rule: str, text: str, *, line: str = "", amount: Decimal | None = None) -> None:
        """Keep one step of arithmetic; an amount is shown in the minor unit."""
        rounded = None if amount is None else to_minor_unit(amount, self.currency)
        self.workings.append(Working(rule=rule, line=line, text=text, amount=rounded))

    def goods(self) -> Iterator[tuple[DocumentLine, Counted]]:
        """Lines of goods with what was counted of them; what the shop took off is left out."""
        for line in self.request.lines:
            if line.id in self.counted and line.quantity:
                yield line, self.counted[line.id]

    def totals(self) -> Totals:
        """The shop's totals with what was added to its lines, or changed in them."""
        # A rounding line of ours stands for a difference that the totals hold already.
        now = [one for one in self.lines if one.type is not LineType.ROUNDING or not one.is_added]
        base = _sum(now, "amount") - _sum(self.request.lines, "amount")
        tax = _sum(now, "tax") - _sum(self.request.lines, "tax")
        said = self.request.totals
        all_tax = said.tax + tax
        net = said.net + base - (tax if self.request.tax_included else 0)
        return Totals(net=net, tax=all_tax, gross=net + all_tax, discount=said.discount)


def _sum(lines: Iterable[AssessedLine | DocumentLine], name: str) -> Decimal:
    return sum((line.type.sign * getattr(line, name) for line in lines), Decimal(0))
