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


def whose(stack: Stack, text: str) -> list[EntityRef]:
    """Who is named by key, or by one of their orders: a company's has a person beside it.

    Raises:
        CommandError: there is none.
    """
    found = orders.find(stack, text)
    if found.kind is Kind.CUSTOMER:
        return [found]
    request = Loader(stack.table, stack.objects).view(found).request
    if found.kind is not Kind.ORDER or request is None:
        raise CommandError(f"{found} names no customer. Give Customer#<connection>/<id>.")
    return [one for one in (request.customer, request.ordered_by) if one]


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
    names = " and ".join(map(str, found))
    listed = (order.key for one in found for order in orders_of(stack.table, one))
    theirs = list(dict.fromkeys(listed))
    count = f"{len(theirs)} {'order' if len(theirs) == 1 else 'orders'}"
    tool.confirm(f"Erase {names} and what is personal in {count}?", yes=yes)
    for one in found:
        erase_customer(stack.table, stack.objects, one, datetime.now(UTC), stack.caller())
    tool.answer(
        {"customers": [one.key for one in found], "orders": theirs},
        f"Erased: {names}; {count} follow within a minute, here and at every target.",
    )
