"""Whether Odoo's own description of JSON-2 and of its models allows a request."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema

SPEC = Path(__file__).parents[4] / "shared" / "platforms" / "specs" / "odoo"


@cache
def _spec(name: str) -> Any:
    return json.loads((SPEC / name).read_text(encoding="utf-8"))


@cache
def _fields(model: str) -> frozenset[str]:
    """All fields of a model that was read in the vendor's source; none for the others."""
    return frozenset(_spec("odoo19-model-fields.json")["confirmed"].get(model, ()))


def validate(request: httpx.Request) -> tuple[str, str]:
    """The model and method of a request that the description allows.

    Raises:
        AssertionError: it does not.
    """
    version, model, method = request.url.path.removeprefix("/json/").split("/")
    assert (request.method, version) == ("POST", "2"), request.url.path
    assert request.headers["authorization"].lower().startswith("bearer ")
    body = json.loads(request.content)
    schema = _spec("json2-api.openapi.json")["components"]["schemas"]["Call"]
    jsonschema.validate(body, schema)
    known = _fields(model)
    for name in _named(body):
        assert not known or name in known | {"id"}, f"{model} has no field {name}"
    return model, method


def _named(body: dict[str, Any]) -> list[str]:
    """Fields a call names, of its own model: those of lines have a path."""
    named = [*body.get("fields", ()), *body.get("vals", ())]
    named += [term[0] for term in body.get("domain", ()) if isinstance(term, list)]
    return [name.partition("/")[0].partition(".")[0] for name in named]
