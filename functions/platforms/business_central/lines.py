"""An order's lines: quantity and price that come to our amount, and what differs there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from fizzbridge.model.money import to_minor_unit
from platforms.business_central.wire import (
    BillLine,
    Line,
    Order,
    Resolved,
    SalesLine,
    SalesOrder,
)

PRICE_DIGITS = Decimal("0.00001")
TITLE_LENGTH = 100
SAYS, NUMBER, PURCHASE, NOTE = OURS = (
    "Shop says: ",
    "Shop order: ",
    "Shop customer's order: ",
    "Shop note: ",
)
"""What comment lines of ours begin with; those of people are left alone."""

FIELDS = {
    "lineType": "type",
    "lineObjectNumber": "number",
    "description": "title",
    "unitOfMeasureCode": "unit",
    "quantity": "quantity",
    "unitPrice": "price",
    "discountAmount": "discount",
    "taxCode": "tax",
    "locationId": "location",
}
"""A line's fields, in the order Business Central fills them in: a unit resets the price."""

PRICED = frozenset({"quantity", "unitPrice", "discountAmount"})
FIXED = frozenset({"lineType", "lineObjectNumber", "description"})
"""Not written to a line that is there; people may have worded it anew."""


def line_price(amount: Decimal, quantity: int, currency: str) -> tuple[int, Decimal, Decimal]:
    """Quantity, unit price and discount that come to a line amount, to the cent.

    A price has five digits. Where no such price gives the amount, the next above it does with a
    discount; what takes away is then counted as one piece. A negative amount is a negative
    quantity: goods and empties come back that way.
    """
    worth = abs(amount)
    sign = -1 if amount < 0 else 1
    price = (worth / quantity).quantize(PRICE_DIGITS, ROUND_HALF_UP)
    if to_minor_unit(price * quantity, currency) == worth:
        return sign * quantity, price, Decimal(0)
    if sign < 0:
        return -1, worth, Decimal(0)
    price = (worth / quantity).quantize(PRICE_DIGITS, ROUND_UP)
    return quantity, price, to_minor_unit(price * quantity, currency) - worth


def resolved(
    line: Line, currency: str, *, number: str, unit: str, quantity: int, location: str
) -> Resolved:
    """A line in Business Central's units, under its codes."""
    position = line.position
    count, price, discount = line_price(position.amount, quantity, currency)
    return Resolved(
        id=position.id,
        type="Account" if line.account else "Item",
        number=number,
        title=position.title[:TITLE_LENGTH],
        unit=code(unit),
        quantity=count,
        price=price,
        discount=discount,
        tax=code(line.tax.name),
        percent=sum((tax.rate for tax in position.taxes), Decimal(0)) * 100,
        tax_cause=line.tax.cause,
        location=location,
    )


def code(text: str) -> str:
    """A code as Business Central keeps it."""
    return text.strip().upper()


def values(line: Resolved) -> dict[str, Any]:
    """A line as fields to write; what is empty is left to Business Central."""
    named = {name: getattr(line, own) for name, own in FIELDS.items()}
    return {name: value for name, value in named.items() if value != ""}


def paired(
    lines: Sequence[SalesLine], wanted: Sequence[Resolved]
) -> tuple[list[tuple[SalesLine | None, Resolved]], list[SalesLine]]:
    """Which line there is which line wanted, and what is left over.

    Lines are told apart by what they sell: an equal one first, so that nothing is written to it,
    else the next that sells the same.
    """
    left = [line for line in lines if not is_comment(line)]
    pairs: list[tuple[SalesLine | None, Resolved]] = []
    missing = []
    for line in wanted:
        same = next((found for found in left if not changes(found, line)), None)
        if same:
            left.remove(same)
            pairs.append((same, line))
        else:
            missing.append(line)
    for line in missing:
        near = next((found for found in left if _sells(found, line)), None)
        if near:
            left.remove(near)
        pairs.append((near, line))
    return pairs, left


def changes(line: SalesLine, wanted: Resolved) -> dict[str, Any]:
    """What to write to a line; all of it where it sells something else.

    Quantity, price and discount go together: one of them, or a unit, alone would move the others.
    """
    wants = values(wanted)
    if not _sells(line, wanted):
        return wants
    now = line.model_dump(by_alias=True)
    written = {name for name in wants if name not in FIXED and now[name] != wants[name]}
    if written & {*PRICED, "unitOfMeasureCode"}:
        written |= PRICED
    return {name: value for name, value in wants.items() if name in written}


def each(fields: Mapping[str, Any]) -> Decimal:
    """What one piece of a line comes to, its discount taken off."""
    quantity, price, off = (
        Decimal(fields[name]) for name in ("quantity", "unitPrice", "discountAmount")
    )
    return price - off / quantity if quantity else Decimal(0)


def _sells(line: SalesLine, wanted: Resolved) -> bool:
    return (line.line_type, line.line_object_number) == (wanted.type, wanted.number)


@dataclass(frozen=True)
class Changes:
    """What makes an order what is wanted.

    Attributes:
        header: fields of the order.
        lines: lines with fields to write; without a line there, all of a new one.
        surplus: lines nobody ordered.
        notes: comment lines to add.
        stale: comment lines of ours to take away.
    """

    header: dict[str, str]
    lines: list[tuple[SalesLine | None, dict[str, Any]]]
    surplus: list[SalesLine]
    notes: list[str]
    stale: list[SalesLine]

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return any((self.header, self.lines, self.surplus, self.notes, self.stale))


def differences(order: SalesOrder, wanted: Sequence[Resolved], payload: Order) -> Changes:
    """What of an order is not as wanted. Comments of an order that is locked are let be."""
    now = order.model_dump(by_alias=True)
    pairs, surplus = paired(order.sales_order_lines, wanted)
    lines = [
        (line, written)
        for line, wants in pairs
        if (written := changes(line, wants) if line else values(wants))
    ]
    comments = [line for line in order.sales_order_lines if is_comment(line)]
    there = {line.description for line in comments}
    stale = [
        line
        for line in comments
        if line.description.startswith(OURS) and line.description not in payload.comments
    ]
    return Changes(
        header={name: text for name, text in header(payload).items() if now[name] != text},
        lines=lines,
        surplus=surplus,
        notes=[] if order.is_locked else [c for c in payload.comments if c not in there],
        stale=[] if order.is_locked else stale,
    )


def header(payload: Order) -> dict[str, str]:
    """The order's own fields that may change."""
    requested = {"requestedDeliveryDate": payload.requested} if payload.requested else {}
    return payload.ship_to | requested


def comment(text: str) -> dict[str, str]:
    """A comment line."""
    return {"lineType": "Comment", "description": text}


def is_comment(line: SalesLine | BillLine) -> bool:
    """Whether it is only words."""
    return line.line_type.strip() in {"", "Comment"}
