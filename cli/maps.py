"""Id maps: what a connection's codes are called with us, or ours with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import links
from cli.asked import ask
from cli.stack import CommandError, Stack
from cli.tool import ConnectionArgument, DryRunOption, Tool, command, grid
from fizzbridge.mistakes import suggestion
from fizzbridge.model.entity import LEVEL_KINDS
from fizzbridge.runtime import rows
from fizzbridge.state import Write
from fizzbridge.state.moments import to_text

app = typer.Typer(no_args_is_help=True, help="Maps of SKUs, taxes, units and other codes.")

COLUMNS = ("sort", "value", "mapped")

SortArgument = Annotated[str, typer.Argument(help="What is mapped: sku, tax, unit ...")]
ValueArgument = Annotated[str, typer.Argument(help="The code that had no counterpart.")]


def sorts(stack: Stack, connection: str, *wanted: str) -> Mapping[str, str]:
    """The maps a connection has, each with what is mapped to what.

    Raises:
        CommandError: one of the wanted is none of them.
    """
    known = stack.manifest(connection).every_map
    for sort in wanted:
        if sort not in known:
            names = ", ".join(known) or "none"
            near = suggestion(sort, known)
            raise CommandError(f"{connection} has no map '{sort}'{near or '.'} It has: {names}.")
    return known


def listed(stack: Stack, connection: str, sort: str) -> dict[str, str]:
    """One map of a connection."""
    sorts(stack, connection, sort)
    found = stack.table.query(rows.map_pk(connection, sort))
    return {rows.text(row, "sk"): rows.text(row, "mapped") for row in found}


def put(stack: Stack, connection: str, sort: str, value: str, mapped: str) -> int:
    """Write a row of a map; its stream record lets go of whatever was held for it.

    Returns:
        How many entities were held for it.
    """
    sorts(stack, connection, sort)
    if not mapped:
        raise CommandError(f"'{value}' needs something to be mapped to; nothing was set.")
    cause = rows.map_cause(connection, sort, value)
    held = {pk for pk, _ in stack.table.index("cause", cause, limit=links.MANY)}
    now = to_text(datetime.now(UTC))
    change = {"mapped": mapped, "updated_at": now}
    stack.table.write(Write(rows.map_pk(connection, sort), value, set=change))
    return len(held)


def shown_again(stack: Stack, connection: str, named: Iterable[str]) -> int:
    """Have a shop told anew of what is sold there, where maps say how that is called.

    Returns:
        How many products, prices and levels are looked at.
    """
    is_told = LEVEL_KINDS & set(stack.manifest(connection).entities.target)
    if not is_told or not {"sku", "location", "pricelist"} & set(named):
        return 0
    return links.shown_again(stack, connection, datetime.now(UTC))


def take_away(stack: Stack, connection: str, sort: str, value: str) -> None:
    """Delete a row of a map; what it was used for stays as it is."""
    if value not in listed(stack, connection, sort):
        raise CommandError(f"{rows.map_cause(connection, sort, value)} is not mapped.")
    stack.table.write(Write(rows.map_pk(connection, sort), value, delete=True))


@command(app, "list")
def list_command(
    tool: Tool,
    connection: ConnectionArgument,
    sort: Annotated[
        str | None, typer.Argument(help="Which; without it, the maps there are.")
    ] = None,
) -> None:
    """Show one map of a connection, or which it has."""
    if sort is None:
        known = sorts(tool.stack, connection)
        tool.answer(dict(known), grid("map", "maps", rows=known.items()))
        return
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
    shown = shown_again(tool.stack, connection, [sort])
    if shown:
        goes_on += f" {shown} products, prices and levels are looked at."
    said = {"connection": connection, "sort": sort, "value": value, "mapped": mapped}
    tool.answer(
        said | {"held": held, "shown_again": shown},
        f"{connection}: {sort} {value} is {mapped}. {goes_on}",
    )


@command(app, "unset")
def unset_command(
    tool: Tool, connection: ConnectionArgument, sort: SortArgument, value: ValueArgument
) -> None:
    """Take a code out of a map."""
    take_away(tool.stack, connection, sort, value)
    shown_again(tool.stack, connection, [sort])
    tool.answer(
        {"connection": connection, "sort": sort, "value": value, "mapped": None},
        f"{connection}: {sort} {value} is not mapped any more.",
    )


def read_csv(text: str) -> list[tuple[str, str, str]]:
    """Rows of maps from a file with the columns ``sort``, ``value`` and ``mapped``.

    Raises:
        CommandError: it is no such file; every wrong line is named.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise CommandError(f"The first line must be: {','.join(COLUMNS)}")
    rows_, seen, mistakes = [], set(), []
    for number, line in enumerate(reader, start=2):
        cells = [(line.get(name) or "").strip() for name in COLUMNS]
        sort, value, mapped = cells
        if None in line or not all(cells):
            mistakes.append(f"line {number}: needs {', '.join(COLUMNS)}, each with something in it")
        elif (sort, value) in seen:
            mistakes.append(f"line {number}: {sort} {value} is there twice")
        seen.add((sort, value))
        rows_.append((sort, value, mapped))
    if mistakes:
        raise CommandError("Nothing was set. " + "; ".join(mistakes))
    return rows_


def to_csv(stack: Stack, connection: str) -> str:
    """Every map of a connection as a file that ``import`` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_every(stack, connection))
    return text.getvalue()


def _every(stack: Stack, connection: str) -> Iterator[tuple[str, str, str]]:
    for sort in sorts(stack, connection):
        for value, mapped in listed(stack, connection, sort).items():
            yield sort, value, mapped


@command(app, "export")
def export_command(tool: Tool, connection: ConnectionArgument) -> None:
    """Write all maps of a connection as CSV to standard output."""
    text = to_csv(tool.stack, connection)
    data = [dict(zip(COLUMNS, row, strict=True)) for row in _every(tool.stack, connection)]
    if tool.as_json:
        tool.answer(data)
    else:
        typer.echo(text, nl=False)


@command(app, "import")
def import_command(
    tool: Tool,
    connection: ConnectionArgument,
    file: Annotated[Path, typer.Argument(help="CSV with the columns sort, value, mapped.")],
    dry_run: DryRunOption = False,
) -> None:
    """Set maps from a CSV; rows that are not in it stay, and what was held goes on."""
    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    wanted = read_csv(file.read_text(encoding="utf-8-sig"))
    named = {sort for sort, _, _ in wanted}
    known = {sort: listed(tool.stack, connection, sort) for sort in named}
    new = [row for row in wanted if known[row[0]].get(row[1]) != row[2]]
    held = 0
    if not dry_run:
        for sort, value, mapped in tool.track(new, f"setting {connection}"):
            held += put(tool.stack, connection, sort, value, mapped)
        shown_again(tool.stack, connection, {sort for sort, _, _ in new})
    verb = "would be set" if dry_run else "set"
    tool.answer(
        {"connection": connection, "set": len(new), "held": held, "dry_run": dry_run},
        f"{connection}: {len(new)} of {len(wanted)} {verb}, the others were so already. "
        f"{held} held for them: on the way now.",
    )


@command(app, "suggest")
def suggest_command(
    tool: Tool,
    connection: ConnectionArgument,
    approve: Annotated[
        list[str] | None, typer.Option("--approve", help="Set what is suggested for this SKU.")
    ] = None,
) -> None:
    """List items a target has under another code: of the same barcode, or of nearly the same code.

    Nothing is set before you approve it.
    """
    with tool.waiting(f"asking {connection}"):
        found = ask(tool.stack, connection, "suggest")["suggestions"]
    by_sku = {one["sku"]: one for one in found}
    if unknown := set(approve or ()) - set(by_sku):
        raise CommandError(f"Nothing is suggested for {min(unknown)}; nothing was set.")
    is_booked = tool.stack.manifest(connection).is_booked
    for sku in approve or ():
        code = by_sku[sku]["code"]
        # A shop's map says what its own code is with us.
        value, mapped = (sku, code) if is_booked else (code, sku)
        by_sku[sku]["held"] = put(tool.stack, connection, "sku", value, mapped)
    if approve:
        shown_again(tool.stack, connection, ["sku"])
    columns = ("sku", "code", "name", "why", "held")
    shown = [[one.get(name, "") for name in columns] for one in found]
    tool.answer(
        {"connection": connection, "suggestions": found, "approved": list(approve or ())},
        grid(*columns, rows=shown) if found else "Every item has its counterpart, or none like it.",
    )
