"""Id maps: what a connection's codes are called with us, or ours with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import links
from cli.stack import CommandError, Stack
from cli.tool import ConnectionArgument, Tool, command, grid
from fizzbridge.runtime import rows
from fizzbridge.state import Write
from fizzbridge.state.moments import to_text

app = typer.Typer(no_args_is_help=True, help="Maps of SKUs, taxes, units and other codes.")

SortArgument = Annotated[str, typer.Argument(help="What is mapped: sku, tax, unit ...")]
ValueArgument = Annotated[str, typer.Argument(help="The code that had no counterpart.")]


def listed(stack: Stack, connection: str, sort: str) -> dict[str, str]:
    """One map of a connection."""
    stack.connection(connection)
    found = stack.table.query(rows.map_pk(connection, sort))
    return {rows.text(row, "sk"): rows.text(row, "mapped") for row in found}


def put(stack: Stack, connection: str, sort: str, value: str, mapped: str) -> int:
    """Write a row of a map; its stream record lets go of whatever was held for it.

    Returns:
        How many entities were held for it.
    """
    stack.connection(connection)
    if not mapped:
        raise CommandError(f"'{value}' needs something to be mapped to; nothing was set.")
    cause = rows.map_cause(connection, sort, value)
    held = {pk for pk, _ in stack.table.index("cause", cause, limit=links.MANY)}
    now = to_text(datetime.now(UTC))
    change = {"mapped": mapped, "updated_at": now}
    stack.table.write(Write(rows.map_pk(connection, sort), value, set=change))
    return len(held)


def take_away(stack: Stack, connection: str, sort: str, value: str) -> None:
    """Delete a row of a map; what it was used for stays as it is."""
    if value not in listed(stack, connection, sort):
        raise CommandError(f"{rows.map_cause(connection, sort, value)} is not mapped.")
    stack.table.write(Write(rows.map_pk(connection, sort), value, delete=True))


@command(app, "list")
def list_command(tool: Tool, connection: ConnectionArgument, sort: SortArgument) -> None:
    """Show one map of a connection."""
    found = listed(tool.stack, connection, sort)
    tool.answer(
        [{"value": value, "mapped": mapped} for value, mapped in found.items()],
        grid(sort, "is", rows=found.items()) if found else f"{connection} has no {sort} mapped.",
    )


@command(app, "set")
def set_command(
    tool: Tool,
    connection: ConnectionArgument,
    sort: SortArgument,
    value: ValueArgument,
    mapped: Annotated[str, typer.Argument(help="What it is called on the other side.")],
) -> None:
    """Map a code; documents held for want of it go on by themselves."""
    held = put(tool.stack, connection, sort, value, mapped)
    goes_on = f"{held} held for it: on the way now." if held else "Nothing was held for it."
    tool.answer(
        {"connection": connection, "sort": sort, "value": value, "mapped": mapped, "held": held},
        f"{connection}: {sort} {value} is {mapped}. {goes_on}",
    )


@command(app, "unset")
def unset_command(
    tool: Tool, connection: ConnectionArgument, sort: SortArgument, value: ValueArgument
) -> None:
    """Take a code out of a map."""
    take_away(tool.stack, connection, sort, value)
    tool.answer(
        {"connection": connection, "sort": sort, "value": value, "mapped": None},
        f"{connection}: {sort} {value} is not mapped any more.",
    )
