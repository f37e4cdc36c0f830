"""Put the state table back to what it was at a moment, row by row, from a table AWS restored.

The live table stays: its name, stream, indexes, rights. Rows that differ are put back, rows of
later are taken away, and what a restore must not take back stays as it is: tokens that are spent,
what people said and did, who was erased. What sources told since is read from them again; what
targets got since is compared there before anything is written.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated

import typer
from rich.progress import Progress

from cli import backfill
from cli.operations import recorded
from cli.stack import CommandError, Stack
from cli.tool import Tool, YesOption, command, grid
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.order import OrderAssessment
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import is_own
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES
from fizzbridge.state import Row, Table, Value, Write
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import Objects

app = typer.Typer()

WRITERS = 16
AT_ONCE = 1000
BEFORE = timedelta(minutes=15)
"""Sources are read again from so long before the moment: a vendor may list a change late."""

_BESIDE = frozenset({*LEASE_ATTRIBUTES, "fence", rows.RESTORED})
"""Attributes that make no difference."""
_CURSORS = ("CURSOR#", "MISSING#")
_OURS = ("OPERATION#", "MAP#")
"""Partitions of what people did and said: a restore of the whole table leaves them alone."""

Key = tuple[str, str]


@dataclass
class Differences:
    """How the live table differs from what it was.

    Attributes:
        back: digests of the keys of rows to be put back.
        away: keys of rows that were not there.
        kept: how many rows that differ stay as they are.
        counts: rows put back and taken away, by what they are about.
    """

    back: set[bytes] = field(default_factory=set)
    away: list[Key] = field(default_factory=list)
    kept: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)


def compare(live: Table, then: Table, only: str = "") -> Differences:
    """Compare two tables row by row; about a hundred bytes of memory for each row.

    Args:
        live: the table in use.
        then: what it was.
        only: only partitions that begin so.
    """
    known = {
        _key(row): _digest(row) for row in then.rows() if rows.text(row, "pk").startswith(only)
    }
    found = Differences()
    changed: set[bytes] = set()
    for row in live.rows():
        pk, sk = rows.text(row, "pk"), rows.text(row, "sk")
        if not pk.startswith(only):
            continue
        before = known.pop(_key(row), None)
        if before == _digest(row):
            continue
        if _stays(pk, sk, row, only):
            found.kept += 1
        elif before is None:
            found.away.append((pk, sk))
            found.counts[_about(pk, sk), "taken away"] += 1
        else:
            changed.add(_key(row))
    found.back = changed | set(known)
    for row in then.rows() if found.back else ():
        pk, sk = rows.text(row, "pk"), rows.text(row, "sk")
        if _key(row) in found.back:
            if _key(row) not in changed and _stays(pk, sk, {}, only):
                found.back.discard(_key(row))
            else:
                found.counts[_about(pk, sk), "put back"] += 1
    return found


def put_back(
    live: Table, objects: Objects, then: Table, found: Differences, operation: str, now: datetime
) -> Iterator[str]:
    """Write what differs; the partitions come as they are written.

    Every write may be repeated, so one that was interrupted is simply run again.
    """

    def write(row: Row) -> str:
        live.write(_returned(row, operation, now, live, objects))
        return rows.text(row, "pk")

    def take_away(key: Key) -> str:
        live.write(Write(*key, delete=True))
        return key[0]

    returned = (row for row in then.rows() if _key(row) in found.back)
    with ThreadPoolExecutor(WRITERS) as pool:
        while some := list(islice(returned, AT_ONCE)):
            yield from pool.map(write, some)
        yield from pool.map(take_away, found.away)


def look_again(live: Table, touched: set[str], operation: str, now: datetime) -> int:
    """Have every entity that was touched, and is there, assessed again; returns how many."""
    told = 0
    for pk in sorted(touched):
        if pk.partition("#")[0] in set(Kind) and live.query(pk, "PART#", limit=1):
            ref = EntityRef.parse(pk)
            live.write(rows.want(ref, rows.ASSESS, rows.token(operation, pk), now))
            told += 1
    return told


def _returned(row: Row, operation: str, now: datetime, live: Table, objects: Objects) -> Write:
    pk, sk = rows.text(row, "pk"), rows.text(row, "sk")
    kept: Row = {name: value for name, value in row.items() if name not in {*_BESIDE, "pk", "sk"}}
    if not pk.startswith(_OURS):
        # No news: what it meant was announced when it was written first.
        kept[rows.RESTORED] = operation
    if sk.startswith("LINK#") and sk != rows.link_sk(rows.ASSESS):
        kept = _suspect(EntityRef.parse(pk), sk.removeprefix("LINK#"), kept, operation, now)
    if sk == rows.part_sk(Part.ASSESSMENT):
        kept |= _times_held(row, live.get(pk, sk) or {}, objects)
    is_targets = sk.startswith("HOLD#") and not is_own(sk) and "cause" in kept
    if is_targets and "cause" not in (live.get(pk, sk) or {}):
        # It was let go since; only the target can say whether it may.
        released: dict[str, Value] = {"released_at": to_text(now), "released_cause": kept["cause"]}
        kept = {name: value for name, value in kept.items() if name != "cause"}
        kept |= released | {"by": "restore"}
    return Write(pk, sk, set=kept, replace=True)


def _times_held(then: Row, live: Row, objects: Objects) -> dict[str, Value]:
    """How often the order was held, so that what was announced of it since keeps its ids."""
    count = rows.number(live, rows.HELD)
    if not count:
        return {}
    causes = [
        {hold.cause for hold in body.holds}
        for row in (live, then)
        if isinstance(body := _assessed(row, objects), OrderAssessment)
    ]
    # It will be held once more by what holds it now and did not then.
    return {rows.HELD: count - bool(len(causes) > 1 and causes[0] - causes[1])}


def _assessed(row: Row, objects: Objects) -> Frozen | None:
    return rows.stored_part(row, EntityRef.parse(rows.text(row, "pk")), objects).body


def _suspect(ref: EntityRef, connection: str, link: Row, operation: str, now: datetime) -> Row:
    """A link that moved since: the target holds something newer, to be compared there."""
    gone = ("synced", "cause", "reason", "message", "blame")
    kept = {name: value for name, value in link.items() if name not in gone}
    if kept.get("stamp") != rows.GONE:
        kept.pop("stamp", None)
    said: Row = {
        "status": "suspect",
        "wanted": rows.token(operation, str(ref), connection),
        "attempts": 0,
        "behind_shard": rows.shard(ref, connection),
        "behind_since": to_text(now),
        "updated_at": to_text(now),
    }
    return kept | said


def _stays(pk: str, sk: str, live: Row, only: str) -> bool:
    """What a restore does not take back."""
    if pk.startswith("CONNECTION#"):
        # A spent token would end the vendor's consent; a pause is a person's word.
        return not sk.startswith(_CURSORS)
    if pk.startswith(_OURS):
        return not only or pk.startswith("OPERATION#")
    # A line of what happened is true all the same, and who was erased stays so.
    return sk.startswith("TIMELINE#") or bool(live.get(rows.ERASED))


def _about(pk: str, sk: str) -> str:
    first = pk.partition("#")[0]
    return f"{first} {sk.partition('#')[0].lower()}" if first in set(Kind) else first


def _key(row: Row) -> bytes:
    named = f"{rows.text(row, 'pk')}\n{rows.text(row, 'sk')}"
    return hashlib.sha256(named.encode()).digest()[:16]


def _digest(row: Row) -> bytes:
    said = sorted((name, value) for name, value in row.items() if name not in _BESIDE)
    return hashlib.sha256(repr(said).encode()).digest()[:16]


@command(app, "restore")
def restore_command(
    tool: Tool,
    table: Annotated[str, typer.Argument(help="The table AWS restored: its name.")],
    at: Annotated[datetime, typer.Option("--at", help="The moment it was restored to (UTC).")],
    only: Annotated[
        str, typer.Option("--only", help="Only partitions that begin so: Order#shop-uk/5501, MAP#.")
    ] = "",
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show how many rows would be put back.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Put the state back to what it was; sources are read again, targets compared. See the runbook.

    The functions pull, target, assess and sweep must be stopped meanwhile.
    """
    stack, at = tool.stack, at.replace(tzinfo=UTC)
    if at >= datetime.now(UTC):
        raise CommandError("--at is the moment the table was restored to; it lies in the past.")
    if stack.core.get("TableName") == table:
        raise CommandError(f"{table} is the table in use; name the one that AWS restored.")
    then = stack.table_named(table)
    with tool.waiting("comparing the tables"):
        found = compare(stack.table, then, only)
    counts = sorted(found.counts.items())
    shown = grid("rows of", "are", "count", rows=[[*what, count] for what, count in counts])
    data = {
        "put_back": len(found.back),
        "taken_away": len(found.away),
        "kept": found.kept,
        "rows": [{"of": of, "are": are, "count": count} for (of, are), count in counts],
    }
    if plan or not counts:
        told = "Nothing was changed." if counts else "The tables do not differ."
        tool.answer(data | {"plan": True}, *([shown] if counts else []), told)
        return
    if not tool.as_json:
        tool.console.print(shown)
    tool.confirm("Are the functions stopped, and is this what you want?", yes=yes)
    with recorded(stack, "restore", table=table, to=to_text(at), only=only or "all") as operation:
        touched = _written(tool, then, found, operation.id)
        looked = look_again(stack.table, touched, operation.id, datetime.now(UTC))
        streams = [] if only else _read_again(stack, at - BEFORE)
        counted = {
            "rows put back": len(found.back),
            "rows taken away": len(found.away),
            "entities looked at again": looked,
            "streams read again": len(streams),
        }
        operation.counts.update(counted)
    tool.answer(
        data | {"plan": False, "operation": operation.id, "looked_at": looked, "streams": streams},
        ", ".join(f"{what}: {count}" for what, count in counted.items())
        + ". Start the functions now.",
    )


def _written(tool: Tool, then: Table, found: Differences, operation: str) -> set[str]:
    touched: set[str] = set()
    hidden = not tool.aside.is_terminal
    with Progress(console=tool.aside, transient=True, disable=hidden) as progress:
        task = progress.add_task("putting back", total=len(found.back) + len(found.away))
        for pk in put_back(
            tool.stack.table, tool.stack.objects, then, found, operation, datetime.now(UTC)
        ):
            touched.add(pk)
            progress.advance(task)
    return touched


def _read_again(stack: Stack, since: datetime) -> list[str]:
    """Ask for every stream of every source from then on; the pull functions do it once started."""
    asked = []
    for name, outputs in stack.connections.items():
        for stream in stack.manifest(name).streams if "PullQueueUrl" in outputs else ():
            backfill.ask(stack, name, stream.name, since, None)
            asked.append(f"{name} {stream.name}")
    return asked
