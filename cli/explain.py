"""The arithmetic of an order: every amount, with its rule and the day that holds from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import RenderableType

from cli import orders
from cli.stack import CommandError, Stack
from cli.tool import Tool, command, grid
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import written
from fizzbridge.model.order import AssessedLine, DocumentLine, OrderAssessment, OrderRequest
from fizzbridge.model.working import Working
from fizzbridge.runtime.loading import Loader
from fizzbridge.trade.following import follow

app = typer.Typer()


@dataclass(frozen=True)
class Step:
    """One amount and how it came about."""

    line: str
    rule: str
    arithmetic: str
    amount: str = ""
    source: str = ""
    valid_from: str = ""


@dataclass(frozen=True)
class Explanation:
    """An order reckoned through.

    Attributes:
        order: the order.
        number: the number people see.
        tax_point: the day whose rates hold.
        currency: of every amount.
        promised_on: first day a route can bring it; empty where none was promised.
        steps: every step, in the order it was taken.
        totals: net, tax and gross, and what the shop said of them.
        holds: why it waits, and for what.
    """

    order: str
    number: str
    tax_point: str
    currency: str
    promised_on: str
    steps: list[Step]
    totals: list[Step]
    holds: list[dict[str, str]]


def explain(stack: Stack, ref: EntityRef) -> Explanation:
    """Reckon an order through, from what is stored of it.

    Raises:
        CommandError: it is not assessed yet, or the shop deleted it.
    """
    view = Loader(stack.table, stack.objects).view(ref)
    request, assessment = view.request, view.assessment
    if request is None or assessment is None:
        raise CommandError(f"{ref} is not assessed yet, or was deleted at its source.")
    return Explanation(
        order=str(ref),
        number=assessment.number,
        tax_point=str(assessment.tax_point),
        currency=assessment.currency,
        promised_on=str(assessment.promised_on or ""),
        steps=[
            *_lines(request, assessment),
            *map(_step, assessment.workings),
            *map(_step, follow(assessment, view.documents)),
        ],
        totals=list(_totals(request, assessment)),
        holds=[
            {"reason": hold.reason, "message": hold.message, "waits_for": hold.cause}
            for hold in assessment.holds
        ],
    )


def _lines(request: OrderRequest, assessment: OrderAssessment) -> Iterator[Step]:
    told = {line.id: line for line in request.lines}
    for line in assessment.lines:
        before = told.get(line.id)
        if before:
            # What was added has its own working.
            arithmetic = _asked(before, line, assessment.currency)
            yield Step(line.id, line.type.lower(), arithmetic, _text(line.type.sign * line.amount))
        for tax in line.taxes:
            base = f"{line.amount} × {(tax.rate * 100).normalize():f} %"
            inside = " inside" if assessment.tax_included else ""
            yield Step(line.id, "tax", f"{base}{inside}, {tax.title}", _text(tax.amount))


def _asked(line: DocumentLine, assessed: AssessedLine, currency: str) -> str:
    quantity = assessed.quantity.ordered if assessed.quantity else line.quantity
    words = f"{line.title or line.sku or line.type.lower()}: {quantity} × "
    words += written(line.unit_price, currency)
    return f"{words} - {line.discount} discount" if line.discount else words


def _totals(request: OrderRequest, assessment: OrderAssessment) -> Iterator[Step]:
    kinds: dict[str, Decimal] = {}
    for line in assessment.lines:
        kind = line.type.lower().replace("_", " ")
        kinds[kind] = kinds.get(kind, Decimal(0)) + line.type.sign * line.amount
    words = " + ".join(f"{kind} {amount}" for kind, amount in kinds.items())
    ours, theirs = assessment.totals, request.totals
    including = "gross" if assessment.tax_included else "net"
    yield Step("", f"sum, {including}", words, _text(sum(kinds.values(), Decimal(0))))
    yield Step("", "net", f"the shop's {theirs.net}", _text(ours.net))
    yield Step("", "tax", f"the shop's {theirs.tax}", _text(ours.tax))
    yield Step(
        "", "gross", f"{ours.net} + {ours.tax}; the shop's {theirs.gross}", _text(ours.gross)
    )


def _step(working: Working) -> Step:
    return Step(
        line=working.line,
        rule=working.rule,
        arithmetic=working.text,
        amount=_text(working.amount),
        source=working.source,
        valid_from=str(working.valid_from or ""),
    )


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


@command(app, "explain")
def explain_command(
    tool: Tool,
    order: Annotated[str, typer.Argument(help="Number (FZ1001) or key (shop-uk/5501).")],
) -> None:
    """Show how every amount of an order came about: rule, figures, and since when it holds."""
    found = explain(tool.stack, orders.find(tool.stack, order))
    columns = ("line", "rule", "arithmetic", "amount", "by", "since")
    title = f"{found.number}, rates of {found.tax_point}, in {found.currency}"
    totals = [(step.rule, step.arithmetic, step.amount) for step in found.totals]
    shown: list[RenderableType] = [
        grid(*columns, rows=[astuple(step) for step in found.steps], title=title),
        grid("total", "made of", "amount", rows=totals),
    ]
    if found.promised_on:
        shown.append(f"Promised for {found.promised_on}.")
    if found.holds:
        holds = [(one["reason"], one["message"], one["waits_for"]) for one in found.holds]
        shown.append(grid("held for", "because", "waits for", rows=holds))
    tool.answer(asdict(found), *shown)
