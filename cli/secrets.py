"""Set a connection's secrets: signing secrets with two active values, and the platform's keys."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from cli.stack import CommandError, Stack
from cli.tool import ConnectionArgument, Tool, command
from fizzbridge.mistakes import suggestion
from fizzbridge.runtime import rows
from fizzbridge.runtime.watch import EXPIRES
from fizzbridge.state import Write
from fizzbridge.state.moments import to_text

app = typer.Typer(no_args_is_help=True, help="Set a connection's secrets; none is ever shown.")

ACTIVE_VALUES = 2
"""A platform signs with the new or the old secret while one replaces the other."""


def set_values(
    stack: Stack, connection: str, values: Mapping[str, str], *, replace: bool = False
) -> dict[str, list[str]]:
    """Store values in the secrets their names belong to.

    Args:
        stack: the stack.
        connection: the connection's name.
        values: secret values by the manifest's names.
        replace: drop the signing secrets in use, in place of keeping the last one active.

    Returns:
        The names set, by the secret's name.

    Raises:
        CommandError: the platform knows no such name, or a value is empty.
    """
    outputs, keys = stack.connection(connection), stack.manifest(connection).secrets
    known = (*keys.signing, *keys.api)
    for name, value in values.items():
        if name not in known:
            raise CommandError(
                f"'{connection}' has no secret '{name}'{suggestion(name, known)}. "
                f"It takes: {', '.join(known)}."
            )
        if not value:
            raise CommandError(f"'{name}' is empty; nothing was set.")
    done: dict[str, list[str]] = {}
    for output, names in (("SigningSecretName", keys.signing), ("ApiSecretName", keys.api)):
        given = {name: value for name, value in values.items() if name in names}
        if given:
            secret = outputs[output]
            stored = _stored(stack, secret)
            signing = output == "SigningSecretName"
            new: Mapping[str, Any] = _rotated(stored, given, replace=replace) if signing else given
            stack.secrets.put_secret_value(
                SecretId=secret, SecretString=json.dumps({**stored, **new})
            )
            done[secret] = sorted(given)
    return done


def note_expiry(stack: Stack, connection: str, names: Iterable[str], day: date | None) -> None:
    """Write down when keys end, for the watch to warn of; a new key without a day ends no more.

    Args:
        stack: the stack.
        connection: the connection's name.
        names: of the keys that were set.
        day: the day they end; None where nobody knows of one.
    """
    pk = rows.connection_pk(connection)
    for name in names:
        if day is None:
            stack.table.write(Write(pk, f"{EXPIRES}{name}", delete=True))
        else:
            until = to_text(datetime(day.year, day.month, day.day, tzinfo=UTC))
            stack.table.write(Write(pk, f"{EXPIRES}{name}", set={"until": until}, replace=True))


def _stored(stack: Stack, secret: str) -> dict[str, Any]:
    try:
        answer = stack.secrets.get_secret_value(SecretId=secret)
        stored = json.loads(answer["SecretString"])
    except (stack.secrets.exceptions.ResourceNotFoundException, KeyError, ValueError):
        # Made by the deployment and never set: without a value, or with a random text.
        return {}
    return stored if isinstance(stored, dict) else {}


def _rotated(
    stored: Mapping[str, Any], given: Mapping[str, str], *, replace: bool
) -> dict[str, list[str]]:
    before = {name: [] if replace else list(stored.get(name, [])) for name in given}
    return {
        name: [value, *(old for old in before[name] if old != value)][:ACTIVE_VALUES]
        for name, value in given.items()
    }


@command(app, "set")
def set_command(
    tool: Tool,
    connection: ConnectionArgument,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME[=VALUE]...", help="Without a value it is asked for, hidden."),
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read NAME=VALUE lines from standard input.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Stop accepting the signing secret used so far.")
    ] = False,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day they end; an alarm comes before it."),
    ] = None,
) -> None:
    """Set secrets of a connection. The last signing secret stays valid until the next is set."""
    given = sys.stdin.read().splitlines() if stdin else list(values or [])
    if not given:
        keys = tool.stack.manifest(connection).secrets
        outputs = tool.stack.connection(connection)
        given = [
            *(keys.signing if "SigningSecretName" in outputs else ()),
            *(keys.api if "ApiSecretName" in outputs else ()),
        ]
    values_given = _values(given, ask=not stdin)
    if not values_given:
        raise CommandError("No value was given; nothing was set.")
    done = set_values(tool.stack, connection, values_given, replace=replace)
    names = sorted(name for set_names in done.values() for name in set_names)
    note_expiry(tool.stack, connection, names, expires.date() if expires else None)
    tool.answer({"connection": connection, "set": done}, f"Set {', '.join(names)} of {connection}.")


def _values(given: Iterable[str], *, ask: bool) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given:
        name, has_value, value = one.partition("=")
        if has_value:
            values[name.strip()] = value
        elif ask:
            # A platform may take one key or another: Enter passes over those there is no value for.
            question = f"{name} (Enter: leave it as it is)"
            if typed := typer.prompt(
                question, default="", show_default=False, hide_input=True, err=True
            ):
                values[name] = typed
        elif one.strip():
            raise CommandError("Standard input must hold NAME=VALUE lines; nothing was set.")
    return values
