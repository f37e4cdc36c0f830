"""Write the tables of ``docs/configuration.md`` and ``docs/events.md`` from the models.

``--check`` writes nothing and fails where one of them is stale.
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from fizzbridge.bridge_file import columns_of
from fizzbridge.model.catalogue import CatalogueItem, ListPrice
from fizzbridge.model.events import (
    ASSESS_TYPES,
    DOCUMENT_TYPES,
    EVENT_MODELS,
    LEVEL_TYPES,
    RECORD_TYPES,
    SCHEMA_VERSION,
    DetailType,
    Event,
)
from fizzbridge.model.scheme import Scheme
from fizzbridge.settings import Bridge
from scripts.generated import ROOT, section, table, write_or_check

CONFIGURATION = ROOT / "docs" / "configuration.md"
EVENTS = ROOT / "docs" / "events.md"
_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    float: "number",
    Decimal: "exact number",
    date: "day",
    time: "time of day",
    AwareDatetime: "time with zone",
}


class Key(NamedTuple):
    """One key of the file, as the table shows it."""

    name: str
    type: str
    default: str
    meaning: str


@cache
def meanings(model: type[BaseModel]) -> dict[str, str]:
    """What the docstring below each field says, up to the first empty line."""
    [made] = ast.parse(inspect.getsource(model)).body
    assert isinstance(made, ast.ClassDef)  # noqa: S101  a class's source is a class
    found: dict[str, str] = {}
    for field, doc in zip(made.body, made.body[1:], strict=False):
        match field, doc:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = inspect.cleandoc(said).partition("\n\n")[0].replace("``", "`")
    return found


def kind_of(annotation: Any) -> str:
    """A type in the words of those who write the file."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return kind_of(inner[0])
    if origin in {Union, types.UnionType}:
        return " or ".join(kind_of(one) for one in inner if one is not type(None))
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin is tuple:
        return f"list of {kind_of(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {kind_of(inner[0])} = {kind_of(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f"`{one}`" for one in annotation)
    return _NAMES.get(annotation) or annotation.__name__


def default_of(field: FieldInfo) -> str:
    """A field's default as it would be written; ``required`` where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    match value:
        case None | () | {} | "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
    return f"`{value}`"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type):
        is_model = not get_origin(annotation) and issubclass(annotation, BaseModel)
        return annotation if is_model else None
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def keys(model: type[BaseModel], *, is_nested: bool = True) -> Iterator[Key]:
    """The keys of a table; those of a table within it are named by their path.

    Raises:
        LookupError: a key has no docstring.
    """
    for field_name, field in model.model_fields.items():
        name = field.alias or field_name
        inner = _model_in(field.annotation)
        if inner and is_nested:
            step = f"{name}[]." if get_origin(field.annotation) is tuple else f"{name}."
            yield from (key._replace(name=step + key.name) for key in keys(inner))
            continue
        said = meanings(model).get(field_name)
        if not said:
            raise LookupError(f"{model.__name__}.{field_name} has no docstring")
        kind = "text" if inner else kind_of(field.annotation)
        yield Key(name, kind, default_of(field), said + _bounds(field))


def _bounds(field: FieldInfo) -> str:
    said = [
        f"{words} {getattr(rule, sign)}"
        for rule in field.metadata
        for sign, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"))
        if getattr(rule, sign, None) is not None
    ]
    return f" ({', '.join(said)})" if said else ""


def _table(listed: Iterable[Key], first: str = "key") -> str:
    columns = (first, "type", "default", "meaning")
    return table(columns, (key._replace(name=f"`{key.name}`") for key in listed))


def configuration() -> str:
    """The tables of the bridge file and of the files it names."""
    parts = []
    for name, field in Bridge.model_fields.items():
        model = _model_in(field.annotation)
        assert model is not None  # noqa: S101  the bridge file holds tables only
        is_list = get_origin(field.annotation) is tuple
        heading = f"## `[[{name}]]`" if is_list else f"## `[{name}]`"
        parts += [heading, _about(model), _table(keys(model))]
    parts += [
        "## The catalogue file",
        "One row for each product and span of days. A wrong cell is told with row and column.",
        _columns(CatalogueItem),
        "## The prices file",
        "One row for each price and the quantity it holds from.",
        _columns(ListPrice),
        "## `[[schemes]]` of the schemes file",
        _about(Scheme),
        _table(keys(Scheme)),
    ]
    return "\n\n".join(parts)


def _columns(model: type[CatalogueItem] | type[ListPrice]) -> str:
    columns = {field: column for column, field in columns_of(model).items()}
    listed = (key._replace(name=columns[key.name]) for key in keys(model, is_nested=False))
    return _table(listed, "column")


def _about(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "").replace("``", "`")


def events() -> str:
    """A row for each detail-type: who reacts on it, and what it says beside the envelope."""
    reactions = {
        "assess": ASSESS_TYPES,
        "targets (documents)": DOCUMENT_TYPES,
        "targets (levels)": LEVEL_TYPES,
        "record": RECORD_TYPES,
    }
    listed = []
    for detail_type in DetailType:
        model = EVENT_MODELS[detail_type]
        own = [f"`{name}`" for name in model.model_fields if name not in Event.model_fields]
        to = [name for name, known in reactions.items() if detail_type in known]
        schema = f"../events/schemas/{detail_type}.v{SCHEMA_VERSION}.json"
        listed.append((f"[`{detail_type}`]({schema})", ", ".join(to), ", ".join(own)))
    envelope = [(f"`{name}`", said) for name, said in meanings(Event).items()]
    return "\n\n".join(
        (
            table(("detail-type", "goes to", "says, beside the envelope"), listed),
            "The envelope:",
            table(("field", "meaning"), envelope),
        )
    )


def files() -> dict[Path, str]:
    """Both documents as they should be."""
    made = {CONFIGURATION: ("keys", configuration()), EVENTS: ("events", events())}
    return {
        path: section(path.read_text(encoding="utf-8"), name, content)
        for path, (name, content) in made.items()
    }


if __name__ == "__main__":
    write_or_check(files(), __doc__ or "")
