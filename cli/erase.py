"""Erase a person from what the bridge keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import orders
from cli.stack import CommandError, Stack
from cli.tool import Tool, YesOption, command
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.runtime.erase import erase_customer, orders_of
from fizzbridge.runtime.loading import Loader

app = typer.Typer()


def whose(stack: Stack, text: str) -> EntityRef:
    """The customer named by key, or by one of its orders.

    Raises:
        CommandError: there is none.
    """
    found = orders.find(stack, text)
    if found.kind is Kind.CUSTOMER:
        return found
    request = Loader(stack.table, stack.objects).view(found).request
    if found.kind is not Kind.ORDER or request is None:
        raise CommandError(f"{found} names no customer. Give Customer#<connection>/<id>.")
    return request.customer


@command(app, "erase")
def erase_command(
    tool: Tool,
    customer: Annotated[
        str, typer.Argument(help="Customer#shop-uk/77, or the number or key of an order of theirs.")
    ],
    yes: YesOption = False,
) -> None:
    """Blank a customer's personal data, with those of their orders; it cannot be taken back."""
    stack = tool.stack
    found = whose(stack, customer)
    theirs = [order.key for order in orders_of(stack.table, found)]
    count = f"{len(theirs)} {'order' if len(theirs) == 1 else 'orders'}"
    tool.confirm(f"Erase {found} and what is personal in {count}?", yes=yes)
    erase_customer(stack.table, stack.objects, found, datetime.now(UTC), stack.caller())
    tool.answer(
        {"customer": found.key, "orders": theirs},
        f"{found} is erased; {count} follow within a minute, here and at every target.",
    )
