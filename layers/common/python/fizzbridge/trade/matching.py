"""Goods an ERP ships or takes back by code, put to the order lines they were ordered with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from fizzbridge.model.documents import Return, ReturnState, Shipment, ShippedLine
from fizzbridge.model.order import LineType, OrderAssessment

D = TypeVar("D", Shipment, Return)
_GOODS = frozenset({LineType.GOODS, LineType.FREE_GOODS})


@dataclass
class _Line:
    id: str
    sku: str | None
    base: int
    factor: int
    filled: int = 0

    def fill(self, part: int) -> int:
        """Whole units that are full now; a part of a case counts when the rest of it has left."""
        before = self.filled // self.factor
        self.filled += part
        return self.filled // self.factor - before


def matched(documents: Iterable[D], order: OrderAssessment | None) -> tuple[D, ...]:
    """The documents with each line under the order line it belongs to.

    A line that names none counts base units of a code: they fill the order's lines of that code
    one after the other, over all documents; what no line has room for goes to the last. What is
    only planned, or was called off, fills nothing.
    """
    if order is None:
        return tuple(documents)
    goods = [
        _Line(line.id, line.sku, line.quantity.base, line.quantity.factor)
        for line in order.lines
        if line.type in _GOODS and line.quantity
    ]
    return tuple(
        one.model_copy(update={"lines": tuple(_matched(one.lines, goods))}) if _moved(one) else one
        for one in documents
    )


def _moved(document: Shipment | Return) -> bool:
    if isinstance(document, Shipment):
        return document.has_left
    return document.state is not ReturnState.CANCELLED


def _matched(lines: Iterable[ShippedLine], goods: list[_Line]) -> Iterator[ShippedLine]:
    for line in lines:
        ordered = [one for one in goods if one.sku == line.sku]
        for one in goods:
            if one.id == line.order_line_id:
                one.fill(line.quantity * one.factor)
        if line.order_line_id or not line.sku or not ordered:
            yield line
            continue
        left = line.quantity
        for one in ordered:
            part = left if one is ordered[-1] else min(left, max(one.base - one.filled, 0))
            left -= part
            full = one.fill(part)
            if full:
                yield line.model_copy(update={"order_line_id": one.id, "quantity": full})
