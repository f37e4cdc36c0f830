"""What every command shares: which stack, how to answer, and how to fail in one sentence."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, TypeVar

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)
from rich.console import Console, RenderableType
from rich.progress import Progress, track
from rich.table import Table as Grid

from cli.stack import CommandError, Opener, Stack, open_stack
from fizzbridge.state import TableUnavailableError
from fizzbridge.state.objects import ObjectsUnavailableError

T = TypeVar("T")
_DOWN = (TableUnavailableError, ObjectsUnavailableError)

StageOption = Annotated[
    str | None,
    typer.Option(
        "--stage",
        envvar="FIZZBRIDGE_STAGE",
        help="Which stack; default: the local one, if it is up.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Answer as JSON; nothing else goes to standard output.")
]


@dataclass
class Tool:
    """One run of the command."""

    open: Opener
    stage: str | None = None
    as_json: bool = False
    console: Console = field(default_factory=lambda: Console(soft_wrap=False))
    aside: Console = field(default_factory=lambda: Console(stderr=True))

    @cached_property
    def stack(self) -> Stack:
        """The stack the command works on; found on first use."""
        return self.open(self.stage)

    def answer(self, data: Any, *shown: RenderableType) -> None:
        """Answer with the data as JSON, or with what people read."""
        if self.as_json:
            typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        for renderable in () if self.as_json else shown:
            self.console.print(renderable)

    def track(self, items: Sequence[T], what: str) -> Iterable[T]:
        """Go through items with a progress bar beside the answer."""
        hidden = not self.aside.is_terminal
        return track(items, what, console=self.aside, transient=True, disable=hidden)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something slow goes on."""
        hidden = not self.aside.is_terminal
        with Progress(console=self.aside, transient=True, disable=hidden) as progress:
            progress.add_task(what, total=None)
            yield

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something that cannot be taken back, unless ``--yes`` said it already."""
        if not yes:
            typer.confirm(question, abort=True, err=True)


def grid(*columns: str, rows: Iterable[Sequence[object]], title: str | None = None) -> Grid:
    """A table for people: whole numbers to the right, and no column that has nothing in it."""
    made = Grid(title=title, title_justify="left", header_style="bold")
    listed = [list(row) for row in rows]
    shown = [
        place
        for place in range(len(columns))
        if not listed or any(row[place] not in ("", None) for row in listed)
    ]
    for place in shown:
        numeric = bool(listed) and all(isinstance(row[place], int) for row in listed)
        made.add_column(columns[place], justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        made.add_row(*("" if row[place] is None else str(row[place]) for place in shown))
    return made


def clock(moment: str) -> str:
    """A stored moment to the second, as people read it; UTC as all of them."""
    return moment[:19].replace("T", " ")


def command(
    app: typer.Typer, name: str | None = None, *, alone: bool = False
) -> Callable[[Callable[..., None]], None]:
    """Register a function of (tool, own parameters) as a command with the common options.

    Args:
        app: where.
        name: the command's name.
        alone: run it when the app is called without any of its commands.
    """

    def register(function: Callable[..., None]) -> None:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        @functools.wraps(function)
        def run(
            ctx: typer.Context,
            stage: str | None = None,
            as_json: bool = False,
            **options: Any,
        ) -> None:
            tool: Tool = ctx.obj
            tool.stage, tool.as_json = stage or tool.stage, as_json or tool.as_json
            if alone and ctx.invoked_subcommand:
                return
            with _one_sentence(tool):
                function(tool, **options)

        keyword = inspect.Parameter.KEYWORD_ONLY
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer reads
            [
                inspect.Parameter("ctx", keyword, annotation=typer.Context),
                *(one.replace(kind=keyword) for one in own),
                inspect.Parameter("stage", keyword, annotation=StageOption, default=None),
                inspect.Parameter("as_json", keyword, annotation=JsonOption, default=False),
            ]
        )
        (app.callback(invoke_without_command=True) if alone else app.command(name))(run)

    return register


@contextmanager
def _one_sentence(tool: Tool) -> Iterator[None]:
    try:
        yield
    except (CommandError, ClientError, BotoCoreError, *_DOWN) as error:
        tool.aside.print(f"[red]Error:[/red] {sentence(error)}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None


def sentence(error: Exception) -> str:
    """What went wrong and what to do, in one line."""
    match error:
        case CommandError():
            return str(error)
        case NoCredentialsError():
            return "No AWS credentials found. Log in, or set AWS_PROFILE."
        case NoRegionError():
            return "No AWS region is set. Set AWS_REGION."
        case (
            TableUnavailableError(__cause__=ClientError() as refused)
            | ObjectsUnavailableError(__cause__=ClientError() as refused)
        ) if _is_refused(refused):
            return sentence(refused)
        case EndpointConnectionError():
            return f"{error} Is the stack up? For the local one: make up."
        case TableUnavailableError():
            return "The state table does not answer. Try again in a moment."
        case ObjectsUnavailableError():
            return "The bucket does not answer. Try again in a moment."
        case ClientError(response={"Error": {"Code": str(code), "Message": str(message)}}):
            if _is_refused(error):
                return f"You may not do this ('Who may do what' in docs/operate.md): {message}"
            return f"AWS answered {code}: {message}"
    return str(error)


def _is_refused(error: ClientError) -> bool:
    """Whether AWS says that whoever asks lacks a right."""
    return error.response["Error"]["Code"].startswith("AccessDenied")


def connections(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a connection."""
    root = ctx.find_root()
    opener = root.obj if callable(root.obj) else open_stack
    try:
        names = opener(root.params.get("stage")).connections
    except (CommandError, ClientError, BotoCoreError):
        return []
    return [name for name in names if name.startswith(incomplete)]


ConnectionArgument = Annotated[
    str, typer.Argument(help="Name of a connection.", autocompletion=connections)
]
ConnectionOption = Annotated[
    str | None, typer.Option("--connection", help="Only this one.", autocompletion=connections)
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
