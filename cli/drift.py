"""What others show of products, prices and stock that is not what their owner says."""

from __future__ import annotations

import typer

from cli import links
from cli.tool import Tool, command, grid
from fizzbridge.model.assessment import Comparison, RecordAssessment
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader

app = typer.Typer()


@command(app, "drift")
def drift_command(tool: Tool) -> None:
    """List what shops show differently from its owner: prices, stock, what is sold."""
    load = Loader(tool.stack.table, tool.stack.objects)
    refs = links.waiting(tool.stack, rows.ASSESS, "differs")
    assessed = [(ref, load.view(ref).body(Part.ASSESSMENT, RecordAssessment)) for ref in refs]
    found = [row for ref, one in assessed if one for row in _listed(ref, one.comparison)]
    columns = ("shown_at", "kind", "sku", "field", "shown", "owner_says", "owner")
    shown = [[row[name] for name in columns] for row in found]
    tool.answer(found, grid(*columns, rows=shown) if found else "Nothing differs.")


def _listed(ref: EntityRef, comparison: Comparison | None) -> list[dict[str, str]]:
    if comparison is None:
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
