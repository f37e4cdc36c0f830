"""What people did to the bridge: who, when, what and why, kept apart from what it did itself."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from cli.stack import Stack
from cli.tool import Tool, clock, command
from fizzbridge.runtime import rows
from fizzbridge.state import Row, Value, Write
from fizzbridge.state.moments import to_text

app = typer.Typer()


@dataclass(frozen=True)
class Operation:
    """Something a person does.

    Attributes:
        id: names it on the timelines of what it touched.
        by: who, as AWS knows them.
        at: when it began.
        counts: what became of how much; told when it ends.
    """

    id: str
    by: str
    at: datetime
    counts: Counter[str] = field(default_factory=Counter)


@contextmanager
def recorded(stack: Stack, what: str, **details: Value) -> Iterator[Operation]:
    """Keep a row of an operation: written before it begins, and again when it ends.

    A row without an end is of one that was killed; one that failed or was interrupted says so.

    Args:
        stack: the stack.
        what: ``dlq redrive``, as the command is called.
        details: what else to keep: a reason, a connection, how much was asked for.
    """
    now = datetime.now(UTC)
    operation = Operation(uuid.uuid4().hex[:8], stack.caller(), now)
    pk, sk = rows.operation_pk(now), f"{to_text(now)}#{operation.id}"
    expires = int((now + rows.OPERATION_LIFE).timestamp())
    said: dict[str, Value] = {"what": what, "by": operation.by, "at": to_text(now)}
    stack.table.write(Write(pk, sk, set=said | details | {"expires_at": expires}))
    ended = "done"
    try:
        yield operation
    except KeyboardInterrupt:
        ended = "interrupted"
        raise
    except BaseException as error:
        ended = f"failed: {type(error).__name__}"
        raise
    finally:
        outcome = [f"{count} {name}" for name, count in sorted(operation.counts.items())]
        end: dict[str, Value] = {"ended": ended, "ended_at": to_text(datetime.now(UTC))}
        stack.table.write(Write(pk, sk, set=end | {"outcome": outcome}))


def listed(stack: Stack, days: int, now: datetime) -> list[Row]:
    """What was done in the last days, the latest first."""
    pks = [rows.operation_pk(now - timedelta(days=ago)) for ago in range(days)]
    return [row for pk in pks for row in reversed(stack.table.query(pk))]


def _shown(row: Row) -> dict[str, Value]:
    return {"id": rows.text(row, "sk").partition("#")[2]} | {
        name: value for name, value in row.items() if name not in {"pk", "sk", "expires_at"}
    }


_APART = frozenset({"id", "what", "by", "at", "ended", "ended_at", "outcome"})


def _about(row: dict[str, Value]) -> str:
    said = (f"{name}: {value!s}" for name, value in sorted(row.items()) if name not in _APART)
    outcome = ", ".join(rows.words(row, "outcome"))
    ended = rows.text(row, "ended")
    end = outcome if ended == "done" else f"{ended or 'not ended'} {outcome}".strip()
    return "; ".join(filter(None, (*said, end)))


@command(app, "operations")
def operations_command(
    tool: Tool,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="Of so many days.")] = 7,
) -> None:
    """Show what people did to the bridge: who, when, what and why."""
    found = [_shown(row) for row in listed(tool.stack, days, datetime.now(UTC))]
    table = Grid.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in found:
        who = rows.text(row, "by").rpartition(":")[2]
        first = f"{row.get('what', '')!s} by {who}, {row['id']!s}"
        table.add_row(clock(rows.text(row, "at")), Text(f"{first}\n{_about(row)}"))
    tool.answer(found, table if found else f"Nobody did anything in {days} days.")
