"""Whether what came in came out, and whether every link is where it may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from cli.stack import CommandError, Stack
from cli.tool import Tool, clock, command, grid
from fizzbridge.logs import group_of, logged
from fizzbridge.runtime.census import Census, Enumerator
from fizzbridge.runtime.conservation import COMES_TO, MARGIN, Balance, Window, balance
from fizzbridge.runtime.intake import TOLD
from fizzbridge.settings import Limits, Timing

app = typer.Typer()

MANY = 10_000
"""Late links of each partition that are looked at: who has more of them reads a dashboard first."""

_ENDS = ("received", "refused", "answered", "put_off")
_LATE_S = Timing().late_after
_DAYS = Limits().recheck_days


def deliveries(stack: Stack, judged: Window) -> dict[str, Balance]:
    """The account of every source, by its log lines."""
    if stack.logs is None:
        raise CommandError("The logs of this stack cannot be read.")
    client = stack.logs
    since, until = judged.since - judged.patience - MARGIN, judged.until + MARGIN
    accounts = {}
    for name, outputs in stack.connections.items():
        functions = [
            function
            for output, function in (("WebhookUrl", "webhook"), ("PullQueueUrl", "pull"))
            if output in outputs
        ]
        lines = (
            line
            for function in functions
            for line in logged(
                client,
                group_of(stack.stage, f"{name}-{function}"),
                since,
                # What was spilled may be finished at any time until now.
                until if function == "webhook" else datetime.now(UTC) + MARGIN,
            )
        )
        if functions:
            accounts[name] = balance(lines, judged).get(name, Balance())
    return accounts


@command(app, "balance")
def balance_command(
    tool: Tool,
    since: Annotated[
        datetime | None,
        typer.Option("--from", help="Received then (UTC) or later; default: an hour before --to."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", help="Received before then (UTC); default: a minute ago."),
    ] = None,
    late: Annotated[
        int, typer.Option("--late-after", help="How long a link may be behind, in seconds.")
    ] = _LATE_S,
    days: Annotated[
        int, typer.Option("--days", help="Look at the orders placed in so many days.")
    ] = _DAYS,
) -> None:
    """Check that what came in came out, and that every link is where it may be; exit code 1 if not.

    The first is counted from log lines: what deliveries told, and what each thing came to.
    """
    now = datetime.now(UTC)
    end = until.replace(tzinfo=UTC) if until else now - MARGIN
    begin = since.replace(tzinfo=UTC) if since else end - timedelta(hours=1)
    if end <= begin:
        raise CommandError("--to must be later than --from.")
    patience = timedelta(seconds=late)
    with tool.waiting("reading the logs"):
        accounts = deliveries(tool.stack, Window(begin, end, patience))
    census = _counted(tool, patience, days)
    is_wrong = any(one.imbalance for one in accounts.values())
    tool.answer(
        {
            "from": begin.isoformat(),
            "to": end.isoformat(),
            "deliveries": {name: _plain(one) for name, one in accounts.items()},
            "entities": census.looked_at,
            "late": [asdict(one) for one in census.late],
            "unaccounted": [asdict(one) for one in census.unaccounted],
        },
        *_shown(accounts, census),
    )
    if is_wrong or census.late or census.unaccounted:
        raise typer.Exit(1)


def _counted(tool: Tool, late_after: timedelta, days: int) -> Census:
    stack = tool.stack
    links = Enumerator(
        stack.table,
        stack.objects,
        stack.connections,
        lambda: datetime.now(UTC),
        late_after,
        days,
    )
    with tool.waiting("looking at what is behind"):
        census = Census(late=list(links.late(MANY)))
        listed = list(links.everything(datetime.now(UTC)))
    for ref in tool.track(listed, "looking at entities"):
        for one in links.family(ref):
            census.unaccounted += links.look(one)
            census.looked_at += 1
    return census


def _plain(account: Balance) -> dict[str, Any]:
    wrong = {kind: list(ids) for kind, ids in account.wrong.items()}
    return {
        "deliveries": dict(account.deliveries),
        "told": {str(one): count for one, count in account.told.items()},
        "imbalance": account.imbalance,
        "wrong": wrong,
    }


def _shown(accounts: Mapping[str, Balance], census: Census) -> Iterator[RenderableType]:
    counted = [
        (
            name,
            *(one.deliveries[end] for end in _ENDS),
            *(one.told[what] for what in (TOLD, *COMES_TO)),
            one.imbalance,
        )
        for name, one in accounts.items()
    ]
    yield grid("connection", *_ENDS, TOLD, *COMES_TO, "imbalance", rows=counted)
    wrong = [
        (name, kind, one)
        for name, account in accounts.items()
        for kind, ids in account.wrong.items()
        for one in ids
    ]
    if wrong:
        yield grid("connection", "what is wrong", "correlation id", rows=wrong)
    found = [
        (kind, one.connection, one.entity, one.why, clock(one.since))
        for kind, listed in (("late", census.late), ("unaccounted", census.unaccounted))
        for one in listed
    ]
    if found:
        yield grid("", "connection", "entity", "why", "since (UTC)", rows=found)
    verdict = "not all is accounted for" if found or wrong else "all accounted for"
    yield f"{census.looked_at} entities looked at: {verdict}."
