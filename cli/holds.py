"""Holds of orders: what waits, and a person's word that it may go on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import links, orders
from cli.operations import recorded
from cli.stack import CommandError, Stack
from cli.tool import Tool, command, grid
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.model.order import HoldReason
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import is_own
from fizzbridge.runtime.loading import Loader
from fizzbridge.state import Equals, Row, Write
from fizzbridge.state.moments import to_text

app = typer.Typer(no_args_is_help=True, help="Orders that wait: list them, let one go on.")

_NEEDS_A_ROW = frozenset({HoldReason.MAPPING})
"""What no word can replace: the target would not know what was ordered."""


@dataclass(frozen=True)
class Waiting:
    """One open hold.

    Attributes:
        order: the order's key.
        scope: ``order``, or the target it is for.
        reason: why it waits.
        message: the same for people.
        blocks: ``export`` or ``release``.
        waits_for: what clears it by itself.
        since: when it was opened.
    """

    order: str
    scope: str
    reason: str
    message: str
    blocks: str
    waits_for: str
    since: str


def listed(stack: Stack, refs: list[EntityRef]) -> list[Waiting]:
    """The open holds of orders."""
    load = Loader(stack.table, stack.objects)
    return [_waiting(ref, sk, row) for ref in refs for sk, row in load.open_holds(ref).items()]


def held(stack: Stack) -> list[EntityRef]:
    """Every order that has an open hold."""
    return links.waiting(stack, rows.ASSESS, "held")


def _waiting(ref: EntityRef, sk: str, row: Row) -> Waiting:
    _, scope, reason, *_ = sk.split("#")
    return Waiting(
        order=ref.key,
        scope=scope,
        reason=reason,
        message=rows.text(row, "message"),
        blocks=rows.text(row, "blocks"),
        waits_for=rows.text(row, "cause"),
        since=rows.text(row, "opened_at"),
    )


def release(stack: Stack, ref: EntityRef, why: str, reason: HoldReason | None) -> list[Waiting]:
    """Let an order go on for the content it has now; changed content is checked anew.

    A hold of one target is only asked again: the target itself must agree.

    Args:
        stack: the stack.
        ref: the order.
        why: a person's reason, kept with the hold and on the timeline.
        reason: only holds for this reason; None for all.

    Returns:
        The holds that were released.

    Raises:
        CommandError: there is none, or only a mapping can clear it.
    """
    load = Loader(stack.table, stack.objects)
    found = {
        sk: row
        for sk, row in load.open_holds(ref).items()
        if reason is None or sk.split("#")[2] == reason
    }
    if not found:
        raise CommandError(f"{ref.key} has no open hold{f' for {reason}' if reason else ''}.")
    needs = [sk for sk in found if is_own(sk) and HoldReason(sk.split("#")[2]) in _NEEDS_A_ROW]
    if needs:
        cause = rows.text(found[needs[0]], "cause")
        raise CommandError(
            f"{ref.key} waits for {cause}. Set it with `fizzbridge map set`; it goes on by itself."
        )
    request = load.view(ref).parts.get(Part.REQUEST)
    by, now = stack.caller(), to_text(datetime.now(UTC))
    writes = [
        Write(
            str(ref),
            sk,
            set={"released_at": now, "released_cause": rows.text(row, "cause"), "by": by}
            | {"why": why, "waived": request.fingerprint if request else ""},
            remove=["cause"],
            when=Equals("cause", rows.text(row, "cause")),
        )
        for sk, row in found.items()
    ]
    names = ", ".join(sk.removeprefix("HOLD#").rsplit("#", 1)[0] for sk in found)
    said = {"holds": names, "by": by, "why": why}
    moment = datetime.now(UTC)
    unique = rows.token(by, now)[:12]
    stack.table.transact(
        [
            *writes,
            rows.timeline(ref, moment, unique, "hold released", said.items()),
            rows.want(ref, rows.ASSESS, rows.token(*found, now), moment),
        ]
    )
    return [_waiting(ref, sk, row) for sk, row in found.items()]


def recheck(stack: Stack, refs: list[EntityRef]) -> None:
    """Have orders looked at again: a deployment may have brought what they wait for."""
    now = datetime.now(UTC)
    for ref in refs:
        wanted = rows.token("recheck", str(ref), to_text(now))
        stack.table.write(rows.want(ref, rows.ASSESS, wanted, now))


OrderArgument = Annotated[str, typer.Argument(help="Number (FZ1001) or key (shop-uk/5501).")]


@command(app, "list")
def list_command(
    tool: Tool,
    order: Annotated[str | None, typer.Argument(help="Only this order.")] = None,
) -> None:
    """Show what waits, why, and what would clear it."""
    refs = [orders.find(tool.stack, order)] if order else held(tool.stack)
    found = listed(tool.stack, refs)
    columns = ("order", "scope", "reason", "message", "blocks", "waits_for")
    shown = [[getattr(one, name) for name in columns] for one in found]
    tool.answer(
        [asdict(one) for one in found],
        grid(*columns, rows=shown) if found else "Nothing is held.",
    )


@command(app, "release")
def release_command(
    tool: Tool,
    order: OrderArgument,
    why: Annotated[str, typer.Option("--why", help="Your reason; it is kept with the order.")],
    reason: Annotated[HoldReason | None, typer.Option(help="Only holds for this reason.")] = None,
) -> None:
    """Let a held order go on; who said so and why is kept on its timeline."""
    if not why.strip():
        raise CommandError("Say why: --why 'paid by bank transfer today'.")
    ref = orders.find(tool.stack, order)
    with recorded(tool.stack, "hold release", order=ref.key, why=why.strip()) as operation:
        found = release(tool.stack, ref, why.strip(), reason)
        operation.counts["released"] = len(found)
    names = ", ".join(f"{one.reason} ({one.scope})" for one in found)
    tool.answer(
        {"order": ref.key, "released": [asdict(one) for one in found]},
        f"{ref.key}: released {names}. It goes on within a minute.",
    )


@command(app, "recheck")
def recheck_command(
    tool: Tool,
    order: Annotated[str | None, typer.Argument(help="Only this order.")] = None,
) -> None:
    """Look at held orders again, after a deployment with other products or rates."""
    refs = [orders.find(tool.stack, order)] if order else held(tool.stack)
    recheck(tool.stack, refs)
    count = len(refs)
    tool.answer(
        [ref.key for ref in refs],
        f"{count} {'order is' if count == 1 else 'orders are'} looked at again.",
    )
