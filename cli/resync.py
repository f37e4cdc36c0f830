"""Look again: at one order from the start, or at everything a connection has not taken over."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import links, orders
from cli.stack import CommandError, Stack
from cli.tool import Tool, command, connections
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime import rows
from fizzbridge.state.moments import to_text

app = typer.Typer()


def assess_again(stack: Stack, ref: EntityRef, now: datetime) -> str:
    """Have an entity assessed again; returns the token its link to assess now wants."""
    wanted = rows.token("resync", str(uuid.uuid4()))
    stack.table.write(rows.want(ref, rows.ASSESS, wanted, now, correlation_id=f"resync-{wanted}"))
    return wanted


def order(stack: Stack, ref: EntityRef, now: datetime) -> dict[str, str]:
    """Have an order assessed and compared at every target; returns its link's status at each."""
    assess_again(stack, ref, now)
    found = {
        rows.text(row, "sk").removeprefix("LINK#"): rows.text(row, "status")
        for row in stack.table.query(str(ref), "LINK#")
    }
    targets = {name: status for name, status in found.items() if name in stack.connections}
    for name in targets:
        links.tell(stack, name, ref)
    return targets


def due(stack: Stack, connection: str, *, held: bool, since: datetime | None) -> list[EntityRef]:
    """Entities a target has not taken over.

    Args:
        stack: the stack.
        connection: the target.
        held: those that are held, in place of those that are behind.
        since: only those behind since then or later.
    """
    stack.target(connection)
    if held:
        return links.waiting(stack, connection, "held")
    from_then = to_text(since) if since else ""
    refs = links.behind(stack).get(connection, [])
    return [
        ref
        for ref, row in links.read(stack, connection, refs)
        if rows.text(row, "behind_since") >= from_then
    ]


@command(app, "resync")
def resync_command(
    tool: Tool,
    order_number: Annotated[
        str | None, typer.Argument(metavar="[ORDER]", help="Number or key of one order.")
    ] = None,
    connection: Annotated[
        str | None,
        typer.Option(help="All that this target is behind with.", autocompletion=connections),
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="What is held, in place of what is behind.")
    ] = False,
    since: Annotated[
        datetime | None, typer.Option(help="Only what is behind since this time (UTC) or later.")
    ] = None,
) -> None:
    """Look again at one order, or at everything a connection is behind with. Always harmless."""
    if (order_number is None) == (connection is None):
        raise CommandError("Name one order, or a target with --connection, and not both.")
    if held and since:
        raise CommandError("--held takes all that is held; --since is about what is behind.")
    if order_number is not None:
        ref = orders.find(tool.stack, order_number)
        targets = order(tool.stack, ref, datetime.now(UTC))
        told = f"{ref}: told {', '.join(('assess', *targets))} to look again."
        if parked := ", ".join(name for name, status in targets.items() if status == "parked"):
            told += f" It stays parked at {parked} until new content or: fizzbridge dlq redrive"
        tool.answer({"order": str(ref), "targets": list(targets)}, told)
        return
    name = connection or ""
    since = since.replace(tzinfo=UTC) if since else None
    refs = due(tool.stack, name, held=held, since=since)
    for ref in tool.track(refs, f"telling {name}"):
        links.tell(tool.stack, name, ref)
    tool.answer(
        {"connection": name, "hints": len(refs)}, f"Told {name} to look at {len(refs)} entities."
    )
