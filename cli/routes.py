"""Let a new route take in what was placed before it existed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli import links, resync
from cli.stack import CommandError, Stack
from cli.tool import DryRunOption, Tool, command, connections
from fizzbridge.model.entity import EntityRef
from fizzbridge.runtime import rows

app = typer.Typer(no_args_is_help=True, help="Routes.")

LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Placed:
    """Orders placed since a day.

    Attributes:
        linked: those the target has a link for already.
        missing: those it has none for.
    """

    linked: Sequence[EntityRef]
    missing: Sequence[EntityRef]


def placed(stack: Stack, target: str, since: datetime, now: datetime) -> Placed:
    """The orders of all sources since a day, by whether the target knows of them."""
    stack.target(target)
    linked: list[EntityRef] = []
    missing: list[EntityRef] = []
    for source in stack.connections:
        for day in _days(since, now):
            for row in stack.table.query(rows.placed_pk(source, day)):
                ref = EntityRef.parse(rows.text(row, "sk"))
                found = stack.table.get(str(ref), rows.link_sk(target))
                (linked if found else missing).append(ref)
    return Placed(linked, missing)


def _days(since: datetime, now: datetime) -> Iterator[datetime]:
    while since.date() <= now.date():
        yield since
        since += timedelta(days=1)


def taken_up(
    stack: Stack, target: str, asked: Mapping[EntityRef, str], patience: timedelta
) -> tuple[int, int]:
    """Wait until the orders are assessed.

    Returns:
        How many of them now have a link to the target, and how many were not assessed in time.
    """
    deadline = time.monotonic() + patience.total_seconds()
    left = dict(asked)
    while True:
        for ref, wanted in list(left.items()):
            row = stack.table.get(str(ref), rows.link_sk(rows.ASSESS)) or {}
            # Somebody else's newer wish, once met, covers ours.
            if row.get("synced") in {wanted, row.get("wanted")}:
                del left[ref]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY_S)
    got = [ref for ref in asked if stack.table.get(str(ref), rows.link_sk(target))]
    return len(got), len(left)


@command(app, "apply")
def apply_command(
    tool: Tool,
    connection: Annotated[
        str, typer.Option(help="The target of the route.", autocompletion=connections)
    ],
    since: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Orders placed from this day on (UTC)."
        ),
    ],
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the orders to be assessed.", min=0)
    ] = 60,
    dry_run: DryRunOption = False,
) -> None:
    """Assess earlier orders again, so that those a new route takes in get their links."""
    now = datetime.now(UTC)
    since = since.replace(tzinfo=UTC)
    if since > now:
        raise CommandError(f"{since:%Y-%m-%d} is still to come.")
    with tool.waiting("looking for orders"):
        found = placed(tool.stack, connection, since, now)
    data = {
        "connection": connection,
        "linked_before": len(found.linked),
        "without_link": len(found.missing),
    }
    if dry_run:
        tool.answer(
            data,
            f"{connection}: {len(found.linked)} orders are linked, "
            f"{len(found.missing)} would be assessed again.",
        )
        return
    asked = {
        ref: resync.assess_again(tool.stack, ref, now)
        for ref in tool.track(found.missing, "asking for assessments")
    }
    with tool.waiting("looking for products, prices and stock"):
        sold = links.shown_again(tool.stack, connection, now)
    with tool.waiting("waiting for assessments"):
        got, late = taken_up(tool.stack, connection, asked, timedelta(seconds=wait))
    tool.answer(
        data | {"linked_now": got, "not_assessed_yet": late, "sold": sold},
        f"{connection}: {got} orders got a link, {len(found.linked)} had one, "
        f"{len(found.missing) - got} are not routed there or not assessed yet ({late}). "
        f"{sold} products, prices and levels are looked at.",
    )
