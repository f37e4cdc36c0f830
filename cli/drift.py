"""What others show of products, prices and stock that is not what their owner says."""

from __future__ import annotations

import typer

from cli import links
from cli.tool import Tool, command, grid
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime import rows
from fizzbridge.runtime.comparing import is_withdrawn
from fizzbridge.runtime.loading import Loader

app = typer.Typer()


@command(app, "drift")
def drift_command(tool: Tool) -> None:
    """List what shops show differently from its owner: prices, stock, what is sold."""
    load = Loader(tool.stack.table, tool.stack.objects)
    refs = links.waiting(tool.stack, rows.ASSESS, "differs")
    found = [row for ref in refs for row in _listed(load, ref)]
    columns = ("shown_at", "kind", "sku", "field", "shown", "owner_says", "owner")
    shown = [[row[name] for name in columns] for row in found]
    tool.answer(found, grid(*columns, rows=shown) if found else "Nothing differs.")


def _listed(load: Loader, ref: EntityRef) -> list[dict[str, str]]:
    view = load.view(ref)
    told, found = view.parts.get(Part.TOLD), view.body(Part.ASSESSMENT, RecordAssessment)
    comparison = found.comparison if found else None
    # A shop that gives a product up does not always say so of its prices and its stock.
    if comparison is None or not told or not told.body or is_withdrawn(load, told.body):
        return []
    return [
        {
            "shown_at": ref.connection,
            "entity": ref.key,
            "kind": str(ref.kind),
            "sku": comparison.sku,
            "field": one.field,
            "shown": one.told,
            "owner_says": one.owner_says,
            "owner": comparison.owner.key if comparison.owner else "",
        }
        for one in comparison.differences
    ]
