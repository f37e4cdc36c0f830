"""Replay a span of the bus's archive to one target: every entity of it is looked at again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress

from cli.operations import recorded
from cli.stack import CommandError, Stack
from cli.tool import Tool, YesOption, clock, command, connections, grid
from fizzbridge.state.moments import to_text

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

app = typer.Typer()

LOOK_S = 2.0
_RUNNING = frozenset({"STARTING", "RUNNING", "CANCELLING"})
_QUEUES = ("documents", "levels")


@dataclass(frozen=True)
class Span:
    """What is replayed.

    Attributes:
        since: events from then on.
        until: events until then.
        rules: rules the events go to, by name; no other rule gets any.
        archive: the archive's address.
        bus: the bus's.
        kept: how many events the archive has in all, roughly.
    """

    since: datetime
    until: datetime
    rules: Mapping[str, str]
    archive: str
    bus: str
    kept: int


def span(stack: Stack, connection: str, since: datetime, until: datetime) -> Span:
    """What would be replayed: to the connection's own two rules, and to nobody who tells people.

    Raises:
        CommandError: the span is empty or too old, the connection is no target, or there is no
            archive.
    """
    stack.target(connection)
    events = _events(stack)
    if until <= since:
        raise CommandError("--to must be later than --from.")
    bus = stack.core["BusName"]
    name = bus.removesuffix("bus") + "archive"
    try:
        archive = events.describe_archive(ArchiveName=name)
    except events.exceptions.ResourceNotFoundException as error:
        raise CommandError(f"There is no archive {name}.") from error
    days = archive.get("RetentionDays", 0)
    if days and since < datetime.now(UTC) - timedelta(days=days):
        raise CommandError(f"The archive keeps {days} days; --from lies before that.")
    prefix = f"{bus.removesuffix('bus')}{connection}-"
    wanted = {f"{prefix}{queue}" for queue in _QUEUES}
    listed = events.get_paginator("list_rules").paginate(EventBusName=bus, NamePrefix=prefix)
    rules = {
        rule["Name"]: rule["Arn"]
        for page in listed
        for rule in page["Rules"]
        if rule["Name"] in wanted
    }
    if not rules:
        raise CommandError(f"{connection} has no rule on {bus}.")
    found = archive["EventSourceArn"]
    return Span(since, until, rules, archive["ArchiveArn"], found, archive.get("EventCount", 0))


def start(stack: Stack, of: Span) -> str:
    """Begin a replay; returns its name."""
    name = f"fizzbridge-{stack.stage}-{uuid.uuid4().hex[:8]}"
    _events(stack).start_replay(
        ReplayName=name,
        EventSourceArn=of.archive,
        EventStartTime=of.since,
        EventEndTime=of.until,
        Destination={"Arn": of.bus, "FilterArns": sorted(of.rules.values())},
    )
    return name


def _events(stack: Stack) -> EventBridgeClient:
    if stack.events is None:
        raise CommandError(f"{stack.stage} has no bus to replay to.")
    return stack.events


@command(app, "replay")
def replay_command(
    tool: Tool,
    since: Annotated[datetime, typer.Option("--from", help="Events of then (UTC) or later.")],
    to_connection: Annotated[
        str,
        typer.Option("--to-connection", help="The target.", autocompletion=connections),
    ],
    until: Annotated[
        datetime | None, typer.Option("--to", help="Events of then (UTC) or earlier; default: now.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be replayed.")] = False,
    wait: Annotated[bool, typer.Option(help="Show how far it is until it is done.")] = True,
    yes: YesOption = False,
) -> None:
    """Have a target look again at all that was announced in a span; nobody is notified.

    An event only says: look. What the target holds already is not written again.
    """
    stack = tool.stack
    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    of = span(stack, to_connection, since.replace(tzinfo=UTC), end)
    said: dict[str, Any] = {
        "connection": to_connection,
        "from": to_text(of.since),
        "to": to_text(of.until),
        "rules": sorted(of.rules),
        "events_in_archive": of.kept,
    }
    if plan:
        shown = said | {"from": clock(said["from"]), "to": clock(said["to"])}
        shown["rules"] = ", ".join(said["rules"])
        tool.answer(
            said | {"plan": True},
            grid("", "", rows=shown.items()),
            "No other rule gets any of it: nothing is recorded or notified twice. "
            "Nothing was replayed.",
        )
        return
    hours = (of.until - of.since) / timedelta(hours=1)
    tool.confirm(f"Replay {hours:.1f} hours to {to_connection}?", yes=yes)
    details = {"connection": to_connection, "from": said["from"], "to": said["to"]}
    with recorded(stack, "replay", **details) as operation:
        name = start(stack, of)
        operation.counts[f"replay {name}"] = 1
        state = _follow(tool, of, name) if wait else "STARTING"
    tool.answer(
        said | {"plan": False, "replay": name, "state": state, "operation": operation.id},
        f"{name}: {state.lower()}. {to_connection} looks at what is behind: fizzbridge status",
    )


def _follow(tool: Tool, of: Span, name: str) -> str:
    """Show how far a replay is, by the time of the event replayed last.

    Raises:
        CommandError: it failed or was cancelled.
    """
    events = _events(tool.stack)
    hidden = not tool.aside.is_terminal
    with Progress(console=tool.aside, transient=True, disable=hidden) as progress:
        task = progress.add_task("replaying", total=(of.until - of.since).total_seconds())
        while True:
            found = events.describe_replay(ReplayName=name)
            if at := found.get("EventLastReplayedTime"):
                progress.update(task, completed=(at - of.since).total_seconds())
            state = str(found["State"])
            if state not in _RUNNING:
                break
            time.sleep(LOOK_S)
    if state != "COMPLETED":
        raise CommandError(f"{name}: {state.lower()}. {found.get('StateReason', '')}".strip())
    return state
