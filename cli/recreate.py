"""Make an object again that somebody deleted at a target."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import links, orders
from cli.operations import recorded
from cli.plan import ToOption
from cli.stack import CommandError, Stack
from cli.tool import Tool, YesOption, command
from fizzbridge.errors import DeletedAtTargetError
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime import rows
from fizzbridge.state import AllOf, ConditionFailedError, Equals, Write
from fizzbridge.state.moments import to_text

app = typer.Typer()


def recreate(stack: Stack, ref: EntityRef, connection: str, why: str, now: datetime) -> str:
    """Let a parked entity be made anew, as its next generation.

    Returns:
        The id of the object that is given up.

    Raises:
        CommandError: it is not parked there, or never was made.
    """
    stack.target(connection)
    sk = rows.link_sk(connection)
    row = stack.table.get(str(ref), sk) or {}
    gone = rows.text(row, "external_id")
    is_gone = rows.text(row, "reason") == DeletedAtTargetError.code
    if rows.text(row, "status") != "parked" or not gone or not is_gone:
        raise CommandError(
            f"{ref.key} is not parked at {connection} for an object that is gone. "
            f"See: fizzbridge trace {ref.key}"
        )
    token = rows.token("recreate", gone, to_text(now))
    again = Write(
        str(ref),
        sk,
        set={
            "status": "behind",
            "generation": rows.number(row, "generation") + 1,
            "wanted": token,
            "attempts": 0,
            "behind_shard": rows.shard(ref, connection),
            "behind_since": to_text(now),
            "updated_at": to_text(now),
        },
        remove=("external_id", "stamp", "synced", "reason", "cause", "message", "intent"),
        when=AllOf(Equals("status", "parked"), Equals("external_id", gone)),
    )
    details = {"connection": connection, "external_id": gone, "why": why, "by": stack.caller()}
    line = rows.timeline(ref, now, token[:12], "recreated", details.items())
    try:
        stack.table.transact([again, line])
    except ConditionFailedError as error:
        raise CommandError(f"{ref.key} moved meanwhile; look again and repeat.") from error
    links.tell(stack, connection, ref)
    return gone


@command(app, "recreate")
def recreate_command(
    tool: Tool,
    order: Annotated[str, typer.Argument(help="Number or key of an order, or an entity.")],
    to: ToOption,
    why: Annotated[str, typer.Option("--why", help="Your reason; it is kept with the order.")],
    yes: YesOption = False,
) -> None:
    """Make again what was deleted at a target; by itself it never is."""
    if not why.strip():
        raise CommandError("Say why: --why 'deleted by mistake'.")
    ref = orders.find(tool.stack, order)
    tool.confirm(f"Make {ref.key} again at {to}?", yes=yes)
    said = {"entity": str(ref), "connection": to, "why": why.strip()}
    with recorded(tool.stack, "recreate", **said):
        gone = recreate(tool.stack, ref, to, why.strip(), datetime.now(UTC))
    tool.answer(
        {"entity": str(ref), "connection": to, "given_up": gone},
        f"{ref.key}: {to} {gone} is given up; a new one is made within a minute.",
    )
