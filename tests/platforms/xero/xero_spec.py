"""Xero's own OpenAPI files as the judge of what we send."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import yaml

SPEC = Path(__file__).parents[4] / "shared" / "platforms" / "specs" / "xero"
BASE = "/api.xro/2.0"
ENTITIES = {
    "Invoices": "Order",
    "Contacts": "Customer",
    "Payments": "Payment",
    "CreditNotes": "Refund",
}
# Written on the way in: what the description calls read-only is read, and may not be sent.
KINDS = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def validate(request):
    """What a request is, as (entity, operation).

    Raises:
        AssertionError: the description does not allow it; with the reason.
    """
    path, method = request.url.path, request.method.lower()
    if request.url.host == "identity.xero.com":
        return _token(request)
    if path == "/connections":
        assert method == "get", f"{method} of connections"
        return "Connections", method
    assert path.startswith(BASE), f"{path} is not below {BASE}"
    template, operation, common = _operation(path.removeprefix(BASE), method)
    _parameters(request, [*common, *operation.get("parameters", [])], template)
    body = operation.get("requestBody")
    if body:
        schema = body["content"]["application/json"]["schema"]
        _check(json.loads(request.content), schema, template)
    else:
        assert not request.content, f"{method} {template} takes no body"
    name = template.split("/")[1]
    return ENTITIES.get(name, name), f"{method} {template}"


def _token(request):
    form = parse_qs(request.content.decode())
    assert request.method == "POST", "tokens are asked for by POST"
    assert request.url.path == "/connect/token", request.url.path
    assert request.headers["Authorization"].startswith("Basic "), "no client authentication"
    wanted = {"refresh_token": {"refresh_token"}, "client_credentials": {"scope"}}
    (grant,) = form.pop("grant_type")
    assert set(form) == wanted[grant], f"{grant} with {sorted(form)}"
    return "Token", grant


@cache
def _spec():
    text = (SPEC / "xero_accounting.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _operation(path, method):
    for template, item in _spec()["paths"].items():
        pattern = re.sub(r"\{\w+\}", f"({GUID.pattern})", template)
        if re.fullmatch(pattern, path) and method in item:
            return template, item[method], item.get("parameters", [])
    raise AssertionError(f"no {method} of a path like {path}")


def _parameters(request, listed, template):
    known = [_resolved(one) for one in listed]
    names = {one["name"] for one in known if one["in"] == "query"}
    unknown = set(request.url.params) - names
    assert not unknown, f"{template} has no parameters {sorted(unknown)}"
    for one in known:
        if one.get("required") and one["in"] == "header":
            assert request.headers.get(one["name"]), f"{template}: no header {one['name']}"
    headers = {one["name"].lower() for one in known if one["in"] == "header"}
    key = request.headers.get("Idempotency-Key")
    if key:
        assert "idempotency-key" in headers, f"{template} takes no idempotency key"
        assert len(key) <= 128, f"an idempotency key of {len(key)} letters"
    assert request.headers["Accept"] == "application/json", "XML is the default"


def _resolved(schema):
    while "$ref" in schema:
        found = _spec()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _check(value, schema, where):
    schema = _resolved(schema)
    kind = schema.get("type", "object")
    is_right = isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    assert is_right, f"{where}: {type(value).__name__} in place of {kind}"
    assert not schema.get("readOnly"), f"{where} is read-only"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value} is none of {schema['enum']}"
    if schema.get("format") == "uuid":
        assert GUID.fullmatch(value), f"{where}: {value} is no GUID"
    limit = schema.get("maxLength")
    assert not limit or len(value) <= limit, f"{where}: longer than {limit}"
    if kind == "array":
        for number, one in enumerate(value):
            _check(one, schema["items"], f"{where}.{number}")
    if kind == "object":
        _object(value, schema, where)


def _object(value, schema, where):
    properties = schema.get("properties", {})
    missing = set(schema.get("required", ())) - set(value)
    assert not missing, f"{where} lacks {sorted(missing)}"
    for name, one in value.items():
        assert name in properties, f"{where} has no {name}"
        _check(one, properties[name], f"{where}.{name}")
