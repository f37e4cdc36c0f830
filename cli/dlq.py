"""The desk for what waits: see it by cause, plan it, send it back, give it up. All is recorded."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.progress import Progress
from rich.table import Table as Grid
from rich.text import Text

from cli import desk, letters, links, orders
from cli import plan as planning
from cli.asked import ask
from cli.desk import Case, CauseGroup, Status
from cli.letters import Letter, Sort
from cli.operations import Operation, recorded
from cli.stack import CommandError, Stack
from cli.tool import ConnectionOption, DryRunOption, Tool, YesOption, clock, command, grid
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime import rows
from fizzbridge.state import ConditionFailedError, Equals, Value, Write
from fizzbridge.state.moments import to_text

app = typer.Typer(help="What waits for a person: by cause, with what it is worth.")

SHORT_ID = 8
SENT_BACK = "sent back"
NOT_PARKED = "not parked any more"
DISCARDED = "discarded"

Told = Callable[[str], None]
"""Hears what became of one case or message, and takes its time over it."""


# -- acts ------------------------------------------------------------------------------------------


def redrive(stack: Stack, found: Sequence[Case], operation: Operation, told: Told) -> None:
    """Give work another chance, the longest waiting first.

    Whatever this dies at, running it again goes on from there: a link that goes on is not sent
    again, and a message is deleted only after its work is on its way.
    """
    for one in found:
        if one.status is Status.PARKED and one.ref:
            told(_unpark(stack, one.ref, one.connection, operation))
    pointed = {(str(one.ref), one.connection) for one in found if one.status is Status.PARKED}

    def act(letter: Letter) -> str:
        if letter.sort is not Sort.POINTER:
            _note(stack, letter, "redriven", operation)
            stack.sqs.send_message(
                QueueUrl=letters.way_back(stack, letter), MessageBody=letter.body
            )
            return SENT_BACK
        return "" if letter.about in pointed else NOT_PARKED

    _take_away(stack, found, act, told)


def _unpark(stack: Stack, ref: EntityRef, connection: str, operation: Operation) -> str:
    now = datetime.now(UTC)
    again = Write(
        str(ref),
        rows.link_sk(connection),
        set={
            "status": "behind",
            "attempts": 0,
            "behind_shard": rows.shard(ref, connection),
            "behind_since": to_text(now),
            "updated_at": to_text(now),
        },
        add={"redriven": 1},
        remove=("reason", "cause", "message", "blame", "discarded"),
        when=Equals("status", "parked"),
    )
    line = _line(ref, now, "redriven", operation, connection=connection)
    try:
        stack.table.transact([again, line])
    except ConditionFailedError:
        # Changed content or another redrive set it going already.
        return NOT_PARKED
    links.tell(stack, connection, ref)
    return SENT_BACK


def discard(
    stack: Stack, found: Sequence[Case], why: str, operation: Operation, told: Told
) -> None:
    """Give work up: nothing lists it any more, and only new content or a redrive sets it going."""
    for one in found:
        if one.status is Status.PARKED and one.ref:
            told(_shelve(stack, one.ref, one.connection, why, operation))

    def act(letter: Letter) -> str:
        if letter.sort is Sort.POINTER:
            return ""
        _note(stack, letter, "discarded", operation, why=why)
        return DISCARDED

    _take_away(stack, found, act, told)


def _shelve(stack: Stack, ref: EntityRef, connection: str, why: str, operation: Operation) -> str:
    given_up = Write(
        str(ref),
        rows.link_sk(connection),
        set={"discarded": why},
        remove=("cause",),
        when=Equals("status", "parked"),
    )
    now = datetime.now(UTC)
    line = _line(ref, now, "discarded", operation, connection=connection, why=why)
    try:
        stack.table.transact([given_up, line])
    except ConditionFailedError:
        return NOT_PARKED
    return DISCARDED


def _take_away(
    stack: Stack, found: Sequence[Case], act: Callable[[Letter], str], told: Told
) -> None:
    """Work off the messages of cases; one that only pointed at what is done already is not told."""
    ids = frozenset(letter.id for one in found for letter in one.letters)
    if ids:
        names = {letter.queue for one in found for letter in one.letters}
        only = names.pop() if len(names) == 1 else None
        connection = only if only in stack.connections else None
        letters.work_off(
            stack, connection, act, ids=ids, paced=lambda became: told(became) if became else None
        )


def _note(stack: Stack, letter: Letter, what: str, operation: Operation, **more: Value) -> None:
    if letter.ref:
        more |= {"reason": letter.reason, "queue": letter.queue, "message": letter.id}
        stack.table.write(_line(letter.ref, datetime.now(UTC), what, operation, **more))


def _line(ref: EntityRef, now: datetime, what: str, operation: Operation, **more: Value) -> Write:
    details: dict[str, Value] = {"by": operation.by, "operation": operation.id} | more
    unique = f"{what}-{operation.id}-{rows.text(more, 'message') or rows.text(more, 'connection')}"
    return rows.timeline(ref, now, unique, what, details.items())


# -- what is meant ---------------------------------------------------------------------------------


def choose(
    stack: Stack, found: Sequence[Case], names: Sequence[str], group: str | None
) -> list[Case]:
    """The cases that are meant: those named, those of a group, or all.

    A name is a message's id, an entity's, or an order's number; what was given up can be named.

    Raises:
        CommandError: one of them is none.
    """
    if names and group:
        raise CommandError("Name messages and orders, or a group; not both.")
    if group is not None:
        return desk.chosen(found, group)
    if not names:
        return list(found)
    named: list[Case] = []
    for name in names:
        by_id = [one for one in found if any(_is_called(letter, name) for letter in one.letters)]
        named += by_id or _of_entity(stack, found, name)
    return [one for place, one in enumerate(named) if one not in named[:place]]


def _is_called(letter: Letter, name: str) -> bool:
    return len(name) >= SHORT_ID and letter.id.startswith(name)


def _of_entity(stack: Stack, found: Sequence[Case], name: str) -> list[Case]:
    try:
        ref = orders.find(stack, name)
    except CommandError as error:
        raise CommandError(f"No message or order is called {name}. See: fizzbridge dlq") from error
    alike = [one for one in found if one.ref == ref]
    given_up = [
        desk.parked(ref, connection, row)
        for connection in stack.connections
        if (row := stack.table.get(str(ref), rows.link_sk(connection)) or {}).get("discarded")
        and row.get("status") == "parked"
    ]
    if not alike and not given_up:
        raise CommandError(f"Nothing of {ref.key} waits. See: fizzbridge trace {ref.key}")
    return alike + given_up


def _acted_on(found: Sequence[Case]) -> list[Case]:
    """What can be sent back or given up.

    Raises:
        CommandError: only what is held was meant.
    """
    acted = [one for one in found if one.status is not Status.HELD]
    if found and not acted:
        raise CommandError(
            f"It is held, not parked ({found[0].message}): it goes on by itself. "
            "What it waits for is shown by: fizzbridge dlq"
        )
    return acted


# -- commands --------------------------------------------------------------------------------------

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Only these messages or orders; default: all."),
]
GroupOption = Annotated[str | None, typer.Option("--group", help="Only what this one cause holds.")]
RateOption = Annotated[
    float, typer.Option("--per-second", min=0.1, max=1000, help="At most so many a second.")
]


@command(app, alone=True)
def overview_command(tool: Tool, connection: ConnectionOption = None) -> None:
    """Show what waits for a person, by cause; without a command, an overview."""
    with tool.waiting("looking into the table and the queues"):
        found = desk.groups(tool.stack, desk.cases(tool.stack, connection))
    tool.answer([one.shown() for one in found], *_overview(found))


_HEADINGS = {
    Status.PARKED: "Parked: a person must look",
    Status.FAILED: "Failed messages: no function could work them off",
    Status.HELD: "Held: goes on by itself once what it waits for is there",
    Status.SETTLED: "Left over: pointers to what goes on, or was given up",
}
_BLAME = {"customer_config": "customer configuration"}


def _overview(found: Sequence[CauseGroup]) -> Iterator[RenderableType]:
    if not found:
        yield "Nothing waits for a person."
        return
    for status, heading in _HEADINGS.items():
        section = [one for one in found if one.of.status is status]
        if not section:
            continue
        yield Text(f"{heading} ({_sum(section)})", style="bold")
        if status is Status.HELD:
            yield from _by_reason(section)
        yield ""
        table = Grid.grid(padding=(0, 1))
        table.add_column(no_wrap=True, style="cyan")
        table.add_column(overflow="fold")
        for one in section:
            table.add_row(one.of.group, Text("\n").join(_group(one)))
        yield table


def _group(one: CauseGroup) -> Iterator[Text]:
    yield Text(f"{one.reading}: {_worth(one)}" if one.worth else one.reading)
    since = f"oldest {clock(one.of.since)}"
    others = len(one.cases) - len(one.worth)
    parts = [f"{len(one.cases)} entities" if others and one.worth else "", since]
    if not one.worth:
        parts[0] = f"{len(one.cases)} in all" if len(one.cases) > 1 else ""
    if again := max(case.redriven for case in one.cases):
        parts.append(f"sent back {again} time{'' if again == 1 else 's'} already")
    if one.blame:
        words = " and ".join(_BLAME.get(word, word) for word in one.blame.split(" and "))
        parts.append(f"blame: {words}")
    yield Text(", ".join(filter(None, parts)), style="dim")
    yield Text(one.repair, style="green")
    yield Text("")


def _by_reason(section: Sequence[CauseGroup]) -> Iterator[RenderableType]:
    by_reason: dict[str, list[CauseGroup]] = {}
    for one in section:
        by_reason.setdefault(one.of.reason, []).append(one)
    for reason, members in sorted(by_reason.items()):
        yield Text(f"{reason.replace('_', ' ').lower()}: {_sum(members)}")


def _sum(section: Sequence[CauseGroup]) -> str:
    found = {order for one in section for order in one.worth}
    cases = sum(len(one.cases) for one in section)
    many = _count(len(found), "order") if found else _count(cases, "message")
    return ", ".join([many, *_money(desk.total(section))])


def _worth(one: CauseGroup) -> str:
    return ", ".join([_count(len(one.worth), "order"), *_money(one.gross)])


def _money(gross: Mapping[str, Decimal]) -> list[str]:
    return [f"{to_minor_unit(amount, code):,} {code}" for code, amount in gross.items()]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@command(app, "list")
def list_command(
    tool: Tool, connection: ConnectionOption = None, group: GroupOption = None
) -> None:
    """Show every entity and message that waits, by cause."""
    with tool.waiting("looking into the table and the queues"):
        found = desk.cases(tool.stack, connection)
        chosen = desk.chosen(found, group) if group is not None else found
    if not chosen:
        tool.answer([], "Nothing waits for a person.")
        return
    by_group: dict[str, list[Case]] = {}
    for one in chosen:
        by_group.setdefault(one.group, []).append(one)
    columns = ("entity", "what", "message", "since (UTC)", "id")
    grids = [
        grid(
            *columns,
            title=f"{name} {members[0].connection} {members[0].reason}: {len(members)}",
            rows=[_row(one) for one in members],
        )
        for name, members in by_group.items()
    ]
    tool.answer([one.shown() for one in chosen], *grids)


def _row(one: Case) -> list[str]:
    """A case as people read it; the beginning of a message's id is enough to name it."""
    ids = " ".join(letter.id[:SHORT_ID] for letter in one.letters)
    what = one.letters[0].shown()["what"] if one.letters else ""
    return [str(one.ref or ""), what, one.message, clock(one.since), ids]


@command(app, "show")
def show_command(
    tool: Tool,
    message: Annotated[str, typer.Argument(metavar="ID", help="Id of a message.")],
    connection: ConnectionOption = None,
) -> None:
    """Show one message of a dead-letter queue."""
    with tool.waiting("looking into the queues"):
        listed = letters.peek(tool.stack, connection)
    found = next((letter for letter in listed if _is_called(letter, message)), None)
    if found is None:
        raise CommandError(f"No message has the id {message}. See: fizzbridge dlq list")
    data = found.shown()
    if found.sort is not Sort.PULL:  # a delivery's content is the vendor's, with people in it
        data["content"] = found.content
    shown = {**data, "content": json.dumps(data.get("content", {}), indent=2)}
    tool.answer(data, grid("", "", rows=shown.items()))


@command(app, "redrive")
def redrive_command(
    tool: Tool,
    ids: NamesArgument = None,
    group: GroupOption = None,
    connection: ConnectionOption = None,
    per_second: RateOption = 10,
    dry_run: DryRunOption = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would be written at the targets now.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Send what waits back to work: one, a group, or all. Harmless, however often."""
    found = _found(tool, ids, group, connection)
    if plan:
        _plan(tool, found)
        return
    acted = _acted_on(found)
    if not _is_agreed(tool, "Send back", acted, yes=yes, dry_run=dry_run):
        return
    about = _about(group, connection, acted)
    with (
        recorded(tool.stack, "dlq redrive", **about) as operation,
        _pace(tool, "sending back", len(acted), per_second, operation.counts) as told,
    ):
        redrive(tool.stack, acted, operation, told)
    _tell(tool, operation)


@command(app, "discard")
def discard_command(
    tool: Tool,
    why: Annotated[str, typer.Option("--why", help="Your reason; it is kept with each entity.")],
    ids: NamesArgument = None,
    group: GroupOption = None,
    connection: ConnectionOption = None,
    per_second: RateOption = 10,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Give up what waits: one, a group, or all. New content sets an entity going again."""
    if not why.strip():
        raise CommandError("Say why: --why 'entered by hand'.")
    acted = _acted_on(_found(tool, ids, group, connection))
    if not _is_agreed(tool, "Give up", acted, yes=yes, dry_run=dry_run):
        return
    about = _about(group, connection, acted) | {"why": why.strip()}
    with (
        recorded(tool.stack, "dlq discard", **about) as operation,
        _pace(tool, "giving up", len(acted), per_second, operation.counts) as told,
    ):
        discard(tool.stack, acted, why.strip(), operation, told)
    _tell(tool, operation)


def _found(
    tool: Tool, ids: list[str] | None, group: str | None, connection: str | None
) -> list[Case]:
    with tool.waiting("looking into the table and the queues"):
        return choose(tool.stack, desk.cases(tool.stack, connection), ids or (), group)


def _is_agreed(tool: Tool, verb: str, acted: Sequence[Case], *, yes: bool, dry_run: bool) -> bool:
    """Ask, where there is anything to do; what comes meanwhile was not asked about."""
    if dry_run:
        told = f"{len(acted)} would be worked off; nothing was changed."
        tool.answer({"dry_run": True, "cases": [one.shown() for one in acted]}, told)
    elif not acted:
        nothing = {"dry_run": False, "operation": "", "counts": {}}
        tool.answer(nothing, "Nothing waits for a person.")
    else:
        tool.confirm(f"{verb} {len(acted)}?", yes=yes)
    return bool(acted) and not dry_run


def _about(group: str | None, connection: str | None, acted: Sequence[Case]) -> dict[str, Value]:
    said: dict[str, Value] = {"asked": len(acted)}
    named = {"group": group, "connection": connection}
    return said | {name: value for name, value in named.items() if value}


@contextmanager
def _pace(
    tool: Tool, verb: str, count: int, per_second: float, counts: Counter[str]
) -> Iterator[Told]:
    """Count what is done, show how far it is, and wait after each act; Ctrl-C says what was done.

    Raises:
        typer.Exit: it was interrupted.
    """
    hidden = not tool.aside.is_terminal
    with Progress(console=tool.aside, transient=True, disable=hidden) as progress:
        task = progress.add_task(verb, total=count)

        def told(became: str) -> None:
            counts[became] += 1
            progress.advance(task)
            if became != NOT_PARKED:
                time.sleep(1 / per_second)

        try:
            yield told
        except KeyboardInterrupt:
            said = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
            tool.aside.print(f"Interrupted: {said or 'nothing was done'}. Run it again to go on.")
            raise


def _tell(tool: Tool, operation: Operation) -> None:
    counts = dict(sorted(operation.counts.items()))
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    tool.answer(
        {"dry_run": False, "operation": operation.id, "counts": counts},
        f"{said or 'Nothing was done'}. Recorded as {operation.id}: fizzbridge operations",
    )


def _plan(tool: Tool, found: Sequence[Case]) -> None:
    """Plan each entity at its target; nothing is sent back."""
    targets = {name for name, own in tool.stack.connections.items() if "DocumentsQueueUrl" in own}
    planned = dict.fromkeys(
        (one.ref, one.connection) for one in found if one.ref and one.connection in targets
    )
    plans = []
    for entity, name in tool.track(list(planned), "asking the targets"):
        plans.append((entity, name, ask(tool.stack, name, "plan", entity=str(entity))))
    tool.answer(
        [{"entity": str(ref), "connection": name} | answer for ref, name, answer in plans],
        *(part for ref, name, answer in plans for part in planning.shown(ref, name, answer)),
        f"{len(plans)} planned; nothing was sent back.",
    )
