"""Subscribe to a platform's webhooks, and stop."""

from __future__ import annotations

import json
import time
import uuid

import typer

from cli.stack import CommandError, Stack
from cli.tool import ConnectionArgument, Tool, YesOption, command, grid
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import read
from fizzbridge.runtime.subscriptions import SUBSCRIPTIONS_SK
from fizzbridge.state.table import Row

app = typer.Typer()

LOOK_S = 0.5
PATIENCE_S = 120.0


def ask(stack: Stack, connection: str, what: str) -> str:
    """Ask the connection's pull function to subscribe or to stop; gives the request's name.

    Raises:
        CommandError: nothing is read from the connection, so nothing can be subscribed to.
    """
    outputs = stack.connection(connection)
    if "PullQueueUrl" not in outputs:
        raise CommandError(f"'{connection}' is no source: it has no webhooks.")
    asked = uuid.uuid4().hex[:8]
    body = {
        "type": what,
        "asked": asked,
        "address": outputs.get("WebhookUrl", ""),
        "streams": [one.name for one in stack.manifest(connection).streams],
    }
    stack.sqs.send_message(QueueUrl=outputs["PullQueueUrl"], MessageBody=json.dumps(body))
    return asked


def result(stack: Stack, connection: str, asked: str) -> Row:
    """What came of a request, as soon as something did.

    Raises:
        CommandError: the connection does not work, or nothing came of it in two minutes.
    """
    pk = rows.connection_pk(connection)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        row = stack.table.get(pk, SUBSCRIPTIONS_SK) or {}
        if row.get("asked") == asked:
            return row
        state = read(stack.table, connection)
        if state.pause:
            raise CommandError(f"{connection} is paused: {state.pause.why}")
        if not state.works:
            raise CommandError(f"{connection} does not work: {state.message}")
        time.sleep(LOOK_S)
    raise CommandError(
        f"Nothing came of it so far. Look at: fizzbridge dlq list --connection {connection}"
    )


@command(app, "connect")
def connect_command(tool: Tool, connection: ConnectionArgument) -> None:
    """Try what the connection may read, and subscribe to its webhooks; again mends what is lost."""
    stack = tool.stack
    asked = ask(stack, connection, "connect")
    with tool.waiting(f"asking {connection}"):
        row = result(stack, connection, asked)
    topics, made = (json.loads(rows.text(row, name)) for name in ("topics", "mended"))
    address = rows.text(row, "address")
    streams = [one.name for one in stack.manifest(connection).streams]
    data = {"connection": connection, "address": address, "topics": topics, "made": made}
    reads = f"{connection} can be read: {', '.join(streams)}."
    if topics:
        listed = [(topic, "made" if topic in made else "there") for topic in topics]
        tool.answer(data, reads, grid("topic", "webhook", rows=listed, title=f"To {address}"))
        return
    guide = f"functions/platforms/{stack.connection(connection)['Platform']}/README.md"
    tool.answer(data, reads, f"Its webhooks are set up in the shop ({guide}), to {address}")


@command(app, "disconnect")
def disconnect_command(tool: Tool, connection: ConnectionArgument, yes: YesOption = False) -> None:
    """Delete a connection's webhooks at its platform; polls go on until it leaves the bridge."""
    tool.confirm(f"Delete the webhooks of {connection} at its platform?", yes=yes)
    asked = ask(tool.stack, connection, "disconnect")
    with tool.waiting(f"asking {connection}"):
        result(tool.stack, connection, asked)
    tool.answer({"connection": connection}, f"{connection} has no webhooks any more.")
