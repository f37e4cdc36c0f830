"""Whether a target has what our documents will need there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import typer

from cli.asked import ask
from cli.tool import ConnectionArgument, Tool, command, grid
from fizzbridge.manifest import Manifest

app = typer.Typer()


@command(app, "check")
def check_command(tool: Tool, connection: ConnectionArgument) -> None:
    """Try a target's credentials, and look for taxes, accounts, units and items; one line each."""
    with tool.waiting(f"asking {connection}"):
        findings = ask(tool.stack, connection, "check")["findings"]
    findings += _ends(tool.stack.manifest(connection), datetime.now(UTC).date())
    bad = [one for one in findings if not one["is_good"]]
    marks = {True: "[green]good[/green]", False: "[red]to do[/red]"}
    listed = [[marks[one["is_good"]], one["what"], one["message"]] for one in findings]
    verdict = f"{len(bad)} of {len(findings)} need doing." if bad else "All is there."
    tool.answer(
        {"connection": connection, "is_good": not bad, "findings": findings},
        grid("", "what", "", rows=listed),
        verdict,
    )
    if bad:
        raise typer.Exit(1)


def _ends(manifest: Manifest, today: date) -> Iterator[dict[str, Any]]:
    """What the vendor takes away. Only the last of it stops a connection that works."""
    last = max((end.on for end in manifest.ends), default=today)
    for end in manifest.ends:
        is_good = end.on < last or today < last
        yield {"what": f"from {end.on}", "is_good": is_good, "message": end.what}
