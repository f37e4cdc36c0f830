"""What would be written at a target, read now and not written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from cli import orders
from cli.asked import ask
from cli.tool import Tool, command, connections, grid
from fizzbridge.model.entity import EntityRef

app = typer.Typer()

ToOption = Annotated[
    str, typer.Option("--to", help="The target connection.", autocompletion=connections)
]
_SAYS = {
    "nothing": "Nothing would be written",
    "create": "It would be created",
    "change": "It would be changed",
    "cancel": "It would be cancelled",
    "held": "It is held",
    "refused": "It would be refused",
}


def shown(entity: EntityRef, connection: str, plan: Mapping[str, Any]) -> list[RenderableType]:
    """A plan as people read it."""
    why = f": {plan['why']}" if plan["why"] else ""
    parts: list[RenderableType] = [f"{entity.key} at {connection}: {_SAYS[plan['does']]}{why}."]
    for step in plan["steps"]:
        fields = [[one["name"], one["was"], one["becomes"]] for one in step["fields"]]
        parts.append(grid("field", "is", "becomes", rows=fields, title=step["call"]))
    if plan["steps"] and not plan["is_whole"]:
        parts.append("What follows depends on the answer to that.")
    return parts


@command(app, "plan")
def plan_command(
    tool: Tool,
    order: Annotated[
        str, typer.Argument(help="Number or key of an order, or an entity: Payment#shop/77.")
    ],
    to: ToOption,
) -> None:
    """Show field by field what would be written for an order; nothing is written.

    Texts that may be a person's are shown as a mark only.
    """
    entity = orders.find(tool.stack, order)
    with tool.waiting(f"asking {to}"):
        plan = ask(tool.stack, to, "plan", entity=str(entity))
    tool.answer({"entity": str(entity), "connection": to} | plan, *shown(entity, to, plan))
