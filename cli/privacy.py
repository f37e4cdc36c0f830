"""People who ask what is known of them: who waits for an answer, and the answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import links
from cli.erase import whose
from cli.stack import CommandError, Stack
from cli.tool import Tool, clock, command, grid
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime import rows
from fizzbridge.runtime.erase import orders_of
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.view import View
from fizzbridge.state import Write
from fizzbridge.state.moments import to_text

app = typer.Typer(no_args_is_help=True, help="What is known of a person, and who asks for it.")


def open_enquiries(stack: Stack) -> list[tuple[EntityRef, str]]:
    """Customers who ask and have no answer yet, with the time they asked at."""
    listed = stack.table.index("cause", rows.OPEN_ENQUIRIES, limit=links.MANY)
    found = ((pk, stack.table.get(pk, rows.ENQUIRY_SK) or {}) for pk, _ in listed)
    return [
        (EntityRef.parse(pk), rows.text(row, "asked_at")) for pk, row in found if "cause" in row
    ]


def known(stack: Stack, customer: EntityRef) -> dict[str, Any]:
    """Everything kept about a person, as it is kept."""
    load = Loader(stack.table, stack.objects)
    orders = [load.view(order) for order in orders_of(stack.table, customer)]
    return {
        "customer": _shown(load.view(customer), Part.RECORD),
        "orders": [
            {
                "order": _shown(order, Part.REQUEST),
                "documents": [_shown(child, Part.RECORD) for child in order.children],
            }
            for order in orders
        ],
    }


def _shown(view: View, part: Part) -> dict[str, Any]:
    stored = view.parts.get(part)
    body = json.loads(stored.body.model_dump_json()) if stored and stored.body else None
    return {"key": view.ref.key, "kind": str(view.ref.kind), "body": body}


@command(app, "list")
def list_command(tool: Tool) -> None:
    """List who asks what is known of them, the oldest first."""
    found = sorted(open_enquiries(tool.stack), key=lambda one: one[1])
    tool.answer(
        [{"customer": str(ref), "asked_at": at} for ref, at in found],
        grid("customer", "asked at", rows=[[str(ref), clock(at)] for ref, at in found])
        if found
        else "Nobody waits for an answer.",
    )


@command(app, "show")
def show_command(
    tool: Tool,
    customer: Annotated[str, typer.Argument(help="Customer#shop-uk/77, or an order of theirs.")],
) -> None:
    """Write everything kept about a person to standard output, as JSON."""
    found = [known(tool.stack, one) for one in whose(tool.stack, customer)]
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


@command(app, "answered")
def answered_command(
    tool: Tool,
    customer: Annotated[str, typer.Argument(help="Customer#shop-uk/77, or an order of theirs.")],
) -> None:
    """Note that a person has had their answer."""
    waiting = {ref for ref, _ in open_enquiries(tool.stack)}
    asked = [one for one in whose(tool.stack, customer) if one in waiting]
    if not asked:
        raise CommandError(f"{customer} does not wait for an answer.")
    now = to_text(datetime.now(UTC))
    done = {"answered_at": now, "answered_by": tool.stack.caller()}
    for one in asked:
        change = Write(str(one), rows.ENQUIRY_SK, set=done, remove=["cause"])
        tool.stack.table.write(change)
    names = ", ".join(map(str, asked))
    tool.answer({"customers": [str(one) for one in asked]}, f"{names} has had an answer.")
