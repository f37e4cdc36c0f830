"""Have a connection rest for a while, and go on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.operations import recorded
from cli.stack import CommandError, Stack
from cli.tool import ConnectionArgument, Tool, clock, command
from fizzbridge.runtime.breaker import CLOSED, Breaker, State, read
from fizzbridge.state.moments import to_text

app = typer.Typer()

WhyOption = Annotated[str, typer.Option("--why", help="For whoever finds it paused.")]
_SOON = "The next sweep, within a minute,"


def breaker(stack: Stack, connection: str) -> Breaker:
    """The breaker of a connection.

    Raises:
        CommandError: there is none of that name.
    """
    stack.connection(connection)
    return Breaker(stack.table, connection, lambda: datetime.now(UTC))


@command(app, "pause")
def pause_command(tool: Tool, connection: ConnectionArgument, why: WhyOption) -> None:
    """Make no calls to a connection's vendor until `resume`; webhooks are still taken in."""
    paused = breaker(tool.stack, connection)
    if not why.strip():
        raise CommandError("Say why: whoever finds it paused must know.")
    before = read(tool.stack.table, connection)
    if before.pause:
        raise CommandError(f"{connection} is paused already, {_who(before)}.")
    with recorded(tool.stack, "pause", connection=connection, why=why.strip()) as operation:
        state = paused.pause(operation.by, why.strip())
    tool.answer(
        {"connection": connection, "paused_at": to_text(state.pause.at) if state.pause else ""},
        f"{connection} is paused. {_SOON} takes its functions off their queues; a message that is "
        "read before that is put off. What is meant for it waits.",
    )


@command(app, "resume")
def resume_command(tool: Tool, connection: ConnectionArgument) -> None:
    """End a pause; where the vendor does not answer, try again now."""
    paused = breaker(tool.stack, connection)
    before = read(tool.stack.table, connection)
    if before.pause is None and before.name == CLOSED:
        raise CommandError(f"{connection} is neither paused nor in trouble.")
    with recorded(tool.stack, "resume", connection=connection):
        state = paused.resume()
    data = {"connection": connection, "was_paused": bool(before.pause), "breaker": state.name}
    if state.name == CLOSED:
        tool.answer(data, f"{connection} goes on. {_SOON} gives its functions their messages.")
        return
    tool.answer(data, f"{connection} does not work: {state.message}\n{_SOON} tries it again.")


def _who(state: State) -> str:
    pause = state.pause
    return f"since {clock(to_text(pause.at))} UTC by {pause.by}: {pause.why}" if pause else ""
