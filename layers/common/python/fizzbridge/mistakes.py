"""Turns validation errors into one plain line each, for the person who wrote the file."""

import difflib
import re
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

# What a value of the field is called when it is not one of the allowed ones.
_NOUNS = {
    "roles": "a role",
    "kinds": "a kind",
    "source": "a kind",
    "target": "a kind",
    "tier": "a quality tier",
    "kind": "a kind of scheme",
    "tax_mode": "a tax mode",
    "material": "a material",
    "materials": "a material",
    "base_unit": "a unit",
    "where": "a condition",
}
# What text of the field must look like, where a pattern would tell people less.
_SHAPES = {
    "every": "is not an interval, for example 15 minutes",
    "name": "must be lower case letters, digits and hyphens, and start with a letter",
    "country": "is not a country code of two capital letters",
}
_SHORT_MESSAGES = {
    "timezone_aware": "needs a time zone, for example 2026-11-01T00:00:00Z",
    "datetime_type": "must be a date and time, for example 2026-11-01T00:00:00Z",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list in square brackets",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "too_short": "needs at least one entry",
    "bool_type": "must be true or false",
}


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` when something known is close, else nothing."""
    close = difflib.get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def explain(error: ValidationError, model: type[BaseModel], data: object) -> list[str]:
    """Return one line per mistake: where it is in the file, and what is wrong.

    Args:
        error: What pydantic found.
        model: The model the file was read into, for the names it knows.
        data: The file's own data, for the names of list members.
    """
    lines = []
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "too_short" and _lies_within(detail["loc"], details):
            continue  # a list is short of members only because they have mistakes of their own
        where = place(detail["loc"], data)
        lines.append(f"{where}: {_sentence(detail, model)}" if where else _sentence(detail, model))
    return lines


def _lies_within(location: Sequence[int | str], details: Sequence[ErrorDetails]) -> bool:
    depth = len(location)
    return any(len(one["loc"]) > depth and one["loc"][:depth] == location for one in details)


def place(location: Sequence[int | str], data: object) -> str:
    """Spell a location as in the file: ``connections[1] (erp): calls.parallel``."""
    text = ""
    separator = ""
    here = data
    for step in location:
        if isinstance(step, int):
            here = here[step] if isinstance(here, list) and step < len(here) else None
            text += f"[{step}]"
            if isinstance(here, dict) and isinstance(here.get("name"), str):
                text += f" ({here['name']})"
            separator = ": " if isinstance(here, dict) else separator
        elif step != "[key]":
            here = here.get(step) if isinstance(here, dict) else None
            text += f"{separator}{step}"
            separator = "."
    return re.sub(r"\[\d+\]$", "", text)


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location, found = detail["type"], detail["loc"], detail["input"]
    last = str(location[-1]) if location else ""
    match kind:
        case "extra_forbidden":
            return f"is not known here{suggestion(last, _field_names(model, location[:-1]))}"
        case "missing":
            return "is missing"
        case "literal_error" | "enum":
            allowed = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
            # A wrong key is named by the table it stands in, a wrong value by its field.
            steps = [step for step in location if isinstance(step, str)]
            field = steps[-3] if last == "[key]" else steps[-1]
            near = suggestion(str(found), allowed) or f"; it is one of {', '.join(allowed)}"
            return f"'{found}' is not {_NOUNS.get(field, 'known')}{near}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "string_pattern_mismatch":
            return f"'{found}' {_SHAPES.get(last) or 'does not match ' + detail['ctx']['pattern']}"
        case _:
            return _SHORT_MESSAGES.get(kind) or _plain(detail["msg"], found)


def _plain(message: str, found: object) -> str:
    message = message.removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{found!r} should be {message}" if isinstance(found, str | int | float) else message


def _field_names(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Names the file may use at a location, found by walking the model's annotations."""
    here: type[BaseModel] | None = model
    for step in location:
        if isinstance(step, str) and here is not None:
            field = next((f for n, f in here.model_fields.items() if step in {n, f.alias}), None)
            here = _model_in(field.annotation) if field else None
    if here is None:
        return []
    return [field.alias or name for name, field in here.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    found = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in found if model), None)
