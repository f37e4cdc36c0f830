"""Canonical orders as the runtime shows them to a target, and maps to go with them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import (
    AssessedLine,
    DocumentLine,
    LineType,
    OrderAssessment,
    OrderClass,
    OrderRequest,
    TaxShare,
    Totals,
)
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Quantity, Unit
from fizzbridge.runtime.view import StoredPart, View

CUSTOMER = ref(Kind.CUSTOMER, "shop-uk", "c-77")
ORDER = ref(Kind.ORDER, "shop-uk", "5501")
PLACED = datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)
CENT = Decimal("0.01")


class Maps:
    """Id maps of one connection in a dict."""

    connection = "erp"

    def __init__(self, **sorts):
        self.sorts = sorts

    def get(self, sort, value):
        return self.sorts.get(sort, {}).get(value)

    def cause(self, sort, value):
        return f"MAP#{self.connection}#{sort}/{value}"


def line(sku, quantity, amount, *, rates=("0.2",), unit=None, factor=1, kind="GOODS", **more):
    """A line as (request line, assessed line)."""
    identity = more.pop("id", f"l-{sku or kind}")
    scheme = more.pop("scheme", "")
    counted = None
    if unit:
        base = quantity * factor
        counted = Quantity(ordered=quantity, unit=Unit(unit), factor=factor, base=base)
    asked = DocumentLine(
        id=identity,
        type=LineType(kind),
        sku=sku,
        title=more.pop("title", f"{sku or kind} title"),
        quantity=quantity,
        quantity_ordered=more.pop("ordered", quantity),
        unit_price=Decimal(1),
        amount=Decimal(amount),
        taxes=tuple(TaxShare(title="VAT", rate=Decimal(r), amount=Decimal(0)) for r in rates),
        **more,
    )
    assessed = AssessedLine(
        id=identity,
        type=asked.type,
        sku=sku if counted else None,
        quantity=counted,
        amount=asked.amount,
        tax=asked.tax,
        taxes=asked.taxes,
        scheme=scheme,
    )
    return asked, assessed


def totals(lines, *, included, by_line=False):
    """Totals as a shop has them that rounds each rate once, or each line."""
    taxed: dict[object, tuple[Decimal, Decimal]] = {}
    for asked, _ in lines:
        rate = sum((share.rate for share in asked.taxes), Decimal(0))
        group = asked.id if by_line else rate
        base = taxed.get(group, (rate, Decimal(0)))[1]
        taxed[group] = (rate, base + asked.amount * asked.type.sign)
    tax = Decimal(0)
    for rate, base in taxed.values():
        exact = base - base / (1 + rate) if included else base * rate
        tax += exact.quantize(CENT, ROUND_HALF_UP)
    total = sum((base for _, base in taxed.values()), Decimal(0))
    net = total - tax if included else total
    return Totals(net=net, tax=tax, gross=net + tax)


def view(
    *lines,
    included=False,
    currency="GBP",
    state="CONFIRMED",
    sort="BULK",
    placed_at=PLACED,
    promised_on=None,
    total=None,
    target="erp",
    children=(),
    **request,
):
    """An order; ``children`` are its documents."""
    sums = total or totals(lines, included=included)
    asked = OrderRequest(
        currency=currency,
        tax_included=included,
        lines=tuple(asked for asked, _ in lines),
        totals=sums,
        number="#5501",
        placed_at=placed_at,
        changed_at=placed_at,
        shop_currency=currency,
        presentment_currency=currency,
        presentment_gross=sums.gross,
        customer=CUSTOMER,
        **({"po_number": "PO 88123"} | request),
    )
    assessed = OrderAssessment(
        number="#5501",
        state=OrderState(state),
        order_class=OrderClass(sort),
        class_reason="",
        currency=currency,
        tax_included=included,
        lines=tuple(line for _, line in lines),
        totals=sums,
        tax_point=placed_at.date(),
        placed_at=placed_at,
        promised_on=promised_on,
        targets=(target,),
    )
    parts = {Part.REQUEST: stored(asked), Part.ASSESSMENT: stored(assessed)}
    return View(ORDER, parts, tuple(children))


def stored(body):
    """A part, as its owner told it."""
    return StoredPart(body, "1", "f", "shop-uk")
