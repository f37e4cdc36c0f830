"""Read again what a source changed in a span of time."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import Progress

from cli.stack import CommandError, Stack
from cli.tool import ConnectionArgument, Tool, command
from fizzbridge.runtime.puller import Place, Round, backfill_cursor
from fizzbridge.state.cursors import Cursor, Cursors

app = typer.Typer()

LOOK_S = 1.0


def ask(
    stack: Stack, connection: str, stream: str | None, since: datetime, until: datetime | None
) -> Round:
    """Send the request; repeating it makes another round, which merges nothing twice.

    Raises:
        CommandError: the connection is no source, has no such stream, or the span is empty.
    """
    outputs = stack.connection(connection)
    if "PullQueueUrl" not in outputs:
        raise CommandError(f"'{connection}' is no source: nothing is read from it.")
    streams = [one.name for one in stack.manifest(connection).streams]
    if not streams or (stream and stream not in streams):
        known = ", ".join(streams) or "none"
        raise CommandError(f"{connection} has no stream '{stream or ''}'; it has {known}.")
    if until and until <= since:
        raise CommandError("--to must be later than --from.")
    asked = Round(stream or streams[0], False, uuid.uuid4().hex[:8], since, until)
    body = json.dumps(asked.message | {"type": "poll"})
    stack.sqs.send_message(QueueUrl=outputs["PullQueueUrl"], MessageBody=body)
    return asked


def place(stack: Stack, connection: str, asked: Round) -> tuple[Cursor, bool]:
    """How far it is, and whether it is done; ``revision`` counts pages."""
    name = backfill_cursor(asked.stream, asked.backfill)
    found = Cursors(stack.table, lambda: datetime.now(UTC)).read(connection, name)
    if not found.position or asked.since is None:
        return found, False
    return found, Place.parse(found.position, asked.since).begun is None


@command(app, "backfill")
def backfill_command(
    tool: Tool,
    connection: ConnectionArgument,
    since: Annotated[datetime, typer.Option("--from", help="Changed then (UTC) or later.")],
    until: Annotated[
        datetime | None, typer.Option("--to", help="Changed then (UTC) or earlier; default: now.")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="Which stream; default: the platform's first.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Show how far it is until it is done.")] = True,
) -> None:
    """Read again what a source changed; what is known already changes nothing."""
    bounds = [at and at.replace(tzinfo=UTC) for at in (since, until)]
    asked = ask(tool.stack, connection, stream, bounds[0] or since, bounds[1])
    pages = _follow(tool, connection, asked) if wait else 0
    said = f"{pages} pages of {asked.stream} read" if wait else f"{asked.stream}: on the way"
    tool.answer(
        {"connection": connection, "backfill": asked.backfill, "pages": pages},
        f"{connection}: {said}.",
    )


def _follow(tool: Tool, connection: str, asked: Round) -> int:
    hidden = not tool.aside.is_terminal
    with Progress(console=tool.aside, transient=True, disable=hidden) as progress:
        task = progress.add_task("waiting for the first page", total=None)
        while True:
            found, is_done = place(tool.stack, connection, asked)
            if is_done:
                return found.revision
            if found.revision:
                progress.update(task, description=f"{found.revision} pages read")
            time.sleep(LOOK_S)
