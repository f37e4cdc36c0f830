"""The `fizzbridge` command: puts the subjects together."""

from __future__ import annotations

import typer

from cli import (
    backfill,
    balance,
    check,
    connect,
    dlq,
    drift,
    erase,
    explain,
    holds,
    maps,
    operations,
    pause,
    plan,
    privacy,
    recall,
    recreate,
    replay,
    restore,
    resync,
    routes,
    secrets,
    status,
    trace,
)
from cli.stack import open_stack
from cli.tool import JsonOption, StageOption, Tool

app = typer.Typer(
    name="fizzbridge",
    help="Keeps web shops, ERP and accounting in step: connect, watch, repair, replay.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(secrets.app, name="secrets")
app.add_typer(dlq.app, name="dlq")
app.add_typer(maps.app, name="map")
app.add_typer(holds.app, name="hold")
app.add_typer(routes.app, name="route")
app.add_typer(privacy.app, name="privacy")
for single in (
    connect.app,
    status.app,
    balance.app,
    trace.app,
    explain.app,
    recall.app,
    drift.app,
    operations.app,
    check.app,
    plan.app,
    recreate.app,
    resync.app,
    backfill.app,
    pause.app,
    replay.app,
    restore.app,
    erase.app,
):
    app.add_typer(single)


@app.callback()
def common(ctx: typer.Context, stage: StageOption = None, as_json: JsonOption = False) -> None:
    """Options that may stand before the command, too."""
    ctx.obj = Tool(open=ctx.obj or open_stack, stage=stage, as_json=as_json)


def run() -> None:
    """Entry point of the command."""
    app()
