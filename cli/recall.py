"""Recall: who was sent goods of a production batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from cli.stack import CommandError, Stack
from cli.tool import Tool, command, grid
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime import rows
from fizzbridge.trade.lots import recall

app = typer.Typer()


@dataclass(frozen=True)
class Sent:
    """What one order was sent of a lot."""

    order: str
    customer: str
    goods: str
    quantity: int


def sent(stack: Stack, lot: str) -> list[Sent]:
    """The orders a lot was shipped with.

    Raises:
        CommandError: no shipment named it.
    """
    found = []
    for row in stack.table.query(rows.lot_pk(lot)):
        goods = row.get("skus")
        found.append(
            Sent(
                order=EntityRef.parse(rows.text(row, "sk")).key,
                customer=rows.text(row, "customer").partition("#")[2],
                goods=", ".join(goods) if isinstance(goods, list) else "",
                quantity=rows.number(row, "quantity"),
            )
        )
    if not found:
        raise CommandError(f"No shipment named lot {lot}.")
    return found


@command(app, "recall")
def recall_command(
    tool: Tool, lot: Annotated[str, typer.Argument(help="The lot, as the warehouse names it.")]
) -> None:
    """List who was sent goods of a lot, and with which orders."""
    found = sent(tool.stack, lot)
    customers = recall((one.customer, one.quantity) for one in found)
    orders = [(one.order, one.customer, one.goods, one.quantity) for one in found]
    tool.answer(
        {"lot": lot, "customers": customers, "orders": [asdict(one) for one in found]},
        grid("customer", "quantity", rows=customers.items(), title=f"Lot {lot}"),
        grid("order", "customer", "goods", "quantity", rows=orders),
    )
