"""What the lines of a document at a target are made of: our lines under the target's names.

An adapter turns positions into its vendor's lines; which lines there are, what each costs and that
all of them come to our total is decided here, the same for every target.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from fizzbridge.errors import MappingError
from fizzbridge.model.base import Exact, Frozen
from fizzbridge.model.documents import Refund
from fizzbridge.model.order import (
    AssessedLine,
    DocumentLine,
    LineType,
    OrderAssessment,
    OrderRequest,
    TaxShare,
)
from fizzbridge.runtime.target import Code, Situation
from fizzbridge.trade.taxes import TaxRounding, net_of
from fizzbridge.trade.totals import Taxed, totals

REFUND = "REFUND"
"""What money given back for no goods in particular is called in maps: ``sku/REFUND``."""


class Rate(Frozen):
    """A tax wanted on a line: by name where it is mapped, else by its rate."""

    rate: Exact
    included: bool
    code: Code


class Position(Frozen):
    """A line wanted, under the target's names."""

    id: str
    type: LineType
    scheme: str = ""
    """Of a deposit or levy: what it is charged by."""
    product: Code
    title: str
    ordered: int
    """In the line's unit."""
    base: int
    """In the item's base unit."""
    unit: Code | None
    """None for what is no stock item: it has the product's own unit."""
    factor: int = 1
    """Base units in one of the line's unit."""
    amount: Decimal
    """Signed: what the line costs after all discounts, with its taxes where prices include them."""
    taxes: tuple[Rate, ...]


def positions(
    request: OrderRequest,
    order: OrderAssessment,
    situation: Situation,
    rounding: TaxRounding,
) -> tuple[Position, ...]:
    """The lines of an order's document, a ROUNDING line included where the target needs one.

    Args:
        request: for titles and quantities as the shop has them.
        order: lines and amounts as we count them.
        situation: the target.
        rounding: how the target reckons taxes.

    Raises:
        MappingError: a line is nothing the target could know.
        TotalMismatchError: the target would come to another total, and not by rounding.
    """
    told = {line.id: line for line in request.lines}
    found = [
        _position(line, told.get(line.id), situation, included=request.tax_included)
        for line in order.lines
        if line.amount or _count(line, told.get(line.id))
    ]
    total = gross(found, request.currency, rounding)
    name = f"order {order.number}"
    off = situation.rounding(name, order.totals.gross, total, order.currency)
    if off:
        found.append(_rounding(off, situation, included=request.tax_included))
    return tuple(found)


def gross(lines: Sequence[Position], currency: str, rounding: TaxRounding) -> Decimal:
    """What lines come to, taxes included, as the target reckons it."""
    included = any(tax.included for line in lines for tax in line.taxes)
    taxed = [Taxed(line.amount, tuple(tax.rate for tax in line.taxes)) for line in lines]
    return totals(taxed, currency, included=included, rounding=rounding).gross


def refunded(
    refund: Refund,
    request: OrderRequest,
    order: OrderAssessment,
    situation: Situation,
    rounding: TaxRounding,
) -> tuple[Position, ...]:
    """The lines of a credit note, positive: what was given back of each line, and the rest as one.

    A refund may name no lines, or more money than its lines come to. Where it names none and gives
    all of the order back, it takes back all that was sold; else the rest bears the one tax the
    order has; of several, which is a person's to say: map ``tax/REFUND``.

    Raises:
        MappingError: a line is nothing the target could know, or nobody said how the rest is taxed.
    """
    if not refund.lines and refund.amount == order.totals.gross:
        return positions(request, order, situation, rounding)
    lines = {line.id: line for line in order.lines}
    told = {line.id: line for line in request.lines}
    included = request.tax_included
    found = []
    for part in refund.lines:
        line = lines.get(part.order_line_id)
        if line is None or not part.amount:
            continue
        one = _position(line, told.get(line.id), situation, included=included)
        pieces = part.quantity or 1
        changes = {"amount": part.amount, "ordered": pieces, "base": pieces * one.factor}
        found.append(one.model_copy(update=changes))
    rest = refund.amount - gross(found, refund.currency, rounding)
    if abs(rest) > situation.tolerance:
        found.append(_rest(rest, order, situation, included=included))
    total = gross(found, refund.currency, rounding)
    name = f"a refund of order {order.number}"
    off = situation.rounding(name, refund.amount, total, refund.currency)
    if off:
        found.append(_rounding(off, situation, included=included))
    return tuple(found)


def _rest(
    amount: Decimal, order: OrderAssessment, situation: Situation, *, included: bool
) -> Position:
    rates = _rates(order, situation)
    line = AssessedLine(
        id="refund",
        type=LineType.FEE,
        sku=None,
        quantity=None,
        # The money is gross; where prices hold no tax, the line is what is left of it without.
        amount=amount if included else net_of(amount, rates, order.currency),
        tax=Decimal(0),
        title="Refund",
        scheme=REFUND,
        taxes=tuple(TaxShare(title="", rate=rate, amount=Decimal(0)) for rate in rates),
    )
    return _position(line, None, situation, included=included)


def _rates(order: OrderAssessment, situation: Situation) -> tuple[Decimal, ...]:
    """The taxes on money given back for nothing in particular: those of the order's goods."""
    goods = (line for line in order.lines if line.type is LineType.GOODS and line.amount)
    borne = {tuple(tax.rate for tax in line.taxes if tax.rate) for line in goods}
    if len(borne) == 1:
        return borne.pop()
    mapped = situation.code("tax", REFUND)
    try:
        return (Decimal(mapped.name),)
    except InvalidOperation as error:
        msg = (
            f"order {order.number}: its goods bear several taxes; map tax {REFUND} to the rate "
            "of a refund of none of them, for example 0.2"
        )
        raise MappingError(
            msg, cause=mapped.cause, platform=situation.connection.platform
        ) from error


def _position(
    line: AssessedLine, told: DocumentLine | None, situation: Situation, *, included: bool
) -> Position:
    quantity = line.quantity
    sku = line.sku or (told.sku if told else None)
    ordered = _count(line, told) or 1
    label = f"{quantity.unit} {quantity.factor}" if quantity and quantity.factor > 1 else None
    return Position(
        id=line.id,
        type=line.type,
        scheme=line.scheme,
        product=situation.product(line, sku),
        title=line.title or (told.title if told else "") or sku or line.type.title(),
        ordered=ordered,
        base=quantity.base if quantity else ordered,
        unit=situation.code("unit", label or quantity.unit) if quantity else None,
        factor=quantity.factor if quantity else 1,
        amount=line.amount * line.type.sign,
        taxes=tuple(
            _rate(tax.rate, situation, included=included) for tax in line.taxes if tax.rate
        ),
    )


def _count(line: AssessedLine, told: DocumentLine | None) -> int:
    """How many of its unit a line is for, as it is billed."""
    if line.quantity:
        return line.quantity.ordered
    return told.quantity if told else line.count


def _rate(rate: Decimal, situation: Situation, *, included: bool) -> Rate:
    value = f"{rate} included" if included else f"{rate}"
    return Rate(rate=rate, included=included, code=situation.code("tax", value))


def _rounding(amount: Decimal, situation: Situation, *, included: bool) -> Position:
    line = AssessedLine(
        id="rounding",
        type=LineType.ROUNDING,
        sku=None,
        quantity=None,
        amount=amount,
        tax=Decimal(0),
        title="Rounding",
    )
    return _position(line, None, situation, included=included)
